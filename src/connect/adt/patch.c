/* JSON Patches of add and remove, and the documents of creations. A property is written as a whole,
 * a component member by member. `replace` is sent for the model alone, which is always there. */
#include "connect/adt/sink.h"

struct patch {
    struct gm_buf *out;
    size_t count;
};

static void begin_operation(struct patch *patch, const char *op_z, struct gm_str component,
                            struct gm_str name)
{
    struct gm_buf path;
    gm_buf_init(&path, 1 << 16);
    for (int part = component.n > 0 ? 0 : 1; part < 2; part++) {
        struct gm_str text = part == 0 ? component : name;
        gm_buf_add_char(&path, '/');
        for (size_t i = 0; i < text.n; i++) {
            char c = text.p[i];
            gm_buf_add(&path, c == '~'   ? GM_STR("~0")
                              : c == '/' ? GM_STR("~1")
                                         : (struct gm_str){&text.p[i], 1});
        }
    }
    gm_buf_addf(patch->out, "%s{\"op\":\"%s\",\"path\":", patch->count++ > 0 ? "," : "[", op_z);
    gm_json_quote(patch->out, gm_buf_str(&path));
    gm_buf_deinit(&path);
}

static void add_removal(struct patch *patch, struct gm_str component, struct gm_str name)
{
    begin_operation(patch, "remove", component, name);
    gm_buf_add_char(patch->out, '}');
}

static bool is_component(const struct gm_model *model, struct gm_str name)
{
    const struct gm_content *content = model != NULL ? gm_model_content(model, name) : NULL;
    return content != NULL && content->type == GM_CONTENT_COMPONENT;
}

/* Without the nulls of what has to go. */
static void write_value(const yyjson_mut_val *value, bool component, struct gm_buf *out)
{
    if (!component) {
        gm_json_write(value, out);
        return;
    }
    gm_buf_add(out, GM_STR("{\"$metadata\":{}"));
    const yyjson_mut_val *key = gm_json_first(value);
    for (size_t i = 0; i < gm_json_count(value); i++, key = key->next->next) {
        if (gm_json_type(key->next) != YYJSON_TYPE_NULL) {
            gm_buf_add_char(out, ',');
            gm_json_quote(out, gm_json_str(key));
            gm_buf_add_char(out, ':');
            gm_json_write(key->next, out);
        }
    }
    gm_buf_add_char(out, '}');
}

static void add_value(struct patch *patch, struct gm_str component, struct gm_str name,
                      const yyjson_mut_val *value, bool whole_component)
{
    begin_operation(patch, "add", component, name);
    gm_buf_add(patch->out, GM_STR(",\"value\":"));
    write_value(value, whole_component, patch->out);
    gm_buf_add_char(patch->out, '}');
}

/* One level: the members of a twin, of a relationship, or of a component. */
struct level {
    const struct gm_model *model; /* NULL: no members are components */
    struct gm_str component;
    yyjson_mut_val *there, *wanted;
    yyjson_mut_val *before[2];
};

static void write_level(struct patch *patch, const struct level *level);

static void write_member(struct patch *patch, const struct level *level, struct gm_str name,
                         yyjson_mut_val *value)
{
    yyjson_mut_val *there = gm_json_member(level->there, name);
    bool component = is_component(level->model, name);
    if (yyjson_mut_is_null(value)) {
        if (there != NULL) {
            add_removal(patch, level->component, name);
        }
    } else if (component && yyjson_mut_is_obj(there)) {
        struct level inner = {.component = name, .there = there, .wanted = value};
        inner.before[0] = gm_json_member(level->before[0], name);
        inner.before[1] = gm_json_member(level->before[1], name);
        write_level(patch, &inner);
    } else if (there == NULL || !gm_json_equal(there, value)) {
        add_value(patch, level->component, name, value, component);
    }
}

static void write_level(struct patch *patch, const struct level *level)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(level->wanted, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (name.n == 0 || name.p[0] != '$') {
            write_member(patch, level, name, value);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        yyjson_mut_obj_foreach(level->before[i], index, max, key, value)
        {
            struct gm_str name = gm_json_str(key);
            bool again = i == 1 && gm_json_member(level->before[0], name) != NULL;
            bool ours = name.n > 0 && name.p[0] != '$' && !again;
            if (ours && gm_json_member(level->wanted, name) == NULL &&
                gm_json_member(level->there, name) != NULL) {
                add_removal(patch, level->component, name);
            }
        }
    }
}

size_t adt_write_patch(const struct adt_thing *thing, yyjson_mut_val *there,
                       yyjson_mut_val *const before[2], struct gm_buf *out)
{
    struct patch patch = {.out = out};
    struct gm_str model = gm_json_member_str(thing->wanted_value, "$model");
    if (!thing->is_link && !gm_str_eq(model, gm_json_member_str(there, "$model"))) {
        begin_operation(&patch, "replace", GM_STR("$metadata"), GM_STR("$model"));
        gm_buf_add(out, GM_STR(",\"value\":"));
        gm_json_quote(out, model);
        gm_buf_add_char(out, '}');
    }
    struct level level = {.model = thing->is_link ? NULL : thing->model,
                          .there = there,
                          .wanted = thing->wanted_value,
                          .before = {before[0], before[1]}};
    write_level(&patch, &level);
    if (patch.count > 0) {
        gm_buf_add_char(out, ']');
    }
    return patch.count;
}

/* ---- taking back ---- */

static bool others_have(const struct adt_thing *thing, struct gm_str component, struct gm_str name)
{
    for (const struct gm_object *other = thing->others; other != NULL; other = other->behind) {
        yyjson_mut_val *body = NULL;
        struct gm_err ignored;
        struct gm_str text = other->body.p != NULL ? other->body : other->next;
        if (gm_json_parse(thing->sink->doc, text, &body, &ignored) != GM_OK) {
            continue;
        }
        yyjson_mut_val *holder = component.n > 0 ? gm_json_member(body, component) : body;
        if (gm_json_member(holder, name) != NULL) {
            return true;
        }
    }
    return false;
}

static void remove_level(struct patch *patch, const struct adt_thing *thing,
                         const struct level *level)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    for (size_t i = 0; i < 2; i++) {
        yyjson_mut_obj_foreach(level->before[i], index, max, key, value)
        {
            struct gm_str name = gm_json_str(key);
            yyjson_mut_val *there = gm_json_member(level->there, name);
            bool again = i == 1 && gm_json_member(level->before[0], name) != NULL;
            if (again || there == NULL || (name.n > 0 && name.p[0] == '$')) {
                continue;
            }
            if (is_component(level->model, name) && yyjson_mut_is_obj(value)) {
                struct level inner = {.component = name, .there = there};
                inner.before[0] = gm_json_member(level->before[0], name);
                inner.before[1] = gm_json_member(level->before[1], name);
                remove_level(patch, thing, &inner);
            } else if (!others_have(thing, level->component, name)) {
                add_removal(patch, level->component, name);
            }
        }
    }
}

size_t adt_write_removal(const struct adt_thing *thing, yyjson_mut_val *there,
                         yyjson_mut_val *const before[2], struct gm_buf *out)
{
    struct patch patch = {.out = out};
    struct level level = {.model = thing->model, .there = there, .before = {before[0], before[1]}};
    remove_level(&patch, thing, &level);
    if (patch.count > 0) {
        gm_buf_add_char(out, ']');
    }
    return patch.count;
}

/* ---- creations ---- */

static void write_link_head(const struct adt_thing *thing, struct gm_buf *out)
{
    gm_buf_add(out, GM_STR("{\"$relationshipName\":"));
    gm_json_quote(out, gm_json_member_str(thing->wanted_value, "$name"));
    gm_buf_add(out, GM_STR(",\"$targetId\":"));
    gm_json_quote(out, gm_json_member_str(thing->wanted_value, "$target"));
}

void adt_write_document(const struct adt_thing *thing, struct gm_buf *out)
{
    if (thing->is_link) {
        write_link_head(thing, out);
    } else {
        gm_buf_add(out, GM_STR("{\"$metadata\":{\"$model\":"));
        gm_json_quote(out, gm_json_member_str(thing->wanted_value, "$model"));
        gm_buf_add_char(out, '}');
    }
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(thing->wanted_value, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (yyjson_mut_is_null(value) || (name.n > 0 && name.p[0] == '$')) {
            continue;
        }
        gm_buf_add_char(out, ',');
        gm_json_quote(out, name);
        gm_buf_add_char(out, ':');
        write_value(value, !thing->is_link && is_component(thing->model, name), out);
    }
    gm_buf_add_char(out, '}');
}
