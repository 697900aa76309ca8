#include "tests/unit/services/order_flow_kit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct order_flow_options order_flow_kit_options(void)
{
    static const struct order_flow_symbol two[] = {{"AAPL", false, 10000, 4, 20},
                                                   {"SPREAD", true, 0, 2, 5}};
    return (struct order_flow_options){
        .symbols = two,
        .symbol_count = 2,
        .seed = 1,
        .rate = 100.0,
        .arrivals = ORDER_FLOW_HAWKES,
        .mix = order_flow_mix_real,
        .informed = 0.3,
        .start_ns = UINT64_C(34200000000000),
        .session = "t-",
    };
}

void order_flow_kit_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("found %g, expected %g within %g", found, expected, tolerance);
}
