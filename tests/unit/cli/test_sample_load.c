#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/vec.h"
#include "cli/sample.h"
#include "cli/sample_check.h"
#include "cli/sample_load.h"
#include "support/check.h"

/* Readings as lines, which tests drop, repeat, alter and move. */
struct sent {
    struct gm_load_options options;
    struct gm_load *load;
    GM_VEC(char *) lines;
};

static struct gm_load_options usual(void)
{
    return (struct gm_load_options){.seed = 7,
                                    .company_seed = GM_SAMPLE_SEED,
                                    .scale = 0.01,
                                    .events = 5000,
                                    .start = 1767225600 * GM_SECOND,
                                    .interval = GM_SECOND,
                                    .late_max = 20 * GM_SECOND};
}

static struct sent *send(struct gm_load_options options)
{
    struct gm_err err = {0};
    struct gm_load_event event;
    struct gm_buf line;
    struct sent *sent = gm_alloc(sizeof(*sent));
    sent->options = options;
    check_ok(gm_load_new(&options, &sent->load, &err), err);
    gm_buf_init(&line, GM_LOAD_LINE_SIZE_MAX + 1);
    while (gm_load_next(sent->load, &event)) {
        gm_buf_reset(&line);
        gm_load_write(sent->load, &event, &line);
        *gm_vec_push(&sent->lines) = gm_str_dup_z(gm_buf_str(&line));
    }
    gm_buf_deinit(&line);
    return sent;
}

static void sent_free(struct sent *sent)
{
    for (size_t i = 0; i < sent->lines.n; i++) {
        gm_free(sent->lines.at[i]);
    }
    gm_vec_deinit(&sent->lines);
    gm_load_free(sent->load);
    gm_free(sent);
}

static struct gm_load_found look(struct sent *sent, bool *out_fine)
{
    struct gm_load_found found;
    struct gm_load_check *check = gm_load_check_new(sent->load, &sent->options, true);
    for (size_t i = 0; i < sent->lines.n; i++) {
        if (sent->lines.at[i] != NULL) {
            gm_load_check_add(check, gm_str_z(sent->lines.at[i]));
        }
    }
    *out_fine = gm_load_check_end(check, &found);
    gm_load_found_free(&found);
    gm_load_check_free(check);
    return found;
}

static void what_was_sent_is_found_as_it_was_sent(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    struct gm_load_found found = look(sent, &fine);
    assert_true(fine);
    assert_int_equal(found.expected, 5000);
    assert_int_equal(found.arrived, 5000);
    sent_free(sent);
}

static void a_dropped_reading_is_found(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    gm_free(sent->lines.at[1234]);
    sent->lines.at[1234] = NULL;
    struct gm_load_found found = look(sent, &fine);
    assert_false(fine);
    assert_int_equal(found.missing, 1);
    assert_int_equal(found.duplicates + found.altered + found.strange + found.newest_wrong, 0);
    sent_free(sent);
}

static void a_dropped_newest_reading_is_missed_by_its_sensor(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    gm_free(sent->lines.at[4999]);
    sent->lines.at[4999] = NULL;
    struct gm_load_found found = look(sent, &fine);
    assert_int_equal(found.missing, 1);
    assert_int_equal(found.newest_wrong, 1);
    sent_free(sent);
}

static void a_repeated_reading_is_found(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    char *again = gm_strdup_z(sent->lines.at[4321]);
    *gm_vec_push(&sent->lines) = again;
    struct gm_load_found found = look(sent, &fine);
    assert_false(fine);
    assert_int_equal(found.duplicates, 1);
    assert_int_equal(found.missing + found.altered + found.strange + found.disordered, 0);
    sent_free(sent);
}

static void an_altered_reading_is_found(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    char *value = strstr(sent->lines.at[42], "\"value\":") + 8;
    *value = *value == '9' ? '1' : (char)(*value + 1);
    struct gm_load_found found = look(sent, &fine);
    assert_false(fine);
    assert_int_equal(found.altered, 1);
    assert_int_equal(found.missing, 1); /* the true one did not come */
    sent_free(sent);
}

static void readings_that_changed_places_are_found(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    size_t sensors = gm_load_sensor_count(sent->load);
    char *first = sent->lines.at[10];
    sent->lines.at[10] = sent->lines.at[10 + sensors];
    sent->lines.at[10 + sensors] = first;
    struct gm_load_found found = look(sent, &fine);
    assert_false(fine);
    assert_int_equal(found.disordered, 1);
    assert_int_equal(found.missing + found.altered + found.duplicates, 0);
    sent_free(sent);
}

static void a_reading_that_nobody_sent_is_found(void **state)
{
    bool fine;
    (void)state;
    struct sent *sent = send(usual());
    *gm_vec_push(&sent->lines) = gm_strdup_z("{\"sensor\":\"sensor-1-T\",\"sequence\":1}");
    *gm_vec_push(&sent->lines) = gm_strdup_z("{\"sensor\":\"sensor-10001-T\",\"sequence\":999999}");
    *gm_vec_push(&sent->lines) = gm_strdup_z("no JSON");
    struct gm_load_found found = look(sent, &fine);
    assert_false(fine);
    assert_int_equal(found.strange, 3);
    sent_free(sent);
}

/* Numbers go on from start to start, so that a stream takes the readings of each; and who checks
 * one of them passes over the others. */
static void readings_of_another_start_are_passed_over(void **state)
{
    (void)state;
    for (int later = 0; later < 2; later++) {
        bool fine;
        struct gm_load_options options = usual();
        options.start += 60 * GM_SECOND;
        struct sent *first = send(options);
        options.start += later == 1 ? 10 * GM_SECOND : -10 * GM_SECOND;
        struct sent *other = send(options);
        for (size_t i = 0; i < other->lines.n; i++) {
            *gm_vec_push(&first->lines) = gm_strdup_z(other->lines.at[i]);
        }
        struct gm_load_found found = look(first, &fine);
        assert_true(fine);
        assert_int_equal(found.arrived, 5000);
        assert_int_equal(found.others, 5000);
        sent_free(first);
        sent_free(other);
    }
}

static void a_load_with_every_fault_is_known_to_the_checker(void **state)
{
    bool fine;
    (void)state;
    struct gm_load_options options = usual();
    options.reorder = options.late = options.missing = options.spikes = options.stuck = 0.05;
    struct sent *sent = send(options);
    struct gm_load_found found = look(sent, &fine);
    assert_true(fine);
    assert_in_range(found.expected, 4600, 4900); /* 5 % are missing */
    sent_free(sent);
}

static void repeated_readings_are_about_as_many_as_asked_for(void **state)
{
    bool fine;
    (void)state;
    struct gm_load_options options = usual();
    options.events = 200000;
    options.duplicates = 0.001;
    struct sent *sent = send(options);
    struct gm_load_found found = look(sent, &fine);
    assert_int_equal(found.missing + found.altered + found.strange, 0);
    assert_in_range(found.duplicates, 140, 260);
    sent_free(sent);
}

static void the_same_seed_gives_the_same_readings_and_another_one_others(void **state)
{
    (void)state;
    struct gm_load_options options = usual();
    struct sent *a = send(options), *b = send(options);
    options.seed = 8;
    struct sent *c = send(options);
    size_t same = 0;
    for (size_t i = 0; i < a->lines.n; i++) {
        assert_string_equal(a->lines.at[i], b->lines.at[i]);
        same += strcmp(a->lines.at[i], c->lines.at[i]) == 0;
    }
    assert_true(same < a->lines.n / 10);
    sent_free(a);
    sent_free(b);
    sent_free(c);
}

static void a_row_of_a_view_must_show_the_newest_reading(void **state)
{
    (void)state;
    struct gm_load_options options = usual();
    options.late = 0.2;
    struct sent *sent = send(options);
    struct gm_load_found found;
    size_t sensors = gm_load_sensor_count(sent->load);
    for (int wrong = 0; wrong < 2; wrong++) {
        struct gm_load_check *check = gm_load_check_new(sent->load, &sent->options, true);
        for (size_t s = 0; s < sensors; s++) { /* the newest by time: late ones come later */
            const char *newest_z = NULL, *time_z = "";
            for (size_t i = s; i < sent->lines.n; i += sensors) {
                const char *at_z = strstr(sent->lines.at[i], "\"time\":");
                if (strncmp(at_z, time_z, 32) > 0) {
                    newest_z = sent->lines.at[i];
                    time_z = at_z;
                }
            }
            newest_z = wrong && s == 3 ? sent->lines.at[s] : newest_z;
            gm_load_check_row(check, gm_str_z(newest_z));
        }
        assert_int_equal(gm_load_check_end(check, &found), !wrong);
        assert_int_equal(found.newest_wrong, wrong);
        gm_load_found_free(&found);
        gm_load_check_free(check);
    }
    sent_free(sent);
}

static void values_are_distributed_as_the_scenario_has_it(void **state)
{
    struct gm_err err = {0};
    struct gm_load *load;
    struct gm_load_event event;
    struct gm_load_options options = usual();
    double sum = 0, squares = 0;
    int64_t plain = 0, dips = 0, spikes = 0, advised = 0, all = 0;
    (void)state;
    options.events = 500000;
    check_ok(gm_load_new(&options, &load, &err), err);
    while (gm_load_next(load, &event)) {
        const char *id_z = gm_load_sensor(load, event.sensor)->id_z;
        advised += event.maintenance > 0;
        if (id_z[strlen(id_z) - 1] != 'T') {
            continue;
        }
        double v = (double)event.hundredths / 100;
        all++;
        dips += v < 42;
        spikes += v > 75;
        if (v >= 42 && v <= 75) {
            plain++;
            sum += v;
            squares += v * v;
        }
    }
    double mean = sum / (double)plain;
    double deviation = sqrt(squares / (double)plain - mean * mean);
    assert_true(fabs(mean - 55) < 0.05);
    assert_true(fabs(deviation - 2.4) < 0.05);
    assert_true(fabs((double)dips / (double)all - 0.03) < 0.003);
    assert_true(fabs((double)spikes / (double)all - 0.03) < 0.003);
    /* every dip and spike of a pressure asks for something: 6 % of a fifth of the readings */
    assert_in_range(advised, 4500, 7500);
    gm_load_free(load);
}

static void sensors_are_those_of_the_sample_company(void **state)
{
    struct gm_err err = {0};
    struct gm_load *load;
    struct gm_load_options options = usual();
    size_t index;
    (void)state;
    options.scale = 1;
    check_ok(gm_load_new(&options, &load, &err), err);
    assert_in_range(gm_load_sensor_count(load), 49000, 51000);
    assert_true(gm_load_find(load, GM_STR("sensor-10001-T"), &index));
    assert_int_equal(index, 0);
    assert_true(gm_load_find(load, GM_STR("sensor-20000-P"), &index));
    assert_false(gm_load_find(load, GM_STR("sensor-20001-P"), &index));
    gm_load_free(load);
    options.sensors = 10;
    check_ok(gm_load_new(&options, &load, &err), err);
    assert_int_equal(gm_load_sensor_count(load), 10);
    gm_load_free(load);
    options.sensors = 60000;
    check_rc(gm_load_new(&options, &load, &err), GM_E_CONFIG, err);
    check_err_says(err, "--scale");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_is_found_as_it_was_sent),
        cmocka_unit_test(a_dropped_reading_is_found),
        cmocka_unit_test(a_dropped_newest_reading_is_missed_by_its_sensor),
        cmocka_unit_test(a_repeated_reading_is_found),
        cmocka_unit_test(an_altered_reading_is_found),
        cmocka_unit_test(readings_that_changed_places_are_found),
        cmocka_unit_test(a_reading_that_nobody_sent_is_found),
        cmocka_unit_test(readings_of_another_start_are_passed_over),
        cmocka_unit_test(a_load_with_every_fault_is_known_to_the_checker),
        cmocka_unit_test(repeated_readings_are_about_as_many_as_asked_for),
        cmocka_unit_test(the_same_seed_gives_the_same_readings_and_another_one_others),
        cmocka_unit_test(a_row_of_a_view_must_show_the_newest_reading),
        cmocka_unit_test(values_are_distributed_as_the_scenario_has_it),
        cmocka_unit_test(sensors_are_those_of_the_sample_company),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
