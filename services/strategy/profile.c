#include "strategy/profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/decimal.h"

enum {
    DAY_S = 86400,
    DEFAULT_OPEN_S = 34200, /* 09:30 */
    DEFAULT_BIN_S = 300,
    LINE_SIZE = 256,
};
#define SECOND_NS UINT64_C(1000000000)

/* Thousandths of a percent of the day in 5 minutes each; see the header. */
static const unsigned default_shares[] = {
    2899, 2607, 2359, 2148, 1969, 1817, 1687, 1578, 1484, 1405, 1338, 1280, 1232, 1190, 1155, 1125,
    1100, 1078, 1060, 1045, 1031, 1020, 1011, 1002, 996,  990,  985,  981,  977,  974,  971,  969,
    967,  966,  964,  963,  962,  961,  961,  960,  960,  959,  959,  958,  958,  958,  958,  958,
    957,  957,  957,  957,  957,  957,  957,  957,  957,  957,  957,  957,  957,  957,  957,  957,
    957,  957,  957,  957,  957,  957,  958,  961,  971,  1010, 1149, 1650, 3455, 9960,
};
enum { DEFAULT_BINS = sizeof default_shares / sizeof default_shares[0] };

static void normalise(struct profile *p)
{
    double sum = 0;
    for (unsigned i = 0; i < p->count; i++)
        sum += p->share[i];
    for (unsigned i = 0; i < p->count; i++)
        p->share[i] /= sum;
}

void profile_default(struct profile *p)
{
    p->count = DEFAULT_BINS;
    for (unsigned i = 0; i < DEFAULT_BINS; i++) {
        p->begin_s[i] = DEFAULT_OPEN_S + i * DEFAULT_BIN_S;
        p->share[i] = default_shares[i];
    }
    p->begin_s[DEFAULT_BINS] = DEFAULT_OPEN_S + DEFAULT_BINS * DEFAULT_BIN_S;
    normalise(p);
}

/* ---- a file ---- */

struct place {
    const char *file;
    unsigned line;
    char *error;
};

static bool complain(const struct place *at, const char *found, const char *expected)
{
    snprintf(at->error, PROFILE_ERROR_SIZE, "%.200s:%u: found \"%.80s\", expected %.150s", at->file,
             at->line, found, expected);
    return false;
}

/* Two digits and a number below `end`; where it goes on, or NULL. */
static const char *two_digits(const char *text, unsigned end, unsigned *number)
{
    if (!isdigit((unsigned char)text[0]) || !isdigit((unsigned char)text[1]))
        return NULL;
    *number = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    return *number < end ? text + 2 : NULL;
}

static bool read_time(const char *text, uint32_t *time_s)
{
    unsigned hours, minutes, seconds = 0;
    uint64_t number;
    if (config_u64(text, 0, DAY_S - 1, &number)) {
        *time_s = (uint32_t)number;
        return true;
    }
    const char *rest = two_digits(text, 24, &hours);
    if (rest == NULL || *rest != ':' || (rest = two_digits(rest + 1, 60, &minutes)) == NULL)
        return false;
    if (*rest == ':' && (rest = two_digits(rest + 1, 60, &seconds)) == NULL)
        return false;
    *time_s = hours * 3600 + minutes * 60 + seconds;
    return *rest == '\0';
}

static bool read_share(const char *text, double *share)
{
    int64_t units;
    enum decimal_read read =
        decimal_to_units(text, strlen(text), &(struct decimal_unit){1, 0}, &units);
    if (read == DECIMAL_MALFORMED || read == DECIMAL_TOO_LARGE)
        return false;
    *share = strtod(text, NULL);
    return *share > 0;
}

/* Without spaces at its ends. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t size = strlen(text);
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        text[--size] = '\0';
    return text;
}

static bool read_bin(struct profile *p, char *line, const struct place *at)
{
    char *comma = strchr(line, ',');
    if (comma == NULL)
        return complain(at, line, "bin_start,share");
    *comma = '\0';
    char *time = trim(line), *share = trim(comma + 1);
    if (p->count == PROFILE_BINS_MAX)
        return complain(at, time, "at most 1440 bins");
    if (!read_time(time, &p->begin_s[p->count]))
        return complain(at, time, "HH:MM, or seconds after midnight from 0 to 86399");
    if (p->count > 0 && p->begin_s[p->count] <= p->begin_s[p->count - 1])
        return complain(at, time, "a later time than the line before has");
    if (!read_share(share, &p->share[p->count]))
        return complain(at, share, "a number above zero, with at most 18 digits on a side");
    p->count++;
    return true;
}

static bool read_lines(struct profile *p, FILE *f, struct place *at)
{
    char line[LINE_SIZE];
    for (at->line = 1; fgets(line, sizeof line, f) != NULL; at->line++) {
        if (strlen(line) == sizeof line - 1)
            return complain(at, line, "a line of at most 254 characters");
        char *text = trim(line);
        bool header = at->line == 1 && !isdigit((unsigned char)text[0]);
        if (text[0] != '\0' && !header && !read_bin(p, text, at))
            return false;
    }
    if (ferror(f)) {
        snprintf(at->error, PROFILE_ERROR_SIZE, "%.200s: cannot be read: %s", at->file,
                 strerror(errno));
        return false;
    }
    return p->count > 0 || complain(at, "no bin", "at least one line of bin_start,share");
}

/* Where the last bin ends. */
static void close_day(struct profile *p)
{
    uint32_t last = p->begin_s[p->count - 1];
    uint32_t end = p->count > 1 ? last + (last - p->begin_s[p->count - 2]) : DAY_S;
    p->begin_s[p->count] = end < DAY_S ? end : DAY_S;
}

bool profile_read(struct profile *p, const char *file, char error[PROFILE_ERROR_SIZE])
{
    struct place at = {file, 0, error};
    p->count = 0;
    FILE *f = fopen(file, "r");
    if (f == NULL) {
        snprintf(error, PROFILE_ERROR_SIZE, "%.200s: cannot be read: %s", file, strerror(errno));
        return false;
    }
    bool read = read_lines(p, f, &at);
    fclose(f);
    if (!read)
        return false;
    close_day(p);
    normalise(p);
    return true;
}

/* ---- looking ---- */

uint64_t profile_begin_ns(const struct profile *p)
{
    return p->begin_s[0] * SECOND_NS;
}

uint64_t profile_span_ns(const struct profile *p)
{
    return (p->begin_s[p->count] - p->begin_s[0]) * SECOND_NS;
}

/* Within one day: from <= to <= PROFILE_DAY_NS. */
static double share_of_day(const struct profile *p, uint64_t from, uint64_t to)
{
    double share = 0;
    for (unsigned i = 0; i < p->count; i++) {
        uint64_t begin = p->begin_s[i] * SECOND_NS, end = p->begin_s[i + 1] * SECOND_NS;
        uint64_t first = from > begin ? from : begin, last = to < end ? to : end;
        if (first < last)
            share += p->share[i] * ((double)(last - first) / (double)(end - begin));
    }
    return share;
}

double profile_share(const struct profile *p, uint64_t from_ns, uint64_t span_ns)
{
    uint64_t days = span_ns / PROFILE_DAY_NS, from = from_ns % PROFILE_DAY_NS;
    uint64_t to = from + span_ns % PROFILE_DAY_NS;
    double share = (double)days;
    if (to <= PROFILE_DAY_NS)
        return share + share_of_day(p, from, to);
    return share + share_of_day(p, from, PROFILE_DAY_NS) + share_of_day(p, 0, to - PROFILE_DAY_NS);
}
