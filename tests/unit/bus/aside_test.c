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

/* The topic's next frame is this one; where it stands. */
static size_t assert_next(struct aside *a, uint32_t topic, size_t at, uint8_t fill, size_t size)
{
    size_t found = 0;
    const uint8_t *frame = aside_find(a, topic, &at, &found);
    assert_non_null(frame);
    assert_int_equal(found, size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(frame[i], fill);
    return at;
}

static void assert_none(struct aside *a, uint32_t topic)
{
    size_t at = 0, size;
    assert_null(aside_find(a, topic, &at, &size));
}

static void a_topics_frames_come_back_in_the_order_they_came(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    assert_none(&a, 1);
    assert_true(keep(&a, 1, 'a', 10) && keep(&a, 2, 'b', 0) && keep(&a, 1, 'c', 3));
    size_t at = assert_next(&a, 1, 0, 'a', 10);
    aside_done(&a, at);
    assert_next(&a, 1, at, 'c', 3);
    assert_next(&a, 1, 0, 'c', 3); /* from the front, too */
    assert_next(&a, 2, 0, 'b', 0);
    assert_none(&a, 3);
    aside_close(&a);
}

static void what_is_not_done_with_stays(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    keep(&a, 1, 'a', 10);
    for (unsigned i = 0; i < 3; i++)
        assert_next(&a, 1, 0, 'a', 10);
    aside_done(&a, 0);
    assert_none(&a, 1);
    aside_close(&a);
}

static void it_is_full_to_the_last_byte(void **state)
{
    (void)state;
    struct aside a;
    aside_init(&a, ROOM);
    assert_true(keep(&a, 1, 'a', ROOM - HEAD));
    assert_next(&a, 1, 0, 'a', ROOM - HEAD);
    aside_done(&a, 0);
    assert_true(keep(&a, 1, 'b', 100 - HEAD) && keep(&a, 1, 'c', 100 - HEAD));
    size_t at = assert_next(&a, 1, 0, 'b', 100 - HEAD);
    assert_next(&a, 1, at + 100, 'c', 100 - HEAD);
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
    assert_next(&a, 1, 0, 'e', 50);
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
    aside_done(&a, 0);
    aside_done(&a, 100);
    assert_true(keep(&a, 3, 'e', 92));
    size_t at = assert_next(&a, 2, 0, 'b', 42);
    aside_done(&a, at);
    assert_next(&a, 2, 0, 'd', 42);
    assert_next(&a, 3, 0, 'e', 92);
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
                aside_done(&a, assert_next(&a, topic, 0, list[i].fill, list[i].size));
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
        cmocka_unit_test(what_is_not_done_with_stays),
        cmocka_unit_test(it_is_full_to_the_last_byte),
        cmocka_unit_test(without_room_everything_goes),
        cmocka_unit_test(the_room_of_what_is_done_with_is_used_again),
        SEEDS_TEST(it_holds_what_a_list_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
