/* match_report: what `outcry match` prints: events, book rows, queues.
 *
 *     events  step,event,id,side,price,qty,maker_id,taker_id,open_qty,reason    standard output
 *     book    step,ask1_price,ask1_qty,bid1_price,bid1_qty,ask2_price,...       one row a step
 *     queues  side,price,id,open_qty                                            once, at the end
 *
 * The engine speaks of orders by number; the labels of those numbers are kept here. */
#ifndef OUTCRY_CLI_MATCH_REPORT_H
#define OUTCRY_CLI_MATCH_REPORT_H

#include "cli/csv_writer.h"
#include "cli/match_input.h"
#include "engine/engine.h"

enum { MATCH_DEPTH_MAX = 10000 }; /* a book row so deep still fits a writer's buffer */

struct match_report {
    const struct match_input *in;
    const engine_t *engine;
    uint32_t symbol;
    unsigned depth;
    bool with_book;
    bool with_queues;
    uint32_t *labels; /* by number of the order */
    uint64_t label_count;
    struct csv_writer events;
    struct csv_writer book;
    struct csv_writer queues;
};

/* Begin, and write the headers. Whether it worked, match_report_failed() tells; then nothing but
 * match_report_close() may follow. symbol: the one that is traded; book_path, queues_path: NULL for
 * none; depth: 1..MATCH_DEPTH_MAX levels a book row.
 *
 * KEEPS all. */
void match_report_open(struct match_report *r, const struct match_input *in, const engine_t *engine,
                       uint32_t symbol, const char *book_path, unsigned depth,
                       const char *queues_path);

/* Write out the rest, and end. The file that could not be written and *error, its errno; NULL if
 * all were. */
const char *match_report_close(struct match_report *r, int *error);

/* Whether something could not be written, so that to go on has no purpose. */
bool match_report_failed(const struct match_report *r);

/* The events of the engine's last command. label: of the row, for the order it may have placed. */
void match_report_events(struct match_report *r, uint64_t step, uint32_t label);
void match_report_rejected(struct match_report *r, uint64_t step, uint32_t label,
                           enum reason reason);
void match_report_book(struct match_report *r, uint64_t step);
void match_report_queues(struct match_report *r);

#endif
