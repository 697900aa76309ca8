/* matcher: what it says depends on the commands and their batches, on nothing else: not on how
 * they are cut into messages, not on where names fall in its tables. And however they are cut into
 * batches, the groups are the same. At random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/seeds.h"
#include "tests/unit/services/flow.h"
#include "tests/unit/services/stage.h"

enum { COMMANDS = 400, TOPICS = 32, JOURNAL_MAX = 1 << 20 };

/* The commands of a run, as bytes. */
static struct message script;
static size_t ends[COMMANDS + 1]; /* where command i ends */

static struct stage one, other;
static uint8_t journals[2][JOURNAL_MAX];
static size_t journal_sizes[2];

static void write_script(uint64_t seed)
{
    struct flow flow;
    struct random random = {seed ^ 77};
    uint64_t seqs[2] = {0, 0};
    static const char *const origins[] = {"gw-1", "gw-2"};
    message_clear(&script);
    flow_init(&flow, seed, STAGE_SHARD);
    for (unsigned i = 0; i < COMMANDS; i++) {
        struct command c;
        unsigned origin = (unsigned)random_below(&random, 2);
        flow_next(&flow, &c);
        struct envelope e = envelope_of(origins[origin], 1, ++seqs[origin]);
        e.acked_through = seqs[origin] - 1;
        message_put(&script, &c, e);
        ends[i + 1] = script.size;
    }
}

static void end_batch(struct stage *s, unsigned number)
{
    if (stage_end(s)) {
        assert_true(journal_sizes[number] + s->journal.size <= JOURNAL_MAX);
        memcpy(journals[number] + journal_sizes[number], s->journal.bytes, s->journal.size);
        journal_sizes[number] += s->journal.size;
    }
}

/* Offer commands from..to in messages of random length; where the batch is full, the next one
 * begins. */
static void offer(struct stage *s, unsigned number, unsigned from, unsigned to, struct random *cuts)
{
    while (from < to) {
        unsigned count = cuts == NULL ? 1 : 1 + (unsigned)random_below(cuts, to - from);
        while (stage_receive(s, MATCHER_INPUT_COMMANDS, script.bytes + ends[from],
                             ends[from + count] - ends[from]) == INTAKE_FULL) {
            end_batch(s, number);
            stage_begin(s);
        }
        from += count;
    }
}

static void play(struct stage *s, unsigned number, struct random *batches, uint64_t batch_max,
                 struct random *cuts)
{
    for (unsigned from = 0; from < COMMANDS;) {
        unsigned count = 1 + (unsigned)random_below(batches, batch_max);
        if (count > COMMANDS - from)
            count = COMMANDS - from;
        stage_begin(s);
        offer(s, number, from, from + count, cuts);
        end_batch(s, number);
        from += count;
    }
    while (engine_waiting(matcher_engine(s->matcher)) > 0) {
        stage_begin(s);
        end_batch(s, number);
    }
}

static struct matcher_options options_of(struct random *r)
{
    struct matcher_options options = stage_options();
    options.limits.events_max = 1 + random_below(r, 8);
    options.limits.open_orders_max = 20 + random_below(r, 300);
    options.limits.finished_per_account = random_below(r, 50);
    options.batch_commands_max = 1 + (uint32_t)random_below(r, 40);
    options.batch_origin_max = 1 + (uint32_t)random_below(r, 40);
    return options;
}

static void close_both(void)
{
    stage_close(&one);
    stage_close(&other);
    journal_sizes[0] = journal_sizes[1] = 0;
}

static void cut_into_messages(uint64_t seed)
{
    struct random r = {seed}, cuts = {seed + 5000};
    struct matcher_options options = options_of(&r);
    uint64_t batch_max = 1 + random_below(&r, 60);
    write_script(seed);
    stage_open(&one, &options);
    options.hash_seed = random_next(&r);
    stage_open(&other, &options);
    struct random batches = {seed + 9000}, batches_again = batches;
    play(&one, 0, &batches, batch_max, NULL);
    play(&other, 1, &batches_again, batch_max, &cuts);

    assert_int_equal(journal_sizes[0], journal_sizes[1]);
    assert_memory_equal(journals[0], journals[1], journal_sizes[0]);
    assert_int_equal(one.said_count, other.said_count);
    for (unsigned i = 0; i < one.said_count; i++) {
        const struct said *x = &one.said[i], *y = &other.said[i];
        if (x->size != y->size || memcmp(x->bytes, y->bytes, x->size) != 0)
            fail_msg("message %u of %u differs", i, one.said_count);
        assert_true(x->batch == y->batch && x->output == y->output);
    }
    assert_true(engine_state_hash(matcher_engine(one.matcher)) ==
                engine_state_hash(matcher_engine(other.matcher)));
    close_both();
}

/* ---- the groups of each topic, whatever frames they stand in ---- */

struct transcript {
    char topic[TOPIC_SIZE_MAX + 1];
    uint64_t groups;
    uint64_t hash;      /* of all groups in their order */
    uint64_t last_seq;  /* of the topic's last frame */
    uint64_t book_hash; /* in it */
};

static struct transcript *transcript_of(struct transcript *all, struct text topic)
{
    unsigned i = 0;
    while (all[i].topic[0] != '\0' && !text_equal(text_of(all[i].topic), topic))
        assert_true(++i < TOPICS);
    memcpy(all[i].topic, topic.data, topic.size);
    return &all[i];
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *from, const uint8_t *to)
{
    for (; from < to; from++)
        hash = mix(hash + *from + 1);
    return hash;
}

static void transcribe(const struct stage *s, struct transcript *all)
{
    memset(all, 0, TOPICS * sizeof *all);
    for (unsigned i = 0; i < s->said_count; i++) {
        struct frame_reader f;
        uint64_t type;
        struct wire_reader fields;
        assert_int_equal(frame_read(&f, s->said[i].bytes, s->said[i].size), FRAME_READ_OK);
        struct transcript *t = transcript_of(all, f.head.topic);
        if (strncmp(t->topic, "ack.", 4) != 0)
            assert_true(f.head.prev_seq == t->last_seq); /* a chain */
        t->last_seq = f.head.seq;
        t->book_hash = f.head.hash.value;
        while (frame_next_group(&f)) {
            t->groups++;
            t->hash = mix(t->hash + f.group_seq);
            while (frame_next_event(&f, &type, &fields))
                t->hash = hash_bytes(mix(t->hash + type), fields.at, fields.end);
        }
    }
}

static void cut_into_batches(uint64_t seed)
{
    static struct transcript first[TOPICS], second[TOPICS];
    struct random r = {seed}, cuts = {seed + 5000}, batches = {seed + 9000};
    struct matcher_options options = options_of(&r);
    write_script(seed);
    options.batch_commands_max = options.batch_origin_max = 1000;
    stage_open(&one, &options);
    options.batch_commands_max = 1 + (uint32_t)random_below(&r, 10);
    stage_open(&other, &options);
    play(&one, 0, &batches, 100, NULL);
    play(&other, 1, &batches, 5, &cuts);

    assert_int_equal(journal_sizes[0], journal_sizes[1]);
    assert_memory_equal(journals[0], journals[1], journal_sizes[0]);
    assert_true(one.said_count < other.said_count);
    transcribe(&one, first);
    transcribe(&other, second);
    for (unsigned i = 0; i < TOPICS && first[i].topic[0] != '\0'; i++) {
        const struct transcript *t = transcript_of(second, text_of(first[i].topic));
        if (t->groups != first[i].groups || t->hash != first[i].hash ||
            t->last_seq != first[i].last_seq || t->book_hash != first[i].book_hash)
            fail_msg("%s differs", first[i].topic);
    }
    close_both();
}

static void frames_do_not_depend_on_messages_or_tables(void **state)
{
    (void)state;
    seeds_run("messages", 60, cut_into_messages);
}

static void groups_do_not_depend_on_batches(void **state)
{
    (void)state;
    seeds_run("batches", 60, cut_into_batches);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(frames_do_not_depend_on_messages_or_tables),
        SEEDS_TEST(groups_do_not_depend_on_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
