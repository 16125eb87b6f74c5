/* What the files of this part share. Internal to this folder. */
#ifndef GM_VIEW_INSIDE_H
#define GM_VIEW_INSIDE_H

#include "base/map.h"
#include "base/num.h"
#include "db/db.h"
#include "flow/condition.h"
#include "flow/record.h"
#include "os/thread.h"
#include "view/cells.h"
#include "view/extract.h"
#include "view/view.h"

enum {
    GM_VIEW_PAGE_KEYS = 512,
    /* Windows of one partition in memory; more, and the state goes to the file. */
    GM_VIEW_WINDOWS_MAX = 3 * GM_VIEW_HOPS_MAX,
};

/* UNKNOWN: the file has not been asked; NEW: there is nothing, neither here nor in the file. */
enum gm_cell_state { GM_CELL_UNKNOWN, GM_CELL_NEW, GM_CELL_CLEAN, GM_CELL_DIRTY };

/* Cells of GM_VIEW_PAGE_KEYS keys in a row. */
struct gm_page {
    uint8_t states[GM_VIEW_PAGE_KEYS];
    uint64_t cells[];
};

struct gm_window {
    gm_ns start;
    bool stored;                    /* the file may have cells of it */
    GM_VEC(struct gm_page *) pages; /* by key / GM_VIEW_PAGE_KEYS; NULL: none */
};

/* What an event's key belongs to, from an offset on. */
struct gm_membership {
    int64_t first;
    uint32_t group; /* key number; UINT32_MAX: nothing */
};
struct gm_member {
    GM_VEC(struct gm_membership) at; /* in order of offsets */
    uint64_t asked;                  /* the view's generation when it was last asked */
};

struct gm_part {
    int64_t next;
    int64_t missing; /* offsets before `next` whose events never came: trimmed, or damaged */
    gm_ns latest;
    bool has_latest;
    gm_ns last_stored; /* beginning of the newest window in the file; INT64_MIN: none */
    GM_VEC(struct gm_window *) windows; /* by beginning */
    size_t window;                      /* where the last one was found */
    int64_t kept_until; /* what keys belong to is kept in the file for events in front of it … */
    int64_t settled_until; /* … and not asked again, when the view was opened, in front of this */
    int64_t known_until;   /* offset up to which the old view has asked what keys belong to */
    struct gm_map *member_numbers; /* of keys, where there are groups */
    GM_VEC(struct gm_member) members;
};

/* A membership that is not in the file yet. */
struct gm_new_member {
    int part;
    uint32_t member;
    struct gm_membership membership;
};

struct gm_view {
    struct gm_view_options options;
    const struct gm_view_spec *spec;
    char *path_z;
    struct gm_mutex *mu; /* guards everything below: state and file are one thing, and looked at
                            together; what is done under it is bounded by a slice or a page */
    struct gm_cond *saved;
    bool saving;  /* a snapshot is being written */
    gm_rc broken; /* one could not be: the view is behind its file, and must be opened anew */
    struct gm_err why;
    struct gm_db *db;             /* for reading */
    struct gm_db *saver;          /* of who is saving */
    struct gm_snapshot *snapshot; /* likewise */
    uint64_t identity;            /* see struct gm_view_place; drawn when the file is made */
    struct gm_layout layout;
    struct gm_body_reader *bodies;
    struct gm_path paths[GM_VIEW_VALUES_MAX + 1];   /* of the values, and of `by` behind them */
    struct gm_condition *whens[GM_VIEW_VALUES_MAX]; /* of the values; NULL: none */
    struct gm_map *numbers;                         /* of keys */
    size_t guess;         /* number of the key that is expected next: things report in turn */
    uint32_t stored_keys; /* keys with a lower number may have cells in the file */
    struct gm_part parts[GM_VIEW_PARTITIONS_MAX];
    GM_VEC(struct gm_new_member) new_members;
    uint64_t generation;     /* of what keys belong to */
    GM_VEC(uint32_t) sorted; /* key numbers by the bytes of their keys; n < count: outdated */
    struct gm_buf text;      /* scratch */
    int64_t late, ungrouped;
};

static inline gm_ns gm_view_hop(const struct gm_view_spec *spec)
{
    return spec->hop > 0 ? spec->hop : spec->size;
}
static inline gm_ns gm_part_watermark(const struct gm_view *view, const struct gm_part *part)
{
    return part->has_latest ? part->latest - view->spec->lateness : INT64_MIN;
}

/* The watermark of what is closed: the lowest of those partitions that had events; INT64_MAX: none
 * had. And how far `keep` lets go: windows that begin at the horizon or before are gone. */
gm_ns gm_view_closed_until(const struct gm_view *view);
gm_ns gm_view_horizon(const struct gm_view *view);

/* ---- view.c ---- */

static inline gm_ns gm_floor_to(gm_ns time, gm_ns step)
{
    gm_ns rest = time % step;
    return time - (rest < 0 ? rest + step : rest);
}
/* Of one value; NONE: the event has nothing for it. */
struct gm_reading gm_view_reading(const struct gm_view *view, size_t index, yyjson_val *body,
                                  gm_ns time);
/* What an event counts under, before groups; n 0: nothing. `text` is room for it. */
struct gm_str gm_view_key_of(const struct gm_view *view, const struct gm_event *event,
                             yyjson_val *body, char text[GM_NUM_TEXT_SIZE]);

/* ---- state.c ---- */

/* Position of the window, or where it belongs. */
size_t gm_part_find(struct gm_part *part, gm_ns start, bool *out_found);
struct gm_window *gm_part_window(struct gm_part *part, gm_ns start); /* makes it */
/* Names a cell. */
struct gm_cell_at {
    int partition;
    gm_ns start;
    uint32_t key;
};
struct gm_cell_ref {
    uint64_t *cell;
    uint8_t *state; /* may be changed */
};
/* The cell of a window, fetched from the file when it is there. */
gm_rc gm_view_cell(struct gm_view *view, struct gm_window *window, const struct gm_cell_at *at,
                   struct gm_cell_ref *out_ref, struct gm_err *err) GM_MUST_CHECK;
void gm_window_free(const struct gm_layout *layout, struct gm_window *window);
/* What the cell is, in `cell` (zeros before, deinit by the caller), wherever it is; without keeping
 * it. *out_found: there is one. */
gm_rc gm_view_look(struct gm_view *view, const struct gm_cell_at *at, uint64_t *cell,
                   bool *out_found, struct gm_err *err) GM_MUST_CHECK;

/* ---- file.c ---- */

gm_rc gm_view_file_open(struct gm_view *view, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_view_file_cell(struct gm_view *view, const struct gm_cell_at *at, uint64_t *cell,
                        bool *out_found, struct gm_err *err) GM_MUST_CHECK;
/* What is to be written: gathered under the lock, written by who is saving, and settled, when that
 * is done, under the lock again. */
struct gm_snapshot *gm_snapshot_new(void);
void gm_snapshot_free(struct gm_snapshot *snapshot);
void gm_view_gather(struct gm_view *view, struct gm_snapshot *snapshot);
gm_rc gm_view_write(const struct gm_view *view, const struct gm_snapshot *snapshot,
                    struct gm_err *err) GM_MUST_CHECK;
/* New memberships alone, and how far they hold: `kept_until` of each partition. */
gm_rc gm_view_write_groups(const struct gm_view *view, const int64_t *kept_until,
                           struct gm_err *err) GM_MUST_CHECK;
void gm_view_settle(struct gm_view *view, const struct gm_snapshot *snapshot);

/* ---- group.c ---- */

/* What an event's key belongs to. */
struct gm_grouping {
    int partition;
    const struct gm_event *event;
    struct gm_str key;
    uint32_t group; /* out: its number */
    bool some;      /* out: false: it belongs to nothing */
};
gm_rc gm_view_group(struct gm_view *view, struct gm_grouping *grouping, struct gm_err *err)
    GM_MUST_CHECK;
/* What it was counted for when it was folded; asks nobody. False: nothing. */
bool gm_view_group_was(struct gm_view *view, const struct gm_grouping *grouping,
                       uint32_t *out_group);
/* Whether both count each event that `old` has for the same. Both locked. */
bool gm_view_same_groups(const struct gm_view *view, const struct gm_view *old);
void gm_view_load_member(struct gm_view *view, int partition, struct gm_str key, int64_t first,
                         struct gm_str belongs_to);
uint32_t gm_view_key_number(struct gm_view *view, struct gm_str key);

#endif
