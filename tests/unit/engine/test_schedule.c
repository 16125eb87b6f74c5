/* Schedules: what is taken, what is refused with which words, and the next times across borders of
 * months and years. */
#include "engine/schedule.h"

#include "support/check.h"

static gm_ns at(const char *time_z)
{
    gm_ns t = 0;
    assert_true(gm_time_parse(gm_str_z(time_z), &t));
    return t;
}

static struct gm_schedule parsed(const char *text_z)
{
    struct gm_err err = {0};
    struct gm_schedule schedule = {0};
    check_ok(gm_schedule_parse(gm_str_z(text_z), &schedule, &err), err);
    return schedule;
}

#define check_next(text_z, now_z, expected_z)                                                      \
    check_next_at((text_z), (now_z), (expected_z), CHECK_PLACE(text_z))
static void check_next_at(const char *text_z, const char *now_z, const char *expected_z,
                          const struct check_place *place)
{
    struct gm_schedule schedule = parsed(text_z);
    char text[GM_TIME_TEXT_SIZE];
    size_t n = gm_time_format_short(gm_schedule_next(&schedule, 0, at(now_z)), text);
    check_str_at((struct gm_str){text, n}, expected_z, place);
}

#define check_refused(text_z, says_z) check_refused_at((text_z), (says_z), CHECK_PLACE(text_z))
static void check_refused_at(const char *text_z, const char *says_z,
                             const struct check_place *place)
{
    struct gm_err err = {0};
    struct gm_schedule schedule;
    check_rc_at(gm_schedule_parse(gm_str_z(text_z), &schedule, &err), GM_E_CONFIG, &err, place);
    check_err_says_at(&err, says_z, place);
}

/* ---- every ---- */

static void every_counts_from_the_last_start(void **state)
{
    (void)state;
    struct gm_schedule schedule = parsed("  every 10m ");
    gm_ns start = at("2026-03-01T12:00:00Z");
    assert_int_equal(schedule.type, GM_SCHEDULE_EVERY);
    assert_int_equal(gm_schedule_next(&schedule, start, start + GM_MINUTE), start + 10 * GM_MINUTE);
    assert_int_equal(gm_schedule_next(&schedule, start, start + 10 * GM_MINUTE),
                     start + 10 * GM_MINUTE);
}

static void every_runs_now_when_it_never_ran_and_does_not_catch_up(void **state)
{
    (void)state;
    struct gm_schedule schedule = parsed("every 1h30m");
    gm_ns start = at("2026-03-01T12:00:00Z");
    assert_int_equal(gm_schedule_next(&schedule, 0, start), start);
    gm_ns later = start + 10 * GM_DAY + GM_MINUTE;
    assert_int_equal(gm_schedule_next(&schedule, start, later), later);
    assert_int_equal(gm_schedule_next(&schedule, later, later), later + 90 * GM_MINUTE);
}

static void every_is_not_held_up_by_a_clock_that_was_ahead(void **state)
{
    (void)state;
    struct gm_schedule schedule = parsed("every 10m");
    gm_ns now = at("2026-03-01T12:00:00Z");
    assert_int_equal(gm_schedule_next(&schedule, at("2099-01-01T00:00:00Z"), now), now);
}

static void every_takes_spans_of_any_length(void **state)
{
    (void)state;
    struct gm_schedule schedule = parsed("every 100000d");
    gm_ns now = at("2026-03-01T12:00:00Z");
    assert_int_equal(gm_schedule_next(&schedule, now, now), INT64_MAX);
}

static void every_wants_a_span_of_a_second_or_more(void **state)
{
    (void)state;
    check_refused("every", "write `every 10m`, or five fields");
    check_refused("every ten minutes", "expected a span behind `every`, such as 30s, 10m or 1h30m");
    check_refused("every 0s", "at least one second");
    check_refused("every 999ms", "at least one second");
    check_refused("every -5m", "expected a span");
}

/* ---- cron: what is taken ---- */

static void fields_take_values_lists_ranges_and_steps(void **state)
{
    (void)state;
    check_next("5 * * * *", "2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z");
    check_next("5 * * * *", "2026-03-01T12:05:00Z", "2026-03-01T13:05:00Z");
    check_next("0,30,45 8 * * *", "2026-03-01T08:30:00Z", "2026-03-01T08:45:00Z");
    check_next("0 9-17 * * *", "2026-03-01T17:00:00Z", "2026-03-02T09:00:00Z");
    check_next("*/15 * * * *", "2026-03-01T12:14:59.999Z", "2026-03-01T12:15:00Z");
    check_next("10-40/15 * * * *", "2026-03-01T12:26:00Z", "2026-03-01T12:40:00Z");
    check_next("50/5 * * * *", "2026-03-01T12:51:00Z",
               "2026-03-01T12:55:00Z"); /* from 50 to the end */
    check_next("0 0 1,10-12,20/5 * *", "2026-03-12T00:00:00Z", "2026-03-20T00:00:00Z");
    check_next("0 0 1,10-12,20/5 * *", "2026-03-25T00:00:00Z", "2026-03-30T00:00:00Z");
}

static void names_are_taken_in_any_case(void **state)
{
    (void)state;
    check_next("0 6 * JAN,jul *", "2026-02-01T00:00:00Z", "2026-07-01T06:00:00Z");
    check_next("0 6 * * mon-FRI", "2026-03-06T06:00:00Z",
               "2026-03-09T06:00:00Z"); /* Friday, then Monday */
    check_next("0 0 * * Sun", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z");
}

static void sunday_is_0_and_7(void **state)
{
    (void)state;
    check_next("0 0 * * 7", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z");
    check_next("0 0 * * 0", "2026-03-02T00:00:00Z", "2026-03-08T00:00:00Z");
    check_next("0 0 * * 6-7", "2026-03-07T00:00:00Z", "2026-03-08T00:00:00Z");
    check_next("0 0 * * 6-7", "2026-03-08T00:00:00Z", "2026-03-14T00:00:00Z");
}

static void words_may_stand_apart(void **state)
{
    (void)state;
    check_next("  0   6  *  *  * ", "2026-03-01T12:00:00Z", "2026-03-02T06:00:00Z");
    check_next("0\t6 \t* * *", "2026-03-01T12:00:00Z", "2026-03-02T06:00:00Z");
}

/* ---- cron: days ---- */

static void day_and_weekday_both_restricted_means_either(void **state)
{
    (void)state;
    check_next("0 0 13 * fri", "2026-03-01T00:00:00Z",
               "2026-03-06T00:00:00Z"); /* a Friday, not the 13th */
    check_next("0 0 15 * fri", "2026-03-13T00:00:00Z",
               "2026-03-15T00:00:00Z"); /* the 15th, a Sunday */
}

static void one_of_them_restricted_means_that_one(void **state)
{
    (void)state;
    check_next("0 0 15 * *", "2026-03-01T00:00:00Z", "2026-03-15T00:00:00Z");
    check_next("0 0 * * wed", "2026-03-01T00:00:00Z", "2026-03-04T00:00:00Z");
    check_next("0 0 */2 * wed", "2026-03-01T00:00:00Z",
               "2026-03-11T00:00:00Z"); /* odd days that are Wednesdays */
}

/* ---- cron: borders ---- */

static void the_next_time_crosses_days_months_and_years(void **state)
{
    (void)state;
    check_next("0 0 * * *", "2026-03-31T23:59:59.999999999Z", "2026-04-01T00:00:00Z");
    check_next("59 23 31 12 *", "2026-12-31T23:59:00Z", "2027-12-31T23:59:00Z");
    check_next("* * * * *", "2026-12-31T23:59:30Z", "2027-01-01T00:00:00Z");
    check_next("0 0 31 * *", "2026-03-31T00:00:00Z", "2026-05-31T00:00:00Z"); /* April has none */
}

static void the_29th_of_february_comes_in_leap_years_alone(void **state)
{
    (void)state;
    check_next("0 12 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T12:00:00Z");
    check_next("0 12 29 2 *", "2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z");
    check_next("0 12 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T12:00:00Z"); /* 2100 has none */
    check_next("0 0 1 3 *", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z");
}

static void the_time_itself_is_not_its_next(void **state)
{
    (void)state;
    check_next("0 6 * * *", "2026-03-01T05:59:59.999999999Z", "2026-03-01T06:00:00Z");
    check_next("0 6 * * *", "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z");
    check_next("0 6 * * *", "2026-03-01T06:00:59Z", "2026-03-02T06:00:00Z");
}

/* ---- cron: errors ---- */

static void what_is_out_of_range_is_named(void **state)
{
    (void)state;
    check_refused("60 * * * *", "minute `60`: expected 0 to 59");
    check_refused("* 24 * * *", "hour `24`: expected 0 to 23");
    check_refused("* * 0 * *", "day `0`: expected 1 to 31");
    check_refused("* * * 13 *", "month `13`: expected 1 to 12");
    check_refused("* * * foo *", "month `foo`: expected 1 to 12");
    check_refused("* * * * 8", "weekday `8`: expected 0 to 7");
    check_refused("-1 * * * *", "minute");
    check_refused("1.5 * * * *", "minute `1.5`");
    check_refused("99999999999999999999 * * * *", "minute");
}

static void broken_ranges_steps_and_lists_are_named(void **state)
{
    (void)state;
    check_refused("30-10 * * * *", "minute `30-10`: the range goes backwards");
    check_refused("*/0 * * * *", "minute `*/0`: expected a step of 1 to 59 behind `/`");
    check_refused("*/ * * * *", "expected a step");
    check_refused("*/x * * * *", "expected a step");
    check_refused("5- * * * *", "minute");
    check_refused(",5 * * * *", "minute");
    check_refused("5, * * * *", "minute");
    check_refused("5,,6 * * * *", "minute");
    check_refused("** * * * *", "minute");
}

static void the_number_of_fields_is_checked(void **state)
{
    (void)state;
    check_refused("", "write `every 10m`, or five fields: minute hour day month weekday");
    check_refused("* * * *", "five fields");
    check_refused("0 * * * * *", "more than five fields; seconds and years are not taken");
    check_refused("hourly", "write `every 10m`, or five fields");
    check_refused("@daily", "write `every 10m`, or five fields");
}

static void a_day_that_never_comes_is_refused(void **state)
{
    (void)state;
    check_refused("0 0 30 2 *", "no such day ever comes");
    check_refused("0 0 31 4,6,9,11 *", "no such day ever comes");
}

static void without_a_schedule_there_is_no_next_time(void **state)
{
    (void)state;
    assert_int_equal(gm_schedule_next(&(struct gm_schedule){0}, 0, at("2026-03-01T00:00:00Z")),
                     INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counts_from_the_last_start),
        cmocka_unit_test(every_runs_now_when_it_never_ran_and_does_not_catch_up),
        cmocka_unit_test(every_is_not_held_up_by_a_clock_that_was_ahead),
        cmocka_unit_test(every_takes_spans_of_any_length),
        cmocka_unit_test(every_wants_a_span_of_a_second_or_more),
        cmocka_unit_test(fields_take_values_lists_ranges_and_steps),
        cmocka_unit_test(names_are_taken_in_any_case),
        cmocka_unit_test(sunday_is_0_and_7),
        cmocka_unit_test(words_may_stand_apart),
        cmocka_unit_test(day_and_weekday_both_restricted_means_either),
        cmocka_unit_test(one_of_them_restricted_means_that_one),
        cmocka_unit_test(the_next_time_crosses_days_months_and_years),
        cmocka_unit_test(the_29th_of_february_comes_in_leap_years_alone),
        cmocka_unit_test(the_time_itself_is_not_its_next),
        cmocka_unit_test(what_is_out_of_range_is_named),
        cmocka_unit_test(broken_ranges_steps_and_lists_are_named),
        cmocka_unit_test(the_number_of_fields_is_checked),
        cmocka_unit_test(a_day_that_never_comes_is_refused),
        cmocka_unit_test(without_a_schedule_there_is_no_next_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
