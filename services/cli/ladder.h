/* ladder: `outcry book SYMBOL`: the book of a symbol, level by level, as it changes. */
#ifndef OUTCRY_CLI_LADDER_H
#define OUTCRY_CLI_LADDER_H

int ladder_main(int argc, char **argv);

#endif
