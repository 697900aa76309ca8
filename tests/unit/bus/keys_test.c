/* keys: directories of certificates, right and wrong, through the states of a change of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/keys.h"
#include "tests/unit/base/scratch.h"

static struct keys keys, before;
static char error[KEYS_ERROR_SIZE];

static bool is_role(const char *role)
{
    return strcmp(role, "server") == 0 || strcmp(role, "client") == 0;
}

static const char *path_of(const char *name, enum key_state state, bool secret)
{
    static char path[KEYS_PATH_SIZE];
    keys_path(scratch_path(), name, state, secret, path);
    return path;
}

static struct certificate draw(const char *name, const char *role)
{
    struct certificate c = {.name = ""};
    snprintf(c.name, sizeof c.name, "%s", name);
    snprintf(c.role, sizeof c.role, "%s", role);
    certificate_draw(&c);
    return c;
}

static void put(const struct certificate *c, enum key_state state, bool secret)
{
    if (!certificate_write(c, path_of(c->name, state, secret), secret, error))
        fail_msg("%s", error);
}

static struct certificate make(const char *name, const char *role, enum key_state state)
{
    struct certificate c = draw(name, role);
    put(&c, state, true);
    put(&c, state, false);
    return c;
}

static bool load(void)
{
    return keys_load(&keys, scratch_path(), is_role, error);
}

static void assert_loads(unsigned count)
{
    if (!load())
        fail_msg("%s", error);
    assert_int_equal(keys.count, count);
}

static void assert_refused(const char *words)
{
    assert_false(load());
    if (strstr(error, words) == NULL)
        fail_msg("found \"%s\", expected \"%s\" in it", error, words);
}

static void assert_own_refused(const char *name, const char *words)
{
    struct certificate own;
    assert_true(load());
    assert_false(keys_load_own(&own, &keys, scratch_path(), name, error));
    if (strstr(error, words) == NULL)
        fail_msg("found \"%s\", expected \"%s\" in it", error, words);
}

/* ---- certificates ---- */

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    struct certificate c = draw("desk", "client"), again;
    struct stat s;
    strcpy(c.accounts, "alice,bob");
    put(&c, KEY_CURRENT, true);
    put(&c, KEY_CURRENT, false);
    assert_true(certificate_read(&again, path_of("desk", KEY_CURRENT, true), error));
    assert_memory_equal(&again, &c, sizeof c);
    assert_true(certificate_read(&again, path_of("desk", KEY_CURRENT, false), error));
    assert_string_equal(again.public_key, c.public_key);
    assert_string_equal(again.accounts, "alice,bob");
    assert_string_equal(again.secret_key, "");
    assert_int_equal(stat(path_of("desk", KEY_CURRENT, true), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_int_equal(stat(path_of("desk", KEY_CURRENT, false), &s), 0);
    assert_int_equal(s.st_mode & 0777, 0644);
}

static void nothing_is_written_over(void **state)
{
    (void)state;
    struct certificate c = make("server", "server", KEY_CURRENT), other = draw("server", "server");
    struct certificate again;
    assert_false(certificate_write(&other, path_of("server", KEY_CURRENT, true), true, error));
    assert_non_null(strstr(error, "File exists"));
    assert_true(certificate_read(&again, path_of("server", KEY_CURRENT, true), error));
    assert_string_equal(again.public_key, c.public_key);
}

static void accounts_are_names_with_commas(void **state)
{
    (void)state;
    char longest[34] = "";
    memset(longest, 'a', 33);
    assert_true(certificate_is_accounts("a"));
    assert_true(certificate_is_accounts("a,B_-9,c"));
    assert_false(certificate_is_accounts(""));
    assert_false(certificate_is_accounts("a,"));
    assert_false(certificate_is_accounts(",a"));
    assert_false(certificate_is_accounts("a,,b"));
    assert_false(certificate_is_accounts("a b"));
    assert_false(certificate_is_accounts(longest));
    longest[32] = '\0';
    assert_true(certificate_is_accounts(longest));
}

static void an_account_is_had_whole_or_not(void **state)
{
    (void)state;
    assert_true(certificate_has_account("", "anybody", 7));
    assert_true(certificate_has_account("al,bob", "al", 2));
    assert_true(certificate_has_account("al,bob", "bob", 3));
    assert_false(certificate_has_account("al,bob", "a", 1));
    assert_false(certificate_has_account("al,bob", "bo", 2));
    assert_false(certificate_has_account("al,bob", "bobo", 4));
    assert_false(certificate_has_account("al,bob", "al,bob", 6));
    assert_false(certificate_has_account("al,bob", "", 0));
}

static void what_is_no_certificate_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "nonsense",
        "metadata\n    name = \"x\"\n    role = \"client\"\ncurve\n    public-key = \"short\"\n",
        "metadata\n    name = \"x\"\n    role = \"client\"\ncurve\n    public-key = "
        "\"~~~~~~~~~~~~~~~~~~~~~~"
        "~~~~~~~~~~~~~~~~~~\"\n",
        "metadata\n    name = \"a-name-that-is-longer-than-any-name-may-be\"\n",
        "metadata\n    name = \"unfinished\n",
        "metadata\n    name = \"x\"\n    name = \"y\"\n",
    };
    struct certificate c;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        scratch_write("x.public", texts[i]);
        assert_false(certificate_read(&c, path_of("x", KEY_CURRENT, false), error));
        assert_non_null(strstr(error, "it is not a certificate"));
    }
}

static void keys_of_two_pairs_are_refused(void **state)
{
    (void)state;
    struct certificate c = draw("server", "server"), other = draw("server", "server"), again;
    const char *path = path_of("server", KEY_CURRENT, true);
    strcpy(c.secret_key, other.secret_key);
    assert_false(certificate_write(&c, path, true, error)); /* it would not be read again */
    assert_int_not_equal(access(path, F_OK), 0);
    char text[512];
    snprintf(text, sizeof text,
             "metadata\n    name = \"server\"\n    role = \"server\"\ncurve\n"
             "    public-key = \"%s\"\n    secret-key = \"%s\"\n",
             c.public_key, c.secret_key);
    scratch_write("server.secret", text);
    assert_false(certificate_read(&again, path, error));
    assert_non_null(strstr(error, "not one pair"));
}

static void accounts_that_say_nothing_are_not_all_accounts(void **state)
{
    (void)state;
    static const char *const lines[] = {"accounts", "accounts alice,bob",
                                        "accounts =", "accounts = \"\""};
    struct certificate c = draw("desk", "client"), again;
    char text[512];
    for (unsigned i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        snprintf(text, sizeof text,
                 "metadata\n    name = \"desk\"\n    role = \"client\"\n    %s\ncurve\n"
                 "    public-key = \"%s\"\n",
                 lines[i], c.public_key);
        scratch_write("desk.public", text);
        assert_false(certificate_read(&again, path_of("desk", KEY_CURRENT, false), error));
    }
}

/* ---- directories ---- */

static void a_directory_is_read(void **state)
{
    (void)state;
    struct certificate server = make("server", "server", KEY_CURRENT);
    struct certificate client = make("client", "client", KEY_CURRENT), own;
    scratch_write("README", "not a key");
    scratch_write("client.public.draft", "half a key");
    assert_loads(2);
    assert_string_equal(keys_find(&keys, server.public_key)->certificate.name, "server");
    assert_string_equal(keys_find(&keys, client.public_key)->certificate.role, "client");
    assert_null(keys_find(&keys, draw("x", "client").public_key));
    assert_true(keys_load_own(&own, &keys, scratch_path(), "client", error));
    assert_string_equal(own.secret_key, client.secret_key);
}

static void a_missing_directory_is_told(void **state)
{
    (void)state;
    assert_false(keys_load(&keys, "/nowhere/at/all", is_role, error));
    assert_non_null(strstr(error, "/nowhere/at/all: cannot read the directory of keys"));
    assert_int_equal(keys_stamp("/nowhere/at/all"), 0);
}

static void mistakes_in_public_files_are_told(void **state)
{
    (void)state;
    struct certificate c = make("server", "server", KEY_CURRENT);
    struct certificate other = draw("client", "client");
    assert_true(certificate_write(&other, path_of("desk", KEY_CURRENT, false), false, error));
    assert_refused("it is another's");
    unlink(path_of("desk", KEY_CURRENT, false));
    other = draw("desk", "king");
    put(&other, KEY_CURRENT, false);
    assert_refused("no such role: king");
    unlink(path_of("desk", KEY_CURRENT, false));
    other = draw("de-sk", "client");
    put(&other, KEY_CURRENT, false);
    assert_refused("its name");
    unlink(path_of("de-sk", KEY_CURRENT, false));
    other = draw("client", "server");
    put(&other, KEY_CURRENT, false);
    assert_refused("its name");
    unlink(path_of("client", KEY_CURRENT, false));
    other = draw("client", "client");
    strcpy(other.accounts, "alice");
    put(&other, KEY_CURRENT, false);
    assert_refused("a role has all");
    unlink(path_of("client", KEY_CURRENT, false));
    other = draw("desk", "client");
    strcpy(other.public_key, c.public_key);
    put(&other, KEY_CURRENT, false);
    assert_refused("found one public key for both");
    unlink(path_of("desk", KEY_CURRENT, false));
    other = draw("desk", "client");
    assert_true(certificate_write(&other, path_of("desk", KEY_CURRENT, false), true, error));
    assert_refused("a secret key in a file everybody may read");
}

static void mistakes_in_our_own_file_are_told(void **state)
{
    (void)state;
    struct certificate server = make("server", "server", KEY_CURRENT), own, other;
    char path[KEYS_PATH_SIZE];
    strcpy(path, path_of("server", KEY_CURRENT, true));
    assert_own_refused("client", "cannot read our own secret key");
    static const mode_t bad[] = {0604, 0602, 0601, 0620, 0660, 0777}, good[] = {0400, 0600, 0440};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(chmod(path, bad[i]), 0);
        assert_own_refused("server", "others may read or change it");
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(chmod(path, good[i]), 0);
        assert_true(keys_load_own(&own, &keys, scratch_path(), "server", error));
        assert_string_equal(own.secret_key, server.secret_key);
    }
    assert_int_equal(unlink(path), 0);
    other = draw("server", "server");
    put(&other, KEY_CURRENT, true);
    assert_own_refused("server", "nobody would know us");
    assert_int_equal(unlink(path), 0);
    assert_true(certificate_write(&server, path, false, error));
    assert_int_equal(chmod(path, 0600), 0);
    assert_own_refused("server", "found no secret key");
}

static void there_are_at_most_so_many_keys(void **state)
{
    (void)state;
    char name[32];
    for (unsigned i = 0; i < KEYS_MAX; i++) {
        snprintf(name, sizeof name, "n%u", i);
        struct certificate c = draw(name, "client");
        put(&c, KEY_CURRENT, false);
    }
    assert_loads(KEYS_MAX);
    struct certificate one_more = draw("x", "client");
    put(&one_more, KEY_CURRENT, false);
    assert_refused("more than 256");
}

/* ---- changes ---- */

static void the_states_of_a_change_are_told_apart(void **state)
{
    (void)state;
    struct certificate old = draw("server", "server");
    put(&old, KEY_OLD, false);
    struct certificate current = make("server", "server", KEY_CURRENT);
    struct certificate next = make("server", "server", KEY_NEXT);
    assert_loads(3);
    const struct certificate *order[] = {&current, &next, &old, &current};
    for (unsigned n = 0; n < 4; n++)
        assert_string_equal(keys_of(&keys, "server", n)->certificate.public_key,
                            order[n]->public_key);
    assert_int_equal(keys_find(&keys, next.public_key)->state, KEY_NEXT);
    assert_int_equal(keys_find(&keys, old.public_key)->state, KEY_OLD);
    assert_null(keys_of(&keys, "client", 0));
}

static void a_half_done_promotion_is_read(void **state)
{
    (void)state;
    struct certificate c = make("server", "server", KEY_CURRENT);
    put(&c, KEY_OLD, false); /* the same key under both names for a moment */
    struct certificate own;
    assert_loads(1);
    assert_true(keys_load_own(&own, &keys, scratch_path(), "server", error));
}

static void what_is_withdrawn_is_noticed(void **state)
{
    (void)state;
    struct certificate desk = draw("desk", "client");
    make("server", "server", KEY_CURRENT);
    put(&desk, KEY_CURRENT, false);
    assert_loads(2);
    before = keys;
    make("server", "server", KEY_NEXT);
    assert_loads(3);
    assert_false(keys_withdrawn(&before, &keys));
    assert_true(keys_withdrawn(&keys, &before));
    assert_int_equal(unlink(path_of("desk", KEY_CURRENT, false)), 0);
    strcpy(desk.accounts, "alice");
    put(&desk, KEY_CURRENT, false);
    assert_loads(3);
    assert_true(keys_withdrawn(&before, &keys));
}

static void a_change_of_the_directory_is_noticed(void **state)
{
    (void)state;
    struct certificate c = make("server", "server", KEY_CURRENT);
    uint64_t stamp = keys_stamp(scratch_path());
    assert_int_not_equal(stamp, 0);
    assert_int_equal(keys_stamp(scratch_path()), stamp);
    put(&c, KEY_OLD, false);
    uint64_t other = keys_stamp(scratch_path());
    assert_int_not_equal(other, stamp);
    assert_int_equal(unlink(path_of("server", KEY_OLD, false)), 0);
    assert_int_equal(keys_stamp(scratch_path()), stamp);
    assert_int_equal(unlink(path_of("server", KEY_CURRENT, false)), 0);
    c = draw("server", "server");
    put(&c, KEY_CURRENT, false);
    assert_int_not_equal(keys_stamp(scratch_path()), stamp);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(what_is_written_is_read_again),
        CLAIM(nothing_is_written_over),
        CLAIM(accounts_are_names_with_commas),
        CLAIM(an_account_is_had_whole_or_not),
        CLAIM(what_is_no_certificate_is_refused),
        CLAIM(keys_of_two_pairs_are_refused),
        CLAIM(accounts_that_say_nothing_are_not_all_accounts),
        CLAIM(a_directory_is_read),
        CLAIM(a_missing_directory_is_told),
        CLAIM(mistakes_in_public_files_are_told),
        CLAIM(mistakes_in_our_own_file_are_told),
        CLAIM(there_are_at_most_so_many_keys),
        CLAIM(the_states_of_a_change_are_told_apart),
        CLAIM(a_half_done_promotion_is_read),
        CLAIM(what_is_withdrawn_is_noticed),
        CLAIM(a_change_of_the_directory_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
