/* flow_arrivals: when the next command comes.
 *
 * ORDER_FLOW_POISSON: gaps are exponential. ORDER_FLOW_HAWKES: each arrival makes more of them
 * likely for a while. The intensity is base + sum over past arrivals t_i and parts k of n_k b_k
 * e^(-b_k (t - t_i)) (Hawkes: Spectra of some self-exciting and mutually exciting point processes,
 * 1971), with the branching ratios n and decays b of flow_shapes.h; time is counted in mean
 * intervals, so any rate has the same pattern. Drawn by thinning (Ogata: On Lewis' simulation
 * method for point processes, 1981): between arrivals the intensity only falls, so what it is now
 * bounds what it will be.
 *
 * Thread: owner only. */
#ifndef OUTCRY_SIMULATE_FLOW_ARRIVALS_H
#define OUTCRY_SIMULATE_FLOW_ARRIVALS_H

#include "simulate/flow_random.h"
#include "simulate/order_flow.h"

struct flow_arrivals {
    enum order_flow_arrivals kind;
    double interval_ns; /* mean */
    double base;
    double excited[FLOW_KERNELS];
    double rest_ns; /* below 1: what the last gap had beyond whole ns */
};

/* rate: arrivals a second in the long run. */
void flow_arrivals_init(struct flow_arrivals *a, enum order_flow_arrivals kind, double rate,
                        struct flow_random *r);

/* How long until the next one. */
uint64_t flow_arrivals_gap_ns(struct flow_arrivals *a, struct flow_random *r);

#endif
