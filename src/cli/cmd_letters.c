/* gemel dead-letters list, show, redrive, drop; gemel waiting. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/remote.h"
#include "sync/dead_letter.h"
#include "sync/run.h"
#include "sync_sql.h"
#include "twin_sql.h"

enum { OUTPUT_SIZE_MAX = 256 << 20, RECORD_SHOWN_MAX = 60, NEXT_SIZE_MAX = 4 << 20 };

/* ---- looking ---- */

static gm_rc list_letter(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    (void)err;
    struct gm_listing *letters = ctx;
    struct gm_arena *arena = letters->arena;
    struct gm_buf *json = gm_listing_item(letters);
    if (json != NULL) {
        gm_dead_letter_write_json(letter, json);
        return GM_OK;
    }
    gm_table_add(letters->table,
                 (const struct gm_str[]){
                     gm_arena_format(arena, "%lld", (long long)letter->num),
                     gm_arena_dup(arena, letter->pipeline_name), gm_arena_dup(arena, letter->key),
                     letter->held ? GM_STR("held") : GM_STR("parked"),
                     gm_arena_format(arena, "%lld", (long long)letter->attempts),
                     gm_time_text(arena, letter->parked),
                     gm_arena_format(arena, GM_STR_FMT ":%lld", GM_STR_ARG(letter->origin),
                                     (long long)letter->position),
                     gm_arena_dup(arena, letter->error)});
    return GM_OK;
}

static gm_rc list_letters(struct gm_args *args, struct gm_listing *letters, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_dead_letter_query query = {.key = gm_str_z(gm_args_value(args, "key"))};
    GM_TRY(gm_args_int(args, "limit", 50, &query.limit, err));
    GM_TRY(gm_args_int(args, "after", 0, &query.after, err));
    GM_TRY(gm_args_reader(args, &db, err));
    gm_rc rc = GM_OK;
    if (args->word_count > 0) {
        rc = gm_args_pipeline_num(db, args->words[0], &query.pipeline, err);
    }
    rc = rc == GM_OK ? gm_dead_letters_list(db, &query, list_letter, letters, err) : rc;
    gm_db_close(db);
    return rc;
}

static int dead_letters_list(struct gm_args *args)
{
    static const char *const heads[] = {"LETTER",   "PIPELINE",     "KEY",   "STATE",
                                        "ATTEMPTS", "PARKED (UTC)", "WHERE", "WHY"};
    struct gm_listing letters;
    struct gm_err err = {0};
    gm_listing_init(&letters, args, heads, GM_ARRAY_COUNT(heads));
    gm_rc rc = list_letters(args, &letters, &err);
    gm_listing_end(&letters, rc == GM_OK, "no dead letters");
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option list_options[] = {
    {"key", "KEY", "Only letters of this key."},
    {"limit", "N", "Print at most N (default: 50; 0: all)."},
    {"after", "LETTER", "Only letters behind this one."},
    {0},
};

const struct gm_command gm_command_dead_letters_list = {
    .name_z = "dead-letters list",
    .args_z = "[PIPELINE]",
    .args_max = 1,
    .summary_z = "List records that could not be applied.",
    .options = list_options,
    .run = dead_letters_list,
};

static gm_rc show_letter(void *ctx, const struct gm_dead_letter *letter, struct gm_err *err)
{
    (void)err;
    const struct gm_args *args = ctx;
    char parked[GM_TIME_TEXT_SIZE], last[GM_TIME_TEXT_SIZE];
    if (args->json) {
        struct gm_buf json;
        gm_buf_init(&json, OUTPUT_SIZE_MAX);
        gm_dead_letter_write_json(letter, &json);
        gm_print_json(&json);
        gm_buf_deinit(&json);
        return GM_OK;
    }
    gm_print_time(letter->parked, parked);
    gm_print_time(letter->last_attempt, last);
    printf("letter    %lld (%s)\npipeline  " GM_STR_FMT "\nkey       " GM_STR_FMT
           "\nwhere     " GM_STR_FMT ":%lld, run %lld\n",
           (long long)letter->num, letter->held ? "held behind an earlier one" : "parked",
           GM_STR_ARG(letter->pipeline_name), GM_STR_ARG(letter->key), GM_STR_ARG(letter->origin),
           (long long)letter->position, (long long)letter->run);
    printf("why       " GM_STR_FMT " (" GM_STR_FMT
           ")\nparked    %s\nattempts  %lld, the last at %s\nrecord    " GM_STR_FMT "\n",
           GM_STR_ARG(letter->error), GM_STR_ARG(letter->code), parked, (long long)letter->attempts,
           last, GM_STR_ARG(letter->record));
    return GM_OK;
}

static int dead_letters_show(struct gm_args *args)
{
    struct gm_db *db = NULL;
    struct gm_err err = {0};
    int64_t num;
    gm_rc rc = GM_OK;
    if (!gm_parse_i64(gm_str_z(args->words[0]), &num)) {
        rc = gm_fail(&err, GM_E_CONFIG, "`%s` is no letter's number; see `gemel dead-letters list`",
                     args->words[0]);
    }
    rc = rc == GM_OK ? gm_args_reader(args, &db, &err) : rc;
    rc = rc == GM_OK ? gm_dead_letter_get(db, num, show_letter, args, &err) : rc;
    if (rc == GM_E_END) {
        rc = gm_fail(&err, GM_E_INVALID, "there is no dead letter %s", args->words[0]);
    }
    gm_db_close(db);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_dead_letters_show = {
    .name_z = "dead-letters show",
    .args_z = "LETTER",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Show one letter with its record.",
    .run = dead_letters_show,
};

/* ---- doing ---- */

static gm_rc parse_choice(struct gm_args *args, struct gm_letter_choice *choice, struct gm_err *err)
{
    bool all = gm_args_has(args, "all");
    const char *key_z = gm_args_value(args, "key");
    *choice = (struct gm_letter_choice){.key = gm_str_z(key_z)};
    if (args->word_count + (all ? 1 : 0) + (key_z != NULL ? 1 : 0) != 2) {
        return gm_fail(err, GM_E_CONFIG, "say which: LETTER, --key KEY, or --all");
    }
    if (args->word_count == 2 &&
        (!gm_parse_i64(gm_str_z(args->words[1]), &choice->num) || choice->num < 1)) {
        return gm_fail(err, GM_E_CONFIG,
                       "`%s` is no letter's number; see `gemel dead-letters list`", args->words[1]);
    }
    return GM_OK;
}

static void write_choice(const struct gm_letter_choice *choice, struct gm_buf *out)
{
    gm_buf_init(out, 1 << 20);
    if (choice->num != 0) {
        gm_buf_addf(out, "{\"num\":%lld}", (long long)choice->num);
    } else if (choice->key.p != NULL) {
        gm_buf_add(out, GM_STR("{\"key\":"));
        gm_json_quote(out, choice->key);
        gm_buf_add_char(out, '}');
    } else {
        gm_buf_add(out, GM_STR("{}"));
    }
}

/* `what_z`: "redrive" or "drop-letters"; the answer is printed as it is. */
static gm_rc do_there(struct gm_args *args, const struct gm_letter_choice *choice,
                      const char *what_z, struct gm_http_answer *answer, struct gm_err *err)
{
    struct gm_buf body;
    GM_AUTO_FREE char *path_z = gm_format_z("/pipelines/%s/%s", args->words[0], what_z);
    write_choice(choice, &body);
    gm_rc rc = gm_remote_post(args, path_z, gm_buf_str(&body), answer, err);
    gm_buf_deinit(&body);
    return rc;
}

static gm_rc open_operation(struct gm_args *args, struct gm_operation *operation,
                            struct gm_err *err)
{
    GM_TRY(gm_args_config(args, &operation->config, err));
    GM_TRY(gm_args_pipeline(args, args->words[0], &operation->pipeline, err));
    struct gm_store *store;
    GM_TRY(gm_remote_or_store(args, &store, err));
    operation->store = store;
    return GM_OK;
}

static gm_rc redrive_anywhere(struct gm_args *args, struct gm_redrive_counts *counts,
                              struct gm_err *err)
{
    struct gm_letter_choice choice;
    struct gm_operation operation = {0};
    struct gm_http_answer answer;
    GM_TRY(parse_choice(args, &choice, err));
    GM_TRY(open_operation(args, &operation, err));
    if (operation.store != NULL) {
        gm_rc rc = gm_redrive(&operation, &choice, counts, err);
        gm_store_close(operation.store);
        return rc;
    }
    GM_TRY(do_there(args, &choice, "redrive", &answer, err));
    *counts = (struct gm_redrive_counts){gm_remote_number(&answer, "applied"),
                                         gm_remote_number(&answer, "failed"),
                                         gm_remote_number(&answer, "held")};
    gm_http_answer_free(&answer);
    return GM_OK;
}

static int dead_letters_redrive(struct gm_args *args)
{
    struct gm_redrive_counts counts = {0};
    struct gm_err err = {0};
    gm_rc rc = redrive_anywhere(args, &counts, &err);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    printf(args->json ? "{\"applied\":%lld,\"failed\":%lld,\"held\":%lld}\n"
                      : "%lld applied, %lld failed again, %lld held behind those\n",
           (long long)counts.applied, (long long)counts.failed, (long long)counts.held);
    return counts.failed > 0 ? GM_EXIT_FAILED : GM_EXIT_OK;
}

static const struct gm_option choice_options[] = {
    {"key", "KEY", "All letters of this key."},
    {"all", NULL, "All letters of the pipeline."},
    {0},
};

const struct gm_command gm_command_dead_letters_redrive = {
    .name_z = "dead-letters redrive",
    .args_z = "PIPELINE [LETTER]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Apply parked records again, in order per key.",
    .help_z = "Records go through the pipeline's steps as they are now. What fails again stays, "
              "and what stands behind it of its key waits.",
    .example_z = "gemel dead-letters redrive products --all",
    .options = choice_options,
    .run = dead_letters_redrive,
};

static gm_rc drop_anywhere(struct gm_args *args, int64_t *out_count, struct gm_err *err)
{
    struct gm_letter_choice choice;
    struct gm_operation operation = {0};
    struct gm_http_answer answer;
    GM_TRY(parse_choice(args, &choice, err));
    GM_TRY(open_operation(args, &operation, err));
    if (operation.store != NULL) {
        gm_rc rc = gm_drop_letters(&operation, &choice, out_count, err);
        gm_store_close(operation.store);
        return rc;
    }
    GM_TRY(do_there(args, &choice, "drop-letters", &answer, err));
    *out_count = gm_remote_number(&answer, "dropped");
    gm_http_answer_free(&answer);
    return GM_OK;
}

static int dead_letters_drop(struct gm_args *args)
{
    int64_t count = 0;
    struct gm_err err = {0};
    gm_rc rc = drop_anywhere(args, &count, &err);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    printf(args->json ? "{\"dropped\":%lld}\n" : "%lld dropped\n", (long long)count);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_dead_letters_drop = {
    .name_z = "dead-letters drop",
    .args_z = "PIPELINE [LETTER]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Throw parked records away.",
    .help_z = "The next run parks a record again when its source still shows it as it is.",
    .options = choice_options,
    .run = dead_letters_drop,
};

/* ---- relationships that wait ---- */

enum { WAITING_COLUMNS = 5 };

static void add_waiting(struct gm_listing *waiting, const struct gm_str texts[WAITING_COLUMNS])
{
    static const char *const names[] = {"source", "name", "target", "waiting_for", "error"};
    struct gm_str cells[WAITING_COLUMNS];
    for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
        cells[i] = texts[i].p != NULL ? gm_arena_dup(waiting->arena, texts[i]) : GM_STR("");
    }
    cells[4] = cells[4].n > 0 ? cells[4] : GM_STR("is not there");
    struct gm_buf *json = gm_listing_item(waiting);
    if (json == NULL) {
        gm_table_add(waiting->table, cells);
        return;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
        gm_buf_addf(json, "%s\"%s\":", i == 0 ? "{" : ",", names[i]);
        gm_json_quote(json, cells[i]);
    }
    gm_buf_add_char(json, '}');
}

/* One that waits in another service: its name stands in what will be sent. */
static void add_waiting_outside(struct gm_listing *waiting, const struct gm_stmt *stmt)
{
    struct gm_str source, rest;
    struct gm_err ignored;
    yyjson_mut_val *next = NULL;
    struct gm_arena *arena = gm_arena_new(NEXT_SIZE_MAX);
    (void)gm_str_cut(gm_column_text(stmt, 0), '/', &source, &rest);
    if (gm_json_parse(gm_json_doc_new(arena), gm_column_text(stmt, 1), &next, &ignored) != GM_OK) {
        next = NULL;
    }
    struct gm_str texts[] = {source, gm_json_member_str(next, "$name"), gm_column_text(stmt, 2),
                             gm_column_text(stmt, 3), gm_column_text(stmt, 4)};
    add_waiting(waiting, texts);
    gm_arena_free(arena);
}

static gm_rc list_waiting_outside(struct gm_db *db, struct gm_listing *waiting, int64_t limit,
                                  struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare(db, GM_SQL_OBJECTS_LIST_WAITING, &stmt, err));
    gm_bind_i64(stmt, 1, limit);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        add_waiting_outside(waiting, stmt);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc list_waiting(struct gm_args *args, struct gm_listing *waiting, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_stmt *stmt;
    int64_t limit;
    GM_TRY(gm_args_int(args, "limit", 50, &limit, err));
    GM_TRY(gm_args_reader(args, &db, err));
    gm_rc rc = gm_db_prepare(db, GM_SQL_WAITING_LIST, &stmt, err);
    limit = limit > 0 ? limit : INT64_MAX;
    if (rc == GM_OK) {
        gm_bind_i64(stmt, 1, limit);
        while ((rc = gm_step(stmt, err)) == GM_OK) {
            struct gm_str texts[WAITING_COLUMNS];
            for (int i = 0; i < WAITING_COLUMNS; i++) {
                texts[i] = gm_column_text(stmt, i);
            }
            add_waiting(waiting, texts);
            limit--;
        }
    }
    rc = rc == GM_E_END ? list_waiting_outside(db, waiting, limit, err) : rc;
    gm_db_close(db);
    return rc;
}

static int waiting(struct gm_args *args)
{
    static const char *const heads[] = {"SOURCE", "RELATIONSHIP", "TARGET", "WAITS FOR", "WHICH"};
    struct gm_listing work;
    struct gm_err err = {0};
    gm_listing_init(&work, args, heads, GM_ARRAY_COUNT(heads));
    gm_rc rc = list_waiting(args, &work, &err);
    gm_listing_end(&work, rc == GM_OK, NULL);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option waiting_options[] = {
    {"limit", "N", "Print at most N (default: 50; 0: all)."},
    {0},
};

const struct gm_command gm_command_waiting = {
    .name_z = "waiting",
    .summary_z = "List relationships that wait for a twin.",
    .help_z = "They come into being by themselves when the twin does.",
    .options = waiting_options,
    .run = waiting,
};
