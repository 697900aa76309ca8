/* incidents: a problem is there since it was first found until it is found no more; those of now
 * come first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/incidents.h"

static struct incidents all;
static struct problems found;

static void find(const char *key, enum problem_weight weight)
{
    struct problem *p = &found.at[found.count++];
    p->weight = weight;
    snprintf(p->key, sizeof p->key, "%s", key);
    snprintf(p->text, sizeof p->text, "%s at %u", key, found.count);
}

static void look(uint64_t at_s)
{
    incidents_update(&all, &found, at_s * NS_PER_SECOND);
    found.count = 0;
}

static int begin(void **state)
{
    (void)state;
    memset(&all, 0, sizeof all);
    found.count = 0;
    return 0;
}

static void a_problem_lasts_from_the_first_look_to_the_last(void **state)
{
    (void)state;
    find("late", PROBLEM_HAPPENS);
    look(100);
    find("late", PROBLEM_HAPPENS);
    find("down", PROBLEM_STOPS);
    look(101);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.at[0].problem.key, "down"); /* the worst first */
    assert_int_equal(all.at[1].since_ns, 100 * NS_PER_SECOND);
    assert_int_equal(all.at[1].until_ns, 0);
    find("late", PROBLEM_HAPPENS);
    look(102);
    assert_string_equal(all.at[0].problem.key, "late"); /* what is over comes after */
    assert_int_equal(all.at[1].until_ns, 102 * NS_PER_SECOND);
    look(103);
    assert_string_equal(all.at[0].problem.key, "late"); /* the latest over first */
}

static void what_comes_back_soon_is_the_same_and_later_another(void **state)
{
    (void)state;
    find("gaps", PROBLEM_HAPPENS);
    look(100);
    look(101);
    find("gaps", PROBLEM_HAPPENS);
    look(131);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.at[0].since_ns, 100 * NS_PER_SECOND);
    assert_int_equal(all.at[0].until_ns, 0);
    look(132);
    find("gaps", PROBLEM_HAPPENS);
    look(163);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.at[0].since_ns, 163 * NS_PER_SECOND);
}

static void at_the_limit_the_longest_over_is_forgotten(void **state)
{
    char key[32];
    (void)state;
    for (unsigned i = 0; i < INCIDENTS_MAX; i++) {
        snprintf(key, sizeof key, "p%u", i);
        find(key, PROBLEM_HAPPENS);
        look(100 + i);
    }
    assert_int_equal(all.count, INCIDENTS_MAX);
    find("one more", PROBLEM_HAPPENS);
    find("and one", PROBLEM_HAPPENS);
    look(1000);
    assert_int_equal(all.count, INCIDENTS_MAX);
    assert_int_equal(all.at[1].until_ns, 0);
    for (unsigned i = 0; i < all.count; i++) {
        assert_string_not_equal(all.at[i].problem.key, "p0");
        assert_string_not_equal(all.at[i].problem.key, "p1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_problem_lasts_from_the_first_look_to_the_last, begin),
        cmocka_unit_test_setup(what_comes_back_soon_is_the_same_and_later_another, begin),
        cmocka_unit_test_setup(at_the_limit_the_longest_over_is_forgotten, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
