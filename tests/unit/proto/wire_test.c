/* wire: integers of every form, and what is refused of each kind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/wire.h"

/* One value as bytes: its size and what it is. */
struct sample {
    uint8_t bytes[12];
    uint8_t size;
    bool negative;
    uint64_t value; /* its 64 bits */
};

static const struct sample integers[] = {
    {{0x00}, 1, false, 0},
    {{0x7f}, 1, false, 127},
    {{0xe0}, 1, true, (uint64_t)-32},
    {{0xff}, 1, true, (uint64_t)-1},
    {{0xcc, 0x05}, 2, false, 5},
    {{0xcd, 0x00, 0x05}, 3, false, 5},
    {{0xce, 0, 0, 0, 0x05}, 5, false, 5},
    {{0xcf, 0, 0, 0, 0, 0, 0, 0, 0x05}, 9, false, 5},
    {{0xd0, 0x05}, 2, false, 5},
    {{0xd1, 0x00, 0x05}, 3, false, 5},
    {{0xd2, 0, 0, 0, 0x05}, 5, false, 5},
    {{0xd3, 0, 0, 0, 0, 0, 0, 0, 0x05}, 9, false, 5},
    {{0xd0, 0x80}, 2, true, (uint64_t)-128},
    {{0xd1, 0xff, 0xff}, 3, true, (uint64_t)-1},
    {{0xd2, 0x80, 0, 0, 0}, 5, true, (uint64_t)INT32_MIN},
    {{0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0}, 9, true, (uint64_t)INT64_MIN},
    {{0xd3, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9, false, INT64_MAX},
    {{0xcf, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9, false, INT64_MAX},
    {{0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}, 9, false, (uint64_t)INT64_MAX + 1},
    {{0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 9, false, UINT64_MAX},
};

static struct wire_reader reader_of(const struct sample *s)
{
    return (struct wire_reader){s->bytes, s->bytes + s->size, false};
}

static void an_integer_of_any_form_is_read_where_it_fits_and_refused_elsewhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        const struct sample *s = &integers[i];
        bool fits_u64 = !s->negative;
        bool fits_i64 = s->negative || s->value <= INT64_MAX;
        struct wire_reader r = reader_of(s);
        assert_true(wire_get_u64(&r, 0) == (fits_u64 ? s->value : 0));
        assert_true(r.bad == !fits_u64 && r.at == r.end);
        r = reader_of(s);
        assert_true(wire_get_i64(&r) == (fits_i64 ? (int64_t)s->value : 0));
        assert_true(r.bad == !fits_i64 && r.at == r.end);
        r = reader_of(s);
        struct u64_or_nil u = wire_get_u64_or_nil(&r);
        assert_true(u.given == fits_u64 && u.value == (fits_u64 ? s->value : 0));
        r = reader_of(s);
        struct i64_or_nil n = wire_get_i64_or_nil(&r);
        assert_true(n.given == fits_i64 && n.value == (fits_i64 ? (int64_t)s->value : 0));
        r = reader_of(s);
        wire_skip(&r);
        assert_true(!r.bad && r.at == r.end);
    }
}

static void an_integer_past_its_limit_is_refused(void **state)
{
    (void)state;
    for (uint64_t limit = 65534; limit <= 65536; limit++) {
        struct wire_reader r = {(const uint8_t *)"\xcd\xff\xff", NULL, false};
        r.end = r.at + 3;
        assert_int_equal(wire_get_u64(&r, limit), limit >= 65535 ? 65535 : 0);
        assert_int_equal(r.bad, limit < 65535);
    }
}

/* One value of each kind there is, nested ones included. */
static const struct sample kinds[] = {
    {{0xc0}, 1, false, 0},
    {{0xc2}, 1, false, 0},
    {{0xc3}, 1, false, 0},
    {{0xa2, 'a', 'b'}, 3, false, 0},
    {{0xd9, 1, 'a'}, 3, false, 0},
    {{0xda, 0, 1, 'a'}, 4, false, 0},
    {{0xdb, 0, 0, 0, 1, 'a'}, 6, false, 0},
    {{0xc4, 1, 9}, 3, false, 0},
    {{0xc5, 0, 1, 9}, 4, false, 0},
    {{0xc6, 0, 0, 0, 1, 9}, 6, false, 0},
    {{0xc7, 1, 7, 9}, 4, false, 0},
    {{0xc8, 0, 1, 7, 9}, 5, false, 0},
    {{0xc9, 0, 0, 0, 1, 7, 9}, 7, false, 0},
    {{0xca, 1, 2, 3, 4}, 5, false, 0},
    {{0xcb, 1, 2, 3, 4, 5, 6, 7, 8}, 9, false, 0},
    {{0xd4, 7, 1}, 3, false, 0},
    {{0xd5, 7, 1, 2}, 4, false, 0},
    {{0xd6, 7, 1, 2, 3, 4}, 6, false, 0},
    {{0xd7, 7, 1, 2, 3, 4, 5, 6, 7, 8}, 10, false, 0},
    {{0x92, 1, 0x91, 0xc0}, 4, false, 0},
    {{0xdc, 0, 2, 1, 2}, 5, false, 0},
    {{0xdd, 0, 0, 0, 2, 1, 2}, 7, false, 0},
    {{0x82, 1, 2, 3, 0x90}, 5, false, 0},
    {{0xde, 0, 1, 1, 0xa0}, 5, false, 0},
    {{0xdf, 0, 0, 0, 1, 1, 2}, 7, false, 0},
};

static void every_kind_of_value_is_skipped_whole_and_not_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (uint8_t size = 0; size <= kinds[i].size; size++) {
            struct wire_reader r = {kinds[i].bytes, kinds[i].bytes + size, false};
            wire_skip(&r);
            assert_int_equal(r.bad, size < kinds[i].size);
            assert_ptr_equal(r.at, r.end);
        }
    }
    struct wire_reader unused = {(const uint8_t *)"\xc1", NULL, false};
    unused.end = unused.at + 1;
    wire_skip(&unused);
    assert_true(unused.bad);
}

static void a_value_of_another_kind_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint8_t tag = kinds[i].bytes[0];
        struct wire_reader r = reader_of(&kinds[i]);
        wire_get_u64(&r, 0);
        assert_true(r.bad);
        r = reader_of(&kinds[i]);
        wire_get_i64_or_nil(&r);
        assert_int_equal(r.bad, tag != 0xc0);
        r = reader_of(&kinds[i]);
        wire_get_flag(&r);
        assert_int_equal(r.bad, tag != 0xc2 && tag != 0xc3);
        r = reader_of(&kinds[i]);
        wire_get_text(&r, 100);
        assert_int_equal(r.bad, tag != 0xa2 && (tag < 0xd9 || tag > 0xdb));
        r = reader_of(&kinds[i]);
        wire_get_bytes(&r, 100);
        assert_int_equal(r.bad, tag < 0xc4 || tag > 0xc6);
        r = reader_of(&kinds[i]);
        wire_get_array(&r);
        assert_int_equal(r.bad, tag != 0x92 && tag != 0xdc && tag != 0xdd);
    }
}

static void a_reader_that_is_bad_stays_so_and_hands_out_zeros(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xc1, 5, 0xc3, 0xa1, 'x', 0xc4, 1, 9, 0x91, 7};
    struct wire_reader r = {bytes, bytes + sizeof bytes, false};
    assert_int_equal(wire_get_u64(&r, 0), 0);
    assert_true(r.bad);
    assert_int_equal(wire_get_u64(&r, 0), 0);
    assert_int_equal(wire_get_i64(&r), 0);
    assert_false(wire_get_flag(&r));
    assert_int_equal(wire_get_text(&r, 100).size, 0);
    assert_int_equal(wire_get_bytes(&r, 100).size, 0);
    assert_int_equal(wire_get_array(&r), 0);
    assert_false(wire_get_u64_or_nil(&r).given);
    wire_skip_many(&r, UINT32_MAX);
    assert_true(r.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integer_of_any_form_is_read_where_it_fits_and_refused_elsewhere),
        cmocka_unit_test(an_integer_past_its_limit_is_refused),
        cmocka_unit_test(every_kind_of_value_is_skipped_whole_and_not_cut),
        cmocka_unit_test(a_value_of_another_kind_is_refused),
        cmocka_unit_test(a_reader_that_is_bad_stays_so_and_hands_out_zeros),
    };
    return cmocka_run_group_tests_name("proto/wire", tests, NULL, NULL);
}
