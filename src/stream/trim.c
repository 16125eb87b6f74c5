/* Retention: the oldest chunks go, but for what is held for a consumer. */
#include "stream/inside.h"
#include "stream_sql.h"

struct oldest {
    int64_t place, count, data_bytes;
    gm_ns appended;
};

static gm_rc find_oldest(struct gm_stream *stream, int partition, struct oldest *out_oldest,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CHUNK_OLDEST, &stmt, err));
    gm_bind_i64(stmt, 1, gm_place(partition, 0));
    gm_bind_i64(stmt, 2, gm_place(partition + 1, 0));
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        *out_oldest = (struct oldest){.place = gm_column_i64(stmt, 0),
                                      .count = gm_column_i64(stmt, 1),
                                      .appended = gm_column_i64(stmt, 2),
                                      .data_bytes = gm_column_i64(stmt, 3)};
        gm_reset(stmt);
    }
    return rc;
}

static gm_rc data_size(struct gm_stream *stream, uint64_t *out_bytes, struct gm_err *err)
{
    struct gm_stmt *stmt;
    *out_bytes = 0;
    for (int p = 0; p < stream->partition_count; p++) {
        GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_PARTITION_GET, &stmt, err));
        gm_bind_i64(stmt, 1, p);
        GM_TRY(gm_step(stmt, err));
        *out_bytes += (uint64_t)gm_column_i64(stmt, 3);
        gm_reset(stmt);
    }
    return GM_OK;
}

static gm_rc remove_oldest(struct gm_stream *stream, int partition, const struct oldest *oldest,
                           struct gm_err *err)
{
    struct gm_stmt *stmt;
    if (stream->options.versions) {
        GM_TRY(gm_stream_trim_entities(stream, oldest->place, err));
    }
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CHUNK_DELETE, &stmt, err));
    gm_bind_i64(stmt, 1, oldest->place);
    GM_TRY(gm_stmt_run(stmt, NULL, err));
    const struct gm_figures figures = {.partition = partition,
                                       .next = stream->partitions[partition].next,
                                       .chunks = -1,
                                       .data_bytes = -oldest->data_bytes};
    return gm_stream_add_figures(stream, &figures, err);
}

/* What is being removed, and why. */
struct trimming {
    uint64_t bytes; /* of all that is kept */
    gm_ns now;
};

static bool is_beyond(gm_ns age, uint64_t size, const struct oldest *oldest,
                      const struct trimming *trimming)
{
    return (age > 0 && oldest->appended < trimming->now - age) ||
           (size > 0 && trimming->bytes > size);
}

/* Whether retention takes a chunk, and, when it is held, the bound of that as well. The newest
 * chunk of a partition always stays: it may still be replaced. */
static bool may_go(const struct gm_stream *stream, int partition, const struct oldest *oldest,
                   const struct trimming *trimming)
{
    const struct gm_stream_options *options = &stream->options;
    int64_t end = gm_place_offset(oldest->place) + oldest->count;
    return end != stream->partitions[partition].next &&
           is_beyond(options->retain_age, options->retain_size, oldest, trimming) &&
           (!gm_stream_is_held(stream, partition, end) ||
            is_beyond(options->held_age, options->held_size, oldest, trimming));
}

/* The partition whose oldest chunk came in first of those that may go; -1: none. */
static gm_rc choose_oldest(struct gm_stream *stream, const struct trimming *trimming,
                           int *out_partition, struct oldest *out_oldest, struct gm_err *err)
{
    *out_partition = -1;
    for (int p = 0; p < stream->partition_count; p++) {
        struct oldest oldest;
        gm_rc rc = find_oldest(stream, p, &oldest, err);
        if (rc == GM_E_END) {
            continue;
        }
        GM_TRY(rc);
        if (may_go(stream, p, &oldest, trimming) &&
            (*out_partition < 0 || oldest.appended < out_oldest->appended)) {
            *out_partition = p;
            *out_oldest = oldest;
        }
    }
    return GM_OK;
}

gm_rc gm_stream_trim_now(struct gm_stream *stream, int64_t *out_chunks, struct gm_err *err)
{
    const struct gm_clock *clock = stream->options.clock;
    struct trimming trimming = {.now = clock->wall(clock)};
    GM_TRY(data_size(stream, &trimming.bytes, err));
    *out_chunks = 0;
    for (;;) {
        int partition;
        struct oldest oldest = {0};
        GM_TRY(choose_oldest(stream, &trimming, &partition, &oldest, err));
        if (partition < 0) {
            return GM_OK;
        }
        GM_TRY(remove_oldest(stream, partition, &oldest, err));
        trimming.bytes -= (uint64_t)oldest.data_bytes;
        (*out_chunks)++;
    }
}
