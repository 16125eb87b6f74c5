#include "base/metrics.h"

#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "os/thread.h"
#include "support/check.h"

static struct gm_buf exposition(void)
{
    struct gm_buf out;
    gm_buf_init(&out, 1 << 20);
    gm_metrics_write(&out);
    assert_false(gm_buf_failed(&out));
    return out;
}

static void check_exposed(const char *line_z)
{
    struct gm_buf out = exposition();
    if (strstr(out.p, line_z) == NULL) {
        fail_msg("%s is not in\n%s", line_z, out.p);
    }
    gm_buf_deinit(&out);
}

static void every_family_has_a_proper_name_type_and_help(void **state)
{
    (void)state;
    for (int i = 0; i < GM_METRIC_COUNT; i++) {
        const struct gm_metric_info *info = gm_metric_info((enum gm_metric)i);
        struct gm_str name = gm_str_z(info->name_z);
        bool counter = strcmp(info->type_z, "counter") == 0;
        assert_true(gm_str_starts(name, GM_STR("gemel_")));
        assert_true(counter || strcmp(info->type_z, "gauge") == 0);
        assert_int_equal(gm_str_ends(name, GM_STR("_total")), counter);
        assert_true(gm_str_ends(gm_str_z(info->help_z), GM_STR(".")));
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(info->name_z, gm_metric_info((enum gm_metric)j)->name_z);
        }
    }
}

static void families_without_a_label_are_zero_from_the_start(void **state)
{
    (void)state;
    check_exposed("# HELP gemel_store_commits_total Commits of the store.\n# TYPE "
                  "gemel_store_commits_total counter\n"
                  "gemel_store_commits_total 0\n");
    gm_metric_add(GM_M_STORE_COMMITS, GM_STR(""), 2);
    gm_metric_add(GM_M_STORE_COMMITS, GM_STR("ignored"), 1);
    check_exposed("\ngemel_store_commits_total 3\n");
    assert_true(gm_metric_get(GM_M_STORE_COMMITS, GM_STR("")) == 3);
}

static void samples_are_added_and_set_by_label_and_exposed_in_order(void **state)
{
    (void)state;
    gm_metric_add(GM_M_RECORDS_READ, GM_STR("suppliers"), 29);
    gm_metric_add(GM_M_RECORDS_READ, GM_STR("products"), 70);
    gm_metric_add(GM_M_RECORDS_READ, GM_STR("products"), 7);
    assert_true(gm_metric_get(GM_M_RECORDS_READ, GM_STR("products")) == 77);
    assert_true(gm_metric_get(GM_M_RECORDS_READ, GM_STR("unknown")) == 0);
    check_exposed("gemel_records_read_total{pipeline=\"products\"} 77\n"
                  "gemel_records_read_total{pipeline=\"suppliers\"} 29\n");
    gm_metric_set(GM_M_RUN_LAST_SECONDS, GM_STR("products"), 1.25);
    gm_metric_set(GM_M_RUN_LAST_SECONDS, GM_STR("products"), 0.5);
    check_exposed("gemel_run_last_duration_seconds{pipeline=\"products\"} 0.5\n");
}

static void labels_are_escaped_and_values_follow_the_format(void **state)
{
    (void)state;
    gm_metric_set(GM_M_DEAD_LETTERS, GM_STR("a\"b\\c\nd"), 1e20);
    gm_metric_set(GM_M_DEAD_LETTERS, GM_STR("inf"), (double)INFINITY);
    gm_metric_set(GM_M_DEAD_LETTERS, GM_STR("nan"), (double)NAN);
    check_exposed("gemel_dead_letters{pipeline=\"a\\\"b\\\\c\\nd\"} 1e20\n");
    check_exposed("gemel_dead_letters{pipeline=\"inf\"} +Inf\n");
    check_exposed("gemel_dead_letters{pipeline=\"nan\"} NaN\n");
}

static void labels_above_the_bound_are_counted_as_other(void **state)
{
    (void)state;
    for (int i = 0; i < GM_METRIC_LABELS_MAX + 50; i++) {
        char label[32];
        int n = snprintf(label, sizeof(label), "p%d", i);
        gm_metric_add(GM_M_RUNS_STARTED, (struct gm_str){label, (size_t)n}, 1);
    }
    gm_metric_add(GM_M_RUNS_STARTED, GM_STR("p0"), 1);
    assert_true(gm_metric_get(GM_M_RUNS_STARTED, GM_STR("p0")) == 2);
    assert_true(gm_metric_get(GM_M_RUNS_STARTED, GM_STR("other")) == 50);
    check_exposed("gemel_runs_started_total{pipeline=\"other\"} 50\n");
}

static void add_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < 10000; i++) {
        gm_metric_add(GM_M_RECORDS_CREATED, GM_STR("shared"), 1);
    }
}

static void threads_do_not_lose_counts(void **state)
{
    (void)state;
    struct gm_thread *threads[4];
    struct gm_err err = {0};
    for (size_t i = 0; i < GM_ARRAY_COUNT(threads); i++) {
        check_ok(gm_thread_start("adder", add_many, NULL, &threads[i], &err), err);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(threads); i++) {
        gm_thread_join(threads[i]);
    }
    assert_true(gm_metric_get(GM_M_RECORDS_CREATED, GM_STR("shared")) == 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_has_a_proper_name_type_and_help),
        cmocka_unit_test(families_without_a_label_are_zero_from_the_start),
        cmocka_unit_test(samples_are_added_and_set_by_label_and_exposed_in_order),
        cmocka_unit_test(labels_are_escaped_and_values_follow_the_format),
        cmocka_unit_test(labels_above_the_bound_are_counted_as_other),
        cmocka_unit_test(threads_do_not_lose_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
