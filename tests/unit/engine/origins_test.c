/* Each origin's commands once and in order, and the first result of each kept until it is acked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/engine/engine_kit.h"

static int setup(void **state)
{
    static struct kit k;
    struct configure limits = kit_limits();
    limits.origin_window = 4;
    limits.origins_max = 3;
    limits.events_max = 2;
    kit_open(&k, &limits, 1);
    *state = &k;
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    return 0;
}

static struct admission_answer admit(struct kit *k, const char *origin, uint64_t epoch,
                                     uint64_t seq, uint64_t acked)
{
    const struct envelope envelope = kit_envelope(origin, epoch, seq, acked);
    uint64_t before = engine_state_hash(k->engine);
    struct admission_answer answer = engine_admit(k->engine, &envelope, k->time_ns);
    assert_true(engine_state_hash(k->engine) == before); /* asking changes nothing */
    return answer;
}

static void assert_refused(struct admission_answer answer, enum reason code)
{
    assert_int_equal(answer.admission, ADMIT_REFUSE);
    assert_int_equal(answer.code, code);
}

static void assert_gap(struct admission_answer answer, uint64_t expected_seq)
{
    assert_int_equal(answer.admission, ADMIT_GAP);
    assert_int_equal(answer.expected_seq, expected_seq);
}

/* A command that must be admitted, and happens. */
static struct outcome send(struct kit *k, const char *origin, uint64_t epoch, uint64_t seq,
                           uint64_t acked, const struct command *what)
{
    struct command c = *what;
    uint64_t deadline_ns = c.envelope.deadline_ns;
    c.envelope = kit_envelope(origin, epoch, seq, acked);
    c.envelope.deadline_ns = deadline_ns;
    assert_int_equal(admit(k, origin, epoch, seq, acked).admission, ADMIT_NEXT);
    kit_apply(k, &c);
    return kit_outcome(k);
}

static struct outcome send_order(struct kit *k, const char *origin, uint64_t epoch, uint64_t seq,
                                 uint64_t acked)
{
    const struct command c = kit_new("a", "", SIDE_BUY, 10, 1);
    return send(k, origin, epoch, seq, acked, &c);
}

static void assert_repeat(struct kit *k, uint64_t seq, const struct outcome *first)
{
    struct admission_answer answer = admit(k, "gw", 1, seq, 0);
    assert_int_equal(answer.admission, ADMIT_REPEAT);
    assert_true(answer.outcome.seq == first->seq && answer.outcome.order_id == first->order_id);
    assert_true(answer.outcome.code == first->code && answer.outcome.count == first->count);
    assert_true(answer.outcome.ready == first->ready);
}

static void an_origin_begins_at_1(void **state)
{
    struct kit *k = *state;
    assert_gap(admit(k, "gw", 1, 0, 0), 1);
    assert_gap(admit(k, "gw", 1, 2, 0), 1);
    assert_gap(admit(k, "gw", 1, UINT64_MAX, 0), 1);
    assert_int_equal(admit(k, "gw", 1, 1, 0).admission, ADMIT_NEXT);
}

static void commands_are_admitted_in_order_only(void **state)
{
    struct kit *k = *state;
    for (uint64_t seq = 1; seq <= 3; seq++) {
        assert_gap(admit(k, "gw", 1, seq + 1, 0), seq);
        assert_gap(admit(k, "gw", 1, UINT64_MAX, 0), seq);
        send_order(k, "gw", 1, seq, 0);
    }
}

static void a_repeat_gives_the_first_result(void **state)
{
    struct kit *k = *state;
    struct outcome placed = send_order(k, "gw", 1, 1, 0);
    const struct command no_such = kit_cancel("a", 999);
    struct outcome refused = send(k, "gw", 1, 2, 0, &no_such);
    const struct command cancel = kit_cancel("a", placed.order_id);
    struct outcome cancelled = send(k, "gw", 1, 3, 0, &cancel);
    assert_int_equal(refused.code, REJECT_UNKNOWN_ORDER);
    assert_int_equal(cancelled.order_id, placed.order_id);
    assert_repeat(k, 1, &placed); /* though the order is gone */
    assert_repeat(k, 2, &refused);
    assert_repeat(k, 3, &cancelled);
}

static void a_command_that_came_too_late_keeps_its_place_and_its_refusal(void **state)
{
    struct kit *k = *state;
    struct command late = kit_new("a", "", SIDE_BUY, 10, 1);
    late.envelope.deadline_ns = k->time_ns - 1;
    struct outcome refused = send(k, "gw", 1, 1, 0, &late);
    assert_int_equal(refused.code, REJECT_TOO_LATE);
    assert_repeat(k, 1, &refused);
    late.envelope.deadline_ns = k->time_ns; /* stamped at the deadline is in time */
    assert_int_equal(send(k, "gw", 1, 2, 0, &late).code, 0);
    struct command cancel = kit_cancel("a", kit_outcome(k).order_id);
    cancel.envelope.deadline_ns = k->time_ns - 1; /* and cancels always are */
    assert_int_equal(send(k, "gw", 1, 3, 0, &cancel).code, 0);
}

static void what_is_acked_is_forgotten(void **state)
{
    struct kit *k = *state;
    send_order(k, "gw", 1, 1, 0);
    send_order(k, "gw", 1, 2, 0);
    struct outcome third = send_order(k, "gw", 1, 3, 2);
    assert_refused(admit(k, "gw", 1, 1, 0), REJECT_TOO_OLD);
    assert_refused(admit(k, "gw", 1, 2, 0), REJECT_TOO_OLD);
    assert_refused(admit(k, "gw", 1, 0, 0), REJECT_TOO_OLD);
    assert_repeat(k, 3, &third);
    struct outcome fourth = send_order(k, "gw", 1, 4, 1); /* it does not go back */
    assert_refused(admit(k, "gw", 1, 2, 0), REJECT_TOO_OLD);
    assert_repeat(k, 3, &third);
    assert_repeat(k, 4, &fourth);
}

static void unacked_commands_are_limited_by_the_window(void **state)
{
    struct kit *k = *state;
    for (uint64_t seq = 1; seq <= 4; seq++)
        send_order(k, "gw", 1, seq, 0);
    assert_refused(admit(k, "gw", 1, 5, 0), REJECT_ORIGIN_WINDOW_FULL);
    assert_gap(admit(k, "gw", 1, 6, 0), 5);
    assert_int_equal(admit(k, "gw", 1, 5, 1).admission, ADMIT_NEXT);
    assert_refused(admit(k, "gw", 1, 5, 5), REJECT_ORIGIN_WINDOW_FULL); /* acks its own result */
    send_order(k, "gw", 1, 5, 1);
    assert_refused(admit(k, "gw", 1, 6, 1), REJECT_ORIGIN_WINDOW_FULL);
    assert_int_equal(admit(k, "gw", 1, 6, 5).admission, ADMIT_NEXT);
}

static void a_full_window_of_results_is_kept(void **state)
{
    struct kit *k = *state;
    struct outcome first[20];
    for (uint64_t seq = 1; seq < 20; seq++) {
        first[seq] = send_order(k, "gw", 1, seq, seq > 4 ? seq - 4 : 0);
        for (uint64_t kept = seq > 4 ? seq - 3 : 1; kept <= seq; kept++)
            assert_repeat(k, kept, &first[kept]);
    }
}

static void a_new_epoch_begins_again_and_ends_the_old_one(void **state)
{
    struct kit *k = *state;
    send_order(k, "gw", 5, 1, 0);
    send_order(k, "gw", 5, 2, 1);
    assert_gap(admit(k, "gw", 6, 3, 2), 1);
    assert_int_equal(admit(k, "gw", 5, 3, 0).admission, ADMIT_NEXT); /* asking did not begin it */
    send_order(k, "gw", 6, 1, 0);
    assert_refused(admit(k, "gw", 5, 3, 0), REJECT_OLD_ORIGIN_EPOCH);
    assert_refused(admit(k, "gw", 5, 1, 0), REJECT_OLD_ORIGIN_EPOCH);
    assert_refused(admit(k, "gw", 0, 1, 0), REJECT_OLD_ORIGIN_EPOCH);
    assert_int_equal(admit(k, "gw", 6, 1, 0).admission, ADMIT_REPEAT);
    assert_gap(admit(k, "gw", 6, 3, 0), 2);
    for (uint64_t seq = 2; seq <= 4; seq++) /* nothing of the old one's acks is left */
        send_order(k, "gw", 6, seq, 0);
    assert_refused(admit(k, "gw", 6, 5, 0), REJECT_ORIGIN_WINDOW_FULL);
}

static void origins_do_not_touch_each_other(void **state)
{
    struct kit *k = *state;
    struct outcome first = send_order(k, "gw", 1, 1, 0);
    send_order(k, "gw2", 9, 1, 0);
    send_order(k, "gw2", 9, 2, 1);
    assert_repeat(k, 1, &first);
    assert_gap(admit(k, "gw", 1, 3, 0), 2);
}

static void origins_are_refused_above_their_limit(void **state)
{
    struct kit *k = *state;
    send_order(k, "one", 1, 1, 0);
    send_order(k, "two", 1, 1, 0);
    send_order(k, "three", 1, 1, 0);
    assert_refused(admit(k, "four", 1, 1, 0), REJECT_TOO_MANY_ORIGINS);
    send_order(k, "three", 1, 2, 0);
    send_order(k, "one", 2, 1, 0);
}

static const uint64_t silence_ns = UINT64_C(3600000000000); /* before one may be forgotten */

static void an_origin_silent_for_an_hour_makes_room(void **state)
{
    struct kit *k = *state;
    uint64_t began_ns = k->time_ns;
    send_order(k, "one", 1, 1, 0);
    k->time_ns = began_ns + 1;
    send_order(k, "two", 1, 1, 0);
    send_order(k, "three", 1, 1, 0);
    send_order(k, "one", 1, 2, 0);
    k->time_ns = began_ns + silence_ns;
    assert_refused(admit(k, "four", 1, 1, 0), REJECT_TOO_MANY_ORIGINS);
    k->time_ns++;
    send_order(k, "four", 1, 1, 0); /* of those silent alike the first: one */
    send_order(k, "four", 1, 2, 0);
    assert_gap(admit(k, "one", 1, 3, 0), 1);
    send_order(k, "five", 1, 1, 0);
    send_order(k, "three", 1, 2, 0); /* it is known, and silent no more */
    assert_refused(admit(k, "one", 1, 1, 0), REJECT_TOO_MANY_ORIGINS);
    assert_refused(admit(k, "two", 2, 1, 0), REJECT_TOO_MANY_ORIGINS);
}

static void while_there_is_room_nobody_is_forgotten(void **state)
{
    struct kit *k = *state;
    send_order(k, "gw", 1, 1, 0);
    send_order(k, "two", 1, 1, 0);
    k->time_ns += 1000 * silence_ns;
    send_order(k, "three", 1, 1, 0);
    assert_int_equal(admit(k, "gw", 1, 1, 0).admission, ADMIT_REPEAT);
    assert_int_equal(admit(k, "gw", 1, 2, 0).admission, ADMIT_NEXT);
}

static void nothing_of_a_forgotten_origin_is_its_successors(void **state)
{
    struct kit *k = *state;
    for (uint64_t seq = 1; seq <= 3; seq++)
        send_order(k, "gw", 9, seq, seq - 1);
    k->time_ns += 1;
    send_order(k, "two", 1, 1, 0);
    send_order(k, "three", 1, 1, 0);
    k->time_ns += silence_ns - 1;
    assert_gap(admit(k, "new", 4, 4, 3), 1);
    for (uint64_t seq = 1; seq <= 4; seq++)
        send_order(k, "new", 4, seq, 0);
    assert_refused(admit(k, "new", 4, 5, 0), REJECT_ORIGIN_WINDOW_FULL);
    assert_refused(admit(k, "new", 3, 1, 0), REJECT_OLD_ORIGIN_EPOCH);
}

static void the_result_of_a_mass_cancel_is_its_last_one(void **state)
{
    struct kit *k = *state;
    for (unsigned i = 0; i < 5; i++)
        kit_place(k, "a", "", SIDE_BUY, 10, 1);
    const struct command mass = kit_mass_cancel("a");
    struct outcome going_on = send(k, "gw", 1, 1, 0, &mass);
    assert_false(going_on.ready);
    assert_false(admit(k, "gw", 1, 1, 0).outcome.ready);
    assert_int_equal(kit_continue(k), 2);
    struct finished_command finished = engine_result(k->engine);
    assert_true(text_equal(finished.origin, text_of("gw")));
    assert_int_equal(finished.origin_epoch, 1);
    assert_int_equal(finished.origin_seq, 1);
    assert_true(finished.outcome.ready);
    assert_int_equal(finished.outcome.count, 5);
    assert_int_equal(finished.outcome.seq, going_on.seq);
    assert_repeat(k, 1, &finished.outcome);
}

static void a_sweep_that_goes_on_has_its_result_at_once(void **state)
{
    struct kit *k = *state;
    for (unsigned i = 0; i < 5; i++)
        kit_place(k, "a", "", SIDE_SELL, 10, 1);
    const struct command sweep = kit_new("b", "", SIDE_BUY, 10, 5);
    struct outcome first = send(k, "gw", 1, 1, 0, &sweep);
    assert_true(first.ready);
    assert_int_not_equal(engine_waiting(k->engine), 0);
    assert_int_equal(kit_continue(k), 2);
    assert_false(kit_outcome(k).ready);
    assert_int_equal(engine_result(k->engine).origin.size, 0);
    assert_repeat(k, 1, &first);
}

static void internal_commands_are_unknown_to_origins(void **state)
{
    struct kit *k = *state;
    static const uint64_t internal[] = {MESSAGE_CONFIGURE, MESSAGE_ADD_SYMBOL,
                                        MESSAGE_CONTINUE_WORK};
    for (uint64_t i = 0; i < 3; i++) {
        const struct command c = {.type = internal[i]};
        struct outcome outcome = send(k, "gw", 1, i + 1, i, &c);
        assert_int_equal(outcome.code, REJECT_UNKNOWN_COMMAND);
        assert_repeat(k, i + 1, &outcome);
    }
    assert_int_equal(engine_symbol_count(k->engine), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_origin_begins_at_1),
        TEST(commands_are_admitted_in_order_only),
        TEST(a_repeat_gives_the_first_result),
        TEST(a_command_that_came_too_late_keeps_its_place_and_its_refusal),
        TEST(what_is_acked_is_forgotten),
        TEST(unacked_commands_are_limited_by_the_window),
        TEST(a_full_window_of_results_is_kept),
        TEST(a_new_epoch_begins_again_and_ends_the_old_one),
        TEST(origins_do_not_touch_each_other),
        TEST(origins_are_refused_above_their_limit),
        TEST(an_origin_silent_for_an_hour_makes_room),
        TEST(while_there_is_room_nobody_is_forgotten),
        TEST(nothing_of_a_forgotten_origin_is_its_successors),
        TEST(the_result_of_a_mass_cancel_is_its_last_one),
        TEST(a_sweep_that_goes_on_has_its_result_at_once),
        TEST(internal_commands_are_unknown_to_origins),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
