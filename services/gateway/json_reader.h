/* json_reader: the body of a request: one JSON object, its members as they stand.
 *
 * It takes what RFC 8259 calls JSON and nothing else, in UTF-8, with no half of a surrogate pair
 * alone, so that BAD_JSON means the same as everybody's parser means by it. Numbers are handed over
 * as their text and never pass through a double. One walk, bounded in depth: jsmn, which does hand
 * over such text, needs all of RFC 8259 checked again behind it, and 64 KB of brackets and colons
 * keep it busy for most of a second. Thread: owner only. */
#ifndef OUTCRY_GATEWAY_JSON_READER_H
#define OUTCRY_GATEWAY_JSON_READER_H

#include "proto/wire.h"

enum {
    JSON_MEMBERS_MAX = 64,
    JSON_DEPTH_MAX = 32,
    JSON_SCRATCH_SIZE = 64 << 10, /* strings without their escapes; no body is larger */
};

enum json_kind { JSON_NULL, JSON_FLAG, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member {
    struct text key; /* without escapes */
    enum json_kind kind;
    struct text value; /* a string without its escapes; anything else as it stands */
    bool flag;
};

enum json_read {
    JSON_READ_OK,
    JSON_READ_BAD,        /* not JSON: bad_at says where, `expected` what */
    JSON_READ_NOT_OBJECT, /* JSON, but not an object */
    JSON_READ_TOO_LARGE,  /* more members, depth or bytes than a request can have */
};

struct json_reader {
    struct json_member members[JSON_MEMBERS_MAX];
    unsigned member_count; /* 0 unless JSON_READ_OK */
    size_t bad_at;         /* JSON_READ_BAD: byte of the text, from 0 */
    const char *expected;  /* and what was expected there, for people */
    char scratch[JSON_SCRATCH_SIZE];
};

/* Read a body of at most JSON_SCRATCH_SIZE bytes. KEEPS text: members point into it and into the
 * reader. A body that is both too large and not JSON is called what is found first. */
enum json_read json_read(struct json_reader *r, const char *text, size_t size);

/* The member of this key, or NULL. */
const struct json_member *json_member_find(const struct json_reader *r, const char *key);

/* A member whose key stood before, or NULL: RFC 8259 lets it pass, nobody should. */
const struct json_member *json_member_repeated(const struct json_reader *r);

#endif
