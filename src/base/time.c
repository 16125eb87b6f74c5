#include "base/time.h"

#include <stdint.h>

#include "base/num.h"

/* Civil dates from day numbers and back: Howard Hinnant, "chrono-compatible low-level date
 * algorithms", https://howardhinnant.github.io/date_algorithms.html (days_from_civil,
 * civil_from_days). Years begin on 1 March there, so that the leap day is the last of its year; an
 * era is 400 years of 146097 days. */
enum { ERA_DAYS = 146097, EPOCH_DAYS = 719468, YEAR_MIN = -9999, YEAR_MAX = 9999 };

static int64_t days_from_civil(int64_t year, int32_t month, int32_t day)
{
    year -= month <= 2 ? 1 : 0;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * ERA_DAYS + day_of_era - EPOCH_DAYS;
}

static void civil_from_days(int64_t days, struct gm_date *out_date)
{
    days += EPOCH_DAYS;
    int64_t era = (days >= 0 ? days : days - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    out_date->day = (int32_t)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    out_date->month =
        (int32_t)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    out_date->year = (int32_t)(year_of_era + era * 400 + (out_date->month <= 2 ? 1 : 0));
}

static int64_t floor_divide(int64_t v, int64_t by)
{
    return v / by - (v % by < 0 ? 1 : 0);
}

void gm_time_split(gm_ns t, struct gm_date *out_date)
{
    int64_t days = floor_divide(t, GM_DAY);
    /* t - days × DAY, without the product, which is below int64 for the earliest instants. */
    gm_ns in_day = t % GM_DAY < 0 ? t % GM_DAY + GM_DAY : t % GM_DAY;
    civil_from_days(days, out_date);
    out_date->hour = (int32_t)(in_day / GM_HOUR);
    out_date->minute = (int32_t)(in_day % GM_HOUR / GM_MINUTE);
    out_date->second = (int32_t)(in_day % GM_MINUTE / GM_SECOND);
    out_date->nanos = (int32_t)(in_day % GM_SECOND);
    int64_t weekday = (days + 4) % 7; /* the epoch was a Thursday */
    out_date->weekday = (int32_t)(weekday < 0 ? weekday + 7 : weekday);
}

static bool is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int32_t days_in_month(int32_t year, int32_t month)
{
    static const int32_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static bool day_exists(const struct gm_date *date)
{
    return date->year >= YEAR_MIN && date->year <= YEAR_MAX && date->month >= 1 &&
           date->month <= 12 && date->day >= 1 &&
           date->day <= days_in_month(date->year, date->month);
}

static bool clock_time_exists(const struct gm_date *date)
{
    return date->hour >= 0 && date->hour <= 23 && date->minute >= 0 && date->minute <= 59 &&
           date->second >= 0 && date->second <= 59 && date->nanos >= 0 && date->nanos < GM_SECOND;
}

/* seconds × 10^9 + nanos, when that is an int64. */
static bool join_seconds(int64_t seconds, int32_t nanos, gm_ns *out_t)
{
    if (seconds < 0 && nanos > 0) {
        /* The earliest instants: the product alone would fall below the range. */
        seconds++;
        nanos -= (int32_t)GM_SECOND;
    }
    return !__builtin_mul_overflow(seconds, GM_SECOND, out_t) &&
           !__builtin_add_overflow(*out_t, (int64_t)nanos, out_t);
}

static int64_t seconds_of(const struct gm_date *date)
{
    return days_from_civil(date->year, date->month, date->day) * 86400 +
           (int64_t)date->hour * 3600 + (int64_t)date->minute * 60 + date->second;
}

bool gm_time_join(const struct gm_date *date, gm_ns *out_t)
{
    gm_ns t;
    if (!day_exists(date) || !clock_time_exists(date) ||
        !join_seconds(seconds_of(date), date->nanos, &t)) {
        return false;
    }
    *out_t = t;
    return true;
}

/* Exactly `width` digits, the least significant last. */
static char *put_digits(char *to, int32_t v, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        to[i] = (char)('0' + v % 10);
        v /= 10;
    }
    return to + width;
}

/* "2026-11-20T17:09:55": years of instants have four digits. */
static char *put_seconds(char *to, const struct gm_date *date)
{
    to = put_digits(to, date->year, 4);
    *to++ = '-';
    to = put_digits(to, date->month, 2);
    *to++ = '-';
    to = put_digits(to, date->day, 2);
    *to++ = 'T';
    to = put_digits(to, date->hour, 2);
    *to++ = ':';
    to = put_digits(to, date->minute, 2);
    *to++ = ':';
    return put_digits(to, date->second, 2);
}

static size_t end_text(char *start, char *end)
{
    *end++ = 'Z';
    *end = '\0';
    return (size_t)(end - start);
}

size_t gm_time_format(gm_ns t, char out[GM_TIME_TEXT_SIZE])
{
    struct gm_date date;
    gm_time_split(t, &date);
    char *to = put_seconds(out, &date);
    *to++ = '.';
    return end_text(out, put_digits(to, date.nanos / 100, 7));
}

size_t gm_time_format_short(gm_ns t, char out[GM_TIME_TEXT_SIZE])
{
    struct gm_date date;
    gm_time_split(t, &date);
    char *to = put_seconds(out, &date);
    if (date.nanos != 0) {
        *to++ = '.';
        to = put_digits(to, date.nanos, 9);
        while (to[-1] == '0') {
            to--;
        }
    }
    return end_text(out, to);
}

/* ---- scanning: each take_ function eats what it describes from the front, or says no ---- */

static bool take_char(struct gm_str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) {
        return false;
    }
    s->p++;
    s->n--;
    return true;
}

static bool next_is_digit(const struct gm_str *s)
{
    return s->n > 0 && s->p[0] >= '0' && s->p[0] <= '9';
}

static bool take_digits(struct gm_str *s, size_t width, int32_t *out_v)
{
    int32_t v = 0;
    for (size_t i = 0; i < width; i++) {
        if (!next_is_digit(s)) {
            return false;
        }
        v = v * 10 + (s->p[0] - '0');
        s->p++;
        s->n--;
    }
    *out_v = v;
    return true;
}

static bool take_date(struct gm_str *s, struct gm_date *date)
{
    return take_digits(s, 4, &date->year) && take_char(s, '-') && take_digits(s, 2, &date->month) &&
           take_char(s, '-') && take_digits(s, 2, &date->day) && day_exists(date);
}

/* Digits behind a point as billionths; those behind the ninth are dropped. */
static bool take_fraction(struct gm_str *s, int32_t *out_nanos)
{
    int32_t nanos = 0;
    int32_t unit = (int32_t)(GM_SECOND / 10);
    if (!next_is_digit(s)) {
        return false;
    }
    for (; next_is_digit(s); s->p++, s->n--) {
        nanos += (s->p[0] - '0') * unit;
        unit /= 10;
    }
    *out_nanos = nanos;
    return true;
}

static bool take_clock_time(struct gm_str *s, struct gm_date *date)
{
    date->nanos = 0;
    return take_digits(s, 2, &date->hour) && take_char(s, ':') &&
           take_digits(s, 2, &date->minute) && take_char(s, ':') &&
           take_digits(s, 2, &date->second) &&
           (!take_char(s, '.') || take_fraction(s, &date->nanos)) && clock_time_exists(date);
}

/* Z or ±hh:mm; ±hhmm and ±hh (PostgreSQL's form) only when `loose`. No offset at all is 0. */
static bool take_offset(struct gm_str *s, bool loose, int32_t *out_seconds)
{
    *out_seconds = 0;
    if (s->n == 0 || take_char(s, 'Z')) {
        return true;
    }
    bool negative = s->p[0] == '-';
    int32_t hours;
    int32_t minutes = 0;
    if ((!take_char(s, '-') && !take_char(s, '+')) || !take_digits(s, 2, &hours)) {
        return false;
    }
    bool colon = take_char(s, ':');
    bool short_form = s->n == 0 && !colon;
    if ((!colon && !loose) || (!short_form && !take_digits(s, 2, &minutes)) || hours > 23 ||
        minutes > 59) {
        return false;
    }
    int32_t seconds = hours * 3600 + minutes * 60;
    *out_seconds = negative ? -seconds : seconds;
    return true;
}

static bool parse_datetime(struct gm_str s, struct gm_date *out_date, int32_t *out_offset)
{
    *out_date = (struct gm_date){0};
    *out_offset = 0;
    if (!take_date(&s, out_date)) {
        return false;
    }
    if (s.n == 0) {
        return true;
    }
    return (take_char(&s, 'T') || take_char(&s, ' ')) && take_clock_time(&s, out_date) &&
           take_offset(&s, true, out_offset) && s.n == 0;
}

bool gm_time_parse(struct gm_str s, gm_ns *out_t)
{
    struct gm_date date;
    int32_t offset;
    gm_ns t;
    if (!parse_datetime(s, &date, &offset) ||
        !join_seconds(seconds_of(&date) - offset, date.nanos, &t)) {
        return false;
    }
    *out_t = t;
    return true;
}

bool gm_datetime_valid(struct gm_str s)
{
    struct gm_date date;
    int32_t offset;
    return parse_datetime(s, &date, &offset);
}

bool gm_date_valid(struct gm_str s)
{
    struct gm_date date;
    return take_date(&s, &date) && s.n == 0;
}

bool gm_clock_time_valid(struct gm_str s)
{
    struct gm_date date;
    int32_t offset;
    return take_clock_time(&s, &date) && take_offset(&s, false, &offset) && s.n == 0;
}

/* Eats numbers with the designators of `units`, which stand in this order, each at most once; the
 * last of them may have a fraction when it is 'S'. Returns how many parts there were, or -1. */
static int take_duration_parts(struct gm_str *s, const char *units)
{
    int parts = 0;
    while (next_is_digit(s)) {
        while (next_is_digit(s)) {
            s->p++;
            s->n--;
        }
        int32_t nanos;
        bool fraction = take_char(s, '.');
        if (fraction && !take_fraction(s, &nanos)) {
            return -1;
        }
        if (s->n == 0) {
            return -1;
        }
        while (*units != '\0' && *units != s->p[0]) {
            units++;
        }
        if (*units == '\0' || (fraction && *units != 'S')) {
            return -1;
        }
        units++;
        s->p++;
        s->n--;
        parts++;
    }
    return parts;
}

bool gm_iso_duration_valid(struct gm_str s)
{
    if (!take_char(&s, 'P')) {
        return false;
    }
    int days = take_duration_parts(&s, "YMWD");
    int times = 0;
    if (days >= 0 && take_char(&s, 'T')) {
        times = take_duration_parts(&s, "HMS");
        if (times == 0) {
            return false; /* a 'T' announces at least one part */
        }
    }
    return days >= 0 && times >= 0 && days + times > 0 && s.n == 0;
}

static const struct span_unit {
    const char *name_z;
    gm_ns size;
} span_units[] = {
    {"d", GM_DAY}, {"h", GM_HOUR}, {"m", GM_MINUTE}, {"s", GM_SECOND},
    {"ms", GM_MS}, {"us", GM_US},  {"ns", GM_NS},
};

/* The unit at the front of `s`: all letters up to the next digit. NULL: none of ours. */
static const struct span_unit *take_span_unit(struct gm_str *s)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= 'a' && s->p[n] <= 'z') {
        n++;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(span_units); i++) {
        if (gm_str_is((struct gm_str){s->p, n}, span_units[i].name_z)) {
            s->p += n;
            s->n -= n;
            return &span_units[i];
        }
    }
    return NULL;
}

/* One part, "30s" or "1.5h", whose unit must be smaller than `below`. */
static bool take_span_part(struct gm_str *s, gm_ns *out_part, gm_ns *below)
{
    int64_t whole = 0;
    int32_t billionths = 0;
    if (!next_is_digit(s)) {
        return false;
    }
    for (; next_is_digit(s); s->p++, s->n--) {
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (int64_t)(s->p[0] - '0'), &whole)) {
            return false;
        }
    }
    if (take_char(s, '.') && !take_fraction(s, &billionths)) {
        return false;
    }
    const struct span_unit *unit = take_span_unit(s);
    if (unit == NULL || unit->size >= *below ||
        __builtin_mul_overflow(whole, unit->size, out_part)) {
        return false;
    }
    *below = unit->size;
    /* In two steps, as a day's nanoseconds times a billion do not fit. */
    gm_ns fraction =
        unit->size / GM_SECOND * billionths + unit->size % GM_SECOND * billionths / GM_SECOND;
    return !__builtin_add_overflow(*out_part, fraction, out_part);
}

bool gm_span_parse(struct gm_str s, gm_ns *out_span)
{
    if (gm_str_is(s, "0")) {
        *out_span = 0;
        return true;
    }
    gm_ns span = 0;
    gm_ns below = INT64_MAX;
    do {
        gm_ns part;
        if (!take_span_part(&s, &part, &below) || __builtin_add_overflow(span, part, &span)) {
            return false;
        }
    } while (s.n > 0);
    *out_span = span;
    return true;
}

/* "1.25" for 1250 thousandths, without trailing zeros. */
static size_t put_thousandths(char *to, uint64_t v)
{
    size_t n = gm_format_u64(v / 1000, to);
    int32_t rest = (int32_t)(v % 1000);
    if (rest != 0) {
        to[n++] = '.';
        char *end = put_digits(to + n, rest, 3);
        while (end[-1] == '0') {
            end--;
        }
        n = (size_t)(end - to);
    }
    return n;
}

static size_t put_name(char *to, const char *name_z)
{
    size_t n = strlen(name_z);
    memcpy(to, name_z, n + 1);
    return n;
}

size_t gm_span_format(gm_ns span, char out[GM_TIME_TEXT_SIZE])
{
    if (span == 0) {
        return put_name(out, "0s");
    }
    size_t n = 0;
    uint64_t left = (uint64_t)span;
    if (span < 0) {
        out[n++] = '-';
        left = 0 - left;
    }
    size_t i = 0;
    while (left < (uint64_t)span_units[i].size) {
        i++;
    }
    uint64_t unit = (uint64_t)span_units[i].size;
    if (unit >= (uint64_t)GM_MINUTE) {
        n += gm_format_u64(left / unit, out + n);
        n += put_name(out + n, span_units[i].name_z);
        uint64_t next = left % unit / (uint64_t)span_units[i + 1].size;
        if (next > 0) {
            n += gm_format_u64(next, out + n);
            n += put_name(out + n, span_units[i + 1].name_z);
        }
        return n;
    }
    n += unit == 1 ? gm_format_u64(left, out + n) : put_thousandths(out + n, left / (unit / 1000));
    return n + put_name(out + n, span_units[i].name_z);
}
