/* A back-test behind sockets: the clock goes where the client lets it, what happens is heard in
 * order, and whoever leaves the protocol is told. The server is a thread of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "backtest/serve.h"
#include "proto/frame.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/services/orders.h"
#include "tests/unit/services/trial.h"

enum { PATIENCE_MS = 20000, SHORT_MS = 200 };

#define REPLY "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

static struct trial *trial; /* what was recorded */
static struct cluster cluster;
static struct serve_options options;
static struct serve_outcome outcome;
static char error[SERVE_ERROR_SIZE];

/* ---- the client ---- */

static struct client {
    void *context, *push, *sub;
    uint64_t request_id, origin_seq;
    unsigned book, account, results; /* frames heard before the last answer */
    uint64_t deleted;                /* the order a `delete` named last */
    struct result result;            /* the last one */
} client;

static void connect_at(void *socket, const char *what)
{
    char address[256];
    snprintf(address, sizeof address, "ipc://%s/%d.%s", cluster.settings.run_dir, TRIAL_SHARD,
             what);
    assert_int_equal(zmq_connect(socket, address), 0);
}

static void subscribe(const char *topic)
{
    assert_int_equal(zmq_setsockopt(client.sub, ZMQ_SUBSCRIBE, topic, strlen(topic) + 1), 0);
}

static void client_come(void)
{
    int none = 0, patience = PATIENCE_MS;
    client = (struct client){.context = zmq_ctx_new()};
    client.push = zmq_socket(client.context, ZMQ_PUSH);
    client.sub = zmq_socket(client.context, ZMQ_SUB);
    zmq_setsockopt(client.push, ZMQ_LINGER, &patience, sizeof patience);
    zmq_setsockopt(client.sub, ZMQ_LINGER, &none, sizeof none);
    zmq_setsockopt(client.sub, ZMQ_RCVTIMEO, &patience, sizeof patience);
    connect_at(client.push, "requests");
    connect_at(client.sub, "public");
    subscribe("l3." TRIAL_SYMBOL);
    subscribe("acct.a");
    subscribe("ack.gw");
    subscribe("re." REPLY);
}

static void client_go(void)
{
    zmq_close(client.push);
    zmq_close(client.sub);
    zmq_ctx_term(client.context);
}

static void push(const void *bytes, size_t size)
{
    assert_int_equal(zmq_send(client.push, bytes, size, 0), (int)size);
}

static void ask(const struct request *q)
{
    uint8_t bytes[RESEND_SIZE_MAX + 1];
    struct wire_writer w = {bytes};
    request_write(&w, q);
    push(bytes, (size_t)(w.at - bytes));
}

static void ask_advance(const char *reply, uint64_t wake_ns)
{
    ask(&(struct request){.type = MESSAGE_ADVANCE,
                          .advance = {text_of(reply), ++client.request_id, wake_ns}});
}

static void send_command(struct command c)
{
    static struct message m;
    message_clear(&m);
    message_put(&m, &c, envelope_of("gw", 1, ++client.origin_seq));
    push(m.bytes, m.size);
}

static void take_event(uint64_t type, struct wire_reader *fields, struct advanced *answer)
{
    struct delete deleted;
    if (type == MESSAGE_ADVANCED) {
        advanced_get_fields(fields, answer);
    } else if (type == MESSAGE_RESULT) {
        result_get_fields(fields, &client.result);
    } else if (type == MESSAGE_DELETE) {
        delete_get_fields(fields, &deleted);
        client.deleted = deleted.order_id;
    }
}

/* Ask, and take in all that comes before the answer. */
static struct advanced advance(uint64_t wake_ns)
{
    struct advanced answer = {0};
    client.book = client.account = client.results = 0;
    ask_advance(REPLY, wake_ns);
    for (bool answered = false; !answered;) {
        uint8_t message[4096];
        struct frame_reader f;
        int size = zmq_recv(client.sub, message, sizeof message, 0);
        assert_true(size > 0 && size <= (int)sizeof message);
        assert_int_equal(frame_read(&f, message, (size_t)size), FRAME_READ_OK);
        answered = f.head.type == FRAME_REPLY;
        client.book += memcmp(message, "l3.", 3) == 0;
        client.account += memcmp(message, "acct.", 5) == 0;
        client.results += memcmp(message, "ack.", 4) == 0;
        uint64_t type;
        struct wire_reader fields;
        while (frame_next_group(&f)) {
            while (frame_next_event(&f, &type, &fields))
                take_event(type, &fields, &answer);
        }
    }
    return answer;
}

static void goes_to(uint64_t wake_ns, uint64_t time_ns, unsigned book, unsigned results)
{
    struct advanced answer = advance(wake_ns);
    assert_int_equal(answer.time_ns, time_ns);
    assert_int_equal(client.book, book);
    assert_int_equal(client.results, results);
    assert_false(answer.over);
}

static void is_over_at(uint64_t time_ns)
{
    struct advanced answer = advance(0);
    assert_int_equal(answer.time_ns, time_ns);
    assert_true(answer.over);
}

/* ---- the back-test ---- */

static int open_all(void **state)
{
    char *arguments[] = {"test", NULL}, words[CONFIG_ERROR_SIZE];
    int count = 1;
    scratch_open(state);
    assert_true(cluster_load(&cluster, &count, arguments, words));
    snprintf(cluster.settings.run_dir, sizeof cluster.settings.run_dir, "%s", scratch_path());
    trial = trial_open(RECORDING_COMMANDS, NULL);
    options = (struct serve_options){
        .recording = trial->recording, .cluster = &cluster, .patience_ms = PATIENCE_MS};
    return 0;
}

static int close_all(void **state)
{
    result_log_destroy(&outcome.log);
    trial_close();
    return scratch_close(state);
}

static void *be_server(void *status)
{
    *(enum status *)status = serve_run(&options, &outcome, error);
    return NULL;
}

/* Serve what was recorded to a client that does this. */
static enum status serve(void (*claim)(void))
{
    pthread_t thread;
    enum status status;
    recording_seal(trial->recording);
    assert_int_equal(pthread_create(&thread, NULL, be_server, &status), 0);
    client_come();
    claim();
    client_go();
    pthread_join(thread, NULL);
    return status;
}

static void assert_well(enum status status)
{
    assert_string_equal(error, "");
    assert_int_equal(status, STATUS_OK);
}

static void assert_told(enum status status, const char *words)
{
    assert_int_equal(status, STATUS_INVALID);
    if (strstr(error, words) == NULL)
        fail_msg("%s: found \"%s\"", words, error);
}

/* ---- the clock ---- */

static void wakes_and_hears(void)
{
    goes_to(5, 5, 0, 0);
    goes_to(3, 5, 0, 0); /* it does not go back */
    goes_to(15, 10, 1, 0);
    goes_to(15, 15, 0, 0);
    goes_to(20, 20, 1, 0); /* what is recorded comes before who wants to be woken */
    goes_to(20, 20, 0, 0);
    goes_to(0, 30, 1, 0);
    is_over_at(30);
    is_over_at(30);
}

static void clock_goes_to_what_happens_or_is_asked_for(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    trial_limit(20, SIDE_SELL, 102, 5);
    trial_ioc(30, SIDE_SELL, 100, 2);
    assert_well(serve(wakes_and_hears));
    assert_int_equal(outcome.recorded, 4); /* its symbol, too */
    assert_int_equal(outcome.commands, 0);
    assert_null(outcome.log);
}

static void wakes_at_the_end(void)
{
    goes_to(0, 10, 1, 0);
    goes_to(0, 20, 1, 0);
    goes_to(20, 20, 0, 0);
    is_over_at(20);
}

static void timer_of_the_last_moment_comes_before_the_end(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    trial_limit(20, SIDE_SELL, 102, 5);
    assert_well(serve(wakes_at_the_end));
}

static void orders_at_once(void)
{
    goes_to(0, 10, 1, 0);
    send_command(new_order_of(SIDE_BUY, 100, 3));
    goes_to(0, 10, 1, 1);
    assert_int_equal(client.account, 1);
    assert_int_equal(client.result.code, 0);
    goes_to(0, 20, 1, 0); /* the recorded one is filled first */
    assert_int_equal(client.account, 0);
    goes_to(0, 30, 1, 0);
    assert_int_equal(client.account, 1);
    is_over_at(30);
}

static void order_without_latency_goes_in_before_the_clock_goes_on(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    trial_ioc(20, SIDE_SELL, 100, 5);
    trial_ioc(30, SIDE_SELL, 100, 3);
    assert_well(serve(orders_at_once));
    assert_int_equal(outcome.commands, 1);
    assert_non_null(outcome.log);
    assert_int_equal(outcome.figures->ledger.position, 3);
    assert_int_equal(outcome.figures->orders, 1);
    assert_int_equal(outcome.figures->fills, 1);
    assert_string_equal(outcome.spec.account, "a");
    size_t count;
    const struct result_order *order = result_log_orders(outcome.log, &count);
    assert_int_equal(count, 1);
    assert_int_equal(order->ahead, 5);
    assert_int_equal(order->placed_ns, 10);
    assert_int_equal(order->filled_ns, 30);
}

static void orders_on_their_way(void)
{
    goes_to(0, 10, 1, 0);
    send_command(new_order_of(SIDE_BUY, 99, 3));
    goes_to(15, 15, 0, 0);
    send_command(new_order_of(SIDE_BUY, 98, 3)); /* arrives when the recorded one does */
    goes_to(0, 20, 1, 1);
    goes_to(25, 25, 1, 0);
    goes_to(25, 25, 1, 1);
    goes_to(25, 25, 0, 0);
    send_command(mass_cancel_of("a"));
    is_over_at(30);
    struct advanced answer = advance(0); /* it goes on for what is on its way */
    assert_int_equal(answer.time_ns, 35);
    assert_int_equal(client.results, 1);
    assert_int_equal(client.result.count, 2);
    is_over_at(35);
}

static void order_arrives_after_its_latency(void **state)
{
    (void)state;
    options.order_latency.constant_ns = 10;
    trial_limit(10, SIDE_BUY, 100, 5);
    trial_limit(25, SIDE_SELL, 102, 5);
    trial_ioc(30, SIDE_SELL, 500, 2); /* nobody hears of it */
    assert_well(serve(orders_on_their_way));
    size_t count;
    const struct result_order *orders = result_log_orders(outcome.log, &count);
    assert_int_equal(count, 2);
    assert_int_equal(orders[1].placed_ns, 15);
    assert_int_equal(orders[1].rested_ns, 25);
    assert_int_equal(orders[1].done_ns, 35);
}

/* ---- the recording ---- */

static void stands_between(void)
{
    goes_to(0, 10, 1, 0);
    send_command(new_order_of(SIDE_BUY, 99, 3));
    goes_to(0, 10, 1, 1);
    uint64_t ours = client.result.order_id;
    goes_to(0, 20, 1, 0);
    goes_to(0, 30, 1, 0);
    assert_int_equal(client.deleted, ours + 1);
    is_over_at(40);
}

static void recorded_cancel_finds_its_order_behind_ours(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    uint64_t later = trial_limit(20, SIDE_BUY, 98, 5);
    trial_cancel(30, later);
    trial_cancel(40, later); /* it is gone: refused now as then */
    assert_well(serve(stands_between));
    assert_int_equal(outcome.refused, 1);
}

static void refused_ones(void)
{
    goes_to(0, 10, 1, 0);
    struct command c = new_order_of(SIDE_BUY, 100, 3);
    c.new_order.symbol = text_of("NONE");
    send_command(c);
    goes_to(0, 10, 0, 1);
    assert_int_equal(client.result.code, REJECT_UNKNOWN_SYMBOL);
    c = new_order_of(SIDE_BUY, 100, 0);
    send_command(c);
    goes_to(0, 10, 0, 1);
    assert_int_equal(client.result.code, REJECT_INVALID_QUANTITY);
    is_over_at(10);
}

static void refused_order_of_the_symbol_is_one(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    assert_well(serve(refused_ones));
    size_t count;
    const struct result_order *order = result_log_orders(outcome.log, &count);
    assert_int_equal(count, 1);
    assert_int_equal(order->reason, REJECT_INVALID_QUANTITY);
    assert_int_equal(outcome.figures->refused, 1);
}

/* ---- who leaves the protocol ---- */

static void says_nonsense(void)
{
    push("hello", 5);
}

static void asks_as_two(void)
{
    ask_advance(REPLY, 1);
    ask_advance(OTHER, 1);
}

static void asks_twice(void)
{
    ask_advance(OTHER, 1); /* to which it does not listen: no answer can come before the next */
    ask_advance(OTHER, 1);
}

static void asks_a_matcher(void)
{
    ask(&(struct request){.type = MESSAGE_RESUME, .resume = {text_of(REPLY), 1}});
}

static void client_that_leaves_the_protocol_is_told(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    assert_told(serve(says_nonsense), "found what nobody can read at byte 0");
    assert_told(serve(asks_as_two), "two clients let the clock go on");
    assert_told(serve(asks_twice), "before the answer to the last (1)");
    assert_told(serve(asks_a_matcher), "request of type 34");
}

static void goes_quiet(void)
{
    goes_to(5, 5, 0, 0);
    uint8_t byte; /* for ever, as far as the server knows */
    int longer = 10 * SHORT_MS;
    zmq_setsockopt(client.sub, ZMQ_RCVTIMEO, &longer, sizeof longer);
    assert_int_equal(zmq_recv(client.sub, &byte, 1, 0), -1);
}

static void silent_client_is_given_up(void **state)
{
    (void)state;
    options.patience_ms = SHORT_MS;
    trial_limit(10, SIDE_BUY, 100, 5);
    assert_told(serve(goes_quiet), "has said nothing for 0.2 s, and is given up at 5 ns");
}

/* ---- programs ---- */

static enum status serve_program(char *const *program)
{
    options.program = program;
    return serve_run(&options, &outcome, error);
}

static void program_that_ends_is_the_outcome(void **state)
{
    (void)state;
    trial_limit(10, SIDE_BUY, 100, 5);
    recording_seal(trial->recording);
    char *const well[] = {"sh", "-c", "test \"$OUTCRY_VIRTUAL_TIME$OUTCRY_SYMBOL\" = 1BTC-USD",
                          NULL};
    char *const failed[] = {"sh", "-c", "exit 3", NULL};
    char *const killed[] = {"sh", "-c", "kill -9 $$", NULL};
    char *const absent[] = {"/there/is/none", NULL};
    assert_well(serve_program(well));
    assert_int_equal(outcome.program_status, 0);
    assert_well(serve_program(failed));
    assert_int_equal(outcome.program_status, 3);
    assert_well(serve_program(killed));
    assert_int_equal(outcome.program_status, 128 + 9);
    assert_well(serve_program(absent));
    assert_int_equal(outcome.program_status, 127);
}

static void program_that_hangs_is_ended(void **state)
{
    (void)state;
    options.patience_ms = SHORT_MS;
    trial_limit(10, SIDE_BUY, 100, 5);
    recording_seal(trial->recording);
    char *const program[] = {"sleep", "600", NULL};
    assert_told(serve_program(program), "sleep has said nothing for 0.2 s");
    assert_int_equal(outcome.program_status, 128 + 15);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLAIM(clock_goes_to_what_happens_or_is_asked_for),
        CLAIM(timer_of_the_last_moment_comes_before_the_end),
        CLAIM(order_without_latency_goes_in_before_the_clock_goes_on),
        CLAIM(order_arrives_after_its_latency),
        CLAIM(recorded_cancel_finds_its_order_behind_ours),
        CLAIM(refused_order_of_the_symbol_is_one),
        CLAIM(client_that_leaves_the_protocol_is_told),
        CLAIM(silent_client_is_given_up),
        CLAIM(program_that_ends_is_the_outcome),
        CLAIM(program_that_hangs_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
