#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_SIZE_MAX = 2048 }; /* a longer line is cut, and still ends its JSON */

static enum log_level threshold = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

struct line {
    char text[LINE_SIZE_MAX];
    size_t size;
};

/* Room for the closing brace and the newline is always kept. */
static void line_add(struct line *l, const char *text, size_t size)
{
    size_t room = LINE_SIZE_MAX - 3 - l->size;
    if (size > room)
        size = room;
    memcpy(l->text + l->size, text, size);
    l->size += size;
}

static void line_add_escaped(struct line *l, const char *text, size_t size)
{
    line_add(l, "\"", 1);
    for (size_t i = 0; i < size && l->size + 8 < LINE_SIZE_MAX - 3; i++) {
        unsigned char c = (unsigned char)text[i];
        char escape[8];
        if (c == '"' || c == '\\')
            line_add(l, (char[]){'\\', (char)c}, 2);
        else if (c >= 0x20 && c < 0x7f)
            line_add(l, (char[]){(char)c}, 1);
        else
            line_add(l, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
    }
    line_add(l, "\"", 1);
}

static void line_add_key(struct line *l, const char *key)
{
    line_add(l, l->size == 0 ? "{\"" : ",\"", 2);
    line_add(l, key, strlen(key));
    line_add(l, "\":", 2);
}

static void line_add_pair(struct line *l, const char *key, const char *text, size_t size)
{
    if (l->size + strlen(key) + 16 > LINE_SIZE_MAX - 3)
        return;
    line_add_key(l, key);
    line_add_escaped(l, text, size);
}

static void line_add_time(struct line *l)
{
    uint64_t now_ns = clock_wall_ns();
    time_t seconds = (time_t)(now_ns / NS_PER_SECOND);
    struct tm utc;
    char text[40];
    gmtime_r(&seconds, &utc);
    size_t size = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    size += (size_t)snprintf(text + size, sizeof text - size, ".%06uZ",
                             (unsigned)(now_ns % NS_PER_SECOND / NS_PER_US));
    line_add_pair(l, "time", text, size);
}

void log_line(enum log_level level, const char *module, const char *event,
              const struct log_field *fields)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    if (level < threshold)
        return;
    struct line l = {.size = 0};
    line_add_time(&l);
    line_add_pair(&l, "level", names[level], strlen(names[level]));
    line_add_pair(&l, "module", module, strlen(module));
    line_add_pair(&l, "event", event, strlen(event));
    for (const struct log_field *f = fields; f->key != NULL; f++) {
        char number[24];
        if (f->text != NULL) {
            line_add_pair(&l, f->key, f->text,
                          f->text_size == SIZE_MAX ? strlen(f->text) : f->text_size);
        } else if (l.size + strlen(f->key) + 32 <= LINE_SIZE_MAX - 3) {
            line_add_key(&l, f->key);
            line_add(
                &l, number,
                (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)f->number));
        }
    }
    l.text[l.size++] = '}';
    l.text[l.size++] = '\n';
    ssize_t written = write(STDERR_FILENO, l.text, l.size);
    (void)written; /* a log that cannot be written has nobody to tell */
}
