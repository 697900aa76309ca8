/* settings: what can be set of every process, from one table (settings_table.h): where values come
 * from, what is refused, and the table in words.
 *
 * A mistake is told as
 *     FILE:LINE: limits/events_max: found "many", expected a whole number from 1 to 4096
 * with the flag, the variable, or .env:LINE in front if it stands there. Thread: one, at start. */
#ifndef OUTCRY_NODE_SETTINGS_H
#define OUTCRY_NODE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/config.h"
#include "base/log.h"
#include "node/settings_table.h"
#include "proto/messages.h"

enum { SETTING_TEXT_SIZE = 128 };

#define SETTING_U64_MEMBER(name, path, default_value, low, high, text) uint64_t name;
#define SETTING_TEXT_MEMBER(name, path, default_value, text)           char name[SETTING_TEXT_SIZE];

struct settings {
    SETTINGS_TABLE(SETTING_U64_MEMBER, SETTING_TEXT_MEMBER)
};

/* Where a value came from, for complaints. */
struct setting_source {
    const char *file; /* NULL: `what` says it all */
    unsigned line;
    const char *what; /* flag, variable or path */
};

/* Fill in error, which has room for CONFIG_ERROR_SIZE; false, for who passes it on. */
bool setting_refuse(char *error, const struct setting_source *from, const char *found,
                    const char *expected);

void settings_default(struct settings *s);

/* The setting of this path in the configuration file. */
bool settings_set(struct settings *s, const char *path, const char *value,
                  const struct setting_source *from, char *error);

/* Those in .env, those in the environment, and those that are flags, which are taken out of argv.
 */
bool settings_load_dotenv(struct settings *s, char *error);
bool settings_load_environment(struct settings *s, char *error);
bool settings_load_flags(struct settings *s, int *argc, char **argv, char *error);

/* What the words mean. */
enum log_level settings_log_level(const struct settings *s);
enum log_format settings_log_format(const struct settings *s);
enum journal_mode settings_journal_mode(const struct settings *s);

/* .env.example, and k8s/CONFIGURATION.md. */
void settings_print(FILE *out);
void settings_print_reference(FILE *out);

#endif
