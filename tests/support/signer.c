#include "support/signer.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/vec.h"
#include "support/check.h"

struct signer {
    const char *kid_z;
    const char *alg_z;
    gnutls_privkey_t key;
    gnutls_digest_algorithm_t hash;
    unsigned flags;
    unsigned half; /* bytes of r and s; 0: RSA */
    GM_VEC(char *) texts;
};

static const char *keep_z(struct signer *signer, char *text_z)
{
    *gm_vec_push(&signer->texts) = text_z;
    return text_z;
}

static struct signer *make(const char *kid_z, const char *alg_z, unsigned bits)
{
    struct signer *signer = gm_alloc(sizeof(*signer));
    bool elliptic = alg_z[0] == 'E';
    signer->kid_z = kid_z;
    signer->alg_z = alg_z;
    signer->hash = strcmp(alg_z + 2, "256") == 0   ? GNUTLS_DIG_SHA256
                   : strcmp(alg_z + 2, "384") == 0 ? GNUTLS_DIG_SHA384
                                                   : GNUTLS_DIG_SHA512;
    signer->half = !elliptic ? 0 : strcmp(alg_z, "ES256") == 0 ? 32 : 48;
    signer->flags = alg_z[0] == 'P' ? GNUTLS_PRIVKEY_SIGN_FLAG_RSA_PSS : 0;
    assert_int_equal(gnutls_privkey_init(&signer->key), 0);
    assert_int_equal(
        gnutls_privkey_generate(signer->key, elliptic ? GNUTLS_PK_ECDSA : GNUTLS_PK_RSA,
                                !elliptic ? bits
                                          : GNUTLS_CURVE_TO_BITS(signer->half == 32
                                                                     ? GNUTLS_ECC_CURVE_SECP256R1
                                                                     : GNUTLS_ECC_CURVE_SECP384R1),
                                0),
        0);
    return signer;
}

struct signer *signer_new(const char *kid_z, const char *alg_z)
{
    return make(kid_z, alg_z, 2048);
}

struct signer *signer_new_rsa(const char *kid_z, const char *alg_z, unsigned bits)
{
    return make(kid_z, alg_z, bits);
}

void signer_free(struct signer *signer)
{
    if (signer == NULL) {
        return;
    }
    for (size_t i = 0; i < signer->texts.n; i++) {
        gm_free(signer->texts.at[i]);
    }
    gm_vec_deinit(&signer->texts);
    gnutls_privkey_deinit(signer->key);
    gm_free(signer);
}

static void add_encoded(struct gm_buf *out, const void *bytes, size_t n)
{
    gm_base64url_add(out, (struct gm_str){bytes, n});
}

/* Of exactly `size` bytes when that is not 0: zeros in front are lost, or one too many. */
static void add_number(struct gm_buf *out, gnutls_datum_t *number, size_t size)
{
    static const char zeros[64] = {0};
    const unsigned char *p = number->data;
    size_t n = number->size;
    while (n > 1 && p[0] == 0 && (size == 0 || n > size)) {
        p++;
        n--;
    }
    struct gm_buf whole;
    gm_buf_init(&whole, 4096);
    if (size > n) {
        gm_buf_add(&whole, (struct gm_str){zeros, size - n});
    }
    gm_buf_add(&whole, (struct gm_str){(const char *)p, n});
    gm_base64url_add(out, gm_buf_str(&whole));
    gm_buf_deinit(&whole);
    gnutls_free(number->data);
}

const char *signer_jwk_z(struct signer *signer)
{
    struct gm_buf text;
    gnutls_pubkey_t public;
    gnutls_datum_t a, b;
    gnutls_ecc_curve_t curve;
    gm_buf_init(&text, 1 << 16);
    assert_int_equal(gnutls_pubkey_init(&public), 0);
    assert_int_equal(gnutls_pubkey_import_privkey(public, signer->key, 0, 0), 0);
    gm_buf_addf(&text, "{\"kid\":\"%s\",\"use\":\"sig\",", signer->kid_z);
    if (signer->half != 0) {
        assert_int_equal(gnutls_pubkey_export_ecc_raw(public, &curve, &a, &b), 0);
        gm_buf_addf(&text, "\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"",
                    signer->half == 32 ? "P-256" : "P-384");
        add_number(&text, &a, signer->half);
        gm_buf_add_z(&text, "\",\"y\":\"");
        add_number(&text, &b, signer->half);
    } else {
        assert_int_equal(gnutls_pubkey_export_rsa_raw(public, &a, &b), 0);
        gm_buf_add_z(&text, "\"kty\":\"RSA\",\"n\":\"");
        add_number(&text, &a, 0);
        gm_buf_add_z(&text, "\",\"e\":\"");
        add_number(&text, &b, 0);
    }
    gm_buf_add_z(&text, "\"}");
    gnutls_pubkey_deinit(public);
    return keep_z(signer, gm_buf_take_z(&text));
}

const char *signer_jwks_z(struct signer *signer)
{
    return keep_z(signer, gm_format_z("{\"keys\":[%s]}", signer_jwk_z(signer)));
}

static void add_parts(struct gm_buf *out, const char *header_z, const char *claims_z)
{
    add_encoded(out, header_z, strlen(header_z));
    gm_buf_add_char(out, '.');
    add_encoded(out, claims_z, strlen(claims_z));
}

static void add_signature(struct signer *signer, struct gm_buf *text)
{
    gnutls_datum_t signature, r, s;
    gnutls_datum_t data = {(unsigned char *)text->p, (unsigned)text->n};
    assert_int_equal(
        gnutls_privkey_sign_data(signer->key, signer->hash, signer->flags, &data, &signature), 0);
    gm_buf_add_char(text, '.');
    if (signer->half == 0) {
        add_encoded(text, signature.data, signature.size);
    } else {
        struct gm_buf raw;
        gm_buf_init(&raw, 4096);
        assert_int_equal(gnutls_decode_rs_value(&signature, &r, &s), 0);
        /* each of full length, in one run of bytes */
        for (int i = 0; i < 2; i++) {
            gnutls_datum_t *number = i == 0 ? &r : &s;
            const unsigned char *p = number->data;
            size_t n = number->size;
            for (; n > signer->half; n--) {
                p++;
            }
            for (size_t k = n; k < signer->half; k++) {
                gm_buf_add_char(&raw, '\0');
            }
            gm_buf_add(&raw, (struct gm_str){(const char *)p, n});
            gnutls_free(number->data);
        }
        gm_base64url_add(text, gm_buf_str(&raw));
        gm_buf_deinit(&raw);
    }
    gnutls_free(signature.data);
}

const char *signer_token_with_z(struct signer *signer, const char *header_z, const char *claims_z)
{
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    add_parts(&text, header_z, claims_z);
    add_signature(signer, &text);
    return keep_z(signer, gm_buf_take_z(&text));
}

const char *signer_token_z(struct signer *signer, const char *claims_z)
{
    GM_AUTO_FREE char *header_z = gm_format_z("{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}",
                                              signer->alg_z, signer->kid_z);
    return signer_token_with_z(signer, header_z, claims_z);
}

const char *signer_unsigned_z(struct signer *signer, const char *header_z, const char *claims_z)
{
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    add_parts(&text, header_z, claims_z);
    gm_buf_add_char(&text, '.');
    return keep_z(signer, gm_buf_take_z(&text));
}

const char *signer_hmac_z(struct signer *signer, const char *header_z, const char *claims_z,
                          const char *secret_z)
{
    struct gm_buf text;
    unsigned char digest[32];
    gm_buf_init(&text, 1 << 20);
    add_parts(&text, header_z, claims_z);
    assert_int_equal(
        gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret_z, strlen(secret_z), text.p, text.n, digest), 0);
    gm_buf_add_char(&text, '.');
    add_encoded(&text, digest, sizeof(digest));
    return keep_z(signer, gm_buf_take_z(&text));
}
