/* Time as numbers: no clock here (os/clock.h), no locale, no time zone database.
 * Instants are nanoseconds since 1970-01-01T00:00:00Z, proleptic Gregorian calendar, without leap seconds; the range of
 * int64 is 1677 to 2262. Formats are those of ISO 8601 / RFC 3339. */
#ifndef GM_BASE_TIME_H
#define GM_BASE_TIME_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

typedef int64_t gm_ns; /* nanoseconds: an instant or a span */

#define GM_US ((gm_ns)1000)
#define GM_MS ((gm_ns)1000000)
#define GM_SECOND ((gm_ns)1000000000)
#define GM_MINUTE (60 * GM_SECOND)
#define GM_HOUR (60 * GM_MINUTE)
#define GM_DAY (24 * GM_HOUR)

enum { GM_TIME_TEXT_SIZE = 40 };

struct gm_date {
    int32_t year;
    int32_t month; /* 1-12 */
    int32_t day;   /* 1-31 */
    int32_t hour, minute, second;
    int32_t nanos;
    int32_t weekday; /* 0 = Sunday */
};

void gm_time_split(gm_ns t, struct gm_date *out_date); /* UTC */
bool gm_time_join(const struct gm_date *date, gm_ns *out_t); /* false: no such day or out of range */

/* "2026-11-20T17:09:55.1234567Z": seven digits, as Azure writes them. Returns the length. */
size_t gm_time_format(gm_ns t, char out[GM_TIME_TEXT_SIZE]);
/* "2026-11-20T17:09:55Z" when there is no fraction, else as many digits as are needed. */
size_t gm_time_format_short(gm_ns t, char out[GM_TIME_TEXT_SIZE]);

/* Strict: date 'T' or ' ' time [fraction] [Z | ±hh:mm | ±hhmm]; without an offset it is UTC. A date alone is midnight. */
bool gm_time_parse(struct gm_str s, gm_ns *out_t);
bool gm_date_valid(struct gm_str s);          /* YYYY-MM-DD */
bool gm_clock_time_valid(struct gm_str s);    /* hh:mm:ss[.fraction][Z|±hh:mm] (RFC 3339 full-time; offset optional) */
bool gm_iso_duration_valid(struct gm_str s);  /* P[nY][nM][nW][nD][T[nH][nM][n[.n]S]], at least one part */

/* Spans as users write them: "250ms", "30s", "10m", "2h", "1d", "1h30m". No unit is an error, except for 0. */
bool gm_span_parse(struct gm_str s, gm_ns *out_span);
size_t gm_span_format(gm_ns span, char out[GM_TIME_TEXT_SIZE]); /* the same form, at most two units: "1h30m", "1.25s" */

#endif
