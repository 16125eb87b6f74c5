/* States of entities: what the bodies of their events come to, as merge patches in order.
 *
 * The committing thread brings the states of a group's keys up to date in the group's commit, so
 * that a state is never ahead of its events, and behind them in three cases only: the stream did
 * not merge when they came; the state, or a body, has more than GM_ENTITY_STATE_SIZE_MAX bytes;
 * memory for the group ran out. Then the row stays at its version, later commits leave it alone,
 * and whoever reads the entity brings it up to date out of its events (gm_stream_catch_up). */
#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"
#include "json/json.h"

enum {
    FOLDING_SIZE_MAX = 64 << 20,
    FOLDING_SIZE_FLUSH = 16 << 20, /* what is folded is written, and its memory used again */
    PAGE_EVENTS = 256,             /* of catching up */
};

/* ---- one state ---- */

/* Bodies are JSON, but names may come twice in them: the last counts. NULL: there is no memory. */
static yyjson_mut_val *read_json(yyjson_mut_doc *doc, struct gm_arena *arena, struct gm_str text)
{
    yyjson_alc memory = gm_json_memory(arena);
    union {
        const char *in;
        char *p; /* it is not written to without YYJSON_READ_INSITU */
    } bytes = {.in = text.p};
    yyjson_doc *read = yyjson_read_opts(bytes.p, text.n, YYJSON_READ_NOFLAG, &memory, NULL);
    return read != NULL ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(read)) : NULL;
}

struct state {
    int64_t version;
    yyjson_mut_val *value; /* NULL: of no events */
};

/* False: it cannot be; the state is of no use any more. */
static bool fold(yyjson_mut_doc *doc, struct gm_arena *arena, const struct gm_event *event,
                 struct state *state)
{
    yyjson_mut_val *patch =
        event->body.n <= GM_ENTITY_STATE_SIZE_MAX ? read_json(doc, arena, event->body) : NULL;
    state->value = patch != NULL ? gm_json_merge_patch(doc, state->value, patch) : NULL;
    state->version++;
    return state->value != NULL;
}

gm_rc gm_stream_state_read(struct gm_db *db, struct gm_arena *arena,
                           struct gm_stream_snapshot *state, struct gm_err *err)
{
    struct gm_stmt *stmt;
    state->version = 0;
    state->state = (struct gm_str){NULL, 0};
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_STATE_GET, &stmt, err));
    gm_bind_text(stmt, 1, state->key);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        state->version = gm_column_i64(stmt, 0);
        state->state = gm_arena_dup(arena, gm_column_text(stmt, 1));
        gm_reset(stmt);
        return state->state.p != NULL ? GM_OK
                                      : gm_fail(err, GM_E_LIMIT, "there is no room for a state");
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_stream_state_keep(struct gm_db *db, const struct gm_stream_snapshot *state,
                           struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_STREAM_STATE_PUT, &stmt, err));
    gm_bind_text(stmt, 1, state->key);
    gm_bind_i64(stmt, 2, state->version);
    gm_bind_text(stmt, 3, state->state);
    return gm_stmt_run(stmt, NULL, err);
}

/* ---- a group, on the committing thread ---- */

struct folded {
    struct gm_str key; /* the map's */
    struct state state;
    bool left; /* it stays as it is in the file */
};
struct gm_folding {
    struct gm_arena *arena;
    yyjson_mut_doc *doc; /* of the arena; NULL: anew */
    struct gm_map *places;
    GM_VEC(struct folded) states;
    struct gm_buf text;
};

struct gm_folding *gm_folding_new(void)
{
    struct gm_folding *folding = gm_alloc(sizeof(*folding));
    folding->arena = gm_arena_new(FOLDING_SIZE_MAX);
    folding->places = gm_map_new();
    gm_buf_init(&folding->text, GM_ENTITY_STATE_SIZE_MAX);
    return folding;
}

void gm_folding_free(struct gm_folding *folding)
{
    if (folding != NULL) {
        gm_arena_free(folding->arena);
        gm_map_free(folding->places);
        gm_vec_deinit(&folding->states);
        gm_buf_deinit(&folding->text);
        gm_free(folding);
    }
}

static void reset(struct gm_folding *folding)
{
    folding->states.n = 0;
    gm_map_reset(folding->places);
    gm_arena_reset(folding->arena);
    folding->doc = gm_json_doc_new(folding->arena);
    GM_ASSERT(folding->doc != NULL);
}

/* Writes what was folded. */
static gm_rc flush(struct gm_stream *stream, struct gm_err *err)
{
    struct gm_folding *folding = stream->folding;
    for (size_t i = 0; i < folding->states.n; i++) {
        const struct folded *at = &folding->states.at[i];
        gm_buf_reset(&folding->text);
        if (!at->left) {
            gm_json_write(at->state.value, &folding->text);
        }
        if (!at->left && !gm_buf_failed(&folding->text)) {
            const struct gm_stream_snapshot row = {
                .key = at->key, .version = at->state.version, .state = gm_buf_str(&folding->text)};
            GM_TRY(gm_stream_state_keep(stream->db, &row, err));
        }
    }
    reset(folding);
    return GM_OK;
}

static gm_rc load(struct gm_stream *stream, struct gm_str key, struct folded **out_folded,
                  struct gm_err *err)
{
    struct gm_folding *folding = stream->folding;
    struct gm_stream_snapshot row = {.key = key};
    uint64_t place;
    if (gm_map_get(folding->places, key, &place)) {
        *out_folded = &folding->states.at[place];
        return GM_OK;
    }
    GM_TRY(gm_stream_state_read(stream->db, folding->arena, &row, err));
    place = folding->states.n;
    (void)gm_map_set(folding->places, key, place);
    struct folded *at = gm_vec_push(&folding->states);
    at->key = gm_map_key_at(folding->places, place);
    at->state.version = row.version;
    if (row.version > 0) {
        at->state.value = read_json(folding->doc, folding->arena, row.state);
        at->left = at->state.value == NULL;
    }
    *out_folded = at;
    return GM_OK;
}

gm_rc gm_stream_write_states(struct gm_stream *stream, const struct gm_group *group,
                             struct gm_err *err)
{
    struct gm_folding *folding = stream->folding;
    if (folding == NULL || group->versions.n == 0) {
        return GM_OK;
    }
    reset(folding);
    for (size_t i = 0; i < group->versions.n; i++) {
        const struct gm_group_version *at = &group->versions.at[i];
        struct folded *folded;
        if (gm_arena_used(folding->arena) > FOLDING_SIZE_FLUSH) {
            GM_TRY(flush(stream, err));
        }
        GM_TRY(load(stream, at->event->key, &folded, err));
        folded->left = folded->left || folded->state.version + 1 != at->version ||
                       !fold(folding->doc, folding->arena, at->event, &folded->state);
    }
    return flush(stream, err);
}

/* ---- catching up ---- */

struct catching_up {
    struct gm_stream *stream;
    struct gm_arena *arena;
    yyjson_mut_doc *doc; /* of the arena */
    struct gm_str key;
    struct state state;
    struct gm_buf text;
};

/* False: the state cannot be told. The memory that was used for it is used again. */
static bool settle(struct catching_up *up)
{
    gm_buf_reset(&up->text);
    gm_json_write(up->state.value, &up->text);
    gm_arena_reset(up->arena);
    if (gm_buf_failed(&up->text)) {
        return false;
    }
    up->doc = gm_json_doc_new(up->arena);
    up->state.value = read_json(up->doc, up->arena, gm_buf_str(&up->text));
    return up->state.value != NULL;
}

/* *out_more: the page was folded. */
static gm_rc fold_page(struct catching_up *up, int64_t until, bool *out_more, struct gm_err *err)
{
    struct gm_entity *page;
    const struct gm_entity_query query = {
        .key = up->key, .after = up->state.version, .limit = PAGE_EVENTS, .bare = true};
    GM_TRY(gm_entity_open(up->stream, &query, &page, err));
    bool fine = page->count > 0 && page->first == up->state.version + 1;
    for (size_t i = 0; fine && i < page->count && up->state.version < until; i++) {
        fine = fold(up->doc, up->arena, &page->events[i], &up->state) &&
               (gm_arena_used(up->arena) < FOLDING_SIZE_FLUSH || settle(up));
    }
    gm_entity_close(page);
    *out_more = fine && settle(up);
    return GM_OK;
}

static gm_rc fold_all(struct catching_up *up, struct gm_entity *entity,
                      const struct gm_stream_snapshot *from, struct gm_err *err)
{
    bool more = true;
    if (from->version > 0) {
        up->state.value = read_json(up->doc, up->arena, from->state);
        more = up->state.value != NULL;
    }
    while (more && up->state.version < entity->version) {
        GM_TRY(fold_page(up, entity->version, &more, err));
    }
    if (!more) {
        return GM_OK;
    }
    entity->merged = gm_arena_dup(entity->arena, gm_buf_str(&up->text));
    const struct gm_stream_snapshot row = {
        .key = up->key, .version = up->state.version, .state = gm_buf_str(&up->text)};
    struct gm_append keep = {.state_ = &row};
    struct gm_err ignored = {0};
    /* A stream that takes nothing is read all the same. */
    (void)!gm_stream_request(up->stream, &keep, &ignored);
    return GM_OK;
}

gm_rc gm_stream_catch_up(struct gm_stream *stream, struct gm_entity *entity,
                         struct gm_stream_snapshot *from, struct gm_err *err)
{
    struct catching_up up = {.stream = stream,
                             .arena = gm_arena_new(FOLDING_SIZE_MAX),
                             .key = from->key,
                             .state = {.version = from->version}};
    gm_buf_init(&up.text, GM_ENTITY_STATE_SIZE_MAX);
    up.doc = gm_json_doc_new(up.arena);
    gm_rc rc = fold_all(&up, entity, from, err);
    gm_buf_deinit(&up.text);
    gm_arena_free(up.arena);
    return rc;
}
