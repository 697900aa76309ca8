#include "cli/client.h"

#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "node/access.h"

enum { CONNECT_MS = 5000, SHARDS_MAX = 64, DRAIN_MAX = 256 };

struct shard {
    client_t *client;
    unsigned number;
    void *push;
    void *sub;
    origin_t *origin;
    bool heard; /* a heartbeat came: what the shard says reaches us */
};

struct client {
    void *context;
    guard_t *guard; /* NULL: no keys */
    struct client_owner owner;
    struct shard shards[SHARDS_MAX];
    unsigned shard_count;
    zmq_pollitem_t items[SHARDS_MAX];
    zmq_msg_t message;
    bool lost;
};

static bool on_send(void *self, const uint8_t *message, size_t size)
{
    struct shard *s = self;
    return zmq_send(s->push, message, size, ZMQ_DONTWAIT) >= 0;
}

static void on_result(void *self, uint64_t origin_seq, const struct result *result,
                      uint64_t frame_ns)
{
    struct shard *s = self;
    (void)frame_ns;
    s->client->owner.result(s->client->owner.self, s->number, origin_seq, result);
}

static void on_lost(void *self, enum reason code)
{
    struct shard *s = self;
    (void)code;
    s->client->lost = true;
}

static bool shard_open(client_t *c, const struct cluster *cluster, const char *name,
                       uint32_t window, char *error)
{
    char address[CLUSTER_ADDRESS_SIZE];
    char topic[TOPIC_SIZE_MAX + 1];
    unsigned number = c->shard_count;
    struct shard *s = &c->shards[c->shard_count++];
    s->client = c;
    s->number = number;
    cluster_address(cluster, cluster->settings.commands_address, number, address);
    s->push = endpoint_open_guarded(c->context, c->guard, ENDPOINT_PUSH, "commands", address, NULL,
                                    error);
    if (s->push == NULL)
        return false;
    cluster_address(cluster, cluster->settings.private_address, number, address);
    s->sub =
        endpoint_open_guarded(c->context, c->guard, ENDPOINT_SUB, "private", address, NULL, error);
    if (s->sub == NULL)
        return false;
    snprintf(topic, sizeof topic, "ack.%s", name);
    endpoint_subscribe(s->sub, topic);
    endpoint_subscribe(s->sub, "hb");
    s->origin = origin_new(&(struct origin_owner){s, on_send, on_result, on_lost}, text_of(name),
                           clock_wall_ns(), window);
    return true;
}

/* A heartbeat shows that the subscription works; a PUSH that can be polled for output, that a
 * matcher takes commands. */
static bool connected(client_t *c)
{
    for (unsigned i = 0; i < c->shard_count; i++) {
        zmq_pollitem_t item = {.socket = c->shards[i].push, .events = ZMQ_POLLOUT};
        if (!c->shards[i].heard || zmq_poll(&item, 1, 0) != 1)
            return false;
    }
    return true;
}

/* With keys an origin begins with the name its key is known by. */
static void sign(const client_t *c, const char *name, char origin[ORIGIN_SIZE_MAX + 1])
{
    if (c->guard == NULL)
        snprintf(origin, ORIGIN_SIZE_MAX + 1, "%s", name);
    else
        snprintf(origin, ORIGIN_SIZE_MAX + 1, "%s-%s", guard_name(c->guard), name);
}

client_t *client_open(const struct cluster *cluster, const char *name, uint32_t window,
                      const struct client_owner *owner, char error[ENDPOINT_ERROR_SIZE])
{
    char origin[ORIGIN_SIZE_MAX + 1];
    client_t *c = memory_new(1, sizeof *c, "a client");
    c->context = zmq_ctx_new();
    c->owner = *owner;
    zmq_msg_init(&c->message);
    bool fine = access_guard(cluster, "operator", c->context, &c->guard, error);
    sign(c, name, origin);
    while (fine && c->shard_count < cluster->settings.shards)
        fine = shard_open(c, cluster, origin, window, error);
    uint64_t give_up_ns = clock_monotonic_ns() + CONNECT_MS * NS_PER_MS;
    while (fine && !connected(c)) {
        client_poll(c, 20);
        if (clock_monotonic_ns() > give_up_ns) {
            snprintf(error, ENDPOINT_ERROR_SIZE,
                     "no cluster answers in %s; is one running (./outcry up)?",
                     cluster->settings.run_dir);
            fine = false;
        }
    }
    if (!fine)
        client_close(&c);
    return c;
}

void client_close(client_t **client)
{
    client_t *c = *client;
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->shard_count; i++) {
        endpoint_close(&c->shards[i].push);
        endpoint_close(&c->shards[i].sub);
        origin_destroy(&c->shards[i].origin);
    }
    zmq_msg_close(&c->message);
    guard_close(&c->guard);
    zmq_ctx_term(c->context);
    memory_free(c, 1, sizeof *c);
    *client = NULL;
}

enum status client_command(client_t *c, unsigned shard, struct command *command,
                           uint64_t *origin_seq)
{
    CHECK(shard < c->shard_count);
    return origin_command(c->shards[shard].origin, command, origin_seq);
}

static void take_in(struct shard *s, uint64_t now_ns)
{
    zmq_msg_t *m = &s->client->message;
    for (unsigned i = 0; i < DRAIN_MAX && zmq_msg_recv(m, s->sub, ZMQ_DONTWAIT) >= 0; i++) {
        s->heard = true;
        origin_receive(s->origin, zmq_msg_data(m), zmq_msg_size(m), now_ns);
    }
}

void client_poll(client_t *c, long timeout_ms)
{
    uint64_t now_ns = clock_monotonic_ns();
    guard_tend(c->guard);
    for (unsigned i = 0; i < c->shard_count; i++) {
        origin_flush(c->shards[i].origin, now_ns);
        c->items[i] = (zmq_pollitem_t){.socket = c->shards[i].sub, .events = ZMQ_POLLIN};
    }
    (void)zmq_poll(c->items, (int)c->shard_count, timeout_ms);
    now_ns = clock_monotonic_ns();
    for (unsigned i = 0; i < c->shard_count; i++) {
        take_in(&c->shards[i], now_ns);
        origin_tick(c->shards[i].origin, now_ns);
    }
}

uint64_t client_unanswered(const client_t *c)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < c->shard_count; i++)
        count += origin_unanswered(c->shards[i].origin);
    return count;
}

bool client_lost(const client_t *c)
{
    return c->lost;
}

uint64_t client_repeats(const client_t *c)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < c->shard_count; i++)
        count += origin_repeats(c->shards[i].origin);
    return count;
}
