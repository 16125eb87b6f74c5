/* What the files of the graph's write side share. Not for others. */
#ifndef GM_TWIN_GRAPH_INTERNAL_H
#define GM_TWIN_GRAPH_INTERNAL_H

#include "base/map.h"
#include "base/vec.h"
#include "os/queue.h"
#include "os/thread.h"
#include "twin/graph.h"

/* The statements, in the order of graph.c's table. */
enum gm_graph_stmt {
    STMT_TWIN_BY_ID,
    STMT_TWIN_BY_NUM,
    STMT_TWIN_NUM,
    STMT_TWIN_INSERT,
    STMT_TWIN_INSERT_MANY,
    STMT_TWIN_UPDATE,
    STMT_TWIN_SET_SOURCES,
    STMT_TWIN_SET_LAST_CHANGE,
    STMT_TWIN_DISOWN,
    STMT_TWIN_RENUMBER,
    STMT_TWIN_DELETE,
    STMT_TWIN_LAST_COUNT,
    STMT_TWIN_SET_LAST_COUNT,
    STMT_TWIN_MOVED,
    STMT_TWIN_MOVE_INSERT,
    STMT_TWIN_MOVE_FOLLOW,
    STMT_GRAVE_GET,
    STMT_GRAVE_COUNT,
    STMT_GRAVE_DELETE,
    STMT_GRAVE_INSERT,
    STMT_RELATIONSHIP_INSERT,
    STMT_RELATIONSHIP_GET,
    STMT_RELATIONSHIP_UPDATE,
    STMT_RELATIONSHIP_DELETE,
    STMT_RELATIONSHIPS_OF_PIPELINE,
    STMT_RELATIONSHIPS_OUT,
    STMT_RELATIONSHIPS_IN,
    STMT_RELATIONSHIPS_OUT_COUNT,
    STMT_RELATIONSHIPS_IN_COUNT,
    STMT_RELATIONSHIPS_MOVE_SOURCE,
    STMT_RELATIONSHIPS_MOVE_TARGET,
    STMT_WAITING_PUT,
    STMT_WAITING_GET,
    STMT_WAITING_FOR_TWIN,
    STMT_WAITING_OF_PIPELINE,
    STMT_WAITING_DELETE,
    STMT_WAITING_COUNT,
    STMT_COUNT,
};

/* A change that has its number and is written by gm_graph_end. Texts live until then. */
struct gm_graph_entry {
    enum gm_change_kind kind;
    int64_t previous;
    int64_t pipeline;
    int64_t run;
    uint64_t position;
    struct gm_str twin;
    const struct gm_model *model; /* CREATE: goes in front of data; NULL: is in it */
    struct gm_str data;
};

enum { GM_GRAPH_COUNTS_MAX = 65536 }; /* of twins whose relationships were counted */

/* The last twin number given out, per model, and how many twins more there are since the flush. */
struct gm_graph_counter {
    int64_t model;
    int64_t last;
    int64_t more; /* may be negative */
    bool changed;
    uint64_t marks;      /* the graph's, when `more` changed last */
    int64_t marked_more; /* `more` at that mark */
};

struct gm_graph {
    struct gm_db *db;
    struct gm_stmt *stmts[STMT_COUNT];
    struct gm_change_log *log;
    const struct gm_models *models;
    struct gm_cause cause;
    struct gm_arena *arena; /* texts of entries; reset by begin */
    struct gm_buf text;     /* scratch */
    GM_VEC(struct gm_graph_entry) entries;
    int64_t first_change; /* the number of entries.at[0] */
    GM_VEC(struct gm_graph_counter) counters;
    uint64_t marks;  /* set so far */
    int64_t waiting; /* relationships that wait; -1: not known */
    int64_t graves;  /* twins that are gone; -1: not known */
    /* The packer; NULL: none. It owns `entries`, `text` and `log` while `packing`. */
    struct gm_thread *packer;
    struct gm_queue *to_pack, *packed;
    bool packing;
    gm_rc pack_rc; /* the packer's; read after it gave the session back */
    struct gm_err pack_err;
    struct gm_map *nums; /* ids looked up lately → twin numbers */
    /* number and side → at most so many relationships are there */
    struct gm_map *relationship_counts;
};

/* A row of `twins`, texts in graph->arena. */
gm_rc gm_graph_row_by_num(struct gm_graph *graph, int64_t num, struct gm_twin *out_twin,
                          struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_graph_row_by_id(struct gm_graph *graph, struct gm_str id, struct gm_twin *out_twin,
                         struct gm_err *err) GM_MUST_CHECK;
/* 0: no such twin. */
gm_rc gm_graph_find_num(struct gm_graph *graph, struct gm_str id, int64_t *out_num,
                        struct gm_err *err) GM_MUST_CHECK;
/* A number for a new twin of the model. */
gm_rc gm_graph_next_num(struct gm_graph *graph, int64_t model_num, int64_t *out_num,
                        struct gm_err *err) GM_MUST_CHECK;

/* `more` twins of the twin's model: to be called wherever a row of `twins` comes, goes, or gets
 * another number, so that models.twin_count is right. */
gm_rc gm_graph_count_twins(struct gm_graph *graph, int64_t twin_num, int more, struct gm_err *err)
    GM_MUST_CHECK;

/* Adds an entry with the cause of the session and returns its change number. The pointer is good
 * until the next entry. */
int64_t gm_graph_add_entry(struct gm_graph *graph, enum gm_change_kind kind, struct gm_str twin,
                           int64_t previous, struct gm_graph_entry **out_entry);
struct gm_graph_entry *gm_graph_entry_at(struct gm_graph *graph, int64_t change);
/* Copies into the session's arena; a text that does not fit ends the program, since callers bound
 * what they pass. */
struct gm_str gm_graph_keep(struct gm_graph *graph, struct gm_str text);

/* Inserts the twin, with its change. *out_created = false: a twin of this id is there already, and
 * nothing was written. */
gm_rc gm_graph_try_create(struct gm_graph *graph, struct gm_twin_put *put, bool *out_created,
                          struct gm_err *err) GM_MUST_CHECK;
/* Gives a twin that gets another model the number it has then. */
gm_rc gm_graph_renumber(struct gm_graph *graph, const struct gm_twin *row, int64_t model_num,
                        int64_t *out_num, struct gm_err *err) GM_MUST_CHECK;
/* The column `times`; NULL: none, or damaged. */
yyjson_mut_val *gm_graph_parse_times(yyjson_mut_doc *doc, struct gm_str text);
/* Takes the row and its relationships away, leaves a grave. `deleter`: a pipeline, 0 nobody in
 * particular. */
gm_rc gm_graph_delete_row(struct gm_graph *graph, const struct gm_twin *twin, uint64_t position,
                          int64_t deleter, struct gm_err *err) GM_MUST_CHECK;

/* The number that the next change gets; the version of a relationship that is written is that of
 * its change, so that an ETag never comes back, not even when the relationship does. */
static inline int64_t gm_graph_next_change(const struct gm_graph *graph)
{
    return graph->first_change + (int64_t)graph->entries.n;
}

/* What a relationship says. */
struct gm_graph_relationship {
    struct gm_str name, target_id; /* target_id p NULL: looked up */
    int64_t target;
    struct gm_str text; /* of its properties; p NULL: none */
};
/* "$patch" of a "replace": text in the session's arena. Uses graph->text. */
gm_rc gm_graph_relationship_patch(struct gm_graph *graph, const struct gm_graph_relationship *then,
                                  const struct gm_graph_relationship *now, struct gm_str *out_patch,
                                  struct gm_err *err) GM_MUST_CHECK;
/* One operation of a RELATIONSHIPS change, appended to a text that begins with '['. */
struct gm_graph_operation {
    const char *op_z;
    struct gm_str id, name, target_id, text, patch;
    struct gm_str etag; /* of "remove": the last it had; n 0: none */
};
void gm_graph_add_operation(struct gm_buf *out, const struct gm_graph_operation *operation);
/* A change of a twin's relationships alone: logged, and the twin's history goes on with it. */
struct gm_graph_operations {
    int64_t source, pipeline, run;
    uint64_t position;
    struct gm_str text; /* the array */
};
gm_rc gm_graph_log_operations(struct gm_graph *graph, const struct gm_graph_operations *operations,
                              struct gm_err *err) GM_MUST_CHECK;

/* A twin came into being: relationships that waited for it are tried. */
gm_rc gm_graph_wake_waiting(struct gm_graph *graph, struct gm_str twin_id, struct gm_err *err)
    GM_MUST_CHECK;
/* Takes the twin's relationships away before it goes. `pipeline`: who deletes it, 0 nobody in
 * particular. */
gm_rc gm_graph_drop_relationships(struct gm_graph *graph, const struct gm_twin *twin,
                                  int64_t pipeline, struct gm_err *err) GM_MUST_CHECK;
/* Takes away what one pipeline delivered for a twin that stays. */
gm_rc gm_graph_drop_pipeline_relationships(struct gm_graph *graph, const struct gm_twin *twin,
                                           int64_t pipeline, struct gm_err *err) GM_MUST_CHECK;

#endif
