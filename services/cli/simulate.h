/* simulate: `outcry simulate`: a gentle, deterministic flow of orders into a live cluster, so that
 * there is something to see. The same seed sends the same commands in the same order. */
#ifndef OUTCRY_CLI_SIMULATE_H
#define OUTCRY_CLI_SIMULATE_H

int simulate_main(int argc, char **argv);

#endif
