/* verify: `outcry verify DIR`: a journal run again, and everything in it and beside it compared. */
#ifndef OUTCRY_CLI_VERIFY_H
#define OUTCRY_CLI_VERIFY_H

#include "journal/disk.h"

int verify_main(int argc, char **argv);

struct verify_options {
    const char *command; /* in front of what is told on stderr */
    const struct disk *disk;
    const char *const *frames; /* recordings (frame_file.h) */
    unsigned frame_count;
};

enum verify_result {
    VERIFY_SOUND,
    VERIFY_CUT, /* but for its end, which a start would cut off */
    VERIFY_UNSOUND,
};

/* What it stands at. */
struct verify_end {
    uint64_t seq;
    uint64_t epoch;
    uint64_t state_hash;
};

/* Prints the report on stdout, and on stderr what is wrong. Changes nothing. */
enum verify_result verify_run(const struct verify_options *o, struct verify_end *end);

#endif
