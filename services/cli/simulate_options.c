#include "cli/simulate_options.h"

#include <string.h>

#include "base/clock.h"

enum { THOUSANDTHS = 1000, EXIT_MISTAKE = 2 };

/* Of a symbol, unless told otherwise: 100.00 where a tick is 0.01, or about 0 where prices may be;
 * a spread of a few ticks. */
enum { BASE_PRICE = 10000, BASE_PRICE_ANY = 0, SPREAD = 4, SIZE = 20 };
static const double informed_default = 0.3;
static const uint64_t rate_default = 20;

/* What a value that is a symbol's may be. */
enum symbol_value { VALUE_BASE_PRICE, VALUE_SPREAD, VALUE_SIZE };

/* The texts of flags that mean something only once the symbols are known. */
struct reading {
    struct simulate_options *o;
    const struct cluster *cluster;
    const char *symbols;
    const char *values[3]; /* by enum symbol_value */
};

static const char *const value_flags[3] = {"--base-price", "--spread", "--size"};

static int mistake(const char *flag, const char *found, const char *expected)
{
    fprintf(stderr, "outcry simulate: %s: found \"%.100s\", expected %s\n", flag, found, expected);
    return EXIT_MISTAKE;
}

/* A number with at most three decimals, in thousandths. */
static bool read_thousandths(struct text text, int64_t low, int64_t high, int64_t *value)
{
    const struct decimal_unit thousandth = {1, 3};
    return decimal_to_units(text.data, text.size, &thousandth, value) == DECIMAL_OK &&
           *value >= low && *value <= high;
}

/* ---- flags of the flow ---- */

static int read_rate(struct reading *r, const char *value)
{
    int64_t rate;
    if (!read_thousandths(text_of(value), 1, (int64_t)1000000 * THOUSANDTHS, &rate))
        return mistake("--rate", value, "a number from 0.001 to 1000000, at most 3 decimals");
    r->o->flow.rate = (double)rate / THOUSANDTHS;
    return 0;
}

static int read_informed(struct reading *r, const char *value)
{
    int64_t share;
    if (!read_thousandths(text_of(value), 0, THOUSANDTHS, &share))
        return mistake("--informed", value, "a share from 0 to 1, at most 3 decimals");
    r->o->flow.informed = (double)share / THOUSANDTHS;
    return 0;
}

static int read_seed(struct reading *r, const char *value)
{
    return config_u64(value, 0, UINT64_MAX, &r->o->flow.seed)
               ? 0
               : mistake("--seed", value, "a whole number from 0 to 18446744073709551615");
}

static int read_arrivals(struct reading *r, const char *value)
{
    if (strcmp(value, "poisson") != 0 && strcmp(value, "hawkes") != 0)
        return mistake("--arrivals", value, "poisson or hawkes");
    r->o->flow.arrivals = *value == 'p' ? ORDER_FLOW_POISSON : ORDER_FLOW_HAWKES;
    return 0;
}

/* The next field of a list, and what is behind it. */
static struct text next_field(const char **at, char separator)
{
    const char *end = strchr(*at, separator);
    struct text field = {*at, end == NULL ? strlen(*at) : (size_t)(end - *at)};
    *at = end == NULL ? NULL : end + 1;
    return field;
}

static int read_mix(struct reading *r, const char *value)
{
    static const char expected[] = "five percentages, limit:cancel:amend:market:ioc, that add up "
                                   "to 100, the first above 0";
    int64_t shares[5], sum = 0;
    const char *at = value;
    for (unsigned i = 0; i < 5; i++) {
        if (at == NULL ||
            !read_thousandths(next_field(&at, ':'), i == 0, 100 * THOUSANDTHS, &shares[i]))
            return mistake("--mix", value, expected);
        sum += shares[i];
    }
    if (at != NULL || sum != 100 * THOUSANDTHS)
        return mistake("--mix", value, expected);
    r->o->flow.mix =
        (struct order_flow_mix){(double)shares[0] / THOUSANDTHS, (double)shares[1] / THOUSANDTHS,
                                (double)shares[2] / THOUSANDTHS, (double)shares[3] / THOUSANDTHS,
                                (double)shares[4] / THOUSANDTHS};
    return 0;
}

/* ---- flags of what becomes of it ---- */

static int read_count(struct reading *r, const char *value)
{
    return config_u64(value, 1, UINT64_MAX - 1, &r->o->count_max)
               ? 0
               : mistake("--count", value, "a whole number from 1 to 18446744073709551614");
}

static int read_duration(struct reading *r, const char *value)
{
    int64_t duration;
    if (!read_thousandths(text_of(value), 1, INT64_C(1000000000) * THOUSANDTHS, &duration))
        return mistake("--duration", value,
                       "seconds, a number from 0.001 to 1000000000, at most 3 decimals");
    r->o->duration_ns = (uint64_t)duration * (NS_PER_SECOND / THOUSANDTHS);
    return 0;
}

static int read_file(struct reading *r, const char *value)
{
    r->o->file = value;
    return 0;
}

static int read_form(struct reading *r, const char *value)
{
    static const char *const names[] = {"csv", "commands", "match"};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            r->o->form = (enum simulate_form)i;
            return 0;
        }
    }
    return mistake("--form", value, "csv, commands or match");
}

static int read_symbols(struct reading *r, const char *value)
{
    r->symbols = value;
    return 0;
}

static int read_base_price(struct reading *r, const char *value)
{
    r->values[VALUE_BASE_PRICE] = value;
    return 0;
}

static int read_spread(struct reading *r, const char *value)
{
    r->values[VALUE_SPREAD] = value;
    return 0;
}

static int read_size(struct reading *r, const char *value)
{
    r->values[VALUE_SIZE] = value;
    return 0;
}

static int read_flags(struct reading *r, int argc, char **argv)
{
    static const struct flag {
        const char *name;
        int (*read)(struct reading *r, const char *value);
    } flags[] = {
        {"--rate", read_rate},         {"--symbols", read_symbols},
        {"--seed", read_seed},         {"--base-price", read_base_price},
        {"--spread", read_spread},     {"--mix", read_mix},
        {"--size", read_size},         {"--arrivals", read_arrivals},
        {"--informed", read_informed}, {"--count", read_count},
        {"--duration", read_duration}, {"--file", read_file},
        {"--form", read_form},
    };
    for (int i = 1; i < argc; i += 2) {
        const struct flag *flag = NULL;
        for (size_t f = 0; f < sizeof flags / sizeof flags[0]; f++) {
            if (strcmp(argv[i], flags[f].name) == 0)
                flag = &flags[f];
        }
        if (flag == NULL)
            return mistake("argument", argv[i], "a flag that --help lists");
        if (i + 1 == argc)
            return mistake(argv[i], "nothing", "a value behind it");
        int status = flag->read(r, argv[i + 1]);
        if (status != 0)
            return status;
    }
    return 0;
}

/* ---- symbols ---- */

static const struct cluster_symbol *find_symbol(const struct cluster *c, struct text name)
{
    for (unsigned i = 0; i < c->symbol_count; i++) {
        if (text_equal(text_of(c->symbols[i].name), name))
            return &c->symbols[i];
    }
    return NULL;
}

static int chosen_number(const struct simulate_options *o, struct text name)
{
    for (unsigned i = 0; i < o->flow.symbol_count; i++) {
        if (text_equal(text_of(o->symbols[i].name), name))
            return (int)i;
    }
    return -1;
}

static void choose(struct simulate_options *o, const struct cluster_symbol *symbol)
{
    unsigned number = o->flow.symbol_count++;
    o->chosen[number] = symbol;
    o->symbols[number] = (struct order_flow_symbol){
        .name = symbol->name,
        .any_price = symbol->any_price,
        .base_price = symbol->any_price ? BASE_PRICE_ANY : BASE_PRICE,
        .spread = SPREAD,
        .size = SIZE,
    };
}

static int choose_symbols(struct reading *r)
{
    const struct cluster *c = r->cluster;
    if (c->symbol_count == 0) {
        fprintf(stderr, "outcry simulate: the configuration has no symbols\n");
        return EXIT_MISTAKE;
    }
    for (unsigned i = 0; r->symbols == NULL && i < c->symbol_count; i++)
        choose(r->o, &c->symbols[i]);
    for (const char *at = r->symbols; at != NULL;) {
        struct text name = next_field(&at, ',');
        const struct cluster_symbol *symbol = find_symbol(c, name);
        if (symbol == NULL || chosen_number(r->o, name) >= 0)
            return mistake("--symbols", r->symbols,
                           "symbols of the configuration, each once, with commas between them");
        choose(r->o, symbol);
    }
    return 0;
}

/* ---- what is a symbol's ---- */

static int value_mistake(enum symbol_value value, struct text found,
                         const struct cluster_symbol *symbol, int64_t low, int64_t high)
{
    const struct decimal_unit *unit = value == VALUE_SIZE ? &symbol->lot : &symbol->tick;
    char low_text[DECIMAL_TEXT_SIZE], high_text[DECIMAL_TEXT_SIZE], expected[256], copy[64];
    decimal_from_units(low_text, low, unit);
    decimal_from_units(high_text, high, unit);
    snprintf(copy, sizeof copy, "%.*s", (int)(found.size < 60 ? found.size : 60), found.data);
    snprintf(expected, sizeof expected, "of %s a number from %s to %s, whole in its %s of %s",
             symbol->name, low_text, high_text, value == VALUE_SIZE ? "lots" : "ticks",
             value == VALUE_SIZE ? symbol->lot_size : symbol->tick_size);
    return mistake(value_flags[value], copy, expected);
}

static int set_value(struct simulate_options *o, unsigned number, enum symbol_value value,
                     struct text text)
{
    struct order_flow_symbol *s = &o->symbols[number];
    const struct cluster_symbol *symbol = o->chosen[number];
    const struct decimal_unit *unit = value == VALUE_SIZE ? &symbol->lot : &symbol->tick;
    int64_t *to = value == VALUE_BASE_PRICE ? &s->base_price
                  : value == VALUE_SPREAD   ? &s->spread
                                            : &s->size;
    int64_t low = value == VALUE_BASE_PRICE && s->any_price ? -ORDER_FLOW_PRICE_MAX : 1;
    int64_t high = value == VALUE_BASE_PRICE ? ORDER_FLOW_PRICE_MAX
                   : value == VALUE_SPREAD   ? ORDER_FLOW_SPREAD_MAX
                                             : ORDER_FLOW_SIZE_MAX;
    int64_t units;
    if (decimal_to_units(text.data, text.size, unit, &units) != DECIMAL_OK || units < low ||
        units > high)
        return value_mistake(value, text, symbol, low, high);
    *to = units;
    return 0;
}

/* One value for all, or SYMBOL=VALUE with commas between them. */
static int read_values(struct reading *r, enum symbol_value value)
{
    struct simulate_options *o = r->o;
    const char *text = r->values[value];
    int status = 0;
    for (unsigned i = 0; strchr(text, '=') == NULL && i < o->flow.symbol_count && status == 0; i++)
        status = set_value(o, i, value, text_of(text));
    if (strchr(text, '=') == NULL)
        return status;
    for (const char *at = text; at != NULL && status == 0;) {
        struct text field = next_field(&at, ',');
        const char *equals = memchr(field.data, '=', field.size);
        struct text name = {field.data, equals == NULL ? 0 : (size_t)(equals - field.data)};
        int number = chosen_number(o, name);
        if (number < 0)
            return mistake(value_flags[value], text,
                           "a value, or SYMBOL=VALUE of symbols that are simulated, with commas "
                           "between them");
        status = set_value(o, (unsigned)number, value,
                           (struct text){equals + 1, field.size - name.size - 1});
    }
    return status;
}

/* ---- what goes together ---- */

static int check_file(const struct simulate_options *o)
{
    const struct order_flow_mix *mix = &o->flow.mix;
    if (o->file == NULL)
        return 0;
    if (o->count_max == UINT64_MAX && o->duration_ns == UINT64_MAX)
        return mistake("--file", o->file, "--count or --duration as well: a file has an end");
    if (o->flow.symbol_count != 1)
        return mistake("--file", o->file,
                       "one symbol, chosen with --symbols: the rows of a file name none");
    if (o->form == SIMULATE_COMMANDS && (mix->amend > 0.0 || mix->market > 0.0))
        return mistake("--form", "commands",
                       "a --mix without amends and market orders, which this form cannot say");
    return 0;
}

int simulate_options_read(struct simulate_options *o, const struct cluster *cluster, int argc,
                          char **argv)
{
    struct reading r = {.o = o, .cluster = cluster};
    *o = (struct simulate_options){
        .flow = {.seed = 1,
                 .rate = (double)rate_default,
                 .arrivals = ORDER_FLOW_HAWKES,
                 .mix = order_flow_mix_real,
                 .informed = informed_default},
        .count_max = UINT64_MAX,
        .duration_ns = UINT64_MAX,
    };
    int status = read_flags(&r, argc, argv);
    if (status == 0)
        status = choose_symbols(&r);
    for (unsigned v = 0; v < 3 && status == 0; v++) {
        if (r.values[v] != NULL)
            status = read_values(&r, (enum symbol_value)v);
    }
    o->flow.symbols = o->symbols;
    return status != 0 ? status : check_file(o);
}
