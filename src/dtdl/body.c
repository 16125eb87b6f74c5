/* Bodies of twins and relationships against their models. */
#include <stdio.h>

#include "dtdl/check.h"
#include "dtdl/set.h"

gm_rc gm_dtdl_within(struct gm_err *err, gm_rc rc, const char *fmt, ...)
{
    if (err != NULL) {
        char text[GM_ERR_TEXT_SIZE];
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        (void)gm_fail_within(err, "%s", text);
    }
    return rc;
}

static const char *content_words_z(enum gm_content_type type)
{
    switch (type) {
    case GM_CONTENT_TELEMETRY:
        return "telemetry, which twins do not keep";
    case GM_CONTENT_COMMAND:
        return "a command, which twins do not keep";
    case GM_CONTENT_RELATIONSHIP:
        return "a relationship, which is written on its own";
    case GM_CONTENT_COMPONENT:
        return "a component";
    default:
        return "a property";
    }
}

static gm_rc fail_name(const struct gm_model *model, struct gm_str name, struct gm_err *err)
{
    char hint[GM_DTDL_HINT_SIZE];
    if (name.n > 0 && name.p[0] == '$') {
        return gm_fail(err, GM_E_INVALID, "\"" GM_STR_FMT "\" has no place here", GM_STR_ARG(name));
    }
    return gm_fail(err, GM_E_INVALID, GM_STR_FMT " has no property \"" GM_STR_FMT "\"%s",
                   GM_STR_ARG(model->id), GM_STR_ARG(name),
                   gm_dtdl_content_hint_z(model->contents, model->content_count, name, hint));
}

static gm_rc check_property(const struct gm_content *content, const yyjson_mut_val *value,
                            struct gm_err *err)
{
    gm_rc rc = gm_schema_check(content->schema, value, err);
    return rc == GM_OK
               ? rc
               : gm_dtdl_within(err, rc, "property \"" GM_STR_FMT "\"", GM_STR_ARG(content->name));
}

/* A component's members are properties: components are one level deep. */
static gm_rc check_component(const struct gm_content *component, const yyjson_mut_val *body,
                             struct gm_err *err)
{
    if (gm_json_type(body) != YYJSON_TYPE_OBJ) {
        return gm_fail(err, GM_E_INVALID, "expected an object");
    }
    const yyjson_mut_val *name = gm_json_first(body);
    for (size_t i = gm_json_count(body); i > 0; i--, name = name->next->next) {
        struct gm_str key = gm_json_str(name);
        if (gm_str_is(key, "$metadata")) {
            if (gm_json_type(name->next) != YYJSON_TYPE_OBJ) {
                return gm_fail(err, GM_E_INVALID, "$metadata: expected an object");
            }
            continue;
        }
        const struct gm_content *content = gm_model_content(component->component, key);
        if (content == NULL) {
            return fail_name(component->component, key, err);
        }
        if (content->type != GM_CONTENT_PROPERTY) {
            return gm_fail(err, GM_E_INVALID, "\"" GM_STR_FMT "\" is %s", GM_STR_ARG(key),
                           content_words_z(content->type));
        }
        GM_TRY(check_property(content, name->next, err));
    }
    return GM_OK;
}

gm_rc gm_model_check_body(const struct gm_model *model, const yyjson_mut_val *body,
                          struct gm_err *err)
{
    if (gm_json_type(body) != YYJSON_TYPE_OBJ) {
        return gm_fail(err, GM_E_INVALID, "expected an object of properties");
    }
    const yyjson_mut_val *name = gm_json_first(body);
    for (size_t i = gm_json_count(body); i > 0; i--, name = name->next->next) {
        struct gm_str key = gm_json_str(name);
        const struct gm_content *content = gm_model_content(model, key);
        if (content == NULL) {
            return fail_name(model, key, err);
        }
        if (content->type == GM_CONTENT_PROPERTY) {
            GM_TRY(check_property(content, name->next, err));
        } else if (content->type == GM_CONTENT_COMPONENT) {
            gm_rc rc = check_component(content, name->next, err);
            if (rc != GM_OK) {
                return gm_dtdl_within(err, rc, "component \"" GM_STR_FMT "\"", GM_STR_ARG(key));
            }
        } else {
            return gm_fail(err, GM_E_INVALID, "\"" GM_STR_FMT "\" is %s", GM_STR_ARG(key),
                           content_words_z(content->type));
        }
    }
    return GM_OK;
}

/* ---- relationships ---- */

static gm_rc check_target(const struct gm_content *relationship, const struct gm_models *models,
                          const struct gm_model *target, struct gm_err *err)
{
    if (target == NULL || relationship->target.n == 0) {
        return GM_OK;
    }
    /* A model that is not there has no twins and nothing inherits from it. */
    const struct gm_model *wanted = gm_models_find(models, relationship->target);
    if (wanted == NULL || !gm_model_is(target, wanted)) {
        return gm_fail(err, GM_E_INVALID,
                       "relationship \"" GM_STR_FMT "\": the target is a " GM_STR_FMT
                       ", not a " GM_STR_FMT " or derived from it",
                       GM_STR_ARG(relationship->name), GM_STR_ARG(target->id),
                       GM_STR_ARG(relationship->target));
    }
    return GM_OK;
}

static gm_rc check_properties(const struct gm_content *relationship,
                              const yyjson_mut_val *properties, struct gm_err *err)
{
    if (gm_json_type(properties) != YYJSON_TYPE_OBJ) {
        return gm_fail(err, GM_E_INVALID, "expected an object of properties");
    }
    const yyjson_mut_val *name = gm_json_first(properties);
    for (size_t i = gm_json_count(properties); i > 0; i--, name = name->next->next) {
        struct gm_str key = gm_json_str(name);
        const struct gm_content *property =
            gm_dtdl_content_search(relationship->properties, relationship->property_count, key);
        if (property == NULL) {
            char hint[GM_DTDL_HINT_SIZE];
            return gm_fail(err, GM_E_INVALID, "it has no property \"" GM_STR_FMT "\"%s",
                           GM_STR_ARG(key),
                           gm_dtdl_content_hint_z(relationship->properties,
                                                  relationship->property_count, key, hint));
        }
        GM_TRY(check_property(property, name->next, err));
    }
    return GM_OK;
}

/* tidy: params: called by many, each argument its own thing */
gm_rc gm_model_check_relationship(const struct gm_model *source, struct gm_str name,
                                  const struct gm_models *models, const struct gm_model *target,
                                  const yyjson_mut_val *properties, struct gm_err *err)
{
    const struct gm_content *relationship = gm_model_content(source, name);
    if (relationship == NULL) {
        char hint[GM_DTDL_HINT_SIZE];
        return gm_fail(err, GM_E_INVALID, GM_STR_FMT " has no relationship \"" GM_STR_FMT "\"%s",
                       GM_STR_ARG(source->id), GM_STR_ARG(name),
                       gm_dtdl_content_hint_z(source->contents, source->content_count, name, hint));
    }
    if (relationship->type != GM_CONTENT_RELATIONSHIP) {
        return gm_fail(err, GM_E_INVALID, "\"" GM_STR_FMT "\" is %s, not a relationship",
                       GM_STR_ARG(name), content_words_z(relationship->type));
    }
    GM_TRY(check_target(relationship, models, target, err));
    if (properties != NULL) {
        gm_rc rc = check_properties(relationship, properties, err);
        if (rc != GM_OK) {
            return gm_dtdl_within(err, rc, "relationship \"" GM_STR_FMT "\"", GM_STR_ARG(name));
        }
    }
    return GM_OK;
}

/* ---- ids of twins ---- */

enum { TWIN_ID_SIZE_MAX = 128 };

gm_rc gm_twin_id_check(struct gm_str id, struct gm_err *err)
{
    static const char others_z[] = "-.+%_#*?!(),=@$'";
    if (id.n == 0 || id.n > TWIN_ID_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "a twin's id has 1 to %d characters; this one has %zu",
                       TWIN_ID_SIZE_MAX, id.n);
    }
    for (size_t i = 0; i < id.n; i++) {
        char c = id.p[i];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c != '\0' && strchr(others_z, c) != NULL);
        if (!fits) {
            return gm_fail(err, GM_E_INVALID,
                           "the twin id \"" GM_STR_FMT "\" has a character that ids cannot have; "
                           "they take letters, digits and %s",
                           GM_STR_ARG(id), others_z);
        }
    }
    return GM_OK;
}

gm_rc gm_twin_id_check_any(struct gm_str id, struct gm_err *err)
{
    if (id.n == 0 || id.n > TWIN_ID_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "an id has 1 to %d bytes; this one has %zu",
                       TWIN_ID_SIZE_MAX, id.n);
    }
    for (size_t i = 0; i < id.n; i++) {
        unsigned char c = (unsigned char)id.p[i];
        if (c < ' ' || c == 0x7f) {
            return gm_fail(err, GM_E_INVALID, "the id \"" GM_STR_FMT "\" has a control character",
                           GM_STR_ARG(id));
        }
    }
    return gm_utf8_valid(id, NULL) ? GM_OK : gm_fail(err, GM_E_INVALID, "the id is not UTF-8");
}
