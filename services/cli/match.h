/* match: `outcry match`, the engine alone: a CSV of commands in, a CSV of events out.
 *
 * For teaching, for tests, and for checking the engine against others. No process but this one, no
 * clock, no journal: the same file gives the same bytes. `outcry match --help` says it all. */
#ifndef OUTCRY_CLI_MATCH_H
#define OUTCRY_CLI_MATCH_H

/* argv[0]: "match". The exit status: 0; 1 if a file could not be read or written; 2 if the
 * arguments or the input are malformed, with nothing on standard output. */
int match_main(int argc, char **argv);

#endif
