/* inputs_record: how the records of inputs.h look; for inputs.c, which writes them, and
 * inputs_reader.c and inputs_player.c, which read them.
 *
 * A record's msgpack array is [kind, n, now_ns, fields...]:
 *
 *     run         session, count, and each strategy as strategy_spec_write says it     (always 1st)
 *     start, time
 *     book_reset  symbol                    book_event  symbol, type, bytes of its fields
 *     book_joined symbol                    book_group  symbol, seq, time_ns
 *     account     strategy, type, order_id, client_order_id, price, qty, open_qty, trade_id,
 *                 reason, maker
 *     result      shard, and its fields     lost        shard
 *     stop_all    why
 *     command     strategy, the command as proto/command.h writes it, its envelope empty
 *     end                                                     (the last of a run that ended well)
 */
#ifndef OUTCRY_STRATEGY_INPUTS_RECORD_H
#define OUTCRY_STRATEGY_INPUTS_RECORD_H

#include "proto/command.h"
#include "strategy/inputs.h"
#include "strategy/strategy_spec.h"

enum {
    INPUTS_VERSION = 1,
    INPUTS_HEAD_SIZE = 8,   /* of the file: OCIN, version */
    RECORD_HEAD_SIZE = 8,   /* of a record: size, crc32c */
    RECORD_SIZE_MAX = 1024, /* of a body, but for the first one's */
    RECORD_RUN_SIZE_MAX = STRATEGIES_MAX * (STRATEGY_SPEC_SIZE_MAX + 5) + 64,
    RECORD_WHY_SIZE = 256,
    RECORD_EVENT_SIZE = 64, /* no event of a book has more in its fields */
};

enum record_kind {
    RECORD_RUN = 1,
    RECORD_START,
    RECORD_BOOK_RESET,
    RECORD_BOOK_EVENT,
    RECORD_BOOK_JOINED,
    RECORD_BOOK_GROUP,
    RECORD_ACCOUNT,
    RECORD_RESULT,
    RECORD_LOST,
    RECORD_TIME,
    RECORD_STOP_ALL,
    RECORD_COMMAND,
    RECORD_END,
};

static inline void record_put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static inline uint32_t record_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- reading (inputs_reader.c) ---- */

/* What is next in the file. */
enum record_read {
    RECORD_READ,
    RECORD_NONE,  /* nothing, or the beginning of one: the file was cut there */
    RECORD_WRONG, /* it is damaged: error says how */
};

struct inputs_reader {
    FILE *file;
    char path[512];
    uint64_t size;
    uint64_t at;      /* of what is next */
    uint64_t body_at; /* of the record that was read last */
    uint64_t n;       /* its number */
    bool ended;       /* by its last record */
    char error[INPUTS_ERROR_SIZE];
};

/* Errors: STATUS_IO; STATUS_INVALID  it is no such file; error says. */
enum status inputs_reader_open(struct inputs_reader *r, const char *path);
void inputs_reader_close(struct inputs_reader *r);

/* Read the next record's body; its n must be the next one. */
enum record_read inputs_reader_next(struct inputs_reader *r, uint8_t *bytes, size_t size_max,
                                    size_t *size);

/* Say what is wrong with the record that was read last; false. */
__attribute__((format(printf, 2, 3))) bool inputs_reader_wrong(struct inputs_reader *r,
                                                               const char *words, ...);

#endif
