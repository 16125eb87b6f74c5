#include "base/secrets.h"

#include "base/log.h"
#include "base/status.h"
#include "support/check.h"

static char logged[GM_LOG_LINE_MAX + 1];

static int64_t fixed_now(void)
{
    return INT64_C(1795194595123456789);
}

static void remember(const char *line, size_t n)
{
    memcpy(logged, line, n);
    logged[n] = '\0';
}

static int teardown(void **state)
{
    (void)state;
    gm_secrets_forget();
    return 0;
}

static void expect_scrubbed(const char *text_z, const char *expected_z)
{
    char text[256];
    size_t n = strlen(text_z);
    memcpy(text, text_z, n);
    n = gm_secrets_scrub(text, n);
    text[n] = '\0';
    assert_string_equal(text, expected_z);
}

static void the_longest_secret_is_replaced(void **state)
{
    (void)state;
    expect_scrubbed("abcd", "abcd");
    gm_secret_add(GM_STR("abcd"));
    gm_secret_add(GM_STR("abcdefgh"));
    gm_secret_add(GM_STR("abcd"));
    gm_secret_add(GM_STR("xyz")); /* three letters are no secret */
    expect_scrubbed("abcdefghi abcde abc xyz abcd", "***i ***e abc xyz ***");
    expect_scrubbed("abcdabcd", "******");
    expect_scrubbed("", "");
}

static void errors_and_log_lines_show_none(void **state)
{
    (void)state;
    static const struct gm_log_sink sink = {fixed_now, remember};
    struct gm_err err = {0};
    gm_secret_add(GM_STR("hunter22"));
    gm_fail(&err, GM_E_CONFIG, "%s refused", "postgresql://erp:hunter22@db");
    assert_string_equal(err.text, "postgresql://erp:***@db refused");
    gm_fail_within(&err, "%s", "with hunter22");
    assert_string_equal(err.text, "with ***: postgresql://erp:***@db refused");
    gm_log_init(&sink, GM_LOG_INFO, GM_LOG_LOGFMT);
    gm_log_info("login", GM_L_Z("url", "erp:hunter22@db"));
    assert_string_equal(logged, "2026-11-20T17:09:55.123Z info login url=erp:***@db\n");
}

static void a_text_that_is_cut_shows_no_part_of_one(void **state)
{
    (void)state;
    struct gm_err err = {0};
    char before[GM_ERR_TEXT_SIZE];
    gm_secret_add(GM_STR("hunter22"));
    for (size_t n = GM_ERR_TEXT_SIZE - 20; n < GM_ERR_TEXT_SIZE; n++) {
        memset(before, '.', n);
        before[n] = '\0';
        gm_fail(&err, GM_E_CONFIG, "%shunter22 and more", before);
        assert_null(strstr(err.text, "hu"));
        assert_true(strlen(err.text) < GM_ERR_TEXT_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_longest_secret_is_replaced, teardown),
        cmocka_unit_test_teardown(errors_and_log_lines_show_none, teardown),
        cmocka_unit_test_teardown(a_text_that_is_cut_shows_no_part_of_one, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
