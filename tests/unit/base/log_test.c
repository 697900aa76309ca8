/* log: one line a fact, whatever it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "tests/unit/base/capture.h"

static char line[LOG_LINE_SIZE_MAX + 1];

/* The line behind its time, which is checked on the way: {"time":"2026-11-21T02:10:00.123456Z", */
static const char *after_time(const char *text)
{
    static const char form[] = "{\"time\":\"dddd-dd-ddTdd:dd:dd.ddddddZ\",";
    for (size_t i = 0; form[i] != '\0'; i++) {
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            fail_msg("not a time: %s", text);
    }
    return text + sizeof form - 1;
}

/* What follows an escape; NULL if it is none of ours. */
static const char *skip_escape(const char *at)
{
    if (at[1] == '"' || at[1] == '\\')
        return at + 2;
    return at[1] == 'u' && strspn(at + 2, "0123456789abcdef") >= 4 ? at + 6 : NULL;
}

/* A string from its opening quote on: what follows it; NULL if it is not a JSON string. */
static const char *skip_string(const char *at)
{
    if (*at++ != '"')
        return NULL;
    while (at != NULL && *at != '"') {
        if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
            return NULL;
        at = *at == '\\' ? skip_escape(at) : at + 1;
    }
    return at == NULL ? NULL : at + 1;
}

/* One flat object of strings and of numbers, true, false and null; a newline, and the end. */
static void assert_json_line(const char *text)
{
    const char *at = text;
    do {
        if (*at != (at == text ? '{' : ',') || (at = skip_string(at + 1)) == NULL || *at != ':')
            fail_msg("not JSON: %s", text);
        size_t bare = strspn(at + 1, "-0123456789abcdefghijklmnopqrstuvwxyz");
        at = bare > 0 ? at + 1 + bare : skip_string(at + 1);
        if (at == NULL)
            fail_msg("not JSON: %s", text);
    } while (*at == ',');
    assert_string_equal(at, "}\n");
}

static void a_fact_is_one_line_of_json(void **state)
{
    (void)state;
    capture_begin();
    log_info("matcher", "started", LOG_U64("shard", 0), LOG_TEXT("journal", "none"),
             LOG_U64("seq", UINT64_MAX), LOG_BYTES("part", "abcdef", 3));
    const char *text = capture_end();
    assert_json_line(text);
    assert_string_equal(after_time(text),
                        "\"level\":\"info\",\"module\":\"matcher\",\"event\":\"started\","
                        "\"shard\":0,\"journal\":\"none\",\"seq\":18446744073709551615,"
                        "\"part\":\"abc\"}\n");
}

static void every_byte_can_be_told(void **state)
{
    (void)state;
    char bytes[256];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(unsigned char)i;
    capture_begin();
    log_warn("test", "bytes", LOG_BYTES("all", bytes, sizeof bytes));
    const char *text = capture_end();
    assert_json_line(text);
    assert_non_null(strstr(text, "\\u0000\\u0001"));
    assert_non_null(strstr(text, "\\u001f !\\\"#"));
    assert_non_null(strstr(text, "[\\\\]"));
    assert_non_null(strstr(text, "}~\\u007f\\u0080"));
    assert_non_null(strstr(text, "\\u00ff\"}"));
}

static void a_text_without_bytes_is_empty(void **state)
{
    (void)state;
    capture_begin();
    log_error("test", "empty", LOG_TEXT("a", ""), LOG_BYTES("b", "xyz", 0));
    const char *text = capture_end();
    assert_json_line(text);
    assert_non_null(strstr(text, "\"level\":\"error\""));
    assert_non_null(strstr(text, "\"a\":\"\",\"b\":\"\"}"));
}

static void below_the_level_nothing_is_said(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN,
                                            LOG_LEVEL_ERROR};
    for (size_t threshold = 0; threshold < 4; threshold++) {
        for (size_t level = 0; level < 4; level++) {
            log_set_level(levels[threshold]);
            capture_begin();
            LOG_AT(levels[level], "test", "said", LOG_U64("n", 1));
            const char *text = capture_end();
            assert_int_equal(text[0] != '\0', level >= threshold);
        }
    }
    log_set_level(LOG_LEVEL_INFO);
}

/* Around the length at which a line is full, whatever fills it, it is JSON and one line. */
static void a_line_too_long_is_cut_and_still_json(void **state)
{
    (void)state;
    static const char fillers[] = {'x', '"', '\n', (char)0xff};
    static char filler[LOG_LINE_SIZE_MAX + 100];
    for (size_t f = 0; f < sizeof fillers; f++) {
        memset(filler, fillers[f], sizeof filler);
        for (size_t size = 0; size <= sizeof filler; size += size < 150 ? 50 : 1) {
            capture_begin();
            log_info("test", "long", LOG_BYTES("filler", filler, size), LOG_U64("number", 12345),
                     LOG_TEXT("last", "text"));
            const char *text = capture_end();
            assert_json_line(text);
            assert_true(strlen(text) <= LOG_LINE_SIZE_MAX);
        }
    }
}

static void what_still_fits_is_told_whole(void **state)
{
    (void)state;
    static char filler[1500];
    memset(filler, 'x', sizeof filler);
    capture_begin();
    log_info("test", "long", LOG_BYTES("filler", filler, sizeof filler), LOG_U64("number", 12345));
    const char *text = capture_end();
    assert_non_null(strstr(text, "xxx\",\"number\":12345}"));
}

/* ---- composing ---- */

static const char *composed(uint64_t time_ns, const struct log_field *fields)
{
    size_t size = log_compose(line, time_ns, LOG_LEVEL_WARN, "m", "e", fields);
    assert_in_range(size, 1, LOG_LINE_SIZE_MAX);
    line[size] = '\0';
    return line;
}

static void numbers_flags_and_nothing_stand_bare(void **state)
{
    (void)state;
    const char *text =
        composed(0, LOG_FIELDS(LOG_I64("a", INT64_MIN), LOG_I64("b", -1), LOG_I64("c", INT64_MAX),
                               LOG_U64("d", UINT64_MAX), LOG_FLAG("e", true), LOG_FLAG("f", false),
                               LOG_FLAG("g", 256), LOG_TEXT("h", NULL)));
    assert_json_line(text);
    assert_string_equal(after_time(text),
                        "\"level\":\"warn\",\"module\":\"m\",\"event\":\"e\","
                        "\"a\":-9223372036854775808,\"b\":-1,\"c\":9223372036854775807,"
                        "\"d\":18446744073709551615,\"e\":true,\"f\":false,\"g\":true,"
                        "\"h\":null}\n");
}

static void a_fact_may_have_no_fields(void **state)
{
    (void)state;
    capture_begin();
    log_info("gateway", "stopped");
    assert_string_equal(after_time(capture_end()),
                        "\"level\":\"info\",\"module\":\"gateway\",\"event\":\"stopped\"}\n");
}

static void what_is_below_the_level_is_not_composed(void **state)
{
    (void)state;
    const struct log_field *none = LOG_FIELDS();
    assert_int_equal(log_compose(line, 0, LOG_LEVEL_DEBUG, "m", "e", none), 0);
    assert_true(log_compose(line, 0, LOG_LEVEL_INFO, "m", "e", none) > 0);
    capture_begin();
    log_write("unsaid\n", 0);
    assert_string_equal(capture_end(), "");
}

static void assert_time(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm utc;
    char day[40], expected[64];
    assert_non_null(gmtime_r(&seconds, &utc));
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(expected, sizeof expected, "{\"time\":\"%s.%06uZ\",", day,
             (unsigned)(time_ns % NS_PER_SECOND / NS_PER_US));
    const char *text = composed(time_ns, LOG_FIELDS());
    if (strncmp(text, expected, strlen(expected)) != 0)
        fail_msg("of %llu: %s, expected %s", (unsigned long long)time_ns, text, expected);
}

static void the_time_is_that_of_the_calendar(void **state)
{
    (void)state;
    static const uint64_t day_ns = 86400 * NS_PER_SECOND;
    assert_time(UINT64_MAX); /* in 2554 */
    for (uint64_t day = 0; day < UINT64_MAX / day_ns; day++) {
        assert_time(day * day_ns + day * 7919 * NS_PER_US % day_ns);
        if (day % 365 == 0) {
            assert_time((day + 1) * day_ns - 1);
            assert_time((day + 1) * day_ns);
        }
    }
}

/* ---- text ---- */

static void set_format(enum log_format format)
{
    log_open(&(struct log_options){format, "stderr", 1, 1, 0});
}

static void text_is_for_people(void **state)
{
    (void)state;
    set_format(LOG_FORMAT_TEXT);
    assert_string_equal(
        composed(UINT64_C(1795227000123456789),
                 LOG_FIELDS(LOG_U64("shard", 0), LOG_TEXT("journal", "none"), LOG_I64("n", -5),
                            LOG_FLAG("f", true), LOG_TEXT("none", NULL), LOG_TEXT("empty", ""),
                            LOG_TEXT("words", "a b"), LOG_TEXT("address", "ipc:///tmp/0.x"),
                            LOG_TEXT("quote", "\""), LOG_TEXT("slash", "a\\"),
                            LOG_TEXT("equals", "a=b"), LOG_BYTES("bytes", "\n\x7f\xff", 3))),
        "2026-11-21T02:10:00.123456Z warn  m e shard=0 journal=none n=-5 f=true none=null "
        "empty=\"\" words=\"a b\" address=ipc:///tmp/0.x quote=\"\\\"\" slash=\"a\\\\\" "
        "equals=\"a=b\" bytes=\"\\u000a\\u007f\\u00ff\"\n");
    capture_begin();
    log_error("m", "e", LOG_U64("n", 1));
    assert_non_null(strstr(capture_end(), "Z error m e n=1\n"));
    set_format(LOG_FORMAT_JSON);
}

static void a_text_line_too_long_is_cut_and_still_one_line(void **state)
{
    (void)state;
    static const char fillers[] = {'x', ' ', '\n'};
    static char filler[LOG_LINE_SIZE_MAX + 100];
    set_format(LOG_FORMAT_TEXT);
    for (size_t f = 0; f < sizeof fillers; f++) {
        memset(filler, fillers[f], sizeof filler);
        for (size_t size = 0; size <= sizeof filler; size++) {
            const char *text = composed(
                0, LOG_FIELDS(LOG_BYTES("filler", filler, size), LOG_U64("number", 12345)));
            assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        }
    }
    set_format(LOG_FORMAT_JSON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fact_is_one_line_of_json),
        cmocka_unit_test(every_byte_can_be_told),
        cmocka_unit_test(a_text_without_bytes_is_empty),
        cmocka_unit_test(below_the_level_nothing_is_said),
        cmocka_unit_test(a_line_too_long_is_cut_and_still_json),
        cmocka_unit_test(what_still_fits_is_told_whole),
        cmocka_unit_test(numbers_flags_and_nothing_stand_bare),
        cmocka_unit_test(a_fact_may_have_no_fields),
        cmocka_unit_test(what_is_below_the_level_is_not_composed),
        cmocka_unit_test(the_time_is_that_of_the_calendar),
        cmocka_unit_test(text_is_for_people),
        cmocka_unit_test(a_text_line_too_long_is_cut_and_still_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
