/* Figures of a stream, and looking for damage. */
#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"

static gm_rc read_figures(struct gm_db *db, int partition, struct gm_stream_info *info,
                          struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_PARTITION_GET, &stmt, err));
    gm_bind_i64(stmt, 1, partition);
    GM_TRY(gm_step(stmt, err));
    info->next = gm_column_i64(stmt, 0);
    info->chunks = gm_column_i64(stmt, 2);
    info->data_bytes = (uint64_t)gm_column_i64(stmt, 3);
    info->body_bytes = (uint64_t)gm_column_i64(stmt, 4);
    gm_reset(stmt);
    return GM_OK;
}

/* The chunk at one end of a partition; nothing is set when there is none. */
struct end {
    const char *sql_z;
    int64_t offset;
    gm_ns appended;
};

static gm_rc read_end(struct gm_db *db, int partition, struct end *end, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, end->sql_z, &stmt, err));
    gm_bind_i64(stmt, 1, gm_place(partition, 0));
    gm_bind_i64(stmt, 2, gm_place(partition + 1, 0));
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        end->offset = gm_place_offset(gm_column_i64(stmt, 0));
        end->appended = gm_column_i64(stmt, 2);
        gm_reset(stmt);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc read_info(struct gm_db *db, int partition, struct gm_stream_info *info,
                       struct gm_err *err)
{
    GM_TRY(read_figures(db, partition, info, err));
    struct end oldest = {.sql_z = GM_SQL_STREAM_CHUNK_OLDEST, .offset = info->next};
    struct end newest = {.sql_z = GM_SQL_STREAM_CHUNK_NEWEST};
    GM_TRY(read_end(db, partition, &oldest, err));
    GM_TRY(read_end(db, partition, &newest, err));
    info->oldest = oldest.offset;
    info->first_appended = oldest.appended;
    info->last_appended = newest.appended;
    return GM_OK;
}

gm_rc gm_stream_info(struct gm_stream *stream, int partition, struct gm_stream_info *out_info,
                     struct gm_err *err)
{
    struct gm_db *db;
    struct gm_stream_info info = {0};
    GM_TRY(gm_stream_file_reader(&stream->options, &db, err));
    gm_rc rc = read_info(db, partition, &info, err);
    gm_db_close(db);
    *out_info = info;
    return rc;
}

gm_rc gm_stream_version(struct gm_stream *stream, struct gm_str key, int64_t *out_version,
                        struct gm_err *err)
{
    struct gm_db *db;
    struct gm_stmt *stmt;
    GM_TRY(gm_stream_file_reader(&stream->options, &db, err));
    gm_rc rc = gm_db_prepare_once(db, GM_SQL_STREAM_VERSION_GET, &stmt, err);
    if (rc == GM_OK) {
        gm_bind_text(stmt, 1, key);
        rc = gm_step(stmt, err);
        *out_version = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
    }
    gm_db_close(db);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- damage ---- */

struct inspection {
    const char *path_z;
    struct gm_unpacker *unpacker;
    void (*damaged)(void *ctx, const struct gm_stream_damage *damage);
    void *ctx;
};

static void inspect(const struct inspection *inspection, struct gm_stmt *stmt)
{
    int64_t place = gm_column_i64(stmt, 0);
    const struct gm_chunk chunk = {.first = gm_place_offset(place),
                                   .count = gm_column_i64(stmt, 1),
                                   .codec = gm_column_i64(stmt, 2),
                                   .size = gm_column_i64(stmt, 3),
                                   .checksum = gm_column_i64(stmt, 4),
                                   .data = gm_column_blob(stmt, 6)};
    const struct gm_events *events;
    struct gm_err why = {0};
    if (gm_unpacker_unpack(inspection->unpacker, &chunk, &events, &why) == GM_OK) {
        return;
    }
    const struct gm_stream_damage damage = {.partition = (int)(place >> GM_STREAM_PLACE_BITS),
                                            .first = chunk.first,
                                            .count = chunk.count,
                                            .text_z = why.text};
    inspection->damaged(inspection->ctx, &damage);
}

gm_rc gm_stream_check(const char *path_z,
                      void (*damaged)(void *ctx, const struct gm_stream_damage *damage), void *ctx,
                      struct gm_err *err)
{
    struct inspection inspection = {path_z, gm_unpacker_new(), damaged, ctx};
    struct gm_db *db;
    struct gm_stmt *stmt;
    const struct gm_stream_options options = {.path_z = path_z};
    gm_rc rc = gm_stream_file_reader(&options, &db, err);
    if (rc == GM_OK) {
        rc = gm_db_prepare_once(db, GM_SQL_STREAM_CHUNKS_ALL, &stmt, err);
        while (rc == GM_OK && (rc = gm_step(stmt, err)) == GM_OK) {
            inspect(&inspection, stmt);
        }
        gm_db_close(db);
    }
    gm_unpacker_free(inspection.unpacker);
    return rc == GM_E_END ? GM_OK : rc;
}
