/* Queries: operation 6. */
#include "api/adt/call.h"
#include "twin/query.h"

enum { PAGE_COUNT = 100, TOKEN_SIZE_MAX = 256 << 10, ROW_OVERHEAD = 64 };

/* One page of a query. */
struct page {
    struct gm_str text;  /* may be empty when there is a token */
    struct gm_str token; /* of gm_query_run; n 0: from the start */
    size_t count_max;
    gm_ns started;
    struct gm_adt_call *call;
    struct gm_query_outcome outcome;
    struct gm_buf next;
};

/* ---- running ---- */

static gm_rc add_row(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
{
    (void)doc;
    struct page *page = ctx;
    struct gm_buf *body = &page->call->http->reply.body;
    uint64_t size_max = page->call->adt->conf->limits.query_memory;
    if (body->p[body->n - 1] != '[') {
        gm_buf_add_char(body, ',');
    }
    gm_json_write(row, body);
    if (gm_buf_failed(body) || body->n + ROW_OVERHEAD > size_max) {
        return gm_fail(err, GM_E_LIMIT,
                       "The page is too large. Ask for fewer rows with max-items-per-page, or for "
                       "less of each.");
    }
    return GM_OK;
}

static gm_rc run_page(struct page *page, struct gm_adt_reader *reader, struct gm_err *err)
{
    const struct gm_api_limits_conf *conf = &page->call->adt->conf->limits;
    struct gm_query_request request = {
        .text = page->text,
        .continuation = page->token,
        .rows_max = page->count_max,
        .fn = add_row,
        .ctx = page,
        .next = &page->next,
        .limits = {.size_max = (size_t)conf->query_length,
                   .conditions_max = (size_t)conf->query_conditions,
                   .items_max = (size_t)conf->query_in_items,
                   .joins_max = (size_t)conf->query_joins,
                   .hops_max = GM_QUERY_HOPS_MAX},
        .on_access = gm_store_note_access,
        .access_ctx = page->call->adt->store,
    };
    gm_rc rc = GM_E_CONFLICT;
    for (int tries = 0; rc == GM_E_CONFLICT && tries < 2; tries++) {
        gm_buf_reset(&page->call->http->reply.body);
        gm_buf_reset(&page->next);
        gm_buf_add_z(&page->call->http->reply.body, "{\"value\":[");
        request.models = tries == 0 ? gm_adt_models(page->call) : gm_adt_models_again(page->call);
        rc = gm_query_run(reader->db, &request, &page->outcome, err);
    }
    return rc;
}

/* ---- answers ---- */

/* Ours: milliseconds that the page took, at least 1. */
static void add_charge(struct page *page)
{
    struct gm_adt_call *call = page->call;
    const struct gm_clock *clock = call->adt->clock;
    double charge = (double)(clock->mono(clock) - page->started) / (double)GM_MS;
    struct gm_str text = gm_arena_format(call->arena, "%.2f", charge > 1 ? charge : 1.0);
    gm_adt_reply_header(call, "query-charge", text);
}

static void answer_page(struct page *page)
{
    struct gm_buf *body = &page->call->http->reply.body;
    gm_buf_add_z(body, "],\"continuationToken\":");
    if (page->outcome.more) {
        gm_buf_add_char(body, '"');
        gm_adt_token_write(gm_buf_str(&page->next), body);
        gm_buf_add_z(body, "\"}");
    } else {
        gm_buf_add_z(body, "null}");
    }
    add_charge(page);
    gm_adt_answer(page->call, 200);
}

static void refuse_token(struct gm_adt_call *call)
{
    gm_adt_refuse(call, 400, "BadRequest",
                  "The continuation token is invalid. Send it as it was given, with the same query "
                  "or none.");
}

static void refuse_query(struct page *page, const struct gm_err *err)
{
    const struct gm_query_fault *fault = &page->outcome.fault;
    if (fault->line == 0 && page->token.n > 0) {
        refuse_token(page->call);
        return;
    }
    gm_adt_refuse(page->call, 400, "SqlQueryError",
                  "SQL query parse failed: SQL Parser Error, Line=%d, Position=%d, Message=%s See "
                  "samples in https://aka.ms/adtv2query for the correct syntax.",
                  fault->line > 0 ? (int)fault->line : 1, (int)fault->position,
                  fault->message[0] != '\0' ? fault->message : err->text);
}

static void refuse_page(struct page *page, gm_rc rc, const struct gm_err *err)
{
    struct gm_adt_call *call = page->call;
    if (rc == GM_E_INVALID) {
        refuse_query(page, err);
    } else if (rc == GM_E_LIMIT) {
        gm_adt_refuse(call, 400, "LimitExceeded", "%s", err->text);
    } else if (rc == GM_E_CANCELLED && !gm_stop_requested(call->adt->stop)) {
        gm_adt_refuse(call, 400, "TimeoutError",
                      "The query took longer than is allowed. Ask for less, or narrow it down.");
    } else {
        gm_adt_fail(call, rc, err);
    }
}

static void answer_query(struct gm_adt_call *call)
{
    struct page *page = call->data;
    struct gm_err err = {0};
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return;
    }
    struct gm_deadline deadline =
        gm_deadline_in(call->adt->conf->limits.query_time, call->adt->stop);
    gm_buf_init(&page->next, TOKEN_SIZE_MAX);
    gm_db_set_deadline(reader->db, &deadline);
    gm_rc rc = run_page(page, reader, &err);
    gm_db_set_deadline(reader->db, NULL);
    gm_adt_reader_give(call->adt, reader);
    struct gm_buf next = page->next;
    if (rc == GM_OK) {
        answer_page(page);
    } else {
        refuse_page(page, rc, &err);
    }
    gm_buf_deinit(&next);
}

/* ---- the request ---- */

/* False: `value` is there and neither a text nor null. */
static bool take_text(const yyjson_mut_val *body, const char *name_z, struct gm_str *out_text)
{
    const yyjson_mut_val *value = gm_json_member(body, gm_str_z(name_z));
    *out_text = gm_json_str(value);
    return value == NULL || gm_json_type(value) == YYJSON_TYPE_NULL || out_text->p != NULL;
}

void gm_adt_query(struct gm_adt_call *call)
{
    const yyjson_mut_val *body = gm_adt_body(call);
    struct gm_str token;
    if (body == NULL) {
        return;
    }
    struct page *page = gm_arena_zalloc(call->arena, sizeof(*page));
    GM_ASSERT(page != NULL); /* a body never fills the arena */
    page->call = call;
    page->started = call->adt->clock->mono(call->adt->clock);
    if (gm_json_type(body) != YYJSON_TYPE_OBJ || !take_text(body, "query", &page->text) ||
        !take_text(body, "continuationToken", &token) || (page->text.n == 0 && token.n == 0)) {
        gm_adt_refuse(call, 400, "BadRequest",
                      "The body must be an object with the text `query`, or with the "
                      "`continuationToken` of a former page.");
        return;
    }
    if (token.n > 0 && !gm_adt_token_read(call->arena, token, &page->token)) {
        refuse_token(call);
        return;
    }
    if (gm_adt_page_size(call, PAGE_COUNT, (size_t)call->adt->conf->limits.query_page,
                         &page->count_max)) {
        call->data = page;
        gm_adt_work(call, answer_query);
    }
}
