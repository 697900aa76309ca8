/* reference_origins: each origin's commands once and in order; PROTOCOL.md "Exactly once". */
#include "base/check.h"
#include "tests/fuzz/reference_parts.h"

struct reference_origin *reference_origin(const struct reference *r, struct text name)
{
    for (size_t i = 0; i < r->origin_count; i++) {
        if (reference_name_is(&r->origins[i].name, name))
            return &r->origins[i];
    }
    return NULL;
}

static struct reference_answer refuse(enum reason code)
{
    return (struct reference_answer){.admission = REFERENCE_REFUSE, .code = code};
}

static struct reference_answer in_order(uint64_t origin_seq, uint64_t expected_seq)
{
    if (origin_seq == expected_seq)
        return (struct reference_answer){.admission = REFERENCE_NEXT};
    return (struct reference_answer){.admission = REFERENCE_GAP, .expected_seq = expected_seq};
}

/* The one to be forgotten for a new one at this time: the first of those silent longest, if that is
 * an hour; NULL: there is room, or nobody has been silent so long. */
static struct reference_origin *to_forget(const struct reference *r, uint64_t time_ns)
{
    const uint64_t hour_ns = UINT64_C(3600) * 1000 * 1000 * 1000;
    struct reference_origin *oldest = NULL;
    if (r->origin_count < r->limits.origins_max)
        return NULL;
    for (size_t i = r->origin_count; i-- > 0;) {
        struct reference_origin *o = &r->origins[i];
        if (time_ns - o->last_ns >= hour_ns && (oldest == NULL || o->last_ns <= oldest->last_ns))
            oldest = o;
    }
    return oldest;
}

/* What the sender says it has the results of: no further than the commands before this one. */
static uint64_t acked_by(const struct reference_origin *o, const struct envelope *m)
{
    bool sensible = m->acked_through < m->origin_seq;
    return sensible && m->acked_through > o->acked_through ? m->acked_through : o->acked_through;
}

struct reference_answer reference_admit(const struct reference *r, const struct envelope *m,
                                        uint64_t time_ns)
{
    const struct reference_origin *o = reference_origin(r, m->origin);
    if (o == NULL && r->origin_count == r->limits.origins_max && to_forget(r, time_ns) == NULL)
        return refuse(REJECT_TOO_MANY_ORIGINS);
    if (o == NULL || m->origin_epoch > o->epoch)
        return in_order(m->origin_seq, 1); /* a new sender, or a new session */
    if (m->origin_epoch < o->epoch)
        return refuse(REJECT_OLD_ORIGIN_EPOCH);

    if (m->origin_seq < o->next_seq && m->origin_seq <= o->acked_through)
        return refuse(REJECT_TOO_OLD);
    if (m->origin_seq < o->next_seq)
        return (struct reference_answer){.admission = REFERENCE_REPEAT,
                                         .outcome = o->results[m->origin_seq - 1]};
    if (m->origin_seq == o->next_seq && m->origin_seq - acked_by(o, m) > r->limits.origin_window)
        return refuse(REJECT_ORIGIN_WINDOW_FULL);
    return in_order(m->origin_seq, o->next_seq);
}

struct reference_origin *reference_take(struct reference *r, const struct envelope *m)
{
    struct reference_origin *o = reference_origin(r, m->origin);
    if (o == NULL) {
        o = to_forget(r, r->time_ns);
        if (o == NULL) {
            CHECK(r->origin_count < r->limits.origins_max);
            o = &r->origins[r->origin_count++];
        }
        o->name = reference_name_of(m->origin);
        o->epoch = m->origin_epoch;
        o->next_seq = 1;
        o->acked_through = 0;
    }
    if (m->origin_epoch > o->epoch) {
        o->epoch = m->origin_epoch;
        o->next_seq = 1;
        o->acked_through = 0;
    }
    CHECK(m->origin_epoch == o->epoch && m->origin_seq == o->next_seq);
    o->acked_through = acked_by(o, m);
    o->next_seq++;
    o->last_ns = r->time_ns;
    return o;
}

void reference_keep(struct reference_origin *o, uint64_t origin_seq,
                    const struct reference_outcome *outcome)
{
    o->results = reference_grown(o->results, &o->capacity, origin_seq, sizeof *o->results);
    o->results[origin_seq - 1] = *outcome;
}
