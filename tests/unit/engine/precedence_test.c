/* Where two refusals apply, the one with the smaller precedence in reject_table.h is given: for
 * every pair of them that one command can deserve.
 *
 * A good command is spoilt in two ways, each of which alone earns its refusal. Pairs that cannot
 * be in one command (they need different values of one field, or one takes away what the other
 * needs) are listed as `apart`.
 *
 *     the book of every test      BTC-USD  bids 100 x 10 maker, 99 x 10 alice
 *                                          asks 150 x 8 of alice's 10, 200 x (2^63-1 - 5) whale
 * The good new order sells 5 at 160 for alice; the good amend makes hers at 150 one of 11 at 160.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/engine/engine_kit.h"

struct world {
    struct kit kit;
    uint64_t alice_ask; /* post-only, self-trade mode reject, 2 of it filled, labelled "used" */
    uint64_t whale_ask;
};

enum { CODES_MAX = 20 };

/* A kind of command, the refusals it can deserve, and how it comes to deserve each. */
struct kind {
    struct command (*good)(const struct world *w);
    void (*spoil)(struct command *c, const struct world *w, enum reason code);
    enum reason codes[CODES_MAX]; /* up to a 0 */
    enum reason apart[CODES_MAX][2];
};

static int precedence_of(enum reason code)
{
    switch (code) {
#define PRECEDENCE_CASE(NAME, number, precedence, http_status, text)                               \
    case REJECT_##NAME:                                                                            \
        return precedence;
        REJECT_TABLE(PRECEDENCE_CASE)
#undef PRECEDENCE_CASE
    default:
        return 0;
    }
}

static void world_open(struct world *w, bool orders_full, bool accounts_full)
{
    struct configure limits = kit_limits();
    limits.open_orders_max = orders_full ? 4 : 1000;
    limits.accounts_max = accounts_full ? 3 : 20;
    struct kit *k = &w->kit;
    kit_open(k, &limits, 1);
    struct command alice_ask = kit_new("alice", "used", SIDE_SELL, 150, 10);
    alice_ask.new_order.post_only = true;
    alice_ask.new_order.stp = STP_REJECT;
    assert_int_equal(kit_apply(k, &alice_ask), 0);
    w->alice_ask = kit_outcome(k).order_id;
    kit_place(k, "maker", "", SIDE_BUY, 150, 2);
    kit_place(k, "maker", "", SIDE_BUY, 100, 10);
    kit_place(k, "alice", "", SIDE_BUY, 99, 10);
    w->whale_ask = kit_place(k, "whale", "", SIDE_SELL, 200, INT64_MAX - 5);
}

/* Sell below both bids, or where a price that is wrong already stands. */
static void cross(struct i64_or_nil *price)
{
    if (price->value > 98)
        price->value = 98;
}

/* ---- the kinds ---- */

static void spoil_any(struct command *c, const struct world *w, enum reason code)
{
    if (code == REJECT_TOO_LATE)
        c->envelope.deadline_ns = w->kit.time_ns - 1;
    else if (code == REJECT_MALFORMED)
        c->type = COMMAND_MALFORMED;
    else if (code == REJECT_UNKNOWN_COMMAND)
        c->type = 99;
}

static struct command good_new(const struct world *w)
{
    (void)w;
    return kit_new("alice", "fresh", SIDE_SELL, 160, 5);
}

/* The refusals that take more than one field. */
static void spoil_options(struct new_order *m, enum reason code)
{
    if (code == REJECT_POST_ONLY || code == REJECT_STP || code == REJECT_FOK_NOT_FILLED)
        cross(&m->price);
    if (code == REJECT_POST_ONLY || code == REJECT_INVALID_COMBINATION)
        m->post_only = true;
    if (code == REJECT_INVALID_COMBINATION)
        m->time_in_force = TIME_IN_FORCE_IOC;
    if (code == REJECT_QUANTITY_OVERFLOW) {
        m->price.value = 200;
        m->qty = 6;
    }
    if (code == REJECT_STP) {
        m->stp = STP_REJECT;
        m->qty = 11;
    }
    if (code == REJECT_FOK_NOT_FILLED) {
        m->time_in_force = TIME_IN_FORCE_FOK;
        m->qty = 1000;
    }
}

/* That the shard holds no more open orders is the world's doing. */
static void spoil_new(struct command *c, const struct world *w, enum reason code)
{
    struct new_order *m = &c->new_order;
    if (code == REJECT_INVALID_FIELD)
        m->side = 3;
    else if (code == REJECT_INVALID_ACCOUNT)
        m->account = text_of("al ice");
    else if (code == REJECT_INVALID_CLIENT_ORDER_ID)
        m->client_order_id = text_of("a b");
    else if (code == REJECT_UNKNOWN_SYMBOL)
        m->symbol = text_of("BTC-USDT");
    else if (code == REJECT_TOO_MANY_ACCOUNTS)
        m->account = text_of("stranger");
    else if (code == REJECT_DUPLICATE_ORDER)
        m->client_order_id = text_of("used");
    else if (code == REJECT_INVALID_QUANTITY)
        m->qty = 0;
    else if (code == REJECT_INVALID_PRICE)
        m->price.value = 0;
    else
        spoil_options(m, code);
    spoil_any(c, w, code);
}

static const struct kind new_kind = {
    .good = good_new,
    .spoil = spoil_new,
    .codes = {REJECT_TOO_LATE, REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND, REJECT_INVALID_FIELD,
              REJECT_INVALID_ACCOUNT, REJECT_INVALID_CLIENT_ORDER_ID, REJECT_UNKNOWN_SYMBOL,
              REJECT_TOO_MANY_ACCOUNTS, REJECT_DUPLICATE_ORDER, REJECT_INVALID_QUANTITY,
              REJECT_INVALID_PRICE, REJECT_INVALID_COMBINATION, REJECT_TOO_MANY_OPEN_ORDERS,
              REJECT_QUANTITY_OVERFLOW, REJECT_POST_ONLY, REJECT_STP, REJECT_FOK_NOT_FILLED},
    .apart = {{REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND},
              {REJECT_INVALID_ACCOUNT, REJECT_TOO_MANY_ACCOUNTS},
              {REJECT_INVALID_ACCOUNT, REJECT_DUPLICATE_ORDER},
              {REJECT_INVALID_ACCOUNT, REJECT_STP},
              {REJECT_INVALID_CLIENT_ORDER_ID, REJECT_DUPLICATE_ORDER},
              {REJECT_TOO_MANY_ACCOUNTS, REJECT_DUPLICATE_ORDER},
              {REJECT_TOO_MANY_ACCOUNTS, REJECT_STP},
              {REJECT_INVALID_QUANTITY, REJECT_QUANTITY_OVERFLOW},
              {REJECT_INVALID_QUANTITY, REJECT_STP},
              {REJECT_INVALID_QUANTITY, REJECT_FOK_NOT_FILLED},
              {REJECT_INVALID_PRICE, REJECT_QUANTITY_OVERFLOW},
              {REJECT_INVALID_COMBINATION, REJECT_QUANTITY_OVERFLOW}, /* IOC never rests */
              {REJECT_QUANTITY_OVERFLOW, REJECT_POST_ONLY}, /* at an own level nothing crosses */
              {REJECT_QUANTITY_OVERFLOW, REJECT_STP},
              {REJECT_QUANTITY_OVERFLOW, REJECT_FOK_NOT_FILLED},
              {REJECT_POST_ONLY, REJECT_FOK_NOT_FILLED}}, /* an INVALID_COMBINATION */
};

static struct command good_amend(const struct world *w)
{
    return kit_amend("alice", w->alice_ask, 11, 160);
}

/* Across the bids it meets alice's own behind the maker's: post-only goes before that. */
static void spoil_amend(struct command *c, const struct world *w, enum reason code)
{
    struct amend_order *m = &c->amend_order;
    if (code == REJECT_INVALID_FIELD)
        m->qty_is = 4;
    else if (code == REJECT_INVALID_ACCOUNT)
        m->account = text_of("al ice");
    else if (code == REJECT_INVALID_CLIENT_ORDER_ID)
        m->order_id = 0; /* and no client order id */
    else if (code == REJECT_UNKNOWN_SYMBOL)
        m->symbol = text_of("BTC-USDT");
    else if (code == REJECT_UNKNOWN_ORDER)
        m->order_id = w->whale_ask;
    else if (code == REJECT_INVALID_QUANTITY)
        m->qty.value = 0;
    else if (code == REJECT_INVALID_PRICE)
        m->price.value = 0;
    else if (code == REJECT_QUANTITY_OVERFLOW)
        m->qty.value = INT64_MAX - 1; /* with the 2 that are filled one too many */
    else if (code == REJECT_POST_ONLY)
        cross(&m->price);
    spoil_any(c, w, code);
}

static const struct kind amend_kind = {
    .good = good_amend,
    .spoil = spoil_amend,
    .codes = {REJECT_TOO_LATE, REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND, REJECT_INVALID_FIELD,
              REJECT_INVALID_ACCOUNT, REJECT_INVALID_CLIENT_ORDER_ID, REJECT_UNKNOWN_SYMBOL,
              REJECT_UNKNOWN_ORDER, REJECT_INVALID_QUANTITY, REJECT_INVALID_PRICE,
              REJECT_QUANTITY_OVERFLOW, REJECT_POST_ONLY},
    .apart = {{REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND},
              {REJECT_INVALID_CLIENT_ORDER_ID, REJECT_UNKNOWN_ORDER},
              {REJECT_INVALID_QUANTITY, REJECT_QUANTITY_OVERFLOW}},
};

static struct command good_cancel(const struct world *w)
{
    return kit_cancel("alice", w->alice_ask);
}

static void spoil_cancel(struct command *c, const struct world *w, enum reason code)
{
    struct cancel_order *m = &c->cancel_order;
    if (code == REJECT_INVALID_ACCOUNT)
        m->account = text_of("");
    else if (code == REJECT_INVALID_CLIENT_ORDER_ID)
        m->order_id = 0;
    else if (code == REJECT_UNKNOWN_SYMBOL)
        m->symbol = text_of("BTC");
    else if (code == REJECT_UNKNOWN_ORDER)
        m->order_id = w->whale_ask;
    spoil_any(c, w, code);
}

static const struct kind cancel_kind = {
    .good = good_cancel,
    .spoil = spoil_cancel,
    .codes = {REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND, REJECT_INVALID_ACCOUNT,
              REJECT_INVALID_CLIENT_ORDER_ID, REJECT_UNKNOWN_SYMBOL, REJECT_UNKNOWN_ORDER},
    .apart = {{REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND},
              {REJECT_INVALID_CLIENT_ORDER_ID, REJECT_UNKNOWN_ORDER}},
};

static struct command good_mass_cancel(const struct world *w)
{
    (void)w;
    return kit_mass_cancel("alice");
}

static void spoil_mass_cancel(struct command *c, const struct world *w, enum reason code)
{
    struct mass_cancel *m = &c->mass_cancel;
    if (code == REJECT_INVALID_FIELD)
        m->side = 3;
    else if (code == REJECT_INVALID_ACCOUNT)
        m->account = text_of("a.b");
    else if (code == REJECT_UNKNOWN_SYMBOL)
        m->symbol = text_of("BTC");
    spoil_any(c, w, code);
}

static const struct kind mass_cancel_kind = {
    .good = good_mass_cancel,
    .spoil = spoil_mass_cancel,
    .codes = {REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND, REJECT_INVALID_FIELD,
              REJECT_INVALID_ACCOUNT, REJECT_UNKNOWN_SYMBOL},
    .apart = {{REJECT_MALFORMED, REJECT_UNKNOWN_COMMAND}},
};

/* ---- every pair ---- */

static bool may_meet(const struct kind *kind, enum reason a, enum reason b)
{
    for (size_t i = 0; i < CODES_MAX; i++) {
        const enum reason *apart = kind->apart[i];
        if ((apart[0] == a && apart[1] == b) || (apart[0] == b && apart[1] == a))
            return false;
    }
    return true;
}

/* Spoilt in both ways (which may be one way), it is refused with `wins` and nothing happens. */
static void assert_refused(const struct kind *kind, enum reason a, enum reason b, enum reason wins)
{
    struct world w;
    world_open(&w, a == REJECT_TOO_MANY_OPEN_ORDERS || b == REJECT_TOO_MANY_OPEN_ORDERS,
               a == REJECT_TOO_MANY_ACCOUNTS || b == REJECT_TOO_MANY_ACCOUNTS);
    struct command c = kind->good(&w);
    kind->spoil(&c, &w, a);
    kind->spoil(&c, &w, b);
    uint64_t l3_hash = engine_book(w.kit.engine, 1)->l3_hash;
    enum reason code = kit_apply(&w.kit, &c);
    if (code != wins)
        print_message("%d with %d gives %d\n", a, b, code);
    assert_int_equal(code, wins);
    assert_true(engine_book(w.kit.engine, 1)->l3_hash == l3_hash);
    kit_close(&w.kit);
}

static void check_pairs(const struct kind *kind)
{
    struct world w;
    world_open(&w, false, false);
    struct command c = kind->good(&w);
    assert_int_equal(kit_apply(&w.kit, &c), 0);
    kit_close(&w.kit);
    for (size_t i = 0; kind->codes[i] != 0; i++) {
        enum reason a = kind->codes[i];
        assert_refused(kind, a, a, a);
        for (size_t k = i + 1; kind->codes[k] != 0; k++) {
            enum reason b = kind->codes[k];
            if (may_meet(kind, a, b))
                assert_refused(kind, a, b, precedence_of(a) < precedence_of(b) ? a : b);
        }
    }
}

static void of_two_refusals_of_a_new_order_the_first_in_precedence_is_given(void **state)
{
    (void)state;
    check_pairs(&new_kind);
}

static void of_two_refusals_of_an_amend_the_first_in_precedence_is_given(void **state)
{
    (void)state;
    check_pairs(&amend_kind);
}

static void of_two_refusals_of_a_cancel_the_first_in_precedence_is_given(void **state)
{
    (void)state;
    check_pairs(&cancel_kind);
}

static void of_two_refusals_of_a_mass_cancel_the_first_in_precedence_is_given(void **state)
{
    (void)state;
    check_pairs(&mass_cancel_kind);
}

/* What the amends above cannot show, their order being post-only. */
static void an_amend_that_would_meet_its_own_account_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, false);
    struct command ask = kit_new("alice", "", SIDE_SELL, 170, 11);
    ask.new_order.stp = STP_REJECT;
    assert_int_equal(kit_apply(&w.kit, &ask), 0);
    uint64_t order_id = kit_outcome(&w.kit).order_id;
    struct command amend = kit_amend("alice", order_id, 11, 99);
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_STP);
    amend.envelope.deadline_ns = 1;
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_TOO_LATE);
    amend = kit_amend("alice", order_id, 10, 99); /* its last fill is before the own order */
    assert_int_equal(kit_apply(&w.kit, &amend), 0);
    kit_close(&w.kit);
}

static void an_amend_into_a_full_level_is_refused(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, false);
    struct command amend = kit_amend("alice", w.alice_ask, 6, 200);
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_QUANTITY_OVERFLOW);
    amend = kit_amend("alice", w.alice_ask, 5, 200);
    assert_int_equal(kit_apply(&w.kit, &amend), 0);
    amend = kit_amend("whale", w.whale_ask, INT64_MAX - 4, 200);
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_QUANTITY_OVERFLOW);
    kit_close(&w.kit);
}

/* ---- the symbol of a cancel or an amend ---- */

static void with_an_order_id_the_symbol_may_be_left_out(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, false);
    struct command amend = kit_amend("alice", w.alice_ask, 7, 150);
    amend.amend_order.symbol = text_of("");
    assert_int_equal(kit_apply(&w.kit, &amend), 0);
    assert_true(kit_outcome(&w.kit).order_id == w.alice_ask);
    struct command cancel = kit_cancel("alice", w.alice_ask);
    cancel.cancel_order.symbol = text_of("");
    assert_int_equal(kit_apply(&w.kit, &cancel), 0);
    assert_int_equal(kit_apply(&w.kit, &cancel), REJECT_UNKNOWN_ORDER);
    kit_close(&w.kit);
}

static void by_client_order_id_the_symbol_is_needed(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, false);
    struct command amend = kit_amend("alice", 0, 7, 150);
    struct command cancel = kit_cancel("alice", 0);
    amend.amend_order.client_order_id = cancel.cancel_order.client_order_id = text_of("used");
    amend.amend_order.symbol = cancel.cancel_order.symbol = text_of("");
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_UNKNOWN_SYMBOL);
    assert_int_equal(kit_apply(&w.kit, &cancel), REJECT_UNKNOWN_SYMBOL);
    kit_close(&w.kit);
}

static void a_symbol_that_is_given_must_be_the_orders(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, false);
    struct command other = {.type = MESSAGE_ADD_SYMBOL,
                            .add_symbol = {text_of("ETH-USD"), text_of("1"), text_of("1"), false}};
    assert_int_equal(kit_apply(&w.kit, &other), 0);
    struct command amend = kit_amend("alice", w.alice_ask, 7, 150);
    struct command cancel = kit_cancel("alice", w.alice_ask);
    amend.amend_order.symbol = cancel.cancel_order.symbol = text_of("ETH-USD");
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_UNKNOWN_ORDER);
    assert_int_equal(kit_apply(&w.kit, &cancel), REJECT_UNKNOWN_ORDER);
    amend.amend_order.symbol = cancel.cancel_order.symbol = text_of("ETH");
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_UNKNOWN_SYMBOL);
    assert_int_equal(kit_apply(&w.kit, &cancel), REJECT_UNKNOWN_SYMBOL);
    kit_close(&w.kit);
}

static void without_a_symbol_the_order_must_still_be_the_accounts(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, false, false);
    struct command amend = kit_amend("alice", w.whale_ask, 7, 150);
    struct command cancel = kit_cancel("alice", w.whale_ask);
    amend.amend_order.symbol = cancel.cancel_order.symbol = text_of("");
    assert_int_equal(kit_apply(&w.kit, &amend), REJECT_UNKNOWN_ORDER);
    assert_int_equal(kit_apply(&w.kit, &cancel), REJECT_UNKNOWN_ORDER);
    kit_close(&w.kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_two_refusals_of_a_new_order_the_first_in_precedence_is_given),
        cmocka_unit_test(of_two_refusals_of_an_amend_the_first_in_precedence_is_given),
        cmocka_unit_test(of_two_refusals_of_a_cancel_the_first_in_precedence_is_given),
        cmocka_unit_test(of_two_refusals_of_a_mass_cancel_the_first_in_precedence_is_given),
        cmocka_unit_test(an_amend_that_would_meet_its_own_account_is_refused),
        cmocka_unit_test(an_amend_into_a_full_level_is_refused),
        cmocka_unit_test(with_an_order_id_the_symbol_may_be_left_out),
        cmocka_unit_test(by_client_order_id_the_symbol_is_needed),
        cmocka_unit_test(a_symbol_that_is_given_must_be_the_orders),
        cmocka_unit_test(without_a_symbol_the_order_must_still_be_the_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
