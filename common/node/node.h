/* node: the duty cycle, with real sockets, a real clock and a journal.
 *
 *     wait until an input has something, or the service's patience ends
 *     stamp the batch (cycle.h)
 *     service.begin; each input in order until it is empty, its budget is spent, or the service
 *         says its batch is full; service.end
 *     append the batch to the journal
 *     send whatever in the outbox is due: tagged with a committed batch
 *
 * Under load a batch is what came while the last one was worked on; idle, it is one message.
 * Thread: one. */
#ifndef OUTCRY_NODE_NODE_H
#define OUTCRY_NODE_NODE_H

#include "base/status.h"
#include "bus/endpoint.h"
#include "bus/mailbox.h"
#include "node/access.h"
#include "node/cycle.h"
#include "node/turns.h"

enum {
    NODE_INPUTS_MAX = 72,   /* 64 shards, and what else a service reads */
    NODE_OUTPUTS_MAX = 144, /* two for each shard, and what else it says */
};

typedef struct node node_t;

/* KEEPS service and journal (NULL: everything is due at once). now_ns: the last stamp of the
 * history so far; 0: none. */
node_t *node_new(const struct service *service, journal_t *journal, uint64_t now_ns);

/* Closes the node's sockets; what they still hold to send goes out first, for a moment. */
void node_destroy(node_t **n);

/* What its turns are counted in, and who is told of each (turns.h). Before inputs and outputs are
 * opened. KEEPS what it points to. */
void node_watch(node_t *n, const struct node_watch *watch);

/* Guard its tcp sockets as this role, if the cluster has keys; before any is opened, and after
 * node_watch. False with error in words. */
bool node_guard(node_t *n, const struct cluster *c, const char *role,
                char error[ENDPOINT_ERROR_SIZE]);

/* Inputs (PULL, SUB) are numbered 0, 1, ... in the order they are opened, and drained in that
 * order, at most budget messages of each a cycle; outputs (XPUB, PUSH) likewise, as the outbox
 * names them. name: of its kind, as it is counted: those of one name are counted together; and
 * under a guard the name in access.h. The socket, for its subscriptions; NULL, with error filled
 * in, if it cannot be opened. */
void *node_open_input(node_t *n, enum endpoint_kind kind, const char *name, const char *address,
                      unsigned budget, char error[ENDPOINT_ERROR_SIZE]);
void *node_open_output(node_t *n, enum endpoint_kind kind, const char *name, const char *address,
                       char error[ENDPOINT_ERROR_SIZE]);

/* Neighbours in this process, on threads of their own: numbered with the sockets. What the service
 * sends to such an output is handed to `deliver`, on the node's thread; it must not wait. KEEPS
 * mailbox and self. */
void node_open_mailbox(node_t *n, const char *name, mailbox_t *mailbox, unsigned budget);
void node_open_neighbour(node_t *n, const char *name, void *self,
                         void (*deliver)(void *self, const uint8_t *message, size_t size));

/* One cycle. STATUS_IO: the journal failed for good. */
enum status node_cycle(node_t *n);

/* Messages an output could not hand to everybody who should have had them. */
uint64_t node_drops(const node_t *n, unsigned output);

/* From here on SIGTERM and SIGINT end the process at once, with status 0: for what takes long and
 * may be left at any moment, as reading a journal may. The first process of a container would not
 * be sent them without a handler. */
void node_end_on_signals(void);

/* From here on SIGTERM and SIGINT end node_run, also if they come before it has begun: for who says
 * that it has started before it runs. */
void node_catch_signals(void);

/* Cycles until SIGTERM or SIGINT, for which it installs handlers; then, for a service that cares
 * (service.stand), takes no more commands, finishes what it has, ends the journal in order and says
 * so. STATUS_IO: the journal failed, which was said. */
enum status node_run(node_t *n);

#endif
