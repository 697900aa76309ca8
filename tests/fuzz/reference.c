#include "tests/fuzz/reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/reference_parts.h"

static void *zeroed(uint64_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    CHECK(memory != NULL);
    return memory;
}

void *reference_grown(void *array, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return array;
    *capacity = 2 * count + 8;
    array = realloc(array, *capacity * size);
    CHECK(array != NULL);
    return array;
}

struct reference *reference_new(const struct configure *limits)
{
    struct reference *r = zeroed(1, sizeof *r);
    r->limits = *limits;
    r->symbols = zeroed(limits->symbols_max, sizeof *r->symbols);
    r->accounts = zeroed(limits->accounts_max, sizeof *r->accounts);
    r->origins = zeroed(limits->origins_max, sizeof *r->origins);
    if (limits->anonymous)
        r->account_count = 1; /* the one without a name */
    return r;
}

static void list_free(struct reference_list *l, bool orders_too)
{
    for (size_t i = 0; orders_too && i < l->count; i++)
        free(l->orders[i]);
    free(l->orders);
}

void reference_destroy(struct reference **reference)
{
    struct reference *r = *reference;
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->symbol_count; i++) {
        list_free(&r->symbols[i].sides[0], false);
        list_free(&r->symbols[i].sides[1], false);
    }
    for (size_t i = 0; i < r->account_count; i++)
        list_free(&r->accounts[i].finished, true);
    for (size_t i = 0; i < r->origin_count; i++)
        free(r->origins[i].results);
    list_free(&r->open, true);
    free(r->events);
    free(r->symbols);
    free(r->accounts);
    free(r->origins);
    free(r);
    *reference = NULL;
}

/* ---- names ---- */

bool reference_name_is(const struct reference_name *name, struct text text)
{
    return name->size == text.size &&
           (text.size == 0 || memcmp(name->text, text.data, text.size) == 0);
}

struct reference_name reference_name_of(struct text text)
{
    struct reference_name name = {.size = text.size};
    CHECK(text.size <= sizeof name.text);
    for (size_t i = 0; i < text.size; i++)
        name.text[i] = text.data[i];
    return name;
}

struct reference_symbol *reference_symbol(const struct reference *r, struct text name)
{
    for (size_t i = 0; i < r->symbol_count; i++) {
        if (reference_name_is(&r->symbols[i].name, name))
            return &r->symbols[i];
    }
    return NULL;
}

struct reference_account *reference_account(const struct reference *r, struct text name)
{
    for (size_t i = 0; i < r->account_count; i++) {
        if (reference_name_is(&r->accounts[i].name, name))
            return &r->accounts[i];
    }
    return NULL;
}

/* ---- events and the end of an order ---- */

struct reference_event *reference_emit(struct reference *r, enum reference_event_kind kind,
                                       const struct reference_order *o)
{
    r->events =
        reference_grown(r->events, &r->event_capacity, r->event_count + 1, sizeof *r->events);
    struct reference_event *event = &r->events[r->event_count++];
    *event = (struct reference_event){
        .kind = kind, .side = o->asked.side, .symbol = o->symbol, .order_id = o->order_id};
    return event;
}

static bool list_holds(const struct reference_list *l, const struct reference_order *o)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->orders[i] == o)
            return true;
    }
    return false;
}

void reference_finish(struct reference *r, struct reference_order *o, enum order_status status,
                      enum reason reason)
{
    struct reference_list *finished = &o->account->finished;
    if (list_holds(&r->open, o)) /* a refused order never was */
        reference_list_remove(&r->open, o);
    o->open_qty = 0;
    o->status = status;
    o->reason = reason;
    o->changed_seq = r->seq;
    reference_list_append(finished, o);
    if (finished->count > r->limits.finished_per_account) {
        struct reference_order *oldest = finished->orders[0];
        reference_list_remove(finished, oldest);
        free(oldest);
    }
}

/* ---- one command ---- */

static void add_symbol(struct reference *r, const struct add_symbol *m)
{
    CHECK(r->symbol_count < r->limits.symbols_max && reference_symbol(r, m->symbol) == NULL);
    struct reference_symbol *s = &r->symbols[r->symbol_count++];
    s->name = reference_name_of(m->symbol);
    s->any_price = m->any_price;
}

static void continue_work(struct reference *r)
{
    CHECK(r->work.waiting);
    if (r->work.taker == NULL) {
        reference_mass_cancel_go_on(r);
        return;
    }
    r->work.waiting = false;
    r->outcome.ready = false; /* whoever sent it knows what became of it */
    reference_match(r, r->work.taker);
}

static bool too_late(const struct reference *r, const struct command *c)
{
    bool cancel = c->type == MESSAGE_CANCEL_ORDER || c->type == MESSAGE_MASS_CANCEL;
    return !cancel && c->envelope.deadline_ns > 0 && r->time_ns > c->envelope.deadline_ns;
}

/* Only the matcher itself, which has no origin, may send an internal command. */
static enum reason internal(struct reference *r, const struct command *c)
{
    if (c->envelope.origin.size > 0)
        return REJECT_UNKNOWN_COMMAND;
    if (c->type == MESSAGE_ADD_SYMBOL)
        add_symbol(r, &c->add_symbol);
    if (c->type == MESSAGE_CONTINUE_WORK)
        continue_work(r);
    return 0;
}

static enum reason happen(struct reference *r, const struct command *c)
{
    if (too_late(r, c))
        return REJECT_TOO_LATE;
    switch (c->type) {
    case MESSAGE_NEW_ORDER:
        return reference_new_order(r, &c->new_order);
    case MESSAGE_CANCEL_ORDER:
        return reference_cancel(r, &c->cancel_order);
    case MESSAGE_AMEND_ORDER:
        return reference_amend(r, &c->amend_order);
    case MESSAGE_MASS_CANCEL:
        return reference_mass_cancel(r, &c->mass_cancel);
    case MESSAGE_CONFIGURE:
    case MESSAGE_ADD_SYMBOL:
    case MESSAGE_CONTINUE_WORK:
        return internal(r, c);
    case COMMAND_MALFORMED:
        return REJECT_MALFORMED;
    default:
        return REJECT_UNKNOWN_COMMAND;
    }
}

static bool bbo_equal(const struct reference_bbo *a, const struct reference_bbo *b)
{
    return a->price[0] == b->price[0] && a->price[1] == b->price[1] && a->qty[0] == b->qty[0] &&
           a->qty[1] == b->qty[1];
}

void reference_apply(struct reference *r, uint64_t seq, uint64_t time_ns, const struct command *c)
{
    size_t symbol_count = r->symbol_count;
    struct reference_bbo *before = zeroed(symbol_count, sizeof *before);
    for (size_t i = 0; i < symbol_count; i++)
        before[i] = reference_bbo(&r->symbols[i]);

    r->seq = seq;
    r->time_ns = time_ns;
    r->event_count = 0;
    r->units_left = r->limits.events_max;
    r->outcome = (struct reference_outcome){.seq = seq, .ready = true};
    r->result_origin = c->envelope.origin.size > 0 ? reference_take(r, &c->envelope) : NULL;
    r->result_origin_seq = c->envelope.origin_seq;
    enum reason code = happen(r, c);
    if (code != 0)
        r->outcome.code = code;
    if (r->result_origin != NULL)
        reference_keep(r->result_origin, r->result_origin_seq, &r->outcome);

    for (size_t i = 0; i < symbol_count; i++) {
        struct reference_bbo now = reference_bbo(&r->symbols[i]);
        if (!bbo_equal(&now, &before[i]))
            r->symbols[i].bbo_seq = seq;
    }
    free(before);
}
