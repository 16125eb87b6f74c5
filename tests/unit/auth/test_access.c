/* Who may do what: tokens of all three kinds, rates, and keys that come over HTTP. */
#include "auth/access.h"

#include <stdatomic.h>
#include <sys/stat.h>

#include "auth/token.h"
#include "base/mem.h"
#include "net/server.h"
#include "os/file.h"
#include "os/thread.h"
#include "support/check.h"
#include "support/signer.h"
#include "support/tmp.h"

/* The SHA-256 of "let-me-in-please". */
static const char token_z[] = "let-me-in-please";

static const char *const audience[] = {"twins"};

struct world {
    struct tmp *tmp;
    struct gm_clock clock;
    _Atomic gm_ns now; /* of both clocks */
    struct gm_access_options options;
    struct gm_access *access;
    struct gm_identity who;
    int64_t after_s;
    struct signer *signer;
    struct gm_http_server *issuer;
    _Atomic int fetches;
    const char *_Atomic jwks_z;   /* what the issuer serves; NULL: 500 */
    struct gm_stop *_Atomic gate; /* what it waits for before; NULL: nothing */
    struct gm_err err;
};

static gm_ns now_of(const struct gm_clock *clock)
{
    return ((const struct world *)clock->self)->now;
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->now = 1700000000 * GM_SECOND;
    world->clock = (struct gm_clock){.wall = now_of, .mono = now_of, .self = world};
    world->signer = signer_new("k1", "ES256");
    world->options = (struct gm_access_options){
        .data_z = tmp_folder(world->tmp),
        .jwt = {.issuer_z = "https://issuer", .audiences = audience, .audience_count = 1},
        .keys_pause = 30 * GM_SECOND,
        .clock = &world->clock};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_access_close(world->access);
    gm_http_server_stop(world->issuer);
    signer_free(world->signer);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static void open_access(struct world *world)
{
    check_ok(gm_access_open(&world->options, &world->access, &world->err), world->err);
}

static enum gm_access_answer ask(struct world *world, const char *text_z)
{
    GM_AUTO_FREE char *header_z = gm_format_z("Bearer %s", text_z);
    return gm_access_check(world->access, header_z, &world->who, &world->after_s);
}

static enum gm_access_answer ask_waiting(struct world *world, const char *text_z)
{
    GM_AUTO_FREE char *header_z = gm_format_z("Bearer %s", text_z);
    return gm_access_check_waiting(world->access, header_z, &world->who, &world->after_s);
}

static void expect_role(struct world *world, const char *text_z, enum gm_access_role role,
                        const char *name_z)
{
    assert_int_equal(ask(world, text_z), GM_ACCESS_GRANTED);
    assert_int_equal(world->who.role, role);
    assert_string_equal(world->who.name, name_z);
}

static void write_token_file(struct world *world, const char *more_z)
{
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add_z(&text, "tokens:\n");
    gm_token_entry("erp", "writer", token_z, NULL, &text);
    gm_buf_add_z(&text, more_z);
    world->options.file_z = tmp_write(world->tmp, "tokens.yaml", gm_buf_str(&text));
    gm_buf_deinit(&text);
}

/* ---- the development token ---- */

static void the_development_token_is_made_once_and_is_the_owners(void **state)
{
    struct world *world = *state;
    char first[GM_TOKEN_TEXT_SIZE], second[GM_TOKEN_TEXT_SIZE];
    struct stat info;
    world->options.development = true;
    open_access(world);
    check_ok(gm_token_development(tmp_folder(world->tmp), first, &world->err), world->err);
    expect_role(world, first, GM_ACCESS_ADMIN, "development");
    check_ok(gm_token_development(tmp_folder(world->tmp), second, &world->err), world->err);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), GM_TOKEN_TEXT_SIZE - 1);
    assert_int_equal(stat(tmp_path(world->tmp, "tokens/development"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    first[20] = first[20] == 'A' ? 'B' : 'A';
    assert_int_equal(ask(world, first), GM_ACCESS_REFUSED);
}

static void a_new_development_token_takes_the_place_of_the_former(void **state)
{
    struct world *world = *state;
    char first[GM_TOKEN_TEXT_SIZE], second[GM_TOKEN_TEXT_SIZE];
    world->options.development = true;
    open_access(world);
    check_ok(gm_token_development(tmp_folder(world->tmp), first, &world->err), world->err);
    check_ok(gm_token_development_renew(tmp_folder(world->tmp), second, &world->err), world->err);
    world->now += 2 * GM_SECOND;
    assert_int_equal(ask(world, first), GM_ACCESS_REFUSED);
    expect_role(world, second, GM_ACCESS_ADMIN, "development");
}

static void without_it_the_development_token_is_no_good(void **state)
{
    struct world *world = *state;
    char token[GM_TOKEN_TEXT_SIZE];
    check_ok(gm_token_development(tmp_folder(world->tmp), token, &world->err), world->err);
    write_token_file(world, "");
    open_access(world);
    assert_int_equal(ask(world, token), GM_ACCESS_REFUSED);
}

static void a_damaged_development_token_is_told(void **state)
{
    struct world *world = *state;
    tmp_write(world->tmp, "tokens/development", GM_STR("short\n"));
    world->options.development = true;
    check_rc(gm_access_open(&world->options, &world->access, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "gemel token new");
}

/* ---- headers ---- */

static void a_request_without_a_bearer_token_is_told_apart(void **state)
{
    static const char *const none[] = {NULL,      "",        "Bearer",  "Bearer ", "Bearer   ",
                                       "Basic x", "Bearerx", "Token x", "x"};
    struct world *world = *state;
    write_token_file(world, "");
    open_access(world);
    for (size_t i = 0; i < GM_ARRAY_COUNT(none); i++) {
        assert_int_equal(gm_access_check(world->access, none[i], &world->who, &world->after_s),
                         GM_ACCESS_NO_TOKEN);
    }
    static const char *const good[] = {"Bearer let-me-in-please", "bearer let-me-in-please ",
                                       "BEARER  let-me-in-please"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(good); i++) {
        assert_int_equal(gm_access_check(world->access, good[i], &world->who, &world->after_s),
                         GM_ACCESS_GRANTED);
    }
    char *huge_z = gm_alloc(1 << 20);
    memset(huge_z, 'x', (1 << 20) - 1);
    assert_int_equal(ask(world, huge_z), GM_ACCESS_REFUSED);
    gm_free(huge_z);
    assert_string_equal(gm_access_challenge_z(GM_ACCESS_NO_TOKEN), "Bearer realm=\"gemel\"");
}

/* ---- the token file ---- */

static void tokens_of_the_file_have_names_roles_and_an_end(void **state)
{
    struct world *world = *state;
    struct gm_buf more;
    gm_buf_init(&more, 1 << 20);
    gm_token_entry("reads \"x\"", "reader", "reader-token-xxxxxxxx", "2023-11-15T00:00:00Z", &more);
    write_token_file(world, more.p);
    gm_buf_deinit(&more);
    open_access(world);
    expect_role(world, token_z, GM_ACCESS_WRITER, "erp");
    expect_role(world, "reader-token-xxxxxxxx", GM_ACCESS_READER, "reads \"x\"");
    assert_int_equal(ask(world, "let-me-in-pleasf"), GM_ACCESS_REFUSED);
    world->now += 2 * GM_HOUR; /* beyond midnight */
    assert_int_equal(ask(world, "reader-token-xxxxxxxx"), GM_ACCESS_REFUSED);
    expect_role(world, token_z, GM_ACCESS_WRITER, "erp");
}

static void a_file_that_changed_is_read_again(void **state)
{
    struct world *world = *state;
    struct gm_buf more;
    write_token_file(world, "");
    open_access(world);
    gm_buf_init(&more, 1 << 20);
    gm_token_entry("new", "admin", "another-token-xxxxxxx", NULL, &more);
    write_token_file(world, more.p);
    gm_buf_deinit(&more);
    assert_int_equal(ask(world, "another-token-xxxxxxx"), GM_ACCESS_REFUSED); /* not yet */
    world->now += 2 * GM_SECOND;
    expect_role(world, "another-token-xxxxxxx", GM_ACCESS_ADMIN, "new");
    write_token_file(world, "");
    world->now += 2 * GM_SECOND;
    assert_int_equal(ask(world, "another-token-xxxxxxx"), GM_ACCESS_REFUSED);
}

static void a_file_with_an_error_changes_nothing_and_is_told_once(void **state)
{
    struct world *world = *state;
    char text[GM_ERR_TEXT_SIZE];
    write_token_file(world, "");
    open_access(world);
    write_token_file(world, "  - { name: bad, role: king, sha256: \"00\" }\n");
    world->now += 2 * GM_SECOND;
    expect_role(world, token_z, GM_ACCESS_WRITER, "erp");
    assert_true(gm_access_problem(world->access, text));
    assert_non_null(strstr(text, "tokens.yaml:3:"));
    assert_non_null(strstr(text, "king"));
    assert_false(gm_access_problem(world->access, text));
    world->now += 2 * GM_SECOND;
    expect_role(world, token_z, GM_ACCESS_WRITER, "erp");
    assert_false(gm_access_problem(world->access, text));
    check_ok(gm_file_remove(world->options.file_z, &world->err), world->err);
    world->now += 2 * GM_SECOND;
    expect_role(world, token_z, GM_ACCESS_WRITER, "erp");
    assert_true(gm_access_problem(world->access, text));
}

static void what_is_wrong_with_a_file_is_told(void **state)
{
    static const char hash[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    static const char *const cases[][2] = {
        {"  - { role: admin, sha256: \"00\" }\n", "name"},
        {"  - { name: b, role: admin, sha256: \"00\" }\n", "64 hexadecimal digits"},
        {"  - { name: erp, role: admin, sha256: \"%s\" }\n", "another entry"},
        {"  - { name: b, role: admin, sha256: \"%s\" }\n  - { name: c, role: admin, sha256: "
         "\"%s\" }\n",
         "with that token"},
        {"  - { name: b, role: admin, sha256: \"%s\", expires: soon }\n", "`soon` is no time"},
        {"  - { name: \"\\x01\", role: admin, sha256: \"%s\" }\n", "printable"},
        {"  - { name: b, role: admin, token: secret }\n", "token"},
        {"nonsense", "tokens.yaml"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_buf text;
        gm_buf_init(&text, 1 << 16);
        struct gm_str rest = gm_str_z(cases[i][0]);
        for (const char *at; (at = strstr(rest.p, "%s")) != NULL;) {
            gm_buf_add(&text, (struct gm_str){rest.p, (size_t)(at - rest.p)});
            gm_buf_add_z(&text, hash);
            rest = gm_str_z(at + 2);
        }
        gm_buf_add(&text, rest);
        write_token_file(world, text.p);
        gm_buf_deinit(&text);
        check_rc(gm_access_open(&world->options, &world->access, &world->err), GM_E_CONFIG,
                 world->err);
        check_err_says(world->err, cases[i][1]);
        assert_null(strstr(world->err.text, "secret"));
    }
}

static void entries_are_added_to_a_file_that_is_right(void **state)
{
    struct world *world = *state;
    struct gm_buf entry;
    const char *path_z = tmp_path(world->tmp, "new.yaml");
    gm_buf_init(&entry, 1 << 16);
    gm_token_entry("a", "reader", "token-of-a-xxxxxxxxxx", NULL, &entry);
    check_ok(gm_token_file_add(path_z, "a", gm_buf_str(&entry), &world->err), world->err);
    gm_buf_reset(&entry);
    gm_token_entry("b", "writer", "token-of-b-xxxxxxxxxx", NULL, &entry);
    check_ok(gm_token_file_add(path_z, "b", gm_buf_str(&entry), &world->err), world->err);
    struct gm_str before = tmp_read(world->tmp, "new.yaml");
    check_rc(gm_token_file_add(path_z, "b", gm_buf_str(&entry), &world->err), GM_E_CONFIG,
             world->err);
    assert_true(gm_str_eq(before, tmp_read(world->tmp, "new.yaml")));
    world->options.file_z = path_z;
    open_access(world);
    expect_role(world, "token-of-a-xxxxxxxxxx", GM_ACCESS_READER, "a");
    expect_role(world, "token-of-b-xxxxxxxxxx", GM_ACCESS_WRITER, "b");
    gm_buf_deinit(&entry);
}

/* ---- rates ---- */

static void a_token_may_ask_only_so_fast(void **state)
{
    struct world *world = *state;
    struct gm_buf more;
    gm_buf_init(&more, 1 << 16);
    gm_token_entry("other", "reader", "other-token-xxxxxxxxx", NULL, &more);
    write_token_file(world, more.p);
    gm_buf_deinit(&more);
    world->options.rate_per_second = 0.5;
    world->options.rate_burst = 3;
    open_access(world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(world, token_z), GM_ACCESS_GRANTED);
    }
    assert_int_equal(ask(world, token_z), GM_ACCESS_TOO_FAST);
    assert_int_equal(world->after_s, 2);
    assert_string_equal(world->who.name, "erp");
    expect_role(world, "other-token-xxxxxxxxx", GM_ACCESS_READER, "other"); /* has its own */
    world->now += GM_SECOND;
    assert_int_equal(ask(world, token_z), GM_ACCESS_TOO_FAST);
    assert_int_equal(world->after_s, 1);
    world->now += GM_SECOND;
    assert_int_equal(ask(world, token_z), GM_ACCESS_GRANTED);
    assert_int_equal(ask(world, token_z), GM_ACCESS_TOO_FAST);
    world->now += GM_DAY; /* no more than the burst is saved up */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(world, token_z), GM_ACCESS_GRANTED);
    }
    assert_int_equal(ask(world, token_z), GM_ACCESS_TOO_FAST);
}

/* ---- JSON web tokens ---- */

static const char *issue_z(struct world *world, struct signer *signer, const char *subject_z,
                           gm_ns expires)
{
    (void)world;
    GM_AUTO_FREE char *claims_z = gm_format_z(
        "{\"iss\":\"https://issuer\",\"aud\":\"twins\",\"sub\":\"%s\",\"roles\":[\"writer\"],"
        "\"exp\":%lld}",
        subject_z, (long long)(expires / GM_SECOND));
    return signer_token_z(signer, claims_z);
}

static void use_jwks_file(struct world *world, struct signer *signer)
{
    world->options.jwt.jwks_z = tmp_write(world->tmp, "jwks.json", gm_str_z(signer_jwks_z(signer)));
}

static void jwts_are_good_until_they_expire(void **state)
{
    struct world *world = *state;
    use_jwks_file(world, world->signer);
    open_access(world);
    const char *jwt_z = issue_z(world, world->signer, "alice", world->now + GM_HOUR);
    for (int i = 0; i < 3; i++) {
        expect_role(world, jwt_z, GM_ACCESS_WRITER, "jwt:alice");
    }
    world->now += GM_HOUR;
    assert_int_equal(ask(world, jwt_z), GM_ACCESS_REFUSED);
    assert_int_equal(ask(world, "gemel_no_jwt"), GM_ACCESS_REFUSED);
}

static void more_jwts_than_are_kept_are_still_good(void **state)
{
    struct world *world = *state;
    use_jwks_file(world, world->signer);
    open_access(world);
    const char *first_z = issue_z(world, world->signer, "first", world->now + GM_HOUR);
    expect_role(world, first_z, GM_ACCESS_WRITER, "jwt:first");
    for (int i = 0; i < 4500; i++) {
        GM_AUTO_FREE char *name_z = gm_format_z("u%d", i);
        GM_AUTO_FREE char *full_z = gm_format_z("jwt:u%d", i);
        expect_role(world, issue_z(world, world->signer, name_z, world->now + GM_HOUR),
                    GM_ACCESS_WRITER, full_z);
    }
    expect_role(world, first_z, GM_ACCESS_WRITER, "jwt:first");
}

static void other_keys_end_what_former_ones_signed(void **state)
{
    struct world *world = *state;
    struct signer *next = signer_new("k2", "RS256");
    use_jwks_file(world, world->signer);
    open_access(world);
    const char *jwt_z = issue_z(world, world->signer, "alice", world->now + GM_HOUR);
    expect_role(world, jwt_z, GM_ACCESS_WRITER, "jwt:alice");
    use_jwks_file(world, next);
    world->now += 2 * GM_SECOND;
    assert_int_equal(ask(world, jwt_z), GM_ACCESS_REFUSED);
    expect_role(world, issue_z(world, next, "bob", world->now + GM_HOUR), GM_ACCESS_WRITER,
                "jwt:bob");
    tmp_write(world->tmp, "jwks.json", GM_STR("{"));
    world->now += 2 * GM_SECOND;
    expect_role(world, issue_z(world, next, "carol", world->now + GM_HOUR), GM_ACCESS_WRITER,
                "jwt:carol");
    char text[GM_ERR_TEXT_SIZE];
    assert_true(gm_access_problem(world->access, text));
    assert_non_null(strstr(text, "jwks.json"));
    signer_free(next);
}

static void a_jwks_file_that_is_wrong_is_told(void **state)
{
    struct world *world = *state;
    world->options.jwt.jwks_z = tmp_path(world->tmp, "none.json");
    check_rc(gm_access_open(&world->options, &world->access, &world->err), GM_E_CONFIG, world->err);
    world->options.jwt.jwks_z = tmp_write(world->tmp, "jwks.json", GM_STR("{\"keys\":[]}"));
    check_rc(gm_access_open(&world->options, &world->access, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "no key of use");
}

/* ---- keys over HTTP ---- */

static void serve_keys(void *ctx, struct gm_http_call *call)
{
    struct world *world = ctx;
    struct gm_stop *gate = atomic_load(&world->gate);
    if (gate != NULL) {
        (void)gm_stop_wait(gate, GM_MINUTE);
    }
    const char *jwks_z = atomic_load(&world->jwks_z);
    atomic_fetch_add(&world->fetches, 1);
    call->reply.status = jwks_z != NULL ? 200 : 500;
    gm_buf_add_z(&call->reply.body, jwks_z != NULL ? jwks_z : "no");
    gm_http_call_answer(call);
}

static void start_issuer(struct world *world)
{
    const struct gm_http_server_options options = {
        .address_z = "127.0.0.1:0", .handle = serve_keys, .ctx = world, .blocking = true};
    check_ok(gm_http_server_start(&options, &world->issuer, &world->err), world->err);
    world->options.jwt.jwks_z = gm_http_server_url_z(world->issuer);
    atomic_store(&world->jwks_z, signer_jwks_z(world->signer));
}

static void keys_come_from_a_url(void **state)
{
    struct world *world = *state;
    start_issuer(world);
    open_access(world);
    const char *jwt_z = issue_z(world, world->signer, "alice", world->now + GM_HOUR);
    assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_GRANTED);
    assert_string_equal(world->who.name, "jwt:alice");
    expect_role(world, jwt_z, GM_ACCESS_WRITER, "jwt:alice");
    assert_int_equal(world->fetches, 1);
}

static void an_unknown_key_is_fetched_at_most_once_in_a_while(void **state)
{
    struct world *world = *state;
    struct signer *next = signer_new("k2", "ES256");
    start_issuer(world);
    open_access(world);
    assert_int_equal(
        ask_waiting(world, issue_z(world, world->signer, "alice", world->now + GM_HOUR)),
        GM_ACCESS_GRANTED);
    const char *jwt_z = issue_z(world, next, "bob", world->now + GM_HOUR);
    for (int i = 0; i < 5; i++) { /* they were fetched just now */
        assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_REFUSED);
    }
    assert_int_equal(world->fetches, 1);
    atomic_store(&world->jwks_z, signer_jwks_z(next));
    world->now += 31 * GM_SECOND;
    assert_int_equal(ask(world, jwt_z), GM_ACCESS_LATER); /* this one does not wait */
    assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_GRANTED);
    assert_int_equal(world->fetches, 2);
    /* garbage never causes a fetch: it fails before */
    world->now += 31 * GM_SECOND;
    assert_int_equal(ask_waiting(world, issue_z(world, world->signer, "x", world->now - GM_HOUR)),
                     GM_ACCESS_REFUSED);
    assert_int_equal(world->fetches, 2);
    signer_free(next);
}

static void an_issuer_that_is_down_is_told_and_former_keys_stay(void **state)
{
    struct world *world = *state;
    struct signer *next = signer_new("k2", "ES256");
    char text[GM_ERR_TEXT_SIZE];
    start_issuer(world);
    atomic_store(&world->jwks_z, NULL);
    open_access(world);
    const char *jwt_z = issue_z(world, world->signer, "alice", world->now + GM_HOUR);
    assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_LATER);
    assert_in_range(world->after_s, 1, 30);
    assert_true(gm_access_problem(world->access, text));
    assert_non_null(strstr(text, "status is 500"));
    assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_LATER); /* without asking again */
    assert_int_equal(world->fetches, 1);
    atomic_store(&world->jwks_z, signer_jwks_z(world->signer));
    world->now += 31 * GM_SECOND;
    assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_GRANTED);
    atomic_store(&world->jwks_z, NULL);
    world->now += 31 * GM_SECOND;
    assert_int_equal(ask_waiting(world, issue_z(world, next, "bob", world->now + GM_HOUR)),
                     GM_ACCESS_LATER);
    assert_int_equal(ask(world, jwt_z), GM_ACCESS_GRANTED);
    signer_free(next);
}

static void old_keys_are_fetched_anew_behind_the_scenes(void **state)
{
    struct world *world = *state;
    struct signer *next = signer_new("k2", "ES256");
    start_issuer(world);
    open_access(world);
    const char *jwt_z = issue_z(world, world->signer, "alice", world->now + GM_DAY);
    assert_int_equal(ask_waiting(world, jwt_z), GM_ACCESS_GRANTED);
    atomic_store(&world->jwks_z, signer_jwks_z(next));
    struct gm_stop *gate = gm_stop_new();
    atomic_store(&world->gate, gate);
    world->now += 2 * GM_HOUR;
    for (int i = 0; i < 100; i++) { /* the first starts it; none waits */
        assert_int_equal(ask(world, jwt_z), GM_ACCESS_GRANTED);
    }
    gm_stop_request(gate);
    while (ask(world, jwt_z) == GM_ACCESS_GRANTED) {
        world->now += GM_US;
    }
    assert_int_equal(world->fetches, 2);
    gm_http_server_stop(world->issuer);
    world->issuer = NULL;
    gm_stop_free(gate);
    signer_free(next);
}

static void it_closes_while_keys_are_fetched(void **state)
{
    struct world *world = *state;
    world->options.jwt.jwks_z = "http://127.0.0.1:9/never";
    open_access(world);
    gm_access_close(world->access);
    world->access = NULL;
}

/* ---- many at once ---- */

struct crowd {
    struct world *world;
    const char *jwt_z;
    _Atomic int refused;
};

static void crowd_main(void *arg)
{
    struct crowd *crowd = arg;
    struct gm_identity who;
    int64_t after_s;
    GM_AUTO_FREE char *header_z = gm_format_z("Bearer %s", crowd->jwt_z);
    for (int i = 0; i < 2000; i++) {
        const char *text_z = i % 3 == 0 ? "Bearer let-me-in-please" : header_z;
        enum gm_access_answer answer =
            gm_access_check(crowd->world->access, text_z, &who, &after_s);
        atomic_fetch_add(&crowd->refused, answer != GM_ACCESS_GRANTED);
    }
}

static void many_threads_may_ask_at_once(void **state)
{
    struct world *world = *state;
    struct gm_thread *threads[4];
    use_jwks_file(world, world->signer);
    write_token_file(world, "");
    world->options.clock = NULL;
    world->options.rate_per_second = 1e6;
    world->options.rate_burst = 1e6;
    open_access(world);
    struct crowd crowd = {
        .world = world,
        .jwt_z = issue_z(world, world->signer, "alice", gm_clock_wall_now() + GM_HOUR)};
    for (size_t i = 0; i < GM_ARRAY_COUNT(threads); i++) {
        check_ok(gm_thread_start("client", crowd_main, &crowd, &threads[i], &world->err),
                 world->err);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(threads); i++) {
        gm_thread_join(threads[i]);
    }
    assert_int_equal(crowd.refused, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_development_token_is_made_once_and_is_the_owners),
        TEST(a_new_development_token_takes_the_place_of_the_former),
        TEST(without_it_the_development_token_is_no_good),
        TEST(a_damaged_development_token_is_told),
        TEST(a_request_without_a_bearer_token_is_told_apart),
        TEST(tokens_of_the_file_have_names_roles_and_an_end),
        TEST(a_file_that_changed_is_read_again),
        TEST(a_file_with_an_error_changes_nothing_and_is_told_once),
        TEST(what_is_wrong_with_a_file_is_told),
        TEST(entries_are_added_to_a_file_that_is_right),
        TEST(a_token_may_ask_only_so_fast),
        TEST(jwts_are_good_until_they_expire),
        TEST(more_jwts_than_are_kept_are_still_good),
        TEST(other_keys_end_what_former_ones_signed),
        TEST(a_jwks_file_that_is_wrong_is_told),
        TEST(keys_come_from_a_url),
        TEST(an_unknown_key_is_fetched_at_most_once_in_a_while),
        TEST(an_issuer_that_is_down_is_told_and_former_keys_stay),
        TEST(old_keys_are_fetched_anew_behind_the_scenes),
        TEST(it_closes_while_keys_are_fetched),
        TEST(many_threads_may_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
