/* Entities: keys of a stream with `versions`, each with a sequence of events of its own.
 *
 *     struct gm_entity_query query = {.key = key, .after = -1, .limit = 1000};
 *     GM_TRY(gm_entity_open(stream, &query, &entity, err));
 *     … entity->version, entity->state from entity->state_version on, entity->events …
 *     gm_entity_close(entity);
 *
 * The events of an entity are found by an index beside the chunks (table `entity_events`: key and
 * version → place), written in the commit of the events and trimmed with them. A snapshot (table
 * `snapshots`, the newest of each key) is what the events up to its version come to: who has it
 * needs the later ones alone. Snapshots are put by appends (stream.h: gm_append.snapshot); they are
 * derived, and nothing is lost with one.
 *
 * States. A stream that merges keeps of each entity what the bodies of its events come to: the
 * first one, patched by the others in order (RFC 7396, JSON merge patch: members that are null go,
 * objects are merged, everything else takes the place of what was there). The row (table `states`)
 * is written in the commit of the events, so that reading an entity reads one row. Where one is
 * behind, because the stream did not merge when events came, the first who reads the entity brings
 * it up to date. Such a stream takes no snapshots.
 *
 * Thread rule: any thread; an entity that was read is a value. */
#ifndef GM_STREAM_ENTITY_H
#define GM_STREAM_ENTITY_H

#include "base/arena.h"
#include "stream/stream.h"

enum {
    GM_ENTITY_SIZE_MAX = 64 << 20, /* of what is read at once */
    /* Of a state, and of a body that is merged into one. Merging looks each member up: this bounds
     * what one event may cost all who wait for the commit. */
    GM_ENTITY_STATE_SIZE_MAX = 64 << 10,
};

struct gm_entity_query {
    struct gm_str key;
    /* Events behind this version; -1: behind the snapshot, or all; of a stream that merges none. */
    int64_t after;
    size_t limit; /* events; 0: none */
    bool bare;    /* events alone, no state */
};
struct gm_entity {
    struct gm_arena *arena; /* of all that follows */
    int64_t version;        /* 0: it has no events */
    int64_t state_version;  /* of the snapshot; 0: there is none */
    gm_ns state_taken;
    struct gm_str state; /* JSON; n 0: there is none */
    bool merges;         /* the stream keeps states: */
    /* JSON, of the entity's version. n 0: it has no events, or the state cannot be told: it is too
     * large, or retention took events that came before the stream merged. */
    struct gm_str merged;
    int64_t first;           /* version of the first event */
    struct gm_event *events; /* of the versions from `first` on, without gaps */
    size_t count;
    /* Retention has taken events that were asked for. */
    bool trimmed;
};
/* GM_E_CONFIG: the stream has no versions; GM_E_CORRUPT: a chunk is damaged; GM_E_LIMIT: more than
 * GM_ENTITY_SIZE_MAX: ask for fewer. */
gm_rc gm_entity_open(struct gm_stream *stream, const struct gm_entity_query *query,
                     struct gm_entity **out_entity, struct gm_err *err) GM_MUST_CHECK;
void gm_entity_close(struct gm_entity *entity); /* NULL is fine */

#endif
