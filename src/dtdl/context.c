/* @context: which version of the language, and which extensions, hold for an element. */
#include "base/num.h"
#include "dtdl/dtmi.h"
#include "dtdl/element.h"

/* *out_version = 0: `name` is not the context of the language itself. Other versions than 2 and 3
 * are an error. */
static gm_rc language_version(const struct gm_dtdl_element *element, struct gm_str name,
                              int *out_version, struct gm_err *err)
{
    struct gm_str head, version_text;
    int64_t version = 0;
    bool versioned = gm_str_cut(name, ';', &head, &version_text);
    *out_version = 0;
    if (!gm_str_is(head, "dtmi:dtdl:context")) {
        return GM_OK;
    }
    if (!versioned || !gm_parse_i64(version_text, &version) || version < 2 || version > 3) {
        return gm_dtdl_fail(err, element,
                            "@context \"" GM_STR_FMT "\": this version of DTDL is not supported; "
                            "write dtmi:dtdl:context;2 or dtmi:dtdl:context;3",
                            GM_STR_ARG(name));
    }
    *out_version = (int)version;
    return GM_OK;
}

/* What is not known here is accepted in v2, where it may bring cotypes of its own; v3 demands that
 * a reader refuses it. */
static gm_rc add_extension(struct gm_dtdl_context *context, const struct gm_dtdl_element *element,
                           struct gm_str name, struct gm_err *err)
{
    if (!gm_dtmi_valid(name, context->dtdl_version)) {
        return gm_dtdl_fail(err, element,
                            "@context \"" GM_STR_FMT "\" is not a DTMI of DTDL %d; write one such "
                            "as dtmi:dtdl:extension:quantitativeTypes;1",
                            GM_STR_ARG(name), context->dtdl_version);
    }
    int version;
    bool usable;
    enum gm_dtdl_extension extension =
        gm_dtdl_extension_of(name, context->dtdl_version, &version, &usable);
    if (extension != GM_DTDL_EXTENSION_NONE) {
        context->extensions[extension] = (uint8_t)version;
    }
    if (!usable && context->dtdl_version > 2) {
        return gm_dtdl_fail(err, element,
                            "@context \"" GM_STR_FMT "\" is no extension of DTDL %d; "
                            "remove it, or correct its name and version",
                            GM_STR_ARG(name), context->dtdl_version);
    }
    context->unknown = context->unknown || extension == GM_DTDL_EXTENSION_NONE;
    for (size_t i = 0; i < context->name_count; i++) {
        if (gm_str_eq(context->names[i], name)) {
            return GM_OK;
        }
    }
    if (context->name_count == GM_DTDL_CONTEXTS_MAX) {
        return gm_dtdl_fail(err, element, "@context names more than %d contexts",
                            GM_DTDL_CONTEXTS_MAX);
    }
    context->names[context->name_count++] = name;
    return GM_OK;
}

/* Item `index` of @context, which may be a single one. NULL: no more. */
static const yyjson_mut_val *item_at(const yyjson_mut_val *json, size_t index,
                                     const yyjson_mut_val *before)
{
    if (gm_json_type(json) != YYJSON_TYPE_ARR) {
        return index == 0 ? json : NULL;
    }
    if (index >= gm_json_count(json)) {
        return NULL;
    }
    return index == 0 ? gm_json_first(json) : before->next;
}

/* The language is settled before the extensions: what they mean depends on it. */
static gm_rc add_language(struct gm_dtdl_context *context, const struct gm_dtdl_element *element,
                          const yyjson_mut_val *json, const struct gm_dtdl_context *outer,
                          struct gm_err *err)
{
    bool extensions = false;
    const yyjson_mut_val *item = NULL;
    for (size_t i = 0; (item = item_at(json, i, item)) != NULL; i++) {
        struct gm_str name = gm_json_str(item);
        int version;
        if (name.p == NULL) {
            return gm_dtdl_fail(err, element,
                                "@context: expected a DTMI or an array of them, such as "
                                "\"dtmi:dtdl:context;3\"");
        }
        GM_TRY(language_version(element, name, &version, err));
        if (version == 0) {
            /* IoT Central's implies v2, so it may come first. */
            extensions =
                extensions || i > 0 || !gm_str_starts(name, GM_STR("dtmi:iotcentral:context;"));
            continue;
        }
        if (extensions) {
            return gm_dtdl_fail(err, element,
                                "@context: put \"" GM_STR_FMT "\" in front of the extensions",
                                GM_STR_ARG(name));
        }
        if (outer != NULL && version > outer->dtdl_version) {
            return gm_dtdl_fail(err, element, "@context: DTDL %d cannot stand inside of DTDL %d",
                                version, outer->dtdl_version);
        }
        context->dtdl_version = version;
    }
    if (context->dtdl_version == 0) {
        return gm_dtdl_fail(err, element,
                            "%s; add the version of the language, such as \"@context\": "
                            "\"dtmi:dtdl:context;3\"",
                            json == NULL ? "no @context" : "@context names no version of DTDL");
    }
    return GM_OK;
}

gm_rc gm_dtdl_context_parse(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                            struct gm_err *err)
{
    const struct gm_dtdl_context *outer = element->context;
    yyjson_mut_val *json = gm_json_member(element->json, GM_STR("@context"));
    if (json == NULL && outer != NULL) {
        return GM_OK;
    }
    struct gm_dtdl_context *context = gm_dtdl_alloc(parser->arena, 1, sizeof(*context), err);
    if (context == NULL) {
        return GM_E_LIMIT;
    }
    if (outer != NULL) {
        *context = *outer;
    }
    GM_TRY(add_language(context, element, json, outer, err));
    const yyjson_mut_val *item = NULL;
    for (size_t i = 0; (item = item_at(json, i, item)) != NULL; i++) {
        struct gm_str name = gm_json_str(item);
        int version;
        GM_TRY(language_version(element, name, &version, err));
        if (version == 0) {
            GM_TRY(add_extension(context, element, name, err));
        }
    }
    element->context = context;
    return GM_OK;
}
