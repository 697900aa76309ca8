/* origin: commands numbered, packed, repeated and answered for; against results made by hand.
 * Against a real matcher: tests/unit/services/exactly_once_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/origin.h"
#include "tests/unit/base/death.h"

enum { WINDOW = 8, EPOCH = 40, SEEN_MAX = 4096 };

/* The owner: what it was told, and what it was asked to send. */
struct owner {
    origin_t *origin;
    uint64_t now_ns;
    bool blocked;
    unsigned sends;
    uint64_t seen[SEEN_MAX]; /* origin_seq of every command sent, in order */
    unsigned seen_count;
    struct command last;
    uint8_t last_message[COMMAND_MESSAGE_SIZE_MAX];
    size_t last_size, largest;
    uint64_t results; /* told so far; the last one's: */
    struct result result;
    uint64_t frame_ns;
    unsigned lost;
    enum reason lost_code;
    uint64_t restarts_as; /* begins this session from inside of lost(); 0: it does not */
    bool goes_on;         /* places a command from inside of result() */
};

static struct owner owner;

static bool on_send(void *self, const uint8_t *message, size_t size)
{
    struct owner *o = self;
    assert_true(size > 0 && size <= ORIGIN_MESSAGE_SIZE_MAX);
    if (o->blocked)
        return false;
    o->sends++;
    memcpy(o->last_message, message, size);
    o->last_size = size;
    o->largest = size > o->largest ? size : o->largest;
    for (const uint8_t *at = o->last_message; at < o->last_message + size;) {
        assert_int_equal(command_read(&at, o->last_message + size, &o->last), COMMAND_READ_OK);
        assert_true(o->seen_count < SEEN_MAX);
        o->seen[o->seen_count++] = o->last.envelope.origin_seq;
    }
    return true;
}

static struct command mass_cancel(void)
{
    return (struct command){
        .type = MESSAGE_MASS_CANCEL,
        .mass_cancel = {.symbol = text_of("BTC-USD"), .account = text_of("a"), .side = SIDE_BUY},
    };
}

static void on_result(void *self, uint64_t origin_seq, const struct result *result,
                      uint64_t frame_ns)
{
    struct owner *o = self;
    assert_true(origin_seq == ++o->results); /* each once, in order */
    assert_true(result->origin_seq == origin_seq);
    o->result = *result;
    o->frame_ns = frame_ns;
    if (o->goes_on) {
        uint64_t seq;
        struct command c = mass_cancel();
        assert_int_equal(origin_command(o->origin, &c, &seq), STATUS_OK);
        assert_true(result->seq == 100 + origin_seq); /* still what it was */
    }
}

static void on_lost(void *self, enum reason code)
{
    struct owner *o = self;
    o->lost++;
    o->lost_code = code;
    if (o->restarts_as > 0) {
        o->results = 0;
        origin_restart(o->origin, o->restarts_as);
    }
}

static void open(struct owner *o, uint32_t window)
{
    memset(o, 0, sizeof *o);
    o->now_ns = NS_PER_SECOND;
    struct origin_owner functions = {o, on_send, on_result, on_lost};
    o->origin = origin_new(&functions, text_of("gw-1"), EPOCH, window);
}

static int setup(void **state)
{
    open(&owner, WINDOW);
    *state = &owner;
    return 0;
}

static int teardown(void **state)
{
    struct owner *o = *state;
    origin_destroy(&o->origin);
    assert_null(o->origin);
    origin_destroy(&o->origin); /* once more is no harm */
    return 0;
}

static enum status place(struct owner *o, uint64_t *seq)
{
    struct command c = mass_cancel();
    return origin_command(o->origin, &c, seq);
}

static void place_many(struct owner *o, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t seq;
        assert_int_equal(place(o, &seq), STATUS_OK);
    }
    origin_flush(o->origin, o->now_ns);
}

/* What was sent since the last time was first..last, in this order, once. */
static void assert_sent(struct owner *o, uint64_t first, uint64_t last)
{
    assert_int_equal(o->seen_count, last + 1 - first);
    for (unsigned i = 0; i < o->seen_count; i++)
        assert_int_equal(o->seen[i], first + i);
    o->seen_count = 0;
}

/* ---- frames of the ack. topic ---- */

static struct wire_writer frame_begin(uint8_t *bytes, uint32_t events)
{
    struct wire_writer w = {bytes};
    frame_head_put(&w, &(struct frame_head){.topic = text_of("ack.gw-1"),
                                            .type = FRAME_EVENTS,
                                            .epoch = 1,
                                            .seq = 500,
                                            .time_ns = 77,
                                            .group_count = 1});
    wire_put_array(&w, 2);
    wire_put_u64(&w, 500);
    wire_put_array(&w, events);
    return w;
}

static void receive_result(struct owner *o, const struct result *r)
{
    uint8_t bytes[512];
    struct wire_writer w = frame_begin(bytes, 1);
    result_put(&w, r);
    origin_receive(o->origin, bytes, (size_t)(w.at - bytes), o->now_ns);
}

/* The results of first..last, one frame each. */
static void answer(struct owner *o, uint64_t first, uint64_t last)
{
    for (uint64_t seq = first; seq <= last; seq++)
        receive_result(o, &(struct result){EPOCH, seq, 100 + seq, 0, 0, false, 0});
}

static void receive_gap(struct owner *o, uint64_t epoch, uint64_t expected)
{
    uint8_t bytes[512];
    struct wire_writer w = frame_begin(bytes, 1);
    origin_gap_put(&w, &(struct origin_gap){epoch, expected});
    origin_receive(o->origin, bytes, (size_t)(w.at - bytes), o->now_ns);
}

static void wait_ms(struct owner *o, uint64_t ms)
{
    o->now_ns += ms * NS_PER_MS;
    origin_tick(o->origin, o->now_ns);
}

/* ---- sending ---- */

static void a_command_takes_the_next_place_of_its_session(void **state)
{
    struct owner *o = *state;
    for (uint64_t expected = 1; expected <= 3; expected++) {
        struct command c = mass_cancel();
        uint64_t seq;
        c.envelope.deadline_ns = 5;
        assert_int_equal(origin_command(o->origin, &c, &seq), STATUS_OK);
        assert_int_equal(seq, expected);
        assert_int_equal(origin_unanswered(o->origin), expected);
    }
    assert_int_equal(o->sends, 0); /* before the flush */
    origin_flush(o->origin, o->now_ns);
    assert_int_equal(o->sends, 1);
    assert_true(text_equal(o->last.envelope.origin, text_of("gw-1")));
    assert_int_equal(o->last.envelope.origin_epoch, EPOCH);
    assert_int_equal(o->last.envelope.acked_through, 0);
    assert_int_equal(o->last.envelope.deadline_ns, 5);
    assert_int_equal(o->last.type, MESSAGE_MASS_CANCEL);
    assert_true(text_equal(o->last.mass_cancel.symbol, text_of("BTC-USD")));
    assert_sent(o, 1, 3);
    origin_flush(o->origin, o->now_ns); /* nothing new */
    assert_int_equal(o->sends, 1);
}

static void commands_are_packed_into_few_messages(void **state)
{
    (void)state;
    static struct owner many;
    open(&many, 4000);
    place_many(&many, 4000);
    assert_sent(&many, 1, 4000);
    assert_true(many.largest > ORIGIN_MESSAGE_SIZE_MAX - COMMAND_SIZE_MAX);
    assert_true(many.sends * (ORIGIN_MESSAGE_SIZE_MAX - COMMAND_SIZE_MAX) <
                4000 * COMMAND_SIZE_MAX);
    origin_destroy(&many.origin);
}

static void results_free_the_window(void **state)
{
    struct owner *o = *state;
    uint64_t seq;
    place_many(o, WINDOW);
    assert_int_equal(place(o, &seq), STATUS_FULL);
    answer(o, 2, WINDOW); /* the first is still missing */
    assert_int_equal(place(o, &seq), STATUS_FULL);
    assert_int_equal(o->results, 0);
    answer(o, 1, 1);
    assert_int_equal(o->results, WINDOW);
    place_many(o, WINDOW);
    assert_int_equal(o->last.envelope.acked_through, WINDOW);
    assert_int_equal(place(o, &seq), STATUS_FULL);
}

static void what_cannot_be_sent_is_sent_later_in_order(void **state)
{
    struct owner *o = *state;
    o->blocked = true;
    place_many(o, 3);
    wait_ms(o, 1);
    assert_int_equal(o->seen_count, 0);
    o->blocked = false;
    place_many(o, 2);
    assert_sent(o, 1, 5);
    o->blocked = true;
    place_many(o, 1);
    o->blocked = false;
    wait_ms(o, 1);
    assert_sent(o, 6, 6);
}

/* ---- results ---- */

static void results_are_told_once_and_in_order(void **state)
{
    struct owner *o = *state;
    place_many(o, 5);
    answer(o, 3, 3);
    answer(o, 2, 2);
    assert_int_equal(o->results, 0);
    answer(o, 1, 1);
    assert_int_equal(o->results, 3);
    answer(o, 1, 3); /* again: first results come as often as commands do */
    assert_int_equal(o->results, 3);
    answer(o, 5, 5);
    answer(o, 4, 4);
    assert_int_equal(o->results, 5);
    assert_int_equal(origin_unanswered(o->origin), 0);
}

static void a_result_is_handed_on_as_it_came(void **state)
{
    struct owner *o = *state;
    place_many(o, 1);
    struct result r = {EPOCH, 1, 501, REJECT_STP, 99, true, 7};
    receive_result(o, &r);
    assert_true(o->result.seq == 501 && o->result.code == REJECT_STP);
    assert_true(o->result.order_id == 99 && o->result.duplicate && o->result.count == 7);
    assert_int_equal(o->frame_ns, 77);
}

static void one_frame_may_bring_many_results(void **state)
{
    struct owner *o = *state;
    uint8_t bytes[2048];
    place_many(o, 5);
    struct wire_writer w = frame_begin(bytes, 6);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        result_put(&w, &(struct result){EPOCH, seq, 100 + seq, 0, 0, false, 0});
        if (seq == 3)
            delete_put(&w, &(struct delete){1}); /* nothing of ours */
    }
    origin_receive(o->origin, bytes, (size_t)(w.at - bytes), o->now_ns);
    assert_int_equal(o->results, 5);
}

static void results_of_nothing_we_asked_are_passed_over(void **state)
{
    struct owner *o = *state;
    place_many(o, 2);
    answer(o, 3, 3); /* not yet asked */
    answer(o, UINT64_MAX - 1, UINT64_MAX - 1);
    answer(o, 0, 0);
    receive_result(o, &(struct result){EPOCH - 1, 1, 5, 0, 0, false, 0}); /* another session */
    receive_result(o, &(struct result){EPOCH + 1, 1, 5, 0, 0, false, 0});
    assert_int_equal(o->results, 0);
    assert_int_equal(o->lost, 0);
    place_many(o, 1); /* and the early result is not taken for that of this one */
    answer(o, 1, 2);
    assert_int_equal(o->results, 2);
}

static void a_command_that_was_not_sequenced_is_still_unanswered(void **state)
{
    struct owner *o = *state;
    place_many(o, 2);
    receive_result(o, &(struct result){EPOCH, 1, 0, REJECT_ORIGIN_WINDOW_FULL, 0, false, 0});
    assert_true(o->results == 0 && o->lost == 0);
    assert_int_equal(origin_unanswered(o->origin), 2);
    o->seen_count = 0;
    wait_ms(o, ORIGIN_REPEAT_MS);
    assert_sent(o, 1, 2);
    answer(o, 1, 2);
    assert_int_equal(o->results, 2);
}

static void a_refusal_that_was_sequenced_is_told_once(void **state)
{
    struct owner *o = *state;
    static const enum reason codes[] = {REJECT_TOO_LATE, REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND,
                                        REJECT_UNKNOWN_ORDER};
    for (uint64_t seq = 1; seq <= 4; seq++) {
        place_many(o, 1);
        struct result r = {EPOCH, seq, 100 + seq, codes[seq - 1], 0, false, 0};
        receive_result(o, &r);
        receive_result(o, &r); /* of a repeat */
        assert_int_equal(o->results, seq);
        assert_int_equal(o->result.code, codes[seq - 1]);
    }
    o->seen_count = 0;
    wait_ms(o, 10 * ORIGIN_REPEAT_MS);
    assert_true(o->seen_count == 0 && o->lost == 0);
    assert_int_equal(origin_unanswered(o->origin), 0);
}

/* An old repeat arrives when its result is already acknowledged. */
static void too_old_a_repeat_is_no_news(void **state)
{
    struct owner *o = *state;
    place_many(o, 3);
    answer(o, 1, 1);
    answer(o, 3, 3); /* it is there, and waits for 2 */
    receive_result(o, &(struct result){EPOCH, 1, 0, REJECT_TOO_OLD, 0, false, 0});
    receive_result(o, &(struct result){EPOCH, 3, 0, REJECT_TOO_OLD, 0, false, 0});
    receive_result(o, &(struct result){EPOCH, 4, 0, REJECT_TOO_OLD, 0, false, 0});
    assert_true(o->results == 1 && o->lost == 0);
    answer(o, 2, 2);
    assert_int_equal(o->results, 3);
}

static void the_next_command_may_be_placed_from_inside_a_result(void **state)
{
    struct owner *o = *state;
    place_many(o, WINDOW);
    o->goes_on = true;
    answer(o, 1, WINDOW);
    assert_int_equal(o->results, WINDOW);
    for (unsigned i = 0; i < 10; i++) {
        uint64_t before = o->results;
        origin_flush(o->origin, o->now_ns);
        answer(o, before + 1, before + WINDOW);
        assert_int_equal(o->results, before + WINDOW);
    }
}

static void frames_nobody_can_read_are_passed_over(void **state)
{
    struct owner *o = *state;
    uint8_t bytes[512];
    place_many(o, 1);
    struct wire_writer w = frame_begin(bytes, 1);
    result_put(&w, &(struct result){EPOCH, 1, 101, 0, 0, false, 0});
    size_t size = (size_t)(w.at - bytes);
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = malloc(cut + (cut == 0)); /* exact, so that ASan sees a byte too far */
        memcpy(copy, bytes, cut);
        origin_receive(o->origin, copy, cut, o->now_ns);
        free(copy);
    }
    assert_int_equal(o->results, 0);
    origin_receive(o->origin, bytes, size, o->now_ns);
    assert_int_equal(o->results, 1);
}

/* ---- repeats ---- */

static void without_a_result_everything_unanswered_is_sent_again(void **state)
{
    struct owner *o = *state;
    place_many(o, 4);
    uint8_t first[COMMAND_MESSAGE_SIZE_MAX];
    size_t size = o->last_size;
    memcpy(first, o->last_message, size);
    o->seen_count = 0;
    wait_ms(o, ORIGIN_REPEAT_MS - 1);
    assert_int_equal(o->seen_count, 0);
    wait_ms(o, 1);
    assert_sent(o, 1, 4);
    assert_int_equal(o->last_size, size);
    assert_memory_equal(o->last_message, first, size); /* the same bytes: a repeat, no other */
    assert_int_equal(origin_repeats(o->origin), 1);
    wait_ms(o, ORIGIN_REPEAT_MS - 1);
    assert_int_equal(o->seen_count, 0);
    wait_ms(o, 1);
    assert_sent(o, 1, 4);
}

static void a_result_is_progress(void **state)
{
    struct owner *o = *state;
    place_many(o, 4);
    o->seen_count = 0;
    wait_ms(o, ORIGIN_REPEAT_MS - 1);
    answer(o, 1, 2);
    wait_ms(o, ORIGIN_REPEAT_MS - 1);
    assert_int_equal(o->seen_count, 0);
    wait_ms(o, 1);
    assert_sent(o, 3, 4);
}

/* As when a matcher dies with the result in its socket, and the next one goes on with its work. */
static void later_results_do_not_put_off_asking_for_a_lost_one(void **state)
{
    struct owner *o = *state;
    place_many(o, 2);
    o->seen_count = 0;
    for (uint64_t seq = 2; seq <= 6; seq++) {
        wait_ms(o, ORIGIN_REPEAT_MS / 5 - 1);
        assert_int_equal(o->seen_count, 0);
        answer(o, seq, seq);
        place_many(o, 1);
        o->seen_count = 0;
    }
    wait_ms(o, 5);
    assert_int_equal(o->seen_count, 2);
    assert_true(o->seen[0] == 1 && o->seen[1] == 7); /* what has a result is not asked for */
    answer(o, 1, 1);
    assert_int_equal(o->results, 6);
    o->seen_count = 0;
    wait_ms(o, ORIGIN_REPEAT_MS - 1); /* for 7 it begins now */
    assert_int_equal(o->seen_count, 0);
    wait_ms(o, 1);
    assert_sent(o, 7, 7);
}

static void with_everything_answered_nothing_is_repeated(void **state)
{
    struct owner *o = *state;
    place_many(o, 4);
    answer(o, 1, 4);
    o->seen_count = 0;
    wait_ms(o, 100 * ORIGIN_REPEAT_MS);
    assert_int_equal(o->sends, 1);
    place_many(o, 1); /* its time begins when it is sent, not with the last result */
    o->seen_count = 0;
    wait_ms(o, ORIGIN_REPEAT_MS - 1);
    assert_int_equal(o->seen_count, 0);
    wait_ms(o, 1);
    assert_sent(o, 5, 5);
}

/* ---- gaps ---- */

static void a_gap_is_filled_from_where_it_begins(void **state)
{
    struct owner *o = *state;
    place_many(o, 6);
    answer(o, 1, 1);
    o->seen_count = 0;
    receive_gap(o, EPOCH, 3);
    assert_sent(o, 3, 6);
    assert_int_equal(origin_repeats(o->origin), 1);
}

static void a_gap_told_many_times_is_filled_once(void **state)
{
    struct owner *o = *state;
    place_many(o, 6);
    o->seen_count = 0;
    receive_gap(o, EPOCH, 3);
    assert_sent(o, 3, 6);
    for (unsigned i = 0; i < 10; i++)
        receive_gap(o, EPOCH, 3);
    assert_int_equal(o->seen_count, 0);
    receive_gap(o, EPOCH, 5); /* another one at once */
    assert_sent(o, 5, 6);
    receive_gap(o, EPOCH, 3);
    assert_sent(o, 3, 6);
    o->now_ns += ORIGIN_REPEAT_MS / 10 * NS_PER_MS;
    receive_gap(o, EPOCH, 3); /* lost again, perhaps */
    assert_sent(o, 3, 6);
}

static void a_gap_of_another_session_or_of_nothing_is_passed_over(void **state)
{
    struct owner *o = *state;
    place_many(o, 3);
    o->seen_count = 0;
    receive_gap(o, EPOCH - 1, 1);
    receive_gap(o, EPOCH + 1, 1);
    receive_gap(o, EPOCH, 4); /* the next one, which is not there yet */
    receive_gap(o, EPOCH, UINT64_MAX);
    assert_true(o->seen_count == 0 && o->lost == 0);
}

/* ---- the end of a session ---- */

static void assert_lost(struct owner *o, enum reason code)
{
    uint64_t seq;
    assert_int_equal(o->lost, 1);
    assert_int_equal(o->lost_code, code);
    assert_int_equal(place(o, &seq), STATUS_MISSING);
    uint64_t results = o->results;
    o->seen_count = 0;
    origin_flush(o->origin, o->now_ns);
    answer(o, 1, 8);
    receive_gap(o, EPOCH, 1);
    wait_ms(o, 10 * ORIGIN_REPEAT_MS);
    assert_true(o->seen_count == 0 && o->results == results && o->lost == 1);
}

static void a_matcher_that_forgot_our_answers_ends_the_session(void **state)
{
    struct owner *o = *state;
    place_many(o, 6);
    answer(o, 1, 3);
    receive_gap(o, EPOCH, 3); /* it would do command 3 a second time */
    assert_lost(o, REJECT_EPOCH_CHANGED);
}

static void a_matcher_that_forgot_what_it_never_answered_is_told_again(void **state)
{
    struct owner *o = *state;
    place_many(o, 6);
    o->seen_count = 0;
    receive_gap(o, EPOCH, 1);
    assert_sent(o, 1, 6);
    assert_int_equal(o->lost, 0);
}

/* It answered 2 and 3, forgot them, and 1 was never answered: what it will say now counts. */
static void results_that_came_early_are_void_once_the_matcher_asks_for_the_command(void **state)
{
    struct owner *o = *state;
    place_many(o, 4);
    answer(o, 2, 3);
    o->seen_count = 0;
    receive_gap(o, EPOCH, 2);
    assert_sent(o, 2, 4);
    answer(o, 1, 1);
    assert_int_equal(o->results, 1);
    receive_result(o, &(struct result){EPOCH, 2, 900, 0, 0, false, 0});
    assert_true(o->results == 2 && o->result.seq == 900 && o->lost == 0);
}

static void a_newer_session_of_the_same_name_ends_ours(void **state)
{
    struct owner *o = *state;
    place_many(o, 2);
    receive_result(o, &(struct result){EPOCH, 1, 0, REJECT_OLD_ORIGIN_EPOCH, 0, false, 0});
    assert_lost(o, REJECT_OLD_ORIGIN_EPOCH);
}

static void a_matcher_without_room_for_us_ends_the_session(void **state)
{
    struct owner *o = *state;
    place_many(o, 2);
    receive_result(o, &(struct result){EPOCH, 1, 0, REJECT_TOO_MANY_ORIGINS, 0, false, 0});
    assert_lost(o, REJECT_TOO_MANY_ORIGINS);
}

/* Somebody else goes under our name and session, and has taken our result. */
static void a_result_we_shall_never_have_ends_the_session(void **state)
{
    struct owner *o = *state;
    place_many(o, 2);
    receive_result(o, &(struct result){EPOCH, 1, 0, REJECT_TOO_OLD, 0, false, 0});
    assert_lost(o, REJECT_TOO_OLD);
}

static void what_was_answered_before_the_end_is_told_before_it(void **state)
{
    struct owner *o = *state;
    uint8_t bytes[512];
    place_many(o, 3);
    struct wire_writer w = frame_begin(bytes, 3);
    result_put(&w, &(struct result){EPOCH, 1, 101, 0, 0, false, 0});
    result_put(&w, &(struct result){EPOCH, 2, 0, REJECT_OLD_ORIGIN_EPOCH, 0, false, 0});
    result_put(&w, &(struct result){EPOCH, 2, 102, 0, 0, false, 0});
    origin_receive(o->origin, bytes, (size_t)(w.at - bytes), o->now_ns);
    assert_int_equal(o->results, 1);
    assert_lost(o, REJECT_OLD_ORIGIN_EPOCH);
}

static void assert_begins_anew(struct owner *o, uint64_t epoch)
{
    uint64_t seq;
    o->seen_count = 0;
    assert_int_equal(origin_unanswered(o->origin), 0);
    assert_int_equal(origin_room(o->origin), WINDOW);
    wait_ms(o, 10 * ORIGIN_REPEAT_MS);
    assert_int_equal(o->seen_count, 0); /* what was asked before is forgotten */
    place_many(o, WINDOW);
    assert_sent(o, 1, WINDOW);
    assert_int_equal(place(o, &seq), STATUS_FULL);
    assert_int_equal(o->last.envelope.origin_epoch, epoch);
    assert_int_equal(o->last.envelope.acked_through, 0);
    answer(o, 1, WINDOW); /* of the old session */
    assert_int_equal(o->results, 0);
    for (seq = 1; seq <= WINDOW; seq++)
        receive_result(o, &(struct result){epoch, seq, 100 + seq, 0, 0, false, 0});
    assert_int_equal(o->results, WINDOW);
}

static void a_lost_session_begins_anew(void **state)
{
    struct owner *o = *state;
    for (uint64_t epoch = EPOCH; epoch < EPOCH + 3; epoch++) {
        place_many(o, 5);
        receive_result(o, &(struct result){epoch, 1, 0, REJECT_OLD_ORIGIN_EPOCH, 0, false, 0});
        assert_int_equal(o->lost, epoch + 1 - EPOCH);
        assert_int_equal(origin_room(o->origin), 0);
        o->results = 0;
        origin_restart(o->origin, epoch + 1);
        assert_begins_anew(o, epoch + 1);
    }
}

static void it_may_begin_anew_as_it_is_lost(void **state)
{
    struct owner *o = *state;
    o->restarts_as = EPOCH + 5;
    place_many(o, 6);
    answer(o, 1, 3);
    receive_gap(o, EPOCH, 3);
    assert_int_equal(o->lost, 1);
    assert_begins_anew(o, EPOCH + 5);
    receive_gap(o, EPOCH, 1);
    assert_int_equal(o->lost, 1);
}

static void restart_while_not_lost(void *self)
{
    origin_restart(((struct owner *)self)->origin, EPOCH + 1);
}

static void restart_under_the_same_epoch(void *self)
{
    struct owner *o = self;
    receive_result(o, &(struct result){EPOCH, 1, 0, REJECT_OLD_ORIGIN_EPOCH, 0, false, 0});
    origin_restart(o->origin, EPOCH);
}

static void only_a_lost_session_begins_anew_and_under_a_greater_epoch(void **state)
{
    assert_true(death_of(restart_while_not_lost, *state).aborted);
    assert_true(death_of(restart_under_the_same_epoch, *state).aborted);
}

static void room_is_what_the_window_leaves(void **state)
{
    struct owner *o = *state;
    for (uint64_t room = WINDOW; room > 0; room--) {
        assert_int_equal(origin_room(o->origin), room);
        place_many(o, 1);
    }
    assert_int_equal(origin_room(o->origin), 0);
    answer(o, 2, 2);
    assert_int_equal(origin_room(o->origin), 0);
    answer(o, 1, 1);
    assert_int_equal(origin_room(o->origin), 2);
}

/* ---- limits ---- */

static void open_without_a_name(void *self)
{
    struct origin_owner functions = {self, on_send, on_result, on_lost};
    origin_new(&functions, text_of(""), EPOCH, 1);
}

static void open_without_a_window(void *self)
{
    struct origin_owner functions = {self, on_send, on_result, on_lost};
    origin_new(&functions, text_of("gw"), EPOCH, 0);
}

static void a_name_has_1_to_32_characters_and_a_window_one_place(void **state)
{
    struct origin_owner functions = {*state, on_send, on_result, on_lost};
    char name[ORIGIN_SIZE_MAX + 1];
    memset(name, 'n', sizeof name);
    origin_t *o = origin_new(&functions, (struct text){name, ORIGIN_SIZE_MAX}, EPOCH, 1);
    struct command c = mass_cancel();
    uint64_t seq;
    assert_int_equal(origin_command(o, &c, &seq), STATUS_OK);
    assert_int_equal(origin_command(o, &c, &seq), STATUS_FULL);
    origin_destroy(&o);
    assert_true(death_of(open_without_a_name, *state).aborted);
    assert_true(death_of(open_without_a_window, *state).aborted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_command_takes_the_next_place_of_its_session),
        TEST(commands_are_packed_into_few_messages),
        TEST(results_free_the_window),
        TEST(what_cannot_be_sent_is_sent_later_in_order),
        TEST(results_are_told_once_and_in_order),
        TEST(a_result_is_handed_on_as_it_came),
        TEST(one_frame_may_bring_many_results),
        TEST(results_of_nothing_we_asked_are_passed_over),
        TEST(a_command_that_was_not_sequenced_is_still_unanswered),
        TEST(a_refusal_that_was_sequenced_is_told_once),
        TEST(too_old_a_repeat_is_no_news),
        TEST(the_next_command_may_be_placed_from_inside_a_result),
        TEST(frames_nobody_can_read_are_passed_over),
        TEST(without_a_result_everything_unanswered_is_sent_again),
        TEST(a_result_is_progress),
        TEST(later_results_do_not_put_off_asking_for_a_lost_one),
        TEST(with_everything_answered_nothing_is_repeated),
        TEST(a_gap_is_filled_from_where_it_begins),
        TEST(a_gap_told_many_times_is_filled_once),
        TEST(a_gap_of_another_session_or_of_nothing_is_passed_over),
        TEST(a_matcher_that_forgot_our_answers_ends_the_session),
        TEST(a_matcher_that_forgot_what_it_never_answered_is_told_again),
        TEST(results_that_came_early_are_void_once_the_matcher_asks_for_the_command),
        TEST(a_newer_session_of_the_same_name_ends_ours),
        TEST(a_matcher_without_room_for_us_ends_the_session),
        TEST(a_result_we_shall_never_have_ends_the_session),
        TEST(what_was_answered_before_the_end_is_told_before_it),
        TEST(a_lost_session_begins_anew),
        TEST(it_may_begin_anew_as_it_is_lost),
        TEST(only_a_lost_session_begins_anew_and_under_a_greater_epoch),
        TEST(room_is_what_the_window_leaves),
        TEST(a_name_has_1_to_32_characters_and_a_window_one_place),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
