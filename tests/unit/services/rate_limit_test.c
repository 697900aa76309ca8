/* rate_limit: a second's worth at once, then one by one; nobody's limit is another's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "gateway/rate_limit.h"

enum { QUOTA = 10 };
static const uint64_t start_ns = 1000 * NS_PER_SECOND;

static rate_limit_t *limit_of(bool loopback)
{
    return rate_limit_new(&(struct rate_limit_options){
        .per_second = {QUOTA, 2 * QUOTA, 3 * QUOTA}, .loopback = loopback, .hash_seed = 7});
}

static struct rate_verdict take(rate_limit_t *r, const char *address, uint64_t after_ms)
{
    return rate_limit_take(r, address, RATE_ORDERS, start_ns + after_ms * NS_PER_MS);
}

static void a_seconds_worth_may_come_at_once(void **state)
{
    (void)state;
    rate_limit_t *r = limit_of(false);
    for (unsigned i = 0; i < QUOTA; i++) {
        struct rate_verdict v = take(r, "10.0.0.1", 0);
        assert_true(v.limited && v.allowed);
        assert_int_equal(v.quota, QUOTA);
        assert_int_equal(v.remaining, QUOTA - 1 - i);
    }
    struct rate_verdict v = take(r, "10.0.0.1", 0);
    assert_false(v.allowed);
    assert_int_equal(v.wait_ms, 1000 / QUOTA);
    rate_limit_destroy(&r);
}

static void tokens_come_back_one_by_one(void **state)
{
    (void)state;
    rate_limit_t *r = limit_of(false);
    for (unsigned i = 0; i < QUOTA; i++)
        assert_true(take(r, "10.0.0.1", 0).allowed);
    assert_false(take(r, "10.0.0.1", 99).allowed);
    assert_true(take(r, "10.0.0.1", 100).allowed);
    assert_false(take(r, "10.0.0.1", 100).allowed);
    assert_true(take(r, "10.0.0.1", 200).allowed);
    for (unsigned i = 0; i < QUOTA; i++)
        assert_true(take(r, "10.0.0.1", 5000).allowed); /* full again, and not fuller */
    assert_false(take(r, "10.0.0.1", 5000).allowed);
    rate_limit_destroy(&r);
}

static void cancels_have_a_bucket_of_their_own(void **state)
{
    (void)state;
    rate_limit_t *r = limit_of(false);
    while (take(r, "10.0.0.1", 0).allowed)
        continue;
    for (unsigned i = 0; i < 2 * QUOTA; i++)
        assert_true(rate_limit_take(r, "10.0.0.1", RATE_CANCELS, start_ns).allowed);
    assert_false(rate_limit_take(r, "10.0.0.1", RATE_CANCELS, start_ns).allowed);
    rate_limit_destroy(&r);
}

static void addresses_are_told_apart(void **state)
{
    (void)state;
    rate_limit_t *r = limit_of(false);
    while (take(r, "10.0.0.1", 0).allowed)
        continue;
    assert_true(take(r, "10.0.0.2", 0).allowed);
    while (take(r, "2001:db8:0:1::1", 0).allowed)
        continue;
    assert_false(take(r, "2001:db8:0:1:ffff::2", 0).allowed); /* the same subscriber's */
    assert_true(take(r, "2001:db8:0:2::1", 0).allowed);
    while (take(r, "who", 0).allowed)
        continue;
    assert_true(take(r, "whom", 0).allowed);
    rate_limit_destroy(&r);
}

static void loopback_is_limited_only_if_that_is_set(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", "127.9.9.9", "::1"};
    rate_limit_t *open = limit_of(false), *strict = limit_of(true);
    for (unsigned a = 0; a < 3; a++) {
        for (unsigned i = 0; i < 3 * QUOTA; i++) {
            struct rate_verdict v = take(open, addresses[a], 0);
            assert_true(v.allowed && !v.limited);
        }
        assert_true(take(strict, addresses[a], 0).limited);
    }
    rate_limit_destroy(&open);
    rate_limit_destroy(&strict);
}

/* More addresses than there are places: those who wait the longest are forgotten, and whoever is
 * at the limit now stays limited while only full ones come. */
static void a_crowd_of_strangers_frees_nobody(void **state)
{
    (void)state;
    rate_limit_t *r = limit_of(false);
    char address[32];
    unsigned freed = 0;
    while (take(r, "10.0.0.1", 0).allowed)
        continue;
    for (unsigned i = 0; i < 60000; i++) {
        snprintf(address, sizeof address, "172.%u.%u.%u", 16 + i / 65536, i / 256 % 256, i % 256);
        assert_true(take(r, address, 0).allowed);
        freed += i % 1000 == 0 && take(r, "10.0.0.1", 0).allowed;
    }
    assert_int_equal(freed, 0);
    rate_limit_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seconds_worth_may_come_at_once),
        cmocka_unit_test(tokens_come_back_one_by_one),
        cmocka_unit_test(cancels_have_a_bucket_of_their_own),
        cmocka_unit_test(addresses_are_told_apart),
        cmocka_unit_test(loopback_is_limited_only_if_that_is_set),
        cmocka_unit_test(a_crowd_of_strangers_frees_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
