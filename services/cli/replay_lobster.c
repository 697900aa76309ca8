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

enum { MADE_ID_SIZE = 24 };

struct seed {
    uint8_t side;
    int64_t price;
    int64_t left;
    struct text id;
};

struct message {
    uint64_t ts_ns;
    int64_t type;
    struct text id;
    int64_t size;
    int64_t price;
    uint8_t side; /* of the resting order */
};

struct lobster {
    struct replay_input *in;
    struct name_table ids;
    int64_t *left; /* of an order, as far as the recording tells; by number of its id */
    struct seed seeds[REPLAY_SEEDS_MAX];
    size_t seed_count;
    size_t made_count;
};

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
    if (decimal_to_units(fields[0].data, fields[0].size, "0.000000001", 11, &ns) != DECIMAL_OK ||
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

static struct replay_row *row_add(struct lobster *l, uint64_t row, const struct message *m,
                                  enum replay_op op, struct text id)
{
    struct replay_row *r = &l->in->rows[l->in->row_count++];
    *r = (struct replay_row){
        .op = op,
        .side = m->side,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .price = {m->price, true},
        .qty = {m->size, true},
        .id = id,
        .row = row,
        .ts_ns = m->ts_ns,
    };
    return r;
}

/* An id of our own: what it is, and a number. */
static struct text make_id(struct lobster *l, const char *what)
{
    char *text = l->in->made_ids + l->made_count * MADE_ID_SIZE;
    int size = snprintf(text, MADE_ID_SIZE, "%s%zu", what, l->made_count++);
    return (struct text){text, (size_t)size};
}

/* ---- what rested before ---- */

static void seed_add(struct lobster *l, const struct message *first, uint8_t side, int64_t price,
                     int64_t size)
{
    bool in_first = first->type == 1 && first->side == side && first->price == price;
    int64_t before = in_first ? size - first->size : size;
    if (before <= 0 || l->seed_count == REPLAY_SEEDS_MAX)
        return;
    struct seed *s = &l->seeds[l->seed_count++];
    *s = (struct seed){side, price, before, make_id(l, "seed-")};
    struct message m = {first->ts_ns, 1, s->id, before, price, side};
    row_add(l, 0, &m, REPLAY_NEW, s->id);
}

/* The first row of the orderbook is the book after the first message: take that off again. */
static void seed_book(struct lobster *l, const struct message *first)
{
    struct text fields[4 * REPLAY_SEEDS_MAX / 2], line;
    struct csv_cursor cursor;
    if (l->in->book.data == NULL)
        return;
    csv_begin(&cursor, &l->in->book);
    if (!csv_line(&cursor, &line))
        return;
    size_t count = csv_split(line, fields, sizeof fields / sizeof fields[0]);
    for (size_t f = 0; f + 1 < count && f + 1 < sizeof fields / sizeof fields[0]; f += 2) {
        int64_t price, size;
        if (csv_i64(fields[f], &price) && csv_i64(fields[f + 1], &size) && size > 0)
            seed_add(l, first, f % 4 == 0 ? SIDE_SELL : SIDE_BUY, price, size);
    }
}

/* What is left of a named order, or of the seed at its price; NULL: nobody knows it. */
static int64_t *left_of(struct lobster *l, const struct message *m, struct text *id)
{
    uint32_t n = name_table_find(&l->ids, m->id.data, m->id.size);
    *id = m->id;
    if (n != 0 && l->left[n] > 0)
        return &l->left[n];
    for (size_t i = 0; i < l->seed_count; i++) {
        struct seed *s = &l->seeds[i];
        if (s->side == m->side && s->price == m->price && s->left > 0) {
            *id = s->id;
            return &s->left;
        }
    }
    return NULL;
}

/* ---- messages ---- */

static void on_new(struct lobster *l, uint64_t row, const struct message *m)
{
    uint32_t n = name_table_add(&l->ids, m->id.data, m->id.size);
    CHECK(n != 0);
    l->left[n] = m->size;
    row_add(l, row, m, REPLAY_NEW, m->id);
}

/* Types 2, 3 and 4: something of a resting order goes. */
static bool on_less(struct lobster *l, uint64_t row, const struct message *m)
{
    struct text id;
    int64_t *left = left_of(l, m, &id);
    if (left == NULL || m->size <= 0 || m->size > *left)
        return false;
    *left -= m->size;
    if (m->type == 4) {
        struct replay_row *r = row_add(l, row, m, REPLAY_NEW, make_id(l, "taker-"));
        r->side = m->side == SIDE_BUY ? SIDE_SELL : SIDE_BUY;
        r->time_in_force = TIME_IN_FORCE_IOC;
    } else {
        row_add(l, row, m, *left == 0 ? REPLAY_CANCEL : REPLAY_REDUCE, id);
    }
    return true;
}

static void on_message(struct lobster *l, uint64_t row, const struct message *m)
{
    if (m->type == 1)
        on_new(l, row, m);
    else if (m->type == 5)
        return; /* hidden: the book does not change */
    else if (m->type < 2 || m->type > 4 || !on_less(l, row, m))
        l->in->unexplained++;
}

static bool read_messages(struct lobster *l, struct csv_fault *fault)
{
    struct csv_cursor cursor;
    struct text line;
    csv_begin(&cursor, &l->in->file);
    while (!csv_only_blank_left(&cursor) && csv_line(&cursor, &line)) {
        struct message m;
        fault->line = cursor.line;
        if (!message_read(line, &m, fault))
            return false;
        if (cursor.line == 1)
            seed_book(l, &m);
        /* The seeds are the book after a first message that is not a new order. */
        if (cursor.line > 1 || m.type == 1 || l->in->book.data == NULL)
            on_message(l, cursor.line, &m);
    }
    return true;
}

bool replay_lobster_read(struct replay_input *in, struct csv_fault *fault)
{
    struct lobster *l = calloc(1, sizeof *l);
    size_t lines = csv_line_count(&in->file);
    CHECK(l != NULL && lines < UINT32_MAX / 2);
    l->in = in;
    name_table_init(&l->ids, (uint32_t)lines + 1, 0, "order ids");
    l->left = calloc(lines + 2, sizeof *l->left);
    in->made_ids = calloc(lines + REPLAY_SEEDS_MAX, MADE_ID_SIZE);
    CHECK(l->left != NULL && in->made_ids != NULL);
    bool fine = read_messages(l, fault);
    name_table_close(&l->ids);
    free(l->left);
    free(l);
    return fine;
}
