/* websocket_frame: heads in each of the three codings of a length, and close frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/websocket_frame.h"

static void assert_head(size_t payload_size, const uint8_t *expected, size_t expected_size)
{
    uint8_t head[WEBSOCKET_HEAD_SIZE_MAX];
    assert_int_equal(websocket_frame_head(head, WEBSOCKET_TEXT, payload_size), expected_size);
    assert_memory_equal(head, expected, expected_size);
    assert_int_equal(websocket_frame_head_size(payload_size), expected_size);
}

static void lengths_take_the_shortest_form(void **state)
{
    (void)state;
    assert_head(0, (uint8_t[]){0x81, 0}, 2);
    assert_head(125, (uint8_t[]){0x81, 125}, 2);
    assert_head(126, (uint8_t[]){0x81, 126, 0, 126}, 4);
    assert_head(65535, (uint8_t[]){0x81, 126, 0xff, 0xff}, 4);
    assert_head(65536, (uint8_t[]){0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}, 10);
    assert_head(0x123456789a, (uint8_t[]){0x81, 127, 0, 0, 0, 0x12, 0x34, 0x56, 0x78, 0x9a}, 10);
}

static void every_opcode_is_final_and_not_masked(void **state)
{
    (void)state;
    static const enum websocket_opcode opcodes[] = {WEBSOCKET_TEXT, WEBSOCKET_CLOSE, WEBSOCKET_PING,
                                                    WEBSOCKET_PONG};
    for (unsigned i = 0; i < sizeof opcodes / sizeof *opcodes; i++) {
        uint8_t head[WEBSOCKET_HEAD_SIZE_MAX];
        (void)websocket_frame_head(head, opcodes[i], 5);
        assert_int_equal(head[0], 0x80 | opcodes[i]);
        assert_int_equal(head[1], 5);
    }
}

static void a_close_frame_carries_code_and_reason(void **state)
{
    (void)state;
    uint8_t frame[WEBSOCKET_HEAD_SIZE_MAX + WEBSOCKET_CONTROL_SIZE_MAX];
    static const uint8_t expected[] = {0x88, 6, 0x0f, 0xa8, 's', 'l', 'o', 'w'};
    assert_int_equal(websocket_frame_close(frame, WEBSOCKET_TOO_SLOW, "slow"), sizeof expected);
    assert_memory_equal(frame, expected, sizeof expected);
    assert_int_equal(websocket_frame_close(frame, WEBSOCKET_NO_CODE, ""), 2);
    assert_memory_equal(frame, ((uint8_t[]){0x88, 0}), 2);
}

static void a_reason_is_cut_at_what_a_control_frame_holds(void **state)
{
    (void)state;
    uint8_t frame[WEBSOCKET_HEAD_SIZE_MAX + WEBSOCKET_CONTROL_SIZE_MAX];
    char reason[WEBSOCKET_CONTROL_SIZE_MAX + 1];
    for (size_t size = WEBSOCKET_CONTROL_SIZE_MAX - 3; size < sizeof reason; size++) {
        size_t kept = size < 123 ? size : 123;
        memset(reason, 'r', size);
        reason[size] = '\0';
        assert_int_equal(websocket_frame_close(frame, 1001, reason), 4 + kept);
        assert_int_equal(frame[1], 2 + kept);
        assert_int_equal(frame[3 + kept], 'r');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_take_the_shortest_form),
        cmocka_unit_test(every_opcode_is_final_and_not_masked),
        cmocka_unit_test(a_close_frame_carries_code_and_reason),
        cmocka_unit_test(a_reason_is_cut_at_what_a_control_frame_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
