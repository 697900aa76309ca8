#include "node/settings.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

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

enum { SETTING_COUNT = sizeof settings_table / sizeof settings_table[0] };

bool setting_refuse(char *error, const struct setting_source *from, const char *found,
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
    if (strcmp(row->path, "audit_destination") == 0 && strcmp(value, "none") != 0 &&
        strchr(value, '/') == NULL)
        return "none or a path with a slash in it";
    if (begins(row->path, "addresses/") && !begins(value, "ipc://") && !begins(value, "tcp://"))
        return "ipc://PATH or tcp://HOST:PORT";
    return NULL;
}

static bool setting_set(struct settings *s, const struct setting *row, const char *value,
                        const struct setting_source *from, char *error)
{
    char *place = (char *)s + row->offset;
    char expected[96];
    if (row->is_text) {
        const char *wanted = text_expected(row, value);
        if (wanted != NULL)
            return setting_refuse(error, from, value, wanted);
        strcpy(place, value);
        return true;
    }
    uint64_t number;
    if (!config_u64(value, row->low, row->high, &number)) {
        snprintf(expected, sizeof expected, "a whole number from %llu to %llu",
                 (unsigned long long)row->low, (unsigned long long)row->high);
        return setting_refuse(error, from, value, expected);
    }
    memcpy(place, &number, sizeof number);
    return true;
}

void settings_default(struct settings *s)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char *place = (char *)s + settings_table[i].offset;
        if (settings_table[i].is_text)
            strcpy(place, settings_table[i].default_text);
        else
            memcpy(place, &settings_table[i].default_number, sizeof(uint64_t));
    }
}

bool settings_set(struct settings *s, const char *path, const char *value,
                  const struct setting_source *from, char *error)
{
    const struct setting *row = setting_by_path(path);
    if (row == NULL)
        return setting_refuse(error, from, path, "a setting (`outcry settings` lists them all)");
    return setting_set(s, row, value, from, error);
}

/* ---- variables and flags ---- */

bool settings_load_dotenv(struct settings *s, char *error)
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
        struct setting_source from = {".env", number, line};
        const struct setting *row = setting_by_word(line + 7, '_');
        if (row == NULL)
            fine =
                setting_refuse(error, &from, line, "a setting (`outcry settings` lists them all)");
        else
            fine = setting_set(s, row, equals + 1, &from, error);
    }
    if (f != NULL)
        fclose(f);
    return fine;
}

bool settings_load_environment(struct settings *s, char *error)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char variable[64] = "OUTCRY_";
        const char *name = settings_table[i].name;
        for (size_t n = 0; name[n] != '\0'; n++) {
            variable[7 + n] = (char)toupper((unsigned char)name[n]);
            variable[8 + n] = '\0';
        }
        const char *value = getenv(variable);
        struct setting_source from = {NULL, 0, variable};
        if (value != NULL && !setting_set(s, &settings_table[i], value, &from, error))
            return false;
    }
    return true;
}

/* Take the flags that are settings out of argv. */
bool settings_load_flags(struct settings *s, int *argc, char **argv, char *error)
{
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        const struct setting *row =
            strncmp(argv[i], "--", 2) == 0 ? setting_by_word(argv[i] + 2, '-') : NULL;
        if (row == NULL) {
            argv[kept++] = argv[i];
            continue;
        }
        struct setting_source from = {NULL, 0, argv[i]};
        if (++i == *argc)
            return setting_refuse(error, &from, "nothing", "a value after it");
        if (!setting_set(s, row, argv[i], &from, error))
            return false;
    }
    *argc = kept;
    argv[kept] = NULL;
    return true;
}

/* ---- words ---- */

enum log_level settings_log_level(const struct settings *s)
{
    return (enum log_level)word_find(log_levels, LOG_LEVEL_COUNT, s->log_level);
}

enum log_format settings_log_format(const struct settings *s)
{
    return (enum log_format)word_find(log_formats, LOG_FORMAT_COUNT, s->log_format);
}

enum journal_mode settings_journal_mode(const struct settings *s)
{
    return (enum journal_mode)(word_find(journal_modes, JOURNAL_MODE_COUNT, s->journal_mode) +
                               JOURNAL_MODE_SYNC);
}

/* ---- printing ---- */

static void print_variable(const struct setting *row, FILE *out)
{
    fputs("OUTCRY_", out);
    for (const char *at = row->name; *at != '\0'; at++)
        fputc(toupper((unsigned char)*at), out);
}

void settings_print(FILE *out)
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
        fputs("\n#", out);
        print_variable(row, out);
        if (row->is_text)
            fprintf(out, "=%s\n", row->default_text);
        else
            fprintf(out, "=%llu\n", (unsigned long long)row->default_number);
    }
}

void settings_print_reference(FILE *out)
{
    fputs("# Settings\n\n"
          "Generated by `outcry settings --markdown`, from the one table there is. A setting comes "
          "from its flag (`--open-orders-max 5`: the variable without `OUTCRY_`, in small letters, "
          "with dashes), else the variable of the environment, else that variable in a file `.env` "
          "where the program is started, else its path in the configuration file, else the "
          "default. A mistake is refused with where it stands, what was found and what was "
          "expected, and nothing starts.\n\n"
          "| variable | in the file | default | range | what it is |\n|---|---|---|---|---|\n",
          out);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *row = &settings_table[i];
        fputs("| `", out);
        print_variable(row, out);
        fprintf(out, "` | `%s` | ", row->path);
        if (row->is_text)
            fprintf(out, "`%s` | | %s |\n", row->default_text, row->meaning);
        else
            fprintf(out, "%llu | %llu to %llu | %s |\n", (unsigned long long)row->default_number,
                    (unsigned long long)row->low, (unsigned long long)row->high, row->meaning);
    }
    fputs("\nSymbols stand in the section `symbols` of the configuration file, each with `shard`, "
          "`tick_size`, `lot_size` and `any_price`; strategies in the section `strategies` "
          "(`outcry-strategy --list`).\n",
          out);
}
