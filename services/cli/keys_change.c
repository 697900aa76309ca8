/* keys_change: `outcry keys rotate`, `promote` and `retire`: from one pair to the next without a
 * moment in which none is accepted.
 *
 *                 rotate              promote                       retire
 *     R.secret      1     1             2   (restart R)               2
 *     R.public      1     1             2                             2
 *     R.next.*            2
 *     R.old.public                      1                             -
 *
 * A promotion that was cut short is finished by the next one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/keys_parts.h"

static int fail_at(const char *verb, const char *path)
{
    char error[KEYS_ERROR_SIZE];
    snprintf(error, sizeof error, "cannot %s %.300s: %s", verb, path, strerror(errno));
    return keys_fail(error);
}

static int fail_name(const char *name, const char *what)
{
    char error[KEYS_ERROR_SIZE];
    snprintf(error, sizeof error, "%.64s %s", name, what);
    return keys_fail(error);
}

/* Where the name's files are, and which of them there are. */
struct files {
    char secret[KEYS_PATH_SIZE], public[KEYS_PATH_SIZE], old[KEYS_PATH_SIZE];
    char next_secret[KEYS_PATH_SIZE], next_public[KEYS_PATH_SIZE];
};

static void find_files(const struct keys_order *o, struct files *f)
{
    keys_path(o->directory, o->name, KEY_CURRENT, true, f->secret);
    keys_path(o->directory, o->name, KEY_CURRENT, false, f->public);
    keys_path(o->directory, o->name, KEY_OLD, false, f->old);
    keys_path(o->directory, o->name, KEY_NEXT, true, f->next_secret);
    keys_path(o->directory, o->name, KEY_NEXT, false, f->next_public);
}

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Whether both files hold the same public key. */
static bool same_key(const char *a, const char *b)
{
    struct certificate x, y;
    char error[KEYS_ERROR_SIZE];
    return certificate_read(&x, a, error) && certificate_read(&y, b, error) &&
           strcmp(x.public_key, y.public_key) == 0;
}

int keys_rotate(const struct keys_order *o)
{
    struct files f;
    struct certificate c;
    char error[KEYS_ERROR_SIZE];
    find_files(o, &f);
    if (!certificate_read(&c, f.public, error))
        return keys_fail(error);
    if (there(f.next_public))
        return fail_name(o->name, "has a next key already; promote it first");
    if (there(f.old))
        return fail_name(o->name, "still has an old key; retire it first");
    if (there(f.next_secret) && unlink(f.next_secret) != 0) /* of a run that was cut short */
        return fail_at("remove", f.next_secret);
    if (!keys_write_pair(o->directory, &c, KEY_NEXT, error))
        return keys_fail(error);
    keys_record(o, "rotate", o->name);
    printf("%s: both keys are accepted by whoever has %s.next.public\n"
           "next: give that file to every process; then `outcry keys promote %s %s`\n",
           o->name, o->name, o->directory, o->name);
    return EXIT_SUCCESS;
}

int keys_promote(const struct keys_order *o)
{
    struct files f;
    find_files(o, &f);
    if (!there(f.next_public))
        return fail_name(o->name, "has no next key; rotate makes one");
    bool half = !there(f.next_secret) && same_key(f.secret, f.next_public);
    if (!there(f.next_secret) && !half)
        return fail_at("read", f.next_secret);
    if (!half && !same_key(f.next_secret, f.next_public))
        return fail_name(o->name, "its next secret and its next public key are not one pair");
    if (!half && there(f.old) && !same_key(f.old, f.public))
        return fail_name(o->name, "still has an old key; retire it first");
    if (!there(f.old) && link(f.public, f.old) != 0)
        return fail_at("make", f.old);
    if (!half && rename(f.next_secret, f.secret) != 0)
        return fail_at("replace", f.secret);
    if (rename(f.next_public, f.public) != 0)
        return fail_at("replace", f.public);
    keys_record(o, "promote", o->name);
    printf("%s: its next key is its own now; the one before is still accepted\n"
           "next: give the public files to every process and %s.secret to those of %s, restart "
           "these one by one; then `outcry keys retire %s %s`\n",
           o->name, o->name, o->name, o->directory, o->name);
    return EXIT_SUCCESS;
}

int keys_retire(const struct keys_order *o)
{
    struct files f;
    find_files(o, &f);
    if (!there(f.old))
        return fail_name(o->name, "has no old key: there is nothing to retire");
    if (there(f.next_public) && same_key(f.old, f.public))
        return fail_name(o->name, "is half promoted; promote it again first");
    if (unlink(f.old) != 0)
        return fail_at("remove", f.old);
    keys_record(o, "retire", o->name);
    printf("%s: its old key is accepted no more\n"
           "next: remove %s.old.public everywhere else; who still uses that key is cut off\n",
           o->name, o->name);
    return EXIT_SUCCESS;
}
