#include "command/conf.h"

#include "command/plan.h"

static const char *const whens[] = {"any", "new", "existing", NULL};

static const struct gm_field field_fields[] = {
    GM_FIELD_STR(struct gm_command_field_conf, type, .example = "integer",
                 .help = "`string`, `integer`, `long`, `float`, `double`, `boolean`, `date`, "
                         "`time`, `dateTime`, `duration`, `object`, `array` or `any`. What the "
                         "event's type declares need not be said again."),
    GM_FIELD_BOOL(struct gm_command_field_conf, required, .def = "false",
                  .help = "It must be there. What the event's type, or `key`, wants is required "
                          "anyway."),
    GM_FIELD_STR(struct gm_command_field_conf, min, .example = "1",
                 .help = "Of a number the least value, of a text the least number of characters, "
                         "of an array that of items."),
    GM_FIELD_STR(struct gm_command_field_conf, max, .example = "99999", .help = "Likewise."),
    GM_FIELD_STR(struct gm_command_field_conf, pattern, .example = "\"^[A-Z]{2}[0-9]+$\"",
                 .help = "A POSIX extended regular expression, over bytes, that a text fits. "
                         "Without `^` and `$` it may stand anywhere in it."),
    GM_FIELD_STRS(struct gm_command_field_conf, values, .example = "[running, stopped]",
                  .help = "The values that there are."),
    GM_FIELD_STR(struct gm_command_field_conf, help, .help = "What it is, for people."),
    GM_FIELD_END,
};

static const struct gm_field refer_fields[] = {
    GM_FIELD_STR(struct gm_command_refer_conf, twin, .example = "\"factory-{factoryId}\"",
                 .help = "Template of the id of a twin that has to be there when the command "
                         "comes."),
    GM_FIELD_STR(struct gm_command_refer_conf, model,
                 .example = "\"dtmi:example:factory:Factory;1\"",
                 .help = "What the twin has to be, or derive from."),
    GM_FIELD_STR(struct gm_command_refer_conf, entity, .example = "\"factory-{factoryId}\"",
                 .help = "In place of `twin`: template of the key of an entity, of `stream`, that "
                         "has to have events. It is known from the commit of its first one on, "
                         "where a twin follows a moment later."),
    GM_FIELD_STR(struct gm_command_refer_conf, stream, .example = "factories",
                 .help = "The entity's stream, one with `versions`."),
    GM_FIELD_END,
};

const struct gm_field gm_command_fields[] = {
    GM_FIELD_STR(struct gm_command_conf, stream, .flags = GM_F_REQUIRED, .example = "machines",
                 .help = "The stream that the event is appended to."),
    GM_FIELD_STR(struct gm_command_conf, key, .flags = GM_F_REQUIRED,
                 .example = "\"machine-{machineId}\"",
                 .help = "The event's key: a path into the command's body, or a template. In a "
                         "stream with `versions` that is the entity."),
    GM_FIELD_STR(struct gm_command_conf, event, .example = "registered",
                 .help = "The event's type. Where the stream declares `types`, one of them: what "
                         "it requires the command requires."),
    GM_FIELD_ENUM(struct gm_command_conf, when, .names = whens, .def = "any",
                  .help = "Whether the entity has to be `new`, or `existing`; of a stream with "
                          "`versions`."),
    GM_FIELD_STR(struct gm_command_conf, require, .example = "\"status = 'running'\"",
                 .help = "A condition, as in `filter`, over the entity's state (`state: merge` of "
                         "the stream); `$command` is the command's body, `$entity.version` its "
                         "version."),
    GM_FIELD_MAP(struct gm_command_conf, fields, .fields = field_fields,
                 .item_size = sizeof(struct gm_command_field_conf),
                 .help = "What the members of the body must be like, by path, beyond what the "
                         "event's type declares.",
                 .example = "{ machineId: { min: 1, max: 99999 } }"),
    GM_FIELD_LIST(struct gm_command_conf, refers, .fields = refer_fields,
                  .item_size = sizeof(struct gm_command_refer_conf),
                  .help = "Twins, or entities, that have to be there. One whose template meets "
                          "nothing is not asked for.",
                  .example = "[{ twin: \"factory-{factoryId}\" }]"),
    GM_FIELD_STR(struct gm_command_conf, help, .example = "Puts a machine into service.",
                 .help = "What it does, for people: told with the list of commands."),
    GM_FIELD_END,
};

static const struct gm_stream_conf *find_stream(const struct gm_conf_map *streams,
                                                const char *name_z)
{
    for (size_t i = 0; i < streams->n; i++) {
        if (strcmp(streams->at[i].name_z, name_z) == 0) {
            return streams->at[i].value;
        }
    }
    return NULL;
}

static gm_rc check_refers(const struct gm_command_conf *conf, const struct gm_conf_map *streams,
                          struct gm_err *err)
{
    const struct gm_command_refer_conf *refers = conf->refers.at;
    for (size_t i = 0; i < conf->refers.n; i++) {
        const struct gm_stream_conf *stream =
            refers[i].stream != NULL ? find_stream(streams, refers[i].stream) : NULL;
        if (refers[i].stream != NULL && (stream == NULL || !stream->versions)) {
            return gm_fail(err, GM_E_CONFIG,
                           "refers: there is no stream `%s` with `versions: true`",
                           refers[i].stream);
        }
    }
    return GM_OK;
}

static gm_rc check_command(const struct gm_conf_map_entry *entry, const struct gm_conf_map *streams,
                           struct gm_err *err)
{
    const struct gm_command_conf *conf = entry->value;
    struct gm_command_plan *plan = NULL;
    if (conf->stream == NULL || conf->key == NULL) {
        return GM_OK; /* told already */
    }
    const struct gm_stream_conf *stream = find_stream(streams, conf->stream);
    if (stream == NULL) {
        return gm_fail(err, GM_E_CONFIG, "there is no stream `%s`; declare it under `streams:`",
                       conf->stream);
    }
    GM_TRY(check_refers(conf, streams, err));
    gm_rc rc = gm_command_plan_new(entry, stream, &plan, err);
    gm_command_plan_free(plan);
    return rc;
}

void gm_command_conf_check(struct gm_conf_doc *doc, const struct gm_conf_map *commands,
                           const struct gm_conf_map *streams)
{
    for (size_t i = 0; i < commands->n; i++) {
        const struct gm_conf_map_entry *entry = &commands->at[i];
        struct gm_err err = {0};
        if (!gm_stream_name_valid(entry->name_z)) {
            gm_conf_error(doc, &entry->node->key_place,
                          "commands: the name `%s` is not one of 1 to %d letters, digits and -_.",
                          entry->name_z, GM_STREAM_NAME_SIZE_MAX);
        }
        if (check_command(entry, streams, &err) != GM_OK) {
            gm_conf_error(doc, &entry->node->place, "commands.%s: %s", entry->name_z, err.text);
        }
    }
}
