/* gemel views: the read models, their rows, making one anew. Asks the process that keeps them up;
 * where none does, rows are those of its last save. */
#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "hub/hub.h"
#include "hub/views_json.h"
#include "os/file.h"

enum { OUTPUT_SIZE_MAX = 64 << 20, SPEC_ARENA_SIZE = 1 << 20, PATH_SIZE_MAX = 64 << 10 };

/* ---- the list ---- */

static void add_view(struct gm_table *table, const yyjson_mut_val *view)
{
    char keys[32], lag[32];
    gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("keys"))), keys);
    gm_format_count(yyjson_mut_get_sint(gm_json_member(view, GM_STR("lag"))), lag);
    struct gm_str watermark = gm_json_member_str(view, "watermark");
    struct gm_str error = gm_json_member_str(view, "error");
    bool rebuilding = yyjson_mut_get_bool(gm_json_member(view, GM_STR("rebuilding")));
    const struct gm_str cells[] = {gm_json_member_str(view, "name"),
                                   gm_json_member_str(view, "stream"),
                                   gm_str_z(keys),
                                   gm_str_z(lag),
                                   watermark.n > 0 ? watermark : GM_STR("-"),
                                   error.n > 0  ? error
                                   : rebuilding ? GM_STR("made anew")
                                                : GM_STR("ok")};
    gm_table_add(table, cells);
}

static gm_rc print_table(struct gm_str answer, struct gm_err *err)
{
    static const char *const heads[] = {"VIEW", "STREAM", "KEYS", "LAG", "WATERMARK", "STATE"};
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
    .summary_z = "List the views, and how far each is behind its stream.",
    .help_z = "Asks the `gemel run` that keeps them up.",
    .example_z = "gemel views",
    .run = views,
};

/* ---- rows ---- */

static const struct {
    const char *option_z, *parameter_z;
} parameters[] = {
    {"key", "key"}, {"from", "from"}, {"to", "to"}, {"limit", "limit"}, {"next", "after"},
};

static void write_path(const struct gm_args *args, struct gm_buf *out)
{
    char mark = '?';
    gm_buf_add_z(out, "/views/");
    gm_percent_add(out, gm_str_z(args->words[0]));
    for (size_t i = 0; i < GM_ARRAY_COUNT(parameters); i++) {
        const char *value_z = gm_args_value(args, parameters[i].option_z);
        if (value_z != NULL) {
            gm_buf_addf(out, "%c%s=", mark, parameters[i].parameter_z);
            gm_percent_add(out, gm_str_z(value_z));
            mark = '&';
        }
    }
}

static gm_rc ask_process(struct gm_args *args, struct gm_buf *out, struct gm_err *err)
{
    struct gm_buf path;
    struct gm_http_answer answer;
    gm_buf_init(&path, PATH_SIZE_MAX);
    write_path(args, &path);
    gm_rc rc = gm_remote_get(args, path.p, &answer, err);
    gm_buf_deinit(&path);
    if (rc == GM_OK) {
        gm_buf_add(out, gm_buf_str(&answer.body));
        gm_http_answer_free(&answer);
    }
    return rc;
}

static const struct gm_conf_map_entry *find_view(const struct gm_config *config, const char *name_z)
{
    const struct gm_conf_map *map = &gm_config_root(config)->views;
    for (size_t i = 0; i < map->n; i++) {
        if (strcmp(map->at[i].name_z, name_z) == 0) {
            return &map->at[i];
        }
    }
    return NULL;
}

/* Nothing groups here: rows are looked at, none is folded. */
static gm_rc no_groups(void *ctx, struct gm_str key, struct gm_buf *out, struct gm_err *err)
{
    (void)ctx;
    (void)key;
    (void)out;
    (void)err;
    return GM_OK;
}

static gm_rc open_view(struct gm_args *args, struct gm_arena *arena, struct gm_view_spec *spec,
                       struct gm_view **out_view, struct gm_err *err)
{
    const struct gm_config *config;
    const char *folder_z;
    GM_TRY(gm_args_settings(args, &config, err));
    GM_TRY(gm_args_data(args, &folder_z, err));
    const struct gm_conf_map_entry *entry = find_view(config, args->words[0]);
    if (entry == NULL) {
        return gm_fail(err, GM_E_CONFIG, "there is no view `%s` in the configuration",
                       args->words[0]);
    }
    const struct gm_view_conf *conf = entry->value;
    GM_AUTO_FREE char *path_z = gm_format_z("%s/views/%s.db", folder_z, entry->name_z);
    GM_AUTO_FREE char *stream_z = gm_format_z("%s/streams/%s.db", folder_z, conf->stream);
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    if (info.type == GM_FILE_MISSING) {
        return gm_fail(err, GM_E_CONFIG, "view `%s` has not been made yet; `gemel run` makes it",
                       entry->name_z);
    }
    struct gm_stream *stream;
    GM_TRY(gm_stream_open(&(struct gm_stream_options){.path_z = stream_z,
                                                      .read_only = true,
                                                      .clock = gm_clock_system()},
                          &stream, err));
    int partitions = gm_stream_partitions(stream);
    gm_stream_close(stream);
    gm_view_conf_spec(entry, arena, spec);
    return gm_view_open(
        &(struct gm_view_options){.spec = spec,
                                  .path_z = path_z,
                                  .partitions = partitions,
                                  .group_of = conf->group.twin != NULL ? no_groups : NULL},
        out_view, err);
}

static struct gm_str option(const struct gm_args *args, const char *name_z)
{
    const char *value_z = gm_args_value(args, name_z);
    return value_z != NULL ? gm_str_z(value_z) : (struct gm_str){NULL, 0};
}

static gm_rc read_file(struct gm_args *args, struct gm_buf *out, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(SPEC_ARENA_SIZE);
    struct gm_view_spec spec;
    struct gm_view *view = NULL;
    gm_rc rc = open_view(args, arena, &spec, &view, err);
    if (rc == GM_OK) {
        const struct gm_views_ask ask = {.name = gm_str_z(args->words[0]),
                                         .key = option(args, "key"),
                                         .from = option(args, "from"),
                                         .to = option(args, "to"),
                                         .limit = option(args, "limit"),
                                         .after = option(args, "next")};
        rc = gm_views_write_rows(&(struct gm_view_source){.view = view}, &ask, out, err);
        gm_view_close(view);
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc print_lines(struct gm_str answer, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new((size_t)8 * OUTPUT_SIZE_MAX);
    yyjson_mut_val *value;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), answer, &value, err);
    const yyjson_mut_val *rows = rc == GM_OK ? gm_json_member(value, GM_STR("value")) : NULL;
    const yyjson_mut_val *row = gm_json_first(rows);
    struct gm_buf line;
    gm_buf_init(&line, OUTPUT_SIZE_MAX);
    for (size_t i = 0; i < gm_json_count(rows); i++, row = row->next) {
        gm_buf_reset(&line);
        gm_json_write(row, &line);
        gm_print_json(&line);
    }
    struct gm_str next = rc == GM_OK ? gm_json_member_str(value, "continuationToken") : GM_STR("");
    if (next.n > 0) {
        fprintf(stderr, "more rows: --next \"" GM_STR_FMT "\"\n", GM_STR_ARG(next));
    }
    gm_buf_deinit(&line);
    gm_arena_free(arena);
    return rc;
}

static int show(struct gm_args *args)
{
    struct gm_buf answer;
    struct gm_store *store = NULL;
    struct gm_err err = {0};
    gm_buf_init(&answer, OUTPUT_SIZE_MAX);
    gm_rc rc = gm_remote_or_store(args, &store, &err);
    if (rc == GM_OK) {
        rc = store == NULL ? ask_process(args, &answer, &err) : read_file(args, &answer, &err);
    }
    gm_store_close(store);
    if (rc == GM_OK && args->json) {
        gm_print_json(&answer);
    } else if (rc == GM_OK) {
        rc = print_lines(gm_buf_str(&answer), &err);
    }
    gm_buf_deinit(&answer);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option show_options[] = {
    {"key", "KEY", "Only rows of this key."},
    {"from", "TIME", "Only windows that begin at this time or later (2026-11-20T17:00:00Z)."},
    {"to", "TIME", "Only windows that begin before this time."},
    {"limit", "N", "Print at most N rows (default: 100, at most 10000)."},
    {"next", "TOKEN", "Go on behind a page: what it printed at its end."},
    {0},
};

const struct gm_command gm_command_views_show = {
    .name_z = "views show",
    .args_z = "VIEW",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Print rows of a view, one a line, in order of windows and keys.",
    .help_z = "Rows are as `gemel run` has them now; where none runs, as they were saved last.",
    .example_z = "gemel views show per_minute --key machine-7 --from 2026-11-20T17:00:00Z",
    .options = show_options,
    .run = show,
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
