/* figures: what `outcry status` and `outcry top` show of a service, worked out from its page of
 * metrics and the one before. Rates are a second's, times are in seconds; NAN where a page does not
 * say, or nothing happened. Thread: one. */
#ifndef OUTCRY_CLI_FIGURES_H
#define OUTCRY_CLI_FIGURES_H

#include "cli/scrape.h"

/* What was read of a service; before NULL: only once, so there are no rates. */
struct pages {
    scrape_t *now, *before;
    double seconds; /* between them */
};

struct matcher_figures {
    double commands, batch, trades, rejects; /* rates; commands of a batch */
    double unsequenced, gaps;                /* rates */
    double step_p50, step_p99, commit_p50, commit_p99;
    double open; /* 1: it takes commands */
    double epoch, seq;
    double orders, orders_max, accounts, accounts_max, origins, origins_max;
    double journal, journal_max, journal_free; /* bytes */
};

struct follower_figures {
    double behind, seq, snapshot_seq; /* commands */
    double restarts, restarts_now;    /* since it started; since the page before */
};

/* The streams a service follows, and what it publishes. */
struct stream_figures {
    double frames;                          /* rate */
    double gaps, faults, drops;             /* since it started */
    double gaps_now, faults_now, drops_now; /* since the page before */
    double outbox;                          /* bytes */
};

struct market_data_figures {
    struct stream_figures streams;
    double known, symbols;
    double delay_p50, delay_p99;
};

struct gateway_figures {
    struct stream_figures streams;
    double requests, failures, refused; /* rates: all, those answered 5xx, those with an error */
    double order_p50, order_p99;        /* placing one, head to answer */
    double edge_p99, matcher_p99, answer_p99; /* where that time went */
    double connections, websockets, websockets_waiting, asks;
    double slow, slow_now; /* WebSockets closed as too slow, like gaps */
};

struct strategy_figures {
    struct stream_figures streams;
    double running, stopped, working;
    double orders, refused, fills; /* rates */
};

void figures_of_matcher(struct matcher_figures *f, const struct pages *p);
void figures_of_follower(struct follower_figures *f, const struct pages *p);
void figures_of_market_data(struct market_data_figures *f, const struct pages *p);
void figures_of_gateway(struct gateway_figures *f, const struct pages *p);
void figures_of_strategy(struct strategy_figures *f, const struct pages *p);

/* What a gateway hears of a shard: 1 if its matcher is heard; the commands it has had no result
 * for; and the matcher's standing, a word of the protocol, "" if the gateway does not say. */
double figures_heard(const struct pages *p, unsigned shard);
double figures_unanswered(const struct pages *p, unsigned shard);
const char *figures_standing(const struct pages *p, unsigned shard);

#endif
