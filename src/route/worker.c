/* The life of a route's worker: its definition, its place, its waiting. */
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "os/process.h"
#include "route/worker_internal.h"

enum {
    DEFINITION_SIZE = 16 << 20,
    GROUP_ARENA_SIZE = 512 << 20, /* a group, with the largest change there can be */
    CHANGE_ARENA_SIZE = 512 << 20,
};
/* How far behind the kept position may be: what a crash makes come again. */
#define SAVE_PERIOD GM_SECOND
#define LONG_WAIT GM_HOUR

/* ---- keeping ---- */

static gm_rc save_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    return gm_event_route_settle(tx->db, ctx, err);
}

gm_rc gm_route_worker_save(struct gm_route_worker *worker, struct gm_err *err)
{
    GM_TRY(gm_store_write(worker->options.store, save_job, &worker->route, err));
    worker->dirty = false;
    worker->saved = worker->clock->mono(worker->clock);
    return GM_OK;
}

/* When the position is to be kept: 0: now. */
static gm_ns save_due_in(const struct gm_route_worker *worker)
{
    if (!worker->dirty) {
        return LONG_WAIT;
    }
    gm_ns due = worker->saved + SAVE_PERIOD - worker->clock->mono(worker->clock);
    return worker->saved == 0 || due < 0 ? 0 : due;
}

gm_rc gm_route_worker_trouble(struct gm_route_worker *worker, const char *error_z,
                              struct gm_err *err)
{
    struct gm_event_route *route = &worker->route;
    if (route->failing_since == 0) {
        route->failing_since = worker->clock->wall(worker->clock);
    }
    if (route->error.p == NULL || !gm_str_is(route->error, error_z)) {
        gm_log_warn("route.stuck", GM_L_STR("route", worker->id),
                    GM_L_STR("endpoint", route->endpoint), GM_L_INT("change", route->position + 1),
                    GM_L_INT("attempts", route->attempts), GM_L_Z("error", error_z));
    }
    size_t n = strlen(error_z);
    memmove(worker->error, error_z, n + 1);
    route->error = (struct gm_str){worker->error, n};
    return gm_route_worker_save(worker, err);
}

/* ---- definition ---- */

static gm_rc take_row(void *ctx, const struct gm_event_route *row, struct gm_err *err)
{
    struct gm_route_worker *worker = ctx;
    struct gm_arena *arena = worker->definition;
    struct gm_event_route *route = &worker->route;
    *route = *row;
    route->id = worker->id;
    route->endpoint = gm_arena_dup(arena, row->endpoint);
    route->filter = gm_arena_dup(arena, row->filter);
    if (route->endpoint.p == NULL || route->filter.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for the route");
    }
    if (row->error.p != NULL) {
        size_t n = row->error.n < GM_ERR_TEXT_SIZE - 1 ? row->error.n : GM_ERR_TEXT_SIZE - 1;
        memcpy(worker->error, row->error.p, n);
        worker->error[n] = '\0';
        route->error = (struct gm_str){worker->error, n};
    }
    return GM_OK;
}

static gm_rc count_twin(void *ctx, struct gm_str twin, int64_t letters, int64_t due)
{
    struct gm_route_worker *worker = ctx;
    gm_map_set(worker->held, twin, 1);
    atomic_fetch_add(&worker->letters, letters);
    worker->due += due;
    return GM_OK;
}

gm_rc gm_route_worker_load_letters(struct gm_route_worker *worker, struct gm_err *err)
{
    gm_map_reset(worker->held);
    atomic_store(&worker->letters, 0);
    worker->due = 0;
    return gm_route_letters_twins(gm_feed_db(worker->feed), worker->id, count_twin, worker, err);
}

static gm_rc find_outlet(struct gm_route_worker *worker, struct gm_err *err)
{
    for (size_t i = 0; i < worker->options.outlet_count; i++) {
        struct gm_outlet *outlet = &worker->options.outlets[i];
        if (gm_str_is(worker->route.endpoint, outlet->name_z)) {
            GM_TRY(gm_outlet_open(outlet, gm_store_streams(worker->options.store), &worker->self,
                                  err));
            worker->outlet = outlet;
            return GM_OK;
        }
    }
    return gm_fail(err, GM_E_INVALID, "there is no endpoint `" GM_STR_FMT "` in the configuration",
                   GM_STR_ARG(worker->route.endpoint));
}

/* What is wrong with the definition itself leaves the route standing still, and is told. GM_E_END:
 * the route is gone. */
static gm_rc load(struct gm_route_worker *worker, struct gm_err *err)
{
    gm_outlet_close(worker->outlet, worker->self);
    worker->outlet = NULL;
    worker->self = NULL;
    worker->filter = NULL;
    worker->refusals = 0;
    worker->route.created = 0;
    gm_arena_reset(worker->definition);
    GM_TRY(gm_event_routes_list(gm_feed_db(worker->feed),
                                &(struct gm_event_routes_query){.id = worker->id}, take_row, worker,
                                err));
    if (worker->route.created == 0) {
        return GM_E_END;
    }
    atomic_store(&worker->position, worker->route.position);
    GM_TRY(gm_route_worker_load_letters(worker, err));
    struct gm_err wrong = {0};
    gm_rc rc =
        gm_event_filter_parse(worker->definition, worker->route.filter, &worker->filter, &wrong);
    rc = rc == GM_OK ? find_outlet(worker, &wrong) : rc;
    return rc == GM_OK ? GM_OK : gm_route_worker_trouble(worker, wrong.text, err);
}

/* ---- at work ---- */

static gm_rc idle(struct gm_route_worker *worker, int64_t num, struct gm_err *err)
{
    gm_rc rc = gm_feed_wait(worker->feed, num, save_due_in(worker));
    if (rc == GM_E_END && worker->dirty) {
        return gm_route_worker_save(worker, err);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* The log was trimmed further than the route had come: what is lost is said, not passed over. */
static gm_rc skip_gap(struct gm_route_worker *worker, struct gm_err *err)
{
    int64_t oldest, newest;
    GM_TRY(gm_changes_range(gm_feed_db(worker->feed), &oldest, &newest, err));
    gm_log_error("route.gap", GM_L_STR("route", worker->id),
                 GM_L_INT("from", worker->route.position + 1), GM_L_INT("to", oldest - 1));
    worker->route.position = oldest - 1;
    return gm_route_worker_save(worker, err);
}

static gm_rc round_trip(struct gm_route_worker *worker, struct gm_err *err)
{
    int64_t last = 0;
    if (worker->outlet == NULL) {
        return idle(worker, INT64_MAX, err);
    }
    if (worker->due > 0) {
        return gm_route_worker_redrive(worker, err);
    }
    gm_rc rc = gm_route_worker_gather(worker, &last, err);
    if (rc == GM_E_END) {
        return idle(worker, worker->route.position + 1, err);
    }
    if (rc == GM_E_LIMIT && err->text[0] != '\0') {
        int64_t oldest, newest;
        GM_TRY(gm_changes_range(gm_feed_db(worker->feed), &oldest, &newest, err));
        if (worker->route.position + 1 < oldest) {
            return skip_gap(worker, err);
        }
    }
    GM_TRY(rc);
    GM_TRY(gm_route_worker_deliver(worker, last, err));
    return worker->dirty && save_due_in(worker) == 0 ? gm_route_worker_save(worker, err) : GM_OK;
}

/* A change that cannot be read, or a store that takes nothing: the route stands still until it is
 * poked. That is all it can do, and the only thing that loses nothing. */
static gm_rc stand_still(struct gm_route_worker *worker, const struct gm_err *why)
{
    struct gm_err err = {0};
    gm_log_error("route.failed", GM_L_STR("route", worker->id),
                 GM_L_INT("change", worker->route.position + 1), GM_L_Z("error", why->text));
    gm_rc rc = gm_route_worker_trouble(worker, why->text, &err);
    while (rc != GM_E_CANCELLED) {
        rc = gm_feed_wait(worker->feed, INT64_MAX, LONG_WAIT);
    }
    return rc;
}

/* Until it is poked, or the route is gone (GM_E_END). */
static gm_rc work(struct gm_route_worker *worker)
{
    struct gm_err err = {0};
    if (worker->dirty) {
        (void)!gm_route_worker_save(worker, &err);
    }
    gm_rc rc = load(worker, &err);
    while (rc == GM_OK) {
        err = (struct gm_err){0};
        rc = round_trip(worker, &err);
        if (rc == GM_E_RETRY) { /* the store was busy */
            rc = gm_stop_wait(worker->stop, GM_SECOND);
        }
    }
    return rc == GM_E_CANCELLED || rc == GM_E_END ? rc : stand_still(worker, &err);
}

/* ---- life ---- */

/* What was asked for since the last look. False: it is to end. */
static bool take_pokes(struct gm_route_worker *worker)
{
    gm_mutex_lock(worker->mu);
    bool goes_on = !worker->end;
    if (worker->poked) {
        gm_stop_free(worker->stop);
        worker->stop = gm_stop_new();
        worker->poked = false;
    }
    worker->now = worker->stop;
    gm_mutex_unlock(worker->mu);
    return goes_on;
}

/* The route is gone; one that came back meanwhile was told with a poke. */
static bool may_end(struct gm_route_worker *worker)
{
    gm_mutex_lock(worker->mu);
    worker->ended = !worker->poked || worker->end;
    bool ended = worker->ended;
    gm_mutex_unlock(worker->mu);
    return ended;
}

static gm_rc open_all(struct gm_route_worker *worker, struct gm_err *err)
{
    struct gm_feed *feed;
    GM_TRY(gm_feed_open(worker->options.store, &feed, err));
    gm_mutex_lock(worker->mu);
    worker->feed = feed;
    gm_mutex_unlock(worker->mu);
    return gm_event_maker_new(&(struct gm_event_source){.store = worker->options.store,
                                                        .db = gm_feed_db(feed),
                                                        .source = worker->options.source},
                              &worker->maker, err);
}

static void close_all(struct gm_route_worker *worker)
{
    struct gm_err ignored;
    if (worker->dirty) {
        (void)!gm_route_worker_save(worker, &ignored);
    }
    gm_outlet_close(worker->outlet, worker->self);
    gm_event_maker_free(worker->maker);
    gm_mutex_lock(worker->mu);
    struct gm_feed *feed = worker->feed;
    worker->feed = NULL;
    worker->ended = true;
    gm_mutex_unlock(worker->mu);
    atomic_fetch_sub(worker->options.alive, 1);
    gm_feed_close(feed);
    gm_mutex_lock(worker->mu);
    worker->gone = true;
    gm_mutex_unlock(worker->mu);
}

static void run_thread(void *arg)
{
    struct gm_route_worker *worker = arg;
    struct gm_err err = {0};
    if (open_all(worker, &err) != GM_OK) {
        gm_log_error("route.failed", GM_L_STR("route", worker->id), GM_L_Z("error", err.text));
    } else {
        while (take_pokes(worker)) {
            if (work(worker) == GM_E_END && may_end(worker)) {
                break;
            }
        }
    }
    close_all(worker);
}

static void worker_free(struct gm_route_worker *worker)
{
    gm_stop_free(worker->stop);
    gm_mutex_free(worker->mu);
    gm_map_free(worker->held);
    gm_arena_free(worker->definition);
    gm_arena_free(worker->arena);
    gm_arena_free(worker->scratch);
    gm_buf_deinit(&worker->text);
    gm_vec_deinit(&worker->items);
    gm_vec_deinit(&worker->texts);
    gm_vec_deinit(&worker->twins);
    gm_free((char *)(uintptr_t)worker->id.p);
    gm_free(worker);
}

gm_rc gm_route_worker_start(const struct gm_route_worker_options *options,
                            struct gm_route_worker **out_worker, struct gm_err *err)
{
    struct gm_route_worker *worker = gm_alloc(sizeof(*worker));
    uint64_t seed;
    gm_random_bytes(&seed, sizeof(seed));
    gm_rng_init(&worker->rng, seed);
    worker->options = *options;
    worker->id = (struct gm_str){gm_str_dup_z(options->id), options->id.n};
    worker->clock = gm_store_clock(options->store);
    worker->mu = gm_mutex_new();
    worker->stop = gm_stop_new();
    worker->held = gm_map_new();
    worker->definition = gm_arena_new(DEFINITION_SIZE);
    worker->arena = gm_arena_new(GROUP_ARENA_SIZE);
    worker->scratch = gm_arena_new(CHANGE_ARENA_SIZE);
    gm_buf_init(&worker->text, GM_EVENT_SIZE_MAX);
    atomic_fetch_add(options->alive, 1);
    gm_rc rc = gm_thread_start("gemel-route", run_thread, worker, &worker->thread, err);
    if (rc != GM_OK) {
        atomic_fetch_sub(options->alive, 1);
        worker_free(worker);
        return rc;
    }
    *out_worker = worker;
    return GM_OK;
}

struct gm_str gm_route_worker_id(const struct gm_route_worker *worker)
{
    return worker->id;
}

bool gm_route_worker_poke(struct gm_route_worker *worker, bool end)
{
    gm_mutex_lock(worker->mu);
    bool alive = !worker->ended;
    if (alive) {
        worker->poked = true;
        worker->end = worker->end || end;
        gm_stop_request(worker->stop);
    }
    if (alive && worker->feed != NULL) {
        gm_feed_wake(worker->feed);
    }
    gm_mutex_unlock(worker->mu);
    return alive;
}

bool gm_route_worker_gone(struct gm_route_worker *worker)
{
    gm_mutex_lock(worker->mu);
    bool gone = worker->gone;
    gm_mutex_unlock(worker->mu);
    return gone;
}

void gm_route_worker_join(struct gm_route_worker *worker)
{
    gm_thread_join(worker->thread);
    worker_free(worker);
}

void gm_route_worker_look(struct gm_route_worker *worker, int64_t *out_position,
                          int64_t *out_letters)
{
    *out_position = atomic_load(&worker->position);
    *out_letters = atomic_load(&worker->letters);
}
