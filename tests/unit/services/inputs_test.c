/* inputs: a run that was recorded is made again, to the byte; whatever is wrong with a record is
 * found, and a record that was cut short is played as far as it goes. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "strategy/strategy_spec.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/services/host_kit.h"

enum { SESSION = 36, FILE_SIZE_MAX = 1 << 16 };

static struct host_kit *k;
static char error[INPUTS_ERROR_SIZE];
static uint8_t file[FILE_SIZE_MAX]; /* the recorded run */
static size_t file_size;

static int teardown(void **state)
{
    host_kit_close(k);
    return scratch_close(state);
}

/* ---- a run ---- */

static int64_t quote_price; /* what the strategies of a test do: so that they may do otherwise */
static bool quote_extra;

static void on_market(unsigned index, trader_t *t, const struct market_update *u)
{
    (void)u;
    if (trader_next_order(t, 0) == 0 && quote_price != 0)
        trader_limit(t, SIDE_BUY, quote_price - index, 5);
    if (quote_extra)
        trader_limit(t, SIDE_SELL, 200, 1);
}

static void on_order(unsigned index, trader_t *t, const struct own_order *o)
{
    (void)index;
    if (o->state == OWN_WORKING && o->filled_qty == 0 && o->qty == 5)
        trader_amend(t, o->number, o->price, 3);
    trader_wake(t, trader_now_ns(t) + 10);
}

static void on_timer(unsigned index, trader_t *t)
{
    (void)index;
    trader_cancel_all(t);
}

static const struct host_kit_script script = {
    .market = on_market, .order = on_order, .timer = on_timer};

/* The strategies are named as ones there are, so that they are found again. */
static void spec_fill(struct strategy_spec *s, const char *name)
{
    char words[STRATEGY_SPEC_ERROR_SIZE];
    struct cluster_symbol symbol = {
        .name = "BTC-USD", .tick_size = "0.01", .lot_size = "0.001", .tick = {1, 2}, .lot = {1, 3}};
    strategy_spec_init(s, name);
    assert_true(strategy_spec_type(s, "maker", words));
    assert_true(strategy_spec_symbol(s, &symbol, words));
    assert_true(strategy_spec_set(s, "position_max", "1.5", words));
    assert_true(strategy_spec_complete(s, words));
}

static void fresh_kit(void)
{
    host_kit_close(k);
    k = host_kit_open(2);
    k->script = script;
    spec_fill(&k->specs[0], "s0");
    spec_fill(&k->specs[1], "s1");
}

static int setup(void **state)
{
    k = host_kit_open(2);
    quote_price = 100;
    quote_extra = false;
    return scratch_open(state);
}

static void be_probes(void)
{
    for (unsigned i = 0; i < k->count; i++)
        k->specs[i].class = &host_kit_class;
}

/* A run with every kind of input there is. */
static void run(void)
{
    be_probes();
    host_kit_begin(k, true);
    host_kit_quote(k, 99, 101);
    host_kit_trade(k, 1, 100, 2);
    host_kit_group(k);
    host_kit_accepted(k, 0, 1, 100);
    host_kit_result(k, 0);
    host_kit_rejected(k, 1, 1, REJECT_POST_ONLY);
    host_kit_result(k, REJECT_POST_ONLY);
    host_kit_amended(k, 0, 1, 100, 3, 3);
    host_kit_result(k, 0);
    host_kit_filled(k, 0, 1, 100, 1, 2);
    k->now_ns += 20;
    inputs_time(k->record, k->host, k->now_ns);
    host_kit_cancelled(k, 0, 1, 2, REASON_USER);
    host_kit_quote(k, 98, 102);
    host_kit_delete(k, 4711); /* there is no such order: the book is broken, and joins again */
    host_kit_group(k);
    inputs_book_reset(k->record, k->host, 0);
    inputs_book_joined(k->record, k->host, 0, k->now_ns);
    host_kit_quote(k, 97, 103);
    inputs_lost(k->record, k->host, 3, k->now_ns);
    inputs_stop_all(k->record, k->host, k->now_ns, "the test is over");
    inputs_lost(k->record, k->host, 0, k->now_ns);
}

static unsigned record_run(const char *name)
{
    fresh_kit();
    k->record = inputs_recorder_open(name, k->specs, 2, SESSION, error);
    assert_non_null(k->record);
    run();
    assert_int_equal(inputs_flush(k->record, error), STATUS_OK);
    assert_int_equal(inputs_recorder_close(&k->record, error), STATUS_OK);
    assert_null(k->record);
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    file_size = fread(file, 1, sizeof file, f);
    fclose(f);
    return k->command_count;
}

static void write_file(const char *name, const uint8_t *bytes, size_t size)
{
    FILE *f = fopen(name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* Play a file; false: it cannot be opened. */
static bool play(const char *name, enum inputs_step *step, struct inputs_end *end)
{
    unsigned count;
    fresh_kit();
    if (inputs_player_open(&k->player, name, error) != STATUS_OK)
        return false;
    const struct strategy_spec *specs = inputs_player_specs(k->player, &count);
    assert_int_equal(count, 2);
    for (unsigned i = 0; i < count; i++)
        k->specs[i] = specs[i];
    be_probes();
    struct strategy_host_owner owner = host_kit_owner(k);
    uint64_t session = inputs_player_session(k->player);
    assert_int_equal(session, SESSION);
    k->host = strategy_host_new(&owner, k->specs, count, session, true);
    while ((*step = inputs_player_next(k->player, k->host, error)) == INPUTS_MORE)
        ;
    *end = inputs_player_end(k->player);
    inputs_player_close(&k->player);
    assert_null(k->player);
    return true;
}

static enum inputs_step play_bytes(const uint8_t *bytes, size_t size, struct inputs_end *end)
{
    enum inputs_step step = INPUTS_INVALID;
    write_file("played", bytes, size);
    return play("played", &step, end) ? step : INPUTS_INVALID;
}

/* ---- playing it again ---- */

static void a_recorded_run_plays_the_same_commands(void **state)
{
    (void)state;
    enum inputs_step step;
    struct inputs_end end;
    unsigned commands = record_run("run");
    assert_true(commands >= 6);
    assert_true(play("run", &step, &end));
    assert_int_equal(step, INPUTS_END);
    assert_int_equal(end.commands, commands);
    assert_int_equal(k->command_count, commands);
    assert_true(end.records > 20);
    assert_false(end.torn);
    assert_string_equal(strategy_host_standing(k->host, 0).why, "the test is over");
    assert_int_equal(strategy_host_ledger(k->host, 0)->position, 1);
}

static void what_ran_is_told(void **state)
{
    (void)state;
    unsigned count;
    record_run("run");
    inputs_player_t *p;
    assert_int_equal(inputs_player_open(&p, "run", error), STATUS_OK);
    const struct strategy_spec *specs = inputs_player_specs(p, &count);
    assert_string_equal(specs[1].name, "s1");
    assert_string_equal(specs[1].class->name, "maker");
    assert_int_equal(specs[1].limits.position_max, 1500);
    assert_int_equal(inputs_player_size(p), file_size);
    assert_true(inputs_player_at(p) < file_size);
    inputs_player_close(&p);
    inputs_player_close(&p); /* nothing */
}

static void without_a_recorder_the_host_is_given_the_same(void **state)
{
    (void)state;
    unsigned commands = record_run("run");
    fresh_kit();
    run();
    assert_int_equal(k->command_count, commands);
}

/* ---- differences ---- */

static void assert_differs(const char *found, const char *expected)
{
    enum inputs_step step;
    struct inputs_end end;
    assert_true(play("run", &step, &end));
    assert_int_equal(step, INPUTS_DIFFERS);
    assert_non_null(strstr(error, "run: record "));
    const char *at = strstr(error, found);
    assert_non_null(at);
    assert_non_null(strstr(at, expected));
}

static void another_command_differs(void **state)
{
    (void)state;
    record_run("run");
    quote_price = 98;
    assert_differs("found s0: new_order symbol=BTC-USD account=s0 client_order_id=s0-10-1",
                   "price=98 qty=5, expected s0: new_order symbol=BTC-USD");
    assert_non_null(strstr(error, "price=100 qty=5"));
}

static void a_command_too_few_differs(void **state)
{
    (void)state;
    record_run("run");
    quote_price = 0;
    assert_differs("found no command", "expected s0: new_order");
}

static void a_command_too_many_differs(void **state)
{
    (void)state;
    record_run("run");
    quote_extra = true;
    assert_differs("found s0: new_order", "side=sell"); /* where s1's first one was */
    assert_non_null(strstr(error, "expected s1: new_order"));
}

/* ---- a record that is cut ---- */

static void a_record_cut_anywhere_plays_as_far_as_it_goes(void **state)
{
    (void)state;
    struct inputs_end end, whole;
    unsigned commands = record_run("run");
    assert_int_equal(play_bytes(file, file_size, &whole), INPUTS_END);
    uint64_t records = 0;
    size_t first = 16 + (size_t)file[8] + ((size_t)file[9] << 8); /* behind the first record */
    for (size_t size = 0; size < file_size; size++) {
        enum inputs_step step = play_bytes(file, size, &end);
        assert_int_equal(step, size < first ? INPUTS_INVALID : INPUTS_END);
        if (size < first)
            continue;
        assert_true(end.torn);
        assert_true(end.records >= records && end.commands <= commands);
        records = end.records;
    }
    assert_int_equal(records, whole.records);
}

static void room_that_was_not_written_yet_is_cut(void **state)
{
    (void)state;
    enum { END_SIZE = 8 + 12, ROOM = 5000 };
    struct inputs_end end;
    record_run("run");
    size_t last = file_size - END_SIZE;
    assert_int_equal(file[last], 12); /* the end record begins with its size */
    memset(file + last, 0, ROOM);
    assert_int_equal(play_bytes(file, last + ROOM, &end), INPUTS_END);
    assert_true(end.torn);
    file[last + ROOM - 1] = 1; /* something was written behind it */
    assert_int_equal(play_bytes(file, last + ROOM, &end), INPUTS_INVALID);
}

/* ---- damage ---- */

static void every_flipped_bit_is_found(void **state)
{
    (void)state;
    struct inputs_end end;
    record_run("run");
    for (size_t at = 0; at < file_size; at++) {
        file[at] ^= (uint8_t)(1 << at % 8);
        enum inputs_step step = play_bytes(file, file_size, &end);
        bool last_size = at + 30 > file_size; /* the size of the end record: it may seem cut */
        assert_true(step == INPUTS_INVALID || (last_size && step == INPUTS_END && end.torn));
        file[at] ^= (uint8_t)(1 << at % 8);
    }
}

static void damage_is_told_with_file_and_byte(void **state)
{
    (void)state;
    struct inputs_end end;
    record_run("run");
    file[file_size / 2] ^= 1;
    assert_int_equal(play_bytes(file, file_size, &end), INPUTS_INVALID);
    assert_non_null(strstr(error, "played: record "));
    assert_non_null(strstr(error, " at byte "));
    assert_non_null(strstr(error, "found "));
    assert_non_null(strstr(error, ", expected "));
}

static void bytes_behind_the_end_are_found(void **state)
{
    (void)state;
    struct inputs_end end;
    record_run("run");
    file[file_size] = 1;
    assert_int_equal(play_bytes(file, file_size + 1, &end), INPUTS_INVALID);
    assert_non_null(strstr(error, "found bytes behind the last record"));
}

/* ---- records that cannot be ---- */

static void put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* The first record, then one of this kind whose fields are numbers; its sum is right. */
static enum inputs_step play_record(uint64_t kind, uint64_t n, const uint64_t *fields,
                                    unsigned count)
{
    struct inputs_end end;
    size_t first = 16 + (size_t)file[8] + ((size_t)file[9] << 8);
    uint8_t bytes[FILE_SIZE_MAX];
    memcpy(bytes, file, first);
    struct wire_writer w = {bytes + first + 8};
    wire_put_array(&w, 3 + count);
    wire_put_u64(&w, kind);
    wire_put_u64(&w, n);
    wire_put_u64(&w, HOST_KIT_T0);
    for (unsigned i = 0; i < count; i++)
        wire_put_u64(&w, fields[i]);
    uint32_t size = (uint32_t)(w.at - (bytes + first + 8));
    put_u32(bytes + first, size);
    put_u32(bytes + first + 4, crc32c(0, bytes + first + 8, size));
    return play_bytes(bytes, first + 8 + size, &end);
}

static void records_that_cannot_be_are_found(void **state)
{
    (void)state;
    const uint64_t beyond[] = {64, 98}, second[] = {1, 98};
    record_run("run");
    assert_int_equal(play_record(10, 2, NULL, 0), INPUTS_END);     /* time */
    assert_int_equal(play_record(10, 3, NULL, 0), INPUTS_INVALID); /* one is missing */
    assert_non_null(strstr(error, "found number 3, expected number 2"));
    assert_int_equal(play_record(14, 2, NULL, 0), INPUTS_INVALID);
    assert_int_equal(play_record(1, 2, NULL, 0), INPUTS_INVALID);   /* a second first one */
    assert_int_equal(play_record(3, 2, NULL, 0), INPUTS_INVALID);   /* of no symbol */
    assert_int_equal(play_record(3, 2, second, 1), INPUTS_INVALID); /* there is one */
    assert_non_null(strstr(error, "found a symbol there is not"));
    assert_int_equal(play_record(7, 2, beyond, 2), INPUTS_INVALID);
    assert_int_equal(play_record(8, 2, second, 1), INPUTS_INVALID); /* a result without fields */
    assert_int_equal(play_record(9, 2, second, 1), INPUTS_END);     /* a shard nobody trades on */
    assert_int_equal(play_record(11, 2, second, 1), INPUTS_INVALID);
    assert_int_equal(play_record(12, 2, second, 1), INPUTS_DIFFERS); /* of nothing that was given */
}

static void files_that_are_not_inputs_are_refused(void **state)
{
    (void)state;
    inputs_player_t *p;
    assert_int_equal(inputs_player_open(&p, "nowhere", error), STATUS_IO);
    assert_non_null(strstr(error, "nowhere: No such file"));
    assert_null(p);
    write_file("other", (const uint8_t *)"time,type,qty\n", 14);
    assert_int_equal(inputs_player_open(&p, "other", error), STATUS_INVALID);
    write_file("newer", (const uint8_t *)"OCIN\2\0\0\0", 8);
    assert_int_equal(inputs_player_open(&p, "newer", error), STATUS_INVALID);
    assert_non_null(strstr(error, "found version 2, expected 1"));
}

/* ---- writing ---- */

static void a_file_that_is_there_is_not_written_over(void **state)
{
    (void)state;
    record_run("run");
    assert_null(inputs_recorder_open("run", k->specs, 2, SESSION, error));
    assert_non_null(strstr(error, "run: File exists"));
    assert_null(inputs_recorder_open("nowhere/run", k->specs, 2, SESSION, error));
}

static void what_cannot_be_written_is_told_once_and_the_host_goes_on(void **state)
{
    (void)state;
    struct rlimit before, small;
    unsigned commands = record_run("run");
    fresh_kit();
    k->record = inputs_recorder_open("full", k->specs, 2, SESSION, error);
    assert_non_null(k->record);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){file_size / 2 < 4096 ? file_size / 2 : 4096, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    run();
    enum status first = inputs_flush(k->record, error);
    enum status second = inputs_flush(k->record, error);
    enum status closed = inputs_recorder_close(&k->record, error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(first, STATUS_IO);
    assert_non_null(strstr(error, "cannot write full: "));
    assert_int_equal(second, STATUS_OK);
    assert_int_equal(closed, STATUS_OK);
    assert_int_equal(k->command_count, commands);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_recorded_run_plays_the_same_commands),
        TEST(what_ran_is_told),
        TEST(without_a_recorder_the_host_is_given_the_same),
        TEST(another_command_differs),
        TEST(a_command_too_few_differs),
        TEST(a_command_too_many_differs),
        TEST(a_record_cut_anywhere_plays_as_far_as_it_goes),
        TEST(room_that_was_not_written_yet_is_cut),
        TEST(every_flipped_bit_is_found),
        TEST(damage_is_told_with_file_and_byte),
        TEST(bytes_behind_the_end_are_found),
        TEST(records_that_cannot_be_are_found),
        TEST(files_that_are_not_inputs_are_refused),
        TEST(a_file_that_is_there_is_not_written_over),
        TEST(what_cannot_be_written_is_told_once_and_the_host_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
