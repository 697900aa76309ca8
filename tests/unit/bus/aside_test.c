/* aside: frames wait for their topic, in the order they came, while there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bus/aside.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"

enum {
    ROOM = 200,
    HEAD = 8, /* before each frame */
};

static bool keep(struct aside *a, uint32_t topic, uint8_t fill, size_t size)
{
    uint8_t frame[ROOM + 1];
    memset(frame, fill, sizeof frame);
    return aside_keep(a, topic, frame, size);
}

static const struct aside_frame front;

static bool find(const struct aside *a, uint32_t topic, struct aside_frame *f)
{
    while (aside_next(a, f)) {
        if (f->topic == topic)
            return true;
    }
    return false;
}

/* The topic's next frame is this one. */
static struct aside_frame assert_next(struct aside *a, uint32_t topic, struct aside_frame after,
                                      uint8_t fill, size_t size)
{
    assert_true(find(a, topic, &after));
    assert_int_equal(after.size, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(after.bytes[i], fill);
    return after;
}

static void done(struct aside *a, struct aside_frame f)
{
    aside_done(a, &f);
}

static void assert_none(struct aside *a, uint32_t topic)
{
    struct aside_frame f = front;
    assert_false(find(a, topic, &f));
}

static void a_topics_frames_come_back_in_the_order_they_came(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    assert_none(&a, 1);
    assert_true(keep(&a, 1, 'a', 10) && keep(&a, 2, 'b', 0) && keep(&a, 1, 'c', 3));
    struct aside_frame first = assert_next(&a, 1, front, 'a', 10);
    done(&a, first);
    assert_next(&a, 1, first, 'c', 3);
    assert_next(&a, 1, front, 'c', 3); /* from the front, too */
    assert_next(&a, 2, front, 'b', 0);
    assert_none(&a, 3);
    aside_close(&a);
}

static void frames_of_all_topics_come_back_in_the_order_they_came(void **state)
{
    (void)state;
    struct aside a;
    struct aside_frame f = front;
    aside_init(&a, ROOM);
    assert_false(aside_next(&a, &f));
    keep(&a, 3, 'a', 10);
    keep(&a, 1, 'b', 0);
    keep(&a, 2, 'c', 5);
    keep(&a, 3, 'd', 1);
    done(&a, assert_next(&a, 2, front, 'c', 5));
    static const uint32_t topics[] = {3, 1, 3};
    for (unsigned i = 0; i < 3; i++) {
        assert_true(aside_next(&a, &f));
        assert_int_equal(f.topic, topics[i]);
        if (i == 1)
            done(&a, f); /* and on it goes from there */
    }
    assert_false(aside_next(&a, &f));
    aside_close(&a);
}

static void what_is_not_done_with_stays(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    keep(&a, 1, 'a', 10);
    for (unsigned i = 0; i < 3; i++)
        assert_next(&a, 1, front, 'a', 10);
    done(&a, assert_next(&a, 1, front, 'a', 10));
    assert_none(&a, 1);
    aside_close(&a);
}

static void it_is_full_to_the_last_byte(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    assert_true(keep(&a, 1, 'a', ROOM - HEAD));
    done(&a, assert_next(&a, 1, front, 'a', ROOM - HEAD));
    assert_true(keep(&a, 1, 'b', 100 - HEAD) && keep(&a, 1, 'c', 100 - HEAD));
    struct aside_frame first = assert_next(&a, 1, front, 'b', 100 - HEAD);
    assert_next(&a, 1, first, 'c', 100 - HEAD);
    aside_close(&a);
}

static void without_room_everything_goes(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    keep(&a, 1, 'a', 50);
    keep(&a, 2, 'b', 50);
    assert_false(keep(&a, 1, 'c', ROOM - 2 * 58 - HEAD + 1));
    assert_none(&a, 1);
    assert_none(&a, 2);
    assert_false(keep(&a, 1, 'd', ROOM - HEAD + 1)); /* a frame that never fits */
    assert_true(keep(&a, 1, 'e', 50));               /* and on it goes */
    assert_next(&a, 1, front, 'e', 50);
    aside_close(&a);
}

static void the_room_of_what_is_done_with_is_used_again(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    keep(&a, 1, 'a', 42);
    keep(&a, 2, 'b', 42);
    keep(&a, 1, 'c', 42);
    keep(&a, 2, 'd', 42); /* 200 */
    done(&a, assert_next(&a, 1, front, 'a', 42));
    done(&a, assert_next(&a, 1, front, 'c', 42));
    assert_true(keep(&a, 3, 'e', 92));
    done(&a, assert_next(&a, 2, front, 'b', 42));
    assert_next(&a, 2, front, 'd', 42);
    assert_next(&a, 3, front, 'e', 92);
    assert_none(&a, 1);
    aside_close(&a);
}

/* ---- at random, against a list ---- */

enum { LIST = 3000, TOPICS = 3 };

struct listed {
    uint32_t topic;
    uint8_t fill;
    size_t size;
    bool gone;
};

static void run(uint64_t seed)
{
    static struct listed list[LIST];
    struct random r = {seed};
    struct aside a;
    size_t count = 0, first = 0, used = 0;
    aside_init(&a, ROOM);
    while (count < LIST) {
        uint32_t topic = (uint32_t)random_below(&r, TOPICS);
        if (random_once_in(&r, 2)) {
            struct listed f = {topic, (uint8_t)random_next(&r), random_below(&r, 40), false};
            bool fits = used + HEAD + f.size <= ROOM;
            assert_int_equal(keep(&a, f.topic, f.fill, f.size), fits);
            used = fits ? used + HEAD + f.size : 0;
            f.gone = !fits;
            list[count++] = f;
            if (!fits)
                first = count;
        } else { /* the topic is live: its first frames are done with */
            for (size_t i = first; i < count; i++) {
                if (list[i].topic != topic || list[i].gone)
                    continue;
                done(&a, assert_next(&a, topic, front, list[i].fill, list[i].size));
                list[i].gone = true;
                used -= HEAD + list[i].size;
                if (random_once_in(&r, 3))
                    break;
            }
        }
    }
    aside_close(&a);
}

static void it_holds_what_a_list_holds(void **state)
{
    (void)state;
    seeds_run("aside", 30, run);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_topics_frames_come_back_in_the_order_they_came),
        cmocka_unit_test(frames_of_all_topics_come_back_in_the_order_they_came),
        cmocka_unit_test(what_is_not_done_with_stays),
        cmocka_unit_test(it_is_full_to_the_last_byte),
        cmocka_unit_test(without_room_everything_goes),
        cmocka_unit_test(the_room_of_what_is_done_with_is_used_again),
        SEEDS_TEST(it_holds_what_a_list_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
