/* What the files of this folder share. Internal to it. */
#ifndef GM_API_STREAMS_INSIDE_H
#define GM_API_STREAMS_INSIDE_H

#include "api/adt/call.h"
#include "api/streams/streams.h"
#include "base/vec.h"
#include "hub/view_feed.h"
#include "stream/follow.h"

struct gm_follower;
struct gm_push;
/* Followers that one thread reads for. */
struct gm_follow_room {
    struct gm_mutex *mu;
    struct gm_cond *news;                 /* a commit, a follower, the end */
    bool committed;                       /* guarded by mu */
    bool stopping;                        /* guarded by mu */
    struct gm_follower *arriving;         /* guarded by mu; taken over by the thread */
    size_t count;                         /* guarded by mu; of followers */
    GM_VEC(struct gm_follower *) clients; /* guarded by mu; those that are sent events */
    uint64_t numbers;                     /* guarded by mu; given to clients */
    struct gm_thread *thread;
};
struct gm_streams_api {
    struct gm_streams_api_options options;
    /* Those of views have a room of their own: they wait for views that are folded or made anew. */
    struct gm_follow_room events, views;
    struct gm_thread *changes;
    struct gm_feed *feed; /* of the thread `changes` */
    struct gm_mutex *pool_mu;
    struct gm_cond *given; /* back to the pool */
    struct gm_push *spare; /* guarded by pool_mu */
    size_t spare_count;    /* guarded by pool_mu */
    size_t push_count;     /* guarded by pool_mu; under way */
};

/* The stream of the path's first part. NULL: none, and the call is ended. */
const struct gm_hub_stream *gm_streams_find(struct gm_adt_call *call);
/* The entity's version that `If-Match`, or `?expected=`, names; *out_expects stays false when none
 * does. GM_E_INVALID: it is no version. */
gm_rc gm_streams_expected(struct gm_adt_call *call, bool *out_expects, int64_t *out_expected,
                          struct gm_err *err) GM_MUST_CHECK;
/* Codes of errors. */
#define GM_STREAMS_INVALID "InvalidArgument"

/* ---- push.c ---- */
extern gm_adt_handler gm_streams_push, gm_streams_entity_push;
/* Waits for those under way: they let go of the part after they answered. */
void gm_push_free_all(struct gm_streams_api *api);

/* ---- read.c ---- */
/* What is asked of all that can be followed. */
struct gm_follow_asked {
    bool events; /* server-sent */
    struct gm_str from;
    int64_t limit;
    gm_ns wait;
};
/* False: the call is ended. */
bool gm_follow_read_asked(struct gm_adt_call *call, struct gm_follow_asked *asked);
struct gm_following;
/* ends; takes what is followed. */
void gm_follow(struct gm_adt_call *call, const struct gm_follow_asked *asked,
               struct gm_following *following);
extern gm_adt_handler gm_streams_list, gm_streams_get, gm_streams_events, gm_streams_changes;

/* ---- views.c ---- */
extern gm_adt_handler gm_views_op_list, gm_views_op_rows, gm_views_op_changes, gm_views_op_rebuild;

/* ---- commands.c ---- */
extern gm_adt_handler gm_commands_op_list, gm_commands_op_do;

/* ---- entities.c ---- */
extern gm_adt_handler gm_streams_entity_get, gm_streams_snapshot_get, gm_streams_snapshot_put;

/* ---- follow.c ---- */

/* Where a follower's events come from; what it reads is appended to `out`. */
struct gm_following {
    struct gm_stream_follow *stream; /* of the three one is set; owned by the follower */
    struct gm_feed *feed;
    struct gm_view_feed *view;
    int64_t num;        /* of the feed: the next change */
    struct gm_str key;  /* n 0: any */
    size_t count_max;   /* of a long poll: events in one answer */
    const char *what_z; /* the name of the stream or view, or "changes"; copied */
};
/* ends: answers now, when there is something, or `wait` later at most. */
void gm_follow_poll(struct gm_adt_call *call, const struct gm_following *following, gm_ns wait);
/* ends: server-sent events until one of both goes. */
void gm_follow_events(struct gm_adt_call *call, const struct gm_following *following);
void gm_following_close(struct gm_following *following);
gm_rc gm_follow_room_open(struct gm_follow_room *room, const char *thread_z, struct gm_err *err)
    GM_MUST_CHECK;
void gm_follow_room_news(struct gm_follow_room *room); /* there may be something to read */
/* Takes no more followers, and ends those there are. Fine when it was not opened. */
void gm_follow_room_stop(struct gm_follow_room *room);
void gm_follow_room_close(struct gm_follow_room *room);
void gm_follow_room_each(struct gm_follow_room *room, gm_follower_fn fn, void *ctx);
void gm_follow_changes_main(void *api);

/* ---- follow_read.c ---- */

struct gm_follower {
    struct gm_adt_call *call;
    struct gm_following following;
    struct gm_follower *next;
    bool sends_events;
    gm_ns due;             /* monotonic: a poll's end, or the next heartbeat */
    gm_ns rests_until;     /* monotonic: of a view, see VIEW_PERIOD */
    gm_ns looked_at;       /* monotonic: when `lag` was counted */
    char *what_z, *name_z; /* of server-sent events; else NULL */
    _Atomic int64_t lag;   /* stored by the thread, loaded by whoever looks */
    size_t count;          /* of a poll: events so far */
    struct gm_buf piece;   /* the thread's */
    struct gm_mutex *mu;   /* of server-sent events only, as the rest */
    struct gm_follow_room *room;
    struct gm_store *store;
    struct gm_buf out; /* guarded by mu; for the connection */
    size_t out_at;     /* guarded by mu; taken so far */
    bool ended;        /* guarded by mu; nothing more comes */
    bool gone;         /* guarded by mu; the connection has let go: the call is not there */
    bool dropped;      /* guarded by mu; the thread has let go */
};
gm_ns gm_follow_now(void); /* monotonic */
/* Reads into the follower's piece until that is of `size_max`. GM_OK: there may be more, but not in
 * this turn. GM_E_END: there is no more now, or of a poll, it is enough. */
gm_rc gm_follower_read(struct gm_follower *follower, size_t size_max, struct gm_stream_page *page,
                       struct gm_err *err) GM_MUST_CHECK;
void gm_follower_write_cursor(const struct gm_follower *follower, struct gm_buf *out);
/* What stands in `out` from there on ends a message of server-sent events. */
void gm_follower_add_data(struct gm_buf *out, size_t from);

#endif
