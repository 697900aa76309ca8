/* websocket_input: what a client may send, and the close code for all that it may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/websocket_frame.h"
#include "gateway/websocket_input.h"

enum { FINAL = 0x80, OPEN = 0x00 };

/* The kind of a frame with that payload; of a BAD one its code is what is compared. */
static unsigned take(struct websocket_input *i, unsigned first, const void *payload, size_t size)
{
    uint16_t code;
    uint8_t *copy = malloc(size + 1); /* of the exact size, for the address sanitizer */
    assert_non_null(copy);
    memcpy(copy, payload, size);
    uint8_t *exact = realloc(copy, size == 0 ? 1 : size);
    enum websocket_input_kind kind = websocket_input_take(i, (uint8_t)first, exact, size, &code);
    free(exact);
    return kind == WEBSOCKET_INPUT_BAD ? code : kind;
}

static unsigned take_alone(unsigned first, const void *payload, size_t size)
{
    struct websocket_input i = {0};
    return take(&i, first, payload, size);
}

static unsigned take_text(const char *text)
{
    return take_alone(FINAL | WEBSOCKET_TEXT, text, strlen(text));
}

static void whole_texts_are_taken(void **state)
{
    (void)state;
    assert_int_equal(take_text(""), WEBSOCKET_INPUT_TEXT);
    assert_int_equal(take_text("{\"op\":\"ping\"}"), WEBSOCKET_INPUT_TEXT);
    assert_int_equal(take_text("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), WEBSOCKET_INPUT_TEXT);
}

static void reserved_bits_and_opcodes_are_refused(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        unsigned opcode = first & 0x0f;
        bool reserved = (first & 0x70) != 0 || (opcode >= 3 && opcode <= 7) || opcode > 10;
        if (reserved)
            assert_int_equal(take_alone(first, "", 0), WEBSOCKET_PROTOCOL_ERROR);
        else if (opcode >= 8 && (first & FINAL) == 0)
            assert_int_equal(take_alone(first, "", 0), WEBSOCKET_PROTOCOL_ERROR);
        else if (opcode == WEBSOCKET_CONTINUATION)
            assert_int_equal(take_alone(first, "", 0), WEBSOCKET_PROTOCOL_ERROR);
        else if (opcode == WEBSOCKET_BINARY)
            assert_int_equal(take_alone(first, "", 0), WEBSOCKET_NOT_TEXT);
        else
            assert_true(take_alone(first, "", 0) < WEBSOCKET_INPUT_BAD);
    }
}

static void control_frames_hold_125_bytes(void **state)
{
    (void)state;
    uint8_t payload[126];
    memset(payload, 'p', sizeof payload);
    for (size_t size = 124; size <= 126; size++) {
        bool fine = size <= 125;
        assert_int_equal(take_alone(FINAL | WEBSOCKET_PING, payload, size),
                         fine ? WEBSOCKET_INPUT_PING : WEBSOCKET_PROTOCOL_ERROR);
        assert_int_equal(take_alone(FINAL | WEBSOCKET_PONG, payload, size),
                         fine ? WEBSOCKET_INPUT_PONG : WEBSOCKET_PROTOCOL_ERROR);
    }
}

static void fragments_make_one_message_with_control_frames_between(void **state)
{
    (void)state;
    struct websocket_input i = {0};
    assert_int_equal(take(&i, OPEN | WEBSOCKET_TEXT, "a", 1), WEBSOCKET_INPUT_PART);
    assert_int_equal(take(&i, FINAL | WEBSOCKET_PING, "", 0), WEBSOCKET_INPUT_PING);
    assert_int_equal(take(&i, OPEN | WEBSOCKET_CONTINUATION, "", 0), WEBSOCKET_INPUT_PART);
    assert_int_equal(take(&i, FINAL | WEBSOCKET_PONG, "", 0), WEBSOCKET_INPUT_PONG);
    assert_int_equal(take(&i, FINAL | WEBSOCKET_CONTINUATION, "b", 1), WEBSOCKET_INPUT_TEXT);
    assert_int_equal(take(&i, FINAL | WEBSOCKET_TEXT, "c", 1), WEBSOCKET_INPUT_TEXT);
}

static void a_message_does_not_begin_within_another(void **state)
{
    (void)state;
    static const unsigned firsts[] = {FINAL | WEBSOCKET_TEXT, OPEN | WEBSOCKET_TEXT,
                                      FINAL | WEBSOCKET_BINARY};
    for (unsigned k = 0; k < 3; k++) {
        struct websocket_input i = {0};
        assert_int_equal(take(&i, OPEN | WEBSOCKET_TEXT, "a", 1), WEBSOCKET_INPUT_PART);
        assert_int_equal(take(&i, firsts[k], "b", 1), WEBSOCKET_PROTOCOL_ERROR);
    }
}

static void a_message_holds_64_kib(void **state)
{
    (void)state;
    char *text = malloc(WEBSOCKET_RECEIVED_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', WEBSOCKET_RECEIVED_MAX + 1);
    for (size_t size = WEBSOCKET_RECEIVED_MAX - 1; size <= WEBSOCKET_RECEIVED_MAX + 1; size++) {
        struct websocket_input i = {0};
        unsigned expected =
            size <= WEBSOCKET_RECEIVED_MAX ? WEBSOCKET_INPUT_TEXT : WEBSOCKET_TOO_LARGE;
        assert_int_equal(take(&i, FINAL | WEBSOCKET_TEXT, text, size), expected);
        i = (struct websocket_input){0};
        assert_int_equal(take(&i, OPEN | WEBSOCKET_TEXT, text, 40000), WEBSOCKET_INPUT_PART);
        assert_int_equal(take(&i, FINAL | WEBSOCKET_CONTINUATION, text, size - 40000), expected);
    }
    free(text);
}

static void the_next_message_has_all_64_kib_again(void **state)
{
    (void)state;
    struct websocket_input i = {0};
    char *text = calloc(1, WEBSOCKET_RECEIVED_MAX);
    assert_non_null(text);
    for (unsigned k = 0; k < 3; k++)
        assert_int_equal(take(&i, FINAL | WEBSOCKET_TEXT, text, WEBSOCKET_RECEIVED_MAX),
                         WEBSOCKET_INPUT_TEXT);
    free(text);
}

static const char *const not_utf8[] = {
    "\x80",             /* goes on from nothing */
    "\xc3",             /* cut */
    "\xe2\x82",         /* cut */
    "\xf0\x9f\x98",     /* cut */
    "\xc0\xaf",         /* too long a form */
    "\xe0\x80\xaf",     /* too long a form */
    "\xf0\x80\x80\xaf", /* too long a form */
    "\xed\xa0\x80",     /* half of a surrogate pair */
    "\xf4\x90\x80\x80", /* beyond U+10FFFF */
    "\xf8\x88\x80\x80\x80",
    "\xff",
    "\xc3(",
    "\xe2(\xa1",
    "ok\xe2\x82(ok, and more of it",
};

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    for (unsigned k = 0; k < sizeof not_utf8 / sizeof *not_utf8; k++)
        assert_int_equal(take_text(not_utf8[k]), WEBSOCKET_NOT_UTF8);
}

/* Cut in two at every place: the same verdict as in one piece. */
static unsigned verdict_in_two(const char *text, size_t at)
{
    struct websocket_input i = {0};
    unsigned first = take(&i, OPEN | WEBSOCKET_TEXT, text, at);
    if (first != WEBSOCKET_INPUT_PART)
        return first;
    return take(&i, FINAL | WEBSOCKET_CONTINUATION, text + at, strlen(text) - at);
}

static void characters_may_be_cut_by_fragments(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9z\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf!";
    for (size_t at = 0; at < sizeof text; at++)
        assert_int_equal(verdict_in_two(text, at), WEBSOCKET_INPUT_TEXT);
    for (unsigned k = 0; k < sizeof not_utf8 / sizeof *not_utf8; k++)
        for (size_t at = 0; at <= strlen(not_utf8[k]); at++)
            assert_int_equal(verdict_in_two(not_utf8[k], at), WEBSOCKET_NOT_UTF8);
    struct websocket_input i = {0};
    assert_int_equal(take(&i, OPEN | WEBSOCKET_TEXT, "\xf0", 1), WEBSOCKET_INPUT_PART);
    assert_int_equal(take(&i, OPEN | WEBSOCKET_CONTINUATION, "\x9f", 1), WEBSOCKET_INPUT_PART);
    assert_int_equal(take(&i, OPEN | WEBSOCKET_CONTINUATION, "\x98", 1), WEBSOCKET_INPUT_PART);
    assert_int_equal(take(&i, FINAL | WEBSOCKET_CONTINUATION, "\x80", 1), WEBSOCKET_INPUT_TEXT);
}

static unsigned close_with(unsigned code, const char *reason, uint16_t *given)
{
    struct websocket_input i = {0};
    uint8_t payload[64] = {(uint8_t)(code >> 8), (uint8_t)code};
    memcpy(payload + 2, reason, strlen(reason));
    enum websocket_input_kind kind =
        websocket_input_take(&i, FINAL | WEBSOCKET_CLOSE, payload, 2 + strlen(reason), given);
    return kind == WEBSOCKET_INPUT_BAD ? *given : kind;
}

static void close_codes_are_those_of_the_registry(void **state)
{
    (void)state;
    uint16_t given;
    assert_int_equal(take_alone(FINAL | WEBSOCKET_CLOSE, "", 0), WEBSOCKET_INPUT_CLOSE);
    assert_int_equal(take_alone(FINAL | WEBSOCKET_CLOSE, "\x03", 1), WEBSOCKET_PROTOCOL_ERROR);
    for (unsigned code = 0; code <= 65535; code++) {
        bool fine =
            (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
            (code >= 3000 && code <= 4999);
        assert_int_equal(close_with(code, "bye", &given),
                         fine ? WEBSOCKET_INPUT_CLOSE : WEBSOCKET_PROTOCOL_ERROR);
        if (fine)
            assert_int_equal(given, code);
    }
    assert_int_equal(close_with(1000, "\xff", &given), WEBSOCKET_NOT_UTF8);
    assert_int_equal(close_with(1000, "\xc3", &given), WEBSOCKET_NOT_UTF8);
}

/* A character that was cut and comes to nothing, then more of the same: the fault was told once,
 * and a client that does not listen cannot do anything with what it still sends. */
static void data_behind_a_fault_is_passed_over(void **state)
{
    (void)state;
    struct websocket_input i = {0};
    assert_int_equal(take(&i, OPEN | WEBSOCKET_TEXT, "\xf0\x9f", 2), WEBSOCKET_INPUT_PART);
    assert_int_equal(take(&i, OPEN | WEBSOCKET_CONTINUATION, "\xf0\x9f", 2), WEBSOCKET_NOT_UTF8);
    for (unsigned n = 0; n < 100; n++) {
        assert_int_equal(take(&i, OPEN | WEBSOCKET_CONTINUATION, "\xf0", 1), WEBSOCKET_INPUT_PART);
        assert_int_equal(take(&i, FINAL | WEBSOCKET_BINARY, "xx", 2), WEBSOCKET_INPUT_PART);
    }
    assert_int_equal(take(&i, FINAL | WEBSOCKET_PING, "", 0), WEBSOCKET_INPUT_PING);
    assert_int_equal(take(&i, FINAL | WEBSOCKET_CLOSE, "", 0), WEBSOCKET_INPUT_CLOSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_texts_are_taken),
        cmocka_unit_test(reserved_bits_and_opcodes_are_refused),
        cmocka_unit_test(control_frames_hold_125_bytes),
        cmocka_unit_test(fragments_make_one_message_with_control_frames_between),
        cmocka_unit_test(a_message_does_not_begin_within_another),
        cmocka_unit_test(a_message_holds_64_kib),
        cmocka_unit_test(the_next_message_has_all_64_kib_again),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(characters_may_be_cut_by_fragments),
        cmocka_unit_test(close_codes_are_those_of_the_registry),
        cmocka_unit_test(data_behind_a_fault_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
