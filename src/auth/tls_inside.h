/* Certificates and keys in hand: read, checked, made. Internal to auth/.
 * Thread rule: values of one thread. */
#ifndef GM_AUTH_TLS_INSIDE_H
#define GM_AUTH_TLS_INSIDE_H

#include <gnutls/x509.h>

#include "auth/tls.h"

/* A certificate with its key; both NULL, or both set. */
struct gm_tls_holder {
    gnutls_x509_crt_t certificate;
    gnutls_x509_privkey_t key;
};
void gm_tls_holder_deinit(struct gm_tls_holder *holder);

enum { GM_TLS_FILE_SIZE_MAX = 1 << 20 };
/* The file's text, owned; it is wiped by gm_tls_text_free. */
gm_rc gm_tls_read_z(const char *path_z, char **out_text_z, struct gm_err *err) GM_MUST_CHECK;
void gm_tls_text_free(char *text_z); /* NULL is fine */

/* Of PEM texts. False: no certificate or key that can be read, or they do not fit. */
bool gm_tls_holder_read(const struct gm_tls_pair *pair, struct gm_tls_holder *out_holder);
bool gm_tls_key_fits(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key);

/* Whether it is made out to all of them: host names and addresses. */
bool gm_tls_covers(gnutls_x509_crt_t certificate, const char *const *names, size_t count);
/* A host name (also *.example.com) or an address. */
bool gm_tls_name_valid(const char *name_z);
/* Appends an address of 4 or 16 bytes as text. */
void gm_tls_write_address(const unsigned char *bytes, size_t n, struct gm_buf *out);

struct gm_tls_wish {
    const char *common_name_z;
    const struct gm_tls_holder *authority; /* who signs; NULL: an authority, signed by itself */
    const char *const *names;
    size_t name_count;
    gm_ns from, until;
};
gm_rc gm_tls_make(const struct gm_tls_wish *wish, struct gm_tls_holder *out_holder,
                  struct gm_err *err) GM_MUST_CHECK;
/* Owned PEM texts. */
gm_rc gm_tls_holder_write(const struct gm_tls_holder *holder, struct gm_tls_pair *out_pair,
                          struct gm_err *err) GM_MUST_CHECK;

#endif
