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
    struct gm_dtmi dtmi;
    if (!gm_dtmi_parse(name, &dtmi)) {
        return gm_dtdl_fail(err, element,
                            "@context \"" GM_STR_FMT "\" is not a DTMI; write one such as "
                            "dtmi:dtdl:extension:quantitativeTypes;1",
                            GM_STR_ARG(name));
    }
    int version;
    enum gm_dtdl_extension extension = gm_dtdl_extension_of(name, context->dtdl_version, &version);
    if (extension != GM_DTDL_EXTENSION_NONE) {
        context->extensions[extension] = (uint8_t)version;
    } else if (context->dtdl_version > 2) {
        return gm_dtdl_fail(err, element,
                            "@context \"" GM_STR_FMT "\" is no extension of DTDL %d; "
                            "remove it, or correct its name and version",
                            GM_STR_ARG(name), context->dtdl_version);
    } else {
        context->unknown = true;
    }
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

static gm_rc add_language(struct gm_dtdl_context *context, const struct gm_dtdl_element *element,
                          int version, const struct gm_dtdl_context *outer, struct gm_err *err)
{
    if (outer != NULL && version > outer->dtdl_version) {
        return gm_dtdl_fail(err, element, "@context: DTDL %d cannot stand inside of DTDL %d",
                            version, outer->dtdl_version);
    }
    context->dtdl_version = version;
    return GM_OK;
}

static gm_rc add_item(struct gm_dtdl_context *context, const struct gm_dtdl_element *element,
                      yyjson_mut_val *item, const struct gm_dtdl_context *outer, bool *extensions,
                      struct gm_err *err)
{
    struct gm_str name = gm_json_str(item);
    if (name.p == NULL) {
        return gm_dtdl_fail(err, element,
                            "@context: expected a DTMI or an array of them, such as "
                            "\"dtmi:dtdl:context;3\"");
    }
    int version;
    GM_TRY(language_version(element, name, &version, err));
    if (version != 0 && !*extensions) {
        return add_language(context, element, version, outer, err);
    }
    if (version != 0) {
        return gm_dtdl_fail(err, element,
                            "@context: put \"" GM_STR_FMT "\" in front of the extensions",
                            GM_STR_ARG(name));
    }
    if (context->dtdl_version == 0) {
        return gm_dtdl_fail(err, element,
                            "@context must begin with the version of the language, "
                            "dtmi:dtdl:context;2 or dtmi:dtdl:context;3");
    }
    *extensions = true;
    return add_extension(context, element, name, err);
}

gm_rc gm_dtdl_context_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                            yyjson_mut_val *json, const struct gm_dtdl_context *outer,
                            const struct gm_dtdl_context **out_context, struct gm_err *err)
{
    if (json == NULL && outer != NULL) {
        *out_context = outer;
        return GM_OK;
    }
    struct gm_dtdl_context *context = gm_dtdl_alloc(parser->arena, 1, sizeof(*context), err);
    if (context == NULL) {
        return GM_E_LIMIT;
    }
    if (outer != NULL) {
        *context = *outer;
    }
    bool extensions = false;
    if (gm_json_type(json) == YYJSON_TYPE_ARR) {
        size_t i, n;
        yyjson_mut_val *item;
        yyjson_mut_arr_foreach(json, i, n, item)
        {
            GM_TRY(add_item(context, element, item, outer, &extensions, err));
        }
    } else if (json != NULL) {
        GM_TRY(add_item(context, element, json, outer, &extensions, err));
    }
    if (context->dtdl_version == 0) {
        return gm_dtdl_fail(err, element, "no @context; add \"@context\": \"dtmi:dtdl:context;3\"");
    }
    *out_context = context;
    return GM_OK;
}
