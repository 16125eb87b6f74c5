/* What finding and deciding share: when an object is due. Internal to this folder. */
#ifndef GM_SYNC_SWEEP_INTERNAL_H
#define GM_SYNC_SWEEP_INTERNAL_H

#include "sync/dead_letter.h"
#include "sync/sweep.h"

/* Missed in this many runs at least, and first missed at this time or before. */
struct gm_sweep_bounds {
    int64_t runs_min;
    gm_ns since_max;
};
struct gm_sweep_bounds gm_sweep_bounds(const struct gm_sweep_task *task);

/* Why the run's misses do not count; NULL: they do. */
const char *gm_sweep_distrust_z(const struct gm_sweep_task *task);

#endif
