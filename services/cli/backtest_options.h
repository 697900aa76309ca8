/* backtest_options: what `outcry backtest` was told, word by word. What can be read without the
 * symbol has been; what needs it (prices, quantities, parameters) is still text. */
#ifndef OUTCRY_CLI_BACKTEST_OPTIONS_H
#define OUTCRY_CLI_BACKTEST_OPTIONS_H

#include "backtest/sweep.h"
#include "backtest/venue.h"
#include "cli/backtest_history.h"
#include "cli/backtest_watch.h"

enum {
    BACKTEST_WORDS_MAX = 64,
    BACKTEST_NAME_SIZE = 64,

    BACKTEST_LATENCY_SAMPLES_MAX = 10000000, /* lines of --latency-file */
};

/* name=value, as it was given. */
struct backtest_word {
    char name[BACKTEST_NAME_SIZE];
    const char *value;
};

struct backtest_options {
    /* What runs: one of these four. */
    const char *type;
    const char *strategies; /* a configuration file */
    const char *inputs;
    bool serve;
    const char *only;
    char *const *program; /* of --serve; NULL: none */

    struct backtest_word words[BACKTEST_WORDS_MAX]; /* parameters and settings */
    unsigned word_count;

    const char *history;
    enum history_form form;
    const char *book;
    uint64_t ts_unit_ns;
    bool has_price_unit;
    struct decimal_unit price_unit;
    bool has_day;
    uint64_t day_ns;
    struct history_time from, to;
    const char *symbol;
    const char *tick_size, *lot_size; /* NULL: not given */
    bool any_price;

    struct latency order_latency, data_latency;
    const char *latency_file; /* where samples come from */
    uint64_t *samples_ns;
    size_t sample_count;
    enum queue_model queue_model;
    uint64_t seed;
    const char *without;

    const char *json, *csv, *html;
    uint64_t sample_ns; /* 0: the usual */
    bool around_the_clock;
    const char *trades, *book_rows;
    unsigned book_levels;

    struct sweep_axis *axes; /* SWEEP_AXES_MAX of them; NULL: no sweep */
    unsigned axis_count;
    unsigned jobs;
};

/* argv without settings, --config and --help. False: what is wrong was said on stderr. KEEPS argv.
 */
bool backtest_options_read(struct backtest_options *o, int argc, char **argv);
void backtest_options_free(struct backtest_options *o);

#endif
