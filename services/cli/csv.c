/* csv: see csv.h.
 *
 * zlib's gzread() reads plain files as they are, so there is one way in for both. What it does not
 * do is fail on a gzip stream that is cut off: it hands out what there is and tells only those who
 * ask gzerror() at the end, which is why read_all() does. A day of orders that silently ends at
 * noon would be worse than no day. */
#include "cli/csv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum {
    READ_SIZE_MIN = 1 << 20, /* the buffer to begin with; it doubles */
    READ_SIZE_MAX = 1 << 30, /* gzread counts in int */
    ZLIB_BUFFER_SIZE = 1 << 17,
    FOUND_SHOWN_MAX = 60, /* bytes of a bad cell that a message repeats */
};

/* ---- the file ---- */

static gzFile open_path(const char *path)
{
    if (strcmp(path, "-") != 0)
        return gzopen(path, "rbe"); /* e: close on exec */
    int fd = dup(STDIN_FILENO);
    if (fd < 0)
        return NULL;
    gzFile gz = gzdopen(fd, "rb");
    if (gz == NULL)
        close(fd);
    return gz;
}

/* Room for at least READ_SIZE_MIN more bytes. */
static bool grow(struct csv_file *file, size_t *capacity)
{
    if (*capacity - file->size >= READ_SIZE_MIN)
        return true;
    size_t more = *capacity == 0 ? 2 * (size_t)READ_SIZE_MIN : *capacity;
    char *data = realloc(file->data, *capacity + more);
    if (data == NULL)
        return false;
    file->data = data;
    *capacity += more;
    return true;
}

/* Why reading stopped short; STATUS_OK if it did not. */
static enum status read_error(gzFile gz, const char **why)
{
    int code;
    gzerror(gz, &code);
    if (code == Z_OK || code == Z_STREAM_END)
        return STATUS_OK;
    if (code == Z_ERRNO) {
        *why = strerror(errno);
        return STATUS_IO;
    }
    if (code == Z_MEM_ERROR) {
        *why = strerror(ENOMEM);
        return STATUS_IO;
    }
    *why = code == Z_BUF_ERROR ? "its gzip data is cut off" : "its gzip data is damaged";
    return STATUS_INVALID;
}

static enum status read_all(struct csv_file *file, gzFile gz, const char **why)
{
    size_t capacity = 0;
    for (;;) {
        if (!grow(file, &capacity)) {
            *why = strerror(ENOMEM);
            return STATUS_IO;
        }
        size_t room = capacity - file->size;
        errno = 0;
        int got = gzread(gz, file->data + file->size,
                         (unsigned)(room < READ_SIZE_MAX ? room : READ_SIZE_MAX));
        if (got <= 0)
            return read_error(gz, why);
        file->size += (size_t)got;
    }
}

enum status csv_load(struct csv_file *file, const char *path, const char **why)
{
    *file = (struct csv_file){.name = strcmp(path, "-") == 0 ? "<stdin>" : path};
    errno = 0;
    gzFile gz = open_path(path);
    if (gz == NULL) {
        *why = strerror(errno != 0 ? errno : ENOMEM);
        return STATUS_IO;
    }
    gzbuffer(gz, ZLIB_BUFFER_SIZE);
    enum status status = read_all(file, gz, why);
    gzclose_r(gz); /* whatever it could say, read_error() has asked */
    if (status != STATUS_OK)
        csv_unload(file);
    return status;
}

void csv_unload(struct csv_file *file)
{
    free(file->data);
    file->data = NULL;
    file->size = 0;
}

/* ---- lines and fields ---- */

uint64_t csv_line_count(const struct csv_file *file)
{
    struct csv_cursor c;
    struct text line;
    csv_begin(&c, file);
    while (csv_line(&c, &line))
        continue;
    return c.line;
}

void csv_begin(struct csv_cursor *c, const struct csv_file *file)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t skipped = sizeof mark - 1;
    if (file->size < skipped || memcmp(file->data, mark, skipped) != 0)
        skipped = 0;
    *c = (struct csv_cursor){.at = file->data + skipped, .end = file->data + file->size};
}

bool csv_line(struct csv_cursor *c, struct text *line)
{
    if (c->at == c->end)
        return false;
    const char *newline = memchr(c->at, '\n', (size_t)(c->end - c->at));
    const char *stop = newline != NULL ? newline : c->end;
    line->data = c->at;
    line->size = (size_t)(stop - c->at);
    if (line->size > 0 && stop[-1] == '\r')
        line->size--;
    c->at = newline != NULL ? newline + 1 : c->end;
    c->line++;
    return true;
}

bool csv_only_blank_left(const struct csv_cursor *c)
{
    for (const char *at = c->at; at < c->end; at++) {
        if (*at != '\n' && *at != '\r')
            return false;
    }
    return true;
}

size_t csv_split(struct text line, struct text *fields, size_t fields_max)
{
    const char *end = line.data + line.size;
    const char *start = line.data;
    size_t count = 0;
    /* Fields are a few bytes long: a loop over them beats a memchr() each. */
    for (const char *at = start;; at++) {
        if (at < end && *at != ',')
            continue;
        if (count < fields_max)
            fields[count] = (struct text){start, (size_t)(at - start)};
        count++;
        if (at == end)
            return count;
        start = at + 1;
    }
}

bool csv_i64(struct text field, int64_t *value)
{
    bool negative = field.size > 0 && field.data[0] == '-';
    const char *at = field.data + (negative ? 1 : 0);
    const char *end = field.data + field.size;
    if (at == end)
        return false;
    int64_t number = 0; /* grown downwards: -2^63 has no positive twin */
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_sub_overflow(number, (int64_t)digit, &number))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, number, &number))
        return false;
    *value = number;
    return true;
}

/* ---- faults ---- */

/* What stands in a file may be anything; what reaches a terminal is printable and short. */
static void print_text(struct text text)
{
    size_t shown = text.size < FOUND_SHOWN_MAX ? text.size : FOUND_SHOWN_MAX;
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c >= 0x20 && c < 0x7f)
            fputc(c, stderr);
        else
            fprintf(stderr, "\\x%02x", c);
    }
    if (shown < text.size)
        fputs("...", stderr);
}

void csv_fault_print(const struct csv_file *file, const struct csv_fault *fault)
{
    fprintf(stderr, "%s:%" PRIu64 ":", file->name, fault->line);
    if (fault->column.size > 0)
        print_text(fault->column);
    else
        fprintf(stderr, "column %" PRIu64, fault->column_number);
    fputs(": found ", stderr);
    if (fault->found.size > 0) {
        fputc('"', stderr);
        print_text(fault->found);
        fputc('"', stderr);
    } else {
        fputs("nothing", stderr);
    }
    fprintf(stderr, ", expected %s\n", fault->expected);
}
