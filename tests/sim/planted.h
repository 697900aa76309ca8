/* planted: which of the bugs of base/planted.h is there. For programs of the build that has them
 * (OUTCRY_PLANTED). */
#ifndef OUTCRY_SIM_PLANTED_H
#define OUTCRY_SIM_PLANTED_H

#include <stdbool.h>

#include "base/planted.h"

#ifdef OUTCRY_PLANTED

/* Plant this one alone, by its name, in any case; "none": none. False: there is no such bug. */
bool planted_select(const char *name);

/* The name of one, and what goes wrong; PLANTED_NONE: "NONE". */
const char *planted_name(enum planted bug);
const char *planted_words(enum planted bug);

#endif

#endif
