/* standing: every standing there is has a name and, but for the good one, a reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/standing.h"
#include "proto/messages.h"

static void every_standing_has_a_name_and_a_reason_of_its_own(void **state)
{
    (void)state;
    for (uint64_t one = STANDING_OPEN; one <= STANDING_STOPPED; one++) {
        assert_string_not_equal(standing_text(one), "unknown");
        assert_true((standing_why(one) == NULL) == (one == STANDING_OPEN));
        for (uint64_t other = STANDING_OPEN; other < one; other++) {
            assert_string_not_equal(standing_text(one), standing_text(other));
            assert_true(other == STANDING_OPEN ||
                        strcmp(standing_why(one), standing_why(other)) != 0);
        }
    }
}

static void what_has_no_name_here_is_not_open(void **state)
{
    (void)state;
    static const uint64_t strange[] = {0, STANDING_STOPPED + 1, UINT64_MAX};
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(standing_text(strange[i]), "unknown");
        assert_non_null(standing_why(strange[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_standing_has_a_name_and_a_reason_of_its_own),
        cmocka_unit_test(what_has_no_name_here_is_not_open),
    };
    return cmocka_run_group_tests_name("services/standing", tests, NULL, NULL);
}
