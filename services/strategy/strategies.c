/* strategies: what somebody else compiled is looked at before anything of it is called: its abi
 * first, since all behind it means something else under another one. */
#include "strategy/strategies.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "proto/names.h"

enum { STATE_SIZE_MAX = 1 << 30 };

static const struct strategy_class *const built_in[] = {
    &twap_class,
    &vwap_class,
    &pov_class,
    &maker_class,
};
enum { BUILT_IN_COUNT = sizeof built_in / sizeof built_in[0] };

const struct strategy_class *strategies_at(unsigned index)
{
    return index < BUILT_IN_COUNT ? built_in[index] : NULL;
}

static bool complain(char *error, const char *type, const char *found, const char *expected)
{
    snprintf(error, STRATEGIES_ERROR_SIZE, "%.150s: found %.120s, expected %.200s", type, found,
             expected);
    return false;
}

/* ---- a class of somebody else ---- */

static bool check_parameter(const char *file, const struct parameter *row, char *error)
{
    struct text name = text_of(row->name);
    if (!name_is_plain(name) || name.size == 0 || name.size > PARAMETER_NAME_SIZE_MAX)
        return complain(error, file, "a parameter without a name", "1 to 63 of A-Z a-z 0-9 _ -");
    if (row->summary == NULL)
        return complain(error, file, row->name, "a summary of this parameter");
    if (row->kind > PARAMETER_FILE)
        return complain(error, file, row->name, "a kind of this parameter");
    if (row->kind == PARAMETER_WORD && row->words == NULL)
        return complain(error, file, row->name, "the words of this parameter");
    return true;
}

static bool check_parameters(const char *file, const struct parameter *table, char *error)
{
    unsigned count = 0;
    if (table == NULL)
        return complain(error, file, "no table of parameters", "one, if only its end");
    for (; table[count].name != NULL; count++) {
        if (count == PARAMETERS_MAX)
            return complain(error, file, "more parameters", "at most 32, and an end without name");
        if (!check_parameter(file, &table[count], error))
            return false;
    }
    return true;
}

static bool check_class(const char *file, const struct strategy_class *c, char *error)
{
    char found[64];
    if (c->abi != STRATEGY_ABI) {
        snprintf(found, sizeof found, "a strategy of abi %u", c->abi);
        char expected[80];
        snprintf(expected, sizeof expected, "abi %d: compile it again", STRATEGY_ABI);
        return complain(error, file, found, expected);
    }
    if (c->name == NULL || c->name[0] == '\0' || !name_is_plain(text_of(c->name)))
        return complain(error, file, "a strategy without a name", "one of A-Z a-z 0-9 _ -");
    if (c->summary == NULL)
        return complain(error, file, "a strategy without a summary", "a line that says what it is");
    if (c->state_size > STATE_SIZE_MAX)
        return complain(error, file, "a larger state", "at most 2^30 bytes of state_size");
    if (c->on_start == NULL && c->on_market_data == NULL && c->on_order == NULL &&
        c->on_fill == NULL && c->on_timer == NULL)
        return complain(error, file, "a strategy without callbacks", "at least one");
    return check_parameters(file, c->parameters, error);
}

/* Stays loaded when it is good: its code is what the class points to. */
static const struct strategy_class *load(const char *file, char *error)
{
    char path[PARAMETER_TEXT_SIZE + 2];
    /* Without a slash dlopen would look in the system's directories, and not here. */
    snprintf(path, sizeof path, "%s%s", strchr(file, '/') == NULL ? "./" : "", file);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        const char *why = dlerror();
        snprintf(error, STRATEGIES_ERROR_SIZE, "%.150s: cannot be loaded: %.300s", file,
                 why == NULL ? "no reason given" : why);
        return NULL;
    }
    const struct strategy_class *class = dlsym(object, "outcry_strategy");
    if (class == NULL)
        complain(error, file, "no symbol outcry_strategy",
                 "`const struct strategy_class outcry_strategy`");
    if (class != NULL && check_class(file, class, error))
        return class;
    dlclose(object);
    return NULL;
}

const struct strategy_class *strategies_find(const char *type, char error[STRATEGIES_ERROR_SIZE])
{
    size_t size = strlen(type);
    if (size >= PARAMETER_TEXT_SIZE) {
        complain(error, type, "a longer name", "at most 255 characters");
        return NULL;
    }
    if (strchr(type, '/') != NULL || (size > 3 && strcmp(type + size - 3, ".so") == 0))
        return load(type, error);
    for (unsigned i = 0; i < BUILT_IN_COUNT; i++) {
        if (strcmp(built_in[i]->name, type) == 0)
            return built_in[i];
    }
    snprintf(error, STRATEGIES_ERROR_SIZE,
             "strategy: found \"%.100s\", expected twap, vwap, pov, maker or a shared object "
             "(./my.so)",
             type);
    return NULL;
}
