/* Applying changes to a twin. Each patch leaves its garbage in the arena, so that the state is
 * written out and read back once in a while. */
#include "twin/fold.h"

#include "base/mem.h"

enum { COMPACT_SHARE = 8 /* of the room, before garbage is thrown away */ };

static gm_rc corrupt(const struct gm_change *change, struct gm_err *err)
{
    return gm_fail(err, GM_E_CORRUPT,
                   "change %lld of twin \"" GM_STR_FMT "\" does not apply: the log is damaged",
                   (long long)change->num, GM_STR_ARG(change->twin));
}

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "no room for the twin's state");
}

void gm_fold_init(struct gm_fold *fold, size_t size_max)
{
    *fold = (struct gm_fold){.arena = gm_arena_new(size_max)};
    gm_buf_init(&fold->text, size_max);
    fold->doc = gm_json_doc_new(fold->arena);
    GM_ASSERT(fold->doc != NULL);
}

void gm_fold_deinit(struct gm_fold *fold)
{
    gm_buf_deinit(&fold->text);
    gm_arena_free(fold->arena);
}

void gm_fold_reset(struct gm_fold *fold)
{
    gm_arena_reset(fold->arena);
    fold->doc = gm_json_doc_new(fold->arena);
    GM_ASSERT(fold->doc != NULL);
    fold->twin = fold->relationships = fold->versions = fold->stamps = NULL;
    fold->version = 0;
}

static gm_rc compact(struct gm_fold *fold, struct gm_err *err)
{
    if (gm_arena_used(fold->arena) < fold->text.limit / COMPACT_SHARE) {
        return GM_OK;
    }
    yyjson_mut_val **const parts[] = {&fold->twin, &fold->relationships, &fold->versions,
                                      &fold->stamps};
    gm_buf_reset(&fold->text);
    for (size_t i = 0; i < GM_ARRAY_COUNT(parts); i++) {
        gm_buf_add_char(&fold->text, i == 0 ? '[' : ',');
        gm_json_write(*parts[i], &fold->text);
    }
    gm_buf_add_char(&fold->text, ']');
    gm_arena_reset(fold->arena);
    fold->doc = gm_json_doc_new(fold->arena);
    yyjson_mut_val *all = NULL;
    if (fold->doc == NULL || gm_buf_failed(&fold->text)) {
        return no_room(err);
    }
    GM_TRY(gm_json_parse(fold->doc, gm_buf_str(&fold->text), &all, err));
    for (size_t i = 0; i < GM_ARRAY_COUNT(parts); i++) {
        *parts[i] = yyjson_mut_arr_remove_first(all);
    }
    return GM_OK;
}

/* ---- times ---- */

/* "/name/member/rest" → "name/member"; "/name" → "name". */
static struct gm_str stamped(struct gm_str path)
{
    struct gm_str key = {path.p + 1, path.n > 0 ? path.n - 1 : 0};
    size_t slashes = 0, n = 0;
    while (n < key.n && (slashes += key.p[n] == '/') < 2) {
        n++;
    }
    return (struct gm_str){key.p, n};
}

static bool is_below(struct gm_str key, struct gm_str name)
{
    return key.n > name.n && key.p[name.n] == '/' && memcmp(key.p, name.p, name.n) == 0;
}

/* What was written whole has no part with a time of its own. */
static void forget_below(struct gm_fold *fold, struct gm_str name)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(fold->stamps);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        if (is_below(gm_json_str(key), name)) {
            yyjson_mut_obj_iter_remove(&iter);
        }
    }
}

static gm_rc stamp(struct gm_fold *fold, yyjson_mut_val *patch, gm_ns time, struct gm_err *err)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(patch);
    for (yyjson_mut_val *op; (op = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        struct gm_str key = stamped(gm_json_member_str(op, "path"));
        bool of_metadata =
            gm_str_starts(key, GM_STR("$metadata")) || gm_str_ends(key, GM_STR("/$metadata"));
        if (key.n == 0 || of_metadata) {
            continue;
        }
        if (memchr(key.p, '/', key.n) == NULL) {
            forget_below(fold, key);
        }
        yyjson_mut_val *copy = gm_json_strcpy(fold->doc, key);
        if (copy == NULL || !gm_json_set(fold->doc, fold->stamps, gm_json_str(copy),
                                         yyjson_mut_sint(fold->doc, time))) {
            return no_room(err);
        }
    }
    return GM_OK;
}

gm_ns gm_fold_time(const struct gm_fold *fold, struct gm_str component, struct gm_str name)
{
    gm_ns time = fold->created;
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(fold->stamps);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        struct gm_str at = gm_json_str(key);
        bool is_it = component.n == 0
                         ? gm_str_eq(at, name) || is_below(at, name)
                         : gm_str_eq(at, component) ||
                               (is_below(at, component) && at.n == component.n + 1 + name.n &&
                                memcmp(at.p + component.n + 1, name.p, name.n) == 0);
        gm_ns then = is_it ? (gm_ns)yyjson_mut_get_sint(yyjson_mut_obj_iter_get_val(key)) : time;
        time = then > time ? then : time;
    }
    return time;
}

/* ---- changes ---- */

static gm_rc put_relationship(struct gm_fold *fold, struct gm_str id, yyjson_mut_val *operation,
                              bool is_new, struct gm_err *err)
{
    yyjson_mut_val *relationship = gm_json_copy(fold->doc, operation);
    (void)gm_json_remove(relationship, GM_STR("op"));
    (void)gm_json_remove(relationship, GM_STR("$patch"));
    int64_t before = is_new ? 0 : yyjson_mut_get_sint(gm_json_member(fold->versions, id));
    bool ok = gm_json_set(fold->doc, fold->relationships, id, relationship) &&
              gm_json_set(fold->doc, fold->versions, id, yyjson_mut_sint(fold->doc, before + 1));
    return ok ? GM_OK : no_room(err);
}

static gm_rc apply_relationships(struct gm_fold *fold, const struct gm_change *change,
                                 yyjson_mut_val *operations, struct gm_err *err)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(operations);
    for (yyjson_mut_val *operation; (operation = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        struct gm_str op = gm_json_member_str(operation, "op");
        struct gm_str id = gm_json_member_str(operation, "$relationshipId");
        if (id.p == NULL) {
            return corrupt(change, err);
        }
        bool is_new = gm_str_is(op, "add");
        if (is_new || gm_str_is(op, "replace")) {
            GM_TRY(put_relationship(fold, id, operation, is_new, err));
        } else { /* remove, or wait for an end that is missing: either way it is not there */
            (void)gm_json_remove(fold->relationships, id);
        }
    }
    return GM_OK;
}

static gm_rc create(struct gm_fold *fold, const struct gm_change *change, yyjson_mut_val *data,
                    struct gm_err *err)
{
    fold->twin = data;
    fold->relationships = yyjson_mut_obj(fold->doc);
    fold->versions = yyjson_mut_obj(fold->doc);
    fold->stamps = yyjson_mut_obj(fold->doc);
    fold->created = fold->updated = change->time;
    fold->version = 1;
    return fold->stamps != NULL ? GM_OK : no_room(err);
}

static gm_rc update(struct gm_fold *fold, const struct gm_change *change, yyjson_mut_val *patch,
                    struct gm_err *err)
{
    struct gm_err own = {0};
    if (fold->twin == NULL || gm_json_patch(fold->doc, &fold->twin, patch, &own) != GM_OK) {
        return own.rc == GM_E_LIMIT ? no_room(err) : corrupt(change, err);
    }
    fold->updated = change->time;
    fold->version++;
    return stamp(fold, patch, change->time, err);
}

gm_rc gm_fold_apply(struct gm_fold *fold, const struct gm_change *change, struct gm_err *err)
{
    yyjson_mut_val *data;
    if (gm_json_parse(fold->doc, change->data, &data, err) != GM_OK) {
        return err->rc == GM_E_LIMIT ? GM_E_LIMIT : corrupt(change, err);
    }
    switch (change->kind) {
    case GM_CHANGE_CREATE:
        return create(fold, change, data, err);
    case GM_CHANGE_UPDATE:
        GM_TRY(update(fold, change, data, err));
        return compact(fold, err);
    case GM_CHANGE_RELATIONSHIPS:
        if (fold->twin == NULL) {
            return corrupt(change, err);
        }
        GM_TRY(apply_relationships(fold, change, data, err));
        return compact(fold, err);
    case GM_CHANGE_DELETE:
    case GM_CHANGE_TELEMETRY:
        break;
    }
    return corrupt(change, err); /* the chain was cut behind the last creation */
}
