#include "cli/scrape.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_SIZE_MAX = 128,
    VALUE_SIZE_MAX = 40,
    BOUNDS_MAX = 128, /* of a histogram */
};

struct scrape {
    char *text;                   /* cut into the names, labels and values the series point to */
    struct scrape_series *series; /* by name, those of one name in the page's order */
    size_t count, room;
};

/* ---- reading ---- */

/* A line being read: from `at` to its NUL. */
struct line {
    char *at;
    const char *expected; /* what was not found at `at` */
};

static bool fails(struct line *l, const char *expected)
{
    l->expected = expected;
    return false;
}

static bool name_goes_on(char c, bool first)
{
    return isalpha((unsigned char)c) || c == '_' || c == ':' ||
           (!first && isdigit((unsigned char)c));
}

/* A name up to `end`, which is made its NUL. */
static bool read_name(struct line *l, const char *ends, char *end, const char **name)
{
    char *begin = l->at;
    while (name_goes_on(*l->at, l->at == begin))
        l->at++;
    if (l->at == begin || l->at - begin > NAME_SIZE_MAX || *l->at == '\0' ||
        strchr(ends, *l->at) == NULL)
        return fails(l, "a name");
    *end = *l->at;
    *l->at++ = '\0';
    *name = begin;
    return true;
}

/* What stands in quotes, its escapes undone where it stands. */
static bool read_quoted(struct line *l, const char **value)
{
    if (*l->at != '"')
        return fails(l, "a value in quotes");
    char *out = ++l->at;
    *value = out;
    while (*l->at != '"') {
        char c = *l->at++;
        if (c == '\0') {
            l->at--;
            return fails(l, "the closing quote");
        }
        if (c == '\\') {
            c = *l->at++;
            if (c != 'n' && c != '\\' && c != '"') {
                l->at--;
                return fails(l, "\\n, \\\\ or \\\"");
            }
            c = c == 'n' ? '\n' : c;
        }
        *out++ = c;
    }
    l->at++;
    *out = '\0';
    return true;
}

/* Behind the opening brace. */
static bool read_labels(struct line *l, struct scrape_series *s)
{
    while (*l->at != '}') {
        char end;
        if (s->label_count == SCRAPE_LABELS_MAX)
            return fails(l, "no more labels");
        struct scrape_label *label = &s->labels[s->label_count++];
        if (!read_name(l, "=", &end, &label->name) || !read_quoted(l, &label->value))
            return false;
        if (*l->at == ',')
            l->at++;
        else if (*l->at != '}')
            return fails(l, "a comma or the closing brace");
    }
    l->at++;
    return true;
}

/* A number as Prometheus writes it: what strtod takes, but for hexadecimal; perhaps a time stamp
 * behind it, which is checked and not kept. */
static bool read_value(struct line *l, double *value)
{
    static const char numeric[] = "+-.0123456789eEaAfFiInNtTyY";
    char *end = l->at;
    size_t size = strspn(l->at, numeric);
    if (size == 0 || size > VALUE_SIZE_MAX)
        return fails(l, "a number");
    *value = strtod(l->at, &end);
    if (end != l->at + size)
        return fails(l, "a number");
    l->at = end;
    if (*l->at == ' ') {
        char *stamp = l->at + 1;
        l->at = stamp + (*stamp == '-');
        size = strspn(l->at, "0123456789");
        if (size == 0 || size > VALUE_SIZE_MAX)
            return fails(l, "a time stamp");
        l->at += size;
    }
    return *l->at == '\0' ? true : fails(l, "the end of the line");
}

/* False if there is no memory. */
static bool make_room(scrape_t *s)
{
    if (s->count < s->room)
        return true;
    size_t room = s->room == 0 ? 256 : 2 * s->room;
    struct scrape_series *more = realloc(s->series, room * sizeof *more);
    if (more == NULL)
        return false;
    s->series = more;
    s->room = room;
    return true;
}

static bool read_line(scrape_t *s, struct line *l, unsigned number)
{
    struct scrape_series series = {.line = number};
    char end;
    if (*l->at == '\0' || *l->at == '#')
        return true;
    if (!read_name(l, "{ ", &end, &series.name))
        return false;
    if (end == '{' && !read_labels(l, &series))
        return false;
    if (end == '{' && *l->at++ != ' ') {
        l->at--;
        return fails(l, "a space and a number");
    }
    if (!read_value(l, &series.value))
        return false;
    if (s->count == SCRAPE_SERIES_MAX || !make_room(s))
        return fails(l, "no more series");
    s->series[s->count++] = series;
    return true;
}

/* What does not print is shown as a dot: a page may come from anywhere. */
static void tell(char error[SCRAPE_ERROR_SIZE], unsigned number, const struct line *l)
{
    char found[32];
    snprintf(found, sizeof found, "%s", l->at);
    for (char *at = found; *at != '\0'; at++)
        *at = (char)(isprint((unsigned char)*at) ? *at : '.');
    snprintf(error, SCRAPE_ERROR_SIZE, "line %u: found \"%s\", expected %s", number, found,
             l->expected);
}

static bool read_lines(scrape_t *s, size_t size, char error[SCRAPE_ERROR_SIZE])
{
    char *end = s->text + size;
    unsigned number = 1;
    for (char *at = s->text; at < end; number++) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline == NULL ? end : newline;
        struct line l = {at, "text, not a zero byte"};
        *stop = '\0';
        if (strlen(at) != (size_t)(stop - at) || !read_line(s, &l, number)) {
            tell(error, number, &l);
            return false;
        }
        at = stop + 1;
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct scrape_series *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->line < y->line ? -1 : 1;
}

scrape_t *scrape_read(const char *text, size_t size, char error[SCRAPE_ERROR_SIZE])
{
    scrape_t *s = calloc(1, sizeof *s);
    snprintf(error, SCRAPE_ERROR_SIZE, "found %zu bytes, expected a page of at most %d", size,
             SCRAPE_SIZE_MAX);
    if (s == NULL || size > SCRAPE_SIZE_MAX) {
        free(s);
        return NULL;
    }
    s->text = malloc(size + 1);
    if (s->text != NULL) {
        memcpy(s->text, text, size);
        if (read_lines(s, size, error)) {
            if (s->count > 0)
                qsort(s->series, s->count, sizeof s->series[0], by_name);
            return s;
        }
    }
    scrape_destroy(&s);
    return NULL;
}

void scrape_destroy(scrape_t **scrape)
{
    scrape_t *s = *scrape;
    if (s == NULL)
        return;
    free(s->text);
    free(s->series);
    free(s);
    *scrape = NULL;
}

/* ---- asking ---- */

const struct scrape_series *scrape_series(const scrape_t *s, const char *name, size_t *count)
{
    size_t low = 0, high = s == NULL ? 0 : s->count, end;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(s->series[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; s != NULL && end < s->count && strcmp(s->series[end].name, name) == 0;)
        end++;
    *count = end - low;
    return *count == 0 ? NULL : &s->series[low];
}

const char *scrape_label(const struct scrape_series *series, const char *name)
{
    for (unsigned i = 0; i < series->label_count; i++) {
        if (strcmp(series->labels[i].name, name) == 0)
            return series->labels[i].value;
    }
    return "";
}

static bool fits(const struct scrape_series *series, const char *label, const char *value)
{
    return label == NULL || strcmp(scrape_label(series, label), value) == 0;
}

double scrape_sum(const scrape_t *s, const char *name, const char *label, const char *value)
{
    size_t count;
    const struct scrape_series *series = scrape_series(s, name, &count);
    double sum = 0;
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (fits(&series[i], label, value)) {
            sum += series[i].value;
            found = true;
        }
    }
    return found ? sum : NAN;
}

double scrape_growth(const scrape_t *now, const scrape_t *before, const char *name,
                     const char *label, const char *value)
{
    double sum = scrape_sum(now, name, label, value);
    double was = scrape_sum(before, name, label, value);
    return isnan(was) || sum < was ? sum : sum - was;
}

/* The buckets of a histogram: how many values were at most each bound. */
struct buckets {
    double bounds[BOUNDS_MAX], counts[BOUNDS_MAX];
    unsigned count;
};

/* Put the bound in its place, in order; its index, or BOUNDS_MAX if there is no room. */
static unsigned place_of(struct buckets *b, double bound)
{
    unsigned at = 0;
    while (at < b->count && b->bounds[at] < bound)
        at++;
    if (at < b->count && b->bounds[at] <= bound)
        return at;
    if (b->count == BOUNDS_MAX)
        return BOUNDS_MAX;
    memmove(&b->bounds[at + 1], &b->bounds[at], (b->count - at) * sizeof b->bounds[0]);
    memmove(&b->counts[at + 1], &b->counts[at], (b->count - at) * sizeof b->counts[0]);
    b->bounds[at] = bound;
    b->counts[at] = 0;
    b->count++;
    return at;
}

static void add_buckets(struct buckets *b, const scrape_t *s, const char *name, const char *label,
                        const char *value, double sign)
{
    char full[NAME_SIZE_MAX + 1];
    size_t count;
    snprintf(full, sizeof full, "%s_bucket", name);
    const struct scrape_series *series = scrape_series(s, full, &count);
    for (size_t i = 0; i < count; i++) {
        const char *le = scrape_label(&series[i], "le");
        char *end;
        double bound = strtod(le, &end);
        if (end == le || *end != '\0' || isnan(bound) || !fits(&series[i], label, value))
            continue;
        unsigned at = place_of(b, bound);
        if (at < BOUNDS_MAX)
            b->counts[at] += sign * series[i].value;
    }
}

/* What came between the two pages; all there is if the histogram began anew between them. */
static void read_buckets(struct buckets *b, const scrape_t *now, const scrape_t *before,
                         const char *name, const char *label, const char *value)
{
    b->count = 0;
    add_buckets(b, now, name, label, value, 1);
    add_buckets(b, before, name, label, value, -1);
    bool anew = false;
    for (unsigned i = 0; i < b->count; i++)
        anew = anew || b->counts[i] < 0;
    if (anew) {
        b->count = 0;
        add_buckets(b, now, name, label, value, 1);
    }
}

double scrape_quantile(const scrape_t *now, const scrape_t *before, const char *name,
                       const char *label, const char *value, double quantile)
{
    struct buckets b;
    read_buckets(&b, now, before, name, label, value);
    if (b.count == 0 || b.counts[b.count - 1] <= 0)
        return NAN;
    double rank = quantile * b.counts[b.count - 1];
    unsigned at = 0;
    while (at + 1 < b.count && b.counts[at] < rank)
        at++;
    if (isinf(b.bounds[at]))
        return at == 0 ? NAN : b.bounds[at - 1];
    double low = at == 0 ? 0 : b.bounds[at - 1], below = at == 0 ? 0 : b.counts[at - 1];
    double within = b.counts[at] - below;
    return within <= 0 ? b.bounds[at] : low + (b.bounds[at] - low) * (rank - below) / within;
}

double scrape_mean(const scrape_t *now, const scrape_t *before, const char *name, const char *label,
                   const char *value)
{
    char sum[NAME_SIZE_MAX + 1], count[NAME_SIZE_MAX + 1];
    snprintf(sum, sizeof sum, "%s_sum", name);
    snprintf(count, sizeof count, "%s_count", name);
    double values = scrape_growth(now, before, count, label, value);
    return values > 0 ? scrape_growth(now, before, sum, label, value) / values : NAN;
}
