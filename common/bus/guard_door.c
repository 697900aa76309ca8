/* guard_door: what the guard's thread hears: who asks to be let in (ZAP), and which handshakes fail
 * before that (monitor events): no CURVE at all, another server's key, no ZeroMQ.
 *
 * A failed handshake's event does not say whose it was. The address comes from the connection's
 * file descriptor, seen when it was accepted and named again when it ends, which libzmq says right
 * behind the failure. In a flood a descriptor may be another's by the time it is looked up: the
 * address in the log may then be wrong, the count never. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "bus/guard_parts.h"

/* ---- telling ---- */

/* The caller of that address; else the place of whoever was told of longest ago. */
static struct caller *caller_of(guard_t *g, const char *address)
{
    struct caller *oldest = &g->callers[0];
    for (unsigned i = 0; i < CALLERS_MAX; i++) {
        struct caller *c = &g->callers[i];
        if (strcmp(c->address, address) == 0)
            return c;
        if (c->told_ns < oldest->told_ns)
            oldest = c;
    }
    memset(oldest, 0, sizeof *oldest);
    snprintf(oldest->address, sizeof oldest->address, "%s", address);
    return oldest;
}

static void refuse(guard_t *g, struct link *l, const char *address, const char *why)
{
    struct caller *c = caller_of(g, address);
    uint64_t now_ns = clock_monotonic_ns();
    if (l != NULL)
        metric_add(l->refused, 1);
    if (c->told_ns != 0 && now_ns < c->told_ns + NS_PER_SECOND) {
        c->untold++;
        return;
    }
    log_warn("keys", "refused", LOG_TEXT("socket", l == NULL ? "" : l->name),
             LOG_TEXT("peer", address), LOG_TEXT("why", why), LOG_U64("untold", c->untold));
    c->told_ns = now_ns;
    c->untold = 0;
}

/* ---- ZAP ---- */

enum { PART_VERSION, PART_ID, PART_DOMAIN, PART_ADDRESS, PART_ROUTING, PART_MECHANISM, PART_KEY };
enum { PARTS = PART_KEY + 1, PART_SIZE = 256, KEY_BYTES = 32 };

struct request {
    uint8_t parts[PARTS][PART_SIZE];
    size_t sizes[PARTS];
    bool whole;
};

/* libzmq itself asks; whatever does not look like it is refused. */
static bool receive(void *zap, struct request *r)
{
    unsigned count = 0;
    bool fits = true;
    int more = 1;
    size_t more_size = sizeof more;
    memset(r, 0, sizeof *r);
    while (more) {
        uint8_t *place = r->parts[count < PARTS ? count : PARTS - 1];
        int size = zmq_recv(zap, place, PART_SIZE - 1, ZMQ_DONTWAIT);
        if (size < 0)
            return false;
        fits = fits && size < PART_SIZE && count < PARTS;
        if (fits) {
            place[size] = '\0';
            r->sizes[count] = (size_t)size;
        }
        count++;
        CHECK(zmq_getsockopt(zap, ZMQ_RCVMORE, &more, &more_size) == 0);
    }
    r->whole = fits && count == PARTS && r->sizes[PART_KEY] == KEY_BYTES &&
               strcmp((char *)r->parts[PART_MECHANISM], "CURVE") == 0;
    return true;
}

/* A property as ZMTP has it: a byte of size and the name, four of size and the value. */
static uint8_t *put_property(uint8_t *at, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);
    *at++ = (uint8_t)name_size;
    memcpy(at, name, name_size);
    at += name_size;
    for (int shift = 24; shift >= 0; shift -= 8)
        *at++ = (uint8_t)(value_size >> shift);
    memcpy(at, value, value_size);
    return at + value_size;
}

static void answer(guard_t *g, const struct request *r, const char *status,
                   const struct certificate *who)
{
    uint8_t metadata[CERTIFICATE_ROLE_SIZE + CERTIFICATE_ACCOUNTS_SIZE + 64];
    uint8_t *end = metadata;
    const char *name = who == NULL ? "" : who->name;
    if (who != NULL) {
        end = put_property(end, GUARD_ROLE, who->role);
        end = put_property(end, GUARD_ACCOUNTS, who->accounts);
    }
    (void)zmq_send(g->zap, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(g->zap, r->parts[PART_ID], r->sizes[PART_ID], ZMQ_SNDMORE);
    (void)zmq_send(g->zap, status, strlen(status), ZMQ_SNDMORE);
    (void)zmq_send(g->zap, "", 0, ZMQ_SNDMORE);
    (void)zmq_send(g->zap, name, strlen(name), ZMQ_SNDMORE);
    (void)zmq_send(g->zap, metadata, (size_t)(end - metadata), 0);
}

static struct link *bound_link(guard_t *g, const char *name)
{
    unsigned count = atomic_load_explicit(&g->link_count, memory_order_acquire);
    for (unsigned i = 0; i < count; i++) {
        if (g->links[i].binds && strcmp(g->links[i].name, name) == 0)
            return &g->links[i];
    }
    return NULL;
}

/* Whose key it is if he may come in; else NULL and why not. The table is the thread's to change, so
 * it reads it without the lock. */
static const struct certificate *judge(const guard_t *g, const struct request *r, char *why,
                                       size_t size)
{
    char key[CERTIFICATE_KEY_SIZE];
    const char *socket = (const char *)r->parts[PART_DOMAIN];
    if (!r->whole) {
        snprintf(why, size, "a request for admission that makes no sense");
        return NULL;
    }
    CHECK(zmq_z85_encode(key, r->parts[PART_KEY], KEY_BYTES) != NULL);
    const struct key *known = keys_find(g->keys, key);
    if (known == NULL) {
        snprintf(why, size, "unknown key %.8s...", key);
        return NULL;
    }
    const struct certificate *c = &known->certificate;
    bool limited = c->accounts[0] != '\0';
    if (g->rules->may_connect(socket, c->role, limited))
        return c;
    snprintf(why, size, "%s: a %s%s may not connect to %.32s", c->name, c->role,
             limited ? " limited to accounts" : "", socket);
    return NULL;
}

void guard_answer(guard_t *g)
{
    struct request r;
    char why[160];
    while (receive(g->zap, &r)) {
        const struct certificate *who = judge(g, &r, why, sizeof why);
        if (who == NULL)
            refuse(g, bound_link(g, (const char *)r.parts[PART_DOMAIN]),
                   (const char *)r.parts[PART_ADDRESS], why);
        answer(g, &r, who == NULL ? "400" : "200", who);
    }
}

/* ---- monitors ---- */

static void name_peer(int fd, char address[ADDRESS_SIZE])
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    const void *number = NULL;
    snprintf(address, ADDRESS_SIZE, "unknown");
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return;
    if (peer.ss_family == AF_INET)
        number = &((struct sockaddr_in *)&peer)->sin_addr;
    else if (peer.ss_family == AF_INET6)
        number = &((struct sockaddr_in6 *)&peer)->sin6_addr;
    if (number != NULL)
        (void)inet_ntop(peer.ss_family, number, address, ADDRESS_SIZE);
}

static struct accepted *accepted_of(guard_t *g, int fd)
{
    return &g->accepted[(unsigned)fd % ACCEPTED_MAX];
}

/* Why a handshake failed, in words; value: an errno or a code of libzmq's, by the event. */
static const char *why_failed(int event, int value)
{
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        return "it came without CURVE, or spoke no ZeroMQ, or went away before it showed a key";
    switch (value) {
    case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
        return "it came without CURVE";
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
        return "it knows us by another key than this process', or cannot prove its own";
    default:
        return "it does not keep to the protocol (ZMTP)";
    }
}

static void hear_bound(guard_t *g, struct link *l, int event, int value)
{
    struct accepted *a = accepted_of(g, value);
    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
        a->fd = value;
        name_peer(value, a->address);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        if (l->failure[0] != '\0')
            refuse(g, l, a->fd == value ? a->address : "unknown", l->failure);
        l->failure[0] = '\0';
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        break; /* by our own answer, which has told of it */
    default:
        snprintf(l->failure, sizeof l->failure, "%.90s", why_failed(event, value));
    }
}

static void hear_connected(guard_t *g, struct link *l, int event)
{
    bool refused = event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
        atomic_store(&l->wish, WISH_NONE);
        atomic_fetch_add(&l->handshakes, 1);
        return;
    }
    if (refused)
        refuse(g, NULL, l->address, "our key is not let in there; trying again");
    atomic_store(&l->wish, refused ? WISH_RETRY : WISH_OTHER_KEY);
    atomic_store(&g->due, true);
}

void guard_hear(guard_t *g, struct link *l)
{
    enum { EVENTS_MAX = 256 }; /* at once: in a flood, who has a key is still answered */
    struct {
        uint16_t event;
        int32_t value;
    } said;
    uint8_t head[6], endpoint[8];
    for (unsigned i = 0;
         i < EVENTS_MAX && zmq_recv(l->monitor, head, sizeof head, ZMQ_DONTWAIT) >= 0; i++) {
        (void)zmq_recv(l->monitor, endpoint, sizeof endpoint, 0);
        memcpy(&said.event, head, sizeof said.event);
        memcpy(&said.value, head + 2, sizeof said.value);
        if (l->binds)
            hear_bound(g, l, said.event, said.value);
        else
            hear_connected(g, l, said.event);
    }
}
