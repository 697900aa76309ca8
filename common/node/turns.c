#include "node/turns.h"

#include "base/check.h"
#include "base/log.h"

void turns_init(struct turns *t, const struct node_watch *watch)
{
    metrics_t *m = watch->metrics;
    *t = (struct turns){
        .watch = *watch,
        .cycles = metrics_series(m, FAMILY_NODE_CYCLES),
        .batch = metrics_series(m, FAMILY_NODE_BATCH),
        .step = metrics_series(m, FAMILY_NODE_STEP),
        .outbox = metrics_series(m, FAMILY_NODE_OUTBOX),
        .warnings = metrics_series(m, FAMILY_LOG_LINES, "warn"),
        .errors = metrics_series(m, FAMILY_LOG_LINES, "error"),
    };
}

void turns_batch(struct turns *t, uint64_t messages, uint64_t took_ns)
{
    metric_observe(t->batch, messages);
    metric_observe(t->step, took_ns);
}

void turns_written(struct turns *t, uint64_t batch, uint64_t now_ns)
{
    CHECK(t->written_count < TURNS_WRITTEN_MAX);
    unsigned place = (t->written_first + t->written_count++) % TURNS_WRITTEN_MAX;
    t->written[place].batch = batch;
    t->written[place].end_ns = now_ns;
}

void turns_committed(struct turns *t, uint64_t batch, uint64_t now_ns)
{
    while (t->written_count > 0 && t->written[t->written_first].batch <= batch) {
        metric_observe(t->watch.commit, now_ns - t->written[t->written_first].end_ns);
        t->written_first = (t->written_first + 1) % TURNS_WRITTEN_MAX;
        t->written_count--;
    }
}

void turns_end(struct turns *t, uint64_t outbox_size, uint64_t now_ns)
{
    metric_add(t->cycles, 1);
    metric_set(t->outbox, outbox_size);
    admin_turned(t->watch.admin, now_ns);
    if (t->watch.turned != NULL)
        t->watch.turned(t->watch.self);
}

void turns_report(struct turns *t)
{
    metric_set(t->warnings, log_line_count(LOG_LEVEL_WARN));
    metric_set(t->errors, log_line_count(LOG_LEVEL_ERROR));
    if (t->watch.report != NULL)
        t->watch.report(t->watch.self);
}
