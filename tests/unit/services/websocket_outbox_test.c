/* websocket_outbox: order, conflation, limits, the last words, and nothing leaked or freed twice
 * (which the address sanitizer sees). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/websocket_outbox.h"

enum { QUEUE_MAX = 200 };

static struct websocket_message *message_of(unsigned number, enum conflation conflation)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%u", number);
    return websocket_message_texts(text, (size_t)size, conflation);
}

static enum status put(struct websocket_outbox *o, unsigned number, enum conflation conflation)
{
    struct websocket_message *m = message_of(number, conflation);
    enum status status = websocket_outbox_put(o, m);
    websocket_message_release(&m);
    return status;
}

static unsigned number_of(const struct websocket_message *m)
{
    char text[32] = {0};
    assert_int_equal(m->bytes[0], 0x80 | WEBSOCKET_TEXT);
    memcpy(text, m->bytes + 2, m->bytes[1]);
    return (unsigned)strtoul(text, NULL, 10);
}

static void release_all(struct websocket_batch *b)
{
    for (unsigned i = 0; i < b->count; i++)
        websocket_message_release(&b->messages[i]);
}

/* Everything that waits, whose numbers must be these. */
static void assert_waiting(struct websocket_outbox *o, const unsigned *numbers, unsigned count)
{
    struct websocket_batch b;
    unsigned at = 0;
    while (!websocket_outbox_empty(o)) {
        websocket_outbox_take(o, &b);
        assert_true(b.count > 0);
        for (unsigned i = 0; i < b.count; i++, at++) {
            assert_true(at < count);
            assert_int_equal(number_of(b.messages[i]), numbers[at]);
        }
        release_all(&b);
    }
    assert_int_equal(at, count);
    assert_int_equal(o->bytes, 0);
}

static void open_outbox(struct websocket_outbox *o, unsigned max)
{
    assert_true(websocket_outbox_init(o, max));
}

static void a_text_is_a_frame_and_lines_are_frames_each(void **state)
{
    (void)state;
    static const char text[] = "\n{\"a\":1}\n\n{\"b\":22}\n{}";
    static const char expected[] = "\x81\x07{\"a\":1}\x81\x08{\"b\":22}\x81\x02{}";
    struct websocket_message *m = websocket_message_texts(text, sizeof text - 1, CONFLATION_NEVER);
    assert_int_equal(m->count, 3);
    assert_int_equal(m->size, sizeof expected - 1);
    assert_memory_equal(m->bytes, expected, sizeof expected - 1);
    websocket_message_release(&m);
    assert_null(m);
    m = websocket_message_texts("", 0, CONFLATION_NEVER);
    assert_int_equal(m->count, 0);
    assert_int_equal(m->size, 0);
    websocket_message_release(&m);
}

static void a_message_lives_as_long_as_anybody_holds_it(void **state)
{
    (void)state;
    struct websocket_outbox one, two;
    open_outbox(&one, QUEUE_MAX);
    open_outbox(&two, QUEUE_MAX);
    struct websocket_message *m = message_of(7, CONFLATION_NEVER);
    assert_int_equal(websocket_outbox_put(&one, m), STATUS_OK);
    assert_int_equal(websocket_outbox_put(&two, m), STATUS_OK);
    assert_int_equal(atomic_load(&m->references), 3);
    const struct websocket_message *shared = m;
    websocket_message_release(&m);
    websocket_outbox_close(&one);
    assert_int_equal(atomic_load(&shared->references), 1);
    assert_waiting(&two, (unsigned[]){7}, 1);
    websocket_outbox_close(&two);
}

/* So many trades that wait, with one of each kind that can be conflated among them, and then a
 * newer one of each. */
static void conflate_above(unsigned waiting, bool conflated)
{
    struct websocket_outbox o;
    unsigned expected[QUEUE_MAX], count = 0;
    open_outbox(&o, QUEUE_MAX);
    for (unsigned i = 0; i < waiting; i++) {
        enum conflation kind = i == 3   ? CONFLATION_BBO
                               : i == 5 ? CONFLATION_BOOK
                                        : CONFLATION_NEVER;
        assert_int_equal(put(&o, i, kind), STATUS_OK);
        if (!conflated || i != 3)
            expected[count++] = i;
    }
    assert_int_equal(put(&o, 1000, CONFLATION_BBO), STATUS_OK);
    expected[count++] = 1000;
    assert_int_equal(o.conflated, conflated ? 1 : 0);
    assert_waiting(&o, expected, count);
    websocket_outbox_close(&o);
}

static void nothing_is_conflated_until_more_than_the_lag_wait(void **state)
{
    (void)state;
    conflate_above(WEBSOCKET_LAG - 1, false);
    conflate_above(WEBSOCKET_LAG, false);
    conflate_above(WEBSOCKET_LAG + 1, true);
}

static void what_is_conflated_keeps_the_order_of_sequences(void **state)
{
    (void)state;
    struct websocket_outbox o;
    struct websocket_batch b;
    unsigned put_count = 0, taken[3] = {0, 0, 0}, last = 0;
    open_outbox(&o, QUEUE_MAX);
    for (unsigned i = 1; i <= 5000; i++) {
        enum conflation kind = i % 50 == 0  ? CONFLATION_NEVER
                               : i % 2 == 0 ? CONFLATION_BBO
                                            : CONFLATION_BOOK;
        assert_int_equal(put(&o, i, kind), STATUS_OK);
        put_count += kind == CONFLATION_NEVER;
        assert_true(o.count <= WEBSOCKET_LAG + 1 + put_count);
    }
    assert_int_equal(o.conflated + o.count, 5000);
    while (!websocket_outbox_empty(&o)) {
        websocket_outbox_take(&o, &b);
        for (unsigned i = 0; i < b.count; i++) {
            assert_true(number_of(b.messages[i]) > last);
            last = number_of(b.messages[i]);
            taken[b.messages[i]->conflation]++;
        }
        release_all(&b);
    }
    assert_int_equal(last, 5000);
    assert_int_equal(taken[CONFLATION_NEVER], put_count); /* trades are never conflated */
    assert_true(taken[CONFLATION_BBO] > 0 && taken[CONFLATION_BOOK] > 0);
    websocket_outbox_close(&o);
}

static void it_is_full_by_messages(void **state)
{
    (void)state;
    struct websocket_outbox o;
    unsigned expected[QUEUE_MAX];
    open_outbox(&o, QUEUE_MAX);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < QUEUE_MAX; i++) {
            assert_int_equal(put(&o, i, CONFLATION_NEVER), STATUS_OK);
            expected[i] = i;
        }
        assert_int_equal(put(&o, 9999, CONFLATION_NEVER), STATUS_FULL);
        assert_waiting(&o, expected, QUEUE_MAX);
    }
    websocket_outbox_close(&o);
}

static void it_is_full_by_bytes(void **state)
{
    (void)state;
    enum { BIG = 1 << 20, HEAD = 10 };
    char *text = malloc(BIG);
    assert_non_null(text);
    memset(text, 'x', BIG);
    for (int over = -1; over <= 1; over++) {
        struct websocket_outbox o;
        open_outbox(&o, QUEUE_MAX);
        struct websocket_message *m = websocket_message_texts(text, BIG - HEAD, CONFLATION_NEVER);
        for (unsigned i = 0; i < 7; i++)
            assert_int_equal(websocket_outbox_put(&o, m), STATUS_OK);
        websocket_message_release(&m);
        m = websocket_message_texts(text, (size_t)(BIG - HEAD + over), CONFLATION_NEVER);
        assert_int_equal(websocket_outbox_put(&o, m), over <= 0 ? STATUS_OK : STATUS_FULL);
        assert_int_equal(o.bytes, over <= 0 ? WEBSOCKET_QUEUE_BYTES_MAX + over : 7 << 20);
        websocket_message_release(&m);
        websocket_outbox_close(&o);
    }
    free(text);
}

static void a_newer_book_fits_where_it_makes_room_for_itself(void **state)
{
    (void)state;
    struct websocket_outbox o;
    open_outbox(&o, QUEUE_MAX);
    assert_int_equal(put(&o, 1, CONFLATION_BOOK), STATUS_OK);
    for (unsigned i = 1; i < QUEUE_MAX; i++)
        assert_int_equal(put(&o, 1 + i, CONFLATION_NEVER), STATUS_OK);
    assert_int_equal(put(&o, 1000, CONFLATION_BBO), STATUS_FULL);
    assert_int_equal(put(&o, 1001, CONFLATION_BOOK), STATUS_OK);
    assert_int_equal(put(&o, 1002, CONFLATION_NEVER), STATUS_FULL);
    websocket_outbox_close(&o);
}

static struct websocket_message *sized(size_t size)
{
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    size_t head = websocket_frame_head_size(size - 4) == 4 ? 4 : 10;
    struct websocket_message *m = websocket_message_texts(text, size - head, CONFLATION_NEVER);
    free(text);
    assert_int_equal(m->size, size);
    return m;
}

static unsigned batch_of(size_t first_size, size_t second_size)
{
    struct websocket_outbox o;
    struct websocket_batch b;
    open_outbox(&o, QUEUE_MAX);
    struct websocket_message *first = sized(first_size), *second = sized(second_size);
    assert_int_equal(websocket_outbox_put(&o, first), STATUS_OK);
    assert_int_equal(websocket_outbox_put(&o, second), STATUS_OK);
    websocket_message_release(&first);
    websocket_message_release(&second);
    websocket_outbox_take(&o, &b);
    unsigned count = b.count;
    release_all(&b);
    websocket_outbox_close(&o);
    return count;
}

static void one_write_takes_64_kib_or_one_larger_message(void **state)
{
    (void)state;
    enum { HALF = WEBSOCKET_BATCH_BYTES / 2 };
    assert_int_equal(batch_of(HALF, HALF - 1), 2);
    assert_int_equal(batch_of(HALF, HALF), 2);
    assert_int_equal(batch_of(HALF, HALF + 1), 1);
    assert_int_equal(batch_of(2 * WEBSOCKET_BATCH_BYTES, 1000), 1);
}

static void one_write_takes_no_more_messages_than_its_array_holds(void **state)
{
    (void)state;
    struct websocket_outbox o;
    struct websocket_batch b;
    open_outbox(&o, 2 * WEBSOCKET_BATCH_MAX);
    for (unsigned i = 0; i <= WEBSOCKET_BATCH_MAX; i++)
        assert_int_equal(put(&o, i, CONFLATION_NEVER), STATUS_OK);
    struct websocket_message *ping = websocket_message_control(WEBSOCKET_PING, NULL, 0);
    websocket_outbox_urge(&o, WEBSOCKET_URGENT_PING, &ping);
    websocket_outbox_take(&o, &b);
    assert_int_equal(b.count, WEBSOCKET_BATCH_MAX);
    release_all(&b);
    websocket_outbox_take(&o, &b);
    assert_int_equal(b.count, 2);
    release_all(&b);
    assert_true(websocket_outbox_empty(&o));
    websocket_outbox_close(&o);
}

static void pongs_and_pings_go_first_and_only_the_newest(void **state)
{
    (void)state;
    struct websocket_outbox o;
    struct websocket_batch b;
    open_outbox(&o, QUEUE_MAX);
    assert_int_equal(put(&o, 1, CONFLATION_NEVER), STATUS_OK);
    for (unsigned i = 0; i < 3; i++) {
        char payload = (char)('a' + i);
        struct websocket_message *pong = websocket_message_control(WEBSOCKET_PONG, &payload, 1);
        websocket_outbox_urge(&o, WEBSOCKET_URGENT_PONG, &pong);
        assert_null(pong);
    }
    websocket_outbox_take(&o, &b);
    assert_int_equal(b.count, 2);
    assert_memory_equal(b.messages[0]->bytes, "\x8a\x01\x63", 3);
    assert_int_equal(number_of(b.messages[1]), 1);
    assert_int_equal(b.bytes, b.messages[0]->size + b.messages[1]->size);
    assert_false(b.last);
    release_all(&b);
    assert_true(websocket_outbox_empty(&o));
    websocket_outbox_close(&o);
}

static void finish(struct websocket_outbox *o, uint16_t code)
{
    struct websocket_message *close = websocket_message_close(code, "");
    websocket_outbox_finish(o, &close);
    assert_null(close);
}

static void the_close_frame_is_the_last_and_has_a_place_in_a_full_one(void **state)
{
    (void)state;
    struct websocket_outbox o;
    struct websocket_batch b;
    open_outbox(&o, 2);
    assert_int_equal(put(&o, 1, CONFLATION_NEVER), STATUS_OK);
    assert_int_equal(put(&o, 2, CONFLATION_NEVER), STATUS_OK);
    finish(&o, 1001);
    finish(&o, 1002); /* only the first counts */
    assert_int_equal(put(&o, 3, CONFLATION_NEVER), STATUS_MISSING);
    websocket_outbox_take(&o, &b);
    assert_int_equal(b.count, 3);
    assert_true(b.last);
    assert_int_equal(number_of(b.messages[0]), 1);
    assert_int_equal(number_of(b.messages[1]), 2);
    assert_memory_equal(b.messages[2]->bytes, "\x88\x02\x03\xe9", 4);
    release_all(&b);
    assert_true(websocket_outbox_empty(&o));
    assert_int_equal(put(&o, 4, CONFLATION_NEVER), STATUS_MISSING);
    websocket_outbox_close(&o);
}

static void what_waits_can_be_dropped_before_the_last_words(void **state)
{
    (void)state;
    struct websocket_outbox o;
    struct websocket_batch b;
    open_outbox(&o, QUEUE_MAX);
    for (unsigned i = 0; i < QUEUE_MAX; i++)
        assert_int_equal(put(&o, i, CONFLATION_NEVER), STATUS_OK);
    struct websocket_message *ping = websocket_message_control(WEBSOCKET_PING, NULL, 0);
    websocket_outbox_urge(&o, WEBSOCKET_URGENT_PING, &ping);
    websocket_outbox_clear(&o);
    assert_true(websocket_outbox_empty(&o));
    assert_int_equal(o.bytes, 0);
    finish(&o, WEBSOCKET_TOO_SLOW);
    websocket_outbox_take(&o, &b);
    assert_int_equal(b.count, 1);
    assert_true(b.last);
    release_all(&b);
    websocket_outbox_close(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_a_frame_and_lines_are_frames_each),
        cmocka_unit_test(a_message_lives_as_long_as_anybody_holds_it),
        cmocka_unit_test(nothing_is_conflated_until_more_than_the_lag_wait),
        cmocka_unit_test(what_is_conflated_keeps_the_order_of_sequences),
        cmocka_unit_test(it_is_full_by_messages),
        cmocka_unit_test(it_is_full_by_bytes),
        cmocka_unit_test(a_newer_book_fits_where_it_makes_room_for_itself),
        cmocka_unit_test(one_write_takes_64_kib_or_one_larger_message),
        cmocka_unit_test(one_write_takes_no_more_messages_than_its_array_holds),
        cmocka_unit_test(pongs_and_pings_go_first_and_only_the_newest),
        cmocka_unit_test(the_close_frame_is_the_last_and_has_a_place_in_a_full_one),
        cmocka_unit_test(what_waits_can_be_dropped_before_the_last_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
