/* What the files of this part share. Internal to this folder.
 *
 * Ways of an append: submit (any thread) → `waiting` → the ordering thread takes all that waits as
 * a group: versions, dedupe, offsets, frames, compression → `ordered` → the committing thread: one
 * transaction → `done` of each append. Two groups are under way at most, so that one is compressed
 * while the other is committed. */
#ifndef GM_STREAM_INSIDE_H
#define GM_STREAM_INSIDE_H

#include "base/map.h"
#include "base/vec.h"
#include "db/db.h"
#include "os/queue.h"
#include "os/thread.h"
#include "stream/chunk.h"
#include "stream/dedupe.h"
#include "stream/entity.h"
#include "stream/receipt.h"
#include "stream/stream.h"

enum {
    GM_STREAM_GROUPS = 2,
    GM_STREAM_GROUP_SIZE = 16 << 20, /* bytes; a single append may have more */
    GM_STREAM_PLACE_BITS = 48,
};

/* partition and offset as one number, the key of `chunks` */
static inline int64_t gm_place(int partition, int64_t offset)
{
    return ((int64_t)partition << GM_STREAM_PLACE_BITS) + offset;
}
static inline int64_t gm_place_offset(int64_t place)
{
    return place & (((int64_t)1 << GM_STREAM_PLACE_BITS) - 1);
}

/* What a group brings to one partition. */
struct gm_group_part {
    int partition;
    struct gm_chunk chunk; /* data: within group->packed, from data_at */
    size_t data_at, data_size;
    gm_ns first_time, last_time, appended;
    int64_t replaces_from;  /* offset: chunks from here on are in this one; else chunk.first */
    int64_t replaced_count; /* chunks */
    int64_t next;           /* the partition's, afterwards */
    int64_t body_bytes;     /* of what is new */
};
struct gm_group_version {
    const struct gm_event *event; /* of the append */
    int64_t version;
    int64_t place;
};
struct gm_group_receipt {
    const struct gm_append *append;
    int64_t version; /* 0: the stream has none */
    int64_t place;   /* of its event */
};

struct gm_group_link {
    struct gm_str name; /* of the append */
    int64_t next;
};

struct gm_group {
    struct gm_append *appends; /* a list by next_ */
    struct gm_buf packed;
    GM_VEC(struct gm_group_part) parts;
    GM_VEC(struct gm_group_version) versions;
    GM_VEC(struct gm_group_link) links;
    GM_VEC(struct gm_group_receipt) receipts;
    struct gm_buf origins; /* rows to write: name (length and bytes), high, bits */
    size_t origin_count;
    bool marks; /* `origins` is whole up to this group */
    bool trims; /* retention is to be looked at; the append's version becomes the
                                  number of chunks that went */
    gm_rc rc;
    struct gm_err err;
};

/* The last chunks of a partition that are not full yet. Of the ordering thread. */
struct gm_tail {
    struct gm_buf frames; /* uncompressed, one behind the other */
    int64_t first;        /* offset */
    int64_t chunks;       /* in the file; 0: there is none */
    gm_ns first_time, last_time;
};

struct gm_partition {
    int64_t ordered; /* next offset; the ordering thread's */
    int64_t next;    /* committed; guarded by mu */
    struct gm_frame frame;
    struct gm_tail tail;
};

struct gm_stream {
    struct gm_stream_options options;
    char *path_z;
    struct gm_db *db;           /* the committing thread's */
    struct gm_folding *folding; /* likewise; NULL: it does not merge */
    bool has_versions;          /* as the file says */
    int partition_count;
    uint64_t identity;
    struct gm_partition partitions[GM_STREAM_PARTITIONS_MAX];

    /* the ordering thread's */
    struct gm_dedupe *dedupe;
    struct gm_packer *packer;
    struct gm_db *lookup;    /* for versions */
    struct gm_map *versions; /* of keys, as far as they were asked for */
    struct gm_map *links;    /* name → next offset */
    int64_t since_mark;      /* events */
    struct gm_group groups[GM_STREAM_GROUPS];

    struct gm_queue *ordered; /* of groups; from the ordering to the committing thread */
    struct gm_queue *free_groups;
    struct gm_thread *orderer, *committer;

    struct gm_mutex *mu;
    struct gm_cond *news;                     /* waiting appends, and closing */
    struct gm_cond *room;                     /* bytes were committed */
    struct gm_cond *committed;                /* for readers */
    struct gm_append *waiting, *waiting_last; /* guarded by mu; a list by next_ */
    size_t pending_bytes;                     /* guarded by mu; waiting or under way */
    bool closing;                             /* guarded by mu */
    uint64_t commits;                         /* guarded by mu */
    /* Guarded by mu; written by the committing thread alone, which may look without it. Names are
     * owned. */
    GM_VEC(struct gm_stream_consumer) consumers;
    void (*on_commit)(void *ctx); /* guarded by hook_mu */
    void *on_commit_ctx;          /* guarded by hook_mu */
    struct gm_mutex *hook_mu;     /* held while the hook runs */
    gm_rc failed;                 /* guarded by mu; the file failed: nothing is taken */
    struct gm_err failure;        /* guarded by mu */
};

/* ---- order.c ---- */
void gm_stream_order_thread(void *arg);
/* Length of an append, for what waits. */
size_t gm_append_size(const struct gm_append *append);

/* ---- consumer.c ---- */
gm_rc gm_stream_consumers_load(struct gm_stream *stream, struct gm_db *db, struct gm_err *err)
    GM_MUST_CHECK;
/* On the committing thread: into the table, and, after the commit and under the lock, into
 * memory. */
gm_rc gm_stream_consumers_write(struct gm_stream *stream, const struct gm_group *group,
                                struct gm_err *err) GM_MUST_CHECK;
void gm_stream_consumers_settle(struct gm_stream *stream, const struct gm_group *group);
void gm_stream_consumers_free(struct gm_stream *stream);
/* True: the consumer that the stream is held for has not read up to `end`. */
bool gm_stream_is_held(const struct gm_stream *stream, int partition, int64_t end);

/* ---- stream.c ---- */
/* Puts an append without events into the line, and waits for it. */
gm_rc gm_stream_request(struct gm_stream *stream, struct gm_append *append, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- trim.c ---- */
/* Within the transaction of the committing thread. */
gm_rc gm_stream_trim_now(struct gm_stream *stream, int64_t *out_chunks, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- commit.c ---- */
/* What happens to a partition's figures. */
struct gm_figures {
    int partition;
    int64_t next, chunks, data_bytes, body_bytes;
};
gm_rc gm_stream_add_figures(struct gm_stream *stream, const struct gm_figures *figures,
                            struct gm_err *err) GM_MUST_CHECK;
void gm_stream_commit_thread(void *arg);

/* ---- entity.c ---- */
/* Versions and snapshots of a group. */
gm_rc gm_stream_write_entities(struct gm_stream *stream, const struct gm_group *group,
                               struct gm_err *err) GM_MUST_CHECK;
/* Before the chunk at `place` goes. */
gm_rc gm_stream_trim_entities(struct gm_stream *stream, int64_t place, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- state.c ---- */
/* What becomes of states while a group is committed: several events of a key, one row. */
struct gm_folding;
struct gm_folding *gm_folding_new(void);
void gm_folding_free(struct gm_folding *folding); /* NULL is fine */
/* Within the transaction of the committing thread. */
gm_rc gm_stream_write_states(struct gm_stream *stream, const struct gm_group *group,
                             struct gm_err *err) GM_MUST_CHECK;
/* The state as the file has it; version 0: none. */
gm_rc gm_stream_state_read(struct gm_db *db, struct gm_arena *arena,
                           struct gm_stream_snapshot *state, struct gm_err *err) GM_MUST_CHECK;
/* Passed over when a newer one is there. */
gm_rc gm_stream_state_keep(struct gm_db *db, const struct gm_stream_snapshot *state,
                           struct gm_err *err) GM_MUST_CHECK;
/* Brings entity->merged up to the entity's version, out of its events, and keeps it. */
gm_rc gm_stream_catch_up(struct gm_stream *stream, struct gm_entity *entity,
                         struct gm_stream_snapshot *from, struct gm_err *err) GM_MUST_CHECK;

/* ---- receipt.c ---- */
gm_rc gm_stream_write_receipts(struct gm_stream *stream, const struct gm_group *group,
                               struct gm_err *err) GM_MUST_CHECK;

/* ---- recover.c: what is known of a file when it is opened ---- */
gm_rc gm_stream_recover(struct gm_stream *stream, struct gm_err *err) GM_MUST_CHECK;

/* ---- file.c ---- */
/* Opens for writing, makes tables and partitions; sets db and partition_count. */
gm_rc gm_stream_file_open(struct gm_stream *stream, struct gm_err *err) GM_MUST_CHECK;
/* Of a stream that is read only: partition_count alone. */
gm_rc gm_stream_file_look(struct gm_stream *stream, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_stream_file_reader(const struct gm_stream_options *options, struct gm_db **out_db,
                            struct gm_err *err) GM_MUST_CHECK;
/* The chunk that holds the offset, or the nearest before it; its data borrows from the statement.
 * GM_E_END: none. */
gm_rc gm_stream_chunk_at(struct gm_stmt *stmt, const struct gm_stream_place *place,
                         struct gm_chunk *out_chunk, struct gm_err *err) GM_MUST_CHECK;
/* err says where. */
gm_rc gm_stream_corrupt(const char *path_z, int partition, const struct gm_chunk *chunk,
                        struct gm_err *err) GM_MUST_CHECK;

/* ---- reader.c: for follow.c ---- */

int64_t gm_stream_reader_offset(const struct gm_stream_reader *reader);
/* -1 becomes the offset that it stands for. */
gm_rc gm_stream_reader_settle(struct gm_stream_reader *reader, struct gm_err *err) GM_MUST_CHECK;
/* Behind the newest event, as the file says. */
int64_t gm_stream_reader_end(const struct gm_stream_reader *reader);

#endif
