#include "gateway/requests.h"

#include <inttypes.h>
#include <stdio.h>

#include "gateway/order_body.h"

/* ---- parts of queries ---- */

/* Only these parameters may be there; the list ends with NULL. */
static bool only(const struct http_request *r, const char *const *names, struct problem *p)
{
    for (unsigned i = 0; i < r->query->count; i++) {
        struct text name = r->query->parameters[i].name;
        const char *const *known = names;
        while (*known != NULL && !text_equal(name, text_of(*known)))
            known++;
        if (*known != NULL)
            continue;
        char shown[PROBLEM_NAME_SIZE];
        snprintf(shown, sizeof shown, "%.*s", (int)(name.size < 40 ? name.size : 40), name.data);
        return problem_set(p, REJECT_INVALID_PARAMETER, "query", shown,
                           "there is no such parameter here");
    }
    return true;
}

/* Digits only, no useless zero in front, at most `high`. */
static bool parse_u64(struct text text, uint64_t high, uint64_t *value)
{
    uint64_t number = 0;
    if (text.size == 0 || (text.size > 1 && text.data[0] == '0'))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' ||
            __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text.data[i] - '0'), &number))
            return false;
    }
    *value = number;
    return number <= high;
}

/* A whole number; as it was if the parameter is not there. */
static bool number(const struct http_request *r, const char *name, uint64_t low, uint64_t high,
                   uint64_t *value, struct problem *p)
{
    const struct text *text = query_find(r->query, name);
    uint64_t found;
    if (text == NULL)
        return true;
    if (!parse_u64(*text, high, &found) || found < low)
        return problem_set(p, REJECT_INVALID_PARAMETER, "query", name,
                           "expected a whole number from %" PRIu64 " to %" PRIu64, low, high);
    *value = found;
    return true;
}

static bool account(const struct http_request *r, struct ask *ask, struct problem *p)
{
    const struct text *text = query_find(r->query, "account");
    return text == NULL || read_account(*text, "query", "account", ask->account, p);
}

static bool symbol(const struct http_request *r, struct ask *ask, struct problem *p)
{
    const struct text *text = query_find(r->query, "symbol");
    return text == NULL || read_symbol(r->cluster, *text, "query", &ask->symbol, p);
}

static bool side(const struct http_request *r, struct ask *ask, struct problem *p)
{
    const struct text *text = query_find(r->query, "side");
    return text == NULL || read_side(*text, "query", &ask->side, p);
}

/* ---- positions ---- */

/* `shard.epoch.seq` at *at, which moves behind it. */
static bool take_position(struct text *at, struct position_wanted *w)
{
    uint64_t numbers[3];
    for (unsigned i = 0; i < 3; i++) {
        size_t size = 0;
        while (size < at->size && at->data[size] >= '0' && at->data[size] <= '9')
            size++;
        if (!parse_u64((struct text){at->data, size}, UINT64_MAX, &numbers[i]))
            return false;
        at->data += size;
        at->size -= size;
        if (i < 2 && (at->size == 0 || at->data[0] != '.'))
            return false;
        if (i < 2)
            at->data++, at->size--;
    }
    *w = (struct position_wanted){(uint16_t)numbers[0], numbers[1], numbers[2]};
    return numbers[0] < ASK_POSITIONS_MAX;
}

static bool min_at(const struct http_request *r, struct ask *ask, struct problem *p)
{
    const struct text *text = query_find(r->query, "min_at");
    if (text == NULL)
        return true;
    struct text at = *text;
    bool fine = true;
    while (fine) {
        fine = ask->wanted_count < ASK_POSITIONS_MAX &&
               take_position(&at, &ask->wanted[ask->wanted_count]);
        ask->wanted_count += fine;
        if (at.size == 0)
            break;
        fine = fine && at.data[0] == ',';
        at.data++, at.size--;
    }
    return fine || problem_set(p, REJECT_INVALID_PARAMETER, "query", "min_at",
                               "expected shard.epoch.seq, with commas between several");
}

/* min_seq and epoch, where what is read is of one shard. */
static bool min_seq(const struct http_request *r, uint64_t shard, struct ask *ask,
                    struct problem *p)
{
    uint64_t seq = 0, epoch = 0;
    if (!number(r, "min_seq", 0, UINT64_MAX, &seq, p) ||
        !number(r, "epoch", 1, UINT64_MAX, &epoch, p))
        return false;
    if (query_find(r->query, "min_seq") == NULL && query_find(r->query, "epoch") != NULL)
        return problem_set(p, REJECT_INVALID_PARAMETER, "query", "epoch",
                           "it says of which history min_seq is, which is not there");
    if (seq == 0 || shard >= ASK_POSITIONS_MAX)
        return true;
    if (ask->wanted_count == ASK_POSITIONS_MAX)
        return problem_set(p, REJECT_INVALID_PARAMETER, "query", "min_seq",
                           "there are as many positions in min_at as there may be");
    ask->wanted[ask->wanted_count++] = (struct position_wanted){(uint16_t)shard, epoch, seq};
    return true;
}

/* ---- which order ---- */

/* {id}: digits, or `client:` and a client order id, for which the symbol must be said. */
static bool order_name(const struct http_request *r, struct ask *ask, struct problem *p)
{
    struct text id = r->path_part;
    if (id.size > 7 && memcmp(id.data, "client:", 7) == 0) {
        id.data += 7;
        id.size -= 7;
        if (!read_label(id, "path", "id", ask->client_order_id, p))
            return false;
        return ask->symbol != SYMBOL_NONE ||
               problem_set(p, REJECT_MISSING_FIELD, "query", "symbol",
                           "an order named by its client order id needs its symbol too");
    }
    if (!parse_u64(id, UINT64_MAX, &ask->order_id) || ask->order_id == 0)
        return problem_set(p, REJECT_INVALID_PARAMETER, "path", "id",
                           "found \"%.*s\", expected an order id, or client: and a client order id",
                           (int)(id.size < 60 ? id.size : 60), id.data);
    return true;
}

static uint64_t order_shard(const struct http_request *r, const struct ask *ask)
{
    return ask->symbol != SYMBOL_NONE ? r->cluster->symbols[ask->symbol].shard
                                      : ask->order_id >> 48;
}

static bool named_order(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"account", "symbol", "min_at", "min_seq", "epoch", NULL};
    return only(r, names, p) && account(r, ask, p) && symbol(r, ask, p) && order_name(r, ask, p) &&
           min_at(r, ask, p) && min_seq(r, order_shard(r, ask), ask, p);
}

/* ---- requests ---- */

static void begin(struct ask *ask, enum ask_kind kind)
{
    ask->kind = kind;
    ask->symbol = SYMBOL_NONE;
    strcpy(ask->account, "demo");
}

bool request_nothing(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {NULL};
    (void)ask;
    return only(r, names, p);
}

bool request_place(const struct http_request *r, struct ask *ask, struct problem *p)
{
    begin(ask, ASK_PLACE);
    return request_nothing(r, ask, p) && order_body_place(r->cluster, r->body, ask, p);
}

bool request_amend(const struct http_request *r, struct ask *ask, struct problem *p)
{
    begin(ask, ASK_AMEND);
    return named_order(r, ask, p) && order_body_amend(r->body, ask, p);
}

bool request_cancel(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"account", "symbol", NULL};
    begin(ask, ASK_CANCEL);
    return only(r, names, p) && account(r, ask, p) && symbol(r, ask, p) && order_name(r, ask, p);
}

bool request_mass_cancel(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"account", "symbol", "side", NULL};
    begin(ask, ASK_MASS_CANCEL);
    return only(r, names, p) && account(r, ask, p) && symbol(r, ask, p) && side(r, ask, p);
}

bool request_order(const struct http_request *r, struct ask *ask, struct problem *p)
{
    begin(ask, ASK_ORDER);
    return named_order(r, ask, p);
}

static bool status(const struct http_request *r, struct ask *ask, struct problem *p)
{
    const struct text *text = query_find(r->query, "status");
    if (text == NULL || text_equal(*text, text_of("all")))
        return true;
    ask->open_only = text_equal(*text, text_of("open"));
    ask->finished_only = text_equal(*text, text_of("finished"));
    return ask->open_only || ask->finished_only ||
           problem_set(p, REJECT_INVALID_PARAMETER, "query", "status",
                       "expected open, finished or all");
}

static bool limit(const struct http_request *r, struct ask *ask, struct problem *p)
{
    uint64_t count = LIST_LIMIT_DEFAULT;
    bool fine = number(r, "limit", 1, LIST_LIMIT_MAX, &count, p);
    ask->limit = (uint32_t)count;
    return fine;
}

static bool bad_cursor(struct problem *p)
{
    return problem_set(p, REJECT_INVALID_PARAMETER, "query", "cursor",
                       "expected what next_cursor said");
}

/* Three hexadecimal numbers, as reads.c writes them. */
static bool orders_cursor(const struct http_request *r, struct ask *ask, struct problem *p)
{
    const struct text *text = query_find(r->query, "cursor");
    char form[80], again[80];
    unsigned shard;
    if (text == NULL || text->size == 0)
        return true;
    if (text->size >= sizeof form)
        return bad_cursor(p);
    snprintf(form, sizeof form, "%.*s", (int)text->size, text->data);
    if (sscanf(form, "%16" SCNx64 "-%4x-%16" SCNx64, &ask->place.accepted_ns, &shard,
               &ask->place.order_id) != 3)
        return bad_cursor(p);
    ask->place.shard = (uint16_t)shard;
    snprintf(again, sizeof again, "%" PRIx64 "-%x-%" PRIx64, ask->place.accepted_ns, shard,
             ask->place.order_id);
    return strcmp(form, again) == 0 || bad_cursor(p);
}

bool request_orders(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"account", "symbol", "side",   "status",
                                        "limit",   "cursor", "min_at", NULL};
    begin(ask, ASK_ORDERS);
    return only(r, names, p) && account(r, ask, p) && symbol(r, ask, p) && side(r, ask, p) &&
           status(r, ask, p) && limit(r, ask, p) && orders_cursor(r, ask, p) && min_at(r, ask, p);
}

/* {symbol} of the path, and the positions a reader of it may want. */
static bool symbol_path(const struct http_request *r, struct ask *ask, struct problem *p)
{
    return read_symbol(r->cluster, r->path_part, "path", &ask->symbol, p) && min_at(r, ask, p) &&
           min_seq(r, r->cluster->symbols[ask->symbol].shard, ask, p);
}

bool request_book(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"depth", "level", "min_at", "min_seq",
                                        "epoch", "seq",   NULL};
    uint64_t level = 2;
    begin(ask, ASK_BOOK);
    ask->depth = BOOK_DEPTH_DEFAULT;
    if (!only(r, names, p) || !number(r, "depth", 0, UINT32_MAX, &ask->depth, p) ||
        !number(r, "level", 2, 3, &level, p))
        return false;
    if (query_find(r->query, "seq") != NULL)
        return problem_set(p, REJECT_NOT_SUPPORTED, "query", "seq",
                           "this release cannot show the past yet");
    ask->level = (uint32_t)level;
    return symbol_path(r, ask, p);
}

bool request_trades(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"limit", "cursor", "min_at", "min_seq", "epoch", NULL};
    begin(ask, ASK_TRADES);
    const struct text *cursor = query_find(r->query, "cursor");
    if (!only(r, names, p) || !limit(r, ask, p))
        return false;
    if (cursor != NULL && cursor->size > 0 &&
        !parse_u64(*cursor, UINT64_MAX, &ask->before_trade_id))
        return bad_cursor(p);
    return symbol_path(r, ask, p);
}

bool request_stats(const struct http_request *r, struct ask *ask, struct problem *p)
{
    static const char *const names[] = {"min_at", "min_seq", "epoch", NULL};
    begin(ask, ASK_STATS);
    return only(r, names, p) && symbol_path(r, ask, p);
}
