/* messages: the tables of value_table.h, reject_table.h and message_table.h as C.
 *
 * For every message `m` of the table there are
 *     struct m                                     its fields
 *     MESSAGE_M                                    its type on the wire
 *     M_SIZE_MAX                                   the most m_put() writes, bytes
 *     void m_put(struct wire_writer *, const struct m *)
 *     void m_get_fields(struct wire_reader *, struct m *)
 * all expanded from the one line that describes it. Texts and bytes that m_get_fields() hands out
 * point into what was read. Faults show in reader.bad. */
#ifndef OUTCRY_PROTO_MESSAGES_H
#define OUTCRY_PROTO_MESSAGES_H

#include "message_table.h"
#include "reject_table.h"
#include "value_table.h"
#include "wire.h"

/* ---- closed sets ---- */

#define VALUE_ENUMERATOR(prefix, NAME, number, text)                 prefix##_##NAME = (number),
#define REJECT_ENUMERATOR(NAME, code, precedence, http_status, text) REJECT_##NAME = (code),
#define MESSAGE_ENUMERATOR(name, NAME, type, class, text)            MESSAGE_##NAME = (type),

enum side { SIDE_TABLE(VALUE_ENUMERATOR) };
enum order_type { ORDER_TYPE_TABLE(VALUE_ENUMERATOR) };
enum time_in_force { TIME_IN_FORCE_TABLE(VALUE_ENUMERATOR) };
enum stp { STP_TABLE(VALUE_ENUMERATOR) };
enum qty_is { QTY_IS_TABLE(VALUE_ENUMERATOR) };
enum order_status { ORDER_STATUS_TABLE(VALUE_ENUMERATOR) };
enum journal_mode { JOURNAL_MODE_TABLE(VALUE_ENUMERATOR) };
enum standing { STANDING_TABLE(VALUE_ENUMERATOR) };
enum reason { REASON_TABLE(VALUE_ENUMERATOR) REJECT_TABLE(REJECT_ENUMERATOR) };
enum message_type { MESSAGE_TABLE(MESSAGE_ENUMERATOR) };

/* ---- structs ---- */

typedef uint64_t kind_u64;
typedef int64_t kind_i64;
typedef bool kind_flag;
typedef struct text kind_text;
typedef struct bytes kind_bytes;
typedef struct i64_or_nil kind_i64_or_nil;
typedef struct u64_or_nil kind_u64_or_nil;
/* The sets stay 64 bits wide here, so that a value outside its set is seen, not cut. */
typedef uint64_t kind_side;
typedef uint64_t kind_order_type;
typedef uint64_t kind_time_in_force;
typedef uint64_t kind_stp;
typedef uint64_t kind_qty_is;
typedef uint64_t kind_standing;
typedef uint64_t kind_journal_mode;
typedef uint64_t kind_order_status;
typedef uint64_t kind_reason;

#define FIELD_MEMBER(kind, field, limit, text) kind_##kind field;
#define MESSAGE_STRUCT(name, NAME, type, class, text)                                              \
    struct name {                                                                                  \
        name##_FIELDS(FIELD_MEMBER)                                                                \
    };
MESSAGE_TABLE(MESSAGE_STRUCT)
struct envelope {
    envelope_FIELDS(FIELD_MEMBER)
};

/* ---- sizes ---- */

#define SIZE_u64(limit)           WIRE_INTEGER_SIZE_MAX
#define SIZE_i64(limit)           WIRE_INTEGER_SIZE_MAX
#define SIZE_flag(limit)          1
#define SIZE_text(limit)          ((limit) + 5)
#define SIZE_bytes(limit)         ((limit) + 5)
#define SIZE_i64_or_nil(limit)    WIRE_INTEGER_SIZE_MAX
#define SIZE_u64_or_nil(limit)    WIRE_INTEGER_SIZE_MAX
#define SIZE_side(limit)          WIRE_INTEGER_SIZE_MAX
#define SIZE_order_type(limit)    WIRE_INTEGER_SIZE_MAX
#define SIZE_time_in_force(limit) WIRE_INTEGER_SIZE_MAX
#define SIZE_stp(limit)           WIRE_INTEGER_SIZE_MAX
#define SIZE_qty_is(limit)        WIRE_INTEGER_SIZE_MAX
#define SIZE_journal_mode(limit)  WIRE_INTEGER_SIZE_MAX
#define SIZE_standing(limit)      WIRE_INTEGER_SIZE_MAX
#define SIZE_order_status(limit)  WIRE_INTEGER_SIZE_MAX
#define SIZE_reason(limit)        WIRE_INTEGER_SIZE_MAX

#define FIELD_ONE(kind, field, limit, text)  +1
#define FIELD_SIZE(kind, field, limit, text) +SIZE_##kind(limit)
#define MESSAGE_SIZES(name, NAME, type, class, text)                                               \
    NAME##_FIELD_COUNT = 0 name##_FIELDS(FIELD_ONE),                                               \
    NAME##_SIZE_MAX = WIRE_ARRAY_SIZE_MAX + WIRE_INTEGER_SIZE_MAX name##_FIELDS(FIELD_SIZE),
enum {
    MESSAGE_TABLE(MESSAGE_SIZES) ENVELOPE_FIELD_COUNT = 0 envelope_FIELDS(FIELD_ONE),
    ENVELOPE_SIZE_MAX = 0 envelope_FIELDS(FIELD_SIZE),
};

/* ---- codec ---- */

#define wire_put_side          wire_put_u64
#define wire_put_order_type    wire_put_u64
#define wire_put_time_in_force wire_put_u64
#define wire_put_stp           wire_put_u64
#define wire_put_qty_is        wire_put_u64
#define wire_put_journal_mode  wire_put_u64
#define wire_put_standing      wire_put_u64
#define wire_put_order_status  wire_put_u64
#define wire_put_reason        wire_put_u64

#define GET_u64(r, limit)           wire_get_u64(r, limit)
#define GET_i64(r, limit)           wire_get_i64(r)
#define GET_flag(r, limit)          wire_get_flag(r)
#define GET_text(r, limit)          wire_get_text(r, limit)
#define GET_bytes(r, limit)         wire_get_bytes(r, limit)
#define GET_i64_or_nil(r, limit)    wire_get_i64_or_nil(r)
#define GET_u64_or_nil(r, limit)    wire_get_u64_or_nil(r)
#define GET_side(r, limit)          wire_get_u64(r, 0)
#define GET_order_type(r, limit)    wire_get_u64(r, 0)
#define GET_time_in_force(r, limit) wire_get_u64(r, 0)
#define GET_stp(r, limit)           wire_get_u64(r, 0)
#define GET_qty_is(r, limit)        wire_get_u64(r, 0)
#define GET_journal_mode(r, limit)  wire_get_u64(r, 0)
#define GET_standing(r, limit)      wire_get_u64(r, 0)
#define GET_order_status(r, limit)  wire_get_u64(r, 0)
#define GET_reason(r, limit)        wire_get_u64(r, 0)

#define FIELD_PUT(kind, field, limit, text) wire_put_##kind(w, m->field);
#define FIELD_GET(kind, field, limit, text) m->field = GET_##kind(r, limit);

#define MESSAGE_CODEC(name, NAME, type, class, text)                                               \
    static inline void name##_put_fields(struct wire_writer *w, const struct name *m)              \
    {                                                                                              \
        name##_FIELDS(FIELD_PUT)                                                                   \
    }                                                                                              \
    static inline void name##_put(struct wire_writer *w, const struct name *m)                     \
    {                                                                                              \
        wire_put_array(w, 1 + NAME##_FIELD_COUNT);                                                 \
        wire_put_u64(w, MESSAGE_##NAME);                                                           \
        name##_put_fields(w, m);                                                                   \
    }                                                                                              \
    static inline void name##_get_fields(struct wire_reader *r, struct name *m)                    \
    {                                                                                              \
        name##_FIELDS(FIELD_GET)                                                                   \
    }
MESSAGE_TABLE(MESSAGE_CODEC)

static inline void envelope_put_fields(struct wire_writer *w, const struct envelope *m)
{
    envelope_FIELDS(FIELD_PUT)
}

static inline void envelope_get_fields(struct wire_reader *r, struct envelope *m)
{
    envelope_FIELDS(FIELD_GET)
}

/* One element of a group's event list: its type, its fields, and what a later version appended. */
struct event_head {
    uint64_t type;
    uint32_t field_count;
};

static inline struct event_head event_get_head(struct wire_reader *r)
{
    uint32_t count = wire_get_array(r);
    if (count == 0)
        r->bad = true;
    return (struct event_head){wire_get_u64(r, 0), r->bad ? 0 : count - 1};
}

#endif
