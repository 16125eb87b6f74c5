/* The export: models by depth of what they need, twins and relationships as they stream from a
 * snapshot. */
#include <stdlib.h>

#include "base/vec.h"
#include "twin/models.h"
#include "twin/times.h"
#include "twin/transfer.h"
#include "twin_sql.h"

enum {
    WRITE_SIZE = 256 << 10, /* lines are handed out in pieces of about this size */
    BUFFER_SIZE_MAX = 16 << 20,
    LINE_ARENA_SIZE = 64 << 20,
};

struct export
{
    struct gm_db *db;
    const struct gm_export_options *options;
    struct gm_export_counts *counts;
    struct gm_models *models;
    struct gm_buf out;
    struct gm_arena *arena; /* of one line */
};

static gm_rc flush(struct export *export, struct gm_err *err)
{
    if (gm_buf_failed(&export->out)) {
        return gm_fail(err, GM_E_LIMIT, "a line of the export is larger than %d bytes",
                       BUFFER_SIZE_MAX);
    }
    if (export->out.n == 0) {
        return GM_OK;
    }
    GM_TRY(export->options->write(export->options->ctx, gm_buf_str(&export->out), err));
    export->counts->bytes += export->out.n;
    gm_buf_reset(&export->out);
    return GM_OK;
}

static gm_rc end_line(struct export *export, struct gm_err *err)
{
    gm_buf_add_char(&export->out, '\n');
    return export->out.n >= WRITE_SIZE || gm_buf_failed(&export->out) ? flush(export, err) : GM_OK;
}

static gm_rc begin_section(struct export *export, const char *name_z, struct gm_err *err)
{
    gm_buf_add_z(&export->out, "{\"Section\":\"");
    gm_buf_add_z(&export->out, name_z);
    gm_buf_add_z(&export->out, "\"}");
    return end_line(export, err);
}

static void add_member(struct gm_buf *out, const char *name_z, struct gm_str value)
{
    gm_buf_addf(out, ",\"%s\":", name_z);
    gm_json_quote(out, value);
}

static gm_rc write_header(struct export *export, struct gm_err *err)
{
    GM_TRY(begin_section(export, "Header", err));
    gm_buf_add_z(&export->out, "{\"fileVersion\":\"1.0.0\"");
    if (export->options->author.n > 0) {
        add_member(&export->out, "author", export->options->author);
    }
    if (export->options->organization.n > 0) {
        add_member(&export->out, "organization", export->options->organization);
    }
    gm_buf_add_char(&export->out, '}');
    return end_line(export, err);
}

/* ---- models ---- */

struct ranked {
    const struct gm_model *model;
    int64_t depth;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *left = a, *right = b;
    if (left->depth != right->depth) {
        return left->depth < right->depth ? -1 : 1;
    }
    return gm_str_cmp(left->model->id, right->model->id);
}

/* Depth of a model by its number, which must be known. */
static int64_t depth_of(const struct ranked *models, size_t count, const struct gm_model *model)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (models[middle].model->num < model->num) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    GM_ASSERT(low < count && models[low].model->num == model->num);
    return models[low].depth;
}

/* One more than the deepest of what it inherits from and of its components. */
static int64_t needed_depth(const struct ranked *models, size_t count, const struct gm_model *model)
{
    int64_t depth = 0;
    for (size_t i = 0; i < model->base_count; i++) {
        int64_t base = depth_of(models, count, model->bases[i]) + 1;
        depth = base > depth ? base : depth;
    }
    for (size_t i = 0; i < model->content_count; i++) {
        if (model->contents[i].type == GM_CONTENT_COMPONENT) {
            int64_t component = depth_of(models, count, model->contents[i].component) + 1;
            depth = component > depth ? component : depth;
        }
    }
    return depth;
}

/* Depths grow until nothing moves. Models need no circles, so there are at most as many rounds as
 * models; in fact as many as the longest chain. */
static void find_depths(struct ranked *models, size_t count)
{
    bool moved = true;
    for (size_t round = 0; moved && round <= count; round++) {
        moved = false;
        for (size_t i = 0; i < count; i++) {
            int64_t depth = needed_depth(models, count, models[i].model);
            moved = moved || depth != models[i].depth;
            models[i].depth = depth;
        }
    }
}

static gm_rc write_models(struct export *export, struct gm_err *err)
{
    size_t count = gm_models_count(export->models);
    GM_TRY(begin_section(export, "Models", err));
    struct ranked *models = gm_alloc_array(count + 1, sizeof(models[0]));
    for (size_t i = 0; i < count; i++) {
        models[i].model = gm_models_at(export->models, i);
    }
    find_depths(models, count);
    qsort(models, count, sizeof(models[0]), compare_ranked);
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < count && rc == GM_OK; i++) {
        gm_buf_add(&export->out, models[i].model->text);
        rc = end_line(export, err);
    }
    export->counts->models = (int64_t)count;
    gm_free(models);
    return rc;
}

/* ---- twins ---- */

static bool has_components(const struct gm_model *model)
{
    for (size_t i = 0; i < model->content_count; i++) {
        if (model->contents[i].type == GM_CONTENT_COMPONENT) {
            return true;
        }
    }
    return false;
}

/* One twin of the export. */
struct twin_line {
    const struct gm_model *model;
    struct gm_str id, body;
    struct gm_str times; /* p NULL: none */
};

/* The body as the format wants it: with "$metadata":{} in its components, and with source times;
 * `metadata` gets the twin's own. */
static gm_rc complete_body(struct export *export, const struct twin_line *line,
                           struct gm_buf *metadata, struct gm_buf *out, struct gm_err *err)
{
    gm_arena_reset(export->arena);
    yyjson_mut_doc *doc = gm_json_doc_new(export->arena);
    yyjson_mut_val *value, *own = NULL, *times = NULL;
    if (doc == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a twin");
    }
    GM_TRY(gm_json_parse(doc, line->body, &value, err));
    size_t index, max;
    yyjson_mut_val *key, *member;
    yyjson_mut_obj_foreach(value, index, max, key, member)
    {
        const struct gm_content *content = gm_model_content(line->model, gm_json_str(key));
        if (content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(member)) {
            gm_json_set(doc, member, GM_STR("$metadata"), yyjson_mut_obj(doc));
        }
    }
    own = yyjson_mut_obj(doc);
    if (gm_times_have_source(line->times)) {
        GM_TRY(gm_json_parse(doc, line->times, &times, err));
    }
    if (!gm_json_set(doc, own, GM_STR("$model"), gm_json_strref(doc, line->model->id)) ||
        !gm_json_set(doc, value, GM_STR("$metadata"), own) ||
        !gm_times_add_metadata(doc, value, times)) {
        return gm_fail(err, GM_E_LIMIT, "no room for a twin");
    }
    gm_json_canonical(doc, own, metadata);
    (void)gm_json_remove(value, GM_STR("$metadata"));
    gm_json_canonical(doc, value, out);
    return GM_OK;
}

/* Everything of an object's text behind its '{': what comes after members that are there
 * already. */
static void add_rest(struct gm_buf *out, struct gm_str object)
{
    if (object.n > 2) {
        gm_buf_add_char(out, ',');
        gm_buf_add(out, (struct gm_str){object.p + 1, object.n - 1});
    } else {
        gm_buf_add_char(out, '}');
    }
}

static gm_rc write_twin(struct export *export, const struct twin_line *line, struct gm_err *err)
{
    gm_buf_add_z(&export->out, "{\"$dtId\":");
    gm_json_quote(&export->out, line->id);
    if (!has_components(line->model) && !gm_times_have_source(line->times)) {
        gm_buf_add_z(&export->out, ",\"$metadata\":{\"$model\":");
        gm_json_quote(&export->out, line->model->id);
        gm_buf_add_char(&export->out, '}');
        add_rest(&export->out, line->body);
        return end_line(export, err);
    }
    struct gm_buf text, metadata;
    gm_buf_init(&text, BUFFER_SIZE_MAX);
    gm_buf_init(&metadata, BUFFER_SIZE_MAX);
    gm_rc rc = complete_body(export, line, &metadata, &text, err);
    gm_buf_add_z(&export->out, ",\"$metadata\":");
    gm_buf_add(&export->out, gm_buf_str(&metadata));
    add_rest(&export->out, gm_buf_str(&text));
    gm_buf_deinit(&text);
    gm_buf_deinit(&metadata);
    return rc == GM_OK ? end_line(export, err) : rc;
}

static gm_rc write_twin_row(struct export *export, struct gm_stmt *stmt, struct gm_err *err)
{
    struct twin_line line = {
        .model = gm_models_by_num(export->models, gm_twin_model_num(gm_column_i64(stmt, 0))),
        .id = gm_column_text(stmt, 1),
        .body = gm_column_text(stmt, 2),
        .times = gm_column_text(stmt, 3),
    };
    if (line.model == NULL) {
        return gm_fail(err, GM_E_CORRUPT, "twin \"" GM_STR_FMT "\": the store has no model for it",
                       GM_STR_ARG(line.id));
    }
    export->counts->twins++;
    return write_twin(export, &line, err);
}

/* ---- relationships ---- */

static gm_rc write_relationship_row(struct export *export, struct gm_stmt *stmt, struct gm_err *err)
{
    gm_buf_add_z(&export->out, "{\"$dtId\":");
    gm_json_quote(&export->out, gm_column_text(stmt, 0));
    add_member(&export->out, "$relationshipId", gm_column_text(stmt, 1));
    add_member(&export->out, "$relationshipName", gm_column_text(stmt, 2));
    add_member(&export->out, "$targetId", gm_column_text(stmt, 3));
    add_rest(&export->out, gm_column_text(stmt, 4));
    export->counts->relationships++;
    return end_line(export, err);
}

/* ---- the whole ---- */

static gm_rc write_rows(struct export *export, const char *sql_z,
                        gm_rc (*write_row)(struct export *export, struct gm_stmt *stmt,
                                           struct gm_err *err),
                        struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(export->db, sql_z, &stmt, err));
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        rc = write_row(export, stmt, err);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc run(struct export *export, struct gm_err *err)
{
    GM_TRY(gm_models_load(export->db, &export->models, err));
    GM_TRY(write_header(export, err));
    GM_TRY(write_models(export, err));
    GM_TRY(begin_section(export, "Twins", err));
    GM_TRY(write_rows(export, GM_SQL_EXPORT_TWINS, write_twin_row, err));
    GM_TRY(begin_section(export, "Relationships", err));
    GM_TRY(write_rows(export, GM_SQL_EXPORT_RELATIONSHIPS, write_relationship_row, err));
    return flush(export, err);
}

gm_rc gm_export_run(struct gm_db *db, const struct gm_export_options *options,
                    struct gm_export_counts *out_counts, struct gm_err *err)
{
    *out_counts = (struct gm_export_counts){0};
    struct export export = {.db = db, .options = options, .counts = out_counts};
    GM_TRY(gm_db_begin_snapshot(db, err));
    gm_buf_init(&export.out, BUFFER_SIZE_MAX);
    export.arena = gm_arena_new(LINE_ARENA_SIZE);
    gm_rc rc = run(&export, err);
    gm_db_rollback(db);
    gm_models_free(export.models);
    gm_arena_free(export.arena);
    gm_buf_deinit(&export.out);
    return rc;
}
