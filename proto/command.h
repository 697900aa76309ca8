/* command: what is asked of a shard, as it stands in a PULL's messages and in the journal:
 *
 *     [version, type, origin, origin_epoch, origin_seq, acked_through, deadline_ns, fields...]
 *
 * Several may stand back to back in one message. Whatever is a well-formed msgpack array with a
 * good envelope is a command, because its place in its origin's sequence must be taken: a body
 * that does not fit its type is read as type 0 and refused MALFORMED by the engine, a type
 * nobody knows as itself and refused UNKNOWN_COMMAND. */
#ifndef OUTCRY_PROTO_COMMAND_H
#define OUTCRY_PROTO_COMMAND_H

#include "messages.h"

enum {
    COMMAND_MALFORMED = 0, /* the type of a command whose body could not be read */
    COMMAND_HEAD_SIZE_MAX = WIRE_ARRAY_SIZE_MAX + 2 * WIRE_INTEGER_SIZE_MAX + ENVELOPE_SIZE_MAX,
    COMMAND_SIZE_MAX = COMMAND_HEAD_SIZE_MAX + (int)NEW_ORDER_SIZE_MAX, /* the largest we write */
    COMMAND_READ_SIZE_MAX = 4096,        /* a larger one is garbage: room for later fields */
    COMMAND_MESSAGE_SIZE_MAX = 64 << 10, /* of one ZeroMQ message of commands or requests */
};

struct command {
    uint64_t type;
    struct envelope envelope;
    union {
        struct new_order new_order;
        struct cancel_order cancel_order;
        struct amend_order amend_order;
        struct mass_cancel mass_cancel;
        struct configure configure;
        struct add_symbol add_symbol;
        struct continue_work continue_work;
    };
};

struct request {
    uint64_t type;
    union {
        struct resend resend;
        struct snapshot snapshot;
        struct resume resume;
        struct following following;
        struct committed committed;
        struct advance advance;
    };
};

enum command_read {
    COMMAND_READ_OK,
    COMMAND_READ_GARBAGE, /* not msgpack, or no good envelope: the rest of the message is lost */
    COMMAND_READ_VERSION, /* another protocol version: likewise */
};

/* Read the command at *at and move *at past it. Texts in *c point into the message.
 * Whether the internal types are allowed is the caller's to decide. */
enum command_read command_read(const uint8_t **at, const uint8_t *end, struct command *c);

/* Write a command at w, at most COMMAND_SIZE_MAX bytes. c->type: one of the table. */
void command_write(struct wire_writer *w, const struct command *c);

/* The same for requests: [version, type, fields...]; at most RESEND_SIZE_MAX + 1 bytes. */
enum command_read request_read(const uint8_t **at, const uint8_t *end, struct request *q);
void request_write(struct wire_writer *w, const struct request *q);

/* Whether this type of command may only be sequenced by a matcher, for itself. */
bool command_internal(uint64_t type);

/* Whose command it is; empty if its kind has no account. */
struct text command_account(const struct command *c);

#endif
