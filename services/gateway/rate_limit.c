#include "gateway/rate_limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/mix.h"

enum {
    WAYS = 8, /* places an address may have */
    SETS = 4096,
    LOCKS = 64,
};

/* A bucket as the time at which it will be full again: one number, and no refilling. */
struct client {
    uint64_t key[2]; /* 0, 0: nobody */
    uint64_t full_ns[RATE_CLASS_COUNT];
};

struct rate_limit {
    struct rate_limit_options options;
    struct client *clients; /* SETS x WAYS */
    pthread_mutex_t locks[LOCKS];
};

rate_limit_t *rate_limit_new(const struct rate_limit_options *options)
{
    rate_limit_t *r = memory_new(1, sizeof *r, "rate limits");
    r->options = *options;
    r->clients = memory_new(SETS * WAYS, sizeof *r->clients, "rate limits");
    for (unsigned i = 0; i < LOCKS; i++)
        CHECK(pthread_mutex_init(&r->locks[i], NULL) == 0);
    return r;
}

void rate_limit_destroy(rate_limit_t **limit)
{
    rate_limit_t *r = *limit;
    if (r == NULL)
        return;
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_destroy(&r->locks[i]);
    memory_free(r->clients, SETS * WAYS, sizeof *r->clients);
    memory_free(r, 1, sizeof *r);
    *limit = NULL;
}

const char *rate_class_name(enum rate_class class)
{
    static const char *const names[] = {"orders", "cancels", "reads"};
    return names[class];
}

/* Who an address is, and whether it is this machine. */
struct address {
    uint64_t key[2];
    bool loopback;
};

static struct address address_read(const char *text, uint64_t seed)
{
    struct address a = {{0, 0}, false};
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        a.key[0] = 4;
        a.key[1] = ntohl(v4.s_addr);
        a.loopback = a.key[1] >> 24 == 127;
    } else if (inet_pton(AF_INET6, text, &v6) == 1) {
        a.key[0] = 6;
        memcpy(&a.key[1], &v6, sizeof a.key[1]);
        a.loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    } else {
        a.key[0] = 1;
        for (; *text != '\0'; text++)
            a.key[1] = mix(a.key[1] + seed + (unsigned char)*text);
    }
    return a;
}

/* The address's place in its set; a newcomer takes that of whoever has been full the longest. */
static struct client *client_of(struct client *set, const struct address *a)
{
    struct client *oldest = set;
    uint64_t oldest_ns = UINT64_MAX;
    for (struct client *c = set; c < set + WAYS; c++) {
        uint64_t full_ns = 0;
        if (c->key[0] == a->key[0] && c->key[1] == a->key[1])
            return c;
        for (unsigned i = 0; i < RATE_CLASS_COUNT; i++)
            full_ns = c->full_ns[i] > full_ns ? c->full_ns[i] : full_ns;
        if (full_ns < oldest_ns) {
            oldest = c;
            oldest_ns = full_ns;
        }
    }
    *oldest = (struct client){.key = {a->key[0], a->key[1]}};
    return oldest;
}

static struct rate_verdict take(struct client *c, enum rate_class class, uint64_t quota,
                                uint64_t now_ns)
{
    uint64_t token_ns = NS_PER_SECOND / quota;
    uint64_t full_ns = c->full_ns[class] > now_ns ? c->full_ns[class] : now_ns;
    uint64_t used_ns = full_ns - now_ns; /* what is missing of a second's worth */
    struct rate_verdict v = {.limited = true, .quota = quota};
    v.allowed = used_ns + token_ns <= quota * token_ns;
    if (v.allowed) {
        c->full_ns[class] = full_ns + token_ns;
        v.remaining = (quota * token_ns - used_ns - token_ns) / token_ns;
    } else {
        v.wait_ms = (used_ns + token_ns - quota * token_ns + NS_PER_MS - 1) / NS_PER_MS;
    }
    return v;
}

struct rate_verdict rate_limit_take(rate_limit_t *r, const char *address, enum rate_class class,
                                    uint64_t now_ns)
{
    struct address a = address_read(address, r->options.hash_seed);
    if (a.loopback && !r->options.loopback)
        return (struct rate_verdict){.limited = false, .allowed = true};
    uint64_t set = mix(mix(a.key[0] + r->options.hash_seed) + a.key[1]) % SETS;
    pthread_mutex_lock(&r->locks[set % LOCKS]);
    struct client *c = client_of(&r->clients[set * WAYS], &a);
    struct rate_verdict v = take(c, class, r->options.per_second[class], now_ns);
    pthread_mutex_unlock(&r->locks[set % LOCKS]);
    return v;
}
