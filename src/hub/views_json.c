#include "hub/views_json.h"

#include "base/num.h"
#include "json/json.h"

enum { TOKEN_SIZE_MAX = 4 << 10 };

/* ---- the list ---- */

static void write_status(const struct gm_views_status *status, struct gm_buf *out)
{
    char time[GM_TIME_TEXT_SIZE];
    gm_buf_add_z(out, "{\"name\":");
    gm_json_quote(out, status->name);
    gm_buf_add_z(out, ",\"stream\":");
    gm_json_quote(out, status->stream);
    gm_buf_addf(out, ",\"keys\":%zu", status->info.keys);
    if (status->info.watermark != INT64_MIN && status->info.keys > 0) {
        (void)gm_time_format_short(status->info.watermark, time);
        gm_buf_addf(out, ",\"watermark\":\"%s\"", time);
    }
    gm_buf_addf(out, ",\"lag\":%lld,\"late\":%lld,\"ungrouped\":%lld,\"rebuilding\":%s",
                (long long)status->lag, (long long)status->info.late,
                (long long)status->info.ungrouped, status->rebuilding ? "true" : "false");
    if (status->rebuilding) {
        gm_buf_addf(out, ",\"rebuildLag\":%lld", (long long)status->rebuild_lag);
    }
    if (status->followers > 0) {
        gm_buf_addf(out, ",\"followers\":%lld,\"followerLag\":%lld", (long long)status->followers,
                    (long long)status->follower_lag);
    }
    if (status->rc != GM_OK) {
        gm_buf_add_z(out, ",\"error\":");
        gm_json_quote(out, gm_str_z(status->why.text));
    }
    gm_buf_add_char(out, '}');
}

void gm_views_write_list(struct gm_views *views, struct gm_buf *out)
{
    size_t count = views != NULL ? gm_views_count(views) : 0;
    gm_buf_add_z(out, "{\"value\":[");
    for (size_t i = 0; i < count; i++) {
        struct gm_views_status status;
        gm_views_status(views, i, &status);
        gm_buf_add_z(out, i > 0 ? "," : "");
        write_status(&status, out);
    }
    gm_buf_add_z(out, "]}");
}

/* ---- rows ---- */

struct page {
    struct gm_buf *out;
    bool some;
};

static gm_rc add_row(void *ctx, struct gm_str json, struct gm_err *err)
{
    struct page *page = ctx;
    gm_buf_add_z(page->out, page->some ? "," : "");
    gm_buf_add(page->out, json);
    page->some = true;
    return gm_buf_failed(page->out)
               ? gm_fail(err, GM_E_LIMIT, "the page is too large; ask for fewer rows")
               : GM_OK;
}

static gm_rc read_time(const char *name_z, struct gm_str text, gm_ns *out_time, struct gm_err *err)
{
    *out_time = 0;
    return text.n == 0 || gm_time_parse(text, out_time)
               ? GM_OK
               : gm_fail(err, GM_E_INVALID, "`%s` is no time: write it as 2026-11-20T17:00:00Z",
                         name_z);
}

static gm_rc read_ask(const struct gm_views_ask *ask, struct gm_view_query *query,
                      struct gm_err *err)
{
    int64_t limit = GM_VIEWS_ROWS;
    GM_TRY(read_time("from", ask->from, &query->from, err));
    GM_TRY(read_time("to", ask->to, &query->to, err));
    if (ask->limit.n > 0 &&
        (!gm_parse_i64(ask->limit, &limit) || limit < 1 || limit > GM_VIEWS_ROWS_MAX)) {
        return gm_fail(err, GM_E_INVALID, "`limit` is a number from 1 to %d", GM_VIEWS_ROWS_MAX);
    }
    query->limit = (size_t)limit;
    query->key = ask->key.n > 0 ? ask->key : (struct gm_str){NULL, 0};
    query->after = ask->after.n > 0 ? ask->after : (struct gm_str){NULL, 0};
    return GM_OK;
}

gm_rc gm_views_write_rows(const struct gm_view_source *source, const struct gm_views_ask *ask,
                          struct gm_buf *out, struct gm_err *err)
{
    struct gm_buf next;
    struct page page = {.out = out};
    struct gm_view_query query = {.ctx = &page, .row = add_row, .next = &next};
    GM_TRY(read_ask(ask, &query, err));
    gm_buf_init(&next, TOKEN_SIZE_MAX);
    gm_buf_add_z(out, "{\"value\":[");
    gm_rc rc = source->views != NULL ? gm_views_query(source->views, ask->name, &query, err)
                                     : gm_view_query(source->view, &query, err);
    gm_buf_add_z(out, "],\"continuationToken\":");
    if (next.n > 0) {
        gm_json_quote(out, gm_buf_str(&next));
    } else {
        gm_buf_add_z(out, "null");
    }
    gm_buf_add_char(out, '}');
    gm_buf_deinit(&next);
    return rc;
}
