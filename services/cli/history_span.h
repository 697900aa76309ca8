/* history_span: the part of a history that is wanted: from one time to another. Pure. */
#ifndef OUTCRY_CLI_HISTORY_SPAN_H
#define OUTCRY_CLI_HISTORY_SPAN_H

#include <stdbool.h>
#include <stdint.h>

/* A time as it is told. */
struct history_time {
    bool given;
    bool of_day; /* counted from the midnight (UTC) before the history's first row */
    uint64_t ns;
};

/* Zeroed but for from and to: before the first row. */
struct history_span {
    struct history_time from, to;
    bool begun;
    uint64_t from_ns, to_ns;
};

/* Seconds after midnight (34200.5), a time of day (09:30:00.5), or RFC 3339 in UTC
 * (2026-11-21T09:30:00Z). False: it is none of these. */
bool history_time_read(struct history_time *t, const char *text);

/* A day, like 2012-06-21, as ns since 1970. False: text does not begin with one. */
bool history_day_read(const char *text, uint64_t *ns);

/* The time a row is to have in the back-test: what was before `from` is there at that time, as the
 * market a strategy finds. False: this row and all behind it are left out. */
bool history_span_take(struct history_span *s, uint64_t *time_ns);

#endif
