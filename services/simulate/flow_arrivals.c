#include "simulate/flow_arrivals.h"

static double excitement(const struct flow_arrivals *a)
{
    double sum = a->base;
    for (unsigned k = 0; k < FLOW_KERNELS; k++)
        sum += a->excited[k];
    return sum;
}

/* In mean intervals. */
static double hawkes_gap(struct flow_arrivals *a, struct flow_random *r)
{
    double gap = 0.0;
    bool accepted = false;
    while (!accepted) {
        double bound = excitement(a);
        double step = flow_random_exponential(r) / bound;
        for (unsigned k = 0; k < FLOW_KERNELS; k++)
            a->excited[k] *= flow_exp(-flow_decay[k] * step);
        gap += step;
        accepted = flow_random_chance(r, excitement(a) / bound);
    }
    for (unsigned k = 0; k < FLOW_KERNELS; k++)
        a->excited[k] += flow_branching[k] * flow_decay[k];
    return gap;
}

void flow_arrivals_init(struct flow_arrivals *a, enum order_flow_arrivals kind, double rate,
                        struct flow_random *r)
{
    *a = (struct flow_arrivals){.kind = kind, .interval_ns = 1e9 / rate, .base = 1.0};
    for (unsigned k = 0; k < FLOW_KERNELS; k++)
        a->base -= flow_branching[k];
    /* It begins as in the middle of a day: each part as excited as it is on average, and the time
     * to the first arrival is anywhere within a gap. */
    for (unsigned k = 0; k < FLOW_KERNELS; k++)
        a->excited[k] = flow_branching[k];
    a->rest_ns = flow_random_uniform(r);
}

uint64_t flow_arrivals_gap_ns(struct flow_arrivals *a, struct flow_random *r)
{
    double gap = a->kind == ORDER_FLOW_POISSON ? flow_random_exponential(r) : hawkes_gap(a, r);
    double ns = gap * a->interval_ns + a->rest_ns;
    uint64_t whole = (uint64_t)ns;
    a->rest_ns = ns - (double)whole;
    return whole;
}
