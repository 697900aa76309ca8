/* journal_recovery: what is found behind the last good record is refused, cut off or of no effect,
 * and a crash anywhere on the way changes nothing about that. */
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

/* ---- crashes ---- */

/* A whole life with two segments: what was committed when the machine died. */
static uint64_t live(struct kit *k)
{
    uint64_t committed = 0;
    if (kit_recover(k, 0, 0) != STATUS_OK)
        return 0;
    enum status status =
        k->found.new_epoch ? journal_begin_epoch(k->journal, k->found.epoch + 1, 1) : STATUS_OK;
    for (unsigned i = 0; i < 24 && status == STATUS_OK; i++) {
        status = kit_append(k, 1 + i % 2, 100000);
        if (status == STATUS_OK)
            status = i % 3 == 0 ? journal_sync(k->journal) : journal_tend(k->journal, i);
        committed = journal_committed_seq(k->journal);
    }
    if (status == STATUS_OK && journal_close(k->journal, 2) == STATUS_OK)
        committed = k->seq;
    kit_end(k);
    return committed;
}

static void a_crash_anywhere_keeps_what_was_committed(void **state)
{
    (void)state;
    unsigned dies = 0;
    bool died = true;
    struct memory_disk *d = malloc(sizeof *d), *after = malloc(sizeof *after);
    for (; died; dies++) {
        struct kit *k = calloc(1, sizeof *k);
        memory_disk_open(d);
        memory_disk_open(after);
        k->disk = &d->ops;
        d->dies = dies + 1;
        uint64_t committed = live(k);
        died = d->dead;
        memory_disk_copy(after, d);
        k->disk = &after->ops;
        if (kit_recover(k, 0, committed) != STATUS_OK)
            fail_msg("died at %u: %s", dies + 1, k->error);
        assert_true(k->found.seq >= committed);
        assert_true(died || k->found.clean);
        kit_end(k);
        memory_disk_close(d);
        memory_disk_close(after);
        free(k);
    }
    assert_true(dies > 60);
    free(d);
    free(after);
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

/* ---- cases ---- */

struct fixture {
    struct memory_disk disk;
    struct kit kit;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    memory_disk_open(&f->disk);
    f->kit.disk = &f->disk.ops;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    kit_end(&f->kit);
    memory_disk_close(&f->disk);
    free(f);
    return 0;
}

static void an_empty_directory_becomes_a_journal(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_true(f->kit.found.new_epoch);
    assert_int_equal(f->kit.found.records, 0);
    assert_int_equal(f->kit.found.epoch, 0);
    assert_int_equal(journal_next(f->kit.journal), 1);
    const struct memory_file *s = memory_disk_file(&f->disk, "00000000000000000001.segment");
    assert_non_null(s);
    assert_int_equal(s->size, KIT_SIZE);
    kit_end(&f->kit);
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK); /* and its epoch is still to begin */
    assert_true(f->kit.found.new_epoch);
}

static void an_empty_directory_is_no_end_of_a_history(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(kit_recover(&f->kit, 5, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "found no segment"));
    assert_int_equal(kit_recover(&f->kit, 0, 5), STATUS_INVALID);
    assert_null(memory_disk_file(&f->disk, "00000000000000000001.segment"));
}

static void recovery_begins_behind_the_snapshot(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 4, true);
    uint64_t last = f->kit.seq;
    for (uint64_t after = 0; after <= last; after++) {
        assert_int_equal(kit_recover(&f->kit, after, after), STATUS_OK);
        kit_end(&f->kit);
        assert_int_equal(f->kit.found.seq, last);
        assert_false(f->kit.found.new_epoch);
        uint64_t next = after + 1;
        for (unsigned i = 0; i < f->kit.taken.count; i++) {
            if (f->kit.taken.records[i].kind != RECORD_BATCH)
                continue;
            assert_true(f->kit.taken.records[i].first_seq <= next);
            next = f->kit.taken.records[i].first_seq + f->kit.taken.records[i].count;
            assert_true(next > after + 1);
        }
        assert_int_equal(next, last + 1);
    }
}

static void a_journal_that_ends_before_the_snapshot_is_refused(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 3, true);
    uint64_t last = f->kit.seq;
    assert_int_equal(kit_recover(&f->kit, last, last), STATUS_OK);
    kit_end(&f->kit);
    assert_int_equal(kit_recover(&f->kit, 0, last + 1), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "found the end of the journal"));
    assert_int_equal(kit_recover(&f->kit, last + 1, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "in the state that is restored"));
}

static void a_snapshots_durable_seq_forbids_a_cut(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 3, false);
    uint64_t last = f->kit.seq;
    struct kit_place p = kit_find(&f->disk.ops, 7);
    memory_disk_file(&f->disk, p.file)->bytes[p.offset + 90] ^= 1;
    assert_int_equal(kit_recover(&f->kit, 0, last), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 0, p.record.first_seq), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 0, p.record.first_seq - 1), STATUS_OK);
    assert_int_equal(f->kit.found.seq, p.record.first_seq - 1);
}

static void a_missing_segment_in_the_middle_is_refused(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    kit_end(&f->kit);
    const char *middle = "00000000000000000004.segment";
    f->disk.ops.remove(&f->disk, middle);
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, middle));
    assert_non_null(strstr(f->kit.error, "found 00000000000000000006.segment"));
}

static void missing_older_segments_are_not_needed_behind_a_snapshot(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    f->disk.ops.remove(&f->disk, "00000000000000000001.segment");
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "found command 4"));
    assert_int_equal(kit_recover(&f->kit, 2, 2), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 3, 3), STATUS_OK);
    assert_int_equal(f->kit.taken.count, 2);
}

static void a_damaged_older_segment_is_not_looked_at_behind_a_snapshot(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    memory_disk_file(&f->disk, "00000000000000000001.segment")->bytes[9] ^= 1;
    assert_int_equal(kit_recover(&f->kit, 2, 2), STATUS_INVALID);
    assert_int_equal(kit_recover(&f->kit, 3, 3), STATUS_OK);
}

static void an_unclean_end_in_mode_async_is_a_new_epoch(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    kit_end(&f->kit);
    f->kit.async = false;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_true(f->kit.found.new_epoch);
    assert_int_equal(f->kit.found.cut_size, 0);
    assert_int_equal(f->kit.found.epoch, KIT_EPOCH);
    kit_end(&f->kit);
}

static void an_end_in_order_in_mode_async_is_no_new_epoch(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(journal_close(f->kit.journal, 9), STATUS_OK);
    kit_end(&f->kit);
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_false(f->kit.found.new_epoch);
    assert_true(f->kit.found.clean);
    assert_int_equal(f->kit.found.time_ns, 9);
    /* The first record of this start is durable before anything of it is let out: if the machine
     * died with the next ones, the end would not look like one in order. */
    unsigned syncs = f->disk.syncs;
    kit_append(&f->kit, 1, 10);
    assert_int_equal(f->disk.syncs, syncs + 1);
    assert_int_equal(journal_durable_seq(f->kit.journal), 2);
    kit_append(&f->kit, 1, 10);
    assert_int_equal(f->disk.syncs, syncs + 1);
}

/* What recovery knows of the last record must not depend on its being in a segment that is read. */
static void an_empty_last_segment_remembers_the_record_before(void **state)
{
    struct fixture *f = *state;
    f->kit.async = true;
    kit_start(&f->kit);
    kit_append(&f->kit, 3, 10);
    kit_end(&f->kit);
    kit_shrink(&f->disk, 0);
    f->kit.async = false;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    f->disk.write_fails = KIT_SIZE / 65536 + 2; /* the zeros, the header, and then the record */
    assert_int_equal(journal_begin_epoch(f->kit.journal, 8, 1), STATUS_IO);
    kit_end(&f->kit);
    struct memory_file *s = memory_disk_file(&f->disk, "00000000000000000003.segment");
    assert_non_null(s);
    memset(s->bytes + SEGMENT_HEADER_SIZE, 0, 80); /* nothing of it has reached the disk */
    assert_int_equal(kit_recover(&f->kit, 3, 3), STATUS_OK);
    assert_int_equal(f->kit.found.records, 0);
    assert_int_equal(f->kit.found.epoch, KIT_EPOCH);
    assert_int_equal(f->kit.found.time_ns, 1000);
    assert_int_equal(f->kit.found.seq, 3);
    assert_true(f->kit.found.new_epoch);
}

static void a_taker_can_refuse(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 2, true);
    f->kit.taken.refuse_at = 3;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_INVALID);
    assert_non_null(strstr(f->kit.error, "not to my taste"));
    assert_int_equal(f->kit.taken.count, 3);
}

/* A sync that failed leaves what it should have written in the system's memory, where it can be
 * read, but on its way to nowhere. */
static void what_no_header_calls_durable_is_written_again(void **state)
{
    struct fixture *f = *state;
    kit_small(&f->disk, &f->kit, 3, false);
    unsigned writes = f->disk.writes, syncs = f->disk.syncs;
    assert_int_equal(kit_recover(&f->kit, 0, 0), STATUS_OK);
    assert_int_equal(f->disk.writes, writes + 1);
    assert_int_equal(f->disk.syncs, syncs + 1);
    assert_int_equal(journal_durable_seq(f->kit.journal), f->kit.seq);
    assert_int_equal(journal_committed(f->kit.journal), 7);
}

static void a_journal_of_larger_segments_goes_on_in_smaller_ones(void **state)
{
    struct fixture *f = *state;
    struct journal_options o = {
        .disk = &f->disk.ops, .segment_size = 3 * KIT_SIZE, .size_max = UINT64_MAX};
    struct journal_taker taker = kit_taker(&f->kit.taken);
    assert_int_equal(journal_open(&f->kit.journal, &o, f->kit.error), STATUS_OK);
    assert_int_equal(journal_recover(f->kit.journal, 0, 0, &taker, &f->kit.found, f->kit.error),
                     STATUS_OK);
    assert_int_equal(journal_begin_epoch(f->kit.journal, 7, 1), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, 2 * KIT_SIZE), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 1);
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE / 2), STATUS_OK);
    kit_end(&f->kit);
    kit_start(&f->kit);
    assert_int_equal(f->kit.seq, 3);
    assert_int_equal(journal_counts(f->kit.journal).size, 4 * KIT_SIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_directory_becomes_a_journal),
        TEST(an_empty_directory_is_no_end_of_a_history),
        TEST(recovery_begins_behind_the_snapshot),
        TEST(a_journal_that_ends_before_the_snapshot_is_refused),
        TEST(a_snapshots_durable_seq_forbids_a_cut),
        TEST(a_missing_segment_in_the_middle_is_refused),
        TEST(missing_older_segments_are_not_needed_behind_a_snapshot),
        TEST(a_damaged_older_segment_is_not_looked_at_behind_a_snapshot),
        TEST(an_unclean_end_in_mode_async_is_a_new_epoch),
        TEST(an_end_in_order_in_mode_async_is_no_new_epoch),
        TEST(an_empty_last_segment_remembers_the_record_before),
        TEST(a_taker_can_refuse),
        TEST(what_no_header_calls_durable_is_written_again),
        TEST(a_journal_of_larger_segments_goes_on_in_smaller_ones),
        cmocka_unit_test(every_flipped_byte_is_refused_or_cut_or_without_effect),
        cmocka_unit_test(every_flipped_byte_of_what_was_not_synced_is_cut),
        cmocka_unit_test(every_truncation_is_refused_or_cut_or_without_effect),
        cmocka_unit_test(a_crash_anywhere_keeps_what_was_committed),
        cmocka_unit_test(a_crash_anywhere_while_cutting_still_begins_an_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
