/* Sensor readings of the sample company, made up from a seed: the load of `gemel sample factory`.
 *
 *     struct gm_load_options options = {.seed = 7, .scale = 1, .events = 1000000, …};
 *     GM_TRY(gm_load_new(&options, &load, err));
 *     while (gm_load_next(load, &event)) {
 *         gm_load_write(load, &event, &text);       // one JSON object, without a line end
 *     }
 *     gm_load_free(load);
 *
 * The sensors are those of `gemel sample company` of the same seed and scale, so that readings
 * meet its twins: "sensor-10001-T". Values follow the scenario's simulator: normal distributions
 * (Box and Muller), 3 % dips to 0.6 of the value and 3 % spikes to 1.8; a pressure comes with the
 * maintenance that the scenario's rule asks for with the machine's temperature of the same cycle.
 *
 * Slots. In a cycle each sensor has one slot; slot n is that of sensor n modulo their number. What
 * a slot holds follows from seed and number alone, so any reading can be made again at any time:
 * that is how the checker knows what to expect. Sensors are grouped by line; the line's gateway is
 * the origin of their readings and numbers them in the order in which it sends them first. Numbers
 * of missing readings are left out. They go on from start to start: the first number is the time
 * of the first reading, in tenths of a microsecond since 2026 began, so that whoever starts again
 * later has higher ones.
 *
 * What may go wrong on the way, each by its share of the slots:
 *     duplicates   a reading of the last 2000 slots is sent once more behind this one
 *     reorder      the reading comes behind the others of its 256 slots: within the
 *                  GM_STREAM_REORDER_MAX sequences that a stream holds apart
 *     late         the reading was taken before, and the gateway kept it: its number is as it
 *                  should be, its time is up to `late_max` older
 *     missing      nothing is sent
 *     spikes       five times the value
 *     stuck        (of the sensors) from some cycle on the value is the same for ever
 *
 * Nothing here prints or reads a double: values are counted in hundredths.
 * Thread rule: a load has one owner, but gm_load_at and gm_load_write only read it. */
#ifndef GM_CLI_SAMPLE_LOAD_H
#define GM_CLI_SAMPLE_LOAD_H

#include "base/buf.h"
#include "base/time.h"

enum { GM_LOAD_REORDER_SLOTS = 256, GM_LOAD_REPEAT_SLOTS = 2000, GM_LOAD_LINE_SIZE_MAX = 512 };
#define GM_LOAD_SENSORS_MAX 2000000
#define GM_LOAD_START_GAP 10000000 /* numbers; starts a second apart have this between them */

struct gm_load_options {
    uint64_t seed;
    uint64_t company_seed;
    double scale;    /* of the company */
    int64_t sensors; /* the first so many of them; 0: all */
    int64_t events;  /* slots */
    gm_ns start;     /* of the first reading, in milliseconds */
    gm_ns interval;  /* between two readings of a sensor, at least 2 ms */
    double duplicates, reorder, late, missing, stuck, spikes; /* shares */
    gm_ns late_max;
};

struct gm_load_event {
    int64_t slot;
    uint32_t sensor;
    uint64_t sequence;
    gm_ns time;
    int64_t hundredths;
    int32_t maintenance; /* 0: none; 1 to 5 as the scenario numbers them */
};

/* A sensor's place in the company. Texts live as long as the load. */
struct gm_load_sensor {
    const char *twin_z; /* "sensor-10001-T" */
    const char *line_z; /* "SEA-L07" */
    const char *id_z;   /* "10001-T" */
    int64_t machine;    /* 10001 */
    uint32_t gateway;
};

struct gm_load;
/* GM_E_CONFIG: an option is out of its range. */
gm_rc gm_load_new(const struct gm_load_options *options, struct gm_load **out_load,
                  struct gm_err *err) GM_MUST_CHECK;
void gm_load_free(struct gm_load *load); /* NULL is fine */

size_t gm_load_sensor_count(const struct gm_load *load);
const struct gm_load_sensor *gm_load_sensor(const struct gm_load *load, size_t index);
/* False: there is no sensor of that twin. */
bool gm_load_find(const struct gm_load *load, struct gm_str twin, size_t *out_index);

/* The next one, in the order of sending. False: that was all. */
bool gm_load_next(struct gm_load *load, struct gm_load_event *out_event);
/* What a slot holds. False: its reading is missing. */
bool gm_load_at(const struct gm_load *load, int64_t slot, struct gm_load_event *out_event);
/* The slot of a number; -1: none has it. */
int64_t gm_load_slot(const struct gm_load *load, size_t sensor, uint64_t sequence);
/* Whether a number is of another start: lower than any of this load, or GM_LOAD_START_GAP and more
 * above. */
bool gm_load_is_other(const struct gm_load *load, size_t sensor, uint64_t sequence);
void gm_load_write(struct gm_load *load, const struct gm_load_event *event, struct gm_buf *out);

#endif
