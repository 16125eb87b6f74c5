/* One value out of a JSON text, found by skipping over the rest: for conditions on millions of
 * stored documents, of which most are looked at once and thrown away.
 *
 *     struct gm_json_span span;
 *     gm_json_scan(body, GM_STR("$.\"drive\".\"rpm\""), &span);
 *     if (span.rank == GM_JSON_RANK_NUMBER) { … span.raw … }
 *
 * The text must be what this program stored: valid JSON in canonical form (json.h), whose names are
 * escaped as gm_json_quote escapes them, so that names are compared as they stand. Any other text
 * gives some answer, or none, without reading outside of it. A path is `$`, then `."name"` with the
 * name as gm_json_quote writes it, or `[index]`. Thread rule: no state. */
#ifndef GM_JSON_SCAN_H
#define GM_JSON_SCAN_H

#include "base/buf.h"
#include "base/str.h"

/* What is at a path; also the order of values of different types. */
enum gm_json_rank {
    GM_JSON_RANK_UNDEFINED,
    GM_JSON_RANK_NULL,
    GM_JSON_RANK_BOOL,
    GM_JSON_RANK_NUMBER,
    GM_JSON_RANK_TEXT,
    GM_JSON_RANK_ARRAY,
    GM_JSON_RANK_OBJECT,
};

struct gm_json_span {
    enum gm_json_rank rank;
    struct gm_str raw; /* as it stands in the text: of a TEXT what is between the quotes */
    bool escaped;      /* TEXT: raw holds escapes */
};

void gm_json_scan(struct gm_str text, struct gm_str path, struct gm_json_span *out_span);

/* The items of an array's span, one after the other: *at begins at 0. False: no more. */
bool gm_json_scan_item(struct gm_str array, size_t *at, struct gm_json_span *out_span);

/* Appends a TEXT's content with its escapes undone. */
void gm_json_scan_text(const struct gm_json_span *span, struct gm_buf *out);

#endif
