/* scrape: a page of metrics in Prometheus' text form, read once and asked often.
 *
 *     scrape_t *s = scrape_read(text, size, error);
 *     scrape_sum(s, "outcry_matcher_trades_total", "shard", "0")    of all its symbols
 *     scrape_quantile(s, before, "outcry_node_step_seconds", NULL, NULL, 0.99)
 *
 * The reader is strict: a page with one line that is not of the form is refused with that line's
 * number, as what stands behind it cannot be trusted. Values are doubles: they are shown, never
 * traded on. A question whose answer is not there has the answer NAN. Thread: one. */
#ifndef OUTCRY_CLI_SCRAPE_H
#define OUTCRY_CLI_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct scrape scrape_t;

enum {
    SCRAPE_ERROR_SIZE = 160,
    SCRAPE_SIZE_MAX = 16 << 20, /* bytes of a page */
    SCRAPE_SERIES_MAX = 1 << 17,
    SCRAPE_LABELS_MAX = 8, /* of a series */
};

struct scrape_label {
    const char *name, *value;
};

struct scrape_series {
    const char *name;
    unsigned line; /* of the page */
    struct scrape_label labels[SCRAPE_LABELS_MAX];
    unsigned label_count;
    double value;
};

/* NULL with error in words, "line 3: found ..., expected ...". BORROWS text. */
scrape_t *scrape_read(const char *text, size_t size, char error[SCRAPE_ERROR_SIZE]);
void scrape_destroy(scrape_t **s);

/* The series of a name, in the page's order; NULL and count 0 if there is none, or s is NULL.
 * BORROWED from s, as are the labels. */
const struct scrape_series *scrape_series(const scrape_t *s, const char *name, size_t *count);

/* The value of a label; "" if the series has none. */
const char *scrape_label(const struct scrape_series *series, const char *name);

/* The sum of the series whose label has this value; label NULL: of all. NAN: there is none. */
double scrape_sum(const scrape_t *s, const char *name, const char *label, const char *value);

/* By how much that sum has grown since the page before; a counter that went back began anew at 0,
 * and so did one that was not there. before NULL: since it began. NAN: it is not in now. */
double scrape_growth(const scrape_t *now, const scrape_t *before, const char *name,
                     const char *label, const char *value);

/* A quantile (0..1) of what a histogram took in between two pages, its series of that label value
 * added up: linear within a bucket, as Prometheus' histogram_quantile() has it; beyond the last
 * bound it is that bound. NAN: it took in nothing. name: without _bucket. */
double scrape_quantile(const scrape_t *now, const scrape_t *before, const char *name,
                       const char *label, const char *value, double quantile);

/* The mean of the same. */
double scrape_mean(const scrape_t *now, const scrape_t *before, const char *name, const char *label,
                   const char *value);

#endif
