#include "base/num.h"
#include "os/listen.h"
#include "os/reach.h"
#include "support/check.h"

static void a_server_that_listens_is_reached(void **state)
{
    struct gm_err err = {0};
    char address[GM_ADDRESS_TEXT_SIZE];
    const struct gm_deadline deadline = gm_deadline_in(10 * GM_SECOND, NULL);
    int64_t port;
    int fd;
    (void)state;
    check_ok(gm_listen("127.0.0.1:0", &fd, address, &err), err);
    assert_true(gm_parse_i64(gm_str_z(strrchr(address, ':') + 1), &port));
    check_ok(gm_reach("127.0.0.1", (int)port, &deadline, &err), err);
    gm_listen_close(fd);
    check_rc(gm_reach("127.0.0.1", (int)port, &deadline, &err), GM_E_RETRY, err);
    check_err_says(err, "127.0.0.1:");
}

static void a_name_that_nobody_has_is_told(void **state)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = gm_deadline_in(10 * GM_SECOND, NULL);
    (void)state;
    check_rc(gm_reach("no name", 1, &deadline, &err), GM_E_RETRY, err);
    check_err_says(err, "no name");
}

static void a_stop_ends_the_waiting(void **state)
{
    struct gm_err err = {0};
    struct gm_stop *stop = gm_stop_new();
    (void)state;
    gm_stop_request(stop);
    const struct gm_deadline deadline = gm_deadline_in(GM_MINUTE, stop);
    /* an address for documentation (RFC 5737): nobody answers */
    gm_rc rc = gm_reach("192.0.2.1", 1, &deadline, &err);
    assert_true(rc == GM_E_CANCELLED);
    gm_stop_free(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_that_listens_is_reached),
        cmocka_unit_test(a_name_that_nobody_has_is_told),
        cmocka_unit_test(a_stop_ends_the_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
