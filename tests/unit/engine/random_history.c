#include "tests/unit/engine/random_history.h"

void random_history_open(struct random_history *h, uint64_t seed)
{
    command_maker_init(&h->maker, seed);
    h->reference = reference_new(&h->maker.limits);
}

void random_history_close(struct random_history *h)
{
    reference_destroy(&h->reference);
}

struct command random_history_next(struct random_history *h)
{
    struct command_maker *m = &h->maker;
    struct reference *r = h->reference;
    struct command c = {0};
    if (r->seq == 0) {
        c.type = MESSAGE_CONFIGURE;
        c.configure = m->limits;
    } else if (r->work.waiting) {
        c.type = MESSAGE_CONTINUE_WORK;
        c.continue_work.waiting = 1;
    } else if (r->seq > 1 + r->symbol_count || !command_maker_symbol(m, r, &c)) {
        do
            command_maker_next(m, r, &c);
        while (c.envelope.origin.size > 0 &&
               reference_admit(r, &c.envelope, m->time_ns).admission != REFERENCE_NEXT);
    }
    reference_apply(r, r->seq + 1, m->time_ns, &c);
    return c;
}
