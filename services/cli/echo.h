/* echo: the floor a replay is held against: the same messages, to another process that answers
 * each with a message of the same size as the matcher's results, and does nothing else. */
#ifndef OUTCRY_CLI_ECHO_H
#define OUTCRY_CLI_ECHO_H

#include <stddef.h>
#include <stdint.h>

#include "bus/endpoint.h"

typedef struct echo echo_t;

/* Start the other process; its sockets lie in `directory`. NULL with error filled in on failure. */
echo_t *echo_open(const char *directory, char error[ENDPOINT_ERROR_SIZE]);
void echo_close(echo_t **e);

/* Send the `count` messages of the given sizes, command_counts commands each, with at most
 * `window` commands unanswered; the seconds until all are answered, or a negative number if
 * something failed. bytes: all messages one behind the other. */
double echo_run(echo_t *e, const uint8_t *bytes, const size_t *sizes,
                const uint32_t *command_counts, size_t count, uint64_t window);

#endif
