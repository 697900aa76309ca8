#include "node/cluster.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "proto/names.h"

enum { IPC_ADDRESS_MAX = 112 }; /* "ipc://" and sun_path less its NUL and a byte of libzmq's */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
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

static bool symbol_begin(struct cluster *c, const char *name, const struct setting_source *from,
                         char *error)
{
    if (!name_is_symbol(text_of(name)))
        return setting_refuse(error, from, name, symbol_expected);
    if (c->symbol_count == CLUSTER_SYMBOLS_MAX)
        return setting_refuse(error, from, name, "at most 1024 symbols");
    struct cluster_symbol *s = &c->symbols[c->symbol_count++];
    *s = (struct cluster_symbol){.tick = {1, 0}, .lot = {1, 0}};
    strcpy(s->name, name);
    strcpy(s->tick_size, "1");
    strcpy(s->lot_size, "1");
    return true;
}

static bool symbol_set(struct cluster *c, const char *key, const char *value,
                       const struct setting_source *from, char *error)
{
    struct cluster_symbol *s = &c->symbols[c->symbol_count - 1];
    uint64_t number;
    char expected[64];
    if (strcmp(key, "shard") == 0) {
        snprintf(expected, sizeof expected, "a shard from 0 to %u",
                 (unsigned)c->settings.shards - 1);
        if (!config_u64(value, 0, c->settings.shards - 1, &number))
            return setting_refuse(error, from, value, expected);
        s->shard = (uint16_t)number;
    } else if (strcmp(key, "any_price") == 0) {
        if (!config_u64(value, 0, 1, &number))
            return setting_refuse(error, from, value, "0 or 1");
        s->any_price = number == 1;
    } else if (strcmp(key, "tick_size") == 0 || strcmp(key, "lot_size") == 0) {
        bool tick = key[0] == 't';
        if (!size_read(value, tick ? &s->tick : &s->lot))
            return setting_refuse(error, from, value, "a decimal above zero, like 0.01");
        strcpy(tick ? s->tick_size : s->lot_size, value);
    } else {
        return setting_refuse(error, from, key, "shard, tick_size, lot_size or any_price");
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
                         const struct setting_source *from)
{
    const char *name = path + strlen("symbols/");
    const char *key = strchr(name, '/');
    if (key == NULL)
        return symbol_begin(w->cluster, name, from, w->error);
    /* Its section has begun with it, unless it is a name with a slash in it. */
    const struct cluster *c = w->cluster;
    struct text section = {name, (size_t)(key - name)};
    if (c->symbol_count == 0 || !text_equal(text_of(c->symbols[c->symbol_count - 1].name), section))
        return setting_refuse(w->error, from, name, symbol_expected);
    return symbol_set(w->cluster, key + 1, value, from, w->error);
}

static bool visit_entry(void *self, const char *path, const char *value, bool has_children,
                        unsigned line)
{
    struct file_walk *w = self;
    struct setting_source from = {w->file, line, path};
    bool symbol = strncmp(path, "symbols/", 8) == 0;
    if (symbol)
        return !w->symbols || visit_symbol(w, path, value, &from);
    if (w->symbols || has_children || strcmp(path, "symbols") == 0)
        return true;
    if (strcmp(path, "strategies") == 0 || begins(path, "strategies/"))
        return true; /* outcry-strategy's */
    return settings_set(&w->cluster->settings, path, value, &from, w->error);
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
    struct setting_source from = {NULL, 0, name};
    return c->settings.shards == 1 || names_shard(setting) ||
           setting_refuse(error, &from, setting, "an address with {shard} in it: each has its own");
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
    struct setting_source from = {NULL, 0, name};
    if (!begins(setting, "tcp://") || strcmp(s->keys_dir, "none") != 0 || s->open_anywhere == 1)
        return true;
    const char *host =
        strcmp(s->listen_host, "none") == 0 ? setting + strlen("tcp://") : s->listen_host;
    return is_loopback(host) ||
           setting_refuse(
               error, &from, setting,
               "ipc:// or a loopback address, or keys_dir, so that nobody without a key gets "
               "in; open_anywhere 1 says that all may");
}

/* The path of a socket is short, and the run directory is part of it. */
static bool check_address(const struct cluster *c, const char *name, const char *setting,
                          char *error)
{
    char address[CLUSTER_ADDRESS_SIZE];
    struct setting_source from = {NULL, 0, name};
    cluster_address(c, setting, (unsigned)c->settings.shards - 1, address);
    return strlen(address) <= IPC_ADDRESS_MAX ||
           setting_refuse(error, &from, address,
                          "at most 112 characters: a socket's path is short");
}

static bool check_together(struct cluster *c, char *error)
{
    struct settings *s = &c->settings;
    uint64_t finished = s->accounts_max * s->finished_per_account;
    if (finished > UINT64_C(1) << 30) {
        char found[32];
        snprintf(found, sizeof found, "%llu", (unsigned long long)finished);
        return setting_refuse(
            error, &(struct setting_source){NULL, 0, "accounts_max x finished_per_account"}, found,
            "at most 1073741824");
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
                settings_load_dotenv(&c->settings, error) &&
                settings_load_environment(&c->settings, error) &&
                settings_load_flags(&c->settings, argc, argv, error) && check_together(c, error);
    if (fine)
        log_set_level(settings_log_level(&c->settings));
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
        .format = settings_log_format(s),
        .destination = destination,
        .file_size_max = s->log_file_mib << 20,
        .file_age_max_s = s->log_file_hours * 3600,
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
