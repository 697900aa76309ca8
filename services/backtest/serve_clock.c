/* serve: what happens next, while a client lets the clock go on. */
#include "backtest/serve_parts.h"

enum { PROGRESS_EVERY = 4096 };

/* ---- what can happen ---- */

static void recorded(struct serve *s)
{
    virtual_matcher_recorded(&s->market);
    s->outcome->recorded = s->market.recorded;
    if (s->o->progress != NULL && s->market.recorded % PROGRESS_EVERY == 0)
        s->o->progress(s->o->self, s->market.recorded, recording_count(s->o->recording));
}

void serve_begin(struct serve *s)
{
    while (virtual_matcher_next_ns(&s->market) <= s->market.now_ns)
        recorded(s);
    client_log_open(&s->log, virtual_matcher_engine(&s->market), s->o->recording, s->market.symbol,
                    &s->o->fees, &s->o->sampling, &s->outcome->spec);
    s->begun = true;
}

/* A client's command is there. */
static void arrive(struct serve *s, uint64_t sent_ns, const uint8_t *bytes, size_t size)
{
    struct command c;
    const uint8_t *at = bytes;
    if (command_read(&at, bytes + size, &c) != COMMAND_READ_OK)
        return; /* it was read before it was sent on */
    client_log_command(&s->log, &c, sent_ns);
    bool sequenced = virtual_matcher_command(&s->market, bytes, size);
    client_log_done(&s->log, sequenced, s->market.now_ns);
    s->outcome->commands += sequenced;
}

void serve_command(struct serve *s, const uint8_t *bytes, size_t size)
{
    uint64_t arrival_ns = delay_arrival_ns(&s->delay, s->market.now_ns);
    if (arrival_ns == s->market.now_ns && sent_queue_first(&s->sent) == NULL)
        arrive(s, s->market.now_ns, bytes, size);
    else
        sent_queue_add(&s->sent, s->market.now_ns, arrival_ns, bytes, size);
}

static void arrive_first(struct serve *s)
{
    const struct sent_command *c = sent_queue_first(&s->sent);
    virtual_matcher_time(&s->market, c->arrival_ns);
    arrive(s, c->sent_ns, c->bytes, c->size);
    sent_queue_drop(&s->sent);
}

/* ---- the answer ---- */

static void answer(struct serve *s)
{
    uint8_t bytes[FRAME_HEAD_SIZE_MAX + GROUP_HEAD_SIZE_MAX + REPLY_SIZE_MAX + ADVANCED_SIZE_MAX];
    struct wire_writer w = {bytes};
    char topic[3 + REPLY_SIZE] = "re.";
    memcpy(topic + 3, s->driver, REPLY_SIZE);
    uint64_t seq = engine_seq(virtual_matcher_engine(&s->market));
    frame_head_put(&w, &(struct frame_head){.topic = {topic, sizeof topic},
                                            .type = FRAME_REPLY,
                                            .epoch = VIRTUAL_EPOCH,
                                            .seq = seq,
                                            .time_ns = s->market.now_ns,
                                            .group_count = 1});
    wire_put_array(&w, 2);
    wire_put_u64(&w, seq);
    wire_put_array(&w, 2);
    reply_put(&w, &(struct reply){.request_id = s->advance.request_id,
                                  .request_type = MESSAGE_ADVANCE,
                                  .last = true});
    advanced_put(&w, &(struct advanced){s->market.now_ns, s->over});
    s->heard = false;
    s->asked = false;
    serve_send(s, bytes, (size_t)(w.at - bytes));
}

/* ---- the clock ---- */

/* Nothing recorded is left, nothing arrives before its last moment is past, and that is not later
 * than the client wants to be woken. */
static bool ends(const struct serve *s, uint64_t next_ns, uint64_t wake_ns)
{
    return !s->over && virtual_matcher_next_ns(&s->market) == UINT64_MAX && next_ns > s->end_ns &&
           wake_ns > s->end_ns;
}

/* The next thing happens; false: the client is to be answered instead. */
static bool step(struct serve *s, uint64_t wake_ns)
{
    const struct sent_command *c = sent_queue_first(&s->sent);
    uint64_t recorded_ns = virtual_matcher_next_ns(&s->market);
    uint64_t sent_ns = c == NULL ? UINT64_MAX : c->arrival_ns;
    uint64_t next_ns = recorded_ns < sent_ns ? recorded_ns : sent_ns;
    bool at_once = c != NULL && c->arrival_ns == c->sent_ns && c->arrival_ns <= s->market.now_ns;
    if (s->over && c == NULL)
        return false;
    if (ends(s, next_ns, wake_ns)) {
        virtual_matcher_time(&s->market, s->end_ns);
        s->over = true;
        return false;
    }
    if (!s->over && wake_ns < next_ns) {
        virtual_matcher_time(&s->market, wake_ns);
        return false;
    }
    if (recorded_ns == next_ns && !at_once)
        recorded(s);
    else
        arrive_first(s);
    return true;
}

void serve_advance(struct serve *s)
{
    uint64_t wake_ns = s->advance.wake_ns == 0 ? UINT64_MAX : s->advance.wake_ns;
    if (wake_ns < s->market.now_ns)
        wake_ns = s->market.now_ns;
    while (!s->heard && s->status == STATUS_OK && step(s, wake_ns))
        ;
    if (s->status == STATUS_OK)
        answer(s);
}
