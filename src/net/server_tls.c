/* Certificates of the HTTP server: checked when they are given, chosen at each handshake, so that
 * they can be replaced while it runs. */
#include "net/server_tls.h"

#include <gnutls/x509.h>

#include "base/mem.h"
#include "net/datum.h"

enum {
    CHAIN_MAX = 8,
    /* Certificates are replaced every few weeks; each is kept until the server stops. */
    IDENTITIES_MAX = 1000,
};

struct gm_server_identity {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
    struct gm_server_identity *former;
};

static gm_rc take_chain(struct gm_server_identity *identity, const char *certificate_z,
                        struct gm_err *err)
{
    gnutls_datum_t pem = gm_datum(gm_str_z(certificate_z));
    identity->count = CHAIN_MAX;
    int error = gnutls_pcert_list_import_x509_raw(identity->chain, &identity->count, &pem,
                                                  GNUTLS_X509_FMT_PEM, 0);
    if (error < 0 || identity->count == 0) {
        identity->count = 0;
        return gm_fail(err, GM_E_CONFIG,
                       "the certificate cannot be used: %s; it has to be PEM, the server's first "
                       "and those that signed it behind it, %d at most",
                       gnutls_strerror(error), CHAIN_MAX);
    }
    return GM_OK;
}

/* By the public part: both have the same identifier. */
static gm_rc check_pair(const struct gm_server_identity *identity, struct gm_err *err)
{
    unsigned char of_certificate[64], of_key[64];
    size_t n = sizeof(of_certificate), m = sizeof(of_key);
    gnutls_pubkey_t public;
    GM_ASSERT(gnutls_pubkey_init(&public) == 0);
    bool same = gnutls_pubkey_import_privkey(public, identity->key, 0, 0) == 0 &&
                gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &m) == 0 &&
                gnutls_pubkey_get_key_id(identity->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                                         of_certificate, &n) == 0 &&
                n == m && memcmp(of_key, of_certificate, n) == 0;
    gnutls_pubkey_deinit(public);
    return same ? GM_OK : gm_fail(err, GM_E_CONFIG, "the key does not fit the certificate");
}

static gm_rc take_key(struct gm_server_identity *identity, const char *key_z, struct gm_err *err)
{
    gnutls_datum_t pem = gm_datum(gm_str_z(key_z));
    GM_ASSERT(gnutls_privkey_init(&identity->key) == 0);
    int error = gnutls_privkey_import_x509_raw(identity->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (error < 0) {
        return gm_fail(err, GM_E_CONFIG,
                       "the key cannot be used: %s; it has to be PEM and not encrypted",
                       gnutls_strerror(error));
    }
    return check_pair(identity, err);
}

gm_rc gm_server_identity_new(const struct gm_http_tls *tls,
                             struct gm_server_identity **out_identity, struct gm_err *err)
{
    struct gm_server_identity *identity = gm_alloc(sizeof(*identity));
    gm_rc rc = take_chain(identity, tls->certificate_z, err);
    rc = rc == GM_OK ? take_key(identity, tls->key_z, err) : rc;
    if (rc != GM_OK) {
        gm_server_identity_free(identity);
        return rc;
    }
    *out_identity = identity;
    return GM_OK;
}

void gm_server_identity_free(struct gm_server_identity *identity)
{
    while (identity != NULL) {
        struct gm_server_identity *former = identity->former;
        for (unsigned i = 0; i < identity->count; i++) {
            gnutls_pcert_deinit(&identity->chain[i]);
        }
        if (identity->key != NULL) {
            gnutls_privkey_deinit(identity->key);
        }
        gm_free(identity);
        identity = former;
    }
}

/* At each handshake. The library gave the session its connection. */
/* tidy: params: the library's signature */
int gm_server_identity_choose(gnutls_session_t session, const gnutls_datum_t *authorities,
                              int authority_count, const gnutls_pk_algorithm_t *algorithms,
                              int algorithm_count, gnutls_pcert_st **out_chain, unsigned *out_count,
                              gnutls_privkey_t *out_key)
{
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        gnutls_session_get_ptr(session), MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const struct gm_link *link = info->socket_context;
    /* pairs with the exchange in gm_http_server_renew */
    struct gm_server_identity *identity =
        atomic_load_explicit(&link->server->identity, memory_order_acquire);
    *out_chain = identity->chain;
    *out_count = identity->count;
    *out_key = identity->key;
    return 0;
}

gm_rc gm_http_server_renew(struct gm_http_server *server, const struct gm_http_tls *tls,
                           struct gm_err *err)
{
    struct gm_server_identity *identity;
    GM_ASSERT(server->identity != NULL);
    GM_TRY(gm_server_identity_new(tls, &identity, err));
    gm_mutex_lock(server->mu);
    bool room = server->identity_count < IDENTITIES_MAX;
    if (room) {
        server->identity_count++;
        identity->former = server->identity;
        atomic_store_explicit(&server->identity, identity, memory_order_release);
    }
    gm_mutex_unlock(server->mu);
    if (!room) {
        gm_server_identity_free(identity);
        return gm_fail(err, GM_E_LIMIT, "the certificate was replaced %d times; start anew",
                       IDENTITIES_MAX);
    }
    return GM_OK;
}
