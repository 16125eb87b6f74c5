/* Single edits through the store's writer: what commits together, what fails alone, and what is
 * left after a disk that fails or loses power. */
#include <stdio.h>

#include "base/mem.h"
#include "os/queue.h"
#include "store/store.h"
#include "support/check.h"
#include "support/faultvfs.h"
#include "support/tmp.h"
#include "twin/edit.h"

enum { JOBS_MAX = 200, ARENA_SIZE = 1 << 20 };

static const char model_json[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Thing;1\",\"@type\":\"Interface\","
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"text\",\"schema\":\"string\"}]}";

struct place {
    struct tmp *tmp;
    struct gm_store *store;
    struct gm_err err;
};

/* One job that edits once or more, and may fail then. */
struct edit_job {
    struct gm_store_job job;
    struct gm_arena *arena;
    struct gm_edit edit;
    int edits;             /* 0: one */
    bool fails;            /* after its edits */
    struct gm_queue *gate; /* waits for it; NULL: goes on */
    gm_rc rc;              /* what it heard */
    char id[24], text[120];
};

static gm_rc run_edit(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct edit_job *job = ctx;
    struct gm_cause cause = {.actor = GM_STR("test"), .now = 1000};
    if (job->gate != NULL) {
        (void)gm_queue_pop(job->gate);
    }
    for (int i = 0; i < (job->edits != 0 ? job->edits : 1); i++) {
        struct gm_edit edit = job->edit;
        edit.doc = gm_json_doc_new(job->arena);
        GM_TRY(gm_json_parse(edit.doc, gm_str_z(job->text), &edit.value, err));
        GM_TRY(gm_graph_begin(tx->graph, &cause, err));
        GM_TRY(gm_graph_edit(tx->graph, &edit, err));
        GM_TRY(gm_graph_end(tx->graph, err));
        job->edit = edit;
    }
    return job->fails ? gm_fail(err, GM_E_RETRY, "as planned") : GM_OK;
}

static void job_done(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct edit_job *job = ctx;
    (void)err;
    job->rc = rc;
}

static void make_job(struct edit_job *job, enum gm_edit_kind kind, int twin, const char *text_z)
{
    *job = (struct edit_job){.arena = gm_arena_new(ARENA_SIZE)};
    (void)snprintf(job->id, sizeof(job->id), "t%d", twin);
    (void)snprintf(job->text, sizeof(job->text), "%s", text_z);
    job->edit = (struct gm_edit){.kind = kind, .twin = gm_str_z(job->id)};
    job->job = (struct gm_store_job){.fn = run_edit, .done = job_done, .ctx = job};
}

static void make_put(struct edit_job *job, int twin)
{
    make_job(job, GM_EDIT_PUT_TWIN, twin,
             "{\"$metadata\":{\"$model\":\"dtmi:t:Thing;1\"},\"n\":0}");
}

static gm_rc open_store(struct place *place, const char *vfs_z)
{
    struct gm_arena *arena = gm_arena_new(ARENA_SIZE);
    yyjson_mut_val *interface;
    size_t added;
    GM_AUTO_FREE char *folder_z = gm_strdup_z(tmp_path(place->tmp, "data"));
    gm_rc rc = gm_store_open(&(struct gm_store_options){.folder_z = folder_z, .vfs_z = vfs_z},
                             &place->store, &place->err);
    if (rc == GM_OK) {
        rc = gm_json_parse(gm_json_doc_new(arena), GM_STR(model_json), &interface, &place->err);
        rc = rc == GM_OK ? gm_store_add_interfaces(place->store, &interface, 1, &added, &place->err)
                         : rc;
        if (rc != GM_OK) {
            gm_store_close(place->store);
            place->store = NULL;
        }
    }
    gm_arena_free(arena);
    return rc;
}

/* Submits the jobs while another one holds the writer, so that they make one group. */
static void run_together(struct place *place, struct edit_job *jobs, size_t count)
{
    struct edit_job first;
    make_job(&first, GM_EDIT_PATCH_TWIN, 999999, "[]");
    first.gate = gm_queue_new(1);
    first.job.alone = true; /* else its group has those of the others that are there by then */
    check_ok(gm_store_submit(place->store, &first.job, &place->err), place->err);
    for (size_t i = 0; i < count; i++) {
        jobs[i].rc = GM_E_CANCELLED;
        check_ok(gm_store_submit(place->store, &jobs[i].job, &place->err), place->err);
    }
    gm_queue_close(first.gate);
    struct edit_job last; /* its commit is behind theirs */
    make_job(&last, GM_EDIT_PATCH_TWIN, 999999, "[]");
    check_ok(gm_store_write(place->store, run_edit, &last, &place->err), place->err);
    gm_queue_free(first.gate);
    gm_arena_free(first.arena);
    gm_arena_free(last.arena);
}

static void free_jobs(struct edit_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gm_arena_free(jobs[i].arena);
    }
}

static int64_t number(struct place *place, const char *sql_z)
{
    struct gm_db *db;
    struct gm_stmt *stmt;
    check_ok(gm_store_reader(place->store, &db, &place->err), place->err);
    check_ok(gm_db_prepare(db, sql_z, &stmt, &place->err), place->err);
    check_ok(gm_step(stmt, &place->err), place->err);
    int64_t result = gm_column_i64(stmt, 0);
    gm_stmt_finalize(stmt);
    gm_db_close(db);
    return result;
}

/* Every change decodes, numbers have no gaps, and each twin's chain leads to its creation. */
static void check_log(struct place *place)
{
    struct gm_db *db;
    struct gm_change_reader *reader;
    struct gm_change change;
    int64_t count = number(place, "SELECT COALESCE(SUM(count), 0) FROM changes");
    check_ok(gm_store_reader(place->store, &db, &place->err), place->err);
    check_ok(gm_change_reader_open(db, &reader, &place->err), place->err);
    for (int64_t num = 1; num <= count; num++) {
        check_ok(gm_change_read(reader, num, &change, &place->err), place->err);
    }
    check_rc(gm_change_read(reader, count + 1, &change, &place->err), GM_E_END, place->err);
    struct gm_stmt *stmt;
    check_ok(gm_db_prepare(db, "SELECT id, last_change FROM twins", &stmt, &place->err),
             place->err);
    while (gm_step(stmt, &place->err) == GM_OK) {
        int64_t num = gm_column_i64(stmt, 1);
        do {
            check_ok(gm_change_read(reader, num, &change, &place->err), place->err);
            assert_true(gm_str_eq(change.twin, gm_column_text(stmt, 0)));
            num = change.previous;
        } while (num != 0);
        assert_int_equal(change.kind, GM_CHANGE_CREATE);
    }
    gm_stmt_finalize(stmt);
    gm_change_reader_close(reader);
    gm_db_close(db);
}

static int setup(void **state)
{
    struct place *place = gm_alloc(sizeof(*place));
    place->tmp = tmp_new();
    check_ok(open_store(place, NULL), place->err);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    gm_store_close(place->store);
    tmp_free(place->tmp);
    gm_free(place);
    return 0;
}

static void edits_that_commit_together_share_a_chunk(void **state)
{
    struct place *place = *state;
    struct edit_job jobs[100];
    for (int i = 0; i < 100; i++) {
        make_put(&jobs[i], i);
    }
    run_together(place, jobs, 100);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(jobs[i].rc, GM_OK);
        assert_int_equal(jobs[i].edit.outcome, GM_EDIT_DONE);
    }
    assert_int_equal(number(place, "SELECT COUNT(*) FROM twins"), 100);
    assert_int_equal(number(place, "SELECT COUNT(*) FROM changes"), 1);
    assert_int_equal(number(place, "SELECT twin_count FROM models"), 100);
    check_log(place);
    free_jobs(jobs, 100);
}

static void a_job_that_fails_takes_its_own_changes_with_it(void **state)
{
    struct place *place = *state;
    struct edit_job jobs[60];
    for (int i = 0; i < 60; i++) {
        make_put(&jobs[i], i);
        jobs[i].fails = i % 3 == 1;
    }
    run_together(place, jobs, 60);
    for (int i = 0; i < 60; i++) {
        assert_int_equal(jobs[i].rc, i % 3 == 1 ? GM_E_RETRY : GM_OK);
    }
    assert_int_equal(number(place, "SELECT COUNT(*) FROM twins"), 40);
    assert_int_equal(number(place, "SELECT SUM(count) FROM changes"), 40);
    assert_int_equal(number(place, "SELECT twin_count FROM models"), 40);
    check_log(place);
    free_jobs(jobs, 60);
}

/* The failing job closes chunks that began in jobs before it. */
static void a_job_that_fails_after_much_leaves_the_chunk_that_it_closed(void **state)
{
    struct place *place = *state;
    struct edit_job jobs[4];
    make_put(&jobs[0], 1);
    make_job(&jobs[1], GM_EDIT_PATCH_TWIN, 1,
             "[{\"op\":\"add\",\"path\":\"/text\",\"value\":\"abcdefgh\"}]");
    jobs[1].edits = 3 * GM_CHANGES_CHUNK_COUNT;
    gm_arena_free(jobs[1].arena);
    jobs[1].arena = gm_arena_new(256 << 20);
    jobs[1].fails = true;
    make_put(&jobs[2], 2);
    make_job(&jobs[3], GM_EDIT_PATCH_TWIN, 1, "[{\"op\":\"replace\",\"path\":\"/n\",\"value\":5}]");
    run_together(place, jobs, 4);
    assert_int_equal(jobs[1].rc, GM_E_RETRY);
    assert_int_equal(jobs[3].edit.outcome, GM_EDIT_DONE);
    assert_int_equal(number(place, "SELECT SUM(count) FROM changes"), 3);
    assert_int_equal(number(place, "SELECT version FROM twins WHERE id = 't1'"), 2);
    check_log(place);
    free_jobs(jobs, 4);
}

static void of_many_writers_with_one_etag_one_wins(void **state)
{
    struct place *place = *state;
    struct edit_job put, jobs[JOBS_MAX];
    make_put(&put, 1);
    run_together(place, &put, 1);
    for (int i = 0; i < JOBS_MAX; i++) {
        make_job(&jobs[i], GM_EDIT_PATCH_TWIN, 1,
                 "[{\"op\":\"replace\",\"path\":\"/n\",\"value\":7}]");
        jobs[i].edit.condition.kind = GM_IF_MATCH;
        jobs[i].edit.condition.etag = gm_str_z(put.edit.etag);
    }
    run_together(place, jobs, JOBS_MAX);
    int won = 0;
    for (int i = 0; i < JOBS_MAX; i++) {
        won += jobs[i].edit.outcome == GM_EDIT_DONE;
        assert_true(jobs[i].edit.outcome == GM_EDIT_DONE || jobs[i].edit.outcome == GM_EDIT_MOVED);
    }
    assert_int_equal(won, 1);
    assert_int_equal(number(place, "SELECT version FROM twins"), 2);
    free_jobs(jobs, JOBS_MAX);
    free_jobs(&put, 1);
}

/* ---- the disk ---- */

enum { EDITS = 12 };

/* Edits one after the other until one fails. Returns how many were acknowledged. */
static int edit_until_failure(struct place *place)
{
    int acknowledged = 0;
    for (int i = 0; i < EDITS; i++) {
        struct edit_job job;
        if (i % 3 == 2) {
            make_job(&job, GM_EDIT_PATCH_TWIN, i - 2,
                     "[{\"op\":\"replace\",\"path\":\"/n\",\"value\":9}]");
        } else {
            make_put(&job, i);
        }
        gm_rc rc = gm_store_write(place->store, run_edit, &job, &place->err);
        gm_arena_free(job.arena);
        if (rc != GM_OK) {
            break;
        }
        acknowledged++;
    }
    return acknowledged;
}

static void sweep_disk(bool cut)
{
    bool happened = true;
    uint64_t at = 1;
    for (; happened; at++) {
        struct place place = {.tmp = tmp_new()};
        struct faultvfs *disk = faultvfs_new("gemel-edit-disk");
        check_ok(open_store(&place, "gemel-edit-disk"), place.err);
        if (cut) {
            faultvfs_cut_at(disk, at, at);
        } else {
            faultvfs_fail_at(disk, at, FAULTVFS_IO_ERROR);
        }
        int acknowledged = edit_until_failure(&place);
        happened = faultvfs_happened(disk);
        gm_store_close(place.store);
        if (cut && happened) {
            faultvfs_restore(disk);
        }
        faultvfs_free(disk);
        check_ok(open_store(&place, NULL), place.err);
        int64_t changes = number(&place, "SELECT COALESCE(SUM(count), 0) FROM changes");
        /* One that was not acknowledged may be there, when the answer was lost. */
        assert_true(changes == acknowledged || changes == acknowledged + 1);
        assert_int_equal(number(&place, "SELECT COALESCE(SUM(version), 0) FROM twins"), changes);
        assert_int_equal(number(&place, "SELECT COUNT(*) - (SELECT twin_count FROM models) FROM "
                                        "twins"),
                         0);
        check_log(&place);
        gm_store_close(place.store);
        tmp_free(place.tmp);
    }
    assert_true(at > EDITS);
}

static void a_disk_that_fails_anywhere_loses_nothing_that_was_answered(void **state)
{
    (void)state;
    sweep_disk(false);
}

static void a_power_cut_anywhere_loses_nothing_that_was_answered(void **state)
{
    (void)state;
    sweep_disk(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(edits_that_commit_together_share_a_chunk, setup, teardown),
        cmocka_unit_test_setup_teardown(a_job_that_fails_takes_its_own_changes_with_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_job_that_fails_after_much_leaves_the_chunk_that_it_closed,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(of_many_writers_with_one_etag_one_wins, setup, teardown),
        cmocka_unit_test(a_disk_that_fails_anywhere_loses_nothing_that_was_answered),
        cmocka_unit_test(a_power_cut_anywhere_loses_nothing_that_was_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
