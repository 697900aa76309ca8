#include "tests/sim/planted.h"

#ifdef OUTCRY_PLANTED

#include <strings.h>

#include "base/check.h"
#include "base/clock.h"

enum planted planted_bug;

uint64_t planted_clock_ns(void)
{
    return clock_wall_ns();
}

#define BUG(NAME, text) {#NAME, text},
static const struct {
    const char *name, *words;
} bugs[PLANTED_COUNT] = {{"NONE", "nothing"}, PLANTED_TABLE(BUG)};

bool planted_select(const char *name)
{
    for (unsigned i = 0; i < PLANTED_COUNT; i++) {
        if (strcasecmp(bugs[i].name, name) != 0)
            continue;
        planted_bug = (enum planted)i;
        return true;
    }
    return false;
}

const char *planted_name(enum planted bug)
{
    CHECK(bug < PLANTED_COUNT);
    return bugs[bug].name;
}

const char *planted_words(enum planted bug)
{
    CHECK(bug < PLANTED_COUNT);
    return bugs[bug].words;
}

#endif
