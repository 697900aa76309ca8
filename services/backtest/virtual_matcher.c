#include "backtest/virtual_matcher.h"

#include "base/check.h"
#include "base/memory.h"

enum {
    BATCH_MAX = 1024,           /* commands: work that goes on, mostly */
    OPEN_ORDERS_MOST = 1 << 26, /* what the engine allows */
    ACCOUNTS_MOST = 1 << 20,
    FINISHED_MOST = 1 << 30, /* of all accounts */
};

/* ---- what it begins with ---- */

static uint64_t lower(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The recording's, and room for clients as far as the engine has it. Of origins there are the
 * clients' and one. */
static struct configure limits_of(const recording_t *recording)
{
    struct configure l = *recording_limits(recording);
    uint64_t accounts_most = ACCOUNTS_MOST;
    if (l.finished_per_account > 0)
        accounts_most = lower(accounts_most, FINISHED_MOST / l.finished_per_account);
    l.accounts_max = lower(l.accounts_max + VIRTUAL_CLIENTS, accounts_most);
    l.open_orders_max = lower(l.open_orders_max + VIRTUAL_ORDERS, OPEN_ORDERS_MOST);
    l.origins_max = VIRTUAL_CLIENTS + 1;
    l.origin_window = l.origin_window < VIRTUAL_WINDOW ? VIRTUAL_WINDOW : l.origin_window;
    return l;
}

/* Those the recording adds and, if it is not among them, its own. Texts point into it. */
static unsigned find_symbols(const recording_t *r, struct add_symbol *symbols, unsigned max)
{
    const struct strategy_symbol *s = recording_symbol(r);
    struct recording_cursor cursor;
    struct recorded e;
    unsigned count = 0;
    if (!recording_adds_symbol(r))
        symbols[count++] = (struct add_symbol){text_of(s->name), text_of(s->tick_size),
                                               text_of(s->lot_size), s->any_price};
    recording_begin(r, &cursor);
    while (recording_next(&cursor, &e)) {
        if (e.command.type == MESSAGE_ADD_SYMBOL && count < max)
            symbols[count++] = e.command.add_symbol;
    }
    return count;
}

static void make_matcher(struct virtual_matcher *v)
{
    const recording_t *r = v->options.recording;
    struct configure limits = limits_of(r);
    struct add_symbol *symbols = memory_new(limits.symbols_max, sizeof *symbols, "symbols");
    unsigned count = find_symbols(r, symbols, (unsigned)limits.symbols_max);
    struct matcher_options o = {
        .limits = limits,
        .epoch = VIRTUAL_EPOCH,
        .journal = JOURNAL_MODE_NONE,
        .checkpoint_commands = 1,
        .hash_seed = v->options.hash_seed,
        .heartbeat_ns = v->options.heartbeat_ns,
        .batch_commands_max = BATCH_MAX,
        .batch_origin_max = BATCH_MAX,
        .kept_size = v->options.kept_size,
        .requests_address = v->options.requests_address,
    };
    v->matcher = matcher_new(&o, symbols, count);
    v->service = matcher_service(v->matcher);
    memory_free(symbols, limits.symbols_max, sizeof *symbols);
}

/* ---- batches ---- */

static void begin(struct virtual_matcher *v)
{
    v->service.begin(v->service.self, v->now_ns, ++v->batch);
}

static void end(struct virtual_matcher *v)
{
    struct journal_batch kept; /* by nobody */
    struct outgoing m;
    (void)v->service.end(v->service.self, &kept);
    while (outbox_peek(v->service.outbox, UINT64_MAX, &m)) {
        v->options.frame(v->options.self, m.bytes, m.size);
        outbox_pop(v->service.outbox);
    }
}

/* A message in a batch of its own, and what it leaves over in more of them. */
static void happen(struct virtual_matcher *v, unsigned input, const uint8_t *message, size_t size)
{
    begin(v);
    while (v->service.receive(v->service.self, input, message, size) == INTAKE_FULL) {
        end(v);
        begin(v);
    }
    end(v);
    while (engine_waiting(virtual_matcher_engine(v)) > 0) {
        begin(v);
        end(v);
    }
}

void virtual_matcher_open(struct virtual_matcher *v, const struct virtual_matcher_options *o)
{
    *v = (struct virtual_matcher){.options = *o, .now_ns = recording_begin_ns(o->recording)};
    make_matcher(v);
    seq_map_init(&v->seqs);
    upcoming_init(&v->upcoming, o->recording, &v->seqs);
    v->service.stand(v->service.self, STANDING_OPEN, 0);
    begin(v);
    end(v);
    const engine_t *engine = virtual_matcher_engine(v);
    struct text name = text_of(recording_symbol(o->recording)->name);
    for (uint32_t s = 1; s <= engine_symbol_count(engine) && v->symbol == 0; s++) {
        if (text_equal(engine_symbol_name(engine, s), name))
            v->symbol = s;
    }
    CHECK(v->symbol != 0);
}

void virtual_matcher_close(struct virtual_matcher *v)
{
    matcher_destroy(&v->matcher);
    seq_map_close(&v->seqs);
}

/* ---- what happens ---- */

static void send_recorded(struct virtual_matcher *v, struct command *c)
{
    uint8_t bytes[COMMAND_SIZE_MAX];
    struct wire_writer w = {bytes};
    c->envelope.origin = text_of(RECORDED_ORIGIN);
    c->envelope.origin_epoch = UINT64_MAX; /* whoever else goes by its name comes too late */
    c->envelope.acked_through = v->origin_seq;
    c->envelope.origin_seq = ++v->origin_seq;
    if (c->type == MESSAGE_CANCEL_ORDER || c->type == MESSAGE_AMEND_ORDER) /* both begin alike */
        c->cancel_order.order_id = upcoming_order_id(&v->upcoming, c->cancel_order.order_id);
    command_write(&w, c);
    happen(v, MATCHER_INPUT_COMMANDS, bytes, (size_t)(w.at - bytes));
}

/* What the recorded command that just happened did not get, because of clients. A group of work
 * that went on ends like the command itself. */
static void count_lacking(struct virtual_matcher *v)
{
    const engine_t *engine = virtual_matcher_engine(v);
    size_t count;
    const struct event *events = engine_events(engine, &count);
    v->refused += engine_result(engine).outcome.code != 0;
    for (const struct event *e = events; e < events + count; e++) {
        bool cut =
            e->kind == EVENT_CANCELLED && !e->rested &&
            (e->reason == REASON_IOC_REMAINDER || e->reason == REASON_INSUFFICIENT_LIQUIDITY);
        if (cut && e->book == v->symbol)
            v->short_qty += e->qty;
    }
}

void virtual_matcher_recorded(struct virtual_matcher *v)
{
    struct recorded *e = upcoming_first(&v->upcoming);
    v->now_ns = e->time_ns > v->now_ns ? e->time_ns : v->now_ns;
    if (e->command.type >= MESSAGE_NEW_ORDER && e->command.type <= MESSAGE_MASS_CANCEL) {
        seq_map_note(&v->seqs, e->seq, engine_seq(virtual_matcher_engine(v)) + 1);
        send_recorded(v, &e->command);
        if (v->changed)
            count_lacking(v);
    }
    v->recorded++;
    upcoming_pop(&v->upcoming, virtual_matcher_engine(v));
}

bool virtual_matcher_command(struct virtual_matcher *v, const uint8_t *bytes, size_t size)
{
    uint64_t before = matcher_counts(v->matcher).commands;
    happen(v, MATCHER_INPUT_COMMANDS, bytes, size);
    bool sequenced = matcher_counts(v->matcher).commands > before;
    v->changed = v->changed || sequenced;
    return sequenced;
}

void virtual_matcher_request(struct virtual_matcher *v, const uint8_t *message, size_t size)
{
    happen(v, MATCHER_INPUT_REQUESTS, message, size);
}

void virtual_matcher_subscription(struct virtual_matcher *v, const uint8_t *message, size_t size)
{
    begin(v);
    matcher_subscription(v->matcher, MATCHER_OUTPUT_PRIVATE, message, size);
    matcher_subscription(v->matcher, MATCHER_OUTPUT_PUBLIC, message, size);
    end(v);
}

void virtual_matcher_time(struct virtual_matcher *v, uint64_t now_ns)
{
    if (now_ns <= v->now_ns)
        return;
    v->now_ns = now_ns;
    begin(v);
    end(v);
}

void virtual_matcher_heartbeat(struct virtual_matcher *v)
{
    begin(v);
    matcher_heartbeat(v->matcher, v->now_ns);
    end(v);
}
