/* market: what those who watch a symbol are told of its book, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/pit.h"

#define AT(seq)                                                                                    \
    "\"symbol\":\"X-Y\",\"epoch\":1763683000,\"seq\":" #seq                                        \
    ",\"timestamp\":\"2025-11-21T00:00:00.123456Z\",\"ts\":1763683200123456,"
#define POS(seq) "\"epoch\":1763683000,\"seq\":" #seq
#define TS       ",\"ts\":1763683200123456"
#define NO_BOOK  "\"bids\":[],\"asks\":[],\"hash\":\"0000000000000000\"}"

static struct pit pit;

static int setup(void **state)
{
    *state = &pit;
    pit_open(&pit, "0.01", "0.001", 4000);
    return 0;
}

static int teardown(void **state)
{
    pit_close(*state);
    return 0;
}

static void add(uint64_t seq, uint64_t order_id, enum side side, int64_t price, int64_t qty,
                uint64_t priority)
{
    pit_add(&pit, seq, &(struct add){order_id, side, price, qty, priority});
}

/* The book of PROTOCOL.md's vector: one bid of 5 at 10000, one of 7 at 9999, one ask of 3. */
static void join_vector(uint64_t seq)
{
    add(0, 901, SIDE_BUY, 10000, 5, 11);
    add(0, 902, SIDE_BUY, 9999, 7, 12);
    add(0, 903, SIDE_SELL, 10002, 3, 13);
    pit_joined(&pit, seq);
}

static void watch_all(void)
{
    for (unsigned c = 0; c < CHANNEL_COUNT; c++)
        pit_watch(&pit, (enum channel)c, true);
}

/* ---- first messages ---- */

#define VECTOR_LEVELS                                                                              \
    "\"bids\":[[\"100.00\",\"0.005\"],[\"99.99\",\"0.007\"]],"                                     \
    "\"asks\":[[\"100.02\",\"0.003\"]],\"hash\":\"cf79097d93089527\"}"
#define VECTOR_BBO                                                                                 \
    "{\"type\":\"bbo\",\"symbol\":\"X-Y\",\"bid\":{\"price\":\"100.00\",\"quantity\":\"0.005\"},"  \
    "\"ask\":{\"price\":\"100.02\",\"quantity\":\"0.003\"}," POS(40) TS "}"
#define VECTOR_SNAPSHOT "{\"type\":\"snapshot\"," AT(40) VECTOR_LEVELS

static void a_newcomer_gets_the_book_first(void **state)
{
    (void)state;
    join_vector(40);
    assert_string_equal(pit_first(&pit, CHANNEL_MARKET_DATA), VECTOR_SNAPSHOT "\n" VECTOR_BBO "\n");
    assert_string_equal(pit_first(&pit, CHANNEL_QUOTES), VECTOR_BBO "\n");
    char hash[24];
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)market_book_hash(&pit.market).value);
    char expected[1000];
    snprintf(
        expected, sizeof expected,
        "{\"type\":\"snapshot\",\"level\":3," AT(
            40) "\"bids\":"
                "[[\"100.00\",\"0.005\",\"901\",11],[\"99.99\",\"0.007\",\"902\",12]],\"asks\":"
                "[[\"100.02\",\"0.003\",\"903\",13]],\"hash\":\"%s\"}\n",
        hash);
    assert_string_equal(pit_first(&pit, CHANNEL_EVENTS), expected);
}

static void an_empty_side_is_null(void **state)
{
    (void)state;
    pit_joined(&pit, 3);
    assert_string_equal(
        pit_first(&pit, CHANNEL_MARKET_DATA), "{\"type\":\"snapshot\"," AT(3) NO_BOOK
        "\n"
        "{\"type\":\"bbo\",\"symbol\":\"X-Y\",\"bid\":null,\"ask\":null," POS(3) TS "}\n");
}

static void what_is_not_known_is_not_told(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CHANNEL_COUNT; c++)
        assert_string_equal(pit_first(&pit, (enum channel)c), "");
    join_vector(40);
    assert_string_equal(pit_first(&pit, CHANNEL_TRADES), "");
    market_book_reset(&pit.market);
    assert_string_equal(pit_first(&pit, CHANNEL_EVENTS), "");
    pit_trades_joined(&pit, 40); /* no trades */
    assert_string_equal(pit_first(&pit, CHANNEL_TRADES), "");
}

static void a_first_message_fits_or_is_refused(void **state)
{
    (void)state;
    size_t used = 1;
    join_vector(40);
    for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
        size_t size = strlen(pit_first(&pit, (enum channel)c));
        char *text = malloc(size + 1);
        assert_true(market_put_first(&pit.market, (enum channel)c, text, size, &used));
        assert_int_equal(used, size);
        if (size > 0) {
            assert_false(market_put_first(&pit.market, (enum channel)c, text, size - 1, &used));
            assert_int_equal(used, 0);
        }
        assert_true(market_put_first(&pit.market, (enum channel)c, text, size + 1, &used));
        free(text);
    }
}

static void a_snapshot_holds_the_top_ten(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MARKET_TOP_LEVELS + 2; i++)
        add(0, i + 1, SIDE_SELL, 100 + i, 1, i);
    pit_joined(&pit, 20);
    const char *text = pit_first(&pit, CHANNEL_MARKET_DATA);
    assert_non_null(strstr(text, "[\"1.09\",\"0.001\"]]"));
    assert_null(strstr(text, "1.10"));
    assert_non_null(strstr(pit_first(&pit, CHANNEL_EVENTS), "\"1.11\""));
}

/* ---- changes ---- */

static void only_the_watched_is_encoded(void **state)
{
    (void)state;
    join_vector(40); /* the sink fails on a message nobody watches */
    pit_trades_joined(&pit, 40);
    for (unsigned c = 0; c < CHANNEL_COUNT; c++) {
        pit_watch(&pit, (enum channel)c, true);
        add(41 + c, 1000 + c, SIDE_BUY, 10001, 1, 20 + c);
        pit_group(&pit, 41 + c);
        pit_frame(&pit, 41 + c);
        pit_trade(&pit, 41 + c, &(struct trade){c + 1, 1, 2, 10000, 3, SIDE_BUY});
        pit_trades_group(&pit, 41 + c);
        assert_int_equal(pit.told_count, c == CHANNEL_MARKET_DATA ? 2 : 1);
        assert_int_equal(pit.told[0].channel, c);
        pit_forget(&pit);
        pit_watch(&pit, (enum channel)c, false);
    }
    memset(pit.scratch, 0xee, 4096);
    add(51, 1051, SIDE_BUY, 10002, 1, 51);
    pit_group(&pit, 51);
    pit_frame(&pit, 51);
    pit_trade(&pit, 51, &(struct trade){51, 1, 2, 10000, 3, SIDE_BUY});
    pit_trades_group(&pit, 51);
    for (unsigned i = 0; i < 4096; i++)
        assert_int_equal((uint8_t)pit.scratch[i], 0xee); /* not even tried */
}

static void a_change_of_the_best_is_a_bbo_and_a_book(void **state)
{
    (void)state;
    join_vector(40);
    pit_watch(&pit, CHANNEL_MARKET_DATA, true);
    pit_watch(&pit, CHANNEL_QUOTES, true);
    pit_delete(&pit, 41, 903);
    pit_group(&pit, 41);
    pit_frame(&pit, 41);
    const char *bbo =
        "{\"type\":\"bbo\",\"symbol\":\"X-Y\","
        "\"bid\":{\"price\":\"100.00\",\"quantity\":\"0.005\"},\"ask\":null," POS(41) TS "}";
    char expected[600];
    snprintf(expected, sizeof expected,
             "{\"type\":\"orderbook\"," AT(41) "\"bids\":[[\"100.00\",\"0.005\"],"
                                               "[\"99.99\",\"0.007\"]],\"asks\":[],"
                                               "\"hash\":\"%016llx\"}",
             (unsigned long long)pit.market.mirror.book.l2_hash);
    pit_assert_told(&pit, CHANNEL_MARKET_DATA, CONFLATION_BBO, bbo);
    pit_assert_told(&pit, CHANNEL_QUOTES, CONFLATION_BBO, bbo);
    pit_assert_told(&pit, CHANNEL_MARKET_DATA, CONFLATION_BOOK, expected);
    pit_assert_quiet(&pit);
}

/* Below the best only the book changes; below the top ten nothing; and what came and went within a
 * frame never was. */
static void the_top_is_told_once_a_frame_if_it_changed(void **state)
{
    (void)state;
    for (unsigned i = 0; i < MARKET_TOP_LEVELS; i++)
        add(0, i + 1, SIDE_SELL, 100 + i, 1, i);
    pit_joined(&pit, 20);
    pit_watch(&pit, CHANNEL_MARKET_DATA, true);
    add(21, 50, SIDE_SELL, 100 + MARKET_TOP_LEVELS, 1, 50); /* the eleventh */
    pit_group(&pit, 21);
    pit_frame(&pit, 21);
    pit_assert_quiet(&pit);
    add(22, 51, SIDE_SELL, 99, 1, 51);
    pit_group(&pit, 22);
    pit_delete(&pit, 23, 51);
    pit_group(&pit, 23);
    pit_frame(&pit, 23);
    pit_assert_quiet(&pit);
    pit_execute(&pit, 24, MARKET_TOP_LEVELS, 1); /* the tenth: the eleventh takes its place */
    pit_group(&pit, 24);
    pit_frame(&pit, 24);
    assert_int_equal(pit.told_count, 1);
    assert_int_equal(pit.told[0].conflation, CONFLATION_BOOK);
    assert_non_null(strstr(pit.told[0].text, "[\"1.08\",\"0.001\"],[\"1.10\",\"0.001\"]]"));
}

static void a_newcomer_is_not_told_the_same_twice(void **state)
{
    (void)state;
    join_vector(40);
    pit_delete(&pit, 41, 903); /* while nobody watches */
    pit_group(&pit, 41);
    pit_frame(&pit, 41);
    pit_watch(&pit, CHANNEL_MARKET_DATA, true);
    pit_trade(&pit, 42, &(struct trade){1, 1, 2, 10000, 3, SIDE_BUY});
    pit_group(&pit, 42);
    pit_frame(&pit, 42);
    pit_assert_quiet(&pit);
}

/* ---- events ---- */

#define EVENT(name) "{\"type\":\"" name "\",\"symbol\":\"X-Y\","

static void every_event_is_a_message(void **state)
{
    (void)state;
    join_vector(40);
    pit_watch(&pit, CHANNEL_EVENTS, true);
    pit_match(&pit, 41, &(struct trade){77, 903, 950, 10002, 2, SIDE_BUY});
    pit_execute(&pit, 41, 903, 2);
    add(41, 951, SIDE_BUY, 10001, 8, 14);
    pit_group(&pit, 41);
    pit_group(&pit, 42); /* a group without events that are told */
    pit_match(&pit, 43, &(struct trade){78, 903, 952, 10002, 1, 0});
    pit_reduce(&pit, 43, 902, 3);
    pit_group(&pit, 43);
    pit_delete(&pit, 44, 901);
    pit_group(&pit, 44);
    pit_assert_quiet(&pit); /* until the hash was found right */
    pit_frame(&pit, 44);
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER,
                    EVENT("trade") "\"trade_id\":\"77\",\"maker_order_id\":\"903\","
                                   "\"taker_order_id\":\"950\",\"price\":\"100.02\","
                                   "\"quantity\":\"0.002\",\"aggressor_side\":\"buy\"," POS(41) TS
                    ",\"last\":false}");
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER,
                    EVENT("execute") "\"order_id\":\"903\",\"quantity\":\"0.002\"," POS(41) TS
                    ",\"last\":false}");
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER,
                    EVENT("add") "\"order_id\":\"951\",\"side\":\"buy\",\"price\":\"100.01\","
                                 "\"quantity\":\"0.008\",\"priority\":14," POS(41) TS
                    ",\"last\":true}");
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER,
                    EVENT("trade") "\"trade_id\":\"78\",\"maker_order_id\":\"903\","
                                   "\"taker_order_id\":\"952\",\"price\":\"100.02\","
                                   "\"quantity\":\"0.001\",\"aggressor_side\":null," POS(43) TS
                    ",\"last\":false}");
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER,
                    EVENT("reduce") "\"order_id\":\"902\",\"quantity\":\"0.003\"," POS(43) TS
                    ",\"last\":true}");
    char expected[300];
    snprintf(expected, sizeof expected,
             EVENT("delete") "\"order_id\":\"901\"," POS(44) TS ",\"last\":true,"
                                                                "\"hash\":\"%016llx\"}",
             (unsigned long long)market_book_hash(&pit.market).value);
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER, expected);
    pit_assert_quiet(&pit);
}

static void the_longest_event_fits_its_place(void **state)
{
    (void)state;
    join_vector(40);
    pit.market.tick = pit.market.lot = (struct decimal_unit){UINT64_MAX, 18};
    memcpy(pit.market.name, "WWWWWWWWWWWWWWWW", SYMBOL_SIZE_MAX + 1);
    pit.market.epoch = UINT64_MAX;
    pit.time_ns = UINT64_MAX;
    pit_watch(&pit, CHANNEL_EVENTS, true);
    struct trade longest = {UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MIN, INT64_MIN, SIDE_SELL};
    pit_match(&pit, UINT64_MAX, &longest);
    pit_match(&pit, UINT64_MAX, &longest);
    pit_group(&pit, UINT64_MAX);
    pit_frame(&pit, UINT64_MAX);
    assert_int_equal(pit.told_count, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pit.told[i].text[strlen(pit.told[i].text) - 1], '}');
    assert_non_null(strstr(pit.told[0].text, "\"last\":false}"));
    assert_non_null(strstr(pit.told[1].text, "\"last\":true,\"hash\":\""));
}

static void an_event_that_does_not_fit_breaks_the_hash(void **state)
{
    (void)state;
    join_vector(40);
    watch_all();
    uint64_t right = market_book_hash(&pit.market).value;
    pit_execute(&pit, 41, 12345, 1); /* nobody's */
    assert_true(market_book_hash(&pit.market).value != right);
    pit_delete(&pit, 41, 901);
    market_book_reset(&pit.market); /* as its subscriber does: nothing of the frame is told */
    join_vector(41);
    pit_assert_told(&pit, CHANNEL_MARKET_DATA, CONFLATION_NEVER,
                    "{\"type\":\"snapshot\"," AT(41) VECTOR_LEVELS);
    assert_int_equal(market_book_hash(&pit.market).value, right);
}

static void a_rejoin_is_told_as_to_newcomers(void **state)
{
    (void)state;
    join_vector(40);
    watch_all();
    pit.epoch++;
    market_book_reset(&pit.market);
    pit_assert_quiet(&pit);
    pit_joined(&pit, 1); /* of the new history, in which nothing happened yet */
#define NEW "\"epoch\":1763683001,\"seq\":1"
#define NEW_BOOK                                                                                   \
    "\"symbol\":\"X-Y\"," NEW ",\"timestamp\":\"2025-11-21T00:00:00.123456Z\"" TS "," NO_BOOK
    const char *bbo = "{\"type\":\"bbo\",\"symbol\":\"X-Y\",\"bid\":null,\"ask\":null," NEW TS "}";
    pit_assert_told(&pit, CHANNEL_MARKET_DATA, CONFLATION_NEVER,
                    "{\"type\":\"snapshot\"," NEW_BOOK);
    pit_assert_told(&pit, CHANNEL_MARKET_DATA, CONFLATION_NEVER, bbo);
    pit_assert_told(&pit, CHANNEL_EVENTS, CONFLATION_NEVER,
                    "{\"type\":\"snapshot\",\"level\":3," NEW_BOOK);
    pit_assert_told(&pit, CHANNEL_QUOTES, CONFLATION_NEVER, bbo);
    pit_assert_quiet(&pit);
    pit_frame(&pit, 2); /* nothing is left of the old top */
    pit_assert_quiet(&pit);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_newcomer_gets_the_book_first),
        TEST(an_empty_side_is_null),
        TEST(what_is_not_known_is_not_told),
        TEST(a_first_message_fits_or_is_refused),
        TEST(a_snapshot_holds_the_top_ten),
        TEST(only_the_watched_is_encoded),
        TEST(a_change_of_the_best_is_a_bbo_and_a_book),
        TEST(the_top_is_told_once_a_frame_if_it_changed),
        TEST(a_newcomer_is_not_told_the_same_twice),
        TEST(every_event_is_a_message),
        TEST(the_longest_event_fits_its_place),
        TEST(an_event_that_does_not_fit_breaks_the_hash),
        TEST(a_rejoin_is_told_as_to_newcomers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
