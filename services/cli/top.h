/* top: `outcry top`: a cluster at work, in the terminal. */
#ifndef OUTCRY_CLI_TOP_H
#define OUTCRY_CLI_TOP_H

int top_main(int argc, char **argv);

#endif
