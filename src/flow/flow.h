/* What the files of flow share: what a batch owns beside its public part. */
#ifndef GM_FLOW_FLOW_H
#define GM_FLOW_FLOW_H

#include "base/buf.h"
#include "flow/record.h"

/* Every gm_batch is the head of one of these. */
struct gm_batch_own {
    struct gm_batch batch;
    struct gm_buf scratch;             /* what one record is hashed from */
    const struct gm_shape *seed_shape; /* of row_seed; NULL: not computed since the last reset */
    uint64_t seed_of;                  /* the seed that row_seed was made from */
    uint64_t row_seed;
};

static inline struct gm_batch_own *gm_batch_own(struct gm_batch *batch)
{
    return (struct gm_batch_own *)batch;
}

#endif
