/* What the files of this sink share. Private to it.
 *
 * A session goes from one `look` to its `keep`. It holds the things that records, removals or what
 * waits are about: twins and relationships, each with what is wanted of it, what is known of it,
 * and what became of it. A thing is brought to its goal by calls of which at most one is under way:
 *
 *     not sure what is there ──GET──▶ sure ──nothing there──▶ PUT, If-None-Match: *
 *              ▲                       └──something there──▶ PATCH of what differs, or nothing
 *              └── 412, a patch that did not fit, an attempt that got no answer ──┘
 *
 * Whole twins are never replaced, so nothing of others is lost. If-Match is sent where a write
 * follows from what was just read: then it means that and nothing newer. What is known from the
 * store is written without it: add and remove of our own properties are right whatever others
 * changed beside them. */
#ifndef GM_CONNECT_ADT_SINK_H
#define GM_CONNECT_ADT_SINK_H

#include "base/map.h"
#include "base/vec.h"
#include "connect/exchange.h"
#include "connect/twin_item.h"
#include "sync/objects.h"

/* Classes of calls that have budgets of their own. */
enum adt_class { ADT_READ, ADT_PATCH, ADT_CREATE, ADT_MODELS };

struct adt_rate_conf {
    double reads, patches, creates, models, per_twin;
};
enum adt_others { ADT_OTHERS_KEEP, ADT_OTHERS_REMOVE };
struct adt_conf {
    const char *url;
    struct gm_conf_choice auth;
    const char *ca_file;
    const char *api_version;
    bool upload_models;
    int32_t other_relationships; /* enum adt_others */
    int64_t concurrency;
    gm_ns timeout;
    gm_ns patience;
    struct adt_rate_conf rate;
};

enum adt_goal {
    ADT_BE,   /* as `wanted` says */
    ADT_GO,   /* not delivered any more */
    ADT_PART, /* a relationship whose end goes: taken away, and waiting from then on */
};
enum adt_outcome {
    ADT_UNDECIDED,
    ADT_SETTLED,
    ADT_WAITING,
    ADT_GONE,
    ADT_REFUSED,
};

struct adt_sink;
struct adt_thing {
    struct adt_sink *sink;
    struct gm_record *record;   /* NULL: of none */
    struct gm_batch *batch;     /* of the record */
    struct gm_removal *removal; /* NULL: of none */
    /* of the same record: the list, and the next one of it */
    struct adt_thing *first_of_record, *behind;
    bool judged;
    int64_t pipeline;
    struct gm_str key, id;
    bool is_link;
    struct gm_str twin_id, link_id; /* of a link: its source, and its own */
    struct gm_object *known;        /* p NULL: nothing of this service */
    struct gm_object *others;       /* what other pipelines deliver under this id; of ADT_GO */
    enum adt_goal goal;
    const struct gm_model *model;
    struct gm_str wanted;         /* canonical: {"$model",…} or {"$name","$target",…} */
    yyjson_mut_val *wanted_value; /* the same, with nulls for what has to go */

    bool to_send; /* intended */
    bool started; /* a call was made */
    bool sure;    /* `there` is what is there */
    bool doubt;   /* a creation by us may have taken effect */
    bool lost;    /* it was there, and is not any more */
    bool owned, created, changed, reread;
    yyjson_mut_val *there; /* NULL: nothing */
    const char *etag_z;    /* of `there` as it was read; NULL: it was not */
    struct gm_str waiting_for;
    struct gm_str refusal; /* what the service said; p NULL: nothing, or the arena is full */
    enum adt_outcome outcome;
    int rounds;
    struct gm_call call;

    struct adt_listing *listing; /* what hinders a deletion */
};

struct adt_sink {
    const struct adt_conf *conf;
    struct gm_twin_preparer preparer;
    struct gm_credential *credential;
    struct gm_governor_user *governor;
    struct gm_exchange *exchange;
    char *url_z;
    int64_t target; /* hash of the service's address */
    bool models_done;
    struct gm_map *tried; /* what was found waiting in this run, by id */

    /* the session */
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    struct gm_sink_work work;
    struct gm_batch *batch; /* being looked at */
    struct gm_removal *removals;
    size_t removal_count;
    GM_VEC(struct adt_thing *) things;
    struct gm_map *by_id; /* of `things` */
    struct gm_buf text;   /* scratch */
    /* how far what waits was looked through in this run; NULL: not yet */
    char *after_end_z, *after_id_z;

    struct gm_map *fetched; /* for actual, by key */
};

enum {
    ADT_ARENA_SIZE = 512 << 20,
    ADT_ROUNDS_MAX = 12, /* calls for one thing in a session */
};

/* ---- look.c ---- */

void adt_session_begin(struct adt_sink *sink, const struct gm_sink_work *work);
/* NULL: the arena is full. */
struct adt_thing *adt_add_thing(struct adt_sink *sink, struct gm_str key, struct gm_str id);
/* Takes what is known of it: NULL, or a row of any service. */
gm_rc adt_know(struct adt_thing *thing, struct gm_object *known, struct gm_err *err) GM_MUST_CHECK;
/* A relationship that waits in `row` is to be tried. */
gm_rc adt_add_waiting(struct adt_sink *sink, struct gm_object *row, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc adt_look(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
               struct gm_err *err) GM_MUST_CHECK;
gm_rc adt_look_removals(void *self, const struct gm_sink_work *work, struct gm_removal *removals,
                        size_t count, struct gm_err *err) GM_MUST_CHECK;
gm_rc adt_too_much(struct gm_err *err);

/* ---- keep.c ---- */

gm_rc adt_intend(void *self, const struct gm_sink_work *work, struct gm_err *err) GM_MUST_CHECK;
gm_rc adt_keep(void *self, const struct gm_sink_work *work, struct gm_err *err) GM_MUST_CHECK;

/* ---- send.c ---- */

gm_rc adt_send(void *self, const struct gm_sink_work *work, struct gm_err *err) GM_MUST_CHECK;

/* ---- bring.c: ADT_BE ---- */

void adt_bring(struct adt_thing *thing);

/* ---- tried.c: creations in doubt ---- */

/* Whether `there`, which is there, is what a creation by us that got no answer has made: exactly
 * what one of the last tries sent, or what is wanted. */
bool adt_is_ours(const struct adt_thing *thing);
/* What to keep as gm_object.next of a creation that is in doubt since before: what is wanted now,
 * and what was tried. */
gm_rc adt_remember_tried(const struct adt_thing *thing, struct gm_str *out_next, struct gm_err *err)
    GM_MUST_CHECK;
/* gm_object.next without the former tries. In sink->text. */
struct gm_str adt_newest_try(const struct adt_thing *thing);
/* A text that we wrote ourselves, without what was tried; NULL: none, or the run ends. */
yyjson_mut_val *adt_parse_own(const struct adt_thing *thing, struct gm_str text);

/* ---- withdraw.c: ADT_GO and ADT_PART ---- */

void adt_withdraw(struct adt_thing *thing);

/* ---- call.c ---- */

/* Gives a call to the exchange. `body` lives as long as the session. */
struct adt_request {
    const char *method_z;
    enum adt_class class;
    const char *below_z; /* behind the thing's own path; NULL: the thing itself */
    struct gm_str body;
    bool if_match, if_none_match;
    gm_call_fn answered;
};
void adt_call(struct adt_thing *thing, const struct adt_request *request);
/* A PATCH with that body, of the etag that is known. */
void adt_send_patch(struct adt_thing *thing, const struct gm_buf *body, gm_call_fn answered);
/* The path of an absolute link of the service; NULL: it leads elsewhere. */
const char *adt_path_of_link(struct adt_sink *sink, struct gm_str link);
/* x-ms-error-code, or the body's error.code; empty: neither. */
struct gm_str adt_error_code(struct adt_sink *sink, const struct gm_http_answer *answer);
/* Ends the thing, and marks record or removal: this one alone was refused. */
void adt_refuse(struct adt_thing *thing, const struct gm_http_answer *answer);
void adt_refuse_because(struct adt_thing *thing, const char *why_z);
bool adt_is_good(const struct gm_http_answer *answer); /* 2xx */
/* Handles what means the service as a whole; false: it is about the call. */
bool adt_is_systemic(struct adt_thing *thing, const struct gm_http_answer *answer);
/* What is there, in the form of adt_thing.wanted, from a GET's body; NULL: it makes no sense. */
yyjson_mut_val *adt_read_thing(struct adt_sink *sink, yyjson_mut_doc *doc, bool is_link,
                               struct gm_str text);
/* The text that is kept of a path; ends the run when the arena is full. */
const char *adt_keep_z(struct adt_sink *sink, const struct gm_buf *text);

/* ---- patch.c ---- */

/* Appends the JSON Patch that brings `there` to thing->wanted_value; members of `before` and
 * `before_next` (what we delivered; may be NULL) that are not wanted are removed where they are
 * there. Returns how many operations; 0: nothing differs. */
size_t adt_write_patch(const struct adt_thing *thing, yyjson_mut_val *there,
                       yyjson_mut_val *const before[2], struct gm_buf *out);
/* Removes what is in `before` and there, but for what `keep` says others deliver. */
size_t adt_write_removal(const struct adt_thing *thing, yyjson_mut_val *there,
                         yyjson_mut_val *const before[2], struct gm_buf *out);
/* The body of a PUT. */
void adt_write_document(const struct adt_thing *thing, struct gm_buf *out);

/* ---- models.c ---- */

gm_rc adt_upload_models(struct adt_sink *sink, struct gm_err *err) GM_MUST_CHECK;

/* ---- read_back.c ---- */

gm_rc adt_fetch(void *self, const struct gm_sink_work *work, const struct gm_sink_target *targets,
                size_t count, struct gm_err *err) GM_MUST_CHECK;
gm_rc adt_actual(void *self, const struct gm_sink_work *work, const struct gm_sink_target *target,
                 struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;

#endif
