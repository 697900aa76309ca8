/* book_reply: a book in answer to a snapshot request: the same events whether the matcher or
 * market-data answers. Between publisher_reply_begin and publisher_message_end. */
#ifndef OUTCRY_NODE_BOOK_REPLY_H
#define OUTCRY_NODE_BOOK_REPLY_H

#include "bus/publisher.h"
#include "engine/book.h"

/* `book_position`: where the symbol's topics stand. */
void book_reply_position(publisher_t *p, const struct book_position *position);

/* `add` for every order: bids, then asks; best level first, oldest order first. */
void book_reply_orders(publisher_t *p, const struct book_pool *pool, const struct book *b);

/* `level` for every level: bids, then asks; best first. */
void book_reply_levels(publisher_t *p, const struct book_pool *pool, const struct book *b);

#endif
