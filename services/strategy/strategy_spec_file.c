/* strategy_spec_file: the section `strategies` of a configuration file. A strategy's type and
 * symbol may stand anywhere among its lines, and what the other lines mean depends on them: so they
 * are looked up when its name is met, and the lines are then taken one by one. */
#include <stdio.h>
#include <string.h>

#include "proto/names.h"
#include "strategy/strategy_spec.h"

struct load {
    const struct cluster *cluster;
    const config_t *config;
    const char *only;
    struct strategy_spec *specs;
    unsigned max, count;
    unsigned line; /* of the one that is being read */
    bool reading;  /* the last of specs is it; false: it is one that is not wanted */
    bool failed;   /* error says why */
    char *error;
};

static const char section[] = "strategies/";

/* FILE:LINE: path: what is wrong. */
static bool complain(struct load *l, unsigned line, const char *path, const char *what)
{
    snprintf(l->error, STRATEGY_SPEC_ERROR_SIZE, "%.150s:%u: %.100s: %.700s",
             config_file(l->config), line, path, what);
    l->failed = true;
    return false;
}

static bool complain_found(struct load *l, unsigned line, const char *path, const char *found,
                           const char *expected)
{
    char what[400];
    snprintf(what, sizeof what, "found \"%.100s\", expected %.200s", found, expected);
    return complain(l, line, path, what);
}

/* A line of the strategy that is being read; NULL: it is not there. */
static const char *look_up(const struct load *l, const char *key, unsigned *line)
{
    char path[CONFIG_PATH_SIZE];
    snprintf(path, sizeof path, "%s%s/%s", section, l->specs[l->count - 1].name, key);
    *line = config_line(l->config, path);
    return *line == 0 ? NULL : config_get(l->config, path);
}

static bool take_type(struct load *l, const char *path)
{
    char why[STRATEGY_SPEC_ERROR_SIZE];
    unsigned line;
    const char *type = look_up(l, "type", &line);
    if (type == NULL)
        return complain_found(l, l->line, path, "no type", "type = twap, or another one");
    return strategy_spec_type(&l->specs[l->count - 1], type, why) || complain(l, line, path, why);
}

static bool take_symbol(struct load *l, const char *path)
{
    char why[STRATEGY_SPEC_ERROR_SIZE];
    unsigned line;
    const char *name = look_up(l, "symbol", &line);
    if (name == NULL)
        return complain_found(l, l->line, path, "no symbol", "symbol = NAME, which it trades");
    const struct cluster_symbol *symbol = cluster_symbol_find(l->cluster, name);
    if (symbol == NULL)
        return complain_found(l, line, path, name, "a symbol of the section `symbols`");
    return strategy_spec_symbol(&l->specs[l->count - 1], symbol, why) ||
           complain(l, line, path, why);
}

/* No line of its own may be wrong any more; now what they say together. */
static bool finish(struct load *l)
{
    char why[STRATEGY_SPEC_ERROR_SIZE], path[CONFIG_PATH_SIZE];
    if (!l->reading)
        return true;
    struct strategy_spec *s = &l->specs[l->count - 1];
    l->reading = false;
    snprintf(path, sizeof path, "%s%s", section, s->name);
    if (!strategy_spec_complete(s, why))
        return complain(l, l->line, path, why);
    for (unsigned i = 0; i + 1 < l->count; i++) {
        if (strcmp(l->specs[i].account, s->account) == 0)
            return complain_found(l, l->line, path, s->account,
                                  "an account that no other strategy has");
    }
    return true;
}

static bool begin(struct load *l, const char *path, const char *value, unsigned line)
{
    const char *name = path + strlen(section);
    size_t size = strlen(name);
    if (size == 0 || size > STRATEGY_NAME_SIZE_MAX || !name_is_plain(text_of(name)))
        return complain_found(l, line, path, name, "a name: 1 to 16 of A-Z a-z 0-9 _ -");
    if (value[0] != '\0')
        return complain_found(l, line, path, value, "nothing here, and its settings indented");
    if (l->only != NULL && strcmp(l->only, name) != 0)
        return true;
    if (l->count == l->max)
        return complain_found(l, line, path, name, "no more strategies than fit");
    l->line = line;
    strategy_spec_init(&l->specs[l->count++], name);
    l->reading = true;
    return take_type(l, path) && take_symbol(l, path);
}

static bool take(struct load *l, const char *path, const char *value, bool has_children,
                 unsigned line)
{
    char why[STRATEGY_SPEC_ERROR_SIZE];
    const char *key = strchr(path + strlen(section), '/') + 1;
    if (!l->reading || strcmp(key, "type") == 0 || strcmp(key, "symbol") == 0)
        return true;
    if (has_children || strchr(key, '/') != NULL)
        return complain_found(l, line, path, key, "a setting, NAME = VALUE");
    return strategy_spec_set(&l->specs[l->count - 1], key, value, why) ||
           complain(l, line, path, why);
}

static bool visit(void *self, const char *path, const char *value, bool has_children, unsigned line)
{
    struct load *l = self;
    if (strncmp(path, section, strlen(section)) != 0)
        return true;
    if (strchr(path + strlen(section), '/') == NULL)
        return finish(l) && begin(l, path, value, line);
    return take(l, path, value, has_children, line);
}

bool strategy_specs_load(const struct cluster *c, const char *file, const char *only,
                         struct strategy_spec *specs, unsigned max, unsigned *count,
                         char error[STRATEGY_SPEC_ERROR_SIZE])
{
    char why[CONFIG_ERROR_SIZE];
    struct load l = {.cluster = c, .only = only, .specs = specs, .max = max, .error = error};
    config_t *config = config_load(file, why);
    if (config == NULL) {
        snprintf(error, STRATEGY_SPEC_ERROR_SIZE, "%s", why);
        return false;
    }
    l.config = config;
    *count = 0;
    if (config_walk(config, &l, visit))
        finish(&l);
    if (!l.failed && only != NULL && l.count == 0)
        complain_found(&l, config_line(config, "strategies"), "strategies", only,
                       "the name of one of them");
    *count = l.count;
    config_destroy(&config);
    return !l.failed;
}
