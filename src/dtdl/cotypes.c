/* What the types beside a class demand: of the members of their elements, of the elements around
 * them, and of those beside them. */
#include "dtdl/element.h"

bool gm_dtdl_element_is(const struct gm_dtdl_element *element, struct gm_str type_id)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        if (gm_dtdl_cotype_is(element->cotypes[i], type_id)) {
            return true;
        }
    }
    return gm_dtdl_class_has_type(element->class, type_id);
}

static bool is_one_of(const struct gm_dtdl_element *element, const char *types_z)
{
    struct gm_str type;
    while (gm_dtdl_word_next(&types_z, &type)) {
        if (gm_dtdl_element_is(element, type)) {
            return true;
        }
    }
    return false;
}

static bool has(const struct gm_dtdl_element *element, const char *cotype_z)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        if (strcmp(element->cotypes[i]->id_z, cotype_z) == 0) {
            return true;
        }
    }
    return false;
}

const struct gm_dtdl_extra_value *gm_dtdl_extra_find(const struct gm_dtdl_element *element,
                                                     struct gm_str id)
{
    const struct gm_dtdl_extra_value *value = element->extras;
    while (value != NULL && !gm_str_is(id, value->extra->id_z)) {
        value = value->next;
    }
    return value;
}

static struct gm_str term_of(const char *id_z)
{
    return gm_dtdl_term_of(gm_str_z(id_z));
}

/* ---- the element's own members ---- */

static void check_value(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                        const struct gm_dtdl_constraint *constraint,
                        const struct gm_dtdl_element *value)
{
    struct gm_dtdl_report report = {.at = element,
                                    .primary = element->id,
                                    .secondary = value->id,
                                    .property =
                                        gm_str_z(gm_dtdl_property_name_z(constraint->property))};
    if (constraint->types_z != NULL && !is_one_of(value, constraint->types_z)) {
        report.kind = GM_DTDL_E_NOT_REQUIRED_TYPE;
        report.type = gm_str_z(constraint->words_z);
        gm_dtdl_report(parser->errors, &report);
    }
    if (constraint->values_z != NULL && !gm_dtdl_word_in(constraint->values_z, value->id)) {
        report.kind = GM_DTDL_E_NOT_REQUIRED_VALUE;
        report.restriction = gm_str_z(constraint->words_z);
        gm_dtdl_report(parser->errors, &report);
    }
}

static void check_members(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                          const struct gm_dtdl_cotype *cotype)
{
    for (; cotype != NULL; cotype = cotype->parent_z != NULL
                                        ? gm_dtdl_cotype_find(gm_str_z(cotype->parent_z))
                                        : NULL) {
        for (size_t i = 0; i < cotype->constraint_count; i++) {
            const struct gm_dtdl_constraint *constraint = &cotype->constraints[i];
            const struct gm_dtdl_edge *edge = NULL;
            while (!constraint->inverse &&
                   (edge = gm_dtdl_edge_next(element, edge, constraint->property)) != NULL) {
                check_value(parser, element, constraint, edge->to);
            }
        }
    }
}

static void check_extras(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element)
{
    for (const struct gm_dtdl_extra_value *value = element->extras; value != NULL;
         value = value->next) {
        const char *type_z = value->extra->type_z;
        if (value->element != NULL && type_z != NULL &&
            !gm_dtdl_element_is(value->element, gm_str_z(type_z))) {
            gm_dtdl_report(parser->errors,
                           &(struct gm_dtdl_report){.kind = GM_DTDL_E_NOT_REQUIRED_TYPE,
                                                    .at = element,
                                                    .primary = element->id,
                                                    .secondary = value->element->id,
                                                    .property = gm_str_z(value->extra->id_z),
                                                    .type = term_of(type_z)});
        }
    }
}

static void check_disallowed(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                             const struct gm_dtdl_cotype *cotype)
{
    struct gm_str id;
    for (const char *rest_z = cotype->without_z; gm_dtdl_word_next(&rest_z, &id);) {
        for (size_t i = 0; i < element->cotype_count; i++) {
            if (gm_str_is(id, element->cotypes[i]->id_z)) {
                gm_dtdl_report(parser->errors,
                               &(struct gm_dtdl_report){.kind = GM_DTDL_E_DISALLOWED_COCOTYPE,
                                                        .at = element,
                                                        .primary = element->id,
                                                        .type = gm_dtdl_term_of(id),
                                                        .restriction = term_of(cotype->id_z)});
            }
        }
    }
}

/* ---- the elements around and beside it ---- */

static void check_beside(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                         const struct gm_dtdl_cotype *cotype, const struct gm_dtdl_edge *back,
                         const struct gm_dtdl_constraint *constraint)
{
    const struct gm_dtdl_edge *edge = NULL;
    bool beside = constraint->beside_z == NULL;
    struct gm_dtdl_report report = {.kind = GM_DTDL_E_NON_UNIQUE_ADJUNCT_TYPE,
                                    .at = element,
                                    .primary = element->id,
                                    .property = gm_str_z(gm_dtdl_property_name_z(back->property)),
                                    .type = term_of(cotype->id_z)};
    while ((edge = gm_dtdl_edge_next(back->to, edge, back->property)) != NULL) {
        const struct gm_dtdl_element *other = edge->to;
        beside = beside || (other != element && has(other, constraint->beside_z));
        /* Of two, the one whose id comes first says so. */
        if (other != element && constraint->alone_z != NULL && has(other, constraint->alone_z) &&
            gm_str_cmp(element->id, other->id) < 0) {
            report.secondary = other->id;
            gm_dtdl_report(parser->errors, &report);
        }
    }
    if (!beside) {
        report.kind = GM_DTDL_E_MISSING_SIBLING_TYPE;
        report.secondary = (struct gm_str){NULL, 0};
        report.restriction = term_of(constraint->beside_z);
        gm_dtdl_report(parser->errors, &report);
    }
}

static void check_parents(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                          const struct gm_dtdl_cotype *cotype)
{
    for (size_t i = 0; i < cotype->constraint_count; i++) {
        const struct gm_dtdl_constraint *constraint = &cotype->constraints[i];
        for (const struct gm_dtdl_edge *back = constraint->inverse ? element->parents : NULL;
             back != NULL; back = back->next) {
            if (back->property != constraint->property) {
                continue;
            }
            if (constraint->types_z != NULL && !is_one_of(back->to, constraint->types_z)) {
                gm_dtdl_report(parser->errors,
                               &(struct gm_dtdl_report){
                                   .kind = GM_DTDL_E_PARENT_MISSING_COTYPE,
                                   .at = element,
                                   .primary = element->id,
                                   .property = gm_str_z(gm_dtdl_property_name_z(back->property)),
                                   .type = term_of(cotype->id_z),
                                   .restriction = gm_str_z(constraint->words_z)});
            }
            check_beside(parser, element, cotype, back, constraint);
        }
    }
}

/* Values that no two elements of one member may share. */
static void check_unique(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                         struct gm_map *references)
{
    for (const struct gm_dtdl_extra_value *value = element->extras; value != NULL;
         value = value->next) {
        struct gm_str shown = value->literal.type == GM_DTDL_INTEGER
                                  ? gm_dtdl_format(parser, "%d", value->literal.integer)
                                  : value->literal.text;
        for (const struct gm_dtdl_edge *back = value->extra->unique ? element->parents : NULL;
             back != NULL; back = back->next) {
            struct gm_str key =
                gm_dtdl_format(parser, "%p %d %s " GM_STR_FMT, (void *)back->to,
                               (int)back->property, value->extra->id_z, GM_STR_ARG(shown));
            if (!gm_map_set(references, key, 1)) {
                gm_dtdl_report(parser->errors,
                               &(struct gm_dtdl_report){
                                   .kind = GM_DTDL_E_NON_UNIQUE_PROPERTY_VALUE,
                                   .at = back->to,
                                   .primary = back->to->id,
                                   .property = gm_str_z(gm_dtdl_property_name_z(back->property)),
                                   .aux_property = gm_str_z(value->extra->id_z),
                                   .value = shown});
            }
        }
    }
}

/* ---- siblings that an extra names ---- */

struct sibling_use {
    struct gm_dtdl_parser *parser;
    const struct gm_dtdl_element *element;
    const struct gm_dtdl_edge *back; /* to the element that holds both */
    struct gm_str key;               /* the name it gives */
    struct gm_dtdl_element *sibling;
};

/* The element of that name in the same member. */
static struct gm_dtdl_element *find_sibling(struct gm_dtdl_parser *parser,
                                            const struct gm_dtdl_edge *back, struct gm_str name)
{
    if (back->property == GM_DTDL_PROPERTY_CONTENTS) {
        return gm_dtdl_content_named(parser, back->to, name);
    }
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(back->to, edge, back->property)) != NULL) {
        if (gm_str_eq(edge->to->name, name)) {
            return edge->to;
        }
    }
    return NULL;
}

static struct gm_str text_of(const struct gm_dtdl_element *element, const char *extra_z)
{
    const struct gm_dtdl_extra_value *value = gm_dtdl_extra_find(element, gm_str_z(extra_z));
    return value != NULL ? value->literal.text : (struct gm_str){NULL, 0};
}

static struct gm_dtdl_report sibling_report(const struct sibling_use *use,
                                            const struct gm_dtdl_sibling *rule,
                                            enum gm_dtdl_error_kind kind)
{
    return (struct gm_dtdl_report){.kind = kind,
                                   .at = use->element,
                                   .primary = use->element->id,
                                   .secondary = use->sibling->id,
                                   .property = term_of(rule->keyref_z),
                                   .aux_property = GM_STR("name"),
                                   .value = use->key};
}

static void check_once(const struct sibling_use *use, const struct gm_dtdl_sibling *rule,
                       struct gm_map *references)
{
    struct gm_str path = text_of(use->element, rule->once_z);
    struct gm_str key = gm_dtdl_format(use->parser, GM_STR_FMT " %d " GM_STR_FMT " " GM_STR_FMT,
                                       GM_STR_ARG(use->back->to->id), (int)use->back->property,
                                       GM_STR_ARG(use->key), GM_STR_ARG(path));
    if (gm_map_set(references, key, 1)) {
        return;
    }
    struct gm_str keyref_term = term_of(rule->keyref_z);
    struct gm_str once_term = term_of(rule->once_z);
    gm_dtdl_report(
        use->parser->errors,
        &(struct gm_dtdl_report){
            .kind = GM_DTDL_E_MULTIPLE_REFERENCE,
            .at = use->back->to,
            .primary = use->back->to->id,
            .secondary = gm_str_z(rule->once_z),
            .property = gm_str_z(gm_dtdl_property_name_z(use->back->property)),
            .aux_property = gm_dtdl_format(use->parser, "'" GM_STR_FMT "' and '" GM_STR_FMT "'",
                                           GM_STR_ARG(keyref_term), GM_STR_ARG(once_term)),
            .value = gm_dtdl_format(use->parser, "'" GM_STR_FMT "' and '" GM_STR_FMT "'",
                                    GM_STR_ARG(use->key), GM_STR_ARG(gm_dtdl_term_of(path)))});
}

static bool brings_extra(const struct gm_dtdl_element *element, struct gm_str id)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        for (size_t j = 0; j < cotype->extra_count; j++) {
            if (gm_str_is(id, cotype->extras[j].id_z)) {
                return true;
            }
        }
    }
    return false;
}

/* The sibling must have a type that brings the extra which the path names. */
static void check_path(const struct sibling_use *use, const struct gm_dtdl_sibling *rule)
{
    struct gm_str path = text_of(use->element, rule->path_z);
    if (path.p == NULL || brings_extra(use->sibling, path)) {
        return;
    }
    struct gm_str term = gm_dtdl_term_of(path);
    enum gm_dtdl_property property = gm_dtdl_property_of(term, use->sibling->dtdl_version);
    bool material = gm_dtdl_rule_find(use->sibling->class, property) != NULL;
    struct gm_dtdl_report report =
        sibling_report(use, rule,
                       material ? GM_DTDL_E_MATCHING_PROPERTY_NOT_SUPPLEMENTAL
                                : GM_DTDL_E_NO_MATCHING_SUPPLEMENTAL_PROPERTY);
    report.restriction = term;
    report.transformation = term_of(rule->path_z);
    report.type = gm_str_z(gm_dtdl_class_name_z(use->sibling->class));
    gm_dtdl_report(use->parser->errors, &report);
}

static void check_sibling(const struct sibling_use *use, const struct gm_dtdl_sibling *rule,
                          struct gm_map *references)
{
    if (rule->once_z != NULL) {
        check_once(use, rule, references);
    }
    if (rule->types_z != NULL && !is_one_of(use->sibling, rule->types_z)) {
        struct gm_dtdl_report report =
            sibling_report(use, rule, GM_DTDL_E_NOT_SIBLING_REQUIRED_TYPE);
        report.type = gm_str_z(rule->words_z);
        gm_dtdl_report(use->parser->errors, &report);
    }
    if (rule->refused_z != NULL && gm_dtdl_element_is(use->sibling, gm_str_z(rule->refused_z))) {
        struct gm_dtdl_report report = sibling_report(use, rule, GM_DTDL_E_DISALLOWED_TYPE);
        report.type = term_of(rule->refused_z);
        gm_dtdl_report(use->parser->errors, &report);
    }
    if (rule->path_z != NULL) {
        check_path(use, rule);
    }
}

static void check_siblings(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                           const struct gm_dtdl_cotype *cotype, struct gm_map *references)
{
    for (size_t i = 0; i < cotype->sibling_count; i++) {
        const struct gm_dtdl_sibling *rule = &cotype->siblings[i];
        struct sibling_use use = {
            .parser = parser, .element = element, .key = text_of(element, rule->keyref_z)};
        for (use.back = element->parents; use.key.p != NULL && use.back != NULL;
             use.back = use.back->next) {
            use.sibling = find_sibling(parser, use.back, use.key);
            if (use.sibling != NULL) {
                check_sibling(&use, rule, references);
            }
        }
    }
}

/* ---- values that a sibling settles ---- */

/* What overrides a unit takes its schema from where the units of that family are defined. */
static void check_settled(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                          const struct gm_dtdl_constraint *constraint,
                          const struct gm_dtdl_element *sibling)
{
    struct gm_str path = text_of(element, constraint->sibling_parent_of_z);
    const struct gm_dtdl_element *value = gm_dtdl_edge_to(element, constraint->property);
    for (size_t i = 0; i < sibling->cotype_count && value != NULL && path.p != NULL; i++) {
        const struct gm_dtdl_cotype *cotype = sibling->cotypes[i];
        for (size_t j = 0; j < cotype->extra_count; j++) {
            const struct gm_dtdl_extra *extra = &cotype->extras[j];
            if (gm_str_is(path, extra->id_z) && extra->child_of_z != NULL &&
                !gm_str_is(value->id, extra->child_of_z)) {
                gm_dtdl_report(
                    parser->errors,
                    &(struct gm_dtdl_report){
                        .kind = GM_DTDL_E_SIBLING_PROPERTY_MISMATCH,
                        .at = element,
                        .primary = element->id,
                        .property = gm_str_z(gm_dtdl_property_name_z(constraint->property)),
                        .value = gm_dtdl_term_of(value->id),
                        .restriction = term_of(extra->child_of_z)});
            }
        }
    }
}

void gm_dtdl_check_siblings_of_value(struct gm_dtdl_parser *parser,
                                     const struct gm_dtdl_element *element)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        for (size_t j = 0; j < cotype->constraint_count; j++) {
            const struct gm_dtdl_constraint *constraint = &cotype->constraints[j];
            if (constraint->sibling_parent_of_z == NULL) {
                continue;
            }
            struct gm_str key = text_of(element, constraint->sibling_keyref_z);
            for (const struct gm_dtdl_edge *back = element->parents; back != NULL && key.p != NULL;
                 back = back->next) {
                const struct gm_dtdl_element *sibling = find_sibling(parser, back, key);
                if (sibling != NULL) {
                    check_settled(parser, element, constraint, sibling);
                }
            }
        }
    }
}

void gm_dtdl_check_cotypes(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                           struct gm_map *references)
{
    check_extras(parser, element);
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        check_members(parser, element, cotype);
        check_disallowed(parser, element, cotype);
        check_parents(parser, element, cotype);
        check_siblings(parser, element, cotype, references);
    }
    check_unique(parser, element, references);
}
