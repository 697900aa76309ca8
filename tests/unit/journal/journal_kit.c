#include "tests/unit/journal/journal_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "journal/journal_reader.h"
#include "journal/record_format.h"

void kit_fill(uint8_t *bytes, size_t size, uint64_t first_seq)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(first_seq * 31 + i * 7 + (i >> 8) + 1);
}

static bool take(void *self, const struct journal_record *r, char error[JOURNAL_ERROR_SIZE])
{
    struct taken *t = self;
    assert_true(t->count < TAKEN_MAX);
    t->records[t->count].kind = r->kind;
    t->records[t->count].async = r->async;
    t->records[t->count].number = r->number;
    t->records[t->count].epoch = r->epoch;
    t->records[t->count].first_seq = r->first_seq;
    t->records[t->count].count = r->count;
    t->records[t->count].check = r->check;
    t->records[t->count].durable_seq = r->durable_seq;
    t->records[t->count].offset = r->offset;
    t->records[t->count].size = r->size;
    memcpy(t->records[t->count].file, r->file, sizeof r->file);
    uint8_t *expected = malloc(r->size + 1);
    kit_fill(expected, r->size, r->first_seq);
    if (r->size > 0)
        assert_memory_equal(r->bytes, expected, r->size);
    free(expected);
    if (++t->count != t->refuse_at)
        return true;
    snprintf(error, JOURNAL_ERROR_SIZE, "%s, at offset %llu: not to my taste", r->file,
             (unsigned long long)r->offset);
    return false;
}

struct journal_taker kit_taker(struct taken *t)
{
    return (struct journal_taker){t, take};
}

enum status kit_recover(struct kit *k, uint64_t after_seq, uint64_t durable_seq)
{
    struct journal_options o = {
        .disk = k->disk,
        .async = k->async,
        .segment_size = KIT_SIZE,
        .size_max = k->size_max == 0 ? UINT64_MAX : k->size_max,
    };
    struct journal_taker taker = kit_taker(&k->taken);
    k->taken.count = 0;
    k->error[0] = '\0';
    enum status status = journal_open(&k->journal, &o, k->error);
    if (status == STATUS_OK)
        status = journal_recover(k->journal, after_seq, durable_seq, &taker, &k->found, k->error);
    if (status != STATUS_OK)
        journal_destroy(&k->journal);
    k->seq = k->found.seq;
    return status;
}

void kit_start(struct kit *k)
{
    if (kit_recover(k, 0, 0) != STATUS_OK)
        fail_msg("%s", k->error);
    if (k->found.new_epoch) {
        uint64_t epoch = k->found.epoch < KIT_EPOCH ? KIT_EPOCH : k->found.epoch + 1;
        assert_int_equal(journal_begin_epoch(k->journal, epoch, 1), STATUS_OK);
    }
}

void kit_end(struct kit *k)
{
    journal_destroy(&k->journal);
}

enum status kit_append(struct kit *k, uint64_t count, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    kit_fill(bytes, size, k->seq + 1);
    struct journal_batch batch = {
        .first_seq = k->seq + 1,
        .count = count,
        .time_ns = 1000 + k->seq,
        .check = ~k->seq,
        .bytes = bytes,
        .size = size,
    };
    enum status status = journal_append(k->journal, &batch);
    free(bytes);
    if (status == STATUS_OK)
        k->seq += count;
    return status;
}

/* The end of the records of the last segment. */
static uint64_t end_of_records(const struct disk *disk, char file[DISK_NAME_SIZE])
{
    struct journal_record r;
    char error[JOURNAL_ERROR_SIZE];
    journal_reader_t *reader;
    uint64_t oldest, end = 0;
    assert_int_equal(journal_reader_open(&reader, disk, 0, &oldest, error), STATUS_OK);
    while (journal_reader_next(reader, &r, error) == JOURNAL_READ_RECORD) {
        end = r.offset + record_extent(r.size);
        memcpy(file, r.file, sizeof r.file);
    }
    journal_reader_close(&reader);
    return end;
}

void kit_shrink(struct memory_disk *d, size_t slack)
{
    char name[DISK_NAME_SIZE];
    struct segment_header h;
    struct record_fault fault;
    uint64_t end = end_of_records(&d->ops, name);
    struct memory_file *f = memory_disk_file(d, name);
    assert_true(segment_header_read(f->bytes, &h, &fault));
    h.size = end + slack;
    segment_header_write(f->bytes, &h);
    memory_file_resize(f, (size_t)h.size);
}

void kit_small(struct memory_disk *d, struct kit *k, unsigned batches, bool synced)
{
    enum { SLACK = 64 }; /* no record fits in it */
    for (unsigned segment = 0; segment < 2; segment++) {
        kit_start(k);
        for (unsigned i = 0; i < batches; i++) {
            assert_int_equal(kit_append(k, 1 + i % 3, 20 + 9 * i), STATUS_OK);
            if (segment == 0 || synced)
                assert_int_equal(journal_sync(k->journal), STATUS_OK);
        }
        kit_end(k);
        kit_shrink(d, SLACK);
    }
}

struct kit_place kit_find(const struct disk *disk, uint64_t number)
{
    struct kit_place p = {0};
    char error[JOURNAL_ERROR_SIZE];
    journal_reader_t *reader;
    uint64_t oldest;
    assert_int_equal(journal_reader_open(&reader, disk, 0, &oldest, error), STATUS_OK);
    do
        assert_int_equal(journal_reader_next(reader, &p.record, error), JOURNAL_READ_RECORD);
    while (p.record.number < number);
    memcpy(p.file, p.record.file, sizeof p.file);
    p.offset = p.record.offset;
    p.extent = record_extent(p.record.size);
    journal_reader_close(&reader);
    return p;
}

/* ---- the fixture ---- */

int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    memory_disk_open(&f->disk);
    f->kit.disk = &f->disk.ops;
    f->now_ns = NS_PER_SECOND;
    *state = f;
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *f = *state;
    kit_end(&f->kit);
    memory_disk_close(&f->disk);
    free(f);
    return 0;
}

enum status fixture_tend(struct fixture *f)
{
    return journal_tend(f->kit.journal, ++f->now_ns);
}

void fixture_tend_long(struct fixture *f)
{
    for (unsigned i = 0; i < 2 * KIT_SIZE / 65536; i++)
        assert_int_equal(fixture_tend(f), STATUS_OK);
}

void fixture_fill_segment(struct fixture *f)
{
    enum { PART = 1000 };
    assert_int_equal(kit_append(&f->kit, 1, KIT_SIZE - SEGMENT_HEADER_SIZE - PART), STATUS_OK);
    assert_int_equal(kit_append(&f->kit, 1, PART - 4 * RECORD_HEADER_SIZE), STATUS_OK);
    assert_int_equal(journal_counts(f->kit.journal).segments, 1);
}
