/* What the files of the views' runtime share: views.c (life, looking), views_anew.c (files, views
 * made anew), views_follow.c (folding), views_save.c. Internal to this folder.
 *
 * Locks, in this order: mu of entries, in the order of the configuration; those of their views
 * (view/view.h). news_mu is taken under none but these. */
#ifndef GM_HUB_VIEWS_INSIDE_H
#define GM_HUB_VIEWS_INSIDE_H

#include "base/vec.h"
#include "hub/view_groups.h"
#include "hub/views.h"
#include "os/thread.h"

/* One view. The pointers to views change when one that was made anew takes the old one's place. */
struct gm_views_entry {
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
struct gm_views_follower {
    struct gm_views *owner;
    struct gm_stream *stream;
    int partition;
    struct gm_stream_reader *reader;
    struct gm_thread *thread;
    GM_VEC(struct gm_views_entry *) entries;
    GM_VEC(struct gm_view *) views; /* that are folded together */
    int64_t at;                     /* offset of what is read next */
    /* Offsets between which nothing can be read: retention took it, or it is damaged. */
    int64_t hole_from, hole_to;
};

struct gm_views {
    struct gm_views_options options;
    struct gm_arena *arena;
    struct gm_stop *stop;
    GM_VEC(struct gm_views_entry *) entries;
    GM_VEC(struct gm_views_follower *) followers;
    struct gm_thread *saver;
    struct gm_mutex *news_mu; /* guards what follows; held while `fn` is called */
    struct gm_cond *news;
    uint64_t news_count;
    void (*fn)(void *ctx);
    void *fn_ctx;
    struct gm_views_guest *guests;
};

/* Something was folded, or a view took another's place: tells who waits. */
void gm_views_stir(struct gm_views *views);

/* ---- views_anew.c ---- */

/* Opens the file of a view, or makes it. */
gm_rc gm_views_open_file(const struct gm_views_entry *entry, const char *path_z,
                         const char *groups_from_z, struct gm_view **out_view, struct gm_err *err)
    GM_MUST_CHECK;
/* Events of its stream that `view` has not folded. Under the entry's lock. */
int64_t gm_views_lag(const struct gm_views_entry *entry, struct gm_view *view);
/* Followers look anew where their views stand. */
void gm_views_wake(const struct gm_views_entry *entry);
/* Makes the view anew on a thread of its own; one at a time. */
gm_rc gm_views_start_rebuild(struct gm_views_entry *entry, struct gm_err *err) GM_MUST_CHECK;

/* ---- views_follow.c ---- */

void gm_views_follow(void *arg); /* a thread's; of a struct gm_views_follower */
/* What became of folding or saving; the first of several failures is logged. Under the entry's
 * lock. */
void gm_views_note_outcome(struct gm_views_entry *entry, gm_rc rc, const struct gm_err *err);

/* ---- views_save.c ---- */

void gm_views_keep_saved(void *arg); /* a thread's; of the struct gm_views */

#endif
