/* market-data: views of a matcher's books, made of its frames and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/services/plain_book.h"
#include "tests/unit/services/plain_trades.h"
#include "tests/unit/services/replica.h"
#include "tests/unit/services/stage.h"

enum { REQUESTS_INPUT = 1 };

#define READER "ffffffffffffffffffffffffffffffff"

/* A matcher and a market-data, side by side. */
static struct stage matcher;
static struct replica replica;
static struct cluster cluster;
static struct message message;
static uint64_t origin_seq;

/* What the matcher said reaches the replica, what that asks for the matcher, and so on. */
static void pump(void)
{
    for (unsigned rounds = 0; matcher.said_count + replica.request_count > 0; rounds++) {
        assert_true(rounds < 100);
        for (unsigned i = 0; i < matcher.said_count; i++) {
            if (matcher.said[i].output == MATCHER_OUTPUT_PUBLIC)
                replica_receive(&replica, 0, matcher.said[i].bytes, matcher.said[i].size);
        }
        stage_clear(&matcher);
        stage_begin(&matcher);
        for (unsigned i = 0; i < replica.request_count; i++) {
            stage_receive(&matcher, MATCHER_INPUT_REQUESTS, replica.requests[i].data,
                          replica.requests[i].size);
            free((void *)(uintptr_t)replica.requests[i].data);
        }
        replica.request_count = 0;
        stage_end(&matcher);
    }
}

static void matcher_hears_replica(void)
{
    uint8_t subscription[1 + 3 + REPLY_SIZE + 1] = "\1re.";
    memcpy(subscription + 4, replica.reply, REPLY_SIZE + 1);
    matcher.service.subscription(matcher.service.self, MATCHER_OUTPUT_PUBLIC, subscription,
                                 sizeof subscription);
}

/* The matcher speaks up: a heartbeat is due. */
static void heartbeat(void)
{
    matcher.now_ns += NS_PER_SECOND;
    stage_begin(&matcher);
    stage_end(&matcher);
}

static struct matcher_options options(void)
{
    struct matcher_options o = stage_options();
    o.limits.shard = 0; /* the cluster's only one */
    o.heartbeat_ns = NS_PER_SECOND;
    return o;
}

static int setup(void **state)
{
    struct matcher_options o = options();
    *state = &replica;
    origin_seq = 0;
    stage_open(&matcher, &o);
    replica_cluster(&cluster, 1);
    replica_open(&replica, &cluster, 'a');
    matcher_hears_replica();
    replica_subscribe(&replica, READER);
    return 0;
}

static int setup_joined(void **state)
{
    setup(state);
    heartbeat();
    pump();
    assert_true(market_data_ready(replica.market_data));
    replica_clear(&replica);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    replica_close(&replica);
    stage_close(&matcher);
    return 0;
}

/* An order of "a", in a batch of its own; what follows is said, and not yet delivered. */
static void place(const char *symbol, enum side side, int64_t price, int64_t qty)
{
    struct command c = new_order_of(side, price, qty);
    c.new_order.symbol = text_of(symbol);
    message_clear(&message);
    message_put(&message, &c, envelope_of("gw", 1, ++origin_seq));
    stage_batch(&matcher, &message);
}

/* Ask the replica; the answer, which fits one chunk, behind its reply. */
static struct frame_reader ask(const char *topic, uint64_t min_seq, enum reason code)
{
    uint8_t bytes[SNAPSHOT_SIZE_MAX + 1];
    uint64_t type;
    struct wire_reader fields;
    struct reply reply;
    struct wire_writer w = {bytes};
    request_write(&w, &(struct request){.type = MESSAGE_SNAPSHOT,
                                        .snapshot = {text_of(READER), 1, text_of(topic), min_seq}});
    replica_clear(&replica);
    replica_receive(&replica, REQUESTS_INPUT, bytes, (size_t)(w.at - bytes));
    struct frame_reader f = replica_frame(&replica, "re." READER);
    assert_true(frame_next_group(&f) && frame_next_event(&f, &type, &fields));
    reply_get_fields(&fields, &reply);
    assert_int_equal(reply.code, code);
    return f;
}

/* Everything in a frame, as the book it makes. */
static void read_into(struct plain_book *b, enum plain_source source, struct frame_reader f)
{
    uint64_t type;
    struct wire_reader fields;
    while (frame_next_group(&f)) {
        while (frame_next_event(&f, &type, &fields))
            assert_true(plain_event(b, source, type, &fields));
    }
}

/* ---- views ---- */

static void one_frame_becomes_at_most_one_in_each_view(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    struct frame_reader l3 = stage_frame(&matcher, "l3." SYMBOL_ONE);
    pump();
    struct frame_reader f = replica_frame(&replica, "l3." SYMBOL_ONE);
    assert_true(f.head.hash.value == l3.head.hash.value);
    f = replica_frame(&replica, "l2." SYMBOL_ONE);
    assert_true(f.head.seq == l3.head.seq && f.head.time_ns == l3.head.time_ns);
    assert_true(f.head.epoch == STAGE_EPOCH && f.head.prev_seq == 0 && f.head.hash.given);
    f = replica_frame(&replica, "bbo." SYMBOL_ONE);
    assert_true(f.head.seq == l3.head.seq && !f.head.hash.given);
    assert_int_equal(replica.published_count, 3); /* there was no trade, and no other symbol */
}

static void an_l3_frame_is_passed_on_as_it_came(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    struct said l3 = {0};
    for (unsigned i = 0; i < matcher.said_count; i++) {
        if (matcher.said[i].output == MATCHER_OUTPUT_PUBLIC)
            l3 = matcher.said[i];
    }
    uint8_t copy[512];
    memcpy(copy, l3.bytes, l3.size);
    size_t size = l3.size;
    pump();
    assert_int_equal(replica.published[0].size, size);
    assert_memory_equal(replica.published[0].data, copy, size);
}

static void a_group_tells_each_level_it_touched_once_bids_first_best_first(void **state)
{
    (void)state;
    static const int64_t asks[] = {101, 103, 102, 101};
    for (unsigned i = 0; i < 4; i++)
        place(SYMBOL_ONE, SIDE_SELL, asks[i], 2);
    pump();
    replica_clear(&replica);
    place(SYMBOL_ONE, SIDE_BUY, 102, 9); /* takes 101 twice and 102, and rests 3 at 102 */
    pump();
    struct frame_reader f = replica_frame(&replica, "l2." SYMBOL_ONE);
    static const struct level expected[] = {
        {SIDE_BUY, 102, 3}, {SIDE_SELL, 101, 0}, {SIDE_SELL, 102, 0}};
    uint64_t type;
    struct wire_reader fields;
    assert_true(frame_next_group(&f));
    for (unsigned i = 0; i < 3; i++) {
        struct level m;
        assert_true(frame_next_event(&f, &type, &fields));
        level_get_fields(&fields, &m);
        assert_true(m.side == expected[i].side && m.price == expected[i].price &&
                    m.qty == expected[i].qty);
    }
    assert_false(frame_next_event(&f, &type, &fields));
    f = replica_frame(&replica, "trade." SYMBOL_ONE);
    struct plain_book b = {.order_count = 0};
    read_into(&b, PLAIN_TRADE, f);
    assert_int_equal(b.trade_count[1], 3);
    f = replica_frame(&replica, "bbo." SYMBOL_ONE);
    read_into(&b, PLAIN_BBO, f);
    assert_true(b.bbo.bid_price.value == 102 && b.bbo.bid_qty == 3);
    assert_true(b.bbo.ask_price.value == 103 && b.bbo.ask_qty == 2);
}

static void best_bid_and_offer_are_told_only_when_they_change(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    place(SYMBOL_ONE, SIDE_BUY, 99, 5); /* behind the best */
    pump();
    assert_int_equal(replica_count(&replica, "bbo." SYMBOL_ONE), 1);
    assert_int_equal(replica_count(&replica, "l2." SYMBOL_ONE), 2);
    replica_clear(&replica);
    place(SYMBOL_ONE, SIDE_BUY, 100, 1); /* more at the best */
    struct command mass = mass_cancel_of("a");
    message_clear(&message);
    message_put(&message, &mass, envelope_of("gw", 1, ++origin_seq));
    stage_batch(&matcher, &message); /* nothing is left */
    pump();
    assert_int_equal(replica_count(&replica, "bbo." SYMBOL_ONE), 2);
    struct plain_book b = {.order_count = 0};
    for (unsigned i = 0; i < replica.published_count; i++) {
        struct frame_reader f;
        frame_read(&f, replica.published[i].data, replica.published[i].size);
        if (text_equal(f.head.topic, text_of("bbo." SYMBOL_ONE)))
            read_into(&b, PLAIN_BBO, f);
    }
    assert_true(!b.bbo.bid_price.given && b.bbo.bid_qty == 0 && !b.bbo.ask_price.given);
}

static void each_symbol_has_views_of_its_own(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    place(SYMBOL_OTHER, SIDE_BUY, 200, 6);
    place(SYMBOL_ANY, SIDE_SELL, -7, 8);
    pump();
    static const struct {
        const char *topic;
        struct level level;
    } expected[] = {{"l2." SYMBOL_ONE, {SIDE_BUY, 100, 5}},
                    {"l2." SYMBOL_OTHER, {SIDE_BUY, 200, 6}},
                    {"l2." SYMBOL_ANY, {SIDE_SELL, -7, 8}}};
    for (unsigned i = 0; i < 3; i++) {
        struct plain_book b = {.order_count = 0};
        struct frame_reader f = replica_frame(&replica, expected[i].topic);
        read_into(&b, PLAIN_L2, f);
        assert_int_equal(b.level_count, 1);
        assert_true(b.levels[0].price == expected[i].level.price);
        assert_true(f.head.hash.value == plain_l2_hash(&b));
    }
}

static void no_account_is_ever_named(void **state)
{
    (void)state;
    struct command c = new_order_of(SIDE_BUY, 100, 5);
    c.new_order.account = text_of("a-most-secret-account");
    c.new_order.client_order_id = text_of("a-most-secret-label");
    for (unsigned i = 0; i < 2; i++) {
        message_clear(&message);
        message_put(&message, &c, envelope_of("gw", 1, ++origin_seq));
        stage_batch(&matcher, &message);
        c.new_order.side = SIDE_SELL;
        c.new_order.client_order_id = text_of("");
    }
    heartbeat();
    pump();
    assert_true(replica.published_count > 5);
    for (unsigned i = 0; i < replica.published_count; i++)
        assert_null(memmem(replica.published[i].data, replica.published[i].size, "secret", 6));
}

/* ---- joining, and what may be said before ---- */

static void before_it_has_joined_it_says_nothing(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    for (unsigned i = 0; i < matcher.said_count; i++) {
        if (matcher.said[i].output == MATCHER_OUTPUT_PUBLIC)
            replica_receive(&replica, 0, matcher.said[i].bytes, matcher.said[i].size);
    }
    stage_clear(&matcher);
    assert_false(market_data_ready(replica.market_data));
    assert_int_equal(replica.published_count, 0);
    ask("l3." SYMBOL_ONE, 0, REJECT_NOT_CAUGHT_UP);
    ask("l2." SYMBOL_OTHER, 0, REJECT_NOT_CAUGHT_UP);
    ask("l2.NONE", 0, REJECT_UNKNOWN_TOPIC);
    replica_clear(&replica);
    pump(); /* the snapshot comes */
    place(SYMBOL_ONE, SIDE_BUY, 101, 5);
    pump();
    assert_int_equal(replica_frame(&replica, "l2." SYMBOL_ONE).head.prev_seq, 5);
}

/* The positions of a heartbeat: last_seq of each topic told, by its name. */
static bool told(struct frame_reader f, const char *topic, uint64_t last_seq)
{
    uint64_t type;
    struct wire_reader fields;
    struct position m;
    assert_true(frame_next_group(&f));
    while (frame_next_event(&f, &type, &fields)) {
        if (type != MESSAGE_POSITION)
            continue;
        position_get_fields(&fields, &m);
        if (text_equal(m.topic, text_of(topic))) {
            assert_int_equal(m.last_seq, last_seq);
            return true;
        }
    }
    return false;
}

static void a_heartbeat_follows_the_matchers_and_tells_of_complete_views(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    pump();
    heartbeat();
    pump();
    struct frame_reader f = replica_frame(&replica, "hb");
    assert_true(f.head.seq == 5 && f.head.time_ns == matcher.now_ns);
    assert_true(f.head.epoch == STAGE_EPOCH);
    assert_true(told(f, "l2." SYMBOL_ONE, 5) && told(f, "l3." SYMBOL_ONE, 5));
    assert_true(told(f, "bbo." SYMBOL_ONE, 5) && told(f, "trade." SYMBOL_ONE, 0));
    assert_true(told(f, "l2." SYMBOL_OTHER, 0));
    replica_clear(&replica);
    place(SYMBOL_ONE, SIDE_BUY, 99, 5); /* a frame is lost, and one comes after it */
    stage_clear(&matcher);
    place(SYMBOL_ONE, SIDE_BUY, 98, 5);
    heartbeat();
    for (unsigned i = 0; i < matcher.said_count; i++) {
        if (matcher.said[i].output == MATCHER_OUTPUT_PUBLIC)
            replica_receive(&replica, 0, matcher.said[i].bytes, matcher.said[i].size);
    }
    f = replica_frame(&replica, "hb");
    assert_false(told(f, "l2." SYMBOL_ONE, 0) || told(f, "l3." SYMBOL_ONE, 0));
    assert_true(told(f, "l2." SYMBOL_OTHER, 0));
    ask("l2." SYMBOL_ONE, 0, REJECT_NOT_CAUGHT_UP);
}

/* They are of the matcher's last heartbeat, and what was published since stands beyond it. */
static void its_last_word_names_no_positions(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    pump();
    heartbeat();
    pump();
    place(SYMBOL_ONE, SIDE_BUY, 99, 5);
    pump();
    replica_clear(&replica);
    replica.service.stand(replica.service.self, STANDING_STOPPED, 0);
    replica_tick(&replica);
    struct frame_reader f = replica_frame(&replica, "hb");
    assert_int_equal(f.head.seq, 5);
    assert_false(told(f, "l2." SYMBOL_ONE, 5) || told(f, "l2." SYMBOL_ONE, 6));
    assert_false(told(f, "l2." SYMBOL_OTHER, 0));
}

static void a_snapshot_is_the_view_and_says_where_its_topics_stand(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    place(SYMBOL_ONE, SIDE_SELL, 100, 2); /* a trade at 6 */
    place(SYMBOL_ONE, SIDE_BUY, 98, 4);   /* behind the best, at 7 */
    place(SYMBOL_OTHER, SIDE_BUY, 98, 4);
    pump();
    struct plain_book b = {.order_count = 0};
    static const char *const topics[] = {"l3." SYMBOL_ONE, "l2." SYMBOL_ONE, "bbo." SYMBOL_ONE,
                                         "trade." SYMBOL_ONE};
    for (unsigned i = 0; i < 4; i++) {
        uint64_t type;
        struct wire_reader fields;
        struct book_position position;
        struct frame_reader f = ask(topics[i], 7, 0);
        assert_true(f.head.seq == 7 && f.head.epoch == STAGE_EPOCH);
        assert_int_equal(f.head.hash.given, i < 2);
        assert_true(frame_next_event(&f, &type, &fields));
        assert_int_equal(type, MESSAGE_BOOK_POSITION);
        book_position_get_fields(&fields, &position);
        assert_true(position.book_seq == 7 && position.bbo_seq == 6 && position.trade_seq == 6);
        assert_true(text_equal(position.symbol, text_of(SYMBOL_ONE)));
        while (frame_next_event(&f, &type, &fields))
            assert_true(plain_event(&b, (enum plain_source)i, type, &fields));
        if (i < 2)
            assert_true(f.head.hash.value == (i == 0 ? plain_l3_hash(&b) : plain_l2_hash(&b)));
    }
    assert_true(plain_levels_fit(&b) && plain_bbo_fits(&b) && b.order_count == 2);
    ask("l2." SYMBOL_ONE, 8, REJECT_NOT_CAUGHT_UP);
}

/* ---- the trades so far ---- */

static struct trades_told ask_trades(const char *topic)
{
    struct trades_told told = {.count = 0};
    uint64_t type;
    struct wire_reader fields;
    struct frame_reader f = ask(topic, 0, 0);
    assert_true(frame_next_event(&f, &type, &fields) && type == MESSAGE_BOOK_POSITION);
    assert_true(trades_told_event(&told, type, &fields));
    assert_true(frame_next_event(&f, &type, &fields) && type == MESSAGE_TRADE_TOTALS);
    assert_true(trades_told_event(&told, type, &fields));
    while (frame_next_event(&f, &type, &fields))
        assert_true(trades_told_event(&told, type, &fields));
    return told;
}

static void a_snapshot_of_trades_is_their_totals_and_the_last_of_them(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_SELL, 100, 2); /* 5 */
    place(SYMBOL_ONE, SIDE_SELL, 103, 4); /* 6 */
    matcher.now_ns += 1000;
    place(SYMBOL_ONE, SIDE_BUY, 103, 5); /* 7 takes 2 at 100 and 3 at 103 */
    matcher.now_ns += 1000;
    place(SYMBOL_ONE, SIDE_BUY, 103, 1); /* 8 takes the last */
    pump();
    struct trades_told t = ask_trades("trade." SYMBOL_ONE);
    static const struct past_trade expected[] = {{.seq = 7, .price = 100, .qty = 2},
                                                 {.seq = 7, .price = 103, .qty = 3},
                                                 {.seq = 8, .price = 103, .qty = 1}};
    assert_int_equal(t.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct past_trade *p = &t.trades[i];
        assert_true(p->seq == expected[i].seq && p->price == expected[i].price);
        assert_true(p->qty == expected[i].qty && p->aggressor == SIDE_BUY);
        assert_true(p->time_ns == matcher.now_ns - (p->seq == 7 ? 1000 : 0));
        assert_true((p->maker_order_id & 0xFFFF) == (i == 0 ? 5 : 6));
        assert_true((p->taker_order_id & 0xFFFF) == p->seq);
        assert_true(i == 0 || p->trade_id > p[-1].trade_id);
    }
    assert_true(t.totals.since_seq == 1 && t.totals.since_ns == 0);
    assert_true(t.totals.trade_count == 3 && t.totals.qty_low == 6);
    assert_int_equal(t.totals.notional_low, 200 + 4 * 103);
    assert_true(t.totals.first_price.value == 100 && t.totals.last_price.value == 103);
    assert_true(t.totals.high_price.value == 103 && t.totals.low_price.value == 100);
    t = ask_trades("trade." SYMBOL_OTHER); /* each symbol has its own */
    assert_true(t.count == 0 && t.totals.trade_count == 0 && t.totals.since_seq == 1);
}

/* Places a trade at the next two sequences. */
static void place_trade(const char *symbol)
{
    place(symbol, SIDE_BUY, 100, 1);
    place(symbol, SIDE_SELL, 100, 1);
}

static void a_replica_that_comes_late_counts_from_where_it_joined(void **state)
{
    (void)state;
    place_trade(SYMBOL_ONE); /* 5 and 6 */
    stage_clear(&matcher);
    matcher.now_ns += NS_PER_SECOND;
    heartbeat(); /* it tells of the trade, which the replica missed */
    pump();
    uint64_t joined_ns = matcher.now_ns;
    struct trades_told t = ask_trades("trade." SYMBOL_ONE);
    assert_true(market_data_ready(replica.market_data));
    assert_true(t.count == 0 && t.totals.trade_count == 0);
    assert_true(t.totals.since_seq == 7 && t.totals.since_ns == joined_ns);
    place_trade(SYMBOL_ONE);
    pump();
    t = ask_trades("trade." SYMBOL_ONE);
    assert_true(t.count == 1 && t.totals.trade_count == 1 && t.totals.since_seq == 7);
    assert_int_equal(t.trades[0].seq, 8);
}

/* ---- a new epoch ---- */

static void matcher_restarts(void)
{
    struct matcher_options o = options();
    uint64_t now_ns = matcher.now_ns;
    stage_close(&matcher);
    o.epoch++;
    stage_open(&matcher, &o);
    matcher.now_ns = now_ns + NS_PER_SECOND;
    matcher_hears_replica();
    origin_seq = 0;
}

static void a_new_epoch_replaces_every_view(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10; i++)
        place(SYMBOL_ONE, SIDE_BUY, 90 + i, 5);
    place(SYMBOL_OTHER, SIDE_BUY, 90, 5);
    pump();
    matcher_restarts();
    heartbeat();
    pump();
    assert_true(market_data_ready(replica.market_data));
    replica_clear(&replica);
    place(SYMBOL_ONE, SIDE_BUY, 50, 1);
    pump();
    struct plain_book b = {.order_count = 0};
    struct frame_reader f = replica_frame(&replica, "l2." SYMBOL_ONE);
    assert_true(f.head.epoch == STAGE_EPOCH + 1 && f.head.prev_seq == 0 && f.head.seq == 5);
    read_into(&b, PLAIN_L2, f);
    assert_true(f.head.hash.value == plain_l2_hash(&b)); /* nothing of before is in it */
    f = ask("l3." SYMBOL_OTHER, 0, 0);
    assert_true(f.head.epoch == STAGE_EPOCH + 1 && f.head.hash.value == 0);
}

static void trades_of_an_epoch_that_is_over_are_forgotten(void **state)
{
    (void)state;
    place_trade(SYMBOL_ONE);
    pump();
    assert_int_equal(ask_trades("trade." SYMBOL_ONE).count, 1);
    matcher_restarts();
    heartbeat();
    pump();
    struct trades_told t = ask_trades("trade." SYMBOL_ONE);
    assert_true(t.count == 0 && t.totals.trade_count == 0 && !t.totals.last_price.given);
    assert_true(t.totals.since_seq == 1 && t.totals.since_ns == 0); /* again from the start */
}

/* One symbol's frame tells of the new epoch; nothing has been heard of the others since. They must
 * not be passed off as of the new one. */
static void a_view_of_the_old_epoch_is_not_told_under_the_new_one(void **state)
{
    (void)state;
    place(SYMBOL_OTHER, SIDE_BUY, 90, 5);
    for (unsigned i = 0; i < 10; i++)
        place(SYMBOL_ONE, SIDE_BUY, 90 + i, 5);
    pump();
    matcher_restarts();
    place(SYMBOL_ONE, SIDE_BUY, 50, 1);
    for (unsigned i = 0; i < matcher.said_count; i++) { /* the frame, but no heartbeat */
        struct frame_reader f;
        frame_read(&f, matcher.said[i].bytes, matcher.said[i].size);
        if (matcher.said[i].output == MATCHER_OUTPUT_PUBLIC && f.head.type == FRAME_EVENTS)
            replica_receive(&replica, 0, matcher.said[i].bytes, matcher.said[i].size);
    }
    stage_clear(&matcher);
    pump();
    struct frame_reader f = ask("l3." SYMBOL_ONE, 0, 0);
    assert_true(f.head.epoch == STAGE_EPOCH + 1);
    ask("l3." SYMBOL_OTHER, 0, REJECT_NOT_CAUGHT_UP);
    assert_false(market_data_ready(replica.market_data));
    heartbeat(); /* it tells of every topic: now all are joined again */
    pump();
    f = ask("l3." SYMBOL_OTHER, 0, 0);
    assert_true(f.head.epoch == STAGE_EPOCH + 1 && f.head.hash.value == 0);
}

/* ---- faults and strangers ---- */

/* What the matcher said reaches the replica with another hash. */
static void deliver_with_wrong_hashes(void)
{
    for (unsigned i = 0; i < matcher.said_count; i++) {
        struct said *m = &matcher.said[i];
        if (m->output != MATCHER_OUTPUT_PUBLIC)
            continue;
        uint8_t *hash = memchr(m->bytes + 24, 0xcf, m->size - 24); /* behind the time */
        assert_non_null(hash);
        hash[3] ^= 1;
        replica_receive(&replica, 0, m->bytes, m->size);
    }
    stage_clear(&matcher);
}

static void a_wrong_hash_is_not_passed_on_and_the_view_joins_again(void **state)
{
    (void)state;
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    deliver_with_wrong_hashes();
    assert_int_equal(replica.published_count, 0);
    assert_false(market_data_ready(replica.market_data));
    pump();
    assert_true(market_data_ready(replica.market_data));
    place(SYMBOL_ONE, SIDE_BUY, 101, 5);
    pump();
    struct frame_reader f = replica_frame(&replica, "l2." SYMBOL_ONE);
    assert_int_equal(f.head.prev_seq, 5); /* the lost one is a gap to readers, and they are told */
}

/* The trade of the frame that was wrong is told to nobody, and counts nowhere: not even where the
 * matcher says that it was the last. */
static void trades_of_a_frame_with_a_wrong_hash_do_not_count(void **state)
{
    (void)state;
    place_trade(SYMBOL_ONE); /* 6 */
    place(SYMBOL_ONE, SIDE_BUY, 100, 5);
    pump();
    replica_clear(&replica);
    place(SYMBOL_ONE, SIDE_SELL, 100, 1); /* 8 */
    deliver_with_wrong_hashes();
    assert_int_equal(replica.published_count, 0);
    pump();
    struct trades_told t = ask_trades("trade." SYMBOL_ONE);
    assert_true(t.count == 0 && t.totals.trade_count == 0 && t.totals.since_seq == 9);
}

static void garbage_is_passed_over(void **state)
{
    (void)state;
    static const char *const garbage[] = {"", "x", "l3." SYMBOL_ONE, "hb\0\x98", "\xff\xff\xff"};
    for (unsigned i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        replica_receive(&replica, 0, (const uint8_t *)garbage[i], strlen(garbage[i]) + 1);
        replica_receive(&replica, REQUESTS_INPUT, (const uint8_t *)garbage[i], strlen(garbage[i]));
    }
    assert_int_equal(market_data_counts(replica.market_data).garbage,
                     sizeof garbage / sizeof garbage[0]);
    assert_int_equal(replica.published_count, 0);
    place(SYMBOL_ONE, SIDE_BUY, 101, 5);
    pump();
    assert_int_equal(replica_count(&replica, "l2." SYMBOL_ONE), 1);
}

static void without_room_nothing_more_is_taken_in(void **state)
{
    (void)state;
    struct outbox *o = replica.service.outbox;
    struct journal_batch batch;
    while (outbox_room(o) >= 8 << 20) {
        assert_non_null(outbox_reserve(o, 4 << 20));
        outbox_commit(o, 0, 4 << 20);
    }
    place(SYMBOL_ONE, SIDE_BUY, 101, 5);
    const struct said *m = &matcher.said[0];
    assert_int_equal(m->output, MATCHER_OUTPUT_PUBLIC);
    replica.service.begin(replica.service.self, replica.now_ns, 1);
    assert_int_equal(replica.service.receive(replica.service.self, 0, m->bytes, m->size),
                     INTAKE_FULL);
    replica.service.end(replica.service.self, &batch);
    struct outgoing out;
    while (outbox_peek(o, UINT64_MAX, &out))
        outbox_pop(o);
    pump(); /* offered again it is taken */
    assert_int_equal(replica_count(&replica, "l2." SYMBOL_ONE), 1);
}

int main(void)
{
#define TEST(name)   cmocka_unit_test_setup_teardown(name, setup_joined, teardown)
#define BEFORE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(one_frame_becomes_at_most_one_in_each_view),
        TEST(an_l3_frame_is_passed_on_as_it_came),
        TEST(a_group_tells_each_level_it_touched_once_bids_first_best_first),
        TEST(best_bid_and_offer_are_told_only_when_they_change),
        TEST(each_symbol_has_views_of_its_own),
        TEST(no_account_is_ever_named),
        BEFORE(before_it_has_joined_it_says_nothing),
        TEST(a_heartbeat_follows_the_matchers_and_tells_of_complete_views),
        TEST(its_last_word_names_no_positions),
        TEST(a_snapshot_is_the_view_and_says_where_its_topics_stand),
        TEST(a_snapshot_of_trades_is_their_totals_and_the_last_of_them),
        BEFORE(a_replica_that_comes_late_counts_from_where_it_joined),
        TEST(a_new_epoch_replaces_every_view),
        TEST(trades_of_an_epoch_that_is_over_are_forgotten),
        TEST(a_view_of_the_old_epoch_is_not_told_under_the_new_one),
        TEST(a_wrong_hash_is_not_passed_on_and_the_view_joins_again),
        TEST(trades_of_a_frame_with_a_wrong_hash_do_not_count),
        TEST(garbage_is_passed_over),
        TEST(without_room_nothing_more_is_taken_in),
    };
#undef TEST
#undef BEFORE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
