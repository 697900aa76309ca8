/* origins: each sender's commands once and in order, and the first result of each kept until the
 * sender says it has it (PROTOCOL.md, "Exactly once"). */
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "engine/state.h"

void origins_init(struct origins *o, uint32_t origins_max, uint32_t window, uint64_t seed)
{
    name_table_init(&o->names, origins_max, seed, "origins");
    o->window = window;
    o->ring_mask = 0;
    while (o->ring_mask < window - 1)
        o->ring_mask = 2 * o->ring_mask + 1;
    o->origins = memory_new((size_t)origins_max + 1, sizeof *o->origins, "origins");
    o->outcomes = memory_new(((size_t)origins_max + 1) * (o->ring_mask + 1), sizeof *o->outcomes,
                             "the results of origins");
}

void origins_close(struct origins *o)
{
    size_t count = (size_t)o->names.count_max + 1;
    memory_free(o->origins, count, sizeof *o->origins);
    memory_free(o->outcomes, count * (o->ring_mask + 1), sizeof *o->outcomes);
    name_table_close(&o->names);
}

static struct admission_answer refuse(enum reason code)
{
    return (struct admission_answer){.admission = ADMIT_REFUSE, .code = (uint16_t)code};
}

/* Whose place a new one may take while all are taken: the one silent longest, if that is long
 * enough; 0: nobody's. Of equals the first; the order of numbers is the history's. */
static uint32_t silent_origin(const struct origins *o, uint64_t now_ns)
{
    uint32_t longest = 1;
    for (uint32_t n = 2; n <= o->names.count; n++) {
        if (o->origins[n].last_ns < o->origins[longest].last_ns)
            longest = n;
    }
    bool silent = now_ns - o->origins[longest].last_ns >= ORIGIN_SILENT_S * NS_PER_SECOND;
    return silent ? longest : 0;
}

/* A sender nobody knows, or a new session of a known one: it begins at 1. */
static struct admission_answer admit_first(uint64_t origin_seq)
{
    if (origin_seq == 1)
        return (struct admission_answer){.admission = ADMIT_NEXT};
    return (struct admission_answer){.admission = ADMIT_GAP, .expected_seq = 1};
}

struct admission_answer origins_admit(struct origins *o, const struct envelope *m, uint64_t now_ns)
{
    uint32_t n = name_table_find(&o->names, m->origin.data, m->origin.size);
    if (n == 0) {
        if (o->names.count == o->names.count_max && silent_origin(o, now_ns) == 0)
            return refuse(REJECT_TOO_MANY_ORIGINS);
        return admit_first(m->origin_seq);
    }
    const struct origin *origin = &o->origins[n];
    if (m->origin_epoch < origin->epoch)
        return refuse(REJECT_OLD_ORIGIN_EPOCH);
    if (m->origin_epoch > origin->epoch)
        return admit_first(m->origin_seq);

    if (m->origin_seq > origin->next_seq)
        return (struct admission_answer){.admission = ADMIT_GAP, .expected_seq = origin->next_seq};
    uint64_t acked = origin->acked_through;
    if (m->origin_seq < origin->next_seq) {
        if (m->origin_seq <= acked)
            return refuse(REJECT_TOO_OLD);
        return (struct admission_answer){.admission = ADMIT_REPEAT,
                                         .outcome = *outcome_at(o, n, m->origin_seq)};
    }
    if (m->acked_through > acked && m->acked_through < m->origin_seq)
        acked = m->acked_through;
    if (m->origin_seq - acked > o->window)
        return refuse(REJECT_ORIGIN_WINDOW_FULL);
    return (struct admission_answer){.admission = ADMIT_NEXT};
}

/* A number for a name that has none. */
static uint32_t origin_add(struct origins *o, struct text name, uint64_t now_ns)
{
    if (o->names.count < o->names.count_max)
        return name_table_add(&o->names, name.data, name.size);
    uint32_t n = silent_origin(o, now_ns);
    CHECK(n != 0);
    name_table_rename(&o->names, n, name.data, name.size);
    o->origins[n] = (struct origin){0};
    return n;
}

uint32_t origins_take(struct origins *o, const struct envelope *m, uint64_t now_ns)
{
    uint32_t n = name_table_find(&o->names, m->origin.data, m->origin.size);
    if (n == 0)
        n = origin_add(o, m->origin, now_ns);
    struct origin *origin = &o->origins[n];
    if (origin->next_seq == 0 || m->origin_epoch > origin->epoch)
        *origin = (struct origin){.epoch = m->origin_epoch, .next_seq = 1};
    CHECK(m->origin_epoch == origin->epoch && m->origin_seq == origin->next_seq);
    if (m->acked_through > origin->acked_through && m->acked_through < m->origin_seq)
        origin->acked_through = m->acked_through;
    origin->next_seq++;
    origin->last_ns = now_ns;
    return n;
}

void origins_keep(struct origins *o, uint32_t origin, uint64_t origin_seq,
                  const struct outcome *outcome)
{
    *outcome_at(o, origin, origin_seq) = *outcome;
}
