#include "os/listen.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "support/check.h"

static void port_0_is_a_free_one_that_the_address_tells(void **state)
{
    (void)state;
    struct gm_err err = {0};
    int fd;
    char address[GM_ADDRESS_TEXT_SIZE];
    check_ok(gm_listen("127.0.0.1:0", &fd, address, &err), err);
    assert_true(gm_str_starts(gm_str_z(address), GM_STR("127.0.0.1:")));
    assert_string_not_equal(address, "127.0.0.1:0");
    gm_listen_close(fd);
}

static void localhost_and_ipv6_are_addresses(void **state)
{
    (void)state;
    struct gm_err err = {0};
    int fd;
    char address[GM_ADDRESS_TEXT_SIZE];
    check_ok(gm_listen("localhost:0", &fd, address, &err), err);
    assert_true(gm_str_starts(gm_str_z(address), GM_STR("127.0.0.1:")));
    gm_listen_close(fd);
    gm_rc rc = gm_listen("[::1]:0", &fd, address, &err);
    if (rc == GM_OK) { /* not every machine has IPv6 */
        assert_true(gm_str_starts(gm_str_z(address), GM_STR("[::1]:")));
        gm_listen_close(fd);
    } else {
        check_err_says(err, "[::1]:0: cannot listen there: ");
    }
}

static void an_address_that_is_taken_is_told_apart(void **state)
{
    (void)state;
    struct gm_err err = {0};
    int fd, second;
    char address[GM_ADDRESS_TEXT_SIZE], again[GM_ADDRESS_TEXT_SIZE];
    check_ok(gm_listen("127.0.0.1:0", &fd, address, &err), err);
    check_rc(gm_listen(address, &second, again, &err), GM_E_CONFIG, err);
    check_err_says(err, "another process listens there");
    gm_listen_close(fd);
    check_ok(gm_listen(address, &fd, again, &err), err);
    gm_listen_close(fd);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        ":",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "::1:80",
        "[::1]80",
        "[::1",
        "[]:80",
        "example.org:80",
        "127.0.0.1:8o",
        "[127.0.0.1]:80",
        "]:80",
        "[:80",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111:80"};
    struct gm_err err = {0};
    int fd;
    char address[GM_ADDRESS_TEXT_SIZE];
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        check_rc(gm_listen(wrong[i], &fd, address, &err), GM_E_CONFIG, err);
        check_err_says(err, "write 127.0.0.1:PORT");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_0_is_a_free_one_that_the_address_tells),
        cmocka_unit_test(localhost_and_ipv6_are_addresses),
        cmocka_unit_test(an_address_that_is_taken_is_told_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
