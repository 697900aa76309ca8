#include "wire.h"

void wire_put_text(struct wire_writer *w, struct text value)
{
    if (value.size <= 31)
        *w->at++ = (uint8_t)(0xa0 | value.size);
    else if (value.size <= UINT8_MAX)
        wire_put_tagged(w, 0xd9, value.size, 1);
    else if (value.size <= UINT16_MAX)
        wire_put_tagged(w, 0xda, value.size, 2);
    else
        wire_put_tagged(w, 0xdb, value.size, 4);
    if (value.size > 0)
        memcpy(w->at, value.data, value.size);
    w->at += value.size;
}

void wire_put_bytes(struct wire_writer *w, struct bytes value)
{
    if (value.size <= UINT8_MAX)
        wire_put_tagged(w, 0xc4, value.size, 1);
    else if (value.size <= UINT16_MAX)
        wire_put_tagged(w, 0xc5, value.size, 2);
    else
        wire_put_tagged(w, 0xc6, value.size, 4);
    if (value.size > 0)
        memcpy(w->at, value.data, value.size);
    w->at += value.size;
}

static size_t left(const struct wire_reader *r)
{
    return (size_t)(r->end - r->at);
}

static void fault(struct wire_reader *r)
{
    r->bad = true;
    r->at = r->end;
}

/* The next byte, which says what follows; 0xc1, which msgpack never uses, past the end. */
static uint8_t take_tag(struct wire_reader *r)
{
    if (left(r) == 0) {
        fault(r);
        return 0xc1;
    }
    return *r->at++;
}

/* A big-endian number of `size` bytes. */
static uint64_t take_number(struct wire_reader *r, unsigned size)
{
    if (left(r) < size) {
        fault(r);
        return 0;
    }
    uint64_t value = wire_load(r->at, size);
    r->at += size;
    return value;
}

/* `size` bytes as they stand, or NULL. */
static const uint8_t *take_run(struct wire_reader *r, uint64_t size)
{
    if (left(r) < size) {
        fault(r);
        return NULL;
    }
    const uint8_t *run = r->at;
    r->at += size;
    return run;
}

static int64_t sign_extend(uint64_t value, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    return (int64_t)(value << shift) >> shift;
}

/* An integer of any form: its 64 bits, and whether it is below zero. */
static uint64_t take_integer(struct wire_reader *r, uint8_t tag, bool *negative)
{
    *negative = false;
    if (tag < 0x80)
        return tag;
    if (tag >= 0xcc && tag <= 0xcf)
        return take_number(r, 1u << (tag - 0xcc));
    int64_t value = 0;
    if (tag >= 0xe0) {
        value = (int8_t)tag;
    } else if (tag >= 0xd0 && tag <= 0xd3) {
        unsigned size = 1u << (tag - 0xd0);
        value = sign_extend(take_number(r, size), size);
    } else {
        fault(r);
    }
    *negative = value < 0;
    return (uint64_t)value;
}

static uint64_t take_u64(struct wire_reader *r, uint8_t tag, uint64_t limit)
{
    bool negative;
    uint64_t value = take_integer(r, tag, &negative);
    if (negative || (limit > 0 && value > limit))
        fault(r);
    return r->bad ? 0 : value;
}

static int64_t take_i64(struct wire_reader *r, uint8_t tag)
{
    bool negative;
    uint64_t value = take_integer(r, tag, &negative);
    if (!negative && value > INT64_MAX)
        fault(r);
    return r->bad ? 0 : (int64_t)value;
}

uint64_t wire_get_u64(struct wire_reader *r, uint64_t limit)
{
    return take_u64(r, take_tag(r), limit);
}

int64_t wire_get_i64(struct wire_reader *r)
{
    return take_i64(r, take_tag(r));
}

bool wire_get_flag(struct wire_reader *r)
{
    uint8_t tag = take_tag(r);
    if (tag != 0xc2 && tag != 0xc3)
        fault(r);
    return tag == 0xc3;
}

struct i64_or_nil wire_get_i64_or_nil(struct wire_reader *r)
{
    uint8_t tag = take_tag(r);
    if (tag == 0xc0)
        return (struct i64_or_nil){0, false};
    int64_t value = take_i64(r, tag);
    return (struct i64_or_nil){value, !r->bad};
}

struct u64_or_nil wire_get_u64_or_nil(struct wire_reader *r)
{
    uint8_t tag = take_tag(r);
    if (tag == 0xc0)
        return (struct u64_or_nil){0, false};
    uint64_t value = take_u64(r, tag, 0);
    return (struct u64_or_nil){value, !r->bad};
}

struct text wire_get_text(struct wire_reader *r, size_t limit)
{
    uint8_t tag = take_tag(r);
    uint64_t size = 0;
    if (tag >= 0xa0 && tag <= 0xbf)
        size = tag & 31u;
    else if (tag >= 0xd9 && tag <= 0xdb)
        size = take_number(r, 1u << (tag - 0xd9));
    else
        fault(r);
    if (size > limit)
        fault(r);
    const uint8_t *run = r->bad ? NULL : take_run(r, size);
    return run == NULL ? (struct text){"", 0} : (struct text){(const char *)run, (size_t)size};
}

struct bytes wire_get_bytes(struct wire_reader *r, size_t limit)
{
    uint8_t tag = take_tag(r);
    uint64_t size = 0;
    if (tag >= 0xc4 && tag <= 0xc6)
        size = take_number(r, 1u << (tag - 0xc4));
    else
        fault(r);
    if (size > limit)
        fault(r);
    const uint8_t *run = r->bad ? NULL : take_run(r, size);
    return run == NULL ? (struct bytes){NULL, 0} : (struct bytes){run, (size_t)size};
}

uint32_t wire_get_array(struct wire_reader *r)
{
    uint8_t tag = take_tag(r);
    if (tag >= 0x90 && tag <= 0x9f)
        return tag & 15u;
    if (tag == 0xdc || tag == 0xdd)
        return (uint32_t)take_number(r, tag == 0xdc ? 2 : 4);
    fault(r);
    return 0;
}

/* Pass over the head of one value and all of it that is not nested; how many values stand inside
 * it, which is at most twice UINT32_MAX (a map's keys and values). */
static uint64_t skip_head(struct wire_reader *r)
{
    uint8_t tag = take_tag(r);
    if (tag < 0x80 || tag >= 0xe0 || tag == 0xc0 || tag == 0xc2 || tag == 0xc3)
        return 0;
    if (tag <= 0x8f)
        return 2u * (tag & 15u);
    if (tag <= 0x9f)
        return tag & 15u;
    if (tag <= 0xbf)
        return take_run(r, tag & 31u), 0;
    switch (tag) {
    case 0xc4:
    case 0xc5:
    case 0xc6: /* bin */
        return take_run(r, take_number(r, 1u << (tag - 0xc4))), 0;
    case 0xc7:
    case 0xc8:
    case 0xc9: /* ext: size, kind, bytes */
        return take_run(r, take_number(r, 1u << (tag - 0xc7)) + 1), 0;
    case 0xca:
    case 0xcb: /* float */
        return take_run(r, tag == 0xca ? 4 : 8), 0;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: /* unsigned */
        return take_run(r, 1u << (tag - 0xcc)), 0;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: /* signed */
        return take_run(r, 1u << (tag - 0xd0)), 0;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8: /* fixext: kind, bytes */
        return take_run(r, 1u + (1u << (tag - 0xd4))), 0;
    case 0xd9:
    case 0xda:
    case 0xdb: /* str */
        return take_run(r, take_number(r, 1u << (tag - 0xd9))), 0;
    case 0xdc:
    case 0xdd:
        return take_number(r, tag == 0xdc ? 2 : 4);
    case 0xde:
    case 0xdf:
        return 2 * take_number(r, tag == 0xde ? 2 : 4);
    default: /* 0xc1 */
        fault(r);
        return 0;
    }
}

void wire_skip(struct wire_reader *r)
{
    uint64_t open[WIRE_DEPTH_MAX]; /* values still to pass over, by depth */
    unsigned depth = 0;
    open[0] = 1;
    while (!r->bad) {
        while (open[depth] == 0) {
            if (depth == 0)
                return;
            depth--;
        }
        open[depth]--;
        uint64_t inside = skip_head(r);
        if (inside == 0)
            continue;
        if (inside > left(r) || depth + 1 == WIRE_DEPTH_MAX)
            fault(r);
        else
            open[++depth] = inside;
    }
}

void wire_skip_many(struct wire_reader *r, uint32_t count)
{
    for (uint32_t i = 0; i < count && !r->bad; i++)
        wire_skip(r);
}
