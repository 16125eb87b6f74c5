/* Quantiles with a relative error of at most 1 %: DDSketch (Masson, Rim and Lee, VLDB 2019,
 * https://arxiv.org/abs/1908.10693). Counts are whole numbers, so that a sketch does not depend on
 * the order of its values, nor a merged one on the order of merging. Internal to this folder.
 *
 * Positive and negative values have buckets of their own, by the logarithm of their size; what is
 * smaller than 1e-9 in size is zero. At most GM_SKETCH_BUCKETS_MAX buckets: then the smallest ones
 * of a sign are joined. */
#ifndef GM_VIEW_SKETCH_H
#define GM_VIEW_SKETCH_H

#include "base/buf.h"

enum { GM_SKETCH_BUCKETS_MAX = 2048 };

struct gm_sketch;
/* *sketch NULL: it has no values yet. */
void gm_sketch_add(struct gm_sketch **sketch, double value);
void gm_sketch_merge(struct gm_sketch **sketch, const struct gm_sketch *other);
void gm_sketch_free(struct gm_sketch *sketch); /* NULL is fine */
/* The value at `quantile` (0 … 1), of a sketch that has values. */
double gm_sketch_quantile(const struct gm_sketch *sketch, double quantile);

void gm_sketch_encode(const struct gm_sketch *sketch, struct gm_buf *out);
/* False: the bytes are no sketch. */
bool gm_sketch_decode(struct gm_reader *reader, struct gm_sketch **out_sketch) GM_MUST_CHECK;

#endif
