/* Values of members that are no elements: strings, numbers, truth values, terms, texts by language.
 */
#include "base/num.h"
#include "dtdl/dtmi.h"
#include "dtdl/element.h"

static const char *kind_words_z(enum gm_dtdl_kind kind)
{
    switch (kind) {
    case GM_DTDL_KIND_BOOLEAN:
        return "true or false";
    case GM_DTDL_KIND_INTEGER:
        return "an integer";
    case GM_DTDL_KIND_SCALAR:
        return "a string or an integer";
    case GM_DTDL_KIND_ID:
        return "a DTMI";
    default:
        return "a string";
    }
}

static gm_rc fail_kind(struct gm_err *err, const struct gm_dtdl_element *element,
                       const struct gm_dtdl_rule *rule)
{
    return gm_dtdl_fail(err, element, "%s: expected %s", gm_dtdl_property_name_z(rule->property),
                        kind_words_z(rule->kind));
}

/* "xsd:integer" or "http://www.w3.org/2001/XMLSchema#integer" → "integer" */
static struct gm_str xsd_type(struct gm_str type)
{
    static const struct gm_str prefixes[] = {{"xsd:", 4},
                                             {"http://www.w3.org/2001/XMLSchema#", 33}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(prefixes); i++) {
        if (gm_str_starts(type, prefixes[i])) {
            return (struct gm_str){type.p + prefixes[i].n, type.n - prefixes[i].n};
        }
    }
    return (struct gm_str){NULL, 0};
}

/* v2 passes over what JSON-LD may mean by other keywords. */
static bool keyword_ignored(const struct gm_dtdl_element *element, struct gm_str name)
{
    return element->context->dtdl_version == 2 && name.n > 0 && name.p[0] == '@' &&
           !gm_dtdl_word_in("@context @graph @id @type @value", name);
}

static bool type_fits(struct gm_str type, enum gm_dtdl_kind kind, const yyjson_mut_val *value)
{
    yyjson_type json_type = gm_json_type(value);
    if (gm_str_is(type, "boolean")) {
        return kind == GM_DTDL_KIND_BOOLEAN && json_type == YYJSON_TYPE_BOOL;
    }
    if (gm_str_is(type, "integer")) {
        return (kind == GM_DTDL_KIND_INTEGER || kind == GM_DTDL_KIND_SCALAR) &&
               json_type == YYJSON_TYPE_NUM;
    }
    return gm_str_is(type, "string") &&
           (kind == GM_DTDL_KIND_STRING || kind == GM_DTDL_KIND_SCALAR) &&
           json_type == YYJSON_TYPE_STR;
}

gm_rc gm_dtdl_literal_unwrap(const struct gm_dtdl_element *element, const struct gm_dtdl_rule *rule,
                             yyjson_mut_val **json, struct gm_err *err)
{
    if (gm_json_type(*json) != YYJSON_TYPE_OBJ || rule->kind == GM_DTDL_KIND_ID ||
        rule->kind == GM_DTDL_KIND_TERM) {
        return GM_OK;
    }
    yyjson_mut_val *found = gm_json_member(*json, GM_STR("@value"));
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(*json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        bool type =
            gm_str_is(name, "@type") && type_fits(xsd_type(gm_json_str(value)), rule->kind, found);
        if (value != found && !type && !keyword_ignored(element, name)) {
            return gm_dtdl_fail(err, element,
                                "%s: \"" GM_STR_FMT "\" has no place here; write %s as it is",
                                gm_dtdl_property_name_z(rule->property), GM_STR_ARG(name),
                                kind_words_z(rule->kind));
        }
    }
    if (found == NULL) {
        return fail_kind(err, element, rule);
    }
    *json = found;
    return GM_OK;
}

/* *out_integer stays as it is when the value is none that 64 bits hold. */
static bool take_integer(const yyjson_mut_val *json, int64_t *out_integer)
{
    if (gm_json_type(json) != YYJSON_TYPE_NUM) {
        return false;
    }
    uint8_t subtype = (uint8_t)(json->tag & YYJSON_SUBTYPE_MASK);
    if (subtype == YYJSON_SUBTYPE_REAL ||
        (subtype == YYJSON_SUBTYPE_UINT && json->uni.u64 > INT64_MAX)) {
        return false;
    }
    *out_integer = json->uni.i64;
    return true;
}

/* Terms are kept in their short form. */
static gm_rc take_term(const struct gm_dtdl_element *element, const struct gm_dtdl_rule *rule,
                       struct gm_str text, struct gm_dtdl_value *value, struct gm_err *err)
{
    struct gm_str term;
    if (!gm_dtdl_term(text, rule->instances_z, element->context->dtdl_version, &term) ||
        !gm_dtdl_word_in(rule->terms_z, term)) {
        const char *rest_z = rule->terms_z;
        struct gm_str first;
        (void)gm_dtdl_word_next(&rest_z, &first);
        return gm_dtdl_fail(err, element, "%s \"" GM_STR_FMT "\": expected " GM_STR_FMT "%s%s",
                            gm_dtdl_property_name_z(rule->property), GM_STR_ARG(text),
                            GM_STR_ARG(first), *rest_z != '\0' ? " or " : "", rest_z);
    }
    value->string = term;
    return GM_OK;
}

gm_rc gm_dtdl_literal_parse(const struct gm_dtdl_element *element, const struct gm_dtdl_rule *rule,
                            yyjson_mut_val *json, struct gm_dtdl_value *out_value,
                            struct gm_err *err)
{
    GM_TRY(gm_dtdl_literal_unwrap(element, rule, &json, err));
    struct gm_dtdl_value value = {.json = json, .string = gm_json_str(json)};
    enum gm_dtdl_kind kind = rule->kind;
    bool fits;
    if (value.string.p != NULL) {
        value.type = GM_DTDL_VALUE_STRING;
        fits = kind != GM_DTDL_KIND_BOOLEAN && kind != GM_DTDL_KIND_INTEGER;
    } else if (gm_json_type(json) == YYJSON_TYPE_BOOL) {
        value.type = GM_DTDL_VALUE_BOOLEAN;
        value.boolean = (json->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_TRUE;
        fits = kind == GM_DTDL_KIND_BOOLEAN;
    } else {
        value.type = GM_DTDL_VALUE_INTEGER;
        fits = (kind == GM_DTDL_KIND_INTEGER || kind == GM_DTDL_KIND_SCALAR) &&
               take_integer(json, &value.integer);
    }
    if (!fits) {
        return fail_kind(err, element, rule);
    }
    if (kind == GM_DTDL_KIND_TERM) {
        GM_TRY(take_term(element, rule, value.string, &value, err));
    }
    if (kind == GM_DTDL_KIND_ID && !gm_dtmi_valid(value.string, element->context->dtdl_version)) {
        return gm_dtdl_fail(err, element,
                            "%s \"" GM_STR_FMT "\" is not a DTMI of DTDL %d; write "
                            "one like dtmi:example:Thing;1",
                            gm_dtdl_property_name_z(rule->property), GM_STR_ARG(value.string),
                            element->context->dtdl_version);
    }
    *out_value = value;
    return GM_OK;
}

/* Language tags as the language knows them: "en", "zh-Hans", "es-419", "sr-Latn-RS". */
static bool letters(struct gm_str s, size_t from, size_t to, char first, char last)
{
    for (size_t i = from; i < to; i++) {
        if (s.p[i] < first || s.p[i] > last) {
            return false;
        }
    }
    return true;
}

static bool language_valid(struct gm_str tag)
{
    struct gm_str part, rest;
    (void)gm_str_cut(tag, '-', &part, &rest);
    if (part.n < 2 || part.n > 4 || !letters(part, 0, part.n, 'a', 'z')) {
        return false;
    }
    if (rest.n == 0) {
        return part.n == tag.n;
    }
    struct gm_str region = rest;
    if (rest.n >= 4 && letters(rest, 0, 1, 'A', 'Z') && letters(rest, 1, 4, 'a', 'z')) {
        if (rest.n == 4) {
            return true;
        }
        if (rest.p[4] != '-') {
            return false;
        }
        region = (struct gm_str){rest.p + 5, rest.n - 5};
    }
    return (region.n == 2 && letters(region, 0, 2, 'A', 'Z')) ||
           (region.n == 3 && letters(region, 0, 3, '0', '9'));
}

/* More languages than there are in any catalog; keeps the search for duplicates bounded. */
enum { LANGUAGES_MAX = 1000 };

struct text_parser {
    const struct gm_dtdl_element *element;
    const struct gm_dtdl_rule *rule;
    struct gm_dtdl_value *values;
    struct gm_str *languages;
    size_t count;
};

static gm_rc add_text(struct text_parser *text, struct gm_str language, yyjson_mut_val *json,
                      struct gm_err *err)
{
    const char *name_z = gm_dtdl_property_name_z(text->rule->property);
    if (!language_valid(language)) {
        return gm_dtdl_fail(err, text->element,
                            "%s: \"" GM_STR_FMT "\" is no language tag such as en or en-US", name_z,
                            GM_STR_ARG(language));
    }
    for (size_t i = 0; i < text->count; i++) {
        if (gm_str_eq(text->languages[i], language)) {
            return gm_dtdl_fail(err, text->element, "%s: two texts for language " GM_STR_FMT,
                                name_z, GM_STR_ARG(language));
        }
    }
    if (gm_json_type(json) != YYJSON_TYPE_STR) {
        return gm_dtdl_fail(err, text->element, "%s: expected a string for language " GM_STR_FMT,
                            name_z, GM_STR_ARG(language));
    }
    text->languages[text->count] = language;
    text->values[text->count++] = (struct gm_dtdl_value){
        .type = GM_DTDL_VALUE_STRING, .string = gm_json_str(json), .json = json};
    return GM_OK;
}

/* An item of an array: a string, or {"@value": "…", "@language": "en"}. */
static gm_rc add_text_item(struct text_parser *text, yyjson_mut_val *json, struct gm_err *err)
{
    struct gm_str language = GM_STR("en");
    if (gm_json_type(json) != YYJSON_TYPE_OBJ) {
        return add_text(text, language, json, err);
    }
    size_t i, n;
    yyjson_mut_val *key, *value, *found = NULL;
    yyjson_mut_obj_foreach(json, i, n, key, value)
    {
        if (gm_str_is(gm_json_str(key), "@value")) {
            found = value;
        } else if (gm_str_is(gm_json_str(key), "@language")) {
            language = gm_json_str(value);
        } else if (!keyword_ignored(text->element, gm_json_str(key)) &&
                   !(text->element->context->dtdl_version == 2 &&
                     gm_str_is(gm_json_str(key), "@type"))) {
            return gm_dtdl_fail(err, text->element,
                                "%s: \"" GM_STR_FMT "\" has no place beside @value and @language",
                                gm_dtdl_property_name_z(text->rule->property),
                                GM_STR_ARG(gm_json_str(key)));
        }
    }
    return add_text(text, language, found, err);
}

gm_rc gm_dtdl_text_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                         yyjson_mut_val *json, struct gm_dtdl_member *member, struct gm_err *err)
{
    const struct gm_dtdl_rule *rule = member->rule;
    yyjson_type type = gm_json_type(json);
    size_t count_max = type == YYJSON_TYPE_ARR || type == YYJSON_TYPE_OBJ ? gm_json_count(json) : 1;
    struct text_parser text = {.element = element, .rule = rule};
    if (count_max > LANGUAGES_MAX) {
        return gm_dtdl_fail(err, element, "%s: more than %d languages",
                            gm_dtdl_property_name_z(rule->property), LANGUAGES_MAX);
    }
    text.values = gm_dtdl_alloc(parser->arena, count_max, sizeof(*text.values), err);
    text.languages = gm_dtdl_alloc(parser->arena, count_max, sizeof(*text.languages), err);
    if (text.values == NULL || text.languages == NULL) {
        return GM_E_LIMIT;
    }
    size_t i, n;
    yyjson_mut_val *key, *value;
    if (type == YYJSON_TYPE_ARR) {
        yyjson_mut_arr_foreach(json, i, n, value)
        {
            GM_TRY(add_text_item(&text, value, err));
        }
    } else if (type == YYJSON_TYPE_OBJ) {
        yyjson_mut_obj_foreach(json, i, n, key, value)
        {
            GM_TRY(add_text(&text, gm_json_str(key), value, err));
        }
    } else if (type == YYJSON_TYPE_STR) {
        GM_TRY(add_text_item(&text, json, err));
    } else {
        return gm_dtdl_fail(err, element,
                            "%s: expected a string, or an object of strings by "
                            "language such as {\"en\": \"…\"}",
                            gm_dtdl_property_name_z(rule->property));
    }
    member->values = text.values;
    member->count = text.count;
    return GM_OK;
}
