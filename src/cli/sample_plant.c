#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "cli/sample_parts.h"
#include "json/json.h"

/* What the maintenance system exports: machines.csv, sensors.csv.gz (of the same shape, but large)
 * and work-orders.jsonl. */

enum { FILE_SIZE_MAX = 1 << 30 }; /* far above what the largest scale makes */

static const struct machine_type {
    const char *name, *title, *series;
} machine_types[] = {
    {"press", "Hydraulic press", "HPX"},  {"lathe", "CNC lathe", "CNL"},
    {"mill", "Milling centre", "MLC"},    {"robot", "Six-axis robot", "RBT"},
    {"printer", "Screen printer", "SCP"}, {"packer", "Case packer", "CPK"},
    {"conveyor", "Belt conveyor", "BCV"},
};

const struct sample_sensor_kind sample_sensor_kinds[SAMPLE_SENSOR_KINDS] = {
    {"T", "temperature", "degreeCelsius", 45, 65, 1, 5},
    {"P", "pressure", "kilopascal", 7475, 7600, 1, 5},
    {"E", "electricityUtilization", "kilowatt", 25, 34, 1, 5},
    {"A", "ambientTemperature", "degreeCelsius", 17, 28, 1, 5},
    {"H", "ambientHumidity", "percent", 8, 34, 0.9, 5},
    {"V", "vibration", "millimetrePerSecond", 0, 4.5, 0.1, 1},
};

/* ---- CSV (RFC 4180) ---- */

static void add_text(struct gm_buf *out, const char *text_z)
{
    if (out->n > 0 && out->p[out->n - 1] != '\n') {
        gm_buf_add_char(out, ',');
    }
    if (text_z[strcspn(text_z, ",\"\r\n")] == '\0') {
        gm_buf_add_z(out, text_z);
        return;
    }
    gm_buf_add_char(out, '"');
    for (const char *p = text_z; *p != '\0'; p++) {
        if (*p == '"') {
            gm_buf_add_char(out, '"');
        }
        gm_buf_add_char(out, *p);
    }
    gm_buf_add_char(out, '"');
}

static void add_field(struct gm_buf *out, const char *fmt, ...) GM_PRINTF(2, 3);
static void add_field(struct gm_buf *out, const char *fmt, ...)
{
    char text[SAMPLE_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    add_text(out, text);
}

/* ---- machines and their sensors ---- */

static void add_machine(struct sample *sample, struct gm_rng *rng, int64_t index,
                        struct gm_buf *out)
{
    static const char *const states[] = {"running", "running", "running", "idle", "maintenance"};
    const struct machine_type *type =
        &machine_types[gm_rng_below(rng, GM_ARRAY_COUNT(machine_types))];
    int64_t place = index % sample->machines_per_factory;
    int64_t line = sample_machine_line(sample, index);
    int64_t id = SAMPLE_MACHINE_FIRST + index;
    char code[SAMPLE_TEXT_SIZE];
    char day[GM_TIME_TEXT_SIZE];
    add_field(out, "%lld", (long long)id);
    sample_line_code(sample, line, code);
    add_text(out, code);
    add_field(out, "%s %d", type->title, (int)(place % SAMPLE_MACHINES_PER_LINE) + 1);
    add_text(out, type->name);
    add_field(out, "%s-%06X", type->series, (unsigned)gm_rng_below(rng, 1 << 24));
    sample_day_text(sample_past(rng, 30, 3000), day);
    add_text(out, day);
    sample_day_text(sample_past(rng, 1, 29), day);
    add_text(out, sample_chance(rng, 0.05) ? "" : day); /* some were never maintained */
    add_text(out, states[gm_rng_below(rng, GM_ARRAY_COUNT(states))]);
    add_field(out, "%.1f", 4 + 28 * gm_rng_double(rng));
    add_field(out, "%d", sample_chance(rng, 0.1) ? (int)sample_between(rng, 1, 5) : 0);
    gm_buf_add_char(out, '\n');
    sample->report.machines++;
}

int64_t sample_machine_line(const struct sample *sample, int64_t machine)
{
    int64_t factory = machine / sample->machines_per_factory;
    int64_t place = machine % sample->machines_per_factory;
    return factory * sample->lines_per_factory + place / SAMPLE_MACHINES_PER_LINE;
}

struct gm_rng sample_sensor_rng(const struct sample *sample)
{
    return sample_rng(sample, "sensors.csv.gz");
}

int sample_draw_sensors(struct gm_rng *rng, struct sample_sensor out[SAMPLE_SENSOR_KINDS])
{
    int count = 0;
    for (int kind = 0; kind < SAMPLE_SENSOR_KINDS; kind++) {
        if (sample_chance(rng, sample_sensor_kinds[kind].share)) {
            out[count].kind = kind;
            out[count].serial = (unsigned)gm_rng_below(rng, UINT64_C(1) << 32);
            out[count].in_service_since = sample_past(rng, 30, 2000);
            count++;
        }
    }
    return count;
}

static void add_sensor(const struct sample_sensor *sensor, int64_t machine, struct gm_buf *out)
{
    const struct sample_sensor_kind *kind = &sample_sensor_kinds[sensor->kind];
    char day[GM_TIME_TEXT_SIZE];
    add_field(out, "%lld-%s", (long long)machine, kind->code);
    add_field(out, "%lld", (long long)machine);
    add_text(out, kind->name);
    add_text(out, kind->unit);
    add_field(out, "%s%08X", kind->code, sensor->serial);
    add_field(out, "%.1f", kind->low);
    add_field(out, "%.1f", kind->high);
    add_field(out, "PT%dS", kind->interval_s);
    sample_day_text(sensor->in_service_since, day);
    add_text(out, day);
    gm_buf_add_char(out, '\n');
}

static void add_sensors(struct sample *sample, struct gm_rng *rng, int64_t index,
                        struct gm_buf *out)
{
    struct sample_sensor sensors[SAMPLE_SENSOR_KINDS];
    int count = sample_draw_sensors(rng, sensors);
    for (int i = 0; i < count; i++) {
        add_sensor(&sensors[i], SAMPLE_MACHINE_FIRST + index, out);
    }
    sample->report.sensors += count;
}

/* ---- work orders ---- */

static void add_member(struct gm_buf *out, const char *name_z, const char *text_z)
{
    gm_buf_addf(out, ",\"%s\":", name_z);
    gm_json_quote(out, gm_str_z(text_z));
}

static void add_parts(struct gm_rng *rng, struct gm_buf *out)
{
    static const char *const parts[] = {"seal", "bearing", "belt", "filter", "harness", "screw"};
    size_t first = gm_rng_below(rng, GM_ARRAY_COUNT(parts));
    int64_t count = sample_between(rng, 0, 3);
    gm_buf_add_z(out, ",\"parts\":{");
    for (int64_t i = 0; i < count; i++) {
        gm_buf_addf(out, "%s\"%s\":%d", i > 0 ? "," : "",
                    parts[(first + (size_t)i) % GM_ARRAY_COUNT(parts)],
                    (int)sample_between(rng, 1, 12));
    }
    gm_buf_add_char(out, '}');
}

static void add_work_order(struct sample *sample, struct gm_rng *rng, int64_t index,
                           struct gm_buf *out)
{
    static const char *const kinds[] = {"inspection", "inspection", "repair", "replacement"};
    static const char *const summaries[] = {"Readings left their usual range", "Routine check",
                                            "Belt runs unevenly", "Operator reports noise",
                                            "Pressure drops when the plate closes"};
    gm_ns opened = sample_past(rng, 1, 200);
    char text[SAMPLE_TEXT_SIZE];
    char phone[SAMPLE_TEXT_SIZE];
    char time[GM_TIME_TEXT_SIZE];
    int64_t machine = sample_between(rng, 0, sample->report.machines - 1) + SAMPLE_MACHINE_FIRST;
    gm_buf_addf(out, "{\"workOrder\":\"WO-%06lld\",\"machine\":%lld", (long long)index + 1,
                (long long)machine);
    add_member(out, "kind", kinds[gm_rng_below(rng, GM_ARRAY_COUNT(kinds))]);
    sample_time_text(opened, time);
    add_member(out, "opened", time);
    if (sample_chance(rng, 0.8)) {
        sample_time_text(opened + sample_between(rng, 1, 48) * GM_HOUR, time);
        add_member(out, "closed", time);
    }
    add_member(out, "summary", summaries[gm_rng_below(rng, GM_ARRAY_COUNT(summaries))]);
    sample_person(rng, text);
    sample_phone(rng, "+1 206", phone);
    gm_buf_add_z(out, ",\"technician\":{\"name\":");
    gm_json_quote(out, gm_str_z(text));
    add_member(out, "phone", phone);
    gm_buf_add_char(out, '}');
    add_parts(rng, out);
    gm_buf_add_z(out, "}\n");
    sample->report.work_orders++;
}

/* ---- files ---- */

/* gzip (RFC 1952) without name and time, so that equal content makes equal bytes. */
static gm_rc compress_into(struct gm_str content, struct gm_buf *out, struct gm_err *err)
{
    enum { GZIP_WINDOW_BITS = 15 + 16 };
    z_stream stream = {0};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return gm_fail(err, GM_E_LIMIT, "sensors.csv.gz: no memory for the compressor");
    }
    uLong bound = deflateBound(&stream, (uLong)content.n);
    char *to = gm_buf_reserve(out, bound);
    if (to == NULL) {
        (void)deflateEnd(&stream);
        return gm_fail(err, GM_E_LIMIT, "sensors.csv.gz: too large; use a smaller scale");
    }
    GM_AUTO_FREE char *input = gm_str_dup_z(content); /* zlib's interface is not const */
    stream.next_in = (Bytef *)input;
    stream.avail_in = (uInt)content.n;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)bound;
    int rc = deflate(&stream, Z_FINISH);
    GM_ASSERT(rc == Z_STREAM_END); /* the bound holds for one call */
    gm_buf_commit(out, stream.total_out);
    (void)deflateEnd(&stream);
    return GM_OK;
}

struct export
{
    const char *file_z;
    const char *head_z;
    void (*add)(struct sample * sample, struct gm_rng * rng, int64_t index, struct gm_buf * out);
    int64_t count;
    bool compressed;
};

static gm_rc write_export(struct sample *sample, const struct export *export, struct gm_err *err)
{
    struct gm_rng rng = sample_rng(sample, export->file_z);
    struct gm_buf text;
    struct gm_buf packed;
    gm_buf_init(&text, FILE_SIZE_MAX);
    gm_buf_init(&packed, FILE_SIZE_MAX);
    gm_buf_add_z(&text, export->head_z);
    for (int64_t index = 0; index < export->count; index++) {
        export->add(sample, &rng, index, &text);
    }
    gm_rc rc = GM_OK;
    if (gm_buf_failed(&text)) {
        rc = gm_fail(err, GM_E_LIMIT, "%s: too large; use a smaller scale", export->file_z);
    }
    if (rc == GM_OK && export->compressed) {
        rc = compress_into(gm_buf_str(&text), &packed, err);
    }
    if (rc == GM_OK) {
        rc = sample_write_file(sample, export->file_z,
                               gm_buf_str(export->compressed ? &packed : &text), err);
    }
    gm_buf_deinit(&packed);
    gm_buf_deinit(&text);
    return rc;
}

gm_rc sample_write_plant(struct sample *sample, struct gm_err *err)
{
    int64_t machines = SAMPLE_FACTORIES * sample->machines_per_factory;
    const struct export exports[] = {
        {"machines.csv",
         "machine_id,line,name,type,serial_number,in_service_since,last_maintenance,status,"
         "rated_power_kw,maintenance\n",
         add_machine, machines, false},
        {"sensors.csv.gz",
         "sensor_id,machine_id,kind,unit,serial_number,low,high,interval,in_service_since\n",
         add_sensors, machines, true},
        {"work-orders.jsonl", "", add_work_order, sample->work_orders, false},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(exports); i++) {
        GM_TRY(write_export(sample, &exports[i], err));
    }
    return GM_OK;
}
