/* An engine read back from its bytes is the engine that was written: now, and from then on. What
 * are not its bytes is refused, or is another engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mix.h"
#include "tests/unit/base/seeds.h"
#include "tests/unit/engine/engine_kit.h"
#include "tests/unit/engine/random_history.h"
#include "tests/unit/engine/snapshot_kit.h"

enum {
    HISTORIES = 40,
    HISTORY_SIZE = 1500,
    DAMAGED_HISTORIES = 8,
    DAMAGED_HISTORY_SIZE = 400,
    DAMAGES = 700, /* of each kind, a history */
};

static engine_t *read_back(const engine_t *e, uint64_t hash_seed)
{
    char error[ENGINE_SNAPSHOT_ERROR_SIZE];
    struct written w = written_of(e);
    engine_t *again = written_read(&w, hash_seed, error);
    if (again == NULL)
        fail_msg("what was written is refused: %s", error);
    written_free(&w);
    return again;
}

/* ---- two engines ---- */

static void assert_same_queue(const engine_t *a, const engine_t *b, uint32_t la, uint32_t lb)
{
    const struct book_pool *pa = engine_pool(a), *pb = engine_pool(b);
    assert_true(pa->levels[la].price == pb->levels[lb].price);
    assert_true(pa->levels[la].qty == pb->levels[lb].qty);
    uint32_t oa = pa->levels[la].head, ob = pb->levels[lb].head;
    for (; oa != 0 && ob != 0; oa = pa->orders[oa].next, ob = pb->orders[ob].next)
        assert_true(pa->orders[oa].order_id == pb->orders[ob].order_id);
    assert_true(oa == 0 && ob == 0);
}

static void assert_same_books(const engine_t *a, const engine_t *b, uint32_t symbol)
{
    const struct book *ba = engine_book(a, symbol), *bb = engine_book(b, symbol);
    assert_true(ba->l2_hash == bb->l2_hash && ba->l3_hash == bb->l3_hash);
    assert_true(ba->order_count == bb->order_count);
    for (unsigned side = 0; side < 2; side++) {
        uint32_t la = ba->sides[side].best, lb = bb->sides[side].best;
        while (la != 0 && lb != 0) {
            assert_same_queue(a, b, la, lb);
            la = engine_pool(a)->levels[la].worse;
            lb = engine_pool(b)->levels[lb].worse;
        }
        assert_true(la == 0 && lb == 0);
    }
}

/* What the hashes and marks of all symbols are. */
static void assert_same_symbols(const engine_t *a, const engine_t *b)
{
    uint64_t digest = 0;
    assert_int_equal(engine_symbol_count(a), engine_symbol_count(b));
    for (uint32_t n = 1; n <= engine_symbol_count(a); n++) {
        struct book_marks ma = engine_book_marks(a, n), mb = engine_book_marks(b, n);
        assert_true(ma.book_seq == mb.book_seq && ma.bbo_seq == mb.bbo_seq);
        assert_true(ma.trade_seq == mb.trade_seq);
        assert_true(text_equal(engine_symbol_name(a, n), engine_symbol_name(b, n)));
        assert_true(text_equal(engine_symbol_tick_size(a, n), engine_symbol_tick_size(b, n)));
        assert_true(text_equal(engine_symbol_lot_size(a, n), engine_symbol_lot_size(b, n)));
        assert_true(engine_symbol_any_price(a, n) == engine_symbol_any_price(b, n));
        assert_same_books(a, b, n);
        digest += mix(engine_book(a, n)->l3_hash + n * UINT64_C(0x9E3779B97F4A7C15));
    }
    assert_true(engine_books_hash(a) == digest && engine_books_hash(b) == digest);
}

static void assert_same_engines(const engine_t *a, const engine_t *b)
{
    assert_true(engine_seq(a) == engine_seq(b) && engine_time_ns(a) == engine_time_ns(b));
    assert_true(engine_limits(a)->open_orders_max == engine_limits(b)->open_orders_max);
    assert_true(engine_waiting(a) == engine_waiting(b));
    assert_true(engine_state_hash(a) == engine_state_hash(b));
    assert_same_symbols(a, b);
}

static uint64_t order_id(const engine_t *e, uint32_t order)
{
    return order == 0 ? 0 : engine_order(e, order).order->order_id;
}

/* What the last command did, in both. */
static void assert_same_group(const engine_t *a, const engine_t *b)
{
    size_t ca, cb;
    const struct event *ea = engine_events(a, &ca), *eb = engine_events(b, &cb);
    assert_int_equal(ca, cb);
    for (size_t i = 0; i < ca; i++) {
        struct event one = ea[i], other = eb[i];
        assert_true(order_id(a, one.order) == order_id(b, other.order));
        assert_true(order_id(a, one.maker) == order_id(b, other.maker));
        one.order = one.maker = other.order = other.maker = 0;
        assert_memory_equal(&one, &other, sizeof one);
    }
    struct finished_command fa = engine_result(a), fb = engine_result(b);
    assert_true(text_equal(fa.origin, fb.origin) && fa.origin_number == fb.origin_number);
    assert_true(fa.origin_epoch == fb.origin_epoch && fa.origin_seq == fb.origin_seq);
    assert_memory_equal(&fa.outcome, &fb.outcome, sizeof fa.outcome);
}

static void apply_to_both(engine_t *a, engine_t *b, uint64_t time_ns, const struct command *c)
{
    if (c->envelope.origin.size > 0) {
        struct admission_answer aa = engine_admit(a, &c->envelope, time_ns);
        struct admission_answer ab = engine_admit(b, &c->envelope, time_ns);
        assert_true(aa.admission == ab.admission && aa.admission == ADMIT_NEXT);
    }
    engine_apply(a, engine_seq(a) + 1, time_ns, c);
    engine_apply(b, engine_seq(b) + 1, time_ns, c);
    assert_same_group(a, b);
}

/* ---- what is written is read ---- */

/* A twin goes along, read back again and again from what its model wrote. */
static void goes_on_the_same(uint64_t seed)
{
    struct random random = {mix(seed)};
    static struct random_history h;
    random_history_open(&h, seed);
    engine_t *e = engine_new(&h.maker.limits, seed);
    engine_t *twin = read_back(e, mix(seed));
    for (unsigned i = 0; i < HISTORY_SIZE; i++) {
        struct command c = random_history_next(&h);
        apply_to_both(e, twin, h.maker.time_ns, &c);
        assert_same_engines(e, twin);
        if (!random_once_in(&random, engine_waiting(e) != 0 ? 3 : 40))
            continue;
        engine_destroy(&twin);
        twin = read_back(e, random_next(&random));
        assert_same_engines(e, twin);
    }
    engine_destroy(&e);
    engine_destroy(&twin);
    random_history_close(&h);
}

static void an_engine_read_back_goes_on_the_same(void **state)
{
    (void)state;
    seeds_run("snapshot_test goes_on", HISTORIES, goes_on_the_same);
}

static void writes_the_same_bytes(uint64_t seed)
{
    static struct random_history h;
    random_history_open(&h, seed);
    engine_t *e = engine_new(&h.maker.limits, seed);
    engine_t *other = engine_new(&h.maker.limits, mix(seed));
    for (unsigned i = 0; i < HISTORY_SIZE; i++) {
        struct command c = random_history_next(&h);
        apply_to_both(e, other, h.maker.time_ns, &c);
        if (i % 30 != 0)
            continue;
        struct written one = written_of(e), another = written_of(other);
        engine_t *again = read_back(other, seed); /* whose orders lie elsewhere */
        struct written third = written_of(again);
        assert_true(one.size == another.size && one.size == third.size);
        assert_memory_equal(one.bytes, another.bytes, one.size);
        assert_memory_equal(one.bytes, third.bytes, one.size);
        written_free(&one);
        written_free(&another);
        written_free(&third);
        engine_destroy(&again);
    }
    engine_destroy(&e);
    engine_destroy(&other);
    random_history_close(&h);
}

static void engines_of_one_state_write_the_same_bytes(void **state)
{
    (void)state;
    seeds_run("snapshot_test same_bytes", HISTORIES, writes_the_same_bytes);
}

/* Until nothing waits, the engine and one read back from it at each step do the same. */
static void assert_work_goes_on_the_same(struct kit *k, unsigned steps)
{
    unsigned step = 0;
    for (; engine_waiting(k->engine) != 0; step++) {
        engine_t *twin = read_back(k->engine, step);
        assert_same_engines(k->engine, twin);
        const struct command go_on = {.type = MESSAGE_CONTINUE_WORK, .continue_work = {1}};
        apply_to_both(k->engine, twin, k->time_ns, &go_on);
        assert_same_engines(k->engine, twin);
        engine_destroy(&twin);
    }
    assert_int_equal(step, steps);
}

static void open_small(struct kit *k, bool anonymous, uint64_t finished_per_account)
{
    struct configure limits = kit_limits();
    limits.events_max = 2;
    limits.anonymous = anonymous;
    limits.finished_per_account = finished_per_account;
    kit_open(k, &limits, 1);
}

static void a_sweep_half_done_is_read_back(void **state)
{
    (void)state;
    struct kit k;
    open_small(&k, false, 10);
    for (unsigned i = 0; i < 7; i++)
        kit_place(&k, "maker", "", SIDE_SELL, 10 + i, 1);
    kit_place(&k, "taker", "label", SIDE_BUY, 20, 10);
    assert_work_goes_on_the_same(&k, 3);
    assert_int_equal(kit_open_count(&k, "taker"), 1);
    kit_close(&k);
}

static void an_amended_sweep_is_read_back_without_its_old_place(void **state)
{
    (void)state;
    struct kit k;
    open_small(&k, false, 10);
    uint64_t taker = kit_place(&k, "taker", "", SIDE_BUY, 5, 10);
    for (unsigned i = 0; i < 7; i++)
        kit_place(&k, "maker", "", SIDE_SELL, 10, 1);
    const struct command amend = kit_amend("taker", taker, 10, 10);
    assert_int_equal(kit_apply(&k, &amend), 0);
    assert_work_goes_on_the_same(&k, 3);
    kit_close(&k);
}

static void a_mass_cancel_half_done_is_read_back(void **state)
{
    (void)state;
    struct kit k;
    open_small(&k, false, 10);
    for (unsigned i = 0; i < 7; i++)
        kit_place(&k, "a", "", SIDE_SELL, 10 + i, 1);
    kit_place(&k, "b", "", SIDE_SELL, 10, 1);
    struct command mass = kit_mass_cancel("a");
    mass.envelope = kit_envelope("gw", 1, 1, 0);
    mass.mass_cancel.symbol = text_of(KIT_SYMBOL);
    mass.mass_cancel.side = SIDE_SELL;
    assert_int_equal(kit_apply(&k, &mass), 0);
    assert_work_goes_on_the_same(&k, 3);
    assert_int_equal(kit_open_count(&k, "b"), 1);
    kit_close(&k);
}

/* Where no finished order is kept, the first of them are forgotten by the time it waits. */
static void a_mass_cancel_of_everybody_half_done_is_read_back(void **state)
{
    (void)state;
    for (uint64_t kept = 0; kept <= 10; kept += 10) {
        struct kit k;
        open_small(&k, true, kept);
        static const char *const accounts[] = {"", "a", "b", "a", "c", "", "b"};
        for (unsigned i = 0; i < sizeof accounts / sizeof accounts[0]; i++)
            kit_place(&k, accounts[i], "", SIDE_SELL, 10 + i, 1);
        const struct command mass = kit_mass_cancel("");
        assert_int_equal(kit_apply(&k, &mass), 0);
        assert_work_goes_on_the_same(&k, 3);
        assert_int_equal(kit_outcome(&k).count, 7);
        kit_close(&k);
    }
}

static void holes_in_what_is_acked_are_read_back(void **state)
{
    (void)state;
    struct kit k;
    open_small(&k, false, 10);
    uint64_t acked[] = {0, 0, 0, 2, 2, 2, 5}; /* of the commands 1 to 7 */
    for (uint64_t seq = 1; seq <= 7; seq++) {
        struct command c = kit_new("a", "", SIDE_BUY, 10, 1);
        c.envelope = kit_envelope("gw", 9, seq, acked[seq - 1]);
        assert_int_equal(kit_apply(&k, &c), 0);
    }
    engine_t *twin = read_back(k.engine, 7);
    for (uint64_t seq = 0; seq <= 9; seq++) {
        const struct envelope envelope = kit_envelope("gw", 9, seq, 0);
        struct admission_answer one = engine_admit(k.engine, &envelope, k.time_ns);
        struct admission_answer other = engine_admit(twin, &envelope, k.time_ns);
        assert_int_equal(one.admission, other.admission);
        assert_int_equal(one.code, other.code);
        assert_true(one.expected_seq == other.expected_seq);
        assert_true(one.outcome.order_id == other.outcome.order_id);
    }
    engine_destroy(&twin);
    kit_close(&k);
}

static void bytes_behind_it_are_not_its_own(void **state)
{
    (void)state;
    struct kit k;
    char error[ENGINE_SNAPSHOT_ERROR_SIZE];
    open_small(&k, false, 10);
    struct written w = written_of(k.engine);
    size_t size = w.size, used = 0;
    w.bytes = realloc(w.bytes, size + 3);
    assert_non_null(w.bytes);
    memset(w.bytes + size, 0xc1, 3);
    engine_t *e = engine_snapshot_read(w.bytes, size + 3, 1, &used, error);
    assert_non_null(e);
    assert_int_equal(used, size);
    engine_destroy(&e);
    written_free(&w);
    kit_close(&k);
}

/* ---- what is damaged ---- */

/* Whatever was read lives: it trades and cancels all it has. */
static void use_up(engine_t *e)
{
    uint64_t time_ns = engine_time_ns(e);
    for (unsigned n = 0; n < 300 && engine_waiting(e) != 0; n++) {
        const struct command go_on = {.type = MESSAGE_CONTINUE_WORK, .continue_work = {1}};
        engine_apply(e, engine_seq(e) + 1, time_ns, &go_on);
    }
    for (uint32_t s = 1; s <= engine_symbol_count(e) && engine_waiting(e) == 0; s++) {
        struct command c = kit_new("user", "label", (s & 1) != 0 ? SIDE_BUY : SIDE_SELL, 0, 50);
        c.new_order.symbol = engine_symbol_name(e, s);
        c.new_order.type = ORDER_TYPE_MARKET;
        c.new_order.price.given = false;
        engine_apply(e, engine_seq(e) + 1, time_ns, &c);
    }
    for (uint32_t a = 1; a <= engine_account_count(e) && engine_waiting(e) == 0; a++) {
        const struct command c = {
            .type = MESSAGE_MASS_CANCEL,
            .mass_cancel = {.symbol = text_of(""), .account = engine_account_name(e, a)}};
        engine_apply(e, engine_seq(e) + 1, time_ns, &c);
    }
}

/* Refused in words, or read as an engine that works and has another state. */
static void assert_not_taken_for(const struct written *w, uint64_t state_hash)
{
    char error[ENGINE_SNAPSHOT_ERROR_SIZE] = "";
    size_t used = 0;
    engine_t *e = engine_snapshot_read(w->bytes, w->size, 1, &used, error);
    if (e == NULL) {
        assert_memory_equal(error, "at byte ", 8);
        assert_non_null(strstr(error, ": found "));
        assert_non_null(strstr(error, ", expected "));
        return;
    }
    assert_true(used <= w->size);
    if (engine_state_hash(e) == state_hash)
        fail_msg("damaged bytes are read as if they were not");
    use_up(e);
    engine_destroy(&e);
}

static struct written random_written(uint64_t seed, uint64_t *state_hash)
{
    static struct random_history h;
    random_history_open(&h, seed);
    engine_t *e = engine_new(&h.maker.limits, seed);
    unsigned i = 0;
    while (i++ < DAMAGED_HISTORY_SIZE || (seed % 2 == 0 && engine_waiting(e) == 0 && i < 2000)) {
        struct command c = random_history_next(&h);
        engine_apply(e, engine_seq(e) + 1, h.maker.time_ns, &c);
    }
    struct written w = written_of(e);
    *state_hash = engine_state_hash(e);
    engine_destroy(&e);
    random_history_close(&h);
    return w;
}

static void does_not_take_damage(uint64_t seed)
{
    struct random random = {mix(seed)};
    uint64_t state_hash;
    struct written w = random_written(seed, &state_hash);
    for (unsigned i = 0; i < DAMAGES; i++) {
        uint8_t *flipped = &w.bytes[random_below(&random, w.size)];
        uint8_t bit = (uint8_t)(1u << random_below(&random, 8));
        *flipped ^= bit;
        assert_not_taken_for(&w, state_hash);
        *flipped ^= bit;
    }
    for (unsigned i = 0; i < DAMAGES; i++) {
        uint8_t *changed = &w.bytes[random_below(&random, w.size)];
        uint8_t was = *changed;
        *changed = (uint8_t)(was + 1 + random_below(&random, 255));
        assert_not_taken_for(&w, state_hash);
        *changed = was;
    }
    for (unsigned i = 0; i < DAMAGES / 4; i++) {
        size_t size = random_below(&random, w.size);
        uint8_t *cut = malloc(size + 1); /* in memory of just that size */
        assert_non_null(cut);
        memcpy(cut + 1, w.bytes, size);
        const struct written short_one = {cut + 1, size};
        char error[ENGINE_SNAPSHOT_ERROR_SIZE];
        assert_null(written_read(&short_one, 1, error));
        free(cut);
    }
    written_free(&w);
}

static void damaged_bytes_are_refused_or_another_state(void **state)
{
    (void)state;
    seeds_run("snapshot_test damage", DAMAGED_HISTORIES, does_not_take_damage);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        SEEDS_TEST(an_engine_read_back_goes_on_the_same),
        SEEDS_TEST(engines_of_one_state_write_the_same_bytes),
        cmocka_unit_test(a_sweep_half_done_is_read_back),
        cmocka_unit_test(an_amended_sweep_is_read_back_without_its_old_place),
        cmocka_unit_test(a_mass_cancel_half_done_is_read_back),
        cmocka_unit_test(a_mass_cancel_of_everybody_half_done_is_read_back),
        cmocka_unit_test(holes_in_what_is_acked_are_read_back),
        cmocka_unit_test(bytes_behind_it_are_not_its_own),
        SEEDS_TEST(damaged_bytes_are_refused_or_another_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
