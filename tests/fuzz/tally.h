/* tally: what a fuzz has reached. A fuzz that never makes a refusal happen says nothing about it,
 * so a long one must have seen them all. */
#ifndef OUTCRY_FUZZ_TALLY_H
#define OUTCRY_FUZZ_TALLY_H

#include <stdio.h>

#include "tests/fuzz/reference.h"

enum {
    TALLY_REASONS = 6000,     /* above every reason and reject code */
    TALLY_FULL_FROM = 500000, /* commands after which everything should have happened */
};

struct tally {
    uint64_t commands; /* made, sequenced or not */
    uint64_t sequenced;
    uint64_t continued; /* of those, continue_work */
    uint64_t events[REFERENCE_CANCELLED + 1];
    uint64_t admissions[REFERENCE_REFUSE + 1];
    uint64_t reasons[TALLY_REASONS]; /* of events, outcomes and admissions */
    uint64_t duplicates;
};

void tally_admission(struct tally *t, const struct reference_answer *answer);
void tally_command(struct tally *t, const struct reference *r, const struct command *c);

/* Print the counts; false if something that an engine can do never happened. */
bool tally_print(const struct tally *t, FILE *out);

#endif
