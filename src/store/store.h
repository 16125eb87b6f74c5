/* The data directory: one process, one writer thread, readers beside it.
 *
 *     struct gm_store *store;
 *     GM_TRY(gm_store_open(&(struct gm_store_options){.folder_z = "data"}, &store, err));
 *     // on the writer's thread, inside a transaction; durable when it returns:
 *     rc = gm_store_write(store, fn, ctx, err);
 *     struct gm_db *db;
 *     GM_TRY(gm_store_reader(store, &db, err));      // a reading connection of the caller's own
 *     gm_store_close(store);
 *
 *     DATA/store.db     everything
 *     DATA/lock         who works here
 *     DATA/admin.json   where its admin API is, and the token for it
 *
 * Opening takes the directory's lock (GM_E_RETRY names the process that has it), brings the schema
 * up to date, marks runs that a killed process left behind and removes its admin.json. What needs
 * only to look uses gm_store_open_reader, which takes no lock. */
#ifndef GM_STORE_STORE_H
#define GM_STORE_STORE_H

#include "db/writer.h"
#include "dtdl/model.h"
#include "sync/governor.h"
#include "sync/state.h"
#include "twin/graph.h"
#include "twin/query.h"

/* When a property that queries filter on gets an index (twin/values.h); 0: these. */
enum {
    GM_INDEX_TWINS_MIN = 10000, /* a walk past fewer twins does not count */
    GM_INDEX_WALKS_MIN = 8,
    GM_INDEXES_MAX = 16, /* each costs every write of a twin that has the property */
};
struct gm_index_policy {
    int64_t twins_min, walks_min;
    size_t indexes_max;
};

struct gm_store_options {
    const char *folder_z;
    const char *vfs_z;            /* SQLite VFS; NULL: the default */
    const struct gm_clock *clock; /* NULL: the system's */
    struct gm_index_policy indexes;
};

struct gm_store;
struct gm_stream_directory; /* stream/directory.h */

/* What a writing job has at hand. */
struct gm_store_tx {
    struct gm_db *db;
    struct gm_graph *graph;
    struct gm_state_writer *states;
};
typedef gm_rc (*gm_store_fn)(void *ctx, const struct gm_store_tx *tx, struct gm_err *err);

struct gm_store_job {
    gm_store_fn fn;
    /* on the writer's thread, after the commit */
    void (*done)(void *ctx, gm_rc rc, const struct gm_err *err);
    void *ctx;
    bool alone; /* a transaction of its own */

    struct gm_store *store_; /* private; the job must live until done */
};

gm_rc gm_store_open(const struct gm_store_options *options, struct gm_store **out_store,
                    struct gm_err *err) GM_MUST_CHECK;
void gm_store_close(struct gm_store *store); /* waits for queued jobs; NULL is fine */
const struct gm_clock *gm_store_clock(const struct gm_store *store);
const char *gm_store_folder_z(const struct gm_store *store);

/* Runs a job and waits for its commit. A job that fails is undone. */
gm_rc gm_store_write(struct gm_store *store, gm_store_fn fn, void *ctx, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_store_submit(struct gm_store *store, struct gm_store_job *job, struct gm_err *err)
    GM_MUST_CHECK;
/* GM_OK, or why the store takes no more writes: it has to be opened anew. */
gm_rc gm_store_failure(const struct gm_store *store, struct gm_err *err) GM_MUST_CHECK;
/* The caller closes it. */
gm_rc gm_store_reader(struct gm_store *store, struct gm_db **out_db, struct gm_err *err)
    GM_MUST_CHECK;
/* The streams of this data directory, for connectors; kept until replaced or taken away (NULL). Set
 * while nothing runs. */
void gm_store_set_streams(struct gm_store *store, const struct gm_stream_directory *streams);
const struct gm_stream_directory *gm_store_streams(const struct gm_store *store);
/* How fast targets outside the store may be asked: of the process. */
struct gm_governors *gm_store_governors(struct gm_store *store);
/* The graph that sinks write through: on the writer's thread only. */
struct gm_graph *gm_store_graph(struct gm_store *store);

/* The number of the newest change that is committed; 0: there is none. See store/feed.h. */
int64_t gm_store_newest_change(struct gm_store *store);

/* The newest set of models. It stays as it is, and stays, until it is released; sets that are not
 * the newest and that nobody holds are freed. A set is the newest as soon as it is committed. */
const struct gm_models *gm_store_models_hold(struct gm_store *store);
void gm_store_models_release(struct gm_store *store, const struct gm_models *models);
size_t gm_store_models_sets(struct gm_store *store); /* how many there are, for tests */
/* Adds the interfaces of a folder that are not there yet. */
gm_rc gm_store_add_models(struct gm_store *store, const char *path_z, size_t *out_added,
                          struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_store_add_interfaces(struct gm_store *store, yyjson_mut_val *const *interfaces,
                              size_t count, size_t *out_added, struct gm_err *err) GM_MUST_CHECK;

/* Without the lock and without writing: for looking while another process works. GM_E_CONFIG when
 * there is no store. */
gm_rc gm_store_open_reader(const char *folder_z, struct gm_db **out_db, struct gm_err *err)
    GM_MUST_CHECK;

/* What a query says of its filters: gm_query_request.on_access, with the store as access_ctx. Any
 * thread. Indexes that it asks for are made in the background, through the writer. */
void gm_store_note_access(void *store, const struct gm_query_access *access);
/* Until indexes that were asked for are there, for tools and tests. */
void gm_store_await_indexes(struct gm_store *store);

#endif
