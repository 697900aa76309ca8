/* keys_make: `outcry keys make`: pairs for all roles, or for one identity more. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keys_parts.h"

static bool there(const char *directory, const char *name, bool secret)
{
    char path[KEYS_PATH_SIZE];
    keys_path(directory, name, KEY_CURRENT, secret, path);
    return access(path, F_OK) == 0;
}

static bool make_directory(const char *directory, char *error)
{
    if (mkdir(directory, 0700) == 0 || errno == EEXIST)
        return true;
    snprintf(error, KEYS_ERROR_SIZE, "cannot make the directory %.250s: %s", directory,
             strerror(errno));
    return false;
}

/* A run that was cut short left the secret file alone: its public one follows from it. */
static bool finish(const char *directory, const char *name, char *error)
{
    char path[KEYS_PATH_SIZE];
    struct certificate c;
    keys_path(directory, name, KEY_CURRENT, true, path);
    if (!certificate_read(&c, path, error))
        return false;
    keys_path(directory, name, KEY_CURRENT, false, path);
    return certificate_write(&c, path, false, error);
}

enum made { MADE, THERE, FAILED };

static enum made make_one(const struct keys_order *o, struct certificate *c, char *error)
{
    bool secret = there(o->directory, c->name, true), public = there(o->directory, c->name, false);
    bool fine = true;
    if (public)
        return THERE;
    if (secret)
        fine = finish(o->directory, c->name, error);
    else
        fine = keys_write_pair(o->directory, c, KEY_CURRENT, error);
    if (!fine)
        return FAILED;
    keys_record(o, "make", c->name);
    printf("%s: made %s/%s.secret and .public\n", c->name, o->directory, c->name);
    return MADE;
}

static int make_roles(const struct keys_order *o)
{
    char error[KEYS_ERROR_SIZE];
    unsigned made = 0;
    for (unsigned i = 0; i < ACCESS_ROLE_COUNT; i++) {
        struct certificate c = {.name = ""};
        snprintf(c.name, sizeof c.name, "%s", access_roles[i]);
        snprintf(c.role, sizeof c.role, "%s", access_roles[i]);
        enum made result = make_one(o, &c, error);
        if (result == FAILED)
            return keys_fail(error);
        if (result == THERE)
            printf("%s: has a key already, left as it is\n", c.name);
        made += result == MADE;
    }
    printf("next: set keys_dir to %s%s\n", o->directory,
           made == 0 ? " (nothing was made)"
                     : "; on other machines a process of role R needs R.secret and all *.public "
                       "files, and no other secret");
    return EXIT_SUCCESS;
}

static bool check_identity(const struct keys_order *o, char *error)
{
    bool role = access_rules.is_role(o->name);
    const char *of = o->role != NULL ? o->role : role ? o->name : "";
    if (!access_rules.is_role(of)) {
        snprintf(error, KEYS_ERROR_SIZE,
                 "--role: found \"%.40s\", expected matcher, follower, market-data, gateway, "
                 "strategy, operator or subscriber",
                 of);
    } else if (role && (strcmp(of, o->name) != 0 || o->accounts != NULL)) {
        snprintf(error, KEYS_ERROR_SIZE,
                 "%.40s is a role: found --role or --accounts, expected neither", o->name);
    } else if (!role && !keys_is_name(o->name)) {
        snprintf(error, KEYS_ERROR_SIZE,
                 "NAME: found \"%.80s\", expected a role, or 1 to 32 of A-Z a-z 0-9 _ (a dash is "
                 "for what it adds as a sender's name)",
                 o->name);
    } else if (o->accounts != NULL && (strlen(o->accounts) >= CERTIFICATE_ACCOUNTS_SIZE ||
                                       !certificate_is_accounts(o->accounts))) {
        snprintf(error, KEYS_ERROR_SIZE,
                 "--accounts: found \"%.80s\", expected names of 1 to 32 of A-Z a-z 0-9 _ - with "
                 "commas, at most %d characters in all",
                 o->accounts, CERTIFICATE_ACCOUNTS_SIZE - 1);
    } else if (o->accounts != NULL && strcmp(of, "strategy") != 0) {
        snprintf(error, KEYS_ERROR_SIZE,
                 "--accounts: found a %s, expected a strategy: only these "
                 "are kept to accounts",
                 of);
    } else {
        return true;
    }
    return false;
}

static int make_identity(const struct keys_order *o)
{
    char error[KEYS_ERROR_SIZE];
    struct certificate c = {.name = ""};
    if (!check_identity(o, error)) {
        keys_fail(error);
        return 2;
    }
    snprintf(c.name, sizeof c.name, "%s", o->name);
    snprintf(c.role, sizeof c.role, "%s", o->role == NULL ? o->name : o->role);
    snprintf(c.accounts, sizeof c.accounts, "%s", o->accounts == NULL ? "" : o->accounts);
    enum made result = make_one(o, &c, error);
    if (result == THERE)
        snprintf(error, sizeof error, "%s has a key already; `outcry keys rotate` changes it",
                 c.name);
    if (result != MADE)
        return keys_fail(error);
    printf("next: give %s.public to every process, and to %s itself %s.secret and the public "
           "files\n",
           c.name, c.name, c.name);
    return EXIT_SUCCESS;
}

int keys_make(const struct keys_order *o)
{
    char error[KEYS_ERROR_SIZE];
    if (!make_directory(o->directory, error))
        return keys_fail(error);
    return o->name == NULL ? make_roles(o) : make_identity(o);
}
