/* image: a matcher's state as bytes, and its past applied again.
 *
 *     [version, engine (snapshot.h), [[account, seq] ...], [[symbol, seq] ...]]
 *
 * The positions are where the account and book topics stand, so that their chains go on. */
#include <stdio.h>

#include "base/planted.h"
#include "engine/snapshot.h"
#include "matcher/matcher_parts.h"

enum { IMAGE_VERSION = 1, POSITION_PAIR_SIZE_MAX = 1 + 2 * WIRE_INTEGER_SIZE_MAX };

/* ---- bytes ---- */

size_t matcher_image_size_max(const matcher_t *m)
{
    size_t positions = (size_t)engine_account_count(m->engine) + engine_symbol_count(m->engine);
    return 1 + WIRE_INTEGER_SIZE_MAX + engine_snapshot_size_max(m->engine) +
           2 * WIRE_ARRAY_SIZE_MAX + positions * POSITION_PAIR_SIZE_MAX;
}

static void put_position(struct wire_writer *w, uint32_t number, uint64_t seq)
{
    wire_put_array(w, 2);
    wire_put_u64(w, number);
    wire_put_u64(w, seq);
}

size_t matcher_image_write(const matcher_t *m, uint8_t *bytes)
{
    struct wire_writer w = {bytes};
    wire_put_array(&w, 4);
    wire_put_u64(&w, IMAGE_VERSION);
    w.at += engine_snapshot_write(m->engine, w.at);
    uint32_t accounts = 0;
    for (uint32_t a = 1; a <= engine_account_count(m->engine); a++)
        accounts += private_feed_position(m->private_feed, a) > 0;
    wire_put_array(&w, accounts);
    for (uint32_t a = 1; a <= engine_account_count(m->engine); a++) {
        uint64_t seq = private_feed_position(m->private_feed, a);
        if (seq > 0)
            put_position(&w, a, PLANTED(SNAPSHOT_MISSES_A_FIELD) ? 0 : seq);
    }
    wire_put_array(&w, engine_symbol_count(m->engine));
    for (uint32_t s = 1; s <= engine_symbol_count(m->engine); s++)
        put_position(
            &w, s, PLANTED(SNAPSHOT_MISSES_A_FIELD) ? 0 : public_feed_position(m->public_feed, s));
    return (size_t)(w.at - bytes);
}

/* One [number, seq]; false: it is none. */
static bool read_position(struct wire_reader *r, uint64_t number_max, uint64_t seq_max,
                          uint64_t *number, uint64_t *seq)
{
    bool pair = wire_get_array(r) == 2;
    *number = wire_get_u64(r, 0);
    *seq = wire_get_u64(r, 0);
    return pair && !r->bad && *number >= 1 && *number <= number_max && *seq <= seq_max;
}

static bool read_positions(matcher_t *m, struct wire_reader *r)
{
    uint64_t number, seq, last = 0, seq_max = engine_seq(m->engine);
    uint32_t accounts = wire_get_array(r);
    for (uint32_t i = 0; i < accounts; i++, last = number) {
        if (!read_position(r, engine_account_count(m->engine), seq_max, &number, &seq) ||
            number <= last)
            return false;
        private_feed_position_set(m->private_feed, (uint32_t)number, seq);
    }
    uint32_t symbols = wire_get_array(r);
    if (r->bad || symbols != engine_symbol_count(m->engine))
        return false;
    for (uint32_t s = 1; s <= symbols; s++) {
        if (!read_position(r, symbols, seq_max, &number, &seq) || number != s)
            return false;
        public_feed_symbol(m->public_feed, s);
        public_feed_position_set(m->public_feed, s, seq);
    }
    return r->at == r->end;
}

matcher_t *matcher_image_read(const struct matcher_options *options, const uint8_t *bytes,
                              size_t size, char error[MATCHER_IMAGE_ERROR_SIZE])
{
    char why[ENGINE_SNAPSHOT_ERROR_SIZE];
    struct wire_reader r = {bytes, bytes + size, false};
    size_t used = 0;
    uint32_t fields = wire_get_array(&r);
    uint64_t version = wire_get_u64(&r, 0);
    if (r.bad || fields != 4 || version != IMAGE_VERSION) {
        snprintf(error, MATCHER_IMAGE_ERROR_SIZE,
                 "at byte 0: found an array of %u and version %llu, expected 4 and version %d",
                 fields, (unsigned long long)version, IMAGE_VERSION);
        return NULL;
    }
    engine_t *engine =
        engine_snapshot_read(r.at, (size_t)(r.end - r.at), options->hash_seed, &used, why);
    if (engine == NULL) {
        snprintf(error, MATCHER_IMAGE_ERROR_SIZE,
                 "in the engine's state, which begins at byte %zu, %s", (size_t)(r.at - bytes),
                 why);
        return NULL;
    }
    r.at += used;
    matcher_t *m = matcher_around(options, engine);
    m->checkpoint_seq = engine_seq(engine);
    if (read_positions(m, &r))
        return m;
    snprintf(error, MATCHER_IMAGE_ERROR_SIZE,
             "at byte %zu: found something else than where the topics of %u accounts and %u "
             "symbols stand",
             (size_t)(r.at - bytes), engine_account_count(engine), engine_symbol_count(engine));
    matcher_destroy(&m);
    return NULL;
}

/* ---- the past ---- */

matcher_t *matcher_of_history(const struct matcher_options *options, const uint8_t *commands,
                              size_t size)
{
    struct command c;
    uint64_t low, high;
    const uint8_t *at = commands;
    if (command_read(&at, commands + size, &c) != COMMAND_READ_OK || c.type != MESSAGE_CONFIGURE ||
        engine_limits_check(&c.configure, &low, &high) != NULL)
        return NULL;
    return matcher_around(options, engine_new(&c.configure, options->hash_seed));
}

/* Whether the engine can be given this command: what it checks by itself it need not survive. */
static bool may_apply(matcher_t *m, const struct command *c)
{
    bool waiting = engine_waiting(m->engine) > 0;
    bool first = engine_seq(m->engine) == 0;
    if (waiting != (c->type == MESSAGE_CONTINUE_WORK) || first != (c->type == MESSAGE_CONFIGURE))
        return false;
    if (c->type == MESSAGE_CONTINUE_WORK)
        return c->continue_work.waiting == engine_waiting(m->engine);
    if (c->type == MESSAGE_ADD_SYMBOL)
        return engine_symbol_find(m->engine, c->add_symbol.symbol) == 0 &&
               engine_symbol_count(m->engine) < m->options.limits.symbols_max;
    if (command_internal(c->type))
        return c->envelope.origin.size == 0;
    return PLANTED(DEDUPE_LOST_AT_RESTART) ||
           (c->envelope.origin.size > 0 &&
            engine_admit(m->engine, &c->envelope, m->now_ns).admission == ADMIT_NEXT);
}

bool matcher_replay(matcher_t *m, const struct journal_record *batch,
                    char error[MATCHER_IMAGE_ERROR_SIZE])
{
    struct command c;
    const uint8_t *at = batch->bytes, *end = at + batch->size;
    m->now_ns = batch->time_ns;
    m->outbox.batch = batch->number;
    uint64_t seq = batch->first_seq;
    for (; at < end; seq++) {
        size_t offset = (size_t)(at - batch->bytes);
        bool read = command_read(&at, end, &c) == COMMAND_READ_OK;
        if (read && seq <= engine_seq(m->engine))
            continue; /* it is in the state already */
        if (PLANTED(DEDUPE_LOST_AT_RESTART))
            c.envelope.origin.size = 0;
        if (!read || seq - batch->first_seq >= batch->count || !may_apply(m, &c)) {
            snprintf(error, MATCHER_IMAGE_ERROR_SIZE,
                     "at byte %zu of the batch: found %s, expected command %llu", offset,
                     !read ? "what is no command" : "a command that cannot follow the one before",
                     (unsigned long long)seq);
            return false;
        }
        matcher_apply(m, &c);
    }
    matcher_flush(m);
    if (seq == batch->first_seq + batch->count)
        return true;
    snprintf(error, MATCHER_IMAGE_ERROR_SIZE, "found %llu commands, expected %llu",
             (unsigned long long)(seq - batch->first_seq), (unsigned long long)batch->count);
    return false;
}

void matcher_checkpointed(matcher_t *m)
{
    m->checkpoint_seq = engine_seq(m->engine);
}

void matcher_epoch_set(matcher_t *m, uint64_t epoch)
{
    m->epoch = epoch;
    private_feed_epoch_set(m->private_feed, epoch);
    public_feed_epoch_set(m->public_feed, epoch);
}

uint64_t matcher_epoch(const matcher_t *m)
{
    return m->epoch;
}

struct outbox *matcher_outbox(matcher_t *m)
{
    return &m->outbox;
}
