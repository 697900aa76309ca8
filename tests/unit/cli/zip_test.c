/* zip: members come out as they went in; what is damaged is told, wherever it is. The files are
 * made here, by the form's own words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "cli/zip.h"

enum { FILE_SIZE_MAX = 4096, MEMBERS_MAX = 4, STORED = 0, DEFLATED = 8, END_SIZE = 22 };

struct made {
    unsigned char bytes[FILE_SIZE_MAX];
    size_t size;
    struct {
        const char *name;
        unsigned method;
        uint32_t crc;
        size_t packed, size, at;
    } members[MEMBERS_MAX];
    unsigned count;
    size_t directory;
};

static void put(struct made *m, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        m->bytes[m->size++] = (unsigned char)(value >> (8 * i));
}

static void put_bytes(struct made *m, const void *bytes, size_t size)
{
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static size_t deflate_raw(const char *text, unsigned char *packed)
{
    z_stream z = {.next_in = (unsigned char *)text, .avail_in = (uInt)strlen(text)};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = packed;
    z.avail_out = FILE_SIZE_MAX;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static void add(struct made *m, const char *name, const char *text, unsigned method)
{
    unsigned char packed[FILE_SIZE_MAX];
    size_t size = strlen(text), packed_size = size;
    if (method == DEFLATED)
        packed_size = deflate_raw(text, packed);
    else
        memcpy(packed, text, size);
    m->members[m->count].name = name;
    m->members[m->count].method = method;
    m->members[m->count].crc = (uint32_t)crc32(0, (const unsigned char *)text, (uInt)size);
    m->members[m->count].packed = packed_size;
    m->members[m->count].size = size;
    m->members[m->count++].at = m->size;
    put_bytes(m, "PK\3\4", 4);
    put(m, 20, 2);
    put(m, 8, 2); /* the sizes stand behind: only the directory has them */
    put(m, method, 2);
    put(m, 0, 8);
    put(m, 0, 8);
    put(m, strlen(name), 2);
    put(m, 3, 2); /* extra */
    put_bytes(m, name, strlen(name));
    put_bytes(m, "xyz", 3);
    put_bytes(m, packed, packed_size);
}

static void end(struct made *m, const char *comment)
{
    m->directory = m->size;
    for (unsigned i = 0; i < m->count; i++) {
        put_bytes(m, "PK\1\2", 4);
        put(m, 20, 4);
        put(m, 8, 2);
        put(m, m->members[i].method, 2);
        put(m, 0, 4);
        put(m, m->members[i].crc, 4);
        put(m, m->members[i].packed, 4);
        put(m, m->members[i].size, 4);
        put(m, strlen(m->members[i].name), 2);
        put(m, 0, 4);
        put(m, 0, 8);
        put(m, m->members[i].at, 4);
        put_bytes(m, m->members[i].name, strlen(m->members[i].name));
    }
    size_t size = m->size - m->directory;
    put_bytes(m, "PK\5\6", 4);
    put(m, 0, 4);
    put(m, m->count, 2);
    put(m, m->count, 2);
    put(m, size, 4);
    put(m, m->directory, 4);
    put(m, strlen(comment), 2);
    put_bytes(m, comment, strlen(comment));
}

static struct csv_file file_of(const struct made *m, size_t size)
{
    struct csv_file file = {.name = "made.zip", .data = malloc(size + 1), .size = size};
    memcpy(file.data, m->bytes, size);
    return file;
}

static void two_members(struct made *m)
{
    *m = (struct made){.size = 0};
    add(m, "one.txt", "what is stored is what it is", STORED);
    add(m, "dir/two.csv", "1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n", DEFLATED);
    end(m, "a comment PK");
}

/* Open it and read all: what the first failure says; NULL: there was none. */
static const char *read_all(struct csv_file file)
{
    struct zip z;
    const char *why = NULL;
    if (zip_open(&z, &file, &why) != STATUS_OK) {
        assert_null(z.file.data);
        return why;
    }
    struct zip_member m = {.number = 0};
    while (why == NULL && zip_next(&z, &m)) {
        struct csv_file member;
        if (zip_read(&z, &m, "member", &member, &why) == STATUS_OK) {
            csv_unload(&member);
            why = NULL;
        }
    }
    zip_close(&z);
    return why;
}

static void members_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct made made;
    struct zip z;
    const char *why;
    struct csv_file file, member;
    struct zip_member m = {.number = 0};
    two_members(&made);
    file = file_of(&made, made.size);
    assert_int_equal(zip_open(&z, &file, &why), STATUS_OK);
    assert_null(file.data);
    assert_true(zip_next(&z, &m));
    assert_true(text_equal(m.name, text_of("one.txt")));
    assert_int_equal(zip_read(&z, &m, "first", &member, &why), STATUS_OK);
    assert_string_equal(member.name, "first");
    assert_int_equal(member.size, 28);
    assert_memory_equal(member.data, "what is stored is what it is", 28);
    csv_unload(&member);
    assert_true(zip_next(&z, &m));
    assert_true(text_equal(m.name, text_of("dir/two.csv")));
    assert_int_equal(zip_read(&z, &m, "second", &member, &why), STATUS_OK);
    assert_int_equal(member.size, 30);
    assert_memory_equal(member.data, "1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n", 30);
    csv_unload(&member);
    assert_false(zip_next(&z, &m));
    zip_close(&z);
}

static void a_file_cut_anywhere_is_told(void **state)
{
    (void)state;
    struct made made;
    two_members(&made);
    for (size_t size = 0; size < made.size; size++)
        assert_non_null(read_all(file_of(&made, size)));
    assert_null(read_all(file_of(&made, made.size)));
}

/* No byte of a file can make it read what does not stand there; most are noticed. */
static void a_byte_changed_anywhere_is_survived(void **state)
{
    (void)state;
    struct made made;
    unsigned noticed = 0;
    two_members(&made);
    for (size_t at = 0; at < made.size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            made.bytes[at] ^= (unsigned char)(1 << bit);
            noticed += read_all(file_of(&made, made.size)) != NULL;
            made.bytes[at] ^= (unsigned char)(1 << bit);
        }
    }
    assert_true(noticed > made.members[0].size * 8);
}

static void damage_of_what_is_packed_is_told(void **state)
{
    (void)state;
    struct made made;
    two_members(&made);
    for (unsigned member = 0; member < 2; member++) {
        size_t data = made.members[member].at + 30 + strlen(made.members[member].name) + 3;
        for (size_t at = data; at < data + made.members[member].packed; at++) {
            made.bytes[at] ^= 0x55;
            assert_non_null(read_all(file_of(&made, made.size)));
            made.bytes[at] ^= 0x55;
        }
    }
}

static void sizes_that_lie_are_told(void **state)
{
    (void)state;
    struct made made;
    const int more[] = {-1, 1};
    for (unsigned member = 0; member < 2; member++) {
        for (unsigned i = 0; i < 2; i++) {
            two_members(&made);
            made.members[member].size += (size_t)more[i];
            made.size = made.directory;
            end(&made, "");
            assert_non_null(read_all(file_of(&made, made.size)));
        }
    }
}

static void what_is_packed_otherwise_is_told(void **state)
{
    (void)state;
    struct made made;
    two_members(&made);
    made.members[1].method = 12; /* bzip2 */
    made.size = made.directory;
    end(&made, "");
    assert_non_null(strstr(read_all(file_of(&made, made.size)), "unpack it"));
    two_members(&made);
    made.bytes[made.directory + 8] |= 1; /* encrypted */
    assert_non_null(strstr(read_all(file_of(&made, made.size)), "encrypted"));
    two_members(&made);
    memset(&made.bytes[made.size - strlen("a comment PK") - END_SIZE + 16], 0xff, 4);
    assert_non_null(strstr(read_all(file_of(&made, made.size)), "zip64"));
}

static void an_empty_member_is_empty(void **state)
{
    (void)state;
    struct made made = {.size = 0};
    add(&made, "a", "", STORED);
    add(&made, "b", "", DEFLATED);
    end(&made, "");
    assert_null(read_all(file_of(&made, made.size)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_out_as_they_went_in),
        cmocka_unit_test(a_file_cut_anywhere_is_told),
        cmocka_unit_test(a_byte_changed_anywhere_is_survived),
        cmocka_unit_test(damage_of_what_is_packed_is_told),
        cmocka_unit_test(sizes_that_lie_are_told),
        cmocka_unit_test(what_is_packed_otherwise_is_told),
        cmocka_unit_test(an_empty_member_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
