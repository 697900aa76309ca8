/* The level tree against what it stands for: a sorted array of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mix.h"
#include "engine/level_tree.h"

enum { KEYS_MAX = 800 };

/* The tree, and the keys that should be in it, ascending. Values are
 * given in the order of insertion, so they say nothing about the keys. */
struct pair {
    struct level_nodes pool;
    uint32_t root;
    uint64_t keys[KEYS_MAX];
    uint32_t values[KEYS_MAX];
    unsigned count;
    uint32_t last_value;
};

static void pair_open(struct pair *p, uint32_t levels_max)
{
    *p = (struct pair){0};
    level_nodes_init(&p->pool, levels_max);
}

static void pair_close(struct pair *p)
{
    level_nodes_close(&p->pool);
}

/* Where the key is, or would be. */
static unsigned place_of(const struct pair *p, uint64_t key)
{
    unsigned at = 0;
    while (at < p->count && p->keys[at] < key)
        at++;
    return at;
}

static bool holds(const struct pair *p, uint64_t key)
{
    unsigned at = place_of(p, key);
    return at < p->count && p->keys[at] == key;
}

static void pair_insert(struct pair *p, uint64_t key)
{
    unsigned at = place_of(p, key);
    uint32_t value = ++p->last_value;
    uint32_t smaller = level_tree_insert(&p->pool, &p->root, key, value);
    assert_int_equal(smaller, at == 0 ? 0 : p->values[at - 1]);
    memmove(&p->keys[at + 1], &p->keys[at], (p->count - at) * sizeof p->keys[0]);
    memmove(&p->values[at + 1], &p->values[at], (p->count - at) * sizeof p->values[0]);
    p->keys[at] = key;
    p->values[at] = value;
    p->count++;
}

static void pair_remove(struct pair *p, uint64_t key)
{
    unsigned at = place_of(p, key);
    level_tree_remove(&p->pool, &p->root, key);
    p->count--;
    memmove(&p->keys[at], &p->keys[at + 1], (p->count - at) * sizeof p->keys[0]);
    memmove(&p->values[at], &p->values[at + 1], (p->count - at) * sizeof p->values[0]);
}

static void pair_toggle(struct pair *p, uint64_t key)
{
    if (holds(p, key))
        pair_remove(p, key);
    else
        pair_insert(p, key);
}

static void assert_same(const struct pair *p, const uint64_t *strangers, unsigned stranger_count)
{
    for (unsigned i = 0; i < p->count; i++)
        assert_int_equal(level_tree_find(&p->pool, p->root, p->keys[i]), p->values[i]);
    for (unsigned i = 0; i < stranger_count; i++) {
        if (!holds(p, strangers[i]))
            assert_int_equal(level_tree_find(&p->pool, p->root, strangers[i]), 0);
    }
    if (p->count == 0)
        assert_int_equal(p->root, 0);
}

/* Keys on both sides of every place where a node's six bits begin, at both ends and in between. */
static const uint64_t corners[] = {
    0,
    1,
    63,
    64,
    UINT64_C(1) << 12,
    (UINT64_C(1) << 12) + 1,
    UINT64_C(1) << 59,
    UINT64_C(1) << 60,
    UINT64_C(1) << 63,
    UINT64_MAX - 63,
    UINT64_MAX,
};
enum { CORNERS = sizeof corners / sizeof corners[0] };

static void every_set_of_corner_keys_knows_every_neighbour(void **state)
{
    struct pair *p = *state;
    for (unsigned set = 0; set < 1u << CORNERS; set++) {
        unsigned stride = 1 + 2 * (set % 5); /* 1 3 5 7 9: all orders are walked, none shares 11 */
        for (unsigned i = 0; i < CORNERS; i++) {
            unsigned corner = i * stride % CORNERS;
            if (set >> corner & 1)
                pair_insert(p, corners[corner]);
        }
        assert_same(p, corners, CORNERS);
        for (unsigned i = 0; i < CORNERS; i++) { /* each key out and in, or in and out */
            pair_toggle(p, corners[i]);
            assert_same(p, corners, CORNERS);
            pair_toggle(p, corners[i]);
        }
        while (p->count > 0)
            pair_remove(p, p->keys[set % p->count]);
        assert_same(p, corners, CORNERS);
    }
}

static void a_path_may_be_eleven_nodes_deep(void **state)
{
    struct pair *p = *state;
    pair_insert(p, 0);
    for (unsigned shift = 0; shift < 64; shift += 6)
        pair_insert(p, UINT64_C(1) << shift); /* parts from 0 in a node of its own */
    assert_same(p, corners, CORNERS);
    assert_int_equal(p->pool.fresh - 1, 11 + 10); /* the path of 0, and the leaves beside it */
    pair_remove(p, 0);
    assert_same(p, corners, CORNERS);
    while (p->count > 0)
        pair_remove(p, p->keys[p->count - 1]);
    assert_same(p, corners, CORNERS);
}

static void random_keys_of_any_spread_match_a_sorted_array(void **state)
{
    struct pair *p = *state;
    uint64_t random = 1;
    for (unsigned spread = 3; spread <= 64; spread++) {
        uint64_t mask = spread == 64 ? UINT64_MAX : (UINT64_C(1) << spread) - 1;
        uint64_t base = mix(spread) & ~mask;
        for (unsigned i = 0; i < 4000; i++) {
            random = mix(random + i + spread);
            /* few distinct keys, so that many come back after they have gone */
            pair_toggle(p, base | (mix(random % 700) & mask));
        }
        assert_same(p, corners, CORNERS);
        while (p->count > 0) {
            random = mix(random);
            pair_remove(p, p->keys[random % p->count]);
        }
    }
}

static void nodes_never_run_out_before_keys_do(void **state)
{
    enum { LEVELS = 500 };
    (void)state;
    struct pair *p = calloc(1, sizeof *p);
    pair_open(p, LEVELS);
    for (unsigned round = 0; round < 6; round++) {
        for (uint64_t i = 0; i < LEVELS; i++) /* each round the keys part at other bits */
            pair_insert(p, round % 2 == 0 ? mix(i + round) : i << (11 * round));
        assert_same(p, corners, CORNERS);
        while (p->count > 0)
            pair_remove(p, p->keys[p->count / 2]);
    }
    assert_in_range(p->pool.fresh - 1, 1, p->pool.count_max);
    pair_close(p);
    free(p);
}

static void the_better_price_has_the_smaller_key(void **state)
{
    static const int64_t prices[] = {INT64_MIN, INT64_MIN + 1, -64,      -1, 0, 1, 63,
                                     64,        INT64_MAX - 1, INT64_MAX};
    (void)state;
    for (unsigned i = 1; i < sizeof prices / sizeof prices[0]; i++) {
        assert_true(level_tree_key(SIDE_BUY, prices[i]) < level_tree_key(SIDE_BUY, prices[i - 1]));
        assert_true(level_tree_key(SIDE_SELL, prices[i]) >
                    level_tree_key(SIDE_SELL, prices[i - 1]));
    }
    assert_true(level_tree_key(SIDE_BUY, INT64_MAX) == 0);
    assert_true(level_tree_key(SIDE_SELL, INT64_MIN) == 0);
}

static int setup(void **state)
{
    struct pair *p = calloc(1, sizeof *p);
    pair_open(p, KEYS_MAX);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    pair_close(*state);
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_set_of_corner_keys_knows_every_neighbour, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_path_may_be_eleven_nodes_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(random_keys_of_any_spread_match_a_sorted_array, setup,
                                        teardown),
        cmocka_unit_test(nodes_never_run_out_before_keys_do),
        cmocka_unit_test(the_better_price_has_the_smaller_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
