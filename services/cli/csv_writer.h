/* csv_writer: rows on their way to a file.
 *
 * A row is put together in place, in the writer's buffer, and leaves with thousands of others:
 *
 *     char *at = csv_writer_row(&w, size_max);
 *     at = csv_put_i64(at, price);
 *     *at++ = '\n';
 *     csv_writer_done(&w, at);
 *
 * The first failure is final: it is kept, and what is written after it is dropped. Look at
 * csv_writer_failed() now and then, to stop early, and at what csv_writer_close() says, always.
 * Thread: owner only. */
#ifndef OUTCRY_CLI_CSV_WRITER_H
#define OUTCRY_CLI_CSV_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "proto/wire.h"

enum {
    CSV_WRITER_BUFFER_SIZE = 1 << 20,
    CSV_I64_SIZE_MAX = 20, /* -9223372036854775808 */
};

struct csv_writer {
    const char *name; /* as messages name it */
    int fd;
    int error; /* errno of the first failure; 0: none */
    size_t used;
    char *buffer;
};

/* Write to a file, made or emptied. A writer that could not be opened holds nothing.
 *
 * KEEPS path.
 * Errors: STATUS_IO  w->error says why. */
enum status csv_writer_open(struct csv_writer *w, const char *path);

/* Write to a descriptor, which stays open. KEEPS name. */
void csv_writer_attach(struct csv_writer *w, int fd, const char *name);

/* Write out what is left, and end.
 *
 * Errors: STATUS_IO  something was not written, now or before; w->error says why. */
enum status csv_writer_close(struct csv_writer *w);

void csv_writer_flush(struct csv_writer *w);

static inline bool csv_writer_failed(const struct csv_writer *w)
{
    return w->error != 0;
}

/* Where a row of at most size bytes may be put together. size: up to CSV_WRITER_BUFFER_SIZE. */
static inline char *csv_writer_row(struct csv_writer *w, size_t size)
{
    if (CSV_WRITER_BUFFER_SIZE - w->used < size)
        csv_writer_flush(w);
    return w->buffer + w->used;
}

/* The row ends before `end`. */
static inline void csv_writer_done(struct csv_writer *w, const char *end)
{
    w->used = (size_t)(end - w->buffer);
}

/* Put a value at `at`; what is returned is the place behind it. */
char *csv_put_u64(char *at, uint64_t value);
char *csv_put_i64(char *at, int64_t value);

static inline char *csv_put_text(char *at, struct text text)
{
    memcpy(at, text.data, text.size);
    return at + text.size;
}

#endif
