#include "tests/unit/services/pit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static void on_message(void *self, uint32_t symbol, enum channel channel,
                       enum conflation conflation, const char *text, size_t size)
{
    struct pit *p = self;
    assert_int_equal(symbol, PIT_SYMBOL);
    assert_true(p->watched[channel]);
    assert_true(p->told_count < PIT_TOLD_MAX);
    p->told[p->told_count++] = (struct pit_told){channel, conflation, strndup(text, size)};
}

static bool is_watched(void *self, uint32_t symbol, enum channel channel)
{
    assert_int_equal(symbol, PIT_SYMBOL);
    return ((struct pit *)self)->watched[channel];
}

void pit_open(struct pit *p, const char *tick, const char *lot, uint32_t orders_max)
{
    struct decimal_unit price, qty;
    assert_true(decimal_unit_read(&price, tick, strlen(tick)));
    assert_true(decimal_unit_read(&qty, lot, strlen(lot)));
    *p = (struct pit){
        .sink = {p, on_message, is_watched},
        .scratch = memory_new(MARKET_SCRATCH_SIZE, 1, "scratch"),
        .text = memory_new(PIT_TEXT_SIZE, 1, "text"),
        .epoch = PIT_EPOCH,
        .time_ns = PIT_NS,
    };
    book_pool_init(&p->pool, orders_max, orders_max);
    market_init(&p->market, &p->sink, PIT_SYMBOL, "X-Y", &price, &qty, &p->pool, p->scratch);
}

void pit_close(struct pit *p)
{
    pit_forget(p);
    market_close(&p->market);
    book_pool_close(&p->pool);
    memory_free(p->scratch, MARKET_SCRATCH_SIZE, 1);
    memory_free(p->text, PIT_TEXT_SIZE, 1);
}

void pit_watch(struct pit *p, enum channel channel, bool on)
{
    p->watched[channel] = on;
}

void pit_forget(struct pit *p)
{
    for (unsigned i = 0; i < p->told_count; i++)
        free(p->told[i].text);
    p->told_count = 0;
}

void pit_assert_told(struct pit *p, enum channel channel, enum conflation conflation,
                     const char *text)
{
    assert_true(p->told_count > 0);
    struct pit_told first = p->told[0];
    assert_int_equal(first.channel, channel);
    assert_int_equal(first.conflation, conflation);
    assert_string_equal(first.text, text);
    free(first.text);
    memmove(&p->told[0], &p->told[1], --p->told_count * sizeof p->told[0]);
}

void pit_assert_quiet(const struct pit *p)
{
    if (p->told_count > 0)
        fail_msg("told: %s", p->told[0].text);
}

/* ---- `l3.` ---- */

static struct frame_head head_of(const struct pit *p, uint64_t seq)
{
    return (struct frame_head){
        .type = FRAME_EVENTS, .epoch = p->epoch, .seq = seq, .time_ns = p->time_ns};
}

static void book_event(struct pit *p, uint64_t seq, uint64_t type, const uint8_t *bytes,
                       const struct wire_writer *end)
{
    struct wire_reader fields = {bytes, end->at, false};
    if (seq == 0)
        market_book_snapshot_event(&p->market, type, &fields);
    else
        market_book_event(&p->market, seq, type, &fields);
}

void pit_add(struct pit *p, uint64_t seq, const struct add *add)
{
    uint8_t bytes[ADD_SIZE_MAX];
    struct wire_writer w = {bytes};
    add_put_fields(&w, add);
    book_event(p, seq, MESSAGE_ADD, bytes, &w);
}

void pit_execute(struct pit *p, uint64_t seq, uint64_t order_id, int64_t qty)
{
    uint8_t bytes[EXECUTE_SIZE_MAX];
    struct wire_writer w = {bytes};
    execute_put_fields(&w, &(struct execute){order_id, qty});
    book_event(p, seq, MESSAGE_EXECUTE, bytes, &w);
}

void pit_reduce(struct pit *p, uint64_t seq, uint64_t order_id, int64_t qty)
{
    uint8_t bytes[REDUCE_SIZE_MAX];
    struct wire_writer w = {bytes};
    reduce_put_fields(&w, &(struct reduce){order_id, qty});
    book_event(p, seq, MESSAGE_REDUCE, bytes, &w);
}

void pit_delete(struct pit *p, uint64_t seq, uint64_t order_id)
{
    uint8_t bytes[DELETE_SIZE_MAX];
    struct wire_writer w = {bytes};
    delete_put_fields(&w, &(struct delete){order_id});
    book_event(p, seq, MESSAGE_DELETE, bytes, &w);
}

void pit_match(struct pit *p, uint64_t seq, const struct trade *trade)
{
    uint8_t bytes[TRADE_SIZE_MAX];
    struct wire_writer w = {bytes};
    trade_put_fields(&w, trade);
    book_event(p, seq, MESSAGE_TRADE, bytes, &w);
}

void pit_group(struct pit *p, uint64_t seq)
{
    struct frame_head head = head_of(p, seq);
    market_book_group_end(&p->market, seq, &head);
}

void pit_frame(struct pit *p, uint64_t seq)
{
    struct frame_head head = head_of(p, seq);
    market_book_frame_end(&p->market, &head);
}

void pit_joined(struct pit *p, uint64_t seq)
{
    struct frame_head head = head_of(p, seq);
    market_book_joined(&p->market, &head);
}

/* ---- `trade.` ---- */

void pit_totals(struct pit *p, const struct trade_totals *totals)
{
    uint8_t bytes[TRADE_TOTALS_SIZE_MAX];
    struct wire_writer w = {bytes};
    trade_totals_put_fields(&w, totals);
    struct wire_reader fields = {bytes, w.at, false};
    market_trades_snapshot_event(&p->market, MESSAGE_TRADE_TOTALS, &fields);
}

void pit_past_trade(struct pit *p, const struct past_trade *trade)
{
    uint8_t bytes[PAST_TRADE_SIZE_MAX];
    struct wire_writer w = {bytes};
    past_trade_put_fields(&w, trade);
    struct wire_reader fields = {bytes, w.at, false};
    market_trades_snapshot_event(&p->market, MESSAGE_PAST_TRADE, &fields);
}

void pit_trades_joined(struct pit *p, uint64_t seq)
{
    struct frame_head head = head_of(p, seq);
    market_trades_joined(&p->market, &head);
}

void pit_trade(struct pit *p, uint64_t seq, const struct trade *trade)
{
    uint8_t bytes[TRADE_SIZE_MAX];
    struct wire_writer w = {bytes};
    trade_put_fields(&w, trade);
    struct wire_reader fields = {bytes, w.at, false};
    market_trade(&p->market, seq, MESSAGE_TRADE, &fields);
}

void pit_trades_group(struct pit *p, uint64_t seq)
{
    struct frame_head head = head_of(p, seq);
    market_trades_group_end(&p->market, seq, &head);
}

struct trade pit_trade_of(uint64_t id)
{
    return (struct trade){id, 1, 2, 10000, 3, SIDE_BUY};
}

/* ---- answers ---- */

static const char *finish(struct pit *p, const struct json_writer *j)
{
    assert_false(j->full);
    p->text[json_writer_size(j)] = '\0';
    return p->text;
}

static struct json_writer writer(struct pit *p)
{
    struct json_writer j;
    json_writer_init(&j, p->text, PIT_TEXT_SIZE - 1);
    return j;
}

const char *pit_book(struct pit *p, uint64_t depth, unsigned level)
{
    struct json_writer j = writer(p);
    market_put_book(&p->market, &j, depth, level);
    return finish(p, &j);
}

const char *pit_trades(struct pit *p, uint64_t before, unsigned limit, uint64_t *next, bool *more)
{
    struct json_writer j = writer(p);
    json_object_begin(&j, NULL);
    market_put_trades(&p->market, &j, before, limit, next, more);
    json_object_end(&j);
    return finish(p, &j);
}

const char *pit_stats(struct pit *p)
{
    struct json_writer j = writer(p);
    market_put_stats(&p->market, &j);
    return finish(p, &j);
}

const char *pit_first(struct pit *p, enum channel channel)
{
    size_t size;
    assert_true(market_put_first(&p->market, channel, p->text, PIT_TEXT_SIZE - 1, &size));
    p->text[size] = '\0';
    return p->text;
}
