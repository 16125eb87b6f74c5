/* Looking at rows: in order of windows and of keys, merged from the partitions. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "view/inside.h"
#include "view_sql.h"
#include "json/json.h"

enum { ROW_SIZE_MAX = 1 << 20, TOKEN_SIZE_MAX = 4 << 10 };

/* ---- keys in order ---- */

static int compare_keys(const void *a, const void *b, const struct gm_map *numbers)
{
    struct gm_str x = gm_map_key_at(numbers, *(const uint32_t *)a);
    struct gm_str y = gm_map_key_at(numbers, *(const uint32_t *)b);
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order != 0 ? order : (x.n > y.n) - (x.n < y.n);
}

/* Merge sort: qsort has no place for the map. */
static void sort_numbers(uint32_t *at, uint32_t *scratch, size_t n, const struct gm_map *numbers)
{
    for (size_t width = 1; width < n; width *= 2) {
        for (size_t low = 0; low < n; low += 2 * width) {
            size_t middle = low + width < n ? low + width : n;
            size_t high = low + 2 * width < n ? low + 2 * width : n;
            size_t a = low, b = middle;
            for (size_t to = low; to < high; to++) {
                bool left = a < middle && (b == high || compare_keys(&at[a], &at[b], numbers) <= 0);
                scratch[to] = left ? at[a++] : at[b++];
            }
        }
        memcpy(at, scratch, n * sizeof(at[0]));
    }
}

static void sort_keys(struct gm_view *view)
{
    size_t count = gm_map_count(view->numbers);
    if (view->sorted.n == count) {
        return;
    }
    view->sorted.n = 0;
    for (size_t i = 0; i < count; i++) {
        *gm_vec_push(&view->sorted) = (uint32_t)i;
    }
    GM_AUTO_FREE uint32_t *scratch = gm_alloc_array(count + 1, sizeof(*scratch));
    sort_numbers(view->sorted.at, scratch, count, view->numbers);
}

/* Position of the first key that is larger than `key`; `itself`: or equal. */
static size_t find_key(const struct gm_view *view, struct gm_str key, bool itself)
{
    size_t low = 0, high = view->sorted.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct gm_str at = gm_map_key_at(view->numbers, view->sorted.at[middle]);
        int order = memcmp(at.p, key.p, at.n < key.n ? at.n : key.n);
        order = order != 0 ? order : (at.n > key.n) - (at.n < key.n);
        if (order < 0 || (order == 0 && !itself)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* ---- windows in order ---- */

static gm_rc stored_start(struct gm_view *view, int partition, gm_ns from, gm_ns *start,
                          struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(view->db, GM_SQL_VIEW_START_AFTER, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    gm_bind_i64(stmt, 2, from);
    GM_TRY(gm_step(stmt, err));
    if (gm_column_type(stmt, 0) != GM_COLUMN_NULL && gm_column_i64(stmt, 0) < *start) {
        *start = gm_column_i64(stmt, 0);
    }
    gm_reset(stmt);
    return GM_OK;
}

/* The first window that begins at `from` or later; INT64_MAX: none. */
static gm_rc next_start(struct gm_view *view, gm_ns from, gm_ns *out_start, struct gm_err *err)
{
    gm_ns start = INT64_MAX;
    for (int p = 0; p < view->options.partitions; p++) {
        bool found;
        size_t at = gm_part_find(&view->parts[p], from, &found);
        if (at < view->parts[p].windows.n && view->parts[p].windows.at[at]->start < start) {
            start = view->parts[p].windows.at[at]->start;
        }
        GM_TRY(stored_start(view, p, from, &start, err));
    }
    *out_start = start;
    return GM_OK;
}

/* ---- rows ---- */

struct looking {
    struct gm_view *view;
    const struct gm_view_query *query;
    gm_ns horizon;   /* windows that end here or before are gone */
    gm_ns watermark; /* of what is closed: the lowest of those partitions that had events */
    uint64_t *cell;
    struct gm_buf text;
    size_t count;
};

static void write_row(struct looking *looking, gm_ns start, struct gm_str key)
{
    const struct gm_view *view = looking->view;
    char time[GM_TIME_TEXT_SIZE];
    gm_buf_reset(&looking->text);
    gm_buf_add_z(&looking->text, "{\"key\":");
    gm_json_quote(&looking->text, key);
    if (view->spec->size > 0) {
        gm_ns end = start + view->spec->size;
        (void)gm_time_format_short(start, time);
        gm_buf_addf(&looking->text, ",\"start\":\"%s\"", time);
        (void)gm_time_format_short(end, time);
        gm_buf_addf(&looking->text, ",\"end\":\"%s\",\"closed\":%s,\"corrections\":%llu", time,
                    end <= looking->watermark ? "true" : "false",
                    (unsigned long long)looking->cell[view->layout.words - 1]);
    }
    gm_cell_write_json(&view->layout, looking->cell, &looking->text);
    gm_buf_add_char(&looking->text, '}');
}

static gm_rc tell_row(struct looking *looking, gm_ns start, uint32_t key, bool *out_told,
                      struct gm_err *err)
{
    struct gm_view *view = looking->view;
    gm_rc rc = GM_OK;
    *out_told = false;
    for (int p = 0; p < view->options.partitions && rc == GM_OK; p++) {
        const struct gm_cell_at at = {p, start, key};
        bool found = false;
        if (*out_told) {
            GM_AUTO_FREE uint64_t *more = gm_alloc_array(view->layout.words, sizeof(*more));
            rc = gm_view_look(view, &at, more, &found, err);
            if (found) {
                gm_cell_merge(&view->layout, looking->cell, more);
                gm_cell_deinit(&view->layout, more);
            }
        } else {
            rc = gm_view_look(view, &at, looking->cell, out_told, err);
        }
    }
    if (rc == GM_OK && *out_told) {
        write_row(looking, start, gm_map_key_at(view->numbers, key));
        rc = looking->query->row(looking->query->ctx, gm_buf_str(&looking->text), err);
    }
    gm_cell_deinit(&view->layout, looking->cell);
    return rc;
}

/* Rows of one window, from the key at a position on. True in *out_full: the page is full, and there
 * may be more. */
static gm_rc tell_window(struct looking *looking, gm_ns start, size_t from, bool *out_full,
                         struct gm_err *err)
{
    struct gm_view *view = looking->view;
    const struct gm_view_query *query = looking->query;
    *out_full = false;
    for (size_t i = from; i < view->sorted.n; i++) {
        bool told;
        uint32_t key = view->sorted.at[i];
        struct gm_str name = gm_map_key_at(view->numbers, key);
        if (query->key.p != NULL && !gm_str_eq(name, query->key)) {
            break; /* it was sought by its position */
        }
        GM_TRY(tell_row(looking, start, key, &told, err));
        looking->count += told ? 1 : 0;
        if (told && query->limit > 0 && looking->count == query->limit) {
            gm_buf_addf(query->next, "%lld " GM_STR_FMT, (long long)start, GM_STR_ARG(name));
            *out_full = true;
            return GM_OK;
        }
    }
    return GM_OK;
}

static gm_rc read_token(struct gm_str after, gm_ns *out_start, struct gm_str *out_key,
                        struct gm_err *err)
{
    struct gm_str start;
    if (!gm_str_cut(after, ' ', &start, out_key) || !gm_parse_i64(start, out_start)) {
        return gm_fail(err, GM_E_INVALID, "the continuation token is not one of a view");
    }
    return GM_OK;
}

gm_ns gm_view_closed_until(const struct gm_view *view)
{
    gm_ns closed_until = INT64_MAX;
    for (int p = 0; p < view->options.partitions; p++) {
        gm_ns watermark = gm_part_watermark(view, &view->parts[p]);
        if (view->parts[p].has_latest && watermark < closed_until) {
            closed_until = watermark;
        }
    }
    return closed_until;
}

gm_ns gm_view_horizon(const struct gm_view *view)
{
    gm_ns watermark = gm_view_closed_until(view);
    bool lets_go = view->spec->keep > 0 && view->spec->size > 0 && watermark != INT64_MAX;
    return lets_go ? watermark - view->spec->keep - view->spec->size : INT64_MIN;
}

static void measure(struct looking *looking)
{
    const struct gm_view_query *query = looking->query;
    looking->horizon = gm_view_horizon(looking->view);
    looking->watermark =
        query->closed_as_of != NULL ? *query->closed_as_of : gm_view_closed_until(looking->view);
}

static gm_rc tell(struct looking *looking, struct gm_err *err)
{
    struct gm_view *view = looking->view;
    const struct gm_view_query *query = looking->query;
    gm_ns start = query->from != 0 ? query->from : INT64_MIN;
    struct gm_str after = {NULL, 0};
    bool full = false;
    measure(looking);
    start = start > looking->horizon ? start : looking->horizon + 1;
    if (query->after.p != NULL) {
        GM_TRY(read_token(query->after, &start, &after, err));
    }
    while (!full) {
        gm_ns found;
        GM_TRY(next_start(view, start, &found, err));
        if (found == INT64_MAX || (query->to != 0 && found >= query->to)) {
            return GM_OK;
        }
        struct gm_str first = query->key.p != NULL ? query->key : GM_STR("");
        bool resumed = after.p != NULL && found == start;
        size_t from = find_key(view, resumed ? after : first, !resumed);
        GM_TRY(tell_window(looking, found, from, &full, err));
        start = found + 1;
        after.p = NULL;
    }
    return GM_OK;
}

static void begin_looking(struct looking *looking)
{
    looking->cell = gm_alloc_array(looking->view->layout.words, sizeof(looking->cell[0]));
    gm_buf_init(&looking->text, ROW_SIZE_MAX);
}

static void end_looking(struct looking *looking)
{
    gm_buf_deinit(&looking->text);
    gm_free(looking->cell);
}

gm_rc gm_view_query(struct gm_view *view, const struct gm_view_query *query, struct gm_err *err)
{
    struct looking looking = {.view = view, .query = query};
    gm_mutex_lock(view->mu);
    begin_looking(&looking);
    sort_keys(view);
    gm_rc rc = tell(&looking, err);
    end_looking(&looking);
    gm_mutex_unlock(view->mu);
    return rc;
}

bool gm_view_token_check(struct gm_str after)
{
    gm_ns start;
    struct gm_str key;
    struct gm_err ignored;
    return read_token(after, &start, &key, &ignored) == GM_OK;
}

gm_rc gm_view_pick(struct gm_view *view, const struct gm_view_row *rows, size_t count,
                   const struct gm_view_query *query, struct gm_err *err)
{
    struct looking looking = {.view = view, .query = query};
    gm_rc rc = GM_OK;
    gm_mutex_lock(view->mu);
    begin_looking(&looking);
    measure(&looking);
    for (size_t i = 0; i < count && rc == GM_OK; i++) {
        bool told;
        if (rows[i].start > looking.horizon) {
            rc = tell_row(&looking, rows[i].start, rows[i].key, &told, err);
        }
    }
    end_looking(&looking);
    gm_mutex_unlock(view->mu);
    return rc;
}

/* ---- the whole ---- */

struct dump {
    gm_rc (*write)(void *ctx, struct gm_str bytes, struct gm_err *err);
    void *ctx;
};

static gm_rc dump_row(void *ctx, struct gm_str json, struct gm_err *err)
{
    struct dump *dump = ctx;
    GM_TRY(dump->write(dump->ctx, json, err));
    return dump->write(dump->ctx, GM_STR("\n"), err);
}

gm_rc gm_view_dump(struct gm_view *view,
                   gm_rc (*write)(void *ctx, struct gm_str bytes, struct gm_err *err), void *ctx,
                   struct gm_err *err)
{
    struct dump dump = {write, ctx};
    for (int p = 0; p < view->options.partitions; p++) {
        GM_AUTO_FREE char *line_z =
            gm_format_z("{\"partition\":%d,\"next\":%lld,\"latest\":%lld}\n", p,
                        (long long)gm_view_next(view, p), (long long)view->parts[p].latest);
        GM_TRY(write(ctx, gm_str_z(line_z), err));
    }
    const struct gm_view_query query = {.ctx = &dump, .row = dump_row};
    return gm_view_query(view, &query, err);
}
