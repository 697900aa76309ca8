/* match_input: the rows `outcry match` is given, read and checked.
 *
 * A row is a command as it was written: words are numbers, labels and accounts are the numbers of
 * their texts, in two tables. So everything that may be malformed has been looked at before the
 * first command runs, and the file itself is needed no more.
 *
 * The columns, in any order:
 *
 *     op         new cancel amend reduce mass_cancel      empty: new
 *     id         label: 1 to 36 of A-Z a-z 0-9 _ . : -    may be empty for mass_cancel only
 *     account    0 to 32 of A-Z a-z 0-9 _ -
 *     side       buy sell                                 needed for new
 *     type       limit market                             empty: limit
 *     tif        GTC IOC FOK                              empty: GTC
 *     price qty  int64
 *     post_only  0 1                                      empty: 0
 *     stp        none reject                              empty: none
 *     qty_is     open total                               empty: open
 *
 * A cell an op has no use for must still be well-formed. */
#ifndef OUTCRY_CLI_MATCH_INPUT_H
#define OUTCRY_CLI_MATCH_INPUT_H

#include "base/name_table.h"
#include "cli/csv.h"
#include "proto/messages.h"

enum match_op { MATCH_NEW, MATCH_CANCEL, MATCH_AMEND, MATCH_REDUCE, MATCH_MASS_CANCEL };

enum { MATCH_ROWS_MAX = 1 << 30 }; /* what the tables of labels and accounts can number */

struct match_row {
    int64_t price; /* 0 where not given */
    int64_t qty;
    uint32_t label;   /* in match_input.labels; 0: none */
    uint32_t account; /* in match_input.accounts; 0: the empty one */
    bool price_given;
    bool qty_given;
    uint8_t op;            /* enum match_op */
    uint8_t side;          /* enum side; 0: not given */
    uint8_t type;          /* enum order_type */
    uint8_t time_in_force; /* enum time_in_force */
    uint8_t post_only;     /* 0, 1 */
    uint8_t stp;           /* enum stp */
    uint8_t qty_is;        /* enum qty_is */
};

struct match_input {
    struct match_row *rows; /* the row of step n at n - 1 */
    uint64_t row_count;
    uint64_t row_max;
    uint64_t new_count; /* rows that place an order */
    struct name_table labels;
    struct name_table accounts;
};

/* Check a file and take its rows. The file may be unloaded then, but not before a fault was told.
 * false: *fault says what is malformed; the first such row counts. Nothing is held then. */
bool match_input_read(struct match_input *in, const struct csv_file *file, struct csv_fault *fault);
void match_input_close(struct match_input *in);

/* number: 1 to labels.count, or accounts.count; 0 is empty. */
static inline struct text match_input_label(const struct match_input *in, uint32_t number)
{
    return (struct text){in->labels.names[number].text, in->labels.names[number].size};
}

static inline struct text match_input_account(const struct match_input *in, uint32_t number)
{
    return (struct text){in->accounts.names[number].text, in->accounts.names[number].size};
}

#endif
