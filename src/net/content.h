/* Bodies that are compressed on their way (Content-Encoding: gzip, RFC 1952; zstd, RFC 8878).
 *
 *     gm_buf_init(&plain, limit);                         // a small body may hold a very large one
 *     rc = gm_content_decode(header_z, body, &plain, err);
 *
 * Thread rule: any thread. */
#ifndef GM_NET_CONTENT_H
#define GM_NET_CONTENT_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

enum gm_coding { GM_CODING_NONE, GM_CODING_GZIP, GM_CODING_ZSTD, GM_CODING_UNKNOWN };
enum gm_coding gm_coding_find(const char *name_z); /* of the header; NULL: none */

/* Appends the plain bytes to `out`. GM_E_LIMIT: they are more than `out` takes; GM_E_INVALID: the
 * body is damaged, cut off, or has something behind its end. */
gm_rc gm_content_decode(enum gm_coding coding, struct gm_str body, struct gm_buf *out,
                        struct gm_err *err) GM_MUST_CHECK;

#endif
