/* See sample_check.h. */
#include "cli/sample_check.h"

#include "base/mem.h"
#include "base/num.h"
#include "json/scan.h"

enum { COMPLAINTS_SIZE_MAX = 64 << 10, SHOWN_SIZE_MAX = 300 };

struct newest {
    gm_ns time;
    uint64_t sequence; /* 0: none */
    int64_t hundredths;
};

struct gm_load_check {
    struct gm_load *load;
    struct gm_load_options options;
    bool ordered, rows;
    uint64_t *seen;        /* a bit a slot */
    uint64_t *last;        /* of each sensor: the highest sequence so far */
    struct newest *newest; /* of each sensor, of what came */
    bool *shown;           /* of each sensor: a row told of it */
    struct gm_buf line;
    struct gm_load_found found;
};

struct gm_load_check *gm_load_check_new(struct gm_load *load, const struct gm_load_options *options,
                                        bool ordered)
{
    size_t sensors = gm_load_sensor_count(load);
    struct gm_load_check *check = gm_alloc(sizeof(*check));
    check->load = load;
    check->options = *options;
    check->ordered = ordered && options->reorder <= 0;
    check->seen = gm_alloc_array((size_t)options->events / 64 + 1, sizeof(*check->seen));
    check->last = gm_alloc_array(sensors, sizeof(*check->last));
    check->newest = gm_alloc_array(sensors, sizeof(*check->newest));
    check->shown = gm_alloc_array(sensors, sizeof(*check->shown));
    gm_buf_init(&check->line, GM_LOAD_LINE_SIZE_MAX + 1);
    gm_buf_init(&check->found.complaints, COMPLAINTS_SIZE_MAX);
    return check;
}

void gm_load_check_free(struct gm_load_check *check)
{
    if (check != NULL) {
        gm_free(check->seen);
        gm_free(check->last);
        gm_free(check->newest);
        gm_free(check->shown);
        gm_buf_deinit(&check->line);
        gm_buf_deinit(&check->found.complaints);
        gm_free(check);
    }
}

void gm_load_found_free(struct gm_load_found *found)
{
    gm_buf_deinit(&found->complaints);
}

/* Counts, and keeps the words of the first few. */
static void complain(struct gm_load_check *check, int64_t *count, const char *what_z,
                     struct gm_str about)
{
    if ((*count)++ < GM_LOAD_COMPLAINTS_MAX) {
        about.n = about.n < SHOWN_SIZE_MAX ? about.n : SHOWN_SIZE_MAX;
        gm_buf_addf(&check->found.complaints, "%s: " GM_STR_FMT "\n", what_z, GM_STR_ARG(about));
    }
}

/* The text of a member, n 0: there is none; of a text, without its quotes. */
static struct gm_str member(struct gm_str body, struct gm_str path)
{
    struct gm_json_span span;
    gm_json_scan(body, path, &span);
    return span.rank == GM_JSON_RANK_TEXT || span.rank == GM_JSON_RANK_NUMBER
               ? span.raw
               : (struct gm_str){NULL, 0};
}

enum { NOT_OF_THE_LOAD = -1, OTHER_START = -2 };

/* Which reading a body says it is, or one of the above. */
static int64_t slot_of(const struct gm_load_check *check, struct gm_str body, size_t *out_sensor)
{
    int64_t sequence;
    if (!gm_load_find(check->load, member(body, GM_STR("$.\"sensor\"")), out_sensor) ||
        !gm_parse_i64(member(body, GM_STR("$.\"sequence\"")), &sequence) || sequence < 1) {
        return NOT_OF_THE_LOAD;
    }
    if (gm_load_is_other(check->load, *out_sensor, (uint64_t)sequence)) {
        return OTHER_START;
    }
    return gm_load_slot(check->load, *out_sensor, (uint64_t)sequence);
}

static bool newer(const struct gm_load_event *event, const struct newest *newest)
{
    return newest->sequence == 0 || event->time > newest->time ||
           (event->time == newest->time && event->sequence > newest->sequence);
}

static void keep_newest(const struct gm_load_event *event, struct newest *newest)
{
    if (newer(event, newest)) {
        *newest = (struct newest){event->time, event->sequence, event->hundredths};
    }
}

void gm_load_check_add(struct gm_load_check *check, struct gm_str body)
{
    struct gm_load_event event;
    struct gm_load_found *found = &check->found;
    size_t sensor;
    int64_t slot = slot_of(check, body, &sensor);
    if (slot == OTHER_START) {
        found->others++;
        return;
    }
    found->arrived++;
    if (slot < 0 || !gm_load_at(check->load, slot, &event)) {
        complain(check, &found->strange, "was never sent", body);
        return;
    }
    gm_buf_reset(&check->line);
    gm_load_write(check->load, &event, &check->line);
    if (!gm_str_eq(gm_buf_str(&check->line), body)) {
        complain(check, &found->altered, "is not as it was sent", body);
        return;
    }
    uint64_t bit = UINT64_C(1) << (slot % 64);
    if ((check->seen[slot / 64] & bit) != 0) {
        complain(check, &found->duplicates, "came before", body);
        return;
    }
    check->seen[slot / 64] |= bit;
    if (check->ordered && event.sequence < check->last[sensor]) {
        complain(check, &found->disordered, "came behind a later one", body);
    }
    check->last[sensor] =
        event.sequence > check->last[sensor] ? event.sequence : check->last[sensor];
    keep_newest(&event, &check->newest[sensor]);
}

/* The newest reading of a sensor of all that were sent, found from the last one back: a reading's
 * time is never above that of its slot. */
static void newest_sent(const struct gm_load_check *check, size_t sensor, struct newest *out)
{
    int64_t count = (int64_t)gm_load_sensor_count(check->load);
    int64_t cycle = check->options.events > (int64_t)sensor
                        ? (check->options.events - 1 - (int64_t)sensor) / count
                        : -1;
    *out = (struct newest){0};
    for (; cycle >= 0; cycle--) {
        struct gm_load_event event;
        gm_ns latest = check->options.start + (cycle + 1) * check->options.interval;
        if (out->sequence != 0 && out->time > latest) {
            return;
        }
        if (gm_load_at(check->load, cycle * count + (int64_t)sensor, &event)) {
            keep_newest(&event, out);
        }
    }
}

/* "-0.5" and "55.12" as hundredths; false: not a number of at most two digits behind the point. */
static bool parse_hundredths(struct gm_str text, int64_t *out)
{
    double v;
    if (!gm_parse_double(text, &v) || v < -1e12 || v > 1e12) {
        return false;
    }
    *out = (int64_t)(v * 100 + (v < 0 ? -0.5 : 0.5));
    return true;
}

void gm_load_check_row(struct gm_load_check *check, struct gm_str row)
{
    size_t sensor;
    struct newest sent;
    gm_ns time = 0;
    int64_t hundredths = 0;
    struct gm_str id = member(row, GM_STR("$.\"sensor\""));
    id = id.n > 0 ? id : member(row, GM_STR("$.\"key\""));
    id = id.n > 0 ? id : member(row, GM_STR("$.\"$dtId\""));
    struct gm_str when = member(row, GM_STR("$.\"time\""));
    when = when.n > 0 ? when : member(row, GM_STR("$.\"sourceTime\""));
    when = when.n > 0 ? when : member(row, GM_STR("$.\"value\".\"time\""));
    struct gm_str value = member(row, GM_STR("$.\"value\""));
    value = value.n > 0 ? value : member(row, GM_STR("$.\"value\".\"value\""));
    check->rows = true;
    if (!gm_load_find(check->load, id, &sensor)) {
        complain(check, &check->found.strange, "is of no sensor", row);
        return;
    }
    newest_sent(check, sensor, &sent);
    bool read = gm_time_parse(when, &time) && parse_hundredths(value, &hundredths);
    if (check->shown[sensor] || !read || sent.sequence == 0 || time != sent.time ||
        hundredths != sent.hundredths) {
        complain(check, &check->found.newest_wrong, "is not the newest reading", row);
    }
    check->shown[sensor] = true;
}

static void find_missing(struct gm_load_check *check)
{
    for (int64_t slot = 0; slot < check->options.events; slot++) {
        struct gm_load_event event;
        if (!gm_load_at(check->load, slot, &event)) {
            continue;
        }
        check->found.expected++;
        if ((check->seen[slot / 64] >> (slot % 64) & 1) == 0) {
            gm_buf_reset(&check->line);
            gm_load_write(check->load, &event, &check->line);
            complain(check, &check->found.missing, "is missing", gm_buf_str(&check->line));
        }
    }
}

bool gm_load_check_end(struct gm_load_check *check, struct gm_load_found *out_found)
{
    struct gm_load_found *found = &check->found;
    if (!check->rows || found->arrived > 0) {
        find_missing(check);
    }
    for (size_t i = 0; i < gm_load_sensor_count(check->load); i++) {
        struct newest sent;
        struct gm_str twin = gm_str_z(gm_load_sensor(check->load, i)->twin_z);
        newest_sent(check, i, &sent);
        if (found->arrived > 0 &&
            (sent.sequence != check->newest[i].sequence || sent.time != check->newest[i].time)) {
            complain(check, &found->newest_wrong, "its newest reading did not come", twin);
        }
        if (check->rows && sent.sequence != 0 && !check->shown[i]) {
            complain(check, &found->newest_wrong, "no row shows it", twin);
        }
    }
    *out_found = *found;
    gm_buf_init(&found->complaints, COMPLAINTS_SIZE_MAX); /* the buffer is the caller's now */
    return out_found->missing + out_found->duplicates + out_found->altered + out_found->strange +
               out_found->disordered + out_found->newest_wrong ==
           0;
}
