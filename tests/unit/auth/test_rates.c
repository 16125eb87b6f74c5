/* Token buckets. */
#include "auth/rates.h"

#include "base/mem.h"
#include "support/check.h"

static void a_burst_passes_and_then_so_many_a_second(void **state)
{
    (void)state;
    struct gm_rates *rates = gm_rates_new(10, 5);
    gm_ns now = GM_HOUR;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(gm_rates_take(rates, "a", now), 0);
    }
    int passed = 0;
    for (int i = 0; i < 10000; i++) { /* ten seconds, a thousand tries each */
        now += GM_MS;
        passed += gm_rates_take(rates, "a", now) == 0;
    }
    assert_in_range(passed, 99, 100);
    gm_rates_free(rates);
}

static void the_wait_is_told_in_whole_seconds(void **state)
{
    (void)state;
    struct gm_rates *rates = gm_rates_new(0.1, 1);
    assert_int_equal(gm_rates_take(rates, "a", 0), 0);
    assert_int_equal(gm_rates_take(rates, "a", 0), 10);
    assert_int_equal(gm_rates_take(rates, "a", GM_SECOND / 2), 10);
    assert_int_equal(gm_rates_take(rates, "a", 9 * GM_SECOND + GM_MS), 1);
    assert_int_equal(gm_rates_take(rates, "a", 11 * GM_SECOND), 0);
    gm_rates_free(rates);
}

static void the_longest_known_name_makes_room(void **state)
{
    (void)state;
    struct gm_rates *rates = gm_rates_new(0.001, 1);
    assert_int_equal(gm_rates_take(rates, "first", 0), 0);
    for (int i = 0; i < GM_RATES_MAX - 1; i++) {
        GM_AUTO_FREE char *name_z = gm_format_z("n%d", i);
        assert_int_equal(gm_rates_take(rates, name_z, 0), 0);
    }
    assert_int_equal(gm_rates_take(rates, "first", 0), 1000); /* all fit */
    assert_int_equal(gm_rates_take(rates, "one more", 0), 0);
    assert_int_equal(gm_rates_take(rates, "n0", 0), 1000);
    assert_int_equal(gm_rates_take(rates, "first", 0), 0); /* was forgotten */
    gm_rates_free(rates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_then_so_many_a_second),
        cmocka_unit_test(the_wait_is_told_in_whole_seconds),
        cmocka_unit_test(the_longest_known_name_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
