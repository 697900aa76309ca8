/* market: random frames, against a book kept in the simplest way there is, and against a reader who
 * knows nothing but the messages. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/pit.h"
#include "tests/unit/services/plain_book.h"

enum { FRAMES = 150, ORDERS = 400, PRICES = 32, TEXT_SIZE = 4096 };

static struct pit pit;
static struct random r;
static struct plain_book plain; /* what the book is */
static struct plain_book read;  /* what a reader of the messages makes of them */
static uint64_t seq, next_id;
static unsigned frame_events;
static uint64_t total_bbo, total_books, total_events, total_joins, total_quiet;

/* ---- the model's texts ---- */

struct top {
    char levels[2][TEXT_SIZE]; /* the JSON of each side's top */
    char best[2][100];
};

static int64_t qty_at(uint64_t side, int64_t price)
{
    int64_t qty = 0;
    for (unsigned i = 0; i < plain.order_count; i++) {
        if (plain.orders[i].side == side && plain.orders[i].price == price)
            qty += plain.orders[i].qty;
    }
    return qty;
}

/* The side, price by price from the best that can be. */
static void top_side(struct top *t, uint64_t side, unsigned depth)
{
    char *levels = t->levels[side - 1];
    unsigned count = 0;
    size_t size = 0;
    levels[0] = '\0';
    snprintf(t->best[side - 1], sizeof t->best[0], "null");
    for (int64_t i = -PRICES; i <= PRICES && count < depth; i++) {
        int64_t price = side == SIDE_BUY ? -i : i;
        int64_t qty = qty_at(side, price);
        if (qty == 0)
            continue;
        if (count == 0)
            snprintf(t->best[side - 1], sizeof t->best[0],
                     "{\"price\":\"%" PRId64 "\",\"quantity\":\"%" PRId64 "\"}", price, qty);
        size +=
            (size_t)snprintf(levels + size, TEXT_SIZE - size, "%s[\"%" PRId64 "\",\"%" PRId64 "\"]",
                             count++ == 0 ? "" : ",", price, qty);
    }
}

static struct top top_of(unsigned depth)
{
    struct top t;
    top_side(&t, SIDE_BUY, depth);
    top_side(&t, SIDE_SELL, depth);
    return t;
}

/* What plain_l2_hash() wants: levels. */
static uint64_t l2_hash(void)
{
    plain.level_count = 0;
    for (int64_t price = -PRICES; price <= PRICES; price++) {
        for (uint64_t side = SIDE_BUY; side <= SIDE_SELL; side++) {
            if (qty_at(side, price) > 0)
                plain.levels[plain.level_count++] =
                    (struct plain_level){side, price, qty_at(side, price)};
        }
    }
    return plain_l2_hash(&plain);
}

static void book_text(char text[3 * TEXT_SIZE], const char *head, const struct top *t)
{
    snprintf(text, 3 * TEXT_SIZE,
             "{%s\"symbol\":\"X-Y\",\"epoch\":%" PRIu64 ",\"seq\":%" PRIu64
             ",\"timestamp\":\"2025-11-21T00:00:00.123456Z\",\"ts\":1763683200123456,"
             "\"bids\":[%s],\"asks\":[%s],\"hash\":\"%016" PRIx64 "\"}",
             head, pit.epoch, seq, t->levels[0], t->levels[1], l2_hash());
}

static void bbo_text(char text[3 * TEXT_SIZE], const struct top *t)
{
    snprintf(text, 3 * TEXT_SIZE,
             "{\"type\":\"bbo\",\"symbol\":\"X-Y\",\"bid\":%s,\"ask\":%s,\"epoch\":%" PRIu64
             ",\"seq\":%" PRIu64 ",\"ts\":1763683200123456}",
             t->best[0], t->best[1], pit.epoch, seq);
}

/* ---- a reader of /ws/events ---- */

static void read_bytes(uint64_t type, const uint8_t *bytes, const struct wire_writer *end)
{
    struct wire_reader fields = {bytes, end->at, false};
    assert_true(plain_event(&read, PLAIN_L3, type, &fields));
}

static uint64_t number_of(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    assert_non_null(at);
    return (uint64_t)strtoll(at + strlen(key), NULL, 10);
}

static void read_event(const char *text)
{
    uint8_t bytes[100];
    struct wire_writer w = {bytes};
    bool buys = strstr(text, "\"side\":\"buy\"") != NULL;
    if (strstr(text, "\"type\":\"trade\"") != NULL)
        return;
    uint64_t id = number_of(text, "\"order_id\":\"");
    if (strstr(text, "\"type\":\"add\"") != NULL) {
        add_put_fields(&w, &(struct add){id, buys ? SIDE_BUY : SIDE_SELL,
                                         (int64_t)number_of(text, "\"price\":\""),
                                         (int64_t)number_of(text, "\"quantity\":\""),
                                         number_of(text, "\"priority\":")});
        read_bytes(MESSAGE_ADD, bytes, &w);
    } else if (strstr(text, "\"type\":\"delete\"") != NULL) {
        delete_put_fields(&w, &(struct delete){id});
        read_bytes(MESSAGE_DELETE, bytes, &w);
    } else { /* execute and reduce take alike */
        reduce_put_fields(&w, &(struct reduce){id, (int64_t)number_of(text, "\"quantity\":\"")});
        read_bytes(MESSAGE_REDUCE, bytes, &w);
    }
}

/* The rows ["price","quantity","id",priority] of one side. */
static void read_rows(const char *text, const char *key, uint64_t side)
{
    const char *at = strstr(text, key) + strlen(key);
    struct plain_order o = {.side = side};
    while (sscanf(at, "[\"%" SCNd64 "\",\"%" SCNd64 "\",\"%" SCNu64 "\",%" SCNu64 "]", &o.price,
                  &o.qty, &o.order_id, &o.priority) == 4) {
        read.orders[read.order_count++] = o;
        at = strchr(at, ']') + 1;
        at += *at == ',';
    }
}

static void assert_hash(const char *text, uint64_t hash)
{
    char expected[40];
    snprintf(expected, sizeof expected, "\"hash\":\"%016" PRIx64 "\"}", hash);
    if (strstr(text, expected) == NULL)
        fail_msg("not %s: %s", expected, text);
}

static void read_message(const char *text)
{
    if (strstr(text, "\"type\":\"snapshot\",\"level\":3,") != NULL) {
        plain_forget(&read, PLAIN_L3);
        read_rows(text, "\"bids\":[", SIDE_BUY);
        read_rows(text, "\"asks\":[", SIDE_SELL);
        assert_hash(text, plain_l3_hash(&read));
        return;
    }
    read_event(text);
    if (strstr(text, "\"hash\"") != NULL) {
        assert_non_null(strstr(text, "\"last\":true,"));
        assert_hash(text, plain_l3_hash(&read));
        assert_int_equal(plain_l3_hash(&read), plain_l3_hash(&plain));
    }
}

/* ---- random frames ---- */

static void happens(uint64_t type, const uint8_t *bytes, const struct wire_writer *end)
{
    struct wire_reader fields = {bytes, end->at, false}, again = fields;
    assert_true(plain_event(&plain, PLAIN_L3, type, &fields));
    market_book_event(&pit.market, seq, type, &again);
    frame_events++;
}

static void random_add(void)
{
    uint8_t bytes[ADD_SIZE_MAX];
    struct wire_writer w = {bytes};
    next_id++;
    add_put_fields(&w, &(struct add){next_id, 1 + random_below(&r, 2),
                                     (int64_t)random_below(&r, 2 * PRICES + 1) - PRICES,
                                     1 + (int64_t)random_below(&r, 9), next_id});
    happens(MESSAGE_ADD, bytes, &w);
}

static void random_take(const struct plain_order *o)
{
    uint8_t bytes[TRADE_SIZE_MAX];
    struct wire_writer w = {bytes}, again = {bytes};
    struct execute e = {o->order_id, 1 + (int64_t)random_below(&r, (uint64_t)o->qty)};
    struct trade t = {next_id, o->order_id, next_id, o->price, e.qty, random_below(&r, 3)};
    switch (random_below(&r, 3)) {
    case 0:
        trade_put_fields(&w, &t);
        happens(MESSAGE_TRADE, bytes, &w);
        execute_put_fields(&again, &e);
        happens(MESSAGE_EXECUTE, bytes, &again);
        break;
    case 1:
        reduce_put_fields(&w, &(struct reduce){e.order_id, e.qty});
        happens(MESSAGE_REDUCE, bytes, &w);
        break;
    default:
        delete_put_fields(&w, &(struct delete){e.order_id});
        happens(MESSAGE_DELETE, bytes, &w);
    }
}

static void random_frame(void)
{
    uint64_t groups = 1 + random_below(&r, 3);
    bool fills = random_below(&r, ORDERS) > plain.order_count;
    frame_events = 0;
    for (; groups > 0; groups--) {
        seq += 1 + random_below(&r, 3);
        for (uint64_t events = random_below(&r, 4); events > 0; events--) {
            if (plain.order_count == 0 || random_once_in(&r, fills ? 2 : 4))
                random_add();
            else
                random_take(&plain.orders[random_below(&r, plain.order_count)]);
        }
        pit_group(&pit, seq);
    }
    assert_int_equal(market_book_hash(&pit.market).value, plain_l3_hash(&plain));
    pit_frame(&pit, seq);
}

/* The snapshot of a publisher whose book is the plain one. */
static void join(void)
{
    market_book_reset(&pit.market);
    for (unsigned i = 0; i < plain.order_count; i++) {
        const struct plain_order *o = &plain.orders[i];
        pit_add(&pit, 0, &(struct add){o->order_id, o->side, o->price, o->qty, o->priority});
    }
    pit_joined(&pit, seq);
    total_joins++;
}

/* ---- what must have been told ---- */

static const char *next_told(unsigned *at, enum channel channel)
{
    while (*at < pit.told_count && pit.told[*at].channel != channel)
        ++*at;
    return *at < pit.told_count ? pit.told[(*at)++].text : NULL;
}

static void assert_next(unsigned *at, enum channel channel, const char *text)
{
    const char *told = next_told(at, channel);
    assert_non_null(told);
    assert_string_equal(told, text);
}

static void check_frame(const struct top *before)
{
    char text[3 * TEXT_SIZE];
    struct top now = top_of(MARKET_TOP_LEVELS);
    bool best = memcmp(before->best[0], now.best[0], strlen(now.best[0]) + 1) != 0 ||
                memcmp(before->best[1], now.best[1], strlen(now.best[1]) + 1) != 0;
    bool top = strcmp(before->levels[0], now.levels[0]) != 0 ||
               strcmp(before->levels[1], now.levels[1]) != 0;
    unsigned data = 0, quotes = 0, events = 0, count = 0;
    bbo_text(text, &now);
    if (best && pit.watched[CHANNEL_MARKET_DATA])
        assert_next(&data, CHANNEL_MARKET_DATA, text);
    if (best && pit.watched[CHANNEL_QUOTES])
        assert_next(&quotes, CHANNEL_QUOTES, text);
    book_text(text, "\"type\":\"orderbook\",", &now);
    if (top && pit.watched[CHANNEL_MARKET_DATA])
        assert_next(&data, CHANNEL_MARKET_DATA, text);
    assert_null(next_told(&data, CHANNEL_MARKET_DATA));
    assert_null(next_told(&quotes, CHANNEL_QUOTES));
    for (const char *e; (e = next_told(&events, CHANNEL_EVENTS)) != NULL; count++) {
        read_message(e);
        assert_int_equal(strstr(e, "\"hash\"") != NULL, count + 1 == frame_events);
    }
    assert_int_equal(count, pit.watched[CHANNEL_EVENTS] ? frame_events : 0);
    total_bbo += best;
    total_books += top;
    total_quiet += !top;
    total_events += count;
}

static void check_joined(void)
{
    char text[3 * TEXT_SIZE];
    struct top now = top_of(MARKET_TOP_LEVELS);
    unsigned data = 0, quotes = 0, events = 0;
    if (pit.watched[CHANNEL_MARKET_DATA]) {
        book_text(text, "\"type\":\"snapshot\",", &now);
        assert_next(&data, CHANNEL_MARKET_DATA, text);
        bbo_text(text, &now);
        assert_next(&data, CHANNEL_MARKET_DATA, text);
    }
    bbo_text(text, &now);
    if (pit.watched[CHANNEL_QUOTES])
        assert_next(&quotes, CHANNEL_QUOTES, text);
    if (pit.watched[CHANNEL_EVENTS])
        read_message(next_told(&events, CHANNEL_EVENTS));
    assert_null(next_told(&data, CHANNEL_MARKET_DATA));
    assert_null(next_told(&quotes, CHANNEL_QUOTES));
    assert_null(next_told(&events, CHANNEL_EVENTS));
}

static void check_answers(void)
{
    char text[3 * TEXT_SIZE];
    unsigned depth = (unsigned)random_below(&r, 2 * PRICES + 3);
    struct top t = top_of(depth == 0 ? UINT32_MAX : depth);
    book_text(text, "", &t);
    assert_string_equal(pit_book(&pit, depth, 2), text);
    if (plain.order_count == 0)
        return;
    const struct plain_order *o = &plain.orders[random_below(&r, plain.order_count)];
    int64_t expected = 0, ahead = -1;
    for (const struct plain_order *other = plain.orders; other < o; other++) {
        if (other->side == o->side && other->price == o->price)
            expected += other->qty;
    }
    assert_true(market_queue_ahead(&pit.market, o->order_id, &ahead));
    assert_int_equal(ahead, expected);
}

/* Somebody comes, or the last one goes; who reads the events begins with the snapshot. */
static void change_watchers(void)
{
    enum channel c = (enum channel)random_below(&r, CHANNEL_COUNT);
    pit_watch(&pit, c, !pit.watched[c]);
    if (c == CHANNEL_EVENTS && pit.watched[c])
        read_message(pit_first(&pit, c));
}

static void one_run(uint64_t seed)
{
    r = (struct random){seed};
    plain.order_count = read.order_count = 0;
    seq = next_id = 0;
    pit_open(&pit, "1", "1", ORDERS * 2);
    join();
    for (unsigned i = 0; i < FRAMES; i++) {
        if (random_once_in(&r, 5))
            change_watchers();
        struct top before = top_of(MARKET_TOP_LEVELS);
        if (random_once_in(&r, 20)) {
            pit.epoch++;
            join();
            check_joined();
        } else {
            random_frame();
            check_frame(&before);
        }
        check_answers();
        pit_forget(&pit);
    }
    pit_close(&pit);
}

static void what_is_told_is_what_the_book_is(void **state)
{
    (void)state;
    seeds_run("market", 40, one_run);
    print_message("joins %" PRIu64 " bbo %" PRIu64 " books %" PRIu64 " frames without %" PRIu64
                  " events %" PRIu64 "\n",
                  total_joins, total_bbo, total_books, total_quiet, total_events);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(what_is_told_is_what_the_book_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
