/* Did it arrive? Holds what came against what a load has sent.
 *
 *     struct gm_load_check *check = gm_load_check_new(load);
 *     gm_load_check_add(check, body);                  // of each event that arrived
 *     gm_load_check_end(check, &found);
 *     gm_load_check_free(check);
 *
 * Readings of loads that were started at another time are counted, and passed over.
 *
 * A reading is known by sensor and sequence, and must be the bytes that were sent. What is found:
 * missing readings, readings that came twice, others than those sent, and those that came in front
 * of one with a smaller number of their sensor (not looked at when the load itself sends readings
 * out of order). The newest reading of each sensor, by source time, is found twice: among what
 * came, and by making all of the sensor's readings again.
 *
 * Thread rule: one owner. */
#ifndef GM_CLI_SAMPLE_CHECK_H
#define GM_CLI_SAMPLE_CHECK_H

#include "cli/sample_load.h"

enum { GM_LOAD_COMPLAINTS_MAX = 20 };

struct gm_load_found {
    int64_t expected, arrived;
    int64_t others; /* of another start; not among those that arrived */
    int64_t missing, duplicates, altered, strange, disordered;
    int64_t newest_wrong;     /* sensors */
    struct gm_buf complaints; /* a line each, of the first GM_LOAD_COMPLAINTS_MAX */
};

struct gm_load_check;
/* `load` is kept. `ordered`: readings of a sensor must come in the order of their numbers. */
struct gm_load_check *gm_load_check_new(struct gm_load *load, const struct gm_load_options *options,
                                        bool ordered);
void gm_load_check_free(struct gm_load_check *check); /* NULL is fine */
void gm_load_check_add(struct gm_load_check *check, struct gm_str body);
/* The body of an event as `gemel tail --json` and the API have it; what is none is given back. */
struct gm_str gm_load_body_of(struct gm_str event);
/* All that a stream of a Gemel holds, by the address of its events. */
struct gm_load_place {
    const char *url_z;
    const char *token_z, *ca_file_z; /* NULL: none */
};
gm_rc gm_load_check_url(struct gm_load_check *check, const struct gm_load_place *place,
                        struct gm_err *err) GM_MUST_CHECK;
/* A row of a view that shows the newest readings, JSON without spaces: the twin's id at `sensor`,
 * `key` or `$dtId`, the reading at `value`, its time at `time` or `sourceTime`; or both within
 * `value`, as rows of views have them. */
void gm_load_check_row(struct gm_load_check *check, struct gm_str row);
/* True: all is as it should be. `out_found` is freed with gm_load_found_free. */
bool gm_load_check_end(struct gm_load_check *check, struct gm_load_found *out_found);
void gm_load_found_free(struct gm_load_found *found);

#endif
