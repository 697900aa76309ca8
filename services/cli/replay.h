/* replay: `outcry replay`: a recorded day through a live cluster, under a window of unanswered
 * commands, with a report; and, given the recorded book, whether the published one was the same. */
#ifndef OUTCRY_CLI_REPLAY_H
#define OUTCRY_CLI_REPLAY_H

int replay_main(int argc, char **argv);

/* Called as `lob-replay FILE ...`: `outcry replay --format csv FILE ...`. */
int lob_replay_main(int argc, char **argv);

#endif
