/* client: a program's way into a live cluster: one origin a shard, commands go to the shard of
 * their symbol, results come back in order per shard. Thread: one. */
#ifndef OUTCRY_CLI_CLIENT_H
#define OUTCRY_CLI_CLIENT_H

#include "bus/endpoint.h"
#include "bus/origin.h"
#include "node/cluster.h"

typedef struct client client_t;

struct client_owner {
    void *self;
    void (*result)(void *self, unsigned shard, uint64_t origin_seq, const struct result *result);
};

/* Connect to every shard as origin `name`; waits up to a few seconds until each takes commands and
 * our results can be heard. NULL, with error filled in, if that does not come about. */
client_t *client_open(const struct cluster *cluster, const char *name, uint32_t window,
                      const struct client_owner *owner, char error[ENDPOINT_ERROR_SIZE]);
void client_close(client_t **c);

/* Put a command into its shard's window; it goes out with the next client_poll.
 * Errors: STATUS_FULL     the window is full: poll, and try again.
 *         STATUS_MISSING  the shard's session is lost (client_lost). */
enum status client_command(client_t *c, unsigned shard, struct command *command,
                           uint64_t *origin_seq);

/* Send what is put, take results in; waits at most timeout_ms for something to come. */
void client_poll(client_t *c, long timeout_ms);

uint64_t client_unanswered(const client_t *c);

/* Whether a shard forgot us: its matcher began a new history. Results that are missing stay so. */
bool client_lost(const client_t *c);
uint64_t client_repeats(const client_t *c);

#endif
