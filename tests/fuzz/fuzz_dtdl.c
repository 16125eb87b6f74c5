/* Models and values from outside. The input is up to two texts divided by a zero byte: interfaces,
 * and a body that is checked against each model that came of them. */
#include <stdint.h>

#include "base/arena.h"
#include "dtdl/model.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a set holds makes the same set again. */
static void check_again(const struct gm_models *models)
{
    struct gm_err err = {0};
    struct gm_models *again = NULL;
    size_t added = 1;
    gm_rc rc = gm_models_extend(models, NULL, 0, &again, &added, &err);
    GM_ASSERT(rc == GM_OK && added == 0);
    GM_ASSERT(gm_models_count(again) == gm_models_count(models));
    for (size_t i = 0; i < gm_models_count(models); i++) {
        const struct gm_model *model = gm_models_at(models, i);
        const struct gm_model *same = gm_models_find(again, model->id);
        GM_ASSERT(same != NULL && gm_str_eq(same->text, model->text));
        GM_ASSERT(same->content_count == model->content_count);
    }
    gm_models_free(again);
}

static void check_contents(const struct gm_model *model)
{
    for (size_t i = 0; i < model->content_count; i++) {
        const struct gm_content *content = &model->contents[i];
        GM_ASSERT(gm_model_content(model, content->name) == content);
        GM_ASSERT(i == 0 || gm_str_cmp(content[-1].name, content->name) < 0);
        GM_ASSERT((content->type != GM_CONTENT_PROPERTY && content->type != GM_CONTENT_TELEMETRY) ||
                  content->schema != NULL);
        GM_ASSERT(content->type != GM_CONTENT_COMPONENT || content->component != NULL);
    }
    for (size_t i = 0; i < model->base_count; i++) {
        GM_ASSERT(gm_model_is(model, model->bases[i]) && model->bases[i] != model);
    }
}

static void check_values(const struct gm_models *models, const yyjson_mut_val *body)
{
    struct gm_err err = {0};
    for (size_t i = 0; i < gm_models_count(models); i++) {
        const struct gm_model *model = gm_models_at(models, i);
        gm_rc rc = gm_model_check_body(model, body, &err);
        GM_ASSERT(rc == GM_OK || (rc == GM_E_INVALID && err.text[0] != '\0'));
        for (size_t j = 0; j < model->content_count; j++) {
            const struct gm_content *content = &model->contents[j];
            if (content->schema != NULL) {
                rc = gm_schema_check(content->schema, body, &err);
                GM_ASSERT(rc == GM_OK || rc == GM_E_INVALID);
            }
            rc = gm_model_check_relationship(model, content->name, models, model, body, &err);
            GM_ASSERT(rc == GM_OK || rc == GM_E_INVALID);
        }
    }
}

/* Refused definitions have errors, others have none. */
static bool make(yyjson_mut_val *interfaces, size_t undefined, struct gm_models **out_models)
{
    struct gm_err err = {0};
    struct gm_model_errors *errors = gm_model_errors_new();
    struct gm_models_request request = {.interfaces = &interfaces,
                                        .count = 1,
                                        .undefined = (enum gm_models_undefined)undefined,
                                        .errors = errors};
    size_t added;
    gm_rc rc = gm_models_make(&request, out_models, &added, &err);
    GM_ASSERT(rc == GM_OK || err.text[0] != '\0');
    GM_ASSERT((rc == GM_E_INVALID) == (gm_model_errors_total(errors) > 0));
    for (size_t i = 0; i < gm_model_errors_count(errors); i++) {
        GM_ASSERT(gm_model_errors_at(errors, i)->text.n > 0);
    }
    gm_model_errors_free(errors);
    return rc == GM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_arena *arena = gm_arena_new(16 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    struct gm_err err = {0};
    struct gm_str definitions, values;
    yyjson_mut_val *interfaces = NULL, *body = NULL;
    (void)gm_str_cut((struct gm_str){(const char *)data, size}, '\0', &definitions, &values);
    if (gm_json_parse(doc, definitions, &interfaces, &err) == GM_OK) {
        struct gm_models *models = NULL;
        if (make(interfaces, size % 3, &models)) {
            for (size_t i = 0; i < gm_models_count(models); i++) {
                check_contents(gm_models_at(models, i));
            }
            check_again(models);
            if (gm_json_parse(doc, values, &body, &err) == GM_OK) {
                check_values(models, body);
            }
        }
        gm_models_free(models);
    }
    gm_arena_free(arena);
    return 0;
}
