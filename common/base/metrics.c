#include "base/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

enum {
    BUCKETS_MAX = 19,
    NAME_SIZE_MAX = 24, /* of a label */
    PLACES = 2 * METRIC_SERIES_MAX,
    /* A byte of a value may become two; with ="" and a comma. */
    LABELS_SIZE = METRIC_LABELS_MAX * (NAME_SIZE_MAX + 2 * METRIC_LABEL_SIZE + 4),
    PIECE_SIZE = 1024, /* of text put at once: a name, labels, a number */
};

/* Upper ends, in the unit values are given in. What is above the last falls into one more. */
static const uint64_t time_ends[BUCKETS_MAX] = {
    10000,     25000,      50000,      100000,     250000,      500000,    1000000,
    2500000,   5000000,    10000000,   25000000,   50000000,    100000000, 250000000,
    500000000, 1000000000, 2500000000, 5000000000, 10000000000,
};
static const uint64_t size_ends[] = {1,   2,    4,    8,    16,   32,    64,    128,  256,
                                     512, 1024, 2048, 4096, 8192, 16384, 32768, 65536};
enum { SIZE_BUCKETS = sizeof size_ends / sizeof size_ends[0] };

struct metric {
    unsigned family;
    enum metric_type type;
    _Atomic(metric_t *) next;  /* of the same family; a reader follows while one is added */
    atomic_uint_least64_t sum; /* the value, of what is no histogram */
    atomic_uint_least64_t buckets[BUCKETS_MAX + 1];
    char labels[LABELS_SIZE]; /* as they are written, without braces */
};

/* The series of a family. */
struct list {
    _Atomic(metric_t *) first;
    metric_t *last;
};

struct metrics {
    const struct metric_family *families;
    unsigned family_count;
    struct list *lists; /* of each family */
    metric_t *series;   /* all of them */
    uint32_t series_count;
    uint32_t *places;      /* by hash of its family and labels: a series' number from 1; 0: none */
    pthread_mutex_t mutex; /* who looks for a series, or makes it, holds it */
};

metrics_t *metrics_new(const struct metric_family *families, unsigned family_count)
{
    metrics_t *m = memory_new(1, sizeof *m, "metrics");
    m->families = families;
    m->family_count = family_count;
    m->lists = memory_new(family_count, sizeof *m->lists, "metrics");
    m->series = memory_new(METRIC_SERIES_MAX, sizeof *m->series, "metrics");
    m->places = memory_new(PLACES, sizeof *m->places, "metrics");
    CHECK(pthread_mutex_init(&m->mutex, NULL) == 0);
    return m;
}

void metrics_destroy(metrics_t **metrics)
{
    metrics_t *m = *metrics;
    if (m == NULL)
        return;
    pthread_mutex_destroy(&m->mutex);
    memory_free(m->places, PLACES, sizeof *m->places);
    memory_free(m->series, METRIC_SERIES_MAX, sizeof *m->series);
    memory_free(m->lists, m->family_count, sizeof *m->lists);
    memory_free(m, 1, sizeof *m);
    *metrics = NULL;
}

/* ---- series ---- */

/* A label's value with what would end it, or its line, escaped. */
static char *put_value(char *at, const char *value)
{
    CHECK(strlen(value) < METRIC_LABEL_SIZE);
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n')
            *at++ = '\\';
        *at++ = *value == '\n' ? 'n' : *value;
    }
    return at;
}

/* `shard="0",symbol="AAPL"`, of the names and their values. */
static void put_labels(char labels[LABELS_SIZE], const char *names, va_list values)
{
    char *at = labels;
    for (unsigned i = 0; *names != '\0'; i++) {
        size_t size = strcspn(names, ",");
        CHECK(i < METRIC_LABELS_MAX && size <= NAME_SIZE_MAX);
        at += sprintf(at, "%s%.*s=\"", i == 0 ? "" : ",", (int)size, names);
        at = put_value(at, va_arg(values, const char *));
        *at++ = '"';
        names += size + (names[size] == ',');
    }
    *at = '\0';
}

static metric_t *make(metrics_t *m, unsigned family, const char *labels)
{
    struct list *l = &m->lists[family];
    CHECK(m->series_count < METRIC_SERIES_MAX);
    metric_t *s = &m->series[m->series_count++];
    s->family = family;
    s->type = m->families[family].type;
    strcpy(s->labels, labels);
    atomic_store_explicit(l->last == NULL ? &l->first : &l->last->next, s, memory_order_release);
    l->last = s;
    return s;
}

static metric_t *find_or_make(metrics_t *m, unsigned family, const char *labels)
{
    uint64_t place = XXH3_64bits_withSeed(labels, strlen(labels), family);
    for (;; place++) {
        uint32_t *number = &m->places[place % PLACES];
        if (*number == 0) {
            metric_t *made = make(m, family, labels);
            *number = m->series_count;
            return made;
        }
        metric_t *s = &m->series[*number - 1];
        if (s->family == family && strcmp(s->labels, labels) == 0)
            return s;
    }
}

metric_t *metrics_series(metrics_t *m, unsigned family, ...)
{
    char labels[LABELS_SIZE];
    va_list values;
    if (m == NULL)
        return NULL;
    CHECK(family < m->family_count);
    va_start(values, family);
    put_labels(labels, m->families[family].labels, values);
    va_end(values);
    CHECK(pthread_mutex_lock(&m->mutex) == 0);
    metric_t *series = find_or_make(m, family, labels);
    pthread_mutex_unlock(&m->mutex);
    return series;
}

/* ---- counting ---- */

static void count(atomic_uint_least64_t *counter, uint64_t more)
{
    atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static uint64_t look(const atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static bool is_histogram(enum metric_type type)
{
    return type == METRIC_SECONDS || type == METRIC_SIZES;
}

void metric_add(metric_t *m, uint64_t more)
{
    if (m != NULL)
        count(&m->sum, more);
}

void metric_set(metric_t *m, uint64_t value)
{
    if (m != NULL)
        atomic_store_explicit(&m->sum, value, memory_order_relaxed);
}

void metric_observe(metric_t *m, uint64_t value)
{
    if (m == NULL)
        return;
    const uint64_t *ends = m->type == METRIC_SECONDS ? time_ends : size_ends;
    unsigned end_count = m->type == METRIC_SECONDS ? BUCKETS_MAX : SIZE_BUCKETS;
    unsigned b = 0;
    while (b < end_count && value > ends[b])
        b++;
    count(&m->buckets[b], 1);
    count(&m->sum, value);
}

/* ---- text ---- */

/* What does not fit is counted, not written. */
struct text_end {
    char *text;
    size_t room, size;
};

__attribute__((format(printf, 2, 3))) static void put(struct text_end *t, const char *form, ...)
{
    char piece[PIECE_SIZE];
    va_list arguments;
    va_start(arguments, form);
    int size = vsnprintf(piece, sizeof piece, form, arguments);
    va_end(arguments);
    CHECK(size >= 0 && size < PIECE_SIZE);
    if (t->size + (size_t)size <= t->room)
        memcpy(t->text + t->size, piece, (size_t)size);
    t->size += (size_t)size;
}

/* A help text is one line. */
static void put_help(struct text_end *t, const struct metric_family *f)
{
    put(t, "# HELP %s ", f->name);
    for (const char *c = f->help; *c != '\0'; c++)
        put(t, "%s%c", *c == '\\' || *c == '\n' ? "\\" : "", *c == '\n' ? 'n' : *c);
    put(t, "\n# TYPE %s %s\n", f->name, metric_type_name(f->type));
}

static void put_number(struct text_end *t, uint64_t value, bool is_ns)
{
    if (is_ns)
        put(t, " %" PRIu64 ".%09" PRIu64 "\n", value / NS_PER_SECOND, value % NS_PER_SECOND);
    else
        put(t, " %" PRIu64 "\n", value);
}

static void put_name(struct text_end *t, const struct metric_family *f, const char *part,
                     const metric_t *s)
{
    bool labelled = s->labels[0] != '\0';
    put(t, "%s%s%s%s%s", f->name, part, labelled ? "{" : "", s->labels, labelled ? "}" : "");
}

static void put_bucket(struct text_end *t, const struct metric_family *f, const metric_t *s,
                       const char *end, uint64_t below)
{
    put(t, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", f->name, s->labels,
        s->labels[0] == '\0' ? "" : ",", end, below);
}

/* The count is what the buckets had when they were looked at, so that the two agree. */
static void put_histogram(struct text_end *t, const struct metric_family *f, const metric_t *s)
{
    bool times = f->type == METRIC_SECONDS;
    unsigned end_count = times ? BUCKETS_MAX : SIZE_BUCKETS;
    uint64_t below = 0;
    char end[32];
    for (unsigned b = 0; b < end_count; b++) {
        below += look(&s->buckets[b]);
        if (times)
            snprintf(end, sizeof end, "%g", (double)time_ends[b] / (double)NS_PER_SECOND);
        else
            snprintf(end, sizeof end, "%" PRIu64, size_ends[b]);
        put_bucket(t, f, s, end, below);
    }
    below += look(&s->buckets[end_count]);
    put_bucket(t, f, s, "+Inf", below);
    put_name(t, f, "_sum", s);
    put_number(t, look(&s->sum), times);
    put_name(t, f, "_count", s);
    put_number(t, below, false);
}

static void put_series(struct text_end *t, const struct metric_family *f, const metric_t *s)
{
    if (is_histogram(f->type)) {
        put_histogram(t, f, s);
        return;
    }
    put_name(t, f, "", s);
    put_number(t, look(&s->sum), f->type == METRIC_GAUGE_SECONDS);
}

size_t metrics_write(const metrics_t *m, char *text, size_t size)
{
    struct text_end t = {text, size, 0};
    for (unsigned f = 0; f < m->family_count; f++) {
        const metric_t *s = atomic_load_explicit(&m->lists[f].first, memory_order_acquire);
        if (s != NULL)
            put_help(&t, &m->families[f]);
        for (; s != NULL; s = atomic_load_explicit(&s->next, memory_order_acquire))
            put_series(&t, &m->families[f], s);
    }
    return t.size;
}

const char *metric_type_name(enum metric_type type)
{
    if (is_histogram(type))
        return "histogram";
    return type == METRIC_COUNTER ? "counter" : "gauge";
}
