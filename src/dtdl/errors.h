/* What is wrong with models: all of it, each with its kind and place.
 *
 *     gm_dtdl_report(errors, &(struct gm_dtdl_report){.kind = GM_DTDL_E_STRING_TOO_LONG,
 *                                                      .at = element, .primary = element->id,
 *                                                      .property = GM_STR("name"), .count = 64});
 *
 * The kinds are those of the DTDL parser, by whose names tools and people know them; the texts are
 * ours: what is wrong, where, and what to do about it. A text stands here once, with {property}
 * and the like where the report's fields go. */
#ifndef GM_DTDL_ERRORS_H
#define GM_DTDL_ERRORS_H

#include "base/buf.h"
#include "dtdl/error_kinds.h"
#include "dtdl/model.h"

struct gm_dtdl_element;

struct gm_dtdl_report {
    enum gm_dtdl_error_kind kind;
    const struct gm_dtdl_element *at; /* for the place in the text; NULL: the document alone */
    struct gm_str primary, secondary; /* ids of elements */
    struct gm_str property, aux_property, type, value, restriction, transformation;
    struct gm_str hint;      /* goes into the text alone */
    int64_t observed, count; /* how many there are, how many there may be */
};

/* At most GM_MODEL_ERRORS_MAX are kept, the others counted. */
void gm_dtdl_report(struct gm_model_errors *errors, const struct gm_dtdl_report *report);
/* The number of the document (the interface, among all that were given) that reports are about, and
 * what it says its @id is (p NULL: nothing); borrowed until the next one. */
void gm_dtdl_errors_document(struct gm_model_errors *errors, size_t index, struct gm_str id);
/* The first error, and how many there are besides. */
gm_rc gm_dtdl_errors_sum(const struct gm_model_errors *errors, struct gm_err *err);

#endif
