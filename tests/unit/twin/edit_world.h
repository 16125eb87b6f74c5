/* Short words for single edits in the world of the graph's tests. */
#ifndef GM_TESTS_UNIT_TWIN_EDIT_WORLD_H
#define GM_TESTS_UNIT_TWIN_EDIT_WORLD_H

#include "world.h"

#include "twin/edit.h"
#include "twin/twin_json.h"

struct edit_case {
    enum gm_edit_kind kind;
    const char *twin, *value; /* single quotes stand for double ones */
    const char *part;         /* the relationship, or the component */
    enum gm_if condition;
    const char *etag;
    const struct gm_edit_limits *limits;
};

static inline yyjson_mut_val *quoted_json(struct world *world, const char *text_z)
{
    struct gm_str copy = gm_arena_dup(world->arena, gm_str_z(text_z));
    char *text = gm_arena_alloc(world->arena, copy.n + 1);
    for (size_t i = 0; i <= copy.n; i++) {
        text[i] = copy.p[i] == '\'' ? '"' : copy.p[i];
    }
    struct gm_err err = {0};
    yyjson_mut_val *value;
    check_ok(gm_json_parse(world->doc, (struct gm_str){text, copy.n}, &value, &err), err);
    return value;
}

/* In a transaction of its own. */
static inline struct gm_edit do_edit(struct world *world, struct edit_case what)
{
    struct gm_err err = {0};
    bool of_component = what.kind == GM_EDIT_PATCH_COMPONENT;
    struct gm_edit edit = {.kind = what.kind,
                           .twin = gm_str_z(what.twin),
                           .doc = world->doc,
                           .condition = {what.condition, gm_str_z(what.etag)},
                           .limits = what.limits,
                           .position = 9};
    edit.relationship = of_component ? GM_STR("") : gm_str_z(what.part);
    edit.component = of_component ? gm_str_z(what.part) : GM_STR("");
    edit.value = what.value != NULL ? quoted_json(world, what.value) : NULL;
    world_begin(world, 0);
    check_ok(gm_graph_edit(world->graph, &edit, &err), err);
    world_commit(world);
    return edit;
}

static inline enum gm_edit_outcome outcome_of(struct world *world, struct edit_case what)
{
    return do_edit(world, what).outcome;
}

/* The twin as the API shows it, with single quotes. */
static inline const char *shown_twin(struct world *world, const char *id_z)
{
    struct gm_err err = {0};
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    yyjson_mut_val *value;
    check_ok(gm_twin_reader_open(world->db, &reader, &err), err);
    check_ok(gm_twin_by_id(reader, gm_str_z(id_z), &twin, &err), err);
    check_ok(gm_twin_json(world->doc, world->models, &twin, &value, &err), err);
    gm_twin_reader_close(reader);
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_json_write(value, &text);
    struct gm_str copy = gm_arena_dup(world->arena, gm_buf_str(&text));
    gm_buf_deinit(&text);
    char *quoted = gm_arena_alloc(world->arena, copy.n + 1);
    for (size_t i = 0; i <= copy.n; i++) {
        quoted[i] = copy.p[i] == '"' ? '\'' : copy.p[i];
    }
    return quoted;
}

/* The data of the newest change, with single quotes. */
static inline const char *last_change_data(struct world *world)
{
    struct gm_err err = {0};
    struct gm_change_reader *reader;
    struct gm_change change = {0};
    int64_t num = 0;
    check_ok(gm_change_reader_open(world->db, &reader, &err), err);
    for (struct gm_change next; gm_change_read(reader, num + 1, &next, &err) == GM_OK;) {
        change = next;
        num++;
    }
    struct gm_str copy = gm_arena_dup(world->arena, change.data);
    gm_change_reader_close(reader);
    char *quoted = gm_arena_alloc(world->arena, copy.n + 1);
    for (size_t i = 0; i <= copy.n; i++) {
        quoted[i] = copy.p[i] == '"' ? '\'' : copy.p[i];
    }
    return quoted;
}

#endif
