/* resume: `outcry resume`: says to matchers whose clock jumped that the clock is right. */
#ifndef OUTCRY_CLI_RESUME_H
#define OUTCRY_CLI_RESUME_H

int resume_main(int argc, char **argv);

#endif
