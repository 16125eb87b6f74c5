#include "auth/keys.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdatomic.h>

#include "base/coding.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "net/datum.h"
#include "json/json.h"

enum {
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192, /* larger ones take long to check, which a stranger could ask for */
    NUMBER_SIZE_MAX = 2048,
    ARENA_SIZE_MAX = 16 << 20,
};

/* RFC 7518, section 3.1: those that asymmetric keys make. */
static const struct algorithm {
    const char *name_z;
    gnutls_pk_algorithm_t key;
    gnutls_sign_algorithm_t sign;
    size_t half; /* bytes of r and of s; 0: RSA */
} algorithms[] = {
    {"RS256", GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_SHA256, 0},
    {"RS384", GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_SHA384, 0},
    {"RS512", GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_SHA512, 0},
    {"PS256", GNUTLS_PK_RSA, GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 0},
    {"ES256", GNUTLS_PK_ECDSA, GNUTLS_SIGN_ECDSA_SHA256, 32},
    {"ES384", GNUTLS_PK_ECDSA, GNUTLS_SIGN_ECDSA_SHA384, 48},
};

struct key {
    char *kid_z;                  /* NULL: it has none */
    const struct algorithm *only; /* that the key is for; NULL: any that fits */
    gnutls_pk_algorithm_t kind;
    size_t half; /* of its curve; 0: RSA */
    gnutls_pubkey_t public;
};

struct gm_keys {
    _Atomic size_t users;
    struct gm_hash128 text_hash;
    GM_VEC(struct key) list;
};

static const struct algorithm *find_algorithm(struct gm_str name)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(algorithms); i++) {
        if (gm_str_is(name, algorithms[i].name_z)) {
            return &algorithms[i];
        }
    }
    return NULL;
}

bool gm_keys_algorithm_known(struct gm_str alg)
{
    return find_algorithm(alg) != NULL;
}

/* ---- reading ---- */

/* A member in base64url, as the library wants it. */
static bool take_number(const yyjson_mut_val *object, const char *name_z, struct gm_buf *out,
                        gnutls_datum_t *out_datum)
{
    struct gm_str text = gm_json_member_str(object, name_z);
    gm_buf_reset(out);
    if (text.n == 0 || !gm_base64url_take(out, text) || out->n == 0) {
        return false;
    }
    *out_datum = gm_datum(gm_buf_str(out));
    return true;
}

static bool import_rsa(struct key *key, const yyjson_mut_val *object, struct gm_buf numbers[2])
{
    gnutls_datum_t modulus, exponent;
    unsigned bits = 0;
    key->kind = GNUTLS_PK_RSA;
    return take_number(object, "n", &numbers[0], &modulus) &&
           take_number(object, "e", &numbers[1], &exponent) &&
           gnutls_pubkey_import_rsa_raw(key->public, &modulus, &exponent) == 0 &&
           gnutls_pubkey_get_pk_algorithm(key->public, &bits) == GNUTLS_PK_RSA &&
           bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX;
}

static bool import_ec(struct key *key, const yyjson_mut_val *object, struct gm_buf numbers[2])
{
    gnutls_datum_t x, y;
    struct gm_str curve = gm_json_member_str(object, "crv");
    key->kind = GNUTLS_PK_ECDSA;
    key->half = gm_str_is(curve, "P-256") ? 32 : gm_str_is(curve, "P-384") ? 48 : 0;
    return key->half != 0 && take_number(object, "x", &numbers[0], &x) &&
           take_number(object, "y", &numbers[1], &y) && x.size == key->half &&
           y.size == key->half &&
           gnutls_pubkey_import_ecc_raw(key->public,
                                        key->half == 32 ? GNUTLS_ECC_CURVE_SECP256R1
                                                        : GNUTLS_ECC_CURVE_SECP384R1,
                                        &x, &y) == 0;
}

static bool import_key(struct key *key, const yyjson_mut_val *object)
{
    struct gm_buf numbers[2];
    struct gm_str type = gm_json_member_str(object, "kty");
    gm_buf_init(&numbers[0], NUMBER_SIZE_MAX);
    gm_buf_init(&numbers[1], NUMBER_SIZE_MAX);
    bool fine = gm_str_is(type, "RSA")  ? import_rsa(key, object, numbers)
                : gm_str_is(type, "EC") ? import_ec(key, object, numbers)
                                        : false;
    gm_buf_deinit(&numbers[0]);
    gm_buf_deinit(&numbers[1]);
    return fine;
}

/* Whether its owner lets it check signatures. */
static bool is_for_signatures(const yyjson_mut_val *object)
{
    const yyjson_mut_val *use = gm_json_member(object, GM_STR("use"));
    const yyjson_mut_val *operations = gm_json_member(object, GM_STR("key_ops"));
    if (use != NULL && !gm_str_is(gm_json_str(use), "sig")) {
        return false;
    }
    if (gm_json_type(operations) != YYJSON_TYPE_ARR) {
        return operations == NULL;
    }
    const yyjson_mut_val *item = gm_json_first(operations);
    for (size_t i = 0; i < gm_json_count(operations); i++, item = item->next) {
        if (gm_str_is(gm_json_str(item), "verify")) {
            return true;
        }
    }
    return false;
}

static void add_key(struct gm_keys *keys, const yyjson_mut_val *object)
{
    struct key key = {0};
    struct gm_str kid = gm_json_member_str(object, "kid"), alg = gm_json_member_str(object, "alg");
    if (gm_json_type(object) != YYJSON_TYPE_OBJ || !is_for_signatures(object)) {
        return;
    }
    key.only = find_algorithm(alg);
    if (alg.p != NULL && key.only == NULL) {
        return;
    }
    GM_ASSERT(gnutls_pubkey_init(&key.public) == 0);
    if (!import_key(&key, object) ||
        (key.only != NULL && (key.only->key != key.kind || key.only->half != key.half))) {
        gnutls_pubkey_deinit(key.public);
        return;
    }
    key.kid_z = kid.p != NULL ? gm_str_dup_z(kid) : NULL;
    *gm_vec_push(&keys->list) = key;
}

static gm_rc parse(struct gm_keys *keys, struct gm_arena *arena, struct gm_str text,
                   struct gm_err *err)
{
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    if (text.n > GM_KEYS_TEXT_SIZE_MAX || doc == NULL) {
        return gm_fail(err, GM_E_INVALID, "the keys are larger than %d KiB",
                       GM_KEYS_TEXT_SIZE_MAX >> 10);
    }
    if (gm_json_parse(doc, text, &root, err) != GM_OK) {
        err->rc = GM_E_INVALID;
        return gm_fail_within(err, "the keys are no JSON");
    }
    const yyjson_mut_val *list = gm_json_member(root, GM_STR("keys"));
    if (gm_json_type(list) != YYJSON_TYPE_ARR || gm_json_count(list) > GM_KEYS_MAX) {
        return gm_fail(err, GM_E_INVALID,
                       "the keys are no JWKS: an object with an array `keys` of at most %d",
                       GM_KEYS_MAX);
    }
    const yyjson_mut_val *item = gm_json_first(list);
    for (size_t i = 0; i < gm_json_count(list); i++, item = item->next) {
        add_key(keys, item);
    }
    return keys->list.n > 0 ? GM_OK
                            : gm_fail(err, GM_E_INVALID,
                                      "the JWKS has no key of use: RSA of %d bits and more, or EC "
                                      "on P-256 or P-384, for signatures",
                                      RSA_BITS_MIN);
}

gm_rc gm_keys_parse(struct gm_str text, struct gm_keys **out_keys, struct gm_err *err)
{
    struct gm_keys *keys = gm_alloc(sizeof(*keys));
    struct gm_arena *arena = gm_arena_new(ARENA_SIZE_MAX);
    struct gm_err why = {0};
    atomic_store(&keys->users, 1);
    keys->text_hash = gm_hash128(text, 0);
    gm_rc rc = parse(keys, arena, text, &why);
    gm_arena_free(arena);
    if (rc != GM_OK) {
        gm_keys_release(keys);
        return gm_fail(err, rc, "%s", why.text);
    }
    *out_keys = keys;
    return GM_OK;
}

struct gm_keys *gm_keys_retain(struct gm_keys *keys)
{
    if (keys != NULL) {
        atomic_fetch_add(&keys->users, 1);
    }
    return keys;
}

void gm_keys_release(struct gm_keys *keys)
{
    if (keys == NULL || atomic_fetch_sub(&keys->users, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < keys->list.n; i++) {
        gm_free(keys->list.at[i].kid_z);
        gnutls_pubkey_deinit(keys->list.at[i].public);
    }
    gm_vec_deinit(&keys->list);
    gm_free(keys);
}

size_t gm_keys_count(const struct gm_keys *keys)
{
    return keys->list.n;
}

bool gm_keys_same(const struct gm_keys *a, const struct gm_keys *b)
{
    return a != NULL && b != NULL && gm_hash128_eq(a->text_hash, b->text_hash);
}

/* ---- checking ---- */

static bool verify(const struct key *key, const struct algorithm *algorithm,
                   struct gm_str signed_text, struct gm_str signature)
{
    gnutls_datum_t text = gm_datum(signed_text), given = gm_datum(signature);
    if (algorithm->half == 0) {
        return gnutls_pubkey_verify_data2(key->public, algorithm->sign, 0, &text, &given) >= 0;
    }
    /* RFC 7518, section 3.4: r and s side by side, each of full length; the library wants DER */
    if (signature.n != 2 * algorithm->half) {
        return false;
    }
    gnutls_datum_t r = gm_datum((struct gm_str){signature.p, algorithm->half}),
                   s = gm_datum((struct gm_str){signature.p + algorithm->half, algorithm->half}),
                   der;
    if (gnutls_encode_rs_value(&der, &r, &s) < 0) {
        return false;
    }
    bool good = gnutls_pubkey_verify_data2(key->public, algorithm->sign, 0, &text, &der) >= 0;
    gnutls_free(der.data);
    return good;
}

enum gm_keys_answer gm_keys_verify(const struct gm_keys *keys, struct gm_str alg, struct gm_str kid,
                                   struct gm_str signed_text, struct gm_str signature)
{
    const struct algorithm *algorithm = find_algorithm(alg);
    enum gm_keys_answer answer = GM_KEYS_UNKNOWN;
    if (algorithm == NULL) {
        return GM_KEYS_BAD;
    }
    for (size_t i = 0; keys != NULL && i < keys->list.n && answer != GM_KEYS_GOOD; i++) {
        const struct key *key = &keys->list.at[i];
        if (kid.p != NULL && (key->kid_z == NULL || !gm_str_is(kid, key->kid_z))) {
            continue;
        }
        /* The key says what it is for, not the token. */
        bool fits = key->kind == algorithm->key && key->half == algorithm->half &&
                    (key->only == NULL || key->only == algorithm);
        answer =
            fits && verify(key, algorithm, signed_text, signature) ? GM_KEYS_GOOD : GM_KEYS_BAD;
    }
    return answer;
}
