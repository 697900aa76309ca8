/* seeds: which seeds a randomised test runs.
 *
 *     OUTCRY_TEST_SEED=S    begin with seed S; alone, run only that one
 *     OUTCRY_TEST_SEEDS=N   run N of them
 *
 * or the same as arguments of the test program, in this order. The first default seed is 1, so a
 * run is the same everywhere; what is run is printed, and a failure names its seed. */
#ifndef OUTCRY_UNIT_BASE_SEEDS_H
#define OUTCRY_UNIT_BASE_SEEDS_H

#include <stdint.h>

/* Take the seeds from the arguments, for main(). */
void seeds_arguments(int argc, char **argv);

/* Run body(seed) for each seed, count of them unless told otherwise. */
void seeds_run(const char *name, uint64_t count, void (*body)(uint64_t seed));

/* A test that calls seeds_run: when it fails it says at which seed. */
#define SEEDS_TEST(name) cmocka_unit_test_teardown(name, seeds_tell)
int seeds_tell(void **state);

#endif
