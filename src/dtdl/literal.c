/* Values of members that are no elements: strings, numbers, durations, identifiers, and the objects
 * of "@value" and "@type" that JSON-LD has for them. */
#include <math.h>

#include "base/num.h"
#include "dtdl/dtmi.h"
#include "dtdl/element.h"
#include "dtdl/temporal.h"

/* The kinds of literals differ in their words and tests alone. */
enum word { COUNT_BELOW_MIN, MULTIPLE, WRONG, NO_VALUE, WRONG_TYPE, WRONG_VALUE, WORD_COUNT };
static const struct {
    const char *types_z;
    enum gm_dtdl_error_kind errors[WORD_COUNT];
} kinds[] = {
    [GM_DTDL_KIND_STRING] = {"xsd:string http://www.w3.org/2001/XMLSchema#string",
                             {GM_DTDL_E_STRING_COUNT_BELOW_MIN, GM_DTDL_E_STRING_MULTIPLE_VALUES,
                              GM_DTDL_E_STRING_NOT_STRING, GM_DTDL_E_STRING_OBJECT_NO_VALUE,
                              GM_DTDL_E_STRING_TYPE_NOT_STRING, GM_DTDL_E_STRING_VALUE_NOT_STRING}},
    [GM_DTDL_KIND_BOOLEAN] = {"xsd:boolean http://www.w3.org/2001/XMLSchema#boolean",
                              {GM_DTDL_E_BOOLEAN_COUNT_BELOW_MIN, GM_DTDL_E_BOOLEAN_MULTIPLE_VALUES,
                               GM_DTDL_E_BOOLEAN_NOT_BOOLEAN, GM_DTDL_E_BOOLEAN_OBJECT_NO_VALUE,
                               GM_DTDL_E_BOOLEAN_TYPE_NOT_BOOLEAN,
                               GM_DTDL_E_BOOLEAN_VALUE_NOT_BOOLEAN}},
    [GM_DTDL_KIND_INTEGER] = {"xsd:integer http://www.w3.org/2001/XMLSchema#integer",
                              {GM_DTDL_E_INTEGER_COUNT_BELOW_MIN, GM_DTDL_E_INTEGER_MULTIPLE_VALUES,
                               GM_DTDL_E_INTEGER_NOT_INTEGER, GM_DTDL_E_INTEGER_OBJECT_NO_VALUE,
                               GM_DTDL_E_INTEGER_TYPE_NOT_INTEGER,
                               GM_DTDL_E_INTEGER_VALUE_NOT_INTEGER}},
    [GM_DTDL_KIND_DURATION] = {"xsd:duration http://www.w3.org/2001/XMLSchema#duration",
                               {GM_DTDL_E_DURATION_COUNT_BELOW_MIN,
                                GM_DTDL_E_DURATION_MULTIPLE_VALUES, GM_DTDL_E_DURATION_NOT_STRING,
                                GM_DTDL_E_DURATION_OBJECT_NO_VALUE,
                                GM_DTDL_E_DURATION_TYPE_NOT_DURATION,
                                GM_DTDL_E_DURATION_VALUE_NOT_STRING}},
    [GM_DTDL_KIND_LITERAL] = {"",
                              {GM_DTDL_E_LITERAL_COUNT_BELOW_MIN, GM_DTDL_E_LITERAL_MULTIPLE_VALUES,
                               GM_DTDL_E_LITERAL_NOT_VALID, GM_DTDL_E_LITERAL_OBJECT_NO_VALUE,
                               GM_DTDL_E_LITERAL_NOT_VALID, GM_DTDL_E_LITERAL_NOT_VALID}},
    [GM_DTDL_KIND_IDENTIFIER] = {"",
                                 {GM_DTDL_E_IDENTIFIER_COUNT_BELOW_MIN,
                                  GM_DTDL_E_IDENTIFIER_MULTIPLE_VALUES,
                                  GM_DTDL_E_IDENTIFIER_NOT_STRING, GM_DTDL_E_IDENTIFIER_NOT_STRING,
                                  GM_DTDL_E_IDENTIFIER_NOT_STRING,
                                  GM_DTDL_E_IDENTIFIER_NOT_STRING}},
};

struct reader {
    struct gm_dtdl_parser *parser;
    const struct gm_dtdl_element *element;
    const struct gm_dtdl_wanted *wanted;
};

static bool fail(const struct reader *reader, enum gm_dtdl_error_kind kind, struct gm_str value)
{
    gm_dtdl_report(reader->parser->errors,
                   &(struct gm_dtdl_report){.kind = kind,
                                            .at = reader->element,
                                            .primary = reader->element->id,
                                            .property = reader->wanted->property,
                                            .value = value});
    return false;
}

static bool fail_word(const struct reader *reader, enum word word)
{
    return fail(reader, kinds[reader->wanted->kind].errors[word], (struct gm_str){NULL, 0});
}

/* ---- what a JSON value is ---- */

static bool is_real(const yyjson_mut_val *json, double *out)
{
    if (gm_json_type(json) != YYJSON_TYPE_NUM) {
        return false;
    }
    switch (json->tag & YYJSON_SUBTYPE_MASK) {
    case YYJSON_SUBTYPE_UINT:
        *out = (double)json->uni.u64;
        return true;
    case YYJSON_SUBTYPE_SINT:
        *out = (double)json->uni.i64;
        return true;
    default:
        *out = json->uni.f64;
        return true;
    }
}

/* As `kind`, into *out. Numbers without a fraction are integers, however they are written. */
static bool take(const yyjson_mut_val *json, enum gm_dtdl_kind kind, struct gm_dtdl_literal *out)
{
    struct gm_str text = gm_json_str(json);
    double real;
    switch (kind) {
    case GM_DTDL_KIND_BOOLEAN:
        *out = (struct gm_dtdl_literal){.type = GM_DTDL_TRUTH,
                                        .truth = (json->tag & YYJSON_SUBTYPE_MASK) ==
                                                 YYJSON_SUBTYPE_TRUE};
        return gm_json_type(json) == YYJSON_TYPE_BOOL;
    case GM_DTDL_KIND_INTEGER:
        if (!is_real(json, &real) || !(real >= INT32_MIN && real <= INT32_MAX) ||
            real != floor(real)) {
            return false;
        }
        *out = (struct gm_dtdl_literal){.type = GM_DTDL_INTEGER, .integer = (int32_t)real};
        return true;
    case GM_DTDL_KIND_LITERAL:
        if (text.p == NULL) {
            if (take(json, GM_DTDL_KIND_INTEGER, out)) {
                return true;
            }
            *out = (struct gm_dtdl_literal){.type = GM_DTDL_REAL};
            return is_real(json, &out->real) || take(json, GM_DTDL_KIND_BOOLEAN, out);
        }
        break;
    default:
        break;
    }
    *out = (struct gm_dtdl_literal){.type = GM_DTDL_TEXT, .text = text};
    return text.p != NULL;
}

/* ---- objects of "@value" ---- */

static void check_object(const struct reader *reader, const struct gm_dtdl_node *node)
{
    const struct gm_str nothing = {NULL, 0};
    if (node->context != NULL) {
        (void)fail(reader, GM_DTDL_E_VALUE_OBJECT_CONTEXT, nothing);
    }
    if (node->id != NULL) {
        (void)fail(reader, GM_DTDL_E_VALUE_OBJECT_ID, nothing);
    }
    if (node->graph != NULL) {
        (void)fail(reader, GM_DTDL_E_VALUE_OBJECT_GRAPH, nothing);
    }
    bool strict = reader->element->context->dtdl_version > 2;
    if (strict && node->language != NULL) {
        (void)fail(reader, GM_DTDL_E_VALUE_OBJECT_LANGUAGE, nothing);
    }
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(node->json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n == 0 || name.p[0] != '@') {
            (void)fail(reader, GM_DTDL_E_VALUE_OBJECT_INVALID_PROP, name);
        } else if (strict && value != node->context && value != node->id && value != node->type &&
                   value != node->graph && value != node->value && value != node->language) {
            (void)fail(reader, GM_DTDL_E_VALUE_OBJECT_KEYWORD, name);
        }
    }
}

/* The "@type" that says what kind "@value" is. COUNT: none does; false: they cannot be used. */
static bool declared_kind(const struct reader *reader, const struct gm_dtdl_node *node,
                          enum gm_dtdl_kind *out_kind)
{
    *out_kind = reader->wanted->kind;
    if (node->type == NULL) {
        return true;
    }
    struct gm_dtdl_items items = gm_dtdl_items_of(node->type);
    struct gm_str type = gm_json_str(gm_dtdl_items_next(&items));
    if (items.left > 0 || type.p == NULL) {
        return fail(reader, GM_DTDL_E_LITERAL_TYPE_NOT_SINGULAR, (struct gm_str){NULL, 0});
    }
    static const enum gm_dtdl_kind order[] = {GM_DTDL_KIND_STRING, GM_DTDL_KIND_INTEGER,
                                              GM_DTDL_KIND_BOOLEAN};
    if (reader->wanted->kind != GM_DTDL_KIND_LITERAL) {
        return gm_dtdl_word_in(kinds[*out_kind].types_z, type) || fail_word(reader, WRONG_TYPE);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(order); i++) {
        if (gm_dtdl_word_in(kinds[order[i]].types_z, type)) {
            *out_kind = order[i];
            return true;
        }
    }
    return fail(reader, GM_DTDL_E_LITERAL_NOT_VALID, (struct gm_str){NULL, 0});
}

static bool read_object(const struct reader *reader, yyjson_mut_val *json,
                        struct gm_dtdl_literal *out)
{
    struct gm_dtdl_node node;
    enum gm_dtdl_kind kind;
    gm_dtdl_node_init(&node, json);
    check_object(reader, &node);
    if (node.value == NULL) {
        return fail_word(reader, NO_VALUE);
    }
    if (!declared_kind(reader, &node, &kind)) {
        return false;
    }
    if (!take(node.value, kind, out)) {
        return fail(reader, kinds[kind].errors[WRONG_VALUE], (struct gm_str){NULL, 0});
    }
    return true;
}

/* ---- limits ---- */

size_t gm_dtdl_utf16_units(struct gm_str s)
{
    size_t units = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        units += (byte & 0xC0) != 0x80; /* the first byte of a character */
        units += byte >= 0xF0;          /* which takes two units */
    }
    return units;
}

static void check_text(const struct reader *reader, struct gm_str text)
{
    const struct gm_dtdl_wanted *wanted = reader->wanted;
    struct gm_dtdl_report report = {.at = reader->element,
                                    .primary = reader->element->id,
                                    .property = wanted->property,
                                    .value = text};
    if (wanted->size_max > 0 && text.n > wanted->size_max &&
        gm_dtdl_utf16_units(text) > wanted->size_max) {
        report.kind = GM_DTDL_E_STRING_TOO_LONG;
        report.count = wanted->size_max;
        gm_dtdl_report(reader->parser->errors, &report);
    }
    if (!gm_dtdl_pattern_matches(wanted->pattern, text)) {
        report.kind = GM_DTDL_E_STRING_INVALID;
        report.restriction = gm_str_z(gm_dtdl_pattern_words_z(wanted->pattern));
        gm_dtdl_report(reader->parser->errors, &report);
    }
}

static void check_range(const struct reader *reader, int32_t value)
{
    int32_t min = reader->wanted->value_min;
    int32_t max = reader->wanted->value_max;
    struct gm_dtdl_parser *parser = reader->parser;
    struct gm_dtdl_report report = {.at = reader->element,
                                    .primary = reader->element->id,
                                    .property = reader->wanted->property};
    if (value >= min && value <= max) {
        return;
    }
    report.value = gm_dtdl_format(parser, "%d", value);
    bool both = min != INT32_MIN && max != INT32_MAX;
    if (both && min == max) {
        report.kind = GM_DTDL_E_VALUE_NOT_EXACT;
        report.restriction = gm_dtdl_format(parser, "%d", min);
    } else if (both) {
        report.kind = value < min ? GM_DTDL_E_VALUE_BELOW_RANGE : GM_DTDL_E_VALUE_ABOVE_RANGE;
        report.restriction = gm_dtdl_format(parser, "[%d, %d]", min, max);
    } else {
        report.kind = value < min ? GM_DTDL_E_VALUE_BELOW_MIN : GM_DTDL_E_VALUE_ABOVE_MAX;
        report.restriction = gm_dtdl_format(parser, "%d", value < min ? min : max);
    }
    gm_dtdl_report(parser->errors, &report);
}

/* ---- identifiers ---- */

static bool read_identifier(const struct reader *reader, const yyjson_mut_val *json,
                            struct gm_dtdl_literal *out)
{
    struct gm_str text = gm_json_str(json);
    struct gm_str id;
    if (text.p == NULL) {
        return fail_word(reader, WRONG);
    }
    if (!gm_dtdl_context_id(reader->parser, reader->element->context, text, &id)) {
        return fail(reader, GM_DTDL_E_IDENTIFIER_NOT_DTMI, text);
    }
    if (reader->wanted->size_max > 0 && id.n > reader->wanted->size_max) {
        return fail(reader, GM_DTDL_E_IDENTIFIER_TOO_LONG, id);
    }
    *out = (struct gm_dtdl_literal){.type = GM_DTDL_TEXT, .text = id};
    return true;
}

/* ---- members ---- */

static bool read_one(const struct reader *reader, yyjson_mut_val *json, struct gm_dtdl_literal *out)
{
    enum gm_dtdl_kind kind = reader->wanted->kind;
    if (kind == GM_DTDL_KIND_IDENTIFIER) {
        return read_identifier(reader, json, out);
    }
    if (gm_json_type(json) == YYJSON_TYPE_OBJ) {
        if (!read_object(reader, json, out)) {
            return false;
        }
    } else if (!take(json, kind, out)) {
        return fail_word(reader, WRONG);
    }
    if (kind == GM_DTDL_KIND_STRING) {
        check_text(reader, out->text);
    } else if (kind == GM_DTDL_KIND_INTEGER) {
        check_range(reader, out->integer);
    } else if (kind == GM_DTDL_KIND_DURATION && !gm_dtdl_duration_valid(out->text)) {
        return fail(reader, GM_DTDL_E_DURATION_INVALID, out->text);
    }
    return true;
}

bool gm_dtdl_literal_parse(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                           const struct gm_dtdl_wanted *wanted, yyjson_mut_val *json,
                           struct gm_dtdl_literal *out_literal)
{
    struct reader reader = {parser, element, wanted};
    struct gm_dtdl_items items = gm_dtdl_items_of(json);
    *out_literal = (struct gm_dtdl_literal){.type = GM_DTDL_NO_LITERAL};
    if (items.left > 1) {
        return fail_word(&reader, MULTIPLE);
    }
    if (items.left == 0) {
        return wanted->optional ? false : fail_word(&reader, COUNT_BELOW_MIN);
    }
    return read_one(&reader, gm_dtdl_items_next(&items), out_literal);
}

bool gm_dtdl_literal_peek(yyjson_mut_val *json, struct gm_dtdl_literal *out_literal)
{
    struct gm_dtdl_items items = gm_dtdl_items_of(json);
    yyjson_mut_val *only = items.left == 1 ? gm_dtdl_items_next(&items) : NULL;
    if (gm_json_type(only) == YYJSON_TYPE_OBJ) {
        only = gm_json_member(only, GM_STR("@value"));
    }
    return only != NULL && take(only, GM_DTDL_KIND_LITERAL, out_literal);
}
