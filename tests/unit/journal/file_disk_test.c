/* file_disk: a directory as a disk, its lock, its two threads; and a journal on it. */
#include "journal/file_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "journal/journal_reader.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/journal/journal_kit.h"

struct opened {
    file_disk_t *disk;
    const struct disk *ops;
};

static int setup(void **state)
{
    struct opened *f = calloc(1, sizeof *f);
    scratch_open(state);
    assert_int_equal(file_disk_open(&f->disk, ".", false), STATUS_OK);
    f->ops = file_disk_ops(f->disk);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct opened *f = *state;
    file_disk_close(&f->disk);
    free(f);
    return scratch_close(state);
}

static int create(const struct opened *f, const char *name, const char *text)
{
    int file;
    assert_int_equal(f->ops->create(f->ops->self, name, &file), STATUS_OK);
    assert_int_equal(f->ops->write(f->ops->self, file, 0, text, strlen(text)), STATUS_OK);
    return file;
}

struct listing {
    unsigned count;
    uint64_t size;
    char names[256];
};

static void list_one(void *to, const char *name, uint64_t size)
{
    struct listing *l = to;
    l->count++;
    l->size += size;
    strncat(l->names, name, sizeof l->names - strlen(l->names) - 1);
}

static void files_are_read_as_they_were_written(void **state)
{
    struct opened *f = *state;
    char bytes[16] = "";
    size_t got;
    uint64_t size;
    int again, file = create(f, "a", "hello, world");
    assert_int_equal(f->ops->write(f->ops->self, file, 20, "!", 1), STATUS_OK);
    assert_int_equal(f->ops->size(f->ops->self, file, &size), STATUS_OK);
    assert_int_equal(size, 21);
    assert_int_equal(f->ops->open(f->ops->self, "a", &again), STATUS_OK);
    assert_int_equal(f->ops->read(f->ops->self, again, 7, bytes, 5, &got), STATUS_OK);
    assert_int_equal(got, 5);
    assert_string_equal(bytes, "world");
    assert_int_equal(f->ops->read(f->ops->self, again, 18, bytes, 16, &got), STATUS_OK);
    assert_int_equal(got, 3);
    assert_memory_equal(bytes, "\0\0!", 3);
    assert_int_equal(f->ops->read(f->ops->self, again, 21, bytes, 16, &got), STATUS_OK);
    assert_int_equal(got, 0);
    assert_int_equal(fcntl(again, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    f->ops->close(f->ops->self, again);
    f->ops->close(f->ops->self, file);
    f->ops->close(f->ops->self, create(f, "a", "x")); /* a new one in its place */
    assert_int_equal(f->ops->open(f->ops->self, "a", &again), STATUS_OK);
    assert_int_equal(f->ops->size(f->ops->self, again, &size), STATUS_OK);
    assert_int_equal(size, 1);
    f->ops->close(f->ops->self, again);
}

static void names_change(void **state)
{
    struct opened *f = *state;
    struct listing l = {0};
    int file = create(f, "a", "one"), other = create(f, "b", "three");
    assert_true(f->ops->holds(f->ops->self, "a", file));
    assert_false(f->ops->holds(f->ops->self, "a", other));
    assert_int_equal(f->ops->rename(f->ops->self, "a", "b"), STATUS_OK);
    assert_true(f->ops->holds(f->ops->self, "b", file));
    assert_false(f->ops->holds(f->ops->self, "a", file));
    assert_false(f->ops->holds(f->ops->self, "b", other));
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(f->ops->list(f->ops->self, list_one, &l), STATUS_OK);
    assert_int_equal(l.count, 1); /* files only */
    assert_int_equal(l.size, 3);
    assert_string_equal(l.names, "b");
    assert_int_equal(f->ops->remove(f->ops->self, "b"), STATUS_OK);
    assert_int_equal(f->ops->remove(f->ops->self, "b"), STATUS_MISSING);
    assert_int_equal(f->ops->rename(f->ops->self, "b", "a"), STATUS_MISSING);
    assert_int_equal(f->ops->open(f->ops->self, "b", &other), STATUS_MISSING);
    assert_int_equal(rmdir("folder"), 0);
    f->ops->close(f->ops->self, file);
}

static void a_disk_without_space_says_so(void **state)
{
    struct opened *f = *state;
    char text[64];
    int file;
    (void)f;
    /* /dev/full is a file of which every write fails so */
    file_disk_t *devices;
    assert_int_equal(file_disk_open(&devices, "/dev", false), STATUS_OK);
    const struct disk *ops = file_disk_ops(devices);
    assert_int_equal(ops->open(ops->self, "full", &file), STATUS_OK);
    memset(text, 'x', sizeof text);
    assert_int_equal(ops->write(ops->self, file, 0, text, sizeof text), STATUS_FULL);
    assert_int_equal(errno, ENOSPC);
    ops->close(ops->self, file);
    file_disk_close(&devices);
}

static void directories_are_made_if_wanted(void **state)
{
    struct opened *f = *state;
    file_disk_t *d;
    struct stat at;
    (void)f;
    assert_int_equal(file_disk_open(&d, "x/y/z", false), STATUS_MISSING);
    assert_null(d);
    assert_int_equal(file_disk_open(&d, "x/y/z", true), STATUS_OK);
    assert_string_equal(file_disk_ops(d)->path, "x/y/z");
    file_disk_close(&d);
    assert_int_equal(stat("x/y/z", &at), 0);
    assert_int_equal(at.st_mode & 0777, 0700);
    assert_int_equal(file_disk_open(&d, "x/y/z", true), STATUS_OK); /* as it is */
    file_disk_close(&d);
    scratch_write("file", "");
    assert_int_equal(file_disk_open(&d, "file", true), STATUS_IO);
    assert_int_equal(errno, ENOTDIR);
    assert_int_equal(rmdir("x/y/z") | rmdir("x/y") | rmdir("x"), 0);
}

static void another_directory_of_the_name_is_not_ours(void **state)
{
    struct opened *f = *state;
    file_disk_t *d;
    int file;
    (void)f;
    assert_int_equal(file_disk_open(&d, "j", true), STATUS_OK);
    const struct disk *ops = file_disk_ops(d);
    assert_int_equal(ops->create(ops->self, "a", &file), STATUS_OK);
    assert_true(ops->holds(ops->self, "a", file));
    assert_int_equal(rename("j", "k"), 0);
    assert_false(ops->holds(ops->self, "a", file));
    assert_int_equal(mkdir("j", 0700), 0);
    assert_false(ops->holds(ops->self, "a", file));
    scratch_write("j/a", "");
    assert_false(ops->holds(ops->self, "a", file));
    ops->close(ops->self, file);
    file_disk_close(&d);
    assert_int_equal(remove("j/a") | rmdir("j") | remove("k/a") | rmdir("k"), 0);
}

/* ---- the lock ---- */

static void a_second_writer_is_told_who_the_first_is(void **state)
{
    struct opened *f = *state;
    file_disk_t *other;
    const struct disk *ops;
    int holder = 0;
    assert_int_equal(f->ops->lock(f->ops->self, &holder), STATUS_OK);
    assert_int_equal(file_disk_open(&other, ".", false), STATUS_OK);
    ops = file_disk_ops(other);
    assert_int_equal(ops->lock(ops->self, &holder), STATUS_IN_USE);
    assert_int_equal(holder, getpid());
    file_disk_close(&f->disk); /* and then it is free */
    assert_int_equal(ops->lock(ops->self, &holder), STATUS_OK);
    file_disk_close(&other);
}

static void the_lock_goes_with_its_process(void **state)
{
    struct opened *f = *state;
    int holder = 0, status;
    pid_t pid = fork();
    if (pid == 0) {
        file_disk_t *d;
        if (file_disk_open(&d, ".", false) != STATUS_OK)
            _exit(1);
        const struct disk *ops = file_disk_ops(d);
        _exit(ops->lock(ops->self, &holder) == STATUS_OK ? 0 : 2);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(f->ops->lock(f->ops->self, &holder), STATUS_OK);
}

/* ---- syncs in the background ---- */

static bool readable(const struct opened *f, int timeout_ms)
{
    struct pollfd p = {.fd = f->ops->fd(f->ops->self), .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static enum disk_sync wait_for(const struct opened *f, int file)
{
    enum disk_sync s = f->ops->sync_state(f->ops->self, file);
    while (s == DISK_SYNC_RUNNING) {
        assert_true(readable(f, 10000));
        s = f->ops->sync_state(f->ops->self, file);
    }
    return s;
}

static void two_syncs_go_on_at_once_and_each_is_told_once(void **state)
{
    struct opened *f = *state;
    int a = create(f, "a", "one"), b = create(f, "b", "two");
    for (unsigned i = 0; i < 50; i++) {
        f->ops->write(f->ops->self, a, i * 4096, "x", 1);
        f->ops->write(f->ops->self, b, i * 4096, "y", 1);
        assert_int_equal(f->ops->sync_begin(f->ops->self, a), STATUS_OK);
        assert_int_equal(f->ops->sync_begin(f->ops->self, b), STATUS_OK);
        int first = i % 2 == 0 ? a : b, second = a + b - first;
        assert_int_equal(wait_for(f, first), DISK_SYNC_DONE);
        assert_int_equal(f->ops->sync_state(f->ops->self, first), DISK_SYNC_NONE);
        assert_true(readable(f, 10000)); /* the second ends, or has ended */
        assert_int_equal(wait_for(f, second), DISK_SYNC_DONE);
        assert_int_equal(f->ops->sync_state(f->ops->self, second), DISK_SYNC_NONE);
        assert_false(readable(f, 0));
    }
    f->ops->close(f->ops->self, a);
    f->ops->close(f->ops->self, b);
}

static void a_sync_waits_for_the_one_in_the_background(void **state)
{
    struct opened *f = *state;
    int a = create(f, "a", "one");
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(f->ops->sync_begin(f->ops->self, a), STATUS_OK);
        if (i % 2 == 0)
            f->ops->write(f->ops->self, a, i, "x", 1);
        assert_int_equal(f->ops->sync(f->ops->self, a), STATUS_OK);
        assert_int_equal(f->ops->sync_state(f->ops->self, a), DISK_SYNC_DONE);
        assert_false(readable(f, 0));
    }
    f->ops->close(f->ops->self, a);
}

static void a_file_can_be_closed_while_it_syncs(void **state)
{
    struct opened *f = *state;
    for (unsigned i = 0; i < 50; i++) {
        int a = create(f, "a", "one");
        assert_int_equal(f->ops->sync_begin(f->ops->self, a), STATUS_OK);
        f->ops->close(f->ops->self, a);
        assert_false(readable(f, 0));
    }
    int a = create(f, "a", "one");
    assert_int_equal(f->ops->sync_begin(f->ops->self, a), STATUS_OK);
    file_disk_close(&f->disk); /* which waits */
    close(a);
}

/* A pipe has nothing to sync: fdatasync of it fails. */
static void a_sync_that_fails_is_told(void **state)
{
    struct opened *f = *state;
    int ends[2], file;
    assert_int_equal(mkfifo("pipe", 0600), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(f->ops->open(f->ops->self, "pipe", &file), STATUS_OK);
    assert_int_equal(f->ops->sync(f->ops->self, file), STATUS_IO);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(f->ops->sync_begin(f->ops->self, file), STATUS_OK);
    errno = 0;
    assert_int_equal(wait_for(f, file), DISK_SYNC_FAILED);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(f->ops->sync_state(f->ops->self, file), DISK_SYNC_NONE);
    assert_int_equal(f->ops->sync_begin(f->ops->self, file), STATUS_OK);
    errno = 0;
    assert_int_equal(f->ops->sync(f->ops->self, file), STATUS_IO);
    assert_int_equal(errno, EINVAL);
    f->ops->close(f->ops->self, file);
    close(ends[0]);
    close(ends[1]);
}

/* ---- a journal on it ---- */

static unsigned descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void wait_until_committed(struct kit *k)
{
    struct pollfd p = {.fd = journal_fd(k->journal), .events = POLLIN};
    while (journal_committed(k->journal) + 1 < journal_next(k->journal)) {
        assert_int_equal(journal_tend(k->journal, clock_monotonic_ns()), STATUS_OK);
        if (journal_committed(k->journal) + 1 < journal_next(k->journal))
            assert_int_equal(poll(&p, 1, 10000), 1);
    }
}

static void a_journal_lives_in_a_directory(void **state)
{
    struct opened *f = *state;
    struct kit *k = calloc(1, sizeof *k);
    unsigned before = descriptors();
    k->disk = f->ops;
    kit_start(k);
    for (unsigned i = 0; i < 30; i++) {
        assert_true(journal_has_room(k->journal, 100000));
        assert_int_equal(kit_append(k, 2, 100000), STATUS_OK);
        if (i % 4 == 0)
            wait_until_committed(k);
        else
            assert_int_equal(journal_tend(k->journal, clock_monotonic_ns()), STATUS_OK);
    }
    wait_until_committed(k);
    assert_int_equal(journal_committed_seq(k->journal), 60);
    assert_true(journal_counts(k->journal).segments > 2);
    kit_end(k);
    file_disk_close(&f->disk);
    assert_int_equal(file_disk_open(&f->disk, ".", false), STATUS_OK);
    k->disk = file_disk_ops(f->disk);
    kit_start(k);
    assert_int_equal(k->found.seq, 60);
    assert_false(k->found.new_epoch);
    assert_int_equal(journal_close(k->journal, 5), STATUS_OK);
    kit_end(k);
    file_disk_close(&f->disk);
    assert_int_equal(descriptors(), before - 2); /* those of the fixture's disk are closed too */
    free(k);
}

static void a_second_journal_in_a_directory_is_in_use(void **state)
{
    struct opened *f = *state;
    struct kit *k = calloc(2, sizeof *k);
    char pid[32];
    file_disk_t *other;
    assert_int_equal(file_disk_open(&other, ".", false), STATUS_OK);
    k[0].disk = f->ops;
    k[1].disk = file_disk_ops(other);
    kit_start(&k[0]);
    assert_int_equal(kit_recover(&k[1], 0, 0), STATUS_IN_USE);
    snprintf(pid, sizeof pid, "process %d ", (int)getpid());
    assert_non_null(strstr(k[1].error, pid));
    kit_end(&k[0]);
    file_disk_close(&other);
    free(k);
}

/* As a follower does, in another process. */
static void a_reader_of_another_process_follows(void **state)
{
    struct opened *f = *state;
    enum { BATCHES = 200 };
    struct kit *k = calloc(1, sizeof *k);
    char error[JOURNAL_ERROR_SIZE];
    int status;
    k->disk = f->ops;
    kit_start(k);
    pid_t pid = fork();
    if (pid == 0) {
        file_disk_t *d;
        journal_reader_t *r;
        struct journal_record record;
        uint64_t oldest, seq = 0;
        if (file_disk_open(&d, ".", false) != STATUS_OK ||
            journal_reader_open(&r, file_disk_ops(d), 0, &oldest, error) != STATUS_OK)
            _exit(1);
        while (seq < BATCHES) {
            enum journal_read read = journal_reader_next(r, &record, error);
            if (read == JOURNAL_READ_RECORD && record.kind == RECORD_BATCH &&
                record.first_seq != seq + 1)
                _exit(2);
            if (read == JOURNAL_READ_RECORD && record.kind == RECORD_BATCH)
                seq = record.first_seq;
            if (read == JOURNAL_READ_GONE || read == JOURNAL_READ_IO)
                _exit(3);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < BATCHES; i++) {
        assert_int_equal(kit_append(k, 1, 20000 + i), STATUS_OK);
        assert_int_equal(journal_tend(k->journal, i), STATUS_OK);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    kit_end(k);
    free(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_read_as_they_were_written),
        TEST(names_change),
        TEST(a_disk_without_space_says_so),
        TEST(directories_are_made_if_wanted),
        TEST(another_directory_of_the_name_is_not_ours),
        TEST(a_second_writer_is_told_who_the_first_is),
        TEST(the_lock_goes_with_its_process),
        TEST(two_syncs_go_on_at_once_and_each_is_told_once),
        TEST(a_sync_waits_for_the_one_in_the_background),
        TEST(a_file_can_be_closed_while_it_syncs),
        TEST(a_sync_that_fails_is_told),
        TEST(a_journal_lives_in_a_directory),
        TEST(a_second_journal_in_a_directory_is_in_use),
        TEST(a_reader_of_another_process_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
