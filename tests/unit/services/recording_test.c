/* What is put into a recording comes out of it, in as little room as it may take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "backtest/recording.h"
#include "tests/unit/base/death.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/services/flow.h"

#define HOUR_NS UINT64_C(3600000000000)

static const struct configure limits = {.shard = 3, .open_orders_max = 100, .accounts_max = 10};

static recording_t *recording_of(enum recording_kind kind)
{
    struct strategy_symbol symbol = {.name = SYMBOL_ONE, .shard = 3};
    return recording_new(kind, &limits, &symbol);
}

/* As the one codec writes it: what is equal is equal there. */
static size_t written(uint8_t *bytes, const struct command *c)
{
    struct wire_writer w = {bytes};
    command_write(&w, c);
    return (size_t)(w.at - bytes);
}

static void assert_same(const struct command *a, const struct command *b)
{
    uint8_t one[COMMAND_SIZE_MAX], other[COMMAND_SIZE_MAX];
    struct command c = *a;
    c.envelope = (struct envelope){.origin = {"", 0}, .deadline_ns = a->envelope.deadline_ns};
    assert_int_equal(c.type, b->type);
    size_t size = written(one, &c);
    assert_int_equal(size, written(other, b));
    assert_memory_equal(one, other, size);
}

/* ---- examples ---- */

static void an_empty_one_has_nothing(void **state)
{
    (void)state;
    recording_t *r = recording_of(RECORDING_COMMANDS);
    struct recording_cursor c;
    struct recorded e;
    recording_digest(r, 5); /* behind nothing */
    recording_seal(r);
    recording_begin(r, &c);
    assert_int_equal(recording_next_ns(&c), UINT64_MAX);
    assert_false(recording_next(&c, &e));
    assert_int_equal(recording_count(r), 0);
    assert_int_equal(recording_begin_ns(r), 0);
    assert_int_equal(recording_end_ns(r), 0);
    assert_int_equal(recording_limits(r)->shard, 3);
    assert_string_equal(recording_symbol(r)->name, SYMBOL_ONE);
    recording_destroy(&r);
    assert_null(r);
}

static void one_command_comes_back(void **state)
{
    (void)state;
    recording_t *r = recording_of(RECORDING_COMMANDS);
    struct command c = new_order_of(SIDE_SELL, 101, 7), back;
    c.envelope = envelope_of("gw", 1, 9);
    c.envelope.deadline_ns = UINT64_MAX;
    recording_command(r, HOUR_NS, 12, 40, &c);
    recording_digest(r, UINT64_MAX);
    recording_seal(r);
    struct recording_cursor at;
    struct recorded e;
    recording_begin(r, &at);
    assert_int_equal(recording_next_ns(&at), HOUR_NS);
    assert_true(recording_next(&at, &e));
    back = e.command;
    assert_same(&c, &back);
    assert_int_equal(back.envelope.origin.size, 0);
    assert_int_equal(e.time_ns, HOUR_NS);
    assert_int_equal(e.row, 12);
    assert_int_equal(e.seq, 40);
    assert_true(e.has_digest);
    assert_int_equal(e.books_hash, UINT64_MAX);
    assert_false(recording_next(&at, &e));
    recording_destroy(&r);
}

static void work_left_over_is_passed_over_with_a_digest_before_it(void **state)
{
    (void)state;
    recording_t *r = recording_of(RECORDING_COMMANDS);
    struct command configure = {.type = MESSAGE_CONFIGURE, .configure = limits};
    struct command work = {.type = MESSAGE_CONTINUE_WORK, .continue_work = {1}};
    struct command c = new_order_of(SIDE_BUY, 101, 7);
    recording_command(r, 1, 1, 1, &configure);
    recording_command(r, 5, 2, 2, &c);
    recording_digest(r, 8);
    recording_command(r, 6, 3, 3, &work);
    recording_command(r, 7, 4, 4, &c);
    recording_digest(r, 9);
    recording_digest(r, 10); /* of a later batch without a command of its own */
    recording_seal(r);
    assert_int_equal(recording_count(r), 2);
    assert_int_equal(recording_begin_ns(r), 5);
    struct recording_cursor at;
    struct recorded e;
    recording_begin(r, &at);
    assert_true(recording_next(&at, &e));
    assert_false(e.has_digest);
    assert_true(recording_next(&at, &e));
    assert_int_equal(e.seq, 4);
    assert_true(e.has_digest);
    assert_int_equal(e.books_hash, 10);
    recording_destroy(&r);
}

static void what_only_a_matcher_may_send_is_nobodys_from_a_client(void **state)
{
    (void)state;
    recording_t *r = recording_of(RECORDING_COMMANDS);
    struct command c = {.type = MESSAGE_ADD_SYMBOL,
                        .add_symbol = {text_of(SYMBOL_ONE), text_of("1"), text_of("1"), false}};
    c.envelope = envelope_of("gw", 1, 1);
    recording_command(r, 0, 1, 1, &c);
    assert_false(recording_adds_symbol(r));
    c.envelope = (struct envelope){.origin = {"", 0}};
    recording_command(r, 0, 2, 2, &c);
    assert_true(recording_adds_symbol(r));
    recording_seal(r);
    struct recording_cursor at;
    struct recorded e;
    recording_begin(r, &at);
    assert_true(recording_next(&at, &e));
    assert_false(command_internal(e.command.type));
    assert_true(recording_next(&at, &e));
    assert_int_equal(e.command.type, MESSAGE_ADD_SYMBOL);
    recording_destroy(&r);
}

/* The account's text may have ACCOUNT_SIZE_MAX bytes; one more is no command any codec reads. */
static void a_text_too_long_makes_it_malformed(void **state)
{
    (void)state;
    char account[ACCOUNT_SIZE_MAX + 2] = {0};
    for (size_t size = ACCOUNT_SIZE_MAX - 1; size <= ACCOUNT_SIZE_MAX + 1; size++) {
        recording_t *r = recording_of(RECORDING_COMMANDS);
        struct command c = new_order_of(SIDE_BUY, 1, 1);
        memset(account, 'a', size);
        c.new_order.account = (struct text){account, size};
        recording_command(r, 0, 1, 0, &c);
        recording_seal(r);
        struct recording_cursor at;
        struct recorded e;
        recording_begin(r, &at);
        assert_true(recording_next(&at, &e));
        assert_int_equal(e.command.type,
                         size > ACCOUNT_SIZE_MAX ? (int)COMMAND_MALFORMED : (int)MESSAGE_NEW_ORDER);
        recording_destroy(&r);
    }
}

static void levels_and_trades_come_back(void **state)
{
    (void)state;
    recording_t *r = recording_of(RECORDING_LEVELS);
    recording_level(r, 10, 1, SIDE_SELL, INT64_MIN, INT64_MAX);
    recording_trade(r, 10, 1, SIDE_BUY, INT64_MAX, 1);
    recording_level(r, UINT64_MAX - 1, 5, SIDE_BUY, -1, 0);
    recording_seal(r);
    struct recording_cursor at;
    struct recorded e;
    recording_begin(r, &at);
    assert_true(recording_next(&at, &e));
    assert_true(!e.trade && e.side == SIDE_SELL && e.price == INT64_MIN && e.qty == INT64_MAX);
    assert_int_equal(e.row, 1);
    assert_true(recording_next(&at, &e));
    assert_true(e.trade && e.side == SIDE_BUY && e.price == INT64_MAX && e.qty == 1);
    assert_int_equal(e.row, 1);
    assert_int_equal(recording_next_ns(&at), UINT64_MAX - 1);
    assert_true(recording_next(&at, &e));
    assert_true(!e.trade && e.side == SIDE_BUY && e.price == -1 && e.qty == 0);
    assert_int_equal(e.row, 5);
    assert_false(recording_next(&at, &e));
    recording_destroy(&r);
}

static void back_in_time(void *self)
{
    (void)self;
    recording_t *r = recording_of(RECORDING_LEVELS);
    recording_level(r, 10, 1, SIDE_SELL, 1, 1);
    recording_level(r, 9, 2, SIDE_SELL, 1, 1);
}

static void seq_twice(void *self)
{
    (void)self;
    recording_t *r = recording_of(RECORDING_COMMANDS);
    struct command c = new_order_of(SIDE_SELL, 101, 7);
    recording_command(r, 1, 1, 7, &c);
    recording_command(r, 1, 2, 7, &c);
}

static void time_and_sequences_never_go_back(void **state)
{
    (void)state;
    assert_true(death_of(back_in_time, NULL).aborted);
    assert_true(death_of(seq_twice, NULL).aborted);
}

/* A day of many commands is compact: a head of 3 bytes, and the fields. */
static void a_command_takes_little_room(void **state)
{
    (void)state;
    enum { COUNT = 10000, HEAD = 7 };
    recording_t *r = recording_of(RECORDING_COMMANDS);
    struct command c = new_order_of(SIDE_SELL, 101, 7);
    uint8_t bytes[NEW_ORDER_SIZE_MAX];
    struct wire_writer w = {bytes};
    new_order_put_fields(&w, &c.new_order);
    recording_seal(r);
    size_t empty = recording_size(r);
    recording_destroy(&r);
    r = recording_of(RECORDING_COMMANDS);
    for (uint64_t i = 1; i <= COUNT; i++)
        recording_command(r, HOUR_NS + 65535 * i, i, i, &c);
    recording_seal(r);
    assert_true(recording_size(r) - empty <= COUNT * (HEAD + (size_t)(w.at - bytes)) + 64);
    recording_destroy(&r);
}

/* ---- random ---- */

struct expected {
    uint64_t time_ns, row, seq;
    uint64_t digest; /* 0: none */
    struct command command;
    char texts[3][64];
};

static uint64_t jump(struct random *r)
{
    uint64_t size = random_below(r, 4);
    return size == 0 ? 0 : size == 1 ? 1 : size == 2 ? random_below(r, 1000) : random_next(r) >> 20;
}

static struct text copy(char *to, struct text t)
{
    memcpy(to, t.data, t.size);
    return (struct text){to, t.size};
}

/* The flow's texts are good until its next command only. */
static void keep(struct expected *e, const struct command *c)
{
    e->command = *c;
    if (c->type == MESSAGE_NEW_ORDER) {
        e->command.new_order.client_order_id = copy(e->texts[0], c->new_order.client_order_id);
    } else if (c->type == MESSAGE_CANCEL_ORDER) {
        e->command.cancel_order.client_order_id =
            copy(e->texts[0], c->cancel_order.client_order_id);
    } else if (c->type == MESSAGE_AMEND_ORDER) {
        e->command.amend_order.client_order_id = copy(e->texts[0], c->amend_order.client_order_id);
    }
}

static void random_commands(uint64_t seed)
{
    enum { COUNT = 30000 };
    static struct expected all[COUNT];
    struct random random = {seed};
    struct flow flow;
    flow_init(&flow, seed, 3);
    recording_t *r = recording_of(RECORDING_COMMANDS);
    uint64_t time_ns = random_next(&random) >> 8, row = 0, seq = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        struct expected *e = &all[i];
        struct command c = {0};
        flow_next(&flow, &c);
        flow.seq++;
        c.envelope.origin = text_of("gw");
        c.envelope.deadline_ns = random_once_in(&random, 5) ? random_next(&random) : 0;
        keep(e, &c);
        e->time_ns = time_ns += jump(&random) >> 10;
        e->row = row += jump(&random);
        e->seq = random_once_in(&random, 50) ? 0 : (seq += 1 + (jump(&random) >> 10));
        e->digest = random_once_in(&random, 7) ? random_next(&random) | 1 : 0;
        recording_command(r, e->time_ns, e->row, e->seq, &e->command);
        if (e->digest != 0)
            recording_digest(r, e->digest);
    }
    recording_seal(r);
    assert_int_equal(recording_count(r), COUNT);
    assert_int_equal(recording_begin_ns(r), all[0].time_ns);
    assert_int_equal(recording_end_ns(r), all[COUNT - 1].time_ns);
    struct recording_cursor at;
    struct recorded got;
    recording_begin(r, &at);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(recording_next_ns(&at), all[i].time_ns);
        assert_true(recording_next(&at, &got));
        assert_int_equal(got.time_ns, all[i].time_ns);
        assert_int_equal(got.row, all[i].row);
        assert_int_equal(got.seq, all[i].seq);
        assert_int_equal(got.has_digest, all[i].digest != 0);
        assert_true(all[i].digest == 0 || got.books_hash == all[i].digest);
        assert_same(&all[i].command, &got.command);
    }
    assert_false(recording_next(&at, &got));
    recording_destroy(&r);
}

static void random_commands_come_back(void **state)
{
    (void)state;
    seeds_run("random_commands_come_back", 4, random_commands);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(one_command_comes_back),
        cmocka_unit_test(work_left_over_is_passed_over_with_a_digest_before_it),
        cmocka_unit_test(what_only_a_matcher_may_send_is_nobodys_from_a_client),
        cmocka_unit_test(a_text_too_long_makes_it_malformed),
        cmocka_unit_test(levels_and_trades_come_back),
        cmocka_unit_test(time_and_sequences_never_go_back),
        cmocka_unit_test(a_command_takes_little_room),
        SEEDS_TEST(random_commands_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
