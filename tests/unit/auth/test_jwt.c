/* JSON web tokens, good ones and forged ones, with keys made here. */
#include "auth/jwt.h"

#include "base/buf.h"
#include "base/mem.h"
#include "support/check.h"
#include "support/signer.h"

static const char *const audiences[] = {"https://digitaltwins.azure.net", "0b07f429"};
static const struct gm_access_role_map role_map[] = {{"Twins.Read", GM_ACCESS_READER},
                                                     {"Twins.Write", GM_ACCESS_WRITER},
                                                     {"Twins.All", GM_ACCESS_ADMIN}};

static const struct gm_access_jwt rules = {.issuer_z = "https://issuer/v2.0",
                                           .audiences = audiences,
                                           .audience_count = 2,
                                           .roles = role_map,
                                           .role_count = 3,
                                           .skew = 2 * GM_MINUTE};
#define NOW (1700000000 * GM_SECOND)

/* Good claims, with `more` in place of the expiry. */
#define CLAIMS_WITHOUT_EXP(more)                                                                   \
    "{\"iss\":\"https://issuer/v2.0\",\"aud\":\"https://digitaltwins.azure.net\","                 \
    "\"sub\":\"alice\",\"roles\":[\"Twins.Write\"]" more "}"
#define CLAIMS CLAIMS_WITHOUT_EXP(",\"exp\":1700003600,\"nbf\":1699999990,\"iat\":1699999990")

struct world {
    struct signer *signer;
    struct gm_keys *keys;
    struct gm_jwt jwt;
    struct gm_err err;
};

static void use(struct world *world, struct signer *signer)
{
    signer_free(world->signer);
    gm_keys_release(world->keys);
    world->keys = NULL;
    world->signer = signer;
    check_ok(gm_keys_parse(gm_str_z(signer_jwks_z(signer)), &world->keys, &world->err), world->err);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    use(world, signer_new("k1", "ES256"));
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_keys_release(world->keys);
    signer_free(world->signer);
    gm_free(world);
    return 0;
}

static enum gm_jwt_answer ask_at(struct world *world, const char *token_z, gm_ns now)
{
    return gm_jwt_check(&rules, world->keys, gm_str_z(token_z), now, &world->jwt);
}

static enum gm_jwt_answer ask(struct world *world, const char *token_z)
{
    return ask_at(world, token_z, NOW);
}

static void expect_bad(struct world *world, const char *token_z, const char *why_z)
{
    assert_int_equal(ask(world, token_z), GM_JWT_BAD);
    assert_string_equal(world->jwt.why_z, why_z);
}

static enum gm_jwt_answer ask_claims(struct world *world, const char *claims_z)
{
    return ask(world, signer_token_z(world->signer, claims_z));
}

static void expect_bad_claims(struct world *world, const char *claims_z, const char *why_z)
{
    expect_bad(world, signer_token_z(world->signer, claims_z), why_z);
}

/* ---- signatures ---- */

static void every_algorithm_is_checked(void **state)
{
    static const char *const algorithms[] = {"RS256", "RS384", "RS512", "PS256", "ES256", "ES384"};
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(algorithms); i++) {
        use(world, signer_new("k1", algorithms[i]));
        assert_int_equal(ask_claims(world, CLAIMS), GM_JWT_GOOD);
        assert_string_equal(world->jwt.identity.name, "jwt:alice");
        assert_int_equal(world->jwt.identity.role, GM_ACCESS_WRITER);
        assert_int_equal(world->jwt.expires, 1700003600 * GM_SECOND + rules.skew);
    }
}

static void a_changed_token_is_refused_whatever_was_changed(void **state)
{
    struct world *world = *state;
    char *token_z = gm_strdup_z(signer_token_z(world->signer, CLAIMS));
    size_t n = strlen(token_z);
    for (size_t i = 0; i < n; i++) {
        char before = token_z[i];
        token_z[i] = before == 'A' ? 'B' : 'A';
        assert_int_not_equal(ask(world, token_z), GM_JWT_GOOD);
        token_z[i] = before;
    }
    assert_int_equal(ask(world, token_z), GM_JWT_GOOD);
    gm_free(token_z);
}

static void a_token_that_is_cut_off_is_refused(void **state)
{
    struct world *world = *state;
    struct gm_str token = gm_str_z(signer_token_z(world->signer, CLAIMS));
    for (size_t n = 0; n < token.n; n++) {
        char *cut_z = gm_str_dup_z((struct gm_str){token.p, n});
        assert_int_not_equal(ask(world, cut_z), GM_JWT_GOOD);
        gm_free(cut_z);
    }
}

static void a_key_of_another_is_no_good(void **state)
{
    struct world *world = *state;
    struct signer *forger = signer_new("k1", "ES256");
    expect_bad(world, signer_token_z(forger, CLAIMS), "its signature is not good");
    signer_free(forger);
}

static void no_algorithm_and_shared_secrets_are_refused(void **state)
{
    static const char why[] = "its algorithm is none of RS256, RS384, RS512, PS256, ES256, ES384";
    struct world *world = *state;
    struct signer *signer = world->signer;
    static const char *const headers[] = {"{\"alg\":\"none\"}", "{\"alg\":\"None\",\"kid\":\"k1\"}",
                                          "{\"alg\":\"\"}",     "{\"typ\":\"JWT\"}",
                                          "{\"alg\":null}",     "{\"alg\":[\"ES256\"]}",
                                          "{\"alg\":\"es256\"}"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(headers); i++) {
        expect_bad(world, signer_unsigned_z(signer, headers[i], CLAIMS), why);
        expect_bad(world, signer_token_with_z(signer, headers[i], CLAIMS), why);
    }
    /* the public key as the secret of an HMAC */
    static const char hmac[] = "{\"alg\":\"HS256\",\"kid\":\"k1\"}";
    expect_bad(world, signer_hmac_z(signer, hmac, CLAIMS, signer_jwk_z(signer)), why);
    expect_bad(
        world,
        signer_hmac_z(signer, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", CLAIMS, signer_jwk_z(signer)),
        "its signature is not good");
    expect_bad(world, signer_unsigned_z(signer, "{\"alg\":\"ES256\",\"kid\":\"k1\"}", CLAIMS),
               "its signature is not good");
}

static void the_key_says_what_it_is_for_not_the_token(void **state)
{
    struct world *world = *state;
    /* an EC key and a token that claims RSA, and the other curve */
    expect_bad(world,
               signer_token_with_z(world->signer, "{\"alg\":\"RS256\",\"kid\":\"k1\"}", CLAIMS),
               "its signature is not good");
    expect_bad(world,
               signer_token_with_z(world->signer, "{\"alg\":\"ES384\",\"kid\":\"k1\"}", CLAIMS),
               "its signature is not good");
    /* a key for one algorithm */
    struct signer *signer = signer_new("k1", "PS256");
    GM_AUTO_FREE char *jwk_z = gm_strdup_z(signer_jwk_z(signer));
    jwk_z[strlen(jwk_z) - 1] = '\0';
    GM_AUTO_FREE char *jwks_z = gm_format_z("{\"keys\":[%s,\"alg\":\"RS256\"}]}", jwk_z);
    gm_keys_release(world->keys);
    world->keys = NULL;
    check_ok(gm_keys_parse(gm_str_z(jwks_z), &world->keys, &world->err), world->err);
    expect_bad(world, signer_token_z(signer, CLAIMS), "its signature is not good");
    signer_free(signer);
}

static void keys_are_found_by_name_or_tried(void **state)
{
    struct world *world = *state;
    struct signer *other = signer_new("k2", "ES256");
    assert_int_equal(ask(world, signer_token_z(other, CLAIMS)), GM_JWT_UNKNOWN);
    expect_bad(world, signer_token_with_z(other, "{\"alg\":\"ES256\"}", CLAIMS),
               "its signature is not good");
    assert_int_equal(ask(world, signer_token_with_z(world->signer, "{\"alg\":\"ES256\"}", CLAIMS)),
                     GM_JWT_GOOD);
    GM_AUTO_FREE char *jwks_z =
        gm_format_z("{\"keys\":[%s,%s]}", signer_jwk_z(other), signer_jwk_z(world->signer));
    gm_keys_release(world->keys);
    world->keys = NULL;
    check_ok(gm_keys_parse(gm_str_z(jwks_z), &world->keys, &world->err), world->err);
    assert_int_equal(ask(world, signer_token_z(other, CLAIMS)), GM_JWT_GOOD);
    assert_int_equal(ask_claims(world, CLAIMS), GM_JWT_GOOD);
    assert_int_equal(ask(world, signer_token_with_z(world->signer, "{\"alg\":\"ES256\"}", CLAIMS)),
                     GM_JWT_GOOD);
    signer_free(other);
}

static void without_keys_every_key_is_unknown(void **state)
{
    struct world *world = *state;
    assert_int_equal(gm_jwt_check(&rules, NULL, gm_str_z(signer_token_z(world->signer, CLAIMS)),
                                  NOW, &world->jwt),
                     GM_JWT_UNKNOWN);
}

static void what_must_be_understood_and_is_not_is_refused(void **state)
{
    struct world *world = *state;
    expect_bad(world,
               signer_token_with_z(world->signer,
                                   "{\"alg\":\"ES256\",\"kid\":\"k1\",\"crit\":[\"exp\"]}", CLAIMS),
               "it wants an extension to be understood");
    expect_bad(world, signer_token_with_z(world->signer, "{\"alg\":\"ES256\",\"kid\":7}", CLAIMS),
               "its `kid` is no text");
}

static void what_is_no_jwt_is_told_apart(void **state)
{
    static const char *const texts[] = {"",         "gemel_abc", "a.b",       "a.b.c",
                                        "....",     "e30",       "e30.e30",   "e30.e30.e30.e30",
                                        "W10.e30.", "e30=.e30.", "\"\".\"\"."};
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(texts); i++) {
        assert_int_equal(ask(world, texts[i]), GM_JWT_NONE);
    }
    char *huge_z = gm_alloc(GM_JWT_SIZE_MAX + 2);
    memset(huge_z, 'e', GM_JWT_SIZE_MAX + 1);
    assert_int_equal(ask(world, huge_z), GM_JWT_NONE);
    gm_free(huge_z);
}

/* ---- claims ---- */

static void time_is_checked_with_some_slack(void **state)
{
    struct world *world = *state;
    const char *token_z = signer_token_z(world->signer, CLAIMS);
    gm_ns expires = 1700003600 * GM_SECOND, from = 1699999990 * GM_SECOND;
    assert_int_equal(ask_at(world, token_z, expires + 2 * GM_MINUTE - 1), GM_JWT_GOOD);
    assert_int_equal(ask_at(world, token_z, expires + 2 * GM_MINUTE), GM_JWT_BAD);
    assert_string_equal(world->jwt.why_z, "it has expired");
    assert_int_equal(ask_at(world, token_z, from - 2 * GM_MINUTE), GM_JWT_GOOD);
    assert_int_equal(ask_at(world, token_z, from - 2 * GM_MINUTE - 1), GM_JWT_BAD);
    assert_string_equal(world->jwt.why_z, "it is not valid yet");
}

static void a_token_has_to_say_when_it_expires(void **state)
{
    static const char why[] = "it does not say when it expires";
    struct world *world = *state;
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(""), why);
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":\"1700003600\""), why);
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":null"), why);
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":-1"), why);
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":0"), "it has expired");
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":1700003600,\"nbf\":\"x\""),
                      "its `nbf` is no time");
    assert_int_equal(ask_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":1700003600.5")), GM_JWT_GOOD);
    assert_int_equal(ask_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":1e300")), GM_JWT_GOOD);
    assert_int_equal(ask_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":18446744073709551615")),
                     GM_JWT_GOOD);
    /* said twice: which of them is meant? */
    expect_bad_claims(world, CLAIMS_WITHOUT_EXP(",\"exp\":1,\"exp\":1700003600"), "it is damaged");
}

static void issuer_and_audience_have_to_be_ours(void **state)
{
    struct world *world = *state;
    static const char *const issuers[] = {"\"https://issuer/v2.0/\"", "\"\"", "7", "null",
                                          "[\"https://issuer/v2.0\"]"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(issuers); i++) {
        GM_AUTO_FREE char *claims_z =
            gm_format_z("{\"iss\":%s,\"aud\":\"0b07f429\",\"exp\":1700003600}", issuers[i]);
        expect_bad_claims(world, claims_z, "its issuer is another one");
    }
    static const char *const others[] = {
        "\"other\"", "[]", "[\"other\"]", "7", "null", "{\"0b07f429\":1}", "[[\"0b07f429\"]]"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(others); i++) {
        GM_AUTO_FREE char *claims_z = gm_format_z(
            "{\"iss\":\"https://issuer/v2.0\",\"aud\":%s,\"exp\":1700003600}", others[i]);
        expect_bad_claims(world, claims_z, "it was issued for another audience");
    }
    assert_int_equal(ask_claims(world, "{\"iss\":\"https://issuer/v2.0\",\"exp\":1700003600,"
                                       "\"aud\":[\"other\",\"0b07f429\"]}"),
                     GM_JWT_GOOD);
    assert_int_equal(world->jwt.identity.role, GM_ACCESS_NONE);
    assert_string_equal(world->jwt.identity.name, "jwt:unknown");
}

static void expect_role(struct world *world, const struct gm_access_jwt *wanted,
                        const char *claim_z, enum gm_access_role role)
{
    GM_AUTO_FREE char *claims_z = gm_format_z(
        "{\"iss\":\"https://issuer/v2.0\",\"aud\":\"0b07f429\",\"exp\":1700003600%s}", claim_z);
    const char *token_z = signer_token_z(world->signer, claims_z);
    assert_int_equal(gm_jwt_check(wanted, world->keys, gm_str_z(token_z), NOW, &world->jwt),
                     GM_JWT_GOOD);
    assert_int_equal(world->jwt.identity.role, role);
}

static void roles_come_from_a_claim(void **state)
{
    struct world *world = *state;
    struct gm_access_jwt other = rules;
    expect_role(world, &rules, ",\"roles\":[\"x\",7,\"Twins.Read\",\"Twins.All\"]",
                GM_ACCESS_ADMIN);
    expect_role(world, &rules, ",\"scp\":\"openid Twins.Read\"", GM_ACCESS_READER);
    expect_role(world, &rules, ",\"roles\":[],\"scp\":\"Twins.Read\"", GM_ACCESS_NONE);
    expect_role(world, &rules, ",\"roles\":[\"admin\"]", GM_ACCESS_NONE); /* not in the map */
    expect_role(world, &rules, ",\"roles\":{\"Twins.All\":1}", GM_ACCESS_NONE);
    other.default_role = GM_ACCESS_READER;
    expect_role(world, &other, "", GM_ACCESS_READER);
    expect_role(world, &other, ",\"roles\":[\"Twins.Write\"]", GM_ACCESS_WRITER);
    other.role_claim_z = "groups";
    expect_role(world, &other, ",\"roles\":[\"Twins.All\"],\"groups\":[\"Twins.Write\"]",
                GM_ACCESS_WRITER);
    other.role_count = 0; /* our own names */
    expect_role(world, &other, ",\"groups\":[\"writer\"]", GM_ACCESS_WRITER);
    expect_role(world, &other, ",\"groups\":[\"none\",\"Admin\"]", GM_ACCESS_READER);
}

static void names_are_printable_and_bounded(void **state)
{
    struct world *world = *state;
    char name[400];
    memset(name, 'n', sizeof(name));
    memcpy(name, "\\n\\u0007", 8);
    name[200] = '\0';
    GM_AUTO_FREE char *claim_z = gm_format_z(",\"sub\":\"%s\"", name);
    expect_role(world, &rules, claim_z, GM_ACCESS_NONE);
    assert_int_equal(strlen(world->jwt.identity.name), GM_IDENTITY_NAME_SIZE - 1);
    assert_memory_equal(world->jwt.identity.name, "jwt:  nnn", 9);
    /* two bytes a character: none is cut in two */
    struct gm_buf text;
    gm_buf_init(&text, 1000);
    gm_buf_add_z(&text, ",\"sub\":\"");
    for (int i = 0; i < 100; i++) {
        gm_buf_add_z(&text, "\xc3\xa4");
    }
    gm_buf_add_z(&text, "\"");
    expect_role(world, &rules, text.p, GM_ACCESS_NONE);
    assert_int_equal(strlen(world->jwt.identity.name), 126);
    gm_buf_deinit(&text);
    expect_role(world, &rules, ",\"appid\":\"a\",\"oid\":\"o\"", GM_ACCESS_NONE);
    assert_string_equal(world->jwt.identity.name, "jwt:o");
}

/* ---- keys ---- */

static void expect_no_keys(const char *text_z, const char *why_z)
{
    struct gm_keys *keys;
    struct gm_err err = {0};
    check_rc(gm_keys_parse(gm_str_z(text_z), &keys, &err), GM_E_INVALID, err);
    check_err_says(err, why_z);
}

static void a_set_without_a_key_of_use_is_refused(void **state)
{
    (void)state;
    expect_no_keys("", "the keys are no JSON");
    expect_no_keys("{\"keys\":[", "the keys are no JSON");
    expect_no_keys("[]", "the keys are no JWKS");
    expect_no_keys("{\"keys\":{}}", "the keys are no JWKS");
    expect_no_keys("{\"keys\":[]}", "no key of use");
    expect_no_keys("{\"keys\":[7,null,\"x\",[]]}", "no key of use");
    expect_no_keys("{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}", "no key of use");
    expect_no_keys("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "no key of use");
    expect_no_keys("{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AQAB\",\"y\":\"AQAB\"}]}",
                   "no key of use");
    struct signer *small = signer_new_rsa("k", "RS256", 1024);
    expect_no_keys(signer_jwks_z(small), "no key of use");
    signer_free(small);
}

static void keys_that_are_not_for_signatures_are_passed_over(void **state)
{
    struct world *world = *state;
    struct gm_keys *keys;
    GM_AUTO_FREE char *jwk_z = gm_strdup_z(signer_jwk_z(world->signer));
    jwk_z[strlen(jwk_z) - 1] = '\0';
    GM_AUTO_FREE char *other_z = gm_format_z("{\"keys\":[%s,\"key_ops\":[\"sign\"]}]}", jwk_z);
    expect_no_keys(other_z, "no key of use");
    GM_AUTO_FREE char *alg_z = gm_format_z("{\"keys\":[%s,\"alg\":\"HS256\"}]}", jwk_z);
    expect_no_keys(alg_z, "no key of use");
    GM_AUTO_FREE char *curve_z = gm_format_z("{\"keys\":[%s,\"alg\":\"ES384\"}]}", jwk_z);
    expect_no_keys(curve_z, "no key of use");
    GM_AUTO_FREE char *fine_z = gm_format_z(
        "{\"keys\":[%s,\"alg\":\"ES256\",\"key_ops\":[\"sign\",\"verify\"]},{\"kty\":\"new\"}]}",
        jwk_z);
    check_ok(gm_keys_parse(gm_str_z(fine_z), &keys, &world->err), world->err);
    assert_int_equal(gm_keys_count(keys), 1);
    gm_keys_release(keys);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_algorithm_is_checked),
        TEST(a_changed_token_is_refused_whatever_was_changed),
        TEST(a_token_that_is_cut_off_is_refused),
        TEST(a_key_of_another_is_no_good),
        TEST(no_algorithm_and_shared_secrets_are_refused),
        TEST(the_key_says_what_it_is_for_not_the_token),
        TEST(keys_are_found_by_name_or_tried),
        TEST(without_keys_every_key_is_unknown),
        TEST(what_must_be_understood_and_is_not_is_refused),
        TEST(what_is_no_jwt_is_told_apart),
        TEST(time_is_checked_with_some_slack),
        TEST(a_token_has_to_say_when_it_expires),
        TEST(issuer_and_audience_have_to_be_ours),
        TEST(roles_come_from_a_claim),
        TEST(names_are_printable_and_bounded),
        TEST(a_set_without_a_key_of_use_is_refused),
        TEST(keys_that_are_not_for_signatures_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
