/* mailbox: in order, nothing lost, full is told, and its descriptor never forgets anybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>

#include "bus/mailbox.h"

enum { RING = 1024, WRITERS = 4, MESSAGES = 20000 };

static bool readable(const mailbox_t *m)
{
    struct pollfd p = {.fd = mailbox_fd(m), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void put(mailbox_t *m, const char *text)
{
    assert_int_equal(mailbox_put(m, text, strlen(text)), STATUS_OK);
}

static void assert_taken(mailbox_t *m, const char *text)
{
    const uint8_t *bytes;
    size_t size;
    assert_true(mailbox_take(m, &bytes, &size));
    assert_int_equal(size, strlen(text));
    assert_memory_equal(bytes, text, size);
}

static void assert_empty(mailbox_t *m)
{
    const uint8_t *bytes;
    size_t size;
    assert_false(mailbox_take(m, &bytes, &size));
}

static void messages_come_out_as_they_went_in(void **state)
{
    (void)state;
    mailbox_t *m = mailbox_new(RING);
    put(m, "one");
    put(m, "a longer second");
    assert_taken(m, "one");
    put(m, "3");
    assert_taken(m, "a longer second");
    assert_taken(m, "3");
    assert_empty(m);
    mailbox_destroy(&m);
    assert_null(m);
}

static void its_descriptor_is_readable_while_something_is_in_it(void **state)
{
    (void)state;
    mailbox_t *m = mailbox_new(RING);
    assert_false(readable(m));
    put(m, "one");
    put(m, "two");
    assert_true(readable(m));
    assert_taken(m, "one");
    assert_true(readable(m));
    assert_taken(m, "two");
    assert_empty(m); /* seen empty: now there is nothing to wake for */
    assert_false(readable(m));
    put(m, "three");
    assert_true(readable(m));
    mailbox_destroy(&m);
}

/* A message of 56 bytes takes 64 of the ring. */
static void a_full_mailbox_says_so_and_takes_nothing(void **state)
{
    (void)state;
    char bytes[56];
    mailbox_t *m = mailbox_new(RING);
    for (unsigned i = 0; i < RING / 64; i++) {
        memset(bytes, (int)i, sizeof bytes);
        assert_int_equal(mailbox_put(m, bytes, sizeof bytes), STATUS_OK);
    }
    assert_int_equal(mailbox_put(m, bytes, 1), STATUS_FULL);
    const uint8_t *taken;
    size_t size;
    for (unsigned i = 0; i < RING / 64; i++) {
        assert_true(mailbox_take(m, &taken, &size));
        assert_int_equal(taken[0], i);
    }
    assert_empty(m);
    put(m, "again");
    assert_taken(m, "again");
    mailbox_destroy(&m);
}

/* What was taken last is the taker's until the next call, so its room is not given away. */
static void a_message_stays_until_the_next_is_taken(void **state)
{
    (void)state;
    char bytes[248];
    mailbox_t *m = mailbox_new(RING);
    const uint8_t *taken;
    size_t size;
    memset(bytes, 'a', sizeof bytes);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(mailbox_put(m, bytes, sizeof bytes), STATUS_OK);
    assert_true(mailbox_take(m, &taken, &size));
    memset(bytes, 'b', sizeof bytes);
    assert_int_equal(mailbox_put(m, bytes, sizeof bytes), STATUS_FULL);
    assert_int_equal(taken[0], 'a');
    assert_true(mailbox_take(m, &taken, &size));
    assert_int_equal(mailbox_put(m, bytes, sizeof bytes), STATUS_OK);
    mailbox_destroy(&m);
}

/* Sizes from 1 to the largest, so that every place in the ring is a beginning and an end. */
static void every_size_fits_around_the_end_of_the_ring(void **state)
{
    (void)state;
    mailbox_t *m = mailbox_new(RING);
    uint8_t bytes[RING / 4 - 8];
    for (size_t round = 0; round < 50; round++) {
        for (size_t size = 1; size <= sizeof bytes; size++) {
            const uint8_t *taken;
            size_t taken_size;
            memset(bytes, (int)(size + round), size);
            assert_int_equal(mailbox_put(m, bytes, size), STATUS_OK);
            assert_true(mailbox_take(m, &taken, &taken_size));
            assert_int_equal(taken_size, size);
            assert_memory_equal(taken, bytes, size);
        }
    }
    mailbox_destroy(&m);
}

/* ---- many writers, one taker that sleeps on the descriptor ---- */

struct writer {
    mailbox_t *mailbox;
    uint32_t number;
};

static void *write_all(void *self)
{
    const struct writer *w = self;
    for (uint32_t i = 1; i <= MESSAGES; i++) {
        uint32_t message[2] = {w->number, i};
        while (mailbox_put(w->mailbox, message, sizeof message) == STATUS_FULL)
            continue;
    }
    return NULL;
}

static void nothing_of_many_writers_is_lost_or_late(void **state)
{
    (void)state;
    mailbox_t *m = mailbox_new(RING);
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    uint32_t last[WRITERS] = {0}, taken = 0;
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){m, i};
        assert_int_equal(pthread_create(&threads[i], NULL, write_all, &writers[i]), 0);
    }
    while (taken < WRITERS * MESSAGES) {
        struct pollfd p = {.fd = mailbox_fd(m), .events = POLLIN};
        const uint8_t *bytes;
        size_t size;
        assert_int_equal(poll(&p, 1, 10000), 1); /* a wake-up that got lost would hang here */
        while (mailbox_take(m, &bytes, &size)) {
            uint32_t message[2];
            assert_int_equal(size, sizeof message);
            memcpy(message, bytes, size);
            assert_int_equal(message[1], ++last[message[0]]);
            taken++;
        }
    }
    for (uint32_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    assert_empty(m);
    mailbox_destroy(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_out_as_they_went_in),
        cmocka_unit_test(its_descriptor_is_readable_while_something_is_in_it),
        cmocka_unit_test(a_full_mailbox_says_so_and_takes_nothing),
        cmocka_unit_test(a_message_stays_until_the_next_is_taken),
        cmocka_unit_test(every_size_fits_around_the_end_of_the_ring),
        cmocka_unit_test(nothing_of_many_writers_is_lost_or_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
