#include "node/cluster.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "proto/names.h"

/* One row of the settings table, as data. */
struct setting {
    const char *name;
    const char *path;
    const char *meaning;
    size_t offset;
    bool is_text;
    const char *default_text;
    uint64_t default_number, low, high;
};

#define SETTING_U64_ROW(name, path, default_value, low, high, text)                                \
    {#name, path, text, offsetof(struct settings, name), false, NULL, default_value, low, high},
#define SETTING_TEXT_ROW(name, path, default_value, text)                                          \
    {#name, path, text, offsetof(struct settings, name), true, default_value, 0, 0, 0},

static const struct setting settings_table[] = {SETTINGS_TABLE(SETTING_U64_ROW, SETTING_TEXT_ROW)};

enum { IPC_ADDRESS_MAX = 112 }; /* "ipc://" and sun_path less its NUL and a byte of libzmq's */

enum { SETTING_COUNT = sizeof settings_table / sizeof settings_table[0] };

/* Where a value came from, for complaints. */
struct source {
    const char *file; /* NULL: `what` says it all */
    unsigned line;
    const char *what; /* flag, variable or path */
};

static bool complain(char *error, const struct source *from, const char *found,
                     const char *expected)
{
    if (from->file != NULL)
        snprintf(error, CONFIG_ERROR_SIZE, "%.150s:%u: %.60s: found \"%.80s\", expected %.150s",
                 from->file, from->line, from->what, found, expected);
    else
        snprintf(error, CONFIG_ERROR_SIZE, "%.80s: found \"%.120s\", expected %.200s", from->what,
                 found, expected);
    return false;
}

/* ---- one setting ---- */

static const struct setting *setting_by_path(const char *path)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings_table[i].path, path) == 0)
            return &settings_table[i];
    }
    return NULL;
}

/* The setting a flag (`--open-orders-max`) or variable (`OUTCRY_OPEN_ORDERS_MAX`) names. */
static const struct setting *setting_by_word(const char *word, char between)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *name = settings_table[i].name;
        size_t n = 0;
        while (name[n] != '\0' && (name[n] == '_' ? word[n] == between || word[n] == '_'
                                                  : tolower((unsigned char)word[n]) == name[n]))
            n++;
        if (name[n] == '\0' && word[n] == '\0')
            return &settings_table[i];
    }
    return NULL;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *const log_levels[] = {"debug", "info", "warn", "error"};
static const char *const log_formats[] = {"json", "text"};
static const char *const journal_modes[] = {"sync", "async",
                                            "none"}; /* enum journal_mode, from 1 */
enum {
    JOURNAL_MODE_COUNT = sizeof journal_modes / sizeof journal_modes[0],
    LOG_LEVEL_COUNT = sizeof log_levels / sizeof log_levels[0],
    LOG_FORMAT_COUNT = sizeof log_formats / sizeof log_formats[0],
};

/* The index of a word; `count` if it is none of them. */
static unsigned word_find(const char *const *words, unsigned count, const char *word)
{
    unsigned i = 0;
    while (i < count && strcmp(words[i], word) != 0)
        i++;
    return i;
}

/* What is expected of a text setting, if this is not it. */
static const char *text_expected(const struct setting *row, const char *value)
{
    if (value[0] == '\0' || strlen(value) >= SETTING_TEXT_SIZE)
        return "1 to 127 characters";
    if (strcmp(row->path, "log_level") == 0 &&
        word_find(log_levels, LOG_LEVEL_COUNT, value) == LOG_LEVEL_COUNT)
        return "debug, info, warn or error";
    if (strcmp(row->path, "log_format") == 0 &&
        word_find(log_formats, LOG_FORMAT_COUNT, value) == LOG_FORMAT_COUNT)
        return "json or text";
    if (strcmp(row->path, "journal/mode") == 0 &&
        word_find(journal_modes, JOURNAL_MODE_COUNT, value) == JOURNAL_MODE_COUNT)
        return "sync, async or none";
    if (strcmp(row->path, "journal/dir") == 0 && strchr(value, '/') == NULL &&
        strstr(value, "{run_dir}") == NULL)
        return "a path with a slash in it";
    /* The slash: else a misspelt word would be a file somewhere. */
    if (strcmp(row->path, "log_destination") == 0 && strcmp(value, "stdout") != 0 &&
        strcmp(value, "stderr") != 0 && strchr(value, '/') == NULL)
        return "stdout, stderr or a path with a slash in it";
    if (begins(row->path, "addresses/") && !begins(value, "ipc://") && !begins(value, "tcp://"))
        return "ipc://PATH or tcp://HOST:PORT";
    return NULL;
}

static bool setting_set(struct settings *s, const struct setting *row, const char *value,
                        const struct source *from, char *error)
{
    char *place = (char *)s + row->offset;
    char expected[96];
    if (row->is_text) {
        const char *wanted = text_expected(row, value);
        if (wanted != NULL)
            return complain(error, from, value, wanted);
        strcpy(place, value);
        return true;
    }
    uint64_t number;
    if (!config_u64(value, row->low, row->high, &number)) {
        snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
                 (unsigned long long)row->low, (unsigned long long)row->high);
        return complain(error, from, value, expected);
    }
    memcpy(place, &number, sizeof number);
    return true;
}

static void settings_default(struct settings *s)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char *place = (char *)s + settings_table[i].offset;
        if (settings_table[i].is_text)
            strcpy(place, settings_table[i].default_text);
        else
            memcpy(place, &settings_table[i].default_number, sizeof(uint64_t));
    }
}

/* ---- the file ---- */

/* A decimal above zero that decimal.h can count in, with no useless leading zero. */
static bool size_read(const char *text, struct decimal_unit *unit)
{
    size_t size = strlen(text);
    return size <= DECIMAL_SIZE_MAX && (text[0] != '0' || text[1] == '.') &&
           decimal_unit_read(unit, text, size);
}

static const char symbol_expected[] =
    "a symbol: 1 to 16 of A-Z 0-9 . _ -, the first a letter or digit";

static bool symbol_begin(struct cluster *c, const char *name, const struct source *from,
                         char *error)
{
    if (!name_is_symbol(text_of(name)))
        return complain(error, from, name, symbol_expected);
    if (c->symbol_count == CLUSTER_SYMBOLS_MAX)
        return complain(error, from, name, "at most 1024 symbols");
    struct cluster_symbol *s = &c->symbols[c->symbol_count++];
    *s = (struct cluster_symbol){.tick = {1, 0}, .lot = {1, 0}};
    strcpy(s->name, name);
    strcpy(s->tick_size, "1");
    strcpy(s->lot_size, "1");
    return true;
}

static bool symbol_set(struct cluster *c, const char *key, const char *value,
                       const struct source *from, char *error)
{
    struct cluster_symbol *s = &c->symbols[c->symbol_count - 1];
    uint64_t number;
    char expected[64];
    if (strcmp(key, "shard") == 0) {
        snprintf(expected, sizeof expected, "a shard from 0 to %u",
                 (unsigned)c->settings.shards - 1);
        if (!config_u64(value, 0, c->settings.shards - 1, &number))
            return complain(error, from, value, expected);
        s->shard = (uint16_t)number;
    } else if (strcmp(key, "any_price") == 0) {
        if (!config_u64(value, 0, 1, &number))
            return complain(error, from, value, "0 or 1");
        s->any_price = number == 1;
    } else if (strcmp(key, "tick_size") == 0 || strcmp(key, "lot_size") == 0) {
        bool tick = key[0] == 't';
        if (!size_read(value, tick ? &s->tick : &s->lot))
            return complain(error, from, value, "a decimal above zero, like 0.01");
        strcpy(tick ? s->tick_size : s->lot_size, value);
    } else {
        return complain(error, from, key, "shard, tick_size, lot_size or any_price");
    }
    return true;
}

struct file_walk {
    struct cluster *cluster;
    const char *file;
    bool symbols; /* this pass reads the symbols; the one before read the settings */
    char *error;
};

/* `symbols/NAME` or `symbols/NAME/key`. */
static bool visit_symbol(struct file_walk *w, const char *path, const char *value,
                         const struct source *from)
{
    const char *name = path + strlen("symbols/");
    const char *key = strchr(name, '/');
    if (key == NULL)
        return symbol_begin(w->cluster, name, from, w->error);
    /* Its section has begun with it, unless it is a name with a slash in it. */
    const struct cluster *c = w->cluster;
    struct text section = {name, (size_t)(key - name)};
    if (c->symbol_count == 0 || !text_equal(text_of(c->symbols[c->symbol_count - 1].name), section))
        return complain(w->error, from, name, symbol_expected);
    return symbol_set(w->cluster, key + 1, value, from, w->error);
}

static bool visit_entry(void *self, const char *path, const char *value, bool has_children,
                        unsigned line)
{
    struct file_walk *w = self;
    struct source from = {w->file, line, path};
    bool symbol = strncmp(path, "symbols/", 8) == 0;
    if (symbol)
        return !w->symbols || visit_symbol(w, path, value, &from);
    if (w->symbols || has_children || strcmp(path, "symbols") == 0)
        return true;
    if (strcmp(path, "strategies") == 0 || begins(path, "strategies/"))
        return true; /* outcry-strategy's */
    const struct setting *row = setting_by_path(path);
    if (row == NULL)
        return complain(w->error, &from, path, "a setting (`outcry settings` lists them all)");
    return setting_set(&w->cluster->settings, row, value, &from, w->error);
}

/* ---- variables and flags ---- */

static bool load_dotenv(struct settings *s, char *error)
{
    FILE *f = fopen(".env", "r");
    char line[512];
    bool fine = true;
    for (unsigned number = 1; f != NULL && fine && fgets(line, sizeof line, f) != NULL; number++) {
        line[strcspn(line, "\r\n")] = '\0';
        char *equals = strchr(line, '=');
        if (strncmp(line, "OUTCRY_", 7) != 0 || equals == NULL)
            continue; /* other programs' variables may stand here too */
        *equals = '\0';
        struct source from = {".env", number, line};
        const struct setting *row = setting_by_word(line + 7, '_');
        if (row == NULL)
            fine = complain(error, &from, line, "a setting (`outcry settings` lists them all)");
        else
            fine = setting_set(s, row, equals + 1, &from, error);
    }
    if (f != NULL)
        fclose(f);
    return fine;
}

static bool load_environment(struct settings *s, char *error)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char variable[64] = "OUTCRY_";
        const char *name = settings_table[i].name;
        for (size_t n = 0; name[n] != '\0'; n++) {
            variable[7 + n] = (char)toupper((unsigned char)name[n]);
            variable[8 + n] = '\0';
        }
        const char *value = getenv(variable);
        struct source from = {NULL, 0, variable};
        if (value != NULL && !setting_set(s, &settings_table[i], value, &from, error))
            return false;
    }
    return true;
}

/* Take the flags that are settings out of argv. */
static bool load_flags(struct settings *s, int *argc, char **argv, char *error)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        const struct setting *row =
            strncmp(argv[i], "--", 2) == 0 ? setting_by_word(argv[i] + 2, '-') : NULL;
        if (row == NULL) {
            argv[kept++] = argv[i];
            continue;
        }
        struct source from = {NULL, 0, argv[i]};
        if (++i == *argc)
            return complain(error, &from, "nothing", "a value after it");
        if (!setting_set(s, row, argv[i], &from, error))
            return false;
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

/* Where in argv the flag stands; 0: it does not. */
static int config_flag(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--config") == 0)
            return i;
    }
    return 0;
}

static void drop_config_flag(int *argc, char **argv)
{
    int i = config_flag(*argc, argv);
    if (i == 0)
        return;
    memmove(&argv[i], &argv[i + 2], (size_t)(*argc - i - 1) * sizeof argv[0]);
    *argc -= 2;
}

/* ---- what is filled in ---- */

/* What stands in a setting for something else; a NULL text, and any word that is not one of these,
 * is left as it is. */
struct filling {
    const char *run_dir;
    const char *name;
    const unsigned *shard;
};

/* `{5600+shard}`: a number and the shard's together, for ports. */
static bool is_sum(const char *setting, unsigned long *number, size_t *size)
{
    char *end;
    if (setting[0] != '{' || !isdigit((unsigned char)setting[1]))
        return false;
    *number = strtoul(setting + 1, &end, 10);
    *size = (size_t)(end - setting) + strlen("+shard}");
    return *number <= UINT16_MAX && begins(end, "+shard}");
}

static bool names_shard(const char *setting)
{
    unsigned long number;
    size_t size;
    for (; *setting != '\0'; setting++) {
        if (begins(setting, "{shard}") || is_sum(setting, &number, &size))
            return true;
    }
    return false;
}

static void fill_in(const char *setting, const struct filling *with,
                    char text[CLUSTER_ADDRESS_SIZE])
{
    size_t size = 0, sum_size;
    unsigned long number;
    text[0] = '\0';
    while (*setting != '\0') {
        size_t room = CLUSTER_ADDRESS_SIZE - size;
        int more;
        if (begins(setting, "{run_dir}")) {
            more = snprintf(text + size, room, "%s", with->run_dir);
            setting += strlen("{run_dir}");
        } else if (with->name != NULL && begins(setting, "{name}")) {
            more = snprintf(text + size, room, "%s", with->name);
            setting += strlen("{name}");
        } else if (with->shard != NULL && begins(setting, "{shard}")) {
            more = snprintf(text + size, room, "%u", *with->shard);
            setting += strlen("{shard}");
        } else if (with->shard != NULL && is_sum(setting, &number, &sum_size)) {
            more = snprintf(text + size, room, "%lu", number + *with->shard);
            setting += sum_size;
        } else {
            more = snprintf(text + size, room, "%c", *setting++);
        }
        size += (size_t)more;
        CHECK(size < CLUSTER_ADDRESS_SIZE); /* a setting is shorter than half of it */
    }
}

/* ---- what settings may not say together ---- */

/* Two matchers cannot listen at one address; over ipc the second would even seem to. */
static bool check_shard_address(const struct cluster *c, const char *name, const char *setting,
                                char *error)
{
    struct source from = {NULL, 0, name};
    return c->settings.shards == 1 || names_shard(setting) ||
           complain(error, &from, setting, "an address with {shard} in it: each has its own");
}

static bool is_loopback(const char *host)
{
    return begins(host, "127.") || begins(host, "[::1]") || begins(host, "localhost:");
}

/* Whoever reaches a matcher's sockets can trade as anybody and read everybody's orders. Off this
 * machine that needs keys, or to be meant. */
static bool check_open(const struct cluster *c, const char *name, const char *setting, char *error)
{
    const struct settings *s = &c->settings;
    struct source from = {NULL, 0, name};
    if (!begins(setting, "tcp://") || strcmp(s->keys_dir, "none") != 0 || s->open_anywhere == 1)
        return true;
    const char *host =
        strcmp(s->listen_host, "none") == 0 ? setting + strlen("tcp://") : s->listen_host;
    return is_loopback(host) ||
           complain(error, &from, setting,
                    "ipc:// or a loopback address, or keys_dir, so that nobody without a key gets "
                    "in; open_anywhere 1 says that all may");
}

/* The path of a socket is short, and the run directory is part of it. */
static bool check_address(const struct cluster *c, const char *name, const char *setting,
                          char *error)
{
    char address[CLUSTER_ADDRESS_SIZE];
    struct source from = {NULL, 0, name};
    cluster_address(c, setting, (unsigned)c->settings.shards - 1, address);
    return strlen(address) <= IPC_ADDRESS_MAX ||
           complain(error, &from, address, "at most 112 characters: a socket's path is short");
}

static bool check_together(struct cluster *c, char *error)
{
    struct settings *s = &c->settings;
    uint64_t finished = s->accounts_max * s->finished_per_account;
    if (finished > UINT64_C(1) << 30) {
        char found[32];
        snprintf(found, sizeof found, "%llu", (unsigned long long)finished);
        return complain(error, &(struct source){NULL, 0, "accounts_max x finished_per_account"},
                        found, "at most 1073741824");
    }
    return check_shard_address(c, "commands_address", s->commands_address, error) &&
           check_shard_address(c, "requests_address", s->requests_address, error) &&
           check_shard_address(c, "private_address", s->private_address, error) &&
           check_shard_address(c, "public_address", s->public_address, error) &&
           check_open(c, "commands_address", s->commands_address, error) &&
           check_open(c, "requests_address", s->requests_address, error) &&
           check_open(c, "private_address", s->private_address, error) &&
           check_open(c, "follower_requests_address", s->follower_requests_address, error) &&
           check_open(c, "follower_private_address", s->follower_private_address, error) &&
           check_open(c, "private_answers_address", s->private_answers_address, error) &&
           check_open(c, "public_answers_address", s->public_answers_address, error) &&
           check_address(c, "commands_address", s->commands_address, error) &&
           check_address(c, "requests_address", s->requests_address, error) &&
           check_address(c, "private_address", s->private_address, error) &&
           check_address(c, "public_address", s->public_address, error) &&
           check_address(c, "market_data_address", s->market_data_address, error) &&
           check_address(c, "market_data_requests_address", s->market_data_requests_address, error);
}

/* ---- public ---- */

const char *cluster_config_file(int argc, char **argv)
{
    int i = config_flag(argc, argv);
    return i > 0 ? argv[i + 1] : getenv("OUTCRY_CONFIG");
}

bool cluster_load(struct cluster *c, int *argc, char **argv, char error[CONFIG_ERROR_SIZE])
{
    memset(c, 0, sizeof *c);
    settings_default(&c->settings);
    const char *file = cluster_config_file(*argc, argv);
    drop_config_flag(argc, argv);
    config_t *config = NULL;
    if (file != NULL && (config = config_load(file, error)) == NULL)
        return false;
    struct file_walk walk = {c, file, false, error};
    bool fine = (config == NULL || config_walk(config, &walk, visit_entry)) &&
                load_dotenv(&c->settings, error) && load_environment(&c->settings, error) &&
                load_flags(&c->settings, argc, argv, error) && check_together(c, error);
    if (fine)
        log_set_level(
            (enum log_level)word_find(log_levels, LOG_LEVEL_COUNT, c->settings.log_level));
    walk.symbols = true;
    fine = fine && (config == NULL || config_walk(config, &walk, visit_entry));
    config_destroy(&config);
    return fine;
}

void cluster_address(const struct cluster *c, const char *setting, unsigned shard,
                     char address[CLUSTER_ADDRESS_SIZE])
{
    fill_in(setting, &(struct filling){.run_dir = c->settings.run_dir, .shard = &shard}, address);
}

void cluster_listen_address(const struct cluster *c, const char *setting, unsigned shard,
                            char address[CLUSTER_ADDRESS_SIZE])
{
    char filled[CLUSTER_ADDRESS_SIZE];
    const char *host = c->settings.listen_host;
    cluster_address(c, setting, shard, filled);
    const char *port = strrchr(filled, ':');
    if (strcmp(host, "none") == 0 || !begins(filled, "tcp://"))
        strcpy(address, filled);
    else
        CHECK(snprintf(address, CLUSTER_ADDRESS_SIZE, "tcp://%s%.32s", host, port) > 0);
}

enum journal_mode cluster_journal_mode(const struct cluster *c)
{
    return (enum journal_mode)(
        word_find(journal_modes, JOURNAL_MODE_COUNT, c->settings.journal_mode) + JOURNAL_MODE_SYNC);
}

void cluster_journal_directory(const struct cluster *c, unsigned shard,
                               char directory[CLUSTER_ADDRESS_SIZE])
{
    char folder[CLUSTER_ADDRESS_SIZE];
    cluster_address(c, c->settings.journal_dir, shard, folder);
    CHECK(snprintf(directory, CLUSTER_ADDRESS_SIZE, "%.*s/%u", CLUSTER_ADDRESS_SIZE - 16, folder,
                   shard) > 0);
}

struct log_options cluster_log_options(const struct cluster *c, const char *name,
                                       char destination[CLUSTER_ADDRESS_SIZE])
{
    const struct settings *s = &c->settings;
    fill_in(s->log_destination, &(struct filling){.run_dir = s->run_dir, .name = name},
            destination);
    return (struct log_options){
        .format = (enum log_format)word_find(log_formats, LOG_FORMAT_COUNT, s->log_format),
        .destination = destination,
        .file_size_max = s->log_file_mib << 20,
        .files_max = (unsigned)s->log_files,
    };
}

const struct cluster_symbol *cluster_symbol_find(const struct cluster *c, const char *name)
{
    for (unsigned i = 0; i < c->symbol_count; i++) {
        if (strcmp(c->symbols[i].name, name) == 0)
            return &c->symbols[i];
    }
    return NULL;
}

struct configure cluster_limits(const struct cluster *c, unsigned shard)
{
    const struct settings *s = &c->settings;
    return (struct configure){
        .shard = shard,
        .open_orders_max = s->open_orders_max,
        .accounts_max = s->accounts_max,
        .finished_per_account = s->finished_per_account,
        .symbols_max = CLUSTER_SYMBOLS_MAX,
        .origins_max = s->origins_max,
        .origin_window = s->origin_window,
        .events_max = s->events_max,
        .anonymous = false,
    };
}

void cluster_print_settings(FILE *out)
{
    fputs("# Every setting, with its default. A flag (--open-orders-max 5) goes before a variable\n"
          "# of the environment, that before this file when it is named .env, that before the\n"
          "# configuration file (the path in brackets), that before the default.\n",
          out);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *row = &settings_table[i];
        fprintf(out, "\n# %s [%s]", row->meaning, row->path);
        if (!row->is_text)
            fprintf(out, ", %llu to %llu", (unsigned long long)row->low,
                    (unsigned long long)row->high);
        fputs("\n#OUTCRY_", out);
        for (const char *at = row->name; *at != '\0'; at++)
            fputc(toupper((unsigned char)*at), out);
        if (row->is_text)
            fprintf(out, "=%s\n", row->default_text);
        else
            fprintf(out, "=%llu\n", (unsigned long long)row->default_number);
    }
}
