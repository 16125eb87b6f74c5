/* gemel append: lines of JSON into a stream. Where `gemel run` has the data directory they are sent
 * to it, a piece at a time, and a piece again for as long as no answer comes: events that say
 * nothing of who they are get an id of this run and their line, so that they are taken once. */
#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "connect/input.h"
#include "hub/hub.h"
#include "hub/ingest.h"
#include "os/file.h"
#include "os/process.h"

enum { KEY_SIZE = 8, PATH_SIZE_MAX = 64 << 10, ANSWER_ARENA_SIZE = 4 << 20 };

#define REQUEST_TIMEOUT (60 * GM_SECOND)

static const struct gm_option append_options[] = {
    {"partial", NULL, "Take the lines that are right, also when others are not."},
    {0},
};

struct appending {
    struct gm_args *args;
    struct gm_progress *progress;
    gm_ns began, shown; /* monotonic */
    char key[2 * KEY_SIZE + 1];
};

static gm_ns now_mono(void)
{
    const struct gm_clock *clock = gm_clock_system();
    return clock->mono(clock);
}

/* ---- what is seen ---- */

static void print_wrong(void *ctx, size_t line, struct gm_str reason)
{
    const struct appending *appending = ctx;
    if (gm_args_has(appending->args, "partial")) {
        gm_progress_clear(appending->progress);
        fprintf(stderr, "line %zu: " GM_STR_FMT "\n", line, GM_STR_ARG(reason));
    }
}

static void show_progress(void *ctx, const struct gm_ingest *ingest)
{
    struct appending *appending = ctx;
    gm_ns now = now_mono();
    char lines[32], rate[32], megabytes[32], text[160];
    if (now - appending->shown < GM_PROGRESS_PERIOD) {
        return;
    }
    appending->shown = now;
    double seconds = (double)(now - appending->began) / (double)GM_SECOND;
    gm_format_count(ingest->lines, lines);
    gm_format_count((int64_t)((double)ingest->lines / seconds), rate);
    gm_format_count((int64_t)(ingest->bytes >> 20), megabytes);
    snprintf(text, sizeof(text), "%s lines  %s MiB  %s/s", lines, megabytes, rate);
    gm_progress_text(appending->progress, text);
}

static void print_appended(const struct gm_args *args, const struct gm_ingest *ingest,
                           double seconds)
{
    double rate = seconds > 0 ? (double)ingest->lines / seconds : 0;
    if (args->json) {
        printf("{\"lines\":%lld,\"appended\":%lld,\"duplicates\":%lld,\"wrong\":%lld,"
               "\"bytes\":%llu,\"seconds\":%.3f}\n",
               (long long)ingest->lines, (long long)ingest->appended, (long long)ingest->duplicates,
               (long long)ingest->wrong_lines, (unsigned long long)ingest->bytes, seconds);
        return;
    }
    char appended[32], duplicates[32], lines[32], per_second[32];
    gm_format_count(ingest->appended, appended);
    gm_format_count(ingest->duplicates, duplicates);
    gm_format_count(ingest->lines, lines);
    gm_format_count((int64_t)rate, per_second);
    printf("%s lines: %s events appended, %s were there already, %lld wrong; %s/s\n", lines,
           appended, duplicates, (long long)ingest->wrong_lines, per_second);
}

/* ---- sent to the process that has the data directory ---- */

static void write_path(const struct appending *appending, size_t first, struct gm_buf *out)
{
    gm_buf_add_z(out, "/streams/");
    gm_percent_add(out, gm_str_z(appending->args->words[0]));
    gm_buf_addf(out, "/append?line=%zu&key=%s", first, appending->key);
    if (gm_args_has(appending->args, "partial")) {
        gm_buf_add_z(out, "&partial=true");
    }
}

/* {"appended":…,"duplicates":…,"wrongCount":…,"wrong":[{"number":…,"reason":…}]} */
static gm_rc read_answer(struct appending *appending, struct gm_str answer,
                         struct gm_ingest_piece *piece, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(ANSWER_ARENA_SIZE);
    yyjson_mut_val *root;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), answer, &root, err);
    if (rc == GM_OK) {
        const yyjson_mut_val *wrong = gm_json_member(root, GM_STR("wrong"));
        const yyjson_mut_val *one = gm_json_first(wrong);
        piece->appended = yyjson_mut_get_sint(gm_json_member(root, GM_STR("appended")));
        piece->duplicates = yyjson_mut_get_sint(gm_json_member(root, GM_STR("duplicates")));
        piece->wrong_lines = yyjson_mut_get_sint(gm_json_member(root, GM_STR("wrongCount")));
        for (size_t i = 0; i < gm_json_count(wrong); i++, one = one->next) {
            size_t line = (size_t)yyjson_mut_get_sint(gm_json_member(one, GM_STR("number")));
            struct gm_str reason = gm_json_member_str(one, "reason");
            print_wrong(appending, line, reason);
            if (i == 0 && !gm_args_has(appending->args, "partial")) {
                rc = gm_fail(err, GM_E_INVALID, "line %zu: " GM_STR_FMT, line, GM_STR_ARG(reason));
            }
        }
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc send_piece(void *ctx, struct gm_ingest_piece *piece, struct gm_err *err)
{
    struct appending *appending = ctx;
    struct gm_http_answer answer;
    struct gm_buf path;
    gm_buf_init(&path, PATH_SIZE_MAX);
    write_path(appending, piece->first, &path);
    struct gm_http_request request = {.method_z = "POST",
                                      .content_type_z = "application/x-ndjson",
                                      .body = piece->text,
                                      .timeout = REQUEST_TIMEOUT};
    gm_rc rc = gm_remote_insist(appending->args, path.p, &request, &answer, err);
    gm_buf_deinit(&path);
    if (rc == GM_OK) {
        rc = read_answer(appending, gm_buf_str(&answer.body), piece, err);
        gm_http_answer_free(&answer);
    }
    return rc;
}

/* ---- the command ---- */

static gm_rc read_input(void *ctx, void *to, size_t size, size_t *out_n, struct gm_err *err)
{
    return gm_input_read(ctx, to, size, out_n, err);
}

static gm_rc read_stdin(void *ctx, void *to, size_t size, size_t *out_n, struct gm_err *err)
{
    return gm_file_read(ctx, to, size, out_n, err);
}

static gm_rc read_lines(struct appending *appending, struct gm_ingest *ingest, struct gm_err *err)
{
    const struct gm_args *args = appending->args;
    struct gm_input *input = NULL;
    bool from_file = args->word_count > 1 && strcmp(args->words[1], "-") != 0;
    if (from_file) {
        GM_TRY(gm_input_open(args->words[1], &input, err));
    }
    ingest->read = from_file ? read_input : read_stdin;
    ingest->ctx = from_file ? (void *)input : (void *)gm_file_stdin();
    ingest->wrong = print_wrong;
    ingest->wrong_ctx = appending;
    ingest->progress = show_progress;
    ingest->progress_ctx = appending;
    ingest->partial = gm_args_has(args, "partial");
    gm_rc rc = gm_ingest_run(ingest, err);
    gm_progress_clear(appending->progress);
    gm_input_close(input);
    return rc;
}

static gm_rc append_here(struct appending *appending, struct gm_ingest *ingest, struct gm_err *err)
{
    struct gm_args *args = appending->args;
    const struct gm_config *config;
    const char *folder_z;
    struct gm_hub *hub;
    GM_TRY(gm_args_settings(args, &config, err));
    GM_TRY(gm_args_data(args, &folder_z, err));
    GM_TRY(gm_hub_open(&(struct gm_hub_options){.streams = &gm_config_root(config)->streams,
                                                .folder_z = folder_z,
                                                .clock = gm_clock_system()},
                       &hub, err));
    const struct gm_hub_stream *stream = gm_hub_find(hub, gm_str_z(args->words[0]));
    gm_rc rc = GM_OK;
    if (stream == NULL) {
        rc = gm_fail(err, GM_E_CONFIG,
                     "there is no stream `%s` in the configuration; `gemel streams` lists them",
                     args->words[0]);
    } else {
        ingest->stream = stream->stream;
        ingest->decoder = stream->decoder;
        rc = read_lines(appending, ingest, err);
    }
    gm_hub_close(hub);
    return rc;
}

static gm_rc append_there(struct appending *appending, struct gm_ingest *ingest, struct gm_err *err)
{
    unsigned char bytes[KEY_SIZE];
    gm_random_bytes(bytes, sizeof(bytes));
    gm_hex_z(bytes, sizeof(bytes), appending->key);
    ingest->send = send_piece;
    ingest->send_ctx = appending;
    return read_lines(appending, ingest, err);
}

static int append(struct gm_args *args)
{
    struct gm_err err = {0};
    struct gm_store *store = NULL; /* holds the data directory */
    struct gm_ingest ingest = {0};
    gm_rc rc = gm_remote_or_store(args, &store, &err);
    if (rc == GM_E_RETRY) {
        rc = gm_fail_within(&err, "send the lines to its API (POST /streams/%s/events)",
                            args->words[0]);
    }
    struct appending appending = {
        .args = args, .progress = gm_progress_new(), .began = now_mono(), .shown = now_mono()};
    if (rc == GM_OK) {
        rc = store != NULL ? append_here(&appending, &ingest, &err)
                           : append_there(&appending, &ingest, &err);
    }
    gm_ns took = now_mono() - appending.began;
    gm_progress_free(appending.progress);
    gm_store_close(store);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    print_appended(args, &ingest, (double)took / (double)GM_SECOND);
    return ingest.wrong_lines > 0 ? GM_EXIT_FAILED : GM_EXIT_OK;
}

const struct gm_command gm_command_append = {
    .name_z = "append",
    .args_z = "STREAM [FILE]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Append lines of JSON from a file, or standard input, to a stream.",
    .help_z =
        "Where `gemel run` is at work they are sent to it. gzip and zstd are recognised. The\n"
        "first wrong line ends it, unless --partial; run again, it takes what is new when\n"
        "the stream's events have ids or sequences.",
    .example_z = "gemel append telemetry readings.ndjson",
    .options = append_options,
    .run = append,
};
