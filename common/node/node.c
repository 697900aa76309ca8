#include "node/node.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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
    metric_t *messages, *foreign;
    const char *name;
    uint64_t refused; /* messages whose senders may not say them */
    uint64_t told_ns; /* when that was logged last; monotonic */
};

struct output {
    void *socket; /* or */
    void *neighbour;
    void (*deliver)(void *self, const uint8_t *message, size_t size);
    bool xpub;
    uint64_t drops; /* messages that went to fewer readers than asked for them, or to nobody */
    uint64_t reported_drops;
    metric_t *sent, *dropped;
};

struct node {
    struct cycle cycle;
    journal_t *journal;
    void *context;
    guard_t *guard; /* NULL: no keys */
    struct input inputs[NODE_INPUTS_MAX];
    unsigned input_count;
    struct output outputs[NODE_OUTPUTS_MAX];
    unsigned output_count;
    zmq_pollitem_t items[NODE_INPUTS_MAX + NODE_OUTPUTS_MAX + 1];
    bool busy;          /* the last cycle left something to do */
    uint64_t report_ns; /* when the service reported last; monotonic */
    struct turns turns;
    uint64_t taken; /* messages of this batch */
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
    guard_close(&n->guard);
    zmq_ctx_term(n->context);
    memory_free(n, 1, sizeof *n);
    *node = NULL;
}

void node_watch(node_t *n, const struct node_watch *watch)
{
    turns_init(&n->turns, watch);
}

bool node_guard(node_t *n, const struct cluster *c, const char *role,
                char error[ENDPOINT_ERROR_SIZE])
{
    return access_guard(c, role, n->context, &n->guard, error);
}

/* Whoever is not let in is counted where sockets are bound. */
static void *open_socket(node_t *n, enum endpoint_kind kind, const char *name, const char *address,
                         char *error)
{
    bool binds = kind == ENDPOINT_PULL || kind == ENDPOINT_XPUB;
    metric_t *refused = n->guard == NULL || !binds
                            ? NULL
                            : metrics_series(n->turns.watch.metrics, FAMILY_CURVE_REFUSED, name);
    return endpoint_open_guarded(n->context, n->guard, kind, name, address, refused, error);
}

static struct input *add_input(node_t *n, const char *name, unsigned budget)
{
    CHECK(n->input_count < NODE_INPUTS_MAX);
    struct input *in = &n->inputs[n->input_count++];
    in->name = name;
    in->budget = budget;
    in->messages = metrics_series(n->turns.watch.metrics, FAMILY_NODE_MESSAGES, name);
    zmq_msg_init(&in->message);
    return in;
}

static struct output *add_output(node_t *n, const char *name)
{
    CHECK(n->output_count < NODE_OUTPUTS_MAX);
    struct output *out = &n->outputs[n->output_count++];
    out->sent = metrics_series(n->turns.watch.metrics, FAMILY_NODE_SENT, name);
    out->dropped = metrics_series(n->turns.watch.metrics, FAMILY_NODE_DROPPED, name);
    return out;
}

void *node_open_input(node_t *n, enum endpoint_kind kind, const char *name, const char *address,
                      unsigned budget, char error[ENDPOINT_ERROR_SIZE])
{
    void *socket = open_socket(n, kind, name, address, error);
    if (socket == NULL)
        return NULL;
    struct input *in = add_input(n, name, budget);
    in->socket = socket;
    if (n->guard != NULL && kind == ENDPOINT_PULL)
        in->foreign = metrics_series(n->turns.watch.metrics, FAMILY_CURVE_FOREIGN, name);
    return socket;
}

void *node_open_output(node_t *n, enum endpoint_kind kind, const char *name, const char *address,
                       char error[ENDPOINT_ERROR_SIZE])
{
    void *socket = open_socket(n, kind, name, address, error);
    if (socket == NULL)
        return NULL;
    struct output *out = add_output(n, name);
    out->socket = socket;
    out->xpub = kind == ENDPOINT_XPUB;
    return socket;
}

void node_open_mailbox(node_t *n, const char *name, mailbox_t *mailbox, unsigned budget)
{
    add_input(n, name, budget)->mailbox = mailbox;
}

void node_open_neighbour(node_t *n, const char *name, void *self,
                         void (*deliver)(void *self, const uint8_t *message, size_t size))
{
    struct output *out = add_output(n, name);
    out->neighbour = self;
    out->deliver = deliver;
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
    if (n->guard != NULL && patience_ms > GUARD_PATIENCE_MS)
        patience_ms = GUARD_PATIENCE_MS;
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

static void tell_refused(struct input *in, const struct guard_sender *sender)
{
    uint64_t now_ns = clock_monotonic_ns();
    metric_add(in->foreign, 1);
    in->refused++;
    if (now_ns < in->told_ns + NS_PER_SECOND)
        return;
    in->told_ns = now_ns;
    log_warn("node", "message_refused", LOG_TEXT("input", in->name),
             LOG_TEXT("sender", sender->name), LOG_TEXT("role", sender->role),
             LOG_U64("refused", in->refused));
}

/* Whether its sender may say this message; asked once. */
static bool may_say(const node_t *n, unsigned input, struct input *in)
{
    const struct service *s = &n->cycle.service;
    struct guard_sender sender;
    if (in->held || n->guard == NULL || s->admit == NULL || in->mailbox != NULL ||
        !guard_sender_of(&in->message, &sender) ||
        s->admit(s->self, input, &sender, in->bytes, in->size))
        return true;
    tell_refused(in, &sender);
    return false;
}

/* Drain one input; false: the batch is full. */
static bool drain(node_t *n, unsigned input)
{
    struct input *in = &n->inputs[input];
    unsigned taken = 0;
    while (taken < in->budget && next_message(in)) {
        in->held = may_say(n, input, in) &&
                   cycle_offer(&n->cycle, input, in->bytes, in->size) == INTAKE_FULL;
        if (in->held)
            break;
        taken++;
    }
    n->busy |= taken == in->budget; /* there may be more */
    n->taken += taken;
    if (taken > 0)
        metric_add(in->messages, taken);
    return !in->held;
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
    uint64_t begin_ns = clock_monotonic_ns();
    uint64_t batch = n->journal == NULL ? 0 : journal_next(n->journal);
    n->busy = false;
    n->taken = 0;
    if (cycle_begin(&n->cycle, clock_wall_ns(), clock_boot_ns())) {
        take_subscriptions(n);
        for (unsigned i = 0; i < n->input_count; i++) {
            if (cycle_reads(&n->cycle, i) && !drain(n, i))
                n->busy = true; /* a full batch does not keep later inputs from their turn */
        }
    }
    enum status status = cycle_end(&n->cycle);
    uint64_t end_ns = clock_monotonic_ns();
    if (n->taken > 0)
        turns_batch(&n->turns, n->taken, end_ns - begin_ns);
    if (n->journal != NULL && journal_next(n->journal) > batch)
        turns_written(&n->turns, batch, end_ns);
    return status;
}

/* To every reader that has room: with NODROP the socket says when one has not, and without it
 * sends to the others. A PUSH without room drops, and its sender's protocol repeats. */
static void send_out(struct output *out, const struct outgoing *m)
{
    bool sent = true;
    if (out->socket == NULL) {
        out->deliver(out->neighbour, m->bytes, m->size);
    } else if (zmq_send(out->socket, m->bytes, m->size, ZMQ_DONTWAIT) < 0) {
        out->drops++;
        metric_add(out->dropped, 1);
        sent = out->xpub;
        if (out->xpub) {
            endpoint_drop(out->socket, true);
            (void)zmq_send(out->socket, m->bytes, m->size, ZMQ_DONTWAIT);
            endpoint_drop(out->socket, false);
        }
    }
    if (sent)
        metric_add(out->sent, 1);
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

static void report(node_t *n, uint64_t now_ns)
{
    const struct service *s = &n->cycle.service;
    if (now_ns < n->report_ns + NS_PER_SECOND)
        return;
    n->report_ns = now_ns;
    report_drops(n);
    if (s->report != NULL)
        s->report(s->self);
    turns_report(&n->turns);
}

static void turned(node_t *n)
{
    const struct outbox *o = n->cycle.service.outbox;
    uint64_t now_ns = clock_monotonic_ns();
    if (n->journal != NULL)
        turns_committed(&n->turns, journal_committed(n->journal), now_ns);
    turns_end(&n->turns, o->tail - o->head, now_ns);
    report(n, now_ns);
}

enum status node_cycle(node_t *n)
{
    enum status status = STATUS_OK;
    guard_tend(n->guard);
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
    turned(n);
    return status;
}

uint64_t node_drops(const node_t *n, unsigned output)
{
    return n->outputs[output].drops;
}

static void end_at_once(int signal)
{
    (void)signal;
    _exit(EXIT_SUCCESS);
}

static void request_stop(int signal)
{
    (void)signal;
    stop_requested = 1;
}

static void catch_signals(void (*handler)(int))
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
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
        turned(n);
    }
    if (status == STATUS_OK)
        status = cycle_close(&n->cycle);
    say_standing(n);
    return status;
}

void node_end_on_signals(void)
{
    catch_signals(end_at_once);
}

void node_catch_signals(void)
{
    catch_signals(request_stop);
}

enum status node_run(node_t *n)
{
    enum status status = STATUS_OK;
    node_catch_signals();
    while (!stop_requested && status != STATUS_IO)
        status = node_cycle(n);
    if (status == STATUS_IO)
        say_standing(n);
    else if (n->cycle.service.stand != NULL)
        status = stop(n);
    return status;
}
