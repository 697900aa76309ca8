/* backtest_history: each form of file becomes the recording a trader would expect, in the symbol's
 * ticks and lots; and what does not follow is told with its file and line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "cli/backtest_history.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/base/scratch.h"

#define SECOND NS_PER_SECOND

static struct backtest_history history;

static struct backtest_history_options options_of(const char *path)
{
    return (struct backtest_history_options){
        .path = path,
        .ts_unit_ns = 1,
        .symbol = {"AAPL", "0.01", "0.1", {1, 2}, {1, 1}, 0, false},
        .limits = {.open_orders_max = 100,
                   .accounts_max = 4,
                   .symbols_max = 1,
                   .origins_max = 1,
                   .origin_window = 1,
                   .events_max = 16},
    };
}

static enum status load(const struct backtest_history_options *o, const char **words)
{
    capture_begin();
    enum status status = backtest_history_load(&history, o);
    *words = capture_end();
    return status;
}

static void load_well(const struct backtest_history_options *o)
{
    const char *words;
    if (load(o, &words) != STATUS_OK)
        fail_msg("%s", words);
}

static void refuses(const char *text, const struct backtest_history_options *o,
                    const char *expected)
{
    const char *words;
    scratch_write(o->path, text);
    assert_int_equal(load(o, &words), STATUS_INVALID);
    if (strstr(words, expected) == NULL)
        fail_msg("it does not say \"%s\": %s", expected, words);
    assert_null(history.recording);
}

/* The rows of the recording as lines: time, row, and what it is. */
static const char *lines(void)
{
    static char text[4096];
    struct recording_cursor cursor;
    struct recorded e;
    size_t size = 0;
    recording_begin(history.recording, &cursor);
    text[0] = '\0';
    while (recording_next(&cursor, &e)) {
        const struct command *c = &e.command;
        size += (size_t)snprintf(text + size, sizeof text - size, "%llu.%llu ",
                                 (unsigned long long)e.time_ns, (unsigned long long)e.row);
        if (history.form == HISTORY_L2)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s %d %lld %lld\n",
                                     e.trade ? "trade" : "level", e.side, (long long)e.price,
                                     (long long)e.qty);
        else if (c->type == MESSAGE_NEW_ORDER)
            size += (size_t)snprintf(
                text + size, sizeof text - size, "new %.*s %.*s %u %lld %lld\n",
                (int)c->new_order.account.size, c->new_order.account.data,
                (int)c->new_order.client_order_id.size, c->new_order.client_order_id.data,
                (unsigned)c->new_order.time_in_force, (long long)c->new_order.price.value,
                (long long)c->new_order.qty);
        else
            size += (size_t)snprintf(text + size, sizeof text - size, "type %llu\n",
                                     (unsigned long long)c->type);
    }
    return text;
}

static const char csv[] = "ts,msg_type,side,price,qty,order_id\n"
                          "1000,add,buy,10.00,5,b1\n"
                          "1000,A,S,10.02,0.3,a1\n"
                          "1001,ioc,sell,10.00,2,x1\n"
                          "1002,C,,,,b1\n";

static void a_csv_counts_in_the_symbols_ticks_and_lots(void **state)
{
    (void)state;
    scratch_write("a.csv", csv);
    struct backtest_history_options o = options_of("a.csv");
    load_well(&o);
    assert_int_equal(history.form, HISTORY_CSV);
    assert_int_equal(recording_kind_of(history.recording), RECORDING_COMMANDS);
    assert_string_equal(lines(), "1000.1 new history b1 1 1000 50\n"
                                 "1000.2 new history a1 1 1002 3\n"
                                 "1001.3 new history x1 2 1000 20\n"
                                 "1002.4 type 2\n");
    backtest_history_unload(&history);
    o.ts_unit_ns = NS_PER_MS;
    load_well(&o);
    assert_int_equal(recording_end_ns(history.recording), 1002 * NS_PER_MS);
    backtest_history_unload(&history);
}

static void commands_count_in_the_unit_they_are_told(void **state)
{
    (void)state;
    scratch_write("a.csv", "row,ts,op,order_id,side,price,qty\n"
                           "0,34200.5,new,1,buy,585300,10\n"
                           "7,34200.6,ioc,2,sell,585200,3\n");
    struct backtest_history_options o = options_of("a.csv");
    load_well(&o);
    assert_int_equal(history.form, HISTORY_COMMANDS);
    assert_string_equal(lines(), "34200500000000.0 new history 1 1 585300 10\n"
                                 "34200600000000.7 new history 2 2 585200 3\n");
    backtest_history_unload(&history);
    o.has_price_unit = true;
    o.price_unit = (struct decimal_unit){1, 4};
    load_well(&o);
    assert_string_equal(lines(), "34200500000000.0 new history 1 1 5853 10\n"
                                 "34200600000000.7 new history 2 2 5852 3\n");
    backtest_history_unload(&history);
}

static void a_price_between_two_ticks_is_refused(void **state)
{
    (void)state;
    struct backtest_history_options o = options_of("a.csv");
    o.has_price_unit = true;
    o.price_unit = (struct decimal_unit){1, 4};
    refuses("row,ts,op,order_id,side,price,qty\n1,1,new,1,buy,585300,10\n2,1,new,2,buy,585350,1\n",
            &o,
            "a.csv:3:price: found \"585350: 58.5350\", expected a whole number of the symbol's "
            "ticks of 0.01");
    refuses("1.0,1,11,5,100,1\n2.0,1,12,5,101,1\n", &o, "a.csv:2:price: found \"101: 0.0101\"");
}

static void lobsters_messages_are_in_ten_thousandths(void **state)
{
    (void)state;
    scratch_write("m.csv", "1.0,1,11,5,1000100,1\n2.0,1,21,4,1000300,-1\n3.0,4,21,4,1000300,-1\n");
    scratch_write("b.csv", "9999999999,0,1000100,5\n1000300,4,1000100,5\n9999999999,0,1000100,5\n");
    struct backtest_history_options o = options_of("m.csv");
    o.book_path = "b.csv";
    load_well(&o);
    assert_int_equal(history.form, HISTORY_LOBSTER);
    assert_int_equal(history.unexplained, 0);
    assert_string_equal(lines(), "1000000000.1 new history 11 1 10001 5\n"
                                 "2000000000.2 new history 21 1 10003 4\n"
                                 "3000000000.3 new history taker-2 2 10003 4\n");
    backtest_history_unload(&history);
}

static void levels_and_trades_are_told_apart(void **state)
{
    (void)state;
    scratch_write("a.csv", "ts,msg_type,side,price,qty\n"
                           "5,level,buy,10.00,5\n"
                           "5,L,S,10.01,1.5\n"
                           "6,trade,buy,10.01,0.5\n"
                           "7,T,S,10.00,1\n"
                           "8,level,sell,10.01,0\n");
    struct backtest_history_options o = options_of("a.csv");
    load_well(&o);
    assert_int_equal(history.form, HISTORY_L2);
    assert_int_equal(recording_kind_of(history.recording), RECORDING_LEVELS);
    assert_string_equal(lines(), "5.1 level 1 1000 50\n5.2 level 2 1001 15\n6.3 trade 1 1001 5\n"
                                 "7.4 trade 2 1000 10\n8.5 level 2 1001 0\n");
    backtest_history_unload(&history);
}

static void times_that_go_back_are_refused(void **state)
{
    (void)state;
    struct backtest_history_options o = options_of("a.csv");
    refuses("ts,msg_type,side,price,qty,order_id\n5,A,B,1,1,a\n5,A,B,1,1,b\n4,A,B,1,1,c\n", &o,
            "a.csv:4:ts: found \"0.000000004 s\", expected a time not before the 0.000000005 s");
    refuses("row,ts,op,order_id,side,price,qty\n1,2,new,1,buy,1,1\n2,1.9,new,2,buy,1,1\n", &o,
            "a.csv:3:ts: found \"1.900000000 s\"");
    refuses("2.0,1,11,5,100,1\n1.0,1,12,5,100,1\n", &o, "a.csv:2:ts: found \"1.000000000 s\"");
    refuses("ts,msg_type,side,price,qty\n5,L,B,1,1\n4,L,B,1,1\n", &o, "a.csv:3:ts: found");
}

static void rows_that_are_missing_are_told(void **state)
{
    (void)state;
    struct backtest_history_options o = options_of("a.csv");
    refuses("seq,ts,msg_type,side,price,qty,order_id\n7,1,A,B,1,1,a\n8,1,A,B,1,1,b\n"
            "10,1,A,B,1,1,c\n",
            &o, "a.csv:4:seq: found \"10\", expected 9: one more than the row before");
    refuses("seq,ts,msg_type,side,price,qty,order_id\n7,1,A,B,1,1,a\n7,1,A,B,1,1,b\n", &o,
            "a.csv:3:seq: found \"7\", expected 8");
    refuses("ts,msg_type,side,price,qty,seq\n1,L,B,1,1,3\n1,L,B,1,2,5\n", &o,
            "a.csv:3:seq: found \"5\", expected 4");
    refuses("ts,msg_type,side,price,qty,seq\n1,L,B,1,1,3\n1,L,B,1,2,\n", &o,
            "a.csv:3:seq: found nothing, expected 4");
    refuses("row,ts,op,order_id,side,price,qty\n5,1,new,1,buy,1,1\n4,1,new,2,buy,1,1\n", &o,
            "a.csv:3:row: found \"4\", expected 5");
}

static void what_is_no_level_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *row, *words;
    } bad[] = {
        {"1,add,B,1,1", "a.csv:2:msg_type: found \"add\", expected level, trade, L or T"},
        {"x,L,B,1,1", "a.csv:2:ts: found \"x\""},
        {"1.5,L,B,1,1", "a.csv:2:ts: found \"1.5\""},
        {"1,L,,1,1", "a.csv:2:side: found nothing"},
        {"1,L,B,1.001,1", "a.csv:2:price: found \"1.001\""},
        {"1,L,B,0,1", "a.csv:2:price: found \"0\", expected a price above 0"},
        {"1,L,B,1,0.05", "a.csv:2:qty: found \"0.05\""},
        {"1,L,B,1,-1", "a.csv:2:qty: found \"-1\", expected 0 or more"},
        {"1,T,B,1,0", "a.csv:2:qty: found \"0\", expected more than 0"},
        {"1,L,B,1", "a.csv:2:qty: found nothing"},
    };
    struct backtest_history_options o = options_of("a.csv");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "ts,msg_type,side,price,qty\n%s\n", bad[i].row);
        refuses(text, &o, bad[i].words);
    }
    refuses("ts,msg_type,side,price\n", &o, "a.csv:1:qty: found nothing, expected this column");
}

static void a_file_of_no_form_is_told(void **state)
{
    (void)state;
    const char *words;
    struct backtest_history_options o = options_of("a.csv");
    refuses("time,what\n1,2\n", &o, "a.csv:1:header: found \"time,what\"");
    refuses("", &o, "a.csv:1:header: found nothing");
    refuses("ts,msg_type,side,price,qty\n", &o, "found no rows");
    o.form = HISTORY_JOURNAL;
    refuses(csv, &o, "expected the directory of a shard's journal");
    o = options_of("absent.csv");
    assert_int_equal(load(&o, &words), STATUS_IO);
    assert_non_null(strstr(words, "absent.csv: No such file"));
    o = options_of(".");
    assert_int_equal(load(&o, &words), STATUS_MISSING);
    assert_non_null(strstr(words, "*.segment"));
    o.form = HISTORY_CSV;
    assert_int_equal(load(&o, &words), STATUS_INVALID);
    assert_non_null(strstr(words, "found a directory"));
}

static void a_part_of_it_finds_the_market_as_it_was(void **state)
{
    (void)state;
    scratch_write("a.csv", csv);
    struct backtest_history_options o = options_of("a.csv");
    o.ts_unit_ns = SECOND;
    assert_true(history_time_read(&o.from, "1001"));
    assert_true(history_time_read(&o.to, "1002"));
    load_well(&o);
    assert_string_equal(lines(), "1001000000000.1 new history b1 1 1000 50\n"
                                 "1001000000000.2 new history a1 1 1002 3\n"
                                 "1001000000000.3 new history x1 2 1000 20\n");
    backtest_history_unload(&history);
    assert_true(history_time_read(&o.to, "1000"));
    const char *words;
    assert_int_equal(load(&o, &words), STATUS_INVALID);
    assert_non_null(strstr(words, "found no rows within --from and --to"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_csv_counts_in_the_symbols_ticks_and_lots),
        cmocka_unit_test(commands_count_in_the_unit_they_are_told),
        cmocka_unit_test(a_price_between_two_ticks_is_refused),
        cmocka_unit_test(lobsters_messages_are_in_ten_thousandths),
        cmocka_unit_test(levels_and_trades_are_told_apart),
        cmocka_unit_test(times_that_go_back_are_refused),
        cmocka_unit_test(rows_that_are_missing_are_told),
        cmocka_unit_test(what_is_no_level_is_refused),
        cmocka_unit_test(a_file_of_no_form_is_told),
        cmocka_unit_test(a_part_of_it_finds_the_market_as_it_was),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
