#include "support/script.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "db/db.h"
#include "twin/transfer.h"
#include "json/json.h"

enum { GRAPH_TEXT_MAX = 256 << 20, LINE_ARENA_SIZE = 64 << 20 };

static const char yaml_head_z[] = "data: ./data\n"
                                  "models: ./models\n"
                                  "pipelines:\n"
                                  "  p:\n"
                                  "    source: { csv: { path: unused.csv, key: id } }\n"
                                  "    sink: twins\n"
                                  "    missing: { delete_after_runs: 1, max_share: 100% }\n"
                                  "    retry: { attempts: 3, first: 1ms, longest: 2ms }\n"
                                  "    map:\n"
                                  "      $dtId: \"t-{id}\"\n"
                                  "      $model: \"dtmi:t:Thing;1\"\n";
static const char yaml_map_z[] = "      name: name\n"
                                 "      size: size\n"
                                 "      relationships:\n"
                                 "        - { name: likes, target: \"t-{likes}\" }\n";

static const char models_z[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Thing;1\",\"@type\":\"Interface\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"size\",\"schema\":\"double\"},"
    "{\"@type\":\"Relationship\",\"name\":\"likes\",\"target\":\"dtmi:t:Thing;1\"}]}";

static const struct gm_str column_names[SCRIPT_COLUMNS] = {
    {"id", 2}, {"name", 4}, {"size", 4}, {"likes", 5}};
static const struct gm_shape shape = {SCRIPT_COLUMNS, column_names};

/* ---- rows ---- */

static void rows_clear(struct script_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t c = 0; c < SCRIPT_COLUMNS; c++) {
            gm_free(rows->at[i].cells[c]);
        }
    }
    gm_vec_deinit(rows);
}

static struct script_rows rows_copy(const struct script_rows *rows)
{
    struct script_rows copy = {0};
    for (size_t i = 0; i < rows->n; i++) {
        struct script_row *row = gm_vec_push(&copy);
        for (size_t c = 0; c < SCRIPT_COLUMNS; c++) {
            row->cells[c] = gm_strdup_z(rows->at[i].cells[c]);
        }
    }
    return copy;
}

static void add_row(struct script *script, struct gm_str text)
{
    struct script_row *row = gm_vec_push(&script->rows);
    struct gm_str cell;
    bool more = true;
    for (size_t c = 0; more && c < SCRIPT_COLUMNS; c++) {
        more = gm_str_cut(text, ',', &cell, &text);
        row->cells[c] = cell.n > 0 ? gm_str_dup_z(cell) : NULL;
    }
}

void script_show(struct script *script, const char *rows_z)
{
    rows_clear(&script->rows);
    struct gm_str word, rest = gm_str_trim(gm_str_z(rows_z));
    while (rest.n > 0) {
        (void)gm_str_cut(rest, ' ', &word, &rest);
        add_row(script, word);
        rest = gm_str_trim(rest);
    }
}

void script_add_many(struct script *script, size_t first, size_t count, unsigned salt)
{
    for (size_t id = first; id < first + count; id++) {
        char text[128];
        int n = snprintf(text, sizeof(text), "%zu,name-%zu-%u,%zu.5,%zu", id, id, salt,
                         (id * 7 + salt) % 1000, id % 3 == 0 ? id / 2 + 1 : id + 1);
        add_row(script, (struct gm_str){text, (size_t)n});
    }
}

/* ---- the source ---- */

struct source {
    struct script *script;
    struct script_rows rows; /* as they were at connect: a snapshot */
    uint64_t hash_seed;
    size_t at;
    bool full;
    size_t delivered;
};

static gm_rc source_open(const void *conf, const struct gm_connect_env *env, void **out_self,
                         struct gm_err *err)
{
    (void)err;
    struct source *source = gm_alloc(sizeof(*source));
    source->script = *(struct script *const *)conf;
    source->hash_seed = env->hash_seed;
    *out_self = source;
    return GM_OK;
}

static void source_close(void *self)
{
    struct source *source = self;
    rows_clear(&source->rows);
    gm_free(source);
}

static gm_rc break_now(struct script *script, struct gm_err *err)
{
    script->breaks.times--;
    return gm_fail(err, script->breaks.rc, "the script says: broken");
}

static gm_rc source_connect(void *self, struct gm_str from, struct gm_pass *out_pass,
                            struct gm_err *err)
{
    struct source *source = self;
    struct script *script = source->script;
    script->connects++;
    (void)snprintf(script->from_cursor, sizeof(script->from_cursor), GM_STR_FMT, GM_STR_ARG(from));
    if (script->breaks.times > 0 && script->breaks.connecting) {
        return break_now(script, err);
    }
    source->rows = rows_copy(&script->rows);
    int64_t number = 0;
    bool goes_on = script->incremental && gm_parse_i64(from, &number);
    source->at = goes_on ? (size_t)number : 0;
    *out_pass = (struct gm_pass){.full = !goes_on, .rows_estimate = source->rows.n};
    return GM_OK;
}

static void set_cursor(struct source *source, struct gm_batch *batch)
{
    if (source->script->incremental) {
        batch->cursor = gm_arena_format(batch->arena, "%zu", source->at);
    }
}

static void fill_record(struct source *source, struct gm_batch *batch, struct gm_record *record)
{
    const struct script_row *row = &source->rows.at[source->at];
    struct gm_cell *cells = gm_batch_cells(batch);
    record->cells = cells;
    record->position = source->at + 1;
    for (size_t c = 0; c < SCRIPT_COLUMNS; c++) {
        if (row->cells[c] != NULL) {
            cells[c] = (struct gm_cell){GM_CELL_TEXT,
                                        {.s = gm_arena_dup(batch->arena, gm_str_z(row->cells[c]))}};
        }
    }
    record->key = cells[0].as.s;
    gm_record_hash(batch, record, source->hash_seed);
    if (gm_str_is(record->key, "?")) {
        record->key = gm_arena_format(batch->arena, "row %zu", source->at + 1);
        record->unkeyed = true;
        gm_record_fail(batch, record, GM_E_INVALID, "the script says: unreadable");
    }
}

static gm_rc source_read(void *self, struct gm_batch *batch, const struct gm_deadline *deadline,
                         struct gm_err *err)
{
    struct source *source = self;
    struct script *script = source->script;
    size_t rows_max = script->batch_rows > 0 ? script->batch_rows : GM_BATCH_RECORDS_MAX;
    batch->shape = &shape;
    batch->origin = GM_STR("script");
    if (script->on_read != NULL) {
        script->on_read(script, source->delivered);
    }
    if (gm_deadline_passed(deadline)) {
        return gm_fail(err, GM_E_CANCELLED, "stopped");
    }
    bool broken = false;
    while (source->at < source->rows.n && batch->count < rows_max) {
        broken = script->breaks.times > 0 && !script->breaks.connecting &&
                 source->delivered >= script->breaks.after;
        struct gm_record *record = broken ? NULL : gm_batch_add(batch);
        if (record == NULL) {
            break;
        }
        fill_record(source, batch, record);
        source->at++;
        source->delivered++;
        batch->bytes_read += 10;
    }
    if (broken) {
        return break_now(script, err); /* with what the batch holds: it is good */
    }
    set_cursor(source, batch);
    return batch->count > 0 ? GM_OK : GM_E_END;
}

static gm_rc source_ack(void *self, struct gm_str cursor, bool pass_done, struct gm_err *err)
{
    (void)cursor;
    (void)err;
    struct script *script = ((struct source *)self)->script;
    assert_true(pass_done);
    script->acks++;
    if (script->on_ack != NULL) {
        script->on_ack(script);
    }
    return GM_OK;
}

static const struct gm_connector script_connector = {
    .name_z = "script",
    .roles = GM_ROLE_SOURCE,
    .caps = GM_CAP_SNAPSHOT | GM_CAP_COMPLETE | GM_CAP_CURSOR,
    .open = source_open,
    .connect = source_connect,
    .read = source_read,
    .ack = source_ack,
    .close = source_close,
};

/* ---- life ---- */

static gm_ns stopped_wall(const struct gm_clock *clock)
{
    return ((const struct script *)clock->self)->now;
}

static gm_ns system_mono(const struct gm_clock *clock)
{
    (void)clock;
    return gm_clock_system()->mono(gm_clock_system());
}

static void load_config(struct script *script, const char *map_z)
{
    GM_AUTO_FREE char *yaml_z = gm_format_z("%s%s", yaml_head_z, map_z);
    const char *path_z = tmp_write(script->tmp, "gemel.yaml", gm_str_z(yaml_z));
    check_ok(gm_config_load(path_z, &script->config, &script->err), script->err);
    assert_non_null(gm_config_find(script->config, "p", NULL));
}

struct script *script_new(void)
{
    struct script *script = gm_alloc(sizeof(*script));
    script->tmp = tmp_new();
    script->now = (gm_ns)1795194595 * GM_SECOND; /* 2026-11-20T17:09:55Z */
    script->clock = (struct gm_clock){.wall = stopped_wall, .mono = system_mono, .self = script};
    (void)tmp_write(script->tmp, "models/thing.json", gm_str_z(models_z));
    load_config(script, yaml_map_z);
    struct script **self = gm_alloc(sizeof(struct script *));
    *self = script;
    script->connector = script_connector;
    script->connector.self = &script->connector;
    const struct gm_pipeline *pipeline = gm_config_find(script->config, "p", NULL);
    script->conf = *pipeline->conf;
    script->conf.source.conf = self;
    script->pipeline = *pipeline;
    script->pipeline.conf = &script->conf;
    script->pipeline.source = &script->connector;
    return script;
}

void script_map(struct script *script, const char *lines_z)
{
    script_close(script);
    *gm_vec_push(&script->old_configs) = script->config; /* reports may borrow from it */
    load_config(script, lines_z != NULL ? lines_z : yaml_map_z);
    const struct gm_pipeline *pipeline = gm_config_find(script->config, "p", NULL);
    script->conf.map = pipeline->conf->map;
    script->pipeline.step_fingerprint_z = pipeline->step_fingerprint_z;
    script->pipeline.hash_seed = pipeline->hash_seed;
}

void script_free(struct script *script)
{
    if (script == NULL) {
        return;
    }
    script_close(script);
    gm_run_report_free(&script->report);
    rows_clear(&script->rows);
    gm_free(script->conf.source.conf);
    gm_config_free(script->config);
    for (size_t i = 0; i < script->old_configs.n; i++) {
        gm_config_free(script->old_configs.at[i]);
    }
    gm_vec_deinit(&script->old_configs);
    tmp_free(script->tmp);
    gm_free(script->graph_z);
    gm_free(script);
}

gm_rc script_open(struct script *script)
{
    struct gm_store_options options = {.folder_z = gm_config_root(script->config)->data,
                                       .vfs_z = script->vfs_z,
                                       .clock = &script->clock};
    size_t added;
    GM_TRY(gm_store_open(&options, &script->store, &script->err));
    script->handle = gm_run_handle_new();
    return gm_store_add_models(script->store, gm_config_root(script->config)->models, &added,
                               &script->err);
}

void script_close(struct script *script)
{
    gm_run_handle_free(script->handle);
    gm_store_close(script->store);
    script->handle = NULL;
    script->store = NULL;
}

gm_rc script_run(struct script *script)
{
    script->err = (struct gm_err){0};
    gm_run_report_free(&script->report);
    if (script->store == NULL) {
        GM_TRY(script_open(script));
    }
    struct gm_run_options options = {
        .store = script->store,
        .pipeline = &script->pipeline,
        .folder_z = gm_config_folder_z(script->config),
        .models_z = gm_config_root(script->config)->models,
        .handle = script->handle,
        .cause_z = "once",
        .keep_runs = 1000,
        .plan = script->plan,
        .resync = script->resync,
    };
    return gm_pipeline_run(&options, &script->report, &script->err);
}

struct gm_operation script_operation(struct script *script)
{
    return (struct gm_operation){
        .store = script->store, .config = script->config, .pipeline = &script->pipeline};
}

/* ---- looking ---- */

static struct gm_db *open_reader(struct script *script)
{
    struct gm_db *db;
    struct gm_err err = {0};
    check_ok(gm_store_open_reader(gm_config_root(script->config)->data, &db, &err), err);
    return db;
}

int64_t script_number(struct script *script, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_db *db = open_reader(script);
    struct gm_stmt *stmt;
    check_ok(gm_db_prepare(db, sql_z, &stmt, &err), err);
    check_ok(gm_step(stmt, &err), err);
    int64_t number = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    gm_db_close(db);
    return number;
}

static gm_rc add_bytes(void *ctx, struct gm_str bytes, struct gm_err *err)
{
    (void)err;
    gm_buf_add(ctx, bytes);
    return GM_OK;
}

static void add_line(struct gm_arena *arena, struct gm_str line, struct gm_buf *out)
{
    struct gm_err err = {0};
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *value;
    check_ok(gm_json_parse(doc, line, &value, &err), err);
    struct gm_str id = gm_json_member_str(value, "$dtId");
    if (id.p == NULL) {
        return; /* a header or a model */
    }
    struct gm_str name = gm_json_member_str(value, "$relationshipName");
    if (name.p != NULL) {
        gm_buf_addf(out, GM_STR_FMT " " GM_STR_FMT " " GM_STR_FMT "\n", GM_STR_ARG(id),
                    GM_STR_ARG(name), GM_STR_ARG(gm_json_member_str(value, "$targetId")));
        return;
    }
    gm_buf_addf(out, GM_STR_FMT " ", GM_STR_ARG(id));
    (void)gm_json_remove(value, GM_STR("$metadata"));
    (void)gm_json_remove(value, GM_STR("$etag"));
    (void)gm_json_remove(value, GM_STR("$dtId"));
    gm_json_canonical(doc, value, out);
    gm_buf_add_char(out, '\n');
}

struct gm_str script_graph(struct script *script)
{
    struct gm_err err = {0};
    struct gm_buf lines, out;
    gm_buf_init(&lines, GRAPH_TEXT_MAX);
    gm_buf_init(&out, GRAPH_TEXT_MAX);
    struct gm_db *db = open_reader(script);
    struct gm_export_counts counts;
    struct gm_export_options options = {.ctx = &lines, .write = add_bytes};
    check_ok(gm_export_run(db, &options, &counts, &err), err);
    gm_db_close(db);
    struct gm_arena *arena = gm_arena_new(LINE_ARENA_SIZE);
    struct gm_str line, rest = gm_buf_str(&lines);
    while (rest.n > 0) {
        (void)gm_str_cut(rest, '\n', &line, &rest);
        add_line(arena, line, &out);
        gm_arena_reset(arena);
    }
    gm_arena_free(arena);
    gm_buf_deinit(&lines);
    gm_free(script->graph_z);
    size_t n = out.n;
    script->graph_z = gm_buf_take_z(&out);
    return (struct gm_str){script->graph_z, n};
}
