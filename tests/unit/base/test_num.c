#include "base/num.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/rng.h"
#include "support/check.h"

static void integers_are_read_within_their_range(void **state)
{
    (void)state;
    static const struct {
        const char *text_z;
        int64_t v;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"+7", 7},
        {"007", 7},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        int64_t v = -1;
        assert_true(gm_parse_i64(gm_str_z(good[i].text_z), &v));
        assert_int_equal(v, good[i].v);
    }
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      "1 ",
                                      " 1",
                                      "1.0",
                                      "1e3",
                                      "0x10",
                                      "--1",
                                      "1_0",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        int64_t v = 42;
        assert_false(gm_parse_i64(gm_str_z(bad[i]), &v));
        assert_int_equal(v, 42);
    }
    int64_t v;
    assert_false(gm_parse_i64((struct gm_str){NULL, 0}, &v));
    assert_true(gm_parse_i64((struct gm_str){"123", 2}, &v)); /* the view's end is the end */
    assert_int_equal(v, 12);
}

static void integers_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const int64_t values[] = {0, 7, -7, 1234567890, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < GM_ARRAY_COUNT(values); i++) {
        char text[GM_NUM_TEXT_SIZE];
        int64_t back = 1;
        size_t n = gm_format_i64(values[i], text);
        assert_int_equal(strlen(text), n);
        assert_true(gm_parse_i64((struct gm_str){text, n}, &back));
        assert_int_equal(back, values[i]);
    }
}

static void doubles_follow_the_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *text_z;
        double v;
    } good[] = {
        {"0", 0},
        {"-0.0", -0.0},
        {"+1.5", 1.5},
        {"007.25", 7.25},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"25e-1", 2.5},
        {"0.1", 0.1},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"9007199254740993", 9007199254740992.0},
        {"1e-400", 0},
        {"5e-324", 5e-324},
        {"2.4703282292062328e-324", 5e-324}, /* just above half of the smallest */
        {"2.4703282292062327e-324", 0},
        {"1.7976931348623157e308", 1.7976931348623157e308},
        {"0.000000000000000000000000000001e30", 1},
        {"0e999999999999999999999", 0},
        {"1e-999999999999999999999", 0},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        double v = -1;
        assert_true(gm_parse_double(gm_str_z(good[i].text_z), &v));
        assert_memory_equal(&v, &good[i].v, sizeof(v));
    }
    static const char *const bad[] = {
        "",     "-",     "+",    ".",    ".5",   "5.",       "1.e3", "1e",      "1e+",
        "nan",  "inf",   "-inf", "0x10", "1,5",  "1.5 ",     " 1.5", "1e999",   "-1e999",
        "1..5", "1e1.5", "--1",  "1e5x", "1.5f", "infinity", "1e1e", "1.8e308", "1 000"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        double v = 42;
        assert_false(gm_parse_double(gm_str_z(bad[i]), &v));
        assert_true(v == 42);
    }
}

static void doubles_with_thousands_of_digits_round_correctly(void **state)
{
    (void)state;
    /* 2^53 + 1 lies halfway between two doubles; what decides is a digit far behind. */
    struct gm_buf text;
    gm_buf_init(&text, 1 << 16);
    gm_buf_add(&text, GM_STR("9007199254740993."));
    for (int i = 0; i < 5000; i++) {
        gm_buf_add_char(&text, '0');
    }
    double v;
    assert_true(gm_parse_double(gm_buf_str(&text), &v));
    assert_true(v == 9007199254740992.0); /* to even */
    gm_buf_add_char(&text, '1');
    assert_true(gm_parse_double(gm_buf_str(&text), &v));
    assert_true(v == 9007199254740994.0);
    gm_buf_reset(&text);
    gm_buf_add_char(&text, '1');
    for (int i = 0; i < 3000; i++) {
        gm_buf_add_char(&text, '0');
    }
    gm_buf_add(&text, GM_STR("e-3000"));
    assert_true(gm_parse_double(gm_buf_str(&text), &v));
    assert_true(v == 1);
    gm_buf_deinit(&text);
}

static void doubles_have_their_shortest_text(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text_z;
    } cases[] = {
        {0, "0.0"},
        {-0.0, "-0.0"},
        {18, "18.0"},
        {-100, "-100.0"},
        {21.35, "21.35"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {5e-324, "5e-324"},
        {1.5e-310, "1.5e-310"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e308"},
        {1e-6, "0.000001"},
        {1.25e-7, "1.25e-7"},
        {1e16, "10000000000000000.0"},
        {1e17, "1e17"},
        {123456789012345680.0, "1.2345678901234568e17"},
        {9007199254740993.0, "9007199254740992.0"},
        {5e22, "5e22"},
        {1e23, "1e23"},
        {9.5367431640625e-07, "9.5367431640625e-7"},
        {4.35, "4.35"},
        {0.000123456789012345, "0.000123456789012345"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        char text[GM_NUM_TEXT_SIZE];
        size_t n = gm_format_double(cases[i].v, text);
        check_str(((struct gm_str){text, n}), cases[i].text_z);
        assert_int_equal(text[n], '\0');
    }
}

/* The significant digits of a number's text. */
static int count_digits(const char *text_z)
{
    int n = 0;
    int zeros = 0;
    for (; *text_z != '\0' && *text_z != 'e'; text_z++) {
        if (*text_z == '0') {
            zeros++;
        } else if (*text_z >= '1' && *text_z <= '9') {
            n += n > 0 ? zeros + 1 : 1;
            zeros = 0;
        }
    }
    return n;
}

static double read_by_libc(const char *text_z)
{
    /* tidy: calls: the C library's reading is what ours is compared with, in the C locale */
    return strtod(text_z, NULL);
}

static void any_double_reads_back_and_no_shorter_text_does(void **state)
{
    (void)state;
    struct gm_rng rng;
    gm_rng_init(&rng, 7);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = gm_rng_next(&rng);
        double v;
        memcpy(&v, &bits, sizeof(v));
        if (i % 2 == 0) {
            v = (double)(bits % 1000000000) / pow(10, (double)(i % 7)); /* as people write them */
        }
        if (!isfinite(v)) {
            continue;
        }
        char text[GM_NUM_TEXT_SIZE];
        size_t n = gm_format_double(v, text);
        double back = -1;
        assert_true(gm_parse_double((struct gm_str){text, n}, &back));
        assert_true(back == v && read_by_libc(text) == v);
        char shorter[64];
        int digits = count_digits(text);
        if (digits > 1) {
            (void)snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, v);
            assert_true(read_by_libc(shorter) != v);
        }
    }
}

static void numbers_do_not_depend_on_the_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    char *(*set_locale)(int, const char *) = setlocale;
    const char *set = NULL;
    for (size_t i = 0; i < GM_ARRAY_COUNT(names) && set == NULL; i++) {
        set = set_locale(LC_NUMERIC, names[i]);
    }
    char text[GM_NUM_TEXT_SIZE];
    double v;
    size_t n = gm_format_double(0.1 + 0.2, text);
    check_str(((struct gm_str){text, n}), "0.30000000000000004");
    assert_true(gm_parse_double(GM_STR("0.30000000000000004"), &v));
    assert_true(v == 0.1 + 0.2);
    assert_false(gm_parse_double(GM_STR("0,3"), &v));
    (void)set_locale(LC_NUMERIC, "C");
    if (set == NULL) {
        skip(); /* only the C locale is installed here */
    }
}

static void sizes_have_decimal_and_binary_units(void **state)
{
    (void)state;
    static const struct {
        const char *text_z;
        uint64_t bytes;
    } good[] = {{"512", 512},
                {"512B", 512},
                {"64kB", 64000},
                {"64KB", 64000},
                {"64KiB", 65536},
                {"10MB", 10000000},
                {"10MiB", 10485760},
                {"2GB", 2000000000},
                {"2GiB", UINT64_C(2) << 30},
                {"1TB", UINT64_C(1000000000000)},
                {"1TiB", UINT64_C(1) << 40}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        uint64_t bytes;
        assert_true(gm_parse_size(gm_str_z(good[i].text_z), &bytes));
        assert_int_equal(bytes, good[i].bytes);
    }
    static const char *const bad[] = {"",    "MB", "-1",  "+-1",  "1.5MB",         "1 MB",
                                      "1mb", "1M", "1PB", "1MBs", "99999999999TiB"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        uint64_t bytes;
        assert_false(gm_parse_size(gm_str_z(bad[i]), &bytes));
    }
}

static void truth_values_have_three_spellings(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "TRUE", "Yes", "1"};
    static const char *const no[] = {"false", "No", "0"};
    static const char *const neither[] = {"", "y", "01", "true ", "yess", "2"};
    bool b = false;
    for (size_t i = 0; i < GM_ARRAY_COUNT(yes); i++) {
        assert_true(gm_parse_bool(gm_str_z(yes[i]), &b) && b);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(no); i++) {
        assert_true(gm_parse_bool(gm_str_z(no[i]), &b) && !b);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(neither); i++) {
        assert_false(gm_parse_bool(gm_str_z(neither[i]), &b));
    }
}

static void shares_lie_between_nothing_and_all(void **state)
{
    (void)state;
    static const struct {
        const char *text_z;
        double share;
    } good[] = {{"5%", 0.05}, {"0.5%", 0.005}, {"0.05", 0.05}, {"100%", 1}, {"0", 0}, {"1", 1}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        double share;
        assert_true(gm_parse_share(gm_str_z(good[i].text_z), &share));
        assert_true(share == good[i].share);
    }
    static const char *const bad[] = {"", "%", "5", "101%", "-1%", "5 %", "5%%", "five"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        double share;
        assert_false(gm_parse_share(gm_str_z(bad[i]), &share));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_within_their_range),
        cmocka_unit_test(integers_are_written_as_they_are_read),
        cmocka_unit_test(doubles_follow_the_grammar),
        cmocka_unit_test(doubles_with_thousands_of_digits_round_correctly),
        cmocka_unit_test(doubles_have_their_shortest_text),
        cmocka_unit_test(any_double_reads_back_and_no_shorter_text_does),
        cmocka_unit_test(numbers_do_not_depend_on_the_locale),
        cmocka_unit_test(sizes_have_decimal_and_binary_units),
        cmocka_unit_test(truth_values_have_three_spellings),
        cmocka_unit_test(shares_lie_between_nothing_and_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
