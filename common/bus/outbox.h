/* outbox: what a step wants sent, in order, each message with the journal batch it must wait for.
 *
 * Steps do no I/O: they fill an outbox, and their driver (the node, or a simulator) takes from it
 * what is due. One bounded ring of bytes; nothing is lost or moved, and a full one says so before
 * anything is written. Thread: owner only. Memory is taken by init. */
#ifndef OUTCRY_BUS_OUTBOX_H
#define OUTCRY_BUS_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox {
    uint8_t *bytes;
    size_t size;
    uint64_t head, tail; /* bytes taken, bytes put; both modulo size are places in the ring */
    uint64_t batch;      /* what is put now waits for this journal batch */
};

struct outgoing {
    const uint8_t *bytes; /* BORROWED until outbox_pop */
    size_t size;
    uint32_t output; /* which of the node's outputs */
    uint64_t batch;
};

/* size: bytes of the ring, a multiple of 64. The largest message is a quarter of it. */
void outbox_init(struct outbox *o, size_t size);
void outbox_close(struct outbox *o);

/* How much more fits for certain, in messages of at most a quarter of the ring. */
size_t outbox_room(const struct outbox *o);

/* A place to write a message of at most size bytes; NULL if it does not fit. Nothing is put
 * until outbox_commit with the size it really has. */
uint8_t *outbox_reserve(struct outbox *o, size_t size);
void outbox_commit(struct outbox *o, uint32_t output, size_t size);

/* The first message, if there is one and its batch is at most `committed`. */
bool outbox_peek(struct outbox *o, uint64_t committed, struct outgoing *message);
void outbox_pop(struct outbox *o);

/* Forget every message that waits for a batch beyond `committed`. */
void outbox_drop(struct outbox *o, uint64_t committed);

#endif
