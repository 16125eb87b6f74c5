/* Queries: whatever is accepted becomes SQL on both engines that SQLite, for its part, can
 * prepare. */
#include <stdint.h>
#include <string.h>

#include "twin/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char model_text[] =
    "[{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:a:A;1\",\"@type\":\"Interface\"},"
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:a:B;1\",\"@type\":\"Interface\","
    "\"extends\":\"dtmi:a:A;1\"}]";

/* Made once for all inputs. */
static struct gm_models *models;
static struct gm_db *db;

static void set_up(void)
{
    struct gm_err err = {0};
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *interfaces;
    size_t added;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), gm_str_z(model_text), &interfaces, &err);
    GM_ASSERT(rc == GM_OK);
    rc = gm_models_extend(NULL, &interfaces, 1, &models, &added, &err);
    GM_ASSERT(rc == GM_OK && gm_models_set_stored(models, GM_STR("dtmi:a:A;1"), 1, 0, false) &&
              gm_models_set_stored(models, GM_STR("dtmi:a:B;1"), 2, 0, false));
    rc = gm_db_open(&(struct gm_db_options){.url_z = "sqlite::memory:", .mode = GM_DB_WRITE}, &db,
                    &err);
    rc = rc == GM_OK ? gm_db_migrate(db, &err) : rc;
    GM_ASSERT(rc == GM_OK);
    gm_arena_free(arena);
}

static gm_rc ignore(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)ctx;
    (void)doc;
    (void)row;
    (void)err;
    return GM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (models == NULL) {
        set_up();
    }
    struct gm_str text = {(const char *)data, size};
    struct gm_err err = {0};
    struct gm_buf sql;
    gm_buf_init(&sql, (size_t)256 << 20);
    gm_rc rc = gm_query_explain(text, models, GM_DB_POSTGRESQL, &sql, &err);
    GM_ASSERT(rc == GM_OK || (rc == GM_E_INVALID && err.text[0] != '\0'));
    gm_buf_deinit(&sql);
    struct gm_err explained = err;
    struct gm_query_request request = {
        .text = text, .models = models, .rows_max = 10, .fn = ignore};
    struct gm_query_outcome outcome;
    gm_rc ran = gm_query_run(db, &request, &outcome, &err);
    /* An ETag can be compared on SQLite alone. */
    GM_ASSERT(ran == rc || (ran == GM_OK && strstr(explained.text, "$etag") != NULL));
    GM_ASSERT(ran != GM_E_INVALID || outcome.fault.message[0] != '\0');
    return 0;
}
