/* A view's life, and folding. */
#include "view/view.h"

#include "base/mem.h"
#include "base/num.h"
#include "view/inside.h"

enum { TEXT_SIZE_MAX = 16 << 20 };

/* ---- folding ---- */

/* One event for one view. */
struct folding {
    struct gm_view *view;
    int partition;
    const struct gm_event *event;
    struct gm_reading readings[GM_VIEW_VALUES_MAX];
    uint32_t key;
};

struct gm_reading gm_view_reading(const struct gm_view *view, size_t index, yyjson_val *body,
                                  gm_ns time)
{
    bool wanted = view->whens[index] == NULL || gm_condition_holds(view->whens[index], body);
    return gm_reading_of(wanted ? gm_path_in(&view->paths[index], body) : NULL, time);
}

static bool take_readings(struct folding *folding, yyjson_val *body)
{
    const struct gm_view *view = folding->view;
    bool some = false;
    for (size_t i = 0; i < view->spec->value_count; i++) {
        folding->readings[i] = gm_view_reading(view, i, body, folding->event->time);
        some = some || folding->readings[i].kind != GM_READING_NONE;
    }
    return some;
}

struct gm_str gm_view_key_of(const struct gm_view *view, const struct gm_event *event,
                             yyjson_val *body, char text[GM_NUM_TEXT_SIZE])
{
    struct gm_str by = view->spec->by;
    if (gm_str_is(by, "$key")) {
        return event->key;
    }
    if (gm_str_is(by, "$origin")) {
        return event->origin;
    }
    if (gm_str_is(by, "$type")) {
        return event->type;
    }
    struct gm_reading reading =
        gm_reading_of(gm_path_in(&view->paths[view->spec->value_count], body), 0);
    switch (reading.kind) {
    case GM_READING_TEXT:
        return reading.text.n <= GM_EVENT_TEXT_SIZE_MAX ? reading.text : (struct gm_str){"", 0};
    case GM_READING_INT:
        return (struct gm_str){text, gm_format_i64(reading.integer, text)};
    case GM_READING_NUMBER:
        return (struct gm_str){text, gm_format_double(reading.number, text)};
    case GM_READING_BOOL:
        return reading.integer != 0 ? GM_STR("true") : GM_STR("false");
    case GM_READING_NONE:
    case GM_READING_NULL:
        break;
    }
    return (struct gm_str){"", 0};
}

static gm_rc add_to_window(struct folding *folding, gm_ns start, bool correction,
                           struct gm_err *err)
{
    struct gm_view *view = folding->view;
    struct gm_part *part = &view->parts[folding->partition];
    const struct gm_cell_at at = {folding->partition, start, folding->key};
    struct gm_cell_ref ref;
    GM_TRY(gm_view_cell(view, gm_part_window(part, start), &at, &ref, err));
    for (size_t i = 0; i < view->spec->value_count; i++) {
        gm_cell_add(&view->layout, ref.cell, i, &folding->readings[i]);
    }
    *gm_cell_corrections(&view->layout, ref.cell) += correction ? 1 : 0;
    *ref.state = GM_CELL_DIRTY;
    return GM_OK;
}

static gm_rc add_to_windows(struct folding *folding, struct gm_err *err)
{
    struct gm_view *view = folding->view;
    const struct gm_view_spec *spec = view->spec;
    if (spec->size == 0) {
        return add_to_window(folding, 0, false, err);
    }
    gm_ns hop = gm_view_hop(spec), time = folding->event->time;
    gm_ns watermark = gm_part_watermark(view, &view->parts[folding->partition]);
    bool gone = true;
    for (gm_ns start = gm_floor_to(time, hop); start > time - spec->size; start -= hop) {
        gm_ns end = start + spec->size;
        bool closed = watermark != INT64_MIN && end <= watermark;
        if (closed && spec->keep > 0 && end <= watermark - spec->keep) {
            continue;
        }
        gone = false;
        GM_TRY(add_to_window(folding, start, closed, err));
    }
    view->late += gone ? 1 : 0;
    return GM_OK;
}

static gm_rc fold_event(struct gm_view *view, int partition, const struct gm_event *event,
                        yyjson_val *body, struct gm_err *err)
{
    struct folding folding = {.view = view, .partition = partition, .event = event};
    struct gm_part *part = &view->parts[partition];
    char text[GM_NUM_TEXT_SIZE];
    if (take_readings(&folding, body)) {
        struct gm_grouping grouping = {
            .partition = partition, .event = event, .key = gm_view_key_of(view, event, body, text)};
        if (grouping.key.n > 0) {
            GM_TRY(gm_view_group(view, &grouping, err));
        }
        view->ungrouped += grouping.some ? 0 : 1;
        if (grouping.some) {
            folding.key = grouping.group;
            GM_TRY(add_to_windows(&folding, err));
        }
    }
    if (!part->has_latest || event->time > part->latest) {
        part->has_latest = true;
        part->latest = event->time;
    }
    part->missing += event->offset - part->next;
    part->next = event->offset + 1;
    return GM_OK;
}

gm_rc gm_view_fold(struct gm_view *view, const struct gm_view_slice *slice, struct gm_err *err)
{
    return gm_views_fold(&view, 1, slice, err);
}

/* The lock is let go of while the snapshot is written. */
gm_rc gm_view_checkpoint(struct gm_view *view, struct gm_err *err)
{
    gm_mutex_lock(view->mu);
    while (view->saving) {
        gm_cond_wait(view->saved, view->mu);
    }
    if (view->broken != GM_OK) {
        gm_rc broken = view->broken;
        *err = view->why;
        gm_mutex_unlock(view->mu);
        return broken;
    }
    view->saving = true;
    gm_view_gather(view, view->snapshot);
    gm_mutex_unlock(view->mu);
    gm_rc rc = gm_view_write(view, view->snapshot, err);
    gm_mutex_lock(view->mu);
    if (rc == GM_OK) {
        gm_view_settle(view, view->snapshot);
    } else {
        view->broken = rc;
        view->why = *err;
    }
    view->saving = false;
    gm_cond_broadcast(view->saved);
    gm_mutex_unlock(view->mu);
    return rc;
}

static void lock_all(struct gm_view *const *views, size_t count)
{
    for (size_t v = 0; v < count; v++) {
        gm_mutex_lock(views[v]->mu);
    }
}

static void unlock_all(struct gm_view *const *views, size_t count)
{
    for (size_t v = count; v > 0; v--) {
        gm_mutex_unlock(views[v - 1]->mu);
    }
}

/* Views that are folded together; their locks are held. */
struct team {
    struct gm_view *const *views;
    size_t count;
    struct gm_body_reader *reader; /* the first one's, under its lock */
};

/* Saving waits for who saves already, and nobody waits with the locks of others in hand. */
static gm_rc save_apart(const struct team *team, struct gm_view *view, struct gm_err *err)
{
    unlock_all(team->views, team->count);
    gm_rc rc = gm_view_checkpoint(view, err);
    lock_all(team->views, team->count);
    return rc;
}

/* With one parse of the body for all. */
static void fold_together(const struct team *team, int partition, const struct gm_event *event)
{
    yyjson_val *body = NULL;
    bool parsed = false;
    for (size_t v = 0; v < team->count; v++) {
        struct gm_view *view = team->views[v];
        struct gm_part *part = &view->parts[partition];
        if (event->offset < part->next || view->broken != GM_OK) {
            continue;
        }
        body = parsed ? body : gm_body_read(team->reader, event->body);
        parsed = true;
        struct gm_err err;
        gm_rc rc = fold_event(view, partition, event, body, &err);
        if (rc == GM_OK && part->windows.n > GM_VIEW_WINDOWS_MAX) {
            rc = save_apart(team, view, &err);
            parsed = false; /* the reader was anybody's meanwhile */
        }
        if (rc != GM_OK && view->broken == GM_OK) { /* it may be in one window of two */
            view->broken = rc;
            view->why = err;
        }
    }
}

gm_rc gm_views_fold(struct gm_view *const *views, size_t count, const struct gm_view_slice *slice,
                    struct gm_err *err)
{
    const struct team team = {views, count, count > 0 ? views[0]->bodies : NULL};
    gm_rc rc = GM_OK;
    lock_all(views, count);
    for (size_t i = 0; i < slice->count; i++) {
        fold_together(&team, slice->partition, &slice->events[i]);
    }
    for (size_t v = 0; v < count && rc == GM_OK; v++) {
        rc = views[v]->broken;
        *err = rc != GM_OK ? views[v]->why : *err;
    }
    unlock_all(views, count);
    return rc;
}

/* ---- life ---- */

static gm_rc check_spec(const struct gm_view_options *options, struct gm_err *err)
{
    const struct gm_view_spec *spec = options->spec;
    if (spec->value_count == 0 || spec->value_count > GM_VIEW_VALUES_MAX) {
        return gm_fail(err, GM_E_CONFIG, "view `" GM_STR_FMT "`: it needs 1 to %d values",
                       GM_STR_ARG(spec->name), GM_VIEW_VALUES_MAX);
    }
    if (spec->size > 0 &&
        (spec->size + gm_view_hop(spec) - 1) / gm_view_hop(spec) > GM_VIEW_HOPS_MAX) {
        return gm_fail(err, GM_E_CONFIG,
                       "view `" GM_STR_FMT
                       "`: an event would belong to more than %d windows; make `hop` longer",
                       GM_STR_ARG(spec->name), GM_VIEW_HOPS_MAX);
    }
    if (options->partitions < 1 || options->partitions > GM_VIEW_PARTITIONS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "view `" GM_STR_FMT "`: its stream has %d partitions",
                       GM_STR_ARG(spec->name), options->partitions);
    }
    return GM_OK;
}

static gm_rc read_paths(struct gm_view *view, struct gm_err *err)
{
    const struct gm_view_spec *spec = view->spec;
    for (size_t i = 0; i <= spec->value_count; i++) {
        bool of_key = i == spec->value_count;
        struct gm_str text = of_key ? spec->by : spec->values[i].path;
        if (of_key && text.n > 0 && text.p[0] == '$') {
            bool known =
                gm_str_is(text, "$key") || gm_str_is(text, "$origin") || gm_str_is(text, "$type");
            return known ? GM_OK
                         : gm_fail(err, GM_E_CONFIG,
                                   "view `" GM_STR_FMT "`: `by: " GM_STR_FMT
                                   "` is not known; write $key, $origin, $type or a path",
                                   GM_STR_ARG(spec->name), GM_STR_ARG(text));
        }
        if (gm_path_parse(text, &view->paths[i], err) != GM_OK) {
            return gm_fail_within(err, "view `" GM_STR_FMT "`", GM_STR_ARG(spec->name));
        }
    }
    return GM_OK;
}

static gm_rc read_conditions(struct gm_view *view, struct gm_err *err)
{
    for (size_t i = 0; i < view->spec->value_count; i++) {
        const struct gm_view_value *value = &view->spec->values[i];
        if (value->when.n > 0 && gm_condition_new(value->when, &view->whens[i], err) != GM_OK) {
            return gm_fail_within(err, "view `" GM_STR_FMT "`: `" GM_STR_FMT "`.when",
                                  GM_STR_ARG(view->spec->name), GM_STR_ARG(value->name));
        }
    }
    return GM_OK;
}

gm_rc gm_view_open(const struct gm_view_options *options, struct gm_view **out_view,
                   struct gm_err *err)
{
    GM_TRY(check_spec(options, err));
    struct gm_view *view = gm_alloc(sizeof(*view));
    view->options = *options;
    view->spec = options->spec;
    view->path_z = gm_strdup_z(options->path_z);
    view->mu = gm_mutex_new();
    view->saved = gm_cond_new();
    view->snapshot = gm_snapshot_new();
    view->numbers = gm_map_new();
    view->bodies = gm_body_reader_new();
    view->generation = 1;
    gm_buf_init(&view->text, TEXT_SIZE_MAX);
    gm_layout_init(&view->layout, view->spec);
    for (int p = 0; p < options->partitions; p++) {
        view->parts[p].last_stored = INT64_MIN;
        view->parts[p].member_numbers = gm_map_new();
    }
    gm_rc rc = read_paths(view, err);
    rc = rc == GM_OK ? read_conditions(view, err) : rc;
    rc = rc == GM_OK ? gm_view_file_open(view, err) : rc;
    view->options.ends = NULL;
    if (rc != GM_OK) {
        gm_view_close(view);
        return rc;
    }
    *out_view = view;
    return GM_OK;
}

static void close_part(struct gm_view *view, struct gm_part *part)
{
    for (size_t w = 0; w < part->windows.n; w++) {
        gm_window_free(&view->layout, part->windows.at[w]);
    }
    gm_vec_deinit(&part->windows);
    for (size_t m = 0; m < part->members.n; m++) {
        gm_vec_deinit(&part->members.at[m].at);
    }
    gm_vec_deinit(&part->members);
    gm_map_free(part->member_numbers);
}

void gm_view_close(struct gm_view *view)
{
    if (view == NULL) {
        return;
    }
    for (int p = 0; p < view->options.partitions; p++) {
        close_part(view, &view->parts[p]);
    }
    gm_db_close(view->db);
    gm_db_close(view->saver);
    gm_snapshot_free(view->snapshot);
    gm_cond_free(view->saved);
    gm_vec_deinit(&view->new_members);
    gm_vec_deinit(&view->sorted);
    gm_buf_deinit(&view->text);
    gm_map_free(view->numbers);
    for (size_t i = 0; i < view->spec->value_count; i++) {
        gm_condition_free(view->whens[i]);
    }
    gm_body_reader_free(view->bodies);
    gm_mutex_free(view->mu);
    gm_free(view->path_z);
    gm_free(view);
}

gm_rc gm_view_failure(struct gm_view *view, struct gm_err *err)
{
    gm_mutex_lock(view->mu);
    gm_rc rc = view->broken;
    if (rc != GM_OK) {
        *err = view->why;
    }
    gm_mutex_unlock(view->mu);
    return rc;
}

int64_t gm_view_next(struct gm_view *view, int partition)
{
    gm_mutex_lock(view->mu);
    int64_t next = view->parts[partition].next;
    gm_mutex_unlock(view->mu);
    return next;
}

void gm_view_regroup(struct gm_view *view)
{
    gm_mutex_lock(view->mu);
    view->generation++;
    gm_mutex_unlock(view->mu);
}

static size_t count_cells(const struct gm_part *part)
{
    size_t count = 0;
    for (size_t w = 0; w < part->windows.n; w++) {
        for (size_t p = 0; p < part->windows.at[w]->pages.n; p++) {
            count += part->windows.at[w]->pages.at[p] != NULL ? GM_VIEW_PAGE_KEYS : 0;
        }
    }
    return count;
}

void gm_view_info(struct gm_view *view, struct gm_view_info *out_info)
{
    gm_mutex_lock(view->mu);
    struct gm_view_info info = {.keys = gm_map_count(view->numbers),
                                .late = view->late,
                                .ungrouped = view->ungrouped,
                                .watermark = INT64_MAX};
    for (int p = 0; p < view->options.partitions; p++) {
        gm_ns watermark = gm_part_watermark(view, &view->parts[p]);
        info.cells += count_cells(&view->parts[p]);
        if (view->parts[p].has_latest && watermark < info.watermark) {
            info.watermark = watermark;
        }
    }
    info.watermark = info.watermark == INT64_MAX ? INT64_MIN : info.watermark;
    gm_mutex_unlock(view->mu);
    *out_info = info;
}
