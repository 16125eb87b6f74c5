/* Checks of the whole graph, element by element. */
#include <stdio.h>
#include <stdlib.h>

#include "dtdl/element.h"

/* ---- values of a member, together ---- */

static void check_count_max(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                            const struct gm_dtdl_rule *rule)
{
    const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, element->dtdl_version);
    if (!rule->plural || limits->count_max == 0) {
        return;
    }
    size_t count = 0;
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, rule->property)) != NULL) {
        count++;
    }
    if (count > limits->count_max) {
        gm_dtdl_report(
            parser->errors,
            &(struct gm_dtdl_report){.kind = GM_DTDL_E_OBJECT_COUNT_ABOVE_MAX,
                                     .at = element,
                                     .primary = element->id,
                                     .property = gm_str_z(gm_dtdl_property_name_z(rule->property)),
                                     .observed = (int64_t)count,
                                     .count = limits->count_max});
    }
}

/* What must not be equal, as text: 7 and "7" are two things. */
static struct gm_str unique_text(struct gm_dtdl_parser *parser,
                                 const struct gm_dtdl_element *element, struct gm_str member,
                                 struct gm_str *out_shown)
{
    const struct gm_dtdl_literal *literal = &element->literal;
    if (gm_str_is(member, "name")) {
        *out_shown = element->name;
        return element->name;
    }
    if (literal->type == GM_DTDL_TEXT) {
        *out_shown = literal->text;
        return gm_dtdl_format(parser, "\"" GM_STR_FMT, GM_STR_ARG(literal->text));
    }
    if (literal->type == GM_DTDL_TRUTH) {
        *out_shown = literal->truth ? GM_STR("true") : GM_STR("false");
    } else {
        *out_shown = literal->type == GM_DTDL_INTEGER
                         ? gm_dtdl_format(parser, "%d", literal->integer)
                         : gm_dtdl_format(parser, "%.17g", literal->real);
    }
    return *out_shown;
}

static void check_unique(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                         const struct gm_dtdl_rule *rule, struct gm_str member)
{
    const struct gm_dtdl_edge *edge = gm_dtdl_edge_next(element, NULL, rule->property);
    if (edge == NULL || gm_dtdl_edge_next(element, edge, rule->property) == NULL) {
        return;
    }
    struct gm_map *seen = gm_map_new();
    edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, rule->property)) != NULL) {
        struct gm_str shown;
        struct gm_str text = unique_text(parser, edge->to, member, &shown);
        if (text.p != NULL && !gm_map_set(seen, text, 1)) {
            gm_dtdl_report(parser->errors,
                           &(struct gm_dtdl_report){
                               .kind = GM_DTDL_E_NON_UNIQUE_PROPERTY_VALUE,
                               .at = element,
                               .primary = element->id,
                               .property = gm_str_z(gm_dtdl_property_name_z(rule->property)),
                               .aux_property = member,
                               .value = shown});
        }
    }
    gm_map_free(seen);
}

/* "a b c" → "a or b or c" */
static struct gm_str either(struct gm_dtdl_parser *parser, const char *list_z)
{
    struct gm_str words = {"", 0}, word;
    while (gm_dtdl_word_next(&list_z, &word)) {
        words = gm_dtdl_format(parser, GM_STR_FMT "%s" GM_STR_FMT, GM_STR_ARG(words),
                               words.n > 0 ? " or " : "", GM_STR_ARG(word));
    }
    return words;
}

/* Members that take one of a few standard elements. */
static void check_terms(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                        const struct gm_dtdl_rule *rule)
{
    const struct gm_dtdl_element *value = gm_dtdl_edge_to(element, rule->property);
    if (value == NULL ||
        (value->standard && gm_dtdl_word_in(rule->terms_z, gm_dtdl_term_of(value->id)))) {
        return;
    }
    gm_dtdl_report(
        parser->errors,
        &(struct gm_dtdl_report){.kind = GM_DTDL_E_INCORRECT_PROPERTY_VALUE,
                                 .at = element,
                                 .primary = element->id,
                                 .property = gm_str_z(gm_dtdl_property_name_z(rule->property)),
                                 .value = gm_dtdl_term_of(value->id),
                                 .restriction = either(parser, rule->terms_z)});
}

/* ---- enums ---- */

static void check_enum(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element)
{
    const struct gm_dtdl_element *schema = gm_dtdl_edge_to(element, GM_DTDL_PROPERTY_VALUE_SCHEMA);
    bool text = schema != NULL && schema->class == GM_DTDL_CLASS_STRING;
    if (!text && (schema == NULL || schema->class != GM_DTDL_CLASS_INTEGER)) {
        return; /* which has been said */
    }
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(element, edge, GM_DTDL_PROPERTY_ENUM_VALUES)) != NULL) {
        const struct gm_dtdl_element *value = edge->to;
        struct gm_str shown;
        if (value->literal.type == (text ? GM_DTDL_TEXT : GM_DTDL_INTEGER)) {
            continue;
        }
        (void)unique_text(parser, value, GM_STR("enumValue"), &shown);
        struct gm_str hint = text ? GM_STR("a string")
                             : value->literal.type == GM_DTDL_TEXT
                                 ? GM_STR("an integer but a string")
                                 : GM_STR("an integer of 32 bits");
        gm_dtdl_report(parser->errors,
                       &(struct gm_dtdl_report){.kind = GM_DTDL_E_NON_CONFORMANT_DATATYPE,
                                                .at = value,
                                                .primary = value->id,
                                                .secondary = element->id,
                                                .property = GM_STR("enumValue"),
                                                .aux_property = GM_STR("valueSchema"),
                                                .type = text ? GM_STR("string") : GM_STR("integer"),
                                                .value = shown,
                                                .hint = hint});
    }
}

/* ---- elements ---- */

static void check_element(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element)
{
    const struct gm_dtdl_rule *rule;
    for (size_t i = 0; (rule = gm_dtdl_rule_at(i)) != NULL; i++) {
        if ((rule->classes >> element->class & 1) == 0 || rule->kind != GM_DTDL_KIND_ELEMENT) {
            continue;
        }
        check_count_max(parser, element, rule);
        struct gm_str member;
        for (const char *rest_z = rule->unique_z; gm_dtdl_word_next(&rest_z, &member);) {
            check_unique(parser, element, rule, member);
        }
        if (rule->terms_z != NULL) {
            check_terms(parser, element, rule);
        }
    }
    if (element->class == GM_DTDL_CLASS_ENUM) {
        check_enum(parser, element);
    }
    gm_dtdl_check_descent(parser, element);
}

void gm_dtdl_check(struct gm_dtdl_parser *parser)
{
    /* What is inherited is needed by all that follows. */
    for (size_t i = 0; i < parser->elements.n && !parser->full; i++) {
        if (parser->elements.at[i]->class == GM_DTDL_CLASS_INTERFACE) {
            gm_dtdl_inherit(parser, parser->elements.at[i]);
        }
    }
    struct gm_map *references = gm_map_new();
    for (size_t i = 0; i < parser->elements.n && !parser->full; i++) {
        struct gm_dtdl_element *element = parser->elements.at[i];
        if (!element->trusted && !element->standard) {
            check_element(parser, element);
            gm_dtdl_check_cotypes(parser, element, references);
        }
    }
    gm_map_free(references);
    for (size_t i = 0; i < parser->elements.n && !parser->full; i++) {
        if (!parser->elements.at[i]->trusted) {
            gm_dtdl_check_siblings_of_value(parser, parser->elements.at[i]);
        }
    }
}
