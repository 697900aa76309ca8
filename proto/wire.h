/* wire: msgpack, the part of it the protocol uses, written and read in place.
 *
 * The writer always picks the shortest form, as msgpack-c does; tests/unit/proto hold the two to
 * the same bytes. It does not check for room: every caller reserves the size_max of what it is
 * about to write, a constant of the message table, so one check covers a whole message.
 * The reader accepts every form of an integer or string, trusts nothing, and never reads past its
 * end: after the first fault it is `bad`, stays so, and hands out zeros.
 * It is here, not in msgpack-c, because it is the hot path: 9 ns a record against 57. */
#ifndef OUTCRY_PROTO_WIRE_H
#define OUTCRY_PROTO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes somewhere else; whoever holds it BORROWS it. Not terminated. */
struct text {
    const char *data;
    size_t size;
};

struct bytes {
    const uint8_t *data;
    size_t size;
};

struct i64_or_nil {
    int64_t value; /* 0 where nil */
    bool given;
};

struct u64_or_nil {
    uint64_t value; /* 0 where nil */
    bool given;
};

struct wire_writer {
    uint8_t *at;
};

struct wire_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

enum {
    WIRE_INTEGER_SIZE_MAX = 9,
    WIRE_ARRAY_SIZE_MAX = 5,
    WIRE_DEPTH_MAX = 16, /* nesting wire_skip follows; the protocol itself nests 5 deep */
};

static inline struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Big-endian stores and loads; compilers make one instruction of each. */
static inline void wire_store(uint8_t *at, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static inline uint64_t wire_load(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

static inline void wire_put_tagged(struct wire_writer *w, uint8_t tag, uint64_t value,
                                   unsigned size)
{
    w->at[0] = tag;
    wire_store(w->at + 1, value, size);
    w->at += 1 + size;
}

static inline void wire_put_u64(struct wire_writer *w, uint64_t value)
{
    if (value < 0x80)
        *w->at++ = (uint8_t)value;
    else if (value <= UINT8_MAX)
        wire_put_tagged(w, 0xcc, value, 1);
    else if (value <= UINT16_MAX)
        wire_put_tagged(w, 0xcd, value, 2);
    else if (value <= UINT32_MAX)
        wire_put_tagged(w, 0xce, value, 4);
    else
        wire_put_tagged(w, 0xcf, value, 8);
}

static inline void wire_put_i64(struct wire_writer *w, int64_t value)
{
    if (value >= 0)
        wire_put_u64(w, (uint64_t)value);
    else if (value >= -32)
        *w->at++ = (uint8_t)value;
    else if (value >= INT8_MIN)
        wire_put_tagged(w, 0xd0, (uint64_t)value, 1);
    else if (value >= INT16_MIN)
        wire_put_tagged(w, 0xd1, (uint64_t)value, 2);
    else if (value >= INT32_MIN)
        wire_put_tagged(w, 0xd2, (uint64_t)value, 4);
    else
        wire_put_tagged(w, 0xd3, (uint64_t)value, 8);
}

static inline void wire_put_nil(struct wire_writer *w)
{
    *w->at++ = 0xc0;
}

static inline void wire_put_flag(struct wire_writer *w, bool value)
{
    *w->at++ = value ? 0xc3 : 0xc2;
}

static inline void wire_put_i64_or_nil(struct wire_writer *w, struct i64_or_nil value)
{
    if (value.given)
        wire_put_i64(w, value.value);
    else
        wire_put_nil(w);
}

static inline void wire_put_u64_or_nil(struct wire_writer *w, struct u64_or_nil value)
{
    if (value.given)
        wire_put_u64(w, value.value);
    else
        wire_put_nil(w);
}

static inline void wire_put_array(struct wire_writer *w, uint32_t count)
{
    if (count <= 15)
        *w->at++ = (uint8_t)(0x90 | count);
    else if (count <= UINT16_MAX)
        wire_put_tagged(w, 0xdc, count, 2);
    else
        wire_put_tagged(w, 0xdd, count, 4);
}

/* size: 0..UINT32_MAX. */
void wire_put_text(struct wire_writer *w, struct text value);
void wire_put_bytes(struct wire_writer *w, struct bytes value);

/* Readers: on a fault (wrong kind, out of range, past the end) r->bad becomes true. A text or
 * bytes larger than limit is a fault too; a limit of 0 for wire_get_u64 means none. */
uint64_t wire_get_u64(struct wire_reader *r, uint64_t limit);
int64_t wire_get_i64(struct wire_reader *r);
bool wire_get_flag(struct wire_reader *r);
struct i64_or_nil wire_get_i64_or_nil(struct wire_reader *r);
struct u64_or_nil wire_get_u64_or_nil(struct wire_reader *r);
struct text wire_get_text(struct wire_reader *r, size_t limit);
struct bytes wire_get_bytes(struct wire_reader *r, size_t limit);
uint32_t wire_get_array(struct wire_reader *r);

/* Pass over one value of any msgpack kind, nested at most WIRE_DEPTH_MAX deep. */
void wire_skip(struct wire_reader *r);

/* Pass over `count` values: the fields of a later version this one does not know. */
void wire_skip_many(struct wire_reader *r, uint32_t count);

#endif
