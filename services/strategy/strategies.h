/* strategies: those that come with Outcry, and those of others, by name or file. */
#ifndef OUTCRY_STRATEGY_STRATEGIES_H
#define OUTCRY_STRATEGY_STRATEGIES_H

#include "strategy/strategy.h"

extern const struct strategy_class twap_class;  /* twap.c */
extern const struct strategy_class vwap_class;  /* vwap.c */
extern const struct strategy_class pov_class;   /* pov.c */
extern const struct strategy_class maker_class; /* maker.c */

enum { STRATEGIES_ERROR_SIZE = 512 };

/* A built-in one by name or, if there is a `/` or it ends in `.so`, the one a shared object exports
 * as `outcry_strategy`, which stays loaded. NULL, with error filled in. */
const struct strategy_class *strategies_find(const char *type, char error[STRATEGIES_ERROR_SIZE]);

/* The built-in ones: 0, 1, ...; NULL behind the last. */
const struct strategy_class *strategies_at(unsigned index);

#endif
