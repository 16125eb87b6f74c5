/* JSON Patch (RFC 6902) and merge patch (RFC 7396). */
#include "json/nodes.h"

struct patching {
    yyjson_mut_doc *doc;
    yyjson_mut_val **root;
    struct gm_err *err;
};

/* One operation's target: the container, and the last token of the path. */
struct target {
    yyjson_mut_val *parent; /* NULL: the path is "", the whole document */
    struct gm_str token;
    size_t depth; /* tokens in the path */
};

static gm_rc fail_memory(const struct patching *patching)
{
    return gm_fail(patching->err, GM_E_LIMIT,
                   "the memory limit was reached while applying a patch");
}

static gm_rc fail_not_found(const struct patching *patching, struct gm_str token)
{
    enum { SHOWN_MAX = 200 };
    char name[SHOWN_MAX];
    struct gm_str shown = {token.p, token.n < SHOWN_MAX ? token.n : SHOWN_MAX};
    size_t n = gm_json_token_unescape(shown, name);
    return gm_fail(patching->err, GM_E_INVALID,
                   "The target location specified by path segment '%.*s' was not found.", (int)n,
                   name);
}

static gm_rc check_pointer(const struct patching *patching, struct gm_str pointer,
                           const char *parameter)
{
    if (!gm_json_pointer_valid(pointer)) {
        return gm_fail(patching->err, GM_E_INVALID,
                       "Parameter %s must be a JSON pointer: parts that each begin with '/', with "
                       "'~' written as ~0 "
                       "and '/' as ~1; found '" GM_STR_FMT "'.",
                       parameter, GM_STR_ARG(pointer));
    }
    return GM_OK;
}

/* Finds the container that holds the path's last token. */
static gm_rc find_target(const struct patching *patching, struct gm_str path,
                         struct target *out_target)
{
    struct target target = {0};
    yyjson_mut_val *value = *patching->root;
    struct gm_str token;
    while (gm_json_token_next(&path, &token)) {
        if (target.parent != NULL) {
            value = gm_json_step(target.parent, target.token);
            if (value == NULL) {
                return fail_not_found(patching, target.token);
            }
        }
        target.parent = value;
        target.token = token;
        target.depth++;
    }
    *out_target = target;
    return GM_OK;
}

static gm_rc find_existing(const struct patching *patching, struct gm_str path,
                           yyjson_mut_val **out_value)
{
    struct target target = {0};
    GM_TRY(find_target(patching, path, &target));
    yyjson_mut_val *value =
        target.parent != NULL ? gm_json_step(target.parent, target.token) : *patching->root;
    if (value == NULL) {
        return fail_not_found(patching, target.token);
    }
    *out_value = value;
    return GM_OK;
}

static gm_rc check_height(const struct patching *patching, const struct target *target,
                          const yyjson_mut_val *value)
{
    if (target->depth + gm_json_height(value) > GM_JSON_DEPTH_MAX) {
        return gm_fail(patching->err, GM_E_INVALID,
                       "The patched document would be nested more than %d levels deep.",
                       GM_JSON_DEPTH_MAX);
    }
    return GM_OK;
}

static yyjson_mut_val *new_name(const struct patching *patching, struct gm_str token)
{
    char *copy = gm_json_alloc(patching->doc, token.n + 1);
    if (copy == NULL) {
        return NULL;
    }
    size_t n = gm_json_token_unescape(token, copy);
    return gm_json_strref(patching->doc, (struct gm_str){copy, n});
}

static gm_rc add_item(const struct patching *patching, const struct target *target,
                      yyjson_mut_val *value)
{
    size_t count = gm_json_len(target->parent);
    size_t index = count;
    bool is_end = gm_str_is(target->token, "-");
    if (!is_end && (!gm_json_token_index(target->token, &index) || index > count)) {
        return fail_not_found(patching, target->token);
    }
    yyjson_mut_arr_insert(target->parent, value, index);
    return GM_OK;
}

static gm_rc add_value(const struct patching *patching, struct gm_str path, yyjson_mut_val *value)
{
    struct target target = {0};
    GM_TRY(find_target(patching, path, &target));
    GM_TRY(check_height(patching, &target, value));
    if (target.parent == NULL) {
        *patching->root = value;
        return GM_OK;
    }
    if (gm_json_is_array(target.parent)) {
        return add_item(patching, &target, value);
    }
    if (!gm_json_is_object(target.parent)) {
        return fail_not_found(patching, target.token);
    }
    yyjson_mut_val *name = new_name(patching, target.token);
    if (name == NULL) {
        return fail_memory(patching);
    }
    gm_json_put(target.parent, name, value);
    return GM_OK;
}

static void remove_from(const struct target *target, yyjson_mut_val *value)
{
    if (gm_json_is_array(target->parent)) {
        size_t index = 0;
        gm_json_token_index(target->token, &index);
        yyjson_mut_arr_remove(target->parent, index);
        return;
    }
    yyjson_mut_val *name = gm_json_first_name(target->parent);
    while (name->next != value) {
        name = name->next->next;
    }
    gm_json_remove(target->parent, gm_json_view(name));
}

/* Takes the value out of its container. */
static gm_rc take_value(const struct patching *patching, struct gm_str path,
                        yyjson_mut_val **out_value)
{
    if (path.n == 0) {
        return gm_fail(patching->err, GM_E_INVALID, "The document as a whole cannot be removed.");
    }
    struct target target = {0};
    GM_TRY(find_target(patching, path, &target));
    yyjson_mut_val *value = gm_json_step(target.parent, target.token);
    if (value == NULL) {
        return fail_not_found(patching, target.token);
    }
    remove_from(&target, value);
    *out_value = value;
    return GM_OK;
}

static gm_rc replace_value(const struct patching *patching, struct gm_str path,
                           yyjson_mut_val *value)
{
    struct target target = {0};
    GM_TRY(find_target(patching, path, &target));
    GM_TRY(check_height(patching, &target, value));
    if (target.parent == NULL) {
        *patching->root = value;
        return GM_OK;
    }
    yyjson_mut_val *old = gm_json_step(target.parent, target.token);
    if (old == NULL) {
        return fail_not_found(patching, target.token);
    }
    if (gm_json_is_array(target.parent)) {
        size_t index = 0;
        gm_json_token_index(target.token, &index);
        yyjson_mut_arr_replace(target.parent, index, value);
    } else {
        yyjson_mut_val *name = gm_json_first_name(target.parent);
        while (name->next != old) {
            name = name->next->next;
        }
        gm_json_put(target.parent, name, value);
    }
    return GM_OK;
}

/* ---- operations ---- */

enum operand { TAKES_NOTHING, TAKES_VALUE, TAKES_FROM };

struct operation {
    struct gm_str path;
    struct gm_str from;
    yyjson_mut_val *value; /* borrowed from the patch */
};

static gm_rc copy_into(const struct patching *patching, const yyjson_mut_val *value,
                       yyjson_mut_val **out_copy)
{
    *out_copy = gm_json_copy(patching->doc, value);
    return *out_copy != NULL ? GM_OK : fail_memory(patching);
}

static gm_rc apply_add(const struct patching *patching, const struct operation *operation)
{
    yyjson_mut_val *copy = NULL;
    GM_TRY(copy_into(patching, operation->value, &copy));
    return add_value(patching, operation->path, copy);
}

static gm_rc apply_replace(const struct patching *patching, const struct operation *operation)
{
    yyjson_mut_val *copy = NULL;
    GM_TRY(copy_into(patching, operation->value, &copy));
    return replace_value(patching, operation->path, copy);
}

static gm_rc apply_remove(const struct patching *patching, const struct operation *operation)
{
    yyjson_mut_val *value = NULL;
    return take_value(patching, operation->path, &value);
}

static gm_rc apply_copy(const struct patching *patching, const struct operation *operation)
{
    yyjson_mut_val *value = NULL;
    yyjson_mut_val *copy = NULL;
    GM_TRY(find_existing(patching, operation->from, &value));
    GM_TRY(copy_into(patching, value, &copy));
    return add_value(patching, operation->path, copy);
}

static gm_rc apply_move(const struct patching *patching, const struct operation *operation)
{
    struct gm_str from = operation->from;
    struct gm_str path = operation->path;
    yyjson_mut_val *value = NULL;
    if (gm_str_eq(from, path)) {
        return find_existing(patching, from,
                             &value); /* stays where it is, but it has to be there */
    }
    if (gm_str_starts(path, from) && path.p[from.n] == '/') {
        return gm_fail(patching->err, GM_E_INVALID,
                       "A value cannot be moved into itself, from '" GM_STR_FMT "' to '" GM_STR_FMT
                       "'.",
                       GM_STR_ARG(from), GM_STR_ARG(path));
    }
    GM_TRY(take_value(patching, from, &value));
    return add_value(patching, path, value);
}

static gm_rc apply_test(const struct patching *patching, const struct operation *operation)
{
    yyjson_mut_val *value = NULL;
    GM_TRY(find_existing(patching, operation->path, &value));
    if (!gm_json_equal_value(value, operation->value)) {
        return gm_fail(patching->err, GM_E_INVALID,
                       "The current value at path '" GM_STR_FMT "' is not equal to the test value.",
                       GM_STR_ARG(operation->path));
    }
    return GM_OK;
}

static const struct {
    const char *name_z;
    enum operand operand;
    gm_rc (*apply)(const struct patching *patching, const struct operation *operation);
} operations[] = {
    {"add", TAKES_VALUE, apply_add},         {"replace", TAKES_VALUE, apply_replace},
    {"remove", TAKES_NOTHING, apply_remove}, {"copy", TAKES_FROM, apply_copy},
    {"move", TAKES_FROM, apply_move},        {"test", TAKES_VALUE, apply_test},
};

/* A parameter that must be a text. An empty path is one: it means the whole document. */
static gm_rc read_pointer(const struct patching *patching, const yyjson_mut_val *item,
                          const char *parameter, struct gm_str *out_pointer)
{
    *out_pointer = gm_json_member_str(item, parameter);
    if (out_pointer->p == NULL) {
        return gm_fail(patching->err, GM_E_INVALID, "Parameter %s must not be empty.", parameter);
    }
    return check_pointer(patching, *out_pointer, parameter);
}

static gm_rc apply_item(const struct patching *patching, const yyjson_mut_val *item)
{
    if (!gm_json_is_object(item)) {
        return gm_fail(patching->err, GM_E_INVALID, "A patch operation must be a JSON object.");
    }
    struct gm_str op = gm_json_member_str(item, "op");
    if (op.n == 0) {
        return gm_fail(patching->err, GM_E_INVALID, "Parameter op must not be empty.");
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(operations); i++) {
        if (!gm_str_is(op, operations[i].name_z)) {
            continue;
        }
        struct operation operation = {.value = gm_json_member(item, GM_STR("value"))};
        GM_TRY(read_pointer(patching, item, "path", &operation.path));
        if (operations[i].operand == TAKES_FROM) {
            GM_TRY(read_pointer(patching, item, "from", &operation.from));
        }
        if (operations[i].operand == TAKES_VALUE && operation.value == NULL) {
            return gm_fail(patching->err, GM_E_INVALID, "Parameter value must not be empty.");
        }
        return operations[i].apply(patching, &operation);
    }
    return gm_fail(patching->err, GM_E_INVALID, "Unsupported operation type " GM_STR_FMT ".",
                   GM_STR_ARG(op));
}

gm_rc gm_json_patch(yyjson_mut_doc *doc, yyjson_mut_val **value, yyjson_mut_val *patch,
                    struct gm_err *err)
{
    struct patching patching = {.doc = doc, .root = value, .err = err};
    if (!gm_json_is_array(patch)) {
        return gm_fail(err, GM_E_INVALID, "A patch must be a JSON array of operations.");
    }
    size_t count = gm_json_len(patch);
    const yyjson_mut_val *item = count > 0 ? gm_json_first_item(patch) : NULL;
    for (; count > 0; count--) {
        GM_TRY(apply_item(&patching, item));
        item = item->next;
    }
    return GM_OK;
}

/* ---- merge patch ---- */

static yyjson_mut_val *merge_within(yyjson_mut_doc *doc, yyjson_mut_val *target,
                                    const yyjson_mut_val *patch, size_t depth)
{
    if (depth > GM_JSON_DEPTH_MAX) {
        return NULL;
    }
    if (!gm_json_is_object(patch)) {
        return gm_json_copy(doc, patch);
    }
    if (!gm_json_is_object(target)) {
        target = yyjson_mut_obj(doc);
    }
    size_t count = gm_json_len(patch);
    const yyjson_mut_val *name = count > 0 ? gm_json_first_name(patch) : NULL;
    for (; count > 0 && target != NULL; count--) {
        if (gm_json_type(name->next) == YYJSON_TYPE_NULL) {
            gm_json_remove(target, gm_json_view(name));
        } else {
            yyjson_mut_val *old = gm_json_member(target, gm_json_view(name));
            yyjson_mut_val *merged = merge_within(doc, old, name->next, depth + 1);
            yyjson_mut_val *copy = gm_json_strcpy(doc, gm_json_view(name));
            if (merged == NULL || copy == NULL) {
                return NULL;
            }
            gm_json_put(target, copy, merged);
        }
        name = name->next->next;
    }
    return target;
}

yyjson_mut_val *gm_json_merge_patch(yyjson_mut_doc *doc, yyjson_mut_val *target,
                                    yyjson_mut_val *patch)
{
    return merge_within(doc, target, patch, 1);
}
