/* What a key belongs to in the graph: its twin, and from there along relationships. Internal to
 * this folder.
 *
 * Of several relationships of a name the first by id counts. Thread rule: locked inside; the view
 * asks while it holds its own lock. */
#ifndef GM_HUB_VIEW_GROUPS_H
#define GM_HUB_VIEW_GROUPS_H

#include "store/store.h"
#include "view/conf.h"

struct gm_view_groups;
gm_rc gm_view_groups_new(struct gm_store *store, const struct gm_view_group_conf *conf,
                         struct gm_view_groups **out_groups, struct gm_err *err) GM_MUST_CHECK;
void gm_view_groups_free(struct gm_view_groups *groups); /* NULL is fine */
/* For gm_view_options.group_of; ctx is the groups. */
gm_rc gm_view_groups_find(void *ctx, struct gm_str key, struct gm_buf *out, struct gm_err *err)
    GM_MUST_CHECK;

#endif
