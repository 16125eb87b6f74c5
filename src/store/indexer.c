/* Which properties get an index, and making it: beside the work of the store, piece by piece.
 *
 * Queries tell how they looked (gm_store_note_access). A property whose index would have saved
 * enough walks is wanted; its index is begun by the indexer's thread and built with one small job
 * of the writer after the other, so that other writes go between. There is room for a bounded
 * number: when it is used up, the index that was used least lately goes, unless it is in use. */
#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "store/inside.h"
#include "twin/values.h"

enum {
    CANDIDATES_MAX = 64, /* properties without an index that are counted */
    PATH_SIZE_MAX = 1024,
    ARENA_SIZE = 1 << 20,
};
/* How often uses are written down, and how long an index may be idle before it has to make room. */
static const gm_ns USES_EVERY = GM_MINUTE, IDLE_MIN = GM_HOUR;

struct candidate {
    char *path_z;
    int64_t walks;
};

struct use {
    int64_t index, count;
};

struct gm_indexer {
    struct gm_store *store;
    struct gm_index_policy policy;
    const struct gm_clock *clock;
    struct gm_mutex *mu;
    struct gm_cond *cond;     /* something to do, or to stop; or nothing to do any more */
    struct gm_thread *thread; /* NULL until there is something to do */
    /* guarded by mu: */
    bool stop, work, busy, failed;
    struct candidate candidates[CANDIDATES_MAX];
    size_t candidate_count;
    GM_VEC(struct use) uses;
};

/* ---- what queries tell ---- */

static void forget_candidate(struct gm_indexer *indexer, size_t i)
{
    gm_free(indexer->candidates[i].path_z);
    indexer->candidates[i] = indexer->candidates[--indexer->candidate_count];
}

/* The property's count; the least wanted makes room for a new one. */
static struct candidate *find_candidate(struct gm_indexer *indexer, struct gm_str path)
{
    size_t least = 0;
    for (size_t i = 0; i < indexer->candidate_count; i++) {
        if (gm_str_is(path, indexer->candidates[i].path_z)) {
            return &indexer->candidates[i];
        }
        least = indexer->candidates[i].walks < indexer->candidates[least].walks ? i : least;
    }
    if (indexer->candidate_count == CANDIDATES_MAX) {
        forget_candidate(indexer, least);
    }
    struct candidate *candidate = &indexer->candidates[indexer->candidate_count++];
    *candidate = (struct candidate){.path_z = gm_str_dup_z(path)};
    return candidate;
}

static void note_use(struct gm_indexer *indexer, int64_t index)
{
    for (size_t i = 0; i < indexer->uses.n; i++) {
        if (indexer->uses.at[i].index == index) {
            indexer->uses.at[i].count++;
            return;
        }
    }
    *gm_vec_push(&indexer->uses) = (struct use){index, 1};
}

static void start(struct gm_indexer *indexer);

void gm_indexer_note(struct gm_indexer *indexer, const struct gm_query_access *access)
{
    gm_mutex_lock(indexer->mu);
    if (access->index != 0) {
        note_use(indexer, access->index);
    } else if (access->twins >= indexer->policy.twins_min && access->path.n <= PATH_SIZE_MAX) {
        struct candidate *candidate = find_candidate(indexer, access->path);
        indexer->work = ++candidate->walks == indexer->policy.walks_min || indexer->work;
    }
    start(indexer);
    gm_mutex_unlock(indexer->mu);
}

/* ---- work ---- */

/* What the thread takes with it from under the lock. */
struct task {
    struct gm_indexer *indexer;
    GM_VEC(char *) wanted;
    GM_VEC(struct use) uses;
    bool more; /* an index is not finished */
};

static void take_task(struct gm_indexer *indexer, struct task *task)
{
    for (size_t i = indexer->candidate_count; i-- > 0;) {
        if (indexer->candidates[i].walks >= indexer->policy.walks_min) {
            *gm_vec_push(&task->wanted) = gm_strdup_z(indexer->candidates[i].path_z);
            forget_candidate(indexer, i);
        }
    }
    for (size_t i = 0; i < indexer->uses.n; i++) {
        *gm_vec_push(&task->uses) = indexer->uses.at[i];
    }
    indexer->uses.n = 0;
}

static void drop_task(struct task *task)
{
    for (size_t i = 0; i < task->wanted.n; i++) {
        gm_free(task->wanted.at[i]);
    }
    gm_vec_deinit(&task->wanted);
    gm_vec_deinit(&task->uses);
}

/* Whether another index has room, after one that nobody used lately was told to go. */
static gm_rc make_room(const struct gm_indexer *indexer, struct gm_db *db, gm_ns now,
                       bool *out_room, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(ARENA_SIZE);
    struct gm_value_indexes indexes = {0};
    const struct gm_value_index *oldest = NULL;
    size_t live = 0;
    gm_rc rc = gm_value_indexes_read(db, arena, &indexes, err);
    for (size_t i = 0; i < indexes.count; i++) {
        const struct gm_value_index *index = &indexes.at[i];
        bool is_live = index->state != GM_VALUE_DROPPING;
        live += is_live;
        if (is_live && (oldest == NULL || index->last_used < oldest->last_used)) {
            oldest = index;
        }
    }
    *out_room = live < indexer->policy.indexes_max;
    if (rc == GM_OK && !*out_room && oldest != NULL && now - oldest->last_used >= IDLE_MIN) {
        gm_log_info("index.drop", GM_L_STR("property", oldest->path));
        rc = gm_value_index_drop(db, oldest, err);
        *out_room = true;
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc begin(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct task *task = ctx;
    gm_ns now = task->indexer->clock->wall(task->indexer->clock);
    for (size_t i = 0; i < task->uses.n; i++) {
        GM_TRY(
            gm_value_index_used(tx->db, task->uses.at[i].index, task->uses.at[i].count, now, err));
    }
    for (size_t i = 0; i < task->wanted.n; i++) {
        bool room;
        GM_TRY(make_room(task->indexer, tx->db, now, &room, err));
        if (room) {
            gm_log_info("index.begin", GM_L_Z("property", task->wanted.at[i]));
            GM_TRY(gm_value_index_add(tx->db, gm_str_z(task->wanted.at[i]), now, err));
        }
    }
    return GM_OK;
}

/* A piece of the first index that is not finished. */
static gm_rc step(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct task *task = ctx;
    struct gm_arena *arena = gm_arena_new(ARENA_SIZE);
    struct gm_value_indexes indexes = {0};
    gm_rc rc = gm_value_indexes_read(tx->db, arena, &indexes, err);
    task->more = false;
    for (size_t i = 0; i < indexes.count && rc == GM_OK && !task->more; i++) {
        if (indexes.at[i].state != GM_VALUE_READY) {
            bool done = false;
            task->more = true;
            rc = gm_value_index_step(tx->db, &indexes.at[i], &done, err);
            if (done && indexes.at[i].state == GM_VALUE_BUILDING) {
                gm_log_info("index.ready", GM_L_STR("property", indexes.at[i].path));
            }
        }
    }
    gm_arena_free(arena);
    return rc;
}

static bool is_stopped(struct gm_indexer *indexer)
{
    gm_mutex_lock(indexer->mu);
    bool stop = indexer->stop;
    gm_mutex_unlock(indexer->mu);
    return stop;
}

static gm_rc work(struct gm_indexer *indexer, struct task *task, struct gm_err *err)
{
    if (task->wanted.n > 0 || task->uses.n > 0) {
        GM_TRY(gm_store_write(indexer->store, begin, task, err));
    }
    task->more = true;
    while (task->more && !is_stopped(indexer)) {
        GM_TRY(gm_store_write(indexer->store, step, task, err));
    }
    return GM_OK;
}

/* ---- the thread ---- */

/* With the lock: until there is something to do. */
static void await_work(struct gm_indexer *indexer)
{
    while (!indexer->stop && !indexer->work) {
        bool woken = gm_cond_wait_for(indexer->cond, indexer->mu, USES_EVERY);
        indexer->work = indexer->work || (!woken && indexer->uses.n > 0);
    }
}

static void run(void *arg)
{
    struct gm_indexer *indexer = arg;
    gm_mutex_lock(indexer->mu);
    for (await_work(indexer); !indexer->stop && !indexer->failed; await_work(indexer)) {
        struct task task = {.indexer = indexer};
        struct gm_err err = {0};
        take_task(indexer, &task);
        indexer->work = false;
        indexer->busy = true;
        gm_mutex_unlock(indexer->mu);
        gm_rc rc = work(indexer, &task, &err);
        if (rc != GM_OK) {
            gm_log_warn("index.failed", GM_L_Z("error", err.text));
        }
        drop_task(&task);
        gm_mutex_lock(indexer->mu);
        indexer->busy = false;
        indexer->failed = rc != GM_OK;
        gm_cond_broadcast(indexer->cond);
    }
    gm_mutex_unlock(indexer->mu);
}

/* With the lock. A store whose queries need no index has no thread for them. */
static void start(struct gm_indexer *indexer)
{
    struct gm_err err;
    bool needed = indexer->work || indexer->uses.n > 0;
    if (needed && indexer->thread == NULL && !indexer->failed && !indexer->stop) {
        indexer->failed =
            gm_thread_start("gemel-indexer", run, indexer, &indexer->thread, &err) != GM_OK;
    }
    if (indexer->work) {
        gm_cond_broadcast(indexer->cond);
    }
}

struct gm_indexer *gm_indexer_new(struct gm_store *store, const struct gm_index_policy *policy)
{
    struct gm_indexer *indexer = gm_alloc(sizeof(*indexer));
    indexer->store = store;
    indexer->clock = gm_store_clock(store);
    indexer->policy = (struct gm_index_policy){
        .twins_min = policy->twins_min > 0 ? policy->twins_min : GM_INDEX_TWINS_MIN,
        .walks_min = policy->walks_min > 0 ? policy->walks_min : GM_INDEX_WALKS_MIN,
        .indexes_max = policy->indexes_max > 0 ? policy->indexes_max : GM_INDEXES_MAX};
    indexer->mu = gm_mutex_new();
    indexer->cond = gm_cond_new();
    return indexer;
}

/* What an earlier process began is finished. */
gm_rc gm_indexer_resume(struct gm_indexer *indexer, struct gm_db *db, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(ARENA_SIZE);
    struct gm_value_indexes indexes = {0};
    gm_rc rc = gm_value_indexes_read(db, arena, &indexes, err);
    for (size_t i = 0; i < indexes.count; i++) {
        indexer->work = indexer->work || indexes.at[i].state != GM_VALUE_READY;
    }
    gm_arena_free(arena);
    return rc;
}

void gm_indexer_start(struct gm_indexer *indexer)
{
    gm_mutex_lock(indexer->mu);
    start(indexer);
    gm_mutex_unlock(indexer->mu);
}

void gm_indexer_wait(struct gm_indexer *indexer)
{
    gm_mutex_lock(indexer->mu);
    while ((indexer->work || indexer->busy) && !indexer->failed) {
        gm_cond_wait(indexer->cond, indexer->mu);
    }
    gm_mutex_unlock(indexer->mu);
}

void gm_indexer_stop(struct gm_indexer *indexer)
{
    gm_mutex_lock(indexer->mu);
    indexer->stop = true;
    gm_cond_broadcast(indexer->cond);
    gm_mutex_unlock(indexer->mu);
    gm_thread_join(indexer->thread);
    indexer->thread = NULL;
}

void gm_indexer_free(struct gm_indexer *indexer)
{
    if (indexer == NULL) {
        return;
    }
    while (indexer->candidate_count > 0) {
        forget_candidate(indexer, indexer->candidate_count - 1);
    }
    gm_vec_deinit(&indexer->uses);
    gm_cond_free(indexer->cond);
    gm_mutex_free(indexer->mu);
    gm_free(indexer);
}
