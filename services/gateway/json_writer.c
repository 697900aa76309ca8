#include "gateway/json_writer.h"

#include <string.h>

#include "gateway/utf8.h"

enum { NUMBER_SIZE = 20 };

void json_writer_init(struct json_writer *j, char *buffer, size_t size)
{
    *j = (struct json_writer){.start = buffer, .at = buffer, .end = buffer + size};
}

size_t json_writer_size(const struct json_writer *j)
{
    return (size_t)(j->at - j->start);
}

/* ---- bytes ---- */

/* Room for so many bytes; what does not fit is not begun. */
static bool room(struct json_writer *j, size_t size)
{
    if ((size_t)(j->end - j->at) < size)
        j->full = true;
    return !j->full;
}

static void put(struct json_writer *j, const char *bytes, size_t size)
{
    if (!room(j, size))
        return;
    memcpy(j->at, bytes, size);
    j->at += size;
}

static void put_byte(struct json_writer *j, char byte)
{
    if (room(j, 1))
        *j->at++ = byte;
}

/* What stands before every value: a comma if one stands before it, and its key. Keys are ours, and
 * need no escapes. */
static void begin(struct json_writer *j, const char *key)
{
    if (j->comma)
        put_byte(j, ',');
    j->comma = true;
    if (key == NULL)
        return;
    put_byte(j, '"');
    put(j, key, strlen(key));
    put(j, "\":", 2);
}

/* ---- objects and arrays ---- */

static void open(struct json_writer *j, const char *key, char bracket)
{
    begin(j, key);
    put_byte(j, bracket);
    j->comma = false;
}

static void close(struct json_writer *j, char bracket)
{
    put_byte(j, bracket);
    j->comma = true;
}

void json_object_begin(struct json_writer *j, const char *key)
{
    open(j, key, '{');
}

void json_object_end(struct json_writer *j)
{
    close(j, '}');
}

void json_array_begin(struct json_writer *j, const char *key)
{
    open(j, key, '[');
}

void json_array_end(struct json_writer *j)
{
    close(j, ']');
}

/* ---- texts ---- */

static void put_control(struct json_writer *j, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    put(j, escape, sizeof escape);
}

/* What may stand in a string as it is, and is a character by itself. */
static bool is_plain(char c)
{
    return c >= 0x20 && c != '"' && c != '\\' && (unsigned char)c < 0x80;
}

/* A character that is not plain; its size. */
static size_t put_character(struct json_writer *j, const char *at, size_t left)
{
    size_t size = utf8_size(at, left);
    if (size == 0) {
        put(j, "\xef\xbf\xbd", 3); /* U+FFFD */
        return 1;
    }
    if (size > 1) {
        put(j, at, size);
    } else if ((unsigned char)*at < 0x20) {
        put_control(j, (unsigned char)*at);
    } else {
        put_byte(j, '\\');
        put_byte(j, *at);
    }
    return size;
}

static void put_escaped(struct json_writer *j, struct text value)
{
    size_t at = 0;
    put_byte(j, '"');
    while (at < value.size && !j->full) {
        size_t start = at;
        while (at < value.size && is_plain(value.data[at]))
            at++;
        put(j, value.data + start, at - start);
        if (at < value.size)
            at += put_character(j, value.data + at, value.size - at);
    }
    put_byte(j, '"');
}

void json_text(struct json_writer *j, const char *key, struct text value)
{
    begin(j, key);
    put_escaped(j, value);
}

void json_string(struct json_writer *j, const char *key, const char *value)
{
    json_text(j, key, text_of(value));
}

/* A text of ours that needs no escapes. */
static void put_plain(struct json_writer *j, const char *key, const char *text, size_t size)
{
    begin(j, key);
    put_byte(j, '"');
    put(j, text, size);
    put_byte(j, '"');
}

/* ---- numbers ---- */

/* The digits of a number, right-aligned in `digits`; where they begin. */
static const char *digits_of(uint64_t value, char digits[NUMBER_SIZE])
{
    char *at = digits + NUMBER_SIZE;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return at;
}

void json_u64(struct json_writer *j, const char *key, uint64_t value)
{
    char digits[NUMBER_SIZE];
    const char *at = digits_of(value, digits);
    begin(j, key);
    put(j, at, (size_t)(digits + NUMBER_SIZE - at));
}

void json_id(struct json_writer *j, const char *key, uint64_t value)
{
    char digits[NUMBER_SIZE];
    const char *at = digits_of(value, digits);
    put_plain(j, key, at, (size_t)(digits + NUMBER_SIZE - at));
}

void json_flag(struct json_writer *j, const char *key, bool value)
{
    begin(j, key);
    put(j, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json_writer *j, const char *key)
{
    begin(j, key);
    put(j, "null", 4);
}

void json_units(struct json_writer *j, const char *key, int64_t units,
                const struct decimal_unit *unit)
{
    char text[DECIMAL_TEXT_SIZE];
    put_plain(j, key, text, decimal_from_units(text, units, unit));
}

void json_sum(struct json_writer *j, const char *key, wide_t units, const struct decimal_unit *unit)
{
    char text[DECIMAL_TEXT_SIZE];
    put_plain(j, key, text, decimal_from_sum(text, units, unit));
}

void json_ratio(struct json_writer *j, const char *key, wide_t sum, uwide_t count,
                const struct decimal_unit *unit)
{
    char text[DECIMAL_TEXT_SIZE];
    put_plain(j, key, text, decimal_ratio(text, sum, count, unit));
}

void json_hash(struct json_writer *j, const char *key, uint64_t value)
{
    char text[16];
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    put_plain(j, key, text, sizeof text);
}

/* ---- times ---- */

/* The civil date of a day since 1970: years counted from March, so that the leap day is a year's
 * last; 146,097 days are 400 years. */
static void date_of(uint64_t day, unsigned *year, unsigned *month, unsigned *of_month)
{
    uint64_t since_0000 = day + 719468; /* 1970-01-01 counted from 0000-03-01 */
    uint64_t era = since_0000 / 146097, of_era = since_0000 % 146097;
    uint64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint64_t from_march = (5 * of_year + 2) / 153;
    *of_month = (unsigned)(of_year - (153 * from_march + 2) / 5 + 1);
    *month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (unsigned)(year_of_era + era * 400 + (*month <= 2));
}

static char *put_digits(char *at, uint64_t value, unsigned count, char behind)
{
    for (unsigned i = count; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    at[count] = behind;
    return at + count + 1;
}

void json_time(struct json_writer *j, const char *key, uint64_t time_ns)
{
    char text[sizeof "2026-11-21T02:10:00.123456Z"], *at = text;
    uint64_t us = time_ns / 1000, seconds = us / 1000000;
    unsigned year, month, day;
    date_of(seconds / 86400, &year, &month, &day);
    at = put_digits(at, year, 4, '-');
    at = put_digits(at, month, 2, '-');
    at = put_digits(at, day, 2, 'T');
    at = put_digits(at, seconds / 3600 % 24, 2, ':');
    at = put_digits(at, seconds / 60 % 60, 2, ':');
    at = put_digits(at, seconds % 60, 2, '.');
    at = put_digits(at, us % 1000000, 6, 'Z');
    put_plain(j, key, text, (size_t)(at - text));
}
