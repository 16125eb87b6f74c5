#include "route/rows.h"

#include "route_sql.h"
#include "json/json.h"

/* ---- routes ---- */

gm_rc gm_event_route_put(struct gm_db *db, const struct gm_event_route *route, int64_t newest,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_ROUTE_PUT, &stmt, err));
    gm_bind_text(stmt, 1, route->id);
    gm_bind_text(stmt, 2, route->endpoint);
    gm_bind_text(stmt, 3, route->filter);
    gm_bind_i64(stmt, 4, route->created);
    gm_bind_i64(stmt, 5, newest);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc run_with_id(struct gm_db *db, const char *sql_z, struct gm_str id,
                         int64_t *out_changes, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, sql_z, &stmt, err));
    gm_bind_text(stmt, 1, id);
    return gm_stmt_run(stmt, out_changes, err);
}

gm_rc gm_event_route_delete(struct gm_db *db, struct gm_str id, struct gm_err *err)
{
    int64_t changes;
    GM_TRY(run_with_id(db, GM_SQL_ROUTE_DELETE, id, &changes, err));
    return changes == 0 ? GM_E_END : run_with_id(db, GM_SQL_ROUTE_LETTERS_DELETE, id, NULL, err);
}

gm_rc gm_event_routes_count(struct gm_db *db, struct gm_str id, int64_t *out_count,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_ROUTE_COUNT, &stmt, err));
    gm_bind_text(stmt, 1, id);
    GM_TRY(gm_step(stmt, err));
    *out_count = gm_column_i64(stmt, 0);
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_event_route_settle(struct gm_db *db, const struct gm_event_route *route,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_ROUTE_SETTLE, &stmt, err));
    gm_bind_text(stmt, 1, route->id);
    gm_bind_i64(stmt, 2, route->created);
    gm_bind_i64(stmt, 3, route->position);
    gm_bind_i64(stmt, 4, route->failing_since);
    gm_bind_i64(stmt, 5, route->attempts);
    gm_bind_text(stmt, 6, route->error);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_event_routes_list(struct gm_db *db, const struct gm_event_routes_query *query,
                           gm_event_route_fn fn, void *ctx, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare(db, GM_SQL_ROUTE_LIST, &stmt, err));
    gm_bind_text(stmt, 1, query->after.p != NULL ? query->after : GM_STR(""));
    gm_bind_text(stmt, 2, query->id);
    gm_bind_i64(stmt, 3, query->limit > 0 ? query->limit : INT64_MAX);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_event_route route = {
            .id = gm_column_text(stmt, 0),
            .endpoint = gm_column_text(stmt, 1),
            .filter = gm_column_text(stmt, 2),
            .created = gm_column_i64(stmt, 3),
            .updated = gm_column_i64(stmt, 4),
            .position = gm_column_i64(stmt, 5),
            .failing_since = gm_column_i64(stmt, 6),
            .attempts = gm_column_i64(stmt, 7),
            .error = gm_column_text(stmt, 8),
            .letters = gm_column_i64(stmt, 9),
        };
        rc = fn(ctx, &route, err);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static void add_text(struct gm_buf *out, const char *name_z, struct gm_str text)
{
    gm_buf_addf(out, ",\"%s\":", name_z);
    if (text.p != NULL) {
        gm_json_quote(out, text);
    } else {
        gm_buf_add(out, GM_STR("null"));
    }
}

static void add_time(struct gm_buf *out, const char *name_z, gm_ns time)
{
    char text[GM_TIME_TEXT_SIZE];
    struct gm_str shown = {NULL, 0};
    if (time != 0) {
        shown = (struct gm_str){text, gm_time_format_short(time, text)};
    }
    add_text(out, name_z, shown);
}

void gm_event_route_write_json(const struct gm_event_route *route, int64_t newest,
                               struct gm_buf *out)
{
    gm_buf_add(out, GM_STR("{\"id\":"));
    gm_json_quote(out, route->id);
    add_text(out, "endpointName", route->endpoint);
    add_text(out, "filter", route->filter);
    add_time(out, "created", route->created);
    gm_buf_addf(out, ",\"position\":%lld,\"lag\":%lld", (long long)route->position,
                (long long)(newest > route->position ? newest - route->position : 0));
    add_time(out, "failingSince", route->failing_since);
    gm_buf_addf(out, ",\"attempts\":%lld", (long long)route->attempts);
    add_text(out, "error", route->error);
    gm_buf_addf(out, ",\"deadLetters\":%lld}", (long long)route->letters);
}

/* ---- letters ---- */

gm_rc gm_route_letter_put(struct gm_db *db, const struct gm_route_letter *letter,
                          struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_ROUTE_LETTER_PUT, &stmt, err));
    gm_bind_text(stmt, 1, letter->route);
    gm_bind_text(stmt, 2, letter->twin);
    gm_bind_i64(stmt, 3, letter->change);
    gm_bind_i64(stmt, 4, letter->part);
    gm_bind_text(stmt, 5, letter->status);
    gm_bind_i64(stmt, 6, letter->parked);
    gm_bind_i64(stmt, 7, letter->attempts);
    gm_bind_i64(stmt, 8, letter->last_attempt);
    gm_bind_text(stmt, 9, letter->error);
    gm_bind_text(stmt, 10, letter->event);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_route_letter_remove(struct gm_db *db, int64_t num, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_ROUTE_LETTER_REMOVE, &stmt, err));
    gm_bind_i64(stmt, 1, num);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_route_letter_failed(struct gm_db *db, const struct gm_route_letter *letter,
                             struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_ROUTE_LETTER_FAILED, &stmt, err));
    gm_bind_i64(stmt, 1, letter->num);
    gm_bind_text(stmt, 2, letter->route);
    gm_bind_text(stmt, 3, letter->twin);
    gm_bind_i64(stmt, 4, letter->last_attempt);
    gm_bind_text(stmt, 5, letter->error);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_route_letters_list(struct gm_db *db, const struct gm_route_letters_query *query,
                            gm_route_letter_fn fn, void *ctx, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare(db, GM_SQL_ROUTE_LETTERS_LIST, &stmt, err));
    gm_bind_text(stmt, 1, query->route);
    gm_bind_i64(stmt, 2, query->after);
    gm_bind_text(stmt, 3, query->status);
    gm_bind_i64(stmt, 4, query->limit > 0 ? query->limit : INT64_MAX);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_route_letter letter = {
            .num = gm_column_i64(stmt, 0),
            .route = gm_column_text(stmt, 1),
            .twin = gm_column_text(stmt, 2),
            .change = gm_column_i64(stmt, 3),
            .part = gm_column_i64(stmt, 4),
            .status = gm_column_text(stmt, 5),
            .parked = gm_column_i64(stmt, 6),
            .attempts = gm_column_i64(stmt, 7),
            .last_attempt = gm_column_i64(stmt, 8),
            .error = gm_column_text(stmt, 9),
            .event = gm_column_text(stmt, 10),
        };
        rc = fn(ctx, &letter, err);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

void gm_route_letter_write_json(const struct gm_route_letter *letter, struct gm_buf *out)
{
    gm_buf_addf(out, "{\"num\":%lld", (long long)letter->num);
    add_text(out, "route", letter->route);
    add_text(out, "twin", letter->twin);
    gm_buf_addf(out, ",\"change\":%lld,\"part\":%lld", (long long)letter->change,
                (long long)letter->part);
    add_text(out, "status", letter->status);
    add_time(out, "parked", letter->parked);
    gm_buf_addf(out, ",\"attempts\":%lld", (long long)letter->attempts);
    add_time(out, "lastAttempt", letter->last_attempt);
    add_text(out, "error", letter->error);
    gm_buf_add(out, GM_STR(",\"event\":"));
    gm_buf_add(out, letter->event);
    gm_buf_add_char(out, '}');
}

static gm_rc run_choice(struct gm_db *db, const char *sql_z, const struct gm_route_choice *choice,
                        int64_t *out_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, sql_z, &stmt, err));
    gm_bind_text(stmt, 1, choice->route);
    gm_bind_i64(stmt, 2, choice->num);
    gm_bind_text(stmt, 3, choice->twin);
    return gm_stmt_run(stmt, out_count, err);
}

gm_rc gm_route_letters_redrive(struct gm_db *db, const struct gm_route_choice *choice,
                               int64_t *out_count, struct gm_err *err)
{
    return run_choice(db, GM_SQL_ROUTE_LETTERS_REDRIVE, choice, out_count, err);
}

gm_rc gm_route_letters_drop(struct gm_db *db, const struct gm_route_choice *choice,
                            int64_t *out_count, struct gm_err *err)
{
    GM_TRY(run_choice(db, GM_SQL_ROUTE_LETTERS_DROP, choice, out_count, err));
    return run_with_id(db, GM_SQL_ROUTE_LETTERS_FOLLOW, choice->route, NULL, err);
}

gm_rc gm_route_letters_twins(struct gm_db *db, struct gm_str route, gm_route_twin_fn fn, void *ctx,
                             struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare(db, GM_SQL_ROUTE_LETTERS_TWINS, &stmt, err));
    gm_bind_text(stmt, 1, route);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        rc = fn(ctx, gm_column_text(stmt, 0), gm_column_i64(stmt, 1), gm_column_i64(stmt, 2));
        if (rc != GM_OK) {
            break;
        }
    }
    gm_stmt_finalize(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}
