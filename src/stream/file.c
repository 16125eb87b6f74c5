/* The file: its tables, and finding chunks in it. */
#include "os/file.h"
#include "base/mem.h"
#include "os/process.h"
#include "stream/inside.h"
#include "stream_sql.h"

enum { FORMAT = 1, WRITER_CACHE_SIZE = 8 << 20, READER_CACHE_SIZE = 2 << 20 };

static gm_rc put_fact(struct gm_db *db, const char *name_z, int64_t value, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_FACT_PUT, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(name_z));
    gm_bind_i64(stmt, 2, value);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc get_fact(struct gm_db *db, const char *name_z, int64_t *out_value, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_FACT_GET, &stmt, err));
    gm_bind_text(stmt, 1, gm_str_z(name_z));
    gm_rc rc = gm_step(stmt, err);
    *out_value = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
    gm_reset(stmt);
    return rc == GM_E_END ? gm_fail(err, GM_E_CORRUPT, "this is no stream") : rc;
}

/* Drawn once, for good. */
static gm_rc put_identity(struct gm_db *db, struct gm_err *err)
{
    int64_t identity;
    gm_random_bytes(&identity, sizeof(identity));
    return put_fact(db, "identity", identity, err);
}

static gm_rc make_partitions(struct gm_stream *stream, struct gm_err *err)
{
    struct gm_stmt *stmt;
    for (int p = 0; p < stream->partition_count; p++) {
        GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_PARTITION_PUT, &stmt, err));
        gm_bind_i64(stmt, 1, p);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc make_tables(struct gm_stream *stream, struct gm_err *err)
{
    static const char *const tables[] = {
        GM_SQL_STREAM_CREATE_FACTS,     GM_SQL_STREAM_CREATE_PARTITIONS,
        GM_SQL_STREAM_CREATE_CHUNKS,    GM_SQL_STREAM_CREATE_ORIGINS,
        GM_SQL_STREAM_CREATE_VERSIONS,  GM_SQL_STREAM_CREATE_ENTITY_EVENTS,
        GM_SQL_STREAM_CREATE_SNAPSHOTS, GM_SQL_STREAM_CREATE_CONSUMERS,
        GM_SQL_STREAM_CREATE_LINKS,     GM_SQL_STREAM_CREATE_STATES,
        GM_SQL_STREAM_CREATE_RECEIPTS,
    };
    const struct gm_stream_options *options = &stream->options;
    int64_t format, partitions, versions, identity;
    for (size_t i = 0; i < GM_ARRAY_COUNT(tables); i++) {
        GM_TRY(gm_db_exec(stream->db, tables[i], err));
    }
    GM_TRY(put_fact(stream->db, "format", FORMAT, err));
    GM_TRY(
        put_fact(stream->db, "partitions", options->partitions > 0 ? options->partitions : 1, err));
    GM_TRY(put_fact(stream->db, "versions", options->versions, err));
    GM_TRY(put_identity(stream->db, err));
    GM_TRY(get_fact(stream->db, "identity", &identity, err));
    GM_TRY(get_fact(stream->db, "format", &format, err));
    GM_TRY(get_fact(stream->db, "partitions", &partitions, err));
    GM_TRY(get_fact(stream->db, "versions", &versions, err));
    if (format != FORMAT) {
        return gm_fail(err, GM_E_CONFIG, "it was written by a newer Gemel (format %lld)",
                       (long long)format);
    }
    if (partitions < 1 || partitions > GM_STREAM_PARTITIONS_MAX) {
        return gm_fail(err, GM_E_CORRUPT, "it says that it has %lld partitions",
                       (long long)partitions);
    }
    if (options->partitions > 0 && options->partitions != partitions) {
        return gm_fail(err, GM_E_CONFIG,
                       "it was made with %lld partitions, not %d; that cannot be changed",
                       (long long)partitions, options->partitions);
    }
    if (options->versions && versions == 0) {
        return gm_fail(err, GM_E_CONFIG, "it was made without versions; that cannot be changed");
    }
    stream->partition_count = (int)partitions;
    stream->has_versions = versions != 0;
    stream->identity = (uint64_t)identity;
    return make_partitions(stream, err);
}

gm_rc gm_stream_file_open(struct gm_stream *stream, struct gm_err *err)
{
    const struct gm_stream_options *options = &stream->options;
    const char *slash = strrchr(options->path_z, '/');
    if (slash != NULL && slash != options->path_z) {
        GM_AUTO_FREE char *folder_z =
            gm_str_dup_z((struct gm_str){options->path_z, (size_t)(slash - options->path_z)});
        GM_TRY(gm_folder_make(folder_z, err));
    }
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", options->path_z);
    GM_TRY(gm_db_open(&(struct gm_db_options){.url_z = url_z,
                                              .mode = GM_DB_WRITE,
                                              .cache_bytes = WRITER_CACHE_SIZE,
                                              .vfs_z = options->vfs_z},
                      &stream->db, err));
    GM_TRY(gm_db_begin(stream->db, err));
    gm_rc rc = make_tables(stream, err);
    rc = rc == GM_OK ? gm_db_commit(stream->db, err) : rc;
    if (rc != GM_OK) {
        gm_db_rollback(stream->db);
        return gm_fail_within(err, "%s", options->path_z);
    }
    return GM_OK;
}

static gm_rc look(struct gm_stream *stream, struct gm_db *db, struct gm_err *err)
{
    int64_t format, partitions, versions;
    GM_TRY(get_fact(db, "format", &format, err));
    GM_TRY(get_fact(db, "partitions", &partitions, err));
    GM_TRY(get_fact(db, "versions", &versions, err));
    if (format != FORMAT || partitions < 1 || partitions > GM_STREAM_PARTITIONS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "it was written by a newer Gemel (format %lld)",
                       (long long)format);
    }
    stream->partition_count = (int)partitions;
    stream->has_versions = versions != 0;
    return gm_stream_consumers_load(stream, db, err);
}

gm_rc gm_stream_file_look(struct gm_stream *stream, struct gm_err *err)
{
    struct gm_db *db;
    GM_TRY(gm_stream_file_reader(&stream->options, &db, err));
    gm_rc rc = look(stream, db, err);
    gm_db_close(db);
    return rc == GM_OK ? rc : gm_fail_within(err, "%s", stream->path_z);
}

gm_rc gm_stream_file_reader(const struct gm_stream_options *options, struct gm_db **out_db,
                            struct gm_err *err)
{
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", options->path_z);
    return gm_db_open(&(struct gm_db_options){.url_z = url_z,
                                              .mode = GM_DB_READ,
                                              .cache_bytes = READER_CACHE_SIZE,
                                              .vfs_z = options->vfs_z},
                      out_db, err);
}

gm_rc gm_stream_chunk_at(struct gm_stmt *stmt, const struct gm_stream_place *place,
                         struct gm_chunk *out_chunk, struct gm_err *err)
{
    gm_reset(stmt);
    gm_bind_i64(stmt, 1, gm_place(place->partition, place->offset));
    gm_bind_i64(stmt, 2, gm_place(place->partition, 0));
    GM_TRY(gm_step(stmt, err));
    *out_chunk = (struct gm_chunk){.first = gm_place_offset(gm_column_i64(stmt, 0)),
                                   .count = gm_column_i64(stmt, 1),
                                   .codec = gm_column_i64(stmt, 2),
                                   .size = gm_column_i64(stmt, 3),
                                   .checksum = gm_column_i64(stmt, 4),
                                   .data = gm_column_blob(stmt, 6)};
    return GM_OK;
}

gm_rc gm_stream_corrupt(const char *path_z, int partition, const struct gm_chunk *chunk,
                        struct gm_err *err)
{
    return gm_fail_within(err, "%s: partition %d, chunk of events %lld to %lld is damaged", path_z,
                          partition, (long long)chunk->first,
                          (long long)(chunk->first + chunk->count - 1));
}
