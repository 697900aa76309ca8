/* cycle: when commands are taken in, what time it is, and what may be sent; without sockets or
 * clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/cycle.h"
#include "tests/unit/node/fake_journal.h"

#define SECOND UINT64_C(1000000000)

enum { COMMANDS, REQUESTS };

struct fixture {
    struct outbox outbox;
    struct journal journal;
    struct cycle cycle;
    unsigned taken;
    bool checkpoints;
    uint64_t now_ns;
    enum standing standing;
    uint64_t committed_seq;
    unsigned stands;
};

static void on_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    struct fixture *f = self;
    f->now_ns = now_ns;
    f->outbox.batch = batch;
    f->taken = 0;
}

static enum intake on_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    struct fixture *f = self;
    if (input == REQUESTS && size == 1 && message[0] == 'r')
        return INTAKE_RESUME;
    f->taken += input == COMMANDS;
    uint8_t *out = outbox_reserve(&f->outbox, size);
    memcpy(out, message, size);
    outbox_commit(&f->outbox, 0, size);
    return INTAKE_MORE;
}

static bool on_end(void *self, struct journal_batch *batch)
{
    struct fixture *f = self;
    *batch = (struct journal_batch){.count = f->taken};
    return f->taken > 0;
}

static bool on_checkpoint(void *self, bool last, uint64_t *hash)
{
    *hash = 1;
    return last || ((struct fixture *)self)->checkpoints;
}

static void on_stand(void *self, enum standing standing, uint64_t committed_seq)
{
    struct fixture *f = self;
    f->standing = standing;
    f->committed_seq = committed_seq;
    f->stands++;
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof *f);
    outbox_init(&f->outbox, 1 << 16);
    f->journal.commits_at_once = true;
    struct service service = {
        .self = f,
        .outbox = &f->outbox,
        .commands_input = COMMANDS,
        .begin = on_begin,
        .receive = on_receive,
        .end = on_end,
        .checkpoint = on_checkpoint,
        .stand = on_stand,
    };
    cycle_init(&f->cycle, &service, &f->journal, 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    outbox_close(&((struct fixture *)*state)->outbox);
    return 0;
}

static uint64_t clock_ns = 100 * SECOND; /* the wall clock where nothing else is said */

static void begin(struct fixture *f)
{
    clock_ns += SECOND;
    assert_true(cycle_begin(&f->cycle, clock_ns, clock_ns));
}

static enum status turn(struct fixture *f, const char *command)
{
    begin(f);
    if (command != NULL && cycle_reads(&f->cycle, COMMANDS))
        cycle_offer(&f->cycle, COMMANDS, (const uint8_t *)command, strlen(command));
    enum status status = cycle_end(&f->cycle);
    return status == STATUS_OK ? cycle_commit(&f->cycle, true, clock_ns) : status;
}

static bool sends(struct fixture *f, const char *text)
{
    struct outgoing m;
    if (!cycle_due(&f->cycle, &m))
        return false;
    assert_true(m.size == strlen(text) && memcmp(m.bytes, text, m.size) == 0);
    cycle_sent(&f->cycle);
    return true;
}

/* ---- standing ---- */

static void a_service_is_open_from_its_first_turn(void **state)
{
    struct fixture *f = *state;
    turn(f, "a");
    assert_int_equal(f->standing, STANDING_OPEN);
    assert_int_equal(f->stands, 1);
    assert_true(sends(f, "a"));
    turn(f, "b");
    assert_int_equal(f->stands, 1); /* told when it changes */
}

static void without_room_commands_wait_and_requests_do_not(void **state)
{
    struct fixture *f = *state;
    turn(f, "a");
    f->journal.no_room = true;
    begin(f);
    assert_int_equal(f->standing, STANDING_NO_SPACE);
    assert_false(cycle_reads(&f->cycle, COMMANDS));
    assert_true(cycle_reads(&f->cycle, REQUESTS));
    cycle_end(&f->cycle);
    f->journal.no_room = false;
    turn(f, "b");
    assert_int_equal(f->standing, STANDING_OPEN);
    assert_int_equal(f->journal.offered, 2);
}

static void what_a_failed_journal_did_not_commit_is_never_sent(void **state)
{
    struct fixture *f = *state;
    f->journal.commits_at_once = false;
    turn(f, "kept");
    f->journal.committed = 1;
    f->journal.committed_seq = 7;
    f->journal.broken = true;
    assert_int_equal(turn(f, "lost"), STATUS_IO);
    assert_true(sends(f, "kept"));
    begin(f);
    assert_int_equal(f->standing, STANDING_FAILED);
    assert_int_equal(f->committed_seq, 7);
    assert_false(cycle_reads(&f->cycle, COMMANDS));
    assert_false(sends(f, "lost"));
    assert_int_equal(cycle_end(&f->cycle), STATUS_OK);
}

static void a_batch_without_space_is_offered_again_before_anything_else(void **state)
{
    struct fixture *f = *state;
    f->journal.full = 2;
    assert_int_equal(turn(f, "a"), STATUS_OK);
    assert_false(sends(f, "a"));
    assert_false(cycle_begin(&f->cycle, clock_ns, clock_ns));
    assert_int_equal(cycle_end(&f->cycle), STATUS_OK);
    assert_false(sends(f, "a"));
    assert_false(cycle_begin(&f->cycle, clock_ns, clock_ns));
    assert_int_equal(cycle_end(&f->cycle), STATUS_OK);
    assert_true(sends(f, "a"));
    assert_int_equal(f->journal.offered, 3);
    assert_true(cycle_begin(&f->cycle, clock_ns, clock_ns));
}

static void two_batches_may_be_under_way_and_no_third(void **state)
{
    struct fixture *f = *state;
    f->journal.commits_at_once = false;
    turn(f, "a");
    assert_false(cycle_waits(&f->cycle));
    turn(f, "b");
    assert_true(cycle_waits(&f->cycle));
    f->journal.committed = 1;
    assert_false(cycle_waits(&f->cycle));
    assert_true(sends(f, "a"));
    assert_false(sends(f, "b"));
}

static void a_stop_finishes_what_was_taken_in(void **state)
{
    struct fixture *f = *state;
    f->journal.commits_at_once = false;
    turn(f, "a");
    cycle_stop(&f->cycle);
    turn(f, "b"); /* not taken */
    assert_int_equal(f->standing, STANDING_DRAINING);
    assert_int_equal(f->journal.offered, 1);
    assert_false(cycle_stopped(&f->cycle));
    f->journal.committed = 1;
    assert_true(cycle_stopped(&f->cycle));
    assert_true(sends(f, "a"));
    assert_int_equal(cycle_close(&f->cycle), STATUS_OK);
    assert_true(f->journal.closed);
    assert_int_equal(f->journal.checkpoints, 1);
    assert_int_equal(f->standing, STANDING_STOPPED);
    turn(f, "c"); /* its last word, in which it takes nothing */
    assert_int_equal(f->standing, STANDING_STOPPED);
    assert_int_equal(f->journal.offered, 1);
}

static void a_checkpoint_stands_behind_its_batch(void **state)
{
    struct fixture *f = *state;
    f->checkpoints = true;
    turn(f, "a");
    assert_int_equal(f->journal.checkpoints, 1);
    assert_int_equal(f->journal.last_number, 1);
    turn(f, "b");
    assert_int_equal(f->journal.last_number, 3);
    assert_true(sends(f, "a") && sends(f, "b"));
}

/* ---- time ---- */

static bool at(struct fixture *f, uint64_t wall_ns, uint64_t boot_ns)
{
    assert_true(cycle_begin(&f->cycle, wall_ns, boot_ns));
    assert_int_equal(cycle_end(&f->cycle), STATUS_OK);
    return f->standing == STANDING_OPEN;
}

static void time_never_goes_back_nor_stands_still(void **state)
{
    struct fixture *f = *state;
    at(f, 1000 * SECOND, SECOND);
    at(f, 900 * SECOND, SECOND);
    assert_true(f->now_ns == 1000 * SECOND);
    at(f, 902 * SECOND, 3 * SECOND); /* half as fast, until the clock has caught up */
    assert_true(f->now_ns == 1001 * SECOND);
    at(f, 1098 * SECOND, 199 * SECOND);
    assert_true(f->now_ns == 1099 * SECOND);
    at(f, 1101 * SECOND, 202 * SECOND);
    assert_true(f->now_ns == 1101 * SECOND);
}

static void a_jump_of_a_minute_is_time_and_one_ns_more_is_not(void **state)
{
    struct fixture *f = *state;
    at(f, 1000 * SECOND, SECOND);
    assert_true(at(f, 1001 * SECOND + CLOCK_JUMP_MAX_NS - 1, 2 * SECOND));
    assert_true(at(f, 1002 * SECOND + 2 * CLOCK_JUMP_MAX_NS - 1, 3 * SECOND)); /* exactly 60 s */
    uint64_t before = f->now_ns;
    assert_false(at(f, before + SECOND + CLOCK_JUMP_MAX_NS + 1, 4 * SECOND));
    assert_int_equal(f->standing, STANDING_CLOCK_JUMP);
    assert_true(f->now_ns == before + SECOND); /* the other clock goes on */
}

static void time_passed_while_stopped_is_no_jump(void **state)
{
    struct fixture *f = *state;
    struct service service = f->cycle.service;
    cycle_init(&f->cycle, &service, &f->journal, 1000 * SECOND);
    assert_true(at(f, 9000 * SECOND, SECOND));
    assert_true(f->now_ns == 9000 * SECOND);
}

static void a_jump_ends_when_it_is_confirmed(void **state)
{
    struct fixture *f = *state;
    at(f, 1000 * SECOND, SECOND);
    assert_false(at(f, 5000 * SECOND, 2 * SECOND));
    cycle_begin(&f->cycle, 5001 * SECOND, 3 * SECOND);
    assert_int_equal(cycle_offer(&f->cycle, REQUESTS, (const uint8_t *)"r", 1), INTAKE_MORE);
    cycle_end(&f->cycle);
    assert_true(at(f, 5002 * SECOND, 4 * SECOND));
    assert_true(f->now_ns == 5002 * SECOND);
}

static void a_jump_ends_when_the_clock_comes_back(void **state)
{
    struct fixture *f = *state;
    at(f, 1000 * SECOND, SECOND);
    assert_false(at(f, 5000 * SECOND, 2 * SECOND));
    assert_true(at(f, 1002 * SECOND, 3 * SECOND));
    assert_true(f->now_ns == 1002 * SECOND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_service_is_open_from_its_first_turn),
        TEST(without_room_commands_wait_and_requests_do_not),
        TEST(what_a_failed_journal_did_not_commit_is_never_sent),
        TEST(a_batch_without_space_is_offered_again_before_anything_else),
        TEST(two_batches_may_be_under_way_and_no_third),
        TEST(a_stop_finishes_what_was_taken_in),
        TEST(a_checkpoint_stands_behind_its_batch),
        TEST(time_never_goes_back_nor_stands_still),
        TEST(a_jump_of_a_minute_is_time_and_one_ns_more_is_not),
        TEST(time_passed_while_stopped_is_no_jump),
        TEST(a_jump_ends_when_it_is_confirmed),
        TEST(a_jump_ends_when_the_clock_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
