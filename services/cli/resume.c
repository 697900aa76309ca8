#include "cli/resume.h"

#include <stdlib.h>
#include <zmq.h>

#include "base/clock.h"
#include "bus/endpoint.h"
#include "node/access.h"
#include "node/host.h"
#include "proto/catalog.h"
#include "proto/command.h"
#include "proto/frame.h"

enum { PATIENCE_MS = 3000, REPEAT_MS = 500 };

static const char usage[] =
    "usage: outcry resume [--shard N] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "A matcher whose wall clock jumps forward by more than a minute takes no more orders: it "
    "cannot\n"
    "know which of the times is right. This says that the clock is right now, to every shard's\n"
    "matcher or to that of shard N; orders are taken again, and what is due by that time happens.\n"
    "The exit status is 0 if they take orders.\n"
    "\n"
    "  outcry resume\n"
    "  outcry resume --shard 1\n";

/* One matcher, and what it has said so far. */
struct peer {
    unsigned shard;
    void *context;
    guard_t *guard; /* NULL: no keys */
    void *sub;
    void *push;
    char reply[REPLY_SIZE + 1];
    uint64_t standing; /* by its last heartbeat; 0: none yet */
    bool answered;
};

static bool open_sockets(struct peer *p, const struct cluster *c, char *error)
{
    char address[CLUSTER_ADDRESS_SIZE], topic[TOPIC_SIZE_MAX + 1];
    p->context = zmq_ctx_new();
    if (!access_guard(c, "operator", p->context, &p->guard, error))
        return false;
    cluster_address(c, c->settings.public_address, p->shard, address);
    p->sub =
        endpoint_open_guarded(p->context, p->guard, ENDPOINT_SUB, "public", address, NULL, error);
    if (p->sub == NULL)
        return false;
    /* In this order: who hears a heartbeat will hear the reply. */
    snprintf(topic, sizeof topic, "re.%s", p->reply);
    endpoint_subscribe(p->sub, topic);
    endpoint_subscribe(p->sub, "hb");
    cluster_address(c, c->settings.requests_address, p->shard, address);
    p->push = endpoint_open_guarded(p->context, p->guard, ENDPOINT_PUSH, "requests", address, NULL,
                                    error);
    return p->push != NULL;
}

static void close_sockets(struct peer *p)
{
    endpoint_close(&p->sub);
    endpoint_close(&p->push);
    guard_close(&p->guard);
    zmq_ctx_term(p->context);
}

static void take(struct peer *p, const uint8_t *message, size_t size)
{
    struct frame_reader f;
    uint64_t type;
    struct wire_reader fields;
    if (frame_read(&f, message, size) != FRAME_READ_OK || !frame_next_group(&f) ||
        !frame_next_event(&f, &type, &fields))
        return;
    if (type == MESSAGE_HEARTBEAT) {
        struct heartbeat m;
        heartbeat_get_fields(&fields, &m);
        p->standing = m.standing;
    } else if (type == MESSAGE_REPLY) {
        struct reply m;
        reply_get_fields(&fields, &m);
        p->answered = p->answered || (m.request_type == MESSAGE_RESUME && m.code == 0);
    }
}

/* Whatever it says within a moment. */
static void listen(struct peer *p)
{
    enum { MOMENT_MS = 20 };
    zmq_pollitem_t item = {.socket = p->sub, .events = ZMQ_POLLIN};
    zmq_msg_t message;
    zmq_msg_init(&message);
    guard_tend(p->guard);
    (void)zmq_poll(&item, 1, MOMENT_MS);
    while (zmq_msg_recv(&message, p->sub, ZMQ_DONTWAIT) >= 0)
        take(p, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
}

static bool hear(struct peer *p)
{
    uint64_t give_up_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
    while (p->standing == 0 && clock_monotonic_ns() < give_up_ns)
        listen(p);
    return p->standing != 0;
}

/* Say it until it is answered; then wait for what comes of it. */
static bool confirm(struct peer *p)
{
    uint8_t bytes[RESUME_SIZE_MAX + 1]; /* and the version */
    struct wire_writer w = {bytes};
    request_write(&w, &(struct request){.type = MESSAGE_RESUME, .resume = {text_of(p->reply), 1}});
    uint64_t now_ns = clock_monotonic_ns(), again_ns = now_ns;
    uint64_t give_up_ns = now_ns + PATIENCE_MS * NS_PER_MS;
    while ((!p->answered || p->standing == STANDING_CLOCK_JUMP) && now_ns < give_up_ns) {
        if (!p->answered && now_ns >= again_ns) {
            (void)zmq_send(p->push, bytes, (size_t)(w.at - bytes), ZMQ_DONTWAIT);
            again_ns = now_ns + REPEAT_MS * NS_PER_MS;
        }
        listen(p);
        now_ns = clock_monotonic_ns();
    }
    return p->answered;
}

static const char *standing_name(uint64_t standing)
{
    const char *text = catalog_value_text(KIND_standing, standing);
    return text == NULL ? "of a later version" : text;
}

/* Whether the matcher takes orders now; what happened is told. */
static bool resume(struct peer *p)
{
    if (!hear(p)) {
        fprintf(stderr, "shard %u: nothing is heard of its matcher; is it running?\n", p->shard);
        return false;
    }
    bool jumped = p->standing == STANDING_CLOCK_JUMP;
    if (!confirm(p)) {
        fprintf(stderr, "shard %u: its matcher (%s) does not answer\n", p->shard,
                standing_name(p->standing));
        return false;
    }
    printf("shard %u: %s; ", p->shard,
           jumped ? "the clock is confirmed" : "there was nothing to confirm");
    if (p->standing == STANDING_OPEN)
        printf("its matcher takes orders\n");
    else
        printf("its matcher takes no orders: %s\n", standing_name(p->standing));
    return p->standing == STANDING_OPEN;
}

int resume_main(int argc, char **argv)
{
    static struct cluster cluster;
    char error[ENDPOINT_ERROR_SIZE];
    bool fine = true;
    host_load(&cluster, &argc, argv, usage);
    uint64_t only =
        host_number_flag(&argc, argv, "--shard", 0, cluster.settings.shards - 1, UINT64_MAX);
    host_no_more_flags(argc, argv);
    for (unsigned shard = 0; shard < cluster.settings.shards; shard++) {
        struct peer p = {.shard = shard};
        if (only != UINT64_MAX && only != shard)
            continue;
        host_random_reply(p.reply);
        bool opened = open_sockets(&p, &cluster, error);
        if (!opened)
            fprintf(stderr, "outcry resume: %s\n", error);
        bool resumed = opened && resume(&p);
        host_audit(&cluster, "resume",
                   LOG_FIELDS(LOG_U64("shard", shard),
                              LOG_TEXT("outcome", resumed ? "open" : "not open")));
        fine = fine && resumed;
        close_sockets(&p);
    }
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
