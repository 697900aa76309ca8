#include "node/book_reply.h"

void book_reply_position(publisher_t *p, const struct book_position *position)
{
    book_position_put(publisher_message_event(p, BOOK_POSITION_SIZE_MAX), position);
    publisher_message_event_end(p);
}

static void put_queue(publisher_t *p, const struct book_pool *pool, const struct book_level *l)
{
    for (uint32_t n = l->head; n != 0; n = pool->orders[n].next) {
        const struct order *o = &pool->orders[n];
        add_put(publisher_message_event(p, ADD_SIZE_MAX),
                &(struct add){o->order_id, l->side, l->price, o->open_qty, o->priority});
        publisher_message_event_end(p);
    }
}

static void put_level(publisher_t *p, const struct book_pool *pool, const struct book_level *l)
{
    (void)pool;
    level_put(publisher_message_event(p, LEVEL_SIZE_MAX),
              &(struct level){l->side, l->price, l->qty});
    publisher_message_event_end(p);
}

static void put_both_sides(publisher_t *p, const struct book_pool *pool, const struct book *b,
                           void (*put)(publisher_t *, const struct book_pool *,
                                       const struct book_level *))
{
    for (unsigned side = 0; side < 2; side++) {
        for (uint32_t l = b->sides[side].best; l != 0; l = pool->levels[l].worse)
            put(p, pool, &pool->levels[l]);
    }
}

void book_reply_orders(publisher_t *p, const struct book_pool *pool, const struct book *b)
{
    put_both_sides(p, pool, b, put_queue);
}

void book_reply_levels(publisher_t *p, const struct book_pool *pool, const struct book *b)
{
    put_both_sides(p, pool, b, put_level);
}
