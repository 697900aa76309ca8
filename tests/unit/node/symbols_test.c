/* cluster: the symbols of the configuration file; and what the settings look like when printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"
#include "node/cluster.h"
#include "tests/unit/base/scratch.h"

static struct cluster cluster;
static char error[CONFIG_ERROR_SIZE];

static bool load(const char *file)
{
    char program[] = "program", flag[] = "--config", name[] = "a.cfg";
    char *argv[] = {program, flag, name, NULL};
    int argc = 3;
    scratch_write("a.cfg", file);
    error[0] = '\0';
    return cluster_load(&cluster, &argc, argv, error);
}

static void assert_loads(const char *file)
{
    if (!load(file))
        fail_msg("%s", error);
}

static void assert_refused(const char *file, const char *complaint)
{
    assert_false(load(file));
    assert_string_equal(error, complaint);
}

static void symbols_stand_in_the_order_of_the_file(void **state)
{
    (void)state;
    assert_loads("symbols\n"
                 "    ZZZ\n"
                 "        shard = 1\n"
                 "        tick_size = 0.05\n"
                 "    BTC-USD\n"
                 "        lot_size = 0.0001\n"
                 "        any_price = 1\n"
                 "shards = 2\n"); /* though it stands behind the symbols */
    assert_int_equal(cluster.symbol_count, 2);
    const struct cluster_symbol *s = &cluster.symbols[0];
    assert_string_equal(s->name, "ZZZ");
    assert_string_equal(s->tick_size, "0.05");
    assert_string_equal(s->lot_size, "1");
    assert_true(s->shard == 1 && !s->any_price);
    s = cluster_symbol_find(&cluster, "BTC-USD");
    assert_true(s == &cluster.symbols[1]);
    assert_string_equal(s->tick_size, "1");
    assert_string_equal(s->lot_size, "0.0001");
    assert_true(s->shard == 0 && s->any_price);
    assert_null(cluster_symbol_find(&cluster, "BTC-USDT"));
}

static void a_symbol_has_a_name(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "btc", "-BTC", ".A", "BTC/USD", "A+B", "A*", "SEVENTEEN-LETTERS"};
    char file[128], complaint[256];
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(file, sizeof file, "symbols\n    %s\n        shard = 0\n", wrong[i]);
        assert_false(load(file));
        assert_int_equal(strncmp(error, "a.cfg:2: ", 9), 0);
    }
    snprintf(complaint, sizeof complaint,
             "a.cfg:2: symbols/btc: found \"btc\", expected a symbol: 1 to 16 of A-Z 0-9 . _ -, "
             "the first a letter or digit");
    assert_refused("symbols\n    btc\n", complaint);
    assert_loads("symbols\n    SIXTEEN-LETTERS1\n    0\n    A._-9\n");
    assert_int_equal(cluster.symbol_count, 3);
}

static void a_symbol_stands_once(void **state)
{
    (void)state;
    assert_refused("symbols\n    A\n    B\n    A\n",
                   "a.cfg:4: symbols/A: found a second time, expected once");
    assert_refused("symbols\n    A\n        tick_size = 1\n        tick_size = 2\n",
                   "a.cfg:4: symbols/A/tick_size: found a second time, expected once");
}

static void a_shard_is_one_there_is(void **state)
{
    (void)state;
    assert_loads("shards = 3\nsymbols\n    A\n        shard = 2\n");
    assert_refused("shards = 3\nsymbols\n    A\n        shard = 3\n",
                   "a.cfg:4: symbols/A/shard: found \"3\", expected a shard from 0 to 2");
    assert_refused("symbols\n    A\n        shard = 1\n",
                   "a.cfg:3: symbols/A/shard: found \"1\", expected a shard from 0 to 0");
    assert_refused("symbols\n    A\n        shard = x\n",
                   "a.cfg:3: symbols/A/shard: found \"x\", expected a shard from 0 to 0");
}

static void a_size_is_a_decimal_above_zero(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "1", "0.01", "25", "2.50", "0.000000000000000001", "999999999999999999"};
    static const char *const wrong[] = {"0",
                                        "0.0",
                                        "-1",
                                        "01",
                                        ".5",
                                        "5.",
                                        "1e-2",
                                        "0x1",
                                        "1,5",
                                        "one",
                                        "00.5",
                                        "1000000000000000000",
                                        "0.0000000000000000001"};
    static const char *const keys[] = {"tick_size", "lot_size"};
    char file[128], complaint[256];
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < sizeof fine / sizeof fine[0]; i++) {
            struct decimal_unit unit;
            snprintf(file, sizeof file, "symbols\n    A\n        %s = %s\n", keys[k], fine[i]);
            assert_loads(file);
            /* and prices can be counted in it */
            assert_true(decimal_unit_read(&unit, fine[i], strlen(fine[i])));
        }
        for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            snprintf(file, sizeof file, "symbols\n    A\n        %s = \"%s\"\n", keys[k], wrong[i]);
            snprintf(complaint, sizeof complaint,
                     "a.cfg:3: symbols/A/%s: found \"%s\", expected "
                     "a decimal above zero, like 0.01",
                     keys[k], wrong[i]);
            assert_refused(file, complaint);
        }
    }
}

static void any_price_is_0_or_1(void **state)
{
    (void)state;
    assert_loads("symbols\n    A\n        any_price = 0\n    B\n        any_price = 1\n");
    assert_true(!cluster.symbols[0].any_price && cluster.symbols[1].any_price);
    assert_refused("symbols\n    A\n        any_price = yes\n",
                   "a.cfg:3: symbols/A/any_price: found \"yes\", expected 0 or 1");
    assert_refused("symbols\n    A\n        any_price = 2\n",
                   "a.cfg:3: symbols/A/any_price: found \"2\", expected 0 or 1");
}

static void a_symbol_has_no_other_settings(void **state)
{
    (void)state;
    assert_refused("symbols\n    A\n        colour = blue\n",
                   "a.cfg:3: symbols/A/colour: found \"colour\", expected shard, tick_size, "
                   "lot_size or any_price");
    assert_refused("symbols\n    A\n        shard = 0\n            deeper = 1\n",
                   "a.cfg:4: symbols/A/shard/deeper: found \"shard/deeper\", expected shard, "
                   "tick_size, lot_size or any_price");
}

static void there_are_at_most_1024_symbols(void **state)
{
    (void)state;
    static char file[32 * (CLUSTER_SYMBOLS_MAX + 2)];
    size_t size = (size_t)sprintf(file, "symbols\n");
    for (unsigned i = 0; i < CLUSTER_SYMBOLS_MAX; i++)
        size += (size_t)sprintf(file + size, "    S%u\n", i);
    assert_loads(file);
    assert_int_equal(cluster.symbol_count, CLUSTER_SYMBOLS_MAX);
    sprintf(file + size, "    ONE-MORE\n");
    assert_refused(file, "a.cfg:1026: symbols/ONE-MORE: found \"ONE-MORE\", expected at most 1024 "
                         "symbols");
}

/* ---- what engines get of it, and what is printed ---- */

static void an_engine_gets_the_limits_of_the_cluster(void **state)
{
    (void)state;
    assert_loads("shards = 3\n"
                 "limits\n"
                 "    open_orders_max = 11\n"
                 "    accounts_max = 12\n"
                 "    finished_per_account = 13\n"
                 "    origins_max = 14\n"
                 "    origin_window = 15\n"
                 "    events_max = 16\n");
    struct configure l = cluster_limits(&cluster, 2);
    assert_true(l.shard == 2 && l.open_orders_max == 11 && l.accounts_max == 12);
    assert_true(l.finished_per_account == 13 && l.origins_max == 14 && l.origin_window == 15);
    assert_true(l.events_max == 16 && l.symbols_max == CLUSTER_SYMBOLS_MAX && !l.anonymous);
}

static char *printed(void)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    settings_print(f);
    fclose(f);
    return text;
}

/* Each line of what is printed, without its #, in a .env: nothing changes. */
static void what_is_printed_can_be_read_back(void **state)
{
    (void)state;
    char *text = printed();
    assert_loads("");
    struct settings defaults = cluster.settings;
    unsigned count = 0;
    for (char *at = text; (at = strstr(at, "#OUTCRY_")) != NULL; count++)
        *at = ' ';
    for (char *at = text; (at = strstr(at, " OUTCRY_")) != NULL;)
        memmove(at, at + 1, strlen(at));
    scratch_write(".env", text);
    assert_loads("");
    assert_memory_equal(&cluster.settings, &defaults, sizeof defaults);
#define COUNT_U64(name, path, default_value, low, high, text) +1
#define COUNT_TEXT(name, path, default_value, text)           +1
    assert_int_equal(count, SETTINGS_TABLE(COUNT_U64, COUNT_TEXT));
    free(text);
}

static void the_file_in_the_repo_is_what_is_printed(void **state)
{
    (void)state;
    static char found[64 << 10];
    char path[512] = __FILE__;
    char *end = strstr(path, "tests/unit/node/");
    if (path[0] != '/' || end == NULL)
        skip();
    strcpy(end, ".env.example");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    found[fread(found, 1, sizeof found - 1, f)] = '\0';
    fclose(f);
    char *text = printed();
    assert_string_equal(found, text);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(symbols_stand_in_the_order_of_the_file),
        TEST(a_symbol_has_a_name),
        TEST(a_symbol_stands_once),
        TEST(a_shard_is_one_there_is),
        TEST(a_size_is_a_decimal_above_zero),
        TEST(any_price_is_0_or_1),
        TEST(a_symbol_has_no_other_settings),
        TEST(there_are_at_most_1024_symbols),
        TEST(an_engine_gets_the_limits_of_the_cluster),
        TEST(what_is_printed_can_be_read_back),
        cmocka_unit_test(the_file_in_the_repo_is_what_is_printed),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
