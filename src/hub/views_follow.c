/* Events folded into views as they are committed. */
#include "base/log.h"
#include "hub/views_inside.h"

/* How long a thread waits after a failure. */
#define FAILURE_TIME (5 * GM_SECOND)

enum { TEAM_MAX = 16 }; /* views whose locks are held together */

/* The lowest offset that a view of the partition wants. */
static int64_t wanted_offset(struct gm_views_follower *follower)
{
    int64_t offset = INT64_MAX;
    for (size_t i = 0; i < follower->entries.n; i++) {
        struct gm_views_entry *entry = follower->entries.at[i];
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
void gm_views_note_outcome(struct gm_views_entry *entry, gm_rc rc, const struct gm_err *err)
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
    struct gm_views_entry **at;
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
static bool is_behind(const struct gm_views_follower *follower, struct gm_view *view, int64_t first)
{
    int64_t next = gm_view_next(view, follower->partition);
    bool through_hole = first == follower->hole_to && next >= follower->hole_from;
    return next < first && !through_hole;
}

/* Each event is parsed once for all of them. False: one is behind, and nothing was folded. */
static bool fold_team(struct gm_views_follower *follower, const struct team *team,
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
        struct gm_views_entry *entry = team->at[i];
        if (entry->view != NULL) {
            gm_views_note_outcome(entry, gm_view_failure(entry->view, &err), &err);
        }
    }
    unlock_team(team);
    return !behind;
}

/* False: a view is behind. Those that are not pass over what they have when it comes again. */
static bool fold_all(struct gm_views_follower *follower, const struct gm_view_slice *slice)
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

static void say_damage(const struct gm_views_follower *follower, const struct gm_err *err)
{
    gm_log_error("view.stream", GM_L_STR("stream", follower->entries.at[0]->spec.stream),
                 GM_L_Z("error", err->text));
}

static void go_to(struct gm_views_follower *follower, int64_t offset)
{
    gm_stream_seek(follower->reader, offset);
    follower->at = offset;
}

/* Everything there is now; false: wait a while before trying again. */
static bool follow_once(struct gm_views_follower *follower)
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

void gm_views_follow(void *arg)
{
    struct gm_views_follower *follower = arg;
    while (!gm_stop_requested(follower->owner->stop)) {
        bool fine = follow_once(follower);
        if (!fine) {
            (void)gm_stop_wait(follower->owner->stop, FAILURE_TIME);
        } else if (gm_stream_wait(follower->reader, GM_MINUTE) == GM_E_CANCELLED) {
            continue; /* woken: the end, or a view that was opened anew */
        }
    }
}
