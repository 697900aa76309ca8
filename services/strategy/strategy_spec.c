#include "strategy/strategy_spec.h"

#include <string.h>

#include "base/check.h"
#include "proto/names.h"
#include "strategy/strategies.h"

enum {
    PPM_PER_BASIS_POINT = 100,
    FEE_MAX_PPM = 100000,
    MESSAGES_MAX = 1000000,
    MONEY_DIGITS_MAX = 30, /* of a limit in ticks x lots: what it is compared with is 10^7 of it */
};

static bool complain(char *error, const char *name, const char *found, const char *expected)
{
    snprintf(error, STRATEGY_SPEC_ERROR_SIZE, "%.60s: found \"%.120s\", expected %.500s", name,
             found, expected);
    return false;
}

void strategy_spec_init(struct strategy_spec *s, const char *name)
{
    *s = (struct strategy_spec){.class = NULL};
    snprintf(s->name, sizeof s->name, "%s", name);
    snprintf(s->account, sizeof s->account, "%s", s->name);
}

/* ---- one setting ---- */

static bool is_none(const char *value)
{
    return strcmp(value, "none") == 0;
}

static bool set_account(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    size_t size = strlen(value);
    if (size == 0 || size > ACCOUNT_SIZE_MAX || !name_is_plain(text_of(value)))
        return complain(error, name, value, "an account: 1 to 32 of A-Z a-z 0-9 _ -");
    strcpy(s->account, value);
    return true;
}

/* A decimal in units; `expected` begins the complaint. */
static bool read_units(const char *name, const char *value, const struct decimal_unit *unit,
                       const char *expected, int64_t *units, char *error)
{
    char one[DECIMAL_TEXT_SIZE], words[160];
    decimal_from_units(one, 1, unit);
    snprintf(words, sizeof words, "%.80s, a multiple of %s", expected, one);
    if (decimal_to_units(value, strlen(value), unit, units) == DECIMAL_OK && *units != INT64_MIN)
        return true;
    return complain(error, name, value, words);
}

static bool set_quantity_limit(const struct strategy_spec *s, const char *name, const char *value,
                               int64_t *lots, char *error)
{
    *lots = 0;
    if (is_none(value))
        return true;
    if (!read_units(name, value, &s->symbol.units.lot, "a quantity above zero, or none", lots,
                    error))
        return false;
    return *lots > 0 || complain(error, name, value, "a quantity above zero, or none");
}

static bool set_position_max(struct strategy_spec *s, const char *name, const char *value,
                             char *error)
{
    return set_quantity_limit(s, name, value, &s->limits.position_max, error);
}

static bool set_order_max(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    return set_quantity_limit(s, name, value, &s->limits.order_max, error);
}

/* ---- money ---- */

static bool times_ten(wide_t *value, unsigned times)
{
    while (times-- > 0) {
        if (__builtin_mul_overflow(*value, (wide_t)10, value))
            return false;
    }
    return true;
}

/* digits x 10^-scale with no zero at the end of its digits: what is multiplied stays small. */
struct plain {
    wide_t digits;
    int scale;
};

static struct plain plain_of(wide_t digits, int scale)
{
    while (digits != 0 && digits % 10 == 0) {
        digits /= 10;
        scale--;
    }
    return (struct plain){digits, scale};
}

/* The decimal as 10^-9 units, which is enough of it for any money. */
static bool money_read(const char *text, struct plain *money)
{
    int64_t units;
    static const struct decimal_unit billionth = {1, 9};
    if (decimal_to_units(text, strlen(text), &billionth, &units) != DECIMAL_OK || units < 0)
        return false;
    *money = plain_of(units, 9);
    return true;
}

/* How many ticks x lots the money is, cut; false: too many to count with. */
static bool money_to_notional(struct plain money, const struct parameter_units *units,
                              notional_t *notional)
{
    struct plain tick = plain_of((wide_t)units->tick.digits, (int)units->tick.scale);
    struct plain lot = plain_of((wide_t)units->lot.digits, (int)units->lot.scale);
    wide_t one, count = money.digits;
    if (__builtin_mul_overflow(tick.digits, lot.digits, &one))
        return false;
    int shift = tick.scale + lot.scale - money.scale;
    if (!times_ten(shift > 0 ? &count : &one, (unsigned)(shift > 0 ? shift : -shift)))
        return false;
    wide_t most = 1;
    CHECK(times_ten(&most, MONEY_DIGITS_MAX));
    *notional = count / one;
    return *notional <= most;
}

static bool set_loss_max(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    struct plain money;
    s->limits.has_loss_max = !is_none(value);
    s->limits.loss_max = 0;
    if (!s->limits.has_loss_max)
        return true;
    if (!money_read(value, &money))
        return complain(error, name, value,
                        "money of the quote currency, not below zero, with at most 9 digits behind "
                        "the point, or none");
    return money_to_notional(money, &s->symbol.units, &s->limits.loss_max) ||
           complain(error, name, value, "less money: at most 10^30 ticks x lots");
}

static bool set_messages(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    uint64_t number = 0;
    if (!is_none(value) && !config_u64(value, 1, MESSAGES_MAX, &number))
        return complain(error, name, value, "a whole number from 1 to 1000000, or none");
    s->limits.messages_per_second = (uint32_t)number;
    return true;
}

static bool read_fee(const char *name, const char *value, int64_t *ppm, char *error)
{
    static const struct decimal_unit hundredth = {1, 2};
    int64_t read = 0;
    if (decimal_to_units(value, strlen(value), &hundredth, &read) != DECIMAL_OK ||
        read < -FEE_MAX_PPM || read > FEE_MAX_PPM)
        return complain(error, name, value,
                        "basis points from -1000 to 1000, with at most two digits behind the "
                        "point");
    *ppm = read; /* 0.01 basis points are a millionth */
    return true;
}

static bool set_maker_fee(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    return read_fee(name, value, &s->fees.maker_ppm, error);
}

static bool set_taker_fee(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    return read_fee(name, value, &s->fees.taker_ppm, error);
}

static bool set_inventory(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    return read_units(name, value, &s->symbol.units.lot, "a quantity, below zero: short",
                      &s->inventory, error);
}

static bool set_inventory_price(struct strategy_spec *s, const char *name, const char *value,
                                char *error)
{
    s->inventory_price = 0;
    if (is_none(value))
        return true;
    if (!read_units(name, value, &s->symbol.units.tick, "a price, or none", &s->inventory_price,
                    error))
        return false;
    return s->symbol.any_price || s->inventory_price > 0 ||
           complain(error, name, value, "a price above zero, or none");
}

/* What can be said of any strategy; one table for reading, refusing and telling. */
struct setting {
    const char *name;
    const char *words;
    bool (*set)(struct strategy_spec *s, const char *name, const char *value, char *error);
};

static const struct setting settings[] = {
    {"account", "whose orders they are (its own name)", set_account},
    {"position_max", "the most it may hold, long or short, what works included (none)",
     set_position_max},
    {"order_max", "the largest order (none)", set_order_max},
    {"loss_max", "the most it may lose before it is stopped, in quote money (none)", set_loss_max},
    {"messages_per_second", "orders and amends in any second (none)", set_messages},
    {"maker_fee", "paid for what rested, in basis points; below zero: got (0)", set_maker_fee},
    {"taker_fee", "paid for what took (0)", set_taker_fee},
    {"inventory", "what it begins with; below zero: short (0)", set_inventory},
    {"inventory_price", "at which that was bought (none: the first mid)", set_inventory_price},
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

static const struct setting *setting_find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return &settings[i];
    }
    return NULL;
}

void strategy_spec_print(FILE *out)
{
    fprintf(out, "  %-20s %s\n", "type", "twap, vwap, pov, maker or a shared object (./my.so)");
    fprintf(out, "  %-20s %s\n", "symbol", "what it trades");
    for (size_t i = 0; i < SETTING_COUNT; i++)
        fprintf(out, "  %-20s %s\n", settings[i].name, settings[i].words);
}

/* ---- public ---- */

/* What its class has that this file has already: nobody could tell which is meant. */
static bool check_names(const struct strategy_class *class, char *error)
{
    for (const struct parameter *row = class->parameters; row->name != NULL; row++) {
        if (setting_find(row->name) != NULL || strcmp(row->name, "type") == 0 ||
            strcmp(row->name, "symbol") == 0)
            return complain(error, class->name, row->name,
                            "another name for this parameter: every strategy has one of this name");
    }
    return true;
}

bool strategy_spec_type(struct strategy_spec *s, const char *type,
                        char error[STRATEGY_SPEC_ERROR_SIZE])
{
    char why[STRATEGIES_ERROR_SIZE];
    const struct strategy_class *class = strategies_find(type, why);
    if (class == NULL) {
        snprintf(error, STRATEGY_SPEC_ERROR_SIZE, "type: %s", why);
        return false;
    }
    if (!check_names(class, error))
        return false;
    strcpy(s->type, type); /* strategies_find refuses longer ones */
    s->class = class;
    parameters_init(&s->parameters, class->parameters);
    return true;
}

bool strategy_spec_symbol(struct strategy_spec *s, const struct cluster_symbol *symbol,
                          char error[STRATEGY_SPEC_ERROR_SIZE])
{
    if (!name_is_symbol(text_of(symbol->name)))
        return complain(error, "symbol", symbol->name, "a symbol");
    strcpy(s->symbol.name, symbol->name);
    strcpy(s->symbol.tick_size, symbol->tick_size);
    strcpy(s->symbol.lot_size, symbol->lot_size);
    s->symbol.units = (struct parameter_units){symbol->tick, symbol->lot};
    s->symbol.shard = symbol->shard;
    s->symbol.any_price = symbol->any_price;
    return true;
}

static bool set_parameter(struct strategy_spec *s, const char *name, const char *value, char *error)
{
    if (parameters_get(&s->parameters, name) == NULL) {
        char expected[500], own[300];
        parameters_names(s->class->parameters, own, sizeof own);
        snprintf(expected, sizeof expected,
                 "%s, or account, position_max, order_max, loss_max, messages_per_second, "
                 "maker_fee, taker_fee, inventory, inventory_price",
                 own);
        return complain(error, s->class->name, name, expected);
    }
    if (!parameters_set(&s->parameters, &s->symbol.units, name, value, error))
        return false;
    const struct parameter_value *v = parameters_get(&s->parameters, name);
    bool price =
        s->parameters.table[v - s->parameters.values].kind == PARAMETER_PRICE && !is_none(value);
    return !price || s->symbol.any_price || v->number > 0 ||
           complain(error, name, value, "a price above zero");
}

bool strategy_spec_set(struct strategy_spec *s, const char *name, const char *value,
                       char error[STRATEGY_SPEC_ERROR_SIZE])
{
    if (s->class == NULL || s->symbol.name[0] == '\0')
        return complain(error, name, value, "type and symbol to be said before it");
    const struct setting *setting = setting_find(name);
    return setting != NULL ? setting->set(s, name, value, error)
                           : set_parameter(s, name, value, error);
}

bool strategy_spec_complete(struct strategy_spec *s, char error[STRATEGY_SPEC_ERROR_SIZE])
{
    if (s->class == NULL)
        return complain(error, "type", "nothing", "the type of the strategy");
    if (s->symbol.name[0] == '\0')
        return complain(error, "symbol", "nothing", "the symbol it trades");
    if (s->name[0] == '\0' || !name_is_plain(text_of(s->name)))
        return complain(error, "name", s->name, "a name: 1 to 16 of A-Z a-z 0-9 _ -");
    return parameters_complete(&s->parameters, &s->symbol.units, error) &&
           (s->class->check == NULL || s->class->check(&s->parameters, error));
}

/* ---- as bytes ---- */

enum { SPEC_FORM = 1, SPEC_FIELDS = 20 };

size_t strategy_spec_write(const struct strategy_spec *s, uint8_t *bytes, size_t size_max)
{
    CHECK(size_max >= STRATEGY_SPEC_SIZE_MAX);
    struct wire_writer w = {bytes};
    wire_put_array(&w, SPEC_FIELDS);
    wire_put_u64(&w, SPEC_FORM);
    wire_put_text(&w, text_of(s->name));
    wire_put_text(&w, text_of(s->type));
    wire_put_text(&w, text_of(s->account));
    wire_put_text(&w, text_of(s->symbol.name));
    wire_put_text(&w, text_of(s->symbol.tick_size));
    wire_put_text(&w, text_of(s->symbol.lot_size));
    wire_put_u64(&w, s->symbol.shard);
    wire_put_flag(&w, s->symbol.any_price);
    wire_put_i64(&w, s->limits.position_max);
    wire_put_i64(&w, s->limits.order_max);
    wire_put_flag(&w, s->limits.has_loss_max);
    wire_put_u64(&w, (uint64_t)(s->limits.loss_max >> 64)); /* not below zero */
    wire_put_u64(&w, (uint64_t)s->limits.loss_max);
    wire_put_u64(&w, s->limits.messages_per_second);
    wire_put_i64(&w, s->fees.maker_ppm);
    wire_put_i64(&w, s->fees.taker_ppm);
    wire_put_i64(&w, s->inventory);
    wire_put_i64(&w, s->inventory_price);
    wire_put_array(&w, 2 * s->parameters.count);
    for (unsigned i = 0; i < s->parameters.count; i++) {
        wire_put_text(&w, text_of(s->parameters.table[i].name));
        wire_put_text(&w, text_of(s->parameters.values[i].text));
    }
    size_t size = (size_t)(w.at - bytes);
    CHECK(size <= STRATEGY_SPEC_SIZE_MAX);
    return size;
}

/* A text of at most size - 1 bytes without a NUL in it. */
static void take_text(struct wire_reader *r, char *text, size_t size)
{
    struct text read = wire_get_text(r, size - 1);
    if (read.size > 0 && memchr(read.data, '\0', read.size) != NULL)
        r->bad = true;
    if (read.size > 0 && !r->bad)
        memcpy(text, read.data, read.size);
    text[r->bad ? 0 : read.size] = '\0';
}

static void take_symbol(struct wire_reader *r, struct cluster_symbol *symbol)
{
    take_text(r, symbol->name, sizeof symbol->name);
    take_text(r, symbol->tick_size, sizeof symbol->tick_size);
    take_text(r, symbol->lot_size, sizeof symbol->lot_size);
    symbol->shard = (uint16_t)wire_get_u64(r, UINT16_MAX);
    symbol->any_price = wire_get_flag(r);
    if (!decimal_unit_read(&symbol->tick, symbol->tick_size, strlen(symbol->tick_size)) ||
        !decimal_unit_read(&symbol->lot, symbol->lot_size, strlen(symbol->lot_size)))
        r->bad = true;
}

static void take_limits(struct wire_reader *r, struct strategy_spec *s)
{
    wide_t most = 1;
    CHECK(times_ten(&most, MONEY_DIGITS_MAX));
    s->limits.position_max = wire_get_i64(r);
    s->limits.order_max = wire_get_i64(r);
    s->limits.has_loss_max = wire_get_flag(r);
    s->limits.loss_max = (notional_t)wire_get_u64(r, INT64_MAX) << 64;
    s->limits.loss_max += (notional_t)wire_get_u64(r, 0);
    s->limits.messages_per_second = (uint32_t)wire_get_u64(r, MESSAGES_MAX);
    s->fees.maker_ppm = wire_get_i64(r);
    s->fees.taker_ppm = wire_get_i64(r);
    s->inventory = wire_get_i64(r);
    s->inventory_price = wire_get_i64(r);
    const struct fees *f = &s->fees;
    if (s->limits.position_max < 0 || s->limits.order_max < 0 || s->limits.loss_max > most ||
        f->maker_ppm < -FEE_MAX_PPM || f->maker_ppm > FEE_MAX_PPM || f->taker_ppm < -FEE_MAX_PPM ||
        f->taker_ppm > FEE_MAX_PPM || s->inventory == INT64_MIN)
        r->bad = true;
}

static bool take_parameters(struct wire_reader *r, struct strategy_spec *s, char *error)
{
    uint32_t count = wire_get_array(r);
    for (uint32_t i = 0; i < count / 2 && !r->bad; i++) {
        char name[PARAMETER_NAME_SIZE_MAX + 1], value[PARAMETER_TEXT_SIZE];
        take_text(r, name, sizeof name);
        take_text(r, value, sizeof value);
        if (!r->bad && !set_parameter(s, name, value, error))
            return false;
    }
    return !r->bad && strategy_spec_complete(s, error);
}

/* Nothing of it is believed: it comes from a file. */
bool strategy_spec_read(struct strategy_spec *s, const uint8_t *bytes, size_t size,
                        char error[STRATEGY_SPEC_ERROR_SIZE])
{
    struct wire_reader r = {bytes, bytes + size, false};
    struct cluster_symbol symbol = {.shard = 0};
    char name[STRATEGY_NAME_SIZE_MAX + 1], type[PARAMETER_TEXT_SIZE];
    complain(error, "strategy", "other bytes", "a strategy as it is recorded");
    if (wire_get_array(&r) != SPEC_FIELDS || wire_get_u64(&r, 0) != SPEC_FORM)
        return false;
    take_text(&r, name, sizeof name);
    take_text(&r, type, sizeof type);
    strategy_spec_init(s, name);
    take_text(&r, s->account, sizeof s->account);
    r.bad = r.bad || s->account[0] == '\0' || !name_is_plain(text_of(s->account));
    take_symbol(&r, &symbol);
    take_limits(&r, s);
    return !r.bad && r.at <= r.end && strategy_spec_type(s, type, error) &&
           strategy_spec_symbol(s, &symbol, error) && take_parameters(&r, s, error);
}
