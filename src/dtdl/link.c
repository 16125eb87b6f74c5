/* References become edges: what each id refers to, and whether it may. */
#include "dtdl/element.h"

static const struct gm_str nothing = {NULL, 0};

/* The member as errors have it. */
static struct gm_str property_of(const struct gm_dtdl_link *link)
{
    return gm_str_z(link->rule != NULL ? gm_dtdl_property_name_z(link->rule->property)
                                       : link->extra->extra->id_z);
}

static struct gm_dtdl_report report_of(const struct gm_dtdl_link *link,
                                       enum gm_dtdl_error_kind kind)
{
    return (struct gm_dtdl_report){.kind = kind,
                                   .at = link->from,
                                   .primary = link->from->id,
                                   .secondary = link->id,
                                   .property = property_of(link)};
}

/* ---- finding ---- */

static struct gm_str near_id(const struct gm_dtdl_parser *parser, struct gm_str id)
{
    struct gm_str nearest = {NULL, 0};
    size_t best = id.n / 10 + 2; /* a wrong version or a slip or two, in long ids a few more */
    for (size_t i = 0; i < parser->elements.n && best > 1; i++) {
        const struct gm_dtdl_element *element = parser->elements.at[i];
        if (element->standard) {
            continue;
        }
        size_t distance = gm_str_distance(id, element->id, best - 1);
        if (distance > 0 && distance < best) {
            best = distance;
            nearest = element->id;
        }
    }
    return nearest;
}

static struct gm_str class_words_of(const struct gm_dtdl_link *link)
{
    enum gm_dtdl_class class = gm_dtdl_limits_of(link->rule, link->from->dtdl_version)->class;
    return gm_str_z(gm_dtdl_class_name_z(class));
}

static struct gm_str not_words(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link)
{
    return link->written.p == NULL
               ? nothing
               : gm_dtdl_format(parser, ", not \"" GM_STR_FMT "\"", GM_STR_ARG(link->written));
}

static struct gm_str missing_hint(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link)
{
    bool interface =
        link->rule != NULL &&
        gm_dtdl_limits_of(link->rule, link->from->dtdl_version)->class == GM_DTDL_CLASS_INTERFACE;
    const char *cure_z = interface ? "add it to the models" : "define it in the same interface";
    /* Looking for it takes a while: not for errors that are only counted. */
    struct gm_str nearest = gm_model_errors_total(parser->errors) < GM_MODEL_ERRORS_MAX
                                ? near_id(parser, link->id)
                                : nothing;
    return nearest.p == NULL ? gm_str_z(cure_z)
                             : gm_dtdl_format(parser, "%s, or did you mean \"" GM_STR_FMT "\"?",
                                              cure_z, GM_STR_ARG(nearest));
}

static void fail_missing(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link)
{
    struct gm_dtdl_report report = report_of(link, GM_DTDL_E_UNDEFINED_IDENTIFIER);
    if (!gm_str_starts(link->written, GM_STR("dtmi:")) && link->rule != NULL) {
        report.kind = GM_DTDL_E_BAD_TYPE; /* a term, but of something else */
        report.restriction = class_words_of(link);
        report.hint = not_words(parser, link);
    } else if (gm_dtdl_reserved(link->id)) {
        report.kind = GM_DTDL_E_UNDEFINED_RESERVED_ID;
    } else {
        report.hint = missing_hint(parser, link);
    }
    gm_dtdl_report(parser->errors, &report);
}

/* What each link leads to. Standard elements that are made on the way bring links of their own. */
static void find_all(struct gm_dtdl_parser *parser, struct gm_dtdl_element **targets[],
                     size_t *room)
{
    for (size_t i = 0; i < parser->links.n && !parser->full; i++) {
        if (i == *room) {
            *room = *room == 0 ? 256 : 2 * *room;
            *targets = gm_realloc(*targets, *room * sizeof(**targets));
        }
        struct gm_dtdl_link link = parser->links.at[i];
        struct gm_str id = link.id;
        struct gm_dtdl_element *to = link.to;
        if (to == NULL) {
            to = gm_map_get_ptr(parser->by_id, id);
        }
        if (to == NULL) {
            to = gm_dtdl_standard(parser, &id);
        }
        if (to == NULL && !parser->full) {
            fail_missing(parser, &link);
        }
        (*targets)[i] = to;
    }
}

/* ---- whether it may ---- */

static bool check_partition(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                            const struct gm_dtdl_element *to)
{
    const struct gm_dtdl_element *from = link->from;
    const struct gm_dtdl_element *source =
        from->class == GM_DTDL_CLASS_INTERFACE || from->partition == NULL ? from : from->partition;
    if (to->class == GM_DTDL_CLASS_INTERFACE || to->partition == NULL || to->partition == source) {
        return true;
    }
    struct gm_dtdl_report report = report_of(link, GM_DTDL_E_CROSS_PARTITION_REFERENCE);
    report.value = to->partition->id;
    gm_dtdl_report(parser->errors, &report);
    return false;
}

static bool check_class(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                        const struct gm_dtdl_element *to)
{
    int version = link->from->dtdl_version;
    const struct gm_dtdl_limits *limits = gm_dtdl_limits_of(link->rule, version);
    if ((gm_dtdl_class_concrete(limits->class, version) >> to->class & 1) != 0) {
        return true;
    }
    struct gm_dtdl_report report = report_of(link, GM_DTDL_E_BAD_TYPE);
    report.value = gm_str_z(gm_dtdl_class_name_z(to->class));
    report.restriction = class_words_of(link);
    report.hint =
        to->class == GM_DTDL_CLASS_INTERFACE && link->rule->property == GM_DTDL_PROPERTY_SCHEMA
            ? GM_STR(", not an Interface: make this a Component, or a Relationship to it")
            : not_words(parser, link);
    gm_dtdl_report(parser->errors, &report);
    return false;
}

static void check_version(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                          const struct gm_dtdl_element *to)
{
    int version = link->from->dtdl_version;
    if (to->dtdl_version == version || (link->rule->older && to->dtdl_version < version)) {
        return;
    }
    struct gm_dtdl_report report = report_of(link, GM_DTDL_E_DISALLOWED_VERSION_REFERENCE);
    report.value = gm_dtdl_format(parser, "%d", to->dtdl_version);
    report.restriction =
        link->rule->older && version > 2 ? GM_STR("3 or 2") : gm_dtdl_format(parser, "%d", version);
    gm_dtdl_report(parser->errors, &report);
}

static struct gm_str example_of(struct gm_dtdl_parser *parser, struct gm_str family)
{
    struct gm_str unit;
    for (size_t i = 0; i < gm_dtdl_family_count; i++) {
        const char *units_z = gm_dtdl_families[i].units_z;
        if (gm_str_is(family, gm_dtdl_families[i].name_z) && gm_dtdl_word_next(&units_z, &unit)) {
            return gm_dtdl_format(parser, ", such as " GM_STR_FMT, GM_STR_ARG(unit));
        }
    }
    return nothing;
}

/* A unit must be one of its family. */
static void check_child(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                        const struct gm_dtdl_element *to)
{
    const char *child_of_z = link->extra->extra->child_of_z;
    if (child_of_z == NULL || gm_str_is(to->child_of, child_of_z)) {
        return;
    }
    struct gm_dtdl_report report = report_of(link, GM_DTDL_E_WRONG_PARENT);
    report.restriction = gm_str_z(child_of_z);
    report.hint = example_of(parser, gm_dtdl_term_of(report.restriction));
    gm_dtdl_report(parser->errors, &report);
}

/* ---- edges ---- */

/* False: one of that name is there. */
static bool check_key(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                      struct gm_dtdl_element *to)
{
    struct gm_dtdl_report report = report_of(link, GM_DTDL_E_MISSING_DICT_KEY_PROPERTY_VALUE);
    if (to->name.p == NULL) {
        report.value = GM_STR("name");
        gm_dtdl_report(parser->errors, &report);
        return false;
    }
    struct gm_dtdl_element *there;
    if (gm_dtdl_content_add(parser, link->from, to, &there)) {
        return true;
    }
    if (there != to) {
        report.kind = GM_DTDL_E_NON_UNIQUE_PROPERTY_VALUE;
        report.secondary = nothing;
        report.aux_property = GM_STR("name");
        report.value = to->name;
        gm_dtdl_report(parser->errors, &report);
    }
    return false;
}

static void add_edge(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                     struct gm_dtdl_element *to)
{
    struct gm_dtdl_edge *edge = gm_dtdl_alloc(parser, 1, sizeof(*edge));
    if (edge == NULL) {
        return;
    }
    *edge = (struct gm_dtdl_edge){.property = link->rule->property, .to = to};
    if (link->from->last_edge != NULL) {
        link->from->last_edge->next = edge;
    } else {
        link->from->edges = edge;
    }
    link->from->last_edge = edge;
    if (!to->standard) {
        struct gm_dtdl_edge *back = gm_dtdl_alloc(parser, 1, sizeof(*back));
        if (back != NULL) {
            *back = (struct gm_dtdl_edge){
                .property = link->rule->property, .to = link->from, .next = to->parents};
            to->parents = back;
        }
    }
}

static void set(struct gm_dtdl_parser *parser, const struct gm_dtdl_link *link,
                struct gm_dtdl_element *to)
{
    bool checked = !link->from->trusted && !link->from->standard;
    if (checked) {
        (void)check_partition(parser, link, to);
    }
    if (link->rule == NULL) {
        link->extra->element = to;
        if (checked) {
            check_child(parser, link, to);
        }
        return;
    }
    if (link->to == NULL && checked) {
        if (!check_class(parser, link, to)) {
            return;
        }
        check_version(parser, link, to);
    }
    if (!link->rule->keyed || check_key(parser, link, to)) {
        add_edge(parser, link, to);
    }
}

void gm_dtdl_link(struct gm_dtdl_parser *parser)
{
    struct gm_dtdl_element **targets = NULL;
    size_t room = 0;
    find_all(parser, &targets, &room);
    if (gm_model_errors_total(parser->errors) == 0 && !parser->full) {
        for (size_t i = 0; i < parser->links.n; i++) {
            set(parser, &parser->links.at[i], targets[i]);
        }
    }
    gm_free(targets);
}

struct gm_dtdl_edge *gm_dtdl_edge_next(const struct gm_dtdl_element *element,
                                       const struct gm_dtdl_edge *edge,
                                       enum gm_dtdl_property property)
{
    struct gm_dtdl_edge *next = edge == NULL ? element->edges : edge->next;
    while (next != NULL && next->property != property) {
        next = next->next;
    }
    return next;
}

struct gm_dtdl_element *gm_dtdl_edge_to(const struct gm_dtdl_element *element,
                                        enum gm_dtdl_property property)
{
    const struct gm_dtdl_edge *edge = gm_dtdl_edge_next(element, NULL, property);
    return edge != NULL ? edge->to : NULL;
}
