/* matcher: snapshots of books and of orders, and requests among commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/stage.h"

static struct stage stage;
static struct message message;
static uint64_t origin_seq;

static int setup(void **state)
{
    struct matcher_options options = stage_options();
    *state = &stage;
    stage_open(&stage, &options);
    message_clear(&message);
    origin_seq = 0;
    return 0;
}

static int teardown(void **state)
{
    stage_close(*state);
    return 0;
}

/* An order of an account, in a batch of its own; its id. */
static uint64_t place(struct stage *s, const char *account, const char *label, enum side side,
                      int64_t price, int64_t qty)
{
    struct command c = new_order_of(side, price, qty);
    c.new_order.account = text_of(account);
    c.new_order.client_order_id = text_of(label);
    message_clear(&message);
    message_put(&message, &c, envelope_of("gw", 1, ++origin_seq));
    stage_clear(s);
    stage_batch(s, &message);
    return stage_result(s, "gw").order_id;
}

static void cancel(struct stage *s, const char *account, uint64_t order_id)
{
    struct command c = cancel_of(account, order_id);
    message_clear(&message);
    message_put(&message, &c, envelope_of("gw", 1, ++origin_seq));
    stage_batch(s, &message);
}

/* Ask in a batch of its own; the answer, which fits one chunk, behind its reply. */
static struct frame_reader ask(struct stage *s, const char *topic, uint64_t min_seq,
                               enum reason code)
{
    uint64_t type;
    struct wire_reader fields;
    struct reply r;
    stage_clear(s);
    stage_begin(s);
    stage_ask_snapshot(s, topic, min_seq);
    assert_false(stage_end(s));
    struct frame_reader f;
    assert_int_equal(stage_count(s, "re." STAGE_REPLY), 1);
    for (unsigned i = 0; i < s->said_count; i++)
        assert_int_equal(frame_read(&f, s->said[i].bytes, s->said[i].size), FRAME_READ_OK);
    assert_true(frame_next_group(&f) && frame_next_event(&f, &type, &fields));
    assert_int_equal(type, MESSAGE_REPLY);
    reply_get_fields(&fields, &r);
    assert_int_equal(r.code, code);
    assert_true(r.last);
    return f;
}

static bool next_state(struct frame_reader *f, struct order_state *m)
{
    uint64_t type;
    struct wire_reader fields;
    if (!frame_next_event(f, &type, &fields))
        return false;
    assert_int_equal(type, MESSAGE_ORDER_STATE);
    order_state_get_fields(&fields, m);
    return true;
}

/* ---- books ---- */

static void a_book_is_told_best_first_and_oldest_first(void **state)
{
    struct stage *s = *state;
    static const int64_t prices[] = {100, 101, 100, 99, 105, 105, 110};
    uint64_t ids[7];
    for (unsigned i = 0; i < 7; i++)
        ids[i] = place(s, "a", "", i < 4 ? SIDE_BUY : SIDE_SELL, prices[i], 5 + i);
    struct frame_reader f = ask(s, "l3." SYMBOL_ONE, 11, 0);
    assert_true(f.head.seq == 11 && f.head.epoch == STAGE_EPOCH);
    assert_true(f.head.hash.value == engine_book(matcher_engine(s->matcher), 1)->l3_hash);
    uint64_t type;
    struct wire_reader fields;
    struct book_position position;
    assert_true(frame_next_event(&f, &type, &fields));
    assert_int_equal(type, MESSAGE_BOOK_POSITION);
    book_position_get_fields(&fields, &position);
    assert_true(text_equal(position.symbol, text_of(SYMBOL_ONE)));
    assert_true(position.book_seq == 11 && position.bbo_seq == 10 && position.trade_seq == 0);
    static const unsigned order[] = {1, 0, 2, 3, 4, 5, 6};
    for (unsigned i = 0; i < 7; i++) {
        struct add m;
        assert_true(frame_next_event(&f, &type, &fields));
        assert_int_equal(type, MESSAGE_ADD);
        add_get_fields(&fields, &m);
        assert_true(m.order_id == ids[order[i]] && m.price == prices[order[i]]);
        assert_true(m.qty == 5 + order[i] && m.priority == order[i] + 1);
    }
    assert_false(frame_next_event(&f, &type, &fields));
}

static void an_empty_book_is_told_too(void **state)
{
    struct stage *s = *state;
    struct frame_reader f = ask(s, "l3." SYMBOL_OTHER, 0, 0);
    assert_true(f.head.hash.given && f.head.hash.value == 0 && f.head.seq == 4);
}

static void what_is_no_topic_here_is_unknown(void **state)
{
    struct stage *s = *state;
    static const char *const topics[] = {
        "l3.NONE", "l3.", "l2." SYMBOL_ONE, "bbo." SYMBOL_ONE, "", "ack.gw", "hb", "acct"};
    for (unsigned i = 0; i < sizeof topics / sizeof topics[0]; i++)
        ask(s, topics[i], 0, REJECT_UNKNOWN_TOPIC);
}

static void the_future_is_not_caught_up_with(void **state)
{
    struct stage *s = *state;
    ask(s, "l3." SYMBOL_ONE, 4, 0);
    ask(s, "l3." SYMBOL_ONE, 5, REJECT_NOT_CAUGHT_UP);
    ask(s, "acct.a", 4, 0);
    ask(s, "acct.a", 5, REJECT_NOT_CAUGHT_UP);
    ask(s, "acct.", UINT64_MAX, REJECT_NOT_CAUGHT_UP);
}

/* ---- orders ---- */

static void an_account_sees_its_finished_orders_then_its_open_ones(void **state)
{
    struct stage *s = *state;
    uint64_t open = place(s, "a", "first", SIDE_BUY, 100, 5);
    uint64_t gone = place(s, "a", "second", SIDE_BUY, 99, 7);
    place(s, "b", "other", SIDE_BUY, 98, 7);
    cancel(s, "a", gone);
    place(s, "b", "taker", SIDE_SELL, 100, 2);
    struct frame_reader f = ask(s, "acct.a", 0, 0);
    struct order_state m;
    assert_true(f.head.seq == 9 && !f.head.hash.given);
    assert_true(next_state(&f, &m));
    assert_true(m.order_id == gone && m.status == ORDER_STATUS_CANCELLED);
    assert_true(m.reason == REASON_USER && m.open_qty == 0 && m.filled_qty == 0 && m.qty == 7);
    assert_true(text_equal(m.client_order_id, text_of("second")) && m.changed_seq == 8);
    assert_true(next_state(&f, &m));
    assert_true(m.order_id == open && m.status == ORDER_STATUS_PARTIALLY_FILLED);
    assert_true(m.open_qty == 3 && m.filled_qty == 2 && m.qty == 5 && m.price.value == 100);
    assert_true(m.notional_high == 0 && m.notional_low == 200 && m.changed_seq == 9);
    assert_true(m.accepted_ns == s->now_ns && text_equal(m.account, text_of("a")));
    assert_false(next_state(&f, &m));
}

static void a_notional_has_128_bits_and_a_sign(void **state)
{
    struct stage *s = *state;
    struct command c = new_order_of(SIDE_BUY, -INT64_MAX, INT64_MAX);
    c.new_order.symbol = text_of(SYMBOL_ANY);
    for (unsigned i = 0; i < 2; i++) {
        message_clear(&message);
        message_put(&message, &c, envelope_of("gw", 1, ++origin_seq));
        stage_batch(s, &message);
        c.new_order.side = SIDE_SELL;
    }
    struct frame_reader f = ask(s, "acct.a", 0, 0);
    struct order_state m;
    assert_true(next_state(&f, &m)); /* -(2^63-1)^2 = -(2^126 - 2^64 + 1) */
    assert_true(m.notional_high == -(INT64_C(1) << 62) + 0);
    assert_true(m.notional_low == UINT64_MAX);
}

static void a_refused_order_is_remembered_with_its_code(void **state)
{
    struct stage *s = *state;
    place(s, "a", "bad", SIDE_BUY, -5, 7);
    struct frame_reader f = ask(s, "acct.a", 0, 0);
    struct order_state m;
    assert_true(next_state(&f, &m));
    assert_true(m.status == ORDER_STATUS_REJECTED && m.reason == REJECT_INVALID_PRICE);
    assert_true(m.qty == 7 && m.open_qty == 0);
    assert_false(next_state(&f, &m));
}

static void the_empty_account_is_everybody(void **state)
{
    struct stage *s = *state;
    place(s, "b", "", SIDE_BUY, 100, 5);
    place(s, "a", "", SIDE_BUY, 99, 5);
    place(s, "b", "", SIDE_BUY, 98, 5);
    struct frame_reader f = ask(s, "acct.", 0, 0);
    struct order_state m;
    static const char *const accounts[] = {"b", "b", "a"}; /* in the order they were first seen */
    for (unsigned i = 0; i < 3; i++) {
        assert_true(next_state(&f, &m));
        assert_true(text_equal(m.account, text_of(accounts[i])));
    }
    assert_false(next_state(&f, &m));
}

static void an_account_nobody_knows_has_no_orders(void **state)
{
    struct stage *s = *state;
    struct order_state m;
    struct frame_reader f = ask(s, "acct.nobody", 0, 0);
    assert_false(next_state(&f, &m));
}

static void only_so_many_finished_orders_are_remembered(void **state)
{
    struct stage *s = *state;
    unsigned count = 0;
    struct order_state m;
    for (unsigned i = 0; i < 60; i++) /* 50 are remembered */
        cancel(s, "a", place(s, "a", "", SIDE_BUY, 100, 5 + i));
    struct frame_reader f = ask(s, "acct.a", 0, 0);
    for (; next_state(&f, &m); count++)
        assert_true(m.qty == 15 + count); /* the last ones, oldest first */
    assert_int_equal(count, 50);
}

/* ---- requests among commands ---- */

static void a_request_sees_the_commands_before_it_and_ends_the_batch(void **state)
{
    struct stage *s = *state;
    stage_begin(s);
    message_order(&message, 1, SIDE_BUY, 100, 5);
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_MORE);
    stage_ask_snapshot(s, "l3." SYMBOL_ONE, 0);
    message_clear(&message);
    message_order(&message, 2, SIDE_BUY, 100, 5);
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_FULL);
    assert_true(stage_end(s));
    assert_int_equal(s->journal.count, 1);
    /* its frames come first, and then the answer, as of the same sequence */
    static const char *const order[] = {"l3.", "acct.", "ack.", "re."};
    for (unsigned i = 0; i < 4; i++)
        assert_memory_equal(s->said[i].bytes, order[i], strlen(order[i]));
    struct frame_reader frame, reply;
    frame_read(&frame, s->said[0].bytes, s->said[0].size);
    frame_read(&reply, s->said[3].bytes, s->said[3].size);
    assert_true(frame.head.seq == 5 && reply.head.seq == 5);
    assert_true(frame.head.hash.value == reply.head.hash.value);
}

static void each_request_is_answered_by_the_publisher_of_its_topic(void **state)
{
    struct stage *s = *state;
    ask(s, "l3." SYMBOL_ONE, 0, 0);
    assert_int_equal(s->said[0].output, MATCHER_OUTPUT_PUBLIC);
    ask(s, "acct.a", 0, 0);
    assert_int_equal(s->said[0].output, MATCHER_OUTPUT_PRIVATE);
    ask(s, "", 0, REJECT_UNKNOWN_TOPIC);
    assert_int_equal(s->said[0].output, MATCHER_OUTPUT_PUBLIC);
}

static void garbage_among_the_requests_is_counted_and_passed_over(void **state)
{
    struct stage *s = *state;
    stage_clear(s);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_REQUESTS, (const uint8_t *)"", 0);
    stage_receive(s, MATCHER_INPUT_REQUESTS, (const uint8_t *)"junk", 4);
    message_order(&message, 1, SIDE_BUY, 100, 5); /* a command at the wrong door */
    stage_receive(s, MATCHER_INPUT_REQUESTS, message.bytes, message.size);
    assert_false(stage_end(s));
    assert_int_equal(s->said_count, 0);
    assert_int_equal(matcher_counts(s->matcher).requests_garbage, 3);
    ask(s, "l3." SYMBOL_ONE, 0, 0);
}

static void a_request_at_the_door_of_commands_is_garbage(void **state)
{
    struct stage *s = *state;
    uint8_t bytes[256];
    struct wire_writer w = {bytes};
    request_write(
        &w, &(struct request){.type = MESSAGE_SNAPSHOT,
                              .snapshot = {text_of(STAGE_REPLY), 1, text_of("l3." SYMBOL_ONE), 0}});
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, bytes, (size_t)(w.at - bytes));
    assert_false(stage_end(s));
    assert_int_equal(matcher_counts(s->matcher).garbage, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_book_is_told_best_first_and_oldest_first),
        TEST(an_empty_book_is_told_too),
        TEST(what_is_no_topic_here_is_unknown),
        TEST(the_future_is_not_caught_up_with),
        TEST(an_account_sees_its_finished_orders_then_its_open_ones),
        TEST(a_notional_has_128_bits_and_a_sign),
        TEST(a_refused_order_is_remembered_with_its_code),
        TEST(the_empty_account_is_everybody),
        TEST(an_account_nobody_knows_has_no_orders),
        TEST(only_so_many_finished_orders_are_remembered),
        TEST(a_request_sees_the_commands_before_it_and_ends_the_batch),
        TEST(each_request_is_answered_by_the_publisher_of_its_topic),
        TEST(garbage_among_the_requests_is_counted_and_passed_over),
        TEST(a_request_at_the_door_of_commands_is_garbage),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
