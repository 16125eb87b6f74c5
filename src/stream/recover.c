/* What is known of a stream when it is opened: offsets, and which events were taken. */
#include "stream/inside.h"
#include "stream_sql.h"

static gm_rc read_partition(struct gm_stream *stream, int number, int64_t *out_mark,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_PARTITION_GET, &stmt, err));
    gm_bind_i64(stmt, 1, number);
    GM_TRY(gm_step(stmt, err));
    struct gm_partition *partition = &stream->partitions[number];
    partition->next = partition->ordered = gm_column_i64(stmt, 0);
    *out_mark = gm_column_i64(stmt, 1);
    gm_reset(stmt);
    return GM_OK;
}

static gm_rc load_origins(struct gm_stream *stream, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_ORIGINS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_str bits = gm_column_blob(stmt, 2);
        struct gm_origin_row row = {.origin = gm_column_text(stmt, 0),
                                    .high = (uint64_t)gm_column_i64(stmt, 1)};
        if (bits.n != GM_ORIGIN_BITS_SIZE) {
            gm_reset(stmt);
            return gm_fail(err, GM_E_CORRUPT, "%s: what is known of an origin is damaged",
                           stream->path_z);
        }
        memcpy(row.bits, bits.p, sizeof(row.bits));
        gm_dedupe_load(stream->dedupe, &row);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc load_links(struct gm_stream *stream, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_LINKS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        (void)gm_map_set(stream->links, gm_column_text(stmt, 0), (uint64_t)gm_column_i64(stmt, 1));
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* Takes the events of one partition again, from `from` on. A damaged chunk is passed over: its
 * events cannot be told, those who read it will hear of it. */
static gm_rc take_again(struct gm_stream *stream, int number, int64_t from, struct gm_err *err)
{
    struct gm_stream_reader *reader;
    const struct gm_event *events;
    size_t count;
    gm_rc rc = GM_OK;
    GM_TRY(gm_stream_reader_open(stream, &(struct gm_stream_place){number, from}, &reader, err));
    while (rc == GM_OK) {
        rc = gm_stream_read(reader, &events, &count, err);
        for (size_t i = 0; i < count && rc == GM_OK; i++) {
            (void)gm_dedupe_take(stream->dedupe, &events[i]);
        }
        if (rc == GM_E_CORRUPT) {
            gm_stream_skip_damaged(reader);
            rc = GM_OK;
        } else if (rc == GM_E_LIMIT) {
            gm_stream_seek(reader, -1);
            rc = GM_OK;
        }
    }
    gm_stream_reader_close(reader);
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_stream_recover(struct gm_stream *stream, struct gm_err *err)
{
    int64_t marks[GM_STREAM_PARTITIONS_MAX] = {0};
    GM_TRY(load_origins(stream, err));
    GM_TRY(load_links(stream, err));
    GM_TRY(gm_stream_consumers_load(stream, stream->db, err));
    for (int p = 0; p < stream->partition_count; p++) {
        GM_TRY(read_partition(stream, p, &marks[p], err));
    }
    for (int p = 0; p < stream->partition_count; p++) {
        int64_t ids = stream->partitions[p].next - GM_STREAM_IDS_MAX / stream->partition_count;
        int64_t from = ids < marks[p] ? ids : marks[p];
        GM_TRY(take_again(stream, p, from > 0 ? from : 0, err));
    }
    return GM_OK;
}
