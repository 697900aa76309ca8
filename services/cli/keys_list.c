/* keys_list: `outcry keys list`: who there is, by which keys, and what is wrong with the files. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/keys_parts.h"

enum { FINGERPRINT_SIZE = 8 }; /* of a key: as the log names one it does not know */

static const char *state_name(enum key_state state)
{
    static const char *const names[KEY_STATE_COUNT] = {"current", "next", "old"};
    return names[state];
}

/* How long ago the file was written. */
static void write_age(const char *path, char age[24])
{
    struct stat s;
    snprintf(age, 24, "?");
    if (stat(path, &s) != 0)
        return;
    int64_t seconds = (int64_t)(time(NULL) - s.st_mtime);
    if (seconds < 120)
        snprintf(age, 24, "%" PRId64 " s", seconds);
    else if (seconds < INT64_C(2) * 3600)
        snprintf(age, 24, "%" PRId64 " min", seconds / 60);
    else if (seconds < INT64_C(2) * 86400)
        snprintf(age, 24, "%" PRId64 " h", seconds / 3600);
    else
        snprintf(age, 24, "%" PRId64 " days", seconds / 86400);
}

static void print_key(const char *directory, const struct key *key)
{
    const struct certificate *c = &key->certificate;
    char secret[KEYS_PATH_SIZE], public[KEYS_PATH_SIZE], age[24];
    keys_path(directory, c->name, key->state, true, secret);
    keys_path(directory, c->name, key->state, false, public);
    write_age(public, age);
    printf("%-16s %-11s %-8s %-14s %.*s  %8s  %s\n", c->name, c->role, state_name(key->state),
           access(secret, F_OK) == 0 ? "secret public" : "public", FINGERPRINT_SIZE, c->public_key,
           age, c->accounts[0] == '\0' ? "all" : c->accounts);
}

/* What others could do with it, if anything. Who changes a public key is that identity. */
static const char *weakness(const char *path)
{
    struct stat s;
    const char *kind = strrchr(path, '.');
    bool secret = kind != NULL && strcmp(kind, ".secret") == 0;
    bool public = kind != NULL && strcmp(kind, ".public") == 0;
    if ((!secret && !public) || stat(path, &s) != 0)
        return NULL;
    if (secret && (s.st_mode & S_IRWXO) != 0)
        return "everybody may read or change it; expected chmod 600";
    if (secret && (s.st_mode & S_IWGRP) != 0)
        return "its group may change it; expected chmod 600, or 440 for a group of its own";
    if ((s.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "others may change it; expected chmod 644";
    return NULL;
}

static unsigned warn_of_files(const char *directory)
{
    unsigned count = 0;
    char path[KEYS_PATH_SIZE];
    struct stat s;
    DIR *d = opendir(directory);
    const struct dirent *entry;
    while (d != NULL && (entry = readdir(d)) != NULL) {
        snprintf(path, sizeof path, "%.700s/%.255s", directory, entry->d_name);
        const char *what = weakness(path);
        if (what != NULL && ++count > 0)
            fprintf(stderr, "outcry keys: %s: %s\n", path, what);
    }
    if (d != NULL)
        closedir(d);
    if (stat(directory, &s) == 0 && (s.st_mode & (S_IWGRP | S_IWOTH)) != 0 && ++count > 0)
        fprintf(stderr, "outcry keys: %s: others may put keys in it; expected chmod 700 (or 750)\n",
                directory);
    return count;
}

int keys_list(const struct keys_order *o)
{
    static struct keys k;
    char error[KEYS_ERROR_SIZE];
    if (!keys_load(&k, o->directory, access_rules.is_role, error))
        return keys_fail(error);
    printf("%-16s %-11s %-8s %-14s %-8s  %8s  %s\n", "name", "role", "state", "files", "key", "age",
           "accounts");
    for (unsigned i = 0; i < k.count; i++)
        print_key(o->directory, &k.keys[i]);
    return warn_of_files(o->directory) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
