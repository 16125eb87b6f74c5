/* What people do about runs and letters: approve, redrive, drop; plan, verify. Each works on one
 * pipeline's state; the caller sees to it that no run of that pipeline is under way
 * (gm_engine_exclusive_begin, or there is no engine). */
#ifndef GM_ENGINE_OPERATIONS_H
#define GM_ENGINE_OPERATIONS_H

#include "engine/config.h"
#include "engine/run.h"
#include "store/store.h"
#include "sync/dead_letter.h"
#include "sync/run.h"

/* Where an operation works. */
struct gm_operation {
    struct gm_store *store;
    const struct gm_config *config;
    const struct gm_pipeline *pipeline;
};

/* Releases the blocked sweep of a pipeline's newest complete run: deletes what that run missed, and
 * takes its source and filters for the trusted ones from now on. GM_E_INVALID: there is no such
 * run, it blocks nothing, or a newer complete one has come. */
gm_rc gm_approve_run(const struct gm_operation *operation, int64_t run_num, int64_t *out_deleted,
                     struct gm_err *err) GM_MUST_CHECK;

/* Which letters. All zero: every letter of the pipeline. */
struct gm_letter_choice {
    int64_t num;       /* this one (and what stands before it of its key, for redrive) */
    struct gm_str key; /* all of this key */
};
struct gm_redrive_counts {
    int64_t applied, failed, held; /* held: behind one of its key that failed */
};
/* Applies letters in order per key through the pipeline's steps as they are now. What fails again
 * stays, with one attempt more. */
gm_rc gm_redrive(const struct gm_operation *operation, const struct gm_letter_choice *choice,
                 struct gm_redrive_counts *out_counts, struct gm_err *err) GM_MUST_CHECK;
/* Throws letters away. */
gm_rc gm_drop_letters(const struct gm_operation *operation, const struct gm_letter_choice *choice,
                      int64_t *out_count, struct gm_err *err) GM_MUST_CHECK;

/* ---- plans ---- */

/* What a run would do, found by doing it and undoing every transaction. Appends
 *     {"pipeline","seconds","report":{…as gm_run_write_json…},
 *      "samples":{"created":[{"key","text"}…],"updated","deleted","parked"}}
 * `handle` stops it from another thread. `resync`: look at every object, also where its source is
 * unchanged. */
struct gm_plan {
    struct gm_operation operation;
    struct gm_run_handle *handle;
    bool resync;
};
gm_rc gm_plan_write_json(const struct gm_plan *plan, struct gm_buf *out, struct gm_err *err)
    GM_MUST_CHECK;

/* The pipeline (of the store, whether a configuration still has it or not) delivers nothing any
 * more: its twins stay and may be taken over, or with `delete` those go that nothing else delivers.
 * GM_E_CONFIG: no such pipeline; or it delivered to another service, and `config` (NULL: there is
 * none) does not say how to delete there. */
struct gm_forgetting {
    struct gm_store *store;
    const struct gm_config *config;
    const char *name_z;
    bool delete;
};
gm_rc gm_forget_pipeline(const struct gm_forgetting *forgetting, int64_t *out_count,
                         struct gm_err *err) GM_MUST_CHECK;

/* ---- verification ---- */

enum { GM_VERIFY_RANGES = 4096, GM_VERIFY_DIFFERENCES_MAX = 1000 };
enum gm_verify_kind { GM_VERIFY_MISSING, GM_VERIFY_DIFFERENT, GM_VERIFY_EXTRA };

struct gm_verify_difference {
    enum gm_verify_kind kind; /* MISSING: in the source only; EXTRA: in the graph only */
    struct gm_str key;
};
/* Source and sink, compared by hashed key ranges at one point: a snapshot of the source, and the
 * store between two runs. A range holds the keys whose XXH3-64 falls into it; its digest is the
 * 128-bit sum of the hashes of (key, canonical form), so that order does not matter and memory does
 * not grow with the number of keys. Ranges that differ are read again, key by key. */
struct gm_verify_report {
    struct gm_arena *arena;
    int64_t source_count, sink_count;
    /* source records that cannot be judged: dead letters, filtered ones are not counted */
    int64_t unreadable;
    int64_t ranges_differing;
    struct gm_hash128 source_digest, sink_digest;
    /* GM_VERIFY_DIFFERENCES_MAX at most, in order of keys */
    struct gm_verify_difference *differences;
    size_t difference_count;
    int64_t differences_total;
    /* JSON: what was compared, when, the digests per range, the differences, and a seal over it
     * all */
    struct gm_str artifact;
};
gm_rc gm_verify(const struct gm_operation *operation, struct gm_stop *stop,
                struct gm_verify_report *out_report, struct gm_err *err) GM_MUST_CHECK;
void gm_verify_report_free(struct gm_verify_report *report);
/* {"pipeline","equal","source_count","sink_count","unreadable","differences_total",
 * "differences":[{"kind","key"}…],"artifact"}; the
 * artifact is a string, since its seal is over its bytes. */
void gm_verify_write_json(const struct gm_pipeline *pipeline, const struct gm_verify_report *report,
                          struct gm_buf *out);

/* Checks an artifact: that its seal is whole, and whether the store still equals what it says of
 * the sink. */
struct gm_artifact_check {
    bool sealed;          /* untouched since it was written */
    bool same;            /* the store's digests are still those of the artifact */
    int64_t ranges_moved; /* how many are not */
};
gm_rc gm_verify_check_artifact(const struct gm_operation *operation, struct gm_str artifact,
                               struct gm_artifact_check *out_check, struct gm_err *err)
    GM_MUST_CHECK;
/* {"sealed","same","ranges_moved"} */
void gm_verify_check_write_json(const struct gm_artifact_check *check, struct gm_buf *out);

#endif
