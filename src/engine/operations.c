/* Approving blocked sweeps; redriving and dropping dead letters. */
#include "engine/operations.h"

#include "base/mem.h"
#include "base/vec.h"
#include "engine/run_internal.h"

/* A pipeline opened for an operation: like a run, without a source. */
struct opened {
    struct gm_run_options options;
    struct gm_run_report report;
    struct run_work work;
    struct gm_run_streams streams;
};

static gm_rc open_for(const struct gm_operation *operation, struct opened *opened,
                      struct gm_err *err)
{
    *opened = (struct opened){0};
    opened->options = (struct gm_run_options){
        .store = operation->store,
        .pipeline = operation->pipeline,
        .folder_z = gm_config_folder_z(operation->config),
        .handle = gm_run_handle_new(),
        .cause_z = "manual",
    };
    GM_TRY(gm_run_streams_open(&opened->streams, &opened->options, operation->config, err));
    GM_TRY(gm_run_work_open(&opened->work, &opened->options, &opened->report, err));
    return gm_run_begin_behind(&opened->work, NULL, err);
}

static void close_opened(struct opened *opened)
{
    gm_run_work_close(&opened->work);
    gm_run_streams_close(&opened->streams);
    gm_run_report_free(&opened->report);
    gm_run_handle_free(opened->options.handle);
}

/* ---- approving ---- */

static gm_rc copy_run(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    struct opened *opened = ctx;
    struct gm_arena *arena = opened->report.arena;
    struct gm_run *copy = &opened->report.run;
    *copy = *run;
    copy->pipeline_name = gm_arena_dup(arena, run->pipeline_name);
    copy->cause = gm_arena_dup(arena, run->cause);
    copy->sweep_reason =
        run->sweep_reason.p != NULL ? gm_arena_dup(arena, run->sweep_reason) : run->sweep_reason;
    copy->fingerprint =
        run->fingerprint.p != NULL ? gm_arena_dup(arena, run->fingerprint) : run->fingerprint;
    copy->error_code =
        run->error_code.p != NULL ? gm_arena_dup(arena, run->error_code) : run->error_code;
    copy->error = run->error.p != NULL ? gm_arena_dup(arena, run->error) : run->error;
    return GM_OK;
}

static gm_rc load_blocked_run(struct opened *opened, int64_t run_num, struct gm_err *err)
{
    struct run_work *work = &opened->work;
    gm_rc rc = gm_run_get(work->db, run_num, copy_run, opened, err);
    if (rc == GM_E_END || (rc == GM_OK && work->run->pipeline != work->row.num)) {
        return gm_fail(err, GM_E_INVALID, "pipeline %s has no run %lld; see `gemel runs`",
                       work->pipeline->name_z, (long long)run_num);
    }
    GM_TRY(rc);
    if (work->run->sweep != GM_SWEEP_BLOCKED) {
        return gm_fail(err, GM_E_INVALID, "run %lld blocks no deletion: its sweep is %s",
                       (long long)run_num, gm_sweep_name(work->run->sweep));
    }
    if (work->row.last_full_run != run_num) {
        return gm_fail(
            err, GM_E_INVALID, "run %lld is not the newest complete run of %s: that is %lld",
            (long long)run_num, work->pipeline->name_z, (long long)work->row.last_full_run);
    }
    return GM_OK;
}

static gm_rc end_approval(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct run_work *work = ctx;
    GM_TRY(gm_pipeline_update(tx->db, &work->row, err));
    return gm_run_update(tx->db, work->run, err);
}

static gm_rc approve(struct opened *opened, int64_t run_num, int64_t *out_deleted,
                     struct gm_err *err)
{
    struct run_work *work = &opened->work;
    GM_TRY(load_blocked_run(opened, run_num, err));
    const struct gm_missing_conf *conf = &work->conf->missing;
    struct gm_sweep_policy policy = {.enabled = true,
                                     .delete_after_runs = conf->delete_after_runs,
                                     .max_share = conf->max_share,
                                     .min_age = conf->min_age};
    const struct gm_clock *clock = gm_store_clock(opened->options.store);
    struct gm_sweep_task task = {.db = work->db,
                                 .run = work->run,
                                 .policy = &policy,
                                 .now = clock->wall(clock),
                                 .untrusted_z = work->run->trusted ? NULL : "approved",
                                 .approved = true};
    int64_t before = work->run->counts.deleted;
    GM_TRY(gm_run_delete_due(work, &task, err));
    *out_deleted = work->run->counts.deleted - before;
    work->run->sweep = GM_SWEEP_APPROVED;
    work->row.source_fingerprint = work->run->fingerprint;
    return gm_store_write(opened->options.store, end_approval, work, err);
}

gm_rc gm_approve_run(const struct gm_operation *operation, int64_t run_num, int64_t *out_deleted,
                     struct gm_err *err)
{
    struct opened opened;
    gm_rc rc = open_for(operation, &opened, err);
    if (rc == GM_OK) {
        rc = approve(&opened, run_num, out_deleted, err);
    }
    close_opened(&opened);
    return rc;
}

/* ---- letters ---- */

enum { LETTERS_PAGE = 200 };

/* A page of letters, copied out of the statement so that the store can be written while it is
 * walked. */
struct letters {
    struct gm_arena *arena;
    struct gm_dead_letter at[LETTERS_PAGE];
    size_t count;
};

static gm_rc copy_letter(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    struct letters *letters = ctx;
    struct gm_dead_letter *copy = &letters->at[letters->count];
    *copy = *letter;
    copy->key = gm_arena_dup(letters->arena, letter->key);
    copy->origin = gm_arena_dup(letters->arena, letter->origin);
    copy->record = gm_arena_dup(letters->arena, letter->record);
    if (copy->key.p == NULL || copy->origin.p == NULL || copy->record.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "dead letter %lld: too large to work on",
                       (long long)letter->num);
    }
    letters->count++;
    return GM_OK;
}

struct redrive {
    struct run_work *work;
    struct gm_batch *batch;
    const struct gm_dead_letter *letter;
    struct gm_redrive_counts *counts;
    struct gm_map *failed_keys;
    bool undecided; /* sending broke off: the letter stays as it is */
};

static gm_rc apply_letter(struct redrive *redrive, const struct gm_store_tx *tx, gm_ns now,
                          struct gm_err *err)
{
    struct run_work *work = redrive->work;
    struct gm_record *record = &redrive->batch->records[0];
    struct gm_sink_work sink_work = {
        .db = tx->db, .pipeline = work->row.num, .run = redrive->letter->run, .now = now};
    const struct gm_connector *sink = work->pipeline->sink;
    if (sink->outside != NULL) {
        GM_TRY(sink->outside->keep(work->sink, &sink_work, err));
    } else if (record->verdict == GM_VERDICT_NONE && record->rc == GM_OK) {
        GM_TRY(sink->apply(work->sink, &sink_work, redrive->batch, err));
    }
    if (redrive->undecided) {
        return GM_OK;
    }
    if (record->rc != GM_OK) {
        return gm_dead_letter_failed(tx->db, redrive->letter->num, now, record->error, err);
    }
    bool took_effect = record->verdict == GM_VERDICT_CREATED ||
                       record->verdict == GM_VERDICT_UPDATED ||
                       record->verdict == GM_VERDICT_SAME || record->revive;
    struct gm_state_cause cause = {.pipeline = work->row.num,
                                   .run = redrive->letter->run,
                                   .now = now,
                                   .last_slot = &work->row.last_slot,
                                   .live_count = &work->row.live_count};
    if (took_effect && !gm_run_passes_events(work)) {
        GM_TRY(gm_state_write(tx->states, &cause, record, err));
        GM_TRY(gm_pipeline_update(tx->db, &work->row, err));
    }
    return gm_dead_letter_remove(tx->db, redrive->letter->num, err);
}

static gm_rc write_letter(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct redrive *redrive = ctx;
    struct run_work *work = redrive->work;
    const struct gm_clock *clock = gm_store_clock(work->options->store);
    int64_t last_slot = work->row.last_slot, live_count = work->row.live_count;
    gm_rc rc = apply_letter(redrive, tx, clock->wall(clock), err);
    if (rc != GM_OK) {
        work->row.last_slot = last_slot;
        work->row.live_count = live_count;
    }
    return rc;
}

/* The letter as a batch of one record, stepped and prepared. */
static gm_rc prepare_letter(struct redrive *redrive, struct gm_err *err)
{
    struct run_work *work = redrive->work;
    struct gm_batch *batch = redrive->batch;
    const struct gm_dead_letter *letter = redrive->letter;
    gm_batch_reset(batch);
    batch->shape = NULL;
    batch->origin = letter->origin;
    struct gm_record *record = gm_batch_add(batch);
    record->kind = letter->kind;
    record->key = letter->key;
    record->version = letter->version;
    record->position = (uint64_t)letter->position;
    record->hash = letter->hash;
    struct gm_err own = {0};
    if (gm_json_parse(batch->doc, letter->record, &record->body, &own) != GM_OK ||
        !yyjson_mut_is_obj(record->body)) {
        gm_record_fail(
            batch, record, GM_E_INVALID,
            "the source could not read this record; mend it there and run the pipeline again");
        return GM_OK;
    }
    if (!gm_run_passes_events(work)) {
        GM_TRY(gm_state_compare(work->states, work->row.num, batch, err));
        if (record->rc == GM_OK && !record->known) { /* what has a key has a state */
            gm_record_fail(batch, record, GM_E_INVALID,
                           "the source could not tell this record's key; mend it there and run "
                           "the pipeline again");
        }
    }
    record->original = record->body;
    if (record->rc == GM_OK && record->verdict == GM_VERDICT_NONE) {
        GM_TRY(gm_steps_apply(work->steps, batch, record, err));
    }
    return work->pipeline->sink->prepare(work->sink, batch, err);
}

static gm_rc redrive_letter(struct redrive *redrive, struct gm_err *err)
{
    uint64_t ignored;
    if (gm_map_get(redrive->failed_keys, redrive->letter->key, &ignored)) {
        redrive->counts->held++;
        return GM_OK;
    }
    struct run_work *work = redrive->work;
    struct gm_err own;
    GM_TRY(prepare_letter(redrive, err));
    gm_rc sent = GM_OK;
    if (work->pipeline->sink->outside != NULL) {
        work->run->num = redrive->letter->run;
        struct gm_run_sending sending = {.work = work, .batches = {redrive->batch}, .count = 1};
        size_t count;
        sent = gm_run_look_at_batch(work, redrive->batch, false, &count, err);
        sent = sent == GM_OK ? gm_run_send_batches(&sending, err) : sent;
        redrive->undecided = sent != GM_OK;
    }
    gm_rc written =
        gm_store_write(work->options->store, write_letter, redrive, sent == GM_OK ? err : &own);
    if (sent != GM_OK || written != GM_OK) {
        return sent != GM_OK ? sent : written;
    }
    GM_TRY(gm_run_deliver(work, redrive->batch, NULL, err));
    if (redrive->batch->records[0].rc != GM_OK) {
        gm_map_set(redrive->failed_keys, redrive->letter->key, 1);
        redrive->counts->failed++;
    } else {
        redrive->counts->applied++;
    }
    return GM_OK;
}

/* Calls `fn` for each chosen letter, in order. */
typedef gm_rc (*letter_fn)(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err);

static gm_rc each_letter(struct run_work *work, const struct gm_letter_choice *choice, letter_fn fn,
                         void *ctx, struct gm_err *err)
{
    struct letters *letters = gm_alloc(sizeof(*letters));
    letters->arena = gm_arena_new((size_t)4 * LETTERS_PAGE * GM_RECORD_SIZE_MAX);
    struct gm_dead_letter_query query = {
        .pipeline = work->row.num, .key = choice->key, .limit = LETTERS_PAGE};
    gm_rc rc = GM_OK;
    do {
        letters->count = 0;
        gm_arena_reset(letters->arena);
        rc = gm_dead_letters_list(work->db, &query, copy_letter, letters, err);
        for (size_t i = 0; rc == GM_OK && i < letters->count; i++) {
            query.after = letters->at[i].num;
            rc = choice->num != 0 && letters->at[i].num > choice->num
                     ? GM_OK
                     : fn(ctx, &letters->at[i], err);
        }
    } while (rc == GM_OK && letters->count == LETTERS_PAGE);
    gm_arena_free(letters->arena);
    gm_free(letters);
    return rc;
}

/* A choice by number becomes one by key: what stands before it of its key goes first. */
static gm_rc find_key(struct run_work *work, const struct gm_letter_choice *choice,
                      struct letters *letters, struct gm_letter_choice *out_choice,
                      struct gm_err *err)
{
    *out_choice = *choice;
    if (choice->num == 0) {
        return GM_OK;
    }
    gm_rc rc = gm_dead_letter_get(work->db, choice->num, copy_letter, letters, err);
    if (rc == GM_E_END || (rc == GM_OK && letters->at[0].pipeline != work->row.num)) {
        return gm_fail(err, GM_E_INVALID,
                       "pipeline %s has no dead letter %lld; see `gemel dead-letters list`",
                       work->pipeline->name_z, (long long)choice->num);
    }
    out_choice->key = letters->at[0].key;
    return rc;
}

static gm_rc redrive_one(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    struct redrive *redrive = ctx;
    redrive->letter = letter;
    return redrive_letter(redrive, err);
}

static gm_rc drop_in_store(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    const int64_t *num = ctx;
    return gm_dead_letter_remove(tx->db, *num, err);
}

struct drop {
    struct gm_store *store;
    int64_t only; /* 0: all */
    int64_t count;
};

static gm_rc drop_one(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    struct drop *drop = ctx;
    int64_t num = letter->num;
    if (drop->only != 0 && drop->only != num) {
        return GM_OK;
    }
    drop->count++;
    return gm_store_write(drop->store, drop_in_store, &num, err);
}

static gm_rc with_letters(const struct gm_letter_choice *choice, struct opened *opened,
                          letter_fn fn, void *ctx, struct gm_err *err)
{
    struct letters *first = gm_alloc(sizeof(*first));
    struct gm_letter_choice by_key;
    first->arena = gm_arena_new((size_t)8 * GM_RECORD_SIZE_MAX);
    gm_rc rc = find_key(&opened->work, choice, first, &by_key, err);
    if (rc == GM_OK) {
        rc = each_letter(&opened->work, &by_key, fn, ctx, err);
    }
    gm_arena_free(first->arena);
    gm_free(first);
    return rc;
}

gm_rc gm_redrive(const struct gm_operation *operation, const struct gm_letter_choice *choice,
                 struct gm_redrive_counts *out_counts, struct gm_err *err)
{
    struct opened opened;
    struct redrive redrive = {.work = &opened.work, .counts = out_counts};
    *out_counts = (struct gm_redrive_counts){0};
    gm_rc rc = open_for(operation, &opened, err);
    redrive.batch = gm_batch_new();
    redrive.failed_keys = gm_map_new();
    if (rc == GM_OK) {
        rc = with_letters(choice, &opened, redrive_one, &redrive, err);
    }
    gm_batch_free(redrive.batch);
    gm_map_free(redrive.failed_keys);
    close_opened(&opened);
    return rc;
}

gm_rc gm_drop_letters(const struct gm_operation *operation, const struct gm_letter_choice *choice,
                      int64_t *out_count, struct gm_err *err)
{
    struct opened opened;
    struct drop drop = {.store = operation->store, .only = choice->num};
    gm_rc rc = open_for(operation, &opened, err);
    if (rc == GM_OK) {
        rc = with_letters(choice, &opened, drop_one, &drop, err);
    }
    close_opened(&opened);
    *out_count = drop.count;
    return rc;
}
