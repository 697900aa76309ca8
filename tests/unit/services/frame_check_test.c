/* frame_check and frame_file: what was recorded is read as it was written, up to where it was cut;
 * and every recorded frame is equal, another, not made, or not comparable. */
#include "cli/frame_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/frame.h"
#include "tests/unit/base/scratch.h"

enum { EPOCH = 50 };

static const char *const file = "frames";

struct message {
    uint8_t bytes[512];
    size_t size;
};

static struct message frame(const char *topic, uint64_t epoch, uint64_t seq, int64_t qty)
{
    struct message m;
    struct wire_writer w = {m.bytes};
    frame_head_put(&w, &(struct frame_head){.topic = text_of(topic),
                                            .type = FRAME_EVENTS,
                                            .epoch = epoch,
                                            .prev_seq = seq - 1,
                                            .seq = seq,
                                            .time_ns = 1000 + seq,
                                            .group_count = 1});
    wire_put_array(&w, 2);
    wire_put_u64(&w, seq);
    wire_put_array(&w, 1);
    level_put(&w, &(struct level){SIDE_BUY, 100, qty});
    m.size = (size_t)(w.at - m.bytes);
    struct frame_reader f;
    assert_int_equal(frame_read(&f, m.bytes, m.size), FRAME_READ_OK);
    return m;
}

static void record(const struct message *messages, unsigned count)
{
    struct frame_recorder r;
    assert_int_equal(frame_recorder_open(&r, file), STATUS_OK);
    for (unsigned i = 0; i < count; i++)
        frame_recorder_put(&r, messages[i].bytes, messages[i].size);
    assert_int_equal(r.count, count);
    assert_int_equal(frame_recorder_close(&r), STATUS_OK);
}

/* ---- files ---- */

static unsigned count_messages(bool *cut_short)
{
    struct frame_recording r;
    char error[FRAME_FILE_ERROR_SIZE];
    const uint8_t *message;
    size_t size;
    unsigned count = 0;
    assert_int_equal(frame_recording_open(&r, file, error), STATUS_OK);
    while (frame_recording_next(&r, &message, &size))
        count++;
    *cut_short = r.cut_short;
    frame_recording_close(&r);
    return count;
}

static void a_recording_is_read_up_to_any_cut(void **state)
{
    (void)state;
    enum { HEAD = 8 };
    struct message messages[] = {frame("l2.A", 1, 1, 5), {.size = 0}, frame("hb", 1, 300, 7)};
    size_t ends[4] = {HEAD};
    for (unsigned i = 0; i < 3; i++)
        ends[i + 1] = ends[i] + 4 + messages[i].size;
    for (size_t size = ends[3]; size >= HEAD; size--) {
        bool cut_short;
        unsigned whole = 0;
        record(messages, 3);
        assert_int_equal(truncate(file, (off_t)size), 0);
        while (whole < 3 && ends[whole + 1] <= size)
            whole++;
        assert_int_equal(count_messages(&cut_short), whole);
        assert_int_equal(cut_short, size != ends[whole]);
    }
}

static void a_size_beyond_the_end_is_a_cut(void **state)
{
    (void)state;
    const uint32_t sizes[] = {UINT32_MAX, INT32_MAX, 1};
    for (unsigned i = 0; i < 3; i++) {
        bool cut_short;
        record(NULL, 0);
        FILE *f = fopen(file, "ab");
        assert_int_equal(fwrite(&sizes[i], 4, 1, f), 1);
        fclose(f);
        assert_int_equal(count_messages(&cut_short), 0);
        assert_true(cut_short);
    }
}

static void what_is_no_recording_is_refused_in_words(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        {"", 0, "found 0 bytes"},
        {"OCFR\1\0\0", 7, "found 7 bytes"},
        {"OCFS\1\0\0\0", 8, "magic number 5346434f"},
        {"OCFR\2\0\0\0", 8, "version 2"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct frame_recording r;
        char error[FRAME_FILE_ERROR_SIZE];
        FILE *f = fopen(file, "wb");
        fwrite(cases[i].bytes, 1, cases[i].size, f);
        fclose(f);
        assert_int_equal(frame_recording_open(&r, file, error), STATUS_INVALID);
        assert_non_null(strstr(error, cases[i].words));
    }
    struct frame_recording r;
    char error[FRAME_FILE_ERROR_SIZE];
    assert_int_equal(frame_recording_open(&r, "missing", error), STATUS_IO);
    assert_non_null(strstr(error, "No such file"));
}

/* ---- the check ---- */

/* Symbols A and B. */
static engine_t *new_engine(void)
{
    struct command c = {.type = MESSAGE_CONFIGURE,
                        .configure = {.open_orders_max = 1,
                                      .accounts_max = 1,
                                      .symbols_max = 2,
                                      .origins_max = 1,
                                      .origin_window = 1,
                                      .events_max = 1}};
    engine_t *e = engine_new(&c.configure, 0);
    engine_apply(e, 1, 1, &c);
    const char *const names[] = {"A", "B"};
    for (unsigned i = 0; i < 2; i++) {
        c = (struct command){.type = MESSAGE_ADD_SYMBOL,
                             .add_symbol = {text_of(names[i]), text_of("1"), text_of("1"), false}};
        engine_apply(e, 2 + i, 1, &c);
    }
    return e;
}

/* History is epoch EPOCH in (10, 20] and EPOCH + 2 in (20, 30], and makes these. */
static struct frame_check_report check(const struct message *remade, unsigned count)
{
    char error[FRAME_FILE_ERROR_SIZE];
    engine_t *e = new_engine();
    frame_check_t *c = frame_check_open(&file, 1, error);
    assert_non_null(c);
    frame_check_epoch(c, EPOCH, 10);
    for (unsigned i = 0; i < count; i++)
        frame_check_remade(c, remade[i].bytes, remade[i].size);
    frame_check_epoch(c, EPOCH, 15);
    frame_check_epoch(c, EPOCH + 2, 20);
    struct frame_check_report r = frame_check_end(c, e, 30);
    frame_check_close(&c);
    engine_destroy(&e);
    return r;
}

static struct frame_check_report check_one(const char *topic, uint64_t epoch, uint64_t seq)
{
    const struct message m = frame(topic, epoch, seq, 1);
    record(&m, 1);
    return check(NULL, 0);
}

static void frames_are_equal_or_differ(void **state)
{
    (void)state;
    const struct message recorded[] = {frame("l2.A", EPOCH, 12, 1), frame("l2.A", EPOCH, 12, 1),
                                       frame("l2.A", EPOCH, 12, 2), frame("l3.B", EPOCH, 12, 1),
                                       frame("trade.A", EPOCH + 2, 25, 3)};
    const struct message remade[] = {frame("trade.A", EPOCH + 2, 25, 3),
                                     frame("l2.A", EPOCH, 12, 1), frame("l2.A", EPOCH, 13, 1),
                                     frame("l3.B", EPOCH, 12, 1), frame("l3.B", EPOCH, 12, 1)};
    record(recorded, 5);
    struct frame_check_report r = check(remade, 5);
    assert_int_equal(r.recorded, 5);
    assert_int_equal(r.compared, 4);
    assert_int_equal(r.differ, 1);
    assert_int_equal(r.not_remade, 0);
}

static void a_frame_made_again_twice_must_be_equal_both_times(void **state)
{
    (void)state;
    const struct message recorded = frame("bbo.A", EPOCH, 12, 1);
    const struct message good_last[] = {frame("bbo.A", EPOCH, 12, 2), recorded};
    const struct message bad_last[] = {recorded, frame("bbo.A", EPOCH, 12, 2)};
    record(&recorded, 1);
    assert_int_equal(check(good_last, 2).differ, 1);
    assert_int_equal(check(bad_last, 2).differ, 1);
    assert_int_equal(check(bad_last, 1).compared, 1);
}

static void what_history_has_it_must_make(void **state)
{
    (void)state;
    const uint64_t first[] = {11, 20}, second[] = {21, 30};
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(check_one("l2.A", EPOCH, first[i]).not_remade, 1);
        assert_int_equal(check_one("l2.B", EPOCH + 2, second[i]).not_remade, 1);
    }
}

static void what_history_has_not_is_not_compared(void **state)
{
    (void)state;
    assert_int_equal(check_one("l2.A", EPOCH, 10).before, 1);
    assert_int_equal(check_one("l2.A", EPOCH - 1, 15).before, 1);
    assert_int_equal(check_one("l2.A", EPOCH, 21).after, 1);
    assert_int_equal(check_one("l2.A", EPOCH + 1, 20).after, 1); /* an epoch that was cut off */
    assert_int_equal(check_one("l2.A", EPOCH + 2, 20).before, 1);
    assert_int_equal(check_one("l2.A", EPOCH + 2, 31).after, 1);
    assert_int_equal(check_one("l2.A", EPOCH + 3, 1).after, 1);
    assert_int_equal(check_one("l2.C", EPOCH, 15).elsewhere, 1);
    assert_int_equal(check_one("l2.AA", EPOCH, 15).elsewhere, 1);
    assert_int_equal(check_one("acct.A", EPOCH, 15).passed_over, 1);
    assert_int_equal(check_one("l2.", EPOCH, 15).passed_over, 1);
}

static void what_nobody_can_read_is_counted(void **state)
{
    (void)state;
    struct message m = frame("l2.A", EPOCH, 12, 1);
    m.size--;
    record(&m, 1);
    assert_int_equal(check(NULL, 0).unreadable, 1);
    record(NULL, 0);
    assert_int_equal(check(&m, 1).recorded, 0);
}

#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(a_recording_is_read_up_to_any_cut),
        SCRATCH_TEST(a_size_beyond_the_end_is_a_cut),
        SCRATCH_TEST(what_is_no_recording_is_refused_in_words),
        SCRATCH_TEST(frames_are_equal_or_differ),
        SCRATCH_TEST(a_frame_made_again_twice_must_be_equal_both_times),
        SCRATCH_TEST(what_history_has_it_must_make),
        SCRATCH_TEST(what_history_has_not_is_not_compared),
        SCRATCH_TEST(what_nobody_can_read_is_counted),
    };
    return cmocka_run_group_tests_name("frame_check", tests, NULL, NULL);
}
