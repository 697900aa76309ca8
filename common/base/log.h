/* log: one line a fact, as JSON or as text.
 *
 *     log_info("matcher", "started", LOG_U64("shard", 0), LOG_TEXT("journal", "none"));
 *     {"time":"2026-11-21T02:10:00.123456Z","level":"info","module":"matcher","event":"started",...
 *     2026-11-21T02:10:00.123456Z info  matcher started shard=0 journal=none
 *
 * `error` means someone must act, `warn` that something was lost or refused, `info` is a fact of
 * life, `debug` is for us. Texts are escaped; what is not ASCII is shown as \u00xx per byte. In the
 * text format a value that is not plain stands in quotes, with JSON's escapes.
 *
 * Nothing secret is ever given to the log: no key, no signature, no password, no header of a
 * request as it came. It does not look for them; callers must not hand them over.
 *
 * Lines go to stderr as JSON until log_open() says otherwise; command-line tools leave it so. A
 * line is composed (no clock, no I/O, no allocation: steps may) and written with one call, so
 * lines of several threads never mix. The level and the destination are the only globals there
 * are, set at start, before there are threads. Thread: any, for the rest. */
#ifndef OUTCRY_BASE_LOG_H
#define OUTCRY_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    LOG_LINE_SIZE_MAX = 2048, /* what is too long is cut, and still a line of its format */
    LOG_PATH_SIZE_MAX = 4000,
};

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };
enum log_kind { LOG_KIND_TEXT, LOG_KIND_U64, LOG_KIND_I64, LOG_KIND_FLAG };

struct log_field {
    const char *key;  /* NULL ends a list */
    const char *text; /* of LOG_KIND_TEXT; NULL is written as null */
    enum log_kind kind;
    uint64_t number; /* the number, the flag, or the text's size: UINT64_MAX is up to its NUL */
};

#define LOG_TEXT(key, string) ((struct log_field){(key), (string), LOG_KIND_TEXT, UINT64_MAX})
#define LOG_BYTES(key, at, size)                                                                   \
    ((struct log_field){(key), (const char *)(at), LOG_KIND_TEXT, (size)})
#define LOG_U64(key, value)  ((struct log_field){(key), NULL, LOG_KIND_U64, (uint64_t)(value)})
#define LOG_I64(key, value)  ((struct log_field){(key), NULL, LOG_KIND_I64, (uint64_t)(value)})
#define LOG_FLAG(key, value) ((struct log_field){(key), NULL, LOG_KIND_FLAG, (value) ? 1 : 0})

/* A list of fields, none included, for log_line() and log_compose(). */
#define LOG_FIELDS(...)                                                                            \
    ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL, LOG_KIND_TEXT, 0}})

struct log_options {
    enum log_format format;
    const char *destination; /* "stdout", "stderr", or the path of a file no other process writes */
    uint64_t file_size_max;  /* bytes; a file that would grow beyond is rotated first */
    unsigned files_max;      /* with the rotated ones: FILE, FILE.1 (newer) to FILE.(files_max-1) */
    uint64_t file_age_max_s; /* a file begun longer ago than this is rotated, too; 0: never */
};

/* Say where lines go and how they look, once, before there are threads. A file that is there is
 * appended to; a device, a pipe or a link is never rotated. When what is written to fails later,
 * that is told once, on stderr, and logging goes on there.
 *
 * BORROWS options. file_size_max: 1 and more. files_max: 1 and more.
 * Errors: STATUS_IO  the file cannot be opened, errno says why; logging goes on at stderr. */
enum status log_open(const struct log_options *options);

/* What is below the level is not said; at first that is LOG_LEVEL_INFO. Before there are threads.
 */
void log_set_level(enum log_level level);

/* Make a line, newline included; its size, or 0 if its level is not said. `line` has room for
 * LOG_LINE_SIZE_MAX bytes and gets no NUL. Cost: no clock, no I/O, no allocation. */
size_t log_compose(char *line, uint64_t time_ns, enum log_level level, const char *module,
                   const char *event, const struct log_field *fields);

/* The same as JSON, whatever the format and the level are. */
size_t log_compose_json(char *line, uint64_t time_ns, enum log_level level, const char *module,
                        const char *event, const struct log_field *fields);

/* Lines of this level that were composed to be said since the start. */
uint64_t log_line_count(enum log_level level);

/* Write a line that was composed; of size 0, nothing. Cost: a system call, sometimes a rotation. */
void log_write(const char *line, size_t size);

/* Both, at the time of the wall clock. */
void log_line(enum log_level level, const char *module, const char *event,
              const struct log_field *fields);

#define LOG_AT(level, module, event, ...) log_line(level, module, event, LOG_FIELDS(__VA_ARGS__))
#define log_debug(module, ...)            LOG_AT(LOG_LEVEL_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)             LOG_AT(LOG_LEVEL_INFO, module, __VA_ARGS__)
#define log_warn(module, ...)             LOG_AT(LOG_LEVEL_WARN, module, __VA_ARGS__)
#define log_error(module, ...)            LOG_AT(LOG_LEVEL_ERROR, module, __VA_ARGS__)

#endif
