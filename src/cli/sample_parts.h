/* The generator's parts, for one another: sizes, words, and who writes what. */
#ifndef GM_CLI_SAMPLE_PARTS_H
#define GM_CLI_SAMPLE_PARTS_H

#include "base/buf.h"
#include "base/rng.h"
#include "base/time.h"
#include "cli/sample.h"

/* ---- sizes ---- */

enum {
    SAMPLE_FACTORIES = 5,
    SAMPLE_MACHINES_PER_LINE = 50,
    SAMPLE_MACHINE_FIRST = 10001,
    SAMPLE_ORDER_FIRST = 500001,
    SAMPLE_TEXT_SIZE = 160, /* of any made-up text */
};

struct sample {
    const char *folder_z;
    uint64_t seed;
    int64_t lines_per_factory, machines_per_factory;
    int64_t suppliers, products, customers, orders, work_orders;
    struct gm_sample_report report; /* counted while writing */
};
void sample_set_sizes(struct sample *sample, double scale);

/* ---- chance ---- */

/* A generator for one table: what one table draws never moves another's rows. */
struct gm_rng sample_rng(const struct sample *sample, const char *table_z);
bool sample_chance(struct gm_rng *rng, double share);
int64_t sample_between(struct gm_rng *rng, int64_t low, int64_t high); /* both ends included */
/* Rounded to `digits` after the point, so that the text of the number is short. */
double sample_rounded(double v, int digits);
/* Some day from `days_low` to `days_high` before the sample's today, at a second of the day. */
gm_ns sample_past(struct gm_rng *rng, int64_t days_low, int64_t days_high);

/* Instants as the tables have them: "2024-11-05T08:30:00.000Z", and the day alone. The texts are
 * NUL-terminated. */
void sample_time_text(gm_ns t, char out[GM_TIME_TEXT_SIZE]);
void sample_day_text(gm_ns t, char out[GM_TIME_TEXT_SIZE]);

/* ---- words ---- */

struct sample_factory {
    const char *code, *name, *street, *city, *state, *postal_code, *country;
    double latitude, longitude;
    const char *in_service_since;
};
extern const struct sample_factory sample_factories[SAMPLE_FACTORIES];

struct sample_place {
    const char *city, *state, *country; /* state may be NULL */
    const char *postal_format;          /* 'n' stands for a digit, 'L' for a letter */
    const char *phone_code;
};

/* A business partner's name and address; state is NULL where there is none. */
struct sample_party {
    char name[SAMPLE_TEXT_SIZE];
    char contact[SAMPLE_TEXT_SIZE];
    char email[SAMPLE_TEXT_SIZE];
    char phone[SAMPLE_TEXT_SIZE];
    char street[SAMPLE_TEXT_SIZE];
    char postal_code[SAMPLE_TEXT_SIZE];
    const char *city, *state, *country;
};
void sample_party(struct gm_rng *rng, struct sample_party *out_party);
void sample_person(struct gm_rng *rng, char out[SAMPLE_TEXT_SIZE]);
void sample_phone(struct gm_rng *rng, const char *code_z, char out[SAMPLE_TEXT_SIZE]);

struct sample_product {
    char name[SAMPLE_TEXT_SIZE];
    int64_t group; /* from 1 */
    char tags[SAMPLE_TEXT_SIZE];
    char attributes[SAMPLE_TEXT_SIZE]; /* a JSON object */
};
int64_t sample_group_count(void);
const char *sample_group_name(int64_t group);
void sample_product(struct gm_rng *rng, struct sample_product *out_product);

/* ---- sensors ---- */

enum { SAMPLE_SENSOR_KINDS = 6 };

/* What is measured, and where readings usually lie. */
struct sample_sensor_kind {
    const char *code, *name, *unit;
    double low, high;
    double share; /* of the machines that have one */
    int interval_s;
};
extern const struct sample_sensor_kind sample_sensor_kinds[SAMPLE_SENSOR_KINDS];

/* A sensor of a machine. Its id is "MACHINE-CODE", that of its twin "sensor-MACHINE-CODE". */
struct sample_sensor {
    int kind;
    unsigned serial;
    gm_ns in_service_since;
};
/* The generator that sensors are drawn with: machine by machine, from the first. */
struct gm_rng sample_sensor_rng(const struct sample *sample);
/* Those of the next machine, in the order of kinds. Returns how many. */
int sample_draw_sensors(struct gm_rng *rng, struct sample_sensor out[SAMPLE_SENSOR_KINDS]);
/* The line of a machine; both count from 0 over all factories. */
int64_t sample_machine_line(const struct sample *sample, int64_t machine);

/* ---- files ---- */

/* The code of a line, "SEA-L07"; `line` counts from 0 over all factories. */
void sample_line_code(const struct sample *sample, int64_t line, char out[SAMPLE_TEXT_SIZE]);

gm_rc sample_write_erp(struct sample *sample, struct gm_err *err) GM_MUST_CHECK;
gm_rc sample_write_plant(struct sample *sample, struct gm_err *err) GM_MUST_CHECK;
/* FOLDER/name, whole or not at all. */
gm_rc sample_write_file(const struct sample *sample, const char *name_z, struct gm_str content,
                        struct gm_err *err) GM_MUST_CHECK;

#endif
