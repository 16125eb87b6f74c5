/* Queries: the Azure Digital Twins query language, parsed into a tree, planned, and run as SQL.
 *
 *     static gm_rc print(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row, struct gm_err *err)
 *     struct gm_query_request request = {
 *         .text = GM_STR("SELECT T.name FROM DIGITALTWINS T WHERE T.unitPrice > 20"),
 *         .models = models, .rows_max = 100, .fn = print};
 *     struct gm_query_outcome outcome;
 *     GM_TRY(gm_query_run(db, &request, &outcome, err));
 *
 * Language (keywords in any case; conditions are those of expr/expr.h; docs/query.md has examples):
 *     query  := SELECT [DISTINCT] [TOP '(' n ')'] [select] FROM source [past] {join} [match]
 *               [WHERE cond] [past] [GROUP BY path {',' path}]
 *               [ORDER BY by [ASC | DESC] {',' by [ASC | DESC]}] [past]
 *     select := '*' | item [AS name] {',' item [AS name]}
 *     item   := path | COUNT '(' ['*' | path] ')' | (SUM | AVG | MIN | MAX) '(' path ')'
 *     by     := item | name
 *     source := (DIGITALTWINS | RELATIONSHIPS) [alias]
 *     past   := AS OF 'time'
 *     join   := JOIN alias RELATED alias '.' relationship [alias]
 *     match  := MATCH node {edge node}
 *     node   := '(' [alias] ')'
 *     edge   := ('-' | '<-') '[' [alias] [':' name {'|' name}] ['*' hops] ']' ('-' | '->')
 *     hops   := n | low '..' high | '..' high     -- more than low, at most high
 * DISTINCT, GROUP BY, ORDER BY, AS OF and aggregates but for COUNT() are ours, not the service's.
 *
 * A query without `select` behind TOP asks for everything. A path begins with an alias when there
 * are several collections; where there is one, it may. $dtId, $metadata.$model,
 * $metadata.$lastUpdateTime, $metadata.NAME.lastUpdateTime, and of relationships $relationshipId,
 * $relationshipName, $sourceId and $targetId may be compared like properties, and so may $etag and
 * $metadata.NAME.sourceTime. Aliases are told apart by case, unless only one can be meant; a JOIN's
 * relationship without an alias goes by its own name.
 *
 * What is not there is undefined: a comparison with it, or of values of different types, is neither
 * true nor false, so that neither it nor its negation selects anything. IS_… functions are true or
 * false of everything. IS_OF_MODEL holds for the model, what derives from it, and higher versions
 * of the same id; `exact` for the model alone. A path through the graph takes each relationship at
 * most once.
 *
 * Rows: `SELECT *` gives bare twins or relationships, in the form of twin_json.h; COUNT() one row
 * {"COUNT":n}; else an object with a member per selected path, named by AS or the path's last
 * segment, without those that are undefined. Rows come in the order of the first collection's
 * models and twins and then of relationships' ids, which is the same on every engine and from page
 * to page.
 *
 * Ordered values of different types have one order: undefined, null, booleans, numbers, texts,
 * arrays, objects. The past (past.h) comes in the order of ids. What is ordered or grouped is put
 * together before the first row is given, as values without documents; SQLite keeps as much of that
 * in memory as its cache has, and the rest in a temporary file.
 *
 * Paging: at most rows_max rows are delivered; when there are more, `next` gets a token
 * (JSON text) that holds the query and where to go on. Pages see the store as it is then: a twin
 * that was written between two pages shows up when its place is still ahead.
 *
 * Conditions on properties that have an index (values.h) start there when few entries fit; COUNT()
 * of models comes from their counts.
 *
 * Every literal, name and JSON path of the query is a bound parameter; SQL is made from fixed
 * pieces only. Thread rule: a run belongs to its connection's thread. gm_db_set_deadline bounds how
 * long it may take. */
#ifndef GM_TWIN_QUERY_H
#define GM_TWIN_QUERY_H

#include "base/buf.h"
#include "db/db.h"
#include "dtdl/model.h"
#include "json/json.h"

enum {
    GM_QUERY_JOINS_MAX = 10,
    GM_QUERY_NODES_MAX = 12,   /* of MATCH */
    GM_QUERY_HOPS_MAX = 10,    /* of one relationship pattern */
    GM_QUERY_LEGS_MAX = 200,   /* combinations of hop counts: each is a statement of its own */
    GM_QUERY_SELECT_MAX = 256, /* selected paths */
    GM_QUERY_PARAMS_MAX = 30000,
    GM_QUERY_SQL_SIZE_MAX = 8 << 20,
    GM_QUERY_ROW_SIZE_MAX = 64 << 20, /* one row's JSON with what it takes to make it */
};

/* `row` and what it points to live until the callback returns. Anything but GM_OK ends the run with
 * that. */
typedef gm_rc (*gm_query_row_fn)(void *ctx, yyjson_mut_doc *doc, yyjson_mut_val *row,
                                 struct gm_err *err);

/* Bounds for those whom the caller does not trust with the program's own; 0: those. */
struct gm_query_limits {
    size_t size_max;       /* characters of the text */
    size_t conditions_max; /* ANDs and ORs */
    size_t items_max;      /* of one IN or NIN */
    size_t joins_max;
    int hops_max; /* of one pattern in MATCH */
};
/* What Azure Digital Twins publishes. */
#define GM_QUERY_LIMITS_PUBLISHED                                                                  \
    ((struct gm_query_limits){                                                                     \
        .size_max = 8000, .conditions_max = 50, .items_max = 50, .joins_max = 5, .hops_max = 10})

/* A property that a query has a condition on. */
struct gm_query_access {
    struct gm_str path; /* as values.h has it */
    int64_t index;      /* that was used; 0: none, the property has none */
    int64_t twins;      /* that were looked at one by one, at most; 0 with an index */
};

struct gm_query_request {
    struct gm_str text;             /* may be empty when there is a continuation */
    struct gm_str continuation;     /* an earlier page's token; n 0: from the start */
    const struct gm_models *models; /* borrows */
    size_t rows_max;                /* rows of this page; 0: all */
    size_t bytes_max;               /* the page ends behind about so many bytes; 0: no bound */
    /* the connection is in the caller's; else a snapshot is taken */
    bool in_transaction;
    gm_query_row_fn fn;
    void *ctx;
    struct gm_buf *next; /* gets the next page's token when there is one; may be NULL */
    struct gm_query_limits limits;
    /* Told after the query how each property that it filters twins on was looked up; may be NULL.
     * For whoever decides what gets an index (values.h). */
    void (*on_access)(void *ctx, const struct gm_query_access *access);
    void *access_ctx;
};

/* What is wrong with a query, in the words of the service's parser: "missing SELECT at 'foo'",
 * "mismatched input 'ROOMS' expecting DIGITALTWINS or RELATIONSHIPS". */
struct gm_query_fault {
    int32_t line;     /* from 1; 0: the query as a whole */
    int32_t position; /* characters before it in its line */
    char message[GM_ERR_TEXT_SIZE];
};

struct gm_query_outcome {
    size_t rows;
    bool more;                   /* there are rows behind this page */
    char note[GM_ERR_TEXT_SIZE]; /* what the user may want to know, mostly "": no such model … */
    struct gm_query_fault fault; /* after GM_E_INVALID */
};

/* GM_E_INVALID: the query or the token is wrong; the message has line and column. GM_E_CONFLICT:
 * models in the store are newer than those given. Rows may have been delivered before a failure. */
gm_rc gm_query_run(struct gm_db *db, const struct gm_query_request *request,
                   struct gm_query_outcome *out_outcome, struct gm_err *err) GM_MUST_CHECK;

/* Only parses. */
gm_rc gm_query_check(struct gm_str text, struct gm_err *err) GM_MUST_CHECK;
/* Appends how the query would be run on the store, for people: where it starts, which indexes it
 * uses or would have use for, the statements, and what the engine makes of them. */
gm_rc gm_query_explain_plan(struct gm_db *db, struct gm_str text, const struct gm_models *models,
                            struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
/* Appends the statements that the query would run on a store without indexes, one a line, for
 * `engine`: for tests. */
gm_rc gm_query_explain(struct gm_str text, const struct gm_models *models, enum gm_db_engine engine,
                       struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;

#endif
