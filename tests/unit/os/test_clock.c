#include "os/clock.h"

#include "os/thread.h"
#include "support/check.h"

static void clocks_go_forward(void **state)
{
    (void)state;
    const struct gm_clock *clock = gm_clock_system();
    gm_ns before = clock->mono(clock);
    gm_ns after = clock->mono(clock);
    assert_true(after >= before && before > 0);
    struct gm_date date;
    gm_time_split(clock->wall(clock), &date);
    assert_true(date.year >= 2024);
    assert_true(gm_clock_wall_now() - clock->wall(clock) < GM_HOUR);
}

static void a_wait_ends_when_its_span_has_passed(void **state)
{
    (void)state;
    struct gm_stop *stop = gm_stop_new();
    const struct gm_clock *clock = gm_clock_system();
    gm_ns before = clock->mono(clock);
    assert_int_equal(gm_stop_wait(stop, 3 * GM_MS), GM_OK);
    assert_true(clock->mono(clock) - before >= 3 * GM_MS);
    assert_int_equal(gm_stop_wait(stop, 0), GM_OK);
    assert_int_equal(gm_stop_wait(stop, -GM_SECOND), GM_OK);
    gm_stop_free(stop);
    gm_stop_free(NULL);
}

struct waiter {
    struct gm_stop *stop;
    gm_ns span;
    gm_rc rc;
};

static void wait_long(void *arg)
{
    struct waiter *waiter = arg;
    waiter->rc = gm_stop_wait(waiter->stop, waiter->span);
}

static void a_request_wakes_all_waiters_at_once(void **state)
{
    (void)state;
    struct gm_err err = {0};
    struct gm_stop *stop = gm_stop_new();
    struct waiter waiters[] = {
        {stop, GM_DAY, GM_OK}, {stop, INT64_MAX, GM_OK}, {stop, GM_HOUR, GM_OK}};
    struct gm_thread *threads[GM_ARRAY_COUNT(waiters)];
    for (size_t i = 0; i < GM_ARRAY_COUNT(waiters); i++) {
        check_ok(gm_thread_start("waiter", wait_long, &waiters[i], &threads[i], &err), err);
    }
    assert_false(gm_stop_requested(stop));
    gm_stop_request(stop);
    gm_stop_request(stop); /* again is the same */
    for (size_t i = 0; i < GM_ARRAY_COUNT(waiters); i++) {
        gm_thread_join(threads[i]);
        assert_int_equal(waiters[i].rc, GM_E_CANCELLED);
    }
    assert_true(gm_stop_requested(stop));
    assert_int_equal(gm_stop_wait(stop, GM_DAY), GM_E_CANCELLED);
    gm_stop_free(stop);
}

static void deadlines_pass_with_time_or_with_the_stop(void **state)
{
    (void)state;
    struct gm_stop *stop = gm_stop_new();
    struct gm_deadline none = {0, NULL};
    struct gm_deadline later = gm_deadline_in(GM_HOUR, stop);
    struct gm_deadline never = gm_deadline_in(INT64_MAX, NULL);
    struct gm_deadline now = gm_deadline_in(0, NULL);
    struct gm_deadline before = gm_deadline_in(INT64_MIN / 2, NULL);
    assert_true(gm_deadline_left(&none) == GM_DAY);
    assert_false(gm_deadline_passed(&none));
    assert_false(gm_deadline_passed(&later));
    assert_true(gm_deadline_left(&later) > 59 * GM_MINUTE);
    assert_false(gm_deadline_passed(&never));
    assert_true(gm_deadline_passed(&now));
    assert_true(gm_deadline_passed(&before));
    gm_stop_request(stop);
    assert_true(gm_deadline_passed(&later));
    assert_true(gm_deadline_left(&later) == 0);
    none.stop = stop;
    assert_true(gm_deadline_passed(&none));
    gm_stop_free(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(a_wait_ends_when_its_span_has_passed),
        cmocka_unit_test(a_request_wakes_all_waiters_at_once),
        cmocka_unit_test(deadlines_pass_with_time_or_with_the_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
