#include "tests/fuzz/tally.h"

#include <inttypes.h>

void tally_admission(struct tally *t, const struct reference_answer *answer)
{
    t->admissions[answer->admission]++;
    if (answer->admission == REFERENCE_REFUSE)
        t->reasons[answer->code]++;
}

void tally_command(struct tally *t, const struct reference *r, const struct command *c)
{
    t->sequenced++;
    t->continued += c->type == MESSAGE_CONTINUE_WORK && c->envelope.origin.size == 0;
    t->duplicates += r->outcome.duplicate;
    t->reasons[r->outcome.code]++;
    for (size_t i = 0; i < r->event_count; i++) {
        t->events[r->events[i].kind]++;
        if (r->events[i].kind != REFERENCE_REJECTED) /* counted by the outcome */
            t->reasons[r->events[i].reason]++;
    }
}

struct counted {
    const char *name;
    uint64_t count;
    bool expected;
};

static bool print_counts(const struct counted *counts, size_t size, bool all, FILE *out)
{
    bool complete = true;
    for (size_t i = 0; i < size; i++) {
        if (!counts[i].expected)
            continue;
        fprintf(out, " %s %" PRIu64, counts[i].name, counts[i].count);
        if (counts[i].count == 0 && all) {
            fprintf(out, " (never!)");
            complete = false;
        }
    }
    fprintf(out, "\n");
    return complete;
}

/* Codes without a precedence are given outside the engine, but for those of origins. */
#define COUNT_REJECT(NAME, code, precedence, http_status, text)                                    \
    {#NAME, t->reasons[code],                                                                      \
     (precedence) > 0 || (code) == REJECT_OLD_ORIGIN_EPOCH ||                                      \
         (code) == REJECT_ORIGIN_WINDOW_FULL || (code) == REJECT_TOO_MANY_ORIGINS ||               \
         (code) == REJECT_TOO_OLD},
#define COUNT_REASON(prefix, NAME, code, text) {#NAME, t->reasons[code], true},

bool tally_print(const struct tally *t, FILE *out)
{
    const struct counted reasons[] = {REASON_TABLE(COUNT_REASON) REJECT_TABLE(COUNT_REJECT)};
    const struct counted others[] = {
        {"sequenced", t->sequenced, true},
        {"continued", t->continued, true},
        {"duplicates", t->duplicates, true},
        {"accepted", t->events[REFERENCE_ACCEPTED], true},
        {"rejected", t->events[REFERENCE_REJECTED], true},
        {"amended", t->events[REFERENCE_AMENDED], true},
        {"trades", t->events[REFERENCE_TRADE], true},
        {"rested", t->events[REFERENCE_RESTED], true},
        {"cancelled", t->events[REFERENCE_CANCELLED], true},
        {"repeats", t->admissions[REFERENCE_REPEAT], true},
        {"gaps", t->admissions[REFERENCE_GAP], true},
    };
    bool all = t->commands >= TALLY_FULL_FROM;
    fprintf(out, "  reached:");
    bool complete = print_counts(others, sizeof others / sizeof others[0], all, out);
    fprintf(out, "  reasons:");
    return print_counts(reasons, sizeof reasons / sizeof reasons[0], all, out) && complete;
}
