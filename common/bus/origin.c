#include "bus/origin.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/memory.h"

/* A command until its result is there. */
struct sent {
    uint16_t size;
    bool answered;
    struct result result;
    uint64_t frame_ns;
    uint8_t bytes[COMMAND_SIZE_MAX];
};

struct origin {
    struct origin_owner owner;
    char name[ORIGIN_SIZE_MAX];
    size_t name_size;
    uint64_t epoch;
    uint32_t window;
    struct sent *commands; /* by origin_seq modulo window */
    uint64_t next_seq;     /* of the next command */
    uint64_t done_through; /* results are there, and told, up to here */
    uint64_t sent_through; /* pushed at least once, in order */
    uint64_t progress_ns;  /* when the oldest without a result became that, or was sent again */
    uint64_t repeats;
    uint64_t repeated_from; /* the last gap that was filled, not to fill it twice at once */
    bool lost;
    uint8_t message[ORIGIN_MESSAGE_SIZE_MAX];
};

origin_t *origin_new(const struct origin_owner *owner, struct text name, uint64_t epoch,
                     uint32_t window)
{
    CHECK(name.size >= 1 && name.size <= ORIGIN_SIZE_MAX && window >= 1);
    origin_t *o = memory_new(1, sizeof *o, "an origin");
    o->owner = *owner;
    memcpy(o->name, name.data, name.size);
    o->name_size = name.size;
    o->epoch = epoch;
    o->window = window;
    o->commands = memory_new(window, sizeof *o->commands, "commands without a result");
    o->next_seq = 1;
    return o;
}

void origin_destroy(origin_t **origin)
{
    origin_t *o = *origin;
    if (o == NULL)
        return;
    memory_free(o->commands, o->window, sizeof *o->commands);
    memory_free(o, 1, sizeof *o);
    *origin = NULL;
}

static struct sent *sent_at(const origin_t *o, uint64_t origin_seq)
{
    return &o->commands[origin_seq % o->window];
}

enum status origin_command(origin_t *o, struct command *c, uint64_t *origin_seq)
{
    if (o->lost)
        return STATUS_MISSING;
    if (origin_room(o) == 0)
        return STATUS_FULL;
    *origin_seq = o->next_seq++;
    c->envelope.origin = (struct text){o->name, o->name_size};
    c->envelope.origin_epoch = o->epoch;
    c->envelope.origin_seq = *origin_seq;
    c->envelope.acked_through = o->done_through;
    struct sent *s = sent_at(o, *origin_seq);
    struct wire_writer w = {s->bytes};
    command_write(&w, c);
    s->size = (uint16_t)(w.at - s->bytes);
    s->answered = false;
    return STATUS_OK;
}

/* Push commands from..through that have no result, as few messages as they fit in; how far that
 * went. */
static uint64_t push(origin_t *o, uint64_t from, uint64_t through)
{
    uint64_t seq = from;
    while (seq <= through) {
        size_t size = 0;
        uint64_t next = seq;
        for (; next <= through; next++) {
            const struct sent *s = sent_at(o, next);
            if (s->answered)
                continue;
            if (size + s->size > sizeof o->message)
                break;
            memcpy(o->message + size, s->bytes, s->size);
            size += s->size;
        }
        if (size > 0 && !o->owner.send(o->owner.self, o->message, size))
            break;
        seq = next;
    }
    return seq - 1;
}

void origin_flush(origin_t *o, uint64_t now_ns)
{
    if (o->lost || o->sent_through + 1 == o->next_seq)
        return;
    if (o->sent_through == o->done_through)
        o->progress_ns = now_ns; /* nothing was outstanding: the time-out begins now */
    o->sent_through = push(o, o->sent_through + 1, o->next_seq - 1);
}

void origin_restart(origin_t *o, uint64_t epoch)
{
    CHECK(o->lost && epoch > o->epoch);
    o->epoch = epoch;
    o->next_seq = 1;
    o->done_through = 0;
    o->sent_through = 0;
    o->repeated_from = 0;
    o->lost = false;
}

static void repeat_from(origin_t *o, uint64_t from, uint64_t now_ns)
{
    o->repeats++;
    o->progress_ns = now_ns;
    uint64_t through = push(o, from, o->next_seq - 1);
    if (through > o->sent_through)
        o->sent_through = through;
}

/* Results are told in order; those that came early wait. */
static void tell_results(origin_t *o)
{
    while (o->done_through + 1 < o->next_seq && sent_at(o, o->done_through + 1)->answered) {
        const struct sent *s = sent_at(o, ++o->done_through);
        o->owner.result(o->owner.self, o->done_through, &s->result, s->frame_ns);
    }
}

static void lose(origin_t *o, enum reason code)
{
    tell_results(o); /* what came before it in the same frame */
    o->lost = true;
    o->owner.lost(o->owner.self, code);
}

/* A command was not sequenced, and its number not used up. The window has room again by itself.
 * Of a result already told an old repeat may complain. Anything else is said again to every repeat,
 * and to all that comes after the command. */
static void receive_refusal(origin_t *o, const struct result *r)
{
    bool of_session = r->code == REJECT_OLD_ORIGIN_EPOCH || r->code == REJECT_TOO_MANY_ORIGINS;
    bool of_command = r->origin_seq > o->done_through && r->origin_seq < o->next_seq &&
                      !sent_at(o, r->origin_seq)->answered;
    if (of_session || (of_command && r->code != REJECT_ORIGIN_WINDOW_FULL))
        lose(o, (enum reason)r->code);
}

static void receive_result(origin_t *o, const struct result *r, uint64_t frame_ns)
{
    if (r->origin_epoch != o->epoch)
        return;
    if (r->seq == 0) {
        receive_refusal(o, r);
        return;
    }
    if (r->origin_seq <= o->done_through || r->origin_seq >= o->next_seq)
        return;
    struct sent *s = sent_at(o, r->origin_seq);
    s->result = *r;
    s->frame_ns = frame_ns;
    s->answered = true;
}

static void receive_gap(origin_t *o, const struct origin_gap *g, uint64_t now_ns)
{
    if (g->origin_epoch != o->epoch || g->expected_seq >= o->next_seq)
        return;
    if (g->expected_seq <= o->done_through) {
        lose(o, REJECT_EPOCH_CHANGED); /* it has forgotten what it answered */
        return;
    }
    if (g->expected_seq == o->repeated_from &&
        now_ns < o->progress_ns + ORIGIN_REPEAT_MS / 10 * NS_PER_MS)
        return; /* every message behind the gap complains of it */
    o->repeated_from = g->expected_seq;
    /* Results from there on that came early are of a history it has lost. */
    for (uint64_t seq = g->expected_seq; seq < o->next_seq; seq++)
        sent_at(o, seq)->answered = false;
    repeat_from(o, g->expected_seq, now_ns);
}

void origin_receive(origin_t *o, const uint8_t *frame, size_t size, uint64_t now_ns)
{
    struct frame_reader f;
    if (o->lost || frame_read(&f, frame, size) != FRAME_READ_OK)
        return;
    while (frame_next_group(&f)) {
        uint64_t type;
        struct wire_reader fields;
        while (!o->lost && frame_next_event(&f, &type, &fields)) {
            struct result r;
            struct origin_gap g;
            if (type == MESSAGE_RESULT) {
                result_get_fields(&fields, &r);
                receive_result(o, &r, f.head.time_ns);
            } else if (type == MESSAGE_ORIGIN_GAP) {
                origin_gap_get_fields(&fields, &g);
                receive_gap(o, &g, now_ns);
            }
        }
    }
    uint64_t before = o->done_through;
    if (!o->lost)
        tell_results(o);
    /* Only the oldest: where its result was lost, those of later commands must not put off asking
     * for it again. */
    if (o->done_through != before)
        o->progress_ns = now_ns;
}

void origin_tick(origin_t *o, uint64_t now_ns)
{
    origin_flush(o, now_ns);
    if (!o->lost && origin_unanswered(o) > 0 &&
        now_ns >= o->progress_ns + ORIGIN_REPEAT_MS * NS_PER_MS)
        repeat_from(o, o->done_through + 1, now_ns);
}

uint64_t origin_unanswered(const origin_t *o)
{
    return o->next_seq - 1 - o->done_through;
}

uint64_t origin_room(const origin_t *o)
{
    return o->lost ? 0 : o->window - origin_unanswered(o);
}

uint64_t origin_repeats(const origin_t *o)
{
    return o->repeats;
}
