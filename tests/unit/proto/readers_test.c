/* The readers at their limits: what a later version adds is passed over, another version is told
 * from garbage, what is too large or too deep is refused, and none of it takes memory.
 *
 * Linked with --wrap for malloc, calloc and realloc, so that allocations are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/command.h"
#include "proto/frame.h"

static uint8_t message[FRAME_SIZE_MAX + 64];
static volatile size_t allocations; /* the compiler believes that malloc leaves it alone */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    allocations++;
    return __real_realloc(memory, size);
}

/* ---- what the tests read ---- */

static const struct command cancel = {
    .type = MESSAGE_CANCEL_ORDER,
    .envelope = {.origin = {"gw-1", 4}, .origin_epoch = 2, .origin_seq = 3},
    .cancel_order = {.symbol = {"BTC-USD", 7}, .account = {"A", 1}, .order_id = 77},
};

static size_t size_of(const struct wire_writer *w)
{
    return (size_t)(w->at - message);
}

/* A command with `more` elements appended, of which the caller writes the last ones. */
static struct wire_writer cancel_with(uint64_t version, uint32_t more)
{
    struct wire_writer w = {message};
    wire_put_array(&w, 2 + ENVELOPE_FIELD_COUNT + CANCEL_ORDER_FIELD_COUNT + more);
    wire_put_u64(&w, version);
    wire_put_u64(&w, cancel.type);
    envelope_put_fields(&w, &cancel.envelope);
    cancel_order_put_fields(&w, &cancel.cancel_order);
    return w;
}

static enum command_read read_command(size_t size, struct command *c)
{
    const uint8_t *at = message;
    enum command_read read = command_read(&at, message + size, c);
    if (read == COMMAND_READ_OK)
        assert_ptr_equal(at, message + size);
    else
        assert_ptr_equal(at, message);
    return read;
}

/* `depth` arrays of one element, one in the other, around a nil. */
static void put_nested(struct wire_writer *w, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        wire_put_array(w, 1);
    wire_put_nil(w);
}

static struct wire_writer frame_with(const char *topic, uint32_t group_count)
{
    struct wire_writer w = {message};
    frame_head_put(&w, &(struct frame_head){.topic = text_of(topic),
                                            .type = FRAME_EVENTS,
                                            .epoch = 1,
                                            .seq = 5,
                                            .group_count = group_count});
    return w;
}

/* ---- later versions ---- */

static void unknown_trailing_fields_of_a_command_are_ignored(void **state)
{
    (void)state;
    struct wire_writer w = cancel_with(PROTOCOL_VERSION, 3);
    wire_put_text(&w, text_of("new"));
    put_nested(&w, 4);
    wire_put_flag(&w, true);
    struct command c;
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_OK);
    assert_int_equal(c.type, MESSAGE_CANCEL_ORDER);
    assert_int_equal(c.cancel_order.order_id, 77);
    assert_true(text_equal(c.cancel_order.symbol, text_of("BTC-USD")));
}

static void unknown_trailing_fields_of_a_request_are_ignored(void **state)
{
    (void)state;
    struct snapshot m = {.reply = {"0", 1}, .request_id = 9, .topic = {"l2.A", 4}, .min_seq = 8};
    struct wire_writer w = {message};
    wire_put_array(&w, 2 + SNAPSHOT_FIELD_COUNT + 1);
    wire_put_u64(&w, PROTOCOL_VERSION);
    wire_put_u64(&w, MESSAGE_SNAPSHOT);
    snapshot_put_fields(&w, &m);
    put_nested(&w, 4);
    const uint8_t *at = message;
    struct request q;
    assert_int_equal(request_read(&at, w.at, &q), COMMAND_READ_OK);
    assert_ptr_equal(at, w.at);
    assert_int_equal(q.snapshot.min_seq, 8);
}

/* One event of a type nobody knows and one `delete` with a field too many, in a group and a frame
 * with an element too many; each of what is new is nested this deep. */
static size_t frame_of_a_later_version(unsigned depth)
{
    struct wire_writer w = frame_with("l3.A", 1);
    message[5] = 0x99; /* the head's array of 8 has one more */
    wire_put_array(&w, 3);
    wire_put_u64(&w, 5);
    wire_put_array(&w, 2);
    wire_put_array(&w, 2);
    wire_put_u64(&w, 9999);
    put_nested(&w, depth);
    wire_put_array(&w, 3);
    wire_put_u64(&w, MESSAGE_DELETE);
    wire_put_u64(&w, 42);
    put_nested(&w, depth);
    put_nested(&w, depth); /* of the group */
    put_nested(&w, depth); /* of the frame */
    return size_of(&w);
}

static void what_is_new_in_a_frame_is_passed_over(void **state)
{
    (void)state;
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    struct delete m;
    for (unsigned depth = 0; depth < WIRE_DEPTH_MAX; depth++) {
        size_t size = frame_of_a_later_version(depth);
        assert_int_equal(frame_read(&f, message, size), FRAME_READ_OK);
        assert_true(frame_next_group(&f));
        assert_true(frame_next_event(&f, &type, &fields));
        assert_int_equal(type, 9999);
        assert_true(frame_next_event(&f, &type, &fields));
        assert_int_equal(type, MESSAGE_DELETE);
        delete_get_fields(&fields, &m);
        assert_false(fields.bad);
        assert_int_equal(m.order_id, 42);
        assert_false(frame_next_event(&f, &type, &fields));
        assert_false(frame_next_group(&f));
        assert_false(f.wire.bad);
    }
    assert_int_equal(frame_read(&f, message, frame_of_a_later_version(WIRE_DEPTH_MAX)),
                     FRAME_READ_GARBAGE);
}

static void unknown_types_keep_their_place_in_their_origins_sequence(void **state)
{
    (void)state;
    struct wire_writer w = cancel_with(PROTOCOL_VERSION, 0);
    message[2] = 15; /* the type, behind the array's head and the version */
    struct command c;
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_OK);
    assert_int_equal(c.type, 15);
    assert_int_equal(c.envelope.origin_seq, 3);
}

static void a_body_that_does_not_fit_is_malformed_but_has_its_envelope(void **state)
{
    (void)state;
    struct wire_writer w = cancel_with(PROTOCOL_VERSION, 0);
    message[2] = MESSAGE_NEW_ORDER;
    struct command c;
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_OK);
    assert_int_equal(c.type, COMMAND_MALFORMED);
    assert_true(text_equal(c.envelope.origin, text_of("gw-1")));
}

static void only_internal_commands_have_no_origin(void **state)
{
    (void)state;
    struct command c = {.type = MESSAGE_CONTINUE_WORK, .continue_work = {1}};
    struct wire_writer w = {message};
    command_write(&w, &c);
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_OK);
    message[size_of(&w) - 1] = 0xc0; /* its only field: malformed, so nobody's */
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_GARBAGE);
    c = cancel;
    c.envelope.origin.size = 0;
    w.at = message;
    command_write(&w, &c);
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_GARBAGE);
}

static void another_version_is_told_from_garbage(void **state)
{
    (void)state;
    struct command c;
    struct request q;
    struct frame_reader f;
    struct wire_writer w = cancel_with(PROTOCOL_VERSION + 1, 0);
    assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_VERSION);
    const uint8_t *at = message;
    assert_int_equal(request_read(&at, w.at, &q), COMMAND_READ_VERSION);
    w = frame_with("l2.A", 0);
    assert_int_equal(frame_read(&f, message, size_of(&w)), FRAME_READ_OK);
    message[6] = PROTOCOL_VERSION + 1; /* behind topic, NUL and the array's head */
    assert_int_equal(frame_read(&f, message, size_of(&w)), FRAME_READ_VERSION);
    message[6] = 0xc0;
    assert_int_equal(frame_read(&f, message, size_of(&w)), FRAME_READ_GARBAGE);
}

/* ---- limits: one less, the limit, one more ---- */

static void texts_are_refused_past_their_limit(void **state)
{
    (void)state;
    static const char letters[SYMBOL_SIZE_MAX + 2] = "ABCDEFGHIJKLMNOPQ";
    for (size_t size = SYMBOL_SIZE_MAX - 1; size <= SYMBOL_SIZE_MAX + 1; size++) {
        struct command c = cancel;
        c.cancel_order.symbol = (struct text){letters, size};
        struct wire_writer w = {message};
        command_write(&w, &c);
        assert_int_equal(read_command(size_of(&w), &c), COMMAND_READ_OK);
        assert_int_equal(c.type, size > SYMBOL_SIZE_MAX ? COMMAND_MALFORMED : MESSAGE_CANCEL_ORDER);
    }
}

static void topics_are_refused_past_their_limit(void **state)
{
    (void)state;
    struct frame_reader f;
    char topic[TOPIC_SIZE_MAX + 2];
    memset(topic, 'a', sizeof topic);
    for (size_t size = TOPIC_SIZE_MAX - 1; size <= TOPIC_SIZE_MAX + 1; size++) {
        topic[size] = 0;
        struct wire_writer w = frame_with(topic, 0);
        assert_int_equal(frame_read(&f, message, size_of(&w)),
                         size > TOPIC_SIZE_MAX ? FRAME_READ_GARBAGE : FRAME_READ_OK);
        topic[size] = 'a';
    }
}

/* Fill the message up to `size` with one bin. */
static void put_rest(struct wire_writer *w, size_t size)
{
    size_t left = size - size_of(w) - 5; /* the head of a bin 32 */
    wire_put_tagged(w, 0xc6, left, 4);
    memset(w->at, 0, left);
    w->at += left;
}

static void commands_are_refused_past_their_size(void **state)
{
    (void)state;
    struct command c;
    for (size_t size = COMMAND_READ_SIZE_MAX - 1; size <= COMMAND_READ_SIZE_MAX + 1; size++) {
        struct wire_writer w = cancel_with(PROTOCOL_VERSION, 1);
        put_rest(&w, size);
        assert_int_equal(size_of(&w), size);
        assert_int_equal(read_command(size, &c),
                         size > COMMAND_READ_SIZE_MAX ? COMMAND_READ_GARBAGE : COMMAND_READ_OK);
    }
}

static void frames_are_refused_past_their_size(void **state)
{
    (void)state;
    struct frame_reader f;
    for (size_t size = FRAME_SIZE_MAX - 1; size <= FRAME_SIZE_MAX + 1; size++) {
        struct wire_writer w = frame_with("l2.A", 0);
        message[5] = 0x99;
        put_rest(&w, size);
        assert_int_equal(frame_read(&f, message, size),
                         size > FRAME_SIZE_MAX ? FRAME_READ_GARBAGE : FRAME_READ_OK);
    }
}

/* ---- bombs ---- */

/* No reader accepts `size` bytes of message, nor takes memory for them. */
static void assert_refused_for_nothing(size_t size)
{
    struct command c;
    struct request q;
    struct frame_reader f;
    size_t before = allocations;
    assert_int_equal(read_command(size, &c), COMMAND_READ_GARBAGE);
    const uint8_t *at = message;
    assert_int_equal(request_read(&at, message + size, &q), COMMAND_READ_GARBAGE);
    assert_int_equal(frame_read(&f, message, size), FRAME_READ_GARBAGE);
    assert_int_equal(allocations, before);
}

static void nesting_bombs_are_refused_without_allocation(void **state)
{
    (void)state;
    static const uint8_t nests[] = {0x91, 0x81, 0xdc, 0xde};
    for (size_t n = 0; n < sizeof nests; n++) {
        memset(message, nests[n], FRAME_SIZE_MAX);
        assert_refused_for_nothing(FRAME_SIZE_MAX);
        /* and behind a good head of each */
        struct wire_writer w = cancel_with(PROTOCOL_VERSION, 1);
        memset(w.at, nests[n], 4000);
        assert_refused_for_nothing(size_of(&w) + 4000);
        w = frame_with("l2.A", 1);
        memset(w.at, nests[n], FRAME_SIZE_MAX - size_of(&w));
        assert_refused_for_nothing(FRAME_SIZE_MAX);
    }
}

static void huge_lengths_are_refused_without_allocation(void **state)
{
    (void)state;
    /* str 32, bin 32, ext 32, array 32, map 32 */
    static const uint8_t tags[] = {0xdb, 0xc6, 0xc9, 0xdd, 0xdf};
    for (size_t n = 0; n < sizeof tags; n++) {
        for (uint32_t length = UINT32_MAX; length >= 1u << 24; length >>= 1) {
            struct wire_writer w = {message};
            wire_put_tagged(&w, tags[n], length, 4);
            assert_refused_for_nothing(64);
            w = cancel_with(PROTOCOL_VERSION, 1);
            wire_put_tagged(&w, tags[n], length, 4);
            assert_refused_for_nothing(size_of(&w) + 64);
            w = frame_with("l2.A", 1);
            wire_put_tagged(&w, tags[n], length, 4);
            assert_refused_for_nothing(size_of(&w) + 64);
        }
    }
}

static void the_counter_of_allocations_counts(void **state)
{
    (void)state;
    size_t before = allocations;
    void *volatile memory = malloc(1);
    free(memory);
    assert_int_equal(allocations, before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_trailing_fields_of_a_command_are_ignored),
        cmocka_unit_test(unknown_trailing_fields_of_a_request_are_ignored),
        cmocka_unit_test(what_is_new_in_a_frame_is_passed_over),
        cmocka_unit_test(unknown_types_keep_their_place_in_their_origins_sequence),
        cmocka_unit_test(a_body_that_does_not_fit_is_malformed_but_has_its_envelope),
        cmocka_unit_test(only_internal_commands_have_no_origin),
        cmocka_unit_test(another_version_is_told_from_garbage),
        cmocka_unit_test(texts_are_refused_past_their_limit),
        cmocka_unit_test(topics_are_refused_past_their_limit),
        cmocka_unit_test(commands_are_refused_past_their_size),
        cmocka_unit_test(frames_are_refused_past_their_size),
        cmocka_unit_test(nesting_bombs_are_refused_without_allocation),
        cmocka_unit_test(huge_lengths_are_refused_without_allocation),
        cmocka_unit_test(the_counter_of_allocations_counts),
    };
    return cmocka_run_group_tests_name("proto/readers", tests, NULL, NULL);
}
