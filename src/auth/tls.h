/* Certificates: a local authority that signs the server's own, or those of the user.
 *
 *     struct gm_tls_options options = {.folder_z = "./data/tls", .names = names, .name_count = 1};
 *     struct gm_tls_pair pair;
 *     GM_TRY(gm_tls_local(&options, &pair, err));
 *     … {.certificate_z = pair.certificate_z, .key_z = pair.key_z} for net/server.h …
 *     gm_tls_pair_free(&pair);
 *
 * FOLDER/ca.pem, ca.key: an authority of this machine, ECDSA P-256, 10 years, made on first use,
 *     and anew when less than 1 year of it is left. Clients are told to trust it (`gemel tls
 *     export`). It may sign no further authorities.
 * FOLDER/server.pem, server.key: signed by it, for localhost, 127.0.0.1, ::1, the machine's name
 *     and the configured names; 1 year. Made anew when less than 30 days are left, when it is not
 *     signed by the authority beside it, or when it lacks one of the names.
 * Keys have mode 0600. Files are replaced whole, a key before its certificate; a crash between the
 * two leaves a pair that does not fit, which the next start makes anew.
 *
 * Thread rule: any thread; one process at a time works in the folder (the data directory's lock).
 * Reading is safe at any time. */
#ifndef GM_AUTH_TLS_H
#define GM_AUTH_TLS_H

#include "base/buf.h"
#include "base/status.h"
#include "base/time.h"

struct gm_tls_options {
    const char *folder_z;
    const char *const *names; /* further host names and addresses */
    size_t name_count;
    gm_ns now; /* wall clock; 0: now */
};

/* PEM texts; the key is wiped before it is freed. */
struct gm_tls_pair {
    char *certificate_z; /* the server's first, then those that signed it */
    char *key_z;
    gm_ns until; /* when the server's expires */
};
void gm_tls_pair_free(struct gm_tls_pair *pair); /* zeroed is fine */

/* The local pair, made or renewed where that is due. *out_pair is freed by the caller. GM_E_CONFIG:
 * a name is none, or a file in the folder cannot be read; GM_E_IO: it cannot be written. */
gm_rc gm_tls_local(const struct gm_tls_options *options, struct gm_tls_pair *out_pair,
                   struct gm_err *err) GM_MUST_CHECK;
/* Forgets server certificate (and, when asked, the authority) and makes them anew. */
gm_rc gm_tls_renew(const struct gm_tls_options *options, bool authority, struct gm_err *err)
    GM_MUST_CHECK;

/* The user's own files (PEM). GM_E_CONFIG: not there, no PEM, the key does not fit the certificate,
 * not valid yet or any more at `now` (0: now), or its chain is out of order; the message says which
 * and what to do. */
gm_rc gm_tls_load(const char *certificate_path_z, const char *key_path_z, gm_ns now,
                  struct gm_tls_pair *out_pair, struct gm_err *err) GM_MUST_CHECK;

enum { GM_FINGERPRINT_SIZE = 96 };
/* What a certificate says: the first of a PEM file. */
struct gm_tls_info {
    char fingerprint[GM_FINGERPRINT_SIZE]; /* SHA-256, "AB:CD:…", as openssl prints it */
    struct gm_buf subject;
    struct gm_buf issuer;
    struct gm_buf names; /* "localhost, 127.0.0.1"; empty for an authority */
    gm_ns from, until;
};
gm_rc gm_tls_describe(const char *certificate_path_z, struct gm_tls_info *out_info,
                      struct gm_err *err) GM_MUST_CHECK;
void gm_tls_info_free(struct gm_tls_info *info);

#endif
