#include "os/process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static void the_environment_is_read(void **state)
{
    (void)state;
    assert_int_equal(setenv("GEMEL_TEST_VALUE", "x", 1), 0);
    assert_string_equal(gm_env_z("GEMEL_TEST_VALUE"), "x");
    assert_int_equal(unsetenv("GEMEL_TEST_VALUE"), 0);
    assert_null(gm_env_z("GEMEL_TEST_VALUE"));
}

static void the_process_knows_itself(void **state)
{
    (void)state;
    assert_int_equal(gm_process_id(), getpid());
    assert_true(gm_cpu_count() >= 1);
    assert_true(gm_resident_bytes() > 100000);
    assert_true(gm_resident_bytes() < UINT64_C(1) << 40);
}

static void a_pipe_is_no_terminal(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_false(gm_is_terminal(ends[0]));
    assert_int_equal(gm_terminal_width(ends[0]), 80);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    unsigned char a[16] = {0};
    unsigned char b[16] = {0};
    gm_random_bytes(a, sizeof(a));
    gm_random_bytes(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void everything_reaches_standard_error(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        gm_write_stderr("a line\n", 7);
        _exit(0);
    }
    (void)close(ends[1]);
    char text[32];
    ssize_t n = read(ends[0], text, sizeof(text));
    assert_int_equal(n, 7);
    assert_memory_equal(text, "a line\n", 7);
    (void)close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void a_signal_requests_the_stop(void **state)
{
    (void)state;
    struct gm_err err = {0};
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < GM_ARRAY_COUNT(signals); i++) { /* starting again works, too */
        struct gm_stop *stop = gm_stop_new();
        check_ok(gm_signals_start(stop, &err), err);
        assert_int_equal(raise(signals[i]), 0);
        assert_int_equal(gm_stop_wait(stop, GM_DAY), GM_E_CANCELLED);
        gm_signals_stop();
        gm_signals_stop();
        gm_stop_free(stop);
    }
}

static void each_hangup_is_one_reload(void **state)
{
    (void)state;
    struct gm_err err = {0};
    struct gm_stop *stop = gm_stop_new();
    check_ok(gm_signals_start(stop, &err), err);
    assert_false(gm_signals_take_reload());
    assert_int_equal(raise(SIGHUP), 0);
    /* The pipe keeps the order: when the stop has been seen, so has the hangup before it. */
    assert_int_equal(raise(SIGTERM), 0);
    assert_int_equal(gm_stop_wait(stop, GM_DAY), GM_E_CANCELLED);
    assert_true(gm_signals_take_reload());
    assert_false(gm_signals_take_reload());
    gm_signals_stop();
    gm_stop_free(stop);
}

static void a_broken_pipe_is_an_error_and_not_the_end(void **state)
{
    (void)state;
    struct gm_err err = {0};
    struct gm_stop *stop = gm_stop_new();
    check_ok(gm_signals_start(stop, &err), err);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    (void)close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    (void)close(ends[1]);
    gm_signals_stop();
    gm_stop_free(stop);
}

static void a_second_request_ends_the_process_at_once(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct gm_err err = {0};
        struct gm_stop *stop = gm_stop_new();
        if (gm_signals_start(stop, &err) == GM_OK) {
            (void)raise(SIGTERM);
            (void)raise(SIGINT);
            (void)pause(); /* hangs, as far as anybody can see */
        }
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 130);
}

static void signals_do_again_what_they_did_before(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct gm_err err = {0};
        struct gm_stop *stop = gm_stop_new();
        if (gm_signals_start(stop, &err) == GM_OK) {
            gm_signals_stop();
            (void)raise(SIGTERM);
        }
        _exit(1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void more_files_may_be_opened_as_far_as_that_is_allowed(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit tight = {.rlim_cur = 64, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_int_equal(gm_descriptors_raise(60), 64); /* enough already */
    assert_int_equal(gm_descriptors_raise(100), 100);
    assert_int_equal(gm_descriptors_raise(UINT64_MAX), before.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void the_machine_may_have_a_name(void **state)
{
    (void)state;
    char name[GM_HOST_NAME_SIZE];
    gm_host_name(name);
    assert_in_range(strlen(name), 0, GM_HOST_NAME_SIZE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_read),
        cmocka_unit_test(the_process_knows_itself),
        cmocka_unit_test(a_pipe_is_no_terminal),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(more_files_may_be_opened_as_far_as_that_is_allowed),
        cmocka_unit_test(the_machine_may_have_a_name),
        cmocka_unit_test(everything_reaches_standard_error),
        cmocka_unit_test(a_signal_requests_the_stop),
        cmocka_unit_test(each_hangup_is_one_reload),
        cmocka_unit_test(a_broken_pipe_is_an_error_and_not_the_end),
        cmocka_unit_test(a_second_request_ends_the_process_at_once),
        cmocka_unit_test(signals_do_again_what_they_did_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
