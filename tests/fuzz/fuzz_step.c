/* What users and their data put into steps. The first byte chooses: even, the rest is a template;
 * odd, it is a cell that is converted to every type, and what a conversion gives must pass the
 * check that the sink makes. */
#include <stdint.h>
#include <string.h>

#include "step/convert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char model_text[] =
    "{\"@id\":\"dtmi:x;1\",\"@type\":\"Interface\",\"@context\":\"dtmi:dtdl:context;3\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"a\",\"schema\":\"boolean\"},"
    "{\"@type\":\"Property\",\"name\":\"b\",\"schema\":\"integer\"},"
    "{\"@type\":\"Property\",\"name\":\"c\",\"schema\":\"long\"},"
    "{\"@type\":\"Property\",\"name\":\"d\",\"schema\":\"float\"},"
    "{\"@type\":\"Property\",\"name\":\"e\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"f\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"g\",\"schema\":\"date\"},"
    "{\"@type\":\"Property\",\"name\":\"h\",\"schema\":\"dateTime\"},"
    "{\"@type\":\"Property\",\"name\":\"i\",\"schema\":\"time\"},"
    "{\"@type\":\"Property\",\"name\":\"j\",\"schema\":\"duration\"},"
    "{\"@type\":\"Property\",\"name\":\"k\",\"schema\":\"polygon\"},"
    "{\"@type\":\"Property\",\"name\":\"l\",\"schema\":{\"@type\":\"Enum\",\"valueSchema\":"
    "\"integer\","
    "\"enumValues\":[{\"name\":\"a\",\"enumValue\":1},{\"name\":\"b\",\"enumValue\":2}]}},"
    "{\"@type\":\"Property\",\"name\":\"m\",\"schema\":{\"@type\":\"Object\",\"fields\":["
    "{\"name\":\"a\",\"schema\":\"date\"},{\"name\":\"b\",\"schema\":{\"@type\":\"Array\","
    "\"elementSchema\":\"double\"}}]}},"
    "{\"@type\":\"Property\",\"name\":\"n\",\"schema\":{\"@type\":\"Map\","
    "\"mapKey\":{\"name\":\"k\",\"schema\":\"string\"},"
    "\"mapValue\":{\"name\":\"v\",\"schema\":\"boolean\"}}}]}";

/* Lengths of texts and keys are checked by the sink alone: short inputs never reach them. */
enum { INPUT_SIZE_MAX = 500 };

static const struct gm_model *get_model(void)
{
    static struct gm_models *models;
    if (models == NULL) {
        struct gm_arena *arena = gm_arena_new(1 << 20);
        yyjson_mut_doc *doc = gm_json_doc_new(arena);
        yyjson_mut_val *value;
        struct gm_err err = {0};
        size_t added;
        GM_ASSERT(gm_json_parse(doc, gm_str_z(model_text), &value, &err) == GM_OK);
        GM_ASSERT(gm_models_extend(NULL, &value, 1, &models, &added, &err) == GM_OK);
        gm_arena_free(arena);
    }
    return gm_models_at(models, 0);
}

/* The kind of the cell is chosen by `kind`, its content is `text`. */
static struct gm_cell make_cell(uint8_t kind, struct gm_str text)
{
    struct gm_cell cell = {.type = GM_CELL_TEXT, .as.s = text};
    size_t n = text.n < 8 ? text.n : 8;
    if (kind % 8 == 1) {
        cell = (struct gm_cell){.type = GM_CELL_INT};
        memcpy(&cell.as.i, text.p, n);
    } else if (kind % 8 == 3) {
        cell = (struct gm_cell){.type = GM_CELL_DOUBLE};
        memcpy(&cell.as.d, text.p, n);
    } else if (kind % 8 == 5) {
        cell.type = GM_CELL_BYTES;
    }
    return cell;
}

static void convert_to_all(struct gm_batch *batch, const struct gm_cell *cell)
{
    const struct gm_model *model = get_model();
    struct gm_convert to = {.arena = batch->arena, .doc = batch->doc};
    for (size_t i = 0; i < model->content_count; i++) {
        const struct gm_schema *schema = model->contents[i].schema;
        struct gm_err err = {0};
        yyjson_mut_val *value = NULL;
        gm_rc rc = gm_convert_cell(&to, schema, cell, &value, &err);
        GM_ASSERT(rc == GM_OK || (rc == GM_E_INVALID && err.text[0] != '\0'));
        GM_ASSERT(gm_utf8_valid(gm_str_z(err.text), NULL));
        GM_ASSERT(rc != GM_OK || gm_schema_check(schema, value, &err) == GM_OK);
    }
}

static void render(struct gm_batch *batch, struct gm_str text)
{
    static const struct gm_str names[] = {{"a", 1}, {"b", 1}};
    static const struct gm_shape shape = {.count = 2, .names = names};
    struct gm_steps_conf conf = {0};
    struct gm_node members[] = {{.type = GM_NODE_SCALAR, .text = text, .key = {"$dtId", 5}},
                                {.type = GM_NODE_SCALAR, .text = text, .key = {"$model", 6}},
                                {.type = GM_NODE_SCALAR, .text = text, .key = {"p", 1}}};
    struct gm_node *items[] = {&members[0], &members[1], &members[2]};
    struct gm_node map = {.type = GM_NODE_MAP, .items = items, .item_count = 3};
    conf.map = &map;
    struct gm_steps *steps;
    struct gm_err err = {0};
    if (gm_steps_compile(&conf, NULL, &steps, &err) != GM_OK) {
        GM_ASSERT(err.text[0] != '\0');
        return;
    }
    batch->shape = &shape;
    struct gm_record *record = gm_batch_add(batch);
    struct gm_cell *cells = gm_batch_cells(batch);
    cells[0] = make_cell(0, text);
    record->cells = cells;
    gm_rc rc = gm_steps_apply(steps, batch, record, &err);
    GM_ASSERT(rc == GM_OK || rc == GM_E_CONFIG);
    gm_steps_free(steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > INPUT_SIZE_MAX) {
        return 0;
    }
    struct gm_batch *batch = gm_batch_new();
    struct gm_str text = {(const char *)data + 1, size - 1};
    if (data[0] % 2 == 0) {
        render(batch, text);
    } else {
        struct gm_cell cell = make_cell(data[0], text);
        convert_to_all(batch, &cell);
    }
    gm_batch_free(batch);
    return 0;
}
