#include "gateway/tls.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "gateway/tls_certificate.h"
#include "gateway/tls_tunnel.h"

enum {
    WORKERS = 2,
    EVENTS_MAX = 64,
    TICK_MS = 50,
    PORTS = 1 << 16,
    BACKLOG = 1024,
    HANDSHAKES_MAX = 512,          /* of a worker at once; more: the oldest is cut */
    INNER_RECEIVE_SIZE = 64 << 10, /* what is written to a slow client is civetweb's to hold, */
    OUTER_SEND_SIZE = 256 << 10,   /* as much as without TLS */
    DESCRIPTORS_EACH = 3,
    DESCRIPTORS_MORE = 256,
};

struct worker {
    struct tls *tls;
    pthread_t thread;
    int epoll;
    struct tls_tunnel *tunnels; /* the newest first */
    struct tls_tunnel *oldest;
    unsigned count, handshakes;
    bool some_done;
    bool deaf; /* it does not listen: there were no descriptors left */
    uint64_t swept_ns;
};

/* What tells one content of a file from another without reading it. */
struct version {
    struct timespec changed, modified;
    ino_t inode;
    off_t size;
};

struct tls {
    struct tls_options options;
    pthread_mutex_t mutex; /* of the certificate, and of the clients */
    struct tls_certificate certificate;
    char (*clients)[TRUST_ADDRESS_SIZE]; /* by port; empty: nobody's */
    struct version version;
    uint64_t looked_ns;
    int listener;
    uint16_t inner_port;
    struct worker workers[WORKERS];
    unsigned worker_count;
    atomic_bool closing;
    atomic_uint_least64_t refused, not_after_ns;
};

/* ---- the certificate ---- */

static struct version version_of(const char *path)
{
    struct stat s;
    if (stat(path, &s) != 0)
        return (struct version){.size = -1};
    return (struct version){s.st_ctim, s.st_mtim, s.st_ino, s.st_size};
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_version(const struct version *a, const struct version *b)
{
    return a->inode == b->inode && a->size == b->size && same_time(&a->changed, &b->changed) &&
           same_time(&a->modified, &b->modified);
}

static void log_certificate(const tls_t *t, const char *event)
{
    const struct tls_certificate *c = &t->certificate;
    log_info("gateway", event, LOG_TEXT("subject", c->subject),
             LOG_U64("not_after_s", c->not_after_ns / NS_PER_SECOND));
    if (c->expired)
        log_warn("gateway", "tls_not_valid", LOG_TEXT("subject", c->subject),
                 LOG_TEXT("meaning", "clients will refuse it: it has expired, or begins later"));
    if (c->exposed)
        log_warn("gateway", "tls_key_exposed", LOG_TEXT("file", t->options.certificate),
                 LOG_TEXT("meaning", "everybody on this machine may read it; chmod o-r"));
}

static void use(tls_t *t, const struct tls_certificate *c)
{
    pthread_mutex_lock(&t->mutex);
    struct tls_certificate old = t->certificate;
    t->certificate = *c;
    pthread_mutex_unlock(&t->mutex);
    atomic_store(&t->not_after_ns, c->not_after_ns);
    tls_certificate_close(&old); /* connections made of it keep it */
}

/* The version is taken before the file is read: what changes in between is read again. */
void tls_tend(tls_t *t, uint64_t now_ns)
{
    char error[TLS_CERTIFICATE_ERROR_SIZE];
    struct tls_certificate c;
    if (now_ns < t->looked_ns + TLS_LOOK_MS * NS_PER_MS)
        return;
    t->looked_ns = now_ns;
    struct version now = version_of(t->options.certificate);
    if (same_version(&now, &t->version))
        return;
    t->version = now;
    if (tls_certificate_load(&c, t->options.certificate, error)) {
        use(t, &c);
        log_certificate(t, "tls_reloaded");
    } else {
        log_error("gateway", "tls_not_reloaded", LOG_TEXT("error", error),
                  LOG_TEXT("meaning", "the certificate read before goes on"));
    }
}

/* ---- making it ---- */

bool tls_new(tls_t **tls, const struct tls_options *options, char error[TLS_ERROR_SIZE])
{
    struct tls_certificate c;
    struct version version = version_of(options->certificate);
    *tls = NULL;
    if (!tls_certificate_load(&c, options->certificate, error))
        return false;
    tls_t *t = memory_new(1, sizeof *t, "TLS");
    t->options = *options;
    t->version = version;
    t->listener = -1;
    t->clients = memory_new(PORTS, sizeof *t->clients, "TLS clients");
    CHECK(pthread_mutex_init(&t->mutex, NULL) == 0);
    use(t, &c);
    log_certificate(t, "tls_certificate");
    *tls = t;
    return true;
}

void tls_destroy(tls_t **tls)
{
    tls_t *t = *tls;
    if (t == NULL)
        return;
    tls_certificate_close(&t->certificate);
    pthread_mutex_destroy(&t->mutex);
    memory_free(t->clients, PORTS, sizeof *t->clients);
    memory_free(t, 1, sizeof *t);
    *tls = NULL;
}

/* ---- clients ---- */

static void set_client(tls_t *t, uint16_t port, const char *client)
{
    pthread_mutex_lock(&t->mutex);
    snprintf(t->clients[port], TRUST_ADDRESS_SIZE, "%s", client);
    pthread_mutex_unlock(&t->mutex);
}

bool tls_client(tls_t *t, uint16_t port, char client[TRUST_ADDRESS_SIZE])
{
    pthread_mutex_lock(&t->mutex);
    memcpy(client, t->clients[port], TRUST_ADDRESS_SIZE);
    pthread_mutex_unlock(&t->mutex);
    return client[0] != '\0';
}

struct tls_counts tls_counts(const tls_t *t)
{
    return (struct tls_counts){atomic_load(&t->refused), atomic_load(&t->not_after_ns)};
}

/* Its address as text, as civetweb writes it. */
static bool name_peer(int outer, char client[TRUST_ADDRESS_SIZE])
{
    struct sockaddr_storage a;
    socklen_t size = sizeof a;
    return getpeername(outer, (struct sockaddr *)&a, &size) == 0 &&
           getnameinfo((struct sockaddr *)&a, size, client, TRUST_ADDRESS_SIZE, NULL, 0,
                       NI_NUMERICHOST) == 0;
}

/* Whose it is is said before the first byte of it goes on, and so before civetweb can ask. */
static bool open_inner(tls_t *t, struct tls_tunnel *tunnel)
{
    struct sockaddr_in own, to = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons(t->inner_port)};
    socklen_t size = sizeof own;
    char client[TRUST_ADDRESS_SIZE];
    int one = 1, room = INNER_RECEIVE_SIZE;
    int inner = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (inner < 0)
        return false;
    (void)setsockopt(inner, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(inner, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (!name_peer(tunnel->outer, client) ||
        (connect(inner, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) ||
        getsockname(inner, (struct sockaddr *)&own, &size) != 0) {
        close(inner);
        return false;
    }
    tunnel->inner_port = ntohs(own.sin_port);
    set_client(t, tunnel->inner_port, client);
    tls_tunnel_open(tunnel, inner);
    return true;
}

/* ---- a worker and its tunnels ---- */

static void link_in(struct worker *w, struct tls_tunnel *t)
{
    t->next = w->tunnels;
    if (w->tunnels != NULL)
        w->tunnels->previous = t;
    else
        w->oldest = t;
    w->tunnels = t;
    w->count++;
    w->handshakes++;
}

static void link_out(struct worker *w, struct tls_tunnel *t)
{
    *(t->previous == NULL ? &w->tunnels : &t->previous->next) = t->next;
    *(t->next == NULL ? &w->oldest : &t->next->previous) = t->previous;
    w->count--;
    w->handshakes -= t->state == TLS_TUNNEL_HANDSHAKE;
    if (t->state == TLS_TUNNEL_HANDSHAKE || t->refused)
        atomic_fetch_add(&w->tls->refused, 1);
}

/* The port is nobody's before it is free for another. */
static void end(struct worker *w, struct tls_tunnel *t)
{
    link_out(w, t);
    if (t->inner >= 0)
        set_client(w->tls, t->inner_port, "");
    tls_tunnel_destroy(&t);
}

/* A descriptor of which nothing is wanted is taken out: epoll would tell of its end again and
 * again. */
static void watch(const struct worker *w, struct tls_tunnel *t, int fd, uint32_t *events,
                  uint32_t wanted)
{
    struct epoll_event e = {.events = wanted, .data.ptr = t};
    if (*events == wanted || fd < 0)
        return;
    int how = wanted == 0 ? EPOLL_CTL_DEL : *events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    CHECK(epoll_ctl(w->epoll, how, fd, &e) == 0);
    *events = wanted;
}

static void watch_both(const struct worker *w, struct tls_tunnel *t)
{
    if (t->state == TLS_TUNNEL_DONE)
        return;
    watch(w, t, t->outer, &t->outer_events, tls_tunnel_outer_wants(t));
    watch(w, t, t->inner, &t->inner_events, tls_tunnel_inner_wants(t));
}

static void greet(struct worker *w, struct tls_tunnel *t, uint64_t now_ns)
{
    bool done = tls_tunnel_greet(t, now_ns);
    w->handshakes -= done || t->state != TLS_TUNNEL_HANDSHAKE;
    if (done && !open_inner(w->tls, t))
        t->state = TLS_TUNNEL_DONE;
}

static void advance(struct worker *w, struct tls_tunnel *t, uint64_t now_ns)
{
    if (t->state == TLS_TUNNEL_HANDSHAKE)
        greet(w, t, now_ns);
    tls_tunnel_move(t, now_ns);
    watch_both(w, t);
    w->some_done |= t->state == TLS_TUNNEL_DONE;
}

static void cut_oldest_handshake(struct worker *w)
{
    struct tls_tunnel *t = w->oldest;
    while (t != NULL && t->state != TLS_TUNNEL_HANDSHAKE)
        t = t->previous;
    if (t != NULL)
        end(w, t);
}

/* Those that are done, and those whose time is over. Outside the turn over events, which may name
 * them. */
static void sweep(struct worker *w, uint64_t now_ns, bool all)
{
    struct tls_tunnel *next;
    for (struct tls_tunnel *t = w->tunnels; t != NULL; t = next) {
        next = t->next;
        bool late = t->due_ns != 0 && now_ns >= t->due_ns;
        if (!all && !late && t->state != TLS_TUNNEL_DONE)
            continue;
        end(w, t);
    }
    w->some_done = false;
    w->swept_ns = now_ns;
}

/* ---- those who come ---- */

static void take_in(struct worker *w, int outer, uint64_t now_ns)
{
    tls_t *tls = w->tls;
    int one = 1, room = OUTER_SEND_SIZE;
    (void)setsockopt(outer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    (void)setsockopt(outer, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    pthread_mutex_lock(&tls->mutex);
    struct tls_tunnel *t =
        tls_tunnel_new(tls->certificate.context, outer, tls->options.patience_ms, now_ns);
    pthread_mutex_unlock(&tls->mutex);
    if (t == NULL)
        return;
    link_in(w, t);
    watch_both(w, t);
}

/* Deaf while nobody can be taken in, or the listener would say again and again that somebody waits;
 * the next sweep listens again. */
static void listen_to(struct worker *w, bool hears)
{
    struct epoll_event come = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = NULL};
    int change = hears ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    CHECK(epoll_ctl(w->epoll, change, w->tls->listener, &come) == 0);
    w->deaf = !hears;
}

/* As many as wait, a few at a time. Where there is no descriptor left, one of those that have not
 * shown who they are gives up its own. */
static void take_all_in(struct worker *w, uint64_t now_ns)
{
    for (unsigned i = 0; i < EVENTS_MAX; i++) {
        int outer = accept4(w->tls->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (outer < 0 && (errno == EMFILE || errno == ENFILE) && w->handshakes > 0)
            cut_oldest_handshake(w);
        else if (outer < 0 && errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
            listen_to(w, false);
        if (outer < 0)
            return;
        if (w->handshakes >= HANDSHAKES_MAX)
            cut_oldest_handshake(w);
        if (w->count < w->tls->options.connections_max / WORKERS)
            take_in(w, outer, now_ns);
        else
            close(outer);
    }
}

/* ---- its thread ---- */

static void turn(struct worker *w)
{
    struct epoll_event events[EVENTS_MAX];
    bool come = false;
    int count = epoll_wait(w->epoll, events, EVENTS_MAX, TICK_MS);
    uint64_t now_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == NULL)
            come = true;
        else
            advance(w, events[i].data.ptr, now_ns);
    }
    if (w->some_done || now_ns >= w->swept_ns + TICK_MS * NS_PER_MS) {
        sweep(w, now_ns, false);
        if (w->deaf && !atomic_load(&w->tls->closing))
            listen_to(w, true);
    }
    if (come)
        take_all_in(w, now_ns);
}

static void *work(void *self)
{
    struct worker *w = self;
    while (!atomic_load(&w->tls->closing))
        turn(w);
    if (!w->deaf)
        listen_to(w, false);
    uint64_t end_ns = clock_monotonic_ns() + TLS_LINGER_MS * NS_PER_MS;
    while (w->count > w->handshakes && clock_monotonic_ns() < end_ns)
        turn(w);
    sweep(w, 0, true);
    return NULL;
}

static void start_worker(tls_t *t)
{
    struct worker *w = &t->workers[t->worker_count];
    *w = (struct worker){.tls = t, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    CHECK(w->epoll >= 0);
    listen_to(w, true);
    CHECK(pthread_create(&w->thread, NULL, work, w) == 0);
    t->worker_count++;
}

/* ---- listening ---- */

/* The system's soft limit is often 1,024. */
static void want_descriptors(const tls_t *t)
{
    struct rlimit limit;
    rlim_t wanted = DESCRIPTORS_EACH * (rlim_t)t->options.connections_max + DESCRIPTORS_MORE;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted)
        log_warn("gateway", "few_descriptors", LOG_U64("allowed", limit.rlim_cur),
                 LOG_U64("wanted", wanted));
}

static int listen_at(const struct addrinfo *at)
{
    int one = 1;
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

static int listen_at_address(const char *address)
{
    struct addrinfo *at = NULL;
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_PASSIVE};
    const char *colon = strrchr(address, ':');
    char host[256];
    if (colon == NULL || (size_t)(colon - address) >= sizeof host)
        return -1;
    bool bracketed = address[0] == '[';
    snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * bracketed,
             address + bracketed);
    if (getaddrinfo(host, colon + 1, &wanted, &at) != 0)
        return -1;
    int fd = listen_at(at);
    freeaddrinfo(at);
    return fd;
}

bool tls_open(tls_t *t, uint16_t inner_port, char error[TLS_ERROR_SIZE])
{
    want_descriptors(t);
    t->inner_port = inner_port;
    t->listener = listen_at_address(t->options.address);
    if (t->listener < 0) {
        snprintf(error, TLS_ERROR_SIZE,
                 "cannot serve at %s: is it in use by another process, or not an address of this "
                 "machine?",
                 t->options.address);
        return false;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        start_worker(t);
    return true;
}

void tls_close(tls_t *t)
{
    atomic_store(&t->closing, true);
    for (unsigned i = 0; i < t->worker_count; i++) {
        pthread_join(t->workers[i].thread, NULL);
        close(t->workers[i].epoll);
    }
    t->worker_count = 0;
    if (t->listener >= 0)
        close(t->listener);
    t->listener = -1;
}
