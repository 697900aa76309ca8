/* What a served back-test is made of: who listens, and what is on its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backtest/listeners.h"
#include "backtest/sent_queue.h"

static void listeners_are_as_many_as_fit(void **state)
{
    (void)state;
    static struct listeners l;
    uint8_t message[1 + LISTENERS_PREFIX_SIZE + 1] = {1, 'a', 0};
    assert_true(listeners_take(&l, message, 3));
    assert_true(listeners_take(&l, message, 3)); /* once more is no other */
    assert_int_equal(l.count, 1);
    assert_true(listeners_hear(&l, (const uint8_t *)"a\0b", 3));
    assert_false(listeners_hear(&l, (const uint8_t *)"ab", 2));
    assert_false(listeners_hear(&l, (const uint8_t *)"a", 1));
    assert_false(listeners_take(&l, message, sizeof message));
    assert_true(listeners_take(&l, message, sizeof message - 1));
    for (unsigned i = 2; i < LISTENERS_MAX; i++) {
        memcpy(message + 1, &i, sizeof i);
        assert_true(listeners_take(&l, message, 1 + sizeof i));
    }
    memcpy(message + 1, &(unsigned){LISTENERS_MAX}, sizeof(unsigned));
    assert_false(listeners_take(&l, message, 1 + sizeof(unsigned)));
    assert_true(listeners_take(&l, (const uint8_t *)"\0a", 3));
    assert_false(listeners_hear(&l, (const uint8_t *)"a\0b", 3));
    assert_int_equal(l.count, LISTENERS_MAX - 1);
}

static void sent_commands_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct sent_queue q = {0};
    uint64_t in = 0, out = 0;
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 7; i++, in++)
            sent_queue_add(&q, in, 2 * in, (const uint8_t *)&in, sizeof in);
        for (unsigned i = 0; i < 5; i++, out++) {
            const struct sent_command *c = sent_queue_first(&q);
            assert_int_equal(c->arrival_ns, 2 * out);
            assert_memory_equal(c->bytes, &out, c->size);
            sent_queue_drop(&q);
        }
    }
    assert_int_equal(q.count, in - out);
    sent_queue_close(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_are_as_many_as_fit),
        cmocka_unit_test(sent_commands_come_out_as_they_went_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
