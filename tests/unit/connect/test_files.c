/* Sets of files: patterns, order, compression, changes while reading, the archive. Through source
 * `csv`, as a user meets them. */
#include "connect/files.h"

#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "connect/input.h"
#include "support/source.h"

static void put(struct source *source, const char *name_z, const char *content_z)
{
    tmp_write(source->tmp, name_z, gm_str_z(content_z));
}

static enum gm_file_type type_of(struct source *source, const char *name_z)
{
    struct gm_file_info info;
    check_ok(gm_file_info(tmp_path(source->tmp, name_z), &info, &source->err), source->err);
    return info.type;
}

/* The keys that a pass showed, with spaces between. */
static const char *keys_of(const struct source *source)
{
    static char text[256];
    size_t n = 0;
    for (size_t i = 0; i < source->rows.n; i++) {
        size_t size = strlen(source->rows.at[i].key_z);
        assert_true(n + size + 2 < sizeof(text));
        memcpy(text + n, source->rows.at[i].key_z, size);
        n += size;
        text[n++] = ' ';
    }
    text[n > 0 ? n - 1 : 0] = '\0';
    return text;
}

/* ---- patterns ---- */

static void patterns_match_as_in_a_shell(void **state)
{
    (void)state;
    static const struct {
        const char *pattern_z, *name_z;
        bool match;
    } cases[] = {
        {"*", "", true},
        {"*.csv", "a.csv", true},
        {"*.csv", "a.csv.gz", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-c-b", false},
        {"?.csv", "a.csv", true},
        {"?.csv", ".csv", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[]x]", "]", true},
        {"[a", "[a", true},
        {"[a-]", "-", true},
        {"**a", "ba", true},
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        if (gm_files_match(gm_str_z(cases[i].pattern_z), gm_str_z(cases[i].name_z)) !=
            cases[i].match) {
            fail_msg("pattern `%s`, name `%s`", cases[i].pattern_z, cases[i].name_z);
        }
    }
    assert_true(gm_files_is_pattern(GM_STR("in/*.csv")));
    assert_false(gm_files_is_pattern(GM_STR("in*/a.csv")));
}

static void a_pattern_that_backtracks_stays_fast(void **state)
{
    (void)state;
    char name[4096];
    memset(name, 'a', sizeof(name));
    assert_false(gm_files_match(GM_STR("*a*a*a*a*a*a*a*a*b"), (struct gm_str){name, sizeof(name)}));
}

/* ---- which files ---- */

static void files_are_read_in_byte_order_of_their_names(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id}");
    put(source, "in/b.csv", "id\n3\n");
    put(source, "in/a.csv", "id\n2\n");
    put(source, "in/B.csv", "id\n1\n");
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1 2 3");
    assert_string_equal(source->rows.at[0].origin_z, "B.csv");
    assert_int_equal(source->pass.bytes_estimate, 15);
    assert_int_equal(source->bytes_read, 15);
    source_end(source);
}

static void files_that_are_still_being_made_are_passed_over(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id}");
    put(source, "in/a.csv", "id\n1\n");
    put(source, "in/.b.csv", "x");
    put(source, "in/c.csv.tmp", "x");
    put(source, "in/d.part", "x");
    put(source, "in/below/e.csv", "x");
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1");
    source_end(source);
    source = source_new("csv", "{path: a.tmp, key: id}"); /* named itself, it is meant */
    put(source, "a.tmp", "id\n1\n");
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1");
    source_end(source);
}

static void a_pattern_chooses_files(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: 'in/o-*.csv', key: id}");
    put(source, "in/o-1.csv", "id\n1\n");
    put(source, "in/o-2.csv", "id\n2\n");
    put(source, "in/x.csv", "id\n3\n");
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1 2");
    source_end(source);
}

static void what_is_not_there_is_an_error_and_what_is_empty_is_not(void **state)
{
    (void)state;
    static const char *const missing[] = {"{path: in/a.csv, key: id}",
                                          "{path: 'in/*.csv', key: id}", "{path: in, key: id}",
                                          "{path: in/a.csv, key: id, archive: done}"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(missing); i++) {
        struct source *source = source_new("csv", missing[i]);
        check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
        check_err_says(source->err, "/in");
        source_end(source);
    }
    struct source *source = source_new("csv", "{path: 'in/*.csv', key: id}");
    put(source, "in/other.txt", "x");
    source_pass(source, "");
    assert_true(source->pass.full); /* the complete state: there is nothing */
    assert_int_equal(source->rows.n, 0);
    source_end(source);
}

/* ---- broken passes ---- */

static void a_file_that_changes_while_it_is_read_breaks_the_pass(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: a.csv, key: id}");
    put(source, "a.csv", "id\n1\n");
    source_connect_ok(source, "");
    put(source, "a.csv", "id\n1\n2\n");
    check_rc(source_read_all(source), GM_E_RETRY, source->err);
    check_err_says(source->err, "a.csv: changed while it was read");
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1 2");
    source_end(source);
}

static void a_file_that_vanishes_in_the_middle_breaks_the_pass(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id}");
    put(source, "in/a.csv", "id\n1\n");
    put(source, "in/b.csv", "id\n2\n");
    source_connect_ok(source, "");
    check_ok(gm_file_remove(tmp_path(source->tmp, "in/b.csv"), &source->err), source->err);
    check_rc(source_read_all(source), GM_E_RETRY, source->err);
    check_err_says(source->err, "b.csv: is gone since the run began");
    assert_string_equal(keys_of(source), "1");
    source_end(source);
}

static void a_broken_file_breaks_the_pass_and_the_ones_before_are_good(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id, archive: done}");
    put(source, "in/a.csv", "id\n1\n");
    put(source, "in/b.csv", "id,x\n2");
    put(source, "in/c.csv", "id\n3\n");
    source_connect_ok(source, "");
    check_rc(source_read_all(source), GM_E_RETRY, source->err);
    assert_string_equal(keys_of(source), "1");
    check_ok(source->connector->ack(source->self, GM_STR(""), false, &source->err), source->err);
    assert_int_equal(type_of(source, "in/a.csv"), GM_FILE_REGULAR);
    put(source, "in/b.csv", "id,x\n2,y\n");
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1 2 3");
    source_end(source);
}

/* ---- compression ---- */

/* Returns owned. */
static struct gm_str gzip(struct gm_str text)
{
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t size = deflateBound(&stream, text.n);
    char *out = gm_alloc(size);
    GM_AUTO_FREE char *in = gm_str_dup_z(text);
    stream.next_in = (Bytef *)in;
    stream.avail_in = (uInt)text.n;
    stream.next_out = (Bytef *)out;
    stream.avail_out = (uInt)size;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    struct gm_str packed = {out, size - stream.avail_out};
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return packed;
}

/* With a checksum, as the program zstd writes it. */
static struct gm_str zstd(struct gm_str text)
{
    size_t size = ZSTD_compressBound(text.n);
    char *out = gm_alloc(size);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)));
    size_t n = ZSTD_compress2(context, out, size, text.p, text.n);
    assert_false(ZSTD_isError(n));
    (void)ZSTD_freeCCtx(context);
    return (struct gm_str){out, n};
}

static void free_str(struct gm_str s)
{
    void *p;
    memcpy(&p, &s.p, sizeof(p));
    gm_free(p);
}

/* 100,000 lines: more than every buffer on the way. */
static struct gm_str many_lines(void)
{
    struct gm_buf text;
    gm_buf_init(&text, 64 << 20);
    gm_buf_add_z(&text, "id,name\n");
    for (int i = 1; i <= 100000; i++) {
        gm_buf_addf(&text, "%d,name %d\n", i, i * 7919);
    }
    size_t n = text.n;
    return (struct gm_str){gm_buf_take_z(&text), n};
}

static void check_packed(struct gm_str (*pack)(struct gm_str text))
{
    struct gm_str text = many_lines();
    struct gm_str packed = pack(text);
    assert_true(packed.n < text.n);
    struct source *source = source_new("csv", "{path: a.csv, key: id}");
    tmp_write(source->tmp, "a.csv", packed);
    source_pass(source, "");
    assert_int_equal(source->rows.n, 100000);
    assert_string_equal(source->rows.at[99999].key_z, "100000");
    assert_int_equal(source->bytes_read, packed.n);
    /* Cut anywhere it breaks the pass. */
    static const size_t cuts[] = {1, 5, 8, 100, 5000};
    for (size_t i = 0; i < GM_ARRAY_COUNT(cuts); i++) {
        tmp_write(source->tmp, "a.csv", (struct gm_str){packed.p, packed.n - cuts[i]});
        gm_rc rc = source_connect(source, "");
        rc = rc == GM_OK ? source_read_all(source) : rc;
        check_rc(rc, GM_E_RETRY, source->err);
        check_err_says(source->err, "the compressed data ends early");
    }
    /* Damaged it needs people. */
    GM_AUTO_FREE char *damaged = gm_alloc(packed.n);
    memcpy(damaged, packed.p, packed.n);
    memset(damaged + packed.n / 2, 0, 64);
    tmp_write(source->tmp, "a.csv", (struct gm_str){damaged, packed.n});
    source_connect_ok(source, "");
    gm_rc rc = source_read_all(source);
    assert_true(rc == GM_E_CONFIG || rc == GM_E_RETRY);
    source_end(source);
    free_str(packed);
    free_str(text);
}

static void gzip_is_recognised_by_content(void **state)
{
    (void)state;
    check_packed(gzip);
}

static void zstd_is_recognised_by_content(void **state)
{
    (void)state;
    check_packed(zstd);
}

static void compressed_files_may_consist_of_several_parts(void **state)
{
    (void)state;
    struct gm_str (*const packers[])(struct gm_str) = {gzip, zstd};
    for (size_t i = 0; i < GM_ARRAY_COUNT(packers); i++) {
        struct gm_str first = packers[i](GM_STR("id\n1"));
        struct gm_str second = packers[i](GM_STR("\n2\n"));
        struct gm_buf both;
        gm_buf_init(&both, 10000);
        gm_buf_add(&both, first);
        gm_buf_add(&both, second);
        struct source *source = source_new("csv", "{path: a.csv, key: id}");
        tmp_write(source->tmp, "a.csv", gm_buf_str(&both));
        source_pass(source, "");
        assert_string_equal(keys_of(source), "1 2");
        source_end(source);
        gm_buf_deinit(&both);
        free_str(first);
        free_str(second);
    }
}

static void padding_behind_gzip_is_no_data(void **state)
{
    (void)state;
    struct gm_str packed = gzip(GM_STR("id\n1\n"));
    struct gm_buf padded;
    gm_buf_init(&padded, 10000);
    gm_buf_add(&padded, packed);
    for (int i = 0; i < 512; i++) {
        gm_buf_add_char(&padded, '\0');
    }
    struct source *source = source_new("csv", "{path: a.csv, key: id}");
    tmp_write(source->tmp, "a.csv", gm_buf_str(&padded));
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1");
    gm_buf_add_z(&padded, "not gzip");
    tmp_write(source->tmp, "a.csv", gm_buf_str(&padded));
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    check_err_says(source->err, "the compressed data is damaged");
    source_end(source);
    gm_buf_deinit(&padded);
    free_str(packed);
}

static void a_compressed_file_that_has_just_been_made_is_not_an_empty_one(void **state)
{
    (void)state;
    static const char *const names[] = {"a.gz", "a.zst"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
        struct source *source =
            source_new("csv", "{path: 'a.*', key: id, header: false, columns: [id]}");
        put(source, names[i], "");
        check_rc(source_connect(source, ""), GM_E_RETRY, source->err);
        check_err_says(source->err, "may still be written");
        source_end(source);
    }
}

/* ---- archive ---- */

static void files_move_to_the_archive_after_the_whole_pass(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: 'in/*.csv', key: id, archive: in/done}");
    put(source, "in/a.csv", "id\n1\n");
    put(source, "in/b.csv", "id\n2\n");
    source_pass(source, "");
    assert_false(source->pass.full); /* files are increments */
    assert_int_equal(type_of(source, "in/a.csv"), GM_FILE_MISSING);
    check_str(tmp_read(source->tmp, "in/done/a.csv"), "id\n1\n");
    check_str(tmp_read(source->tmp, "in/done/b.csv"), "id\n2\n");
    source_pass(source, ""); /* nothing to do is fine */
    assert_false(source->pass.full);
    assert_int_equal(source->rows.n, 0);
    source_end(source);
}

static void a_name_that_is_taken_gets_the_time_in_front(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: a.csv, key: id, archive: done}");
    for (int i = 0; i < 3; i++) {
        put(source, "a.csv", "id\n1\n");
        source_pass(source, "");
    }
    assert_int_equal(type_of(source, "done/a.csv"), GM_FILE_REGULAR);
    assert_int_equal(type_of(source, "done/2026-11-20T170955Z-a.csv"), GM_FILE_REGULAR);
    assert_int_equal(type_of(source, "done/2026-11-20T170955Z-2-a.csv"), GM_FILE_REGULAR);
    source_pass(source, ""); /* the file is gone, which is no error with an archive */
    source_end(source);
}

static void a_file_that_changed_after_it_was_read_is_not_archived(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id, archive: done}");
    put(source, "in/a.csv", "id\n1\n");
    put(source, "in/b.csv", "id\n2\n");
    source_connect_ok(source, "");
    check_rc(source_read_all(source), GM_E_END, source->err);
    put(source, "in/a.csv", "id\n1\n3\n");
    put(source, "in/c.csv", "id\n4\n");
    check_ok(source->connector->ack(source->self, GM_STR(""), true, &source->err), source->err);
    assert_int_equal(type_of(source, "in/a.csv"), GM_FILE_REGULAR);
    assert_int_equal(type_of(source, "in/b.csv"), GM_FILE_MISSING);
    source_pass(source, "");
    assert_string_equal(keys_of(source), "1 3 4");
    source_end(source);
}

static void an_archive_that_cannot_be_is_found_out_before_reading(void **state)
{
    (void)state;
    struct source *source = source_new("csv", "{path: in, key: id, archive: taken}");
    put(source, "in/a.csv", "id\n1\n");
    put(source, "taken", "a file");
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    check_err_says(source->err, "taken");
    source_end(source);
    source = source_new("csv", "{path: in, key: id, archive: ./in/../in}");
    put(source, "in/a.csv", "id\n1\n");
    check_rc(source_connect(source, ""), GM_E_CONFIG, source->err);
    check_err_says(source->err, "`archive` is the folder that is read");
    source_end(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_as_in_a_shell),
        cmocka_unit_test(a_pattern_that_backtracks_stays_fast),
        cmocka_unit_test(files_are_read_in_byte_order_of_their_names),
        cmocka_unit_test(files_that_are_still_being_made_are_passed_over),
        cmocka_unit_test(a_pattern_chooses_files),
        cmocka_unit_test(what_is_not_there_is_an_error_and_what_is_empty_is_not),
        cmocka_unit_test(a_file_that_changes_while_it_is_read_breaks_the_pass),
        cmocka_unit_test(a_file_that_vanishes_in_the_middle_breaks_the_pass),
        cmocka_unit_test(a_broken_file_breaks_the_pass_and_the_ones_before_are_good),
        cmocka_unit_test(gzip_is_recognised_by_content),
        cmocka_unit_test(zstd_is_recognised_by_content),
        cmocka_unit_test(compressed_files_may_consist_of_several_parts),
        cmocka_unit_test(padding_behind_gzip_is_no_data),
        cmocka_unit_test(a_compressed_file_that_has_just_been_made_is_not_an_empty_one),
        cmocka_unit_test(files_move_to_the_archive_after_the_whole_pass),
        cmocka_unit_test(a_name_that_is_taken_gets_the_time_in_front),
        cmocka_unit_test(a_file_that_changed_after_it_was_read_is_not_archived),
        cmocka_unit_test(an_archive_that_cannot_be_is_found_out_before_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
