/* The twin graph: writes. Twins and relationships, typed by models, each change logged with its
 * cause.
 *
 *     struct gm_cause cause = {.pipeline = 3, .run = 17, .actor = GM_STR("Products"), .now = now};
 *     GM_TRY(gm_graph_begin(graph, &cause, err));
 *     for (i…) { GM_TRY(gm_graph_put_twin(graph, &puts[i], err)); }
 *     for (i…) { GM_TRY(gm_graph_put_relationships(graph, &puts[i], err)); }
 *     GM_TRY(gm_graph_end(graph, err));                     // then the transaction commits
 *
 * A gm_graph belongs to the writer's connection and is used inside its jobs only; after a job or
 * transaction that was undone, gm_graph_forget(). Everything given must be validated against its
 * model before; numbers of models come from gm_model.num.
 *
 * Stored form of a twin: `body` is the canonical JSON of properties and components without $dtId,
 * $etag and $metadata. `updated` is the last write's time. `times` is null when every property was
 * written then, else a JSON object: top-level property name → time in nanoseconds, for those that
 * were written at another time, or that have a source time: [nanoseconds, "source time as it
 * came"]. Of a component's properties "component/property". The ETag is made from number and
 * version.
 *
 * Relationships whose other end is missing wait in relationships_waiting and come into being with
 * it, in whatever order tables are read. When a twin goes, pipelines' relationships to it wait
 * again; others go with it. */
#ifndef GM_TWIN_GRAPH_H
#define GM_TWIN_GRAPH_H

#include "db/db.h"
#include "dtdl/model.h"
#include "twin/changes.h"
#include "json/json.h"

enum {
    GM_TWIN_ID_SIZE_MAX = 128,
    GM_TWIN_BODY_SIZE_MAX = 32 << 10,
    GM_RELATIONSHIP_ID_SIZE_MAX = 128
};

/* Twin numbers: model number × 2^32 + count. */
static inline int64_t gm_twin_model_num(int64_t twin_num)
{
    return twin_num >> 32;
}

struct gm_cause {
    int64_t pipeline;    /* 0: none */
    int64_t run;         /* 0: none */
    struct gm_str actor; /* kept until gm_graph_end */
    gm_ns now;
};

struct gm_relationship_put {
    struct gm_str id, name, target_id; /* name and ids checked */
    yyjson_mut_val *properties;        /* sorted object, or NULL: none */
    struct gm_str text;                /* canonical text of properties; p NULL: none */
};

enum gm_put_outcome { GM_PUT_NONE, GM_PUT_CREATED, GM_PUT_UPDATED, GM_PUT_SAME };

/* One twin as a pipeline delivers it. */
struct gm_twin_put {
    struct gm_str id;
    const struct gm_model *model;
    yyjson_mut_doc *doc;  /* arena for what the update needs */
    yyjson_mut_val *body; /* members to set, sorted; null, also within a component: remove */
    /* canonical text of body without nulls: what is stored when the twin is new */
    struct gm_str text;
    struct gm_relationship_put *relationships; /* all that this pipeline delivers for this twin */
    size_t relationship_count;
    bool has_relationships; /* false: leave the pipeline's relationships alone */
    struct gm_strs kept;    /* names of those to be left alone, where it has some */
    bool fresh;             /* this pipeline does not deliver the twin yet: count it in */
    int64_t expected_num;   /* where the pipeline's state says that it is; 0: not known */
    uint64_t position;      /* of the record in cause.actor */
    /* "property" or "component/property" → a text, when its source says it was true; null: none any
     * more. NULL: nothing is said; what is written loses the source time it had */
    yyjson_mut_val *sources;

    enum gm_put_outcome outcome; /* out */
    int64_t num;                 /* out */
    bool joined;                 /* out: the pipeline did not deliver this twin before */
    /* out: GM_E_INVALID when this twin alone could not be put; nothing was written */
    gm_rc rc;
    struct gm_err *err; /* where the text goes then */
    int64_t change_;    /* private */
};

struct gm_graph;
gm_rc gm_graph_open(struct gm_db *db, struct gm_graph **out_graph, struct gm_err *err)
    GM_MUST_CHECK;
void gm_graph_close(struct gm_graph *graph);
void gm_graph_forget(struct gm_graph *graph);

/* The models that puts refer to; borrowed until replaced. */
void gm_graph_set_models(struct gm_graph *graph, const struct gm_models *models);

gm_rc gm_graph_begin(struct gm_graph *graph, const struct gm_cause *cause, struct gm_err *err)
    GM_MUST_CHECK;
/* Creates or updates; a failure of this put alone is put->rc with GM_OK returned. A pipeline may
 * change the model of a twin it created; of others it may not. */
gm_rc gm_graph_put_twin(struct gm_graph *graph, struct gm_twin_put *put, struct gm_err *err)
    GM_MUST_CHECK;
/* Creates so many twins at once, which takes a fifth less time than one by one. *out_created =
 * false: some are there already, or it takes more than their rows (twins are waited for, or come
 * with source times), and nothing was written: put each by itself. */
enum { GM_GRAPH_TOGETHER = 16 };
gm_rc gm_graph_create_twins(struct gm_graph *graph, struct gm_twin_put *puts[GM_GRAPH_TOGETHER],
                            bool *out_created, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_graph_put_relationships(struct gm_graph *graph, struct gm_twin_put *put,
                                 struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_graph_end(struct gm_graph *graph, struct gm_err *err) GM_MUST_CHECK;
/* From now on gm_graph_end leaves the session's changes in memory, so that many small sessions
 * share a chunk; those of a large session it hands to a thread that encodes and compresses them
 * while the caller writes other things: what was given to the session must stay until
 * gm_graph_flush. That writes them, and comes once, before the commit. */
gm_rc gm_graph_pack_in_background(struct gm_graph *graph, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_graph_flush(struct gm_graph *graph, struct gm_err *err) GM_MUST_CHECK;
/* Waits until the last session's changes are encoded: what is wrong with them is told here. */
gm_rc gm_graph_wait(struct gm_graph *graph, struct gm_err *err) GM_MUST_CHECK;
/* Between sessions of one transaction: where the graph stands, and back to there when what was done
 * since is undone alone (a savepoint). */
struct gm_graph_mark {
    struct gm_change_mark log; /* private, like the rest */
    int64_t waiting, graves;
};
void gm_graph_mark(struct gm_graph *graph, struct gm_graph_mark *out_mark);
void gm_graph_rewind(struct gm_graph *graph, const struct gm_graph_mark *mark);
/* The number of the last change of the sessions so far; 0: there is none. */
gm_rc gm_graph_newest_change(struct gm_graph *graph, int64_t *out_num, struct gm_err *err)
    GM_MUST_CHECK;

/* A relationship that stands for itself (rows of a join table). Its ends may be missing: then it
 * waits. */
struct gm_link_put {
    struct gm_str source_id;
    struct gm_relationship_put relationship;
    uint64_t position;
    enum gm_put_outcome outcome;
    gm_rc rc;
    struct gm_err *err;
};
gm_rc gm_graph_put_link(struct gm_graph *graph, struct gm_link_put *put, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_graph_remove_link(struct gm_graph *graph, struct gm_str source_id,
                           struct gm_str relationship_id, uint64_t position, struct gm_err *err)
    GM_MUST_CHECK;

/* The cause's pipeline no longer delivers the twin: when nobody else does and a pipeline created
 * it, it is deleted with its relationships; otherwise the members called `names` (of a component
 * "component/member", or itself for all) and this pipeline's relationships are taken away. Missing
 * is fine. */
gm_rc gm_graph_release_twin(struct gm_graph *graph, int64_t num, struct gm_strs names,
                            bool *out_deleted, struct gm_err *err) GM_MUST_CHECK;
/* The cause's pipeline no longer counts as delivering the twin, which stays as it is; another may
 * take it over. Missing is fine. */
gm_rc gm_graph_disown(struct gm_graph *graph, int64_t num, struct gm_err *err) GM_MUST_CHECK;
/* Deletes whatever delivers it. GM_E_END: no such twin. */
gm_rc gm_graph_delete_twin(struct gm_graph *graph, int64_t num, uint64_t position,
                           struct gm_err *err) GM_MUST_CHECK;

/* How many there are: of twins as the transactions before left it, without a walk; relationships
 * are counted one by one. */
gm_rc gm_graph_twin_count(struct gm_db *db, int64_t *out_count, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_graph_relationship_count(struct gm_db *db, int64_t *out_count, struct gm_err *err)
    GM_MUST_CHECK;
/* How many relationships wait for an end. */
gm_rc gm_graph_waiting_count(struct gm_db *db, int64_t *out_count, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- reading, on any connection ---- */

struct gm_twin {
    int64_t num;
    struct gm_str id;
    int64_t version, last_change;
    gm_ns created, updated;
    int64_t sources, creator;
    struct gm_str times; /* JSON text; p NULL: none */
    struct gm_str body;  /* JSON text */
};
struct gm_twin_reader; /* prepared statements of one connection */
gm_rc gm_twin_reader_open(struct gm_db *db, struct gm_twin_reader **out_reader, struct gm_err *err)
    GM_MUST_CHECK;
void gm_twin_reader_close(struct gm_twin_reader *reader);
/* Lets go of the row read last, and with it of the snapshot that the connection holds: between two
 * uses of a connection that is kept. */
void gm_twin_reader_reset(struct gm_twin_reader *reader);
/* Texts borrow until the next call. GM_E_END: no such twin. */
gm_rc gm_twin_by_id(struct gm_twin_reader *reader, struct gm_str id, struct gm_twin *out_twin,
                    struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_twin_by_num(struct gm_twin_reader *reader, int64_t num, struct gm_twin *out_twin,
                     struct gm_err *err) GM_MUST_CHECK;
/* The next row of a statement with the same columns. */
gm_rc gm_twin_row(struct gm_stmt *stmt, struct gm_twin *out_twin, struct gm_err *err) GM_MUST_CHECK;

enum { GM_ETAG_SIZE = 48 };
/* W/"<guid>", made from number and version. Returns the length. */
size_t gm_twin_etag(int64_t num, int64_t version, char out[GM_ETAG_SIZE]);

#endif
