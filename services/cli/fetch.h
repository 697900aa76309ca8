/* fetch: one path of many targets at once: who does not answer holds nobody up. Connections are not
 * kept: a service has few threads for those who look at it. Thread: one. */
#ifndef OUTCRY_CLI_FETCH_H
#define OUTCRY_CLI_FETCH_H

#include <stddef.h>

#include "cli/targets.h"

enum { FETCH_ERROR_SIZE = 128, FETCH_SIZE_MAX = 16 << 20, FETCH_WHY_SIZE = 160 };

struct fetched {
    long status; /* HTTP; 0: there was no answer, see error */
    char *text;  /* the body, terminated; NULL: there was no answer */
    size_t size;
    char error[FETCH_ERROR_SIZE];
};

/* GET path of every target that has an address, into answers[0..t->count), and wait for all of them
 * for at most timeout_ms. */
void fetch_all(const struct targets *t, const char *path, unsigned timeout_ms,
               struct fetched *answers);
void fetch_free(struct fetched *answers, unsigned count);

/* Why it is not 200, in one line that prints: what went wrong on the way, or the words of the
 * answer: of JSON its `detail` or `status`, else its first line. */
void fetch_why(const struct fetched *answer, char why[FETCH_WHY_SIZE]);

#endif
