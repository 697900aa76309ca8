#include "gateway/response.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

enum { HEAD_SIZE_MAX = 4 << 10, SMALL_SIZE = 8 << 10 };

static const char *reason_phrase(unsigned status)
{
    return mg_get_response_code_text(NULL, (int)status);
}

struct head {
    char text[HEAD_SIZE_MAX];
    size_t size;
};

__attribute__((format(printf, 2, 3))) static void put_header(struct head *h, const char *form, ...)
{
    va_list arguments;
    va_start(arguments, form);
    int size = vsnprintf(h->text + h->size, sizeof h->text - h->size, form, arguments);
    va_end(arguments);
    if (size > 0 && (size_t)size < sizeof h->text - h->size)
        h->size += (size_t)size;
}

static void put_cors(struct head *h, const struct exchange *x)
{
    if (x->cors_origin != NULL)
        put_header(h,
                   "Access-Control-Allow-Origin: %.200s\r\n"
                   "Access-Control-Expose-Headers: X-At, X-Request-Id, RateLimit, "
                   "RateLimit-Policy, Retry-After, Server-Timing\r\n"
                   "Vary: Origin\r\n",
                   x->cors_origin);
}

static void put_rate(struct head *h, const struct exchange *x)
{
    if (!x->rate.limited)
        return;
    const char *name = rate_class_name(route_of(x->route)->class);
    put_header(h,
               "RateLimit-Policy: \"%s\";q=%" PRIu64 ";w=1\r\n"
               "RateLimit: \"%s\";r=%" PRIu64 ";t=%d\r\n",
               name, x->rate.quota, name, x->rate.remaining, 1);
}

static void put_head(struct head *h, const struct exchange *x, const struct response *r)
{
    double total_ms = (double)(clock_monotonic_ns() - x->start_ns) / 1e6;
    put_header(h, "HTTP/1.1 %u %s\r\n", r->status, reason_phrase(r->status));
    if (r->status != 204)
        put_header(h, "Content-Type: %s\r\nContent-Length: %zu\r\n", r->type, r->body.size);
    put_header(h,
               "X-Request-Id: %s\r\nServer-Timing: total;dur=%.3f, matcher;dur=%.3f\r\n"
               "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
               x->request_id, total_ms, (double)r->waited_ns / 1e6);
    if (r->at.size > 0 && r->at.size < HEAD_SIZE_MAX / 2)
        put_header(h, "X-At: %.*s\r\n", (int)r->at.size, r->at.data);
    if (r->retry_after_s > 0)
        put_header(h, "Retry-After: %u\r\n", r->retry_after_s);
    if (x->allow[0] != '\0')
        put_header(h, "Allow: %s\r\n", x->allow);
    if (r->status == 426)
        put_header(h, "Upgrade: websocket\r\n");
    put_rate(h, x);
    put_cors(h, x);
    put_header(h, "Connection: %s\r\n\r\n", x->close ? "close" : "keep-alive");
}

int response_send(struct exchange *x, const struct response *r)
{
    struct head h = {.size = 0};
    char small[SMALL_SIZE];
    x->close |= x->body_left; /* else civetweb would read it to its end, however long that takes */
    put_head(&h, x, r);
    CHECK(h.size <= sizeof h.text);
    const char *method = x->info->request_method; /* NULL where not even that could be read */
    bool head_only = method != NULL && strcmp(method, "HEAD") == 0;
    size_t body_size = head_only ? 0 : r->body.size;
    size_t size = h.size + body_size;
    char *all = size <= sizeof small ? small : malloc(size);
    if (all != NULL) {
        memcpy(all, h.text, h.size);
        if (body_size > 0)
            memcpy(all + h.size, r->body.data, body_size);
        /* Half an answer is the last: what came behind it would be taken for its rest. */
        x->close |= mg_write(x->http, all, size) != (int)size;
    } else {
        x->close = true;
    }
    if (all != small)
        free(all);
    if (x->close)
        mg_disable_keep_alive(x->http);
    uint64_t took_ns = clock_monotonic_ns() - x->start_ns;
    http_metrics_add(x->edge->metrics, x->route, r->status, r->code, took_ns);
    if (r->result_ns != 0)
        http_metrics_order(x->edge->metrics,
                           &(struct http_order_times){x->received_ns, r->result_ns - r->waited_ns,
                                                      r->result_ns, clock_wall_ns()});
    if (r->status >= 500 && r->code != REJECT_NOT_READY)
        log_warn("gateway", "request_failed", LOG_TEXT("request_id", x->request_id),
                 LOG_TEXT("route", route_labels()[x->route]), LOG_U64("status", r->status),
                 LOG_U64("code", r->code), LOG_TEXT("client", x->client),
                 LOG_U64("us", took_ns / NS_PER_US));
    return (int)r->status;
}

static int send_problem(struct exchange *x, const struct problem *p, bool unknown,
                        uint64_t certain_by_ns)
{
    char text[4 << 10];
    struct json_writer j;
    struct problem_context context = {.request_id = text_of(x->request_id),
                                      .at = {"", 0},
                                      .outcome_unknown = unknown,
                                      .certain_by_ns = certain_by_ns};
    json_writer_init(&j, text, sizeof text);
    json_object_begin(&j, NULL);
    problem_put(&j, p, &context);
    json_object_end(&j);
    uint64_t wait_s = x->rate.wait_ms / 1000 + 1;
    return response_send(
        x, &(struct response){.status = problem_status(p->code),
                              .code = p->code,
                              .type = "application/problem+json",
                              .body = {text, json_writer_size(&j)},
                              .retry_after_s = problem_retryable(p->code) ? (unsigned)wait_s : 0});
}

int response_unknown(struct exchange *x, const struct problem *p, uint64_t certain_by_ns)
{
    return send_problem(x, p, true, certain_by_ns);
}

int response_problem(struct exchange *x, const struct problem *p)
{
    return send_problem(x, p, false, 0);
}

int response_text(struct exchange *x, const char *type, const char *text, size_t size)
{
    return response_send(x, &(struct response){.status = 200, .type = type, .body = {text, size}});
}

int response_preflight(struct exchange *x)
{
    struct head h = {.size = 0};
    x->close |= x->body_left;
    put_header(&h,
               "HTTP/1.1 204 No Content\r\nX-Request-Id: %s\r\nAllow: GET, POST, PATCH, "
               "DELETE, OPTIONS\r\n",
               x->request_id);
    if (x->cors_origin != NULL)
        put_header(&h, "Access-Control-Allow-Methods: GET, POST, PATCH, DELETE\r\n"
                       "Access-Control-Allow-Headers: Content-Type, X-Request-Id\r\n"
                       "Access-Control-Max-Age: 600\r\n");
    put_cors(&h, x);
    put_header(&h, "Connection: %s\r\n\r\n", x->close ? "close" : "keep-alive");
    x->close |= mg_write(x->http, h.text, h.size) != (int)h.size;
    if (x->close)
        mg_disable_keep_alive(x->http);
    http_metrics_add(x->edge->metrics, x->route, 204, 0, clock_monotonic_ns() - x->start_ns);
    return 204;
}
