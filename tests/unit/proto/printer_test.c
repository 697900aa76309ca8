/* The printer: a line an event, whatever is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/command.h"
#include "proto/frame.h"
#include "proto/printer.h"

static uint8_t message[1024];

static size_t size_of(const struct wire_writer *w)
{
    return (size_t)(w->at - message);
}

typedef void (*print_message_fn)(FILE *out, const uint8_t *bytes, size_t size);

static void print_one_event(FILE *out, const uint8_t *bytes, size_t size)
{
    struct wire_reader r = {bytes, bytes + size, false};
    struct event_head head = event_get_head(&r);
    printer_event(out, head.type, r);
}

static void assert_prints(print_message_fn print, size_t size, const char *expected)
{
    char *text = NULL;
    size_t text_size = 0;
    FILE *out = open_memstream(&text, &text_size);
    assert_non_null(out);
    print(out, message, size);
    fclose(out);
    assert_string_equal(text, expected);
    free(text);
}

static void an_event_is_a_line_of_names_and_values(void **state)
{
    (void)state;
    struct wire_writer w = {message};
    trade_put(&w, &(struct trade){31, 7, 9, -10000, 5, SIDE_BUY});
    assert_prints(print_one_event, size_of(&w),
                  "trade trade_id=31 maker_order_id=7 taker_order_id=9 price=-10000 qty=5 "
                  "aggressor=buy\n");
}

static void a_value_outside_its_set_is_shown_as_a_number(void **state)
{
    (void)state;
    struct wire_writer w = {message};
    level_put(&w, &(struct level){UINT64_MAX, 1, 2});
    assert_prints(print_one_event, size_of(&w), "level side=18446744073709551615 price=1 qty=2\n");
}

static void nil_hashes_and_bytes_are_told_apart(void **state)
{
    (void)state;
    struct wire_writer w = {message};
    bbo_put(&w, &(struct bbo){.bid_price = {0, false}, .ask_price = {0, true}});
    assert_prints(print_one_event, size_of(&w),
                  "bbo bid_price=nil bid_qty=0 ask_price=0 ask_qty=0\n");
    w.at = message;
    position_put(&w, &(struct position){{"l2.A", 4}, 3, {0xdc115410d8eaa04c, true}});
    assert_prints(print_one_event, size_of(&w),
                  "position topic=l2.A last_seq=3 hash=dc115410d8eaa04c\n");
    w.at = message;
    resent_put(&w, &(struct resent){{(const uint8_t *)"l2", 2}});
    assert_prints(print_one_event, size_of(&w), "resent frame=(2 bytes)\n");
}

static void reject_codes_are_shown_by_name(void **state)
{
    (void)state;
    struct wire_writer w = {message};
    reply_put(&w, &(struct reply){7, MESSAGE_RESEND, REJECT_TOO_OLD, 0, true});
    assert_prints(print_one_event, size_of(&w),
                  "reply request_id=7 request_type=32 code=TOO_OLD chunk=0 last=true\n");
}

static void text_that_is_not_plain_is_quoted_and_escaped(void **state)
{
    (void)state;
    struct wire_writer w = {message};
    heartbeat_put(&w, &(struct heartbeat){1, {"a\n\"\x1b\xc3(\x7f", 7}, 0, 0});
    assert_prints(print_one_event, size_of(&w),
                  "heartbeat shard=1 requests=\"a\\x0a\\x22\\x1b\\xc3(\\x7f\" standing=0 "
                  "journal=0\n");
    w.at = message;
    heartbeat_put(&w, &(struct heartbeat){1, {"", 0}, STANDING_CLOCK_JUMP, JOURNAL_MODE_ASYNC});
    assert_prints(print_one_event, size_of(&w),
                  "heartbeat shard=1 requests=\"\" standing=clock_jump journal=async\n");
}

static void what_cannot_be_read_is_said_to_be_so(void **state)
{
    (void)state;
    static const uint8_t short_level[] = {0x93, 69, 1, 2};
    memcpy(message, short_level, sizeof short_level);
    assert_prints(print_one_event, sizeof short_level,
                  "level side=buy price=2 qty=0 (malformed)\n");
    static const uint8_t unknown[] = {0x93, 0xcd, 0x27, 0x0f, 1, 2};
    memcpy(message, unknown, sizeof unknown);
    assert_prints(print_one_event, sizeof unknown, "unknown type=9999 (and 2 bytes more)\n");
    memset(message, 0xff, 9);
    assert_prints(printer_frame, 9, "garbage (9 bytes)\n");
    assert_prints(printer_commands, 9, "garbage (9 bytes)\n");
    assert_prints(printer_requests, 9, "garbage (9 bytes)\n");
    assert_prints(printer_commands, 0, "");
    message[0] = 0x92;
    message[1] = PROTOCOL_VERSION + 1;
    assert_prints(printer_commands, 3, "another version (3 bytes)\n");
}

static void a_frame_is_its_head_and_a_line_an_event(void **state)
{
    (void)state;
    struct wire_writer w = {message};
    frame_head_put(&w,
                   &(struct frame_head){text_of("l2.A"), FRAME_EVENTS, 1, 2, 5, 6, {0, true}, 2});
    wire_put_array(&w, 2);
    wire_put_u64(&w, 4);
    wire_put_array(&w, 1);
    level_put(&w, &(struct level){SIDE_SELL, 10, 1});
    wire_put_array(&w, 2);
    wire_put_u64(&w, 5);
    wire_put_array(&w, 2);
    level_put(&w, &(struct level){SIDE_SELL, 10, 0});
    level_put(&w, &(struct level){SIDE_BUY, 9, 3});
    assert_prints(printer_frame, size_of(&w),
                  "l2.A events epoch=1 prev_seq=2 seq=5 time_ns=6 hash=0000000000000000\n"
                  "    4 level side=sell price=10 qty=1\n"
                  "    5 level side=sell price=10 qty=0\n"
                  "    5 level side=buy price=9 qty=3\n");
}

static void commands_back_to_back_are_a_line_each_until_one_is_garbage(void **state)
{
    (void)state;
    struct command c = {.type = MESSAGE_MASS_CANCEL,
                        .envelope = {.origin = {"gw", 2}, .origin_seq = 4},
                        .mass_cancel = {.account = {"A", 1}}};
    struct wire_writer w = {message};
    command_write(&w, &c);
    command_write(&w, &c);
    wire_put_nil(&w);
    assert_prints(printer_commands, size_of(&w),
                  "mass_cancel origin=gw origin_epoch=0 origin_seq=4 acked_through=0 deadline_ns=0 "
                  "symbol=\"\" account=A side=0\n"
                  "mass_cancel origin=gw origin_epoch=0 origin_seq=4 acked_through=0 deadline_ns=0 "
                  "symbol=\"\" account=A side=0\n"
                  "garbage (1 bytes)\n");
}

static void a_request_is_a_line(void **state)
{
    (void)state;
    struct request q = {.type = MESSAGE_SNAPSHOT,
                        .snapshot = {.reply = {"0a", 2}, .request_id = 3, .topic = {"l2.A", 4}}};
    struct wire_writer w = {message};
    request_write(&w, &q);
    assert_prints(printer_requests, size_of(&w),
                  "snapshot reply=0a request_id=3 topic=l2.A min_seq=0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_a_line_of_names_and_values),
        cmocka_unit_test(a_value_outside_its_set_is_shown_as_a_number),
        cmocka_unit_test(nil_hashes_and_bytes_are_told_apart),
        cmocka_unit_test(reject_codes_are_shown_by_name),
        cmocka_unit_test(text_that_is_not_plain_is_quoted_and_escaped),
        cmocka_unit_test(what_cannot_be_read_is_said_to_be_so),
        cmocka_unit_test(a_frame_is_its_head_and_a_line_an_event),
        cmocka_unit_test(commands_back_to_back_are_a_line_each_until_one_is_garbage),
        cmocka_unit_test(a_request_is_a_line),
    };
    return cmocka_run_group_tests_name("proto/printer", tests, NULL, NULL);
}
