/* exchange: one HTTP request and its answer.
 *
 *     who and whereto (trust.h, routes.h, rate_limit.h) ─> body ─> ask (requests.h)
 *     ─> desk ─> the step ─> answer ─> headers and body, in one write
 *
 * The order of checks is that of what they cost and of what they protect: Host and Origin before
 * anything else, the limit before the body, the body's size before its bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "gateway/openapi.h"
#include "gateway/replies.h"
#include "gateway/trust.h"

enum { BODY_PIECE = 1 << 10 };

/* ---- who, and whereto ---- */

static bool request_id_fine(const char *id)
{
    size_t size = strlen(id);
    return size >= 1 && size <= REQUEST_ID_SIZE_MAX &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") == size;
}

/* The client's own, or one of ours. */
static void name_request(struct exchange *x)
{
    const char *given = mg_get_header(x->http, "X-Request-Id");
    if (given != NULL && request_id_fine(given))
        snprintf(x->request_id, sizeof x->request_id, "%s", given);
    else
        snprintf(x->request_id, sizeof x->request_id, "%016" PRIx64 "-%" PRIx64,
                 x->edge->options.request_base, atomic_fetch_add(&x->edge->request_count, 1));
}

/* Whose request it is: behind TLS, only the tunnel knows. */
static void name_client(struct exchange *x)
{
    tls_t *tls = x->admin ? NULL : x->edge->tls;
    char through[TRUST_ADDRESS_SIZE];
    const char *remote = x->info->remote_addr;
    if (tls != NULL && tls_client(tls, (uint16_t)x->info->remote_port, through))
        remote = through;
    else
        x->outside_tls = tls != NULL;
    trust_client(remote, mg_get_header(x->http, "X-Forwarded-For"),
                 x->edge->settings->trusted_proxies, x->client);
}

/* Somebody of this machine who found civetweb's port. */
static bool check_tls(struct exchange *x, struct problem *p)
{
    if (!x->outside_tls)
        return true;
    x->close = true;
    return problem_set(p, REJECT_BAD_REQUEST, NULL, NULL,
                       "this port is the gateway's own; it serves https and wss at its address");
}

static bool check_trust(struct exchange *x, struct problem *p)
{
    const struct settings *s = x->edge->settings;
    const char *host = mg_get_header(x->http, "Host"), *origin = mg_get_header(x->http, "Origin");
    if (x->admin)
        return true;
    if (!trust_host(host, s->hosts))
        return problem_set(p, REJECT_FOREIGN_HOST, "header", "Host",
                           "this gateway is not reached by that name; setting hosts lists more");
    switch (trust_origin(origin, host, s->origins, x->edge->tls != NULL)) {
    case TRUST_ORIGIN_FOREIGN:
        return problem_set(p, REJECT_FOREIGN_ORIGIN, "header", "Origin",
                           "pages of that origin may not speak to this gateway; setting origins "
                           "lists those that may");
    case TRUST_ORIGIN_LISTED:
        x->cors_origin = origin;
        return true;
    default:
        return true;
    }
}

static bool probe(enum route_name route)
{
    return route == ROUTE_HEALTH || route == ROUTE_LIVE || route == ROUTE_READY ||
           route == ROUTE_STARTED || route == ROUTE_METRICS;
}

/* What civetweb takes for one, too. */
static bool is_upgrade(struct mg_connection *http)
{
    const char *upgrade = mg_get_header(http, "Upgrade");
    const char *connection = mg_get_header(http, "Connection");
    return upgrade != NULL && strcasecmp(upgrade, "websocket") == 0 && connection != NULL &&
           strcasestr(connection, "upgrade") != NULL;
}

static bool check_budget(struct exchange *x, struct problem *p)
{
    edge_t *e = x->edge;
    if (x->admin)
        return true;
    pthread_mutex_lock(&e->mutex);
    uint64_t count = e->connection_count;
    pthread_mutex_unlock(&e->mutex);
    uint64_t sockets = websockets_counts(e->websockets).open;
    if (count <= sockets + e->settings->rest_connections_max || is_upgrade(x->http))
        return true;
    x->close = true;
    return problem_set(p, REJECT_TOO_MANY_CONNECTIONS, NULL, NULL,
                       "%" PRIu64 " connections are served at once; this one is closed",
                       e->settings->rest_connections_max);
}

static bool check_rate(struct exchange *x, struct problem *p)
{
    enum rate_class class = route_of(x->route)->class;
    if (x->admin || class == RATE_CLASS_COUNT)
        return true;
    x->rate = rate_limit_take(x->edge->limits, x->client, class, x->start_ns);
    return x->rate.allowed ||
           problem_set(p, REJECT_RATE_LIMITED, NULL, NULL,
                       "%" PRIu64 " %s a second from one address; try again in %" PRIu64 " ms",
                       x->rate.quota, rate_class_name(class), x->rate.wait_ms);
}

static bool check_route(struct exchange *x, struct problem *p)
{
    x->route = route_find(x->info->request_method, x->info->local_uri_raw, &x->part, x->allow, p);
    if (x->route == ROUTE_NONE)
        return false;
    x->allow[0] = '\0';
    if (x->admin && !probe(x->route)) {
        x->route = ROUTE_NONE;
        return problem_set(p, REJECT_UNKNOWN_PATH, "path", NULL,
                           "probes and metrics only; everything else is on the gateway's port");
    }
    if (!probe(x->route) && atomic_load(&x->edge->draining)) {
        x->close = true;
        return problem_set(p, REJECT_DRAINING, NULL, NULL, "the gateway is stopping");
    }
    return true;
}

/* ---- the body ---- */

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t size = sizeof json - 1;
    return type != NULL && strncasecmp(type, json, size) == 0 &&
           (type[size] == '\0' || type[size] == ';' || type[size] == ' ');
}

/* All of it, or a problem. Whoever is too slow is cut by the edge's keeper. */
static bool read_body(struct exchange *x, char *body, size_t *size, struct problem *p)
{
    *size = 0;
    if (!is_json(mg_get_header(x->http, "Content-Type"))) {
        return problem_set(p, REJECT_UNSUPPORTED_MEDIA_TYPE, "header", "Content-Type",
                           "expected application/json");
    }
    if (x->info->content_length > BODY_SIZE_MAX) {
        x->close = true;
        return problem_set(p, REJECT_BODY_TOO_LARGE, "body", NULL,
                           "found %lld bytes, expected at most %d", x->info->content_length,
                           BODY_SIZE_MAX);
    }
    int more = 0;
    const char *expect = mg_get_header(x->http, "Expect");
    if (expect != NULL && strcasecmp(expect, "100-continue") == 0 &&
        strcmp(x->info->http_version, "1.1") == 0)
        (void)mg_write(x->http, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    atomic_store(&x->connection->reading_ns, clock_monotonic_ns());
    while (*size <= BODY_SIZE_MAX) {
        size_t room = BODY_SIZE_MAX + 1 - *size;
        more = mg_read(x->http, body + *size, room < BODY_PIECE ? room : BODY_PIECE);
        if (more <= 0)
            break;
        *size += (size_t)more;
    }
    atomic_store(&x->connection->reading_ns, 0);
    if (*size > BODY_SIZE_MAX) {
        x->close = true;
        return problem_set(p, REJECT_BODY_TOO_LARGE, "body", NULL,
                           "found more than %d bytes, expected at most as many", BODY_SIZE_MAX);
    }
    if (more < 0 || (x->info->content_length >= 0 && *size != (size_t)x->info->content_length)) {
        x->close = true;
        return problem_set(p, REJECT_BODY_INCOMPLETE, "body", NULL,
                           "it ended after %zu bytes; %lld were to come, within %" PRIu64 " ms",
                           *size, x->info->content_length, x->edge->settings->request_ms);
    }
    x->body_left = false;
    return true;
}

static bool read_json(struct json_reader *reader, const char *body, size_t size, struct problem *p)
{
    switch (json_read(reader, body, size)) {
    case JSON_READ_OK:
        return true;
    case JSON_READ_BAD:
        return problem_set(p, REJECT_BAD_JSON, "body", NULL, "at byte %zu: expected %s",
                           reader->bad_at, reader->expected);
    case JSON_READ_NOT_OBJECT:
        return problem_set(p, REJECT_WRONG_TYPE, "body", NULL, "expected an object");
    default:
        return problem_set(p, REJECT_WRONG_TYPE, "body", NULL,
                           "expected an object of at most %d members, nested at most %d deep",
                           JSON_MEMBERS_MAX, JSON_DEPTH_MAX);
    }
}

/* ---- what the step answers ---- */

static bool read_request(struct exchange *x, struct ask *ask, struct problem *p)
{
    struct query query;
    struct json_reader *reader = NULL;
    char part[128];
    struct http_request r = {.cluster = x->edge->options.cluster, .query = &query};
    if (!query_decode(x->part.data, x->part.size, part, sizeof part, &r.path_part.size))
        return problem_set(p, REJECT_UNKNOWN_PATH, "path", NULL, "there is nothing at this path");
    r.path_part.data = part;
    char *body = NULL;
    bool fine = true;
    if (route_of(x->route)->has_body) {
        size_t size;
        body = malloc(BODY_SIZE_MAX + 1);
        reader = malloc(sizeof *reader);
        r.body = reader;
        fine = body != NULL && reader != NULL
                   ? read_body(x, body, &size, p) && read_json(reader, body, size, p)
                   : problem_set(p, REJECT_TOO_BUSY, NULL, NULL, "no memory for the request");
    }
    fine = fine && query_read(&query, x->info->query_string, p) &&
           route_of(x->route)->read(&r, ask, p);
    free(reader);
    free(body);
    return fine;
}

static int reply_answer(struct exchange *x, const struct call_answer *answer, const char *type)
{
    return response_send(x, &(struct response){.status = answer->head.status,
                                               .code = (enum reason)answer->head.code,
                                               .type = type,
                                               .body = answer->body,
                                               .at = answer->at,
                                               .retry_after_s = answer->head.retry_after_s,
                                               .waited_ns = answer->head.waited_ns,
                                               .result_ns = answer->head.result_ns});
}

/* ---- asking the step ---- */

/* The step, stuck or swamped, let the ask lie: what it was to change may yet be changed. */
static int reply_no_answer(struct exchange *x, const struct ask *ask)
{
    struct problem p;
    if (ask->kind == ASK_METRICS)
        return reply_metrics(x, false);
    bool changes = ask->kind <= ASK_MASS_CANCEL;
    bool cancels = ask->kind == ASK_CANCEL || ask->kind == ASK_MASS_CANCEL;
    uint64_t by_ns = ask->deadline_ns != 0
                         ? ask->deadline_ns
                         : x->received_ns + x->edge->settings->deadline_ms * NS_PER_MS;
    problem_set(&p, changes ? REJECT_ANSWER_LATE : REJECT_INTERNAL, NULL, NULL,
                "the gateway's step does not answer");
    return changes ? response_unknown(x, &p, cancels ? 0 : by_ns) : response_problem(x, &p);
}

/* Ask the step, and hand over its answer with `then`. */
static int ask_step(struct exchange *x, struct ask *ask, uint64_t patience_ms,
                    int (*then)(struct exchange *x, const struct call_answer *answer))
{
    edge_t *e = x->edge;
    struct problem p;
    struct call_answer answer;
    ask->call = calls_begin(e->calls);
    memcpy(ask->request_id, x->request_id, sizeof ask->request_id);
    ask->received_ns = x->received_ns;
    if (ask->call == 0 || mailbox_put(e->options.desk, ask, sizeof *ask) != STATUS_OK) {
        problem_set(&p, REJECT_TOO_BUSY, NULL, NULL, "nothing was handed over");
        if (ask->call != 0)
            calls_end(e->calls, ask->call);
        return ask->kind == ASK_METRICS ? reply_metrics(x, false) : response_problem(x, &p);
    }
    int status;
    if (calls_wait(e->calls, ask->call, patience_ms, &answer)) {
        status = then(x, &answer);
    } else {
        status = reply_no_answer(x, ask);
    }
    calls_end(e->calls, ask->call);
    return status;
}

static int then_reply(struct exchange *x, const struct call_answer *answer)
{
    return reply_answer(x, answer,
                        answer->head.problem ? "application/problem+json" : "application/json");
}

/* ---- what needs no more than its word ---- */

static int then_metrics(struct exchange *x, const struct call_answer *answer)
{
    (void)answer;
    return reply_metrics(x, true);
}

/* Alive: the step answers, whatever it says. */
static int then_live(struct exchange *x, const struct call_answer *answer)
{
    static const char fine[] = "{\"status\":\"ok\"}";
    (void)answer;
    return response_text(x, "application/json", fine, sizeof fine - 1);
}

static int then_probe(struct exchange *x, const struct call_answer *answer)
{
    return reply_answer(x, answer, "application/json");
}

static int serve(struct exchange *x)
{
    struct ask ask = {.symbol = SYMBOL_NONE};
    struct problem p;
    uint64_t patience_ms = x->edge->settings->answer_ms + EXCHANGE_GRACE_MS;
    if (!read_request(x, &ask, &p))
        return response_problem(x, &p);
    switch (x->route) {
    case ROUTE_SYMBOLS:
        return reply_symbols(x);
    case ROUTE_TIME:
        return reply_time(x);
    case ROUTE_OPENAPI:
        return response_text(x, "application/json", (const char *)openapi_json, openapi_json_size);
    case ROUTE_METRICS:
        ask.kind = ASK_METRICS;
        return ask_step(x, &ask, patience_ms, then_metrics);
    case ROUTE_LIVE:
        ask.kind = ASK_STARTED;
        return ask_step(x, &ask, patience_ms, then_live);
    case ROUTE_STARTED:
        ask.kind = ASK_STARTED;
        return ask_step(x, &ask, patience_ms, then_probe);
    case ROUTE_READY:
        ask.kind = ASK_READY;
        return ask_step(x, &ask, patience_ms, then_probe);
    case ROUTE_HEALTH:
        ask.kind = ASK_HEALTH;
        break;
    default:
        break;
    }
    return ask_step(x, &ask, patience_ms, then_reply);
}

/* ---- from civetweb ---- */

/* A client that keeps no connection; civetweb closes it too. */
static bool wants_close(const struct exchange *x)
{
    const char *connection = mg_get_header(x->http, "Connection");
    const char *version = x->info->http_version;
    if (connection != NULL)
        return strcasestr(connection, "keep-alive") == NULL;
    return version == NULL || strcmp(version, "1.1") != 0;
}

static struct exchange exchange_of(struct mg_connection *http)
{
    const struct listener *l = mg_get_user_data(mg_get_context(http));
    struct exchange x = {.edge = l->edge,
                         .http = http,
                         .info = mg_get_request_info(http),
                         .connection = mg_get_user_connection_data(http),
                         .admin = l->admin,
                         .start_ns = clock_monotonic_ns(),
                         .received_ns = clock_wall_ns(),
                         .route = ROUTE_NONE,
                         .part = {"", 0}};
    x.connection->requests++;
    x.body_left = x.info->content_length > 0 || mg_get_header(http, "Transfer-Encoding") != NULL;
    x.close = wants_close(&x) || is_upgrade(http); /* what answers an upgrade is a refusal */
    name_request(&x);
    name_client(&x);
    return x;
}

static int exchange_run(struct mg_connection *http)
{
    struct exchange x = exchange_of(http);
    struct problem p;
    x.close = x.close || atomic_load(&x.edge->draining);
    if (!check_tls(&x, &p) || !check_budget(&x, &p) || !check_trust(&x, &p))
        return response_problem(&x, &p);
    if (strcmp(x.info->request_method, "OPTIONS") == 0)
        return response_preflight(&x);
    if (!check_route(&x, &p) || !check_rate(&x, &p))
        return response_problem(&x, &p);
    if (x.route != ROUTE_SOCKET)
        return serve(&x);
    if (is_upgrade(http))
        return 0;
    problem_set(&p, REJECT_UPGRADE_REQUIRED, "header", "Upgrade", "expected websocket");
    return response_problem(&x, &p);
}

int exchange_begin(struct mg_connection *http)
{
    const struct listener *l = mg_get_user_data(mg_get_context(http));
    atomic_fetch_add(&l->edge->under_way, 1);
    int status = exchange_run(http);
    atomic_fetch_sub(&l->edge->under_way, 1);
    return status;
}

int exchange_http_error(struct mg_connection *http, int status, const char *message)
{
    struct exchange x = exchange_of(http);
    struct problem p;
    enum reason code = status == 413                                     ? REJECT_HEADER_TOO_LARGE
                       : status == 404                                   ? REJECT_UNKNOWN_PATH
                       : status >= 500 && status != 501 && status != 505 ? REJECT_INTERNAL
                                                                         : REJECT_BAD_REQUEST;
    x.close = true;
    problem_set(&p, code, NULL, NULL, "%.200s", message == NULL ? "" : message);
    response_problem(&x, &p);
    return 0;
}

void exchange_refuse_upgrade(struct mg_connection *http, const struct problem *problem)
{
    struct exchange x = exchange_of(http);
    x.route = ROUTE_SOCKET;
    x.close = true;
    (void)response_problem(&x, problem);
}
