/* The hot codec against msgpack-c, message by message: what we write is byte for byte what its
 * packer writes, and what its unpacker and our reader read of those bytes is the same.
 *
 * Every message of the table is filled ROUNDS times, each field with an edge of its kind or with a
 * random value. The seed is printed; OUTCRY_TEST_SEED=n repeats a run. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <msgpack.h>

#include "base/mix.h"
#include "proto/messages.h"

enum { ROUNDS = 2000 };

static uint64_t random_state;
static uint8_t out[RESENT_SIZE_MAX];
static uint8_t contents[FRAME_SIZE_MAX]; /* what texts and bytes point into */

static uint64_t random_u64(void)
{
    return mix_next(&random_state);
}

static uint64_t random_below(uint64_t bound)
{
    return random_u64() % bound;
}

/* ---- a value of each kind ---- */

/* Both sides of each place where the shortest form of an integer, or of a string's size, changes.
 */
static const uint64_t edges[] = {
    0,         1,           31,        32,        127,        128,        255,
    256,       65535,       65536,     INT32_MAX, (1u << 31), UINT32_MAX, UINT64_C(1) << 32,
    INT64_MAX, 1ull << 63u, UINT64_MAX};
static const int64_t negative_edges[] = {-1,
                                         -32,
                                         -33,
                                         INT8_MIN,
                                         INT8_MIN - 1,
                                         INT16_MIN,
                                         INT16_MIN - 1,
                                         INT32_MIN,
                                         INT32_MIN - INT64_C(1),
                                         INT64_MIN};

static uint64_t edge_or_random(void)
{
    if (random_below(2) == 0)
        return edges[random_below(sizeof edges / sizeof edges[0])];
    return random_u64() >> random_below(64);
}

static uint64_t make_u64(uint64_t limit)
{
    uint64_t value = edge_or_random();
    return limit > 0 && value > limit ? limit - random_below(2) : value;
}

static int64_t make_i64(void)
{
    if (random_below(3) == 0)
        return negative_edges[random_below(sizeof negative_edges / sizeof negative_edges[0])];
    int64_t value = (int64_t)(edge_or_random() & INT64_MAX);
    return random_below(2) == 0 ? value : -value;
}

/* A size up to the limit: mostly an edge or the limit itself. Whole frames are slow, so rare. */
static size_t make_size(uint64_t limit)
{
    uint64_t size = edge_or_random();
    if (size > limit || (size > UINT16_MAX + 1 && random_below(20) != 0))
        size = random_below(4) == 0 && limit < 1000 ? limit : random_below(limit % 1000 + 1);
    return (size_t)size;
}

static struct i64_or_nil make_i64_or_nil(void)
{
    bool given = random_below(3) != 0;
    return (struct i64_or_nil){given ? make_i64() : 0, given};
}

static struct u64_or_nil make_u64_or_nil(void)
{
    bool given = random_below(3) != 0;
    return (struct u64_or_nil){given ? edge_or_random() : 0, given};
}

#define MAKE_u64(limit)           make_u64(limit)
#define MAKE_i64(limit)           make_i64()
#define MAKE_flag(limit)          (random_below(2) == 1)
#define MAKE_text(limit)          ((struct text){(const char *)contents, make_size(limit)})
#define MAKE_bytes(limit)         ((struct bytes){contents, make_size(limit)})
#define MAKE_i64_or_nil(limit)    make_i64_or_nil()
#define MAKE_u64_or_nil(limit)    make_u64_or_nil()
#define MAKE_side(limit)          make_u64(0)
#define MAKE_order_type(limit)    make_u64(0)
#define MAKE_time_in_force(limit) make_u64(0)
#define MAKE_stp(limit)           make_u64(0)
#define MAKE_qty_is(limit)        make_u64(0)
#define MAKE_journal_mode(limit)  make_u64(0)
#define MAKE_standing(limit)      make_u64(0)
#define MAKE_order_status(limit)  make_u64(0)
#define MAKE_reason(limit)        make_u64(0)

/* ---- msgpack-c's packer ---- */

static void pack_u64(msgpack_packer *p, uint64_t value)
{
    msgpack_pack_uint64(p, value);
}

static void pack_i64(msgpack_packer *p, int64_t value)
{
    msgpack_pack_int64(p, value);
}

static void pack_flag(msgpack_packer *p, bool value)
{
    if (value)
        msgpack_pack_true(p);
    else
        msgpack_pack_false(p);
}

static void pack_text(msgpack_packer *p, struct text value)
{
    msgpack_pack_str(p, value.size);
    msgpack_pack_str_body(p, value.data, value.size);
}

static void pack_bytes(msgpack_packer *p, struct bytes value)
{
    msgpack_pack_bin(p, value.size);
    msgpack_pack_bin_body(p, value.data, value.size);
}

static void pack_i64_or_nil(msgpack_packer *p, struct i64_or_nil value)
{
    if (value.given)
        msgpack_pack_int64(p, value.value);
    else
        msgpack_pack_nil(p);
}

static void pack_u64_or_nil(msgpack_packer *p, struct u64_or_nil value)
{
    if (value.given)
        msgpack_pack_uint64(p, value.value);
    else
        msgpack_pack_nil(p);
}

/* ---- what msgpack-c's unpacker made of it, against what we read ---- */

static bool same_u64(const msgpack_object *o, uint64_t value)
{
    return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 == value;
}

static bool same_i64(const msgpack_object *o, int64_t value)
{
    if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
        return value >= 0 && o->via.u64 == (uint64_t)value;
    return o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER && o->via.i64 == value;
}

static bool same_flag(const msgpack_object *o, bool value)
{
    return o->type == MSGPACK_OBJECT_BOOLEAN && o->via.boolean == value;
}

static bool same_run(const char *ptr, size_t ptr_size, const void *data, size_t size)
{
    return ptr_size == size && (size == 0 || memcmp(ptr, data, size) == 0);
}

static bool same_text(const msgpack_object *o, struct text value)
{
    return o->type == MSGPACK_OBJECT_STR &&
           same_run(o->via.str.ptr, o->via.str.size, value.data, value.size);
}

static bool same_bytes(const msgpack_object *o, struct bytes value)
{
    return o->type == MSGPACK_OBJECT_BIN &&
           same_run(o->via.bin.ptr, o->via.bin.size, value.data, value.size);
}

static bool same_i64_or_nil(const msgpack_object *o, struct i64_or_nil value)
{
    return value.given ? same_i64(o, value.value) : o->type == MSGPACK_OBJECT_NIL;
}

static bool same_u64_or_nil(const msgpack_object *o, struct u64_or_nil value)
{
    return value.given ? same_u64(o, value.value) : o->type == MSGPACK_OBJECT_NIL;
}

/* The sets are u64 on the wire. */
#define pack_side          pack_u64
#define pack_order_type    pack_u64
#define pack_time_in_force pack_u64
#define pack_stp           pack_u64
#define pack_qty_is        pack_u64
#define pack_journal_mode  pack_u64
#define pack_standing      pack_u64
#define pack_order_status  pack_u64
#define pack_reason        pack_u64
#define same_side          same_u64
#define same_order_type    same_u64
#define same_time_in_force same_u64
#define same_stp           same_u64
#define same_qty_is        same_u64
#define same_journal_mode  same_u64
#define same_standing      same_u64
#define same_order_status  same_u64
#define same_reason        same_u64

/* ---- one test a message ---- */

static void assert_written_as_packed(const char *name, const uint8_t *at, size_t size,
                                     size_t size_max, const msgpack_sbuffer *packed)
{
    if (size > size_max)
        fail_msg("%s took %zu bytes, more than its size_max %zu", name, size, size_max);
    if (size != packed->size || memcmp(at, packed->data, size) != 0)
        fail_msg("%s is written in other bytes than msgpack-c's", name);
}

#define FIELD_MAKE(kind, field, limit, text) m.field = MAKE_##kind(limit);
#define FIELD_PACK(kind, field, limit, text) pack_##kind(&packer, m.field);
#define FIELD_SAME(kind, field, limit, text)                                                       \
    if (!same_##kind(element++, m.field))                                                          \
        fail_msg("field %s is not what msgpack-c reads", #field);

#define CODEC_TEST(name, NAME, number, class, text)                                                \
    static void name##_is_written_and_read_as_msgpack_c_does(void **state)                         \
    {                                                                                              \
        (void)state;                                                                               \
        for (int round = 0; round < ROUNDS; round++) {                                             \
            struct name m;                                                                         \
            msgpack_sbuffer packed;                                                                \
            msgpack_packer packer;                                                                 \
            msgpack_unpacked unpacked;                                                             \
            name##_FIELDS(FIELD_MAKE);                                                             \
            struct wire_writer w = {out};                                                          \
            name##_put(&w, &m);                                                                    \
            msgpack_sbuffer_init(&packed);                                                         \
            msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);                          \
            msgpack_pack_array(&packer, 1 + NAME##_FIELD_COUNT);                                   \
            msgpack_pack_uint64(&packer, number);                                                  \
            name##_FIELDS(FIELD_PACK);                                                             \
            assert_written_as_packed(#name, out, (size_t)(w.at - out), NAME##_SIZE_MAX, &packed);  \
            memset(&m, 0xee, sizeof m);                                                            \
            struct wire_reader r = {(const uint8_t *)packed.data,                                  \
                                    (const uint8_t *)packed.data + packed.size, false};            \
            struct event_head head = event_get_head(&r);                                           \
            assert_int_equal(head.type, number);                                                   \
            assert_int_equal(head.field_count, NAME##_FIELD_COUNT);                                \
            name##_get_fields(&r, &m);                                                             \
            assert_true(!r.bad && r.at == r.end);                                                  \
            msgpack_unpacked_init(&unpacked);                                                      \
            assert_int_equal(msgpack_unpack_next(&unpacked, packed.data, packed.size, NULL),       \
                             MSGPACK_UNPACK_SUCCESS);                                              \
            const msgpack_object *element = unpacked.data.via.array.ptr + 1;                       \
            name##_FIELDS(FIELD_SAME);                                                             \
            msgpack_unpacked_destroy(&unpacked);                                                   \
            msgpack_sbuffer_destroy(&packed);                                                      \
        }                                                                                          \
    }
MESSAGE_TABLE(CODEC_TEST)

#define CODEC_TEST_ENTRY(name, NAME, number, class, text)                                          \
    cmocka_unit_test(name##_is_written_and_read_as_msgpack_c_does),

int main(void)
{
    const char *seed = getenv("OUTCRY_TEST_SEED");
    random_state = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("OUTCRY_TEST_SEED=%" PRIu64 "\n", random_state);
    for (size_t i = 0; i < sizeof contents; i++)
        contents[i] = (uint8_t)random_u64();
    const struct CMUnitTest tests[] = {MESSAGE_TABLE(CODEC_TEST_ENTRY)};
    return cmocka_run_group_tests_name("proto/codec", tests, NULL, NULL);
}
