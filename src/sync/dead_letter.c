/* The rows of `dead_letters`. */
#include "sync/dead_letter.h"

#include "base/num.h"
#include "sync/rows.h"
#include "sync_sql.h"

static const struct gm_str parked = {"parked", 6}, held = {"held", 4};

/* ---- numbers ---- */

/* Numbers never come back, so that a letter a user has read about is not another one later. */
static gm_rc last_number(struct gm_db *db, int64_t *out_last, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTER_LAST, &stmt, err));
    *out_last = 0;
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK && !gm_parse_i64(gm_column_text(stmt, 0), out_last)) {
        rc = gm_fail(err, GM_E_CORRUPT, "the store's fact dead_letters.last is no number");
    }
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc set_last_number(struct gm_db *db, int64_t last, struct gm_err *err)
{
    struct gm_stmt *stmt;
    char text[GM_NUM_TEXT_SIZE];
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTER_SET_LAST, &stmt, err));
    gm_bind_text(stmt, 1, (struct gm_str){text, gm_format_i64(last, text)});
    return gm_stmt_run(stmt, NULL, err);
}

/* ---- writing ---- */

static void bind_letter(struct gm_stmt *stmt, const struct gm_dead_letter *letter)
{
    gm_bind_i64(stmt, 2, letter->pipeline);
    gm_bind_text(stmt, 3, letter->key);
    gm_bind_text(stmt, 4, letter->held ? held : parked);
    gm_bind_i64(stmt, 5, letter->run);
    gm_bind_i64(stmt, 6, letter->parked);
    gm_bind_i64(stmt, 7, letter->attempts);
    gm_bind_i64(stmt, 8, letter->last_attempt);
    gm_bind_i64(stmt, 10, letter->version);
    gm_bind_i64(stmt, 11, (int64_t)letter->kind);
    gm_bind_text(stmt, 12, letter->origin.p != NULL ? letter->origin : GM_STR(""));
    gm_bind_i64(stmt, 13, letter->position);
    gm_bind_text(stmt, 14, letter->code);
    gm_bind_text(stmt, 15, letter->error.p != NULL ? letter->error : GM_STR(""));
    gm_bind_text(stmt, 16, letter->record.p != NULL ? letter->record : GM_STR("null"));
}

gm_rc gm_dead_letter_put(struct gm_db *db, const struct gm_dead_letter *letter, bool *out_new,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    uint8_t hash[GM_HASH128_SIZE];
    int64_t last, num;
    GM_TRY(last_number(db, &last, err));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTER_PUT, &stmt, err));
    gm_bind_i64(stmt, 1, last + 1);
    bind_letter(stmt, letter);
    gm_bind_hash(stmt, 9, letter->hash, hash);
    GM_TRY(gm_step_number(stmt, &num, err));
    if (num == last + 1) {
        GM_TRY(set_last_number(db, num, err));
    }
    *out_new = num == last + 1;
    return GM_OK;
}

static gm_rc none_such(int64_t num, struct gm_err *err)
{
    return gm_fail(err, GM_E_END, "there is no dead letter %lld; see `gemel dead-letters list`",
                   (long long)num);
}

gm_rc gm_dead_letter_remove(struct gm_db *db, int64_t num, struct gm_err *err)
{
    struct gm_stmt *promote, *remove;
    int64_t changes;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTER_PROMOTE, &promote, err));
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTER_REMOVE, &remove, err));
    gm_bind_i64(promote, 1, num);
    gm_bind_i64(remove, 1, num);
    GM_TRY(gm_stmt_run(promote, NULL, err));
    GM_TRY(gm_stmt_run(remove, &changes, err));
    return changes == 1 ? GM_OK : none_such(num, err);
}

gm_rc gm_dead_letters_remove_key(struct gm_db *db, int64_t pipeline, struct gm_str key,
                                 int64_t *out_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTERS_REMOVE_KEY, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_bind_text(stmt, 2, key);
    return gm_stmt_run(stmt, out_count, err);
}

gm_rc gm_dead_letters_remove_outdated(struct gm_db *db, int64_t pipeline, int64_t run,
                                      struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTERS_REMOVE_OUTDATED, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    gm_bind_i64(stmt, 2, run);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_dead_letter_failed(struct gm_db *db, int64_t num, gm_ns now, struct gm_str error,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    int64_t changes;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTER_FAILED, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    gm_bind_i64(stmt, 2, now);
    gm_bind_text(stmt, 3, error.p != NULL ? error : GM_STR(""));
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    return changes == 1 ? GM_OK : none_such(num, err);
}

/* ---- reading ---- */

static gm_rc hand_out(const struct gm_stmt *stmt, gm_dead_letter_fn fn, void *ctx,
                      struct gm_err *err)
{
    int64_t kind = gm_column_i64(stmt, 11);
    struct gm_dead_letter letter = {
        .num = gm_column_i64(stmt, 0),
        .pipeline = gm_column_i64(stmt, 1),
        .pipeline_name = gm_column_text(stmt, 2),
        .key = gm_column_text(stmt, 3),
        .held = gm_str_eq(gm_column_text(stmt, 4), held),
        .run = gm_column_i64(stmt, 5),
        .parked = gm_column_i64(stmt, 6),
        .attempts = gm_column_i64(stmt, 7),
        .last_attempt = gm_column_i64(stmt, 8),
        .version = gm_column_i64(stmt, 10),
        .kind = (enum gm_record_kind)kind,
        .origin = gm_column_text(stmt, 12),
        .position = gm_column_i64(stmt, 13),
        .code = gm_column_text(stmt, 14),
        .error = gm_column_text(stmt, 15),
        .record = gm_column_text(stmt, 16),
    };
    if (kind < GM_RECORD_UPSERT || kind > GM_RECORD_EVENT) {
        return gm_fail(err, GM_E_CORRUPT, "dead letter %lld of the store has an unknown kind",
                       (long long)letter.num);
    }
    GM_TRY(gm_column_hash(stmt, 9, letter.key, &letter.hash, err));
    return fn(ctx, &letter, err);
}

gm_rc gm_dead_letters_list(struct gm_db *db, const struct gm_dead_letter_query *query,
                           gm_dead_letter_fn fn, void *ctx, struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_LETTERS_LIST, &stmt, err));
    gm_bind_i64(stmt, 1, query->after);
    gm_bind_i64(stmt, 2, query->pipeline);
    gm_bind_text(stmt, 3, query->key);
    gm_bind_i64(stmt, 4, query->limit > 0 ? query->limit : INT64_MAX);
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        GM_TRY(hand_out(stmt, fn, ctx, err));
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_dead_letter_get(struct gm_db *db, int64_t num, gm_dead_letter_fn fn, void *ctx,
                         struct gm_err *err)
{
    GM_AUTO_STMT struct gm_stmt *stmt = NULL;
    GM_TRY(gm_db_prepare(db, GM_SQL_LETTER_GET, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_E_END) {
        return none_such(num, err);
    }
    GM_TRY(rc);
    return hand_out(stmt, fn, ctx, err);
}

gm_rc gm_dead_letters_count(struct gm_db *db, int64_t pipeline, int64_t *out_count,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTERS_COUNT, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    return gm_step_number(stmt, out_count, err);
}

gm_rc gm_dead_letters_keys(struct gm_db *db, int64_t pipeline, struct gm_map *keys,
                           struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTERS_KEYS, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        (void)gm_map_set(keys, gm_column_text(stmt, 0), 1);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_dead_letters_forget(struct gm_db *db, int64_t pipeline, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_LETTERS_FORGET, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    return gm_stmt_run(stmt, NULL, err);
}
