/* The query language on a small graph, on both engines. */
#include <stdio.h>

#include "building.h"
#include "query_cases.h"
#include "query_whole_cases.h"
#include "query_world.h"
#include "support/pg.h"

static int building_setup(void **state)
{
    struct world *world = world_new(NULL, NULL);
    world_import(world, building_lines);
    *state = world;
    return 0;
}

/* "r1 r2" → one row a line. */
static void ids_to_rows(const char *ids_z, struct gm_buf *rows)
{
    struct gm_str rest = gm_str_z(ids_z);
    gm_buf_add_z(rows, "");
    while (rest.n > 0) {
        struct gm_str id;
        (void)gm_str_cut(rest, ' ', &id, &rest);
        gm_buf_addf(rows, "{'$dtId':'" GM_STR_FMT "'}\n", GM_STR_ARG(id));
    }
}

static void check_source_times(struct world *world);
static void check_all_pages(struct world *world);

static void check_conditions(struct world *world)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(where_cases); i++) {
        struct gm_buf rows;
        gm_buf_init(&rows, 1 << 16);
        ids_to_rows(where_cases[i].ids_z, &rows);
        char *text_z =
            gm_format_z("SELECT R.$dtId FROM DIGITALTWINS R WHERE %s", where_cases[i].condition_z);
        check_rows(world, text_z, rows.n > 0 ? rows.p : "");
        gm_free(text_z);
        gm_buf_deinit(&rows);
    }
}

static void check_queries(struct world *world)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(query_cases); i++) {
        check_rows(world, query_cases[i].text_z, query_cases[i].rows_z);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(whole_cases); i++) {
        check_rows(world, whole_cases[i].text_z, whole_cases[i].rows_z);
    }
}

static void conditions_select_the_twins_they_should(void **state)
{
    check_conditions(*state);
}

static void queries_give_the_rows_they_should(void **state)
{
    check_queries(*state);
}

static void postgresql_gives_the_same_rows(void **state)
{
    (void)state;
    struct pg_server *server = pg_server_start();
    if (server == NULL) {
        skip();
    }
    struct world *world = world_new(pg_server_new_database(server), PG_PASSWORD);
    world_import(world, building_lines);
    check_conditions(world);
    check_queries(world);
    check_all_pages(world);
    check_source_times(world);
    world_free(world);
    pg_server_stop(server);
}

/* ---- refusals ---- */

static void what_is_wrong_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text_z, *says_z;
    } cases[] = {
        {"", "line 1, column 1: expected SELECT"},
        {"foo", "line 1, column 1: expected SELECT, found `foo`"},
        {"SELECT", "expected *, COUNT() or what to select"},
        {"SELECT *", "line 1, column 9: expected FROM"},
        {"SELECT *\nFROM ROOMS", "line 2, column 6: expected DIGITALTWINS or RELATIONSHIPS"},
        {"SELECT * FROM (SELECT * FROM DIGITALTWINS)", "column 15"},
        {"SELECT * FROM DIGITALTWINS T WHERE", "line 1, column 35"},
        {"SELECT * FROM DIGITALTWINS HAVING name", "column 28: expected JOIN, MATCH, WHERE"},
        {"SELECT * FROM DIGITALTWINS WHERE a = 1 HAVING a", "expected AND, OR, GROUP BY"},
        {"SELECT * FROM DIGITALTWINS ORDER name", "column 34: expected BY, found `name`"},
        {"SELECT * FROM DIGITALTWINS ORDER BY", "column 36: expected a property"},
        {"SELECT * FROM DIGITALTWINS ORDER BY a b", "column 39: expected `,`, ASC, DESC or"},
        {"SELECT * FROM DIGITALTWINS GROUP BY a ORDER BY a LIMIT", "expected `,`, ASC, DESC"},
        {"SELECT * FROM DIGITALTWINS GROUP BY a b", "expected `,`, ORDER BY or the end"},
        {"SELECT * FROM DIGITALTWINS GROUP BY a", "what GROUP BY names behind SELECT"},
        {"SELECT b FROM DIGITALTWINS GROUP BY a", "column 8: expected an aggregate, or what GROUP"},
        {"SELECT COUNT(), b FROM DIGITALTWINS", "column 17: expected an aggregate"},
        {"SELECT COUNT() FROM DIGITALTWINS ORDER BY b", "column 43: expected an aggregate"},
        {"SELECT a FROM DIGITALTWINS ORDER BY COUNT()", "expected GROUP BY beside an aggregate"},
        {"SELECT DISTINCT COUNT() FROM DIGITALTWINS", "behind DISTINCT"},
        {"SELECT DISTINCT a FROM DIGITALTWINS ORDER BY b", "column 46: expected an aggregate"},
        {"SELECT SUM() FROM DIGITALTWINS", "column 12: expected a property"},
        {"SELECT SUM(T) FROM DIGITALTWINS T", "expected a property to aggregate"},
        {"SELECT COUNT(), COUNT() FROM DIGITALTWINS", "`COUNT` already"},
        {"SELECT T FROM DIGITALTWINS T ORDER BY T", "a property behind `T.`"},
        {"SELECT T FROM DIGITALTWINS T AS OF 'noon'", "a time like"},
        {"SELECT T FROM DIGITALTWINS T AS OF '2020-01-01' WHERE a = 1 AS OF '2020-01-01'",
         "expected one AS OF"},
        {"SELECT TOP FROM DIGITALTWINS", "expected ( and a number of rows"},
        {"SELECT TOP(x) FROM DIGITALTWINS", "a whole number of rows"},
        {"SELECT TOP(0) a FROM DIGITALTWINS a WHERE a = 1", "a property behind `a.`"},
        {"SELECT a.name, b.name FROM DIGITALTWINS a JOIN b RELATED a.c", "`name` already"},
        {"SELECT * FROM DIGITALTWINS a JOIN b RELATED a.c", "SELECT * is for one collection"},
        {"SELECT b FROM DIGITALTWINS a JOIN b RELATED x.c", "found `x`"},
        {"SELECT b FROM DIGITALTWINS a JOIN a RELATED a.c", "a new name"},
        {"SELECT x.name FROM DIGITALTWINS a JOIN b RELATED a.c", "collections (a, b), found `x`"},
        {"SELECT a FROM DIGITALTWINS a JOIN b RELATED a.c WHERE has.role = 'x'", "found `has`"},
        {"SELECT a FROM RELATIONSHIPS a JOIN b RELATED a.c", "JOIN starts from twins"},
        {"SELECT a FROM DIGITALTWINS a JOIN b RELATED a.c WHERE IS_OF_MODEL('dtmi:t:Room;1')",
         "IS_OF_MODEL(collection, 'model')"},
        {"SELECT a FROM DIGITALTWINS a WHERE IS_OF_MODEL(b, 'dtmi:t:Room;1')", "found `b`"},
        {"SELECT a FROM DIGITALTWINS a WHERE a = 1", "a property behind `a.`"},
        {"SELECT a FROM DIGITALTWINS a WHERE a.$etag < null", "= or != beside null"},
        {"SELECT a FROM DIGITALTWINS a WHERE a.b < null", "= or != beside null"},
        {"SELECT a FROM DIGITALTWINS T MATCH (a)", "no name for the collection"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[r*2]->(b)", "no variable beside several hops"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[*11]->(b)", "at most 10"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[*3..2]->(b)", "at least one hop"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)<-[]->(b)", "one direction"},
        {"SELECT a FROM DIGITALTWINS MATCH (a-[]-(b)", "`)` behind the twin's name"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[:]-(b)", "a relationship's name"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[r]-(b)-[r]-(c)", "a new name"},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[*..10]-(b)-[*..10]-(c)-[*..10]-(d)", "too long"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        check_refused(*state, cases[i].text_z, cases[i].says_z);
    }
}

static void faults_are_told_in_the_words_of_the_service(void **state)
{
    static const struct {
        const char *text_z, *message_z;
        int line, position;
    } cases[] = {
        {"foo", "missing SELECT at 'foo'", 1, 0},
        {"\n  'x'", "missing SELECT at ''x''", 2, 2},
        {"", "mismatched input '<EOF>' expecting SELECT", 1, 0},
        {"SELECT * DIGITALTWINS", "missing FROM at 'DIGITALTWINS'", 1, 9},
        {"SELECT *\nFROM ROOMS", "mismatched input 'ROOMS' expecting DIGITALTWINS or RELATIONSHIPS",
         2, 5},
        {"SELECT * FROM DIGITALTWINS WHERE a = #", "token recognition error at: '#'", 1, 37},
        {"SELECT * FROM DIGITALTWINS WHERE a < null", "expected = or != beside null", 1, 35},
        {"SELECT a FROM DIGITALTWINS MATCH (a)-[*..10]-(b)-[*..10]-(c)-[*..10]-(d)",
         "the pattern is too long: at most 200 combinations of hops and 60 twins and relationships "
         "on a path",
         0, 0},
    };
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_query_outcome outcome;
        struct gm_buf rows;
        gm_buf_init(&rows, 1 << 20);
        check_rc(world_query(world, cases[i].text_z, &rows, &outcome), GM_E_INVALID, world->err);
        assert_string_equal(outcome.fault.message, cases[i].message_z);
        assert_int_equal(outcome.fault.line, cases[i].line);
        assert_int_equal(outcome.fault.position, cases[i].position);
        gm_buf_deinit(&rows);
    }
}

static gm_rc run_limited(struct world *world, const char *text_z,
                         const struct gm_query_limits *limits)
{
    struct gm_buf rows;
    struct gm_query_outcome outcome;
    gm_buf_init(&rows, 1 << 20);
    struct gm_query_request request = {.text = gm_str_z(text_z),
                                       .models = world_models(world),
                                       .fn = world_keep_row,
                                       .ctx = &rows,
                                       .limits = *limits};
    gm_rc rc = gm_query_run(world->db, &request, &outcome, &world->err);
    gm_buf_deinit(&rows);
    return rc;
}

static void published_limits_are_kept_when_they_are_asked_for(void **state)
{
    struct world *world = *state;
    const struct gm_query_limits published = GM_QUERY_LIMITS_PUBLISHED, none = {0};
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    static const struct {
        const char *start_z, *more_z, *end_z, *says_z;
        int count; /* that just pass */
    } cases[] = {
        {"SELECT * FROM DIGITALTWINS WHERE a = 1", " AND (a = 1)", "", "51 ANDs and ORs", 50},
        {"SELECT * FROM DIGITALTWINS WHERE a IN [1", ", 1", "]", "51 values; at most 50", 49},
        {"SELECT * FROM DIGITALTWINS", "          ", "", "characters; at most 8000", 797},
        {"SELECT * FROM DIGITALTWINS WHERE $dtId = '", "\xC3\xA9", "'", "characters; at most",
         7957},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        for (int over = 0; over <= 1; over++) {
            gm_buf_reset(&text);
            gm_buf_add_z(&text, cases[i].start_z);
            for (int k = 0; k < cases[i].count + over; k++) {
                gm_buf_add_z(&text, cases[i].more_z);
            }
            gm_buf_add_z(&text, cases[i].end_z);
            check_rc(run_limited(world, text.p, &published), over ? GM_E_INVALID : GM_OK,
                     world->err);
            if (over) {
                check_err_says(world->err, cases[i].says_z);
            }
            check_ok(run_limited(world, text.p, &none), world->err);
        }
    }
    static const char joins[] =
        "SELECT A FROM DIGITALTWINS A JOIN B RELATED A.x JOIN C RELATED B.x JOIN D RELATED C.x "
        "JOIN E RELATED D.x JOIN F RELATED E.x JOIN G RELATED F.x WHERE A.$dtId = 'r1'";
    check_rc(run_limited(world, joins, &published), GM_E_INVALID, world->err);
    check_err_says(world->err, "6 JOINs; at most 5");
    check_ok(run_limited(world, joins, &none), world->err);
    struct gm_query_limits few_hops = {.hops_max = 2};
    check_rc(run_limited(world, "SELECT A FROM DIGITALTWINS MATCH (A)-[*..3]->(B)", &few_hops),
             GM_E_INVALID, world->err);
    check_err_says(world->err, "3 hops; at most 2");
    gm_buf_deinit(&text);
}

static void an_unknown_model_gives_no_rows_and_a_note(void **state)
{
    struct world *world = *state;
    struct gm_buf rows;
    struct gm_query_outcome outcome;
    gm_buf_init(&rows, 1 << 20);
    check_ok(world_query(world, "SELECT * FROM DIGITALTWINS WHERE IS_OF_MODEL('dtmi:t:Rooom;1')",
                         &rows, &outcome),
             world->err);
    assert_int_equal(outcome.rows, 0);
    assert_non_null(strstr(outcome.note, "`dtmi:t:Rooom;1`"));
    assert_non_null(strstr(outcome.note, "`dtmi:t:Room;1`"));
    gm_buf_deinit(&rows);
}

/* ---- what is bound ---- */

static void no_text_of_the_query_gets_into_the_sql(void **state)
{
    struct world *world = *state;
    struct gm_str text =
        GM_STR("SELECT A.secret1 FROM DIGITALTWINS A JOIN B RELATED A.secret2 R WHERE A.secret3 = "
               "'secret4' "
               "AND B.[[secret5') --]].secret6 IN ['secret7', 4711] AND A.$dtId = 'secret8' AND "
               "STARTSWITH(A.$dtId, 'secret9') AND ARRAY_CONTAINS(A.x, 'secret0') AND "
               "A.$metadata.secretA.lastUpdateTime > '2020-01-01'");
    for (enum gm_db_engine engine = GM_DB_SQLITE; engine <= GM_DB_POSTGRESQL; engine++) {
        struct gm_buf sql;
        gm_buf_init(&sql, 1 << 20);
        check_ok(gm_query_explain(text, world_models(world), engine, &sql, &world->err),
                 world->err);
        assert_null(strstr(sql.p, "secret"));
        assert_null(strstr(sql.p, "4711"));
        assert_null(strstr(sql.p, "2020"));
        gm_buf_deinit(&sql);
    }
}

static void hostile_names_select_nothing_and_break_nothing(void **state)
{
    static const char *const paths[] = {"[[a\"b]]", "[[a'b]]",      "[[$]]",
                                        "[[a.b]]",  "[[*]]",        "[[a\\\\b]]",
                                        "[[{}]]",   "[[\xC3\xA9]]", "[[a,b]].[[c\"]]"};
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(paths); i++) {
        char *text_z = gm_format_z("SELECT T.%s AS x FROM DIGITALTWINS T WHERE T.%s = 'x' OR "
                                   "IS_DEFINED(T.%s) OR T.%s > 1",
                                   paths[i], paths[i], paths[i], paths[i]);
        check_rows(world, text_z, "");
        gm_free(text_z);
    }
}

static void a_thousand_conditions_are_not_too_deep(void **state)
{
    struct world *world = *state;
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add_z(&text, "SELECT T.$dtId FROM DIGITALTWINS T WHERE T.$dtId = 'r1'");
    for (int i = 0; i < 1500; i++) {
        gm_buf_addf(&text, " OR T.x = %d", i);
    }
    check_rows(world, text.p, "{'$dtId':'r1'}\n");
    gm_buf_deinit(&text);
}

static void a_long_list_is_bound_item_by_item(void **state)
{
    struct world *world = *state;
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add_z(&text, "SELECT T.$dtId FROM DIGITALTWINS T WHERE T.$dtId IN ['r1'");
    for (int i = 0; i < 5000; i++) {
        gm_buf_addf(&text, ",'%d'", i);
    }
    gm_buf_add_z(&text, "]");
    check_rows(world, text.p, "{'$dtId':'r1'}\n");
    gm_buf_deinit(&text);
}

/* ---- pages ---- */

/* All rows in pages of `size`, through tokens alone. */
static void read_pages(struct world *world, const char *text_z, size_t size, struct gm_buf *rows)
{
    struct gm_buf token, next;
    gm_buf_init(&token, 1 << 20);
    gm_buf_init(&next, 1 << 20);
    bool more = true;
    for (int page = 0; more; page++) {
        assert_true(page < 100);
        struct gm_query_request request = {.text = page == 0 ? gm_str_z(text_z) : GM_STR(""),
                                           .continuation = gm_buf_str(&token),
                                           .models = world_models(world),
                                           .rows_max = size,
                                           .fn = world_keep_row,
                                           .ctx = rows,
                                           .next = &next};
        struct gm_query_outcome outcome;
        check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
        assert_true(outcome.rows <= size);
        assert_true(outcome.more ? outcome.rows == size : true);
        more = outcome.more;
        gm_buf_reset(&token);
        gm_buf_add(&token, gm_buf_str(&next));
        gm_buf_reset(&next);
    }
    gm_buf_deinit(&token);
    gm_buf_deinit(&next);
}

/* The rows in pages of one to four are those of one page. */
static void check_pages(struct world *world, const char *text_z)
{
    struct gm_buf whole;
    struct gm_query_outcome outcome;
    gm_buf_init(&whole, 1 << 20);
    check_ok(world_query(world, text_z, &whole, &outcome), world->err);
    for (size_t size = 1; size <= 4 && strstr(text_z, "..3]-") == NULL; size++) {
        struct gm_buf paged;
        gm_buf_init(&paged, 1 << 20);
        read_pages(world, text_z, size, &paged);
        if (!gm_str_eq(gm_buf_str(&whole), gm_buf_str(&paged))) {
            fail_msg("%s\npages of %zu:\n%s\nwhole:\n%s", text_z, size, paged.p, whole.p);
        }
        gm_buf_deinit(&paged);
    }
    gm_buf_deinit(&whole);
}

static void check_all_pages(struct world *world)
{
    static const char *const extra[] = {
        "SELECT * FROM DIGITALTWINS",
        "SELECT T.$dtId FROM DIGITALTWINS T WHERE IS_OF_MODEL('dtmi:t:Thing;1')",
        "SELECT TOP(7) T.$dtId FROM DIGITALTWINS T",
        "SELECT * FROM RELATIONSHIPS",
        "SELECT A.$dtId, B.$dtId AS b FROM DIGITALTWINS A JOIN B RELATED A.contains",
        "SELECT A.$dtId, B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[*..3]-(B)",
        "SELECT * FROM RELATIONSHIPS ORDER BY volume DESC, since",
        "SELECT TOP(7) $dtId FROM DIGITALTWINS ORDER BY temperature DESC, value, tags DESC",
        "SELECT A.$dtId, B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[:contains*..2]->(B) ORDER BY "
        "B.value, A.name DESC",
        "SELECT A.$dtId, AVG(B.value), COUNT() FROM DIGITALTWINS A JOIN B RELATED A.contains "
        "GROUP BY A.$dtId ORDER BY AVG(B.value) DESC",
        "SELECT A.$dtId, B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[:feeds*..10]->(B) ORDER BY "
        "B.name DESC, A.name, B.temperature DESC, A.occupied, A.tags DESC",
        "SELECT name, temperature, occupied, tags, value, COUNT() FROM DIGITALTWINS GROUP BY name, "
        "temperature, occupied, tags, value ORDER BY value DESC, occupied, temperature DESC",
        "SELECT DISTINCT A, B.value FROM DIGITALTWINS A JOIN B RELATED A.contains",
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(extra); i++) {
        check_pages(world, extra[i]);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(query_cases); i++) {
        check_pages(world, query_cases[i].text_z);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(whole_cases); i++) {
        check_pages(world, whole_cases[i].text_z);
    }
}

static void pages_of_any_size_give_the_same_rows(void **state)
{
    check_all_pages(*state);
}

/* What is written before a page's end is not told twice, what is written behind it comes. */
static void pages_go_on_behind_their_place_while_others_write(void **state)
{
    static const struct {
        const char *text_z, *first_z, *rest_z;
    } cases[] = {
        {"SELECT $dtId FROM DIGITALTWINS WHERE IS_NUMBER(value) ORDER BY value",
         "{'$dtId':'s3'}\n{'$dtId':'s1'}\n", "{'$dtId':'p2'}\n{'$dtId':'s2'}\n"},
        {"SELECT value, COUNT() AS n FROM DIGITALTWINS WHERE IS_NUMBER(value) GROUP BY value "
         "ORDER BY value DESC",
         "{'n':1,'value':2.5}\n{'n':1,'value':2}\n", "{'n':1,'value':-3}\n{'n':1,'value':-5}\n"},
    };
    struct world *world = *state;
    struct gm_buf rows, token;
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_query_outcome outcome;
        gm_buf_init(&rows, 1 << 20);
        gm_buf_init(&token, 1 << 20);
        struct gm_query_request request = {.text = gm_str_z(cases[i].text_z),
                                           .models = world_models(world),
                                           .rows_max = 2,
                                           .fn = world_keep_row,
                                           .ctx = &rows,
                                           .next = &token};
        check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
        assert_true(gm_str_eq(gm_buf_str(&rows), world_json(world, cases[i].first_z)));
        /* the last row told moves, one comes before it, and one behind it */
        world_import(world, i == 0 ? "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n"
                                     "{'Section':'Twins'}\n"
                                     "{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},"
                                     "'value':-9}\n"
                                     "{'$dtId':'p1','$metadata':{'$model':'dtmi:t:Sensor;1'},"
                                     "'value':0}\n"
                                     "{'$dtId':'p2','$metadata':{'$model':'dtmi:t:Sensor;1'},"
                                     "'value':2}\n"
                                   : "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n"
                                     "{'Section':'Twins'}\n"
                                     "{'$dtId':'s1','$metadata':{'$model':'dtmi:t:Sensor;1'},"
                                     "'value':-5}\n"
                                     "{'$dtId':'p1','$metadata':{'$model':'dtmi:t:Sensor;1'},"
                                     "'value':2.25}\n");
        gm_buf_reset(&rows);
        request.continuation = gm_buf_str(&token);
        request.rows_max = 10;
        request.next = NULL;
        check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
        struct gm_str wanted = world_json(world, cases[i].rest_z);
        if (!gm_str_eq(gm_buf_str(&rows), wanted)) {
            fail_msg("%s\ngot\n%s\nwanted\n%s", cases[i].text_z, rows.p, wanted.p);
        }
        gm_buf_deinit(&rows);
        gm_buf_deinit(&token);
    }
}

static void a_page_ends_behind_its_bytes(void **state)
{
    struct world *world = *state;
    struct gm_buf rows, next;
    struct gm_query_outcome outcome;
    gm_buf_init(&rows, 1 << 20);
    gm_buf_init(&next, 1 << 20);
    struct gm_query_request request = {.text = GM_STR("SELECT * FROM DIGITALTWINS"),
                                       .models = world_models(world),
                                       .bytes_max = 150,
                                       .fn = world_keep_row,
                                       .ctx = &rows,
                                       .next = &next};
    check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
    assert_true(outcome.more);
    assert_int_equal(outcome.rows, 1);
    request.continuation = gm_buf_str(&next);
    request.next = NULL;
    request.bytes_max = 1 << 20;
    check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
    assert_int_equal(outcome.rows, 9);
    gm_buf_deinit(&rows);
    gm_buf_deinit(&next);
}

static void undirected_paths_come_in_pages_too(void **state)
{
    static const char text[] =
        "SELECT A.$dtId, B.$dtId AS b FROM DIGITALTWINS MATCH (A)-[*..3]-(B)";
    struct world *world = *state;
    struct gm_buf whole, paged;
    struct gm_query_outcome outcome;
    gm_buf_init(&whole, 1 << 20);
    gm_buf_init(&paged, 1 << 20);
    check_ok(world_query(world, text, &whole, &outcome), world->err);
    assert_true(outcome.rows > 100);
    read_pages(world, text, 7, &paged);
    assert_true(gm_str_eq(gm_buf_str(&whole), gm_buf_str(&paged)));
    gm_buf_deinit(&whole);
    gm_buf_deinit(&paged);
}

static void a_token_that_was_tampered_with_is_refused(void **state)
{
    static const char *const tokens[] = {
        "x",
        "{}",
        "[]",
        "{'query':'SELECT * FROM DIGITALTWINS','leg':0,'after':[]}",
        "{'query':'SELECT * FROM DIGITALTWINS','leg':0,'after':['r1']}",
        "{'query':'SELECT * FROM DIGITALTWINS','leg':0,'after':[1,2]}",
        "{'query':'SELECT * FROM DIGITALTWINS','leg':-1,'after':[1]}",
        "{'query':'SELECT * FROM DIGITALTWINS','leg':1000,'after':[1]}",
        "{'query':'SELECT * FROM DIGITALTWINS','leg':0,'left':-5,'after':[1]}",
        "{'query':'SELECT * FROM RELATIONSHIPS','leg':0,'after':[1,'x']}",
    };
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(tokens); i++) {
        struct gm_buf rows;
        gm_buf_init(&rows, 1 << 20);
        struct gm_query_request request = {.text = GM_STR("SELECT * FROM DIGITALTWINS"),
                                           .continuation = world_json(world, tokens[i]),
                                           .models = world_models(world),
                                           .rows_max = 2,
                                           .fn = world_keep_row,
                                           .ctx = &rows};
        struct gm_query_outcome outcome;
        check_rc(gm_query_run(world->db, &request, &outcome, &world->err), GM_E_INVALID,
                 world->err);
        gm_buf_deinit(&rows);
    }
}

/* ---- metadata ---- */

/* The value of a member of the first row. */
static const char *first_row_member(struct world *world, const char *text_z, const char *name_z)
{
    struct gm_buf rows;
    struct gm_query_outcome outcome;
    yyjson_mut_val *row = NULL;
    gm_buf_init(&rows, 1 << 20);
    check_ok(world_query(world, text_z, &rows, &outcome), world->err);
    assert_int_equal(outcome.rows, 1);
    struct gm_str line;
    (void)gm_str_cut(gm_buf_str(&rows), '\n', &line, &(struct gm_str){0});
    check_ok(gm_json_parse(world->doc, line, &row, &world->err), world->err);
    gm_buf_deinit(&rows);
    return gm_arena_format(world->arena, GM_STR_FMT, GM_STR_ARG(gm_json_member_str(row, name_z))).p;
}

static void etags_are_compared(void **state)
{
    struct world *world = *state;
    const char *twin_z =
        first_row_member(world, "SELECT $etag AS e FROM DIGITALTWINS WHERE $dtId = 'r2'", "e");
    const char *relationship_z = first_row_member(
        world, "SELECT $etag AS e FROM RELATIONSHIPS WHERE $relationshipId = 'f12'", "e");
    char *text_z =
        gm_format_z("SELECT $dtId FROM DIGITALTWINS WHERE $etag = '%s' OR $etag = 'x'", twin_z);
    check_rows(world, text_z, "{'$dtId':'r2'}\n");
    gm_free(text_z);
    text_z = gm_format_z("SELECT COUNT() FROM DIGITALTWINS T WHERE T.$etag NOT IN ['%s']", twin_z);
    check_rows(world, text_z, "{'COUNT':9}\n");
    gm_free(text_z);
    text_z = gm_format_z("SELECT A.$dtId AS a FROM DIGITALTWINS A JOIN B RELATED A.feeds R "
                         "WHERE R.$etag = '%s'",
                         relationship_z);
    check_rows(world, text_z, "{'a':'r1'}\n");
    gm_free(text_z);
}

static void check_source_times(struct world *world)
{
    check_ok(gm_db_exec(world->db,
                        "UPDATE twins SET times = '{\"value\":[1600000000000000000,"
                        "\"2021-03-01T10:00:00+02:00\"]}' WHERE id = 's1'",
                        &world->err),
             world->err);
    static const struct {
        const char *condition_z, *ids_z;
    } cases[] = {
        {"$metadata.value.sourceTime = '2021-03-01T08:00:00Z'", "{'$dtId':'s1'}\n"},
        {"$metadata.value.sourceTime > '2021-03-01T08:00:00.0000001Z'", ""},
        {"IS_DEFINED($metadata.value.sourceTime)", "{'$dtId':'s1'}\n"},
        {"$metadata.value.lastUpdateTime < '2021-01-01'", "{'$dtId':'s1'}\n"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        char *text_z = gm_format_z("SELECT $dtId FROM DIGITALTWINS WHERE %s", cases[i].condition_z);
        check_rows(world, text_z, cases[i].ids_z);
        gm_free(text_z);
    }
}

static void times_of_the_source_are_compared(void **state)
{
    check_source_times(*state);
}

static gm_rc keep_whole(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)doc;
    (void)err;
    gm_json_write(row, ctx);
    return GM_OK;
}

static void twins_carry_etag_and_the_time_of_each_property(void **state)
{
    struct world *world = *state;
    world->now += 90 * GM_SECOND;
    world_import(world,
                 "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n{'Section':'Twins'}\n"
                 "{'$dtId':'r3','$metadata':{'$model':'dtmi:t:Room;1'},'name':'X',"
                 "'temperature':1,'thermostat':{'$metadata':{},'target':19.5,'unit':'F'}}\n");
    struct gm_buf row;
    struct gm_query_outcome outcome;
    gm_buf_init(&row, 1 << 20);
    struct gm_query_request request = {.text =
                                           GM_STR("SELECT * FROM DIGITALTWINS WHERE $dtId = 'r3'"),
                                       .models = world_models(world),
                                       .fn = keep_whole,
                                       .ctx = &row};
    check_ok(gm_query_run(world->db, &request, &outcome, &world->err), world->err);
    yyjson_mut_val *twin;
    check_ok(gm_json_parse(world->doc, gm_buf_str(&row), &twin, &world->err), world->err);
    static const char first[] = "2023-11-14T22:13:20.0000000Z";
    static const char second[] = "2023-11-14T22:14:50.0000000Z";
    static const struct {
        const char *pointer_z, *text_z;
    } wanted[] = {
        {"/$dtId", "r3"},
        {"/$metadata/$model", "dtmi:t:Room;1"},
        {"/$metadata/$lastUpdateTime", second},
        {"/$metadata/name/lastUpdateTime", second},
        {"/$metadata/temperature/lastUpdateTime", second},
        {"/thermostat/$metadata/$lastUpdateTime", second},
        {"/thermostat/$metadata/unit/lastUpdateTime", second},
        {"/thermostat/$metadata/target/lastUpdateTime", first},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(wanted); i++) {
        yyjson_mut_val *value = gm_json_pointer(twin, gm_str_z(wanted[i].pointer_z));
        check_str(gm_json_str(value), wanted[i].text_z);
    }
    struct gm_str etag = gm_json_member_str(twin, "$etag");
    assert_true(gm_str_starts(etag, GM_STR("W/\"")));
    assert_int_equal(etag.n, 40);
    check_rows(world,
               "SELECT T.$dtId FROM DIGITALTWINS T WHERE "
               "T.$metadata.$lastUpdateTime > '2023-11-14T22:13:20Z'",
               "{'$dtId':'r3'}\n");
    check_rows(world,
               "SELECT T.$dtId FROM DIGITALTWINS T WHERE $metadata.name.lastUpdateTime >= "
               "'2023-11-14T22:14:50Z' AND T.thermostat.$metadata.target.lastUpdateTime < "
               "'2023-11-14T22:14:50Z'",
               "{'$dtId':'r3'}\n");
    gm_buf_deinit(&row);
}

static gm_rc refuse_row(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)doc;
    (void)row;
    ++*(int *)ctx;
    return gm_fail(err, GM_E_CANCELLED, "enough");
}

static void a_callback_that_fails_ends_the_run(void **state)
{
    struct world *world = *state;
    int rows = 0;
    struct gm_query_request request = {.text = GM_STR("SELECT * FROM DIGITALTWINS"),
                                       .models = world_models(world),
                                       .fn = refuse_row,
                                       .ctx = &rows};
    struct gm_query_outcome outcome;
    check_rc(gm_query_run(world->db, &request, &outcome, &world->err), GM_E_CANCELLED, world->err);
    assert_int_equal(rows, 1);
    check_rows(world, "SELECT COUNT() FROM DIGITALTWINS", "{'COUNT':10}\n");
}

#define building_test(name) cmocka_unit_test_setup_teardown(name, building_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        building_test(conditions_select_the_twins_they_should),
        building_test(queries_give_the_rows_they_should),
        cmocka_unit_test(postgresql_gives_the_same_rows),
        building_test(what_is_wrong_is_refused_with_its_place),
        building_test(faults_are_told_in_the_words_of_the_service),
        building_test(published_limits_are_kept_when_they_are_asked_for),
        building_test(etags_are_compared),
        building_test(times_of_the_source_are_compared),
        building_test(an_unknown_model_gives_no_rows_and_a_note),
        building_test(no_text_of_the_query_gets_into_the_sql),
        building_test(hostile_names_select_nothing_and_break_nothing),
        building_test(a_thousand_conditions_are_not_too_deep),
        building_test(a_long_list_is_bound_item_by_item),
        building_test(pages_of_any_size_give_the_same_rows),
        building_test(pages_go_on_behind_their_place_while_others_write),
        building_test(a_page_ends_behind_its_bytes),
        building_test(undirected_paths_come_in_pages_too),
        building_test(a_token_that_was_tampered_with_is_refused),
        building_test(twins_carry_etag_and_the_time_of_each_property),
        building_test(a_callback_that_fails_ends_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
