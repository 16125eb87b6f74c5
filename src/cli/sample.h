/* The sample company: Wide World Importers, made up from a seed.
 *
 *     struct gm_sample_options options = {.folder_z = "demo", .seed = GM_SAMPLE_SEED, .scale = 1};
 *     GM_TRY(gm_sample_company(&options, &report, err));
 *
 * Writes into the folder: erp.db (the business system, an SQLite database), machines.csv,
 * sensors.csv.gz and work-orders.jsonl (what the maintenance system exports), models/ (DTDL),
 * erp.sql (how the database was made), company.json (seed and scale, for `gemel sample factory`)
 * and gemel.yaml, the configuration that makes twins of all
 * this. The same seed and scale give the same rows on every machine. gemel.yaml comes last: a
 * folder without it was not finished.
 *
 * Thread rule: none; it uses nothing shared. */
#ifndef GM_CLI_SAMPLE_H
#define GM_CLI_SAMPLE_H

#include <stdint.h>

#include "base/status.h"

#define GM_SAMPLE_SEED 2020
#define GM_SAMPLE_SCALE_MIN 0.001
#define GM_SAMPLE_SCALE_MAX 20.0

struct gm_sample_options {
    const char *folder_z; /* made when it is not there */
    uint64_t seed;
    double scale; /* share of the sizes that make 50,000 sensors and 9,000 products */
    bool force;   /* write over a sample that is there */
};

/* How many of each there are now. */
struct gm_sample_report {
    int64_t factories, lines, machines, sensors, work_orders;
    int64_t suppliers, product_groups, products, product_lines, customers, orders, order_lines;
};

/* GM_E_CONFIG when the folder holds a sample and force is not set. `out_report` may be NULL. */
gm_rc gm_sample_company(const struct gm_sample_options *options,
                        struct gm_sample_report *out_report, struct gm_err *err) GM_MUST_CHECK;

#endif
