/* crc32c: isa-l takes and gives the register as it stands, inverted, and a size that is an int. */
#include "base/crc32c.h"

#include <isa-l/crc.h>

enum { PIECE_SIZE = 1 << 30 };

uint32_t crc32c(uint32_t crc, const void *bytes, size_t size)
{
    /* isa-l reads only, but says so in no prototype */
    unsigned char *at = (unsigned char *)(uintptr_t)bytes;
    uint32_t inverted = ~crc;
    while (size > 0) {
        int piece = size < PIECE_SIZE ? (int)size : PIECE_SIZE;
        inverted = crc32_iscsi(at, piece, inverted);
        at += piece;
        size -= (size_t)piece;
    }
    return ~inverted;
}
