/* node: the duty cycle, over real sockets, with a service and a journal that do as the test says.
 * Nothing sleeps: a cycle waits for its inputs by itself. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "node/node.h"
#include "tests/unit/base/death.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/node/fake_journal.h"

enum { PATIENCE_MS = 10000, SEEN_MAX = 256 };

/* ---- a service ---- */

struct seen {
    unsigned input;
    char text[32];
    uint64_t batch;
};

struct fixture {
    struct outbox outbox;
    struct service service;
    struct journal journal;
    node_t *node;
    uint64_t now_ns;
    uint64_t batch;
    bool journals;     /* every message is a command */
    unsigned take_max; /* messages a batch takes; the next is too much */
    unsigned taken;
    unsigned begins, ends;
    struct seen seen[SEEN_MAX];
    unsigned seen_count;
    unsigned subscriptions;
    unsigned patience_ms;
    unsigned reports;
    struct node_watch watch;
    unsigned turned, watched_reports;
    bool stops; /* asks the process to end */
    void *context;
    void *push[2], *sub; /* the other ends */
};

static struct fixture fixture;

static void on_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    struct fixture *f = self;
    assert_true(f->begins == f->ends && now_ns >= f->now_ns);
    f->begins++;
    f->now_ns = now_ns;
    f->batch = f->outbox.batch = batch;
    f->taken = 0;
    if (f->stops)
        kill(getpid(), SIGTERM);
}

/* Every message is answered on output 0 with itself. */
static enum intake on_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    struct fixture *f = self;
    assert_int_equal(f->begins, f->ends + 1);
    if (f->taken == f->take_max)
        return INTAKE_FULL;
    f->taken++;
    assert_true(f->seen_count < SEEN_MAX);
    struct seen *s = &f->seen[f->seen_count++];
    *s = (struct seen){.input = input, .batch = f->batch};
    assert_true(size < sizeof s->text);
    memcpy(s->text, message, size);
    uint8_t *out = outbox_reserve(&f->outbox, size);
    memcpy(out, message, size);
    outbox_commit(&f->outbox, 0, size);
    return INTAKE_MORE;
}

static bool on_end(void *self, struct journal_batch *batch)
{
    struct fixture *f = self;
    f->ends++;
    batch->count = f->taken;
    return f->journals && f->taken > 0;
}

static void on_subscription(void *self, unsigned output, const uint8_t *message, size_t size)
{
    struct fixture *f = self;
    assert_int_equal(output, 0);
    assert_true(size >= 1 && message[0] <= 1);
    f->subscriptions++;
}

static unsigned on_patience(void *self)
{
    return ((struct fixture *)self)->patience_ms;
}

static void on_report(void *self)
{
    ((struct fixture *)self)->reports++;
}

static void address_of(char *address, unsigned number)
{
    sprintf(address, "ipc://%s/%u", scratch_path(), number);
}

/* Two PULL inputs of these budgets, one XPUB. */
static void open(struct fixture *f, journal_t *journal, unsigned budget0, unsigned budget1)
{
    char error[ENDPOINT_ERROR_SIZE], address[64];
    const unsigned budgets[] = {budget0, budget1};
    f->node = node_new(&f->service, journal, 0);
    node_watch(f->node, &f->watch);
    for (unsigned i = 0; i < 2; i++) {
        address_of(address, i);
        assert_non_null(node_open_input(f->node, ENDPOINT_PULL, "in", address, budgets[i], error));
        f->push[i] = endpoint_open(f->context, ENDPOINT_PUSH, address, error);
    }
    address_of(address, 2);
    assert_non_null(node_open_output(f->node, ENDPOINT_XPUB, "out", address, error));
    f->sub = endpoint_open(f->context, ENDPOINT_SUB, address, error);
    endpoint_subscribe_prefix(f->sub, "");
    while (f->subscriptions == 0)
        node_cycle(f->node);
}

static int setup_any(void **state)
{
    struct fixture *f = &fixture;
    memset(f, 0, sizeof *f);
    scratch_open(state);
    outbox_init(&f->outbox, 1 << 16);
    f->service = (struct service){
        .self = f,
        .outbox = &f->outbox,
        .commands_input = SERVICE_NO_COMMANDS,
        .begin = on_begin,
        .receive = on_receive,
        .end = on_end,
        .subscription = on_subscription,
        .patience_ms = on_patience,
        .report = on_report,
    };
    f->journal.commits_at_once = true;
    f->take_max = 1000;
    f->patience_ms = 20;
    f->context = zmq_ctx_new();
    *state = f;
    return 0;
}

static int setup(void **state)
{
    setup_any(state);
    open(*state, &((struct fixture *)*state)->journal, 100, 100);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    endpoint_close(&f->push[0]);
    endpoint_close(&f->push[1]);
    endpoint_close(&f->sub);
    node_destroy(&f->node);
    assert_null(f->node);
    node_destroy(&f->node); /* once more is no harm */
    zmq_ctx_term(f->context);
    outbox_close(&f->outbox);
    return scratch_close(state);
}

/* ---- what tests do ---- */

static void send(struct fixture *f, unsigned input, const char *text)
{
    zmq_pollitem_t item = {.socket = f->push[input], .events = ZMQ_POLLOUT};
    assert_int_equal(zmq_poll(&item, 1, PATIENCE_MS), 1);
    assert_int_equal(zmq_send(f->push[input], text, strlen(text), 0), strlen(text));
}

/* Cycles until the service has seen so many messages in all. */
static void cycle_until(struct fixture *f, unsigned seen)
{
    for (unsigned i = 0; f->seen_count < seen; i++) {
        assert_true(i < 2000);
        assert_int_equal(node_cycle(f->node), STATUS_OK);
    }
}

static bool published(struct fixture *f, long patience_ms, char *text)
{
    zmq_pollitem_t item = {.socket = f->sub, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, patience_ms) == 0)
        return false;
    int size = zmq_recv(f->sub, text, 31, 0);
    assert_true(size >= 0 && size < 32);
    text[size] = '\0';
    return true;
}

static void assert_published(struct fixture *f, const char *expected)
{
    char text[32] = "nothing";
    assert_true(published(f, PATIENCE_MS, text));
    assert_string_equal(text, expected);
}

/* Time for what was sent to arrive: cycles that take nothing. */
static void wait_for_arrival(struct fixture *f)
{
    f->take_max = 0;
    for (unsigned i = 0; i < 50; i++)
        node_cycle(f->node);
    f->take_max = 1000;
}

/* ---- the cycle ---- */

static void a_message_is_received_and_what_follows_is_sent(void **state)
{
    struct fixture *f = *state;
    send(f, 0, "one");
    cycle_until(f, 1);
    assert_published(f, "one");
    send(f, 1, "two");
    cycle_until(f, 2);
    assert_published(f, "two");
    assert_true(f->seen[0].input == 0 && f->seen[1].input == 1);
    assert_string_equal(f->seen[1].text, "two");
    assert_true(f->begins == f->ends && f->begins >= 2);
}

static void batches_are_numbered_as_they_are_journaled(void **state)
{
    struct fixture *f = *state;
    f->journals = true;
    for (unsigned i = 0; i < 3; i++) {
        send(f, 0, "x");
        cycle_until(f, i + 1);
        assert_true(f->seen[i].batch == i + 1);
        assert_true(f->journal.last_number == i + 1 && f->journal.last.count == 1);
        node_cycle(f->node); /* an idle one: nothing to journal, no number used up */
    }
    assert_int_equal(f->journal.offered, 3);
}

static void what_is_not_journaled_goes_out_at_once(void **state)
{
    struct fixture *f = *state;
    f->journal.commits_at_once = false;
    send(f, 0, "x");
    cycle_until(f, 1);
    assert_published(f, "x");
}

static void nothing_goes_out_before_its_batch_is_committed(void **state)
{
    struct fixture *f = *state;
    char text[32];
    f->journals = true;
    f->journal.commits_at_once = false;
    send(f, 0, "one");
    cycle_until(f, 1);
    f->journals = false;
    send(f, 0, "question"); /* not a command, but it knows of them */
    cycle_until(f, 2);
    assert_false(published(f, 20, text));
    f->journal.committed = 1;
    node_cycle(f->node);
    assert_published(f, "one");
    assert_published(f, "question");
}

static void without_a_journal_everything_goes_out_at_once(void **state)
{
    struct fixture *f = *state;
    open(f, NULL, 100, 100);
    send(f, 0, "x");
    cycle_until(f, 1);
    assert_published(f, "x");
}

static void a_batch_the_journal_has_no_space_for_is_offered_again(void **state)
{
    struct fixture *f = *state;
    char text[32];
    f->journals = true;
    f->journal.full = 3;
    send(f, 0, "one");
    while (f->journal.offered == 0)
        node_cycle(f->node);
    unsigned begins = f->begins;
    send(f, 1, "two"); /* waits */
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(node_cycle(f->node), STATUS_OK);
    assert_true(f->begins == begins && f->seen_count == 1);
    assert_true(f->journal.last_number == 1 && f->journal.last.count == 1);
    assert_false(published(f, 20, text));
    assert_int_equal(node_cycle(f->node), STATUS_OK);
    assert_published(f, "one");
    cycle_until(f, 2);
    assert_published(f, "two");
    assert_true(f->seen[1].batch == 2);
}

static void what_a_broken_journal_did_not_keep_is_never_heard(void **state)
{
    struct fixture *f = *state;
    char text[32];
    enum status status = STATUS_OK;
    f->journals = true;
    f->journal.broken = true;
    send(f, 0, "lost");
    while (f->journal.offered == 0)
        status = node_cycle(f->node);
    assert_int_equal(status, STATUS_IO);
    assert_false(published(f, 20, text));
}

/* ---- inputs ---- */

static void an_input_has_its_budget_and_then_the_next_has_its_turn(void **state)
{
    struct fixture *f = *state;
    open(f, &f->journal, 3, 1);
    for (unsigned i = 0; i < 7; i++)
        send(f, 0, "a");
    for (unsigned i = 0; i < 2; i++)
        send(f, 1, "b");
    wait_for_arrival(f);
    unsigned from = 0;
    node_cycle(f->node);
    for (unsigned cycles = 0; f->seen_count < 9; cycles++) {
        unsigned counts[2] = {0, 0};
        assert_true(cycles < 2000);
        for (; from < f->seen_count; from++) {
            counts[f->seen[from].input]++;
            assert_true(f->seen[from].input == 0 || counts[0] <= 3);
        }
        assert_true(counts[0] <= 3 && counts[1] <= 1);
        node_cycle(f->node);
    }
}

static void a_message_that_did_not_fit_is_offered_first_the_next_time(void **state)
{
    struct fixture *f = *state;
    f->take_max = 2;
    static const char *const texts[] = {"1", "2", "3", "4", "5"};
    for (unsigned i = 0; i < 5; i++)
        send(f, 0, texts[i]);
    cycle_until(f, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_string_equal(f->seen[i].text, texts[i]);
}

static void a_full_batch_does_not_keep_other_inputs_from_being_asked(void **state)
{
    struct fixture *f = *state;
    f->take_max = 0;
    send(f, 0, "a");
    for (unsigned i = 0; i < 20; i++)
        node_cycle(f->node); /* "a" is held */
    f->take_max = 1;
    send(f, 1, "b");
    cycle_until(f, 2);
    assert_string_equal(f->seen[0].text, "a");
    assert_string_equal(f->seen[1].text, "b");
}

static void a_message_of_several_parts_is_a_strangers_and_comes_as_nothing(void **state)
{
    struct fixture *f = *state;
    send(f, 0, "before");
    cycle_until(f, 1);
    for (unsigned part = 0; part < 3; part++)
        zmq_send(f->push[0], "part", 4, part < 2 ? ZMQ_SNDMORE : 0);
    send(f, 0, "after");
    cycle_until(f, 3);
    assert_string_equal(f->seen[1].text, "");
    assert_string_equal(f->seen[2].text, "after");
}

static void a_service_need_not_care_for_subscriptions(void **state)
{
    struct fixture *f = *state;
    char error[ENDPOINT_ERROR_SIZE], address[64];
    f->service.subscription = NULL;
    f->node = node_new(&f->service, NULL, 0);
    address_of(address, 0);
    assert_non_null(node_open_input(f->node, ENDPOINT_PULL, "in", address, 10, error));
    f->push[0] = endpoint_open(f->context, ENDPOINT_PUSH, address, error);
    address_of(address, 2);
    assert_non_null(node_open_output(f->node, ENDPOINT_XPUB, "out", address, error));
    f->sub = endpoint_open(f->context, ENDPOINT_SUB, address, error);
    endpoint_subscribe_prefix(f->sub, "");
    char text[32];
    for (unsigned i = 1; !published(f, 0, text); i++) { /* until the subscription is there */
        send(f, 0, "x");
        cycle_until(f, i);
    }
}

static void an_address_that_cannot_be_opened_is_told(void **state)
{
    struct fixture *f = *state;
    char error[ENDPOINT_ERROR_SIZE] = "";
    assert_null(node_open_input(f->node, ENDPOINT_PULL, "in", "ipc:///nowhere/x", 1, error));
    assert_string_equal(error, "cannot listen at ipc:///nowhere/x: the directory does not exist");
    error[0] = '\0';
    assert_null(node_open_output(f->node, ENDPOINT_XPUB, "out", "ipc:///nowhere/x", error));
    assert_string_equal(error, "cannot listen at ipc:///nowhere/x: the directory does not exist");
    send(f, 0, "x"); /* and the node goes on without it */
    cycle_until(f, 1);
    assert_published(f, "x");
}

static void the_service_is_asked_to_report_and_not_all_the_time(void **state)
{
    struct fixture *f = *state;
    f->patience_ms = 0;
    unsigned before = f->begins;
    while (f->begins < before + 100)
        node_cycle(f->node);
    assert_true(f->reports >= 1 && f->reports < 20); /* about once a second */
}

/* ---- what is counted ---- */

static void on_turned(void *self)
{
    ((struct fixture *)self)->turned++;
}

static void on_watched_report(void *self)
{
    struct fixture *f = self;
    assert_true(f->reports > 0); /* behind the service's own */
    f->watched_reports++;
}

static void assert_line(const metrics_t *m, const char *line)
{
    static char text[1 << 14];
    char whole[256];
    text[metrics_write(m, text, sizeof text - 1)] = '\0';
    snprintf(whole, sizeof whole, "\n%s\n", line);
    assert_non_null(strstr(text, whole));
}

static void turns_messages_and_commits_are_counted(void **state)
{
    struct fixture *f = *state;
    metrics_t *m = metrics_new(metric_families, FAMILY_COUNT);
    char line[64];
    f->journals = true;
    f->journal.commits_at_once = false;
    f->watch = (struct node_watch){.metrics = m,
                                   .commit = metrics_series(m, FAMILY_JOURNAL_COMMIT, "0"),
                                   .turned = on_turned,
                                   .report = on_watched_report,
                                   .self = f};
    open(f, &f->journal, 100, 100);
    send(f, 0, "one");
    send(f, 1, "two");
    cycle_until(f, 2);
    f->journals = false;
    assert_line(m, "outcry_node_messages_total{input=\"in\"} 2");
    assert_line(m, "outcry_node_sent_total{output=\"out\"} 0");
    assert_line(m, "outcry_journal_commit_seconds_count{shard=\"0\"} 0");
    snprintf(line, sizeof line, "outcry_node_outbox_bytes %u",
             (unsigned)(f->outbox.tail - f->outbox.head));
    assert_true(f->outbox.tail > f->outbox.head);
    assert_line(m, line);
    f->journal.committed = f->journal.appended;
    node_cycle(f->node);
    assert_published(f, "one");
    assert_published(f, "two");
    assert_line(m, "outcry_node_sent_total{output=\"out\"} 2");
    assert_line(m, "outcry_node_outbox_bytes 0");
    assert_line(m, "outcry_node_batch_messages_sum 2");
    snprintf(line, sizeof line, "outcry_journal_commit_seconds_count{shard=\"0\"} %u",
             (unsigned)f->journal.appended);
    assert_line(m, line);
    snprintf(line, sizeof line, "outcry_node_cycles_total %u", f->turned);
    assert_line(m, line);
    assert_true(f->turned >= 2 && f->watched_reports >= 1);
    node_destroy(&f->node);
    metrics_destroy(&m);
}

/* ---- the loop ---- */

static void run(void *self)
{
    struct fixture *f = self;
    f->stops = true;
    f->patience_ms = 0;
    f->node = node_new(&f->service, NULL, 0);
    enum status status = node_run(f->node);
    fprintf(stderr, "ended with %d after %u", (int)status, f->begins);
    node_destroy(&f->node);
    exit(EXIT_SUCCESS);
}

static void a_signal_ends_the_loop_when_its_batch_is_whole(void **state)
{
    struct fixture *f = *state;
    struct death d = death_of(run, f);
    assert_string_equal(d.words, "ended with 0 after 1");
    assert_int_equal(d.status, EXIT_SUCCESS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define OWN(name)  cmocka_unit_test_setup_teardown(name, setup_any, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_received_and_what_follows_is_sent),
        TEST(batches_are_numbered_as_they_are_journaled),
        TEST(what_is_not_journaled_goes_out_at_once),
        TEST(nothing_goes_out_before_its_batch_is_committed),
        OWN(without_a_journal_everything_goes_out_at_once),
        TEST(a_batch_the_journal_has_no_space_for_is_offered_again),
        TEST(what_a_broken_journal_did_not_keep_is_never_heard),
        OWN(an_input_has_its_budget_and_then_the_next_has_its_turn),
        TEST(a_message_that_did_not_fit_is_offered_first_the_next_time),
        TEST(a_full_batch_does_not_keep_other_inputs_from_being_asked),
        TEST(a_message_of_several_parts_is_a_strangers_and_comes_as_nothing),
        OWN(a_service_need_not_care_for_subscriptions),
        TEST(an_address_that_cannot_be_opened_is_told),
        TEST(the_service_is_asked_to_report_and_not_all_the_time),
        OWN(turns_messages_and_commits_are_counted),
        OWN(a_signal_ends_the_loop_when_its_batch_is_whole),
    };
#undef TEST
#undef OWN
    return cmocka_run_group_tests(tests, NULL, NULL);
}
