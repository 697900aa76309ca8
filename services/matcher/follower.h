/* follower: reads what a matcher writes, does what it did, and takes off it what would stall it.
 *
 *     journal ─ journal_reader ─> history ─> frames   the matcher's, byte for byte
 *                                    │
 *                                    ├─> snapshots, and which segments may go
 *                                    └─> answers: large snapshots, frames older than the matcher
 * keeps
 *
 * It reads as far as its matcher says is committed. Whoever asks the matcher for something large is
 * answered from here, by way of the matcher; readers may also subscribe to the follower itself. If
 * it is not there, the matcher answers as well as it can, and nothing is removed from the journal.
 *
 * What it holds can always be made again: when the journal is not what it was (another epoch whose
 * beginning is before where it stands, a damaged or missing segment), it begins anew from the
 * newest snapshot.
 *
 * A step function (node/service.h), but for one thing: its input is a disk. Thread: one. Takes
 * memory while it writes a snapshot or looks for old frames. */
#ifndef OUTCRY_MATCHER_FOLLOWER_H
#define OUTCRY_MATCHER_FOLLOWER_H

#include "journal/disk.h"
#include "matcher/history.h"
#include "node/service.h"

typedef struct follower follower_t;

enum { FOLLOWER_INPUT_REQUESTS }; /* of its matcher and of readers */
enum {
    FOLLOWER_OUTPUT_PRIVATE,
    FOLLOWER_OUTPUT_PUBLIC,
    FOLLOWER_OUTPUT_PRIVATE_ANSWERS, /* to its matcher, to be passed on */
    FOLLOWER_OUTPUT_PUBLIC_ANSWERS,
    FOLLOWER_OUTPUT_MATCHER, /* where it stands, for its matcher's requests */
};

struct follower_options {
    const struct disk *disk;        /* KEPT */
    struct matcher_options matcher; /* as of its matcher; requests_address is its own */
    uint64_t snapshot_commands;     /* commands between two snapshots */
};

follower_t *follower_new(const struct follower_options *options);
void follower_destroy(follower_t **f);
struct service follower_service(follower_t *f);

struct follower_counts {
    uint64_t seq; /* the last command read */
    uint64_t epoch;
    uint64_t snapshot_seq; /* of the newest snapshot it wrote or began with */
    uint64_t snapshots;    /* written */
    uint64_t segments_removed;
    uint64_t deep_resends; /* answered from the journal */
    uint64_t restarts;     /* times it began anew */
    uint64_t behind;       /* commands that are committed, by its matcher's word, and not read */
    bool reads;            /* false: it is about to begin anew */
};
struct follower_counts follower_counts(const follower_t *f);

/* What it has published and answered, of FOLLOWER_OUTPUT_PRIVATE or FOLLOWER_OUTPUT_PUBLIC, since
 * it began anew last. */
struct publisher_counts follower_said(const follower_t *f, unsigned output);

#endif
