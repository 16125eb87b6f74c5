/* Import and export. */
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "building.h"
#include "os/file.h"
#include "query_world.h"

#define HEADER "{'Section':'Header'}\n{'fileVersion':'1.0.0'}\n"
#define THING                                                                                      \
    "{'@id':'dtmi:t:Thing;1','@context':'dtmi:dtdl:context;3','@type':'Interface','contents':["    \
    "{'@type':'Property','name':'name','schema':'string'},"                                        \
    "{'@type':'Property','name':'size','schema':'double'},"                                        \
    "{'@type':'Component','name':'place','schema':'dtmi:t:Place;1'},"                              \
    "{'@type':'Relationship','name':'likes','target':'dtmi:t:Thing;1','properties':["              \
    "{'@type':'Property','name':'since','schema':'integer'}]}]}\n"
#define PLACE                                                                                      \
    "{'@id':'dtmi:t:Place;1','@context':'dtmi:dtdl:context;3','@type':'Interface','contents':["    \
    "{'@type':'Property','name':'city','schema':'string'},"                                        \
    "{'@type':'Property','name':'zip','schema':'string'}]}\n"
#define MODELS HEADER "{'Section':'Models'}\n" THING PLACE
#define META "'$metadata':{'$model':'dtmi:t:Thing;1'},'place':{'$metadata':{}}"

/* Imports lines that need not be right; says what was reported. */
static const char *import_problems(struct world *world, const char *lines_z)
{
    const char *path_z = tmp_write(world->tmp, "problems.ndjson", world_json(world, lines_z));
    check_ok(world_import_file(world, path_z), world->err);
    return world->problems.n > 0 ? world->problems.p : "";
}

static gm_rc append(void *ctx, struct gm_str bytes, struct gm_err *err)
{
    (void)err;
    assert_true(gm_str_ends(bytes, GM_STR("\n")));
    gm_buf_add(ctx, bytes);
    return GM_OK;
}

static struct gm_export_counts export_all(struct world *world, struct gm_buf *out)
{
    struct gm_export_options options = {.author = GM_STR("me"), .ctx = out, .write = append};
    struct gm_export_counts counts;
    check_ok(gm_export_run(world->db, &options, &counts, &world->err), world->err);
    assert_int_equal(counts.bytes, out->n);
    return counts;
}

/* ---- there and back ---- */

/* Lines in canonical JSON, each with how often it is there. */
static struct gm_map *line_set(struct world *world, struct gm_str text)
{
    struct gm_map *set = gm_map_new();
    while (text.n > 0) {
        struct gm_str line;
        (void)gm_str_cut(text, '\n', &line, &text);
        line = gm_str_trim(line);
        yyjson_mut_val *value;
        if (line.n == 0) {
            continue;
        }
        check_ok(gm_json_parse(world->doc, line, &value, &world->err), world->err);
        struct gm_buf canonical;
        gm_buf_init(&canonical, 4 << 20);
        gm_json_canonical(world->doc, value, &canonical);
        uint64_t count = 0;
        (void)gm_map_get(set, gm_buf_str(&canonical), &count);
        if (gm_json_member(value, GM_STR("fileVersion")) == NULL) {
            (void)gm_map_set(set, gm_buf_str(&canonical), count + 1);
        }
        gm_buf_deinit(&canonical);
    }
    return set;
}

static void check_same_lines(struct world *world, struct gm_str a, struct gm_str b)
{
    struct gm_map *left = line_set(world, a), *right = line_set(world, b);
    for (size_t i = 0; i < gm_map_count(left); i++) {
        uint64_t count = 0;
        (void)gm_map_get(right, gm_map_key_at(left, i), &count);
        if (count != gm_map_value_at(left, i)) {
            fail_msg("missing: " GM_STR_FMT, GM_STR_ARG(gm_map_key_at(left, i)));
        }
    }
    assert_int_equal(gm_map_count(left), gm_map_count(right));
    gm_map_free(left);
    gm_map_free(right);
}

static void the_building_comes_out_as_it_went_in(void **state)
{
    struct world *world = *state;
    struct gm_buf out;
    gm_buf_init(&out, 4 << 20);
    world_import(world, building_lines);
    assert_int_equal(world->counts.models_created, 7);
    assert_int_equal(world->counts.twins_created, 10);
    assert_int_equal(world->counts.relationships_created, 10);
    struct gm_export_counts counts = export_all(world, &out);
    assert_int_equal(counts.models, 7);
    assert_int_equal(counts.twins, 10);
    assert_int_equal(counts.relationships, 10);
    check_same_lines(world, world_json(world, building_lines), gm_buf_str(&out));
    gm_buf_deinit(&out);
}

static void the_energy_grid_comes_out_as_it_went_in(void **state)
{
    struct world *world = *state;
    const char *shared_z = getenv("GEMEL_TEST_SHARED");
    char *path_z =
        gm_format_z("%s/graph/energy-grid-import.ndjson", shared_z != NULL ? shared_z : "");
    struct gm_file_info info;
    check_ok(gm_file_info(path_z, &info, &world->err), world->err);
    if (info.type == GM_FILE_MISSING) {
        gm_free(path_z);
        skip();
    }
    check_ok(world_import_file(world, path_z), world->err);
    assert_string_equal(world->problems.n > 0 ? world->problems.p : "", "");
    assert_int_equal(world->counts.models_created, 13);
    struct gm_buf in, out;
    gm_buf_init(&in, 4 << 20);
    gm_buf_init(&out, 4 << 20);
    check_ok(gm_file_read_all(path_z, &in, &world->err), world->err);
    struct gm_export_counts counts = export_all(world, &out);
    assert_int_equal(counts.twins, world->counts.twins_created);
    assert_int_equal(counts.relationships, world->counts.relationships_created);
    check_same_lines(world, gm_buf_str(&in), gm_buf_str(&out));
    gm_buf_deinit(&in);
    gm_buf_deinit(&out);
    gm_free(path_z);
}

static void an_export_imports_into_an_equal_export(void **state)
{
    struct world *world = *state;
    struct world *other = world_new(NULL, NULL);
    struct gm_buf first, second;
    gm_buf_init(&first, 4 << 20);
    gm_buf_init(&second, 4 << 20);
    world_import(world, building_lines);
    (void)export_all(world, &first);
    check_ok(world_import_file(other, tmp_write(other->tmp, "x.ndjson", gm_buf_str(&first))),
             other->err);
    (void)export_all(other, &second);
    check_str(gm_buf_str(&second), first.p);
    gm_buf_deinit(&first);
    gm_buf_deinit(&second);
    world_free(other);
}

static void an_export_puts_models_before_those_that_need_them(void **state)
{
    struct world *world = *state;
    struct gm_buf out;
    gm_buf_init(&out, 4 << 20);
    world_import(world, building_lines);
    (void)export_all(world, &out);
    static const char *const order[] = {"\"fileVersion\":\"1.0.0\",\"author\":\"me\"",
                                        "\"@id\":\"dtmi:t:Building;1\"",
                                        "\"@id\":\"dtmi:t:Sensor;1\"",
                                        "\"@id\":\"dtmi:t:Thermostat;1\"",
                                        "\"@id\":\"dtmi:t:Thing;1\"",
                                        "\"@id\":\"dtmi:t:Room;1\"",
                                        "\"@id\":\"dtmi:t:Room;2\"",
                                        "\"@id\":\"dtmi:t:Hall;1\"",
                                        "{\"$dtId\":\"b1\",\"$metadata\"",
                                        "{\"$dtId\":\"h1\",\"$metadata\"",
                                        "{\"$dtId\":\"b1\",\"$relationshipId\":\"b1-h1\"",
                                        "{\"$dtId\":\"b1\",\"$relationshipId\":\"b1-r1\"",
                                        "{\"$dtId\":\"r3\",\"$relationshipId\":\"f31\""};
    const char *at = out.p;
    for (size_t i = 0; i < GM_ARRAY_COUNT(order); i++) {
        const char *found = strstr(at, order[i]);
        if (found == NULL) {
            fail_msg("%s is not behind what comes before it", order[i]);
        }
        at = found;
    }
    gm_buf_deinit(&out);
}

/* ---- again ---- */

static void importing_again_writes_nothing(void **state)
{
    struct world *world = *state;
    world_import(world, building_lines);
    struct gm_buf before, after;
    gm_buf_init(&before, 1 << 20);
    gm_buf_init(&after, 1 << 20);
    struct gm_query_outcome outcome;
    world->now += GM_SECOND;
    world_import(world, building_lines);
    assert_int_equal(world->counts.models_same, 7);
    assert_int_equal(world->counts.twins_same, 10);
    assert_int_equal(world->counts.relationships_same, 10);
    assert_int_equal(world->counts.twins_created + world->counts.twins_updated, 0);
    check_ok(world_query(world,
                         "SELECT T.$dtId FROM DIGITALTWINS T WHERE "
                         "T.$metadata.$lastUpdateTime > '2023-11-14T22:13:20Z'",
                         &after, &outcome),
             world->err);
    assert_int_equal(outcome.rows, 0);
    gm_buf_deinit(&before);
    gm_buf_deinit(&after);
}

static void a_line_says_how_the_whole_twin_is(void **state)
{
    struct world *world = *state;
    world_import(world,
                 MODELS "{'Section':'Twins'}\n"
                        "{'$dtId':'a','$metadata':{'$model':'dtmi:t:Thing;1'},'name':'A','size':1,"
                        "'place':{'$metadata':{},'city':'Ulm','zip':'89073'}}\n");
    world_import(
        world, HEADER
        "{'Section':'Twins'}\n"
        "{'$dtId':'a','$etag':'x','$metadata':{'$model':'dtmi:t:Thing;1','name':"
        "{'lastUpdateTime':'2020-01-01'}},'size':2,'place':{'$metadata':{},'city':'Bonn'}}\n");
    assert_int_equal(world->counts.twins_updated, 1);
    check_rows(world, "SELECT * FROM DIGITALTWINS",
               "{'$dtId':'a','$metadata':{'$model':'dtmi:t:Thing;1'},'place':{'city':'Bonn'},"
               "'size':2}\n");
}

static void source_times_come_out_as_they_went_in(void **state)
{
    struct world *world = *state;
#define TIME(z) "{'sourceTime':'2026-01-0" z "T00:00:00Z'}"
#define SOURCES(size, city)                                                                        \
    "{'Section':'Twins'}\n{'$dtId':'a','$metadata':{'$model':'dtmi:t:Thing;1'" size                \
    "},'size':1,'place':{'$metadata':{" city "},'city':'Ulm'}}\n"
    static const char *const files[] = {
        SOURCES(",'size':" TIME("1"), "'city':" TIME("2")),
        SOURCES(",'size':" TIME("1"), "'city':" TIME("3")),
        SOURCES("", "'city':" TIME("3")),
        SOURCES("", ""),
    };
    world_import(world, MODELS);
    for (size_t i = 0; i < GM_ARRAY_COUNT(files); i++) {
        struct gm_buf out, expected;
        gm_buf_init(&out, 4 << 20);
        gm_buf_init(&expected, 4 << 20);
        world->now += GM_SECOND;
        gm_buf_add_z(&expected, MODELS);
        gm_buf_add_z(&expected, files[i]);
        gm_buf_add_z(&expected, "{'Section':'Relationships'}\n");
        struct gm_str lines = world_json(world, expected.p);
        GM_AUTO_FREE char *header_z = gm_format_z(HEADER "%s", files[i]);
        world_import(world, header_z);
        assert_int_equal(world->counts.twins_created + world->counts.twins_updated, 1);
        world_import(world, header_z);
        assert_int_equal(world->counts.twins_same, 1);
        (void)export_all(world, &out);
        check_same_lines(world, lines, gm_buf_str(&out));
        gm_buf_deinit(&out);
        gm_buf_deinit(&expected);
    }
}

static void put_by_pipeline(struct world *world)
{
    struct gm_err own = {0};
    yyjson_mut_val *body;
    struct gm_str text = world_json(world, "{'name':'P','place':{},'size':1}");
    check_ok(gm_json_parse(world->doc, text, &body, &world->err), world->err);
    struct gm_twin_put put = {.id = GM_STR("p"),
                              .model =
                                  gm_models_find(world_models(world), GM_STR("dtmi:t:Thing;1")),
                              .doc = world->doc,
                              .body = body,
                              .text = text,
                              .fresh = true,
                              .err = &own};
    struct gm_cause cause = {.pipeline = 1, .run = 1, .actor = GM_STR("Table"), .now = world->now};
    check_ok(gm_db_begin(world->db, &world->err), world->err);
    check_ok(gm_graph_begin(world->graph, &cause, &world->err), world->err);
    check_ok(gm_graph_put_twin(world->graph, &put, &world->err), world->err);
    check_ok(gm_graph_end(world->graph, &world->err), world->err);
    check_ok(gm_db_commit(world->db, &world->err), world->err);
    check_rc(put.rc, GM_OK, own);
}

static void what_pipelines_deliver_is_not_taken_away(void **state)
{
    struct world *world = *state;
    world_import(world, MODELS);
    put_by_pipeline(world);
    world_import(world, HEADER "{'Section':'Twins'}\n{'$dtId':'p'," META ",'size':2}\n");
    check_rows(world, "SELECT T.name, T.size FROM DIGITALTWINS T", "{'name':'P','size':2}\n");
    assert_string_equal(import_problems(world, HEADER
                                        "{'Section':'Models'}\n"
                                        "{'@id':'dtmi:t:Other;1','@context':'dtmi:dtdl:context;3',"
                                        "'@type':'Interface'}\n{'Section':'Twins'}\n"
                                        "{'$dtId':'p','$metadata':{'$model':'dtmi:t:Other;1'}}\n"),
                        "Twins 6: twin \"p\" is of another model, and a pipeline delivers it\n");
}

/* ---- what is wrong ---- */

static void wrong_lines_are_reported_and_stop_nothing(void **state)
{
    struct world *world = *state;
    const char *problems_z = import_problems(
        world, MODELS
        "{'Section':'Twins'}\n"                                  /* 6 */
        "{'$dtId':'a'," META "}\n"                               /* 7 */
        "{'$dtId':'b'," META ",'size':'big'}\n"                  /* 8 */
        "{'$dtId':'c'," META "\n"                                /* 9 */
        "{'$dtId':'d','$metadata':{'$model':'dtmi:t:Thng;1'}}\n" /* 10 */
        "{'$dtId':'a'," META ",'size':3}\n"                      /* 11 */
        "\n"                                                     /* 12 */
        "{" META "}\n"                                           /* 13 */
        "[1]\n"                                                  /* 14 */
        "{'$dtId':'a\\tb'," META "}\n"                           /* 15 */
        "{'$dtId':'e'," META ",'size':1}\r\n"                    /* 16 */
        "{'Section':'Relationships'}\n"                          /* 17 */
        "{'$dtId':'a','$relationshipId':'1','$relationshipName':'likes','$targetId':'e'}\n"
        "{'$dtId':'a','$relationshipId':'2','$relationshipName':'likes','$targetId':'nobody'}\n"
        "{'$dtId':'nobody','$relationshipId':'3','$relationshipName':'likes','$targetId':'a'}\n"
        "{'$dtId':'a','$relationshipId':'4','$relationshipName':'hates','$targetId':'e'}\n"
        "{'$dtId':'a','$relationshipId':'5','$relationshipName':'likes','$targetId':'e','since':'x'"
        "}\n"
        "{'$dtId':'a','$relationshipId':'1','$relationshipName':'likes','$targetId':'a'}\n"
        "{'$dtId':'a','$relationshipName':'likes','$targetId':'a'}\n"
        "{'$sourceId':'e','$relationshipId':'1','$relationshipName':'likes','$targetId':'a','since'"
        ":5}");
    static const struct {
        const char *says_z;
    } wanted[] = {
        {"Twins 8: "},
        {"Twins 9: column 78: "},
        {"Twins 10: there is no model `dtmi:t:Thng;1`; the nearest is `dtmi:t:Thing;1`"},
        {"Twins 11: \"a\" came before in this file"},
        {"Twins 13: expected a text in $dtId"},
        {"Twins 14: expected a JSON object"},
        {"Twins 15: "},
        {"Relationships 19: there is no twin \"nobody\", the relationship's target"},
        {"Relationships 20: there is no twin \"nobody\", the relationship's source"},
        {"Relationships 21: "},
        {"Relationships 22: "},
        {"Relationships 23: \"1\" came before in this file"},
        {"Relationships 24: expected a text in $relationshipId"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(wanted); i++) {
        if (strstr(problems_z, wanted[i].says_z) == NULL) {
            fail_msg("nobody said: %s\nbut\n%s", wanted[i].says_z, problems_z);
        }
    }
    assert_int_equal(world->counts.failed, (int)GM_ARRAY_COUNT(wanted));
    assert_int_equal(world->counts.twins_created, 2);
    assert_int_equal(world->counts.relationships_created, 2);
    assert_int_equal(world->counts.lines, 25);
    check_rows(world, "SELECT R.$sourceId, R.$targetId, R.since FROM RELATIONSHIPS R",
               "{'$sourceId':'a','$targetId':'e'}\n{'$sourceId':'e','$targetId':'a','since':5}\n");
}

static void a_wrong_model_takes_down_what_needs_it_and_nothing_else(void **state)
{
    struct world *world = *state;
    const char *problems_z = import_problems(
        world, HEADER
        "{'Section':'Models'}\n"
        "{'@id':'dtmi:t:D;1','@context':'dtmi:dtdl:context;3','@type':'Interface','extends':'dtmi:"
        "t:C;1'}\n"
        "{'@id':'dtmi:t:B;1','@context':'dtmi:dtdl:context;3','@type':'Interface','extends':'dtmi:"
        "t:A;1'}\n"
        "{'@id':'dtmi:t:A;1','@context':'dtmi:dtdl:context;3','@type':'Interface'}\n"
        "{'@id':'dtmi:t:C;1','@context':'dtmi:dtdl:context;3','@type':'Interface','contents':7}\n"
        "{'@id':'dtmi:t:A;1','@context':'dtmi:dtdl:context;3','@type':'Interface'}\n"
        "no json\n"
        "{'Section':'Twins'}\n"
        "{'$dtId':'b','$metadata':{'$model':'dtmi:t:B;1'}}\n"
        "{'$dtId':'c','$metadata':{'$model':'dtmi:t:C;1'}}\n");
    assert_non_null(strstr(problems_z, "Models 4: "));
    assert_non_null(strstr(problems_z, "Models 7: "));
    assert_non_null(strstr(problems_z, "Models 8: model `dtmi:t:A;1` came before"));
    assert_non_null(strstr(problems_z, "Models 9: "));
    assert_non_null(strstr(problems_z, "Twins 12: there is no model `dtmi:t:C;1`"));
    assert_int_equal(world->counts.failed, 5);
    assert_int_equal(world->counts.models_created, 2);
    assert_int_equal(world->counts.twins_created, 1);
}

static void a_model_that_is_there_with_other_content_is_reported(void **state)
{
    struct world *world = *state;
    world_import(world, MODELS);
    const char *problems_z = import_problems(
        world,
        HEADER "{'Section':'Models'}\n" PLACE
               "{'@id':'dtmi:t:Thing;1','@context':'dtmi:dtdl:context;3','@type':'Interface'}\n");
    assert_non_null(strstr(problems_z, "Models 5: "));
    assert_int_equal(world->counts.failed, 1);
    assert_int_equal(world->counts.models_same, 1);
}

static void unknown_sections_are_passed_over_line_by_line(void **state)
{
    struct world *world = *state;
    const char *problems_z = import_problems(
        world,
        MODELS "{'Section':'Jobs'}\n{'x':1}\n{ 'Section' : 'Twins' }\n{'$dtId':'a'," META "}\n");
    assert_non_null(strstr(problems_z, "none 6: unknown section `Jobs`"));
    assert_non_null(strstr(problems_z, "none 7: a line of an unknown section"));
    assert_int_equal(world->counts.twins_created, 1);
    assert_int_equal(world->counts.failed, 2);
}

static void a_file_of_another_kind_is_refused(void **state)
{
    static const struct {
        const char *text_z, *says_z;
    } cases[] = {
        {"", "no header"},
        {"hello\n", "line 1: expected {\"Section\":\"Header\"}"},
        {"{'$dtId':'a'}\n", "line 1: expected {\"Section\":\"Header\"}"},
        {"{'Section':'Header'}\n{'fileVersion':'2.0.0'}\n", "line 2: expected {\"fileVersion\""},
        {"{'Section':'Header'}\n{}\n", "line 2: expected {\"fileVersion\""},
        {"{'Section':'Twins'}\n", "no header"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        const char *path_z = tmp_write(world->tmp, "x.ndjson", world_json(world, cases[i].text_z));
        check_rc(world_import_file(world, path_z), GM_E_INVALID, world->err);
        check_err_says(world->err, cases[i].says_z);
    }
    check_rc(world_import_file(world, tmp_path(world->tmp, "none.ndjson")), GM_E_CONFIG,
             world->err);
}

/* ---- size ---- */

/* `n` twins a0 …, and as many relationships in a ring. */
static const char *write_ring(struct world *world, int n)
{
    struct gm_buf text;
    gm_buf_init(&text, 64 << 20);
    gm_buf_add(&text, world_json(world, MODELS "{'Section':'Twins'}\n"));
    for (int i = 0; i < n; i++) {
        gm_buf_addf(&text,
                    "{\"$dtId\":\"a%d\",\"size\":%d,\"place\":{\"$metadata\":{}},"
                    "\"$metadata\":{\"$model\":\"dtmi:t:Thing;1\"}}\n",
                    i, i);
    }
    gm_buf_add_z(&text, "{\"Section\":\"Relationships\"}\n");
    for (int i = 0; i < n; i++) {
        gm_buf_addf(&text,
                    "{\"$dtId\":\"a%d\",\"$relationshipId\":\"next\",\"$relationshipName\":"
                    "\"likes\",\"$targetId\":\"a%d\"}\n",
                    i, (i + 1) % n);
    }
    const char *path_z = tmp_write(world->tmp, "ring.ndjson", gm_buf_str(&text));
    gm_buf_deinit(&text);
    return path_z;
}

static void more_lines_than_a_transaction_holds_go_in(void **state)
{
    struct world *world = *state;
    int n = 2 * GM_IMPORT_BATCH_LINES + 7;
    const char *path_z = write_ring(world, n);
    check_ok(world_import_file(world, path_z), world->err);
    assert_int_equal(world->counts.failed, 0);
    assert_int_equal(world->counts.twins_created, n);
    assert_int_equal(world->counts.relationships_created, n);
    struct gm_buf in, out;
    gm_buf_init(&in, 64 << 20);
    gm_buf_init(&out, 64 << 20);
    check_ok(gm_file_read_all(path_z, &in, &world->err), world->err);
    assert_int_equal(world->counts.bytes, in.n);
    (void)export_all(world, &out);
    check_same_lines(world, gm_buf_str(&in), gm_buf_str(&out));
    gm_buf_deinit(&in);
    gm_buf_deinit(&out);
}

static void a_line_that_is_too_long_is_passed_over(void **state)
{
    struct world *world = *state;
    struct gm_buf text;
    gm_buf_init(&text, 64 << 20);
    gm_buf_add(&text, world_json(world, MODELS "{'Section':'Twins'}\n{'$dtId':'long','name':'"));
    for (int i = 0; i < 2 * GM_IMPORT_LINE_SIZE_MAX; i += 16) {
        gm_buf_add_z(&text, "0123456789abcdef");
    }
    gm_buf_add(&text, world_json(world, "'," META "}\n{'$dtId':'short'," META "}"));
    check_ok(world_import_file(world, tmp_write(world->tmp, "long.ndjson", gm_buf_str(&text))),
             world->err);
    assert_non_null(strstr(world->problems.p, "Twins 7: the line is longer than"));
    assert_int_equal(world->counts.failed, 1);
    assert_int_equal(world->counts.twins_created, 1);
    assert_int_equal(world->counts.lines, 8);
    gm_buf_deinit(&text);
}

static void a_twin_that_is_too_large_is_refused(void **state)
{
    struct world *world = *state;
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add(&text, world_json(world, MODELS "{'Section':'Twins'}\n{'$dtId':'large','name':'"));
    for (int i = 0; i < GM_TWIN_BODY_SIZE_MAX; i += 16) {
        gm_buf_add_z(&text, "0123456789abcdef");
    }
    gm_buf_add(&text, world_json(world, "'," META "}\n"));
    check_ok(world_import_file(world, tmp_write(world->tmp, "large.ndjson", gm_buf_str(&text))),
             world->err);
    assert_int_equal(world->counts.failed, 1);
    gm_buf_deinit(&text);
}

static gm_rc write_nothing(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err)
{
    (void)ctx;
    (void)fn;
    (void)fn_ctx;
    return gm_fail(err, GM_E_IO, "the disk is full");
}

static void a_failure_of_the_store_ends_the_import(void **state)
{
    struct world *world = *state;
    world_import(world, MODELS);
    struct gm_import_store store = {.ctx = world,
                                    .write = write_nothing,
                                    .add_interfaces = world_add_interfaces,
                                    .graph = world->graph,
                                    .models = world_models(world)};
    const char *path_z =
        tmp_write(world->tmp, "x.ndjson",
                  world_json(world, HEADER "{'Section':'Twins'}\n{'$dtId':'a'," META "}\n"));
    struct gm_import_options options = {.path_z = path_z, .clock = &world->clock};
    check_rc(gm_import_run(&store, &options, &world->counts, &world->err), GM_E_IO, world->err);
    check_err_says(world->err, "the disk is full");
    assert_int_equal(world->counts.twins_created, 0);
}

static void a_deadline_ends_the_import_between_transactions(void **state)
{
    struct world *world = *state;
    const char *path_z = write_ring(world, 5);
    struct gm_stop *stop = gm_stop_new();
    gm_stop_request(stop);
    struct gm_deadline deadline = {.stop = stop};
    struct gm_import_store store = {.ctx = world,
                                    .write = world_write,
                                    .add_interfaces = world_add_interfaces,
                                    .graph = world->graph};
    struct gm_import_options options = {
        .path_z = path_z, .clock = &world->clock, .deadline = &deadline};
    check_rc(gm_import_run(&store, &options, &world->counts, &world->err), GM_E_CANCELLED,
             world->err);
    gm_stop_free(stop);
}

/* What a caller writes down with each transaction, until it is stopped. */
struct notebook {
    struct gm_import_position last;
    int marks, marks_max;
    struct gm_stop *stop;
};

static gm_rc note(void *ctx, struct gm_db *db, const struct gm_import_position *position,
                  struct gm_err *err)
{
    (void)db;
    (void)err;
    struct notebook *notebook = ctx;
    notebook->last = *position;
    if (++notebook->marks == notebook->marks_max) {
        gm_stop_request(notebook->stop);
    }
    return GM_OK;
}

static void an_import_goes_on_where_it_was_stopped(void **state)
{
    struct world *world = *state;
    int n = 2 * GM_IMPORT_BATCH_LINES + 7;
    const char *path_z = write_ring(world, n);
    struct gm_import_store store = {.ctx = world,
                                    .write = world_write,
                                    .add_interfaces = world_add_interfaces,
                                    .graph = world->graph};
    struct notebook notebook = {.marks_max = 1};
    struct gm_import_options options = {
        .path_z = path_z, .clock = &world->clock, .ctx = &notebook, .mark = note};
    gm_rc rc = GM_E_CANCELLED;
    for (int begun = 0; rc == GM_E_CANCELLED; begun++) {
        assert_in_range(begun, 0, 10);
        notebook.stop = gm_stop_new();
        notebook.marks = 0;
        struct gm_deadline deadline = {.stop = notebook.stop};
        struct gm_import_position from = notebook.last;
        options.deadline = &deadline;
        options.from = begun > 0 ? &from : NULL;
        rc = gm_import_run(&store, &options, &world->counts, &world->err);
        store.models = world_models(world);
        gm_stop_free(notebook.stop);
    }
    check_ok(rc, world->err);
    assert_int_equal(notebook.last.section, GM_IMPORT_RELATIONSHIPS);
    assert_int_equal(world->counts.failed, 0);
    assert_int_equal(world->counts.twins_created, n);
    assert_int_equal(world->counts.twins_same, 0);
    assert_int_equal(world->counts.relationships_created, n);
    struct gm_file_info info;
    check_ok(gm_file_info(path_z, &info, &world->err), world->err);
    assert_int_equal(world->counts.bytes, info.size_bytes);
}

#define world_test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(the_building_comes_out_as_it_went_in),
        world_test(the_energy_grid_comes_out_as_it_went_in),
        world_test(an_export_imports_into_an_equal_export),
        world_test(an_export_puts_models_before_those_that_need_them),
        world_test(importing_again_writes_nothing),
        world_test(a_line_says_how_the_whole_twin_is),
        world_test(source_times_come_out_as_they_went_in),
        world_test(what_pipelines_deliver_is_not_taken_away),
        world_test(wrong_lines_are_reported_and_stop_nothing),
        world_test(a_wrong_model_takes_down_what_needs_it_and_nothing_else),
        world_test(a_model_that_is_there_with_other_content_is_reported),
        world_test(unknown_sections_are_passed_over_line_by_line),
        world_test(a_file_of_another_kind_is_refused),
        world_test(more_lines_than_a_transaction_holds_go_in),
        world_test(a_line_that_is_too_long_is_passed_over),
        world_test(a_twin_that_is_too_large_is_refused),
        world_test(a_failure_of_the_store_ends_the_import),
        world_test(a_deadline_ends_the_import_between_transactions),
        world_test(an_import_goes_on_where_it_was_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
