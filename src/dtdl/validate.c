/* What can be said of an interface without looking at others. The limits come from the metamodel's
 * tables. */
#include <stdlib.h>

#include "base/mem.h"
#include "dtdl/dtmi.h"
#include "dtdl/element.h"

static gm_rc validate_element(const struct gm_dtdl_element *element, struct gm_err *err);

/* ---- identifiers ---- */

static gm_rc validate_id(const struct gm_dtdl_element *element, struct gm_err *err)
{
    int version = element->context->dtdl_version;
    bool interface = element->class == GM_DTDL_CLASS_INTERFACE;
    bool needed = interface || element->role == GM_DTDL_PROPERTY_SCHEMAS;
    if (element->id.p == NULL) {
        return needed ? gm_dtdl_fail(err, element, "no @id; give it one like dtmi:example:Thing;1")
                      : GM_OK;
    }
    if (!gm_dtmi_valid(element->id, version)) {
        return gm_dtdl_fail(err, element,
                            "@id \"" GM_STR_FMT "\" is not a DTMI of DTDL %d; write one like "
                            "dtmi:example:Thing;1",
                            GM_STR_ARG(element->id), version);
    }
    if (interface && element->id.n > GM_DTMI_INTERFACE_SIZE_MAX) {
        return gm_dtdl_fail(err, element, "@id has %zu characters; interfaces may have %d",
                            element->id.n, GM_DTMI_INTERFACE_SIZE_MAX);
    }
    if (gm_dtmi_reserved(element->id) ||
        (element->context->extensions[GM_DTDL_EXTENSION_IOT_CENTRAL] > 0 &&
         gm_str_starts(element->id, GM_STR("dtmi:iotcentral:")))) {
        return gm_dtdl_fail(err, element,
                            "@id \"" GM_STR_FMT
                            "\" is in a reserved name space; choose one of your "
                            "own",
                            GM_STR_ARG(element->id));
    }
    return GM_OK;
}

/* ---- members, by their rules ---- */

/* As the language counts: UTF-16 units. The bytes are well-formed UTF-8. */
static size_t utf16_units(struct gm_str s)
{
    size_t units = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        units += (byte & 0xC0) != 0x80; /* the first byte of a character */
        units += byte >= 0xF0;          /* which takes two units */
    }
    return units;
}

static gm_rc validate_value(const struct gm_dtdl_element *element, const struct gm_dtdl_rule *rule,
                            const struct gm_dtdl_value *value, struct gm_err *err)
{
    const char *name_z = gm_dtdl_property_name_z(rule->property);
    const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, element->context->dtdl_version);
    if (value->type == GM_DTDL_VALUE_ELEMENT) {
        /* An interface in place stands for itself: it is checked as one of the parser's list. */
        return value->element->class == GM_DTDL_CLASS_INTERFACE
                   ? GM_OK
                   : validate_element(value->element, err);
    }
    if (value->type == GM_DTDL_VALUE_STRING && limits->size_max > 0 &&
        value->string.n > limits->size_max && utf16_units(value->string) > limits->size_max) {
        return gm_dtdl_fail(err, element, "%s has %zu characters; DTDL %d allows %u", name_z,
                            utf16_units(value->string), element->context->dtdl_version,
                            limits->size_max);
    }
    if (rule->kind == GM_DTDL_KIND_INTEGER &&
        (value->integer < limits->value_min || value->integer > limits->value_max)) {
        return gm_dtdl_fail(err, element, "%s is %lld; DTDL %d allows %lld to %lld", name_z,
                            (long long)value->integer, element->context->dtdl_version,
                            (long long)limits->value_min, (long long)limits->value_max);
    }
    return GM_OK;
}

static gm_rc validate_counts(const struct gm_dtdl_element *element, struct gm_err *err)
{
    int version = element->context->dtdl_version;
    const struct gm_dtdl_rule *rule;
    for (size_t i = 0; (rule = gm_dtdl_rule_at(i)) != NULL; i++) {
        const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(rule, version);
        if ((rule->classes >> element->class & 1) == 0 ||
            (limits->count_min == 0 && limits->count_max == UINT32_MAX)) {
            continue;
        }
        const char *name_z = gm_dtdl_property_name_z(rule->property);
        size_t count = gm_dtdl_values(element, rule->property).n;
        if (count == 0 && limits->count_min > 0) {
            return gm_dtdl_fail(err, element, "no \"%s\"; %s needs it", name_z,
                                gm_dtdl_class_name_z(element->class));
        }
        if (count > limits->count_max) {
            return gm_dtdl_fail(err, element, "%zu values in \"%s\"; DTDL %d allows %u", count,
                                name_z, version, limits->count_max);
        }
    }
    return GM_OK;
}

static gm_rc validate_members(const struct gm_dtdl_element *element, struct gm_err *err)
{
    GM_TRY(validate_counts(element, err));
    for (size_t i = 0; i < element->member_count; i++) {
        const struct gm_dtdl_member *member = &element->members[i];
        for (size_t j = 0; j < member->count; j++) {
            GM_TRY(validate_value(element, member->rule, &member->values[j], err));
        }
    }
    const struct gm_dtdl_value *name = gm_dtdl_value(element, GM_DTDL_PROPERTY_NAME);
    if (name != NULL && !gm_dtdl_name_valid(name->string)) {
        return gm_dtdl_fail(err, element,
                            "name \"" GM_STR_FMT "\": use letters, digits and underscores, a "
                            "letter first, no underscore last",
                            GM_STR_ARG(name->string));
    }
    return GM_OK;
}

/* ---- uniqueness ---- */

static int compare_names(const void *a, const void *b)
{
    const struct gm_dtdl_element *const *first = a;
    const struct gm_dtdl_element *const *second = b;
    return gm_str_cmp((*first)->name, (*second)->name);
}

static int compare_enum_values(const void *a, const void *b)
{
    const struct gm_dtdl_element *const *first = a;
    const struct gm_dtdl_element *const *second = b;
    const struct gm_dtdl_value *x = gm_dtdl_value(*first, GM_DTDL_PROPERTY_ENUM_VALUE);
    const struct gm_dtdl_value *y = gm_dtdl_value(*second, GM_DTDL_PROPERTY_ENUM_VALUE);
    if (x->type == GM_DTDL_VALUE_INTEGER && y->type == GM_DTDL_VALUE_INTEGER) {
        return (x->integer > y->integer) - (x->integer < y->integer);
    }
    return gm_str_cmp(x->string, y->string);
}

/* Sorts the elements of a member and looks for neighbours that are equal. */
static gm_rc validate_unique(const struct gm_dtdl_element *element, enum gm_dtdl_property property,
                             int (*compare)(const void *, const void *), const char *what_z,
                             struct gm_err *err)
{
    struct gm_dtdl_values values = gm_dtdl_values(element, property);
    if (values.n < 2) {
        return GM_OK;
    }
    /* An interface has at most GM_MODEL_SIZE_MAX bytes: that bounds the count. */
    const struct gm_dtdl_element **sorted = gm_alloc_array(values.n, sizeof(sorted[0]));
    for (size_t i = 0; i < values.n; i++) {
        sorted[i] = values.at[i].element;
    }
    qsort(sorted, values.n, sizeof(sorted[0]), compare);
    gm_rc rc = GM_OK;
    for (size_t i = 1; i < values.n && rc == GM_OK; i++) {
        if (compare(&sorted[i - 1], &sorted[i]) == 0) {
            rc = gm_dtdl_fail(err, sorted[i], "another of the %s has the same %s; rename one",
                              gm_dtdl_property_name_z(property), what_z);
        }
    }
    gm_free(sorted);
    return rc;
}

static gm_rc validate_enum(const struct gm_dtdl_element *element, struct gm_err *err)
{
    struct gm_str schema = gm_dtdl_value(element, GM_DTDL_PROPERTY_VALUE_SCHEMA)->string;
    bool strings = gm_str_is(schema, "string");
    struct gm_dtdl_values values = gm_dtdl_values(element, GM_DTDL_PROPERTY_ENUM_VALUES);
    for (size_t i = 0; i < values.n; i++) {
        const struct gm_dtdl_element *enum_value = values.at[i].element;
        const struct gm_dtdl_value *value = gm_dtdl_value(enum_value, GM_DTDL_PROPERTY_ENUM_VALUE);
        if ((value->type == GM_DTDL_VALUE_STRING) != strings) {
            return gm_dtdl_fail(err, enum_value,
                                "enumValue is no %s, as the enum's valueSchema demands",
                                strings ? "string" : "integer");
        }
        if (!strings && (value->integer < INT32_MIN || value->integer > INT32_MAX)) {
            return gm_dtdl_fail(err, enum_value,
                                "enumValue %lld does not fit into an integer of "
                                "32 bits",
                                (long long)value->integer);
        }
    }
    GM_TRY(validate_unique(element, GM_DTDL_PROPERTY_ENUM_VALUES, compare_names, "name", err));
    return validate_unique(element, GM_DTDL_PROPERTY_ENUM_VALUES, compare_enum_values, "enumValue",
                           err);
}

/* ---- cotypes ---- */

static const struct gm_dtdl_extra *extra_find(const struct gm_dtdl_element *element,
                                              struct gm_str name)
{
    for (size_t i = 0; i < element->extra_count; i++) {
        if (gm_str_eq(element->extras[i].name, name)) {
            return &element->extras[i];
        }
    }
    return NULL;
}

/* The short form of a unit: "degreeCelsius" for "dtmi:standard:unit:degreeCelsius;2". */
static struct gm_str unit_term(struct gm_str unit)
{
    struct gm_str term, version;
    if (gm_dtdl_term(unit, "dtmi:standard:unit:", 2, &term)) {
        return term;
    }
    struct gm_str prefix = GM_STR("dtmi:dtdl:extension:quantitativeTypes:v1:unit:");
    if (gm_str_starts(unit, prefix)) {
        (void)gm_str_cut((struct gm_str){unit.p + prefix.n, unit.n - prefix.n}, ';', &term,
                         &version);
        return term;
    }
    return unit;
}

static gm_rc validate_unit(const struct gm_dtdl_element *element,
                           const struct gm_dtdl_cotype *cotype, struct gm_err *err)
{
    const char *units_z = NULL;
    const char *more_z = NULL;
    bool known = gm_dtdl_units(gm_str_z(cotype->unit_z), &units_z, &more_z);
    GM_ASSERT(known);
    const char *example_z = *units_z != '\0' ? units_z : more_z;
    struct gm_str example;
    (void)gm_dtdl_word_next(&example_z, &example);
    const struct gm_dtdl_extra *extra = extra_find(element, GM_STR("unit"));
    if (extra == NULL) {
        return gm_dtdl_fail(err, element, "a %s needs \"unit\", such as " GM_STR_FMT,
                            cotype->name_z, GM_STR_ARG(example));
    }
    struct gm_str unit = unit_term(gm_json_str(extra->json));
    bool fits = gm_dtdl_word_in(units_z, unit) ||
                (cotype->extension != GM_DTDL_EXTENSION_NONE && gm_dtdl_word_in(more_z, unit));
    if (!fits) {
        return gm_dtdl_fail(err, element,
                            "unit \"" GM_STR_FMT
                            "\" is no %s, as %s demands; it has, for example, " GM_STR_FMT,
                            GM_STR_ARG(unit), cotype->unit_z, cotype->name_z, GM_STR_ARG(example));
    }
    return GM_OK;
}

static bool has_cotype(const struct gm_dtdl_element *element, const char *name_z)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        if (strcmp(element->cotypes[i]->name_z, name_z) == 0) {
            return true;
        }
    }
    return false;
}

static gm_rc validate_cotypes(const struct gm_dtdl_element *element, struct gm_err *err)
{
    const struct gm_dtdl_cotype *quantity = NULL;
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        if ((cotype->classes >> element->class & 1) == 0) {
            return gm_dtdl_fail(err, element, "@type %s cannot be added to a %s", cotype->name_z,
                                gm_dtdl_class_name_z(element->class));
        }
        if (cotype->with_z != NULL && !has_cotype(element, cotype->with_z)) {
            return gm_dtdl_fail(err, element, "@type %s needs @type %s beside it", cotype->name_z,
                                cotype->with_z);
        }
        const char *needed_z = cotype->needed_z;
        struct gm_str needed;
        while (gm_dtdl_word_next(&needed_z, &needed)) {
            if (extra_find(element, needed) == NULL) {
                return gm_dtdl_fail(err, element, "@type %s needs the member \"" GM_STR_FMT "\"",
                                    cotype->name_z, GM_STR_ARG(needed));
            }
        }
        if (cotype->unit_z != NULL) {
            if (quantity != NULL && quantity != cotype) {
                return gm_dtdl_fail(err, element, "@type names both %s and %s; choose one",
                                    quantity->name_z, cotype->name_z);
            }
            quantity = cotype;
            GM_TRY(validate_unit(element, cotype, err));
        }
    }
    return GM_OK;
}

static gm_rc validate_element(const struct gm_dtdl_element *element, struct gm_err *err)
{
    GM_TRY(validate_id(element, err));
    GM_TRY(validate_members(element, err));
    GM_TRY(validate_cotypes(element, err));
    switch (element->class) {
    case GM_DTDL_CLASS_INTERFACE:
        return validate_unique(element, GM_DTDL_PROPERTY_CONTENTS, compare_names, "name", err);
    case GM_DTDL_CLASS_RELATIONSHIP:
        return validate_unique(element, GM_DTDL_PROPERTY_PROPERTIES, compare_names, "name", err);
    case GM_DTDL_CLASS_OBJECT:
        return validate_unique(element, GM_DTDL_PROPERTY_FIELDS, compare_names, "name", err);
    case GM_DTDL_CLASS_ENUM:
        return validate_enum(element, err);
    default:
        return GM_OK;
    }
}

gm_rc gm_dtdl_validate(const struct gm_dtdl_element *interface, struct gm_err *err)
{
    return validate_element(interface, err);
}
