/* tape: `outcry tape TOPIC...`: what is published, in words, as it happens. */
#ifndef OUTCRY_CLI_TAPE_H
#define OUTCRY_CLI_TAPE_H

int tape_main(int argc, char **argv);

#endif
