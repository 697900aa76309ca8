/* What no history leads to is refused, and the refusal names it: one thing of a good engine is made
 * wrong, the engine is written, and the reader must say what it found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/state.h"
#include "tests/unit/engine/engine_kit.h"
#include "tests/unit/engine/snapshot_kit.h"

/* What waits while the engine is written. */
enum waiting { NOTHING, SWEEP, MASS_CANCEL, EVERYBODY };

static void from_gateway(struct kit *k, struct command c, uint64_t seq, enum reason code)
{
    c.envelope = kit_envelope("gw", 7, seq, 0);
    assert_int_equal(kit_apply(k, &c), code);
}

/* alice offers 10 at 150, 4 of them filled, and 1 at 151; dave bids twice at 22, then 21; each but
 * alice has a finished order, dave has two. */
static void make_history(struct kit *k, enum waiting waiting)
{
    struct configure limits = kit_limits();
    limits.events_max = 2;
    limits.anonymous = waiting == EVERYBODY;
    kit_open(k, &limits, 1);
    from_gateway(k, kit_new("alice", "first", SIDE_SELL, 150, 10), 1, 0);
    from_gateway(k, kit_new("alice", "second", SIDE_SELL, 151, 1), 2, 0);
    from_gateway(k, kit_new("carol", "bad", SIDE_SELL, 150, 0), 3, REJECT_INVALID_QUANTITY);
    kit_place(k, "bob", "", SIDE_BUY, 150, 4);
    for (int64_t price = 23; price > 21; price--) {
        const struct command gone =
            kit_cancel("dave", kit_place(k, "dave", "", SIDE_BUY, price, 1));
        assert_int_equal(kit_apply(k, &gone), 0);
    }
    kit_place(k, "dave", "", SIDE_BUY, 22, 5);
    kit_place(k, "dave", "", SIDE_BUY, 22, 5);
    kit_place(k, "dave", "", SIDE_BUY, 21, 5);
    if (waiting == SWEEP)
        from_gateway(k, kit_new("erin", "", SIDE_SELL, 21, 15), 4, 0);
    if (waiting >= MASS_CANCEL)
        from_gateway(k, kit_mass_cancel(waiting == EVERYBODY ? "" : "dave"), 4, 0);
    assert_int_equal(engine_waiting(k->engine), waiting != NOTHING);
}

/* ---- what is in it ---- */

static uint32_t nth(engine_t *e, const char *account, unsigned n, bool open)
{
    uint32_t number = engine_account_find(e, text_of(account)), order = 0;
    do
        order = open ? engine_next_open(e, number, order) : engine_next_finished(e, number, order);
    while (n-- > 0);
    assert_int_not_equal(order, 0);
    return order;
}

static struct order *open_order(engine_t *e, const char *account, unsigned n)
{
    return order_at(e, nth(e, account, n, true));
}

static struct order_detail *open_detail(engine_t *e, const char *account, unsigned n)
{
    return &e->details[nth(e, account, n, true)];
}

static struct order *gone_order(engine_t *e, const char *account, unsigned n)
{
    return order_at(e, nth(e, account, n, false));
}

static struct order_detail *gone_detail(engine_t *e, const char *account, unsigned n)
{
    return &e->details[nth(e, account, n, false)];
}

static struct outcome *outcome_of(engine_t *e, uint64_t seq)
{
    return outcome_at(&e->origins, 1, seq);
}

/* ---- what is wrong with it ---- */

static void assert_refused(const struct written *w, const char *found)
{
    char error[ENGINE_SNAPSHOT_ERROR_SIZE];
    engine_t *e = written_read(w, 1, error);
    if (e != NULL)
        fail_msg("it is read, though it should be refused: %s", found);
    if (strstr(error, found) == NULL)
        fail_msg("refused as \"%s\", not as \"%s\"", error, found);
}

/* Make the engine e wrong by the statements; the refusal has the words `found`. */
#define WRONG(waiting, found, ...)                                                                 \
    do {                                                                                           \
        struct kit k;                                                                              \
        make_history(&k, waiting);                                                                 \
        engine_t *e = k.engine;                                                                    \
        struct configure limits = e->limits;                                                       \
        __VA_ARGS__;                                                                               \
        struct written w = written_of(e);                                                          \
        assert_refused(&w, found);                                                                 \
        written_free(&w);                                                                          \
        e->limits = limits;                                                                        \
        kit_close(&k);                                                                             \
    } while (0)

static void limits_and_counters_that_cannot_be_are_refused(void **state)
{
    (void)state;
    WRONG(NOTHING, "another events_max, expected 1 to 4096", e->limits.events_max = 0);
    WRONG(NOTHING, "expected symbols: 0 to 1", e->limits.symbols_max = 1);
    WRONG(NOTHING, "expected accounts: 0 to 3", e->limits.accounts_max = 3);
    WRONG(NOTHING, "expected origins: 0 to 1", e->limits.origins_max = 1;
          e->origins.names.count = 2; e->origins.origins[2].next_seq = 1);
    WRONG(NOTHING, "expected open orders: 0 to 2", e->limits.open_orders_max = 4);
    WRONG(NOTHING, "expected finished orders: 0 to 1", e->limits.finished_per_account = 1);
    WRONG(NOTHING, "found seq 281474976710656", e->seq = UINT64_C(1) << 48);
    WRONG(NOTHING, "found trade_count 281474976710656", e->trade_count = UINT64_C(1) << 48);
}

static void symbols_that_cannot_be_are_refused(void **state)
{
    (void)state;
    WRONG(NOTHING, "name of another symbol", e->symbol_names.names[2] = e->symbol_names.names[1]);
    WRONG(NOTHING, "name of another symbol", e->symbol_names.names[2].text[0] = '-');
    WRONG(NOTHING, "tick_size: a decimal above 0", e->symbols[1].sizes_text[0] = 'x');
    WRONG(NOTHING, "lot_size: a decimal above 0", e->symbols[1].lot_size.size = 0);
    WRONG(NOTHING, "found next_priority 0", e->symbols[2].next_priority = 0);
    WRONG(NOTHING, "found next_priority", e->symbols[2].next_priority = e->seq + 1);
    WRONG(NOTHING, "found book_seq", e->symbols[1].marks.book_seq = e->seq + 1);
    WRONG(NOTHING, "found bbo_seq", e->symbols[1].marks.bbo_seq = e->symbols[1].marks.book_seq + 1);
    WRONG(NOTHING, "found trade_seq",
          e->symbols[1].marks.trade_seq = e->symbols[1].marks.book_seq + 1);
}

static void accounts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    WRONG(NOTHING, "name of another account",
          e->account_names.names[2] = e->account_names.names[1]);
    WRONG(NOTHING, "name of another account", e->account_names.names[1].size = 0);
    WRONG(NOTHING, "name of another account", e->account_names.names[1].text[0] = '.');
    WRONG(EVERYBODY, "the account without a name",
          e->account_names.names[1] = e->account_names.names[2]);
}

static void orders_that_cannot_be_are_refused(void **state)
{
    (void)state;
    WRONG(NOTHING, "again, expected another",
          gone_order(e, "dave", 0)->order_id = open_order(e, "alice", 0)->order_id);
    WRONG(NOTHING, "those of the shard", open_order(e, "dave", 0)->order_id += UINT64_C(1) << 48);
    WRONG(NOTHING, "those of the shard", open_order(e, "dave", 0)->order_id += 1000);
    WRONG(NOTHING, "those of the shard", gone_order(e, "bob", 0)->order_id = UINT64_C(3) << 48);
    WRONG(NOTHING, "found symbol 3", open_order(e, "alice", 0)->book = 3);
    WRONG(NOTHING, "found side 0", open_order(e, "alice", 0)->side = 0);
    WRONG(NOTHING, "found type 3", open_order(e, "alice", 0)->type = 3);
    WRONG(NOTHING, "found time_in_force 4", open_order(e, "alice", 0)->time_in_force = 4);
    WRONG(NOTHING, "found stp 0", open_order(e, "alice", 0)->stp = 0);
    WRONG(NOTHING, "found status 6", open_order(e, "alice", 0)->status = 6);
    WRONG(NOTHING, "of an open one", open_order(e, "alice", 0)->status = ORDER_STATUS_NEW);
    WRONG(NOTHING, "of an open one", open_order(e, "alice", 0)->status = ORDER_STATUS_CANCELLED);
    WRONG(NOTHING, "of an open one", open_order(e, "alice", 0)->reason = REASON_USER);
    WRONG(NOTHING, "of an open one", open_detail(e, "alice", 0)->filled_qty = 10);
    WRONG(NOTHING, "of an open one", open_detail(e, "alice", 0)->filled_qty = -1);
    WRONG(NOTHING, "of an open one", open_detail(e, "dave", 0)->qty = 0);
    WRONG(NOTHING, "of a finished one", gone_order(e, "bob", 0)->status = ORDER_STATUS_NEW);
    WRONG(NOTHING, "of a finished one", gone_order(e, "bob", 0)->reason = REASON_USER);
    WRONG(NOTHING, "of a finished one", gone_detail(e, "bob", 0)->filled_qty--);
    WRONG(NOTHING, "of a finished one", gone_order(e, "carol", 0)->reason = REASON_USER);
    WRONG(NOTHING, "of a finished one", gone_detail(e, "carol", 0)->filled_qty = 1);
    WRONG(NOTHING, "of a finished one", gone_order(e, "dave", 0)->reason = 999);
    WRONG(NOTHING, "of a finished one", gone_order(e, "dave", 0)->reason = REJECT_STP);
    WRONG(NOTHING, "a notional its fills can have", open_detail(e, "alice", 0)->notional = 3);
    WRONG(NOTHING, "a notional its fills can have", open_detail(e, "alice", 1)->notional = 1);
    WRONG(NOTHING, "a notional its fills can have",
          gone_detail(e, "bob", 0)->notional = (notional_t)4 * INT64_MAX + 1);
    WRONG(NOTHING, "price and options that go together", open_detail(e, "dave", 0)->price = 0);
    WRONG(NOTHING, "price and options that go together",
          gone_order(e, "bob", 0)->type = ORDER_TYPE_MARKET);
    WRONG(NOTHING, "price and options that go together", gone_order(e, "bob", 0)->post_only = true;
          gone_order(e, "bob", 0)->time_in_force = TIME_IN_FORCE_IOC);
    WRONG(NOTHING, "no priority, as it cannot rest",
          open_order(e, "dave", 0)->time_in_force = TIME_IN_FORCE_IOC);
    WRONG(NOTHING, "no priority, as it cannot rest",
          open_order(e, "dave", 0)->type = ORDER_TYPE_MARKET;
          open_detail(e, "dave", 0)->price = 0);
    WRONG(NOTHING, "found accepted_ns", open_detail(e, "dave", 0)->accepted_ns = e->time_ns + 1);
    WRONG(NOTHING, "found changed_seq", open_detail(e, "dave", 0)->changed_seq = e->seq + 1);
    WRONG(NOTHING, "found changed_seq", open_detail(e, "dave", 2)->changed_seq--);
    WRONG(NOTHING, "found priority 6, expected 0 to 5", e->symbols[1].next_priority = 6);
    WRONG(NOTHING, "found priority", gone_order(e, "dave", 0)->level = 1;
          gone_order(e, "dave", 0)->priority = 1);
    WRONG(NOTHING, "again, expected another",
          open_order(e, "dave", 0)->priority = open_order(e, "alice", 0)->priority);
    WRONG(NOTHING, "expected it before", uint64_t id = open_order(e, "alice", 0)->order_id;
          open_order(e, "alice", 0)->order_id = open_order(e, "alice", 1)->order_id;
          open_order(e, "alice", 1)->order_id = id;
          open_detail(e, "alice", 0)->changed_seq = e->seq);
    WRONG(NOTHING, "expected it before", gone_detail(e, "dave", 0)->changed_seq = e->seq);
    WRONG(NOTHING, "expected a client_order_id that no other",
          memcpy(e->labels.labels[nth(e, "alice", 1, true)].text, "first", 5);
          e->labels.labels[nth(e, "alice", 1, true)].size = 5);
    WRONG(NOTHING, "expected a client_order_id that no other",
          e->labels.labels[nth(e, "carol", 0, false)].text[0] = '/');
    WRONG(NOTHING, "expected a client_order_id that no other",
          e->labels.labels[nth(e, "carol", 0, false)].size = 0);
    WRONG(NOTHING, "more at the price", open_detail(e, "dave", 0)->qty = INT64_MAX;
          open_detail(e, "dave", 1)->qty = 1);
    WRONG(NOTHING, "expected the bid below", open_detail(e, "dave", 0)->price = 150);
}

static void origins_that_cannot_be_are_refused(void **state)
{
    (void)state;
    WRONG(NOTHING, "name of another origin", e->origins.names.names[1].size = 0);
    WRONG(NOTHING, "name of another origin", e->origins.names.count = 2;
          e->origins.names.names[2] = e->origins.names.names[1];
          e->origins.origins[2] = (struct origin){.next_seq = 1});
    WRONG(NOTHING, "found last_ns", e->origins.origins[1].last_ns = e->time_ns + 1);
    WRONG(NOTHING, "found next_seq 1", e->origins.origins[1].next_seq = 1);
    WRONG(NOTHING, "found acked_through 3, expected 0 to 2",
          e->origins.origins[1].acked_through = 3);
    WRONG(NOTHING, "found acked_through 0, expected 1 to 2", e->limits.origin_window = 2);
    WRONG(NOTHING, "found an outcome's seq", outcome_of(e, 2)->seq = outcome_of(e, 1)->seq);
    WRONG(NOTHING, "found an outcome's seq", outcome_of(e, 3)->seq = e->seq + 1);
    WRONG(NOTHING, "those of the shard", outcome_of(e, 1)->order_id = 5);
    WRONG(NOTHING, "found code 999", outcome_of(e, 1)->code = 999);
    WRONG(NOTHING, "found 1 outcomes not ready", outcome_of(e, 2)->ready = false);
}

static void work_that_cannot_be_is_refused(void **state)
{
    (void)state;
    WRONG(NOTHING, "found no sweep", open_order(e, "dave", 2)->level = 0);
    WRONG(NOTHING, "a second open order on no book", open_order(e, "dave", 1)->level = 0;
          open_order(e, "dave", 2)->level = 0);
    WRONG(SWEEP, "found no sweep", e->work.kind = WORK_NONE);
    WRONG(SWEEP, "a sweep of another order", e->work.order = nth(e, "alice", 0, true));
    WRONG(SWEEP, "a sweep of another order", open_detail(e, "erin", 0)->price = 30);
    WRONG(SWEEP, "found 1 outcomes not ready", outcome_of(e, 4)->ready = false);
    WRONG(MASS_CANCEL, "found symbol 3", e->work.symbol = 3);
    WRONG(MASS_CANCEL, "found account 0", e->work.account = 0);
    WRONG(MASS_CANCEL, "found side 3", e->work.side = 3);
    WRONG(MASS_CANCEL, "found the wrong account", e->work.everybody = true);
    WRONG(MASS_CANCEL, "found origin 2", e->work.origin = 2);
    WRONG(MASS_CANCEL, "found origin_seq 3, expected 4 to 4", e->work.origin_seq = 3);
    WRONG(MASS_CANCEL, "found an outcome that is not ready", e->work.outcome.ready = false);
    WRONG(MASS_CANCEL, "those of the shard", e->work.cursor = 0);
    WRONG(MASS_CANCEL, "an open order of account 4", e->work.cursor = nth(e, "alice", 0, true));
    WRONG(MASS_CANCEL, "an open order of account 4", e->work.cursor = nth(e, "dave", 0, false));
    WRONG(MASS_CANCEL, "found 0 outcomes not ready", outcome_of(e, 4)->ready = true);
    WRONG(MASS_CANCEL, "found 1 outcomes not ready", outcome_of(e, 4)->ready = true;
          outcome_of(e, 1)->ready = false);
    WRONG(MASS_CANCEL, "found 1 outcomes not ready", e->work.origin = 0);
    WRONG(MASS_CANCEL, "found 1 outcomes not ready", e->work.kind = WORK_NONE);
    WRONG(EVERYBODY, "found the wrong account", e->work.account = 2);
    WRONG(EVERYBODY, "an open order of account",
          e->accounts[3].mass_cursor = nth(e, "dave", 0, true));
    WRONG(EVERYBODY, "found no cursor",
          for (uint32_t a = 1; a <= e->account_names.count; a++) e->accounts[a].mass_cursor = 0);
}

/* ---- what is wrong with its bytes ---- */

static void other_versions_and_sizes_are_refused(void **state)
{
    (void)state;
    struct kit k;
    make_history(&k, NOTHING);
    struct written w = written_of(k.engine);
    w.bytes[1] = 1;
    assert_refused(&w, "at byte 1: found version 1, expected 2 to 2");
    w.bytes[1] = 3;
    assert_refused(&w, "at byte 1: found version 3, expected 2 to 2");
    w.bytes[1] = 0xc0;
    assert_refused(&w, "at byte 1: found no version (0xc0), expected one");
    w.bytes[0]++;
    assert_refused(&w, "at byte 0: found an array of 10");
    w.size = 0;
    assert_refused(&w, "at byte 0: found the end, expected the fields of an engine");
    written_free(&w);
    kit_close(&k);
}

/* A label without its hash. */
static void half_a_label_is_refused(void **state)
{
    (void)state;
    struct kit k;
    make_history(&k, NOTHING);
    struct written w = written_of(k.engine);
    static const uint8_t labelled[] = {0xdc, 0, 19};
    uint8_t *at = memmem(w.bytes, w.size, labelled, sizeof labelled);
    assert_non_null(at);
    at[2] = 18;
    assert_refused(&w, "client_order_id and body_hash, or neither");
    written_free(&w);
    kit_close(&k);
}

static void another_form_of_a_number_is_refused(void **state)
{
    (void)state;
    struct kit k;
    make_history(&k, NOTHING);
    struct written w = written_of(k.engine);
    static const uint8_t limits[] = {0x99, 3, 0xcd, 1000 >> 8, 1000 & 255};
    uint8_t *at = memmem(w.bytes, w.size, limits, sizeof limits);
    assert_non_null(at);
    at[2] = 0xd1; /* the same as a signed one */
    assert_refused(&w, "found limits in another form, expected the shortest");
    written_free(&w);
    kit_close(&k);
}

static void a_good_engine_is_not_refused(void **state)
{
    (void)state;
    for (enum waiting waiting = NOTHING; waiting <= EVERYBODY; waiting++) {
        struct kit k;
        char error[ENGINE_SNAPSHOT_ERROR_SIZE];
        make_history(&k, waiting);
        struct written w = written_of(k.engine);
        engine_t *e = written_read(&w, 1, error);
        assert_non_null(e);
        engine_destroy(&e);
        written_free(&w);
        kit_close(&k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_engine_is_not_refused),
        cmocka_unit_test(limits_and_counters_that_cannot_be_are_refused),
        cmocka_unit_test(symbols_that_cannot_be_are_refused),
        cmocka_unit_test(accounts_that_cannot_be_are_refused),
        cmocka_unit_test(orders_that_cannot_be_are_refused),
        cmocka_unit_test(origins_that_cannot_be_are_refused),
        cmocka_unit_test(work_that_cannot_be_is_refused),
        cmocka_unit_test(other_versions_and_sizes_are_refused),
        cmocka_unit_test(half_a_label_is_refused),
        cmocka_unit_test(another_form_of_a_number_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
