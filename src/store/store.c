/* The data directory. */
#include "store/inside.h"

#include "base/mem.h"
#include "base/metrics.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/thread.h"
#include "sync/run.h"
#include "twin/models.h"

enum {
    /* holds the tails of the tables that a load appends to, and their indexes */
    WRITER_CACHE_SIZE = 48 << 20,
};

struct gm_store {
    const struct gm_stream_directory *streams; /* NULL: none */
    struct gm_store_options options;
    char *folder_z;
    char *url_z;
    struct gm_lock *lock;
    struct gm_writer *writer;
    struct gm_graph *graph;         /* the writer thread's */
    struct gm_state_writer *states; /* the writer thread's */
    struct gm_governors *governors;
    struct gm_store_sets sets;
    struct gm_change_watch watch;
    struct gm_indexer *indexer;
};

/* ---- opening ---- */

static gm_rc recover(struct gm_store *store, struct gm_db *db, struct gm_err *err)
{
    int64_t interrupted;
    GM_TRY(gm_db_begin(db, err));
    GM_TRY(gm_runs_mark_interrupted(db, store->options.clock->wall(store->options.clock),
                                    &interrupted, err));
    return gm_db_commit(db, err);
}

/* Small jobs leave their changes with the graph: one chunk holds those of all that commit
 * together. */
static gm_rc flush_graph(void *ctx, struct gm_db *db, struct gm_err *err)
{
    (void)db;
    struct gm_store *store = ctx;
    return store->graph != NULL ? gm_graph_flush(store->graph, err) : GM_OK;
}

static void forget_transaction(void *ctx)
{
    struct gm_store *store = ctx;
    if (store->graph != NULL) {
        gm_graph_forget(store->graph);
        gm_store_sets_undone(&store->sets, NULL, store->graph);
    }
}

/* Tells those who wait for changes. A failure to read is passed over: what the next commit finds is
 * told then, and a store that cannot be read any more fails its jobs. */
static void tell_newest(struct gm_store *store)
{
    int64_t newest;
    struct gm_err ignored;
    if (gm_graph_newest_change(store->graph, &newest, &ignored) != GM_OK) {
        return;
    }
    gm_mutex_lock(store->watch.mu);
    bool any = newest != store->watch.newest;
    store->watch.newest = newest;
    if (any) {
        gm_cond_broadcast(store->watch.cond);
    }
    gm_mutex_unlock(store->watch.mu);
}

/* On the writer's thread, after each commit. */
static void note_commit(void *ctx, gm_ns took)
{
    struct gm_store *store = ctx;
    gm_store_sets_committed(&store->sets);
    if (store->graph != NULL) {
        tell_newest(store);
    }
    gm_metric_add(GM_M_STORE_COMMITS, GM_STR(""), 1);
    gm_metric_add(GM_M_STORE_COMMIT_SECONDS, GM_STR(""), (double)took / (double)GM_SECOND);
}

static gm_rc open_database(struct gm_store *store, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_models *models;
    GM_TRY(gm_db_open(&(struct gm_db_options){.url_z = store->url_z,
                                              .mode = GM_DB_WRITE,
                                              .cache_bytes = WRITER_CACHE_SIZE,
                                              .vfs_z = store->options.vfs_z},
                      &db, err));
    gm_rc rc = gm_db_migrate(db, err);
    rc = rc == GM_OK ? recover(store, db, err) : rc;
    rc = rc == GM_OK ? gm_models_load(db, &models, err) : rc;
    if (rc == GM_OK) {
        gm_store_sets_add(&store->sets, models);
        rc = gm_graph_open(db, &store->graph, err);
    }
    rc = rc == GM_OK ? gm_graph_newest_change(store->graph, &store->watch.newest, err) : rc;
    rc = rc == GM_OK ? gm_graph_pack_in_background(store->graph, err) : rc;
    rc = rc == GM_OK ? gm_state_writer_open(db, &store->states, err) : rc;
    rc = rc == GM_OK ? gm_indexer_resume(store->indexer, db, err) : rc;
    if (rc == GM_OK) {
        gm_graph_set_models(store->graph, models);
        struct gm_writer_hooks hooks = {.ctx = store,
                                        .before_commit = flush_graph,
                                        .committed = note_commit,
                                        .undone = forget_transaction};
        rc = gm_writer_start(db, &hooks, &store->writer, err);
    }
    if (rc != GM_OK) {
        gm_graph_close(store->graph);
        gm_state_writer_close(store->states);
        store->graph = NULL;
        store->states = NULL;
        gm_db_close(db);
    }
    return rc;
}

gm_rc gm_store_open(const struct gm_store_options *options, struct gm_store **out_store,
                    struct gm_err *err)
{
    struct gm_store *store = gm_alloc(sizeof(*store));
    store->options = *options;
    store->options.clock = options->clock != NULL ? options->clock : gm_clock_system();
    store->folder_z = gm_strdup_z(options->folder_z);
    store->url_z = gm_format_z("sqlite:%s/store.db", options->folder_z);
    store->governors = gm_governors_new();
    gm_store_sets_init(&store->sets);
    store->watch = (struct gm_change_watch){.mu = gm_mutex_new(), .cond = gm_cond_new()};
    GM_AUTO_FREE char *lock_z = gm_format_z("%s/lock", options->folder_z);
    GM_AUTO_FREE char *admin_z = gm_format_z("%s/admin.json", options->folder_z);
    gm_rc rc = gm_folder_make(options->folder_z, err);
    rc = rc == GM_OK ? gm_lock_take(lock_z, &store->lock, err) : rc;
    /* of a process that was killed: nobody answers there */
    rc = rc == GM_OK ? gm_file_remove(admin_z, err) : rc;
    store->indexer = gm_indexer_new(store, &options->indexes);
    rc = rc == GM_OK ? open_database(store, err) : rc;
    if (rc != GM_OK) {
        gm_store_close(store);
        return rc;
    }
    gm_indexer_start(store->indexer);
    *out_store = store;
    return GM_OK;
}

/* Statements go before their connection, which the writer closes; so they are closed by its last
 * job. */
static gm_rc close_statements(void *ctx, struct gm_db *db, struct gm_err *err)
{
    (void)db;
    (void)err;
    struct gm_store *store = ctx;
    gm_graph_close(store->graph);
    gm_state_writer_close(store->states);
    store->graph = NULL;
    store->states = NULL;
    return GM_OK;
}

void gm_store_close(struct gm_store *store)
{
    if (store == NULL) {
        return;
    }
    if (store->writer != NULL) {
        gm_indexer_stop(store->indexer);
        struct gm_err err;
        if (gm_writer_run(store->writer, close_statements, store, &err) != GM_OK &&
            store->graph != NULL) {
            /* The writer has failed and runs nothing more: its connection is idle, and its
             * statements can go from here. */
            (void)close_statements(store, NULL, &err);
        }
        gm_writer_stop(store->writer);
    }
    gm_store_sets_deinit(&store->sets);
    gm_indexer_free(store->indexer);
    gm_lock_release(store->lock);
    gm_governors_free(store->governors);
    gm_cond_free(store->watch.cond);
    gm_mutex_free(store->watch.mu);
    gm_free(store->folder_z);
    gm_free(store->url_z);
    gm_free(store);
}

const struct gm_clock *gm_store_clock(const struct gm_store *store)
{
    return store->options.clock;
}

const char *gm_store_folder_z(const struct gm_store *store)
{
    return store->folder_z;
}

void gm_store_set_streams(struct gm_store *store, const struct gm_stream_directory *streams)
{
    store->streams = streams;
}

const struct gm_stream_directory *gm_store_streams(const struct gm_store *store)
{
    return store->streams;
}

struct gm_governors *gm_store_governors(struct gm_store *store)
{
    return store->governors;
}

struct gm_graph *gm_store_graph(struct gm_store *store)
{
    return store->graph;
}

struct gm_change_watch *gm_store_watch(struct gm_store *store)
{
    return &store->watch;
}

struct gm_store_sets *gm_store_sets(struct gm_store *store)
{
    return &store->sets;
}

int64_t gm_store_newest_change(struct gm_store *store)
{
    gm_mutex_lock(store->watch.mu);
    int64_t newest = store->watch.newest;
    gm_mutex_unlock(store->watch.mu);
    return newest;
}

gm_rc gm_store_failure(const struct gm_store *store, struct gm_err *err)
{
    return gm_writer_failure(store->writer, err);
}

gm_rc gm_store_reader(struct gm_store *store, struct gm_db **out_db, struct gm_err *err)
{
    return gm_db_open(&(struct gm_db_options){.url_z = store->url_z,
                                              .mode = GM_DB_READ,
                                              .vfs_z = store->options.vfs_z},
                      out_db, err);
}

gm_rc gm_store_open_reader(const char *folder_z, struct gm_db **out_db, struct gm_err *err)
{
    GM_AUTO_FREE char *path_z = gm_format_z("%s/store.db", folder_z);
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    if (info.type == GM_FILE_MISSING) {
        return gm_fail(err, GM_E_CONFIG, "%s: no store here yet; `gemel run` makes one", folder_z);
    }
    GM_AUTO_FREE char *url_z = gm_format_z("sqlite:%s", path_z);
    return gm_db_open(&(struct gm_db_options){.url_z = url_z, .mode = GM_DB_READ}, out_db, err);
}

/* ---- writing ---- */

/* What the graph has in memory about a job that was undone goes, and what the others of its group
 * have there stays. */
static gm_rc run_job(void *ctx, struct gm_db *db, struct gm_err *err)
{
    struct gm_store_job *job = ctx;
    struct gm_store *store = job->store_;
    struct gm_store_tx tx = {.db = db, .graph = store->graph, .states = store->states};
    if (job->alone) {
        return job->fn(job->ctx, &tx, err); /* undone as a whole or not at all */
    }
    struct gm_models *tip = store->sets.tip;
    struct gm_graph_mark mark;
    gm_graph_mark(store->graph, &mark);
    gm_rc rc = job->fn(job->ctx, &tx, err);
    rc = rc == GM_OK ? gm_graph_wait(store->graph, err) : rc;
    if (rc != GM_OK) {
        gm_graph_rewind(store->graph, &mark);
        gm_store_sets_undone(&store->sets, tip, store->graph);
    }
    return rc;
}

static void job_done(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct gm_store_job *job = ctx;
    if (job->done != NULL) {
        job->done(job->ctx, rc, err);
    }
}

gm_rc gm_store_submit(struct gm_store *store, struct gm_store_job *job, struct gm_err *err)
{
    job->store_ = store;
    return gm_writer_submit(
        store->writer,
        &(struct gm_writer_job){.fn = run_job, .done = job_done, .ctx = job, .alone = job->alone},
        err);
}

gm_rc gm_store_write(struct gm_store *store, gm_store_fn fn, void *ctx, struct gm_err *err)
{
    struct gm_store_job job = {.fn = fn, .ctx = ctx, .store_ = store};
    return gm_writer_run(store->writer, run_job, &job, err);
}

/* ---- indexes ---- */

void gm_store_note_access(void *store, const struct gm_query_access *access)
{
    gm_indexer_note(((struct gm_store *)store)->indexer, access);
}

void gm_store_await_indexes(struct gm_store *store)
{
    gm_indexer_wait(store->indexer);
}
