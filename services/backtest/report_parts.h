/* report_parts: what the forms of a report share: figures by name, decimals, text made safe, pages
 * and plots. Every form shows the same figures, in the order of one table. */
#ifndef OUTCRY_BACKTEST_REPORT_PARTS_H
#define OUTCRY_BACKTEST_REPORT_PARTS_H

#include "backtest/report.h"

/* ---- report_decimals.c: exact ---- */

enum {
    REPORT_TEXT_SIZE = 128, /* of any number, time or word of a figure */
};

/* Money of ticks x lots; of millionths of half ticks x lots; a price of half ticks. As many digits
 * as it has, at least those of the tick. */
void report_money(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s, notional_t money);
void report_money_fine(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s,
                       notional_t micro_halves);
void report_price_halves(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s,
                         int64_t halves);
void report_price(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s, int64_t ticks);
void report_qty(char text[REPORT_TEXT_SIZE], const struct strategy_symbol *s, int64_t lots);

/* A decimal with no more than so many digits behind the point, half away from zero; no minus before
 * what is 0 then. */
void report_round(char text[REPORT_TEXT_SIZE], unsigned digits);

/* Commas between thousands, for people. text: an amount above or below zero. */
void report_group_digits(char text[REPORT_TEXT_SIZE]);

/* For plots and statistics: never the only form of an amount. */
double report_unit(const struct decimal_unit *unit);

/* ---- report_text.c ---- */

/* In UTC: "2012-06-21T13:30:00.004241176Z", or for people "2012-06-21 13:30:00.004". */
void report_time(char text[REPORT_TEXT_SIZE], uint64_t time_ns);
void report_time_shown(char text[REPORT_TEXT_SIZE], uint64_t time_ns);

/* Valid UTF-8 on one line without control characters, whatever it was; the caller's to free. */
char *report_clean(const char *words);

/* The same, straight to a page (for attributes too) or to a terminal. */
void report_put_html(FILE *out, const char *words);
void report_put_plain(FILE *out, const char *words);

/* The first line of every form; the caller's to free. */
char *report_headline(const struct result_figures *f);

/* Why an order ended as it did; "": it is not known to have ended, or it was filled. */
const char *report_refusal(const struct result_order *o);

/* ---- report_sweep.c ---- */

/* Its first point that went well; NULL: none did. */
const struct report_point *report_sweep_first(const struct report_point *points, unsigned count);

/* That one's headline; the caller's to free. */
char *report_sweep_headline(const struct report_point *points, unsigned count);

struct report_sweep_value {
    char name[64];
    char value[64];
};

/* The next of a point's `name=value`s; where the one after it begins, NULL: there is none. */
const char *report_sweep_value(const char *values, struct report_sweep_value *v);

/* ---- report_figures.c ---- */

enum report_group {
    REPORT_PNL,
    REPORT_INVENTORY,
    REPORT_TRADING,
    REPORT_EXECUTION,
    REPORT_QUEUE,
    REPORT_GROUP_COUNT,
};

enum report_kind {
    REPORT_MONEY,      /* notional_t, ticks x lots */
    REPORT_MONEY_FINE, /* notional_t, millionths of half ticks x lots */
    REPORT_FEES,       /* notional_t, millionths of ticks x lots */
    REPORT_TURNOVER,   /* of the ledger */
    REPORT_LOTS,       /* int64_t */
    REPORT_BEGAN_WITH, /* lots of the ledger */
    REPORT_MARK,       /* int64_t, half ticks; 0: none */
    REPORT_COUNT,      /* uint64_t */
    REPORT_TICKS_MEAN, /* real_or_nil, ticks */
    REPORT_LOTS_MEAN,  /* real_or_nil, lots */
    REPORT_SHARE,      /* real_or_nil, of 1 */
    REPORT_BASIS,      /* real_or_nil, basis points */
    REPORT_NUMBER,     /* real_or_nil */
    REPORT_SECONDS,    /* real_or_nil */
};

struct report_figure {
    const char *key;   /* in JSON */
    const char *label; /* for people */
    enum report_group group;
    enum report_kind kind;
    size_t offset;       /* in struct result_figures */
    bool swept;          /* in the tables of a sweep */
    const char *meaning; /* what it is, a sentence */
};

struct report_value {
    bool given;
    bool exact;    /* money, prices, quantities: `text` is all of it */
    double number; /* of all kinds: for plots and sorting */
    char text[REPORT_TEXT_SIZE];
    char shown[REPORT_TEXT_SIZE]; /* for people: rounded, with its unit; "-" where nil */
};

/* All of them, by group. */
const struct report_figure *report_figure_at(unsigned index); /* NULL behind the last */
const char *report_group_name(enum report_group group);
struct report_value report_value(const struct report_figure *figure,
                                 const struct result_figures *f);

enum { REPORT_NOTES_SHOWN = 200 }; /* on a page */

/* ---- report_page.c: what stands around the body of a page ---- */

void report_page_begin(FILE *out, const char *title);
void report_page_end(FILE *out);
/* The headline as the page's largest words, and one line more ("": none). */
void report_page_title(FILE *out, const struct result_figures *f, const char *more);
/* A label and a value in a list of facts. */
void report_page_fact(FILE *out, const char *label, const char *value);
/* How it was run. */
void report_page_run(FILE *out, const struct report_run *run);

/* ---- report_plot.c ---- */

struct report_curve {
    const char *name;
    const char *style; /* a class of the page: "line", "accent", "dashed", "area" */
    bool steps;        /* it keeps a value until the next */
    bool dots;
    unsigned digits; /* behind the point, when asked */
    const double *x; /* ascending */
    const double *y; /* NAN: a gap */
    size_t count;
};

struct report_mark {
    double x, y;
    const char *style; /* "buy maker", "buy taker", "sell maker", "sell taker" */
};

struct report_plot {
    const char *title;
    bool time; /* x is seconds after begin_ns; otherwise a parameter */
    uint64_t begin_ns;
    double x_low, x_high;
    bool zero; /* the axis reaches to 0 */
    const struct report_curve *curves;
    unsigned curve_count;
    const struct report_mark *marks;
    size_t mark_count;
    const char *none; /* said where there is nothing to draw */
};

/* One SVG, with what a pointer over it shows. However many points there are, what is drawn is at
 * most a few a column of pixels, the lowest and the highest of it among them. */
void report_plot(FILE *out, const struct report_plot *p);

#endif
