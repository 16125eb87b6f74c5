/* The `streams:` section of the configuration: what streams there are, and where in an incoming
 * JSON value the parts of an event are found.
 *
 *     streams:
 *       telemetry:
 *         partitions: 4
 *         retain: { age: 30d }
 *         key: machine.machineId        # a path, or a template: "m-{machine.machineId}"
 *         time: timeCreated             # RFC 3339, or a number of `time_unit`
 *
 * Part of engine/config.h. Thread rule: values, read-only once decoded. */
#ifndef GM_HUB_STREAM_CONF_H
#define GM_HUB_STREAM_CONF_H

#include "conf/conf.h"
#include "hub/forward_conf.h"

/* What a number at `time` counts, since 1970. */
enum gm_time_unit { GM_TIME_SECONDS, GM_TIME_MILLIS, GM_TIME_MICROS, GM_TIME_NANOS };

struct gm_retain_conf {
    gm_ns age;     /* 0: no bound */
    uint64_t size; /* likewise */
};
/* What events of a declared type must and may have: each a map path → type. */
struct gm_event_type_conf {
    const struct gm_node *required; /* NULL: nothing */
    const struct gm_node *optional;
};
enum gm_stream_state { GM_STREAM_STATE_NONE, GM_STREAM_STATE_MERGE };
struct gm_stream_conf {
    int64_t partitions;
    bool versions;
    int32_t state; /* enum gm_stream_state */
    struct gm_retain_conf retain;
    const char *key;  /* NULL: the member `key` */
    const char *time; /* NULL: the member `time`, when there is one */
    int32_t time_unit;
    const char *type, *origin, *sequence, *id; /* NULL: none */
    struct gm_conf_map types;                  /* of struct gm_event_type_conf; n 0: any */
    struct gm_forward_conf forward;
    struct gm_conf_map from; /* of struct gm_conf_choice: hub/sources.h */
};
/* The kinds of sources. */
const struct gm_alternative *const *gm_stream_source_alternatives(void);

extern const struct gm_field gm_stream_fields[];

enum { GM_STREAM_NAME_SIZE_MAX = 100 }; /* bytes */
bool gm_stream_name_valid(const char *name_z);
/* Checks across fields, reported into the doc. */
void gm_stream_conf_check(struct gm_conf_doc *doc, const struct gm_conf_map *streams);

#endif
