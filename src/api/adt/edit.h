/* Single edits of the graph on behalf of a call. For this folder.
 *
 *     struct gm_edit *edit = gm_adt_edit_new(call, GM_EDIT_PATCH_TWIN);
 *     if (gm_adt_condition(call, edit) && (edit->value = gm_adt_body(call)) != NULL) {
 *         gm_adt_edit(call, edit);                          // ends the call
 *     }
 *
 * The edit runs on the store's writer; its outcome becomes the answer: 200 with the resource and
 * its ETag for a PUT, 204 with the ETag for a PATCH, 204 for a DELETE, or the service's error. */
#ifndef GM_API_ADT_EDIT_H
#define GM_API_ADT_EDIT_H

#include "api/adt/call.h"
#include "twin/edit.h"

/* With the path's parts, as far as the kind has them, and the configured limits. */
struct gm_edit *gm_adt_edit_new(struct gm_adt_call *call, enum gm_edit_kind kind);
/* If-Match or, of a PUT, If-None-Match. False: the header is wrong, and the call is ended. */
bool gm_adt_condition(struct gm_adt_call *call, struct gm_edit *edit);
/* ends */
void gm_adt_edit(struct gm_adt_call *call, struct gm_edit *edit);

/* ends: the service's sentences, for reads as well. */
void gm_adt_refuse_no_twin(struct gm_adt_call *call);         /* the first part of the path */
void gm_adt_refuse_no_relationship(struct gm_adt_call *call); /* and the second */
void gm_adt_refuse_no_component(struct gm_adt_call *call);

#endif
