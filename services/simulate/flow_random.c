#include "simulate/flow_random.h"

#include <math.h>

double flow_random_exponential(struct flow_random *r)
{
    return -flow_log(flow_random_uniform(r));
}

double flow_random_step(struct flow_random *r)
{
    uint64_t bits = flow_random_bits(r);
    uint64_t sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48);
    /* Each of the four has variance 2^32 / 12. */
    return ((double)sum - 131070.0) * (1.7320508075688772 / 65536.0);
}

double flow_random_quantile(struct flow_random *r, const double table[FLOW_TABLE + 1])
{
    double at = flow_random_uniform(r) * FLOW_TABLE;
    unsigned index = (unsigned)at;
    return table[index] + (table[index + 1] - table[index]) * (at - index);
}

/* x = k ln 2 + y with |y| <= ln 2 / 2, and e^y by its series. */
double flow_exp(double x)
{
    static const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
    if (x < -700.0)
        return 0.0;
    int k = (int)(x * 1.4426950408889634 - 0.5);
    double y = (x - k * ln2_high) - k * ln2_low;
    double sum = 1.0;
    for (int i = 13; i > 0; i--)
        sum = 1.0 + sum * y / i;
    return ldexp(sum, k);
}

/* x = 2^k m with m about 1, and ln m = 2 artanh((m - 1) / (m + 1)) by its series. */
double flow_log(double x)
{
    int k;
    double m = frexp(x, &k);
    if (m < 0.7071067811865476) {
        m *= 2.0;
        k--;
    }
    double s = (m - 1.0) / (m + 1.0);
    double square = s * s, sum = 0.0;
    for (int i = 19; i > 0; i -= 2)
        sum = sum * square + 2.0 / i;
    return k * 0.6931471805599453 + s * sum;
}
