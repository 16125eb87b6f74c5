/* What `gemel sample factory` finds out by itself: which company there is, and where its readings
 * go.
 *
 *     GM_TRY(gm_load_company_find(args, &load.company_seed, &load.scale, err));
 *     GM_TRY(gm_load_place_find(args, "telemetry", &found, err));
 *     … found.to_z, found.token_z, found.ca_file_z …
 *     gm_load_place_free(&found);
 *
 * `gemel sample company` leaves company.json beside its configuration, with its seed and scale. A
 * `gemel run` that serves the twin API says in DATA/admin.json where that is; token and authority
 * stand in the data directory, too. Thread rule: none. */
#ifndef GM_CLI_SAMPLE_PLACE_H
#define GM_CLI_SAMPLE_PLACE_H

#include "cli/command.h"

/* Where readings go, and how one is let in there. */
struct gm_load_found_place {
    char *to_z, *token_z, *ca_file_z;
};

/* Seed and scale of the company beside the configuration (or the data directory that --data names);
 * where there is none, what they are stays. */
gm_rc gm_load_company_find(const struct gm_args *args, uint64_t *seed, double *scale,
                           struct gm_err *err) GM_MUST_CHECK;
/* The events of a stream of the `gemel run` that has the data directory. GM_E_CONFIG: none runs, or
 * it serves no twin API. */
gm_rc gm_load_place_find(struct gm_args *args, const char *stream_z,
                         struct gm_load_found_place *out_place, struct gm_err *err) GM_MUST_CHECK;
/* Token and authority of the data directory alone: for an address that was given. */
gm_rc gm_load_place_keys(struct gm_args *args, struct gm_load_found_place *out_place,
                         struct gm_err *err) GM_MUST_CHECK;
/* The file of a stream. */
gm_rc gm_load_place_file(struct gm_args *args, const char *stream_z,
                         struct gm_load_found_place *out_place, struct gm_err *err) GM_MUST_CHECK;
void gm_load_place_free(struct gm_load_found_place *place);

#endif
