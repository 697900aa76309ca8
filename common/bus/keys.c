#include "bus/keys.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mix.h"

static bool complain(char *error, const char *file, const char *what, const char *why)
{
    snprintf(error, KEYS_ERROR_SIZE, "%.250s: %s%.100s", file, what, why);
    return false;
}

/* ---- names of files ---- */

const char *key_state_suffix(enum key_state state)
{
    static const char *const suffixes[KEY_STATE_COUNT] = {"", ".next", ".old"};
    return suffixes[state];
}

void keys_path(const char *directory, const char *name, enum key_state state, bool secret,
               char path[KEYS_PATH_SIZE])
{
    snprintf(path, KEYS_PATH_SIZE, "%.800s/%.64s%s.%s", directory, name, key_state_suffix(state),
             secret ? "secret" : "public");
}

static bool ends(const char *text, size_t size, const char *end)
{
    size_t more = strlen(end);
    return size >= more && memcmp(text + size - more, end, more) == 0;
}

/* Whose a public file is by its name; false: it is something else. */
static bool parse_name(const char *file, char name[CERTIFICATE_NAME_SIZE], enum key_state *state)
{
    size_t size = strlen(file);
    if (file[0] == '.' || !ends(file, size, ".public"))
        return false;
    size -= strlen(".public");
    *state = KEY_CURRENT;
    for (enum key_state s = KEY_NEXT; s < KEY_STATE_COUNT; s++) {
        if (ends(file, size, key_state_suffix(s))) {
            *state = s;
            size -= strlen(key_state_suffix(s));
            break;
        }
    }
    if (size == 0 || size >= CERTIFICATE_NAME_SIZE)
        return false;
    memcpy(name, file, size);
    name[size] = '\0';
    return true;
}

bool keys_is_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    size_t size = strspn(name, letters);
    return size >= 1 && size < CERTIFICATE_NAME_SIZE && name[size] == '\0';
}

/* ---- reading ---- */

static int compare(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int order = strcmp(x->certificate.name, y->certificate.name);
    return order != 0 ? order : (int)x->state - (int)y->state;
}

static bool check_key(const struct key *key, const char *name, const char *path,
                      bool (*is_role)(const char *role), char *error)
{
    const struct certificate *c = &key->certificate;
    if (strcmp(c->name, name) != 0)
        return complain(error, path, "it is another's: its metadata names ", c->name);
    if (!is_role(c->role))
        return complain(error, path, "found no such role: ", c->role);
    if (is_role(name) ? strcmp(name, c->role) != 0 : !keys_is_name(name))
        return complain(error, path,
                        "its name: expected its role, or A-Z a-z 0-9 _ and no role's; found ",
                        name);
    if (c->accounts[0] != '\0' && is_role(name))
        return complain(error, path, "found accounts, expected none: a role has all; not ",
                        c->accounts);
    return true;
}

static bool add_file(struct keys *k, const char *directory, const char *file,
                     bool (*is_role)(const char *role), char *error)
{
    char path[KEYS_PATH_SIZE], name[CERTIFICATE_NAME_SIZE];
    enum key_state state;
    if (!parse_name(file, name, &state))
        return true;
    if (k->count == KEYS_MAX)
        return complain(error, directory, "found more than 256 public keys", "");
    struct key *key = &k->keys[k->count++];
    keys_path(directory, name, state, false, path);
    key->state = state;
    if (!certificate_read(&key->certificate, path, error))
        return false;
    if (key->certificate.secret_key[0] != '\0')
        return complain(error, path, "found a secret key in a file everybody may read", "");
    return check_key(key, name, path, is_role, error);
}

/* One key, one identity; under one name it stands once. */
static bool drop_twice(struct keys *k, const char *directory, char *error)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < k->count; i++) {
        const struct certificate *c = &k->keys[i].certificate, *other = NULL;
        for (unsigned j = 0; j < kept && other == NULL; j++) {
            if (strcmp(k->keys[j].certificate.public_key, c->public_key) == 0)
                other = &k->keys[j].certificate;
        }
        if (other != NULL && strcmp(other->name, c->name) != 0) {
            snprintf(error, KEYS_ERROR_SIZE,
                     "%.250s: found one public key for both %s and %s, expected one of its own for "
                     "each",
                     directory, other->name, c->name);
            return false;
        }
        if (other == NULL && kept++ != i)
            k->keys[kept - 1] = k->keys[i];
    }
    k->count = kept;
    return true;
}

bool keys_load(struct keys *k, const char *directory, bool (*is_role)(const char *role),
               char error[KEYS_ERROR_SIZE])
{
    k->count = 0;
    DIR *d = opendir(directory);
    if (d == NULL)
        return complain(error, directory, "cannot read the directory of keys: ", strerror(errno));
    bool fine = true;
    const struct dirent *entry;
    while (fine && (entry = readdir(d)) != NULL)
        fine = add_file(k, directory, entry->d_name, is_role, error);
    closedir(d);
    if (!fine)
        return false;
    qsort(k->keys, k->count, sizeof k->keys[0], compare);
    return drop_twice(k, directory, error);
}

bool keys_load_own(struct certificate *own, const struct keys *k, const char *directory,
                   const char *name, char error[KEYS_ERROR_SIZE])
{
    char path[KEYS_PATH_SIZE];
    struct stat s;
    keys_path(directory, name, KEY_CURRENT, true, path);
    if (stat(path, &s) != 0)
        return complain(error, path, "cannot read our own secret key: ", strerror(errno));
    if ((s.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return complain(error, path,
                        "others may read or change it; expected chmod 600 (or 440 with a group of "
                        "its own)",
                        "");
    if (!certificate_read(own, path, error))
        return false;
    if (own->secret_key[0] == '\0')
        return complain(error, path, "found no secret key in it", "");
    const struct key *known = keys_find(k, own->public_key);
    if (known == NULL || strcmp(known->certificate.name, name) != 0)
        return complain(error, path,
                        "its public key is in no public file of that name, so nobody would know us "
                        "by it",
                        "");
    return true;
}

/* ---- asking ---- */

const struct key *keys_find(const struct keys *k, const char public_key[CERTIFICATE_KEY_SIZE])
{
    for (unsigned i = 0; i < k->count; i++) {
        if (strcmp(k->keys[i].certificate.public_key, public_key) == 0)
            return &k->keys[i];
    }
    return NULL;
}

const struct key *keys_of(const struct keys *k, const char *name, unsigned n)
{
    unsigned first = 0, count = 0;
    for (unsigned i = 0; i < k->count; i++) {
        if (strcmp(k->keys[i].certificate.name, name) == 0 && count++ == 0)
            first = i;
    }
    return count == 0 ? NULL : &k->keys[first + n % count];
}

bool keys_withdrawn(const struct keys *before, const struct keys *now)
{
    for (unsigned i = 0; i < before->count; i++) {
        const struct certificate *c = &before->keys[i].certificate;
        const struct key *same = keys_find(now, c->public_key);
        if (same == NULL || strcmp(same->certificate.name, c->name) != 0 ||
            strcmp(same->certificate.role, c->role) != 0 ||
            strcmp(same->certificate.accounts, c->accounts) != 0)
            return true;
    }
    return false;
}

uint64_t keys_stamp(const char *directory)
{
    uint64_t stamp = 0;
    char path[KEYS_PATH_SIZE];
    DIR *d = opendir(directory);
    if (d == NULL)
        return 0;
    const struct dirent *entry;
    while ((entry = readdir(d)) != NULL) {
        struct stat s;
        snprintf(path, sizeof path, "%.700s/%.255s", directory, entry->d_name);
        if (entry->d_name[0] == '.' || stat(path, &s) != 0)
            continue;
        uint64_t file = mix((uint64_t)s.st_ino ^ mix((uint64_t)s.st_size));
        file = mix(file ^ (uint64_t)s.st_mtim.tv_sec ^ mix((uint64_t)s.st_mtim.tv_nsec));
        for (const char *at = entry->d_name; *at != '\0'; at++)
            file = mix(file ^ (uint64_t)(unsigned char)*at);
        stamp += file; /* whatever the order */
    }
    closedir(d);
    return stamp + 1;
}
