/* From JSON to elements: their ids, their types, where they stand. Members are members.c's. */
#include <stdio.h>

#include "dtdl/dtmi.h"
#include "dtdl/element.h"

/* ---- JSON-LD ---- */

void gm_dtdl_node_init(struct gm_dtdl_node *node, yyjson_mut_val *json)
{
    *node = (struct gm_dtdl_node){.json = json, .member_count = gm_json_count(json)};
    const struct {
        const char *name_z;
        yyjson_mut_val **at;
    } keywords[] = {
        {"@context", &node->context}, {"@id", &node->id},       {"@type", &node->type},
        {"@graph", &node->graph},     {"@value", &node->value}, {"@language", &node->language},
    };
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n == 0 || name.p[0] != '@') {
            node->property_count++;
            continue;
        }
        size_t k = 0;
        while (k < GM_ARRAY_COUNT(keywords) && !gm_str_is(name, keywords[k].name_z)) {
            k++;
        }
        if (k < GM_ARRAY_COUNT(keywords)) {
            *keywords[k].at = value;
        } else {
            node->keyword_count++;
        }
    }
}

struct gm_dtdl_items gm_dtdl_items_of(yyjson_mut_val *json)
{
    bool array = gm_json_type(json) == YYJSON_TYPE_ARR;
    return (struct gm_dtdl_items){.at = array ? yyjson_mut_arr_get_first(json) : json,
                                  .left = array          ? gm_json_count(json)
                                          : json != NULL ? 1
                                                         : 0,
                                  .array = array};
}

yyjson_mut_val *gm_dtdl_items_next(struct gm_dtdl_items *items)
{
    if (items->left == 0) {
        return NULL;
    }
    yyjson_mut_val *item = items->at;
    items->left--;
    if (items->left > 0) {
        items->at = item->next;
    }
    return item;
}

/* ---- memory ---- */

static void stop_full(struct gm_dtdl_parser *parser)
{
    parser->full = true;
    parser->stopped = true;
}

void *gm_dtdl_alloc(struct gm_dtdl_parser *parser, size_t count, size_t size)
{
    size_t total;
    void *p =
        __builtin_mul_overflow(count, size, &total) ? NULL : gm_arena_zalloc(parser->arena, total);
    if (p == NULL) {
        stop_full(parser);
    }
    return p;
}

struct gm_str gm_dtdl_format(struct gm_dtdl_parser *parser, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct gm_str text = gm_arena_vformat(parser->arena, fmt, args);
    va_end(args);
    if (text.p == NULL) {
        stop_full(parser);
    }
    return text;
}

/* ---- ids ---- */

static const struct gm_str nothing = {NULL, 0};

struct place_report {
    enum gm_dtdl_error_kind kind;
    struct gm_str value, restriction;
    int64_t count;
};

/* About an element that is not there yet: in the words of its parent. */
static void fail_place(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                       const struct place_report *what)
{
    const struct gm_dtdl_element *parent = element->parent;
    gm_dtdl_report(
        parser->errors,
        &(struct gm_dtdl_report){
            .kind = what->kind,
            .at = parent != NULL ? parent : element,
            .primary = parent != NULL ? parent->id : nothing,
            .property = parent != NULL ? gm_str_z(gm_dtdl_property_name_z(element->role)) : nothing,
            .value = what->value,
            .restriction = what->restriction,
            .count = what->count,
        });
}

static bool stop(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                 const struct place_report *what)
{
    fail_place(parser, element, what);
    parser->stopped = true;
    return false;
}

/* About the @id alone: no element has it yet. */
static bool stop_id(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                    const struct place_report *what)
{
    gm_dtdl_report(parser->errors, &(struct gm_dtdl_report){.kind = what->kind,
                                                            .at = element->parent,
                                                            .value = what->value,
                                                            .restriction = what->restriction,
                                                            .count = what->count});
    parser->stopped = true;
    return false;
}

/* An id of names only models of the language and its extensions may define. */
static bool is_reserved(const struct gm_dtdl_context *context, struct gm_str id)
{
    if (gm_str_starts(id, GM_STR("dtmi:dtdl:")) || gm_str_starts(id, GM_STR("dtmi:standard:"))) {
        return true;
    }
    for (size_t i = 0; i < context->known_count; i++) {
        if ((context->known[i] == GM_DTDL_KNOWN_IOT_CENTRAL &&
             gm_str_starts(id, GM_STR("dtmi:iotcentral:"))) ||
            (context->known[i] == GM_DTDL_KNOWN_IOT_OPERATIONS &&
             gm_str_starts(id, GM_STR("dtmi:iotoperations:")))) {
            return true;
        }
    }
    return false;
}

static bool take_id(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                    struct gm_str id)
{
    int version = element->context->dtdl_version;
    if (id.n == 0) {
        return stop_id(parser, element, &(struct place_report){.kind = GM_DTDL_E_ID_NOT_STRING});
    }
    if (id.n > GM_DTMI_SIZE_MAX) {
        return stop_id(parser, element,
                       &(struct place_report){
                           .kind = GM_DTDL_E_ID_TOO_LONG, .value = id, .count = GM_DTMI_SIZE_MAX});
    }
    if (!gm_dtmi_valid(id, version)) {
        return stop_id(
            parser, element,
            &(struct place_report){.kind = GM_DTDL_E_INVALID_ID,
                                   .value = id,
                                   .restriction = gm_dtdl_format(parser, "%d", version)});
    }
    if (!element->standard && is_reserved(element->context, id)) {
        return stop_id(parser, element,
                       &(struct place_report){.kind = GM_DTDL_E_RESERVED_ID, .value = id});
    }
    element->id = id;
    return true;
}

/* Elements without an id get one made of the parent's, the member they stand in, and their name:
 * dtmi:shop:Product;1 → dtmi:shop:Product:_contents:__price;1. */
static bool make_id(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                    const struct gm_dtdl_rule *rule)
{
    struct gm_str base, version;
    struct gm_dtdl_literal name = {.type = GM_DTDL_NO_LITERAL};
    if (element->parent == NULL) {
        return stop_id(parser, element,
                       &(struct place_report){.kind = GM_DTDL_E_MISSING_TOP_LEVEL_ID});
    }
    if (rule->id_required) {
        return stop(parser, element, &(struct place_report){.kind = GM_DTDL_E_MISSING_REQUIRED_ID});
    }
    bool versioned = gm_str_cut(element->parent->id, ';', &base, &version);
    struct gm_str segment = {"", 0};
    if (rule->named) {
        yyjson_mut_val *json = gm_json_member(element->json, GM_STR("name"));
        if (json == NULL) {
            json = gm_json_member(element->json, element->context->dtdl_version == 2
                                                     ? GM_STR("dtmi:dtdl:property:name;2")
                                                     : GM_STR("dtmi:dtdl:property:name;3"));
        }
        if (json == NULL) {
            return stop(parser, element,
                        &(struct place_report){.kind = GM_DTDL_E_MISSING_DTMI_SEG_PROPERTY_VALUE,
                                               .value = GM_STR("name")});
        }
        (void)gm_dtdl_literal_peek(json, &name);
        if (name.type == GM_DTDL_INTEGER) {
            segment = gm_dtdl_format(parser, ":__%d", name.integer);
        } else if (name.type == GM_DTDL_TEXT) {
            segment = gm_dtdl_format(parser, ":__" GM_STR_FMT, GM_STR_ARG(name.text));
        } else {
            return stop(
                parser, element,
                &(struct place_report){.kind = GM_DTDL_E_DTMI_SEG_PROPERTY_NOT_STRING_OR_NUMBER,
                                       .value = GM_STR("name")});
        }
    }
    element->id = gm_dtdl_format(parser, GM_STR_FMT ":_%s" GM_STR_FMT "%s" GM_STR_FMT,
                                 GM_STR_ARG(base), gm_dtdl_property_name_z(element->role),
                                 GM_STR_ARG(segment), versioned ? ";" : "", GM_STR_ARG(version));
    return element->id.p != NULL;
}

static bool is_made_id(struct gm_str id)
{
    for (size_t i = 0; i + 1 < id.n; i++) {
        if (id.p[i] == ':' && id.p[i + 1] == '_') {
            return true;
        }
    }
    return false;
}

/* Is there an element of this id already? */
static bool check_new(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                      const struct gm_dtdl_rule *rule)
{
    if (gm_map_get_ptr(parser->by_id, element->id) == NULL) {
        return true;
    }
    if (!is_made_id(element->id)) {
        gm_dtdl_report(parser->errors,
                       &(struct gm_dtdl_report){.kind = GM_DTDL_E_DUPLICATE_DEFINITION,
                                                .at = element,
                                                .primary = element->id});
    } else if (rule != NULL && rule->named) {
        gm_dtdl_report(parser->errors,
                       &(struct gm_dtdl_report){
                           .kind = GM_DTDL_E_NON_UNIQUE_PROPERTY_VALUE,
                           .at = element->parent,
                           .primary = element->parent->id,
                           .property = gm_str_z(gm_dtdl_property_name_z(element->role)),
                           .aux_property = GM_STR("name"),
                           .value = element->name,
                       });
    }
    return false;
}

/* ---- elements ---- */

/* An object of nothing but an @id is a reference, which is written as a string. */
static bool is_reference(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                         const struct gm_dtdl_node *node)
{
    if (node->member_count != 1 || node->id == NULL || element->parent == NULL) {
        return false;
    }
    fail_place(
        parser, element,
        &(struct place_report){.kind = GM_DTDL_E_ID_REFERENCE, .value = gm_json_str(node->id)});
    return true;
}

/* Members that JSON-LD knows, but DTDL has no use for. */
static void check_keywords(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                           const struct gm_dtdl_node *node)
{
    if (node->graph != NULL) {
        fail_place(parser, element, &(struct place_report){.kind = GM_DTDL_E_GRAPH_DISALLOWED});
    }
    if (element->context->dtdl_version == 2 ||
        (node->keyword_count == 0 && node->language == NULL && node->value == NULL)) {
        return;
    }
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(node->json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n > 0 && name.p[0] == '@' && value != node->context && value != node->id &&
            value != node->type && value != node->graph) {
            fail_place(parser, element,
                       &(struct place_report){.kind = GM_DTDL_E_KEYWORD_DISALLOWED, .value = name});
        }
    }
}

static void check_version(struct gm_dtdl_parser *parser, const struct gm_dtdl_element *element,
                          const struct gm_dtdl_rule *rule)
{
    int version = element->context->dtdl_version;
    int outer = element->parent->dtdl_version;
    if (version == outer || (rule->older && version < outer)) {
        return;
    }
    fail_place(parser, element,
               &(struct place_report){.kind = GM_DTDL_E_DISALLOWED_VERSION_DEFINITION,
                                      .value = gm_dtdl_format(parser, "%d", version),
                                      .restriction = rule->older && outer > 2 ? GM_STR("3 or 2")
                                                     : outer > 2              ? GM_STR("3")
                                                                              : GM_STR("2")});
}

static bool take_or_make_id(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                            const struct gm_dtdl_node *node, const struct gm_dtdl_rule *rule)
{
    return node->id != NULL ? take_id(parser, element, gm_json_str(node->id))
                            : make_id(parser, element, rule);
}

/* What an element that stands in another one takes over from it. */
static void set_place(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                      const struct gm_dtdl_place *place)
{
    element->document = parser->document;
    element->trusted = parser->trusted;
    element->parent = place->parent;
    element->index = place->index;
    element->name = gm_json_member_str(element->json, "name");
    if (place->parent != NULL) {
        element->role = place->rule->property;
        element->standard = place->parent->standard;
        element->child_of = place->parent->id;
        element->partition = place->parent->class == GM_DTDL_CLASS_INTERFACE
                                 ? place->parent
                                 : place->parent->partition;
    }
}

/* False: it cannot be used, which has been said. */
static bool settle(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                   const struct gm_dtdl_place *place, const struct gm_dtdl_node *node)
{
    element->context =
        gm_dtdl_context_of(parser, node, place->parent != NULL ? place->parent : NULL,
                           place->parent != NULL ? place->parent->context : NULL);
    if (element->context == NULL || is_reference(parser, element, node)) {
        return false;
    }
    element->dtdl_version = element->context->dtdl_version;
    if (place->parent != NULL) {
        check_keywords(parser, element, node);
        check_version(parser, element, place->rule);
    }
    return take_or_make_id(parser, element, node, place->rule) &&
           check_new(parser, element, place->rule) &&
           gm_dtdl_types_parse(parser, element, place->rule, node->type);
}

struct gm_dtdl_element *gm_dtdl_element_parse(struct gm_dtdl_parser *parser,
                                              const struct gm_dtdl_place *place,
                                              yyjson_mut_val *json)
{
    struct gm_dtdl_element *element = gm_dtdl_alloc(parser, 1, sizeof(*element));
    if (element == NULL) {
        return NULL;
    }
    struct gm_dtdl_node node;
    gm_dtdl_node_init(&node, json);
    element->json = json;
    set_place(parser, element, place);
    if (place->depth > GM_DTDL_ELEMENT_DEPTH_MAX) {
        (void)stop(
            parser, element,
            &(struct place_report){.kind = GM_DTDL_E_TOO_DEEP, .count = GM_DTDL_ELEMENT_DEPTH_MAX});
        return NULL;
    }
    if (parser->trusted && node.id != NULL) {
        /* Interfaces in place are stored on their own, too: whichever comes first is it. */
        struct gm_dtdl_element *there = gm_map_get_ptr(parser->by_id, gm_json_str(node.id));
        if (there != NULL && there->class == GM_DTDL_CLASS_INTERFACE) {
            return there;
        }
    }
    if (!settle(parser, element, place, &node)) {
        return NULL;
    }
    gm_dtdl_members_parse(parser, element, place->depth);
    /* Something inside of it may have taken its id. */
    if (parser->stopped || !check_new(parser, element, place->rule)) {
        return NULL;
    }
    gm_dtdl_element_add(parser, element);
    return element;
}

void gm_dtdl_element_add(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element)
{
    gm_map_set_ptr(parser->by_id, element->id, element);
    *gm_vec_push(&parser->elements) = element;
}

/* ---- documents ---- */

static bool stop_document(struct gm_dtdl_parser *parser, enum gm_dtdl_error_kind kind,
                          struct gm_str value)
{
    gm_dtdl_report(parser->errors, &(struct gm_dtdl_report){.kind = kind, .value = value});
    parser->stopped = true;
    return false;
}

static bool is_rootable(yyjson_mut_val *type, int dtdl_version)
{
    struct gm_dtdl_items items = gm_dtdl_items_of(type);
    for (yyjson_mut_val *item; (item = gm_dtdl_items_next(&items)) != NULL;) {
        struct gm_str text = gm_json_str(item);
        if (text.p != NULL && gm_dtdl_class_of(text, dtdl_version) == GM_DTDL_CLASS_INTERFACE) {
            return true;
        }
    }
    return false;
}

static bool stop_unrootable(struct gm_dtdl_parser *parser, const struct gm_dtdl_node *node)
{
    struct gm_dtdl_items items = gm_dtdl_items_of(node->type);
    struct gm_str type = items.left > 0 ? gm_json_str(items.at) : nothing;
    gm_dtdl_report(parser->errors,
                   &(struct gm_dtdl_report){
                       .kind = GM_DTDL_E_TYPE_NOT_ROOTABLE,
                       .value = gm_json_str(node->id),
                       .hint = type.p == NULL
                                   ? GM_STR("this has no @type")
                                   : gm_dtdl_format(parser, "this has @type \"" GM_STR_FMT "\"",
                                                    GM_STR_ARG(type))});
    parser->stopped = true;
    return false;
}

/* What is asked of what stands on its own, before it is taken for an element. */
static bool check_root(struct gm_dtdl_parser *parser, yyjson_mut_val *json)
{
    struct gm_dtdl_node node;
    if (gm_json_type(json) != YYJSON_TYPE_OBJ) {
        return stop_document(parser, GM_DTDL_E_NOT_JSON_OBJECT, nothing);
    }
    gm_dtdl_node_init(&node, json);
    const struct gm_dtdl_context *context = gm_dtdl_context_of(parser, &node, NULL, NULL);
    if (context == NULL) {
        return false;
    }
    if (node.graph != NULL) {
        return stop_document(parser, GM_DTDL_E_TOP_LEVEL_GRAPH_DISALLOWED, nothing);
    }
    if (node.id == NULL) {
        return stop_document(parser, GM_DTDL_E_MISSING_TOP_LEVEL_ID, nothing);
    }
    if (!is_rootable(node.type, context->dtdl_version)) {
        return stop_unrootable(parser, &node);
    }
    size_t i, n;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(json, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (context->dtdl_version > 2 && name.n > 0 && name.p[0] == '@' && value != node.context &&
            value != node.id && value != node.type) {
            return stop_document(parser, GM_DTDL_E_TOP_LEVEL_KEYWORD_DISALLOWED, name);
        }
    }
    return true;
}

void gm_dtdl_parse(struct gm_dtdl_parser *parser, yyjson_mut_val *json, size_t index)
{
    parser->document = index;
    parser->stopped = false;
    gm_dtdl_errors_document(parser->errors, index,
                            gm_json_type(json) == YYJSON_TYPE_OBJ ? gm_json_member_str(json, "@id")
                                                                  : nothing);
    if (check_root(parser, json)) {
        (void)gm_dtdl_element_parse(parser, &(struct gm_dtdl_place){.index = index}, json);
    }
}
