/* The members of an element: those of its class, those that its types bring, and those that nobody
 * knows. */
#include "dtdl/element.h"

struct reader {
    struct gm_dtdl_parser *parser;
    struct gm_dtdl_element *element;
    int depth;
};

/* A member's values while they become links. */
struct values {
    const struct reader *reader;
    const struct gm_dtdl_rule *rule;   /* NULL: an extra */
    struct gm_dtdl_extra_value *extra; /* NULL: a member of the class */
    struct gm_str name;                /* as errors have it */
    size_t count;                      /* of those that can be used */
};

static const struct gm_str nothing = {NULL, 0};

static void fail(const struct reader *reader, enum gm_dtdl_error_kind kind, struct gm_str property,
                 struct gm_str value)
{
    gm_dtdl_report(reader->parser->errors, &(struct gm_dtdl_report){.kind = kind,
                                                                    .at = reader->element,
                                                                    .primary = reader->element->id,
                                                                    .property = property,
                                                                    .value = value});
}

/* ---- elements ---- */

static void add_link(const struct values *values, struct gm_dtdl_link link)
{
    link.from = values->reader->element;
    link.rule = values->rule;
    link.extra = values->extra;
    *gm_vec_push(&values->reader->parser->links) = link;
}

static struct gm_str near_term(struct gm_str text)
{
    static const char terms_z[] = "boolean date dateTime double duration float integer long string "
                                  "time point multiPoint lineString multiLineString polygon "
                                  "multiPolygon";
    struct gm_str nearest = {NULL, 0}, word;
    size_t best = text.n > 4 ? 4 : 3;
    for (const char *rest_z = terms_z; gm_dtdl_word_next(&rest_z, &word);) {
        size_t distance = gm_str_distance(text, word, best - 1);
        if (distance < best) {
            best = distance;
            nearest = word;
        }
    }
    return nearest;
}

static void fail_reference(const struct values *values, struct gm_str text)
{
    const struct reader *reader = values->reader;
    struct gm_str nearest = near_term(text);
    gm_dtdl_report(
        reader->parser->errors,
        &(struct gm_dtdl_report){.kind = GM_DTDL_E_BAD_DTMI_OR_TERM,
                                 .at = reader->element,
                                 .primary = reader->element->id,
                                 .property = values->name,
                                 .value = text,
                                 .hint = nearest.p == NULL
                                             ? nothing
                                             : gm_dtdl_format(reader->parser,
                                                              "; did you mean \"" GM_STR_FMT "\"?",
                                                              GM_STR_ARG(nearest))});
}

static void read_reference(struct values *values, struct gm_str text)
{
    const struct reader *reader = values->reader;
    struct gm_str id;
    if (gm_dtdl_context_id(reader->parser, reader->element->context, text, &id)) {
        add_link(values, (struct gm_dtdl_link){.written = text, .id = id});
        values->count++;
    } else if (!reader->parser->stopped) {
        fail_reference(values, text);
    }
}

static void read_element(struct values *values, yyjson_mut_val *json, size_t index)
{
    const struct reader *reader = values->reader;
    if (values->rule == NULL) { /* types bring references to standard elements alone */
        fail(reader, GM_DTDL_E_REF_OBJECT_NOT_ALLOWED, values->name, nothing);
        return;
    }
    struct gm_dtdl_place place = {.parent = reader->element,
                                  .rule = values->rule,
                                  .index = index,
                                  .depth = reader->depth + 1};
    struct gm_dtdl_element *element = gm_dtdl_element_parse(reader->parser, &place, json);
    if (element != NULL) {
        add_link(values, (struct gm_dtdl_link){.to = element, .id = element->id});
        values->count++;
    }
}

static void read_elements(struct values *values, yyjson_mut_val *json, bool plural, bool wanted)
{
    const struct reader *reader = values->reader;
    struct gm_dtdl_items items = gm_dtdl_items_of(json);
    size_t index = 0;
    for (yyjson_mut_val *item; (item = gm_dtdl_items_next(&items)) != NULL; index++) {
        if (!plural && values->count > 0) {
            fail(reader, GM_DTDL_E_OBJECT_MULTIPLE_VALUES, values->name, nothing);
            return;
        }
        struct gm_str text = gm_json_str(item);
        if (text.p != NULL) {
            read_reference(values, text);
        } else if (gm_json_type(item) == YYJSON_TYPE_OBJ) {
            read_element(values, item, index);
        } else {
            fail(reader, GM_DTDL_E_REF_NOT_STRING_OR_OBJECT, values->name, nothing);
        }
        if (reader->parser->stopped) {
            return;
        }
    }
    if (wanted && values->count == 0) {
        fail(reader, GM_DTDL_E_OBJECT_COUNT_BELOW_MIN, values->name, nothing);
    }
}

/* ---- members of the class ---- */

static void read_member(struct reader *reader, const struct gm_dtdl_rule *rule,
                        yyjson_mut_val *json)
{
    struct gm_dtdl_element *element = reader->element;
    const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, element->dtdl_version);
    struct gm_str name = gm_str_z(gm_dtdl_property_name_z(rule->property));
    if (rule->kind == GM_DTDL_KIND_ELEMENT) {
        struct values values = {.reader = reader, .rule = rule, .name = name};
        read_elements(&values, json, rule->plural, limits->wanted);
        return;
    }
    struct gm_dtdl_wanted wanted = {
        .property = name,
        .kind = rule->kind,
        .optional = rule->optional,
        .size_max = limits->size_max,
        .value_min = rule->kind == GM_DTDL_KIND_INTEGER ? limits->value_min : INT32_MIN,
        .value_max = rule->kind == GM_DTDL_KIND_INTEGER && limits->value_max != INT32_MAX
                         ? limits->value_max
                         : INT32_MAX,
        .pattern =
            rule->property == GM_DTDL_PROPERTY_NAME ? GM_DTDL_PATTERN_NAME : GM_DTDL_PATTERN_NONE};
    if (rule->kind == GM_DTDL_KIND_TEXT) {
        gm_dtdl_text_parse(reader->parser, element, &wanted, json);
        return;
    }
    struct gm_dtdl_literal literal;
    if (!gm_dtdl_literal_parse(reader->parser, element, &wanted, json, &literal)) {
        return;
    }
    if (rule->property == GM_DTDL_PROPERTY_NAME) {
        element->name = literal.text;
    } else if (rule->property == GM_DTDL_PROPERTY_ENUM_VALUE ||
               rule->property == GM_DTDL_PROPERTY_TARGET) {
        element->literal = literal;
    }
}

/* ---- members that types bring ---- */

static struct gm_dtdl_extra_value *find_value(const struct gm_dtdl_element *element,
                                              const struct gm_dtdl_extra *extra)
{
    struct gm_dtdl_extra_value *value = element->extras;
    while (value != NULL && strcmp(value->extra->id_z, extra->id_z) != 0) {
        value = value->next;
    }
    return value;
}

static void read_extra(struct reader *reader, const struct gm_dtdl_extra *extra,
                       yyjson_mut_val *json)
{
    struct gm_dtdl_element *element = reader->element;
    struct gm_str id = gm_str_z(extra->id_z);
    if (find_value(element, extra) != NULL) {
        fail(reader, GM_DTDL_E_DUPLICATE_PROPERTY_NAME, gm_dtdl_term_of(id), nothing);
        return;
    }
    struct gm_dtdl_extra_value *value = gm_dtdl_alloc(reader->parser, 1, sizeof(*value));
    if (value == NULL) {
        return;
    }
    *value = (struct gm_dtdl_extra_value){.extra = extra, .json = json, .next = element->extras};
    element->extras = value;
    if (extra->kind == GM_DTDL_KIND_ELEMENT) {
        struct values values = {.reader = reader, .extra = value, .name = gm_dtdl_term_of(id)};
        read_elements(&values, json, false, !extra->optional);
        return;
    }
    if (extra->kind == GM_DTDL_KIND_JSON) {
        return;
    }
    struct gm_dtdl_wanted wanted = {.property = id,
                                    .kind = extra->kind,
                                    .optional = extra->optional,
                                    .value_min =
                                        extra->value_min > 0 ? extra->value_min : INT32_MIN,
                                    .value_max = INT32_MAX,
                                    .pattern = extra->pattern};
    (void)gm_dtdl_literal_parse(reader->parser, element, &wanted, json, &value->literal);
}

static const struct gm_dtdl_extra *find_extra(const struct gm_dtdl_element *element,
                                              struct gm_str id)
{
    const struct gm_dtdl_extra *extra = NULL;
    for (size_t i = 0; i < element->cotype_count && extra == NULL; i++) {
        extra = gm_dtdl_cotype_extra(element->cotypes[i], id);
    }
    return extra;
}

/* ---- members that nobody knows ---- */

/* The first type that brings a member of this name. */
static const struct gm_dtdl_cotype *bringer_of(struct gm_str name)
{
    const struct {
        const struct gm_dtdl_cotype *at;
        size_t n;
    } tables[] = {{gm_dtdl_cotypes, gm_dtdl_cotype_count},
                  {gm_dtdl_quantities, gm_dtdl_quantity_count}};
    for (size_t t = 0; t < GM_ARRAY_COUNT(tables); t++) {
        for (size_t i = 0; i < tables[t].n; i++) {
            const struct gm_dtdl_cotype *cotype = &tables[t].at[i];
            for (size_t j = 0; j < cotype->extra_count; j++) {
                struct gm_str term = gm_dtdl_term_of(gm_str_z(cotype->extras[j].id_z));
                if (!cotype->abstract && gm_str_eq(name, term)) {
                    return cotype;
                }
            }
        }
    }
    return NULL;
}

/* The member of the class, or the extra, that has nearly this name. */
static struct gm_str name_hint(const struct reader *reader, struct gm_str name)
{
    struct gm_str nearest = {NULL, 0};
    size_t best = name.n > 5 ? 4 : 3;
    const struct gm_dtdl_rule *rule;
    for (size_t i = 0; (rule = gm_dtdl_rule_at(i)) != NULL; i++) {
        struct gm_str known = gm_str_z(gm_dtdl_property_name_z(rule->property));
        size_t distance = (rule->classes >> reader->element->class & 1) != 0
                              ? gm_str_distance(name, known, best - 1)
                              : best;
        if (distance < best) {
            best = distance;
            nearest = known;
        }
    }
    if (nearest.p != NULL) {
        return gm_dtdl_format(reader->parser, "; did you mean \"" GM_STR_FMT "\"?",
                              GM_STR_ARG(nearest));
    }
    const struct gm_dtdl_cotype *cotype = bringer_of(name);
    return cotype == NULL
               ? nothing
               : gm_dtdl_format(reader->parser,
                                "; a type such as " GM_STR_FMT " brings it, from an extension",
                                GM_STR_ARG(gm_dtdl_term_of(gm_str_z(cotype->id_z))));
}

static void fail_unknown(const struct reader *reader, enum gm_dtdl_error_kind kind,
                         struct gm_str name)
{
    gm_dtdl_report(reader->parser->errors,
                   &(struct gm_dtdl_report){
                       .kind = kind,
                       .at = reader->element,
                       .primary = reader->element->id,
                       .property = name,
                       .type = kind == GM_DTDL_E_INFERRED_TYPE_DOES_NOT_ALLOW
                                   ? gm_str_z(gm_dtdl_class_name_z(reader->element->class))
                                   : nothing,
                       .hint = name_hint(reader, name)});
}

/* v2 leaves it to the types that nobody knows; v3 wants to know the name, too. */
static void read_unknown(const struct reader *reader, struct gm_str name, bool known_id)
{
    const struct gm_dtdl_element *element = reader->element;
    const struct gm_dtdl_context *context = element->context;
    if (context->dtdl_version > 2) {
        if (known_id) {
            if (!context->incomplete) {
                fail_unknown(reader, GM_DTDL_E_PROPERTY_IRRELEVANT_DTMI_OR_TERM, name);
                return;
            }
        } else if (gm_str_starts(name, GM_STR("dtmi:"))) {
            fail_unknown(reader, GM_DTDL_E_PROPERTY_INVALID_DTMI, name);
            return;
        } else if (name.n > 0 && memchr(name.p, ':', name.n) != NULL) {
            fail_unknown(reader, GM_DTDL_E_PROPERTY_NOT_DTMI_NOR_TERM, name);
            return;
        } else if (!context->incomplete) {
            fail_unknown(reader, GM_DTDL_E_PROPERTY_UNDEFINED_TERM, name);
            return;
        }
    }
    if (!element->undefined_cotype) {
        bool typed = gm_json_member(element->json, GM_STR("@type")) != NULL;
        fail_unknown(reader,
                     typed ? GM_DTDL_E_NO_TYPE_THAT_ALLOWS : GM_DTDL_E_INFERRED_TYPE_DOES_NOT_ALLOW,
                     name);
    }
}

/* ---- all of them ---- */

static void read_property(struct reader *reader, struct gm_str name, yyjson_mut_val *json)
{
    struct gm_dtdl_element *element = reader->element;
    enum gm_dtdl_property property = gm_dtdl_property_of(name, element->dtdl_version);
    const struct gm_dtdl_rule *rule = gm_dtdl_rule_find(element->class, property);
    if (rule != NULL) {
        uint64_t bit = (uint64_t)1 << property;
        if ((element->members & bit) != 0) {
            fail(reader, GM_DTDL_E_DUPLICATE_PROPERTY_NAME,
                 gm_str_z(gm_dtdl_property_name_z(property)), nothing);
            return;
        }
        element->members |= bit;
        read_member(reader, rule, json);
        return;
    }
    struct gm_str id;
    bool known_id = gm_dtdl_context_id(reader->parser, element->context, name, &id);
    const struct gm_dtdl_extra *extra = known_id ? find_extra(element, id) : NULL;
    if (extra != NULL) {
        read_extra(reader, extra, json);
    } else {
        read_unknown(reader, name, known_id);
    }
}

static void check_missing_members(const struct reader *reader)
{
    const struct gm_dtdl_element *element = reader->element;
    const struct gm_dtdl_rule *rule;
    for (size_t i = 0; (rule = gm_dtdl_rule_at(i)) != NULL; i++) {
        const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, element->dtdl_version);
        bool needed = !rule->optional || (rule->plural && limits->wanted);
        if ((rule->classes >> element->class & 1) == 0 || !needed ||
            (element->members >> rule->property & 1) != 0) {
            continue;
        }
        fail(reader,
             rule->kind == GM_DTDL_KIND_ELEMENT ? GM_DTDL_E_MISSING_OBJECT_PROPERTY
                                                : GM_DTDL_E_MISSING_LITERAL_PROPERTY,
             gm_str_z(gm_dtdl_property_name_z(rule->property)), nothing);
    }
}

static void check_missing_extras(const struct reader *reader)
{
    const struct gm_dtdl_element *element = reader->element;
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        for (size_t j = 0; j < cotype->extra_count; j++) {
            const struct gm_dtdl_extra *extra = &cotype->extras[j];
            if (extra->optional || find_value(element, extra) != NULL) {
                continue;
            }
            gm_dtdl_report(reader->parser->errors,
                           &(struct gm_dtdl_report){
                               .kind = extra->kind == GM_DTDL_KIND_ELEMENT
                                           ? GM_DTDL_E_MISSING_SUPPLEMENTAL_OBJECT_PROPERTY
                                       : extra->kind == GM_DTDL_KIND_IDENTIFIER
                                           ? GM_DTDL_E_MISSING_SUPPLEMENTAL_IDENTIFIER_PROPERTY
                                           : GM_DTDL_E_MISSING_SUPPLEMENTAL_LITERAL_PROPERTY,
                               .at = element,
                               .primary = element->id,
                               .property = gm_dtdl_term_of(gm_str_z(extra->id_z)),
                               .type = gm_dtdl_term_of(gm_str_z(cotype->id_z))});
        }
    }
}

void gm_dtdl_members_parse(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                           int depth)
{
    struct reader reader = {.parser = parser, .element = element, .depth = depth};
    size_t i, n;
    yyjson_mut_val *key, *json;
    yyjson_mut_obj_foreach(element->json, i, n, key, json)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n > 0 && name.p[0] == '@') {
            continue;
        }
        read_property(&reader, name, json);
        if (parser->stopped) {
            return;
        }
    }
    check_missing_members(&reader);
    check_missing_extras(&reader);
}
