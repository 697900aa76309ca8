#include "matcher/matcher.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "matcher/admission.h"
#include "matcher/matcher_parts.h"

enum {
    OUTBOX_SIZE = 256 << 20,       /* room for the private snapshot of a million orders */
    OUTBOX_BATCH_MAX = 32 << 20,   /* while less is free, no batch begins */
    BEGINNING_COMMANDS_MAX = 1025, /* limits and symbols, all in one batch */
    COMMAND_SIZE_USUAL = 192,      /* more than commands have on average */
};

size_t matcher_batch_size_max(const struct matcher_options *o)
{
    size_t commands =
        (size_t)o->batch_commands_max * COMMAND_SIZE_USUAL + COMMAND_READ_SIZE_MAX * 2;
    size_t beginning = (size_t)BEGINNING_COMMANDS_MAX * COMMAND_SIZE_MAX;
    return commands > beginning ? commands : beginning;
}

matcher_t *matcher_around(const struct matcher_options *options, engine_t *engine)
{
    matcher_t *m = memory_new(1, sizeof *m, "the matcher");
    const struct configure *limits = engine_limits(engine);
    m->options = *options;
    m->options.limits = *limits;
    m->epoch = options->epoch;
    m->standing = STANDING_OPEN; /* until told otherwise */
    m->engine = engine;
    m->now_ns = engine_time_ns(engine);
    outbox_init(&m->outbox, OUTBOX_SIZE);
    struct publish_options publish = {
        .engine = m->engine,
        .outbox = &m->outbox,
        .output = MATCHER_OUTPUT_PRIVATE,
        .kept_size = options->kept_size,
        .requests_address = text_of(options->requests_address),
        .limits = *limits,
        .epoch = options->epoch,
        .journal = options->journal,
        .time_ns = &m->now_ns,
        .pass_on = requests_pass_on,
        .pass_on_self = m,
    };
    m->private_feed = private_feed_new(&publish);
    publish.output = MATCHER_OUTPUT_PUBLIC;
    m->public_feed = public_feed_new(&publish);
    m->batch.size_max = matcher_batch_size_max(options);
    m->batch.bytes = memory_new(1, m->batch.size_max, "a batch");
    m->origin_counts =
        memory_new((size_t)limits->origins_max + 1, sizeof *m->origin_counts, "origins");
    m->trades = memory_new((size_t)limits->symbols_max + 1, sizeof *m->trades, "trades");
    return m;
}

matcher_t *matcher_new(const struct matcher_options *options, const struct add_symbol *symbols,
                       unsigned symbol_count)
{
    matcher_t *m = matcher_around(options, engine_new(&options->limits, options->hash_seed));
    m->symbols = memory_new(symbol_count, sizeof *symbols, "symbols");
    memcpy(m->symbols, symbols, symbol_count * sizeof *symbols);
    m->symbol_count = symbol_count;
    return m;
}

void matcher_destroy(matcher_t **matcher)
{
    matcher_t *m = *matcher;
    if (m == NULL)
        return;
    private_feed_destroy(&m->private_feed);
    public_feed_destroy(&m->public_feed);
    engine_destroy(&m->engine);
    outbox_close(&m->outbox);
    memory_free(m->batch.bytes, 1, m->batch.size_max);
    memory_free(m->symbols, m->symbol_count, sizeof *m->symbols);
    memory_free(m->origin_counts, (size_t)m->options.limits.origins_max + 1,
                sizeof *m->origin_counts);
    memory_free(m->trades, (size_t)m->options.limits.symbols_max + 1, sizeof *m->trades);
    memory_free(m, 1, sizeof *m);
    *matcher = NULL;
}

const engine_t *matcher_engine(const matcher_t *m)
{
    return m->engine;
}

struct matcher_counts matcher_counts(const matcher_t *m)
{
    struct matcher_counts counts = m->counts;
    counts.requests_garbage = publisher_counts(private_feed_publisher(m->private_feed)).garbage +
                              publisher_counts(public_feed_publisher(m->public_feed)).garbage;
    return counts;
}

uint64_t matcher_rejects(const matcher_t *m, uint16_t code)
{
    return code < MATCHER_CODES ? m->rejects[code] : 0;
}

uint64_t matcher_trades(const matcher_t *m, uint32_t symbol)
{
    return symbol <= m->options.limits.symbols_max ? m->trades[symbol] : 0;
}

struct publisher_counts matcher_said(const matcher_t *m, unsigned output)
{
    return publisher_counts(output == MATCHER_OUTPUT_PRIVATE
                                ? private_feed_publisher(m->private_feed)
                                : public_feed_publisher(m->public_feed));
}

enum standing matcher_standing(const matcher_t *m)
{
    return m->standing;
}

/* ---- sequencing ---- */

static bool batch_full(const matcher_t *m)
{
    uint32_t chunks = publish_chunks_per_command(&m->options.limits);
    publisher_t *ours = private_feed_publisher(m->private_feed);
    publisher_t *everybodys = public_feed_publisher(m->public_feed);
    return m->batch.closed || m->batch.count >= m->options.batch_commands_max ||
           m->batch.size + COMMAND_READ_SIZE_MAX > m->batch.size_max ||
           publisher_chunks_free(ours) < chunks || publisher_chunks_free(everybodys) < chunks ||
           outbox_room(&m->outbox) <
               OUTBOX_BATCH_MAX + publisher_pending_size(ours) + publisher_pending_size(everybodys);
}

void matcher_apply(matcher_t *m, const struct command *c)
{
    uint32_t symbols = engine_symbol_count(m->engine);
    engine_apply(m->engine, engine_seq(m->engine) + 1, m->now_ns, c);
    if (engine_symbol_count(m->engine) > symbols)
        public_feed_symbol(m->public_feed, symbols + 1);
    public_feed_group(m->public_feed);
    private_feed_group(m->private_feed);
}

/* Whether the next command may be sequenced as part of this batch. */
static bool takes_commands(const matcher_t *m)
{
    return m->standing == STANDING_OPEN;
}

/* For whoever looks at us: nothing is decided by it. */
static void count_outcome(matcher_t *m)
{
    size_t count;
    struct outcome outcome = engine_result(m->engine).outcome;
    const struct event *events = engine_events(m->engine, &count);
    if (outcome.ready && outcome.code != 0) {
        CHECK(outcome.code < MATCHER_CODES);
        m->rejects[outcome.code]++;
    }
    for (size_t i = 0; i < count; i++)
        m->trades[events[i].book] += events[i].kind == EVENT_TRADE;
}

/* The command happens, now, as the next of this batch. bytes: as it goes to the journal. */
static void sequence(matcher_t *m, const struct command *c, const uint8_t *bytes, size_t size)
{
    uint64_t seq = engine_seq(m->engine) + 1;
    if (m->batch.count == 0)
        m->batch.first_seq = seq;
    CHECK(m->batch.size + size <= m->batch.size_max);
    memcpy(m->batch.bytes + m->batch.size, bytes, size);
    m->batch.size += size;
    m->batch.count++;
    m->counts.commands++;
    matcher_apply(m, c);
    count_outcome(m);
}

/* A command of our own: it has no origin. */
static void sequence_internal(matcher_t *m, const struct command *c)
{
    uint8_t bytes[COMMAND_SIZE_MAX];
    struct wire_writer w = {bytes};
    command_write(&w, c);
    sequence(m, c, bytes, (size_t)(w.at - bytes));
}

/* What commands left over comes before anything else. */
static void sequence_continues(matcher_t *m)
{
    while (engine_waiting(m->engine) > 0 && !batch_full(m)) {
        struct command c = {.type = MESSAGE_CONTINUE_WORK,
                            .continue_work = {engine_waiting(m->engine)}};
        sequence_internal(m, &c);
    }
}

/* The first batch of a history: its limits, then its symbols. */
static void sequence_beginning(matcher_t *m)
{
    struct command c = {.type = MESSAGE_CONFIGURE, .configure = m->options.limits};
    sequence_internal(m, &c);
    for (unsigned i = 0; i < m->symbol_count; i++) {
        c = (struct command){.type = MESSAGE_ADD_SYMBOL, .add_symbol = m->symbols[i]};
        sequence_internal(m, &c);
    }
}

/* ---- receiving ---- */

enum verdict {
    VERDICT_NEXT, /* go on with the message */
    VERDICT_SKIP, /* the rest of it waits for commands that are missing */
    VERDICT_FULL,
};

/* No origin has more than its share of a batch: when it has had it, the batch is full, and the
 * next one takes from every connection in turn again. */
static void take_share(matcher_t *m, uint32_t origin)
{
    if (++m->origin_counts[origin] >= m->options.batch_origin_max)
        m->batch.closed = true;
}

static enum verdict admit(matcher_t *m, const struct command *c, const uint8_t *bytes, size_t size)
{
    struct admission_answer a = engine_admit(m->engine, &c->envelope, m->now_ns);
    switch (a.admission) {
    case ADMIT_NEXT:
        sequence(m, c, bytes, size);
        take_share(m, engine_result(m->engine).origin_number);
        sequence_continues(m);
        return VERDICT_NEXT;
    case ADMIT_REPEAT:
        m->counts.repeats++;
        /* One that is not ready, or of this very batch, is still to come, and comes by itself,
         * behind the account events it must not overtake. */
        if (a.outcome.ready && (m->batch.count == 0 || a.outcome.seq < m->batch.first_seq))
            private_feed_repeat(m->private_feed, &c->envelope, &a.outcome);
        return VERDICT_NEXT;
    case ADMIT_GAP:
        m->counts.gaps++;
        private_feed_gap(m->private_feed, &c->envelope, a.expected_seq);
        return VERDICT_SKIP;
    case ADMIT_REFUSE:
        m->counts.refused++;
        private_feed_refuse(m->private_feed, &c->envelope, a.code);
        return VERDICT_NEXT;
    }
    return VERDICT_SKIP;
}

/* One command of a message; what could not be read is counted, and lost with the rest. */
static enum verdict receive_command(matcher_t *m, const struct ahead_command *c)
{
    if (c->read == COMMAND_READ_OK && c->command.envelope.origin.size > 0)
        return admit(m, &c->command, c->start, c->size);
    if (c->read == COMMAND_READ_VERSION)
        m->counts.foreign++;
    else
        m->counts.garbage++;
    return VERDICT_SKIP;
}

static enum intake receive_commands(matcher_t *m, const uint8_t *message, size_t size)
{
    if (size == 0 || size > COMMAND_MESSAGE_SIZE_MAX) {
        m->counts.garbage++;
        return INTAKE_MORE;
    }
    const struct ahead_command *c;
    ahead_begin(&m->ahead, message + m->message_at, message + size);
    while ((c = ahead_first(&m->ahead, m->engine)) != NULL) {
        if (engine_waiting(m->engine) > 0 || batch_full(m)) {
            m->message_at = (size_t)(c->start - message);
            return INTAKE_FULL;
        }
        if (receive_command(m, c) == VERDICT_SKIP)
            break;
        ahead_pop(&m->ahead);
    }
    m->message_at = 0;
    return INTAKE_MORE;
}

/* ---- the step ---- */

void matcher_flush(matcher_t *m)
{
    publisher_flush(public_feed_publisher(m->public_feed), m->now_ns);
    publisher_flush(private_feed_publisher(m->private_feed), m->now_ns);
}

static void matcher_begin(void *self, uint64_t now_ns, uint64_t batch)
{
    matcher_t *m = self;
    m->now_ns = now_ns;
    m->outbox.batch = batch;
    m->batch.count = 0;
    m->batch.size = 0;
    m->batch.closed = false;
    memset(m->origin_counts, 0,
           ((size_t)m->options.limits.origins_max + 1) * sizeof *m->origin_counts);
    if (!takes_commands(m))
        return;
    if (engine_seq(m->engine) == 0)
        sequence_beginning(m);
    sequence_continues(m);
}

static enum intake matcher_receive(void *self, unsigned input, const uint8_t *message, size_t size)
{
    matcher_t *m = self;
    if (m->standing == STANDING_FAILED)
        return INTAKE_MORE; /* nothing may be said any more */
    switch (input) {
    case MATCHER_INPUT_COMMANDS:
        return receive_commands(m, message, size);
    case MATCHER_INPUT_REQUESTS:
        m->resume = false;
        requests_receive(m, message, size);
        return m->resume ? INTAKE_RESUME : INTAKE_MORE;
    case MATCHER_INPUT_PRIVATE_ANSWERS:
        return requests_relay(m, MATCHER_OUTPUT_PRIVATE, message, size);
    default:
        return requests_relay(m, MATCHER_OUTPUT_PUBLIC, message, size);
    }
}

static bool matcher_admit(void *self, unsigned input, const struct guard_sender *sender,
                          const uint8_t *message, size_t size)
{
    (void)self;
    return input == MATCHER_INPUT_COMMANDS   ? admission_commands(sender, message, size)
           : input == MATCHER_INPUT_REQUESTS ? admission_requests(sender, message, size)
                                             : true;
}

static void say_heartbeats(matcher_t *m)
{
    if (m->now_ns < m->heartbeat_due_ns)
        return;
    m->heartbeat_due_ns = m->now_ns + m->options.heartbeat_ns;
    if (m->standing == STANDING_FAILED) {
        publisher_heartbeat_bare(public_feed_publisher(m->public_feed), 0, m->failed_seq,
                                 m->now_ns);
        publisher_heartbeat_bare(private_feed_publisher(m->private_feed), 0, m->failed_seq,
                                 m->now_ns);
    } else {
        matcher_heartbeat(m, m->now_ns);
    }
}

static bool matcher_end(void *self, struct journal_batch *batch)
{
    matcher_t *m = self;
    if (m->standing != STANDING_FAILED)
        matcher_flush(m);
    say_heartbeats(m);
    if (m->standing != STANDING_FAILED)
        requests_tell_follower(m);
    if (m->batch.count == 0)
        return false;
    m->counts.batches++;
    metric_observe(m->options.batch_metric, m->batch.count);
    *batch = (struct journal_batch){
        .first_seq = m->batch.first_seq,
        .count = m->batch.count,
        .time_ns = m->now_ns,
        .check = engine_books_hash(m->engine),
        .bytes = m->batch.bytes,
        .size = m->batch.size,
    };
    return true;
}

/* Every checkpoint_commands commands, at the end of a batch, and at our own end. */
static bool matcher_checkpoint(void *self, bool last, uint64_t *hash)
{
    matcher_t *m = self;
    uint64_t seq = engine_seq(m->engine);
    uint64_t every = m->options.checkpoint_commands;
    if (seq == m->checkpoint_seq || (!last && seq / every == m->checkpoint_seq / every))
        return false;
    m->checkpoint_seq = seq;
    *hash = engine_state_hash(m->engine);
    return true;
}

static void matcher_stand(void *self, enum standing standing, uint64_t committed_seq)
{
    matcher_t *m = self;
    m->standing = standing;
    m->failed_seq = committed_seq;
    m->heartbeat_due_ns = 0; /* everybody hears it now */
    publisher_standing_set(private_feed_publisher(m->private_feed), standing, m->options.journal);
    publisher_standing_set(public_feed_publisher(m->public_feed), standing, m->options.journal);
}

static void on_subscription(void *self, unsigned output, const uint8_t *message, size_t size)
{
    matcher_subscription(self, output, message, size);
}

/* Idle, the next thing to do is a heartbeat. */
static unsigned matcher_patience_ms(void *self)
{
    const matcher_t *m = self;
    bool goes_on = engine_waiting(m->engine) > 0 && takes_commands(m);
    if (goes_on || m->now_ns >= m->heartbeat_due_ns)
        return 0;
    if (requests_follower_waits(m))
        return FOLLOWER_TOLD_MS;
    return (unsigned)((m->heartbeat_due_ns - m->now_ns) / NS_PER_MS + 1);
}

/* What should not happen, when it does. */
static void matcher_report(void *self)
{
    matcher_t *m = self;
    const struct matcher_counts counts = matcher_counts(m);
    const struct matcher_counts *now = &counts, *last = &m->reported;
    if (now->garbage != last->garbage || now->foreign != last->foreign)
        log_warn("matcher", "unreadable_commands", LOG_U64("shard", m->options.limits.shard),
                 LOG_U64("seq", engine_seq(m->engine)), LOG_U64("garbage", now->garbage),
                 LOG_U64("foreign", now->foreign));
    if (now->refused != last->refused || now->gaps != last->gaps)
        log_warn("matcher", "commands_not_sequenced", LOG_U64("shard", m->options.limits.shard),
                 LOG_U64("seq", engine_seq(m->engine)), LOG_U64("refused", now->refused),
                 LOG_U64("gaps", now->gaps));
    if (now->requests_garbage != last->requests_garbage)
        log_warn("matcher", "unreadable_requests", LOG_U64("shard", m->options.limits.shard),
                 LOG_U64("garbage", now->requests_garbage));
    m->reported = counts;
}

struct service matcher_service(matcher_t *m)
{
    return (struct service){
        .self = m,
        .outbox = &m->outbox,
        .commands_input = MATCHER_INPUT_COMMANDS,
        .batch_size_max = m->batch.size_max,
        .begin = matcher_begin,
        .receive = matcher_receive,
        .admit = matcher_admit,
        .end = matcher_end,
        .checkpoint = matcher_checkpoint,
        .stand = matcher_stand,
        .subscription = on_subscription,
        .patience_ms = matcher_patience_ms,
        .report = matcher_report,
    };
}
