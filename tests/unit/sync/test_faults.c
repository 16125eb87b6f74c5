/* Sync state on a disk that fails, or loses power, at every single operation: the counters of the
 * pipeline, its rows and its letters never part, and the next run ends where an undisturbed one
 * does. */
#include "base/mem.h"
#include "support/check.h"
#include "support/faultvfs.h"
#include "support/tmp.h"
#include "sync/dead_letter.h"
#include "sync/run.h"
#include "sync/state.h"
#include "sync/sweep.h"

/* Of the objects, every tenth cannot be applied, and every odd one is missing in the end. */
enum { OBJECTS = 120, BATCH = 40, LIVE = OBJECTS / 2, LETTERS = OBJECTS / 10 };

static const char disk_name_z[] = "gemel-test-sync-disk";

struct job {
    struct gm_db *db;
    struct gm_pipeline_row pipeline;
    struct gm_state_reader *reader;
    struct gm_state_writer *writer;
    struct gm_batch *batch;
    struct gm_run run;
};

/* ---- one run ---- */

static gm_rc begin_run(struct job *job, struct gm_err *err)
{
    GM_TRY(gm_db_begin(job->db, err));
    job->pipeline = (struct gm_pipeline_row){.name = GM_STR("products")};
    gm_rc rc = gm_pipeline_find(job->db, job->batch->arena, &job->pipeline, err);
    if (rc == GM_E_END) {
        rc = gm_pipeline_insert(job->db, job->pipeline.name, &job->pipeline.num, err);
    }
    GM_TRY(rc);
    job->run = (struct gm_run){.pipeline = job->pipeline.num, .id = "00", .cause = GM_STR("once")};
    GM_TRY(gm_run_begin(job->db, &job->run, err));
    return gm_db_commit(job->db, err);
}

static gm_rc write_record(struct job *job, struct gm_record *record, struct gm_err *err)
{
    struct gm_state_cause cause = {job->pipeline.num, job->run.num, 1, &job->pipeline.last_slot,
                                   &job->pipeline.live_count};
    bool new;
    if (record->position % 10 == 0) {
        gm_record_fail(job->batch, record, GM_E_INVALID, "no good");
        struct gm_dead_letter letter = {.pipeline = job->pipeline.num,
                                        .key = record->key,
                                        .hash = record->hash,
                                        .attempts = 1,
                                        .code = GM_STR("invalid"),
                                        .error = record->error};
        GM_TRY(gm_dead_letter_put(job->db, &letter, &new, err));
    } else if (record->verdict == GM_VERDICT_NONE) {
        record->verdict = record->known ? GM_VERDICT_UPDATED : GM_VERDICT_CREATED;
        record->target = (int64_t)record->position + 1;
    } else if (!record->revive) {
        return GM_OK;
    }
    return gm_state_write(job->writer, &cause, record, err);
}

static gm_rc write_batch(struct job *job, uint64_t first, struct gm_seen *seen, struct gm_err *err)
{
    gm_batch_reset(job->batch);
    for (uint64_t i = first; i < first + BATCH; i++) {
        struct gm_record *record = gm_batch_add(job->batch);
        record->key = gm_arena_format(job->batch->arena, "%u", (unsigned)i);
        record->hash = gm_hash128(record->key, 0);
        record->position = i;
    }
    GM_TRY(gm_state_compare(job->reader, job->pipeline.num, job->batch, err));
    GM_TRY(gm_db_begin(job->db, err));
    for (size_t i = 0; i < job->batch->count; i++) {
        struct gm_record *record = &job->batch->records[i];
        GM_TRY(write_record(job, record, err));
        if (record->position % 2 == 0) {
            (void)gm_seen_add(seen, record->slot);
        }
    }
    GM_TRY(gm_pipeline_update(job->db, &job->pipeline, err));
    return gm_db_commit(job->db, err);
}

static gm_rc sweep_page(struct job *job, const struct gm_sweep_task *task,
                        const struct gm_sweep_page *page, struct gm_err *err)
{
    GM_TRY(gm_db_begin(job->db, err));
    GM_TRY(gm_sweep_mark(task, page, err));
    GM_TRY(gm_sweep_forget(task, page, &job->pipeline.live_count, err));
    GM_TRY(gm_pipeline_update(job->db, &job->pipeline, err));
    return gm_db_commit(job->db, err);
}

static gm_rc sweep(struct job *job, const struct gm_seen *seen, struct gm_err *err)
{
    struct gm_sweep_policy policy = {.enabled = true, .delete_after_runs = 1, .max_share = 1};
    struct gm_sweep_task task = {.db = job->db, .run = &job->run, .policy = &policy, .now = 2};
    struct gm_sweep_page *page = gm_sweep_page_new();
    gm_rc rc;
    job->run.counts.read = OBJECTS;
    do {
        rc = gm_sweep_find_missing(job->db, job->pipeline.num, seen, page, err);
        rc = rc == GM_OK ? sweep_page(job, &task, page, err) : rc;
    } while (rc == GM_OK);
    gm_sweep_page_free(page);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc end_run(struct job *job, struct gm_err *err)
{
    job->run.status = GM_RUN_SUCCEEDED;
    GM_TRY(gm_db_begin(job->db, err));
    GM_TRY(gm_run_update(job->db, &job->run, err));
    GM_TRY(gm_runs_trim(job->db, job->pipeline.num, 1, err));
    return gm_db_commit(job->db, err);
}

static gm_rc run_opened(struct job *job, struct gm_err *err)
{
    GM_TRY(gm_state_reader_open(job->db, &job->reader, err));
    GM_TRY(gm_state_writer_open(job->db, &job->writer, err));
    GM_TRY(begin_run(job, err));
    struct gm_seen *seen = gm_seen_new();
    gm_rc rc = GM_OK;
    for (uint64_t first = 0; rc == GM_OK && first < OBJECTS; first += BATCH) {
        rc = write_batch(job, first, seen, err);
    }
    rc = rc == GM_OK ? sweep(job, seen, err) : rc;
    gm_seen_free(seen);
    return rc == GM_OK ? end_run(job, err) : rc;
}

static gm_rc run_once(const char *url_z, const char *vfs_z, struct gm_err *err)
{
    struct job job = {.batch = gm_batch_new()};
    struct gm_db_options options = {.url_z = url_z, .mode = GM_DB_WRITE, .vfs_z = vfs_z};
    gm_rc rc = gm_db_open(&options, &job.db, err);
    if (rc == GM_OK && vfs_z == NULL) { /* the machine's disk is slow */
        rc = gm_db_exec(job.db, "PRAGMA synchronous=OFF", err);
    }
    rc = rc == GM_OK ? run_opened(&job, err) : rc;
    gm_state_reader_close(job.reader);
    gm_state_writer_close(job.writer);
    gm_db_close(job.db);
    gm_batch_free(job.batch);
    return rc;
}

/* ---- what must hold ---- */

static int64_t number_of(struct gm_db *db, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_stmt *stmt = NULL;
    check_ok(gm_db_prepare(db, sql_z, &stmt, &err), err);
    check_ok(gm_step(stmt, &err), err);
    int64_t v = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    return v;
}

static struct gm_db *open_plain(const char *url_z)
{
    struct gm_err err = {0};
    struct gm_db *db = NULL;
    check_ok(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_WRITE}, &db, &err),
             err);
    return db;
}

static void check_that_nothing_parted(const char *url_z)
{
    struct gm_db *db = open_plain(url_z);
    assert_int_equal(number_of(db, "SELECT COUNT(*) FROM sync_state WHERE state <> 5"),
                     number_of(db, "SELECT COALESCE(SUM(live_count), 0) FROM pipelines"));
    assert_int_equal(number_of(db, "SELECT COALESCE(MAX(slot), 0) FROM sync_state"),
                     number_of(db, "SELECT COALESCE(SUM(last_slot), 0) FROM pipelines"));
    assert_int_equal(number_of(db, "SELECT COUNT(*) FROM sync_state WHERE state = 4"),
                     number_of(db, "SELECT COUNT(*) FROM dead_letters"));
    gm_db_close(db);
}

static void check_the_end(const char *url_z)
{
    check_that_nothing_parted(url_z);
    struct gm_db *db = open_plain(url_z);
    assert_int_equal(number_of(db, "SELECT COUNT(*) FROM sync_state WHERE state <> 5"), LIVE);
    assert_int_equal(number_of(db, "SELECT COUNT(*) FROM sync_state WHERE state = 1 AND "
                                   "(CAST(key AS INTEGER) % 2 <> 0 OR target <> key + 1)"),
                     0);
    assert_int_equal(number_of(db, "SELECT COUNT(*) FROM dead_letters"), LETTERS);
    assert_int_equal(number_of(db, "SELECT COUNT(DISTINCT slot) FROM sync_state"), OBJECTS);
    assert_int_equal(number_of(db, "SELECT COUNT(*) FROM runs WHERE status = 'succeeded'"), 1);
    gm_db_close(db);
}

/* ---- every operation ---- */

struct fault {
    bool cut; /* the power goes; else the operation fails */
    enum faultvfs_kind kind;
    uint64_t seed; /* of what a cut takes away */
};

/* False: the run was over before operation number `operation`. */
static bool disturb_one_run(const struct fault *fault, uint64_t operation)
{
    struct gm_err err = {0};
    struct tmp *tmp = tmp_new();
    const char *url_z = tmp_url(tmp, "sqlite:", "store.db");
    struct gm_db *db = open_plain(url_z);
    check_ok(gm_db_migrate(db, &err), err);
    gm_db_close(db);
    struct faultvfs *disk = faultvfs_new(disk_name_z);
    if (fault->cut) {
        faultvfs_cut_at(disk, operation, fault->seed);
    } else {
        faultvfs_fail_at(disk, operation, fault->kind);
    }
    gm_rc rc = run_once(url_z, disk_name_z, &err);
    bool happened = faultvfs_happened(disk);
    assert_true(happened || rc == GM_OK);
    if (fault->cut && happened) {
        faultvfs_restore(disk);
    }
    faultvfs_free(disk);
    check_that_nothing_parted(url_z);
    check_ok(run_once(url_z, NULL, &err), err);
    check_the_end(url_z);
    tmp_free(tmp);
    return happened;
}

static void disturb_runs(const struct fault *fault)
{
    uint64_t operation = 1;
    while (disturb_one_run(fault, operation)) {
        operation++;
    }
    assert_true(operation > 20); /* there was something to disturb */
}

static void state_and_counters_survive_every_failing_write(void **state)
{
    (void)state;
    disturb_runs(&(struct fault){.kind = FAULTVFS_IO_ERROR});
}

static void state_and_counters_survive_a_disk_that_is_full_at_any_moment(void **state)
{
    (void)state;
    disturb_runs(&(struct fault){.kind = FAULTVFS_FULL});
}

static void state_and_counters_survive_a_power_cut_at_any_moment(void **state)
{
    (void)state;
    disturb_runs(&(struct fault){.cut = true, .seed = 0});
    disturb_runs(&(struct fault){.cut = true, .seed = 1});
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_and_counters_survive_every_failing_write),
        cmocka_unit_test(state_and_counters_survive_a_disk_that_is_full_at_any_moment),
        cmocka_unit_test(state_and_counters_survive_a_power_cut_at_any_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
