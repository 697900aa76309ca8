/* journal_json: each line is what the command was, whatever a client put into it. */
#include "cli/journal_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/scratch.h"

static const char *const file = "lines";

static const struct journal_record batch = {
    .kind = RECORD_BATCH, .number = 7, .epoch = 50, .time_ns = UINT64_MAX};

static void assert_file(const char *expected)
{
    char text[4096];
    FILE *f = fopen(file, "rb");
    size_t size = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

static void assert_command(const struct command *c, const struct result *result,
                           const char *expected)
{
    struct csv_writer w;
    assert_int_equal(csv_writer_open(&w, file), STATUS_OK);
    journal_json_command(&w, &batch, 9, c, result);
    assert_int_equal(csv_writer_close(&w), STATUS_OK);
    assert_file(expected);
}

#define PLACE "{\"seq\":9,\"time_ns\":\"18446744073709551615\",\"epoch\":50,\"record\":7,"
#define SENDER                                                                                     \
    "\"origin\":\"me\",\"origin_epoch\":\"8\",\"origin_seq\":3,\"acked_through\":2,"               \
    "\"deadline_ns\":\"4\""

static const struct envelope sender = {{"me", 2}, 8, 3, 2, 4};

static void a_command_is_told_with_all_its_fields_and_its_result(void **state)
{
    (void)state;
    const struct command c = {
        .type = MESSAGE_NEW_ORDER,
        .envelope = sender,
        .new_order = {{"A", 1},
                      {"x", 1},
                      {"", 0},
                      SIDE_SELL,
                      ORDER_TYPE_MARKET,
                      TIME_IN_FORCE_IOC,
                      true,
                      STP_REJECT,
                      {0, false},
                      INT64_MIN},
    };
    const struct result result = {8, 3, 9, REJECT_POST_ONLY, UINT64_MAX, true, 0};
    assert_command(&c, &result,
                   PLACE "\"type\":\"new_order\"," SENDER
                         ",\"symbol\":\"A\",\"account\":\"x\",\"client_order_id\":\"\","
                         "\"side\":\"sell\",\"order_type\":\"market\",\"time_in_force\":\"IOC\","
                         "\"post_only\":true,\"stp\":\"reject\",\"price\":null,"
                         "\"qty\":-9223372036854775808,\"result\":{\"seq\":9,"
                         "\"code\":\"POST_ONLY\",\"order_id\":\"18446744073709551615\","
                         "\"duplicate\":true,\"count\":0}}\n");
}

static void what_is_not_plain_is_escaped(void **state)
{
    (void)state;
    const struct command c = {
        .type = MESSAGE_CANCEL_ORDER,
        .envelope = sender,
        .cancel_order = {{"a\"b\\", 4}, {"\n\x7f\xff", 3}, 6, {"", 0}},
    };
    assert_command(&c, NULL,
                   PLACE "\"type\":\"cancel_order\"," SENDER
                         ",\"symbol\":\"a\\u0022b\\u005c\",\"account\":\"\\u000a\\u007f\\u00ff\","
                         "\"order_id\":\"6\",\"client_order_id\":\"\",\"result\":null}\n");
}

static void values_outside_their_sets_and_unknown_types_are_numbers(void **state)
{
    (void)state;
    struct command c = {
        .type = MESSAGE_MASS_CANCEL, .envelope = sender, .mass_cancel = {{"", 0}, {"x", 1}, 77}};
    const struct result result = {8, 3, 9, 0, 0, false, 5};
    assert_command(&c, &result,
                   PLACE "\"type\":\"mass_cancel\"," SENDER
                         ",\"symbol\":\"\",\"account\":\"x\",\"side\":77,\"result\":{\"seq\":9,"
                         "\"code\":\"OK\",\"order_id\":\"0\",\"duplicate\":false,\"count\":5}}\n");
    c = (struct command){.type = 999, .envelope = sender};
    assert_command(&c, NULL, PLACE "\"type\":999," SENDER ",\"result\":null}\n");
    c.type = COMMAND_MALFORMED;
    assert_command(&c, NULL, PLACE "\"type\":\"malformed\"," SENDER ",\"result\":null}\n");
}

static void the_matchers_own_commands_have_no_sender(void **state)
{
    (void)state;
    const struct command c = {.type = MESSAGE_CONTINUE_WORK, .continue_work = {2}};
    assert_command(&c, NULL, PLACE "\"type\":\"continue_work\",\"waiting\":2,\"result\":null}\n");
}

static void notes_are_lines(void **state)
{
    (void)state;
    const struct {
        enum record_kind kind;
        const char *words;
    } cases[] = {
        {RECORD_CHECKPOINT, "\"type\":\"checkpoint\",\"state_hash\":\"00000000000000ab\"}\n"},
        {RECORD_EPOCH, "\"type\":\"epoch\"}\n"},
        {RECORD_CLOSE, "\"type\":\"close\"}\n"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct csv_writer w;
        char expected[256];
        struct journal_record note = batch;
        note.kind = cases[i].kind;
        note.first_seq = 9;
        note.check = 0xab;
        assert_int_equal(csv_writer_open(&w, file), STATUS_OK);
        journal_json_note(&w, &note);
        assert_int_equal(csv_writer_close(&w), STATUS_OK);
        snprintf(expected, sizeof expected, PLACE "%s", cases[i].words);
        assert_file(expected);
    }
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_command_is_told_with_all_its_fields_and_its_result),
        SCRATCH_TEST(what_is_not_plain_is_escaped),
        SCRATCH_TEST(values_outside_their_sets_and_unknown_types_are_numbers),
        SCRATCH_TEST(the_matchers_own_commands_have_no_sender),
        SCRATCH_TEST(notes_are_lines),
    };
    return cmocka_run_group_tests_name("journal_json", tests, NULL, NULL);
}
