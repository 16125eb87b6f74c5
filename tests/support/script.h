/* A pipeline under test whose source follows a script: what it shows, where it breaks, what happens
 * while it is read. Everything else is the real thing: configuration, steps, sink, store.
 *
 *     struct script *s = script_new();
 *     script_show(s, "1,apple,2.5,2 2,pear");         // rows: id,name,size,likes; "" is null
 *     s->breaks = (struct script_breaks){.times = 1, .after = 1, .rc = GM_E_RETRY};
 *     check_ok(script_run(s), s->err);
 *     assert_int_equal(s->report.run.counts.created, 2);
 *     check_str(script_graph(s), "t-1 {\"name\":\"apple\",\"size\":2.5}\nt-1 likes t-2\nt-2 …");
 *     script_free(s);
 *
 * The pipeline `p` maps a row to the twin `t-ID` of model dtmi:t:Thing;1 with the properties `name`
 * and `size` (a double: any other text is wrong with this record) and the relationship `likes` to
 * `t-LIKES`. A row whose id is `?` is one that the source cannot read. Wall time stands still at
 * s->now; monotonic time is the system's. Thread rule: hooks run on the reader's thread, while the
 * test's thread waits in script_run; the rest is the test's. */
#ifndef GM_TESTS_SUPPORT_SCRIPT_H
#define GM_TESTS_SUPPORT_SCRIPT_H

#include "base/vec.h"
#include "engine/operations.h"
#include "engine/run.h"
#include "support/check.h"
#include "support/tmp.h"

enum { SCRIPT_COLUMNS = 4 };

struct script_row {
    char *cells[SCRIPT_COLUMNS]; /* owned; NULL: null */
};
struct script_rows {
    struct script_row *at;
    size_t n;
    size_t capacity;
};

/* How the source fails: `times` times, then no more. */
struct script_breaks {
    int64_t times;
    bool connecting; /* in connect; else in read, */
    size_t after;    /* when this many records were delivered in the pass */
    gm_rc rc;
};

struct script {
    struct tmp *tmp;
    struct gm_config *config;
    struct gm_connector connector; /* a copy, so that a test can take promises away */
    struct gm_pipeline_conf conf;  /* likewise */
    struct gm_pipeline pipeline;
    struct gm_clock clock;
    gm_ns now;
    const char *vfs_z;
    struct gm_store *store;
    struct gm_run_handle *handle;
    bool plan, resync;

    struct script_rows rows;
    GM_VEC(struct gm_config *) old_configs;
    size_t batch_rows; /* a batch holds this many at most; 0: as many as fit */
    bool incremental;  /* cursors count rows: a pass from "N" shows what stands behind the Nth */
    struct script_breaks breaks;
    void (*on_read)(struct script *script, size_t delivered); /* before each read. NULL: none */
    void (*on_ack)(struct script *script);

    int64_t connects, acks; /* since script_new */
    char from_cursor[32];   /* of the last connect */

    struct gm_run_report report; /* of the last run */
    struct gm_err err;
    char *graph_z;
};

struct script *script_new(void);
/* Another map: lines of YAML behind $dtId and $model, or NULL for the one above. As after a change
 * of the configuration and a restart. */
void script_map(struct script *script, const char *lines_z);
void script_free(struct script *script); /* NULL is fine */

/* Replaces all rows by these, separated by white space. */
void script_show(struct script *script, const char *rows_z);
/* Adds `count` rows "FIRST,name-of-FIRST,…": name, size and likes follow from the id and `salt`. */
void script_add_many(struct script *script, size_t first, size_t count, unsigned salt);

/* The store is opened by the first run and may be closed in between, as by a restart. */
gm_rc script_open(struct script *script);
void script_close(struct script *script);
gm_rc script_run(struct script *script);
struct gm_operation script_operation(struct script *script);

/* One line a twin and relationship, in the order of an export, without times and etags:
 *     "t-1 {"name":"apple"}\nt-1 likes t-2\n"; the text lives until the next call. */
struct gm_str script_graph(struct script *script);
/* A number of the store; 0 for null. */
int64_t script_number(struct script *script, const char *sql_z);

#endif
