/* Small things that statements need. */
#include "sync/rows.h"

gm_rc gm_step_number(struct gm_stmt *stmt, int64_t *out_number, struct gm_err *err)
{
    GM_TRY(gm_step(stmt, err));
    int64_t number = gm_column_i64(stmt, 0);
    gm_rc rc = gm_step(stmt, err); /* to the end: only then is a RETURNING statement complete */
    if (rc != GM_E_END) {
        gm_reset(stmt);
        return rc == GM_OK ? gm_fail(err, GM_E_CORRUPT, "two rows where one belongs") : rc;
    }
    *out_number = number;
    return GM_OK;
}

void gm_stmt_cleanup(struct gm_stmt **stmt)
{
    gm_stmt_finalize(*stmt);
}

void gm_bind_hash(struct gm_stmt *stmt, int index, struct gm_hash128 hash,
                  uint8_t bytes[GM_HASH128_SIZE])
{
    gm_hash128_store(hash, bytes);
    gm_bind_blob(stmt, index, (struct gm_str){(const char *)bytes, GM_HASH128_SIZE});
}

gm_rc gm_column_hash(const struct gm_stmt *stmt, int index, struct gm_str key,
                     struct gm_hash128 *out_hash, struct gm_err *err)
{
    struct gm_str bytes = gm_column_blob(stmt, index);
    if (bytes.n != GM_HASH128_SIZE) {
        return gm_fail(err, GM_E_CORRUPT,
                       "sync state of key \"" GM_STR_FMT "\": its hash has %zu bytes, not %d; "
                       "restore the store from a backup",
                       GM_STR_ARG(key), bytes.n, GM_HASH128_SIZE);
    }
    *out_hash = gm_hash128_load((const uint8_t *)bytes.p);
    return GM_OK;
}
