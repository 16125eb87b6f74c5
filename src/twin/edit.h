/* Single writes of a client: whole twins and relationships, JSON Patches on them, deletions; each
 * with its precondition, checked against the models, logged with its cause.
 *
 *     // on the writer's thread, between gm_graph_begin and gm_graph_end:
 *     struct gm_edit edit = {.kind = GM_EDIT_PATCH_TWIN, .twin = GM_STR("press-1"), .value = patch,
 *                            .condition = {GM_IF_MATCH, etag}, .doc = doc};
 *     GM_TRY(gm_graph_edit(graph, &edit, err));
 *     if (edit.outcome == GM_EDIT_DONE) { … edit.etag … }
 *
 * Whatever a client did wrong is an outcome and writes nothing, so that the other edits of its
 * transaction stand; a returned failure is one of the store. Preconditions are looked at on the
 * writer's thread: of two edits with the same ETag one is done and the other is GM_EDIT_MOVED.
 *
 * An edit that changes nothing (a patch that sets what is there) is done all the same: it gets a
 * new version and times, as the service has it, and is logged.
 *
 * Bodies are those of the Azure Digital Twins data plane (twin_json.h); $dtId, $etag and
 * $lastUpdateTime in them are passed over, `sourceTime` in $metadata is taken. A client may write
 * what pipelines deliver: they write it again when their source changes.
 *
 * Thread rule: that of the graph. */
#ifndef GM_TWIN_EDIT_H
#define GM_TWIN_EDIT_H

#include "twin/graph.h"

enum gm_edit_kind {
    GM_EDIT_PUT_TWIN,    /* value: the twin's JSON */
    GM_EDIT_PATCH_TWIN,  /* value: RFC 6902, add, replace and remove; /$metadata/$model changes the
                            model, /$metadata/NAME/sourceTime sets it */
    GM_EDIT_DELETE_TWIN, /* refused while it has relationships, in or out */
    GM_EDIT_PATCH_COMPONENT, /* value: a patch on the component `component` */
    GM_EDIT_PUT_RELATIONSHIP,
    GM_EDIT_PATCH_RELATIONSHIP,
    GM_EDIT_DELETE_RELATIONSHIP,
};

enum gm_if { GM_IF_NOTHING, GM_IF_ABSENT, GM_IF_MATCH /* etag, or "*": it exists */ };

enum gm_edit_outcome {
    GM_EDIT_DONE,
    GM_EDIT_NO_TWIN,
    GM_EDIT_NO_RELATIONSHIP,
    GM_EDIT_NO_TARGET,    /* of a relationship */
    GM_EDIT_NO_COMPONENT, /* the model has none of that name */
    GM_EDIT_NO_MODEL,     /* detail: its id, or that of a twin whose model is gone */
    GM_EDIT_DECOMMISSIONED,
    GM_EDIT_EXISTS,  /* GM_IF_ABSENT does not hold */
    GM_EDIT_MOVED,   /* GM_IF_MATCH does not hold */
    GM_EDIT_INVALID, /* the value does not fit the model; `why` says how */
    GM_EDIT_BAD_ID,  /* of the twin or the relationship */
    /* the source's model has none of that name, or the target does not fit */
    GM_EDIT_BAD_RELATIONSHIP,
    GM_EDIT_SELF, /* a relationship to its own source */
    /* `why` holds the service's sentence, without the one that it ends all of them with (" Please
     * provide a valid patch document. …") */
    GM_EDIT_BAD_PATCH,
    GM_EDIT_HAS_RELATIONSHIPS, /* detail: one of them */
    GM_EDIT_TOO_LARGE,
};

struct gm_edit_limits {
    size_t twin_size_max;     /* bytes of canonical JSON; 0: GM_TWIN_BODY_SIZE_MAX */
    size_t relationships_max; /* in and, separately, out, of one twin; 0: none */
};

struct gm_edit {
    enum gm_edit_kind kind;
    struct gm_str twin;
    struct gm_str relationship; /* id */
    struct gm_str component;
    yyjson_mut_val *value; /* in `doc`; may be changed */
    yyjson_mut_doc *doc;   /* arena for what the edit needs; answers live there too */
    struct {
        enum gm_if kind;
        struct gm_str etag;
    } condition;
    const struct gm_edit_limits *limits; /* NULL: as 0 everywhere */
    uint64_t position;                   /* in the cause */

    enum gm_edit_outcome outcome; /* out */
    bool created;                 /* out: of a PUT */
    char etag[GM_ETAG_SIZE];      /* out: of DONE, but for deletions; NUL behind it */
    yyjson_mut_val *result;       /* out: of a PUT, what is stored now, as twin_json.h has it */
    struct gm_str detail;         /* out */
    struct gm_err why;            /* out: of INVALID, BAD_…: element, value and cure */
};

gm_rc gm_graph_edit(struct gm_graph *graph, struct gm_edit *edit, struct gm_err *err) GM_MUST_CHECK;

/* A message of a twin or of one of its components. Nothing of the graph changes; it is written to
 * the log (GM_CHANGE_TELEMETRY), from where routes take it. */
struct gm_telemetry {
    struct gm_str twin, component; /* component n 0: the twin itself */
    struct gm_str message_id;
    struct gm_str source_time; /* n 0: none */
    const yyjson_mut_val *payload;
    uint64_t position; /* in the cause */

    enum gm_edit_outcome outcome; /* out: DONE, NO_TWIN, NO_COMPONENT, NO_MODEL */
};
gm_rc gm_graph_telemetry(struct gm_graph *graph, struct gm_telemetry *telemetry, struct gm_err *err)
    GM_MUST_CHECK;

#endif
