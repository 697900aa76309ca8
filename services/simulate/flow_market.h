/* flow_market: what happens next in one symbol's market.
 *
 *   reference   what the thing is worth: a random walk, drawn back to the base price so weakly that
 *               it takes a million commands, and around it an Ornstein-Uhlenbeck process, drawn
 *               back within hundreds. Discretised: one step a command.
 *   makers      place inside the spread, at the best price or behind it, on the side the reference
 *               asks for a little more often; each order has a lifetime and is cancelled when that
 *               is over, or amended
 *   takers      the informed buy when the reference is above the mid price and sell when it is
 *               below, the others do either; all come more often where the spread is narrow
 *
 * It only decides; order_flow.c makes it so. Thread: owner only. */
#ifndef OUTCRY_SIMULATE_FLOW_MARKET_H
#define OUTCRY_SIMULATE_FLOW_MARKET_H

#include "engine/book.h"
#include "simulate/flow_orders.h"
#include "simulate/flow_random.h"

struct flow_market {
    struct order_flow_symbol symbol;
    struct order_flow_mix mix;
    double informed;
    double interval_ns; /* mean, between its commands */
    struct flow_random random;
    struct flow_orders orders;
    double walk, wobble;           /* of the reference, in ticks from the base price */
    double walk_step, wobble_step; /* standard deviations, ticks a command */
    double eagerness;              /* of takers by how wide the spread is, on average lately */
    uint64_t last_ns;              /* of its last command */
    bool bursting;                 /* this one follows closely */
    bool top;                      /* the last one was inside or at the best price, */
    enum side side;                /* and on this side */
    unsigned opening;              /* orders of the opening that are still to come */
};

enum flow_act { FLOW_PLACE, FLOW_CANCEL, FLOW_AMEND, FLOW_TAKE };

struct flow_decision {
    enum flow_act act;
    enum side side;   /* PLACE, TAKE */
    uint32_t order;   /* CANCEL, AMEND: the engine's number */
    bool priced;      /* without: a market order, or an amend of the quantity alone */
    int64_t price;    /* ticks */
    int64_t qty;      /* lots; AMEND: what is to be open */
    uint64_t life_ns; /* PLACE, AMEND with a price */
};

/* known: of all markets' orders. Its seed differs from that of every other number. */
void flow_market_init(struct flow_market *m, const struct order_flow_options *o, unsigned number,
                      struct flow_order *known);

/* BORROWS the book, as it stands. */
struct flow_decision flow_market_decide(struct flow_market *m, const struct book_pool *pool,
                                        const struct book *book, uint64_t now_ns);

/* An order has bettered the best price of its side: those who stood there think about it. */
void flow_market_outbid(struct flow_market *m, const struct book_pool *pool,
                        const struct book *book, enum side side, uint64_t now_ns);

#endif
