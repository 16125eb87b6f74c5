/* What the files of single edits share. Not for others. */
#ifndef GM_TWIN_EDIT_INTERNAL_H
#define GM_TWIN_EDIT_INTERNAL_H

#include "twin/edit.h"
#include "twin/graph_internal.h"
#include "twin/times.h"

/* A twin's edit on its way. */
struct gm_edit_work {
    struct gm_graph *graph;
    struct gm_edit *edit;
    struct gm_twin row; /* as it is; num 0: there is none */
    /* of the row, and after the edit; NULL: the store has that model no more */
    const struct gm_model *old_model, *model;
    yyjson_mut_val *body;  /* after the edit */
    yyjson_mut_val *times; /* of the row, parsed; NULL: none */
    yyjson_mut_val
        *sources; /* path → source time's text, or null: none any more; NULL: none said */
    bool whole;   /* all of it is said anew */
    bool check_components;         /* whether all are there */
    GM_VEC(struct gm_str) touched; /* paths as in `times`; of a component as a whole its name */
};

/* Sets the outcome and returns GM_OK: nothing was written. */
gm_rc gm_edit_refuse(struct gm_edit *edit, enum gm_edit_outcome outcome);
/* A failure of memory or the store is returned; one of the value is the outcome, and `why` holds
 * the text. */
gm_rc gm_edit_refuse_value(struct gm_edit *edit, enum gm_edit_outcome outcome, gm_rc rc,
                           struct gm_err *err);
/* As gm_edit_refuse, with a text for `why`. */
#define gm_edit_refuse_with(edit, outcome, ...)                                                    \
    ((void)gm_fail(&(edit)->why, GM_E_INVALID, __VA_ARGS__), gm_edit_refuse((edit), (outcome)))
/* Whether the edit was refused: its functions go on until then. */
static inline bool gm_edit_refused(const struct gm_edit *edit)
{
    return edit->outcome != GM_EDIT_DONE;
}

/* Whether what is of the model can be edited. */
static inline bool gm_edit_has_model(const struct gm_model *model)
{
    return model != NULL && model->uploaded != GM_MODEL_GONE;
}

/* Looks at the condition. `etag` of what is there; n 0: nothing is. */
void gm_edit_check_condition(struct gm_edit *edit, struct gm_str etag);

/* edit_patch.c: applies edit->value to work->body, sources and touched; finds work->model. */
gm_rc gm_edit_apply_patch(struct gm_edit_work *work, struct gm_err *err);
/* Appends the operations of a patch that was applied, as the log has them: without the array's
 * brackets, without what says source times. */
void gm_edit_write_patch(const struct gm_edit_work *work, struct gm_buf *out);

/* One operation on a value, RFC 6902. */
struct gm_edit_operation {
    struct gm_str op, path;
    yyjson_mut_val *value; /* NULL: none */
};
/* Reads the operation; refuses. */
bool gm_edit_read_operation(struct gm_edit *edit, yyjson_mut_val *item,
                            struct gm_edit_operation *out_operation);
/* Applies it below `*root`; `path` is the rest of operation->path that leads from there.
 * Refuses. */
gm_rc gm_edit_apply_operation(struct gm_edit *edit, yyjson_mut_val *root, struct gm_str path,
                              const struct gm_edit_operation *operation, struct gm_err *err);

/* edit_relationship.c */
gm_rc gm_edit_relationship(struct gm_graph *graph, struct gm_edit *edit, struct gm_err *err)
    GM_MUST_CHECK;

#endif
