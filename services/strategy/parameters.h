/* parameters: what can be set of a strategy: one table, expanded into checks, defaults and help.
 *
 * A value is text until it is read against its table, with the symbol's tick and lot at hand:
 * decimals become ticks and lots exactly, and a mistake is refused in words that name the
 * parameter, what was found and what was expected. Pure. */
#ifndef OUTCRY_STRATEGY_PARAMETERS_H
#define OUTCRY_STRATEGY_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/decimal.h"

enum {
    PARAMETERS_MAX = 32,
    PARAMETER_NAME_SIZE_MAX = 63,
    PARAMETER_TEXT_SIZE = 256,
    PARAMETER_ERROR_SIZE = 512,
};

enum parameter_kind {
    PARAMETER_PRICE,    /* a decimal in the quote currency -> ticks */
    PARAMETER_QUANTITY, /* a decimal in the base currency -> lots */
    PARAMETER_SECONDS,  /* a decimal -> ns */
    PARAMETER_COUNT,    /* a whole number */
    PARAMETER_NUMBER,   /* a decimal -> double: factors and shares, never money */
    PARAMETER_WORD,     /* one of `words`, with | between them -> its index */
    PARAMETER_FILE,     /* a path; empty: none */
};

struct parameter {
    const char *name;
    enum parameter_kind kind;
    const char *otherwise; /* the default, as text; NULL: it must be given; "none", of a price,
                              quantity, seconds or count: it may be absent, and `none` be said */
    double low, high;      /* inclusive, in the unit it is written in; not of words and files */
    const char *words;     /* PARAMETER_WORD only */
    const char *unit;      /* for people: "s", "lots a clip", ... */
    const char *summary;
};

/* The number of a value that is absent. */
#define PARAMETER_NONE INT64_MIN

struct parameter_value {
    char text[PARAMETER_TEXT_SIZE]; /* as it was given, or the default */
    bool given;                     /* text, number and real have been read */
    int64_t number;
    double real; /* as it is written, in its own unit */
};

struct parameters {
    const struct parameter *table;
    unsigned count;
    struct parameter_value values[PARAMETERS_MAX]; /* as in the table */
};

/* Where prices and quantities are counted in. */
struct parameter_units {
    struct decimal_unit tick, lot;
};

/* What a tick x lot is in money; false if that has more digits behind the point than a decimal. */
bool parameter_units_money(const struct parameter_units *units, struct decimal_unit *money);

/* Every parameter at its default, or not given. */
void parameters_init(struct parameters *p, const struct parameter *table);

/* Set one from text. False, with error filled in: no such parameter, or not such a value. */
bool parameters_set(struct parameters *p, const struct parameter_units *units, const char *name,
                    const char *text, char error[PARAMETER_ERROR_SIZE]);

/* Read the defaults of those that were not set; false, with error: one that must be given is
 * missing. Once, after the last parameters_set. */
bool parameters_complete(struct parameters *p, const struct parameter_units *units,
                         char error[PARAMETER_ERROR_SIZE]);

/* NULL: no such parameter. */
const struct parameter_value *parameters_get(const struct parameters *p, const char *name);

/* A table of them for --help. */
void parameters_print(const struct parameter *table, FILE *out);

/* "Their names, like this", for a complaint. */
void parameters_names(const struct parameter *table, char *text, size_t size);

#endif
