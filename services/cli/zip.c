#include "cli/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    END_SIZE = 22, /* of the record at the end, which a comment may follow */
    END_COMMENT_MAX = 65535,
    ENTRY_SIZE = 46,
    HEADER_SIZE = 30,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
    FLAG_ENCRYPTED = 1,
};

#define BEYOND UINT32_C(0xffffffff) /* the number stands elsewhere: zip64 */

static const unsigned char *bytes_at(const struct zip *z, size_t at)
{
    return (const unsigned char *)z->file.data + at;
}

static unsigned u16_at(const struct zip *z, size_t at)
{
    const unsigned char *b = bytes_at(z, at);
    return b[0] | (unsigned)b[1] << 8;
}

static uint32_t u32_at(const struct zip *z, size_t at)
{
    return u16_at(z, at) | (uint32_t)u16_at(z, at + 2) << 16;
}

/* Whether so many bytes stand there, and begin with this mark of a record. */
static bool record_at(const struct zip *z, size_t at, size_t size, const char *mark)
{
    return at <= z->file.size && size <= z->file.size - at && memcmp(bytes_at(z, at), mark, 4) == 0;
}

bool zip_is(const struct csv_file *file)
{
    return file->size >= 4 && memcmp(file->data, "PK\3\4", 4) == 0;
}

/* Where the record at the end begins; false: there is none. */
static bool find_end(const struct zip *z, size_t *at)
{
    if (z->file.size < END_SIZE)
        return false;
    size_t last = z->file.size - END_SIZE;
    size_t first = last > END_COMMENT_MAX ? last - END_COMMENT_MAX : 0;
    for (*at = last;; (*at)--) {
        if (record_at(z, *at, END_SIZE, "PK\5\6") && u16_at(z, *at + 20) == last - *at)
            return true;
        if (*at == first)
            return false;
    }
}

enum status zip_open(struct zip *z, struct csv_file *file, const char **why)
{
    size_t end;
    *z = (struct zip){.file = *file};
    *file = (struct csv_file){.name = file->name};
    if (!zip_is(&z->file) || !find_end(z, &end)) {
        *why = "it is no zip file, or cut off";
    } else if (u32_at(z, end + 16) == BEYOND || u16_at(z, end + 10) == UINT16_MAX) {
        *why = "it is a zip64 file, which is not read here: unpack it";
    } else {
        z->directory = u32_at(z, end + 16);
        z->count = u16_at(z, end + 10);
        struct zip_member m = {.number = 0};
        while (zip_next(z, &m))
            continue;
        if (m.number == z->count)
            return STATUS_OK;
        *why = "its directory is damaged";
    }
    zip_close(z);
    return STATUS_INVALID;
}

void zip_close(struct zip *z)
{
    csv_unload(&z->file);
    *z = (struct zip){.count = 0};
}

bool zip_next(const struct zip *z, struct zip_member *m)
{
    size_t at = m->number == 0 ? z->directory : m->entry_end;
    if (m->number == z->count || !record_at(z, at, ENTRY_SIZE, "PK\1\2"))
        return false;
    size_t name_size = u16_at(z, at + 28);
    size_t size = ENTRY_SIZE + name_size + u16_at(z, at + 30) + u16_at(z, at + 32);
    if (size > z->file.size - at)
        return false;
    *m = (struct zip_member){
        .name = {z->file.data + at + ENTRY_SIZE, name_size},
        .method = u16_at(z, at + 10),
        .encrypted = (u16_at(z, at + 8) & FLAG_ENCRYPTED) != 0,
        .crc = u32_at(z, at + 16),
        .size_packed = u32_at(z, at + 20),
        .size = u32_at(z, at + 24),
        .at = u32_at(z, at + 42),
        .number = m->number + 1,
        .entry_end = at + size,
    };
    return true;
}

/* All that is packed there as all of *file, no byte more or less: there is room for one more. */
static bool inflate_all(const unsigned char *packed, size_t size_packed, struct csv_file *file)
{
    z_stream stream = {.next_in = (unsigned char *)packed, .avail_in = (uInt)size_packed};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return false;
    stream.next_out = (unsigned char *)file->data;
    stream.avail_out = (uInt)file->size + 1;
    int result = inflate(&stream, Z_FINISH);
    bool fine = result == Z_STREAM_END && stream.total_out == file->size;
    inflateEnd(&stream);
    return fine;
}

static enum status unpack(const struct zip *z, const struct zip_member *m, struct csv_file *file,
                          const char **why)
{
    size_t at = m->at + HEADER_SIZE + u16_at(z, m->at + 26) + u16_at(z, m->at + 28);
    *why = "it is cut off";
    if (at > z->file.size || m->size_packed > z->file.size - at)
        return STATUS_INVALID;
    *why = "it is damaged";
    if (m->method == METHOD_DEFLATED) {
        if (!inflate_all(bytes_at(z, at), m->size_packed, file))
            return STATUS_INVALID;
    } else if (m->size_packed != m->size) {
        return STATUS_INVALID;
    } else {
        memcpy(file->data, bytes_at(z, at), m->size);
    }
    uLong crc = crc32(0, (const unsigned char *)file->data, (uInt)file->size);
    return crc == m->crc ? STATUS_OK : STATUS_INVALID;
}

enum status zip_read(const struct zip *z, const struct zip_member *m, const char *name,
                     struct csv_file *file, const char **why)
{
    if (m->encrypted || (m->method != METHOD_STORED && m->method != METHOD_DEFLATED)) {
        *why = "it is encrypted, or packed in a way that is not read here: unpack it";
        return STATUS_INVALID;
    }
    if (m->size == BEYOND || m->size_packed == BEYOND || m->at == BEYOND ||
        !record_at(z, m->at, HEADER_SIZE, "PK\3\4")) {
        *why = "its place in the zip file is damaged, or beyond 4 GiB";
        return STATUS_INVALID;
    }
    *file = (struct csv_file){.name = name, .data = malloc(m->size + 1), .size = m->size};
    if (file->data == NULL) {
        *why = "there is no memory for it";
        return STATUS_FULL;
    }
    enum status status = unpack(z, m, file, why);
    if (status != STATUS_OK)
        csv_unload(file);
    return status;
}
