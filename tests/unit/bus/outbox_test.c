/* outbox: messages leave in the order they were put, when their batch may be heard of, and a full
 * one says so before anything is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/outbox.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/death.h"
#include "tests/unit/base/seeds.h"

enum {
    RING = 1024,
    HEAD = 16, /* before each message */
    LARGEST = RING / 4 - HEAD,
};

static int setup(void **state)
{
    static struct outbox o;
    outbox_init(&o, RING);
    *state = &o;
    return 0;
}

static int teardown(void **state)
{
    outbox_close(*state);
    return 0;
}

/* A message of `size` bytes `fill`; false if there is no room. */
static bool put(struct outbox *o, uint32_t output, uint8_t fill, size_t size)
{
    uint8_t *place = outbox_reserve(o, size);
    if (place == NULL)
        return false;
    memset(place, fill, size);
    outbox_commit(o, output, size);
    return true;
}

static void assert_next(struct outbox *o, uint32_t output, uint8_t fill, size_t size)
{
    struct outgoing m;
    assert_true(outbox_peek(o, UINT64_MAX, &m));
    assert_int_equal(m.output, output);
    assert_int_equal(m.size, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(m.bytes[i], fill);
    outbox_pop(o);
}

static void assert_empty(struct outbox *o)
{
    struct outgoing m;
    assert_false(outbox_peek(o, UINT64_MAX, &m));
}

static void messages_leave_in_the_order_they_came(void **state)
{
    struct outbox *o = *state;
    assert_empty(o);
    assert_true(put(o, 3, 'a', 10) && put(o, 0, 'b', 0) && put(o, 1, 'c', 16));
    assert_next(o, 3, 'a', 10);
    assert_true(put(o, 2, 'd', 1));
    assert_next(o, 0, 'b', 0);
    assert_next(o, 1, 'c', 16);
    assert_next(o, 2, 'd', 1);
    assert_empty(o);
}

static void a_peek_takes_nothing(void **state)
{
    struct outbox *o = *state;
    struct outgoing m;
    put(o, 1, 'a', 5);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(outbox_peek(o, UINT64_MAX, &m));
        assert_int_equal(m.size, 5);
    }
    assert_next(o, 1, 'a', 5);
}

static void a_message_waits_for_its_batch(void **state)
{
    struct outbox *o = *state;
    struct outgoing m;
    o->batch = 7;
    put(o, 0, 'a', 4);
    put(o, 0, 'b', 4);
    o->batch = 8;
    put(o, 0, 'c', 4);
    assert_false(outbox_peek(o, 0, &m));
    assert_false(outbox_peek(o, 6, &m));
    assert_true(outbox_peek(o, 7, &m));
    assert_true(m.batch == 7 && m.bytes[0] == 'a');
    outbox_pop(o);
    assert_true(outbox_peek(o, 7, &m));
    outbox_pop(o);
    assert_false(outbox_peek(o, 7, &m)); /* a later batch is not due with an earlier one */
    assert_true(outbox_peek(o, 8, &m));
    assert_true(m.batch == 8 && m.bytes[0] == 'c');
}

static void one_that_waits_holds_back_those_behind_it(void **state)
{
    struct outbox *o = *state;
    struct outgoing m;
    o->batch = 9;
    put(o, 0, 'a', 4);
    o->batch = 8;
    put(o, 0, 'b', 4);
    assert_false(outbox_peek(o, 8, &m));
    assert_true(outbox_peek(o, 9, &m));
    assert_int_equal(m.bytes[0], 'a');
}

static void the_largest_message_is_a_quarter_of_the_ring(void **state)
{
    struct outbox *o = *state;
    assert_true(put(o, 1, 'a', LARGEST - 1));
    assert_true(put(o, 1, 'b', LARGEST));
    assert_null(outbox_reserve(o, LARGEST + 1));
    assert_next(o, 1, 'a', LARGEST - 1);
    assert_next(o, 1, 'b', LARGEST);
    assert_empty(o);
    assert_null(outbox_reserve(o, LARGEST + 1)); /* nor when there is all the room there is */
    assert_null(outbox_reserve(o, SIZE_MAX - 100));
}

static void a_full_ring_takes_nothing_and_loses_nothing(void **state)
{
    struct outbox *o = *state;
    for (unsigned i = 0; i < RING / 32; i++)
        assert_true(put(o, i, (uint8_t)i, 16));
    assert_false(put(o, 99, 'x', 0));
    assert_next(o, 0, 0, 16);
    assert_false(put(o, 99, 'x', 17)); /* one byte more than what became free */
    assert_true(put(o, RING / 32, RING / 32, 16));
    for (unsigned i = 1; i <= RING / 32; i++)
        assert_next(o, i, (uint8_t)i, 16);
    assert_empty(o);
}

static void what_is_reserved_and_not_committed_is_not_there(void **state)
{
    struct outbox *o = *state;
    assert_non_null(outbox_reserve(o, 100));
    assert_empty(o);
    assert_true(put(o, 1, 'a', 50));
    assert_non_null(outbox_reserve(o, 200));
    assert_next(o, 1, 'a', 50);
    assert_empty(o);
}

static void less_may_be_committed_than_was_reserved(void **state)
{
    struct outbox *o = *state;
    for (unsigned i = 0; i < 40; i++) { /* a few times round, never empty */
        uint8_t *place = outbox_reserve(o, 200);
        assert_non_null(place);
        memset(place, (int)i, 3);
        outbox_commit(o, 0, 3);
        if (i > 0)
            assert_next(o, 1, 'b', 100);
        assert_true(put(o, 1, 'b', 100));
        assert_next(o, 0, (uint8_t)i, 3);
    }
}

static void init_unaligned(void *self)
{
    outbox_init(self, RING + 16);
}

static void a_ring_is_a_multiple_of_64_bytes(void **state)
{
    (void)state;
    struct outbox o;
    assert_true(death_of(init_unaligned, &o).aborted);
}

/* ---- at random, against a list ---- */

enum { LIST = 4096 };

struct listed {
    uint32_t output;
    uint8_t fill;
    size_t size;
    uint64_t batch;
};

/* What outbox_room() promises is kept: so many bytes, in records, go in for certain. */
static void assert_room_is_there(const struct outbox *o, struct random *r)
{
    struct outbox copy = *o;
    size_t room = outbox_room(o);
    copy.bytes = malloc(RING);
    while (room >= HEAD) {
        size_t size = random_below(r, (room < RING / 4 ? room : RING / 4) - HEAD + 1) / 16 * 16;
        if (outbox_reserve(&copy, size) == NULL)
            fail_msg("%zu bytes of room, and none for %zu", room, size);
        outbox_commit(&copy, 0, size);
        room -= HEAD + size;
    }
    free(copy.bytes);
}

static void what_waits_for_later_batches_can_be_forgotten(void **state)
{
    struct outbox *o = *state;
    for (unsigned i = 0; i < 6; i++) {
        o->batch = 10 + i / 2;
        assert_true(put(o, 0, (uint8_t)i, 10));
    }
    outbox_drop(o, 11);
    for (uint8_t i = 0; i < 4; i++)
        assert_next(o, 0, i, 10);
    assert_empty(o);
    o->batch = 11;
    assert_true(put(o, 0, 9, 10));
    outbox_drop(o, 10);
    assert_empty(o);
    assert_true(put(o, 0, 8, 10));
    outbox_drop(o, 11);
    assert_next(o, 0, 8, 10);
}

static void run(uint64_t seed)
{
    static struct listed list[LIST];
    struct random r = {seed};
    struct outbox o;
    size_t first = 0, next = 0;
    outbox_init(&o, RING);
    while (next < LIST) {
        if (random_once_in(&r, 2)) {
            struct listed m = {(uint32_t)random_below(&r, 3), (uint8_t)random_next(&r),
                               random_below(&r, LARGEST + 1), o.batch};
            if (put(&o, m.output, m.fill, m.size))
                list[next++] = m;
            else if (outbox_room(&o) >= m.size + HEAD + 15)
                fail_msg("seed %llu: there is room and it is not given", (unsigned long long)seed);
        } else if (first < next) {
            assert_next(&o, list[first].output, list[first].fill, list[first].size);
            first++;
        } else {
            assert_empty(&o);
        }
        o.batch += random_once_in(&r, 4);
        if (random_once_in(&r, 50))
            assert_room_is_there(&o, &r);
    }
    for (; first < next; first++)
        assert_next(&o, list[first].output, list[first].fill, list[first].size);
    assert_empty(&o);
    outbox_close(&o);
}

static void it_is_a_queue(void **state)
{
    (void)state;
    seeds_run("outbox", 20, run);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(messages_leave_in_the_order_they_came),
        TEST(a_peek_takes_nothing),
        TEST(a_message_waits_for_its_batch),
        TEST(one_that_waits_holds_back_those_behind_it),
        TEST(the_largest_message_is_a_quarter_of_the_ring),
        TEST(a_full_ring_takes_nothing_and_loses_nothing),
        TEST(what_is_reserved_and_not_committed_is_not_there),
        TEST(less_may_be_committed_than_was_reserved),
        TEST(what_waits_for_later_batches_can_be_forgotten),
        cmocka_unit_test(a_ring_is_a_multiple_of_64_bytes),
        SEEDS_TEST(it_is_a_queue),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
