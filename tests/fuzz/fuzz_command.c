/* Bodies of commands: whatever comes, problems are told or there are none, and schemas are JSON. */
#include "command/fields.h"
#include "command/plan.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct conf {
    struct gm_conf_map streams, commands;
};
static const struct gm_field fields[] = {
    GM_FIELD_MAP(struct conf, streams, .fields = gm_stream_fields,
                 .item_size = sizeof(struct gm_stream_conf)),
    GM_FIELD_MAP(struct conf, commands, .fields = gm_command_fields,
                 .item_size = sizeof(struct gm_command_conf)),
    GM_FIELD_END,
};
static const char text[] =
    "streams:\n"
    "  s:\n"
    "    versions: true\n"
    "    state: merge\n"
    "    types:\n"
    "      t: { required: { id: integer, n.m: string, n.o: array },\n"
    "           optional: { a: any, d: dateTime, b: boolean, f: double, j: object } }\n"
    "commands:\n"
    "  c:\n"
    "    { stream: s, key: 't-{id}-{k}', event: t, require: \"a > $command.f OR b IN [1, 'x']\",\n"
    "      fields: { id: { min: 1, max: 9 }, n.m: { pattern: '^[a-c]+$', max: 20 },\n"
    "                n.o: { min: 1 }, f: { values: [1.5, 2] }, b: { values: [true] } } }\n";

static void check_schema(const struct gm_fields *of)
{
    struct gm_arena *arena = gm_arena_new(1 << 20);
    struct gm_buf schema;
    struct gm_err err = {0};
    yyjson_mut_val *value;
    gm_buf_init(&schema, 1 << 20);
    gm_fields_write_schema(of, &schema);
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&schema), &value, &err);
    GM_ASSERT(rc == GM_OK);
    gm_buf_deinit(&schema);
    gm_arena_free(arena);
}

static void try(const struct gm_command_plan *plan, struct gm_str body, struct gm_arena *arena)
{
    struct gm_problems problems = {.arena = arena};
    struct gm_err err = {0};
    yyjson_mut_val *value;
    yyjson_alc memory = gm_json_memory(arena);
    if (gm_json_parse(gm_json_doc_new(arena), body, &value, &err) != GM_OK) {
        return;
    }
    yyjson_doc *doc = yyjson_mut_val_imut_copy(value, &memory);
    if (doc == NULL) {
        return;
    }
    gm_fields_check(plan->fields, yyjson_doc_get_root(doc), &problems);
    GM_ASSERT(problems.n <= problems.count && problems.n <= GM_PROBLEMS_MAX);
    for (size_t i = 0; i < problems.n; i++) {
        GM_ASSERT(problems.at[i].message.n > 0);
    }
    if (yyjson_mut_is_obj(value)) {
        (void)gm_condition_holds_mut(plan->require, value);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    struct conf conf = {0};
    struct gm_err err = {0};
    struct gm_command_plan *plan;
    struct gm_arena *arena = gm_arena_new((size_t)64 << 20);
    gm_conf_decode(doc, gm_conf_load(doc, "c.yaml", gm_str_z(text)), fields, &conf);
    GM_ASSERT(gm_conf_error_count(doc) == 0);
    gm_rc rc = gm_command_plan_new(&conf.commands.at[0], conf.streams.at[0].value, &plan, &err);
    GM_ASSERT(rc == GM_OK);
    check_schema(plan->fields);
    try(plan, (struct gm_str){(const char *)data, size}, arena);
    gm_command_plan_free(plan);
    gm_arena_free(arena);
    gm_conf_doc_free(doc);
    return 0;
}
