/* A store with a few models, and short words for putting and looking: for the tests of the
 * graph. */
#ifndef GM_TESTS_UNIT_TWIN_WORLD_H
#define GM_TESTS_UNIT_TWIN_WORLD_H

#include "support/check.h"
#include "support/tmp.h"

#include "base/mem.h"
#include "db/db.h"
#include "twin/changes.h"
#include "twin/graph.h"
#include "twin/models.h"

struct world {
    struct tmp *tmp;
    struct gm_db *db;
    struct gm_graph *graph;
    struct gm_models *models;
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    struct gm_err own;
    gm_ns now;
};

static const char world_models[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Thing;1\",\"@type\":\"Interface\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"size\",\"schema\":\"double\"},"
    "{\"@type\":\"Component\",\"name\":\"place\",\"schema\":\"dtmi:t:Place;1\"},"
    "{\"@type\":\"Relationship\",\"name\":\"likes\",\"target\":\"dtmi:t:Thing;1\",\"properties\":["
    "{\"@type\":\"Property\",\"name\":\"since\",\"schema\":\"integer\"}]},"
    "{\"@type\":\"Relationship\",\"name\":\"knows\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Place;1\",\"@type\":\"Interface\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"city\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"zip\",\"schema\":\"string\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Big;1\",\"@type\":\"Interface\","
    "\"extends\":\"dtmi:t:Thing;1\"},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:Other;1\",\"@type\":\"Interface\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"}]}]";

static inline yyjson_mut_val *world_json(struct world *world, const char *text_z)
{
    struct gm_err err = {0};
    yyjson_mut_val *value;
    check_ok(gm_json_parse(world->doc, gm_str_z(text_z), &value, &err), err);
    gm_json_sort(world->doc, value);
    return value;
}

static inline void world_load_models(struct world *world)
{
    struct gm_err err = {0};
    size_t added;
    yyjson_mut_val *interfaces = world_json(world, world_models);
    check_ok(gm_models_extend(NULL, &interfaces, 1, &world->models, &added, &err), err);
    check_ok(gm_db_begin(world->db, &err), err);
    check_ok(gm_models_store(world->models, world->db, 1, &err), err);
    check_ok(gm_db_commit(world->db, &err), err);
}

static inline int world_setup(void **state)
{
    struct gm_err err = {0};
    struct world *world = gm_alloc(sizeof(*world));
    world->tmp = tmp_new();
    world->arena = gm_arena_new(64 << 20);
    world->doc = gm_json_doc_new(world->arena);
    world->now = 1000;
    check_ok(gm_db_open(&(struct gm_db_options){.url_z = tmp_url(world->tmp, "sqlite:", "store.db"),
                                                .mode = GM_DB_WRITE},
                        &world->db, &err),
             err);
    check_ok(gm_db_migrate(world->db, &err), err);
    world_load_models(world);
    check_ok(gm_graph_open(world->db, &world->graph, &err), err);
    gm_graph_set_models(world->graph, world->models);
    *state = world;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *world = *state;
    gm_graph_close(world->graph);
    gm_db_close(world->db);
    gm_models_free(world->models);
    gm_arena_free(world->arena);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

static inline void world_begin(struct world *world, int64_t pipeline)
{
    struct gm_err err = {0};
    check_ok(gm_db_begin(world->db, &err), err);
    check_ok(gm_graph_begin(
                 world->graph,
                 &(struct gm_cause){
                     .pipeline = pipeline, .run = 7, .actor = GM_STR("rows"), .now = ++world->now},
                 &err),
             err);
}

static inline void world_commit(struct world *world)
{
    struct gm_err err = {0};
    check_ok(gm_graph_end(world->graph, &err), err);
    check_ok(gm_db_commit(world->db, &err), err);
}

static inline struct gm_str world_text(struct world *world, yyjson_mut_val *value)
{
    struct gm_buf buf;
    gm_buf_init(&buf, 1 << 20);
    gm_json_canonical(world->doc, value, &buf);
    struct gm_str copy = gm_arena_dup(world->arena, gm_buf_str(&buf));
    gm_buf_deinit(&buf);
    return copy;
}

/* One put in a transaction of its own. `body` is JSON; `links` a JSON array of [id, name, target]
 * or NULL. */
struct world_put {
    const char *id, *model, *body, *links;
    int64_t pipeline;
    int64_t expected; /* 0: fresh */
};

static inline struct gm_twin_put world_put(struct world *world, struct world_put what)
{
    struct gm_err err = {0};
    struct gm_twin_put put = {.id = gm_str_z(what.id),
                              .doc = world->doc,
                              .err = &world->own,
                              .fresh = what.expected == 0,
                              .expected_num = what.expected,
                              .position = 3};
    put.model = gm_models_find(world->models, gm_str_z(what.model));
    assert_non_null(put.model);
    put.body = world_json(world, what.body);
    yyjson_mut_val *stored = yyjson_mut_val_mut_copy(world->doc, put.body);
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(stored);
    for (yyjson_mut_val *key; (key = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        if (yyjson_mut_is_null(yyjson_mut_obj_iter_get_val(key))) {
            yyjson_mut_obj_iter_remove(&iter);
        }
    }
    put.text = world_text(world, stored);
    struct gm_relationship_put links[8] = {0};
    put.has_relationships = what.links != NULL;
    yyjson_mut_val *list = what.links != NULL ? world_json(world, what.links) : NULL;
    for (size_t i = 0; i < yyjson_mut_arr_size(list); i++) {
        yyjson_mut_val *entry = yyjson_mut_arr_get(list, i);
        links[i].id = gm_json_str(yyjson_mut_arr_get(entry, 0));
        links[i].name = gm_json_str(yyjson_mut_arr_get(entry, 1));
        links[i].target_id = gm_json_str(yyjson_mut_arr_get(entry, 2));
        put.relationship_count++;
    }
    put.relationships = links;
    world_begin(world, what.pipeline);
    check_ok(gm_graph_put_twin(world->graph, &put, &err), err);
    check_ok(gm_graph_put_relationships(world->graph, &put, &err), err);
    world_commit(world);
    return put;
}

/* First column of the first row, as text; "" when there is none. */
static inline const char *world_sql(struct world *world, const char *sql_z)
{
    struct gm_err err = {0};
    struct gm_stmt *stmt;
    check_ok(gm_db_prepare(world->db, sql_z, &stmt, &err), err);
    gm_rc rc = gm_step(stmt, &err);
    struct gm_str text =
        rc == GM_OK ? gm_arena_dup(world->arena, gm_column_text(stmt, 0)) : GM_STR("");
    gm_stmt_finalize(stmt);
    return text.p;
}

#define check_sql(world, sql, expected) assert_string_equal(world_sql((world), (sql)), (expected))

#endif
