#include "base/time.h"

#include "base/rng.h"
#include "support/check.h"

static gm_ns parse(const char *text_z)
{
    gm_ns t = 0;
    if (!gm_time_parse(gm_str_z(text_z), &t)) {
        fail_msg("%s is not read", text_z);
    }
    return t;
}

static void the_epoch_is_a_thursday(void **state)
{
    (void)state;
    struct gm_date date;
    gm_time_split(0, &date);
    assert_int_equal(date.year, 1970);
    assert_int_equal(date.month, 1);
    assert_int_equal(date.day, 1);
    assert_int_equal(date.weekday, 4);
    gm_time_split(-1, &date);
    assert_int_equal(date.year, 1969);
    assert_int_equal(date.day, 31);
    assert_int_equal(date.second, 59);
    assert_int_equal(date.nanos, 999999999);
    assert_int_equal(date.weekday, 3);
}

static void every_instant_splits_and_joins(void **state)
{
    (void)state;
    struct gm_rng rng;
    gm_rng_init(&rng, 3);
    for (int i = 0; i < 100000; i++) {
        gm_ns t = (gm_ns)gm_rng_next(&rng);
        t = i == 0 ? INT64_MIN : i == 1 ? INT64_MAX : t;
        struct gm_date date;
        gm_ns back;
        gm_time_split(t, &date);
        assert_true(gm_time_join(&date, &back));
        assert_true(back == t);
    }
}

static void every_day_follows_the_one_before(void **state)
{
    (void)state;
    struct gm_date before;
    gm_time_split(parse("1699-12-31"), &before);
    for (gm_ns t = parse("1700-01-01"); t < parse("2260-01-01"); t += GM_DAY) {
        struct gm_date date;
        gm_time_split(t, &date);
        assert_int_equal(date.weekday, (before.weekday + 1) % 7);
        if (date.day != before.day + 1) {
            assert_int_equal(date.day, 1);
            assert_true(before.day >= 28);
            assert_int_equal(date.month, before.month % 12 + 1);
            assert_int_equal(date.year, before.year + (date.month == 1 ? 1 : 0));
        }
        before = date;
    }
}

static void days_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const struct gm_date bad[] = {
        {.year = 2025, .month = 2, .day = 29},
        {.year = 1900, .month = 2, .day = 29},
        {.year = 2026, .month = 4, .day = 31},
        {.year = 2026, .month = 13, .day = 1},
        {.year = 2026, .month = 0, .day = 1},
        {.year = 2026, .month = 1, .day = 0},
        {.year = 2026, .month = 1, .day = 1, .hour = 24},
        {.year = 2026, .month = 1, .day = 1, .minute = 60},
        {.year = 2026, .month = 1, .day = 1, .second = 60},
        {.year = 2026, .month = 1, .day = 1, .nanos = -1},
        {.year = 2026, .month = 1, .day = 1, .nanos = 1000000000},
        {.year = 2263, .month = 1, .day = 1},
        {.year = 1677, .month = 1, .day = 1},
        {.year = INT32_MAX, .month = 1, .day = 1},
        {.year = INT32_MIN, .month = 1, .day = 1},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        gm_ns t = 42;
        assert_false(gm_time_join(&bad[i], &t));
        assert_int_equal(t, 42);
    }
    gm_ns t;
    assert_true(gm_time_join(&(struct gm_date){.year = 2000, .month = 2, .day = 29}, &t));
}

static void instants_are_read_in_all_their_forms(void **state)
{
    (void)state;
    gm_ns t = parse("2026-11-20T17:09:55Z");
    assert_true(t == INT64_C(1795194595) * GM_SECOND);
    assert_true(parse("2026-11-20 17:09:55") == t);
    assert_true(parse("2026-11-20T17:09:55") == t);
    assert_true(parse("2026-11-20T18:09:55+01:00") == t);
    assert_true(parse("2026-11-20T18:09:55+0100") == t);
    assert_true(parse("2026-11-20 18:09:55+01") == t);
    assert_true(parse("2026-11-20T11:39:55-05:30") == t);
    assert_true(parse("2026-11-20T17:09:55.5Z") == t + 500 * GM_MS);
    assert_true(parse("2026-11-20T17:09:55.123456789Z") == t + 123456789);
    assert_true(parse("2026-11-20T17:09:55.1234567899999Z") == t + 123456789);
    assert_true(parse("2026-11-20") == t - 17 * GM_HOUR - 9 * GM_MINUTE - 55 * GM_SECOND);
    assert_true(parse("1677-09-21T00:12:43.145224192Z") == INT64_MIN);
    assert_true(parse("2262-04-11T23:47:16.854775807Z") == INT64_MAX);
}

static void what_is_no_instant_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2026",
        "2026-11",
        "2026-1-20",
        "26-11-20",
        "2026-02-29",
        "2026-11-20T",
        "2026-11-20T17",
        "2026-11-20T17:09",
        "2026-11-20T24:00:00Z",
        "2026-11-20T17:60:00Z",
        "2026-11-20T17:09:60Z",
        "2026-11-20T17:09:55.Z",
        "2026-11-20T17:09:55,5Z",
        "2026-11-20T17:09:55z",
        "2026-11-20t17:09:55Z",
        "2026-11-20T17:09:55ZZ",
        "2026-11-20T17:09:55 Z",
        "2026-11-20T17:09:55+1",
        "2026-11-20T17:09:55+01:",
        "2026-11-20T17:09:55+01:0",
        "2026-11-20T17:09:55+24:00",
        "2026-11-20T17:09:55+01:60",
        "2026-11-20  17:09:55",
        " 2026-11-20",
        "20.11.2026",
        "11/20/2026",
        "2026-11-20Z",
        "1677-09-21T00:12:43.145224191Z",
        "2262-04-11T23:47:16.854775808Z",
        "9999-12-31",
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        gm_ns t = 42;
        if (gm_time_parse(gm_str_z(bad[i]), &t)) {
            fail_msg("%s is read", bad[i]);
        }
        assert_int_equal(t, 42);
    }
}

static void instants_are_written_with_seven_digits_or_as_many_as_needed(void **state)
{
    (void)state;
    char text[GM_TIME_TEXT_SIZE];
    gm_ns t = parse("2026-11-20T17:09:55.123456789Z");
    assert_int_equal(gm_time_format(t, text), 28);
    assert_string_equal(text, "2026-11-20T17:09:55.1234567Z");
    gm_time_format_short(t, text);
    assert_string_equal(text, "2026-11-20T17:09:55.123456789Z");
    assert_int_equal(gm_time_format_short(t / GM_SECOND * GM_SECOND, text), 20);
    assert_string_equal(text, "2026-11-20T17:09:55Z");
    gm_time_format_short(parse("2026-11-20T17:09:55.25Z"), text);
    assert_string_equal(text, "2026-11-20T17:09:55.25Z");
    gm_time_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.9999999Z");
    gm_time_format_short(INT64_MIN, text);
    assert_string_equal(text, "1677-09-21T00:12:43.145224192Z");
}

typedef bool (*valid_fn)(struct gm_str s);

static void check_valid(valid_fn valid, const char *const *good, const char *const *bad)
{
    for (; *good != NULL; good++) {
        if (!valid(gm_str_z(*good))) {
            fail_msg("%s is refused", *good);
        }
    }
    for (; *bad != NULL; bad++) {
        if (valid(gm_str_z(*bad))) {
            fail_msg("%s is taken", *bad);
        }
    }
}

static void dates_and_times_of_any_year_are_told_from_others(void **state)
{
    (void)state;
    static const char *const good_dates[] = {"2026-11-20", "2024-02-29", "0000-01-01", "9999-12-31",
                                             NULL};
    static const char *const bad_dates[] = {"",           "2026-11-20T", "2026-11-31", "2025-02-29",
                                            "2026-00-01", "10000-01-01", "-001-01-01", NULL};
    check_valid(gm_date_valid, good_dates, bad_dates);

    static const char *const good_times[] = {"17:09:55",       "00:00:00Z",        "23:59:59.999",
                                             "17:09:55+01:00", "17:09:55.5-23:59", NULL};
    static const char *const bad_times[] = {
        "",           "17:09",          "24:00:00",    "17:09:60",
        "17:09:55.",  "17:09:55+0100",  "17:09:55+01", "17:09:55z",
        "T17:09:55Z", "17:09:55+24:00", "17:09:55 Z",  NULL};
    check_valid(gm_clock_time_valid, good_times, bad_times);

    static const char *const good_datetimes[] = {"9999-12-31 23:59:59.9999999",
                                                 "0001-01-01T00:00:00Z",
                                                 "2026-11-20T17:09:55+01:00", "2026-11-20", NULL};
    static const char *const bad_datetimes[] = {"", "9999-12-32", "2026-11-20T17:09", "now", NULL};
    check_valid(gm_datetime_valid, good_datetimes, bad_datetimes);
}

static void iso_durations_have_at_least_one_part_in_order(void **state)
{
    (void)state;
    static const char *const good[] = {"P1Y", "P1Y2M3W4DT5H6M7S", "PT0S", "PT1.5S", "P1D", "PT1M",
                                       "P1M", "P10000D",          NULL};
    static const char *const bad[] = {"",      "P",     "PT",    "P1",  "1D",   "P1H",  "PT1D",
                                      "P1DT",  "P1M1Y", "P1D ",  "p1d", "P-1D", "-P1D", "P1.5D",
                                      "PT1.S", "P1Y1Y", "PT1S1", "PD",  NULL};
    check_valid(gm_iso_duration_valid, good, bad);
}

static void spans_are_read_with_their_units(void **state)
{
    (void)state;
    static const struct {
        const char *text_z;
        gm_ns span;
    } good[] = {
        {"0", 0},
        {"0s", 0},
        {"250ms", 250 * GM_MS},
        {"30s", 30 * GM_SECOND},
        {"10m", 10 * GM_MINUTE},
        {"2h", 2 * GM_HOUR},
        {"1d", GM_DAY},
        {"1h30m", 90 * GM_MINUTE},
        {"1d2h3m4s5ms6us7ns",
         GM_DAY + 2 * GM_HOUR + 3 * GM_MINUTE + 4 * GM_SECOND + 5 * GM_MS + 6 * GM_US + 7},
        {"1.5s", 1500 * GM_MS},
        {"0.25d", 6 * GM_HOUR},
        {"1.999999999d", 2 * GM_DAY - GM_DAY / GM_SECOND},
        {"106751d", 106751 * GM_DAY},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        gm_ns span = -1;
        if (!gm_span_parse(gm_str_z(good[i].text_z), &span) || span != good[i].span) {
            fail_msg("%s is read as %lld", good[i].text_z, (long long)span);
        }
    }
    static const char *const bad[] = {"",
                                      "5",
                                      "s",
                                      "-1s",
                                      "1 s",
                                      "1s ",
                                      "1.s",
                                      "1w",
                                      "1M",
                                      "1m1h",
                                      "1s1s",
                                      "1sec",
                                      "1e3s",
                                      "1h30",
                                      "1.5",
                                      "106752d",
                                      "99999999999999999999s",
                                      "106751d24h"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        gm_ns span = 42;
        if (gm_span_parse(gm_str_z(bad[i]), &span)) {
            fail_msg("%s is read", bad[i]);
        }
        assert_int_equal(span, 42);
    }
}

static void spans_are_written_with_at_most_two_units(void **state)
{
    (void)state;
    static const struct {
        gm_ns span;
        const char *text_z;
    } cases[] = {
        {0, "0s"},
        {7, "7ns"},
        {1500, "1.5us"},
        {250 * GM_MS, "250ms"},
        {1250 * GM_MS, "1.25s"},
        {59999999999, "59.999s"},
        {60 * GM_SECOND, "1m"},
        {90 * GM_SECOND, "1m30s"},
        {90 * GM_MINUTE, "1h30m"},
        {GM_HOUR + 59 * GM_SECOND, "1h"},
        {25 * GM_HOUR, "1d1h"},
        {-90 * GM_SECOND, "-1m30s"},
        {INT64_MIN, "-106751d23h"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        char text[GM_TIME_TEXT_SIZE];
        size_t n = gm_span_format(cases[i].span, text);
        check_str(((struct gm_str){text, n}), cases[i].text_z);
        assert_int_equal(text[n], '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_epoch_is_a_thursday),
        cmocka_unit_test(every_instant_splits_and_joins),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(days_that_do_not_exist_are_refused),
        cmocka_unit_test(instants_are_read_in_all_their_forms),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(instants_are_written_with_seven_digits_or_as_many_as_needed),
        cmocka_unit_test(dates_and_times_of_any_year_are_told_from_others),
        cmocka_unit_test(iso_durations_have_at_least_one_part_in_order),
        cmocka_unit_test(spans_are_read_with_their_units),
        cmocka_unit_test(spans_are_written_with_at_most_two_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
