/* crc32c: the checksum of what is kept on disk (Castagnoli's polynomial, as in iSCSI, RFC 3720).
 *
 * It finds every flipped bit, and every burst of 32 bits, whatever the size. */
#ifndef OUTCRY_BASE_CRC32C_H
#define OUTCRY_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of the bytes behind those whose CRC is crc; 0: of the bytes alone. "123456789": 0xE3069283. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
