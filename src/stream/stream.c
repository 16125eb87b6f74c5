/* A stream's life, and appending up to the queue. */
#include "stream/inside.h"

#include "base/hash.h"
#include "base/mem.h"
#include "json/json.h"

enum { CHECK_ARENA_SIZE = 32 * GM_EVENT_BODY_SIZE_MAX };

/* ---- what may be appended ---- */

gm_rc gm_event_check(const struct gm_event *event, struct gm_err *err)
{
    const struct {
        const char *name_z;
        size_t n, min, max;
    } bounds[] = {
        {"key", event->key.n, 1, GM_EVENT_TEXT_SIZE_MAX},
        {"type", event->type.n, 0, GM_EVENT_TEXT_SIZE_MAX},
        {"origin", event->origin.n, 0, GM_EVENT_TEXT_SIZE_MAX},
        {"id", event->id.n, 0, GM_EVENT_TEXT_SIZE_MAX},
        {"body", event->body.n, 1, GM_EVENT_BODY_SIZE_MAX},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(bounds); i++) {
        if (bounds[i].n < bounds[i].min || bounds[i].n > bounds[i].max) {
            return gm_fail(err, GM_E_INVALID, "its %s has %zu bytes; %zu to %zu are allowed",
                           bounds[i].name_z, bounds[i].n, bounds[i].min, bounds[i].max);
        }
    }
    if (event->sequence > INT64_MAX) {
        return gm_fail(err, GM_E_INVALID, "its sequence is larger than 2^63 - 1");
    }
    return GM_OK;
}

static gm_rc check_bodies(const struct gm_append *append, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(CHECK_ARENA_SIZE);
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < append->count && rc == GM_OK; i++) {
        yyjson_mut_val *value;
        yyjson_mut_doc *doc = gm_json_doc_new(arena);
        rc = gm_json_parse(doc, append->events[i].body, &value, err);
        if (rc != GM_OK) {
            rc = gm_fail_within(err, "event %zu: its body", i + 1);
        }
        gm_arena_reset(arena);
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc check_link(const struct gm_link *link, struct gm_err *err)
{
    enum { OFFSET_BITS = 48 };
    if (link->name.n == 0 || link->name.n > GM_EVENT_TEXT_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "the name of a link has 1 to %d bytes",
                       GM_EVENT_TEXT_SIZE_MAX);
    }
    if (link->after < 0 || link->after > link->first || link->first >> OFFSET_BITS != 0) {
        return gm_fail(err, GM_E_INVALID, "the offsets of a link cannot be");
    }
    return GM_OK;
}

static gm_rc check_receipt(const struct gm_append *append, struct gm_err *err)
{
    const struct gm_stream_receipt *receipt = append->receipt;
    if (receipt != NULL && (append->count != 1 || receipt->name.n == 0 ||
                            receipt->name.n > (size_t)3 * GM_EVENT_TEXT_SIZE_MAX)) {
        return gm_fail(err, GM_E_INVALID,
                       "a receipt is for an append of one event; its name has 1 to %d bytes",
                       3 * GM_EVENT_TEXT_SIZE_MAX);
    }
    return GM_OK;
}

static gm_rc check_append(const struct gm_stream *stream, const struct gm_append *append,
                          struct gm_err *err)
{
    for (size_t i = 0; i < append->count; i++) {
        if (gm_event_check(&append->events[i], err) != GM_OK) {
            return gm_fail_within(err, "event %zu", i + 1);
        }
        if (append->expects && !gm_str_eq(append->events[i].key, append->events[0].key)) {
            return gm_fail(err, GM_E_INVALID,
                           "event %zu: an append that expects a version is about one key", i + 1);
        }
    }
    if ((append->expects || append->snapshot != NULL) && !stream->options.versions) {
        return gm_fail(err, GM_E_CONFIG, "%s keeps no versions; declare it with `versions: true`",
                       stream->path_z);
    }
    if (append->snapshot != NULL && stream->options.merges) {
        return gm_fail(err, GM_E_CONFIG, "%s keeps states itself; it takes no snapshots",
                       stream->path_z);
    }
    if (append->link != NULL) {
        GM_TRY(check_link(append->link, err));
    }
    GM_TRY(check_receipt(append, err));
    return append->checked ? GM_OK : check_bodies(append, err);
}

size_t gm_append_size(const struct gm_append *append)
{
    enum { OVERHEAD = 64 }; /* of an event, at most */
    size_t size = 0;
    for (size_t i = 0; i < append->count; i++) {
        const struct gm_event *event = &append->events[i];
        size +=
            event->key.n + event->type.n + event->origin.n + event->id.n + event->body.n + OVERHEAD;
    }
    return size;
}

/* ---- appending ---- */

/* Under the lock. An append that is larger than all that may wait goes in when nothing else
 * does. */
static bool has_room(const struct gm_stream *stream, const struct gm_append *append)
{
    size_t max = append->late ? GM_STREAM_LATE_SIZE_MAX : GM_STREAM_PENDING_SIZE_MAX;
    return stream->pending_bytes == 0 || stream->pending_bytes + append->size_ <= max;
}

static void enqueue(struct gm_stream *stream, struct gm_append *append)
{
    append->next_ = NULL;
    if (stream->waiting_last != NULL) {
        stream->waiting_last->next_ = append;
    } else {
        stream->waiting = append;
    }
    stream->waiting_last = append;
    stream->pending_bytes += append->size_;
    gm_cond_signal(stream->news);
}

static void prepare(struct gm_append *append)
{
    append->size_ = gm_append_size(append);
    append->appended = 0;
    append->duplicates = 0;
    append->moved = false;
    append->version = 0;
}

gm_rc gm_stream_submit(struct gm_stream *stream, struct gm_append *append, struct gm_err *err)
{
    GM_TRY(check_append(stream, append, err));
    prepare(append);
    gm_mutex_lock(stream->mu);
    gm_rc rc = stream->failed;
    if (rc != GM_OK) {
        *err = stream->failure;
    } else if (!has_room(stream, append)) {
        rc = gm_fail(err, GM_E_RETRY, "%s: %zu MB wait to be committed; try again in a moment",
                     stream->path_z, stream->pending_bytes >> 20);
    } else {
        enqueue(stream, append);
    }
    gm_mutex_unlock(stream->mu);
    return rc;
}

struct waiter {
    struct gm_stream *stream;
    bool done; /* guarded by stream->mu */
    gm_rc rc;
    struct gm_err *err;
};

static void finish_waiter(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct waiter *waiter = ctx;
    struct gm_stream *stream = waiter->stream;
    gm_mutex_lock(stream->mu);
    waiter->rc = rc;
    if (rc != GM_OK) {
        *waiter->err = *err;
    }
    waiter->done = true;
    gm_cond_broadcast(stream->room);
    gm_mutex_unlock(stream->mu);
}

/* How long a wait may be before the deadline is looked at again: a stop flag does not wake it. */
#define WAIT_TIME (100 * GM_MS)

static gm_rc wait_for_room(struct gm_stream *stream, const struct gm_append *append,
                           const struct gm_deadline *deadline, struct gm_err *err)
{
    while (stream->failed == GM_OK && !has_room(stream, append)) {
        if (deadline != NULL && gm_deadline_passed(deadline)) {
            return gm_fail(err, GM_E_CANCELLED, "%s: no room before the deadline", stream->path_z);
        }
        (void)gm_cond_wait_for(stream->room, stream->mu, WAIT_TIME);
    }
    if (stream->failed != GM_OK) {
        *err = stream->failure;
    }
    return stream->failed;
}

gm_rc gm_stream_append(struct gm_stream *stream, struct gm_append *append,
                       const struct gm_deadline *deadline, struct gm_err *err)
{
    GM_TRY(check_append(stream, append, err));
    prepare(append);
    struct waiter waiter = {.stream = stream, .err = err};
    append->done = finish_waiter;
    append->ctx = &waiter;
    gm_mutex_lock(stream->mu);
    gm_rc rc = wait_for_room(stream, append, deadline, err);
    if (rc == GM_OK) {
        enqueue(stream, append);
        while (!waiter.done) {
            gm_cond_wait(stream->room, stream->mu);
        }
        rc = waiter.rc;
    }
    gm_mutex_unlock(stream->mu);
    return rc;
}

gm_rc gm_stream_request(struct gm_stream *stream, struct gm_append *append, struct gm_err *err)
{
    struct waiter waiter = {.stream = stream, .err = err};
    append->done = finish_waiter;
    append->ctx = &waiter;
    gm_mutex_lock(stream->mu);
    gm_rc rc = stream->failed;
    if (rc == GM_OK) {
        enqueue(stream, append);
        while (!waiter.done) {
            gm_cond_wait(stream->room, stream->mu);
        }
        rc = waiter.rc;
    } else {
        *err = stream->failure;
    }
    gm_mutex_unlock(stream->mu);
    append->ctx = NULL;
    return rc;
}

gm_rc gm_stream_trim(struct gm_stream *stream, int64_t *out_chunks, struct gm_err *err)
{
    struct gm_append append = {.trims_ = true};
    gm_rc rc = gm_stream_request(stream, &append, err);
    *out_chunks = append.version;
    return rc;
}

gm_rc gm_stream_wait_news(struct gm_stream *stream, uint64_t *seen, gm_ns span)
{
    gm_rc rc = GM_OK;
    gm_mutex_lock(stream->mu);
    while (rc == GM_OK && stream->commits == *seen) {
        rc = gm_cond_wait_for(stream->committed, stream->mu, span) ? GM_OK : GM_E_END;
    }
    if (stream->commits != *seen) {
        *seen = stream->commits;
        rc = GM_OK;
    }
    gm_mutex_unlock(stream->mu);
    return rc;
}

void gm_stream_stir(struct gm_stream *stream)
{
    gm_mutex_lock(stream->mu);
    stream->commits++;
    gm_cond_broadcast(stream->committed);
    gm_mutex_unlock(stream->mu);
}

void gm_stream_on_commit(struct gm_stream *stream, void (*fn)(void *ctx), void *ctx)
{
    gm_mutex_lock(stream->hook_mu);
    stream->on_commit = fn;
    stream->on_commit_ctx = ctx;
    gm_mutex_unlock(stream->hook_mu);
}

/* ---- life ---- */

int gm_stream_partitions(const struct gm_stream *stream)
{
    return stream->partition_count;
}

int gm_stream_partition(const struct gm_stream *stream, struct gm_str key)
{
    return stream->partition_count == 1
               ? 0
               : (int)(gm_hash64(key, 0) % (uint64_t)stream->partition_count);
}

bool gm_stream_has_versions(const struct gm_stream *stream)
{
    return stream->has_versions;
}

uint64_t gm_stream_identity(const struct gm_stream *stream)
{
    return stream->identity;
}

int64_t gm_stream_next(struct gm_stream *stream, int partition)
{
    gm_mutex_lock(stream->mu);
    int64_t next = stream->partitions[partition].next;
    gm_mutex_unlock(stream->mu);
    return next;
}

static gm_rc start(struct gm_stream *stream, struct gm_err *err)
{
    if (stream->options.read_only) {
        stream->failed =
            gm_fail(&stream->failure, GM_E_CONFIG, "%s is open for reading alone", stream->path_z);
        return gm_stream_file_look(stream, err);
    }
    GM_TRY(gm_stream_file_open(stream, err));
    GM_TRY(gm_stream_file_reader(&stream->options, &stream->lookup, err));
    GM_TRY(gm_stream_recover(stream, err));
    GM_TRY(
        gm_thread_start("gemel-commit", gm_stream_commit_thread, stream, &stream->committer, err));
    return gm_thread_start("gemel-order", gm_stream_order_thread, stream, &stream->orderer, err);
}

gm_rc gm_stream_open(const struct gm_stream_options *options, struct gm_stream **out_stream,
                     struct gm_err *err)
{
    struct gm_stream *stream = gm_alloc(sizeof(*stream));
    stream->path_z = gm_strdup_z(options->path_z);
    stream->options = *options;
    stream->options.path_z = stream->path_z;
    stream->dedupe = gm_dedupe_new();
    stream->packer = gm_packer_new();
    stream->versions = gm_map_new();
    stream->links = gm_map_new();
    stream->ordered = gm_queue_new(GM_STREAM_GROUPS);
    stream->free_groups = gm_queue_new(GM_STREAM_GROUPS);
    stream->mu = gm_mutex_new();
    stream->hook_mu = gm_mutex_new();
    stream->news = gm_cond_new();
    stream->room = gm_cond_new();
    stream->committed = gm_cond_new();
    for (size_t i = 0; i < GM_STREAM_GROUPS; i++) {
        gm_buf_init(&stream->groups[i].packed, (size_t)2 * GM_CHUNK_SIZE_MAX);
        gm_buf_init(&stream->groups[i].origins, GM_CHUNK_SIZE_MAX);
        bool pushed = gm_queue_push(stream->free_groups, &stream->groups[i]);
        GM_ASSERT(pushed);
    }
    for (size_t i = 0; i < GM_STREAM_PARTITIONS_MAX; i++) {
        gm_frame_init(&stream->partitions[i].frame);
        gm_buf_init(&stream->partitions[i].tail.frames, GM_CHUNK_SIZE_MAX);
    }
    stream->folding = options->merges ? gm_folding_new() : NULL;
    gm_rc rc = start(stream, err);
    if (rc != GM_OK) {
        gm_stream_close(stream);
        return rc;
    }
    *out_stream = stream;
    return GM_OK;
}

static void stop_threads(struct gm_stream *stream)
{
    gm_mutex_lock(stream->mu);
    stream->closing = true;
    gm_cond_broadcast(stream->news);
    gm_mutex_unlock(stream->mu);
    gm_thread_join(stream->orderer); /* it has handed on all that waited */
    gm_queue_close(stream->ordered);
    gm_thread_join(stream->committer);
}

void gm_stream_close(struct gm_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    stop_threads(stream);
    gm_db_close(stream->lookup);
    gm_db_close(stream->db);
    for (size_t i = 0; i < GM_STREAM_GROUPS; i++) {
        struct gm_group *group = &stream->groups[i];
        gm_buf_deinit(&group->packed);
        gm_buf_deinit(&group->origins);
        gm_vec_deinit(&group->parts);
        gm_vec_deinit(&group->versions);
        gm_vec_deinit(&group->links);
        gm_vec_deinit(&group->receipts);
    }
    for (size_t i = 0; i < GM_STREAM_PARTITIONS_MAX; i++) {
        gm_frame_deinit(&stream->partitions[i].frame);
        gm_buf_deinit(&stream->partitions[i].tail.frames);
    }
    gm_queue_close(stream->free_groups);
    gm_queue_free(stream->free_groups);
    gm_queue_free(stream->ordered);
    gm_dedupe_free(stream->dedupe);
    gm_packer_free(stream->packer);
    gm_folding_free(stream->folding);
    gm_map_free(stream->versions);
    gm_map_free(stream->links);
    gm_stream_consumers_free(stream);
    gm_cond_free(stream->news);
    gm_cond_free(stream->room);
    gm_cond_free(stream->committed);
    gm_mutex_free(stream->mu);
    gm_mutex_free(stream->hook_mu);
    gm_free(stream->path_z);
    gm_free(stream);
}
