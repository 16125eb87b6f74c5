/* A store with two models, and short words for changing it: for the tests of event routes. In texts
 * of JSON single quotes stand for double ones. */
#ifndef GM_TESTS_UNIT_ROUTE_WORLD_H
#define GM_TESTS_UNIT_ROUTE_WORLD_H

#include "support/check.h"
#include "support/tmp.h"

#include "base/mem.h"
#include "store/store.h"
#include "twin/edit.h"

struct world {
    struct tmp *tmp;
    struct gm_store *store;
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
};

static const char world_models[] =
    "[{'@context':'dtmi:dtdl:context;3','@id':'dtmi:t:Room;1','@type':'Interface','contents':["
    "{'@type':'Property','name':'temp','schema':'double'},"
    "{'@type':'Component','name':'door','schema':'dtmi:t:Door;1'},"
    "{'@type':'Relationship','name':'near'}]},"
    "{'@context':'dtmi:dtdl:context;3','@id':'dtmi:t:Door;1','@type':'Interface','contents':["
    "{'@type':'Property','name':'open','schema':'boolean'}]},"
    "{'@context':'dtmi:dtdl:context;3','@id':'dtmi:t:Hall;1','@type':'Interface','contents':["
    "{'@type':'Property','name':'temp','schema':'double'}]}]";

static inline struct gm_str world_quoted(struct world *world, const char *text_z, char from,
                                         char to)
{
    struct gm_str copy = gm_arena_dup(world->arena, gm_str_z(text_z));
    char *text = gm_arena_alloc(world->arena, copy.n + 1);
    for (size_t i = 0; i <= copy.n; i++) {
        text[i] = copy.p[i] == from ? to : copy.p[i];
    }
    return (struct gm_str){text, copy.n};
}

static inline yyjson_mut_val *world_json(struct world *world, const char *text_z)
{
    struct gm_err err = {0};
    yyjson_mut_val *value;
    check_ok(gm_json_parse(world->doc, world_quoted(world, text_z, '\'', '"'), &value, &err), err);
    return value;
}

static inline void world_open(struct world *world)
{
    struct gm_err err = {0};
    check_ok(gm_store_open(&(struct gm_store_options){.folder_z = tmp_path(world->tmp, "data")},
                           &world->store, &err),
             err);
}

static inline int world_setup(void **state)
{
    struct gm_err err = {0};
    struct world *world = gm_alloc(sizeof(*world));
    size_t added;
    world->tmp = tmp_new();
    world->arena = gm_arena_new(64 << 20);
    world->doc = gm_json_doc_new(world->arena);
    world_open(world);
    yyjson_mut_val *interfaces = world_json(world, world_models);
    check_ok(gm_store_add_interfaces(world->store, &interfaces, 1, &added, &err), err);
    *state = world;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *world = *state;
    gm_store_close(world->store);
    gm_arena_free(world->arena);
    tmp_free(world->tmp);
    gm_free(world);
    return 0;
}

struct world_edit {
    struct gm_edit edit;
    struct gm_telemetry *telemetry; /* NULL: the edit */
};

static inline gm_rc world_write(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct world_edit *job = ctx;
    const struct gm_clock *clock = gm_clock_system();
    struct gm_cause cause = {.actor = GM_STR("test"), .now = clock->wall(clock)};
    GM_TRY(gm_graph_begin(tx->graph, &cause, err));
    GM_TRY(job->telemetry != NULL ? gm_graph_telemetry(tx->graph, job->telemetry, err)
                                  : gm_graph_edit(tx->graph, &job->edit, err));
    return gm_graph_end(tx->graph, err);
}

static inline struct gm_edit world_edit(struct world *world, enum gm_edit_kind kind,
                                        const char *twin_z, const char *value_z)
{
    struct gm_err err = {0};
    struct gm_str twin = gm_str_z(twin_z), relationship;
    (void)gm_str_cut(twin, '/', &twin, &relationship);
    struct world_edit job = {
        .edit = {.kind = kind,
                 .twin = twin,
                 .relationship = relationship,
                 .doc = world->doc,
                 .value = value_z != NULL ? world_json(world, value_z) : NULL}};
    check_ok(gm_store_write(world->store, world_write, &job, &err), err);
    if (job.edit.outcome != GM_EDIT_DONE) {
        fail_msg("the edit was not done: %d %s", (int)job.edit.outcome, job.edit.why.text);
    }
    return job.edit;
}

static inline void world_make(struct world *world, const char *twin_z)
{
    (void)world_edit(world, GM_EDIT_PUT_TWIN, twin_z,
                     "{'$metadata':{'$model':'dtmi:t:Hall;1'},'temp':0}");
}

static inline void world_set(struct world *world, const char *twin_z, int value)
{
    GM_AUTO_FREE char *patch_z = gm_format_z("[{'op':'replace','path':'/temp','value':%d}]", value);
    (void)world_edit(world, GM_EDIT_PATCH_TWIN, twin_z, patch_z);
}

#endif
