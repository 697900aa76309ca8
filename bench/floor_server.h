/* floor_server: what civetweb alone can do on this machine, the floor beside the gateway's figures.
 * A process of its own with civetweb set up as the gateway's is (TCP_NODELAY, keep-alive, as many
 * threads), and nothing behind it:
 *
 *     POST /api/v1/orders       reads the body; answers the bytes of a real answer
 *     GET /api/v1/orderbook/X   answers the bytes of a real answer
 *     /ws/quotes/X              a message a broadcast: one frame made once, one mg_write of it to
 *                               each client in turn
 *
 * It ends with its owner, however that ends. Thread: the owner's, one. */
#ifndef OUTCRY_BENCH_FLOOR_SERVER_H
#define OUTCRY_BENCH_FLOOR_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FLOOR_SERVER_ANSWER_MAX = 64 << 10,
    FLOOR_SERVER_MESSAGE_MAX = 4096,
};

typedef struct floor_server floor_server_t;

/* An answer as it goes over the wire, head and body. */
struct floor_answer {
    const char *bytes;
    size_t size; /* 1..FLOOR_SERVER_ANSWER_MAX */
};

/* Make the process, which waits. Before any thread of the caller's: it is a fork.
 *
 * Errors: NULL  with errno. */
floor_server_t *floor_server_new(void);
void floor_server_destroy(floor_server_t **f);

/* Serve, with so many threads, at a port of 127.0.0.1 that is free; once.
 *
 * BORROWS order, book.
 * Errors: false  it could not start. */
bool floor_server_start(floor_server_t *f, unsigned thread_count, const struct floor_answer *order,
                        const struct floor_answer *book, uint16_t *port);

/* Broadcast a message `count` times at `rate` a second, once so many clients are connected. It
 * holds
 * `"ts":` and sixteen digits, which become the time of each broadcast in microseconds. Returns at
 * once; floor_server_wait() returns when the last is written.
 *
 * BORROWS message. size: 1..FLOOR_SERVER_MESSAGE_MAX.
 * Errors: false  the message has no such digits, or the process has ended. */
bool floor_server_broadcast(floor_server_t *f, unsigned client_count, const char *message,
                            size_t size, uint32_t rate, uint32_t count);
bool floor_server_wait(floor_server_t *f);

#endif
