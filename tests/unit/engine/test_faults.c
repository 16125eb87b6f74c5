/* The engine on a disk that fails, fills up, or loses power at any operation: the run that meets it
 * says so and stops; after a new start one more run makes the graph that an undisturbed store
 * has. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/rng.h"
#include "os/process.h"
#include "support/faultvfs.h"
#include "support/script.h"

/* Operations tried per sweep, spread over all there are; GEMEL_LONG=1 tries every one. */
enum { SAMPLES_MAX = 40, ROWS = 120, RUNS = 3 };

static const char disk_name_z[] = "gemel-engine-disk";

struct sweep {
    const char *expected_z; /* the graph after all runs */
    uint64_t operations;    /* of an undisturbed pass */
    uint64_t offset;        /* of the sample */
};

/* What the source shows in the runs of a pass: new, changed, and gone with letters. */
static void show(struct script *s, int run)
{
    s->batch_rows = 50; /* several batches a run */
    script_show(s, "");
    switch (run) {
    case 0:
        script_add_many(s, 1, ROWS, 1);
        break;
    case 1:
        script_add_many(s, 1, ROWS / 3, 1);
        script_add_many(s, ROWS / 3 + 1, ROWS, 2);
        break;
    default:
        script_show(s, "5000,odd,big");
        script_add_many(s, 10, ROWS, 2);
        break;
    }
}

/* All runs until one fails. *out_acknowledged: how many succeeded. */
static gm_rc run_pass(struct script *s, int64_t *out_acknowledged)
{
    *out_acknowledged = 0;
    for (int run = 0; run < RUNS; run++) {
        show(s, run);
        GM_TRY(script_run(s));
        (*out_acknowledged)++;
    }
    return GM_OK;
}

/* After the failure, with the plain VFS. */
static void check_recovery(struct script *s, const struct sweep *sweep, int64_t acknowledged)
{
    s->vfs_z = NULL;
    check_ok(script_open(s), s->err);
    assert_int_equal(script_number(s, "SELECT count(*) FROM runs WHERE status = 'running'"), 0);
    assert_true(script_number(s, "SELECT count(*) FROM runs WHERE status = 'succeeded'") >=
                acknowledged);
    assert_int_equal(
        script_number(s,
                      "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
        0);
    show(s, RUNS - 1);
    check_ok(script_run(s), s->err);
    check_str(script_graph(s), sweep->expected_z);
    /* Counters that are kept apart from what they count. */
    assert_int_equal(script_number(s, "SELECT (SELECT live_count FROM pipelines) = "
                                      "(SELECT count(*) FROM sync_state WHERE state <> 5)"),
                     1);
    assert_int_equal(script_number(s, "SELECT count(*) FROM dead_letters"), 1);
    check_ok(script_run(s), s->err);
    assert_int_equal(s->report.run.counts.created + s->report.run.counts.updated +
                         s->report.run.counts.deleted,
                     0);
}

enum plan { FAIL_IO, FILL, CUT_ALL, CUT_TORN };

static void plan_disk(struct faultvfs *disk, enum plan plan, uint64_t at)
{
    switch (plan) {
    case FAIL_IO:
        faultvfs_fail_at(disk, at, FAULTVFS_IO_ERROR);
        break;
    case FILL:
        faultvfs_fail_at(disk, at, FAULTVFS_FULL);
        break;
    case CUT_ALL:
        faultvfs_cut_at(disk, at, 0);
        break;
    case CUT_TORN:
        faultvfs_cut_at(disk, at, 1000 + at);
        break;
    }
}

/* False: the pass ended before its operation came. */
static bool try_once(const struct sweep *sweep, enum plan plan, uint64_t at)
{
    struct faultvfs *disk = faultvfs_new(disk_name_z);
    struct script *s = script_new();
    int64_t acknowledged;
    s->vfs_z = disk_name_z;
    plan_disk(disk, plan, at);
    gm_rc rc = run_pass(s, &acknowledged);
    if (rc != GM_OK) {
        if (rc != GM_E_IO || strstr(s->err.text, "store.db") == NULL) {
            fail_msg("operation %llu: %s: %s", (unsigned long long)at, gm_rc_name(rc), s->err.text);
        }
        if (s->store != NULL) {
            check_rc(script_run(s), GM_E_IO, s->err); /* no way back but a new start */
            assert_int_equal(s->report.run.status, GM_RUN_FAILED);
            check_str(s->report.run.error_code, "io");
        }
    }
    script_close(s);
    bool happened = faultvfs_happened(disk);
    assert_true(happened || rc == GM_OK);
    if (plan == CUT_ALL || plan == CUT_TORN) {
        faultvfs_restore(disk);
    }
    check_recovery(s, sweep, acknowledged);
    script_free(s);
    faultvfs_free(disk);
    return happened;
}

static void sweep_operations(const struct sweep *sweep, enum plan plan)
{
    uint64_t step = gm_env_z("GEMEL_LONG") != NULL ? 1 : sweep->operations / SAMPLES_MAX + 1;
    uint64_t tried = 0;
    for (uint64_t at = 1 + sweep->offset % step; at <= sweep->operations; at += step) {
        /* Which operation comes when depends on the threads; the last ones may not come at all. */
        tried += try_once(sweep, plan, at);
    }
    assert_true(tried > SAMPLES_MAX / 3);
}

static int setup(void **state)
{
    static struct sweep sweep;
    struct faultvfs *disk = faultvfs_new(disk_name_z);
    struct script *s = script_new();
    int64_t acknowledged;
    const char *seed_z = gm_env_z("GEMEL_SEED");
    gm_random_bytes(&sweep.offset, sizeof(sweep.offset));
    int64_t seed = (int64_t)(sweep.offset % 1000);
    assert_true(seed_z == NULL || gm_parse_i64(gm_str_z(seed_z), &seed));
    sweep.offset = (uint64_t)seed;
    s->vfs_z = disk_name_z;
    check_ok(run_pass(s, &acknowledged), s->err);
    script_close(s);
    sweep.operations = faultvfs_operations(disk);
    s->vfs_z = NULL;
    sweep.expected_z = gm_str_dup_z(script_graph(s));
    script_free(s);
    faultvfs_free(disk);
    print_message("%llu operations; repeat with GEMEL_SEED=%llu\n",
                  (unsigned long long)sweep.operations, (unsigned long long)sweep.offset);
    *state = &sweep;
    return 0;
}

static int teardown(void **state)
{
    gm_free((void *)(uintptr_t)((struct sweep *)*state)->expected_z);
    return 0;
}

static void a_write_or_sync_that_fails_stops_the_run_and_the_next_start_mends_it(void **state)
{
    sweep_operations(*state, FAIL_IO);
}

static void a_full_disk_stops_the_run_and_the_next_start_mends_it(void **state)
{
    sweep_operations(*state, FILL);
}

static void a_power_cut_loses_nothing_that_was_acknowledged(void **state)
{
    sweep_operations(*state, CUT_ALL);
}

static void a_power_cut_with_torn_writes_loses_nothing_that_was_acknowledged(void **state)
{
    sweep_operations(*state, CUT_TORN);
}

/* The undisturbed pass is what a store of the last rows alone would hold. */
static void the_pass_makes_the_graph_of_its_last_rows(void **state)
{
    const struct sweep *sweep = *state;
    struct script *s = script_new();
    show(s, RUNS - 1);
    check_ok(script_run(s), s->err);
    check_str(script_graph(s), sweep->expected_z);
    script_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pass_makes_the_graph_of_its_last_rows),
        cmocka_unit_test(a_write_or_sync_that_fails_stops_the_run_and_the_next_start_mends_it),
        cmocka_unit_test(a_full_disk_stops_the_run_and_the_next_start_mends_it),
        cmocka_unit_test(a_power_cut_loses_nothing_that_was_acknowledged),
        cmocka_unit_test(a_power_cut_with_torn_writes_loses_nothing_that_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
