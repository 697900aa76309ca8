/* json_writer: JSON put together in a buffer of the caller's, without memory of its own.
 *
 *     json_object_begin(&j, NULL);
 *     json_text(&j, "symbol", symbol);
 *     json_array_begin(&j, "bids");
 *     ...
 *     json_array_end(&j);
 *     json_object_end(&j);
 *
 * A key of NULL is an element of an array, or the outermost value. Commas are put by the writer.
 * What does not fit makes the writer `full`; it stays so and writes nothing more, so one look at
 * the end is enough. Thread: owner only. */
#ifndef OUTCRY_GATEWAY_JSON_WRITER_H
#define OUTCRY_GATEWAY_JSON_WRITER_H

#include "base/decimal.h"
#include "proto/wire.h"

struct json_writer {
    char *start;
    char *at;
    char *end;  /* one past the last byte that may be written */
    bool comma; /* a value stands before */
    bool full;
};

/* KEEPS buffer. */
void json_writer_init(struct json_writer *j, char *buffer, size_t size);
size_t json_writer_size(const struct json_writer *j);

void json_object_begin(struct json_writer *j, const char *key);
void json_object_end(struct json_writer *j);
void json_array_begin(struct json_writer *j, const char *key);
void json_array_end(struct json_writer *j);

/* Escaped: quotes, backslashes, control characters; the text is UTF-8 already, or is shown as
 * U+FFFD where it is not. */
void json_text(struct json_writer *j, const char *key, struct text value);
void json_string(struct json_writer *j, const char *key, const char *value);
void json_u64(struct json_writer *j, const char *key, uint64_t value);
void json_flag(struct json_writer *j, const char *key, bool value);
void json_null(struct json_writer *j, const char *key);

/* A number as a string: ids, which a reader's double would round. */
void json_id(struct json_writer *j, const char *key, uint64_t value);

/* Decimals as strings. */
void json_units(struct json_writer *j, const char *key, int64_t units,
                const struct decimal_unit *unit);
void json_sum(struct json_writer *j, const char *key, wide_t units,
              const struct decimal_unit *unit);
void json_ratio(struct json_writer *j, const char *key, wide_t sum, uwide_t count,
                const struct decimal_unit *unit);

/* 16 hexadecimal digits, as hashes are written everywhere. */
void json_hash(struct json_writer *j, const char *key, uint64_t value);

/* RFC 3339 in UTC with microseconds, "2026-11-21T02:10:00.123456Z", of Unix ns. */
void json_time(struct json_writer *j, const char *key, uint64_t time_ns);

#endif
