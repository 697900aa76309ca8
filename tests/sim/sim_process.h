/* sim_process: one process of the cluster: a service, driven through cycle.h as node.c drives it,
 * with the simulator's clock, disk and sockets; it may end between any two phases of a turn.
 *
 *     turn   advance the disk ─ begin ─ subscriptions ─ inputs ─ end ─ commit
 *     send   so much later as the disk took: whatever is due
 *     then   asleep until something comes, or its patience or the journal's ends
 *
 * Thread: one. */
#ifndef OUTCRY_SIM_SIM_PROCESS_H
#define OUTCRY_SIM_SIM_PROCESS_H

#include "node/cycle.h"
#include "tests/sim/sim_disk.h"
#include "tests/sim/sim_network.h"

/* The clocks of a machine. */
struct sim_clock {
    int64_t offset_ns; /* of its wall clock */
};

uint64_t sim_clock_wall_ns(const struct sim_clock *c, const struct sim_world *w);
uint64_t sim_clock_boot_ns(const struct sim_world *w);

enum sim_end {
    SIM_END_IDLE, /* killed, at any time but these: */
    SIM_END_BEFORE_APPEND,
    SIM_END_BEFORE_SYNC,
    SIM_END_BEFORE_SEND,
    SIM_END_WHILE_SENDING,
    SIM_END_FAILED,  /* it ended itself: its journal failed */
    SIM_END_STOPPED, /* it was asked to */
};

/* What its owner does; what it does not care for it leaves NULL. */
struct sim_process_owner {
    void *self;
    /* A batch is handed over for the journal, as record `number`. */
    void (*batch)(void *self, uint64_t number, const struct journal_batch *batch);
    /* Everything up to this record may be acted upon. */
    void (*committed)(void *self, uint64_t number);
    void (*said)(void *self, unsigned output, const uint8_t *bytes, size_t size);
    void (*stands)(void *self, enum standing standing);
    /* It is to end, or has: call sim_process_end, and destroy what it was made of. */
    void (*ended)(void *self, enum sim_end end);
};

struct sim_process {
    struct sim_world *world;
    struct sim_network *network;
    struct sim_peer peer;
    struct sim_process_owner owner;
    const struct sim_clock *clock;
    struct random random;
    unsigned input_count;
    unsigned budgets[SIM_INPUTS_MAX];

    /* of the process that runs now */
    bool running;
    struct cycle cycle;
    struct service inner; /* the service itself: the cycle's goes by way of us */
    journal_t *journal;
    sim_disk_t *disk;
    uint64_t generation; /* of what it is to do next */
    bool asleep, busy, made;
    enum status status;
    enum standing standing;
    enum sim_end doom; /* it ends when it gets there; SIM_END_IDLE: nowhere */
    uint64_t paused_until_ns;
};

/* KEEPS all of it. name: for traces. */
void sim_process_init(struct sim_process *p, struct sim_network *network, const char *name,
                      const struct sim_clock *clock, const struct sim_process_owner *owner);

/* The next input, and how many messages of it are taken a turn. */
void sim_process_input(struct sim_process *p, unsigned budget);

/* It runs, from delay_ns on. journal and disk may be NULL. */
void sim_process_start(struct sim_process *p, const struct service *service, journal_t *journal,
                       sim_disk_t *disk, uint64_t now_ns, uint64_t delay_ns);
void sim_process_end(struct sim_process *p);

/* It does nothing for a while, and its sockets fill up. */
void sim_process_pause(struct sim_process *p, uint64_t for_ns);

/* SIGTERM. */
void sim_process_stop(struct sim_process *p);

#endif
