/* recording: see recording.h. One run of bytes, each record of it
 *
 *     mark u8 | time | row | seq | deadline | type | fields      a command
 *     mark u8 | time | row | price | qty                         a level or a trade
 *     mark u8 | digest                                           behind the command before it
 *
 * in the integers of proto/wire.h: times, rows and sequences as what they are more than in the
 * record before, and not at all where the mark says so. A head is 3 to 5 bytes that way. It is our
 * own memory, so a record that cannot be read is a broken invariant; reads are bounded all the
 * same. */
#include "backtest/recording.h"

#include <string.h>

#include "base/check.h"
#include "base/memory.h"

enum mark {
    MARK_ROW_NEXT = 1, /* one more than the last: not written */
    MARK_SEQ_NEXT = 2,
    MARK_DEADLINE = 4,
    MARK_TRADE = 8,
    MARK_SELL = 16,
    MARK_DIGEST = 32,
};

enum {
    SIZE_FIRST = 1 << 20,
    RECORD_SIZE_MAX = 1 + 5 * WIRE_INTEGER_SIZE_MAX + (int)NEW_ORDER_SIZE_MAX,
};

/* What a client sent that only a matcher may: it is refused as nobody's. */
#define TYPE_NOBODYS UINT64_MAX

struct recording {
    enum recording_kind kind;
    struct configure limits;
    struct strategy_symbol symbol;
    uint8_t *bytes;
    size_t size, size_max;
    uint64_t count;
    uint64_t begin_ns;
    uint64_t time_ns, row, seq; /* of the last one */
    uint64_t seq_max;
    bool adds_symbol;
    bool sealed;
    bool has_digest; /* of the last one, not written yet */
    uint64_t digest;
};

recording_t *recording_new(enum recording_kind kind, const struct configure *limits,
                           const struct strategy_symbol *symbol)
{
    recording_t *r = memory_new(1, sizeof *r, "a recording");
    r->kind = kind;
    r->limits = *limits;
    r->symbol = *symbol;
    r->size_max = SIZE_FIRST;
    r->bytes = memory_new(r->size_max, 1, "a recording");
    return r;
}

void recording_destroy(recording_t **recording)
{
    recording_t *r = *recording;
    if (r == NULL)
        return;
    memory_free(r->bytes, r->size_max, 1);
    memory_free(r, 1, sizeof *r);
    *recording = NULL;
}

/* ---- writing ---- */

/* Room for one more record. Pages that were not written take no memory, so doubling costs none. */
static struct wire_writer reserve(recording_t *r)
{
    if (r->size_max - r->size < RECORD_SIZE_MAX) {
        uint8_t *more = memory_new(r->size_max * 2, 1, "a recording");
        memcpy(more, r->bytes, r->size);
        memory_free(r->bytes, r->size_max, 1);
        r->bytes = more;
        r->size_max *= 2;
    }
    return (struct wire_writer){r->bytes + r->size};
}

static void written(recording_t *r, const struct wire_writer *w)
{
    r->size = (size_t)(w->at - r->bytes);
    CHECK(r->size <= r->size_max);
}

static void put_digest(recording_t *r)
{
    if (!r->has_digest)
        return;
    struct wire_writer w = reserve(r);
    *w.at++ = MARK_DIGEST;
    wire_put_u64(&w, r->digest);
    written(r, &w);
    r->has_digest = false;
}

/* Differences are taken modulo 2^64, so rows and sequences may be anything. */
static void put_more(struct wire_writer *w, uint64_t now, uint64_t last)
{
    wire_put_i64(w, (int64_t)(now - last));
}

/* Mark, time and row; the mark may be added to. */
static uint8_t *put_head(recording_t *r, struct wire_writer *w, uint64_t time_ns, uint64_t row)
{
    CHECK(!r->sealed && (r->count == 0 || time_ns >= r->time_ns));
    uint8_t *mark = w->at++;
    if (r->count++ == 0)
        r->begin_ns = r->time_ns = time_ns;
    *mark = row == r->row + 1 ? MARK_ROW_NEXT : 0;
    wire_put_u64(w, time_ns - r->time_ns);
    if (*mark == 0)
        put_more(w, row, r->row);
    r->time_ns = time_ns;
    r->row = row;
    return mark;
}

static bool texts_fit(struct text symbol, struct text account, struct text client_order_id)
{
    return symbol.size <= SYMBOL_SIZE_MAX && account.size <= ACCOUNT_SIZE_MAX &&
           client_order_id.size <= CLIENT_ORDER_ID_SIZE_MAX;
}

static bool fits(const struct command *c)
{
    const struct text none = {"", 0};
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        return texts_fit(c->new_order.symbol, c->new_order.account, c->new_order.client_order_id);
    case MESSAGE_CANCEL_ORDER:
        return texts_fit(c->cancel_order.symbol, c->cancel_order.account,
                         c->cancel_order.client_order_id);
    case MESSAGE_AMEND_ORDER:
        return texts_fit(c->amend_order.symbol, c->amend_order.account,
                         c->amend_order.client_order_id);
    case MESSAGE_MASS_CANCEL:
        return texts_fit(c->mass_cancel.symbol, c->mass_cancel.account, none);
    case MESSAGE_ADD_SYMBOL:
        return texts_fit(c->add_symbol.symbol, none, none) &&
               c->add_symbol.tick_size.size <= DECIMAL_SIZE_MAX &&
               c->add_symbol.lot_size.size <= DECIMAL_SIZE_MAX;
    default:
        return true;
    }
}

/* Its type as it is kept. */
static uint64_t type_of(const struct command *c)
{
    if (command_internal(c->type) && c->envelope.origin.size > 0)
        return TYPE_NOBODYS;
    return fits(c) ? c->type : COMMAND_MALFORMED;
}

/* Those that have fields worth keeping. */
#define KEPT_COMMANDS(X)                                                                           \
    X(new_order, NEW_ORDER)                                                                        \
    X(cancel_order, CANCEL_ORDER)                                                                  \
    X(amend_order, AMEND_ORDER)                                                                    \
    X(mass_cancel, MASS_CANCEL)                                                                    \
    X(add_symbol, ADD_SYMBOL)

static void put_fields(struct wire_writer *w, uint64_t type, const struct command *c)
{
#define PUT_CASE(name, NAME)                                                                       \
    case MESSAGE_##NAME:                                                                           \
        name##_put_fields(w, &c->name);                                                            \
        break;
    switch (type) {
        KEPT_COMMANDS(PUT_CASE)
    default:
        break;
    }
}

void recording_command(recording_t *r, uint64_t time_ns, uint64_t row, uint64_t seq,
                       const struct command *c)
{
    uint64_t type = type_of(c);
    CHECK(r->kind == RECORDING_COMMANDS);
    if (type == MESSAGE_CONTINUE_WORK)
        r->has_digest = false;
    if (type == MESSAGE_CONTINUE_WORK || type == MESSAGE_CONFIGURE)
        return;
    CHECK(seq == 0 || seq > r->seq_max);
    put_digest(r);
    struct wire_writer w = reserve(r);
    uint8_t *mark = put_head(r, &w, time_ns, row);
    if (seq == r->seq + 1)
        *mark |= MARK_SEQ_NEXT;
    else
        put_more(&w, seq, r->seq);
    r->seq = seq;
    r->seq_max = seq > r->seq_max ? seq : r->seq_max;
    if (c->envelope.deadline_ns != 0) {
        *mark |= MARK_DEADLINE;
        wire_put_u64(&w, c->envelope.deadline_ns);
    }
    wire_put_u64(&w, type);
    put_fields(&w, type, c);
    written(r, &w);
    if (type == MESSAGE_ADD_SYMBOL && text_equal(c->add_symbol.symbol, text_of(r->symbol.name)))
        r->adds_symbol = true;
}

static void put_row(recording_t *r, uint64_t time_ns, uint64_t row, uint8_t marks, int64_t price,
                    int64_t qty)
{
    CHECK(r->kind == RECORDING_LEVELS);
    struct wire_writer w = reserve(r);
    *put_head(r, &w, time_ns, row) |= marks;
    wire_put_i64(&w, price);
    wire_put_i64(&w, qty);
    written(r, &w);
}

static uint8_t mark_of(enum side side)
{
    CHECK(side == SIDE_BUY || side == SIDE_SELL);
    return side == SIDE_SELL ? MARK_SELL : 0;
}

void recording_level(recording_t *r, uint64_t time_ns, uint64_t row, enum side side, int64_t price,
                     int64_t qty)
{
    CHECK(qty >= 0);
    put_row(r, time_ns, row, mark_of(side), price, qty);
}

void recording_trade(recording_t *r, uint64_t time_ns, uint64_t row, enum side aggressor,
                     int64_t price, int64_t qty)
{
    CHECK(qty > 0);
    put_row(r, time_ns, row, mark_of(aggressor) | MARK_TRADE, price, qty);
}

void recording_digest(recording_t *r, uint64_t books_hash)
{
    CHECK(!r->sealed);
    r->has_digest = r->count > 0;
    r->digest = books_hash;
}

void recording_seal(recording_t *r)
{
    put_digest(r);
    r->sealed = true;
}

/* ---- what it is ---- */

enum recording_kind recording_kind_of(const recording_t *r)
{
    return r->kind;
}

const struct configure *recording_limits(const recording_t *r)
{
    return &r->limits;
}

const struct strategy_symbol *recording_symbol(const recording_t *r)
{
    return &r->symbol;
}

uint64_t recording_count(const recording_t *r)
{
    return r->count;
}

size_t recording_size(const recording_t *r)
{
    return sizeof *r + r->size;
}

bool recording_adds_symbol(const recording_t *r)
{
    return r->adds_symbol;
}

uint64_t recording_begin_ns(const recording_t *r)
{
    return r->begin_ns;
}

uint64_t recording_end_ns(const recording_t *r)
{
    return r->time_ns;
}

/* ---- reading ---- */

void recording_begin(const recording_t *r, struct recording_cursor *c)
{
    CHECK(r->sealed);
    *c = (struct recording_cursor){.recording = r, .time_ns = r->begin_ns};
}

static struct wire_reader reader_at(const recording_t *r, size_t at)
{
    return (struct wire_reader){r->bytes + at, r->bytes + r->size, false};
}

static void get_fields(struct wire_reader *in, struct command *c)
{
#define GET_CASE(name, NAME)                                                                       \
    case MESSAGE_##NAME:                                                                           \
        name##_get_fields(in, &c->name);                                                           \
        break;
    switch (c->type) {
        KEPT_COMMANDS(GET_CASE)
    default:
        break;
    }
}

static void get_command(struct wire_reader *in, unsigned mark, struct recording_cursor *c,
                        struct recorded *e)
{
    c->seq += (mark & MARK_SEQ_NEXT) != 0 ? 1 : (uint64_t)wire_get_i64(in);
    e->seq = c->seq;
    e->command.envelope = (struct envelope){.origin = {"", 0}};
    if ((mark & MARK_DEADLINE) != 0)
        e->command.envelope.deadline_ns = wire_get_u64(in, 0);
    e->command.type = wire_get_u64(in, 0);
    get_fields(in, &e->command);
    e->has_digest = in->at < in->end && *in->at == MARK_DIGEST;
    if (e->has_digest) {
        in->at++;
        e->books_hash = wire_get_u64(in, 0);
    }
}

bool recording_next(struct recording_cursor *c, struct recorded *e)
{
    const recording_t *r = c->recording;
    struct wire_reader in = reader_at(r, c->at);
    if (in.at == in.end)
        return false;
    unsigned mark = *in.at++;
    c->time_ns += wire_get_u64(&in, 0);
    c->row += (mark & MARK_ROW_NEXT) != 0 ? 1 : (uint64_t)wire_get_i64(&in);
    e->time_ns = c->time_ns;
    e->row = c->row;
    if (r->kind == RECORDING_COMMANDS) {
        get_command(&in, mark, c, e);
    } else {
        e->seq = 0;
        e->has_digest = false;
        e->trade = (mark & MARK_TRADE) != 0;
        e->side = (mark & MARK_SELL) != 0 ? SIDE_SELL : SIDE_BUY;
        e->price = wire_get_i64(&in);
        e->qty = wire_get_i64(&in);
    }
    CHECK(!in.bad);
    c->at = (size_t)(in.at - r->bytes);
    return true;
}

uint64_t recording_next_ns(const struct recording_cursor *c)
{
    struct wire_reader in = reader_at(c->recording, c->at);
    if (in.at == in.end)
        return UINT64_MAX;
    in.at++;
    return c->time_ns + wire_get_u64(&in, 0);
}
