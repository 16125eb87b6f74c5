#include "dtdl/temporal.h"

#include "base/time.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "Z" or "±hh:mm" at the end; the rest is checked elsewhere. */
static bool has_offset(struct gm_str s)
{
    if (s.n == 0 || s.p[s.n - 1] == 'Z') {
        return s.n > 0;
    }
    return s.n > 6 && s.p[s.n - 3] == ':' && (s.p[s.n - 6] == '+' || s.p[s.n - 6] == '-');
}

bool gm_dtdl_date_valid(struct gm_str s)
{
    return s.n == 10 && gm_date_valid(s) && memcmp(s.p, "0000", 4) != 0;
}

bool gm_dtdl_time_valid(struct gm_str s)
{
    return has_offset(s) && gm_clock_time_valid(s);
}

bool gm_dtdl_datetime_valid(struct gm_str s)
{
    return s.n >= 20 && s.p[10] == 'T' && gm_dtdl_date_valid((struct gm_str){s.p, 10}) &&
           gm_dtdl_time_valid((struct gm_str){s.p + 11, s.n - 11});
}

struct duration {
    struct gm_str rest;
    int parts;
    bool fraction; /* the last part had one: nothing may follow */
};

static size_t take_digits(struct gm_str *s)
{
    size_t n = 0;
    while (n < s->n && is_digit(s->p[n])) {
        n++;
    }
    s->p += n;
    s->n -= n;
    return n;
}

/* Takes `digits[.digits]` and its unit, one of those in *units_z, which come in this order. 0: none
 * is there, or it is malformed. */
static char take_part(struct duration *duration, const char **units_z)
{
    struct gm_str s = duration->rest;
    if (duration->fraction || take_digits(&s) == 0) {
        return 0;
    }
    bool fraction = s.n > 0 && s.p[0] == '.';
    if (fraction) {
        s = (struct gm_str){s.p + 1, s.n - 1};
        if (take_digits(&s) == 0) {
            return 0;
        }
    }
    const char *unit_z = s.n > 0 && s.p[0] != '\0' ? strchr(*units_z, s.p[0]) : NULL;
    if (unit_z == NULL) {
        return 0;
    }
    *units_z = unit_z + 1;
    duration->fraction = fraction;
    duration->rest = (struct gm_str){s.p + 1, s.n - 1};
    duration->parts++;
    return *unit_z;
}

bool gm_dtdl_duration_valid(struct gm_str s)
{
    if (s.n < 2 || s.p[0] != 'P') {
        return false;
    }
    struct duration duration = {.rest = {s.p + 1, s.n - 1}};
    const char *units_z = "YMWD";
    bool months = false;
    char unit;
    while ((unit = take_part(&duration, &units_z)) != 0) {
        if (unit == 'W' && months) {
            return false;
        }
        months = months || unit == 'Y' || unit == 'M';
    }
    if (duration.rest.n > 0 && duration.rest.p[0] == 'T' && !duration.fraction) {
        int days = duration.parts;
        duration.rest = (struct gm_str){duration.rest.p + 1, duration.rest.n - 1};
        units_z = "HMS";
        while (take_part(&duration, &units_z) != 0) {
        }
        if (duration.parts == days) {
            return false; /* a 'T' announces at least one part */
        }
    }
    return duration.rest.n == 0 && duration.parts > 0;
}
