/* The book alone: its hashes are the published ones, and no link is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/book.h"

enum { ORDERS_MAX = 64 };

struct desk {
    struct book_pool pool;
    struct book book;
};

static uint32_t add(struct desk *d, enum side side, int64_t price, int64_t qty, uint64_t order_id,
                    uint64_t priority)
{
    uint32_t n = order_new(&d->pool);
    assert_int_not_equal(n, 0);
    struct order *o = &d->pool.orders[n];
    o->order_id = order_id;
    o->priority = priority;
    o->side = (uint8_t)side;
    o->open_qty = qty;
    order_index(&d->pool, n);
    book_insert(&d->pool, &d->book, n, price);
    return n;
}

static void take(struct desk *d, uint32_t n, int64_t qty)
{
    book_take(&d->pool, &d->book, n, qty);
}

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    book_pool_init(&d->pool, ORDERS_MAX, ORDERS_MAX);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    book_pool_close(&d->pool);
    free(d);
    return 0;
}

/* ---- hashes: the vectors of PROTOCOL.md, "Book hash" ---- */

static void an_empty_book_hashes_to_zero(void **state)
{
    struct desk *d = *state;
    assert_true(d->book.l2_hash == 0);
    assert_true(d->book.l3_hash == 0);
}

static void l2_hash_is_the_published_one(void **state)
{
    struct desk *d = *state;
    uint32_t bid = add(d, SIDE_BUY, 10000, 5, 1, 1);
    assert_true(d->book.l2_hash == UINT64_C(0xdc115410d8eaa04c));
    add(d, SIDE_BUY, 9999, 7, 2, 2);
    uint32_t ask = add(d, SIDE_SELL, 10002, 3, 3, 3);
    assert_true(d->book.l2_hash == UINT64_C(0xcf79097d93089527));
    take(d, ask, 3);
    take(d, bid, 5);
    add(d, SIDE_BUY, 10000, 2, 4, 4); /* of two orders now, the level hashes as of one */
    add(d, SIDE_BUY, 10000, 3, 5, 5);
    add(d, SIDE_SELL, 10002, 3, 6, 6);
    assert_true(d->book.l2_hash == UINT64_C(0xcf79097d93089527));
}

static void l2_hash_of_a_negative_price_is_the_published_one(void **state)
{
    struct desk *d = *state;
    add(d, SIDE_SELL, -5, 1, 1, 1);
    assert_true(d->book.l2_hash == UINT64_C(0x9090934a8374f6c6));
}

static void l3_hash_is_the_published_one(void **state)
{
    struct desk *d = *state;
    add(d, SIDE_BUY, 10000, 2, 901, 11);
    add(d, SIDE_BUY, 10000, 3, 902, 12);
    assert_true(d->book.l3_hash == UINT64_C(0xce89ca283906a8be));
}

static void l3_hash_with_the_queue_swapped_is_the_published_one(void **state)
{
    struct desk *d = *state;
    add(d, SIDE_BUY, 10000, 2, 901, 12);
    add(d, SIDE_BUY, 10000, 3, 902, 11);
    assert_true(d->book.l3_hash == UINT64_C(0x8d3aa88995a9c0a8));
}

static void hashes_depend_on_what_is_there_not_on_how_it_came(void **state)
{
    struct desk *d = *state;
    uint32_t first = add(d, SIDE_BUY, 10000, 9, 1, 1);
    add(d, SIDE_SELL, 10001, 4, 2, 2);
    take(d, first, 2);
    uint64_t l2 = d->book.l2_hash, l3 = d->book.l3_hash;
    take(d, first, 7);
    uint32_t second = add(d, SIDE_BUY, 10000, 7, 1, 1);
    assert_true(d->book.l2_hash == l2 && d->book.l3_hash == l3);
    take(d, second, 7);
    assert_true(d->book.l2_hash != l2 && d->book.l3_hash != l3);
}

/* ---- room ---- */

static void room_of_a_level_is_what_int64_has_left(void **state)
{
    struct desk *d = *state;
    assert_true(book_room(&d->pool, &d->book, SIDE_BUY, 100) == INT64_MAX);
    uint32_t n = add(d, SIDE_BUY, 100, INT64_MAX - 2, 1, 1);
    assert_int_equal(book_room(&d->pool, &d->book, SIDE_BUY, 100), 2);
    add(d, SIDE_BUY, 100, 1, 2, 2);
    assert_int_equal(book_room(&d->pool, &d->book, SIDE_BUY, 100), 1);
    add(d, SIDE_BUY, 100, 1, 3, 3);
    assert_int_equal(book_room(&d->pool, &d->book, SIDE_BUY, 100), 0);
    assert_true(book_room(&d->pool, &d->book, SIDE_SELL, 100) == INT64_MAX);
    assert_true(book_room(&d->pool, &d->book, SIDE_BUY, 101) == INT64_MAX);
    take(d, n, 5);
    assert_int_equal(book_room(&d->pool, &d->book, SIDE_BUY, 100), 5);
}

/* ---- order ---- */

static void assert_bbo(const struct desk *d, int64_t bid, int64_t bid_qty, int64_t ask,
                       int64_t ask_qty)
{
    struct bbo_state bbo = book_bbo(&d->pool, &d->book);
    assert_true(bbo.price[0] == bid && bbo.qty[0] == bid_qty);
    assert_true(bbo.price[1] == ask && bbo.qty[1] == ask_qty);
}

static void best_prices_follow_every_change_at_the_ends_of_int64(void **state)
{
    struct desk *d = *state;
    assert_bbo(d, 0, 0, 0, 0);
    uint32_t low = add(d, SIDE_BUY, INT64_MIN, 1, 1, 1);
    uint32_t high = add(d, SIDE_SELL, INT64_MAX, 2, 2, 2);
    assert_bbo(d, INT64_MIN, 1, INT64_MAX, 2);
    uint32_t bid = add(d, SIDE_BUY, -1, 3, 3, 3);
    uint32_t ask = add(d, SIDE_SELL, 0, 4, 4, 4);
    assert_bbo(d, -1, 3, 0, 4);
    take(d, bid, 3);
    take(d, ask, 4);
    assert_bbo(d, INT64_MIN, 1, INT64_MAX, 2);
    take(d, low, 1);
    take(d, high, 2);
    assert_bbo(d, 0, 0, 0, 0);
}

static void an_order_may_leave_from_any_place_in_its_queue(void **state)
{
    struct desk *d = *state;
    for (unsigned first = 0; first < 3; first++) {
        for (unsigned second = 0; second < 3; second++) {
            if (second == first)
                continue;
            uint32_t orders[3];
            for (unsigned i = 0; i < 3; i++)
                orders[i] = add(d, SIDE_SELL, 7, 1, i + 1, i + 1);
            take(d, orders[first], 1);
            take(d, orders[second], 1);
            const struct book_level *l = &d->pool.levels[d->book.sides[SIDE_SELL - 1].best];
            uint32_t last = orders[3 - first - second];
            assert_true(l->head == last && l->tail == last && l->order_count == 1);
            take(d, last, 1);
            assert_int_equal(d->book.sides[SIDE_SELL - 1].best, 0);
            for (unsigned i = 0; i < 3; i++) {
                order_unindex(&d->pool, orders[i]);
                order_free(&d->pool, orders[i]);
            }
        }
    }
}

/* ---- the index and the pool ---- */

static void ids_a_whole_table_apart_are_told_apart(void **state)
{
    struct desk *d = *state;
    uint64_t table = d->pool.by_id_mask + 1;
    uint32_t orders[4];
    for (unsigned i = 0; i < 4; i++)
        orders[i] = add(d, SIDE_BUY, 10, 1, 5 + i * table, i + 1);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(order_find(&d->pool, 5 + i * table), orders[i]);
    assert_int_equal(order_find(&d->pool, 5 + 4 * table), 0);
    order_unindex(&d->pool, orders[1]); /* from the middle, the end and the head of its chain */
    order_unindex(&d->pool, orders[0]);
    order_unindex(&d->pool, orders[3]);
    assert_int_equal(order_find(&d->pool, 5 + 2 * table), orders[2]);
    assert_int_equal(order_find(&d->pool, 5), 0);
    assert_int_equal(order_find(&d->pool, 5 + table), 0);
    assert_int_equal(order_find(&d->pool, 5 + 3 * table), 0);
}

static void fill_the_pool(struct desk *d)
{
    for (uint64_t i = 0; i < ORDERS_MAX; i++) /* a level each, of both sides */
        add(d, i % 2 == 0 ? SIDE_BUY : SIDE_SELL, (int64_t)(i % 2 * 1000 + i * 5), 1, i + 1, i + 1);
}

static void the_pool_holds_exactly_what_it_was_made_for(void **state)
{
    struct desk *d = *state;
    fill_the_pool(d);
    assert_int_equal(order_new(&d->pool), 0);
}

static void clear_leaves_an_empty_book_and_a_whole_pool(void **state)
{
    struct desk *d = *state;
    for (unsigned round = 0; round < 3; round++) {
        fill_the_pool(d);
        book_clear(&d->pool, &d->book);
        assert_true(d->book.l2_hash == 0 && d->book.l3_hash == 0);
        assert_int_equal(d->book.order_count, 0);
        for (unsigned s = 0; s < 2; s++) {
            assert_int_equal(d->book.sides[s].best, 0);
            assert_int_equal(d->book.sides[s].tree, 0);
            assert_int_equal(d->book.sides[s].level_count, 0);
        }
        for (uint64_t id = 1; id <= ORDERS_MAX; id++)
            assert_int_equal(order_find(&d->pool, id), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_book_hashes_to_zero),
        TEST(l2_hash_is_the_published_one),
        TEST(l2_hash_of_a_negative_price_is_the_published_one),
        TEST(l3_hash_is_the_published_one),
        TEST(l3_hash_with_the_queue_swapped_is_the_published_one),
        TEST(hashes_depend_on_what_is_there_not_on_how_it_came),
        TEST(room_of_a_level_is_what_int64_has_left),
        TEST(best_prices_follow_every_change_at_the_ends_of_int64),
        TEST(an_order_may_leave_from_any_place_in_its_queue),
        TEST(ids_a_whole_table_apart_are_told_apart),
        TEST(the_pool_holds_exactly_what_it_was_made_for),
        TEST(clear_leaves_an_empty_book_and_a_whole_pool),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
