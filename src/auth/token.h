/* Tokens made here: random, and what of them is kept in files.
 *
 *     char token[GM_TOKEN_TEXT_SIZE];
 *     GM_TRY(gm_token_development("./data", token, err));  // made when there is none
 *
 * A token is "gemel_" and 43 characters of base64url: 256 random bits.
 * Thread rule: any thread. Of two processes that make the development token at the same moment the
 * one that was later made stays. */
#ifndef GM_AUTH_TOKEN_H
#define GM_AUTH_TOKEN_H

#include "base/buf.h"
#include "base/status.h"

enum { GM_TOKEN_TEXT_SIZE = 50, GM_SHA256_HEX_SIZE = 65 };

void gm_token_new(char out[GM_TOKEN_TEXT_SIZE]);
/* Zeroes what held a token, even where the compiler sees no use in it. */
void gm_token_wipe(char *text, size_t n);
/* Lower-case hexadecimal, as `sha256sum` prints it. */
void gm_token_hash(struct gm_str token, char out[GM_SHA256_HEX_SIZE]);

/* DATA/tokens/development: read, or made. */
gm_rc gm_token_development(const char *data_z, char out[GM_TOKEN_TEXT_SIZE], struct gm_err *err)
    GM_MUST_CHECK;
/* Replaces it; a server that runs takes the new one within seconds. */
gm_rc gm_token_development_renew(const char *data_z, char out[GM_TOKEN_TEXT_SIZE],
                                 struct gm_err *err) GM_MUST_CHECK;

/* One line of a token file's list, with a line end. `expires_z` NULL: never. */
void gm_token_entry(const char *name_z, const char *role_z, const char *token_z,
                    const char *expires_z, struct gm_buf *out);
/* Adds an entry to the end of a token file, which is made when it is not there. GM_E_CONFIG: the
 * file is wrong, or has one of that name; it is left as it was. */
gm_rc gm_token_file_add(const char *path_z, const char *name_z, struct gm_str entry,
                        struct gm_err *err) GM_MUST_CHECK;

#endif
