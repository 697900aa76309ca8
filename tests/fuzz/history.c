#include "tests/fuzz/history.h"

#include <inttypes.h>

void history_add(struct history *h, const struct history_entry *entry)
{
    h->entries[h->count++ % HISTORY_MAX] = *entry;
}

void history_clear(struct history *h)
{
    h->count = 0;
}

/* ---- printing ---- */

static void print_text(FILE *out, const char *field, struct text text)
{
    fprintf(out, " %s=", field);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        fprintf(out, c > ' ' && c < 127 ? "%c" : "\\x%02x", c);
    }
}

static void print_maybe(FILE *out, const char *field, struct i64_or_nil value)
{
    if (value.given)
        fprintf(out, " %s=%" PRId64, field, value.value);
    else
        fprintf(out, " %s=nil", field);
}

static void print_new(FILE *out, const struct new_order *m)
{
    print_text(out, "symbol", m->symbol);
    print_text(out, "account", m->account);
    print_text(out, "label", m->client_order_id);
    fprintf(out, " side=%" PRIu64 " type=%" PRIu64 " tif=%" PRIu64 " post_only=%d stp=%" PRIu64,
            m->side, m->type, m->time_in_force, m->post_only, m->stp);
    print_maybe(out, "price", m->price);
    fprintf(out, " qty=%" PRId64, m->qty);
}

static void print_cancel(FILE *out, const struct cancel_order *m)
{
    print_text(out, "symbol", m->symbol);
    print_text(out, "account", m->account);
    fprintf(out, " order_id=%" PRIu64, m->order_id);
    print_text(out, "label", m->client_order_id);
}

static void print_amend(FILE *out, const struct amend_order *m)
{
    print_text(out, "symbol", m->symbol);
    print_text(out, "account", m->account);
    fprintf(out, " order_id=%" PRIu64, m->order_id);
    print_text(out, "label", m->client_order_id);
    fprintf(out, " qty_is=%" PRIu64, m->qty_is);
    print_maybe(out, "qty", m->qty);
    print_maybe(out, "price", m->price);
}

static void print_mass_cancel(FILE *out, const struct mass_cancel *m)
{
    print_text(out, "symbol", m->symbol);
    print_text(out, "account", m->account);
    fprintf(out, " side=%" PRIu64, m->side);
}

static void print_body(FILE *out, const struct command *c)
{
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        fprintf(out, "new");
        print_new(out, &c->new_order);
        break;
    case MESSAGE_CANCEL_ORDER:
        fprintf(out, "cancel");
        print_cancel(out, &c->cancel_order);
        break;
    case MESSAGE_AMEND_ORDER:
        fprintf(out, "amend");
        print_amend(out, &c->amend_order);
        break;
    case MESSAGE_MASS_CANCEL:
        fprintf(out, "mass_cancel");
        print_mass_cancel(out, &c->mass_cancel);
        break;
    case MESSAGE_CONTINUE_WORK:
        fprintf(out, "continue");
        break;
    default:
        fprintf(out, "type=%" PRIu64, c->type);
    }
}

static void print_entry(FILE *out, const struct history_entry *entry)
{
    const struct envelope *e = &entry->command.envelope;
    fprintf(out, "  %" PRIu64 ": seq=%" PRIu64 " time=%" PRIu64 " ", entry->number, entry->seq,
            entry->time_ns);
    print_body(out, &entry->command);
    if (e->origin.size > 0) {
        print_text(out, " | origin", e->origin);
        fprintf(out, " epoch=%" PRIu64 " origin_seq=%" PRIu64 " acked_through=%" PRIu64,
                e->origin_epoch, e->origin_seq, e->acked_through);
    }
    if (e->deadline_ns != 0)
        fprintf(out, " deadline=%" PRIu64, e->deadline_ns);
    fprintf(out, "\n");
}

void history_print(const struct history *h, FILE *out)
{
    uint64_t first = h->count < HISTORY_MAX ? 0 : h->count - HISTORY_MAX;
    for (uint64_t i = first; i < h->count; i++)
        print_entry(out, &h->entries[i % HISTORY_MAX]);
}
