/* The values of a `map`: which column, which type, checked against the model. */
#include "step/convert.h"

#include <stdlib.h>

/* How a value may be described; all are nodes, since what they mean depends on each other. */
struct value_conf {
    const struct gm_node *from, *template, *object, *type, *fallback, *values, *split;
    const struct gm_node *value; /* decoded for its name only: null is a value here */
};

static const struct gm_field value_fields[] = {
    GM_FIELD_NODE(struct value_conf, from, .help = "The column, or the path into a JSON record."),
    GM_FIELD_NODE(struct value_conf, template, .help = "Text with columns in braces."),
    GM_FIELD_NODE(struct value_conf, value, .help = "A constant."),
    GM_FIELD_NODE(struct value_conf, object, .help = "Members, each described like a property."),
    GM_FIELD_NODE(struct value_conf, type,
                  .help = "The type, where the model does not say it; of the pieces with `split`."),
    GM_FIELD_NAMED("default", struct value_conf, fallback, const struct gm_node *, GM_T_NODE,
                   .help = "In place of null."),
    GM_FIELD_NODE(struct value_conf, values, .help = "Translates: source value to property value."),
    GM_FIELD_NODE(struct value_conf, split,
                  .help = "What stands between the pieces of a text that becomes an array."),
    GM_FIELD_END,
};

/* One value under compilation. */
struct work {
    struct gm_step_compile *c;
    const struct gm_node *node;
    struct gm_str name;
    bool known; /* schema or component are the model's */
    struct gm_map_value *value;
    bool failed;
};

static const struct gm_place *place_of(const struct gm_node *node)
{
    return node->key.n > 0 ? &node->key_place : &node->place;
}

static void fail(struct work *work, const struct gm_node *node, const char *what_z)
{
    gm_conf_error(work->c->doc, &node->place, "`" GM_STR_FMT "`: %s", GM_STR_ARG(work->name),
                  what_z);
    work->failed = true;
}

/* ---- names ---- */

static bool is_property_name(struct gm_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        bool inner = (ch >= '0' && ch <= '9') || ch == '_';
        if (!letter && !(inner && i > 0)) {
            return false;
        }
    }
    return name.n > 0;
}

static void fail_unknown(struct gm_step_compile *c, const struct gm_node *node,
                         const struct gm_map_scope *scope, const struct gm_nearest *nearest)
{
    char near[GM_NEAREST_TEXT_SIZE];
    gm_conf_error(c->doc, place_of(node), "`" GM_STR_FMT "` is no property of " GM_STR_FMT "%s",
                  GM_STR_ARG(node->key), GM_STR_ARG(scope->owner), gm_nearest_text(nearest, near));
}

/* Finds the name among the contents of a model. */
static bool find_content(struct gm_step_compile *c, const struct gm_node *node,
                         const struct gm_map_scope *scope, struct gm_map_value *value)
{
    static const char *const kinds[] = {"a property", "telemetry", "a command",
                                        "a relationship; it goes under `relationships:`",
                                        "a component"};
    const struct gm_content *content = gm_model_content(scope->model, node->key);
    if (content == NULL) {
        struct gm_nearest nearest = gm_nearest_to(node->key);
        for (size_t i = 0; i < scope->model->content_count; i++) {
            enum gm_content_type type = scope->model->contents[i].type;
            if (type == GM_CONTENT_PROPERTY || type == GM_CONTENT_COMPONENT) {
                gm_nearest_try(&nearest, scope->model->contents[i].name);
            }
        }
        fail_unknown(c, node, scope, &nearest);
        return false;
    }
    if (content->type != GM_CONTENT_PROPERTY && content->type != GM_CONTENT_COMPONENT) {
        gm_conf_error(c->doc, place_of(node), "`" GM_STR_FMT "` of " GM_STR_FMT " is %s",
                      GM_STR_ARG(node->key), GM_STR_ARG(scope->owner), kinds[content->type]);
        return false;
    }
    value->schema = content->schema;
    value->component = content->component;
    return true;
}

static bool find_relationship_property(struct gm_step_compile *c, const struct gm_node *node,
                                       const struct gm_map_scope *scope, struct gm_map_value *value)
{
    struct gm_nearest nearest = gm_nearest_to(node->key);
    for (size_t i = 0; i < scope->property_count; i++) {
        if (gm_str_eq(scope->properties[i].name, node->key)) {
            value->schema = scope->properties[i].schema;
            return true;
        }
        gm_nearest_try(&nearest, scope->properties[i].name);
    }
    fail_unknown(c, node, scope, &nearest);
    return false;
}

static bool find_field(struct gm_step_compile *c, const struct gm_node *node,
                       const struct gm_map_scope *scope, struct gm_map_value *value)
{
    struct gm_nearest nearest = gm_nearest_to(node->key);
    if (scope->schema->type == GM_SCHEMA_MAP) {
        value->schema = scope->schema->item;
        return true;
    }
    for (size_t i = 0; i < scope->schema->field_count; i++) {
        if (gm_str_eq(scope->schema->fields[i].name, node->key)) {
            value->schema = scope->schema->fields[i].schema;
            return true;
        }
        gm_nearest_try(&nearest, scope->schema->fields[i].name);
    }
    fail_unknown(c, node, scope, &nearest);
    return false;
}

static bool find_name(struct gm_step_compile *c, const struct gm_node *node,
                      const struct gm_map_scope *scope, struct gm_map_value *value)
{
    switch (scope->type) {
    case GM_SCOPE_MODEL:
        return find_content(c, node, scope, value);
    case GM_SCOPE_RELATIONSHIP:
        return find_relationship_property(c, node, scope, value);
    case GM_SCOPE_SCHEMA:
        return find_field(c, node, scope, value);
    case GM_SCOPE_ANY:
        break;
    }
    if (!is_property_name(node->key)) {
        gm_conf_error(
            c->doc, place_of(node),
            "`" GM_STR_FMT
            "` cannot be a property's name: it takes letters, digits and `_`, and a letter first",
            GM_STR_ARG(node->key));
        return false;
    }
    return true;
}

/* ---- constants ---- */

static bool is_text_like(const struct gm_schema *schema)
{
    if (schema == NULL) {
        return false;
    }
    switch (schema->type) {
    case GM_SCHEMA_STRING:
    case GM_SCHEMA_DATE:
    case GM_SCHEMA_DATETIME:
    case GM_SCHEMA_TIME:
    case GM_SCHEMA_DURATION:
        return true;
    case GM_SCHEMA_ENUM:
        return schema->enum_of_strings;
    default:
        return false;
    }
}

/* A configured value, as the property takes it. NULL: null, or reported. `what_z` is for
 * messages. */
static yyjson_mut_val *constant(struct work *work, const struct gm_node *node, const char *what_z)
{
    struct gm_step_compile *c = work->c;
    yyjson_mut_val *value = gm_step_constant(c, node, is_text_like(work->value->schema));
    if (value == NULL) {
        return NULL;
    }
    struct gm_convert to = {.arena = c->arena, .doc = c->json};
    struct gm_cell cell = gm_cell_of_json(value);
    struct gm_err err = {0};
    if (gm_convert_cell(&to, work->value->schema, &cell, &value, &err) != GM_OK) {
        gm_conf_error(c->doc, &node->place, "`" GM_STR_FMT "`: %s: %s", GM_STR_ARG(work->name),
                      what_z, err.text);
        work->failed = true;
        return NULL;
    }
    return value;
}

static int translation_order(const void *a, const void *b)
{
    return gm_str_cmp(((const struct gm_map_translation *)a)->from,
                      ((const struct gm_map_translation *)b)->from);
}

static void compile_values(struct work *work, const struct gm_node *node)
{
    struct gm_map_value *value = work->value;
    if (node->type != GM_NODE_MAP || node->item_count == 0) {
        fail(work, node, "`values` translates, as in { A: active, D: discontinued }");
        return;
    }
    value->has_values = true;
    value->value_count = node->item_count;
    value->values = gm_step_alloc(work->c, node->item_count, sizeof(*value->values));
    for (size_t i = 0; i < node->item_count; i++) {
        value->values[i].from = gm_step_keep(work->c, node->items[i]->key);
        value->values[i].to = constant(work, node->items[i], "values");
    }
    qsort(value->values, value->value_count, sizeof(*value->values), translation_order);
}

/* ---- types ---- */

static const struct gm_schema *primitive(struct work *work, const struct gm_node *node)
{
    const struct gm_schema *schema = gm_convert_primitive(node->text);
    if (schema == NULL) {
        struct gm_nearest nearest = gm_nearest_to(node->text);
        char near[GM_NEAREST_TEXT_SIZE];
        gm_convert_nearest_primitive(&nearest);
        gm_nearest_try(&nearest, GM_STR("json"));
        gm_conf_error(
            work->c->doc, &node->place, "`" GM_STR_FMT "`: there is no type `" GM_STR_FMT "`%s",
            GM_STR_ARG(work->name), GM_STR_ARG(node->text), gm_nearest_text(&nearest, near));
        work->failed = true;
    }
    return schema;
}

/* `type`: the value's, or with `split` the pieces'. The model's type wins, and must not be
 * contradicted. */
static void compile_type(struct work *work, const struct gm_node *node)
{
    struct gm_map_value *value = work->value;
    const struct gm_schema *said = value->has_split ? value->split.item : value->schema;
    if (node->type != GM_NODE_SCALAR) {
        fail(work, node, "`type` is the name of a type, such as double");
    } else if (work->known && said != NULL && !gm_str_eq(said->name, node->text)) {
        gm_conf_error(work->c->doc, &node->place,
                      "`" GM_STR_FMT "`: the model says " GM_STR_FMT ", not " GM_STR_FMT
                      "; leave `type` away",
                      GM_STR_ARG(work->name), GM_STR_ARG(said->name), GM_STR_ARG(node->text));
        work->failed = true;
    } else if (work->known) {
        return;
    } else if (gm_str_is(node->text, "json") && !value->has_split) {
        value->json = true;
    } else if (value->has_split) {
        value->split.item = primitive(work, node);
    } else {
        value->schema = primitive(work, node);
    }
}

static void compile_split(struct work *work, const struct gm_node *node)
{
    struct gm_map_value *value = work->value;
    if (node->type != GM_NODE_SCALAR || node->text.n == 0) {
        fail(work, node, "`split` is the text between the pieces, such as \",\"");
        return;
    }
    if (work->known && value->schema->type != GM_SCHEMA_ARRAY) {
        gm_conf_error(work->c->doc, &node->place,
                      "`" GM_STR_FMT "`: the model says " GM_STR_FMT "; `split` makes an array",
                      GM_STR_ARG(work->name), GM_STR_ARG(value->schema->name));
        work->failed = true;
        return;
    }
    value->has_split = true;
    value->split.separator = gm_step_keep(work->c, node->text);
    value->split.item = work->known ? value->schema->item : NULL;
}

/* ---- shapes ---- */

static void compile_from(struct work *work, const struct gm_node *node)
{
    if (node->type != GM_NODE_SCALAR || node->text.n == 0) {
        fail(work, node,
             "expected a column, or { from: COLUMN, … }, { template: … }, { value: … }, { object: "
             "… }");
        return;
    }
    if (memchr(node->text.p, '{', node->text.n) != NULL) {
        fail(work, node,
             "a column is written without braces; text with columns in it is { template: "
             "\"…{Column}…\" }");
        return;
    }
    work->value->kind = GM_MAP_FROM;
    work->value->path = gm_step_path(work->c, node->text, &node->place);
    work->failed |= work->value->path == NULL;
}

static void compile_object(struct work *work, const struct gm_node *node)
{
    struct gm_map_value *value = work->value;
    struct gm_map_scope scope = {.type = GM_SCOPE_ANY, .owner = work->name};
    if (node->type != GM_NODE_MAP) {
        fail(work, node, "`object` has members, as in { city: City, zip: Zip }");
        return;
    }
    if (value->component != NULL) {
        scope = (struct gm_map_scope){
            .type = GM_SCOPE_MODEL, .model = value->component, .owner = value->component->id};
    } else if (work->known) {
        if (value->schema->type != GM_SCHEMA_OBJECT && value->schema->type != GM_SCHEMA_MAP) {
            gm_conf_error(work->c->doc, &node->place,
                          "`" GM_STR_FMT "`: the model says " GM_STR_FMT ", not an object",
                          GM_STR_ARG(work->name), GM_STR_ARG(value->schema->name));
            work->failed = true;
            return;
        }
        scope.type = GM_SCOPE_SCHEMA;
        scope.schema = value->schema;
    }
    value->kind = GM_MAP_OBJECT;
    value->object = gm_map_compile_object(work->c, node, &scope, NULL);
}

/* What cannot stand together. True: nothing does. */
static bool check_together(struct work *work, const struct value_conf *conf)
{
    int shapes = (conf->from != NULL) + (conf->template != NULL) + (conf->value != NULL) +
                 (conf->object != NULL);
    bool component = work->value->component != NULL;
    if (shapes != 1) {
        fail(work, work->node, "takes exactly one of from, template, value, object");
    } else if (component && conf->from == NULL && conf->object == NULL) {
        fail(work, work->node,
             "is a component: write { object: … }, or { from: COLUMN } where that holds JSON "
             "objects");
    } else if (conf->values != NULL && conf->split != NULL) {
        fail(work, conf->values, "`values` and `split` cannot stand together");
    } else if (conf->split != NULL && conf->from == NULL) {
        fail(work, conf->split, "`split` needs `from`");
    } else if (conf->values != NULL && conf->from == NULL && conf->template == NULL) {
        fail(work, conf->values, "`values` needs `from` or `template`");
    } else if (conf->fallback != NULL && conf->from == NULL && conf->template == NULL) {
        fail(work, conf->fallback, "`default` needs `from` or `template`");
    } else if (conf->type != NULL && conf->object != NULL) {
        fail(work, conf->type,
             "`type` is for single values; the members of `object` have types of their own");
    } else if (component && (conf->type != NULL || conf->fallback != NULL || conf->values != NULL ||
                             conf->split != NULL)) {
        fail(work, work->node,
             "is a component: type, default, values and split are for its properties");
    }
    return !work->failed;
}

static void compile_settings(struct work *work)
{
    struct value_conf conf = {0};
    struct gm_step_compile *c = work->c;
    size_t errors_before = gm_conf_error_count(c->doc);
    gm_conf_decode(c->doc, work->node, value_fields, &conf);
    conf.value = gm_node_member(work->node, GM_STR("value"));
    if (gm_conf_error_count(c->doc) > errors_before || !check_together(work, &conf)) {
        work->failed = true;
        return;
    }
    if (conf.split != NULL) {
        compile_split(work, conf.split);
    }
    if (conf.type != NULL && !work->failed) {
        compile_type(work, conf.type);
    }
    if (conf.from != NULL) {
        compile_from(work, conf.from);
    } else if (conf.template != NULL) {
        work->value->kind = GM_MAP_TEMPLATE;
        work->failed |= !gm_template_compile(c, conf.template, work->name, &work->value->template);
    } else if (conf.object != NULL) {
        compile_object(work, conf.object);
    } else {
        work->value->kind = GM_MAP_CONSTANT;
        work->value->constant = work->failed ? NULL : constant(work, conf.value, "value");
    }
    if (conf.values != NULL && !work->failed) {
        compile_values(work, conf.values);
    }
    if (conf.fallback != NULL && !work->failed) {
        work->value->fallback = constant(work, conf.fallback, "default");
    }
}

static void compile_value(struct gm_step_compile *c, const struct gm_node *node,
                          const struct gm_map_scope *scope, struct gm_map_value *value)
{
    struct work work = {.c = c, .node = node, .name = node->key, .value = value};
    if (++c->value_count > GM_STEP_VALUES_MAX) {
        if (c->value_count == GM_STEP_VALUES_MAX + 1) {
            gm_conf_error(c->doc, &node->place, "more than %d values in one map",
                          GM_STEP_VALUES_MAX);
        }
        return;
    }
    if (!find_name(c, node, scope, value)) {
        return;
    }
    work.known = value->schema != NULL || value->component != NULL;
    if (node->type == GM_NODE_MAP) {
        compile_settings(&work);
    } else {
        compile_from(&work, node);
    }
}

static int member_order(const void *a, const void *b)
{
    return gm_str_cmp(((const struct gm_map_member *)a)->name,
                      ((const struct gm_map_member *)b)->name);
}

struct gm_map_object gm_map_compile_object(struct gm_step_compile *c, const struct gm_node *node,
                                           const struct gm_map_scope *scope,
                                           bool (*skip)(struct gm_str name))
{
    struct gm_map_object object = {.members =
                                       gm_step_alloc(c, node->item_count, sizeof(*object.members))};
    for (size_t i = 0; i < node->item_count; i++) {
        const struct gm_node *item = node->items[i];
        if (skip != NULL && skip(item->key)) {
            continue;
        }
        struct gm_map_member *member = &object.members[object.count++];
        member->name = gm_step_keep(c, item->key);
        compile_value(c, item, scope, &member->value);
    }
    if (object.count > 0) {
        qsort(object.members, object.count, sizeof(*object.members), member_order);
    }
    return object;
}
