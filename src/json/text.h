/* Inside of json/: JSON text on its way into a gm_buf.
 *
 * The writer keeps a window of reserved bytes in the buffer and fills it with plain stores, so that
 * a document costs a handful of calls into the buffer and not one a token.
 *
 *     struct gm_json_text text;
 *     gm_json_text_begin(&text, out);
 *     gm_json_text_char(&text, '[');
 *     gm_json_text_i64(&text, 7);
 *     gm_json_text_char(&text, ']');
 *     gm_json_text_end(&text);      // nothing is in the buffer before this
 *
 * When the buffer's limit is reached, the rest is dropped and the buffer says failed. */
#ifndef GM_JSON_TEXT_H
#define GM_JSON_TEXT_H

#include <stdint.h>

#include "base/buf.h"

struct gm_json_text {
    struct gm_buf *buf;
    char *start; /* of the window; NULL: none, or failed */
    char *at;
    char *end;
};

void gm_json_text_begin(struct gm_json_text *text, struct gm_buf *buf);
void gm_json_text_end(struct gm_json_text *text);

/* Makes a window of at least `n` bytes. NULL at the limit. */
char *gm_json_text_grow(struct gm_json_text *text, size_t n);

static inline char *gm_json_text_need(struct gm_json_text *text, size_t n)
{
    return (size_t)(text->end - text->at) >= n ? text->at : gm_json_text_grow(text, n);
}

static inline void gm_json_text_char(struct gm_json_text *text, char c)
{
    char *p = gm_json_text_need(text, 1);
    if (p != NULL) {
        *p = c;
        text->at = p + 1;
    }
}

static inline void gm_json_text_bytes(struct gm_json_text *text, const char *bytes, size_t n)
{
    char *p = gm_json_text_need(text, n);
    if (p != NULL) {
        memcpy(p, bytes, n);
        text->at = p + n;
    }
}

void gm_json_text_string(struct gm_json_text *text, struct gm_str s); /* with quotes and escapes */
void gm_json_text_u64(struct gm_json_text *text, uint64_t v);
void gm_json_text_i64(struct gm_json_text *text, int64_t v);
void gm_json_text_double(struct gm_json_text *text, double v); /* null when it is not finite */

#endif
