/* Which rows events have changed, and how far a view is. */
#include <stdlib.h>

#include "base/hash.h"
#include "view/inside.h"

/* ---- how far ---- */

/* Which quantiles are shown is no matter of the file, but rows are others by it. */
static uint64_t hash_shown(const struct gm_view_spec *spec)
{
    const struct gm_str quantiles = {(const char *)spec->quantiles,
                                     spec->quantile_count * sizeof(spec->quantiles[0])};
    uint64_t hash = gm_hash64(quantiles, 0);
    for (size_t i = 0; i < spec->value_count; i++) {
        const struct gm_str shown = {(const char *)&spec->values[i].quantiles,
                                     sizeof(spec->values[i].quantiles)};
        hash = gm_hash64(shown, hash);
    }
    return hash;
}

void gm_view_place(struct gm_view *view, struct gm_view_place *out_place)
{
    gm_mutex_lock(view->mu);
    gm_ns watermark = gm_view_closed_until(view);
    out_place->identity = view->identity ^ hash_shown(view->spec);
    out_place->watermark = watermark != INT64_MAX ? watermark : INT64_MIN;
    for (int p = 0; p < view->options.partitions; p++) {
        out_place->next[p] = view->parts[p].next;
    }
    gm_mutex_unlock(view->mu);
}

void gm_view_inherit(struct gm_view *view, struct gm_view *old)
{
    gm_mutex_lock(old->mu);
    gm_mutex_lock(view->mu); /* nobody else has it yet */
    bool same =
        view->options.partitions == old->options.partitions && gm_view_same_groups(view, old);
    for (int p = 0; p < view->options.partitions; p++) {
        int64_t missing = view->parts[p].missing;
        same = same && missing == old->parts[p].missing && missing >= 0;
    }
    view->identity = same ? old->identity : view->identity;
    gm_mutex_unlock(view->mu);
    gm_mutex_unlock(old->mu);
}

/* ---- touched rows ---- */

static bool has_reading(const struct gm_view *view, yyjson_val *body)
{
    for (size_t i = 0; i < view->spec->value_count; i++) {
        if (gm_view_reading(view, i, body, 0).kind != GM_READING_NONE) {
            return true;
        }
    }
    return false;
}

/* The windows of a time, also those that were gone when the event came: they are no rows. */
static void add_rows(const struct gm_view *view, gm_ns time, uint32_t key,
                     struct gm_view_touched *touched)
{
    const struct gm_view_spec *spec = view->spec;
    if (spec->size == 0) {
        *gm_vec_push(&touched->rows) = (struct gm_view_row){0, key};
        return;
    }
    gm_ns hop = gm_view_hop(spec);
    for (gm_ns start = gm_floor_to(time, hop); start > time - spec->size; start -= hop) {
        *gm_vec_push(&touched->rows) = (struct gm_view_row){start, key};
    }
}

static void touch(struct gm_view *view, const struct gm_view_slice *slice, struct gm_str key,
                  struct gm_view_touched *touched)
{
    char text[GM_NUM_TEXT_SIZE];
    for (size_t i = 0; i < slice->count; i++) {
        const struct gm_event *event = &slice->events[i];
        struct gm_grouping grouping = {.partition = slice->partition, .event = event};
        uint32_t group;
        GM_ASSERT(event->offset < view->parts[slice->partition].next);
        yyjson_val *body = gm_body_read(view->bodies, event->body);
        if (!has_reading(view, body)) {
            continue;
        }
        grouping.key = gm_view_key_of(view, event, body, text);
        if (grouping.key.n > 0 && gm_view_group_was(view, &grouping, &group) &&
            (key.p == NULL || gm_str_eq(gm_map_key_at(view->numbers, group), key))) {
            add_rows(view, event->time, group, touched);
        }
    }
}

gm_rc gm_view_touch(struct gm_view *view, const struct gm_view_slice *slice, struct gm_str key,
                    struct gm_view_touched *touched, struct gm_err *err)
{
    gm_mutex_lock(view->mu);
    gm_rc rc = GM_OK;
    if (view->broken == GM_OK) {
        touch(view, slice, key, touched);
    } else {
        *err = view->why;
        rc = GM_E_RETRY;
    }
    gm_mutex_unlock(view->mu);
    return rc;
}

static int compare_rows(const void *a, const void *b)
{
    const struct gm_view_row *x = a, *y = b;
    if (x->start != y->start) {
        return x->start < y->start ? -1 : 1;
    }
    return (x->key > y->key) - (x->key < y->key);
}

void gm_view_touched_settle(struct gm_view_touched *touched)
{
    size_t kept = 0;
    struct gm_view_row *rows = touched->rows.at;
    if (touched->rows.n == 0) {
        return;
    }
    qsort(rows, touched->rows.n, sizeof(rows[0]), compare_rows);
    for (size_t i = 1; i < touched->rows.n; i++) {
        if (compare_rows(&rows[kept], &rows[i]) != 0) {
            rows[++kept] = rows[i];
        }
    }
    touched->rows.n = kept + 1;
}
