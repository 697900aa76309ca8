#include "cli/backtest_specs.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "proto/names.h"

/* The empty strategy. */
static const struct parameter no_parameters[] = {{.name = NULL}};

static const struct strategy_class none_class = {
    .abi = STRATEGY_ABI,
    .name = "none",
    .summary = "does nothing: the history as it was",
    .parameters = no_parameters,
    .state_size = 1,
};

/* What it is called: its type or, of a shared object, its file's name without path and ending. */
static void name_of(const char *type, char name[STRATEGY_NAME_SIZE_MAX + 1])
{
    const char *slash = strrchr(type, '/');
    const char *base = slash == NULL ? type : slash + 1;
    size_t size = strcspn(base, ".");
    if (size > STRATEGY_NAME_SIZE_MAX)
        size = STRATEGY_NAME_SIZE_MAX;
    struct text text = {base, size};
    if (size == 0 || !name_is_plain(text))
        text = text_of("strategy");
    memcpy(name, text.data, text.size);
    name[text.size] = '\0';
}

static bool set_type(struct strategy_spec *s, const char *type, char *error)
{
    if (strcmp(type, none_class.name) != 0)
        return strategy_spec_type(s, type, error);
    s->class = &none_class;
    snprintf(s->type, sizeof s->type, "%s", type);
    parameters_init(&s->parameters, no_parameters);
    return true;
}

bool backtest_specs_one(struct strategy_spec *s, const struct backtest_options *o,
                        const struct cluster_symbol *symbol, const char *const *values,
                        char error[STRATEGY_SPEC_ERROR_SIZE])
{
    char name[STRATEGY_NAME_SIZE_MAX + 1];
    name_of(o->type, name);
    strategy_spec_init(s, name);
    if (!set_type(s, o->type, error) || !strategy_spec_symbol(s, symbol, error))
        return false;
    for (unsigned i = 0; i < o->word_count; i++) {
        if (!strategy_spec_set(s, o->words[i].name, o->words[i].value, error))
            return false;
    }
    for (unsigned i = 0; values != NULL && i < o->axis_count; i++) {
        if (!strategy_spec_set(s, o->axes[i].name, values[i], error))
            return false;
    }
    return strategy_spec_complete(s, error);
}

static bool refuse(const char *error)
{
    fprintf(stderr, "outcry backtest: %s\n", error);
    return false;
}

/* Those of other symbols are not for this history. */
static void keep_symbol(struct backtest_specs *s, const char *symbol)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < s->count; i++) {
        if (strcmp(s->all[i].symbol.name, symbol) != 0)
            fprintf(stderr, "outcry backtest: %s trades %s, not %s: it is left out\n",
                    s->all[i].name, s->all[i].symbol.name, symbol);
        else if (kept++ != i)
            s->all[kept - 1] = s->all[i];
    }
    s->count = kept;
}

static bool load(struct backtest_specs *s, const struct backtest_options *o,
                 const struct cluster *c, const struct cluster_symbol *symbol)
{
    char error[STRATEGY_SPEC_ERROR_SIZE];
    if (!strategy_specs_load(c, o->strategies, o->only, s->all, STRATEGIES_MAX, &s->count, error))
        return refuse(error);
    keep_symbol(s, symbol->name);
    if (s->count > 0)
        return true;
    snprintf(error, sizeof error, "%.400s: found no strategy%s%.16s on %s, expected at least one",
             o->strategies, o->only == NULL ? "" : " named ", o->only == NULL ? "" : o->only,
             symbol->name);
    return refuse(error);
}

bool backtest_specs_make(struct backtest_specs *s, const struct backtest_options *o,
                         const struct cluster *c, const struct cluster_symbol *symbol)
{
    char error[STRATEGY_SPEC_ERROR_SIZE];
    s->all = memory_new(STRATEGIES_MAX, sizeof *s->all, "strategies");
    if (o->type == NULL)
        return load(s, o, c, symbol);
    s->count = 1;
    return backtest_specs_one(&s->all[0], o, symbol, NULL, error) || refuse(error);
}

bool backtest_specs_fees(struct fees *fees, const struct backtest_options *o,
                         const struct cluster_symbol *symbol)
{
    char error[STRATEGY_SPEC_ERROR_SIZE];
    struct strategy_spec *s = memory_new(1, sizeof *s, "a strategy");
    strategy_spec_init(s, none_class.name);
    bool fine = set_type(s, none_class.name, error) && strategy_spec_symbol(s, symbol, error);
    for (unsigned i = 0; fine && i < o->word_count; i++) {
        const char *name = o->words[i].name;
        fine = strcmp(name, "maker_fee") == 0 || strcmp(name, "taker_fee") == 0;
        if (!fine)
            snprintf(error, sizeof error, "%s: expected only maker_fee and taker_fee with --serve",
                     name);
        fine = fine && strategy_spec_set(s, name, o->words[i].value, error);
    }
    *fees = s->fees;
    memory_free(s, 1, sizeof *s);
    return fine || refuse(error);
}

bool backtest_specs_alone(const struct backtest_specs *s, const recording_t *r, const char *without)
{
    char error[256];
    struct recording_cursor cursor;
    struct recorded e;
    if (recording_kind_of(r) != RECORDING_COMMANDS)
        return true;
    recording_begin(r, &cursor);
    while (recording_next(&cursor, &e)) {
        struct text account = command_account(&e.command);
        if (account.size == 0 || (without != NULL && text_equal(account, text_of(without))))
            continue;
        for (unsigned i = 0; i < s->count; i++) {
            if (!text_equal(account, text_of(s->all[i].account)))
                continue;
            snprintf(error, sizeof error,
                     "row %llu of the history: found the account %s, expected nobody else's: name "
                     "another by account=..., or leave the recorded one out by --without %s",
                     (unsigned long long)e.row, s->all[i].account, s->all[i].account);
            return refuse(error);
        }
    }
    return true;
}

void backtest_specs_free(struct backtest_specs *s)
{
    if (s->all != NULL)
        memory_free(s->all, STRATEGIES_MAX, sizeof *s->all);
    *s = (struct backtest_specs){.all = NULL};
}
