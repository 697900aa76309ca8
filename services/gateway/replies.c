#include "gateway/replies.h"

#include <stdlib.h>

#include "base/clock.h"

enum { SYMBOLS_SIZE = 1 << 20 };

static int no_memory(struct exchange *x)
{
    struct problem p;
    problem_set(&p, REJECT_TOO_BUSY, NULL, NULL, "no memory for the answer");
    return response_problem(x, &p);
}

int reply_symbols(struct exchange *x)
{
    const struct cluster *c = x->edge->options.cluster;
    struct json_writer j;
    char *text = malloc(SYMBOLS_SIZE);
    if (text == NULL)
        return no_memory(x);
    json_writer_init(&j, text, SYMBOLS_SIZE);
    json_object_begin(&j, NULL);
    json_array_begin(&j, "data");
    for (unsigned i = 0; i < c->symbol_count; i++) {
        const struct cluster_symbol *s = &c->symbols[i];
        json_object_begin(&j, NULL);
        json_string(&j, "symbol", s->name);
        json_string(&j, "tick_size", s->tick_size);
        json_string(&j, "lot_size", s->lot_size);
        json_flag(&j, "any_price", s->any_price);
        json_string(&j, "phase", "open");
        json_u64(&j, "shard", s->shard);
        json_object_end(&j);
    }
    json_array_end(&j);
    json_object_end(&j);
    int status = response_text(x, "application/json", text, json_writer_size(&j));
    free(text);
    return status;
}

int reply_time(struct exchange *x)
{
    struct json_writer j;
    char text[128];
    json_writer_init(&j, text, sizeof text);
    json_object_begin(&j, NULL);
    json_time(&j, "timestamp", x->received_ns);
    json_u64(&j, "ts", x->received_ns / 1000);
    json_object_end(&j);
    return response_text(x, "application/json", text, json_writer_size(&j));
}

/* A series may be made between the two looks. */
int reply_metrics(struct exchange *x, bool step_answered)
{
    edge_t *e = x->edge;
    struct websocket_counts sockets = websockets_counts(e->websockets);
    struct tls_counts tls = e->tls == NULL ? (struct tls_counts){0} : tls_counts(e->tls);
    char *text = NULL;
    if (!step_answered)
        metric_set(metrics_series(e->options.metrics, FAMILY_READY), 0);
    http_metrics_refresh(e->metrics, &sockets, e->tls == NULL ? NULL : &tls);
    size_t room = 0, size = metrics_write(e->options.metrics, NULL, 0);
    while (size > room) {
        free(text);
        room = size + size / 8;
        text = malloc(room);
        if (text == NULL)
            return no_memory(x);
        size = metrics_write(e->options.metrics, text, room);
    }
    int status = response_text(x, "text/plain; version=0.0.4", text, size);
    free(text);
    return status;
}
