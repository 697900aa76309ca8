#include "cli/overview.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/fetch.h"
#include "cli/rest.h"

static const struct {
    const char *word; /* label `service` of its metrics, and the beginning of its name */
    enum service_kind kind;
} kinds[] = {
    {"matcher", SERVICE_MATCHER},   {"follower", SERVICE_FOLLOWER},
    {"gateway", SERVICE_GATEWAY},   {"market-data", SERVICE_MARKET_DATA},
    {"strategy", SERVICE_STRATEGY},
};

static enum service_kind kind_of(const char *text)
{
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(text, kinds[i].word, strlen(kinds[i].word)) == 0)
            return kinds[i].kind;
    }
    return SERVICE_UNKNOWN;
}

/* ---- targets ---- */

void overview_init(struct overview *o, const char *command, const struct cluster *c,
                   const char *list)
{
    memset(o, 0, sizeof *o);
    o->cluster = c;
    o->listed = list != NULL;
    if (o->listed)
        targets_of(&o->targets, command, c, list);
}

static void find_targets(struct overview *o)
{
    static struct targets gateway;
    char error[TARGET_ERROR_SIZE];
    bool gateways = false;
    if (o->listed)
        return;
    targets_find(&o->targets, o->cluster->settings.run_dir);
    for (unsigned i = 0; i < o->targets.count; i++)
        gateways = gateways || kind_of(o->targets.at[i].name) == SERVICE_GATEWAY;
    if (gateways || o->targets.count == 0 || o->targets.count == TARGETS_MAX ||
        !targets_read(&gateway, o->cluster->settings.admin_address, error))
        return;
    struct target *added = &o->targets.at[o->targets.count++];
    *added = gateway.at[0];
    strcpy(added->name, "gateway");
}

/* ---- services ---- */

static struct service *service_of(struct overview *o, const struct target *t)
{
    for (unsigned i = 0; i < o->service_count; i++) {
        if (strcmp(o->services[i].target.name, t->name) == 0)
            return &o->services[i];
    }
    if (o->service_count == TARGETS_MAX)
        return NULL;
    struct service *s = &o->services[o->service_count++];
    memset(s, 0, sizeof *s);
    s->kind = kind_of(t->name);
    strcpy(s->name, target_shown(t));
    const char *dash = strrchr(t->name, '-');
    if (dash != NULL && (s->kind == SERVICE_MATCHER || s->kind == SERVICE_FOLLOWER))
        s->shard = (unsigned)strtoul(dash + 1, NULL, 10);
    return s;
}

/* The oldest so many. */
static void forget_pages(struct service *s, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        scrape_destroy(&s->kept[i].page);
    s->kept_count -= count;
    memmove(&s->kept[0], &s->kept[count], s->kept_count * sizeof s->kept[0]);
    s->pages = (struct pages){NULL, NULL, 0};
}

static void goes_down(struct overview *o, struct service *s, const char *why)
{
    if (s->up || s->since_ns == 0)
        s->since_ns = o->now_ns;
    s->up = s->ready = false;
    forget_pages(s, s->kept_count);
    snprintf(s->why, sizeof s->why, "%s", why);
}

/* Its name, if all that was known of it is an address: the shard's; or its host's, up to the first
 * dot of one that is not a number. */
static void take_name(struct service *s)
{
    if (strcmp(s->name, s->target.address) != 0)
        return;
    if (s->kind == SERVICE_MATCHER || s->kind == SERVICE_FOLLOWER)
        snprintf(s->name, sizeof s->name, "%s-%u",
                 s->kind == SERVICE_MATCHER ? "matcher" : "follower", s->shard);
    else if (strspn(s->name, "0123456789.:[]abcdef") != strlen(s->name))
        s->name[strcspn(s->name, ".:")] = '\0';
}

/* What a page says of the service itself. False: it is not of this service at all, as when its port
 * has passed to another. */
static bool take_page(struct service *s, const scrape_t *page)
{
    static const char *const shards[] = {
        [SERVICE_MATCHER] = "outcry_matcher_seq", [SERVICE_FOLLOWER] = "outcry_follower_seq"};
    size_t count;
    const struct scrape_series *info = scrape_series(page, "outcry_build_info", &count);
    enum service_kind kind = count == 0 ? SERVICE_UNKNOWN : kind_of(scrape_label(info, "service"));
    if (kind == SERVICE_UNKNOWN || (s->kind != SERVICE_UNKNOWN && kind != s->kind))
        return false;
    s->kind = kind;
    snprintf(s->version, sizeof s->version, "%s", scrape_label(info, "version"));
    if (kind == SERVICE_MATCHER || kind == SERVICE_FOLLOWER) {
        const struct scrape_series *of = scrape_series(page, shards[kind], &count);
        if (count > 0)
            s->shard = (unsigned)strtoul(scrape_label(of, "shard"), NULL, 10);
    }
    double started = scrape_sum(page, "outcry_start_time_seconds", NULL, NULL);
    s->since_ns = started > 0 ? (uint64_t)(started * (double)NS_PER_SECOND) : 0;
    take_name(s);
    return true;
}

/* Whether two pages are of one process. */
static bool same_life(const scrape_t *now, const scrape_t *before)
{
    static const char start[] = "outcry_start_time_seconds";
    double change = scrape_sum(now, start, NULL, NULL) - scrape_sum(before, start, NULL, NULL);
    return !(fabs(change) > 0.5);
}

/* Keep a page, TAKEN, and forget those there is no more use for: too old, while there is one that
 * is old enough, or of a life before. */
static void keep_page(struct service *s, scrape_t *page)
{
    static const uint64_t window_ns = OVERVIEW_WINDOW_S * NS_PER_SECOND - NS_PER_SECOND / 4;
    uint64_t now_ns = clock_monotonic_ns();
    unsigned forget = 0;
    if (s->kept_count > 0 && !same_life(page, s->kept[s->kept_count - 1].page))
        forget = s->kept_count;
    while (forget + 1 < s->kept_count && s->kept[forget + 1].read_ns + window_ns <= now_ns)
        forget++;
    if (forget == 0 && s->kept_count == PAGES_KEPT)
        forget = 1;
    forget_pages(s, forget);
    s->kept[s->kept_count].page = page;
    s->kept[s->kept_count++].read_ns = now_ns;
    s->pages.now = page;
    if (s->kept_count > 1) {
        s->pages.before = s->kept[0].page;
        s->pages.seconds = (double)(now_ns - s->kept[0].read_ns) / (double)NS_PER_SECOND;
    }
}

static void take_answer(struct overview *o, struct service *s, const struct fetched *answer)
{
    char error[SCRAPE_ERROR_SIZE] = "", why[SERVICE_WHY_SIZE];
    scrape_t *page = NULL;
    if (answer->status != 200) {
        fetch_why(answer, why);
    } else {
        page = scrape_read(answer->text, answer->size, error);
        snprintf(why, sizeof why, "its metrics cannot be read: %s", error);
    }
    if (page != NULL && !take_page(s, page)) {
        snprintf(why, sizeof why, "another service answers at its address");
        scrape_destroy(&page);
    }
    if (page == NULL) {
        goes_down(o, s, why);
        return;
    }
    keep_page(s, page);
    s->up = true;
    s->ready = scrape_sum(page, "outcry_ready", NULL, NULL) > 0;
    snprintf(s->why, sizeof s->why, "%s", s->ready ? "" : "it does not say why");
}

/* ---- looking ---- */

/* One path of those services that `wants` it. */
static void ask_some(struct overview *o, const char *path, unsigned timeout_ms,
                     bool (*wants)(const struct service *s),
                     void (*take)(struct overview *o, struct service *s,
                                  const struct fetched *answer))
{
    static struct targets asked;
    static struct service *services[TARGETS_MAX];
    static struct fetched answers[TARGETS_MAX];
    asked.count = 0;
    for (unsigned i = 0; i < o->service_count; i++) {
        if (!wants(&o->services[i]))
            continue;
        services[asked.count] = &o->services[i];
        asked.at[asked.count++] = o->services[i].target;
    }
    if (asked.count == 0)
        return;
    fetch_all(&asked, path, timeout_ms, answers);
    for (unsigned i = 0; i < asked.count; i++)
        take(o, services[i], &answers[i]);
    fetch_free(answers, asked.count);
}

static bool wants_why(const struct service *s)
{
    return s->up && !s->ready;
}

static void take_why(struct overview *o, struct service *s, const struct fetched *answer)
{
    (void)o;
    fetch_why(answer, s->why);
}

static bool is_gateway(const struct service *s)
{
    return s->up && s->kind == SERVICE_GATEWAY;
}

static void take_health(struct overview *o, struct service *s, const struct fetched *answer)
{
    json_t *health = answer->text == NULL ? NULL : json_loads(answer->text, 0, NULL), *shard;
    size_t i;
    s->orders_known = 0;
    json_array_foreach(json_object_get(health, "shards"), i, shard)
    {
        json_int_t number = json_integer_value(json_object_get(shard, "shard"));
        if (number < 0 || number >= SHARDS_MAX)
            continue;
        if (json_is_true(json_object_get(shard, "orders_known")))
            s->orders_known |= UINT64_C(1) << number;
        if (*rest_text(shard, "journal") != '\0')
            snprintf(o->journal_modes[number], JOURNAL_MODE_SIZE, "%s",
                     rest_text(shard, "journal"));
    }
    json_decref(health);
}

void overview_ask_gateways(struct overview *o, unsigned timeout_ms)
{
    ask_some(o, "/health", timeout_ms, is_gateway, take_health);
}

static int by_kind(const void *a, const void *b)
{
    const struct service *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->shard != y->shard)
        return x->shard < y->shard ? -1 : 1;
    return strverscmp(x->name, y->name);
}

static bool is_target(const struct overview *o, const struct service *s)
{
    for (unsigned i = 0; i < o->targets.count; i++) {
        if (strcmp(o->targets.at[i].name, s->target.name) == 0)
            return true;
    }
    return false;
}

void overview_look(struct overview *o, unsigned timeout_ms)
{
    static struct fetched answers[TARGETS_MAX];
    find_targets(o);
    fetch_all(&o->targets, "/metrics", timeout_ms, answers);
    o->now_ns = clock_wall_ns();
    for (unsigned i = 0; i < o->targets.count; i++) {
        struct service *s = service_of(o, &o->targets.at[i]);
        if (s == NULL)
            continue;
        s->target = o->targets.at[i];
        take_answer(o, s, &answers[i]);
    }
    fetch_free(answers, o->targets.count);
    for (unsigned i = 0; i < o->service_count; i++) {
        if (!is_target(o, &o->services[i]))
            goes_down(o, &o->services[i], "it has stopped");
    }
    ask_some(o, "/readyz", timeout_ms, wants_why, take_why);
    qsort(o->services, o->service_count, sizeof o->services[0], by_kind);
}

void overview_close(struct overview *o)
{
    for (unsigned i = 0; i < o->service_count; i++)
        forget_pages(&o->services[i], o->services[i].kept_count);
    o->service_count = 0;
}

/* ---- shards ---- */

const struct service *overview_of_shard(const struct overview *o, enum service_kind kind,
                                        unsigned shard)
{
    for (unsigned i = 0; i < o->service_count; i++) {
        if (o->services[i].kind == kind && o->services[i].shard == shard)
            return &o->services[i];
    }
    return NULL;
}

unsigned overview_shards(const struct overview *o)
{
    unsigned count = o->listed ? 0 : (unsigned)o->cluster->settings.shards;
    for (unsigned i = 0; i < o->service_count; i++) {
        const struct service *s = &o->services[i];
        bool of_shard = s->kind == SERVICE_MATCHER || s->kind == SERVICE_FOLLOWER;
        if (of_shard && s->shard >= count && s->shard < SHARDS_MAX)
            count = s->shard + 1;
    }
    return count;
}

const char *overview_standing(const struct overview *o, unsigned shard)
{
    const struct service *m = overview_of_shard(o, SERVICE_MATCHER, shard);
    const char *word = "";
    double heard = NAN;
    for (unsigned i = 0; i < o->service_count; i++) {
        const struct service *s = &o->services[i];
        if (s->kind != SERVICE_GATEWAY || !s->up)
            continue;
        double hears = figures_heard(&s->pages, shard);
        heard = isnan(heard) || hears > heard ? hears : heard;
        word = hears > 0 || *word == '\0' ? figures_standing(&s->pages, shard) : word;
    }
    if (m != NULL && !m->up)
        return "down";
    if (m == NULL && !(heard > 0))
        return isnan(heard) ? "unknown" : "silent";
    bool open = m == NULL || scrape_sum(m->pages.now, "outcry_matcher_open", NULL, NULL) > 0;
    if (m != NULL && open)
        return "open";
    return *word == '\0' || (!open && strcmp(word, "open") == 0) ? "closed" : word;
}
