/* gemel history, changes: the change log, of one twin and of all. They work while `gemel run` has
 * the store. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "twin/history.h"

enum {
    OUTPUT_SIZE_MAX = 64 << 20,
    FOLLOW_WAIT_S = 30, /* one question after news; then it is asked again */
};

static void print_json(const struct gm_change *change)
{
    struct gm_buf json;
    gm_buf_init(&json, OUTPUT_SIZE_MAX);
    gm_change_write_json(change, (struct gm_str){NULL, 0}, &json);
    gm_print_json(&json);
    gm_buf_deinit(&json);
}

/* "pipeline 3, run 17, Products:42" */
static void print_cause(const struct gm_change *change)
{
    if (change->pipeline != 0) {
        printf("  pipeline %lld, run %lld, ", (long long)change->pipeline, (long long)change->run);
    } else {
        printf("  ");
    }
    printf(GM_STR_FMT, GM_STR_ARG(change->actor));
    if (change->position != 0) {
        printf(":%llu", (unsigned long long)change->position);
    }
    putchar('\n');
}

static void print_text(const struct gm_change *change, bool with_twin)
{
    char time[GM_TIME_TEXT_SIZE];
    gm_print_time(change->time, time);
    printf("#%lld  %s  %s", (long long)change->num, time, gm_change_kind_name(change->kind));
    if (with_twin) {
        printf("  " GM_STR_FMT, GM_STR_ARG(change->twin));
    }
    print_cause(change);
    printf("    " GM_STR_FMT "\n", GM_STR_ARG(change->data));
}

/* ---- history ---- */

static const struct gm_option history_options[] = {
    {"limit", "N", "Print at most N changes (default: 20; 0: all)."},
    {"before", "NUM", "Only changes before this number."},
    {"at", "NUM", "The whole twin as it was after the change of this number, instead."},
    {0},
};

struct telling {
    const struct gm_args *args;
    int64_t previous; /* of the last one that was told; -1: none was */
};

static gm_rc print_change(void *ctx, const struct gm_change *change, struct gm_err *err)
{
    (void)err;
    struct telling *telling = ctx;
    const struct gm_args *args = telling->args;
    telling->previous = change->previous;
    if (args->json) {
        print_json(change);
    } else {
        print_text(change, false);
    }
    return GM_OK;
}

/* Where retention has taken what came before. */
static gm_rc tell_cut(struct gm_db *db, const struct telling *telling, struct gm_err *err)
{
    int64_t oldest, newest;
    GM_TRY(gm_changes_range(db, &oldest, &newest, err));
    if (telling->previous != 0 && telling->previous < oldest) {
        fflush(stdout);
        fprintf(stderr, "Changes before %lld are not kept any more (`changes.retain`).\n",
                (long long)oldest);
    }
    return GM_OK;
}

static gm_rc print_walk(struct gm_args *args, struct gm_db *db, struct gm_err *err)
{
    int64_t limit = 0, before = 0;
    GM_TRY(gm_args_int(args, "limit", 20, &limit, err));
    GM_TRY(gm_args_int(args, "before", 0, &before, err));
    struct gm_history_query walk = {
        .twin = gm_str_z(args->words[0]), .before = before, .limit = (size_t)limit};
    struct telling telling = {.args = args, .previous = -1};
    gm_rc rc = gm_history_walk(db, &walk, print_change, &telling, err);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_INVALID, "there never was a twin \"%s\"", args->words[0]);
    }
    return rc == GM_OK ? tell_cut(db, &telling, err) : rc;
}

static gm_rc print_at(struct gm_args *args, struct gm_db *db, struct gm_err *err)
{
    struct gm_history_point point = {.twin = gm_str_z(args->words[0])};
    GM_TRY(gm_args_int(args, "at", 0, &point.change, err));
    struct gm_arena *arena = gm_arena_new(OUTPUT_SIZE_MAX);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *twin;
    gm_rc rc = gm_history_at(db, &point, doc, &twin, err);
    if (rc == GM_OK) {
        struct gm_buf json;
        gm_buf_init(&json, OUTPUT_SIZE_MAX);
        gm_json_write(twin, &json);
        gm_print_json(&json);
        gm_buf_deinit(&json);
    } else if (rc == GM_E_END) {
        rc = gm_fail(err, GM_E_INVALID, "there was no twin \"%s\" at change %lld", args->words[0],
                     (long long)point.change);
    }
    gm_arena_free(arena);
    return rc;
}

static int history(struct gm_args *args)
{
    struct gm_db *db = NULL;
    struct gm_err err = {0};
    gm_rc rc = gm_args_reader(args, &db, &err);
    if (rc == GM_OK) {
        rc = gm_args_has(args, "at") ? print_at(args, db, &err) : print_walk(args, db, &err);
    }
    gm_db_close(db);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_history = {
    .name_z = "history",
    .args_z = "TWIN",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Tell what happened to a twin, newest first.",
    .help_z = "Every change with its cause: pipeline, run and position in the source. A twin that "
              "is gone has a history too.",
    .example_z = "gemel history product-42",
    .options = history_options,
    .run = history,
};

/* ---- changes ---- */

static const struct gm_option changes_options[] = {
    {"from", "NUM", "Begin at this change (default: the last 20; with --follow: what comes)."},
    {"limit", "N", "Print at most N changes (default: all)."},
    {"follow", NULL, "Wait for more, until Ctrl-C or --limit: of a `gemel run` that is under way."},
    {0},
};

/* Prints what there is from *num on, and moves it behind. */
static gm_rc print_from(const struct gm_args *args, struct gm_db *db, int64_t *num, int64_t *left,
                        struct gm_err *err)
{
    struct gm_change_reader *reader;
    gm_rc rc = GM_OK;
    GM_TRY(gm_change_reader_open(db, &reader, err));
    while (rc == GM_OK && *left > 0) {
        struct gm_change change;
        rc = gm_change_read(reader, *num, &change, err);
        if (rc != GM_OK) {
            break;
        }
        if (args->json) {
            print_json(&change);
        } else {
            print_text(&change, true);
        }
        ++*num;
        --*left;
    }
    gm_change_reader_close(reader);
    fflush(stdout);
    return rc == GM_E_END ? GM_OK : rc;
}

/* The process that writes knows when there is more. */
static gm_rc wait_for(struct gm_args *args, int64_t num, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_AUTO_FREE char *path_z =
        gm_format_z("/changes?from=%lld&limit=1&wait=%ds", (long long)num, FOLLOW_WAIT_S);
    GM_TRY(gm_remote_get(args, path_z, &answer, err));
    gm_http_answer_free(&answer);
    return GM_OK;
}

static gm_rc find_start(const struct gm_args *args, struct gm_db *db, int64_t *num,
                        struct gm_err *err)
{
    enum { LAST = 20 };
    int64_t oldest, newest;
    bool given = *num > 0;
    GM_TRY(gm_changes_range(db, &oldest, &newest, err));
    if (!given) {
        *num = gm_args_has(args, "follow") ? newest + 1 : newest - LAST + 1;
        *num = *num < oldest ? oldest : *num;
    }
    return *num >= oldest ? GM_OK
                          : gm_fail(err, GM_E_CONFIG,
                                    "change %lld is not kept any more: the log begins at %lld",
                                    (long long)*num, (long long)oldest);
}

static int changes(struct gm_args *args)
{
    struct gm_db *db = NULL;
    struct gm_err err = {0};
    int64_t num = 0, left = 0;
    gm_rc rc = gm_args_reader(args, &db, &err);
    rc = rc == GM_OK ? gm_args_int(args, "from", 0, &num, &err) : rc;
    rc = rc == GM_OK ? gm_args_int(args, "limit", 0, &left, &err) : rc;
    left = left > 0 ? left : INT64_MAX;
    rc = rc == GM_OK ? find_start(args, db, &num, &err) : rc;
    rc = rc == GM_OK ? print_from(args, db, &num, &left, &err) : rc;
    while (rc == GM_OK && left > 0 && gm_args_has(args, "follow")) {
        rc = wait_for(args, num, &err);
        rc = rc == GM_OK ? print_from(args, db, &num, &left, &err) : rc;
    }
    gm_db_close(db);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_changes = {
    .name_z = "changes",
    .summary_z = "Tell what happened to all twins, in order.",
    .help_z = "The change log by number, each change with its cause. A number, once seen, is where "
              "a consumer goes on.",
    .example_z = "gemel changes --from 4711 --follow --json",
    .options = changes_options,
    .run = changes,
};
