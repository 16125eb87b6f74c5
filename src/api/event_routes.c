/* Event routes: looking at them, making them, and their dead letters. */
#include "api/call.h"
#include "route/route.h"

enum { PAGE_SIZE = 8 << 20 /* a page of letters ends when it is as large as this */ };

static gm_rc wants_routes(const struct gm_call *call, struct gm_err *err)
{
    return call->routes != NULL
               ? GM_OK
               : gm_fail(err, GM_E_RETRY, "event routes are not served by this process");
}

/* ---- looking ---- */

struct listing {
    struct gm_buf *out;
    int64_t newest, last;
    size_t count;
    bool full;
};

static gm_rc add_route(void *ctx, const struct gm_event_route *route, struct gm_err *err)
{
    (void)err;
    struct listing *listing = ctx;
    gm_buf_add(listing->out, listing->count++ > 0 ? GM_STR(",") : GM_STR(""));
    gm_event_route_write_json(route, listing->newest, listing->out);
    return GM_OK;
}

gm_rc gm_admin_routes_list(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_store *store = gm_engine_store(call->engine);
    struct listing listing = {.out = &call->reply->body, .newest = gm_store_newest_change(store)};
    GM_TRY(gm_store_reader(store, &db, err));
    gm_buf_add(listing.out, GM_STR("{\"routes\":["));
    gm_rc rc =
        gm_event_routes_list(db, &(struct gm_event_routes_query){0}, add_route, &listing, err);
    gm_buf_add(listing.out, GM_STR("]}"));
    gm_db_close(db);
    return rc;
}

static gm_rc add_letter(void *ctx, const struct gm_route_letter *letter, struct gm_err *err)
{
    struct listing *listing = ctx;
    if (listing->out->n > PAGE_SIZE) {
        listing->full = true;
        return gm_fail(err, GM_E_CANCELLED, "the page is full");
    }
    gm_buf_add(listing->out, listing->count++ > 0 ? GM_STR(",") : GM_STR(""));
    gm_route_letter_write_json(letter, listing->out);
    listing->last = letter->num;
    return GM_OK;
}

gm_rc gm_admin_route_letters(struct gm_call *call, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_route_letters_query query = {.route = call->part, .limit = 50};
    struct listing listing = {.out = &call->reply->body};
    GM_TRY(gm_admin_number(call->query[0], "after", &query.after, err));
    GM_TRY(gm_admin_limit(call->query[1], &query.limit, err));
    GM_TRY(gm_store_reader(gm_engine_store(call->engine), &db, err));
    gm_buf_add(listing.out, GM_STR("{\"dead_letters\":["));
    gm_rc rc = gm_route_letters_list(db, &query, add_letter, &listing, err);
    gm_db_close(db);
    if (listing.full || (rc == GM_OK && (int64_t)listing.count == query.limit)) {
        gm_buf_addf(listing.out, "],\"next\":%lld}", (long long)listing.last);
        return GM_OK;
    }
    gm_buf_add(listing.out, GM_STR("],\"next\":null}"));
    return rc;
}

/* ---- doing ---- */

static gm_rc put(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    int64_t newest;
    GM_TRY(gm_graph_newest_change(tx->graph, &newest, err));
    return gm_event_route_put(tx->db, ctx, newest, err);
}

static void answer_id(struct gm_call *call)
{
    gm_buf_add(&call->reply->body, GM_STR("{\"id\":"));
    gm_json_quote(&call->reply->body, call->part);
    gm_buf_add_char(&call->reply->body, '}');
}

gm_rc gm_admin_route_put(struct gm_call *call, struct gm_err *err)
{
    struct gm_store *store = gm_engine_store(call->engine);
    const struct gm_clock *clock = gm_store_clock(store);
    yyjson_mut_val *filter = gm_json_member(call->body, GM_STR("filter"));
    struct gm_event_route route = {
        .id = call->part,
        .endpoint = gm_json_member_str(call->body, "endpointName"),
        .filter = filter != NULL ? gm_json_str(filter) : GM_STR("true"),
        .created = clock->wall(clock),
    };
    GM_TRY(wants_routes(call, err));
    if (gm_routes_check(call->routes, &route, err) != GM_ROUTE_FINE) {
        return GM_E_INVALID;
    }
    GM_TRY(gm_store_write(store, put, &route, err));
    gm_routes_refresh(call->routes, call->part);
    answer_id(call);
    return GM_OK;
}

static gm_rc delete_route(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    const struct gm_call *call = ctx;
    gm_rc rc = gm_event_route_delete(tx->db, call->part, err);
    return rc == GM_E_END ? gm_fail(err, GM_E_END, "there is no route `" GM_STR_FMT "`",
                                    GM_STR_ARG(call->part))
                          : rc;
}

gm_rc gm_admin_route_delete(struct gm_call *call, struct gm_err *err)
{
    GM_TRY(wants_routes(call, err));
    GM_TRY(gm_store_write(gm_engine_store(call->engine), delete_route, call, err));
    gm_routes_refresh(call->routes, call->part);
    answer_id(call);
    return GM_OK;
}

/* ---- letters ---- */

struct letters_job {
    struct gm_route_choice choice;
    int64_t count;
    gm_rc (*fn)(struct gm_db *db, const struct gm_route_choice *choice, int64_t *out_count,
                struct gm_err *err);
};

static gm_rc run_letters_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct letters_job *job = ctx;
    return job->fn(tx->db, &job->choice, &job->count, err);
}

static gm_rc take_choice(struct gm_call *call, struct gm_route_choice *out_choice,
                         struct gm_err *err)
{
    yyjson_mut_val *num = gm_json_member(call->body, GM_STR("num"));
    yyjson_mut_val *twin = gm_json_member(call->body, GM_STR("twin"));
    *out_choice = (struct gm_route_choice){.route = call->part, .twin = gm_json_str(twin)};
    if (num != NULL && twin != NULL) {
        return gm_fail(err, GM_E_INVALID, "give `num` or `twin`, not both");
    }
    if (num != NULL && (!yyjson_mut_is_int(num) || yyjson_mut_get_sint(num) < 1)) {
        return gm_fail(err, GM_E_INVALID, "`num` is no letter's number");
    }
    if (twin != NULL && out_choice->twin.p == NULL) {
        return gm_fail(err, GM_E_INVALID, "`twin` is no text");
    }
    out_choice->num = num != NULL ? yyjson_mut_get_sint(num) : 0;
    return GM_OK;
}

static gm_rc do_letters(struct gm_call *call, struct letters_job *job, const char *name_z,
                        struct gm_err *err)
{
    GM_TRY(wants_routes(call, err));
    GM_TRY(take_choice(call, &job->choice, err));
    GM_TRY(gm_store_write(gm_engine_store(call->engine), run_letters_job, job, err));
    gm_routes_refresh(call->routes, call->part);
    gm_buf_addf(&call->reply->body, "{\"%s\":%lld}", name_z, (long long)job->count);
    return GM_OK;
}

gm_rc gm_admin_route_redrive(struct gm_call *call, struct gm_err *err)
{
    struct letters_job job = {.fn = gm_route_letters_redrive};
    return do_letters(call, &job, "accepted", err);
}

gm_rc gm_admin_route_drop(struct gm_call *call, struct gm_err *err)
{
    struct letters_job job = {.fn = gm_route_letters_drop};
    return do_letters(call, &job, "dropped", err);
}
