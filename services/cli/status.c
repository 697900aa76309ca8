#include "cli/status.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/amount.h"
#include "cli/rest.h"
#include "cli/status_health.h"
#include "cli/status_json.h"
#include "node/host.h"

enum { TIMEOUT_MS = 3000, PATIENCE_MS = 1500, AGAIN_MS = 200, NAME_COLUMNS = 12 };

static const char usage[] =
    "usage: outcry status [--json] [--targets HOST:PORT,...] [--config FILE] [--SETTING VALUE "
    "...]\n"
    "\n"
    "How the cluster is: what is wrong, then every shard and service. Services are found in the\n"
    "run directory, where each tells its address, or are those of --targets; where there are "
    "none,\n"
    "the gateway says what it sees. The exit status is 0 if all is well.\n"
    "\n"
    "  outcry status\n"
    "  outcry status --targets matcher-0:8001,follower-0:8001,gateway-1:8001\n";

static void show_problems(const struct overview *o, const struct problems *p)
{
    unsigned ready = 0;
    for (unsigned i = 0; i < o->service_count; i++)
        ready += o->services[i].ready;
    if (p->count == 0)
        printf("All is well: %u of %u services ready.\n", ready, o->service_count);
    else
        printf("%u problem%s, %u of %u services ready:\n", p->count, p->count == 1 ? "" : "s",
               ready, o->service_count);
    for (unsigned i = 0; i < p->count; i++)
        printf("  %s\n", p->at[i].text);
    putchar('\n');
}

/* Words and the number behind them. */
static void say(const char *words, double number)
{
    char text[AMOUNT_SIZE];
    amount_whole(text, number);
    printf("%s%s", words, text);
}

/* ---- shards ---- */

static void show_journal(const struct overview *o, unsigned shard, const struct matcher_figures *f)
{
    char size[AMOUNT_SIZE], limit[AMOUNT_SIZE], left[AMOUNT_SIZE];
    const char *mode = o->journal_modes[shard];
    amount_bytes(size, f->journal);
    amount_bytes(limit, f->journal_max);
    amount_bytes(left, f->journal_free);
    printf("%*s journal %s%s%s", NAME_COLUMNS, "", mode, *mode == '\0' ? "" : ": ",
           status_promise(mode));
    if (f->journal_max > 0)
        printf("; %s of at most %s, %s free on its disk", size, limit, left);
    putchar('\n');
}

static void show_matcher(const struct overview *o, unsigned shard, const struct service *m)
{
    struct matcher_figures f;
    figures_of_matcher(&f, &m->pages);
    say(", epoch ", f.epoch);
    say(", sequence ", f.seq);
    putchar('\n');
    show_journal(o, shard, &f);
    printf("%*s", NAME_COLUMNS, "");
    say(" orders ", f.orders);
    say(" of ", f.orders_max);
    say(", accounts ", f.accounts);
    say(" of ", f.accounts_max);
    say(", senders ", f.origins);
    say(" of ", f.origins_max);
    putchar('\n');
}

static void show_follower(const struct service *follower)
{
    struct follower_figures f;
    if (follower == NULL || !follower->up) {
        printf("%*s follower %s\n", NAME_COLUMNS, "",
               follower == NULL ? "none, so there are no snapshots" : "down");
        return;
    }
    figures_of_follower(&f, &follower->pages);
    printf("%*s follower", NAME_COLUMNS, "");
    say(" ", f.behind);
    if (f.snapshot_seq > 0)
        say(" commands behind, its snapshot older by ", f.seq - f.snapshot_seq);
    else
        printf(" commands behind, no snapshot yet");
    putchar('\n');
}

static void show_shard(const struct overview *o, unsigned shard)
{
    const struct service *m = overview_of_shard(o, SERVICE_MATCHER, shard);
    const char *standing = overview_standing(o, shard);
    printf("shard %-*u ", NAME_COLUMNS - 6, shard);
    if (strcmp(standing, "open") == 0)
        printf("matcher takes orders");
    else
        printf("matcher takes no orders (%s)", standing);
    if (m != NULL && m->up)
        show_matcher(o, shard, m);
    else
        putchar('\n');
    show_follower(overview_of_shard(o, SERVICE_FOLLOWER, shard));
}

/* ---- services ---- */

static void show_gateway(const struct overview *o, const struct service *s)
{
    struct gateway_figures f;
    unsigned shards = overview_shards(o), known = 0;
    double unanswered = 0;
    figures_of_gateway(&f, &s->pages);
    for (unsigned shard = 0; shard < shards; shard++) {
        known += (s->orders_known >> shard & 1) != 0;
        unanswered += figures_unanswered(&s->pages, shard);
    }
    printf("%-*s orders of %u of %u shards known", NAME_COLUMNS, s->name, known, shards);
    say(", unanswered ", unanswered);
    say("; connections ", f.connections);
    say(", of them WebSockets ", f.websockets);
    putchar('\n');
}

static void show_market_data(const struct service *s)
{
    struct market_data_figures f;
    figures_of_market_data(&f, &s->pages);
    printf("%-*s symbols known", NAME_COLUMNS, s->name);
    say(" ", f.known);
    say(" of ", f.symbols);
    say("; since it started gaps ", f.streams.gaps);
    say(", faults ", f.streams.faults);
    say(", drops ", f.streams.drops);
    putchar('\n');
}

static void show_strategy(const struct service *s)
{
    struct strategy_figures f;
    figures_of_strategy(&f, &s->pages);
    printf("%-*s strategies", NAME_COLUMNS, s->name);
    say(" running ", f.running);
    say(", stopped ", f.stopped);
    say("; orders working ", f.working);
    putchar('\n');
}

static void show_service(const struct service *s)
{
    char since[32] = "";
    time_t seconds = (time_t)(s->since_ns / NS_PER_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    if (s->up)
        strftime(since, sizeof since, "%Y-%m-%d %H:%M:%SZ", &tm);
    printf("%-14s %-9s  %-20s  %-8s  %s\n", s->name,
           !s->up     ? "down"
           : s->ready ? "ready"
                      : "not ready",
           since, s->version, s->target.address);
}

static void show(const struct overview *o, const struct problems *p)
{
    show_problems(o, p);
    for (unsigned shard = 0; shard < overview_shards(o); shard++)
        show_shard(o, shard);
    for (unsigned i = 0; i < o->service_count; i++) {
        const struct service *s = &o->services[i];
        if (s->up && s->kind == SERVICE_GATEWAY)
            show_gateway(o, s);
        if (s->up && s->kind == SERVICE_MARKET_DATA)
            show_market_data(s);
        if (s->up && s->kind == SERVICE_STRATEGY)
            show_strategy(s);
    }
    printf("\n%-14s %-9s  %-20s  %-8s  %s\n", "service", "state", "since", "version", "address");
    for (unsigned i = 0; i < o->service_count; i++)
        show_service(&o->services[i]);
}

/* ---- asking ---- */

static int status_of_services(struct overview *o, bool json)
{
    static struct problems problems;
    problems_find(&problems, o);
    if (json) {
        json_t *status = status_json(o, &problems);
        json_dumpf(status, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(status);
    } else {
        show(o, &problems);
    }
    return problems.count == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool all_ready(const struct overview *o)
{
    bool ready = true;
    for (unsigned i = 0; i < o->service_count; i++)
        ready = ready && (o->services[i].ready || !o->services[i].up);
    return ready;
}

/* Services look about once a second whether they are ready: one that has just become so is not to
 * be called unwell. Each look is of its own, so that what happens between two is no problem. */
static void look(struct overview *o)
{
    uint64_t patience_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;
    overview_look(o, TIMEOUT_MS);
    while (!all_ready(o) && clock_monotonic_ns() < patience_ns) {
        usleep(AGAIN_MS * 1000);
        overview_close(o);
        overview_look(o, TIMEOUT_MS);
    }
    overview_ask_gateways(o, TIMEOUT_MS);
}

int status_main(int argc, char **argv)
{
    static struct cluster cluster;
    static struct overview overview;
    host_load(&cluster, &argc, argv, usage);
    bool json = rest_flag(&argc, argv, "--json");
    const char *list = rest_text_flag(&argc, argv, "--targets");
    host_no_more_flags(argc, argv);
    overview_init(&overview, "status", &cluster, list);
    look(&overview);
    int status = overview.service_count == 0 ? status_health(&cluster, json)
                                             : status_of_services(&overview, json);
    overview_close(&overview);
    return status;
}
