/* http_load: requests over many keep-alive connections, one outstanding on each, driven by one
 * thread; what comes back is counted and timed.
 *
 * With a rate of 0 each connection sends its next request when it has its answer: the rate is what
 * the server makes of it. With a rate, request i is due at start + i / rate, whatever became of
 * those before, and its time runs from when it was due: a server that stalls cannot hide it by
 * holding its clients up. */
#ifndef OUTCRY_BENCH_HTTP_LOAD_H
#define OUTCRY_BENCH_HTTP_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"
#include "http_answer.h"

enum {
    HTTP_LOAD_CONNECTIONS_MAX = 1024,
    HTTP_LOAD_REQUEST_MAX = 2048, /* bytes of a request */
    HTTP_LOAD_ERROR_SIZE = 1024,
};

struct http_load {
    uint16_t port;             /* of 127.0.0.1 */
    unsigned connection_count; /* 1..HTTP_LOAD_CONNECTIONS_MAX */
    uint64_t request_count;    /* in all, at least 1 */
    uint64_t rate;             /* requests a second; 0: as fast as answers come */
    unsigned status;           /* any other is an error */
    void *self;
    /* Write request `index` (0, 1, ...), at most `size` bytes; how many it has. */
    size_t (*request)(void *self, uint64_t index, char *bytes, size_t size);
    struct histogram *latencies; /* ns; added to */
};

struct http_load_result {
    uint64_t answered;                /* with the status that was asked for */
    uint64_t errors;                  /* other answers, and requests whose connection was cut */
    uint64_t spent_ns;                /* from the first request to the last answer */
    uint64_t sum_ns;                  /* of all latencies */
    char error[HTTP_LOAD_ERROR_SIZE]; /* the first one, in words; empty if there was none */
};

/* Run it to its end, or until no connection is left, or nothing comes for 10 s.
 *
 * BORROWS load.
 * Errors: false  with result->error filled in; what was measured must not be used. */
bool http_load_run(const struct http_load *load, struct http_load_result *result);

/* One request on a connection of its own; the answer's bytes, NUL behind, stay in `bytes`.
 *
 * BORROWS request.
 * Errors: false  no whole answer came. */
bool http_load_once(uint16_t port, const char *request, struct http_answer *answer,
                    char bytes[HTTP_ANSWER_SIZE_MAX + 1]);

#endif
