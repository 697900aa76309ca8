/* The catalog: what is expanded from the tables is whole and without contradiction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/catalog.h"

static void every_message_is_found_by_its_type_and_no_other(void **state)
{
    (void)state;
    uint32_t count;
    const struct catalog_message *messages = catalog_messages(&count);
    for (uint32_t i = 0; i < count; i++) {
        assert_ptr_equal(catalog_message_find(messages[i].type), &messages[i]);
        assert_true(i == 0 || messages[i - 1].type < messages[i].type);
        assert_in_range(messages[i].field_count, 1, 32);
    }
    assert_string_equal(catalog_message_find(MESSAGE_TRADE)->name, "trade");
    assert_null(catalog_message_find(0));
    assert_null(catalog_message_find(UINT64_MAX));
}

static void fields_stand_in_the_order_of_the_wire(void **state)
{
    (void)state;
    const struct catalog_message *trade = catalog_message_find(MESSAGE_TRADE);
    assert_int_equal(trade->class, CLASS_PUBLIC);
    assert_int_equal(trade->field_count, TRADE_FIELD_COUNT);
    assert_string_equal(trade->fields[0].name, "trade_id");
    assert_int_equal(trade->fields[0].kind, KIND_u64);
    assert_string_equal(trade->fields[5].name, "aggressor");
    assert_int_equal(trade->fields[5].kind, KIND_side);
    assert_int_equal(catalog_envelope()->field_count, ENVELOPE_FIELD_COUNT);
    assert_int_equal(catalog_envelope()->fields[0].limit, ORIGIN_SIZE_MAX);
}

static void no_field_of_a_message_has_the_name_of_another(void **state)
{
    (void)state;
    uint32_t count;
    const struct catalog_message *messages = catalog_messages(&count);
    for (uint32_t m = 0; m < count; m++) {
        for (uint32_t i = 0; i < messages[m].field_count; i++) {
            for (uint32_t k = 0; k < i; k++)
                assert_string_not_equal(messages[m].fields[i].name, messages[m].fields[k].name);
        }
    }
}

static void every_value_is_parsed_from_its_text_and_back(void **state)
{
    (void)state;
    uint32_t count;
    const struct catalog_set *sets = catalog_sets(&count);
    for (uint32_t s = 0; s < count; s++) {
        assert_ptr_equal(catalog_set_find(sets[s].kind), &sets[s]);
        assert_string_equal(catalog_kind_name(sets[s].kind), sets[s].name);
        for (uint32_t i = 0; i < sets[s].value_count; i++) {
            const struct catalog_value *v = &sets[s].values[i];
            uint64_t number = 0;
            assert_true(catalog_value_parse(sets[s].kind, text_of(v->text), &number));
            assert_int_equal(number, v->number);
            assert_string_equal(catalog_value_text(sets[s].kind, number), v->text);
            assert_int_not_equal(number, 0);
        }
    }
}

static void a_text_of_no_value_is_not_parsed(void **state)
{
    (void)state;
    uint64_t number = 77;
    static const char *const wrong[] = {"", "Buy", "BUY", "buy ", "bu", "buyy"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(catalog_value_parse(KIND_side, text_of(wrong[i]), &number));
    assert_false(catalog_value_parse(KIND_u64, text_of("buy"), &number));
    assert_false(catalog_value_parse(KIND_side, text_of("STP"), &number));
    assert_int_equal(number, 77);
    assert_null(catalog_value_text(KIND_side, 3));
    assert_null(catalog_value_text(KIND_text, 1));
}

static void reasons_and_reject_codes_share_one_space_of_numbers(void **state)
{
    (void)state;
    uint32_t count;
    uint64_t number;
    const struct catalog_reject *rejects = catalog_rejects(&count);
    const struct catalog_set *reasons = catalog_set_find(KIND_reason);
    for (uint32_t i = 0; i < count; i++) {
        assert_in_range(rejects[i].code, 1000, 5999);
        assert_ptr_equal(catalog_reject_find(rejects[i].code), &rejects[i]);
        assert_string_equal(catalog_reason_name(rejects[i].code), rejects[i].name);
        assert_true(catalog_value_parse(KIND_reason, text_of(rejects[i].name), &number));
        assert_int_equal(number, rejects[i].code);
    }
    for (uint32_t i = 0; i < reasons->value_count; i++) {
        assert_in_range(reasons->values[i].number, 1, 999);
        assert_null(catalog_reject_find(reasons->values[i].number));
    }
    assert_string_equal(catalog_reason_name(REASON_IOC_REMAINDER), "IOC_REMAINDER");
    assert_null(catalog_reason_name(0));
}

static void every_precedence_above_zero_is_that_of_one_refusal_or_of_a_shape(void **state)
{
    (void)state;
    uint32_t count;
    const struct catalog_reject *rejects = catalog_rejects(&count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            /* 2: a command is of no known type, or its body does not fit: never both */
            if (rejects[i].precedence > 2)
                assert_int_not_equal(rejects[i].precedence, rejects[k].precedence);
        }
        /* 202: what was handed over and is not answered yet is told in the form of a refusal */
        assert_true(rejects[i].http_status == 202 ||
                    (rejects[i].http_status >= 400 && rejects[i].http_status <= 599));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_is_found_by_its_type_and_no_other),
        cmocka_unit_test(fields_stand_in_the_order_of_the_wire),
        cmocka_unit_test(no_field_of_a_message_has_the_name_of_another),
        cmocka_unit_test(every_value_is_parsed_from_its_text_and_back),
        cmocka_unit_test(a_text_of_no_value_is_not_parsed),
        cmocka_unit_test(reasons_and_reject_codes_share_one_space_of_numbers),
        cmocka_unit_test(every_precedence_above_zero_is_that_of_one_refusal_or_of_a_shape),
    };
    return cmocka_run_group_tests_name("proto/catalog", tests, NULL, NULL);
}
