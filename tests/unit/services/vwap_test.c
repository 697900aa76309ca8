/* vwap: profiles and their mistakes, slices against numbers worked out by hand, which profile it
 * says it used, and at random: it gets all or says why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "strategy/strategy_spec.h"
#include "strategy/vwap.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/strategy_trial.h"

static struct profile profile;
static char error[PROFILE_ERROR_SIZE];

static uint64_t clock_ns(unsigned hours, unsigned minutes)
{
    return (hours * 60 + minutes) * 60 * SECOND;
}

/* ---- profiles ---- */

static void assert_share(uint64_t from_ns, uint64_t span_ns, double expected)
{
    assert_float_equal(profile_share(&profile, from_ns, span_ns), expected, 1e-12);
}

static void the_default_is_a_day_of_us_stocks(void **state)
{
    (void)state;
    profile_default(&profile);
    assert_int_equal(profile.count, 78);
    assert_int_equal(profile_begin_ns(&profile), clock_ns(9, 30));
    assert_int_equal(profile_span_ns(&profile), clock_ns(6, 30));
    assert_share(clock_ns(9, 30), clock_ns(6, 30), 1);
    assert_share(clock_ns(9, 30), 300 * SECOND, 2899. / 100003); /* the first of the table */
    assert_share(clock_ns(15, 55), 300 * SECOND, 9960. / 100003);
    assert_share(clock_ns(16, 0), clock_ns(17, 30), 0); /* until the next morning */
}

static void a_share_is_of_any_time_of_any_day(void **state)
{
    (void)state;
    profile_default(&profile);
    assert_share(clock_ns(9, 30) + 60 * SECOND, 120 * SECOND, 2899. / 100003 * 2 / 5);
    assert_share(clock_ns(15, 55), clock_ns(17, 40), (9960. + 2899.) / 100003); /* over midnight */
    assert_share(clock_ns(12, 0), 3 * PROFILE_DAY_NS, 3);
    assert_share(PROFILE_DAY_NS + clock_ns(15, 55), 300 * SECOND, 9960. / 100003);
}

static void a_file_is_normalised(void **state)
{
    (void)state;
    scratch_write("p.csv", "bin_start,share\n09:00, 1.5\n 10:00:30,4.5\r\n\n39600,6\n");
    assert_true(profile_read(&profile, "p.csv", error));
    assert_int_equal(profile.count, 3);
    assert_int_equal(profile.begin_s[1], 36030);
    assert_int_equal(profile.begin_s[3], 39600 + 39600 - 36030);
    assert_float_equal(profile.share[0], 0.125, 0);
    assert_float_equal(profile.share[2], 0.5, 0);
    scratch_write("p.csv", "82800,7"); /* one alone: until midnight */
    assert_true(profile_read(&profile, "p.csv", error));
    assert_int_equal(profile.begin_s[1], 86400);
    scratch_write("p.csv", "00:00,7\n23:00,1\n"); /* the last is not longer than the day */
    assert_true(profile_read(&profile, "p.csv", error));
    assert_int_equal(profile.begin_s[2], 86400);
}

static void assert_refused(const char *text, const char *complaint)
{
    scratch_write("p.csv", text);
    assert_false(profile_read(&profile, "p.csv", error));
    assert_string_equal(error, complaint);
}

static void a_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    assert_refused("", "p.csv:1: found \"no bin\", expected at least one line of bin_start,share");
    assert_refused("bin,share\n",
                   "p.csv:2: found \"no bin\", expected at least one line of bin_start,share");
    assert_refused("09:30,1\n09:35\n", "p.csv:2: found \"09:35\", expected bin_start,share");
    const char *time = "p.csv:%u: found \"%s\", expected HH:MM, or seconds after midnight from 0 "
                       "to 86399";
    static const struct {
        const char *text, *found;
        unsigned line;
    } times[] = {
        {"09:30,1\n24:00,1\n", "24:00", 2},
        {"09:60,1\n", "09:60", 1},
        {"9:30,1\n", "9:30", 1},
        {"86400,1\n", "86400", 1},
        {"09:30:60,1\n", "09:30:60", 1},
        {"x\n\nnoon,1\n", "noon", 3},
        {"09:30:00.5,1\n", "09:30:00.5", 1},
        {"09:30,1\n-5,1\n", "-5", 2},
    };
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char expected[160];
        snprintf(expected, sizeof expected, time, times[i].line, times[i].found);
        assert_refused(times[i].text, expected);
    }
    assert_refused("09:30,1\n09:30,1\n",
                   "p.csv:2: found \"09:30\", expected a later time than the line before has");
    static const char *const shares[] = {"0", "-1", "nan", "1e3", "", "0x1"};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        char text[64], expected[160];
        snprintf(text, sizeof text, "h,s\n09:30,%s\n", shares[i]);
        snprintf(expected, sizeof expected,
                 "p.csv:2: found \"%s\", expected a number above zero, with at most 18 digits on "
                 "a side",
                 shares[i]);
        assert_refused(text, expected);
    }
    assert_false(profile_read(&profile, "none.csv", error));
    assert_string_equal(error, "none.csv: cannot be read: No such file or directory");
    assert_false(profile_read(&profile, ".", error));
    assert_string_equal(error, ".: cannot be read: Is a directory");
}

static void bins_of_a_file_have_a_most(void **state)
{
    (void)state;
    char text[1441 * 8] = "";
    for (unsigned i = 0; i < 1440; i++)
        snprintf(text + strlen(text), 9, "%u,1\n", i);
    scratch_write("p.csv", text);
    assert_true(profile_read(&profile, "p.csv", error));
    assert_int_equal(profile.count, 1440);
    strcat(text, "1440,1\n");
    assert_refused(text, "p.csv:1441: found \"1440\", expected at most 1440 bins");
}

/* ---- slices ---- */

/* 10 s with a quarter of the volume, 10 s with three. */
static const char two_bins[] = "0,1\n10,3\n";

#define EIGHT                                                                                      \
    "side", "buy", "quantity", "0.008", "duration", "20", "slices", "4", "style", "aggressive",    \
        "profile", "p.csv"

static void slices_are_as_the_profile_has_them(void **state)
{
    (void)state;
    scratch_write("p.csv", two_bins);
    struct strategy_trial *t = STRATEGY_TRIAL("vwap", EIGHT);
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "0.000 buy 1 @ 110 IOC\n0.000 fill 1 1 @ 110\n"
                                "5.000 buy 1 @ 110 IOC\n5.000 fill 2 1 @ 110\n"
                                "10.000 buy 3 @ 110 IOC\n10.000 fill 3 3 @ 110\n"
                                "15.000 buy 3 @ 110 IOC\n15.000 fill 4 3 @ 110\n");
    assert_string_equal(t->logged, "volume profile: from p.csv");
    assert_string_equal(t->described,
                        "volume profile: from p.csv; bought 8 of 8 lots in 4 of 4 slices, done");
    strategy_trial_close();
}

static void open_moves_the_profile(void **state)
{
    (void)state;
    scratch_write("p.csv", two_bins);
    /* Bins from 5 and 15 s: up to 5, 10, 15, 20 s there are 0, 1/8, 2/8, 5/8 of it; of 8 lots, cut,
     * 0, 1, 3, 8 are due. */
    struct strategy_trial *t = STRATEGY_TRIAL("vwap", EIGHT, "open", "5");
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, "5.000 buy 1 @ 110 IOC\n5.000 fill 1 1 @ 110\n"
                                "10.000 buy 2 @ 110 IOC\n10.000 fill 2 2 @ 110\n"
                                "15.000 buy 5 @ 110 IOC\n15.000 fill 3 5 @ 110\n");
    strategy_trial_close();
}

static void a_stretched_profile_is_at_any_time(void **state)
{
    (void)state;
    scratch_write("p.csv", "09:00,1\n15:00,3\n");
    struct strategy_trial *t = STRATEGY_TRIAL("vwap", EIGHT, "profile_fit", "stretch");
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_non_null(strstr(t->did, "0.000 buy 1 @"));
    assert_non_null(strstr(t->did, "5.000 buy 1 @"));
    assert_non_null(strstr(t->did, "10.000 buy 3 @"));
    assert_non_null(strstr(t->did, "15.000 buy 3 @"));
    strategy_trial_close();
}

/* What a TWAP of the same does. */
static void twap_does(char *text, size_t size)
{
    struct strategy_trial *t =
        STRATEGY_TRIAL("twap", "side", "buy", "quantity", "0.011", "duration", "20", "slices", "4");
    strategy_trial_market(7, 25, true);
    strategy_trial_run(0, 1);
    snprintf(text, size, "%s", t->did);
    strategy_trial_close();
}

static void assert_as_twap(const char *name, const char *says)
{
    static char twap[1 << 16];
    twap_does(twap, sizeof twap);
    struct strategy_trial *t = STRATEGY_TRIAL("vwap", "side", "buy", "quantity", "0.011",
                                              "duration", "20", "slices", "4", "profile", name);
    strategy_trial_market(7, 25, true);
    strategy_trial_run(0, 1);
    assert_string_equal(t->did, twap);
    assert_string_equal(t->logged, says);
    assert_ptr_equal(strstr(t->described, says), t->described);
    strategy_trial_close();
}

static void without_a_profile_it_is_twap_and_says_so(void **state)
{
    (void)state;
    assert_as_twap("none", "volume profile: none: behaves as TWAP");
    /* It is night: 0 to 20 s. */
    assert_as_twap("default", "volume profile: nothing in these hours: behaves as TWAP (open, "
                              "profile_fit)");
}

static void the_default_says_so(void **state)
{
    (void)state;
    struct strategy_trial *t = STRATEGY_TRIAL("vwap", "side", "buy", "quantity", "0.008", "open",
                                              "0", "duration", "20", "slices", "4");
    strategy_trial_quiet(100, 110, 50, 25);
    strategy_trial_run(0, 1);
    assert_string_equal(t->logged,
                        "volume profile: default (US stocks, 37 symbol-days, 5 minutes a bin)");
    assert_int_equal(t->bought, 8);
    strategy_trial_close();
}

static void a_profile_is_checked_before_anything_starts(void **state)
{
    (void)state;
    char words[STRATEGY_SPEC_ERROR_SIZE];
    scratch_write("p.csv", "09:30,1\n09:35,x\n");
    struct strategy_spec s = {.class = NULL};
    struct cluster_symbol symbol = {"S", "1", "1", {1, 0}, {1, 0}, 0, false};
    strategy_spec_init(&s, "a");
    assert_true(strategy_spec_type(&s, "vwap", words));
    assert_true(strategy_spec_symbol(&s, &symbol, words));
    assert_true(strategy_spec_set(&s, "side", "buy", words));
    assert_true(strategy_spec_set(&s, "quantity", "10", words));
    assert_true(strategy_spec_set(&s, "profile", "p.csv", words));
    assert_false(strategy_spec_complete(&s, words));
    assert_string_equal(words, "profile: p.csv:2: found \"x\", expected a number above zero, with "
                               "at most 18 digits on a side");
    assert_true(strategy_spec_set(&s, "profile", "", words));
    assert_false(strategy_spec_complete(&s, words));
    assert_string_equal(words, "profile: found \"\", expected default, none or a file");
}

/* ---- at random ---- */

static void at_random_it_completes_or_says_why(uint64_t seed)
{
    struct random r = {seed};
    bool calm = random_once_in(&r, 2), buy = random_once_in(&r, 2);
    char text[512] = "", slices[8];
    for (unsigned s = (unsigned)random_below(&r, 30); s < 60;
         s += 1 + (unsigned)random_below(&r, 9))
        snprintf(text + strlen(text), 20, "%u,%u\n", s, 1 + (unsigned)random_below(&r, 100));
    scratch_write("p.csv", text);
    snprintf(slices, sizeof slices, "%u", 1 + (unsigned)random_below(&r, 20));
    struct strategy_trial *t = STRATEGY_TRIAL(
        "vwap", "side", buy ? "buy" : "sell", "quantity", "0.2", "duration", "50", "slices", slices,
        "profile", "p.csv", "jitter", "0.5", "catch_up", random_once_in(&r, 2) ? "next" : "spread",
        "profile_fit", random_once_in(&r, 2) ? "clock" : "stretch");
    t->most_bought = buy ? 200 : 0;
    t->most_sold = buy ? 0 : 200;
    strategy_trial_market(seed, 60, calm);
    strategy_trial_run(random_below(&r, 4) * SECOND / 20, seed);
    if (calm || t->bought + t->sold == 200)
        assert_non_null(strstr(t->described, "slices, done"));
    else
        assert_non_null(strstr(t->described, " not: "));
    strategy_trial_close();
}

static void it_completes_or_says_why_at_random(void **state)
{
    (void)state;
    seeds_run("it_completes_or_says_why_at_random", 40, at_random_it_completes_or_says_why);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_is_a_day_of_us_stocks),
        cmocka_unit_test(a_share_is_of_any_time_of_any_day),
        cmocka_unit_test(a_file_is_normalised),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
        cmocka_unit_test(bins_of_a_file_have_a_most),
        cmocka_unit_test(slices_are_as_the_profile_has_them),
        cmocka_unit_test(open_moves_the_profile),
        cmocka_unit_test(a_stretched_profile_is_at_any_time),
        cmocka_unit_test(without_a_profile_it_is_twap_and_says_so),
        cmocka_unit_test(the_default_says_so),
        cmocka_unit_test(a_profile_is_checked_before_anything_starts),
        SEEDS_TEST(it_completes_or_says_why_at_random),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
