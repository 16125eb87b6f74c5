/* Jobs on a real store: imports of files, their output, what resumes, what deletion leaves. */
#include "job/job.h"

#include <stdio.h>

#include "base/mem.h"
#include "os/file.h"
#include "support/script.h"

enum { WAIT_MS = 20000, OUTPUT_SIZE_MAX = 16 << 20 };

#define THING                                                                                      \
    "{\"@id\":\"dtmi:t:Part;1\",\"@context\":\"dtmi:dtdl:context;3\",\"@type\":\"Interface\","     \
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"integer\"}]}\n"
#define HEADER "{\"Section\":\"Header\"}\n{\"fileVersion\":\"1.0.0\"}\n"

struct world {
    struct script *script;
    struct gm_jobs *jobs;
    struct gm_arena *arena;
    struct gm_job job; /* as it was seen last */
    struct gm_err err;
};

static void open_jobs(struct world *world)
{
    check_ok(script_open(world->script), world->script->err);
    const struct gm_jobs_options options = {.store = world->script->store};
    check_ok(gm_jobs_open(&options, &world->jobs, &world->err), world->err);
}

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->script = script_new();
    world->arena = gm_arena_new(16 << 20);
    open_jobs(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gm_jobs_close(world->jobs);
    gm_arena_free(world->arena);
    script_free(world->script);
    gm_free(world);
    return 0;
}

static const char *url_of(struct world *world, const char *name_z)
{
    return gm_arena_format(world->arena, "file://%s", tmp_path(world->script->tmp, name_z)).p;
}

static struct gm_job_answer add_import(struct world *world, const char *id_z, const char *input_z,
                                       const char *output_z)
{
    struct gm_job_answer answer;
    const struct gm_job_request request = {.name = {GM_JOB_IMPORT, gm_str_z(id_z)},
                                           .input = gm_str_z(input_z),
                                           .output = gm_str_z(output_z)};
    check_ok(gm_jobs_add(world->jobs, &request, &answer, &world->err), world->err);
    return answer;
}

static void look(struct world *world, enum gm_job_kind kind, const char *id_z)
{
    struct gm_db *db;
    const struct gm_job_name name = {kind, gm_str_z(id_z)};
    check_ok(gm_store_reader(world->script->store, &db, &world->err), world->err);
    check_ok(gm_job_get(db, &name, world->arena, &world->job, &world->err), world->err);
    gm_db_close(db);
}

static void wait_for_end(struct world *world, enum gm_job_kind kind, const char *id_z)
{
    struct gm_stop *pause = gm_stop_new();
    for (int waited = 0; waited < WAIT_MS; waited++) {
        look(world, kind, id_z);
        if (world->job.finished > 0) {
            break;
        }
        assert_int_equal(gm_stop_wait(pause, GM_MS), GM_OK);
    }
    gm_stop_free(pause);
    assert_true(world->job.finished > 0);
}

static const char *read_file(struct world *world, const char *name_z)
{
    struct gm_buf text;
    gm_buf_init(&text, OUTPUT_SIZE_MAX);
    check_ok(gm_file_read_all(tmp_path(world->script->tmp, name_z), &text, &world->err),
             world->err);
    const char *copy_z = gm_arena_dup(world->arena, gm_buf_str(&text)).p;
    gm_buf_deinit(&text);
    return copy_z;
}

static int64_t count(struct world *world, const char *sql_z)
{
    return script_number(world->script, sql_z);
}

/* `n` twins p0 … */
static void write_parts(struct world *world, const char *name_z, int n)
{
    struct gm_buf text;
    gm_buf_init(&text, 256 << 20);
    gm_buf_add_z(&text, HEADER "{\"Section\":\"Models\"}\n" THING "{\"Section\":\"Twins\"}\n");
    for (int i = 0; i < n; i++) {
        gm_buf_addf(&text,
                    "{\"$dtId\":\"p%d\",\"n\":%d,\"$metadata\":{\"$model\":\"dtmi:t:Part;1\"}}\n",
                    i, i);
    }
    (void)tmp_write(world->script->tmp, name_z, gm_buf_str(&text));
    gm_buf_deinit(&text);
}

/* ---- imports ---- */

static void an_import_brings_its_file_and_tells_of_each_section(void **state)
{
    struct world *world = *state;
    write_parts(world, "in.ndjson", 3);
    struct gm_job_answer answer =
        add_import(world, "one", url_of(world, "in.ndjson"), url_of(world, "out.ndjson"));
    assert_int_equal(answer.outcome, GM_JOB_DONE);
    wait_for_end(world, GM_JOB_IMPORT, "one");
    assert_int_equal(world->job.status, GM_JOB_SUCCEEDED);
    assert_null(world->job.error.p);
    assert_int_equal(count(world, "SELECT count(*) FROM twins"), 3);
    const char *out_z = read_file(world, "out.ndjson");
    assert_non_null(strstr(out_z, "\"jobId\":\"one\",\"jobType\":\"Import\",\"logType\":\"Info\","
                                  "\"details\":{\"status\":\"Started\"}}\n"));
    assert_non_null(strstr(out_z, "{\"section\":\"Models\",\"status\":\"Succeeded\"}"));
    assert_non_null(strstr(out_z, "{\"section\":\"Twins\",\"status\":\"Succeeded\"}"));
    assert_non_null(strstr(out_z, "{\"status\":\"Succeeded\",\"modelsCreated\":1,"
                                  "\"twinsCreated\":3,"));
}

static void wrong_lines_are_in_the_output_and_the_job_fails(void **state)
{
    struct world *world = *state;
    (void)tmp_write(world->script->tmp, "in.ndjson",
                    GM_STR(HEADER "{\"Section\":\"Models\"}\n" THING "{\"Section\":\"Twins\"}\n"
                                  "{\"$dtId\":\"a\",\"n\":\"x\",\"$metadata\":{\"$model\":"
                                  "\"dtmi:t:Part;1\"}}\n"
                                  "{\"$dtId\":\"b\",\"n\":1,\"$metadata\":{\"$model\":"
                                  "\"dtmi:t:Part;1\"}}\n"));
    (void)add_import(world, "bad", url_of(world, "in.ndjson"), url_of(world, "out.ndjson"));
    wait_for_end(world, GM_JOB_IMPORT, "bad");
    assert_int_equal(world->job.status, GM_JOB_FAILED);
    check_str(world->job.error_code, "ValidationFailed");
    check_str(world->job.error, "1 of 7 lines could not be imported; the output names them");
    assert_int_equal(count(world, "SELECT count(*) FROM twins"), 1);
    assert_non_null(strstr(read_file(world, "out.ndjson"),
                           "\"logType\":\"Error\",\"details\":{\"section\":\"Twins\",\"line\":6,"
                           "\"code\":\"ValidationFailed\",\"message\":"));
}

static void a_file_that_is_not_there_fails_the_job_alone(void **state)
{
    struct world *world = *state;
    write_parts(world, "in.ndjson", 1);
    (void)add_import(world, "none", url_of(world, "no.ndjson"), url_of(world, "none.out"));
    (void)add_import(world, "one", url_of(world, "in.ndjson"), url_of(world, "one.out"));
    wait_for_end(world, GM_JOB_IMPORT, "none");
    assert_int_equal(world->job.status, GM_JOB_FAILED);
    assert_non_null(strstr(world->job.error.p, "no.ndjson"));
    wait_for_end(world, GM_JOB_IMPORT, "one");
    assert_int_equal(world->job.status, GM_JOB_SUCCEEDED);
}

static void an_import_goes_on_after_the_process_ended(void **state)
{
    struct world *world = *state;
    int n = 60000;
    write_parts(world, "in.ndjson", n);
    (void)add_import(world, "long", url_of(world, "in.ndjson"), url_of(world, "out.ndjson"));
    struct gm_stop *pause = gm_stop_new();
    int restarts = 0;
    for (look(world, GM_JOB_IMPORT, "long"); world->job.finished == 0;
         look(world, GM_JOB_IMPORT, "long")) {
        assert_in_range(restarts, 0, 1000);
        assert_int_equal(gm_stop_wait(pause, 20 * GM_MS), GM_OK);
        gm_jobs_close(world->jobs);
        script_close(world->script);
        open_jobs(world);
        restarts++;
    }
    gm_stop_free(pause);
    assert_true(restarts > 0);
    assert_int_equal(world->job.status, GM_JOB_SUCCEEDED);
    assert_int_equal(count(world, "SELECT count(*) FROM twins"), n);
    /* each was written once: nothing was taken up from the beginning */
    assert_int_equal(count(world, "SELECT max(version) FROM twins"),
                     count(world, "SELECT min(version) FROM twins"));
    GM_AUTO_FREE char *end_z = gm_format_z("\"twinsCreated\":%d,\"twinsUpdated\":0", n);
    assert_non_null(strstr(read_file(world, "out.ndjson"), end_z));
}

static void a_cancelled_import_ends_and_what_came_before_stays(void **state)
{
    struct world *world = *state;
    struct gm_job_answer answer;
    write_parts(world, "in.ndjson", 60000);
    (void)add_import(world, "long", url_of(world, "in.ndjson"), url_of(world, "out.ndjson"));
    (void)add_import(world, "next", url_of(world, "in.ndjson"), url_of(world, "next.ndjson"));
    const struct gm_job_name names[] = {{GM_JOB_IMPORT, GM_STR("next")},
                                        {GM_JOB_IMPORT, GM_STR("long")}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
        check_ok(gm_jobs_cancel(world->jobs, &names[i], &answer, &world->err), world->err);
        assert_int_equal(answer.outcome, GM_JOB_DONE);
    }
    wait_for_end(world, GM_JOB_IMPORT, "long");
    assert_int_equal(world->job.status, GM_JOB_CANCELLED);
    wait_for_end(world, GM_JOB_IMPORT, "next");
    assert_int_equal(world->job.status, GM_JOB_CANCELLED);
    check_ok(gm_jobs_cancel(world->jobs, &names[1], &answer, &world->err), world->err);
    assert_int_equal(answer.outcome, GM_JOB_FINISHED);
    check_ok(gm_jobs_remove(world->jobs, &names[1], &answer, &world->err), world->err);
    assert_int_equal(answer.outcome, GM_JOB_DONE);
    check_ok(gm_jobs_remove(world->jobs, &names[1], &answer, &world->err), world->err);
    assert_int_equal(answer.outcome, GM_JOB_MISSING);
}

static void wrong_requests_are_refused_with_the_cure(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *id_z, *input_z, *output_z, *says_z;
    } cases[] = {
        {"", "file:///a", "file:///b", "a job's id is"},
        {"a b", "file:///a", "file:///b", "a job's id is"},
        {"x", "", "file:///b", "inputBlobUri is missing"},
        {"x", "file:///a", "", "outputBlobUri is missing"},
        {"x", "ftp://a/b", "file:///b", "no URL of an object"},
        {"x", "file://host/b", "file:///b", "expected file:///PATH"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_job_answer answer =
            add_import(world, cases[i].id_z, cases[i].input_z, cases[i].output_z);
        assert_int_equal(answer.outcome, GM_JOB_INVALID);
        check_err_says(answer.why, cases[i].says_z);
    }
    write_parts(world, "in.ndjson", 1);
    (void)add_import(world, "x", url_of(world, "in.ndjson"), url_of(world, "x.out"));
    assert_int_equal(
        add_import(world, "x", url_of(world, "in.ndjson"), url_of(world, "x.out")).outcome,
        GM_JOB_EXISTS);
    wait_for_end(world, GM_JOB_IMPORT, "x");
}

/* ---- deletion ---- */

static void a_deletion_leaves_nothing_and_pipelines_bring_theirs_back(void **state)
{
    struct world *world = *state;
    struct script *script = world->script;
    struct gm_job_answer answer;
    script_show(script, "1,apple,,2 2,pear 3,plum,,9");
    check_ok(script_run(script), script->err);
    GM_AUTO_FREE char *before_z = gm_str_dup_z(script_graph(script));
    const struct gm_job_request request = {.name = {GM_JOB_DELETION, GM_STR("all")}};
    check_ok(gm_jobs_add(world->jobs, &request, &answer, &world->err), world->err);
    wait_for_end(world, GM_JOB_DELETION, "all");
    assert_int_equal(world->job.status, GM_JOB_SUCCEEDED);
    assert_int_equal(count(world, "SELECT count(*) FROM twins"), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM relationships"), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM relationships_waiting"), 0);
    assert_int_equal(count(world, "SELECT count(*) FROM models"), 0);
    check_ok(script_run(script), script->err);
    check_str(script_graph(script), before_z);
    script_show(script, "1,apple,,2 2,pear 3,plum,,9 4,fig");
    check_ok(script_run(script), script->err);
    assert_int_equal(script->report.run.counts.unchanged, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define JOB_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        JOB_TEST(an_import_brings_its_file_and_tells_of_each_section),
        JOB_TEST(wrong_lines_are_in_the_output_and_the_job_fails),
        JOB_TEST(a_file_that_is_not_there_fails_the_job_alone),
        JOB_TEST(an_import_goes_on_after_the_process_ended),
        JOB_TEST(a_cancelled_import_ends_and_what_came_before_stays),
        JOB_TEST(wrong_requests_are_refused_with_the_cure),
        JOB_TEST(a_deletion_leaves_nothing_and_pipelines_bring_theirs_back),
#undef JOB_TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
