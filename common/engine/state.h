/* state: what an engine is made of. For the files of this folder only; everybody else sees
 * engine.h. */
#ifndef OUTCRY_ENGINE_STATE_H
#define OUTCRY_ENGINE_STATE_H

#include "base/check.h"
#include "base/name_table.h"
#include "base/planted.h"
#include "engine/engine.h"

struct symbol {
    struct book book;
    struct book_marks marks;
    struct bbo_state bbo; /* as of marks.bbo_seq */
    uint64_t books_term;  /* its own in the engine's books_hash */
    uint64_t next_priority;
    bool any_price;
    struct text tick_size; /* into sizes_text */
    struct text lot_size;
    char sizes_text[2 * DECIMAL_SIZE_MAX];
};

/* A run of orders, linked by account_prev and account_next. */
struct order_list {
    uint32_t head, tail;
};

struct account {
    struct order_list open;     /* in the order they were accepted */
    struct order_list finished; /* in the order they finished */
    uint32_t open_count;
    uint32_t finished_count;
    uint32_t mass_cursor; /* the next open order a running mass cancel of everybody looks at */
};

/* A client order id; the one of order n stands at n. */
struct label {
    uint64_t body_hash; /* of the order as it came, to tell a repeat from a second use */
    uint32_t next;      /* in its bucket */
    uint8_t size;
    char text[CLIENT_ORDER_ID_SIZE_MAX];
};

struct labels {
    struct label *labels; /* by order */
    uint32_t *heads;
    uint64_t bucket_mask;
    uint64_t seed;
    uint32_t order_max;
};

enum { ORIGIN_SILENT_S = 3600 }; /* before an origin may be forgotten; PROTOCOL.md says why */

struct origin {
    uint64_t last_ns; /* of its last command */
    uint64_t epoch;
    uint64_t next_seq;
    uint64_t acked_through;
};

struct origins {
    struct name_table names;
    struct origin *origins;   /* by number of the name */
    struct outcome *outcomes; /* a ring for each origin, by origin_seq */
    uint64_t ring_mask;       /* one less than the places of a ring, a power of two */
    uint32_t window;
};

enum work_kind { WORK_NONE, WORK_SWEEP, WORK_MASS_CANCEL };

/* What a command left over. A shard has at most one such piece, because nothing else may happen
 * until it is finished. */
struct work {
    enum work_kind kind;
    uint32_t order;   /* sweep: the taker */
    uint32_t symbol;  /* mass cancel: 0 for all */
    uint32_t account; /* mass cancel: whose */
    uint32_t cursor;  /* mass cancel of one account: the next order to look at; else 0 */
    uint8_t side;     /* mass cancel: 0 for both */
    bool everybody;   /* mass cancel by the anonymous account */
    uint32_t origin;  /* mass cancel: whose result it becomes */
    uint64_t origin_seq;
    struct outcome outcome;
};

struct engine {
    struct configure limits;
    uint64_t seq;
    uint64_t time_ns;
    uint64_t trade_count;
    uint64_t open_count;
    uint64_t books_hash; /* engine_books_hash() */
    struct book_pool pool;
    struct order_detail *details; /* by order */
    struct labels labels;
    struct name_table symbol_names;
    struct symbol *symbols; /* by number of the name */
    struct name_table account_names;
    struct account *accounts; /* by number of the name; 1 is the empty one if anonymous */
    struct origins origins;
    struct work work;
    uint32_t *mass_heap; /* accounts a mass cancel of everybody has still to look at */
    uint32_t mass_heap_count;

    /* the command now */
    struct event *events;
    size_t event_count;
    size_t event_max;  /* room for them */
    size_t units_left; /* fills or cancels it may still make */
    uint32_t *touched; /* symbols whose book it changed */
    uint32_t touched_count;
    uint32_t result_origin;
    uint64_t result_origin_seq;
    struct outcome outcome;
};

enum { ACCOUNT_ANONYMOUS = 1 }; /* only where limits.anonymous */

/* ---- engine.c ---- */

void engine_refuse(engine_t *e, enum reason code);

/* A symbol that is not there yet begins to exist. */
struct symbol *engine_add_symbol(engine_t *e, const struct add_symbol *m);

/* Bring the symbol's term in the digest of all books up to date. */
void engine_settle_hash(engine_t *e, uint32_t symbol);

/* The order is open from now on, in its account's list and in the indexes. */
void engine_open(engine_t *e, uint32_t order);

/* The order joins its account's finished ones, the oldest of which may go. */
void engine_remember(engine_t *e, uint32_t order, enum order_status status, enum reason reason);

/* The order is open no more, and is remembered. */
void engine_finish(engine_t *e, uint32_t order, enum order_status status, enum reason reason);

/* Whether a command of `account` may act on the order; 0 is an account never seen. */
static inline bool engine_may_act(const engine_t *e, uint32_t account, const struct order *o)
{
    return account == o->account || (e->limits.anonymous && (account == ACCOUNT_ANONYMOUS ||
                                                             o->account == ACCOUNT_ANONYMOUS));
}

static inline struct order *order_at(const engine_t *e, uint32_t order)
{
    return &e->pool.orders[order];
}

/* Events beside the units: accepted or amended before them, rested or cancelled after. */
enum { EVENTS_BESIDE_UNITS = 8 };

static inline struct event *engine_emit(engine_t *e, enum event_kind kind, uint32_t order)
{
    CHECK(e->event_count < e->event_max);
    const struct order *o = order_at(e, order);
    struct event *event = &e->events[e->event_count++];
    *event =
        (struct event){.kind = (uint8_t)kind, .side = o->side, .book = o->book, .order = order};
    return event;
}

/* A book is about to change. */
static inline void engine_touch(engine_t *e, uint32_t symbol)
{
    struct symbol *s = &e->symbols[symbol];
    if (s->marks.book_seq == e->seq)
        return;
    s->marks.book_seq = e->seq;
    e->touched[e->touched_count++] = symbol;
}

/* ---- place.c, amend.c, cancel.c ---- */

void place_order(engine_t *e, const struct new_order *m);
void amend_apply(engine_t *e, const struct amend_order *m);
void cancel_apply(engine_t *e, const struct cancel_order *m);
void mass_cancel_apply(engine_t *e, const struct mass_cancel *m);
void mass_cancel_go_on(engine_t *e);

/* Make the heap of a mass cancel of everybody from the accounts' cursors. */
void mass_cancel_heap(engine_t *e);

/* Take an open order off, wherever it is, and say so. */
void cancel_order_now(engine_t *e, uint32_t order, enum reason reason);

/* The refusals by a shape all commands about orders share; 0, or the first that applies. number:
 * the account's, 0 for one never seen. */
enum reason check_new_account(const engine_t *e, struct text account);
static inline enum reason check_account(engine_t *e, struct text account, uint32_t *number)
{
    *number = name_table_find(&e->account_names, account.data, account.size);
    return *number != 0 ? 0 : check_new_account(e, account); /* what is known was looked at once */
}

enum reason check_order_name(uint64_t order_id, struct text client_order_id);

/* The symbol of an order: with an order_id it may be left out. number: 0 for whichever it has. */
static inline enum reason check_order_symbol(engine_t *e, struct text symbol, uint64_t order_id,
                                             uint32_t *number)
{
    *number = name_table_find(&e->symbol_names, symbol.data, symbol.size);
    return *number != 0 || (symbol.size == 0 && order_id != 0) ? 0 : REJECT_UNKNOWN_SYMBOL;
}

/* ---- matching.c ---- */

/* The price an order would take at most (buy) or at least (sell). */
struct limit {
    bool any; /* a market order's: every price */
    int64_t price;
};

bool match_would_trade(const engine_t *e, const struct symbol *s, unsigned side,
                       struct limit limit);
bool match_would_meet_own(const engine_t *e, const struct symbol *s, unsigned side,
                          struct limit limit, int64_t qty, uint32_t account);
bool match_could_fill(const engine_t *e, const struct symbol *s, unsigned side, struct limit limit,
                      int64_t qty);

/* Match an open order that is not on the book, then rest or cancel what is left. If the command's
 * work is used up it becomes the work left over. */
void match_order(engine_t *e, uint32_t order);

/* ---- labels.c ---- */

void labels_init(struct labels *l, uint32_t order_max, uint32_t labelled_max, uint64_t seed);
void labels_close(struct labels *l);
uint32_t labels_find(const struct labels *l, const struct book_pool *pool, uint32_t account,
                     struct text client_order_id);
void labels_add(struct labels *l, uint32_t order, uint32_t account, struct text client_order_id,
                uint64_t body_hash);
void labels_remove(struct labels *l, uint32_t order, uint32_t account);
struct text labels_text(const struct labels *l, uint32_t order);

/* The open order a command names, by id or client order id, if its account may act on it; 0: there
 * is none. symbol: 0 for any. account: 0 for one never seen. */
static inline uint32_t named_order(engine_t *e, uint32_t symbol, uint32_t account,
                                   uint64_t order_id, struct text client_order_id)
{
    uint32_t order = order_id != 0 ? order_find(&e->pool, order_id)
                                   : labels_find(&e->labels, &e->pool, account, client_order_id);
    if (order == 0)
        return 0;
    const struct order *o = order_at(e, order);
    bool open = o->status == ORDER_STATUS_NEW || o->status == ORDER_STATUS_PARTIALLY_FILLED;
    bool here = symbol == 0 || o->book == symbol;
    return open && here && engine_may_act(e, account, o) ? order : 0;
}

/* ---- origins.c ---- */

static inline struct outcome *outcome_at(const struct origins *o, uint32_t origin,
                                         uint64_t origin_seq)
{
    return &o->outcomes[origin * (o->ring_mask + 1) + (origin_seq & o->ring_mask)];
}

void origins_init(struct origins *o, uint32_t origins_max, uint32_t window, uint64_t seed);
void origins_close(struct origins *o);
struct admission_answer origins_admit(struct origins *o, const struct envelope *envelope,
                                      uint64_t now_ns);
uint32_t origins_take(struct origins *o, const struct envelope *envelope, uint64_t now_ns);
void origins_keep(struct origins *o, uint32_t origin, uint64_t origin_seq,
                  const struct outcome *outcome);

#endif
