/* What the tests of dtdl/ share. Definitions are written with ' for ", and without the @context of
 * DTDL 3 where it does not matter. */
#ifndef TESTS_UNIT_DTDL_FIXTURE_H
#define TESTS_UNIT_DTDL_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "dtdl/model.h"
#include "json/json.h"

struct fixture {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    struct gm_models *models; /* of the last success */
    size_t added;
    struct gm_err err;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = gm_arena_new((size_t)256 << 20);
    f->doc = gm_json_doc_new(f->arena);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    gm_models_free(f->models);
    gm_arena_free(f->arena);
    free(f);
    return 0;
}

/* JSON with ' for ". */
static inline yyjson_mut_val *parsed(struct fixture *f, const char *text_z)
{
    struct gm_str text = gm_arena_dup(f->arena, gm_str_z(text_z));
    char *copy = gm_arena_alloc(f->arena, text.n + 1);
    for (size_t i = 0; i <= text.n; i++) {
        copy[i] = text_z[i] == '\'' ? '"' : text_z[i];
    }
    yyjson_mut_val *value = NULL;
    if (gm_json_parse(f->doc, (struct gm_str){copy, text.n}, &value, &f->err) != GM_OK) {
        fail_msg("%s: %s", copy, f->err.text);
    }
    return value;
}

/* Gives each interface of the text the context of DTDL 3 when it has none. */
static inline yyjson_mut_val *interfaces(struct fixture *f, const char *text_z)
{
    yyjson_mut_val *value = parsed(f, text_z);
    yyjson_mut_val *array = value;
    if (gm_json_type(value) != YYJSON_TYPE_ARR) {
        array = yyjson_mut_arr(f->doc);
        yyjson_mut_arr_append(array, value);
    }
    size_t i, n;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(array, i, n, item)
    {
        if (gm_json_type(item) == YYJSON_TYPE_OBJ &&
            gm_json_member(item, GM_STR("@context")) == NULL) {
            gm_json_set(f->doc, item, GM_STR("@context"),
                        gm_json_strref(f->doc, GM_STR("dtmi:dtdl:context;3")));
        }
    }
    return array;
}

/* Adds to the models there are. */
static inline gm_rc extend(struct fixture *f, const char *text_z)
{
    yyjson_mut_val *value = interfaces(f, text_z);
    struct gm_models *models = NULL;
    gm_rc rc = gm_models_extend(f->models, &value, 1, &models, &f->added, &f->err);
    if (rc == GM_OK) {
        gm_models_free(f->models);
        f->models = models;
    }
    return rc;
}

static inline void expect_models(struct fixture *f, const char *text_z)
{
    if (extend(f, text_z) != GM_OK) {
        fail_msg("refused: %s", f->err.text);
    }
}

/* The whole message, so that what users read stays as good as it is. */
static inline void expect_refusal(struct fixture *f, const char *text_z, const char *message_z)
{
    gm_rc rc = extend(f, text_z);
    if (rc == GM_OK) {
        fail_msg("accepted: %s", text_z);
    }
    assert_int_equal(rc, f->err.rc);
    assert_string_equal(f->err.text, message_z);
}

static inline const struct gm_model *model_of(struct fixture *f, const char *id_z)
{
    const struct gm_model *model = gm_models_find(f->models, gm_str_z(id_z));
    if (model == NULL) {
        fail_msg("no model %s", id_z);
    }
    return model;
}

static inline const struct gm_content *content_of(struct fixture *f, const char *id_z,
                                                  const char *name_z)
{
    const struct gm_content *content = gm_model_content(model_of(f, id_z), gm_str_z(name_z));
    if (content == NULL) {
        fail_msg("%s has no %s", id_z, name_z);
    }
    return content;
}

#define assert_str_equal(view, z) assert_true(gm_str_is((view), (z)))
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
