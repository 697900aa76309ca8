/* strategy: `outcry strategy`: becomes outcry-strategy, the program beside this one. */
#ifndef OUTCRY_CLI_STRATEGY_H
#define OUTCRY_CLI_STRATEGY_H

int strategy_main(int argc, char **argv);

#endif
