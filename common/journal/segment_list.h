/* segment_list: the segments in a journal's directory, oldest first. For the journal's own files.
 */
#ifndef OUTCRY_JOURNAL_SEGMENT_LIST_H
#define OUTCRY_JOURNAL_SEGMENT_LIST_H

#include "journal/record_format.h"

/* A file that stands there while an epoch has to begin (journal_recovery.c). */
#define EPOCH_DUE_NAME "epoch.due"

struct segment_list {
    uint64_t *first_numbers; /* of each segment */
    size_t count, room;
    bool epoch_due;
};

/* Errors: STATUS_IO. What was made is freed by segments_free, whatever it returned. */
enum status segments_list(const struct disk *disk, struct segment_list *list);
void segments_free(struct segment_list *list);

/* How many there are, and the bytes of them; takes no memory. */
enum status segments_measure(const struct disk *disk, uint64_t *count, uint64_t *size);

/* The oldest one behind the one that begins with `number`; 0: there is none. Takes no memory. */
enum status segments_after(const struct disk *disk, uint64_t number, uint64_t *first_number);

#endif
