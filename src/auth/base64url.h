/* base64url without padding: RFC 4648, section 5, as RFC 7515 wants it. Internal to auth/.
 * Thread rule: values. */
#ifndef GM_AUTH_BASE64URL_H
#define GM_AUTH_BASE64URL_H

#include "base/buf.h"

void gm_base64url_add(struct gm_buf *out, struct gm_str bytes);
/* Appends the bytes. False: another character, padding, a length that cannot be, or bits behind the
 * end that are not zero; `out` is undefined then. */
bool gm_base64url_take(struct gm_buf *out, struct gm_str text) GM_MUST_CHECK;

#endif
