/* Models in the store. */
#include "twin/models.h"

#include "base/map.h"
#include "base/num.h"
#include "base/vec.h"
#include "twin_sql.h"

/* What stands beside a model's text. */
struct stored {
    struct gm_str id;
    int64_t num;
    gm_ns uploaded;
    bool decommissioned;
};

struct loader {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    GM_VEC(struct stored) rows;
    GM_VEC(yyjson_mut_val *) interfaces;
};

/* All texts of a set at once while it is read; a set itself is bounded by gm_models_extend. */
static const size_t load_size_max = (size_t)1 << 30;

static gm_rc load_row(struct loader *loader, struct gm_stmt *stmt, struct gm_err *err)
{
    struct stored row = {.num = gm_column_i64(stmt, 0),
                         .id = gm_arena_dup(loader->arena, gm_column_text(stmt, 1)),
                         .uploaded = gm_column_i64(stmt, 2),
                         .decommissioned = gm_column_i64(stmt, 3) != 0};
    if (row.id.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the store's models take more than %zu bytes",
                       load_size_max);
    }
    yyjson_mut_val *interface;
    gm_rc rc = gm_json_parse(loader->doc, gm_column_text(stmt, 4), &interface, err);
    if (rc != GM_OK) {
        (void)gm_fail_within(err, "model " GM_STR_FMT " in the store", GM_STR_ARG(row.id));
        return rc == GM_E_INVALID ? GM_E_CORRUPT : rc;
    }
    *gm_vec_push(&loader->rows) = row;
    *gm_vec_push(&loader->interfaces) = interface;
    return GM_OK;
}

static gm_rc load_rows(struct loader *loader, struct gm_stmt *stmt, struct gm_err *err)
{
    for (;;) {
        gm_rc rc = gm_step(stmt, err);
        if (rc != GM_OK) {
            return rc == GM_E_END ? GM_OK : rc;
        }
        GM_TRY(load_row(loader, stmt, err));
    }
}

static gm_rc load(struct loader *loader, struct gm_stmt *stmt, struct gm_models **out_models,
                  struct gm_err *err)
{
    if (loader->doc == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no memory for the store's models");
    }
    GM_TRY(load_rows(loader, stmt, err));
    struct gm_models *models;
    size_t added;
    struct gm_models_request request = {
        .interfaces = loader->interfaces.at,
        .count = loader->interfaces.n,
        .trusted = true, /* they were checked before they were stored */
    };
    gm_rc rc = gm_models_make(&request, &models, &added, err);
    if (rc != GM_OK) {
        (void)gm_fail_within(err, "models in the store");
        return rc == GM_E_LIMIT ? rc : GM_E_CORRUPT;
    }
    for (size_t i = 0; i < loader->rows.n; i++) {
        const struct stored *row = &loader->rows.at[i];
        if (!gm_models_set_stored(models, row->id, row->num, row->uploaded, row->decommissioned)) {
            gm_models_free(models);
            return gm_fail(err, GM_E_CORRUPT,
                           "model " GM_STR_FMT " in the store: its definition has another @id",
                           GM_STR_ARG(row->id));
        }
    }
    *out_models = models;
    return GM_OK;
}

gm_rc gm_models_load(struct gm_db *db, struct gm_models **out_models, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, GM_SQL_MODEL_LIST, &stmt, err));
    struct loader loader = {.arena = gm_arena_new(load_size_max)};
    loader.doc = gm_json_doc_new(loader.arena);
    gm_rc rc = load(&loader, stmt, out_models, err);
    gm_stmt_finalize(stmt);
    gm_vec_deinit(&loader.rows);
    gm_vec_deinit(&loader.interfaces);
    gm_arena_free(loader.arena);
    return rc;
}

/* ---- storing ---- */

struct storer {
    struct gm_models *models;
    gm_ns now;
    struct gm_map *nums; /* of all models by id, also those that get theirs now */
    struct gm_stmt *last_num, *set_last_num, *insert, *insert_base;
};

static gm_rc prepare(struct storer *storer, struct gm_db *db, struct gm_err *err)
{
    GM_TRY(gm_db_prepare(db, GM_SQL_MODEL_LAST_NUM, &storer->last_num, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_MODEL_SET_LAST_NUM, &storer->set_last_num, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_MODEL_INSERT, &storer->insert, err));
    return gm_db_prepare(db, GM_SQL_MODEL_BASE_INSERT, &storer->insert_base, err);
}

static gm_rc read_last_num(struct storer *storer, int64_t *out_num, struct gm_err *err)
{
    *out_num = 0;
    gm_rc rc = gm_step(storer->last_num, err);
    if (rc == GM_E_END) {
        return GM_OK;
    }
    if (rc == GM_OK && !gm_parse_i64(gm_column_text(storer->last_num, 0), out_num)) {
        rc = gm_fail(err, GM_E_CORRUPT, "the store's fact models.last_num is no number");
    }
    gm_reset(storer->last_num);
    return rc;
}

static gm_rc write_last_num(struct storer *storer, int64_t num, struct gm_err *err)
{
    char text[GM_NUM_TEXT_SIZE];
    gm_bind_text(storer->set_last_num, 1, (struct gm_str){text, gm_format_i64(num, text)});
    return gm_stmt_run(storer->set_last_num, NULL, err);
}

static gm_rc insert_model(struct storer *storer, const struct gm_model *model, int64_t num,
                          struct gm_err *err)
{
    gm_bind_i64(storer->insert, 1, num);
    gm_bind_text(storer->insert, 2, model->id);
    gm_bind_i64(storer->insert, 3, storer->now);
    gm_bind_i64(storer->insert, 4, 0);
    gm_bind_text(storer->insert, 5, model->text);
    return gm_stmt_run(storer->insert, NULL, err);
}

static gm_rc insert_base(struct storer *storer, int64_t base, int64_t num, struct gm_err *err)
{
    gm_bind_i64(storer->insert_base, 1, base);
    gm_bind_i64(storer->insert_base, 2, num);
    return gm_stmt_run(storer->insert_base, NULL, err);
}

/* The model counts as its own base: "of this model or derived" is one lookup. */
static gm_rc insert_bases(struct storer *storer, const struct gm_model *model, int64_t num,
                          struct gm_err *err)
{
    GM_TRY(insert_base(storer, num, num, err));
    for (size_t i = 0; i < model->base_count; i++) {
        uint64_t base = 0;
        bool numbered = gm_map_get(storer->nums, model->bases[i]->id, &base);
        GM_ASSERT(numbered);
        GM_TRY(insert_base(storer, (int64_t)base, num, err));
    }
    return GM_OK;
}

/* Numbers come first: a base may stand behind what derives from it. Models `first` and up are
 * new. */
static gm_rc insert_all(struct storer *storer, size_t first, int64_t last_num, struct gm_err *err)
{
    size_t count = gm_models_count(storer->models);
    for (size_t i = 0; i < count; i++) {
        const struct gm_model *model = gm_models_at(storer->models, i);
        int64_t num = i < first ? model->num : last_num + 1 + (int64_t)(i - first);
        (void)gm_map_set(storer->nums, model->id, (uint64_t)num);
    }
    for (size_t i = first; i < count; i++) {
        int64_t num = last_num + 1 + (int64_t)(i - first);
        GM_TRY(insert_model(storer, gm_models_at(storer->models, i), num, err));
        GM_TRY(insert_bases(storer, gm_models_at(storer->models, i), num, err));
    }
    return write_last_num(storer, last_num + (int64_t)(count - first), err);
}

static gm_rc store(struct storer *storer, struct gm_err *err)
{
    struct gm_models *models = storer->models;
    size_t count = gm_models_count(models);
    size_t first = 0;
    while (first < count && gm_models_at(models, first)->num > 0) {
        first++;
    }
    if (first == count) {
        return GM_OK;
    }
    int64_t last_num;
    GM_TRY(read_last_num(storer, &last_num, err));
    GM_TRY(insert_all(storer, first, last_num, err));
    /* The set changes when all is written, so that after a failure it can be stored again. In this
     * order they stay where they are. */
    for (size_t i = first; i < count; i++) {
        int64_t num = last_num + 1 + (int64_t)(i - first);
        bool there =
            gm_models_set_stored(models, gm_models_at(models, i)->id, num, storer->now, false);
        GM_ASSERT(there);
    }
    return GM_OK;
}

gm_rc gm_models_store(struct gm_models *models, struct gm_db *db, gm_ns now, struct gm_err *err)
{
    struct storer storer = {.models = models, .now = now, .nums = gm_map_new()};
    gm_rc rc = prepare(&storer, db, err);
    if (rc == GM_OK) {
        rc = store(&storer, err);
    }
    gm_map_free(storer.nums);
    gm_stmt_finalize(storer.last_num);
    gm_stmt_finalize(storer.set_last_num);
    gm_stmt_finalize(storer.insert);
    gm_stmt_finalize(storer.insert_base);
    return rc;
}

/* ---- changing ---- */

/* What the rebuilt set is made of. */
struct parts {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    GM_VEC(yyjson_mut_val *) interfaces;
    GM_VEC(const struct gm_model *) kept;
};

static gm_rc collect_parts(struct parts *parts, const struct gm_models_rebuild *rebuild,
                           struct gm_err *err)
{
    size_t count = rebuild->old != NULL ? gm_models_count(rebuild->old) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct gm_model *model = gm_models_at(rebuild->old, i);
        if (rebuild->left_out != NULL && rebuild->left_out(rebuild->ctx, model)) {
            continue;
        }
        yyjson_mut_val *interface;
        GM_TRY(gm_json_parse(parts->doc, model->text, &interface, err));
        *gm_vec_push(&parts->interfaces) = interface;
        *gm_vec_push(&parts->kept) = model;
    }
    for (size_t i = 0; i < rebuild->count; i++) {
        *gm_vec_push(&parts->interfaces) = rebuild->interfaces[i];
    }
    return GM_OK;
}

gm_rc gm_models_rebuild(const struct gm_models_rebuild *rebuild, struct gm_models **out_models,
                        struct gm_err *err)
{
    struct parts parts = {.arena = gm_arena_new(load_size_max)};
    struct gm_models *models = NULL;
    size_t added;
    parts.doc = gm_json_doc_new(parts.arena);
    GM_ASSERT(parts.doc != NULL);
    gm_rc rc = collect_parts(&parts, rebuild, err);
    if (rc == GM_OK) {
        struct gm_models_request request = {
            .interfaces = parts.interfaces.at,
            .count = parts.interfaces.n,
            .trusted = rebuild->count == 0, /* only what was stored already */
            .errors = rebuild->errors,
        };
        rc = gm_models_make(&request, &models, &added, err);
    }
    for (size_t i = 0; rc == GM_OK && i < parts.kept.n; i++) {
        const struct gm_model *model = parts.kept.at[i];
        bool there = gm_models_set_stored(models, model->id, model->num, model->uploaded,
                                          model->decommissioned);
        GM_ASSERT(there);
    }
    gm_vec_deinit(&parts.interfaces);
    gm_vec_deinit(&parts.kept);
    gm_arena_free(parts.arena);
    if (rc == GM_OK) {
        *out_models = models;
    }
    return rc;
}

gm_rc gm_model_update_row(struct gm_db *db, const struct gm_model *model, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_MODEL_UPDATE, &stmt, err));
    gm_bind_i64(stmt, 1, model->num);
    gm_bind_i64(stmt, 2, model->uploaded);
    gm_bind_i64(stmt, 3, model->decommissioned);
    gm_bind_text(stmt, 4, model->text);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc delete_bases(struct gm_db *db, int64_t num, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_MODEL_BASES_DELETE, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_model_replace_row(struct gm_db *db, const struct gm_model *model, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_model_update_row(db, model, err));
    GM_TRY(delete_bases(db, model->num, err));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_MODEL_BASE_INSERT, &stmt, err));
    for (size_t i = 0; i <= model->base_count; i++) {
        gm_bind_i64(stmt, 1, i < model->base_count ? model->bases[i]->num : model->num);
        gm_bind_i64(stmt, 2, model->num);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

gm_rc gm_model_delete_row(struct gm_db *db, int64_t num, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(delete_bases(db, num, err));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_MODEL_DELETE, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_model_has_twins(struct gm_db *db, int64_t num, bool *out_any, struct gm_err *err)
{
    enum { COUNT_BITS = 32 };
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_MODEL_HAS_TWINS, &stmt, err));
    gm_bind_i64(stmt, 1, num << COUNT_BITS);
    gm_bind_i64(stmt, 2, ((num + 1) << COUNT_BITS) - 1);
    gm_rc rc = gm_step(stmt, err);
    *out_any = rc == GM_OK;
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- looking ---- */

bool gm_model_needs(const struct gm_model *model, const struct gm_model *other)
{
    bool needs = model != other && gm_model_is(model, other);
    for (size_t i = 0; i < model->content_count && !needs; i++) {
        needs = model->contents[i].type == GM_CONTENT_COMPONENT &&
                model->contents[i].component == other;
    }
    return needs;
}

/* A text alone is one in English, as the service has it. */
static yyjson_mut_val *texts_by_language(yyjson_mut_doc *doc, yyjson_mut_val *given)
{
    if (yyjson_mut_is_obj(given)) {
        return gm_json_copy(doc, given);
    }
    yyjson_mut_val *texts = yyjson_mut_obj(doc);
    bool ok = texts != NULL && (!yyjson_mut_is_str(given) ||
                                gm_json_set(doc, texts, GM_STR("en"), gm_json_copy(doc, given)));
    return ok ? texts : NULL;
}

/* "2026-11-20T17:09:55.1234567+00:00" */
static yyjson_mut_val *upload_time(yyjson_mut_doc *doc, gm_ns time)
{
    char text[GM_TIME_TEXT_SIZE + 8];
    size_t n = gm_time_format(time, text);
    memcpy(text + n - 1, "+00:00", sizeof("+00:00")); /* in place of the Z */
    return gm_json_strcpy(doc, gm_str_z(text));
}

yyjson_mut_val *gm_model_json(yyjson_mut_doc *doc, const struct gm_model *model,
                              bool with_definition)
{
    struct gm_err ignored;
    yyjson_mut_val *definition, *value = yyjson_mut_obj(doc);
    if (value == NULL || gm_json_parse(doc, model->text, &definition, &ignored) != GM_OK) {
        return NULL;
    }
    bool ok =
        gm_json_set(doc, value, GM_STR("id"), gm_json_strcpy(doc, model->id)) &&
        gm_json_set(doc, value, GM_STR("description"),
                    texts_by_language(doc, gm_json_member(definition, GM_STR("description")))) &&
        gm_json_set(doc, value, GM_STR("displayName"),
                    texts_by_language(doc, gm_json_member(definition, GM_STR("displayName")))) &&
        gm_json_set(doc, value, GM_STR("decommissioned"),
                    yyjson_mut_bool(doc, model->decommissioned)) &&
        gm_json_set(doc, value, GM_STR("uploadTime"), upload_time(doc, model->uploaded)) &&
        (!with_definition || gm_json_set(doc, value, GM_STR("model"), definition));
    return ok ? value : NULL;
}
