/* strategy_spec: one strategy's configuration, word by word: `name=value`, from a command line, or
 * from the section `strategies` of the configuration file:
 *
 *     strategies
 *         maker-1
 *             type = maker
 *             symbol = BTC-USD
 *             account = maker-1       its own name, if not said
 *             position_max = 2.5      limits, in the symbol's decimals
 *             order_max = 0.5
 *             loss_max = 1000         quote money
 *             messages_per_second = 50
 *             maker_fee = -0.5        basis points, at most two digits behind the point
 *             taker_fee = 2
 *             inventory = 0           what it begins with, bought at inventory_price
 *             gamma = 0.001           and whatever parameters its type has
 *
 * Money is counted in ticks x lots: loss_max is cut to a whole number of them, so it is never more
 * than was said. A limit of `none` is none, which is also what it is when nothing is said of it.
 * Every mistake is told with where it stands, what was found and what was expected. */
#ifndef OUTCRY_STRATEGY_STRATEGY_SPEC_H
#define OUTCRY_STRATEGY_STRATEGY_SPEC_H

#include "node/cluster.h"
#include "strategy/strategy_host.h"

enum {
    STRATEGY_SPEC_ERROR_SIZE = 1024,
    STRATEGY_SPEC_SIZE_MAX = 16384, /* strategy_spec_write's */
};

/* name: what it is called. Its type is to be set first, then its symbol, then the rest. */
void strategy_spec_init(struct strategy_spec *s, const char *name);

/* False, with error: what was found and expected. */
bool strategy_spec_type(struct strategy_spec *s, const char *type,
                        char error[STRATEGY_SPEC_ERROR_SIZE]);
bool strategy_spec_symbol(struct strategy_spec *s, const struct cluster_symbol *symbol,
                          char error[STRATEGY_SPEC_ERROR_SIZE]);
bool strategy_spec_set(struct strategy_spec *s, const char *name, const char *value,
                       char error[STRATEGY_SPEC_ERROR_SIZE]);
/* Once, last: what must be given is there, and goes together. */
bool strategy_spec_complete(struct strategy_spec *s, char error[STRATEGY_SPEC_ERROR_SIZE]);

/* The section `strategies` of the file (FILE:LINE in front of each complaint). only: NULL, or the
 * one name that is wanted. *count: up to max; 0 if there is no such section. */
bool strategy_specs_load(const struct cluster *c, const char *file, const char *only,
                         struct strategy_spec *specs, unsigned max, unsigned *count,
                         char error[STRATEGY_SPEC_ERROR_SIZE]);

/* All that can be set besides the type's own parameters, for --help. */
void strategy_spec_print(FILE *out);

/* As bytes and back: what a recorded run begins with (inputs.h). size_max: at least
 * STRATEGY_SPEC_SIZE_MAX. The type's class is found again by its name; its parameters are read and
 * checked again. */
size_t strategy_spec_write(const struct strategy_spec *s, uint8_t *bytes, size_t size_max);
bool strategy_spec_read(struct strategy_spec *s, const uint8_t *bytes, size_t size,
                        char error[STRATEGY_SPEC_ERROR_SIZE]);

#endif
