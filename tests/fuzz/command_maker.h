/* command_maker: random commands that reach into the corners of the engine.
 *
 * Every run has its own temper, drawn at its start: capacities (often tiny, so that limits are met
 * all the time), how many accounts and labels there are, which commands, options and mistakes it
 * likes. A run that never cancels finds other faults than one that mostly does.
 *
 * It looks at the reference to aim: at open and finished orders, at quantities just above and below
 * what is open or filled, at the next number of an origin. Texts point to constants, into
 * the maker or to names the reference never drops, and so are good for the length of the run. */
#ifndef OUTCRY_FUZZ_COMMAND_MAKER_H
#define OUTCRY_FUZZ_COMMAND_MAKER_H

#include "tests/fuzz/random.h"
#include "tests/fuzz/reference.h"

enum {
    MAKER_LABELS_MAX = 200,
    MAKER_PAST_MAX = 64,
    MAKER_SYMBOLS_MAX = 6,
};

enum maker_op { MAKE_NEW, MAKE_CANCEL, MAKE_AMEND, MAKE_MASS_CANCEL, MAKE_ODD, MAKE_OP_COUNT };

struct command_maker {
    struct random random;
    struct configure limits;
    uint64_t time_ns; /* when the next command is stamped */

    uint64_t weights[MAKE_OP_COUNT];
    uint64_t mistake_in;   /* a field is outside its set once in so many */
    uint64_t edge_in;      /* a number is from the ends of int64 once in so many */
    uint64_t label_in;     /* an order has a label but once in so many */
    uint64_t repeat_in;    /* a new order is one sent before once in so many */
    uint64_t hurry_in;     /* a command has a deadline once in so many */
    uint64_t ack_lag;      /* senders have read all results but at most so many */
    uint64_t immediate_in; /* an order is IOC or FOK once in so many */
    bool nobody;           /* commands come without an origin */
    uint64_t label_count;
    int64_t centre[MAKER_SYMBOLS_MAX]; /* prices are round this */
    uint64_t width;
    uint64_t qty_max;

    char labels[MAKER_LABELS_MAX][CLIENT_ORDER_ID_SIZE_MAX + 1];
    struct new_order past[MAKER_PAST_MAX];
    uint64_t past_count;
};

/* Begin a run: everything about it depends on the seed. */
void command_maker_init(struct command_maker *m, uint64_t seed);

/* The command that adds the next symbol; false: all that may be are there. */
bool command_maker_symbol(const struct command_maker *m, const struct reference *r,
                          struct command *c);

/* A client's command, with an envelope that may or may not be admitted; moves time on. */
void command_maker_next(struct command_maker *m, const struct reference *r, struct command *c);

#endif
