/* Finding, marking and forgetting what is missing, page by page. What may be deleted is decided in
 * sweep_decide.c. */
#include "sync/sweep.h"

#include "base/mem.h"
#include "sync/rows.h"
#include "sync/sweep_internal.h"
#include "sync_sql.h"

/* Keys are bounded, ids of targets by their sinks: a page of the largest takes about 2 MB. */
enum { PAGE_ARENA_SIZE = 8 << 20 };

struct gm_sweep_page *gm_sweep_page_new(void)
{
    struct gm_sweep_page *page = gm_alloc(sizeof(*page));
    page->arena = gm_arena_new(PAGE_ARENA_SIZE);
    return page;
}

void gm_sweep_page_free(struct gm_sweep_page *page)
{
    if (page != NULL) {
        gm_arena_free(page->arena);
        gm_free(page);
    }
}

/* ---- paging ---- */

static gm_rc note_last_key(struct gm_sweep_page *page, struct gm_str key, struct gm_err *err)
{
    if (key.n > sizeof(page->last_key_bytes)) {
        return gm_fail(err, GM_E_CORRUPT, "sync state: a key of %zu bytes; keys have at most %d",
                       key.n, GM_KEY_SIZE_MAX);
    }
    memcpy(page->last_key_bytes, key.p, key.n);
    page->last_key = (struct gm_str){page->last_key_bytes, key.n};
    return GM_OK;
}

/* Adds the row under the statement (key, slot, target, target_id). False: no memory left in the
 * page. */
static bool add_item(struct gm_sweep_page *page, const struct gm_stmt *stmt)
{
    struct gm_str id = gm_column_text(stmt, 3);
    struct gm_sweep_item item = {
        .key = gm_arena_dup(page->arena, gm_column_text(stmt, 0)),
        .slot = gm_column_i64(stmt, 1),
        .target = gm_column_i64(stmt, 2),
        .target_id = id.p != NULL ? gm_arena_dup(page->arena, id) : id,
    };
    if (item.key.p == NULL || (id.p != NULL && item.target_id.p == NULL)) {
        return false;
    }
    page->items[page->count++] = item;
    return true;
}

/* Parameter 2 of both statements is where a page begins: at the last key rather than behind it,
 * because the empty text is a key as well. */
static void begin_page(struct gm_sweep_page *page, struct gm_stmt *stmt)
{
    page->count = 0;
    gm_arena_reset(page->arena);
    /* A copy, because last_key moves on while the statement still borrows where it began. */
    struct gm_str start = gm_arena_dup(page->arena, page->last_key);
    GM_ASSERT(start.p != NULL); /* an empty arena has room for a key */
    gm_bind_text(stmt, 2, start);
}

/* The row under the statement: GM_OK goes on, GM_E_LIMIT ends the page before it. */
static gm_rc take_row(struct gm_sweep_page *page, const struct gm_stmt *stmt,
                      const struct gm_seen *seen, struct gm_err *err)
{
    struct gm_str key = gm_column_text(stmt, 0);
    if (page->last_key.p != NULL && gm_str_eq(key, page->last_key)) {
        return GM_OK;
    }
    if (seen == NULL || !gm_seen_has(seen, gm_column_i64(stmt, 1))) {
        if (page->count == GM_SWEEP_PAGE || !add_item(page, stmt)) {
            return GM_E_LIMIT;
        }
    }
    return note_last_key(page, key, err);
}

/* Reads rows that `seen` (NULL: nothing) has not into the page. */
static gm_rc fill_page(struct gm_stmt *stmt, const struct gm_seen *seen, struct gm_sweep_page *page,
                       struct gm_err *err)
{
    gm_rc rc;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        rc = take_row(page, stmt, seen, err);
        if (rc != GM_OK) {
            break;
        }
    }
    gm_reset(stmt);
    if (rc == GM_E_LIMIT && page->count == 0) {
        return gm_fail(err, rc, "sync state: an object's target id is larger than a page");
    }
    bool ended = rc == GM_E_END || rc == GM_E_LIMIT;
    if (!ended) {
        return rc;
    }
    return page->count > 0 ? GM_OK : GM_E_END;
}

gm_rc gm_sweep_find_missing(struct gm_db *db, int64_t pipeline, const struct gm_seen *seen,
                            struct gm_sweep_page *page, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_SWEEP_LIVE, &stmt, err));
    gm_bind_i64(stmt, 1, pipeline);
    begin_page(page, stmt);
    return fill_page(stmt, seen, page, err);
}

gm_rc gm_sweep_find_due(const struct gm_sweep_task *task, struct gm_sweep_page *page,
                        struct gm_err *err)
{
    if (gm_sweep_distrust_z(task) != NULL && !task->approved) {
        page->count = 0;
        return GM_E_END; /* whatever was decided: its misses count for nothing */
    }
    struct gm_stmt *stmt;
    struct gm_sweep_bounds bounds = gm_sweep_bounds(task);
    GM_TRY(gm_db_prepare_once(task->db, GM_SQL_SWEEP_DUE, &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_i64(stmt, 3, task->run->num);
    gm_bind_i64(stmt, 4, bounds.runs_min);
    gm_bind_i64(stmt, 5, bounds.since_max);
    begin_page(page, stmt);
    return fill_page(stmt, NULL, page, err);
}

/* ---- writing ---- */

gm_rc gm_sweep_mark(const struct gm_sweep_task *task, const struct gm_sweep_page *page,
                    struct gm_err *err)
{
    bool trusted = gm_sweep_distrust_z(task) == NULL;
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(task->db, trusted ? GM_SQL_SWEEP_MARK : GM_SQL_SWEEP_MARK_UNTRUSTED,
                              &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_i64(stmt, 3, task->run->num);
    if (trusted) {
        gm_bind_i64(stmt, 4, task->now);
    }
    for (size_t i = 0; i < page->count; i++) {
        gm_bind_text(stmt, 2, page->items[i].key);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc forget(const struct gm_sweep_task *task, struct gm_stmt *stmt, struct gm_str key,
                    int64_t *live_count, struct gm_err *err)
{
    int64_t changes, letters;
    gm_bind_text(stmt, 2, key);
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    *live_count -= changes;
    return gm_dead_letters_remove_key(task->db, task->run->pipeline, key, &letters, err);
}

gm_rc gm_sweep_forget(const struct gm_sweep_task *task, const struct gm_sweep_page *page,
                      int64_t *live_count, struct gm_err *err)
{
    struct gm_stmt *stmt;
    uint8_t none[GM_HASH128_SIZE];
    GM_TRY(gm_db_prepare_once(task->db, GM_SQL_SWEEP_FORGET, &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_i64(stmt, 3, task->run->num);
    gm_bind_i64(stmt, 4, task->now);
    gm_bind_hash(stmt, 5, (struct gm_hash128){0}, none);
    for (size_t i = 0; i < page->count; i++) {
        GM_TRY(forget(task, stmt, page->items[i].key, live_count, err));
    }
    return GM_OK;
}

gm_rc gm_sweep_doubt(const struct gm_sweep_task *task, const struct gm_sweep_page *page,
                     struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(task->db, GM_SQL_SWEEP_DOUBT, &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_i64(stmt, 3, task->run->num);
    gm_bind_i64(stmt, 4, task->now);
    for (size_t i = 0; i < page->count; i++) {
        gm_bind_text(stmt, 2, page->items[i].key);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

gm_rc gm_sweep_failed(const struct gm_sweep_task *task, struct gm_str key, struct gm_str error,
                      struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(task->db, GM_SQL_SWEEP_FAILED, &stmt, err));
    gm_bind_i64(stmt, 1, task->run->pipeline);
    gm_bind_text(stmt, 2, key);
    gm_bind_i64(stmt, 3, task->run->num);
    gm_bind_i64(stmt, 4, task->now);
    gm_bind_text(stmt, 5, error);
    return gm_stmt_run(stmt, NULL, err);
}
