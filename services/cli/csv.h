/* csv: reading the plain dialect that tools exchange orders and market data in.
 *
 * A file is read whole, gzip or not (its first bytes decide), and then only pointed into: lines,
 * fields and numbers are taken where they stand, nothing is copied. A field ends at a comma, a
 * line at LF or CRLF. There is no quoting: what is exchanged here are numbers, short names and
 * words, none of which may hold a comma. A UTF-8 byte order mark at the start is skipped.
 *
 *     struct csv_file file;
 *     struct csv_cursor cursor;
 *     struct text line, fields[8];
 *     if (csv_load(&file, "orders.csv.gz") == STATUS_OK) {
 *         csv_begin(&cursor, &file);
 *         while (csv_line(&cursor, &line))
 *             count = csv_split(line, fields, 8);
 *         csv_unload(&file);
 *     }
 *
 * Thread: owner only. */
#ifndef OUTCRY_CLI_CSV_H
#define OUTCRY_CLI_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/wire.h"

struct csv_file {
    const char *name; /* as messages name it: the path, or <stdin> */
    char *data;
    size_t size;
};

struct csv_cursor {
    const char *at;
    const char *end;
    uint64_t line; /* of the line handed out last; the first is 1 */
};

/* What is wrong with a file, and where. Texts point into the file or are constant. */
struct csv_fault {
    uint64_t line;
    uint64_t column_number; /* from 1; names the column where `column` is empty */
    struct text column;
    struct text found; /* empty: nothing stands there */
    const char *expected;
};

/* Read a file whole; "-" is standard input. On failure nothing is held and *why, a constant or
 * strerror's text, says what happened.
 *
 * KEEPS path.
 * Errors: STATUS_IO       it cannot be opened or read.
 *         STATUS_INVALID  it is gzip, and cut off or damaged. */
enum status csv_load(struct csv_file *file, const char *path, const char **why);
void csv_unload(struct csv_file *file);

/* How many lines there are, the last one counted whether or not it is terminated. */
uint64_t csv_line_count(const struct csv_file *file);

void csv_begin(struct csv_cursor *c, const struct csv_file *file);

/* The next line, without its ending. false: there are no more. */
bool csv_line(struct csv_cursor *c, struct text *line);

/* Whether nothing but empty lines is left. */
bool csv_only_blank_left(const struct csv_cursor *c);

/* Split a line at its commas. Stores the first fields_max fields, returns how many there are: at
 * least 1, and perhaps more than fields_max. */
size_t csv_split(struct text line, struct text *fields, size_t fields_max);

/* Read a whole number: digits, perhaps after a minus. false: it is none, or not an int64. */
bool csv_i64(struct text field, int64_t *value);

/* Say on stderr what is wrong: `FILE:LINE:COLUMN: found X, expected Y`. */
void csv_fault_print(const struct csv_file *file, const struct csv_fault *fault);

#endif
