/* Reading certificates and keys, and saying what is wrong with them. */
#include <gnutls/crypto.h>
#include <stdio.h>

#include "auth/tls_inside.h"
#include "base/mem.h"
#include "net/datum.h"
#include "os/clock.h"
#include "os/file.h"

enum { CHAIN_MAX = 8, KEY_ID_SIZE_MAX = 64, NAME_SIZE_MAX = 256, FINGERPRINT_BYTES = 32 };

gm_rc gm_tls_read_z(const char *path_z, char **out_text_z, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_TLS_FILE_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    if (rc == GM_OK) {
        *out_text_z = gm_buf_take_z(&text);
    }
    gm_buf_deinit(&text);
    return rc;
}

void gm_tls_text_free(char *text_z)
{
    if (text_z != NULL) {
        gnutls_memset(text_z, 0, strlen(text_z));
        gm_free(text_z);
    }
}

void gm_tls_pair_free(struct gm_tls_pair *pair)
{
    gm_free(pair->certificate_z);
    gm_tls_text_free(pair->key_z);
    *pair = (struct gm_tls_pair){0};
}

void gm_tls_holder_deinit(struct gm_tls_holder *holder)
{
    if (holder->certificate != NULL) {
        gnutls_x509_crt_deinit(holder->certificate);
    }
    if (holder->key != NULL) {
        gnutls_x509_privkey_deinit(holder->key);
    }
    *holder = (struct gm_tls_holder){0};
}

bool gm_tls_key_fits(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key)
{
    unsigned char of_certificate[KEY_ID_SIZE_MAX], of_key[KEY_ID_SIZE_MAX];
    size_t n = sizeof(of_certificate), m = sizeof(of_key);
    return gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, of_certificate, &n) ==
               0 &&
           gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &m) == 0 &&
           n == m && memcmp(of_certificate, of_key, n) == 0;
}

bool gm_tls_holder_read(const struct gm_tls_pair *pair, struct gm_tls_holder *out_holder)
{
    struct gm_tls_holder read = {0};
    gnutls_datum_t certificate = gm_datum(gm_str_z(pair->certificate_z)),
                   key = gm_datum(gm_str_z(pair->key_z));
    GM_ASSERT(gnutls_x509_crt_init(&read.certificate) == 0);
    GM_ASSERT(gnutls_x509_privkey_init(&read.key) == 0);
    if (gnutls_x509_crt_import(read.certificate, &certificate, GNUTLS_X509_FMT_PEM) < 0 ||
        gnutls_x509_privkey_import2(read.key, &key, GNUTLS_X509_FMT_PEM, NULL, 0) < 0 ||
        !gm_tls_key_fits(read.certificate, read.key)) {
        gm_tls_holder_deinit(&read);
        return false;
    }
    *out_holder = read;
    return true;
}

/* ---- the user's own ---- */

static void write_day(gm_ns t, char out[GM_TIME_TEXT_SIZE])
{
    struct gm_date date;
    gm_time_split(t, &date);
    snprintf(out, GM_TIME_TEXT_SIZE, "%04d-%02d-%02d %02d:%02d UTC", date.year, date.month,
             date.day, date.hour, date.minute);
}

static gm_rc check_dates(gnutls_x509_crt_t certificate, const char *path_z, gm_ns now,
                         struct gm_err *err)
{
    char day[GM_TIME_TEXT_SIZE];
    gm_ns from = (gm_ns)gnutls_x509_crt_get_activation_time(certificate) * GM_SECOND;
    gm_ns until = (gm_ns)gnutls_x509_crt_get_expiration_time(certificate) * GM_SECOND;
    if (now < from) {
        write_day(from, day);
        return gm_fail(err, GM_E_CONFIG,
                       "%s: the certificate is valid from %s on; is this machine's clock right?",
                       path_z, day);
    }
    if (now >= until) {
        write_day(until, day);
        return gm_fail(err, GM_E_CONFIG,
                       "%s: the certificate expired at %s; replace it by a new one", path_z, day);
    }
    return GM_OK;
}

static gm_rc read_key(const char *path_z, const char *text_z, gnutls_x509_privkey_t key,
                      struct gm_err *err)
{
    gnutls_datum_t pem = gm_datum(gm_str_z(text_z));
    int error = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (error == GNUTLS_E_DECRYPTION_FAILED || strstr(text_z, "ENCRYPTED") != NULL) {
        return gm_fail(err, GM_E_CONFIG,
                       "%s: the key is encrypted; write it without a passphrase: "
                       "`openssl pkey -in KEY -out PLAIN`, mode 0600",
                       path_z);
    }
    return error < 0
               ? gm_fail(err, GM_E_CONFIG, "%s: no key in PEM: %s", path_z, gnutls_strerror(error))
               : GM_OK;
}

static gm_rc check_key(const char *certificate_path_z, const char *key_path_z, const char *text_z,
                       gnutls_x509_crt_t certificate, struct gm_err *err)
{
    gnutls_x509_privkey_t key;
    GM_ASSERT(gnutls_x509_privkey_init(&key) == 0);
    gm_rc rc = read_key(key_path_z, text_z, key, err);
    if (rc == GM_OK && !gm_tls_key_fits(certificate, key)) {
        rc = gm_fail(err, GM_E_CONFIG,
                     "%s: this is not the key of the certificate %s; the server's certificate has "
                     "to be the first in its file",
                     key_path_z, certificate_path_z);
    }
    gnutls_x509_privkey_deinit(key);
    return rc;
}

/* All of a PEM file, the server's first. */
static gm_rc read_chain(const char *path_z, const char *text_z, gnutls_x509_crt_t **out_chain,
                        unsigned *out_count, struct gm_err *err)
{
    gnutls_datum_t pem = gm_datum(gm_str_z(text_z));
    int error = gnutls_x509_crt_list_import2(out_chain, out_count, &pem, GNUTLS_X509_FMT_PEM,
                                             GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
    if (error == GNUTLS_E_CERTIFICATE_LIST_UNSORTED) {
        return gm_fail(err, GM_E_CONFIG,
                       "%s: the certificates are out of order; the server's comes first, and "
                       "behind each the one that signed it",
                       path_z);
    }
    return error < 0 ? gm_fail(err, GM_E_CONFIG, "%s: no certificate in PEM: %s", path_z,
                               gnutls_strerror(error))
                     : GM_OK;
}

static void free_chain(gnutls_x509_crt_t *chain, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
}

static gm_rc check_pair(const char *certificate_path_z, const char *key_path_z, gm_ns now,
                        struct gm_tls_pair *pair, struct gm_err *err)
{
    gnutls_x509_crt_t *chain;
    unsigned count;
    GM_TRY(read_chain(certificate_path_z, pair->certificate_z, &chain, &count, err));
    gm_rc rc = count > CHAIN_MAX ? gm_fail(err, GM_E_CONFIG, "%s: more than %d certificates",
                                           certificate_path_z, CHAIN_MAX)
                                 : check_dates(chain[0], certificate_path_z, now, err);
    rc = rc == GM_OK ? check_key(certificate_path_z, key_path_z, pair->key_z, chain[0], err) : rc;
    pair->until = (gm_ns)gnutls_x509_crt_get_expiration_time(chain[0]) * GM_SECOND;
    free_chain(chain, count);
    return rc;
}

gm_rc gm_tls_load(const char *certificate_path_z, const char *key_path_z, gm_ns now,
                  struct gm_tls_pair *out_pair, struct gm_err *err)
{
    struct gm_tls_pair pair = {0};
    gm_rc rc = gm_tls_read_z(certificate_path_z, &pair.certificate_z, err);
    rc = rc == GM_OK ? gm_tls_read_z(key_path_z, &pair.key_z, err) : rc;
    rc = rc == GM_OK ? check_pair(certificate_path_z, key_path_z,
                                  now != 0 ? now : gm_clock_wall_now(), &pair, err)
                     : rc;
    if (rc != GM_OK) {
        gm_tls_pair_free(&pair);
        return rc;
    }
    *out_pair = pair;
    return GM_OK;
}

/* ---- describing ---- */

static void write_fingerprint(gnutls_x509_crt_t certificate, char out[GM_FINGERPRINT_SIZE])
{
    unsigned char bytes[FINGERPRINT_BYTES];
    size_t n = sizeof(bytes);
    GM_ASSERT(gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, bytes, &n) == 0);
    for (size_t i = 0; i < n; i++) {
        snprintf(out + 3 * i, 4, "%02X%s", bytes[i], i + 1 < n ? ":" : "");
    }
}

static void write_names(gnutls_x509_crt_t certificate, struct gm_buf *out)
{
    for (unsigned i = 0;; i++) {
        unsigned char name[NAME_SIZE_MAX];
        size_t n = sizeof(name);
        int type = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &n, NULL);
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE || type == GNUTLS_E_SHORT_MEMORY_BUFFER) {
            return;
        }
        gm_buf_add_z(out, out->n > 0 ? ", " : "");
        if (type == GNUTLS_SAN_DNSNAME) {
            gm_buf_addf(out, "%.*s", (int)n, (const char *)name);
        } else if (type == GNUTLS_SAN_IPADDRESS) {
            gm_tls_write_address(name, n, out);
        }
    }
}

static void write_dn(int error, gnutls_datum_t *dn, struct gm_buf *out)
{
    gm_buf_add_z(out, "");
    if (error == 0) {
        gm_buf_addf(out, "%.*s", (int)dn->size, (const char *)dn->data);
        gnutls_free(dn->data);
    }
}

gm_rc gm_tls_describe(const char *certificate_path_z, struct gm_tls_info *out_info,
                      struct gm_err *err)
{
    char *text_z = NULL;
    gnutls_x509_crt_t *chain;
    gnutls_datum_t dn;
    unsigned count;
    GM_TRY(gm_tls_read_z(certificate_path_z, &text_z, err));
    gm_rc rc = read_chain(certificate_path_z, text_z, &chain, &count, err);
    gm_free(text_z);
    GM_TRY(rc);
    *out_info = (struct gm_tls_info){0};
    gm_buf_init(&out_info->subject, 4 << 10);
    gm_buf_init(&out_info->issuer, 4 << 10);
    gm_buf_init(&out_info->names, 64 << 10);
    gm_buf_add_z(&out_info->names, "");
    write_fingerprint(chain[0], out_info->fingerprint);
    write_dn(gnutls_x509_crt_get_dn3(chain[0], &dn, 0), &dn, &out_info->subject);
    write_dn(gnutls_x509_crt_get_issuer_dn3(chain[0], &dn, 0), &dn, &out_info->issuer);
    write_names(chain[0], &out_info->names);
    out_info->from = (gm_ns)gnutls_x509_crt_get_activation_time(chain[0]) * GM_SECOND;
    out_info->until = (gm_ns)gnutls_x509_crt_get_expiration_time(chain[0]) * GM_SECOND;
    free_chain(chain, count);
    return GM_OK;
}

void gm_tls_info_free(struct gm_tls_info *info)
{
    gm_buf_deinit(&info->subject);
    gm_buf_deinit(&info->issuer);
    gm_buf_deinit(&info->names);
}
