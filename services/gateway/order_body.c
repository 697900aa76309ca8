#include "gateway/order_body.h"

#include <stdio.h>
#include <strings.h>

#include "base/clock.h"
#include "gateway/timestamp.h"
#include "proto/names.h"

/* ---- one value ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool decimal_well_formed(struct text text)
{
    const char *at = text.data, *end = text.data + text.size;
    bool minus = at < end && *at == '-', nonzero = false;
    at += minus;
    const char *whole = at;
    for (; at < end && is_digit(*at); at++)
        nonzero = nonzero || *at != '0';
    if (at == whole || at - whole > DECIMAL_SIDE_DIGITS_MAX || (*whole == '0' && at - whole > 1))
        return false;
    if (at < end && *at == '.') {
        const char *part = ++at;
        for (; at < end && is_digit(*at); at++)
            nonzero = nonzero || *at != '0';
        if (at == part || at - part > DECIMAL_SIDE_DIGITS_MAX)
            return false;
    }
    return at == end && (nonzero || !minus);
}

/* For a complaint: the value as it was found, cut. */
#define FOUND(text) (int)((text).size < 60 ? (text).size : 60), (text).data

bool read_account(struct text value, const char *in, const char *name,
                  char account[ACCOUNT_SIZE_MAX + 1], struct problem *p)
{
    if (value.size < 1 || value.size > ACCOUNT_SIZE_MAX || !name_is_plain(value))
        return problem_set(p, REJECT_INVALID_ACCOUNT, in, name,
                           "found \"%.*s\", expected 1 to 32 of A-Z a-z 0-9 _ -", FOUND(value));
    memcpy(account, value.data, value.size);
    account[value.size] = '\0';
    return true;
}

bool read_label(struct text value, const char *in, const char *name,
                char label[CLIENT_ORDER_ID_SIZE_MAX + 1], struct problem *p)
{
    if (value.size < 1 || value.size > CLIENT_ORDER_ID_SIZE_MAX || !name_is_label(value))
        return problem_set(p, REJECT_INVALID_CLIENT_ORDER_ID, in, name,
                           "found \"%.*s\", expected 1 to 36 of A-Z a-z 0-9 _ . : -", FOUND(value));
    memcpy(label, value.data, value.size);
    label[value.size] = '\0';
    return true;
}

bool read_symbol(const struct cluster *cluster, struct text value, const char *in, uint32_t *symbol,
                 struct problem *p)
{
    char name[SYMBOL_SIZE_MAX + 1];
    bool shaped = name_is_symbol(value);
    if (!shaped && strcmp(in, "path") != 0)
        return problem_set(p, REJECT_INVALID_FIELD, in, "symbol",
                           "found \"%.*s\", expected 1 to 16 of A-Z 0-9 . _ -, the first a letter "
                           "or digit",
                           FOUND(value));
    snprintf(name, sizeof name, "%.*s", shaped ? (int)value.size : 0, value.data);
    const struct cluster_symbol *found = cluster_symbol_find(cluster, name);
    if (found == NULL)
        return problem_set(p, REJECT_UNKNOWN_SYMBOL, in, "symbol", "there is no symbol \"%.*s\"",
                           FOUND(value));
    *symbol = (uint32_t)(found - cluster->symbols);
    return true;
}

/* A word of a small set, in any letter case. */
struct word {
    const char *text;
    uint8_t value;  /* as in proto; 0: not supported yet */
    uint8_t value2; /* of a type: the time in force that goes with it */
};

static const struct word *word_find(const struct word *words, struct text value)
{
    for (; words->text != NULL; words++) {
        if (strlen(words->text) == value.size &&
            strncasecmp(words->text, value.data, value.size) == 0)
            return words;
    }
    return NULL;
}

static const struct word sides[] = {{"buy", SIDE_BUY, 0}, {"sell", SIDE_SELL, 0}, {NULL, 0, 0}};

bool read_side(struct text value, const char *in, uint8_t *side, struct problem *p)
{
    const struct word *w = word_find(sides, value);
    if (w == NULL)
        return problem_set(p, REJECT_INVALID_FIELD, in, "side",
                           "found \"%.*s\", expected buy or sell", FOUND(value));
    *side = w->value;
    return true;
}

bool request_price(const struct cluster_symbol *symbol, const char *text, int64_t *ticks,
                   struct problem *p)
{
    switch (decimal_to_units(text, strlen(text), &symbol->tick, ticks)) {
    case DECIMAL_OK:
        return true;
    case DECIMAL_UNEVEN:
        return problem_set(p, REJECT_PRICE_NOT_ON_TICK, "body", "price",
                           "price %s is not a multiple of %s", text, symbol->tick_size);
    default:
        return problem_set(p, REJECT_PRICE_OUT_OF_RANGE, "body", "price",
                           "price %s is beyond what can be counted in ticks of %s", text,
                           symbol->tick_size);
    }
}

bool request_qty(const struct cluster_symbol *symbol, const char *name, const char *text,
                 int64_t *lots, struct problem *p)
{
    switch (decimal_to_units(text, strlen(text), &symbol->lot, lots)) {
    case DECIMAL_OK:
        return true;
    case DECIMAL_UNEVEN:
        return problem_set(p, REJECT_QUANTITY_NOT_ON_LOT, "body", name,
                           "%s %s is not a multiple of %s", name, text, symbol->lot_size);
    default:
        return problem_set(p, REJECT_QUANTITY_OUT_OF_RANGE, "body", name,
                           "%s %s is beyond what can be counted in lots of %s", name, text,
                           symbol->lot_size);
    }
}

/* ---- the members of a body ---- */

/* What a body says, shape checked, before anything is looked up. */
struct draft {
    struct ask *ask;
    struct problem *problem;
    struct text symbol;
    struct text price, qty;
    uint8_t implied_time_in_force;
    const char *unsupported; /* the first field, or value, this release does not know how to do */
};

static bool wrong_type(struct draft *d, const char *key, const char *expected)
{
    return problem_set(d->problem, REJECT_WRONG_TYPE, "body", key, "expected %s", expected);
}

static bool take_decimal(struct draft *d, const struct json_member *m, const char *key,
                         struct text *value)
{
    if (m->kind != JSON_STRING && m->kind != JSON_NUMBER)
        return wrong_type(d, key, "a decimal, as a string or a number");
    if (!decimal_well_formed(m->value))
        return problem_set(d->problem, REJECT_INVALID_FIELD, "body", key,
                           "found \"%.*s\", expected a decimal of at most 18 digits on either side "
                           "of its point, without exponent",
                           FOUND(m->value));
    *value = m->value;
    return true;
}

static bool take_word(struct draft *d, const struct json_member *m, const char *key,
                      const struct word *words, const char *expected, const struct word **word)
{
    if (m->kind != JSON_STRING)
        return wrong_type(d, key, expected);
    *word = word_find(words, m->value);
    if (*word == NULL)
        return problem_set(d->problem, REJECT_INVALID_FIELD, "body", key,
                           "found \"%.*s\", expected %s", FOUND(m->value), expected);
    if ((*word)->value == 0 && d->unsupported == NULL)
        d->unsupported = (*word)->text;
    return true;
}

static bool take_symbol(struct draft *d, const struct json_member *m)
{
    if (m->kind != JSON_STRING)
        return wrong_type(d, "symbol", "a string");
    d->symbol = m->value;
    return true;
}

static bool take_side(struct draft *d, const struct json_member *m)
{
    if (m->kind != JSON_STRING)
        return wrong_type(d, "side", "buy or sell");
    return read_side(m->value, "body", &d->ask->side, d->problem);
}

static bool take_type(struct draft *d, const struct json_member *m)
{
    static const struct word words[] = {{"limit", ORDER_TYPE_LIMIT, 0},
                                        {"market", ORDER_TYPE_MARKET, 0},
                                        {"ioc", ORDER_TYPE_LIMIT, TIME_IN_FORCE_IOC},
                                        {"fok", ORDER_TYPE_LIMIT, TIME_IN_FORCE_FOK},
                                        {"stop", 0, 0},
                                        {"stop_limit", 0, 0},
                                        {NULL, 0, 0}};
    const struct word *w;
    if (!take_word(d, m, "type", words, "limit, market, ioc, fok, stop or stop_limit", &w))
        return false;
    d->ask->type = w->value;
    d->implied_time_in_force = w->value2;
    return true;
}

static bool take_time_in_force(struct draft *d, const struct json_member *m)
{
    static const struct word words[] = {{"GTC", TIME_IN_FORCE_GTC, 0},
                                        {"IOC", TIME_IN_FORCE_IOC, 0},
                                        {"FOK", TIME_IN_FORCE_FOK, 0},
                                        {"DAY", 0, 0},
                                        {"GTD", 0, 0},
                                        {NULL, 0, 0}};
    const struct word *w;
    if (!take_word(d, m, "time_in_force", words, "GTC, IOC, FOK, DAY or GTD", &w))
        return false;
    d->ask->time_in_force = w->value;
    return true;
}

static bool take_stp(struct draft *d, const struct json_member *m)
{
    static const struct word words[] = {{"none", STP_NONE, 0},  {"reject", STP_REJECT, 0},
                                        {"cancel_taker", 0, 0}, {"cancel_maker", 0, 0},
                                        {"cancel_both", 0, 0},  {NULL, 0, 0}};
    const struct word *w;
    if (!take_word(d, m, "stp", words, "none, reject, cancel_taker, cancel_maker or cancel_both",
                   &w))
        return false;
    d->ask->stp = w->value;
    return true;
}

static bool take_post_only(struct draft *d, const struct json_member *m)
{
    if (m->kind != JSON_FLAG)
        return wrong_type(d, "post_only", "true or false");
    d->ask->post_only = m->flag;
    return true;
}

static bool take_price(struct draft *d, const struct json_member *m)
{
    return take_decimal(d, m, "price", &d->price);
}

static bool take_qty(struct draft *d, const struct json_member *m)
{
    return take_decimal(d, m, "quantity", &d->qty);
}

static bool take_client_order_id(struct draft *d, const struct json_member *m)
{
    if (m->kind != JSON_STRING)
        return wrong_type(d, "client_order_id", "a string");
    return read_label(m->value, "body", "client_order_id", d->ask->client_order_id, d->problem);
}

static bool take_account(struct draft *d, const struct json_member *m)
{
    if (m->kind != JSON_STRING)
        return wrong_type(d, "account", "a string");
    return read_account(m->value, "body", "account", d->ask->account, d->problem);
}

/* A time: RFC 3339 in UTC, or integer microseconds. */
static bool take_time(struct draft *d, const struct json_member *m, const char *key,
                      uint64_t *time_ns)
{
    if (m->kind != JSON_STRING && m->kind != JSON_NUMBER)
        return wrong_type(d, key, "a time: RFC 3339 in UTC, or microseconds since 1970");
    if (!(m->kind == JSON_STRING ? timestamp_read(m->value, time_ns)
                                 : timestamp_read_us(m->value, time_ns)))
        return problem_set(d->problem, REJECT_INVALID_FIELD, "body", key,
                           "found \"%.*s\", expected a time like 2026-11-21T02:10:00.5Z, or "
                           "microseconds since 1970",
                           FOUND(m->value));
    return true;
}

static bool take_valid_until(struct draft *d, const struct json_member *m)
{
    bool fine = take_time(d, m, "valid_until", &d->ask->deadline_ns);
    d->ask->deadline_ns += d->ask->deadline_ns == 0; /* 0 would be none; it is over either way */
    return fine;
}

/* Fields whose engine rule does not exist yet: well-formed, or not; either way not done. */
static bool not_supported(struct draft *d, const char *key)
{
    if (d->unsupported == NULL)
        d->unsupported = key;
    return true;
}

static bool take_quote_quantity(struct draft *d, const struct json_member *m)
{
    struct text unused;
    return take_decimal(d, m, "quote_quantity", &unused) && not_supported(d, "quote_quantity");
}

static bool take_display_quantity(struct draft *d, const struct json_member *m)
{
    struct text unused;
    return take_decimal(d, m, "display_quantity", &unused) && not_supported(d, "display_quantity");
}

static bool take_stop_price(struct draft *d, const struct json_member *m)
{
    struct text unused;
    return take_decimal(d, m, "stop_price", &unused) && not_supported(d, "stop_price");
}

static bool take_expire_at(struct draft *d, const struct json_member *m)
{
    uint64_t unused;
    return take_time(d, m, "expire_at", &unused) && not_supported(d, "expire_at");
}

struct field {
    const char *key;
    bool (*take)(struct draft *d, const struct json_member *m);
    bool needed;
};

static const struct field *field_find(const struct field *fields, struct text key)
{
    for (; fields->key != NULL; fields++) {
        if (text_equal(key, text_of(fields->key)))
            return fields;
    }
    return NULL;
}

/* Every member is a field, none twice, each well-formed; a null is as if it were not there. */
static bool take_members(struct draft *d, const struct json_reader *body,
                         const struct field *fields)
{
    const struct json_member *twice = json_member_repeated(body);
    char key[PROBLEM_NAME_SIZE];
    if (twice != NULL) {
        snprintf(key, sizeof key, "%.*s", FOUND(twice->key));
        return problem_set(d->problem, REJECT_REPEATED_FIELD, "body", key, "it stands twice");
    }
    for (unsigned i = 0; i < body->member_count; i++) {
        const struct json_member *m = &body->members[i];
        const struct field *f = field_find(fields, m->key);
        if (f == NULL) {
            snprintf(key, sizeof key, "%.*s", FOUND(m->key));
            return problem_set(d->problem, REJECT_UNKNOWN_FIELD, "body", key,
                               "there is no such field here");
        }
        if (m->kind != JSON_NULL && !f->take(d, m))
            return false;
    }
    for (const struct field *f = fields; f->key != NULL; f++) {
        const struct json_member *m = json_member_find(body, f->key);
        if (f->needed && (m == NULL || m->kind == JSON_NULL))
            return problem_set(d->problem, REJECT_MISSING_FIELD, "body", f->key,
                               "it is needed and not there");
    }
    return true;
}

static bool check_supported(const struct draft *d)
{
    return d->unsupported == NULL ||
           problem_set(d->problem, REJECT_NOT_SUPPORTED, "body", d->unsupported,
                       "this release cannot do %s yet", d->unsupported);
}

/* ---- POST ---- */

static bool place_options(struct draft *d)
{
    struct ask *ask = d->ask;
    if (d->implied_time_in_force != 0 && ask->time_in_force != 0 &&
        ask->time_in_force != d->implied_time_in_force)
        return problem_set(d->problem, REJECT_INVALID_COMBINATION, "body", "time_in_force",
                           "the type says another time in force");
    if (d->implied_time_in_force != 0)
        ask->time_in_force = d->implied_time_in_force;
    if (ask->time_in_force == 0)
        ask->time_in_force = TIME_IN_FORCE_GTC;
    if (ask->stp == 0)
        ask->stp = STP_NONE;
    if (ask->type == ORDER_TYPE_MARKET && d->price.data != NULL)
        return problem_set(d->problem, REJECT_NOT_SUPPORTED, "body", "price",
                           "this release cannot do a market order's price cap yet");
    return true;
}

static bool place_units(const struct cluster *cluster, struct draft *d)
{
    const struct cluster_symbol *symbol = &cluster->symbols[d->ask->symbol];
    char text[ASK_DECIMAL_SIZE];
    if (d->price.data != NULL) {
        snprintf(text, sizeof text, "%.*s", (int)d->price.size, d->price.data);
        d->ask->price.given = true;
        if (!request_price(symbol, text, &d->ask->price.value, d->problem))
            return false;
    }
    snprintf(text, sizeof text, "%.*s", (int)d->qty.size, d->qty.data);
    d->ask->qty.given = true;
    return request_qty(symbol, "quantity", text, &d->ask->qty.value, d->problem);
}

bool order_body_place(const struct cluster *cluster, const struct json_reader *body,
                      struct ask *ask, struct problem *p)
{
    static const struct field fields[] = {{"symbol", take_symbol, true},
                                          {"side", take_side, true},
                                          {"type", take_type, true},
                                          {"quantity", take_qty, false},
                                          {"quote_quantity", take_quote_quantity, false},
                                          {"price", take_price, false},
                                          {"time_in_force", take_time_in_force, false},
                                          {"post_only", take_post_only, false},
                                          {"stp", take_stp, false},
                                          {"display_quantity", take_display_quantity, false},
                                          {"stop_price", take_stop_price, false},
                                          {"expire_at", take_expire_at, false},
                                          {"valid_until", take_valid_until, false},
                                          {"client_order_id", take_client_order_id, false},
                                          {"account", take_account, false},
                                          {NULL, NULL, false}};
    struct draft d = {.ask = ask, .problem = p};
    if (!take_members(&d, body, fields) || !check_supported(&d))
        return false;
    if (d.qty.data == NULL)
        return problem_set(p, REJECT_MISSING_FIELD, "body", "quantity",
                           "it is needed and not there");
    if (ask->type == ORDER_TYPE_LIMIT && d.price.data == NULL)
        return problem_set(p, REJECT_MISSING_FIELD, "body", "price",
                           "a limit order needs it, and it is not there");
    return place_options(&d) && read_symbol(cluster, d.symbol, "body", &ask->symbol, p) &&
           place_units(cluster, &d);
}

/* ---- PATCH ---- */

static bool take_new_qty(struct draft *d, const struct json_member *m, const char *key,
                         enum qty_is qty_is)
{
    if (d->ask->qty_is != 0)
        return problem_set(d->problem, REJECT_INVALID_COMBINATION, "body", key,
                           "only one of quantity, open_quantity and reduce_by may be given");
    d->ask->qty_is = (uint8_t)qty_is;
    return take_decimal(d, m, key, &d->qty);
}

static bool take_total(struct draft *d, const struct json_member *m)
{
    return take_new_qty(d, m, "quantity", QTY_IS_TOTAL);
}

static bool take_open(struct draft *d, const struct json_member *m)
{
    return take_new_qty(d, m, "open_quantity", QTY_IS_OPEN);
}

static bool take_reduce_by(struct draft *d, const struct json_member *m)
{
    return take_new_qty(d, m, "reduce_by", QTY_IS_REDUCE_BY);
}

bool order_body_amend(const struct json_reader *body, struct ask *ask, struct problem *p)
{
    static const struct field fields[] = {
        {"quantity", take_total, false},          {"open_quantity", take_open, false},
        {"reduce_by", take_reduce_by, false},     {"price", take_price, false},
        {"valid_until", take_valid_until, false}, {NULL, NULL, false}};
    struct draft d = {.ask = ask, .problem = p};
    if (!take_members(&d, body, fields))
        return false;
    if (d.qty.data == NULL && d.price.data == NULL)
        return problem_set(p, REJECT_MISSING_FIELD, "body", NULL,
                           "one of quantity, open_quantity, reduce_by or price is needed");
    if (ask->qty_is == 0)
        ask->qty_is = QTY_IS_OPEN; /* of no quantity: it stays as it is */
    snprintf(ask->price_text, sizeof ask->price_text, "%.*s", (int)d.price.size,
             d.price.data == NULL ? "" : d.price.data);
    snprintf(ask->qty_text, sizeof ask->qty_text, "%.*s", (int)d.qty.size,
             d.qty.data == NULL ? "" : d.qty.data);
    return true;
}
