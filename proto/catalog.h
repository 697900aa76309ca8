/* catalog: the tables of message_table.h, value_table.h and reject_table.h as data, for whatever
 * must speak of messages without being compiled for each: the printer, the tables of PROTOCOL.md,
 * the Python client (through catalog.json), parsers of CSV and JSON.
 *
 * It is expanded from those tables and holds nothing of its own but what each set is for. All of
 * it is constant and lives as long as the program. */
#ifndef OUTCRY_PROTO_CATALOG_H
#define OUTCRY_PROTO_CATALOG_H

#include "messages.h"

/* Every kind of field that is not a set, as message_table.h spells it. */
#define KIND_TABLE(K)                                                                              \
    K(u64, "an integer from 0 to 2^64-1, or to the limit if there is one")                         \
    K(i64, "an integer from -2^63 to 2^63-1")                                                      \
    K(flag, "true or false")                                                                       \
    K(text, "a str in UTF-8 of at most limit bytes")                                               \
    K(bytes, "a bin of at most limit bytes")                                                       \
    K(i64_or_nil, "an i64, or nil")                                                                \
    K(u64_or_nil, "a u64, or nil; hashes are told like this")

/* Every set, S(name, its table, what it is for). On the wire each is a u64. */
#define SET_TABLE(S)                                                                               \
    S(side, SIDE_TABLE, "which way an order trades")                                               \
    S(order_type, ORDER_TYPE_TABLE, "whether an order has a price of its own")                     \
    S(time_in_force, TIME_IN_FORCE_TABLE, "what becomes of the part that does not trade at once")  \
    S(stp, STP_TABLE, "self-trade prevention: what if an order meets one of its own account")      \
    S(qty_is, QTY_IS_TABLE, "what the quantity of an amend means")                                 \
    S(order_status, ORDER_STATUS_TABLE, "where an order stands in its life")                       \
    S(journal_mode, JOURNAL_MODE_TABLE, "when a command is acknowledged: on disk, before, never")  \
    S(standing, STANDING_TABLE, "whether a matcher takes commands in, and why not")                \
    S(reason, REASON_TABLE, "why something happened; the reject codes are of this set too")

/* Every class of messages. */
#define CLASS_TABLE(C)                                                                             \
    C(COMMAND, "a client pushes it to a matcher")                                                  \
    C(INTERNAL, "a matcher sequences it, for itself")                                              \
    C(REQUEST, "a reader pushes it to a publisher, which answers on `re.`")                        \
    C(PUBLIC, "an event that names no account")                                                    \
    C(PRIVATE, "an event for those who sent the command or own the account")                       \
    C(SERVICE, "an event about the stream itself")

#define KIND_ENUMERATOR(kind, text)       KIND_##kind,
#define SET_ENUMERATOR(name, table, text) KIND_##name,
#define CLASS_ENUMERATOR(class, text)     CLASS_##class,
enum catalog_kind { KIND_TABLE(KIND_ENUMERATOR) SET_TABLE(SET_ENUMERATOR) KIND_COUNT };
enum catalog_class { CLASS_TABLE(CLASS_ENUMERATOR) CLASS_COUNT };

struct catalog_field {
    const char *name;
    enum catalog_kind kind;
    uint64_t limit; /* 0: none */
    const char *doc;
};

struct catalog_message {
    const char *name;
    uint64_t type;
    enum catalog_class class;
    const char *doc;
    const struct catalog_field *fields; /* in the order of the wire */
    uint32_t field_count;
};

struct catalog_value {
    const char *prefix; /* SIDE */
    const char *name;   /* BUY */
    uint64_t number;    /* on the wire */
    const char *text;   /* in CSV, JSON and on a terminal */
};

struct catalog_set {
    const char *name;
    enum catalog_kind kind;
    const char *doc;
    const struct catalog_value *values;
    uint32_t value_count;
};

struct catalog_reject {
    const char *name;
    uint64_t code;
    uint32_t precedence; /* the smallest is given; 0: never competes */
    uint32_t http_status;
    const char *text;
};

/* All messages, in the order of their types. */
const struct catalog_message *catalog_messages(uint32_t *count);
const struct catalog_set *catalog_sets(uint32_t *count);
const struct catalog_reject *catalog_rejects(uint32_t *count);

/* The fields that stand before those of every command. Its type is 0. */
const struct catalog_message *catalog_envelope(void);

/* NULL: there is no such type. */
const struct catalog_message *catalog_message_find(uint64_t type);
const struct catalog_reject *catalog_reject_find(uint64_t code);

/* NULL: that kind is not a set. */
const struct catalog_set *catalog_set_find(enum catalog_kind kind);

/* The text of a value of a set; for the set `reason` also the name of a reject code.
 * NULL: the set has no such value, or kind is not a set. */
const char *catalog_value_text(enum catalog_kind set, uint64_t number);

/* The name of a reason or reject code; NULL: there is no such. */
const char *catalog_reason_name(uint64_t reason);

/* The number of the value whose text is exactly this; for `reason` reject codes by name too.
 * False: there is none, and *number is as it was. */
bool catalog_value_parse(enum catalog_kind set, struct text text, uint64_t *number);

/* As message_table.h spells it: "u64", "side"; and what it is, as a sentence's part. */
const char *catalog_kind_name(enum catalog_kind kind);
const char *catalog_kind_doc(enum catalog_kind kind);

/* "COMMAND"; and who says it. */
const char *catalog_class_name(enum catalog_class class);
const char *catalog_class_doc(enum catalog_class class);

#endif
