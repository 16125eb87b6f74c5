#include "hub/sources.h"

#include "base/mem.h"
#include "base/vec.h"
#include "hub/mqtt_source.h"

const struct gm_alternative *const *gm_stream_source_alternatives(void)
{
    static const struct gm_alternative mqtt = {
        .name_z = "mqtt",
        .help_z = "Messages of an MQTT broker, acknowledged when their events are committed.",
        .fields = gm_mqtt_fields,
        .conf_size = sizeof(struct gm_mqtt_conf),
    };
    static const struct gm_alternative *const all[] = {&mqtt, NULL};
    return all;
}

struct gm_sources {
    GM_VEC(struct gm_mqtt_source *) all;
};

static gm_rc start_source(const struct gm_hub *hub, const struct gm_hub_stream *stream,
                          const struct gm_conf_map_entry *entry, struct gm_sources *sources,
                          struct gm_err *err)
{
    const struct gm_conf_choice *choice = entry->value;
    const struct gm_mqtt_conf *conf = choice->conf;
    const struct gm_hub_stream *refused =
        conf->refused != NULL ? gm_hub_find(hub, gm_str_z(conf->refused)) : NULL;
    const struct gm_mqtt_source_options options = {.stream_name = stream->name,
                                                   .name = gm_str_z(entry->name_z),
                                                   .conf = conf,
                                                   .decoder = stream->decoder,
                                                   .stream = stream->stream,
                                                   .refused =
                                                       refused != NULL ? refused->stream : NULL};
    struct gm_mqtt_source *mqtt;
    if (gm_mqtt_source_start(&options, &mqtt, err) != GM_OK) {
        return gm_fail_within(err, "streams." GM_STR_FMT ".from.%s", GM_STR_ARG(stream->name),
                              entry->name_z);
    }
    *gm_vec_push(&sources->all) = mqtt;
    return GM_OK;
}

gm_rc gm_sources_start(const struct gm_hub *hub, struct gm_sources **out_sources,
                       struct gm_err *err)
{
    struct gm_sources *sources = gm_alloc(sizeof(*sources));
    gm_rc rc = GM_OK;
    for (size_t i = 0; rc == GM_OK && i < gm_hub_count(hub); i++) {
        const struct gm_hub_stream *stream = gm_hub_at(hub, i);
        for (size_t k = 0; rc == GM_OK && k < stream->conf->from.n; k++) {
            rc = start_source(hub, stream, &stream->conf->from.at[k], sources, err);
        }
    }
    if (rc != GM_OK) {
        gm_sources_stop(sources);
        return rc;
    }
    *out_sources = sources;
    return GM_OK;
}

void gm_sources_stop(struct gm_sources *sources)
{
    if (sources != NULL) {
        for (size_t i = 0; i < sources->all.n; i++) {
            gm_mqtt_source_stop(sources->all.at[i]);
        }
        gm_vec_deinit(&sources->all);
        gm_free(sources);
    }
}
