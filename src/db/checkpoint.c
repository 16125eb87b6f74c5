/* Who copies when: checkpoint.h. */
#include "db/checkpoint.h"

#include <sqlite3.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "os/thread.h"

/* The most that the writer copies by itself while the copier can follow. */
enum { REST_BYTES_MAX = 8 << 20 };

struct gm_checkpointer {
    sqlite3 *writer; /* the writing connection */
    int step_frames; /* GM_CHECKPOINT_BYTES, and so on, in pages */
    int usual_frames;
    int max_frames;
    int rest_frames;
    int frames;          /* in the log after the last commit */
    int asked_frames;    /* in the log when the last pass was asked for */
    int waited_frames;   /* in the log when readers were last waited for */
    bool alone;          /* there is no copier, nor will there be */
    _Atomic int failure; /* the first; set by who checkpoints, read before each transaction */

    sqlite3 *copier; /* the thread's while a pass is wanted; NULL: not opened yet */
    struct gm_thread *thread;
    struct gm_mutex *mu;
    struct gm_cond *changed;
    bool wanted;       /* guarded by mu; from the request to the end of the pass */
    bool stopping;     /* guarded by mu */
    int copied_frames; /* guarded by mu; of the log, as the last checkpoint left it */
};

/* ---- checkpoints, on either thread ---- */

/* Returns how many frames of the log are in the file now; 0 when that is not known. */
static int checkpoint(struct gm_checkpointer *checkpointer, sqlite3 *handle, int mode)
{
    int frames = -1;
    int copied = -1;
    int rc = sqlite3_wal_checkpoint_v2(handle, "main", mode, &frames, &copied);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED) {
        int none = SQLITE_OK;
        (void)atomic_compare_exchange_strong(&checkpointer->failure, &none, rc);
    }
    return copied > 0 ? copied : 0;
}

int gm_checkpointer_failure(const struct gm_checkpointer *checkpointer)
{
    return atomic_load(&checkpointer->failure);
}

/* ---- the copier ---- */

static void run_copier(void *arg)
{
    struct gm_checkpointer *checkpointer = arg;
    gm_mutex_lock(checkpointer->mu);
    while (!checkpointer->stopping) {
        if (!checkpointer->wanted) {
            gm_cond_wait(checkpointer->changed, checkpointer->mu);
            continue;
        }
        gm_mutex_unlock(checkpointer->mu);
        int copied = checkpoint(checkpointer, checkpointer->copier, SQLITE_CHECKPOINT_PASSIVE);
        gm_mutex_lock(checkpointer->mu);
        checkpointer->copied_frames = copied;
        checkpointer->wanted = false;
        gm_cond_broadcast(checkpointer->changed);
    }
    gm_mutex_unlock(checkpointer->mu);
}

/* A second connection to the same file, on the same disk. It must not be made when another file has
 * taken the place of the one that is open: the log would be copied into that. */
static bool open_copier(struct gm_checkpointer *checkpointer)
{
    int moved = 0;
    sqlite3_vfs *vfs = NULL;
    sqlite3 *writer = checkpointer->writer;
    if (sqlite3_file_control(writer, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        moved != 0 ||
        sqlite3_file_control(writer, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK) {
        return false;
    }
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(sqlite3_db_filename(writer, "main"), &checkpointer->copier, flags,
                             vfs->zName);
    if (rc == SQLITE_OK) {
        /* The log is opened by the first read, and an empty one is all that a checkpoint sees
         * before. */
        rc = sqlite3_exec(checkpointer->copier,
                          "PRAGMA synchronous=FULL; SELECT 1 FROM sqlite_schema LIMIT 1", NULL,
                          NULL, NULL);
    }
    return rc == SQLITE_OK;
}

static void start_copier(struct gm_checkpointer *checkpointer)
{
    struct gm_err unheard;
    bool started =
        open_copier(checkpointer) && gm_thread_start("gemel-copier", run_copier, checkpointer,
                                                     &checkpointer->thread, &unheard) == GM_OK;
    if (!started) {
        (void)sqlite3_close(checkpointer->copier);
        checkpointer->copier = NULL;
        checkpointer->alone = true;
    }
}

static void ask_copier(struct gm_checkpointer *checkpointer)
{
    if (checkpointer->thread == NULL) {
        start_copier(checkpointer);
    }
    if (checkpointer->alone) {
        return;
    }
    checkpointer->asked_frames = checkpointer->frames;
    gm_mutex_lock(checkpointer->mu);
    checkpointer->wanted = true;
    gm_cond_broadcast(checkpointer->changed);
    gm_mutex_unlock(checkpointer->mu);
}

/* ---- the writer ---- */

/* True when no pass is under way, after waiting for it if told so. */
static bool copier_is_idle(struct gm_checkpointer *checkpointer, bool wait, int *out_copied_frames)
{
    gm_mutex_lock(checkpointer->mu);
    while (wait && checkpointer->wanted) {
        gm_cond_wait(checkpointer->changed, checkpointer->mu);
    }
    bool idle = !checkpointer->wanted;
    *out_copied_frames = checkpointer->copied_frames;
    gm_mutex_unlock(checkpointer->mu);
    return idle;
}

/* While no pass is wanted. Behind a reader that stays, waiting at every commit would be in vain. */
static void copy_rest(struct gm_checkpointer *checkpointer, bool over)
{
    int mode = SQLITE_CHECKPOINT_PASSIVE;
    if (over && checkpointer->frames - checkpointer->waited_frames >= checkpointer->step_frames) {
        checkpointer->waited_frames = checkpointer->frames;
        mode = SQLITE_CHECKPOINT_RESTART;
    }
    int copied = checkpoint(checkpointer, checkpointer->writer, mode);
    gm_mutex_lock(checkpointer->mu);
    checkpointer->copied_frames = copied;
    gm_mutex_unlock(checkpointer->mu);
}

/* Counts start anew with the log. */
static void note_frames(struct gm_checkpointer *checkpointer, int frames)
{
    if (frames < checkpointer->frames) {
        checkpointer->asked_frames = 0;
        checkpointer->waited_frames = 0;
        gm_mutex_lock(checkpointer->mu);
        checkpointer->copied_frames = 0;
        gm_mutex_unlock(checkpointer->mu);
    }
    checkpointer->frames = frames;
}

/* Since the last pass was asked for. Readers may keep it from copying anything, so that asking at
 * every commit would be in vain. */
static bool has_grown(const struct gm_checkpointer *checkpointer)
{
    int frames = checkpointer->frames;
    int enough =
        frames < checkpointer->usual_frames ? checkpointer->step_frames : checkpointer->rest_frames;
    return frames - checkpointer->asked_frames >= enough;
}

void gm_checkpointer_committed(struct gm_checkpointer *checkpointer, int frames)
{
    note_frames(checkpointer, frames);
    if (frames < checkpointer->step_frames) {
        return;
    }
    bool over = frames >= checkpointer->max_frames;
    int copied;
    if (!copier_is_idle(checkpointer, over, &copied)) {
        return;
    }
    int rest = frames - copied;
    bool nearly = frames >= checkpointer->usual_frames && rest <= checkpointer->rest_frames;
    if (!over && !nearly && has_grown(checkpointer)) {
        ask_copier(checkpointer);
    }
    if (over || nearly || checkpointer->alone) {
        copy_rest(checkpointer, over);
    }
}

/* ---- lifecycle ---- */

struct gm_checkpointer *gm_checkpointer_new(sqlite3 *handle, int page_size)
{
    struct gm_checkpointer *checkpointer = gm_alloc(sizeof(*checkpointer));
    checkpointer->writer = handle;
    checkpointer->step_frames = GM_CHECKPOINT_BYTES / page_size;
    checkpointer->usual_frames = GM_LOG_BYTES_USUAL / page_size;
    checkpointer->max_frames = GM_LOG_BYTES_MAX / page_size;
    checkpointer->rest_frames = REST_BYTES_MAX / page_size;
    checkpointer->mu = gm_mutex_new();
    checkpointer->changed = gm_cond_new();
    return checkpointer;
}

void gm_checkpointer_free(struct gm_checkpointer *checkpointer)
{
    if (checkpointer == NULL) {
        return;
    }
    gm_mutex_lock(checkpointer->mu);
    checkpointer->stopping = true;
    gm_cond_broadcast(checkpointer->changed);
    gm_mutex_unlock(checkpointer->mu);
    gm_thread_join(checkpointer->thread);
    (void)sqlite3_close(checkpointer->copier);
    gm_cond_free(checkpointer->changed);
    gm_mutex_free(checkpointer->mu);
    gm_free(checkpointer);
}
