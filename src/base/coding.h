/* Bytes as text: hexadecimal, base64 and base64url (RFC 4648), percent escapes (RFC 3986).
 *
 *     char text[2 * sizeof(bytes) + 1];
 *     gm_hex_z(bytes, sizeof(bytes), text);
 *     gm_percent_add(&path, GM_STR("a/b"));   // a%2Fb
 *     if (!gm_percent_take(&plain, sent)) { … a bad escape … }
 *
 * `…_add` appends the coded text to a buffer, `…_take` the decoded bytes; after a false `…_take`
 * what was appended means nothing. Thread rule: values, no shared state. */
#ifndef GM_BASE_CODING_H
#define GM_BASE_CODING_H

#include "base/buf.h"

/* -1: no hexadecimal digit, of either case. */
int gm_hex_digit(char c);
/* 2 n digits in lower case and a NUL. */
void gm_hex_z(const void *bytes, size_t n, char *out);
/* text.n / 2 bytes. False: an odd count, or another character; `out` may be written in part. */
bool gm_hex_read(struct gm_str text, void *out) GM_MUST_CHECK;

/* RFC 4648, section 4, with padding: that many characters, no NUL. */
#define GM_BASE64_SIZE(n) (((n) + 2) / 3 * 4)
void gm_base64(struct gm_str bytes, char *out);

/* RFC 4648, section 5, without padding, as RFC 7515 wants it. */
void gm_base64url_add(struct gm_buf *out, struct gm_str bytes);
/* False: another character, padding, a length that cannot be, or bits behind the end that are not
 * zero. */
bool gm_base64url_take(struct gm_buf *out, struct gm_str text) GM_MUST_CHECK;

/* All but letters, digits and -._~ becomes %XX: a part of a path or of a query. */
void gm_percent_add(struct gm_buf *out, struct gm_str text);
/* False: a bad escape, an escaped NUL, or what is in `out` then is not UTF-8. */
bool gm_percent_take(struct gm_buf *out, struct gm_str text) GM_MUST_CHECK;

#endif
