#include "cli/status_health.h"

#include <stdlib.h>
#include <string.h>

#include "cli/rest.h"

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* Whether its matcher takes orders, and why not; of a silent one, what it said last. */
static void show_matcher(const json_t *shard)
{
    bool up = strcmp(rest_text(shard, "matcher"), "up") == 0;
    const char *why = rest_text(shard, "why");
    printf("matcher %s", !up ? "silent" : *why == '\0' ? "takes orders" : "takes no orders");
    if (*why != '\0')
        printf(" (%s: %s)", rest_text(shard, "standing"), why);
}

const char *status_promise(const char *journal_mode)
{
    if (strcmp(journal_mode, "sync") == 0)
        return "acks are on disk";
    if (strcmp(journal_mode, "async") == 0)
        return "acks are not on disk until up to 100 ms later";
    if (strcmp(journal_mode, "none") == 0)
        return "acks are not on disk: nothing is kept, every start is a new history";
    return "not known yet";
}

static void show_journal(const json_t *shard)
{
    const char *journal = rest_text(shard, "journal");
    printf("             journal %s%s%s\n", journal, *journal == '\0' ? "" : ": ",
           status_promise(journal));
}

static void show(const json_t *health)
{
    size_t i;
    json_t *shard;
    printf("gateway      %s, %s\n", rest_text(health, "gateway"), rest_text(health, "status"));
    printf("market data  %s, %lld of %lld symbols known\n", rest_text(health, "market_data"),
           number(health, "symbols_known"), number(health, "symbols"));
    printf("open orders  %lld\n", number(health, "open_orders"));
    json_array_foreach(json_object_get(health, "shards"), i, shard)
    {
        printf("shard %-6lld ", number(shard, "shard"));
        show_matcher(shard);
        printf(", epoch %lld, sequence %lld\n", number(shard, "epoch"), number(shard, "seq"));
        show_journal(shard);
        printf("             orders %s, %lld unanswered\n",
               json_is_true(json_object_get(shard, "orders_known")) ? "known" : "not known yet",
               number(shard, "unanswered"));
    }
}

int status_health(const struct cluster *c, bool json)
{
    struct rest_gateway gateway;
    struct rest_answer a;
    rest_gateway(c, &gateway);
    if (!rest_ask("status", "GET", &gateway, "/health", NULL, &a))
        return EXIT_FAILURE;
    int status = a.status == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
    if (json)
        puts(a.text);
    else if (json_object_get(a.json, "gateway") != NULL)
        show(a.json);
    else
        status = rest_refused("status", &a);
    rest_free(&a);
    return status;
}
