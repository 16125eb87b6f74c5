/* Inside of dtdl/: what a set of models is made of, and how elements become models. */
#ifndef GM_DTDL_SET_H
#define GM_DTDL_SET_H

#include "base/map.h"
#include "dtdl/element.h"
#include "dtdl/model.h"

/* Contents of a model, with an index by name. Models that add nothing to their only base share its
 * table. */
struct gm_dtdl_contents {
    const struct gm_content *at; /* in byte order of their names */
    size_t count;
    const uint32_t *slots; /* open addressing by hash of the name: position + 1; 0: empty */
    uint32_t slot_mask;
};

enum gm_dtdl_state { GM_DTDL_STATE_NEW, GM_DTDL_STATE_OPEN, GM_DTDL_STATE_DONE };

/* What stands behind each gm_model. */
struct gm_dtdl_model {
    struct gm_model model; /* first, so that one can be had from the other */
    struct gm_dtdl_contents contents;

    /* While the set is made. */
    struct gm_dtdl_element *element;
    enum gm_dtdl_state state;
    int depth; /* levels of bases above */
};

struct gm_models {
    struct gm_arena *arena;
    struct gm_map *by_id; /* id → struct gm_dtdl_model */
    struct gm_dtdl_model *
        *order; /* stored ones by number, then the others in the order they came */
    size_t count;
    size_t stored_count;
};

static inline struct gm_dtdl_model *gm_dtdl_set_find(const struct gm_models *models,
                                                     struct gm_str id)
{
    return gm_map_get_ptr(models->by_id, id);
}

/* Makes models of all elements of the set. On failure the set is only good for being freed. */
gm_rc gm_dtdl_resolve(struct gm_models *models, struct gm_err *err) GM_MUST_CHECK;

enum { GM_DTDL_SCHEMA_DEPTH_MAX = 5 };

/* The member `schema` of `element`, which is part of `owner`, whose bases are resolved. */
struct gm_dtdl_schema_use {
    const struct gm_schema *schema;
    int depth;   /* levels of schemas in it: 0 for a primitive one */
    bool arrays; /* is or holds an array */
};
gm_rc gm_dtdl_schema_resolve(const struct gm_models *models, const struct gm_dtdl_model *owner,
                             const struct gm_dtdl_element *element,
                             struct gm_dtdl_schema_use *out_use, struct gm_err *err) GM_MUST_CHECK;
/* Those of the interface's section `schemas`, used or not. */
gm_rc gm_dtdl_schema_resolve_all(const struct gm_models *models, const struct gm_dtdl_model *owner,
                                 struct gm_err *err) GM_MUST_CHECK;

/* The index for contents in byte order of their names. */
gm_rc gm_dtdl_contents_index(struct gm_arena *arena, const struct gm_content *contents,
                             size_t count, struct gm_dtdl_contents *out_contents,
                             struct gm_err *err) GM_MUST_CHECK;
/* Binary search; NULL: none. */
const struct gm_content *gm_dtdl_content_search(const struct gm_content *contents, size_t count,
                                                struct gm_str name);

/* ` (did you mean "…"?)` for the member nearest to a wrong name, or nothing. */
enum { GM_DTDL_HINT_SIZE = 160 };
const char *gm_dtdl_content_hint_z(const struct gm_content *contents, size_t count,
                                   struct gm_str name, char out[GM_DTDL_HINT_SIZE]);

#endif
