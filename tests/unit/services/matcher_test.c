/* matcher: commands become batches, batches become frames and a record for the journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/services/stage.h"

static struct stage stage;
static struct message message;

static int setup(void **state)
{
    struct matcher_options options = stage_options();
    *state = &stage;
    stage_open(&stage, &options);
    message_clear(&message);
    return 0;
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

/* ---- the beginning ---- */

static void a_history_begins_with_its_limits_and_its_symbols(void **state)
{
    struct stage *s = *state;
    const uint8_t *at = s->journal.bytes, *end = at + s->journal.size;
    struct command c;
    assert_true(s->journal.first_seq == 1 && s->journal.count == 4);
    assert_int_equal(command_read(&at, end, &c), COMMAND_READ_OK);
    assert_int_equal(c.type, MESSAGE_CONFIGURE);
    assert_int_equal(c.envelope.origin.size, 0);
    assert_int_equal(c.configure.shard, STAGE_SHARD);
    assert_int_equal(c.configure.events_max, 100);
    static const char *const names[] = {SYMBOL_ONE, SYMBOL_OTHER, SYMBOL_ANY};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(command_read(&at, end, &c), COMMAND_READ_OK);
        assert_int_equal(c.type, MESSAGE_ADD_SYMBOL);
        assert_true(text_equal(c.add_symbol.symbol, text_of(names[i])));
    }
    assert_true(at == end);
}

static void many_symbols_begin_however_small_a_batch_is(void **state)
{
    (void)state;
    enum { SYMBOLS = 1024 };
    static struct add_symbol symbols[SYMBOLS];
    static char names[SYMBOLS][SYMBOL_SIZE_MAX + 1];
    struct matcher_options options = stage_options();
    struct journal_batch batch;
    options.limits.symbols_max = SYMBOLS;
    options.batch_commands_max = 1;
    for (unsigned i = 0; i < SYMBOLS; i++) {
        snprintf(names[i], sizeof names[i], "A-LONG-NAME-%04u", i);
        symbols[i] = (struct add_symbol){text_of(names[i]), text_of("0.000000000000000001"),
                                         text_of("0.000000000000000001"), false};
    }
    matcher_t *m = matcher_new(&options, symbols, SYMBOLS);
    struct service service = matcher_service(m);
    service.begin(service.self, 1, 1);
    assert_true(service.end(service.self, &batch));
    assert_int_equal(batch.count, SYMBOLS + 1);
    matcher_destroy(&m);
}

static void an_empty_batch_is_not_journaled(void **state)
{
    struct stage *s = *state;
    stage_begin(s);
    assert_false(stage_end(s));
    assert_int_equal(s->said_count, 0);
    message_put_bytes(&message, "\xff", 1);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    assert_false(stage_end(s));
    assert_int_equal(s->said_count, 0);
}

/* ---- batches and frames ---- */

static void a_batch_is_journaled_as_its_commands_came(void **state)
{
    struct stage *s = *state;
    s->now_ns += 5;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    message_order(&message, 2, SIDE_SELL, 101, 5);
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    size_t first = message.size;
    message_clear(&message);
    message_order(&message, 3, SIDE_SELL, 102, 5);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    assert_true(stage_end(s));
    assert_true(s->journal.first_seq == 5 && s->journal.count == 3);
    assert_true(s->journal.time_ns == s->now_ns);
    assert_int_equal(s->journal.size, first + message.size);
    assert_memory_equal(s->journal.bytes + first, message.bytes, message.size);
    assert_int_equal(counts(s).commands, 7);
    assert_int_equal(counts(s).batches, 2);
}

static void a_batch_makes_one_frame_a_topic(void **state)
{
    struct stage *s = *state;
    for (uint64_t seq = 1; seq <= 40; seq++) {
        struct command c = new_order_of(seq % 2 ? SIDE_BUY : SIDE_SELL, 100, 5);
        c.new_order.account = text_of(seq % 3 ? "a" : "b");
        c.new_order.symbol = text_of(seq % 5 ? SYMBOL_ONE : SYMBOL_OTHER);
        message_put(&message, &c, envelope_of("gw", 1, seq));
        c.new_order.account = text_of("c");
        message_put(&message, &c, envelope_of("other", 1, seq));
    }
    stage_batch(s, &message);
    static const char *const topics[] = {"l3." SYMBOL_ONE, "l3." SYMBOL_OTHER, "acct.a",   "acct.b",
                                         "acct.c",         "ack.gw",           "ack.other"};
    for (unsigned i = 0; i < sizeof topics / sizeof topics[0]; i++) {
        struct frame_reader f = stage_frame(s, topics[i]);
        assert_true(f.head.time_ns == s->now_ns && f.head.prev_seq == 0);
        assert_true(f.head.hash.given == (i < 2));
    }
    assert_int_equal(s->said_count, sizeof topics / sizeof topics[0]);
    struct frame_reader f = stage_frame(s, "l3." SYMBOL_ONE);
    assert_true(f.head.hash.value == engine_book(matcher_engine(s->matcher), 1)->l3_hash);
    assert_true(stage_frame(s, "ack.gw").head.seq == 83);
}

static void what_a_batch_says_carries_its_number(void **state)
{
    struct stage *s = *state;
    struct outgoing m;
    uint64_t batch = s->batch;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    message_order(&message, 3, SIDE_BUY, 100, 5); /* a gap: answered out of sequence */
    stage_begin(s);
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    message_clear(&message);
    message_order(&message, 1, SIDE_BUY, 100, 5); /* a repeat: its result comes by itself */
    stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
    stage_ask_snapshot(s, "l3." SYMBOL_ONE, 0);                  /* and a request */
    assert_false(outbox_peek(s->service.outbox, batch - 1, &m)); /* not before it is committed */
    s->service.end(s->service.self, &s->journal);
    assert_false(outbox_peek(s->service.outbox, batch - 1, &m));
    unsigned said = 0;
    for (; outbox_peek(s->service.outbox, batch, &m); said++) {
        assert_true(m.batch == batch);
        outbox_pop(s->service.outbox);
    }
    assert_int_equal(said, 5); /* gap, l3, acct, ack, reply */
    s->in_batch = false;
}

static void an_outcome_goes_to_its_origin_and_its_account(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    stage_batch(s, &message);
    struct result r = stage_result(s, "gw");
    assert_true(r.origin_epoch == 1 && r.origin_seq == 1 && r.seq == 5 && r.code == 0);
    assert_true(r.order_id == ((uint64_t)STAGE_SHARD << 48 | 5) && !r.duplicate);
    struct wire_reader fields = stage_event(stage_frame(s, "acct.a"), MESSAGE_ORDER_ACCEPTED);
    struct order_accepted accepted;
    order_accepted_get_fields(&fields, &accepted);
    assert_true(accepted.order_id == r.order_id && accepted.qty == 5);
    fields = stage_event(stage_frame(s, "l3." SYMBOL_ONE), MESSAGE_ADD);
    struct add add;
    add_get_fields(&fields, &add);
    assert_true(add.order_id == r.order_id && add.price == 100 && add.qty == 5);
}

static void each_topic_goes_out_where_it_may_be_read(void **state)
{
    struct stage *s = *state;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    message_order(&message, 2, SIDE_SELL, 100, 5);
    stage_batch(s, &message);
    for (unsigned i = 0; i < s->said_count; i++) {
        bool book = s->said[i].bytes[0] == 'l';
        assert_int_equal(s->said[i].output, book ? MATCHER_OUTPUT_PUBLIC : MATCHER_OUTPUT_PRIVATE);
    }
    assert_true(stage_count_prefix(s, "l3.") == 1 && stage_count_prefix(s, "a") == 2);
}

/* ---- how large a batch is ---- */

/* Offer commands 1..count in one message to one batch; how many it took. */
static uint64_t taken(struct stage *s, uint64_t count, bool in_one_message)
{
    uint64_t before = seq_of(s);
    enum intake intake = INTAKE_MORE;
    message_clear(&message);
    stage_begin(s);
    for (uint64_t seq = 1; seq <= count && intake == INTAKE_MORE; seq++) {
        message_order(&message, seq, SIDE_BUY, 100, 1);
        if (in_one_message && seq < count)
            continue;
        intake = stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size);
        if (!in_one_message)
            message_clear(&message);
    }
    assert_int_equal(intake == INTAKE_FULL, seq_of(s) - before < count);
    stage_end(s);
    return seq_of(s) - before;
}

static void assert_batch_limit(const struct matcher_options *options, uint64_t limit)
{
    for (unsigned in_one = 0; in_one < 2; in_one++) {
        for (uint64_t count = limit - 1; count <= limit + 1; count++) {
            stage_close(&stage);
            stage_open(&stage, options);
            assert_int_equal(taken(&stage, count, in_one), count < limit ? count : limit);
            assert_int_equal(stage.journal.count, count < limit ? count : limit);
        }
    }
}

static void a_batch_holds_so_many_commands_and_no_more(void **state)
{
    (void)state;
    struct matcher_options options = stage_options();
    options.batch_commands_max = 7;
    assert_batch_limit(&options, 7);
}

static void an_origin_has_its_share_of_a_batch_and_no_more(void **state)
{
    (void)state;
    struct matcher_options options = stage_options();
    options.batch_origin_max = 5;
    assert_batch_limit(&options, 5);
}

static void an_origin_that_had_its_share_ends_the_batch(void **state)
{
    struct stage *s = *state;
    struct matcher_options options = stage_options();
    options.batch_origin_max = 2;
    stage_close(s);
    stage_open(s, &options);
    struct command c = new_order_of(SIDE_BUY, 100, 1);
    stage_begin(s);
    message_put(&message, &c, envelope_of("one", 1, 1));
    message_put(&message, &c, envelope_of("two", 1, 1));
    message_put(&message, &c, envelope_of("one", 1, 2));
    message_put(&message, &c, envelope_of("two", 1, 2));
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_FULL);
    stage_end(s);
    assert_int_equal(s->journal.count, 3);
    stage_begin(s); /* and in the next one everybody has a share again */
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                     INTAKE_MORE);
    stage_end(s);
    assert_int_equal(s->journal.count, 1);
    assert_int_equal(stage_count(s, "ack.two"), 2);
}

static void a_message_that_did_not_fit_goes_on_where_it_was(void **state)
{
    struct stage *s = *state;
    struct matcher_options options = stage_options();
    struct result results[10];
    options.batch_commands_max = 4;
    stage_close(s);
    stage_open(s, &options);
    for (uint64_t seq = 1; seq <= 10; seq++)
        message_order(&message, seq, SIDE_BUY, 100, 1);
    for (unsigned batch = 0; batch < 3; batch++) {
        stage_begin(s);
        assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, message.bytes, message.size),
                         batch < 2 ? INTAKE_FULL : INTAKE_MORE);
        stage_end(s);
    }
    assert_int_equal(stage_results(s, "gw", results, 10), 10);
    for (uint64_t i = 0; i < 10; i++)
        assert_true(results[i].origin_seq == i + 1 && results[i].code == 0);
    assert_int_equal(counts(s).repeats, 0);
}

/* ---- heartbeats ---- */

static void a_heartbeat_comes_when_it_is_due(void **state)
{
    struct stage *s = *state;
    struct matcher_options options = stage_options();
    options.heartbeat_ns = 250 * NS_PER_MS;
    stage_close(s);
    stage_open(s, &options);
    assert_int_equal(s->service.patience_ms(s->service.self), 251);
    s->now_ns += 249 * NS_PER_MS;
    stage_begin(s);
    stage_end(s);
    assert_int_equal(stage_count(s, "hb"), 0);
    assert_int_equal(s->service.patience_ms(s->service.self), 2);
    s->now_ns += 1 * NS_PER_MS;
    message_order(&message, 1, SIDE_BUY, 100, 5);
    stage_batch(s, &message);
    assert_int_equal(stage_count(s, "hb"), 2); /* one on either output */
    unsigned outputs = 0;
    for (unsigned i = 0; i < s->said_count; i++) {
        struct frame_reader f;
        frame_read(&f, s->said[i].bytes, s->said[i].size);
        if (f.head.type != FRAME_HEARTBEAT)
            continue;
        outputs |= 1u << s->said[i].output;
        assert_true(f.head.seq == 5 && f.head.time_ns == s->now_ns); /* this batch included */
    }
    assert_int_equal(outputs, 3);
    stage_clear(s);
    stage_begin(s);
    stage_end(s);
    assert_int_equal(s->said_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_history_begins_with_its_limits_and_its_symbols),
        cmocka_unit_test(many_symbols_begin_however_small_a_batch_is),
        TEST(an_empty_batch_is_not_journaled),
        TEST(a_batch_is_journaled_as_its_commands_came),
        TEST(a_batch_makes_one_frame_a_topic),
        TEST(what_a_batch_says_carries_its_number),
        TEST(an_outcome_goes_to_its_origin_and_its_account),
        TEST(each_topic_goes_out_where_it_may_be_read),
        TEST(a_batch_holds_so_many_commands_and_no_more),
        TEST(an_origin_has_its_share_of_a_batch_and_no_more),
        TEST(an_origin_that_had_its_share_ends_the_batch),
        TEST(a_message_that_did_not_fit_goes_on_where_it_was),
        TEST(a_heartbeat_comes_when_it_is_due),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
