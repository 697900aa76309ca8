#include "matcher/history.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "base/memory.h"

struct history {
    struct history_options options;
    matcher_t *matcher; /* NULL before the first batch or snapshot */
    uint64_t epoch;
    uint64_t time_ns;
    uint64_t number; /* of the last record */
    uint64_t checkpoints;
};

history_t *history_new(const struct history_options *options)
{
    history_t *h = memory_new(1, sizeof *h, "a history");
    h->options = *options;
    return h;
}

void history_destroy(history_t **history)
{
    history_t *h = *history;
    if (h == NULL)
        return;
    matcher_destroy(&h->matcher);
    memory_free(h, 1, sizeof *h);
    *history = NULL;
}

__attribute__((format(printf, 2, 3))) static bool refuse(char error[JOURNAL_ERROR_SIZE],
                                                         const char *words, ...)
{
    va_list list;
    va_start(list, words);
    vsnprintf(error, JOURNAL_ERROR_SIZE, words, list);
    va_end(list);
    return false;
}

static bool refuse_record(const struct journal_record *r, char error[JOURNAL_ERROR_SIZE],
                          const char *what, uint64_t found, uint64_t expected)
{
    return refuse(error, "%s, at offset %llu: %s: found %016llx, expected %016llx", r->file,
                  (unsigned long long)r->offset, what, (unsigned long long)found,
                  (unsigned long long)expected);
}

/* What the matcher said goes to whoever wants it. */
static void hand_over(history_t *h)
{
    struct outgoing m;
    struct outbox *outbox = matcher_outbox(h->matcher);
    while (outbox_peek(outbox, UINT64_MAX, &m)) {
        if (h->options.frame != NULL)
            h->options.frame(h->options.self, m.output, m.bytes, m.size);
        outbox_pop(outbox);
    }
}

bool history_restore(history_t *h, const struct snapshot_head *head, const uint8_t *bytes,
                     size_t size, char error[JOURNAL_ERROR_SIZE])
{
    char why[MATCHER_IMAGE_ERROR_SIZE];
    CHECK(h->matcher == NULL);
    struct matcher_options options = h->options.matcher;
    options.epoch = head->epoch;
    matcher_t *m = matcher_image_read(&options, bytes, size, why);
    if (m == NULL)
        return refuse(error, "the snapshot of %llu: %s", (unsigned long long)head->seq, why);
    uint64_t hash = engine_state_hash(matcher_engine(m));
    uint64_t seq = engine_seq(matcher_engine(m));
    if (hash != head->hash || seq != head->seq) {
        matcher_destroy(&m);
        return refuse(error,
                      "the snapshot of %llu: found state hash %016llx after %llu, expected %016llx",
                      (unsigned long long)head->seq, (unsigned long long)hash,
                      (unsigned long long)seq, (unsigned long long)head->hash);
    }
    h->matcher = m;
    h->epoch = head->epoch;
    h->time_ns = head->time_ns;
    h->number = head->number;
    return true;
}

static bool take_batch(history_t *h, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE])
{
    char why[MATCHER_IMAGE_ERROR_SIZE];
    if (h->matcher == NULL && r->first_seq == 1) {
        struct matcher_options options = h->options.matcher;
        options.epoch = r->epoch;
        h->matcher = matcher_of_history(&options, r->bytes, r->size);
    }
    if (h->matcher == NULL)
        return refuse(
            error,
            "%s, at offset %llu: found a batch that begins with command %llu, expected the "
            "beginning of a history: command 1, with its limits",
            r->file, (unsigned long long)r->offset, (unsigned long long)r->first_seq);
    if (r->first_seq > history_seq(h) + 1)
        return refuse(error, "%s, at offset %llu: found command %llu, expected %llu", r->file,
                      (unsigned long long)r->offset, (unsigned long long)r->first_seq,
                      (unsigned long long)history_seq(h) + 1);
    if (record_last_seq(r) <= history_seq(h))
        return true; /* all of it is in the state already */
    if (!matcher_replay(h->matcher, r, why))
        return refuse(error, "%s, at offset %llu: %s", r->file, (unsigned long long)r->offset, why);
    hand_over(h);
    uint64_t hash = engine_books_hash(matcher_engine(h->matcher));
    return hash == r->check ||
           refuse_record(r, error, "the books after this batch hash to", hash, r->check);
}

static bool take_checkpoint(history_t *h, const struct journal_record *r,
                            char error[JOURNAL_ERROR_SIZE])
{
    if (r->first_seq < history_seq(h))
        return true; /* of before the snapshot */
    if (h->matcher == NULL)
        return true; /* of an epoch in which nothing happened */
    h->checkpoints++;
    matcher_checkpointed(h->matcher);
    uint64_t hash = history_state_hash(h);
    return hash == r->check ||
           refuse_record(r, error, "the state at this checkpoint hashes to", hash, r->check);
}

bool history_take(void *self, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE])
{
    history_t *h = self;
    bool fine = true;
    if (r->epoch != h->epoch) {
        h->epoch = r->epoch;
        if (h->matcher != NULL)
            matcher_epoch_set(h->matcher, r->epoch);
    }
    if (r->kind == RECORD_BATCH)
        fine = take_batch(h, r, error);
    else if (r->kind == RECORD_CHECKPOINT)
        fine = take_checkpoint(h, r, error);
    h->number = r->number;
    if (r->time_ns > h->time_ns)
        h->time_ns = r->time_ns;
    return fine;
}

matcher_t *history_matcher(const history_t *h)
{
    return h->matcher;
}

uint64_t history_seq(const history_t *h)
{
    return h->matcher == NULL ? 0 : engine_seq(matcher_engine(h->matcher));
}

uint64_t history_epoch(const history_t *h)
{
    return h->epoch;
}

uint64_t history_number(const history_t *h)
{
    return h->number;
}

uint64_t history_time_ns(const history_t *h)
{
    return h->time_ns;
}

uint64_t history_state_hash(const history_t *h)
{
    return h->matcher == NULL ? 0 : engine_state_hash(matcher_engine(h->matcher));
}

uint64_t history_checkpoints(const history_t *h)
{
    return h->checkpoints;
}

matcher_t *history_end(history_t **history)
{
    matcher_t *m = (*history)->matcher;
    (*history)->matcher = NULL;
    history_destroy(history);
    return m;
}
