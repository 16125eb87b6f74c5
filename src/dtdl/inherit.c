/* What interfaces extend, and what they inherit. */
#include "dtdl/element.h"

static const struct gm_str extends_words = {"'extends'", 9};

/* ---- how far it goes ---- */

/* Levels of bases and their number, counted as often as ways lead to them. A circle counts nothing;
 * it is found elsewhere. */
static void measure(struct gm_dtdl_element *interface, int depth)
{
    enum { DEPTH_MAX = 1000 }; /* far above what is allowed; keeps the recursion bounded */
    if (interface->extends_visit != GM_DTDL_VISIT_NEW || depth > DEPTH_MAX) {
        return;
    }
    interface->extends_visit = GM_DTDL_VISIT_OPEN;
    const struct gm_dtdl_edge *edge = NULL;
    while ((edge = gm_dtdl_edge_next(interface, edge, GM_DTDL_PROPERTY_EXTENDS)) != NULL) {
        measure(edge->to, depth + 1);
        if (edge->to->extends_height >= interface->extends_height) {
            interface->extends_height = edge->to->extends_height + 1;
        }
        interface->extends_count += edge->to->extends_count + 1;
        if (interface->extends_count > GM_DTDL_CONTENTS_MAX) {
            interface->extends_count = GM_DTDL_CONTENTS_MAX; /* enough to be too many */
        }
    }
    interface->extends_visit = GM_DTDL_VISIT_DONE;
}

/* The first base that is too far away. */
static const struct gm_dtdl_element *too_far(const struct gm_dtdl_element *interface)
{
    const struct gm_dtdl_element *at = interface;
    for (int left = GM_DTDL_EXTENDS_DEPTH_MAX; left >= 0; left--) {
        const struct gm_dtdl_edge *edge = NULL;
        do {
            edge = gm_dtdl_edge_next(at, edge, GM_DTDL_PROPERTY_EXTENDS);
        } while (edge != NULL && edge->to->extends_height < left);
        if (edge == NULL) {
            return at;
        }
        at = edge->to;
    }
    return at;
}

/* False: it is too much to be walked. */
static bool check_measures(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *interface)
{
    struct gm_dtdl_report report = {
        .at = interface, .primary = interface->id, .property = extends_words};
    if (interface->extends_height > GM_DTDL_EXTENDS_DEPTH_MAX) {
        report.kind = GM_DTDL_E_EXCESSIVE_DEPTH_NARROW;
        report.secondary = too_far(interface)->id;
        report.count = GM_DTDL_EXTENDS_DEPTH_MAX;
        gm_dtdl_report(parser->errors, &report);
    }
    bool too_many = interface->dtdl_version > 2 && interface->extends_count > GM_DTDL_EXTENDS_MAX;
    if (too_many) {
        report.kind = GM_DTDL_E_EXCESSIVE_COUNT;
        report.secondary = (struct gm_str){NULL, 0};
        report.observed = interface->extends_count;
        report.count = GM_DTDL_EXTENDS_MAX;
        gm_dtdl_report(parser->errors, &report);
    }
    return !too_many && interface->extends_height <= GM_DTDL_EXTENDS_DEPTH_MAX;
}

/* ---- contents ---- */

static struct gm_str key_of(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *interface,
                            struct gm_str name)
{
    return gm_dtdl_format(parser, "%p " GM_STR_FMT, (const void *)interface, GM_STR_ARG(name));
}

struct gm_dtdl_element *gm_dtdl_content_named(struct gm_dtdl_parser *parser,
                                              const struct gm_dtdl_element *interface,
                                              struct gm_str name)
{
    return gm_map_get_ptr(parser->content_keys, key_of(parser, interface, name));
}

bool gm_dtdl_content_add(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *interface,
                         struct gm_dtdl_element *content, struct gm_dtdl_element **out_there)
{
    struct gm_str key = key_of(parser, interface, content->name);
    *out_there = gm_map_get_ptr(parser->content_keys, key);
    if (*out_there != NULL) {
        return false;
    }
    gm_map_set_ptr(parser->content_keys, key, content);
    return true;
}

static void add_content(struct gm_dtdl_parser *parser, struct gm_dtdl_element *interface,
                        struct gm_dtdl_element *base, struct gm_dtdl_element *content)
{
    struct gm_dtdl_element *there;
    bool added = gm_dtdl_content_add(parser, interface, content, &there);
    if (there == content) {
        return; /* it came over two ways */
    }
    if (!added) {
        gm_dtdl_report(parser->errors, &(struct gm_dtdl_report){
                                           .kind = GM_DTDL_E_NON_UNIQUE_IMPORTED_PROPERTY_VALUE,
                                           .at = interface,
                                           .primary = interface->id,
                                           .secondary = base->id,
                                           .property = GM_STR("contents"),
                                           .value = content->name});
        return;
    }
    struct gm_dtdl_edge *edge = gm_dtdl_alloc(parser, 1, sizeof(*edge));
    struct gm_dtdl_edge *back = gm_dtdl_alloc(parser, 1, sizeof(*back));
    if (edge == NULL || back == NULL) {
        return;
    }
    *edge = (struct gm_dtdl_edge){
        .property = GM_DTDL_PROPERTY_CONTENTS, .to = content, .inherited = true};
    interface->last_edge->next = edge; /* there is one: what it extends */
    interface->last_edge = edge;
    *back = (struct gm_dtdl_edge){.property = GM_DTDL_PROPERTY_CONTENTS,
                                  .to = interface,
                                  .inherited = true,
                                  .next = content->parents};
    content->parents = back;
}

/* All bases, each once; false: the interface is among them. */
static bool collect(struct gm_dtdl_parser *parser, struct gm_dtdl_element *interface)
{
    bool circle = false;
    struct gm_dtdl_element *at = interface;
    parser->walked.n = 0;
    for (size_t next = 0;; at = parser->walked.at[next++]) {
        const struct gm_dtdl_edge *edge = NULL;
        while ((edge = gm_dtdl_edge_next(at, edge, GM_DTDL_PROPERTY_EXTENDS)) != NULL) {
            circle = circle || edge->to == interface;
            if (edge->to->closed_by != interface && edge->to != interface) {
                edge->to->closed_by = interface;
                *gm_vec_push(&parser->walked) = edge->to;
            }
        }
        if (next == parser->walked.n) {
            break;
        }
    }
    size_t count = parser->walked.n;
    interface->bases = gm_dtdl_alloc(parser, count, sizeof(interface->bases[0]));
    if (interface->bases != NULL && count > 0) {
        memcpy(interface->bases, parser->walked.at, count * sizeof(interface->bases[0]));
        interface->base_count = count;
    }
    return !circle;
}

void gm_dtdl_inherit(struct gm_dtdl_parser *parser, struct gm_dtdl_element *interface)
{
    if (gm_dtdl_edge_to(interface, GM_DTDL_PROPERTY_EXTENDS) == NULL) {
        return;
    }
    measure(interface, 0);
    if (!collect(parser, interface)) {
        gm_dtdl_report(parser->errors,
                       &(struct gm_dtdl_report){.kind = GM_DTDL_E_RECURSIVE_STRUCTURE_NARROW,
                                                .at = interface,
                                                .primary = interface->id,
                                                .property = extends_words});
        return;
    }
    if (!interface->trusted && !check_measures(parser, interface)) {
        return;
    }
    for (size_t i = 0; i < interface->base_count; i++) {
        struct gm_dtdl_element *base = interface->bases[i];
        const struct gm_dtdl_edge *edge = NULL;
        while ((edge = gm_dtdl_edge_next(base, edge, GM_DTDL_PROPERTY_CONTENTS)) != NULL) {
            if (!edge->inherited) {
                add_content(parser, interface, base, edge->to);
            }
        }
    }
}
