/* Tokens that are known beforehand: the development token and those of the token file, by hash.
 * Internal to auth/.
 *
 *     struct gm_tokens *tokens;
 *     GM_TRY(gm_tokens_read(development_path_z, file_z, &tokens, err));
 *     const struct gm_known_token *token = gm_tokens_find(tokens, hash);
 *     gm_tokens_free(tokens);
 *
 * Thread rule: read-only once read. */
#ifndef GM_AUTH_TOKEN_FILE_H
#define GM_AUTH_TOKEN_FILE_H

#include "auth/access.h"
#include "auth/sha256.h"
#include "auth/token.h"

struct gm_known_token {
    uint8_t hash[GM_SHA256_SIZE];
    struct gm_identity identity;
    gm_ns expires; /* wall clock; 0: never */
};

/* Owned by the caller. */
char *gm_token_development_path_z(const char *data_z);
gm_rc gm_token_development_read(const char *path_z, char out[GM_TOKEN_TEXT_SIZE],
                                struct gm_err *err) GM_MUST_CHECK;

struct gm_tokens;
/* Either path may be NULL. GM_E_CONFIG: a file is not there, or wrong; the message has all that is
 * wrong with it, as far as there is room. */
gm_rc gm_tokens_read(const char *development_path_z, const char *file_z,
                     struct gm_tokens **out_tokens, struct gm_err *err) GM_MUST_CHECK;
void gm_tokens_free(struct gm_tokens *tokens); /* NULL is fine */
/* NULL: not one of these */
const struct gm_known_token *gm_tokens_find(const struct gm_tokens *tokens,
                                            const uint8_t hash[GM_SHA256_SIZE]);
bool gm_tokens_has_name(const struct gm_tokens *tokens, const char *name_z);

#endif
