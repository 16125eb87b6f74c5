/* Values of a record by path, and the check that a table has the columns that the steps name. */
#include "step/internal.h"

#include <stdio.h>

/* Several misspelled columns are named at once, as far as an error's text reaches. */
enum { MISSING_TEXT_SIZE = GM_ERR_TEXT_SIZE - 32 };

struct gm_nearest gm_nearest_to(struct gm_str wrong)
{
    return (struct gm_nearest){.wrong = wrong, .limit = (wrong.n + 2) / 3};
}

void gm_nearest_try(struct gm_nearest *nearest, struct gm_str name)
{
    size_t distance = gm_str_same(nearest->wrong, name)
                          ? 0
                          : gm_str_distance(nearest->wrong, name, nearest->limit);
    if (distance <= nearest->limit && (nearest->best.p == NULL || distance < nearest->limit)) {
        nearest->best = name;
        nearest->limit = distance;
    }
}

const char *gm_nearest_text(const struct gm_nearest *nearest, char out[GM_NEAREST_TEXT_SIZE])
{
    out[0] = '\0';
    if (nearest->best.p != NULL && nearest->best.n < GM_NEAREST_TEXT_SIZE - 32) {
        int n = snprintf(out, GM_NEAREST_TEXT_SIZE, "; did you mean `" GM_STR_FMT "`?",
                         GM_STR_ARG(nearest->best));
        GM_ASSERT(n > 0 && n < GM_NEAREST_TEXT_SIZE);
    }
    return out;
}

static bool has_column(const struct gm_shape *shape, const struct gm_path *path)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (gm_str_eq(shape->names[i], path->segments[0]) ||
            gm_str_eq(shape->names[i], path->text)) {
            return true;
        }
    }
    return false;
}

static bool was_named_before(const struct gm_columns *columns, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (gm_str_eq(columns->paths.at[i].path->segments[0],
                      columns->paths.at[index].path->segments[0])) {
            return true;
        }
    }
    return false;
}

static void name_missing(struct gm_buf *out, const struct gm_column_path *missing,
                         const struct gm_batch *batch)
{
    struct gm_str name = missing->path->segments[0];
    struct gm_nearest nearest = gm_nearest_to(name);
    for (size_t i = 0; i < batch->shape->count; i++) {
        gm_nearest_try(&nearest, batch->shape->names[i]);
    }
    char near[GM_NEAREST_TEXT_SIZE];
    gm_buf_addf(out, "%s%s: `" GM_STR_FMT "`: no such column%s" GM_STR_FMT "%s",
                out->n > 0 ? "; " : "", missing->step_z, GM_STR_ARG(name),
                batch->origin.n > 0 ? " in " : "", GM_STR_ARG(batch->origin),
                gm_nearest_text(&nearest, near));
}

gm_rc gm_columns_check(struct gm_columns *columns, const struct gm_batch *batch, struct gm_err *err)
{
    if (columns->checked == batch->shape) {
        return GM_OK;
    }
    struct gm_buf missing;
    gm_buf_init(&missing, MISSING_TEXT_SIZE);
    for (size_t i = 0; i < columns->paths.n; i++) {
        const struct gm_column_path *path = &columns->paths.at[i];
        if (!has_column(batch->shape, path->path) && !was_named_before(columns, i)) {
            name_missing(&missing, path, batch);
        }
    }
    gm_rc rc = GM_OK;
    if (missing.n > 0) {
        rc = gm_fail(err, GM_E_CONFIG, "%s%s", missing.p,
                     gm_buf_failed(&missing) ? "; and more" : "");
    } else {
        columns->checked = batch->shape;
    }
    gm_buf_deinit(&missing);
    return rc;
}

gm_rc gm_step_get(const struct gm_step_run *run, struct gm_path *path, struct gm_cell *out_cell,
                  bool *out_absent, struct gm_err *err)
{
    *out_cell = gm_path_get(path, run->batch, run->record, out_absent);
    if (*out_absent && run->record->body == NULL && run->record->cells != NULL &&
        path->column == SIZE_MAX) {
        /* Another shape has come to lie where the one that was checked died. */
        run->columns->checked = NULL;
        GM_TRY(gm_columns_check(run->columns, run->batch, err));
        return gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "`: no such column",
                       GM_STR_ARG(path->text));
    }
    return GM_OK;
}

gm_rc gm_step_fail_at(const struct gm_step_run *run, const struct gm_path *path, struct gm_err *err)
{
    return gm_fail_within(err, "%s `" GM_STR_FMT "`",
                          run->record->body != NULL ? "member" : "column", GM_STR_ARG(path->text));
}
