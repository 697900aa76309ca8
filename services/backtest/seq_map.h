/* seq_map: where a recorded command is sequenced now. Commands of ours come between the recorded
 * ones, others are left out, so sequences shift, and with them order ids, by which recorded cancels
 * and amends name their orders. The shift is the same from one such place to the next: a span. */
#ifndef OUTCRY_BACKTEST_SEQ_MAP_H
#define OUTCRY_BACKTEST_SEQ_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seq_span {
    uint64_t from; /* the first recorded sequence of it */
    uint64_t now;  /* where that one is; SEQ_MAP_NONE: nowhere, as those behind it */
};

/* What no command ever has: order ids have 48 bits of sequence. */
#define SEQ_MAP_NONE ((UINT64_C(1) << 48) - 1)

struct seq_map {
    struct seq_span *spans;
    size_t count, count_max;
    uint64_t next; /* one more than the last recorded sequence noted */
};

void seq_map_init(struct seq_map *m);
void seq_map_close(struct seq_map *m);

/* The command recorded at seq is sequenced at `now`. Ascending; those left out between are nowhere.
 * 0: it was not sequenced when recorded, and is passed over. */
void seq_map_note(struct seq_map *m, uint64_t seq, uint64_t now);

/* Where it is; SEQ_MAP_NONE: no such command. Cost: a comparison while there is one span. */
uint64_t seq_map_find(const struct seq_map *m, uint64_t seq);

#endif
