#include "store/retention.h"

#include "base/log.h"
#include "base/mem.h"
#include "os/thread.h"
#include "twin/changes.h"

/* What is known of the log between two looks. */
struct gm_retention {
    struct gm_retention_options options;
    struct gm_stop *stop;
    struct gm_thread *thread;
    int64_t known_to; /* number of the first change whose chunk is not counted in `bytes` */
    uint64_t bytes;
};

/* One look at the log, on a connection of its own. */
struct look {
    struct gm_retention *retention;
    struct gm_db *db;
    struct gm_change_reader *reader;
    gm_ns oldest; /* times before are too old */
    int64_t newest;
};

/* ---- what is beyond ---- */

/* Chunks that came since the last look. */
static gm_rc count_new(struct look *look, struct gm_err *err)
{
    struct gm_retention *retention = look->retention;
    gm_rc rc;
    struct gm_stmt *stmt;
    if (retention->options.size == 0) {
        return GM_OK;
    }
    GM_TRY(gm_changes_sizes(look->db, retention->known_to, &stmt, err));
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        retention->known_to = gm_column_i64(stmt, 0) + gm_column_i64(stmt, 1);
        retention->bytes += (uint64_t)gm_column_i64(stmt, 2);
    }
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

/* Whether a chunk that ends with change `last` goes. */
static gm_rc is_beyond(struct look *look, int64_t last, bool *out_beyond, struct gm_err *err)
{
    const struct gm_retention_options *options = &look->retention->options;
    struct gm_change change;
    *out_beyond = options->size > 0 && look->retention->bytes > options->size;
    if (*out_beyond || options->age == 0) {
        return GM_OK;
    }
    GM_TRY(gm_change_read(look->reader, last, &change, err));
    *out_beyond = change.time < look->oldest;
    return GM_OK;
}

/* The chunks that go next, GM_RETENTION_SLICE at most: those before change *out_until. One that
 * cannot be read goes when one behind it does. */
static gm_rc choose(struct look *look, int64_t *out_until, int64_t *out_chunks, struct gm_err *err)
{
    struct gm_stmt *stmt;
    gm_rc rc = GM_OK;
    int64_t seen = 0;
    uint64_t passed = 0;
    *out_chunks = 0;
    GM_TRY(gm_changes_sizes(look->db, 0, &stmt, err));
    while (seen < GM_RETENTION_SLICE && (rc = gm_step(stmt, err)) == GM_OK) {
        int64_t end = gm_column_i64(stmt, 0) + gm_column_i64(stmt, 1);
        bool beyond = false;
        if (end > look->newest) {
            break; /* the newest one stays */
        }
        passed += (uint64_t)gm_column_i64(stmt, 2);
        seen++;
        rc = is_beyond(look, end - 1, &beyond, err);
        if (rc == GM_E_CORRUPT) {
            continue;
        }
        if (rc != GM_OK || !beyond) {
            break;
        }
        *out_until = end;
        *out_chunks = seen;
        look->retention->bytes -= passed < look->retention->bytes ? passed : look->retention->bytes;
        passed = 0;
    }
    gm_reset(stmt);
    return rc == GM_E_END || rc == GM_E_CORRUPT ? GM_OK : rc;
}

/* ---- taking it ---- */

static gm_rc trim_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    return gm_changes_trim(tx->db, *(const int64_t *)ctx, err);
}

static gm_rc trim_slices(struct look *look, int64_t *out_chunks, struct gm_err *err)
{
    struct gm_retention *retention = look->retention;
    int64_t chunks = 1;
    while (chunks > 0 && !gm_stop_requested(retention->stop)) {
        int64_t until = 0;
        GM_TRY(choose(look, &until, &chunks, err));
        if (chunks > 0) {
            GM_TRY(gm_store_write(retention->options.store, trim_job, &until, err));
            *out_chunks += chunks;
        }
    }
    return GM_OK;
}

/* After a failure sizes are counted anew. */
static gm_rc trim(struct gm_retention *retention, int64_t *out_chunks, struct gm_err *err)
{
    const struct gm_clock *clock = gm_store_clock(retention->options.store);
    struct look look = {.retention = retention,
                        .oldest = clock->wall(clock) - retention->options.age};
    int64_t oldest;
    *out_chunks = 0;
    gm_rc rc = gm_store_reader(retention->options.store, &look.db, err);
    rc = rc == GM_OK ? gm_change_reader_open(look.db, &look.reader, err) : rc;
    rc = rc == GM_OK ? gm_changes_range(look.db, &oldest, &look.newest, err) : rc;
    rc = rc == GM_OK ? count_new(&look, err) : rc;
    rc = rc == GM_OK ? trim_slices(&look, out_chunks, err) : rc;
    gm_change_reader_close(look.reader);
    gm_db_close(look.db);
    if (rc != GM_OK) {
        retention->known_to = 0;
        retention->bytes = 0;
    }
    return rc;
}

static void trim_main(void *arg)
{
    struct gm_retention *retention = arg;
    do {
        struct gm_err err = {0};
        int64_t chunks;
        gm_rc rc = trim(retention, &chunks, &err);
        if (rc != GM_OK) {
            gm_log_warn("changes.trim", GM_L_Z("error", err.text));
        } else if (chunks > 0) {
            gm_log_info("changes.trim", GM_L_INT("chunks", chunks));
        }
    } while (gm_stop_wait(retention->stop, GM_RETENTION_PERIOD) == GM_OK);
}

/* ---- life ---- */

static struct gm_retention *make(const struct gm_retention_options *options)
{
    struct gm_retention *retention = gm_alloc(sizeof(*retention));
    retention->options = *options;
    retention->stop = gm_stop_new();
    return retention;
}

gm_rc gm_retention_start(const struct gm_retention_options *options,
                         struct gm_retention **out_retention, struct gm_err *err)
{
    *out_retention = NULL;
    if (options->age == 0 && options->size == 0) {
        return GM_OK;
    }
    struct gm_retention *retention = make(options);
    gm_rc rc = gm_thread_start("gemel-retain", trim_main, retention, &retention->thread, err);
    if (rc != GM_OK) {
        gm_retention_stop(retention);
        return rc;
    }
    *out_retention = retention;
    return GM_OK;
}

void gm_retention_stop(struct gm_retention *retention)
{
    if (retention != NULL) {
        gm_stop_request(retention->stop);
        gm_thread_join(retention->thread);
        gm_stop_free(retention->stop);
        gm_free(retention);
    }
}

gm_rc gm_retention_trim(const struct gm_retention_options *options, int64_t *out_chunks,
                        struct gm_err *err)
{
    *out_chunks = 0;
    if (options->age == 0 && options->size == 0) {
        return GM_OK;
    }
    struct gm_retention *retention = make(options);
    gm_rc rc = trim(retention, out_chunks, err);
    gm_retention_stop(retention);
    return rc;
}
