/* The certificates of the HTTP server. Internal to net/: of server.c and server_tls.c. */
#ifndef GM_NET_SERVER_TLS_H
#define GM_NET_SERVER_TLS_H

#include <gnutls/abstract.h>

#include "net/server_inside.h"

/* TLS 1.2 and 1.3, forward secrecy, authenticated ciphers; the fastest of these first. */
#define GM_SERVER_PRIORITIES                                                                       \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"      \
    "+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE"

/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
/* tidy: params: the library's signature */
int gm_server_identity_choose(gnutls_session_t session, const gnutls_datum_t *authorities,
                              int authority_count, const gnutls_pk_algorithm_t *algorithms,
                              int algorithm_count, gnutls_pcert_st **out_chain, unsigned *out_count,
                              gnutls_privkey_t *out_key);

#endif
