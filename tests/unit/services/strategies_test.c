/* strategies: those that are built in, and shared objects: good ones, and each way to be none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "strategy/strategies.h"
#include "tests/unit/base/scratch.h"

static char root[PATH_MAX]; /* of the sources */
static char error[STRATEGIES_ERROR_SIZE];
static char object[32]; /* the last one that was built: each has a name of its own, for what is
                           loaded is known to dlopen by its name */

static void built_in_ones_are_found_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"twap", "vwap", "pov", "maker"};
    for (unsigned i = 0; i < 4; i++) {
        const struct strategy_class *c = strategies_at(i);
        assert_string_equal(c->name, names[i]);
        assert_int_equal(c->abi, STRATEGY_ABI);
        assert_ptr_equal(strategies_find(names[i], error), c);
    }
    assert_null(strategies_at(4));
}

static void another_name_is_refused(void **state)
{
    (void)state;
    assert_null(strategies_find("twapp", error));
    assert_string_equal(error, "strategy: found \"twapp\", expected twap, vwap, pov, maker or a "
                               "shared object (./my.so)");
    assert_null(strategies_find("", error));
    assert_null(strategies_find(".so", error)); /* no name before it */
    char name[PARAMETER_TEXT_SIZE + 1];
    memset(name, 'a', sizeof name);
    name[PARAMETER_TEXT_SIZE] = '\0';
    assert_null(strategies_find(name, error));
    assert_non_null(strstr(error, "expected at most 255 characters"));
}

/* Compile a strategy whose class is written like this, after `before`. */
static void build(const char *before, const char *class)
{
    static unsigned built;
    char text[4096], command[4 * PATH_MAX];
    snprintf(text, sizeof text,
             "#include \"strategy/strategy.h\"\n%s\n"
             "static void on_start(void *self, trader_t *t) { (void)self; (void)t; }\n"
             "static const struct parameter none[] = {{.name = 0}};\n"
             "const struct strategy_class outcry_strategy = {%s};\n"
             "const void *unused[] = {(const void *)on_start, none};\n",
             before, class);
    scratch_write("my.c", text);
    snprintf(object, sizeof object, "./my-%u.so", ++built);
    snprintf(command, sizeof command,
             "cc -shared -fPIC -I '%s/services' -I '%s/common' -I '%s' my.c -o %s", root, root,
             root, object);
    assert_int_equal(system(command), 0);
}

/* The last one is refused with its name, and these words. */
static void assert_complaint(const char *complaint)
{
    char expected[STRATEGIES_ERROR_SIZE];
    snprintf(expected, sizeof expected, "%s: %s", object, complaint);
    assert_null(strategies_find(object, error));
    assert_string_equal(error, expected);
}

static void assert_refused(const char *class, const char *complaint)
{
    build("", class);
    assert_complaint(complaint);
}

#define GOOD ".name = \"mine\", .summary = \"x\", .parameters = none, .on_start = on_start"

static void a_shared_object_is_found_with_a_slash_or_its_end(void **state)
{
    (void)state;
    build("static bool done(const void *self) { return self == 0; }",
          ".abi = STRATEGY_ABI, " GOOD ", .is_done = done");
    const struct strategy_class *c = strategies_find(object, error);
    if (c == NULL)
        fail_msg("%s", error);
    assert_string_equal(c->name, "mine");
    assert_true(c->is_done(NULL)); /* its code stays loaded */
    assert_ptr_equal(strategies_find(object + strlen("./"), error), c);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", scratch_path(), object);
    assert_ptr_equal(strategies_find(path, error), c);
    assert_true(c->is_done(NULL));
}

static void another_abi_is_refused(void **state)
{
    (void)state;
    assert_refused(".abi = STRATEGY_ABI + 1, " GOOD,
                   "found a strategy of abi 2, expected abi 1: compile it again");
    assert_refused(".abi = 0, " GOOD,
                   "found a strategy of abi 0, expected abi 1: compile it again");
}

#define THIS_ABI ".abi = STRATEGY_ABI, "

static void what_is_missing_is_told(void **state)
{
    (void)state;
    assert_refused(THIS_ABI GOOD ", .name = 0",
                   "found a strategy without a name, expected one of A-Z a-z 0-9 _ -");
    assert_refused(THIS_ABI GOOD ", .name = \"a b\"",
                   "found a strategy without a name, expected one of A-Z a-z 0-9 _ -");
    assert_refused(THIS_ABI GOOD ", .summary = 0",
                   "found a strategy without a summary, expected a line that says what "
                   "it is");
    assert_refused(THIS_ABI GOOD ", .parameters = 0",
                   "found no table of parameters, expected one, if only its end");
    assert_refused(THIS_ABI GOOD ", .on_start = 0",
                   "found a strategy without callbacks, expected at least one");
    assert_refused(THIS_ABI GOOD ", .state_size = 1ul << 31",
                   "found a larger state, expected at most 2^30 bytes of state_size");
}

static void assert_table_refused(const char *table, const char *complaint)
{
    char before[1024];
    snprintf(before, sizeof before, "static const struct parameter table[] = {%s, {.name = 0}};",
             table);
    build(before, THIS_ABI GOOD ", .parameters = table");
    assert_complaint(complaint);
}

static void its_parameters_are_looked_at(void **state)
{
    (void)state;
    assert_table_refused("{.name = \"a b\", .summary = \"x\"}",
                         "found a parameter without a name, expected 1 to 63 of A-Z a-z "
                         "0-9 _ -");
    assert_table_refused("{.name = \"a\"}", "found a, expected a summary of this parameter");
    assert_table_refused("{.name = \"a\", .summary = \"x\", .kind = 99}",
                         "found a, expected a kind of this parameter");
    assert_table_refused("{.name = \"a\", .summary = \"x\", .kind = PARAMETER_WORD}",
                         "found a, expected the words of this parameter");
    assert_table_refused("[0 ... 32] = {.name = \"a\", .summary = \"x\"}",
                         "found more parameters, expected at most 32, and an end without "
                         "name");
}

static void what_is_no_strategy_is_told(void **state)
{
    (void)state;
    assert_null(strategies_find("./none.so", error));
    assert_non_null(strstr(error, "./none.so: cannot be loaded: "));
    assert_non_null(strstr(error, "No such file"));
    scratch_write("text.so", "not a shared object, but long enough to be looked at as one");
    assert_null(strategies_find("text.so", error));
    assert_non_null(strstr(error, "text.so: cannot be loaded: "));
    scratch_write("other.c", "int outcry;\n");
    assert_int_equal(system("cc -shared -fPIC other.c -o other.so"), 0);
    assert_null(strategies_find("other.so", error));
    assert_string_equal(error, "other.so: found no symbol outcry_strategy, expected `const struct "
                               "strategy_class outcry_strategy`");
    build("void nobody_has_this(void);\n"
          "static void fill(void *self, trader_t *t, const struct own_fill *f)\n"
          "{ (void)self, (void)t, (void)f; nobody_has_this(); }",
          THIS_ABI GOOD ", .on_fill = fill");
    assert_null(strategies_find(object, error));
    assert_non_null(strstr(error, "undefined symbol: nobody_has_this"));
}

int main(void)
{
    char *here = realpath(__FILE__, root);
    char *end = here == NULL ? NULL : strstr(here, "/tests/unit/services/");
    if (end == NULL) {
        fprintf(stderr, "strategies_test: skipped: the sources are not at %s\n", __FILE__);
        return 77;
    }
    *end = '\0';
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in_ones_are_found_by_name),
        cmocka_unit_test(another_name_is_refused),
        cmocka_unit_test(a_shared_object_is_found_with_a_slash_or_its_end),
        cmocka_unit_test(another_abi_is_refused),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(its_parameters_are_looked_at),
        cmocka_unit_test(what_is_no_strategy_is_told),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
