/* Bytes as text. */
#include "base/coding.h"
#include "support/check.h"

static void hexadecimal_is_written_in_lower_case_and_read_in_any(void **state)
{
    (void)state;
    const unsigned char bytes[] = {0x00, 0x9a, 0xff};
    char text[2 * sizeof(bytes) + 1], back[sizeof(bytes)];
    gm_hex_z(bytes, sizeof(bytes), text);
    assert_string_equal(text, "009aff");
    assert_true(gm_hex_read(GM_STR("009AfF"), back));
    assert_memory_equal(back, bytes, sizeof(bytes));
    static const char *const bad[] = {"0", "009", "0g", "g0", "-1", " 1", "0x"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        assert_false(gm_hex_read(gm_str_z(bad[i]), back));
    }
}

static void base64_is_padded(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"f", "Zg=="},        {"fo", "Zm8="},
                                           {"foo", "Zm9v"},      {"foob", "Zm9vYg=="},
                                           {"\xff\xef", "/+8="}, {"", ""}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(pairs); i++) {
        struct gm_str bytes = gm_str_z(pairs[i][0]);
        char out[16];
        gm_base64(bytes, out);
        check_str(((struct gm_str){out, GM_BASE64_SIZE(bytes.n)}), pairs[i][1]);
    }
}

static void base64url_is_strict(void **state)
{
    (void)state;
    static const char *const good[][2] = {
        {"", ""}, {"Zg", "f"}, {"Zm8", "fo"}, {"Zm9v", "foo"}, {"_-8", "\xff\xef"}};
    static const char *const bad[] = {"Z", "Zh", "Zm9", "Zg==", "Zm9v\n", "Zm9+", "Zm9/", "Zm 9v"};
    struct gm_buf out;
    gm_buf_init(&out, 100);
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        gm_buf_reset(&out);
        assert_true(gm_base64url_take(&out, gm_str_z(good[i][0])));
        assert_true(gm_str_is(gm_buf_str(&out), good[i][1]));
        gm_buf_reset(&out);
        gm_base64url_add(&out, gm_str_z(good[i][1]));
        assert_true(gm_str_is(gm_buf_str(&out), good[i][0]));
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        gm_buf_reset(&out);
        assert_false(gm_base64url_take(&out, gm_str_z(bad[i])));
    }
    gm_buf_deinit(&out);
}

static void percent_escapes_are_taken_apart_and_bad_ones_refused(void **state)
{
    (void)state;
    struct gm_buf out;
    gm_buf_init(&out, 100);
    assert_true(gm_percent_take(&out, GM_STR("a%2fb%C3%A4%"
                                             "41")));
    check_str(gm_buf_str(&out), "a/b\xc3\xa4"
                                "A");
    static const char *const bad[] = {"%", "%4", "%zz", "a%00", "%ff", "%c3", "%-1"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        gm_buf_reset(&out);
        assert_false(gm_percent_take(&out, gm_str_z(bad[i])));
    }
    gm_buf_deinit(&out);
}

static void what_is_reserved_in_an_address_is_escaped(void **state)
{
    (void)state;
    struct gm_buf out;
    gm_buf_init(&out, 100);
    gm_percent_add(&out, GM_STR("aZ09-._~ /%\xc3\xa4:;"));
    check_str(gm_buf_str(&out), "aZ09-._~%20%2F%25%C3%A4%3A%3B");
    gm_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hexadecimal_is_written_in_lower_case_and_read_in_any),
        cmocka_unit_test(base64_is_padded),
        cmocka_unit_test(base64url_is_strict),
        cmocka_unit_test(percent_escapes_are_taken_apart_and_bad_ones_refused),
        cmocka_unit_test(what_is_reserved_in_an_address_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
