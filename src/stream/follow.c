#include "stream/follow.h"

#include "base/mem.h"
#include "base/num.h"
#include "stream/inside.h"

#define LOOK_TIME (100 * GM_MS) /* at the file of another process */

struct gm_stream_follow {
    struct gm_stream *stream;
    struct gm_stream_cursor cursor;
    struct gm_stream_reader *readers[GM_STREAM_PARTITIONS_MAX];
    int turn;
    /* of the partition that was read last; not given out yet */
    const struct gm_event *rest;
    size_t rest_count;
    bool woken; /* guarded by stream->mu */
};

/* ---- cursors ---- */

void gm_stream_cursor_at(int partitions, int64_t offset, struct gm_stream_cursor *out_cursor)
{
    out_cursor->count = partitions;
    out_cursor->timed = false;
    for (int i = 0; i < partitions; i++) {
        out_cursor->next[i] = offset;
    }
}

gm_rc gm_stream_cursor_parse(struct gm_str text, int partitions,
                             struct gm_stream_cursor *out_cursor, struct gm_err *err)
{
    struct gm_stream_cursor cursor = {0};
    struct gm_str one, rest = text;
    if (text.n == 0 || gm_str_is(text, "oldest") || gm_str_is(text, "newest")) {
        gm_stream_cursor_at(partitions, gm_str_is(text, "newest") ? INT64_MAX : -1, out_cursor);
        return GM_OK;
    }
    gm_ns since;
    if (gm_time_parse(text, &since)) {
        gm_stream_cursor_at(partitions, -1, out_cursor);
        out_cursor->timed = true;
        out_cursor->since = since;
        return GM_OK;
    }
    while (rest.n > 0 && cursor.count < partitions) {
        (void)gm_str_cut(rest, ',', &one, &rest);
        if (!gm_parse_i64(gm_str_trim(one), &cursor.next[cursor.count]) ||
            cursor.next[cursor.count] < -1) {
            break;
        }
        cursor.count++;
    }
    if (rest.n > 0 || cursor.count != partitions || text.p[text.n - 1] == ',') {
        return gm_fail(err, GM_E_INVALID,
                       "`" GM_STR_FMT "` is no cursor of a stream with %d partition%s: write "
                       "oldest, newest, a time, or an offset for each, with commas between",
                       GM_STR_ARG(text), partitions, partitions == 1 ? "" : "s");
    }
    *out_cursor = cursor;
    return GM_OK;
}

void gm_stream_cursor_write(const struct gm_stream_cursor *cursor, struct gm_buf *out)
{
    for (int i = 0; i < cursor->count; i++) {
        gm_buf_addf(out, i > 0 ? ",%lld" : "%lld", (long long)cursor->next[i]);
    }
}

/* ---- life ---- */

gm_rc gm_stream_follow_open(struct gm_stream *stream, const struct gm_stream_cursor *from,
                            struct gm_stream_follow **out_follow, struct gm_err *err)
{
    if (from->count != stream->partition_count) {
        return gm_fail(err, GM_E_INVALID, "%s has %d partitions, the cursor %d", stream->path_z,
                       stream->partition_count, from->count);
    }
    struct gm_stream_follow *follow = gm_alloc(sizeof(*follow));
    follow->stream = stream;
    follow->cursor = *from;
    follow->cursor.timed = false;
    for (int i = 0; i < from->count; i++) {
        const struct gm_stream_place place = {i, from->next[i]};
        gm_rc rc = gm_stream_reader_open(stream, &place, &follow->readers[i], err);
        if (rc == GM_OK && from->timed) {
            rc = gm_stream_seek_time(follow->readers[i], from->since, err);
        } else if (rc == GM_OK && place.offset < 0) {
            rc = gm_stream_reader_settle(follow->readers[i], err);
        }
        if (rc != GM_OK) {
            gm_stream_follow_close(follow);
            return rc;
        }
        follow->cursor.next[i] = gm_stream_reader_offset(follow->readers[i]);
    }
    *out_follow = follow;
    return GM_OK;
}

void gm_stream_follow_close(struct gm_stream_follow *follow)
{
    if (follow != NULL) {
        for (int i = 0; i < follow->cursor.count; i++) {
            gm_stream_reader_close(follow->readers[i]);
        }
        gm_free(follow);
    }
}

const struct gm_stream_cursor *gm_stream_follow_cursor(struct gm_stream_follow *follow)
{
    return &follow->cursor;
}

/* ---- reading ---- */

static void give(struct gm_stream_follow *follow, size_t count_max, struct gm_stream_page *out_page)
{
    size_t count = follow->rest_count < count_max ? follow->rest_count : count_max;
    *out_page = (struct gm_stream_page){follow->turn, follow->rest, count};
    follow->rest += count;
    follow->rest_count -= count;
    follow->cursor.next[follow->turn] += (int64_t)count;
}

gm_rc gm_stream_follow_read(struct gm_stream_follow *follow, size_t count_max,
                            struct gm_stream_page *out_page, struct gm_err *err)
{
    out_page->count = 0;
    for (int tried = 0; follow->rest_count == 0 && tried < follow->cursor.count; tried++) {
        follow->turn = (follow->turn + 1) % follow->cursor.count;
        gm_rc rc =
            gm_stream_read(follow->readers[follow->turn], &follow->rest, &follow->rest_count, err);
        if (rc != GM_OK && rc != GM_E_END) {
            out_page->partition = follow->turn;
            follow->rest_count = 0;
            return rc;
        }
    }
    if (follow->rest_count == 0) {
        return GM_E_END;
    }
    give(follow, count_max, out_page);
    return GM_OK;
}

void gm_stream_follow_unread(struct gm_stream_follow *follow, size_t count)
{
    follow->rest -= count;
    follow->rest_count += count;
    follow->cursor.next[follow->turn] -= (int64_t)count;
}

gm_rc gm_stream_follow_skip_trimmed(struct gm_stream_follow *follow, int partition,
                                    int64_t *out_missed, struct gm_err *err)
{
    struct gm_stream_reader *reader = follow->readers[partition];
    int64_t before = follow->cursor.next[partition];
    gm_stream_seek(reader, -1);
    GM_TRY(gm_stream_reader_settle(reader, err));
    follow->cursor.next[partition] = gm_stream_reader_offset(reader);
    *out_missed = follow->cursor.next[partition] - before;
    return GM_OK;
}

/* ---- waiting ---- */

/* Under the lock, but for a stream that another process writes. */
static int64_t count_new(struct gm_stream_follow *follow)
{
    int64_t count = 0;
    for (int i = 0; i < follow->cursor.count; i++) {
        int64_t next = follow->stream->options.read_only ? gm_stream_reader_end(follow->readers[i])
                                                         : follow->stream->partitions[i].next;
        count += next > follow->cursor.next[i] ? next - follow->cursor.next[i] : 0;
    }
    return count;
}

int64_t gm_stream_follow_lag(struct gm_stream_follow *follow)
{
    gm_mutex_lock(follow->stream->mu);
    int64_t count = count_new(follow);
    gm_mutex_unlock(follow->stream->mu);
    return count;
}

gm_rc gm_stream_follow_wait(struct gm_stream_follow *follow, gm_ns span)
{
    struct gm_stream *stream = follow->stream;
    const struct gm_clock *clock = stream->options.clock;
    gm_ns until = clock->mono(clock) + span;
    gm_rc rc = GM_OK;
    gm_mutex_lock(stream->mu);
    while (rc == GM_OK && !follow->woken && count_new(follow) == 0) {
        gm_ns left = until - clock->mono(clock);
        gm_ns pause = stream->options.read_only && left > LOOK_TIME ? LOOK_TIME : left;
        if (left <= 0) {
            rc = GM_E_END;
        } else {
            (void)gm_cond_wait_for(stream->committed, stream->mu, pause);
        }
    }
    if (follow->woken) {
        follow->woken = false;
        rc = GM_E_CANCELLED;
    }
    gm_mutex_unlock(stream->mu);
    return rc;
}

void gm_stream_follow_wake(struct gm_stream_follow *follow)
{
    gm_mutex_lock(follow->stream->mu);
    follow->woken = true;
    gm_cond_broadcast(follow->stream->committed);
    gm_mutex_unlock(follow->stream->mu);
}
