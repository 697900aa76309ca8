/* The state hash: everything that decides is in it, what does not is not. Every bit of every such
 * field is turned, alone, and must change the hash; turned back, the hash is the old one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/state.h"
#include "tests/unit/engine/engine_kit.h"

static void assert_bits_count(engine_t *e, void *field, unsigned bit_count, const char *name)
{
    unsigned char *bytes = field;
    uint64_t hash = engine_state_hash(e);
    for (unsigned bit = 0; bit < bit_count; bit++) {
        unsigned char turned = (unsigned char)(1u << bit % 8);
        bytes[bit / 8] ^= turned;
        if (engine_state_hash(e) == hash)
            fail_msg("bit %u of %s is not in the state hash", bit, name);
        bytes[bit / 8] ^= turned;
    }
    assert_true(engine_state_hash(e) == hash);
}

#define BITS(e, field)      assert_bits_count((e), &(field), 8 * sizeof(field), #field)
#define FLAG(e, field)      assert_bits_count((e), &(field), 1, #field)
#define LOW_BITS(e, field)  assert_bits_count((e), &(field), 2, #field)
#define TEXT(e, data, size) assert_bits_count((e), (data), 8 * (unsigned)(size), #data)

/* Another value, where not every one will do. */
static void assert_slot_counts(engine_t *e, uint32_t *slot, uint32_t other)
{
    uint64_t hash = engine_state_hash(e);
    uint32_t was = *slot;
    assert_int_not_equal(was, other);
    *slot = other;
    assert_true(engine_state_hash(e) != hash);
    *slot = was;
    assert_true(engine_state_hash(e) == hash);
}

/* A history with something of everything: a labelled order that rests, filled in part, a finished
 * one, a refused one, results that are not acked, and a mass cancel that waits. */
static void make_history(struct kit *k, uint64_t hash_seed, bool anonymous)
{
    struct configure limits = kit_limits();
    limits.events_max = 2;
    limits.anonymous = anonymous;
    kit_open(k, &limits, hash_seed);
    struct command maker = kit_new("alice", "label", SIDE_SELL, 150, 10);
    maker.envelope = kit_envelope("gw", 7, 1, 0);
    assert_int_equal(kit_apply(k, &maker), 0);
    k->time_ns += 5;
    struct command refused = kit_new("carol", "refused", SIDE_SELL, 150, 0);
    refused.envelope = kit_envelope("gw", 7, 2, 0);
    assert_int_equal(kit_apply(k, &refused), REJECT_INVALID_QUANTITY);
    kit_place(k, "bob", "", SIDE_BUY, 150, 4);
    for (unsigned i = 0; i < 4; i++)
        kit_place(k, "dave", "", SIDE_BUY, 20 + (int64_t)i, 1);
    struct command mass = kit_mass_cancel(anonymous ? "" : "dave");
    mass.envelope = kit_envelope("gw", 7, 3, 0);
    assert_int_equal(kit_apply(k, &mass), 0);
    assert_int_equal(engine_waiting(k->engine), 1);
}

static int setup(void **state)
{
    static struct kit k;
    make_history(&k, 1, false);
    *state = &k;
    return 0;
}

static int teardown(void **state)
{
    kit_close(*state);
    return 0;
}

static uint32_t first_open(engine_t *e, const char *account)
{
    return engine_next_open(e, engine_account_find(e, text_of(account)), 0);
}

static uint32_t first_finished(engine_t *e, const char *account)
{
    return engine_next_finished(e, engine_account_find(e, text_of(account)), 0);
}

/* ---- what decides ---- */

static void limits_and_counters_are_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    BITS(e, e->seq);
    BITS(e, e->time_ns);
    BITS(e, e->trade_count);
    BITS(e, e->limits.shard);
    BITS(e, e->limits.open_orders_max);
    BITS(e, e->limits.accounts_max);
    BITS(e, e->limits.finished_per_account);
    BITS(e, e->limits.symbols_max);
    BITS(e, e->limits.origins_max);
    BITS(e, e->limits.origin_window);
    BITS(e, e->limits.events_max);
    FLAG(e, e->limits.anonymous);
}

static void symbols_are_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    for (uint32_t n = 1; n <= 2; n++) {
        struct symbol *s = &e->symbols[n];
        TEXT(e, e->symbol_names.names[n].text, e->symbol_names.names[n].size);
        TEXT(e, s->sizes_text, s->tick_size.size);
        TEXT(e, s->sizes_text + DECIMAL_SIZE_MAX, s->lot_size.size);
        FLAG(e, s->any_price);
        BITS(e, s->next_priority);
        BITS(e, s->marks.book_seq);
        BITS(e, s->marks.bbo_seq);
        BITS(e, s->marks.trade_seq);
    }
}

static void assert_order_counts(engine_t *e, uint32_t slot)
{
    struct order *o = &e->pool.orders[slot];
    struct order_detail *d = &e->details[slot];
    BITS(e, o->order_id);
    BITS(e, o->open_qty);
    BITS(e, o->book);
    BITS(e, o->reason);
    BITS(e, o->side);
    BITS(e, o->type);
    BITS(e, o->time_in_force);
    BITS(e, o->stp);
    BITS(e, o->status);
    FLAG(e, o->post_only);
    FLAG(e, o->labelled);
    BITS(e, d->price);
    BITS(e, d->qty);
    BITS(e, d->filled_qty);
    BITS(e, d->notional);
    BITS(e, d->accepted_ns);
    BITS(e, d->changed_seq);
}

static void open_orders_are_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    uint32_t slot = first_open(e, "alice");
    assert_order_counts(e, slot);
    BITS(e, e->pool.orders[slot].priority);
    BITS(e, e->labels.labels[slot].body_hash);
    TEXT(e, e->labels.labels[slot].text, e->labels.labels[slot].size);
}

static void finished_orders_are_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    uint32_t refused = first_finished(e, "carol");
    assert_order_counts(e, refused);
    BITS(e, e->labels.labels[refused].body_hash);
    TEXT(e, e->labels.labels[refused].text, e->labels.labels[refused].size);
    assert_order_counts(e, first_finished(e, "bob"));
}

static void accounts_are_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    for (uint32_t n = 1; n <= 4; n++)
        TEXT(e, e->account_names.names[n].text, e->account_names.names[n].size);
}

static void assert_outcome_counts(engine_t *e, struct outcome *o)
{
    BITS(e, o->seq);
    BITS(e, o->order_id);
    BITS(e, o->count);
    BITS(e, o->code);
    FLAG(e, o->duplicate);
    FLAG(e, o->ready);
}

static void origins_and_their_results_are_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    struct origin *origin = &e->origins.origins[1];
    TEXT(e, e->origins.names.names[1].text, e->origins.names.names[1].size);
    BITS(e, origin->epoch);
    LOW_BITS(e, origin->next_seq); /* it bounds a walk over results */
    BITS(e, origin->acked_through);
    for (uint64_t seq = 1; seq < origin->next_seq; seq++)
        assert_outcome_counts(e, &e->origins.outcomes[e->origins.window + seq]);
}

static void results_that_were_acked_are_not_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    e->origins.origins[1].acked_through = 1;
    uint64_t hash = engine_state_hash(e);
    e->origins.outcomes[e->origins.window + 1].order_id++;
    assert_true(engine_state_hash(e) == hash);
    e->origins.outcomes[e->origins.window + 2].order_id++;
    assert_true(engine_state_hash(e) != hash);
}

static void a_mass_cancel_that_waits_is_in_the_state_hash(void **state)
{
    engine_t *e = ((struct kit *)*state)->engine;
    struct work *w = &e->work;
    BITS(e, w->kind);
    BITS(e, w->symbol);
    BITS(e, w->account);
    BITS(e, w->side);
    BITS(e, w->origin);
    BITS(e, w->origin_seq);
    assert_outcome_counts(e, &w->outcome);
    assert_slot_counts(e, &w->cursor, first_open(e, "alice"));
    assert_slot_counts(e, &w->cursor, 0);
}

static void a_mass_cancel_of_everybody_is_in_the_state_hash(void **state)
{
    (void)state;
    struct kit k;
    make_history(&k, 1, true);
    engine_t *e = k.engine;
    uint32_t dave = engine_account_find(e, text_of("dave"));
    assert_true(e->work.everybody);
    assert_slot_counts(e, &e->accounts[dave].mass_cursor, 0);
    assert_slot_counts(e, &e->accounts[ACCOUNT_ANONYMOUS].mass_cursor, first_open(e, "dave"));
    FLAG(e, e->work.everybody);
    kit_close(&k);
}

static void a_sweep_that_waits_is_in_the_state_hash(void **state)
{
    struct kit *k = *state;
    kit_continue(k);
    uint32_t alice = first_open(k->engine, "alice");
    for (unsigned i = 0; i < 3; i++)
        kit_place(k, "dave", "", SIDE_BUY, 20, 1);
    kit_place(k, "bob", "", SIDE_SELL, 20, 3);
    assert_int_equal(k->engine->work.kind, WORK_SWEEP);
    BITS(k->engine, k->engine->work.kind);
    assert_slot_counts(k->engine, &k->engine->work.order, alice);
}

/* ---- what does not ---- */

static void state_hash_does_not_depend_on_hash_seed(void **state)
{
    static const uint64_t seeds[] = {0, 2, UINT64_C(0x9E3779B97F4A7C15), UINT64_MAX};
    struct kit *first = *state;
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        struct kit other;
        make_history(&other, seeds[i], false);
        assert_true(engine_state_hash(other.engine) == engine_state_hash(first->engine));
        kit_close(&other);
    }
}

static uint64_t hash_with_symbols(const char *one, const char *two)
{
    struct configure limits = kit_limits();
    struct kit k;
    kit_open(&k, &limits, 1);
    const char *names[] = {one, two};
    for (size_t i = 0; i < 2; i++) {
        const struct command c = {
            .type = MESSAGE_ADD_SYMBOL,
            .add_symbol = {text_of(names[i]), text_of("1"), text_of("1"), false}};
        assert_int_equal(kit_apply(&k, &c), 0);
    }
    uint64_t hash = engine_state_hash(k.engine);
    kit_close(&k);
    return hash;
}

static void names_do_not_run_together_in_the_state_hash(void **state)
{
    (void)state;
    assert_true(hash_with_symbols("AB", "C") == hash_with_symbols("AB", "C"));
    assert_true(hash_with_symbols("AB", "C") != hash_with_symbols("A", "BC"));
    assert_true(hash_with_symbols("AB", "C") != hash_with_symbols("C", "AB"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(limits_and_counters_are_in_the_state_hash),
        TEST(symbols_are_in_the_state_hash),
        TEST(open_orders_are_in_the_state_hash),
        TEST(finished_orders_are_in_the_state_hash),
        TEST(accounts_are_in_the_state_hash),
        TEST(origins_and_their_results_are_in_the_state_hash),
        TEST(results_that_were_acked_are_not_in_the_state_hash),
        TEST(a_mass_cancel_that_waits_is_in_the_state_hash),
        cmocka_unit_test(a_mass_cancel_of_everybody_is_in_the_state_hash),
        TEST(a_sweep_that_waits_is_in_the_state_hash),
        TEST(state_hash_does_not_depend_on_hash_seed),
        cmocka_unit_test(names_do_not_run_together_in_the_state_hash),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
