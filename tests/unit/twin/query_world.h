/* A store with a graph in it, for tests: an import file's lines, written with ' for ", through the
 * import itself.
 *
 *     struct world *world = world_new(url_z);
 *     world_import(world, a_building);
 *     check_rows(world, "SELECT R.$dtId FROM DIGITALTWINS R WHERE R.temperature > 20", "…");
 *     world_free(world);
 */
#ifndef TESTS_UNIT_TWIN_QUERY_WORLD_H
#define TESTS_UNIT_TWIN_QUERY_WORLD_H

#include "base/vec.h"
#include "db/db.h"
#include "support/check.h"
#include "support/tmp.h"
#include "twin/models.h"
#include "twin/query.h"
#include "twin/transfer.h"

struct world {
    struct tmp *tmp;
    struct gm_db *db;
    struct gm_graph *graph;
    GM_VEC(struct gm_models *) models; /* the newest last */
    struct gm_clock clock;
    gm_ns now;
    struct gm_err err;
    struct gm_import_counts counts; /* of the last import */
    struct gm_buf problems;         /* "LINE: text" of the last import */
    struct gm_arena *arena;         /* what a test reads */
    yyjson_mut_doc *doc;
};

static inline const struct gm_models *world_models(const struct world *world)
{
    return world->models.n > 0 ? world->models.at[world->models.n - 1] : NULL;
}

static inline gm_ns world_now(const struct gm_clock *clock)
{
    return ((const struct world *)clock->self)->now;
}

static inline gm_rc world_write(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err)
{
    struct world *world = ctx;
    GM_TRY(gm_db_begin(world->db, err));
    gm_rc rc = fn(fn_ctx, world->db, err);
    if (rc != GM_OK) {
        gm_db_rollback(world->db);
        gm_graph_forget(world->graph);
        return rc;
    }
    return gm_db_commit(world->db, err);
}

struct world_models_job {
    struct gm_models *models;
    gm_ns now;
};

static inline gm_rc world_store_models(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct world_models_job *job = ctx;
    return gm_models_store(job->models, db, job->now, err);
}

static inline gm_rc world_add_interfaces(void *ctx, struct gm_import_interfaces *interfaces,
                                         struct gm_err *err)
{
    struct world *world = ctx;
    struct world_models_job job = {.now = world->now};
    GM_TRY(gm_models_extend(world_models(world), interfaces->at, interfaces->count, &job.models,
                            &interfaces->added, err));
    gm_rc rc = world_write(world, world_store_models, &job, err);
    if (rc != GM_OK) {
        gm_models_free(job.models);
        return rc;
    }
    *gm_vec_push(&world->models) = job.models;
    gm_graph_set_models(world->graph, job.models);
    interfaces->models = job.models;
    return GM_OK;
}

static inline struct world *world_new(const char *url_z, const char *password_z)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->now = (gm_ns)1700000000 * GM_SECOND;
    world->clock = (struct gm_clock){.wall = world_now, .mono = world_now, .self = world};
    gm_buf_init(&world->problems, 1 << 20);
    world->arena = gm_arena_new((size_t)256 << 20);
    world->doc = gm_json_doc_new(world->arena);
    if (url_z == NULL) {
        url_z = tmp_url(world->tmp, "sqlite:", "store.db");
    }
    struct gm_db_options options = {.url_z = url_z, .password_z = password_z, .mode = GM_DB_WRITE};
    check_ok(gm_db_open(&options, &world->db, &world->err), world->err);
    check_ok(gm_db_migrate(world->db, &world->err), world->err);
    check_ok(gm_graph_open(world->db, &world->graph, &world->err), world->err);
    return world;
}

static inline void world_free(struct world *world)
{
    gm_graph_close(world->graph);
    gm_db_close(world->db);
    for (size_t i = 0; i < world->models.n; i++) {
        gm_models_free(world->models.at[i]);
    }
    gm_vec_deinit(&world->models);
    gm_buf_deinit(&world->problems);
    gm_arena_free(world->arena);
    tmp_free(world->tmp);
    gm_free(world);
}

static inline int world_setup(void **state)
{
    *state = world_new(NULL, NULL);
    return 0;
}

static inline int world_teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* " for ', and ' for `. Lives in the world's arena. */
static inline struct gm_str world_json(struct world *world, const char *text_z)
{
    struct gm_str text = gm_arena_dup(world->arena, gm_str_z(text_z));
    char *copy = gm_arena_alloc(world->arena, text.n + 1);
    for (size_t i = 0; i <= text.n; i++) {
        copy[i] = text_z[i] == '\'' ? '"' : text_z[i] == '`' ? '\'' : text_z[i];
    }
    return (struct gm_str){copy, text.n};
}

static inline void world_problem(void *ctx, uint64_t line, enum gm_import_section section,
                                 const char *text_z)
{
    struct world *world = ctx;
    gm_buf_addf(&world->problems, "%s %llu: %s\n", gm_import_section_name(section),
                (unsigned long long)line, text_z);
}

static inline gm_rc world_import_file(struct world *world, const char *path_z)
{
    struct gm_import_store store = {.ctx = world,
                                    .write = world_write,
                                    .add_interfaces = world_add_interfaces,
                                    .graph = world->graph,
                                    .models = world_models(world)};
    struct gm_import_options options = {
        .path_z = path_z, .clock = &world->clock, .ctx = world, .problem = world_problem};
    gm_buf_reset(&world->problems);
    return gm_import_run(&store, &options, &world->counts, &world->err);
}

/* Imports lines, and expects each to be right. */
static inline void world_import(struct world *world, const char *lines_z)
{
    const char *path_z = tmp_write(world->tmp, "world.ndjson", world_json(world, lines_z));
    check_ok(world_import_file(world, path_z), world->err);
    if (world->counts.failed > 0) {
        fail_msg("%s", world->problems.p);
    }
}

/* ---- queries ---- */

/* Takes away what changes from run to run: etags, and of $metadata all but the model. */
static inline void world_plain(yyjson_mut_val *value)
{
    (void)gm_json_remove(value, GM_STR("$etag"));
    yyjson_mut_val *metadata = gm_json_member(value, GM_STR("$metadata"));
    if (metadata != NULL && gm_json_member(metadata, GM_STR("$model")) == NULL) {
        (void)gm_json_remove(value, GM_STR("$metadata"));
    } else if (metadata != NULL) {
        yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(metadata);
        for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
            if (!gm_str_is(gm_json_str(key), "$model")) {
                yyjson_mut_obj_iter_remove(&iter);
            }
        }
    }
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(value);
    for (yyjson_mut_val *key;
         yyjson_mut_is_obj(value) && (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        if (yyjson_mut_is_obj(yyjson_mut_obj_iter_get_val(key))) {
            world_plain(yyjson_mut_obj_iter_get_val(key));
        }
    }
}

static inline gm_rc world_keep_row(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row,
                                   struct gm_err *err)
{
    (void)err;
    struct gm_buf *out = ctx;
    world_plain(row);
    gm_json_canonical(doc, row, out);
    gm_buf_add_char(out, '\n');
    return GM_OK;
}

/* The rows, one a line, in canonical JSON without what changes from run to run. */
static inline gm_rc world_query(struct world *world, const char *text_z, struct gm_buf *rows,
                                struct gm_query_outcome *out_outcome)
{
    struct gm_query_request request = {
        .text = gm_str_z(text_z), .models = world_models(world), .fn = world_keep_row, .ctx = rows};
    return gm_query_run(world->db, &request, out_outcome, &world->err);
}

/* Whether the query gives these rows, in this order; they are written with ' for ". */
static inline void check_rows(struct world *world, const char *text_z, const char *rows_z)
{
    struct gm_buf rows;
    struct gm_query_outcome outcome;
    gm_buf_init(&rows, 1 << 20);
    gm_buf_add_z(&rows, "");
    gm_rc rc = world_query(world, text_z, &rows, &outcome);
    if (rc != GM_OK) {
        fail_msg("%s\n%s", text_z, world->err.text);
    }
    struct gm_str wanted = world_json(world, rows_z);
    if (!gm_str_eq(gm_buf_str(&rows), wanted)) {
        fail_msg("%s\ngot\n%s\nwanted\n%s", text_z, rows.n > 0 ? rows.p : "", wanted.p);
    }
    gm_buf_deinit(&rows);
}

static inline void check_refused(struct world *world, const char *text_z, const char *says_z)
{
    struct gm_buf rows;
    struct gm_query_outcome outcome;
    gm_buf_init(&rows, 1 << 20);
    check_rc(world_query(world, text_z, &rows, &outcome), GM_E_INVALID, world->err);
    check_err_says(world->err, says_z);
    gm_buf_deinit(&rows);
}

#endif
