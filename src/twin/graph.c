/* The session of the graph's write side: statements, numbers, and the changes that gm_graph_end
 * writes. */
#include "twin/graph.h"

#include "twin/graph_internal.h"
#include "twin_sql.h"

enum {
    /* ids remembered: foreign keys repeat, so a small memory spares most look-ups */
    NUM_CACHE_MAX = 65536,
    SESSION_TEXT_MAX = 1 << 30, /* more than any transaction holds */
    /* changes that are encoded sooner than handed to the packer */
    PACK_AT_ONCE_MAX = 64,
    TWIN_COUNT_BITS = 32,
};

gm_rc gm_graph_open(struct gm_db *db, struct gm_graph **out_graph, struct gm_err *err)
{
    const char *const sql[STMT_COUNT] = {
        [STMT_TWIN_BY_ID] = GM_SQL_TWIN_BY_ID,
        [STMT_TWIN_BY_NUM] = GM_SQL_TWIN_BY_NUM,
        [STMT_TWIN_NUM] = GM_SQL_TWIN_NUM,
        [STMT_TWIN_INSERT] = GM_SQL_TWIN_INSERT,
        [STMT_TWIN_INSERT_MANY] = gm_db_engine(db) == GM_DB_SQLITE
                                      ? GM_SQL_TWIN_INSERT_MANY_SQLITE
                                      : GM_SQL_TWIN_INSERT_MANY_POSTGRESQL,
        [STMT_TWIN_UPDATE] = GM_SQL_TWIN_UPDATE,
        [STMT_TWIN_SET_SOURCES] = GM_SQL_TWIN_SET_SOURCES,
        [STMT_TWIN_SET_LAST_CHANGE] = GM_SQL_TWIN_SET_LAST_CHANGE,
        [STMT_TWIN_DISOWN] = GM_SQL_TWIN_DISOWN,
        [STMT_TWIN_RENUMBER] = GM_SQL_TWIN_RENUMBER,
        [STMT_TWIN_DELETE] = GM_SQL_TWIN_DELETE,
        [STMT_TWIN_LAST_COUNT] = GM_SQL_TWIN_LAST_COUNT,
        [STMT_TWIN_SET_LAST_COUNT] = GM_SQL_TWIN_SET_LAST_COUNT,
        [STMT_TWIN_MOVED] = GM_SQL_TWIN_MOVED,
        [STMT_TWIN_MOVE_INSERT] = GM_SQL_TWIN_MOVE_INSERT,
        [STMT_TWIN_MOVE_FOLLOW] = GM_SQL_TWIN_MOVE_FOLLOW,
        [STMT_GRAVE_GET] = GM_SQL_GRAVE_GET,
        [STMT_GRAVE_COUNT] = GM_SQL_GRAVE_COUNT,
        [STMT_GRAVE_DELETE] = GM_SQL_GRAVE_DELETE,
        [STMT_GRAVE_INSERT] = GM_SQL_GRAVE_INSERT,
        [STMT_RELATIONSHIP_INSERT] = GM_SQL_RELATIONSHIP_INSERT,
        [STMT_RELATIONSHIP_GET] = GM_SQL_RELATIONSHIP_GET,
        [STMT_RELATIONSHIP_UPDATE] = GM_SQL_RELATIONSHIP_UPDATE,
        [STMT_RELATIONSHIP_DELETE] = GM_SQL_RELATIONSHIP_DELETE,
        [STMT_RELATIONSHIPS_OF_PIPELINE] = GM_SQL_RELATIONSHIPS_OF_PIPELINE,
        [STMT_RELATIONSHIPS_OUT] = GM_SQL_RELATIONSHIPS_OUT,
        [STMT_RELATIONSHIPS_IN] = GM_SQL_RELATIONSHIPS_IN,
        [STMT_RELATIONSHIPS_OUT_COUNT] = GM_SQL_RELATIONSHIPS_OUT_COUNT,
        [STMT_RELATIONSHIPS_IN_COUNT] = GM_SQL_RELATIONSHIPS_IN_COUNT,
        [STMT_RELATIONSHIPS_MOVE_SOURCE] = GM_SQL_RELATIONSHIPS_MOVE_SOURCE,
        [STMT_RELATIONSHIPS_MOVE_TARGET] = GM_SQL_RELATIONSHIPS_MOVE_TARGET,
        [STMT_WAITING_PUT] = GM_SQL_WAITING_PUT,
        [STMT_WAITING_GET] = GM_SQL_WAITING_GET,
        [STMT_WAITING_FOR_TWIN] = GM_SQL_WAITING_FOR_TWIN,
        [STMT_WAITING_OF_PIPELINE] = GM_SQL_WAITING_OF_PIPELINE,
        [STMT_WAITING_DELETE] = GM_SQL_WAITING_DELETE,
        [STMT_WAITING_COUNT] = GM_SQL_WAITING_COUNT,
    };
    struct gm_graph *graph = gm_alloc(sizeof(*graph));
    graph->db = db;
    graph->arena = gm_arena_new(SESSION_TEXT_MAX);
    graph->nums = gm_map_new();
    graph->relationship_counts = gm_map_new();
    gm_buf_init(&graph->text, SESSION_TEXT_MAX);
    gm_graph_forget(graph);
    gm_rc rc = gm_change_log_open(db, &graph->log, err);
    for (size_t i = 0; rc == GM_OK && i < STMT_COUNT; i++) {
        rc = gm_db_prepare(db, sql[i], &graph->stmts[i], err);
    }
    if (rc != GM_OK) {
        gm_graph_close(graph);
        return rc;
    }
    *out_graph = graph;
    return GM_OK;
}

void gm_graph_close(struct gm_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    if (graph->packer != NULL) {
        gm_queue_close(graph->to_pack);
        gm_thread_join(graph->packer);
    }
    gm_queue_free(graph->to_pack);
    gm_queue_free(graph->packed);
    for (size_t i = 0; i < STMT_COUNT; i++) {
        gm_stmt_finalize(graph->stmts[i]);
    }
    gm_change_log_close(graph->log);
    gm_map_free(graph->nums);
    gm_map_free(graph->relationship_counts);
    gm_arena_free(graph->arena);
    gm_buf_deinit(&graph->text);
    gm_vec_deinit(&graph->entries);
    gm_vec_deinit(&graph->counters);
    gm_free(graph);
}

void gm_graph_forget(struct gm_graph *graph)
{
    struct gm_err ignored;
    gm_rc rc = gm_graph_wait(graph, &ignored);
    (void)rc; /* what did not encode goes as well */
    if (graph->log != NULL) {
        gm_change_log_forget(graph->log);
    }
    for (size_t i = 0; i < STMT_COUNT; i++) {
        if (graph->stmts[i] != NULL) {
            gm_reset(graph->stmts[i]);
        }
    }
    gm_map_reset(graph->nums);
    gm_map_reset(graph->relationship_counts);
    graph->entries.n = 0;
    graph->counters.n = 0;
    graph->waiting = -1;
    graph->graves = -1;
}

void gm_graph_mark(struct gm_graph *graph, struct gm_graph_mark *out_mark)
{
    GM_ASSERT(!graph->packing);
    *out_mark = (struct gm_graph_mark){.waiting = graph->waiting, .graves = graph->graves};
    gm_change_log_mark(graph->log, &out_mark->log);
    graph->marks++;
}

/* Numbers that were given out stay given out: they are not needed without gaps, and sessions before
 * the mark have theirs still to store. */
void gm_graph_rewind(struct gm_graph *graph, const struct gm_graph_mark *mark)
{
    struct gm_err ignored;
    gm_rc rc = gm_graph_wait(graph, &ignored);
    (void)rc; /* what did not encode goes as well */
    gm_change_log_rewind(graph->log, &mark->log);
    for (size_t i = 0; i < graph->counters.n; i++) {
        struct gm_graph_counter *counter = &graph->counters.at[i];
        counter->more = counter->marks == graph->marks ? counter->marked_more : counter->more;
    }
    graph->marks++;
    for (size_t i = 0; i < STMT_COUNT; i++) {
        gm_reset(graph->stmts[i]);
    }
    gm_map_reset(graph->nums);
    gm_map_reset(graph->relationship_counts);
    graph->entries.n = 0;
    graph->waiting = mark->waiting;
    graph->graves = mark->graves;
}

gm_rc gm_graph_newest_change(struct gm_graph *graph, int64_t *out_num, struct gm_err *err)
{
    int64_t next;
    GM_TRY(gm_change_log_next(graph->log, &next, err));
    *out_num = next - 1;
    return GM_OK;
}

void gm_graph_set_models(struct gm_graph *graph, const struct gm_models *models)
{
    graph->models = models;
}

/* ---- numbers ---- */

static gm_rc count_rows(struct gm_graph *graph, enum gm_graph_stmt stmt, int64_t *out_count,
                        struct gm_err *err)
{
    GM_TRY(gm_step(graph->stmts[stmt], err));
    *out_count = gm_column_i64(graph->stmts[stmt], 0);
    gm_reset(graph->stmts[stmt]);
    return GM_OK;
}

static gm_rc find_counter(struct gm_graph *graph, int64_t model_num,
                          struct gm_graph_counter **out_counter, struct gm_err *err)
{
    for (size_t i = 0; i < graph->counters.n; i++) {
        if (graph->counters.at[i].model == model_num) {
            *out_counter = &graph->counters.at[i];
            return GM_OK;
        }
    }
    struct gm_stmt *stmt = graph->stmts[STMT_TWIN_LAST_COUNT];
    gm_bind_i64(stmt, 1, model_num);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_CONFIG,
                       "model number %lld is not in the store; load the models first",
                       (long long)model_num);
    }
    GM_TRY(rc);
    *out_counter = gm_vec_push(&graph->counters);
    **out_counter = (struct gm_graph_counter){.model = model_num, .last = gm_column_i64(stmt, 0)};
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_graph_count_twins(struct gm_graph *graph, int64_t twin_num, int more, struct gm_err *err)
{
    struct gm_graph_counter *counter;
    GM_TRY(find_counter(graph, gm_twin_model_num(twin_num), &counter, err));
    if (counter->marks != graph->marks) {
        counter->marks = graph->marks;
        counter->marked_more = counter->more;
    }
    counter->more += more;
    counter->changed = true;
    return GM_OK;
}

gm_rc gm_graph_next_num(struct gm_graph *graph, int64_t model_num, int64_t *out_num,
                        struct gm_err *err)
{
    GM_ASSERT(model_num > 0);
    struct gm_graph_counter *counter;
    const struct gm_model *model = gm_models_by_num(graph->models, model_num);
    if (model == NULL || model->uploaded == GM_MODEL_GONE) {
        return gm_fail(err, GM_E_CONFIG,
                       "model number %lld is not in the store, or not any more; load the models "
                       "first",
                       (long long)model_num);
    }
    GM_TRY(find_counter(graph, model_num, &counter, err));
    if (counter->last == UINT32_MAX) {
        return gm_fail(err, GM_E_LIMIT,
                       "model number %lld has had %lld twins, the most one model can have",
                       (long long)model_num, (long long)counter->last);
    }
    counter->last++;
    counter->changed = true;
    *out_num = (model_num << TWIN_COUNT_BITS) | counter->last;
    return GM_OK;
}

gm_rc gm_graph_find_num(struct gm_graph *graph, struct gm_str id, int64_t *out_num,
                        struct gm_err *err)
{
    uint64_t known;
    if (gm_map_get(graph->nums, id, &known)) {
        *out_num = (int64_t)known;
        return GM_OK;
    }
    struct gm_stmt *stmt = graph->stmts[STMT_TWIN_NUM];
    gm_bind_text(stmt, 1, id);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END) {
        *out_num = 0;
        return GM_OK;
    }
    GM_TRY(rc);
    *out_num = gm_column_i64(stmt, 0);
    gm_reset(stmt);
    if (gm_map_count(graph->nums) >= NUM_CACHE_MAX) {
        gm_map_reset(graph->nums);
    }
    gm_map_set(graph->nums, id, (uint64_t)*out_num);
    return GM_OK;
}

/* ---- rows ---- */

struct gm_str gm_graph_keep(struct gm_graph *graph, struct gm_str text)
{
    if (text.p == NULL) {
        return text;
    }
    struct gm_str copy = gm_arena_dup(graph->arena, text);
    GM_ASSERT(copy.p != NULL);
    return copy;
}

static gm_rc keep_row(struct gm_graph *graph, struct gm_stmt *stmt, struct gm_twin *out_twin,
                      struct gm_err *err)
{
    GM_TRY(gm_twin_row(stmt, out_twin, err));
    out_twin->id = gm_graph_keep(graph, out_twin->id);
    out_twin->times = gm_graph_keep(graph, out_twin->times);
    out_twin->body = gm_graph_keep(graph, out_twin->body);
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_graph_row_by_id(struct gm_graph *graph, struct gm_str id, struct gm_twin *out_twin,
                         struct gm_err *err)
{
    gm_bind_text(graph->stmts[STMT_TWIN_BY_ID], 1, id);
    return keep_row(graph, graph->stmts[STMT_TWIN_BY_ID], out_twin, err);
}

gm_rc gm_graph_row_by_num(struct gm_graph *graph, int64_t num, struct gm_twin *out_twin,
                          struct gm_err *err)
{
    gm_bind_i64(graph->stmts[STMT_TWIN_BY_NUM], 1, num);
    gm_rc rc = keep_row(graph, graph->stmts[STMT_TWIN_BY_NUM], out_twin, err);
    if (rc != GM_E_END) {
        return rc;
    }
    struct gm_stmt *moved = graph->stmts[STMT_TWIN_MOVED];
    gm_bind_i64(moved, 1, num);
    GM_TRY(gm_step(moved, err));
    int64_t new_num = gm_column_i64(moved, 0);
    gm_reset(moved);
    gm_bind_i64(graph->stmts[STMT_TWIN_BY_NUM], 1, new_num);
    return keep_row(graph, graph->stmts[STMT_TWIN_BY_NUM], out_twin, err);
}

/* ---- changes ---- */

gm_rc gm_graph_begin(struct gm_graph *graph, const struct gm_cause *cause, struct gm_err *err)
{
    GM_TRY(gm_graph_wait(graph, err)); /* for the session before, if any */
    graph->cause = *cause;
    graph->entries.n = 0;
    gm_arena_reset(graph->arena);
    /* The same for every twin that this session creates. */
    gm_bind_i64(graph->stmts[STMT_TWIN_INSERT], 4, cause->now);
    gm_bind_i64(graph->stmts[STMT_TWIN_INSERT], 5, cause->pipeline != 0 ? 1 : 0);
    gm_bind_i64(graph->stmts[STMT_TWIN_INSERT], 6, cause->pipeline);
    gm_bind_i64(graph->stmts[STMT_TWIN_INSERT_MANY], 1, cause->now);
    gm_bind_i64(graph->stmts[STMT_TWIN_INSERT_MANY], 2, cause->pipeline != 0 ? 1 : 0);
    gm_bind_i64(graph->stmts[STMT_TWIN_INSERT_MANY], 3, cause->pipeline);
    if (graph->waiting < 0) {
        GM_TRY(count_rows(graph, STMT_WAITING_COUNT, &graph->waiting, err));
    }
    if (graph->graves < 0) {
        GM_TRY(count_rows(graph, STMT_GRAVE_COUNT, &graph->graves, err));
    }
    return gm_change_log_next(graph->log, &graph->first_change, err);
}

int64_t gm_graph_add_entry(struct gm_graph *graph, enum gm_change_kind kind, struct gm_str twin,
                           int64_t previous, struct gm_graph_entry **out_entry)
{
    GM_ASSERT(graph->first_change != 0);
    struct gm_graph_entry *entry = gm_vec_push(&graph->entries);
    entry->kind = kind;
    entry->twin = twin;
    entry->previous = previous;
    entry->pipeline = graph->cause.pipeline;
    entry->run = graph->cause.run;
    *out_entry = entry;
    return graph->first_change + (int64_t)graph->entries.n - 1;
}

struct gm_graph_entry *gm_graph_entry_at(struct gm_graph *graph, int64_t change)
{
    GM_ASSERT(change >= graph->first_change &&
              change < graph->first_change + (int64_t)graph->entries.n);
    return &graph->entries.at[change - graph->first_change];
}

static bool needs_model(const struct gm_graph_entry *entry)
{
    return entry->kind == GM_CHANGE_CREATE && entry->model != NULL;
}

/* {"$metadata":{"$model":"…"},<members of the body>} */
static struct gm_str document_text(struct gm_graph *graph, const struct gm_graph_entry *entry)
{
    gm_buf_reset(&graph->text);
    gm_buf_add(&graph->text, GM_STR("{\"$metadata\":{\"$model\":\""));
    gm_buf_add(&graph->text, entry->model->id);
    gm_buf_add(&graph->text, entry->data.n > 2 ? GM_STR("\"},") : GM_STR("\"}"));
    gm_buf_add(&graph->text, (struct gm_str){entry->data.p + 1, entry->data.n - 1});
    return gm_buf_str(&graph->text);
}

static gm_rc store_counters(struct gm_graph *graph, struct gm_err *err)
{
    for (size_t i = 0; i < graph->counters.n; i++) {
        struct gm_graph_counter *counter = &graph->counters.at[i];
        if (counter->changed) {
            gm_bind_i64(graph->stmts[STMT_TWIN_SET_LAST_COUNT], 1, counter->model);
            gm_bind_i64(graph->stmts[STMT_TWIN_SET_LAST_COUNT], 2, counter->last);
            gm_bind_i64(graph->stmts[STMT_TWIN_SET_LAST_COUNT], 3, counter->more);
            GM_TRY(gm_stmt_run(graph->stmts[STMT_TWIN_SET_LAST_COUNT], NULL, err));
            counter->changed = false;
            counter->more = 0;
        }
    }
    return GM_OK;
}

/* Encodes and compresses the session's changes; on the packer's thread when there is one. */
static gm_rc pack_changes(struct gm_graph *graph, struct gm_err *err)
{
    for (size_t i = 0; i < graph->entries.n; i++) {
        const struct gm_graph_entry *entry = &graph->entries.at[i];
        struct gm_change change = {
            .num = graph->first_change + (int64_t)i,
            .kind = entry->kind,
            .time = graph->cause.now,
            .previous = entry->previous,
            .pipeline = entry->pipeline,
            .run = entry->run,
            .position = entry->position,
            .actor = graph->cause.actor,
            .twin = entry->twin,
            .data = needs_model(entry) ? document_text(graph, entry) : entry->data,
        };
        GM_TRY(gm_change_log_add(graph->log, &change, err));
    }
    graph->entries.n = 0;
    return GM_OK;
}

static void run_packer(void *arg)
{
    struct gm_graph *graph = arg;
    while (gm_queue_pop(graph->to_pack) != NULL) {
        graph->pack_rc = pack_changes(graph, &graph->pack_err);
        GM_ASSERT(gm_queue_push(graph->packed, graph));
    }
}

gm_rc gm_graph_pack_in_background(struct gm_graph *graph, struct gm_err *err)
{
    graph->to_pack = gm_queue_new(1);
    graph->packed = gm_queue_new(1);
    return gm_thread_start("gemel-packer", run_packer, graph, &graph->packer, err);
}

/* Until the packer has given the session back nothing of it may be touched. */
gm_rc gm_graph_wait(struct gm_graph *graph, struct gm_err *err)
{
    if (!graph->packing) {
        return GM_OK;
    }
    (void)gm_queue_pop(graph->packed);
    graph->packing = false;
    *err = graph->pack_err;
    return graph->pack_rc;
}

gm_rc gm_graph_flush(struct gm_graph *graph, struct gm_err *err)
{
    GM_TRY(gm_graph_wait(graph, err));
    GM_TRY(gm_change_log_flush(graph->log, err));
    return store_counters(graph, err);
}

gm_rc gm_graph_end(struct gm_graph *graph, struct gm_err *err)
{
    if (graph->packer == NULL) {
        GM_TRY(pack_changes(graph, err));
        return gm_graph_flush(graph, err);
    }
    if (graph->entries.n <= PACK_AT_ONCE_MAX) {
        return pack_changes(graph, err);
    }
    graph->packing = true;
    GM_ASSERT(gm_queue_push(graph->to_pack, graph));
    return GM_OK;
}
