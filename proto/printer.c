#include "printer.h"

#include <inttypes.h>

#include "catalog.h"
#include "command.h"
#include "frame.h"

static bool text_plain(struct text t)
{
    for (size_t i = 0; i < t.size; i++) {
        char c = t.data[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\')
            return false;
    }
    return t.size > 0;
}

static void print_text(FILE *out, struct text t)
{
    if (text_plain(t)) {
        fwrite(t.data, 1, t.size, out);
        return;
    }
    fputc('"', out);
    for (size_t i = 0; i < t.size; i++) {
        char c = t.data[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            fprintf(out, "\\x%02x", (unsigned)(uint8_t)c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void print_value(FILE *out, enum catalog_kind set, uint64_t number)
{
    const char *text = catalog_value_text(set, number);
    if (text != NULL)
        fputs(text, out);
    else
        fprintf(out, "%" PRIu64, number);
}

static void print_hash(FILE *out, struct u64_or_nil hash)
{
    if (hash.given)
        fprintf(out, "%016" PRIx64, hash.value);
    else
        fputs("nil", out);
}

/* The value of one field; whether it could be read shows in r->bad. */
static void print_field(FILE *out, const struct catalog_field *field, struct wire_reader *r)
{
    struct i64_or_nil i;
    switch (field->kind) {
    case KIND_u64:
        fprintf(out, "%" PRIu64, wire_get_u64(r, field->limit));
        break;
    case KIND_i64:
        fprintf(out, "%" PRId64, wire_get_i64(r));
        break;
    case KIND_flag:
        fputs(wire_get_flag(r) ? "true" : "false", out);
        break;
    case KIND_text:
        print_text(out, wire_get_text(r, field->limit));
        break;
    case KIND_bytes:
        fprintf(out, "(%zu bytes)", wire_get_bytes(r, field->limit).size);
        break;
    case KIND_i64_or_nil:
        i = wire_get_i64_or_nil(r);
        if (i.given)
            fprintf(out, "%" PRId64, i.value);
        else
            fputs("nil", out);
        break;
    case KIND_u64_or_nil:
        print_hash(out, wire_get_u64_or_nil(r));
        break;
    default: /* a set */
        print_value(out, field->kind, wire_get_u64(r, 0));
        break;
    }
}

/* ` name=value` for each field. */
static void print_fields(FILE *out, const struct catalog_message *m, struct wire_reader *r)
{
    for (uint32_t i = 0; i < m->field_count && !r->bad; i++) {
        fprintf(out, " %s=", m->fields[i].name);
        print_field(out, &m->fields[i], r);
    }
}

/* The rest of a line: the message's name, and its fields if it is known. */
static void print_message(FILE *out, uint64_t type, const struct catalog_message *before,
                          struct wire_reader *r)
{
    const struct catalog_message *m = catalog_message_find(type);
    if (m != NULL)
        fputs(m->name, out);
    else
        fprintf(out, "unknown type=%" PRIu64, type);
    if (before != NULL)
        print_fields(out, before, r);
    if (m != NULL)
        print_fields(out, m, r);
    if (r->bad)
        fputs(" (malformed)", out);
    else if (r->at != r->end)
        fprintf(out, " (and %zu bytes more)", (size_t)(r->end - r->at));
    fputc('\n', out);
}

void printer_event(FILE *out, uint64_t type, struct wire_reader fields)
{
    print_message(out, type, NULL, &fields);
}

static void print_frame_type(FILE *out, uint64_t type)
{
    if (type == FRAME_EVENTS)
        fputs(" events", out);
    else if (type == FRAME_HEARTBEAT)
        fputs(" heartbeat", out);
    else if (type == FRAME_REPLY)
        fputs(" reply", out);
    else
        fprintf(out, " type=%" PRIu64, type);
}

void printer_frame(FILE *out, const uint8_t *message, size_t size)
{
    struct frame_reader f;
    enum frame_read read = frame_read(&f, message, size);
    if (read != FRAME_READ_OK) {
        fprintf(out, "%s (%zu bytes)\n",
                read == FRAME_READ_VERSION ? "frame of another version" : "garbage", size);
        return;
    }
    print_text(out, f.head.topic);
    print_frame_type(out, f.head.type);
    fprintf(out, " epoch=%" PRIu64 " prev_seq=%" PRIu64 " seq=%" PRIu64 " time_ns=%" PRIu64,
            f.head.epoch, f.head.prev_seq, f.head.seq, f.head.time_ns);
    fputs(" hash=", out);
    print_hash(out, f.head.hash);
    fputc('\n', out);
    while (frame_next_group(&f)) {
        uint64_t type;
        struct wire_reader fields;
        while (frame_next_event(&f, &type, &fields)) {
            fprintf(out, "    %" PRIu64 " ", f.group_seq);
            printer_event(out, type, fields);
        }
    }
}

/* What could not be read, from `at` on. */
static void print_refused(FILE *out, enum command_read read, const uint8_t *at, const uint8_t *end)
{
    fprintf(out, "%s (%zu bytes)\n", read == COMMAND_READ_VERSION ? "another version" : "garbage",
            (size_t)(end - at));
}

/* A command or request that was read: its array from `at` to `end`. */
static void print_array(FILE *out, const uint8_t *at, const uint8_t *end,
                        const struct catalog_message *before)
{
    struct wire_reader r = {at, end, false};
    wire_get_array(&r);
    wire_get_u64(&r, 0); /* the version */
    uint64_t type = wire_get_u64(&r, 0);
    print_message(out, type, before, &r);
}

void printer_commands(FILE *out, const uint8_t *message, size_t size)
{
    const uint8_t *at = message;
    const uint8_t *end = message + size;
    while (at != end) {
        const uint8_t *first = at;
        struct command c;
        enum command_read read = command_read(&at, end, &c);
        if (read != COMMAND_READ_OK) {
            print_refused(out, read, at, end);
            return;
        }
        print_array(out, first, at, catalog_envelope());
    }
}

void printer_requests(FILE *out, const uint8_t *message, size_t size)
{
    const uint8_t *at = message;
    const uint8_t *end = message + size;
    while (at != end) {
        const uint8_t *first = at;
        struct request q;
        enum command_read read = request_read(&at, end, &q);
        if (read != COMMAND_READ_OK) {
            print_refused(out, read, at, end);
            return;
        }
        print_array(out, first, at, NULL);
    }
}
