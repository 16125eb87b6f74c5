/* Time as numbers: no clock here (os/clock.h), no locale, no time zone database.
 *
 *     gm_ns t;
 *     if (!gm_time_parse(GM_STR("2026-11-20T17:09:55Z"), &t)) { … }
 *     char text[GM_TIME_TEXT_SIZE];
 *     gm_time_format(t + 90 * GM_MINUTE, text);
 *
 * Instants are nanoseconds since 1970-01-01T00:00:00Z, proleptic Gregorian calendar, without leap
 * seconds; the range of int64 is 1677 to 2262. Formats are those of ISO 8601 / RFC 3339. Thread
 * rule: values, no shared state. */
#ifndef GM_BASE_TIME_H
#define GM_BASE_TIME_H

#include <stdint.h>

#include "base/status.h"
#include "base/str.h"

typedef int64_t gm_ns; /* nanoseconds: an instant or a span */

#define GM_NS ((gm_ns)1)
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
bool gm_time_join(const struct gm_date *date,
                  gm_ns *out_t); /* false: no such day or out of range */

/* "2026-11-20T17:09:55.1234567Z": seven digits, as Azure writes them. Returns the length. */
size_t gm_time_format(gm_ns t, char out[GM_TIME_TEXT_SIZE]);
/* "2026-11-20T17:09:55Z" when there is no fraction, else as many digits as are needed. */
size_t gm_time_format_short(gm_ns t, char out[GM_TIME_TEXT_SIZE]);

/* Strict: date 'T' or ' ' time [fraction] [Z | ±hh:mm | ±hhmm | ±hh]; without an offset it is UTC.
 * A date alone is midnight. Fraction digits behind the ninth are dropped. False also for instants
 * out of range: see gm_datetime_valid. */
bool gm_time_parse(struct gm_str s, gm_ns *out_t);
/* The same form, with any year from 0000 to 9999: business tables write "for ever" as 9999-12-31.
 */
bool gm_datetime_valid(struct gm_str s);
bool gm_date_valid(struct gm_str s); /* YYYY-MM-DD */
bool gm_clock_time_valid(
    struct gm_str s); /* hh:mm:ss[.fraction][Z|±hh:mm] (RFC 3339 full-time; offset optional) */
bool gm_iso_duration_valid(
    struct gm_str s); /* P[nY][nM][nW][nD][T[nH][nM][n[.n]S]], at least one part */

/* Spans as users write them: "250ms", "30s", "10m", "2h", "1d", "1h30m", "1.5s". Units are d h m s
 * ms us ns, each at most once and the larger ones first. No unit is an error, except for 0. */
bool gm_span_parse(struct gm_str s, gm_ns *out_span);
size_t gm_span_format(
    gm_ns span,
    char out[GM_TIME_TEXT_SIZE]); /* the same form, at most two units: "1h30m", "1.25s" */

#endif
