/* JSON from outside: parsing, canonical text, difference and patches. The input is up to three
 * texts divided by zero bytes: a document, a second document, a patch. */
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static yyjson_mut_val *next_value(yyjson_mut_doc *doc, struct gm_str *rest)
{
    struct gm_str head;
    gm_str_cut(*rest, '\0', &head, rest);
    yyjson_mut_val *value = NULL;
    struct gm_err err = {0};
    return gm_json_parse(doc, head, &value, &err) == GM_OK ? value : NULL;
}

/* Canonical text is a fixed point: it reads back equal and is written the same. */
static void check_canonical(yyjson_mut_doc *doc, yyjson_mut_val *value)
{
    struct gm_buf first;
    struct gm_buf second;
    gm_buf_init(&first, 8 << 20);
    gm_buf_init(&second, 8 << 20);
    gm_json_canonical(doc, value, &first);
    if (!gm_buf_failed(&first)) {
        struct gm_err err = {0};
        yyjson_mut_val *again = NULL;
        gm_rc rc = gm_json_parse(doc, gm_buf_str(&first), &again, &err);
        GM_ASSERT(rc == GM_OK || rc == GM_E_LIMIT);
        if (rc == GM_OK) {
            GM_ASSERT(gm_json_equal(value, again));
            gm_json_canonical(doc, again, &second);
            GM_ASSERT(gm_str_eq(gm_buf_str(&first), gm_buf_str(&second)));
        }
    }
    gm_buf_deinit(&first);
    gm_buf_deinit(&second);
}

static void check_difference(yyjson_mut_doc *doc, yyjson_mut_val *from, yyjson_mut_val *to)
{
    yyjson_mut_val *patched = gm_json_copy(doc, from);
    yyjson_mut_val *patch = patched != NULL ? gm_json_diff(doc, from, to) : NULL;
    struct gm_err err = {0};
    if (patch != NULL) {
        gm_rc rc = gm_json_patch(doc, &patched, patch, &err);
        GM_ASSERT(rc == GM_E_LIMIT || (rc == GM_OK && gm_json_equal(patched, to)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_arena *arena = gm_arena_new(8 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    struct gm_str rest = {(const char *)data, size};
    yyjson_mut_val *first = next_value(doc, &rest);
    yyjson_mut_val *second = next_value(doc, &rest);
    yyjson_mut_val *patch = next_value(doc, &rest);
    if (first != NULL) {
        check_canonical(doc, first);
    }
    if (first != NULL && second != NULL) {
        check_difference(doc, first, second);
        yyjson_mut_val *merged = gm_json_merge_patch(doc, gm_json_copy(doc, first), second);
        if (merged != NULL) {
            check_canonical(doc, merged);
        }
    }
    if (first != NULL && patch != NULL) {
        struct gm_err err = {0};
        if (gm_json_patch(doc, &first, patch, &err) == GM_OK) {
            check_canonical(doc, first);
        }
    }
    gm_arena_free(arena);
    return 0;
}
