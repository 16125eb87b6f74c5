/* Building the graph as it was.
 *
 * From the log's end back to the point: whose twins have changed since, and which change of each
 * was the last one before the point. From there each chain is followed back to its creation, all
 * chains at once, the highest number first: so each chunk of the log is read at most once. A twin
 * whose creation is reached is folded, written, and its changes are let go. */
#include "twin/past.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "twin/fold.h"
#include "twin/graph.h"
#include "twin/history.h"
#include "twin_sql.h"

enum { CHECK_EVERY = 1024 /* changes between looks at the deadline */ };

/* Names are those that queries use (query_plan.c). SQLite makes them for each run, inside its
 * transaction; PostgreSQL, whose snapshots may fill temporary tables but not make them, once for
 * the session. */
static const char make_sqlite[] =
    /* tidy: sql: on temporary tables, which the schema that statements are tested on lacks */
    "CREATE TEMP TABLE past_hidden (num INTEGER PRIMARY KEY);"
    "CREATE TEMP TABLE past_moves (now INTEGER PRIMARY KEY, past INTEGER NOT NULL);"
    "CREATE TEMP TABLE past_kept (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, "
    "version INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, times TEXT, "
    "body TEXT NOT NULL);"
    "CREATE TEMP TABLE past_found (source INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, "
    "target_id TEXT NOT NULL, version INTEGER NOT NULL, body TEXT);"
    "CREATE TEMP TABLE past_links (source INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, "
    "target INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT, PRIMARY KEY (source, id)) "
    "WITHOUT ROWID;"
    "CREATE INDEX temp.past_links_by_target ON past_links (target, name);";

static const char make_postgresql[] =
    /* tidy: sql: on temporary tables, which the schema that statements are tested on lacks */
    "CREATE TEMP TABLE IF NOT EXISTS past_hidden (num BIGINT PRIMARY KEY);"
    "CREATE TEMP TABLE IF NOT EXISTS past_moves (now BIGINT PRIMARY KEY, past BIGINT NOT NULL);"
    "CREATE TEMP TABLE IF NOT EXISTS past_kept (num BIGINT PRIMARY KEY, "
    "id TEXT COLLATE \"C\" NOT NULL UNIQUE, version BIGINT NOT NULL, created BIGINT NOT NULL, "
    "updated BIGINT NOT NULL, times TEXT, body JSON NOT NULL);"
    "CREATE TEMP TABLE IF NOT EXISTS past_found (source BIGINT NOT NULL, "
    "id TEXT COLLATE \"C\" NOT NULL, name TEXT COLLATE \"C\" NOT NULL, "
    "target_id TEXT COLLATE \"C\" NOT NULL, version BIGINT NOT NULL, body JSON);"
    "CREATE TEMP TABLE IF NOT EXISTS past_links (source BIGINT NOT NULL, "
    "id TEXT COLLATE \"C\" NOT NULL, name TEXT COLLATE \"C\" NOT NULL, target BIGINT NOT NULL, "
    "version BIGINT NOT NULL, body JSON, PRIMARY KEY (source, id));"
    "CREATE INDEX IF NOT EXISTS past_links_by_target ON past_links (target, name);";

static const char view_twins[] =
    "CREATE %s VIEW past_twins AS SELECT num, id, version, created, updated, times, body FROM "
    "twins "
    "WHERE num NOT IN (SELECT h.num FROM past_hidden AS h) "
    "UNION ALL SELECT num, id, version, created, updated, times, body FROM past_kept";
static const char view_relationships[] =
    "CREATE %s VIEW past_relationships AS "
    "SELECT source, id, name, target, version, body FROM relationships "
    "WHERE source NOT IN (SELECT h.num FROM past_hidden AS h) "
    "AND target NOT IN (SELECT m.now FROM past_moves AS m) "
    "UNION ALL SELECT source, id, name, target, version, body FROM past_links";

/* Once all twins are there: ends by id become numbers, and relationships that nobody changed follow
 * twins that had another number. */
static const char link[] =
    /* tidy: sql: on temporary tables, which the schema that statements are tested on lacks */
    "INSERT INTO past_links SELECT f.source, f.id, f.name, p.num, f.version, f.body "
    "FROM past_found AS f, past_twins AS p WHERE p.id = f.target_id;"
    "INSERT INTO past_links SELECT r.source, r.id, r.name, m.past, r.version, r.body "
    "FROM past_moves AS m, relationships AS r WHERE r.target = m.now "
    "AND r.source NOT IN (SELECT h.num FROM past_hidden AS h) ON CONFLICT DO NOTHING";

static const char unmake_sqlite[] =
    /* tidy: sql: on temporary tables, which the schema that statements are tested on lacks */
    "DROP VIEW IF EXISTS temp.past_relationships; DROP VIEW IF EXISTS temp.past_twins;"
    "DROP TABLE IF EXISTS temp.past_links; DROP TABLE IF EXISTS temp.past_found;"
    "DROP TABLE IF EXISTS temp.past_kept; DROP TABLE IF EXISTS temp.past_moves;"
    "DROP TABLE IF EXISTS temp.past_hidden";
static const char unmake_postgresql[] =
    /* tidy: sql: on temporary tables, which the schema that statements are tested on lacks */
    "DELETE FROM past_links; DELETE FROM past_found; DELETE FROM past_kept;"
    "DELETE FROM past_moves; DELETE FROM past_hidden";

/* A change of a twin that is kept until its creation is reached. */
struct past_change {
    struct past_change *later;
    struct gm_change change; /* its data is behind the struct; no other text */
};

struct past_twin {
    struct past_change *first; /* the oldest so far */
    struct gm_str id;          /* the map's */
    bool reborn;               /* it went, or came, since the point */
};

/* The next change to look at, of the twin at `twin`. */
struct past_step {
    int64_t num;
    size_t twin;
};

struct past {
    struct gm_db *db;
    const struct gm_models *models;
    struct gm_change_reader *reader;
    struct gm_fold fold;
    struct gm_buf text, times;
    struct gm_map *index; /* id → twins */
    GM_VEC(struct past_twin) twins;
    GM_VEC(struct past_step) heap; /* the highest number first */
    struct gm_stmt *find, *hide, *keep, *move, *found;
    int64_t oldest; /* the first one that is kept */
    int64_t point;  /* the last change that counts */
    int64_t made_up;
    size_t size; /* of what is kept */
    uint64_t looks;
};

static gm_rc look_at_deadline(struct past *past, struct gm_err *err)
{
    return past->looks++ % CHECK_EVERY == 0 ? gm_db_check_deadline(past->db, err) : GM_OK;
}

/* ---- the heap ---- */

static void heap_push(struct past *past, int64_t num, size_t twin)
{
    (void)gm_vec_push(&past->heap);
    struct past_step *at = past->heap.at;
    size_t i = past->heap.n - 1;
    while (i > 0 && at[(i - 1) / 2].num < num) {
        at[i] = at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    at[i] = (struct past_step){num, twin};
}

static struct past_step heap_pop(struct past *past)
{
    struct past_step *at = past->heap.at;
    struct past_step top = at[0], last = at[--past->heap.n];
    size_t n = past->heap.n, i = 0;
    while (2 * i + 1 < n) {
        size_t child = 2 * i + 1;
        child += child + 1 < n && at[child + 1].num > at[child].num;
        if (at[child].num <= last.num) {
            break;
        }
        at[i] = at[child];
        i = child;
    }
    if (n > 0) {
        at[i] = last;
    }
    return top;
}

/* ---- what has changed since ---- */

static gm_rc too_much(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT,
                   "AS OF: too much has changed since then to be held in %d MiB; ask for a later "
                   "time, or for the history of single twins",
                   GM_PAST_SIZE_MAX >> 20);
}

static gm_rc read_change(struct past *past, int64_t num, struct gm_change *out_change,
                         struct gm_err *err)
{
    gm_rc rc = gm_change_read(past->reader, num, out_change, err);
    if (rc == GM_E_END && num < past->oldest) {
        return gm_fail(err, GM_E_INVALID,
                       "AS OF: changes before %lld are not kept any more, and some of the twins "
                       "that have changed since then are older",
                       (long long)past->oldest);
    }
    return rc == GM_E_END
               ? gm_fail(err, GM_E_CORRUPT, "change %lld is missing in the log", (long long)num)
               : rc;
}

/* The number of the last change up to the time: times do not fall, but for clocks that were set. */
static gm_rc find_point(struct past *past, gm_ns time, int64_t *out_newest, struct gm_err *err)
{
    GM_TRY(gm_changes_range(past->db, &past->oldest, out_newest, err));
    int64_t oldest = past->oldest, low = oldest - 1, high = *out_newest;
    while (low < high) {
        struct gm_change change;
        int64_t middle = low + (high - low + 1) / 2;
        GM_TRY(read_change(past, middle, &change, err));
        if (change.time <= time) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    past->point = low;
    return low < oldest && oldest > 1
               ? gm_fail(err, GM_E_INVALID, "AS OF: the change log begins later than that")
               : GM_OK;
}

/* The current row of a twin that has changed is not of then. */
static gm_rc hide(struct past *past, struct gm_str id, struct gm_err *err)
{
    gm_bind_text(past->hide, 1, id);
    return gm_stmt_run(past->hide, NULL, err);
}

static gm_rc note_changed(struct past *past, const struct gm_change *change, struct gm_err *err)
{
    uint64_t index = past->twins.n;
    if (gm_map_get(past->index, change->twin, &index)) {
        struct past_twin *twin = &past->twins.at[index];
        twin->reborn =
            twin->reborn || change->kind == GM_CHANGE_CREATE || change->kind == GM_CHANGE_DELETE;
        return GM_OK;
    }
    past->size += sizeof(struct past_twin) + sizeof(struct past_step) + 2 * change->twin.n + 64;
    if (past->size > GM_PAST_SIZE_MAX) {
        return too_much(err);
    }
    (void)gm_map_set(past->index, change->twin, index);
    *gm_vec_push(&past->twins) = (struct past_twin){.reborn = change->kind == GM_CHANGE_CREATE ||
                                                              change->kind == GM_CHANGE_DELETE};
    if (change->previous != 0) {
        heap_push(past, change->previous, index);
    }
    return hide(past, change->twin, err);
}

static gm_rc find_changed(struct past *past, int64_t newest, struct gm_err *err)
{
    for (int64_t num = past->point + 1; num <= newest; num++) {
        struct gm_change change;
        GM_TRY(look_at_deadline(past, err));
        GM_TRY(read_change(past, num, &change, err));
        if (change.kind != GM_CHANGE_TELEMETRY) {
            GM_TRY(note_changed(past, &change, err));
        }
    }
    for (size_t i = 0; i < past->twins.n; i++) {
        past->twins.at[i].id = gm_map_key_at(past->index, i);
    }
    return GM_OK;
}

/* ---- a twin as it was ---- */

static gm_rc keep_change(struct past *past, struct past_twin *twin, const struct gm_change *change,
                         struct gm_err *err)
{
    size_t size = sizeof(struct past_change) + change->data.n;
    past->size += size;
    if (past->size > GM_PAST_SIZE_MAX) {
        return too_much(err);
    }
    struct past_change *kept = gm_alloc(size);
    kept->change = (struct gm_change){.num = change->num,
                                      .kind = change->kind,
                                      .time = change->time,
                                      .twin = twin->id,
                                      .data = {(char *)(kept + 1), change->data.n}};
    memcpy(kept + 1, change->data.p, change->data.n);
    kept->later = twin->first;
    twin->first = kept;
    return GM_OK;
}

static void drop_changes(struct past *past, struct past_twin *twin)
{
    while (twin->first != NULL) {
        struct past_change *kept = twin->first;
        twin->first = kept->later;
        past->size -= sizeof(*kept) + kept->change.data.n;
        gm_free(kept);
    }
}

/* One property's entry in `times`, where it has one. */
static void add_time(struct past *past, struct gm_str component, struct gm_str name,
                     yyjson_mut_val *metadata)
{
    gm_ns time = gm_fold_time(&past->fold, component, name);
    struct gm_str source = gm_json_member_str(gm_json_member(metadata, name), "sourceTime");
    if (time == past->fold.updated && source.p == NULL) {
        return;
    }
    struct gm_buf *out = &past->times;
    struct gm_str key = component.n == 0
                            ? name
                            : gm_arena_format(past->fold.arena, GM_STR_FMT "/" GM_STR_FMT,
                                              GM_STR_ARG(component), GM_STR_ARG(name));
    gm_buf_add_char(out, out->n == 0 ? '{' : ',');
    gm_json_quote(out, key);
    gm_buf_addf(out, source.p != NULL ? ":[%lld," : ":%lld", (long long)time);
    if (source.p != NULL) {
        gm_json_quote(out, source);
        gm_buf_add_char(out, ']');
    }
}

/* Takes $metadata out, and leaves what it told in past->times. */
static void split_component(struct past *past, struct gm_str name, yyjson_mut_val *component)
{
    yyjson_mut_val *metadata = gm_json_member(component, GM_STR("$metadata"));
    (void)gm_json_remove(component, GM_STR("$metadata"));
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(component);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        add_time(past, name, gm_json_str(key), metadata);
    }
}

static void split_body(struct past *past, const struct gm_model *model)
{
    yyjson_mut_val *twin = past->fold.twin;
    yyjson_mut_val *metadata = gm_json_member(twin, GM_STR("$metadata"));
    (void)gm_json_remove(twin, GM_STR("$metadata"));
    gm_buf_reset(&past->times);
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(twin);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        struct gm_str name = gm_json_str(key);
        const struct gm_content *content = gm_model_content(model, name);
        if (content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(value)) {
            split_component(past, name, value);
        } else {
            add_time(past, (struct gm_str){NULL, 0}, name, metadata);
        }
    }
    if (past->times.n > 0) {
        gm_buf_add_char(&past->times, '}');
    }
    gm_buf_reset(&past->text);
    gm_json_canonical(past->fold.doc, twin, &past->text);
}

/* Its number: the one that it has, if it is the same twin of the same model. */
static gm_rc find_num(struct past *past, const struct past_twin *twin, int64_t model_num,
                      int64_t *out_num, struct gm_err *err)
{
    gm_bind_text(past->find, 1, twin->id);
    gm_rc rc = gm_step(past->find, err);
    int64_t now = rc == GM_OK ? gm_column_i64(past->find, 0) : 0;
    gm_reset(past->find);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    bool same = now != 0 && !twin->reborn;
    if (same && gm_twin_model_num(now) == model_num) {
        *out_num = now;
        return GM_OK;
    }
    *out_num = (model_num << 32) | (UINT32_MAX - past->made_up++);
    if (!same) {
        return GM_OK;
    }
    gm_bind_i64(past->move, 1, now);
    gm_bind_i64(past->move, 2, *out_num);
    return gm_stmt_run(past->move, NULL, err);
}

static gm_rc write_relationships(struct past *past, int64_t source, struct gm_err *err)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(past->fold.relationships);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        struct gm_str id = gm_json_str(key);
        gm_bind_i64(past->found, 1, source);
        gm_bind_text(past->found, 2, id);
        gm_bind_text(past->found, 3, gm_json_member_str(value, "$relationshipName"));
        gm_bind_text(past->found, 4, gm_json_member_str(value, "$targetId"));
        gm_bind_i64(past->found, 5, yyjson_mut_get_sint(gm_json_member(past->fold.versions, id)));
        yyjson_mut_val *properties = gm_json_copy(past->fold.doc, value);
        (void)gm_json_remove(properties, GM_STR("$relationshipName"));
        (void)gm_json_remove(properties, GM_STR("$relationshipId"));
        (void)gm_json_remove(properties, GM_STR("$targetId"));
        (void)gm_json_remove(properties, GM_STR("$sourceId"));
        gm_buf_reset(&past->text);
        if (gm_json_count(properties) > 0) {
            gm_json_canonical(past->fold.doc, properties, &past->text);
        }
        gm_bind_text(past->found, 6,
                     past->text.n > 0 ? gm_buf_str(&past->text) : (struct gm_str){NULL, 0});
        GM_TRY(gm_stmt_run(past->found, NULL, err));
    }
    return GM_OK;
}

static gm_rc write_twin(struct past *past, const struct past_twin *twin, struct gm_err *err)
{
    struct gm_str model_id =
        gm_json_member_str(gm_json_member(past->fold.twin, GM_STR("$metadata")), "$model");
    const struct gm_model *model = gm_models_find(past->models, model_id);
    int64_t num;
    if (model == NULL || model->num <= 0) {
        return gm_fail(err, GM_E_INVALID,
                       "AS OF: twin \"" GM_STR_FMT "\" was of model `" GM_STR_FMT
                       "` then, which is not in the store any more",
                       GM_STR_ARG(twin->id), GM_STR_ARG(model_id));
    }
    GM_TRY(find_num(past, twin, model->num, &num, err));
    split_body(past, model);
    gm_bind_i64(past->keep, 1, num);
    gm_bind_text(past->keep, 2, twin->id);
    gm_bind_i64(past->keep, 3, past->fold.version);
    gm_bind_i64(past->keep, 4, past->fold.created);
    gm_bind_i64(past->keep, 5, past->fold.updated);
    gm_bind_text(past->keep, 6,
                 past->times.n > 0 ? gm_buf_str(&past->times) : (struct gm_str){NULL, 0});
    gm_bind_text(past->keep, 7, gm_buf_str(&past->text));
    GM_TRY(gm_stmt_run(past->keep, NULL, err));
    return write_relationships(past, num, err);
}

/* The changes from the creation on are there. */
static gm_rc finish_twin(struct past *past, struct past_twin *twin, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    gm_fold_reset(&past->fold);
    for (struct past_change *kept = twin->first; kept != NULL && rc == GM_OK; kept = kept->later) {
        rc = gm_fold_apply(&past->fold, &kept->change, err);
    }
    rc = rc == GM_OK ? write_twin(past, twin, err) : rc;
    drop_changes(past, twin);
    return rc;
}

static gm_rc follow_chains(struct past *past, struct gm_err *err)
{
    while (past->heap.n > 0) {
        struct past_step step = heap_pop(past);
        struct past_twin *twin = &past->twins.at[step.twin];
        struct gm_change change;
        GM_TRY(look_at_deadline(past, err));
        GM_TRY(read_change(past, step.num, &change, err));
        if (change.kind == GM_CHANGE_DELETE) {
            continue; /* it was not there */
        }
        GM_TRY(keep_change(past, twin, &change, err));
        if (change.kind == GM_CHANGE_CREATE) {
            GM_TRY(finish_twin(past, twin, err));
        } else if (change.previous != 0) {
            heap_push(past, change.previous, step.twin);
        } else {
            return gm_fail(err, GM_E_INVALID,
                           "AS OF: the change log begins later than the history of twin "
                           "\"" GM_STR_FMT "\"",
                           GM_STR_ARG(twin->id));
        }
    }
    return GM_OK;
}

/* ---- the whole ---- */

static gm_rc prepare(struct past *past, struct gm_err *err)
{
    const struct {
        struct gm_stmt **stmt;
        const char *sql_z;
    } statements[] = {
        {&past->find, GM_SQL_TWIN_NUM},
        /* tidy: sql: on a temporary table */
        {&past->hide, "INSERT INTO past_hidden SELECT num FROM twins WHERE id = $1"},
        /* tidy: sql: on a temporary table */
        {&past->keep, "INSERT INTO past_kept VALUES ($1, $2, $3, $4, $5, $6, $7)"},
        /* tidy: sql: on a temporary table */
        {&past->move, "INSERT INTO past_moves VALUES ($1, $2)"},
        /* tidy: sql: on a temporary table */
        {&past->found, "INSERT INTO past_found VALUES ($1, $2, $3, $4, $5, $6)"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(statements); i++) {
        GM_TRY(gm_db_prepare(past->db, statements[i].sql_z, statements[i].stmt, err));
    }
    return GM_OK;
}

static gm_rc make_views(struct gm_db *db, const char *how_z, struct gm_err *err)
{
    GM_AUTO_FREE char *twins_z = gm_format_z(view_twins, how_z);
    GM_AUTO_FREE char *relationships_z = gm_format_z(view_relationships, how_z);
    GM_TRY(gm_db_exec(db, twins_z, err));
    return gm_db_exec(db, relationships_z, err);
}

static const char *unmake(const struct gm_db *db)
{
    return gm_db_engine(db) == GM_DB_SQLITE ? unmake_sqlite : unmake_postgresql;
}

gm_rc gm_past_prepare(struct gm_db *db, struct gm_err *err)
{
    if (gm_db_engine(db) == GM_DB_SQLITE) {
        return GM_OK;
    }
    GM_TRY(gm_db_allow_scratch(db, true, err));
    GM_TRY(gm_db_exec(db, make_postgresql, err));
    GM_TRY(make_views(db, "OR REPLACE TEMP", err));
    return gm_db_allow_scratch(db, false, err);
}

static gm_rc build(struct past *past, gm_ns time, struct gm_err *err)
{
    int64_t newest;
    GM_TRY(gm_change_reader_open(past->db, &past->reader, err));
    GM_TRY(find_point(past, time, &newest, err));
    if (gm_db_engine(past->db) == GM_DB_SQLITE) {
        GM_TRY(gm_db_exec(past->db, make_sqlite, err));
        GM_TRY(make_views(past->db, "TEMP", err));
    }
    GM_TRY(prepare(past, err));
    GM_TRY(find_changed(past, newest, err));
    GM_TRY(follow_chains(past, err));
    return past->twins.n > 0 ? gm_db_exec(past->db, link, err) : GM_OK;
}

static void release(struct past *past)
{
    struct gm_stmt *const stmts[] = {past->find, past->hide, past->keep, past->move, past->found};
    for (size_t i = 0; i < GM_ARRAY_COUNT(stmts); i++) {
        gm_stmt_finalize(stmts[i]);
    }
    for (size_t i = 0; i < past->twins.n; i++) {
        drop_changes(past, &past->twins.at[i]);
    }
    gm_change_reader_close(past->reader);
    gm_fold_deinit(&past->fold);
    gm_buf_deinit(&past->text);
    gm_buf_deinit(&past->times);
    gm_map_free(past->index);
    gm_vec_deinit(&past->twins);
    gm_vec_deinit(&past->heap);
}

gm_rc gm_past_begin(struct gm_db *db, const struct gm_models *models, gm_ns time,
                    struct gm_err *err)
{
    struct past past = {.db = db, .models = models, .index = gm_map_new()};
    gm_fold_init(&past.fold, GM_HISTORY_STATE_SIZE);
    gm_buf_init(&past.text, GM_HISTORY_STATE_SIZE);
    gm_buf_init(&past.times, GM_HISTORY_STATE_SIZE);
    bool sqlite = gm_db_engine(db) == GM_DB_SQLITE;
    gm_rc rc = sqlite ? gm_db_allow_scratch(db, true, err) : GM_OK;
    /* What a run that was cut off in its caller's transaction may have left. */
    rc = rc == GM_OK ? gm_db_exec(db, unmake(db), err) : rc;
    rc = rc == GM_OK ? build(&past, time, err) : rc;
    release(&past);
    if (rc != GM_OK) {
        gm_past_end(db);
    }
    return rc;
}

void gm_past_end(struct gm_db *db)
{
    struct gm_err ignored;
    gm_rc rc = gm_db_exec(db, unmake(db), &ignored);
    (void)rc; /* a transaction that is rolled back takes them away as well */
    rc = gm_db_engine(db) == GM_DB_SQLITE ? gm_db_allow_scratch(db, false, &ignored) : GM_OK;
    (void)rc;
}
