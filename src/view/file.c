/* The view's file: opening, cells, and saving. */
#include "os/file.h"
#include "base/mem.h"
#include "view/inside.h"
#include "view_sql.h"

enum { FORMAT_VERSION = 1, CACHE_SIZE = 8 << 20, FINGERPRINT_SIZE_MAX = 64 << 10 };

/* ---- facts ---- */

/* The spec as text: what a file's cells depend on. */
static void write_fingerprint(const struct gm_view *view, struct gm_buf *out)
{
    const struct gm_view_spec *spec = view->spec;
    gm_buf_addf(out,
                "%d by=" GM_STR_FMT " grouped=%d size=%lld hop=%lld lateness=%lld keep=%lld "
                "parts=%d",
                FORMAT_VERSION, GM_STR_ARG(spec->by), view->options.group_of != NULL,
                (long long)spec->size, (long long)gm_view_hop(spec), (long long)spec->lateness,
                (long long)spec->keep, view->options.partitions);
    for (size_t i = 0; i < spec->value_count; i++) {
        gm_buf_addf(out, " " GM_STR_FMT "=" GM_STR_FMT ":%u", GM_STR_ARG(spec->values[i].name),
                    GM_STR_ARG(spec->values[i].path), spec->values[i].aggregates);
    }
}

static gm_rc run(struct gm_db *db, const char *sql_z, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(db, sql_z, &stmt, err));
    gm_rc rc = gm_stmt_run(stmt, NULL, err);
    gm_stmt_finalize(stmt);
    return rc;
}

static gm_rc check_fingerprint(struct gm_view *view, struct gm_err *err)
{
    struct gm_buf text;
    struct gm_stmt *stmt;
    gm_buf_init(&text, FINGERPRINT_SIZE_MAX);
    write_fingerprint(view, &text);
    gm_rc rc = gm_db_prepare_once(view->db, GM_SQL_VIEW_FACT_PUT, &stmt, err);
    if (rc == GM_OK) {
        gm_bind_text(stmt, 1, GM_STR("spec"));
        gm_bind_text(stmt, 2, gm_buf_str(&text));
        rc = gm_stmt_run(stmt, NULL, err);
    }
    rc = rc == GM_OK ? gm_db_prepare_once(view->db, GM_SQL_VIEW_FACT_GET, &stmt, err) : rc;
    if (rc == GM_OK) {
        gm_bind_text(stmt, 1, GM_STR("spec"));
        rc = gm_step(stmt, err);
        if (rc == GM_OK && !gm_str_eq(gm_column_text(stmt, 0), gm_buf_str(&text))) {
            rc = gm_fail(err, GM_E_CONFLICT, "the view was made by other settings");
        }
        gm_reset(stmt);
    }
    gm_buf_deinit(&text);
    return rc;
}

/* ---- loading ---- */

static gm_rc load_keys(struct gm_view *view, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_KEYS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        if (gm_column_i64(stmt, 0) != gm_view_key_number(view, gm_column_text(stmt, 1))) {
            gm_reset(stmt);
            return gm_fail(err, GM_E_CORRUPT, "its keys have gaps");
        }
    }
    view->stored_keys = (uint32_t)gm_map_count(view->numbers);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc load_part(struct gm_view *view, int partition, struct gm_err *err)
{
    struct gm_part *part = &view->parts[partition];
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_PART_GET, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        part->next = gm_column_i64(stmt, 0);
        part->has_latest = gm_column_type(stmt, 1) != GM_COLUMN_NULL;
        part->latest = gm_column_i64(stmt, 1);
    }
    gm_reset(stmt);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_START_LAST, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    GM_TRY(gm_step(stmt, err));
    part->last_stored =
        gm_column_type(stmt, 0) != GM_COLUMN_NULL ? gm_column_i64(stmt, 0) : INT64_MIN;
    gm_reset(stmt);
    return GM_OK;
}

static gm_rc load_members(struct gm_view *view, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_MEMBERS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        int64_t part = gm_column_i64(stmt, 0);
        if (part >= 0 && part < view->options.partitions) {
            gm_view_load_member(view, (int)part, gm_column_text(stmt, 1), gm_column_i64(stmt, 2),
                                gm_column_text(stmt, 3));
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc load_known(struct gm_part *part, int partition, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_VIEW_PART_GET, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_rc rc = gm_step(stmt, err);
    part->known_until = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

/* What keys belonged to, from the view that this one is made anew of; goes into the file with the
 * first save. */
static gm_rc take_members(struct gm_view *view, struct gm_err *err)
{
    struct gm_db *db;
    if (view->options.groups_from_z == NULL || view->options.group_of == NULL) {
        return GM_OK;
    }
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", view->options.groups_from_z);
    GM_TRY(gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_READ}, &db, err));
    gm_rc rc = load_members(view, db, err);
    for (int p = 0; p < view->options.partitions && rc == GM_OK; p++) {
        rc = load_known(&view->parts[p], p, db, err);
    }
    gm_db_close(db);
    for (int p = 0; p < view->options.partitions && rc == GM_OK; p++) {
        struct gm_part *part = &view->parts[p];
        for (size_t m = 0; m < part->members.n; m++) {
            for (size_t i = 0; i < part->members.at[m].at.n; i++) {
                *gm_vec_push(&view->new_members) =
                    (struct gm_new_member){p, (uint32_t)m, part->members.at[m].at.at[i]};
            }
        }
    }
    return rc;
}

static gm_rc load(struct gm_view *view, struct gm_err *err)
{
    static const char *const tables[] = {GM_SQL_VIEW_CREATE_FACTS, GM_SQL_VIEW_CREATE_PARTS,
                                         GM_SQL_VIEW_CREATE_KEYS, GM_SQL_VIEW_CREATE_CELLS,
                                         GM_SQL_VIEW_CREATE_MEMBERS};
    for (size_t i = 0; i < GM_ARRAY_COUNT(tables); i++) {
        GM_TRY(run(view->db, tables[i], err));
    }
    GM_TRY(check_fingerprint(view, err));
    GM_TRY(load_keys(view, err));
    for (int p = 0; p < view->options.partitions; p++) {
        GM_TRY(load_part(view, p, err));
    }
    GM_TRY(load_members(view, view->db, err));
    return take_members(view, err);
}

gm_rc gm_view_file_open(struct gm_view *view, struct gm_err *err)
{
    const char *slash = strrchr(view->path_z, '/');
    if (slash != NULL && slash != view->path_z) {
        GM_AUTO_FREE char *folder_z =
            gm_str_dup_z((struct gm_str){view->path_z, (size_t)(slash - view->path_z)});
        GM_TRY(gm_folder_make(folder_z, err));
    }
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", view->path_z);
    GM_TRY(gm_db_open(&(struct gm_db_options){.url_z = url_z,
                                              .mode = GM_DB_WRITE,
                                              .cache_bytes = CACHE_SIZE,
                                              .vfs_z = view->options.vfs_z},
                      &view->db, err));
    GM_TRY(gm_db_begin(view->db, err));
    gm_rc rc = load(view, err);
    rc = rc == GM_OK ? gm_db_commit(view->db, err) : rc;
    if (rc != GM_OK) {
        gm_db_rollback(view->db);
        return gm_fail_within(err, "%s", view->path_z);
    }
    return GM_OK;
}

gm_rc gm_view_file_cell(struct gm_view *view, const struct gm_cell_at *at, uint64_t *cell,
                        bool *out_found, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_CELL_GET, &stmt, err));
    gm_bind_i64(stmt, 1, at->partition);
    gm_bind_i64(stmt, 2, at->start);
    gm_bind_i64(stmt, 3, at->key);
    gm_rc rc = gm_step(stmt, err);
    *out_found = rc == GM_OK;
    if (rc == GM_OK && !gm_cell_decode(&view->layout, gm_column_blob(stmt, 0), cell)) {
        rc = gm_fail(err, GM_E_CORRUPT, "%s: what is known of key " GM_STR_FMT " is damaged",
                     view->path_z, GM_STR_ARG(gm_map_key_at(view->numbers, at->key)));
    }
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- saving ---- */

static gm_rc save_keys(struct gm_view *view, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_KEY_INSERT, &stmt, err));
    for (size_t i = view->stored_keys; i < gm_map_count(view->numbers); i++) {
        gm_bind_i64(stmt, 1, (int64_t)i);
        gm_bind_text(stmt, 2, gm_map_key_at(view->numbers, i));
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc save_members(struct gm_view *view, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_MEMBER_PUT, &stmt, err));
    for (size_t i = 0; i < view->new_members.n; i++) {
        const struct gm_new_member *new = &view->new_members.at[i];
        bool some = new->membership.group != UINT32_MAX;
        gm_bind_i64(stmt, 1, new->part);
        gm_bind_text(stmt, 2, gm_map_key_at(view->parts[new->part].member_numbers, new->member));
        gm_bind_i64(stmt, 3, new->membership.first);
        gm_bind_text(stmt, 4,
                     some ? gm_map_key_at(view->numbers, new->membership.group) : GM_STR(""));
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc save_page(struct gm_view *view, int partition, const struct gm_window *window,
                       size_t index, struct gm_err *err)
{
    struct gm_stmt *stmt;
    const struct gm_page *page = window->pages.at[index];
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_CELL_PUT, &stmt, err));
    for (size_t i = 0; page != NULL && i < GM_VIEW_PAGE_KEYS; i++) {
        if (page->states[i] != GM_CELL_DIRTY) {
            continue;
        }
        gm_buf_reset(&view->text);
        gm_cell_encode(&view->layout, &page->cells[i * view->layout.words], &view->text);
        gm_bind_i64(stmt, 1, partition);
        gm_bind_i64(stmt, 2, window->start);
        gm_bind_i64(stmt, 3, (int64_t)(index * GM_VIEW_PAGE_KEYS + i));
        gm_bind_blob(stmt, 4, gm_buf_str(&view->text));
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc expire(struct gm_view *view, int partition, struct gm_err *err)
{
    const struct gm_part *part = &view->parts[partition];
    struct gm_stmt *stmt;
    if (view->spec->keep == 0 || view->spec->size == 0 || !part->has_latest) {
        return GM_OK;
    }
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_CELLS_EXPIRE, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_bind_i64(stmt, 2, gm_part_watermark(view, part) - view->spec->keep - view->spec->size);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc save_part(struct gm_view *view, int partition, struct gm_err *err)
{
    const struct gm_part *part = &view->parts[partition];
    struct gm_stmt *stmt;
    for (size_t w = 0; w < part->windows.n; w++) {
        for (size_t p = 0; p < part->windows.at[w]->pages.n; p++) {
            GM_TRY(save_page(view, partition, part->windows.at[w], p, err));
        }
    }
    GM_TRY(expire(view, partition, err));
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_PART_PUT, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_bind_i64(stmt, 2, part->next);
    if (part->has_latest) {
        gm_bind_i64(stmt, 3, part->latest);
    } else {
        gm_bind_null(stmt, 3);
    }
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc save(struct gm_view *view, struct gm_err *err)
{
    GM_TRY(save_keys(view, err));
    GM_TRY(save_members(view, err));
    for (int p = 0; p < view->options.partitions; p++) {
        GM_TRY(save_part(view, p, err));
    }
    return GM_OK;
}

/* What was dirty is in the file now; windows that are closed are let go of. */
static void settle_part(struct gm_view *view, struct gm_part *part)
{
    size_t kept = 0;
    gm_ns watermark = gm_part_watermark(view, part);
    for (size_t w = 0; w < part->windows.n; w++) {
        struct gm_window *window = part->windows.at[w];
        window->stored = true;
        part->last_stored = window->start > part->last_stored ? window->start : part->last_stored;
        if (view->spec->size > 0 && window->start + view->spec->size <= watermark) {
            gm_window_free(&view->layout, window);
            continue;
        }
        for (size_t p = 0; p < window->pages.n; p++) {
            struct gm_page *page = window->pages.at[p];
            for (size_t i = 0; page != NULL && i < GM_VIEW_PAGE_KEYS; i++) {
                page->states[i] =
                    page->states[i] == GM_CELL_DIRTY ? GM_CELL_CLEAN : page->states[i];
            }
        }
        part->windows.at[kept++] = window;
    }
    part->windows.n = kept;
    part->window = 0;
}

gm_rc gm_view_save(struct gm_view *view, struct gm_err *err)
{
    GM_TRY(gm_db_begin(view->db, err));
    gm_rc rc = save(view, err);
    rc = rc == GM_OK ? gm_db_commit(view->db, err) : rc;
    if (rc != GM_OK) {
        gm_db_rollback(view->db);
        return gm_fail_within(err, "%s", view->path_z);
    }
    view->stored_keys = (uint32_t)gm_map_count(view->numbers);
    view->new_members.n = 0;
    for (int p = 0; p < view->options.partitions; p++) {
        settle_part(view, &view->parts[p]);
    }
    return GM_OK;
}
