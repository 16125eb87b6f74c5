/* The `views:` section of the configuration.
 *
 *     views:
 *       per_minute:
 *         stream: telemetry
 *         window: 1m
 *         lateness: 10s
 *         keep: 7d
 *         values:
 *           temperature: { of: machine.temperature, as: [count, mean, max, p99] }
 *
 * Part of engine/config.h. Thread rule: values, read-only once decoded. */
#ifndef GM_VIEW_CONF_H
#define GM_VIEW_CONF_H

#include "base/arena.h"
#include "conf/conf.h"
#include "view/view.h"

struct gm_view_value_conf {
    const char *of;         /* NULL: the value's name */
    const char *when;       /* NULL: always */
    struct gm_conf_strs as; /* n 0: mean, min, max */
};
/* From an event's key to a twin, and along relationships to the one it counts for. */
struct gm_view_group_conf {
    const char *twin; /* "sensor-{key}"; NULL: no groups */
    struct gm_conf_strs via;
};
struct gm_view_conf {
    const char *stream;
    const char *by;
    struct gm_view_group_conf group;
    gm_ns window, hop, lateness, keep;
    struct gm_conf_map values; /* of struct gm_view_value_conf */
};

extern const struct gm_field gm_view_fields[];

/* Checks across fields, reported into the doc. */
void gm_view_conf_check(struct gm_conf_doc *doc, const struct gm_conf_map *views);
/* The spec of a view whose settings were checked; in `arena`, borrowing from the settings. */
void gm_view_conf_spec(const struct gm_conf_map_entry *entry, struct gm_arena *arena,
                       struct gm_view_spec *out_spec);

#endif
