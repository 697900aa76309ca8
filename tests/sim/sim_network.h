/* sim_network: the sockets of the cluster, as far as a step can tell: PUSH to PULL and XPUB to SUB.
 *
 *     peer ─ output ═ link ═> input ─ peer
 *
 * A link is one connection. Within it messages keep their order, between links they do not: each
 * takes a time of its own. A link holds so many messages that are not read yet: a PUSH beyond that,
 * or without a connection, is refused; what is published is lost for this reader. When a
 * connection breaks, what is in flight is lost, all of it or all from some message on; when it is
 * made again a PUSH may send its last messages once more, and a SUB subscribes again, which takes
 * its time too. Thread: one. */
#ifndef OUTCRY_SIM_SIM_NETWORK_H
#define OUTCRY_SIM_SIM_NETWORK_H

#include "tests/sim/sim_world.h"

enum {
    SIM_PEERS_MAX = 24,
    SIM_LINKS_MAX = 64,
    SIM_INPUTS_MAX = 4,
    SIM_TOPICS_MAX = 16, /* one link subscribes to */
    SIM_TOPIC_SIZE = 80,
    SIM_RECENT = 3, /* messages that may come twice */
};

struct sim_link;

struct sim_message {
    struct sim_message *next;
    struct sim_link *link; /* NULL: a subscription */
    uint64_t number;       /* in the order they were sent */
    uint64_t at_ns;        /* when it arrives */
    unsigned output;       /* of a subscription: where */
    size_t size;
    uint8_t bytes[];
};

struct sim_queue {
    struct sim_message *first, *last;
    size_t count;
};

/* Whoever has sockets. */
struct sim_peer {
    const char *name;
    bool up;
    struct sim_queue inputs[SIM_INPUTS_MAX]; /* what has come and is not read */
    struct sim_queue subscriptions;          /* likewise, at its outputs */
    uint64_t newest;                         /* number of the newest message that has come */
    void (*arrived)(void *self);             /* something has come */
    void *self;
};

struct sim_topic {
    char bytes[SIM_TOPIC_SIZE];
    size_t size;
    bool known; /* to the publisher */
};

struct sim_link {
    struct sim_network *network;
    struct sim_peer *from, *to;
    unsigned output, input;
    size_t mark;
    bool connected;
    bool cut;            /* there is no way between the two */
    bool stalled;        /* nothing gets through for now */
    uint64_t generation; /* of the connection */
    struct sim_queue flying;
    size_t unread; /* at the other end */
    struct sim_topic topics[SIM_TOPICS_MAX];
    unsigned topic_count; /* 0: a PUSH */
    struct sim_message *recent[SIM_RECENT];
};

struct sim_network {
    struct sim_world *world;
    struct random random;
    uint64_t delay_ns; /* the usual one is up to this */
    uint64_t slow_in;  /* one message in so many is slow */
    uint64_t slow_ns;
    size_t push_mark, pub_mark;
    bool calm; /* no more faults of its own */
    uint64_t sent;
    struct sim_peer *peers[SIM_PEERS_MAX];
    unsigned peer_count;
    struct sim_link links[SIM_LINKS_MAX];
    unsigned link_count;
};

/* KEEPS world. Its temper is drawn. */
void sim_network_init(struct sim_network *n, struct sim_world *world);
void sim_network_close(struct sim_network *n);

/* KEEPS peer, with name, arrived and self filled in. */
void sim_network_add(struct sim_network *n, struct sim_peer *peer);

struct sim_link *sim_network_push(struct sim_network *n, struct sim_peer *from, unsigned output,
                                  struct sim_peer *to, unsigned input);
struct sim_link *sim_network_subscribe(struct sim_network *n, struct sim_peer *from,
                                       unsigned output, struct sim_peer *to, unsigned input);

/* One more topic of a link made to subscribe, with its NUL or, a prefix, without; before it is
 * first connected. */
void sim_link_topic(struct sim_link *l, const char *topic, bool prefix);

/* A process that begins anew chooses another reply topic, so that no answer to its last life is
 * taken for one to this: its topic `re.` is this one now. While it is not connected. */
void sim_link_reply(struct sim_link *l, const char *reply);

/* The process begins, or is no more: then all it had not read, and its connections, are gone. */
void sim_peer_start(struct sim_network *n, struct sim_peer *peer);
void sim_peer_end(struct sim_network *n, struct sim_peer *peer);

/* No way between the two, or none for now; and all is well again. */
void sim_network_part(struct sim_network *n, const struct sim_peer *a, const struct sim_peer *b,
                      bool cut);
void sim_network_heal(struct sim_network *n, const struct sim_peer *a, const struct sim_peer *b);

/* By the output of a peer: false: nobody can take it (a PUSH), or somebody could not (a PUB). */
bool sim_peer_send(struct sim_network *n, struct sim_peer *peer, unsigned output,
                   const uint8_t *bytes, size_t size);

/* The next message that came; NULL: none. It is there until it is popped. */
struct sim_message *sim_peer_peek(const struct sim_peer *peer, unsigned input);
void sim_peer_pop(struct sim_peer *peer, unsigned input);

/* The next subscription message; the caller's to free. */
struct sim_message *sim_peer_subscription(struct sim_peer *peer);

#endif
