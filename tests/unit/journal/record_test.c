/* record: what is written is read, byte for byte as the format says, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "journal/record_format.h"

static struct record_header some_header(void)
{
    return (struct record_header){
        .record = {.kind = RECORD_BATCH,
                   .async = true,
                   .number = 0x0102030405060708,
                   .epoch = 1795000000,
                   .first_seq = 77,
                   .count = 3,
                   .time_ns = 1795000000000000001,
                   .durable_seq = 76,
                   .check = 0xFEDCBA9876543210,
                   .size = 333},
        .bytes_crc = 0xAABBCCDD,
        .previous_crc = 0x11223344,
    };
}

static struct segment_header some_segment(void)
{
    return (struct segment_header){
        .first_number = 12,
        .next_seq = 40,
        .epoch = 9,
        .size = 1 << 20,
        .previous_crc = 0x11223344,
        .kind = RECORD_CLOSE,
        .async = true,
        .time_ns = 5,
    };
}

static void a_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[RECORD_HEADER_SIZE];
    struct record_header h = some_header(), back;
    struct record_fault fault;
    record_header_write(bytes, &h);
    assert_true(record_header_read(bytes, &back, &fault));
    assert_int_equal(back.record.kind, h.record.kind);
    assert_int_equal(back.record.async, h.record.async);
    assert_int_equal(back.record.number, h.record.number);
    assert_int_equal(back.record.epoch, h.record.epoch);
    assert_int_equal(back.record.first_seq, h.record.first_seq);
    assert_int_equal(back.record.count, h.record.count);
    assert_int_equal(back.record.time_ns, h.record.time_ns);
    assert_int_equal(back.record.durable_seq, h.record.durable_seq);
    assert_int_equal(back.record.check, h.record.check);
    assert_int_equal(back.record.size, h.record.size);
    assert_int_equal(back.bytes_crc, h.bytes_crc);
    assert_int_equal(back.previous_crc, h.previous_crc);
    assert_int_equal(back.crc, h.crc);
}

static void a_records_bytes_stand_where_the_format_says(void **state)
{
    (void)state;
    static const uint8_t start[] = {'O', 'C', 'R', 'D'};
    static const uint8_t middle[] = {
        0x4D, 1,    0,    0,                /* size 333 */
        0xDD, 0xCC, 0xBB, 0xAA,             /* CRC of the bytes */
        0x44, 0x33, 0x22, 0x11,             /* of the header before */
        1,    0,    1,    0,                /* kind, flags */
        8,    7,    6,    5,    4, 3, 2, 1, /* number */
    };
    uint8_t bytes[RECORD_HEADER_SIZE];
    struct record_header h = some_header();
    record_header_write(bytes, &h);
    assert_memory_equal(bytes, start, sizeof start);
    assert_memory_equal(bytes + 8, middle, sizeof middle);
    assert_int_equal(bytes[40], 77);
    assert_int_equal(bytes[48], 3);
    assert_int_equal(bytes[64], 76);
    assert_int_equal(bytes[72], 0x10);
    uint32_t crc = crc32c(0, bytes + 8, RECORD_HEADER_SIZE - 8);
    assert_memory_equal(bytes + 4,
                        ((uint8_t[]){(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                                     (uint8_t)(crc >> 24)}),
                        4);
}

static void every_flipped_bit_of_a_header_is_found(void **state)
{
    (void)state;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    struct record_header h = some_header(), back;
    struct segment_header s = some_segment(), segment;
    struct record_fault fault;
    record_header_write(bytes, &h);
    for (unsigned bit = 0; bit < 8 * RECORD_HEADER_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(record_header_read(bytes, &back, &fault));
        assert_int_not_equal(fault.found, fault.expected);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    segment_header_write(bytes, &s);
    for (unsigned bit = 0; bit < 8 * SEGMENT_HEADER_SIZE; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(segment_header_read(bytes, &segment, &fault));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(segment_header_read(bytes, &segment, &fault));
}

static bool survives(struct record_header h)
{
    uint8_t bytes[RECORD_HEADER_SIZE];
    struct record_header back;
    struct record_fault fault;
    record_header_write(bytes, &h);
    return record_header_read(bytes, &back, &fault);
}

static void a_record_keeps_its_limits(void **state)
{
    (void)state;
    struct record_header h = some_header();
    h.record.size = RECORD_BYTES_MAX - 1;
    assert_true(survives(h));
    h.record.size = RECORD_BYTES_MAX;
    assert_true(survives(h));
    h.record.size = RECORD_BYTES_MAX + 1;
    assert_false(survives(h));
    h.record.size = 0;
    assert_true(survives(h));
    h.record.count = 0;
    assert_false(survives(h)); /* a batch has commands */
    h.record.count = UINT64_MAX - 77;
    assert_true(survives(h));
    h.record.count = UINT64_MAX - 76;
    assert_false(survives(h)); /* past the last sequence there is */
}

static void only_known_kinds_are_read(void **state)
{
    (void)state;
    struct record_header h = some_header();
    h.record.count = 0;
    h.record.size = 0;
    for (unsigned kind = 0; kind < 8; kind++) {
        h.record.kind = (enum record_kind)kind;
        assert_int_equal(survives(h), kind > RECORD_BATCH && kind <= RECORD_CLOSE);
    }
    h.record.kind = RECORD_CLOSE;
    h.record.count = 1;
    assert_false(survives(h));
    h.record.count = 0;
    h.record.size = 1;
    assert_false(survives(h));
}

static void a_segments_header_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    struct segment_header s = some_segment(), back;
    struct record_fault fault;
    segment_header_write(bytes, &s);
    assert_true(segment_header_read(bytes, &back, &fault));
    assert_int_equal(back.first_number, s.first_number);
    assert_int_equal(back.next_seq, s.next_seq);
    assert_int_equal(back.epoch, s.epoch);
    assert_int_equal(back.size, s.size);
    assert_int_equal(back.previous_crc, s.previous_crc);
    assert_int_equal(back.kind, s.kind);
    assert_int_equal(back.async, s.async);
    assert_int_equal(back.time_ns, s.time_ns);
}

static bool segment_survives(struct segment_header h)
{
    uint8_t bytes[SEGMENT_HEADER_SIZE];
    struct segment_header back;
    struct record_fault fault;
    segment_header_write(bytes, &h);
    return segment_header_read(bytes, &back, &fault);
}

static void a_segment_holds_its_header_and_whole_words(void **state)
{
    (void)state;
    struct segment_header s = some_segment();
    s.size = SEGMENT_HEADER_SIZE;
    assert_true(segment_survives(s));
    s.size = SEGMENT_HEADER_SIZE - 8;
    assert_false(segment_survives(s));
    s.size = SEGMENT_HEADER_SIZE + 4;
    assert_false(segment_survives(s));
    s = some_segment();
    s.next_seq = 0;
    assert_false(segment_survives(s));
}

static void a_segments_name_is_its_first_record(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 9, 10, 1234567890123, UINT64_MAX - 1, UINT64_MAX};
    static const char *const others[] = {
        "",
        "next.new",
        "00000000000000000000.segment",
        "0000000000000000001.segment",
        "000000000000000000001.segment",
        "18446744073709551616.segment",
        "99999999999999999999.segment",
        "00000000000000000001.segment~",
        "00000000000000000001.snapshot",
        "0000000000000000000a.segment",
        " 0000000000000000001.segment",
        "+0000000000000000001.segment",
    };
    char name[DISK_NAME_SIZE];
    uint64_t number;
    segment_name(123, name);
    assert_string_equal(name, "00000000000000000123.segment");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        segment_name(numbers[i], name);
        assert_true(segment_name_read(name, &number));
        assert_int_equal(number, numbers[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(segment_name_read(others[i], &number));
}

static void a_record_takes_whole_words(void **state)
{
    (void)state;
    assert_int_equal(record_extent(0), RECORD_HEADER_SIZE);
    assert_int_equal(record_extent(1), RECORD_HEADER_SIZE + 8);
    assert_int_equal(record_extent(7), RECORD_HEADER_SIZE + 8);
    assert_int_equal(record_extent(8), RECORD_HEADER_SIZE + 8);
    assert_int_equal(record_extent(9), RECORD_HEADER_SIZE + 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(a_records_bytes_stand_where_the_format_says),
        cmocka_unit_test(every_flipped_bit_of_a_header_is_found),
        cmocka_unit_test(a_record_keeps_its_limits),
        cmocka_unit_test(only_known_kinds_are_read),
        cmocka_unit_test(a_segments_header_is_read_as_it_was_written),
        cmocka_unit_test(a_segment_holds_its_header_and_whole_words),
        cmocka_unit_test(a_segments_name_is_its_first_record),
        cmocka_unit_test(a_record_takes_whole_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
