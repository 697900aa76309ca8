/* guard_parts: what a guard is made of; for guard.c (its life, what the owner of the sockets does)
 * and guard_door.c (what its thread hears and answers) only. */
#ifndef OUTCRY_BUS_GUARD_PARTS_H
#define OUTCRY_BUS_GUARD_PARTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#include "bus/guard.h"

/* Metadata of a connection, beside User-Id. */
#define GUARD_ROLE     "Role"
#define GUARD_ACCOUNTS "Accounts"

enum {
    RETRY_MS = 1000, /* after our key was refused: it may come to be known */
    LINK_NAME_SIZE = 32,
    LINK_ADDRESS_SIZE = 2048,
    ADDRESS_SIZE = 64,
    ACCEPTED_MAX = 1024, /* connections whose addresses are kept, by file descriptor */
    CALLERS_MAX = 64,    /* addresses whose refusals are told once a second each */
};

enum wish { WISH_NONE, WISH_OTHER_KEY, WISH_RETRY };
enum { ORDER_LOOK = 'l', ORDER_END = 'e' };

/* A socket under guard. */
struct link {
    void *socket;  /* NULL: closed */
    void *monitor; /* of the guard's thread */
    char name[LINK_NAME_SIZE];
    char address[LINK_ADDRESS_SIZE];
    bool binds;
    metric_t *refused;
    atomic_uint wish;
    atomic_uint handshakes; /* done */
    /* the owner's */
    char server_key[CERTIFICATE_KEY_SIZE]; /* the one it is connected by */
    unsigned candidate;                    /* of its peer's keys */
    unsigned tried;                        /* keys since a handshake was done */
    uint64_t tried_ns;
    unsigned handshakes_seen;
    unsigned withdrawals; /* those it was bound anew for */
    bool unbound;         /* it is to be bound, or connected, again */
    /* the thread's */
    char failure[96]; /* why the handshake failed that ends next */
};

/* Whose refusals were told when. */
struct caller {
    char address[ADDRESS_SIZE];
    uint64_t told_ns;
    uint64_t untold;
};

struct accepted {
    int fd;
    char address[ADDRESS_SIZE];
};

struct guard {
    const struct guard_rules *rules;
    void *context;
    char directory[KEYS_PATH_SIZE];
    struct certificate own;
    pthread_mutex_t lock; /* of keys, which the thread exchanges */
    struct keys tables[2];
    struct keys *keys, *spare;
    uint64_t stamp;      /* of the directory when it was read */
    uint64_t failed;     /* likewise, when it could not be */
    uint64_t complained; /* likewise, when that was told */
    struct link links[GUARD_LINKS_MAX];
    atomic_uint link_count;
    atomic_uint withdrawals;
    atomic_bool due; /* guard_tend() has something to do */
    pthread_t thread;
    void *zap;    /* REP: libzmq asks */
    void *orders; /* PAIR: the owner speaks to the thread, by */
    void *owner;
    zmq_pollitem_t items[GUARD_LINKS_MAX + 2];
    struct caller callers[CALLERS_MAX];
    struct accepted accepted[ACCEPTED_MAX];
};

/* Answer one ZAP request. */
void guard_answer(guard_t *g);

/* Take in what a socket's monitor says. */
void guard_hear(guard_t *g, struct link *l);

#endif
