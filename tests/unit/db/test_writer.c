/* The writer thread, on both engines: order, groups, one job's failure, the end. */
#include "db/writer.h"

#include "base/mem.h"
#include "os/queue.h"
#include "os/thread.h"
#include "unit/db/world.h"

struct job {
    const char *sql_z;
    struct gm_queue *gate; /* waits here for an item before it goes on; NULL: goes on */
    gm_rc returns;
    gm_rc rc; /* what it heard */
    char text[GM_ERR_TEXT_SIZE];
};

static gm_rc run_job(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct job *job = ctx;
    if (job->gate != NULL) {
        (void)gm_queue_pop(job->gate);
    }
    gm_rc rc = gm_db_exec(db, job->sql_z, err);
    return rc == GM_OK && job->returns != GM_OK ? gm_fail(err, job->returns, "as planned") : rc;
}

static void job_done(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct job *job = ctx;
    job->rc = rc;
    memcpy(job->text, err->text, sizeof(job->text));
}

static void count_commit(void *ctx, gm_ns took)
{
    assert_true(took >= 0);
    ++*(int *)ctx;
}

static struct gm_writer *start_writer(struct world *world, int *commits)
{
    world_exec(world, world->db, "CREATE TABLE t (i BIGINT PRIMARY KEY)");
    struct gm_writer *writer = NULL;
    struct gm_writer_hooks hooks = {.ctx = commits, .committed = count_commit};
    check_ok(gm_writer_start(world_open(world, GM_DB_WRITE), &hooks, &writer, &world->err),
             world->err);
    return writer;
}

/* Submits the jobs while a first one holds the thread, so that they make one group. */
static void submit_together(struct world *world, struct gm_writer *writer, struct job *jobs,
                            size_t count)
{
    struct gm_queue *gate = gm_queue_new(1);
    struct job first = {.sql_z = "INSERT INTO t VALUES (1000)", .gate = gate};
    struct gm_writer_job job = {.fn = run_job, .done = job_done, .ctx = &first, .alone = true};
    check_ok(gm_writer_submit(writer, &job, &world->err), world->err);
    for (size_t i = 0; i < count; i++) {
        job = (struct gm_writer_job){.fn = run_job, .done = job_done, .ctx = &jobs[i]};
        check_ok(gm_writer_submit(writer, &job, &world->err), world->err);
    }
    gm_queue_close(gate);
    gm_writer_stop(writer);
    assert_int_equal(first.rc, GM_OK);
    gm_queue_free(gate);
}

static void a_run_returns_after_its_commit(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct job job = {.sql_z = "INSERT INTO t VALUES (1)"};
    check_ok(gm_writer_run(writer, run_job, &job, &world->err), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 1);
    check_rc(gm_writer_run(writer, run_job, &job, &world->err), GM_E_CONFLICT, world->err);
    assert_true(world->err.text[0] != '\0');
    job.sql_z = "INSERT INTO t VALUES (2)";
    check_ok(gm_writer_run(writer, run_job, &job, &world->err), world->err);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 2);
    gm_writer_stop(writer);
    assert_int_equal(commits, 2);
}

static void jobs_that_wait_share_a_commit_in_their_order(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct job jobs[20];
    for (size_t i = 0; i < GM_ARRAY_COUNT(jobs); i++) {
        jobs[i] = (struct job){.sql_z = "INSERT INTO t SELECT count(*) * 3 FROM t", .rc = GM_E_END};
    }
    submit_together(world, writer, jobs, GM_ARRAY_COUNT(jobs));
    for (size_t i = 0; i < GM_ARRAY_COUNT(jobs); i++) {
        assert_int_equal(jobs[i].rc, GM_OK);
    }
    assert_int_equal(world_number(world, world->db, "SELECT max(i) FROM t WHERE i < 1000"), 60);
    assert_int_equal(commits, 2);
}

static void a_job_that_fails_is_undone_alone(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct job jobs[] = {
        {.sql_z = "INSERT INTO t VALUES (1)"},
        {.sql_z = "INSERT INTO t VALUES (2)", .returns = GM_E_INVALID},
        {.sql_z = "INSERT INTO t VALUES (1)"},
        {.sql_z = "INSERT INTO t VALUES (2)"},
        {.sql_z = "INSERT INTO none VALUES (2)"},
        {.sql_z = "INSERT INTO t VALUES (3)"},
    };
    submit_together(world, writer, jobs, GM_ARRAY_COUNT(jobs));
    static const gm_rc wanted[] = {GM_OK, GM_E_INVALID, GM_E_CONFLICT, GM_OK, GM_E_CONFIG, GM_OK};
    for (size_t i = 0; i < GM_ARRAY_COUNT(jobs); i++) {
        assert_int_equal(jobs[i].rc, wanted[i]);
        assert_int_equal(jobs[i].text[0] != '\0', wanted[i] != GM_OK);
    }
    assert_int_equal(world_number(world, world->db, "SELECT sum(i) FROM t"), 1006);
    assert_int_equal(commits, 2);
}

static void a_group_without_success_is_not_committed(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct job jobs[] = {
        {.sql_z = "INSERT INTO t VALUES (2)", .returns = GM_E_INVALID},
        {.sql_z = "INSERT INTO t VALUES (3)", .returns = GM_E_LIMIT},
    };
    submit_together(world, writer, jobs, GM_ARRAY_COUNT(jobs));
    assert_int_equal(jobs[0].rc, GM_E_INVALID);
    assert_int_equal(jobs[1].rc, GM_E_LIMIT);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(commits, 1);
}

static void a_failure_of_storage_fails_its_group_and_all_that_follows(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct job jobs[] = {
        {.sql_z = "INSERT INTO t VALUES (1)"},
        {.sql_z = "INSERT INTO t VALUES (2)", .returns = GM_E_IO},
        {.sql_z = "INSERT INTO t VALUES (3)"},
    };
    submit_together(world, writer, jobs, GM_ARRAY_COUNT(jobs));
    for (size_t i = 0; i < GM_ARRAY_COUNT(jobs); i++) {
        assert_int_equal(jobs[i].rc, GM_E_IO);
        assert_string_equal(jobs[i].text, "as planned");
    }
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"), 1);
}

static gm_rc fail_for_good(void *ctx, struct gm_db *db, struct gm_err *err)
{
    (void)ctx;
    (void)db;
    return gm_fail(err, GM_E_IO, "as planned");
}

static void a_failure_of_storage_can_be_asked_for(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_err err = {0};
    struct gm_writer *writer = start_writer(world, &commits);
    check_ok(gm_writer_failure(writer, &err), err);
    check_rc(gm_writer_run(writer, fail_for_good, NULL, &err), GM_E_IO, err);
    err = (struct gm_err){0};
    check_rc(gm_writer_failure(writer, &err), GM_E_IO, err);
    assert_string_equal(err.text, "as planned");
    gm_writer_stop(writer);
}

static void a_job_alone_keeps_its_place_in_the_order(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct gm_queue *gate = gm_queue_new(1);
    struct job jobs[] = {
        {.sql_z = "INSERT INTO t VALUES (1)", .gate = gate},
        {.sql_z = "INSERT INTO t SELECT count(*) + 10 FROM t"},
        {.sql_z = "INSERT INTO t SELECT count(*) + 20 FROM t"},
        {.sql_z = "INSERT INTO t SELECT count(*) + 30 FROM t"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(jobs); i++) {
        struct gm_writer_job job = {.fn = run_job, .done = job_done, .ctx = &jobs[i]};
        job.alone = i == 0 || i == 2;
        check_ok(gm_writer_submit(writer, &job, &world->err), world->err);
    }
    gm_queue_close(gate);
    gm_writer_stop(writer);
    gm_queue_free(gate);
    assert_int_equal(world_number(world, world->db, "SELECT sum(i) FROM t"), 1 + 11 + 22 + 33);
    assert_int_equal(commits, 4);
}

/* ---- many producers ---- */

enum { PRODUCERS = 4, JOBS_EACH = 60 };

struct producer {
    struct gm_writer *writer;
    int64_t first;
    int failures;
};

static gm_rc insert_number(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, "INSERT INTO t VALUES ($1)", &stmt, err));
    gm_bind_i64(stmt, 1, *(const int64_t *)ctx);
    gm_rc rc = gm_stmt_run(stmt, NULL, err);
    gm_stmt_finalize(stmt);
    return rc;
}

static void produce(void *arg)
{
    struct producer *producer = arg;
    for (int64_t i = 0; i < JOBS_EACH; i++) {
        int64_t number = producer->first + i;
        struct gm_err err = {0};
        gm_rc rc = gm_writer_run(producer->writer, insert_number, &number, &err);
        producer->failures += rc != GM_OK;
    }
}

static void producers_on_many_threads_are_all_served(void **state)
{
    struct world *world = *state;
    int commits = 0;
    struct gm_writer *writer = start_writer(world, &commits);
    struct producer producers[PRODUCERS];
    struct gm_thread *threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.writer = writer, .first = (int64_t)i * 1000};
        check_ok(gm_thread_start("producer", produce, &producers[i], &threads[i], &world->err),
                 world->err);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        gm_thread_join(threads[i]);
        assert_int_equal(producers[i].failures, 0);
    }
    gm_writer_stop(writer);
    assert_int_equal(world_number(world, world->db, "SELECT count(*) FROM t"),
                     PRODUCERS * JOBS_EACH);
    assert_true(commits >= JOBS_EACH && commits <= PRODUCERS * JOBS_EACH);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WORLD_TEST(a_run_returns_after_its_commit),
        WORLD_TEST(jobs_that_wait_share_a_commit_in_their_order),
        WORLD_TEST(a_job_that_fails_is_undone_alone),
        WORLD_TEST(a_group_without_success_is_not_committed),
        WORLD_TEST(a_failure_of_storage_fails_its_group_and_all_that_follows),
        WORLD_TEST(a_failure_of_storage_can_be_asked_for),
        WORLD_TEST(a_job_alone_keeps_its_place_in_the_order),
        WORLD_TEST(producers_on_many_threads_are_all_served),
    };
    WORLD_RUN_ON_BOTH(tests);
}
