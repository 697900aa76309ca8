/* late_join: joins a symbol's l3 and l2 again and again while it trades, each time as a new reader
 * that knows nothing, and follows both for a while.
 *
 *     late_join --symbol S [--joins N] [--frames N] [--drop N] [--config FILE]
 *
 * Each reader must get live on both topics and take in --frames frames of each after that. Every
 * frame must carry a hash, and it must be that of the book kept here; there may be no fault. What
 * is thrown away on purpose (--drop N: every Nth message) it must find missing and repair; without
 * that, there may be no gap at all. Ends with a line of what it did, or with what went wrong and
 * status 1. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/mix.h"
#include "cli/reader.h"
#include "engine/mirror.h"
#include "node/host.h"

enum {
    TOPIC_L3,
    TOPIC_L2,
    TOPIC_COUNT,
    ORDERS_MAX = 1 << 17,
    LEVELS_MAX = 1 << 14,
    PATIENCE_MS = 60000, /* for one join */
};

static const char usage[] =
    "usage: late_join --symbol S [--joins N] [--frames N] [--drop N] [--config FILE]\n";

/* A level as l2 tells it. */
struct level_row {
    uint64_t side;
    int64_t price;
    int64_t qty;
};

struct follower {
    reader_t *reader;
    struct book_pool pool;
    struct mirror mirror;
    struct level_row *levels;
    size_t level_count;
    uint64_t l2_hash;
    uint64_t frames[TOPIC_COUNT]; /* since it is live */
    uint64_t unhashed;            /* frames without a hash */
    uint64_t join_ns;             /* from opening to live on both */
};

struct totals {
    uint64_t joins, frames, gaps, resends, snapshots, repeats, overflows;
    uint64_t join_ns_max;
};

/* ---- the books ---- */

/* What a level adds to the L2 hash (PROTOCOL.md, "Book hash"), written down a second time. */
static uint64_t level_term(const struct level_row *l)
{
    uint64_t z = mix(UINT64_C(0x9E3779B97F4A7C15) + l->side);
    z = mix(z + (uint64_t)l->price);
    return mix(z + (uint64_t)l->qty);
}

static bool set_level(struct follower *f, const struct level *m)
{
    size_t i = 0;
    while (i < f->level_count && (f->levels[i].side != m->side || f->levels[i].price != m->price))
        i++;
    if (i < f->level_count) {
        f->l2_hash -= level_term(&f->levels[i]);
        f->levels[i] = f->levels[--f->level_count];
    }
    if (m->qty <= 0)
        return m->qty == 0;
    if (f->level_count == LEVELS_MAX)
        return false;
    f->levels[f->level_count] = (struct level_row){m->side, m->price, m->qty};
    f->l2_hash += level_term(&f->levels[f->level_count++]);
    return true;
}

static void on_reset(void *self, uint32_t topic)
{
    struct follower *f = self;
    if (topic == TOPIC_L3) {
        mirror_reset(&f->mirror);
    } else {
        f->level_count = 0;
        f->l2_hash = 0;
    }
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    struct follower *f = self;
    struct level m;
    (void)seq;
    if (topic == TOPIC_L3) {
        mirror_event(&f->mirror, type, fields);
    } else if (type == MESSAGE_LEVEL) {
        level_get_fields(fields, &m);
        if (!set_level(f, &m))
            f->l2_hash = ~f->l2_hash;
    }
}

static void on_frame(void *self, uint32_t topic, const struct frame_head *head,
                     const uint8_t *bytes, size_t size)
{
    struct follower *f = self;
    (void)bytes, (void)size;
    if (!head->hash.given)
        f->unhashed++;
    if (subscriber_all_live(reader_subscriber(f->reader)))
        f->frames[topic]++;
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    const struct follower *f = self;
    return (struct u64_or_nil){topic == TOPIC_L3 ? mirror_hash(&f->mirror) : f->l2_hash, true};
}

/* ---- one reader's life ---- */

static int complain(const struct follower *f, uint64_t join, const char *what)
{
    struct subscriber_counts c = subscriber_counts(reader_subscriber(f->reader));
    fprintf(stderr,
            "late_join: join %" PRIu64 ": %s (frames %" PRIu64 " and %" PRIu64 ", unhashed %" PRIu64
            ", gaps %" PRIu64 ", resends %" PRIu64 ", snapshots %" PRIu64 ", repeats %" PRIu64
            ", faults %" PRIu64 ", garbage %" PRIu64 ")\n",
            join, what, f->frames[TOPIC_L3], f->frames[TOPIC_L2], f->unhashed, c.gaps, c.resends,
            c.snapshots, c.repeats, c.faults, c.garbage);
    return EXIT_FAILURE;
}

static bool follow(struct follower *f, uint64_t frames)
{
    uint64_t start_ns = clock_monotonic_ns();
    const subscriber_t *s = reader_subscriber(f->reader);
    while (f->frames[TOPIC_L3] < frames || f->frames[TOPIC_L2] < frames ||
           !subscriber_all_live(s)) {
        reader_poll(f->reader, 20);
        uint64_t now_ns = clock_monotonic_ns();
        if (f->join_ns == 0 && subscriber_all_live(s))
            f->join_ns = now_ns - start_ns;
        if (now_ns > start_ns + PATIENCE_MS * NS_PER_MS)
            return false;
    }
    return true;
}

static void add_up(struct totals *t, const struct follower *f)
{
    struct subscriber_counts c = subscriber_counts(reader_subscriber(f->reader));
    t->joins++;
    t->frames += c.frames;
    t->gaps += c.gaps;
    t->resends += c.resends;
    t->snapshots += c.snapshots;
    t->repeats += c.repeats;
    t->overflows += c.overflows;
    if (f->join_ns > t->join_ns_max)
        t->join_ns_max = f->join_ns;
}

static int join_once(struct follower *f, const struct cluster *cluster, const char *symbol,
                     uint64_t frames, unsigned drop, struct totals *totals)
{
    char names[TOPIC_COUNT][TOPIC_SIZE_MAX + 1], error[ENDPOINT_ERROR_SIZE];
    snprintf(names[TOPIC_L3], sizeof names[0], "l3.%s", symbol);
    snprintf(names[TOPIC_L2], sizeof names[0], "l2.%s", symbol);
    const char *const topics[] = {names[TOPIC_L3], names[TOPIC_L2]};
    struct subscriber_owner owner = {
        .self = f, .reset = on_reset, .event = on_event, .frame = on_frame, .hash = on_hash};
    memset(f->frames, 0, sizeof f->frames);
    f->join_ns = 0;
    f->reader = reader_open(cluster, &owner, topics, TOPIC_COUNT, error);
    if (f->reader == NULL) {
        fprintf(stderr, "late_join: %s\n", error);
        return EXIT_FAILURE;
    }
    reader_drop(f->reader, drop);
    int status = EXIT_SUCCESS;
    bool followed = follow(f, frames);
    struct subscriber_counts c = subscriber_counts(reader_subscriber(f->reader));
    if (!followed)
        status = complain(f, totals->joins, "it did not get there in time");
    else if (c.faults > 0 || c.garbage > 0 || f->unhashed > 0)
        status = complain(f, totals->joins, "what it read was not right");
    else if (drop == 0 && c.gaps > 0)
        status = complain(f, totals->joins, "it found a gap");
    add_up(totals, f);
    reader_close(&f->reader);
    return status;
}

/* ---- all of them ---- */

static const char *take_symbol(int *argc, char **argv)
{
    for (int i = 1; i + 1 < *argc; i++) {
        if (strcmp(argv[i], "--symbol") != 0)
            continue;
        const char *symbol = argv[i + 1];
        memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof argv[0]);
        *argc -= 2;
        return symbol;
    }
    fprintf(stderr, "late_join: --symbol is needed\n");
    exit(2);
}

int main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct follower f;
    struct totals totals = {0};
    host_load(&cluster, &argc, argv, usage);
    const char *symbol = take_symbol(&argc, argv);
    uint64_t joins = host_number_flag(&argc, argv, "--joins", 1, 1000000, 200);
    uint64_t frames = host_number_flag(&argc, argv, "--frames", 1, 1000000, 20);
    unsigned drop = (unsigned)host_number_flag(&argc, argv, "--drop", 2, 1000000, 0);
    host_no_more_flags(argc, argv);
    book_pool_init(&f.pool, ORDERS_MAX, ORDERS_MAX);
    mirror_init(&f.mirror, &f.pool);
    f.levels = memory_new(LEVELS_MAX, sizeof *f.levels, "levels");
    int status = EXIT_SUCCESS;
    while (totals.joins < joins && status == EXIT_SUCCESS)
        status = join_once(&f, &cluster, symbol, frames, drop, &totals);
    if (status == EXIT_SUCCESS && drop > 0 && totals.gaps == 0) {
        fprintf(stderr, "late_join: of all that was dropped, nothing was found missing\n");
        status = EXIT_FAILURE;
    }
    printf("joins %" PRIu64 " frames %" PRIu64 " gaps %" PRIu64 " resends %" PRIu64
           " snapshots %" PRIu64 " repeats %" PRIu64 " overflows %" PRIu64 " slowest_ms %" PRIu64
           "\n",
           totals.joins, totals.frames, totals.gaps, totals.resends, totals.snapshots,
           totals.repeats, totals.overflows, totals.join_ns_max / NS_PER_MS);
    memory_free(f.levels, LEVELS_MAX, sizeof *f.levels);
    book_pool_close(&f.pool);
    return status;
}
