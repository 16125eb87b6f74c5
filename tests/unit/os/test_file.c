#include "os/file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/process.h"
#include "support/check.h"
#include "support/tmp.h"

static void a_missing_path_is_no_error(void **state)
{
    struct gm_file_info info;
    struct gm_err err = {0};
    check_ok(gm_file_info(tmp_path(*state, "none"), &info, &err), err);
    assert_int_equal(info.type, GM_FILE_MISSING);
    tmp_write(*state, "a.txt", GM_STR("x"));
    check_ok(gm_file_info(tmp_path(*state, "a.txt/none"), &info, &err), err);
    assert_int_equal(info.type, GM_FILE_MISSING);
}

static void info_tells_type_size_and_time(void **state)
{
    struct gm_file_info info;
    struct gm_err err = {0};
    check_ok(gm_file_info(tmp_write(*state, "a.txt", GM_STR("12345")), &info, &err), err);
    assert_int_equal(info.type, GM_FILE_REGULAR);
    assert_int_equal(info.size_bytes, 5);
    assert_true(info.inode != 0);
    assert_true(gm_clock_wall_now() - info.modified < GM_HOUR);
    check_ok(gm_file_info(tmp_folder(*state), &info, &err), err);
    assert_int_equal(info.type, GM_FILE_FOLDER);
    check_ok(gm_file_info("/dev/null", &info, &err), err);
    assert_int_equal(info.type, GM_FILE_OTHER);
}

static void read_all_appends_the_whole_file(void **state)
{
    struct gm_err err = {0};
    struct gm_buf buf;
    gm_buf_init(&buf, 1 << 20);
    gm_buf_add(&buf, GM_STR("a"));
    check_ok(gm_file_read_all(tmp_write(*state, "f", GM_STR("b\0c")), &buf, &err), err);
    assert_int_equal(buf.n, 4);
    assert_memory_equal(buf.p, "ab\0c", 5);
    gm_buf_deinit(&buf);
}

static void read_all_keeps_the_limit_and_leaves_the_buffer_as_it_was(void **state)
{
    struct gm_err err = {0};
    const char *path_z = tmp_write(*state, "f", GM_STR("12345"));
    struct gm_buf buf;
    gm_buf_init(&buf, 5);
    check_ok(gm_file_read_all(path_z, &buf, &err), err);
    check_str(gm_buf_str(&buf), "12345");
    gm_buf_deinit(&buf);

    gm_buf_init(&buf, 5);
    gm_buf_add(&buf, GM_STR("x"));
    check_rc(gm_file_read_all(path_z, &buf, &err), GM_E_LIMIT, err);
    check_err_says(err, "larger than 5 bytes");
    check_str(gm_buf_str(&buf), "x");
    check_rc(gm_file_read_all(tmp_path(*state, "none"), &buf, &err), GM_E_CONFIG, err);
    check_err_says(err, "none: cannot open it: No such file or directory");
    check_str(gm_buf_str(&buf), "x");
    gm_buf_deinit(&buf);
}

static void a_folder_cannot_be_read_as_a_file(void **state)
{
    struct gm_err err = {0};
    struct gm_buf buf;
    gm_buf_init(&buf, 100);
    check_rc(gm_file_read_all(tmp_folder(*state), &buf, &err), GM_E_CONFIG, err);
    check_err_says(err, "Is a directory");
    gm_buf_deinit(&buf);
}

static gm_rc count_entry(void *ctx, struct gm_str relative_path, const struct gm_file_info *info,
                         struct gm_err *err)
{
    (void)relative_path;
    (void)info;
    (void)err;
    ++*(size_t *)ctx;
    return GM_OK;
}

static size_t count_entries(const char *path_z)
{
    struct gm_err err = {0};
    size_t count = 0;
    check_ok(gm_folder_walk(path_z, true, count_entry, &count, &err), err);
    return count;
}

static void atomic_write_replaces_and_leaves_nothing_else_behind(void **state)
{
    struct gm_err err = {0};
    const char *path_z = tmp_path(*state, "f");
    check_ok(gm_file_write_atomic(path_z, GM_STR("one"), 0600, &err), err);
    check_ok(gm_file_write_atomic(path_z, GM_STR("two"), 0600, &err), err);
    check_str(tmp_read(*state, "f"), "two");
    assert_int_equal(count_entries(tmp_folder(*state)), 1);
    struct stat st;
    assert_int_equal(stat(path_z, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void atomic_write_that_fails_leaves_the_old_content(void **state)
{
    struct gm_err err = {0};
    tmp_write(*state, "f/inner", GM_STR("x"));
    /* A folder that is not empty cannot be replaced: the rename at the end fails. */
    check_rc(gm_file_write_atomic(tmp_path(*state, "f"), GM_STR("new"), 0644, &err), GM_E_CONFIG,
             err);
    assert_int_equal(count_entries(tmp_folder(*state)), 2);
    check_rc(gm_file_write_atomic(tmp_path(*state, "no/f"), GM_STR("new"), 0644, &err), GM_E_CONFIG,
             err);
}

static void a_full_disk_is_an_io_failure(void **state)
{
    (void)state;
    struct gm_err err = {0};
    struct gm_file *file;
    check_ok(gm_file_create("/dev/full", &file, &err), err);
    check_rc(gm_file_write(file, GM_STR("x"), &err), GM_E_IO, err);
    check_err_says(err, "/dev/full: cannot write to it: No space left on device; free some space");
    gm_file_close(file);
}

static void files_are_written_and_read_in_pieces(void **state)
{
    struct gm_err err = {0};
    const char *path_z = tmp_path(*state, "f");
    struct gm_file *file;
    check_ok(gm_file_create(path_z, &file, &err), err);
    check_ok(gm_file_write(file, GM_STR("hello "), &err), err);
    check_ok(gm_file_write(file, GM_STR("world"), &err), err);
    check_ok(gm_file_sync(file, &err), err);
    gm_file_close(file);

    char piece[8];
    size_t n;
    check_ok(gm_file_open(path_z, &file, &err), err);
    check_ok(gm_file_read(file, piece, sizeof(piece), &n, &err), err);
    check_str(((struct gm_str){piece, n}), "hello wo");
    check_ok(gm_file_read(file, piece, sizeof(piece), &n, &err), err);
    check_str(((struct gm_str){piece, n}), "rld");
    check_ok(gm_file_read(file, piece, sizeof(piece), &n, &err), err);
    assert_int_equal(n, 0);
    gm_file_close(file);
    gm_file_close(NULL);
    gm_file_close(gm_file_stdin());
}

static void rename_moves_and_says_both_names_when_it_cannot(void **state)
{
    struct gm_err err = {0};
    const char *from_z = tmp_write(*state, "a", GM_STR("x"));
    check_ok(gm_file_rename(from_z, tmp_path(*state, "b"), &err), err);
    check_str(tmp_read(*state, "b"), "x");
    check_rc(gm_file_rename(from_z, tmp_path(*state, "c"), &err), GM_E_CONFIG, err);
    check_err_says(err, "/a: cannot rename it to ");
    check_err_says(err, "/c: No such file");
}

static void removing_what_is_not_there_is_fine(void **state)
{
    struct gm_err err = {0};
    const char *path_z = tmp_write(*state, "a", GM_STR("x"));
    check_ok(gm_file_remove(path_z, &err), err);
    check_ok(gm_file_remove(path_z, &err), err);
    assert_int_equal(count_entries(tmp_folder(*state)), 0);
    check_rc(gm_file_remove(tmp_folder(*state), &err), GM_E_CONFIG, err);
}

static void folders_are_made_with_their_parents(void **state)
{
    struct gm_err err = {0};
    check_ok(gm_folder_make(tmp_path(*state, "a//b/c/"), &err), err);
    check_ok(gm_folder_make(tmp_path(*state, "a/b/c"), &err), err);
    assert_int_equal(count_entries(tmp_folder(*state)), 3);
    tmp_write(*state, "file", GM_STR("x"));
    check_rc(gm_folder_make(tmp_path(*state, "file"), &err), GM_E_CONFIG, err);
    check_err_says(err, "is not a folder");
    check_rc(gm_folder_make(tmp_path(*state, "file/below"), &err), GM_E_CONFIG, err);
}

static gm_rc list_entry(void *ctx, struct gm_str relative_path, const struct gm_file_info *info,
                        struct gm_err *err)
{
    static const char types[] = {'?', 'f', 'd', 'o'};
    (void)err;
    gm_buf_addf(ctx, "%c:" GM_STR_FMT "\n", types[info->type], GM_STR_ARG(relative_path));
    return GM_OK;
}

static void a_walk_reports_names_in_byte_order(void **state)
{
    struct gm_err err = {0};
    tmp_write(*state, "w/b.csv", GM_STR(""));
    tmp_write(*state, "w/a/2", GM_STR(""));
    tmp_write(*state, "w/a/10", GM_STR(""));
    tmp_write(*state, "w/Z", GM_STR(""));
    assert_int_equal(symlink("a", tmp_path(*state, "w/to_a")), 0);
    assert_int_equal(symlink("nowhere", tmp_path(*state, "w/to_none")), 0);
    const char *root_z = tmp_path(*state, "w");
    struct gm_buf out;
    gm_buf_init(&out, 1 << 16);
    check_ok(gm_folder_walk(root_z, true, list_entry, &out, &err), err);
    check_str(gm_buf_str(&out), "f:Z\nd:a\nf:a/10\nf:a/2\nf:b.csv\nd:to_a\n?:to_none\n");
    gm_buf_reset(&out);
    check_ok(gm_folder_walk(root_z, false, list_entry, &out, &err), err);
    check_str(gm_buf_str(&out), "f:Z\nd:a\nf:b.csv\nd:to_a\n?:to_none\n");
    gm_buf_deinit(&out);
}

static gm_rc refuse_second(void *ctx, struct gm_str relative_path, const struct gm_file_info *info,
                           struct gm_err *err)
{
    (void)info;
    if (++*(size_t *)ctx == 2) {
        return gm_fail(err, GM_E_INVALID, "no " GM_STR_FMT, GM_STR_ARG(relative_path));
    }
    return GM_OK;
}

static void a_walk_ends_with_what_its_callback_returns(void **state)
{
    struct gm_err err = {0};
    tmp_write(*state, "1", GM_STR(""));
    tmp_write(*state, "2", GM_STR(""));
    tmp_write(*state, "3", GM_STR(""));
    size_t count = 0;
    check_rc(gm_folder_walk(tmp_folder(*state), true, refuse_second, &count, &err), GM_E_INVALID,
             err);
    assert_string_equal(err.text, "no 2");
    assert_int_equal(count, 2);
    check_rc(gm_folder_walk(tmp_path(*state, "none"), true, refuse_second, &count, &err),
             GM_E_CONFIG, err);
}

static void a_walk_refuses_what_is_too_deep(void **state)
{
    struct gm_err err = {0};
    struct gm_buf path;
    gm_buf_init(&path, 4096);
    gm_buf_add(&path, GM_STR("0"));
    for (int i = 1; i < GM_FOLDER_DEPTH_MAX; i++) {
        gm_buf_addf(&path, "/%d", i);
    }
    tmp_write(*state, path.p, GM_STR("in the deepest folder that is read"));
    assert_int_equal(count_entries(tmp_folder(*state)), GM_FOLDER_DEPTH_MAX);
    gm_buf_deinit(&path);

    /* The same folders one deeper, and back again, so that they can be removed. */
    check_ok(gm_folder_make(tmp_path(*state, "aside"), &err), err);
    check_ok(gm_file_rename(tmp_path(*state, "0"), tmp_path(*state, "aside/0"), &err), err);
    size_t count = 0;
    check_rc(gm_folder_walk(tmp_folder(*state), true, count_entry, &count, &err), GM_E_LIMIT, err);
    check_err_says(err, "more than 32 folders deep");
    check_ok(gm_file_rename(tmp_path(*state, "aside/0"), tmp_path(*state, "0"), &err), err);
}

static void a_lock_excludes_others_and_names_its_owner(void **state)
{
    struct gm_err err = {0};
    const char *path_z = tmp_path(*state, "lock");
    struct gm_lock *lock;
    struct gm_lock *second;
    check_ok(gm_lock_take(path_z, &lock, &err), err);
    check_rc(gm_lock_take(path_z, &second, &err), GM_E_RETRY, err);
    GM_AUTO_FREE char *owner_z = gm_format_z("process %lld holds it", (long long)gm_process_id());
    check_err_says(err, owner_z);
    gm_lock_release(lock);
    check_ok(gm_lock_take(path_z, &lock, &err), err);
    gm_lock_release(lock);
    gm_lock_release(NULL);
    check_rc(gm_lock_take(tmp_path(*state, "no/lock"), &lock, &err), GM_E_CONFIG, err);
}

static void a_lock_ends_with_its_process(void **state)
{
    struct gm_err err = {0};
    const char *path_z = tmp_path(*state, "lock");
    struct gm_lock *lock;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(gm_lock_take(path_z, &lock, &err) == GM_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    check_ok(gm_lock_take(path_z, &lock, &err), err);
    gm_lock_release(lock);
}

static void lines_are_appended_behind_the_last_whole_one(void **state)
{
    static const struct {
        const char *before_z, *after_z;
    } cases[] = {
        {"", "new\n"},
        {"one\ntwo\n", "one\ntwo\nnew\n"},
        {"one\ntw", "one\nnew\n"},
        {"torn", "new\n"},
    };
    struct gm_err err = {0};
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        const char *path_z = tmp_write(*state, "lines", gm_str_z(cases[i].before_z));
        struct gm_file *file;
        uint64_t size;
        check_ok(gm_file_append_lines(path_z, &file, &size, &err), err);
        assert_int_equal(size, strlen(cases[i].after_z) - strlen("new\n"));
        check_ok(gm_file_write(file, GM_STR("new\n"), &err), err);
        gm_file_close(file);
        check_str(tmp_read(*state, "lines"), cases[i].after_z);
    }
}

static void a_torn_line_of_any_length_is_cut_off(void **state)
{
    struct gm_err err = {0};
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add(&text, GM_STR("whole\n"));
    for (int i = 0; i < 20000; i++) {
        gm_buf_add_char(&text, 'x');
    }
    const char *path_z = tmp_write(*state, "lines", gm_buf_str(&text));
    gm_buf_deinit(&text);
    struct gm_file *file;
    uint64_t size;
    check_ok(gm_file_append_lines(path_z, &file, &size, &err), err);
    assert_int_equal(size, 6);
    check_ok(gm_file_cut(file, 2, &err), err);
    gm_file_close(file);
    check_str(tmp_read(*state, "lines"), "wh");
    check_rc(gm_file_append_lines(tmp_path(*state, "none/lines"), &file, &size, &err), GM_E_CONFIG,
             err);
}

static void paths_are_joined_with_one_slash(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a//", "b", "a/b"},     {"/", "b", "/b"},
        {"", "b", "b"},    {"a", "/b", "/b"},  {"/a", "b/c", "/a/b/c"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        GM_AUTO_FREE char *path_z = gm_path_join_z(gm_str_z(cases[i][0]), gm_str_z(cases[i][1]));
        assert_string_equal(path_z, cases[i][2]);
    }
}

static void a_path_is_made_absolute_without_parts_that_say_nothing(void **state)
{
    (void)state;
    struct gm_err err = {0};
    char working[4096];
    assert_non_null(getcwd(working, sizeof(working)));
    GM_AUTO_FREE char *below_z = gm_format_z("%s/a/../b", working);
    const char *const cases[][2] = {{"/", "/"},
                                    {"/a//b/./c/", "/a/b/c"},
                                    {".", working},
                                    {"", working},
                                    {"./a/../b/", below_z}};
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        char *path_z;
        check_ok(gm_path_absolute(cases[i][0], &path_z, &err), err);
        assert_string_equal(path_z, cases[i][1]);
        gm_free(path_z);
    }
}

int main(void)
{
#define IN_TMP(test) cmocka_unit_test_setup_teardown(test, tmp_setup, tmp_teardown)
    const struct CMUnitTest tests[] = {
        IN_TMP(a_missing_path_is_no_error),
        IN_TMP(info_tells_type_size_and_time),
        IN_TMP(read_all_appends_the_whole_file),
        IN_TMP(read_all_keeps_the_limit_and_leaves_the_buffer_as_it_was),
        IN_TMP(a_folder_cannot_be_read_as_a_file),
        IN_TMP(atomic_write_replaces_and_leaves_nothing_else_behind),
        IN_TMP(atomic_write_that_fails_leaves_the_old_content),
        IN_TMP(a_full_disk_is_an_io_failure),
        IN_TMP(files_are_written_and_read_in_pieces),
        IN_TMP(rename_moves_and_says_both_names_when_it_cannot),
        IN_TMP(removing_what_is_not_there_is_fine),
        IN_TMP(folders_are_made_with_their_parents),
        IN_TMP(a_walk_reports_names_in_byte_order),
        IN_TMP(a_walk_ends_with_what_its_callback_returns),
        IN_TMP(a_walk_refuses_what_is_too_deep),
        IN_TMP(a_lock_excludes_others_and_names_its_owner),
        IN_TMP(a_lock_ends_with_its_process),
        IN_TMP(lines_are_appended_behind_the_last_whole_one),
        IN_TMP(a_torn_line_of_any_length_is_cut_off),
        IN_TMP(paths_are_joined_with_one_slash),
        cmocka_unit_test(a_path_is_made_absolute_without_parts_that_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
