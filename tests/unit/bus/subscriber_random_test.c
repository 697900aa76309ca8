/* subscriber against a real publisher, over a bad wire: whatever is lost, doubled, late or out of
 * order, restarted or spoiled, each thing it says on the way is true, and once the wire is good it
 * stands where the publisher stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/bus/feed.h"
#include "tests/unit/bus/follower.h"
#include "tests/unit/bus/link.h"

enum {
    STEP_MS = 5,
    STEPS = 200,          /* of bad weather */
    SETTLE_STEPS = 20000, /* of good weather, at most */
    HEARTBEAT_STEPS = 20,
    HEARTBEATS_TO_BE_COMPLETE = 14, /* ten in a row, and one to begin them with */
};

struct run {
    uint64_t seed;
    struct random random;
    uint64_t now_ns;
    struct feed feed;
    struct follower follower;
    struct link down, up;
    unsigned restart_once_in; /* steps; 0: never */
    unsigned spoil_once_in;
    unsigned subscribe_step; /* the subscription reaches the publisher */
    bool in_order;           /* what is published arrives in order, and once */
};

static struct run r;

/* What became of all runs: that the seeds do reach every state. */
static struct subscriber_counts total;
static unsigned total_joins, total_part_frames, total_spoiled;

static void on_down(void *self, const uint8_t *bytes, size_t size)
{
    (void)self;
    subscriber_receive(r.follower.subscriber, bytes, size, r.now_ns);
}

static void on_up(void *self, const uint8_t *bytes, size_t size)
{
    (void)self;
    publisher_request(r.feed.publisher, bytes, size, r.now_ns);
}

static void on_push(void *self, const uint8_t *bytes, size_t size)
{
    link_send(self, bytes, size, r.now_ns);
}

static void send_published(void)
{
    struct outgoing m;
    while (outbox_peek(&r.feed.outbox, UINT64_MAX, &m)) {
        link_send(&r.down, m.bytes, m.size, r.now_ns);
        outbox_pop(&r.feed.outbox);
    }
}

static void subscribe(void)
{
    static const char message[] = "\1re." FOLLOWER_REPLY;
    publisher_subscription(r.feed.publisher, (const uint8_t *)message, sizeof message);
}

/* The publisher ends and begins again; what it had sent may still be on its way. */
static void restart(void)
{
    if (r.feed.epoch + 1 == FEED_EPOCH_FIRST + FEED_EPOCHS)
        return;
    feed_restart(&r.feed);
    if (random_once_in(&r.random, 2))
        link_cut(&r.down);
    subscribe();
}

static void spoil(void)
{
    if (r.feed.family)
        return;                                            /* nobody would find it out */
    uint32_t topic = (uint32_t)random_below(&r.random, 2); /* one that has a hash */
    r.follower.topics[topic].values[random_below(&r.random, FEED_CELLS)] += 7;
    r.follower.spoiled[topic] = true;
    total_spoiled++;
}

static void trade(unsigned step)
{
    for (uint64_t n = random_below(&r.random, 6); n > 0 && r.feed.seq + 1 < FEED_SEQS; n--)
        feed_command(&r.feed, &r.random);
    feed_flush(&r.feed);
    if (step == r.subscribe_step)
        subscribe();
    if (r.restart_once_in > 0 && random_once_in(&r.random, r.restart_once_in))
        restart();
    if (r.spoil_once_in > 0 && random_once_in(&r.random, r.spoil_once_in))
        spoil();
    r.feed.unready = random_once_in(&r.random, 10);
}

static void pass_time(unsigned step)
{
    r.now_ns += STEP_MS * NS_PER_MS;
    r.feed.now_ns = r.now_ns;
    if (step % HEARTBEAT_STEPS == 0)
        feed_heartbeat(&r.feed);
    send_published();
    link_deliver(&r.down, r.now_ns, NULL, on_down);
    subscriber_tick(r.follower.subscriber, r.now_ns);
    link_deliver(&r.up, r.now_ns, NULL, on_up);
    follower_assert_complete(&r.follower);
    r.follower.blocked = r.down.weather.lose > 0 && random_once_in(&r.random, 10);
}

static bool all_right(void)
{
    for (uint32_t t = 0; t < FEED_TOPICS; t++) {
        if (!follower_right(&r.follower, t))
            return false;
    }
    return true;
}

/* Each run has its own weather and its own capacities. */
static struct weather draw_weather(void)
{
    static const unsigned chances[] = {0, 0, 10, 50, 200, 500};
    return (struct weather){RANDOM_OF(&r.random, chances), RANDOM_OF(&r.random, chances),
                            RANDOM_OF(&r.random, chances), (unsigned)random_below(&r.random, 200)};
}

static void begin(uint64_t seed, bool family)
{
    static const size_t rings[] = {2 << 10, 16 << 10, 1 << 20};
    static const size_t kept[] = {500, 4 << 10, 1 << 20};
    static const unsigned wides[] = {0, 0, 30, 30, 1000};
    memset(&r, 0, sizeof r);
    r.seed = seed;
    r.random.state = seed;
    r.now_ns = 1000 * NS_PER_SECOND;
    struct publisher_limits limits = {FEED_TOPICS, 3000, RANDOM_OF(&r.random, rings),
                                      4 + random_below(&r.random, 1000)};
    feed_open(&r.feed, &limits, family);
    r.feed.wide = RANDOM_OF(&r.random, wides);
    r.feed.padding = random_once_in(&r.random, 3) ? FEED_PADDING_MAX : 0;
    size_t kept_size = RANDOM_OF(&r.random, kept);
    follower_open(&r.follower, &r.feed, kept_size, random_once_in(&r.random, 2), FEED_TOPICS + 1);
    struct weather down = draw_weather(), up = draw_weather();
    r.in_order = down.overtake == 0 && down.twice == 0;
    link_open(&r.down, &down, random_next(&r.random));
    link_open(&r.up, &up, random_next(&r.random));
    r.follower.link = &r.up;
    r.follower.push = on_push;
    r.restart_once_in = random_once_in(&r.random, 2) ? 150 : 0;
    r.spoil_once_in = random_once_in(&r.random, 3) ? 100 : 0;
    r.subscribe_step = (unsigned)random_below(&r.random, 50);
}

static void add_to_totals(void)
{
    struct subscriber_counts c = subscriber_counts(r.follower.subscriber);
    total.frames += c.frames;
    total.gaps += c.gaps;
    total.resends += c.resends;
    total.snapshots += c.snapshots;
    total.repeats += c.repeats;
    total.faults += c.faults;
    total.overflows += c.overflows;
    total.placeless += c.placeless;
    total_joins += r.follower.joins;
    total_part_frames += r.follower.part_frames;
    if (r.spoil_once_in == 0)
        assert_int_equal(r.follower.faults[SUBSCRIBER_HASH_DIFFERS], 0);
    if (r.in_order) /* else an old heartbeat comes late, and looks like going back */
        assert_int_equal(r.follower.faults[SUBSCRIBER_SEQ_WENT_BACK], 0);
    assert_int_equal(c.garbage, 0);
}

/* Nothing happens any more, and heartbeats say so. */
static void assert_becomes_complete(unsigned step)
{
    for (unsigned i = 0; i < HEARTBEATS_TO_BE_COMPLETE * HEARTBEAT_STEPS; i++)
        pass_time(step++);
    for (uint32_t t = 0; t < FEED_TOPICS; t++) {
        if (follower_complete_seq(&r.follower, t) != r.feed.seq)
            fail_msg("seed %llu: %s is complete up to %llu only", (unsigned long long)r.seed,
                     feed_name(&r.feed, t),
                     (unsigned long long)follower_complete_seq(&r.follower, t));
    }
}

static void run(uint64_t seed, bool family)
{
    static const struct weather fine = {0, 0, 0, 0};
    begin(seed, family);
    unsigned step = 0;
    for (; step < STEPS; step++) {
        trade(step);
        pass_time(step);
    }
    subscribe();
    r.down.weather = r.up.weather = fine;
    r.feed.unready = false;
    for (; !all_right() && step < SETTLE_STEPS; step++)
        pass_time(step);
    if (!all_right())
        fail_msg("seed %llu: it does not get right again", (unsigned long long)seed);
    assert_becomes_complete(step);
    add_to_totals();
    follower_close(&r.follower);
    feed_close(&r.feed);
    link_close(&r.down);
    link_close(&r.up);
}

static void run_topics(uint64_t seed)
{
    run(seed, false);
}

static void run_family(uint64_t seed)
{
    run(seed, true);
}

static void print_totals(void)
{
    print_message("frames %llu gaps %llu resends %llu snapshots %llu joins %u repeats %llu "
                  "faults %llu overflows %llu partly applied %u spoiled %u\n",
                  (unsigned long long)total.frames, (unsigned long long)total.gaps,
                  (unsigned long long)total.resends, (unsigned long long)total.snapshots,
                  total_joins, (unsigned long long)total.repeats, (unsigned long long)total.faults,
                  (unsigned long long)total.overflows, total_part_frames, total_spoiled);
}

static void it_always_gets_right_again(void **state)
{
    (void)state;
    seeds_run("subscriber", 1500, run_topics);
    print_totals();
}

static void a_family_always_gets_right_again(void **state)
{
    (void)state;
    memset(&total, 0, sizeof total);
    total_joins = total_part_frames = total_spoiled = 0;
    seeds_run("subscriber family", 1500, run_family);
    print_totals();
    assert_true(total.gaps > 0 && total.resends > 0 && total.overflows > 0);
    assert_int_equal(total.placeless, 0);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(it_always_gets_right_again),
        SEEDS_TEST(a_family_always_gets_right_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
