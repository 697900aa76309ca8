#include "cli/ladder.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/reader.h"
#include "cli/rest.h"
#include "cli/screen.h"
#include "engine/mirror.h"
#include "node/host.h"

enum { DEPTH_MAX = 50, BAR_WIDTH = 24, SILENCE_MS = 5000, ORDERS_MAX = 1 << 22 };

static const uint64_t DRAW_NS = 100 * NS_PER_MS;

static const char usage[] =
    "usage: outcry book SYMBOL [--depth N] [--once] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Shows the book of a symbol, N levels of each side (10), as it changes; until Ctrl-C. --once\n"
    "prints it once; so does output that is not a terminal.\n"
    "\n"
    "  outcry book BTC-USD\n"
    "  outcry book AAPL --depth 5 --once\n";

struct ladder {
    const struct cluster_symbol *symbol;
    struct book_pool pool;
    struct mirror mirror;
    uint64_t depth;
    uint64_t seq;
    int64_t last_price, last_qty;
    bool heard;
    bool changed;
};

/* ---- what market data says ---- */

static void on_reset(void *self, uint32_t topic)
{
    struct ladder *l = self;
    (void)topic;
    mirror_reset(&l->mirror);
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    struct ladder *l = self;
    (void)topic, (void)seq;
    if (type == MESSAGE_TRADE) {
        struct wire_reader again = *fields;
        struct trade m;
        trade_get_fields(&again, &m);
        l->last_price = m.price;
        l->last_qty = m.qty;
    }
    (void)mirror_event(&l->mirror, type, fields);
}

static void on_joined(void *self, uint32_t topic, const struct frame_head *head)
{
    struct ladder *l = self;
    (void)topic;
    l->seq = head->seq;
    l->changed = true;
}

static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    (void)bytes, (void)size;
    on_joined(self, topic, head);
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    (void)topic;
    return (struct u64_or_nil){mirror_hash(&((struct ladder *)self)->mirror), true};
}

/* ---- drawing ---- */

struct rung {
    int64_t price, qty;
    uint32_t orders;
};

/* The best levels of a side, best first. */
static unsigned rungs_of(const struct ladder *l, unsigned side, struct rung *rungs)
{
    const struct book_side *s = &l->mirror.book.sides[side - 1];
    unsigned count = 0;
    for (uint32_t at = s->best; at != 0 && count < l->depth; count++) {
        const struct book_level *level = &l->pool.levels[at];
        rungs[count] = (struct rung){level->price, level->qty, level->order_count};
        at = level->worse;
    }
    return count;
}

static void draw_rung(struct screen *s, const struct ladder *l, const struct rung *r, int64_t most,
                      bool bid)
{
    static const char bar[] = "########################";
    char price[DECIMAL_TEXT_SIZE], qty[DECIMAL_TEXT_SIZE];
    int width = most == 0 ? 0 : (int)((double)r->qty / (double)most * BAR_WIDTH);
    decimal_from_units(price, r->price, &l->symbol->tick);
    decimal_from_units(qty, r->qty, &l->symbol->lot);
    screen_put(s, bid ? SCREEN_GOOD : SCREEN_BAD, "%s %16s %16s %6u  %-*.*s", bid ? "bid" : "ask",
               price, qty, r->orders, BAR_WIDTH, width, bar);
    screen_end_line(s);
}

static void draw(struct screen *s, const struct ladder *l)
{
    struct rung bids[DEPTH_MAX], asks[DEPTH_MAX];
    char last[DECIMAL_TEXT_SIZE] = "none yet";
    unsigned bid_count = rungs_of(l, SIDE_BUY, bids), ask_count = rungs_of(l, SIDE_SELL, asks);
    int64_t most = 0;
    for (unsigned i = 0; i < bid_count; i++)
        most = bids[i].qty > most ? bids[i].qty : most;
    for (unsigned i = 0; i < ask_count; i++)
        most = asks[i].qty > most ? asks[i].qty : most;
    if (l->last_qty > 0)
        decimal_from_units(last, l->last_price, &l->symbol->tick);
    screen_begin(s);
    screen_put(s, SCREEN_PLAIN, "%s   sequence %llu   last trade %s", l->symbol->name,
               (unsigned long long)l->seq, last);
    screen_end_line(s);
    screen_put(s, SCREEN_PLAIN, "    %16s %16s %6s", "price", "quantity", "orders");
    screen_end_line(s);
    for (unsigned i = ask_count; i-- > 0;)
        draw_rung(s, l, &asks[i], most, false);
    for (unsigned i = 0; i < bid_count; i++)
        draw_rung(s, l, &bids[i], most, true);
    screen_show(s);
}

/* ---- life ---- */

/* False if there was nothing to read. */
static bool run(reader_t *reader, struct screen *s, struct ladder *l, bool once)
{
    uint64_t give_up_ns = clock_monotonic_ns() + SILENCE_MS * NS_PER_MS, drawn_ns = 0;
    while (!screen_stopped()) {
        reader_poll(reader, 50);
        uint64_t now_ns = clock_monotonic_ns();
        bool complete = subscriber_live(reader_subscriber(reader), 0);
        l->heard = l->heard || complete;
        if (!l->heard && now_ns > give_up_ns)
            return false;
        if (!complete || !l->changed || now_ns < drawn_ns + DRAW_NS)
            continue;
        draw(s, l);
        drawn_ns = now_ns;
        l->changed = false;
        if (once)
            return true;
    }
    return true;
}

static bool watch(const struct cluster *c, struct ladder *l, bool once)
{
    char topic[TOPIC_SIZE_MAX + 1], error[ENDPOINT_ERROR_SIZE];
    const char *topics[] = {topic};
    struct subscriber_owner owner = {.self = l,
                                     .reset = on_reset,
                                     .event = on_event,
                                     .joined = on_joined,
                                     .frame = on_frame,
                                     .hash = on_hash};
    snprintf(topic, sizeof topic, "l3.%s", l->symbol->name);
    reader_t *reader = reader_open(c, &owner, topics, 1, error);
    if (reader == NULL) {
        fprintf(stderr, "outcry book: %s\n", error);
        return false;
    }
    struct screen screen;
    screen_open(&screen, !once, false);
    bool heard = run(reader, &screen, l, once);
    screen_close(&screen);
    reader_close(&reader);
    if (!heard)
        fprintf(stderr,
                "outcry book: nothing is published at %s; is a cluster running (./outcry up)?\n",
                c->settings.market_data_address);
    return heard;
}

int ladder_main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct ladder l;
    bool once = isatty(STDOUT_FILENO) != 1;
    host_load(&cluster, &argc, argv, usage);
    l.depth = host_number_flag(&argc, argv, "--depth", 1, DEPTH_MAX, 10);
    once = rest_flag(&argc, argv, "--once") || once;
    l.symbol = argc == 2 ? cluster_symbol_find(&cluster, argv[1]) : NULL;
    if (l.symbol == NULL) {
        fprintf(stderr,
                "outcry book: found %s, expected a symbol of the configuration (see "
                "--help)\n",
                argc == 2 ? argv[1] : "no symbol");
        return 2;
    }
    book_pool_init(&l.pool, ORDERS_MAX, ORDERS_MAX);
    mirror_init(&l.mirror, &l.pool);
    bool fine = watch(&cluster, &l, once);
    book_pool_close(&l.pool);
    return fine && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
