/* After engine_new() the engine takes no memory and gives none back, whatever comes.
 *
 * Linked with --wrap for every function that hands memory out or takes it back, so that calls from
 * our own objects come here first. The flow is the fuzz's: all commands, limits that are met all
 * the time. Only calls made inside the engine are counted, the fuzz's reference uses malloc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "engine/snapshot.h"
#include "tests/unit/engine/random_history.h"

enum { RUNS = 30, RUN_SIZE = 2000 };

static struct {
    bool watching;
    unsigned count;
} hook;

static void called(void)
{
    if (hook.watching)
        hook.count++;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void __real_free(void *memory);
void *__real_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void *at, size_t size);

void *__wrap_malloc(size_t size)
{
    called();
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    called();
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    called();
    return __real_realloc(memory, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    called();
    return __real_aligned_alloc(alignment, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    called();
    return __real_posix_memalign(memory, alignment, size);
}

void __wrap_free(void *memory)
{
    called();
    __real_free(memory);
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int file, off_t offset)
{
    called();
    return __real_mmap(at, size, protection, flags, file, offset);
}

int __wrap_munmap(void *at, size_t size)
{
    called();
    return __real_munmap(at, size);
}

static void watch(void)
{
    hook.count = 0;
    hook.watching = true;
}

static unsigned watched(void)
{
    hook.watching = false;
    return hook.count;
}

static struct configure small_limits(uint64_t open_orders_max)
{
    return (struct configure){
        .open_orders_max = open_orders_max,
        .accounts_max = 1,
        .symbols_max = 1,
        .origins_max = 1,
        .origin_window = 1,
        .events_max = 1,
    };
}

static void the_hook_sees_what_the_engine_takes_and_gives_back(void **state)
{
    (void)state;
    for (uint64_t open = 1; open <= 1 << 20; open <<= 20) { /* from malloc, and from mmap too */
        struct configure limits = small_limits(open);
        watch();
        engine_t *e = engine_new(&limits, 1);
        assert_int_not_equal(watched(), 0);
        watch();
        engine_destroy(&e);
        assert_int_not_equal(watched(), 0);
    }
}

/* Everything a matcher does with a command, and now and then its follower. */
static void process(engine_t *e, const struct random_history *h, const struct command *c)
{
    size_t count;
    engine_prefetch(e, c, ENGINE_AHEAD_INDEX);
    engine_prefetch(e, c, ENGINE_AHEAD_ORDER);
    engine_prefetch(e, c, ENGINE_AHEAD_NEIGHBOURS);
    engine_apply(e, h->reference->seq, h->maker.time_ns, c);
    engine_events(e, &count);
    engine_result(e);
    engine_state_hash(e);
    if (h->reference->seq % 64 == 0) {
        static uint8_t bytes[1 << 20];
        assert_true(engine_snapshot_size_max(e) <= sizeof bytes);
        engine_snapshot_write(e, bytes);
    }
}

static void nothing_is_allocated_after_engine_new(void **state)
{
    (void)state;
    uint64_t trades = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        struct random_history *h = malloc(sizeof *h);
        random_history_open(h, run);
        engine_t *e = engine_new(&h->maker.limits, run);
        for (unsigned i = 0; i < RUN_SIZE; i++) {
            struct command c = random_history_next(h);
            watch();
            engine_admit(e, &c.envelope, h->maker.time_ns);
            process(e, h, &c);
            assert_int_equal(watched(), 0);
        }
        assert_true(engine_seq(e) == RUN_SIZE);
        trades += h->reference->trade_count;
        engine_destroy(&e);
        random_history_close(h);
        free(h);
    }
    assert_true(trades > RUNS * RUN_SIZE / 50); /* it was a market */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hook_sees_what_the_engine_takes_and_gives_back),
        cmocka_unit_test(nothing_is_allocated_after_engine_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
