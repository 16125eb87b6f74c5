/* The committing thread: one transaction a group, then everybody hears of it. */
#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"

/* ---- one group into the file ---- */

/* Chunks whose frames are in the new one go; *out_bytes is what they had. */
static gm_rc remove_replaced(struct gm_stream *stream, const struct gm_group_part *part,
                             int64_t *out_bytes, struct gm_err *err)
{
    struct gm_stmt *stmt;
    *out_bytes = 0;
    if (part->replaced_count == 0) {
        return GM_OK;
    }
    int64_t from = gm_place(part->partition, part->chunk.first);
    int64_t to = gm_place(part->partition, part->chunk.first + part->chunk.count);
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CHUNKS_SIZE, &stmt, err));
    gm_bind_i64(stmt, 1, from);
    gm_bind_i64(stmt, 2, to);
    GM_TRY(gm_step(stmt, err));
    *out_bytes = gm_column_i64(stmt, 0);
    gm_reset(stmt);
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CHUNKS_REPLACE, &stmt, err));
    gm_bind_i64(stmt, 1, from);
    gm_bind_i64(stmt, 2, to);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc insert_chunk(struct gm_stream *stream, const struct gm_group *group,
                          const struct gm_group_part *part, struct gm_err *err)
{
    struct gm_stmt *stmt;
    const struct gm_chunk *chunk = &part->chunk;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CHUNK_INSERT, &stmt, err));
    gm_bind_i64(stmt, 1, gm_place(part->partition, chunk->first));
    gm_bind_i64(stmt, 2, chunk->count);
    gm_bind_i64(stmt, 3, chunk->codec);
    gm_bind_i64(stmt, 4, chunk->size);
    gm_bind_i64(stmt, 5, chunk->checksum);
    gm_bind_i64(stmt, 6, part->first_time);
    gm_bind_i64(stmt, 7, part->last_time);
    gm_bind_i64(stmt, 8, part->appended);
    gm_bind_blob(stmt, 9, (struct gm_str){group->packed.p + part->data_at, part->data_size});
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_stream_add_figures(struct gm_stream *stream, const struct gm_figures *figures,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_PARTITION_ADD, &stmt, err));
    gm_bind_i64(stmt, 1, figures->partition);
    gm_bind_i64(stmt, 2, figures->next);
    gm_bind_i64(stmt, 3, figures->chunks);
    gm_bind_i64(stmt, 4, figures->data_bytes);
    gm_bind_i64(stmt, 5, figures->body_bytes);
    return gm_stmt_run(stmt, NULL, err);
}

static gm_rc write_part(struct gm_stream *stream, const struct gm_group *group,
                        const struct gm_group_part *part, struct gm_err *err)
{
    int64_t replaced_bytes;
    GM_TRY(remove_replaced(stream, part, &replaced_bytes, err));
    GM_TRY(insert_chunk(stream, group, part, err));
    const struct gm_figures figures = {.partition = part->partition,
                                       .next = part->next,
                                       .chunks = 1 - part->replaced_count,
                                       .data_bytes = (int64_t)part->data_size - replaced_bytes,
                                       .body_bytes = part->body_bytes};
    return gm_stream_add_figures(stream, &figures, err);
}

static gm_rc write_links(struct gm_stream *stream, const struct gm_group *group, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_LINK_PUT, &stmt, err));
    for (size_t i = 0; i < group->links.n; i++) {
        gm_bind_text(stmt, 1, group->links.at[i].name);
        gm_bind_i64(stmt, 2, group->links.at[i].next);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

static gm_rc write_origins(struct gm_stream *stream, const struct gm_group *group,
                           struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_reader reader;
    gm_reader_init(&reader, gm_buf_str(&group->origins));
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_ORIGIN_PUT, &stmt, err));
    for (size_t i = 0; i < group->origin_count; i++) {
        gm_bind_text(stmt, 1, gm_read_bytes(&reader));
        gm_bind_i64(stmt, 2, (int64_t)gm_read_u64(&reader));
        gm_bind_blob(stmt, 3, (struct gm_str){(const char *)reader.p, GM_ORIGIN_BITS_SIZE});
        reader.p += GM_ORIGIN_BITS_SIZE;
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

/* The origins' table is whole up to the end of this group, in every partition. */
static gm_rc write_marks(struct gm_stream *stream, const struct gm_group *group, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(write_origins(stream, group, err));
    for (int p = 0; p < stream->partition_count; p++) {
        int64_t next = stream->partitions[p].next; /* written by this thread alone */
        for (size_t i = 0; i < group->parts.n; i++) {
            next = group->parts.at[i].partition == p ? group->parts.at[i].next : next;
        }
        GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_PARTITION_MARK, &stmt, err));
        gm_bind_i64(stmt, 1, p);
        gm_bind_i64(stmt, 2, next);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

/* ---- the transaction ---- */

static gm_rc write_group(struct gm_stream *stream, struct gm_group *group, struct gm_err *err)
{
    for (size_t i = 0; i < group->parts.n; i++) {
        GM_TRY(write_part(stream, group, &group->parts.at[i], err));
    }
    GM_TRY(gm_stream_write_entities(stream, group, err));
    GM_TRY(gm_stream_write_states(stream, group, err));
    GM_TRY(gm_stream_write_receipts(stream, group, err));
    if (group->marks) {
        GM_TRY(write_marks(stream, group, err));
    }
    if (group->links.n > 0) {
        GM_TRY(write_links(stream, group, err));
    }
    GM_TRY(gm_stream_consumers_write(stream, group, err));
    return group->trims ? gm_stream_trim_now(stream, &group->appends->version, err) : GM_OK;
}

static gm_rc commit_group(struct gm_stream *stream, struct gm_group *group, struct gm_err *err)
{
    GM_TRY(gm_db_begin(stream->db, err));
    gm_rc rc = write_group(stream, group, err);
    rc = rc == GM_OK ? gm_db_commit(stream->db, err) : rc;
    if (rc != GM_OK) {
        gm_db_rollback(stream->db);
    }
    return rc;
}

/* A group that could not be ordered or written ends the stream: those behind it have their offsets
 * already. */
static void settle(struct gm_stream *stream, struct gm_group *group)
{
    gm_mutex_lock(stream->mu);
    if (stream->failed == GM_OK && group->rc != GM_OK) {
        stream->failed = group->rc;
        stream->failure = group->err;
    }
    for (size_t i = 0; i < group->parts.n && stream->failed == GM_OK; i++) {
        const struct gm_group_part *part = &group->parts.at[i];
        stream->partitions[part->partition].next = part->next;
    }
    if (stream->failed == GM_OK) {
        gm_stream_consumers_settle(stream, group);
    }
    for (const struct gm_append *at = group->appends; at != NULL; at = at->next_) {
        stream->pending_bytes -= at->size_;
    }
    stream->commits++;
    gm_cond_broadcast(stream->committed);
    gm_cond_broadcast(stream->room);
    gm_mutex_unlock(stream->mu);
}

static void tell(struct gm_stream *stream)
{
    gm_mutex_lock(stream->hook_mu);
    if (stream->on_commit != NULL) {
        stream->on_commit(stream->on_commit_ctx);
    }
    gm_mutex_unlock(stream->hook_mu);
}

gm_rc gm_stream_failure(struct gm_stream *stream, struct gm_err *err)
{
    gm_mutex_lock(stream->mu);
    gm_rc rc = stream->failed;
    if (rc != GM_OK) {
        *err = stream->failure;
    }
    gm_mutex_unlock(stream->mu);
    return rc;
}

void gm_stream_commit_thread(void *arg)
{
    struct gm_stream *stream = arg;
    struct gm_group *group;
    while ((group = gm_queue_pop(stream->ordered)) != NULL) {
        gm_rc rc = gm_stream_failure(stream, &group->err);
        if (rc != GM_OK) {
            group->rc = rc;
        } else if (group->rc == GM_OK) {
            group->rc = commit_group(stream, group, &group->err);
        }
        settle(stream, group);
        tell(stream);
        for (struct gm_append *at = group->appends, *next; at != NULL; at = next) {
            next = at->next_; /* the append may be gone when `done` returns */
            at->done(at->ctx, group->rc, &group->err);
        }
        bool pushed = gm_queue_push(stream->free_groups, group);
        GM_ASSERT(pushed);
    }
}
