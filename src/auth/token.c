#include "auth/token.h"

#include <gnutls/crypto.h>

#include "auth/sha256.h"
#include "auth/token_file.h"
#include "base/coding.h"
#include "base/mem.h"
#include "os/file.h"
#include "os/process.h"

enum { RANDOM_SIZE = 32, TOKEN_SIZE_MIN = 20 };

static const char token_prefix[] = "gemel_";

void gm_sha256(struct gm_str text, uint8_t out[GM_SHA256_SIZE])
{
    GM_ASSERT(gnutls_hash_fast(GNUTLS_DIG_SHA256, text.p, text.n, out) == 0);
}

void gm_token_new(char out[GM_TOKEN_TEXT_SIZE])
{
    char bytes[RANDOM_SIZE];
    struct gm_buf text;
    gm_random_bytes(bytes, sizeof(bytes));
    gm_buf_init(&text, GM_TOKEN_TEXT_SIZE);
    gm_buf_add_z(&text, token_prefix);
    gm_base64url_add(&text, (struct gm_str){bytes, sizeof(bytes)});
    GM_ASSERT(text.n == GM_TOKEN_TEXT_SIZE - 1);
    memcpy(out, text.p, text.n + 1);
    gnutls_memset(text.p, 0, text.n);
    gnutls_memset(bytes, 0, sizeof(bytes));
    gm_buf_deinit(&text);
}

void gm_token_wipe(char *text, size_t n)
{
    gnutls_memset(text, 0, n);
}

void gm_token_hash(struct gm_str token, char out[GM_SHA256_HEX_SIZE])
{
    uint8_t hash[GM_SHA256_SIZE];
    gm_sha256(token, hash);
    gm_hex_z(hash, sizeof(hash), out);
}

/* ---- the development token ---- */

char *gm_token_development_path_z(const char *data_z)
{
    return gm_format_z("%s/tokens/development", data_z);
}

gm_rc gm_token_development_renew(const char *data_z, char out[GM_TOKEN_TEXT_SIZE],
                                 struct gm_err *err)
{
    char token[GM_TOKEN_TEXT_SIZE];
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/tokens", data_z);
    GM_AUTO_FREE char *path_z = gm_token_development_path_z(data_z);
    gm_token_new(token);
    GM_AUTO_FREE char *line_z = gm_format_z("%s\n", token);
    GM_TRY(gm_folder_make(folder_z, err));
    GM_TRY(gm_file_write_atomic(path_z, gm_str_z(line_z), 0600, err));
    memcpy(out, token, sizeof(token));
    return GM_OK;
}

gm_rc gm_token_development_read(const char *path_z, char out[GM_TOKEN_TEXT_SIZE],
                                struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, 4 << 10);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    struct gm_str token = gm_str_trim(gm_buf_str(&text));
    if (rc == GM_OK && (token.n < TOKEN_SIZE_MIN || token.n >= GM_TOKEN_TEXT_SIZE ||
                        memchr(token.p, '\0', token.n) != NULL)) {
        rc = gm_fail(err, GM_E_CONFIG, "%s: this is no token; `gemel token new` makes another one",
                     path_z);
    }
    if (rc == GM_OK) {
        memcpy(out, token.p, token.n);
        out[token.n] = '\0';
    }
    gm_buf_deinit(&text);
    return rc;
}

gm_rc gm_token_development(const char *data_z, char out[GM_TOKEN_TEXT_SIZE], struct gm_err *err)
{
    GM_AUTO_FREE char *path_z = gm_token_development_path_z(data_z);
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    return info.type == GM_FILE_MISSING ? gm_token_development_renew(data_z, out, err)
                                        : gm_token_development_read(path_z, out, err);
}
