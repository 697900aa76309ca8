/* replay_input: a recorded day, in any of three forms, as rows to send: read and checked whole
 * before the first is sent.
 *
 *   commands  header row,ts,op,order_id,side,price,qty; op new cancel reduce ioc; prices in ticks,
 *             ts in seconds; `row` counts the recording's rows, 0 is before the first
 *   lobster   LOBSTER's message file, no header: time,type,id,size,price,direction; what it does
 *             not tell is taken from its orderbook file (replay_lobster.h)
 *   csv       header ts,msg_type,side,price,qty,order_id; msg_type add cancel amend market ioc fok,
 *             or one letter of A C U M I F; prices and quantities are decimals of the symbol */
#ifndef OUTCRY_CLI_REPLAY_INPUT_H
#define OUTCRY_CLI_REPLAY_INPUT_H

#include "cli/csv.h"
#include "node/cluster.h"
#include "proto/command.h"

enum replay_format { REPLAY_COMMANDS, REPLAY_LOBSTER, REPLAY_CSV };

enum replay_op { REPLAY_NEW, REPLAY_CANCEL, REPLAY_REDUCE, REPLAY_AMEND };

struct replay_row {
    enum replay_op op;
    uint8_t side;
    uint8_t type;
    uint8_t time_in_force;
    struct i64_or_nil price;
    struct i64_or_nil qty;
    struct text id;
    uint64_t row; /* of the recording; after its last command the book is as recorded there */
    uint64_t ts_ns;
};

struct replay_made_ids; /* replay_lobster.c */

struct replay_input {
    struct csv_file file;
    struct csv_file book; /* data NULL: none */
    struct replay_row *rows;
    size_t row_count;
    struct replay_made_ids *made_ids; /* texts of ids that do not stand in the file */
    uint64_t unexplained; /* rows of the recording that do not follow from the book before them */
};

struct replay_options {
    enum replay_format format;
    const char *path;
    const char *book_path; /* LOBSTER's orderbook file, or NULL */
    const struct cluster_symbol *symbol;
    uint64_t ts_unit_ns; /* csv: what ts counts */
};

/* Read and check it all; what is wrong is said on stderr. STATUS_INVALID: the input is malformed;
 * STATUS_IO: it cannot be read. */
enum status replay_input_load(struct replay_input *in, const struct replay_options *options);

/* The same of what is in memory: in->file and in->book are loaded, the rest is empty; the options'
 * paths are not looked at. STATUS_INVALID: as above. */
enum status replay_input_read(struct replay_input *in, const struct replay_options *options);
void replay_input_unload(struct replay_input *in);

/* A row as the command it is; the texts are BORROWED. */
struct command replay_row_command(const struct replay_row *row, struct text symbol,
                                  struct text account, struct text client_order_id);

#endif
