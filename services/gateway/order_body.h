/* order_body: the JSON bodies of POST and PATCH /api/v1/orders, into an ask. Pure. */
#ifndef OUTCRY_GATEWAY_ORDER_BODY_H
#define OUTCRY_GATEWAY_ORDER_BODY_H

#include "gateway/requests.h"

bool order_body_place(const struct cluster *cluster, const struct json_reader *body,
                      struct ask *ask, struct problem *p);
bool order_body_amend(const struct json_reader *body, struct ask *ask, struct problem *p);

/* ---- what bodies, queries and paths have in common ---- */

/* Whether a decimal is well-formed: at most 18 digits on either side of the point, no exponent, no
 * useless zero, and no zero below zero. */
bool decimal_well_formed(struct text text);

/* Of these alphabets, or a problem; copied with its NUL. `in` and `name` as in problem.h. */
bool read_account(struct text value, const char *in, const char *name,
                  char account[ACCOUNT_SIZE_MAX + 1], struct problem *p);
bool read_label(struct text value, const char *in, const char *name,
                char label[CLIENT_ORDER_ID_SIZE_MAX + 1], struct problem *p);

/* "buy" or "sell" in any letter case. */
bool read_side(struct text value, const char *in, uint8_t *side, struct problem *p);

/* The symbol's index in the configuration. In a body or query an ill-formed one is INVALID_FIELD;
 * one there is not, and any in a path, UNKNOWN_SYMBOL. */
bool read_symbol(const struct cluster *cluster, struct text value, const char *in, uint32_t *symbol,
                 struct problem *p);

#endif
