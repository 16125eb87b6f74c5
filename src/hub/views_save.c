/* What was folded is brought to the disk now and then; what failed is opened anew. */
#include "base/log.h"
#include "base/metrics.h"
#include "hub/views_inside.h"

static gm_rc reopen(struct gm_views_entry *entry, struct gm_err *err)
{
    gm_view_close(entry->view);
    entry->view = NULL;
    entry->epoch++;
    return gm_views_open_file(entry, entry->path_z, NULL, &entry->view, err);
}

/* Under the entry's lock. A view that could not be saved, or not be opened before, goes on from its
 * file. True: it does. */
static bool mend(struct gm_views_entry *entry, gm_rc rc, struct gm_err *err)
{
    gm_views_note_outcome(entry, rc, err);
    rc = reopen(entry, err);
    if (rc != GM_OK) {
        gm_views_note_outcome(entry, rc, err);
    } else {
        gm_log_info("view.resumed", GM_L_STR("view", entry->spec.name));
    }
    return rc == GM_OK;
}

static void save_entry(struct gm_views_entry *entry, bool regroup)
{
    struct gm_err err = {0};
    gm_mutex_lock(entry->mu);
    struct gm_view *view = entry->view;
    bool lost = view == NULL && !entry->rebuilding && entry->rc != GM_OK;
    entry->saving = view != NULL;
    gm_mutex_unlock(entry->mu);
    gm_rc rc = view != NULL ? gm_view_checkpoint(view, &err) : GM_OK;
    gm_mutex_lock(entry->mu);
    entry->saving = false;
    if (lost) {
        rc = entry->rc;
        err = entry->why;
    }
    bool mended = rc != GM_OK && mend(entry, rc, &err);
    if (entry->view != NULL && regroup && entry->groups != NULL) {
        gm_view_regroup(entry->view);
    }
    gm_cond_broadcast(entry->unused);
    gm_mutex_unlock(entry->mu);
    if (mended) {
        gm_views_wake(entry);
    }
    gm_views_stir(entry->views);
}

static void tell_lag(struct gm_views *views, size_t index)
{
    struct gm_views_status status;
    gm_views_status(views, index, &status);
    gm_metric_set(GM_M_VIEW_LAG, status.name, (double)status.lag);
    gm_metric_set(GM_M_VIEW_FOLLOWERS, status.name, (double)status.followers);
    gm_metric_set(GM_M_VIEW_FOLLOWER_LAG, status.name, (double)status.follower_lag);
}

static void save_all(struct gm_views *views, bool regroup)
{
    for (size_t i = 0; i < views->entries.n; i++) {
        save_entry(views->entries.at[i], regroup);
        tell_lag(views, i);
    }
}

void gm_views_keep_saved(void *arg)
{
    struct gm_views *views = arg;
    gm_ns since_regroup = 0;
    while (gm_stop_wait(views->stop, GM_VIEWS_SAVE_PERIOD) == GM_OK) {
        since_regroup += GM_VIEWS_SAVE_PERIOD;
        bool regroup = since_regroup >= GM_VIEWS_REGROUP_PERIOD;
        save_all(views, regroup);
        since_regroup = regroup ? 0 : since_regroup;
    }
    save_all(views, false);
}
