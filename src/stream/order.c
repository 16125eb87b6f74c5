/* The ordering thread: what waits becomes a group with offsets, frames and compressed chunks. */
#include "base/mem.h"
#include "stream/inside.h"
#include "stream_sql.h"

enum {
    VERSIONS_MAX = 1 << 16, /* in memory; then they are read anew */
    MARK_EVENTS = GM_STREAM_IDS_MAX / 2,
};

/* ---- taking what waits ---- */

/* The first appends that wait, as many as a group holds; a trim alone. NULL: closing, and nothing
 * waits. */
static struct gm_append *take_waiting(struct gm_stream *stream)
{
    size_t size = 0;
    gm_mutex_lock(stream->mu);
    while (stream->waiting == NULL && !stream->closing) {
        gm_cond_wait(stream->news, stream->mu);
    }
    struct gm_append *first = stream->waiting, *last = NULL;
    for (struct gm_append *at = first; at != NULL; at = at->next_) {
        size += at->size_;
        if (last != NULL && (size > GM_STREAM_GROUP_SIZE || at->trims_ || first->trims_)) {
            break;
        }
        last = at;
    }
    if (last != NULL) {
        stream->waiting = last->next_;
        stream->waiting_last = stream->waiting != NULL ? stream->waiting_last : NULL;
        last->next_ = NULL;
    }
    gm_mutex_unlock(stream->mu);
    return first;
}

/* ---- versions ---- */

/* A commit that is under way has not reached the table yet: the map is emptied only when none
 * is. */
static void bound_versions(struct gm_stream *stream)
{
    if (gm_map_count(stream->versions) >= VERSIONS_MAX &&
        gm_queue_count(stream->free_groups) == GM_STREAM_GROUPS - 1) {
        gm_map_reset(stream->versions);
    }
}

static gm_rc read_version(struct gm_stream *stream, struct gm_str key, uint64_t *out_version,
                          struct gm_err *err)
{
    struct gm_stmt *stmt;
    if (gm_map_get(stream->versions, key, out_version)) {
        return GM_OK;
    }
    GM_TRY(gm_db_prepare_once(stream->lookup, GM_SQL_STREAM_VERSION_GET, &stmt, err));
    gm_bind_text(stmt, 1, key);
    gm_rc rc = gm_step(stmt, err);
    *out_version = rc == GM_OK ? (uint64_t)gm_column_i64(stmt, 0) : 0;
    gm_reset(stmt);
    (void)gm_map_set(stream->versions, key, *out_version);
    return rc == GM_E_END ? GM_OK : rc;
}

/* at->version becomes the event's. */
static gm_rc count_version(struct gm_stream *stream, struct gm_group *group,
                           struct gm_group_version *at, struct gm_err *err)
{
    uint64_t version;
    GM_TRY(read_version(stream, at->event->key, &version, err));
    (void)gm_map_set(stream->versions, at->event->key, version + 1);
    at->version = (int64_t)version + 1;
    *gm_vec_push(&group->versions) = *at;
    return GM_OK;
}

/* An append that comes once more has moved the version itself. */
static bool all_known(const struct gm_stream *stream, const struct gm_append *append)
{
    size_t known = 0;
    while (known < append->count && gm_dedupe_knows(stream->dedupe, &append->events[known])) {
        known++;
    }
    return known == append->count;
}

/* Sets append->moved when it expects another version, or its snapshot is of one that is still to
 * come. */
static gm_rc check_version(struct gm_stream *stream, struct gm_append *append, struct gm_err *err)
{
    uint64_t version;
    if (append->snapshot != NULL) {
        GM_TRY(read_version(stream, append->snapshot->key, &version, err));
        append->version = (int64_t)version;
        append->moved = append->snapshot->version > (int64_t)version;
        return GM_OK;
    }
    if (!stream->options.versions || append->link != NULL || append->count == 0) {
        return GM_OK;
    }
    GM_TRY(read_version(stream, append->events[0].key, &version, err));
    append->version = (int64_t)version;
    append->moved =
        append->expects && (int64_t)version != append->expected && !all_known(stream, append);
    return GM_OK;
}

/* ---- links ---- */

/* Sets append->moved when it wants another offset. *out_skip: how many events came before. */
static void check_link(struct gm_stream *stream, struct gm_append *append, size_t *out_skip)
{
    uint64_t next = 0;
    const struct gm_link *link = append->link;
    *out_skip = 0;
    if (link == NULL) {
        return;
    }
    bool known = gm_map_get(stream->links, link->name, &next);
    if (!known && gm_map_count(stream->links) >= GM_STREAM_LINKS_MAX) {
        append->moved = true;
        append->version = -1;
        return;
    }
    append->version = (int64_t)next;
    append->moved = link->after > (int64_t)next;
    if (!append->moved && link->first < (int64_t)next) {
        size_t before = (size_t)((int64_t)next - link->first);
        *out_skip = before < append->count ? before : append->count;
    }
}

/* The link has come behind the append's events. */
static void move_link(struct gm_stream *stream, struct gm_group *group, struct gm_append *append)
{
    const struct gm_link *link = append->link;
    if (link == NULL || link->first + (int64_t)append->count <= append->version) {
        return;
    }
    append->version = link->first + (int64_t)append->count;
    (void)gm_map_set(stream->links, link->name, (uint64_t)append->version);
    *gm_vec_push(&group->links) = (struct gm_group_link){link->name, append->version};
}

/* ---- frames ---- */

/* What this group has put into partitions so far. */
struct ordering {
    struct gm_stream *stream;
    struct gm_group *group;
    gm_ns now;
    int64_t body_bytes[GM_STREAM_PARTITIONS_MAX];
    uint64_t used; /* bit p: partition p has a frame */
};

static int64_t add_event(struct ordering *ordering, const struct gm_event *event)
{
    int number = gm_stream_partition(ordering->stream, event->key);
    struct gm_partition *partition = &ordering->stream->partitions[number];
    uint64_t bit = (uint64_t)1 << number;
    if ((ordering->used & bit) == 0) {
        ordering->used |= bit;
        ordering->body_bytes[number] = 0;
        gm_frame_begin(&partition->frame, ordering->now);
    }
    gm_frame_add(&partition->frame, event, event->time != 0 ? event->time : ordering->now);
    ordering->body_bytes[number] += (int64_t)event->body.n;
    return partition->ordered++;
}

/* What the commit has to know of an event beside its chunk. */
static gm_rc note_event(struct ordering *ordering, struct gm_append *append,
                        const struct gm_event *event, int64_t offset, struct gm_err *err)
{
    struct gm_stream *stream = ordering->stream;
    struct gm_group_version at = {
        .event = event, .place = gm_place(gm_stream_partition(stream, event->key), offset)};
    if (stream->options.versions) {
        GM_TRY(count_version(stream, ordering->group, &at, err));
        append->version = append->link == NULL ? at.version : append->version;
    }
    if (append->receipt != NULL) {
        *gm_vec_push(&ordering->group->receipts) =
            (struct gm_group_receipt){append, at.version, at.place};
    }
    return GM_OK;
}

static gm_rc order_append(struct ordering *ordering, struct gm_append *append, struct gm_err *err)
{
    struct gm_stream *stream = ordering->stream;
    size_t skip;
    GM_TRY(check_version(stream, append, err));
    check_link(stream, append, &skip);
    if (append->moved) {
        return GM_OK;
    }
    for (size_t i = 0; i < append->count; i++) {
        const struct gm_event *event = &append->events[i];
        /* What a link brings is known from now on, and never taken for what another brought. */
        bool new = i >= skip && (gm_dedupe_take(stream->dedupe, event) || append->link != NULL);
        int64_t offset = new ? add_event(ordering, event) : -1;
        append->appended += new ? 1 : 0;
        append->duplicates += new ? 0 : 1;
        if (append->offsets != NULL) {
            append->offsets[i] = offset;
        }
        if (new) {
            GM_TRY(note_event(ordering, append, event, offset, err));
        }
    }
    move_link(stream, ordering->group, append);
    stream->since_mark += (int64_t)append->appended;
    return GM_OK;
}

/* ---- chunks ---- */

static void reset_tail(struct gm_tail *tail)
{
    gm_buf_reset(&tail->frames);
    tail->chunks = 0;
}

/* A small frame joins the tail; true: the tail is to be written as one chunk in place of its
 * own. */
static bool join_tail(struct gm_tail *tail, const struct gm_frame *frame, struct gm_str bytes,
                      int64_t first)
{
    if (bytes.n >= GM_STREAM_CHUNK_SIZE / 2) {
        reset_tail(tail);
        return false;
    }
    if (tail->chunks == 0) {
        tail->first = first;
        tail->first_time = frame->first_time;
        tail->last_time = frame->last_time;
    }
    tail->first_time = frame->first_time < tail->first_time ? frame->first_time : tail->first_time;
    tail->last_time = frame->last_time > tail->last_time ? frame->last_time : tail->last_time;
    gm_buf_add(&tail->frames, bytes);
    tail->chunks++;
    return tail->chunks >= GM_STREAM_TAIL_MAX || tail->frames.n >= GM_STREAM_CHUNK_SIZE;
}

static void pack_partition(struct ordering *ordering, int number)
{
    struct gm_stream *stream = ordering->stream;
    struct gm_partition *partition = &stream->partitions[number];
    const struct gm_frame *frame = &partition->frame;
    struct gm_tail *tail = &partition->tail;
    struct gm_str bytes = gm_frame_end(&partition->frame);
    struct gm_group_part *part = gm_vec_push(&ordering->group->parts);
    int64_t first = partition->ordered - frame->count;
    part->partition = number;
    part->next = partition->ordered;
    part->appended = ordering->now;
    part->body_bytes = ordering->body_bytes[number];
    part->first_time = frame->first_time;
    part->last_time = frame->last_time;
    if (join_tail(tail, frame, bytes, first)) {
        bytes = gm_buf_str(&tail->frames);
        first = tail->first;
        part->first_time = tail->first_time;
        part->last_time = tail->last_time;
        part->replaced_count = tail->chunks - 1;
    }
    part->chunk.first = first;
    part->chunk.count = partition->ordered - first;
    part->data_at = ordering->group->packed.n;
    gm_packer_pack(stream->packer, &bytes, 1, &ordering->group->packed, &part->chunk);
    part->data_size = ordering->group->packed.n - part->data_at;
    if (part->replaced_count > 0) {
        if (tail->frames.n >= GM_STREAM_CHUNK_SIZE) {
            reset_tail(tail);
        } else {
            tail->chunks = 1; /* one chunk holds it all, and may still grow */
        }
    }
}

/* ---- origins ---- */

static void keep_row(void *ctx, const struct gm_origin_row *row)
{
    struct gm_group *group = ctx;
    gm_buf_put_bytes(&group->origins, row->origin);
    gm_buf_put_u64(&group->origins, row->high);
    gm_buf_add(&group->origins, (struct gm_str){(const char *)row->bits, GM_ORIGIN_BITS_SIZE});
    group->origin_count++;
}

static void mark_origins(struct ordering *ordering)
{
    struct gm_stream *stream = ordering->stream;
    if (stream->since_mark >= MARK_EVENTS) {
        stream->since_mark = 0;
        ordering->group->marks = true;
        gm_dedupe_each_changed(stream->dedupe, keep_row, ordering->group);
        GM_ASSERT(!gm_buf_failed(&ordering->group->origins));
    }
}

/* ---- the thread ---- */

static void begin_group(struct gm_group *group, struct gm_append *appends)
{
    group->appends = appends;
    gm_buf_reset(&group->packed);
    gm_buf_reset(&group->origins);
    group->parts.n = 0;
    group->versions.n = 0;
    group->links.n = 0;
    group->receipts.n = 0;
    group->origin_count = 0;
    group->marks = false;
    group->trims = appends->trims_;
    group->rc = GM_OK;
    group->err = (struct gm_err){0};
}

static void order_group(struct gm_stream *stream, struct gm_group *group)
{
    struct ordering ordering = {.stream = stream,
                                .group = group,
                                .now = stream->options.clock->wall(stream->options.clock)};
    bound_versions(stream);
    for (struct gm_append *at = group->appends; at != NULL && group->rc == GM_OK; at = at->next_) {
        group->rc = order_append(&ordering, at, &group->err);
    }
    for (int i = 0; i < stream->partition_count && group->rc == GM_OK; i++) {
        if ((ordering.used >> i & 1) != 0) {
            pack_partition(&ordering, i);
        }
    }
    mark_origins(&ordering);
}

void gm_stream_order_thread(void *arg)
{
    struct gm_stream *stream = arg;
    struct gm_append *appends;
    while ((appends = take_waiting(stream)) != NULL) {
        struct gm_group *group = gm_queue_pop(stream->free_groups);
        GM_ASSERT(group != NULL);
        begin_group(group, appends);
        order_group(stream, group);
        bool pushed = gm_queue_push(stream->ordered, group);
        GM_ASSERT(pushed);
    }
}
