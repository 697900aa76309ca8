/* frame_ring: the last frames, byte for byte, as many as fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bus/frame_ring.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"

enum { RING = 100 };

static uint8_t filler[2 * RING];

static uint64_t add(struct frame_ring *r, uint64_t before, uint8_t fill, size_t size)
{
    memset(filler, fill, size);
    return frame_ring_add(r, before, fill, fill + 1u, filler, size);
}

static void assert_kept(const struct frame_ring *r, uint64_t number, uint8_t fill, size_t size)
{
    const struct kept_frame *f = frame_ring_get(r, number);
    assert_non_null(f);
    assert_true(f->prev_seq == fill && f->seq == fill + 1u && f->size == size);
    const uint8_t *bytes = frame_ring_bytes(r, f);
    assert_true(bytes >= r->bytes && bytes + size <= r->bytes + r->size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], fill);
}

static void an_empty_ring_has_no_frames(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 4);
    assert_null(frame_ring_get(&r, 0));
    assert_null(frame_ring_get(&r, 1));
    assert_null(frame_ring_get(&r, UINT64_MAX));
    frame_ring_close(&r);
}

static void frames_are_numbered_from_1_and_come_back(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 4);
    assert_int_equal(add(&r, 0, 10, 30), 1);
    assert_int_equal(add(&r, 1, 20, 1), 2);
    assert_int_equal(add(&r, 0, 30, 0), 3);
    assert_kept(&r, 1, 10, 30);
    assert_kept(&r, 2, 20, 1);
    assert_kept(&r, 3, 30, 0);
    assert_null(frame_ring_get(&r, 4));
    assert_null(frame_ring_get(&r, 0)); /* the number of "none" is never a frame */
    frame_ring_close(&r);
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 3);
    for (uint8_t n = 1; n <= 20; n++) {
        assert_int_equal(add(&r, 0, n, 5), n);
        for (uint8_t old = 1; old <= n; old++) {
            if (old + 3 > n)
                assert_kept(&r, old, old, 5);
            else
                assert_null(frame_ring_get(&r, old));
        }
    }
    frame_ring_close(&r);
}

static void the_oldest_go_when_bytes_run_out(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 50);
    add(&r, 0, 1, 40);
    add(&r, 0, 2, 60); /* full to the last byte */
    assert_kept(&r, 1, 1, 40);
    assert_kept(&r, 2, 2, 60);
    add(&r, 0, 3, 1);
    assert_null(frame_ring_get(&r, 1));
    assert_kept(&r, 2, 2, 60);
    assert_kept(&r, 3, 3, 1);
    add(&r, 0, 4, 39); /* the place of the first, to its last byte */
    assert_kept(&r, 2, 2, 60);
    add(&r, 0, 5, 1);
    assert_null(frame_ring_get(&r, 2));
    assert_kept(&r, 3, 3, 1);
    assert_kept(&r, 4, 4, 39);
    frame_ring_close(&r);
}

static void a_frame_never_wraps(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 50);
    add(&r, 0, 1, 70);
    add(&r, 0, 2, 31); /* 30 are left at the end */
    assert_null(frame_ring_get(&r, 1));
    assert_kept(&r, 2, 2, 31);
    assert_int_equal(frame_ring_bytes(&r, frame_ring_get(&r, 2)) - r.bytes, 0);
    frame_ring_close(&r);
}

static void the_largest_frame_is_the_whole_ring(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 50);
    add(&r, 0, 1, 10);
    assert_int_equal(add(&r, 1, 2, RING - 1), 2);
    assert_null(frame_ring_get(&r, 1));
    assert_kept(&r, 2, 2, RING - 1);
    assert_int_equal(add(&r, 2, 3, RING), 3);
    assert_kept(&r, 3, 3, RING);
    assert_int_equal(add(&r, 3, 4, RING + 1), 0); /* not kept, and nothing is lost for it */
    assert_kept(&r, 3, 3, RING);
    assert_int_equal(add(&r, 3, 5, 1), 4);
    frame_ring_close(&r);
}

static void a_ring_of_one_frame_holds_the_last(void **state)
{
    (void)state;
    struct frame_ring r;
    frame_ring_init(&r, RING, 1);
    for (uint8_t n = 1; n < 30; n++) {
        add(&r, 0, n, n);
        assert_kept(&r, n, n, n);
        assert_null(frame_ring_get(&r, n - 1u));
    }
    frame_ring_close(&r);
}

static void a_topics_frames_are_walked_backwards(void **state)
{
    (void)state;
    struct frame_ring r;
    uint64_t last[2] = {0, 0};
    frame_ring_init(&r, RING, 50);
    for (uint8_t n = 1; n <= 30; n++) /* two topics in turn, 10 bytes each: ten frames are kept */
        last[n % 2] = add(&r, last[n % 2], n, 10);
    for (unsigned topic = 0; topic < 2; topic++) {
        uint64_t number = last[topic];
        unsigned count = 0;
        for (const struct kept_frame *f; (f = frame_ring_get(&r, number)) != NULL; count++) {
            assert_true(number % 2 == topic && f->prev_seq == number);
            number = f->before;
        }
        assert_int_equal(count, 5);
        assert_true(number != 0); /* there was one before, and it is gone */
    }
    frame_ring_close(&r);
}

/* ---- at random, against a list of all frames there ever were ---- */

enum { FRAMES = 1000 };

/* What must be kept: the newest frames, while they are few enough and, laid end to end with what
 * the end of the ring wastes, fit. At least those that fit into half of it always do. */
static void assert_newest_kept(const struct frame_ring *r, const size_t *sizes, uint64_t newest)
{
    size_t bytes = 0;
    bool gone = false;
    for (uint64_t n = newest, count = 1; n >= 1; n--, count++) {
        bytes += sizes[n];
        if (frame_ring_get(r, n) == NULL) {
            gone = true;
            assert_true(bytes > r->size / 2 || count > r->count_max);
        } else {
            assert_false(gone); /* none is kept that is older than one that is not */
            assert_true(bytes <= r->size && count <= r->count_max);
            assert_kept(r, n, (uint8_t)n, sizes[n]);
        }
    }
}

static void run(uint64_t seed)
{
    static size_t sizes[FRAMES + 1];
    struct random random = {seed};
    struct frame_ring r;
    size_t ring = 1 + random_below(&random, RING);
    frame_ring_init(&r, ring, 1 + random_below(&random, 12));
    for (uint64_t n = 1; n <= FRAMES; n++) {
        sizes[n] = random_below(&random, ring / (1 + random_below(&random, 8)) + 1);
        memset(filler, (uint8_t)n, sizes[n]);
        assert_int_equal(frame_ring_add(&r, n - 1, (uint8_t)n, (uint8_t)n + 1u, filler, sizes[n]),
                         n);
        if (n % 7 == 0)
            assert_newest_kept(&r, sizes, n);
        assert_kept(&r, n, (uint8_t)n, sizes[n]);
    }
    frame_ring_close(&r);
}

static void the_newest_frames_are_kept_whole(void **state)
{
    (void)state;
    seeds_run("frame_ring", 30, run);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_ring_has_no_frames),
        cmocka_unit_test(frames_are_numbered_from_1_and_come_back),
        cmocka_unit_test(the_oldest_goes_when_there_are_too_many),
        cmocka_unit_test(the_oldest_go_when_bytes_run_out),
        cmocka_unit_test(a_frame_never_wraps),
        cmocka_unit_test(the_largest_frame_is_the_whole_ring),
        cmocka_unit_test(a_ring_of_one_frame_holds_the_last),
        cmocka_unit_test(a_topics_frames_are_walked_backwards),
        SEEDS_TEST(the_newest_frames_are_kept_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
