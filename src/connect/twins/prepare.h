/* The form in which records travel from the worker to the writer. Private to the sink `twins`. */
#ifndef GM_CONNECT_TWINS_PREPARE_H
#define GM_CONNECT_TWINS_PREPARE_H

#include "connect/connector.h"
#include "twin/graph.h"

/* Behind record->prepared. */
struct twins_item {
    bool is_link;
    struct gm_twin_put twin;
    struct gm_link_put link;
    struct gm_str link_id; /* "source/relationship": twin ids have no '/' */
};

struct twins_sink {
    struct gm_sink_env env;
    const struct gm_model *last_model; /* of the record before: most are of one model */
    /* what the statements below belong to; NULL: not opened yet */
    struct gm_db *read_db;
    struct gm_twin_reader *twins;
    struct gm_stmt *relationships;
    struct gm_stmt *link;
};

/* Checks and encodes one record's body, or marks the record. GM_E_LIMIT when the batch's arena is
 * full. */
gm_rc twins_prepare_record(struct twins_sink *sink, struct gm_batch *batch,
                           struct gm_record *record, struct gm_err *err) GM_MUST_CHECK;

#endif
