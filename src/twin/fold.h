/* A twin while its changes are applied, oldest first: its body, its relationships, and when each of
 * its properties was written.
 *
 *     struct gm_fold fold;
 *     gm_fold_init(&fold, GM_HISTORY_STATE_SIZE);
 *     for (…) { GM_TRY(gm_fold_apply(&fold, &change, err)); }   // from its creation on
 *     … fold.twin, fold.relationships …
 *     gm_fold_deinit(&fold);
 *
 * For the past of a twin (history.h) and of the graph (past.h). Thread rule: a value, one owner. */
#ifndef GM_TWIN_FOLD_H
#define GM_TWIN_FOLD_H

#include "twin/changes.h"
#include "json/json.h"

struct gm_fold {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    yyjson_mut_val *twin;          /* body and $metadata; NULL: not there */
    yyjson_mut_val *relationships; /* id → relationship, as the log has it without op and $patch */
    yyjson_mut_val *versions;      /* id → how often the relationship was written */
    yyjson_mut_val *stamps;        /* "name" or "name/member" → when it was written, if later */
    gm_ns created, updated;
    int64_t version; /* how often the twin was written */
    struct gm_buf text;
};

void gm_fold_init(struct gm_fold *fold, size_t size_max);
void gm_fold_deinit(struct gm_fold *fold);
void gm_fold_reset(struct gm_fold *fold); /* for another twin */
/* GM_E_CORRUPT: the change does not fit what came before. GM_E_LIMIT: no room. */
gm_rc gm_fold_apply(struct gm_fold *fold, const struct gm_change *change, struct gm_err *err)
    GM_MUST_CHECK;
/* When a property was written; of a component's with the component in front. */
gm_ns gm_fold_time(const struct gm_fold *fold, struct gm_str component, struct gm_str name);

#endif
