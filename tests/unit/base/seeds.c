#include "tests/unit/base/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *first_argument, *count_argument;
static const char *running; /* NULL: no body is */
static uint64_t running_seed;

void seeds_arguments(int argc, char **argv)
{
    first_argument = argc > 1 ? argv[1] : NULL;
    count_argument = argc > 2 ? argv[2] : NULL;
}

static const char *first_of(const char *argument, const char *variable)
{
    return argument != NULL ? argument : getenv(variable);
}

void seeds_run(const char *name, uint64_t count, void (*body)(uint64_t seed))
{
    const char *first_text = first_of(first_argument, "OUTCRY_TEST_SEED");
    const char *count_text = first_of(count_argument, "OUTCRY_TEST_SEEDS");
    uint64_t first = first_text == NULL ? 1 : strtoull(first_text, NULL, 10);
    if (count_text != NULL)
        count = strtoull(count_text, NULL, 10);
    else if (first_text != NULL)
        count = 1;
    fprintf(stderr, "%s: seeds %" PRIu64 " to %" PRIu64 "\n", name, first, first + count - 1);
    for (uint64_t seed = first; seed < first + count; seed++) {
        running = name;
        running_seed = seed;
        body(seed);
        running = NULL;
    }
}

int seeds_tell(void **state)
{
    (void)state;
    if (running != NULL)
        fprintf(stderr, "%s: failed at seed %" PRIu64 "; alone: OUTCRY_TEST_SEED=%" PRIu64 "\n",
                running, running_seed, running_seed);
    running = NULL;
    return 0;
}
