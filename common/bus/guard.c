#include "bus/guard.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "bus/guard_parts.h"

/* ---- the table ---- */

/* Read the directory again if it has changed. What is wrong in it is told, and nothing changes. */
static void look_at_directory(guard_t *g)
{
    char error[KEYS_ERROR_SIZE];
    uint64_t stamp = keys_stamp(g->directory);
    if (stamp == g->stamp)
        return;
    if (!keys_load(g->spare, g->directory, g->rules->is_role, error)) {
        /* It is tried again: the fault may have been ours, or a file was changed meanwhile. */
        if (stamp == g->failed && stamp != g->complained) {
            log_error("keys", "not_read", LOG_TEXT("why", error),
                      LOG_TEXT("what", "the keys stay as they were"));
            g->complained = stamp;
        }
        g->failed = stamp;
        return;
    }
    g->stamp = stamp;
    bool withdrawn = keys_withdrawn(g->keys, g->spare);
    pthread_mutex_lock(&g->lock);
    struct keys *before = g->keys;
    g->keys = g->spare;
    g->spare = before;
    pthread_mutex_unlock(&g->lock);
    log_info("keys", "read", LOG_TEXT("directory", g->directory), LOG_U64("keys", g->keys->count),
             LOG_FLAG("withdrawn", withdrawn));
    if (withdrawn) {
        atomic_fetch_add(&g->withdrawals, 1);
        atomic_store(&g->due, true);
    }
}

/* ---- the thread ---- */

static unsigned poll_items(guard_t *g, zmq_pollitem_t *items)
{
    unsigned count = atomic_load_explicit(&g->link_count, memory_order_acquire);
    items[0] = (zmq_pollitem_t){.socket = g->orders, .events = ZMQ_POLLIN};
    items[1] = (zmq_pollitem_t){.socket = g->zap, .events = ZMQ_POLLIN};
    for (unsigned i = 0; i < count; i++)
        items[2 + i] = (zmq_pollitem_t){.socket = g->links[i].monitor, .events = ZMQ_POLLIN};
    return count;
}

/* An order is one byte: look at the links again, or end. */
static bool goes_on(guard_t *g)
{
    char order = ORDER_LOOK;
    while (zmq_recv(g->orders, &order, 1, ZMQ_DONTWAIT) >= 0 && order != ORDER_END)
        ;
    return order != ORDER_END;
}

static void *run(void *self)
{
    enum { LOOK_MS = 250 };
    guard_t *g = self;
    uint64_t look_ns = 0;
    do {
        unsigned count = poll_items(g, g->items);
        (void)zmq_poll(g->items, (int)count + 2, LOOK_MS);
        if (g->items[1].revents != 0)
            guard_answer(g);
        for (unsigned i = 0; i < count; i++) {
            if (g->items[2 + i].revents != 0)
                guard_hear(g, &g->links[i]);
        }
        if (clock_monotonic_ns() >= look_ns) {
            look_at_directory(g);
            look_ns = clock_monotonic_ns() + LOOK_MS * NS_PER_MS;
        }
    } while (goes_on(g));
    zmq_close(g->orders);
    zmq_close(g->zap);
    for (unsigned i = 0; i < atomic_load(&g->link_count); i++)
        zmq_close(g->links[i].monitor);
    return NULL;
}

/* ---- opening ---- */

static void *open_inproc(void *context, int type, const char *address, bool binds)
{
    int none = 0;
    void *socket = zmq_socket(context, type);
    CHECK(socket != NULL);
    /* No marks: libzmq's thread would wait at them. What is sent here is read at once. */
    CHECK(zmq_setsockopt(socket, ZMQ_RCVHWM, &none, sizeof none) == 0);
    CHECK(zmq_setsockopt(socket, ZMQ_SNDHWM, &none, sizeof none) == 0);
    CHECK(zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none) == 0);
    CHECK((binds ? zmq_bind : zmq_connect)(socket, address) == 0);
    return socket;
}

static bool load(guard_t *g, const char *directory, const char *role, char *error)
{
    g->stamp = keys_stamp(directory);
    return keys_load(g->keys, directory, g->rules->is_role, error) &&
           keys_load_own(&g->own, g->keys, directory, role, error);
}

guard_t *guard_open(void *context, const char *directory, const char *role,
                    const struct guard_rules *rules, char error[KEYS_ERROR_SIZE])
{
    guard_t *g = memory_new(1, sizeof *g, "a guard");
    g->rules = rules;
    g->context = context;
    g->keys = &g->tables[0];
    g->spare = &g->tables[1];
    snprintf(g->directory, sizeof g->directory, "%s", directory);
    if (!load(g, directory, role, error)) {
        memory_free(g, 1, sizeof *g);
        return NULL;
    }
    CHECK(pthread_mutex_init(&g->lock, NULL) == 0);
    g->zap = open_inproc(context, ZMQ_REP, "inproc://zeromq.zap.01", true);
    g->orders = open_inproc(context, ZMQ_PAIR, "inproc://guard", true);
    g->owner = open_inproc(context, ZMQ_PAIR, "inproc://guard", false);
    CHECK(pthread_create(&g->thread, NULL, run, g) == 0);
    return g;
}

void guard_close(guard_t **guard)
{
    guard_t *g = *guard;
    if (g == NULL)
        return;
    char order = ORDER_END;
    CHECK(zmq_send(g->owner, &order, 1, 0) == 1);
    pthread_join(g->thread, NULL);
    zmq_close(g->owner);
    pthread_mutex_destroy(&g->lock);
    explicit_bzero(&g->own, sizeof g->own);
    memory_free(g, 1, sizeof *g);
    *guard = NULL;
}

const char *guard_name(const guard_t *g)
{
    return g->own.name;
}

/* ---- sockets ---- */

static void set_text(void *socket, int option, const char *text)
{
    CHECK(zmq_setsockopt(socket, option, text, strlen(text) + (option != ZMQ_ZAP_DOMAIN)) == 0);
}

/* The link's key of whoever binds it, by its candidate; false: there is none. */
static bool find_server_key(guard_t *g, const struct link *l, char text[CERTIFICATE_KEY_SIZE])
{
    pthread_mutex_lock(&g->lock);
    const struct key *key = keys_of(g->keys, g->rules->binder(l->name), l->candidate);
    if (key != NULL)
        memcpy(text, key->certificate.public_key, CERTIFICATE_KEY_SIZE);
    pthread_mutex_unlock(&g->lock);
    return key != NULL;
}

static bool set_server_key(guard_t *g, struct link *l)
{
    if (!find_server_key(g, l, l->server_key))
        return false;
    set_text(l->socket, ZMQ_CURVE_SERVERKEY, l->server_key);
    return true;
}

/* Of a bound socket who comes and how it ends, of a connected one only whether it is let in. */
static void *open_monitor(guard_t *g, const struct link *l, unsigned number)
{
    char address[64];
    int events = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    events |=
        l->binds ? ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED : ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
    snprintf(address, sizeof address, "inproc://guard.%u", number);
    CHECK(zmq_socket_monitor(l->socket, address, events) == 0);
    return open_inproc(g->context, ZMQ_PAIR, address, false);
}

bool guard_add(guard_t *g, void *socket, const char *name, const char *address, bool binds,
               metric_t *refused, char error[KEYS_ERROR_SIZE])
{
    unsigned number = atomic_load(&g->link_count);
    CHECK(number < GUARD_LINKS_MAX && g->rules->binder(name) != NULL);
    struct link *l = &g->links[number];
    int yes = 1;
    char order = ORDER_LOOK;
    l->socket = socket;
    l->binds = binds;
    l->withdrawals = atomic_load(&g->withdrawals);
    l->refused = refused;
    snprintf(l->name, sizeof l->name, "%s", name);
    snprintf(l->address, sizeof l->address, "%s", address);
    set_text(socket, ZMQ_CURVE_PUBLICKEY, g->own.public_key);
    set_text(socket, ZMQ_CURVE_SECRETKEY, g->own.secret_key);
    if (binds) {
        CHECK(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) == 0);
        set_text(socket, ZMQ_ZAP_DOMAIN, name);
    } else if (!set_server_key(g, l)) {
        snprintf(error, KEYS_ERROR_SIZE, "%.250s: found no %s.public, which %s is known by",
                 g->directory, g->rules->binder(name), name);
        return false;
    }
    l->monitor = open_monitor(g, l, number);
    atomic_store_explicit(&g->link_count, number + 1, memory_order_release);
    CHECK(zmq_send(g->owner, &order, 1, 0) == 1);
    return true;
}

void guard_remove(guard_t *g, const void *socket)
{
    for (unsigned i = 0; i < atomic_load(&g->link_count); i++) {
        if (g->links[i].socket == socket)
            g->links[i].socket = NULL;
    }
}

/* ---- what the owner does ---- */

/* Whether there is a key of our peer's to try that has not failed since a handshake was done: the
 * candidate is it. After all of them libzmq's own next try, a little later, begins anew. */
static bool has_other_key(guard_t *g, struct link *l)
{
    char text[CERTIFICATE_KEY_SIZE];
    unsigned handshakes = atomic_load(&l->handshakes);
    if (handshakes != l->handshakes_seen)
        l->tried = 0;
    l->handshakes_seen = handshakes;
    while (++l->tried < KEY_STATE_COUNT) {
        l->candidate++;
        if (find_server_key(g, l, text) && strcmp(text, l->server_key) != 0)
            return true;
    }
    l->tried = 0;
    return false;
}

/* By the candidate's key; without one not at all, and false. A second connect to the address would
 * be passed over, so the first must go. */
static bool connect_anew(guard_t *g, struct link *l)
{
    (void)zmq_disconnect(l->socket, l->address);
    l->unbound = !set_server_key(g, l);
    if (!l->unbound)
        CHECK(zmq_connect(l->socket, l->address) == 0);
    return !l->unbound;
}

/* Connect again: by another key if this one is not our peer's, by the same if ours was refused,
 * after which libzmq does not try again by itself. In the first case it does, after 100 ms and
 * more, so this must not come later than that: a link must not be taken down that works. */
static bool connect_again(guard_t *g, struct link *l, uint64_t now_ns)
{
    unsigned wish = atomic_load(&l->wish);
    if (wish == WISH_RETRY && now_ns < l->tried_ns + RETRY_MS * NS_PER_MS)
        return false;
    if (!atomic_compare_exchange_strong(&l->wish, &wish, WISH_NONE) || wish == WISH_NONE ||
        (wish == WISH_OTHER_KEY && !has_other_key(g, l)))
        return true;
    l->tried_ns = now_ns;
    return connect_anew(g, l);
}

static bool knows_server_key(guard_t *g, const struct link *l)
{
    bool known = false;
    pthread_mutex_lock(&g->lock);
    for (unsigned n = 0; n < KEY_STATE_COUNT && !known; n++) {
        const struct key *key = keys_of(g->keys, g->rules->binder(l->name), n);
        known = key != NULL && strcmp(key->certificate.public_key, l->server_key) == 0;
    }
    pthread_mutex_unlock(&g->lock);
    return known;
}

/* A connected link: false if there is more to do. Whoever has a key that was withdrawn is left at
 * once: it may be a thief who answers at our peer's address. */
static bool tend_connected(guard_t *g, struct link *l, unsigned withdrawals, uint64_t now_ns)
{
    if (l->withdrawals != withdrawals) {
        l->withdrawals = withdrawals;
        if (!knows_server_key(g, l)) {
            l->candidate = l->tried = 0;
            l->unbound = true;
        }
    }
    return l->unbound ? connect_anew(g, l) : connect_again(g, l, now_ns);
}

/* Bind anew, which parts with everybody. The port is free again a moment later. */
static bool bind_again(struct link *l, unsigned withdrawals)
{
    if (l->withdrawals != withdrawals) {
        size_t size = sizeof l->address;
        CHECK(zmq_getsockopt(l->socket, ZMQ_LAST_ENDPOINT, l->address, &size) == 0);
        l->withdrawals = withdrawals;
        l->unbound = zmq_unbind(l->socket, l->address) == 0;
    }
    if (l->unbound)
        l->unbound = zmq_bind(l->socket, l->address) != 0;
    return !l->unbound;
}

void guard_tend(guard_t *g)
{
    if (g == NULL || !atomic_load(&g->due))
        return;
    atomic_store(&g->due, false);
    bool done = true;
    uint64_t now_ns = clock_monotonic_ns();
    unsigned withdrawals = atomic_load(&g->withdrawals);
    for (unsigned i = 0; i < atomic_load(&g->link_count); i++) {
        struct link *l = &g->links[i];
        if (l->socket != NULL)
            done = (l->binds ? bind_again(l, withdrawals)
                             : tend_connected(g, l, withdrawals, now_ns)) &&
                   done;
    }
    if (!done)
        atomic_store(&g->due, true);
}

bool guard_sender_of(void *message, struct guard_sender *sender)
{
    *sender =
        (struct guard_sender){zmq_msg_gets(message, "User-Id"), zmq_msg_gets(message, GUARD_ROLE),
                              zmq_msg_gets(message, GUARD_ACCOUNTS)};
    return sender->name != NULL && sender->role != NULL && sender->accounts != NULL;
}
