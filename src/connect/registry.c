/* Every connector, by name. A new one adds its lines here and nothing else outside its folder. */
#include "connect/adt/adt.h"
#include "connect/connector.h"
#include "connect/csv/csv.h"
#include "connect/jsonl/jsonl.h"
#include "connect/sql/sql.h"
#include "connect/stream/stream.h"
#include "connect/twins/twins.h"

static const struct gm_connector *const all[] = {
    &gm_connector_adt,
    &gm_connector_csv,
    &gm_connector_jsonl,
    &gm_connector_sql,
    &gm_connector_stream,
    &gm_connector_twins,
    NULL,
};
static const struct gm_alternative *const sources[] = {
    &gm_connector_csv.alternative,
    &gm_connector_jsonl.alternative,
    &gm_connector_sql.alternative,
    &gm_connector_stream.alternative,
    NULL,
};
static const struct gm_alternative *const sinks[] = {
    &gm_connector_adt.alternative,
    &gm_connector_stream.as_sink,
    &gm_connector_twins.alternative,
    NULL,
};

const struct gm_connector *const *gm_connectors(void)
{
    return all;
}

const struct gm_connector *gm_connector_find(struct gm_str name)
{
    for (size_t i = 0; all[i] != NULL; i++) {
        if (gm_str_is(name, all[i]->name_z)) {
            return all[i];
        }
    }
    return NULL;
}

const struct gm_alternative *const *gm_source_alternatives(void)
{
    return sources;
}

const struct gm_alternative *const *gm_sink_alternatives(void)
{
    return sinks;
}
