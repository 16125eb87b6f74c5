/* Texts for people: a string, an object of strings by language, or an array of strings and of
 * objects with "@language" and "@value". The texts themselves are not kept. */
#include "dtdl/element.h"

struct reader {
    struct gm_dtdl_parser *parser;
    const struct gm_dtdl_element *element;
    const struct gm_dtdl_wanted *wanted;
};

static const struct gm_str nothing = {NULL, 0};

static void fail(const struct reader *reader, enum gm_dtdl_error_kind kind, struct gm_str value)
{
    gm_dtdl_report(reader->parser->errors,
                   &(struct gm_dtdl_report){.kind = kind,
                                            .at = reader->element,
                                            .primary = reader->element->id,
                                            .property = reader->wanted->property,
                                            .value = value,
                                            .count = reader->wanted->size_max});
}

/* [a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))? */
static bool is_language(struct gm_str code)
{
    static const char lower_z[] = "abcdefghijklmnopqrstuvwxyz";
    static const char upper_z[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    char text[16];
    if (code.n >= sizeof(text) || memchr(code.p, '\0', code.n) != NULL) {
        return false;
    }
    memcpy(text, code.p, code.n);
    text[code.n] = '\0';
    const char *p = text;
    size_t n = strspn(p, lower_z);
    if (n < 2 || n > 4) {
        return false;
    }
    p += n;
    if (p[0] == '-' && strspn(p + 1, upper_z) == 1 && strspn(p + 2, lower_z) == 3) {
        p += 5;
    }
    if (p[0] == '-' && (strspn(p + 1, upper_z) == 2 || strspn(p + 1, "0123456789") == 3)) {
        p += strspn(p + 1, upper_z) == 2 ? 3 : 4;
    }
    return *p == '\0';
}

static void check_size(const struct reader *reader, struct gm_str text)
{
    if (reader->wanted->size_max > 0 && text.n > reader->wanted->size_max &&
        gm_dtdl_utf16_units(text) > reader->wanted->size_max) {
        fail(reader, GM_DTDL_E_LANG_STRING_VALUE_TOO_LONG, text);
    }
}

/* ---- {"en": …, "nl": …} ---- */

static void read_keywords(const struct reader *reader, const struct gm_dtdl_node *node)
{
    bool one_text = node->language != NULL && gm_json_type(node->value) == YYJSON_TYPE_STR &&
                    node->member_count == 2;
    if (one_text) {
        fail(reader, GM_DTDL_E_LANG_TAG_VALUE_IN_LANG_MAP,
             gm_dtdl_format(reader->parser, "{\"" GM_STR_FMT "\": \"" GM_STR_FMT "\"}",
                            GM_STR_ARG(gm_json_str(node->language)),
                            GM_STR_ARG(gm_json_str(node->value))));
        return;
    }
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(node->json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n > 0 && name.p[0] == '@') {
            fail(reader, GM_DTDL_E_LANG_MAP_OBJ_KEYWORD, name);
        }
    }
}

static void read_map(const struct reader *reader, yyjson_mut_val *json)
{
    struct gm_dtdl_node node;
    gm_dtdl_node_init(&node, json);
    read_keywords(reader, &node);
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(json, i, n, key, value)
    {
        struct gm_str code = gm_json_str(key);
        if (code.n > 0 && code.p[0] == '@') {
            continue;
        }
        if (!is_language(code)) {
            fail(reader, GM_DTDL_E_LANG_STRING_INVALID_CODE, code);
        }
        struct gm_str text = gm_json_str(value);
        if (text.p == NULL) {
            fail(reader, GM_DTDL_E_LANG_STRING_VALUE_NOT_STRING, code);
        } else {
            check_size(reader, text);
        }
    }
}

/* ---- ["…", {"@language": "en", "@value": "…"}] ---- */

static void check_tagged(const struct reader *reader, const struct gm_dtdl_node *node)
{
    if (node->context != NULL) {
        fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_CONTEXT, nothing);
    }
    if (node->id != NULL) {
        fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_ID, nothing);
    }
    if (node->graph != NULL) {
        fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_GRAPH, nothing);
    }
    bool strict = reader->element->context->dtdl_version > 2;
    if (strict && node->type != NULL) {
        fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_TYPE, nothing);
    }
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(node->json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n == 0 || name.p[0] != '@') {
            fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_INVALID_PROP, name);
        } else if (strict && value != node->context && value != node->id && value != node->graph &&
                   value != node->type && value != node->language && value != node->value) {
            fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_KEYWORD, name);
        }
    }
}

/* False: nothing to say of its language. */
static bool read_tagged(const struct reader *reader, yyjson_mut_val *json, struct gm_str *code,
                        struct gm_str *text)
{
    struct gm_dtdl_node node;
    gm_dtdl_node_init(&node, json);
    if (node.language != NULL) {
        *code = gm_json_str(node.language);
        if (code->n == 0) {
            fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_CODE_NOT_STRING, nothing);
            return false;
        }
        if (!is_language(*code)) {
            fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_INVALID_CODE, *code);
        }
    }
    *text = gm_json_str(node.value);
    if (node.value == NULL) {
        fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_NO_VALUE, nothing);
    } else if (text->p == NULL) {
        fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_VALUE_NOT_STRING, nothing);
        return false;
    }
    check_tagged(reader, &node);
    return true;
}

static void read_list(const struct reader *reader, yyjson_mut_val *json)
{
    struct gm_map *codes = gm_map_new();
    struct gm_dtdl_items items = gm_dtdl_items_of(json);
    for (yyjson_mut_val *item; (item = gm_dtdl_items_next(&items)) != NULL;) {
        struct gm_str code = GM_STR("en");
        struct gm_str text = gm_json_str(item);
        if (gm_json_type(item) == YYJSON_TYPE_OBJ) {
            if (!read_tagged(reader, item, &code, &text)) {
                continue;
            }
        } else if (text.p == NULL) {
            fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_NOT_STRING_OR_OBJECT, nothing);
            continue;
        }
        check_size(reader, text);
        if (!gm_map_set(codes, code, 1)) {
            fail(reader, GM_DTDL_E_LANG_STRING_ELEMENT_CODE_NOT_UNIQUE, code);
        }
    }
    gm_map_free(codes);
}

void gm_dtdl_text_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                        const struct gm_dtdl_wanted *wanted, yyjson_mut_val *json)
{
    struct reader reader = {parser, element, wanted};
    if (gm_json_type(json) == YYJSON_TYPE_OBJ) {
        read_map(&reader, json);
    } else if (gm_json_type(json) == YYJSON_TYPE_STR) {
        check_size(&reader, gm_json_str(json)); /* the most of them by far */
    } else {
        read_list(&reader, json);
    }
}
