/* Calls and what their answers mean. */
#include "base/coding.h"
#include "base/mem.h"
#include "connect/adt/sink.h"

enum { PATH_SIZE_MAX = 16 << 10, SHOWN_MAX = 300, VALUES_DEPTH_MAX = 16 };

const char *adt_keep_z(struct adt_sink *sink, const struct gm_buf *text)
{
    struct gm_str kept = gm_arena_dup(sink->arena, gm_buf_str(text));
    if (kept.p == NULL || gm_buf_failed(text)) {
        gm_exchange_fail(sink->exchange, GM_E_LIMIT, "the batch is too large to be sent");
        return NULL;
    }
    return kept.p;
}

static void add_path(struct adt_sink *sink, const struct adt_thing *thing, const char *below_z,
                     struct gm_buf *out)
{
    gm_buf_add(out, GM_STR("/digitaltwins/"));
    gm_percent_add(out, thing->twin_id);
    if (thing->is_link) {
        gm_buf_add(out, GM_STR("/relationships/"));
        gm_percent_add(out, thing->link_id);
    }
    if (below_z != NULL) {
        gm_buf_add_z(out, below_z);
    }
    gm_buf_addf(out, "?api-version=%s", sink->conf->api_version);
}

void adt_call(struct adt_thing *thing, const struct adt_request *request)
{
    struct adt_sink *sink = thing->sink;
    struct gm_buf path;
    gm_buf_init(&path, PATH_SIZE_MAX);
    add_path(sink, thing, request->below_z, &path);
    const char *path_z = adt_keep_z(sink, &path);
    gm_buf_deinit(&path);
    if (path_z == NULL || ++thing->rounds > ADT_ROUNDS_MAX) {
        if (path_z != NULL) {
            adt_refuse_because(thing, "it was changed by others again and again");
        }
        return;
    }
    bool patch = strcmp(request->method_z, "PATCH") == 0;
    thing->started = true;
    thing->call = (struct gm_call){
        .method_z = request->method_z,
        .path_z = path_z,
        .content_type_z = patch ? "application/json-patch+json" : NULL,
        .if_match_z = request->if_match ? thing->etag_z : NULL,
        .if_none_match_z = request->if_none_match ? "*" : NULL,
        .body = request->body,
        /* what is written counts for the twin that it goes out from */
        .ask = {.class = request->class,
                .cost = 1,
                .object = request->class == ADT_READ ? 0 : gm_hash64(thing->twin_id, 0) | 1},
        .answered = request->answered,
        .ctx = thing,
    };
    gm_exchange_add(sink->exchange, &thing->call);
}

void adt_send_patch(struct adt_thing *thing, const struct gm_buf *body, gm_call_fn answered)
{
    const char *text_z = adt_keep_z(thing->sink, body);
    if (text_z != NULL) {
        adt_call(thing, &(struct adt_request){.method_z = "PATCH",
                                              .class = ADT_PATCH,
                                              .body = {text_z, body->n},
                                              .if_match = thing->etag_z != NULL,
                                              .answered = answered});
    }
}

const char *adt_path_of_link(struct adt_sink *sink, struct gm_str link)
{
    struct gm_str base = gm_str_z(sink->url_z);
    if (gm_str_starts(link, base)) {
        link = (struct gm_str){link.p + base.n, link.n - base.n};
    } else {
        /* A service behind a proxy calls itself by another name; its paths are the same. */
        struct gm_str scheme, rest, host, path;
        if (!gm_str_cut(link, ':', &scheme, &rest) || rest.n < 3) {
            return NULL;
        }
        rest = (struct gm_str){rest.p + 2, rest.n - 2};
        if (!gm_str_cut(rest, '/', &host, &path)) {
            return NULL;
        }
        link = (struct gm_str){path.p - 1, path.n + 1};
    }
    struct gm_str kept = gm_arena_dup(sink->arena, link);
    return kept.p;
}

/* ---- answers that say no ---- */

struct gm_str adt_error_code(struct adt_sink *sink, const struct gm_http_answer *answer)
{
    struct gm_str code = gm_http_answer_header(answer, "x-ms-error-code");
    yyjson_mut_val *body = NULL;
    struct gm_err ignored;
    if (code.n == 0 &&
        gm_json_parse(sink->doc, gm_buf_str(&answer->body), &body, &ignored) == GM_OK) {
        code = gm_json_member_str(gm_json_member(body, GM_STR("error")), "code");
    }
    return code;
}

static struct gm_str message_of(struct adt_sink *sink, const struct gm_http_answer *answer)
{
    yyjson_mut_val *body = NULL;
    struct gm_err ignored;
    if (gm_json_parse(sink->doc, gm_buf_str(&answer->body), &body, &ignored) != GM_OK) {
        return (struct gm_str){NULL, 0};
    }
    yyjson_mut_val *error = gm_json_member(body, GM_STR("error"));
    yyjson_mut_val *details = gm_json_member(error, GM_STR("details"));
    struct gm_str detail = gm_json_member_str(yyjson_mut_arr_get_first(details), "message");
    struct gm_str message = detail.n > 0 ? detail : gm_json_member_str(error, "message");
    message.n = message.n < SHOWN_MAX ? message.n : SHOWN_MAX;
    return message;
}

static void mark(struct adt_thing *thing, const char *text_z)
{
    thing->outcome = ADT_REFUSED;
    thing->refusal = gm_arena_dup(thing->sink->arena, gm_str_z(text_z));
    if (thing->record != NULL) {
        gm_record_fail(thing->batch, thing->record, GM_E_INVALID, "%s", text_z);
    }
    if (thing->removal != NULL && thing->removal->err.rc == GM_OK) {
        (void)gm_fail(&thing->removal->err, GM_E_INVALID, "%s", text_z);
    }
}

void adt_refuse_because(struct adt_thing *thing, const char *why_z)
{
    GM_AUTO_FREE char *text_z =
        gm_format_z("%s \"" GM_STR_FMT "\": %s", thing->is_link ? "relationship" : "twin",
                    GM_STR_ARG(thing->id), why_z);
    mark(thing, text_z);
}

void adt_refuse(struct adt_thing *thing, const struct gm_http_answer *answer)
{
    struct gm_str code = adt_error_code(thing->sink, answer);
    struct gm_str message = message_of(thing->sink, answer);
    GM_AUTO_FREE char *why_z =
        gm_format_z("the service refuses it: %ld " GM_STR_FMT ": " GM_STR_FMT, answer->status,
                    GM_STR_ARG(code), GM_STR_ARG(message));
    adt_refuse_because(thing, why_z);
}

bool adt_is_good(const struct gm_http_answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

bool adt_is_systemic(struct adt_thing *thing, const struct gm_http_answer *answer)
{
    struct adt_sink *sink = thing->sink;
    bool foreign = answer->status == 404 && adt_error_code(sink, answer).n == 0;
    bool redirect = answer->status >= 300 && answer->status < 400;
    if (answer->status != 403 && !foreign && !redirect && answer->status != 405) {
        return false;
    }
    GM_AUTO_FREE char *text_z = gm_format_z(
        "%s: %s answered %ld: %s", sink->url_z, thing->call.method_z, answer->status,
        answer->status == 403 ? "these credentials may not do that; give them a role that may write"
                              : "that is no service of digital twins; look at `url`");
    gm_exchange_fail(sink->exchange, GM_E_CONFIG, text_z);
    return true;
}

/* ---- what is there ---- */

/* Services write 18.0 as 18: a number of a floating type is one. */
static void widen(yyjson_mut_val *value, const struct gm_schema *schema, int depth)
{
    size_t index, max;
    yyjson_mut_val *key, *member;
    if (schema == NULL || depth > VALUES_DEPTH_MAX) {
        return;
    }
    bool floating = schema->type == GM_SCHEMA_DOUBLE || schema->type == GM_SCHEMA_FLOAT;
    if (floating && yyjson_mut_is_int(value)) {
        (void)yyjson_mut_set_real(value, yyjson_mut_get_num(value));
    } else if (schema->type == GM_SCHEMA_ARRAY) {
        yyjson_mut_arr_foreach(value, index, max, member)
        {
            widen(member, schema->item, depth + 1);
        }
    } else if (schema->type == GM_SCHEMA_MAP) {
        yyjson_mut_obj_foreach(value, index, max, key, member)
        {
            widen(member, schema->item, depth + 1);
        }
    } else if (schema->type == GM_SCHEMA_OBJECT) {
        for (size_t i = 0; i < schema->field_count; i++) {
            member = gm_json_member(value, schema->fields[i].name);
            if (member != NULL) {
                widen(member, schema->fields[i].schema, depth + 1);
            }
        }
    }
}

static void widen_contents(yyjson_mut_val *object, const struct gm_model *model, bool inside)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(object, index, max, key, value)
    {
        const struct gm_content *content = gm_model_content(model, gm_json_str(key));
        if (content == NULL) {
            continue;
        }
        if (content->type == GM_CONTENT_PROPERTY) {
            widen(value, content->schema, 0);
        } else if (content->type == GM_CONTENT_COMPONENT && !inside) {
            widen_contents(value, content->component, true);
        }
    }
}

static yyjson_mut_val *read_twin(struct adt_sink *sink, yyjson_mut_doc *doc, yyjson_mut_val *body)
{
    struct gm_str id = gm_json_member_str(gm_json_member(body, GM_STR("$metadata")), "$model");
    if (id.p == NULL) {
        return NULL;
    }
    (void)gm_json_remove(body, GM_STR("$metadata"));
    (void)gm_json_remove(body, GM_STR("$dtId"));
    (void)gm_json_remove(body, GM_STR("$etag"));
    const struct gm_model *model = gm_models_find(sink->preparer.env.models, id);
    for (size_t i = 0; model != NULL && i < model->content_count; i++) {
        if (model->contents[i].type == GM_CONTENT_COMPONENT) {
            yyjson_mut_val *component = gm_json_member(body, model->contents[i].name);
            if (component != NULL) {
                (void)gm_json_remove(component, GM_STR("$metadata"));
            }
        }
    }
    if (model != NULL) {
        widen_contents(body, model, false);
    }
    return gm_json_set(doc, body, GM_STR("$model"), gm_json_strref(doc, id)) ? body : NULL;
}

static yyjson_mut_val *read_link(yyjson_mut_doc *doc, yyjson_mut_val *body)
{
    struct gm_str name = gm_json_member_str(body, "$relationshipName");
    struct gm_str target = gm_json_member_str(body, "$targetId");
    static const char *const own[] = {"$relationshipName", "$targetId", "$relationshipId",
                                      "$sourceId", "$etag"};
    if (name.p == NULL || target.p == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(own); i++) {
        (void)gm_json_remove(body, gm_str_z(own[i]));
    }
    bool set = gm_json_set(doc, body, GM_STR("$name"), gm_json_strref(doc, name)) &&
               gm_json_set(doc, body, GM_STR("$target"), gm_json_strref(doc, target));
    return set ? body : NULL;
}

yyjson_mut_val *adt_read_thing(struct adt_sink *sink, yyjson_mut_doc *doc, bool is_link,
                               struct gm_str text)
{
    yyjson_mut_val *body = NULL;
    struct gm_err ignored;
    if (gm_json_parse(doc, text, &body, &ignored) != GM_OK || !yyjson_mut_is_obj(body)) {
        return NULL;
    }
    return is_link ? read_link(doc, body) : read_twin(sink, doc, body);
}
