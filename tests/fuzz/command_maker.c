#include "tests/fuzz/command_maker.h"

/* Draws are never made in one initializer or argument list: their order would be the compiler's,
 * and a seed must replay in every build. */

/* ---- names ---- */

static const char *const symbols[MAKER_SYMBOLS_MAX] = {
    "BTC-USD", "BTC-USDT", "SPREAD.1", "X", "0123456789ABCDEF", "POWER_DE",
};
static const char *const bad_symbols[] = {"", "BTC-US", "BTC-USD ", "\xff", "btc-usd"};

static const char *const accounts[] = {
    "alice", "bob", "carol",  "dave",  "eve",   "f",
    "G-7",   "h_1", "alice2", "Alice", "ALICE", "abcdefghijklmnopqrstuvwxyz012345",
};
static const char *const bad_accounts[] = {
    "", "a b", "a.b", "a:b", "\xc3\xa9", "\x01", "abcdefghijklmnopqrstuvwxyz01234 ",
};
static const char *const bad_labels[] = {"a b", "a/b", "\xc3\xa9", "#",
                                         "0123456789012345678901234567890123 5"};

static const char *const origins[] = {
    "gw-1", "gw-2", "strategy_1", "abcdefghijklmnopqrstuvwxyz012345", "gw",
};

static struct text text_from(const char *string)
{
    struct text text = text_of(string);
    return text.size == 0 ? (struct text){NULL, 0} : text;
}

/* ---- the temper of a run ---- */

static uint64_t often(struct random *r)
{
    static const uint64_t once_in[] = {2, 4, 10, 50, 1000000};
    return RANDOM_OF(r, once_in);
}

static void draw_limits(struct command_maker *m)
{
    static const uint64_t open[] = {1, 5, 20, 60, 60, 150, 300, 1000};
    static const uint64_t finished[] = {0, 1, 2, 5, 20, 50};
    static const uint64_t events[] = {1, 2, 3, 4, 7, 20, 300, 4096};
    static const uint64_t windows[] = {1, 2, 5, 64, 1000};
    static const uint64_t shards[] = {0, 1, 7, 65535};
    struct random *r = &m->random;
    m->limits.shard = RANDOM_OF(r, shards);
    m->limits.open_orders_max = RANDOM_OF(r, open);
    m->limits.accounts_max = 1 + random_below(r, 12);
    m->limits.finished_per_account = RANDOM_OF(r, finished);
    m->limits.symbols_max = 1 + random_below(r, MAKER_SYMBOLS_MAX);
    m->limits.origins_max = 1 + random_below(r, 4);
    m->limits.origin_window = RANDOM_OF(r, windows);
    m->limits.events_max = RANDOM_OF(r, events);
    m->limits.anonymous = random_once_in(r, 4);
}

static void draw_weights(struct command_maker *m)
{
    static const uint64_t weights[] = {0, 10, 40, 90};
    m->weights[MAKE_NEW] = 100;
    m->weights[MAKE_CANCEL] = RANDOM_OF(&m->random, weights) / 2;
    m->weights[MAKE_AMEND] = RANDOM_OF(&m->random, weights);
    m->weights[MAKE_MASS_CANCEL] = 1 + RANDOM_OF(&m->random, weights) / 20;
    m->weights[MAKE_ODD] = RANDOM_OF(&m->random, weights) / 20;
}

static void draw_market(struct command_maker *m)
{
    static const int64_t centres[] = {1, 64, 100, 4096, 1 << 18, INT64_MAX - 2, INT64_MAX / 2};
    static const int64_t any_centres[] = {0, -1, -64, INT64_MIN + 2, INT64_MAX - 2, 100};
    static const uint64_t widths[] = {1, 2, 5, 20, 100, 5000};
    static const uint64_t quantities[] = {1, 3, 20, 1000};
    struct random *r = &m->random;
    for (unsigned s = 0; s < MAKER_SYMBOLS_MAX; s++)
        m->centre[s] = s % 2 == 1 ? RANDOM_OF(r, any_centres) : RANDOM_OF(r, centres);
    m->width = RANDOM_OF(r, widths);
    m->qty_max = RANDOM_OF(r, quantities);
}

static void draw_labels(struct command_maker *m)
{
    static const char letters[] = "abcXYZ019_.:-";
    struct random *r = &m->random;
    m->label_count = 1 + random_below(r, MAKER_LABELS_MAX);
    for (uint64_t i = 0; i < m->label_count; i++) {
        uint64_t size = 1 + random_below(r, CLIENT_ORDER_ID_SIZE_MAX);
        for (uint64_t k = 0; k < size; k++)
            m->labels[i][k] = letters[random_below(r, sizeof letters - 1)];
        m->labels[i][size] = 0;
    }
}

void command_maker_init(struct command_maker *m, uint64_t seed)
{
    *m = (struct command_maker){.random = {seed}, .time_ns = 1};
    struct random *r = &m->random;
    draw_limits(m);
    draw_weights(m);
    draw_market(m);
    draw_labels(m);
    m->mistake_in = 10 * often(r);
    m->edge_in = 5 * often(r);
    m->label_in = often(r);
    m->repeat_in = often(r);
    m->hurry_in = often(r);
    m->immediate_in = often(r);
    m->ack_lag = random_below(r, 2 * m->limits.origin_window);
    m->nobody = random_once_in(r, 5);
}

bool command_maker_symbol(const struct command_maker *m, const struct reference *r,
                          struct command *c)
{
    if (r->symbol_count == m->limits.symbols_max)
        return false;
    *c = (struct command){
        .type = MESSAGE_ADD_SYMBOL,
        .add_symbol = {.symbol = text_of(symbols[r->symbol_count]),
                       .tick_size = text_of("0.01"),
                       .lot_size = text_of("1"),
                       .any_price = r->symbol_count % 2 == 1},
    };
    return true;
}

/* ---- fields ---- */

static int64_t edge(struct random *r)
{
    static const int64_t edges[] = {
        INT64_MIN,
        INT64_MIN + 1,
        -64,
        -1,
        0,
        1,
        2,
        63,
        64,
        INT64_MAX / 2,
        INT64_MAX / 2 + 1,
        INT64_MAX - 1,
        INT64_MAX,
        INT64_MAX - 20,
    };
    return RANDOM_OF(r, edges);
}

static int64_t clamped(wide_t value)
{
    return value < INT64_MIN ? INT64_MIN : value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static int64_t near(struct random *r, int64_t centre, uint64_t width)
{
    return clamped((wide_t)centre - (wide_t)width + (wide_t)random_below(r, 2 * width + 1));
}

/* A value of a set 1..count; now and then one that is not. */
static uint64_t in_set(struct command_maker *m, uint64_t count)
{
    static const uint64_t bad[] = {0, 3, 4, 255, 256, 257, UINT64_MAX, UINT64_C(1) << 32 | 1};
    if (random_once_in(&m->random, m->mistake_in))
        return RANDOM_OF(&m->random, bad);
    return 1 + random_below(&m->random, count);
}

/* The number of a symbol that is there; symbols[] of it is its name. */
static uint64_t some_symbol(struct command_maker *m, const struct reference *r)
{
    return r->symbol_count == 0 ? 0 : random_below(&m->random, r->symbol_count);
}

static struct text symbol_text(struct command_maker *m, uint64_t number)
{
    if (random_once_in(&m->random, 2 * m->mistake_in))
        return text_from(RANDOM_OF(&m->random, bad_symbols));
    return text_of(symbols[number]);
}

static struct text account_text(struct command_maker *m)
{
    if (random_once_in(&m->random, 2 * m->mistake_in))
        return text_from(RANDOM_OF(&m->random, bad_accounts));
    if (m->limits.anonymous && random_once_in(&m->random, 3))
        return (struct text){NULL, 0};
    if (random_once_in(&m->random, 100)) /* maybe one more than the shard holds */
        return text_of(RANDOM_OF(&m->random, accounts));
    return text_of(accounts[random_below(&m->random, m->limits.accounts_max)]);
}

static struct text label_text(struct command_maker *m)
{
    if (random_once_in(&m->random, 2 * m->mistake_in))
        return text_from(RANDOM_OF(&m->random, bad_labels));
    return text_of(m->labels[random_below(&m->random, m->label_count)]);
}

static int64_t some_price(struct command_maker *m, uint64_t symbol)
{
    if (random_once_in(&m->random, m->edge_in))
        return edge(&m->random);
    return near(&m->random, m->centre[symbol], m->width);
}

static int64_t some_qty(struct command_maker *m)
{
    if (random_once_in(&m->random, m->edge_in))
        return edge(&m->random);
    uint64_t times = random_once_in(&m->random, 20) ? 50 : 1; /* now and then one that sweeps */
    return 1 + (int64_t)random_below(&m->random, times * m->qty_max);
}

/* ---- commands ---- */

static void make_new(struct command_maker *m, const struct reference *r, struct new_order *o)
{
    struct random *random = &m->random;
    if (m->past_count > 0 && random_once_in(random, m->repeat_in)) {
        uint64_t kept = m->past_count < MAKER_PAST_MAX ? m->past_count : MAKER_PAST_MAX;
        *o = m->past[random_below(random, kept)];
        return;
    }
    *o = (struct new_order){.type = ORDER_TYPE_LIMIT, .time_in_force = TIME_IN_FORCE_GTC};
    uint64_t symbol = some_symbol(m, r);
    bool market = random_once_in(random, 8);
    o->symbol = symbol_text(m, symbol);
    o->account = account_text(m);
    o->side = in_set(m, 2);
    if (market)
        o->type = ORDER_TYPE_MARKET;
    if (random_once_in(random, m->mistake_in))
        o->type = in_set(m, 2);
    if (random_once_in(random, m->immediate_in))
        o->time_in_force = in_set(m, 3);
    o->post_only = random_once_in(random, market ? m->mistake_in : 6);
    o->stp = in_set(m, 2);
    o->qty = some_qty(m);
    if (!random_once_in(random, m->label_in))
        o->client_order_id = label_text(m);
    if (market == random_once_in(random, m->mistake_in))
        o->price = (struct i64_or_nil){some_price(m, symbol), true};
    m->past[m->past_count++ % MAKER_PAST_MAX] = *o;
}

/* How cancel and amend name an order. */
struct aim {
    const struct reference_order *order; /* NULL: at nothing in particular */
    struct text symbol;
    struct text account;
    uint64_t order_id;
    struct text label;
};

static struct text name_text(const struct reference_name *name)
{
    return (struct text){name->text, name->size};
}

static const struct reference_order *some_order(struct command_maker *m, const struct reference *r)
{
    if (r->account_count > 0 && random_once_in(&m->random, 10)) {
        const struct reference_list *finished =
            &r->accounts[random_below(&m->random, r->account_count)].finished;
        if (finished->count > 0)
            return finished->orders[random_below(&m->random, finished->count)];
    }
    if (r->open.count == 0 || random_once_in(&m->random, 20))
        return NULL;
    return r->open.orders[random_below(&m->random, r->open.count)];
}

/* The maker's own copy of a text that stands in an order, which may be gone tomorrow. */
static struct text own_text(const struct command_maker *m, struct text text)
{
    for (uint64_t i = 0; i < m->label_count; i++) {
        if (text_equal(text_of(m->labels[i]), text))
            return text_of(m->labels[i]);
    }
    return (struct text){NULL, 0};
}

static struct aim take_aim(struct command_maker *m, const struct reference *r)
{
    static const uint64_t astray[] = {0, 1, 16, 64, UINT64_C(1) << 48, UINT64_MAX};
    struct random *random = &m->random;
    struct aim aim = {.order = some_order(m, r)};
    uint64_t bits = random_below(random, 64);
    aim.symbol = symbol_text(m, some_symbol(m, r));
    aim.account = account_text(m);
    aim.order_id = random_next(random) >> bits;
    aim.label = label_text(m);
    if (aim.order == NULL)
        return aim;
    aim.order_id = aim.order->order_id;
    if (random_once_in(random, 20))
        aim.order_id += RANDOM_OF(random, astray);
    if (!random_once_in(random, 12))
        aim.account = name_text(&aim.order->account->name);
    if (!random_once_in(random, 20))
        aim.symbol = name_text(&aim.order->symbol->name);
    if (random_once_in(random, 8))
        aim.symbol = (struct text){NULL, 0};
    bool labelled = aim.order->label.size > 0 && !random_once_in(random, 10);
    if (labelled)
        aim.label = own_text(m, name_text(&aim.order->label));
    if (random_once_in(random, labelled ? 2 : m->mistake_in))
        aim.order_id = 0;
    if (random_once_in(random, labelled ? m->mistake_in : 2))
        aim.label = (struct text){NULL, 0};
    return aim;
}

static void make_cancel(struct command_maker *m, const struct reference *r, struct cancel_order *c)
{
    struct aim aim = take_aim(m, r);
    *c = (struct cancel_order){aim.symbol, aim.account, aim.order_id, aim.label};
}

/* A quantity that is, or is next to, one that matters. */
static int64_t telling_qty(struct command_maker *m, const struct reference_order *o)
{
    if (o == NULL || random_once_in(&m->random, 3))
        return some_qty(m);
    const int64_t telling[] = {o->open_qty, o->filled_qty, o->qty, INT64_MAX - o->filled_qty};
    return near(&m->random, RANDOM_OF(&m->random, telling), 1);
}

static void make_amend(struct command_maker *m, const struct reference *r, struct amend_order *a)
{
    struct random *random = &m->random;
    struct aim aim = take_aim(m, r);
    *a = (struct amend_order){.symbol = aim.symbol,
                              .account = aim.account,
                              .order_id = aim.order_id,
                              .client_order_id = aim.label,
                              .qty_is = in_set(m, 3)};
    if (!random_once_in(random, 5))
        a->qty = (struct i64_or_nil){telling_qty(m, aim.order), true};
    if (random_once_in(random, 2))
        return;
    bool same = aim.order != NULL && random_once_in(random, 2);
    int64_t price = same ? near(random, aim.order->price, random_below(random, 2))
                         : some_price(m, some_symbol(m, r));
    a->price = (struct i64_or_nil){price, true};
}

static void make_mass_cancel(struct command_maker *m, const struct reference *r,
                             struct mass_cancel *c)
{
    *c = (struct mass_cancel){.account = account_text(m)};
    if (random_once_in(&m->random, 2))
        c->symbol = symbol_text(m, some_symbol(m, r));
    if (random_once_in(&m->random, 2))
        c->side = in_set(m, 2);
}

/* What no client should send; the internal ones only where a client is seen to send them. */
static uint64_t odd_type(struct command_maker *m)
{
    static const uint64_t odd[] = {COMMAND_MALFORMED, 5, 15, 64, MESSAGE_RESEND, 255, UINT64_MAX};
    static const uint64_t internal[] = {MESSAGE_CONFIGURE, MESSAGE_ADD_SYMBOL,
                                        MESSAGE_CONTINUE_WORK};
    if (!m->nobody && random_once_in(&m->random, 2))
        return RANDOM_OF(&m->random, internal);
    return RANDOM_OF(&m->random, odd);
}

/* ---- envelopes ---- */

static uint64_t some_deadline(struct command_maker *m)
{
    static const int64_t offsets[] = {-1000, -1, 0, 1, 1, 1000, 1000, 1000};
    if (!random_once_in(&m->random, m->hurry_in))
        return 0;
    if (random_once_in(&m->random, 10))
        return UINT64_MAX;
    uint64_t deadline = m->time_ns + (uint64_t)RANDOM_OF(&m->random, offsets);
    return deadline > m->time_ns + 1000 ? 1 : deadline; /* it fell below 0 */
}

/* A place in the sequence that is not the next one. */
static void disorder(struct command_maker *m, struct envelope *e)
{
    static const uint64_t steps[] = {0, 1, 2, 5, 70, UINT64_MAX};
    switch (random_below(&m->random, 5)) {
    case 0:
        e->origin_seq -= RANDOM_OF(&m->random, steps);
        break;
    case 1:
        e->origin_seq += RANDOM_OF(&m->random, steps);
        break;
    case 2:
        e->origin_epoch -= random_below(&m->random, 3);
        break;
    case 3:
        e->acked_through += RANDOM_OF(&m->random, steps);
        break;
    default: /* a new session, which begins at 1 or wrongly elsewhere */
        e->origin_epoch += 1 + random_below(&m->random, 3);
        if (!random_once_in(&m->random, 4)) {
            e->origin_seq = 1;
            e->acked_through = 0;
        }
    }
}

static void make_envelope(struct command_maker *m, const struct reference *r, struct envelope *e)
{
    *e = (struct envelope){.deadline_ns = some_deadline(m)};
    if (m->nobody)
        return;
    e->origin = text_of(origins[random_below(&m->random, m->limits.origins_max)]);
    if (random_once_in(&m->random, 100)) /* maybe one more than the shard follows */
        e->origin = text_of(RANDOM_OF(&m->random, origins));
    e->origin_seq = 1;
    const struct reference_origin *o = reference_origin(r, e->origin);
    if (o != NULL) {
        uint64_t lag = random_below(&m->random, m->ack_lag + 1);
        e->origin_epoch = o->epoch;
        e->origin_seq = o->next_seq;
        e->acked_through = o->next_seq - 1 > lag ? o->next_seq - 1 - lag : 0;
    }
    if (random_once_in(&m->random, 12))
        disorder(m, e);
}

static enum maker_op some_op(struct command_maker *m)
{
    uint64_t sum = 0;
    for (unsigned op = 0; op < MAKE_OP_COUNT; op++)
        sum += m->weights[op];
    uint64_t at = random_below(&m->random, sum);
    unsigned op = 0;
    while (at >= m->weights[op])
        at -= m->weights[op++];
    return op;
}

void command_maker_next(struct command_maker *m, const struct reference *r, struct command *c)
{
    static const uint64_t steps_ns[] = {0, 0, 1, 1000};
    m->time_ns += RANDOM_OF(&m->random, steps_ns);
    if (random_once_in(&m->random, 300)) /* about as long as a silent origin is remembered */
        m->time_ns += UINT64_C(3600000000000) - 1000 + random_below(&m->random, 2000);
    *c = (struct command){0};
    make_envelope(m, r, &c->envelope);
    switch (some_op(m)) {
    case MAKE_NEW:
        c->type = MESSAGE_NEW_ORDER;
        make_new(m, r, &c->new_order);
        break;
    case MAKE_CANCEL:
        c->type = MESSAGE_CANCEL_ORDER;
        make_cancel(m, r, &c->cancel_order);
        break;
    case MAKE_AMEND:
        c->type = MESSAGE_AMEND_ORDER;
        make_amend(m, r, &c->amend_order);
        break;
    case MAKE_MASS_CANCEL:
        c->type = MESSAGE_MASS_CANCEL;
        make_mass_cancel(m, r, &c->mass_cancel);
        break;
    default:
        c->type = odd_type(m);
    }
}
