/* What is demanded of all that lies below an element: how deep schemas are nested, what must not be
 * among it, how much it is. */
#include "dtdl/element.h"

#define BIT(property) ((uint64_t)1 << GM_DTDL_PROPERTY_##property)

static const uint64_t schema_members = BIT(SCHEMA) | BIT(ELEMENT_SCHEMA);
static const uint64_t counted_members = BIT(CONTENTS) | BIT(FIELDS) | BIT(ENUM_VALUES) |
                                        BIT(REQUEST) | BIT(RESPONSE) | BIT(PROPERTIES) |
                                        BIT(SCHEMA) | BIT(ELEMENT_SCHEMA) | BIT(MAP_VALUE);
static const uint64_t complex_classes =
    GM_DTDL_BIT(ARRAY) | GM_DTDL_BIT(ENUM) | GM_DTDL_BIT(MAP) | GM_DTDL_BIT(OBJECT);

static bool in(uint64_t members, enum gm_dtdl_property property)
{
    return (members >> property & 1) != 0;
}

/* ---- depth of schemas ---- */

/* A walk down from one schema. Whatever goes too deep is the end of it; the elements on the way
 * back up tell whether one of them was met twice, which is what made it so deep. */
struct dive {
    struct gm_dtdl_parser *parser;
    const struct gm_dtdl_element *too_deep;
    const struct gm_dtdl_element *trail[GM_DTDL_SCHEMA_DEPTH_MAX * 3 + 8];
    size_t trail_count;
};

static bool on_trail(const struct dive *dive, const struct gm_dtdl_element *element)
{
    for (size_t i = 0; i < dive->trail_count; i++) {
        if (dive->trail[i] == element) {
            return true;
        }
    }
    return false;
}

static void leave_trail(struct dive *dive, const struct gm_dtdl_element *element)
{
    if (dive->trail_count < GM_ARRAY_COUNT(dive->trail)) {
        dive->trail[dive->trail_count++] = element;
    }
}

/* Levels of schemas below an element; what leads to a circle is endless. */
static int measure(struct gm_dtdl_element *element, int depth)
{
    enum { ENDLESS = 1000 }; /* far above what is allowed; also bounds the recursion */
    if (element->schema_visit == GM_DTDL_VISIT_DONE) {
        return element->schema_height;
    }
    if (element->schema_visit == GM_DTDL_VISIT_OPEN || depth > ENDLESS) {
        return ENDLESS;
    }
    element->schema_visit = GM_DTDL_VISIT_OPEN;
    int height = 0;
    for (struct gm_dtdl_edge *edge = element->edges; edge != NULL; edge = edge->next) {
        int below = measure(edge->to, depth + 1) + in(schema_members, edge->property);
        height = below > height ? below : height;
    }
    element->schema_visit = GM_DTDL_VISIT_DONE;
    element->schema_height = height < ENDLESS ? height : ENDLESS;
    return element->schema_height;
}

/* Goes down where it is too deep. False: the end was met. */
static bool descend(struct dive *dive, struct gm_dtdl_element *element, int depth)
{
    for (struct gm_dtdl_edge *edge = element->edges; edge != NULL; edge = edge->next) {
        if (in(schema_members, edge->property) && depth == GM_DTDL_SCHEMA_DEPTH_MAX) {
            dive->too_deep = element;
            leave_trail(dive, element);
            return false;
        }
    }
    for (struct gm_dtdl_edge *edge = element->edges; edge != NULL; edge = edge->next) {
        int below = depth + in(schema_members, edge->property);
        if (below + edge->to->schema_height <= GM_DTDL_SCHEMA_DEPTH_MAX ||
            descend(dive, edge->to, below)) {
            continue;
        }
        if (on_trail(dive, element)) {
            gm_dtdl_report(dive->parser->errors,
                           &(struct gm_dtdl_report){.kind = GM_DTDL_E_RECURSIVE_STRUCTURE_WIDE,
                                                    .at = element,
                                                    .primary = element->id});
            dive->trail_count = 0;
            dive->too_deep = NULL;
            return true;
        }
        leave_trail(dive, element);
        return false;
    }
    return true;
}

static void check_depth(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element)
{
    struct dive dive = {.parser = parser};
    if (measure(element, 0) <= GM_DTDL_SCHEMA_DEPTH_MAX) {
        return;
    }
    if (descend(&dive, element, 0) || dive.too_deep == NULL) {
        return;
    }
    gm_dtdl_report(parser->errors, &(struct gm_dtdl_report){.kind = GM_DTDL_E_EXCESSIVE_DEPTH_WIDE,
                                                            .at = element,
                                                            .primary = element->id,
                                                            .secondary = dive.too_deep->id,
                                                            .count = GM_DTDL_SCHEMA_DEPTH_MAX});
}

/* ---- what must not be there ---- */

static void fail_excluded(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                          const struct gm_dtdl_element *excluded, struct gm_str members,
                          struct gm_str cure)
{
    gm_dtdl_report(parser->errors,
                   &(struct gm_dtdl_report){.kind = GM_DTDL_E_EXCLUDED_TYPE,
                                            .at = element,
                                            .primary = element->id,
                                            .secondary = excluded->id,
                                            .property = members,
                                            .type = gm_str_z(gm_dtdl_class_name_z(excluded->class)),
                                            .hint = cure});
}

/* The first array that a member `schema` holds, below the element; schemas are not deep here, or
 * it has been said. */
static struct gm_dtdl_element *find_array(struct gm_dtdl_element *element, int depth)
{
    enum { DEPTH_MAX = 4 * GM_DTDL_SCHEMA_DEPTH_MAX };
    if (element->array_visit != GM_DTDL_VISIT_NEW || depth > DEPTH_MAX) {
        return element->array;
    }
    element->array_visit = GM_DTDL_VISIT_DONE;
    for (struct gm_dtdl_edge *edge = element->edges; edge != NULL && element->array == NULL;
         edge = edge->next) {
        element->array =
            edge->property == GM_DTDL_PROPERTY_SCHEMA && edge->to->class == GM_DTDL_CLASS_ARRAY
                ? edge->to
                : find_array(edge->to, depth + 1);
    }
    return element->array;
}

/* Components are one level deep, with what their interfaces inherit. */
static void check_component(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *component)
{
    const struct gm_dtdl_element *interface = gm_dtdl_edge_to(component, GM_DTDL_PROPERTY_SCHEMA);
    const struct gm_dtdl_edge *edge = NULL;
    if (interface == NULL) {
        return;
    }
    while ((edge = gm_dtdl_edge_next(interface, edge, GM_DTDL_PROPERTY_CONTENTS)) != NULL) {
        if (edge->to->class == GM_DTDL_CLASS_COMPONENT) {
            fail_excluded(parser, component, edge->to, GM_STR("'schema' or 'contents'"),
                          GM_STR("components are one level deep, use a relationship"));
            return;
        }
    }
}

/* ---- how much it is ---- */

static int64_t count_values(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                            int depth)
{
    enum { DEPTH_MAX = 1000 }; /* far above what is allowed; keeps the recursion bounded */
    if (element->contents_visit == GM_DTDL_VISIT_OPEN) {
        gm_dtdl_report(parser->errors,
                       &(struct gm_dtdl_report){
                           .kind = GM_DTDL_E_RECURSIVE_STRUCTURE_NARROW,
                           .at = element,
                           .primary = element->id,
                           .property = GM_STR("'contents' or 'fields' or 'enumValues' or "
                                              "'request' or 'response' or 'properties' or "
                                              "'schema' or 'elementSchema' or 'mapValue'")});
        return 0;
    }
    if (element->contents_visit == GM_DTDL_VISIT_DONE || depth > DEPTH_MAX) {
        return element->contents_count;
    }
    element->contents_visit = GM_DTDL_VISIT_OPEN;
    int64_t count = 0;
    for (struct gm_dtdl_edge *edge = element->edges; edge != NULL; edge = edge->next) {
        if (in(counted_members, edge->property)) {
            count += count_values(parser, edge->to, depth + 1) + 1;
        }
        if (count > INT32_MAX) {
            count = INT32_MAX; /* enough to be too many */
        }
    }
    element->contents_visit = GM_DTDL_VISIT_DONE;
    element->contents_count = count;
    return count;
}

static void check_count(struct gm_dtdl_parser *parser, struct gm_dtdl_element *interface)
{
    int64_t count = count_values(parser, interface, 0);
    if (count > GM_DTDL_CONTENTS_MAX) {
        gm_dtdl_report(parser->errors, &(struct gm_dtdl_report){.kind = GM_DTDL_E_EXCESSIVE_COUNT,
                                                                .at = interface,
                                                                .primary = interface->id,
                                                                .property = GM_STR("contents"),
                                                                .observed = count,
                                                                .count = GM_DTDL_CONTENTS_MAX});
    }
}

void gm_dtdl_check_descent(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element)
{
    if ((complex_classes >> element->class & 1) != 0) {
        check_depth(parser, element);
    } else if (element->class == GM_DTDL_CLASS_COMPONENT) {
        check_component(parser, element);
    } else if (element->class == GM_DTDL_CLASS_PROPERTY && element->dtdl_version == 2) {
        const struct gm_dtdl_element *array = find_array(element, 0);
        if (array != NULL) {
            fail_excluded(parser, element, array, GM_STR("'schema'"),
                          GM_STR("DTDL 2 has no arrays in properties, use a map, or "
                                 "dtmi:dtdl:context;3"));
        }
    } else if (element->class == GM_DTDL_CLASS_INTERFACE && element->dtdl_version > 2) {
        check_count(parser, element);
    }
}
