/* journal_recovery, of a damaged journal: what is found behind the last good record is refused, cut
 * off or of no effect, and a crash anywhere on the way changes nothing about that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "journal/record_format.h"
#include "tests/unit/journal/journal_kit.h"

enum { BATCHES = 3, RECORDS_MAX = 32, SEGMENTS = 2 };

/* A small journal as it was written, and what its every byte is. */
struct intact {
    struct memory_disk disk;
    struct kit kit;
    struct taken records;
    struct kit_place ends[SEGMENTS];
    struct {
        char file[DISK_NAME_SIZE];
        uint64_t first_number, next_seq, end, size;
    } segments[SEGMENTS];
    struct memory_disk changed, before;
};

static void intact_open(struct intact *f, bool synced)
{
    memory_disk_open(&f->disk);
    memory_disk_open(&f->changed);
    memory_disk_open(&f->before);
    f->kit = (struct kit){.disk = &f->disk.ops};
    kit_small(&f->disk, &f->kit, BATCHES, synced);
    kit_start(&f->kit);
    kit_end(&f->kit);
    assert_false(f->kit.found.new_epoch);
    f->records = f->kit.taken;
    assert_int_equal(f->records.count, 1 + SEGMENTS * BATCHES);
    uint64_t numbers[SEGMENTS] = {1, 2 + BATCHES};
    for (unsigned i = 0; i < SEGMENTS; i++) {
        struct segment_header h;
        struct record_fault fault;
        segment_name(numbers[i], f->segments[i].file);
        const struct memory_file *file = memory_disk_file(&f->disk, f->segments[i].file);
        assert_non_null(file);
        assert_true(segment_header_read(file->bytes, &h, &fault));
        f->segments[i].first_number = numbers[i];
        f->segments[i].next_seq = h.next_seq;
        f->segments[i].size = file->size;
        unsigned last = i == 0 ? BATCHES : f->records.count - 1;
        f->segments[i].end =
            f->records.records[last].offset + record_extent(f->records.records[last].size);
    }
}

static void intact_close(struct intact *f)
{
    memory_disk_close(&f->disk);
    memory_disk_close(&f->changed);
    memory_disk_close(&f->before);
}

/* What must come of a damage: told by the format and the rule, not by the code under test. */
struct expected {
    enum { NO_EFFECT, CUT, REFUSED } what;
    unsigned kept; /* records */
    const char *file;
    uint64_t offset;
};

static uint64_t first_command(const struct intact *f, unsigned r)
{
    return f->records.records[r].first_seq + (f->records.records[r].kind != RECORD_BATCH);
}

/* Record r and all behind it are lost or doubtful; headers from `valid` on are whole, but for
 * r's if not `own`. segment: whose header is whole. */
static struct expected judge(const struct intact *f, unsigned r, bool own, unsigned headers,
                             bool second_whole, const char *file, uint64_t offset)
{
    uint64_t durable = 0;
    for (unsigned i = 0; i < headers && i < f->records.count; i++) {
        if ((i != r || own) && f->records.records[i].durable_seq > durable)
            durable = f->records.records[i].durable_seq;
    }
    if (second_whole && f->segments[1].next_seq - 1 > durable)
        durable = f->segments[1].next_seq - 1;
    uint64_t command = r < f->records.count ? first_command(f, r) : f->kit.seq + 1;
    return (struct expected){durable >= command ? REFUSED : CUT, r, file, offset};
}

/* The record a byte of a file is in; the count of records: behind the last of this segment. */
static unsigned record_at(const struct intact *f, unsigned segment, uint64_t at)
{
    for (unsigned r = 0; r < f->records.count; r++) {
        uint64_t from = f->records.records[r].offset;
        if (strcmp(f->records.records[r].file, f->segments[segment].file) == 0 && at >= from &&
            at < from + record_extent(f->records.records[r].size))
            return r;
    }
    return f->records.count;
}

static struct expected expect_flip(const struct intact *f, unsigned segment, uint64_t at)
{
    const char *file = f->segments[segment].file;
    unsigned all = f->records.count, r = record_at(f, segment, at);
    if (at < SEGMENT_HEADER_SIZE && segment == 0)
        return (struct expected){REFUSED, 0, file, 0};
    if (at < SEGMENT_HEADER_SIZE)
        return judge(f, 1 + BATCHES, true, all, false, file, 0);
    if (r == all && segment == 0) /* behind the last record of a segment that has a next one */
        return (struct expected){NO_EFFECT, all, NULL, 0};
    if (r == all)
        return judge(f, all, true, all, true, file, f->segments[segment].end);
    uint64_t in = at - f->records.records[r].offset;
    if (in >= RECORD_HEADER_SIZE + f->records.records[r].size)
        return (struct expected){NO_EFFECT, all, NULL, 0}; /* padding */
    return judge(f, r, in >= RECORD_HEADER_SIZE, all, true, file, f->records.records[r].offset);
}

static struct expected expect_truncation(const struct intact *f, unsigned segment, uint64_t size)
{
    const char *file = f->segments[segment].file;
    unsigned all = f->records.count, r = record_at(f, segment, size);
    if (size < SEGMENT_HEADER_SIZE && segment == 0)
        return (struct expected){REFUSED, 0, file, 0};
    if (size < SEGMENT_HEADER_SIZE)
        return judge(f, 1 + BATCHES, false, 1 + BATCHES, false, file, 0);
    if (r == all && segment == 0)
        return (struct expected){NO_EFFECT, all, NULL, 0};
    if (r == all)
        return judge(f, all, true, all, true, file, f->segments[segment].end);
    bool own = size - f->records.records[r].offset >= RECORD_HEADER_SIZE;
    return judge(f, r, own, segment == 0 ? all : r + 1, true, file, f->records.records[r].offset);
}

static void check_refused(struct intact *f, const struct kit *k, const struct expected *e)
{
    char place[DISK_NAME_SIZE + 40];
    snprintf(place, sizeof place, "%s, offset %llu:", e->file, (unsigned long long)e->offset);
    if (strstr(k->error, place) == NULL || strstr(k->error, "found") == NULL ||
        strstr(k->error, "expected") == NULL || strstr(k->error, "nothing was changed") == NULL)
        fail_msg("\"%s\" does not name \"%s\", what was found and expected", k->error, place);
    assert_true(memory_disk_same(&f->changed, &f->before));
}

static void check_taken(const struct intact *f, const struct kit *k, unsigned kept)
{
    assert_int_equal(k->taken.count, kept);
    for (unsigned i = 0; i < kept; i++)
        assert_memory_equal(&k->taken.records[i], &f->records.records[i],
                            sizeof k->taken.records[i]);
}

/* A journal that was cut can go on, and is a whole one then. */
static void check_goes_on(struct kit *k, unsigned kept)
{
    uint64_t epoch = k->found.epoch + 1;
    assert_int_equal(kit_recover(k, 0, 0), STATUS_OK); /* a crash before the epoch has begun */
    assert_true(k->found.new_epoch);
    assert_int_equal(k->found.cut_size, 0);
    assert_int_equal(journal_begin_epoch(k->journal, epoch, 1), STATUS_OK);
    assert_int_equal(kit_append(k, 2, 50), STATUS_OK);
    assert_int_equal(journal_sync(k->journal), STATUS_OK);
    kit_end(k);
    assert_int_equal(kit_recover(k, 0, 0), STATUS_OK);
    assert_false(k->found.new_epoch);
    assert_int_equal(k->taken.count, kept + 2);
    assert_int_equal(k->found.epoch, epoch);
    kit_end(k);
}

static void check(struct intact *f, const struct expected *e)
{
    struct kit k = {.disk = &f->changed.ops};
    memory_disk_copy(&f->before, &f->changed);
    enum status status = kit_recover(&k, 0, 0);
    if (status != (e->what == REFUSED ? STATUS_INVALID : STATUS_OK))
        fail_msg("status %d, %s", status, k.error);
    if (e->what == REFUSED) {
        check_refused(f, &k, e);
        return;
    }
    check_taken(f, &k, e->kept);
    kit_end(&k);
    assert_int_equal(k.found.new_epoch, e->what == CUT);
    assert_int_equal(k.found.cut_size > 0, e->what == CUT);
    if (e->what == NO_EFFECT) {
        assert_string_equal(k.found.words, "");
        return;
    }
    assert_string_equal(k.found.cut_file, e->file);
    assert_int_equal(k.found.cut_offset, e->offset);
    assert_true(k.found.epoch > KIT_EPOCH);
    assert_non_null(strstr(k.found.words, e->file));
    check_goes_on(&k, e->kept);
}

static void flip_all(bool synced, unsigned counts[3])
{
    struct intact *f = calloc(1, sizeof *f);
    intact_open(f, synced);
    for (unsigned segment = 0; segment < SEGMENTS; segment++) {
        for (uint64_t at = 0; at < f->segments[segment].size; at++) {
            struct expected e = expect_flip(f, segment, at);
            for (unsigned mask = 0; mask < 2; mask++) {
                memory_disk_copy(&f->changed, &f->disk);
                memory_disk_file(&f->changed, f->segments[segment].file)->bytes[at] ^=
                    (uint8_t)(mask == 0 ? 0xFF : 1 << at % 8);
                check(f, &e);
            }
            counts[e.what]++;
        }
    }
    intact_close(f);
    free(f);
}

static void every_flipped_byte_is_refused_or_cut_or_without_effect(void **state)
{
    (void)state;
    unsigned counts[3] = {0};
    flip_all(true, counts);
    print_message("synced: %u without effect, %u cut, %u refused\n", counts[0], counts[1],
                  counts[2]);
    assert_true(counts[NO_EFFECT] > 0 && counts[CUT] > 0 && counts[REFUSED] > 0);
}

static void every_flipped_byte_of_what_was_not_synced_is_cut(void **state)
{
    (void)state;
    unsigned counts[3] = {0};
    flip_all(false, counts);
    print_message("not synced: %u without effect, %u cut, %u refused\n", counts[0], counts[1],
                  counts[2]);
    assert_true(counts[CUT] > SEGMENT_HEADER_SIZE + BATCHES * RECORD_HEADER_SIZE);
}

static void every_truncation_is_refused_or_cut_or_without_effect(void **state)
{
    (void)state;
    unsigned counts[3] = {0};
    for (unsigned synced = 0; synced < 2; synced++) {
        struct intact *f = calloc(1, sizeof *f);
        intact_open(f, synced == 1);
        for (unsigned segment = 0; segment < SEGMENTS; segment++) {
            for (uint64_t size = 0; size < f->segments[segment].size; size++) {
                struct expected e = expect_truncation(f, segment, size);
                memory_disk_copy(&f->changed, &f->disk);
                memory_file_resize(memory_disk_file(&f->changed, f->segments[segment].file),
                                   (size_t)size);
                check(f, &e);
                counts[e.what]++;
            }
        }
        intact_close(f);
        free(f);
    }
    assert_true(counts[NO_EFFECT] > 0 && counts[CUT] > 0 && counts[REFUSED] > 0);
}

static void a_crash_anywhere_while_cutting_still_begins_an_epoch(void **state)
{
    (void)state;
    struct intact *f = calloc(1, sizeof *f);
    bool died = true;
    unsigned dies = 0;
    intact_open(f, false);
    /* the segment header of the second: that segment goes, and the first is zeroed behind it */
    struct memory_disk *damaged = malloc(sizeof *damaged);
    memory_disk_open(damaged);
    memory_disk_copy(damaged, &f->disk);
    memory_disk_file(damaged, f->segments[1].file)->bytes[20] ^= 1;
    memory_disk_file(damaged, f->segments[0].file)->bytes[f->segments[0].end + 3] ^= 1;
    for (; died; dies++) {
        struct kit k = {.disk = &f->changed.ops};
        memory_disk_copy(&f->changed, damaged);
        f->changed.dies = dies + 1;
        if (kit_recover(&k, 0, 0) == STATUS_OK) {
            assert_true(k.found.new_epoch);
            (void)journal_begin_epoch(k.journal, k.found.epoch + 1, 1);
            kit_end(&k);
        }
        died = f->changed.dead;
        f->changed.dead = false;
        f->changed.dies = 0;
        assert_int_equal(kit_recover(&k, 0, 0), STATUS_OK);
        assert_int_equal(k.taken.records[0].number, 1);
        assert_true(k.taken.count >= 1 + BATCHES);
        if (!k.found.new_epoch) /* then it has begun */
            assert_true(k.found.epoch > KIT_EPOCH);
        kit_end(&k);
    }
    assert_true(dies > 6);
    memory_disk_close(damaged);
    free(damaged);
    intact_close(f);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_is_refused_or_cut_or_without_effect),
        cmocka_unit_test(every_flipped_byte_of_what_was_not_synced_is_cut),
        cmocka_unit_test(every_truncation_is_refused_or_cut_or_without_effect),
        cmocka_unit_test(a_crash_anywhere_while_cutting_still_begins_an_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
