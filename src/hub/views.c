/* Views kept up with their streams. */
#include "hub/views.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/vec.h"
#include "hub/view_groups.h"
#include "os/file.h"
#include "os/thread.h"

enum {
    SPEC_ARENA_SIZE = 1 << 20,
    TEAM_MAX = 16, /* views whose locks are held together */
};

/* How long a thread waits after a failure, and how long for events at a time. */
#define FAILURE_TIME (5 * GM_SECOND)

/* One view. The pointers to views change when one that was made anew takes the old one's place. */
struct entry {
    struct gm_views *views;
    const struct gm_conf_map_entry *conf;
    struct gm_view_spec spec;
    struct gm_stream *stream;
    bool outdated;                 /* when it was opened: its file is of other settings */
    struct gm_view_groups *groups; /* NULL: none */
    char *path_z, *new_path_z;
    struct gm_mutex *mu; /* guards what follows; held while the view is looked at or folded */
    struct gm_cond *unused;
    struct gm_view *view;
    uint64_t epoch; /* counts views up */
    bool saving;    /* without the lock: the view must stay */
    bool rebuilding;
    int64_t rebuild_lag;
    gm_rc rc;
    struct gm_err why;
    struct gm_thread *rebuilder; /* of gm_views' callers; joined before the next begins */
};

/* One partition of a stream that has views. */
struct follower {
    struct gm_views *owner;
    struct gm_stream *stream;
    int partition;
    struct gm_stream_reader *reader;
    struct gm_thread *thread;
    GM_VEC(struct entry *) entries;
    GM_VEC(struct gm_view *) views; /* that are folded together */
    int64_t at;                     /* offset of what is read next */
    /* Offsets between which nothing can be read: retention took it, or it is damaged. */
    int64_t hole_from, hole_to;
};

struct gm_views {
    struct gm_views_options options;
    struct gm_arena *arena;
    struct gm_stop *stop;
    GM_VEC(struct entry *) entries;
    GM_VEC(struct follower *) followers;
    struct gm_thread *saver;
    struct gm_mutex *news_mu; /* guards what follows; held while `fn` is called */
    struct gm_cond *news;
    uint64_t news_count;
    void (*fn)(void *ctx);
    void *fn_ctx;
    struct gm_views_guest *guests;
};

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

static gm_rc open_view(const struct entry *entry, const char *path_z, const char *groups_from_z,
                       struct gm_view **out_view, struct gm_err *err)
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

void gm_views_stir(struct gm_views *views)
{
    gm_mutex_lock(views->news_mu);
    views->news_count++;
    gm_cond_broadcast(views->news);
    if (views->fn != NULL) {
        views->fn(views->fn_ctx);
    }
    gm_mutex_unlock(views->news_mu);
}

/* ---- made anew ---- */

static int64_t lag_of(const struct entry *entry, struct gm_view *view)
{
    int64_t lag = 0;
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        lag += gm_stream_next(entry->stream, p) - gm_view_next(view, p);
    }
    return lag;
}

/* Folds what the stream has now into a view that is not served yet. */
static gm_rc catch_up_partition(struct entry *entry, struct gm_view *view, int partition,
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
        entry->rebuild_lag = lag_of(entry, view);
        gm_mutex_unlock(entry->mu);
    }
    gm_stream_reader_close(reader);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc catch_up(struct entry *entry, struct gm_view *view, struct gm_err *err)
{
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        GM_TRY(catch_up_partition(entry, view, p, err));
    }
    return gm_stop_requested(entry->views->stop) ? gm_fail(err, GM_E_CANCELLED, "stopped")
                                                 : gm_view_checkpoint(view, err);
}

static void wake_followers(const struct entry *entry)
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
static gm_rc take_place(struct entry *entry, struct gm_view *fresh, struct gm_err *err)
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
    rc = rc == GM_OK ? open_view(entry, entry->path_z, NULL, &entry->view, err) : rc;
    entry->rc = rc;
    if (rc != GM_OK) {
        entry->why = *err;
    }
    gm_mutex_unlock(entry->mu);
    wake_followers(entry);
    gm_views_stir(entry->views);
    return rc;
}

static gm_rc make_anew(struct entry *entry, struct gm_err *err)
{
    struct gm_view *fresh;
    struct gm_file_info old;
    GM_TRY(remove_view(entry->new_path_z, err));
    GM_TRY(gm_file_info(entry->path_z, &old, err));
    GM_TRY(open_view(entry, entry->new_path_z, old.type == GM_FILE_REGULAR ? entry->path_z : NULL,
                     &fresh, err));
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
    struct entry *entry = arg;
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

static gm_rc start_rebuild(struct entry *entry, struct gm_err *err)
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

/* ---- following ---- */

/* The lowest offset that a view of the partition wants. */
static int64_t wanted_offset(struct follower *follower)
{
    int64_t offset = INT64_MAX;
    for (size_t i = 0; i < follower->entries.n; i++) {
        struct entry *entry = follower->entries.at[i];
        gm_mutex_lock(entry->mu);
        struct gm_err ignored;
        bool goes_on = entry->view != NULL && gm_view_failure(entry->view, &ignored) == GM_OK;
        int64_t next = goes_on ? gm_view_next(entry->view, follower->partition) : INT64_MAX;
        gm_mutex_unlock(entry->mu);
        offset = next < offset ? next : offset;
    }
    return offset;
}

/* A view that fails stays where it is, and is opened anew when it is saved; it holds up no
 * other. */
static void note_outcome(struct entry *entry, gm_rc rc, const struct gm_err *err)
{
    if (rc != GM_OK && entry->rc == GM_OK) {
        gm_log_error("view.failed", GM_L_STR("view", entry->spec.name), GM_L_Z("error", err->text));
    }
    entry->rc = rc;
    if (rc != GM_OK) {
        entry->why = *err;
    }
}

/* Entries that go on together. */
struct team {
    struct entry **at;
    size_t n;
};

static void lock_team(const struct team *team)
{
    for (size_t i = 0; i < team->n; i++) {
        gm_mutex_lock(team->at[i]->mu);
    }
}

static void unlock_team(const struct team *team)
{
    for (size_t i = team->n; i > 0; i--) {
        gm_mutex_unlock(team->at[i - 1]->mu);
    }
}

/* A view that took another's place, or was opened anew, may be behind what is read: folding would
 * pass over what lies between. */
static bool is_behind(const struct follower *follower, struct gm_view *view, int64_t first)
{
    int64_t next = gm_view_next(view, follower->partition);
    bool through_hole = first == follower->hole_to && next >= follower->hole_from;
    return next < first && !through_hole;
}

/* Each event is parsed once for all of them. False: one is behind, and nothing was folded. */
static bool fold_team(struct follower *follower, const struct team *team,
                      const struct gm_view_slice *slice)
{
    bool behind = false;
    struct gm_err err = {0};
    follower->views.n = 0;
    lock_team(team);
    for (size_t i = 0; i < team->n; i++) {
        struct gm_view *view = team->at[i]->view;
        if (view != NULL && gm_view_failure(view, &err) == GM_OK) {
            behind = behind || is_behind(follower, view, slice->events[0].offset);
            *gm_vec_push(&follower->views) = view;
        }
    }
    if (!behind && follower->views.n > 0) {
        (void)!gm_views_fold(follower->views.at, follower->views.n, slice, &err);
    }
    for (size_t i = 0; i < team->n && !behind; i++) {
        struct entry *entry = team->at[i];
        if (entry->view != NULL) {
            note_outcome(entry, gm_view_failure(entry->view, &err), &err);
        }
    }
    unlock_team(team);
    return !behind;
}

/* False: a view is behind. Those that are not pass over what they have when it comes again. */
static bool fold_all(struct follower *follower, const struct gm_view_slice *slice)
{
    bool all = true;
    for (size_t from = 0; from < follower->entries.n; from += TEAM_MAX) {
        size_t left = follower->entries.n - from;
        const struct team team = {follower->entries.at + from, left < TEAM_MAX ? left : TEAM_MAX};
        all = fold_team(follower, &team, slice) && all;
    }
    gm_views_stir(follower->owner);
    return all;
}

static void say_damage(const struct follower *follower, const struct gm_err *err)
{
    gm_log_error("view.stream", GM_L_STR("stream", follower->entries.at[0]->spec.stream),
                 GM_L_Z("error", err->text));
}

static void go_to(struct follower *follower, int64_t offset)
{
    gm_stream_seek(follower->reader, offset);
    follower->at = offset;
}

/* Everything there is now; false: wait a while before trying again. */
static bool follow_once(struct follower *follower)
{
    struct gm_view_slice slice = {.partition = follower->partition};
    struct gm_err err = {0};
    go_to(follower, wanted_offset(follower));
    while (!gm_stop_requested(follower->owner->stop)) {
        gm_rc rc = gm_stream_read(follower->reader, &slice.events, &slice.count, &err);
        if (rc == GM_E_END) {
            return true;
        }
        if (rc == GM_E_LIMIT) {
            gm_stream_seek(follower->reader, -1);
            continue;
        }
        if (rc == GM_E_CORRUPT) {
            say_damage(follower, &err);
            gm_stream_skip_damaged(follower->reader);
            continue;
        }
        if (rc != GM_OK) {
            return false;
        }
        if (slice.events[0].offset > follower->at) {
            follower->hole_from = follower->at;
            follower->hole_to = slice.events[0].offset;
        }
        if (fold_all(follower, &slice)) {
            follower->at = slice.events[0].offset + (int64_t)slice.count;
        } else {
            go_to(follower, wanted_offset(follower));
        }
    }
    return true;
}

static void follow_thread(void *arg)
{
    struct follower *follower = arg;
    while (!gm_stop_requested(follower->owner->stop)) {
        bool fine = follow_once(follower);
        if (!fine) {
            (void)gm_stop_wait(follower->owner->stop, FAILURE_TIME);
        } else if (gm_stream_wait(follower->reader, GM_MINUTE) == GM_E_CANCELLED) {
            continue; /* woken: the end, or a view that was opened anew */
        }
    }
}

/* ---- saving ---- */

static gm_rc reopen(struct entry *entry, struct gm_err *err)
{
    gm_view_close(entry->view);
    entry->view = NULL;
    entry->epoch++;
    return open_view(entry, entry->path_z, NULL, &entry->view, err);
}

/* Under the entry's lock. A view that could not be saved, or not be opened before, goes on from its
 * file. True: it does. */
static bool mend(struct entry *entry, gm_rc rc, struct gm_err *err)
{
    note_outcome(entry, rc, err);
    rc = reopen(entry, err);
    if (rc != GM_OK) {
        note_outcome(entry, rc, err);
    } else {
        gm_log_info("view.resumed", GM_L_STR("view", entry->spec.name));
    }
    return rc == GM_OK;
}

static void save_entry(struct entry *entry, bool regroup)
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
        wake_followers(entry);
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

static void save_thread(void *arg)
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

/* ---- life ---- */

static struct follower *follower_of(struct gm_views *views, struct gm_stream *stream, int partition)
{
    for (size_t i = 0; i < views->followers.n; i++) {
        struct follower *follower = views->followers.at[i];
        if (follower->stream == stream && follower->partition == partition) {
            return follower;
        }
    }
    struct follower *follower = gm_alloc(sizeof(*follower));
    follower->owner = views;
    follower->stream = stream;
    follower->partition = partition;
    *gm_vec_push(&views->followers) = follower;
    return follower;
}

/* A view of other settings is made anew; until then there is nothing to look at. */
static gm_rc open_or_note(struct entry *entry, struct gm_err *err)
{
    gm_rc rc = open_view(entry, entry->path_z, NULL, &entry->view, err);
    entry->outdated = rc == GM_E_CONFLICT;
    return entry->outdated ? GM_OK : rc;
}

static gm_rc make_outdated_anew(struct gm_views *views, struct gm_err *err)
{
    for (size_t i = 0; i < views->entries.n; i++) {
        struct entry *entry = views->entries.at[i];
        if (entry->outdated) {
            gm_log_info("view.rebuilding", GM_L_STR("view", entry->spec.name),
                        GM_L_Z("why", "its settings have changed"));
            GM_TRY(start_rebuild(entry, err));
        }
    }
    return GM_OK;
}

static gm_rc add_entry(struct gm_views *views, const struct gm_conf_map_entry *conf,
                       struct gm_err *err)
{
    const struct gm_view_conf *settings = conf->value;
    struct entry *entry = gm_alloc(sizeof(*entry));
    *gm_vec_push(&views->entries) = entry;
    entry->views = views;
    entry->conf = conf;
    entry->mu = gm_mutex_new();
    entry->unused = gm_cond_new();
    entry->path_z = gm_format_z("%s/views/%s.db", views->options.folder_z, conf->name_z);
    entry->new_path_z = gm_format_z("%s/views/%s.new.db", views->options.folder_z, conf->name_z);
    gm_view_conf_spec(conf, views->arena, &entry->spec);
    entry->stream = gm_stream_find(views->options.streams, entry->spec.stream);
    if (entry->stream == NULL) {
        return gm_fail(err, GM_E_CONFIG, "views.%s.stream: there is no stream `%s`", conf->name_z,
                       settings->stream);
    }
    if (settings->group.twin != NULL) {
        GM_TRY(gm_view_groups_new(views->options.store, &settings->group, &entry->groups, err));
    }
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        *gm_vec_push(&follower_of(views, entry->stream, p)->entries) = entry;
    }
    return open_or_note(entry, err);
}

static gm_rc start(struct gm_views *views, struct gm_err *err)
{
    for (size_t i = 0; i < views->options.views->n; i++) {
        GM_TRY(add_entry(views, &views->options.views->at[i], err));
    }
    for (size_t i = 0; i < views->followers.n; i++) {
        struct follower *follower = views->followers.at[i];
        const struct gm_stream_place from = {follower->partition, 0};
        GM_TRY(gm_stream_reader_open(follower->stream, &from, &follower->reader, err));
    }
    GM_TRY(make_outdated_anew(views, err)); /* who made one wakes the readers */
    for (size_t i = 0; i < views->followers.n; i++) {
        struct follower *follower = views->followers.at[i];
        GM_TRY(gm_thread_start("gemel-views", follow_thread, follower, &follower->thread, err));
    }
    return gm_thread_start("gemel-view-save", save_thread, views, &views->saver, err);
}

gm_rc gm_views_open(const struct gm_views_options *options, struct gm_views **out_views,
                    struct gm_err *err)
{
    struct gm_views *views = gm_alloc(sizeof(*views));
    views->options = *options;
    views->arena = gm_arena_new(SPEC_ARENA_SIZE * (options->views->n + 1));
    views->stop = gm_stop_new();
    views->news_mu = gm_mutex_new();
    views->news = gm_cond_new();
    gm_rc rc = start(views, err);
    if (rc != GM_OK) {
        gm_views_close(views);
        return rc;
    }
    *out_views = views;
    return GM_OK;
}

static void stop_threads(struct gm_views *views)
{
    gm_stop_request(views->stop);
    for (size_t i = 0; i < views->followers.n; i++) {
        struct follower *follower = views->followers.at[i];
        if (follower->thread != NULL) {
            gm_stream_wake(follower->reader);
        }
        gm_thread_join(follower->thread);
    }
    for (size_t i = 0; i < views->entries.n; i++) {
        gm_thread_join(views->entries.at[i]->rebuilder);
    }
    gm_thread_join(views->saver); /* saves once more */
}

void gm_views_close(struct gm_views *views)
{
    if (views == NULL) {
        return;
    }
    stop_threads(views);
    for (size_t i = 0; i < views->followers.n; i++) {
        gm_stream_reader_close(views->followers.at[i]->reader);
        gm_vec_deinit(&views->followers.at[i]->entries);
        gm_vec_deinit(&views->followers.at[i]->views);
        gm_free(views->followers.at[i]);
    }
    for (size_t i = 0; i < views->entries.n; i++) {
        struct entry *entry = views->entries.at[i];
        gm_view_close(entry->view);
        gm_view_groups_free(entry->groups);
        gm_mutex_free(entry->mu);
        gm_cond_free(entry->unused);
        gm_free(entry->path_z);
        gm_free(entry->new_path_z);
        gm_free(entry);
    }
    gm_vec_deinit(&views->followers);
    gm_vec_deinit(&views->entries);
    gm_stop_free(views->stop);
    gm_cond_free(views->news);
    gm_mutex_free(views->news_mu);
    gm_arena_free(views->arena);
    gm_free(views);
}

/* ---- looking ---- */

size_t gm_views_count(const struct gm_views *views)
{
    return views->entries.n;
}

static void count_guests(struct gm_views *views, size_t index, struct gm_views_status *status)
{
    struct gm_stream *stream = views->entries.at[index]->stream;
    int64_t end = 0;
    for (int p = 0; p < gm_stream_partitions(stream); p++) {
        end += gm_stream_next(stream, p);
    }
    gm_mutex_lock(views->news_mu);
    for (const struct gm_views_guest *at = views->guests; at != NULL; at = at->next_) {
        if (at->index == index) {
            int64_t lag = end - at->seen;
            status->followers++;
            status->follower_lag = lag > status->follower_lag ? lag : status->follower_lag;
        }
    }
    gm_mutex_unlock(views->news_mu);
}

void gm_views_status(struct gm_views *views, size_t index, struct gm_views_status *out_status)
{
    struct entry *entry = views->entries.at[index];
    gm_mutex_lock(entry->mu);
    struct gm_views_status status = {.name = entry->spec.name,
                                     .stream = entry->spec.stream,
                                     .rebuilding = entry->rebuilding,
                                     .rebuild_lag = entry->rebuild_lag,
                                     .rc = entry->rc,
                                     .why = entry->why};
    if (entry->view != NULL) {
        gm_view_info(entry->view, &status.info);
        status.lag = lag_of(entry, entry->view);
    }
    gm_mutex_unlock(entry->mu);
    count_guests(views, index, &status);
    *out_status = status;
}

size_t gm_views_find(const struct gm_views *views, struct gm_str name)
{
    size_t index = 0;
    while (index < views->entries.n && !gm_str_eq(views->entries.at[index]->spec.name, name)) {
        index++;
    }
    return index;
}

static struct entry *find_entry(struct gm_views *views, struct gm_str name)
{
    size_t index = gm_views_find(views, name);
    return index < views->entries.n ? views->entries.at[index] : NULL;
}

/* Under the entry's lock. */
static gm_rc is_away(const struct entry *entry, struct gm_err *err)
{
    return entry->rebuilding || entry->rc == GM_OK
               ? gm_fail(err, GM_E_RETRY,
                         "view `" GM_STR_FMT "` is being made anew; ask again in a while",
                         GM_STR_ARG(entry->spec.name))
               : gm_fail(err, GM_E_RETRY, "view `" GM_STR_FMT "` cannot be opened: %s",
                         GM_STR_ARG(entry->spec.name), entry->why.text);
}

gm_rc gm_views_query(struct gm_views *views, struct gm_str name, const struct gm_view_query *query,
                     struct gm_err *err)
{
    struct entry *entry = find_entry(views, name);
    if (entry == NULL) {
        return gm_fail(err, GM_E_END, "there is no view `" GM_STR_FMT "`", GM_STR_ARG(name));
    }
    gm_mutex_lock(entry->mu);
    gm_rc rc = entry->view != NULL ? gm_view_query(entry->view, query, err) : is_away(entry, err);
    gm_mutex_unlock(entry->mu);
    return rc;
}

gm_rc gm_views_rebuild(struct gm_views *views, struct gm_str name, struct gm_err *err)
{
    struct entry *entry = find_entry(views, name);
    if (entry == NULL) {
        return gm_fail(err, GM_E_END, "there is no view `" GM_STR_FMT "`", GM_STR_ARG(name));
    }
    return start_rebuild(entry, err);
}

/* ---- following ---- */

struct gm_stream *gm_views_stream(const struct gm_views *views, size_t index)
{
    return views->entries.at[index]->stream;
}

const struct gm_view_spec *gm_views_spec(const struct gm_views *views, size_t index)
{
    return &views->entries.at[index]->spec;
}

gm_rc gm_views_use(struct gm_views *views, size_t index, const struct gm_views_use *use,
                   struct gm_err *err)
{
    struct entry *entry = views->entries.at[index];
    gm_mutex_lock(entry->mu);
    gm_rc rc = entry->view != NULL ? use->fn(use->ctx, entry->view, entry->epoch, err)
                                   : is_away(entry, err);
    gm_mutex_unlock(entry->mu);
    return rc;
}

gm_rc gm_views_wait(struct gm_views *views, uint64_t *seen, gm_ns span)
{
    const struct gm_clock *clock = gm_clock_system();
    gm_ns until = clock->mono(clock) + span;
    gm_mutex_lock(views->news_mu);
    gm_ns left = span;
    while (views->news_count == *seen && left > 0) {
        (void)gm_cond_wait_for(views->news, views->news_mu, left);
        left = until - clock->mono(clock);
    }
    gm_rc rc = views->news_count != *seen ? GM_OK : GM_E_END;
    *seen = views->news_count;
    gm_mutex_unlock(views->news_mu);
    return rc;
}

void gm_views_on_news(struct gm_views *views, void (*fn)(void *ctx), void *ctx)
{
    gm_mutex_lock(views->news_mu);
    views->fn = fn;
    views->fn_ctx = ctx;
    gm_mutex_unlock(views->news_mu);
}

void gm_views_enter(struct gm_views *views, struct gm_views_guest *guest)
{
    gm_mutex_lock(views->news_mu);
    guest->next_ = views->guests;
    views->guests = guest;
    gm_mutex_unlock(views->news_mu);
}

void gm_views_leave(struct gm_views *views, struct gm_views_guest *guest)
{
    gm_mutex_lock(views->news_mu);
    struct gm_views_guest **at = &views->guests;
    while (*at != NULL && *at != guest) {
        at = &(*at)->next_;
    }
    if (*at != NULL) {
        *at = guest->next_;
    }
    gm_mutex_unlock(views->news_mu);
}

void gm_views_note(struct gm_views *views, struct gm_views_guest *guest, int64_t seen)
{
    gm_mutex_lock(views->news_mu);
    guest->seen = seen;
    gm_mutex_unlock(views->news_mu);
}
