/* json_writer: every byte of what it writes, and none behind the end of its buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/json_reader.h"
#include "gateway/json_writer.h"
#include "tests/fuzz/random.h"
#include "tests/unit/base/seeds.h"

enum { BUFFER_SIZE = 4096 };
static char buffer[BUFFER_SIZE];

static void begin(struct json_writer *j)
{
    memset(buffer, '#', sizeof buffer);
    json_writer_init(j, buffer, sizeof buffer);
}

static void assert_written(const struct json_writer *j, const char *expected)
{
    size_t size = json_writer_size(j);
    assert_false(j->full);
    if (size != strlen(expected) || memcmp(buffer, expected, size) != 0)
        fail_msg("written was %.*s, not %s", (int)size, buffer, expected);
    assert_int_equal(buffer[size], '#');
}

static void put_everything(struct json_writer *j)
{
    static const struct decimal_unit cent = {5, 2};
    json_object_begin(j, NULL);
    json_string(j, "symbol", "BTC-USD");
    json_array_begin(j, "bids");
    json_array_begin(j, NULL);
    json_units(j, NULL, 2005, &cent);
    json_u64(j, NULL, 7);
    json_array_end(j);
    json_array_begin(j, NULL);
    json_array_end(j);
    json_array_end(j);
    json_object_begin(j, "empty");
    json_object_end(j);
    json_id(j, "id", UINT64_MAX);
    json_flag(j, "yes", true);
    json_flag(j, "no", false);
    json_null(j, "nil");
    json_sum(j, "sum", (wide_t)1 << 70, &cent);
    json_ratio(j, "ratio", 1, 3, &cent);
    json_hash(j, "hash", UINT64_C(0x0123456789abcdef));
    json_time(j, "time", UINT64_C(1795227000123456789));
    json_text(j, "text", (struct text){"a\"b\xff", 4});
    json_object_end(j);
}

static const char everything[] =
    "{\"symbol\":\"BTC-USD\",\"bids\":[[\"100.25\",7],[]],\"empty\":{},"
    "\"id\":\"18446744073709551615\",\"yes\":true,\"no\":false,\"nil\":null,"
    "\"sum\":\"59029581035870565171.20\",\"ratio\":\"0.0166666666\",\"hash\":\"0123456789abcdef\","
    "\"time\":\"2026-11-21T02:10:00.123456Z\",\"text\":\"a\\\"b\xef\xbf\xbd\"}";

static void values_stand_with_their_keys_and_commas(void **state)
{
    (void)state;
    struct json_writer j;
    begin(&j);
    put_everything(&j);
    assert_written(&j, everything);
}

static void any_value_may_be_the_outermost(void **state)
{
    (void)state;
    struct json_writer j;
    begin(&j);
    json_string(&j, NULL, "");
    assert_written(&j, "\"\"");
    begin(&j);
    json_u64(&j, NULL, 0);
    assert_written(&j, "0");
    begin(&j);
    json_array_begin(&j, NULL);
    json_array_end(&j);
    assert_written(&j, "[]");
}

static void numbers_have_all_their_digits(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {{0, "0"},
                {9, "9"},
                {10, "10"},
                {1000000007, "1000000007"},
                {UINT64_MAX - 1, "18446744073709551614"},
                {UINT64_MAX, "18446744073709551615"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json_writer j;
        begin(&j);
        json_u64(&j, NULL, rows[i].value);
        assert_written(&j, rows[i].text);
    }
    struct json_writer j;
    begin(&j);
    json_hash(&j, NULL, 0);
    assert_written(&j, "\"0000000000000000\"");
    begin(&j);
    json_hash(&j, NULL, UINT64_MAX);
    assert_written(&j, "\"ffffffffffffffff\"");
}

static void assert_escaped(const char *text, size_t size, const char *expected)
{
    struct json_writer j;
    begin(&j);
    json_text(&j, NULL, (struct text){text, size});
    assert_written(&j, expected);
}

static void quotes_backslashes_and_controls_are_escaped(void **state)
{
    (void)state;
    assert_escaped("\"", 1, "\"\\\"\"");
    assert_escaped("\\", 1, "\"\\\\\"");
    assert_escaped("a/b", 3, "\"a/b\"");
    assert_escaped("\0\n\x1f\x20\x7f", 5, "\"\\u0000\\u000a\\u001f \x7f\"");
    assert_escaped(NULL, 0, "\"\"");
}

static void what_is_not_utf_8_is_shown_as_replaced(void **state)
{
    (void)state;
    assert_escaped("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
                   "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    assert_escaped("a\x80z", 3, "\"a\xef\xbf\xbdz\"");
    assert_escaped("\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""); /* cut by the text's end */
    assert_escaped("\xe2\x82\xac", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_escaped("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

/* ---- times ---- */

static void assert_time(uint64_t time_ns, const char *expected)
{
    struct json_writer j;
    begin(&j);
    json_time(&j, NULL, time_ns);
    assert_written(&j, expected);
}

static void times_are_utc_with_microseconds(void **state)
{
    (void)state;
    assert_time(0, "\"1970-01-01T00:00:00.000000Z\"");
    assert_time(999, "\"1970-01-01T00:00:00.000000Z\""); /* cut */
    assert_time(1000, "\"1970-01-01T00:00:00.000001Z\"");
    assert_time(UINT64_C(951782399999999999), "\"2000-02-28T23:59:59.999999Z\"");
    assert_time(UINT64_C(951782400000000000), "\"2000-02-29T00:00:00.000000Z\"");
    assert_time(UINT64_C(4107542400000000000), "\"2100-03-01T00:00:00.000000Z\"");
    assert_time(UINT64_MAX, "\"2554-07-21T23:34:33.709551Z\"");
}

static void any_time(uint64_t seed)
{
    struct random r = {seed};
    for (unsigned i = 0; i < 5000; i++) {
        uint64_t time_ns = random_next(&r);
        time_t seconds = (time_t)(time_ns / 1000000000);
        struct tm parts;
        char text[64];
        assert_non_null(gmtime_r(&seconds, &parts));
        size_t size = strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%S", &parts);
        snprintf(text + size, sizeof text - size, ".%06uZ\"", (unsigned)(time_ns / 1000 % 1000000));
        assert_time(time_ns, text);
    }
}

static void every_time_is_that_of_the_c_library(void **state)
{
    (void)state;
    seeds_run("every_time_is_that_of_the_c_library", 5, any_time);
}

/* ---- room ---- */

static void what_does_not_fit_makes_it_full_for_good(void **state)
{
    (void)state;
    size_t whole = strlen(everything);
    for (size_t size = 0; size <= whole + 1; size++) {
        struct json_writer j;
        memset(buffer, '#', sizeof buffer);
        json_writer_init(&j, buffer, size);
        put_everything(&j);
        assert_int_equal(j.full, size < whole);
        assert_true(json_writer_size(&j) <= size);
        assert_memory_equal(buffer, everything, json_writer_size(&j));
        for (size_t i = size; i < whole + 1; i++)
            assert_int_equal(buffer[i], '#');
        if (!j.full)
            continue;
        size_t before = json_writer_size(&j);
        json_u64(&j, NULL, 1); /* which alone would fit */
        assert_true(j.full && json_writer_size(&j) == before);
    }
}

/* ---- what is written is read ---- */

/* Characters of every size, and those that need escapes. */
static size_t any_text(struct random *r, char *text)
{
    static const char *const parts[] = {
        "\"", "\\", "/",    "\n",       "\x01",         "\x1f",         " ",
        "a",  "Z",  "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xef\xbf\xbf", "\xf0\x9f\x98\x80",
    };
    size_t size = 0;
    for (uint64_t count = random_below(r, 20); count > 0; count--) {
        const char *part = RANDOM_OF(r, parts);
        memcpy(text + size, part, strlen(part));
        size += strlen(part);
    }
    return size;
}

static void any_member(uint64_t seed)
{
    static struct json_reader reader;
    struct random r = {seed};
    for (unsigned i = 0; i < 2000; i++) {
        char text[128];
        struct text value = {text, any_text(&r, text)};
        uint64_t number = random_next(&r) >> random_below(&r, 64);
        struct json_writer j;
        begin(&j);
        json_object_begin(&j, NULL);
        json_text(&j, "text", value);
        json_id(&j, "number", number);
        json_object_end(&j);
        assert_int_equal(json_read(&reader, buffer, json_writer_size(&j)), JSON_READ_OK);
        assert_int_equal(reader.member_count, 2);
        assert_true(text_equal(reader.members[0].value, value));
        snprintf(text, sizeof text, "%llu", (unsigned long long)number);
        assert_true(text_equal(reader.members[1].value, text_of(text)));
    }
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    seeds_run("what_is_written_is_read_again", 5, any_member);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_with_their_keys_and_commas),
        cmocka_unit_test(any_value_may_be_the_outermost),
        cmocka_unit_test(numbers_have_all_their_digits),
        cmocka_unit_test(quotes_backslashes_and_controls_are_escaped),
        cmocka_unit_test(what_is_not_utf_8_is_shown_as_replaced),
        cmocka_unit_test(times_are_utc_with_microseconds),
        SEEDS_TEST(every_time_is_that_of_the_c_library),
        cmocka_unit_test(what_does_not_fit_makes_it_full_for_good),
        SEEDS_TEST(what_is_written_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
