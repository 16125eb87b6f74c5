#include "base/str.h"

#include "base/mem.h"
#include "base/rng.h"
#include "support/check.h"

static const struct gm_str null_view = {NULL, 0};

static void views_compare_by_bytes_then_length(void **state)
{
    (void)state;
    assert_true(gm_str_cmp(GM_STR("a"), GM_STR("b")) < 0);
    assert_true(gm_str_cmp(GM_STR("ab"), GM_STR("a")) > 0);
    assert_true(gm_str_cmp(GM_STR("a"), GM_STR("ab")) < 0);
    assert_true(gm_str_cmp(GM_STR("a"), GM_STR("\xC3\xA4")) < 0); /* bytes are unsigned */
    assert_int_equal(gm_str_cmp(GM_STR("a\0b"), GM_STR("a\0b")), 0);
    assert_true(gm_str_cmp(GM_STR("a\0b"), GM_STR("a\0c")) < 0);
    assert_int_equal(gm_str_cmp(null_view, GM_STR("")), 0);
    assert_true(gm_str_eq(null_view, GM_STR("")));
    assert_false(gm_str_eq(GM_STR("a"), GM_STR("ab")));
    assert_true(gm_str_is(GM_STR("abc"), "abc"));
    assert_false(gm_str_is(GM_STR("abc"), "ab"));
}

static void only_the_case_of_ascii_letters_is_passed_over(void **state)
{
    (void)state;
    assert_true(gm_str_same(GM_STR("Content-Type"), GM_STR("content-tYPE")));
    assert_true(gm_str_same(null_view, GM_STR("")));
    assert_false(gm_str_same(GM_STR("ab"), GM_STR("abc")));
    assert_false(gm_str_same(GM_STR("@["), GM_STR("`{"))); /* a bit apart, and no letters */
    assert_false(gm_str_same(GM_STR("\xC3\xA4"), GM_STR("\xC3\x84")));
}

static void beginnings_and_ends_are_found(void **state)
{
    (void)state;
    assert_true(gm_str_starts(GM_STR("abc"), GM_STR("ab")));
    assert_true(gm_str_starts(GM_STR("abc"), null_view));
    assert_false(gm_str_starts(GM_STR("a"), GM_STR("ab")));
    assert_true(gm_str_ends(GM_STR("abc"), GM_STR("bc")));
    assert_true(gm_str_ends(null_view, GM_STR("")));
    assert_false(gm_str_ends(GM_STR("abc"), GM_STR("ab")));
}

static void a_cut_splits_at_the_first_separator(void **state)
{
    (void)state;
    struct gm_str head;
    struct gm_str rest;
    assert_true(gm_str_cut(GM_STR("a:b:c"), ':', &head, &rest));
    check_str(head, "a");
    check_str(rest, "b:c");
    assert_true(gm_str_cut(GM_STR(":"), ':', &head, &rest));
    check_str(head, "");
    check_str(rest, "");
    assert_false(gm_str_cut(GM_STR("abc"), ':', &head, &rest));
    check_str(head, "abc");
    check_str(rest, "");
    assert_false(gm_str_cut(null_view, ':', &head, &rest));
    rest = GM_STR("x,y"); /* source and target may be the same */
    assert_true(gm_str_cut(rest, ',', &head, &rest));
    check_str(rest, "y");
}

static void trimming_takes_ascii_white_space_only(void **state)
{
    (void)state;
    check_str(gm_str_trim(GM_STR(" \t\r\n\v\f a b \n")), "a b");
    check_str(gm_str_trim(GM_STR("   ")), "");
    check_str(gm_str_trim(null_view), "");
    check_str(gm_str_trim(GM_STR("\xC2\xA0x")), "\xC2\xA0x");
}

static void well_formed_utf8_is_told_from_the_rest(void **state)
{
    (void)state;
    static const struct gm_str good[] = {
        {"", 0},
        {NULL, 0},
        {"\0", 1},
        {"plain ASCII that is longer than eight bytes", 43},
        {"\xC2\x80", 2},
        {"\xDF\xBF", 2},
        {"\xE0\xA0\x80", 3},
        {"\xED\x9F\xBF", 3},
        {"\xEE\x80\x80", 3},
        {"\xEF\xBF\xBF", 3},
        {"\xF0\x90\x80\x80", 4},
        {"\xF4\x8F\xBF\xBF", 4},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        assert_true(gm_utf8_valid(good[i], NULL));
    }
    static const char *const bad[] = {
        "\x80", /* a continuation without a lead */
        "\xBF",
        "\xC0\x80",         /* overlong NUL */
        "\xC1\xBF",         /* overlong */
        "\xE0\x9F\xBF",     /* overlong */
        "\xF0\x8F\xBF\xBF", /* overlong */
        "\xED\xA0\x80",     /* surrogate */
        "\xED\xBF\xBF",     /* surrogate */
        "\xF4\x90\x80\x80", /* above U+10FFFF */
        "\xF5\x80\x80\x80", /* above U+10FFFF */
        "\xFF",
        "\xC3",             /* cut short */
        "\xE2\x82",         /* cut short */
        "\xF0\x9F\x98",     /* cut short */
        "\xC3\x28",         /* no continuation */
        "\xE2\x28\xA1",     /* no continuation */
        "\xE2\x82\x28",     /* no continuation */
        "\xF0\x9F\x98\x28", /* no continuation */
    };
    /* At every place in and around the steps of eight bytes. */
    static const char around[] = "0123456789abcdefghijklmnopqrstuv";
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        for (size_t before = 0; before < 20; before++) {
            for (size_t after = 0; after < 10; after++) {
                char text[64];
                size_t n = strlen(bad[i]);
                memcpy(text, around, before);
                memcpy(text + before, bad[i], n);
                memcpy(text + before + n, around, after);
                size_t bad_at = 99;
                assert_false(gm_utf8_valid((struct gm_str){text, before + n + after}, &bad_at));
                assert_int_equal(bad_at, before);
            }
        }
    }
}

/* Decodes code points one by one, as RFC 3629 describes it: slow and plain. */
static bool utf8_valid_by_decoding(const unsigned char *p, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t i = 0;
    while (i < n) {
        size_t length = p[i] < 0x80       ? 1
                        : p[i] >> 5 == 6  ? 2
                        : p[i] >> 4 == 14 ? 3
                        : p[i] >> 3 == 30 ? 4
                                          : 0;
        if (length == 0 || n - i < length) {
            return false;
        }
        uint32_t code = length == 1 ? p[i] : p[i] & (0xFFU >> (length + 1));
        for (size_t j = 1; j < length; j++) {
            if (p[i + j] >> 6 != 2) {
                return false;
            }
            code = code << 6 | (p[i + j] & 0x3FU);
        }
        if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            return false;
        }
        i += length;
    }
    return true;
}

static void utf8_checks_agree_with_plain_decoding(void **state)
{
    (void)state;
    static const unsigned char bytes[] = {'a',  'b',  0x80, 0x8F, 0x90, 0x9F, 0xA0,
                                          0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
                                          0xEF, 0xF0, 0xF3, 0xF4, 0xF5, 0xFF};
    struct gm_rng rng;
    gm_rng_init(&rng, 11);
    size_t valid = 0;
    for (int i = 0; i < 300000; i++) {
        unsigned char text[12];
        size_t n = gm_rng_below(&rng, sizeof(text) + 1);
        for (size_t j = 0; j < n; j++) {
            text[j] = bytes[gm_rng_below(&rng, sizeof(bytes))];
        }
        bool is_valid = utf8_valid_by_decoding(text, n);
        assert_int_equal(gm_utf8_valid((struct gm_str){(const char *)text, n}, NULL), is_valid);
        valid += is_valid ? 1 : 0;
    }
    assert_true(valid > 1000);
}

static void distances_count_edits_up_to_a_bound(void **state)
{
    (void)state;
    assert_int_equal(gm_str_distance(GM_STR("kitten"), GM_STR("sitting"), 9), 3);
    assert_int_equal(gm_str_distance(GM_STR("schedule"), GM_STR("schedul"), 2), 1);
    assert_int_equal(gm_str_distance(GM_STR("abc"), GM_STR("abc"), 0), 0);
    assert_int_equal(gm_str_distance(GM_STR("abc"), null_view, 3), 3);
    assert_int_equal(gm_str_distance(null_view, GM_STR("abc"), 2), 3);
    assert_int_equal(gm_str_distance(GM_STR("kitten"), GM_STR("sitting"), 2), 3);
    assert_int_equal(gm_str_distance(GM_STR("abcdef"), GM_STR("uvwxyz"), 2), 3);
    char *long_z = gm_alloc(301);
    memset(long_z, 'a', 300);
    assert_int_equal(gm_str_distance(gm_str_z(long_z), gm_str_z(long_z), 5), 6);
    gm_free(long_z);
}

static void owned_copies_end_with_a_nul(void **state)
{
    (void)state;
    GM_AUTO_FREE char *copy = gm_str_dup_z((struct gm_str){"abcdef", 3});
    assert_string_equal(copy, "abc");
    GM_AUTO_FREE char *empty = gm_str_dup_z(null_view);
    assert_string_equal(empty, "");
    GM_AUTO_FREE char *text = gm_format_z("%s-%d", "x", 7);
    assert_string_equal(text, "x-7");
    GM_AUTO_FREE char *again = gm_strdup_z(text);
    assert_string_equal(again, "x-7");
    assert_null(gm_strdup_z(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_bytes_then_length),
        cmocka_unit_test(only_the_case_of_ascii_letters_is_passed_over),
        cmocka_unit_test(beginnings_and_ends_are_found),
        cmocka_unit_test(a_cut_splits_at_the_first_separator),
        cmocka_unit_test(trimming_takes_ascii_white_space_only),
        cmocka_unit_test(well_formed_utf8_is_told_from_the_rest),
        cmocka_unit_test(utf8_checks_agree_with_plain_decoding),
        cmocka_unit_test(distances_count_edits_up_to_a_bound),
        cmocka_unit_test(owned_copies_end_with_a_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
