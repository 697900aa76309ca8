#include "gateway/edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "gateway/connection_socket.h"
#include "gateway/edge_parts.h"
#include "gateway/routes.h"
#include "gateway/tls_certificate.h"
#include "gateway/trust.h"
#include "node/web_stop.h"

enum {
    KEEPER_MS = 100,
    WARNING_S = 60, /* between warnings that anybody can trade */
    PING_MS = 15000,
    PONG_MS = 30000,
    SHUTDOWN_MS = 1000, /* for WebSockets to take in that we stop */
    OPTION_SIZE = 32,
    DRAIN_PAUSE_MS = 5,
    TLS_CONNECTIONS_EACH = 2, /* of civetweb's threads: as many again may wait for one */
};

/* ---- where it may listen ---- */

static bool uses_tls(const struct settings *s)
{
    return strcmp(s->tls_certificate, "none") != 0;
}

/* The address without its port; false if it has none. */
static bool split_address(const char *address, char *host, size_t size)
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address || (size_t)(colon - address) >= size)
        return false;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    return true;
}

/* Read here once for its words alone, so that a mistake is told before anything is begun. */
static bool check_certificate(const struct settings *s, char error[EDGE_ERROR_SIZE])
{
    struct tls_certificate c;
    if (!uses_tls(s))
        return true;
    if (!tls_certificate_load(&c, s->tls_certificate, error))
        return false;
    tls_certificate_close(&c);
    return true;
}

bool edge_may_listen(const struct cluster *c, char error[EDGE_ERROR_SIZE])
{
    const struct settings *s = &c->settings;
    char host[SETTING_TEXT_SIZE];
    const char *const addresses[] = {s->gateway_address, s->admin_address};
    for (unsigned i = 0; i < 2; i++) {
        if (split_address(addresses[i], host, sizeof host))
            continue;
        snprintf(error, EDGE_ERROR_SIZE,
                 "%s: found \"%s\", expected an address and a port, like 127.0.0.1:8000",
                 i == 0 ? "gateway_address" : "admin_address", addresses[i]);
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (addresses[i][0] != '[' || mg_check_feature(MG_FEATURES_IPV6))
            continue;
        snprintf(error, EDGE_ERROR_SIZE, "%s: civetweb is built without IPv6 here", addresses[i]);
        return false;
    }
    (void)split_address(s->gateway_address, host, sizeof host);
    if (trust_loopback(host) || s->open_anywhere == 1)
        return check_certificate(s, error);
    snprintf(error, EDGE_ERROR_SIZE,
             "gateway_address is %s, where others can reach it, and there are no keys: anybody "
             "could trade as anybody. Set open_anywhere to 1 if that is meant",
             s->gateway_address);
    return false;
}

static bool open_to_all(const edge_t *e)
{
    char host[SETTING_TEXT_SIZE];
    (void)split_address(e->settings->gateway_address, host, sizeof host);
    return !trust_loopback(host);
}

/* ---- making it ---- */

edge_t *edge_new(const struct edge_options *options)
{
    const struct settings *s = &options->cluster->settings;
    edge_t *e = memory_new(1, sizeof *e, "the edge");
    e->options = *options;
    e->settings = s;
    e->everybody = (struct listener){e, false};
    e->operators = (struct listener){e, true};
    e->calls = calls_new((unsigned)s->rest_connections_max + THREADS_SPARE + ADMIN_THREADS +
                         (unsigned)s->websockets_max);
    e->limits = rate_limit_new(&(struct rate_limit_options){
        .per_second = {s->rate_orders, 2 * s->rate_orders, s->rate_reads},
        .loopback = s->rate_loopback == 1,
        .hash_seed = options->hash_seed,
    });
    e->metrics = http_metrics_new(options->metrics, route_labels(), ROUTE_COUNT);
    e->websockets = websockets_new(&(struct websockets_options){
        .cluster = options->cluster,
        .desk = options->desk,
        .refuse = exchange_refuse_upgrade,
        .ping_ms = PING_MS,
        .pong_ms = PONG_MS,
    });
    CHECK(pthread_mutex_init(&e->mutex, NULL) == 0);
    return e;
}

void edge_destroy(edge_t **edge)
{
    edge_t *e = *edge;
    if (e == NULL)
        return;
    tls_destroy(&e->tls);
    websockets_destroy(&e->websockets);
    http_metrics_destroy(&e->metrics);
    rate_limit_destroy(&e->limits);
    calls_destroy(&e->calls);
    pthread_mutex_destroy(&e->mutex);
    memory_free(e, 1, sizeof *e);
    *edge = NULL;
}

/* ---- connections ---- */

static int on_connected(const struct mg_connection *http, void **data)
{
    const struct listener *l = mg_get_user_data(mg_get_context(http));
    edge_t *e = l->edge;
    struct connection *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->http = (struct mg_connection *)(uintptr_t)http; /* ours to speak on, as its callbacks are */
    *data = c;
    http_metrics_connected(e->metrics);
    pthread_mutex_lock(&e->mutex);
    c->next = e->connections;
    if (c->next != NULL)
        c->next->previous = c;
    e->connections = c;
    e->connection_count += !l->admin;
    pthread_mutex_unlock(&e->mutex);
    return 0; /* civetweb passes it over */
}

static void on_closing(const struct mg_connection *http)
{
    const struct listener *l = mg_get_user_data(mg_get_context(http));
    edge_t *e = l->edge;
    struct connection *c = mg_get_user_connection_data(http);
    if (c == NULL)
        return;
    http_metrics_disconnected(e->metrics, c->requests);
    pthread_mutex_lock(&e->mutex);
    if (c->next != NULL)
        c->next->previous = c->previous;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        e->connections = c->next;
    e->connection_count -= !l->admin;
    pthread_mutex_unlock(&e->mutex);
    mg_set_user_connection_data(http, NULL);
    free(c);
}

/* Bodies that are too slow in coming: nothing more is read of them, and their exchange finds them
 * incomplete. civetweb's own time-out begins anew with every byte. */
static void cut_slow_bodies(edge_t *e)
{
    uint64_t now_ns = clock_monotonic_ns();
    pthread_mutex_lock(&e->mutex);
    for (struct connection *c = e->connections; c != NULL; c = c->next) {
        uint64_t since_ns = atomic_load(&c->reading_ns);
        if (since_ns == 0 || now_ns < since_ns + e->settings->request_ms * NS_PER_MS)
            continue;
        int socket = connection_socket(mg_get_request_info(c->http));
        if (socket >= 0)
            (void)shutdown(socket, SHUT_RD);
    }
    pthread_mutex_unlock(&e->mutex);
}

static void *keep(void *self)
{
    edge_t *e = self;
    uint64_t warned_ns = 0;
    const struct timespec pause = {0, KEEPER_MS * (long)NS_PER_MS};
    while (!atomic_load(&e->stop_keeping)) {
        uint64_t now_ns = clock_monotonic_ns();
        cut_slow_bodies(e);
        if (e->tls != NULL)
            tls_tend(e->tls, now_ns);
        if (open_to_all(e) && (warned_ns == 0 || now_ns > warned_ns + WARNING_S * NS_PER_SECOND)) {
            log_warn("gateway", "open_anywhere", LOG_TEXT("address", e->settings->gateway_address),
                     LOG_TEXT("meaning", "anybody who reaches it can trade as anybody"));
            warned_ns = now_ns;
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* ---- civetweb ---- */

static int on_log(const struct mg_connection *http, const char *message)
{
    (void)http;
    log_debug("gateway", "civetweb", LOG_TEXT("message", message));
    return 1; /* it is said */
}

/* listening: where it does, whatever port it is. */
static struct mg_context *listen_at(edge_t *e, const char *address, unsigned threads,
                                    struct listener *listener, char listening[ADDRESS_SIZE],
                                    char *error)
{
    char thread_count[OPTION_SIZE], request_ms[OPTION_SIZE], keep_alive_ms[OPTION_SIZE];
    snprintf(thread_count, sizeof thread_count, "%u", threads);
    snprintf(request_ms, sizeof request_ms, "%llu", (unsigned long long)e->settings->request_ms);
    snprintf(keep_alive_ms, sizeof keep_alive_ms, "%llu",
             (unsigned long long)e->settings->keep_alive_ms);
    const char *options[] = {"listening_ports",
                             address,
                             "num_threads",
                             thread_count,
                             "request_timeout_ms",
                             request_ms,
                             "keep_alive_timeout_ms",
                             keep_alive_ms,
                             "enable_keep_alive",
                             "yes",
                             "tcp_nodelay",
                             "1",
                             "max_request_size",
                             "16384",
                             "connection_queue",
                             "1024",
                             "listen_backlog",
                             "1024",
                             "enable_directory_listing",
                             "no",
                             "decode_url",
                             "no",
                             "enable_auth_domain_check",
                             "no",
                             NULL};
    struct mg_callbacks callbacks = {
        .begin_request = exchange_begin,
        .http_error = exchange_http_error,
        .init_connection = on_connected,
        .connection_close = on_closing,
        .log_message = on_log,
    };
    struct mg_context *context = mg_start(&callbacks, listener, options);
    struct mg_server_port port;
    if (context == NULL) {
        snprintf(error, EDGE_ERROR_SIZE,
                 "cannot serve at %s: is it in use by another process, or not an address of this "
                 "machine?",
                 address);
        return NULL;
    }
    CHECK(mg_get_server_ports(context, 1, &port) == 1);
    snprintf(listening, ADDRESS_SIZE, "%.*s:%d", (int)(strrchr(address, ':') - address), address,
             port.port);
    return context;
}

/* Everybody comes through TLS: civetweb is inside. */
static bool open_inside(edge_t *e, unsigned threads, char *error)
{
    const struct tls_options options = {
        .address = e->settings->gateway_address,
        .certificate = e->settings->tls_certificate,
        .patience_ms = e->settings->request_ms,
        .connections_max = TLS_CONNECTIONS_EACH * threads,
    };
    if (!tls_new(&e->tls, &options, error))
        return false;
    e->context = listen_at(e, "127.0.0.1:0", threads, &e->everybody, e->address, error);
    if (e->context == NULL)
        return false;
    websockets_serve(e->websockets, e->context);
    return tls_open(e->tls, (uint16_t)atoi(strrchr(e->address, ':') + 1), error);
}

static bool open_to_everybody(edge_t *e, unsigned threads, char *error)
{
    if (uses_tls(e->settings))
        return open_inside(e, threads, error);
    e->context =
        listen_at(e, e->settings->gateway_address, threads, &e->everybody, e->address, error);
    if (e->context != NULL)
        websockets_serve(e->websockets, e->context);
    return e->context != NULL;
}

/* Told in the run directory as any service's: node/admin.h. */
static bool open_to_operators(edge_t *e, char *error)
{
    char name[sizeof "gateway-" + ORIGIN_SIZE_MAX];
    e->admin = listen_at(e, e->settings->admin_address, ADMIN_THREADS, &e->operators,
                         e->admin_address, error);
    if (e->admin == NULL)
        return false;
    snprintf(name, sizeof name, "gateway-%.*s", ORIGIN_SIZE_MAX, e->settings->gateway_name);
    admin_file_path(e->options.cluster, name, e->admin_file);
    return admin_file_write(e->admin_file, e->admin_address, error);
}

bool edge_open(edge_t *e, char error[EDGE_ERROR_SIZE])
{
    const struct settings *s = e->settings;
    unsigned threads =
        (unsigned)s->rest_connections_max + (unsigned)s->websockets_max + THREADS_SPARE;
    mg_init_library(0);
    if (!open_to_everybody(e, threads, error))
        return false;
    if (!open_to_operators(e, error))
        return false;
    e->keeping = pthread_create(&e->keeper, NULL, keep, e) == 0;
    CHECK(e->keeping);
    return true;
}

void edge_drain(edge_t *e)
{
    struct ask ask = {.kind = ASK_DRAIN};
    atomic_store(&e->draining, true);
    (void)mailbox_put(e->options.desk, &ask, sizeof ask);
    websockets_drain(e->websockets, SHUTDOWN_MS);
    /* civetweb writes nothing more once it is told to stop, so the last answers go out before. */
    const struct timespec pause = {0, DRAIN_PAUSE_MS * (long)NS_PER_MS};
    uint64_t give_up_ns =
        clock_monotonic_ns() + (e->settings->answer_ms + EXCHANGE_GRACE_MS) * NS_PER_MS;
    while (atomic_load(&e->under_way) > 0 && clock_monotonic_ns() < give_up_ns)
        nanosleep(&pause, NULL);
}

/* At once, so that neither waits for the other. */
static void *stop_operators(void *self)
{
    edge_t *e = self;
    web_stop(e->admin, e->admin_address);
    return NULL;
}

static void stop_contexts(edge_t *e)
{
    pthread_t stopper;
    bool both = e->admin != NULL && pthread_create(&stopper, NULL, stop_operators, e) == 0;
    if (e->context != NULL)
        web_stop(e->context, e->address);
    if (both)
        pthread_join(stopper, NULL);
    else if (e->admin != NULL)
        stop_operators(e);
}

/* Between requests, civetweb would wait for the next one for up to two seconds more. */
static void end_idle(edge_t *e)
{
    pthread_mutex_lock(&e->mutex);
    for (struct connection *c = e->connections; c != NULL; c = c->next) {
        int socket = connection_socket(mg_get_request_info(c->http));
        if (socket >= 0)
            (void)shutdown(socket, SHUT_RD);
    }
    pthread_mutex_unlock(&e->mutex);
}

void edge_close(edge_t *e)
{
    atomic_store(&e->stop_keeping, true);
    if (e->admin_file[0] != '\0')
        admin_file_remove(e->admin_file);
    end_idle(e);
    stop_contexts(e);
    if (e->keeping)
        pthread_join(e->keeper, NULL);
    if (e->tls != NULL)
        tls_close(e->tls);
    e->context = e->admin = NULL;
    e->keeping = false;
    mg_exit_library();
}

void edge_answer(void *edge, const uint8_t *message, size_t size)
{
    calls_deliver(((edge_t *)edge)->calls, message, size);
}

void edge_stream(void *edge, const uint8_t *message, size_t size)
{
    websockets_deliver(((edge_t *)edge)->websockets, message, size);
}
