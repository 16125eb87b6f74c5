/* Dates and times as DTDL takes them, which is stricter than base/time.h: RFC 3339 with an offset,
 * years from 0001, durations of ISO 8601 with weeks or with years and months, a fraction in the
 * last part only. Empty views are invalid. */
#ifndef GM_DTDL_TEMPORAL_H
#define GM_DTDL_TEMPORAL_H

#include <stdbool.h>

#include "base/str.h"

bool gm_dtdl_date_valid(struct gm_str s);     /* 2026-11-20 */
bool gm_dtdl_datetime_valid(struct gm_str s); /* 2026-11-20T17:09:55.123+01:00 */
bool gm_dtdl_time_valid(struct gm_str s);     /* 17:09:55.123Z */
bool gm_dtdl_duration_valid(struct gm_str s); /* P3DT4H, P2W, PT0.5S */

#endif
