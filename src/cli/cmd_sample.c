#include <stdio.h>

#include "base/num.h"
#include "cli/commands.h"
#include "cli/sample.h"

/* gemel sample company: demo data of every kind, and the configuration for it. */

static const struct gm_option sample_options[] = {
    {"seed", "N", "Another company of the same kind (default: 2020)."},
    {"scale", "X", "Share of the full size of 50,000 sensors, 0.001 to 20 (default: 1)."},
    {"force", NULL, "Write over a sample that is there."},
    {0},
};

static void print_report(const struct gm_args *args, const char *folder_z,
                         const struct gm_sample_report *report)
{
    const struct {
        const char *name, *words;
        int64_t count;
    } lines[] = {
        {"factories", "factories", report->factories},
        {"lines", "production lines", report->lines},
        {"machines", "machines", report->machines},
        {"sensors", "sensors", report->sensors},
        {"workOrders", "work orders", report->work_orders},
        {"suppliers", "suppliers", report->suppliers},
        {"productGroups", "product groups", report->product_groups},
        {"products", "products", report->products},
        {"productLines", "products made on a line", report->product_lines},
        {"customers", "customers", report->customers},
        {"orders", "orders", report->orders},
        {"orderLines", "order lines", report->order_lines},
    };
    if (args->json) {
        for (size_t i = 0; i < GM_ARRAY_COUNT(lines); i++) {
            printf("%c\"%s\":%lld", i > 0 ? ',' : '{', lines[i].name, (long long)lines[i].count);
        }
        puts("}");
        return;
    }
    printf("Wide World Importers in %s:\n", folder_z);
    for (size_t i = 0; i < GM_ARRAY_COUNT(lines); i++) {
        printf("%8lld %s\n", (long long)lines[i].count, lines[i].words);
    }
    printf("Next: gemel run %s/gemel.yaml\n", folder_z);
}

static gm_rc read_options(const struct gm_args *args, struct gm_sample_options *options,
                          struct gm_err *err)
{
    int64_t seed;
    GM_TRY(gm_args_int(args, "seed", GM_SAMPLE_SEED, &seed, err));
    options->seed = (uint64_t)seed;
    const char *scale_z = gm_args_value(args, "scale");
    options->scale = 1;
    if (scale_z != NULL && !gm_parse_double(gm_str_z(scale_z), &options->scale)) {
        return gm_fail(err, GM_E_CONFIG, "--scale: `%s` is no number", scale_z);
    }
    options->force = gm_args_has(args, "force");
    options->folder_z = args->word_count > 0 ? args->words[0] : "demo";
    return GM_OK;
}

static int sample_company(struct gm_args *args)
{
    struct gm_sample_options options;
    struct gm_sample_report report;
    struct gm_err err = {0};
    gm_rc rc = read_options(args, &options, &err);
    rc = rc == GM_OK ? gm_sample_company(&options, &report, &err) : rc;
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    print_report(args, options.folder_z, &report);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_sample_company = {
    .name_z = "sample company",
    .args_z = "[FOLDER]",
    .args_max = 1,
    .summary_z = "Make a sample company: databases, files, models, configuration.",
    .help_z =
        "Writes Wide World Importers, a made-up company, into FOLDER (default: demo): five\n"
        "factories with machines and sensors, products, suppliers, customers and orders, as a\n"
        "business database (erp.db) and files of a maintenance system, with models and the\n"
        "gemel.yaml that makes twins of them. The same seed gives the same rows.",
    .example_z = "gemel sample company demo --scale 0.1",
    .options = sample_options,
    .run = sample_company,
};
