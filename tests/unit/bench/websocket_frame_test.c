/* websocket_frame: what is written is read again, wherever it is split, in each coding of the
 * length; what a server of ours never sends is garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/websocket_frame.h"

static uint8_t payload[WEBSOCKET_FRAME_SIZE_MAX + 1];
static uint8_t bytes[sizeof payload + WEBSOCKET_HEAD_SIZE_MAX];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 31 + i / 256);
    return 0;
}

/* In a block of its own of exactly this size, so that the sanitizer sees a read beyond it. */
static enum websocket_frame_read read_copy(struct websocket_frame *f, const uint8_t *from,
                                           size_t size, uint8_t **copy)
{
    *copy = malloc(size > 0 ? size : 1);
    assert_non_null(*copy);
    memcpy(*copy, from, size);
    return websocket_frame_read(f, *copy, size);
}

static enum websocket_frame_read read_only(const uint8_t *from, size_t size)
{
    struct websocket_frame f;
    uint8_t *copy;
    enum websocket_frame_read read = read_copy(&f, from, size, &copy);
    free(copy);
    return read;
}

static void check_frame(size_t payload_size, size_t head_size)
{
    struct websocket_frame f = {0};
    uint8_t *copy;
    size_t size = websocket_frame_put(bytes, WEBSOCKET_TEXT, payload, payload_size, NULL);
    assert_int_equal(size, head_size + payload_size);
    for (size_t cut = 0; cut < size; cut += cut < 16 || cut + 2 > size ? 1 : (size - cut) / 2)
        assert_int_equal(read_only(bytes, cut), WEBSOCKET_FRAME_PART);
    assert_int_equal(read_only(bytes, size - 1), WEBSOCKET_FRAME_PART);
    bytes[size] = 0xFF; /* of the next frame */
    assert_int_equal(read_copy(&f, bytes, size + 1, &copy), WEBSOCKET_FRAME_WHOLE);
    assert_int_equal(f.opcode, WEBSOCKET_TEXT);
    assert_int_equal(f.size, size);
    assert_int_equal(f.payload_size, payload_size);
    assert_memory_equal(f.payload, payload, payload_size);
    free(copy);
}

static void a_frame_is_read_again_wherever_it_is_split(void **state)
{
    (void)state;
    check_frame(0, 2);
    check_frame(1, 2);
    check_frame(125, 2);
    check_frame(126, 4);
    check_frame(127, 4);
    check_frame(65531, 4);
}

static void a_length_of_64_bits_is_coded_and_refused_as_too_large(void **state)
{
    (void)state;
    /* with its head this one is the largest that is read; it still has the short coding */
    size_t most = WEBSOCKET_FRAME_SIZE_MAX - 4;
    assert_int_equal(websocket_frame_put(bytes, WEBSOCKET_TEXT, payload, most, NULL),
                     WEBSOCKET_FRAME_SIZE_MAX);
    assert_int_equal(read_only(bytes, WEBSOCKET_FRAME_SIZE_MAX), WEBSOCKET_FRAME_WHOLE);
    websocket_frame_put(bytes, WEBSOCKET_TEXT, payload, most + 1, NULL);
    assert_int_equal(read_only(bytes, 4), WEBSOCKET_FRAME_GARBAGE);
    assert_int_equal(websocket_frame_put(bytes, WEBSOCKET_TEXT, payload, 65536, NULL), 65546);
    assert_int_equal(bytes[1], 127);
    assert_int_equal(read_only(bytes, 9), WEBSOCKET_FRAME_PART);
    assert_int_equal(read_only(bytes, 10), WEBSOCKET_FRAME_GARBAGE);
}

static void a_masked_frame_is_the_payload_under_its_key(void **state)
{
    static const uint8_t mask[4] = {0x37, 0xFA, 0x21, 0x3D};
    /* the masked "Hello" of RFC 6455, 5.7 */
    static const uint8_t hello[] = {0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D,
                                    0x7F, 0x9F, 0x4D, 0x51, 0x58};
    (void)state;
    assert_int_equal(websocket_frame_put(bytes, WEBSOCKET_TEXT, "Hello", 5, mask), sizeof hello);
    assert_memory_equal(bytes, hello, sizeof hello);
}

static void control_frames_are_read(void **state)
{
    static const enum websocket_opcode opcodes[] = {WEBSOCKET_CLOSE, WEBSOCKET_PING,
                                                    WEBSOCKET_PONG};
    struct websocket_frame f;
    (void)state;
    for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++) {
        size_t size = websocket_frame_put(bytes, opcodes[i], payload, 125, NULL);
        assert_int_equal(websocket_frame_read(&f, bytes, size), WEBSOCKET_FRAME_WHOLE);
        assert_int_equal(f.opcode, opcodes[i]);
        websocket_frame_put(bytes, opcodes[i], payload, 126, NULL);
        assert_int_equal(read_only(bytes, 2), WEBSOCKET_FRAME_GARBAGE);
    }
}

static void what_a_server_of_ours_never_sends_is_garbage(void **state)
{
    static const uint8_t garbage[][10] = {
        {0x81, 0x80},                              /* masked */
        {0x01, 0x00},                              /* a first piece */
        {0x80, 0x00},                              /* a last piece */
        {0xC1, 0x00},                              /* an extension's bit */
        {0x83, 0x00},                              /* opcodes nobody has given a meaning */
        {0x8B, 0x00},                              /* */
        {0x81, 126, 0, 125},                       /* a longer coding than needed */
        {0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, /* */
        {0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0},    /* more than there is memory */
    };
    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        assert_int_equal(read_only(garbage[i], sizeof garbage[i]), WEBSOCKET_FRAME_GARBAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_read_again_wherever_it_is_split),
        cmocka_unit_test(a_length_of_64_bits_is_coded_and_refused_as_too_large),
        cmocka_unit_test(a_masked_frame_is_the_payload_under_its_key),
        cmocka_unit_test(control_frames_are_read),
        cmocka_unit_test(what_a_server_of_ours_never_sends_is_garbage),
    };
    return cmocka_run_group_tests_name("websocket_frame", tests, setup, NULL);
}
