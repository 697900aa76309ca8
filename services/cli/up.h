/* up: `outcry up`: a whole cluster on this machine, from one configuration, until Ctrl-C. It
 * restarts nothing by itself: a process that ends is told in words and ends the rest. */
#ifndef OUTCRY_CLI_UP_H
#define OUTCRY_CLI_UP_H

int up_main(int argc, char **argv);

#endif
