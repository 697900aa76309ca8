/* serve: its life: sockets, what comes in by them, the end. */
#include "backtest/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

#include "backtest/serve_parts.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"
#include "bus/endpoint.h"
#include "proto/names.h"

enum { COMMANDS, REQUESTS, PRIVATE, PUBLIC };

static const char *const kinds[SERVE_ADDRESSES] = {"commands", "requests", "private", "public"};

/* Signals can only speak to globals. */
static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    (void)signal;
    interrupted = 1;
}

void serve_fail(struct serve *s, enum status status, const char *words, ...)
{
    if (s->status != STATUS_OK)
        return;
    s->status = status;
    va_list arguments;
    va_start(arguments, words);
    vsnprintf(s->error, SERVE_ERROR_SIZE, words, arguments);
    va_end(arguments);
}

/* ---- what is said ---- */

/* Waits for a reader that is slow: a frame that is lost would be another run. */
void serve_send(struct serve *s, const uint8_t *message, size_t size)
{
    if (s->xpub == NULL || zmq_send(s->xpub, message, size, 0) >= 0 || interrupted)
        return;
    serve_fail(s, STATUS_INVALID, "a client does not take in what it has asked to hear: %s",
               errno == EAGAIN ? "its queue was full for too long" : zmq_strerror(errno));
}

static bool stops_clock(const uint8_t *message, size_t size)
{
    struct text topic = frame_topic(message, size);
    bool reply = topic.size > 3 && memcmp(topic.data, "re.", 3) == 0;
    return !reply && !text_equal(topic, text_of("hb"));
}

static void on_frame(void *self, const uint8_t *message, size_t size)
{
    struct serve *s = self;
    if (s->begun)
        client_log_frame(&s->log, message, size);
    if (!listeners_hear(&s->listeners, message, size))
        return;
    if (stops_clock(message, size))
        s->heard = true;
    serve_send(s, message, size);
}

/* ---- what is heard: subscriptions ---- */

static bool is_driver(const struct serve *s, const uint8_t *message, size_t size)
{
    return s->driven && size == 1 + 3 + REPLY_SIZE + 1 && memcmp(message + 1, "re.", 3) == 0 &&
           memcmp(message + 4, s->driver, REPLY_SIZE) == 0;
}

/* Time does not pass by itself here, so who wants heartbeats hears one at once. */
static void take_subscription(struct serve *s, const uint8_t *message, size_t size)
{
    static const uint8_t heartbeats[] = {1, 'h', 'b', 0};
    if (!listeners_take(&s->listeners, message, size))
        serve_fail(s, STATUS_INVALID,
                   "a client's subscription: found one too many (%u), or longer than a topic",
                   s->listeners.count);
    virtual_matcher_subscription(&s->market, message, size);
    if (size == sizeof heartbeats && memcmp(message, heartbeats, size) == 0)
        virtual_matcher_heartbeat(&s->market);
    if (size > 0 && message[0] == 0 && is_driver(s, message, size)) {
        s->driven = false;
        s->asked = false;
        s->gone = true;
    }
}

static bool driver_listens(const struct serve *s)
{
    uint8_t topic[3 + REPLY_SIZE + 1] = "re.";
    memcpy(topic + 3, s->driver, REPLY_SIZE);
    return listeners_hear(&s->listeners, topic, sizeof topic);
}

/* ---- what is heard: commands and requests ---- */

static void take_advance(struct serve *s, const struct advance *m)
{
    if (!name_is_reply(m->reply)) {
        serve_fail(s, STATUS_INVALID,
                   "a client's advance: found reply \"%.*s\", expected %d "
                   "hexadecimal digits",
                   (int)m->reply.size, m->reply.data, REPLY_SIZE);
    } else if (s->driven && memcmp(m->reply.data, s->driver, REPLY_SIZE) != 0) {
        serve_fail(s, STATUS_INVALID,
                   "two clients let the clock go on (%.*s and %.*s): expected one", REPLY_SIZE,
                   s->driver, REPLY_SIZE, m->reply.data);
    } else if (s->asked) {
        serve_fail(s, STATUS_INVALID,
                   "a client's advance: found another (request_id %" PRIu64
                   ") before the answer to the last (%" PRIu64 ")",
                   m->request_id, s->advance.request_id);
    } else {
        memcpy(s->driver, m->reply.data, REPLY_SIZE);
        s->driven = true;
        s->gone = false;
        s->asked = true;
        s->advance = *m;
        s->advance.reply = (struct text){s->driver, REPLY_SIZE};
    }
}

/* False: it is no request. */
static bool take_request(struct serve *s, const uint8_t *message, size_t size)
{
    struct request q;
    const uint8_t *at = message;
    if (request_read(&at, message + size, &q) != COMMAND_READ_OK || at != message + size ||
        q.type < MESSAGE_RESEND || q.type > MESSAGE_ADVANCE)
        return false;
    if (q.type == MESSAGE_ADVANCE)
        take_advance(s, &q.advance);
    else if (q.type == MESSAGE_RESEND || q.type == MESSAGE_SNAPSHOT)
        virtual_matcher_request(&s->market, message, size);
    else
        serve_fail(s, STATUS_INVALID,
                   "a client's request of type %" PRIu64 ": expected resend, snapshot or advance",
                   q.type);
    return true;
}

static void take_commands(struct serve *s, const uint8_t *message, size_t size)
{
    const uint8_t *at = message, *end = message + size;
    enum command_read read =
        size <= COMMAND_MESSAGE_SIZE_MAX && size > 0 ? COMMAND_READ_OK : COMMAND_READ_GARBAGE;
    while (read == COMMAND_READ_OK && at < end) {
        struct command c;
        const uint8_t *start = at;
        read = command_read(&at, end, &c);
        if (read == COMMAND_READ_OK && c.envelope.origin.size == 0)
            read = COMMAND_READ_GARBAGE;
        if (read == COMMAND_READ_OK)
            serve_command(s, start, (size_t)(at - start));
    }
    if (read == COMMAND_READ_VERSION)
        serve_fail(s, STATUS_INVALID,
                   "a client's message: found another protocol version, "
                   "expected %d",
                   PROTOCOL_VERSION);
    else if (read != COMMAND_READ_OK)
        serve_fail(s, STATUS_INVALID,
                   "a client's message of %zu bytes: found what nobody can read at byte %zu, "
                   "expected a command or a request",
                   size, (size_t)(at - message));
}

/* Every message waiting at a socket, until one of them ends it all. Messages of several parts are a
 * stranger's: none of ours has more than one, and each part of them is unreadable. */
static void drain(struct serve *s, void *socket,
                  void (*take)(struct serve *s, const uint8_t *message, size_t size))
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (s->status == STATUS_OK && zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0)
        take(s, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
}

static void take_message(struct serve *s, const uint8_t *message, size_t size)
{
    s->spoke_ns = clock_monotonic_ns();
    if (!take_request(s, message, size))
        take_commands(s, message, size);
}

/* ---- its sockets ---- */

static bool make_directory(struct serve *s)
{
    const char *parent = getenv("TMPDIR");
    snprintf(s->directory, sizeof s->directory, "%.64s/outcry-serve-XXXXXX",
             parent == NULL || *parent == '\0' ? "/tmp" : parent);
    if (mkdtemp(s->directory) != NULL)
        return true;
    serve_fail(s, STATUS_IO, "a directory for sockets, %s: %s", s->directory, strerror(errno));
    s->directory[0] = '\0';
    return false;
}

/* Where clients find us: as the settings say or, for a program, in a directory of ours. */
static bool find_addresses(struct serve *s)
{
    struct settings *settings = &s->cluster->settings;
    char *texts[SERVE_ADDRESSES] = {settings->commands_address, settings->requests_address,
                                    settings->private_address, settings->public_address};
    if (s->o->program != NULL) {
        if (!make_directory(s))
            return false;
        snprintf(settings->run_dir, sizeof settings->run_dir, "%s", s->directory);
        for (unsigned i = 0; i < SERVE_ADDRESSES; i++)
            snprintf(texts[i], SETTING_TEXT_SIZE, "ipc://{run_dir}/{shard}.%s", kinds[i]);
    }
    for (unsigned i = 0; i < SERVE_ADDRESSES; i++)
        cluster_address(s->cluster, texts[i], recording_symbol(s->o->recording)->shard,
                        s->addresses[i]);
    return true;
}

/* One socket at two addresses. */
static void *open_at(struct serve *s, enum endpoint_kind kind, const char *first,
                     const char *second)
{
    char error[ENDPOINT_ERROR_SIZE];
    void *socket = endpoint_open(s->context, kind, first, error);
    if (socket == NULL) {
        serve_fail(s, STATUS_IO, "%s", error);
    } else if (strcmp(first, second) != 0 && zmq_bind(socket, second) != 0) {
        serve_fail(s, STATUS_IO, "cannot listen at %.256s: %s", second, zmq_strerror(errno));
        endpoint_close(&socket);
    }
    return socket;
}

static bool open_sockets(struct serve *s)
{
    int patience_ms = (int)s->o->patience_ms;
    s->context = zmq_ctx_new();
    CHECK(s->context != NULL);
    s->pull = open_at(s, ENDPOINT_PULL, s->addresses[COMMANDS], s->addresses[REQUESTS]);
    if (s->pull != NULL)
        s->xpub = open_at(s, ENDPOINT_XPUB, s->addresses[PRIVATE], s->addresses[PUBLIC]);
    if (s->xpub == NULL)
        return false;
    CHECK(zmq_setsockopt(s->xpub, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms) == 0);
    return true;
}

static void close_sockets(struct serve *s)
{
    endpoint_close(&s->pull);
    endpoint_close(&s->xpub);
    if (s->context != NULL)
        zmq_ctx_term(s->context);
    for (unsigned i = 0; i < SERVE_ADDRESSES && s->directory[0] != '\0'; i++)
        (void)unlink(s->addresses[i] + strlen("ipc://"));
    if (s->directory[0] != '\0')
        (void)rmdir(s->directory);
}

static bool start_program(struct serve *s)
{
    enum { VARIABLES = SERVE_ADDRESSES + 3, VARIABLE_SIZE = CLUSTER_ADDRESS_SIZE + 64 };
    char(*texts)[VARIABLE_SIZE] = calloc(VARIABLES, sizeof *texts);
    char *variables[VARIABLES + 1] = {NULL};
    CHECK(texts != NULL);
    snprintf(texts[0], VARIABLE_SIZE, "OUTCRY_VIRTUAL_TIME=1");
    snprintf(texts[1], VARIABLE_SIZE, "OUTCRY_RUN_DIR=%s", s->directory);
    snprintf(texts[2], VARIABLE_SIZE, "OUTCRY_SYMBOL=%s", recording_symbol(s->o->recording)->name);
    static const char *const names[] = {"COMMANDS", "REQUESTS", "PRIVATE", "PUBLIC"};
    for (unsigned i = 0; i < SERVE_ADDRESSES; i++)
        snprintf(texts[3 + i], VARIABLE_SIZE, "OUTCRY_%s_ADDRESS=%s", names[i], s->addresses[i]);
    for (unsigned i = 0; i < VARIABLES; i++)
        variables[i] = texts[i];
    bool started = serve_program_start(&s->program, s->o->program, variables);
    if (!started)
        serve_fail(s, STATUS_IO, "cannot start %.256s: %s", s->o->program[0], strerror(errno));
    free(texts);
    return started;
}

/* ---- its life ---- */

/* Milliseconds it may still be silent: for ever, while nobody has come whom we did not start. */
static long patience_left_ms(const struct serve *s)
{
    uint64_t patience_ns = s->o->patience_ms * NS_PER_MS;
    uint64_t silent_ns = clock_monotonic_ns() - s->spoke_ns;
    if (s->spoke_ns == 0)
        return -1;
    return silent_ns >= patience_ns ? 0 : (long)((patience_ns - silent_ns) / NS_PER_MS + 1);
}

static void wait_for_clients(struct serve *s)
{
    zmq_pollitem_t items[] = {{.socket = s->pull, .events = ZMQ_POLLIN},
                              {.socket = s->xpub, .events = ZMQ_POLLIN},
                              {.fd = s->program.fd, .events = ZMQ_POLLIN}};
    int count = s->o->program == NULL ? 2 : 3;
    long left_ms = patience_left_ms(s);
    if (zmq_poll(items, count, left_ms) == 0 && left_ms == 0)
        serve_fail(s, STATUS_INVALID,
                   "%s has said nothing for %.1f s, and is given up at %" PRIu64
                   " ns, with %" PRIu64 " of %" PRIu64 " commands done",
                   s->o->program == NULL ? "the client" : s->o->program[0],
                   s->o->patience_ms / 1000.0, s->market.now_ns, s->market.recorded,
                   recording_count(s->o->recording));
}

static bool ended(struct serve *s)
{
    if (interrupted)
        serve_fail(s, STATUS_IO, "interrupted");
    if (s->status != STATUS_OK)
        return true;
    return s->o->program == NULL ? s->gone : serve_program_ended(&s->program);
}

static void run(struct serve *s)
{
    s->spoke_ns = s->o->program == NULL ? 0 : clock_monotonic_ns();
    while (!ended(s)) {
        wait_for_clients(s);
        drain(s, s->xpub, take_subscription);
        drain(s, s->pull, take_message);
        if (s->status == STATUS_OK && s->asked && driver_listens(s))
            serve_advance(s);
    }
    serve_program_stop(&s->program);
    s->outcome->program_status = s->program.status;
}

static void open_market(struct serve *s)
{
    struct virtual_matcher_options market = {
        .recording = s->o->recording,
        .hash_seed = s->o->seed,
        .heartbeat_ns = NS_PER_SECOND, /* 23,400 a day: they are not what a run is to be about */
        .kept_size = (size_t)s->cluster->settings.kept_mib << 20,
        .requests_address = s->addresses[REQUESTS],
        .frame = on_frame,
        .self = s,
    };
    virtual_matcher_open(&s->market, &market);
    delay_init(&s->delay, &s->o->order_latency, s->o->seed);
    serve_begin(s);
}

/* Its sockets first: an address that cannot be is told in words by them. */
static void live(struct serve *s)
{
    if (!find_addresses(s) || !open_sockets(s))
        return;
    open_market(s);
    if (s->o->program == NULL || start_program(s))
        run(s);
    s->outcome->log = client_log_finish(&s->log, s->market.now_ns,
                                        s->over ? "the recording is over" : "the client has ended",
                                        &s->outcome->figures);
    s->outcome->refused = s->market.refused;
    s->outcome->short_qty = s->market.short_qty;
    client_log_close(&s->log);
    sent_queue_close(&s->sent);
    virtual_matcher_close(&s->market);
}

/* Signals end it, not us. */
static void live_with_signals(struct serve *s)
{
    struct sigaction ours = {.sa_handler = on_signal}, interrupt, terminate;
    interrupted = 0;
    sigaction(SIGINT, &ours, &interrupt);
    sigaction(SIGTERM, &ours, &terminate);
    live(s);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGTERM, &terminate, NULL);
}

enum status serve_run(const struct serve_options *o, struct serve_outcome *outcome,
                      char error[SERVE_ERROR_SIZE])
{
    struct serve *s = memory_new(1, sizeof *s, "a served back-test");
    CHECK(recording_kind_of(o->recording) == RECORDING_COMMANDS);
    *outcome = (struct serve_outcome){.log = NULL};
    error[0] = '\0';
    s->o = o;
    s->outcome = outcome;
    s->error = error;
    s->program.fd = -1;
    s->end_ns = recording_end_ns(o->recording);
    s->cluster = memory_new(1, sizeof *s->cluster, "a cluster");
    *s->cluster = *o->cluster;
    live_with_signals(s);
    close_sockets(s);
    enum status status = s->status;
    memory_free(s->cluster, 1, sizeof *s->cluster);
    memory_free(s, 1, sizeof *s);
    return status;
}
