#include "cli/order.h"

#include <stdlib.h>
#include <string.h>

#include "cli/rest.h"
#include "node/host.h"

static const char order_usage[] =
    "usage: outcry order buy|sell QUANTITY SYMBOL [PRICE] [--tif GTC|IOC|FOK] [--post-only]\n"
    "                    [--stp none|reject] [--id CLIENT_ORDER_ID] [--account NAME] [--json]\n"
    "\n"
    "Places an order: at PRICE or better; without one, at the market. --json prints the answer as\n"
    "it came.\n"
    "\n"
    "  outcry order buy 0.5 BTC-USD 100.25\n"
    "  outcry order sell 0.5 BTC-USD --account alice\n"
    "  outcry order buy 10 AAPL 99.50 --post-only --id mine-1\n";

static const char cancel_usage[] =
    "usage: outcry cancel ORDER_ID [--account NAME] [--json]\n"
    "       outcry cancel client:CLIENT_ORDER_ID --symbol SYMBOL\n"
    "       outcry cancel --all [--symbol SYMBOL] [--side buy|sell]\n"
    "\n"
    "Takes an open order off the book; or all of the account's that fit.\n"
    "\n"
    "  outcry cancel 281474976710661\n"
    "  outcry cancel client:mine-1 --symbol AAPL\n"
    "  outcry cancel --all --symbol BTC-USD --account alice\n";

static const char amend_usage[] =
    "usage: outcry amend ORDER_ID [--quantity Q | --open-quantity Q | --reduce-by Q] [--price P]\n"
    "                    [--symbol SYMBOL] [--account NAME] [--json]\n"
    "\n"
    "Changes an open order: its quantity in all, what is open of it, or by how much less. Less at "
    "the\n"
    "same price keeps its place.\n"
    "\n"
    "  outcry amend 281474976710661 --reduce-by 0.1\n"
    "  outcry amend client:mine-1 --symbol AAPL --price 99.75\n";

/* What every one of them is told. */
struct order_command {
    const char *name;
    struct cluster cluster;
    struct rest_gateway gateway;
    const char *account, *symbol;
    bool json;
};

static void begin(struct order_command *o, const char *name, int *argc, char **argv,
                  const char *usage)
{
    o->name = name;
    host_load(&o->cluster, argc, argv, usage);
    rest_gateway(&o->cluster, &o->gateway);
    o->account = rest_text_flag(argc, argv, "--account");
    o->json = rest_flag(argc, argv, "--json");
}

static int usage_error(const char *usage)
{
    fputs(usage, stderr);
    return 2;
}

/* One line a person can read; or the answer as it is. */
static int show_order(const struct order_command *o, const struct rest_answer *a)
{
    if (a->status < 200 || a->status > 201) {
        if (o->json)
            puts(a->text);
        return rest_refused(o->name, a);
    }
    if (o->json) {
        puts(a->text);
        return 0;
    }
    const char *price = rest_text(a->json, "price"), *average = rest_text(a->json, "avg_price");
    printf("%s %s: %s %s of %s at %s, %s filled%s%s, %s open", rest_text(a->json, "order_id"),
           rest_text(a->json, "status"), rest_text(a->json, "side"), rest_text(a->json, "quantity"),
           rest_text(a->json, "symbol"), price[0] == '\0' ? "the market" : price,
           rest_text(a->json, "filled_quantity"), average[0] == '\0' ? "" : " at ", average,
           rest_text(a->json, "open_quantity"));
    const char *reason = rest_text(a->json, "reason");
    printf("%s%s\n", reason[0] == '\0' ? "" : ", ", reason);
    return 0;
}

static int ask_order(const struct order_command *o, const char *method, const char *path,
                     const json_t *body)
{
    struct rest_answer a;
    if (!rest_ask(o->name, method, &o->gateway, path, body, &a))
        return EXIT_FAILURE;
    int status = show_order(o, &a);
    rest_free(&a);
    return status;
}

static void set_text(json_t *object, const char *key, const char *value)
{
    if (value != NULL)
        json_object_set_new(object, key, json_string(value));
}

int order_main(int argc, char **argv)
{
    static struct order_command o;
    begin(&o, "order", &argc, argv, order_usage);
    json_t *body = json_object();
    set_text(body, "account", o.account);
    set_text(body, "time_in_force", rest_text_flag(&argc, argv, "--tif"));
    set_text(body, "stp", rest_text_flag(&argc, argv, "--stp"));
    set_text(body, "client_order_id", rest_text_flag(&argc, argv, "--id"));
    if (rest_flag(&argc, argv, "--post-only"))
        json_object_set_new(body, "post_only", json_true());
    int status = 2;
    if (argc == 4 || argc == 5) {
        set_text(body, "side", argv[1]);
        set_text(body, "quantity", argv[2]);
        set_text(body, "symbol", argv[3]);
        set_text(body, "type", argc == 5 ? "limit" : "market");
        set_text(body, "price", argc == 5 ? argv[4] : NULL);
        status = ask_order(&o, "POST", "/api/v1/orders", body);
    } else {
        usage_error(order_usage);
    }
    json_decref(body);
    return status;
}

/* `?account=..&symbol=..&side=..`, of those that are given. */
static void add_parameter(char *path, const char *name, const char *value)
{
    size_t size = strlen(path);
    char escaped[256];
    if (value == NULL)
        return;
    rest_escape(escaped, sizeof escaped, value);
    snprintf(path + size, REST_URL_SIZE - size, "%c%s=%s", strchr(path, '?') == NULL ? '?' : '&',
             name, escaped);
}

static void order_path(const struct order_command *o, const char *id, char path[REST_URL_SIZE])
{
    char escaped[256];
    rest_escape(escaped, sizeof escaped, id);
    snprintf(path, REST_URL_SIZE, "/api/v1/orders/%s", escaped);
    add_parameter(path, "account", o->account);
    add_parameter(path, "symbol", o->symbol);
}

static int show_mass(const struct order_command *o, const struct rest_answer *a)
{
    size_t i;
    json_t *shard;
    if (a->status != 200 && a->status != 202)
        return rest_refused(o->name, a);
    if (o->json) {
        puts(a->text);
    } else {
        json_array_foreach(json_object_get(a->json, "shards"), i, shard)
            printf("shard %lld: %lld cancelled, %s\n",
                   (long long)json_integer_value(json_object_get(shard, "shard")),
                   (long long)json_integer_value(json_object_get(shard, "cancelled")),
                   rest_text(shard, "outcome"));
    }
    return json_is_true(json_object_get(a->json, "complete")) ? 0 : 1;
}

static int cancel_all(const struct order_command *o, const char *side)
{
    struct rest_answer a;
    char path[REST_URL_SIZE] = "/api/v1/orders";
    add_parameter(path, "account", o->account);
    add_parameter(path, "symbol", o->symbol);
    add_parameter(path, "side", side);
    if (!rest_ask(o->name, "DELETE", &o->gateway, path, NULL, &a))
        return EXIT_FAILURE;
    int status = show_mass(o, &a);
    rest_free(&a);
    return status;
}

int cancel_main(int argc, char **argv)
{
    static struct order_command o;
    char path[REST_URL_SIZE];
    begin(&o, "cancel", &argc, argv, cancel_usage);
    o.symbol = rest_text_flag(&argc, argv, "--symbol");
    const char *side = rest_text_flag(&argc, argv, "--side");
    bool all = rest_flag(&argc, argv, "--all");
    if (all && argc == 1)
        return cancel_all(&o, side);
    if (all || argc != 2 || side != NULL)
        return usage_error(cancel_usage);
    order_path(&o, argv[1], path);
    return ask_order(&o, "DELETE", path, NULL);
}

int amend_main(int argc, char **argv)
{
    static struct order_command o;
    char path[REST_URL_SIZE];
    begin(&o, "amend", &argc, argv, amend_usage);
    o.symbol = rest_text_flag(&argc, argv, "--symbol");
    json_t *body = json_object();
    set_text(body, "quantity", rest_text_flag(&argc, argv, "--quantity"));
    set_text(body, "open_quantity", rest_text_flag(&argc, argv, "--open-quantity"));
    set_text(body, "reduce_by", rest_text_flag(&argc, argv, "--reduce-by"));
    set_text(body, "price", rest_text_flag(&argc, argv, "--price"));
    int status = 2;
    if (argc == 2 && json_object_size(body) > 0) {
        order_path(&o, argv[1], path);
        status = ask_order(&o, "PATCH", path, body);
    } else {
        usage_error(amend_usage);
    }
    json_decref(body);
    return status;
}
