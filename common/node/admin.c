#include "node/admin.h"

#include <civetweb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "node/admin_file.h"
#include "node/web_stop.h"

/* Four, so that one scraper and two who say nothing do not keep a probe waiting: with the time-out
 * below, its answer comes well within the seconds probes are given. */
#define ADMIN_THREADS    "4"
#define ADMIN_REQUEST_MS "1000"
#define ADMIN_QUEUE      "16"

enum { HEAD_SIZE = 256 };

struct admin {
    struct mg_context *context;
    metrics_t *metrics;
    metric_t *is_ready;
    char file[ADMIN_FILE_SIZE];
    char address[SETTING_TEXT_SIZE + 8]; /* where it listens, HOST:PORT */
    atomic_bool started;
    atomic_uint_least64_t turned_ns; /* monotonic */
    _Atomic(const char *) why_not;   /* NULL: it is ready */
};

/* ---- probes ---- */

static const char *why_not_live(const admin_t *a)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t turned_ns = atomic_load(&a->turned_ns);
    if (!atomic_load(&a->started) || now_ns < turned_ns + ADMIN_STILL_MS * NS_PER_MS)
        return NULL;
    return "the duty cycle has stood still for 10 s";
}

/* The status, 404 for what is none, and *words. */
static unsigned probe(const admin_t *a, const char *path, const char **words)
{
    const char *why_not;
    if (strcmp(path, "/livez") == 0) {
        why_not = why_not_live(a);
    } else if (strcmp(path, "/startupz") == 0) {
        why_not = atomic_load(&a->started) ? NULL : "starting";
    } else if (strcmp(path, "/readyz") == 0) {
        why_not = atomic_load(&a->why_not);
    } else {
        *words = "there are /livez, /startupz, /readyz and /metrics";
        return 404;
    }
    *words = why_not == NULL ? "ok" : why_not;
    return why_not == NULL ? 200 : 503;
}

void admin_turned(admin_t *a, uint64_t now_ns)
{
    if (a != NULL)
        atomic_store_explicit(&a->turned_ns, now_ns, memory_order_relaxed);
}

void admin_started(admin_t *a)
{
    if (a == NULL)
        return;
    admin_turned(a, clock_monotonic_ns());
    atomic_store(&a->started, true);
}

void admin_ready(admin_t *a, bool ready, const char *why_not)
{
    if (a == NULL)
        return;
    atomic_store(&a->why_not, ready ? NULL : why_not);
    metric_set(a->is_ready, ready);
}

/* ---- answers ---- */

struct answer {
    unsigned status;
    const char *type;
    const char *text;
    size_t size;
    bool head_only;
};

static int answer(struct mg_connection *http, const struct answer *w)
{
    char head[HEAD_SIZE];
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                        "%sCache-Control: no-store\r\nConnection: close\r\n\r\n",
                        w->status, mg_get_response_code_text(NULL, (int)w->status), w->type,
                        w->size, w->status == 405 ? "Allow: GET, HEAD\r\n" : "");
    CHECK(size > 0 && size < HEAD_SIZE);
    if (mg_write(http, head, (size_t)size) == size && !w->head_only)
        (void)mg_write(http, w->text, w->size);
    return (int)w->status;
}

static int answer_words(struct mg_connection *http, unsigned status, const char *words,
                        bool head_only)
{
    char line[HEAD_SIZE];
    int size = snprintf(line, sizeof line, "%.*s\n", HEAD_SIZE - 2, words);
    return answer(http, &(struct answer){status, "text/plain", line, (size_t)size, head_only});
}

/* What is written grows no more once all series are there; a series may come in between. */
static int answer_metrics(struct mg_connection *http, const metrics_t *metrics, bool head_only)
{
    size_t room = 0, size = metrics_write(metrics, NULL, 0);
    char *text = NULL;
    while (size > room) {
        free(text);
        room = size + size / 8;
        text = malloc(room);
        if (text == NULL)
            return answer_words(http, 503, "no memory", head_only);
        size = metrics_write(metrics, text, room);
    }
    int status =
        answer(http, &(struct answer){200, "text/plain; version=0.0.4", text, size, head_only});
    free(text);
    return status;
}

static int on_request(struct mg_connection *http)
{
    const struct mg_request_info *info = mg_get_request_info(http);
    const admin_t *a = info->user_data;
    bool head_only = strcmp(info->request_method, "HEAD") == 0;
    const char *words;
    if (!head_only && strcmp(info->request_method, "GET") != 0)
        return answer_words(http, 405, "expected GET or HEAD", false);
    if (strcmp(info->local_uri_raw, "/metrics") == 0)
        return answer_metrics(http, a->metrics, head_only);
    unsigned status = probe(a, info->local_uri_raw, &words);
    return answer_words(http, status, words, head_only);
}

/* What is no request, or too long or too slow in coming. */
static int on_error(struct mg_connection *http, int status, const char *message)
{
    (void)answer_words(http, (unsigned)status, message == NULL ? "not a request" : message, false);
    return 0; /* it is answered */
}

static int on_log(const struct mg_connection *http, const char *message)
{
    (void)http;
    log_debug("admin", "civetweb", LOG_TEXT("message", message));
    return 1; /* it is said */
}

/* ---- opening ---- */

static bool listen_at(admin_t *a, const char *address, char error[ADMIN_ERROR_SIZE])
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address) {
        snprintf(error, ADMIN_ERROR_SIZE,
                 "service_admin_address: found \"%s\", expected an address and a port, like "
                 "127.0.0.1:0, or none",
                 address);
        return false;
    }
    const char *options[] = {"listening_ports",
                             address,
                             "num_threads",
                             ADMIN_THREADS,
                             "request_timeout_ms",
                             ADMIN_REQUEST_MS,
                             "max_request_size",
                             "4096",
                             "connection_queue",
                             ADMIN_QUEUE,
                             "listen_backlog",
                             ADMIN_QUEUE,
                             "enable_keep_alive",
                             "no",
                             "enable_directory_listing",
                             "no",
                             "decode_url",
                             "no",
                             "enable_auth_domain_check",
                             "no",
                             NULL};
    struct mg_callbacks callbacks = {
        .begin_request = on_request, .http_error = on_error, .log_message = on_log};
    struct mg_server_port port;
    a->context = mg_start(&callbacks, a, options);
    if (a->context != NULL && mg_get_server_ports(a->context, 1, &port) == 1) {
        snprintf(a->address, sizeof a->address, "%.*s:%d", (int)(colon - address), address,
                 port.port);
        return true;
    }
    snprintf(error, ADMIN_ERROR_SIZE,
             "service_admin_address: cannot serve at %s: is it in use by another process, or not "
             "an address of this machine?",
             address);
    return false;
}

bool admin_open(admin_t **admin, const struct cluster *c, const char *name, metrics_t *metrics,
                char error[ADMIN_ERROR_SIZE])
{
    char file[ADMIN_FILE_SIZE];
    admin_file_path(c, name, file);
    admin_file_remove(file); /* of one that was killed */
    *admin = NULL;
    if (strcmp(c->settings.service_admin_address, "none") == 0)
        return true;
    admin_t *a = memory_new(1, sizeof *a, "the admin server");
    a->metrics = metrics;
    a->is_ready = metrics_series(metrics, FAMILY_READY);
    strcpy(a->file, file);
    atomic_store(&a->why_not, "starting");
    *admin = a;
    mg_init_library(0);
    if (listen_at(a, c->settings.service_admin_address, error) &&
        admin_file_write(a->file, a->address, error))
        return true;
    admin_close(admin);
    return false;
}

/* ---- closing ---- */

void admin_close(admin_t **admin)
{
    admin_t *a = *admin;
    if (a == NULL)
        return;
    admin_file_remove(a->file);
    if (a->context != NULL)
        web_stop(a->context, a->address);
    mg_exit_library();
    memory_free(a, 1, sizeof *a);
    *admin = NULL;
}
