/* Pipelines and runs: what is written comes back, and reports say it in the same words
 * everywhere. */
#include "sync/run.h"
#include "unit/sync/fixture.h"

/* ---- pipelines ---- */

static void a_pipeline_is_found_by_name_and_by_number(void **state)
{
    struct fixture *f = *state;
    int64_t first, second;
    check_ok(gm_pipeline_insert(f->db, GM_STR("products"), &first, &f->err), f->err);
    check_ok(gm_pipeline_insert(f->db, GM_STR("orders"), &second, &f->err), f->err);
    assert_true(first != second && first > 0 && second > 0);
    struct gm_pipeline_row row = {.name = GM_STR("orders")};
    check_ok(gm_pipeline_find(f->db, f->arena, &row, &f->err), f->err);
    assert_int_equal(row.num, second);
    assert_null(row.source_fingerprint.p);
    assert_null(row.step_targets.p);
    assert_null(row.cursor.p);
    assert_int_equal(row.last_slot + row.live_count + row.last_full_run + row.last_full_time, 0);
    row = (struct gm_pipeline_row){.num = first};
    check_ok(gm_pipeline_find(f->db, f->arena, &row, &f->err), f->err);
    check_str(row.name, "products");
}

static void an_unknown_pipeline_is_told_and_nothing_is_changed(void **state)
{
    struct fixture *f = *state;
    struct gm_pipeline_row row = {.name = GM_STR("nobody"), .live_count = 5};
    check_rc(gm_pipeline_find(f->db, f->arena, &row, &f->err), GM_E_END, f->err);
    check_err_says(f->err, "nobody");
    assert_int_equal(row.live_count, 5);
    row = (struct gm_pipeline_row){.num = 12};
    check_rc(gm_pipeline_find(f->db, f->arena, &row, &f->err), GM_E_END, f->err);
    check_err_says(f->err, "12");
}

static void two_pipelines_cannot_have_one_name(void **state)
{
    struct fixture *f = *state;
    int64_t num = -1;
    check_ok(gm_pipeline_insert(f->db, GM_STR("products"), &num, &f->err), f->err);
    int64_t first = num;
    check_rc(gm_pipeline_insert(f->db, GM_STR("products"), &num, &f->err), GM_E_CONFLICT, f->err);
    assert_int_equal(num, first);
}

static void what_is_updated_of_a_pipeline_comes_back(void **state)
{
    struct fixture *f = *state;
    struct gm_pipeline_row row = {
        .name = GM_STR("products"),
        .source_fingerprint = GM_STR("f1"),
        .step_fingerprint = GM_STR("f2"),
        .step_targets = GM_STR("name\nunitPrice"),
        .cursor = GM_STR("2026-01-01|7"),
        .last_slot = 77,
        .last_full_run = 5,
        .last_full_time = NOW,
        .live_count = 70,
    };
    check_ok(gm_pipeline_insert(f->db, row.name, &row.num, &f->err), f->err);
    check_ok(gm_pipeline_update(f->db, &row, &f->err), f->err);
    struct gm_pipeline_row got = {.num = row.num};
    check_ok(gm_pipeline_find(f->db, f->arena, &got, &f->err), f->err);
    check_str(got.source_fingerprint, "f1");
    check_str(got.step_fingerprint, "f2");
    check_str(got.step_targets, "name\nunitPrice");
    check_str(got.cursor, "2026-01-01|7");
    assert_int_equal(got.last_slot, 77);
    assert_int_equal(got.last_full_run, 5);
    assert_int_equal(got.last_full_time, NOW);
    assert_int_equal(got.live_count, 70);
    row.num = 99;
    check_rc(gm_pipeline_update(f->db, &row, &f->err), GM_E_CORRUPT, f->err);
}

static gm_rc note_name(void *ctx, const struct gm_pipeline_row *row, struct gm_err *err)
{
    (void)err;
    gm_buf_add(ctx, row->name);
    gm_buf_add_char(ctx, ' ');
    return GM_OK;
}

static void pipelines_are_listed_by_name(void **state)
{
    struct fixture *f = *state;
    int64_t num;
    check_ok(gm_pipeline_insert(f->db, GM_STR("b"), &num, &f->err), f->err);
    check_ok(gm_pipeline_insert(f->db, GM_STR("a"), &num, &f->err), f->err);
    check_ok(gm_pipeline_insert(f->db, GM_STR("B"), &num, &f->err), f->err);
    struct gm_buf names;
    gm_buf_init(&names, 100);
    check_ok(gm_pipelines_list(f->db, note_name, &names, &f->err), f->err);
    check_str(gm_buf_str(&names), "B a b ");
    gm_buf_deinit(&names);
}

/* ---- runs ---- */

static int64_t begin_run(struct fixture *f, int64_t pipeline)
{
    struct gm_run run = {
        .pipeline = pipeline,
        .id = "0123456789abcdef0123456789abcdef",
        .cause = GM_STR("once"),
        .started = NOW,
        .fingerprint = GM_STR("f1"),
    };
    check_ok(gm_run_begin(f->db, &run, &f->err), f->err);
    return run.num;
}

static struct gm_run full_run(int64_t num, int64_t pipeline)
{
    return (struct gm_run){
        .num = num,
        .pipeline = pipeline,
        .pipeline_name = GM_STR("products"),
        .id = "0123456789abcdef0123456789abcdef",
        .cause = GM_STR("once"),
        .status = GM_RUN_FAILED,
        .started = NOW,
        .finished = NOW + 2500 * GM_MS,
        .complete = true,
        .counts = {.read = 1,
                   .unchanged = 2,
                   .filtered = 3,
                   .created = 4,
                   .updated = 5,
                   .same = 6,
                   .stale = 7,
                   .deleted = 8,
                   .parked = 9,
                   .missing = 10,
                   .read_bytes = 11},
        .attempts = 12,
        .sweep = GM_SWEEP_BLOCKED,
        .trusted = true,
        .sweep_reason = GM_STR("too many"),
        .sweep_count = 13,
        .fingerprint = GM_STR("f1"),
        .error_code = GM_STR("retry"),
        .error = GM_STR("the source is down"),
    };
}

static gm_rc note_json(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    gm_run_write_json(run, ctx);
    return GM_OK;
}

static gm_rc check_trust(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    assert_int_equal(run->trusted, *(bool *)ctx);
    return GM_OK;
}

static void what_is_updated_of_a_run_comes_back(void **state)
{
    struct fixture *f = *state;
    int64_t pipeline;
    check_ok(gm_pipeline_insert(f->db, GM_STR("products"), &pipeline, &f->err), f->err);
    struct gm_run run = full_run(begin_run(f, pipeline), pipeline);
    bool trusted = true;
    check_ok(gm_run_get(f->db, run.num, check_trust, &trusted, &f->err), f->err);
    check_ok(gm_run_update(f->db, &run, &f->err), f->err);
    struct gm_buf wanted, got;
    gm_buf_init(&wanted, 4096);
    gm_buf_init(&got, 4096);
    gm_run_write_json(&run, &wanted);
    check_ok(gm_run_get(f->db, run.num, note_json, &got, &f->err), f->err);
    check_str(gm_buf_str(&got), wanted.p);
    gm_buf_deinit(&wanted);
    gm_buf_deinit(&got);
    run.trusted = trusted = false;
    check_ok(gm_run_update(f->db, &run, &f->err), f->err);
    check_ok(gm_run_get(f->db, run.num, check_trust, &trusted, &f->err), f->err);
}

static void a_run_that_is_not_there_is_told_by_number(void **state)
{
    struct fixture *f = *state;
    check_rc(gm_run_get(f->db, 12, note_json, NULL, &f->err), GM_E_END, f->err);
    check_err_says(f->err, "12");
    struct gm_run run = full_run(12, PIPELINE);
    check_rc(gm_run_update(f->db, &run, &f->err), GM_E_CORRUPT, f->err);
}

static gm_rc note_num(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)err;
    gm_buf_addf(ctx, "%lld ", (long long)run->num);
    return GM_OK;
}

static void check_runs(struct fixture *f, const struct gm_run_query *query, const char *expected_z)
{
    struct gm_buf nums;
    gm_buf_init(&nums, 1000);
    gm_buf_add_z(&nums, "");
    check_ok(gm_runs_list(f->db, query, note_num, &nums, &f->err), f->err);
    check_str(gm_buf_str(&nums), expected_z);
    gm_buf_deinit(&nums);
}

static void runs_are_listed_newest_first(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(begin_run(f, 1 + i % 2), i + 1);
    }
    check_runs(f, &(struct gm_run_query){0}, "6 5 4 3 2 1 ");
    check_runs(f, &(struct gm_run_query){.pipeline = 2}, "6 4 2 ");
    check_runs(f, &(struct gm_run_query){.pipeline = 1, .limit = 2}, "5 3 ");
    check_runs(f, &(struct gm_run_query){.pipeline = 7}, "");
}

static void trimming_keeps_the_newest_of_each_pipeline(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 6; i++) {
        begin_run(f, 1 + i % 2);
    }
    check_ok(gm_runs_trim(f->db, 2, 1, &f->err), f->err);
    check_runs(f, &(struct gm_run_query){0}, "6 5 3 1 ");
    check_ok(gm_runs_trim(f->db, 1, 2, &f->err), f->err);
    check_runs(f, &(struct gm_run_query){0}, "6 5 3 ");
    check_ok(gm_runs_trim(f->db, 1, 2, &f->err), f->err);
    check_runs(f, &(struct gm_run_query){0}, "6 5 3 ");
    assert_int_equal(begin_run(f, 1), 7);
}

static gm_rc check_interrupted(void *ctx, const struct gm_run *run, struct gm_err *err)
{
    (void)ctx;
    (void)err;
    assert_int_equal(run->status, GM_RUN_INTERRUPTED);
    assert_int_equal(run->finished, NOW + 7);
    check_str(run->error_code, "cancelled");
    check_str(run->error, "the process ended while the run was under way");
    return GM_OK;
}

static void runs_that_were_under_way_are_marked_as_interrupted(void **state)
{
    struct fixture *f = *state;
    int64_t under_way = begin_run(f, 1), ended = begin_run(f, 1), count;
    struct gm_run run = full_run(ended, 1);
    check_ok(gm_run_update(f->db, &run, &f->err), f->err);
    check_ok(gm_runs_mark_interrupted(f->db, NOW + 7, &count, &f->err), f->err);
    assert_int_equal(count, 1);
    check_ok(gm_run_get(f->db, under_way, check_interrupted, NULL, &f->err), f->err);
    check_ok(gm_runs_mark_interrupted(f->db, NOW + 8, &count, &f->err), f->err);
    assert_int_equal(count, 0);
}

static void an_unknown_status_is_corruption(void **state)
{
    struct fixture *f = *state;
    int64_t num = begin_run(f, 1);
    check_ok(gm_db_exec(f->db, "UPDATE runs SET status = 'dancing'", &f->err), f->err);
    check_rc(gm_run_get(f->db, num, note_num, NULL, &f->err), GM_E_CORRUPT, f->err);
}

/* ---- reports ---- */

static void check_json(const struct gm_run *run, const char *expected_z)
{
    struct gm_buf buf;
    gm_buf_init(&buf, 4096);
    gm_run_write_json(run, &buf);
    check_str(gm_buf_str(&buf), expected_z);
    gm_buf_deinit(&buf);
}

static void a_run_is_written_as_json(void **state)
{
    (void)state;
    struct gm_run run = full_run(5, PIPELINE);
    run.counts.read = 1001;
    check_json(&run,
               "{\"num\":5,\"id\":\"0123456789abcdef0123456789abcdef\",\"pipeline\":\"products\","
               "\"cause\":\"once\",\"status\":\"failed\","
               "\"started\":\"1970-01-01T00:16:40.0000000Z\","
               "\"finished\":\"1970-01-01T00:16:42.5000000Z\",\"seconds\":2.500,\"rate\":400,"
               "\"complete\":true,\"attempts\":12,\"counts\":{\"read\":1001,\"created\":4,"
               "\"updated\":5,\"deleted\":8,\"unchanged\":2,\"same\":6,\"stale\":7,"
               "\"filtered\":3,\"parked\":9,\"missing\":10,\"read_bytes\":11},"
               "\"sweep\":{\"state\":\"blocked\",\"reason\":\"too many\",\"count\":13},"
               "\"error\":{\"code\":\"retry\",\"message\":\"the source is down\"}}");
}

static void a_run_under_way_has_no_end_and_no_rate(void **state)
{
    (void)state;
    struct gm_run run = {.num = 1, .id = "00", .cause = GM_STR("schedule"), .started = NOW};
    check_json(&run, "{\"num\":1,\"id\":\"00\",\"pipeline\":null,\"cause\":\"schedule\","
                     "\"status\":\"running\",\"started\":\"1970-01-01T00:16:40.0000000Z\","
                     "\"finished\":null,\"seconds\":null,\"rate\":null,\"complete\":false,"
                     "\"attempts\":0,\"counts\":{\"read\":0,\"created\":0,\"updated\":0,"
                     "\"deleted\":0,\"unchanged\":0,\"same\":0,\"stale\":0,\"filtered\":0,"
                     "\"parked\":0,\"missing\":0,\"read_bytes\":0},"
                     "\"sweep\":{\"state\":\"none\",\"reason\":null,\"count\":0},\"error\":null}");
}

static void counts_are_one_line_without_zeros_but_for_what_was_read(void **state)
{
    (void)state;
    struct gm_buf buf;
    gm_buf_init(&buf, 1000);
    gm_run_counts_write(&(struct gm_run_counts){0}, &buf);
    check_str(gm_buf_str(&buf), "read 0");
    gm_buf_reset(&buf);
    gm_run_counts_write(&(struct gm_run_counts){.read = 77, .created = 70, .parked = 7}, &buf);
    check_str(gm_buf_str(&buf), "read 77, created 70, parked 7");
    gm_buf_deinit(&buf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_pipeline_is_found_by_name_and_by_number),
        FIXTURE_TEST(an_unknown_pipeline_is_told_and_nothing_is_changed),
        FIXTURE_TEST(two_pipelines_cannot_have_one_name),
        FIXTURE_TEST(what_is_updated_of_a_pipeline_comes_back),
        FIXTURE_TEST(pipelines_are_listed_by_name),
        FIXTURE_TEST(what_is_updated_of_a_run_comes_back),
        FIXTURE_TEST(a_run_that_is_not_there_is_told_by_number),
        FIXTURE_TEST(runs_are_listed_newest_first),
        FIXTURE_TEST(trimming_keeps_the_newest_of_each_pipeline),
        FIXTURE_TEST(runs_that_were_under_way_are_marked_as_interrupted),
        FIXTURE_TEST(an_unknown_status_is_corruption),
        FIXTURE_TEST(a_run_is_written_as_json),
        FIXTURE_TEST(a_run_under_way_has_no_end_and_no_rate),
        FIXTURE_TEST(counts_are_one_line_without_zeros_but_for_what_was_read),
    };
    WORLD_RUN_ON_BOTH(tests);
}
