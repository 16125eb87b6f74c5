/* From a group of events to the endpoint, and to dead letters. */
#include "base/log.h"
#include "base/metrics.h"
#include "route/worker_internal.h"

enum {
    REFUSALS_MAX = 3,      /* of one event, when the endpoint says that it is at fault */
    REDRIVE_LETTERS = 100, /* read at a time */
};

/* ---- one call of the endpoint ---- */

static void count_taken(const struct gm_route_worker *worker, size_t taken)
{
    if (taken > 0) {
        gm_metric_add(GM_M_ROUTE_DELIVERED, worker->id, (double)taken);
    }
}

/* Between attempts: full jitter, but never less than the endpoint asked for. */
static gm_rc pause_after(struct gm_route_worker *worker, gm_ns retry_after)
{
    const struct gm_endpoint_conf *conf = worker->outlet->conf;
    gm_ns longest = conf->first;
    for (int64_t i = 1; i < worker->route.attempts && longest < conf->longest; i++) {
        longest *= 2;
    }
    longest = longest < conf->longest ? longest : conf->longest;
    gm_ns pause = (gm_ns)gm_rng_below(&worker->rng, (uint64_t)longest + 1);
    /* The stop is this thread's to wait on; others request it. */
    return gm_stop_wait(worker->stop, pause > retry_after ? pause : retry_after);
}

static gm_rc note_failure(struct gm_route_worker *worker, const struct gm_err *why,
                          struct gm_err *err)
{
    worker->route.attempts++;
    worker->refusals += why->rc == GM_E_INVALID ? 1 : 0;
    gm_metric_add(GM_M_ROUTE_FAILURES, worker->id, 1);
    return gm_route_worker_trouble(worker, why->text, err);
}

/* The route is not stuck any more: with this event, at least. */
static void clear_failure(struct gm_route_worker *worker)
{
    worker->route.failing_since = 0;
    worker->route.attempts = 0;
    worker->route.error = (struct gm_str){NULL, 0};
    worker->refusals = 0;
    worker->saved = 0; /* said at once */
    worker->dirty = true;
}

static void forget_failure(struct gm_route_worker *worker)
{
    if (worker->route.failing_since != 0) {
        gm_log_info("route.recovered", GM_L_STR("route", worker->id),
                    GM_L_INT("attempts", worker->route.attempts));
        clear_failure(worker);
    }
}

/* The event has been tried often or long enough. */
static bool is_spent(const struct gm_route_worker *worker)
{
    const struct gm_endpoint_conf *conf = worker->outlet->conf;
    const struct gm_event_route *route = &worker->route;
    gm_ns tried = worker->clock->wall(worker->clock) - route->failing_since;
    return worker->refusals >= REFUSALS_MAX ||
           (conf->attempts > 0 && route->attempts >= conf->attempts) ||
           (conf->give_up > 0 && tried >= conf->give_up);
}

/* ---- parking ---- */

struct parking {
    struct gm_route_worker *worker;
    const struct gm_route_item *items;
    size_t count;
    bool first_failed; /* else all of them are held */
    struct gm_event_route route;
};

static gm_rc park_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    const struct parking *parking = ctx;
    const struct gm_route_worker *worker = parking->worker;
    gm_ns now = worker->clock->wall(worker->clock);
    for (size_t i = 0; i < parking->count; i++) {
        bool failed = i == 0 && parking->first_failed;
        const struct gm_route_item *item = &parking->items[i];
        struct gm_route_letter letter = {
            .route = worker->id,
            .twin = item->twin,
            .change = item->change,
            .part = item->part,
            .status = failed ? GM_STR("parked") : GM_STR("held"),
            .parked = now,
            .attempts = failed ? worker->route.attempts : 0,
            .last_attempt = failed ? now : 0,
            .error = failed ? gm_str_z(worker->error) : (struct gm_str){NULL, 0},
            .event = item->text,
        };
        GM_TRY(gm_route_letter_put(tx->db, &letter, err));
    }
    return gm_event_route_settle(tx->db, &parking->route, err);
}

/* Parks items[from … from + count - 1] and moves the position behind what is settled by it. */
static gm_rc park(struct gm_route_worker *worker, struct parking *parking, struct gm_err *err)
{
    const struct gm_route_item *last = &parking->items[parking->count - 1];
    const struct gm_route_item *end = worker->items.at + worker->items.n;
    /* the last one's change is settled when none of its events are behind it */
    bool whole = last + 1 == end || last[1].change != last->change;
    parking->route = worker->route;
    parking->route.position = whole ? last->change : last->change - 1;
    parking->route.failing_since = 0;
    parking->route.attempts = 0;
    parking->route.error = (struct gm_str){NULL, 0};
    GM_TRY(gm_store_write(worker->options.store, park_job, parking, err));
    worker->route = parking->route;
    atomic_store(&worker->position, worker->route.position);
    worker->refusals = 0;
    worker->dirty = false;
    atomic_fetch_add(&worker->letters, (int64_t)parking->count);
    for (size_t i = 0; i < parking->count; i++) {
        gm_map_set(worker->held, parking->items[i].twin, 1);
    }
    return GM_OK;
}

static gm_rc park_failed(struct gm_route_worker *worker, size_t at, struct gm_err *err)
{
    const struct gm_route_item *item = &worker->items.at[at];
    gm_log_warn("route.parked", GM_L_STR("route", worker->id), GM_L_STR("twin", item->twin),
                GM_L_INT("change", item->change), GM_L_INT("attempts", worker->route.attempts),
                GM_L_Z("error", worker->error));
    struct parking parking = {.worker = worker, .items = item, .count = 1, .first_failed = true};
    return park(worker, &parking, err);
}

static bool is_held(const struct gm_route_worker *worker, const struct gm_route_item *item)
{
    uint64_t ignored;
    return gm_map_count(worker->held) > 0 && gm_map_get(worker->held, item->twin, &ignored);
}

/* ---- a group ---- */

/* How many events from `at` on are alike: of twins with letters, or of others. */
static size_t stretch(const struct gm_route_worker *worker, size_t at, bool held)
{
    size_t count = 0;
    while (at + count < worker->items.n && is_held(worker, &worker->items.at[at + count]) == held) {
        count++;
    }
    return count;
}

static gm_rc park_held(struct gm_route_worker *worker, size_t *at, struct gm_err *err)
{
    int64_t room = worker->outlet->conf->max_letters - atomic_load(&worker->letters);
    struct parking parking = {.worker = worker, .items = &worker->items.at[*at]};
    size_t count = stretch(worker, *at, true);
    if (room <= 0) {
        GM_TRY(gm_route_worker_trouble(worker,
                                       "it has as many dead letters as it may have; redrive "
                                       "or drop them",
                                       err));
        return pause_after(worker, 0);
    }
    parking.count = count < (size_t)room ? count : (size_t)room;
    GM_TRY(park(worker, &parking, err));
    *at += parking.count;
    return GM_OK;
}

/* Everything before item `at` is settled. */
static void move_to(struct gm_route_worker *worker, size_t at, int64_t last)
{
    int64_t position = at < worker->items.n ? worker->items.at[at].change - 1 : last;
    if (position != worker->route.position) {
        worker->route.position = position;
        worker->dirty = true;
        atomic_store(&worker->position, position);
    }
}

static gm_rc deliver_some(struct gm_route_worker *worker, size_t *at, int64_t last,
                          struct gm_err *err)
{
    struct gm_err why = {0};
    struct gm_delivery delivery = {.events = worker->texts.at + *at,
                                   .twins = worker->twins.at + *at,
                                   .count = stretch(worker, *at, false),
                                   .stop = worker->now};
    why.rc = gm_outlet_deliver(worker->outlet, worker->self, &delivery, &why);
    count_taken(worker, delivery.taken);
    if (delivery.taken > 0) {
        forget_failure(worker);
    }
    *at += delivery.taken;
    move_to(worker, *at, last);
    if (why.rc == GM_OK || why.rc == GM_E_CANCELLED) {
        return why.rc;
    }
    GM_TRY(note_failure(worker, &why, err));
    if (is_spent(worker) && atomic_load(&worker->letters) < worker->outlet->conf->max_letters) {
        GM_TRY(park_failed(worker, *at, err));
        (*at)++;
        return GM_OK;
    }
    return pause_after(worker, delivery.retry_after);
}

gm_rc gm_route_worker_deliver(struct gm_route_worker *worker, int64_t last, struct gm_err *err)
{
    size_t at = 0;
    worker->texts.n = 0;
    worker->twins.n = 0;
    for (size_t i = 0; i < worker->items.n; i++) {
        *gm_vec_push(&worker->texts) = worker->items.at[i].text;
        *gm_vec_push(&worker->twins) = worker->items.at[i].twin;
    }
    while (at < worker->items.n) {
        GM_TRY(is_held(worker, &worker->items.at[at]) ? park_held(worker, &at, err)
                                                      : deliver_some(worker, &at, last, err));
    }
    move_to(worker, at, last);
    return GM_OK;
}

/* ---- letters that are due ---- */

/* Copies, since letters are written while they are gone through. */
struct due_letter {
    int64_t num;
    struct gm_str twin, event;
};
struct due_list {
    struct gm_arena *arena;
    GM_VEC(struct due_letter) letters;
};

static gm_rc keep_letter(void *ctx, const struct gm_route_letter *letter, struct gm_err *err)
{
    struct due_list *list = ctx;
    struct due_letter copy = {letter->num, gm_arena_dup(list->arena, letter->twin),
                              gm_arena_dup(list->arena, letter->event)};
    if (copy.twin.p == NULL || copy.event.p == NULL) {
        return list->letters.n > 0 ? gm_fail(err, GM_E_CANCELLED, "enough for now")
                                   : gm_fail(err, GM_E_LIMIT, "no room for a dead letter");
    }
    *gm_vec_push(&list->letters) = copy;
    return GM_OK;
}

struct outcome {
    struct gm_route_worker *worker;
    const struct due_letter *letter;
    const char *error_z; /* NULL: it was taken */
};

static gm_rc keep_outcome(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    const struct outcome *outcome = ctx;
    if (outcome->error_z == NULL) {
        return gm_route_letter_remove(tx->db, outcome->letter->num, err);
    }
    const struct gm_clock *clock = outcome->worker->clock;
    return gm_route_letter_failed(tx->db,
                                  &(struct gm_route_letter){.num = outcome->letter->num,
                                                            .route = outcome->worker->id,
                                                            .twin = outcome->letter->twin,
                                                            .last_attempt = clock->wall(clock),
                                                            .error = gm_str_z(outcome->error_z)},
                                  err);
}

enum fate { FATE_TAKEN, FATE_REFUSED, FATE_AGAIN };

static gm_rc redrive_one(struct gm_route_worker *worker, const struct due_letter *letter,
                         enum fate *out_fate, struct gm_err *err)
{
    struct gm_err why = {0};
    struct gm_delivery delivery = {
        .events = &letter->event, .twins = &letter->twin, .count = 1, .stop = worker->now};
    struct outcome outcome = {.worker = worker, .letter = letter};
    why.rc = gm_outlet_deliver(worker->outlet, worker->self, &delivery, &why);
    count_taken(worker, delivery.taken);
    if (why.rc == GM_E_CANCELLED) {
        return why.rc;
    }
    if (why.rc == GM_OK) {
        *out_fate = FATE_TAKEN;
        forget_failure(worker);
    } else {
        GM_TRY(note_failure(worker, &why, err));
        if (why.rc != GM_E_INVALID && !is_spent(worker)) {
            *out_fate = FATE_AGAIN;
            return pause_after(worker, delivery.retry_after);
        }
        *out_fate = FATE_REFUSED;
        outcome.error_z = why.text;
        clear_failure(worker);
    }
    return gm_store_write(worker->options.store, keep_outcome, &outcome, err);
}

/* In order; behind a letter that is refused again the others of its twin wait again. */
static gm_rc redrive_list(struct gm_route_worker *worker, const struct due_list *list,
                          struct gm_err *err)
{
    struct gm_map *refused = gm_map_new(); /* twins */
    gm_rc rc = GM_OK;
    for (size_t i = 0; rc == GM_OK && i < list->letters.n; i++) {
        const struct due_letter *letter = &list->letters.at[i];
        enum fate fate = FATE_AGAIN;
        uint64_t ignored;
        while (rc == GM_OK && fate == FATE_AGAIN && !gm_map_get(refused, letter->twin, &ignored)) {
            rc = redrive_one(worker, letter, &fate, err);
        }
        if (rc == GM_OK && fate == FATE_REFUSED) {
            gm_map_set(refused, letter->twin, 1);
        }
    }
    gm_map_free(refused);
    return rc;
}

gm_rc gm_route_worker_redrive(struct gm_route_worker *worker, struct gm_err *err)
{
    struct due_list list = {.arena = worker->arena};
    struct gm_route_letters_query query = {
        .route = worker->id, .status = GM_STR("due"), .limit = REDRIVE_LETTERS};
    gm_arena_reset(worker->arena);
    gm_rc rc = gm_route_letters_list(gm_feed_db(worker->feed), &query, keep_letter, &list, err);
    rc = rc == GM_E_CANCELLED ? GM_OK : rc;
    rc = rc == GM_OK ? redrive_list(worker, &list, err) : rc;
    gm_vec_deinit(&list.letters);
    gm_rc loaded = gm_route_worker_load_letters(worker, err);
    return rc == GM_OK ? loaded : rc;
}
