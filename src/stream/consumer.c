/* How far the readers of a stream have come: kept with it, so that it is known when nobody runs. */
#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"

static struct gm_stream_consumer *find(const struct gm_stream *stream, struct gm_str name,
                                       int partition)
{
    for (size_t i = 0; i < stream->consumers.n; i++) {
        struct gm_stream_consumer *at = &stream->consumers.at[i];
        if (at->partition == partition && gm_str_eq(at->name, name)) {
            return at;
        }
    }
    return NULL;
}

static void keep(struct gm_stream *stream, const struct gm_stream_consumer *consumer)
{
    struct gm_stream_consumer *known = find(stream, consumer->name, consumer->partition);
    if (known == NULL) {
        known = gm_vec_push(&stream->consumers);
        known->name = gm_str_z(gm_str_dup_z(consumer->name));
        known->partition = consumer->partition;
    }
    known->next = consumer->next;
    known->lost = consumer->lost;
}

void gm_stream_consumers_free(struct gm_stream *stream)
{
    for (size_t i = 0; i < stream->consumers.n; i++) {
        union {
            const char *in;
            char *p;
        } name = {.in = stream->consumers.at[i].name.p};
        gm_free(name.p);
    }
    gm_vec_deinit(&stream->consumers);
}

/* ---- the table ---- */

/* A file that was written before there were consumers, and is only looked at, has none. */
static gm_rc has_table(struct gm_db *db, bool *out_has, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_TABLE_COUNT, &stmt, err));
    gm_bind_text(stmt, 1, GM_STR("consumers"));
    GM_TRY(gm_step(stmt, err));
    *out_has = gm_column_i64(stmt, 0) > 0;
    gm_reset(stmt);
    return GM_OK;
}

gm_rc gm_stream_consumers_load(struct gm_stream *stream, struct gm_db *db, struct gm_err *err)
{
    struct gm_stmt *stmt;
    bool has;
    gm_rc rc;
    GM_TRY(has_table(db, &has, err));
    if (!has) {
        return GM_OK;
    }
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_CONSUMERS_ALL, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        const struct gm_stream_consumer consumer = {.name = gm_column_text(stmt, 0),
                                                    .partition = (int)gm_column_i64(stmt, 1),
                                                    .next = gm_column_i64(stmt, 2),
                                                    .lost = gm_column_i64(stmt, 3)};
        keep(stream, &consumer);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_stream_consumers_write(struct gm_stream *stream, const struct gm_group *group,
                                struct gm_err *err)
{
    struct gm_stmt *stmt;
    for (const struct gm_append *at = group->appends; at != NULL; at = at->next_) {
        if (at->consumer_ == NULL) {
            continue;
        }
        GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CONSUMER_PUT, &stmt, err));
        gm_bind_text(stmt, 1, at->consumer_->name);
        gm_bind_i64(stmt, 2, at->consumer_->partition);
        gm_bind_i64(stmt, 3, at->consumer_->next);
        gm_bind_i64(stmt, 4, at->consumer_->lost);
        GM_TRY(gm_stmt_run(stmt, NULL, err));
    }
    return GM_OK;
}

void gm_stream_consumers_settle(struct gm_stream *stream, const struct gm_group *group)
{
    for (const struct gm_append *at = group->appends; at != NULL; at = at->next_) {
        if (at->consumer_ != NULL) {
            keep(stream, at->consumer_);
        }
    }
}

bool gm_stream_is_held(const struct gm_stream *stream, int partition, int64_t end)
{
    if (stream->options.held_for_z == NULL) {
        return false;
    }
    const struct gm_stream_consumer *consumer =
        find(stream, gm_str_z(stream->options.held_for_z), partition);
    return consumer == NULL || consumer->next < end;
}

/* ---- from outside ---- */

gm_rc gm_stream_consumer_set(struct gm_stream *stream, const struct gm_stream_consumer *consumer,
                             struct gm_err *err)
{
    struct gm_append append = {.consumer_ = consumer};
    gm_mutex_lock(stream->mu);
    bool fits = stream->consumers.n < GM_STREAM_CONSUMERS_MAX ||
                find(stream, consumer->name, consumer->partition) != NULL;
    gm_mutex_unlock(stream->mu);
    if (!fits) {
        return gm_fail(err, GM_E_LIMIT, "%s: there are %d consumers already", stream->path_z,
                       GM_STREAM_CONSUMERS_MAX);
    }
    return gm_stream_request(stream, &append, err);
}

bool gm_stream_consumer_get(struct gm_stream *stream, struct gm_str name, int partition,
                            struct gm_stream_consumer *out_consumer)
{
    gm_mutex_lock(stream->mu);
    const struct gm_stream_consumer *known = find(stream, name, partition);
    *out_consumer = (struct gm_stream_consumer){.name = name,
                                                .partition = partition,
                                                .next = known != NULL ? known->next : 0,
                                                .lost = known != NULL ? known->lost : 0};
    gm_mutex_unlock(stream->mu);
    return known != NULL;
}

size_t gm_stream_consumers(struct gm_stream *stream, struct gm_stream_consumer *out_consumers,
                           size_t count_max)
{
    gm_mutex_lock(stream->mu);
    size_t count = stream->consumers.n < count_max ? stream->consumers.n : count_max;
    for (size_t i = 0; i < count; i++) {
        out_consumers[i] = stream->consumers.at[i];
    }
    gm_mutex_unlock(stream->mu);
    return count;
}
