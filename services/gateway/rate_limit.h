/* rate_limit: how many requests one address may make: a token bucket for each class of requests,
 * a second's worth deep. IPv6 addresses count by their first 64 bits, which one subscriber has.
 *
 * The table is fixed: an address that comes when its places are taken gets that of the one whose
 * buckets have been full again the longest, so forgetting never makes anybody's limit harder.
 * Thread: any. */
#ifndef OUTCRY_GATEWAY_RATE_LIMIT_H
#define OUTCRY_GATEWAY_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/wire.h"

enum rate_class {
    RATE_ORDERS,  /* placements and amends */
    RATE_CANCELS, /* never limited harder than placements */
    RATE_READS,
    RATE_CLASS_COUNT,
};

typedef struct rate_limit rate_limit_t;

struct rate_limit_options {
    uint64_t per_second[RATE_CLASS_COUNT];
    bool loopback; /* loopback addresses are limited, too */
    uint64_t hash_seed;
};

rate_limit_t *rate_limit_new(const struct rate_limit_options *options);
void rate_limit_destroy(rate_limit_t **r);

struct rate_verdict {
    bool limited; /* the class has a limit for this address: the rest counts */
    bool allowed;
    uint64_t quota;     /* a second */
    uint64_t remaining; /* now */
    uint64_t wait_ms;   /* until there is a token again, if not allowed */
};

/* Take a token. address: as text, IPv4 or IPv6; one that is neither is limited by its text. */
struct rate_verdict rate_limit_take(rate_limit_t *r, const char *address, enum rate_class class,
                                    uint64_t now_ns);

/* "orders", "cancels", "reads". */
const char *rate_class_name(enum rate_class class);

#endif
