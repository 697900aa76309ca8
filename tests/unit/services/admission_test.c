/* matcher: what it sequences and what it does not: garbage, strangers, repeats, gaps, old
 * sessions, late commands, and work left over. Whatever comes, it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/services/stage.h"

static struct stage stage;
static struct message message;

static int setup_with(void **state, const struct matcher_options *options)
{
    *state = &stage;
    stage_open(&stage, options);
    message_clear(&message);
    return 0;
}

static int setup(void **state)
{
    struct matcher_options options = stage_options();
    return setup_with(state, &options);
}

/* A command makes at most 3 fills or cancels, a batch holds 4 commands, an origin may have 5
 * unacknowledged, and there are 2 origins. */
static int setup_small(void **state)
{
    struct matcher_options options = stage_options();
    options.limits.events_max = 3;
    options.limits.origin_window = 5;
    options.limits.origins_max = 2;
    options.batch_commands_max = 4;
    return setup_with(state, &options);
}

static int teardown(void **state)
{
    stage_close(*state);
    return 0;
}

static struct matcher_counts counts(const struct stage *s)
{
    return matcher_counts(s->matcher);
}

static uint64_t seq_of(const struct stage *s)
{
    return engine_seq(matcher_engine(s->matcher));
}

/* The next command of "gw" still works: it becomes seq. */
static void assert_goes_on(struct stage *s, uint64_t origin_seq)
{
    uint64_t before = seq_of(s);
    stage_clear(s);
    message_clear(&message);
    message_order(&message, origin_seq, SIDE_BUY, 1, 1);
    stage_batch(s, &message);
    assert_true(seq_of(s) == before + 1);
    assert_int_equal(stage_result(s, "gw").code, 0);
    stage_clear(s);
}

/* ---- garbage ---- */

static void offer(struct stage *s, const uint8_t *bytes, size_t size)
{
    uint64_t before = seq_of(s);
    stage_begin(s);
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, bytes, size), INTAKE_MORE);
    assert_false(stage_end(s));
    assert_int_equal(s->said_count, 0); /* there is nobody to answer */
    assert_true(seq_of(s) == before);
}

static void every_cut_of_a_command_is_garbage(void **state)
{
    struct stage *s = *state;
    static struct message whole;
    message_clear(&whole);
    message_order(&whole, 1, SIDE_BUY, 100, 5);
    for (size_t cut = 0; cut < whole.size; cut++) {
        offer(s, whole.bytes, cut);
        assert_int_equal(counts(s).garbage, cut + 1);
    }
    assert_goes_on(s, 1);
    assert_int_equal(counts(s).garbage, whole.size);
}

static void what_is_not_msgpack_is_garbage(void **state)
{
    struct stage *s = *state;
    static const char *const nonsense[] = {"\xc1",
                                           "hello",
                                           "\x90",
                                           "\x91\x01",
                                           "\x80",
                                           "\xdd\xff\xff\xff\xff",
                                           "\xdb\xff\xff\xff\xff"};
    for (unsigned i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        offer(s, (const uint8_t *)nonsense[i], strlen(nonsense[i]));
        assert_int_equal(counts(s).garbage, i + 1);
    }
    assert_goes_on(s, 1);
}

static void another_version_is_foreign(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    for (unsigned version = 0; version < 4; version++) {
        if (version == PROTOCOL_VERSION)
            continue;
        message.bytes[3] = (uint8_t)version; /* behind an array of 16 bits of count */
        offer(s, message.bytes, message.size);
    }
    assert_true(counts(s).foreign == 3 && counts(s).garbage == 0);
    assert_goes_on(s, 1);
}

static void what_stands_before_garbage_is_done_and_what_stands_behind_is_lost(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    message_put_bytes(&message, "\xc1", 1);
    message_order(&message, 2, SIDE_BUY, 100, 5);
    stage_batch(s, &message);
    assert_int_equal(s->journal.count, 1);
    assert_int_equal(counts(s).garbage, 1);
    assert_goes_on(s, 2);
}

static void a_message_holds_at_most_64_kib(void **state)
{
    struct stage *s = *state;
    struct matcher_options options = stage_options();
    struct command c = new_order_of(SIDE_BUY, 100, 5);
    options.batch_commands_max = options.batch_origin_max = 3000;
    options.limits.open_orders_max = 3000;
    stage_close(s);
    stage_open(s, &options);
    for (uint64_t seq = 1; message.size <= COMMAND_MESSAGE_SIZE_MAX - COMMAND_SIZE_MAX; seq++)
        message_put(&message, &c, envelope_of("gw", 1, seq));
    size_t commands = message.size;
    memset(message.bytes + commands, 0xc1, sizeof message.bytes - commands);
    offer(s, message.bytes, COMMAND_MESSAGE_SIZE_MAX + 1);
    assert_true(counts(s).garbage == 1 && seq_of(s) == 4);
    message.size = COMMAND_MESSAGE_SIZE_MAX;
    stage_batch(s, &message); /* what it holds is done, its filling is garbage */
    assert_true(counts(s).garbage == 2 && s->journal.count > 500);
}

/* Fields of a later version make it longer; 4096 bytes are the end. */
static void a_command_holds_at_most_4096_bytes(void **state)
{
    struct stage *s = *state;
    static const char filler[COMMAND_READ_SIZE_MAX];
    for (size_t size = COMMAND_READ_SIZE_MAX - 1; size <= COMMAND_READ_SIZE_MAX + 1; size++) {
        uint64_t before = seq_of(s);
        message_clear(&message);
        message_order(&message, before - 3, SIDE_BUY, 100, 5);
        size_t known = message.size;
        assert_int_equal(message.bytes[0], 0xdc); /* an array of 16 bits of count */
        message.bytes[2]++;
        struct wire_writer w = {message.bytes + known};
        wire_put_text(&w, (struct text){filler, size - known - 3});
        message.size = (size_t)(w.at - message.bytes);
        assert_int_equal(message.size, size);
        stage_begin(s);
        stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
        stage_end(s);
        bool fits = size <= COMMAND_READ_SIZE_MAX;
        assert_true(seq_of(s) == before + fits);
        assert_int_equal(counts(s).garbage, !fits);
        if (fits) /* and stands in the journal as it came */
            assert_true(s->journal.size == size);
    }
}

static void a_batch_of_the_largest_commands_fits(void **state)
{
    struct stage *s = *state;
    static const char filler[COMMAND_READ_SIZE_MAX];
    uint64_t seq = 0, batches = 0;
    while (batches < 3) {
        message_clear(&message);
        message_order(&message, seq + 1, SIDE_BUY, 100, 5);
        message.bytes[2]++;
        struct wire_writer w = {message.bytes + message.size};
        wire_put_text(&w, (struct text){filler, COMMAND_READ_SIZE_MAX - message.size - 3});
        if (!s->in_batch)
            stage_begin(s);
        if (stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, COMMAND_READ_SIZE_MAX) ==
            INTAKE_MORE) {
            seq++;
        } else { /* its bytes are full before its count is */
            stage_end(s);
            assert_true(s->journal.count < stage_options().batch_commands_max);
            batches++;
        }
    }
    assert_true(counts(s).garbage == 0 && seq > 100);
}

static void without_an_origin_there_is_nobody_to_answer(void **state)
{
    struct stage *s = *state;
    static const uint64_t types[] = {MESSAGE_NEW_ORDER, MESSAGE_CONFIGURE, MESSAGE_ADD_SYMBOL,
                                     MESSAGE_CONTINUE_WORK};
    struct command c = {.type = 0};
    for (unsigned i = 0; i < 4; i++) {
        c.type = types[i];
        message_clear(&message);
        message_put(&message, &c, envelope_of("", 1, 1));
        offer(s, message.bytes, message.size);
        assert_int_equal(counts(s).garbage, i + 1);
    }
    assert_int_equal(engine_symbol_count(matcher_engine(s->matcher)), 3);
}

static void an_origin_is_letters_digits_dashes_and_underscores(void **state)
{
    struct stage *s = *state;
    static const char *const bad[] = {"g w", "gw.", "gw\n", "\xc3\xa9", "gw\x01"};
    struct command c = new_order_of(SIDE_BUY, 100, 5);
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        message_clear(&message);
        message_put(&message, &c, envelope_of(bad[i], 1, 1));
        offer(s, message.bytes, message.size);
    }
    assert_int_equal(counts(s).garbage, sizeof bad / sizeof bad[0]);
}

/* ---- sequenced, and refused ---- */

static void internal_commands_from_outside_are_unknown_commands(void **state)
{
    struct stage *s = *state;
    static const uint64_t types[] = {MESSAGE_CONFIGURE, MESSAGE_ADD_SYMBOL, MESSAGE_CONTINUE_WORK};
    struct result results[3];
    for (unsigned i = 0; i < 3; i++) {
        struct command c = {.type = types[i]};
        if (c.type == MESSAGE_ADD_SYMBOL)
            c.add_symbol = (struct add_symbol){text_of("NEW"), text_of("1"), text_of("1"), false};
        message_put(&message, &c, envelope_of("gw", 1, i + 1));
    }
    stage_batch(s, &message);
    assert_int_equal(stage_results(s, "gw", results, 3), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_true(results[i].code == REJECT_UNKNOWN_COMMAND && results[i].seq == 5 + i);
    assert_int_equal(engine_symbol_count(matcher_engine(s->matcher)), 3);
    assert_goes_on(s, 4);
}

static void a_body_that_does_not_fit_takes_its_place_and_is_malformed(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    uint8_t *last = message.bytes + message.size - 1; /* the quantity, 5 */
    *last = 0xc3;                                     /* true */
    stage_batch(s, &message);
    struct result r = stage_result(s, "gw");
    assert_true(r.code == REJECT_MALFORMED && r.seq == 5);
    assert_int_equal(counts(s).garbage, 0);
    assert_goes_on(s, 2);
}

static void a_type_nobody_knows_takes_its_place_and_is_unknown(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    assert_int_equal(message.bytes[4], MESSAGE_NEW_ORDER);
    message.bytes[4] = 99;
    stage_batch(s, &message);
    struct result r = stage_result(s, "gw");
    assert_true(r.code == REJECT_UNKNOWN_COMMAND && r.seq == 5);
    assert_goes_on(s, 2);
}

static void a_command_past_its_deadline_is_too_late(void **state)
{
    struct stage *s = *state;
    struct result results[4];
    for (uint64_t i = 0; i < 3; i++) {
        struct command c = new_order_of(SIDE_BUY, 100, 5);
        struct envelope e = envelope_of("gw", 1, i + 1);
        e.deadline_ns = s->now_ns - 1 + i;
        message_put(&message, &c, e);
    }
    struct command cancel = cancel_of("a", (uint64_t)STAGE_SHARD << 48 | 6);
    struct envelope e = envelope_of("gw", 1, 4);
    e.deadline_ns = 1; /* never too late for a cancel */
    message_put(&message, &cancel, e);
    stage_batch(s, &message);
    assert_int_equal(stage_results(s, "gw", results, 4), 4);
    assert_true(results[0].code == REJECT_TOO_LATE && results[1].code == 0);
    assert_true(results[2].code == 0 && results[3].code == 0);
    assert_int_equal(stage_count(s, "acct.a"), 1);
}

/* ---- repeats, gaps, sessions ---- */

static void a_repeat_gets_the_first_result_and_does_nothing(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    message_order(&message, 2, SIDE_BUY, -1, 5); /* refused */
    stage_batch(s, &message);
    struct result first[2], again[2];
    assert_int_equal(stage_results(s, "gw", first, 2), 2);
    assert_int_equal(first[1].code, REJECT_INVALID_PRICE);
    uint64_t seq = seq_of(s);
    for (unsigned i = 0; i < 3; i++) {
        stage_clear(s);
        stage_begin(s);
        stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
        assert_false(stage_end(s));
        assert_int_equal(stage_results(s, "gw", again, 2), 2);
        for (unsigned j = 0; j < 2; j++)
            assert_true(again[j].seq == first[j].seq && again[j].code == first[j].code &&
                        again[j].order_id == first[j].order_id &&
                        again[j].origin_seq == first[j].origin_seq);
        assert_int_equal(s->said_count, 2); /* nobody else hears of it */
    }
    assert_true(seq_of(s) == seq && counts(s).repeats == 6);
}

/* Its result comes by itself, behind the account's events; sent again at once it would overtake
 * them. */
static void a_repeat_in_the_same_batch_has_one_result(void **state)
{
    struct stage *s = *state;
    struct result results[2];
    message_order(&message, 1, SIDE_BUY, 100, 5);
    message_order(&message, 1, SIDE_BUY, 100, 5);
    stage_batch(s, &message);
    assert_int_equal(s->journal.count, 1);
    assert_int_equal(stage_results(s, "gw", results, 2), 1);
    assert_true(results[0].seq == 5 && counts(s).repeats == 1);
}

static uint64_t gap_of(const struct stage *s, const char *topic)
{
    struct origin_gap gap;
    struct wire_reader fields = stage_event(stage_frame(s, topic), MESSAGE_ORIGIN_GAP);
    origin_gap_get_fields(&fields, &gap);
    return gap.expected_seq;
}

static void what_is_missing_is_asked_for_once_a_message(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    stage_batch(s, &message);
    stage_clear(s);
    message_clear(&message);
    for (uint64_t seq = 4; seq < 20; seq++)
        message_order(&message, seq, SIDE_BUY, 100, 5);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    assert_false(stage_end(s));
    assert_int_equal(gap_of(s, "ack.gw"), 2);
    assert_int_equal(s->said_count, 1);
    assert_int_equal(counts(s).gaps, 1);
    assert_goes_on(s, 2);
}

static void a_stranger_begins_at_1(void **state)
{
    struct stage *s = *state;
    message_order(&message, 2, SIDE_BUY, 100, 5);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    assert_false(stage_end(s));
    assert_int_equal(gap_of(s, "ack.gw"), 1);
}

static void assert_refused_unsequenced(struct stage *s, const char *origin, uint64_t epoch,
                                       uint64_t seq, enum reason code)
{
    uint64_t refused = counts(s).refused;
    struct command c = new_order_of(SIDE_BUY, 1, 1);
    stage_clear(s);
    message_clear(&message);
    message_put(&message, &c, envelope_of(origin, epoch, seq));
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    assert_false(stage_end(s));
    struct result r = stage_result(s, origin);
    assert_int_equal(r.code, code);
    assert_true(r.seq == 0 && r.origin_seq == seq && r.origin_epoch == epoch);
    assert_int_equal(counts(s).refused, refused + 1);
}

static void an_old_session_is_refused(void **state)
{
    struct stage *s = *state;
    struct command c = new_order_of(SIDE_BUY, 100, 5);
    message_put(&message, &c, envelope_of("gw", 7, 1));
    stage_batch(s, &message);
    assert_refused_unsequenced(s, "gw", 6, 1, REJECT_OLD_ORIGIN_EPOCH);
    assert_refused_unsequenced(s, "gw", 6, 2, REJECT_OLD_ORIGIN_EPOCH);
    stage_clear(s);
    message_clear(&message);
    message_put(&message, &c, envelope_of("gw", 8, 1)); /* a newer one begins again */
    stage_batch(s, &message);
    assert_int_equal(stage_result(s, "gw").code, 0);
    assert_refused_unsequenced(s, "gw", 7, 2, REJECT_OLD_ORIGIN_EPOCH);
}

static void unacknowledged_commands_and_origins_are_limited(void **state)
{
    struct stage *s = *state; /* a window of 5, 2 origins */
    for (uint64_t seq = 1; seq <= 5; seq++)
        assert_goes_on(s, seq);
    assert_refused_unsequenced(s, "gw", 1, 6, REJECT_ORIGIN_WINDOW_FULL);
    struct command c = new_order_of(SIDE_BUY, 1, 1);
    struct envelope e = envelope_of("gw", 1, 6);
    e.acked_through = 2;
    stage_clear(s);
    message_clear(&message);
    message_put(&message, &c, e);
    stage_batch(s, &message);
    assert_int_equal(stage_result(s, "gw").code, 0);
    assert_refused_unsequenced(s, "gw", 1, 2, REJECT_TOO_OLD); /* forgotten, as it wished */
    message_clear(&message);
    message_put(&message, &c, envelope_of("second", 1, 1));
    stage_batch(s, &message);
    assert_refused_unsequenced(s, "third", 1, 1, REJECT_TOO_MANY_ORIGINS);
}

static void result_of_first_order(struct stage *s, const char *origin, uint64_t epoch)
{
    struct command c = new_order_of(SIDE_BUY, 1, 1);
    stage_clear(s);
    message_clear(&message);
    message_put(&message, &c, envelope_of(origin, epoch, 1));
    stage_batch(s, &message);
    assert_int_equal(stage_result(s, origin).code, 0);
}

static void whoever_takes_the_place_of_a_silent_origin_has_its_own_results(void **state)
{
    struct stage *s = *state; /* 2 origins */
    static const char *const comers[] = {"gw", "second", "third", "fourth",
                                         "gw", "third",  "second"};
    for (unsigned i = 0; i < sizeof comers / sizeof comers[0]; i++) {
        result_of_first_order(s, comers[i], 1 + i);
        s->now_ns += 3600 * NS_PER_SECOND;
    }
}

/* ---- work left over ---- */

/* Types of the commands of the last batch, as letters: n(ew), c(ontinue), m(ass cancel). */
static void assert_journal(const struct stage *s, const char *letters)
{
    const uint8_t *at = s->journal.bytes, *end = at + s->journal.size;
    char found[64] = "";
    for (size_t i = 0; at < end && i < sizeof found - 1; i++) {
        struct command c;
        assert_int_equal(command_read(&at, end, &c), COMMAND_READ_OK);
        found[i] = c.type == MESSAGE_NEW_ORDER       ? 'n'
                   : c.type == MESSAGE_MASS_CANCEL   ? 'm'
                   : c.type == MESSAGE_CONTINUE_WORK ? 'c'
                                                     : '?';
    }
    assert_string_equal(found, letters);
    assert_int_equal(s->journal.count, strlen(letters));
}

static void rest_orders(struct stage *s, uint64_t first, uint64_t count)
{
    for (uint64_t seq = first; seq < first + count; seq++) {
        struct command c = new_order_of(SIDE_SELL, 100, 1);
        struct envelope e = envelope_of("gw", 1, seq);
        e.acked_through = seq - 1;
        message_clear(&message);
        message_put(&message, &c, e);
        stage_batch(s, &message);
    }
    stage_clear(s);
    message_clear(&message);
}

static void message_next(uint64_t seq, const struct command *c)
{
    struct envelope e = envelope_of("gw", 1, seq);
    e.acked_through = seq - 2;
    message_put(&message, c, e);
}

static void a_sweep_goes_on_before_the_next_command(void **state)
{
    struct stage *s = *state; /* 3 fills a command, 4 commands a batch */
    struct result results[2];
    rest_orders(s, 1, 8);
    struct command sweep = new_order_of(SIDE_BUY, 100, 9), next = new_order_of(SIDE_BUY, 1, 1);
    message_next(9, &sweep);
    message_next(10, &next);
    stage_batch(s, &message);
    assert_journal(s, "nccn");
    assert_int_equal(stage_results(s, "gw", results, 2), 2); /* one result a command */
    assert_true(results[1].origin_seq == 10 && results[0].order_id != results[1].order_id);
    assert_int_equal(engine_waiting(matcher_engine(s->matcher)), 0);
    struct frame_reader f = stage_frame(s, "l3." SYMBOL_ONE);
    assert_int_equal(f.head.group_count, 4); /* each step is a group of its own */
}

static void a_full_batch_leaves_the_rest_of_the_sweep_to_the_next_one(void **state)
{
    struct stage *s = *state;
    rest_orders(s, 1, 17);
    struct command sweep = new_order_of(SIDE_BUY, 100, 17), next = new_order_of(SIDE_BUY, 1, 1);
    message_next(18, &sweep);
    message_next(19, &next);
    stage_begin(s);
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_FULL);
    stage_end(s);
    assert_journal(s, "nccc"); /* 12 fills */
    assert_int_equal(s->service.patience_ms(s->service.self), 0);
    stage_begin(s); /* and first of all, in the next batch */
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_MORE);
    stage_end(s);
    assert_journal(s, "ccn");
    assert_true(s->service.patience_ms(s->service.self) > 0);
}

static void nobody_gets_in_between(void **state)
{
    struct stage *s = *state;
    rest_orders(s, 1, 17);
    struct command sweep = new_order_of(SIDE_BUY, 100, 17), other = new_order_of(SIDE_BUY, 1, 1);
    message_next(18, &sweep);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    message_clear(&message);
    message_put(&message, &other, envelope_of("other", 1, 1));
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_FULL);
    stage_end(s);
    assert_journal(s, "nccc");
    stage_begin(s);
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_MORE);
    stage_end(s);
    assert_journal(s, "ccn");
}

static void a_mass_cancel_has_its_result_when_it_is_through(void **state)
{
    struct stage *s = *state;
    struct result r;
    rest_orders(s, 1, 20);
    struct command mass = mass_cancel_of("a");
    message_next(21, &mass);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    stage_end(s);
    assert_journal(s, "mccc");
    assert_int_equal(stage_count(s, "ack.gw"), 0);
    stage_begin(s); /* to ask again does not bring it nearer */
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_MORE);
    stage_end(s);
    assert_journal(s, "ccc");
    struct result results[2];
    unsigned count = stage_results(s, "gw", results, 2);
    assert_true(count >= 1);
    r = results[0];
    assert_true(r.code == 0 && r.count == 20 && r.origin_seq == 21);
}

/* An order may be matched with its account's other end gone: nothing but continue_work was
 * sequenced, and the state is as if it had been one command. */
static void the_shares_of_a_batch_do_not_stop_work_left_over(void **state)
{
    struct stage *s = *state;
    struct matcher_options options = stage_options();
    options.limits.events_max = 1;
    options.batch_origin_max = 1;
    stage_close(s);
    stage_open(s, &options);
    message_clear(&message);
    rest_orders(s, 1, 5);
    struct command sweep = new_order_of(SIDE_BUY, 100, 5);
    message_next(6, &sweep);
    for (unsigned i = 0; i < 10; i++) {
        stage_begin(s);
        if (i == 0)
            stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
        stage_end(s);
    }
    assert_int_equal(engine_waiting(matcher_engine(s->matcher)), 0);
    assert_int_equal(engine_book(matcher_engine(s->matcher), 1)->order_count, 0);
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SMALL(name) cmocka_unit_test_setup_teardown(name, setup_small, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_cut_of_a_command_is_garbage),
        TEST(what_is_not_msgpack_is_garbage),
        TEST(another_version_is_foreign),
        TEST(what_stands_before_garbage_is_done_and_what_stands_behind_is_lost),
        TEST(a_message_holds_at_most_64_kib),
        TEST(a_command_holds_at_most_4096_bytes),
        TEST(a_batch_of_the_largest_commands_fits),
        TEST(without_an_origin_there_is_nobody_to_answer),
        TEST(an_origin_is_letters_digits_dashes_and_underscores),
        TEST(internal_commands_from_outside_are_unknown_commands),
        TEST(a_body_that_does_not_fit_takes_its_place_and_is_malformed),
        TEST(a_type_nobody_knows_takes_its_place_and_is_unknown),
        TEST(a_command_past_its_deadline_is_too_late),
        TEST(a_repeat_gets_the_first_result_and_does_nothing),
        TEST(a_repeat_in_the_same_batch_has_one_result),
        TEST(what_is_missing_is_asked_for_once_a_message),
        TEST(a_stranger_begins_at_1),
        TEST(an_old_session_is_refused),
        SMALL(unacknowledged_commands_and_origins_are_limited),
        SMALL(whoever_takes_the_place_of_a_silent_origin_has_its_own_results),
        SMALL(a_sweep_goes_on_before_the_next_command),
        SMALL(a_full_batch_leaves_the_rest_of_the_sweep_to_the_next_one),
        SMALL(nobody_gets_in_between),
        SMALL(a_mass_cancel_has_its_result_when_it_is_through),
        SMALL(the_shares_of_a_batch_do_not_stop_work_left_over),
    };
#undef TEST
#undef SMALL
    return cmocka_run_group_tests(tests, NULL, NULL);
}
