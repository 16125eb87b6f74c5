/* AS OF: what a query gave at a time it gives of that time ever after. */
#include <stdio.h>
#include <stdlib.h>

#include "base/num.h"
#include "base/rng.h"
#include "building.h"
#include "query_whole_cases.h"
#include "query_world.h"
#include "support/pg.h"

#define HEAD "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n{'Section':'Twins'}\n"

/* "SELECT …", and what stands behind AS OF's place. */
static const char *const questions[][2] = {
    {"SELECT * FROM DIGITALTWINS", ""},
    {"SELECT * FROM RELATIONSHIPS", ""},
    {"SELECT COUNT() FROM DIGITALTWINS", ""},
    {"SELECT COUNT() FROM RELATIONSHIPS", ""},
    {"SELECT COUNT() FROM DIGITALTWINS T", "JOIN C RELATED T.contains"},
    {"SELECT T.$dtId AS t, R, C FROM DIGITALTWINS T", "JOIN C RELATED T.contains R"},
    {"SELECT A.$dtId AS a, B.$dtId AS b FROM DIGITALTWINS", "MATCH (A)-[:feeds*..2]->(B)"},
    {"SELECT A.$dtId AS a, B.$dtId AS b FROM DIGITALTWINS",
     "MATCH (A)<-[:contains]-(B) WHERE A.$dtId IN ['r1', 's1', 't3', 't7']"},
    {"SELECT A.$dtId AS a, r.$sourceId AS b, r.$targetId AS c FROM DIGITALTWINS",
     "MATCH (A)-[r]-(B) WHERE A.$dtId IN ['r1', 't5']"},
    {"SELECT $metadata.$model AS m, COUNT() AS n, MAX(temperature) AS t FROM DIGITALTWINS",
     "GROUP BY $metadata.$model"},
    {"SELECT DISTINCT B FROM DIGITALTWINS A", "JOIN B RELATED A.contains"},
    {"SELECT T FROM DIGITALTWINS T",
     "WHERE IS_OF_MODEL(T, 'dtmi:t:Room;1') AND T.temperature > 15 ORDER BY T.temperature DESC"},
    {"SELECT $dtId, $metadata FROM DIGITALTWINS", "WHERE $metadata.temperature.lastUpdateTime < "
                                                  "'2023-11-14T22:16:00Z'"},
};
enum { QUESTIONS = GM_ARRAY_COUNT(questions), MOMENTS_MAX = 64 };

struct moment {
    gm_ns time;
    char *answers[QUESTIONS];
};

static gm_rc keep_raw_row(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)err;
    struct gm_buf *out = ctx;
    gm_json_canonical(doc, row, out);
    gm_buf_add_char(out, '\n');
    return GM_OK;
}

static int compare_lines(const void *a, const void *b)
{
    const struct gm_str *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int order = memcmp(x->p, y->p, n);
    return order != 0 ? order : (x->n > y->n) - (x->n < y->n);
}

/* The rows of the past come in the order of ids: they are compared as sets. */
static char *sorted(struct gm_str rest)
{
    GM_VEC(struct gm_str) lines = {0};
    struct gm_buf out;
    while (rest.n > 0) {
        (void)gm_str_cut(rest, '\n', gm_vec_push(&lines), &rest);
    }
    if (lines.n > 0) {
        qsort(lines.at, lines.n, sizeof(lines.at[0]), compare_lines);
    }
    gm_buf_init(&out, 16 << 20);
    for (size_t i = 0; i < lines.n; i++) {
        gm_buf_addf(&out, GM_STR_FMT "\n", GM_STR_ARG(lines.at[i]));
    }
    char *text_z = gm_str_dup_z(gm_buf_str(&out));
    gm_buf_deinit(&out);
    gm_vec_deinit(&lines);
    return text_z;
}

/* In pages of `size`, 0: whole. */
static char *ask(struct world *world, const char *text_z, size_t size)
{
    struct gm_buf rows, token, next;
    gm_buf_init(&rows, 16 << 20);
    gm_buf_init(&token, 1 << 20);
    gm_buf_init(&next, 1 << 20);
    for (bool more = true; more;) {
        struct gm_query_outcome outcome;
        struct gm_query_request request = {.text = gm_str_z(text_z),
                                           .continuation = gm_buf_str(&token),
                                           .models = world_models(world),
                                           .rows_max = size,
                                           .fn = keep_raw_row,
                                           .ctx = &rows,
                                           .next = &next};
        if (gm_query_run(world->db, &request, &outcome, &world->err) != GM_OK) {
            fail_msg("%s: %s", text_z, world->err.text);
        }
        more = outcome.more;
        gm_buf_reset(&token);
        gm_buf_add(&token, gm_buf_str(&next));
        gm_buf_reset(&next);
    }
    char *answer_z = gm_str_dup_z(gm_buf_str(&rows));
    gm_buf_deinit(&rows);
    gm_buf_deinit(&token);
    gm_buf_deinit(&next);
    return answer_z;
}

static void remember(struct world *world, struct moment *moment)
{
    moment->time = world->now;
    for (size_t i = 0; i < QUESTIONS; i++) {
        char *text_z = gm_format_z("%s %s", questions[i][0], questions[i][1]);
        moment->answers[i] = ask(world, text_z, 0);
        gm_free(text_z);
    }
}

/* ETags of twins that are gone, or had another model, are not those they had. */
static char *without_etags(const char *text_z)
{
    char *copy = gm_strdup_z(text_z);
    for (char *etag = copy; (etag = strstr(etag, "\"$etag\":\"W/\\\"")) != NULL;) {
        etag += 12;
        memset(etag, 'x', 40);
    }
    char *sorted_z = sorted(gm_str_z(copy));
    gm_free(copy);
    return sorted_z;
}

static void check_moment(struct world *world, const struct moment *moment, size_t page_size)
{
    char time[GM_TIME_TEXT_SIZE];
    (void)gm_time_format(moment->time, time);
    for (size_t i = 0; i < QUESTIONS; i++) {
        char *text_z = gm_format_z("%s AS OF '%s' %s", questions[i][0], time, questions[i][1]);
        char *raw_z = ask(world, text_z, page_size);
        char *got_z = without_etags(raw_z), *wanted_z = without_etags(moment->answers[i]);
        if (strcmp(got_z, wanted_z) != 0) {
            fail_msg("%s\ngot\n%s\nwanted\n%s", text_z, got_z, wanted_z);
        }
        gm_free(text_z);
        gm_free(raw_z);
        gm_free(got_z);
        gm_free(wanted_z);
    }
}

static void forget(struct moment *moments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < QUESTIONS; k++) {
            gm_free(moments[i].answers[k]);
        }
    }
}

struct deletion {
    struct world *world;
    const char *id_z;
};

static gm_rc delete_twin(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct deletion *deletion = ctx;
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    struct gm_cause cause = {.actor = GM_STR("test"), .now = deletion->world->now};
    struct gm_graph *graph = deletion->world->graph;
    GM_TRY(gm_twin_reader_open(db, &reader, err));
    gm_rc rc = gm_twin_by_id(reader, gm_str_z(deletion->id_z), &twin, err);
    int64_t num = twin.num;
    gm_twin_reader_close(reader);
    if (rc == GM_E_END) {
        return GM_OK;
    }
    GM_TRY(rc);
    GM_TRY(gm_graph_begin(graph, &cause, err));
    GM_TRY(gm_graph_delete_twin(graph, num, 0, err));
    return gm_graph_end(graph, err);
}

static void remove_twin(struct world *world, const char *id_z)
{
    struct deletion deletion = {world, id_z};
    check_ok(world_write(world, delete_twin, &deletion, &world->err), world->err);
}

static void the_past_is_what_it_was(void **state)
{
    struct world *world = *state;
    struct moment moments[8];
    size_t count = 0;
    world_import(world, building_lines);
    remember(world, &moments[count++]);
    world->now += 90 * GM_SECOND;
    world_import(world, HEAD "{'$dtId':'r2','$metadata':{'$model':'dtmi:t:Room;1'},'name':'Den',"
                             "'temperature':99,'thermostat':{'$metadata':{},'target':1}}\n"
                             "{'$dtId':'n1','$metadata':{'$model':'dtmi:t:Hall;1'},"
                             "'thermostat':{'$metadata':{}}}\n"
                             "{'Section':'Relationships'}\n"
                             "{'$dtId':'b1','$relationshipId':'b1-r1','$relationshipName':"
                             "'contains','$targetId':'n1','since':1}\n"
                             "{'$dtId':'n1','$relationshipId':'x','$relationshipName':'feeds',"
                             "'$targetId':'r1'}\n");
    remember(world, &moments[count++]);
    world->now += 90 * GM_SECOND;
    remove_twin(world, "h1");
    remember(world, &moments[count++]);
    world->now += 90 * GM_SECOND;
    /* another model is another number; and one comes back */
    world_import(world, HEAD "{'$dtId':'r3','$metadata':{'$model':'dtmi:t:Hall;1'},'name':'X',"
                             "'thermostat':{'$metadata':{},'target':2}}\n"
                             "{'$dtId':'h1','$metadata':{'$model':'dtmi:t:Room;2'},"
                             "'temperature':'cold'}\n");
    remember(world, &moments[count++]);
    world->now += 90 * GM_SECOND;
    remove_twin(world, "b1");
    remove_twin(world, "r1");
    remember(world, &moments[count++]);
    for (size_t i = 0; i < count; i++) {
        check_moment(world, &moments[i], 0);
        check_moment(world, &moments[i], 3);
    }
    check_rows(world, "SELECT COUNT() FROM DIGITALTWINS AS OF '2020-01-01'", "{'COUNT':0}\n");
    check_rows(world,
               "SELECT COUNT() FROM DIGITALTWINS WHERE $dtId > 's' AS OF '2023-11-14T22:13:20Z'",
               "{'COUNT':4}\n");
    check_rows(world, "SELECT COUNT() FROM RELATIONSHIPS ORDER BY COUNT() AS OF '2030-01-01'",
               "{'COUNT':2}\n");
    forget(moments, count);
}

/* ---- at random ---- */

static void add_random_lines(struct gm_rng *rng, struct gm_buf *text)
{
    static const char *const models[] = {"dtmi:t:Room;1", "dtmi:t:Hall;1"};
    gm_buf_add_z(text, HEAD);
    uint64_t twins = gm_rng_below(rng, 4);
    for (uint64_t i = 0; i < twins; i++) {
        gm_buf_addf(text,
                    "{'$dtId':'t%d','$metadata':{'$model':'%s'},'temperature':%d,"
                    "'thermostat':{'$metadata':{},'target':%d}%s}\n",
                    (int)gm_rng_below(rng, 4) * 4 + (int)i, models[gm_rng_below(rng, 2)],
                    (int)gm_rng_below(rng, 30), (int)gm_rng_below(rng, 3),
                    gm_rng_below(rng, 2) == 0 ? ",'name':'N'" : "");
    }
}

static void add_random_relationships(struct world *world, struct gm_rng *rng)
{
    static const char *const names[] = {"contains", "feeds"};
    struct gm_buf text;
    gm_buf_init(&text, 1 << 16);
    gm_buf_add_z(&text, "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n"
                        "{'Section':'Relationships'}\n");
    for (int i = 0; i < 3; i++) {
        gm_buf_addf(&text,
                    "{'$dtId':'t%d','$relationshipId':'r%d','$relationshipName':'%s',"
                    "'$targetId':'t%d'}\n",
                    (int)gm_rng_below(rng, 16), i, names[gm_rng_below(rng, 2)],
                    (int)gm_rng_below(rng, 16));
    }
    /* those whose ends are not there are refused: that is fine */
    const char *path_z = tmp_write(world->tmp, "links.ndjson", world_json(world, text.p));
    check_ok(world_import_file(world, path_z), world->err);
    gm_buf_deinit(&text);
}

static void random_step(struct world *world, struct gm_rng *rng)
{
    struct gm_buf text;
    gm_buf_init(&text, 1 << 16);
    world->now += (gm_ns)(1 + gm_rng_below(rng, 100)) * GM_SECOND;
    add_random_lines(rng, &text);
    gm_buf_add_char(&text, '\0');
    world_import(world, text.p);
    add_random_relationships(world, rng);
    if (gm_rng_below(rng, 3) == 0) {
        char *id_z = gm_format_z("t%d", (int)gm_rng_below(rng, 16));
        remove_twin(world, id_z);
        gm_free(id_z);
    }
    gm_buf_deinit(&text);
}

static void any_past_is_what_it_was(void **state)
{
    struct world *world = *state;
    const char *seed_z = getenv("GEMEL_TEST_SEED");
    int64_t seed = 20261120;
    assert_true(seed_z == NULL || gm_parse_i64(gm_str_z(seed_z), &seed));
    struct moment moments[24];
    struct gm_rng rng;
    print_message("seed %lld\n", (long long)seed);
    gm_rng_init(&rng, (uint64_t)seed);
    world_import(world, building_lines);
    for (size_t i = 0; i < GM_ARRAY_COUNT(moments); i++) {
        random_step(world, &rng);
        remember(world, &moments[i]);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(moments); i++) {
        check_moment(world, &moments[i], i % 3);
    }
    forget(moments, GM_ARRAY_COUNT(moments));
}

/* ---- refusals, and what a reader may do ---- */

static void check_reader(struct world *world, const char *url_z, const char *password_z)
{
    world_import(world, building_lines);
    world->now += GM_MINUTE;
    remove_twin(world, "r1");
    struct gm_db *writer = world->db, *reader;
    struct gm_db_options options = {.url_z = url_z, .password_z = password_z, .mode = GM_DB_READ};
    check_ok(gm_db_open(&options, &reader, &world->err), world->err);
    world->db = reader;
    for (int i = 0; i < 3; i++) {
        check_rows(world,
                   "SELECT $dtId FROM DIGITALTWINS AS OF '2023-11-14T22:13:20Z' "
                   "WHERE $dtId = 'r1'",
                   "{'$dtId':'r1'}\n");
        check_rows(world, "SELECT $dtId FROM DIGITALTWINS WHERE $dtId = 'r1'", "");
    }
    assert_int_not_equal(gm_db_exec(reader, "DELETE FROM twins", &world->err), GM_OK);
    struct gm_deadline deadline = {.at = 1};
    struct gm_buf rows;
    struct gm_query_outcome outcome;
    gm_buf_init(&rows, 1 << 20);
    gm_db_set_deadline(reader, &deadline);
    check_rc(world_query(world, "SELECT * FROM DIGITALTWINS AS OF '2023-11-14T22:13:20Z'", &rows,
                         &outcome),
             GM_E_CANCELLED, world->err);
    gm_db_set_deadline(reader, NULL);
    check_rows(world, "SELECT COUNT() FROM DIGITALTWINS AS OF '2023-11-14T22:13:20Z'",
               "{'COUNT':10}\n");
    gm_buf_deinit(&rows);
    gm_db_close(reader);
    world->db = writer;
}

static void a_reading_connection_tells_the_past_and_writes_nothing(void **state)
{
    struct world *world = *state;
    check_reader(world, tmp_url(world->tmp, "sqlite:", "store.db"), NULL);
}

static void postgresql_tells_the_same_past(void **state)
{
    (void)state;
    struct pg_server *server = pg_server_start();
    if (server == NULL) {
        skip();
    }
    struct world *world = world_new(pg_server_new_database(server), PG_PASSWORD);
    void *of_test = world;
    the_past_is_what_it_was(&of_test);
    world_free(world);
    world = of_test = world_new(pg_server_new_database(server), PG_PASSWORD);
    any_past_is_what_it_was(&of_test);
    world_free(world);
    const char *url_z = pg_server_new_database(server);
    world = world_new(url_z, PG_PASSWORD);
    check_reader(world, url_z, PG_PASSWORD);
    world_free(world);
    pg_server_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_past_is_what_it_was, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(any_past_is_what_it_was, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_reading_connection_tells_the_past_and_writes_nothing,
                                        world_setup, world_teardown),
        cmocka_unit_test(postgresql_tells_the_same_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
