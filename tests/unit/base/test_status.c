#include "base/status.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static void a_failure_keeps_outcome_and_text(void **state)
{
    (void)state;
    struct gm_err err = {0};
    assert_int_equal(gm_fail(&err, GM_E_CONFIG, "source `%s`: no scheme", "url"), GM_E_CONFIG);
    assert_int_equal(err.rc, GM_E_CONFIG);
    assert_string_equal(err.text, "source `url`: no scheme");
    assert_int_equal(gm_fail(NULL, GM_E_IO, "nobody listens"), GM_E_IO);
}

static void a_failure_may_quote_the_one_before(void **state)
{
    (void)state;
    struct gm_err err = {0};
    gm_fail(&err, GM_E_IO, "disk full");
    gm_fail(&err, GM_E_CONFIG, "store: %s; %s", err.text, err.text);
    assert_string_equal(err.text, "store: disk full; disk full");
    assert_int_equal(gm_fail_within(&err, "run %d", 7), GM_E_CONFIG);
    assert_string_equal(err.text, "run 7: store: disk full; disk full");
    gm_fail_within(&err, "%s", err.text);
    assert_string_equal(err.text,
                        "run 7: store: disk full; disk full: run 7: store: disk full; disk full");
}

static void a_text_is_one_line(void **state)
{
    (void)state;
    struct gm_err err = {0};
    gm_fail(&err, GM_E_INVALID, "%s", "a\nb\tc\x7F\xC3\xA4");
    assert_string_equal(err.text, "a b c \xC3\xA4");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const char mark[] = "\xE2\x80\xA6";
    char text[2 * GM_ERR_TEXT_SIZE];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', sizeof(text));
        for (size_t i = shift; i + 2 < sizeof(text) - 1; i += 2) {
            memcpy(text + i, "\xC3\xA4", 2);
        }
        text[sizeof(text) - 1] = '\0';
        struct gm_err err = {0};
        gm_fail(&err, GM_E_INVALID, "%s", text);
        size_t n = strlen(err.text);
        assert_true(n >= GM_ERR_TEXT_SIZE - 3 && n < GM_ERR_TEXT_SIZE);
        assert_string_equal(err.text + n - 3, mark);
        assert_true(gm_utf8_valid(gm_str_z(err.text), NULL));
        gm_fail_within(&err, "%s", "source");
        assert_true(gm_utf8_valid(gm_str_z(err.text), NULL));
        assert_int_equal(strncmp(err.text, "source: ", 8), 0);
        assert_string_equal(err.text + strlen(err.text) - 3, mark);
    }
}

static gm_rc try_once(gm_rc rc, int *steps)
{
    GM_TRY(rc);
    ++*steps;
    return GM_OK;
}

static void try_returns_anything_but_ok(void **state)
{
    (void)state;
    int steps = 0;
    assert_int_equal(try_once(GM_E_END, &steps), GM_E_END);
    assert_int_equal(steps, 0);
    assert_int_equal(try_once(GM_OK, &steps), GM_OK);
    assert_int_equal(steps, 1);
}

static void outcomes_have_different_names(void **state)
{
    (void)state;
    for (int i = GM_OK; i >= GM_E_INVALID; i--) {
        assert_string_not_equal(gm_rc_name((gm_rc)i), "unknown");
        for (int j = GM_OK; j > i; j--) {
            assert_string_not_equal(gm_rc_name((gm_rc)i), gm_rc_name((gm_rc)j));
        }
    }
    assert_string_equal(gm_rc_name((gm_rc)1), "unknown");
}

static void a_broken_assertion_ends_the_process(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        GM_ASSERT(child != 0);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_keeps_outcome_and_text),
        cmocka_unit_test(a_failure_may_quote_the_one_before),
        cmocka_unit_test(a_text_is_one_line),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(try_returns_anything_but_ok),
        cmocka_unit_test(outcomes_have_different_names),
        cmocka_unit_test(a_broken_assertion_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
