/* frame_check: every recorded frame is an entry, sorted by topic, epoch and sequence. What is made
 * again finds its entries by bisection and marks them; what is unmarked at the end is explained. */
#include "cli/frame_check.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "proto/frame.h"
#include "proto/printer.h"

enum { TOLD_MAX = 5, EPOCHS_FIRST = 16 };

enum mark { MARK_NONE, MARK_EQUAL, MARK_DIFFERS };

struct entry {
    struct text topic;
    uint64_t epoch;
    uint64_t seq;
    const uint8_t *message;
    size_t size;
    enum mark mark;
};

/* What history has of an epoch: (after_seq, through_seq]. */
struct span {
    uint64_t epoch;
    uint64_t after_seq;
    uint64_t through_seq;
};

struct frame_check {
    struct frame_recording *files;
    unsigned file_count;
    struct entry *entries;
    uint64_t entry_count, entry_room;
    struct span *spans;
    uint64_t span_count, span_room;
    uint64_t told; /* differences put into words */
    struct frame_check_report report;
};

/* ---- the entries ---- */

static bool is_public(struct text topic)
{
    static const char *const kinds[] = {"l3.", "l2.", "bbo.", "trade."};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t size = strlen(kinds[i]);
        if (topic.size > size && memcmp(topic.data, kinds[i], size) == 0)
            return true;
    }
    return false;
}

/* One message of a file; entries: NULL, or where it goes. */
static void take(frame_check_t *c, struct entry *entries, const uint8_t *message, size_t size)
{
    struct frame_reader f;
    c->report.recorded++;
    if (frame_read(&f, message, size) != FRAME_READ_OK) {
        c->report.unreadable++;
        return;
    }
    if (f.head.type != FRAME_EVENTS || !is_public(f.head.topic)) {
        c->report.passed_over++;
        return;
    }
    if (entries != NULL)
        entries[c->entry_count] =
            (struct entry){f.head.topic, f.head.epoch, f.head.seq, message, size, MARK_NONE};
    c->entry_count++;
}

/* How many entries there are, or what they are. */
static void take_all(frame_check_t *c, struct entry *entries)
{
    const uint8_t *message;
    size_t size;
    c->report = (struct frame_check_report){0};
    c->entry_count = 0;
    for (unsigned i = 0; i < c->file_count; i++) {
        struct frame_recording from_start = c->files[i];
        while (frame_recording_next(&from_start, &message, &size))
            take(c, entries, message, size);
        c->report.cut_short += from_start.cut_short;
    }
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_topics(struct text a, struct text b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order != 0 ? order : compare_u64(a.size, b.size);
}

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    int order = compare_topics(a->topic, b->topic);
    if (order == 0)
        order = compare_u64(a->epoch, b->epoch);
    return order != 0 ? order : compare_u64(a->seq, b->seq);
}

frame_check_t *frame_check_open(const char *const *paths, unsigned count,
                                char error[FRAME_FILE_ERROR_SIZE])
{
    frame_check_t *c = memory_new(1, sizeof *c, "recorded frames");
    c->files = memory_new(count, sizeof *c->files, "recordings");
    c->file_count = count;
    for (unsigned i = 0; i < count; i++) {
        if (frame_recording_open(&c->files[i], paths[i], error) != STATUS_OK) {
            frame_check_close(&c);
            return NULL;
        }
    }
    take_all(c, NULL);
    c->entry_room = c->entry_count;
    c->entries = memory_new(c->entry_room, sizeof *c->entries, "recorded frames");
    take_all(c, c->entries);
    if (c->entry_count > 0)
        qsort(c->entries, c->entry_count, sizeof *c->entries, compare);
    return c;
}

void frame_check_close(frame_check_t **check)
{
    frame_check_t *c = *check;
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->file_count; i++)
        frame_recording_close(&c->files[i]);
    memory_free(c->files, c->file_count, sizeof *c->files);
    memory_free(c->entries, c->entry_room, sizeof *c->entries);
    memory_free(c->spans, c->span_room, sizeof *c->spans);
    memory_free(c, 1, sizeof *c);
    *check = NULL;
}

/* ---- what is made again ---- */

static void span_end(frame_check_t *c, uint64_t seq)
{
    if (c->span_count > 0)
        c->spans[c->span_count - 1].through_seq = seq;
}

void frame_check_epoch(frame_check_t *c, uint64_t epoch, uint64_t seq)
{
    if (c->span_count > 0 && c->spans[c->span_count - 1].epoch == epoch)
        return;
    span_end(c, seq);
    if (c->span_count == c->span_room) {
        uint64_t room = c->span_room == 0 ? EPOCHS_FIRST : 2 * c->span_room;
        struct span *more = memory_new(room, sizeof *more, "epochs");
        if (c->span_count > 0)
            memcpy(more, c->spans, c->span_count * sizeof *more);
        memory_free(c->spans, c->span_room, sizeof *more);
        c->spans = more;
        c->span_room = room;
    }
    c->spans[c->span_count++] = (struct span){epoch, seq, seq};
}

static bool tell(frame_check_t *c)
{
    if (c->told == TOLD_MAX)
        fputs("    (more follow that are only counted)\n", stderr);
    return c->told++ < TOLD_MAX;
}

static void tell_both(frame_check_t *c, const struct entry *e, const uint8_t *message, size_t size)
{
    if (!tell(c))
        return;
    fprintf(stderr, "a frame of %.*s differs; recorded:\n    ", (int)e->topic.size, e->topic.data);
    printer_frame(stderr, e->message, e->size);
    fputs("made again from the journal:\n    ", stderr);
    printer_frame(stderr, message, size);
}

static void mark(frame_check_t *c, struct entry *e, const uint8_t *message, size_t size)
{
    if (e->size == size && memcmp(e->message, message, size) == 0) {
        e->mark = e->mark == MARK_DIFFERS ? MARK_DIFFERS : MARK_EQUAL;
    } else if (e->mark != MARK_DIFFERS) {
        e->mark = MARK_DIFFERS;
        tell_both(c, e, message, size);
    }
}

void frame_check_remade(frame_check_t *c, const uint8_t *message, size_t size)
{
    struct frame_reader f;
    if (c->entry_count == 0 || frame_read(&f, message, size) != FRAME_READ_OK ||
        f.head.type != FRAME_EVENTS)
        return;
    struct entry key = {.topic = f.head.topic, .epoch = f.head.epoch, .seq = f.head.seq};
    struct entry *found = bsearch(&key, c->entries, c->entry_count, sizeof *c->entries, compare);
    if (found == NULL)
        return;
    while (found > c->entries && compare(found - 1, &key) == 0)
        found--;
    for (; found < c->entries + c->entry_count && compare(found, &key) == 0; found++)
        mark(c, found, message, size);
}

/* ---- the end ---- */

static bool has_symbol(const engine_t *e, struct text topic)
{
    const char *dot = memchr(topic.data, '.', topic.size);
    struct text name = {dot + 1, topic.size - (size_t)(dot + 1 - topic.data)};
    for (uint32_t n = 1; e != NULL && n <= engine_symbol_count(e); n++) {
        if (text_equal(engine_symbol_name(e, n), name))
            return true;
    }
    return false;
}

/* One that nothing made again was like. */
static void explain(frame_check_t *c, const struct entry *e)
{
    const struct span *last = c->span_count == 0 ? NULL : &c->spans[c->span_count - 1];
    const struct span *s = c->spans;
    while (s != NULL && s < last && s->epoch < e->epoch)
        s++;
    if (s == NULL || e->epoch > s->epoch) {
        c->report.after++;
    } else if (e->epoch < s->epoch) {
        /* Of an epoch that is not in this journal: another one went on from there. */
        *(s == c->spans ? &c->report.before : &c->report.after) += 1;
    } else if (e->seq <= s->after_seq) {
        c->report.before++;
    } else if (e->seq > s->through_seq) {
        c->report.after++;
    } else {
        c->report.not_remade++;
        if (!tell(c))
            return;
        fputs("recorded, and the journal makes no such frame:\n    ", stderr);
        printer_frame(stderr, e->message, e->size);
    }
}

struct frame_check_report frame_check_end(frame_check_t *c, const engine_t *engine, uint64_t seq)
{
    bool ours = false;
    span_end(c, seq);
    for (uint64_t i = 0; i < c->entry_count; i++) {
        const struct entry *e = &c->entries[i];
        if (i == 0 || compare_topics(e->topic, e[-1].topic) != 0)
            ours = has_symbol(engine, e->topic);
        if (!ours)
            c->report.elsewhere++;
        else if (e->mark == MARK_EQUAL)
            c->report.compared++;
        else if (e->mark == MARK_DIFFERS)
            c->report.differ++;
        else
            explain(c, e);
    }
    return c->report;
}
