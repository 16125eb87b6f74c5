/* What a record should have made, and what is there, in one canonical form: for verification.
 * Private to the sink `twins`. */
#ifndef GM_CONNECT_TWINS_READ_BACK_H
#define GM_CONNECT_TWINS_READ_BACK_H

#include "connect/twin_item.h"

struct twins_sink {
    struct gm_twin_preparer preparer;
    /* what the statements below belong to; NULL: not opened yet */
    struct gm_db *read_db;
    struct gm_twin_reader *twins;
    struct gm_stmt *relationships;
    struct gm_stmt *link;
};

gm_rc twins_expect(void *self, struct gm_batch *batch, const struct gm_record *record,
                   struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
gm_rc twins_actual(void *self, const struct gm_sink_work *work, const struct gm_sink_target *target,
                   struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
/* Before the connection is closed that was read through. */
void twins_read_back_close(struct twins_sink *sink);

#endif
