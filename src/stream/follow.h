/* All partitions of a stream read together, from a cursor: what consumers do.
 *
 *     struct gm_stream_cursor cursor = {0};                       // from the oldest event there is
 *     GM_TRY(gm_stream_cursor_parse(GM_STR("120,-1"), partitions, &cursor, err));
 *     GM_TRY(gm_stream_follow_open(stream, &cursor, &follow, err));
 *     while ((rc = gm_stream_follow_read(follow, max, &page, err)) == GM_OK) { … page.events … }
 *     gm_stream_follow_wait(follow, GM_MINUTE);                   // GM_E_END: nothing came
 *     gm_stream_cursor_write(gm_stream_follow_cursor(follow), &text);
 *
 * Partitions take turns, chunk by chunk, so that none starves the others; within each, events come
 * in order. A cursor is the offset of the next event of each partition, in their order, with commas
 * between: "1204,77,0,5311".
 *
 * Thread rule: one owner; gm_stream_follow_wake from any thread. */
#ifndef GM_STREAM_FOLLOW_H
#define GM_STREAM_FOLLOW_H

#include "base/buf.h"
#include "stream/stream.h"

struct gm_stream_cursor {
    int count;                              /* of partitions */
    int64_t next[GM_STREAM_PARTITIONS_MAX]; /* see struct gm_stream_place */
    bool timed;                             /* in place of `next`: each partition begins at … */
    gm_ns since;                            /* … its first event that happened then or later */
};
/* Every partition at `offset`: -1 (the oldest) or INT64_MAX (what comes from now on). */
void gm_stream_cursor_at(int partitions, int64_t offset, struct gm_stream_cursor *out_cursor);
/* "oldest", "newest", a time (RFC 3339), or offsets with commas between, one for each partition.
 * GM_E_INVALID. */
gm_rc gm_stream_cursor_parse(struct gm_str text, int partitions,
                             struct gm_stream_cursor *out_cursor, struct gm_err *err) GM_MUST_CHECK;
void gm_stream_cursor_write(const struct gm_stream_cursor *cursor, struct gm_buf *out);

struct gm_stream_page {
    int partition;
    const struct gm_event *events; /* borrow until the next call */
    size_t count;
};

struct gm_stream_follow;
/* A cursor for a stream with another number of partitions is GM_E_INVALID. */
gm_rc gm_stream_follow_open(struct gm_stream *stream, const struct gm_stream_cursor *from,
                            struct gm_stream_follow **out_follow, struct gm_err *err) GM_MUST_CHECK;
void gm_stream_follow_close(struct gm_stream_follow *follow); /* NULL is fine */
/* Up to `count_max` events of one partition. Errors as of gm_stream_read; then the partition that
 * they are about is page->partition. */
gm_rc gm_stream_follow_read(struct gm_stream_follow *follow, size_t count_max,
                            struct gm_stream_page *out_page, struct gm_err *err) GM_MUST_CHECK;
/* The last `count` events of the page before are read again. */
void gm_stream_follow_unread(struct gm_stream_follow *follow, size_t count);
/* Behind what was read, with -1 and INT64_MAX replaced by what they stood for. */
const struct gm_stream_cursor *gm_stream_follow_cursor(struct gm_stream_follow *follow);
/* After GM_E_LIMIT of a partition: goes on at the oldest event there is; how many were missed. */
gm_rc gm_stream_follow_skip_trimmed(struct gm_stream_follow *follow, int partition,
                                    int64_t *out_missed, struct gm_err *err) GM_MUST_CHECK;
/* As gm_stream_wait, for all partitions. */
gm_rc gm_stream_follow_wait(struct gm_stream_follow *follow, gm_ns span) GM_MUST_CHECK;
void gm_stream_follow_wake(struct gm_stream_follow *follow);
/* Events that were not read yet. */
int64_t gm_stream_follow_lag(struct gm_stream_follow *follow);

#endif
