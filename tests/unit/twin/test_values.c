/* Indexes of property values, and counts per model: kept by every write, on both engines. */
#include <stdio.h>

#include "building.h"
#include "query_world.h"
#include "support/pg.h"
#include "twin/values.h"

static struct gm_str path_of(const struct world *world, const char *name_z)
{
    return gm_arena_format(
        world->arena, gm_db_engine(world->db) == GM_DB_SQLITE ? "$.\"%s\"" : "{\"%s\"}", name_z);
}

/* "21.5:r1 30:h1", in the order of values. */
static void check_entries(struct world *world, const char *sql_z, const char *wanted_z)
{
    struct gm_buf text;
    struct gm_stmt *stmt;
    gm_rc rc;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add_z(&text, "");
    check_ok(gm_db_prepare(world->db, sql_z, &stmt, &world->err), world->err);
    while ((rc = gm_step(stmt, &world->err)) == GM_OK) {
        gm_buf_addf(&text, "%s" GM_STR_FMT, text.n > 0 ? " " : "",
                    GM_STR_ARG(gm_column_text(stmt, 0)));
    }
    gm_stmt_finalize(stmt);
    assert_int_equal(rc, GM_E_END);
    check_str(gm_buf_str(&text), wanted_z);
    gm_buf_deinit(&text);
}

static const char numbers[] =
    "SELECT CAST(v.value AS TEXT) || ':' || t.id FROM twin_numbers AS v, twins AS t "
    "WHERE t.num = v.twin ORDER BY v.property, v.value, t.id";
static const char texts[] = "SELECT v.value || ':' || t.id FROM twin_texts AS v, twins AS t "
                            "WHERE t.num = v.twin ORDER BY v.property, v.value, t.id";
static const char orphans[] =
    "SELECT 'x' FROM twin_numbers AS v WHERE v.twin NOT IN (SELECT t.num FROM twins AS t) UNION "
    "ALL SELECT 'y' FROM twin_texts AS v WHERE v.twin NOT IN (SELECT t.num FROM twins AS t)";
static const char wrong_counts[] = "SELECT m.id FROM models AS m WHERE m.twin_count <> "
                                   "(SELECT COUNT(*) FROM twins AS t WHERE t.num >> 32 = m.num)";

static struct gm_value_index find(struct world *world, size_t index, size_t wanted_count)
{
    struct gm_value_indexes indexes = {0};
    check_ok(gm_value_indexes_read(world->db, world->arena, &indexes, &world->err), world->err);
    assert_int_equal(indexes.count, wanted_count);
    return wanted_count > 0 ? indexes.at[index] : (struct gm_value_index){0};
}

struct step {
    struct world *world;
    bool done;
};

static gm_rc run_step(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct step *step = ctx;
    struct gm_arena *arena = step->world->arena;
    struct gm_value_indexes indexes;
    GM_TRY(gm_value_indexes_read(db, arena, &indexes, err));
    return gm_value_index_step(db, &indexes.at[0], &step->done, err);
}

static void step_to_the_end(struct world *world)
{
    struct step step = {.world = world};
    for (int i = 0; !step.done; i++) {
        assert_true(i < 10);
        check_ok(world_write(world, run_step, &step, &world->err), world->err);
    }
}

static gm_rc add_temperature(void *ctx, struct gm_db *db, struct gm_err *err)
{
    return gm_value_index_add(db, path_of(ctx, "temperature"), 1000, err);
}

static gm_rc drop_it(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct gm_value_index index = find(ctx, 0, 1);
    return gm_value_index_drop(db, &index, err);
}

static gm_rc delete_h1(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct world *world = ctx;
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    struct gm_cause cause = {.actor = GM_STR("test"), .now = world->now};
    GM_TRY(gm_twin_reader_open(db, &reader, err));
    gm_rc rc = gm_twin_by_id(reader, GM_STR("h1"), &twin, err);
    gm_twin_reader_close(reader);
    GM_TRY(rc);
    GM_TRY(gm_graph_begin(world->graph, &cause, err));
    GM_TRY(gm_graph_delete_twin(world->graph, twin.num, 0, err));
    return gm_graph_end(world->graph, err);
}

#define HEAD "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n{'Section':'Twins'}\n"

/* A twin's life with an index: it comes, changes its value and its type, its model, and goes. */
static void check_life(struct world *world)
{
    world_import(world, building_lines);
    check_entries(world, wrong_counts, "");
    check_ok(world_write(world, add_temperature, world, &world->err), world->err);
    check_ok(world_write(world, add_temperature, world, &world->err), world->err);
    assert_int_equal(find(world, 0, 1).state, GM_VALUE_BUILDING);
    /* written while it is being built */
    world_import(world, HEAD "{'$dtId':'r2','$metadata':{'$model':'dtmi:t:Room;1'},"
                             "'temperature':19,'thermostat':{'$metadata':{}}}\n");
    check_entries(world, numbers, "19:r2");
    step_to_the_end(world);
    assert_int_equal(find(world, 0, 1).state, GM_VALUE_READY);
    check_entries(world, numbers, "19:r2 21.5:r1 30:h1");
    check_entries(world, texts, "warm:r9");
    /* another value, another type, another model, a new twin, one without the property */
    world_import(world, HEAD "{'$dtId':'r1','$metadata':{'$model':'dtmi:t:Room;2'},"
                             "'temperature':'hot'}\n"
                             "{'$dtId':'r2','$metadata':{'$model':'dtmi:t:Room;1'},"
                             "'temperature':17.5,'thermostat':{'$metadata':{}}}\n"
                             "{'$dtId':'r4','$metadata':{'$model':'dtmi:t:Room;1'},"
                             "'temperature':1,'thermostat':{'$metadata':{}}}\n"
                             "{'$dtId':'s5','$metadata':{'$model':'dtmi:t:Sensor;1'}}\n");
    check_entries(world, numbers, "1:r4 17.5:r2 30:h1");
    check_entries(world, texts, "hot:r1 warm:r9");
    check_ok(world_write(world, delete_h1, world, &world->err), world->err);
    check_entries(world, numbers, "1:r4 17.5:r2");
    check_entries(world, orphans, "");
    check_entries(world, wrong_counts, "");
    /* and it goes */
    check_ok(world_write(world, drop_it, world, &world->err), world->err);
    step_to_the_end(world);
    (void)find(world, 0, 0);
    check_entries(world, "SELECT 'x' FROM twin_numbers UNION ALL SELECT 'y' FROM twin_texts", "");
    world_import(world, HEAD "{'$dtId':'r5','$metadata':{'$model':'dtmi:t:Room;1'},"
                             "'temperature':5,'thermostat':{'$metadata':{}}}\n");
    check_entries(world, "SELECT 'x' FROM twin_numbers", "");
}

/* ---- queries ---- */

struct accesses {
    int used, wanted;
    int64_t twins;
};

static void note_access(void *ctx, const struct gm_query_access *access)
{
    struct accesses *accesses = ctx;
    accesses->used += access->index != 0;
    accesses->wanted += access->index == 0;
    accesses->twins = access->twins;
}

static struct accesses run_noting(struct world *world, const char *text_z, const char *rows_z)
{
    struct accesses accesses = {0};
    struct gm_query_outcome outcome;
    struct gm_buf rows;
    gm_buf_init(&rows, 1 << 20);
    gm_buf_add_z(&rows, "");
    struct gm_query_request request = {.text = gm_str_z(text_z),
                                       .models = world_models(world),
                                       .fn = world_keep_row,
                                       .ctx = &rows,
                                       .on_access = note_access,
                                       .access_ctx = &accesses};
    check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
    struct gm_str wanted = world_json(world, rows_z);
    if (!gm_str_eq(gm_buf_str(&rows), wanted)) {
        fail_msg("%s\ngot\n%s\nwanted\n%s", text_z, rows.p, wanted.p);
    }
    gm_buf_deinit(&rows);
    return accesses;
}

static const struct {
    const char *text_z, *rows_z;
    bool indexed; /* the index is used once it is there */
} index_cases[] = {
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature = 18", "{'$dtId':'r2'}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE 20 < temperature", "{'$dtId':'r1'}\n{'$dtId':'h1'}\n",
     true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature < 21.5", "{'$dtId':'r2'}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature <= 21.5 AND IS_OF_MODEL('dtmi:t:Room;1')",
     "{'$dtId':'r1'}\n{'$dtId':'r2'}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature IN [18, 30.0]",
     "{'$dtId':'r2'}\n{'$dtId':'h1'}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature IN ['warm', 'x']", "{'$dtId':'r9'}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE STARTSWITH(temperature, 'wa')", "{'$dtId':'r9'}\n",
     true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature > 'w'", "{'$dtId':'r9'}\n", true},
    {"SELECT COUNT() FROM DIGITALTWINS WHERE temperature >= 18", "{'COUNT':3}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature > 1 ORDER BY temperature DESC",
     "{'$dtId':'h1'}\n{'$dtId':'r1'}\n{'$dtId':'r2'}\n", true},
    {"SELECT S.$dtId FROM DIGITALTWINS R JOIN S RELATED R.contains WHERE R.temperature = 18",
     "{'$dtId':'s3'}\n", true},
    {"SELECT B.$dtId FROM DIGITALTWINS MATCH (B)-[:contains*..2]->(R) WHERE R.temperature = 30",
     "{'$dtId':'b1'}\n", true},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature != 18 AND occupied", "{'$dtId':'r1'}\n",
     false},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature = 18 AND $dtId = 'r2'", "{'$dtId':'r2'}\n",
     false},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature = 18 OR temperature = 30",
     "{'$dtId':'r2'}\n{'$dtId':'h1'}\n", false},
    {"SELECT $dtId FROM DIGITALTWINS WHERE temperature IN [18, 'warm']",
     "{'$dtId':'r2'}\n{'$dtId':'r9'}\n", false},
};

static void check_queries(struct world *world)
{
    world_import(world, building_lines);
    for (size_t i = 0; i < GM_ARRAY_COUNT(index_cases); i++) {
        struct accesses accesses = run_noting(world, index_cases[i].text_z, index_cases[i].rows_z);
        assert_int_equal(accesses.wanted > 0, index_cases[i].indexed);
        assert_int_equal(accesses.used, 0);
    }
    struct accesses accesses = run_noting(world,
                                          "SELECT $dtId FROM DIGITALTWINS WHERE value = 1 AND "
                                          "IS_OF_MODEL('dtmi:t:Sensor;1')",
                                          "{'$dtId':'s1'}\n");
    assert_int_equal(accesses.twins, 4);
    check_ok(world_write(world, add_temperature, world, &world->err), world->err);
    step_to_the_end(world);
    for (size_t i = 0; i < GM_ARRAY_COUNT(index_cases); i++) {
        accesses = run_noting(world, index_cases[i].text_z, index_cases[i].rows_z);
        assert_int_equal(accesses.used, index_cases[i].indexed);
        assert_int_equal(accesses.wanted, 0);
    }
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    check_ok(gm_query_explain_plan(world->db,
                                   GM_STR("SELECT * FROM DIGITALTWINS WHERE temperature = 18 AND "
                                          "value = 1"),
                                   world_models(world), &text, &world->err),
             world->err);
    assert_non_null(strstr(text.p, "starts from its index, 1 entries"));
    assert_non_null(strstr(text.p, "no index; up to 10 twins"));
    gm_buf_deinit(&text);
}

static void queries_use_an_index_when_it_helps(void **state)
{
    check_queries(*state);
}

static void texts_longer_than_an_entry_are_found(void **state)
{
    struct world *world = *state;
    world_import(world, building_lines);
    check_ok(world_write(world, add_temperature, world, &world->err), world->err);
    step_to_the_end(world);
    char long_text[151];
    memset(long_text, 'x', 150);
    long_text[150] = '\0';
    char *lines_z = gm_format_z(HEAD "{'$dtId':'p1','$metadata':{'$model':'dtmi:t:Room;2'},"
                                     "'temperature':'%sa'}\n{'$dtId':'p2','$metadata':{'$model':"
                                     "'dtmi:t:Room;2'},'temperature':'%sb'}\n",
                                long_text, long_text);
    world_import(world, lines_z);
    gm_free(lines_z);
    static const struct {
        const char *condition_z, *rows_z;
    } cases[] = {
        {"temperature = '%sa'", "{'$dtId':'p1'}\n"},
        {"temperature > '%sa'", "{'$dtId':'p2'}\n"},
        {"temperature >= '%sa'", "{'$dtId':'p1'}\n{'$dtId':'p2'}\n"},
        {"temperature <= '%sa' AND STARTSWITH(temperature, 'x')", "{'$dtId':'p1'}\n"},
        {"temperature IN ['%sb', 'y']", "{'$dtId':'p2'}\n"},
        {"STARTSWITH(temperature, '%sb')", "{'$dtId':'p2'}\n"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_buf text;
        gm_buf_init(&text, 1 << 20);
        gm_buf_add_z(&text, "SELECT $dtId FROM DIGITALTWINS WHERE ");
        const char *hole = strstr(cases[i].condition_z, "%s");
        gm_buf_add(&text,
                   (struct gm_str){cases[i].condition_z, (size_t)(hole - cases[i].condition_z)});
        gm_buf_add_z(&text, long_text);
        gm_buf_add_z(&text, hole + 2);
        gm_buf_add_char(&text, '\0');
        assert_int_equal(run_noting(world, text.p, cases[i].rows_z).used, 1);
        gm_buf_deinit(&text);
    }
}

static void entries_follow_a_twins_life(void **state)
{
    check_life(*state);
}

static void entries_follow_on_postgresql_too(void **state)
{
    (void)state;
    struct pg_server *server = pg_server_start();
    if (server == NULL) {
        skip();
    }
    struct world *world = world_new(pg_server_new_database(server), PG_PASSWORD);
    check_life(world);
    world_free(world);
    world = world_new(pg_server_new_database(server), PG_PASSWORD);
    check_queries(world);
    world_free(world);
    pg_server_stop(server);
}

/* A migration counts what is there already. */
static void an_older_store_gets_its_counts(void **state)
{
    struct world *world = *state;
    struct gm_db *db;
    struct gm_db_options options = {.url_z = tmp_url(world->tmp, "sqlite:", "old.db"),
                                    .mode = GM_DB_WRITE};
    check_ok(gm_db_open(&options, &db, &world->err), world->err);
    check_ok(gm_db_migrate_to(db, 3, &world->err), world->err);
    check_ok(gm_db_exec(db,
                        "INSERT INTO models (num, id, uploaded, decommissioned, body) VALUES "
                        "(1, 'dtmi:a;1', 0, 0, '{}'), (2, 'dtmi:b;1', 0, 0, '{}');"
                        "INSERT INTO twins (num, id, version, last_change, created, updated, "
                        "sources, creator, body) VALUES (4294967297, 'x', 1, 1, 1, 1, 0, 0, '{}'), "
                        "(4294967299, 'y', 1, 1, 1, 1, 0, 0, '{}')",
                        &world->err),
             world->err);
    check_ok(gm_db_migrate(db, &world->err), world->err);
    struct gm_stmt *stmt;
    check_ok(
        gm_db_prepare(db, "SELECT SUM(twin_count) FROM models WHERE num = 1", &stmt, &world->err),
        world->err);
    check_ok(gm_step(stmt, &world->err), world->err);
    assert_int_equal(gm_column_i64(stmt, 0), 2);
    gm_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_follow_a_twins_life, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(queries_use_an_index_when_it_helps, world_setup,
                                        world_teardown),
        cmocka_unit_test_setup_teardown(texts_longer_than_an_entry_are_found, world_setup,
                                        world_teardown),
        cmocka_unit_test(entries_follow_on_postgresql_too),
        cmocka_unit_test_setup_teardown(an_older_store_gets_its_counts, world_setup,
                                        world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
