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

/* What stands behind each gm_model. */
struct gm_dtdl_model {
    struct gm_model model; /* first, so that one can be had from the other */
    struct gm_dtdl_contents contents;

    /* While the set is made. */
    struct gm_dtdl_element *element;
    const struct gm_content *own; /* declared by itself, in byte order of their names */
    size_t own_count;
    enum gm_dtdl_visit visit;
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

/* Makes models of the interfaces, whose graph is without errors. What values in definitions are
 * wrong goes to parser->errors. GM_E_LIMIT: the set takes too much memory. */
gm_rc gm_dtdl_build(struct gm_models *models, struct gm_dtdl_parser *parser, struct gm_err *err)
    GM_MUST_CHECK;
/* The schema that an element is. NULL: no memory. */
const struct gm_schema *gm_dtdl_schema_build(struct gm_arena *arena,
                                             struct gm_dtdl_element *element);

/* The index for contents in byte order of their names. False: no memory. */
bool gm_dtdl_contents_index(struct gm_arena *arena, const struct gm_content *contents, size_t count,
                            struct gm_dtdl_contents *out_contents) GM_MUST_CHECK;
/* Binary search; NULL: none. */
const struct gm_content *gm_dtdl_content_search(const struct gm_content *contents, size_t count,
                                                struct gm_str name);

/* ` (did you mean "…"?)` for the member nearest to a wrong name, or nothing. */
enum { GM_DTDL_HINT_SIZE = 160 };
const char *gm_dtdl_content_hint_z(const struct gm_content *contents, size_t count,
                                   struct gm_str name, char out[GM_DTDL_HINT_SIZE]);

#endif
