/* What records become in a sink of twins: a twin with its relationships, or one relationship;
 * checked against the models, in canonical text. Shared by the sinks that hold twins.
 *
 *     struct gm_twin_preparer preparer = {.env = *env};
 *     GM_TRY(gm_twin_items_prepare(&preparer, batch, err));
 *     const struct gm_twin_item *item = record->prepared;
 *
 * Everything lives in the batch's arena. Thread rule: one owner, the pipeline's worker. */
#ifndef GM_CONNECT_TWIN_ITEM_H
#define GM_CONNECT_TWIN_ITEM_H

#include "connect/connector.h"
#include "twin/graph.h"

/* Behind record->prepared. */
struct gm_twin_item {
    bool is_link;
    struct gm_twin_put
        twin; /* its body has nulls where something is to be removed; its text none */
    struct gm_link_put link;
    struct gm_str link_id; /* "source/relationship": twin ids have no '/' */
};

struct gm_twin_preparer {
    struct gm_sink_env env;
    const struct gm_model *last_model; /* of the record before: most are of one model */
};

/* Checks and encodes the bodies of records that are to be written, or marks the record. GM_E_LIMIT
 * when the batch's arena is full. */
gm_rc gm_twin_items_prepare(struct gm_twin_preparer *preparer, struct gm_batch *batch,
                            struct gm_err *err) GM_MUST_CHECK;

/* ---- one canonical form, for verification ---- */

/* The members that the map writes, of components too (all of them without a map), without nulls and
 * empty components; or a relationship:
 *     {"$dtId":…,"$model":…,"$relationships":[[id,name,target,properties],…],"name":value,…}
 *     ["source/id",name,target,properties]
 * What is wanted and what is there are written by the same functions: equal things have equal
 * texts. */
void gm_twin_text_link(struct gm_buf *out, struct gm_str id, const struct gm_str parts[3]);
void gm_twin_text_head(struct gm_buf *out, struct gm_str id, struct gm_str model);
/* Behind the relationships and their closing bracket. Changes `body`. */
void gm_twin_text_members(const struct gm_sink_env *env, yyjson_mut_doc *doc, yyjson_mut_val *body,
                          struct gm_buf *out);
/* The whole of what a prepared record should have made. */
void gm_twin_text_item(const struct gm_sink_env *env, struct gm_batch *batch,
                       const struct gm_record *record, struct gm_buf *out);

#endif
