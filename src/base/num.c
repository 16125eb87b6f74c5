#include "base/num.h"

#include <math.h>
/* tidy: libraries: text of doubles is hard to do right and fast, and yyjson does both without
 * looking at the locale */
#include <yyjson.h>

#include "base/status.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool gm_parse_i64(struct gm_str s, int64_t *out_v)
{
    size_t i = 0;
    bool negative = s.n > 0 && s.p[0] == '-';
    if (negative || (s.n > 0 && s.p[0] == '+')) {
        i = 1;
    }
    if (i == s.n) {
        return false;
    }
    uint64_t max = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t v = 0;
    for (; i < s.n; i++) {
        if (!is_digit(s.p[i])) {
            return false;
        }
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (v > (max - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out_v = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* 767 significant digits are enough to tell every double from the midpoint of its neighbours; one
 * more digit that is not zero then stands for all that follow (D. Gay, "Correctly rounded
 * binary-decimal and decimal-binary conversions"). */
enum { DIGITS_MAX = 770 };
static const int64_t exponent_bound = 1000000; /* any exponent beyond gives zero or infinity */

struct scanner {
    const char *p;
    const char *end;
    char digits[DIGITS_MAX +
                1]; /* the significant ones; one more for the digit that stands for the rest */
    size_t digits_n;
    int64_t dropped; /* digits behind the last that is kept */
    bool inexact;    /* one of them is not zero */
};

/* Takes digits as long as there are any and returns how many. */
static int64_t scan_digits(struct scanner *in)
{
    const char *start = in->p;
    for (; in->p < in->end && is_digit(*in->p); in->p++) {
        if (in->digits_n == 0 && *in->p == '0') {
            continue; /* leading zeros say nothing */
        }
        if (in->digits_n < DIGITS_MAX) {
            in->digits[in->digits_n++] = *in->p;
        } else {
            in->dropped++;
            in->inexact = in->inexact || *in->p != '0';
        }
    }
    return in->p - start;
}

/* Takes "e[+-]digits" when it is there. False: an 'e' without digits. */
static bool scan_exponent(struct scanner *in, int64_t *out_exponent)
{
    *out_exponent = 0;
    if (in->p == in->end || (*in->p != 'e' && *in->p != 'E')) {
        return true;
    }
    in->p++;
    bool negative = in->p < in->end && *in->p == '-';
    if (in->p < in->end && (*in->p == '-' || *in->p == '+')) {
        in->p++;
    }
    if (in->p == in->end) {
        return false;
    }
    /* Saturates far above what any text in memory could make up for with digits. */
    const int64_t saturated = INT64_MAX / 4;
    int64_t v = 0;
    for (; in->p < in->end && is_digit(*in->p); in->p++) {
        v = v < saturated / 10 ? v * 10 + (*in->p - '0') : saturated;
    }
    *out_exponent = negative ? -v : v;
    return is_digit(in->p[-1]);
}

/* digits × 10^exponent, correctly rounded; infinity when that is too large. */
static double scale_digits(struct scanner *in, int64_t exponent)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    static const int64_t power_max = (int64_t)GM_ARRAY_COUNT(powers) - 1;
    if (in->digits_n == 0) {
        return 0.0;
    }
    if (in->digits_n <= 15 && exponent >= -power_max && exponent <= power_max) {
        /* Both factors are exact doubles, so one operation rounds once (W. Clinger, "How to read
         * floating point numbers accurately"). */
        int64_t v = 0;
        for (size_t i = 0; i < in->digits_n; i++) {
            v = v * 10 + (in->digits[i] - '0');
        }
        return exponent < 0 ? (double)v / powers[-exponent] : (double)v * powers[exponent];
    }
    if (in->inexact) {
        in->digits[in->digits_n++] = '1';
        exponent--;
    }
    exponent = exponent > exponent_bound ? exponent_bound : exponent;
    exponent = exponent < -exponent_bound ? -exponent_bound : exponent;
    char text[DIGITS_MAX + 2 + GM_NUM_TEXT_SIZE];
    memcpy(text, in->digits, in->digits_n);
    text[in->digits_n] = 'e';
    (void)gm_format_i64(exponent, text + in->digits_n + 1);
    yyjson_val number;
    return yyjson_read_number(text, &number, 0, NULL, NULL) != NULL ? yyjson_get_real(&number)
                                                                    : INFINITY;
}

bool gm_parse_double(struct gm_str s, double *out_v)
{
    if (s.n == 0) {
        return false;
    }
    struct scanner in;
    in.p = s.p;
    in.end = s.p + s.n;
    in.digits_n = 0;
    in.dropped = 0;
    in.inexact = false;
    bool negative = *in.p == '-';
    if (*in.p == '-' || *in.p == '+') {
        in.p++;
    }
    int64_t exponent;
    int64_t fraction_n = 0;
    if (scan_digits(&in) == 0) {
        return false;
    }
    if (in.p < in.end && *in.p == '.') {
        in.p++;
        fraction_n = scan_digits(&in);
        if (fraction_n == 0) {
            return false;
        }
    }
    if (!scan_exponent(&in, &exponent) || in.p != in.end) {
        return false;
    }
    double v = scale_digits(&in, exponent + in.dropped - fraction_n);
    if (!isfinite(v)) {
        return false;
    }
    *out_v = negative ? -v : v;
    return true;
}

size_t gm_format_u64(uint64_t v, char *out)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    for (size_t i = 0; i < n; i++) {
        out[i] = reversed[n - 1 - i];
    }
    return n;
}

size_t gm_format_i64(int64_t v, char out[GM_NUM_TEXT_SIZE])
{
    size_t n = 0;
    uint64_t magnitude = (uint64_t)v;
    if (v < 0) {
        out[n++] = '-';
        magnitude = 0 - magnitude;
    }
    n += gm_format_u64(magnitude, out + n);
    out[n] = '\0';
    return n;
}

/* A decimal that reads back as the number: 0.DIGITS × 10^point. */
struct shortest {
    char digits[GM_NUM_TEXT_SIZE];
    int n;
    int point;
};

enum { LENT_SIZE = 128 };

/* Hands out the one piece of memory that yyjson asks for to write a number: less than 64 bytes in
 * version 0.10. */
static void *lend_memory(void *ctx, size_t size)
{
    return size <= LENT_SIZE ? ctx : NULL;
}

static void *refuse_memory(void *ctx, void *p, size_t old_size, size_t size)
{
    (void)ctx;
    (void)p;
    (void)old_size;
    (void)size;
    return NULL;
}

static void keep_memory(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

/* Takes yyjson's text apart, which is plain or has an exponent as it sees fit. */
static void read_shortest(const char *p, struct shortest *out)
{
    bool behind_point = false;
    out->n = 0;
    out->point = 0;
    for (; is_digit(*p) || *p == '.'; p++) {
        if (*p == '.') {
            behind_point = true;
        } else if (out->n == 0 && *p == '0') {
            out->point -= behind_point ? 1 : 0;
        } else {
            out->digits[out->n++] = *p;
            out->point += behind_point ? 0 : 1;
        }
    }
    if (*p == 'e') {
        bool negative = p[1] == '-';
        int exponent = 0;
        for (p += p[1] == '-' || p[1] == '+' ? 2 : 1; is_digit(*p); p++) {
            exponent = exponent * 10 + (*p - '0');
        }
        out->point += negative ? -exponent : exponent;
    }
    while (out->n > 0 && out->digits[out->n - 1] == '0') {
        out->n--;
    }
}

/* `v` is positive. yyjson finds the shortest decimal, and of those the closest (R. Giulietti, "The
 * Schubfach way to render doubles"). */
static void find_shortest(double v, struct shortest *out)
{
    char memory[LENT_SIZE];
    yyjson_alc alc = {lend_memory, refuse_memory, keep_memory, memory};
    yyjson_val number = {0};
    (void)yyjson_set_real(&number, v);
    const char *text = yyjson_val_write_opts(&number, 0, &alc, NULL, NULL);
    GM_ASSERT(text != NULL);
    read_shortest(text, out);
}

static size_t write_plain(const struct shortest *d, char *out)
{
    size_t n = 0;
    int i = 0;
    if (d->point <= 0) {
        out[n++] = '0';
    }
    for (; i < d->point; i++) {
        out[n++] = (char)(i < d->n ? d->digits[i] : '0');
    }
    out[n++] = '.';
    for (int zeros = d->point; zeros < 0; zeros++) {
        out[n++] = '0';
    }
    if (i >= d->n) {
        out[n++] = '0';
    }
    for (; i < d->n; i++) {
        out[n++] = d->digits[i];
    }
    return n;
}

static size_t write_exponent(const struct shortest *d, char *out)
{
    size_t n = 0;
    out[n++] = d->digits[0];
    if (d->n > 1) {
        out[n++] = '.';
        memcpy(out + n, d->digits + 1, (size_t)d->n - 1);
        n += (size_t)d->n - 1;
    }
    out[n++] = 'e';
    return n + gm_format_i64(d->point - 1, out + n);
}

/* Like ECMAScript's Number::toString, plain from 1e-6 on, but only below 1e17: above, digits would
 * be made up. */
enum { PLAIN_POINT_MIN = -5, PLAIN_POINT_MAX = 17 };

size_t gm_format_double(double v, char out[GM_NUM_TEXT_SIZE])
{
    GM_ASSERT(isfinite(v));
    size_t n = 0;
    if (signbit(v)) {
        out[n++] = '-';
        v = -v;
    }
    if (v == 0) {
        memcpy(out + n, "0.0", sizeof("0.0"));
        return n + strlen("0.0");
    }
    struct shortest d;
    find_shortest(v, &d);
    bool plain = d.point >= PLAIN_POINT_MIN && d.point <= PLAIN_POINT_MAX;
    n += plain ? write_plain(&d, out + n) : write_exponent(&d, out + n);
    out[n] = '\0';
    return n;
}

bool gm_parse_bool(struct gm_str s, bool *out_v)
{
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(words); i++) {
        if (gm_str_same(s, gm_str_z(words[i]))) {
            *out_v = i % 2 == 1;
            return true;
        }
    }
    return false;
}

bool gm_parse_size(struct gm_str s, uint64_t *out_bytes)
{
    static const struct {
        const char *name_z;
        uint64_t factor;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"kB", UINT64_C(1000)},
        {"KB", UINT64_C(1000)},
        {"MB", UINT64_C(1000000)},
        {"GB", UINT64_C(1000000000)},
        {"TB", UINT64_C(1000000000000)},
        {"KiB", UINT64_C(1) << 10},
        {"MiB", UINT64_C(1) << 20},
        {"GiB", UINT64_C(1) << 30},
        {"TiB", UINT64_C(1) << 40},
    };
    size_t digits = 0;
    while (digits < s.n && is_digit(s.p[digits])) {
        digits++;
    }
    int64_t v;
    if (!gm_parse_i64((struct gm_str){s.p, digits}, &v)) {
        return false;
    }
    struct gm_str unit = {digits < s.n ? s.p + digits : NULL, s.n - digits};
    for (size_t i = 0; i < GM_ARRAY_COUNT(units); i++) {
        if (gm_str_is(unit, units[i].name_z)) {
            if ((uint64_t)v > UINT64_MAX / units[i].factor) {
                return false;
            }
            *out_bytes = (uint64_t)v * units[i].factor;
            return true;
        }
    }
    return false;
}

bool gm_parse_share(struct gm_str s, double *out_share)
{
    bool percent = s.n > 0 && s.p[s.n - 1] == '%';
    double v;
    if (!gm_parse_double((struct gm_str){s.p, s.n - (percent ? 1 : 0)}, &v)) {
        return false;
    }
    v = percent ? v / 100 : v;
    if (!(v >= 0 && v <= 1)) {
        return false;
    }
    *out_share = v;
    return true;
}
