/* log: one line of JSON a fact, whatever it is made of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

enum { LINE_SIZE_MAX = 2048 };

static char line[4 * LINE_SIZE_MAX];

/* What stderr gets between begin and end: one pipe is enough for what these tests write. */
static int saved, ends[2];

static void capture_begin(void)
{
    assert_int_equal(pipe(ends), 0);
    saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
}

static const char *capture_end(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t size = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    line[size < 0 ? 0 : size] = '\0';
    return line;
}

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

/* One flat object of strings and numbers, a newline, and the end. */
static void assert_json_line(const char *text)
{
    const char *at = text;
    do {
        if (*at != (at == text ? '{' : ',') || (at = skip_string(at + 1)) == NULL || *at != ':')
            fail_msg("not JSON: %s", text);
        size_t digits = strspn(at + 1, "0123456789");
        at = digits > 0 ? at + 1 + digits : skip_string(at + 1);
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
    static char filler[LINE_SIZE_MAX + 100];
    for (size_t f = 0; f < sizeof fillers; f++) {
        memset(filler, fillers[f], sizeof filler);
        for (size_t size = 0; size <= sizeof filler; size += size < 150 ? 50 : 1) {
            capture_begin();
            log_info("test", "long", LOG_BYTES("filler", filler, size), LOG_U64("number", 12345),
                     LOG_TEXT("last", "text"));
            const char *text = capture_end();
            assert_json_line(text);
            assert_true(strlen(text) <= LINE_SIZE_MAX);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fact_is_one_line_of_json),
        cmocka_unit_test(every_byte_can_be_told),
        cmocka_unit_test(a_text_without_bytes_is_empty),
        cmocka_unit_test(below_the_level_nothing_is_said),
        cmocka_unit_test(a_line_too_long_is_cut_and_still_json),
        cmocka_unit_test(what_still_fits_is_told_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
