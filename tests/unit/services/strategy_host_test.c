/* strategy_host: what a strategy is told, in which order, and what becomes of what it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/services/host_kit.h"

static struct host_kit *k;

static int setup(void **state)
{
    (void)state;
    k = host_kit_open(1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_kit_close(k);
    return 0;
}

static const enum side BUY = SIDE_BUY, SELL = SIDE_SELL;

/* Begin, with a market of 100 to 110. */
static void begin(void)
{
    host_kit_begin(k, true);
    host_kit_quote(k, 100, 110);
    host_kit_clear(k);
}

static struct strategy_standing standing(unsigned strategy)
{
    return strategy_host_standing(k->host, strategy);
}

static void now(uint64_t after_ns)
{
    k->now_ns = HOST_KIT_T0 + after_ns;
}

/* What is done by a callback of its own: at the next update. */
static void (*todo)(trader_t *t);

static void do_it(unsigned index, trader_t *t, const struct market_update *u)
{
    (void)u;
    if (index == 0 && todo != NULL)
        todo(t);
}

static void act(void (*what)(trader_t *t))
{
    todo = what;
    k->script.market = do_it;
    host_kit_trade(k, 9, 105, 1);
    host_kit_group(k);
    todo = NULL;
}

static void buy_5(trader_t *t)
{
    trader_limit(t, BUY, 100, 5);
}

static void amend_to_3(trader_t *t)
{
    assert_true(trader_amend(t, 1, 99, 3));
}

static void amend_not(trader_t *t)
{
    assert_false(trader_amend(t, 1, 99, 3));
}

static void cancel_1(trader_t *t)
{
    assert_true(trader_cancel(t, 1));
}

static void cancel_not(trader_t *t)
{
    assert_false(trader_cancel(t, 1));
}

/* Order 1 works: 5 lots to buy at 100. */
static void begin_working(void)
{
    begin();
    act(buy_5);
    host_kit_accepted(k, 0, 1, 100);
    host_kit_result(k, 0);
    host_kit_clear(k);
}

static void assert_order(enum own_state state, uint16_t reason, int64_t open, int64_t filled)
{
    const struct own_order *o = &host_kit_last(k, KIT_ORDER)->order;
    assert_int_equal(o->state, state);
    assert_int_equal(o->reason, reason);
    assert_int_equal(o->open_qty, open);
    assert_int_equal(o->filled_qty, filled);
}

static void assert_kinds(const enum host_kit_kind *kinds, unsigned count)
{
    assert_int_equal(k->heard_count, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(k->heard[i].kind, kinds[i]);
}

#define ASSERT_KINDS(...)                                                                          \
    assert_kinds((const enum host_kit_kind[]){__VA_ARGS__},                                        \
                 sizeof((enum host_kit_kind[]){__VA_ARGS__}) / sizeof(enum host_kit_kind))

/* ---- callbacks and commands ---- */

static void a_command_leaves_when_the_callback_has_returned(void **state)
{
    (void)state;
    begin();
    act(buy_5);
    ASSERT_KINDS(KIT_TOLD_MARKET, KIT_MARKET, KIT_COMMAND, KIT_TOLD_ORDER);
    assert_false(host_kit_last(k, KIT_COMMAND)->in_callback);
    const struct command *c = &host_kit_command(k, 0)->command;
    assert_int_equal(c->type, MESSAGE_NEW_ORDER);
    assert_true(text_equal(c->new_order.symbol, text_of("BTC-USD")));
    assert_true(text_equal(c->new_order.account, text_of("a0")));
    assert_string_equal(host_kit_command(k, 0)->label, "s0-10-1");
    assert_int_equal(c->new_order.stp, STP_REJECT);
    assert_int_equal(c->new_order.time_in_force, TIME_IN_FORCE_GTC);
    assert_true(c->new_order.price.given && c->new_order.price.value == 100);
    assert_int_equal(c->new_order.qty, 5);
    assert_int_equal(c->envelope.origin.size, 0);
    assert_int_equal(standing(0).orders, 1);
    assert_int_equal(standing(0).unanswered, 1);
    assert_int_equal(trader_order(k->traders[0], 1)->state, OWN_SENT);
}

static void place_three(trader_t *t)
{
    struct order_request market = {.side = SELL,
                                   .type = ORDER_TYPE_MARKET,
                                   .time_in_force = TIME_IN_FORCE_IOC,
                                   .price = 12345,
                                   .qty = 1};
    assert_int_equal(trader_limit(t, BUY, 100, 1), 1);
    assert_int_equal(trader_place(t, &market), 2);
    assert_int_equal(trader_limit(t, SELL, 120, 2), 3);
}

static void commands_leave_in_the_order_of_the_calls(void **state)
{
    (void)state;
    begin();
    act(place_three);
    assert_int_equal(k->command_count, 3);
    assert_string_equal(host_kit_command(k, 2)->label, "s0-10-1");
    assert_string_equal(host_kit_command(k, 1)->label, "s0-10-2");
    assert_string_equal(host_kit_command(k, 0)->label, "s0-10-3");
    assert_false(host_kit_command(k, 1)->command.new_order.price.given);
    uint32_t n = trader_next_order(k->traders[0], 0);
    for (uint32_t expected = 1; expected <= 3; expected++) {
        assert_int_equal(n, expected);
        n = trader_next_order(k->traders[0], n);
    }
    assert_int_equal(n, 0);
}

static void the_longest_name_and_session_fit_a_client_order_id(void **state)
{
    (void)state;
    struct strategy_host_owner owner = host_kit_owner(k);
    strcpy(k->specs[0].name, "0123456789abcdef");
    k->host = strategy_host_new(&owner, k->specs, 1, UINT64_C(1) << 40, true);
    strategy_host_book_joined(k->host, 0, k->now_ns);
    strategy_host_start(k->host, k->now_ns);
    act(buy_5);
    assert_string_equal(host_kit_command(k, 0)->label, "0123456789abcdef-e1454nwg-1");
    /* and the largest number has 7 digits: 36 in all would be the most */
    assert_true(strlen(host_kit_command(k, 0)->label) + 6 <= CLIENT_ORDER_ID_SIZE_MAX);
}

/* ---- the life of an order ---- */

static void an_order_is_accepted_filled_and_done(void **state)
{
    (void)state;
    begin();
    act(buy_5);
    host_kit_clear(k);
    host_kit_accepted(k, 0, 1, 100);
    ASSERT_KINDS(KIT_TOLD_ORDER, KIT_ORDER);
    assert_order(OWN_WORKING, 0, 5, 0);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.order_id, host_kit_id(1));
    host_kit_result(k, 0);
    assert_int_equal(k->heard_count, 2);
    assert_int_equal(standing(0).unanswered, 0);
    host_kit_clear(k);
    host_kit_filled(k, 0, 1, 100, 2, 3);
    ASSERT_KINDS(KIT_TOLD_ORDER, KIT_TOLD_FILL, KIT_ORDER, KIT_FILL);
    assert_order(OWN_WORKING, 0, 3, 2);
    assert_int_equal(host_kit_last(k, KIT_FILL)->position, 2);
    host_kit_filled(k, 0, 1, 99, 3, 0);
    assert_order(OWN_DONE, 0, 0, 5);
    assert_int_equal(host_kit_last(k, KIT_FILL)->order.state, OWN_DONE);
    assert_int_equal(host_kit_last(k, KIT_FILL)->order.done_ns, HOST_KIT_T0);
    assert_int_equal(standing(0).working, 0);
    assert_null(trader_order(k->traders[0], 1));
    const struct ledger *l = strategy_host_ledger(k->host, 0);
    assert_int_equal(l->position, 5);
    assert_true(l->cost == 2 * 100 + 3 * 99);
}

static void a_rejected_order_is_told_once_by_its_event(void **state)
{
    (void)state;
    begin();
    act(buy_5);
    host_kit_clear(k);
    host_kit_rejected(k, 0, 1, REJECT_POST_ONLY);
    host_kit_result(k, REJECT_POST_ONLY);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_DONE, REJECT_POST_ONLY, 0, 0);
    assert_int_equal(standing(0).unanswered, 0);
}

static void a_refusal_without_an_event_is_told_once_by_its_result(void **state)
{
    (void)state;
    begin();
    act(buy_5);
    host_kit_clear(k);
    host_kit_result(k, REJECT_TOO_MANY_OPEN_ORDERS);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_DONE, REJECT_TOO_MANY_OPEN_ORDERS, 0, 0);
    assert_int_equal(standing(0).working, 0);
}

static void an_amend_asks_for_the_total_and_is_told_by_its_event(void **state)
{
    (void)state;
    begin_working();
    host_kit_filled(k, 0, 1, 100, 1, 4);
    host_kit_clear(k);
    act(amend_to_3);
    const struct command *c = &host_kit_command(k, 0)->command;
    assert_int_equal(c->type, MESSAGE_AMEND_ORDER);
    assert_int_equal(c->amend_order.order_id, host_kit_id(1));
    assert_int_equal(c->amend_order.qty_is, QTY_IS_TOTAL);
    assert_int_equal(c->amend_order.qty.value, 4); /* 1 filled, 3 open */
    assert_int_equal(c->amend_order.price.value, 99);
    assert_true(trader_order(k->traders[0], 1)->amending);
    act(amend_not);
    host_kit_amended(k, 0, 1, 99, 4, 3);
    assert_order(OWN_WORKING, REASON_REQUEUED, 3, 1);
    const struct own_order *o = trader_order(k->traders[0], 1);
    assert_false(o->amending);
    assert_int_equal(o->price, 99);
    assert_int_equal(o->qty, 4);
    act(amend_to_3); /* before the first one's result, which must not end the second */
    host_kit_result(k, 0);
    assert_true(trader_order(k->traders[0], 1)->amending);
    assert_int_equal(standing(0).amends, 2);
}

static void a_refused_amend_leaves_the_order_and_is_told(void **state)
{
    (void)state;
    begin_working();
    act(amend_to_3);
    host_kit_clear(k);
    host_kit_result(k, REJECT_POST_ONLY);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_WORKING, REJECT_POST_ONLY, 5, 0);
    assert_false(trader_order(k->traders[0], 1)->amending);
    host_kit_filled(k, 0, 1, 100, 1, 4);
    assert_order(OWN_WORKING, 0, 4, 1);
}

static void amend_to_none(trader_t *t)
{
    assert_false(trader_amend(t, 1, 99, 0));
    assert_false(trader_amend(t, 1, 99, -1));
    assert_false(trader_amend(t, 2, 99, 1));
}

static void an_amend_of_nothing_is_not_sent(void **state)
{
    (void)state;
    begin_working();
    act(amend_to_none);
    assert_int_equal(k->command_count, 0);
}

static void a_cancel_is_sent_once_and_told_by_its_event(void **state)
{
    (void)state;
    begin_working();
    act(cancel_1);
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
    assert_int_equal(host_kit_command(k, 0)->command.cancel_order.order_id, host_kit_id(1));
    act(cancel_not);
    act(amend_not);
    assert_int_equal(k->command_count, 1);
    host_kit_clear(k);
    host_kit_cancelled(k, 0, 1, 5, REASON_USER);
    host_kit_result(k, 0);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 1);
    assert_order(OWN_DONE, REASON_USER, 0, 0);
    act(cancel_not);
}

static void a_refused_cancel_may_be_tried_again(void **state)
{
    (void)state;
    begin_working();
    act(cancel_1);
    host_kit_result(k, REJECT_MALFORMED);
    assert_order(OWN_WORKING, REJECT_MALFORMED, 5, 0);
    act(cancel_1);
    assert_int_equal(standing(0).cancels, 2);
}

static void a_cancel_that_came_too_late_says_nothing(void **state)
{
    (void)state;
    begin_working();
    act(cancel_1);
    host_kit_filled(k, 0, 1, 100, 5, 0);
    host_kit_clear(k);
    host_kit_result(k, REJECT_UNKNOWN_ORDER);
    assert_int_equal(k->heard_count, 0);
}

static void a_cancel_waits_until_the_order_is_accepted(void **state)
{
    (void)state;
    begin();
    act(buy_5);
    act(cancel_1);
    act(cancel_not);
    assert_int_equal(k->command_count, 1);
    host_kit_accepted(k, 0, 1, 100);
    assert_int_equal(k->command_count, 2);
    assert_int_equal(host_kit_command(k, 0)->command.cancel_order.order_id, host_kit_id(1));
    assert_true(host_kit_last(k, KIT_ORDER)->order.cancelling);
}

static void buy_ioc(trader_t *t)
{
    struct order_request r = {.side = BUY,
                              .type = ORDER_TYPE_LIMIT,
                              .time_in_force = TIME_IN_FORCE_IOC,
                              .price = 110,
                              .qty = 5};
    trader_place(t, &r);
}

static void what_cannot_rest_needs_no_cancel(void **state)
{
    (void)state;
    begin();
    act(buy_ioc);
    act(cancel_1);
    host_kit_accepted(k, 0, 1, 110);
    host_kit_filled(k, 0, 1, 110, 2, 3);
    host_kit_cancelled(k, 0, 1, 3, REASON_IOC_REMAINDER);
    host_kit_result(k, 0);
    assert_int_equal(k->command_count, 1);
    assert_order(OWN_DONE, REASON_IOC_REMAINDER, 0, 2);
}

static void events_of_orders_that_are_not_ours_are_passed_over(void **state)
{
    (void)state;
    begin_working();
    struct own_event e = {
        .type = MESSAGE_ORDER_ACCEPTED, .order_id = 5, .client_order_id = text_of("s0-10-2")};
    strategy_host_account(k->host, 0, k->now_ns, &e); /* no such order */
    e.client_order_id = text_of("s0-10-1");           /* known already */
    strategy_host_account(k->host, 0, k->now_ns, &e);
    e.client_order_id = text_of("s0-11-1"); /* of another life */
    strategy_host_account(k->host, 0, k->now_ns, &e);
    e.client_order_id = (struct text){"", 0};
    strategy_host_account(k->host, 0, k->now_ns, &e);
    host_kit_filled(k, 0, 9, 100, 5, 0);
    host_kit_cancelled(k, 0, 9, 5, REASON_USER);
    host_kit_result(k, REJECT_STP); /* to nothing we sent */
    assert_int_equal(k->heard_count, 0);
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 0);
}

static void events_that_cannot_be_stop_the_strategy(void **state)
{
    (void)state;
    begin_working();
    host_kit_filled(k, 0, 1, 100, 6, 0);
    assert_true(standing(0).stopping);
    assert_string_equal(standing(0).why, "events of its account do not fit its orders");
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 0);
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
}

static void results_go_to_the_oldest_command_of_their_shard(void **state)
{
    (void)state;
    host_kit_close(k);
    k = host_kit_open(3);
    k->specs[2].symbol.shard = 1;
    strcpy(k->specs[2].symbol.name, "ETH-USD");
    host_kit_begin(k, true);
    for (unsigned i = 0; i < 3; i++) {
        trader_t *t = k->traders[i];
        trader_limit(t, BUY, 1, 1);
    }
    k->script.market = NULL;
    strategy_host_time(k->host, k->now_ns); /* nothing of theirs is sent outside a callback */
    assert_int_equal(k->command_count, 0);
    host_kit_group(k);
    host_kit_quote(k, 100, 110); /* sends it, behind the callback */
    assert_int_equal(k->command_count, 2);
    host_kit_clear(k);
    host_kit_result(k, REJECT_STP);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->strategy, 0);
    host_kit_result(k, REJECT_STP);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->strategy, 1);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 2);
    assert_int_equal(standing(2).working, 1);
}

/* ---- the market ---- */

static void an_update_is_told_with_its_trades(void **state)
{
    (void)state;
    begin();
    host_kit_trade(k, 7, 105, 2);
    host_kit_group(k);
    const struct market_update *u = &host_kit_last(k, KIT_MARKET)->update;
    assert_int_equal(u->trade_count, 1);
    assert_false(u->book_changed);
    assert_int_equal(u->seq, k->seq);
    assert_int_equal(u->time_ns, k->now_ns - 5);
    host_kit_add(k, BUY, 101, 1);
    host_kit_group(k);
    u = &host_kit_last(k, KIT_MARKET)->update;
    assert_int_equal(u->trade_count, 0);
    assert_true(u->book_changed);
    host_kit_clear(k);
    host_kit_group(k); /* nothing of the book, no trade */
    assert_int_equal(k->heard_count, 0);
}

static unsigned trades_seen;

static void sum_trades(unsigned index, trader_t *t, const struct market_update *u)
{
    (void)index;
    (void)t;
    for (size_t i = 0; i < u->trade_count; i++) {
        assert_int_equal(u->trades[i].trade_id, i + 1);
        assert_int_equal(u->trades[i].aggressor, SIDE_SELL);
    }
    trades_seen = (unsigned)u->trade_count;
}

static void a_group_of_more_trades_than_there_can_be_breaks_the_mirror(void **state)
{
    (void)state;
    begin();
    k->script.market = sum_trades;
    for (unsigned i = 1; i <= 4096; i++)
        host_kit_trade(k, i, 105, 1);
    host_kit_group(k);
    assert_int_equal(trades_seen, 4096);
    uint64_t right = strategy_host_book_hash(k->host, 0).value;
    for (unsigned i = 1; i <= 4097; i++)
        host_kit_trade(k, i, 105, 1);
    trades_seen = 0;
    host_kit_group(k);
    assert_int_equal(trades_seen, 0);
    assert_true(strategy_host_book_hash(k->host, 0).value != right);
}

static void the_book_can_be_seen(void **state)
{
    (void)state;
    struct market_level levels[4];
    begin();
    host_kit_add(k, BUY, 98, 7);
    host_kit_add(k, BUY, 100, 1);
    host_kit_group(k);
    trader_t *t = k->traders[0];
    assert_true(trader_best(t, BUY, levels));
    assert_int_equal(levels[0].price, 100);
    assert_int_equal(levels[0].qty, 11);
    assert_int_equal(levels[0].orders, 2);
    assert_int_equal(trader_levels(t, BUY, levels, 4), 2);
    assert_int_equal(levels[1].price, 98);
    assert_int_equal(trader_levels(t, BUY, levels, 1), 1);
    assert_int_equal(trader_levels(t, SELL, levels, 4), 1);
    assert_int_equal(trader_qty_at(t, BUY, 98), 7);
    assert_int_equal(trader_qty_at(t, BUY, 99), 0);
    assert_int_equal(trader_qty_at(t, SELL, 110), 10);
}

static void what_is_ahead_is_what_stands_before_it(void **state)
{
    (void)state;
    begin_working();
    trader_t *t = k->traders[0];
    assert_int_equal(trader_ahead(t, 1), -1); /* accepted, not seen in the market */
    uint64_t second = host_kit_add(k, BUY, 100, 3);
    host_kit_add_order(k, host_kit_id(1), BUY, 100, 5);
    host_kit_add(k, BUY, 100, 9); /* behind us */
    host_kit_group(k);
    assert_int_equal(trader_ahead(t, 1), 13);
    assert_int_equal(strategy_host_ahead(k->host, 0, 1), 13);
    host_kit_delete(k, second);
    host_kit_group(k);
    assert_int_equal(trader_ahead(t, 1), 10);
    assert_int_equal(trader_ahead(t, 2), -1);
    host_kit_delete(k, host_kit_id(1)); /* the market may know before the account */
    host_kit_group(k);
    assert_int_equal(trader_ahead(t, 1), -1);
}

static void no_order_is_taken_while_the_book_is_not_known(void **state)
{
    (void)state;
    struct market_level level;
    host_kit_begin(k, false);
    trader_t *t = k->traders[0];
    k->script.timer = NULL;
    assert_false(trader_best(t, BUY, &level));
    trader_limit(t, BUY, 100, 1);
    strategy_host_book_reset(k->host, 0);
    host_kit_add(k, BUY, 100, 1);
    assert_false(trader_best(t, BUY, &level)); /* half a snapshot is no book */
    assert_int_equal(trader_qty_at(t, BUY, 100), 0);
    host_kit_clear(k);
    strategy_host_book_joined(k->host, 0, k->now_ns);
    assert_int_equal(host_kit_last(k, KIT_MARKET)->update.seq, 0);
    assert_true(host_kit_last(k, KIT_MARKET)->update.book_changed);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.refusal, OWN_REFUSED_BOOK);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.state, OWN_DONE);
    assert_int_equal(standing(0).refused[OWN_REFUSED_BOOK], 1);
    assert_true(trader_best(t, BUY, &level));
    host_kit_clear(k);
    host_kit_delete(k, 4711); /* no such order: the mirror is broken */
    host_kit_group(k);
    assert_int_equal(k->heard_count, 0);
    assert_false(trader_best(t, BUY, &level));
    strategy_host_book_reset(k->host, 0);
    strategy_host_book_joined(k->host, 0, k->now_ns);
    act(buy_5);
    assert_int_equal(k->command_count, 1);
}

static void an_attached_book_is_read_as_it_stands(void **state)
{
    (void)state;
    struct book_pool pool;
    struct book *book = calloc(1, sizeof *book);
    struct market_level level;
    book_pool_init(&pool, 8, 8);
    struct strategy_host_owner owner = host_kit_owner(k);
    k->host = strategy_host_new(&owner, k->specs, 1, 36, false);
    assert_false(strategy_host_book_hash(k->host, 0).given);
    strategy_host_start(k->host, k->now_ns);
    strategy_host_book_attach(k->host, 0, book, &pool);
    uint32_t slot = order_new(&pool);
    pool.orders[slot].side = SIDE_BUY;
    pool.orders[slot].open_qty = 4;
    pool.orders[slot].order_id = host_kit_id(1);
    order_index(&pool, slot);
    book_insert(&pool, book, slot, 100);
    struct market_update u = {.time_ns = 1, .seq = 2, .book_changed = true};
    k->script.market = do_it;
    todo = buy_5;
    strategy_host_market(k->host, 0, k->now_ns, &u);
    todo = NULL;
    assert_int_equal(k->command_count, 1);
    assert_true(trader_best(k->traders[0], BUY, &level) && level.qty == 4);
    host_kit_accepted(k, 0, 1, 100);
    assert_int_equal(trader_ahead(k->traders[0], 1), 0);
    assert_true(strategy_host_book_hash(k->host, 0).value == book->l3_hash);
    book_pool_close(&pool);
    free(book);
}

/* ---- timers ---- */

static uint64_t wake_at[HOST_KIT_STRATEGIES_MAX];
static unsigned wakes_left;

static void wake_on_start(unsigned index, trader_t *t)
{
    trader_wake(t, wake_at[index]);
}

static void wake_again(unsigned index, trader_t *t)
{
    (void)index;
    if (wakes_left > 0 && wakes_left-- > 0)
        trader_wake(t, 1);
}

static void timers_fire_by_time_then_by_strategy(void **state)
{
    (void)state;
    host_kit_close(k);
    k = host_kit_open(4);
    wake_at[0] = HOST_KIT_T0 + 20;
    wake_at[1] = HOST_KIT_T0 + 10;
    wake_at[2] = HOST_KIT_T0 + 20;
    wake_at[3] = 0;
    k->script.start = wake_on_start;
    host_kit_begin(k, true);
    assert_true(strategy_host_due_ns(k->host) == HOST_KIT_T0 + 10);
    strategy_host_time(k->host, HOST_KIT_T0 + 9);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 0);
    host_kit_clear(k);
    strategy_host_time(k->host, HOST_KIT_T0 + 20);
    ASSERT_KINDS(KIT_TIMER, KIT_TIMER, KIT_TIMER);
    assert_int_equal(k->heard[0].strategy, 1);
    assert_int_equal(k->heard[1].strategy, 0);
    assert_int_equal(k->heard[2].strategy, 2);
    assert_true(strategy_host_due_ns(k->host) == UINT64_MAX);
}

static void a_timer_of_the_past_fires_behind_the_same_input(void **state)
{
    (void)state;
    wake_at[0] = 1;
    wakes_left = 2;
    k->script.start = wake_on_start;
    k->script.timer = wake_again;
    host_kit_begin(k, true);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 3);
}

static void wake_twice(trader_t *t)
{
    trader_wake(t, HOST_KIT_T0 + 10);
    trader_wake(t, HOST_KIT_T0 + 30);
}

static void wake_never(trader_t *t)
{
    trader_wake(t, 0);
}

static void the_last_word_about_a_timer_counts(void **state)
{
    (void)state;
    begin();
    act(wake_twice);
    assert_true(strategy_host_due_ns(k->host) == HOST_KIT_T0 + 30);
    strategy_host_time(k->host, HOST_KIT_T0 + 29);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 0);
    now(29);
    act(wake_never);
    assert_true(strategy_host_due_ns(k->host) == UINT64_MAX);
    strategy_host_time(k->host, HOST_KIT_T0 + 31);
    assert_int_equal(host_kit_count(k, KIT_TIMER), 0);
}

static void time_stands_still_rather_than_going_back(void **state)
{
    (void)state;
    begin();
    strategy_host_time(k->host, HOST_KIT_T0 + 50);
    strategy_host_time(k->host, HOST_KIT_T0 + 20);
    assert_true(strategy_host_now_ns(k->host) == HOST_KIT_T0 + 50);
    assert_true(trader_now_ns(k->traders[0]) == HOST_KIT_T0 + 50);
}

/* ---- stopping ---- */

static void a_stop_cancels_what_works_and_ends_when_it_is_gone(void **state)
{
    (void)state;
    begin_working();
    act(buy_5); /* 2, which is not accepted yet */
    host_kit_clear(k);
    strategy_host_stop(k->host, 0, k->now_ns, "enough");
    strategy_host_stop(k->host, 0, k->now_ns, "twice");
    assert_int_equal(k->command_count, 1);
    assert_int_equal(k->ended_count, 0);
    act(buy_5);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.refusal, OWN_REFUSED_STOPPING);
    host_kit_cancelled(k, 0, 1, 5, REASON_USER);
    host_kit_accepted(k, 0, 2, 100);
    assert_int_equal(k->command_count, 2);
    assert_int_equal(host_kit_command(k, 0)->command.cancel_order.order_id, host_kit_id(2));
    assert_false(strategy_host_all_ended(k->host));
    host_kit_clear(k);
    host_kit_cancelled(k, 0, 2, 5, REASON_USER);
    ASSERT_KINDS(KIT_TOLD_ORDER, KIT_ORDER, KIT_ENDED);
    assert_true(strategy_host_all_ended(k->host));
    assert_string_equal(k->why, "enough");
    host_kit_clear(k);
    host_kit_quote(k, 101, 109);
    strategy_host_stop_all(k->host, k->now_ns, "again");
    assert_int_equal(host_kit_count(k, KIT_MARKET), 0);
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(standing(0).unanswered, 3); /* results may come later */
    host_kit_result(k, 0);
    host_kit_result(k, 0);
    host_kit_result(k, 0);
    assert_int_equal(standing(0).unanswered, 0);
}

static void one_that_is_done_is_stopped(void **state)
{
    (void)state;
    begin_working();
    k->script.done[0] = true;
    host_kit_quote(k, 101, 109);
    assert_string_equal(standing(0).why, "it is done");
    assert_int_equal(host_kit_command(k, 0)->command.type, MESSAGE_CANCEL_ORDER);
    host_kit_filled(k, 0, 1, 100, 5, 0); /* the fill was faster */
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(host_kit_last(k, KIT_FILL)->qty, 5);
}

static void stopped_before_the_start_it_never_starts(void **state)
{
    (void)state;
    struct strategy_host_owner owner = host_kit_owner(k);
    k->host = strategy_host_new(&owner, k->specs, 1, 36, true);
    strategy_host_stop_all(k->host, k->now_ns, "not today");
    strategy_host_start(k->host, k->now_ns);
    ASSERT_KINDS(KIT_ENDED);
}

static void what_a_lost_shard_had_counts_as_done(void **state)
{
    (void)state;
    begin_working();
    act(buy_5);
    host_kit_clear(k);
    strategy_host_lost(k->host, 1, k->now_ns); /* nobody's */
    assert_int_equal(k->heard_count, 0);
    strategy_host_lost(k->host, 0, k->now_ns);
    assert_int_equal(k->command_count, 0);
    assert_int_equal(host_kit_count(k, KIT_ORDER), 2);
    assert_int_equal(host_kit_last(k, KIT_ORDER)->order.state, OWN_DONE);
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(standing(0).unanswered, 0);
    host_kit_clear(k);
    host_kit_filled(k, 0, 1, 100, 2, 3); /* it was open all the same */
    host_kit_accepted(k, 0, 2, 100);
    host_kit_filled(k, 0, 2, 100, 5, 0);
    host_kit_result(k, REJECT_STP);
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 7);
    assert_int_equal(host_kit_count(k, KIT_TOLD_FILL), 2);
    assert_int_equal(host_kit_count(k, KIT_ORDER) + host_kit_count(k, KIT_FILL), 0);
}

/* ---- what would never end ---- */

static void place_again(unsigned index, trader_t *t, const struct own_order *o)
{
    (void)index;
    if (o->refusal != OWN_REFUSED_NOT)
        trader_limit(t, BUY, 100, 1000);
}

static void buy_1000(trader_t *t)
{
    trader_limit(t, BUY, 100, 1000);
}

static void a_strategy_that_answers_its_refusals_is_stopped(void **state)
{
    (void)state;
    k->specs[0].limits.order_max = 10;
    begin();
    k->script.order = place_again;
    act(buy_1000);
    assert_int_equal(host_kit_count(k, KIT_ORDER) + host_kit_count(k, KIT_MARKET), HOST_CALLS_MAX);
    assert_int_equal(k->ended_count, 1);
    assert_non_null(strstr(k->why, "4096 callbacks"));
}

static void place_5000(trader_t *t)
{
    for (unsigned i = 0; i < 5000; i++)
        trader_limit(t, BUY, 100, 1000);
}

static void a_strategy_that_is_refused_too_often_at_once_is_stopped(void **state)
{
    (void)state;
    k->specs[0].limits.order_max = 10;
    begin();
    act(place_5000);
    assert_int_equal(k->ended_count, 1);
    assert_int_equal(standing(0).refused[OWN_REFUSED_ORDER_SIZE], 5000);
}

static void a_timer_that_is_always_due_is_stopped(void **state)
{
    (void)state;
    wake_at[0] = 1;
    wakes_left = UINT32_MAX;
    k->script.start = wake_on_start;
    k->script.timer = wake_again;
    host_kit_begin(k, true);
    assert_int_equal(host_kit_count(k, KIT_TIMER), HOST_CALLS_MAX - 1); /* and on_start */
    assert_int_equal(k->ended_count, 1);
    assert_true(strategy_host_due_ns(k->host) == UINT64_MAX);
}

/* ---- what it began with, and can ask ---- */

static void inventory_without_a_price_is_priced_by_the_first_mid(void **state)
{
    (void)state;
    k->specs[0].inventory = -10;
    host_kit_begin(k, true);
    assert_int_equal(trader_position(k->traders[0]), -10);
    host_kit_add(k, BUY, 100, 1);
    host_kit_group(k);
    assert_true(strategy_host_ledger(k->host, 0)->cost == 0);
    host_kit_add(k, SELL, 111, 1);
    host_kit_group(k);
    assert_true(strategy_host_ledger(k->host, 0)->cost == -10 * 105); /* half a tick is cut */
    host_kit_quote(k, 104, 108);
    assert_true(strategy_host_ledger(k->host, 0)->cost == -10 * 105);
}

static void inventory_may_be_priced_by_a_fill(void **state)
{
    (void)state;
    k->specs[0].inventory = 10;
    host_kit_begin(k, true);
    act(buy_5);
    host_kit_accepted(k, 0, 1, 100);
    host_kit_filled(k, 0, 1, 100, 5, 0);
    assert_true(strategy_host_ledger(k->host, 0)->cost == 15 * 100);
    host_kit_quote(k, 200, 202);
    assert_true(strategy_host_ledger(k->host, 0)->cost == 15 * 100);
}

static void a_strategy_reads_its_parameters_and_logs(void **state)
{
    (void)state;
    char text[64];
    begin();
    trader_t *t = k->traders[0];
    assert_int_equal(trader_number(t, "edge"), 5);
    assert_true(trader_real(t, "share") == 0.25);
    assert_int_equal(trader_number(t, "mode"), 1);
    assert_string_equal(trader_text(t, "profile"), "day.csv");
    trader_log(t, "%s at %d", "quoting", 105);
    assert_string_equal(k->log, "quoting at 105");
    strategy_host_describe(k->host, 0, text, sizeof text);
    assert_string_equal(text, "probe 1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_leaves_when_the_callback_has_returned),
        TEST(commands_leave_in_the_order_of_the_calls),
        TEST(the_longest_name_and_session_fit_a_client_order_id),
        TEST(an_order_is_accepted_filled_and_done),
        TEST(a_rejected_order_is_told_once_by_its_event),
        TEST(a_refusal_without_an_event_is_told_once_by_its_result),
        TEST(an_amend_asks_for_the_total_and_is_told_by_its_event),
        TEST(a_refused_amend_leaves_the_order_and_is_told),
        TEST(an_amend_of_nothing_is_not_sent),
        TEST(a_cancel_is_sent_once_and_told_by_its_event),
        TEST(a_refused_cancel_may_be_tried_again),
        TEST(a_cancel_that_came_too_late_says_nothing),
        TEST(a_cancel_waits_until_the_order_is_accepted),
        TEST(what_cannot_rest_needs_no_cancel),
        TEST(events_of_orders_that_are_not_ours_are_passed_over),
        TEST(events_that_cannot_be_stop_the_strategy),
        TEST(results_go_to_the_oldest_command_of_their_shard),
        TEST(an_update_is_told_with_its_trades),
        TEST(a_group_of_more_trades_than_there_can_be_breaks_the_mirror),
        TEST(the_book_can_be_seen),
        TEST(what_is_ahead_is_what_stands_before_it),
        TEST(no_order_is_taken_while_the_book_is_not_known),
        TEST(an_attached_book_is_read_as_it_stands),
        TEST(timers_fire_by_time_then_by_strategy),
        TEST(a_timer_of_the_past_fires_behind_the_same_input),
        TEST(the_last_word_about_a_timer_counts),
        TEST(time_stands_still_rather_than_going_back),
        TEST(a_stop_cancels_what_works_and_ends_when_it_is_gone),
        TEST(one_that_is_done_is_stopped),
        TEST(stopped_before_the_start_it_never_starts),
        TEST(what_a_lost_shard_had_counts_as_done),
        TEST(a_strategy_that_answers_its_refusals_is_stopped),
        TEST(a_strategy_that_is_refused_too_often_at_once_is_stopped),
        TEST(a_timer_that_is_always_due_is_stopped),
        TEST(inventory_without_a_price_is_priced_by_the_first_mid),
        TEST(inventory_may_be_priced_by_a_fill),
        TEST(a_strategy_reads_its_parameters_and_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
