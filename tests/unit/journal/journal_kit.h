/* journal_kit: journals of a few batches whose every byte a test can tell, and what is read back.
 */
#ifndef OUTCRY_UNIT_JOURNAL_JOURNAL_KIT_H
#define OUTCRY_UNIT_JOURNAL_JOURNAL_KIT_H

#include "journal/journal.h"
#include "tests/unit/journal/memory_disk.h"

enum { TAKEN_MAX = 4096, KIT_EPOCH = 7, KIT_SIZE = JOURNAL_SEGMENT_SIZE_MIN };

/* What a recovery handed over. */
struct taken {
    struct {
        enum record_kind kind;
        bool async;
        uint64_t number, epoch, first_seq, count, check, durable_seq, offset;
        size_t size;
        char file[DISK_NAME_SIZE];
    } records[TAKEN_MAX];
    unsigned count;
    unsigned refuse_at; /* the record, from 1, that is refused; 0: none is */
};

/* A journal on a disk, and what its last recovery found. */
struct kit {
    const struct disk *disk;
    journal_t *journal;
    bool async;
    uint64_t size_max; /* 0: as much as there may be */
    uint64_t seq;      /* the last command appended */
    struct journal_recovery found;
    struct taken taken;
    char error[JOURNAL_ERROR_SIZE];
};

/* The bytes of the batch that begins with this command. */
void kit_fill(uint8_t *bytes, size_t size, uint64_t first_seq);

struct journal_taker kit_taker(struct taken *t);

/* Open and recover. STATUS_OK: there is a journal, which kit_end ends without a word. */
enum status kit_recover(struct kit *k, uint64_t after_seq, uint64_t durable_seq);

/* The same, which must go well; a new epoch begins if one is due. */
void kit_start(struct kit *k);
void kit_end(struct kit *k);

/* Append the next batch: so many commands in so many bytes. */
enum status kit_append(struct kit *k, uint64_t count, size_t size);

/* Make a segment as short as its records, so that no other finds room in it: the last one on this
 * disk. slack: bytes more. */
void kit_shrink(struct memory_disk *d, size_t slack);

/* The small journal: a new epoch and batches of 1 to 3 commands, `batches` in each of two segments,
 * each synced before the next is appended; those of the second only if `synced`. */
void kit_small(struct memory_disk *d, struct kit *k, unsigned batches, bool synced);

/* A journal of a test's own on a disk of its own: cmocka's setup and teardown. */
struct fixture {
    struct memory_disk disk;
    struct kit kit;
    uint64_t now_ns;
};
int fixture_open(void **state);
int fixture_close(void **state);
#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

/* A moment later. */
enum status fixture_tend(struct fixture *f);

/* Until the next segment is ready, if there is room for it. */
void fixture_tend_long(struct fixture *f);

/* Fill the first segment so that not even a small record finds room. */
void fixture_fill_segment(struct fixture *f);

/* Where the record of this number stands. */
struct kit_place {
    char file[DISK_NAME_SIZE];
    uint64_t offset, extent;
    struct journal_record record;
};
struct kit_place kit_find(const struct disk *disk, uint64_t number);

#endif
