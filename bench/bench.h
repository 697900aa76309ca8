/* bench: `outcry bench`: which benches run, and one report of all of them. */
#ifndef OUTCRY_BENCH_BENCH_H
#define OUTCRY_BENCH_BENCH_H

/* Returns the exit status: 0, whatever the figures are; 1 if a request failed, a message was lost,
 * books differ or a file cannot be written; 2 for usage. */
int bench_main(int argc, char **argv);

#endif
