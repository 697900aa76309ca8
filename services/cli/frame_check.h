/* frame_check: recorded frames (frame_file.h) against the same frames made again from a journal,
 * byte for byte, by topic, epoch and sequence.
 *
 *     frame_check_open ─> frame_check_epoch, frame_check_remade ... ─> frame_check_end ─> close
 *
 * Compared are frames with events of the topics l3. l2. bbo. and trade. of the journal's symbols,
 * of the epochs and sequences it has. A frame that was recorded more than once, of two publishers
 * say, is compared as often. Thread: one. */
#ifndef OUTCRY_CLI_FRAME_CHECK_H
#define OUTCRY_CLI_FRAME_CHECK_H

#include "cli/frame_file.h"
#include "engine/engine.h"

typedef struct frame_check frame_check_t;

struct frame_check_report {
    uint64_t recorded;      /* messages in the files */
    uint64_t compared;      /* and byte for byte the same */
    uint64_t differ;        /* compared, and another */
    uint64_t not_remade;    /* of what the journal has, and it makes no such frame */
    uint64_t before, after; /* what the journal has: cannot be compared */
    uint64_t elsewhere;     /* of other shards' symbols */
    uint64_t passed_over;   /* heartbeats, replies, other topics */
    uint64_t unreadable;
    unsigned cut_short; /* recordings */
};

/* Read all files. NULL: error says which cannot be read, or is no recording. */
frame_check_t *frame_check_open(const char *const *paths, unsigned count,
                                char error[FRAME_FILE_ERROR_SIZE]);
void frame_check_close(frame_check_t **c);

/* From here on history is of this epoch, behind this sequence. */
void frame_check_epoch(frame_check_t *c, uint64_t epoch, uint64_t seq);

/* A frame was made again. What differs is told on stderr in words, the first few times. */
void frame_check_remade(frame_check_t *c, const uint8_t *message, size_t size);

/* History ends behind seq. e: its engine, for the symbols. */
struct frame_check_report frame_check_end(frame_check_t *c, const engine_t *e, uint64_t seq);

#endif
