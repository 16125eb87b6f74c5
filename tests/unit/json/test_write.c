#include "fixture.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

static void expect_canonical(struct fixture *f, const char *text_z, const char *canonical_z)
{
    assert_string_equal(canonical(f, parsed(f, text_z)), canonical_z);
}

static void canonical_text_sorts_members_by_bytes_at_every_level(void **state)
{
    struct fixture *f = *state;
    expect_canonical(f, " { \"b\" : 1 , \"a\" : [ { \"d\":1, \"c\":2 } ] } ",
                     "{\"a\":[{\"c\":2,\"d\":1}],\"b\":1}");
    expect_canonical(f, "{\"aa\":1,\"a\":2,\"\":3,\"B\":4,\"\xC3\xA9\":5,\"z\":6}",
                     "{\"\":3,\"B\":4,\"a\":2,\"aa\":1,\"z\":6,\"\xC3\xA9\":5}");
    expect_canonical(f, "{\"12345678b\":1,\"12345678a\":2,\"12345678\":3}",
                     "{\"12345678\":3,\"12345678a\":2,\"12345678b\":1}");
    expect_canonical(f, "{\"a\\u0000\":1,\"a\":2}", "{\"a\":2,\"a\\u0000\":1}");
}

static void canonical_numbers_keep_integers_apart_from_doubles(void **state)
{
    struct fixture *f = *state;
    expect_canonical(
        f,
        "[1, 1.0, -0, 0.1, 1e2, -5, 18446744073709551615, -9223372036854775808, 10, 100, 99, "
        "12345]",
        "[1,1.0,0,0.1,100.0,-5,18446744073709551615,-9223372036854775808,10,100,99,12345]");
    expect_canonical(f, "[-0.0, 123456.789, 0.30000000000000004]",
                     "[-0.0,123456.789,0.30000000000000004]");
}

static void numbers_that_json_lacks_are_null(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *array = yyjson_mut_arr(f->doc);
    yyjson_mut_arr_add_real(f->doc, array, (double)NAN);
    yyjson_mut_arr_add_real(f->doc, array, (double)INFINITY);
    assert_string_equal(canonical(f, array), "[null,null]");
}

static void equal_integers_have_equal_text_however_they_were_built(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(canonical(f, yyjson_mut_sint(f->doc, 7)), "7");
    assert_string_equal(canonical(f, yyjson_mut_uint(f->doc, 7)), "7");
    assert_true(gm_json_equal(yyjson_mut_sint(f->doc, 7), yyjson_mut_uint(f->doc, 7)));
    assert_false(gm_json_equal(yyjson_mut_sint(f->doc, -1), yyjson_mut_uint(f->doc, UINT64_MAX)));
}

static void expect_quoted(struct fixture *f, struct gm_str s, const char *quoted_z)
{
    gm_buf_reset(&f->out);
    gm_json_quote(&f->out, s);
    assert_string_equal(f->out.p, quoted_z);
}

static void only_what_json_requires_is_escaped(void **state)
{
    struct fixture *f = *state;
    expect_quoted(f, GM_STR(""), "\"\"");
    expect_quoted(f, (struct gm_str){NULL, 0}, "\"\"");
    expect_quoted(f, GM_STR("plain text of more than eight bytes / 'x'"),
                  "\"plain text of more than eight bytes / 'x'\"");
    expect_quoted(f, GM_STR("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    expect_quoted(f, GM_STR("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"");
    expect_quoted(f, GM_STR("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80!"),
                  "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80!\"");
    expect_quoted(f, GM_STR("0123456\n89abcdefghijkl\"mnop"),
                  "\"0123456\\n89abcdefghijkl\\\"mnop\"");
}

static void invalid_utf8_becomes_the_replacement_character(void **state)
{
    struct fixture *f = *state;
    expect_quoted(f, GM_STR("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    expect_quoted(f, GM_STR("\xC3\xA9\xC3"), "\"\xC3\xA9\xEF\xBF\xBD\"");
    expect_quoted(f, GM_STR("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    expect_quoted(f, GM_STR("\xC0\xAFtext that goes on"),
                  "\"\xEF\xBF\xBD\xEF\xBF\xBDtext that goes on\"");
}

static void every_byte_at_every_offset_reads_back(void **state)
{
    struct fixture *f = *state;
    for (unsigned byte = 0; byte < 128; byte++) {
        for (size_t offset = 0; offset < 20; offset++) {
            char text[20];
            memset(text, 'x', sizeof(text));
            text[offset] = (char)byte;
            gm_buf_reset(&f->out);
            gm_json_quote(&f->out, (struct gm_str){text, sizeof(text)});
            yyjson_mut_val *value;
            assert_int_equal(gm_json_parse(f->doc, gm_buf_str(&f->out), &value, &f->err), GM_OK);
            assert_true(gm_str_eq(gm_json_str(value), (struct gm_str){text, sizeof(text)}));
        }
    }
}

static void pretty_text_indents_by_two(void **state)
{
    struct fixture *f = *state;
    gm_json_write_pretty(parsed(f, "{\"b\":[1,{\"c\":[]}],\"a\":{}}"), &f->out);
    assert_string_equal(
        f->out.p, "{\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ],\n  \"a\": {}\n}");
}

static void writing_leaves_the_order_of_members(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = parsed(f, "{\"b\":1,\"a\":2}");
    assert_string_equal(compact(f, value), "{\"b\":1,\"a\":2}");
    canonical(f, value);
    assert_string_equal(compact(f, value), "{\"a\":2,\"b\":1}");
}

/* Random orders of `count` members must all come out alike; the sizes cross the small sort, the
 * list sort and their edge. */
static void any_order_of_members_gives_one_text(void **state)
{
    struct fixture *f = *state;
    static const size_t counts[] = {1, 2, 3, 8, 47, 48, 49, 50, 333};
    struct gm_rng rng;
    gm_rng_init(&rng, 42);
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        char *expected = NULL;
        for (int round = 0; round < 20; round++) {
            size_t order[333];
            for (size_t i = 0; i < counts[c]; i++) {
                size_t k = (size_t)gm_rng_below(&rng, i + 1);
                order[i] = order[k];
                order[k] = i;
            }
            yyjson_mut_val *object = yyjson_mut_obj(f->doc);
            for (size_t i = 0; i < counts[c]; i++) {
                struct gm_str name = gm_arena_format(f->arena, "name%zu", order[i]);
                assert_true(gm_json_set(f->doc, object, name, yyjson_mut_uint(f->doc, order[i])));
            }
            const char *text = canonical(f, object);
            if (expected == NULL) {
                expected = strdup(text);
            }
            assert_string_equal(text, expected);
            assert_int_equal(gm_json_count(object), counts[c]);
            assert_true(gm_json_equal(object, parsed(f, expected)));
        }
        free(expected);
    }
}

static void the_buffer_limit_is_exact(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value =
        parsed(f, "{\"a\":[1,2.5,true,false,null,\"text\\n\"],\"b\":\"\xC3\xA9\"}");
    size_t n = strlen(canonical(f, value));
    for (size_t limit = 0; limit <= n + 2; limit++) {
        struct gm_buf buf;
        gm_buf_init(&buf, limit);
        gm_json_canonical(f->doc, value, &buf);
        assert_int_equal(gm_buf_failed(&buf), limit < n);
        gm_buf_deinit(&buf);
    }
}

static void text_is_appended_behind_what_is_there(void **state)
{
    struct fixture *f = *state;
    gm_buf_add(&f->out, GM_STR("x="));
    gm_json_write(parsed(f, "[1]"), &f->out);
    gm_buf_add(&f->out, GM_STR(";"));
    assert_string_equal(f->out.p, "x=[1];");
}

static void long_documents_cross_the_writers_window(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *array = yyjson_mut_arr(f->doc);
    for (int i = 0; i < 3000; i++) {
        char text[64];
        int n = snprintf(text, sizeof(text), "item \"%d\" \xE2\x82\xAC", i);
        yyjson_mut_arr_append(array, gm_json_strcpy(f->doc, (struct gm_str){text, (size_t)n}));
    }
    const char *text = canonical(f, array);
    assert_true(gm_json_equal(array, parsed(f, text)));
}

static void a_value_nested_too_deep_fails_the_buffer(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = yyjson_mut_arr(f->doc);
    for (int i = 1; i < GM_JSON_DEPTH_MAX; i++) {
        yyjson_mut_val *outer = yyjson_mut_arr(f->doc);
        yyjson_mut_arr_append(outer, value);
        value = outer;
    }
    canonical(f, value);
    yyjson_mut_val *outer = yyjson_mut_arr(f->doc);
    yyjson_mut_arr_append(outer, value);
    gm_buf_reset(&f->out);
    gm_json_canonical(f->doc, outer, &f->out);
    assert_true(gm_buf_failed(&f->out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(canonical_text_sorts_members_by_bytes_at_every_level),
        TEST(canonical_numbers_keep_integers_apart_from_doubles),
        TEST(numbers_that_json_lacks_are_null),
        TEST(equal_integers_have_equal_text_however_they_were_built),
        TEST(only_what_json_requires_is_escaped),
        TEST(invalid_utf8_becomes_the_replacement_character),
        TEST(every_byte_at_every_offset_reads_back),
        TEST(pretty_text_indents_by_two),
        TEST(writing_leaves_the_order_of_members),
        TEST(any_order_of_members_gives_one_text),
        TEST(the_buffer_limit_is_exact),
        TEST(text_is_appended_behind_what_is_there),
        TEST(long_documents_cross_the_writers_window),
        TEST(a_value_nested_too_deep_fails_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
