#include "cli/status.h"

#include <stdlib.h>
#include <string.h>

#include "cli/rest.h"
#include "node/host.h"

static const char usage[] =
    "usage: outcry status [--json] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "How the cluster is, as its gateway sees it: matchers, market data, orders. The exit status is "
    "0\n"
    "if all is well.\n"
    "\n"
    "  outcry status\n"
    "  outcry status --gateway-address 127.0.0.1:8010\n";

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

/* What an acknowledgement is worth. */
static void show_journal(const json_t *shard)
{
    const char *journal = rest_text(shard, "journal");
    const char *promise = "not known yet";
    if (strcmp(journal, "sync") == 0)
        promise = "acks are on disk";
    else if (strcmp(journal, "async") == 0)
        promise = "acks are not on disk until up to 100 ms later";
    else if (strcmp(journal, "none") == 0)
        promise = "acks are not on disk: nothing is kept, every start is a new history";
    printf("             journal %s%s%s\n", journal, *journal == '\0' ? "" : ": ", promise);
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

int status_main(int argc, char **argv)
{
    static struct cluster cluster;
    char base[REST_URL_SIZE];
    struct rest_answer a;
    host_load(&cluster, &argc, argv, usage);
    bool json = rest_flag(&argc, argv, "--json");
    host_no_more_flags(argc, argv);
    rest_base(&cluster, base);
    if (!rest_ask("status", "GET", base, "/health", NULL, &a))
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
