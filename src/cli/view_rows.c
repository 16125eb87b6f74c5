#include "cli/view_rows.h"

#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/remote.h"
#include "hub/views_json.h"
#include "os/file.h"
#include "stream/stream.h"
#include "json/json.h"

enum { OUTPUT_SIZE_MAX = 64 << 20, SPEC_ARENA_SIZE = 1 << 20, PATH_SIZE_MAX = 64 << 10 };

/* Where rows come from: the process that keeps the view up, or the view's file. */
struct source {
    struct gm_store *store; /* holds the data directory; NULL: another process does */
    struct gm_arena *arena; /* of the spec */
    struct gm_view_spec spec;
    struct gm_view *view;
};

/* ---- the file ---- */

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

static gm_rc open_view(struct gm_args *args, const char *name_z, struct source *source,
                       struct gm_err *err)
{
    const struct gm_config *config;
    const char *folder_z;
    GM_TRY(gm_args_settings(args, &config, err));
    GM_TRY(gm_args_data(args, &folder_z, err));
    const struct gm_conf_map_entry *entry = find_view(config, name_z);
    if (entry == NULL) {
        return gm_fail(err, GM_E_CONFIG, "there is no view `%s` in the configuration", name_z);
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
    gm_view_conf_spec(entry, source->arena, &source->spec);
    return gm_view_open(
        &(struct gm_view_options){.spec = &source->spec,
                                  .path_z = path_z,
                                  .partitions = partitions,
                                  .group_of = conf->group.twin != NULL ? no_groups : NULL},
        &source->view, err);
}

/* ---- one page ---- */

static struct gm_str option(const struct gm_args *args, const char *name_z)
{
    const char *value_z = gm_args_value(args, name_z);
    return value_z != NULL ? gm_str_z(value_z) : (struct gm_str){NULL, 0};
}

static void write_parameter(const char *name_z, struct gm_str value, struct gm_buf *out)
{
    if (value.n > 0) {
        gm_buf_addf(out, "&%s=", name_z);
        gm_percent_add(out, value);
    }
}

static gm_rc ask_process(struct gm_args *args, const struct gm_views_ask *ask, struct gm_buf *out,
                         struct gm_err *err)
{
    struct gm_buf path;
    struct gm_http_answer answer;
    gm_buf_init(&path, PATH_SIZE_MAX);
    gm_buf_add_z(&path, "/views/");
    gm_percent_add(&path, ask->name);
    gm_buf_addf(&path, "?limit=" GM_STR_FMT, GM_STR_ARG(ask->limit));
    write_parameter("key", ask->key, &path);
    write_parameter("from", ask->from, &path);
    write_parameter("to", ask->to, &path);
    write_parameter("after", ask->after, &path);
    gm_rc rc = gm_remote_get(args, path.p, &answer, err);
    gm_buf_deinit(&path);
    if (rc == GM_OK) {
        gm_buf_add(out, gm_buf_str(&answer.body));
        gm_http_answer_free(&answer);
    }
    return rc;
}

/* ---- printing ---- */

struct printing {
    struct gm_args *args;
    const struct gm_view_rows_options *options;
    struct source *source;
    struct gm_buf line;
    struct gm_buf next; /* the token behind what was printed; n 0: that was all */
    int64_t count;
};

static void print_row(struct printing *printing, const yyjson_mut_val *row)
{
    gm_buf_reset(&printing->line);
    gm_json_write(row, &printing->line);
    if (printing->options->whole) {
        fputs(printing->count > 0 ? "," : "{\"value\":[", stdout);
        fwrite(printing->line.p, 1, printing->line.n, stdout);
    } else {
        gm_print_json(&printing->line);
    }
    printing->count++;
}

static gm_rc print_page(struct printing *printing, struct gm_str answer, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new((size_t)8 * OUTPUT_SIZE_MAX);
    yyjson_mut_val *value;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), answer, &value, err);
    if (rc == GM_OK) {
        const yyjson_mut_val *rows = gm_json_member(value, GM_STR("value"));
        size_t count = gm_json_count(rows);
        const yyjson_mut_val *row = count > 0 ? gm_json_first(rows) : NULL;
        for (size_t i = 0; i < count; i++, row = row->next) {
            print_row(printing, row);
        }
        gm_buf_reset(&printing->next);
        gm_buf_add(&printing->next, gm_json_member_str(value, "continuationToken"));
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc print_next_page(struct printing *printing, int64_t limit, struct gm_err *err)
{
    const struct gm_args *args = printing->args;
    const struct source *source = printing->source;
    char text[GM_NUM_TEXT_SIZE];
    const struct gm_views_ask ask = {.name = gm_str_z(printing->options->name_z),
                                     .key = option(args, "key"),
                                     .from = option(args, "from"),
                                     .to = option(args, "to"),
                                     .limit = {text, gm_format_i64(limit, text)},
                                     .after = gm_buf_str(&printing->next)};
    struct gm_buf answer;
    gm_buf_init(&answer, OUTPUT_SIZE_MAX);
    gm_rc rc = source->store == NULL
                   ? ask_process(printing->args, &ask, &answer, err)
                   : gm_views_write_rows(&(struct gm_view_source){.view = source->view}, &ask,
                                         &answer, err);
    rc = rc == GM_OK ? print_page(printing, gm_buf_str(&answer), err) : rc;
    gm_buf_deinit(&answer);
    return rc;
}

static void print_end(const struct printing *printing)
{
    struct gm_str next = gm_buf_str(&printing->next);
    if (printing->options->whole) {
        struct gm_buf text;
        gm_buf_init(&text, OUTPUT_SIZE_MAX);
        gm_buf_add_z(&text, printing->count > 0 ? "" : "{\"value\":[");
        gm_buf_add_z(&text, "],\"continuationToken\":");
        if (next.n > 0) {
            gm_json_quote(&text, next);
        } else {
            gm_buf_add_z(&text, "null");
        }
        gm_buf_add_char(&text, '}');
        gm_print_json(&text);
        gm_buf_deinit(&text);
    } else if (next.n > 0) {
        fflush(stdout);
        fprintf(stderr,
                "%lld rows; there are more: --limit 0 prints all, --next \"" GM_STR_FMT
                "\" the next page\n",
                (long long)printing->count, GM_STR_ARG(next));
    }
}

static gm_rc print_rows(struct printing *printing, struct gm_err *err)
{
    int64_t limit;
    bool more = true;
    GM_TRY(gm_args_int(printing->args, "limit", printing->options->limit, &limit, err));
    limit = limit > 0 ? limit : INT64_MAX;
    gm_buf_add(&printing->next, option(printing->args, "next"));
    while (more) {
        int64_t left = limit - printing->count;
        GM_TRY(print_next_page(printing, left < GM_VIEWS_ROWS_MAX ? left : GM_VIEWS_ROWS_MAX, err));
        more = printing->next.n > 0 && printing->count < limit;
    }
    print_end(printing);
    return GM_OK;
}

gm_rc gm_view_rows_print(struct gm_args *args, const struct gm_view_rows_options *options,
                         struct gm_err *err)
{
    struct source source = {.arena = gm_arena_new(SPEC_ARENA_SIZE)};
    struct printing printing = {.args = args, .options = options, .source = &source};
    gm_buf_init(&printing.line, OUTPUT_SIZE_MAX);
    gm_buf_init(&printing.next, PATH_SIZE_MAX);
    gm_rc rc = gm_remote_or_store(args, &source.store, err);
    if (rc == GM_OK && source.store != NULL) {
        rc = open_view(args, options->name_z, &source, err);
    }
    rc = rc == GM_OK ? print_rows(&printing, err) : rc;
    gm_view_close(source.view);
    gm_store_close(source.store);
    gm_arena_free(source.arena);
    gm_buf_deinit(&printing.line);
    gm_buf_deinit(&printing.next);
    return rc;
}
