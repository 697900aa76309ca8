/* names: the alphabets of what people name. Sizes are limits of message_table.h. */
#ifndef OUTCRY_PROTO_NAMES_H
#define OUTCRY_PROTO_NAMES_H

#include "wire.h"

/* Accounts and origins: only A-Z a-z 0-9 _ -. The empty text is. */
bool name_is_plain(struct text name);

/* Client order ids: these, and . and : too. */
bool name_is_label(struct text name);

/* Symbols: 1 to 16 of A-Z 0-9 . _ -, the first a letter or digit. */
bool name_is_symbol(struct text name);

/* Reply topics: 32 of 0-9 a-f. */
bool name_is_reply(struct text name);

#endif
