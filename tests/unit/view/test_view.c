/* Views: what they hold follows from the events alone. */
#include "view/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/vec.h"
#include "os/file.h"
#include "support/check.h"
#include "support/tmp.h"

#define ALL_AGGREGATES                                                                             \
    (GM_AGG_COUNT | GM_AGG_SUM | GM_AGG_MEAN | GM_AGG_MIN | GM_AGG_MAX | GM_AGG_STDDEV |           \
     GM_AGG_FIRST | GM_AGG_LAST | GM_AGG_QUANTILES)

static const struct gm_view_value values[] = {
    {.name = {"t", 1}, .path = {"machine.t", 9}, .aggregates = ALL_AGGREGATES},
    {.name = {"p", 1}, .path = {"p", 1}, .aggregates = GM_AGG_COUNT | GM_AGG_MAX},
};

struct world {
    struct tmp *tmp;
    struct gm_view_spec spec;
    struct gm_view_options options;
    struct gm_view *view;
    struct gm_arena *arena;
    GM_VEC(struct gm_event) events; /* all that were folded, by partition 0 */
    struct gm_buf text;
    struct gm_err err;
};

static int setup(void **state)
{
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->arena = gm_arena_new(1 << 30);
    gm_buf_init(&world->text, 64 << 20);
    world->spec = (struct gm_view_spec){.name = GM_STR("v"),
                                        .by = GM_STR("$key"),
                                        .size = 10,
                                        .values = values,
                                        .value_count = 2,
                                        .quantiles = {0.5},
                                        .quantile_count = 1};
    world->options = (struct gm_view_options){
        .spec = &world->spec, .path_z = gm_strdup_z(tmp_path(world->tmp, "v.db")), .partitions = 1};
    *state = world;
    return 0;
}

static void close_view(struct world *world)
{
    gm_view_close(world->view);
    world->view = NULL;
}

static int teardown(void **state)
{
    struct world *world = *state;
    close_view(world);
    gm_free((char *)(uintptr_t)world->options.path_z);
    gm_vec_deinit(&world->events);
    gm_buf_deinit(&world->text);
    gm_arena_free(world->arena);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static void open_view(struct world *world)
{
    check_ok(gm_view_open(&world->options, &world->view, &world->err), world->err);
}

/* One event of partition 0. */
static void fold(struct world *world, const char *key_z, gm_ns time, const char *body_z)
{
    struct gm_event *event = gm_vec_push(&world->events);
    *event = (struct gm_event){.key = gm_arena_dup(world->arena, gm_str_z(key_z)),
                               .time = time,
                               .offset = (int64_t)world->events.n - 1,
                               .body = gm_arena_dup(world->arena, gm_str_z(body_z))};
    const struct gm_view_slice slice = {0, event, 1};
    check_ok(gm_view_fold(world->view, &slice, &world->err), world->err);
}

static void fold_t(struct world *world, const char *key_z, gm_ns time, double t)
{
    char body[128];
    snprintf(body, sizeof(body), "{\"machine\":{\"t\":%.17g}}", t);
    fold(world, key_z, time, body);
}

static gm_rc add_line(void *ctx, struct gm_str json, struct gm_err *err)
{
    (void)err;
    gm_buf_add(ctx, json);
    gm_buf_add_char(ctx, '\n');
    return GM_OK;
}

/* Rows, a line each; the text lives until the next call. */
static struct gm_str rows(struct world *world, struct gm_view_query query)
{
    struct gm_buf next;
    gm_buf_init(&next, 4096);
    gm_buf_reset(&world->text);
    gm_buf_add_z(&world->text, "");
    query.ctx = &world->text;
    query.row = add_line;
    query.next = &next;
    check_ok(gm_view_query(world->view, &query, &world->err), world->err);
    gm_buf_deinit(&next);
    return gm_buf_str(&world->text);
}

static gm_rc add_bytes(void *ctx, struct gm_str bytes, struct gm_err *err)
{
    (void)err;
    gm_buf_add(ctx, bytes);
    return GM_OK;
}

static struct gm_str dump(struct world *world)
{
    gm_buf_reset(&world->text);
    check_ok(gm_view_dump(world->view, add_bytes, &world->text, &world->err), world->err);
    return gm_arena_dup(world->arena, gm_buf_str(&world->text));
}

/* ---- aggregates ---- */

static void a_window_has_its_aggregates(void **state)
{
    struct world *world = *state;
    open_view(world);
    fold_t(world, "m", 3, 4);
    fold_t(world, "m", 9, 1);
    fold_t(world, "m", 1, 7);
    fold(world, "m", 5, "{\"p\":-2,\"machine\":null}");
    fold(world, "m", 12, "{\"machine\":{\"t\":\"no number\"}}");
    fold(world, "m", 13, "[1,2]");
    check_str(rows(world, (struct gm_view_query){.to = 10}),
              "{\"key\":\"m\",\"start\":\"1970-01-01T00:00:00Z\",\"end\":"
              "\"1970-01-01T00:00:00.00000001Z\",\"closed\":true,\"corrections\":0,"
              "\"t\":{\"count\":3,\"sum\":12.0,\"mean\":4.0,\"min\":1.0,\"max\":7.0,"
              "\"stddev\":2.449489742783178,\"first\":7.0,\"last\":1.0,\"p50\":4.014835333028612},"
              "\"p\":{\"count\":1,\"max\":-2.0}}\n");
}

static void hopping_windows_overlap(void **state)
{
    struct world *world = *state;
    world->spec.size = 20;
    world->spec.hop = 5;
    open_view(world);
    fold_t(world, "m", 12, 1);
    gm_ns start = -5;
    for (int i = 0; i < 4; i++, start += 5) {
        struct gm_str got =
            rows(world, (struct gm_view_query){.from = start == 0 ? 1 : start, .to = start + 1});
        assert_true(start == 0 || got.n > 0);
    }
    assert_int_equal(rows(world, (struct gm_view_query){.to = -5}).n, 0);
    assert_int_equal(rows(world, (struct gm_view_query){.from = 11}).n, 0);
}

static void late_events_correct_windows_that_were_closed(void **state)
{
    struct world *world = *state;
    world->spec.lateness = 5;
    world->spec.keep = 100;
    open_view(world);
    fold_t(world, "m", 3, 1);
    fold_t(world, "m", 14, 1);
    fold_t(world, "m", 4, 2); /* the watermark is at 9: still open */
    fold_t(world, "m", 40, 1);
    check_ok(gm_view_checkpoint(world->view, &world->err), world->err);
    fold_t(world, "m", 5, 3);
    struct gm_str got = rows(world, (struct gm_view_query){.to = 10});
    assert_non_null(strstr(got.p, "\"closed\":true,\"corrections\":1,\"t\":{\"count\":3"));
    fold_t(world, "m", 1000, 1);
    fold_t(world, "m", 5, 4); /* gone */
    struct gm_view_info info;
    gm_view_info(world->view, &info);
    assert_int_equal(info.late, 1);
    assert_int_equal(info.watermark, 995);
    assert_int_equal(rows(world, (struct gm_view_query){.to = 10}).n, 0);
}

static void the_latest_value_is_the_newest_by_its_own_time(void **state)
{
    struct world *world = *state;
    world->spec.size = 0;
    open_view(world);
    fold(world, "b", 7 * GM_SECOND, "{\"machine\":{\"t\":1.5},\"p\":\"on \\\"it\\\"\"}");
    fold(world, "b", 6 * GM_SECOND, "{\"machine\":{\"t\":9},\"p\":true}");
    fold(world, "a", 1 * GM_SECOND, "{\"p\":12345678901234567}");
    fold(world, "b", 8 * GM_SECOND, "{\"p\":null}");
    const char *expected_z =
        "{\"key\":\"a\",\"p\":{\"value\":12345678901234567,\"time\":\"1970-01-01T00:00:01Z\"}}\n"
        "{\"key\":\"b\",\"t\":{\"value\":1.5,\"time\":\"1970-01-01T00:00:07Z\"},"
        "\"p\":{\"value\":null,\"time\":\"1970-01-01T00:00:08Z\"}}\n";
    check_str(rows(world, (struct gm_view_query){0}), expected_z);
    check_ok(gm_view_checkpoint(world->view, &world->err), world->err);
    close_view(world);
    open_view(world);
    check_str(rows(world, (struct gm_view_query){0}), expected_z);
    fold(world, "b", 7 * GM_SECOND, "{\"p\":\"older than null\"}");
    check_str(rows(world, (struct gm_view_query){0}), expected_z);
}

static void pages_go_through_all_rows_once(void **state)
{
    struct world *world = *state;
    open_view(world);
    for (int i = 0; i < 100; i++) {
        char key[16];
        snprintf(key, sizeof(key), "k%d", i % 10);
        fold_t(world, key, i, i);
    }
    GM_AUTO_FREE char *all_z = gm_str_dup_z(rows(world, (struct gm_view_query){0}));
    struct gm_buf pages, next;
    gm_buf_init(&pages, 1 << 20);
    gm_buf_init(&next, 4096);
    struct gm_str after = {NULL, 0};
    do {
        gm_buf_reset(&next);
        const struct gm_view_query query = {
            .after = after, .limit = 7, .ctx = &pages, .row = add_line, .next = &next};
        check_ok(gm_view_query(world->view, &query, &world->err), world->err);
        after = gm_arena_dup(world->arena, next.n > 0 ? gm_buf_str(&next) : GM_STR(""));
    } while (next.n > 0);
    check_str(gm_buf_str(&pages), all_z);
    gm_buf_deinit(&pages);
    gm_buf_deinit(&next);
    struct gm_str one = rows(world, (struct gm_view_query){.key = GM_STR("k3"), .to = 30});
    int lines = 0;
    for (size_t i = 0; i < one.n; i++) {
        lines += one.p[i] == '\n';
    }
    assert_int_equal(lines, 3);
}

/* ---- the same, however it came about ---- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* `n` events: time goes on, with jitter and some that are far behind. */
static void make_events(struct world *world, int n)
{
    uint32_t seed = 7;
    for (int i = 0; i < n; i++) {
        gm_ns time = i / 4 + (gm_ns)(next_random(&seed) % 9);
        time -= next_random(&seed) % 50 == 0 ? 200 : 0;
        *gm_vec_push(&world->events) = (struct gm_event){
            .key = gm_arena_format(world->arena, "k%u", next_random(&seed) % 700),
            .time = time,
            .offset = i,
            .body = gm_arena_format(world->arena, "{\"machine\":{\"t\":%.3f},\"p\":%d}",
                                    (double)(next_random(&seed) % 100000) / 7 - 3000, i % 11)};
    }
}

static void fold_from(struct world *world, size_t *at, size_t count)
{
    size_t n = world->events.n - *at < count ? world->events.n - *at : count;
    const struct gm_view_slice slice = {0, world->events.at + *at, n};
    check_ok(gm_view_fold(world->view, &slice, &world->err), world->err);
    *at += n;
}

static void remove_file(struct world *world)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        GM_AUTO_FREE char *path_z = gm_format_z("%s%s", world->options.path_z, suffixes[i]);
        check_ok(gm_file_remove(path_z, &world->err), world->err);
    }
}

static struct gm_str fold_all_at_once(struct world *world)
{
    size_t at = 0;
    remove_file(world);
    open_view(world);
    fold_from(world, &at, world->events.n);
    struct gm_str text = dump(world);
    close_view(world);
    remove_file(world);
    return text;
}

static void checkpoints_and_ends_of_the_process_change_nothing(void **state)
{
    struct world *world = *state;
    static const gm_ns hops[] = {0, 5, 0};
    static const gm_ns sizes[] = {10, 15, 0};
    make_events(world, 6000);
    for (size_t round = 0; round < GM_ARRAY_COUNT(sizes); round++) {
        world->spec.size = sizes[round];
        world->spec.hop = hops[round];
        world->spec.lateness = 4;
        world->spec.keep = round == 1 ? 300 : 0;
        struct gm_str expected = fold_all_at_once(world);
        uint32_t seed = (uint32_t)round + 1;
        size_t at = 0;
        open_view(world);
        while (at < world->events.n) {
            fold_from(world, &at, 1 + next_random(&seed) % 300);
            if (next_random(&seed) % 3 == 0) {
                check_ok(gm_view_checkpoint(world->view, &world->err), world->err);
            }
            if (next_random(&seed) % 5 == 0) { /* what was not saved is folded again */
                close_view(world);
                open_view(world);
                at = (size_t)gm_view_next(world->view, 0);
            }
        }
        struct gm_str got = dump(world);
        assert_int_equal(got.n, expected.n);
        assert_memory_equal(got.p, expected.p, got.n);
        check_ok(gm_view_checkpoint(world->view, &world->err), world->err);
        close_view(world);
        open_view(world);
        got = dump(world);
        assert_int_equal(got.n, expected.n);
        assert_memory_equal(got.p, expected.p, got.n);
        close_view(world);
    }
}

/* An aggregate recomputed the plain way, from all events. */
static void rows_equal_an_independent_recomputation(void **state)
{
    struct world *world = *state;
    make_events(world, 3000);
    size_t at = 0;
    open_view(world);
    fold_from(world, &at, world->events.n);
    for (int k = 0; k < 700; k += 37) {
        GM_AUTO_FREE char *key_z = gm_format_z("k%d", k);
        for (gm_ns start = 0; start < 700; start += 10) {
            int64_t count = 0;
            for (size_t i = 0; i < world->events.n; i++) {
                const struct gm_event *event = &world->events.at[i];
                count += gm_str_is(event->key, key_z) && event->time >= start &&
                         event->time < start + 10;
            }
            struct gm_str got = rows(world, (struct gm_view_query){.key = gm_str_z(key_z),
                                                                   .from = start == 0 ? -9 : start,
                                                                   .to = start + 1});
            GM_AUTO_FREE char *says_z = gm_format_z("\"t\":{\"count\":%lld,", (long long)count);
            if (start > 0) {
                assert_true(count == 0 ? got.n == 0 : strstr(got.p, says_z) != NULL);
            }
        }
    }
}

static void a_view_of_other_settings_is_refused(void **state)
{
    struct world *world = *state;
    open_view(world);
    check_ok(gm_view_checkpoint(world->view, &world->err), world->err);
    close_view(world);
    world->spec.size = 20;
    check_rc(gm_view_open(&world->options, &world->view, &world->err), GM_E_CONFLICT, world->err);
}

/* ---- groups ---- */

/* A sensor belongs to the line of its first letter; they are renamed now and then. */
struct plant {
    int generation;
    int asked;
};

static gm_rc line_of(void *ctx, struct gm_str key, struct gm_buf *out, struct gm_err *err)
{
    (void)err;
    struct plant *plant = ctx;
    plant->asked++;
    if (key.p[0] != 'x') {
        gm_buf_addf(out, "line-%c-%d", key.p[0], plant->generation);
    }
    return GM_OK;
}

static void keys_count_for_what_they_belong_to_then(void **state)
{
    struct world *world = *state;
    struct plant plant = {0};
    world->options.group_of = line_of;
    world->options.ctx = &plant;
    world->spec.group = GM_STR("the line of its first letter");
    open_view(world);
    fold_t(world, "a1", 1, 10);
    fold_t(world, "a2", 2, 20);
    fold_t(world, "x1", 3, 30);
    fold_t(world, "a1", 4, 40);
    assert_int_equal(plant.asked, 3);
    plant.generation = 1;
    gm_view_regroup(world->view);
    fold_t(world, "a1", 5, 50);
    struct gm_str expected = dump(world);
    assert_non_null(strstr(expected.p, "\"key\":\"line-a-0\""));
    assert_non_null(strstr(expected.p, "\"t\":{\"count\":3,\"sum\":70.0"));
    assert_non_null(strstr(expected.p, "\"key\":\"line-a-1\""));
    struct gm_view_info info;
    gm_view_info(world->view, &info);
    assert_int_equal(info.ungrouped, 1);
    check_ok(gm_view_checkpoint(world->view, &world->err), world->err);
    /* made anew, while the old one is there: what keys belonged to is not asked again */
    struct gm_view *old = world->view;
    GM_AUTO_FREE char *old_path_z = gm_strdup_z(world->options.path_z);
    struct gm_view_options options = world->options;
    options.groups_from_z = old_path_z;
    options.path_z = tmp_path(world->tmp, "new.db");
    plant = (struct plant){.generation = 9};
    check_ok(gm_view_open(&options, &world->view, &world->err), world->err);
    const struct gm_view_slice slice = {0, world->events.at, world->events.n};
    check_ok(gm_view_fold(world->view, &slice, &world->err), world->err);
    struct gm_str got = dump(world);
    check_str(got, expected.p);
    gm_view_close(old);
}

static void what_keys_belonged_to_holds_through_a_crash(void **state)
{
    struct world *world = *state;
    struct plant plant = {0};
    world->options.group_of = line_of;
    world->options.ctx = &plant;
    world->spec.group = GM_STR("the line of its first letter");
    open_view(world);
    fold_t(world, "a1", 1, 10);
    check_ok(gm_view_keep_groups(world->view, &world->err), world->err);
    plant.generation = 1;
    gm_view_regroup(world->view);
    fold_t(world, "a1", 2, 20);
    fold_t(world, "b1", 3, 30);
    check_ok(gm_view_keep_groups(world->view, &world->err), world->err);
    struct gm_str expected = dump(world);
    close_view(world); /* nothing was saved */
    plant = (struct plant){.generation = 2};
    const int64_t ends[] = {(int64_t)world->events.n};
    world->options.ends = ends;
    open_view(world);
    const struct gm_view_slice slice = {0, world->events.at, world->events.n};
    check_ok(gm_view_fold(world->view, &slice, &world->err), world->err);
    assert_int_equal(plant.asked, 0);
    check_str(dump(world), expected.p);
    fold_t(world, "b1", 4, 40); /* behind the end as it was: asked again */
    assert_int_equal(plant.asked, 1);
    assert_non_null(strstr(dump(world).p, "\"key\":\"line-b-2\""));
}

/* ---- partitions ---- */

static void partitions_merge_in_their_order(void **state)
{
    struct world *world = *state;
    world->options.partitions = 3;
    struct plant plant = {0};
    world->options.group_of = line_of;
    world->options.ctx = &plant;
    open_view(world);
    struct gm_str texts[2];
    static const int orders[2][3] = {{0, 1, 2}, {2, 0, 1}};
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 3; i++) {
            int p = orders[round][i];
            struct gm_event events[20];
            for (int e = 0; e < 20; e++) {
                events[e] = (struct gm_event){.key = GM_STR("a"),
                                              .offset = e,
                                              .time = e % 7,
                                              .body = gm_arena_format(world->arena,
                                                                      "{\"machine\":{\"t\":%d.1}}",
                                                                      100 * p + e * e)};
            }
            const struct gm_view_slice slice = {p, events, 20};
            check_ok(gm_view_fold(world->view, &slice, &world->err), world->err);
        }
        texts[round] = dump(world);
        close_view(world);
        remove_file(world);
        open_view(world);
    }
    check_str(texts[1], texts[0].p);
    assert_non_null(strstr(texts[0].p, "\"t\":{\"count\":60"));
}

/* ---- conditions ---- */

/* What the newest value is of the events of which `when` is true. */
static struct gm_str rows_when(struct world *world, const char *when_z)
{
    static const char *const bodies[] = {
        "{\"kind\":\"a\",\"v\":1}",
        "{\"kind\":\"b\",\"v\":2,\"deep\":{\"er\":true}}",
        "{\"kind\":7,\"v\":3}",
        "{\"v\":4,\"gone\":null,\"list\":[null,{\"x\":5}]}",
    };
    const struct gm_view_value value = {.name = GM_STR("v"),
                                        .path = GM_STR("v"),
                                        .when = gm_str_z(when_z),
                                        .aggregates = GM_AGG_COUNT | GM_AGG_SUM};
    world->spec.values = &value;
    world->spec.value_count = 1;
    remove_file(world);
    open_view(world);
    world->events.n = 0;
    for (size_t i = 0; i < GM_ARRAY_COUNT(bodies); i++) {
        fold(world, "k", 1, bodies[i]);
    }
    struct gm_str got = rows(world, (struct gm_view_query){0});
    close_view(world);
    return got;
}

static void a_value_is_taken_of_events_of_which_its_condition_is_true(void **state)
{
    static const struct {
        const char *when_z, *v_z;
    } cases[] = {
        {"kind = 'a'", "{\"count\":1,\"sum\":1.0}"},
        {"kind != 'a'", "{\"count\":1,\"sum\":2.0}"}, /* 7 is no text, and one has none */
        {"NOT kind = 'a'", "{\"count\":3,\"sum\":9.0}"},
        {"kind IN ['a', 7]", "{\"count\":2,\"sum\":4.0}"},
        {"kind NOT IN ['a', 7]", "{\"count\":2,\"sum\":6.0}"},
        {"kind >= 7", "{\"count\":1,\"sum\":3.0}"},
        {"kind > 'a' OR v < 1.5", "{\"count\":2,\"sum\":3.0}"},
        {"NOT IS_DEFINED(kind)", "{\"count\":1,\"sum\":4.0}"},
        {"deep.er = true AND v = 2", "{\"count\":1,\"sum\":2.0}"},
        {"gone = null AND IS_DEFINED(gone)", "{\"count\":1,\"sum\":4.0}"},
        {"kind != null", "{\"count\":3,\"sum\":6.0}"},
        {"deep.er", "{\"count\":1,\"sum\":2.0}"},
        {"STARTSWITH(kind, 'b') OR IS_NUMBER(kind)", "{\"count\":2,\"sum\":5.0}"},
        {"v = '3'", NULL}, /* types are those of JSON */
        {"kind > v", "{\"count\":1,\"sum\":3.0}"},
        {"list.[[1]].x = 5 AND ARRAY_CONTAINS(list, null)", "{\"count\":1,\"sum\":4.0}"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_str got = rows_when(world, cases[i].when_z);
        bool fine =
            cases[i].v_z != NULL ? got.n > 0 && strstr(got.p, cases[i].v_z) != NULL : got.n == 0;
        if (!fine) {
            fail_msg("%s: " GM_STR_FMT, cases[i].when_z, GM_STR_ARG(got));
        }
    }
    assert_int_equal(rows_when(world, "kind = 'c'").n, 0);
}

static void paths_lead_into_arrays_and_through_names_with_dots(void **state)
{
    struct world *world = *state;
    const struct gm_view_value value = {.name = GM_STR("v"), .path = GM_STR("[[a.b]].list.1.x")};
    world->spec.values = &value;
    world->spec.value_count = 1;
    world->spec.size = 0;
    world->spec.hop = 0;
    world->spec.by = GM_STR("machine.0");
    open_view(world);
    fold(world, "k", 1, "{\"machine\":[\"m\"],\"a.b\":{\"list\":[0,{\"x\":5}]}}");
    struct gm_str got = rows(world, (struct gm_view_query){0});
    if (got.n == 0 || strstr(got.p, "\"m\"") == NULL || strstr(got.p, "\"value\":5,") == NULL) {
        fail_msg(GM_STR_FMT, GM_STR_ARG(got));
    }
    close_view(world);
    const struct gm_view_value wrong = {.name = GM_STR("v"), .path = GM_STR("a..b")};
    world->spec.values = &wrong;
    check_rc(gm_view_open(&world->options, &world->view, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "path `a..b`");
    world->view = NULL;
}

static void a_condition_is_part_of_the_settings_and_must_be_one(void **state)
{
    struct world *world = *state;
    struct gm_view_value value = {
        .name = GM_STR("v"), .path = GM_STR("v"), .when = GM_STR("a = 1"), .aggregates = 1};
    world->spec.values = &value;
    world->spec.value_count = 1;
    open_view(world);
    close_view(world);
    value.when = GM_STR("a = 2");
    check_rc(gm_view_open(&world->options, &world->view, &world->err), GM_E_CONFLICT, world->err);
    value.when = GM_STR("a = 1 OR IS_OF_MODEL('dtmi:x;1')");
    check_rc(gm_view_open(&world->options, &world->view, &world->err), GM_E_CONFIG, world->err);
    check_err_says(world->err, "line 1, column 10");
    world->view = NULL;
}

/* ---- quantiles ---- */

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantiles_are_within_one_percent(void **state)
{
    enum { N = 5000 };
    struct world *world = *state;
    world->spec.quantiles[0] = 0.99;
    open_view(world);
    double numbers[N];
    uint32_t seed = 3;
    for (int i = 0; i < N; i++) {
        numbers[i] = exp((double)(next_random(&seed) % 20000) / 1000 - 10) *
                     (next_random(&seed) % 4 == 0 ? -1 : 1);
        fold_t(world, "m", 1, numbers[i]);
    }
    qsort(numbers, N, sizeof(numbers[0]), by_number);
    double exact = numbers[(int)(0.99 * (N - 1))];
    struct gm_str got = rows(world, (struct gm_view_query){0});
    const char *at = strstr(got.p, "\"p99\":");
    assert_non_null(at);
    struct gm_str told_text, rest;
    double told;
    (void)gm_str_cut(gm_str_z(at + 6), '}', &told_text, &rest);
    assert_true(gm_parse_double(told_text, &told));
    assert_true(fabs(told - exact) <= 0.0101 * fabs(exact));
}

static void a_value_shows_the_quantiles_that_are_its_own(void **state)
{
    struct world *world = *state;
    const struct gm_view_value own[] = {
        {.name = GM_STR("a"),
         .path = GM_STR("machine.t"),
         .aggregates = GM_AGG_QUANTILES,
         .quantiles = 1 << 1},
        {.name = GM_STR("b"),
         .path = GM_STR("machine.t"),
         .aggregates = GM_AGG_QUANTILES,
         .quantiles = 1 << 0 | 1 << 2},
    };
    world->spec.values = own;
    world->spec.quantile_count = 3;
    world->spec.quantiles[0] = 7.0 / 100; /* times 100 it is not 7 */
    world->spec.quantiles[1] = 0.5;
    world->spec.quantiles[2] = 99.9 / 100;
    open_view(world);
    fold_t(world, "m", 1, 0);
    struct gm_str got = rows(world, (struct gm_view_query){0});
    assert_non_null(strstr(got.p, "\"a\":{\"p50\":0.0},\"b\":{\"p7\":0.0,\"p99.9\":0.0}}"));
    close_view(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define VIEW_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        VIEW_TEST(a_window_has_its_aggregates),
        VIEW_TEST(hopping_windows_overlap),
        VIEW_TEST(late_events_correct_windows_that_were_closed),
        VIEW_TEST(the_latest_value_is_the_newest_by_its_own_time),
        VIEW_TEST(pages_go_through_all_rows_once),
        VIEW_TEST(checkpoints_and_ends_of_the_process_change_nothing),
        VIEW_TEST(rows_equal_an_independent_recomputation),
        VIEW_TEST(a_view_of_other_settings_is_refused),
        VIEW_TEST(keys_count_for_what_they_belong_to_then),
        VIEW_TEST(what_keys_belonged_to_holds_through_a_crash),
        VIEW_TEST(partitions_merge_in_their_order),
        VIEW_TEST(a_value_is_taken_of_events_of_which_its_condition_is_true),
        VIEW_TEST(paths_lead_into_arrays_and_through_names_with_dots),
        VIEW_TEST(a_condition_is_part_of_the_settings_and_must_be_one),
        VIEW_TEST(quantiles_are_within_one_percent),
        VIEW_TEST(a_value_shows_the_quantiles_that_are_its_own),
#undef VIEW_TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
