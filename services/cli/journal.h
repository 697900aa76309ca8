/* journal: `outcry journal dump|ship|restore`: what may be done with a journal besides running from
 * it. Each is a file of its own, journal_<what>.c. */
#ifndef OUTCRY_CLI_JOURNAL_H
#define OUTCRY_CLI_JOURNAL_H

int journal_main(int argc, char **argv);

/* argv[0] is what is done. */
int journal_dump_main(int argc, char **argv);
int journal_ship_main(int argc, char **argv);
int journal_restore_main(int argc, char **argv);

#endif
