#include "cli/problems.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/amount.h"

/* Where a figure becomes a threat; alerts.yml has the same. */
static const double FULL_SHARE = 0.8;           /* of a limit */
static const double FREE_MIN = 2147483648.0;    /* bytes left on a journal's disk: 64 segments */
static const double BEHIND_MAX = 100000;        /* commands a follower has not read */
static const double SNAPSHOT_INTERVALS_MAX = 3; /* of snapshot_commands, since the last snapshot */
static const double UNANSWERED_MAX = 10000;     /* commands: of origin_window's 16,384 */
static const double OUTBOX_MAX = 67108864.0;    /* bytes made and not sent: kept_mib */

__attribute__((format(printf, 5, 6))) static void add(struct problems *p,
                                                      enum problem_weight weight, const char *what,
                                                      const char *whose, const char *form, ...)
{
    unsigned at = 0;
    while (at < p->count && p->at[at].weight <= weight)
        at++;
    if (at == PROBLEMS_MAX)
        return;
    p->count += p->count < PROBLEMS_MAX;
    memmove(&p->at[at + 1], &p->at[at], (p->count - at - 1) * sizeof p->at[0]);
    struct problem *one = &p->at[at];
    one->weight = weight;
    snprintf(one->key, sizeof one->key, "%s %s", what, whose);
    va_list arguments;
    va_start(arguments, form);
    vsnprintf(one->text, sizeof one->text, form, arguments);
    va_end(arguments);
}

static void check_service(struct problems *p, const struct service *s)
{
    if (!s->up)
        add(p, PROBLEM_STOPS, "down", s->name, "%s is down: %s", s->name, s->why);
    else if (!s->ready)
        add(p, PROBLEM_STOPS, "not ready", s->name, "%s is not ready: %s", s->name, s->why);
}

static void check_limit(struct problems *p, const struct service *s, const char *what, double found,
                        double limit)
{
    if (limit > 0 && found >= FULL_SHARE * limit)
        add(p, PROBLEM_THREATS, what, s->name, "%s: %.0f %s of at most %.0f; then they are refused",
            s->name, found, what, limit);
}

static void check_matcher(struct problems *p, const struct service *s)
{
    struct matcher_figures f;
    char left[AMOUNT_SIZE];
    figures_of_matcher(&f, &s->pages);
    check_limit(p, s, "open orders", f.orders, f.orders_max);
    check_limit(p, s, "accounts", f.accounts, f.accounts_max);
    if (f.journal_max > 0 && f.journal >= FULL_SHARE * f.journal_max)
        add(p, PROBLEM_THREATS, "journal", s->name,
            "%s: its journal has %.0f%% of its limit (journal_mib_max); when it is full, no "
            "commands are taken",
            s->name, 100 * f.journal / f.journal_max);
    if (f.journal_free < FREE_MIN) {
        amount_bytes(left, f.journal_free);
        add(p, PROBLEM_THREATS, "disk", s->name, "%s: %s left on the disk of its journal", s->name,
            left);
    }
    if (f.unsequenced > 0)
        add(p, PROBLEM_HAPPENS, "unsequenced", s->name,
            "%s: %.0f commands a second cannot be sequenced", s->name, f.unsequenced);
}

static void check_follower(struct problems *p, const struct overview *o, const struct service *s)
{
    struct follower_figures f;
    double interval = (double)o->cluster->settings.snapshot_commands;
    figures_of_follower(&f, &s->pages);
    if (f.behind > BEHIND_MAX)
        add(p, PROBLEM_THREATS, "behind", s->name, "%s is %.0f commands behind its matcher",
            s->name, f.behind);
    if (f.seq - f.snapshot_seq > SNAPSHOT_INTERVALS_MAX * interval)
        add(p, PROBLEM_THREATS, "snapshot", s->name,
            "%s: its newest snapshot is %.0f commands old; one is due every %.0f", s->name,
            f.seq - f.snapshot_seq, interval);
    if (f.restarts_now > 0)
        add(p, PROBLEM_HAPPENS, "began anew", s->name, "%s began anew; its log says why", s->name);
}

static void check_streams(struct problems *p, const struct service *s,
                          const struct stream_figures *f)
{
    if (f->faults_now > 0)
        add(p, PROBLEM_HAPPENS, "faults", s->name,
            "%s: hashes that differed, or sequences that went back: %.0f; it joined anew", s->name,
            f->faults_now);
    if (f->gaps_now > 0)
        add(p, PROBLEM_HAPPENS, "gaps", s->name, "%s: frames missing, and asked for again: %.0f",
            s->name, f->gaps_now);
    if (f->drops_now > 0)
        add(p, PROBLEM_HAPPENS, "drops", s->name, "%s: messages a reader had no room for: %.0f",
            s->name, f->drops_now);
    if (f->outbox > OUTBOX_MAX)
        add(p, PROBLEM_THREATS, "outbox", s->name, "%s: %.0f MiB wait to be sent", s->name,
            f->outbox / 1048576);
}

static void check_gateway(struct problems *p, const struct overview *o, const struct service *s)
{
    struct gateway_figures f;
    figures_of_gateway(&f, &s->pages);
    check_streams(p, s, &f.streams);
    if (f.failures > 0)
        add(p, PROBLEM_HAPPENS, "failures", s->name, "%s answers %.1f requests a second with 5xx",
            s->name, f.failures);
    if (f.slow_now > 0)
        add(p, PROBLEM_HAPPENS, "slow", s->name, "%s: WebSockets closed as too slow: %.0f", s->name,
            f.slow_now);
    for (unsigned shard = 0; shard < overview_shards(o); shard++) {
        double unanswered = figures_unanswered(&s->pages, shard);
        if (unanswered > UNANSWERED_MAX)
            add(p, PROBLEM_THREATS, "unanswered", s->name,
                "%s: %.0f commands to shard %u are without an answer", s->name, unanswered, shard);
    }
}

static void check_market_data(struct problems *p, const struct service *s)
{
    struct market_data_figures f;
    figures_of_market_data(&f, &s->pages);
    check_streams(p, s, &f.streams);
    if (s->ready && f.known < f.symbols)
        add(p, PROBLEM_STOPS, "books", s->name, "%s has %.0f of %.0f books", s->name, f.known,
            f.symbols);
}

static void check_strategy(struct problems *p, const struct service *s)
{
    struct strategy_figures f;
    figures_of_strategy(&f, &s->pages);
    check_streams(p, s, &f.streams);
    if (f.stopped > 0)
        add(p, PROBLEM_THREATS, "stopped", s->name,
            "%s: strategies that a limit or a fault has stopped: %.0f; its log says why", s->name,
            f.stopped);
}

static void check_shard(struct problems *p, const struct overview *o, unsigned shard)
{
    static const struct {
        const char *standing, *text;
    } words[] = {
        {"draining", "it is stopping"},
        {"no_space", "there is no room for its journal; it goes on by itself when there is"},
        {"clock_jump", "its clock jumped; if the clock is right: outcry resume"},
        {"failed", "its journal failed; start it again, and it goes on from what was kept"},
        {"silent", "no gateway hears its matcher, and none is found here"},
        {"unknown", "no matcher of it is found here, and no gateway that would hear one"},
    };
    char whose[24];
    const char *standing = overview_standing(o, shard), *why = standing;
    const struct service *m = overview_of_shard(o, SERVICE_MATCHER, shard);
    if (strcmp(standing, "open") == 0 || (m != NULL && (!m->up || !m->ready)))
        return; /* of which its service's line says enough */
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
        why = strcmp(standing, words[i].standing) == 0 ? words[i].text : why;
    snprintf(whose, sizeof whose, "shard %u", shard);
    add(p, PROBLEM_STOPS, "closed", whose, "%s takes no commands: %s", whose, why);
}

void problems_find(struct problems *p, const struct overview *o)
{
    p->count = 0;
    for (unsigned i = 0; i < o->service_count; i++) {
        const struct service *s = &o->services[i];
        check_service(p, s);
        if (s->up && s->kind == SERVICE_MATCHER)
            check_matcher(p, s);
        if (s->up && s->kind == SERVICE_FOLLOWER)
            check_follower(p, o, s);
        if (s->up && s->kind == SERVICE_GATEWAY)
            check_gateway(p, o, s);
        if (s->up && s->kind == SERVICE_MARKET_DATA)
            check_market_data(p, s);
        if (s->up && s->kind == SERVICE_STRATEGY)
            check_strategy(p, s);
    }
    for (unsigned shard = 0; shard < overview_shards(o); shard++)
        check_shard(p, o, shard);
}
