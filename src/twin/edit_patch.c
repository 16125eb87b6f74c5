/* JSON Patches (RFC 6902) of clients on twins: add, replace and remove, on properties, components
 * and what is inside of them, on the model, and on source times.
 *
 * The sentences are those of the service, since clients compare them; the one that follows all of
 * them there ("Please provide a valid patch document. …") is left to whoever answers the client. */
#include "twin/edit_internal.h"
#include "json/nodes.h"

enum { SHOWN_MAX = 200 }; /* of a path in a message */

static struct gm_str shown(struct gm_str text)
{
    return (struct gm_str){text.p, text.n < SHOWN_MAX ? text.n : SHOWN_MAX};
}

static gm_rc fail_segment(struct gm_edit *edit, struct gm_str segment)
{
    return gm_edit_refuse_with(edit, GM_EDIT_BAD_PATCH,
                               "The target location specified by path segment '" GM_STR_FMT
                               "' was not found.",
                               GM_STR_ARG(shown(segment)));
}

static gm_rc fail_path(struct gm_edit *edit, struct gm_str path)
{
    return gm_edit_refuse_with(edit, GM_EDIT_BAD_PATCH, "Could not resolve path " GM_STR_FMT ".",
                               GM_STR_ARG(shown(path)));
}

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "no room for the patch");
}

/* ---- paths ---- */

/* The next part of a pointer (RFC 6901), its escapes undone, in `doc`. False: none is left. */
static bool next_token(yyjson_mut_doc *doc, struct gm_str *rest, struct gm_str *out_token)
{
    if (!gm_json_token_next(rest, out_token)) {
        return false;
    }
    if (memchr(out_token->p, '~', out_token->n) == NULL) {
        return true;
    }
    char *text = doc->alc.malloc(doc->alc.ctx, out_token->n + 1);
    if (text != NULL) {
        *out_token = (struct gm_str){text, gm_json_token_unescape(*out_token, text)};
    }
    return text != NULL;
}

static yyjson_mut_val *child(yyjson_mut_val *value, struct gm_str token)
{
    size_t index;
    if (yyjson_mut_is_arr(value)) {
        return gm_json_token_index(token, &index) ? yyjson_mut_arr_get(value, index) : NULL;
    }
    return gm_json_member(value, token);
}

/* ---- one operation ---- */

bool gm_edit_read_operation(struct gm_edit *edit, yyjson_mut_val *item,
                            struct gm_edit_operation *out_operation)
{
    struct gm_edit_operation operation = {.op = gm_json_member_str(item, "op"),
                                          .path = gm_json_member_str(item, "path"),
                                          .value = gm_json_member(item, GM_STR("value"))};
    const char *missing_z = NULL;
    bool removes = gm_str_is(operation.op, "remove");
    bool known = removes || gm_str_is(operation.op, "add") || gm_str_is(operation.op, "replace");
    if (operation.op.n == 0) {
        missing_z = "op";
    } else if (!known) {
        (void)gm_edit_refuse_with(edit, GM_EDIT_BAD_PATCH,
                                  "Unsupported operation type " GM_STR_FMT ".",
                                  GM_STR_ARG(shown(operation.op)));
        return false;
    } else if (operation.path.n == 0) {
        missing_z = "path";
    } else if (!removes && operation.value == NULL) {
        missing_z = "value";
    }
    if (missing_z != NULL) {
        (void)gm_edit_refuse_with(edit, GM_EDIT_BAD_PATCH, "Parameter %s must not be empty.",
                                  missing_z);
        return false;
    }
    if (!gm_json_pointer_valid(operation.path)) {
        (void)fail_path(edit, operation.path);
        return false;
    }
    *out_operation = operation;
    return true;
}

/* On an array: `index` of an item that is there, or for "add" one behind the last. */
static gm_rc apply_to_array(struct gm_edit *edit, yyjson_mut_val *array, struct gm_str token,
                            const struct gm_edit_operation *operation, yyjson_mut_val *copy)
{
    size_t count = yyjson_mut_arr_size(array), index = count;
    bool adds = gm_str_is(operation->op, "add");
    bool is_end = adds && gm_str_is(token, "-");
    if (!is_end && (!gm_json_token_index(token, &index) || index >= count + (adds ? 1 : 0))) {
        return fail_segment(edit, token);
    }
    if (adds) {
        (void)yyjson_mut_arr_insert(array, copy, index);
    } else if (copy != NULL) {
        (void)yyjson_mut_arr_replace(array, index, copy);
    } else {
        (void)yyjson_mut_arr_remove(array, index);
    }
    return GM_OK;
}

static gm_rc apply_to_object(struct gm_edit *edit, yyjson_mut_val *object, struct gm_str token,
                             const struct gm_edit_operation *operation, yyjson_mut_val *copy)
{
    if (!gm_str_is(operation->op, "add") && gm_json_member(object, token) == NULL) {
        return fail_segment(edit, token);
    }
    if (copy == NULL) {
        (void)gm_json_remove(object, token);
        return GM_OK;
    }
    return gm_json_set(edit->doc, object, token, copy) ? GM_OK : GM_E_LIMIT;
}

gm_rc gm_edit_apply_operation(struct gm_edit *edit, yyjson_mut_val *root, struct gm_str path,
                              const struct gm_edit_operation *operation, struct gm_err *err)
{
    struct gm_str token, rest = path;
    yyjson_mut_val *at = root, *copy = NULL;
    if (!next_token(edit->doc, &rest, &token)) {
        return no_room(err);
    }
    for (struct gm_str next; rest.n > 0; token = next) {
        at = child(at, token);
        if (at == NULL) {
            return fail_path(edit, operation->path);
        }
        if (!next_token(edit->doc, &rest, &next)) {
            return no_room(err);
        }
    }
    if (!gm_str_is(operation->op, "remove")) {
        copy = gm_json_copy(edit->doc, operation->value);
        if (copy == NULL) {
            return no_room(err);
        }
    }
    if (yyjson_mut_is_arr(at)) {
        return apply_to_array(edit, at, token, operation, copy);
    }
    if (!yyjson_mut_is_obj(at)) {
        return fail_path(edit, operation->path);
    }
    gm_rc rc = apply_to_object(edit, at, token, operation, copy);
    return rc == GM_OK ? GM_OK : no_room(err);
}

/* ---- source times ---- */

static bool is_component(const struct gm_edit_work *work, struct gm_str name)
{
    const struct gm_model *models[] = {work->model, work->old_model};
    for (size_t i = 0; i < GM_ARRAY_COUNT(models); i++) {
        const struct gm_content *content =
            models[i] != NULL ? gm_model_content(models[i], name) : NULL;
        if (content != NULL && content->type == GM_CONTENT_COMPONENT) {
            return true;
        }
    }
    return false;
}

/* "component/name", or the name. p NULL: no room. */
static struct gm_str join(yyjson_mut_doc *doc, struct gm_str component, struct gm_str name)
{
    size_t n = component.n + (component.n > 0 ? 1 : 0) + name.n;
    char *text = doc->alc.malloc(doc->alc.ctx, n + 1);
    if (text == NULL) {
        return (struct gm_str){NULL, 0};
    }
    if (component.n > 0) {
        memcpy(text, component.p, component.n);
        text[component.n] = '/';
    }
    memcpy(text + n - name.n, name.p, name.n);
    return (struct gm_str){text, n};
}

static bool set_source(struct gm_edit_work *work, struct gm_str path, yyjson_mut_val *value)
{
    yyjson_mut_doc *doc = work->edit->doc;
    work->sources = work->sources != NULL ? work->sources : yyjson_mut_obj(doc);
    return path.p != NULL && gm_json_set(doc, work->sources, path, value);
}

static bool has_source(const struct gm_edit_work *work, struct gm_str path)
{
    const yyjson_mut_val *said = work->sources != NULL ? gm_json_member(work->sources, path) : NULL;
    return said != NULL ? gm_json_str(said).p != NULL
                        : gm_times_get(work->times, path, 0).source.p != NULL;
}

/* The sourceTime of one property: a text, or NULL for none any more. */
static gm_rc apply_source(struct gm_edit_work *work, struct gm_str path, yyjson_mut_val *value,
                          struct gm_err *err)
{
    yyjson_mut_doc *doc = work->edit->doc;
    yyjson_mut_val *said = yyjson_mut_null(doc);
    if (value != NULL) {
        gm_rc rc = gm_times_check_source(path, value, err);
        if (rc != GM_OK) {
            return gm_edit_refuse_value(work->edit, GM_EDIT_INVALID, rc, err);
        }
        said = gm_json_strcpy(doc, gm_json_str(value));
    }
    return set_source(work, path, said) ? GM_OK : no_room(err);
}

/* `rest` is what follows $metadata: /NAME/sourceTime, /NAME, or nothing for a component's as a
 * whole. */
static gm_rc apply_metadata(struct gm_edit_work *work, struct gm_str component, struct gm_str rest,
                            const struct gm_edit_operation *operation, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    struct gm_str name, member = {NULL, 0};
    bool removes = gm_str_is(operation->op, "remove");
    if (!next_token(edit->doc, &rest, &name)) {
        struct gm_times_source sources = {edit->doc, work->sources};
        if (component.n == 0 || removes || !yyjson_mut_is_obj(operation->value)) {
            return fail_segment(edit, GM_STR("$metadata"));
        }
        gm_rc rc = gm_times_take_sources(&sources, component, operation->value, err);
        work->sources = sources.sources;
        return rc == GM_OK ? GM_OK : gm_edit_refuse_value(edit, GM_EDIT_INVALID, rc, err);
    }
    bool of_source = next_token(edit->doc, &rest, &member);
    if (rest.n > 0 || (of_source && !gm_str_is(member, "sourceTime"))) {
        return fail_segment(edit, member);
    }
    struct gm_str path = join(edit->doc, component, name);
    if (path.p == NULL) {
        return no_room(err);
    }
    if (removes) {
        return has_source(work, path) ? apply_source(work, path, NULL, err)
                                      : fail_segment(edit, of_source ? member : name);
    }
    if (of_source) {
        return apply_source(work, path, operation->value, err);
    }
    if (!yyjson_mut_is_obj(operation->value)) {
        return fail_segment(edit, name);
    }
    return apply_source(work, path, gm_json_member(operation->value, GM_STR("sourceTime")), err);
}

/* A source time is that of a value. */
static gm_rc check_sources(struct gm_edit_work *work)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(work->sources, index, max, key, value)
    {
        struct gm_str path = gm_json_str(key), component, name;
        yyjson_mut_val *at = work->body;
        if (gm_str_cut(path, '/', &component, &name)) {
            at = gm_json_member(at, component);
        } else {
            name = path;
        }
        if (yyjson_mut_is_str(value) && gm_json_member(at, name) == NULL) {
            return fail_path(work->edit, path);
        }
    }
    return GM_OK;
}

/* ---- properties and components ---- */

/* The patch sets a component as a whole: what it had is gone, source times as well. */
static gm_rc apply_component(struct gm_edit_work *work, struct gm_str name,
                             const struct gm_edit_operation *operation, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(work->sources);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        struct gm_str head, rest;
        if (gm_str_cut(gm_json_str(key), '/', &head, &rest) && gm_str_eq(head, name)) {
            (void)yyjson_mut_obj_iter_remove(&iter);
        }
    }
    if (gm_str_is(operation->op, "remove")) {
        work->check_components = true;
    } else {
        yyjson_mut_val *metadata = gm_json_member(operation->value, GM_STR("$metadata"));
        struct gm_times_source sources = {edit->doc, work->sources};
        gm_rc rc = gm_times_take_sources(&sources, name, metadata, err);
        work->sources = sources.sources;
        if (rc != GM_OK) {
            return gm_edit_refuse_value(edit, GM_EDIT_INVALID, rc, err);
        }
        if (metadata != NULL) {
            (void)gm_json_remove(operation->value, GM_STR("$metadata"));
        }
    }
    *gm_vec_push(&work->touched) = name;
    return gm_edit_apply_operation(edit, work->body, operation->path, operation, err);
}

static gm_rc apply_member(struct gm_edit_work *work, struct gm_str component, struct gm_str name,
                          const struct gm_edit_operation *operation, struct gm_err *err)
{
    const struct gm_model *model = work->model;
    if (component.n > 0) {
        const struct gm_content *content = gm_model_content(model, component);
        model = content != NULL ? content->component : NULL;
    }
    if (model != NULL && gm_str_is(operation->op, "add") &&
        (gm_model_content(model, name) == NULL || (name.n > 0 && name.p[0] == '$'))) {
        return gm_edit_refuse_with(work->edit, GM_EDIT_BAD_PATCH,
                                   GM_STR_FMT " does not exist on component.",
                                   GM_STR_ARG(shown(name)));
    }
    struct gm_str path = join(work->edit->doc, component, name);
    if (path.p == NULL) {
        return no_room(err);
    }
    *gm_vec_push(&work->touched) = path;
    return gm_edit_apply_operation(work->edit, work->body, operation->path, operation, err);
}

static gm_rc apply_one(struct gm_edit_work *work, const struct gm_edit_operation *operation,
                       struct gm_err *err)
{
    const struct gm_str none = {NULL, 0};
    yyjson_mut_doc *doc = work->edit->doc;
    struct gm_str rest = operation->path, name, member;
    if (gm_str_is(operation->path, "/$metadata/$model")) {
        return GM_OK; /* find_model took it */
    }
    if (!next_token(doc, &rest, &name)) {
        return no_room(err);
    }
    if (gm_str_is(name, "$metadata")) {
        return apply_metadata(work, none, rest, operation, err);
    }
    if (!is_component(work, name)) {
        return apply_member(work, none, name, operation, err);
    }
    struct gm_str inner = rest;
    if (!next_token(doc, &inner, &member)) {
        return apply_component(work, name, operation, err);
    }
    return gm_str_is(member, "$metadata") ? apply_metadata(work, name, inner, operation, err)
                                          : apply_member(work, name, member, operation, err);
}

/* ---- the patch ---- */

/* The model that the twin has after the patch decides how its other paths are read. */
static gm_rc find_model(struct gm_edit_work *work)
{
    struct gm_edit *edit = work->edit;
    size_t index, max;
    yyjson_mut_val *item;
    work->model = work->old_model;
    yyjson_mut_arr_foreach(edit->value, index, max, item)
    {
        if (!gm_str_is(gm_json_member_str(item, "path"), "/$metadata/$model")) {
            continue;
        }
        struct gm_str id = gm_json_member_str(item, "value");
        if (gm_str_is(gm_json_member_str(item, "op"), "remove") || id.n == 0) {
            return fail_segment(edit, GM_STR("$model"));
        }
        work->model = gm_models_find(work->graph->models, id);
        if (work->model == NULL) {
            edit->detail = id;
            return gm_edit_refuse(edit, GM_EDIT_NO_MODEL);
        }
    }
    return GM_OK;
}

/* A component's patch becomes one of the twin. */
static gm_rc prefix_path(struct gm_edit *edit, yyjson_mut_val *item, struct gm_str *path,
                         struct gm_err *err)
{
    yyjson_mut_doc *doc = edit->doc;
    size_t n = 1 + edit->component.n + path->n;
    char *text = doc->alc.malloc(doc->alc.ctx, n + 1);
    if (text == NULL) {
        return no_room(err);
    }
    text[0] = '/';
    memcpy(text + 1, edit->component.p, edit->component.n);
    memcpy(text + 1 + edit->component.n, path->p, path->n);
    *path = (struct gm_str){text, n};
    return gm_json_set(doc, item, GM_STR("path"), gm_json_strref(doc, *path)) ? GM_OK
                                                                              : no_room(err);
}

static gm_rc apply_all(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    bool of_component = edit->kind == GM_EDIT_PATCH_COMPONENT;
    bool known = !of_component || is_component(work, edit->component);
    size_t index, max;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(edit->value, index, max, item)
    {
        struct gm_edit_operation operation;
        if (!gm_edit_read_operation(edit, item, &operation)) {
            return GM_OK;
        }
        if (of_component) {
            GM_TRY(prefix_path(edit, item, &operation.path, err));
        }
        if (!known) {
            return fail_path(edit, operation.path);
        }
        GM_TRY(apply_one(work, &operation, err));
        if (gm_edit_refused(edit)) {
            return GM_OK;
        }
    }
    return known ? check_sources(work) : gm_edit_refuse(edit, GM_EDIT_NO_COMPONENT);
}

gm_rc gm_edit_apply_patch(struct gm_edit_work *work, struct gm_err *err)
{
    struct gm_edit *edit = work->edit;
    if (!yyjson_mut_is_arr(edit->value)) {
        return gm_edit_refuse_with(edit, GM_EDIT_BAD_PATCH,
                                   "A patch must be a JSON array of operations.");
    }
    work->model = work->old_model;
    if (edit->kind == GM_EDIT_PATCH_TWIN) {
        GM_TRY(find_model(work));
    }
    return gm_edit_refused(edit) || work->model == NULL ? GM_OK : apply_all(work, err);
}

/* ---- for the log ---- */

static bool says_source_time(const struct gm_edit_work *work, struct gm_str path)
{
    struct gm_str head, rest, inner;
    struct gm_str tail = {path.p + 1, path.n - 1};
    (void)gm_str_cut(tail, '/', &head, &rest);
    if (gm_str_is(head, "$metadata")) {
        return !gm_str_is(rest, "$model");
    }
    (void)gm_str_cut(rest, '/', &inner, &rest);
    return gm_str_is(inner, "$metadata") && is_component(work, head);
}

void gm_edit_write_patch(const struct gm_edit_work *work, struct gm_buf *out)
{
    size_t index, max;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(work->edit->value, index, max, item)
    {
        struct gm_str op = gm_json_member_str(item, "op"), path = gm_json_member_str(item, "path");
        if (says_source_time(work, path)) {
            continue;
        }
        if (out->n > 1) {
            gm_buf_add_char(out, ',');
        }
        gm_buf_add_z(out, "{\"op\":\"");
        gm_buf_add(out, op);
        gm_buf_add_z(out, "\",\"path\":");
        gm_json_quote(out, path);
        if (!gm_str_is(op, "remove")) {
            gm_buf_add_z(out, ",\"value\":");
            gm_json_write(gm_json_member(item, GM_STR("value")), out);
        }
        gm_buf_add_char(out, '}');
    }
}
