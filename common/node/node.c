#include "node/node.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <zmq.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
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
    uint64_t drops; /* messages that went to fewer readers than asked for them, or to nobody */
    uint64_t reported_drops;
};

struct node {
    struct cycle cycle;
    journal_t *journal;
    void *context;
    struct input inputs[NODE_INPUTS_MAX];
    unsigned input_count;
    struct output outputs[NODE_OUTPUTS_MAX];
    unsigned output_count;
    zmq_pollitem_t items[NODE_INPUTS_MAX + NODE_OUTPUTS_MAX + 1];
    bool busy;          /* the last cycle left something to do */
    uint64_t report_ns; /* when the service reported last; monotonic */
};

/* Signals can only speak to globals. */
static volatile sig_atomic_t stop_requested;

node_t *node_new(const struct service *service, journal_t *journal, uint64_t now_ns)
{
    node_t *n = memory_new(1, sizeof *n, "a node");
    cycle_init(&n->cycle, service, journal, now_ns);
    n->journal = journal;
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

/* ---- waiting ---- */

static int add_inputs(node_t *n)
{
    int count = 0;
    for (unsigned i = 0; i < n->input_count; i++) {
        const struct input *in = &n->inputs[i];
        if (cycle_reads(&n->cycle, i))
            n->items[count++] = (zmq_pollitem_t){
                .socket = in->socket,
                .fd = in->mailbox == NULL ? -1 : mailbox_fd(in->mailbox),
                .events = ZMQ_POLLIN,
            };
    }
    return count;
}

static int add_journal(node_t *n, int count)
{
    int fd = n->journal == NULL ? -1 : journal_fd(n->journal);
    if (fd >= 0)
        n->items[count++] = (zmq_pollitem_t){.fd = fd, .events = ZMQ_POLLIN};
    return count;
}

/* Until an input has something, a reader subscribes, or somebody's patience ends. */
static void wait_for_work(node_t *n)
{
    int count = add_inputs(n);
    for (unsigned o = 0; o < n->output_count; o++) {
        if (n->outputs[o].xpub)
            n->items[count++] =
                (zmq_pollitem_t){.socket = n->outputs[o].socket, .events = ZMQ_POLLIN};
    }
    const struct service *s = &n->cycle.service;
    uint64_t patience_ms = s->patience_ms(s->self);
    if (n->journal != NULL) {
        uint64_t wanted_ns = journal_patience_ns(n->journal, clock_boot_ns());
        if (wanted_ns / NS_PER_MS < patience_ms)
            patience_ms = wanted_ns / NS_PER_MS + 1;
    }
    /* Interrupted by a signal, or nothing: the cycle finds out either way. */
    (void)zmq_poll(n->items, add_journal(n, count), (long)patience_ms);
}

/* A batch waits behind the sync that is running: more batches would only be smaller ones. */
static void wait_for_journal(node_t *n)
{
    enum { LOOK_AGAIN_MS = 100 };
    (void)zmq_poll(n->items, add_journal(n, 0), LOOK_AGAIN_MS);
}

/* Whether nothing waits to be read: asked only if it matters. */
static bool is_idle(node_t *n)
{
    return !cycle_committed(&n->cycle) && !n->busy && zmq_poll(n->items, add_inputs(n), 0) <= 0;
}

/* ---- the phases ---- */

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
        in->held = cycle_offer(&n->cycle, input, in->bytes, in->size) == INTAKE_FULL;
        if (in->held)
            return false;
    }
    n->busy = true; /* there may be more */
    return true;
}

static void take_subscriptions(node_t *n)
{
    const struct service *s = &n->cycle.service;
    for (unsigned o = 0; o < n->output_count; o++) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        while (n->outputs[o].xpub &&
               zmq_msg_recv(&message, n->outputs[o].socket, ZMQ_DONTWAIT) >= 0) {
            if (s->subscription != NULL)
                s->subscription(s->self, o, zmq_msg_data(&message), zmq_msg_size(&message));
        }
        zmq_msg_close(&message);
    }
}

static enum status make_batch(node_t *n)
{
    n->busy = false;
    if (cycle_begin(&n->cycle, clock_wall_ns(), clock_boot_ns())) {
        take_subscriptions(n);
        for (unsigned i = 0; i < n->input_count; i++) {
            if (cycle_reads(&n->cycle, i) && !drain(n, i))
                n->busy = true; /* a full batch does not keep later inputs from their turn */
        }
    }
    return cycle_end(&n->cycle);
}

/* To every reader that has room: with NODROP the socket says when one has not, and without it
 * sends to the others. A PUSH without room drops, and its sender's protocol repeats. */
static void send_out(struct output *out, const struct outgoing *m)
{
    if (out->socket == NULL) {
        out->deliver(out->neighbour, m->bytes, m->size);
        return;
    }
    if (zmq_send(out->socket, m->bytes, m->size, ZMQ_DONTWAIT) >= 0)
        return;
    out->drops++;
    if (out->xpub) {
        endpoint_drop(out->socket, true);
        (void)zmq_send(out->socket, m->bytes, m->size, ZMQ_DONTWAIT);
        endpoint_drop(out->socket, false);
    }
}

static void send_due(node_t *n)
{
    struct outgoing m;
    while (cycle_due(&n->cycle, &m)) {
        send_out(&n->outputs[m.output], &m);
        cycle_sent(&n->cycle);
    }
}

/* Readers that are too slow: they find out by themselves, and repair it. */
static void report_drops(node_t *n)
{
    for (unsigned o = 0; o < n->output_count; o++) {
        struct output *out = &n->outputs[o];
        if (out->xpub && out->drops != out->reported_drops)
            log_warn("node", "frames_dropped", LOG_U64("output", o), LOG_U64("frames", out->drops));
        out->reported_drops = out->drops;
    }
}

static void report(node_t *n)
{
    const struct service *s = &n->cycle.service;
    uint64_t now_ns = clock_monotonic_ns();
    if (now_ns < n->report_ns + NS_PER_SECOND)
        return;
    n->report_ns = now_ns;
    report_drops(n);
    if (s->report != NULL)
        s->report(s->self);
}

enum status node_cycle(node_t *n)
{
    enum status status = STATUS_OK;
    if (cycle_waits(&n->cycle)) {
        wait_for_journal(n);
    } else {
        if (!n->busy)
            wait_for_work(n);
        status = make_batch(n);
    }
    bool idle = status == STATUS_OK && is_idle(n);
    if (status == STATUS_OK)
        status = cycle_commit(&n->cycle, idle, clock_boot_ns());
    send_due(n);
    if (status == STATUS_OK && idle)
        status = cycle_commit(&n->cycle, false, clock_boot_ns());
    report(n);
    return status;
}

uint64_t node_drops(const node_t *n, unsigned output)
{
    return n->outputs[output].drops;
}

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

/* One more turn without input, so that the service can say where it stands. */
static void say_standing(node_t *n)
{
    if (cycle_begin(&n->cycle, clock_wall_ns(), clock_boot_ns()))
        (void)cycle_end(&n->cycle);
    send_due(n);
}

/* What was taken in is finished and sent; then the journal ends in order. */
static enum status stop(node_t *n)
{
    enum status status = STATUS_OK;
    cycle_stop(&n->cycle);
    n->busy = true; /* do not wait */
    while (status != STATUS_IO && !cycle_stopped(&n->cycle)) {
        if (n->cycle.unwritten)
            wait_for_journal(n); /* there is no space yet */
        status = make_batch(n);
        if (status == STATUS_OK)
            status = cycle_commit(&n->cycle, true, clock_boot_ns());
        send_due(n);
    }
    if (status == STATUS_OK)
        status = cycle_close(&n->cycle);
    say_standing(n);
    return status;
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
    if (status == STATUS_IO)
        say_standing(n);
    else if (n->cycle.service.stand != NULL)
        status = stop(n);
    return status;
}
