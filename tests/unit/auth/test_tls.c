/* Certificates: made, renewed, checked, and used by the server. */
#include "auth/tls.h"

#include <sys/stat.h>

#include "auth/tls_inside.h"
#include "base/mem.h"
#include "net/server.h"
#include "os/clock.h"
#include "os/file.h"
#include "support/check.h"
#include "support/tmp.h"
#include "support/wire.h"

#define NOW (1800000000 * GM_SECOND)

struct world {
    struct tmp *tmp;
    struct gm_tls_options options;
    struct gm_tls_pair pair;
    struct gm_err err;
};

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->options = (struct gm_tls_options){.folder_z = tmp_path(world->tmp, "tls"), .now = NOW};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_tls_pair_free(&world->pair);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static void make(struct world *world)
{
    gm_tls_pair_free(&world->pair);
    check_ok(gm_tls_local(&world->options, &world->pair, &world->err), world->err);
}

/* Its fingerprint; the text lives as long as `tmp`. */
static const char *fingerprint_z(struct world *world, const char *name_z)
{
    struct gm_tls_info info;
    check_ok(gm_tls_describe(tmp_path(world->tmp, name_z), &info, &world->err), world->err);
    const char *kept_z = tmp_path(world->tmp, info.fingerprint);
    gm_tls_info_free(&info);
    return kept_z;
}

static void expect_mode(struct world *world, const char *name_z, unsigned mode)
{
    struct stat info;
    assert_int_equal(stat(tmp_path(world->tmp, name_z), &info), 0);
    assert_int_equal(info.st_mode & 0777, mode);
}

/* ---- the local authority ---- */

static void authority_and_certificate_are_made_once(void **state)
{
    struct world *world = *state;
    struct gm_tls_info info;
    make(world);
    expect_mode(world, "tls/ca.key", 0600);
    expect_mode(world, "tls/server.key", 0600);
    expect_mode(world, "tls/ca.pem", 0644);
    const char *ca_z = fingerprint_z(world, "tls/ca.pem"),
               *server_z = fingerprint_z(world, "tls/server.pem");
    make(world);
    assert_string_equal(ca_z, fingerprint_z(world, "tls/ca.pem"));
    assert_string_equal(server_z, fingerprint_z(world, "tls/server.pem"));
    check_ok(gm_tls_describe(tmp_path(world->tmp, "tls/server.pem"), &info, &world->err),
             world->err);
    assert_non_null(strstr(info.names.p, "localhost, 127.0.0.1, ::1"));
    assert_non_null(strstr(info.issuer.p, "Gemel local CA"));
    assert_string_equal(info.subject.p, "CN=localhost");
    assert_int_equal(info.until - info.from, 365 * GM_DAY + GM_HOUR);
    assert_int_equal(strlen(info.fingerprint), 95);
    gm_tls_info_free(&info);
}

static void other_names_give_another_certificate_of_the_same_authority(void **state)
{
    static const char *const names[] = {"twins.example.com", "10.0.0.7", "*.plant.example",
                                        "localhost"};
    struct world *world = *state;
    struct gm_tls_info info;
    make(world);
    const char *ca_z = fingerprint_z(world, "tls/ca.pem"),
               *server_z = fingerprint_z(world, "tls/server.pem");
    world->options.names = names;
    world->options.name_count = 4;
    make(world);
    assert_string_equal(ca_z, fingerprint_z(world, "tls/ca.pem"));
    const char *second_z = fingerprint_z(world, "tls/server.pem");
    assert_string_not_equal(server_z, second_z);
    check_ok(gm_tls_describe(tmp_path(world->tmp, "tls/server.pem"), &info, &world->err),
             world->err);
    assert_non_null(strstr(info.names.p, "twins.example.com, 10.0.0.7, *.plant.example"));
    gm_tls_info_free(&info);
    make(world);
    assert_string_equal(second_z, fingerprint_z(world, "tls/server.pem"));
    world->options.name_count = 1; /* fewer: the certificate still covers them */
    make(world);
    assert_string_equal(second_z, fingerprint_z(world, "tls/server.pem"));
}

static void they_are_renewed_before_they_expire(void **state)
{
    struct world *world = *state;
    make(world);
    const char *ca_z = fingerprint_z(world, "tls/ca.pem"),
               *server_z = fingerprint_z(world, "tls/server.pem");
    world->options.now = NOW + (365 - 31) * GM_DAY;
    make(world);
    assert_string_equal(server_z, fingerprint_z(world, "tls/server.pem"));
    world->options.now = NOW + (365 - 29) * GM_DAY;
    make(world);
    assert_string_not_equal(server_z, fingerprint_z(world, "tls/server.pem"));
    assert_string_equal(ca_z, fingerprint_z(world, "tls/ca.pem"));
    world->options.now = NOW + (3650 - 364) * GM_DAY;
    make(world);
    assert_string_not_equal(ca_z, fingerprint_z(world, "tls/ca.pem"));
}

static void a_pair_that_does_not_fit_is_made_anew(void **state)
{
    struct world *world = *state;
    make(world);
    const char *server_z = fingerprint_z(world, "tls/server.pem");
    /* what a crash between the two files leaves: a new key beside the former certificate */
    tmp_write(world->tmp, "tls/server.key", tmp_read(world->tmp, "tls/ca.key"));
    make(world);
    assert_string_not_equal(server_z, fingerprint_z(world, "tls/server.pem"));
    server_z = fingerprint_z(world, "tls/server.pem");
    tmp_write(world->tmp, "tls/ca.pem", GM_STR("garbage"));
    make(world);
    assert_string_not_equal(server_z, fingerprint_z(world, "tls/server.pem"));
    check_ok(gm_file_remove(tmp_path(world->tmp, "tls/ca.key"), &world->err), world->err);
    server_z = fingerprint_z(world, "tls/server.pem");
    make(world);
    assert_string_not_equal(server_z, fingerprint_z(world, "tls/server.pem"));
}

static void it_is_renewed_when_asked(void **state)
{
    struct world *world = *state;
    make(world);
    const char *ca_z = fingerprint_z(world, "tls/ca.pem"),
               *server_z = fingerprint_z(world, "tls/server.pem");
    check_ok(gm_tls_renew(&world->options, false, &world->err), world->err);
    assert_string_equal(ca_z, fingerprint_z(world, "tls/ca.pem"));
    assert_string_not_equal(server_z, fingerprint_z(world, "tls/server.pem"));
    check_ok(gm_tls_renew(&world->options, true, &world->err), world->err);
    assert_string_not_equal(ca_z, fingerprint_z(world, "tls/ca.pem"));
}

static void names_that_are_none_are_told(void **state)
{
    static const char *const bad[] = {"",      "a b",   "-a",        "a..b", ".a",      "a.",
                                      "ex/mp", "m\xc3", "1.2.3.4:5", "*",    "a.*.com", "*.*.a"};
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(bad); i++) {
        world->options.names = &bad[i];
        world->options.name_count = 1;
        check_rc(gm_tls_local(&world->options, &world->pair, &world->err), GM_E_CONFIG, world->err);
        check_err_says(world->err, "neither a host name nor an address");
    }
}

/* ---- the user's own ---- */

static void write_pem(struct world *world, const struct gm_tls_wish *wish, const char *name_z)
{
    struct gm_tls_holder holder;
    struct gm_tls_pair pair = {0};
    check_ok(gm_tls_make(wish, &holder, &world->err), world->err);
    check_ok(gm_tls_holder_write(&holder, &pair, &world->err), world->err);
    GM_AUTO_FREE char *certificate_z = gm_format_z("%s.pem", name_z);
    GM_AUTO_FREE char *key_z = gm_format_z("%s.key", name_z);
    tmp_write(world->tmp, certificate_z, gm_str_z(pair.certificate_z));
    tmp_write(world->tmp, key_z, gm_str_z(pair.key_z));
    gm_tls_pair_free(&pair);
    gm_tls_holder_deinit(&holder);
}

static gm_rc load(struct world *world, const char *certificate_z, const char *key_z, gm_ns now)
{
    gm_tls_pair_free(&world->pair);
    return gm_tls_load(tmp_path(world->tmp, certificate_z), tmp_path(world->tmp, key_z), now,
                       &world->pair, &world->err);
}

static void expect_refused(struct world *world, const char *certificate_z, const char *key_z,
                           const char *why_z)
{
    check_rc(load(world, certificate_z, key_z, NOW), GM_E_CONFIG, world->err);
    check_err_says(world->err, why_z);
}

static void own_files_are_checked(void **state)
{
    struct world *world = *state;
    const struct gm_tls_wish wish = {
        .common_name_z = "own", .from = NOW - GM_DAY, .until = NOW + GM_DAY};
    write_pem(world, &wish, "a");
    write_pem(world, &wish, "b");
    check_ok(load(world, "a.pem", "a.key", NOW), world->err);
    assert_non_null(strstr(world->pair.certificate_z, "BEGIN CERTIFICATE"));
    expect_refused(world, "a.pem", "b.key", "this is not the key of the certificate");
    expect_refused(world, "none.pem", "a.key", "none.pem");
    expect_refused(world, "a.pem", "none.key", "none.key");
    expect_refused(world, "a.key", "a.key", "no certificate in PEM");
    expect_refused(world, "a.pem", "a.pem", "no key in PEM");
    check_rc(load(world, "a.pem", "a.key", NOW + GM_DAY), GM_E_CONFIG, world->err);
    check_err_says(world->err, "expired at 2027-01-16 08:00 UTC");
    check_rc(load(world, "a.pem", "a.key", NOW - 2 * GM_DAY), GM_E_CONFIG, world->err);
    check_err_says(world->err, "valid from 2027-01-14 08:00 UTC on");
    tmp_write(world->tmp, "locked.key",
              GM_STR("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0\n"
                     "-----END ENCRYPTED PRIVATE KEY-----\n"));
    expect_refused(world, "a.pem", "locked.key", "the key is encrypted");
}

static void a_chain_has_to_be_in_order(void **state)
{
    struct world *world = *state;
    make(world);
    GM_AUTO_FREE char *ca_z = gm_str_dup_z(tmp_read(world->tmp, "tls/ca.pem"));
    GM_AUTO_FREE char *server_z = gm_str_dup_z(tmp_read(world->tmp, "tls/server.pem"));
    GM_AUTO_FREE char *right_z = gm_format_z("%s%s", server_z, ca_z);
    GM_AUTO_FREE char *wrong_z = gm_format_z("%s%s", ca_z, server_z);
    tmp_write(world->tmp, "right.pem", gm_str_z(right_z));
    tmp_write(world->tmp, "wrong.pem", gm_str_z(wrong_z));
    check_ok(load(world, "right.pem", "tls/server.key", NOW), world->err);
    expect_refused(world, "wrong.pem", "tls/server.key", "out of order");
}

/* ---- in use ---- */

static void handle(void *ctx, struct gm_http_call *call)
{
    (void)ctx;
    gm_buf_add_z(&call->reply.body, "{}");
    gm_http_call_answer(call);
}

static void clients_that_trust_the_authority_trust_the_server(void **state)
{
    struct world *world = *state;
    struct gm_http_server *server;
    world->options.now = 0; /* clients look at the clock, too */
    make(world);
    struct gm_http_tls tls = {world->pair.certificate_z, world->pair.key_z};
    struct gm_http_server_options options = {
        .address_z = "127.0.0.1:0", .handle = handle, .tls = &tls};
    check_ok(gm_http_server_start(&options, &server, &world->err), world->err);
    GM_AUTO_FREE char *ca_z = gm_str_dup_z(tmp_read(world->tmp, "tls/ca.pem"));
    struct wire *wire = wire_open(gm_http_server_url_z(server), ca_z);
    assert_int_equal(wire_get(wire, "/"), 200);

    /* another authority, while it runs: who is connected stays, who comes sees the new one */
    check_ok(gm_tls_renew(&world->options, true, &world->err), world->err);
    make(world);
    tls = (struct gm_http_tls){world->pair.certificate_z, world->pair.key_z};
    check_ok(gm_http_server_renew(server, &tls, &world->err), world->err);
    assert_int_equal(wire_get(wire, "/"), 200);
    assert_null(wire_try_open(gm_http_server_url_z(server), ca_z));
    GM_AUTO_FREE char *next_z = gm_str_dup_z(tmp_read(world->tmp, "tls/ca.pem"));
    struct wire *second = wire_open(gm_http_server_url_z(server), next_z);
    assert_int_equal(wire_get(second, "/"), 200);
    tls.key_z = "nonsense";
    check_rc(gm_http_server_renew(server, &tls, &world->err), GM_E_CONFIG, world->err);
    assert_int_equal(wire_get(second, "/"), 200);
    wire_close(second);
    wire_close(wire);
    gm_http_server_stop(server);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(authority_and_certificate_are_made_once),
        TEST(other_names_give_another_certificate_of_the_same_authority),
        TEST(they_are_renewed_before_they_expire),
        TEST(a_pair_that_does_not_fit_is_made_anew),
        TEST(it_is_renewed_when_asked),
        TEST(names_that_are_none_are_told),
        TEST(own_files_are_checked),
        TEST(a_chain_has_to_be_in_order),
        TEST(clients_that_trust_the_authority_trust_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
