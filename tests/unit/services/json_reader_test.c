/* json_reader: RFC 8259 and nothing else; what it hands over is what was sent. That it agrees with
 * another reader on thousands of bodies is tests/fuzz/json_against_python.py's to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/json_reader.h"

static struct json_reader reader;

static enum json_read read_text(const char *text)
{
    return json_read(&reader, text, strlen(text));
}

static void assert_bad(const char *text, size_t at, const char *expected)
{
    enum json_read got = read_text(text);
    if (got != JSON_READ_BAD)
        fail_msg("%s is read as %d, not as bad", text, (int)got);
    if (reader.bad_at != at || strstr(reader.expected, expected) == NULL)
        fail_msg("%s: at %zu expected %s, not at %zu %s", text, reader.bad_at, reader.expected, at,
                 expected);
    assert_int_equal(reader.member_count, 0);
}

static void assert_member(const char *key, enum json_kind kind, const char *value)
{
    const struct json_member *m = json_member_find(&reader, key);
    if (m == NULL)
        fail_msg("no member %s", key);
    assert_int_equal(m->kind, kind);
    if (!text_equal(m->value, text_of(value)))
        fail_msg("%s is %.*s, not %s", key, (int)m->value.size, m->value.data, value);
}

/* {"a": VALUE}, read. */
static enum json_read read_value(const char *value)
{
    static char text[256];
    snprintf(text, sizeof text, "{\"a\":%s}", value);
    return read_text(text);
}

static void assert_string(const char *value, const char *meant)
{
    if (read_value(value) != JSON_READ_OK)
        fail_msg("%s is not read: at %zu expected %s", value, reader.bad_at, reader.expected);
    assert_member("a", JSON_STRING, meant);
}

/* Bad, `at` counted from the value's first byte. */
static void assert_bad_value(const char *value, size_t at, const char *expected)
{
    static char text[256];
    snprintf(text, sizeof text, "{\"a\":%s}", value);
    assert_bad(text, at + strlen("{\"a\":"), expected);
}

/* ---- members ---- */

static void members_come_in_order_as_they_stand(void **state)
{
    (void)state;
    assert_int_equal(read_text(" {\"s\" : \"x\",\t\"n\":-1.50e+2 ,\r\n\"t\":true,\"f\":false,"
                               "\"z\":null,\"l\":[1, 2],\"o\":{\"s\" : 1}} \n"),
                     JSON_READ_OK);
    assert_int_equal(reader.member_count, 7);
    assert_member("s", JSON_STRING, "x");
    assert_member("n", JSON_NUMBER, "-1.50e+2");
    assert_member("t", JSON_FLAG, "true");
    assert_member("f", JSON_FLAG, "false");
    assert_member("z", JSON_NULL, "null");
    assert_member("l", JSON_ARRAY, "[1, 2]");
    assert_member("o", JSON_OBJECT, "{\"s\" : 1}");
    assert_true(reader.members[2].flag && !reader.members[3].flag);
    assert_true(text_equal(reader.members[6].key, text_of("o")));
    assert_null(json_member_find(&reader, "S"));
    assert_null(json_member_find(&reader, ""));
}

static void an_object_may_be_empty(void **state)
{
    (void)state;
    assert_int_equal(read_text("{}"), JSON_READ_OK);
    assert_int_equal(reader.member_count, 0);
    assert_int_equal(read_text("\r\n\t { \t} "), JSON_READ_OK);
    assert_int_equal(read_text("{\"\":\"\"}"), JSON_READ_OK);
    assert_member("", JSON_STRING, "");
}

static void a_reader_may_read_again(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"a\":1,\"b\":2}"), JSON_READ_OK);
    assert_int_equal(read_text("{\"c\":\"3\"}"), JSON_READ_OK);
    assert_int_equal(reader.member_count, 1);
    assert_member("c", JSON_STRING, "3");
    assert_null(json_member_find(&reader, "a"));
    assert_int_equal(read_text("{\"a\":true}"), JSON_READ_OK);
    assert_true(reader.members[0].flag);
    assert_int_equal(read_text("{\"a\":false}"), JSON_READ_OK);
    assert_false(reader.members[0].flag);
}

static void only_size_bytes_are_read(void **state)
{
    (void)state;
    assert_int_equal(json_read(&reader, "{}}", 2), JSON_READ_OK);
    assert_int_equal(json_read(&reader, "{\"a\":123}", 8), JSON_READ_BAD);
    assert_int_equal(reader.bad_at, 8);
    assert_int_equal(json_read(&reader, NULL, 0), JSON_READ_BAD);
    assert_int_equal(json_read(&reader, "{}\0", 3), JSON_READ_BAD);
    assert_int_equal(reader.bad_at, 2);
}

static void a_key_that_stood_before_is_found(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"a\":1,\"b\":2,\"\\u0061\":3,\"b\":4}"), JSON_READ_OK);
    assert_ptr_equal(json_member_repeated(&reader), &reader.members[2]);
    assert_ptr_equal(json_member_find(&reader, "a"), &reader.members[0]);
    assert_int_equal(read_text("{\"a\":{\"b\":1},\"b\":[{\"a\":1}]}"), JSON_READ_OK);
    assert_null(json_member_repeated(&reader)); /* those of others are others */
}

static void json_that_is_no_object_is_told_apart(void **state)
{
    (void)state;
    static const char *const others[] = {"1", "-0.5e3", " [] ", "[{}]", "\"{}\"", "true", "null"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_int_equal(read_text(others[i]), JSON_READ_NOT_OBJECT);
        assert_int_equal(reader.member_count, 0);
    }
}

/* ---- what is not JSON ---- */

static void what_is_not_json_is_bad_where_it_is_not(void **state)
{
    (void)state;
    assert_bad("", 0, "a value");
    assert_bad("  ", 2, "a value");
    assert_bad("x", 0, "a value");
    assert_bad("{", 1, "a member's name");
    assert_bad("}", 0, "a value");
    assert_bad("{]", 1, "a member's name");
    assert_bad("{,}", 1, "a member's name");
    assert_bad("{a:1}", 1, "a member's name");
    assert_bad("{'a':1}", 1, "a member's name");
    assert_bad("{1:1}", 1, "a member's name");
    assert_bad("{{}:1}", 1, "a member's name");
    assert_bad("{\"a\"}", 4, "a colon");
    assert_bad("{\"a\",1}", 4, "a colon");
    assert_bad("{\"a\":}", 5, "a value");
    assert_bad("{\"a\"::1}", 5, "a value");
    assert_bad("{\"a\":1", 6, "a comma or the end of the object");
    assert_bad("{\"a\":1]", 6, "a comma or the end of the object");
    assert_bad("{\"a\":1 2}", 7, "a comma or the end of the object");
    assert_bad("{\"a\":1;\"b\":2}", 6, "a comma or the end of the object");
    assert_bad("{\"a\":1 \"b\":2}", 7, "a comma or the end of the object");
    assert_bad("{\"a\":\"b\":1}", 8, "a comma or the end of the object");
    assert_bad("{\"a\":1,}", 7, "a member's name");
    assert_bad("{\"a\":1,,\"b\":2}", 7, "a member's name");
    assert_bad("{} {}", 3, "nothing behind");
    assert_bad("{}}", 2, "nothing behind");
    assert_bad("{},", 2, "nothing behind");
    assert_bad("{}//", 2, "nothing behind");
    assert_bad("/**/{}", 0, "a value");
    assert_bad("\xef\xbb\xbf{}", 0, "a value"); /* a byte order mark */
    assert_bad("\f{}", 0, "a value");           /* space, but not JSON's */
    assert_bad("{\xc2\xa0}", 1, "a member's name");
}

static void arrays_have_commas_between_and_nowhere_else(void **state)
{
    (void)state;
    assert_bad_value("[", 1, "a value"); /* the bracket of the object comes next */
    assert_bad_value("[1", 2, "a comma or the end of the array");
    assert_bad_value("[,]", 1, "a value");
    assert_bad_value("[1,]", 3, "a value");
    assert_bad_value("[1 2]", 3, "a comma or the end of the array");
    assert_bad_value("[1:2]", 2, "a comma or the end of the array");
    assert_bad_value("[\"a\":2]", 4, "a comma or the end of the array");
    assert_int_equal(read_value("[ ]"), JSON_READ_OK);
    assert_int_equal(read_value("[[],[[]] , {}]"), JSON_READ_OK);
}

static void words_are_three_in_small_letters(void **state)
{
    (void)state;
    static const char *const words[] = {"NaN",  "Infinity", "True", "NULL", "nul", "undefined",
                                        "fals", "t",        "nan",  "#",    "'a'", "`a`"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_bad_value(words[i], 0, "a value");
    assert_bad_value("-Infinity", 1, "a digit");
    assert_bad_value("truee", 4, "a comma or the end");
    assert_bad_value("true1", 4, "a comma or the end");
}

/* ---- numbers ---- */

static void numbers_are_handed_over_as_their_text(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "0",   "-0",   "1",     "10",       "-1.0",  "0.10",
        "1e3", "1E+3", "1e-03", "-0.0e-00", "1e999", "123456789012345678901234567890.5",
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(read_value(numbers[i]), JSON_READ_OK);
        assert_member("a", JSON_NUMBER, numbers[i]);
    }
}

static void what_is_nearly_a_number_is_bad(void **state)
{
    (void)state;
    assert_bad_value("01", 1, "leading zero");
    assert_bad_value("-01", 2, "leading zero");
    assert_bad_value("00", 1, "leading zero");
    assert_bad_value("-", 1, "a digit");
    assert_bad_value("--1", 1, "a digit");
    assert_bad_value("-.5", 1, "a digit");
    assert_bad_value("+1", 0, "a value");
    assert_bad_value(".5", 0, "a value");
    assert_bad_value("1.", 2, "a digit");
    assert_bad_value("1.e3", 2, "a digit");
    assert_bad_value("1e", 2, "a digit");
    assert_bad_value("1e+", 3, "a digit");
    assert_bad_value("1e+-1", 3, "a digit");
    assert_bad_value("1e1.5", 3, "a comma or the end");
    assert_bad_value("1.2.3", 3, "a comma or the end");
    assert_bad_value("0x10", 1, "a comma or the end");
    assert_bad_value("1_000", 1, "a comma or the end");
    assert_bad_value("- 1", 1, "a digit");
    assert_bad_value("１", 0, "a value");
}

/* ---- strings ---- */

static void escapes_become_what_they_mean(void **state)
{
    (void)state;
    assert_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    assert_string("\"\\u0041\\u00e9\\u20AC\\uFfFd\"", "A\xc3\xa9\xe2\x82\xac\xef\xbf\xbd");
    assert_string("\"\\u007f\\u0080\\u07ff\\u0800\\ud7ff\\ue000\\uffff\"",
                  "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
    assert_string("\"\\ud83d\\ude00\\uD800\\uDC00\\udbff\\udfff\"",
                  "\xf0\x9f\x98\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
    assert_string("\"[{,:}]'\x7f/\"", "[{,:}]'\x7f/");
    assert_int_equal(read_value("\"a\\u0000b\""), JSON_READ_OK);
    assert_true(text_equal(reader.members[0].value, (struct text){"a\0b", 3}));
}

static void a_key_may_have_escapes(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"pri\\u0063e\":\"1\",\"\\ud83d\\ude00\\n\":2}"), JSON_READ_OK);
    assert_member("price", JSON_STRING, "1");
    assert_member("\xf0\x9f\x98\x80\n", JSON_NUMBER, "2");
    assert_bad("{\"pri\\xce\":1}", 6, "an escape");
}

static void other_escapes_are_bad(void **state)
{
    (void)state;
    assert_bad_value("\"\\x41\"", 2, "an escape");
    assert_bad_value("\"\\a\"", 2, "an escape");
    assert_bad_value("\"\\'\"", 2, "an escape");
    assert_bad_value("\"\\U0041\"", 2, "an escape");
    assert_bad_value("\"\\u\"", 3, "four hexadecimal digits");
    assert_bad_value("\"\\u004\"", 6, "four hexadecimal digits");
    assert_bad_value("\"\\u00g0\"", 5, "four hexadecimal digits");
    assert_bad_value("\"\\u+041\"", 3, "four hexadecimal digits");
    assert_bad("\"\\", 2, "an escape");
    assert_bad("\"\\u12", 5, "four hexadecimal digits");
}

static void a_surrogate_alone_is_bad(void **state)
{
    (void)state;
    static const char pair[] = "both halves";
    assert_bad_value("\"\\ud800\"", 7, pair);
    assert_bad_value("\"\\udbff \\udc00\"", 7, pair);
    assert_bad_value("\"\\ud800\\n\"", 7, pair);
    assert_bad_value("\"\\ud800\\u0041\"", 9, pair);
    assert_bad_value("\"\\ud800\\ud800\\udc00\"", 9, pair);
    assert_bad_value("\"\\ud800\\udbff\"", 9, pair);
    assert_bad_value("\"\\ud800\\ue000\"", 9, pair);
    assert_bad_value("\"\\udc00\"", 3, pair);
    assert_bad_value("\"\\udfff\\ud800\"", 3, pair);
    assert_bad_value("\"\\ud800\\u12\"", 11, "four hexadecimal digits");
    assert_bad("\"\\ud800\\", 7, pair);
}

static void strings_end_and_have_no_control_characters(void **state)
{
    (void)state;
    assert_bad("{\"a\":\"b", 7, "the closing quote");
    assert_bad("{\"a", 3, "the closing quote");
    assert_bad_value("\"\x1f\"", 1, "no control character");
    assert_bad_value("\"a\nb\"", 2, "no control character");
    assert_bad_value("\"a\tb\"", 2, "no control character");
    assert_int_equal(json_read(&reader, "{\"\0\":1}", 7), JSON_READ_BAD);
    assert_int_equal(reader.bad_at, 2);
    assert_string("\"\x20\"", " ");
}

static void strings_are_utf_8(void **state)
{
    (void)state;
    static const char *const fine[] = {
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xec\xbf\xbf",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf3\xbf\xbf\xbf",
        "\xf4\x8f\xbf\xbf",
    };
    static const char *const wrong[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc2",
        "\xc2\x41",
        "\xc2\xc0",
        "\xe0\x9f\xbf",
        "\xe1\x80",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xef\xbf\x7f",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x90\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80",
        "\xfe",
        "\xff",
    };
    char value[16];
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", fine[i]);
        assert_string(value, fine[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(value, sizeof value, "\"%s\"", wrong[i]);
        assert_bad_value(value, 1, "UTF-8");
    }
    assert_bad("\"\xf0\x9f\x98", 1, "UTF-8"); /* cut by the end of the body */
}

/* ---- limits ---- */

static void a_body_has_at_most_so_many_members(void **state)
{
    (void)state;
    for (unsigned count = JSON_MEMBERS_MAX - 1; count <= JSON_MEMBERS_MAX + 1; count++) {
        char text[2048] = "{", key[16];
        size_t size = 1;
        for (unsigned i = 0; i < count; i++)
            size += (size_t)sprintf(text + size, "%s\"k%u\":{\"x\":%u}", i == 0 ? "" : ",", i, i);
        strcpy(text + size, "}");
        bool fits = count <= JSON_MEMBERS_MAX;
        assert_int_equal(read_text(text), fits ? JSON_READ_OK : JSON_READ_TOO_LARGE);
        assert_int_equal(reader.member_count, fits ? count : 0);
        snprintf(key, sizeof key, "k%u", count - 1);
        assert_int_equal(json_member_find(&reader, key) != NULL, fits);
    }
}

static void what_is_nested_is_not_counted_as_members(void **state)
{
    (void)state;
    char text[1024] = "{\"o\":{\"k\":0";
    size_t size = strlen(text);
    for (unsigned i = 0; i < 2 * JSON_MEMBERS_MAX; i++)
        size += (size_t)sprintf(text + size, ",\"\":%u", i % 10);
    strcpy(text + size, "},\"p\":1}");
    assert_int_equal(read_text(text), JSON_READ_OK);
    assert_int_equal(reader.member_count, 2);
    assert_member("p", JSON_NUMBER, "1");
}

static void a_body_is_at_most_so_deep(void **state)
{
    (void)state;
    for (unsigned depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        for (unsigned kind = 0; kind < 2; kind++) {
            char text[8 * JSON_DEPTH_MAX + 16] = "{\"a\":";
            for (unsigned i = 1; i < depth; i++)
                strcat(text, kind == 0 ? "[" : i + 1 < depth ? "{\"\":" : "{");
            for (unsigned i = 1; i < depth; i++)
                strcat(text, kind == 0 ? "]" : "}");
            strcat(text, "}");
            assert_int_equal(read_text(text),
                             depth <= JSON_DEPTH_MAX ? JSON_READ_OK : JSON_READ_TOO_LARGE);
        }
    }
    char flat[8 * JSON_DEPTH_MAX] = "{\"a\":[[]"; /* depth is given back */
    for (unsigned i = 0; i < 2 * JSON_DEPTH_MAX; i++)
        strcat(flat, ",[]");
    strcat(flat, "]}");
    assert_int_equal(read_text(flat), JSON_READ_OK);
}

static void a_body_has_at_most_so_many_bytes(void **state)
{
    (void)state;
    static char text[JSON_SCRATCH_SIZE + 2];
    for (size_t size = JSON_SCRATCH_SIZE - 1; size <= JSON_SCRATCH_SIZE + 1; size++) {
        memset(text, 'x', size);
        memcpy(text, "{\"a\":\"", 6);
        memcpy(text + size - 2, "\"}", 2);
        bool fits = size <= JSON_SCRATCH_SIZE;
        assert_int_equal(json_read(&reader, text, size), fits ? JSON_READ_OK : JSON_READ_TOO_LARGE);
        if (fits)
            assert_int_equal(reader.members[0].value.size, size - 8);
    }
}

/* All of a body can be strings, and they do not overwrite each other. */
static void the_strings_of_a_whole_body_are_kept(void **state)
{
    (void)state;
    static char text[JSON_SCRATCH_SIZE];
    enum { PART = 1000 };
    size_t size = 0;
    for (unsigned i = 0; i < JSON_MEMBERS_MAX; i++) {
        size += (size_t)sprintf(text + size, "%c\"%02u\":\"", i == 0 ? '{' : ',', i);
        memset(text + size, 'A' + (int)(i % 26), PART);
        size += PART;
        text[size++] = '"';
    }
    text[size++] = '}';
    assert_int_equal(json_read(&reader, text, size), JSON_READ_OK);
    for (unsigned i = 0; i < JSON_MEMBERS_MAX; i++) {
        char key[] = {(char)('0' + i / 10), (char)('0' + i % 10), '\0'};
        const struct json_member *m = json_member_find(&reader, key);
        assert_ptr_equal(m, &reader.members[i]);
        assert_int_equal(m->value.size, PART);
        for (unsigned k = 0; k < PART; k++)
            assert_int_equal(m->value.data[k], 'A' + i % 26);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_order_as_they_stand),
        cmocka_unit_test(an_object_may_be_empty),
        cmocka_unit_test(a_reader_may_read_again),
        cmocka_unit_test(only_size_bytes_are_read),
        cmocka_unit_test(a_key_that_stood_before_is_found),
        cmocka_unit_test(json_that_is_no_object_is_told_apart),
        cmocka_unit_test(what_is_not_json_is_bad_where_it_is_not),
        cmocka_unit_test(arrays_have_commas_between_and_nowhere_else),
        cmocka_unit_test(words_are_three_in_small_letters),
        cmocka_unit_test(numbers_are_handed_over_as_their_text),
        cmocka_unit_test(what_is_nearly_a_number_is_bad),
        cmocka_unit_test(escapes_become_what_they_mean),
        cmocka_unit_test(a_key_may_have_escapes),
        cmocka_unit_test(other_escapes_are_bad),
        cmocka_unit_test(a_surrogate_alone_is_bad),
        cmocka_unit_test(strings_end_and_have_no_control_characters),
        cmocka_unit_test(strings_are_utf_8),
        cmocka_unit_test(a_body_has_at_most_so_many_members),
        cmocka_unit_test(what_is_nested_is_not_counted_as_members),
        cmocka_unit_test(a_body_is_at_most_so_deep),
        cmocka_unit_test(a_body_has_at_most_so_many_bytes),
        cmocka_unit_test(the_strings_of_a_whole_body_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
