/* origin against a real matcher, over a bad wire: whatever is lost, doubled, late or out of order,
 * every command of a session happens once and in order, and its result is told once and in order.
 * When the matcher begins a new history, a session either goes on or is told that it is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus/origin.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/bus/link.h"
#include "tests/unit/services/flow.h"
#include "tests/unit/services/stage.h"

enum {
    SENDERS = 2,
    SESSIONS = 8,  /* of one sender */
    HISTORIES = 4, /* of the matcher */
    COMMANDS = 1200,
    STEP_MS = 10,
    STEPS = 150,          /* of bad weather */
    SETTLE_STEPS = 20000, /* of good weather, at most */
};

/* Where a command was sequenced, and with what result, in one history. */
struct place {
    uint64_t seq; /* 0: it was not */
    uint64_t code;
    uint64_t order_id;
    bool answered;
};

struct sender {
    const char *name;
    const char *topic;
    origin_t *origin;
    uint64_t epoch;
    uint32_t window;
    struct link up, down;
    struct flow flow;
    uint64_t placed;
    uint64_t told; /* results of this session */
    bool lost;
    uint64_t next[HISTORIES]; /* what a history must see next of the newest session it knows */
    uint64_t newest[HISTORIES];
    struct place places[HISTORIES][SESSIONS][COMMANDS + 1];
};

struct world {
    struct random random;
    struct stage stage;
    struct matcher_options options;
    unsigned history;
    bool blocked;
    struct sender senders[SENDERS];
};

static struct world w;
static unsigned total_lost, total_commands, total_repeats, total_restarts;

/* ---- what the matcher did ---- */

static struct sender *sender_of(struct text name)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        if (text_equal(text_of(w.senders[i].name), name))
            return &w.senders[i];
    }
    fail_msg("a stranger in the journal");
    return NULL;
}

/* Each batch as it stands in the journal: every command once, and in order. */
static void watch_journal(void)
{
    const struct journal_batch *b = &w.stage.journal;
    const uint8_t *at = b->bytes;
    for (uint64_t seq = b->first_seq; seq < b->first_seq + b->count; seq++) {
        struct command c;
        assert_int_equal(command_read(&at, b->bytes + b->size, &c), COMMAND_READ_OK);
        if (c.envelope.origin.size == 0)
            continue;
        struct sender *s = sender_of(c.envelope.origin);
        uint64_t epoch = c.envelope.origin_epoch, origin_seq = c.envelope.origin_seq;
        if (epoch > s->newest[w.history]) {
            s->newest[w.history] = epoch;
            s->next[w.history] = 1;
        }
        assert_true(epoch == s->newest[w.history] && origin_seq == s->next[w.history]++);
        s->places[w.history][epoch][origin_seq].seq = seq;
        total_commands++;
    }
}

/* Each result as it leaves: of a command that was sequenced there; the same every time. */
static void watch_result(const struct result *m, struct sender *s)
{
    if (m->seq == 0)
        return; /* it was not sequenced */
    struct place *p = &s->places[w.history][m->origin_epoch][m->origin_seq];
    assert_true(p->seq == m->seq);
    if (p->answered)
        assert_true(p->code == m->code && p->order_id == m->order_id);
    p->answered = true;
    p->code = m->code;
    p->order_id = m->order_id;
}

static void watch_answers(const struct said *said, struct sender *s)
{
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    struct result m;
    assert_int_equal(frame_read(&f, said->bytes, said->size), FRAME_READ_OK);
    while (frame_next_group(&f)) {
        while (frame_next_event(&f, &type, &fields)) {
            if (type != MESSAGE_RESULT)
                continue;
            result_get_fields(&fields, &m);
            watch_result(&m, s);
        }
    }
}

static void send_said(void)
{
    for (unsigned i = 0; i < w.stage.said_count; i++) {
        const struct said *m = &w.stage.said[i];
        for (unsigned n = 0; n < SENDERS; n++) {
            struct sender *s = &w.senders[n];
            if (!text_equal(frame_topic(m->bytes, m->size), text_of(s->topic)))
                continue;
            watch_answers(m, s);
            link_send(&s->down, m->bytes, m->size, w.stage.now_ns);
        }
    }
    stage_clear(&w.stage);
}

static void end_batch(void)
{
    if (stage_end(&w.stage))
        watch_journal();
    send_said();
}

static void on_up(void *self, const uint8_t *bytes, size_t size)
{
    (void)self;
    while (stage_receive(&w.stage, MATCHER_INPUT_COMMANDS, bytes, size) == INTAKE_FULL) {
        end_batch();
        stage_begin(&w.stage);
    }
}

/* ---- senders ---- */

static bool on_send(void *self, const uint8_t *message, size_t size)
{
    struct sender *s = self;
    if (w.blocked && random_once_in(&w.random, 5))
        return false;
    link_send(&s->up, message, size, w.stage.now_ns);
    return true;
}

static void on_result(void *self, uint64_t origin_seq, const struct result *m, uint64_t frame_ns)
{
    struct sender *s = self;
    bool known = false;
    assert_true(origin_seq == ++s->told && m->seq != 0 && frame_ns <= w.stage.now_ns);
    for (unsigned h = 0; h <= w.history; h++) {
        const struct place *p = &s->places[h][s->epoch][origin_seq];
        known = known || (p->answered && p->seq == m->seq && p->code == m->code);
    }
    assert_true(known);
}

static void on_lost(void *self, enum reason code)
{
    struct sender *s = self;
    assert_int_equal(code, REJECT_EPOCH_CHANGED);
    assert_true(w.history > 0);
    s->lost = true;
    total_lost++;
}

static void session_open(struct sender *s)
{
    struct origin_owner owner = {s, on_send, on_result, on_lost};
    if (s->origin != NULL)
        total_repeats += (unsigned)origin_repeats(s->origin);
    origin_destroy(&s->origin);
    s->epoch++;
    s->placed = s->told = 0;
    s->lost = false;
    s->origin = origin_new(&owner, text_of(s->name), s->epoch, s->window);
}

static void place_commands(struct sender *s)
{
    enum status status = STATUS_OK;
    for (uint64_t n = random_below(&w.random, 8); n > 0 && status == STATUS_OK; n--) {
        struct command c;
        uint64_t seq;
        if (s->placed == COMMANDS)
            break;
        flow_next(&s->flow, &c);
        c.envelope.deadline_ns =
            random_once_in(&w.random, 10) ? w.stage.now_ns + 20 * NS_PER_MS : 0;
        status = origin_command(s->origin, &c, &seq);
        if (status == STATUS_OK)
            assert_true(seq == ++s->placed);
        else if (status == STATUS_FULL)
            assert_true(s->placed - s->told == s->window);
    }
    if (random_once_in(&w.random, 2))
        origin_flush(s->origin, w.stage.now_ns);
}

static void on_down(void *self, const uint8_t *bytes, size_t size)
{
    struct sender *s = self;
    origin_receive(s->origin, bytes, size, w.stage.now_ns);
}

static void sender_step(struct sender *s, bool places)
{
    if (s->lost && s->epoch + 1 < SESSIONS)
        session_open(s);
    if (places && !s->lost)
        place_commands(s);
    origin_tick(s->origin, w.stage.now_ns);
    link_deliver(&s->down, w.stage.now_ns, s, on_down);
    assert_true(origin_unanswered(s->origin) == s->placed - s->told);
}

/* ---- the world ---- */

static void step(bool places)
{
    w.stage.now_ns += STEP_MS * NS_PER_MS;
    stage_begin(&w.stage);
    for (unsigned i = 0; i < SENDERS; i++)
        link_deliver(&w.senders[i].up, w.stage.now_ns, NULL, on_up);
    end_batch();
    for (unsigned i = 0; i < SENDERS; i++)
        sender_step(&w.senders[i], places);
}

/* The matcher ends and begins a new history; what was on its way may still arrive. */
static void restart(void)
{
    uint64_t now_ns = w.stage.now_ns;
    w.history++;
    total_restarts++;
    w.options.epoch++;
    stage_close(&w.stage);
    stage_open(&w.stage, &w.options);
    w.stage.now_ns = now_ns;
}

static void begin(uint64_t seed)
{
    static const char *const names[] = {"gw-1", "gw_2"}, *const topics[] = {"ack.gw-1", "ack.gw_2"};
    static const unsigned chances[] = {0, 0, 20, 100, 400};
    memset(&w, 0, sizeof w);
    w.random.state = seed;
    w.options = stage_options();
    w.options.limits.events_max = 1 + random_below(&w.random, 6);
    w.options.limits.origin_window = 1 + random_below(&w.random, 60);
    w.options.batch_commands_max = 1 + (uint32_t)random_below(&w.random, 50);
    w.options.batch_origin_max = 1 + (uint32_t)random_below(&w.random, 50);
    w.options.kept_size = 64 << 10;
    stage_open(&w.stage, &w.options);
    w.blocked = random_once_in(&w.random, 3);
    for (unsigned i = 0; i < SENDERS; i++) {
        struct sender *s = &w.senders[i];
        struct random *r = &w.random;
        struct weather up = {RANDOM_OF(r, chances), RANDOM_OF(r, chances), RANDOM_OF(r, chances),
                             (unsigned)random_below(r, 300)};
        /* What is published comes late or not at all, but never twice or out of order. */
        struct weather down = {RANDOM_OF(r, chances), 0, 0, (unsigned)random_below(r, 300)};
        s->name = names[i];
        s->topic = topics[i];
        s->window = 1 + (uint32_t)random_below(r, w.options.limits.origin_window);
        link_open(&s->up, &up, random_next(r));
        link_open(&s->down, &down, random_next(r));
        flow_init(&s->flow, random_next(r), STAGE_SHARD);
        session_open(s);
    }
}

static bool settled(void)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        if (!w.senders[i].lost && origin_unanswered(w.senders[i].origin) > 0)
            return false;
    }
    return true;
}

static void finish(void)
{
    for (unsigned i = 0; i < SENDERS; i++) {
        struct sender *s = &w.senders[i];
        total_repeats += (unsigned)origin_repeats(s->origin);
        if (!s->lost) { /* all it ever asked was done, in a history that knows it to its end */
            assert_true(s->told == s->placed);
            if (w.history == 0)
                assert_true(s->placed == 0 || s->next[0] == s->placed + 1);
        }
        origin_destroy(&s->origin);
        link_close(&s->up);
        link_close(&s->down);
    }
    stage_close(&w.stage);
}

static void one_run(uint64_t seed)
{
    static const struct weather fine = {0, 0, 0, 0};
    begin(seed);
    unsigned restart_in = random_once_in(&w.random, 3) ? 60 : 0;
    for (unsigned i = 0; i < STEPS; i++) {
        if (restart_in > 0 && random_once_in(&w.random, restart_in) && w.history + 1 < HISTORIES)
            restart();
        step(true);
    }
    w.blocked = false;
    for (unsigned i = 0; i < SENDERS; i++)
        w.senders[i].up.weather = w.senders[i].down.weather = fine;
    unsigned steps = 0;
    for (; !settled() && steps < SETTLE_STEPS; steps++)
        step(false);
    if (steps == SETTLE_STEPS)
        fail_msg("some commands never have a result");
    finish();
}

static void every_command_happens_once_and_in_order(void **state)
{
    (void)state;
    seeds_run("exactly_once", 1000, one_run);
    print_message("commands %u repeats %u restarts %u sessions lost %u\n", total_commands,
                  total_repeats, total_restarts, total_lost);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(every_command_happens_once_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
