/* Twins and relationships of an import: from lines to puts on the importing thread, from puts into
 * the store in one transaction a batch. */
#include "base/hash.h"
#include "twin/import_internal.h"
#include "twin/times.h"

/* ---- lines ---- */

static gm_rc parse_object(struct gm_import *import, struct gm_str line, yyjson_mut_val **out_object,
                          struct gm_err *err)
{
    GM_TRY(gm_import_parse(import->doc, line, out_object, err));
    return yyjson_mut_is_obj(*out_object) ? GM_OK
                                          : gm_fail(err, GM_E_INVALID, "expected a JSON object");
}

static gm_rc take_text(yyjson_mut_val *object, const char *name_z, struct gm_str *out_text,
                       struct gm_err *err)
{
    *out_text = gm_json_member_str(object, name_z);
    if (out_text->n == 0) {
        return gm_fail(err, GM_E_INVALID, "expected a text in %s", name_z);
    }
    (void)gm_json_remove(object, gm_str_z(name_z));
    return GM_OK;
}

static gm_rc refuse_seen(struct gm_import *import, struct gm_str id, uint64_t seed,
                         struct gm_err *err)
{
    if (gm_import_seen_add(&import->seen, gm_hash64(id, seed))) {
        return gm_fail(err, GM_E_INVALID,
                       "\"" GM_STR_FMT "\" came before in this file; this line is passed over",
                       GM_STR_ARG(id));
    }
    return GM_OK;
}

/* Canonical text in the batch's arena. */
static gm_rc canonical(struct gm_import *import, yyjson_mut_val *value, struct gm_str *out_text,
                       struct gm_err *err)
{
    struct gm_buf buf;
    gm_buf_init(&buf, GM_IMPORT_LINE_SIZE_MAX);
    gm_json_canonical(import->doc, value, &buf);
    *out_text = gm_buf_failed(&buf) ? (struct gm_str){NULL, 0}
                                    : gm_arena_dup(import->arena, gm_buf_str(&buf));
    gm_buf_deinit(&buf);
    return out_text->p != NULL ? GM_OK : gm_fail(err, GM_E_INVALID, "the line holds too much");
}

static gm_rc find_model(struct gm_import *import, yyjson_mut_val *object,
                        const struct gm_model **out_model, struct gm_err *err)
{
    yyjson_mut_val *metadata = gm_json_member(object, GM_STR("$metadata"));
    struct gm_str id = gm_json_member_str(metadata, "$model");
    if (id.n == 0) {
        return gm_fail(err, GM_E_INVALID, "expected \"$metadata\":{\"$model\":\"dtmi:…\"}");
    }
    *out_model = import->models != NULL ? gm_models_find(import->models, id) : NULL;
    if (*out_model == NULL) {
        struct gm_str near = import->models != NULL ? gm_models_nearest(import->models, id)
                                                    : (struct gm_str){NULL, 0};
        return gm_fail(err, GM_E_INVALID, "there is no model `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                       GM_STR_ARG(id), near.n > 0 ? "; the nearest is `" : "", GM_STR_ARG(near),
                       near.n > 0 ? "`" : "");
    }
    return GM_OK;
}

/* Components come with a $metadata, of which source times are kept. */
static gm_rc strip_components(const struct gm_model *model, yyjson_mut_val *body,
                              struct gm_times_source *sources, struct gm_err *err)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        const struct gm_content *content = gm_model_content(model, gm_json_str(key));
        if (content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(value)) {
            yyjson_mut_val *metadata = gm_json_member(value, GM_STR("$metadata"));
            GM_TRY(gm_times_take_sources(sources, content->name, metadata, err));
            (void)gm_json_remove(value, GM_STR("$metadata"));
        }
    }
    return GM_OK;
}

static gm_rc make_twin(struct gm_import *import, struct gm_str line, struct gm_twin_put *put,
                       struct gm_err *err)
{
    yyjson_mut_val *body;
    GM_TRY(parse_object(import, line, &body, err));
    GM_TRY(take_text(body, "$dtId", &put->id, err));
    GM_TRY(gm_twin_id_check_any(put->id, err));
    GM_TRY(find_model(import, body, &put->model, err));
    struct gm_times_source sources = {.doc = import->doc};
    GM_TRY(gm_times_take_sources(&sources, (struct gm_str){NULL, 0},
                                 gm_json_member(body, GM_STR("$metadata")), err));
    (void)gm_json_remove(body, GM_STR("$metadata"));
    (void)gm_json_remove(body, GM_STR("$etag"));
    GM_TRY(strip_components(put->model, body, &sources, err));
    put->sources = sources.sources;
    GM_TRY(gm_model_check_body(put->model, body, err));
    gm_json_sort(import->doc, body);
    GM_TRY(canonical(import, body, &put->text, err));
    if (put->text.n > GM_TWIN_BODY_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "%zu bytes; a twin has at most %d", put->text.n,
                       GM_TWIN_BODY_SIZE_MAX);
    }
    put->doc = import->doc;
    put->body = body;
    put->position = import->reader.line;
    return refuse_seen(import, put->id, 0, err);
}

void gm_import_read_twin(struct gm_import *import, struct gm_str line)
{
    struct gm_twin_put put = {0};
    struct gm_err own = {0};
    if (make_twin(import, line, &put, &own) != GM_OK) {
        gm_import_problem(import, import->reader.line, own.text);
        return;
    }
    struct gm_import_twin *twin = gm_vec_push(&import->twins);
    twin->put = put;
    twin->line = import->reader.line;
}

static gm_rc make_link(struct gm_import *import, struct gm_str line, struct gm_link_put *put,
                       struct gm_err *err)
{
    struct gm_relationship_put *relationship = &put->relationship;
    yyjson_mut_val *body;
    GM_TRY(parse_object(import, line, &body, err));
    const char *source_z = gm_json_member(body, GM_STR("$dtId")) != NULL ? "$dtId" : "$sourceId";
    GM_TRY(take_text(body, source_z, &put->source_id, err));
    GM_TRY(take_text(body, "$relationshipId", &relationship->id, err));
    GM_TRY(take_text(body, "$targetId", &relationship->target_id, err));
    GM_TRY(take_text(body, "$relationshipName", &relationship->name, err));
    (void)gm_json_remove(body, GM_STR("$etag"));
    if (relationship->id.n > GM_RELATIONSHIP_ID_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "a $relationshipId has at most %d bytes",
                       GM_RELATIONSHIP_ID_SIZE_MAX);
    }
    if (yyjson_mut_obj_size(body) > 0) {
        gm_json_sort(import->doc, body);
        relationship->properties = body;
        GM_TRY(canonical(import, body, &relationship->text, err));
    }
    put->position = import->reader.line;
    return refuse_seen(import, relationship->id, gm_hash64(put->source_id, 1), err);
}

void gm_import_read_link(struct gm_import *import, struct gm_str line)
{
    struct gm_link_put put = {0};
    struct gm_err own = {0};
    if (make_link(import, line, &put, &own) != GM_OK) {
        gm_import_problem(import, import->reader.line, own.text);
        return;
    }
    struct gm_import_link *link = gm_vec_push(&import->links);
    link->put = put;
    link->line = import->reader.line;
}

/* ---- the transaction ---- */

struct batch_job {
    struct gm_import *import;
    struct gm_twin_reader *reader;
};

/* Adds null for members that the store has and the line has not. */
static void add_removals(yyjson_mut_doc *doc, yyjson_mut_val *body, yyjson_mut_val *stored)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(stored, index, max, key, value)
    {
        if (gm_json_member(body, gm_json_str(key)) == NULL) {
            gm_json_set(doc, body, gm_json_str(key), yyjson_mut_null(doc));
        }
    }
}

/* Source times that the store has and the line has not go. */
static gm_rc drop_sources(struct gm_twin_put *put, struct gm_str stored, struct gm_err *err)
{
    yyjson_mut_val *times;
    if (!gm_times_have_source(stored)) {
        return GM_OK;
    }
    GM_TRY(gm_json_parse(put->doc, stored, &times, err));
    put->sources = put->sources != NULL ? put->sources : yyjson_mut_obj(put->doc);
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(times, index, max, key, value)
    {
        if (yyjson_mut_is_arr(value) && gm_json_member(put->sources, gm_json_str(key)) == NULL &&
            !gm_json_set(put->doc, put->sources, gm_json_str(key), yyjson_mut_null(put->doc))) {
            return gm_fail(err, GM_E_LIMIT, "no room for a twin's times");
        }
    }
    return GM_OK;
}

/* A put merges into the twin that is there; the line says how the whole twin is. */
static gm_rc replace_whole(struct gm_twin_put *put, const struct gm_twin *stored,
                           struct gm_err *err)
{
    yyjson_mut_val *old;
    GM_TRY(gm_json_parse(put->doc, stored->body, &old, err));
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(put->body, index, max, key, value)
    {
        const struct gm_content *content = gm_model_content(put->model, gm_json_str(key));
        yyjson_mut_val *there = gm_json_member(old, gm_json_str(key));
        if (content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(there)) {
            add_removals(put->doc, value, there);
            gm_json_sort(put->doc, value);
        }
    }
    add_removals(put->doc, put->body, old);
    gm_json_sort(put->doc, put->body);
    return drop_sources(put, stored->times, err);
}

/* What the model of a line means for a twin that is there, or not. */
static gm_rc check_model(const struct gm_import_twin *twin, const struct gm_twin *stored,
                         struct gm_err *err)
{
    const struct gm_model *model = twin->put.model;
    if (stored == NULL && model->decommissioned) {
        return gm_fail(err, GM_E_INVALID, "model `" GM_STR_FMT "` is decommissioned: no new twins",
                       GM_STR_ARG(model->id));
    }
    if (stored != NULL && stored->sources > 0 && gm_twin_model_num(stored->num) != model->num) {
        return gm_fail(err, GM_E_INVALID,
                       "twin \"" GM_STR_FMT "\" is of another model, and a pipeline delivers it",
                       GM_STR_ARG(twin->put.id));
    }
    return GM_OK;
}

static gm_rc apply_twin(struct batch_job *job, struct gm_import_twin *twin, struct gm_err *err)
{
    struct gm_twin stored;
    gm_rc rc = gm_twin_by_id(job->reader, twin->put.id, &stored, err);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    twin->put.err = &twin->err;
    twin->put.rc = check_model(twin, rc == GM_OK ? &stored : NULL, &twin->err);
    if (twin->put.rc != GM_OK) {
        return GM_OK;
    }
    if (rc == GM_OK && stored.sources == 0) {
        GM_TRY(replace_whole(&twin->put, &stored, err));
    }
    return gm_graph_put_twin(job->import->store->graph, &twin->put, err);
}

/* *out_model = NULL: no such twin. */
static gm_rc find_end(struct batch_job *job, struct gm_str id, const struct gm_model **out_model,
                      struct gm_err *err)
{
    struct gm_twin twin;
    gm_rc rc = gm_twin_by_id(job->reader, id, &twin, err);
    *out_model =
        rc == GM_OK ? gm_models_by_num(job->import->models, gm_twin_model_num(twin.num)) : NULL;
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc apply_link(struct batch_job *job, struct gm_import_link *link, struct gm_err *err)
{
    const struct gm_relationship_put *relationship = &link->put.relationship;
    const struct gm_model *source, *target = NULL;
    GM_TRY(find_end(job, link->put.source_id, &source, err));
    GM_TRY(find_end(job, relationship->target_id, &target, err));
    if (source == NULL || target == NULL) {
        link->put.rc = gm_fail(
            &link->err, GM_E_INVALID, "there is no twin \"" GM_STR_FMT "\", the relationship's %s",
            GM_STR_ARG(source == NULL ? link->put.source_id : relationship->target_id),
            source == NULL ? "source" : "target");
        return GM_OK;
    }
    link->put.rc = gm_model_check_relationship(source, relationship->name, job->import->models,
                                               target, relationship->properties, &link->err);
    if (link->put.rc != GM_OK) {
        return GM_OK;
    }
    link->put.err = &link->err;
    return gm_graph_put_link(job->import->store->graph, &link->put, err);
}

static gm_rc apply_all(struct batch_job *job, struct gm_err *err)
{
    struct gm_import *import = job->import;
    struct gm_cause cause = {.actor = gm_str_z(import->actor_z),
                             .now = import->options->clock->wall(import->options->clock)};
    GM_TRY(gm_graph_begin(import->store->graph, &cause, err));
    for (size_t i = 0; i < import->twins.n; i++) {
        GM_TRY(apply_twin(job, &import->twins.at[i], err));
    }
    for (size_t i = 0; i < import->links.n; i++) {
        GM_TRY(apply_link(job, &import->links.at[i], err));
    }
    return gm_graph_end(import->store->graph, err);
}

static void count(enum gm_put_outcome outcome, int64_t *created, int64_t *updated, int64_t *same)
{
    *created += outcome == GM_PUT_CREATED;
    *updated += outcome == GM_PUT_UPDATED;
    *same += outcome == GM_PUT_SAME;
}

static void count_twin(struct gm_import_counts *counts, const struct gm_import_twin *twin)
{
    if (twin->put.rc != GM_OK) {
        counts->failed++;
        return;
    }
    count(twin->put.outcome, &counts->twins_created, &counts->twins_updated, &counts->twins_same);
}

static void count_link(struct gm_import_counts *counts, const struct gm_import_link *link)
{
    if (link->put.rc != GM_OK) {
        counts->failed++;
        return;
    }
    count(link->put.outcome, &counts->relationships_created, &counts->relationships_updated,
          &counts->relationships_same);
}

/* What the import has done when this batch is committed. */
static gm_rc mark(struct gm_import *import, struct gm_db *db, struct gm_err *err)
{
    struct gm_import_counts *counts = &import->reached.counts;
    *counts = *import->counts;
    for (size_t i = 0; i < import->twins.n; i++) {
        count_twin(counts, &import->twins.at[i]);
    }
    for (size_t i = 0; i < import->links.n; i++) {
        count_link(counts, &import->links.at[i]);
    }
    const struct gm_import_options *options = import->options;
    return options->mark != NULL ? options->mark(options->ctx, db, &import->reached, err) : GM_OK;
}

static gm_rc apply_in_transaction(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct batch_job job = {.import = ctx};
    GM_TRY(gm_twin_reader_open(db, &job.reader, err));
    gm_rc rc = apply_all(&job, err);
    rc = rc == GM_OK ? mark(ctx, db, err) : rc;
    gm_twin_reader_close(job.reader);
    return rc;
}

/* ---- after the commit ---- */

/* The lines are counted already. */
static void report(const struct gm_import *import)
{
    for (size_t i = 0; i < import->twins.n; i++) {
        const struct gm_import_twin *twin = &import->twins.at[i];
        if (twin->put.rc != GM_OK) {
            gm_import_report(import, twin->line, twin->err.text);
        }
    }
    for (size_t i = 0; i < import->links.n; i++) {
        const struct gm_import_link *link = &import->links.at[i];
        if (link->put.rc != GM_OK) {
            gm_import_report(import, link->line, link->err.text);
        }
    }
}

gm_rc gm_import_apply_batch(struct gm_import *import, struct gm_err *err)
{
    if (import->twins.n + import->links.n > 0) {
        GM_TRY(import->store->write(import->store->ctx, apply_in_transaction, import, err));
        *import->counts = import->reached.counts;
        report(import);
    }
    import->twins.n = 0;
    import->links.n = 0;
    import->batch_size = 0;
    gm_arena_reset(import->arena);
    import->doc = gm_json_doc_new(import->arena);
    GM_ASSERT(import->doc != NULL);
    return GM_OK;
}
