#include "command/plan.h"

#include "base/mem.h"

enum { TEMPLATES_SIZE_MAX = 256 << 10 };

/* What `event` names, of the types that the stream declares. *out_type NULL: it declares none. */
static gm_rc find_type(const struct gm_command_conf *conf, const struct gm_stream_conf *stream,
                       const struct gm_event_type_conf **out_type, struct gm_err *err)
{
    *out_type = NULL;
    if (stream->types.n == 0) {
        return GM_OK;
    }
    if (conf->event == NULL) {
        return gm_fail(err, GM_E_CONFIG,
                       "its stream takes declared types alone; write `event:` with one of them");
    }
    for (size_t i = 0; i < stream->types.n; i++) {
        if (strcmp(stream->types.at[i].name_z, conf->event) == 0) {
            *out_type = stream->types.at[i].value;
            return GM_OK;
        }
    }
    return gm_fail(err, GM_E_CONFIG, "event: the stream `%s` declares no type `%s`", conf->stream,
                   conf->event);
}

static gm_rc check_versions(const struct gm_command_conf *conf, const struct gm_stream_conf *stream,
                            struct gm_err *err)
{
    if (!stream->versions && conf->when != GM_COMMAND_ANY) {
        return gm_fail(err, GM_E_CONFIG,
                       "when: keys of the stream `%s` are no entities; declare it with `versions: "
                       "true`",
                       conf->stream);
    }
    if (conf->require != NULL && stream->state != GM_STREAM_STATE_MERGE) {
        return gm_fail(err, GM_E_CONFIG,
                       "require: entities of the stream `%s` have no state; declare it with "
                       "`state: merge`",
                       conf->stream);
    }
    return GM_OK;
}

static gm_rc compile_refer(struct gm_command_plan *plan, struct gm_command_refer *refer,
                           struct gm_err *err)
{
    const struct gm_command_refer_conf *conf = refer->conf;
    if ((conf->twin == NULL) == (conf->entity == NULL) ||
        (conf->entity == NULL) != (conf->stream == NULL) ||
        (conf->entity != NULL && conf->model != NULL)) {
        return gm_fail(err, GM_E_CONFIG,
                       "refers: write `twin`, maybe with `model`, or `entity` with `stream`");
    }
    return gm_hub_template_parse(plan->arena, conf->twin != NULL ? "refers.twin" : "refers.entity",
                                 conf->twin != NULL ? conf->twin : conf->entity, &refer->id, err);
}

/* Paths that the stream itself looks at may stand in the body, too. */
static gm_rc allow_stream_paths(struct gm_command_plan *plan, const struct gm_stream_conf *stream,
                                struct gm_err *err)
{
    const char *const texts[] = {stream->time, stream->origin, stream->sequence, stream->id};
    for (size_t i = 0; i < GM_ARRAY_COUNT(texts); i++) {
        struct gm_pattern template = {0};
        GM_TRY(gm_hub_template_parse(plan->arena, "stream", texts[i], &template, err));
        GM_TRY(gm_fields_allow(plan->fields, &template, false, err));
    }
    return GM_OK;
}

static gm_rc compile(struct gm_command_plan *plan, const struct gm_stream_conf *stream,
                     struct gm_err *err)
{
    const struct gm_command_conf *conf = plan->conf;
    const struct gm_command_refer_conf *refers = conf->refers.at;
    const struct gm_event_type_conf *type;
    GM_TRY(find_type(conf, stream, &type, err));
    GM_TRY(check_versions(conf, stream, err));
    GM_TRY(gm_fields_declare(plan->fields, type, err));
    GM_TRY(gm_fields_bound(plan->fields, &conf->fields, err));
    GM_TRY(gm_hub_template_parse(plan->arena, "key", conf->key, &plan->key, err));
    GM_TRY(gm_fields_allow(plan->fields, &plan->key, true, err));
    plan->refers = gm_arena_zalloc(plan->arena, (conf->refers.n + 1) * sizeof(*plan->refers));
    if (plan->refers == NULL) {
        return gm_fail(err, GM_E_CONFIG, "refers: there are too many");
    }
    for (size_t i = 0; i < conf->refers.n; i++) {
        plan->refers[i].conf = &refers[i];
        GM_TRY(compile_refer(plan, &plan->refers[i], err));
        GM_TRY(gm_fields_allow(plan->fields, &plan->refers[i].id, false, err));
    }
    GM_TRY(allow_stream_paths(plan, stream, err));
    if (conf->require != NULL &&
        gm_condition_new(gm_str_z(conf->require), &plan->require, err) != GM_OK) {
        return gm_fail_within(err, "require");
    }
    return gm_fields_close(plan->fields, type != NULL || conf->fields.n > 0, err);
}

gm_rc gm_command_plan_new(const struct gm_conf_map_entry *entry,
                          const struct gm_stream_conf *stream, struct gm_command_plan **out_plan,
                          struct gm_err *err)
{
    struct gm_command_plan *plan = gm_alloc(sizeof(*plan));
    plan->name_z = entry->name_z;
    plan->conf = entry->value;
    plan->arena = gm_arena_new(TEMPLATES_SIZE_MAX);
    plan->fields = gm_fields_new();
    gm_rc rc = compile(plan, stream, err);
    if (rc != GM_OK) {
        gm_command_plan_free(plan);
        return rc;
    }
    *out_plan = plan;
    return GM_OK;
}

void gm_command_plan_free(struct gm_command_plan *plan)
{
    if (plan != NULL) {
        gm_condition_free(plan->require);
        gm_fields_free(plan->fields);
        gm_arena_free(plan->arena);
        gm_free(plan);
    }
}
