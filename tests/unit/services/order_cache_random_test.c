/* orders, the cache a gateway keeps, against real matchers: at any time it holds what a snapshot of
 * everybody's orders would tell, whether it has heard every event or began with a snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/orders.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/flow.h"
#include "tests/unit/services/stage.h"

enum { EPOCH = 77, SHARDS = 3, BATCHES = 150, BATCH_MAX = 12, ACCOUNTS = 4, LABELS_MAX = 2048 };

static const char *const accounts[ACCOUNTS] = {"a", "b", "c", "d"};

struct floor {
    struct stage stage;
    struct flow flow;
    uint64_t origin_seq;
    bool used[ACCOUNTS][LABELS_MAX]; /* labels of accepted orders */
};

static struct floor floors[SHARDS];
static struct message script;
static orders_t *live;   /* has heard every event */
static orders_t *joined; /* has had a snapshot some time, and every event since */
static orders_t *told;   /* has had a snapshot just now */
static unsigned states_told, own_trades, labels_reused, runs;

static bool is_topic(const struct said *m, const char *prefix)
{
    return strncmp((const char *)m->bytes, prefix, strlen(prefix)) == 0;
}

/* What the runs must have had in them to say anything: labels used again, and trades of an account
 * with itself that finished both orders. */
static void watch(unsigned shard, struct text account, uint64_t type, struct wire_reader fields,
                  const struct live_order *now)
{
    static uint64_t taken_trade_id;
    if (type == MESSAGE_ORDER_ACCEPTED && now->client_order_id[0] != '\0') {
        unsigned long label = strtoul(now->client_order_id + 1, NULL, 10);
        assert_true(label < LABELS_MAX);
        bool *used = &floors[shard].used[account.data[0] - 'a'][label];
        labels_reused += *used;
        *used = true;
    } else if (type == MESSAGE_ORDER_FILLED && now->status == ORDER_STATUS_FILLED) {
        struct order_filled m;
        order_filled_get_fields(&fields, &m);
        own_trades += m.maker && m.trade_id == taken_trade_id;
        taken_trade_id = m.maker ? 0 : m.trade_id;
    } else {
        taken_trade_id = 0;
    }
}

/* What a shard said of accounts, to both who listen. */
static void hear_message(unsigned shard, const struct said *m)
{
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    assert_int_equal(frame_read(&f, m->bytes, m->size), FRAME_READ_OK);
    struct text account = {f.head.topic.data + 5, f.head.topic.size - 5};
    while (frame_next_group(&f)) {
        while (frame_next_event(&f, &type, &fields)) {
            struct wire_reader again = fields;
            const struct live_order *o =
                orders_event(live, shard, account, f.group_seq, f.head.time_ns, type, &fields);
            assert_non_null(o);
            assert_true(o->changed_seq == f.group_seq && o->changed_ns == f.head.time_ns);
            assert_true(text_equal(text_of(o->account), account) && o->shard == shard);
            assert_true(orders_account_seq(live, shard, account) == f.group_seq);
            watch(shard, account, type, again, o);
            orders_event(joined, shard, account, f.group_seq, f.head.time_ns, type, &again);
        }
    }
}

static void hear(unsigned shard)
{
    struct stage *s = &floors[shard].stage;
    for (unsigned i = 0; i < s->said_count; i++) {
        if (is_topic(&s->said[i], "acct."))
            hear_message(shard, &s->said[i]);
    }
    stage_clear(s);
}

static void assert_tells(const struct live_order *o, const struct order_state *m)
{
    assert_non_null(o);
    assert_true(o->order_id == m->order_id && text_equal(text_of(o->symbol), m->symbol));
    assert_true(text_equal(text_of(o->account), m->account));
    assert_true(text_equal(text_of(o->client_order_id), m->client_order_id));
    assert_true(o->side == m->side && o->type == m->type && o->stp == m->stp);
    assert_true(o->time_in_force == m->time_in_force && o->post_only == m->post_only);
    assert_true(o->price.given == m->price.given && o->price.value == m->price.value);
    assert_true(o->qty == m->qty && o->open_qty == m->open_qty && o->filled_qty == m->filled_qty);
    assert_true(o->status == m->status && o->reason == m->reason);
    assert_true((int64_t)(o->notional >> 64) == m->notional_high);
    assert_true((uint64_t)o->notional == m->notional_low);
    assert_true(o->accepted_ns == m->accepted_ns && o->changed_seq == m->changed_seq);
    assert_true(o->epoch == EPOCH);
}

static void ask_snapshot(unsigned shard)
{
    struct stage *s = &floors[shard].stage;
    stage_clear(s);
    stage_begin(s);
    stage_ask_snapshot(s, "acct.", 0);
    stage_end(s);
}

/* Read the shard's snapshot into a cache that is told it. */
static unsigned tell_snapshot(unsigned shard, orders_t *o)
{
    struct stage *s = &floors[shard].stage;
    unsigned count = 0;
    orders_reset(o, shard, EPOCH);
    for (unsigned i = 0; i < s->said_count; i++) {
        struct frame_reader f;
        uint64_t type;
        struct wire_reader fields;
        struct order_state m;
        if (!is_topic(&s->said[i], "re."))
            continue;
        assert_int_equal(frame_read(&f, s->said[i].bytes, s->said[i].size), FRAME_READ_OK);
        while (frame_next_group(&f)) {
            while (frame_next_event(&f, &type, &fields)) {
                if (type != MESSAGE_ORDER_STATE)
                    continue;
                order_state_get_fields(&fields, &m);
                assert_tells(orders_find(live, m.order_id), &m);
                orders_state(o, shard, &m);
                count++;
            }
        }
    }
    return count;
}

/* Alike in all but changed_ns, which no snapshot tells. */
static void assert_same(const struct live_order *a, const struct live_order *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a == NULL)
        return;
    assert_true(a->order_id == b->order_id && a->shard == b->shard && a->epoch == b->epoch);
    assert_string_equal(a->symbol, b->symbol);
    assert_string_equal(a->account, b->account);
    assert_string_equal(a->client_order_id, b->client_order_id);
    assert_true(a->side == b->side && a->type == b->type && a->stp == b->stp);
    assert_true(a->time_in_force == b->time_in_force && a->post_only == b->post_only);
    assert_true(a->price.given == b->price.given && a->price.value == b->price.value);
    assert_true(a->qty == b->qty && a->open_qty == b->open_qty && a->filled_qty == b->filled_qty);
    assert_true(a->status == b->status && a->reason == b->reason && a->notional == b->notional);
    assert_true(a->accepted_ns == b->accepted_ns && a->changed_seq == b->changed_seq);
}

static bool newer(const struct live_order *a, const struct live_order *b)
{
    if (a->accepted_ns != b->accepted_ns)
        return a->accepted_ns > b->accepted_ns;
    return a->order_id > b->order_id; /* the shard is in it */
}

/* Both list the account alike, newest first; how many there are. */
static unsigned compare_account(orders_t *a, orders_t *b, const char *account)
{
    struct orders_place start = {0};
    struct orders_walk walk, other;
    const struct live_order *o, *before = NULL;
    unsigned count = 0;
    orders_walk_begin(a, text_of(account), &start, &walk);
    orders_walk_begin(b, text_of(account), &start, &other);
    do {
        o = orders_walk_next(a, &walk);
        assert_same(o, orders_walk_next(b, &other));
        assert_true(o == NULL || before == NULL || newer(before, o));
        assert_true(o == NULL || o == orders_find(a, o->order_id));
        before = o;
        count += o != NULL;
    } while (o != NULL);
    return count;
}

static void compare(orders_t *a, orders_t *b, unsigned count)
{
    struct orders_counts x = orders_counts(a), y = orders_counts(b);
    assert_true(x.open == y.open && x.finished == y.finished && x.open + x.finished == count);
    assert_true(x.unknown == 0 && x.full == 0 && y.unknown == 0 && y.full == 0);
    unsigned listed = 0;
    for (unsigned i = 0; i < ACCOUNTS; i++) {
        struct text account = text_of(accounts[i]);
        listed += compare_account(a, b, accounts[i]);
        for (unsigned shard = 0; shard < SHARDS; shard++) {
            assert_true(orders_account_seq(a, shard, account) >=
                        orders_account_seq(b, shard, account));
            for (unsigned n = 0; n <= floors[shard].flow.labelled; n++) {
                char label[16];
                snprintf(label, sizeof label, "L%u", n);
                assert_same(orders_find_label(a, shard, account, text_of(label)),
                            orders_find_label(b, shard, account, text_of(label)));
            }
        }
    }
    assert_int_equal(listed, count);
}

static void compare_all(struct random *r)
{
    unsigned count = 0;
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        ask_snapshot(shard);
        count += tell_snapshot(shard, told);
        if (random_once_in(r, 4))
            tell_snapshot(shard, joined);
    }
    compare(live, told, count);
    compare(joined, told, count);
    states_told += count;
}

static void one_batch(struct random *r)
{
    unsigned shard = (unsigned)random_below(r, SHARDS);
    struct floor *f = &floors[shard];
    uint64_t count = 1 + random_below(r, BATCH_MAX);
    message_clear(&script);
    for (uint64_t i = 0; i < count; i++) {
        struct command c;
        flow_next(&f->flow, &c);
        struct envelope e = envelope_of("gw", 1, ++f->origin_seq);
        e.acked_through = e.origin_seq - 1;
        message_put(&script, &c, e);
    }
    f->stage.now_ns += random_below(r, 3);
    stage_clear(&f->stage);
    stage_batch(&f->stage, &script);
    hear(shard);
}

static void one_run(uint64_t seed)
{
    static const uint32_t finished[] = {0, 1, 3, 20};
    struct random r = {seed};
    runs++;
    struct orders_limits limits = {.shard_count = SHARDS,
                                   .open_max = 4096,
                                   .accounts_max = SHARDS * ACCOUNTS,
                                   .finished_per_account = finished[seed % 4],
                                   .hash_seed = seed};
    live = orders_new(&limits);
    joined = orders_new(&limits);
    told = orders_new(&limits);
    for (unsigned i = 0; i < SHARDS; i++) {
        struct matcher_options options = stage_options();
        options.limits.shard = i;
        options.limits.finished_per_account = limits.finished_per_account;
        options.limits.events_max = 5; /* sweeps go on */
        memset(&floors[i], 0, sizeof floors[i]);
        stage_open(&floors[i].stage, &options);
        flow_init(&floors[i].flow, seed * SHARDS + i, i);
        orders_reset(live, i, EPOCH);
        orders_reset(joined, i, EPOCH);
    }
    for (unsigned i = 0; i < BATCHES; i++) {
        one_batch(&r);
        if (random_once_in(&r, 3))
            compare_all(&r);
    }
    compare_all(&r);
    for (unsigned i = 0; i < SHARDS; i++)
        stage_close(&floors[i].stage);
    orders_destroy(&live);
    orders_destroy(&joined);
    orders_destroy(&told);
}

static void the_cache_is_what_snapshots_tell(void **state)
{
    (void)state;
    seeds_run("order_cache", 100, one_run);
    print_message("%u states, %u own trades, %u labels reused\n", states_told, own_trades,
                  labels_reused);
    if (runs >= 20) /* one alone may have none of them */
        assert_true(states_told > 0 && own_trades > 0 && labels_reused > 0);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(the_cache_is_what_snapshots_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
