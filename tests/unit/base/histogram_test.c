/* histogram: percentiles within a bucket, over the whole of 64 bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/histogram.h"
#include "tests/fuzz/random.h"

static int setup(void **state)
{
    static struct histogram h;
    memset(&h, 0, sizeof h);
    *state = &h;
    return 0;
}

static void an_empty_histogram_says_0(void **state)
{
    assert_true(histogram_percentile(*state, 0.0) == 0);
    assert_true(histogram_percentile(*state, 0.5) == 0);
    assert_true(histogram_percentile(*state, 1.0) == 0);
}

static void small_values_are_exact(void **state)
{
    struct histogram *h = *state;
    for (uint64_t v = 0; v < 128; v++)
        histogram_add(h, v);
    assert_true(h->count == 128 && h->max == 127);
    for (uint64_t rank = 1; rank <= 128; rank++)
        assert_true(histogram_percentile(h, (double)rank / 128) == rank - 1);
}

/* "The value that `share` of the values do not exceed": with two values, the first is enough for
 * half of them and no more. */
static void a_percentile_covers_its_share(void **state)
{
    struct histogram *h = *state;
    histogram_add(h, 1);
    histogram_add(h, 2);
    histogram_add(h, 3);
    assert_true(histogram_percentile(h, 0.0) == 1);
    assert_true(histogram_percentile(h, 1.0 / 3) == 1);
    assert_true(histogram_percentile(h, 0.5) == 2);
    assert_true(histogram_percentile(h, 0.99) == 3);
    assert_true(histogram_percentile(h, 1.0) == 3);
}

static void the_last_percentile_is_the_maximum(void **state)
{
    struct histogram *h = *state;
    histogram_add(h, 1000001);
    histogram_add(h, 5);
    assert_true(histogram_percentile(h, 1.0) == 1000001);
    assert_true(histogram_percentile(h, 0.5) == 5);
}

static void the_largest_value_has_a_bucket(void **state)
{
    struct histogram *h = *state;
    histogram_add(h, UINT64_MAX);
    histogram_add(h, UINT64_MAX - 1);
    histogram_add(h, UINT64_C(1) << 63);
    assert_true(histogram_percentile(h, 1.0) == UINT64_MAX);
    assert_true(histogram_percentile(h, 0.1) >= UINT64_C(1) << 63);
}

/* Around every power of two, where the buckets change their width. */
static void one_value_is_known_to_a_sixtyfourth_of_itself(void **state)
{
    struct histogram *h = *state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int64_t near = -2; near <= 2; near++) {
            uint64_t value = (UINT64_C(1) << bit) + (uint64_t)near;
            memset(h, 0, sizeof *h);
            histogram_add(h, value);
            histogram_add(h, UINT64_MAX); /* so that the maximum does not help */
            uint64_t said = histogram_percentile(h, 0.5);
            assert_true(said >= value && said - value <= value / 64);
        }
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void percentiles_agree_with_a_sorted_list(void **state)
{
    enum { COUNT = 1000, RUNS = 50 };
    static uint64_t values[COUNT];
    struct histogram *h = *state;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct random r = {seed};
        memset(h, 0, sizeof *h);
        for (size_t i = 0; i < COUNT; i++) {
            values[i] = random_next(&r) >> random_below(&r, 64);
            histogram_add(h, values[i]);
        }
        qsort(values, COUNT, sizeof values[0], by_value);
        for (size_t rank = 1; rank <= COUNT; rank++) {
            uint64_t said = histogram_percentile(h, (double)rank / COUNT);
            uint64_t value = values[rank - 1];
            if (said < value || said - value > value / 64)
                fail_msg("seed %llu: rank %zu is %llu, said is %llu", (unsigned long long)seed,
                         rank, (unsigned long long)value, (unsigned long long)said);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_histogram_says_0),
        TEST(small_values_are_exact),
        TEST(a_percentile_covers_its_share),
        TEST(the_last_percentile_is_the_maximum),
        TEST(the_largest_value_has_a_bucket),
        TEST(one_value_is_known_to_a_sixtyfourth_of_itself),
        TEST(percentiles_agree_with_a_sorted_list),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
