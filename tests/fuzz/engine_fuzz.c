/* engine_fuzz: random commands to the engine and to the reference, compared after each.
 *
 *     engine_fuzz [--commands N] [--seed S]
 *
 * Every RUN_SIZE commands a new run begins: other capacities, another temper (command_maker.h), an
 * empty engine. A second engine that differs in nothing but its hash_seed goes along and must have
 * the same state hash. Now and then the engine is written, and the one read back from its bytes
 * takes its place. While work waits nothing but continue_work is sequenced, and senders ask whether
 * they may.
 *
 * On a difference it prints the seed, the number of the command, what differs, the capacities and
 * the last commands, and ends with status 1. The same seed gives the same commands in every build
 * and on any machine: `--seed S --commands K` comes to command K again. A long fuzz also fails if
 * there is a refusal or an event that it never made happen (tally.h). */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "engine/snapshot.h"
#include "tests/fuzz/command_maker.h"
#include "tests/fuzz/compare.h"
#include "tests/fuzz/history.h"
#include "tests/fuzz/tally.h"

enum {
    COMMANDS_DEFAULT = 2000000,
    RUN_SIZE = 5000,
    COMPARE_ALL_EVERY = 250,
    STATE_HASH_EVERY = 500,
    READ_BACK_EVERY = 1501, /* so that it falls everywhere between the others */
    PROGRESS_EVERY = 20000,
};

struct fuzz {
    uint64_t seed;
    uint64_t number;  /* of the command now, from 1 */
    engine_t *engine; /* what is tried */
    engine_t *twin;   /* the same with another hash_seed */
    struct reference *reference;
    wide_t open_qty; /* what the events say all open orders add up to */
    struct command_maker maker;
    struct history history;
    struct tally tally;
    struct difference difference;
};

/* ---- saying what is wrong ---- */

static void report(const struct fuzz *f, const char *what)
{
    const struct configure *l = &f->maker.limits;
    fprintf(stderr, "\nseed %" PRIu64 ": command %" PRIu64 ": %s\n", f->seed, f->number, what);
    fprintf(stderr,
            "  limits: shard %" PRIu64 ", open_orders_max %" PRIu64 ", accounts_max %" PRIu64
            ", finished_per_account %" PRIu64 ", symbols_max %" PRIu64 ", origins_max %" PRIu64
            ", origin_window %" PRIu64 ", events_max %" PRIu64 ", anonymous %d\n",
            l->shard, l->open_orders_max, l->accounts_max, l->finished_per_account, l->symbols_max,
            l->origins_max, l->origin_window, l->events_max, l->anonymous);
    history_print(&f->history, stderr);
}

/* A CHECK of the engine aborts; the handler has no other way to what the fuzz was doing. */
static const struct fuzz *running;

static void on_abort(int signal_number)
{
    (void)signal_number;
    report(running, "aborted");
    _exit(1);
}

/* ---- one command ---- */

static void sequence(struct fuzz *f, const struct command *c)
{
    uint64_t seq = f->reference->seq + 1;
    uint64_t time_ns = f->maker.time_ns;
    struct history_entry entry = {f->number, seq, time_ns, *c};
    history_add(&f->history, &entry);
    reference_apply(f->reference, seq, time_ns, c);
    engine_prefetch(f->engine, c, ENGINE_AHEAD_INDEX);
    engine_prefetch(f->engine, c, ENGINE_AHEAD_ORDER);
    engine_prefetch(f->engine, c, ENGINE_AHEAD_NEIGHBOURS);
    engine_apply(f->engine, seq, time_ns, c);
    engine_apply(f->twin, seq, time_ns, c);
    tally_command(&f->tally, f->reference, c);
    compare_command(&f->difference, f->engine, f->reference);
    f->open_qty += compare_entered(f->engine);
}

/* Whether both let the command in; it is remembered if not. */
static bool admitted(struct fuzz *f, const struct command *c)
{
    struct admission_answer answer = engine_admit(f->engine, &c->envelope, f->maker.time_ns);
    struct reference_answer expected =
        reference_admit(f->reference, &c->envelope, f->maker.time_ns);
    compare_admission(&f->difference, &answer, &expected);
    tally_admission(&f->tally, &expected);
    return expected.admission == REFERENCE_NEXT;
}

/* One command of any kind; true if it was sequenced. */
static bool make_one(struct fuzz *f)
{
    struct command c = {0};
    bool waiting = f->reference->work.waiting;
    if (waiting && !random_once_in(&f->maker.random, 4)) {
        c.type = MESSAGE_CONTINUE_WORK;
        c.continue_work.waiting = 1;
        sequence(f, &c);
        return true;
    }
    if (!waiting && random_once_in(&f->maker.random, 100) &&
        command_maker_symbol(&f->maker, f->reference, &c)) {
        sequence(f, &c);
        return true;
    }
    command_maker_next(&f->maker, f->reference, &c);
    if ((c.envelope.origin.size > 0 && !admitted(f, &c)) || waiting) {
        struct history_entry entry = {f->number, 0, f->maker.time_ns, c};
        history_add(&f->history, &entry);
        return false;
    }
    sequence(f, &c);
    return true;
}

/* Names in other buckets, the same state; another state, another hash. */
static void make_one_and_compare_states(struct fuzz *f)
{
    uint64_t before = engine_state_hash(f->engine);
    bool sequenced = make_one(f);
    uint64_t after = engine_state_hash(f->engine);
    if (after != engine_state_hash(f->twin))
        differ(&f->difference, "the state hash depends on hash_seed");
    if (sequenced && after == before)
        differ(&f->difference, "a command did not change the state hash");
    if (!sequenced && after != before)
        differ(&f->difference, "a command that was not sequenced changed the state hash");
}

/* Go on with the engine that is read back from its bytes. */
static void read_back(struct fuzz *f)
{
    char error[ENGINE_SNAPSHOT_ERROR_SIZE];
    size_t used = 0;
    uint8_t *bytes = malloc(engine_snapshot_size_max(f->engine));
    CHECK(bytes != NULL);
    size_t size = engine_snapshot_write(f->engine, bytes);
    engine_t *again = engine_snapshot_read(bytes, size, mix(f->number), &used, error);
    free(bytes);
    if (again == NULL) {
        differ(&f->difference, "its snapshot is refused: %s", error);
        return;
    }
    if (used != size || engine_state_hash(again) != engine_state_hash(f->engine) ||
        engine_books_hash(again) != engine_books_hash(f->engine))
        differ(&f->difference, "what is read back has another state");
    engine_destroy(&f->engine);
    f->engine = again;
}

static void step(struct fuzz *f)
{
    f->tally.commands++;
    if (f->number % STATE_HASH_EVERY == 0)
        make_one_and_compare_states(f);
    else
        make_one(f);
    if (f->number % READ_BACK_EVERY == 0)
        read_back(f);
    if (f->number % COMPARE_ALL_EVERY != 0)
        return;
    compare_all(&f->difference, f->engine, f->reference);
    if (f->open_qty != compare_open(f->engine))
        differ(&f->difference, "lots were lost or invented: the events and the orders disagree");
}

/* ---- runs ---- */

static void run_begin(struct fuzz *f, uint64_t run)
{
    uint64_t run_seed = mix(f->seed ^ mix(run + 1));
    command_maker_init(&f->maker, run_seed);
    history_clear(&f->history);
    f->open_qty = 0;
    f->reference = reference_new(&f->maker.limits);
    f->engine = engine_new(&f->maker.limits, run_seed);
    f->twin = engine_new(&f->maker.limits, mix(run_seed));
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = f->maker.limits};
    sequence(f, &c);
    CHECK(command_maker_symbol(&f->maker, f->reference, &c));
    sequence(f, &c);
}

static void run_end(struct fuzz *f)
{
    engine_destroy(&f->engine);
    engine_destroy(&f->twin);
    reference_destroy(&f->reference);
}

static void show_progress(const struct fuzz *f, uint64_t commands)
{
    enum { WIDTH = 50 };
    if (!isatty(STDERR_FILENO) || (f->number % PROGRESS_EVERY != 0 && f->number != commands))
        return;
    int done = (int)(f->number * WIDTH / commands);
    fprintf(stderr, "\r[%.*s%*s] %" PRIu64 "/%" PRIu64, done,
            "##################################################", WIDTH - done, "", f->number,
            commands);
    if (f->number == commands)
        fprintf(stderr, "\n");
}

/* False: a difference was found, and reported. */
static bool run_all(struct fuzz *f, uint64_t commands)
{
    for (f->number = 1; f->number <= commands; f->number++) {
        if (f->number % RUN_SIZE == 1)
            run_begin(f, f->number / RUN_SIZE);
        step(f);
        if (f->difference.text[0] != 0) {
            report(f, f->difference.text);
            return false;
        }
        show_progress(f, commands);
        if (f->number % RUN_SIZE == 0 || f->number == commands)
            run_end(f);
    }
    return true;
}

static bool number_given(int argc, char **argv, int *at, const char *option, uint64_t *value)
{
    if (strcmp(argv[*at], option) != 0 || *at + 1 == argc)
        return false;
    char *end;
    *value = strtoull(argv[++*at], &end, 10);
    return *end == 0 && end != argv[*at];
}

int main(int argc, char **argv)
{
    uint64_t commands = COMMANDS_DEFAULT;
    uint64_t seed = mix(clock_wall_ns()) >> 16;
    for (int i = 1; i < argc; i++) {
        if (!number_given(argc, argv, &i, "--commands", &commands) &&
            !number_given(argc, argv, &i, "--seed", &seed)) {
            fprintf(stderr, "usage: engine_fuzz [--commands N] [--seed S]\n");
            return 2;
        }
    }
    printf("seed %" PRIu64 ": %" PRIu64 " commands\n", seed, commands);
    fflush(stdout);
    struct fuzz *f = calloc(1, sizeof *f);
    CHECK(f != NULL);
    f->seed = seed;
    running = f;
    signal(SIGABRT, on_abort);

    uint64_t start_ns = clock_monotonic_ns();
    bool good = run_all(f, commands);
    double seconds = (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
    if (good) {
        printf("  no difference in %.1f s: %.0f commands a second\n", seconds,
               (double)commands / seconds);
        good = tally_print(&f->tally, stdout);
    } else {
        run_end(f);
    }
    free(f);
    return good ? 0 : 1;
}
