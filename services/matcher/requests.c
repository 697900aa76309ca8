/* requests: what readers ask of a matcher, and what it leaves to its follower: states that are
 * large, and frames older than those kept. What the follower answers comes back here and goes out
 * by the very socket the asker listens to, so askers need not know that there is a follower. */
#include "base/check.h"
#include "base/clock.h"
#include "matcher/matcher_parts.h"
#include "proto/names.h"

enum {
    ORDERS_QUICK = 4096, /* a state of so many orders is answered at once: some 200 us */
    FOLLOWER_SILENT_MS = 1000,
};

/* ---- the follower ---- */

static bool follower_heard(const matcher_t *m)
{
    return m->follower.heard_ns != 0 &&
           m->now_ns < m->follower.heard_ns + FOLLOWER_SILENT_MS * NS_PER_MS;
}

/* Whether it has this very history. */
static bool follower_lives(const matcher_t *m)
{
    return follower_heard(m) && m->follower.following.epoch == m->epoch;
}

/* Orders a snapshot of the topic would hold, at most. */
static uint64_t orders_in(const matcher_t *m, struct text topic)
{
    if (topic.size >= 3 && memcmp(topic.data, "l3.", 3) == 0) {
        struct text name = {topic.data + 3, topic.size - 3};
        uint32_t symbol = engine_symbol_find(m->engine, name);
        return symbol == 0 ? 0 : engine_book(m->engine, symbol)->order_count;
    }
    if (topic.size < 5 || memcmp(topic.data, "acct.", 5) != 0)
        return 0;
    if (topic.size == 5)
        return engine_order_count(m->engine);
    struct text name = {topic.data + 5, topic.size - 5};
    uint32_t account = engine_account_find(m->engine, name);
    return account == 0 ? 0 : engine_account_order_count(m->engine, account);
}

static void tell_follower(matcher_t *m, const struct request *q)
{
    uint8_t *place = outbox_reserve(&m->outbox, RESEND_SIZE_MAX + 1);
    if (place == NULL)
        return; /* its asker asks again */
    struct wire_writer w = {place};
    request_write(&w, q);
    outbox_commit(&m->outbox, MATCHER_OUTPUT_FOLLOWER, (size_t)(w.at - place));
}

bool requests_pass_on(void *matcher, const struct request *q)
{
    matcher_t *m = matcher;
    if (m->options.older != NULL && q->type == MESSAGE_RESEND)
        return m->options.older(m->options.older_self, q);
    if (!follower_lives(m) ||
        (q->type == MESSAGE_SNAPSHOT && orders_in(m, q->snapshot.topic) <= ORDERS_QUICK))
        return false;
    tell_follower(m, q);
    return true;
}

bool requests_follower_waits(const matcher_t *m)
{
    return follower_heard(m) && m->follower.told_seq != engine_seq(m->engine);
}

/* It leaves with this batch, when that is committed. */
static void tell_committed(matcher_t *m)
{
    struct request q = {.type = MESSAGE_COMMITTED, .committed = {m->epoch, engine_seq(m->engine)}};
    tell_follower(m, &q);
    m->follower.told_ns = m->now_ns;
    m->follower.told_seq = engine_seq(m->engine);
}

void requests_tell_follower(matcher_t *m)
{
    if (requests_follower_waits(m) &&
        m->now_ns >= m->follower.told_ns + FOLLOWER_TOLD_MS * NS_PER_MS)
        tell_committed(m);
}

enum intake requests_relay(matcher_t *m, unsigned output, const uint8_t *message, size_t size)
{
    /* Only answers: "re." and 32 digits, NUL. */
    if (size < 3 + REPLY_SIZE + 1 || memcmp(message, "re.", 3) != 0 ||
        message[3 + REPLY_SIZE] != 0) {
        m->counts.requests_garbage++;
        return INTAKE_MORE;
    }
    uint8_t *place = outbox_reserve(&m->outbox, size);
    if (place == NULL)
        return INTAKE_FULL;
    memcpy(place, message, size);
    outbox_commit(&m->outbox, output, size);
    return INTAKE_MORE;
}

/* ---- requests ---- */

static bool is_private(struct text topic)
{
    return topic.size >= 5 && memcmp(topic.data, "acct.", 5) == 0;
}

static struct text topic_of(const struct request *q)
{
    return q->type == MESSAGE_RESEND ? q->resend.topic : q->snapshot.topic;
}

/* The follower lives; it hears at once how far it may read. */
static void on_following(matcher_t *m, const struct following *following)
{
    m->follower.heard_ns = m->now_ns;
    m->follower.following = *following;
    tell_committed(m);
}

/* What is answered is the state after the commands of this batch, so they are all in by now: the
 * batch is closed and its frames go out first. Both feeds take requests here; the topic says whose
 * it is, and one that cannot be read is the public one's to count. */
void requests_receive(matcher_t *m, const uint8_t *message, size_t size)
{
    struct request q;
    const uint8_t *at = message;
    bool known = request_read(&at, message + size, &q) == COMMAND_READ_OK && at == message + size;
    publisher_t *everybodys = public_feed_publisher(m->public_feed);
    if (known && q.type == MESSAGE_FOLLOWING) {
        on_following(m, &q.following);
        return;
    }
    if (known && q.type == MESSAGE_RESUME && name_is_reply(q.resume.reply)) {
        m->resume = true;
        m->counts.resumes++;
        publisher_answer(everybodys, q.resume.reply, q.resume.request_id, q.type, 0);
        return;
    }
    m->batch.closed = true;
    matcher_flush(m);
    bool served = known && (q.type == MESSAGE_RESEND || q.type == MESSAGE_SNAPSHOT);
    unsigned output;
    publisher_request(served ? matcher_publisher(m, topic_of(&q), &output) : everybodys, message,
                      size, m->now_ns);
}

/* ---- what a follower has its matcher do ---- */

publisher_t *matcher_publisher(matcher_t *m, struct text topic, unsigned *output)
{
    *output = is_private(topic) ? MATCHER_OUTPUT_PRIVATE : MATCHER_OUTPUT_PUBLIC;
    return is_private(topic) ? private_feed_publisher(m->private_feed)
                             : public_feed_publisher(m->public_feed);
}

bool matcher_answer(matcher_t *m, const struct request *q, unsigned private_output,
                    unsigned public_output)
{
    unsigned own;
    if (q->type != MESSAGE_RESEND && q->type != MESSAGE_SNAPSHOT)
        return false;
    publisher_t *p = matcher_publisher(m, topic_of(q), &own);
    publisher_request_for(p, q, own == MATCHER_OUTPUT_PRIVATE ? private_output : public_output);
    return true;
}

void matcher_heartbeat(matcher_t *m, uint64_t now_ns)
{
    publisher_heartbeat(public_feed_publisher(m->public_feed), 0, engine_seq(m->engine), now_ns);
    publisher_heartbeat(private_feed_publisher(m->private_feed), 0, engine_seq(m->engine), now_ns);
}

void matcher_subscription(matcher_t *m, unsigned output, const uint8_t *message, size_t size)
{
    publisher_t *p = output == MATCHER_OUTPUT_PRIVATE ? private_feed_publisher(m->private_feed)
                                                      : public_feed_publisher(m->public_feed);
    publisher_subscription(p, message, size);
}
