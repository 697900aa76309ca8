/* websocket_load: many WebSocket clients on one path, read by one thread as fast as it can; their
 * messages are counted, and timed from the moment each says it was sent. Pings are answered. */
#ifndef OUTCRY_BENCH_WEBSOCKET_LOAD_H
#define OUTCRY_BENCH_WEBSOCKET_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"

enum {
    WEBSOCKET_LOAD_CLIENTS_MAX = 1024,
    WEBSOCKET_LOAD_ERROR_SIZE = 256,
};

typedef struct websocket_load websocket_load_t;

struct websocket_load_owner {
    void *self;
    /* When the message was sent, by the wall clock; false if it is not to be measured. */
    bool (*sent_at)(void *self, const char *text, size_t size, uint64_t *sent_ns);
    struct histogram *latencies; /* ns; added to */
};

struct websocket_load_counts {
    uint64_t messages; /* all that came */
    uint64_t measured;
    uint64_t sum_ns;  /* of the latencies of those */
    uint64_t last_ns; /* when the last of them came, by the wall clock */
    unsigned errors;  /* connections that were cut, or said what is not WebSocket */
    char error[WEBSOCKET_LOAD_ERROR_SIZE]; /* the first, in words; empty if there was none */
};

/* Connect so many clients to ws://127.0.0.1:port/path, one after the other.
 *
 * KEEPS a copy of owner. client_count: 1..WEBSOCKET_LOAD_CLIENTS_MAX.
 * Errors: NULL  with error filled in. */
websocket_load_t *websocket_load_open(uint16_t port, const char *path, unsigned client_count,
                                      const struct websocket_load_owner *owner,
                                      char error[WEBSOCKET_LOAD_ERROR_SIZE]);
void websocket_load_close(websocket_load_t **load);

/* Take in what has come; waits at most timeout_ms for it. False if nothing came. */
bool websocket_load_poll(websocket_load_t *load, int timeout_ms);

const struct websocket_load_counts *websocket_load_counts(const websocket_load_t *load);

#endif
