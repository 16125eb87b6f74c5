#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/embedded.h"
#include "cli/sample_parts.h"
#include "os/file.h"

/* The sample's sizes, chance and files; sample_erp.c and sample_plant.c fill the tables. */

/* The end of the sample's history, 2025-04-01T00:00:00Z: in everybody's past, so that whatever is
 * changed by hand is newer. */
#define SAMPLE_TODAY ((gm_ns)1743465600 * GM_SECOND)

struct gm_rng sample_rng(const struct sample *sample, const char *table_z)
{
    struct gm_rng rng;
    gm_rng_init(&rng, gm_hash64(gm_str_z(table_z), sample->seed));
    return rng;
}

bool sample_chance(struct gm_rng *rng, double share)
{
    return gm_rng_double(rng) < share;
}

int64_t sample_between(struct gm_rng *rng, int64_t low, int64_t high)
{
    return low + (int64_t)gm_rng_below(rng, (uint64_t)(high - low) + 1);
}

double sample_rounded(double v, int digits)
{
    double unit = digits == 1 ? 10 : digits == 2 ? 100 : 1000;
    return round(v * unit) / unit;
}

gm_ns sample_past(struct gm_rng *rng, int64_t days_low, int64_t days_high)
{
    int64_t days = sample_between(rng, days_low, days_high);
    return SAMPLE_TODAY - days * GM_DAY + sample_between(rng, 0, 86399) * GM_SECOND;
}

void sample_time_text(gm_ns t, char out[GM_TIME_TEXT_SIZE])
{
    struct gm_date date;
    gm_time_split(t, &date);
    (void)snprintf(out, GM_TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", date.year,
                   date.month, date.day, date.hour, date.minute, date.second, date.nanos / 1000000);
}

void sample_day_text(gm_ns t, char out[GM_TIME_TEXT_SIZE])
{
    sample_time_text(t, out);
    out[sizeof("2025-04-01") - 1] = '\0';
}

void sample_line_code(const struct sample *sample, int64_t line, char out[SAMPLE_TEXT_SIZE])
{
    (void)snprintf(out, SAMPLE_TEXT_SIZE, "%s-L%02d",
                   sample_factories[line / sample->lines_per_factory].code,
                   (int)(line % sample->lines_per_factory) + 1);
}

gm_rc sample_write_file(const struct sample *sample, const char *name_z, struct gm_str content,
                        struct gm_err *err)
{
    GM_AUTO_FREE char *path = gm_path_join_z(gm_str_z(sample->folder_z), gm_str_z(name_z));
    return gm_file_write_atomic(path, content, 0644, err);
}

static int64_t scaled(double size, double scale)
{
    double v = round(size * scale);
    return v < 2 ? 2 : (int64_t)v;
}

void sample_set_sizes(struct sample *sample, double scale)
{
    sample->machines_per_factory = scaled(2000, scale);
    sample->lines_per_factory =
        (sample->machines_per_factory + SAMPLE_MACHINES_PER_LINE - 1) / SAMPLE_MACHINES_PER_LINE;
    sample->suppliers = scaled(400, scale);
    sample->products = scaled(9000, scale);
    sample->customers = scaled(2000, scale);
    sample->orders = scaled(10000, scale);
    sample->work_orders = scaled(3000, scale);
}

static gm_rc check_folder(const struct gm_sample_options *options, struct gm_err *err)
{
    GM_AUTO_FREE char *config = gm_path_join_z(gm_str_z(options->folder_z), GM_STR("gemel.yaml"));
    struct gm_file_info info;
    GM_TRY(gm_file_info(config, &info, err));
    if (info.type != GM_FILE_MISSING && !options->force) {
        return gm_fail(err, GM_E_CONFIG,
                       "%s: there is one already; --force writes the sample over it", config);
    }
    return gm_file_remove(config, err);
}

/* The files that are the same for everyone: in the order of their names, gemel.yaml last. */
static gm_rc write_embedded(const struct sample *sample, struct gm_err *err)
{
    const struct gm_embedded_file *config = NULL;
    GM_AUTO_FREE char *models = gm_path_join_z(gm_str_z(sample->folder_z), GM_STR("models"));
    GM_TRY(gm_folder_make(models, err));
    for (const struct gm_embedded_file *file = gm_sample_files; file->path_z != NULL; file++) {
        if (gm_str_is(gm_str_z(file->path_z), "gemel.yaml")) {
            config = file;
            continue;
        }
        GM_TRY(sample_write_file(sample, file->path_z, file->content, err));
    }
    GM_ASSERT(config != NULL);
    return sample_write_file(sample, config->path_z, config->content, err);
}

gm_rc gm_sample_company(const struct gm_sample_options *options,
                        struct gm_sample_report *out_report, struct gm_err *err)
{
    if (!(options->scale >= GM_SAMPLE_SCALE_MIN && options->scale <= GM_SAMPLE_SCALE_MAX)) {
        return gm_fail(err, GM_E_CONFIG, "scale %g: must be from %g to %g", options->scale,
                       GM_SAMPLE_SCALE_MIN, GM_SAMPLE_SCALE_MAX);
    }
    struct sample sample = {.folder_z = options->folder_z, .seed = options->seed};
    sample_set_sizes(&sample, options->scale);
    GM_TRY(gm_folder_make(options->folder_z, err));
    GM_TRY(check_folder(options, err));
    GM_TRY(sample_write_erp(&sample, err));
    GM_TRY(sample_write_plant(&sample, err));
    char scale[GM_NUM_TEXT_SIZE];
    size_t scale_n = gm_format_double(options->scale, scale);
    GM_AUTO_FREE char *about_z = gm_format_z("{\"seed\":%lld,\"scale\":%.*s}\n",
                                             (long long)options->seed, (int)scale_n, scale);
    GM_TRY(sample_write_file(&sample, "company.json", gm_str_z(about_z), err));
    GM_TRY(write_embedded(&sample, err));
    if (out_report != NULL) {
        *out_report = sample.report;
    }
    return GM_OK;
}
