#include "cli/backtest_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

enum {
    FILL_ROW_SIZE_MAX = 256,
    LEVEL_ROW_SIZE_MAX = 4 * (CSV_I64_SIZE_MAX + 1),
};

/* Where a level is empty, as LOBSTER has it. */
static const int64_t NO_ASK = INT64_C(9999999999);

static bool open_one(struct csv_writer *w, const char *path)
{
    if (path == NULL || csv_writer_open(w, path) == STATUS_OK)
        return true;
    fprintf(stderr, "outcry backtest: %s: %s\n", path, strerror(w->error));
    w->buffer = NULL;
    return false;
}

bool backtest_watch_open(struct backtest_watch *w, const struct backtest_history *history,
                         const char *trades, const char *rows, unsigned levels)
{
    static const char header[] = "row,ts,taker_id,maker_id,price,qty\n";
    *w = (struct backtest_watch){.history = history, .levels = levels};
    CHECK(levels >= 1 && levels <= BACKTEST_LEVELS_MAX);
    if (!open_one(&w->trades, trades) || !open_one(&w->rows, rows)) {
        backtest_watch_close(w);
        return false;
    }
    if (w->trades.buffer != NULL)
        csv_writer_done(&w->trades,
                        csv_put_text(csv_writer_row(&w->trades, sizeof header), text_of(header)));
    return true;
}

/* Ticks in the units of the source: exact, for they came from there. */
static int64_t source_price(const struct backtest_watch *w, int64_t ticks)
{
    char text[DECIMAL_TEXT_SIZE];
    int64_t units;
    const struct decimal_unit *from = &w->history->symbol.tick, *to = &w->history->price_unit;
    if (from->digits == to->digits && from->scale == to->scale)
        return ticks;
    size_t size = decimal_from_units(text, ticks, from);
    return decimal_to_units(text, size, to, &units) == DECIMAL_OK ? units : ticks;
}

/* ---- trades ---- */

static void put_trade(struct backtest_watch *w, const struct recorded *e, const engine_t *engine,
                      const struct event *event)
{
    struct order_view taker = engine_order(engine, event->order);
    struct order_view maker = engine_order(engine, event->maker);
    if (!text_equal(taker.symbol, text_of(w->history->symbol.name)))
        return;
    char *at = csv_writer_row(&w->trades, FILL_ROW_SIZE_MAX);
    at += snprintf(at, FILL_ROW_SIZE_MAX,
                   "%" PRIu64 ",%" PRIu64 ".%09" PRIu64 ",%.*s,%.*s,%lld,%lld\n", e->row,
                   e->time_ns / NS_PER_SECOND, e->time_ns % NS_PER_SECOND,
                   (int)taker.client_order_id.size, taker.client_order_id.data,
                   (int)maker.client_order_id.size, maker.client_order_id.data,
                   (long long)source_price(w, event->price), (long long)event->qty);
    csv_writer_done(&w->trades, at);
}

static void see_trades(struct backtest_watch *w, const struct recorded *e, const engine_t *engine)
{
    size_t count;
    const struct event *events = engine_events(engine, &count);
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == EVENT_TRADE)
            put_trade(w, e, engine, &events[i]);
    }
}

/* ---- book rows ---- */

/* The lines up to this row: the book has been what it is since the last command. */
static void put_rows(struct backtest_watch *w, uint64_t row)
{
    for (; w->row < row; w->row++) {
        if (w->row == 0)
            continue; /* before the first row */
        char *at = csv_writer_row(&w->rows, (size_t)LEVEL_ROW_SIZE_MAX * w->levels);
        for (unsigned i = 0; i < w->levels; i++) {
            for (unsigned side = SIDE_SELL; side >= SIDE_BUY; side--) {
                at = csv_put_i64(at, w->top[side - 1][i].price);
                *at++ = ',';
                at = csv_put_i64(at, w->top[side - 1][i].qty);
                *at++ = side == SIDE_BUY && i + 1 == w->levels ? '\n' : ',';
            }
        }
        csv_writer_done(&w->rows, at);
    }
}

static uint32_t find_symbol(const struct backtest_watch *w, const engine_t *engine)
{
    for (uint32_t n = 1; n <= engine_symbol_count(engine); n++) {
        if (text_equal(engine_symbol_name(engine, n), text_of(w->history->symbol.name)))
            return n;
    }
    return 0;
}

static void see_side(struct backtest_watch *w, const engine_t *engine, unsigned side)
{
    const struct book_pool *pool = engine_pool(engine);
    const struct book *book = w->symbol == 0 ? NULL : engine_book(engine, w->symbol);
    uint32_t level = book == NULL ? 0 : book->sides[side - 1].best;
    for (unsigned i = 0; i < w->levels; i++) {
        bool there = level != 0;
        const struct book_level *l = &pool->levels[level];
        w->top[side - 1][i].price = there               ? source_price(w, l->price)
                                    : side == SIDE_SELL ? NO_ASK
                                                        : -NO_ASK;
        w->top[side - 1][i].qty = there ? l->qty : 0;
        level = there ? l->worse : 0;
    }
}

static void see_book(struct backtest_watch *w, const struct recorded *e, const engine_t *engine)
{
    put_rows(w, e->row);
    if (w->symbol == 0)
        w->symbol = find_symbol(w, engine);
    see_side(w, engine, SIDE_BUY);
    see_side(w, engine, SIDE_SELL);
}

void backtest_watch_see(void *self, const struct recorded *e, const engine_t *engine)
{
    struct backtest_watch *w = self;
    if (w->trades.buffer != NULL)
        see_trades(w, e, engine);
    if (w->rows.buffer != NULL)
        see_book(w, e, engine);
}

static bool close_one(struct csv_writer *w)
{
    if (w->buffer == NULL || csv_writer_close(w) == STATUS_OK)
        return true;
    fprintf(stderr, "outcry backtest: %s: %s\n", w->name, strerror(w->error));
    return false;
}

bool backtest_watch_close(struct backtest_watch *w)
{
    if (w->rows.buffer != NULL)
        put_rows(w, w->row + 1);
    bool fine = close_one(&w->trades);
    return close_one(&w->rows) && fine;
}
