/* The book as it will be in the exchange is kept here, level by level and order by order, because
 * what is sent depends on it: who is next in time, what is in the window, what stands in for whom.
 *
 *     message k  ─> one command, if the book can explain it
 *     book row k ─> what must go, then what must come, so that nothing crosses on the way
 */
#include "cli/replay_lobster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/decimal.h"
#include "base/name_table.h"
#include "proto/messages.h"

enum { FIELD_TIME, FIELD_TYPE, FIELD_ID, FIELD_SIZE, FIELD_PRICE, FIELD_DIRECTION, FIELD_COUNT };

enum {
    TYPE_NEW = 1,
    TYPE_PARTIAL_CANCEL,
    TYPE_DELETE,
    TYPE_EXECUTION,
    TYPE_HIDDEN_EXECUTION,
    TYPE_CROSS,
    TYPE_HALT,
};

enum {
    WINDOW_MAX = 64, /* levels a side; 1, 5, 10 and 50 are sold */
    MADE_ID_SIZE = REPLAY_ID_SIZE_MAX,
    MADE_IDS_COUNT = 4096, /* of one block */
};

struct replay_made_ids {
    struct replay_made_ids *before;
    size_t count;
    char texts[MADE_IDS_COUNT][MADE_ID_SIZE];
};

struct message {
    uint64_t ts_ns;
    int64_t type;
    struct text id;
    int64_t size;
    int64_t price;
    uint8_t side; /* of the resting order */
};

/* An order, in the queue of its level while anything of it is left. */
struct resting {
    struct text id;
    int64_t price;
    int64_t left;
    uint32_t next, prev;
    uint8_t side;
    bool made; /* a seed: stands for orders without a name */
};

struct price_level {
    int64_t price;
    int64_t qty;
    uint32_t first, last;
};

struct half { /* of the book; best level first */
    struct price_level *levels;
    size_t count, count_max;
};

/* A row of the orderbook file, by side - 1. */
struct window {
    size_t depth; /* levels a side the file has */
    size_t count[2];
    struct price_level levels[2][WINDOW_MAX];
};

struct lobster {
    struct replay_input *in;
    struct name_table ids;
    struct resting *orders; /* named ones by number of their id, then the seeds */
    uint32_t order_count, order_max;
    size_t row_max;
    struct half halves[2]; /* by side - 1 */
    struct csv_cursor book;
    struct window before; /* the row before; depth 0: none */
    uint64_t row;
    uint64_t ts_ns;
    bool puzzled; /* the row is not explained */
};

/* ---- messages ---- */

static const char *const field_names[FIELD_COUNT] = {"time", "type",  "order_id",
                                                     "size", "price", "direction"};

static bool message_read(struct text line, struct message *m, struct csv_fault *fault)
{
    struct text fields[FIELD_COUNT];
    int64_t numbers[FIELD_COUNT] = {0};
    size_t count = csv_split(line, fields, FIELD_COUNT);
    for (size_t f = FIELD_TYPE; f < FIELD_COUNT; f++) {
        bool there = f < count;
        if (there && csv_i64(fields[f], &numbers[f]))
            continue;
        *fault = (struct csv_fault){fault->line, 0, text_of(field_names[f]),
                                    there ? fields[f] : (struct text){"", 0}, "an int64"};
        return false;
    }
    int64_t ns;
    const struct decimal_unit nanosecond = {1, 9};
    if (decimal_to_units(fields[0].data, fields[0].size, &nanosecond, &ns) != DECIMAL_OK ||
        ns < 0) {
        *fault = (struct csv_fault){fault->line, 0, text_of(field_names[0]), fields[0],
                                    "seconds, at most 9 decimals"};
        return false;
    }
    *m = (struct message){
        (uint64_t)ns,         numbers[FIELD_TYPE],
        fields[FIELD_ID],     numbers[FIELD_SIZE],
        numbers[FIELD_PRICE], numbers[FIELD_DIRECTION] == 1 ? SIDE_BUY : SIDE_SELL};
    return true;
}

/* The next row of the orderbook file; false if there is none that can be read. */
static bool window_read(struct csv_cursor *book, struct window *w)
{
    struct text line, fields[4 * WINDOW_MAX];
    *w = (struct window){.depth = 0};
    if (!csv_line(book, &line))
        return false;
    size_t count = csv_split(line, fields, 4 * WINDOW_MAX);
    if (count % 4 != 0 || count > 4 * WINDOW_MAX)
        return false;
    for (size_t f = 0; f < count; f += 2) {
        unsigned half = (f % 4 == 0 ? SIDE_SELL : SIDE_BUY) - 1;
        struct price_level l = {.qty = 0};
        if (!csv_i64(fields[f], &l.price) || !csv_i64(fields[f + 1], &l.qty))
            return false;
        if (l.qty > 0)
            w->levels[half][w->count[half]++] = l;
    }
    w->depth = count / 4;
    return true;
}

/* ---- rows to send ---- */

static struct replay_row *row_add(struct lobster *l, enum replay_op op, uint8_t side, int64_t price,
                                  int64_t qty, struct text id)
{
    if (l->in->row_count == l->row_max) {
        l->row_max *= 2;
        l->in->rows = realloc(l->in->rows, l->row_max * sizeof *l->in->rows);
        CHECK(l->in->rows != NULL);
    }
    struct replay_row *r = &l->in->rows[l->in->row_count++];
    *r = (struct replay_row){
        .op = op,
        .side = side,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .price = {price, true},
        .qty = {qty, true},
        .id = id,
        .row = l->row,
        .ts_ns = l->ts_ns,
    };
    return r;
}

/* An id of our own: what it is, and a number. */
static struct text make_id(struct lobster *l, const char *what)
{
    struct replay_made_ids *ids = l->in->made_ids;
    if (ids == NULL || ids->count == MADE_IDS_COUNT) {
        struct replay_made_ids *more = malloc(sizeof *more);
        CHECK(more != NULL);
        more->before = ids;
        more->count = 0;
        l->in->made_ids = ids = more;
    }
    char *text = ids->texts[ids->count++];
    int size = snprintf(text, MADE_ID_SIZE, "%s%zu", what, l->in->row_count);
    return (struct text){text, (size_t)size};
}

void replay_lobster_free_ids(struct replay_made_ids **ids)
{
    while (*ids != NULL) {
        struct replay_made_ids *before = (*ids)->before;
        free(*ids);
        *ids = before;
    }
}

/* ---- the book ---- */

static bool price_better(unsigned side, int64_t a, int64_t b)
{
    return side == SIDE_BUY ? a > b : a < b;
}

/* Where the level of this price is, or would be. */
static size_t level_place(const struct half *h, unsigned side, int64_t price)
{
    size_t low = 0, high = h->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (price_better(side, h->levels[middle].price, price))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct price_level *level_find(const struct half *h, unsigned side, int64_t price)
{
    size_t at = level_place(h, side, price);
    return at < h->count && h->levels[at].price == price ? &h->levels[at] : NULL;
}

static struct price_level *level_insert(struct half *h, size_t at, int64_t price)
{
    if (h->count == h->count_max) {
        h->count_max = 2 * h->count_max + 16;
        h->levels = realloc(h->levels, h->count_max * sizeof *h->levels);
        CHECK(h->levels != NULL);
    }
    memmove(&h->levels[at + 1], &h->levels[at], (h->count - at) * sizeof h->levels[0]);
    h->count++;
    h->levels[at] = (struct price_level){.price = price};
    return &h->levels[at];
}

/* Put order n at the end of its price's queue, and send it. */
static void rest(struct lobster *l, uint32_t n)
{
    struct resting *o = &l->orders[n];
    struct half *h = &l->halves[o->side - 1];
    struct price_level *at = level_find(h, o->side, o->price);
    if (at == NULL)
        at = level_insert(h, level_place(h, o->side, o->price), o->price);
    o->prev = at->last;
    o->next = 0;
    if (at->last != 0)
        l->orders[at->last].next = n;
    else
        at->first = n;
    at->last = n;
    at->qty += o->left;
    row_add(l, REPLAY_NEW, o->side, o->price, o->left, o->id);
}

/* Take qty off order n; at 0 it leaves its level, and an empty level goes. */
static void take(struct lobster *l, uint32_t n, int64_t qty)
{
    struct resting *o = &l->orders[n];
    struct half *h = &l->halves[o->side - 1];
    struct price_level *at = level_find(h, o->side, o->price);
    CHECK(at != NULL && qty <= o->left);
    o->left -= qty;
    at->qty -= qty;
    if (o->left > 0)
        return;
    *(o->prev != 0 ? &l->orders[o->prev].next : &at->first) = o->next;
    *(o->next != 0 ? &l->orders[o->next].prev : &at->last) = o->prev;
    if (at->first != 0)
        return;
    size_t place = (size_t)(at - h->levels);
    h->count--;
    memmove(at, at + 1, (h->count - place) * sizeof *at);
}

static void take_and_send(struct lobster *l, uint32_t n, int64_t qty)
{
    const struct resting *o = &l->orders[n];
    row_add(l, qty == o->left ? REPLAY_CANCEL : REPLAY_REDUCE, o->side, o->price, qty, o->id);
    take(l, n, qty);
}

static void seed(struct lobster *l, uint8_t side, int64_t price, int64_t qty)
{
    if (l->order_count == l->order_max) {
        l->order_max *= 2;
        l->orders = realloc(l->orders, l->order_max * sizeof *l->orders);
        CHECK(l->orders != NULL && l->order_max < UINT32_MAX / 2);
    }
    uint32_t n = l->order_count++;
    l->orders[n] = (struct resting){
        .id = make_id(l, "seed-"), .price = price, .left = qty, .side = side, .made = true};
    rest(l, n);
}

/* ---- what a message says ---- */

static void on_new(struct lobster *l, const struct message *m)
{
    uint32_t known = l->ids.count;
    uint32_t n = name_table_add(&l->ids, m->id.data, m->id.size);
    CHECK(n != 0);
    if (n <= known || m->size <= 0) {
        l->puzzled = true;
        return;
    }
    l->orders[n] =
        (struct resting){.id = m->id, .price = m->price, .left = m->size, .side = m->side};
    rest(l, n);
}

/* The order a message is about: the one it names, or a seed at its price. 0: nobody knows it. */
static uint32_t order_of(struct lobster *l, const struct message *m)
{
    uint32_t n = name_table_find(&l->ids, m->id.data, m->id.size);
    const struct resting *o = &l->orders[n];
    if (n != 0 && o->left >= m->size && o->side == m->side && o->price == m->price)
        return n;
    const struct price_level *at = level_find(&l->halves[m->side - 1], m->side, m->price);
    n = at == NULL ? 0 : at->first;
    while (n != 0 && !(l->orders[n].made && l->orders[n].left >= m->size))
        n = l->orders[n].next;
    return n;
}

/* Something of a resting order goes: cancelled, or traded if it is its turn. */
static void on_less(struct lobster *l, const struct message *m)
{
    uint32_t n = m->size > 0 ? order_of(l, m) : 0;
    if (n == 0) {
        l->puzzled = true;
        return;
    }
    if (m->type != TYPE_EXECUTION) {
        take_and_send(l, n, m->size);
    } else if (l->halves[m->side - 1].levels[0].first == n) {
        struct text id = make_id(l, "taker-");
        row_add(l, REPLAY_NEW, m->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY, m->price, m->size, id)
            ->time_in_force = TIME_IN_FORCE_IOC;
        take(l, n, m->size);
    } else {
        l->puzzled = true; /* others were before it */
        take_and_send(l, n, m->size);
    }
}

static void on_message(struct lobster *l, const struct message *m)
{
    bool windowed = l->before.depth > 0;
    if (m->type == TYPE_NEW)
        on_new(l, m);
    else if (m->type >= TYPE_PARTIAL_CANCEL && m->type <= TYPE_EXECUTION)
        on_less(l, m);
    else if (m->type != TYPE_HIDDEN_EXECUTION && m->type != TYPE_HALT &&
             !(m->type == TYPE_CROSS && windowed))
        l->puzzled = true;
}

/* ---- what the window says ---- */

static int64_t window_qty(const struct window *w, unsigned side, int64_t price)
{
    for (size_t i = 0; i < w->count[side - 1]; i++) {
        if (w->levels[side - 1][i].price == price)
            return w->levels[side - 1][i].qty;
    }
    return 0;
}

/* Whether a price is behind the window, where nothing is told. */
static bool behind(const struct window *w, unsigned side, int64_t price)
{
    size_t count = w->count[side - 1];
    return w->depth > 0 && count == w->depth &&
           price_better(side, w->levels[side - 1][count - 1].price, price);
}

/* What is not in the window goes; from the back of a level, for those in front came first. */
static void remove_surplus(struct lobster *l, const struct window *w, unsigned side)
{
    struct half *h = &l->halves[side - 1];
    for (size_t i = h->count; i-- > 0;) {
        int64_t price = h->levels[i].price;
        int64_t surplus = h->levels[i].qty - window_qty(w, side, price);
        if (surplus > 0 && !behind(w, side, price))
            l->puzzled = true;
        while (surplus > 0) { /* the level goes with its last order */
            uint32_t n = h->levels[i].last;
            int64_t qty = l->orders[n].left < surplus ? l->orders[n].left : surplus;
            take_and_send(l, n, qty);
            surplus -= qty;
        }
    }
}

/* What was not there comes; that it came into sight explains it. */
static void seed_missing(struct lobster *l, const struct window *w, unsigned side)
{
    for (size_t i = 0; i < w->count[side - 1]; i++) {
        const struct price_level *wanted = &w->levels[side - 1][i];
        const struct price_level *at = level_find(&l->halves[side - 1], side, wanted->price);
        int64_t missing = wanted->qty - (at == NULL ? 0 : at->qty);
        if (missing <= 0)
            continue;
        if (at != NULL || !behind(&l->before, side, wanted->price))
            l->puzzled = true;
        seed(l, (uint8_t)side, wanted->price, missing);
    }
}

/* The book before the first message: the row after it, less what it did. */
static void seed_book(struct lobster *l, const struct message *m)
{
    struct csv_cursor book = l->book;
    struct window w;
    if (!window_read(&book, &w))
        return;
    l->row = 0;
    l->ts_ns = m->ts_ns;
    bool comes = m->type == TYPE_NEW;
    bool goes = m->type >= TYPE_PARTIAL_CANCEL && m->type <= TYPE_EXECUTION;
    if (goes && window_qty(&w, m->side, m->price) == 0)
        seed(l, m->side, m->price, m->size);
    for (unsigned side = SIDE_BUY; side <= SIDE_SELL; side++) {
        for (size_t i = 0; i < w.count[side - 1]; i++) {
            const struct price_level *level = &w.levels[side - 1][i];
            bool touched = side == m->side && level->price == m->price;
            int64_t qty = level->qty;
            if (touched)
                qty += goes ? m->size : comes ? -m->size : 0;
            if (qty > 0)
                seed(l, (uint8_t)side, level->price, qty);
        }
    }
    l->before = w;
}

static void on_row(struct lobster *l, const struct message *m)
{
    struct window w;
    l->row++;
    l->ts_ns = m->ts_ns;
    l->puzzled = false;
    on_message(l, m);
    if (l->in->book.data != NULL && window_read(&l->book, &w)) {
        for (unsigned side = SIDE_BUY; side <= SIDE_SELL; side++)
            remove_surplus(l, &w, side);
        for (unsigned side = SIDE_BUY; side <= SIDE_SELL; side++)
            seed_missing(l, &w, side);
        l->before = w;
    }
    if (l->puzzled)
        l->in->unexplained++;
}

static bool read_messages(struct lobster *l, struct csv_fault *fault)
{
    struct csv_cursor cursor;
    struct text line;
    csv_begin(&cursor, &l->in->file);
    if (l->in->book.data != NULL)
        csv_begin(&l->book, &l->in->book);
    while (!csv_only_blank_left(&cursor) && csv_line(&cursor, &line)) {
        struct message m;
        fault->line = cursor.line;
        if (!message_read(line, &m, fault))
            return false;
        if (cursor.line == 1 && l->in->book.data != NULL)
            seed_book(l, &m);
        l->row = cursor.line - 1;
        on_row(l, &m);
    }
    return true;
}

bool replay_lobster_read(struct replay_input *in, struct csv_fault *fault)
{
    struct lobster *l = calloc(1, sizeof *l);
    size_t lines = csv_line_count(&in->file);
    CHECK(l != NULL && lines < UINT32_MAX / 4);
    l->in = in;
    l->row_max = lines + 1; /* as many are there already */
    l->order_count = (uint32_t)lines + 1;
    l->order_max = 2 * l->order_count;
    l->orders = calloc(l->order_max, sizeof *l->orders);
    CHECK(l->orders != NULL);
    name_table_init(&l->ids, (uint32_t)lines + 1, 0, "order ids");
    bool fine = read_messages(l, fault);
    name_table_close(&l->ids);
    free(l->halves[0].levels);
    free(l->halves[1].levels);
    free(l->orders);
    free(l);
    return fine;
}
