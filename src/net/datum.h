/* Texts as GnuTLS takes them. Its type is not const, but what is given to it is only read. */
#ifndef GM_NET_DATUM_H
#define GM_NET_DATUM_H

#include <gnutls/gnutls.h>

#include "base/str.h"

/* Borrows the text. */
static inline gnutls_datum_t gm_datum(struct gm_str text)
{
    union {
        const char *from;
        unsigned char *to;
    } bytes = {.from = text.p};
    return (gnutls_datum_t){bytes.to, (unsigned)text.n};
}

#endif
