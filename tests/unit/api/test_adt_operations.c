/* The table of operations of the twin API, and matching. */
#include "support/check.h"

#include "api/adt/call.h"

static enum gm_adt_match find(const char *method_z, const char *path_z, const char **out_path_z,
                              struct gm_str parts[GM_ADT_PARTS_MAX])
{
    const struct gm_adt_operation *operation = NULL;
    memset(parts, 0, GM_ADT_PARTS_MAX * sizeof(*parts));
    enum gm_adt_match match = gm_adt_find(method_z, path_z, &operation, parts);
    *out_path_z = operation != NULL ? operation->path_z : NULL;
    return match;
}

static void each_operation_matches_its_own_template_and_no_other(void **state)
{
    (void)state;
    const struct gm_adt_operation *at;
    for (at = gm_adt_operations(); at->method_z != NULL; at++) {
        struct gm_str parts[GM_ADT_PARTS_MAX];
        const char *path_z;
        assert_int_equal(find(at->method_z, at->path_z, &path_z, parts), GM_ADT_FOUND);
        assert_string_equal(path_z, at->path_z);
        assert_non_null(at->handle);
        assert_true(strlen(at->help_z) > 10);
    }
}

static void segments_are_split_before_they_are_decoded(void **state)
{
    (void)state;
    struct gm_str parts[GM_ADT_PARTS_MAX];
    const char *path_z;
    assert_int_equal(find("GET", "/DigitalTwins/a%2Fb/RELATIONSHIPS/%3B", &path_z, parts),
                     GM_ADT_FOUND);
    assert_string_equal(path_z, "/digitaltwins/{id}/relationships/{relationshipId}");
    assert_true(gm_str_is(parts[0], "a%2Fb"));
    assert_true(gm_str_is(parts[1], "%3B"));
}

static void what_is_no_path_and_what_is_no_method_are_told_apart(void **state)
{
    (void)state;
    static const char *const none[] = {"",
                                       "/",
                                       "/digitaltwins",
                                       "/digitaltwins/",
                                       "//digitaltwins/x",
                                       "/digitaltwins//telemetry",
                                       "/digitaltwins/x/y",
                                       "/digitaltwins/x/relationships/r/s",
                                       "/digitaltwin%73/x",
                                       "/quer"};
    struct gm_str parts[GM_ADT_PARTS_MAX];
    const char *path_z;
    for (size_t i = 0; i < GM_ARRAY_COUNT(none); i++) {
        assert_int_equal(find("GET", none[i], &path_z, parts), GM_ADT_NO_PATH);
    }
    assert_int_equal(find("GET", "/query", &path_z, parts), GM_ADT_NO_METHOD);
    assert_string_equal(path_z, "/query");
    assert_int_equal(find("get", "/digitaltwins/x", &path_z, parts), GM_ADT_NO_METHOD);
}

static void tokens_read_back_what_was_written(void **state)
{
    (void)state;
    struct gm_arena *arena = gm_arena_new(1 << 20);
    static const char *const wrong[] = {"0", "zz", "ff", "c328", "7 "};
    struct gm_str back;
    struct gm_buf token;
    gm_buf_init(&token, 1 << 10);
    gm_adt_token_write(GM_STR("{\"after\":\"ä/ b\"}"), &token);
    assert_true(gm_adt_token_read(arena, gm_buf_str(&token), &back));
    assert_true(gm_str_is(back, "{\"after\":\"ä/ b\"}"));
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        assert_false(gm_adt_token_read(arena, gm_str_z(wrong[i]), &back));
    }
    gm_buf_deinit(&token);
    gm_arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_matches_its_own_template_and_no_other),
        cmocka_unit_test(segments_are_split_before_they_are_decoded),
        cmocka_unit_test(what_is_no_path_and_what_is_no_method_are_told_apart),
        cmocka_unit_test(tokens_read_back_what_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
