#include "fixture.h"

#include <string.h>

static void expect_refusal(struct fixture *f, const char *text_z, const char *message_z)
{
    yyjson_mut_val *value = NULL;
    assert_int_equal(gm_json_parse(f->doc, gm_str_z(text_z), &value, &f->err), GM_E_INVALID);
    assert_null(value);
    if (strstr(f->err.text, message_z) != f->err.text) {
        fail_msg("%s: got `%s`, expected `%s…`", text_z, f->err.text, message_z);
    }
}

static void every_kind_of_value_is_read(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "18446744073709551615",
        "-9223372036854775808",
        "1.5",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "[[],{}]",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
        "[1,\"two\",3.5,true,null]",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_string_equal(compact(f, parsed(f, texts[i])), texts[i]);
    }
}

static void strings_are_unescaped(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = parsed(f, "\"a\\n\\u00e9\\ud83d\\ude00\\u0000z\"");
    struct gm_str s = gm_json_str(value);
    assert_int_equal(s.n, 10);
    assert_memory_equal(s.p, "a\n\xC3\xA9\xF0\x9F\x98\x80\0z", 10);
}

static void the_text_is_not_needed_afterwards(void **state)
{
    struct fixture *f = *state;
    char text[] = "{\"name\":\"value\"}";
    yyjson_mut_val *value;
    assert_int_equal(gm_json_parse(f->doc, gm_str_z(text), &value, &f->err), GM_OK);
    memset(text, 'x', sizeof(text));
    assert_string_equal(compact(f, value), "{\"name\":\"value\"}");
}

static void integers_beyond_64_bits_become_doubles(void **state)
{
    struct fixture *f = *state;
    assert_true(yyjson_mut_is_real(parsed(f, "18446744073709551616")));
    assert_true(yyjson_mut_is_uint(parsed(f, "9223372036854775808")));
}

static void errors_name_line_and_column(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, "", "line 1, column 1: ");
    expect_refusal(f, "  ", "line 1, column ");
    expect_refusal(f, "{\n  \"a\": x\n}", "line 2, column 8: ");
    expect_refusal(f, "[\"\xC3\xA9\xC3\xA9\", x]", "line 1, column 8: ");
    expect_refusal(f, "1 2", "line 1, column 3: ");
    expect_refusal(f, "[1,]", "line 1, column 3: ");
    expect_refusal(f, "nul", "line 1, column ");
    expect_refusal(f, "[1", "line 1, column ");
    expect_refusal(f, "\"\xFF\"", "line 1, column ");
    expect_refusal(f, "\"\\ud800\"", "line 1, column ");
    expect_refusal(f, "1e999", "line 1, column ");
    expect_refusal(f, "NaN", "line 1, column 1: ");
    expect_refusal(f, "01", "line 1, column ");
}

static void duplicate_names_are_refused_in_small_and_large_objects(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, "{\"a\":1,\n \"b\":2,\n \"a\":3}",
                   "line 3, column 2: duplicate member name `a`");
    expect_refusal(f, "{\"a\":1,\"\\u0061\":3}", "line 1, column 8: duplicate member name `a`");
    expect_refusal(f, "[{\"x\":{\"y\":1,\"y\":1}}]",
                   "line 1, column 14: duplicate member name `y`");
    char text[16384];
    size_t n = 0;
    text[n++] = '{';
    for (int i = 0; i < 900; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "\"k%d\":%d,", (i * 7919) % 900, i);
    }
    size_t at = n;
    snprintf(text + n, sizeof(text) - n, "\"k450\":0}");
    char message[80];
    snprintf(message, sizeof(message), "line 1, column %zu: duplicate member name `k450`", at + 1);
    expect_refusal(f, text, message);
    snprintf(text + n, sizeof(text) - n, "\"other\":0}");
    assert_int_equal(gm_json_count(parsed(f, text)), 901);
}

static void a_long_duplicate_name_is_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    char text[600];
    size_t n = (size_t)snprintf(text, sizeof(text), "{\"x");
    for (int i = 0; i < 60; i++) {
        memcpy(text + n, "\xC3\xA9", 2);
        n += 2;
    }
    char name[200];
    memcpy(name, text + 1, n - 1);
    name[n - 1] = '\0';
    snprintf(text + n, sizeof(text) - n, "\":1,%s\":2}", name);
    expect_refusal(f, text, "line 1, column 68: duplicate member name `x");
    assert_true(gm_utf8_valid(gm_str_z(f->err.text), NULL));
}

static void nesting_is_bounded(void **state)
{
    struct fixture *f = *state;
    enum { DEEP = GM_JSON_DEPTH_MAX };
    char text[2 * DEEP + 64];
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    text[2 * DEEP] = '\0';
    assert_string_equal(compact(f, parsed(f, text)), text);

    memcpy(text, "[\"[\\\"{\",\n", 9);
    memset(text + 9, '[', DEEP);
    memset(text + 9 + DEEP, ']', DEEP + 1);
    text[9 + 2 * DEEP + 1] = '\0';
    char message[80];
    snprintf(message, sizeof(message), "line 2, column %d: nested more than 128 levels deep", DEEP);
    expect_refusal(f, text, message);
}

static void a_flood_of_brackets_is_refused(void **state)
{
    struct fixture *f = *state;
    enum { FLOOD = 200000 };
    char *text = malloc(FLOOD + 1);
    memset(text, '[', FLOOD);
    static const size_t counts[] = {200, 600, 1000, 1300, 1400, FLOOD};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        text[counts[i]] = '\0';
        expect_refusal(f, text, "line 1, column ");
        text[counts[i]] = '[';
    }
    text[FLOOD] = '\0';
    memset(text + FLOOD / 2, ']', FLOOD / 2);
    expect_refusal(f, text, "line 1, column 129: nested");
    free(text);
}

static void large_texts_are_read_beyond_the_scratch_on_the_stack(void **state)
{
    struct fixture *f = *state;
    struct gm_buf text;
    gm_buf_init(&text, 16 << 20);
    gm_buf_add_char(&text, '[');
    for (int i = 0; i < 50000; i++) {
        gm_buf_addf(&text, "%s{\"id\":%d,\"name\":\"sensor-%d\"}", i > 0 ? "," : "", i, i);
    }
    gm_buf_add_char(&text, ']');
    yyjson_mut_val *value = parsed(f, text.p);
    assert_int_equal(gm_json_count(value), 50000);
    assert_string_equal(compact(f, value), text.p);
    gm_buf_deinit(&text);
}

static void a_full_arena_is_a_limit_and_not_a_crash(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "{\"a\":[1,2,3],\"b\":{\"c\":\"some text\"},\"d\":null}";
    for (size_t limit = 0; limit < 4096; limit += 16) {
        struct gm_arena *arena = gm_arena_new(limit);
        yyjson_mut_doc *doc = gm_json_doc_new(arena);
        if (doc != NULL) {
            yyjson_mut_val *value = NULL;
            gm_rc rc = gm_json_parse(doc, gm_str_z(text), &value, &f->err);
            assert_true(rc == GM_OK || (rc == GM_E_LIMIT && value == NULL));
            assert_true(limit < 3000 || rc == GM_OK);
        }
        gm_arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_value_is_read),
        TEST(strings_are_unescaped),
        TEST(the_text_is_not_needed_afterwards),
        TEST(integers_beyond_64_bits_become_doubles),
        TEST(errors_name_line_and_column),
        TEST(duplicate_names_are_refused_in_small_and_large_objects),
        TEST(a_long_duplicate_name_is_cut_between_characters),
        TEST(nesting_is_bounded),
        TEST(a_flood_of_brackets_is_refused),
        TEST(large_texts_are_read_beyond_the_scratch_on_the_stack),
        TEST(a_full_arena_is_a_limit_and_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
