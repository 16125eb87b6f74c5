/* Types of events as a stream declares them: what members an event of a type must and may have.
 *
 *     GM_TRY(gm_event_types_new(&conf->types, &types, err));
 *     if (!gm_event_types_allow(types, event->type, root, &why)) { … refused … }
 *     gm_event_types_free(types);
 *
 * Thread rule: read-only once made. */
#ifndef GM_HUB_EVENT_TYPE_H
#define GM_HUB_EVENT_TYPE_H

#include "conf/conf.h"
#include "json/json.h"

/* Simple types, by the names of DTDL's schemas. */
struct gm_simple_type {
    const char *name_z;
    bool (*fits)(yyjson_val *value);
    const char *schema_z; /* members of a JSON Schema */
};
const struct gm_simple_type *gm_simple_type_find(struct gm_str name); /* NULL: none */
#define GM_SIMPLE_TYPES                                                                            \
    "string, integer, long, float, double, boolean, date, time, dateTime, duration, object, "      \
    "array or any"

struct gm_event_types;
/* `conf` is of struct gm_event_type_conf. NULL when none are declared. */
gm_rc gm_event_types_new(const struct gm_conf_map *conf, struct gm_event_types **out_types,
                         struct gm_err *err) GM_MUST_CHECK;
void gm_event_types_free(struct gm_event_types *types); /* NULL is fine */
/* False: why it is refused stands in `why`. */
bool gm_event_types_allow(const struct gm_event_types *types, struct gm_str type, yyjson_val *root,
                          struct gm_err *why);

#endif
