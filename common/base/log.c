/* log: composing a line, and the place it goes to.
 *
 * A file is written by any thread without a lock: its descriptor's number never changes, and a
 * rotation puts the new file under that number in one step (dup3). A writer that comes at that
 * moment writes to the old file or to the new one, never to neither. Its size is counted by an
 * atomic beside it, so a file may pass its limit by as many lines as there are threads, no more.
 * When it was begun is asked of the file system, so that its age outlives a restart. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

enum {
    END_SIZE = 2, /* room that is kept for a line's end: its brace, its newline */
    NUMBER_SIZE = 24,
    TIME_SIZE = 32,
    ROTATED_SIZE = LOG_PATH_SIZE_MAX + 16,
};

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static enum log_level threshold = LOG_LEVEL_INFO;

/* Where lines go. */
static struct {
    enum log_format format;
    atomic_int fd; /* STDERR_FILENO for good, once a file or stdout has failed */
    bool rotates;
    char path[LOG_PATH_SIZE_MAX];
    uint64_t size_max, age_max_ns;
    unsigned files_max;
    atomic_uint_least64_t size, begun_ns;
    pthread_mutex_t rotation;
} sink = {.fd = STDERR_FILENO, .rotation = PTHREAD_MUTEX_INITIALIZER};

static atomic_uint_least64_t line_counts[LOG_LEVEL_ERROR + 1];

/* ---- a line ---- */

struct line {
    char *text;
    size_t size;
    enum log_format format;
};

static size_t line_room(const struct line *l)
{
    return LOG_LINE_SIZE_MAX - END_SIZE - l->size;
}

static void line_add(struct line *l, const char *text, size_t size)
{
    size_t room = line_room(l);
    if (size > room)
        size = room;
    memcpy(l->text + l->size, text, size);
    l->size += size;
}

static void line_add_escaped(struct line *l, const char *text, size_t size)
{
    line_add(l, "\"", 1);
    for (size_t i = 0; i < size && line_room(l) > 8; i++) {
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

/* Whether a value of the text format needs no quotes. */
static bool is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("\"\\=", text[i]) != NULL)
            return false;
    }
    return size > 0;
}

static void line_add_text(struct line *l, const char *text, size_t size)
{
    if (l->format == LOG_FORMAT_TEXT && is_plain(text, size))
        line_add(l, text, size);
    else
        line_add_escaped(l, text, size);
}

/* What stands before a value: `,"key":` or ` key=`. False, and nothing, if there is no room for it
 * and the longest number. */
static bool line_add_key(struct line *l, const char *key)
{
    size_t size = strlen(key);
    if (size + 4 + NUMBER_SIZE > line_room(l))
        return false;
    bool json = l->format == LOG_FORMAT_JSON;
    line_add(l, json ? ",\"" : " ", json ? 2 : 1);
    line_add(l, key, size);
    line_add(l, json ? "\":" : "=", json ? 2 : 1);
    return true;
}

static void line_add_field(struct line *l, const struct log_field *f)
{
    char number[NUMBER_SIZE];
    int size = 0;
    if (!line_add_key(l, f->key))
        return;
    if (f->kind == LOG_KIND_TEXT && f->text != NULL)
        line_add_text(l, f->text, f->number == UINT64_MAX ? strlen(f->text) : (size_t)f->number);
    else if (f->kind == LOG_KIND_TEXT)
        line_add(l, "null", 4);
    else if (f->kind == LOG_KIND_FLAG)
        line_add(l, f->number != 0 ? "true" : "false", f->number != 0 ? 4 : 5);
    else if (f->kind == LOG_KIND_I64)
        size = snprintf(number, sizeof number, "%" PRId64, (int64_t)f->number);
    else
        size = snprintf(number, sizeof number, "%" PRIu64, f->number);
    line_add(l, number, (size_t)size);
}

/* The day of the Gregorian calendar, so many days after 1970-01-01. Years begin in March here, so
 * that a leap day ends one, and eras of 400 years all have 146097 days. gmtime_r() would read the
 * time zone's file when it is first called, and lock. */
static void day_of(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
    uint64_t of_eras = days + 719468; /* since 0000-03-01 */
    uint64_t of_era = of_eras % 146097;
    uint64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    uint64_t march_month = (5 * of_year + 2) / 153;
    *day = (unsigned)(of_year - (153 * march_month + 2) / 5 + 1);
    *month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = (unsigned)(of_eras / 146097 * 400 + years + (*month <= 2));
}

/* 2026-11-21T02:10:00.123456Z */
static void line_add_time(struct line *l, uint64_t time_ns)
{
    uint64_t seconds = time_ns / NS_PER_SECOND;
    unsigned of_day = (unsigned)(seconds % 86400);
    unsigned year, month, day;
    char text[TIME_SIZE];
    day_of(seconds / 86400, &year, &month, &day);
    int size = snprintf(text, sizeof text, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", year, month, day,
                        of_day / 3600, of_day / 60 % 60, of_day % 60,
                        (unsigned)(time_ns % NS_PER_SECOND / NS_PER_US));
    line_add(l, text, (size_t)size);
}

static void line_begin(struct line *l, uint64_t time_ns, enum log_level level, const char *module,
                       const char *event)
{
    char name[8];
    if (l->format == LOG_FORMAT_JSON) {
        line_add(l, "{\"time\":\"", 9);
        line_add_time(l, time_ns);
        line_add(l, "\"", 1);
        line_add_field(l, &LOG_TEXT("level", level_names[level]));
        line_add_field(l, &LOG_TEXT("module", module));
        line_add_field(l, &LOG_TEXT("event", event));
        return;
    }
    line_add_time(l, time_ns);
    line_add(l, name, (size_t)snprintf(name, sizeof name, " %-5s ", level_names[level]));
    line_add_text(l, module, strlen(module));
    line_add(l, " ", 1);
    line_add_text(l, event, strlen(event));
}

/* ---- the file ---- */

/* Told where logging goes on. The first to see a failure tells it. */
static void tell_failure(const char *what)
{
    char line[LOG_LINE_SIZE_MAX];
    const char *why = strerror(errno);
    if (atomic_exchange(&sink.fd, STDERR_FILENO) == STDERR_FILENO)
        return;
    size_t size = log_compose(line, clock_wall_ns(), LOG_LEVEL_ERROR, "log", what,
                              LOG_FIELDS(LOG_TEXT("destination", sink.path), LOG_TEXT("why", why)));
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written; /* a log that cannot be written has nobody to tell */
}

static int file_open(void)
{
    /* 0640: whoever collects logs may be in the group. */
    return open(sink.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

/* FILE, FILE.1, ... each become the next, and the last one is gone. */
static bool file_shift(void)
{
    char from[ROTATED_SIZE], to[ROTATED_SIZE];
    if (sink.files_max == 1)
        return unlink(sink.path) == 0 || errno == ENOENT;
    for (unsigned i = sink.files_max - 1; i > 0; i--) {
        snprintf(to, sizeof to, "%s.%u", sink.path, i);
        snprintf(from, sizeof from, i == 1 ? "%s" : "%s.%u", sink.path, i - 1);
        if (rename(from, to) != 0 && errno != ENOENT)
            return false;
    }
    return true;
}

static void file_rotate(int fd)
{
    int fresh = -1;
    if (!file_shift() || (fresh = file_open()) < 0 || dup3(fresh, fd, O_CLOEXEC) < 0)
        tell_failure("rotation_failed");
    if (fresh >= 0)
        close(fresh);
}

/* Whether the file is full, or too old, for a line; an empty one takes any. */
static bool file_done(size_t line_size, uint64_t now_ns)
{
    uint64_t size = atomic_load(&sink.size);
    return size > 0 && (size + line_size > sink.size_max ||
                        (sink.age_max_ns > 0 && now_ns >= atomic_load(&sink.begun_ns) &&
                         now_ns - atomic_load(&sink.begun_ns) >= sink.age_max_ns));
}

/* Count a line to be written, in a file that may take it. */
static void file_add(int fd, size_t line_size)
{
    uint64_t now_ns = sink.age_max_ns > 0 ? clock_wall_ns() : 0;
    if (file_done(line_size, now_ns)) {
        pthread_mutex_lock(&sink.rotation);
        if (file_done(line_size, now_ns) && atomic_load(&sink.fd) == fd) {
            file_rotate(fd);
            atomic_store(&sink.size, 0);
            atomic_store(&sink.begun_ns, now_ns);
        }
        pthread_mutex_unlock(&sink.rotation);
    }
    atomic_fetch_add(&sink.size, line_size);
}

/* When the file came into being; a file system that does not say has it begin now. */
static uint64_t file_begun_ns(void)
{
    struct statx found;
    if (statx(AT_FDCWD, sink.path, AT_SYMLINK_NOFOLLOW, STATX_BTIME, &found) != 0 ||
        !(found.stx_mask & STATX_BTIME))
        return clock_wall_ns();
    return (uint64_t)found.stx_btime.tv_sec * NS_PER_SECOND + found.stx_btime.tv_nsec;
}

/* ---- public ---- */

enum status log_open(const struct log_options *options)
{
    CHECK(options->file_size_max > 0 && options->files_max > 0);
    struct stat found;
    int old = atomic_exchange(&sink.fd, STDERR_FILENO);
    if (old != STDERR_FILENO && old != STDOUT_FILENO)
        close(old);
    sink.rotates = false;
    sink.format = options->format;
    sink.size_max = options->file_size_max;
    sink.age_max_ns = options->file_age_max_s * NS_PER_SECOND;
    sink.files_max = options->files_max;
    if (strlen(options->destination) >= sizeof sink.path) {
        errno = ENAMETOOLONG;
        return STATUS_IO;
    }
    strcpy(sink.path, options->destination);
    if (strcmp(sink.path, "stderr") == 0)
        return STATUS_OK;
    if (strcmp(sink.path, "stdout") == 0) {
        atomic_store(&sink.fd, STDOUT_FILENO);
        return STATUS_OK;
    }
    int fd = file_open();
    if (fd < 0)
        return STATUS_IO;
    if (lstat(sink.path, &found) == 0 && S_ISREG(found.st_mode)) {
        sink.rotates = true;
        atomic_store(&sink.size, (uint64_t)found.st_size);
        atomic_store(&sink.begun_ns, file_begun_ns());
    }
    atomic_store(&sink.fd, fd);
    return STATUS_OK;
}

void log_set_level(enum log_level level)
{
    threshold = level;
}

static size_t compose(struct line *l, const struct log_field *fields)
{
    for (const struct log_field *f = fields; f->key != NULL; f++)
        line_add_field(l, f);
    if (l->format == LOG_FORMAT_JSON)
        l->text[l->size++] = '}';
    l->text[l->size++] = '\n';
    return l->size;
}

size_t log_compose(char *line, uint64_t time_ns, enum log_level level, const char *module,
                   const char *event, const struct log_field *fields)
{
    if (level < threshold)
        return 0;
    atomic_fetch_add_explicit(&line_counts[level], 1, memory_order_relaxed);
    struct line l = {.text = line, .format = sink.format};
    line_begin(&l, time_ns, level, module, event);
    return compose(&l, fields);
}

size_t log_compose_json(char *line, uint64_t time_ns, enum log_level level, const char *module,
                        const char *event, const struct log_field *fields)
{
    struct line l = {.text = line, .format = LOG_FORMAT_JSON};
    line_begin(&l, time_ns, level, module, event);
    return compose(&l, fields);
}

uint64_t log_line_count(enum log_level level)
{
    return atomic_load_explicit(&line_counts[level], memory_order_relaxed);
}

void log_write(const char *line, size_t size)
{
    if (size == 0)
        return;
    int fd = atomic_load(&sink.fd);
    if (fd != STDERR_FILENO && sink.rotates)
        file_add(fd, size);
    ssize_t written;
    do {
        fd = atomic_load(&sink.fd);
        written = write(fd, line, size);
    } while (written < 0 && errno == EINTR);
    if (written == (ssize_t)size || fd == STDERR_FILENO)
        return;
    if (written >= 0)
        errno = ENOSPC; /* cut short; nothing else does that */
    tell_failure("write_failed");
    written = write(STDERR_FILENO, line, size);
    (void)written;
}

void log_line(enum log_level level, const char *module, const char *event,
              const struct log_field *fields)
{
    char line[LOG_LINE_SIZE_MAX];
    log_write(line, log_compose(line, clock_wall_ns(), level, module, event, fields));
}
