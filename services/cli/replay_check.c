#include "cli/replay_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "engine/mirror.h"

enum {
    LEVELS_MAX = 64,
    JOIN_MS = 10000,
    REACH_MS = 30000,
};

/* The best levels after one group: levels of ask price, ask size, bid price, bid size. */
struct replay_check {
    reader_t *reader;
    struct book_pool pool;
    struct mirror mirror;
    uint32_t order_max;
    const struct csv_file *book;
    struct csv_cursor cursor; /* in the book: rows ascend */
    struct text line;         /* of row cursor.line */
    unsigned levels;          /* of the recording */
    uint64_t *seqs;           /* by group */
    int64_t *tops;            /* 4 * levels by group */
    uint64_t group_count;
    uint64_t group_max;
    uint64_t compared_group; /* the group the last row was held against */
    struct replay_check_report report;
};

/* ---- following ---- */

static void on_reset(void *self, uint32_t topic)
{
    replay_check_t *c = self;
    (void)topic;
    mirror_reset(&c->mirror);
}

static void on_event(void *self, uint32_t topic, uint64_t seq, uint64_t type,
                     struct wire_reader *fields)
{
    replay_check_t *c = self;
    (void)topic;
    if (type == MESSAGE_TRADE && seq > 0)
        c->report.trades++;
    mirror_event(&c->mirror, type, fields);
}

static void put_side(const replay_check_t *c, unsigned side, int64_t *at)
{
    uint32_t l = c->mirror.book.sides[side - 1].best;
    for (unsigned i = 0; i < c->levels; i++, at += 4) {
        at[0] = l == 0 ? 0 : c->pool.levels[l].price;
        at[1] = l == 0 ? 0 : c->pool.levels[l].qty;
        if (l != 0)
            l = c->pool.levels[l].worse;
    }
}

static void on_group(void *self, uint32_t topic, uint64_t seq, const struct frame_head *head)
{
    replay_check_t *c = self;
    (void)topic, (void)head;
    if (c->levels == 0 || c->group_count == c->group_max)
        return;
    int64_t *top = c->tops + c->group_count * 4 * c->levels;
    c->seqs[c->group_count++] = seq;
    put_side(c, SIDE_SELL, top);
    put_side(c, SIDE_BUY, top + 2);
}

static struct u64_or_nil on_hash(void *self, uint32_t topic)
{
    const replay_check_t *c = self;
    (void)topic;
    return (struct u64_or_nil){mirror_hash(&c->mirror), true};
}

/* ---- opening ---- */

static unsigned levels_of(const struct csv_file *book)
{
    struct csv_cursor cursor;
    struct text line, fields[4 * LEVELS_MAX];
    csv_begin(&cursor, book);
    size_t count = csv_line(&cursor, &line) ? csv_split(line, fields, 4 * LEVELS_MAX) : 0;
    return count % 4 == 0 && count <= 4 * LEVELS_MAX ? (unsigned)count / 4 : 0;
}

static bool join(replay_check_t *c, const char *symbol, char *error)
{
    uint64_t give_up_ns = clock_monotonic_ns() + JOIN_MS * NS_PER_MS;
    while (!subscriber_all_live(reader_subscriber(c->reader))) {
        reader_poll(c->reader, 50);
        if (clock_monotonic_ns() > give_up_ns) {
            snprintf(error, ENDPOINT_ERROR_SIZE,
                     "market data does not answer for %s; is a cluster running (./outcry up)?",
                     symbol);
            return false;
        }
    }
    if (c->book != NULL && c->mirror.book.order_count > 0) {
        snprintf(error, ENDPOINT_ERROR_SIZE,
                 "the book of %s holds %llu orders already, so it cannot be compared with the "
                 "recording; use a fresh cluster without a flow (./outcry up --rate 0)",
                 symbol, (unsigned long long)c->mirror.book.order_count);
        return false;
    }
    return true;
}

replay_check_t *replay_check_open(const struct cluster *cluster, const char *symbol,
                                  const struct csv_file *book, uint64_t group_max,
                                  char error[ENDPOINT_ERROR_SIZE])
{
    char topic[TOPIC_SIZE_MAX + 1];
    const char *const topics[] = {topic};
    replay_check_t *c = memory_new(1, sizeof *c, "the check of the book");
    c->order_max = (uint32_t)cluster->settings.open_orders_max;
    book_pool_init(&c->pool, c->order_max, c->order_max);
    mirror_init(&c->mirror, &c->pool);
    c->book = book;
    c->levels = book == NULL ? 0 : levels_of(book);
    c->group_max = group_max;
    c->seqs = memory_new(group_max, sizeof *c->seqs, "the check of the book");
    c->tops = memory_new(group_max * 4 * c->levels, sizeof *c->tops, "the check of the book");
    if (book != NULL)
        csv_begin(&c->cursor, book);
    snprintf(topic, sizeof topic, "l3.%s", symbol);
    struct subscriber_owner owner = {
        .self = c, .reset = on_reset, .event = on_event, .group = on_group, .hash = on_hash};
    if (book != NULL && c->levels == 0)
        snprintf(error, ENDPOINT_ERROR_SIZE, "%s: found no levels, expected four columns a level",
                 book->name);
    else
        c->reader = reader_open(cluster, &owner, topics, 1, error);
    if (c->reader == NULL || !join(c, symbol, error))
        replay_check_close(&c);
    return c;
}

void replay_check_close(replay_check_t **check)
{
    replay_check_t *c = *check;
    if (c == NULL)
        return;
    reader_close(&c->reader);
    book_pool_close(&c->pool);
    memory_free(c->seqs, c->group_max, sizeof *c->seqs);
    memory_free(c->tops, c->group_max * 4 * c->levels, sizeof *c->tops);
    memory_free(c, 1, sizeof *c);
    *check = NULL;
}

void replay_check_poll(replay_check_t *c, long timeout_ms)
{
    reader_poll(c->reader, timeout_ms);
}

bool replay_check_reach(replay_check_t *c, uint64_t seq)
{
    uint64_t give_up_ns = clock_monotonic_ns() + REACH_MS * NS_PER_MS;
    const subscriber_t *s = reader_subscriber(c->reader);
    while (subscriber_complete_seq(s, 0) < seq && clock_monotonic_ns() < give_up_ns)
        reader_poll(c->reader, 50);
    return subscriber_complete_seq(s, 0) >= seq;
}

/* ---- comparing ---- */

static bool level_equal(const struct text *fields, const int64_t *top)
{
    int64_t price, size;
    if (!csv_i64(fields[0], &price) || !csv_i64(fields[1], &size))
        return false;
    return size == 0 ? top[1] == 0 : price == top[0] && size == top[1];
}

static bool row_equal(const replay_check_t *c, struct text line)
{
    static const int64_t empty[4 * LEVELS_MAX];
    const int64_t *top =
        c->compared_group == 0 ? empty : c->tops + (c->compared_group - 1) * 4 * c->levels;
    struct text fields[4 * LEVELS_MAX];
    if (csv_split(line, fields, 4 * LEVELS_MAX) != 4 * c->levels)
        return false;
    for (unsigned f = 0; f < 4 * c->levels; f += 2) {
        if (!level_equal(&fields[f], &top[f]))
            return false;
    }
    return true;
}

void replay_check_row(replay_check_t *c, uint64_t row, uint64_t seq)
{
    while (c->cursor.line < row) {
        if (!csv_line(&c->cursor, &c->line))
            return;
    }
    /* compared_group counts the groups at or before seq: the last of them is the book then. */
    while (c->compared_group < c->group_count && c->seqs[c->compared_group] <= seq)
        c->compared_group++;
    c->report.rows++;
    if (row_equal(c, c->line))
        return;
    if (c->report.mismatches++ == 0)
        c->report.first_row = row;
}

struct replay_check_report replay_check_report(const replay_check_t *c)
{
    struct replay_check_report report = c->report;
    struct subscriber_counts counts = subscriber_counts(reader_subscriber(c->reader));
    report.frames = counts.frames;
    report.gaps = counts.gaps;
    report.faults = counts.faults;
    return report;
}
