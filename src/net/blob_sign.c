/* Shared Key authorization of Azure Storage:
 * https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/vec.h"
#include "net/blob_request.h"
#include "net/server.h"

enum { TEXT_SIZE_MAX = 64 << 10, HMAC_SIZE = 32 };

static int compare_headers(const void *a, const void *b)
{
    const struct gm_http_header *x = a, *y = b;
    return strcmp(x->name_z, y->name_z);
}

/* x-ms-… headers, by name; ours are in lower case. */
static void add_headers(struct gm_buf *text, const struct gm_blob_request *request)
{
    struct gm_http_header sorted[GM_BLOB_HEADERS_MAX];
    memcpy(sorted, request->headers, request->header_count * sizeof(sorted[0]));
    qsort(sorted, request->header_count, sizeof(sorted[0]), compare_headers);
    for (size_t i = 0; i < request->header_count; i++) {
        gm_buf_addf(text, "%s:%s\n", sorted[i].name_z, sorted[i].value_z);
    }
}

struct parameter {
    char *name_z, *value_z;
};

static int compare_parameters(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    return strcmp(x->name_z, y->name_z);
}

static char *unescape_z(struct gm_str text)
{
    struct gm_buf plain;
    gm_buf_init(&plain, TEXT_SIZE_MAX);
    gm_buf_add_z(&plain, "");
    bool fine = gm_percent_take(&plain, text);
    char *out_z = gm_str_dup_z(fine ? gm_buf_str(&plain) : text);
    gm_buf_deinit(&plain);
    return out_z;
}

/* "\nname:value" for each parameter of the query, by name, decoded, names in lower case. */
static void add_query(struct gm_buf *text, struct gm_str query)
{
    GM_VEC(struct parameter) parameters = {0};
    while (query.n > 0) {
        struct gm_str part, name, value;
        (void)gm_str_cut(query, '&', &part, &query);
        (void)gm_str_cut(part, '=', &name, &value);
        struct parameter parameter = {unescape_z(name), unescape_z(value)};
        for (char *c = parameter.name_z; *c != '\0'; c++) {
            *c = gm_ascii_lower(*c);
        }
        *gm_vec_push(&parameters) = parameter;
    }
    if (parameters.n > 0) {
        qsort(parameters.at, parameters.n, sizeof(parameters.at[0]), compare_parameters);
    }
    for (size_t i = 0; i < parameters.n; i++) {
        gm_buf_addf(text, "\n%s:%s", parameters.at[i].name_z, parameters.at[i].value_z);
        gm_free(parameters.at[i].name_z);
        gm_free(parameters.at[i].value_z);
    }
    gm_vec_deinit(&parameters);
}

/* "/account" and the path as it is sent: of an emulator, whose paths begin with the account, it is
 * there twice. */
static void add_resource(struct gm_buf *text, const struct gm_blob_request *request)
{
    struct gm_str path, query;
    const char *host = strstr(request->url_z, "://");
    GM_ASSERT(host != NULL);
    const char *slash = strchr(host + 3, '/');
    (void)gm_str_cut(slash != NULL ? gm_str_z(slash) : GM_STR("/"), '?', &path, &query);
    gm_buf_addf(text, "/%s" GM_STR_FMT, request->account->name_z, GM_STR_ARG(path));
    add_query(text, query);
}

static void write_text(struct gm_buf *text, const struct gm_blob_request *request)
{
    gm_buf_addf(text, "%s\n\n\n", request->method_z); /* encoding, language */
    if (request->body.n > 0) {
        gm_buf_addf(text, "%zu", request->body.n);
    }
    gm_buf_addf(text, "\n\n%s\n", request->body.p != NULL ? GM_BLOB_BODY_TYPE : ""); /* MD5, type */
    gm_buf_add_z(text, "\n\n\n\n\n\n"); /* date (x-ms-date stands for it), conditions, range */
    add_headers(text, request);
    add_resource(text, request);
}

gm_rc gm_blob_sign(const struct gm_blob_request *request, char **out_authorization_z,
                   struct gm_err *err)
{
    const struct gm_blob_account *account = request->account;
    gnutls_datum_t key, coded = {0};
    const gnutls_datum_t key_text = {(unsigned char *)(uintptr_t)account->key_z,
                                     (unsigned)strlen(account->key_z)};
    if (gnutls_base64_decode2(&key_text, &key) != 0) {
        return gm_fail(err, GM_E_CONFIG, "the key of the storage account %s is not base64",
                       account->name_z);
    }
    struct gm_buf text;
    gm_buf_init(&text, TEXT_SIZE_MAX);
    write_text(&text, request);
    unsigned char hmac[HMAC_SIZE];
    int failed = gm_buf_failed(&text) ||
                 gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data, key.size, text.p, text.n, hmac) != 0;
    gm_buf_deinit(&text);
    gnutls_free(key.data);
    const gnutls_datum_t signature = {hmac, HMAC_SIZE};
    failed = failed || gnutls_base64_encode2(&signature, &coded) != 0;
    if (failed) {
        return gm_fail(err, GM_E_CONFIG, "the request to the storage account %s cannot be signed",
                       account->name_z);
    }
    *out_authorization_z =
        gm_format_z("SharedKey %s:%.*s", account->name_z, (int)coded.size, (char *)coded.data);
    gnutls_free(coded.data);
    return GM_OK;
}
