/* The bound values of a prepared statement in the form PostgreSQL's protocol takes them, without
 * its client library. Internal to this folder.
 *
 * Texts for text types go in binary form, which is the text itself: no copy and no NUL behind it.
 * Numbers go in binary form when the server expects exactly that type. Everything else goes as
 * text, which the server converts. Thread rule: its statement's. */
#ifndef GM_DB_PG_PARAMS_H
#define GM_DB_PG_PARAMS_H

#include "base/buf.h"
#include "base/num.h"

struct gm_pg_scratch {
    struct gm_buf copy; /* texts of other types, with their NUL */
    char number[GM_NUM_TEXT_SIZE];
};

struct gm_pg_params {
    int count;
    const char **values; /* as PQsendQueryPrepared takes them */
    int *lengths;
    int *formats;
    unsigned *types; /* what the server expects; written by the statement after init */
    struct gm_pg_scratch *scratch;
    int bad_index;            /* the first refused bind, to be reported by the next step; 0: none */
    const char *bad_reason_z; /* NULL: there is no such parameter */
};

void gm_pg_params_init(struct gm_pg_params *params, int count);
void gm_pg_params_deinit(struct gm_pg_params *params);

/* Indexes count from 1. Texts and blobs are borrowed until they are bound anew. */
void gm_pg_set_null(struct gm_pg_params *params, int index);
void gm_pg_set_i64(struct gm_pg_params *params, int index, int64_t v);
void gm_pg_set_double(struct gm_pg_params *params, int index, double v);
void gm_pg_set_text(struct gm_pg_params *params, int index, struct gm_str v);
void gm_pg_set_blob(struct gm_pg_params *params, int index, struct gm_str v);

#endif
