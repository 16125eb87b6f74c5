/* Numbers as text, independent of locale, strict: the whole view must be the number. */
#ifndef GM_BASE_NUM_H
#define GM_BASE_NUM_H

#include <stdint.h>

#include "base/str.h"

/* [+-]digits within range. No white space, no leading zeros rule. */
bool gm_parse_i64(struct gm_str s, int64_t *out_v);
/* JSON number grammar plus a leading '+' and leading zeros; finite results only. "1e999" and "nan"
 * are refused. */
bool gm_parse_double(struct gm_str s, double *out_v);

enum { GM_NUM_TEXT_SIZE = 40 };
size_t gm_format_i64(int64_t v, char out[GM_NUM_TEXT_SIZE]);
/* The shortest text that reads back equal; integral values keep ".0" ("18.0"). `v` must be finite.
 */
size_t gm_format_double(double v, char out[GM_NUM_TEXT_SIZE]);

/* "512", "64kB", "10MiB": decimal and binary units. */
bool gm_parse_size(struct gm_str s, uint64_t *out_bytes);
/* "5%", "0.5%", "0.05" as a share of 0 … 1. */
bool gm_parse_share(struct gm_str s, double *out_share);

#endif
