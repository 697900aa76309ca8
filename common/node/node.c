#include "node/node.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

struct input {
    void *socket; /* or */
    mailbox_t *mailbox;
    unsigned budget;   /* messages a cycle */
    zmq_msg_t message; /* of a socket */
    const uint8_t *bytes;
    size_t size;
    bool held; /* the batch was full: the message is offered again */
};

struct output {
    void *socket; /* or */
    void *neighbour;
    void (*deliver)(void *self, const uint8_t *message, size_t size);
    bool xpub;
};

struct node {
    struct service service;
    journal_t *journal;
    void *context;
    struct input inputs[NODE_INPUTS_MAX];
    unsigned input_count;
    struct output outputs[NODE_OUTPUTS_MAX];
    unsigned output_count;
    zmq_pollitem_t items[NODE_INPUTS_MAX + NODE_OUTPUTS_MAX];
    uint64_t now_ns;
    uint64_t batch;                 /* number of the one being made */
    bool busy;                      /* the last cycle left something to do */
    uint64_t report_ns;             /* when the service reported last; monotonic */
    struct journal_batch unwritten; /* number 0: none; else the journal had no space for it */
};

/* Signals can only speak to globals. */
static volatile sig_atomic_t stop_requested;

node_t *node_new(const struct service *service, journal_t *journal)
{
    node_t *n = memory_new(1, sizeof *n, "a node");
    n->service = *service;
    n->journal = journal;
    n->batch = 1;
    n->context = zmq_ctx_new();
    CHECK(n->context != NULL);
    return n;
}

void node_destroy(node_t **node)
{
    node_t *n = *node;
    if (n == NULL)
        return;
    for (unsigned i = 0; i < n->input_count; i++) {
        zmq_msg_close(&n->inputs[i].message);
        endpoint_close(&n->inputs[i].socket);
    }
    for (unsigned o = 0; o < n->output_count; o++)
        endpoint_close(&n->outputs[o].socket);
    zmq_ctx_term(n->context);
    memory_free(n, 1, sizeof *n);
    *node = NULL;
}

void *node_open_input(node_t *n, enum endpoint_kind kind, const char *address, unsigned budget,
                      char error[ENDPOINT_ERROR_SIZE])
{
    CHECK(n->input_count < NODE_INPUTS_MAX);
    void *socket = endpoint_open(n->context, kind, address, error);
    if (socket == NULL)
        return NULL;
    struct input *in = &n->inputs[n->input_count++];
    in->socket = socket;
    in->budget = budget;
    zmq_msg_init(&in->message);
    return socket;
}

void *node_open_output(node_t *n, enum endpoint_kind kind, const char *address,
                       char error[ENDPOINT_ERROR_SIZE])
{
    CHECK(n->output_count < NODE_OUTPUTS_MAX);
    void *socket = endpoint_open(n->context, kind, address, error);
    if (socket != NULL)
        n->outputs[n->output_count++] =
            (struct output){.socket = socket, .xpub = kind == ENDPOINT_XPUB};
    return socket;
}

void node_open_mailbox(node_t *n, mailbox_t *mailbox, unsigned budget)
{
    CHECK(n->input_count < NODE_INPUTS_MAX);
    struct input *in = &n->inputs[n->input_count++];
    in->mailbox = mailbox;
    in->budget = budget;
    zmq_msg_init(&in->message);
}

void node_open_neighbour(node_t *n, void *self,
                         void (*deliver)(void *self, const uint8_t *message, size_t size))
{
    CHECK(n->output_count < NODE_OUTPUTS_MAX);
    n->outputs[n->output_count++] = (struct output){.neighbour = self, .deliver = deliver};
}

/* ---- the phases ---- */

static void wait_for_work(node_t *n)
{
    int count = 0;
    for (unsigned i = 0; i < n->input_count; i++) {
        const struct input *in = &n->inputs[i];
        n->items[count++] = (zmq_pollitem_t){
            .socket = in->socket,
            .fd = in->mailbox == NULL ? -1 : mailbox_fd(in->mailbox),
            .events = ZMQ_POLLIN,
        };
    }
    for (unsigned o = 0; o < n->output_count; o++) {
        if (n->outputs[o].xpub)
            n->items[count++] =
                (zmq_pollitem_t){.socket = n->outputs[o].socket, .events = ZMQ_POLLIN};
    }
    unsigned patience_ms = n->service.patience_ms(n->service.self);
    /* Interrupted by a signal, or nothing: the cycle finds out either way. */
    (void)zmq_poll(n->items, count, (long)patience_ms);
}

static void stamp(node_t *n)
{
    uint64_t wall_ns = clock_wall_ns();
    if (wall_ns > n->now_ns)
        n->now_ns = wall_ns;
}

/* The next message of a socket, or false. Every message of ours has one part; one that has more
 * is a stranger's, and is passed over. */
static bool next_of_socket(struct input *in)
{
    bool more = false;
    bool stranger = false;
    do {
        if (zmq_msg_recv(&in->message, in->socket, ZMQ_DONTWAIT) < 0)
            return false;
        stranger = stranger || more;
        more = zmq_msg_more(&in->message) != 0;
        stranger = stranger || more;
    } while (more);
    if (stranger) {
        zmq_msg_close(&in->message);
        zmq_msg_init(&in->message); /* empty: unreadable to every service */
    }
    in->bytes = zmq_msg_data(&in->message);
    in->size = zmq_msg_size(&in->message);
    return true;
}

static bool next_message(struct input *in)
{
    if (in->held)
        return true;
    return in->mailbox == NULL ? next_of_socket(in)
                               : mailbox_take(in->mailbox, &in->bytes, &in->size);
}

/* Drain one input; false: the batch is full. */
static bool drain(node_t *n, unsigned input)
{
    struct input *in = &n->inputs[input];
    for (unsigned taken = 0; taken < in->budget; taken++) {
        if (!next_message(in))
            return true;
        in->held = n->service.receive(n->service.self, input, in->bytes, in->size) == INTAKE_FULL;
        if (in->held)
            return false;
    }
    n->busy = true; /* there may be more */
    return true;
}

static void take_subscriptions(node_t *n)
{
    for (unsigned o = 0; o < n->output_count; o++) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        while (n->outputs[o].xpub &&
               zmq_msg_recv(&message, n->outputs[o].socket, ZMQ_DONTWAIT) >= 0) {
            if (n->service.subscription != NULL)
                n->service.subscription(n->service.self, o, zmq_msg_data(&message),
                                        zmq_msg_size(&message));
        }
        zmq_msg_close(&message);
    }
}

static enum status write_batch(node_t *n, struct journal_batch *batch)
{
    batch->number = n->batch;
    enum status status = journal_append(n->journal, batch);
    if (status == STATUS_FULL)
        n->unwritten = *batch;
    else
        n->unwritten.number = 0;
    if (status == STATUS_OK)
        n->batch++;
    return status;
}

/* A batch whose commands go to the journal ends with a new number; others ride on the last one. */
static enum status make_batch(node_t *n)
{
    struct journal_batch batch = {0};
    n->busy = false;
    n->service.begin(n->service.self, n->now_ns, n->batch);
    take_subscriptions(n);
    for (unsigned i = 0; i < n->input_count; i++) {
        if (!drain(n, i))
            n->busy = true; /* a full batch does not keep later inputs from their turn */
    }
    if (!n->service.end(n->service.self, &batch))
        return STATUS_OK;
    return write_batch(n, &batch);
}

static void send_due(node_t *n)
{
    uint64_t due = n->journal == NULL ? UINT64_MAX : journal_committed(n->journal);
    struct outgoing m;
    /* What a cycle without commands said carries the number of the batch to come, and waits for
     * the one before it. */
    if (n->journal != NULL && due == n->batch - 1 && n->unwritten.number == 0)
        due = n->batch;
    while (outbox_peek(n->service.outbox, due, &m)) {
        const struct output *out = &n->outputs[m.output];
        /* A PUB never blocks; a PUSH without room drops, and its sender's protocol repeats. */
        if (out->socket != NULL)
            (void)zmq_send(out->socket, m.bytes, m.size, ZMQ_DONTWAIT);
        else
            out->deliver(out->neighbour, m.bytes, m.size);
        outbox_pop(n->service.outbox);
    }
}

static void report(node_t *n)
{
    uint64_t now_ns = clock_monotonic_ns();
    if (n->service.report == NULL || now_ns < n->report_ns + NS_PER_SECOND)
        return;
    n->report_ns = now_ns;
    n->service.report(n->service.self);
}

enum status node_cycle(node_t *n)
{
    enum status status;
    if (!n->busy)
        wait_for_work(n);
    stamp(n);
    if (n->unwritten.number != 0)
        status = write_batch(n, &n->unwritten);
    else
        status = make_batch(n);
    if (status == STATUS_IO)
        return status; /* what this batch said must not be heard: nobody knows if it is kept */
    send_due(n);
    report(n);
    return status;
}

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

enum status node_run(node_t *n)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    enum status status = STATUS_OK;
    while (!stop_requested && status != STATUS_IO)
        status = node_cycle(n);
    return status;
}
