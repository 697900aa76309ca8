/* utf8: where a character of UTF-8 ends, or that there is none. Pure. */
#ifndef OUTCRY_GATEWAY_UTF8_H
#define OUTCRY_GATEWAY_UTF8_H

#include <stddef.h>

/* The bytes of the character that begins at text, 1..4; 0 if its first `size` bytes begin none by
 * RFC 3629: too long a form, a half of a surrogate pair, beyond U+10FFFF, cut short. size: above
 * 0. */
size_t utf8_size(const char *text, size_t size);

/* The bytes of a code point that is no surrogate, at most 4 of them, into text; their count. */
size_t utf8_put(char *text, unsigned point);

#endif
