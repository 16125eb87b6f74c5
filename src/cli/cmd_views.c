/* gemel views: the read models, their rows, what changes, making one anew. Asks the process that
 * keeps them up; where none does, rows are those of its last save. */
#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/view_rows.h"
#include "json/json.h"

enum { OUTPUT_SIZE_MAX = 64 << 20, PATH_SIZE_MAX = 64 << 10 };

/* ---- the list ---- */

static void add_view(struct gm_table *table, const yyjson_mut_val *view)
{
    char keys[32], lag[32], followers[32], behind[32];
    gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("keys"))), keys);
    gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("lag"))), lag);
    gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("followers"))), followers);
    gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("followerLag"))), behind);
    struct gm_str watermark = gm_json_member_str(view, "watermark");
    struct gm_str error = gm_json_member_str(view, "error");
    bool rebuilding = yyjson_mut_get_bool(gm_json_member(view, GM_STR("rebuilding")));
    const struct gm_str cells[] = {gm_json_member_str(view, "name"),
                                   gm_json_member_str(view, "stream"),
                                   gm_str_z(keys),
                                   gm_str_z(lag),
                                   gm_str_z(followers),
                                   gm_str_z(behind),
                                   watermark.n > 0 ? watermark : GM_STR("-"),
                                   error.n > 0  ? error
                                   : rebuilding ? GM_STR("made anew")
                                                : GM_STR("ok")};
    gm_table_add(table, cells);
}

static gm_rc print_table(struct gm_str answer, struct gm_err *err)
{
    static const char *const heads[] = {"VIEW",      "STREAM",    "KEYS",      "LAG",
                                        "FOLLOWERS", "THEIR LAG", "WATERMARK", "STATE"};
    struct gm_arena *arena = gm_arena_new(OUTPUT_SIZE_MAX);
    yyjson_mut_val *value;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), answer, &value, err);
    if (rc == GM_OK) {
        struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
        const yyjson_mut_val *views = gm_json_member(value, GM_STR("value"));
        const yyjson_mut_val *view = gm_json_first(views);
        for (size_t i = 0; i < gm_json_count(views); i++, view = view->next) {
            add_view(table, view);
        }
        gm_table_print(table);
        gm_table_free(table);
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc list(struct gm_args *args, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_TRY(gm_remote_get(args, "/views", &answer, err));
    gm_rc rc = GM_OK;
    if (args->json) {
        gm_print_json(&answer.body);
    } else {
        rc = print_table(gm_buf_str(&answer.body), err);
    }
    gm_http_answer_free(&answer);
    return rc;
}

static int views(struct gm_args *args)
{
    struct gm_err err = {0};
    gm_rc rc = list(args, &err);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_views = {
    .name_z = "views",
    .summary_z =
        "List the views, how far each is behind its stream, and how far its followers are.",
    .help_z = "Asks the `gemel run` that keeps them up.",
    .example_z = "gemel views",
    .run = views,
};

/* ---- rows ---- */

static int show(struct gm_args *args)
{
    struct gm_err err = {0};
    const struct gm_view_rows_options options = {
        .name_z = args->words[0], .limit = 100, .whole = args->json};
    gm_rc rc = gm_view_rows_print(args, &options, &err);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option show_options[] = {
    {"key", "KEY", "Only rows of this key."},
    {"from", "TIME", "Only windows that begin at this time or later (2026-11-20T17:00:00Z)."},
    {"to", "TIME", "Only windows that begin before this time."},
    {"limit", "N", "Print at most N rows (default: 100; 0: all)."},
    {"next", "TOKEN", "Go on behind a page: what it printed at its end."},
    {0},
};

const struct gm_command gm_command_views_show = {
    .name_z = "views show",
    .args_z = "VIEW",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Print rows of a view, one a line, in order of windows and keys.",
    .help_z = "Rows are as `gemel run` has them now; where none runs, as they were saved last.\n"
              "`gemel query --view` is the same.",
    .example_z = "gemel views show per_minute --key machine-7 --from 2026-11-20T17:00:00Z",
    .options = show_options,
    .run = show,
};

/* ---- following ---- */

static const struct gm_option follow_options[] = {
    {"from", "CURSOR", "newest (default), oldest (all rows, then what changes), or a cursor."},
    {"key", "KEY", "Only rows of this key."},
    {"limit", "N", "End after N rows, and print the cursor behind them (default: never)."},
    {0},
};

struct following {
    struct gm_args *args;
    struct gm_buf cursor;
    struct gm_buf line;
    int64_t left;
};

static void write_changes_path(const struct following *following, struct gm_buf *out)
{
    enum { PAGE_MAX = 1000 };
    const char *key_z = gm_args_value(following->args, "key");
    gm_buf_add_z(out, "/views/");
    gm_percent_add(out, gm_str_z(following->args->words[0]));
    gm_buf_addf(out, "/changes?wait=30s&limit=%d&from=",
                following->left < PAGE_MAX ? (int)following->left : PAGE_MAX);
    gm_percent_add(out, gm_buf_str(&following->cursor));
    if (key_z != NULL) {
        gm_buf_add_z(out, "&key=");
        gm_percent_add(out, gm_str_z(key_z));
    }
}

static gm_rc print_changes(struct following *following, struct gm_str answer, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new((size_t)8 * OUTPUT_SIZE_MAX);
    yyjson_mut_val *root;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), answer, &root, err);
    if (rc == GM_OK) {
        const yyjson_mut_val *rows = gm_json_member(root, GM_STR("value"));
        size_t count = gm_json_count(rows);
        const yyjson_mut_val *row = count > 0 ? gm_json_first(rows) : NULL;
        for (size_t i = 0; i < count; i++, row = row->next) {
            gm_buf_reset(&following->line);
            gm_json_write(row, &following->line);
            gm_print_json(&following->line);
            following->left--;
        }
        gm_buf_reset(&following->cursor);
        gm_buf_add(&following->cursor, gm_json_member_str(root, "cursor"));
    }
    fflush(stdout);
    gm_arena_free(arena);
    return rc;
}

static gm_rc ask_changes(struct following *following, struct gm_err *err)
{
    struct gm_buf path;
    struct gm_http_answer answer;
    struct gm_http_request request = {.method_z = "GET"};
    gm_buf_init(&path, PATH_SIZE_MAX);
    write_changes_path(following, &path);
    gm_rc rc = gm_remote_insist(following->args, path.p, &request, &answer, err);
    gm_buf_deinit(&path);
    if (rc == GM_OK) {
        rc = print_changes(following, gm_buf_str(&answer.body), err);
        gm_http_answer_free(&answer);
    } else if (rc == GM_E_CONFLICT) { /* made anew, or too slow: all rows again */
        fprintf(stderr, "%s; all rows follow\n", err->text);
        gm_buf_reset(&following->cursor);
        gm_buf_add_z(&following->cursor, "oldest");
        rc = GM_OK;
    }
    return rc;
}

static gm_rc follow_view(struct following *following, struct gm_err *err)
{
    struct gm_http_answer answer;
    const char *from_z = gm_args_value(following->args, "from");
    GM_TRY(gm_args_int(following->args, "limit", INT64_MAX, &following->left, err));
    GM_TRY(gm_remote_get(following->args, "/health", &answer, err)); /* now, there must be one */
    gm_http_answer_free(&answer);
    gm_buf_add_z(&following->cursor, from_z != NULL ? from_z : "newest");
    while (following->left > 0) {
        GM_TRY(ask_changes(following, err));
    }
    fprintf(stderr, "more: --from %s\n", following->cursor.p);
    return GM_OK;
}

static int follow(struct gm_args *args)
{
    struct gm_err err = {0};
    struct following following = {.args = args};
    gm_buf_init(&following.cursor, PATH_SIZE_MAX);
    gm_buf_init(&following.line, OUTPUT_SIZE_MAX);
    gm_rc rc = follow_view(&following, &err);
    gm_buf_deinit(&following.cursor);
    gm_buf_deinit(&following.line);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_views_follow = {
    .name_z = "views follow",
    .args_z = "VIEW",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Print rows of a view as they change, one a line, until Ctrl-C.",
    .help_z = "Asks the `gemel run` that keeps it up, and waits a minute for it to come back when\n"
              "it ends.",
    .example_z = "gemel views follow per_minute --key machine-7",
    .options = follow_options,
    .run = follow,
};

/* ---- made anew ---- */

static int rebuild(struct gm_args *args)
{
    struct gm_buf path;
    struct gm_http_answer answer;
    struct gm_err err = {0};
    gm_buf_init(&path, PATH_SIZE_MAX);
    gm_buf_add_z(&path, "/views/");
    gm_percent_add(&path, gm_str_z(args->words[0]));
    gm_buf_add_z(&path, "/rebuild");
    gm_rc rc = gm_remote_post(args, path.p, GM_STR("{}"), &answer, &err);
    gm_buf_deinit(&path);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    gm_http_answer_free(&answer);
    if (!args->json) {
        puts("The view is made anew; `gemel views` tells how far it is.");
    }
    return GM_EXIT_OK;
}

const struct gm_command gm_command_views_rebuild = {
    .name_z = "views rebuild",
    .args_z = "VIEW",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Make a view anew from its stream, while the old one serves.",
    .help_z = "Asks the `gemel run` that keeps it up.",
    .example_z = "gemel views rebuild per_minute",
    .run = rebuild,
};
