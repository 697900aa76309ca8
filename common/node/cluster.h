/* cluster: what every process knows about the cluster it is part of: the settings, and the symbols
 * with their shards, from one configuration file.
 *
 * Everything is checked when it is read; a mistake is told as
 *     FILE:LINE: limits/events_max: found "many", expected a whole number from 1 to 4096
 * (or with the flag, the variable, or .env:LINE in front) and nothing starts. */
#ifndef OUTCRY_NODE_CLUSTER_H
#define OUTCRY_NODE_CLUSTER_H

#include <stdio.h>

#include "base/config.h"
#include "base/decimal.h"
#include "base/log.h"
#include "node/settings.h"
#include "proto/messages.h"

enum {
    CLUSTER_SYMBOLS_MAX = 1024,
    CLUSTER_ADDRESS_SIZE = 2048, /* a setting of nothing but {run_dir} still fits */
};

struct cluster_symbol {
    char name[SYMBOL_SIZE_MAX + 1];
    char tick_size[DECIMAL_SIZE_MAX + 1];
    char lot_size[DECIMAL_SIZE_MAX + 1];
    struct decimal_unit tick, lot; /* the same, to count in */
    uint16_t shard;
    bool any_price;
};

struct cluster {
    struct settings settings;
    struct cluster_symbol symbols[CLUSTER_SYMBOLS_MAX];
    unsigned symbol_count;
};

/* The configuration file that argv, or else the environment, names; NULL: neither does. */
const char *cluster_config_file(int argc, char **argv);

/* Read the settings and symbols; the section `strategies` is read by who runs them
 * (strategy/strategy_spec.h). Takes `--config FILE` and every `--setting VALUE` out of argv;
 * what is left in *argc, argv is the program's own. False with error filled in on a mistake. */
bool cluster_load(struct cluster *c, int *argc, char **argv, char error[CONFIG_ERROR_SIZE]);

/* An address setting as others connect to it: with {run_dir} and {shard} filled in, and the sum of
 * {5600+shard}. */
void cluster_address(const struct cluster *c, const char *setting, unsigned shard,
                     char address[CLUSTER_ADDRESS_SIZE]);

/* The same as its service listens there: a tcp address' host is listen_host, if that is set. */
void cluster_listen_address(const struct cluster *c, const char *setting, unsigned shard,
                            char address[CLUSTER_ADDRESS_SIZE]);

/* Where the shard's journal is: {journal_dir}/{shard}. */
void cluster_journal_directory(const struct cluster *c, unsigned shard,
                               char directory[CLUSTER_ADDRESS_SIZE]);

/* How the service of that name logs, and the text `destination` it points to: the setting with
 * {run_dir} and {name} filled in. name: at most 96 characters. */
struct log_options cluster_log_options(const struct cluster *c, const char *name,
                                       char destination[CLUSTER_ADDRESS_SIZE]);

/* The symbol, or NULL. */
const struct cluster_symbol *cluster_symbol_find(const struct cluster *c, const char *name);

/* The limits of an engine of this cluster. */
struct configure cluster_limits(const struct cluster *c, unsigned shard);

#endif
