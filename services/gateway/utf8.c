#include "gateway/utf8.h"

size_t utf8_size(const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t count;
    if (c[0] < 0x80)
        return 1;
    if (c[0] >= 0xc2 && c[0] < 0xe0) /* 0xc0 and 0xc1 begin only forms too long */
        count = 2;
    else if (c[0] >= 0xe0 && c[0] < 0xf0)
        count = 3;
    else if (c[0] >= 0xf0 && c[0] < 0xf5) /* more is beyond U+10FFFF */
        count = 4;
    else
        return 0;
    if (count > size)
        return 0;
    for (size_t i = 1; i < count; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    }
    /* Of the second byte: not so little that fewer bytes would do; no surrogate; not beyond. */
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90) ||
        (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90))
        return 0;
    return count;
}

size_t utf8_put(char *text, unsigned point)
{
    if (point < 0x80) {
        text[0] = (char)point;
        return 1;
    }
    size_t count = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = count - 1; i > 0; i--, point >>= 6)
        text[i] = (char)(0x80 | (point & 0x3f));
    text[0] = (char)(first[count] | point);
    return count;
}
