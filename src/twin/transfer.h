/* Import and export of graphs in the NDJSON format of Azure Digital Twins' import jobs (fileVersion
 * 1.0.0): one JSON value a line, in sections.
 *
 *     {"Section":"Header"}
 *     {"fileVersion":"1.0.0","author":"ops","organization":"acme"}
 *     {"Section":"Models"}
 *     {"@id":"dtmi:acme:Press;1","@type":"Interface","@context":"dtmi:dtdl:context;3",…}
 *     {"Section":"Twins"}
 *     {"$dtId":"press-1","$metadata":{"$model":"dtmi:acme:Press;1"},"temp":55.1,…}
 *     {"Section":"Relationships"}
 *     {"$dtId":"line-1","$relationshipId":"r1","$targetId":"press-1",
 *      "$relationshipName":"has","since":2019}                            (on one line, in truth)
 *
 * Import streams a file of any size and writes it in transactions of bounded size, each with the
 * cause "import NAME" and no pipeline; positions in the change log are line numbers. A line that
 * cannot be imported is reported with its number and stops nothing else: not JSON, too long, not
 * fitting its model, an id that came before in the file, a relationship whose ends are not there.
 * Models are taken together, whatever their order; one that is wrong takes those down that need it.
 * What was imported before a failure of the store stays, and importing again is harmless: equal
 * lines write nothing.
 *
 * A line says how its twin is: a property that it does not have is taken away, except from twins
 * that pipelines deliver, where a line only adds and changes, since the pipelines' properties are
 * theirs. Of $metadata the model and source times are taken; $etag is ignored. Sections may come in
 * any order that puts things before what needs them. Duplicate ids are found among the first
 * GM_IMPORT_SEEN_MAX of a section; behind these the last line wins.
 *
 * An import that was interrupted can go on: with each transaction the caller may write down how far
 * it got (`mark`), and give that back (`from`). Ids that came before the interruption are not
 * remembered.
 *
 * Export writes the same format from one snapshot, in an order that depends on the graph alone:
 * models by depth of what they need and then by id, twins by id, relationships by source and id.
 * What was imported into an empty store comes out equal.
 *
 * Thread rule: an import belongs to the thread that runs it; what it writes goes through
 * store.write. */
#ifndef GM_TWIN_TRANSFER_H
#define GM_TWIN_TRANSFER_H

#include "db/writer.h"
#include "dtdl/model.h"
#include "os/clock.h"
#include "twin/graph.h"

enum {
    GM_IMPORT_LINE_SIZE_MAX = 4 << 20,     /* an interface may have 1 MiB */
    GM_IMPORT_MODELS_SIZE_MAX = 512 << 20, /* memory for a file's models */
    GM_IMPORT_BATCH_LINES = 2000,          /* of a transaction, */
    GM_IMPORT_BATCH_SIZE = 4 << 20,        /* or bytes, whichever comes first */
    GM_IMPORT_SEEN_MAX = 3 << 20,
};

enum gm_import_section {
    GM_IMPORT_NO_SECTION,
    GM_IMPORT_HEADER,
    GM_IMPORT_MODELS,
    GM_IMPORT_TWINS,
    GM_IMPORT_RELATIONSHIPS,
    GM_IMPORT_SECTION_COUNT,
};
const char *gm_import_section_name(enum gm_import_section section); /* "Twins" */

struct gm_import_counts {
    int64_t models_created, models_same;
    int64_t twins_created, twins_updated, twins_same;
    int64_t relationships_created, relationships_updated, relationships_same;
    int64_t failed; /* lines that were reported */
    uint64_t lines;
    uint64_t bytes;
};

/* Where an import stands between two transactions: everything before it is in the store. */
struct gm_import_position {
    uint64_t offset; /* in the file, bytes: where line `counts.lines` + 1 begins */
    enum gm_import_section section;
    bool header_seen;
    struct gm_import_counts counts;
};

/* Interfaces to add, as gm_models_extend takes them: all or nothing. */
struct gm_import_interfaces {
    yyjson_mut_val *const *at;
    size_t count;
    size_t added; /* out: how many were not there yet */
    /* out: the set with them; stays until the import has returned */
    const struct gm_models *models;
};

/* The store to import into. */
struct gm_import_store {
    void *ctx;
    /* Runs fn in a write transaction on the thread that owns `graph`; returns after the commit.
     * When fn fails, the transaction is undone and the graph forgets. */
    gm_rc (*write)(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err);
    /* Adds and commits; the graph uses the new set from then on. */
    gm_rc (*add_interfaces)(void *ctx, struct gm_import_interfaces *interfaces, struct gm_err *err);
    struct gm_graph *graph;
    const struct gm_models *models; /* as they are now; NULL: none */
};

struct gm_import_options {
    const char *path_z; /* "-": standard input */
    struct gm_str name; /* for the cause; n 0: the path's last part */
    const struct gm_clock *clock;
    const struct gm_deadline *deadline;    /* NULL: none; looked at between transactions */
    const struct gm_import_position *from; /* NULL: the beginning; not of standard input */
    void *ctx;
    /* In the transaction of each batch, on its thread: where the import stands when it commits. May
     * be NULL. */
    gm_rc (*mark)(void *ctx, struct gm_db *db, const struct gm_import_position *position,
                  struct gm_err *err);
    /* A section begins: what came before is in the store. May be NULL. */
    void (*section)(void *ctx, enum gm_import_section section);
    void (*problem)(void *ctx, uint64_t line, enum gm_import_section section,
                    const char *text_z); /* may be NULL */
    void (*progress)(
        void *ctx, const struct gm_import_counts *counts); /* after each transaction; may be NULL */
};

/* GM_OK when the file was read to its end, whatever its lines were: see counts->failed.
 * GM_E_INVALID: the file is none of this format at all. *out_counts is filled in any case. */
gm_rc gm_import_run(const struct gm_import_store *store, const struct gm_import_options *options,
                    struct gm_import_counts *out_counts, struct gm_err *err) GM_MUST_CHECK;

struct gm_export_counts {
    int64_t models, twins, relationships;
    uint64_t bytes;
};
struct gm_export_options {
    struct gm_str author, organization; /* of the header; n 0: left out */
    void *ctx;
    gm_rc (*write)(void *ctx, struct gm_str bytes,
                   struct gm_err *err); /* whole lines, many at once */
};
/* Takes a snapshot of its own: `db` must not be in a transaction. */
gm_rc gm_export_run(struct gm_db *db, const struct gm_export_options *options,
                    struct gm_export_counts *out_counts, struct gm_err *err) GM_MUST_CHECK;

#endif
