/* Numbers as text, independent of locale, strict: the whole view must be the number.
 *
 *     double v;
 *     char text[GM_NUM_TEXT_SIZE];
 *     if (gm_parse_double(GM_STR("21.35"), &v)) {
 *         size_t n = gm_format_double(v, text);
 *     }
 *
 * Reading rounds correctly, whatever the number of digits. On failure the output is untouched.
 * Thread rule: values, no shared state. */
#ifndef GM_BASE_NUM_H
#define GM_BASE_NUM_H

#include <stdint.h>

#include "base/str.h"

/* [+-]digits within range. No white space, no leading zeros rule. */
bool gm_parse_i64(struct gm_str s, int64_t *out_v);
/* JSON number grammar plus a leading '+' and leading zeros; finite results only. "1e999" and "nan"
 * are refused. */
bool gm_parse_double(struct gm_str s, double *out_v);
/* true/false, yes/no, 1/0 in any case. */
bool gm_parse_bool(struct gm_str s, bool *out_v);

enum { GM_NUM_TEXT_SIZE = 40 };
size_t gm_format_i64(int64_t v, char out[GM_NUM_TEXT_SIZE]);
size_t gm_format_u64(uint64_t v, char *out); /* at most 20 digits */
/* The shortest text that reads back equal, valid JSON; integral values keep ".0" ("18.0"). From
 * 1e-6 to below 1e17 it is plain, else with an exponent ("1.5e-7"). `v` must be finite. */
size_t gm_format_double(double v, char out[GM_NUM_TEXT_SIZE]);

/* "512", "64kB", "10MiB": decimal and binary units. */
bool gm_parse_size(struct gm_str s, uint64_t *out_bytes);
/* "5%", "0.5%", "0.05" as a share of 0 … 1. */
bool gm_parse_share(struct gm_str s, double *out_share);

#endif
