/* Looking: what the GET routes answer. */
#include "api/call.h"
#include "base/metrics.h"
#include "base/num.h"
#include "sync/dead_letter.h"
#include "sync/run.h"

enum {
    LIMIT_MAX = 1000,
    LETTERS_PAGE_SIZE = 8 << 20, /* a page of letters ends when it is as large as this */
};

gm_rc gm_admin_health(struct gm_call *call, struct gm_err *err)
{
    (void)err;
    gm_buf_add_z(&call->reply->body, "{\"status\":\"up\",\"version\":\"" GM_VERSION "\"}");
    return GM_OK;
}

static gm_rc open_reader(struct gm_call *call, struct gm_db **out_db, struct gm_err *err)
{
    return gm_store_reader(gm_engine_store(call->engine), out_db, err);
}

static void set_lag(void *ctx, const struct gm_consumer *consumer)
{
    static const struct {
        const char *kind_z;
        enum gm_metric metric;
        bool by_stream;
    } kinds[] = {{"pipeline", GM_M_STREAM_LAG, false},
                 {"view", GM_M_VIEW_LAG, false},
                 {"forward", GM_M_FORWARD_LAG, true}};
    (void)ctx;
    for (size_t i = 0; i < GM_ARRAY_COUNT(kinds); i++) {
        if (strcmp(kinds[i].kind_z, consumer->kind_z) == 0) {
            gm_metric_set(kinds[i].metric, kinds[i].by_stream ? consumer->stream : consumer->name,
                          (double)consumer->lag);
        }
    }
}

gm_rc gm_admin_metrics(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    call->reply->content_type_z = "text/plain; version=0.0.4; charset=utf-8";
    if (call->routes != NULL) {
        gm_routes_measure(call->routes);
    }
    if (call->consumers->hub != NULL) {
        GM_TRY(open_reader(call, &db, err));
        gm_rc rc = gm_consumers_each(call->consumers, db, set_lag, NULL, err);
        gm_db_close(db);
        GM_TRY(rc);
    }
    gm_metrics_write(&call->reply->body);
    return GM_OK;
}

gm_rc gm_admin_consumers(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    if (call->consumers->hub == NULL) {
        return gm_fail(err, GM_E_RETRY, "streams are not served by this process");
    }
    GM_TRY(open_reader(call, &db, err));
    gm_rc rc = gm_consumers_write_json(call->consumers, db, &call->reply->body, err);
    gm_db_close(db);
    return rc;
}

/* ---- readiness ---- */

static gm_rc write_nothing(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    (void)ctx;
    (void)tx;
    (void)err;
    return GM_OK;
}

static void add_reason(struct gm_buf *reasons, const char *text_z)
{
    gm_buf_add(reasons, reasons->n > 0 ? GM_STR(",") : GM_STR(""));
    gm_json_quote(reasons, gm_str_z(text_z));
}

/* A run of a stream that is under way: it has come to the end, or gets there, and goes on. */
static bool never_ends(struct gm_engine *engine, const struct gm_pipeline *pipeline)
{
    struct gm_engine_pipeline_status status;
    gm_engine_status(engine, pipeline, &status);
    return pipeline->schedule.type == GM_SCHEDULE_CONTINUOUS && status.running;
}

static gm_rc add_pipelines_that_wait(struct gm_call *call, struct gm_db *db, struct gm_buf *reasons,
                                     struct gm_err *err)
{
    const struct gm_config *config = gm_engine_config(call->engine);
    for (size_t i = 0; i < gm_config_pipeline_count(config); i++) {
        const struct gm_pipeline *pipeline = gm_config_pipeline(config, i);
        struct gm_pipeline_row row = {.name = gm_str_z(pipeline->name_z)};
        if (!pipeline->conf->enabled) {
            continue;
        }
        if (never_ends(call->engine, pipeline)) {
            continue;
        }
        gm_rc rc = gm_pipeline_find(db, call->arena, &row, err);
        if (rc == GM_E_END || (rc == GM_OK && row.last_full_run == 0)) {
            struct gm_err reason;
            (void)gm_fail(&reason, GM_E_RETRY, "pipeline %s has not succeeded yet",
                          pipeline->name_z);
            add_reason(reasons, reason.text);
        } else if (rc != GM_OK) {
            return rc;
        }
    }
    return GM_OK;
}

/* GM_OK with *reasons filled: not ready. */
static gm_rc find_reasons(struct gm_call *call, struct gm_buf *reasons, struct gm_err *err)
{
    struct gm_db *db;
    GM_TRY(gm_store_write(gm_engine_store(call->engine), write_nothing, NULL, err));
    GM_TRY(open_reader(call, &db, err));
    gm_rc rc = add_pipelines_that_wait(call, db, reasons, err);
    gm_db_close(db);
    return rc;
}

gm_rc gm_admin_ready(struct gm_call *call, struct gm_err *err)
{
    struct gm_buf reasons;
    gm_buf_init(&reasons, 1 << 20);
    if (find_reasons(call, &reasons, err) != GM_OK) {
        add_reason(&reasons, err->text);
    }
    call->reply->status = reasons.n == 0 ? 200 : 503;
    gm_buf_addf(&call->reply->body, "{\"ready\":%s,\"reasons\":[",
                reasons.n == 0 ? "true" : "false");
    gm_buf_add(&call->reply->body, gm_buf_str(&reasons));
    gm_buf_add(&call->reply->body, GM_STR("]}"));
    gm_buf_deinit(&reasons);
    return GM_OK;
}

/* ---- parameters ---- */

gm_rc gm_admin_number(struct gm_str text, const char *name_z, int64_t *number, struct gm_err *err)
{
    if (text.p != NULL && (!gm_parse_i64(text, number) || *number < 0)) {
        return gm_fail(err, GM_E_INVALID, "`%s` is no whole number: " GM_STR_FMT, name_z,
                       GM_STR_ARG(text));
    }
    return GM_OK;
}

gm_rc gm_admin_limit(struct gm_str text, int64_t *limit, struct gm_err *err)
{
    GM_TRY(gm_admin_number(text, "limit", limit, err));
    return *limit >= 1 && *limit <= LIMIT_MAX
               ? GM_OK
               : gm_fail(err, GM_E_INVALID, "`limit` is at least 1 and at most %d", LIMIT_MAX);
}

/* 0 when no name was given. */
static gm_rc find_pipeline(struct gm_call *call, struct gm_db *db, struct gm_str name,
                           int64_t *out_num, struct gm_err *err)
{
    struct gm_pipeline_row row = {.name = name};
    *out_num = 0;
    if (name.p == NULL) {
        return GM_OK;
    }
    gm_rc rc = gm_pipeline_find(db, call->arena, &row, err);
    *out_num = row.num;
    return rc == GM_E_END ? gm_fail(err, GM_E_END, "no pipeline `" GM_STR_FMT "` has run here",
                                    GM_STR_ARG(name))
                          : rc;
}

/* ---- runs ---- */

struct listing {
    struct gm_buf *out;
    size_t count;
    int64_t next; /* of letters: the last one shown, when there may be more */
    bool full;
};

static gm_rc add_run(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    struct listing *listing = ctx;
    gm_buf_add(listing->out, listing->count++ > 0 ? GM_STR(",") : GM_STR(""));
    gm_run_write_json(run, listing->out);
    return GM_OK;
}

gm_rc gm_admin_runs(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_run_query query = {.limit = 20};
    struct listing listing = {.out = &call->reply->body};
    GM_TRY(gm_admin_limit(call->query[1], &query.limit, err));
    GM_TRY(open_reader(call, &db, err));
    gm_buf_add(listing.out, GM_STR("{\"runs\":["));
    gm_rc rc = find_pipeline(call, db, call->query[0], &query.pipeline, err);
    rc = rc == GM_OK ? gm_runs_list(db, &query, add_run, &listing, err) : rc;
    gm_buf_add(listing.out, GM_STR("]}"));
    gm_db_close(db);
    return rc;
}

/* ---- dead letters ---- */

static gm_rc add_letter(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    struct listing *listing = ctx;
    if (listing->out->n > LETTERS_PAGE_SIZE) {
        listing->full = true;
        return gm_fail(err, GM_E_END, "the page is full");
    }
    gm_buf_add(listing->out, listing->count++ > 0 ? GM_STR(",") : GM_STR(""));
    gm_dead_letter_write_json(letter, listing->out);
    listing->next = letter->num;
    return GM_OK;
}

gm_rc gm_admin_dead_letters(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_dead_letter_query query = {.key = call->query[1], .limit = 50};
    struct listing listing = {.out = &call->reply->body};
    GM_TRY(gm_admin_number(call->query[2], "after", &query.after, err));
    GM_TRY(gm_admin_limit(call->query[3], &query.limit, err));
    GM_TRY(open_reader(call, &db, err));
    gm_buf_add(listing.out, GM_STR("{\"dead_letters\":["));
    gm_rc rc = find_pipeline(call, db, call->query[0], &query.pipeline, err);
    rc = rc == GM_OK ? gm_dead_letters_list(db, &query, add_letter, &listing, err) : rc;
    gm_db_close(db);
    if (listing.full || (rc == GM_OK && (int64_t)listing.count == query.limit)) {
        gm_buf_addf(listing.out, "],\"next\":%lld}", (long long)listing.next);
        return GM_OK;
    }
    gm_buf_add(listing.out, GM_STR("],\"next\":null}"));
    return rc;
}

/* ---- pipelines ---- */

static void add_progress(struct gm_call *call, const struct gm_run_progress *progress)
{
    struct gm_buf *out = &call->reply->body;
    const struct gm_clock *clock = gm_store_clock(gm_engine_store(call->engine));
    if (!progress->running) {
        gm_buf_add(out, GM_STR("null"));
        return;
    }
    gm_ns took = clock->mono(clock) - progress->started;
    gm_buf_addf(out, "{\"seconds\":%lld.%03d,\"read\":%lld,\"written\":%lld,\"parked\":%lld",
                (long long)(took / GM_SECOND), (int)(took % GM_SECOND / GM_MS),
                (long long)progress->read, (long long)progress->written,
                (long long)progress->parked);
    gm_buf_addf(
        out, ",\"rows_estimate\":%lld,\"read_bytes\":%lld,\"bytes_estimate\":%lld,\"sweeping\":%s}",
        (long long)progress->rows_estimate, (long long)progress->read_bytes,
        (long long)progress->bytes_estimate, progress->sweeping ? "true" : "false");
}

static void add_standing(struct gm_call *call, const struct gm_pipeline *pipeline,
                         const struct gm_engine_pipeline_status *status)
{
    struct gm_buf *out = &call->reply->body;
    gm_buf_add(out, GM_STR("{\"pipeline\":"));
    gm_json_quote(out, gm_str_z(pipeline->name_z));
    gm_buf_addf(out, ",\"enabled\":%s,\"schedule\":", pipeline->conf->enabled ? "true" : "false");
    if (pipeline->conf->schedule != NULL) {
        gm_json_quote(out, gm_str_z(pipeline->conf->schedule));
    } else {
        gm_buf_add(out, GM_STR("null"));
    }
    gm_buf_addf(out, ",\"state\":\"%s\",\"next\":",
                status->running   ? "running"
                : status->waiting ? "waiting"
                                  : "idle");
    if (status->next != 0) {
        char next[GM_TIME_TEXT_SIZE];
        gm_time_format_short(status->next, next);
        gm_buf_addf(out, "\"%s\"", next);
    } else {
        gm_buf_add(out, GM_STR("null"));
    }
    gm_buf_addf(out, ",\"skipped\":%lld,\"progress\":", (long long)status->skipped);
    add_progress(call, &status->progress);
}

static gm_rc add_pipeline(struct gm_call *call, struct gm_db *db,
                          const struct gm_pipeline *pipeline, struct gm_err *err)
{
    struct gm_engine_pipeline_status status;
    struct gm_pipeline_row row = {.name = gm_str_z(pipeline->name_z)};
    struct listing listing = {.out = &call->reply->body};
    int64_t letters = 0;
    gm_engine_status(call->engine, pipeline, &status);
    add_standing(call, pipeline, &status);
    gm_rc rc = gm_pipeline_find(db, call->arena, &row, err);
    if (rc == GM_OK) {
        GM_TRY(gm_dead_letters_count(db, row.num, &letters, err));
    }
    gm_buf_addf(listing.out,
                ",\"objects\":%lld,\"dead_letters\":%lld,\"last_run\":", (long long)row.live_count,
                (long long)letters);
    if (rc == GM_OK) {
        GM_TRY(gm_runs_list(db, &(struct gm_run_query){.pipeline = row.num, .limit = 1}, add_run,
                            &listing, err));
    }
    gm_buf_add(listing.out, listing.count == 0 ? GM_STR("null}") : GM_STR("}"));
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_admin_pipelines(struct gm_call *call, struct gm_err *err)
{
    const struct gm_config *config = gm_engine_config(call->engine);
    struct gm_buf *out = &call->reply->body;
    struct gm_db *db;
    GM_TRY(open_reader(call, &db, err));
    gm_buf_add(out, GM_STR("{\"pipelines\":["));
    gm_rc rc = GM_OK;
    for (size_t i = 0; rc == GM_OK && i < gm_config_pipeline_count(config); i++) {
        gm_buf_add(out, i > 0 ? GM_STR(",") : GM_STR(""));
        rc = add_pipeline(call, db, gm_config_pipeline(config, i), err);
    }
    gm_buf_add(out, GM_STR("]}"));
    gm_db_close(db);
    return rc;
}
