#include "tests/sim/sim_history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/check.h"
#include "journal/journal_reader.h"
#include "proto/names.h"

enum { COMPARE_ALL_EVERY = 400 };

static void *grown(void *array, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return array;
    *capacity = 2 * count + 64;
    array = realloc(array, *capacity * size);
    CHECK(array != NULL);
    return array;
}

/* ---- batches ---- */

static void batches_put(struct sim_batches *b, const struct sim_batch *batch)
{
    b->batches = grown(b->batches, &b->capacity, b->count + 1, sizeof *b->batches);
    b->batches[b->count++] = *batch;
}

static void batches_cut(struct sim_batches *b, size_t count)
{
    while (b->count > count)
        free(b->batches[--b->count].bytes);
}

static uint64_t last_seq(const struct sim_batch *b)
{
    return b->first_seq + b->count - 1;
}

/* The batch that begins with this command; NULL: there is none. */
static const struct sim_batch *batches_find(const struct sim_batches *b, uint64_t first_seq)
{
    for (size_t i = b->count; i-- > 0;) {
        if (b->batches[i].first_seq == first_seq)
            return &b->batches[i];
    }
    return NULL;
}

/* ---- making it ---- */

static void begin(struct sim_history *h)
{
    h->engine = engine_new(&h->limits, mix(h->world->seed));
    h->reference = reference_new(&h->limits);
    h->seq = 0;
    h->open_qty = 0;
    h->time_ns = 0;
    h->label_count = 0;
    memset(h->sessions, 0, sizeof h->sessions);
    if (h->labels != NULL)
        memset(h->labels, 0, h->label_capacity * sizeof *h->labels);
}

static void end(struct sim_history *h)
{
    engine_destroy(&h->engine);
    reference_destroy(&h->reference);
}

void sim_history_init(struct sim_history *h, struct sim_world *world,
                      const struct configure *limits, enum journal_mode mode)
{
    *h = (struct sim_history){.world = world, .limits = *limits, .mode = mode};
    h->label_capacity = 1 << 12;
    h->labels = calloc(h->label_capacity, sizeof *h->labels);
    CHECK(h->labels != NULL);
    begin(h);
}

void sim_history_close(struct sim_history *h)
{
    end(h);
    batches_cut(&h->made, 0);
    batches_cut(&h->committed, 0);
    free(h->made.batches);
    free(h->committed.batches);
    free(h->facts);
    free(h->labels);
}

/* ---- a command ---- */

static struct sim_session *session_of(struct sim_history *h, struct text origin)
{
    for (unsigned i = 0; i < SIM_ORIGINS_MAX; i++) {
        struct sim_session *s = &h->sessions[i];
        if (s->origin[0] == '\0')
            memcpy(s->origin, origin.data, origin.size);
        if (text_equal(text_of(s->origin), origin))
            return s;
    }
    CHECK(false);
    return NULL;
}

/* Each once, and in order. */
static void check_session(struct sim_history *h, uint64_t seq, const struct envelope *e)
{
    struct sim_session *s = session_of(h, e->origin);
    if (e->origin_epoch > s->epoch) {
        s->epoch = e->origin_epoch;
        s->next_seq = 1;
    }
    if (e->origin_epoch != s->epoch || e->origin_seq != s->next_seq)
        sim_world_fail(h->world,
                       "command %" PRIu64 " is %" PRIu64 " of session %" PRIu64
                       " of %s, expected %" PRIu64 " of %" PRIu64,
                       seq, e->origin_seq, e->origin_epoch, s->origin, s->next_seq, s->epoch);
    s->next_seq = e->origin_seq + 1;
}

static size_t label_place(const struct sim_history *h, uint64_t hash)
{
    size_t at = hash % h->label_capacity;
    while (h->labels[at] != 0 && h->labels[at] != hash)
        at = (at + 1) % h->label_capacity;
    return at;
}

static void grow_labels(struct sim_history *h)
{
    uint64_t *labels = h->labels;
    size_t capacity = h->label_capacity;
    h->label_capacity *= 2;
    h->labels = calloc(h->label_capacity, sizeof *h->labels);
    CHECK(h->labels != NULL);
    for (size_t i = 0; i < capacity; i++) {
        if (labels[i] != 0)
            h->labels[label_place(h, labels[i])] = labels[i];
    }
    free(labels);
}

static void check_label(struct sim_history *h, uint64_t seq, const struct order_view *v)
{
    char text[ACCOUNT_SIZE_MAX + 1 + CLIENT_ORDER_ID_SIZE_MAX];
    if (!h->labels_for_ever || v->client_order_id.size == 0)
        return;
    memcpy(text, v->account.data, v->account.size);
    text[v->account.size] = ' ';
    memcpy(text + v->account.size + 1, v->client_order_id.data, v->client_order_id.size);
    uint64_t hash = XXH3_64bits(text, v->account.size + 1 + v->client_order_id.size) | 1;
    size_t at = label_place(h, hash);
    if (h->labels[at] == hash)
        sim_world_fail(h->world, "command %" PRIu64 ": '%.*s' of %.*s makes a second order", seq,
                       (int)v->client_order_id.size, v->client_order_id.data, (int)v->account.size,
                       v->account.data);
    h->labels[at] = hash;
    if (++h->label_count * 2 > h->label_capacity)
        grow_labels(h);
}

static void check_events(struct sim_history *h, uint64_t seq, const struct command *c)
{
    size_t count;
    const struct event *events = engine_events(h->engine, &count);
    bool late = c->envelope.deadline_ns != 0 && h->time_ns > c->envelope.deadline_ns;
    if (late && count > 0 && (c->type == MESSAGE_NEW_ORDER || c->type == MESSAGE_AMEND_ORDER))
        sim_world_fail(h->world, "command %" PRIu64 " is done %" PRIu64 " ns after its deadline",
                       seq, h->time_ns - c->envelope.deadline_ns);
    for (size_t i = 0; i < count; i++) {
        struct order_view v = engine_order(h->engine, events[i].order);
        if (events[i].kind == EVENT_ACCEPTED)
            check_label(h, seq, &v);
    }
}

static void keep_fact(struct sim_history *h, uint64_t seq, const struct command *c)
{
    h->facts = grown(h->facts, &h->facts_capacity, (size_t)seq + 1, sizeof *h->facts);
    struct sim_fact *f = &h->facts[seq];
    *f = (struct sim_fact){.origin_epoch = c->envelope.origin_epoch,
                           .origin_seq = c->envelope.origin_seq};
    memcpy(f->origin, c->envelope.origin.data, c->envelope.origin.size);
    for (uint32_t s = 1; s <= engine_symbol_count(h->engine) && s <= SIM_SYMBOLS_MAX; s++) {
        f->l3_hash[s - 1] = engine_book(h->engine, s)->l3_hash;
        f->l2_hash[s - 1] = engine_book(h->engine, s)->l2_hash;
    }
    /* A mass cancel's result comes with the command that ends it. */
    struct finished_command done = engine_result(h->engine);
    if (done.outcome.ready && done.outcome.seq >= 1 && done.outcome.seq <= seq)
        h->facts[done.outcome.seq].outcome = done.outcome;
}

static void apply_command(struct sim_history *h, uint64_t seq, const struct command *c)
{
    struct difference d = {""};
    if (c->envelope.origin.size > 0) {
        check_session(h, seq, &c->envelope);
        if (reference_admit(h->reference, &c->envelope, h->time_ns).admission != REFERENCE_NEXT ||
            engine_admit(h->engine, &c->envelope, h->time_ns).admission != ADMIT_NEXT)
            sim_world_fail(h->world, "command %" PRIu64 " may not follow those before it", seq);
    }
    if (sim_world_failed(h->world))
        return;
    reference_apply(h->reference, seq, h->time_ns, c);
    engine_apply(h->engine, seq, h->time_ns, c);
    h->open_qty += compare_entered(h->engine);
    compare_command(&d, h->engine, h->reference);
    if (++h->commands % COMPARE_ALL_EVERY == 0) {
        compare_all(&d, h->engine, h->reference);
        if (h->open_qty != compare_open(h->engine))
            differ(&d, "lots were lost or invented");
    }
    if (d.text[0] != '\0')
        sim_world_fail(h->world, "command %" PRIu64 ": %s", seq, d.text);
    check_events(h, seq, c);
    keep_fact(h, seq, c);
}

static void apply(struct sim_history *h, const struct sim_batch *b)
{
    const uint8_t *at = b->bytes, *stop = at + b->size;
    struct command c;
    if (b->first_seq != h->seq + 1 || b->time_ns < h->time_ns)
        sim_world_fail(h->world,
                       "a batch begins with %" PRIu64 " at %" PRIu64 " ns, behind %" PRIu64
                       " at %" PRIu64,
                       b->first_seq, b->time_ns, h->seq, h->time_ns);
    h->time_ns = b->time_ns;
    while (at < stop && !sim_world_failed(h->world)) {
        if (command_read(&at, stop, &c) != COMMAND_READ_OK)
            sim_world_fail(h->world, "command %" PRIu64 " cannot be read", h->seq + 1);
        else
            apply_command(h, ++h->seq, &c);
    }
    if (sim_world_failed(h->world))
        return;
    if (h->seq != last_seq(b) || engine_books_hash(h->engine) != b->check)
        sim_world_fail(h->world,
                       "the batch of %" PRIu64 "..%" PRIu64 " ends with %" PRIu64
                       " and books %016" PRIx64 ", and says %016" PRIx64,
                       b->first_seq, last_seq(b), h->seq, engine_books_hash(h->engine), b->check);
}

/* ---- what the journal says ---- */

void sim_history_made(struct sim_history *h, uint64_t number, const struct journal_batch *batch,
                      uint64_t durable_seq)
{
    struct sim_batch b = {number,       batch->first_seq, batch->count,        batch->time_ns,
                          batch->check, durable_seq,      malloc(batch->size), batch->size};
    CHECK(b.bytes != NULL);
    memcpy(b.bytes, batch->bytes, batch->size);
    sim_world_digest(h->world, b.bytes, b.size);
    batches_put(&h->made, &b);
}

/* The oldest batch that is made is committed. */
static void commit_first(struct sim_history *h)
{
    struct sim_batch b = h->made.batches[0];
    memmove(&h->made.batches[0], &h->made.batches[1], --h->made.count * sizeof h->made.batches[0]);
    batches_put(&h->committed, &b);
    apply(h, &b);
}

void sim_history_committed(struct sim_history *h, uint64_t number, uint64_t durable_seq)
{
    while (h->made.count > 0 && h->made.batches[0].number <= number && !sim_world_failed(h->world))
        commit_first(h);
    h->durable_seq = durable_seq;
}

/* ---- a matcher has started ---- */

/* A batch it has taken from the journal. */
static void check_batch(struct sim_history *h, const struct journal_record *r)
{
    bool beyond = r->first_seq > h->seq;
    const struct sim_batch *b = batches_find(beyond ? &h->made : &h->committed, r->first_seq);
    if (b == NULL || b->count != r->count || b->time_ns != r->time_ns || b->size != r->size ||
        memcmp(b->bytes, r->bytes, r->size) != 0) {
        sim_world_fail(h->world,
                       "the journal holds a batch of %" PRIu64 "..%" PRIu64
                       " that is not the one that was written",
                       r->first_seq, record_last_seq(r));
        return;
    }
    if (beyond)
        commit_first(h);
}

static void check_journal(struct sim_history *h, const struct disk *disk, uint64_t after_seq)
{
    char error[JOURNAL_ERROR_SIZE];
    journal_reader_t *reader = NULL;
    struct journal_record record;
    uint64_t oldest;
    enum journal_read read = JOURNAL_READ_RECORD;
    if (journal_reader_open(&reader, disk, after_seq, &oldest, error) != STATUS_OK) {
        sim_world_fail(h->world, "the journal cannot be read again: %s", error);
        return;
    }
    while (!sim_world_failed(h->world) &&
           (read = journal_reader_next(reader, &record, error)) == JOURNAL_READ_RECORD) {
        if (record.kind == RECORD_BATCH)
            check_batch(h, &record);
    }
    if (!sim_world_failed(h->world) && read != JOURNAL_READ_END)
        sim_world_fail(h->world, "the journal cannot be read again: %s", error);
    journal_reader_close(&reader);
}

/* Commands from first_seq on are gone that were committed. May they be? */
static void check_cut(struct sim_history *h, uint64_t first_seq, const struct recovery *r,
                      const struct sim_damage *damage)
{
    uint64_t told_durable = r->snapshot_seq;
    for (size_t i = 0; i < h->committed.count; i++) {
        const struct sim_batch *b = &h->committed.batches[i];
        if (b->first_seq != first_seq && b->durable_seq > told_durable)
            told_durable = b->durable_seq; /* one flip damages one record: this is another */
    }
    bool excused = damage->flipped || (h->mode == JOURNAL_MODE_ASYNC && damage->power_lost &&
                                       first_seq > h->durable_seq);
    if (!excused)
        sim_world_fail(h->world,
                       "commands %" PRIu64 "..%" PRIu64
                       " were acknowledged and are lost (durable through %" PRIu64 ")",
                       first_seq, h->seq, h->durable_seq);
    else if (told_durable >= first_seq)
        sim_world_fail(h->world,
                       "commands from %" PRIu64
                       " on are cut off, though a header says that %" PRIu64 " is durable",
                       first_seq, told_durable);
    else if (!r->found.new_epoch)
        sim_world_fail(h->world, "commands from %" PRIu64 " on are lost and the epoch is the same",
                       first_seq);
}

/* Only the first commands are true any more. */
static void cut(struct sim_history *h, uint64_t seq)
{
    size_t kept = 0;
    while (kept < h->committed.count && last_seq(&h->committed.batches[kept]) <= seq)
        kept++;
    batches_cut(&h->committed, kept);
    h->cuts++;
    end(h);
    begin(h);
    for (size_t i = 0; i < kept && !sim_world_failed(h->world); i++)
        apply(h, &h->committed.batches[i]);
}

static void check_epoch(struct sim_history *h, const struct recovery *r,
                        const struct sim_damage *damage)
{
    bool unclean = h->mode == JOURNAL_MODE_ASYNC && !r->found.clean;
    bool reason = r->new_history || r->found.cut_size > 0 || unclean || damage->start_failed;
    if (r->found.new_epoch ? r->epoch <= h->epoch_max : r->epoch != h->epoch)
        sim_world_fail(
            h->world, "epoch %" PRIu64 " (%s) follows %" PRIu64 ", the greatest ever %" PRIu64,
            r->epoch, r->found.new_epoch ? "new" : "the old one", h->epoch, h->epoch_max);
    if (r->found.new_epoch && !reason)
        sim_world_fail(h->world, "epoch %" PRIu64 " is new for no reason", r->epoch);
    if (!r->found.new_epoch && (r->found.cut_size > 0 || unclean))
        sim_world_fail(h->world, "epoch %" PRIu64 " goes on after %s", r->epoch,
                       unclean ? "an unclean end" : r->found.words);
    if (r->found.cut_size > 0 && !damage->flipped && !damage->power_lost && !damage->failed)
        sim_world_fail(h->world, "nothing is damaged, and something is cut: %s", r->found.words);
    if (damage->stopped && h->mode != JOURNAL_MODE_NONE && !r->found.clean)
        sim_world_fail(h->world, "an orderly end is not known as one");
    h->epoch = r->epoch;
    h->epoch_max = r->epoch;
}

void sim_history_recovered(struct sim_history *h, const struct disk *disk, const struct recovery *r,
                           const struct sim_damage *damage)
{
    uint64_t written_seq =
        h->made.count > 0 ? last_seq(&h->made.batches[h->made.count - 1]) : h->seq;
    bool killed = !damage->power_lost && !damage->flipped && !damage->failed && !damage->unwritten;
    if (disk != NULL && !r->new_history)
        check_journal(h, disk, r->snapshot_seq);
    if (disk != NULL && killed && r->found.seq != written_seq)
        sim_world_fail(h->world,
                       "the process ended after writing %" PRIu64 ", and %" PRIu64 " is there",
                       written_seq, r->found.seq);
    if (disk != NULL && r->found.seq < h->seq) {
        check_cut(h, r->found.seq + 1, r, damage);
        cut(h, r->found.seq);
    } else if (disk == NULL && h->seq > 0) {
        cut(h, 0);
    }
    check_epoch(h, r, damage);
    batches_cut(&h->made, 0);
    h->durable_seq = r->found.seq;
    if (!r->new_history && !sim_world_failed(h->world))
        sim_history_compare(h, matcher_engine(r->matcher));
}

const struct sim_fact *sim_history_fact(const struct sim_history *h, uint64_t seq)
{
    return seq >= 1 && seq <= h->seq ? &h->facts[seq] : NULL;
}

void sim_history_compare(struct sim_history *h, const engine_t *matcher)
{
    uint64_t hash = engine_state_hash(matcher), expected = engine_state_hash(h->engine);
    if (engine_seq(matcher) != h->seq || hash != expected)
        sim_world_fail(h->world,
                       "a matcher stands at %" PRIu64 " with state %016" PRIx64
                       ", expected %" PRIu64 " with %016" PRIx64,
                       engine_seq(matcher), hash, h->seq, expected);
}
