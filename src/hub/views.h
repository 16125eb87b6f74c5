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
    gm_rc rc;            /* why it does not go on; GM_OK: it does */
    struct gm_err why;
};
size_t gm_views_count(const struct gm_views *views);
void gm_views_status(struct gm_views *views, size_t index, struct gm_views_status *out_status);

/* GM_E_END: there is no view of that name. */
gm_rc gm_views_query(struct gm_views *views, struct gm_str name, const struct gm_view_query *query,
                     struct gm_err *err) GM_MUST_CHECK;
/* Begins to make it anew. GM_E_CONFLICT: it is being made anew already. GM_E_END: no such view. */
gm_rc gm_views_rebuild(struct gm_views *views, struct gm_str name, struct gm_err *err)
    GM_MUST_CHECK;

#endif
