/* Reading twins by id and number. */
#include <stdio.h>

#include "base/hash.h"
#include "base/mem.h"
#include "twin/graph.h"
#include "twin_sql.h"

struct gm_twin_reader {
    struct gm_stmt *by_id;
    struct gm_stmt *by_num;
};

gm_rc gm_twin_reader_open(struct gm_db *db, struct gm_twin_reader **out_reader, struct gm_err *err)
{
    struct gm_twin_reader *reader = gm_alloc(sizeof(*reader));
    gm_rc rc = gm_db_prepare(db, GM_SQL_TWIN_BY_ID, &reader->by_id, err);
    if (rc == GM_OK) {
        rc = gm_db_prepare(db, GM_SQL_TWIN_BY_NUM, &reader->by_num, err);
    }
    if (rc != GM_OK) {
        gm_twin_reader_close(reader);
        return rc;
    }
    *out_reader = reader;
    return GM_OK;
}

void gm_twin_reader_close(struct gm_twin_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    gm_stmt_finalize(reader->by_id);
    gm_stmt_finalize(reader->by_num);
    gm_free(reader);
}

void gm_twin_reader_reset(struct gm_twin_reader *reader)
{
    gm_reset(reader->by_id);
    gm_reset(reader->by_num);
}

gm_rc gm_twin_row(struct gm_stmt *stmt, struct gm_twin *out_twin, struct gm_err *err)
{
    GM_TRY(gm_step(stmt, err));
    *out_twin = (struct gm_twin){
        .num = gm_column_i64(stmt, 0),
        .id = gm_column_text(stmt, 1),
        .version = gm_column_i64(stmt, 2),
        .last_change = gm_column_i64(stmt, 3),
        .created = gm_column_i64(stmt, 4),
        .updated = gm_column_i64(stmt, 5),
        .sources = gm_column_i64(stmt, 6),
        .creator = gm_column_i64(stmt, 7),
        .times = gm_column_text(stmt, 8),
        .body = gm_column_text(stmt, 9),
    };
    return GM_OK;
}

gm_rc gm_twin_by_id(struct gm_twin_reader *reader, struct gm_str id, struct gm_twin *out_twin,
                    struct gm_err *err)
{
    gm_reset(reader->by_id);
    gm_bind_text(reader->by_id, 1, id);
    return gm_twin_row(reader->by_id, out_twin, err);
}

gm_rc gm_twin_by_num(struct gm_twin_reader *reader, int64_t num, struct gm_twin *out_twin,
                     struct gm_err *err)
{
    gm_reset(reader->by_num);
    gm_bind_i64(reader->by_num, 1, num);
    return gm_twin_row(reader->by_num, out_twin, err);
}

size_t gm_twin_etag(int64_t num, int64_t version, char out[GM_ETAG_SIZE])
{
    const int64_t parts[2] = {num, version};
    struct gm_hash128 hash = gm_hash128((struct gm_str){(const char *)parts, sizeof(parts)}, 0);
    int n = snprintf(out, GM_ETAG_SIZE, "W/\"%08x-%04x-%04x-%04x-%012llx\"",
                     (unsigned)(hash.high >> 32), (unsigned)(hash.high >> 16) & 0xffff,
                     (unsigned)hash.high & 0xffff, (unsigned)(hash.low >> 48),
                     (unsigned long long)hash.low & 0xffffffffffffULL);
    return (size_t)n;
}
