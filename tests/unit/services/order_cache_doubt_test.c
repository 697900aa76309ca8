/* orders, the cache a gateway keeps, believes nothing that cannot be true: it is counted, and
 * changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/teller.h"

static struct teller t;

static int teardown(void **state)
{
    (void)state;
    teller_close(&t);
    return 0;
}

/* ---- events ---- */

static void an_event_that_does_not_fit_its_order_changes_nothing(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 4, 2);
    teller_accepted(&t, 1, "a", "x", 5);
    teller_filled(&t, 1, "a", 1, 100, 2, 3, true);
    struct live_order before = *orders_find(t.orders, 1);
    t.seq++;
    const struct live_order *told[] = {
        teller_filled(&t, 1, "a", 1, 100, 4, -1, true),
        teller_filled(&t, 1, "a", 1, 100, 2, 2, true),
        teller_filled(&t, 1, "a", 1, 100, 0, 3, true),
        teller_filled(&t, 1, "a", 1, 100, -1, 4, true),
        teller_filled(&t, 1, "a", 1, 100, INT64_MIN, INT64_MAX, true),
        teller_filled(&t, 1, "b", 1, 100, 1, 2, true),
        teller_filled(&t, 2, "a", 1, 100, 1, 2, true),
        teller_filled(&t, 0, "a", 1, 100, 1, 2, true),
        teller_amended(&t, 1, "a", 100, 2, 0),
        teller_amended(&t, 1, "a", 100, 1, -1),
        teller_amended(&t, 1, "a", 100, 5, 4),
        teller_amended(&t, 1, "a", 100, INT64_MIN, INT64_MAX - 1),
        teller_amended(&t, 1, "b", 100, 5, 3),
        teller_amended(&t, 2, "a", 100, 5, 3),
        teller_cancelled(&t, 1, "a", 2),
        teller_cancelled(&t, 1, "a", 4),
        teller_cancelled(&t, 1, "", 3),
        teller_cancelled(&t, 2, "a", 3),
        teller_accepted(&t, 1, "a", "y", 5),
        teller_rejected(&t, 1, "a", "y"),
    };
    enum { COUNT = sizeof told / sizeof told[0] };
    for (unsigned i = 0; i < COUNT; i++)
        assert_null(told[i]);
    teller_assert_counts(&t, 1, 0, COUNT, 0);
    assert_memory_equal(&before, orders_find(t.orders, 1), sizeof before);
    assert_true(orders_account_seq(t.orders, 0, text_of("a")) == t.seq - 1);
    assert_true(teller_labelled(&t, 0, "a", "y") == 0 && teller_labelled(&t, 0, "a", "x") == 1);
}

static void a_finished_order_changes_no_more(void **state)
{
    (void)state;
    teller_open(&t, 1, 10, 4, 2);
    teller_finished(&t, 1, "a", "x");
    assert_null(teller_cancelled(&t, 1, "a", 5));
    assert_null(teller_cancelled(&t, 1, "a", 0));
    assert_null(teller_filled(&t, 1, "a", 1, 100, 5, 0, true));
    assert_null(teller_amended(&t, 1, "a", 100, 6, 6));
    assert_null(teller_accepted(&t, 1, "a", "x", 5));
    teller_assert_counts(&t, 0, 1, 5, 0);
}

/* What was asked for as a market order has no price to amend. */
static void a_market_order_is_not_amended(void **state)
{
    (void)state;
    teller_open(&t, 1, 10, 4, 2);
    struct order_state m = teller_state(&t, 1);
    m.type = ORDER_TYPE_MARKET;
    m.price = (struct i64_or_nil){0, false};
    orders_state(t.orders, 0, &m);
    assert_null(teller_amended(&t, 1, "a", 100, 5, 3));
    teller_assert_counts(&t, 1, 0, 1, 0);
}

static const struct live_order *accepted(unsigned shard, const char *topic,
                                         const struct order_accepted *m)
{
    uint8_t bytes[ORDER_ACCEPTED_SIZE_MAX + 256];
    struct wire_writer w = {bytes};
    order_accepted_put_fields(&w, m);
    return teller_event(&t, shard, topic, MESSAGE_ORDER_ACCEPTED, bytes, (size_t)(w.at - bytes));
}

static struct order_accepted good(void)
{
    return (struct order_accepted){
        .order_id = teller_id(1, 5),
        .symbol = text_of("X-Y"),
        .account = text_of("a"),
        .client_order_id = text_of("x"),
        .side = SIDE_BUY,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .stp = STP_NONE,
        .price = {100, true},
        .qty = 5,
    };
}

static void what_is_no_order_is_not_accepted(void **state)
{
    (void)state;
    static const char longest[] = "0123456789012345678901234567890123456789";
    teller_open(&t, 2, 10, 4, 2);
    unsigned count = 0;
#define REFUSED(topic, change)                                                                     \
    do {                                                                                           \
        struct order_accepted m = good();                                                          \
        change;                                                                                    \
        assert_null(accepted(1, topic, &m));                                                       \
        teller_assert_counts(&t, 0, 0, ++count, 0);                                                \
    } while (0)
    REFUSED("b", (void)m);
    REFUSED("", m.account = text_of(""));
    REFUSED("a b", m.account = text_of("a b"));
    REFUSED(longest, m.account = ((struct text){longest, ACCOUNT_SIZE_MAX + 1}));
    REFUSED("a", m.symbol = text_of(""));
    REFUSED("a", m.symbol = text_of("x y"));
    REFUSED("a", m.symbol = ((struct text){longest, SYMBOL_SIZE_MAX + 1}));
    REFUSED("a", m.client_order_id = text_of("\""));
    REFUSED("a", m.client_order_id = ((struct text){"x\0y", 3}));
    REFUSED("a", m.client_order_id = ((struct text){longest, CLIENT_ORDER_ID_SIZE_MAX + 1}));
    REFUSED("a", m.order_id = 5); /* of another shard */
    REFUSED("a", m.side = 0);
    REFUSED("a", m.side = 3);
    REFUSED("a", m.side = SIDE_BUY + 256);
    REFUSED("a", m.type = 0);
    REFUSED("a", m.type = 3);
    REFUSED("a", m.time_in_force = 0);
    REFUSED("a", m.time_in_force = 4);
    REFUSED("a", m.stp = 0);
    REFUSED("a", m.stp = 3);
    REFUSED("a", m.price.given = false);
    REFUSED("a", m.type = ORDER_TYPE_MARKET);
    REFUSED("a", m.qty = 0);
    REFUSED("a", m.qty = INT64_MIN);
#undef REFUSED
    struct order_accepted m = good();
    assert_null(accepted(2, "a", &m)); /* there is no such shard */
    teller_assert_counts(&t, 0, 0, ++count, 0);
    m.account = (struct text){longest, ACCOUNT_SIZE_MAX};
    m.symbol = (struct text){longest, SYMBOL_SIZE_MAX};
    m.client_order_id = (struct text){longest, CLIENT_ORDER_ID_SIZE_MAX};
    assert_non_null(accepted(1, "01234567890123456789012345678901", &m));
    teller_assert_counts(&t, 1, 0, count, 0);
}

static void an_event_cut_short_is_counted(void **state)
{
    (void)state;
    uint8_t bytes[ORDER_ACCEPTED_SIZE_MAX];
    struct wire_writer w = {bytes};
    teller_open(&t, 1, 10, 4, 2);
    struct order_accepted m = good();
    m.order_id = 5;
    order_accepted_put_fields(&w, &m);
    size_t whole = (size_t)(w.at - bytes);
    for (size_t size = 0; size < whole; size++) {
        for (uint64_t type = MESSAGE_ORDER_ACCEPTED; type <= MESSAGE_ORDER_CANCELLED; type++)
            assert_null(teller_event(&t, 0, "a", type, bytes, size));
    }
    teller_assert_counts(&t, 0, 0, whole * 5, 0);
    assert_non_null(teller_event(&t, 0, "a", MESSAGE_ORDER_ACCEPTED, bytes, whole));
}

static void an_event_of_no_order_is_counted(void **state)
{
    (void)state;
    static const uint64_t types[] = {0, MESSAGE_RESULT, MESSAGE_ORDER_STATE, MESSAGE_TRADE,
                                     UINT64_MAX};
    teller_open(&t, 1, 10, 4, 2);
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_null(teller_event(&t, 0, "a", types[i], (const uint8_t *)"", 0));
    teller_assert_counts(&t, 0, 0, sizeof types / sizeof types[0], 0);
}

/* ---- snapshots ---- */

static void what_cannot_be_is_no_state(void **state)
{
    (void)state;
    teller_open(&t, 2, 10, 4, 2);
    unsigned count = 0;
#define REFUSED(...)                                                                               \
    do {                                                                                           \
        struct order_state m = teller_state(&t, 5);                                                \
        __VA_ARGS__;                                                                               \
        orders_state(t.orders, 0, &m);                                                             \
        teller_assert_counts(&t, 0, 0, ++count, 0);                                                \
    } while (0)
#define STATUS(s, total, left, done)                                                               \
    m.status = (s), m.qty = (total), m.open_qty = (left), m.filled_qty = (done)
    REFUSED(m.order_id = 0);
    REFUSED(m.order_id = teller_id(1, 5));
    REFUSED(m.account = text_of(""));
    REFUSED(m.symbol = text_of("x"));
    REFUSED(m.side = 3);
    REFUSED(m.reason = UINT16_MAX + 1);
    REFUSED(STATUS(0, 5, 5, 0));
    REFUSED(STATUS(6, 5, 5, 0));
    REFUSED(STATUS(ORDER_STATUS_NEW + 256, 5, 5, 0));
    REFUSED(STATUS(ORDER_STATUS_NEW, 0, 0, 0));
    REFUSED(STATUS(ORDER_STATUS_NEW, 5, 3, 2));
    REFUSED(STATUS(ORDER_STATUS_NEW, 5, 4, 0));
    REFUSED(STATUS(ORDER_STATUS_PARTIALLY_FILLED, 5, 5, 0));
    REFUSED(STATUS(ORDER_STATUS_PARTIALLY_FILLED, 5, 0, 5));
    REFUSED(STATUS(ORDER_STATUS_PARTIALLY_FILLED, 5, -1, 6));
    REFUSED(STATUS(ORDER_STATUS_PARTIALLY_FILLED, 5, 6, -1));
    REFUSED(STATUS(ORDER_STATUS_FILLED, 5, 0, 4));
    REFUSED(STATUS(ORDER_STATUS_FILLED, 5, 1, 5));
    REFUSED(STATUS(ORDER_STATUS_CANCELLED, 5, 0, 5));
    REFUSED(STATUS(ORDER_STATUS_CANCELLED, 5, 1, 4));
    REFUSED(STATUS(ORDER_STATUS_CANCELLED, -5, 0, 0));
    REFUSED(STATUS(ORDER_STATUS_REJECTED, 5, 1, 0));
    REFUSED(STATUS(ORDER_STATUS_REJECTED, 5, 0, 1));
    REFUSED(m.notional_high = INT64_MAX);
    REFUSED(m.notional_high = INT64_MIN);
    REFUSED(m.notional_high = 1, m.notional_low = 1);
#undef STATUS
#undef REFUSED
    struct order_state m = teller_state(&t, 5);
    orders_state(t.orders, 2, &m); /* there is no such shard */
    m.notional_high = 1;           /* 2 lots at 2^63 */
    m.notional_low = 0;
    orders_state(t.orders, 0, &m);
    orders_state(t.orders, 0, &m); /* twice */
    teller_assert_counts(&t, 1, 0, count + 2, 0);
    assert_true(orders_find(t.orders, 5)->notional == (wide_t)1 << 64);
    assert_non_null(teller_filled(&t, 5, "a", 1, INT64_MAX, 3, 0, true));
}

static void a_snapshot_has_the_limits_events_have(void **state)
{
    (void)state;
    teller_open(&t, 1, 2, 2, 1);
    struct order_state m = teller_state(&t, 0);
    for (m.order_id = 1; m.order_id <= 5; m.order_id++)
        orders_state(t.orders, 0, &m);
    teller_assert_counts(&t, 4, 0, 0, 1);
    orders_reset(t.orders, 0, TELLER_EPOCH);
    m.status = ORDER_STATUS_CANCELLED;
    m.open_qty = 0;
    for (m.order_id = 1; m.order_id <= 3; m.order_id++)
        orders_state(t.orders, 0, &m);
    teller_assert_counts(&t, 0, 1, 0, 1);
    assert_non_null(orders_find(t.orders, 3));
}

/* ---- anything at all ---- */

enum { EVENTS = 3000, IDS = 40, SHARDS = 2 };

static const char *const names[] = {"a", "b", "c"};

static void any_state(struct random *r, uint64_t id)
{
    struct order_state m = teller_state(&t, id);
    m.account = text_of(RANDOM_OF(r, names));
    m.client_order_id = text_of(RANDOM_OF(r, names));
    m.accepted_ns = random_below(r, 5);
    if (random_once_in(r, 2)) {
        m.status = ORDER_STATUS_CANCELLED;
        m.open_qty = 0;
    }
    orders_state(t.orders, (unsigned)(id >> 48), &m);
}

static void any_event(struct random *r)
{
    uint64_t id = teller_id((unsigned)random_below(r, SHARDS), random_below(r, IDS));
    const struct live_order *o = orders_find(t.orders, id);
    const char *account = o == NULL || random_once_in(r, 9) ? RANDOM_OF(r, names) : o->account;
    char own[ACCOUNT_SIZE_MAX + 1];
    strcpy(own, account);
    int64_t open = o == NULL ? 5 : o->open_qty, filled = o == NULL ? 0 : o->filled_qty;
    int64_t qty = 1 + (int64_t)random_below(r, 6);
    uint64_t trade = random_below(r, 3);
    t.now_ns = 1000 + random_below(r, 5);
    switch (random_below(r, 8)) {
    case 0:
        teller_accepted(&t, id, own, RANDOM_OF(r, names), qty);
        break;
    case 1:
        teller_rejected(&t, id, own, RANDOM_OF(r, names));
        break;
    case 2:
        teller_amended(&t, id, own, qty, filled + qty, qty);
        break;
    case 3:
        teller_cancelled(&t, id, own, open);
        break;
    case 4:
        any_state(r, id);
        break;
    default:
        qty = random_once_in(r, 2) ? open : qty;
        teller_filled(&t, id, own, trade, 100, qty, open - qty, random_once_in(r, 2));
    }
}

/* The lists hold each order once, in order, and all of them. */
static void check(void)
{
    struct orders_counts c = orders_counts(t.orders);
    uint64_t open = 0, finished = 0;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct orders_walk walk;
        struct live_order before = {.accepted_ns = UINT64_MAX};
        const struct live_order *o;
        orders_walk_begin(t.orders, text_of(names[i]), &TELLER_START, &walk);
        while ((o = orders_walk_next(t.orders, &walk)) != NULL) {
            assert_ptr_equal(o, orders_find(t.orders, o->order_id));
            assert_string_equal(o->account, names[i]);
            assert_true(o->accepted_ns < before.accepted_ns ||
                        (o->accepted_ns == before.accepted_ns && o->order_id < before.order_id));
            assert_true(teller_labelled(&t, o->shard, names[i], o->client_order_id) != 0);
            *(o->open_qty > 0 ? &open : &finished) += 1;
            before = *o;
        }
    }
    assert_true(c.open == open && c.finished == finished);
}

static void one_run(uint64_t seed)
{
    struct random r = {seed};
    teller_open(&t, SHARDS, 1 + (uint32_t)(seed % 30), 3 + seed % 4, (uint32_t)(seed % 3));
    for (unsigned i = 0; i < EVENTS; i++) {
        any_event(&r);
        if (random_once_in(&r, 20))
            check();
        if (random_once_in(&r, 300))
            orders_reset(t.orders, (unsigned)random_below(&r, SHARDS), TELLER_EPOCH);
    }
    check();
    teller_close(&t);
}

static void whatever_is_told_the_lists_are_whole(void **state)
{
    (void)state;
    seeds_run("order_cache_doubt", 60, one_run);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_event_that_does_not_fit_its_order_changes_nothing),
        TEST(a_finished_order_changes_no_more),
        TEST(a_market_order_is_not_amended),
        TEST(what_is_no_order_is_not_accepted),
        TEST(an_event_cut_short_is_counted),
        TEST(an_event_of_no_order_is_counted),
        TEST(what_cannot_be_is_no_state),
        TEST(a_snapshot_has_the_limits_events_have),
        SEEDS_TEST(whatever_is_told_the_lists_are_whole),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
