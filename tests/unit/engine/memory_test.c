/* What a resting order costs: the promise is 128 bytes with its index by order_id, and 96 more for
 * a client order id. Levels and tree nodes are paid by the price, not by the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/state.h"

enum { ORDER_SIZE_MAX = 128, LABEL_SIZE_MAX = 96 };

static const uint64_t capacities[] = {16, 17, 100, 1000, 1024, 1025, 65536, 100000};

static struct configure limits_for(uint64_t open_orders_max)
{
    return (struct configure){
        .open_orders_max = open_orders_max,
        .accounts_max = 1,
        .symbols_max = 1,
        .origins_max = 1,
        .origin_window = 1,
        .events_max = 1,
    };
}

/* Rounded up: a fraction of a byte is one. */
static uint64_t share(uint64_t bytes, uint64_t count)
{
    return (bytes + count - 1) / count;
}

static void an_order_and_its_index_fit_128_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        struct configure limits = limits_for(capacities[i]);
        engine_t *e = engine_new(&limits, 1);
        uint64_t index = (e->pool.by_id_mask + 1) * sizeof e->pool.by_id[0];
        assert_in_range(sizeof *e->pool.orders + sizeof *e->details + share(index, capacities[i]),
                        1, ORDER_SIZE_MAX);
        engine_destroy(&e);
    }
}

static void a_label_fits_96_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof capacities / sizeof capacities[0]; i++) {
        struct configure limits = limits_for(capacities[i]);
        engine_t *e = engine_new(&limits, 1);
        uint64_t heads = (e->labels.bucket_mask + 1) * sizeof e->labels.heads[0];
        assert_in_range(sizeof *e->labels.labels + share(heads, capacities[i]), 1, LABEL_SIZE_MAX);
        engine_destroy(&e);
    }
}

static void an_order_is_one_cache_line(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct order), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_and_its_index_fit_128_bytes),
        cmocka_unit_test(a_label_fits_96_bytes),
        cmocka_unit_test(an_order_is_one_cache_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
