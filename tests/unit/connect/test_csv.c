/* Source `csv`: grammar, columns, types, what is wrong with lines and what with files. */
#include "support/source.h"

static struct source *csv_of(const char *settings_z, const char *content_z)
{
    return source_of("csv", settings_z, content_z);
}

static void expect_rows(const char *content_z, const char *rows_z)
{
    source_expect_rows(csv_of("{path: a.csv, key: id}", content_z), rows_z);
}

static void expect_broken(const char *content_z, gm_rc rc, const char *says_z)
{
    source_expect_broken(csv_of("{path: a.csv, key: id}", content_z), rc, says_z);
}

static void rows_become_records(void **state)
{
    (void)state;
    expect_rows("id,name\n1,one\n2,two\n", "1 {\"id\":\"1\",\"name\":\"one\"}\n"
                                           "2 {\"id\":\"2\",\"name\":\"two\"}\n");
}

/* The rules of RFC 4180, section 2, in its order. */
static void the_grammar_is_that_of_rfc_4180(void **state)
{
    (void)state;
    expect_rows("id,b,c\r\n1,bbb,ccc\r\n", "1 {\"b\":\"bbb\",\"c\":\"ccc\",\"id\":\"1\"}\n");
    expect_rows("id,b\r\n1,b", "1 {\"b\":\"b\",\"id\":\"1\"}\n");
    expect_rows("id,b\n1, b \n", "1 {\"b\":\" b \",\"id\":\"1\"}\n");
    expect_rows("\"id\",\"b\"\n\"1\",\"b\"\n", "1 {\"b\":\"b\",\"id\":\"1\"}\n");
    expect_rows("id,b\n1,\"x\r\ny,z\"\n", "1 {\"b\":\"x\\r\\ny,z\",\"id\":\"1\"}\n");
    expect_rows("id,b\n1,\"say \"\"hi\"\"\"\n", "1 {\"b\":\"say \\\"hi\\\"\",\"id\":\"1\"}\n");
    expect_rows("id,b\n1,\"\"\"\"\n2,\"\"\"a\"\n", "1 {\"b\":\"\\\"\",\"id\":\"1\"}\n"
                                                   "2 {\"b\":\"\\\"a\",\"id\":\"2\"}\n");
}

static void lines_may_end_in_any_of_the_usual_ways(void **state)
{
    (void)state;
    const char *rows_z = "1 {\"b\":\"x\",\"id\":\"1\"}\n";
    expect_rows("id,b\r\n1,x\r\n", rows_z);
    expect_rows("id,b\n1,x\n", rows_z);
    expect_rows("id,b\n1,x", rows_z);
    expect_rows("id,b\n1,x\r", rows_z);
    expect_rows("id,b\n1,\"x\"", rows_z);
    expect_rows("id,b\n1,\"x\"\r", rows_z);
    expect_rows("\xEF\xBB\xBFid,b\n1,x\n", rows_z);
    expect_rows("\n\r\nid,b\n\n1,x\n\n\n", rows_z);
    expect_rows("id,b\n1,a\rb\n", "1 {\"b\":\"a\\rb\",\"id\":\"1\"}\n");
}

static void null_and_empty_text_are_told_apart(void **state)
{
    (void)state;
    expect_rows("id,b\n1,\n2,\"\"\n", "1 {\"b\":null,\"id\":\"1\"}\n2 {\"b\":\"\",\"id\":\"2\"}\n");
    struct source *source =
        csv_of("{path: a.csv, key: id, null_text: 'NULL'}", "id,b\n1,NULL\n2,\"NULL\"\n3,\n");
    source_pass(source, "");
    check_rows(source, "1 {\"b\":null,\"id\":\"1\"}\n"
                       "2 {\"b\":\"NULL\",\"id\":\"2\"}\n"
                       "3 {\"b\":\"\",\"id\":\"3\"}\n");
    source_end(source);
}

static void a_quote_inside_a_field_is_text(void **state)
{
    (void)state;
    expect_rows("id,b\n1,5\" pipe\n", "1 {\"b\":\"5\\\" pipe\",\"id\":\"1\"}\n");
}

static void delimiter_and_quote_can_be_chosen(void **state)
{
    (void)state;
    struct source *source = csv_of("{path: a.csv, key: id, delimiter: tab, quote: \"'\"}",
                                   "id\tb\n1\t'x\ty'\n2\t\"z\"\n");
    source_pass(source, "");
    check_rows(source, "1 {\"b\":\"x\\ty\",\"id\":\"1\"}\n2 {\"b\":\"\\\"z\\\"\",\"id\":\"2\"}\n");
    source_end(source);
}

static void files_without_a_header_take_the_names_of_the_settings(void **state)
{
    (void)state;
    struct source *source =
        csv_of("{path: a.csv, key: [b, id], header: false, columns: [id, b]}", "1,x\n2,y|z\n");
    source_pass(source, "");
    check_rows(source, "x|1 {\"b\":\"x\",\"id\":\"1\"}\ny\\|z|2 {\"b\":\"y|z\",\"id\":\"2\"}\n");
    source_end(source);
}

static void positions_are_line_numbers(void **state)
{
    (void)state;
    struct source *source =
        csv_of("{path: a.csv, key: id}", "id,b\n1,\"x\ny\n\"\n\n2,z\n3,\"a\"\"\n\"\n4,b\n");
    source_pass(source, "");
    assert_int_equal(source->rows.n, 4);
    assert_int_equal(source->rows.at[0].position, 2);
    assert_int_equal(source->rows.at[1].position, 6);
    assert_int_equal(source->rows.at[2].position, 7);
    assert_int_equal(source->rows.at[3].position, 9);
    assert_string_equal(source->rows.at[0].origin_z, "a.csv");
    source_end(source);
}

static void types_are_strict(void **state)
{
    (void)state;
    struct source *source =
        csv_of("{path: a.csv, key: id, types: {id: int, d: double, b: bool, j: json, t: text}}",
               "id,d,b,j,t\n007,1e3,Yes,\"[1,{\"\"a\"\":null}]\",1\n2,,,,\n3,\"1,5\",no,1,x\n4,1,"
               "maybe,2,x\n"
               "x,1,t,true,x\n6,1,f,{,x\n");
    source_pass(source, "");
    check_rows(source, "7 {\"b\":true,\"d\":1000.0,\"id\":7,\"j\":[1,{\"a\":null}],\"t\":\"1\"}\n"
                       "2 {\"b\":null,\"d\":null,\"id\":2,\"j\":null,\"t\":null}\n"
                       "3 !line 4, column `d`: expected double, found `1,5`\n"
                       "4 !line 5, column `b`: expected bool, found `maybe`\n"
                       "x !line 6, column `id`: expected int, found `x`\n"
                       "6 !line 7, column `j`: expected json, found `{`\n");
    source_end(source);
}

static void a_line_with_other_fields_than_columns_is_wrong_alone(void **state)
{
    (void)state;
    expect_rows("id,b\n1\n2,x,y\n3,z\n", "line 2 !line 2 has 1 field, but there are 2 columns\n"
                                         "line 3 !line 3 has 3 fields, but there are 2 columns\n"
                                         "3 {\"b\":\"z\",\"id\":\"3\"}\n");
    expect_rows("b,id\n1\n", "line 2 !line 2 has 1 field, but there are 2 columns\n");
}

static void text_behind_a_closing_quote_is_wrong_alone(void **state)
{
    (void)state;
    expect_rows("id,b\n1,\"x\"y\n2,z\n",
                "line 2 !line 2, column `b`: there is text behind the closing quote\n"
                "2 {\"b\":\"z\",\"id\":\"2\"}\n");
}

static void bytes_that_are_not_utf8_are_wrong_alone(void **state)
{
    (void)state;
    expect_rows("id,b,c\n1,x,caf\xE9\n2,y,z\n",
                "1 !line 2, column `c`: not UTF-8 (byte 0xE9); save the file as UTF-8\n"
                "2 {\"b\":\"y\",\"c\":\"z\",\"id\":\"2\"}\n");
    expect_rows("id,b\ncaf\xE9,x\n",
                "line 2 !line 2, column `id`: not UTF-8 (byte 0xE9); save the file as UTF-8\n");
}

static void a_row_without_a_key_is_wrong_alone(void **state)
{
    (void)state;
    expect_rows("id,b\n,x\n2,y\n",
                "line 2 !key column `id` is null\n2 {\"b\":\"y\",\"id\":\"2\"}\n");
}

static void a_key_that_is_too_long_is_wrong_alone(void **state)
{
    (void)state;
    char content[1200] = "id\n";
    memset(content + 3, 'k', 1025);
    memcpy(content + 3 + 1025, "\n2\n", 4);
    expect_rows(content, "line 2 !key column `id` is too long for a key (1024 bytes at most)\n"
                         "2 {\"id\":\"2\"}\n");
}

static void a_half_written_file_breaks_the_pass(void **state)
{
    (void)state;
    const char *cut_z = "a.csv: the file ends in the middle of line 3; it may still be written";
    expect_broken("id,b\n1,x\n2", GM_E_RETRY, cut_z);
    expect_broken("id,b\n1,x\n2,\"y", GM_E_RETRY, cut_z);
    expect_broken("id,b\n1,x\n2,\"y\n3,z\n", GM_E_RETRY, cut_z);
    expect_broken("id,b\n1,x\n2,y\xC3", GM_E_RETRY, cut_z);
    expect_broken("id,b", GM_E_RETRY, "line 1; it may still be written");
    expect_broken("", GM_E_RETRY, "is empty, but a header was expected");
}

static void what_came_before_the_break_is_delivered(void **state)
{
    (void)state;
    struct source *source = csv_of("{path: a.csv, key: id}", "id,b\n1,x\n2");
    source_connect_ok(source, "");
    check_rc(source_read_all(source), GM_E_RETRY, source->err);
    check_rows(source, "1 {\"b\":\"x\",\"id\":\"1\"}\n");
    check_rc(source_read(source), GM_E_RETRY, source->err); /* and it stays broken */
    source_end(source);
}

static void a_wrong_header_needs_the_user(void **state)
{
    (void)state;
    expect_broken("id,b,id\n1,2,3\n", GM_E_CONFIG, "two columns are named `id`");
    expect_broken("id,,c\n1,2,3\n", GM_E_CONFIG, "column 2 has no name");
    expect_broken("Id,b\n1,2\n", GM_E_CONFIG, "there is no column `id`; did you mean `Id`?");
    expect_broken("alpha,beta\n1,2\n", GM_E_CONFIG,
                  "there is no column `id`; there are: alpha, beta");
    expect_broken("id,b\xE9\n1,2\n", GM_E_CONFIG, "the name of column 2 is not UTF-8");
    expect_broken("\xFF\xFEi\n", GM_E_CONFIG, "is UTF-16; save it as UTF-8");
}

static void a_row_of_ten_megabytes_is_fine_and_one_above_the_limit_is_wrong_alone(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: a.csv, key: id}");
    size_t large = 10 << 20;
    size_t huge = 40 << 20;
    struct gm_buf content;
    gm_buf_init(&content, 64 << 20);
    gm_buf_add_z(&content, "id,b\n1,\"");
    memset(gm_buf_reserve(&content, large), 'x', large);
    gm_buf_commit(&content, large);
    gm_buf_add_z(&content, "\"\n2,\"");
    memset(gm_buf_reserve(&content, huge), '\n', huge);
    gm_buf_commit(&content, huge);
    gm_buf_add_z(&content, "\"\n3,y\n");
    tmp_write(source->tmp, "a.csv", gm_buf_str(&content));
    source_pass(source, "");
    assert_int_equal(source->rows.n, 3);
    assert_int_equal(strlen(source->rows.at[0].json_z),
                     large + strlen("{\"b\":\"\",\"id\":\"1\"}"));
    assert_int_equal(source->rows.at[1].rc, GM_E_LIMIT);
    assert_string_equal(source->rows.at[1].key_z, "line 3");
    assert_string_equal(source->rows.at[1].error_z,
                        "line 3, column `b`: the row is larger than 16777216 bytes");
    assert_string_equal(source->rows.at[2].json_z, "{\"b\":\"y\",\"id\":\"3\"}");
    assert_int_equal(source->rows.at[2].position, 4 + huge);
    gm_buf_deinit(&content);
    source_end(source);
}

static void files_of_a_folder_may_have_other_columns(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id}");
    tmp_write(source->tmp, "in/b.csv", GM_STR("c,id\nx,2\n"));
    tmp_write(source->tmp, "in/a.csv", GM_STR("id,b\n1,x\n"));
    tmp_write(source->tmp, "in/c.csv", GM_STR("c,id\ny,3\n"));
    source_pass(source, "");
    check_rows(source, "1 {\"b\":\"x\",\"id\":\"1\"}\n2 {\"c\":\"x\",\"id\":\"2\"}\n"
                       "3 {\"c\":\"y\",\"id\":\"3\"}\n");
    source_end(source);
}

static void settings_are_linted(void **state)
{
    (void)state;
    assert_string_equal(source_lint("csv", "{path: a.csv, key: id}"), "");
    static const char *const wrong[][2] = {
        {"{path: a.csv, key: id, header: false}", "needs the names of the `columns`"},
        {"{path: a.csv, key: id, columns: [id]}", "`columns` is for files without a header"},
        {"{path: a.csv, key: idd, header: false, columns: [id, b]}", "did you mean `id`?"},
        {"{path: a.csv, key: id, delimiter: \";\", quote: \";\"}", "must differ"},
        {"{path: a.csv, key: id, types: {id: integer}}", "must be text, int, double, bool or json"},
        {"{path: a.csv, key: id, null_text: NULL}", "write it in quotes"},
        {"{path: a.csv, key: id, types: 3}", "write { COLUMN: TYPE"},
        {"{path: a*/b.csv, key: id}", "may stand in the last part only"},
        {"{path: in, key: id, archive: in}", "`archive` is the folder that is read"},
        {"{path: in/*.csv, key: id, archive: in}", "`archive` is the folder that is read"},
        {"{path: a.csv}", "key"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        const char *said_z = source_lint("csv", wrong[i][0]);
        if (strstr(said_z, wrong[i][1]) == NULL) {
            fail_msg("%s: said `%s`, not `%s`", wrong[i][0], said_z, wrong[i][1]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_records),
        cmocka_unit_test(the_grammar_is_that_of_rfc_4180),
        cmocka_unit_test(lines_may_end_in_any_of_the_usual_ways),
        cmocka_unit_test(null_and_empty_text_are_told_apart),
        cmocka_unit_test(a_quote_inside_a_field_is_text),
        cmocka_unit_test(delimiter_and_quote_can_be_chosen),
        cmocka_unit_test(files_without_a_header_take_the_names_of_the_settings),
        cmocka_unit_test(positions_are_line_numbers),
        cmocka_unit_test(types_are_strict),
        cmocka_unit_test(a_line_with_other_fields_than_columns_is_wrong_alone),
        cmocka_unit_test(text_behind_a_closing_quote_is_wrong_alone),
        cmocka_unit_test(bytes_that_are_not_utf8_are_wrong_alone),
        cmocka_unit_test(a_row_without_a_key_is_wrong_alone),
        cmocka_unit_test(a_key_that_is_too_long_is_wrong_alone),
        cmocka_unit_test(a_half_written_file_breaks_the_pass),
        cmocka_unit_test(what_came_before_the_break_is_delivered),
        cmocka_unit_test(a_wrong_header_needs_the_user),
        cmocka_unit_test(a_row_of_ten_megabytes_is_fine_and_one_above_the_limit_is_wrong_alone),
        cmocka_unit_test(files_of_a_folder_may_have_other_columns),
        cmocka_unit_test(settings_are_linted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
