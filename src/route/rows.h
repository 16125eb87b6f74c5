/* Event routes and their dead letters as the store keeps them.
 *
 *     struct gm_event_route route = {.id = id, .endpoint = endpoint, .filter = filter};
 *     GM_TRY(gm_event_route_put(tx->db, &route, newest, err));       // in a write transaction
 *     GM_TRY(gm_event_routes_list(db, &(struct gm_event_routes_query){.limit = 10}, fn, ctx, err));
 *
 * A dead letter is an event that an endpoint did not take. While a twin has letters of a route its
 * later events become letters as well ("held"), so that they stay in order; other twins go on.
 * Redriving marks the letters of a twin as "due": the route delivers them, in order, before
 * anything else, and stops at the first that is not taken again. What only waited behind a letter
 * that was dropped is due by itself.
 *
 * Thread rule: that of the connection. */
#ifndef GM_ROUTE_ROWS_H
#define GM_ROUTE_ROWS_H

#include "base/buf.h"
#include "base/time.h"
#include "db/db.h"

enum { GM_EVENT_ROUTE_ID_SIZE_MAX = 128 };

struct gm_event_route {
    struct gm_str id, endpoint, filter;
    gm_ns created, updated;
    int64_t position;    /* number of the last change whose events are settled */
    gm_ns failing_since; /* 0: it is not stuck */
    int64_t attempts;    /* at what it is stuck at */
    struct gm_str error; /* p NULL: none */
    int64_t letters;
};

/* Creates or replaces, inside a write transaction; `newest`: the log's last number, where a new one
 * begins. `created` is when it was made or replaced. */
gm_rc gm_event_route_put(struct gm_db *db, const struct gm_event_route *route, int64_t newest,
                         struct gm_err *err) GM_MUST_CHECK;
/* With its letters. GM_E_END: there is none. */
gm_rc gm_event_route_delete(struct gm_db *db, struct gm_str id, struct gm_err *err) GM_MUST_CHECK;
/* Of others than `id`. */
gm_rc gm_event_routes_count(struct gm_db *db, struct gm_str id, int64_t *out_count,
                            struct gm_err *err) GM_MUST_CHECK;
/* Keeps position, failing_since, attempts and error of the route with that id and `created`; one
 * that was deleted meanwhile stays so. */
gm_rc gm_event_route_settle(struct gm_db *db, const struct gm_event_route *route,
                            struct gm_err *err) GM_MUST_CHECK;

struct gm_event_routes_query {
    struct gm_str after; /* ids behind this one; n 0: from the first */
    struct gm_str id;    /* p NULL: all; else this one alone */
    int64_t limit;       /* 0: none */
};
typedef gm_rc (*gm_event_route_fn)(void *ctx, const struct gm_event_route *route,
                                   struct gm_err *err);
/* In order of ids; borrowed for the call. */
gm_rc gm_event_routes_list(struct gm_db *db, const struct gm_event_routes_query *query,
                           gm_event_route_fn fn, void *ctx, struct gm_err *err) GM_MUST_CHECK;

/* {"id","endpointName","filter","created","position","lag","failingSince","attempts","error",
 * "deadLetters"}; `newest` as above, for the lag. */
void gm_event_route_write_json(const struct gm_event_route *route, int64_t newest,
                               struct gm_buf *out);

/* ---- dead letters ---- */

struct gm_route_letter {
    int64_t num;
    struct gm_str route, twin;
    int64_t change, part; /* the event's place */
    struct gm_str status; /* "parked", "held", "due" */
    gm_ns parked;
    int64_t attempts;
    gm_ns last_attempt;  /* 0: none */
    struct gm_str error; /* p NULL: none */
    struct gm_str event; /* JSON */
};

/* Inside a write transaction. The event that is there already stays as it is. */
gm_rc gm_route_letter_put(struct gm_db *db, const struct gm_route_letter *letter,
                          struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_route_letter_remove(struct gm_db *db, int64_t num, struct gm_err *err) GM_MUST_CHECK;
/* One more attempt failed, at letter->last_attempt with letter->error. */
gm_rc gm_route_letter_failed(struct gm_db *db, const struct gm_route_letter *letter,
                             struct gm_err *err) GM_MUST_CHECK;

struct gm_route_letters_query {
    struct gm_str route;  /* p NULL: of all */
    struct gm_str status; /* p NULL: any */
    int64_t after;
    int64_t limit; /* 0: none */
};
typedef gm_rc (*gm_route_letter_fn)(void *ctx, const struct gm_route_letter *letter,
                                    struct gm_err *err);
gm_rc gm_route_letters_list(struct gm_db *db, const struct gm_route_letters_query *query,
                            gm_route_letter_fn fn, void *ctx, struct gm_err *err) GM_MUST_CHECK;
void gm_route_letter_write_json(const struct gm_route_letter *letter, struct gm_buf *out);

/* Which letters of a route: all, or of one twin; of a redrive also those of the twin of letter
 * `num`, of a drop that letter alone. */
struct gm_route_choice {
    struct gm_str route;
    int64_t num;        /* 0: not so */
    struct gm_str twin; /* p NULL: not so */
};
gm_rc gm_route_letters_redrive(struct gm_db *db, const struct gm_route_choice *choice,
                               int64_t *out_count, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_route_letters_drop(struct gm_db *db, const struct gm_route_choice *choice,
                            int64_t *out_count, struct gm_err *err) GM_MUST_CHECK;

/* Each twin that has letters of the route, with how many of them, and how many are due. */
typedef gm_rc (*gm_route_twin_fn)(void *ctx, struct gm_str twin, int64_t letters, int64_t due);
gm_rc gm_route_letters_twins(struct gm_db *db, struct gm_str route, gm_route_twin_fn fn, void *ctx,
                             struct gm_err *err) GM_MUST_CHECK;

#endif
