/* Issues JSON web tokens, as an identity provider does: keys, a JWKS, signatures.
 *
 *     struct signer *signer = signer_new("k1", "RS256");
 *     const char *jwks_z = signer_jwks_z(signer);
 *     const char *token_z = signer_token_z(signer, "{\"iss\":…}");
 *     signer_free(signer);
 *
 * Texts live as long as the signer. */
#ifndef GM_TESTS_SUPPORT_SIGNER_H
#define GM_TESTS_SUPPORT_SIGNER_H

struct signer;
/* `alg`: RS256, RS384, RS512, PS256, ES256, ES384. */
struct signer *signer_new(const char *kid_z, const char *alg_z);
/* An RSA key of so many bits. */
struct signer *signer_new_rsa(const char *kid_z, const char *alg_z, unsigned bits);
void signer_free(struct signer *signer); /* NULL is fine */

const char *signer_jwk_z(struct signer *signer);  /* the public key */
const char *signer_jwks_z(struct signer *signer); /* a set of it alone */
/* With the header {"alg":…,"typ":"JWT","kid":…}. */
const char *signer_token_z(struct signer *signer, const char *claims_z);
/* With another header, which may lie. */
const char *signer_token_with_z(struct signer *signer, const char *header_z, const char *claims_z);
/* "HEADER.CLAIMS." and `signature` in base64url; NULL: empty. */
const char *signer_unsigned_z(struct signer *signer, const char *header_z, const char *claims_z);
/* Signed with HMAC-SHA256 under `secret_z`. */
const char *signer_hmac_z(struct signer *signer, const char *header_z, const char *claims_z,
                          const char *secret_z);

#endif
