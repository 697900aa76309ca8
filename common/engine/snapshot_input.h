/* snapshot_input: a wire_reader that says in words what it found and what it expected, and where.
 *
 * The first fault stays: from then on every value is the lowest that was allowed, or empty, and no
 * array has anything in it, so a caller may read on and look at `failed` only before it acts.
 * Numbers and texts are told by name ("found accounts_max 0, expected 1 to 1048576"). */
#ifndef OUTCRY_ENGINE_SNAPSHOT_INPUT_H
#define OUTCRY_ENGINE_SNAPSHOT_INPUT_H

#include "proto/wire.h"

struct snapshot_input {
    struct wire_reader reader;
    const uint8_t *begin;
    const uint8_t *at; /* where the last value stands: what a refusal is about */
    char *error;
    size_t error_size;
    bool failed;
};

/* BORROWS bytes, KEEPS error. */
void input_init(struct snapshot_input *in, const uint8_t *bytes, size_t size, char *error,
                size_t error_size);

/* Refuse what stands at in->at: "at byte N: ", then the words given ("found ..., expected ...").
 */
__attribute__((format(printf, 2, 3))) void input_refuse(struct snapshot_input *in,
                                                        const char *format, ...);

/* What was read past this reader: refuse it if it was at fault. */
void input_check(struct snapshot_input *in, const char *what);

/* The bytes since in->at must be these: there is one way to write a value, so that bytes that
 * differ never say the same. */
void input_check_form(struct snapshot_input *in, const char *what, const uint8_t *form,
                      size_t size);

uint64_t input_u64(struct snapshot_input *in, const char *what, uint64_t low, uint64_t high);
int64_t input_i64(struct snapshot_input *in, const char *what);
bool input_flag(struct snapshot_input *in, const char *what);

/* size_max: at most NAME_SIZE_MAX. BORROWED from the input. */
struct text input_text(struct snapshot_input *in, const char *what, size_t size_max);

/* How many elements follow; 0 once something failed. */
uint32_t input_array(struct snapshot_input *in, const char *what, uint64_t low, uint64_t high);

#endif
