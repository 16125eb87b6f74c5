/* The readings. See sample_load.h. */
#include "cli/sample_load.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cli/sample_parts.h"

/* The simulator's distributions; vibration is this company's own. */
static const struct distribution {
    double mean, deviation;
    bool whole;
} distributions[SAMPLE_SENSOR_KINDS] = {
    {55, 2.4, false},   {7539, 14, false}, {29.36, 1.1, false},
    {22.6, 1.1, false}, {20, 3.5, true},   {2.1, 0.7, false},
};
enum { KIND_TEMPERATURE = 0, KIND_PRESSURE = 1 };

#define NUMBERS_BEGIN ((gm_ns)1767225600 * GM_SECOND) /* 2026-01-01T00:00:00Z */

/* Numbers of the draws of a slot, apart from those of its value. */
enum draw {
    DRAW_DUPLICATE = 3,
    DRAW_WHICH,
    DRAW_REORDER,
    DRAW_LATE,
    DRAW_HOW_LATE,
    DRAW_MISSING,
    DRAW_SPIKE,
    DRAW_STUCK,
    DRAW_COUNT = 16
};

struct gateway {
    const char *name_z;
    uint32_t first, count; /* of its sensors */
};

struct sensor_text {
    struct gm_load_sensor place;
    struct gm_str head; /* up to the value */
    int32_t kind;
    int64_t stuck_at; /* cycle from which the value stays; INT64_MAX: never */
};

struct gm_load {
    struct gm_load_options options;
    uint64_t base;  /* of the draws */
    uint64_t first; /* what numbers of readings are above */
    struct gm_arena *arena;
    struct gm_map *by_twin;
    GM_VEC(struct sensor_text) sensors;
    GM_VEC(struct gateway) gateways;
    int64_t late_cycles;
    /* of the slots that are under way: what is sent of them */
    int64_t block; /* the next slot that is not */
    int64_t sending[2 * GM_LOAD_REORDER_SLOTS];
    size_t sending_count, sending_at;
    /* the last second that was written as text */
    gm_ns second;
    char second_text[GM_TIME_TEXT_SIZE];
};

/* ---- chance ---- */

/* The draws of a slot are DRAW_COUNT neighbours in one sequence of splitmix64 (base/rng.c), so that
 * each can be had without the others. */
static uint64_t draw_bits(const struct gm_load *load, int64_t slot, int number)
{
    uint64_t z = load->base +
                 ((uint64_t)slot * DRAW_COUNT + (uint64_t)number) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double draw(const struct gm_load *load, int64_t slot, int number)
{
    return (double)(draw_bits(load, slot, number) >> 11) * 0x1.0p-53;
}

static bool happens(const struct gm_load *load, int64_t slot, int number, double share)
{
    return share > 0 && draw(load, slot, number) < share;
}

/* ---- values ---- */

static int64_t value_at(const struct gm_load *load, uint32_t sensor, int64_t cycle)
{
    const struct sensor_text *text = &load->sensors.at[sensor];
    const struct distribution *distribution = &distributions[text->kind];
    cycle = cycle < text->stuck_at ? cycle : text->stuck_at;
    int64_t slot = cycle * (int64_t)load->sensors.n + sensor;
    double radius = sqrt(-2 * log(1 - draw(load, slot, 0)));
    double turn = cos(6.283185307179586 * draw(load, slot, 1));
    double v = distribution->mean + distribution->deviation * radius * turn;
    double odd = draw(load, slot, 2);
    v *= odd < 0.03 ? 0.6 : odd < 0.06 ? 1.8 : 1;
    if (happens(load, slot, DRAW_SPIKE, load->options.spikes)) {
        v *= 5;
    }
    v = v < 0 ? 0 : v;
    return distribution->whole ? (int64_t)(v + 0.5) * 100 : (int64_t)(v * 100 + 0.5);
}

/* The scenario's rule; both in hundredths. */
static int32_t maintenance_of(int64_t pressure, int64_t temperature)
{
    if (pressure < 747500) {
        return temperature < 7000 ? 1 /* tighten the harness */ : 4 /* loosen the plate */;
    }
    if (pressure > 760000) {
        return temperature >= 7000   ? 5 /* replace screws */
               : temperature >= 5000 ? 2 /* loosen the harness */
                                     : 3 /* tighten the plate */;
    }
    return 0;
}

bool gm_load_at(const struct gm_load *load, int64_t slot, struct gm_load_event *out_event)
{
    const struct gm_load_options *options = &load->options;
    int64_t count = (int64_t)load->sensors.n;
    int64_t cycle = slot / count;
    uint32_t sensor = (uint32_t)(slot % count);
    const struct sensor_text *text = &load->sensors.at[sensor];
    const struct gateway *gateway = &load->gateways.at[text->place.gateway];
    if (happens(load, slot, DRAW_MISSING, options->missing)) {
        return false;
    }
    out_event->slot = slot;
    out_event->sensor = sensor;
    out_event->sequence =
        load->first + (uint64_t)cycle * gateway->count + (sensor - gateway->first) + 1;
    gm_ns within = (gm_ns)((double)options->interval * (double)sensor / (double)count);
    gm_ns time = options->start + cycle * options->interval + within;
    if (happens(load, slot, DRAW_LATE, options->late)) {
        /* between two readings, so that no other reading of the sensor has the same time */
        int64_t cycles =
            (int64_t)(draw_bits(load, slot, DRAW_HOW_LATE) % (uint64_t)load->late_cycles);
        time -= cycles * options->interval + options->interval / 2;
    }
    out_event->time = time - (time % GM_MS + GM_MS) % GM_MS;
    out_event->hundredths = value_at(load, sensor, cycle);
    /* a machine's pressure follows its temperature: all machines have both */
    out_event->maintenance =
        text->kind == KIND_PRESSURE && sensor > 0
            ? maintenance_of(out_event->hundredths, value_at(load, sensor - 1, cycle))
            : 0;
    return true;
}

bool gm_load_is_other(const struct gm_load *load, size_t sensor, uint64_t sequence)
{
    const struct gateway *gateway = &load->gateways.at[load->sensors.at[sensor].place.gateway];
    uint64_t cycles = (uint64_t)load->options.events / load->sensors.n + 1;
    uint64_t last = load->first + cycles * gateway->count;
    return sequence <= load->first || sequence >= last + GM_LOAD_START_GAP;
}

int64_t gm_load_slot(const struct gm_load *load, size_t sensor, uint64_t sequence)
{
    const struct sensor_text *text = &load->sensors.at[sensor];
    const struct gateway *gateway = &load->gateways.at[text->place.gateway];
    if (sequence <= load->first) {
        return -1;
    }
    sequence -= load->first;
    if ((sequence - 1) % gateway->count != sensor - gateway->first ||
        (sequence - 1) / gateway->count > (uint64_t)(INT64_MAX / GM_LOAD_SENSORS_MAX)) {
        return -1;
    }
    int64_t slot =
        (int64_t)((sequence - 1) / gateway->count) * (int64_t)load->sensors.n + (int64_t)sensor;
    return slot < load->options.events ? slot : -1;
}

/* ---- the order of sending ---- */

static void send_slot(struct gm_load *load, int64_t slot)
{
    load->sending[load->sending_count++] = slot;
    if (slot > 0 && happens(load, slot, DRAW_DUPLICATE, load->options.duplicates)) {
        uint64_t reach = slot < GM_LOAD_REPEAT_SLOTS ? (uint64_t)slot : GM_LOAD_REPEAT_SLOTS;
        load->sending[load->sending_count++] =
            slot - 1 - (int64_t)(draw_bits(load, slot, DRAW_WHICH) % reach);
    }
}

static void fill_block(struct gm_load *load)
{
    int64_t end = load->options.events - load->block < GM_LOAD_REORDER_SLOTS
                      ? load->options.events
                      : load->block + GM_LOAD_REORDER_SLOTS;
    double reorder = load->options.reorder;
    load->sending_count = load->sending_at = 0;
    for (int64_t slot = load->block; slot < end; slot++) {
        if (!happens(load, slot, DRAW_REORDER, reorder)) {
            send_slot(load, slot);
        }
    }
    for (int64_t slot = end - 1; reorder > 0 && slot >= load->block; slot--) {
        if (happens(load, slot, DRAW_REORDER, reorder)) {
            send_slot(load, slot);
        }
    }
    load->block = end;
}

bool gm_load_next(struct gm_load *load, struct gm_load_event *out_event)
{
    for (;;) {
        while (load->sending_at < load->sending_count) {
            if (gm_load_at(load, load->sending[load->sending_at++], out_event)) {
                return true;
            }
        }
        if (load->block >= load->options.events) {
            return false;
        }
        fill_block(load);
    }
}

/* ---- text ---- */

/* Digits of a number from the right, in front of `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t v)
{
    do {
        *--end = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    return end;
}

static char *put(char *to, struct gm_str s)
{
    memcpy(to, s.p, s.n);
    return to + s.n;
}

static char *put_number(char *to, uint64_t v)
{
    char digits[24];
    char *from = digits_before(digits + sizeof(digits), v);
    return put(to, (struct gm_str){from, (size_t)(digits + sizeof(digits) - from)});
}

/* "55.12", "55.1", "20": without zeros behind. */
static char *put_hundredths(char *to, int64_t v)
{
    unsigned part = (unsigned)(v % 100);
    to = put_number(to, (uint64_t)(v / 100));
    if (part > 0) {
        *to++ = '.';
        *to++ = (char)('0' + part / 10);
        if (part % 10 > 0) {
            *to++ = (char)('0' + part % 10);
        }
    }
    return to;
}

/* "2026-01-01T00:00:00.125Z". Readings in a row mostly share their second. */
static char *put_time(struct gm_load *load, char *to, gm_ns time)
{
    gm_ns millis = (time % GM_SECOND + GM_SECOND) % GM_SECOND;
    if (time - millis != load->second) {
        load->second = time - millis;
        sample_time_text(load->second, load->second_text);
    }
    unsigned ms = (unsigned)(millis / GM_MS);
    to = put(to, (struct gm_str){load->second_text, sizeof("2026-01-01T00:00:00.") - 1});
    *to++ = (char)('0' + ms / 100);
    *to++ = (char)('0' + ms / 10 % 10);
    *to++ = (char)('0' + ms % 10);
    *to++ = 'Z';
    return to;
}

void gm_load_write(struct gm_load *load, const struct gm_load_event *event, struct gm_buf *out)
{
    const struct sensor_text *text = &load->sensors.at[event->sensor];
    const struct gateway *gateway = &load->gateways.at[text->place.gateway];
    char *begin = gm_buf_reserve(out, GM_LOAD_LINE_SIZE_MAX);
    if (begin == NULL) {
        return; /* the buffer says so */
    }
    char *to = put(begin, text->head);
    to = put_hundredths(to, event->hundredths);
    if (event->maintenance > 0) {
        to = put(to, GM_STR(",\"maintenance\":"));
        *to++ = (char)('0' + event->maintenance);
    }
    to = put(to, GM_STR(",\"time\":\""));
    to = put_time(load, to, event->time);
    to = put(to, GM_STR("\",\"origin\":\""));
    to = put(to, gm_str_z(gateway->name_z));
    to = put(to, GM_STR("\",\"sequence\":"));
    to = put_number(to, event->sequence);
    *to++ = '}';
    gm_buf_commit(out, (size_t)(to - begin));
}

/* ---- sensors ---- */

static const char *keep(struct gm_load *load, const char *fmt, ...) GM_PRINTF(2, 3);
static const char *keep(struct gm_load *load, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    struct gm_str kept = gm_arena_dup(load->arena, (struct gm_str){text, strlen(text) + 1});
    GM_ASSERT(kept.p != NULL); /* GM_LOAD_SENSORS_MAX bounds what is kept */
    return kept.p;
}

static void add_sensor(struct gm_load *load, int kind, int64_t machine)
{
    const struct sample_sensor_kind *about = &sample_sensor_kinds[kind];
    struct gateway *gateway = &load->gateways.at[load->gateways.n - 1];
    uint32_t index = (uint32_t)load->sensors.n;
    struct sensor_text *text = gm_vec_push(&load->sensors);
    text->kind = kind;
    text->place.twin_z = keep(load, "sensor-%lld-%s", (long long)machine, about->code);
    text->place.id_z = text->place.twin_z + sizeof("sensor-") - 1;
    text->place.line_z = gateway->name_z + sizeof("gateway-") - 1;
    text->place.machine = machine;
    text->place.gateway = (uint32_t)load->gateways.n - 1;
    text->head =
        gm_str_z(keep(load, "{\"sensor\":\"%s\",\"machine\":%lld,\"kind\":\"%s\",\"value\":",
                      text->place.twin_z, (long long)machine, about->name));
    gateway->count++;
    gm_map_set(load->by_twin, gm_str_z(text->place.twin_z), index);
}

/* The same walk as the one that writes sensors.csv.gz. */
static void add_sensors(struct gm_load *load)
{
    struct sample sample = {.seed = load->options.company_seed};
    struct sample_sensor drawn[SAMPLE_SENSOR_KINDS];
    sample_set_sizes(&sample, load->options.scale);
    struct gm_rng rng = sample_sensor_rng(&sample);
    int64_t line = -1;
    int64_t max = load->options.sensors > 0 ? load->options.sensors : GM_LOAD_SENSORS_MAX;
    for (int64_t at = 0; at < SAMPLE_FACTORIES * sample.machines_per_factory; at++) {
        int count = sample_draw_sensors(&rng, drawn);
        for (int i = 0; i < count && (int64_t)load->sensors.n < max; i++) {
            if (sample_machine_line(&sample, at) != line) {
                char code[SAMPLE_TEXT_SIZE];
                line = sample_machine_line(&sample, at);
                sample_line_code(&sample, line, code);
                struct gateway *gateway = gm_vec_push(&load->gateways);
                gateway->name_z = keep(load, "gateway-%s", code);
                gateway->first = (uint32_t)load->sensors.n;
            }
            add_sensor(load, drawn[i].kind, SAMPLE_MACHINE_FIRST + at);
        }
    }
}

/* Drawn with the slots of no cycle: below zero. */
static void choose_stuck(struct gm_load *load)
{
    int64_t cycles = load->options.events / (int64_t)load->sensors.n + 1;
    for (size_t i = 0; i < load->sensors.n; i++) {
        int64_t slot = -1 - (int64_t)i;
        load->sensors.at[i].stuck_at =
            happens(load, slot, DRAW_STUCK, load->options.stuck)
                ? (int64_t)(draw_bits(load, slot, DRAW_WHICH) % (uint64_t)(cycles / 2 + 1))
                : INT64_MAX;
    }
}

static gm_rc check_options(const struct gm_load_options *options, struct gm_err *err)
{
    const double shares[] = {options->duplicates, options->reorder, options->late,
                             options->missing,    options->stuck,   options->spikes};
    for (size_t i = 0; i < GM_ARRAY_COUNT(shares); i++) {
        if (!(shares[i] >= 0 && shares[i] <= 1)) {
            return gm_fail(err, GM_E_CONFIG, "a share must be from 0 to 100%%");
        }
    }
    if (!(options->scale >= GM_SAMPLE_SCALE_MIN && options->scale <= GM_SAMPLE_SCALE_MAX)) {
        return gm_fail(err, GM_E_CONFIG, "scale %g: must be from %g to %g", options->scale,
                       GM_SAMPLE_SCALE_MIN, GM_SAMPLE_SCALE_MAX);
    }
    if (options->interval < 2 * GM_MS || options->interval > 366 * GM_DAY) {
        return gm_fail(err, GM_E_CONFIG, "an interval must be from 2ms to 366d");
    }
    if (options->events < 0 || options->sensors < 0) {
        return gm_fail(err, GM_E_CONFIG, "numbers must not be negative");
    }
    return GM_OK;
}

gm_rc gm_load_new(const struct gm_load_options *options, struct gm_load **out_load,
                  struct gm_err *err)
{
    GM_TRY(check_options(options, err));
    struct gm_load *load = gm_alloc(sizeof(*load));
    load->options = *options;
    load->arena = gm_arena_new(SIZE_MAX);
    load->by_twin = gm_map_new();
    load->second = INT64_MIN;
    struct gm_rng rng;
    gm_rng_init(&rng, options->seed);
    load->base = gm_rng_next(&rng);
    load->first =
        options->start > NUMBERS_BEGIN ? (uint64_t)(options->start - NUMBERS_BEGIN) / 100 : 0;
    add_sensors(load);
    if ((int64_t)load->sensors.n < options->sensors) {
        gm_rc rc = gm_fail(err, GM_E_CONFIG, "the company has %zu sensors; use a larger --scale",
                           load->sensors.n);
        gm_load_free(load);
        return rc;
    }
    choose_stuck(load);
    load->late_cycles = options->late_max / options->interval;
    load->late_cycles = load->late_cycles < 1 ? 1 : load->late_cycles;
    *out_load = load;
    return GM_OK;
}

void gm_load_free(struct gm_load *load)
{
    if (load != NULL) {
        gm_arena_free(load->arena);
        gm_map_free(load->by_twin);
        gm_vec_deinit(&load->sensors);
        gm_vec_deinit(&load->gateways);
        gm_free(load);
    }
}

size_t gm_load_sensor_count(const struct gm_load *load)
{
    return load->sensors.n;
}

const struct gm_load_sensor *gm_load_sensor(const struct gm_load *load, size_t index)
{
    return &load->sensors.at[index].place;
}

bool gm_load_find(const struct gm_load *load, struct gm_str twin, size_t *out_index)
{
    uint64_t index;
    if (!gm_map_get(load->by_twin, twin, &index)) {
        return false;
    }
    *out_index = index;
    return true;
}
