/* A JWKS, an empty line, and a token: what is not refused has all that it should have. */
#include <stdint.h>

#include "auth/jwt.h"
#include "base/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW (1700000000 * GM_SECOND)

static const char *const audiences[] = {"twins"};
static const struct gm_access_role_map roles[] = {{"w", GM_ACCESS_WRITER}};
static const struct gm_access_jwt rules = {.issuer_z = "https://issuer",
                                           .audiences = audiences,
                                           .audience_count = 1,
                                           .roles = roles,
                                           .role_count = 1,
                                           .skew = GM_MINUTE};

static void check_jwt(const struct gm_jwt *jwt)
{
    size_t n = strlen(jwt->identity.name);
    GM_ASSERT(jwt->expires > NOW);
    GM_ASSERT(jwt->identity.role == GM_ACCESS_NONE || jwt->identity.role == GM_ACCESS_WRITER);
    GM_ASSERT(n > 4 && n < GM_IDENTITY_NAME_SIZE && strncmp(jwt->identity.name, "jwt:", 4) == 0);
    GM_ASSERT(gm_utf8_valid((struct gm_str){jwt->identity.name, n}, NULL));
    for (size_t i = 0; i < n; i++) {
        GM_ASSERT((unsigned char)jwt->identity.name[i] >= ' ' && jwt->identity.name[i] != 0x7f);
    }
}

static void try_token(const struct gm_keys *keys, struct gm_str token)
{
    struct gm_jwt jwt;
    switch (gm_jwt_check(&rules, keys, token, NOW, &jwt)) {
    case GM_JWT_GOOD:
        GM_ASSERT(keys != NULL);
        check_jwt(&jwt);
        break;
    case GM_JWT_BAD:
        GM_ASSERT(jwt.why_z != NULL);
        break;
    case GM_JWT_UNKNOWN: /* then all but the signature was good */
        check_jwt(&jwt);
        break;
    case GM_JWT_NONE:
        break;
    }
}

/* There is one text for any bytes: what can be read is written the same. */
static void try_base64url(struct gm_str text)
{
    struct gm_buf bytes, again;
    gm_buf_init(&bytes, 1 << 20);
    gm_buf_init(&again, 1 << 20);
    if (gm_base64url_take(&bytes, text)) {
        gm_base64url_add(&again, gm_buf_str(&bytes));
        GM_ASSERT(gm_str_eq(gm_buf_str(&again), text));
    }
    gm_buf_deinit(&bytes);
    gm_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_str jwks = {(const char *)data, size}, token = {0};
    struct gm_keys *keys = NULL;
    struct gm_err err = {0};
    for (size_t i = 0; i + 1 < size && token.p == NULL; i++) {
        if (data[i] == '\n' && data[i + 1] == '\n') {
            token = (struct gm_str){jwks.p + i + 2, size - i - 2};
            jwks.n = i;
        }
    }
    gm_rc rc = gm_keys_parse(jwks, &keys, &err);
    GM_ASSERT(rc == GM_OK ? gm_keys_count(keys) > 0 : rc == GM_E_INVALID && err.text[0] != '\0');
    try_token(keys, token);
    try_token(NULL, token);
    try_base64url(token);
    gm_keys_release(keys);
    return 0;
}
