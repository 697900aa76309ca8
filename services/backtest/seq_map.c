#include "backtest/seq_map.h"

#include <string.h>

#include "base/memory.h"

enum { SPANS_FIRST = 64 };

void seq_map_init(struct seq_map *m)
{
    *m = (struct seq_map){.count_max = SPANS_FIRST};
    m->spans = memory_new(m->count_max, sizeof *m->spans, "sequences");
}

void seq_map_close(struct seq_map *m)
{
    memory_free(m->spans, m->count_max, sizeof *m->spans);
}

static void add_span(struct seq_map *m, uint64_t from, uint64_t now)
{
    if (m->count == m->count_max) {
        struct seq_span *more = memory_new(m->count_max * 2, sizeof *more, "sequences");
        memcpy(more, m->spans, m->count * sizeof *more);
        memory_free(m->spans, m->count_max, sizeof *m->spans);
        m->spans = more;
        m->count_max *= 2;
    }
    m->spans[m->count++] = (struct seq_span){from, now};
}

static uint64_t at(const struct seq_span *s, uint64_t seq)
{
    return s->now == SEQ_MAP_NONE ? SEQ_MAP_NONE : s->now + (seq - s->from);
}

/* Where the shift stays the same across a gap, what was in it was work that went on, now as then.
 */
void seq_map_note(struct seq_map *m, uint64_t seq, uint64_t now)
{
    if (seq == 0)
        return;
    const struct seq_span *last = m->count > 0 ? &m->spans[m->count - 1] : NULL;
    bool goes_on = last != NULL && at(last, seq) == now;
    if (!goes_on && last != NULL && seq > m->next)
        add_span(m, m->next, SEQ_MAP_NONE);
    if (!goes_on)
        add_span(m, seq, now);
    m->next = seq + 1;
}

uint64_t seq_map_find(const struct seq_map *m, uint64_t seq)
{
    if (m->count == 0 || seq < m->spans[0].from)
        return SEQ_MAP_NONE;
    size_t low = 0, high = m->count - 1;
    if (seq >= m->spans[high].from)
        return at(&m->spans[high], seq);
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (m->spans[middle].from <= seq)
            low = middle;
        else
            high = middle;
    }
    return at(&m->spans[low], seq);
}
