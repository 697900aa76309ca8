/* scrape: what a page says is found; what is not of the form is refused with its line; quantiles
 * are those of Prometheus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/scrape.h"

static char error[SCRAPE_ERROR_SIZE];

static scrape_t *read_page(const char *text)
{
    return scrape_read(text, strlen(text), error);
}

static scrape_t *must_read(const char *text)
{
    scrape_t *s = read_page(text);
    if (s == NULL)
        fail_msg("%s: %s", text, error);
    return s;
}

static void assert_near(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-9))
        fail_msg("found %.12g, expected %.12g", found, expected);
}

static void series_are_found_and_summed_by_label(void **state)
{
    (void)state;
    scrape_t *s = must_read("# HELP a what it is\n# TYPE a counter\n\n"
                            "a{shard=\"0\",symbol=\"X\"} 1\nb 5\na{shard=\"0\",symbol=\"Y\"} 2.5\n"
                            "a{shard=\"1\",symbol=\"X\",} 4 1395066363000\nc{} +Inf\nd NaN\n"
                            "e{t=\"a\\\\b\\\"c\\nd\"} -1e-3");
    size_t count;
    const struct scrape_series *a = scrape_series(s, "a", &count);
    assert_int_equal(count, 3); /* though they do not stand together, in their order */
    assert_string_equal(scrape_label(&a[1], "symbol"), "Y");
    assert_string_equal(scrape_label(&a[1], "none"), "");
    assert_near(scrape_sum(s, "a", NULL, NULL), 7.5);
    assert_near(scrape_sum(s, "a", "shard", "0"), 3.5);
    assert_near(scrape_sum(s, "b", NULL, NULL), 5);
    assert_true(isnan(scrape_sum(s, "a", "shard", "2")));
    assert_true(isnan(scrape_sum(s, "f", NULL, NULL)));
    assert_true(isinf(scrape_sum(s, "c", NULL, NULL)));
    assert_true(isnan(scrape_sum(s, "d", NULL, NULL)));
    assert_near(scrape_sum(s, "e", NULL, NULL), -0.001);
    assert_string_equal(scrape_label(scrape_series(s, "e", &count), "t"), "a\\b\"c\nd");
    scrape_destroy(&s);
    assert_null(s);
    assert_true(isnan(scrape_sum(NULL, "a", NULL, NULL)));
}

static void what_is_not_of_the_form_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const pages[][2] = {
        {"a", "a name"},
        {"a\n", "a name"},
        {"1a 1\n", "a name"},
        {"a 0x10\n", "a number"},
        {"a 1 2 3\n", "the end"},
        {"a 1 x\n", "a time stamp"},
        {"a  1\n", "a number"},
        {"a{b=\"c\"}1\n", "a space"},
        {"a{b=\"c} 1\n", "quote"},
        {"a{b=c} 1\n", "a value in quotes"},
        {"a{b} 1\n", "a name"},
        {"a{b=\"c\" d=\"e\"} 1\n", "a comma"},
        {"a{b=\"\\t\"} 1\n", "n,"},
        {"a{,} 1\n", "a name"},
        {"a one\n", "a number"},
        {"a 1e\n", "a number"},
        {"a{a=\"\",b=\"\",c=\"\",d=\"\",e=\"\",f=\"\",g=\"\",h=\"\",i=\"\"} 1\n", "no more labels"},
    };
    for (unsigned i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        char page[256];
        snprintf(page, sizeof page, "fine 1\n%s", pages[i][0]);
        if (read_page(page) != NULL)
            fail_msg("it took %s", pages[i][0]);
        if (strncmp(error, "line 2: found \"", 15) != 0 || strstr(error, pages[i][1]) == NULL)
            fail_msg("of %s it said: %s", pages[i][0], error);
    }
    assert_null(scrape_read("a 1\0\n", 5, error));
    assert_null(read_page("a \x1b[2J\n"));
    assert_null(strchr(error, '\x1b'));
}

static void every_page_cut_short_is_read_or_refused(void **state)
{
    (void)state;
    static const char page[] = "# TYPE a histogram\na_bucket{le=\"0.5\"} 1\na_bucket{le=\"+Inf\"} "
                               "3\na_sum 2.5\na_count 3\n";
    for (size_t size = 0; size < sizeof page - 1; size++) {
        char *exact = malloc(size + 1); /* so that a byte too many is seen */
        memcpy(exact, page, size);
        scrape_t *s = scrape_read(exact, size, error);
        scrape_destroy(&s);
        for (size_t at = 0; at < size; at++) {
            exact[at] = (char)(exact[at] ^ 0x40);
            s = scrape_read(exact, size, error);
            scrape_destroy(&s);
            exact[at] = (char)(exact[at] ^ 0x40);
        }
        free(exact);
    }
}

static void a_page_has_at_most_so_many_series_and_bytes(void **state)
{
    (void)state;
    size_t size = (size_t)SCRAPE_SERIES_MAX * 4;
    char *page = malloc(size + 4);
    for (size_t i = 0; i <= SCRAPE_SERIES_MAX; i++)
        memcpy(page + 4 * i, "a 1\n", 4);
    scrape_t *s = scrape_read(page, size, error);
    assert_non_null(s);
    assert_near(scrape_sum(s, "a", NULL, NULL), SCRAPE_SERIES_MAX);
    scrape_destroy(&s);
    assert_null(scrape_read(page, size + 4, error));
    assert_non_null(strstr(error, "no more series"));
    free(page);
    page = malloc((size_t)SCRAPE_SIZE_MAX + 1);
    memset(page, '\n', (size_t)SCRAPE_SIZE_MAX + 1);
    s = scrape_read(page, SCRAPE_SIZE_MAX, error);
    assert_non_null(s);
    scrape_destroy(&s);
    assert_null(scrape_read(page, (size_t)SCRAPE_SIZE_MAX + 1, error));
    free(page);
}

static void growth_is_since_the_page_before_or_since_the_counter_began_anew(void **state)
{
    (void)state;
    scrape_t *before = must_read("a 10\nb 10\n"), *now = must_read("a 14\nb 3\nc 2\n");
    assert_near(scrape_growth(now, before, "a", NULL, NULL), 4);
    assert_near(scrape_growth(now, before, "b", NULL, NULL), 3);
    assert_near(scrape_growth(now, before, "c", NULL, NULL), 2);
    assert_near(scrape_growth(now, NULL, "a", NULL, NULL), 14);
    assert_true(isnan(scrape_growth(now, before, "d", NULL, NULL)));
    scrape_destroy(&before);
    scrape_destroy(&now);
}

static void quantiles_are_linear_within_a_bucket(void **state)
{
    (void)state;
    scrape_t *before = must_read("h_bucket{s=\"0\",le=\"1\"} 100\nh_bucket{s=\"0\",le=\"2\"} 100\n"
                                 "h_bucket{s=\"0\",le=\"+Inf\"} 100\nh_sum{s=\"0\"} 50\n"
                                 "h_count{s=\"0\"} 100\n");
    scrape_t *now = must_read("h_bucket{s=\"0\",le=\"1\"} 110\nh_bucket{s=\"0\",le=\"2\"} 120\n"
                              "h_bucket{s=\"0\",le=\"+Inf\"} 120\nh_sum{s=\"0\"} 80\n"
                              "h_count{s=\"0\"} 120\nh_bucket{s=\"1\",le=\"1\"} 0\n"
                              "h_bucket{s=\"1\",le=\"2\"} 0\nh_bucket{s=\"1\",le=\"+Inf\"} 20\n");
    assert_near(scrape_quantile(now, before, "h", "s", "0", 0.25), 0.5);
    assert_near(scrape_quantile(now, before, "h", "s", "0", 0.5), 1);
    assert_near(scrape_quantile(now, before, "h", "s", "0", 0.75), 1.5);
    assert_near(scrape_quantile(now, before, "h", "s", "1", 0.5), 2); /* beyond the last bound */
    assert_near(scrape_quantile(now, before, "h", NULL, NULL, 0.25), 1);
    assert_near(scrape_mean(now, before, "h", "s", "0"), 1.5);
    assert_near(scrape_quantile(before, NULL, "h", NULL, NULL, 0.5), 0.5);
    assert_near(scrape_quantile(before, now, "h", "s", "0", 0.5), 0.5); /* it began anew */
    assert_true(isnan(scrape_quantile(now, now, "h", NULL, NULL, 0.5)));
    assert_true(isnan(scrape_mean(now, now, "h", NULL, NULL)));
    assert_true(isnan(scrape_quantile(now, before, "g", NULL, NULL, 0.5)));
    scrape_destroy(&before);
    scrape_destroy(&now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_found_and_summed_by_label),
        cmocka_unit_test(what_is_not_of_the_form_is_refused_with_its_line),
        cmocka_unit_test(every_page_cut_short_is_read_or_refused),
        cmocka_unit_test(a_page_has_at_most_so_many_series_and_bytes),
        cmocka_unit_test(growth_is_since_the_page_before_or_since_the_counter_began_anew),
        cmocka_unit_test(quantiles_are_linear_within_a_bucket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
