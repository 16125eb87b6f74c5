#include "hub/stream_conf.h"

#include "hub/inside.h"
#include "hub/mqtt_conf.h"
#include "stream/stream.h"

static const char *const time_units[] = {"s", "ms", "us", "ns", NULL};
static const char *const states[] = {"none", "merge", NULL};

static const struct gm_field retain_fields[] = {
    GM_FIELD_SPAN(struct gm_retain_conf, age, .def = "0", .example = "30d",
                  .help = "Events that came in longer ago go; 0: none do."),
    GM_FIELD_SIZE(struct gm_retain_conf, size, .def = "0", .example = "100GB",
                  .help = "The oldest events go when the stream takes more than this on disk; 0: "
                          "none do."),
    GM_FIELD_END,
};
static const struct gm_field type_fields[] = {
    GM_FIELD_NODE(struct gm_event_type_conf, required,
                  .example = "{ machine.temperature: double, timeCreated: dateTime }",
                  .help = "What each event must have: path and type (`string`, `integer`, `long`, "
                          "`float`, `double`, `boolean`, `date`, `time`, `dateTime`, `duration`, "
                          "`object`, `array`, `any`)."),
    GM_FIELD_NODE(struct gm_event_type_conf, optional, .example = "{ ambient.humidity: integer }",
                  .help = "What it may have, or be null: path and type."),
    GM_FIELD_END,
};
const struct gm_field gm_stream_fields[] = {
    GM_FIELD_INT(struct gm_stream_conf, partitions, .def = "1", .min = "1", .max = "64",
                 .help = "Events of one key are in one partition, in order. Fixed when the stream "
                         "is made."),
    GM_FIELD_BOOL(struct gm_stream_conf, versions, .def = "false",
                  .help = "Keys are entities: each event counts its key's version up, and an "
                          "append may name the version it expects."),
    GM_FIELD_ENUM(struct gm_stream_conf, state, .names = states, .def = "none",
                  .help = "`merge`: of each entity the stream keeps what the bodies of its events "
                          "come to, merged in order as JSON merge patches (RFC 7396), so that "
                          "reading it does not replay its life. A state, and a body, has 64 kB at "
                          "most."),
    GM_FIELD_STRUCT(struct gm_stream_conf, retain, .fields = retain_fields,
                    .help = "How long events are kept."),
    GM_FIELD_STR(struct gm_stream_conf, key, .example = "\"machine-{machine.machineId}\"",
                 .help = "What an event is about: a path into the value, or a template with paths "
                         "in braces. Without it the member `key`, or what a CloudEvent has as "
                         "`partitionkey` or `subject`."),
    GM_FIELD_STR(struct gm_stream_conf, time, .example = "timeCreated",
                 .help = "Path to when it happened: RFC 3339, or a number of `time_unit`. Without "
                         "it the member `time`; where there is none, when it came in."),
    GM_FIELD_ENUM(struct gm_stream_conf, time_unit, .names = time_units, .def = "s",
                  .help = "What a number at `time` counts, since 1970."),
    GM_FIELD_STR(struct gm_stream_conf, type, .example = "event_type",
                 .help = "Path, or template, of the event's type. Without it the member `type`."),
    GM_FIELD_STR(struct gm_stream_conf, origin, .example = "gateway",
                 .help = "Path, or template, of who tells: `id` and `sequence` are its own."),
    GM_FIELD_STR(struct gm_stream_conf, sequence, .example = "seq",
                 .help = "Path to a number that its origin counts up from 1: an event whose number "
                         "was taken before is passed over, for ever."),
    GM_FIELD_STR(struct gm_stream_conf, id, .example = "messageId",
                 .help = "Path, or template, of what is unique within its origin: an event whose "
                         "id was taken not long ago is passed over."),
    GM_FIELD_MAP(struct gm_stream_conf, types, .fields = type_fields,
                 .item_size = sizeof(struct gm_event_type_conf),
                 .help = "The types of events that are taken, by name, and what each must have. "
                         "Without any, all are.",
                 .example = "{ reading: { required: { temperature: double } } }"),
    GM_FIELD_STRUCT(struct gm_stream_conf, forward, .fields = gm_forward_fields,
                    .help = "Another Gemel that gets every event, once and in order per key, "
                            "whenever it can be reached."),
    GM_FIELD_MAP(struct gm_stream_conf, from, .alternatives = gm_stream_source_alternatives,
                 .item_size = sizeof(struct gm_conf_choice),
                 .help = "What brings events by itself, by name. Events may be pushed over HTTP "
                         "beside it.",
                 .example =
                     "{ plant: { mqtt: { url: \"mqtt://broker\", topics: \"factory/#\" } } }"),
    GM_FIELD_END,
};

/* ---- checks ---- */

bool gm_stream_name_valid(const char *name_z)
{
    size_t n = strlen(name_z);
    return n >= 1 && n <= GM_STREAM_NAME_SIZE_MAX && name_z[0] != '.' &&
           strspn(name_z, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static void check_stream(struct gm_conf_doc *doc, const struct gm_conf_map_entry *entry,
                         const struct gm_conf_map *streams)
{
    const struct gm_stream_conf *conf = entry->value;
    struct gm_decoder *decoder = NULL;
    struct gm_err err = {0};
    if (!gm_stream_name_valid(entry->name_z)) {
        gm_conf_error(doc, &entry->node->key_place,
                      "streams: the name `%s` is not one of 1 to %d letters, digits and -_.",
                      entry->name_z, GM_STREAM_NAME_SIZE_MAX);
    }
    if (gm_decoder_new(conf, &decoder, &err) != GM_OK) {
        gm_conf_error(doc, &entry->node->place, "streams.%s: %s", entry->name_z, err.text);
    }
    gm_decoder_free(decoder);
    if (conf->state == GM_STREAM_STATE_MERGE && !conf->versions) {
        gm_conf_error(
            doc, &entry->node->place,
            "streams.%s.state: keys have states where they are entities; write `versions: "
            "true`",
            entry->name_z);
    }
    gm_forward_conf_check(doc, entry->node, &conf->forward);
    for (size_t i = 0; i < conf->from.n; i++) {
        gm_mqtt_conf_check(doc, conf->from.at[i].value, streams);
    }
}

void gm_stream_conf_check(struct gm_conf_doc *doc, const struct gm_conf_map *streams)
{
    for (size_t i = 0; i < streams->n; i++) {
        check_stream(doc, &streams->at[i], streams);
    }
}
