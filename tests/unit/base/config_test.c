/* config: what stands in a file, and on which line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/config.h"
#include "tests/unit/base/scratch.h"

static config_t *load(const char *text)
{
    char error[CONFIG_ERROR_SIZE] = "";
    scratch_write("a.cfg", text);
    config_t *c = config_load("a.cfg", error);
    if (c == NULL)
        fail_msg("%s", error);
    return c;
}

static void assert_value(const config_t *c, const char *path, const char *value)
{
    const char *found = config_get(c, path);
    if (found == NULL || strcmp(found, value) != 0)
        fail_msg("%s is \"%s\"", path, found == NULL ? "(nothing)" : found);
}

static void values_are_found_by_their_path(void **state)
{
    (void)state;
    config_t *c = load("shards = 2\n"
                       "limits\n"
                       "    events_max = 7\n"
                       "    deep\n"
                       "        name = \"with spaces\"\n"
                       "symbols\n"
                       "    BTC-USD\n"
                       "        shard = 1\n");
    assert_value(c, "shards", "2");
    assert_value(c, "limits/events_max", "7");
    assert_value(c, "limits/deep/name", "with spaces");
    assert_value(c, "symbols/BTC-USD/shard", "1");
    assert_null(config_get(c, "nothing"));
    assert_null(config_get(c, "limits/nothing"));
    assert_null(config_get(c, "events_max"));
    assert_string_equal(config_file(c), "a.cfg");
    config_destroy(&c);
    assert_null(c);
    config_destroy(&c); /* once more is no harm */
}

static void each_path_knows_its_line(void **state)
{
    (void)state;
    config_t *c = load("#   a comment\n"
                       "shards = 2\n"
                       "\n"
                       "limits\n"
                       "    #   another = 1\n"
                       "    events_max = 7     #   behind\n"
                       "    accounts_max=8\r\n"
                       "symbols\n"
                       "    events_max\n"
                       "        shard = 1");
    assert_int_equal(config_line(c, "shards"), 2);
    assert_int_equal(config_line(c, "limits"), 4);
    assert_int_equal(config_line(c, "limits/events_max"), 6);
    assert_int_equal(config_line(c, "limits/accounts_max"), 7);
    assert_int_equal(config_line(c, "symbols/events_max"), 9);
    assert_int_equal(config_line(c, "symbols/events_max/shard"), 10); /* without a line end */
    assert_int_equal(config_line(c, "symbols/shard"), 0);
    assert_int_equal(config_line(c, ""), 0);
    config_destroy(&c);
}

struct visits {
    char text[512];
    unsigned left;
};

static bool note(void *self, const char *path, const char *value, bool has_children, unsigned line)
{
    struct visits *v = self;
    size_t size = strlen(v->text);
    snprintf(v->text + size, sizeof v->text - size, "%u %s=%s%s;", line, path, value,
             has_children ? " (more)" : "");
    return --v->left > 0;
}

static void a_walk_visits_everything_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct visits v = {.left = 99};
    config_t *c = load("b = 2\n\nlimits\n    z = 1\n    a\nc = 3\n");
    assert_true(config_walk(c, &v, note));
    assert_string_equal(v.text, "1 b=2;3 limits= (more);4 limits/z=1;5 limits/a=;6 c=3;");
    config_destroy(&c);
}

static void a_walk_ends_when_the_visitor_says_so(void **state)
{
    (void)state;
    struct visits v = {.left = 2};
    config_t *c = load("a = 1\nb = 2\nc = 3\n");
    assert_false(config_walk(c, &v, note));
    assert_string_equal(v.text, "1 a=1;2 b=2;");
    config_destroy(&c);
}

static void an_empty_file_holds_nothing(void **state)
{
    (void)state;
    static const char *const empty[] = {"", "\n", "#   nothing\n", "\n\n    \n"};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        struct visits v = {.left = 99};
        config_t *c = load(empty[i]);
        assert_true(config_walk(c, &v, note));
        assert_string_equal(v.text, "");
        config_destroy(&c);
    }
}

static void assert_error(const char *file, const char *begins)
{
    char error[CONFIG_ERROR_SIZE] = "";
    config_t *c = config_load(file, error);
    assert_null(c);
    if (strncmp(error, begins, strlen(begins)) != 0 || strchr(error, '\n') != NULL)
        fail_msg("said \"%s\"", error);
}

static void a_file_that_is_not_there_is_told(void **state)
{
    (void)state;
    assert_error("none.cfg", "none.cfg: cannot read it: No such file or directory");
}

static void a_directory_is_not_a_file(void **state)
{
    (void)state;
    assert_error(".", ".: cannot read it: ");
}

static void a_syntax_error_is_told_with_its_line(void **state)
{
    (void)state;
    scratch_write("a.cfg", "shards = 2\nlimits\n   events_max = 1\n");
    assert_error("a.cfg", "a.cfg:3: ");
    scratch_write("a.cfg", "shards = 2\nname = \"no end\n");
    assert_error("a.cfg", "a.cfg:2: ");
    scratch_write("a.cfg", "a = 1\n\nb ? 2\n");
    assert_error("a.cfg", "a.cfg:3: ");
    scratch_write("a.cfg", "= 5\n");
    assert_error("a.cfg", "a.cfg:1: ");
}

static void a_name_that_stands_twice_is_told(void **state)
{
    (void)state;
    scratch_write("a.cfg", "a = 1\nb = 2\n\na = 3\n");
    assert_error("a.cfg", "a.cfg:4: a: found a second time, expected once");
    scratch_write("a.cfg", "limits\n    a = 1\n    b = 2\n    a = 1\n");
    assert_error("a.cfg", "a.cfg:4: limits/a: found a second time, expected once");
    scratch_write("a.cfg", "limits\n    a = 1\nother\n    a = 1\nlimits\n    b = 1\n");
    assert_error("a.cfg", "a.cfg:5: limits: found a second time, expected once");
}

/* What is too deep or too long to be a setting is still visited: nothing hides there. */
static void nothing_hides_by_being_deep_or_long(void **state)
{
    (void)state;
    char text[2048] = "a\n";
    size_t size = 2;
    for (unsigned depth = 1; depth <= 12; depth++)
        size += (size_t)snprintf(text + size, sizeof text - size, "%*sa\n", (int)depth * 4, "");
    struct visits v = {.left = 99};
    config_t *c = load(text);
    assert_true(config_walk(c, &v, note));
    assert_int_equal(99 - v.left, 13);
    config_destroy(&c);

    memset(text, 'x', 400);
    strcpy(text + 400, " = 1\nb = 2\n");
    v = (struct visits){.left = 99};
    c = load(text);
    assert_true(config_walk(c, &v, note));
    assert_int_equal(99 - v.left, 2);
    config_destroy(&c);
}

static void assert_number(const char *text, uint64_t low, uint64_t high, uint64_t expected)
{
    uint64_t value = ~expected;
    assert_true(config_u64(text, low, high, &value));
    assert_true(value == expected);
}

static void assert_no_number(const char *text, uint64_t low, uint64_t high)
{
    uint64_t value = 42;
    assert_false(config_u64(text, low, high, &value));
    assert_true(value == 42);
}

static void a_whole_number_is_all_digits_and_in_its_range(void **state)
{
    (void)state;
    assert_number("0", 0, 5, 0);
    assert_number("5", 5, 5, 5);
    assert_number("18446744073709551615", 0, UINT64_MAX, UINT64_MAX);
    assert_no_number("4", 5, 7);
    assert_number("5", 5, 7, 5);
    assert_number("7", 5, 7, 7);
    assert_no_number("8", 5, 7);
    assert_no_number("18446744073709551616", 0, UINT64_MAX);
    assert_no_number("99999999999999999999999", 0, UINT64_MAX);
    static const char *const malformed[] = {"",    "-1", "+1", " 1",  "1 ",  "1.0", "0x1",
                                            "1e3", "01", "00", "one", "1\n", "-",   "１"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        assert_no_number(malformed[i], 0, UINT64_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(values_are_found_by_their_path),
        TEST(each_path_knows_its_line),
        TEST(a_walk_visits_everything_in_the_order_of_the_file),
        TEST(a_walk_ends_when_the_visitor_says_so),
        TEST(an_empty_file_holds_nothing),
        TEST(a_file_that_is_not_there_is_told),
        TEST(a_directory_is_not_a_file),
        TEST(a_syntax_error_is_told_with_its_line),
        TEST(a_name_that_stands_twice_is_told),
        TEST(nothing_hides_by_being_deep_or_long),
        TEST(a_whole_number_is_all_digits_and_in_its_range),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
