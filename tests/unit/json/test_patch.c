#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/rng.h"

/* `result` is the document afterwards, or the error's text. */
struct patch_case {
    const char *document, *patch, *result;
};

static void check_cases(struct fixture *f, const struct patch_case *cases, size_t count,
                        bool refused)
{
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *value = parsed(f, cases[i].document);
        yyjson_mut_val *patch = parsed(f, cases[i].patch);
        gm_rc rc = gm_json_patch(f->doc, &value, patch, &f->err);
        if (rc != (refused ? GM_E_INVALID : GM_OK)) {
            fail_msg("%s: %s: %s", cases[i].document, cases[i].patch,
                     rc != GM_OK ? f->err.text : "was applied");
        }
        const char *got = refused ? f->err.text : compact(f, value);
        if (strcmp(got, cases[i].result) != 0) {
            fail_msg("%s: %s: got %s, expected %s", cases[i].document, cases[i].patch, got,
                     cases[i].result);
        }
        assert_string_equal(
            compact(f, patch),
            compact(f, parsed(f, cases[i].patch))); /* the patch can be used again */
    }
}

/* RFC 6902, appendix A, and what implementations commonly get wrong. */
static void patches_apply_as_rfc_6902_says(void **state)
{
    static const struct patch_case cases[] = {
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
         "{\"foo\":[\"bar\",\"qux\",\"baz\"]}"},
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
         "{\"foo\":\"bar\"}"},
        {"{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
         "{\"foo\":[\"bar\",\"baz\"]}"},
        {"{\"baz\":\"qux\",\"foo\":\"bar\"}",
         "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
         "{\"baz\":\"boo\",\"foo\":\"bar\"}"},
        {"{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
         "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
         "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}"},
        {"{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
         "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
         "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}"},
        {"{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
         "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},{\"op\":\"test\",\"path\":\"/foo/"
         "1\",\"value\":2}]",
         "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}"},
        {"{\"foo\":\"bar\"}",
         "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
         "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}"},
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"/\":9,\"~1\":10}", "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10}]",
         "{\"/\":9,\"~1\":10}"},
        {"{\"foo\":[\"bar\"]}",
         "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[\"abc\",\"def\"]}]",
         "{\"foo\":[\"bar\",[\"abc\",\"def\"]]}"},
        {"{\"a\":1}", "[]", "{\"a\":1}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[2]}]", "[2]"},
        {"{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":null}]", "null"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/\",\"value\":2}]", "{\"a\":1,\"\":2}"},
        {"{}", "[{\"op\":\"add\",\"path\":\"/x~1y~0z\",\"value\":1}]", "{\"x/y~z\":1}"},
        {"[]",
         "[{\"op\":\"add\",\"path\":\"/0\",\"value\":1},{\"op\":\"add\",\"path\":\"/"
         "0\",\"value\":0}]",
         "[0,1]"},
        {"[1]", "[{\"op\":\"remove\",\"path\":\"/0\"}]", "[]"},
        {"[1,2,3]", "[{\"op\":\"replace\",\"path\":\"/2\",\"value\":{\"x\":1}}]",
         "[1,2,{\"x\":1}]"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/c\"}]",
         "{\"a\":{\"b\":1,\"c\":{\"b\":1}}}"},
        {"{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]", "{\"a\":1}"},
        {"{\"a\":1,\"ab\":2}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/ab\"}]",
         "{\"ab\":1}"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/a\"}]", "{\"a\":1}"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"\",\"path\":\"/c\"}]",
         "{\"a\":{\"b\":1},\"c\":{\"a\":{\"b\":1}}}"},
        {"{\"a\":1.0}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", "{\"a\":1.0}"},
        {"{\"a\":{\"x\":1,\"y\":[2]}}",
         "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"y\":[2],\"x\":1}}]",
         "{\"a\":{\"x\":1,\"y\":[2]}}"},
        {"{\"a\":[1,2]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":3}]", "{\"a\":[1,2,3]}"},
    };
    check_cases(*state, cases, sizeof(cases) / sizeof(cases[0]), false);
}

static void refusals_have_the_usual_wording(void **state)
{
#define NOT_FOUND(segment)                                                                         \
    "The target location specified by path segment '" segment "' was not found."
    static const struct patch_case cases[] = {
        {"{}", "{}", "A patch must be a JSON array of operations."},
        {"{}", "[1]", "A patch operation must be a JSON object."},
        {"{}", "[{\"path\":\"/a\"}]", "Parameter op must not be empty."},
        {"{}", "[{\"op\":\"\",\"path\":\"/a\"}]", "Parameter op must not be empty."},
        {"{}", "[{\"op\":\"spam\",\"path\":\"/a\"}]", "Unsupported operation type spam."},
        {"{}", "[{\"op\":\"remove\"}]", "Parameter path must not be empty."},
        {"{}", "[{\"op\":\"add\",\"path\":\"/a\"}]", "Parameter value must not be empty."},
        {"{}", "[{\"op\":\"copy\",\"path\":\"/a\"}]", "Parameter from must not be empty."},
        {"{}", "[{\"op\":\"remove\",\"path\":\"/x\"}]", NOT_FOUND("x")},
        {"{}", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":1}]", NOT_FOUND("x")},
        {"{}", "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]", NOT_FOUND("x")},
        {"{\"a\":{}}", "[{\"op\":\"add\",\"path\":\"/a/b/c\",\"value\":1}]", NOT_FOUND("b")},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}]", NOT_FOUND("b")},
        {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/2\",\"value\":1}]", NOT_FOUND("2")},
        {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/01\",\"value\":1}]", NOT_FOUND("01")},
        {"{\"a\":[1]}", "[{\"op\":\"add\",\"path\":\"/a/-1\",\"value\":1}]", NOT_FOUND("-1")},
        {"{\"a\":[1]}", "[{\"op\":\"remove\",\"path\":\"/a/-\"}]", NOT_FOUND("-")},
        {"{\"a\":[1]}", "[{\"op\":\"replace\",\"path\":\"/a/1\",\"value\":1}]", NOT_FOUND("1")},
        {"{}", "[{\"op\":\"test\",\"path\":\"/a~1b\",\"value\":null}]", NOT_FOUND("a/b")},
        {"{}", "[{\"op\":\"move\",\"from\":\"/q\",\"path\":\"/a\"}]", NOT_FOUND("q")},
        {"{}", "[{\"op\":\"move\",\"from\":\"/q\",\"path\":\"/q\"}]", NOT_FOUND("q")},
        {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
         "A value cannot be moved into itself, from '/a' to '/a/b'."},
        {"{\"a\":{}}", "[{\"op\":\"move\",\"from\":\"\",\"path\":\"/a\"}]",
         "A value cannot be moved into itself, from '' to '/a'."},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"1\"}]",
         "The current value at path '/a' is not equal to the test value."},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"\"}]",
         "The document as a whole cannot be removed."},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]",
         "Parameter path must be a JSON pointer: parts that each begin with '/', with '~' written "
         "as ~0 and '/' as ~1; found "
         "'a'."},
    };
    check_cases(*state, cases, sizeof(cases) / sizeof(cases[0]), true);
}

static void patches_cannot_build_what_is_nested_too_deep(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = parsed(f, "{\"a\":[]}");
    yyjson_mut_val *patch = parsed(f, "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/0\"}]");
    for (int height = 1; height < GM_JSON_DEPTH_MAX - 1; height++) {
        assert_int_equal(gm_json_patch(f->doc, &value, patch, &f->err), GM_OK);
        /* keep one chain: [[…]] and not a bush */
        yyjson_mut_val *inner = yyjson_mut_arr_get_first(gm_json_member(value, GM_STR("a")));
        yyjson_mut_val *outer = yyjson_mut_arr(f->doc);
        yyjson_mut_arr_append(outer, gm_json_copy(f->doc, inner));
        gm_json_set(f->doc, value, GM_STR("a"), outer);
    }
    assert_int_equal(gm_json_patch(f->doc, &value, patch, &f->err), GM_E_INVALID);
    assert_string_equal(f->err.text,
                        "The patched document would be nested more than 128 levels deep.");
}

static void copies_that_double_stop_at_the_arenas_limit(void **state)
{
    struct fixture *f = *state;
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *value = gm_json_copy(doc, parsed(f, "{\"a\":{}}"));
    gm_rc rc = GM_OK;
    for (int i = 0; i < 60 && rc == GM_OK; i++) {
        char text[120];
        snprintf(text, sizeof(text), "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/k%d\"}]", i);
        rc = gm_json_patch(doc, &value, parsed(f, text), &f->err);
    }
    assert_int_equal(rc, GM_E_LIMIT);
    gm_arena_free(arena);
}

static void differences_become_operations_in_the_order_of_their_paths(void **state)
{
    struct fixture *f = *state;
    static const struct patch_case cases[] = {
        {"{}", "{}", "[]"},
        {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}", "[]"},
        {"{\"a\":1,\"b\":2,\"c\":3}", "{\"b\":2,\"c\":4,\"d\":5}",
         "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"replace\",\"path\":\"/c\",\"value\":4},"
         "{\"op\":\"add\",\"path\":\"/d\",\"value\":5}]"},
        {"{\"a\":{\"b\":1},\"a-b\":1}", "{\"a\":{\"b\":2},\"a-b\":2}",
         "[{\"op\":\"replace\",\"path\":\"/a-b\",\"value\":2},{\"op\":\"replace\",\"path\":\"/a/"
         "b\",\"value\":2}]"},
        {"{\"x/y\":{\"~\":1}}", "{\"x/y\":{}}", "[{\"op\":\"remove\",\"path\":\"/x~1y/~0\"}]"},
        {"{\"a\":[1,2]}", "{\"a\":[1,2,3]}",
         "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[1,2,3]}]"},
        {"{\"a\":1}", "{\"a\":1.0}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1.0}]"},
        {"{\"a\":{}}", "{\"a\":[]}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[]}]"},
        {"1", "2", "[{\"op\":\"replace\",\"path\":\"\",\"value\":2}]"},
        {"{\"a\":null}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        yyjson_mut_val *patch =
            gm_json_diff(f->doc, parsed(f, cases[i].document), parsed(f, cases[i].patch));
        assert_string_equal(compact(f, patch), cases[i].result);
    }
}

/* A random value of at most `depth` levels, from few names, so that two of them share some. */
static yyjson_mut_val *random_value(struct fixture *f, struct gm_rng *rng, int depth)
{
    static const char *const names[] = {"a", "b", "a-b", "a/b", "~", "", "c", "\xC3\xA9"};
    uint64_t kind = gm_rng_below(rng, depth > 0 ? 10 : 5);
    if (kind < 5) {
        static const char *const scalars[] = {"null", "true", "1", "1.0", "\"x\""};
        return parsed(f, scalars[kind]);
    }
    size_t count = (size_t)gm_rng_below(rng, 5);
    yyjson_mut_val *value = kind < 7 ? yyjson_mut_arr(f->doc) : yyjson_mut_obj(f->doc);
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *child = random_value(f, rng, depth - 1);
        if (kind < 7) {
            yyjson_mut_arr_append(value, child);
        } else {
            gm_json_set(f->doc, value, gm_str_z(names[gm_rng_below(rng, 8)]), child);
        }
    }
    return value;
}

static void applying_the_difference_gives_the_other_value(void **state)
{
    struct fixture *f = *state;
    const char *given = getenv("GEMEL_TEST_SEED");
    int64_t seed = 20261120;
    assert_true(given == NULL || gm_parse_i64(gm_str_z(given), &seed));
    struct gm_rng rng;
    gm_rng_init(&rng, (uint64_t)seed);
    for (int round = 0; round < 3000; round++) {
        yyjson_mut_val *from = random_value(f, &rng, 4);
        yyjson_mut_val *to = random_value(f, &rng, 4);
        yyjson_mut_val *patch = gm_json_diff(f->doc, from, to);
        assert_int_equal(gm_json_patch(f->doc, &from, patch, &f->err), GM_OK);
        if (!gm_json_equal(from, to)) {
            fail_msg("seed %lld, round %d: %s", (long long)seed, round, compact(f, patch));
        }
        char *expected = strdup(canonical(f, to));
        assert_string_equal(canonical(f, from), expected);
        free(expected);
    }
}

/* RFC 7396, appendix A. */
static void merge_patches_apply_as_rfc_7396_says(void **state)
{
    struct fixture *f = *state;
    static const struct patch_case cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        yyjson_mut_val *merged =
            gm_json_merge_patch(f->doc, parsed(f, cases[i].document), parsed(f, cases[i].patch));
        assert_string_equal(compact(f, merged), cases[i].result);
    }
    assert_string_equal(
        compact(f, gm_json_merge_patch(f->doc, NULL, parsed(f, "{\"a\":{\"b\":null}}"))),
        "{\"a\":{}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(patches_apply_as_rfc_6902_says),
        TEST(refusals_have_the_usual_wording),
        TEST(patches_cannot_build_what_is_nested_too_deep),
        TEST(copies_that_double_stop_at_the_arenas_limit),
        TEST(differences_become_operations_in_the_order_of_their_paths),
        TEST(applying_the_difference_gives_the_other_value),
        TEST(merge_patches_apply_as_rfc_7396_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
