/* Connectors: where records come from and where they take effect. Adding one touches nothing
 * outside its folder but the line in registry.c.
 *
 * A connector is one const struct: what it is, what it promises, its settings, its functions. It
 * does not retry, sleep, log, start threads, read the environment or keep globals: the engine owns
 * backoff, batching, cursors, counters and time, so that all connectors behave alike.
 *
 * Contract of a source, all on the pipeline's reader thread:
 *   open     reads the decoded settings (kept: they outlive the instance), does no I/O;
 *            configurations lint offline
 *   connect  starts, or starts again, at a cursor ("" = from the beginning; one that is not of this
 *            source, e.g. of another watermark column, too: out_pass->full says what it became).
 *            Errors: GM_E_RETRY (down, locked, too busy), GM_E_CONFIG (no such table, wrong
 *            password): the text names the place and the cure; GM_E_CANCELLED (env->stop)
 *   read     adds records to an empty batch until gm_batch_full, the deadline, or the end. GM_OK
 *            comes with one record or more, all of one shape and origin. GM_E_END comes with an
 *            empty batch: every record was delivered before and the pass is complete; batch->cursor
 *            is where the next pass goes on. A record that is wrong alone is added with
 *            gm_record_fail, with its key; when that cannot be told, with one that is made up and
 *            `unkeyed` set: deletion waits until every key is known. Any other error means that the
 *            pass is broken: what was read, also into this batch, is good, what is missing means
 *            nothing. At the deadline that is GM_E_CANCELLED, when there is no record to return.
 *            Shapes live until close.
 *   ack      all records up to the cursor of a batch are durable, and *after the end* (pass_done)
 *            the whole pass is: now sources may archive or remove. Never called earlier.
 *   close    accepts any state
 *
 * Contract of a sink in the store:
 *   open     gets models and names in sink_env, does no I/O
 *   prepare  on the pipeline's worker: checks the bodies of records with rc GM_OK and verdict NONE,
 *            encodes them into record->prepared in the batch's arena. What is wrong with one record
 *            alone goes to gm_record_fail.
 *   apply    on the writer's thread inside a transaction: makes the prepared records take effect;
 *            sets verdict (CREATED, UPDATED, SAME) and target, or marks the record with
 *            gm_record_fail when it cannot be and nothing was written for it
 *   remove   on the writer's thread: the pipeline no longer delivers these targets
 *   expect   on the worker: canonical text of what a prepared record should have made, for
 *            verification
 *   actual   canonical text of what is there for a target, in the same form; GM_E_END: nothing
 *
 * Contract of a sink outside the store: open, prepare, expect, actual and close as above, and in
 * place of apply and remove the functions of `outside`. For a batch, for a page of removals, and
 * again and again at the end of a pass (a batch without records, work->last) the engine calls
 *   look     on the worker, with a reading connection: finds out what is to be sent, from what is
 *            known of the targets. Records that need nothing get their verdict (SAME); of those
 *            left it sets target and target_id. At the end of a pass: what waits for something
 *            else, a page at a time, GM_E_END when nothing does. With work->dry nothing will be
 *            sent: it gives every record the verdict that it expects.
 *            Several batches may be looked at, with work->more from the second on, and are noted,
 *            sent and kept together.
 *   intend   on the writer's thread, in a transaction with the states of those records, which
 *            become pending: notes what is going to be sent
 *   send     on the worker, after that commit: sends it, as many calls at a time as the target
 *            takes; blocks until all is answered. Sets verdicts, or gm_record_fail where a record
 *            alone was refused, and `gone` or an error of removals. Its failure is one of the
 *            target as a whole: GM_E_RETRY, GM_E_CONFIG, GM_E_CANCELLED; records without a verdict
 *            are undecided then, and stay pending.
 *   keep     on the writer's thread, in a transaction with states, letters and cursor: keeps what
 *            became of what was sent, also after a failure of send
 *   fetch    on the worker: reads what is there for these targets, for calls of actual
 * A crash at any point is harmless when what is sent is guarded: what is pending is looked at again
 * by the next run, as what may have taken effect or not.
 *
 * Contract of a sink whose effects follow the commit: a sink in the store, whose apply and remove
 * note what is to be brought elsewhere, with states, letters and cursor; and the functions of
 * `behind`, which bring it there. Whatever is decided is decided once, in that transaction.
 *   begin    on the worker, with a reading connection, before anything is prepared: brings there
 *            what an earlier process noted and did not bring. With work->dry nothing is brought.
 *   deliver  on the worker, after the commit of a batch (or of a page of removals: NULL), in the
 *            order of commits; blocks until it is there. Its failure is one of the target as a
 *            whole; what was noted stays, and nothing more is delivered before another begin.
 *   settle   on the writer's thread, in a transaction: what is there need not be noted any more */
#ifndef GM_CONNECT_CONNECTOR_H
#define GM_CONNECT_CONNECTOR_H

#include <stdatomic.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "db/db.h"
#include "dtdl/model.h"
#include "flow/record.h"
#include "os/clock.h"

struct gm_governors;
struct gm_graph;
struct gm_stream_directory;

enum gm_role { GM_ROLE_SOURCE = 1, GM_ROLE_SINK = 2 };

/* Promises, verified by the conformance kit. */
enum gm_cap {
    GM_CAP_SNAPSHOT = 1, /* one pass is one consistent state of the source */
    /* a pass from the beginning shows every object: what it does not show is gone */
    GM_CAP_COMPLETE = 2,
    GM_CAP_CURSOR = 4, /* a pass can start behind a cursor and shows what came since */
    /* Records are events: keys come again and again, each batch has a key once, and the record of
     * the highest version is the one that counts. Every pass goes on behind the cursor, whatever
     * steps are now; it can wait for more (env->waits). */
    GM_CAP_EVENTS = 8,
    /* Of a sink: from a source of events it takes each event, in order per key, and no state is
     * kept of keys (env->each, sink_env->events). What cannot be delivered holds back the later
     * events of its key until its letter is gone: those of later batches are held back by the
     * engine, those of the same batch by prepare. */
    GM_CAP_EACH = 16,
    /* Of a sink: bodies are whatever map and steps make of records, not only twins, and are read
     * alone: the sink leaves them as they are. */
    GM_CAP_ANY_BODY = 32,
};

struct gm_connect_env {
    /* of the configuration; relative paths of settings are resolved already */
    const char *folder_z;
    const struct gm_clock *clock;
    const struct gm_stop *stop;
    uint64_t hash_seed;                        /* for gm_record_hash */
    const struct gm_stream_directory *streams; /* NULL: the process has none open */
    const char *data_z;                        /* the data directory */
    bool waits; /* GM_CAP_EVENTS: `read` waits for more instead of saying GM_E_END … */
    /* … as long as this is 0: somebody else wants the pipeline. NULL: nobody will. */
    const _Atomic int32_t *wanted;
    /* Likewise: every event is a record, late ones too and several of a key in a batch; hashes tell
     * them apart. Versions mean nothing. */
    bool each;
};

/* What one pass will be; known after connect. */
struct gm_pass {
    /* from the beginning: what it does not show is gone (GM_CAP_COMPLETE holds) */
    bool full;
    uint64_t rows_estimate;  /* 0: unknown */
    uint64_t bytes_estimate; /* 0: unknown */
};

/* What a sink gets once. All of it is kept. */
struct gm_sink_env {
    const struct gm_models *models;
    struct gm_graph *graph;         /* of the writer's connection: for apply and remove only */
    struct gm_governors *governors; /* of the process: for sinks outside the store */
    const struct gm_clock *clock;
    struct gm_strs names; /* what the map writes (see gm_steps_targets), in byte order */
    /* what it wrote before its last change and no longer does: to be removed */
    struct gm_strs dropped_names;
    bool open_names;                           /* there is no map: a body is the whole object */
    struct gm_str pipeline;                    /* its name */
    const struct gm_stream_directory *streams; /* NULL: the process has none open */
    bool events;                               /* records are events, each of them: GM_CAP_EACH */
};

/* One job on the writer's thread; for sinks with effects elsewhere also on the worker's. */
struct gm_sink_work {
    struct gm_db *db;
    int64_t pipeline;
    int64_t run;
    gm_ns now;
    /* The rest is for sinks with effects elsewhere. */
    const struct gm_stop *stop; /* NULL: cannot be stopped */
    bool dry;                   /* of `look` and `begin`: a plan, nothing will be sent */
    bool last;                  /* of `look`: the pass is at its end */
    bool resync; /* of `look` and `begin`: what is known of the targets may be wrong */
    bool more;   /* of `look`: the batch joins those that were looked at before */
};

/* What was delivered for one key. Of a sink in the store one of both is set; of a sink outside both
 * are, and the upper half of `num` is the type of which `missing.max_share` is taken. Of one whose
 * effects follow the commit `num` is GM_STATE_TARGET_STREAM (sync/state.h), and `id` is set. */
struct gm_sink_target {
    int64_t num;
    struct gm_str id;  /* p NULL: `num` says it all */
    struct gm_str key; /* whose it is */
};

/* A target that is not delivered any more. */
struct gm_removal {
    struct gm_sink_target target;
    bool gone;         /* out */
    struct gm_err err; /* out: why it alone could not be removed; the next run tries again */
};

struct gm_outside {
    /* Of both one is given: a batch, or removals (`count` of them, which stay until keep). */
    gm_rc (*look)(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                  struct gm_err *err);
    gm_rc (*look_removals)(void *self, const struct gm_sink_work *work, struct gm_removal *removals,
                           size_t count, struct gm_err *err);
    gm_rc (*intend)(void *self, const struct gm_sink_work *work, struct gm_err *err);
    gm_rc (*send)(void *self, const struct gm_sink_work *work, struct gm_err *err);
    gm_rc (*keep)(void *self, const struct gm_sink_work *work, struct gm_err *err);
    gm_rc (*fetch)(void *self, const struct gm_sink_work *work,
                   const struct gm_sink_target *targets, size_t count, struct gm_err *err);
};
enum { GM_FETCH_MAX = 500 }; /* targets in one call of fetch */

struct gm_behind {
    gm_rc (*begin)(void *self, const struct gm_sink_work *work, struct gm_err *err);
    gm_rc (*deliver)(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                     struct gm_err *err);
    gm_rc (*settle)(void *self, const struct gm_sink_work *work, struct gm_err *err);
};

struct gm_connector {
    /* The first members are those of a choice in the configuration, so that lists of alternatives
     * are made of connectors. */
    union {
        struct gm_alternative alternative;
        struct {
            const char *name_z;
            const char *help_z; /* Markdown; the first paragraph says what it is */
            const struct gm_field *fields;
            size_t conf_size;
            const void *self; /* the connector */
        };
    };
    const char *example_z; /* YAML below `source:` or `sink:` */
    unsigned roles;
    unsigned caps;
    /* Checks across fields, offline; errors go into `doc`. NULL: none. */
    void (*lint)(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf);

    gm_rc (*open)(const void *conf, const struct gm_connect_env *env, void **out_self,
                  struct gm_err *err);
    gm_rc (*connect)(void *self, struct gm_str from_cursor, struct gm_pass *out_pass,
                     struct gm_err *err);
    gm_rc (*read)(void *self, struct gm_batch *batch, const struct gm_deadline *deadline,
                  struct gm_err *err);
    gm_rc (*ack)(void *self, struct gm_str cursor, bool pass_done, struct gm_err *err);
    void (*close)(void *self);

    gm_rc (*sink_open)(const void *conf, const struct gm_sink_env *env, void **out_self,
                       struct gm_err *err);
    gm_rc (*prepare)(void *self, struct gm_batch *batch, struct gm_err *err);
    gm_rc (*apply)(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                   struct gm_err *err);
    gm_rc (*remove)(void *self, const struct gm_sink_work *work,
                    const struct gm_sink_target *targets, size_t count, struct gm_err *err);
    gm_rc (*expect)(void *self, struct gm_batch *batch, const struct gm_record *record,
                    struct gm_buf *out, struct gm_err *err);
    gm_rc (*actual)(void *self, const struct gm_sink_work *work,
                    const struct gm_sink_target *target, struct gm_buf *out, struct gm_err *err);
    void (*sink_close)(void *self);
    const struct gm_outside *outside; /* NULL: it is in the store */
    const struct gm_behind *behind;   /* NULL: apply is all there is */

    /* Of one that is source and sink: what it is as a sink. fields NULL: the same. */
    struct gm_alternative as_sink;
    const char *sink_example_z;
    void (*sink_lint)(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf);
    /* The stream that settings name, which must be declared. NULL: they name none. */
    const char *(*source_stream_z)(const void *conf);
    const char *(*sink_stream_z)(const void *conf);
    /* The types of events that a sink into a stream writes, as far as settings tell; NULL behind
     * the last. Of sources of events it writes what these have. */
    const char *(*sink_type_z)(const void *conf, size_t index);
};
static inline const struct gm_alternative *
gm_connector_as_sink(const struct gm_connector *connector)
{
    return connector->as_sink.fields != NULL ? &connector->as_sink : &connector->alternative;
}

/* NULL-terminated. */
const struct gm_connector *const *gm_connectors(void);
const struct gm_connector *gm_connector_find(struct gm_str name); /* NULL: none */
/* Alternatives for GM_T_CHOICE fields, NULL-terminated; `self` is the connector. */
const struct gm_alternative *const *gm_source_alternatives(void);
const struct gm_alternative *const *gm_sink_alternatives(void);

#endif
