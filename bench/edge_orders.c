#include "edge_orders.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "cli/client.h"
#include "edge_cluster.h"

enum {
    WINDOW = 4096,
    MIDDLE_PRICE = 1000000, /* ticks */
    LEVELS = 10,
    LEVEL_QTY = 100000, /* lots; never reached */
    QTY = 10,
    PATIENCE_MS = 10000, /* for results */
};

struct edge_orders {
    const struct cluster *cluster;
    unsigned shard;
    uint64_t rate;
    uint64_t count;
    pthread_t thread;
    client_t *client; /* the thread's */
    uint64_t refused; /* the thread's */
    uint64_t spent_ns;
    char error[EDGE_ORDERS_ERROR_SIZE];
    _Atomic uint64_t start_ns;
    atomic_bool done; /* spent_ns and error are there */
    atomic_bool stop;
};

static void on_result(void *self, unsigned shard, uint64_t origin_seq, const struct result *result)
{
    edge_orders_t *o = self;
    (void)shard, (void)origin_seq;
    o->refused += result->code != 0;
}

/* ---- commands ---- */

static bool put(edge_orders_t *o, struct command *c)
{
    uint64_t origin_seq;
    uint64_t give_up_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
    enum status status;
    while ((status = client_command(o->client, o->shard, c, &origin_seq)) == STATUS_FULL &&
           clock_monotonic_ns() < give_up_ns) {
        client_poll(o->client, 1);
    }
    return status == STATUS_OK;
}

static bool place(edge_orders_t *o, unsigned side, int64_t price, int64_t qty, bool taker)
{
    struct command c = {.type = MESSAGE_NEW_ORDER};
    c.new_order = (struct new_order){
        .symbol = text_of(EDGE_CLUSTER_SYMBOL),
        .account = text_of(taker ? "bench-taker" : "bench-maker"),
        .client_order_id = text_of(""),
        .side = side,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = taker ? TIME_IN_FORCE_IOC : TIME_IN_FORCE_GTC,
        .stp = STP_NONE,
        .price = {price, true},
        .qty = qty,
    };
    return put(o, &c);
}

static bool finish(edge_orders_t *o)
{
    uint64_t give_up_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
    while (client_unanswered(o->client) > 0 && !client_lost(o->client) &&
           clock_monotonic_ns() < give_up_ns) {
        client_poll(o->client, 1);
    }
    return client_unanswered(o->client) == 0 && o->refused == 0;
}

static bool lay_book(edge_orders_t *o)
{
    bool good = true;
    for (int64_t level = 1; good && level <= LEVELS; level++) {
        good = place(o, SIDE_BUY, MIDDLE_PRICE - level, LEVEL_QTY, false) &&
               place(o, SIDE_SELL, MIDDLE_PRICE + level, LEVEL_QTY, false);
    }
    return good && finish(o);
}

static bool clear_book(edge_orders_t *o)
{
    struct command c = {.type = MESSAGE_MASS_CANCEL};
    c.mass_cancel.symbol = text_of(EDGE_CLUSTER_SYMBOL);
    c.mass_cancel.account = text_of("bench-maker");
    return put(o, &c) && finish(o);
}

/* ---- the thread ---- */

/* Results are taken in while there is a millisecond to wait; the rest of it is slept. */
static void wait_until(edge_orders_t *o, uint64_t due_ns)
{
    client_poll(o->client, 0);
    for (uint64_t now_ns; (now_ns = clock_monotonic_ns()) < due_ns;) {
        if (due_ns - now_ns > NS_PER_MS) {
            client_poll(o->client, 1);
        } else {
            struct timespec rest = {0, (long)(due_ns - now_ns)};
            nanosleep(&rest, NULL);
        }
    }
}

static bool run(edge_orders_t *o)
{
    bool good = true;
    uint64_t start_ns = clock_monotonic_ns();
    atomic_store(&o->start_ns, clock_wall_ns());
    for (uint64_t index = 0; good && index < o->count; index++) {
        bool taker = index % 2 == 1;
        wait_until(o, start_ns + index * NS_PER_SECOND / o->rate);
        good = place(o, taker ? SIDE_SELL : SIDE_BUY, MIDDLE_PRICE, QTY, taker);
    }
    good = good && finish(o);
    o->spent_ns = clock_monotonic_ns() - start_ns;
    return good;
}

static void *thread_main(void *self)
{
    edge_orders_t *o = self;
    char error[ENDPOINT_ERROR_SIZE];
    const struct client_owner owner = {o, on_result};
    o->client = client_open(o->cluster, "bench", WINDOW, &owner, error);
    if (!o->client) {
        snprintf(o->error, sizeof o->error, "%s", error);
    } else if (!lay_book(o) || !run(o)) {
        snprintf(o->error, sizeof o->error, "of the orders, %llu were refused, %llu not answered",
                 (unsigned long long)o->refused, (unsigned long long)client_unanswered(o->client));
    }
    atomic_store(&o->done, true);
    while (!atomic_load(&o->stop)) {
        if (o->client) {
            client_poll(o->client, 1);
        } else {
            nanosleep(&(struct timespec){0, (long)NS_PER_MS}, NULL);
        }
    }
    if (o->client && !clear_book(o) && o->error[0] == '\0') {
        snprintf(o->error, sizeof o->error, "the orders could not be cancelled");
    }
    client_close(&o->client);
    return NULL;
}

edge_orders_t *edge_orders_start(const struct cluster *cluster, uint64_t rate, uint64_t count)
{
    edge_orders_t *o = memory_new(1, sizeof *o, "a flow of orders");
    o->cluster = cluster;
    o->shard = cluster_symbol_find(cluster, EDGE_CLUSTER_SYMBOL)->shard;
    o->rate = rate;
    o->count = count;
    CHECK(pthread_create(&o->thread, NULL, thread_main, o) == 0);
    return o;
}

uint64_t edge_orders_start_ns(const edge_orders_t *o)
{
    return atomic_load(&o->start_ns);
}

bool edge_orders_done(const edge_orders_t *o)
{
    return atomic_load(&o->done);
}

bool edge_orders_stop(edge_orders_t **orders, uint64_t *spent_ns,
                      char error[EDGE_ORDERS_ERROR_SIZE])
{
    edge_orders_t *o = *orders;
    atomic_store(&o->stop, true);
    CHECK(pthread_join(o->thread, NULL) == 0);
    bool good = o->error[0] == '\0';
    *spent_ns = o->spent_ns;
    snprintf(error, EDGE_ORDERS_ERROR_SIZE, "%s", o->error);
    memory_free(o, 1, sizeof *o);
    *orders = NULL;
    return good;
}
