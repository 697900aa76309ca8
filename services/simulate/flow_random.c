#include "simulate/flow_random.h"

#include <math.h>
#include <string.h>

/* k: -1022..1023 */
static double power_of_two(int k)
{
    uint64_t bits = (uint64_t)(k + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

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
    double y = (x - k * ln2_high) - k * ln2_low, square = y * y;
    /* Even and odd powers apart: half as long to wait for. */
    double even = 1.0 / 3628800;
    even = even * square + 1.0 / 40320;
    even = even * square + 1.0 / 720;
    even = even * square + 1.0 / 24;
    even = even * square + 1.0 / 2;
    even = even * square + 1.0;
    double odd = 1.0 / 39916800;
    odd = odd * square + 1.0 / 362880;
    odd = odd * square + 1.0 / 5040;
    odd = odd * square + 1.0 / 120;
    odd = odd * square + 1.0 / 6;
    odd = odd * square + 1.0;
    return (even + odd * y) * power_of_two(k);
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
    double s = (m - 1.0) / (m + 1.0), square = s * s;
    double sum = 2.0 / 17;
    sum = sum * square + 2.0 / 15;
    sum = sum * square + 2.0 / 13;
    sum = sum * square + 2.0 / 11;
    sum = sum * square + 2.0 / 9;
    sum = sum * square + 2.0 / 7;
    sum = sum * square + 2.0 / 5;
    sum = sum * square + 2.0 / 3;
    sum = sum * square + 2.0;
    return k * 0.6931471805599453 + s * sum;
}
