/* overview: the services of a cluster as they are now: all of them are asked at once, as often as
 * its owner wants to look. What has answered once is remembered: if it goes away it is down, since
 * when, and why. Thread: one. */
#ifndef OUTCRY_CLI_OVERVIEW_H
#define OUTCRY_CLI_OVERVIEW_H

#include "cli/figures.h"
#include "cli/targets.h"

enum service_kind { /* in the order they are shown */
                    SERVICE_MATCHER,
                    SERVICE_FOLLOWER,
                    SERVICE_GATEWAY,
                    SERVICE_MARKET_DATA,
                    SERVICE_STRATEGY,
                    SERVICE_UNKNOWN, /* it has not answered yet, and its name does not tell */
};

enum { SERVICE_WHY_SIZE = 256, SERVICE_VERSION_SIZE = 32, SHARDS_MAX = 64, JOURNAL_MODE_SIZE = 8 };

/* Figures are of the last 5 s, or since the look before if that is longer: services bring their
 * counters up to date about once a second, so a shorter time would show now too few, now too many.
 */
enum { PAGES_KEPT = 8, OVERVIEW_WINDOW_S = 5 };

struct service {
    struct target target;
    char name[TARGET_NAME_SIZE];
    enum service_kind kind;
    unsigned shard; /* of a matcher or follower */
    bool up;        /* it answers with a page of metrics */
    bool ready;
    char why[SERVICE_WHY_SIZE]; /* why it is not up, or not ready */
    uint64_t since_ns;          /* Unix ns: up since (it started), or seen to be down since */
    char version[SERVICE_VERSION_SIZE];
    uint64_t orders_known; /* of a gateway, by overview_ask_gateways(): bit N: shard N's */
    struct pages pages;    /* now is NULL while it is not up */
    struct {
        scrape_t *page;
        uint64_t read_ns; /* monotonic */
    } kept[PAGES_KEPT];   /* the oldest first: pages.before; the last is pages.now */
    unsigned kept_count;
};

struct overview {
    const struct cluster *cluster; /* KEPT */
    bool listed;                   /* the targets are given, not those of the run directory */
    struct targets targets;
    struct service services[TARGETS_MAX];
    unsigned service_count;
    char journal_modes[SHARDS_MAX][JOURNAL_MODE_SIZE]; /* by overview_ask_gateways(); "": unknown */
    uint64_t now_ns;                                   /* Unix ns: when they were last looked at */
};

/* list: HOST:PORT,... or NULL. A mistake in it exits 2 with a message in the command's name. */
void overview_init(struct overview *o, const char *command, const struct cluster *c,
                   const char *list);
void overview_close(struct overview *o);

/* Ask all there are, for at most timeout_ms each time (one that answers and is not ready is asked
 * why, too). In the run directory the gateway of the configuration is one of them, if no other
 * gateway tells of itself there. */
void overview_look(struct overview *o, unsigned timeout_ms);

/* Ask the gateways that are up for what only their /health tells: which orders they know, and in
 * which mode the journals are. */
void overview_ask_gateways(struct overview *o, unsigned timeout_ms);

/* The service of that kind and shard, or NULL. */
const struct service *overview_of_shard(const struct overview *o, enum service_kind kind,
                                        unsigned shard);

/* The shards there are: of the configuration if the run directory is looked at, and those that any
 * service names. */
unsigned overview_shards(const struct overview *o);

/* In one word: "open", or what its matcher or a gateway says that it is instead; "down" if it does
 * not answer; of one that is not among the services, "silent" if a gateway does not hear it, and
 * "unknown" if there is no gateway. */
const char *overview_standing(const struct overview *o, unsigned shard);

#endif
