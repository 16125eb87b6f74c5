/* Writing sync state, on the writer's thread.
 *
 * A record that comparing knew is updated; one it did not know is inserted, and where that meets a
 * row all the same (a deleted object that is back, or an earlier record of the same key in the
 * batch) the row's slot is taken and it is updated. So the counters of the pipeline stay exact
 * without a look at the row in the common cases. */
#include "base/mem.h"
#include "sync/rows.h"
#include "sync/state.h"
#include "sync_sql.h"

struct gm_state_writer {
    struct gm_stmt *insert, *insert_done, *insert_many, *update, *park, *revive, *seen, *slot,
        *intend;
    struct gm_state_cause bound; /* what insert_done has bound: the same for a whole batch */
};

static gm_rc prepare_all(struct gm_state_writer *writer, struct gm_db *db, struct gm_err *err)
{
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_INSERT, &writer->insert, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_INSERT_DONE, &writer->insert_done, err));
    GM_TRY(gm_db_prepare(db,
                         gm_db_engine(db) == GM_DB_SQLITE ? GM_SQL_STATE_INSERT_MANY_SQLITE
                                                          : GM_SQL_STATE_INSERT_MANY_POSTGRESQL,
                         &writer->insert_many, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_UPDATE, &writer->update, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_PARK, &writer->park, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_REVIVE, &writer->revive, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_SEEN, &writer->seen, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_INTEND, &writer->intend, err));
    return gm_db_prepare(db, GM_SQL_STATE_SLOT, &writer->slot, err);
}

gm_rc gm_state_writer_open(struct gm_db *db, struct gm_state_writer **out_writer,
                           struct gm_err *err)
{
    struct gm_state_writer *writer = gm_alloc(sizeof(*writer));
    gm_rc rc = prepare_all(writer, db, err);
    if (rc != GM_OK) {
        gm_state_writer_close(writer);
        return rc;
    }
    *out_writer = writer;
    return GM_OK;
}

void gm_state_writer_close(struct gm_state_writer *writer)
{
    if (writer != NULL) {
        gm_stmt_finalize(writer->insert);
        gm_stmt_finalize(writer->insert_done);
        gm_stmt_finalize(writer->insert_many);
        gm_stmt_finalize(writer->update);
        gm_stmt_finalize(writer->park);
        gm_stmt_finalize(writer->revive);
        gm_stmt_finalize(writer->seen);
        gm_stmt_finalize(writer->slot);
        gm_stmt_finalize(writer->intend);
        gm_free(writer);
    }
}

/* ---- new rows ---- */

/* Hot: a first load does this for every record, so what does not change is bound once. */
static gm_rc run_insert_done(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                             const struct gm_record *record, int64_t *out_changes,
                             struct gm_err *err)
{
    struct gm_stmt *stmt = writer->insert_done;
    uint8_t hash[GM_HASH128_SIZE];
    if (writer->bound.pipeline != cause->pipeline || writer->bound.run != cause->run ||
        writer->bound.now != cause->now) {
        gm_bind_i64(stmt, 1, cause->pipeline);
        gm_bind_i64(stmt, 6, cause->run);
        gm_bind_i64(stmt, 7, cause->now);
        writer->bound = *cause;
    }
    gm_bind_text(stmt, 2, record->key);
    gm_bind_i64(stmt, 3, record->slot);
    gm_bind_hash(stmt, 4, record->hash, hash);
    gm_bind_i64(stmt, 5, record->target);
    return gm_stmt_run(stmt, out_changes, err);
}

static gm_rc run_insert(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                        const struct gm_record *record, int64_t *out_changes, struct gm_err *err)
{
    struct gm_stmt *stmt = writer->insert;
    bool is_parked = record->rc != GM_OK;
    uint8_t hash[GM_HASH128_SIZE];
    gm_bind_i64(stmt, 1, cause->pipeline);
    gm_bind_text(stmt, 2, record->key);
    gm_bind_i64(stmt, 3, record->slot);
    gm_bind_i64(stmt, 4, is_parked ? GM_STATE_DEAD : GM_STATE_COMPLETED);
    gm_bind_hash(stmt, 5, is_parked ? (struct gm_hash128){0} : record->hash, hash);
    gm_bind_i64(stmt, 6, is_parked ? 0 : record->target);
    gm_bind_i64(stmt, 7, cause->run);
    gm_bind_i64(stmt, 8, cause->now);
    gm_bind_number_or_null(stmt, 9, is_parked ? 0 : record->version);
    gm_bind_text(stmt, 10, is_parked ? (struct gm_str){NULL, 0} : record->target_id);
    gm_bind_number_or_null(stmt, 11, is_parked ? 1 : 0);
    gm_bind_text(stmt, 12, is_parked ? record->error : (struct gm_str){NULL, 0});
    return gm_stmt_run(stmt, out_changes, err);
}

/* By far the most common new object. */
static bool is_plain(const struct gm_record *record)
{
    return record->rc == GM_OK && record->version == 0 && record->target_id.p == NULL;
}

/* *out_inserted = false: the key has a row. */
static gm_rc insert(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                    struct gm_record *record, bool *out_inserted, struct gm_err *err)
{
    int64_t slot = *cause->last_slot + 1, changes;
    if (slot > GM_SLOT_MAX) {
        return gm_fail(err, GM_E_LIMIT, "the pipeline has had %lld objects, more than Gemel counts",
                       (long long)GM_SLOT_MAX);
    }
    record->slot = slot;
    gm_rc rc = is_plain(record) ? run_insert_done(writer, cause, record, &changes, err)
                                : run_insert(writer, cause, record, &changes, err);
    if (rc != GM_OK || changes == 0) {
        record->slot = 0;
    }
    GM_TRY(rc);
    *out_inserted = changes > 0;
    if (changes > 0) {
        *cause->last_slot = slot;
        *cause->live_count += 1;
    }
    return GM_OK;
}

/* ---- rows that are there ---- */

static gm_rc lost_row(const struct gm_record *record, struct gm_err *err)
{
    return gm_fail(err, GM_E_CONFLICT,
                   "sync state of key \"" GM_STR_FMT "\": its row went away between comparing and "
                   "writing; is another program writing to the store?",
                   GM_STR_ARG(record->key));
}

static gm_rc run_on_row(struct gm_stmt *stmt, const struct gm_record *record, struct gm_err *err)
{
    int64_t changes;
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    return changes == 1 ? GM_OK : lost_row(record, err);
}

static gm_rc update(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                    const struct gm_record *record, struct gm_err *err)
{
    struct gm_stmt *stmt = writer->update;
    uint8_t hash[GM_HASH128_SIZE];
    gm_bind_i64(stmt, 1, cause->pipeline);
    gm_bind_text(stmt, 2, record->key);
    gm_bind_hash(stmt, 3, record->hash, hash);
    gm_bind_i64(stmt, 4, record->target);
    gm_bind_i64(stmt, 5, cause->run);
    gm_bind_i64(stmt, 6, cause->now);
    gm_bind_number_or_null(stmt, 7, record->version);
    gm_bind_text(stmt, 8, record->target_id);
    return run_on_row(stmt, record, err);
}

static gm_rc park(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                  const struct gm_record *record, struct gm_err *err)
{
    gm_bind_i64(writer->park, 1, cause->pipeline);
    gm_bind_text(writer->park, 2, record->key);
    gm_bind_i64(writer->park, 3, cause->run);
    gm_bind_i64(writer->park, 4, cause->now);
    gm_bind_text(writer->park, 5, record->error);
    return run_on_row(writer->park, record, err);
}

/* It is back: missing no more, and with the same content not dead either. */
static gm_rc revive(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                    const struct gm_record *record, struct gm_err *err)
{
    bool same_content = record->verdict == GM_VERDICT_UNCHANGED;
    struct gm_stmt *stmt = same_content ? writer->revive : writer->seen;
    gm_bind_i64(stmt, 1, cause->pipeline);
    gm_bind_text(stmt, 2, record->key);
    if (same_content) {
        gm_bind_i64(stmt, 3, cause->run);
        gm_bind_i64(stmt, 4, cause->now);
    }
    return run_on_row(stmt, record, err);
}

/* Takes the slot of the row that an insert met. */
static gm_rc adopt(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                   struct gm_record *record, struct gm_err *err)
{
    gm_bind_i64(writer->slot, 1, cause->pipeline);
    gm_bind_text(writer->slot, 2, record->key);
    gm_rc rc = gm_step(writer->slot, err);
    if (rc != GM_OK) {
        return rc == GM_E_END ? lost_row(record, err) : rc;
    }
    record->slot = gm_column_i64(writer->slot, 0);
    record->known = true;
    if (gm_column_i64(writer->slot, 1) == GM_STATE_DELETED) {
        *cause->live_count += 1;
    }
    gm_reset(writer->slot);
    return GM_OK;
}

gm_rc gm_state_write(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                     struct gm_record *record, struct gm_err *err)
{
    if (record->rc == GM_OK && record->revive &&
        (record->verdict == GM_VERDICT_UNCHANGED || record->verdict == GM_VERDICT_STALE)) {
        return revive(writer, cause, record, err);
    }
    if (!record->known) {
        bool inserted = false;
        GM_TRY(insert(writer, cause, record, &inserted, err));
        if (inserted) {
            return GM_OK;
        }
        GM_TRY(adopt(writer, cause, record, err));
    }
    return record->rc != GM_OK ? park(writer, cause, record, err)
                               : update(writer, cause, record, err);
}

/* ---- many ---- */

static bool is_new_and_plain(const struct gm_record *record)
{
    bool took_effect = record->verdict == GM_VERDICT_CREATED ||
                       record->verdict == GM_VERDICT_UPDATED || record->verdict == GM_VERDICT_SAME;
    return took_effect && !record->known && is_plain(record);
}

/* Some keys had rows, or are the same. Who has the slot that was meant for it is new. */
static gm_rc tell_apart(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                        const struct gm_state_gather *gather, int64_t first_slot,
                        struct gm_err *err)
{
    for (size_t i = 0; i < gather->count; i++) {
        struct gm_record *record = gather->records[i];
        GM_TRY(adopt(writer, cause, record, err));
        if (record->slot == first_slot + (int64_t)i) {
            record->known = false;
            *cause->live_count += 1;
        } else {
            GM_TRY(update(writer, cause, record, err));
        }
    }
    return GM_OK;
}

static gm_rc insert_many(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                         const struct gm_state_gather *gather, struct gm_err *err)
{
    uint8_t hashes[GM_STATE_GATHER_MAX][GM_HASH128_SIZE];
    struct gm_stmt *stmt = writer->insert_many;
    int64_t first_slot = *cause->last_slot + 1, changes;
    gm_bind_i64(stmt, 1, cause->pipeline);
    gm_bind_i64(stmt, 2, cause->run);
    gm_bind_i64(stmt, 3, cause->now);
    for (int i = 0; i < GM_STATE_GATHER_MAX; i++) {
        struct gm_record *record = gather->records[i];
        int at = 4 + 4 * i;
        record->slot = first_slot + i;
        gm_bind_text(stmt, at, record->key);
        gm_bind_i64(stmt, at + 1, record->slot);
        gm_bind_hash(stmt, at + 2, record->hash, hashes[i]);
        gm_bind_i64(stmt, at + 3, record->target);
    }
    GM_TRY(gm_stmt_run(stmt, &changes, err));
    *cause->last_slot += GM_STATE_GATHER_MAX;
    if (changes != GM_STATE_GATHER_MAX) {
        return tell_apart(writer, cause, gather, first_slot, err);
    }
    *cause->live_count += changes;
    return GM_OK;
}

gm_rc gm_state_write_rest(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                          struct gm_state_gather *gather, struct gm_err *err)
{
    size_t count = gather->count;
    if (count == GM_STATE_GATHER_MAX && *cause->last_slot <= GM_SLOT_MAX - GM_STATE_GATHER_MAX) {
        GM_TRY(insert_many(writer, cause, gather, err));
    } else {
        for (size_t i = 0; i < count; i++) {
            GM_TRY(gm_state_write(writer, cause, gather->records[i], err));
        }
    }
    gather->count = 0;
    return GM_OK;
}

gm_rc gm_state_write_some(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                          struct gm_state_gather *gather, struct gm_record *record,
                          struct gm_err *err)
{
    if (!is_new_and_plain(record)) { /* what waits may be of the same key, and comes first */
        GM_TRY(gm_state_write_rest(writer, cause, gather, err));
        return gm_state_write(writer, cause, record, err);
    }
    gather->records[gather->count++] = record;
    return gather->count < GM_STATE_GATHER_MAX ? GM_OK
                                               : gm_state_write_rest(writer, cause, gather, err);
}

gm_rc gm_state_intend(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                      struct gm_record *record, struct gm_err *err)
{
    uint8_t none[GM_HASH128_SIZE];
    if (!record->known) {
        bool inserted = false;
        GM_TRY(insert(writer, cause, record, &inserted, err));
        if (inserted) {
            record->known = true;
        } else {
            GM_TRY(adopt(writer, cause, record, err));
        }
    }
    gm_bind_i64(writer->intend, 1, cause->pipeline);
    gm_bind_text(writer->intend, 2, record->key);
    gm_bind_i64(writer->intend, 3, record->target);
    gm_bind_i64(writer->intend, 4, cause->run);
    gm_bind_i64(writer->intend, 5, cause->now);
    gm_bind_text(writer->intend, 6, record->target_id);
    gm_bind_hash(writer->intend, 7, (struct gm_hash128){0}, none);
    return run_on_row(writer->intend, record, err);
}
