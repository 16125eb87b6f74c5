/* @context: which version of the language, and which extensions, hold for an element; what terms
 * stand for. */
#include "dtdl/dtmi.h"
#include "dtdl/element.h"

static const struct gm_str language_prefix = {"dtmi:dtdl:context;", 18};

struct reader {
    struct gm_dtdl_parser *parser;
    const struct gm_dtdl_element *at;
    struct gm_dtdl_context *context;
};

/* Errors in @context end the document: nothing in it could be understood. */
static bool stop(struct reader *reader, enum gm_dtdl_error_kind kind, struct gm_str value,
                 struct gm_str restriction)
{
    gm_dtdl_report(reader->parser->errors,
                   &(struct gm_dtdl_report){
                       .kind = kind, .at = reader->at, .value = value, .restriction = restriction});
    reader->parser->stopped = true;
    return false;
}

static struct gm_str version_text(struct reader *reader, int version)
{
    return gm_dtdl_format(reader->parser, "%d", version);
}

static const struct gm_str none = {NULL, 0};

/* ---- the language ---- */

static bool read_language(struct reader *reader, struct gm_str text)
{
    struct gm_dtmi dtmi;
    if (!gm_dtmi_parse_any(text, &dtmi)) {
        return stop(reader, GM_DTDL_E_INVALID_CONTEXT_SPECIFIER, text, none);
    }
    if (dtmi.fragment.n > 0 && dtmi.major <= GM_DTDL_VERSION_MAX) {
        return stop(reader, GM_DTDL_E_DISALLOWED_CONTEXT_FRAGMENT, text,
                    version_text(reader, (int)dtmi.major));
    }
    if (dtmi.major < 0) {
        return stop(reader, GM_DTDL_E_MISSING_CONTEXT_VERSION, text, none);
    }
    /* Version 4 is there, but not taken here. */
    if (dtmi.major < GM_DTDL_VERSION_MIN || dtmi.major > GM_DTDL_VERSION_MAX + 1 ||
        dtmi.minor > 0) {
        return stop(reader, GM_DTDL_E_UNRECOGNIZED_CONTEXT_VERSION, text, none);
    }
    if (dtmi.major > reader->parser->dtdl_version_max) {
        return stop(reader, GM_DTDL_E_DISALLOWED_CONTEXT_VERSION, text,
                    gm_dtdl_format(reader->parser, "dtmi:dtdl:context;%d",
                                   reader->parser->dtdl_version_max));
    }
    reader->context->dtdl_version = (int)dtmi.major;
    return true;
}

/* ---- extensions ---- */

static bool allows_undefined(const struct gm_dtdl_parser *parser, int dtdl_version)
{
    /* v2 may name extensions that a reader does not know; v3 may not. */
    return parser->trusted || parser->undefined == GM_MODELS_UNDEFINED_ALLOWED ||
           (parser->undefined == GM_MODELS_UNDEFINED_BY_VERSION && dtdl_version == 2);
}

static bool add_name(struct reader *reader, struct gm_str text)
{
    struct gm_dtdl_context *context = reader->context;
    for (size_t i = 0; i < context->name_count; i++) {
        if (gm_str_eq(context->names[i], text)) {
            return true;
        }
    }
    if (context->name_count == GM_DTDL_CONTEXTS_MAX) {
        return stop(reader, GM_DTDL_E_INVALID_CONTEXT, none, none);
    }
    context->names[context->name_count++] = text;
    return true;
}

/* A later version of an extension takes the place of an earlier one. */
static void add_known(struct gm_dtdl_context *context, int known)
{
    for (size_t i = 0; i < context->known_count; i++) {
        if (strcmp(gm_dtdl_known[context->known[i]].base_z, gm_dtdl_known[known].base_z) == 0) {
            context->known[i] = known;
            return;
        }
    }
    context->known[context->known_count++] = known; /* no more than there are known ones */
}

static struct gm_str versions_of(struct reader *reader, struct gm_str base)
{
    struct gm_str list = {"", 0};
    for (int i = 0; i < GM_DTDL_KNOWN_COUNT; i++) {
        if (gm_str_is(base, gm_dtdl_known[i].base_z)) {
            list = gm_dtdl_format(reader->parser, GM_STR_FMT "%s%d", GM_STR_ARG(list),
                                  list.n > 0 ? ", " : "", gm_dtdl_known[i].version);
        }
    }
    return list;
}

static bool read_extension(struct reader *reader, struct gm_str text, int dtdl_version)
{
    struct gm_dtmi dtmi;
    if (gm_str_starts(text, language_prefix)) {
        return stop(reader, GM_DTDL_E_DTDL_CONTEXT_FOLLOWS_AFFILIATE, text, none);
    }
    if (!gm_str_starts(text, GM_STR("dtmi:"))) {
        return stop(reader, GM_DTDL_E_NON_DTMI_CONTEXT_SPECIFIER, text, none);
    }
    if (!gm_dtmi_parse_any(text, &dtmi) || dtmi.fragment.n > 0) {
        return stop(reader, GM_DTDL_E_INVALID_CONTEXT_SPECIFIER, text, none);
    }
    if (!gm_dtmi_valid(text, dtdl_version)) {
        return stop(reader, GM_DTDL_E_INVALID_CONTEXT_SPECIFIER_FOR_VERSION, text,
                    version_text(reader, dtdl_version));
    }
    if (dtmi.major < 0) {
        return stop(reader, GM_DTDL_E_MISSING_CONTEXT_VERSION, text, none);
    }
    if (gm_str_starts(dtmi.base, GM_STR("dtmi:dtdl:limits:"))) {
        return stop(reader, GM_DTDL_E_MISPLACED_LIMIT_CONTEXT, text, none);
    }
    bool base_known;
    int known = gm_dtdl_known_find(dtmi.base, (int)dtmi.major, &base_known);
    if (known >= 0 && dtmi.minor <= 0) {
        add_known(reader->context, known);
        return add_name(reader, text);
    }
    if (!allows_undefined(reader->parser, dtdl_version)) {
        return base_known ? stop(reader, GM_DTDL_E_UNRESOLVABLE_CONTEXT_VERSION, text,
                                 versions_of(reader, dtmi.base))
                          : stop(reader, GM_DTDL_E_UNRESOLVABLE_CONTEXT_SPECIFIER, text, none);
    }
    reader->context->incomplete = true;
    return add_name(reader, text);
}

/* ---- a whole @context ---- */

/* IoT Central's context says that the language is v2, so it may stand in front of that. */
static bool is_preface(struct gm_str text)
{
    return gm_str_is(text, "dtmi:iotcentral:context;2");
}

/* Parts of the wrong kind are found before anything else is said. */
static bool check_parts(struct reader *reader, yyjson_mut_val *json)
{
    struct gm_dtdl_items items = gm_dtdl_items_of(json);
    for (yyjson_mut_val *part; (part = gm_dtdl_items_next(&items)) != NULL;) {
        yyjson_type type = gm_json_type(part);
        if (type != YYJSON_TYPE_STR && type != YYJSON_TYPE_OBJ) {
            return stop(reader, GM_DTDL_E_INVALID_CONTEXT, none, none);
        }
    }
    return true;
}

/* Prefaces, then versions of the language, of which the last one holds. *out_part: the first part
 * behind them; NULL: there is none. */
static bool read_front(struct reader *reader, struct gm_dtdl_items *items,
                       yyjson_mut_val **out_part)
{
    yyjson_mut_val *part = gm_dtdl_items_next(items);
    while (part != NULL && is_preface(gm_json_str(part))) {
        if (!read_extension(reader, gm_json_str(part), 2)) {
            return false;
        }
        part = gm_dtdl_items_next(items);
    }
    while (part != NULL && gm_str_starts(gm_json_str(part), language_prefix)) {
        if (!read_language(reader, gm_json_str(part))) {
            return false;
        }
        part = gm_dtdl_items_next(items);
    }
    *out_part = part;
    return reader->context->dtdl_version != 0 ||
           stop(reader, GM_DTDL_E_MISSING_DTDL_CONTEXT, none, none);
}

static bool read_parts(struct reader *reader, yyjson_mut_val *json)
{
    struct gm_dtdl_items items = gm_dtdl_items_of(json);
    yyjson_mut_val *last = items.array ? yyjson_mut_arr_get_last(json) : json;
    yyjson_mut_val *part;
    if (!check_parts(reader, json) || !read_front(reader, &items, &part)) {
        return false;
    }
    int version = reader->context->dtdl_version;
    if (gm_json_type(last) == YYJSON_TYPE_OBJ) {
        return stop(reader, GM_DTDL_E_DISALLOWED_LOCAL_CONTEXT, none,
                    version_text(reader, version));
    }
    for (; part != NULL; part = gm_dtdl_items_next(&items)) {
        struct gm_str text = gm_json_str(part);
        if (text.p == NULL) {
            return stop(reader, GM_DTDL_E_LOCAL_CONTEXT_NOT_LAST, none, none);
        }
        if (!read_extension(reader, text, version)) {
            return false;
        }
    }
    return true;
}

const struct gm_dtdl_context *gm_dtdl_context_of(struct gm_dtdl_parser *parser,
                                                 const struct gm_dtdl_node *node,
                                                 const struct gm_dtdl_element *at,
                                                 const struct gm_dtdl_context *outer)
{
    struct reader reader = {.parser = parser, .at = at};
    bool empty = node->context != NULL && gm_json_type(node->context) == YYJSON_TYPE_ARR &&
                 gm_json_count(node->context) == 0;
    if (node->context == NULL || empty) {
        if (outer == NULL) {
            (void)stop(&reader, empty ? GM_DTDL_E_EMPTY_CONTEXT : GM_DTDL_E_MISSING_CONTEXT, none,
                       none);
        }
        return outer;
    }
    reader.context = gm_dtdl_alloc(parser, 1, sizeof(*reader.context));
    if (reader.context == NULL) {
        return NULL;
    }
    if (outer != NULL) {
        *reader.context = *outer;
    }
    return read_parts(&reader, node->context) ? reader.context : NULL;
}

bool gm_dtdl_context_id(struct gm_dtdl_parser *parser, const struct gm_dtdl_context *context,
                        struct gm_str text, struct gm_str *out_id)
{
    if (gm_str_starts(text, GM_STR("dtmi:"))) {
        *out_id = text;
        return gm_dtmi_valid(text, context->dtdl_version);
    }
    if (text.n == 0 || memchr(text.p, ':', text.n) != NULL) {
        return false;
    }
    int language = context->dtdl_version == 2 ? GM_DTDL_KNOWN_V2 : GM_DTDL_KNOWN_V3;
    if (gm_dtdl_term_id(parser->arena, language, text, out_id)) {
        return true;
    }
    for (size_t i = 0; i < context->known_count; i++) {
        if (gm_dtdl_term_id(parser->arena, context->known[i], text, out_id)) {
            return true;
        }
    }
    return false;
}
