/* frame_file: published messages as they came, one behind the other, in a file: what
 * `outcry tape --raw` records and `outcry verify --frames` compares.
 *
 *     "OCFR" | version | size | message | size | message | ...       numbers: u32, little-endian
 *
 * A recording that ends within a message was cut short; what is before that is whole. Thread: owner
 * only. */
#ifndef OUTCRY_CLI_FRAME_FILE_H
#define OUTCRY_CLI_FRAME_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

enum { FRAME_FILE_ERROR_SIZE = 512 };

/* ---- recording ---- */

struct frame_recorder {
    FILE *file;
    uint64_t count; /* messages */
    int error;      /* errno of the first failure; 0: none */
};

/* Make or empty a file. Errors: STATUS_IO  r->error says why; nothing is held. */
enum status frame_recorder_open(struct frame_recorder *r, const char *path);

/* It reaches the file with others. A failure is kept, and what comes after it is dropped. */
void frame_recorder_put(struct frame_recorder *r, const uint8_t *message, size_t size);

/* Write out the rest, and end. Errors: STATUS_IO  something was not written; r->error says why. */
enum status frame_recorder_close(struct frame_recorder *r);

/* ---- reading it ---- */

struct frame_recording {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    bool cut_short; /* it ends within a message, at `at` */
};

/* Errors: STATUS_IO, STATUS_INVALID (it is no recording, or of another version); error says what
 * was found and expected. */
enum status frame_recording_open(struct frame_recording *r, const char *path,
                                 char error[FRAME_FILE_ERROR_SIZE]);
void frame_recording_close(struct frame_recording *r);

/* The next message, good until the recording is closed; false: there is none. */
bool frame_recording_next(struct frame_recording *r, const uint8_t **message, size_t *size);

#endif
