/* Files of views, and views that are made anew from the stream while the old ones serve. */
#include "base/log.h"
#include "base/mem.h"
#include "hub/views_inside.h"
#include "os/file.h"

/* ---- files ---- */

static gm_rc remove_logs(const char *path_z, struct gm_err *err)
{
    GM_AUTO_FREE char *wal_z = gm_format_z("%s-wal", path_z);
    GM_AUTO_FREE char *shm_z = gm_format_z("%s-shm", path_z);
    GM_TRY(gm_file_remove(wal_z, err));
    return gm_file_remove(shm_z, err);
}

static gm_rc remove_view(const char *path_z, struct gm_err *err)
{
    GM_TRY(gm_file_remove(path_z, err));
    return remove_logs(path_z, err);
}

/* Of a view that was closed: a disk that is full leaves part of it in its log. */
static gm_rc check_is_one_file(const char *path_z, struct gm_err *err)
{
    GM_AUTO_FREE char *wal_z = gm_format_z("%s-wal", path_z);
    struct gm_file_info info;
    GM_TRY(gm_file_info(wal_z, &info, err));
    return info.type == GM_FILE_MISSING
               ? GM_OK
               : gm_fail(err, GM_E_IO, "%s: it could not be written out; is the disk full?",
                         path_z);
}

gm_rc gm_views_open_file(const struct gm_views_entry *entry, const char *path_z,
                         const char *groups_from_z, struct gm_view **out_view, struct gm_err *err)
{
    int64_t ends[GM_STREAM_PARTITIONS_MAX];
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        ends[p] = gm_stream_next(entry->stream, p);
    }
    const struct gm_view_options options = {.spec = &entry->spec,
                                            .path_z = path_z,
                                            .partitions = gm_stream_partitions(entry->stream),
                                            .group_of =
                                                entry->groups != NULL ? gm_view_groups_find : NULL,
                                            .ctx = entry->groups,
                                            .groups_from_z = groups_from_z,
                                            .ends = ends};
    return gm_view_open(&options, out_view, err);
}

/* ---- made anew ---- */

int64_t gm_views_lag(const struct gm_views_entry *entry, struct gm_view *view)
{
    int64_t lag = 0;
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        lag += gm_stream_next(entry->stream, p) - gm_view_next(view, p);
    }
    return lag;
}

/* Folds what the stream has now into a view that is not served yet. */
static gm_rc catch_up_partition(struct gm_views_entry *entry, struct gm_view *view, int partition,
                                struct gm_err *err)
{
    struct gm_stream_reader *reader;
    struct gm_view_slice slice = {.partition = partition};
    const struct gm_stream_place from = {partition, gm_view_next(view, partition)};
    GM_TRY(gm_stream_reader_open(entry->stream, &from, &reader, err));
    gm_rc rc = GM_OK;
    while (rc == GM_OK && !gm_stop_requested(entry->views->stop)) {
        rc = gm_stream_read(reader, &slice.events, &slice.count, err);
        if (rc == GM_E_LIMIT) { /* retention has taken the beginning */
            gm_stream_seek(reader, -1);
            rc = GM_OK;
            continue;
        }
        rc = rc == GM_OK ? gm_view_fold(view, &slice, err) : rc;
        gm_mutex_lock(entry->mu);
        entry->rebuild_lag = gm_views_lag(entry, view);
        gm_mutex_unlock(entry->mu);
    }
    gm_stream_reader_close(reader);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc catch_up(struct gm_views_entry *entry, struct gm_view *view, struct gm_err *err)
{
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        GM_TRY(catch_up_partition(entry, view, p, err));
    }
    return gm_stop_requested(entry->views->stop) ? gm_fail(err, GM_E_CANCELLED, "stopped")
                                                 : gm_view_checkpoint(view, err);
}

void gm_views_wake(const struct gm_views_entry *entry)
{
    const struct gm_views *views = entry->views;
    for (size_t i = 0; i < views->followers.n; i++) {
        if (views->followers.at[i]->stream == entry->stream &&
            views->followers.at[i]->reader != NULL) {
            gm_stream_wake(views->followers.at[i]->reader);
        }
    }
}

/* The new view's file takes the old one's name: between two processes there is one or the other.
 * The follower folds on from where the new one is. */
static gm_rc take_place(struct gm_views_entry *entry, struct gm_view *fresh, struct gm_err *err)
{
    gm_mutex_lock(entry->mu);
    while (entry->saving) {
        gm_cond_wait(entry->unused, entry->mu);
    }
    gm_rc rc = GM_OK;
    if (entry->view != NULL) { /* of the same settings */
        gm_view_inherit(fresh, entry->view);
        rc = gm_view_checkpoint(fresh, err);
    }
    if (rc != GM_OK) { /* the old one goes on */
        gm_view_close(fresh);
        gm_mutex_unlock(entry->mu);
        return rc;
    }
    gm_view_close(fresh);
    rc = check_is_one_file(entry->new_path_z, err);
    if (rc != GM_OK) {
        gm_mutex_unlock(entry->mu);
        return rc;
    }
    gm_view_close(entry->view);
    entry->view = NULL;
    entry->epoch++;
    rc = remove_logs(entry->path_z, err);
    rc = rc == GM_OK ? gm_file_rename(entry->new_path_z, entry->path_z, err) : rc;
    rc = rc == GM_OK ? gm_views_open_file(entry, entry->path_z, NULL, &entry->view, err) : rc;
    entry->rc = rc;
    if (rc != GM_OK) {
        entry->why = *err;
    }
    gm_mutex_unlock(entry->mu);
    gm_views_wake(entry);
    gm_views_stir(entry->views);
    return rc;
}

static gm_rc make_anew(struct gm_views_entry *entry, struct gm_err *err)
{
    struct gm_view *fresh;
    struct gm_file_info old;
    GM_TRY(remove_view(entry->new_path_z, err));
    GM_TRY(gm_file_info(entry->path_z, &old, err));
    GM_TRY(gm_views_open_file(entry, entry->new_path_z,
                              old.type == GM_FILE_REGULAR ? entry->path_z : NULL, &fresh, err));
    gm_rc rc = catch_up(entry, fresh, err);
    rc = rc == GM_OK ? catch_up(entry, fresh, err) : rc; /* what came meanwhile */
    if (rc != GM_OK) {
        gm_view_close(fresh);
        return rc;
    }
    return take_place(entry, fresh, err);
}

static void rebuild_thread(void *arg)
{
    struct gm_views_entry *entry = arg;
    struct gm_err err = {0};
    gm_ns start = gm_clock_wall_now();
    gm_rc rc = make_anew(entry, &err);
    gm_mutex_lock(entry->mu);
    entry->rebuilding = false;
    gm_mutex_unlock(entry->mu);
    if (rc == GM_OK) {
        gm_log_info("view.rebuilt", GM_L_STR("view", entry->spec.name),
                    GM_L_INT("ms", (gm_clock_wall_now() - start) / GM_MS));
    } else if (rc != GM_E_CANCELLED) {
        gm_log_error("view.rebuild", GM_L_STR("view", entry->spec.name), GM_L_Z("error", err.text));
    }
}

gm_rc gm_views_start_rebuild(struct gm_views_entry *entry, struct gm_err *err)
{
    gm_mutex_lock(entry->mu);
    bool busy = entry->rebuilding;
    entry->rebuilding = true;
    entry->rebuild_lag = 0;
    struct gm_thread *before = busy ? NULL : entry->rebuilder;
    entry->rebuilder = busy ? entry->rebuilder : NULL;
    gm_mutex_unlock(entry->mu);
    if (busy) {
        return gm_fail(err, GM_E_CONFLICT, "view `" GM_STR_FMT "` is being made anew already",
                       GM_STR_ARG(entry->spec.name));
    }
    gm_thread_join(before);
    gm_rc rc = gm_thread_start("gemel-rebuild", rebuild_thread, entry, &entry->rebuilder, err);
    if (rc != GM_OK) {
        gm_mutex_lock(entry->mu);
        entry->rebuilding = false;
        gm_mutex_unlock(entry->mu);
    }
    return rc;
}
