/* The floor book.
 *
 * One array of 16-byte nodes holds everything that is linked. The first nodes are the levels, by
 * price; the rest are the orders, by the caller's number. A level and its orders form one ring:
 *
 *     level 4711 -> order 17 -> order 90 -> order 23 -> back to level 4711
 *     (next of a level is its oldest order, prev its newest)
 *
 * so entering and leaving a queue are four stores and no branch, and an order that leaves needs no
 * price: it was the last of its level exactly when both its neighbours are the same node, and that
 * node is then the level.
 *
 * A bit per level says whether the level has orders; a bit per word of bits, and a bit per word of
 * those, let a search for the next best price step over any gap in at most five looks. Level 0 and
 * the last level stand outside the price range and are always marked occupied: they are "no bid"
 * and "no ask", and they end every search.
 *
 * Both sides share the levels, since an uncrossed book never has two sides at one price. The sides
 * share their code too: XOR with all ones reverses the order of level indexes, so in
 * `level ^ side_mask` more aggressive is greater for a buy and for a sell alike.
 *
 * Left out on purpose, because the fastest book for these flows would not have it: order ids, level
 * totals, owners, events, checks of the input. */
#include "floor_book.h"

#include <stdlib.h>
#include <string.h>

struct node {
    uint32_t next;
    uint32_t prev;
    int64_t qty; /* open lots; 0: not in the book. Unused in a level. */
};

enum {
    WORDS_MAX = FLOOR_BOOK_LEVELS_MAX / 64,
    SUMMARY_MAX = WORDS_MAX / 64,
    /* How far floor_book_run_ahead() looks: the order itself, then, with that in cache, its
     * neighbours. Anything from 16 to 48 measures the same. */
    AHEAD_NODE = 24,
    AHEAD_NEIGHBOUR = 12,
};

struct floor_book {
    struct node *nodes;
    int64_t price_base; /* the price that level 0 would have */
    uint32_t level_count;
    uint32_t order_count;
    uint32_t best[2]; /* level of the best bid and of the best ask, by enum flow_side */
    uint64_t top;
    uint64_t summary[SUMMARY_MAX];
    uint64_t words[WORDS_MAX];
};

static inline int64_t book_apply(floor_book_t *book, const struct flow_command *command);
static void level_set(floor_book_t *book, uint32_t level);
static uint32_t level_worse(const floor_book_t *book, uint8_t side, uint32_t level);

floor_book_t *floor_book_new(int64_t price_min, int64_t price_max, uint32_t order_count)
{
    if (price_min == INT64_MIN || price_max < price_min || order_count == 0 ||
        order_count > UINT32_C(1) << 31) {
        return NULL;
    }
    uint64_t width = (uint64_t)price_max - (uint64_t)price_min;
    if (width > FLOOR_BOOK_LEVELS_MAX - 3) {
        return NULL;
    }
    floor_book_t *book = calloc(1, sizeof *book);
    if (!book) {
        return NULL;
    }
    book->level_count = (uint32_t)width + 3;
    book->order_count = order_count;
    book->price_base = price_min - 1;
    size_t size_bytes = ((size_t)book->level_count + order_count) * sizeof(struct node);
    book->nodes = aligned_alloc(64, (size_bytes + 63) & ~(size_t)63);
    if (!book->nodes) {
        floor_book_destroy(&book);
        return NULL;
    }
    floor_book_reset(book);
    return book;
}

void floor_book_destroy(floor_book_t **book)
{
    if (*book) {
        free((*book)->nodes);
        free(*book);
        *book = NULL;
    }
}

void floor_book_reset(floor_book_t *book)
{
    for (uint32_t level = 0; level < book->level_count; level++) {
        book->nodes[level] = (struct node){.next = level, .prev = level, .qty = 0};
    }
    memset(book->nodes + book->level_count, 0, book->order_count * sizeof(struct node));
    memset(book->words, 0, sizeof book->words);
    memset(book->summary, 0, sizeof book->summary);
    book->top = 0;
    book->best[FLOW_BUY] = 0;
    book->best[FLOW_SELL] = book->level_count - 1;
    level_set(book, book->best[FLOW_BUY]);
    level_set(book, book->best[FLOW_SELL]);
}

int64_t floor_book_apply(floor_book_t *book, const struct flow_command *command)
{
    return book_apply(book, command);
}

int64_t floor_book_run(floor_book_t *book, const struct flow_command *commands, size_t count)
{
    int64_t executed_lots = 0;
    for (size_t index = 0; index < count; index++) {
        executed_lots += book_apply(book, &commands[index]);
    }
    return executed_lots;
}

int64_t floor_book_run_ahead(floor_book_t *book, const struct flow_command *commands, size_t count)
{
    const struct node *orders = book->nodes + book->level_count;
    int64_t executed_lots = 0;
    size_t index = 0;
    for (; index + AHEAD_NODE < count; index++) {
        __builtin_prefetch(&orders[commands[index + AHEAD_NODE].ref], 1);
        const struct node *soon = &orders[commands[index + AHEAD_NEIGHBOUR].ref];
        /* The links may change until then, or be empty still: a wrong guess costs nothing. */
        __builtin_prefetch(&book->nodes[soon->next], 1);
        __builtin_prefetch(&book->nodes[soon->prev], 1);
        executed_lots += book_apply(book, &commands[index]);
    }
    return executed_lots + floor_book_run(book, commands + index, count - index);
}

bool floor_book_best(const floor_book_t *book, uint8_t side, int64_t *price)
{
    uint32_t level = book->best[side];
    *price = book->price_base + level;
    return level != 0 && level != book->level_count - 1;
}

int64_t floor_book_open_qty(const floor_book_t *book, uint32_t ref)
{
    return book->nodes[book->level_count + ref].qty;
}

uint32_t floor_book_first(const floor_book_t *book, uint8_t side, int64_t *price)
{
    if (!floor_book_best(book, side, price)) {
        return FLOOR_BOOK_NONE;
    }
    return book->nodes[book->best[side]].next - book->level_count;
}

uint32_t floor_book_next(const floor_book_t *book, uint8_t side, uint32_t ref, int64_t *price)
{
    uint32_t next = book->nodes[book->level_count + ref].next;
    if (next < book->level_count) {
        uint32_t level = level_worse(book, side, next);
        if (level == 0 || level == book->level_count - 1) {
            return FLOOR_BOOK_NONE;
        }
        *price = book->price_base + level;
        next = book->nodes[level].next;
    }
    return next - book->level_count;
}

/* All ones for a sell: see the essay. */
static inline uint32_t side_mask(uint8_t side)
{
    return 0U - side;
}

/* Is `level` at least as aggressive as `other`, for an order of `side`? Indexes are below 2^31, so
 * the sign of the difference decides. */
static inline bool level_reaches(uint8_t side, uint32_t level, uint32_t other)
{
    return (int32_t)(level ^ side_mask(side)) >= (int32_t)(other ^ side_mask(side));
}

static inline void level_set(floor_book_t *book, uint32_t level)
{
    uint32_t word = level >> 6;
    uint64_t before = book->words[word];
    book->words[word] = before | UINT64_C(1) << (level & 63);
    if (__builtin_expect(before == 0, 0)) {
        book->summary[word >> 6] |= UINT64_C(1) << (word & 63);
        book->top |= UINT64_C(1) << (word >> 6);
    }
}

static inline void level_clear(floor_book_t *book, uint32_t level)
{
    uint32_t word = level >> 6;
    book->words[word] &= ~(UINT64_C(1) << (level & 63));
    if (__builtin_expect(book->words[word] == 0, 0)) {
        book->summary[word >> 6] &= ~(UINT64_C(1) << (word & 63));
        if (book->summary[word >> 6] == 0) {
            book->top &= ~(UINT64_C(1) << (word >> 6));
        }
    }
}

static inline uint64_t bits_above(uint64_t bits, uint32_t position)
{
    return bits & ~UINT64_C(1) << (position & 63);
}

static inline uint64_t bits_below(uint64_t bits, uint32_t position)
{
    return bits & ((UINT64_C(1) << (position & 63)) - 1);
}

static inline uint32_t bits_lowest(uint64_t bits)
{
    return (uint32_t)__builtin_ctzll(bits);
}

static inline uint32_t bits_highest(uint64_t bits)
{
    return 63U - (uint32_t)__builtin_clzll(bits);
}

/* The next occupied level upwards. The marker above the price range ends it. */
static inline uint32_t level_above(const floor_book_t *book, uint32_t level)
{
    uint32_t word = level >> 6;
    uint64_t bits = bits_above(book->words[word], level);
    if (__builtin_expect(bits == 0, 0)) {
        uint32_t group = word >> 6;
        bits = bits_above(book->summary[group], word);
        if (bits == 0) {
            group = bits_lowest(bits_above(book->top, group));
            bits = book->summary[group];
        }
        word = group << 6 | bits_lowest(bits);
        bits = book->words[word];
    }
    return word << 6 | bits_lowest(bits);
}

/* The next occupied level downwards; level 0 ends it. */
static inline uint32_t level_below(const floor_book_t *book, uint32_t level)
{
    uint32_t word = level >> 6;
    uint64_t bits = bits_below(book->words[word], level);
    if (__builtin_expect(bits == 0, 0)) {
        uint32_t group = word >> 6;
        bits = bits_below(book->summary[group], word);
        if (bits == 0) {
            group = bits_highest(bits_below(book->top, group));
            bits = book->summary[group];
        }
        word = group << 6 | bits_highest(bits);
        bits = book->words[word];
    }
    return word << 6 | bits_highest(bits);
}

/* The next level of a side behind `level`: down for bids, up for asks. */
static inline uint32_t level_worse(const floor_book_t *book, uint8_t side, uint32_t level)
{
    return side == FLOW_BUY ? level_below(book, level) : level_above(book, level);
}

/* Fill an order of `side` against the other side as far as `level`; returns what is left of it.
 * Filled makers are not unlinked one by one: the level is joined again once, behind the last. */
static inline int64_t book_take(floor_book_t *book, uint8_t side, uint32_t level, int64_t qty)
{
    uint8_t other = (uint8_t)(side ^ 1);
    struct node *nodes = book->nodes;
    uint32_t best = book->best[other];
    int64_t left = qty;
    while (left > 0 && level_reaches(side, level, best)) {
        uint32_t maker = nodes[best].next;
        while (maker != best && nodes[maker].qty <= left) {
            left -= nodes[maker].qty;
            nodes[maker].qty = 0;
            maker = nodes[maker].next;
        }
        nodes[best].next = maker;
        nodes[maker].prev = best;
        if (maker != best) {
            nodes[maker].qty -= left;
            left = 0;
            break;
        }
        level_clear(book, best);
        best = level_worse(book, other, best);
    }
    book->best[other] = best;
    return left;
}

static inline void order_rest(floor_book_t *book, uint8_t side, uint32_t level, uint32_t order,
                              int64_t qty)
{
    struct node *nodes = book->nodes;
    uint32_t newest = nodes[level].prev;
    nodes[order] = (struct node){.next = level, .prev = newest, .qty = qty};
    nodes[newest].next = order;
    nodes[level].prev = order;
    level_set(book, level);
    uint32_t best = book->best[side];
    book->best[side] = level_reaches(side, level, best) ? level : best;
}

static inline void order_leave(floor_book_t *book, uint32_t order)
{
    struct node *nodes = book->nodes;
    uint32_t next = nodes[order].next;
    uint32_t prev = nodes[order].prev;
    nodes[order].qty = 0;
    nodes[prev].next = next;
    nodes[next].prev = prev;
    if (__builtin_expect(next == prev, 0)) {
        level_clear(book, next);
        if (next == book->best[FLOW_BUY]) {
            book->best[FLOW_BUY] = level_below(book, next);
        } else if (next == book->best[FLOW_SELL]) {
            book->best[FLOW_SELL] = level_above(book, next);
        }
    }
}

static inline int64_t order_cross(floor_book_t *book, const struct flow_command *command,
                                  uint32_t level, uint32_t order)
{
    int64_t left = book_take(book, command->side, level, command->qty);
    if (left > 0 && command->tif == FLOW_GTC) {
        order_rest(book, command->side, level, order, left);
    }
    return command->qty - left;
}

static inline int64_t order_enter(floor_book_t *book, const struct flow_command *command,
                                  uint32_t order)
{
    uint8_t side = command->side;
    uint32_t level = (uint32_t)(command->price - book->price_base);
    if (__builtin_expect(command->type == FLOW_MARKET, 0)) {
        /* The far end of the range, inside the marker. */
        level = side == FLOW_BUY ? book->level_count - 2 : 1;
    }
    if (level_reaches(side, level, book->best[side ^ 1])) {
        return order_cross(book, command, level, order);
    }
    if (__builtin_expect(command->tif == FLOW_GTC, 1)) {
        order_rest(book, side, level, order, command->qty);
    }
    return 0;
}

static inline int64_t book_apply(floor_book_t *book, const struct flow_command *command)
{
    uint32_t order = book->level_count + command->ref;
    if (command->op == FLOW_NEW) {
        return order_enter(book, command, order);
    }
    int64_t open = book->nodes[order].qty;
    if (__builtin_expect(open == 0, 0)) {
        return 0;
    }
    if (__builtin_expect(command->op == FLOW_REDUCE && command->qty < open, 0)) {
        book->nodes[order].qty = open - command->qty;
        return 0;
    }
    order_leave(book, order);
    return command->op == FLOW_REPLACE ? order_enter(book, command, order) : 0;
}
