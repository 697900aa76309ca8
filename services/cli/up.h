/* up: `outcry up`: a whole cluster on this machine, from one configuration, until Ctrl-C. What it
 * starts, in which order that stops, and when all of it is ready; supervisor.h keeps it running. */
#ifndef OUTCRY_CLI_UP_H
#define OUTCRY_CLI_UP_H

int up_main(int argc, char **argv);

#endif
