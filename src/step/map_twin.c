/* The head of a `map`: ids, model, relationships; and the relationship that stands for itself. */
#include "step/convert.h"

#include <stdlib.h>

struct relationship_conf {
    const char *name;
    const struct gm_node *target, *id, *properties;
    const struct gm_node *source; /* of a link */
};

static const struct gm_field relationship_fields[] = {
    GM_FIELD_STR(struct relationship_conf, name, .flags = GM_F_REQUIRED, .example = "suppliedBy"),
    GM_FIELD_NODE(struct relationship_conf, target, .flags = GM_F_REQUIRED,
                  .example = "\"supplier-{SupplierID}\""),
    GM_FIELD_NODE(struct relationship_conf, id,
                  .help = "Template of its id; {name}-{target} when it is left out."),
    GM_FIELD_NODE(struct relationship_conf, properties,
                  .help = "Its properties, described like those of a twin."),
    GM_FIELD_END,
};

static const struct gm_field link_fields[] = {
    GM_FIELD_STR(struct relationship_conf, name, .flags = GM_F_REQUIRED, .example = "worksIn"),
    GM_FIELD_NODE(struct relationship_conf, source, .flags = GM_F_REQUIRED,
                  .example = "\"employee-{EmployeeID}\""),
    GM_FIELD_NODE(struct relationship_conf, target, .flags = GM_F_REQUIRED,
                  .example = "\"territory-{TerritoryID}\""),
    GM_FIELD_NODE(struct relationship_conf, id,
                  .help = "Template of its id; {name}-{target} when it is left out."),
    GM_FIELD_NODE(struct relationship_conf, properties,
                  .help = "Its properties, described like those of a twin."),
    GM_FIELD_END,
};

/* ---- templates of ids and of the model ---- */

/* An id's fixed text must be of characters that ids may have: better said now than once a
 * record. */
static void compile_id(struct gm_step_compile *c, const struct gm_node *node, struct gm_str name,
                       struct gm_template *out_template)
{
    if (!gm_template_compile(c, node, name, out_template)) {
        return;
    }
    for (size_t i = 0; i < out_template->count; i++) {
        struct gm_err err = {0};
        if (out_template->parts[i].path == NULL &&
            gm_twin_id_check(out_template->parts[i].text, &err) != GM_OK) {
            gm_conf_error(c->doc, &node->place, "`" GM_STR_FMT "`: %s", GM_STR_ARG(name), err.text);
        }
    }
}

static bool is_constant(const struct gm_template *template)
{
    return template->count == 1 && template->parts[0].path == NULL;
}

/* NULL: not known, or reported. */
static const struct gm_model *compile_model(struct gm_step_compile *c, const struct gm_node *node,
                                            struct gm_template *out_template)
{
    if (!gm_template_compile(c, node, GM_STR("$model"), out_template)) {
        return NULL;
    }
    struct gm_template_part *first = &out_template->parts[0];
    if (first->path == NULL && !gm_str_starts(first->text, GM_STR("dtmi:"))) {
        gm_conf_error(
            c->doc, &node->place,
            "`$model`: expected a model's id, as in \"dtmi:shop:Product;1\", found `" GM_STR_FMT
            "`",
            GM_STR_ARG(node->text));
        return NULL;
    }
    if (c->models == NULL || !is_constant(out_template)) {
        return NULL;
    }
    const struct gm_model *model = gm_models_find(c->models, first->text);
    if (model == NULL) {
        struct gm_nearest nearest = {.best = gm_models_nearest(c->models, first->text)};
        char near[GM_NEAREST_TEXT_SIZE];
        gm_conf_error(c->doc, &node->place, "`$model`: there is no model " GM_STR_FMT "%s",
                      GM_STR_ARG(first->text), gm_nearest_text(&nearest, near));
    }
    return model;
}

/* ---- relationships ---- */

/* The properties that relationships of that name have, in a model or in all. False: reported. */
static bool find_relationship(struct gm_step_compile *c, const struct gm_node *node,
                              struct gm_str name, const struct gm_model *model,
                              struct gm_map_scope *out_scope)
{
    struct gm_nearest nearest = gm_nearest_to(name);
    size_t count = model != NULL ? 1 : gm_models_count(c->models);
    const struct gm_model *declared_by = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct gm_model *at = model != NULL ? model : gm_models_at(c->models, i);
        for (size_t j = 0; j < at->content_count; j++) {
            const struct gm_content *content = &at->contents[j];
            if (content->type != GM_CONTENT_RELATIONSHIP) {
                continue;
            }
            gm_nearest_try(&nearest, content->name);
            if (!gm_str_eq(content->name, name)) {
                continue;
            }
            if (declared_by != NULL && content->declared_by != declared_by) {
                /* Several models declare it: the sink, which knows the source's, checks the
                 * properties. */
                out_scope->type = GM_SCOPE_ANY;
                return true;
            }
            out_scope->type = GM_SCOPE_RELATIONSHIP;
            out_scope->properties = content->properties;
            out_scope->property_count = content->property_count;
            declared_by = content->declared_by;
        }
    }
    if (declared_by == NULL) {
        char near[GM_NEAREST_TEXT_SIZE];
        gm_conf_error(c->doc, &node->place,
                      "`" GM_STR_FMT "` is no relationship of " GM_STR_FMT "%s", GM_STR_ARG(name),
                      GM_STR_ARG(model != NULL ? model->id : GM_STR("any model")),
                      gm_nearest_text(&nearest, near));
    }
    return declared_by != NULL;
}

static void compile_relationship(struct gm_step_compile *c, const struct gm_node *node,
                                 const struct relationship_conf *conf, const struct gm_model *model,
                                 struct gm_map_relationship *out)
{
    out->name = gm_step_keep(c, gm_str_z(conf->name));
    out->has_id = conf->id != NULL;
    if (conf->target != NULL) {
        compile_id(c, conf->target, GM_STR("target"), &out->target);
    }
    if (conf->id != NULL) {
        compile_id(c, conf->id, GM_STR("id"), &out->id);
    }
    struct gm_map_scope scope = {.type = GM_SCOPE_ANY, .owner = out->name};
    const struct gm_node *name_node = gm_node_member(node, GM_STR("name"));
    bool known = conf->source != NULL ? c->models != NULL : model != NULL;
    if (known && name_node != NULL && !find_relationship(c, name_node, out->name, model, &scope)) {
        return;
    }
    if (conf->properties != NULL && conf->properties->type != GM_NODE_MAP) {
        gm_conf_error(c->doc, &conf->properties->place,
                      "`properties` has members, as in { since: Since }");
    } else if (conf->properties != NULL) {
        out->properties = gm_map_compile_object(c, conf->properties, &scope, NULL);
    }
}

static void compile_relationships(struct gm_step_compile *c, const struct gm_node *node,
                                  const struct gm_model *model, struct gm_projection *map)
{
    if (node->type != GM_NODE_LIST) {
        gm_conf_error(c->doc, &node->place,
                      "`relationships` is a list, as in - { name: suppliedBy, target: "
                      "\"supplier-{SupplierID}\" }");
        return;
    }
    map->has_relationships = true;
    map->relationship_count = node->item_count;
    map->relationships = gm_step_alloc(c, node->item_count, sizeof(*map->relationships));
    for (size_t i = 0; i < node->item_count; i++) {
        struct relationship_conf conf = {0};
        size_t errors_before = gm_conf_error_count(c->doc);
        gm_conf_decode(c->doc, node->items[i], relationship_fields, &conf);
        if (gm_conf_error_count(c->doc) == errors_before) {
            compile_relationship(c, node->items[i], &conf, model, &map->relationships[i]);
        }
    }
}

/* ---- the two kinds of maps ---- */

static bool is_head(struct gm_str name)
{
    return gm_str_starts(name, GM_STR("$")) || gm_str_is(name, "relationships");
}

static void report_unknown_heads(struct gm_step_compile *c, const struct gm_node *node)
{
    for (size_t i = 0; i < node->item_count; i++) {
        struct gm_str name = node->items[i]->key;
        if (gm_str_starts(name, GM_STR("$")) && !gm_str_is(name, "$dtId") &&
            !gm_str_is(name, "$model") && !gm_str_is(name, "$sourceTime")) {
            struct gm_nearest nearest = gm_nearest_to(name);
            char near[GM_NEAREST_TEXT_SIZE];
            gm_nearest_try(&nearest, GM_STR("$dtId"));
            gm_nearest_try(&nearest, GM_STR("$model"));
            gm_nearest_try(&nearest, GM_STR("$sourceTime"));
            gm_conf_error(c->doc, &node->items[i]->key_place,
                          "`" GM_STR_FMT "` is not known in a map%s", GM_STR_ARG(name),
                          gm_nearest_text(&nearest, near));
        }
    }
}

static void compile_twin(struct gm_step_compile *c, const struct gm_node *node,
                         struct gm_projection *map)
{
    const struct gm_node *id = gm_node_member(node, GM_STR("$dtId"));
    const struct gm_node *model_node = gm_node_member(node, GM_STR("$model"));
    const struct gm_node *relationships = gm_node_member(node, GM_STR("relationships"));
    const struct gm_model *model = NULL;
    if (id != NULL) {
        compile_id(c, id, GM_STR("$dtId"), &map->id);
    } else {
        gm_conf_error(c->doc, &node->place,
                      "`$dtId` is missing: the twin's id, as in $dtId: \"product-{ProductID}\"");
    }
    if (model_node != NULL) {
        model = compile_model(c, model_node, &map->model);
    } else {
        gm_conf_error(
            c->doc, &node->place,
            "`$model` is missing: the twin's model, as in $model: \"dtmi:shop:Product;1\"");
    }
    const struct gm_node *time = gm_node_member(node, GM_STR("$sourceTime"));
    if (time != NULL) {
        map->has_source_time = true;
        (void)gm_template_compile(c, time, GM_STR("$sourceTime"), &map->source_time);
    }
    report_unknown_heads(c, node);
    struct gm_map_scope scope = {.type = GM_SCOPE_ANY, .owner = GM_STR("the twin")};
    if (model != NULL) {
        scope = (struct gm_map_scope){.type = GM_SCOPE_MODEL, .model = model, .owner = model->id};
    }
    map->body = gm_map_compile_object(c, node, &scope, is_head);
    if (relationships != NULL) {
        compile_relationships(c, relationships, model, map);
    }
}

static void compile_link(struct gm_step_compile *c, const struct gm_node *map_node,
                         const struct gm_node *node, struct gm_projection *map)
{
    struct relationship_conf conf = {0};
    map->is_link = true;
    for (size_t i = 0; i < map_node->item_count; i++) {
        const struct gm_node *other = map_node->items[i];
        if (other != node) {
            gm_conf_error(
                c->doc, &other->key_place,
                "`" GM_STR_FMT
                "`: a map with `relationship` makes relationships only; twins come from a "
                "pipeline of their own, and their relationships stand under `relationships`",
                GM_STR_ARG(other->key));
        }
    }
    size_t errors_before = gm_conf_error_count(c->doc);
    if (node->type != GM_NODE_MAP) {
        gm_conf_error(c->doc, &node->place, "`relationship` has name, source and target");
        return;
    }
    gm_conf_decode(c->doc, node, link_fields, &conf);
    if (gm_conf_error_count(c->doc) > errors_before) {
        return;
    }
    map->relationship_count = 1;
    map->relationships = gm_step_alloc(c, 1, sizeof(*map->relationships));
    compile_id(c, conf.source, GM_STR("source"), &map->id);
    compile_relationship(c, node, &conf, NULL, &map->relationships[0]);
}

static bool has_head(const struct gm_node *node)
{
    for (size_t i = 0; i < node->item_count; i++) {
        if (is_head(node->items[i]->key)) {
            return true;
        }
    }
    return false;
}

/* ---- targets ---- */

static int name_order(const void *a, const void *b)
{
    return gm_str_cmp(*(const struct gm_str *)a, *(const struct gm_str *)b);
}

/* A component that is described by its members: other pipelines may own the rest of it. */
static bool is_shared(const struct gm_map_member *member)
{
    return member->value.component != NULL && member->value.kind == GM_MAP_OBJECT;
}

static size_t count_targets(const struct gm_projection *map)
{
    size_t count = map->body.count + map->relationship_count;
    for (size_t i = 0; i < map->body.count; i++) {
        const struct gm_map_member *member = &map->body.members[i];
        count += is_shared(member) ? member->value.object.count : 0;
    }
    return count;
}

/* "component/member"; names of properties have no slashes. */
static struct gm_str member_path(struct gm_step_compile *c, struct gm_str component,
                                 struct gm_str member)
{
    struct gm_str path = gm_arena_format(c->arena, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(component),
                                         GM_STR_ARG(member));
    GM_ASSERT(path.p != NULL);
    return path;
}

static void collect_targets(struct gm_step_compile *c, struct gm_projection *map)
{
    struct gm_str *names = gm_step_alloc(c, count_targets(map), sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < map->body.count; i++) {
        const struct gm_map_member *member = &map->body.members[i];
        const struct gm_map_object *members = &member->value.object;
        for (size_t j = 0; is_shared(member) && j < members->count; j++) {
            names[count++] = member_path(c, member->name, members->members[j].name);
        }
        if (!is_shared(member)) {
            names[count++] = member->name;
        }
    }
    for (size_t i = 0; i < map->relationship_count; i++) {
        names[count++] = map->relationships[i].name;
    }
    if (count > 0) {
        qsort(names, count, sizeof(*names), name_order);
    }
    map->targets = names;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !gm_str_eq(names[i], names[i - 1])) {
            names[map->target_count++] = names[i];
        }
    }
}

struct gm_projection *gm_map_compile(struct gm_step_compile *c, const struct gm_node *node)
{
    size_t errors_before = gm_conf_error_count(c->doc);
    if (node->type != GM_NODE_MAP) {
        gm_conf_error(c->doc, &node->place,
                      "`map` has members: $dtId, $model, and the twin's properties");
        return NULL;
    }
    struct gm_projection *map = gm_step_alloc(c, 1, sizeof(*map));
    const struct gm_node *link = gm_node_member(node, GM_STR("relationship"));
    if (link != NULL) {
        compile_link(c, node, link, map);
    } else if (c->any_body && !has_head(node)) {
        const struct gm_map_scope scope = {.type = GM_SCOPE_ANY, .owner = GM_STR("the object")};
        map->is_plain = true;
        map->body = gm_map_compile_object(c, node, &scope, NULL);
    } else {
        compile_twin(c, node, map);
    }
    if (gm_conf_error_count(c->doc) > errors_before) {
        return NULL;
    }
    if (!map->is_link) {
        collect_targets(c, map);
    }
    return map;
}
