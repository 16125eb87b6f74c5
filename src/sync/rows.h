/* What the files of this part share about statements. Internal to this folder. */
#ifndef GM_SYNC_ROWS_H
#define GM_SYNC_ROWS_H

#include "base/hash.h"
#include "db/db.h"

/* For statements with RETURNING, or whose result is one row: the first column of the first row.
 * GM_E_END: no row. */
gm_rc gm_step_number(struct gm_stmt *stmt, int64_t *out_number, struct gm_err *err) GM_MUST_CHECK;

/* Finalizes at the end of the scope: for results that are handed to callbacks. */
void gm_stmt_cleanup(struct gm_stmt **stmt);
#define GM_AUTO_STMT __attribute__((cleanup(gm_stmt_cleanup)))

/* The bytes live in `bytes` until the next reset. */
void gm_bind_hash(struct gm_stmt *stmt, int index, struct gm_hash128 hash,
                  uint8_t bytes[GM_HASH128_SIZE]);
/* GM_E_CORRUPT when the column does not hold 16 bytes; the text names `key`. */
gm_rc gm_column_hash(const struct gm_stmt *stmt, int index, struct gm_str key,
                     struct gm_hash128 *out_hash, struct gm_err *err) GM_MUST_CHECK;

/* Null stands for 0. */
static inline void gm_bind_number_or_null(struct gm_stmt *stmt, int index, int64_t v)
{
    if (v != 0) {
        gm_bind_i64(stmt, index, v);
    } else {
        gm_bind_null(stmt, index);
    }
}

#endif
