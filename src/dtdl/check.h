/* Between the files that check values. */
#ifndef GM_DTDL_CHECK_H
#define GM_DTDL_CHECK_H

#include "dtdl/model.h"

/* Puts a place in front of the message; `err` may be NULL. Returns `rc`. */
gm_rc gm_dtdl_within(struct gm_err *err, gm_rc rc, const char *fmt, ...) GM_PRINTF(3, 4);

/* A GeoJSON geometry (RFC 7946) of the schema's type: an object of `type` and `coordinates`. */
gm_rc gm_dtdl_geo_check(const struct gm_schema *schema, const yyjson_mut_val *object,
                        struct gm_err *err) GM_MUST_CHECK;

#endif
