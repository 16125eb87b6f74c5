/* The views of a configuration: kept up with their streams, looked at, made anew.
 *
 *     struct gm_views_options options = {.views = &root->views, .streams = streams, .store = store,
 *                                        .folder_z = data};
 *     GM_TRY(gm_views_open(&options, &views, err));
 *     GM_TRY(gm_views_query(views, GM_STR("per_minute"), &query, err));   // GM_E_END: no such view
 *     gm_views_close(views);
 *
 * A view's file is DATA/views/NAME.db. One whose settings have changed is made anew from its
 * stream, as one is by gm_views_rebuild: in DATA/views/NAME.new.db, while the old one serves; when
 * it has caught up it takes the old one's place.
 *
 * State is saved every GM_VIEWS_SAVE_PERIOD; a process that ends goes on from there.
 *
 * Threads: one per partition of each stream that has views, one per view that is made anew. Calls
 * from any thread. */
#ifndef GM_HUB_VIEWS_H
#define GM_HUB_VIEWS_H

#include "store/store.h"
#include "stream/directory.h"
#include "view/conf.h"

#define GM_VIEWS_SAVE_PERIOD (5 * GM_SECOND)
#define GM_VIEWS_REGROUP_PERIOD (30 * GM_SECOND)

struct gm_views_options {
    const struct gm_conf_map *views;           /* of struct gm_view_conf; kept */
    const struct gm_stream_directory *streams; /* kept */
    struct gm_store *store;                    /* kept; for groups by relationships */
    const char *folder_z;                      /* the data directory */
};

struct gm_views;
gm_rc gm_views_open(const struct gm_views_options *options, struct gm_views **out_views,
                    struct gm_err *err) GM_MUST_CHECK;
/* Saves what was folded. NULL is fine. Streams are closed afterwards. */
void gm_views_close(struct gm_views *views);

struct gm_views_status {
    struct gm_str name, stream;
    struct gm_view_info info;
    int64_t lag; /* events of the stream that are not folded yet */
    bool rebuilding;
    int64_t rebuild_lag; /* of the one that is made anew */
    int64_t followers;
    int64_t follower_lag; /* events that the one who is farthest behind has not seen */
    gm_rc rc;             /* why it does not go on; GM_OK: it does */
    struct gm_err why;
};
size_t gm_views_count(const struct gm_views *views);
void gm_views_status(struct gm_views *views, size_t index, struct gm_views_status *out_status);

/* GM_E_END: there is no view of that name. */
gm_rc gm_views_query(struct gm_views *views, struct gm_str name, const struct gm_view_query *query,
                     struct gm_err *err) GM_MUST_CHECK;
/* ---- following ---- */

/* Where a view of that name is in the list; gm_views_count: nowhere. */
size_t gm_views_find(const struct gm_views *views, struct gm_str name);
struct gm_stream *gm_views_stream(const struct gm_views *views, size_t index);
const struct gm_view_spec *gm_views_spec(const struct gm_views *views, size_t index);
/* Calls `fn` with the view that serves, which stays meanwhile. `epoch` changes when another one
 * does: numbers of keys are others then. GM_E_RETRY: none serves, it is being made anew. */
struct gm_views_use {
    gm_rc (*fn)(void *ctx, struct gm_view *view, uint64_t epoch, struct gm_err *err);
    void *ctx;
};
gm_rc gm_views_use(struct gm_views *views, size_t index, const struct gm_views_use *use,
                   struct gm_err *err) GM_MUST_CHECK;
/* Until something was folded since *seen (0 at first), another view serves, or somebody stirred.
 * GM_E_END: `span` passed. */
gm_rc gm_views_wait(struct gm_views *views, uint64_t *seen, gm_ns span) GM_MUST_CHECK;
void gm_views_stir(struct gm_views *views);
/* `fn` is called whenever a wait would end: it must not wait. One; NULL takes it away, and waits
 * until it is not running. */
void gm_views_on_news(struct gm_views *views, void (*fn)(void *ctx), void *ctx);
/* Somebody follows the view, and says with each step how many events of the stream he has seen:
 * offsets summed over partitions. */
struct gm_views_guest {
    size_t index;                 /* of the view */
    int64_t seen;                 /* guarded by the views */
    struct gm_views_guest *next_; /* private */
};
void gm_views_enter(struct gm_views *views, struct gm_views_guest *guest); /* keeps */
void gm_views_leave(struct gm_views *views, struct gm_views_guest *guest);
void gm_views_note(struct gm_views *views, struct gm_views_guest *guest, int64_t seen);

/* Begins to make it anew. GM_E_CONFLICT: it is being made anew already. GM_E_END: no such view. */
gm_rc gm_views_rebuild(struct gm_views *views, struct gm_str name, struct gm_err *err)
    GM_MUST_CHECK;

#endif
