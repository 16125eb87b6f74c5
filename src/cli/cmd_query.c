/* gemel query, trace: looking at the graph. They work while `gemel run` has the store. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/view_rows.h"
#include "cli/watch.h"
#include "os/process.h"
#include "sync/run.h"
#include "twin/history.h"
#include "twin/models.h"
#include "twin/query.h"

enum { OUTPUT_SIZE_MAX = 64 << 20, STDOUT = 1 };

/* ---- query ---- */

static const struct gm_option query_options[] = {
    {"limit", "N", "Print at most N rows (default: 1000; 0: all)."},
    {"next", "TOKEN", "Go on behind an earlier page, with the token that it printed."},
    {"watch", "SPAN",
     "Ask again every SPAN, like 1s, until Ctrl-C; on a terminal rows are a table."},
    {"timeout", "SPAN", "Stop when it takes longer than this, like 30s (default: never)."},
    {"view", "VIEW", "No QUERY, but rows of this view; with --key, --from and --to."},
    {"key", "KEY", "Of a view: only rows of this key."},
    {"from", "TIME", "Of a view: only windows that begin at this time or later."},
    {"to", "TIME", "Of a view: only windows that begin before this time."},
    {"explain", NULL, "Tell how the query would be run, and with which indexes, instead."},
    {0},
};

struct printing {
    struct gm_buf text;
    bool pretty;
};

static gm_rc print_row(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)doc;
    (void)err;
    struct printing *printing = ctx;
    gm_buf_reset(&printing->text);
    if (printing->pretty) {
        gm_json_write_pretty(row, &printing->text);
    } else {
        gm_json_write(row, &printing->text);
    }
    gm_print_json(&printing->text);
    return GM_OK;
}

static gm_rc explain(struct gm_look *look, const char *text_z, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, OUTPUT_SIZE_MAX);
    gm_rc rc = gm_query_explain_plan(look->db, gm_str_z(text_z), look->models, &text, err);
    if (rc == GM_OK) {
        fwrite(text.p, 1, text.n, stdout);
    }
    gm_buf_deinit(&text);
    return rc;
}

static gm_rc set_deadline(const struct gm_args *args, struct gm_look *look,
                          struct gm_deadline *deadline, struct gm_err *err)
{
    const char *span_z = gm_args_value(args, "timeout");
    gm_ns span;
    if (span_z == NULL) {
        return GM_OK;
    }
    if (!gm_span_parse(gm_str_z(span_z), &span) || span <= 0) {
        return gm_fail(err, GM_E_CONFIG, "--timeout `%s`: not a span of time; write 500ms or 30s",
                       span_z);
    }
    *deadline = gm_deadline_in(span, NULL);
    gm_db_set_deadline(look->db, deadline);
    return GM_OK;
}

static gm_rc run_query(struct gm_args *args, struct gm_look *look, struct gm_err *err)
{
    int64_t limit;
    struct gm_deadline deadline;
    GM_TRY(set_deadline(args, look, &deadline, err));
    const char *next_z = gm_args_value(args, "next");
    GM_TRY(gm_args_int(args, "limit", 1000, &limit, err));
    struct printing printing = {.pretty = !args->json && gm_is_terminal(STDOUT)};
    struct gm_buf next;
    struct gm_query_outcome outcome = {0};
    gm_buf_init(&printing.text, OUTPUT_SIZE_MAX);
    gm_buf_init(&next, OUTPUT_SIZE_MAX);
    struct gm_query_request request = {.text = gm_str_z(args->word_count > 0 ? args->words[0] : ""),
                                       .continuation = gm_str_z(next_z),
                                       .models = look->models,
                                       .rows_max = (size_t)limit,
                                       .fn = print_row,
                                       .ctx = &printing,
                                       .next = &next};
    gm_rc rc = gm_query_run(look->db, &request, &outcome, err);
    gm_db_set_deadline(look->db, NULL);
    fflush(stdout);
    if (rc == GM_OK && outcome.note[0] != '\0') {
        fprintf(stderr, "note: %s\n", outcome.note);
    }
    if (rc == GM_OK && outcome.more) {
        fprintf(stderr,
                "%zu rows; there are more: --limit 0 prints all, --next '" GM_STR_FMT
                "' the next page\n",
                outcome.rows, GM_STR_ARG(gm_buf_str(&next)));
    }
    gm_buf_deinit(&printing.text);
    gm_buf_deinit(&next);
    return rc;
}

/* ---- again and again ---- */

struct watching {
    struct gm_args *args;
    struct gm_look *look;
};

static gm_rc ask_once(const struct watching *watching, struct gm_query_request *request,
                      struct gm_query_outcome *outcome, struct gm_err *err)
{
    struct gm_deadline deadline;
    GM_TRY(set_deadline(watching->args, watching->look, &deadline, err));
    request->models = watching->look->models;
    gm_rc rc = gm_query_run(watching->look->db, request, outcome, err);
    gm_db_set_deadline(watching->look->db, NULL);
    return rc;
}

/* A round that fails is asked once more on a store that is opened anew: its models may be others
 * now. */
static gm_rc ask_round(void *ctx, struct gm_watch_round *round, struct gm_err *err)
{
    struct watching *watching = ctx;
    struct gm_buf next;
    struct gm_query_outcome outcome = {0};
    gm_buf_init(&next, OUTPUT_SIZE_MAX);
    struct gm_query_request request = {.text = gm_str_z(watching->args->words[0]),
                                       .rows_max = round->rows_max,
                                       .fn = round->row,
                                       .ctx = round->row_ctx,
                                       .next = &next};
    gm_rc rc = GM_OK;
    if (watching->look->db == NULL) {
        rc = gm_look_open(watching->args, watching->look, err);
    }
    rc = rc == GM_OK ? ask_once(watching, &request, &outcome, err) : rc;
    if (rc != GM_OK) {
        gm_look_close(watching->look);
        *watching->look = (struct gm_look){0};
    }
    round->more = outcome.more;
    gm_buf_deinit(&next);
    return rc;
}

static gm_rc watch(struct gm_args *args, struct gm_look *look, struct gm_err *err)
{
    struct watching watching = {args, look};
    const char *every_z = gm_args_value(args, "watch");
    int64_t limit;
    gm_ns every;
    if (gm_args_has(args, "explain") || gm_args_has(args, "next")) {
        return gm_fail(err, GM_E_CONFIG, "--watch asks the same query again and again: without %s",
                       gm_args_has(args, "explain") ? "--explain" : "--next");
    }
    if (!gm_span_parse(gm_str_z(every_z), &every) || every < GM_WATCH_EVERY_MIN ||
        every > GM_WATCH_EVERY_MAX) {
        return gm_fail(err, GM_E_CONFIG, "--watch `%s`: write a span of time from 50ms to 1d",
                       every_z);
    }
    GM_TRY(gm_args_int(args, "limit", gm_is_terminal(STDOUT) ? 0 : 1000, &limit, err));
    const struct gm_watch_options options = {.every = every,
                                             .text = gm_str_z(args->words[0]),
                                             .json = args->json,
                                             .rows_max = (size_t)limit,
                                             .ask = ask_round,
                                             .ctx = &watching};
    return gm_watch_run(&options, err);
}

static gm_rc query_view(struct gm_args *args, struct gm_err *err)
{
    static const char *const others[] = {"watch", "timeout", "explain"};
    const struct gm_view_rows_options options = {.name_z = gm_args_value(args, "view"),
                                                 .limit = 1000};
    for (size_t i = 0; i < GM_ARRAY_COUNT(others); i++) {
        if (gm_args_has(args, others[i])) {
            return gm_fail(err, GM_E_CONFIG, "--view prints rows of a view: without --%s",
                           others[i]);
        }
    }
    return args->word_count == 0
               ? gm_view_rows_print(args, &options, err)
               : gm_fail(err, GM_E_CONFIG, "--view prints rows of a view: without a query");
}

/* What is of views alone must not be passed over in silence. */
static gm_rc refuse_view_options(const struct gm_args *args, struct gm_err *err)
{
    static const char *const only[] = {"key", "from", "to"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(only); i++) {
        if (gm_args_has(args, only[i])) {
            return gm_fail(err, GM_E_CONFIG, "--%s is for rows of a view: with --view", only[i]);
        }
    }
    return GM_OK;
}

static gm_rc query_graph(struct gm_args *args, struct gm_err *err)
{
    struct gm_look look;
    GM_TRY(refuse_view_options(args, err));
    gm_rc rc = gm_look_open(args, &look, err);
    if (rc == GM_OK && args->word_count == 0 && !gm_args_has(args, "next")) {
        rc = gm_fail(err, GM_E_CONFIG,
                     "no query; write one in quotes: gemel query \"SELECT * FROM DIGITALTWINS\"");
    }
    if (rc == GM_OK) {
        rc = gm_args_has(args, "watch")     ? watch(args, &look, err)
             : gm_args_has(args, "explain") ? explain(&look, args->words[0], err)
                                            : run_query(args, &look, err);
    }
    gm_look_close(&look);
    return rc;
}

static int query(struct gm_args *args)
{
    struct gm_err err = {0};
    gm_rc rc = gm_args_has(args, "view") ? query_view(args, &err) : query_graph(args, &err);
    return rc == GM_OK ? GM_EXIT_OK
                       : gm_args_fail(args, rc == GM_E_INVALID ? GM_E_CONFIG : rc, &err);
}

const struct gm_command gm_command_query = {
    .name_z = "query",
    .args_z = "QUERY",
    .args_max = 1,
    .summary_z = "Query the graph in the query language of Azure Digital Twins; or a view.",
    .help_z = "One row a line, as JSON. SELECT [TOP(n)] * | COUNT() | paths FROM DIGITALTWINS | "
              "RELATIONSHIPS [JOIN t RELATED s.name]\n"
              "[MATCH (a)-[:name]->(b)] [WHERE condition] [GROUP BY paths] [ORDER BY paths]; AS OF "
              "'time' behind FROM's collection asks\n"
              "the past. Joins and matches need a $dtId in the condition to start from, or walk.",
    .example_z = "gemel query \"SELECT P FROM DIGITALTWINS S JOIN P RELATED S.supplies WHERE "
                 "S.$dtId = 'supplier-1'\"",
    .options = query_options,
    .run = query,
};

/* ---- trace ---- */

/* Name of a pipeline by number; "-" for none. */
static struct gm_str pipeline_name(struct gm_look *look, int64_t num)
{
    struct gm_pipeline_row row = {.num = num};
    struct gm_err ignored;
    if (num == 0 || gm_pipeline_find(look->db, look->arena, &row, &ignored) != GM_OK) {
        return GM_STR("-");
    }
    return row.name;
}

static void trace_json(struct gm_look *look, const struct gm_origins *origins)
{
    struct gm_buf json;
    gm_buf_init(&json, OUTPUT_SIZE_MAX);
    gm_buf_add_char(&json, '[');
    for (size_t i = 0; i < origins->count; i++) {
        const struct gm_origin *origin = &origins->at[i];
        char time[GM_TIME_TEXT_SIZE];
        gm_time_format(origin->time, time);
        gm_buf_add(&json, i > 0 ? GM_STR(",{\"path\":") : GM_STR("{\"path\":"));
        gm_json_quote(&json, origin->path);
        gm_buf_addf(&json, ",\"relationship\":%s,\"change\":%lld,\"time\":\"%s\",\"pipeline\":",
                    origin->relationship ? "true" : "false", (long long)origin->change, time);
        gm_json_quote(&json, pipeline_name(look, origin->pipeline));
        gm_buf_addf(&json, ",\"run\":%lld,\"actor\":", (long long)origin->run);
        gm_json_quote(&json, origin->actor);
        gm_buf_addf(&json, ",\"position\":%llu}", (unsigned long long)origin->position);
    }
    gm_buf_add_char(&json, ']');
    gm_print_json(&json);
    gm_buf_deinit(&json);
}

static void trace_table(struct gm_look *look, const struct gm_origins *origins, const char *only_z)
{
    static const char *const heads[] = {"WHAT", "PIPELINE", "RUN", "WHERE", "WHEN", "CHANGE"};
    struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
    for (size_t i = 0; i < origins->count; i++) {
        const struct gm_origin *origin = &origins->at[i];
        struct gm_str path = origin->path.n > 0 && origin->path.p[0] == '/'
                                 ? (struct gm_str){origin->path.p + 1, origin->path.n - 1}
                                 : origin->path;
        if (only_z != NULL && !gm_str_is(path, only_z)) {
            continue;
        }
        char time[GM_TIME_TEXT_SIZE];
        gm_print_time(origin->time, time);
        struct gm_str where =
            origin->position != 0
                ? gm_arena_format(look->arena, GM_STR_FMT ":%llu", GM_STR_ARG(origin->actor),
                                  (unsigned long long)origin->position)
                : origin->actor;
        gm_table_add(table,
                     (const struct gm_str[]){
                         origin->relationship
                             ? gm_arena_format(look->arena, "-> " GM_STR_FMT, GM_STR_ARG(path))
                             : path,
                         pipeline_name(look, origin->pipeline),
                         gm_arena_format(look->arena, "%lld", (long long)origin->run), where,
                         gm_str_z(time),
                         gm_arena_format(look->arena, "%lld", (long long)origin->change)});
    }
    gm_table_print(table);
    gm_table_free(table);
}

static int trace(struct gm_args *args)
{
    struct gm_look look;
    struct gm_err err = {0};
    gm_rc rc = gm_look_open(args, &look, &err);
    struct gm_origins origins = {.arena = look.arena};
    if (rc == GM_OK) {
        rc = gm_provenance(look.db, look.models, gm_str_z(args->words[0]), &origins, &err);
        if (rc == GM_E_END) {
            rc = gm_fail(&err, GM_E_INVALID, "there is no twin \"%s\"", args->words[0]);
        }
    }
    if (rc == GM_OK && args->json) {
        trace_json(&look, &origins);
    } else if (rc == GM_OK) {
        trace_table(&look, &origins, args->word_count > 1 ? args->words[1] : NULL);
    }
    gm_look_close(&look);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_trace = {
    .name_z = "trace",
    .args_z = "TWIN [PROPERTY]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Tell where each property of a twin comes from.",
    .help_z = "For the model, each property and each relationship: the pipeline, run and source "
              "position that wrote it last.",
    .example_z = "gemel trace product-42 unitPrice",
    .run = trace,
};
