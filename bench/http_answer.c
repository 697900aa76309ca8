#include "http_answer.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

static const char VERSION[] = "HTTP/1.1 ";

enum {
    VERSION_SIZE = sizeof VERSION - 1,
    STATUS_LINE_MIN = VERSION_SIZE + 4, /* three digits and a space; the reason may be empty */
    LENGTH_DIGITS_MAX = 9,              /* of a Content-Length: larger ones are refused anyway */
};

/* What the head has said so far. */
struct head {
    struct http_answer answer;
    bool length_given;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_status(struct head *h, const char *line, size_t size)
{
    const char *digits = line + VERSION_SIZE;
    if (size < STATUS_LINE_MIN || memcmp(line, VERSION, VERSION_SIZE) != 0 || digits[0] < '1' ||
        digits[0] > '5' || !is_digit(digits[1]) || !is_digit(digits[2]) || digits[3] != ' ') {
        return false;
    }
    h->answer.status = (unsigned)(digits[0] - '0') * 100 + (unsigned)(digits[1] - '0') * 10 +
                       (unsigned)(digits[2] - '0');
    return h->answer.status >= 200 || h->answer.status == 101;
}

static bool is_name(const char *line, size_t size, const char *name)
{
    return size == strlen(name) && strncasecmp(line, name, size) == 0;
}

static bool read_length(struct head *h, const char *value, size_t size)
{
    size_t length = 0;
    if (h->length_given || size == 0 || size > LENGTH_DIGITS_MAX) {
        return false;
    }
    for (size_t index = 0; index < size; index++) {
        if (!is_digit(value[index])) {
            return false;
        }
        length = length * 10 + (size_t)(value[index] - '0');
    }
    h->length_given = true;
    h->answer.body_size = length;
    return true;
}

static bool read_field(struct head *h, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (!colon || colon == line) {
        return false;
    }
    size_t name_size = (size_t)(colon - line);
    for (size_t index = 0; index < name_size; index++) {
        if (line[index] <= ' ' || line[index] > '~') {
            return false;
        }
    }
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    size_t value_size = (size_t)(end - value);
    if (is_name(line, name_size, "Content-Length")) {
        return read_length(h, value, value_size);
    }
    if (is_name(line, name_size, "Connection")) {
        h->answer.close = h->answer.close || is_name(value, value_size, "close");
    }
    return !is_name(line, name_size, "Transfer-Encoding");
}

/* The whole head, line by line; every line ends with CR LF and holds neither otherwise. */
static bool read_head(struct head *h, const char *bytes, size_t size)
{
    bool first = true;
    for (size_t at = 0; at + 2 < size;) { /* the last two are the empty line */
        const char *line = bytes + at;
        const char *cr = memchr(line, '\r', size - at);
        if (!cr || cr[1] != '\n') {
            return false;
        }
        size_t line_size = (size_t)(cr - line);
        if (memchr(line, '\n', line_size) ||
            !(first ? read_status(h, line, line_size) : read_field(h, line, line_size))) {
            return false;
        }
        first = false;
        at += line_size + 2;
    }
    return true;
}

enum http_answer_read http_answer_read(struct http_answer *answer, const char *bytes, size_t size)
{
    size_t known = size < VERSION_SIZE ? size : VERSION_SIZE;
    if (memcmp(bytes, VERSION, known) != 0) {
        return HTTP_ANSWER_GARBAGE;
    }
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end) {
        return size < HTTP_ANSWER_SIZE_MAX ? HTTP_ANSWER_PART : HTTP_ANSWER_GARBAGE;
    }
    struct head h = {.answer.head_size = (size_t)(end - bytes) + 4};
    if (!read_head(&h, bytes, h.answer.head_size)) {
        return HTTP_ANSWER_GARBAGE;
    }
    unsigned status = h.answer.status;
    if (status == 101 || status == 204 || status == 304) {
        h.answer.body_size = 0;
    } else if (!h.length_given) {
        return HTTP_ANSWER_GARBAGE;
    }
    if (h.answer.head_size + h.answer.body_size > HTTP_ANSWER_SIZE_MAX) {
        return HTTP_ANSWER_GARBAGE;
    }
    if (size < h.answer.head_size + h.answer.body_size) {
        return HTTP_ANSWER_PART;
    }
    *answer = h.answer;
    return HTTP_ANSWER_WHOLE;
}
