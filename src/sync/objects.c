#include "sync/objects.h"

#include "sync/rows.h"
#include "sync_sql.h"

/* ---- reading ---- */

static bool keep_text(struct gm_arena *arena, const struct gm_stmt *stmt, int index,
                      struct gm_str *out_text)
{
    struct gm_str text = gm_column_text(stmt, index);
    *out_text = text.p != NULL ? gm_arena_dup(arena, text) : text;
    return text.p == NULL || out_text->p != NULL;
}

static gm_rc copy_row(const struct gm_stmt *stmt, struct gm_arena *arena,
                      struct gm_object **out_object, struct gm_err *err)
{
    struct gm_object *object = gm_arena_zalloc(arena, sizeof(*object));
    bool kept = object != NULL && keep_text(arena, stmt, 1, &object->id) &&
                keep_text(arena, stmt, 2, &object->key) &&
                keep_text(arena, stmt, 5, &object->body) &&
                keep_text(arena, stmt, 6, &object->next) &&
                keep_text(arena, stmt, 7, &object->waiting_for) &&
                keep_text(arena, stmt, 8, &object->link_to);
    if (!kept) {
        return gm_fail(err, GM_E_LIMIT, "what was delivered is too much to look at at a time");
    }
    object->pipeline = gm_column_i64(stmt, 0);
    object->target = gm_column_i64(stmt, 3);
    object->owned = gm_column_i64(stmt, 4) != 0;
    *out_object = object;
    return GM_OK;
}

static gm_rc read_rows(struct gm_stmt *stmt, struct gm_arena *arena, struct gm_object **out_first,
                       struct gm_err *err)
{
    struct gm_object *first = NULL, **last = &first;
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        rc = copy_row(stmt, arena, last, err);
        if (rc != GM_OK) {
            gm_reset(stmt);
            return rc;
        }
        last = &(*last)->behind;
    }
    if (rc != GM_E_END) {
        return rc;
    }
    *out_first = first;
    return GM_OK;
}

/* What stands under a pipeline and one text. */
static gm_rc read_by_text(struct gm_stmt *stmt, struct gm_arena *arena,
                          const struct gm_state_key *key, struct gm_object **out_first,
                          struct gm_err *err)
{
    gm_bind_i64(stmt, 1, key->pipeline);
    gm_bind_text(stmt, 2, key->key);
    return read_rows(stmt, arena, out_first, err);
}

gm_rc gm_objects_of_key(struct gm_db *db, struct gm_arena *arena, const struct gm_state_key *key,
                        struct gm_object **out_first, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_OF_KEY, &stmt, err));
    return read_by_text(stmt, arena, key, out_first, err);
}

gm_rc gm_object_get(struct gm_db *db, struct gm_arena *arena, const struct gm_state_key *id,
                    struct gm_object **out_object, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECT_GET, &stmt, err));
    return read_by_text(stmt, arena, id, out_object, err);
}

gm_rc gm_objects_waiting_for(struct gm_db *db, struct gm_arena *arena,
                             const struct gm_state_key *id, struct gm_object **out_first,
                             struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_WAITING_FOR, &stmt, err));
    return read_by_text(stmt, arena, id, out_first, err);
}

gm_rc gm_objects_waiting(struct gm_db *db, struct gm_arena *arena, const struct gm_object *after,
                         struct gm_object **out_first, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_WAITING, &stmt, err));
    gm_bind_i64(stmt, 1, after->pipeline);
    gm_bind_text(stmt, 2, after->waiting_for);
    gm_bind_text(stmt, 3, after->id);
    gm_bind_i64(stmt, 4, GM_OBJECTS_PAGE);
    return read_rows(stmt, arena, out_first, err);
}

gm_rc gm_objects_linked_to(struct gm_db *db, struct gm_arena *arena,
                           const struct gm_object_place *twin, struct gm_object **out_first,
                           struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_LINKED_TO, &stmt, err));
    gm_bind_text(stmt, 1, twin->id);
    gm_bind_i64(stmt, 2, twin->target);
    return read_rows(stmt, arena, out_first, err);
}

gm_rc gm_objects_of_others(struct gm_db *db, struct gm_arena *arena,
                           const struct gm_object_place *place, struct gm_object **out_first,
                           struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_OF_OTHERS, &stmt, err));
    gm_bind_text(stmt, 1, place->id);
    gm_bind_i64(stmt, 2, place->target);
    gm_bind_i64(stmt, 3, place->pipeline);
    return read_rows(stmt, arena, out_first, err);
}

/* ---- writing ---- */

/* What the table in the header says. */
static bool is_consistent(const struct gm_object *object)
{
    bool waits = object->waiting_for.p != NULL;
    return (object->body.p != NULL || object->next.p != NULL) &&
           (!waits || (object->body.p == NULL && object->next.p != NULL));
}

gm_rc gm_object_put(struct gm_db *db, const struct gm_object *object, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_ASSERT(is_consistent(object));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECT_PUT, &stmt, err));
    gm_bind_i64(stmt, 1, object->pipeline);
    gm_bind_text(stmt, 2, object->id);
    gm_bind_text(stmt, 3, object->key);
    gm_bind_i64(stmt, 4, object->target);
    gm_bind_i64(stmt, 5, object->owned ? 1 : 0);
    gm_bind_text(stmt, 6, object->body);
    gm_bind_text(stmt, 7, object->next);
    gm_bind_text(stmt, 8, object->waiting_for);
    gm_bind_text(stmt, 9, object->link_to);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_object_remove(struct gm_db *db, int64_t pipeline, struct gm_str id, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECT_REMOVE, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_bind_text(stmt, 2, id);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_objects_forget_key(struct gm_db *db, const struct gm_state_key *key, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_FORGET_KEY, &stmt, err));
    gm_bind_i64(stmt, 1, key->pipeline);
    gm_bind_text(stmt, 2, key->key);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_objects_count_waiting(struct gm_db *db, int64_t *out_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_OBJECTS_COUNT_WAITING, &stmt, err));
    return gm_step_number(stmt, out_count, err);
}
