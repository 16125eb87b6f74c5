/* Schedules: parsing, and the next time. Cron fields as in crontab(5) and POSIX crontab. */
#include "engine/schedule.h"

#include "base/num.h"

static const char *const month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                          "jul", "aug", "sep", "oct", "nov", "dec"};
static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct cron_field {
    const char *name_z;
    int64_t min, max;
    const char *const *names;
    size_t name_count;
};

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

/* 7 is Sunday as well as 0. */
static const struct cron_field fields[FIELD_COUNT] = {
    [MINUTE] = {"minute", 0, 59, NULL, 0},
    [HOUR] = {"hour", 0, 23, NULL, 0},
    [DAY] = {"day", 1, 31, NULL, 0},
    [MONTH] = {"month", 1, 12, month_names, 12},
    [WEEKDAY] = {"weekday", 0, 7, weekday_names, 7},
};

static bool equals_any_case(struct gm_str s, const char *z)
{
    if (s.n != strlen(z)) {
        return false;
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
        if (c != z[i]) {
            return false;
        }
    }
    return true;
}

static gm_rc parse_value(const struct cron_field *field, struct gm_str text, int64_t *out_value,
                         struct gm_err *err)
{
    for (size_t i = 0; i < field->name_count; i++) {
        if (equals_any_case(text, field->names[i])) {
            *out_value = field->min + (int64_t)i;
            return GM_OK;
        }
    }
    if (!gm_parse_i64(text, out_value) || *out_value < field->min || *out_value > field->max) {
        return gm_fail(err, GM_E_CONFIG, "%s `" GM_STR_FMT "`: expected %lld to %lld",
                       field->name_z, GM_STR_ARG(text), (long long)field->min,
                       (long long)field->max);
    }
    return GM_OK;
}

/* "*", "5", "1-5", each with "/step" behind it. */
static gm_rc parse_range(const struct cron_field *field, struct gm_str text, uint64_t *bits,
                         struct gm_err *err)
{
    struct gm_str range, step_text, first_text, last_text;
    int64_t first = field->min, last = field->max, step = 1;
    bool stepped = gm_str_cut(text, '/', &range, &step_text);
    if (stepped && (!gm_parse_i64(step_text, &step) || step < 1 || step > field->max)) {
        return gm_fail(err, GM_E_CONFIG,
                       "%s `" GM_STR_FMT "`: expected a step of 1 to %lld behind `/`",
                       field->name_z, GM_STR_ARG(text), (long long)field->max);
    }
    if (!gm_str_is(range, "*")) {
        bool ranged = gm_str_cut(range, '-', &first_text, &last_text);
        GM_TRY(parse_value(field, first_text, &first, err));
        last = ranged || !stepped ? first : field->max;
        if (ranged) {
            GM_TRY(parse_value(field, last_text, &last, err));
        }
        if (last < first) {
            return gm_fail(err, GM_E_CONFIG, "%s `" GM_STR_FMT "`: the range goes backwards",
                           field->name_z, GM_STR_ARG(text));
        }
    }
    for (int64_t value = first; value <= last; value += step) {
        *bits |= UINT64_C(1) << value;
    }
    return GM_OK;
}

static gm_rc parse_field(const struct cron_field *field, struct gm_str text, uint64_t *out_bits,
                         struct gm_err *err)
{
    struct gm_str part, rest = text;
    bool more = true;
    *out_bits = 0;
    while (more) {
        more = gm_str_cut(rest, ',', &part, &rest);
        GM_TRY(parse_range(field, part, out_bits, err));
    }
    return GM_OK;
}

/* The words of a text; *out_count may be one more than fits. */
static void split_words(struct gm_str text, struct gm_str out_words[FIELD_COUNT], size_t *out_count)
{
    struct gm_str rest = gm_str_trim(text);
    *out_count = 0;
    while (rest.n > 0 && *out_count <= FIELD_COUNT) {
        size_t n = 0;
        while (n < rest.n && rest.p[n] != ' ' && rest.p[n] != '\t') {
            n++;
        }
        if (*out_count < FIELD_COUNT) {
            out_words[*out_count] = (struct gm_str){rest.p, n};
        }
        (*out_count)++;
        rest = gm_str_trim((struct gm_str){rest.p + n, rest.n - n});
    }
}

static gm_rc parse_cron(struct gm_str text, struct gm_schedule *schedule, struct gm_err *err)
{
    uint64_t bits[FIELD_COUNT];
    struct gm_str words[FIELD_COUNT] = {{NULL, 0}};
    bool any[FIELD_COUNT];
    size_t count;
    split_words(text, words, &count);
    if (count < FIELD_COUNT) {
        return gm_fail(err, GM_E_CONFIG,
                       "`" GM_STR_FMT
                       "`: write `every 10m`, or five fields: minute hour day month weekday",
                       GM_STR_ARG(text));
    }
    if (count > FIELD_COUNT) {
        return gm_fail(err, GM_E_CONFIG,
                       "`" GM_STR_FMT "`: more than five fields; seconds and years are not taken",
                       GM_STR_ARG(text));
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        GM_TRY(parse_field(&fields[i], words[i], &bits[i], err));
        any[i] = words[i].p[0] == '*';
    }
    *schedule = (struct gm_schedule){
        .type = GM_SCHEDULE_CRON,
        .minutes = bits[MINUTE],
        .hours = (uint32_t)bits[HOUR],
        .days = (uint32_t)bits[DAY],
        .months = (uint32_t)bits[MONTH],
        .weekdays = (uint32_t)(bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f,
        .any_day = any[DAY],
        .any_weekday = any[WEEKDAY],
    };
    return GM_OK;
}

gm_rc gm_schedule_parse(struct gm_str text, struct gm_schedule *out_schedule, struct gm_err *err)
{
    struct gm_str trimmed = gm_str_trim(text);
    if (gm_str_is(trimmed, "continuous")) {
        *out_schedule = (struct gm_schedule){.type = GM_SCHEDULE_CONTINUOUS};
        return GM_OK;
    }
    if (!gm_str_starts(trimmed, GM_STR("every "))) {
        struct gm_schedule schedule;
        GM_TRY(parse_cron(trimmed, &schedule, err));
        if (gm_schedule_next(&schedule, 0, 0) == INT64_MAX) {
            return gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "`: no such day ever comes",
                           GM_STR_ARG(trimmed));
        }
        *out_schedule = schedule;
        return GM_OK;
    }
    gm_ns every;
    if (!gm_span_parse(gm_str_trim((struct gm_str){trimmed.p + 6, trimmed.n - 6}), &every)) {
        return gm_fail(err, GM_E_CONFIG,
                       "`" GM_STR_FMT
                       "`: expected a span behind `every`, such as 30s, 10m or 1h30m",
                       GM_STR_ARG(trimmed));
    }
    if (every < GM_SECOND) {
        return gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "`: at least one second",
                       GM_STR_ARG(trimmed));
    }
    *out_schedule = (struct gm_schedule){.type = GM_SCHEDULE_EVERY, .every = every};
    return GM_OK;
}

/* Both restricted: either will do (POSIX crontab, "Input files"). */
static bool day_matches(const struct gm_schedule *schedule, const struct gm_date *date)
{
    bool day = (schedule->days >> date->day & 1) != 0;
    bool weekday = (schedule->weekdays >> date->weekday & 1) != 0;
    if (schedule->any_day || schedule->any_weekday) {
        return day && weekday;
    }
    return day || weekday;
}

static gm_ns next_cron(const struct gm_schedule *schedule, gm_ns now)
{
    gm_ns t = now - now % GM_MINUTE + GM_MINUTE;
    /* 29 February on a given weekday comes within 28 years, but 40 with a century that has none. */
    for (int64_t days = 0; days < INT64_C(41) * 366; days++) {
        struct gm_date date;
        gm_time_split(t, &date);
        gm_ns midnight = t - (date.hour * GM_HOUR + date.minute * GM_MINUTE +
                              date.second * GM_SECOND + date.nanos);
        bool today = (schedule->months >> date.month & 1) != 0 && day_matches(schedule, &date);
        for (int minute = date.hour * 60 + date.minute; today && minute < 24 * 60; minute++) {
            if ((schedule->hours >> (minute / 60) & 1) != 0 &&
                (schedule->minutes >> (minute % 60) & 1) != 0) {
                return midnight + minute * GM_MINUTE;
            }
        }
        t = midnight + GM_DAY;
    }
    return INT64_MAX;
}

gm_ns gm_schedule_next(const struct gm_schedule *schedule, gm_ns last_start, gm_ns now)
{
    switch (schedule->type) {
    case GM_SCHEDULE_EVERY:
        /* A start that lies ahead was told by a clock that was wrong: it must not hold the pipeline
         * up. */
        if (last_start == 0 || last_start > now || now - last_start > schedule->every) {
            return now;
        }
        return last_start > INT64_MAX - schedule->every ? INT64_MAX : last_start + schedule->every;
    case GM_SCHEDULE_CRON:
        return next_cron(schedule, now);
    case GM_SCHEDULE_CONTINUOUS:
        return now + GM_SECOND;
    case GM_SCHEDULE_NONE:
        break;
    }
    return INT64_MAX;
}
