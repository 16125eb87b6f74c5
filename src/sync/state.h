/* Sync state: what is known of each object that a pipeline delivers.
 *
 * Comparing happens on the pipeline's worker with a reading connection, writing inside the writer's
 * transaction that holds the effects as well: so state and effect cannot part. Comparison is a
 * merge: the batch's keys are sorted and walked beside the table in key order; where the table is
 * far behind, it is sought anew. A run over unchanged data so costs one walk. */
#ifndef GM_SYNC_STATE_H
#define GM_SYNC_STATE_H

#include "base/time.h"
#include "db/db.h"
#include "flow/record.h"

enum gm_state {
    GM_STATE_COMPLETED = 1,
    GM_STATE_PENDING = 2,
    GM_STATE_FAILED = 3,
    GM_STATE_DEAD = 4,
    GM_STATE_DELETED = 5
};
const char *gm_state_name(enum gm_state state);

/* Slots count from 1 to this: objects that a pipeline ever had. */
#define GM_SLOT_MAX ((int64_t)1 << 31)

/* ---- comparing ---- */

struct gm_state_reader;
gm_rc gm_state_reader_open(struct gm_db *db, struct gm_state_reader **out_reader,
                           struct gm_err *err) GM_MUST_CHECK;
void gm_state_reader_close(struct gm_state_reader *reader);
/* For each record that is good (rc GM_OK): fills known, slot, target, target_id, known_hash,
 * revive, and the verdicts UNCHANGED and STALE. Of records with equal keys in the batch the first
 * keeps its place; a later equal one (same hash) becomes UNCHANGED with slot -1, a later different
 * one is marked with gm_record_fail. An object whose row is deleted counts as not known (slot 0):
 * it gets its old slot back when it is written. `revive` is set where the row must be told that its
 * object was seen: it was missing, or it was dead and shows the content again that is applied. A
 * batch may be compared a second time: verdicts of the first are forgotten. */
gm_rc gm_state_compare(struct gm_state_reader *reader, int64_t pipeline, struct gm_batch *batch,
                       struct gm_err *err) GM_MUST_CHECK;

/* ---- which were seen: one bit an object ---- */

struct gm_seen;
struct gm_seen *gm_seen_new(void);
void gm_seen_free(struct gm_seen *seen);
bool gm_seen_add(struct gm_seen *seen, int64_t slot);    /* false: it was there */
void gm_seen_remove(struct gm_seen *seen, int64_t slot); /* not there is fine */
bool gm_seen_has(const struct gm_seen *seen, int64_t slot);
int64_t gm_seen_count(const struct gm_seen *seen);

/* ---- writing ---- */

struct gm_state_writer;
gm_rc gm_state_writer_open(struct gm_db *db, struct gm_state_writer **out_writer,
                           struct gm_err *err) GM_MUST_CHECK;
void gm_state_writer_close(struct gm_state_writer *writer);

struct gm_state_cause {
    int64_t pipeline;
    int64_t run;
    gm_ns now;
    int64_t *last_slot;  /* the pipeline's counter; moved on for new objects */
    int64_t *live_count; /* likewise */
};
/* Writes the state of a record that took effect (CREATED, UPDATED, SAME), of one that was missing
 * and is back (revive; of a STALE one only the misses are cleared), or of one that is parked (rc
 * and error say why; what is applied stays). Fills record->slot of new ones. `replaced_target` of a
 * record whose key moved to another target is the caller's business. */
gm_rc gm_state_write(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                     struct gm_record *record, struct gm_err *err) GM_MUST_CHECK;

/* The same for many records: new objects are gathered and written by one statement for several,
 * which takes a fifth less time.
 *
 *     struct gm_state_gather gather = {.count = 0};
 *     for (i…) { GM_TRY(gm_state_write_some(writer, &cause, &gather, records[i], err)); }
 *     GM_TRY(gm_state_write_rest(writer, &cause, &gather, err));
 *
 * Records stay until the end, and only then all slots are known. A slot may be left out. */
enum { GM_STATE_GATHER_MAX = 16 };
struct gm_state_gather {
    size_t count;
    struct gm_record *records[GM_STATE_GATHER_MAX];
};
gm_rc gm_state_write_some(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                          struct gm_state_gather *gather, struct gm_record *record,
                          struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_state_write_rest(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                          struct gm_state_gather *gather, struct gm_err *err) GM_MUST_CHECK;

/* Of sinks outside the store: the record is about to be sent. Its state becomes pending, under the
 * record's target and target_id, until it is written by gm_state_write; new ones get their slot.
 * The run is the lease: a pending row of a run that is not under way was cut off, and what became
 * of it is found out by the next one. */
gm_rc gm_state_intend(struct gm_state_writer *writer, const struct gm_state_cause *cause,
                      struct gm_record *record, struct gm_err *err) GM_MUST_CHECK;

struct gm_state_key {
    int64_t pipeline;
    struct gm_str key;
};
/* Notes an error beside a state that stays what it is; it goes when the object takes effect again.
 * Inside a write transaction. */
gm_rc gm_state_note(struct gm_db *db, const struct gm_state_key *key, struct gm_str error,
                    struct gm_err *err) GM_MUST_CHECK;

/* ---- rows, for sweeps, verification and people ---- */

struct gm_state_row {
    struct gm_str key;
    int64_t slot;
    enum gm_state state;
    struct gm_hash128 hash;
    int64_t target;
    struct gm_str target_id;
    int64_t run;
    gm_ns changed;
    int64_t version;
    int64_t attempts;
    struct gm_str last_error;
    int64_t missed_runs;
    gm_ns missed_since;
    int64_t missed_in;
};
typedef gm_rc (*gm_state_fn)(void *ctx, const struct gm_state_row *row, struct gm_err *err);
/* In order of keys; borrowed for the call. Deleted ones are left out. */
gm_rc gm_states_list(struct gm_db *db, int64_t pipeline, gm_state_fn fn, void *ctx,
                     struct gm_err *err) GM_MUST_CHECK;
/* Makes every object of every pipeline one that its next run delivers anew, whatever its source
 * says: for when the graph has lost what was delivered. Inside a write transaction. */
gm_rc gm_states_unsettle(struct gm_db *db, struct gm_err *err) GM_MUST_CHECK;

/* One object, also a deleted one. GM_E_END: unknown. */
gm_rc gm_state_get(struct gm_db *db, const struct gm_state_key *key, gm_state_fn fn, void *ctx,
                   struct gm_err *err) GM_MUST_CHECK;
/* Where what the pipeline delivered is. Of what was told to a stream the target's number is
 * GM_STATE_TARGET_STREAM, and its id says what was told last. */
enum gm_state_kind {
    GM_STATE_KIND_NONE,
    GM_STATE_KIND_STORE,
    GM_STATE_KIND_OUTSIDE,
    GM_STATE_KIND_STREAM,
};
enum { GM_STATE_TARGET_STREAM = -1 };
gm_rc gm_state_kind(struct gm_db *db, int64_t pipeline, enum gm_state_kind *out_kind,
                    struct gm_err *err) GM_MUST_CHECK;
/* How many are in each state. */
gm_rc gm_states_count(struct gm_db *db, int64_t pipeline, int64_t out_counts[6], struct gm_err *err)
    GM_MUST_CHECK;

#endif
