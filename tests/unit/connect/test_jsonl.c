/* Source `jsonl`: lines, keys, what is wrong with lines and what with files. */
#include "support/source.h"

static struct source *jsonl_of(const char *settings_z, const char *content_z)
{
    return source_of("jsonl", settings_z, content_z);
}

static void expect_rows(const char *content_z, const char *rows_z)
{
    source_expect_rows(jsonl_of("{path: a.jsonl, key: id}", content_z), rows_z);
}

static void expect_broken(const char *content_z, gm_rc rc, const char *says_z)
{
    source_expect_broken(jsonl_of("{path: a.jsonl, key: id}", content_z), rc, says_z);
}

static void lines_become_records(void **state)
{
    (void)state;
    expect_rows("{\"id\":1,\"a\":{\"b\":[true,null]}}\n\n  \r\n{\"id\":\"x\"}\r\n",
                "1 {\"a\":{\"b\":[true,null]},\"id\":1}\nx {\"id\":\"x\"}\n");
    expect_rows("\xEF\xBB\xBF{\"id\":1}", "1 {\"id\":1}\n");
    expect_rows("", "");
    expect_rows("\n", "");
}

static void positions_are_line_numbers(void **state)
{
    (void)state;
    struct source *source = jsonl_of("{path: a.jsonl, key: id}", "\n{\"id\":1}\n\n{\"id\":2}\n");
    source_pass(source, "");
    assert_int_equal(source->rows.at[0].position, 2);
    assert_int_equal(source->rows.at[1].position, 4);
    assert_string_equal(source->rows.at[0].origin_z, "a.jsonl");
    source_end(source);
}

static void keys_are_paths_and_may_have_parts(void **state)
{
    (void)state;
    struct source *source = jsonl_of("{path: a.jsonl, key: [site.code, '[[a.b]]', tags.0]}",
                                     "{\"site\":{\"code\":\"n|1\"},\"a.b\":2,\"tags\":[true]}\n");
    source_pass(source, "");
    assert_string_equal(source->rows.at[0].key_z, "n\\|1|2|true");
    source_end(source);
}

static void lines_that_are_no_objects_are_wrong_alone(void **state)
{
    (void)state;
    expect_rows("{\"id\":1}\n{\"id\":2,}\n[1]\n7\n{\"id\":3}\n",
                "1 {\"id\":1}\n"
                "line 2 !line 2: column 8: trailing comma is not allowed\n"
                "line 3 !line 3: not a JSON object\n"
                "line 4 !line 4: not a JSON object\n"
                "3 {\"id\":3}\n");
    struct source *source = jsonl_of("{path: a.jsonl, key: id}", "{\"id\":\"\xFF\"}\n{\"id\":2}\n");
    source_pass(source, "");
    assert_int_equal(source->rows.n, 2);
    assert_int_equal(source->rows.at[0].rc, GM_E_INVALID);
    assert_string_equal(source->rows.at[0].key_z, "line 1");
    source_end(source);
}

static void lines_without_a_usable_key_are_wrong_alone(void **state)
{
    (void)state;
    expect_rows("{\"a\":1}\n{\"id\":null}\n{\"id\":{}}\n{\"id\":1e30}\n{\"id\":\"a\\u0000b\"}\n"
                "{\"id\":18446744073709551615}\n{\"id\":1.5}\n",
                "line 1 !line 1: key `id` is not there\n"
                "line 2 !line 2: key `id` is null\n"
                "line 3 !line 3: key `id` is an object or array\n"
                "line 4 !line 4: key `id` is a number of more than 64 bits, whose last digits are "
                "lost; write it as text\n"
                "line 5 !line 5: key `id` contains a NUL byte\n"
                "line 6 !line 6: key `id` is a number of more than 64 bits, whose last digits are "
                "lost; write it as text\n"
                "1.5 {\"id\":1.5}\n");
}

static void a_half_written_last_line_breaks_the_pass(void **state)
{
    (void)state;
    const char *cut_z = "a.jsonl: the file ends in the middle of line 2; it may still be written";
    expect_broken("{\"id\":1}\n{\"id\":", GM_E_RETRY, cut_z);
    expect_broken("{\"id\":1}\n{\"id\":\"\xC3", GM_E_RETRY, cut_z);
    expect_broken("\xFE\xFF", GM_E_CONFIG, "is UTF-16; save it as UTF-8");
}

static void a_line_above_the_limit_is_wrong_alone(void **state)
{
    (void)state;
    struct source *source = source_new("jsonl", "{path: a.jsonl, key: id}");
    size_t large = 10 << 20;
    size_t huge = 40 << 20;
    struct gm_buf content;
    gm_buf_init(&content, 64 << 20);
    gm_buf_add_z(&content, "{\"id\":1,\"b\":\"");
    memset(gm_buf_reserve(&content, large), 'x', large);
    gm_buf_commit(&content, large);
    gm_buf_add_z(&content, "\"}\n{\"id\":2,\"b\":\"");
    memset(gm_buf_reserve(&content, huge), 'x', huge);
    gm_buf_commit(&content, huge);
    gm_buf_add_z(&content, "\"}\n{\"id\":3}\n");
    tmp_write(source->tmp, "a.jsonl", gm_buf_str(&content));
    source_pass(source, "");
    assert_int_equal(source->rows.n, 3);
    assert_int_equal(source->rows.at[0].rc, GM_OK);
    assert_int_equal(source->rows.at[1].rc, GM_E_LIMIT);
    assert_string_equal(source->rows.at[1].error_z, "line 2: larger than 16 MiB");
    assert_string_equal(source->rows.at[2].json_z, "{\"id\":3}");
    assert_int_equal(source->rows.at[2].position, 3);
    /* And when such a line is the last, and cut: */
    tmp_write(source->tmp, "a.jsonl", (struct gm_str){content.p, content.n - 20});
    source_connect_ok(source, "");
    check_rc(source_read_all(source), GM_E_RETRY, source->err);
    check_err_says(source->err, "the file ends in the middle of line 2");
    gm_buf_deinit(&content);
    source_end(source);
}

static void settings_are_linted(void **state)
{
    (void)state;
    assert_string_equal(source_lint("jsonl", "{path: a.jsonl, key: id}"), "");
    static const char *const wrong[][2] = {
        {"{path: a.jsonl, key: a..b}", "path `a..b`"},
        {"{path: a.jsonl}", "key"},
        {"{path: in, key: id, archive: in}", "`archive` is the folder that is read"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        const char *said_z = source_lint("jsonl", wrong[i][0]);
        if (strstr(said_z, wrong[i][1]) == NULL) {
            fail_msg("%s: said `%s`, not `%s`", wrong[i][0], said_z, wrong[i][1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_records),
        cmocka_unit_test(positions_are_line_numbers),
        cmocka_unit_test(keys_are_paths_and_may_have_parts),
        cmocka_unit_test(lines_that_are_no_objects_are_wrong_alone),
        cmocka_unit_test(lines_without_a_usable_key_are_wrong_alone),
        cmocka_unit_test(a_half_written_last_line_breaks_the_pass),
        cmocka_unit_test(a_line_above_the_limit_is_wrong_alone),
        cmocka_unit_test(settings_are_linted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
