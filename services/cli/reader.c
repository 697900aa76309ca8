#include "cli/reader.h"

#include <zmq.h>

#include "base/clock.h"
#include "base/memory.h"
#include "node/access.h"
#include "node/host.h"

enum { KEPT_SIZE = 64 << 20, DRAIN_MAX = 256 };

struct reader {
    void *context;
    guard_t *guard; /* NULL: no keys */
    void *sub;
    void *push;
    subscriber_t *subscriber;
    zmq_msg_t message;
    void (*watch)(void *self, const uint8_t *bytes, size_t size);
    void *watch_self;
    unsigned drop_nth;
    unsigned count;
};

static bool on_request(void *self, const uint8_t *bytes, size_t size)
{
    reader_t *r = self;
    return zmq_send(r->push, bytes, size, ZMQ_DONTWAIT) >= 0;
}

static bool open_sockets(reader_t *r, const struct cluster *cluster, const char *reply, char *error)
{
    char address[CLUSTER_ADDRESS_SIZE];
    char topic[TOPIC_SIZE_MAX + 1];
    cluster_address(cluster, cluster->settings.market_data_address, 0, address);
    r->sub =
        endpoint_open_guarded(r->context, r->guard, ENDPOINT_SUB, "market", address, NULL, error);
    if (r->sub == NULL)
        return false;
    cluster_address(cluster, cluster->settings.market_data_requests_address, 0, address);
    r->push = endpoint_open_guarded(r->context, r->guard, ENDPOINT_PUSH, "market_requests", address,
                                    NULL, error);
    if (r->push == NULL)
        return false;
    snprintf(topic, sizeof topic, "re.%s", reply);
    endpoint_subscribe(r->sub, topic);
    endpoint_subscribe(r->sub, "hb");
    return true;
}

/* The shard whose topic it is; without a list of symbols nobody can know, and only what heartbeats
 * say by passing the topic over is lost. */
static uint16_t shard_of(const struct cluster *cluster, const char *topic)
{
    const char *dot = strchr(topic, '.');
    const struct cluster_symbol *s = dot == NULL ? NULL : cluster_symbol_find(cluster, dot + 1);
    return s == NULL ? 0 : (uint16_t)s->shard;
}

reader_t *reader_open(const struct cluster *cluster, const struct subscriber_owner *owner,
                      const char *const *topics, unsigned topic_count,
                      char error[ENDPOINT_ERROR_SIZE])
{
    char reply[REPLY_SIZE + 1];
    reader_t *r = memory_new(1, sizeof *r, "a reader");
    host_random_reply(reply);
    r->context = zmq_ctx_new();
    zmq_msg_init(&r->message);
    r->subscriber = subscriber_new(owner, &(struct subscriber_requests){r, on_request}, reply,
                                   KEPT_SIZE, topic_count);
    if (!access_guard(cluster, "operator", r->context, &r->guard, error) ||
        !open_sockets(r, cluster, reply, error)) {
        reader_close(&r);
        return NULL;
    }
    for (unsigned i = 0; i < topic_count; i++) {
        subscriber_topic_add(r->subscriber, text_of(topics[i]), shard_of(cluster, topics[i]));
        endpoint_subscribe(r->sub, topics[i]);
    }
    return r;
}

void reader_close(reader_t **reader)
{
    reader_t *r = *reader;
    if (r == NULL)
        return;
    subscriber_destroy(&r->subscriber);
    endpoint_close(&r->sub);
    endpoint_close(&r->push);
    zmq_msg_close(&r->message);
    guard_close(&r->guard);
    zmq_ctx_term(r->context);
    memory_free(r, 1, sizeof *r);
    *reader = NULL;
}

bool reader_poll(reader_t *r, long timeout_ms)
{
    zmq_pollitem_t item = {.socket = r->sub, .events = ZMQ_POLLIN};
    guard_tend(r->guard);
    (void)zmq_poll(&item, 1, timeout_ms);
    uint64_t now_ns = clock_monotonic_ns();
    unsigned taken = 0;
    while (taken < DRAIN_MAX && zmq_msg_recv(&r->message, r->sub, ZMQ_DONTWAIT) >= 0) {
        taken++;
        if (r->watch != NULL)
            r->watch(r->watch_self, zmq_msg_data(&r->message), zmq_msg_size(&r->message));
        if (r->drop_nth == 0 || ++r->count % r->drop_nth != 0)
            subscriber_receive(r->subscriber, zmq_msg_data(&r->message), zmq_msg_size(&r->message),
                               now_ns);
    }
    subscriber_tick(r->subscriber, now_ns);
    return taken > 0;
}

void reader_drop(reader_t *r, unsigned nth)
{
    r->drop_nth = nth;
}

void reader_watch(reader_t *r, void (*message)(void *self, const uint8_t *bytes, size_t size),
                  void *self)
{
    r->watch = message;
    r->watch_self = self;
}

const subscriber_t *reader_subscriber(const reader_t *r)
{
    return r->subscriber;
}
