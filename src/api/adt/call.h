/* What a handler of the twin API works with, and how it answers. For this folder,
 * and for those whose operations are mounted.
 *
 *     void gm_adt_thing_get(struct gm_adt_call *call)            // listed in operations.c
 *     {
 *         struct gm_adt_reader *reader = gm_adt_reader_take(call);
 *         if (reader == NULL) {
 *             return;                                            // answered already
 *         }
 *         rc = thing_read(reader->db, call->parts[0], call->doc, &value, &err);
 *         gm_adt_reader_give(call->adt, reader);
 *         if (rc == GM_E_END) {
 *             gm_adt_refuse(call, 404, "ThingNotFound", "There is no thing " GM_STR_FMT ".",
 *                           GM_STR_ARG(call->parts[0]));
 *         } else if (rc != GM_OK) {
 *             gm_adt_fail(call, rc, &err);
 *         } else {
 *             gm_adt_answer_json(call, 200, value);
 *         }
 *     }
 *
 * A handler ends the call exactly once, with a function below that is marked `ends`; the call and
 * all that lives in its arena are gone then. gm_adt_write and gm_adt_work pass it on to another
 * thread, where a function of the handler's ends it.
 *
 * Thread rule: a call belongs to one thread at a time: that which serves it, the store's writer, or
 * a worker. */
#ifndef GM_API_ADT_CALL_H
#define GM_API_ADT_CALL_H

#include "api/adt/adt.h"
#include "api/adt/operations.h"
#include "auth/access.h"
#include "job/job.h"
#include "net/server.h"
#include "os/thread.h"
#include "twin/relationships.h"
#include "json/json.h"

/* A reading connection with what is prepared on it. */
struct gm_adt_reader {
    struct gm_db *db;
    struct gm_twin_reader *twins;
    struct gm_relationship_reader *relationships;
    struct gm_adt_reader *next_; /* of the pool */
};

/* How many more of a kind may come into being; of the writer's thread. */
struct gm_adt_room {
    int64_t left;
    gm_ns counted; /* monotonic; 0: not yet */
};

struct gm_adt {
    struct gm_store *store;
    const struct gm_api_conf *conf;
    const struct gm_clock *clock;
    struct gm_http_server *server;
    struct gm_access *access;
    struct gm_routes *routes; /* NULL: there are no endpoints */
    struct gm_jobs *jobs;
    struct gm_adt_mount mount;
    struct gm_adt_room twins, relationships;
    /* Of who starts, tends and stops it. */
    uint64_t certificate_hash;
    gm_ns certificate_due; /* monotonic; when to look for another one */
    struct gm_stop *stop;  /* requested by gm_adt_stop: ends queries under way */
    struct gm_mutex *mu;
    struct gm_cond *written;
    struct gm_adt_reader *readers; /* guarded by mu; those that nobody uses */
    size_t idle_readers;           /* guarded by mu */
    size_t writes;                 /* guarded by mu; in the store's queue */
};

/* One request. */
struct gm_adt_call {
    struct gm_adt *adt;
    struct gm_http_call *http;
    const struct gm_adt_operation *operation;
    struct gm_arena *arena; /* of the request; so is `doc` */
    yyjson_mut_doc *doc;
    /* of the path, in braces in the template, decoded; a NUL behind each */
    struct gm_str parts[GM_ADT_PARTS_MAX];
    struct gm_str identity; /* who asks; the actor of what they write */
    gm_ns now;              /* when it came in; wall clock */
    gm_ns began;            /* the same; monotonic */
    bool matched;           /* there is such an operation */
    void *mount;            /* of a mounted operation: its table's ctx */
    void *data;             /* the handler's own, between its functions */
    bool undone;            /* what gm_adt_write wrote is undone on purpose */

    const struct gm_models *models_; /* private, held: of gm_adt_models */
    /* Private, of gm_adt_write and gm_adt_work. */
    struct gm_store_job job_;
    gm_rc (*write_)(struct gm_adt_call *call, const struct gm_store_tx *tx, struct gm_err *err);
    void (*written_)(struct gm_adt_call *call);
    void (*work_)(struct gm_adt_call *call);
};

/* ---- what was asked ---- */

/* The first value of a query parameter that is not empty, decoded; p NULL: none. Names do not mind
 * case. */
struct gm_str gm_adt_param(struct gm_adt_call *call, const char *name_z);
/* Each value, decoded, parted at commas as well: for parameters that may be repeated. */
void gm_adt_each_param(struct gm_adt_call *call, const char *name_z,
                       void (*fn)(void *ctx, struct gm_str value), void *ctx);
const char *gm_adt_header_z(const struct gm_adt_call *call, const char *name_z); /* NULL: none */
/* Percent signs taken apart, in the arena, with a NUL behind. False: a bad escape, a NUL, no
 * UTF-8. */
bool gm_adt_unescape(struct gm_arena *arena, struct gm_str text, struct gm_str *out_text);
/* The body's JSON value; of a string that holds a JSON object, that object. NULL: there is none or
 * it is no JSON, and the call is ended with a 400. */
yyjson_mut_val *gm_adt_body(struct gm_adt_call *call);

/* ---- reading ---- */

/* NULL: none to be had, and the call is ended. To be given back before the call is ended or passed
 * on. */
struct gm_adt_reader *gm_adt_reader_take(struct gm_adt_call *call);
void gm_adt_reader_give(struct gm_adt *adt, struct gm_adt_reader *reader);
/* The newest models there were when the call asked first; they stay while it lives. */
const struct gm_models *gm_adt_models(struct gm_adt_call *call);
/* A read said GM_E_CONFLICT: it met a twin whose model is newer. The newest of now; those from
 * before are let go of. */
const struct gm_models *gm_adt_models_again(struct gm_adt_call *call);

/* ---- passing on ---- */

/* ends: runs write(call, tx) on the writer's thread and, after its commit, written(call), which
 * ends the call. A failure of `write`, or of the commit, is answered by gm_adt_fail. `write`
 * reports what the client did wrong in call->data and returns GM_OK. */
void gm_adt_write(struct gm_adt_call *call,
                  gm_rc (*write)(struct gm_adt_call *call, const struct gm_store_tx *tx,
                                 struct gm_err *err),
                  void (*written)(struct gm_adt_call *call));
/* ends: runs work(call) on a worker, where it may block; it ends the call. */
void gm_adt_work(struct gm_adt_call *call, void (*work)(struct gm_adt_call *call));

/* ---- answers ---- */

/* ends: with what stands in call->http->reply. */
void gm_adt_answer(struct gm_adt_call *call, int status);
/* ends, with 200 and a body that is made while it is sent: see gm_http_call_stream. The call stays
 * until `closed`. */
void gm_adt_stream(struct gm_adt_call *call, const struct gm_http_stream *stream);
/* ends */
void gm_adt_answer_json(struct gm_adt_call *call, int status, const yyjson_mut_val *value);

/* ends: {"error":{"code":…,"message":…}}, the code in x-ms-error-code as well. */
void gm_adt_refuse(struct gm_adt_call *call, int status, const char *code_z, const char *fmt, ...)
    GM_PRINTF(4, 5);
/* ends: the same with error.details. */
struct gm_adt_detail {
    const char *code_z;
    struct gm_str message;
    struct gm_str target; /* p NULL: none is told */
};
struct gm_adt_refusal {
    int status;
    const char *code_z;
    struct gm_str message;
    const struct gm_adt_detail *details;
    size_t detail_count;
};
void gm_adt_refuse_detailed(struct gm_adt_call *call, const struct gm_adt_refusal *refusal);
/* ends: a failure that is not the client's: 503 with Retry-After when later may help, 500 else,
 * which is logged. */
void gm_adt_fail(struct gm_adt_call *call, gm_rc rc, const struct gm_err *err);

/* Adds a header to the answer; name is constant, the value copied. */
void gm_adt_reply_header(struct gm_adt_call *call, const char *name_z, struct gm_str value);

/* ---- pages ---- */

struct gm_adt_page {
    size_t count_max;    /* items of this page, at least 1 */
    struct gm_str after; /* what `next` of the page before was; p NULL: from the start */
};
/* From the header max-items-per-page (without it `count_default`, never more than `count_max`) and
 * the parameter continuationToken. False: one of them is wrong and the call is ended with a 400. */
bool gm_adt_page(struct gm_adt_call *call, size_t count_default, size_t count_max,
                 struct gm_adt_page *out_page);
/* The header alone. */
bool gm_adt_page_size(struct gm_adt_call *call, size_t count_default, size_t count_max,
                      size_t *out_count);
/* ends: 200 {"value":[…],"nextLink":…}; `next` (p NULL: this is the last page) is any text that
 * tells where to go on. */
void gm_adt_answer_page(struct gm_adt_call *call, yyjson_mut_val *items, struct gm_str next);

/* "https://127.0.0.1:8443", by the name under which the client reached this server. */
void gm_adt_write_origin(const struct gm_adt_call *call, struct gm_buf *out);

/* Continuation tokens: any text, so that it can stand in an address. */
void gm_adt_token_write(struct gm_str text, struct gm_buf *out);
bool gm_adt_token_read(struct gm_arena *arena, struct gm_str token, struct gm_str *out_text);

#endif
