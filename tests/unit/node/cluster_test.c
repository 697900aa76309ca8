/* cluster: where a setting comes from, and what is said when it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/cluster.h"
#include "tests/unit/base/scratch.h"

static struct cluster cluster;
static char error[CONFIG_ERROR_SIZE];

/* Load with these flags, at most 8; what is left over of them goes to `left`. */
static bool load_flags(char **flags, unsigned count, char *left, size_t left_size)
{
    char *argv[10] = {(char *)(uintptr_t) "program"};
    int argc = 1;
    for (unsigned i = 0; i < count; i++)
        argv[argc++] = flags[i];
    argv[argc] = NULL;
    error[0] = '\0';
    bool loaded = cluster_load(&cluster, &argc, argv, error);
    for (int i = 1; left != NULL && loaded && i < argc; i++)
        snprintf(left + strlen(left), left_size - strlen(left), "%s ", argv[i]);
    if (loaded)
        assert_null(argv[argc]);
    return loaded;
}

#define FLAGS(...)                                                                                 \
    (char *[]){__VA_ARGS__}, sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), NULL, 0

static void assert_loads(const char *file)
{
    char config[] = "--config", name[] = "a.cfg";
    scratch_write("a.cfg", file);
    if (!load_flags(FLAGS(config, name)))
        fail_msg("%s", error);
}

static void assert_refused(const char *file, const char *complaint)
{
    char config[] = "--config", name[] = "a.cfg";
    scratch_write("a.cfg", file);
    assert_false(load_flags(FLAGS(config, name)));
    assert_string_equal(error, complaint);
}

/* ---- where a setting comes from ---- */

static void without_anything_settings_have_their_defaults(void **state)
{
    (void)state;
    assert_true(load_flags(NULL, 0, NULL, 0));
    const struct settings *s = &cluster.settings;
    assert_string_equal(s->run_dir, "/tmp/outcry");
    assert_string_equal(s->commands_address, "ipc://{run_dir}/{shard}.commands");
    assert_true(s->shards == 1 && s->events_max == 1024 && s->heartbeat_ms == 250);
    assert_true(s->finished_per_account == 10000 && s->kept_mib == 64);
    assert_string_equal(s->log_level, "info");
    assert_string_equal(s->log_format, "json");
    assert_string_equal(s->log_destination, "stdout");
    assert_int_equal(cluster.symbol_count, 0);
}

static void assert_events_max(uint64_t expected)
{
    char config[] = "--config", name[] = "a.cfg";
    if (!load_flags(FLAGS(config, name)))
        fail_msg("%s", error);
    assert_true(cluster.settings.events_max == expected);
}

static void flag_goes_before_variable_before_dotenv_before_file_before_default(void **state)
{
    (void)state;
    char config[] = "--config", name[] = "a.cfg", flag[] = "--events-max", value[] = "5";
    scratch_write("a.cfg", "shards = 1\n");
    assert_events_max(1024);
    scratch_write("a.cfg", "limits\n    events_max = 2\n");
    assert_events_max(2);
    scratch_write(".env", "# a comment\nOTHER=9\nOUTCRY_EVENTS_MAX=3\n");
    assert_events_max(3);
    setenv("OUTCRY_EVENTS_MAX", "4", 1);
    assert_events_max(4);
    assert_true(load_flags(FLAGS(config, name, flag, value)));
    assert_true(cluster.settings.events_max == 5);
}

static void every_setting_can_come_from_everywhere(void **state)
{
    (void)state;
    static const struct {
        const char *name, *path;
        bool is_text;
        uint64_t low, high;
    } rows[] = {
#define ROW_U64(name, path, default_value, low, high, text) {#name, path, false, low, high},
#define ROW_TEXT(name, path, default_value, text)           {#name, path, true, 0, 0},
        SETTINGS_TABLE(ROW_U64, ROW_TEXT)};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *word = strcmp(rows[i].name, "log_level") == 0      ? "warn"
                           : strcmp(rows[i].name, "log_format") == 0   ? "text"
                           : strcmp(rows[i].name, "journal_mode") == 0 ? "async"
                                                                       : NULL;
        char variable[64] = "OUTCRY_", flag[64] = "--", text[256];
        char value[64], config[] = "--config", name[] = "a.cfg";
        bool in_range = rows[i].low <= 64 && rows[i].high >= 64;
        snprintf(value, sizeof value, "%u", in_range ? 64 : (unsigned)rows[i].high);
        if (rows[i].is_text)
            strcpy(value, word != NULL ? word : "ipc:///tmp/x.{shard}");
        if (strcmp(rows[i].name, "shards") == 0)
            strcpy(value, "3");
        for (unsigned n = 0; n <= strlen(rows[i].name); n++) {
            char c = rows[i].name[n];
            variable[7 + n] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
            flag[2 + n] = (char)(c == '_' ? '-' : c);
        }
        assert_true(load_flags(FLAGS(flag, value)));
        struct settings by_flag = cluster.settings;
        setenv(variable, value, 1);
        assert_true(load_flags(NULL, 0, NULL, 0));
        assert_memory_equal(&cluster.settings, &by_flag, sizeof by_flag);
        unsetenv(variable);
        snprintf(text, sizeof text, "%s=%s\n", variable, value);
        scratch_write(".env", text);
        assert_true(load_flags(NULL, 0, NULL, 0));
        assert_memory_equal(&cluster.settings, &by_flag, sizeof by_flag);
        scratch_write(".env", "");
        const char *slash = strchr(rows[i].path, '/');
        if (slash == NULL)
            snprintf(text, sizeof text, "%s = \"%s\"\n", rows[i].path, value);
        else
            snprintf(text, sizeof text, "%.*s\n    %s = \"%s\"\n", (int)(slash - rows[i].path),
                     rows[i].path, slash + 1, value);
        scratch_write("a.cfg", text);
        if (!load_flags(FLAGS(config, name)))
            fail_msg("%s", error);
        assert_memory_equal(&cluster.settings, &by_flag, sizeof by_flag);
    }
}

static void a_variable_may_name_the_file(void **state)
{
    (void)state;
    char config[] = "--config", name[] = "b.cfg";
    scratch_write("a.cfg", "shards = 2\n");
    scratch_write("b.cfg", "shards = 3\n");
    setenv("OUTCRY_CONFIG", "a.cfg", 1);
    assert_true(load_flags(NULL, 0, NULL, 0));
    assert_true(cluster.settings.shards == 2);
    assert_true(load_flags(FLAGS(config, name)));
    assert_true(cluster.settings.shards == 3);
}

static void what_is_no_setting_is_left_to_the_program(void **state)
{
    (void)state;
    char a[] = "--shard", b[] = "0", c[] = "--shards", d[] = "4", e[] = "replay", f[] = "--",
         left[64] = "";
    assert_true(load_flags((char *[]){a, b, c, d, e, f}, 6, left, sizeof left));
    assert_string_equal(left, "--shard 0 replay -- ");
    assert_true(cluster.settings.shards == 4);
}

/* ---- what is refused ---- */

static void a_wrong_number_is_told_with_file_line_found_and_expected(void **state)
{
    (void)state;
    static const struct {
        const char *file, *complaint;
    } cases[] = {
        {"limits\n    events_max = many\n", "a.cfg:2: limits/events_max: found \"many\", expected "
                                            "a whole number from 1 to 4096"},
        {"\nlimits\n    events_max = 0\n", "a.cfg:3: limits/events_max: found \"0\", expected "
                                           "a whole number from 1 to 4096"},
        {"limits\n    events_max = 4097\n", "a.cfg:2: limits/events_max: found \"4097\", expected "
                                            "a whole number from 1 to 4096"},
        {"shards = 65\n", "a.cfg:1: shards: found \"65\", expected a whole number from 1 to 64"},
        {"shards = -1\n", "a.cfg:1: shards: found \"-1\", expected a whole number from 1 to 64"},
        {"shards = 1.5\n", "a.cfg:1: shards: found \"1.5\", expected a whole number from 1 to 64"},
        {"shards\n", "a.cfg:1: shards: found \"\", expected a whole number from 1 to 64"},
        {"heartbeat_ms = 9\n", "a.cfg:1: heartbeat_ms: found \"9\", expected a whole number from "
                               "10 to 1000"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(cases[i].file, cases[i].complaint);
    assert_loads("limits\n    events_max = 4096\n");
    assert_loads("limits\n    events_max = 1\n");
    assert_loads("shards = 64\n");
}

static void the_source_of_a_wrong_value_is_told(void **state)
{
    (void)state;
    char flag[] = "--events-max", value[] = "none";
    const char *expected = "found \"none\", expected a whole number from 1 to 4096";
    char complaint[256];
    assert_false(load_flags(FLAGS(flag, value)));
    snprintf(complaint, sizeof complaint, "--events-max: %s", expected);
    assert_string_equal(error, complaint);
    setenv("OUTCRY_EVENTS_MAX", "none", 1);
    assert_false(load_flags(NULL, 0, NULL, 0));
    snprintf(complaint, sizeof complaint, "OUTCRY_EVENTS_MAX: %s", expected);
    assert_string_equal(error, complaint);
    unsetenv("OUTCRY_EVENTS_MAX");
    scratch_write(".env", "\n# comment\nOUTCRY_EVENTS_MAX=none\n");
    assert_false(load_flags(NULL, 0, NULL, 0));
    snprintf(complaint, sizeof complaint, ".env:3: OUTCRY_EVENTS_MAX: %s", expected);
    assert_string_equal(error, complaint);
}

static void a_flag_needs_a_value(void **state)
{
    (void)state;
    char flag[] = "--events-max";
    assert_false(load_flags(FLAGS(flag)));
    assert_string_equal(error, "--events-max: found \"nothing\", expected a value after it");
}

static void an_unknown_setting_is_told(void **state)
{
    (void)state;
    assert_refused("shards = 1\nspeed = 9\n", "a.cfg:2: speed: found \"speed\", expected a setting "
                                              "(`outcry settings` lists them all)");
    assert_refused("limits\n    speed = 9\n", "a.cfg:2: limits/speed: found \"limits/speed\", "
                                              "expected a setting (`outcry settings` lists them "
                                              "all)");
    assert_refused("events_max = 9\n", /* it stands in a section */
                   "a.cfg:1: events_max: found \"events_max\", expected a setting "
                   "(`outcry settings` lists them all)");
    scratch_write(".env", "OUTCRY_SPEED=9\n");
    assert_false(load_flags(NULL, 0, NULL, 0));
    assert_string_equal(error, ".env:1: OUTCRY_SPEED: found \"OUTCRY_SPEED\", expected a setting "
                               "(`outcry settings` lists them all)");
}

static void strategies_are_somebody_elses_to_read(void **state)
{
    (void)state;
    assert_loads("shards = 2\nstrategies\n    maker-1\n        type = maker\n        events_max = "
                 "many\nkept_mib = 9\n");
    assert_true(cluster.settings.shards == 2 && cluster.settings.kept_mib == 9);
    assert_refused("strategie\n    maker-1\n        type = maker\n",
                   "a.cfg:3: strategie/maker-1/type: found \"strategie/maker-1/type\", expected a "
                   "setting (`outcry settings` lists them all)");
}

static void the_file_can_be_asked_for_before_it_is_read(void **state)
{
    (void)state;
    char program[] = "program", config[] = "--config", name[] = "b.cfg", other[] = "x";
    assert_null(cluster_config_file(1, (char *[]){program, NULL}));
    assert_null(cluster_config_file(2, (char *[]){program, config, NULL}));
    setenv("OUTCRY_CONFIG", "a.cfg", 1);
    assert_string_equal(cluster_config_file(2, (char *[]){program, other, NULL}), "a.cfg");
    assert_string_equal(cluster_config_file(4, (char *[]){program, other, config, name, NULL}),
                        "b.cfg");
    unsetenv("OUTCRY_CONFIG");
}

static void a_setting_that_stands_twice_is_told(void **state)
{
    (void)state;
    assert_refused("shards = 1\nkept_mib = 9\nshards = 2\n",
                   "a.cfg:3: shards: found a second time, expected once");
}

static void a_file_that_is_not_there_or_cannot_be_read_is_told(void **state)
{
    (void)state;
    char config[] = "--config", name[] = "none.cfg";
    assert_false(load_flags(FLAGS(config, name)));
    assert_string_equal(error, "none.cfg: cannot read it: No such file or directory");
    scratch_write("none.cfg", "shards = 1\n  x = 2\n");
    assert_false(load_flags(FLAGS(config, name)));
    assert_int_equal(strncmp(error, "none.cfg:2: ", 12), 0);
}

static void texts_have_1_to_127_characters(void **state)
{
    (void)state;
    char flag[] = "--run-dir", value[SETTING_TEXT_SIZE + 1] = "";
    assert_false(load_flags(FLAGS(flag, value)));
    assert_string_equal(error, "--run-dir: found \"\", expected 1 to 127 characters");
    memset(value, 'd', SETTING_TEXT_SIZE);
    assert_false(load_flags(FLAGS(flag, value)));
    assert_non_null(strstr(error, "expected 1 to 127 characters"));
    scratch_write("a.cfg", "run_dir = \"\"\n");
    assert_refused("run_dir = \"\"\n",
                   "a.cfg:1: run_dir: found \"\", expected 1 to 127 characters");
}

static void a_log_level_is_one_of_four(void **state)
{
    (void)state;
    assert_refused("log_level = loud\n", "a.cfg:1: log_level: found \"loud\", expected debug, "
                                         "info, warn or error");
    static const char *const levels[] = {"debug", "warn", "error", "info"};
    for (unsigned i = 0; i < 4; i++) {
        char text[64];
        snprintf(text, sizeof text, "log_level = %s\n", levels[i]);
        assert_loads(text);
    }
}

static void a_log_format_is_json_or_text(void **state)
{
    (void)state;
    static const char *const formats[] = {"json", "text"};
    char destination[CLUSTER_ADDRESS_SIZE];
    for (unsigned i = 0; i < 2; i++) {
        char text[64];
        snprintf(text, sizeof text, "log_format = %s\n", formats[i]);
        assert_loads(text);
        assert_int_equal(cluster_log_options(&cluster, "x", destination).format,
                         i == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
    }
    assert_refused("log_format = JSON\n",
                   "a.cfg:1: log_format: found \"JSON\", expected json or text");
}

static void a_log_goes_to_stdout_stderr_or_a_path(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *destination;
    } rows[] = {{"stdout", "stdout"},
                {"stderr", "stderr"},
                {"./log", "./log"},
                {"{run_dir}/{name}.log", "/run/o/matcher-1.log"},
                {"/var/{name}/{name}{shard}", "/var/matcher-1/matcher-1{shard}"}};
    char destination[CLUSTER_ADDRESS_SIZE];
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];
        snprintf(text, sizeof text,
                 "run_dir = /run/o\nlog_destination = \"%s\"\nlog_file_mib = 4096\nlog_files = 1\n",
                 rows[i].setting);
        assert_loads(text);
        struct log_options options = cluster_log_options(&cluster, "matcher-1", destination);
        assert_string_equal(options.destination, rows[i].destination);
        assert_true(options.file_size_max == UINT64_C(4096) << 20 && options.files_max == 1);
    }
    assert_refused("log_destination = stduot\n",
                   "a.cfg:1: log_destination: found \"stduot\", expected stdout, stderr or a path "
                   "with a slash in it");
    assert_refused(
        "audit_destination = non\n",
        "a.cfg:1: audit_destination: found \"non\", expected none or a path with a slash "
        "in it");
}

static void what_finished_orders_take_is_limited_together(void **state)
{
    (void)state;
    assert_loads("limits\n    accounts_max = 1024\n    finished_per_account = 1048576\n");
    assert_refused("limits\n    accounts_max = 1025\n    finished_per_account = 1048576\n",
                   "accounts_max x finished_per_account: found \"1074790400\", expected at most "
                   "1073741824");
}

/* ---- addresses ---- */

static void an_address_is_ipc_or_tcp(void **state)
{
    (void)state;
    assert_refused("addresses\n    public = udp://127.0.0.1:5\n",
                   "a.cfg:2: addresses/public: found \"udp://127.0.0.1:5\", expected ipc://PATH or "
                   "tcp://HOST:PORT");
    assert_refused("addresses\n    market_data = here\n",
                   "a.cfg:2: addresses/market_data: found \"here\", expected ipc://PATH or "
                   "tcp://HOST:PORT");
    assert_loads("addresses\n    public = tcp://0.0.0.0:5\n");
}

static void order_entry_over_tcp_stays_on_this_machine(void **state)
{
    (void)state;
    static const char *const fine[] = {"tcp://127.0.0.1:5", "tcp://127.1.2.3:5", "tcp://[::1]:5",
                                       "ipc:///tmp/x"};
    static const char *const wrong[] = {"tcp://0.0.0.0:5", "tcp://*:5",    "tcp://10.0.0.1:5",
                                        "tcp://[::]:5",    "tcp://eth0:5", "tcp://128.0.0.1:5"};
    char flag[] = "--commands-address", value[64], complaint[256];
    for (unsigned i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        strcpy(value, fine[i]);
        assert_true(load_flags(FLAGS(flag, value)));
    }
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        strcpy(value, wrong[i]);
        snprintf(complaint, sizeof complaint,
                 "commands_address: found \"%s\", expected ipc:// or a loopback address, or "
                 "keys_dir, so that nobody without a key gets in; open_anywhere 1 says that all "
                 "may",
                 wrong[i]);
        assert_false(load_flags(FLAGS(flag, value)));
        assert_string_equal(error, complaint);
        assert_true(load_flags(FLAGS(flag, value, "--keys-dir", "/tmp/keys")));
        assert_true(load_flags(FLAGS(flag, value, "--open-anywhere", "1")));
    }
}

static void an_address_is_at_most_112_characters_when_filled_in(void **state)
{
    (void)state;
    char flag[] = "--run-dir", value[SETTING_TEXT_SIZE], complaint[512], shards[] = "--shards",
         count[] = "11";
    memset(value, 'd', sizeof value);
    /* ipc:// + run_dir + /N.commands, of which "/0.commands" is 11 characters */
    value[0] = '/';
    value[112 - 6 - 11] = '\0';
    assert_true(load_flags(FLAGS(flag, value)));
    assert_false(load_flags(FLAGS(flag, value, shards, count))); /* "/10.commands" is one more */
    snprintf(complaint, sizeof complaint,
             "commands_address: found \"ipc://%s/10.commands\", expected at most 112 characters: a "
             "socket's path is short",
             value);
    assert_string_equal(error, complaint);
    value[112 - 6 - 11] = 'd';
    value[112 - 6 - 11 + 1] = '\0';
    assert_false(load_flags(FLAGS(flag, value)));
}

static void an_address_is_filled_in_with_directory_and_shard(void **state)
{
    (void)state;
    char address[CLUSTER_ADDRESS_SIZE], flag[] = "--run-dir", value[] = "/run/x";
    assert_true(load_flags(FLAGS(flag, value)));
    static const char *const cases[][2] = {
        {"ipc://{run_dir}/{shard}.commands", "ipc:///run/x/12.commands"},
        {"tcp://127.0.0.1:55{shard}", "tcp://127.0.0.1:5512"},
        {"{shard}{shard}{run_dir}", "1212/run/x"},
        {"tcp://127.0.0.1:{5600+shard}", "tcp://127.0.0.1:5612"},
        {"{65535+shard}{65536+shard}", "65547{65536+shard}"},
        {"{5600+shar}{+shard}", "{5600+shar}{+shard}"},
        {"{run_dir", "{run_dir"},
        {"{}{other}", "{}{other}"},
        {"", ""},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cluster_address(&cluster, cases[i][0], 12, address);
        assert_string_equal(address, cases[i][1]);
    }
}

static void every_shard_has_an_address_of_its_own(void **state)
{
    (void)state;
    assert_loads("shards = 1\naddresses\n    commands = ipc:///tmp/one\n");
    assert_refused("shards = 2\naddresses\n    commands = ipc:///tmp/one\n",
                   "commands_address: found \"ipc:///tmp/one\", expected an address with {shard} "
                   "in it: each has its own");
    assert_refused("shards = 2\naddresses\n    public = tcp://127.0.0.1:5000\n",
                   "public_address: found \"tcp://127.0.0.1:5000\", expected an address with "
                   "{shard} in it: each has its own");
    assert_loads("shards = 2\naddresses\n    public = tcp://127.0.0.1:500{shard}\n");
    assert_loads("shards = 2\naddresses\n    market_data = ipc:///tmp/one\n"); /* there is one */
}

static void a_service_listens_at_listen_host_and_is_reached_at_its_address(void **state)
{
    (void)state;
    char address[CLUSTER_ADDRESS_SIZE], flag[] = "--listen-host", value[] = "0.0.0.0";
    static const char *const cases[][2] = {
        {"tcp://matcher-{shard}.matcher:{5600+shard}", "tcp://0.0.0.0:5603"},
        {"tcp://127.0.0.1:5", "tcp://0.0.0.0:5"},
        {"ipc:///run/{shard}.commands", "ipc:///run/3.commands"},
    };
    assert_true(load_flags(FLAGS(flag, value)));
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cluster_listen_address(&cluster, cases[i][0], 3, address);
        assert_string_equal(address, cases[i][1]);
    }
    cluster_address(&cluster, cases[0][0], 3, address);
    assert_string_equal(address, "tcp://matcher-3.matcher:5603");
    assert_true(load_flags(NULL, 0, NULL, 0));
    cluster_listen_address(&cluster, cases[1][0], 3, address);
    assert_string_equal(address, "tcp://127.0.0.1:5");
}

static void a_loopback_address_that_listens_everywhere_needs_keys(void **state)
{
    (void)state;
    char host[] = "--listen-host", everywhere[] = "0.0.0.0", here[] = "127.0.0.1";
    char flag[] = "--private-address", value[] = "tcp://127.0.0.1:5";
    char keys[] = "--keys-dir", directory[] = "/tmp/keys";
    assert_true(load_flags(FLAGS(flag, value)));
    assert_true(load_flags(FLAGS(flag, value, host, here)));
    assert_false(load_flags(FLAGS(flag, value, host, everywhere)));
    assert_true(load_flags(FLAGS(flag, value, host, everywhere, keys, directory)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(without_anything_settings_have_their_defaults),
        TEST(flag_goes_before_variable_before_dotenv_before_file_before_default),
        TEST(every_setting_can_come_from_everywhere),
        TEST(a_variable_may_name_the_file),
        TEST(what_is_no_setting_is_left_to_the_program),
        TEST(a_wrong_number_is_told_with_file_line_found_and_expected),
        TEST(the_source_of_a_wrong_value_is_told),
        TEST(a_flag_needs_a_value),
        TEST(an_unknown_setting_is_told),
        TEST(strategies_are_somebody_elses_to_read),
        TEST(the_file_can_be_asked_for_before_it_is_read),
        TEST(a_setting_that_stands_twice_is_told),
        TEST(a_file_that_is_not_there_or_cannot_be_read_is_told),
        TEST(texts_have_1_to_127_characters),
        TEST(a_log_level_is_one_of_four),
        TEST(a_log_format_is_json_or_text),
        TEST(a_log_goes_to_stdout_stderr_or_a_path),
        TEST(what_finished_orders_take_is_limited_together),
        TEST(an_address_is_ipc_or_tcp),
        TEST(order_entry_over_tcp_stays_on_this_machine),
        TEST(an_address_is_at_most_112_characters_when_filled_in),
        TEST(an_address_is_filled_in_with_directory_and_shard),
        TEST(a_service_listens_at_listen_host_and_is_reached_at_its_address),
        TEST(a_loopback_address_that_listens_everywhere_needs_keys),
        TEST(every_shard_has_an_address_of_its_own),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
