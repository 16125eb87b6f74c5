/* An import: its input fetched, its lines into the graph, its output told. */
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/vec.h"
#include "job/inside.h"
#include "os/file.h"
#include "twin/transfer.h"
#include "json/json.h"

enum { PROGRESS_SIZE_MAX = 4 << 10, TEXT_SIZE_MAX = 4 << 10 };

/* Sets of models that lines were checked against: they stay until the import is over. */
typedef GM_VEC(const struct gm_models *) held_models;

struct import {
    held_models held;
    const struct gm_job_work *work;
    struct gm_job_log *log;
    struct gm_blob_place input;
    char *path_z;                   /* what is read */
    enum gm_import_section section; /* under way */
    struct gm_import_position from;
    bool resumed;
    gm_rc log_rc; /* the first failure to write the log */
    struct gm_err log_err;
};

/* ---- progress, as it stands in the job's row ---- */

static const struct {
    const char *name_z;
    size_t offset;
} count_fields[] = {
#define COUNT_FIELD(name)                                                                          \
    {                                                                                              \
#name, offsetof(struct gm_import_counts, name)                                             \
    }
    COUNT_FIELD(models_created),
    COUNT_FIELD(models_same),
    COUNT_FIELD(twins_created),
    COUNT_FIELD(twins_updated),
    COUNT_FIELD(twins_same),
    COUNT_FIELD(relationships_created),
    COUNT_FIELD(relationships_updated),
    COUNT_FIELD(relationships_same),
    COUNT_FIELD(failed),
#undef COUNT_FIELD
};

static int64_t *count_at(struct gm_import_counts *counts, size_t index)
{
    return (int64_t *)(void *)((char *)counts + count_fields[index].offset);
}

static void write_progress(const struct gm_import_position *position, struct gm_buf *out)
{
    struct gm_import_counts counts = position->counts;
    gm_buf_addf(out, "{\"offset\":%llu,\"lines\":%llu,\"section\":%d,\"header\":%s",
                (unsigned long long)position->offset, (unsigned long long)counts.lines,
                (int)position->section, position->header_seen ? "true" : "false");
    for (size_t i = 0; i < GM_ARRAY_COUNT(count_fields); i++) {
        gm_buf_addf(out, ",\"%s\":%lld", count_fields[i].name_z, (long long)*count_at(&counts, i));
    }
    gm_buf_add_z(out, "}");
}

static int64_t member(yyjson_mut_val *object, const char *name_z)
{
    return yyjson_mut_get_sint(gm_json_member(object, gm_str_z(name_z)));
}

static gm_rc read_progress(const struct gm_job_work *work, struct gm_import_position *out_position,
                           struct gm_err *err)
{
    yyjson_mut_doc *doc = gm_json_doc_new(work->arena);
    yyjson_mut_val *value;
    gm_rc rc = gm_json_parse(doc, work->job->progress, &value, err);
    struct gm_import_position position = {0};
    int64_t section = rc == GM_OK ? member(value, "section") : -1;
    if (section < 0 || section >= GM_IMPORT_SECTION_COUNT) {
        return gm_fail(err, GM_E_CORRUPT, "the job's progress in the store is not readable");
    }
    position.section = (enum gm_import_section)section;
    position.offset = (uint64_t)member(value, "offset");
    position.counts.lines = (uint64_t)member(value, "lines");
    position.counts.bytes = position.offset;
    position.header_seen = yyjson_mut_get_bool(gm_json_member(value, GM_STR("header")));
    for (size_t i = 0; i < GM_ARRAY_COUNT(count_fields); i++) {
        *count_at(&position.counts, i) = member(value, count_fields[i].name_z);
    }
    *out_position = position;
    return GM_OK;
}

/* ---- what the import calls ---- */

static gm_rc mark_progress(void *ctx, struct gm_db *db, const struct gm_import_position *position,
                           struct gm_err *err)
{
    const struct import *import = ctx;
    struct gm_buf text;
    gm_buf_init(&text, PROGRESS_SIZE_MAX);
    write_progress(position, &text);
    gm_rc rc = gm_job_set_progress(db, import->work->job->num, gm_buf_str(&text), err);
    gm_buf_deinit(&text);
    return rc;
}

/* The log's failure ends the import at its next transaction. */
static void flush(struct import *import, bool all)
{
    if (import->log_rc == GM_OK) {
        import->log_rc = gm_job_log_flush(import->log, all, &import->log_err);
        if (import->log_rc != GM_OK) {
            gm_stop_request(import->work->stop);
        }
    }
}

static void say_problem(void *ctx, uint64_t line, enum gm_import_section section,
                        const char *text_z)
{
    struct import *import = ctx;
    struct gm_buf text;
    gm_buf_init(&text, TEXT_SIZE_MAX);
    gm_json_quote(&text, gm_str_z(text_z));
    gm_job_log_add(
        import->log, "Error",
        "{\"section\":\"%s\",\"line\":%llu,\"code\":\"ValidationFailed\",\"message\":%s}",
        gm_import_section_name(section), (unsigned long long)line,
        gm_buf_failed(&text) ? "\"\"" : text.p);
    gm_buf_deinit(&text);
}

static void say_section(struct import *import, const char *status_z)
{
    if (import->section > GM_IMPORT_HEADER) {
        gm_job_log_add(import->log, "Info", "{\"section\":\"%s\",\"status\":\"%s\"}",
                       gm_import_section_name(import->section), status_z);
    }
}

static void enter_section(void *ctx, enum gm_import_section section)
{
    struct import *import = ctx;
    say_section(import, "Succeeded");
    import->section = section;
    say_section(import, "Started");
    flush(import, false);
}

static void show_progress(void *ctx, const struct gm_import_counts *counts)
{
    (void)counts;
    flush(ctx, false);
}

/* A writing job of the import, seen as one of the store. */
struct store_job {
    gm_writer_fn fn;
    void *ctx;
};

static gm_rc run_store_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct store_job *job = ctx;
    return job->fn(job->ctx, tx->db, err);
}

static gm_rc write_batch(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err)
{
    struct import *import = ctx;
    struct store_job job = {fn, fn_ctx};
    return gm_store_write(import->work->jobs->options.store, run_store_job, &job, err);
}

static const struct gm_models *hold_models(struct import *import)
{
    const struct gm_models *models = gm_store_models_hold(import->work->jobs->options.store);
    *gm_vec_push(&import->held) = models;
    return models;
}

static void release_models(struct import *import)
{
    for (size_t i = 0; i < import->held.n; i++) {
        gm_store_models_release(import->work->jobs->options.store, import->held.at[i]);
    }
    gm_vec_deinit(&import->held);
}

static gm_rc add_interfaces(void *ctx, struct gm_import_interfaces *interfaces, struct gm_err *err)
{
    struct import *import = ctx;
    struct gm_store *store = import->work->jobs->options.store;
    GM_TRY(
        gm_store_add_interfaces(store, interfaces->at, interfaces->count, &interfaces->added, err));
    interfaces->models = hold_models(import);
    return GM_OK;
}

/* ---- the job ---- */

static gm_rc fetch(void *ctx, struct gm_err *err)
{
    struct import *import = ctx;
    struct gm_blob_client client = import->work->jobs->options.blobs;
    client.stop = import->work->stop;
    return gm_blob_fetch(&client, &import->input, import->path_z, err);
}

/* The file to read: the one that was named, or a copy. */
static gm_rc get_input(struct import *import, struct gm_err *err)
{
    const struct gm_job_work *work = import->work;
    GM_AUTO_FREE char *url_z = gm_str_dup_z(work->job->input);
    GM_TRY(gm_blob_locate(&work->jobs->options.blobs, url_z, &import->input, err));
    if (import->input.path_z != NULL) {
        import->path_z = gm_strdup_z(import->input.path_z);
        return gm_job_check_file(work->jobs, import->path_z, err);
    }
    import->path_z = gm_job_file_z(work->jobs, work->job->num, "input");
    struct gm_file_info info;
    GM_TRY(gm_file_info(import->path_z, &info, err));
    if (info.type == GM_FILE_REGULAR) {
        return GM_OK; /* fetched before the process was ended */
    }
    import->resumed = false; /* what is fetched now may be another */
    return gm_job_persist(work, fetch, import, err);
}

static gm_rc run_import(struct import *import, struct gm_import_counts *counts, struct gm_err *err)
{
    const struct gm_job_work *work = import->work;
    struct gm_store *store = work->jobs->options.store;
    GM_AUTO_FREE char *name_z = gm_format_z("job " GM_STR_FMT, GM_STR_ARG(work->job->id));
    const struct gm_deadline deadline = {.stop = work->stop};
    struct gm_import_store to = {.ctx = import,
                                 .write = write_batch,
                                 .add_interfaces = add_interfaces,
                                 .graph = gm_store_graph(store),
                                 .models = hold_models(import)};
    struct gm_import_options options = {.path_z = import->path_z,
                                        .name = gm_str_z(name_z),
                                        .clock = work->jobs->clock,
                                        .deadline = &deadline,
                                        .from = import->resumed ? &import->from : NULL,
                                        .ctx = import,
                                        .mark = mark_progress,
                                        .section = enter_section,
                                        .problem = say_problem,
                                        .progress = show_progress};
    return gm_import_run(&to, &options, counts, err);
}

static void say_end(struct import *import, gm_rc rc, const struct gm_import_counts *counts,
                    const struct gm_err *err)
{
    if (rc == GM_OK) {
        say_section(import, "Succeeded");
    } else if (rc != GM_E_INVALID || counts->failed == 0) {
        struct gm_buf text;
        gm_buf_init(&text, TEXT_SIZE_MAX);
        gm_json_quote(&text, gm_str_z(err->text));
        gm_job_log_add(import->log, "Error", "{\"code\":\"%s\",\"message\":%s}", gm_rc_name(rc),
                       gm_buf_failed(&text) ? "\"\"" : text.p);
        gm_buf_deinit(&text);
    }
    gm_job_log_add(import->log, "Info",
                   "{\"status\":\"%s\",\"modelsCreated\":%lld,\"twinsCreated\":%lld,"
                   "\"twinsUpdated\":%lld,\"relationshipsCreated\":%lld,"
                   "\"relationshipsUpdated\":%lld,\"linesFailed\":%lld}",
                   rc == GM_OK            ? "Succeeded"
                   : rc == GM_E_CANCELLED ? "Cancelled"
                                          : "Failed",
                   (long long)counts->models_created, (long long)counts->twins_created,
                   (long long)counts->twins_updated, (long long)counts->relationships_created,
                   (long long)counts->relationships_updated, (long long)counts->failed);
}

static gm_rc flush_all(void *ctx, struct gm_err *err)
{
    struct import *import = ctx;
    return gm_job_log_flush(import->log, true, err);
}

static gm_rc open_log(void *ctx, struct gm_err *err)
{
    struct import *import = ctx;
    return gm_job_log_open(import->work->jobs, import->work->job, !import->resumed, &import->log,
                           err);
}

/* With its log open. */
static gm_rc import_and_tell(struct import *import, struct gm_err *err)
{
    struct gm_import_counts counts = import->from.counts;
    if (!import->resumed) {
        gm_job_log_add(import->log, "Info", "{\"status\":\"Started\"}");
    }
    import->section = import->resumed ? import->from.section : GM_IMPORT_NO_SECTION;
    gm_rc rc = get_input(import, err);
    rc = rc == GM_OK ? run_import(import, &counts, err) : rc;
    if (import->log_rc != GM_OK) {
        *err = import->log_err;
        return import->log_rc;
    }
    if (rc == GM_OK && counts.failed > 0) {
        rc = gm_fail(err, GM_E_INVALID,
                     "%lld of %llu lines could not be imported; the output names them",
                     (long long)counts.failed, (unsigned long long)counts.lines);
    }
    if (rc == GM_E_CANCELLED && gm_stop_requested(import->work->jobs->closing)) {
        flush(import, false);
        return rc;
    }
    say_end(import, rc, &counts, err);
    struct gm_err log_err = {0};
    gm_rc log_rc = gm_job_persist(import->work, flush_all, import, &log_err);
    if (rc == GM_OK && log_rc != GM_OK) {
        *err = log_err;
        rc = log_rc;
    }
    return rc;
}

gm_rc gm_job_import(const struct gm_job_work *work, struct gm_err *err)
{
    struct import import = {.work = work, .resumed = work->job->progress.p != NULL};
    if (import.resumed) {
        GM_TRY(read_progress(work, &import.from, err));
    }
    gm_rc rc = gm_job_persist(work, open_log, &import, err);
    rc = rc == GM_OK ? import_and_tell(&import, err) : rc;
    gm_job_log_close(import.log);
    gm_blob_place_deinit(&import.input);
    release_models(&import);
    gm_free(import.path_z);
    return rc;
}
