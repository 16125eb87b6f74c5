/* Where each property and relationship of a twin comes from: the change log is walked backwards
 * until each has met the change that wrote it last. */
#include "base/vec.h"
#include "twin/graph.h"
#include "twin/history.h"
#include "twin/twin_json.h"
#include "twin_sql.h"

struct search {
    struct gm_arena *arena;
    GM_VEC(struct gm_origin) origins;
    size_t missing; /* origins that have no change yet */
    bool failed;    /* the arena is full */
};

/* ---- what to look for ---- */

static void add_token(struct gm_buf *path, struct gm_str name)
{
    gm_buf_add_char(path, '/');
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '~' || name.p[i] == '/') {
            gm_buf_add_z(path, name.p[i] == '~' ? "~0" : "~1");
        } else {
            gm_buf_add_char(path, name.p[i]);
        }
    }
}

static void look_for(struct search *search, struct gm_str path, bool relationship)
{
    struct gm_str copy = gm_arena_dup(search->arena, path);
    search->failed = search->failed || copy.p == NULL;
    struct gm_origin *origin = gm_vec_push(&search->origins);
    origin->path = copy;
    origin->relationship = relationship;
    search->missing++;
}

/* A component's properties one by one; an empty component as a whole. */
static void look_for_member(struct search *search, const struct gm_model *model, struct gm_str name,
                            yyjson_mut_val *value)
{
    struct gm_buf path;
    gm_buf_init(&path, (size_t)GM_TWIN_BODY_SIZE_MAX * 4);
    add_token(&path, name);
    const struct gm_content *content = gm_model_content(model, name);
    bool is_component =
        content != NULL && content->type == GM_CONTENT_COMPONENT && gm_json_count(value) > 0;
    size_t prefix = path.n, index, max;
    yyjson_mut_val *key, *member;
    if (!is_component) {
        look_for(search, gm_buf_str(&path), false);
    }
    yyjson_mut_obj_foreach(is_component ? value : NULL, index, max, key, member)
    {
        path.n = prefix;
        add_token(&path, gm_json_str(key));
        look_for(search, gm_buf_str(&path), false);
    }
    gm_buf_deinit(&path);
}

static gm_rc look_for_body(struct search *search, const struct gm_models *models,
                           const struct gm_twin *twin, struct gm_err *err)
{
    const struct gm_model *model;
    GM_TRY(gm_twin_model(models, twin, &model, err));
    yyjson_mut_doc *doc = gm_json_doc_new(search->arena);
    yyjson_mut_val *body;
    if (doc == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for the twin");
    }
    GM_TRY(gm_json_parse(doc, twin->body, &body, err));
    look_for(search, GM_STR("/$metadata/$model"), false);
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        look_for_member(search, model, gm_json_str(key), value);
    }
    return GM_OK;
}

static gm_rc look_for_relationships(struct search *search, struct gm_db *db, int64_t num,
                                    struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, GM_SQL_RELATIONSHIP_IDS_OF_TWIN, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        look_for(search, gm_column_text(stmt, 0), true);
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- finding it ---- */

static void found(struct search *search, struct gm_origin *origin, const struct gm_change *change)
{
    if (origin->change != 0) {
        return;
    }
    origin->change = change->num;
    origin->time = change->time;
    origin->pipeline = change->pipeline;
    origin->run = change->run;
    origin->position = change->position;
    origin->actor = gm_arena_dup(search->arena, change->actor);
    search->failed = search->failed || origin->actor.p == NULL;
    search->missing--;
}

/* Whether `path` is `parent` or lies below it. */
static bool is_within(struct gm_str path, struct gm_str parent)
{
    return gm_str_starts(path, parent) && (path.n == parent.n || path.p[parent.n] == '/');
}

/* A patch wrote a property when it wrote it, something within it, or what it is within (a whole
 * component). */
static void match_patch(struct search *search, const struct gm_change *change,
                        yyjson_mut_val *patch)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(patch);
    for (yyjson_mut_val *operation; (operation = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        struct gm_str path = gm_json_member_str(operation, "path");
        for (size_t i = 0; i < search->origins.n; i++) {
            struct gm_origin *origin = &search->origins.at[i];
            if (!origin->relationship &&
                (is_within(path, origin->path) || is_within(origin->path, path))) {
                found(search, origin, change);
            }
        }
    }
}

static void match_relationships(struct search *search, const struct gm_change *change,
                                yyjson_mut_val *operations)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(operations);
    for (yyjson_mut_val *operation; (operation = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        struct gm_str op = gm_json_member_str(operation, "op");
        struct gm_str id = gm_json_member_str(operation, "$relationshipId");
        bool writes = gm_str_is(op, "add") || gm_str_is(op, "replace");
        for (size_t i = 0; writes && i < search->origins.n; i++) {
            struct gm_origin *origin = &search->origins.at[i];
            if (origin->relationship && gm_str_eq(origin->path, id)) {
                found(search, origin, change);
            }
        }
    }
}

/* Everything else was there from the beginning. */
static void match_creation(struct search *search, const struct gm_change *change)
{
    for (size_t i = 0; i < search->origins.n; i++) {
        if (!search->origins.at[i].relationship) {
            found(search, &search->origins.at[i], change);
        }
    }
}

/* GM_E_END: nothing is left to look for, or to look at. */
static gm_rc look_at(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    enum { DATA_ARENA_SIZE = 256 << 20 };
    struct search *search = ctx;
    if (change->kind == GM_CHANGE_CREATE) {
        match_creation(search, change);
        return GM_E_END;
    }
    if (change->kind == GM_CHANGE_DELETE) {
        return GM_E_END;
    }
    struct gm_arena *arena = gm_arena_new(DATA_ARENA_SIZE);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *data;
    gm_rc rc = doc != NULL ? gm_json_parse(doc, change->data, &data, err)
                           : gm_fail(err, GM_E_LIMIT, "no room for a change");
    if (rc == GM_OK && change->kind == GM_CHANGE_UPDATE) {
        match_patch(search, change, data);
    } else if (rc == GM_OK) {
        match_relationships(search, change, data);
    }
    gm_arena_free(arena);
    return rc == GM_OK && search->missing == 0 ? GM_E_END : rc;
}

static gm_rc find_wanted(struct search *search, struct gm_db *db, const struct gm_models *models,
                         struct gm_str id, struct gm_err *err)
{
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    GM_TRY(gm_twin_reader_open(db, &reader, err));
    gm_rc rc = gm_twin_by_id(reader, id, &twin, err);
    rc = rc == GM_OK ? look_for_body(search, models, &twin, err) : rc;
    rc = rc == GM_OK ? look_for_relationships(search, db, twin.num, err) : rc;
    gm_twin_reader_close(reader);
    return rc;
}

gm_rc gm_provenance(struct gm_db *db, const struct gm_models *models, struct gm_str twin,
                    struct gm_origins *origins, struct gm_err *err)
{
    struct search search = {.arena = origins->arena};
    gm_rc rc = find_wanted(&search, db, models, twin, err);
    if (rc == GM_OK) {
        rc = gm_history_walk(db, &(struct gm_history_query){.twin = twin}, look_at, &search, err);
        rc = rc == GM_E_END ? GM_OK : rc;
    }
    size_t size = search.origins.n * sizeof(search.origins.at[0]);
    struct gm_origin *copy = rc == GM_OK ? gm_arena_alloc(origins->arena, size) : NULL;
    if (rc == GM_OK && (search.failed || copy == NULL)) {
        rc = gm_fail(err, GM_E_LIMIT, "no room for where the twin comes from");
    }
    if (rc == GM_OK) {
        memcpy(copy, search.origins.at, size);
        origins->at = copy;
        origins->count = search.origins.n;
    }
    gm_vec_deinit(&search.origins);
    return rc;
}
