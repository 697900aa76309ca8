#include "command.h"

#include "names.h"

/* Every message that stands in struct command, by class; the others are skipped. */
#define FOR_COMMAND(name, NAME, X)  X(name, NAME)
#define FOR_INTERNAL(name, NAME, X) X(name, NAME)
#define FOR_REQUEST(name, NAME, X)
#define FOR_PUBLIC(name, NAME, X)
#define FOR_PRIVATE(name, NAME, X)
#define FOR_SERVICE(name, NAME, X)

#define READ_CASE(name, NAME)                                                                      \
    case MESSAGE_##NAME:                                                                           \
        known = NAME##_FIELD_COUNT;                                                                \
        if (field_count >= known)                                                                  \
            name##_get_fields(r, &c->name);                                                        \
        break;
#define READ_COMMAND(name, NAME, type, class, text) FOR_##class(name, NAME, READ_CASE)

/* Read the fields of the body; false if they do not fit the type. */
static bool body_read(struct wire_reader *r, struct command *c, uint32_t field_count)
{
    uint32_t known = 0;
    switch (c->type) {
        MESSAGE_TABLE(READ_COMMAND)
    default:
        break;
    }
    return field_count >= known && !r->bad;
}

/* The version and type in front; the number of elements behind them. */
static enum command_read head_read(struct wire_reader *r, uint64_t *type, uint32_t *rest)
{
    uint32_t count = wire_get_array(r);
    uint64_t version = wire_get_u64(r, 0);
    if (r->bad || count < 2)
        return COMMAND_READ_GARBAGE;
    if (version != PROTOCOL_VERSION)
        return COMMAND_READ_VERSION;
    *type = wire_get_u64(r, 0);
    *rest = count - 2;
    return r->bad ? COMMAND_READ_GARBAGE : COMMAND_READ_OK;
}

enum command_read command_read(const uint8_t **at, const uint8_t *end, struct command *c)
{
    struct wire_reader whole = {*at, end, false};
    wire_skip(&whole);
    if (whole.bad || whole.at - *at > COMMAND_READ_SIZE_MAX)
        return COMMAND_READ_GARBAGE;

    struct wire_reader r = {*at, whole.at, false};
    uint32_t rest = 0;
    enum command_read head = head_read(&r, &c->type, &rest);
    if (head != COMMAND_READ_OK)
        return head;
    if (rest < ENVELOPE_FIELD_COUNT)
        return COMMAND_READ_GARBAGE;
    envelope_get_fields(&r, &c->envelope);
    if (r.bad || !name_is_plain(c->envelope.origin))
        return COMMAND_READ_GARBAGE;
    if (!body_read(&r, c, rest - ENVELOPE_FIELD_COUNT))
        c->type = COMMAND_MALFORMED;
    /* Only a matcher's own commands have no origin: of others nobody could be told the result. */
    if (c->envelope.origin.size == 0 && !command_internal(c->type))
        return COMMAND_READ_GARBAGE;
    *at = whole.at;
    return COMMAND_READ_OK;
}

#define WRITE_CASE(name, NAME)                                                                     \
    case MESSAGE_##NAME:                                                                           \
        wire_put_array(w, 2 + ENVELOPE_FIELD_COUNT + NAME##_FIELD_COUNT);                          \
        wire_put_u64(w, PROTOCOL_VERSION);                                                         \
        wire_put_u64(w, c->type);                                                                  \
        envelope_put_fields(w, &c->envelope);                                                      \
        name##_put_fields(w, &c->name);                                                            \
        break;
#define WRITE_COMMAND(name, NAME, type, class, text) FOR_##class(name, NAME, WRITE_CASE)

void command_write(struct wire_writer *w, const struct command *c)
{
    switch (c->type) {
        MESSAGE_TABLE(WRITE_COMMAND)
    default:
        break;
    }
}

/* The requests there are. */
#define REQUESTS(R)                                                                                \
    R(resend, RESEND)                                                                              \
    R(snapshot, SNAPSHOT)                                                                          \
    R(resume, RESUME)                                                                              \
    R(following, FOLLOWING)                                                                        \
    R(committed, COMMITTED)                                                                        \
    R(advance, ADVANCE)

enum command_read request_read(const uint8_t **at, const uint8_t *end, struct request *q)
{
    struct wire_reader r = {*at, end, false};
    uint32_t rest = 0;
    enum command_read head = head_read(&r, &q->type, &rest);
    if (head != COMMAND_READ_OK)
        return head;
    uint32_t known = UINT32_MAX;
#define READ_REQUEST(name, NAME)                                                                   \
    case MESSAGE_##NAME:                                                                           \
        known = NAME##_FIELD_COUNT;                                                                \
        if (rest >= known)                                                                         \
            name##_get_fields(&r, &q->name);                                                       \
        break;
    switch (q->type) {
        REQUESTS(READ_REQUEST)
    default:
        break;
    }
    if (rest < known)
        return COMMAND_READ_GARBAGE;
    wire_skip_many(&r, rest - known);
    if (r.bad)
        return COMMAND_READ_GARBAGE;
    *at = r.at;
    return COMMAND_READ_OK;
}

void request_write(struct wire_writer *w, const struct request *q)
{
#define WRITE_REQUEST(name, NAME)                                                                  \
    case MESSAGE_##NAME:                                                                           \
        wire_put_array(w, 2 + NAME##_FIELD_COUNT);                                                 \
        wire_put_u64(w, PROTOCOL_VERSION);                                                         \
        wire_put_u64(w, q->type);                                                                  \
        name##_put_fields(w, &q->name);                                                            \
        break;
    switch (q->type) {
        REQUESTS(WRITE_REQUEST)
    default:
        break;
    }
}

bool command_internal(uint64_t type)
{
    return type == MESSAGE_CONFIGURE || type == MESSAGE_ADD_SYMBOL || type == MESSAGE_CONTINUE_WORK;
}

struct text command_account(const struct command *c)
{
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        return c->new_order.account;
    case MESSAGE_CANCEL_ORDER:
        return c->cancel_order.account;
    case MESSAGE_AMEND_ORDER:
        return c->amend_order.account;
    case MESSAGE_MASS_CANCEL:
        return c->mass_cancel.account;
    default:
        return (struct text){"", 0};
    }
}
