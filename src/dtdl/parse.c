/* JSON to elements: structure only, driven by the metamodel. */
#include <stdlib.h>

#include "dtdl/element.h"

/* Where an element stands, and what may stand there. */
struct place {
    yyjson_mut_val *json;
    const struct gm_dtdl_element *parent; /* NULL: an interface on its own */
    enum gm_dtdl_property role;
    size_t index;
    unsigned classes;
    const struct gm_dtdl_context *context;
    int depth;
};

static gm_rc parse_element(struct gm_dtdl_parser *parser, const struct place *place,
                           struct gm_dtdl_element **out_element, struct gm_err *err);

/* ---- @type ---- */

/* "Property, Telemetry or Command", into `out`. */
static void list_classes(unsigned classes, int dtdl_version, char *out, size_t size)
{
    struct gm_buf buf;
    gm_buf_init(&buf, size - 1);
    int left = 0;
    for (int class = 1; class < GM_DTDL_CLASS_COUNT; class ++) {
        left += (classes >> class & 1) != 0 &&
                gm_dtdl_class_in((enum gm_dtdl_class) class, dtdl_version);
    }
    for (int class = 1; class < GM_DTDL_CLASS_COUNT; class ++) {
        if ((classes >> class & 1) != 0 &&
            gm_dtdl_class_in((enum gm_dtdl_class) class, dtdl_version)) {
            gm_buf_add_z(&buf, gm_dtdl_class_name_z((enum gm_dtdl_class) class));
            left--;
            gm_buf_add_z(&buf, left > 1 ? ", " : left == 1 ? " or " : "");
        }
    }
    size_t n = buf.n < size - 1 ? buf.n : size - 1;
    if (n > 0) {
        memcpy(out, buf.p, n);
    }
    out[n] = '\0';
    gm_buf_deinit(&buf);
}

static gm_rc fail_class(const struct gm_dtdl_element *element, const struct place *place,
                        const char *what_z, struct gm_str type, struct gm_err *err)
{
    char names[160];
    list_classes(place->classes, element->context->dtdl_version, names, sizeof(names));
    return gm_dtdl_fail(err, element, "%s" GM_STR_FMT "%s: expected %s", what_z, GM_STR_ARG(type),
                        type.p != NULL ? "\"" : "", names);
}

/* A type that is no class and no cotype in force: acceptable where the language lets unknown
 * extensions bring it. */
static gm_rc add_foreign_type(struct gm_dtdl_element *element, struct gm_str type,
                              struct gm_err *err)
{
    const struct gm_dtdl_context *context = element->context;
    bool v2 = context->dtdl_version == 2;
    bool accepted = false;
    switch (gm_dtdl_foreign_type_of(type, context->extensions)) {
    case GM_DTDL_FOREIGN_UNKNOWN:
        accepted = v2 || context->unknown;
        break;
    case GM_DTDL_FOREIGN_EXTENSION:
        if (!v2 && !context->unknown) {
            return gm_dtdl_fail(err, element,
                                "@type \"" GM_STR_FMT "\" belongs to an extension; add it to "
                                "@context, such as dtmi:dtdl:extension:quantitativeTypes;1",
                                GM_STR_ARG(type));
        }
        accepted = true;
        break;
    case GM_DTDL_FOREIGN_VERSION:
        return gm_dtdl_fail(err, element,
                            "@type \"" GM_STR_FMT "\" is not in DTDL %d or in this version of the "
                            "extension",
                            GM_STR_ARG(type), context->dtdl_version);
    case GM_DTDL_FOREIGN_TAKEN:
        accepted = context->unknown;
        break;
    case GM_DTDL_FOREIGN_URI:
        accepted = v2;
        break;
    case GM_DTDL_FOREIGN_MALFORMED:
        break;
    }
    if (!accepted) {
        return gm_dtdl_fail(err, element, "unknown @type \"" GM_STR_FMT "\"", GM_STR_ARG(type));
    }
    element->unknown_cotype = true;
    return GM_OK;
}

static gm_rc add_cotype(struct gm_dtdl_element *element, struct gm_str type, struct gm_err *err)
{
    const struct gm_dtdl_context *context = element->context;
    const struct gm_dtdl_cotype *cotype =
        gm_dtdl_cotype_find(type, context->dtdl_version, context->extensions);
    if (cotype == NULL) {
        return add_foreign_type(element, type, err);
    }
    element->cotypes[element->cotype_count++] = cotype;
    return GM_OK;
}

static gm_rc add_type(struct gm_dtdl_element *element, const struct place *place,
                      const yyjson_mut_val *json, struct gm_err *err)
{
    struct gm_str type = gm_json_str(json);
    if (type.p == NULL) {
        return gm_dtdl_fail(err, element, "@type: expected a string, or an array of strings");
    }
    enum gm_dtdl_class class = gm_dtdl_class_of(type, element->context->dtdl_version);
    if (class == GM_DTDL_CLASS_NONE) {
        return add_cotype(element, type, err);
    }
    if ((place->classes >> class & 1) == 0 ||
        !gm_dtdl_class_in(class, element->context->dtdl_version)) {
        return fail_class(element, place, "@type \"", type, err);
    }
    if (element->class != GM_DTDL_CLASS_NONE && element->class != class) {
        return gm_dtdl_fail(err, element, "@type names both %s and %s; choose one",
                            gm_dtdl_class_name_z(element->class), gm_dtdl_class_name_z(class));
    }
    element->class = class;
    return GM_OK;
}

/* The only class that can stand here and may go without @type. */
static enum gm_dtdl_class inferred_class(const struct gm_dtdl_element *element,
                                         const struct place *place)
{
    for (int class = 1; class < GM_DTDL_CLASS_COUNT; class ++) {
        if ((place->classes >> class & 1) != 0 &&
            gm_dtdl_class_inferred((enum gm_dtdl_class) class) &&
            gm_dtdl_class_in((enum gm_dtdl_class) class, element->context->dtdl_version)) {
            return (enum gm_dtdl_class) class;
        }
    }
    return GM_DTDL_CLASS_NONE;
}

static gm_rc parse_types(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                         const struct place *place, struct gm_err *err)
{
    yyjson_mut_val *json = gm_json_member(place->json, GM_STR("@type"));
    if (json == NULL) {
        element->class = inferred_class(element, place);
    } else {
        size_t count = gm_json_type(json) == YYJSON_TYPE_ARR ? gm_json_count(json) : 1;
        element->cotypes = gm_dtdl_alloc(parser->arena, count, sizeof(*element->cotypes), err);
        if (element->cotypes == NULL) {
            return GM_E_LIMIT;
        }
        size_t i, n;
        yyjson_mut_val *item;
        if (gm_json_type(json) != YYJSON_TYPE_ARR) {
            GM_TRY(add_type(element, place, json, err));
        }
        yyjson_mut_arr_foreach(json, i, n, item)
        {
            GM_TRY(add_type(element, place, item, err));
        }
    }
    if (element->class == GM_DTDL_CLASS_NONE) {
        return fail_class(element, place,
                          json == NULL ? "no @type" : "@type names no class of DTDL",
                          (struct gm_str){NULL, 0}, err);
    }
    return GM_OK;
}

/* ---- members ---- */

/* The term of a member that an extension brings: "unit" for "dtmi:dtdl:property:unit;2" and for
 * "dtmi:dtdl:extension:quantitativeTypes:v1:property:unit". */
static struct gm_str extra_term(struct gm_str name, int dtdl_version)
{
    struct gm_str term;
    if (gm_dtdl_term(name, "dtmi:dtdl:property:", dtdl_version, &term)) {
        return term;
    }
    if (gm_str_starts(name, GM_STR("dtmi:dtdl:extension:"))) {
        size_t from = name.n;
        while (name.p[from - 1] != ':') {
            from--;
        }
        return (struct gm_str){name.p + from, name.n - from};
    }
    return name;
}

static bool extra_allowed(const struct gm_dtdl_element *element, struct gm_str name)
{
    for (size_t i = 0; i < element->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = element->cotypes[i];
        if ((cotype->unit_z != NULL && gm_str_is(name, "unit")) ||
            gm_dtdl_word_in(cotype->needed_z, name) || gm_dtdl_word_in(cotype->more_z, name)) {
            return true;
        }
    }
    return false;
}

/* The member of this class with the name nearest to a wrong one. */
static const char *nearest_member_z(enum gm_dtdl_class class, struct gm_str name)
{
    const char *nearest_z = NULL;
    size_t best = 3;
    const struct gm_dtdl_rule *rule;
    for (size_t i = 0; (rule = gm_dtdl_rule_at(i)) != NULL; i++) {
        const char *name_z = gm_dtdl_property_name_z(rule->property);
        if ((rule->classes >> class & 1) != 0) {
            size_t distance = gm_str_distance(name, gm_str_z(name_z), best - 1);
            if (distance < best) {
                best = distance;
                nearest_z = name_z;
            }
        }
    }
    return nearest_z;
}

static gm_rc fail_member(const struct gm_dtdl_element *element, struct gm_str name,
                         struct gm_err *err)
{
    const char *nearest_z = nearest_member_z(element->class, name);
    const char *class_z = gm_dtdl_class_name_z(element->class);
    if (nearest_z != NULL) {
        return gm_dtdl_fail(err, element,
                            "%s has no member \"" GM_STR_FMT "\"; did you mean \"%s\"?", class_z,
                            GM_STR_ARG(name), nearest_z);
    }
    if (gm_str_is(name, "unit")) {
        return gm_dtdl_fail(err, element,
                            "\"unit\" needs a quantity in @type, such as "
                            "[\"%s\", \"Temperature\"]",
                            class_z);
    }
    return gm_dtdl_fail(err, element,
                        "%s has no member \"" GM_STR_FMT "\"; remove it, or add the "
                        "extension that brings it to @context and @type",
                        class_z, GM_STR_ARG(name));
}

static gm_rc fail_twice(const struct gm_dtdl_element *element, struct gm_str term,
                        struct gm_err *err)
{
    return gm_dtdl_fail(err, element, "\"" GM_STR_FMT "\" is there twice, as term and as DTMI",
                        GM_STR_ARG(term));
}

/* An element or a reference. */
static gm_rc parse_object_value(struct gm_dtdl_parser *parser, const struct place *place,
                                const struct gm_dtdl_rule *rule, struct gm_dtdl_value *out_value,
                                struct gm_err *err)
{
    yyjson_mut_val *json = place->json;
    const char *name_z = gm_dtdl_property_name_z(place->role);
    int version = place->context->dtdl_version;
    if (gm_json_type(json) == YYJSON_TYPE_OBJ) {
        if (gm_json_count(json) == 1 && gm_json_member(json, GM_STR("@id")) != NULL) {
            return gm_dtdl_fail(err, place->parent,
                                "%s: write the id as a string, without {\"@id\": …} around it",
                                name_z);
        }
        *out_value = (struct gm_dtdl_value){.type = GM_DTDL_VALUE_ELEMENT, .json = json};
        GM_TRY(parse_element(parser, place, &out_value->element, err));
        int inner = out_value->element->context->dtdl_version;
        if (!rule->older && inner != version) {
            return gm_dtdl_fail(err, out_value->element,
                                "@context: %s of DTDL %d takes no elements of DTDL %d", name_z,
                                version, inner);
        }
        return GM_OK;
    }
    struct gm_str text = gm_json_str(json);
    bool reference = rule->kind != GM_DTDL_KIND_ELEMENT;
    if (text.p == NULL || !reference) {
        char names[160];
        list_classes(place->classes, version, names, sizeof(names));
        return gm_dtdl_fail(err, place->parent, "%s: expected an object of @type %s%s", name_z,
                            names, reference ? ", or a string that names one" : "");
    }
    *out_value = (struct gm_dtdl_value){.type = GM_DTDL_VALUE_STRING, .string = text, .json = json};
    return GM_OK;
}

static gm_rc parse_value(struct gm_dtdl_parser *parser, const struct place *place,
                         const struct gm_dtdl_rule *rule, struct gm_dtdl_value *out_value,
                         struct gm_err *err)
{
    switch (rule->kind) {
    case GM_DTDL_KIND_ELEMENT:
    case GM_DTDL_KIND_SCHEMA:
    case GM_DTDL_KIND_INTERFACE:
        return parse_object_value(parser, place, rule, out_value, err);
    default:
        return gm_dtdl_literal_parse(place->parent, rule, place->json, out_value, err);
    }
}

/* The values of a member whose rule is set; place->json is what stands there. A single value may
 * stand for an array of one. */
static gm_rc parse_values(struct gm_dtdl_parser *parser, const struct place *place,
                          struct gm_dtdl_member *member, struct gm_err *err)
{
    bool array = gm_json_type(place->json) == YYJSON_TYPE_ARR;
    size_t count = array ? gm_json_count(place->json) : 1;
    struct gm_dtdl_value *values = gm_dtdl_alloc(parser->arena, count, sizeof(*values), err);
    if (values == NULL) {
        return GM_E_LIMIT;
    }
    struct place item = *place;
    if (!array) {
        GM_TRY(parse_value(parser, &item, member->rule, &values[0], err));
    } else {
        size_t n;
        yyjson_mut_arr_foreach(place->json, item.index, n, item.json)
        {
            GM_TRY(parse_value(parser, &item, member->rule, &values[item.index], err));
        }
    }
    member->values = values;
    member->count = count;
    return GM_OK;
}

/* What the metamodel does not know of this class. */
static gm_rc parse_other(struct gm_dtdl_element *element, struct gm_str name, yyjson_mut_val *json,
                         struct gm_dtdl_extra *extras, struct gm_err *err)
{
    const struct gm_dtdl_context *context = element->context;
    struct gm_str term = extra_term(name, context->dtdl_version);
    if (!extra_allowed(element, term)) {
        /* Only a cotype that is not known here can bring a member that is not. */
        bool accepted = element->unknown_cotype && (context->dtdl_version == 2 || context->unknown);
        return accepted ? GM_OK : fail_member(element, name, err);
    }
    for (size_t i = 0; i < element->extra_count; i++) { /* a few, as the cotypes allow */
        if (gm_str_eq(extras[i].name, term)) {
            return fail_twice(element, term, err);
        }
    }
    extras[element->extra_count++] = (struct gm_dtdl_extra){term, json};
    return GM_OK;
}

static gm_rc parse_keyword(const struct gm_dtdl_element *element, struct gm_str name,
                           struct gm_err *err)
{
    if (gm_str_is(name, "@context") || gm_str_is(name, "@id") || gm_str_is(name, "@type")) {
        return GM_OK;
    }
    if (element->context->dtdl_version == 2 && !gm_str_is(name, "@graph")) {
        return GM_OK; /* v2 passes over what JSON-LD may mean by it */
    }
    return gm_dtdl_fail(err, element, "\"" GM_STR_FMT "\" has no place here; remove it",
                        GM_STR_ARG(name));
}

static gm_rc parse_members(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                           int depth, struct gm_err *err)
{
    size_t i, count = gm_json_count(element->json);
    struct gm_dtdl_member *members = gm_dtdl_alloc(parser->arena, count, sizeof(*members), err);
    struct gm_dtdl_extra *extras = gm_dtdl_alloc(parser->arena, count, sizeof(*extras), err);
    if (members == NULL || extras == NULL) {
        return GM_E_LIMIT;
    }
    element->members = members;
    element->extras = extras;
    uint64_t seen = 0;
    yyjson_mut_val *key, *json;
    yyjson_mut_obj_foreach(element->json, i, count, key, json)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n > 0 && name.p[0] == '@') {
            GM_TRY(parse_keyword(element, name, err));
            continue;
        }
        if (gm_json_type(json) == YYJSON_TYPE_NULL) {
            return gm_dtdl_fail(err, element, "\"" GM_STR_FMT "\" is null; leave it out",
                                GM_STR_ARG(name));
        }
        enum gm_dtdl_property property = gm_dtdl_property_of(name, element->context->dtdl_version);
        const struct gm_dtdl_rule *rule = gm_dtdl_rule_find(element->class, property);
        if (rule == NULL) {
            GM_TRY(parse_other(element, name, json, extras, err));
            continue;
        }
        if ((seen >> property & 1) != 0) {
            return fail_twice(element, gm_str_z(gm_dtdl_property_name_z(property)), err);
        }
        seen |= (uint64_t)1 << property;
        struct gm_dtdl_member *member = &members[element->member_count];
        member->rule = rule;
        if (rule->kind == GM_DTDL_KIND_TEXT) {
            GM_TRY(gm_dtdl_text_parse(parser, element, json, member, err));
        } else {
            struct place place = {.json = json,
                                  .parent = element,
                                  .role = property,
                                  .classes = rule->value_classes,
                                  .context = element->context,
                                  .depth = depth + 1};
            GM_TRY(parse_values(parser, &place, member, err));
        }
        element->member_count++;
    }
    return GM_OK;
}

/* ---- elements ---- */

static struct gm_str peek(const yyjson_mut_val *json, const char *term_z)
{
    return gm_json_type(json) == YYJSON_TYPE_OBJ ? gm_json_member_str(json, term_z)
                                                 : (struct gm_str){NULL, 0};
}

static void append_interface(struct gm_dtdl_parser *parser, struct gm_dtdl_element *interface)
{
    if (parser->last != NULL) {
        parser->last->next = interface;
    } else {
        parser->first = interface;
    }
    parser->last = interface;
}

static int compare_ids(const void *a, const void *b)
{
    const struct gm_dtdl_element *const *first = a;
    const struct gm_dtdl_element *const *second = b;
    return gm_str_cmp((*first)->id, (*second)->id);
}

/* Adds to the open interface's list; sort_identified() orders it when the interface is complete. */
static gm_rc add_identified(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                            struct gm_err *err)
{
    struct gm_dtdl_element *interface = parser->interface;
    size_t n = interface->identified_count;
    if ((n & (n - 1)) == 0) { /* room is a power of two */
        size_t size = (n == 0 ? 1 : 2 * n) * sizeof(interface->identified[0]);
        struct gm_dtdl_element **grown = gm_arena_realloc(
            parser->arena, interface->identified, n * sizeof(interface->identified[0]), size);
        if (grown == NULL) {
            return gm_fail(err, GM_E_LIMIT, "models: too many elements; split the set");
        }
        interface->identified = grown;
    }
    interface->identified[interface->identified_count++] = element;
    return GM_OK;
}

static gm_rc sort_identified(struct gm_dtdl_element *interface, struct gm_err *err)
{
    struct gm_dtdl_element **elements = interface->identified;
    if (interface->identified_count > 1) {
        qsort(elements, interface->identified_count, sizeof(elements[0]), compare_ids);
    }
    for (size_t i = 0; i < interface->identified_count; i++) {
        if (gm_str_eq(elements[i]->id, i > 0 ? elements[i - 1]->id : interface->id)) {
            return gm_dtdl_fail(err, elements[i],
                                "another element has the same id, " GM_STR_FMT
                                "; give each its own",
                                GM_STR_ARG(elements[i]->id));
        }
    }
    return GM_OK;
}

/* The members of an interface are parsed with it as the open one. */
static gm_rc parse_inside(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element, int depth,
                          struct gm_err *err)
{
    if (element->class != GM_DTDL_CLASS_INTERFACE) {
        if (element->id.p != NULL) {
            GM_TRY(add_identified(parser, element, err));
        }
        return parse_members(parser, element, depth, err);
    }
    struct gm_dtdl_element *outer = parser->interface;
    parser->interface = element;
    append_interface(parser, element);
    GM_TRY(parse_members(parser, element, depth, err));
    GM_TRY(sort_identified(element, err));
    parser->interface = outer;
    return GM_OK;
}

static gm_rc parse_element(struct gm_dtdl_parser *parser, const struct place *place,
                           struct gm_dtdl_element **out_element, struct gm_err *err)
{
    struct gm_dtdl_element *element = gm_dtdl_alloc(parser->arena, 1, sizeof(*element), err);
    if (element == NULL) {
        return GM_E_LIMIT;
    }
    *element = (struct gm_dtdl_element){.json = place->json,
                                        .parent = place->parent,
                                        .role = place->role,
                                        .index = place->index,
                                        .context = place->context,
                                        .id = peek(place->json, "@id"),
                                        .name = peek(place->json, "name")};
    if (gm_json_type(place->json) != YYJSON_TYPE_OBJ) {
        return gm_dtdl_fail(err, element, "expected a JSON object with @id, @type and @context");
    }
    if (place->depth > GM_DTDL_ELEMENT_DEPTH_MAX) {
        return gm_dtdl_fail(err, element, "nested more than %d levels deep",
                            GM_DTDL_ELEMENT_DEPTH_MAX);
    }
    yyjson_mut_val *id = gm_json_member(place->json, GM_STR("@id"));
    if (id != NULL && element->id.p == NULL) {
        return gm_dtdl_fail(err, element, "@id: expected a string");
    }
    GM_TRY(gm_dtdl_context_parse(parser, element, err));
    GM_TRY(parse_types(parser, element, place, err));
    GM_TRY(parse_inside(parser, element, place->depth, err));
    const struct gm_dtdl_value *name = gm_dtdl_value(element, GM_DTDL_PROPERTY_NAME);
    if (name != NULL) {
        element->name = name->string;
    }
    *out_element = element;
    return GM_OK;
}

gm_rc gm_dtdl_parse(struct gm_dtdl_parser *parser, yyjson_mut_val *json, size_t index,
                    struct gm_err *err)
{
    struct place place = {.json = json, .index = index, .classes = GM_DTDL_BIT(INTERFACE)};
    struct gm_dtdl_element *element;
    parser->interface = NULL;
    return parse_element(parser, &place, &element, err);
}
