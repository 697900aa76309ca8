#include "tests/sim/sim_network.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { RECONNECT_MS = 100 };

/* ---- messages ---- */

static struct sim_message *message_new(const void *bytes, size_t size)
{
    struct sim_message *m = malloc(sizeof *m + size);
    CHECK(m != NULL);
    *m = (struct sim_message){.size = size};
    memcpy(m->bytes, bytes, size);
    return m;
}

static void queue_put(struct sim_queue *q, struct sim_message *m)
{
    m->next = NULL;
    if (q->first == NULL)
        q->first = m;
    else
        q->last->next = m;
    q->last = m;
    q->count++;
}

static struct sim_message *queue_take(struct sim_queue *q)
{
    struct sim_message *m = q->first;
    q->first = m->next;
    q->count--;
    return m;
}

static void queue_clear(struct sim_queue *q)
{
    while (q->first != NULL)
        free(queue_take(q));
}

/* ---- making it ---- */

void sim_network_init(struct sim_network *n, struct sim_world *world)
{
    *n = (struct sim_network){.world = world, .random = sim_world_stream(world)};
    struct random *r = &n->random;
    n->delay_ns = sim_between(r, 50, 3000) * NS_PER_US;
    n->slow_in = sim_between(r, 20, 2000);
    n->slow_ns = sim_between(r, 5, 800) * NS_PER_MS;
    n->push_mark = (size_t)sim_between(r, 4, 300);
    n->pub_mark = (size_t)sim_between(r, 16, 2000);
}

void sim_network_close(struct sim_network *n)
{
    for (unsigned i = 0; i < n->link_count; i++) {
        struct sim_link *l = &n->links[i];
        queue_clear(&l->flying);
        for (unsigned r = 0; r < SIM_RECENT; r++)
            free(l->recent[r]);
    }
    for (unsigned i = 0; i < n->peer_count; i++) {
        for (unsigned input = 0; input < SIM_INPUTS_MAX; input++)
            queue_clear(&n->peers[i]->inputs[input]);
        queue_clear(&n->peers[i]->subscriptions);
    }
}

void sim_network_add(struct sim_network *n, struct sim_peer *peer)
{
    CHECK(n->peer_count < SIM_PEERS_MAX);
    n->peers[n->peer_count++] = peer;
}

static struct sim_link *link_add(struct sim_network *n, struct sim_peer *from, unsigned output,
                                 struct sim_peer *to, unsigned input, size_t mark)
{
    CHECK(n->link_count < SIM_LINKS_MAX && input < SIM_INPUTS_MAX);
    struct sim_link *l = &n->links[n->link_count++];
    *l = (struct sim_link){
        .network = n, .from = from, .to = to, .output = output, .input = input, .mark = mark};
    return l;
}

struct sim_link *sim_network_push(struct sim_network *n, struct sim_peer *from, unsigned output,
                                  struct sim_peer *to, unsigned input)
{
    return link_add(n, from, output, to, input, n->push_mark);
}

struct sim_link *sim_network_subscribe(struct sim_network *n, struct sim_peer *from,
                                       unsigned output, struct sim_peer *to, unsigned input)
{
    return link_add(n, from, output, to, input, n->pub_mark);
}

void sim_link_topic(struct sim_link *l, const char *topic, bool prefix)
{
    CHECK(l->topic_count < SIM_TOPICS_MAX);
    struct sim_topic *t = &l->topics[l->topic_count++];
    t->size = strlen(topic) + !prefix;
    CHECK(t->size < SIM_TOPIC_SIZE);
    memcpy(t->bytes, topic, t->size);
}

void sim_link_reply(struct sim_link *l, const char *reply)
{
    for (unsigned i = 0; i < l->topic_count; i++) {
        struct sim_topic *t = &l->topics[i];
        if (memcmp(t->bytes, "re.", 3) != 0)
            continue;
        CHECK(t->size == 3 + strlen(reply) + 1);
        memcpy(t->bytes + 3, reply, strlen(reply));
    }
}

/* ---- subscriptions ---- */

static void tell_subscription(struct sim_link *l, const struct sim_topic *t, bool subscribed)
{
    uint8_t bytes[SIM_TOPIC_SIZE + 1];
    bytes[0] = subscribed;
    memcpy(bytes + 1, t->bytes, t->size);
    struct sim_message *m = message_new(bytes, t->size + 1);
    m->output = l->output;
    queue_put(&l->from->subscriptions, m);
    l->from->arrived(l->from->self);
}

static void subscription_arrives(void *self, uint64_t argument)
{
    struct sim_link *l = self;
    struct sim_topic *t = &l->topics[argument % SIM_TOPICS_MAX];
    if (!l->connected || argument / SIM_TOPICS_MAX != l->generation)
        return;
    t->known = true;
    tell_subscription(l, t, true);
}

static bool same_topic(const struct sim_topic *a, const struct sim_topic *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* The publisher hears of the end of a subscription if it was the last of its topic. */
static void unsubscribe(struct sim_link *gone, struct sim_topic *t)
{
    struct sim_network *n = gone->network;
    if (!t->known)
        return;
    t->known = false;
    for (unsigned i = 0; i < n->link_count; i++) {
        const struct sim_link *l = &n->links[i];
        for (unsigned k = 0; k < l->topic_count; k++) {
            if (l->from == gone->from && l->output == gone->output && l->topics[k].known &&
                same_topic(&l->topics[k], t))
                return;
        }
    }
    if (gone->from->up)
        tell_subscription(gone, t, false);
}

/* ---- in flight ---- */

static uint64_t draw_delay(struct sim_network *n)
{
    uint64_t delay_ns = 20 * NS_PER_US + random_below(&n->random, n->delay_ns);
    if (n->calm || !random_once_in(&n->random, n->slow_in))
        return delay_ns;
    sim_world_fired(n->world, SIM_FAULT_DELAYED, 1);
    return delay_ns + random_below(&n->random, n->slow_ns);
}

static void hand_over(struct sim_link *l, struct sim_message *m)
{
    struct sim_peer *to = l->to;
    if (m->number < to->newest)
        sim_world_fired(l->network->world, SIM_FAULT_REORDERED, 1);
    else
        to->newest = m->number;
    l->unread++;
    queue_put(&to->inputs[l->input], m);
}

static void deliver(void *self, uint64_t argument)
{
    struct sim_link *l = self;
    bool any = false;
    (void)argument;
    while (!l->stalled && l->flying.first != NULL &&
           l->flying.first->at_ns <= l->network->world->now_ns) {
        hand_over(l, queue_take(&l->flying));
        any = true;
    }
    if (any)
        l->to->arrived(l->to->self);
}

/* In order behind whatever is in flight. */
static void fly(struct sim_link *l, struct sim_message *m)
{
    struct sim_network *n = l->network;
    uint64_t delay_ns = draw_delay(n);
    m->link = l;
    m->at_ns = n->world->now_ns + delay_ns;
    if (l->flying.first != NULL && l->flying.last->at_ns > m->at_ns)
        m->at_ns = l->flying.last->at_ns;
    queue_put(&l->flying, m);
    sim_world_after(n->world, m->at_ns - n->world->now_ns, deliver, l, 0);
}

static void link_send(struct sim_link *l, const uint8_t *bytes, size_t size)
{
    struct sim_message *m = message_new(bytes, size);
    m->number = ++l->network->sent;
    fly(l, m);
    if (l->topic_count > 0)
        return;
    free(l->recent[0]);
    memmove(&l->recent[0], &l->recent[1], (SIM_RECENT - 1) * sizeof l->recent[0]);
    l->recent[SIM_RECENT - 1] = message_new(bytes, size);
}

/* ---- connections ---- */

/* What a PUSH sent last, it may send again. */
static void send_again(struct sim_link *l)
{
    struct sim_network *n = l->network;
    if (n->calm || l->topic_count > 0 || random_once_in(&n->random, 2))
        return;
    for (unsigned i = (unsigned)random_below(&n->random, SIM_RECENT); i < SIM_RECENT; i++) {
        if (l->recent[i] == NULL)
            continue;
        struct sim_message *m = message_new(l->recent[i]->bytes, l->recent[i]->size);
        m->number = ++n->sent;
        fly(l, m);
        sim_world_fired(n->world, SIM_FAULT_TWICE, 1);
    }
}

static void connect(void *self, uint64_t generation)
{
    struct sim_link *l = self;
    struct sim_network *n = l->network;
    if (l->connected || l->cut || !l->from->up || !l->to->up || generation != l->generation)
        return;
    l->connected = true;
    sim_world_note(n->world, "%s and %s are connected", l->from->name, l->to->name);
    for (unsigned i = 0; i < l->topic_count; i++)
        sim_world_after(n->world, draw_delay(n), subscription_arrives, l,
                        l->generation * SIM_TOPICS_MAX + i);
    send_again(l);
}

static void connect_later(struct sim_link *l)
{
    struct sim_network *n = l->network;
    if (!l->connected && !l->cut && l->from->up && l->to->up)
        sim_world_after(n->world, random_below(&n->random, RECONNECT_MS * NS_PER_MS), connect, l,
                        l->generation);
}

/* All in flight is lost, or all from some message on: what is before it is as good as there. */
static void lose(struct sim_link *l)
{
    struct sim_queue all = l->flying;
    size_t kept = l->to->up && !l->cut && !l->stalled
                      ? (size_t)random_below(&l->network->random, all.count + 1)
                      : 0;
    l->flying = (struct sim_queue){NULL, NULL, 0};
    for (size_t i = 0; i < kept; i++)
        queue_put(&l->flying, queue_take(&all));
    sim_world_fired(l->network->world, SIM_FAULT_LOST_IN_FLIGHT, all.count);
    queue_clear(&all);
}

static void disconnect(struct sim_link *l)
{
    l->generation++;
    if (!l->connected)
        return;
    l->connected = false;
    lose(l);
    for (unsigned i = 0; i < l->topic_count; i++)
        unsubscribe(l, &l->topics[i]);
}

void sim_peer_start(struct sim_network *n, struct sim_peer *peer)
{
    CHECK(!peer->up);
    peer->up = true;
    for (unsigned i = 0; i < n->link_count; i++) {
        if (n->links[i].from == peer || n->links[i].to == peer)
            connect_later(&n->links[i]);
    }
}

void sim_peer_end(struct sim_network *n, struct sim_peer *peer)
{
    peer->up = false;
    for (unsigned i = 0; i < n->link_count; i++) {
        struct sim_link *l = &n->links[i];
        if (l->from != peer && l->to != peer)
            continue;
        disconnect(l);
        if (l->to != peer)
            continue;
        queue_clear(&l->flying); /* of a connection before the last one */
        l->unread = 0;
    }
    for (unsigned input = 0; input < SIM_INPUTS_MAX; input++)
        queue_clear(&peer->inputs[input]);
    queue_clear(&peer->subscriptions);
}

static bool between(const struct sim_link *l, const struct sim_peer *a, const struct sim_peer *b)
{
    return (l->from == a && l->to == b) || (l->from == b && l->to == a);
}

void sim_network_part(struct sim_network *n, const struct sim_peer *a, const struct sim_peer *b,
                      bool cut)
{
    for (unsigned i = 0; i < n->link_count; i++) {
        struct sim_link *l = &n->links[i];
        if (!between(l, a, b))
            continue;
        l->stalled = true;
        l->cut = cut;
        if (cut)
            disconnect(l);
    }
}

void sim_network_heal(struct sim_network *n, const struct sim_peer *a, const struct sim_peer *b)
{
    for (unsigned i = 0; i < n->link_count; i++) {
        struct sim_link *l = &n->links[i];
        if (!between(l, a, b))
            continue;
        l->stalled = l->cut = false;
        sim_world_after(n->world, 0, deliver, l, 0);
        connect_later(l);
    }
}

/* ---- sending ---- */

static bool wants(const struct sim_link *l, const uint8_t *bytes, size_t size)
{
    for (unsigned i = 0; i < l->topic_count; i++) {
        const struct sim_topic *t = &l->topics[i];
        if (t->known && t->size <= size && memcmp(bytes, t->bytes, t->size) == 0)
            return true;
    }
    return false;
}

bool sim_peer_send(struct sim_network *n, struct sim_peer *peer, unsigned output,
                   const uint8_t *bytes, size_t size)
{
    bool all = true;
    sim_world_digest(n->world, bytes, size);
    for (unsigned i = 0; i < n->link_count; i++) {
        struct sim_link *l = &n->links[i];
        bool publishes = l->topic_count > 0;
        if (l->from != peer || l->output != output || (publishes && !wants(l, bytes, size)))
            continue;
        bool room = l->flying.count + l->unread < l->mark;
        if (l->connected && room)
            link_send(l, bytes, size);
        else
            all = false;
        if (l->connected && !room)
            sim_world_fired(n->world,
                            publishes ? SIM_FAULT_LOST_AT_MARK : SIM_FAULT_REFUSED_AT_MARK, 1);
    }
    return all;
}

/* ---- reading ---- */

struct sim_message *sim_peer_peek(const struct sim_peer *peer, unsigned input)
{
    return peer->inputs[input].first;
}

void sim_peer_pop(struct sim_peer *peer, unsigned input)
{
    struct sim_message *m = queue_take(&peer->inputs[input]);
    if (m->link->unread > 0)
        m->link->unread--;
    free(m);
}

struct sim_message *sim_peer_subscription(struct sim_peer *peer)
{
    return peer->subscriptions.first == NULL ? NULL : queue_take(&peer->subscriptions);
}
