/* matchers, two market-datas and a reader, at random. One replica misses nothing; the other comes
 * late, over a bad wire, and begins again now and then; so do the matchers. What the first
 * publishes is right by the plainest book there is; the second publishes the same bytes or none;
 * what it says in heartbeats is true; and the reader behind it ends with the right books. What
 * either tells of past trades is true of all that were since the moment it names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/bus/link.h"
#include "tests/unit/services/flow.h"
#include "tests/unit/services/library.h"
#include "tests/unit/services/plain_book.h"
#include "tests/unit/services/plain_trades.h"
#include "tests/unit/services/replica.h"
#include "tests/unit/services/stage.h"

enum {
    SHARDS_MAX = 2,
    SYMBOLS = 3,
    KINDS = 4,
    STEP_MS = 10,
    STEPS = 150,         /* of bad weather */
    SETTLE_STEPS = 5000, /* of good weather, at most */
    MANY_STEPS = 3000,   /* of good weather, until more trades were than are kept */
};

#define READER  "ffffffffffffffffffffffffffffffff"
#define CHECKER "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee" /* asks both for trades, and loses nothing */

static const char *const symbols[SYMBOLS] = {SYMBOL_ONE, SYMBOL_OTHER, SYMBOL_ANY};
static const char *const kinds[KINDS] = {"l3.", "l2.", "bbo.", "trade."};

struct shard {
    struct stage stage;
    struct matcher_options options;
    struct flow flow;
    struct message message;
    uint64_t origin_seq;
    uint64_t trades_from_ns;        /* the first replica has heard of the new history by then */
    struct link to_late, from_late; /* frames and requests of the late replica */
};

struct world {
    struct random random;
    uint64_t now_ns;
    unsigned shard_count;
    struct cluster cluster;
    struct shard shards[SHARDS_MAX];
    struct replica first, late;
    bool late_runs;
    struct library library;
    struct plain_book first_books[SYMBOLS];
    struct plain_trades first_trades[SYMBOLS];
    struct plain_book reader_books[SYMBOLS];
    subscriber_t *reader;
    struct link to_reader, from_reader;
};

static struct world w;
static unsigned long total_frames, total_compared, total_positions, total_restarts, total_joins;
static unsigned long total_asked, total_alike;

static unsigned shard_of(unsigned symbol)
{
    return w.cluster.symbols[symbol].shard;
}

/* The symbol and kind of a topic; false if it is not of that form. */
static bool topic_parts(struct text topic, unsigned *symbol, unsigned *kind)
{
    for (unsigned i = 0; i < SYMBOLS * KINDS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", kinds[i % KINDS], symbols[i / KINDS]);
        if (text_equal(topic, text_of(name))) {
            *symbol = i / KINDS;
            *kind = i % KINDS;
            return true;
        }
    }
    return false;
}

/* ---- the first replica: it misses nothing, and must be right ---- */

static void apply_to_first(const struct bytes *m)
{
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    unsigned symbol, kind;
    assert_int_equal(frame_read(&f, m->data, m->size), FRAME_READ_OK);
    if (f.head.type != FRAME_EVENTS)
        return;
    assert_true(topic_parts(f.head.topic, &symbol, &kind));
    assert_true(f.head.prev_seq ==
                library_position(&w.library, f.head.topic, f.head.epoch, f.head.seq));
    library_add(&w.library, m->data, m->size);
    total_frames++;
    struct frame_head head = f.head;
    while (frame_next_group(&f)) {
        while (frame_next_event(&f, &type, &fields)) {
            struct wire_reader again = fields;
            assert_true(plain_event(&w.first_books[symbol], kind, type, &fields));
            if (kind == PLAIN_TRADE)
                assert_true(
                    plain_trades_add(&w.first_trades[symbol], f.group_seq, head.time_ns, &again));
        }
    }
    if (kind == PLAIN_L3)
        assert_true(head.hash.value == plain_l3_hash(&w.first_books[symbol]));
    else if (kind == PLAIN_L2)
        assert_true(head.hash.value == plain_l2_hash(&w.first_books[symbol]));
}

static void watch_first(void)
{
    for (unsigned i = 0; i < w.first.published_count; i++)
        apply_to_first(&w.first.published[i]);
    for (unsigned i = 0; i < SYMBOLS; i++) {
        const struct plain_book *b = &w.first_books[i];
        assert_true(plain_levels_fit(b) && plain_bbo_fits(b));
        assert_true(b->trades[0] == b->trades[1] && b->trade_count[0] == b->trade_count[1]);
    }
    replica_clear(&w.first);
}

/* ---- the late replica: the same bytes, or none, and nothing untrue ---- */

static void watch_position(const struct frame_head *head, struct wire_reader *fields)
{
    struct position m;
    position_get_fields(fields, &m);
    assert_true(m.last_seq == library_position(&w.library, m.topic, head->epoch, head->seq));
    total_positions++;
}

static void watch_late(const struct bytes *m)
{
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    assert_int_equal(frame_read(&f, m->data, m->size), FRAME_READ_OK);
    if (f.head.type == FRAME_EVENTS) {
        const struct library_frame *same =
            library_find(&w.library, f.head.topic, f.head.epoch, f.head.seq);
        if (same == NULL || same->size != m->size || memcmp(same->bytes, m->data, m->size) != 0)
            fail_msg("the late replica publishes something else");
        total_compared++;
    }
    while (f.head.type == FRAME_HEARTBEAT && frame_next_group(&f)) {
        while (frame_next_event(&f, &type, &fields)) {
            if (type == MESSAGE_POSITION)
                watch_position(&f.head, &fields);
        }
    }
}

/* What it says goes to the reader, what it asks to the matchers. */
static void take_from_late(void)
{
    for (unsigned i = 0; i < w.late.published_count; i++) {
        watch_late(&w.late.published[i]);
        link_send(&w.to_reader, w.late.published[i].data, w.late.published[i].size, w.now_ns);
    }
    replica_clear(&w.late);
    for (unsigned i = 0; i < w.late.request_count; i++) {
        struct link *link = &w.shards[w.late.requests_shard[i]].from_late;
        link_send(link, w.late.requests[i].data, w.late.requests[i].size, w.now_ns);
        free((void *)(uintptr_t)w.late.requests[i].data);
    }
    w.late.request_count = 0;
}

/* ---- past trades, as either replica tells of them ---- */

/* What a replica answers, chunk by chunk. */
struct trades_answer {
    bool given;
    struct frame_head head;
    struct trades_told told;
    uint8_t bytes[256 << 10];
    size_t size;
};

static void read_trades(struct trades_answer *a, const struct bytes *m)
{
    struct frame_reader f;
    struct reply reply;
    uint64_t type;
    struct wire_reader fields;
    assert_int_equal(frame_read(&f, m->data, m->size), FRAME_READ_OK);
    assert_true(text_equal(f.head.topic, text_of("re." CHECKER)));
    assert_true(frame_next_group(&f) && frame_next_event(&f, &type, &fields));
    reply_get_fields(&fields, &reply);
    a->given = reply.code == 0;
    a->head = f.head;
    while (frame_next_event(&f, &type, &fields))
        assert_true(trades_told_event(&a->told, type, &fields));
    assert_true(a->size + m->size <= sizeof a->bytes);
    memcpy(a->bytes + a->size, m->data, m->size);
    a->size += m->size;
}

/* What a replica answers now; the answer holds for all that it was asked at this moment. */
static void ask_trades(struct replica *r, unsigned symbol, struct trades_answer *a)
{
    char topic[64];
    uint8_t bytes[SNAPSHOT_SIZE_MAX + 1];
    struct wire_writer q = {bytes};
    snprintf(topic, sizeof topic, "trade.%s", symbols[symbol]);
    request_write(&q, &(struct request){.type = MESSAGE_SNAPSHOT,
                                        .snapshot = {text_of(CHECKER), 1, text_of(topic), 0}});
    a->given = false;
    a->size = 0;
    a->told.count = 0;
    assert_int_equal(r->published_count, 0);
    replica_receive(r, w.shard_count, bytes, (size_t)(q.at - bytes));
    assert_true(r->published_count > 0);
    for (unsigned i = 0; i < r->published_count; i++)
        read_trades(a, &r->published[i]);
    replica_clear(r);
    if (!a->given || a->head.epoch != w.shards[shard_of(symbol)].options.epoch)
        return; /* it knows nothing, or not yet of the new history */
    assert_true(plain_trades_fit(&w.first_trades[symbol], a->head.seq, &a->told));
    total_asked++;
}

/* Both replicas, of every symbol; those that count from the same moment must say the same. */
static void watch_trades(void)
{
    static struct trades_answer first, late;
    for (unsigned i = 0; i < SYMBOLS; i++) {
        ask_trades(&w.first, i, &first);
        if (first.given)
            assert_int_equal(first.told.totals.since_seq, 1); /* it missed nothing */
        if (!w.late_runs)
            continue;
        ask_trades(&w.late, i, &late);
        if (first.given && late.given && first.head.epoch == late.head.epoch &&
            first.head.seq == late.head.seq && late.told.totals.since_seq == 1) {
            assert_int_equal(first.size, late.size);
            assert_memory_equal(first.bytes, late.bytes, first.size);
            total_alike++;
        }
    }
}

/* ---- matchers ---- */

static void subscribe_at_matcher(struct stage *s, const char *reply)
{
    uint8_t message[1 + 3 + REPLY_SIZE + 1] = "\1re.";
    memcpy(message + 4, reply, REPLY_SIZE + 1);
    s->service.subscription(s->service.self, MATCHER_OUTPUT_PUBLIC, message, sizeof message);
}

/* Whether a replica has subscribed to this message of the shard. */
static bool is_for(const struct replica *r, unsigned shard, const struct said *m)
{
    unsigned symbol, kind;
    struct text topic = frame_topic(m->bytes, m->size);
    if (m->output != MATCHER_OUTPUT_PUBLIC)
        return false;
    if (topic_parts(topic, &symbol, &kind))
        return shard_of(symbol) == shard;
    return text_equal(topic, text_of("hb")) ||
           (topic.size == 3 + REPLY_SIZE && memcmp(topic.data + 3, r->reply, REPLY_SIZE) == 0);
}

static void place_commands(struct shard *s)
{
    static const uint64_t most[] = {1, 4, 30};
    message_clear(&s->message);
    for (uint64_t n = random_below(&w.random, RANDOM_OF(&w.random, most)); n > 0; n--) {
        struct command c;
        flow_next(&s->flow, &c);
        struct envelope e = envelope_of("gw", 1, ++s->origin_seq);
        e.acked_through = s->origin_seq - 1;
        message_put(&s->message, &c, e);
    }
}

static void on_request_of_late(void *self, const uint8_t *bytes, size_t size)
{
    stage_receive(self, MATCHER_INPUT_REQUESTS, bytes, size);
}

static void take_requests_of_first(unsigned shard)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < w.first.request_count; i++) {
        struct bytes m = w.first.requests[i];
        if (w.first.requests_shard[i] != shard) {
            w.first.requests_shard[kept] = w.first.requests_shard[i];
            w.first.requests[kept++] = m;
            continue;
        }
        stage_receive(&w.shards[shard].stage, MATCHER_INPUT_REQUESTS, m.data, m.size);
        free((void *)(uintptr_t)m.data);
    }
    w.first.request_count = kept;
}

static void matcher_step(unsigned shard, bool trades)
{
    struct shard *s = &w.shards[shard];
    s->stage.now_ns = w.now_ns;
    stage_begin(&s->stage);
    /* A new history begins to trade when the first replica knows of it: it must miss nothing. */
    if (trades && w.now_ns >= s->trades_from_ns && market_data_ready(w.first.market_data)) {
        place_commands(s);
        while (s->message.size > 0 &&
               stage_receive(&s->stage, MATCHER_INPUT_COMMANDS, s->message.bytes,
                             s->message.size) == INTAKE_FULL) {
            stage_end(&s->stage);
            stage_begin(&s->stage);
        }
    }
    take_requests_of_first(shard);
    link_deliver(&s->from_late, w.now_ns, &s->stage, on_request_of_late);
    stage_end(&s->stage);
    for (unsigned i = 0; i < s->stage.said_count; i++) {
        const struct said *m = &s->stage.said[i];
        if (is_for(&w.first, shard, m)) {
            replica_receive(&w.first, shard, m->bytes, m->size);
            watch_first();
        }
        if (w.late_runs && is_for(&w.late, shard, m))
            link_send(&s->to_late, m->bytes, m->size, w.now_ns);
    }
    stage_clear(&s->stage);
}

static void matcher_open(unsigned shard)
{
    struct shard *s = &w.shards[shard];
    stage_open(&s->stage, &s->options);
    s->stage.now_ns = w.now_ns;
    s->origin_seq = 0;
    s->trades_from_ns = w.now_ns + 2 * s->options.heartbeat_ns;
    subscribe_at_matcher(&s->stage, w.first.reply);
    subscribe_at_matcher(&s->stage, w.late.reply);
}

static void matcher_restart(unsigned shard)
{
    stage_close(&w.shards[shard].stage);
    w.shards[shard].options.epoch++;
    matcher_open(shard);
    for (unsigned i = 0; i < SYMBOLS; i++) {
        if (shard_of(i) == shard)
            memset(&w.first_books[i], 0, sizeof w.first_books[i]);
        if (shard_of(i) == shard)
            w.first_trades[i].count = 0;
    }
    total_restarts++;
}

/* ---- the late replica's life ---- */

static void late_open(void)
{
    char digit = (char)('1' + random_below(&w.random, 8));
    replica_open(&w.late, &w.cluster, digit);
    replica_subscribe(&w.late, READER);
    replica_subscribe(&w.late, CHECKER);
    for (unsigned i = 0; i < w.shard_count; i++)
        subscribe_at_matcher(&w.shards[i].stage, w.late.reply);
    w.late_runs = true;
    total_joins++;
}

static void late_close(void)
{
    for (unsigned i = 0; i < w.shard_count; i++) {
        link_cut(&w.shards[i].to_late);
        link_cut(&w.shards[i].from_late);
    }
    replica_close(&w.late);
    w.late_runs = false;
}

static void on_frame_for_late(void *self, const uint8_t *bytes, size_t size)
{
    replica_receive(&w.late, (unsigned)((struct shard *)self - w.shards), bytes, size);
    take_from_late();
}

static void on_request_of_reader(void *self, const uint8_t *bytes, size_t size)
{
    (void)self;
    if (!w.late_runs)
        return;
    replica_receive(&w.late, w.shard_count, bytes, size);
    take_from_late();
}

static void late_step(void)
{
    w.late.now_ns = w.now_ns;
    for (unsigned i = 0; i < w.shard_count; i++)
        link_deliver(&w.shards[i].to_late, w.now_ns, &w.shards[i], on_frame_for_late);
    replica_tick(&w.late);
    take_from_late();
}

/* ---- the reader ---- */

static void on_reset(void *self, uint32_t topic)
{
    (void)self;
    plain_forget(&w.reader_books[topic / KINDS], topic % KINDS);
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    (void)self;
    (void)seq;
    assert_true(plain_event(&w.reader_books[topic / KINDS], topic % KINDS, type, fields));
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    const struct plain_book *b = &w.reader_books[topic / KINDS];
    (void)self;
    if (topic % KINDS == PLAIN_L3)
        return (struct u64_or_nil){plain_l3_hash(b), true};
    if (topic % KINDS == PLAIN_L2)
        return (struct u64_or_nil){plain_l2_hash(b), true};
    return (struct u64_or_nil){0, false};
}

static bool on_push(void *self, const uint8_t *bytes, size_t size)
{
    (void)self;
    link_send(&w.from_reader, bytes, size, w.now_ns);
    return true;
}

static void on_frame_for_reader(void *self, const uint8_t *bytes, size_t size)
{
    (void)self;
    subscriber_receive(w.reader, bytes, size, w.now_ns);
}

static void reader_open(void)
{
    struct subscriber_owner owner = {
        .self = NULL, .reset = on_reset, .event = on_event, .hash = on_hash};
    w.reader = subscriber_new(&owner, &(struct subscriber_requests){NULL, on_push}, READER, 1 << 16,
                              SYMBOLS * KINDS);
    for (unsigned i = 0; i < SYMBOLS * KINDS; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s", kinds[i % KINDS], symbols[i / KINDS]);
        subscriber_topic_add(w.reader, text_of(name), (uint16_t)shard_of(i / KINDS));
    }
}

static bool reader_right(void)
{
    if (!subscriber_all_live(w.reader))
        return false;
    for (unsigned i = 0; i < SYMBOLS; i++) {
        const struct plain_book *ours = &w.reader_books[i], *theirs = &w.first_books[i];
        if (plain_l3_hash(ours) != plain_l3_hash(theirs) || !plain_levels_fit(ours) ||
            !plain_bbo_fits(ours))
            return false;
        for (unsigned k = 0; k < KINDS; k++) {
            if (subscriber_epoch(w.reader, i * KINDS + k) != w.shards[shard_of(i)].options.epoch)
                return false;
        }
    }
    return true;
}

/* ---- a run ---- */

static struct weather draw_weather(void)
{
    static const unsigned chances[] = {0, 0, 20, 100, 300};
    return (struct weather){RANDOM_OF(&w.random, chances), 0, 0,
                            (unsigned)random_below(&w.random, 150)};
}

static void begin(uint64_t seed)
{
    memset(&w, 0, sizeof w);
    w.random.state = seed;
    w.now_ns = 1000 * NS_PER_SECOND;
    w.shard_count = 1 + (unsigned)random_below(&w.random, SHARDS_MAX);
    replica_cluster(&w.cluster, w.shard_count);
    library_open(&w.library);
    replica_open(&w.first, &w.cluster, '0');
    replica_subscribe(&w.first, CHECKER);
    memset(w.late.reply, '9', REPLY_SIZE);
    for (unsigned i = 0; i < w.shard_count; i++) {
        struct shard *s = &w.shards[i];
        s->options = stage_options();
        s->options.limits.shard = i;
        s->options.limits.events_max = 1 + random_below(&w.random, 50);
        s->options.heartbeat_ns = 100 * NS_PER_MS;
        s->options.kept_size = random_once_in(&w.random, 2) ? 4 << 10 : 1 << 20;
        flow_init(&s->flow, random_next(&w.random), i);
        struct weather down = draw_weather(), up = draw_weather();
        link_open(&s->to_late, &down, random_next(&w.random));
        link_open(&s->from_late, &up, random_next(&w.random));
        matcher_open(i);
    }
    struct weather down = draw_weather(), up = draw_weather();
    link_open(&w.to_reader, &down, random_next(&w.random));
    link_open(&w.from_reader, &up, random_next(&w.random));
    reader_open();
}

static void step(bool trades)
{
    w.now_ns += STEP_MS * NS_PER_MS;
    w.first.now_ns = w.now_ns;
    for (unsigned i = 0; i < w.shard_count; i++)
        matcher_step(i, trades);
    replica_tick(&w.first);
    watch_first();
    if (w.late_runs)
        late_step();
    link_deliver(&w.to_reader, w.now_ns, NULL, on_frame_for_reader);
    subscriber_tick(w.reader, w.now_ns);
    link_deliver(&w.from_reader, w.now_ns, NULL, on_request_of_reader);
}

static void bad_times(void)
{
    unsigned begins = (unsigned)random_below(&w.random, STEPS / 2);
    bool restarts = random_once_in(&w.random, 2);
    for (unsigned i = 0; i < STEPS; i++) {
        if (i == begins || (!w.late_runs && i > begins && random_once_in(&w.random, 10)))
            late_open();
        if (w.late_runs && restarts && random_once_in(&w.random, 100))
            late_close();
        if (restarts && random_once_in(&w.random, 80))
            matcher_restart((unsigned)random_below(&w.random, w.shard_count));
        step(true);
        if (i % 10 == 0)
            watch_trades();
    }
    if (!w.late_runs)
        late_open();
}

static void finish(void)
{
    replica_close(&w.first);
    late_close();
    subscriber_destroy(&w.reader);
    for (unsigned i = 0; i < w.shard_count; i++)
        stage_close(&w.shards[i].stage);
    link_close(&w.to_reader);
    link_close(&w.from_reader);
    library_close(&w.library);
}

static void one_run(uint64_t seed)
{
    static const struct weather fine = {0, 0, 0, 0};
    unsigned steps = 0;
    begin(seed);
    bad_times();
    for (unsigned i = 0; i < w.shard_count; i++)
        w.shards[i].to_late.weather = w.shards[i].from_late.weather = fine;
    w.to_reader.weather = w.from_reader.weather = fine;
    for (; steps < SETTLE_STEPS && !(market_data_ready(w.late.market_data) && reader_right());
         steps++)
        step(steps < 20);
    if (steps == SETTLE_STEPS)
        fail_msg("the reader does not get right again");
    watch_trades();
    finish();
}

/* Both join before the first trade; then they answer alike to the byte. */
static void replicas_that_saw_the_epoch_begin_tell_the_same_of_its_trades(void **state)
{
    (void)state;
    static const struct weather fine = {0, 0, 0, 0};
    begin(1);
    for (unsigned i = 0; i < w.shard_count; i++)
        w.shards[i].to_late.weather = w.shards[i].from_late.weather = fine;
    late_open();
    for (unsigned steps = 0; !market_data_ready(w.late.market_data); steps++) {
        assert_true(steps < SETTLE_STEPS);
        step(false);
    }
    unsigned long alike = total_alike;
    for (unsigned i = 0; i < MANY_STEPS; i++)
        step(true);
    step(false); /* what the last one said is there */
    watch_trades();
    assert_int_equal(total_alike - alike, SYMBOLS);
    assert_true(w.first_trades[0].count > PLAIN_TRADES_TOLD); /* more than are told one by one */
    finish();
}

static void replicas_are_alike_and_readers_get_right(void **state)
{
    (void)state;
    seeds_run("replicas", 150, one_run);
    print_message("frames %lu of a late replica %lu positions %lu restarts %lu joins %lu\n",
                  total_frames, total_compared, total_positions, total_restarts, total_joins);
    print_message("snapshots of trades %lu alike %lu\n", total_asked, total_alike);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replicas_that_saw_the_epoch_begin_tell_the_same_of_its_trades),
        SEEDS_TEST(replicas_are_alike_and_readers_get_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
