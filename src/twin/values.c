/* Making, filling and dropping indexes of property values. */
#include "twin/values.h"

#include "base/mem.h"
#include "base/vec.h"
#include "twin_sql.h"

static const char *const states[] = {
    [GM_VALUE_BUILDING] = "building", [GM_VALUE_READY] = "ready", [GM_VALUE_DROPPING] = "dropping"};

static gm_rc read_row(struct gm_stmt *stmt, struct gm_arena *arena, struct gm_value_index *out,
                      struct gm_err *err)
{
    struct gm_str state = gm_column_text(stmt, 2);
    *out = (struct gm_value_index){.num = gm_column_i64(stmt, 0),
                                   .path = gm_arena_dup(arena, gm_column_text(stmt, 1)),
                                   .built_to = gm_column_i64(stmt, 3),
                                   .created = gm_column_i64(stmt, 4),
                                   .last_used = gm_column_i64(stmt, 5),
                                   .uses = gm_column_i64(stmt, 6)};
    for (enum gm_value_state i = GM_VALUE_BUILDING; i <= GM_VALUE_DROPPING; i++) {
        out->state = gm_str_is(state, states[i]) ? i : out->state;
    }
    return out->path.p != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "no room for the indexes");
}

gm_rc gm_value_indexes_read(struct gm_db *db, struct gm_arena *arena,
                            struct gm_value_indexes *out_indexes, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_VEC(struct gm_value_index) list = {0};
    GM_TRY(gm_db_prepare(db, GM_SQL_VALUE_INDEXES, &stmt, err));
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        rc = read_row(stmt, arena, gm_vec_push(&list), err);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_stmt_finalize(stmt);
    if (rc == GM_E_END) {
        size_t size = list.n * sizeof(list.at[0]);
        out_indexes->at = gm_arena_alloc(arena, size);
        out_indexes->count = list.n;
        rc = out_indexes->at != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "no room for the indexes");
        if (rc == GM_OK && size > 0) {
            memcpy(out_indexes->at, list.at, size);
        }
    }
    gm_vec_deinit(&list);
    return rc;
}

/* ---- statements with few parameters ---- */

struct param {
    struct gm_str text; /* p NULL: the number */
    int64_t number;
};

enum { PARAMS_MAX = 4 };

struct params {
    int count;
    struct param at[PARAMS_MAX];
};

static gm_rc run(struct gm_db *db, const char *sql_z, const struct params *given,
                 int64_t *out_changes, struct gm_err *err)
{
    struct gm_stmt *stmt;
    const struct param *params = given->at;
    GM_TRY(gm_db_prepare(db, sql_z, &stmt, err));
    for (int i = 0; i < given->count; i++) {
        if (params[i].text.p != NULL) {
            gm_bind_text(stmt, i + 1, params[i].text);
        } else {
            gm_bind_i64(stmt, i + 1, params[i].number);
        }
    }
    gm_rc rc = gm_stmt_run(stmt, out_changes, err);
    gm_stmt_finalize(stmt);
    return rc;
}

static gm_rc exec_all(struct gm_db *db, const char *const *sql, size_t count, struct gm_err *err)
{
    for (size_t i = 0; i < count; i++) {
        GM_TRY(gm_db_exec(db, sql[i], err));
    }
    return GM_OK;
}

static gm_rc begin_following(struct gm_db *db, struct gm_err *err)
{
    static const char *const sqlite[] = {GM_SQL_VALUES_ON_INSERT_SQLITE,
                                         GM_SQL_VALUES_ON_DELETE_SQLITE,
                                         GM_SQL_VALUES_ON_UPDATE_SQLITE};
    static const char *const postgresql[] = {GM_SQL_VALUES_FUNCTION_POSTGRESQL,
                                             GM_SQL_VALUES_TRIGGER_POSTGRESQL};
    return gm_db_engine(db) == GM_DB_SQLITE
               ? exec_all(db, sqlite, GM_ARRAY_COUNT(sqlite), err)
               : exec_all(db, postgresql, GM_ARRAY_COUNT(postgresql), err);
}

static gm_rc end_following(struct gm_db *db, struct gm_err *err)
{
    static const char *const sqlite[] = {GM_SQL_VALUES_OFF_INSERT_SQLITE,
                                         GM_SQL_VALUES_OFF_DELETE_SQLITE,
                                         GM_SQL_VALUES_OFF_UPDATE_SQLITE};
    static const char *const postgresql[] = {GM_SQL_VALUES_UNTRIGGER_POSTGRESQL};
    return gm_db_engine(db) == GM_DB_SQLITE
               ? exec_all(db, sqlite, GM_ARRAY_COUNT(sqlite), err)
               : exec_all(db, postgresql, GM_ARRAY_COUNT(postgresql), err);
}

/* ---- the life of an index ---- */

gm_rc gm_value_index_add(struct gm_db *db, struct gm_str path, gm_ns now, struct gm_err *err)
{
    const struct params params = {2, {{.text = path}, {.number = now}}};
    int64_t added = 0;
    GM_TRY(run(db, GM_SQL_VALUE_INDEX_INSERT, &params, &added, err));
    return added > 0 ? begin_following(db, err) : GM_OK;
}

static gm_rc set_state(struct gm_db *db, const struct gm_value_index *index,
                       enum gm_value_state state, int64_t built_to, struct gm_err *err)
{
    const struct params params = {
        3, {{.number = index->num}, {.text = gm_str_z(states[state])}, {.number = built_to}}};
    return run(db, GM_SQL_VALUE_INDEX_UPDATE, &params, NULL, err);
}

gm_rc gm_value_index_drop(struct gm_db *db, const struct gm_value_index *index, struct gm_err *err)
{
    return set_state(db, index, GM_VALUE_DROPPING, 0, err);
}

gm_rc gm_value_index_used(struct gm_db *db, int64_t num, int64_t uses, gm_ns now,
                          struct gm_err *err)
{
    const struct params params = {3, {{.number = num}, {.number = now}, {.number = uses}}};
    return run(db, GM_SQL_VALUE_INDEX_USE, &params, NULL, err);
}

/* The number of the last twin of the next step; 0: there is none behind `built_to`. */
static gm_rc find_step(struct gm_db *db, int64_t built_to, int64_t *out_last, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, GM_SQL_VALUE_INDEX_STEP, &stmt, err));
    gm_bind_i64(stmt, 1, built_to);
    gm_bind_i64(stmt, 2, GM_VALUE_STEP_TWINS);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        *out_last = gm_column_i64(stmt, 0);
    }
    gm_stmt_finalize(stmt);
    return rc;
}

static gm_rc build(struct gm_db *db, const struct gm_value_index *index, bool *out_done,
                   struct gm_err *err)
{
    bool sqlite = gm_db_engine(db) == GM_DB_SQLITE;
    int64_t last = 0;
    GM_TRY(find_step(db, index->built_to, &last, err));
    *out_done = last == 0;
    if (*out_done) {
        return set_state(db, index, GM_VALUE_READY, index->built_to, err);
    }
    const struct params params = {4,
                                  {{.number = index->num},
                                   {.text = index->path},
                                   {.number = index->built_to},
                                   {.number = last}}};
    GM_TRY(run(db, sqlite ? GM_SQL_VALUE_NUMBERS_FILL_SQLITE : GM_SQL_VALUE_NUMBERS_FILL_POSTGRESQL,
               &params, NULL, err));
    GM_TRY(run(db, sqlite ? GM_SQL_VALUE_TEXTS_FILL_SQLITE : GM_SQL_VALUE_TEXTS_FILL_POSTGRESQL,
               &params, NULL, err));
    return set_state(db, index, GM_VALUE_BUILDING, last, err);
}

static gm_rc count_indexes(struct gm_db *db, size_t *out_count, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(1 << 20);
    struct gm_value_indexes indexes = {0};
    gm_rc rc = gm_value_indexes_read(db, arena, &indexes, err);
    *out_count = indexes.count;
    gm_arena_free(arena);
    return rc;
}

static gm_rc take_away(struct gm_db *db, const struct gm_value_index *index, bool *out_done,
                       struct gm_err *err)
{
    const struct params params = {2, {{.number = index->num}, {.number = GM_VALUE_STEP_TWINS}}};
    int64_t numbers = 0, texts = 0;
    size_t count;
    GM_TRY(run(db, GM_SQL_VALUE_NUMBERS_DROP, &params, &numbers, err));
    GM_TRY(run(db, GM_SQL_VALUE_TEXTS_DROP, &params, &texts, err));
    *out_done = numbers + texts == 0;
    if (!*out_done) {
        return GM_OK;
    }
    const struct params by_num = {1, {{.number = index->num}}};
    GM_TRY(run(db, GM_SQL_VALUE_INDEX_DELETE, &by_num, NULL, err));
    GM_TRY(count_indexes(db, &count, err));
    return count == 0 ? end_following(db, err) : GM_OK;
}

gm_rc gm_value_index_step(struct gm_db *db, const struct gm_value_index *index, bool *out_done,
                          struct gm_err *err)
{
    switch (index->state) {
    case GM_VALUE_BUILDING:
        return build(db, index, out_done, err);
    case GM_VALUE_DROPPING:
        return take_away(db, index, out_done, err);
    case GM_VALUE_READY:
        break;
    }
    *out_done = true;
    return GM_OK;
}
