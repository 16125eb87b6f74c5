/* What travels: records in batches.
 *
 *     struct gm_batch *batch = gm_batch_new();
 *     struct gm_record *record = gm_batch_add(batch);              // a source fills it
 *     record->key = GM_STR("17");
 *     struct gm_cell *cells = gm_batch_cells(batch);       // batch->shape->count of them
 *     record->cells = cells;
 *     gm_record_hash(batch, record, seed);
 *     gm_batch_reset(batch);                                       // everything dies at once
 *
 * A record is one thing as a source shows it. It comes either as a row (cells beside the names of
 * batch->shape: tables, CSV) or as a JSON document (body: JSON lines). Steps replace it by a body.
 * Everything a record points to lives in the arena of its batch. Thread rule: a batch has one owner
 * at a time and travels through queues. */
#ifndef GM_FLOW_RECORD_H
#define GM_FLOW_RECORD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/str.h"
#include "json/json.h"

enum gm_cell_type {
    GM_CELL_NULL,
    GM_CELL_BOOL,
    GM_CELL_INT,
    GM_CELL_DOUBLE,
    GM_CELL_TEXT, /* may hold invalid UTF-8 or NUL bytes: steps check what they use */
    GM_CELL_BYTES,
    GM_CELL_JSON, /* an object or array; scalars of JSON become the types above */
};

struct gm_cell {
    enum gm_cell_type type;
    union {
        bool b;
        int64_t i;
        double d;
        struct gm_str s; /* TEXT, BYTES */
        yyjson_mut_val *json;
    } as;
};

/* The columns of rows. Lives as long as the source that made it. */
struct gm_shape {
    size_t count;
    const struct gm_str *names;
};

struct gm_event; /* flow/event.h */

enum gm_record_kind { GM_RECORD_UPSERT, GM_RECORD_PATCH, GM_RECORD_DELETE, GM_RECORD_EVENT };

/* What became of a record. */
enum gm_verdict {
    GM_VERDICT_NONE,      /* not decided yet */
    GM_VERDICT_UNCHANGED, /* same hash as last time */
    GM_VERDICT_FILTERED,  /* a filter step, or jq's `empty`, took it out */
    GM_VERDICT_CREATED,
    GM_VERDICT_UPDATED,
    GM_VERDICT_SAME,  /* the hash moved, the effect was nothing */
    GM_VERDICT_STALE, /* older than what is there: no effect */
    GM_VERDICT_DELETED,
    GM_VERDICT_PARKED, /* rc and error say why */
};

struct gm_record {
    enum gm_record_kind kind;
    enum gm_verdict verdict;
    /* identifies the thing within its source; at most GM_KEY_SIZE_MAX bytes */
    struct gm_str key;
    const struct gm_cell *cells; /* batch->shape->count of them, or NULL */
    yyjson_mut_val *body;        /* JSON, or NULL while there are cells only */
    /* of the content as the source gave it, seeded by what would be done with it */
    struct gm_hash128 hash;
    /* source version, e.g. of a watermark column; 0: none. Higher is newer. */
    int64_t version;
    uint64_t position;   /* from 1: row or line number within batch->origin */
    gm_rc rc;            /* GM_OK, or what is wrong with this record alone */
    struct gm_str error; /* text for people, when rc is set */

    /* Between sync state and sink. */
    bool known; /* there is a sync state row */
    /* unchanged, but it was missing in earlier runs: its state must be written */
    bool revive;
    int64_t slot; /* dense number of this key in its pipeline; 0: not known before */
    /* the sink's number of the thing it is delivered to; 0: none yet */
    int64_t target;
    /* what the sink calls it, when `target` alone does not tell; p NULL: it does */
    struct gm_str target_id;
    struct gm_hash128 known_hash;
    /* the source could not tell its key: what stands there is made up, and no object is meant */
    bool unkeyed;
    /* its key came before in this run: it leaves the key\'s state alone */
    bool repeated;
    bool newly_parked;            /* a dead letter that was not there before */
    yyjson_mut_val *original;     /* of a JSON source: the body before steps and sink */
    const struct gm_event *event; /* what it was made of, of a source of events; else NULL */
    struct gm_str delivered;      /* what it became, for people: set by the sink */
    void *prepared;               /* the sink's own, made by prepare() for apply() */
};

enum {
    GM_KEY_SIZE_MAX = 1024,
    GM_BATCH_RECORDS_MAX = 4096,
    GM_RECORD_SIZE_MAX = 16 << 20,   /* one record's bytes; a larger one is refused alone */
    GM_BATCH_SIZE_TARGET = 8 << 20,  /* a source ends a batch when its arena holds this much */
    GM_BATCH_SIZE_LIMIT = 128 << 20, /* the arena's limit */
};

struct gm_batch {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;          /* of the arena */
    const struct gm_shape *shape; /* NULL: records are bodies */
    struct gm_record *records;    /* GM_BATCH_RECORDS_MAX at most */
    size_t count;
    struct gm_str origin; /* where the positions count: "Products", "orders-2026-11.csv" */
    /* where the source would go on behind this batch; opaque text; empty: none */
    struct gm_str cursor;
    uint64_t bytes_read; /* of the source's bytes, for progress */
    void *prepared;      /* the sink's own, as that of a record */
};

struct gm_batch *gm_batch_new(void);
void gm_batch_free(struct gm_batch *batch); /* NULL is fine */
void gm_batch_reset(struct gm_batch *batch);
/* Full in count or bytes: the source should return. */
bool gm_batch_full(const struct gm_batch *batch);
/* A zeroed record at the end; NULL when the batch is full. */
struct gm_record *gm_batch_add(struct gm_batch *batch);
void gm_batch_drop_last(struct gm_batch *batch);
/* Null cells for one record of batch->shape; NULL at the arena's limit. */
struct gm_cell *gm_batch_cells(struct gm_batch *batch);

/* Marks one record as wrong; the text is kept in the batch's arena. Later marks of the same record
 * are dropped. */
void gm_record_fail(struct gm_batch *batch, struct gm_record *record, gm_rc rc, const char *fmt,
                    ...) GM_PRINTF(4, 5);

/* Sets record->hash from kind and content. Rows hash their cells in a typed encoding that a reader
 * could undo, bodies their canonical text; `seed` stands for the steps, so that other steps make
 * other hashes. */
void gm_record_hash(struct gm_batch *batch, struct gm_record *record, uint64_t seed);

/* The record as one JSON value: a row becomes an object by column names (BYTES as base64 text;
 * bytes that are not UTF-8 become U+FFFD). NULL at the arena's limit. */
yyjson_mut_val *gm_record_json(struct gm_batch *batch, const struct gm_record *record);

/* Text of a cell for keys, templates and messages: integers and doubles in their canonical text,
 * booleans true/false, bytes in base64, null as p NULL. Allocates in the arena when it must. */
struct gm_str gm_cell_text(struct gm_arena *arena, const struct gm_cell *cell);
/* A JSON value of `doc` for a cell, and back. */
yyjson_mut_val *gm_cell_json(yyjson_mut_doc *doc, struct gm_arena *arena,
                             const struct gm_cell *cell);
struct gm_cell gm_cell_of_json(yyjson_mut_val *value); /* NULL gives GM_CELL_NULL */

/* Joins the parts of a composite key: one part as it is; several with '|' between, '|' and '\'
 * inside escaped by '\'. */
struct gm_str gm_key_join(struct gm_arena *arena, const struct gm_str *parts, size_t count);

/* ---- paths into records, and into JSON values ---- */

enum { GM_PATH_SEGMENTS_MAX = 16 };

/* "UnitPrice", "address.city", "[[Order Details]].Qty": compiled once, looked up per record. */
struct gm_path {
    struct gm_str text;
    size_t count;
    struct gm_str segments[GM_PATH_SEGMENTS_MAX];
    const struct gm_shape *shape; /* the shape `column` was looked up in */
    size_t column;                /* of `shape`, for the first segment; SIZE_MAX: no such column */
    bool whole;                   /* the column's name is the whole text */
};

/* Splits at '.', with [[…]] around segments that contain dots. Segments borrow from `text`. */
gm_rc gm_path_parse(struct gm_str text, struct gm_path *out_path, struct gm_err *err) GM_MUST_CHECK;
/* A path whose segments are known. They are borrowed; its text lies in the arena. GM_E_CONFIG: too
 * many; GM_E_LIMIT: the arena is full. */
gm_rc gm_path_of(struct gm_arena *arena, const struct gm_str *segments, size_t count,
                 struct gm_path *out_path, struct gm_err *err) GM_MUST_CHECK;

/* What the segments lead to from `root`: members of objects by name, items of arrays by their
 * number from 0. NULL: nothing, as of a path without segments. Unlike with records, a member that
 * is called like the whole text is not looked for: its path is [[a.b]]. */
static inline yyjson_val *gm_path_in(const struct gm_path *path, yyjson_val *root);
yyjson_mut_val *gm_path_in_mut(const struct gm_path *path, yyjson_mut_val *root);

/* The value; GM_CELL_NULL when absent. *out_absent (may be NULL) tells absent from null. A column
 * whose name equals the whole text wins over a walk into it. A path belongs to one thread: it
 * remembers the shape it last saw. */
struct gm_cell gm_path_get(struct gm_path *path, const struct gm_batch *batch,
                           const struct gm_record *record, bool *out_absent);

/* The part of gm_path_in that is rare, and stays out of its way. */
__attribute__((cold)) yyjson_val *gm_path_item(yyjson_val *array, struct gm_str segment);

static inline yyjson_val *gm_path_in(const struct gm_path *path, yyjson_val *root)
{
    yyjson_val *at = path->count > 0 ? root : NULL;
    for (size_t i = 0; at != NULL && i < path->count; i++) {
        struct gm_str segment = path->segments[i];
        yyjson_val *member = yyjson_obj_getn(at, segment.p, segment.n); /* NULL of no object */
        at = member == NULL && unsafe_yyjson_is_arr(at) ? gm_path_item(at, segment) : member;
    }
    return at;
}

#endif
