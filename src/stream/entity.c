#include "stream/entity.h"

#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"

/* ---- writing, on the committing thread ---- */

static gm_rc write_versions(struct gm_stream *stream, const struct gm_group *group,
                            struct gm_err *err)
{
    struct gm_stmt *version, *event;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_VERSION_PUT, &version, err));
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_ENTITY_EVENT_PUT, &event, err));
    for (size_t i = 0; i < group->versions.n; i++) {
        const struct gm_group_version *at = &group->versions.at[i];
        gm_bind_text(version, 1, at->event->key);
        gm_bind_i64(version, 2, at->version);
        GM_TRY(gm_stmt_run(version, NULL, err));
        gm_bind_text(event, 1, at->event->key);
        gm_bind_i64(event, 2, at->version);
        gm_bind_i64(event, 3, at->place);
        GM_TRY(gm_stmt_run(event, NULL, err));
    }
    return GM_OK;
}

static gm_rc write_snapshot(struct gm_stream *stream, const struct gm_stream_snapshot *snapshot,
                            struct gm_err *err)
{
    struct gm_stmt *stmt;
    const struct gm_clock *clock = stream->options.clock;
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_SNAPSHOT_PUT, &stmt, err));
    gm_bind_text(stmt, 1, snapshot->key);
    gm_bind_i64(stmt, 2, snapshot->version);
    gm_bind_i64(stmt, 3, clock->wall(clock));
    gm_bind_text(stmt, 4, snapshot->state);
    return gm_stmt_run(stmt, NULL, err);
}

gm_rc gm_stream_write_entities(struct gm_stream *stream, const struct gm_group *group,
                               struct gm_err *err)
{
    if (group->versions.n > 0) {
        GM_TRY(write_versions(stream, group, err));
    }
    for (const struct gm_append *at = group->appends; at != NULL; at = at->next_) {
        if (at->snapshot != NULL && !at->moved) {
            GM_TRY(write_snapshot(stream, at->snapshot, err));
        }
        if (at->state_ != NULL) {
            GM_TRY(gm_stream_state_keep(stream->db, at->state_, err));
        }
    }
    return GM_OK;
}

/* The index knows the chunk's events by their keys, so it is read once more. What is damaged leaves
 * its rows behind: they lead to events that are gone, and are passed over. */
gm_rc gm_stream_trim_entities(struct gm_stream *stream, int64_t place, struct gm_err *err)
{
    struct gm_stmt *find, *remove;
    struct gm_chunk chunk;
    const struct gm_events *events;
    struct gm_err ignored;
    const struct gm_stream_place at = {(int)(place >> GM_STREAM_PLACE_BITS),
                                       gm_place_offset(place)};
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_CHUNK_AT, &find, err));
    GM_TRY(gm_db_prepare_once(stream->db, GM_SQL_STREAM_ENTITY_EVENT_DELETE, &remove, err));
    GM_TRY(gm_stream_chunk_at(find, &at, &chunk, err));
    struct gm_unpacker *unpacker = gm_unpacker_new();
    bool whole = gm_unpacker_unpack(unpacker, &chunk, &events, &ignored) == GM_OK;
    gm_reset(find);
    gm_rc rc = GM_OK;
    for (size_t i = 0; whole && i < events->n && rc == GM_OK; i++) {
        gm_bind_text(remove, 1, events->at[i].key);
        gm_bind_i64(remove, 2, place + (int64_t)i);
        rc = gm_stmt_run(remove, NULL, err);
    }
    gm_unpacker_free(unpacker);
    return rc;
}

/* ---- reading ---- */

struct reading {
    struct gm_stream *stream;
    struct gm_db *db;
    struct gm_entity *entity;
    struct gm_unpacker *unpacker;
    struct gm_stream_snapshot row; /* the state as it is kept */
    /* the chunk that was unpacked last */
    int64_t first, end; /* places */
    const struct gm_events *events;
};

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "the entity's events have more than %d MB; ask for fewer",
                   GM_ENTITY_SIZE_MAX >> 20);
}

static gm_rc read_head(const struct reading *reading, struct gm_str key, struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_entity *entity = reading->entity;
    GM_TRY(gm_db_prepare_once(reading->db, GM_SQL_STREAM_VERSION_GET, &stmt, err));
    gm_bind_text(stmt, 1, key);
    gm_rc rc = gm_step(stmt, err);
    entity->version = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
    gm_reset(stmt);
    if (rc != GM_OK && rc != GM_E_END) {
        return rc;
    }
    GM_TRY(gm_db_prepare_once(reading->db, GM_SQL_STREAM_SNAPSHOT_GET, &stmt, err));
    gm_bind_text(stmt, 1, key);
    rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        entity->state_version = gm_column_i64(stmt, 0);
        entity->state_taken = gm_column_i64(stmt, 1);
        entity->state = gm_arena_dup(entity->arena, gm_column_text(stmt, 2));
        gm_reset(stmt);
        return entity->state.p != NULL ? GM_OK : no_room(err);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

/* Unpacks the chunk that holds a place. GM_E_END: it is trimmed. */
static gm_rc load_chunk(struct reading *reading, int64_t place, struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_chunk chunk;
    const struct gm_stream_place at = {(int)(place >> GM_STREAM_PLACE_BITS),
                                       gm_place_offset(place)};
    if (reading->events != NULL && place >= reading->first && place < reading->end) {
        return GM_OK;
    }
    reading->events = NULL;
    GM_TRY(gm_db_prepare_once(reading->db, GM_SQL_STREAM_CHUNK_AT, &stmt, err));
    GM_TRY(gm_stream_chunk_at(stmt, &at, &chunk, err));
    reading->first = gm_place(at.partition, chunk.first);
    reading->end = reading->first + chunk.count;
    gm_rc rc = GM_E_END;
    if (place < reading->end) {
        rc = gm_unpacker_unpack(reading->unpacker, &chunk, &reading->events, err);
    }
    gm_reset(stmt);
    if (rc != GM_OK && rc != GM_E_END) {
        reading->events = NULL;
        return gm_stream_corrupt(reading->stream->path_z, at.partition, &chunk, err);
    }
    return rc;
}

static bool copy_event(struct gm_arena *arena, const struct gm_event *event, struct gm_event *to)
{
    *to = *event;
    to->key = gm_arena_dup(arena, event->key);
    to->type = gm_arena_dup(arena, event->type);
    to->origin = gm_arena_dup(arena, event->origin);
    to->id = gm_arena_dup(arena, event->id);
    to->body = gm_arena_dup(arena, event->body);
    return to->key.p != NULL && to->type.p != NULL && to->origin.p != NULL && to->id.p != NULL &&
           to->body.p != NULL;
}

static gm_rc read_row(struct reading *reading, int64_t version, int64_t place, struct gm_err *err)
{
    struct gm_entity *entity = reading->entity;
    gm_rc rc = load_chunk(reading, place, err);
    if (rc == GM_E_END) {
        entity->trimmed = true;
        return GM_OK;
    }
    GM_TRY(rc);
    GM_ASSERT(reading->events != NULL);
    if (entity->count == 0) {
        entity->first = version;
    }
    return copy_event(entity->arena, &reading->events->at[place - reading->first],
                      &entity->events[entity->count++])
               ? GM_OK
               : no_room(err);
}

static gm_rc read_events(struct reading *reading, const struct gm_entity_query *query,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    struct gm_entity *entity = reading->entity;
    int64_t newest = entity->merges ? entity->version : entity->state_version;
    int64_t after = query->after >= 0 ? query->after : newest;
    int64_t there = entity->version > after ? entity->version - after : 0;
    size_t limit = (uint64_t)there < query->limit ? (size_t)there : query->limit;
    entity->events = gm_arena_zalloc(entity->arena, (limit + 1) * sizeof(*entity->events));
    if (entity->events == NULL) {
        return no_room(err);
    }
    GM_TRY(gm_db_prepare_once(reading->db, GM_SQL_STREAM_ENTITY_EVENTS_AFTER, &stmt, err));
    gm_bind_text(stmt, 1, query->key);
    gm_bind_i64(stmt, 2, after);
    gm_bind_i64(stmt, 3, (int64_t)limit);
    gm_rc rc = GM_OK;
    int64_t wanted = after + 1;
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        int64_t version = gm_column_i64(stmt, 0);
        entity->trimmed = entity->trimmed || version != wanted;
        wanted = version + 1;
        GM_TRY(read_row(reading, version, gm_column_i64(stmt, 1), err));
    }
    gm_reset(stmt);
    entity->trimmed = entity->trimmed || (limit > 0 && entity->count == 0);
    entity->first = entity->count > 0 ? entity->first : after + 1;
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc read_entity(struct reading *reading, const struct gm_entity_query *query,
                         struct gm_err *err)
{
    GM_TRY(gm_stream_file_reader(&reading->stream->options, &reading->db, err));
    GM_TRY(gm_db_begin_snapshot(reading->db, err));
    GM_TRY(read_head(reading, query->key, err));
    if (reading->entity->merges) {
        GM_TRY(gm_stream_state_read(reading->db, reading->entity->arena, &reading->row, err));
    }
    return read_events(reading, query, err);
}

/* The reading connection is closed: what is missing is read anew. */
static gm_rc take_state(struct reading *reading, struct gm_err *err)
{
    struct gm_entity *entity = reading->entity;
    if (!entity->merges || entity->version == 0) {
        return GM_OK;
    }
    if (reading->row.version == entity->version) {
        entity->merged = reading->row.state;
        return GM_OK;
    }
    return gm_stream_catch_up(reading->stream, entity, &reading->row, err);
}

gm_rc gm_entity_open(struct gm_stream *stream, const struct gm_entity_query *query,
                     struct gm_entity **out_entity, struct gm_err *err)
{
    if (!stream->options.versions) {
        return gm_fail(err, GM_E_CONFIG, "%s keeps no versions; declare it with `versions: true`",
                       stream->path_z);
    }
    struct gm_entity *entity = gm_alloc(sizeof(*entity));
    entity->arena = gm_arena_new(GM_ENTITY_SIZE_MAX);
    entity->merges = stream->options.merges && !query->bare;
    struct reading reading = {.stream = stream,
                              .entity = entity,
                              .unpacker = gm_unpacker_new(),
                              .row = {.key = query->key}};
    gm_rc rc = read_entity(&reading, query, err);
    gm_db_close(reading.db);
    gm_unpacker_free(reading.unpacker);
    rc = rc == GM_OK ? take_state(&reading, err) : rc;
    if (rc != GM_OK) {
        gm_entity_close(entity);
        return rc;
    }
    *out_entity = entity;
    return GM_OK;
}

void gm_entity_close(struct gm_entity *entity)
{
    if (entity != NULL) {
        gm_arena_free(entity->arena);
        gm_free(entity);
    }
}
