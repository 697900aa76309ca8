/* simulate: `outcry simulate`: the orders of many people (services/simulate), deterministic for a
 * seed, sent to a live cluster in real time or written to a file.
 *
 *     simulate_options.c ──> order_flow ──> simulate.c       a cluster
 *                                      └──> simulate_file.c  a file */
#ifndef OUTCRY_CLI_SIMULATE_H
#define OUTCRY_CLI_SIMULATE_H

int simulate_main(int argc, char **argv);

#endif
