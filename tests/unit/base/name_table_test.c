/* name_table: numbers in the order names came, whatever the seed, up to its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/name_table.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/death.h"

static uint32_t add(struct name_table *t, const char *text)
{
    return name_table_add(t, text, strlen(text));
}

static uint32_t find(struct name_table *t, const char *text)
{
    return name_table_find(t, text, strlen(text));
}

static void names_are_numbered_from_1_in_the_order_they_come(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct name_table t;
        name_table_init(&t, 10, seed, "a test");
        assert_int_equal(add(&t, "one"), 1);
        assert_int_equal(add(&t, "two"), 2);
        assert_int_equal(add(&t, "one"), 1);
        assert_int_equal(add(&t, "three"), 3);
        assert_int_equal(t.count, 3);
        assert_memory_equal(t.names[2].text, "two", 3);
        name_table_close(&t);
    }
}

static void a_name_nobody_added_is_0(void **state)
{
    (void)state;
    struct name_table t;
    name_table_init(&t, 4, 7, "a test");
    assert_int_equal(find(&t, "a"), 0);
    assert_int_equal(find(&t, ""), 0);
    add(&t, "BTC-USD");
    assert_int_equal(find(&t, "BTC-USDT"), 0);
    assert_int_equal(find(&t, "BTC-US"), 0);
    assert_int_equal(find(&t, "BTC-USD"), 1);
    assert_int_equal(find(&t, "btc-usd"), 0);
    name_table_close(&t);
}

static void the_empty_name_is_a_name(void **state)
{
    (void)state;
    struct name_table t;
    name_table_init(&t, 2, 7, "a test");
    assert_int_equal(add(&t, ""), 1);
    assert_int_equal(find(&t, ""), 1);
    name_table_close(&t);
}

static void bytes_are_bytes(void **state)
{
    (void)state;
    struct name_table t;
    name_table_init(&t, 2, 7, "a test");
    assert_int_equal(name_table_add(&t, "a\0b", 3), 1);
    assert_int_equal(name_table_add(&t, "a\0c", 3), 2);
    assert_int_equal(name_table_find(&t, "a\0b", 3), 1);
    assert_int_equal(find(&t, "a"), 0);
    name_table_close(&t);
}

static void a_full_table_adds_nothing_and_still_finds(void **state)
{
    (void)state;
    for (uint32_t max = 1; max <= 40; max++) {
        struct name_table t;
        char name[16];
        name_table_init(&t, max, max, "a test");
        for (uint32_t n = 1; n <= max + 1; n++) {
            snprintf(name, sizeof name, "n%u", n);
            assert_int_equal(add(&t, name), n <= max ? n : 0);
        }
        assert_int_equal(t.count, max);
        for (uint32_t n = 1; n <= max; n++) {
            snprintf(name, sizeof name, "n%u", n);
            assert_int_equal(find(&t, name), n);
            assert_int_equal(add(&t, name), n);
        }
        name_table_close(&t);
    }
}

static void a_name_has_at_most_63_bytes(void **state)
{
    (void)state;
    char longest[NAME_SIZE_MAX + 1];
    struct name_table t;
    memset(longest, 'x', sizeof longest);
    name_table_init(&t, 3, 1, "a test");
    assert_int_equal(name_table_add(&t, longest, NAME_SIZE_MAX - 1), 1);
    assert_int_equal(name_table_add(&t, longest, NAME_SIZE_MAX), 2);
    assert_int_equal(name_table_find(&t, longest, NAME_SIZE_MAX), 2);
    assert_int_equal(name_table_find(&t, longest, NAME_SIZE_MAX + 1), 0);
    name_table_close(&t);
}

static void add_too_long_a_name(void *self)
{
    char name[NAME_SIZE_MAX + 1] = "";
    name_table_add(self, name, sizeof name);
}

static void to_add_a_longer_one_is_a_broken_invariant(void **state)
{
    (void)state;
    struct name_table t;
    name_table_init(&t, 3, 1, "a test");
    assert_true(death_of(add_too_long_a_name, &t).aborted);
    name_table_close(&t);
}

static void a_number_can_be_given_to_another_name(void **state)
{
    (void)state;
    struct name_table t;
    name_table_init(&t, 40, 1, "a test");
    char name[8];
    for (uint32_t n = 1; n <= 40; n++) { /* more than there are buckets at the least */
        snprintf(name, sizeof name, "%u", (unsigned)n);
        assert_int_equal(add(&t, name), n);
    }
    for (uint32_t n = 1; n <= 40; n += 3) {
        snprintf(name, sizeof name, "%u", (unsigned)n);
        assert_int_equal(find(&t, name), n); /* it is the one kept at hand */
        snprintf(name, sizeof name, "new%u", (unsigned)n);
        name_table_rename(&t, n, name, strlen(name));
    }
    for (uint32_t n = 1; n <= 40; n++) {
        bool renamed = n % 3 == 1;
        snprintf(name, sizeof name, "%u", (unsigned)n);
        assert_int_equal(find(&t, name), renamed ? 0 : n);
        snprintf(name, sizeof name, "new%u", (unsigned)n);
        assert_int_equal(find(&t, name), renamed ? n : 0);
    }
    assert_int_equal(t.count, 40);
    name_table_close(&t);
}

/* Against an array that is searched from end to end. */
static void it_finds_what_a_slow_list_finds(void **state)
{
    (void)state;
    enum { NAMES = 300, STEPS = 20000 };
    static char list[NAMES + 1][8];
    uint32_t count = 0;
    struct random r = {1};
    struct name_table t;
    name_table_init(&t, NAMES, random_next(&r), "a test");
    for (unsigned step = 0; step < STEPS; step++) {
        char name[8];
        snprintf(name, sizeof name, "%u", (unsigned)random_below(&r, 2 * NAMES));
        uint32_t known = 0;
        for (uint32_t n = 1; n <= count && known == 0; n++)
            known = strcmp(list[n], name) == 0 ? n : 0;
        if (random_once_in(&r, 2)) {
            assert_int_equal(find(&t, name), known);
        } else {
            if (known == 0 && count < NAMES)
                strcpy(list[known = ++count], name);
            assert_int_equal(add(&t, name), known);
        }
    }
    assert_int_equal(count, NAMES);
    name_table_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_numbered_from_1_in_the_order_they_come),
        cmocka_unit_test(a_name_nobody_added_is_0),
        cmocka_unit_test(the_empty_name_is_a_name),
        cmocka_unit_test(bytes_are_bytes),
        cmocka_unit_test(a_full_table_adds_nothing_and_still_finds),
        cmocka_unit_test(a_name_has_at_most_63_bytes),
        cmocka_unit_test(to_add_a_longer_one_is_a_broken_invariant),
        cmocka_unit_test(a_number_can_be_given_to_another_name),
        cmocka_unit_test(it_finds_what_a_slow_list_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
