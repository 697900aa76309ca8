/* orders, the cache a gateway keeps: what it makes of events, its limits and its lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/fuzz/random.h"
#include "tests/unit/services/teller.h"

static struct teller t;

static int teardown(void **state)
{
    (void)state;
    teller_close(&t);
    return 0;
}

/* ---- one order ---- */

static void an_order_is_what_its_events_made_of_it(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 4, 5);
    uint64_t id = teller_id(1, 9);
    const struct live_order *o = teller_accepted(&t, id, "a", "first", 5);
    assert_ptr_equal(o, orders_find(t.orders, id));
    assert_string_equal(o->symbol, "X-Y");
    assert_string_equal(o->account, "a");
    assert_string_equal(o->client_order_id, "first");
    assert_true(o->shard == 1 && o->epoch == TELLER_EPOCH + 1 && o->status == ORDER_STATUS_NEW);
    assert_true(o->qty == 5 && o->open_qty == 5 && o->price.given && o->price.value == 100);
    assert_true(o->accepted_ns == 1000 && o->changed_ns == 1000 && o->changed_seq == 1000);
    t.now_ns += 5;
    t.seq += 2;
    o = teller_amended(&t, id, "a", -3, 9, 9);
    assert_true(o->price.value == -3 && o->qty == 9 && o->open_qty == 9 && o->reason == 0);
    assert_true(o->accepted_ns == 1000 && o->changed_ns == 1005 && o->changed_seq == 1002);
    o = teller_filled(&t, id, "a", 1, -3, 4, 5, true);
    assert_true(o->status == ORDER_STATUS_PARTIALLY_FILLED && o->filled_qty == 4);
    o = teller_filled(&t, id, "a", 2, -4, 1, 4, false);
    assert_true(o->open_qty == 4 && o->filled_qty == 5 && o->notional == -16 && o->qty == 9);
    o = teller_amended(&t, id, "a", -3, 6, 1);
    assert_true(o->status == ORDER_STATUS_PARTIALLY_FILLED && o->qty == 6 && o->open_qty == 1);
    teller_assert_counts(&t, 1, 0, 0, 0);
    o = teller_cancelled(&t, id, "a", 1);
    assert_true(o->status == ORDER_STATUS_CANCELLED && o->reason == REASON_USER);
    assert_true(o->open_qty == 0 && o->qty == 6 && o->filled_qty == 5);
    teller_assert_counts(&t, 0, 1, 0, 0);
    assert_true(teller_labelled(&t, 1, "a", "first") == id &&
                teller_labelled(&t, 0, "a", "first") == 0);
    assert_true(orders_account_seq(t.orders, 1, text_of("a")) == 1002);
    assert_true(orders_account_seq(t.orders, 0, text_of("a")) == 0);
    assert_true(orders_account_seq(t.orders, 1, text_of("b")) == 0);
}

static void a_refused_order_is_as_it_was_asked_for(void **state)
{
    (void)state;
    teller_open(&t, 1, 10, 4, 5);
    const struct live_order *o = teller_rejected(&t, 9, "a", "x");
    assert_true(o->status == ORDER_STATUS_REJECTED && o->reason == REJECT_INVALID_QUANTITY);
    assert_true(o->qty == -7 && o->open_qty == 0 && !o->price.given && o->price.value == 0);
    teller_assert_counts(&t, 0, 1, 0, 0);
    assert_null(teller_cancelled(&t, 9, "a", 7));
    teller_assert_counts(&t, 0, 1, 1, 0);
}

/* The largest fills there can be, and one more lot than there is. */
static void a_notional_has_room_for_all_there_can_be(void **state)
{
    (void)state;
    teller_open(&t, 1, 10, 4, 5);
    teller_accepted(&t, 1, "a", "", INT64_MAX);
    const struct live_order *o = teller_filled(&t, 1, "a", 1, INT64_MIN, INT64_MAX - 1, 1, true);
    assert_true(o->notional == (wide_t)INT64_MIN * (INT64_MAX - 1));
    assert_null(teller_filled(&t, 1, "a", 2, INT64_MIN, 2, -1, true));
    o = teller_filled(&t, 1, "a", 2, INT64_MIN, 1, 0, true);
    assert_true(o->notional == (wide_t)INT64_MIN * INT64_MAX);
}

/* ---- limits ---- */

static void open_orders_have_room_up_to_their_limit(void **state)
{
    (void)state;
    teller_open(&t, 1, 3, 4, 0);
    assert_non_null(teller_accepted(&t, 1, "a", "", 5));
    assert_non_null(teller_accepted(&t, 2, "b", "", 5));
    assert_non_null(teller_accepted(&t, 3, "a", "", 5));
    teller_assert_counts(&t, 3, 0, 0, 0);
    assert_null(teller_accepted(&t, 4, "a", "", 5));
    assert_null(orders_find(t.orders, 4));
    teller_assert_counts(&t, 3, 0, 0, 1);
    assert_null(teller_cancelled(&t, 4, "a", 5)); /* what had no room is not known */
    teller_assert_counts(&t, 3, 0, 1, 1);
    assert_non_null(teller_cancelled(&t, 1, "a", 5));
    assert_non_null(teller_accepted(&t, 5, "a", "", 5));
    teller_assert_counts(&t, 3, 0, 1, 1);
}

static void room_of_finished_orders_that_are_not_there_is_lent(void **state)
{
    (void)state;
    teller_open(&t, 1, 2, 1, 1);
    for (uint64_t id = 1; id <= 3; id++)
        assert_non_null(teller_accepted(&t, id, "a", "", 5));
    assert_null(teller_accepted(&t, 4, "a", "", 5));
    for (uint64_t id = 1; id <= 3; id++)
        assert_non_null(teller_cancelled(&t, id, "a", 5));
    teller_assert_counts(&t, 0, 1, 0, 1);
    assert_non_null(orders_find(t.orders, 3));
}

static void so_many_finished_orders_of_an_account_are_known(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 4, 3);
    teller_finished(&t, teller_id(1, 1), "a", "shard");
    teller_finished(&t, 1, "b", "account");
    teller_accepted(&t, 2, "a", "open", 5);
    teller_finished(&t, 3, "a", "one");
    teller_finished(&t, 4, "a", "two");
    teller_assert_counts(&t, 1, 4, 0, 0);
    teller_rejected(&t, 5, "a", "three");
    teller_assert_counts(&t, 1, 5, 0, 0);
    assert_true(teller_labelled(&t, 0, "a", "one") == 3);
    teller_cancelled(&t, 2, "a", 5); /* the last to finish */
    teller_assert_counts(&t, 0, 5, 0, 0);
    assert_true(orders_find(t.orders, 3) == NULL && teller_labelled(&t, 0, "a", "one") == 0);
    TELLER_LIST(&t, "a", TELLER_START, teller_id(1, 1), 5, 4, 2);
    TELLER_LIST(&t, "b", TELLER_START, 1);
}

static void an_order_forgotten_as_it_finishes_can_still_be_read(void **state)
{
    (void)state;
    teller_open(&t, 1, 1, 1, 0);
    teller_accepted(&t, 1, "a", "x", 5);
    const struct live_order *o = teller_filled(&t, 1, "a", 1, 100, 5, 0, false);
    assert_true(o->order_id == 1 && o->status == ORDER_STATUS_FILLED && o->filled_qty == 5);
    assert_string_equal(o->client_order_id, "x");
    assert_true(orders_find(t.orders, 1) == NULL && teller_labelled(&t, 0, "a", "x") == 0);
    o = teller_rejected(&t, 2, "a", "x");
    assert_true(o->order_id == 2 && o->reason == REJECT_INVALID_QUANTITY);
    teller_assert_counts(&t, 0, 0, 0, 0);
}

static void of_its_own_trade_the_maker_finished_first(void **state)
{
    (void)state;
    teller_open(&t, 1, 4, 1, 2);
    teller_finished(&t, 1, "a", "");
    teller_accepted(&t, 2, "a", "", 5);
    teller_accepted(&t, 3, "a", "", 5);
    teller_filled(&t, 3, "a", 1, 100, 5, 0, false);
    teller_filled(&t, 2, "a", 1, 100, 5, 0, true);
    TELLER_LIST(&t, "a", TELLER_START, 3, 2);
    teller_finished(&t, 4, "a", "");
    TELLER_LIST(&t, "a", TELLER_START, 4, 3);
    teller_accepted(&t, 5, "a", "", 5); /* another's trade with this one does not go before it */
    teller_filled(&t, 5, "a", 2, 100, 5, 0, true);
    teller_finished(&t, 6, "a", "");
    TELLER_LIST(&t, "a", TELLER_START, 6, 5);
}

static void accounts_have_a_limit_of_all_shards(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 3, 2);
    assert_non_null(teller_accepted(&t, 1, "a", "", 5));
    assert_non_null(teller_accepted(&t, 2, "b", "", 5));
    assert_non_null(teller_accepted(&t, teller_id(1, 1), "a", "", 5));
    assert_null(teller_accepted(&t, 3, "c", "", 5));
    assert_null(teller_rejected(&t, teller_id(1, 2), "b", ""));
    teller_assert_counts(&t, 3, 0, 0, 2);
    assert_non_null(teller_accepted(&t, 4, "a", "", 5));
    teller_cancelled(&t, 2, "b", 5);
    assert_null(teller_accepted(&t, 5, "c", "", 5)); /* an account without orders is still one */
    orders_reset(t.orders, 0, TELLER_EPOCH);
    assert_non_null(teller_accepted(&t, 1, "c", "", 5));
    assert_non_null(teller_accepted(&t, 2, "d", "", 5));
    assert_null(teller_accepted(&t, 3, "b", "", 5));
}

/* ---- labels, lists, resets ---- */

/* The cache may remember more than the matcher, for which the label was free again. */
static void a_label_used_again_is_that_of_the_newest(void **state)
{
    (void)state;
    teller_open(&t, 1, 10, 4, 3);
    teller_finished(&t, 1, "a", "x");
    teller_finished(&t, 2, "b", "x");
    teller_finished(&t, 3, "a", "x");
    teller_accepted(&t, 4, "a", "x", 5);
    assert_true(teller_labelled(&t, 0, "a", "x") == 4 && teller_labelled(&t, 0, "b", "x") == 2);
    teller_finished(&t, 5, "a", "y");
    teller_finished(&t, 6, "a", "z"); /* the first is forgotten */
    assert_true(orders_find(t.orders, 1) == NULL && teller_labelled(&t, 0, "a", "x") == 4);
    teller_cancelled(&t, 4, "a", 5);
    assert_true(orders_find(t.orders, 3) == NULL && teller_labelled(&t, 0, "a", "x") == 4);
    for (uint64_t id = 7; id < 10; id++)
        teller_finished(&t, id, "a", "");
    assert_true(teller_labelled(&t, 0, "a", "x") == 0 && teller_labelled(&t, 0, "a", "") == 0);
    assert_true(teller_labelled(&t, 0, "b", "x") == 2 && teller_labelled(&t, 0, "c", "x") == 0);
}

static void shards_are_merged_newest_first(void **state)
{
    (void)state;
    teller_open(&t, ORDERS_SHARDS_MAX, 200, 200, 5);
    teller_accepted(&t, 1, "a", "", 5);
    teller_accepted(&t, teller_id(63, 1), "a", "", 5); /* as old: then the higher shard is newer */
    teller_accepted(&t, 2, "a", "", 5);                /* then the higher id */
    t.now_ns++;
    teller_finished(&t, teller_id(1, 7), "a", "");
    teller_accepted(&t, teller_id(1, 8), "b", "", 5);
    t.now_ns++;
    teller_accepted(&t, 3, "a", "", 5);
    TELLER_LIST(&t, "a", TELLER_START, 3, teller_id(1, 7), teller_id(63, 1), 2, 1);
    TELLER_LIST(&t, "b", TELLER_START, teller_id(1, 8));
    teller_assert_list(&t, "c", TELLER_START, NULL, 0);
}

static void a_list_goes_on_behind_an_order_that_is_gone(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 4, 2);
    for (uint64_t id = 1; id <= 4; id++, t.now_ns++)
        teller_accepted(&t, teller_id(id % 2, id), "a", "", 5);
    uint64_t third = teller_id(1, 3);
    struct orders_place place = {orders_find(t.orders, third)->accepted_ns, 1, third};
    TELLER_LIST(&t, "a", place, 2, teller_id(1, 1));
    teller_cancelled(&t, third, "a", 5);
    teller_finished(&t, teller_id(1, 5), "a", "");
    teller_finished(&t, teller_id(1, 6), "a", "");
    assert_null(orders_find(t.orders, third));
    TELLER_LIST(&t, "a", place, 2, teller_id(1, 1));
    orders_reset(t.orders, 1, TELLER_EPOCH);
    TELLER_LIST(&t, "a", place, 2);
    TELLER_LIST(&t, "a", TELLER_START, 4, 2);
    place = (struct orders_place){place.accepted_ns - 1, 0, 2}; /* the second's own */
    teller_assert_list(&t, "a", place, NULL, 0);
    place = (struct orders_place){UINT64_MAX, UINT16_MAX, UINT64_MAX};
    TELLER_LIST(&t, "a", place, 4, 2);
    place = (struct orders_place){1, 0, 0};
    teller_assert_list(&t, "a", place, NULL, 0);
}

static void a_reset_of_one_shard_leaves_the_others(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 4, 2);
    for (unsigned shard = 0; shard < 2; shard++) {
        teller_accepted(&t, teller_id(shard, 1), "a", "open", 5);
        teller_finished(&t, teller_id(shard, 2), "a", "gone");
        teller_finished(&t, teller_id(shard, 3), "b", "gone");
    }
    orders_reset(t.orders, 1, TELLER_EPOCH + 5);
    teller_assert_counts(&t, 1, 2, 0, 0);
    TELLER_LIST(&t, "a", TELLER_START, 2, 1);
    assert_true(teller_labelled(&t, 0, "a", "open") == 1 &&
                teller_labelled(&t, 1, "a", "open") == 0);
    assert_true(teller_labelled(&t, 0, "b", "gone") == 3 &&
                teller_labelled(&t, 1, "b", "gone") == 0);
    assert_true(orders_find(t.orders, 1) != NULL && orders_find(t.orders, teller_id(1, 1)) == NULL);
    assert_true(orders_account_seq(t.orders, 0, text_of("a")) == 1000);
    assert_true(orders_account_seq(t.orders, 1, text_of("a")) == 0);
    assert_true(teller_accepted(&t, teller_id(1, 1), "a", "open", 5)->epoch == TELLER_EPOCH + 5);
    orders_reset(t.orders, 0, TELLER_EPOCH);
    orders_reset(t.orders, 1, TELLER_EPOCH);
    orders_reset(t.orders, 2, TELLER_EPOCH); /* there is no such shard */
    teller_assert_counts(&t, 0, 0, 0, 0);
}

/* Finished orders come by when they finished; the list is by when they were accepted. */
static void a_snapshot_in_any_order_is_listed_in_order(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct random r = {1};
    uint64_t ids[COUNT];
    teller_open(&t, 1, COUNT, 4, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        uint64_t at = random_below(&r, i + 1);
        ids[i] = ids[at];
        ids[at] = i + 1;
    }
    for (unsigned i = 0; i < COUNT; i++) {
        struct order_state m = teller_state(&t, ids[i]);
        m.accepted_ns = 1000 + ids[i] / 3;
        orders_state(t.orders, 0, &m);
    }
    for (unsigned i = 0; i < COUNT; i++)
        ids[i] = COUNT - i;
    teller_assert_list(&t, "a", TELLER_START, ids, COUNT);
    t.now_ns = 1000 + COUNT;
    teller_accepted(&t, COUNT + 1, "a", "", 5);
    t.now_ns = 0;
    teller_accepted(&t, COUNT + 2, "a", "", 5);
    struct orders_walk walk;
    orders_walk_begin(t.orders, text_of("a"), &TELLER_START, &walk);
    assert_true(orders_walk_next(t.orders, &walk)->order_id == COUNT + 1);
    for (unsigned i = 0; i < COUNT; i++)
        assert_true(orders_walk_next(t.orders, &walk)->order_id == ids[i]);
    assert_true(orders_walk_next(t.orders, &walk)->order_id == COUNT + 2);
    assert_null(orders_walk_next(t.orders, &walk));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_order_is_what_its_events_made_of_it),
        TEST(a_refused_order_is_as_it_was_asked_for),
        TEST(a_notional_has_room_for_all_there_can_be),
        TEST(open_orders_have_room_up_to_their_limit),
        TEST(room_of_finished_orders_that_are_not_there_is_lent),
        TEST(so_many_finished_orders_of_an_account_are_known),
        TEST(an_order_forgotten_as_it_finishes_can_still_be_read),
        TEST(of_its_own_trade_the_maker_finished_first),
        TEST(accounts_have_a_limit_of_all_shards),
        TEST(a_label_used_again_is_that_of_the_newest),
        TEST(shards_are_merged_newest_first),
        TEST(a_list_goes_on_behind_an_order_that_is_gone),
        TEST(a_reset_of_one_shard_leaves_the_others),
        TEST(a_snapshot_in_any_order_is_listed_in_order),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
