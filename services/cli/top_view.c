#include "cli/top_view.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cli/amount.h"

enum {
    NAME_COLUMNS = 13,
    INCIDENTS_MIN = 3, /* lines kept for them before services are left out */
    INCIDENTS_ONCE = 20,
    CLOCK_SIZE = 16,
    SECTION_COUNT = 4,
};

/* ---- pieces ---- */

static void clock_text(char text[CLOCK_SIZE], uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(text, CLOCK_SIZE, "%H:%M:%S", &tm);
}

static void put_count(struct screen *s, int columns, double count)
{
    char text[AMOUNT_SIZE];
    amount_count(text, count);
    screen_put(s, SCREEN_PLAIN, "%*s", columns, text);
}

static void put_seconds(struct screen *s, int columns, double seconds)
{
    char text[AMOUNT_SIZE];
    amount_seconds(text, seconds);
    screen_put(s, SCREEN_PLAIN, "%*s", columns, text);
}

/* A count that should be 0. */
static void put_fault(struct screen *s, int columns, double count, enum screen_style style)
{
    char text[AMOUNT_SIZE];
    amount_count(text, count);
    screen_put(s, count > 0 ? style : SCREEN_PLAIN, "%*s", columns, text);
}

static void put_bytes(struct screen *s, int columns, double bytes)
{
    char text[AMOUNT_SIZE];
    amount_bytes(text, bytes);
    screen_put(s, SCREEN_PLAIN, "%*s", columns, text);
}

static void put_share(struct screen *s, int columns, double part, double whole)
{
    char text[AMOUNT_SIZE];
    amount_share(text, part, whole);
    screen_put(s, part >= 0.8 * whole ? SCREEN_WARN : SCREEN_PLAIN, "%*s", columns, text);
}

/* As much of a text as fits the rest of the line. */
static void put_rest(struct screen *s, enum screen_style style, unsigned used, const char *text)
{
    unsigned room = s->rows > 0 && s->columns > used ? s->columns - used : 1000;
    screen_put(s, style, "%.*s", (int)room, text);
}

static void put_name(struct screen *s, const char *name)
{
    screen_put(s, SCREEN_PLAIN, "%-*.*s", NAME_COLUMNS, NAME_COLUMNS - 1, name);
}

/* In place of figures, why there are none. True if it was said. */
static bool put_down(struct screen *s, const struct service *service, const char *word)
{
    char clock[CLOCK_SIZE], text[SERVICE_WHY_SIZE + 64];
    if (service->up)
        return false;
    clock_text(clock, service->since_ns);
    snprintf(text, sizeof text, "%ssince %s: %s", word, clock, service->why);
    put_rest(s, SCREEN_BAD, NAME_COLUMNS, text);
    return true;
}

/* ---- one line each ---- */

static void draw_shard_head(struct screen *s)
{
    screen_put(s, SCREEN_HEAD, "%-*s%24s%12s%12s%19s", NAME_COLUMNS, "", "", "step  ", "commit  ",
               "follower");
    screen_end_line(s);
    screen_put(s, SCREEN_HEAD, "%-*s%6s%6s%6s%6s%6s%6s%6s%6s%7s%5s%7s", NAME_COLUMNS, "SHARD",
               "cmd/s", "batch", "trd/s", "rej/s", "p50", "p99", "p50", "p99", "orders", "jrnl",
               "behind");
}

static void put_shard_name(struct screen *s, const struct overview *o, unsigned shard)
{
    const char *standing = overview_standing(o, shard);
    bool open = strcmp(standing, "open") == 0;
    screen_put(s, SCREEN_PLAIN, "%-3u", shard);
    screen_put(s, open ? SCREEN_GOOD : SCREEN_BAD, "%-*.*s", NAME_COLUMNS - 3, NAME_COLUMNS - 4,
               standing);
}

static void put_behind(struct screen *s, const struct service *follower)
{
    struct follower_figures f;
    if (follower == NULL || !follower->up) {
        screen_put(s, follower == NULL ? SCREEN_DIM : SCREEN_BAD, "%7s",
                   follower == NULL ? "none" : "down");
        return;
    }
    figures_of_follower(&f, &follower->pages);
    put_count(s, 7, f.behind);
}

static void draw_shard(struct screen *s, const struct overview *o, unsigned shard)
{
    const struct service *m = overview_of_shard(o, SERVICE_MATCHER, shard);
    struct matcher_figures f;
    put_shard_name(s, o, shard);
    if (m == NULL) {
        put_rest(s, SCREEN_DIM, NAME_COLUMNS, "its matcher is not among the services");
        return;
    }
    if (put_down(s, m, ""))
        return;
    figures_of_matcher(&f, &m->pages);
    put_count(s, 6, f.commands);
    put_count(s, 6, f.batch);
    put_count(s, 6, f.trades);
    put_count(s, 6, f.rejects);
    put_seconds(s, 6, f.step_p50);
    put_seconds(s, 6, f.step_p99);
    put_seconds(s, 6, f.commit_p50);
    put_seconds(s, 6, f.commit_p99);
    put_count(s, 7, f.orders);
    put_share(s, 5, f.journal, f.journal_max);
    put_behind(s, overview_of_shard(o, SERVICE_FOLLOWER, shard));
}

static void draw_gateway_head(struct screen *s)
{
    screen_put(s, SCREEN_HEAD, "%-*s%12s%14s%24s", NAME_COLUMNS, "", "", "order  ",
               "order p99, by stage  ");
    screen_end_line(s);
    screen_put(s, SCREEN_HEAD, "%-*s%6s%6s%7s%7s%8s%8s%8s%6s%6s%5s", NAME_COLUMNS, "GATEWAY",
               "req/s", "5xx/s", "p50", "p99", "edge", "matcher", "answer", "conns", "ws", "wait");
}

static void draw_gateway(struct screen *s, const struct service *g)
{
    struct gateway_figures f;
    put_name(s, g->name);
    if (put_down(s, g, "down "))
        return;
    figures_of_gateway(&f, &g->pages);
    put_count(s, 6, f.requests);
    put_fault(s, 6, f.failures, SCREEN_BAD);
    put_seconds(s, 7, f.order_p50);
    put_seconds(s, 7, f.order_p99);
    put_seconds(s, 8, f.edge_p99);
    put_seconds(s, 8, f.matcher_p99);
    put_seconds(s, 8, f.answer_p99);
    put_count(s, 6, f.connections);
    put_count(s, 6, f.websockets);
    put_count(s, 5, f.asks);
}

static void draw_market_data_head(struct screen *s)
{
    screen_put(s, SCREEN_HEAD, "%-*s%9s%11s%7s%9s%7s%7s%7s%10s", NAME_COLUMNS, "MARKET DATA",
               "frames/s", "delay p50", "p99", "books", "gaps", "faults", "drops", "outbox");
}

static void draw_market_data(struct screen *s, const struct service *m)
{
    struct market_data_figures f;
    char books[2 * AMOUNT_SIZE];
    put_name(s, m->name);
    if (put_down(s, m, "down "))
        return;
    figures_of_market_data(&f, &m->pages);
    snprintf(books, sizeof books, "%.0f/%.0f", f.known, f.symbols);
    put_count(s, 9, f.streams.frames);
    put_seconds(s, 11, f.delay_p50);
    put_seconds(s, 7, f.delay_p99);
    screen_put(s, f.known < f.symbols ? SCREEN_BAD : SCREEN_PLAIN, "%9s", books);
    put_fault(s, 7, f.streams.gaps, SCREEN_WARN);
    put_fault(s, 7, f.streams.faults, SCREEN_BAD);
    put_fault(s, 7, f.streams.drops, SCREEN_WARN);
    put_bytes(s, 10, f.streams.outbox);
}

static void draw_strategy_head(struct screen *s)
{
    screen_put(s, SCREEN_HEAD, "%-*s%9s%10s%11s%9s%9s%9s%10s", NAME_COLUMNS, "STRATEGIES",
               "orders/s", "fills/s", "refused/s", "working", "running", "stopped", "gaps");
}

static void draw_strategy(struct screen *s, const struct service *host)
{
    struct strategy_figures f;
    put_name(s, host->name);
    if (put_down(s, host, "down "))
        return;
    figures_of_strategy(&f, &host->pages);
    put_count(s, 9, f.orders);
    put_count(s, 10, f.fills);
    put_fault(s, 11, f.refused, SCREEN_WARN);
    put_count(s, 9, f.working);
    put_count(s, 9, f.running);
    put_fault(s, 9, f.stopped, SCREEN_BAD);
    put_fault(s, 10, f.streams.gaps, SCREEN_WARN);
}

/* ---- sections ---- */

static const struct section {
    enum service_kind kind; /* SERVICE_MATCHER: a line a shard */
    const char *what;
    unsigned head_lines;
    void (*head)(struct screen *s);
    void (*line)(struct screen *s, const struct service *service);
} sections[SECTION_COUNT] = {
    {SERVICE_MATCHER, "shards", 2, draw_shard_head, NULL},
    {SERVICE_GATEWAY, "gateways", 2, draw_gateway_head, draw_gateway},
    {SERVICE_MARKET_DATA, "market data services", 1, draw_market_data_head, draw_market_data},
    {SERVICE_STRATEGY, "hosts of strategies", 1, draw_strategy_head, draw_strategy},
};

static unsigned lines_wanted(const struct section *section, const struct overview *o)
{
    unsigned count = 0;
    if (section->kind == SERVICE_MATCHER)
        return overview_shards(o);
    for (unsigned i = 0; i < o->service_count; i++)
        count += o->services[i].kind == section->kind;
    return count;
}

/* How many lines each section may have; the longest is cut first, and keeps two. */
static void share_lines(const struct screen *s, const struct overview *o,
                        unsigned lines[SECTION_COUNT])
{
    unsigned sum = 3 + INCIDENTS_MIN; /* of the head, and the blank line behind it */
    for (unsigned i = 0; i < SECTION_COUNT; i++) {
        lines[i] = lines_wanted(&sections[i], o);
        sum += lines[i] == 0 ? 0 : lines[i] + sections[i].head_lines + 1;
    }
    while (s->rows > 0 && sum > s->rows) {
        unsigned longest = 0;
        for (unsigned i = 1; i < SECTION_COUNT; i++)
            longest = lines[i] > lines[longest] ? i : longest;
        if (lines[longest] <= 2)
            break;
        lines[longest]--;
        sum--;
    }
}

/* The service of a line of a section. */
static const struct service *service_at(const struct overview *o, enum service_kind kind,
                                        unsigned line)
{
    for (unsigned i = 0; i < o->service_count; i++) {
        if (o->services[i].kind == kind && line-- == 0)
            return &o->services[i];
    }
    return NULL;
}

static void draw_section(struct screen *s, const struct overview *o, const struct section *section,
                         unsigned lines)
{
    unsigned wanted = lines_wanted(section, o);
    if (lines == 0)
        return;
    section->head(s);
    screen_end_line(s);
    for (unsigned line = 0; line < lines; line++) {
        if (wanted > lines && line == lines - 1)
            screen_put(s, SCREEN_DIM, "... %u more %s", wanted - line, section->what);
        else if (section->kind == SERVICE_MATCHER)
            draw_shard(s, o, line);
        else
            section->line(s, service_at(o, section->kind, line));
        screen_end_line(s);
    }
    screen_end_line(s);
}

/* ---- head and foot ---- */

static void draw_head(struct screen *s, const struct overview *o, bool paused)
{
    char left[160], right[64], clock[CLOCK_SIZE];
    unsigned shards = overview_shards(o), open = 0, ready = 0;
    for (unsigned i = 0; i < shards; i++)
        open += strcmp(overview_standing(o, i), "open") == 0;
    for (unsigned i = 0; i < o->service_count; i++)
        ready += o->services[i].ready;
    clock_text(clock, o->now_ns);
    snprintf(left, sizeof left, "Outcry   %u of %u shards open, %u of %u services ready", open,
             shards, ready, o->service_count);
    snprintf(right, sizeof right, "%s%s UTC", paused ? "paused at " : "", clock);
    screen_put(s, SCREEN_HEAD, "%s%*s", left, (int)(s->columns - strlen(left)), right);
    screen_end_line(s);
}

static void draw_worst(struct screen *s, const struct incidents *incidents)
{
    const struct incident *worst = &incidents->at[0];
    static const char keys[] = "q quits, p pauses";
    if (incidents->count == 0 || worst->until_ns != 0) {
        screen_put(s, SCREEN_GOOD, "All is well.");
        if (s->live)
            screen_put(s, SCREEN_DIM, "%*s", (int)s->columns - 12, keys);
    } else {
        put_rest(s, worst->problem.weight == PROBLEM_STOPS ? SCREEN_BAD : SCREEN_WARN, 0,
                 worst->problem.text);
    }
    screen_end_line(s);
}

static void draw_incident(struct screen *s, const struct incident *one)
{
    char since[CLOCK_SIZE], until[CLOCK_SIZE] = "";
    bool over = one->until_ns != 0;
    clock_text(since, one->since_ns);
    if (over)
        clock_text(until, one->until_ns);
    screen_put(s, SCREEN_DIM, "%8s %s %-9s", since, over ? "to" : "  ", until);
    put_rest(s,
             over                                   ? SCREEN_DIM
             : one->problem.weight == PROBLEM_STOPS ? SCREEN_BAD
                                                    : SCREEN_WARN,
             21, one->problem.text);
    screen_end_line(s);
}

static void draw_incidents(struct screen *s, const struct incidents *incidents)
{
    unsigned room = s->rows == 0 ? INCIDENTS_ONCE : s->rows > s->row ? s->rows - s->row : 0;
    for (unsigned i = 0; i < incidents->count && i < room; i++) {
        if (i + 1 == room && incidents->count > room) {
            screen_put(s, SCREEN_DIM, "... %u more problems", incidents->count - i);
            screen_end_line(s);
        } else {
            draw_incident(s, &incidents->at[i]);
        }
    }
}

void top_view_draw(struct screen *s, const struct overview *o, const struct incidents *incidents,
                   bool paused)
{
    unsigned lines[SECTION_COUNT];
    screen_begin(s);
    share_lines(s, o, lines);
    draw_head(s, o, paused);
    draw_worst(s, incidents);
    screen_end_line(s);
    for (unsigned i = 0; i < SECTION_COUNT; i++)
        draw_section(s, o, &sections[i], lines[i]);
    draw_incidents(s, incidents);
    screen_show(s);
}
