/* Every limit at one below, at, and one above: a refusal with a code, or more work to come, never
 * a crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/engine/engine_kit.h"

/* ---- the limits themselves ---- */

/* The field, as a place in the struct, and the range it may have. */
struct limit_range {
    const char *name;
    size_t offset;
    uint64_t low, high;
};

static const struct limit_range ranges[] = {
    {"shard", offsetof(struct configure, shard), 0, 65535},
    {"open_orders_max", offsetof(struct configure, open_orders_max), 1, 1 << 26},
    {"accounts_max", offsetof(struct configure, accounts_max), 1, 1 << 20},
    {"finished_per_account", offsetof(struct configure, finished_per_account), 0, 1 << 20},
    {"symbols_max", offsetof(struct configure, symbols_max), 1, 4096},
    {"origins_max", offsetof(struct configure, origins_max), 1, 4096},
    {"origin_window", offsetof(struct configure, origin_window), 1, 1 << 17},
    {"events_max", offsetof(struct configure, events_max), 1, 4096},
};

static const char *checked(const struct limit_range *range, uint64_t value, uint64_t *low,
                           uint64_t *high)
{
    struct configure limits = kit_limits();
    memcpy((char *)&limits + range->offset, &value, sizeof value);
    return engine_limits_check(&limits, low, high);
}

static void limits_are_checked_at_both_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        const struct limit_range *r = &ranges[i];
        uint64_t low = 77, high = 77;
        assert_null(checked(r, r->low, &low, &high));
        assert_null(checked(r, r->high, &low, &high));
        assert_string_equal(checked(r, r->high + 1, &low, &high), r->name);
        assert_true(low == r->low && high == r->high);
        assert_string_equal(checked(r, UINT64_MAX, &low, &high), r->name);
        if (r->low > 0)
            assert_string_equal(checked(r, r->low - 1, &low, &high), r->name);
    }
}

static void accounts_times_remembered_orders_are_limited_too(void **state)
{
    (void)state;
    struct configure limits = kit_limits();
    uint64_t low, high;
    limits.accounts_max = 1 << 15;
    limits.finished_per_account = 1 << 15;
    assert_null(engine_limits_check(&limits, &low, &high));
    limits.accounts_max++;
    assert_non_null(engine_limits_check(&limits, &low, &high));
    assert_true(high == 1 << 30);
}

static void the_smallest_engine_trades(void **state)
{
    (void)state;
    struct configure limits = kit_limits();
    limits.open_orders_max = 2;
    limits.accounts_max = 1;
    limits.finished_per_account = 0;
    limits.symbols_max = 2;
    limits.events_max = 1;
    struct kit k;
    kit_open(&k, &limits, 1);
    for (unsigned i = 0; i < 100; i++) {
        kit_place(&k, "a", "x", SIDE_BUY, 10, 1);
        kit_place(&k, "a", "y", SIDE_SELL, 10, 1);
        assert_int_equal(kit_open_count(&k, "a"), 0);
    }
    kit_close(&k);
}

/* ---- open orders ---- */

static void open_orders_are_refused_above_their_limit(void **state)
{
    (void)state;
    struct configure limits = kit_limits();
    limits.open_orders_max = 3;
    struct kit k;
    kit_open(&k, &limits, 1);
    uint64_t first = kit_place(&k, "a", "1", SIDE_BUY, 10, 1);
    kit_place(&k, "b", "2", SIDE_BUY, 11, 1);
    kit_place(&k, "c", "3", SIDE_BUY, 12, 1);
    struct command fourth = kit_new("d", "4", SIDE_BUY, 13, 1);
    assert_int_equal(kit_apply(&k, &fourth), REJECT_TOO_MANY_OPEN_ORDERS);
    assert_int_equal(kit_outcome(&k).order_id, 0);
    assert_int_equal(kit_event_count(&k), 0);
    assert_int_equal(kit_finished_count(&k, "d"), 0);

    struct command amend = kit_amend("a", first, 5, 14); /* in again, at the limit */
    assert_int_equal(kit_apply(&k, &amend), 0);
    struct command cancel = kit_cancel("a", first);
    assert_int_equal(kit_apply(&k, &cancel), 0);
    assert_int_equal(kit_apply(&k, &fourth), 0); /* a full shard remembered nothing of it */
    assert_false(kit_outcome(&k).duplicate);
    kit_close(&k);
}

/* ---- accounts ---- */

static void accounts_are_refused_above_their_limit(void **state)
{
    (void)state;
    struct configure limits = kit_limits();
    limits.accounts_max = 3;
    struct kit k;
    kit_open(&k, &limits, 1);
    kit_place(&k, "a", "", SIDE_BUY, 10, 1);
    kit_place(&k, "b", "", SIDE_BUY, 10, 1);
    kit_place(&k, "c", "", SIDE_BUY, 10, 1);
    struct command d = kit_new("d", "", SIDE_BUY, 10, 1);
    assert_int_equal(kit_apply(&k, &d), REJECT_TOO_MANY_ACCOUNTS);
    assert_int_equal(engine_account_count(k.engine), 3);
    kit_place(&k, "c", "", SIDE_BUY, 10, 1);
    struct command cancel = kit_cancel("d", 1);
    assert_int_equal(kit_apply(&k, &cancel), REJECT_UNKNOWN_ORDER);
    kit_close(&k);
}

/* ---- the last W finished orders ---- */

/* Place and cancel; every one finishes after the one before it. */
static void finish_one(struct kit *k, const char *label)
{
    struct command cancel = kit_cancel("a", kit_place(k, "a", label, SIDE_BUY, 10, 1));
    assert_int_equal(kit_apply(k, &cancel), 0);
}

static bool is_remembered(struct kit *k, const char *label)
{
    struct command other_body = kit_new("a", label, SIDE_BUY, 10, 2);
    other_body.new_order.post_only = true;
    other_body.new_order.time_in_force = TIME_IN_FORCE_IOC; /* refused if it is a new label */
    enum reason code = kit_apply(k, &other_body);
    assert_true(code == REJECT_DUPLICATE_ORDER || code == REJECT_INVALID_COMBINATION);
    return code == REJECT_DUPLICATE_ORDER;
}

static void exactly_the_last_w_finished_orders_are_remembered(void **state)
{
    (void)state;
    for (uint64_t w = 0; w <= 4; w++) {
        for (uint64_t asked = 0; asked <= w; asked++) { /* asking makes an order: ask once */
            struct configure limits = kit_limits();
            limits.finished_per_account = w;
            struct kit k;
            kit_open(&k, &limits, 1);
            finish_one(&k, "asked");
            for (uint64_t i = 0; i < asked; i++) {
                char label[24];
                snprintf(label, sizeof label, "after%d", (int)i);
                finish_one(&k, label);
            }
            assert_int_equal(kit_finished_count(&k, "a"), asked + 1 <= w ? asked + 1 : w);
            assert_true(is_remembered(&k, "asked") == (asked + 1 <= w));
            kit_close(&k);
        }
    }
}

static void other_accounts_do_not_push_out_what_is_remembered(void **state)
{
    (void)state;
    struct configure limits = kit_limits();
    limits.finished_per_account = 1;
    struct kit k;
    kit_open(&k, &limits, 1);
    finish_one(&k, "mine");
    for (unsigned i = 0; i < 5; i++) {
        struct command cancel = kit_cancel("b", kit_place(&k, "b", "", SIDE_BUY, 10, 1));
        assert_int_equal(kit_apply(&k, &cancel), 0);
    }
    assert_true(is_remembered(&k, "mine"));
    kit_close(&k);
}

static void refused_orders_are_remembered_among_the_last_w(void **state)
{
    (void)state;
    struct configure limits = kit_limits();
    limits.finished_per_account = 2;
    struct kit k;
    kit_open(&k, &limits, 1);
    struct command refused = kit_new("a", "refused", SIDE_BUY, 10, 0);
    assert_int_equal(kit_apply(&k, &refused), REJECT_INVALID_QUANTITY);
    uint64_t order_id = kit_outcome(&k).order_id;
    finish_one(&k, "next");
    assert_int_equal(kit_apply(&k, &refused), REJECT_INVALID_QUANTITY);
    assert_true(kit_outcome(&k).duplicate);
    assert_int_equal(kit_outcome(&k).order_id, order_id);
    finish_one(&k, "one-more");
    assert_int_equal(kit_apply(&k, &refused), REJECT_INVALID_QUANTITY);
    assert_false(kit_outcome(&k).duplicate);
    assert_int_not_equal(kit_outcome(&k).order_id, order_id);
    kit_close(&k);
}

/* ---- events ---- */

enum { EVENTS_MAX = 4 };

static void open_with_makers(struct kit *k, unsigned makers)
{
    struct configure limits = kit_limits();
    limits.events_max = EVENTS_MAX;
    kit_open(k, &limits, 1);
    for (unsigned i = 0; i < makers; i++)
        kit_place(k, "maker", "", SIDE_SELL, 10 + (int64_t)i, 1);
}

static void a_sweep_goes_on_only_above_events_max(void **state)
{
    (void)state;
    for (unsigned makers = EVENTS_MAX - 1; makers <= 3 * EVENTS_MAX + 1; makers++) {
        struct kit k;
        open_with_makers(&k, makers);
        kit_place(&k, "taker", "", SIDE_BUY, 100, makers);
        assert_int_equal(kit_event_count(&k), 1 + (makers < EVENTS_MAX ? makers : EVENTS_MAX));
        assert_true(kit_outcome(&k).ready);
        assert_int_equal(kit_continue(&k), (makers - 1) / EVENTS_MAX);
        assert_int_equal(kit_open_count(&k, "maker"), 0);
        assert_int_equal(kit_open_count(&k, "taker"), 0);
        kit_close(&k);
    }
}

static void a_sweep_that_took_all_rests_or_is_cancelled_without_going_on(void **state)
{
    (void)state;
    struct kit k;
    open_with_makers(&k, EVENTS_MAX);
    kit_place(&k, "taker", "", SIDE_BUY, 100, EVENTS_MAX + 1);
    assert_int_equal(kit_event_count(&k), 1 + EVENTS_MAX + 1);
    assert_int_equal(engine_waiting(k.engine), 0);
    assert_int_equal(kit_open_count(&k, "taker"), 1);
    kit_close(&k);

    open_with_makers(&k, EVENTS_MAX);
    struct command ioc = kit_new("taker", "", SIDE_BUY, 100, EVENTS_MAX + 1);
    ioc.new_order.time_in_force = TIME_IN_FORCE_IOC;
    assert_int_equal(kit_apply(&k, &ioc), 0);
    assert_int_equal(kit_event_count(&k), 1 + EVENTS_MAX + 1);
    assert_int_equal(engine_waiting(k.engine), 0);
    assert_int_equal(kit_open_count(&k, "taker"), 0);
    kit_close(&k);
}

static void a_sweep_that_waits_leaves_an_uncrossed_book(void **state)
{
    (void)state;
    struct kit k;
    open_with_makers(&k, EVENTS_MAX + 1);
    kit_place(&k, "taker", "", SIDE_BUY, 100, EVENTS_MAX + 5);
    assert_int_equal(engine_waiting(k.engine), 1);
    struct bbo_state bbo = book_bbo(engine_pool(k.engine), engine_book(k.engine, 1));
    assert_int_equal(bbo.qty[0], 0);
    assert_int_equal(bbo.price[1], 10 + EVENTS_MAX);
    assert_int_equal(kit_continue(&k), 1);
    bbo = book_bbo(engine_pool(k.engine), engine_book(k.engine, 1));
    assert_int_equal(bbo.price[0], 100);
    assert_int_equal(bbo.qty[0], 4);
    assert_int_equal(bbo.qty[1], 0);
    kit_close(&k);
}

static void a_mass_cancel_goes_on_only_above_events_max(void **state)
{
    (void)state;
    for (unsigned makers = 0; makers <= 3 * EVENTS_MAX + 1; makers++) {
        struct kit k;
        open_with_makers(&k, makers);
        kit_place(&k, "other", "", SIDE_SELL, 1000, 1);
        struct command mass = kit_mass_cancel("maker");
        assert_int_equal(kit_apply(&k, &mass), 0);
        assert_int_equal(kit_event_count(&k), makers < EVENTS_MAX ? makers : EVENTS_MAX);
        assert_true(kit_outcome(&k).ready == (makers <= EVENTS_MAX));
        assert_int_equal(kit_continue(&k), makers == 0 ? 0 : (makers - 1) / EVENTS_MAX);
        assert_true(kit_outcome(&k).ready);
        assert_int_equal(kit_outcome(&k).count, makers);
        assert_int_equal(kit_open_count(&k, "maker"), 0);
        assert_int_equal(kit_open_count(&k, "other"), 1);
        kit_close(&k);
    }
}

/* ---- names ---- */

static void names_may_have_their_full_length(void **state)
{
    (void)state;
    struct kit k;
    struct configure limits = kit_limits();
    kit_open(&k, &limits, 1);
    struct command longest = kit_new("abcdefghijklmnopqrstuvwxyz01234_",
                                     "abcdefghijklmnopqrstuvwxyz0123456._:", SIDE_BUY, 1, 1);
    longest.envelope = kit_envelope("abcdefghijklmnopqrstuvwxyz01234-", 1, 1, 0);
    assert_int_equal(longest.new_order.account.size, ACCOUNT_SIZE_MAX);
    assert_int_equal(longest.new_order.client_order_id.size, CLIENT_ORDER_ID_SIZE_MAX);
    assert_int_equal(longest.envelope.origin.size, ORIGIN_SIZE_MAX);
    assert_int_equal(kit_apply(&k, &longest), 0);
    longest.envelope.origin_seq = 2;
    assert_int_equal(kit_apply(&k, &longest), 0);
    assert_true(kit_outcome(&k).duplicate);
    longest.envelope.origin_seq = 3;
    longest.new_order.client_order_id.size--; /* all but its last character: another label */
    assert_int_equal(kit_apply(&k, &longest), 0);
    assert_false(kit_outcome(&k).duplicate);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_are_checked_at_both_ends),
        cmocka_unit_test(accounts_times_remembered_orders_are_limited_too),
        cmocka_unit_test(the_smallest_engine_trades),
        cmocka_unit_test(open_orders_are_refused_above_their_limit),
        cmocka_unit_test(accounts_are_refused_above_their_limit),
        cmocka_unit_test(exactly_the_last_w_finished_orders_are_remembered),
        cmocka_unit_test(other_accounts_do_not_push_out_what_is_remembered),
        cmocka_unit_test(refused_orders_are_remembered_among_the_last_w),
        cmocka_unit_test(a_sweep_goes_on_only_above_events_max),
        cmocka_unit_test(a_sweep_that_took_all_rests_or_is_cancelled_without_going_on),
        cmocka_unit_test(a_sweep_that_waits_leaves_an_uncrossed_book),
        cmocka_unit_test(a_mass_cancel_goes_on_only_above_events_max),
        cmocka_unit_test(names_may_have_their_full_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
