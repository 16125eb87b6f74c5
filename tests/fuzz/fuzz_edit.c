/* Single edits of clients: whatever is sent is an outcome, and what the log folds to is the twin.
 *
 * The input is edits divided by zero bytes; the first byte of each says what it is: 'p' puts twin
 * "a", 'c' patches its component, 'l' puts a relationship of it, 'k' patches that, and anything
 * else belongs to a patch on the twin itself. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "twin/edit.h"
#include "twin/history.h"
#include "twin/models.h"
#include "twin/times.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EDITS_MAX = 8 };

static const char models_text[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:a:Part;1\",\"@type\":\"Interface\","
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"s\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"integer\"}]},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:a:Whole;1\",\"@type\":\"Interface\","
    "\"contents\":[{\"@type\":\"Property\",\"name\":\"n\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"s\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"m\",\"schema\":{\"@type\":\"Map\",\"mapKey\":{\"name\":"
    "\"k\",\"schema\":\"string\"},\"mapValue\":{\"name\":\"v\",\"schema\":\"integer\"}}},"
    "{\"@type\":\"Property\",\"name\":\"l\",\"schema\":{\"@type\":\"Array\",\"elementSchema\":"
    "\"integer\"}},{\"@type\":\"Property\",\"name\":\"o\",\"schema\":{\"@type\":\"Object\","
    "\"fields\":[{\"name\":\"x\",\"schema\":\"double\"},{\"name\":\"y\",\"schema\":\"double\"}]}},"
    "{\"@type\":\"Component\",\"name\":\"part\",\"schema\":\"dtmi:a:Part;1\"},"
    "{\"@type\":\"Relationship\",\"name\":\"has\",\"properties\":[{\"@type\":\"Property\","
    "\"name\":\"n\",\"schema\":\"integer\"}]}]}]";

static const char whole_text[] =
    "{\"$metadata\":{\"$model\":\"dtmi:a:Whole;1\",\"n\":{\"sourceTime\":\"2026-01-01T00:00:00Z\"}}"
    ",\"n\":1,\"s\":\"a\",\"m\":{\"k\":1},\"l\":[1,2],\"o\":{\"x\":1.5},\"part\":{\"s\":\"b\","
    "\"$metadata\":{\"s\":{\"sourceTime\":\"2026-01-01T00:00:00Z\"}}}}";

/* Made once for all inputs. */
static struct gm_db *db;
static struct gm_models *models;
static struct gm_graph *graph;
static struct gm_twin_reader *reader;

static void must_at(gm_rc rc, const struct gm_err *err, int line)
{
    if (rc != GM_OK) {
        fprintf(stderr, "line %d: %s\n", line, err->text);
    }
    GM_ASSERT(rc == GM_OK);
}
#define must(expr) must_at((expr), &err, __LINE__)

static enum gm_edit_outcome run(struct gm_edit *edit, struct gm_str value)
{
    struct gm_err err = {0};
    gm_rc rc = gm_json_parse(edit->doc, value, &edit->value, &err);
    if (rc != GM_OK) {
        return GM_EDIT_INVALID;
    }
    static gm_ns now = 1000;
    now += GM_SECOND;
    must(gm_graph_begin(graph, &(struct gm_cause){.actor = GM_STR("fuzz"), .now = now}, &err));
    must(gm_graph_edit(graph, edit, &err));
    must(gm_graph_end(graph, &err));
    return edit->outcome;
}

static void put(struct gm_arena *arena, const char *id_z)
{
    struct gm_edit edit = {
        .kind = GM_EDIT_PUT_TWIN, .twin = gm_str_z(id_z), .doc = gm_json_doc_new(arena)};
    GM_ASSERT(run(&edit, GM_STR(whole_text)) == GM_EDIT_DONE);
}

static void set_up(void)
{
    struct gm_err err = {0};
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *interfaces;
    size_t added;
    char folder_z[] = "/tmp/gemel-fuzz-edit-XXXXXX"; /* left behind: fuzzers end anyhow */
    GM_ASSERT(mkdtemp(folder_z) != NULL);
    struct gm_str url = gm_arena_format(arena, "sqlite:%s/store.db", folder_z);
    must(gm_db_open(&(struct gm_db_options){.url_z = url.p, .mode = GM_DB_WRITE}, &db, &err));
    must(gm_db_migrate(db, &err));
    must(gm_json_parse(gm_json_doc_new(arena), GM_STR(models_text), &interfaces, &err));
    must(gm_models_extend(NULL, &interfaces, 1, &models, &added, &err));
    must(gm_db_begin(db, &err));
    must(gm_models_store(models, db, 1, &err));
    must(gm_graph_open(db, &graph, &err));
    gm_graph_set_models(graph, models);
    put(arena, "a");
    put(arena, "b");
    must(gm_db_commit(db, &err));
    must(gm_twin_reader_open(db, &reader, &err));
    gm_arena_free(arena);
}

/* Without what the log may say or not: $metadata of a component that holds nothing. */
static void strip(yyjson_mut_val *document)
{
    yyjson_mut_val *part = gm_json_member(document, GM_STR("part"));
    yyjson_mut_val *metadata = gm_json_member(part, GM_STR("$metadata"));
    if (metadata != NULL && gm_json_count(metadata) == 0) {
        (void)gm_json_remove(part, GM_STR("$metadata"));
    }
}

/* The log's document folds to what is stored. */
static void check_history(struct gm_arena *arena)
{
    struct gm_err err = {0};
    struct gm_twin twin;
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *folded, *stored, *times = NULL, *metadata = yyjson_mut_obj(doc);
    must(gm_twin_by_id(reader, GM_STR("a"), &twin, &err));
    must(gm_json_parse(doc, twin.body, &stored, &err));
    if (twin.times.p != NULL) {
        must(gm_json_parse(doc, twin.times, &times, &err));
    }
    const struct gm_model *model = gm_models_by_num(models, gm_twin_model_num(twin.num));
    GM_ASSERT(gm_json_set(doc, metadata, GM_STR("$model"), gm_json_strcpy(doc, model->id)) &&
              gm_json_set(doc, stored, GM_STR("$metadata"), metadata) &&
              gm_times_add_metadata(doc, stored, times));
    gm_twin_reader_reset(reader);
    struct gm_history_point point = {.twin = GM_STR("a"), .change = INT64_MAX};
    must(gm_history_at(db, &point, doc, &folded, &err));
    (void)gm_json_remove(folded, GM_STR("$dtId"));
    (void)gm_json_remove(folded, GM_STR("$relationships"));
    strip(folded);
    strip(stored);
    gm_json_sort(doc, folded);
    gm_json_sort(doc, stored);
    GM_ASSERT(gm_json_equal(folded, stored));
}

static void apply(struct gm_arena *arena, struct gm_str text)
{
    struct gm_edit edit = {
        .kind = GM_EDIT_PATCH_TWIN, .twin = GM_STR("a"), .doc = gm_json_doc_new(arena)};
    char kind = text.n > 0 ? text.p[0] : '[';
    edit.relationship = GM_STR("r");
    edit.component = GM_STR("part");
    switch (kind) {
    case 'p':
        edit.kind = GM_EDIT_PUT_TWIN;
        break;
    case 'c':
        edit.kind = GM_EDIT_PATCH_COMPONENT;
        break;
    case 'l':
        edit.kind = GM_EDIT_PUT_RELATIONSHIP;
        break;
    case 'k':
        edit.kind = GM_EDIT_PATCH_RELATIONSHIP;
        break;
    default:
        (void)run(&edit, text);
        return;
    }
    (void)run(&edit, (struct gm_str){text.p + 1, text.n - 1});
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (db == NULL) {
        set_up();
    }
    struct gm_err err = {0};
    struct gm_arena *arena = gm_arena_new(64 << 20);
    struct gm_str rest = {(const char *)data, size}, text;
    must(gm_db_begin(db, &err));
    for (int i = 0; i < EDITS_MAX && rest.n > 0; i++) {
        (void)gm_str_cut(rest, '\0', &text, &rest);
        apply(arena, text);
        check_history(arena);
    }
    gm_db_rollback(db);
    gm_graph_forget(graph);
    gm_arena_free(arena);
    return 0;
}
