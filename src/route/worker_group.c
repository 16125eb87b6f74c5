/* From the change feed to a group of events. */
#include "route/worker_internal.h"

enum {
    GROUP_ITEMS = 1000,    /* a group ends behind the change that brings it there */
    GROUP_SIZE = 4 << 20,  /* likewise */
    GROUP_CHANGES = 20000, /* looked at, when the filter wants few */
};

static gm_rc add_item(struct gm_route_worker *worker, const struct gm_event *event,
                      struct gm_err *err)
{
    gm_buf_reset(&worker->text);
    gm_event_write(event, &worker->text);
    struct gm_str twin = gm_arena_dup(worker->arena, event->twin);
    struct gm_str text = gm_arena_dup(worker->arena, gm_buf_str(&worker->text));
    if (gm_buf_failed(&worker->text) || twin.p == NULL || text.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "change %lld: no room for its events",
                       (long long)event->change);
    }
    *gm_vec_push(&worker->items) = (struct gm_route_item){
        .change = event->change, .part = event->part, .twin = twin, .text = text};
    return GM_OK;
}

static gm_rc add_change(struct gm_route_worker *worker, const struct gm_change *change,
                        struct gm_err *err)
{
    struct gm_events events = {.arena = worker->scratch};
    gm_arena_reset(worker->scratch);
    GM_TRY(gm_event_make(worker->maker, change, &events, err));
    for (size_t i = 0; i < events.count; i++) {
        if (gm_event_filter_match(worker->filter, &events.at[i])) {
            GM_TRY(add_item(worker, &events.at[i], err));
        }
    }
    return GM_OK;
}

gm_rc gm_route_worker_gather(struct gm_route_worker *worker, int64_t *out_last, struct gm_err *err)
{
    int64_t last = worker->route.position;
    gm_rc rc = GM_OK;
    gm_arena_reset(worker->arena);
    worker->items.n = 0;
    for (int64_t looked = 0;
         looked < GROUP_CHANGES && worker->items.n < GROUP_ITEMS &&
         gm_arena_used(worker->arena) < GROUP_SIZE && !gm_stop_requested(worker->now);
         looked++) {
        struct gm_change change;
        rc = gm_feed_read(worker->feed, last + 1, &change, err);
        rc = rc == GM_OK ? add_change(worker, &change, err) : rc;
        if (rc != GM_OK) {
            break;
        }
        last++;
    }
    /* What came before a change that cannot be read is delivered first. */
    if (last == worker->route.position) {
        return rc == GM_OK ? GM_E_CANCELLED : rc;
    }
    while (rc != GM_OK && worker->items.n > 0 &&
           worker->items.at[worker->items.n - 1].change > last) {
        worker->items.n--;
    }
    *out_last = last;
    return GM_OK;
}
