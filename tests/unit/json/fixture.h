/* What the tests of json/ share: an arena, a document, and text in and out. */
#ifndef TESTS_UNIT_JSON_FIXTURE_H
#define TESTS_UNIT_JSON_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/json.h"

struct fixture {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    struct gm_buf out;
    struct gm_err err;
};

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = gm_arena_new(64 << 20);
    f->doc = gm_json_doc_new(f->arena);
    gm_buf_init(&f->out, 64 << 20);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    gm_buf_deinit(&f->out);
    gm_arena_free(f->arena);
    free(f);
    return 0;
}

static inline yyjson_mut_val *parsed(struct fixture *f, const char *text_z)
{
    yyjson_mut_val *value = NULL;
    if (gm_json_parse(f->doc, gm_str_z(text_z), &value, &f->err) != GM_OK) {
        fail_msg("%s: %s", text_z, f->err.text);
    }
    return value;
}

/* The text is valid until the next call. */
static inline const char *canonical(struct fixture *f, yyjson_mut_val *value)
{
    assert_non_null(value);
    gm_buf_reset(&f->out);
    gm_json_canonical(f->doc, value, &f->out);
    assert_false(gm_buf_failed(&f->out));
    return f->out.p;
}

static inline const char *compact(struct fixture *f, const yyjson_mut_val *value)
{
    assert_non_null(value);
    gm_buf_reset(&f->out);
    gm_json_write(value, &f->out);
    assert_false(gm_buf_failed(&f->out));
    return f->out.p;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
