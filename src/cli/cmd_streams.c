/* gemel streams, streams check, tail: what is in streams. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/consumers.h"
#include "cli/progress.h"
#include "hub/event_json.h"
#include "hub/hub.h"
#include "stream/follow.h"

enum { OUTPUT_SIZE_MAX = 64 << 20 };

/* The hub of the configuration; for looking while another process may have it. */
static gm_rc open_hub(struct gm_args *args, bool read_only, struct gm_hub **out_hub,
                      struct gm_err *err)
{
    const struct gm_config *config;
    const char *folder_z;
    GM_TRY(gm_args_settings(args, &config, err));
    GM_TRY(gm_args_data(args, &folder_z, err));
    return gm_hub_open(&(struct gm_hub_options){.streams = &gm_config_root(config)->streams,
                                                .folder_z = folder_z,
                                                .clock = gm_clock_system(),
                                                .read_only = read_only},
                       out_hub, err);
}

static gm_rc find_stream(const struct gm_hub *hub, const char *name_z,
                         const struct gm_hub_stream **out_stream, struct gm_err *err)
{
    *out_stream = gm_hub_find(hub, gm_str_z(name_z));
    return *out_stream != NULL ? GM_OK
                               : gm_fail(err, GM_E_CONFIG,
                                         "there is no stream `%s` in the configuration; `gemel "
                                         "streams` lists them",
                                         name_z);
}

/* ---- streams ---- */

enum { STREAM_COLUMNS = 9 };

static void add_stream_row(struct gm_table *table, const struct gm_hub_stream *stream,
                           const struct gm_hub_figures *figures)
{
    char events[32], taken[32], bytes[32], each[32], rate[32];
    char oldest[GM_TIME_TEXT_SIZE], newest[GM_TIME_TEXT_SIZE], partitions[16], forward[32] = "-";
    double seconds = (double)(figures->last_appended - figures->first_appended) / (double)GM_SECOND;
    gm_format_count(figures->events, events);
    gm_format_count(figures->taken, taken);
    gm_format_count((int64_t)figures->data_bytes, bytes);
    double per_event =
        figures->events > 0 ? (double)figures->data_bytes / (double)figures->events : 0;
    snprintf(each, sizeof(each), "%.1f", per_event);
    gm_format_count(seconds > 1 ? (int64_t)((double)figures->events / seconds) : 0, rate);
    gm_print_time(figures->first_appended, oldest);
    gm_print_time(figures->last_appended, newest);
    if (stream->conf->forward.url != NULL) {
        gm_format_count(figures->forward_lag, forward);
    }
    snprintf(partitions, sizeof(partitions), "%lld", (long long)stream->conf->partitions);
    const struct gm_str cells[STREAM_COLUMNS] = {
        stream->name,   gm_str_z(partitions), gm_str_z(events), gm_str_z(bytes),  gm_str_z(each),
        gm_str_z(rate), gm_str_z(oldest),     gm_str_z(newest), gm_str_z(forward)};
    gm_table_add(table, cells);
}

static void add_stream_json(struct gm_buf *out, const struct gm_hub_stream *stream,
                            const struct gm_hub_figures *figures)
{
    char oldest[GM_TIME_TEXT_SIZE] = "", newest[GM_TIME_TEXT_SIZE] = "";
    if (figures->last_appended != 0) {
        (void)gm_time_format_short(figures->first_appended, oldest);
        (void)gm_time_format_short(figures->last_appended, newest);
    }
    gm_buf_add_z(out, out->n > 1 ? ",{\"name\":" : "{\"name\":");
    gm_json_quote(out, stream->name);
    gm_buf_addf(out,
                ",\"partitions\":%lld,\"events\":%lld,\"taken\":%lld,\"bytes\":%llu,"
                "\"bodyBytes\":%llu,\"oldest\":\"%s\",\"newest\":\"%s\"",
                (long long)stream->conf->partitions, (long long)figures->events,
                (long long)figures->taken, (unsigned long long)figures->data_bytes,
                (unsigned long long)figures->body_bytes, oldest, newest);
    if (stream->conf->forward.url != NULL) {
        gm_buf_addf(out, ",\"forward\":{\"lag\":%lld,\"lost\":%lld}",
                    (long long)figures->forward_lag, (long long)figures->forward_lost);
    }
    gm_buf_add_char(out, '}');
}

static gm_rc list_streams(const struct gm_args *args, const struct gm_hub *hub, struct gm_err *err)
{
    static const char *const heads[STREAM_COLUMNS] = {"STREAM", "PARTITIONS",  "EVENTS",
                                                      "BYTES",  "BYTES/EVENT", "EVENTS/S",
                                                      "OLDEST", "NEWEST",      "TO FORWARD"};
    struct gm_table *table = gm_table_new(heads, STREAM_COLUMNS);
    struct gm_buf json;
    gm_rc rc = GM_OK;
    gm_buf_init(&json, OUTPUT_SIZE_MAX);
    gm_buf_add_char(&json, '[');
    for (size_t i = 0; i < gm_hub_count(hub) && rc == GM_OK; i++) {
        struct gm_hub_figures figures;
        rc = gm_hub_figures(gm_hub_at(hub, i), &figures, err);
        if (rc == GM_OK) {
            add_stream_row(table, gm_hub_at(hub, i), &figures);
            add_stream_json(&json, gm_hub_at(hub, i), &figures);
        }
    }
    gm_buf_add_char(&json, ']');
    if (rc == GM_OK && args->json) {
        gm_print_json(&json);
    } else if (rc == GM_OK) {
        gm_table_print(table);
    }
    gm_table_free(table);
    gm_buf_deinit(&json);
    return rc;
}

static int streams(struct gm_args *args)
{
    struct gm_err err = {0};
    struct gm_hub *hub = NULL;
    gm_rc rc = open_hub(args, true, &hub, &err);
    rc = rc == GM_OK ? list_streams(args, hub, &err) : rc;
    if (rc == GM_OK && !args->json) {
        rc = gm_consumers_print(args, &err);
    }
    gm_hub_close(hub);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_streams = {
    .name_z = "streams",
    .summary_z = "List streams: events, bytes, rates, times; and how far behind who reads them is.",
    .help_z = "Works while `gemel run` has them. EVENTS/S is the mean over what is kept.",
    .example_z = "gemel streams",
    .run = streams,
};

/* ---- check ---- */

static void print_damage(void *ctx, const struct gm_stream_damage *damage)
{
    int64_t *count = ctx;
    (*count)++;
    printf("partition %d, events %lld to %lld: %s\n", damage->partition, (long long)damage->first,
           (long long)(damage->first + damage->count - 1), damage->text_z);
}

static int check(struct gm_args *args)
{
    struct gm_err err = {0};
    struct gm_hub *hub = NULL;
    int64_t damaged = 0;
    const struct gm_hub_stream *stream = NULL;
    gm_rc rc = open_hub(args, true, &hub, &err);
    rc = rc == GM_OK ? find_stream(hub, args->words[0], &stream, &err) : rc;
    if (rc == GM_OK && stream->stream != NULL) {
        rc = gm_stream_check(stream->path_z, print_damage, &damaged, &err);
    }
    gm_hub_close(hub);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    if (damaged == 0) {
        printf("%s: every chunk is whole\n", args->words[0]);
    }
    return damaged > 0 ? GM_EXIT_FAILED : GM_EXIT_OK;
}

const struct gm_command gm_command_streams_check = {
    .name_z = "streams check",
    .args_z = "STREAM",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Read a whole stream and tell what of it is damaged.",
    .help_z = "Each damaged chunk with its place and extent; exit code 1 when there are any.",
    .example_z = "gemel streams check telemetry",
    .run = check,
};

/* ---- tail ---- */

static const struct gm_option tail_options[] = {
    {"from", "CURSOR",
     "oldest (as without it), newest (so with --follow), a time, or an offset per partition, by "
     "commas."},
    {"key", "KEY", "Only events of this key."},
    {"limit", "N", "Print at most N events (default: all)."},
    {"follow", NULL, "Wait for more, until Ctrl-C or --limit."},
    {0},
};

struct tail {
    struct gm_args *args;
    struct gm_stream_follow *follow;
    struct gm_buf line;
    struct gm_str key;
    int64_t left;
};

static void print_event(struct tail *tail, const struct gm_event *event, int partition)
{
    gm_buf_reset(&tail->line);
    if (tail->args->json) {
        gm_event_write_json(event, partition, &tail->line);
    } else {
        char time[GM_TIME_TEXT_SIZE];
        (void)gm_time_format_short(event->time, time);
        gm_buf_addf(&tail->line, "%d:%lld  %s  " GM_STR_FMT "  ", partition,
                    (long long)event->offset, time, GM_STR_ARG(event->key));
        if (event->type.n > 0) {
            gm_buf_addf(&tail->line, GM_STR_FMT "  ", GM_STR_ARG(event->type));
        }
        gm_buf_add(&tail->line, event->body);
    }
    gm_print_json(&tail->line);
    tail->left--;
}

static gm_rc print_page(struct tail *tail, struct gm_err *err)
{
    enum { PAGE = 4096 };
    struct gm_stream_page page;
    GM_TRY(gm_stream_follow_read(tail->follow, PAGE, &page, err));
    for (size_t i = 0; i < page.count && tail->left > 0; i++) {
        if (tail->key.n == 0 || gm_str_eq(tail->key, page.events[i].key)) {
            print_event(tail, &page.events[i], page.partition);
        }
    }
    return GM_OK;
}

static gm_rc print_events(struct tail *tail, struct gm_err *err)
{
    bool follows = gm_args_has(tail->args, "follow");
    gm_rc rc = GM_OK;
    while (rc == GM_OK && tail->left > 0) {
        rc = print_page(tail, err);
        if (rc == GM_E_END && follows) {
            fflush(stdout);
            rc = gm_stream_follow_wait(tail->follow, GM_HOUR);
            rc = rc == GM_E_END ? GM_OK : rc;
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc open_tail(struct tail *tail, const struct gm_hub *hub, struct gm_err *err)
{
    struct gm_args *args = tail->args;
    const struct gm_hub_stream *stream;
    struct gm_stream_cursor from;
    const char *from_z = gm_args_value(args, "from");
    GM_TRY(find_stream(hub, args->words[0], &stream, err));
    GM_TRY(gm_args_int(args, "limit", INT64_MAX, &tail->left, err));
    if (stream->stream == NULL) {
        return gm_fail(err, GM_E_CONFIG, "nothing was ever appended to `%s`", args->words[0]);
    }
    if (from_z == NULL) {
        from_z = gm_args_has(args, "follow") ? "newest" : "oldest";
    }
    GM_TRY(
        gm_stream_cursor_parse(gm_str_z(from_z), gm_stream_partitions(stream->stream), &from, err));
    tail->key = gm_str_z(gm_args_value(args, "key"));
    return gm_stream_follow_open(stream->stream, &from, &tail->follow, err);
}

static int tail(struct gm_args *args)
{
    struct gm_err err = {0};
    struct gm_hub *hub = NULL;
    struct tail tail = {.args = args};
    gm_buf_init(&tail.line, OUTPUT_SIZE_MAX);
    gm_rc rc = open_hub(args, true, &hub, &err);
    rc = rc == GM_OK ? open_tail(&tail, hub, &err) : rc;
    rc = rc == GM_OK ? print_events(&tail, &err) : rc;
    gm_stream_follow_close(tail.follow);
    gm_hub_close(hub);
    gm_buf_deinit(&tail.line);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_tail = {
    .name_z = "tail",
    .args_z = "STREAM",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Print the events of a stream.",
    .help_z = "Works while `gemel run` has it. --json prints what the API gives: partition,\n"
              "offset, key, type, times, body.",
    .example_z = "gemel tail telemetry --follow --key 4711",
    .options = tail_options,
    .run = tail,
};
