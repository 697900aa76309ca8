/* journal_json: the fields of each command are written by what message_table.h says of them, so one
 * that is added is told. */
#include "cli/journal_json.h"

#include <stdio.h>

#include "proto/catalog.h"

enum {
    /* A line's room: every text escaped, and all the rest. */
    LINE_SIZE_MAX = 6 * COMMAND_READ_SIZE_MAX + 4096,
};

/* ---- values ---- */

static char *put_string(char *at, const char *string)
{
    return csv_put_text(at, text_of(string));
}

static char *put_key(char *at, const char *key)
{
    if (at[-1] != '{')
        *at++ = ',';
    *at++ = '"';
    at = put_string(at, key);
    at = put_string(at, "\":");
    return at;
}

/* What is no plain ASCII came from a client: it is shown byte by byte. */
static char *put_text(char *at, struct text t)
{
    *at++ = '"';
    for (size_t i = 0; i < t.size; i++) {
        unsigned char c = (unsigned char)t.data[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            at += sprintf(at, "\\u%04x", c);
        else
            *at++ = (char)c;
    }
    *at++ = '"';
    return at;
}

static char *put_quoted_u64(char *at, uint64_t value)
{
    *at++ = '"';
    at = csv_put_u64(at, value);
    *at++ = '"';
    return at;
}

static bool is_wide(const char *key)
{
    return strcmp(key, "order_id") == 0 || strcmp(key, "time_ns") == 0 ||
           strcmp(key, "deadline_ns") == 0 || strcmp(key, "origin_epoch") == 0;
}

static char *json_u64(char *at, const char *key, uint64_t value)
{
    at = put_key(at, key);
    return is_wide(key) ? put_quoted_u64(at, value) : csv_put_u64(at, value);
}

static char *json_i64(char *at, const char *key, int64_t value)
{
    return csv_put_i64(put_key(at, key), value);
}

static char *json_flag(char *at, const char *key, bool value)
{
    return put_string(put_key(at, key), value ? "true" : "false");
}

static char *json_text(char *at, const char *key, struct text value)
{
    return put_text(put_key(at, key), value);
}

static char *json_i64_or_nil(char *at, const char *key, struct i64_or_nil value)
{
    return value.given ? json_i64(at, key, value.value) : put_string(put_key(at, key), "null");
}

/* A value that is not in its set is shown as its number. */
static char *json_set(char *at, const char *key, enum catalog_kind kind, uint64_t value)
{
    const char *text = catalog_value_text(kind, value);
    return text != NULL ? json_text(at, key, text_of(text)) : json_u64(at, key, value);
}

#define json_side(at, key, value)          json_set(at, key, KIND_side, value)
#define json_order_type(at, key, value)    json_set(at, key, KIND_order_type, value)
#define json_time_in_force(at, key, value) json_set(at, key, KIND_time_in_force, value)
#define json_stp(at, key, value)           json_set(at, key, KIND_stp, value)
#define json_qty_is(at, key, value)        json_set(at, key, KIND_qty_is, value)
#define json_reason(at, key, value)        json_set(at, key, KIND_reason, value)

/* ---- messages ---- */

#define FIELD_JSON(kind, field, limit, text) at = json_##kind(at, #field, m->field);

#define COMMAND_JSON(name)                                                                         \
    static char *put_##name(char *at, const struct name *m)                                        \
    {                                                                                              \
        name##_FIELDS(FIELD_JSON) return at;                                                       \
    }

/* The command's own `type`, an order's, would hide the message's: it is order_type. */
static char *put_new_order(char *at, const struct new_order *m)
{
    at = json_text(at, "symbol", m->symbol);
    at = json_text(at, "account", m->account);
    at = json_text(at, "client_order_id", m->client_order_id);
    at = json_side(at, "side", m->side);
    at = json_order_type(at, "order_type", m->type);
    at = json_time_in_force(at, "time_in_force", m->time_in_force);
    at = json_flag(at, "post_only", m->post_only);
    at = json_stp(at, "stp", m->stp);
    at = json_i64_or_nil(at, "price", m->price);
    return json_i64(at, "qty", m->qty);
}

COMMAND_JSON(cancel_order)
COMMAND_JSON(amend_order)
COMMAND_JSON(mass_cancel)
COMMAND_JSON(configure)
COMMAND_JSON(add_symbol)
COMMAND_JSON(continue_work)

static char *put_body(char *at, const struct command *c)
{
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        return put_new_order(at, &c->new_order);
    case MESSAGE_CANCEL_ORDER:
        return put_cancel_order(at, &c->cancel_order);
    case MESSAGE_AMEND_ORDER:
        return put_amend_order(at, &c->amend_order);
    case MESSAGE_MASS_CANCEL:
        return put_mass_cancel(at, &c->mass_cancel);
    case MESSAGE_CONFIGURE:
        return put_configure(at, &c->configure);
    case MESSAGE_ADD_SYMBOL:
        return put_add_symbol(at, &c->add_symbol);
    case MESSAGE_CONTINUE_WORK:
        return put_continue_work(at, &c->continue_work);
    default:
        return at; /* nobody could read it: its type says so */
    }
}

static char *put_envelope(char *at, const struct envelope *m)
{
    if (m->origin.size == 0)
        return at; /* the matcher's own */
    envelope_FIELDS(FIELD_JSON) return at;
}

static char *put_result(char *at, const struct result *m)
{
    at = put_key(at, "result");
    if (m == NULL)
        return put_string(at, "null");
    *at++ = '{';
    at = json_u64(at, "seq", m->seq);
    at = m->code == 0 ? json_text(at, "code", text_of("OK")) : json_reason(at, "code", m->code);
    at = json_u64(at, "order_id", m->order_id);
    at = json_flag(at, "duplicate", m->duplicate);
    at = json_u64(at, "count", m->count);
    *at++ = '}';
    return at;
}

static char *put_place(char *at, const struct journal_record *r, uint64_t seq)
{
    *at++ = '{';
    at = json_u64(at, "seq", seq);
    at = json_u64(at, "time_ns", r->time_ns);
    at = json_u64(at, "epoch", r->epoch);
    return json_u64(at, "record", r->number);
}

static char *put_type(char *at, uint64_t type)
{
    const struct catalog_message *m = catalog_message_find(type);
    if (type == COMMAND_MALFORMED)
        return json_text(at, "type", text_of("malformed"));
    return m != NULL ? json_text(at, "type", text_of(m->name)) : json_u64(at, "type", type);
}

static void end_line(struct csv_writer *w, char *at)
{
    at = put_string(at, "}\n");
    csv_writer_done(w, at);
}

void journal_json_command(struct csv_writer *w, const struct journal_record *r, uint64_t seq,
                          const struct command *c, const struct result *result)
{
    char *at = put_place(csv_writer_row(w, LINE_SIZE_MAX), r, seq);
    at = put_type(at, c->type);
    at = put_envelope(at, &c->envelope);
    at = put_body(at, c);
    end_line(w, put_result(at, result));
}

void journal_json_note(struct csv_writer *w, const struct journal_record *r)
{
    char hash[24];
    char *at = put_place(csv_writer_row(w, LINE_SIZE_MAX), r, r->first_seq);
    const char *kind = r->kind == RECORD_CHECKPOINT ? "checkpoint"
                       : r->kind == RECORD_EPOCH    ? "epoch"
                                                    : "close";
    at = json_text(at, "type", text_of(kind));
    if (r->kind == RECORD_CHECKPOINT) {
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r->check);
        at = json_text(at, "state_hash", text_of(hash));
    }
    end_line(w, at);
}
