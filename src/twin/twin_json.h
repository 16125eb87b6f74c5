/* Twins and relationships as the JSON of the Azure Digital Twins data plane (api-version
 * 2023-10-31).
 *
 *     yyjson_mut_val *value;
 *     GM_TRY(gm_twin_json(doc, models, &twin, &value, err));
 *     → {"$dtId":"press-1","$etag":"W/\"…\"","temp":55.1,"drive":{"rpm":900,"$metadata":{…}},
 *        "$metadata":{"$model":"dtmi:acme:Press;1","$lastUpdateTime":"2026-11-20T17:09:…Z",
 *                     "temp":{"lastUpdateTime":"2026-11-20T17:09:55.1234567Z"}}}
 *
 * Members of the body stand in the order in which they are stored (byte order of their names).
 * Times have seven digits; a property's "sourceTime" stands beside its "lastUpdateTime" as the
 * client said it. A component carries its own $metadata; its $lastUpdateTime is that of
 * its youngest property, or of the twin's creation when it has none. Values live in `doc`. Thread
 * rule: values, no shared state. */
#ifndef GM_TWIN_TWIN_JSON_H
#define GM_TWIN_TWIN_JSON_H

#include "dtdl/model.h"
#include "twin/graph.h"
#include "json/json.h"

/* GM_E_CONFLICT: it is newer than `models`; load them again. */
gm_rc gm_twin_model(const struct gm_models *models, const struct gm_twin *twin,
                    const struct gm_model **out_model, struct gm_err *err) GM_MUST_CHECK;

/* As gm_twin_model, and GM_E_CORRUPT: the stored
 * text is no object. GM_E_LIMIT: the arena behind `doc` is full. */
gm_rc gm_twin_json(yyjson_mut_doc *doc, const struct gm_models *models, const struct gm_twin *twin,
                   yyjson_mut_val **out_value, struct gm_err *err) GM_MUST_CHECK;

/* A relationship as it is stored, with the ids of its ends. */
struct gm_relationship {
    int64_t source; /* number of the twin that it goes out from */
    struct gm_str id, name;
    struct gm_str source_id, target_id;
    int64_t version;
    gm_ns updated;
    struct gm_str body; /* JSON text of its properties; p NULL: none */
};

/* {"$relationshipId","$etag","$sourceId","$targetId","$relationshipName", properties…} */
gm_rc gm_relationship_json(yyjson_mut_doc *doc, const struct gm_relationship *relationship,
                           yyjson_mut_val **out_value, struct gm_err *err) GM_MUST_CHECK;

/* W/"<guid>", made from source, id and version. Returns the length. */
size_t gm_relationship_etag(const struct gm_relationship *relationship, char out[GM_ETAG_SIZE]);

#endif
