/* lock: one process at a time, for as long as it lives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "base/lock.h"
#include "tests/unit/base/scratch.h"

/* A child that takes the lock, says so, and lives until it is told to end. */
struct holder {
    pid_t pid;
    int told; /* to it */
};

static struct holder holder_start(const char *file)
{
    int up[2], down[2], nobody;
    char said = 0;
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    pid_t pid = fork();
    if (pid == 0) {
        said = lock_take(file, &nobody) == STATUS_OK ? 'y' : 'n';
        close(down[1]);
        ssize_t ignored = write(up[1], &said, 1);
        ignored = read(down[0], &said, 1); /* until the parent closes its end */
        _exit(ignored < 0);
    }
    close(down[0]);
    close(up[1]);
    assert_int_equal(read(up[0], &said, 1), 1);
    close(up[0]);
    assert_int_equal(said, 'y');
    return (struct holder){pid, down[1]};
}

static void holder_end(struct holder h)
{
    close(h.told);
    assert_int_equal(waitpid(h.pid, NULL, 0), h.pid);
}

static void a_taken_lock_names_its_holder(void **state)
{
    (void)state;
    int holder = 0;
    struct holder h = holder_start("a.lock");
    assert_int_equal(lock_take("a.lock", &holder), STATUS_IN_USE);
    assert_int_equal(holder, h.pid);
    assert_int_equal(lock_take("b.lock", &holder), STATUS_OK); /* another lock is another lock */
    holder_end(h);
}

static void a_lock_is_free_when_its_holder_is_gone(void **state)
{
    (void)state;
    int holder = 0;
    holder_end(holder_start("a.lock"));
    assert_int_equal(lock_take("a.lock", &holder), STATUS_OK);
    assert_int_equal(lock_take("a.lock", &holder), STATUS_IN_USE); /* and now it is ours */
    assert_int_equal(holder, getpid());
}

static void the_file_holds_the_pid_and_nothing_of_who_was_before(void **state)
{
    (void)state;
    char line[64] = "", expected[64];
    int holder;
    scratch_write("a.lock", "123456789012345678901234567890\nand more\n");
    assert_int_equal(lock_take("a.lock", &holder), STATUS_OK);
    FILE *f = fopen("a.lock", "r");
    assert_int_equal(fread(line, 1, sizeof line - 1, f) > 0, 1);
    fclose(f);
    snprintf(expected, sizeof expected, "%d\n", (int)getpid());
    assert_string_equal(line, expected);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
    (void)state;
    int holder = 0;
    errno = 0;
    assert_int_equal(lock_take("nowhere/a.lock", &holder), STATUS_IO);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        TEST(a_taken_lock_names_its_holder),
        TEST(a_lock_is_free_when_its_holder_is_gone),
        TEST(the_file_holds_the_pid_and_nothing_of_who_was_before),
        TEST(a_directory_that_is_not_there_is_told),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
