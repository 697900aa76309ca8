#include "gateway/json_reader.h"

#include <string.h>

#include "gateway/utf8.h"

/* One walk over the text, by RFC 8259's grammar and with its recursion, which JSON_DEPTH_MAX
 * bounds: every byte is looked at once, whatever it is, so no body costs more than its size. */
struct walk {
    struct json_reader *reader;
    const char *text;
    size_t size;
    size_t at; /* everything before it is right */
    unsigned depth;
    bool too_large;
    size_t scratch_size; /* taken */
};

static bool bad(struct walk *w, const char *expected)
{
    w->reader->bad_at = w->at;
    w->reader->expected = expected;
    return false;
}

static bool too_large(struct walk *w)
{
    w->too_large = true;
    return false;
}

/* Whether this byte stands here. */
static bool at_byte(const struct walk *w, char byte)
{
    return w->at < w->size && w->text[w->at] == byte;
}

/* The same, and past it. */
static bool pass(struct walk *w, char byte)
{
    if (!at_byte(w, byte))
        return false;
    w->at++;
    return true;
}

static void skip_space(struct walk *w)
{
    while (at_byte(w, ' ') || at_byte(w, '\n') || at_byte(w, '\r') || at_byte(w, '\t'))
        w->at++;
}

/* ---- numbers and words ---- */

static bool at_digit(const struct walk *w)
{
    return w->at < w->size && w->text[w->at] >= '0' && w->text[w->at] <= '9';
}

static bool take_digits(struct walk *w)
{
    if (!at_digit(w))
        return bad(w, "a digit");
    while (at_digit(w))
        w->at++;
    return true;
}

static bool take_number(struct walk *w)
{
    pass(w, '-');
    if (pass(w, '0')) {
        if (at_digit(w))
            return bad(w, "no digit behind a leading zero");
    } else if (!take_digits(w)) {
        return false;
    }
    if (pass(w, '.') && !take_digits(w))
        return false;
    if (!pass(w, 'e') && !pass(w, 'E'))
        return true;
    if (!pass(w, '+'))
        pass(w, '-');
    return take_digits(w);
}

static bool pass_word(struct walk *w, const char *word)
{
    size_t size = strlen(word);
    if (w->size - w->at < size || memcmp(w->text + w->at, word, size) != 0)
        return false;
    w->at += size;
    return true;
}

/* ---- strings ---- */

/* The four digits of a \u escape. */
static bool take_unit(struct walk *w, unsigned *unit)
{
    *unit = 0;
    for (unsigned i = 0; i < 4; i++, w->at++) {
        char c = w->at < w->size ? w->text[w->at] : '\0', lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *unit = *unit << 4 | (unsigned)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *unit = *unit << 4 | (unsigned)(lower - 'a' + 10);
        else
            return bad(w, "four hexadecimal digits");
    }
    return true;
}

/* What follows \u: a code point, or the two halves of one. */
static bool take_point(struct walk *w, unsigned *point)
{
    static const char pair[] = "both halves of a surrogate pair";
    unsigned low;
    size_t start = w->at;
    if (!take_unit(w, point))
        return false;
    if (*point < 0xd800 || *point > 0xdfff)
        return true;
    if (*point > 0xdbff) {
        w->at = start;
        return bad(w, pair);
    }
    if (!pass_word(w, "\\u"))
        return bad(w, pair);
    start = w->at;
    if (!take_unit(w, &low))
        return false;
    if (low < 0xdc00 || low > 0xdfff) {
        w->at = start;
        return bad(w, pair);
    }
    *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* An escape, its backslash passed, as what it means. */
static bool take_escape(struct walk *w, char **out)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    if (pass(w, 'u')) {
        unsigned point;
        if (!take_point(w, &point))
            return false;
        *out += utf8_put(*out, point);
        return true;
    }
    for (unsigned i = 0; letters[i] != '\0'; i++) {
        if (pass(w, letters[i])) {
            *(*out)++ = meant[i];
            return true;
        }
    }
    return bad(w, "an escape: one of \" \\ / b f n r t u");
}

/* A string without its quotes and escapes, into the scratch; no escape is shorter than what it
 * means, so all strings of a body fit there. */
static bool take_string(struct walk *w, struct text *value, const char *expected)
{
    char *start = w->reader->scratch + w->scratch_size, *out = start;
    if (!pass(w, '"'))
        return bad(w, expected);
    while (!pass(w, '"')) {
        if (w->at == w->size)
            return bad(w, "the closing quote of a string");
        if ((unsigned char)w->text[w->at] < 0x20)
            return bad(w, "no control character in a string");
        if (pass(w, '\\')) {
            if (!take_escape(w, &out))
                return false;
            continue;
        }
        size_t size = utf8_size(w->text + w->at, w->size - w->at);
        if (size == 0)
            return bad(w, "UTF-8");
        memcpy(out, w->text + w->at, size);
        out += size;
        w->at += size;
    }
    *value = (struct text){start, (size_t)(out - start)};
    w->scratch_size += value->size;
    return true;
}

/* ---- values ---- */

static bool take_value(struct walk *w, struct json_member *m);

/* Where the member about to be read is kept: those of the outermost object in the reader. */
static struct json_member *member_place(struct walk *w, struct json_member *nested)
{
    struct json_reader *r = w->reader;
    if (w->depth > 1)
        return nested;
    return r->member_count < JSON_MEMBERS_MAX ? &r->members[r->member_count++] : NULL;
}

static bool take_member(struct walk *w)
{
    struct json_member nested, *m = member_place(w, &nested);
    if (m == NULL)
        return too_large(w);
    if (!take_string(w, &m->key, "a member's name, in double quotes"))
        return false;
    skip_space(w);
    if (!pass(w, ':'))
        return bad(w, "a colon behind a member's name");
    skip_space(w);
    return take_value(w, m);
}

static bool take_object(struct walk *w)
{
    skip_space(w);
    if (pass(w, '}'))
        return true;
    for (;;) {
        if (!take_member(w))
            return false;
        skip_space(w);
        if (pass(w, '}'))
            return true;
        if (!pass(w, ','))
            return bad(w, "a comma or the end of the object");
        skip_space(w);
    }
}

static bool take_array(struct walk *w)
{
    struct json_member element;
    skip_space(w);
    if (pass(w, ']'))
        return true;
    for (;;) {
        if (!take_value(w, &element))
            return false;
        skip_space(w);
        if (pass(w, ']'))
            return true;
        if (!pass(w, ','))
            return bad(w, "a comma or the end of the array");
        skip_space(w);
    }
}

/* What is nested, at its opening bracket. */
static bool take_nested(struct walk *w)
{
    bool object = at_byte(w, '{');
    if (w->depth == JSON_DEPTH_MAX)
        return too_large(w);
    w->depth++;
    w->at++;
    bool fine = object ? take_object(w) : take_array(w);
    w->depth--;
    return fine;
}

/* A value as it stands; its key is the caller's. */
static bool take_value(struct walk *w, struct json_member *m)
{
    size_t start = w->at;
    bool fine = true;
    m->flag = false;
    if (at_byte(w, '"')) {
        m->kind = JSON_STRING;
        return take_string(w, &m->value, NULL);
    }
    if (at_byte(w, '{') || at_byte(w, '[')) {
        m->kind = at_byte(w, '{') ? JSON_OBJECT : JSON_ARRAY;
        fine = take_nested(w);
    } else if (at_byte(w, '-') || at_digit(w)) {
        m->kind = JSON_NUMBER;
        fine = take_number(w);
    } else if (pass_word(w, "true")) {
        m->kind = JSON_FLAG;
        m->flag = true;
    } else if (pass_word(w, "false")) {
        m->kind = JSON_FLAG;
    } else if (pass_word(w, "null")) {
        m->kind = JSON_NULL;
    } else {
        return bad(w, "a value: a string, a number, an object, an array, true, false or null");
    }
    m->value = (struct text){w->text + start, w->at - start};
    return fine;
}

/* ---- a body ---- */

enum json_read json_read(struct json_reader *r, const char *text, size_t size)
{
    struct walk w = {.reader = r, .text = text, .size = size};
    struct json_member root;
    r->member_count = 0;
    r->bad_at = 0;
    r->expected = "";
    if (size > JSON_SCRATCH_SIZE)
        return JSON_READ_TOO_LARGE;
    skip_space(&w);
    bool fine = take_value(&w, &root);
    if (fine) {
        skip_space(&w);
        fine = w.at == size || bad(&w, "nothing behind the value");
    }
    if (!fine || root.kind != JSON_OBJECT)
        r->member_count = 0;
    if (!fine)
        return w.too_large ? JSON_READ_TOO_LARGE : JSON_READ_BAD;
    return root.kind == JSON_OBJECT ? JSON_READ_OK : JSON_READ_NOT_OBJECT;
}

const struct json_member *json_member_find(const struct json_reader *r, const char *key)
{
    for (unsigned i = 0; i < r->member_count; i++) {
        if (text_equal(r->members[i].key, text_of(key)))
            return &r->members[i];
    }
    return NULL;
}

const struct json_member *json_member_repeated(const struct json_reader *r)
{
    for (unsigned i = 1; i < r->member_count; i++) {
        for (unsigned k = 0; k < i; k++) {
            if (text_equal(r->members[k].key, r->members[i].key))
                return &r->members[i];
        }
    }
    return NULL;
}
