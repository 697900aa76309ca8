/* market: its trades: the last of them, page by page, and as they happen; and what is too much for
 * one message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/pit.h"

/* Orders whose level 3 rows are beyond any message; and events whose texts are. */
enum { ORDERS_TOO_MANY = 250000, EVENTS_TOO_MANY = 40000 };

static struct pit pit;

static int setup(void **state)
{
    *state = &pit;
    pit_open(&pit, "0.01", "0.001", ORDERS_TOO_MANY);
    return 0;
}

static int teardown(void **state)
{
    pit_close(*state);
    return 0;
}

/* Trade `id` of sequence id + 1000, as a snapshot has it. */
static void past(uint64_t id)
{
    pit_past_trade(&pit, &(struct past_trade){.seq = id + 1000,
                                              .time_ns = PIT_NS + id * 1000,
                                              .trade_id = id,
                                              .maker_order_id = 1,
                                              .taker_order_id = 2,
                                              .price = 10000,
                                              .qty = 3,
                                              .aggressor = SIDE_SELL});
}

/* A group of one trade. */
static void happen(uint64_t id)
{
    struct trade t = pit_trade_of(id);
    pit_trade(&pit, id + 1000, &t);
    pit_trades_group(&pit, id + 1000);
}

#define ROW                                                                                        \
    "{\"trade_id\":\"%u\",\"price\":\"100.00\",\"quantity\":\"0.003\",\"aggressor_side\":\"%s\","  \
    "\"epoch\":1763683000,\"seq\":%u,\"timestamp\":\"2025-11-21T00:00:00.%06uZ\","                 \
    "\"ts\":1763683200%06u}"

static void trades_are_told_newest_first(void **state)
{
    (void)state;
    uint64_t next;
    bool more;
    char expected[1000];
    assert_string_equal(pit_trades(&pit, 0, 10, &next, &more), "{\"data\":[]}");
    assert_false(more);
    past(1);
    past(2);
    pit_trades_joined(&pit, 1002);
    happen(3);
    snprintf(expected, sizeof expected, "{\"data\":[" ROW "," ROW "," ROW "]}", 3, "buy", 1003,
             123456, 123456, 2, "sell", 1002, 123458, 123458, 1, "sell", 1001, 123457, 123457);
    assert_string_equal(pit_trades(&pit, 0, 10, &next, &more), expected);
    assert_false(more);
    assert_int_equal(next, 0);
}

static void a_trade_without_an_aggressor_has_none(void **state)
{
    (void)state;
    uint64_t next;
    bool more;
    pit_trade(&pit, 5, &(struct trade){1, 1, 2, 10000, 3, 0});
    pit_trade(&pit, 5, &(struct trade){2, 1, 2, 10000, 3, 3}); /* of a later version */
    pit_trades_group(&pit, 5);
    const char *text = pit_trades(&pit, 0, 10, &next, &more);
    for (unsigned i = 0; i < 2; i++) {
        text = strstr(text, "\"aggressor_side\":null");
        assert_non_null(text);
        text++;
    }
}

/* All pages of `limit`, one behind the other: each trade once, newest first, none missing. */
static void assert_pages(uint64_t oldest, uint64_t newest, unsigned limit)
{
    uint64_t next = 0, expected = newest;
    bool more = true;
    while (more) {
        const char *at = pit_trades(&pit, next, limit, &next, &more);
        unsigned count = 0;
        for (; (at = strstr(at, "\"trade_id\":\"")) != NULL; at += 12, count++)
            assert_int_equal(strtoull(at + 12, NULL, 10), expected--);
        assert_true(count <= limit && (count == limit || !more));
        assert_true(count > 0 && (!more || next == expected + 1));
    }
    assert_int_equal(expected, oldest - 1);
}

static void as_many_trades_are_kept_as_there_is_room(void **state)
{
    (void)state;
    for (uint64_t id = 1; id <= MARKET_TRADES_KEPT - 1; id++)
        happen(id);
    assert_pages(1, MARKET_TRADES_KEPT - 1, 1000);
    happen(MARKET_TRADES_KEPT);
    assert_pages(1, MARKET_TRADES_KEPT, 1000);
    assert_pages(1, MARKET_TRADES_KEPT, 999);
    happen(MARKET_TRADES_KEPT + 1);
    assert_pages(2, MARKET_TRADES_KEPT + 1, 1000);
    assert_pages(2, MARKET_TRADES_KEPT + 1, 7);
}

static void a_group_may_be_larger_than_what_is_kept(void **state)
{
    (void)state;
    uint64_t next;
    bool more;
    for (uint64_t id = 1; id <= 3 * MARKET_TRADES_KEPT + 5; id++) {
        struct trade t = pit_trade_of(id);
        pit_trade(&pit, 9, &t);
    }
    pit_trades_group(&pit, 9);
    assert_pages(2 * MARKET_TRADES_KEPT + 6, 3 * MARKET_TRADES_KEPT + 5, 1000);
    assert_null(strstr(pit_trades(&pit, 0, 1000, &next, &more), "1970-"));
    pit_trades_joined(&pit, 9);
    const char *last = strstr(pit_first(&pit, CHANNEL_TRADES), "\"last\":true");
    assert_non_null(last);
    assert_string_equal(last, "\"last\":true,\"recent\":true}\n");
}

static void pages_go_on_from_a_trade_that_is_gone(void **state)
{
    (void)state;
    uint64_t next;
    bool more;
    past(10);
    past(20);
    past(30);
    assert_non_null(strstr(pit_trades(&pit, 25, 1, &next, &more), "\"trade_id\":\"20\""));
    assert_true(more);
    assert_int_equal(next, 20);
    assert_non_null(strstr(pit_trades(&pit, next, 1, &next, &more), "\"trade_id\":\"10\""));
    assert_false(more);
    assert_string_equal(pit_trades(&pit, 10, 1, &next, &more), "{\"data\":[]}");
    assert_false(more);
    assert_string_equal(pit_trades(&pit, 5, 1, &next, &more), "{\"data\":[]}");
}

static void a_new_history_has_no_trades(void **state)
{
    (void)state;
    uint64_t next;
    bool more;
    past(1);
    pit_trades_joined(&pit, 1001);
    happen(2);
    market_trades_reset(&pit.market);
    assert_string_equal(pit_trades(&pit, 0, 10, &next, &more), "{\"data\":[]}");
    pit_joined(&pit, 1);
    assert_non_null(strstr(pit_stats(&pit), "\"trade_count\":0,\"volume\":\"0.000\",\"vwap\":null,"
                                            "\"open\":null"));
}

/* ---- as messages ---- */

#define MESSAGE(id, seq, ts, last)                                                                 \
    "{\"type\":\"trade\",\"symbol\":\"X-Y\",\"trade_id\":\"" #id "\",\"price\":\"100.00\","        \
    "\"quantity\":\"0.003\",\"aggressor_side\":\"buy\",\"epoch\":1763683000,\"seq\":" #seq         \
    ",\"ts\":1763683200" ts ",\"last\":" last

static void the_last_trade_of_a_sequence_says_so(void **state)
{
    (void)state;
    struct trade first = pit_trade_of(1), second = pit_trade_of(2), third = pit_trade_of(3);
    pit_trades_joined(&pit, 4);
    pit_watch(&pit, CHANNEL_TRADES, true);
    pit_trade(&pit, 5, &first);
    pit_trade(&pit, 5, &second);
    pit_assert_quiet(&pit); /* its end and time are not known */
    pit_trades_group(&pit, 5);
    pit_assert_told(&pit, CHANNEL_TRADES, CONFLATION_NEVER, MESSAGE(1, 5, "123456", "false}"));
    pit_assert_told(&pit, CHANNEL_TRADES, CONFLATION_NEVER, MESSAGE(2, 5, "123456", "true}"));
    pit.time_ns += 1000000;
    pit_trade(&pit, 6, &third);
    pit_trades_group(&pit, 6);
    pit_assert_told(&pit, CHANNEL_TRADES, CONFLATION_NEVER, MESSAGE(3, 6, "124456", "true}"));
    pit_assert_quiet(&pit);
    pit_trades_group(&pit, 7);
    pit_assert_quiet(&pit);
    pit_watch(&pit, CHANNEL_TRADES, false);
    assert_string_equal(pit_first(&pit, CHANNEL_TRADES),
                        MESSAGE(1, 5, "123456", "false") ",\"recent\":true}\n" MESSAGE(
                            2, 5, "123456", "true") ",\"recent\":true}\n" //
                        MESSAGE(3, 6, "124456", "true") ",\"recent\":true}\n");
}

/* Ids of the trades among the first messages, which must follow each other. */
static void assert_recent(uint64_t oldest, uint64_t newest)
{
    const char *at = pit_first(&pit, CHANNEL_TRADES);
    uint64_t expected = oldest;
    for (; (at = strstr(at, "\"trade_id\":\"")) != NULL; at += 12)
        assert_int_equal(strtoull(at + 12, NULL, 10), expected++);
    assert_int_equal(expected, newest + 1);
}

static void a_newcomer_gets_the_recent_trades(void **state)
{
    (void)state;
    pit_trades_joined(&pit, 4);
    for (uint64_t id = 1; id < MARKET_TRADES_RECENT; id++)
        happen(id);
    assert_recent(1, MARKET_TRADES_RECENT - 1);
    happen(MARKET_TRADES_RECENT);
    assert_recent(1, MARKET_TRADES_RECENT);
    happen(MARKET_TRADES_RECENT + 1);
    assert_recent(2, MARKET_TRADES_RECENT + 1);
    for (uint64_t id = MARKET_TRADES_RECENT + 2; id <= MARKET_TRADES_KEPT + 5; id++)
        happen(id);
    assert_recent(MARKET_TRADES_KEPT + 6 - MARKET_TRADES_RECENT, MARKET_TRADES_KEPT + 5);
}

static void trades_that_join_anew_are_told_again(void **state)
{
    (void)state;
    pit_watch(&pit, CHANNEL_TRADES, true);
    past(1);
    pit_trades_joined(&pit, 1001);
    pit_forget(&pit);
    pit.epoch++;
    market_trades_reset(&pit.market);
    past(1);
    past(2);
    pit_assert_quiet(&pit);
    pit_trades_joined(&pit, 1002);
    assert_int_equal(pit.told_count, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pit.told[i].conflation, CONFLATION_NEVER);
        assert_non_null(strstr(pit.told[i].text, "\"epoch\":1763683001,"));
        assert_non_null(strstr(pit.told[i].text, "\"last\":true,\"recent\":true}"));
    }
}

/* A group that was not finished before its history ended leaves nothing behind. */
static void half_a_group_is_forgotten_with_its_history(void **state)
{
    (void)state;
    struct trade half = pit_trade_of(1), whole = pit_trade_of(2);
    pit_watch(&pit, CHANNEL_TRADES, true);
    pit_watch(&pit, CHANNEL_EVENTS, true);
    pit_trades_joined(&pit, 4);
    pit_trade(&pit, 5, &half);
    market_trades_reset(&pit.market);
    past(1);
    assert_string_equal(pit_first(&pit, CHANNEL_TRADES), ""); /* there may be more to come */
    pit_trades_joined(&pit, 5);
    pit_forget(&pit);
    pit_trade(&pit, 6, &whole);
    pit_trades_group(&pit, 6);
    assert_non_null(strstr(pit_first(&pit, CHANNEL_TRADES), "\"ts\":1763683200123457,"));
    pit_assert_told(&pit, CHANNEL_TRADES, CONFLATION_NEVER, MESSAGE(2, 6, "123456", "true}"));
    pit_joined(&pit, 4);
    pit_forget(&pit);
    pit_match(&pit, 5, &half);
    market_book_reset(&pit.market);
    pit_joined(&pit, 5);
    pit_forget(&pit);
    pit_frame(&pit, 6);
    pit_assert_quiet(&pit);
}

/* ---- too much for the scratch ---- */

static void fill_book(void)
{
    for (uint64_t i = 1; i <= ORDERS_TOO_MANY; i++)
        pit_add(&pit, 0, &(struct add){UINT64_MAX - i, SIDE_SELL, INT64_MAX, 1, UINT64_MAX - i});
}

static void a_book_too_large_is_told_to_be_so(void **state)
{
    (void)state;
    fill_book();
    pit_watch(&pit, CHANNEL_EVENTS, true);
    pit_watch(&pit, CHANNEL_MARKET_DATA, true);
    pit_joined(&pit, 7);
    assert_int_equal(pit.told_count, 3);
    assert_non_null(strstr(pit.told[0].text, "\"type\":\"snapshot\""));
    assert_non_null(strstr(pit.told[1].text, "\"type\":\"bbo\""));
    assert_int_equal(pit.told[2].channel, CHANNEL_EVENTS);
    assert_string_equal(pit.told[2].text,
                        "{\"type\":\"reset\",\"symbol\":\"X-Y\","
                        "\"epoch\":1763683000,\"seq\":7,\"ts\":1763683200123456}");
}

static void events_too_many_are_told_as_the_book_they_made(void **state)
{
    (void)state;
    pit_joined(&pit, 4);
    pit_watch(&pit, CHANNEL_EVENTS, true);
    for (unsigned i = 0; i < EVENTS_TOO_MANY; i++) {
        pit_add(&pit, 5, &(struct add){9, SIDE_SELL, 100, 1, 1});
        pit_delete(&pit, 5, 9);
    }
    pit_group(&pit, 5);
    pit_frame(&pit, 5);
    assert_int_equal(pit.told_count, 1);
    assert_non_null(strstr(pit.told[0].text, "\"type\":\"snapshot\",\"level\":3,"));
    pit_forget(&pit);
    pit_add(&pit, 6, &(struct add){9, SIDE_SELL, 100, 1, 1});
    pit_group(&pit, 6);
    pit_frame(&pit, 6);
    assert_int_equal(pit.told_count, 1);
    assert_non_null(strstr(pit.told[0].text, "\"type\":\"add\""));
}

static void trades_too_many_are_told_as_the_recent_ones(void **state)
{
    (void)state;
    pit_trades_joined(&pit, 4);
    pit_watch(&pit, CHANNEL_TRADES, true);
    for (uint64_t id = 1; id <= EVENTS_TOO_MANY; id++) {
        struct trade t = pit_trade_of(id);
        pit_trade(&pit, 5, &t);
    }
    pit_trades_group(&pit, 5);
    assert_int_equal(pit.told_count, MARKET_TRADES_RECENT);
    assert_non_null(strstr(pit.told[0].text, "\"recent\":true"));
    pit_forget(&pit);
    happen(EVENTS_TOO_MANY + 1);
    assert_int_equal(pit.told_count, 1);
    assert_null(strstr(pit.told[0].text, "recent"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(trades_are_told_newest_first),
        TEST(a_trade_without_an_aggressor_has_none),
        TEST(as_many_trades_are_kept_as_there_is_room),
        TEST(a_group_may_be_larger_than_what_is_kept),
        TEST(pages_go_on_from_a_trade_that_is_gone),
        TEST(a_new_history_has_no_trades),
        TEST(the_last_trade_of_a_sequence_says_so),
        TEST(a_newcomer_gets_the_recent_trades),
        TEST(trades_that_join_anew_are_told_again),
        TEST(half_a_group_is_forgotten_with_its_history),
        TEST(a_book_too_large_is_told_to_be_so),
        TEST(events_too_many_are_told_as_the_book_they_made),
        TEST(trades_too_many_are_told_as_the_recent_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
