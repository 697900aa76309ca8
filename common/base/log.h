/* log: one JSON line a fact, to stderr.
 *
 *     log_info("matcher", "started", LOG_U64("shard", 0), LOG_TEXT("journal", "none"));
 *     {"time":"2026-11-21T02:10:00.123456Z","level":"info","module":"matcher","event":"started",...
 *
 * `error` means someone must act, `warn` that something was lost or refused, `info` is a fact of
 * life, `debug` is for us. Thread: any; a line is written with one call. The level is the only
 * global there is. Texts are escaped; what is not ASCII is shown as \u00xx per byte. */
#ifndef OUTCRY_BASE_LOG_H
#define OUTCRY_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
    const char *key;  /* NULL ends a list */
    const char *text; /* NULL: the number counts */
    size_t text_size;
    uint64_t number;
};

#define LOG_U64(key, value)      ((struct log_field){(key), NULL, 0, (uint64_t)(value)})
#define LOG_TEXT(key, string)    ((struct log_field){(key), (string), SIZE_MAX, 0})
#define LOG_BYTES(key, at, size) ((struct log_field){(key), (const char *)(at), (size), 0})

void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *module, const char *event,
              const struct log_field *fields);

#define LOG_AT(level, module, event, ...)                                                          \
    log_line(level, module, event, (const struct log_field[]){__VA_ARGS__, {NULL, NULL, 0, 0}})
#define log_debug(module, event, ...) LOG_AT(LOG_LEVEL_DEBUG, module, event, __VA_ARGS__)
#define log_info(module, event, ...)  LOG_AT(LOG_LEVEL_INFO, module, event, __VA_ARGS__)
#define log_warn(module, event, ...)  LOG_AT(LOG_LEVEL_WARN, module, event, __VA_ARGS__)
#define log_error(module, event, ...) LOG_AT(LOG_LEVEL_ERROR, module, event, __VA_ARGS__)

#endif
