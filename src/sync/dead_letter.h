/* Dead letters: records that could not be applied, parked in the order they came.
 *
 * A letter belongs to a key. While a key has letters its later records of the same run wait behind
 * them ("held"). Sources of pull pipelines show whole objects, so when a later run applies the
 * key's record, older letters are superseded and go; those of records whose key could not be told,
 * or came twice, go with the next complete run that does not park them again. A redrive takes a
 * key's letters in order and stops at the first that fails again. The same record parked again
 * (same key and hash) is one letter with more attempts. They survive restarts, and are bounded by
 * `errors.max_letters` of a pipeline. */
#ifndef GM_SYNC_DEAD_LETTER_H
#define GM_SYNC_DEAD_LETTER_H

#include "base/map.h"
#include "base/time.h"
#include "db/db.h"
#include "flow/record.h"
#include "sync/run.h"

struct gm_dead_letter {
    int64_t num;
    int64_t pipeline;
    struct gm_str pipeline_name; /* when listed */
    struct gm_str key;
    bool held; /* behind an earlier letter of its key */
    int64_t run;
    gm_ns parked;
    int64_t attempts;
    gm_ns last_attempt;
    struct gm_hash128 hash;
    int64_t version;
    enum gm_record_kind kind;
    struct gm_str origin;
    int64_t position;
    struct gm_str code; /* gm_rc_name */
    struct gm_str error;
    struct gm_str record; /* JSON */
};

/* Parks, inside a write transaction. *out_new = false: it was there, and has one attempt more. */
gm_rc gm_dead_letter_put(struct gm_db *db, const struct gm_dead_letter *letter, bool *out_new,
                         struct gm_err *err) GM_MUST_CHECK;
/* The next letter of its key, if any, is held no longer. GM_E_END: no such letter. */
gm_rc gm_dead_letter_remove(struct gm_db *db, int64_t num, struct gm_err *err) GM_MUST_CHECK;
/* All of a key: it took effect, or it is gone. *out_count (may be NULL). */
gm_rc gm_dead_letters_remove_key(struct gm_db *db, int64_t pipeline, struct gm_str key,
                                 int64_t *out_count, struct gm_err *err) GM_MUST_CHECK;
/* Run `run` showed the whole source and parked anew what is still wrong: what it did not, of
 * records without a key or that repeated one, goes. */
gm_rc gm_dead_letters_remove_outdated(struct gm_db *db, int64_t pipeline, int64_t run,
                                      struct gm_err *err) GM_MUST_CHECK;
/* One more attempt failed. GM_E_END: no such letter. */
gm_rc gm_dead_letter_failed(struct gm_db *db, int64_t num, gm_ns now, struct gm_str error,
                            struct gm_err *err) GM_MUST_CHECK;

typedef gm_rc (*gm_dead_letter_fn)(void *ctx, const struct gm_dead_letter *letter,
                                   struct gm_err *err);
/* In order of number, behind `after`; pipeline 0: of all; key p NULL: of all keys; limit 0: no
 * limit. Borrowed for the call. */
struct gm_dead_letter_query {
    int64_t pipeline;
    struct gm_str key;
    int64_t after;
    int64_t limit;
};
gm_rc gm_dead_letters_list(struct gm_db *db, const struct gm_dead_letter_query *query,
                           gm_dead_letter_fn fn, void *ctx, struct gm_err *err) GM_MUST_CHECK;
/* GM_E_END: no such letter. */
gm_rc gm_dead_letter_get(struct gm_db *db, int64_t num, gm_dead_letter_fn fn, void *ctx,
                         struct gm_err *err) GM_MUST_CHECK;
/* Pipeline 0: of all. */
gm_rc gm_dead_letters_count(struct gm_db *db, int64_t pipeline, int64_t *out_count,
                            struct gm_err *err) GM_MUST_CHECK;
/* All of a pipeline, inside a write transaction: it is forgotten. */
gm_rc gm_dead_letters_forget(struct gm_db *db, int64_t pipeline, struct gm_err *err) GM_MUST_CHECK;
/* Adds the keys of a pipeline that have letters. */
gm_rc gm_dead_letters_keys(struct gm_db *db, int64_t pipeline, struct gm_map *keys,
                           struct gm_err *err) GM_MUST_CHECK;
void gm_dead_letter_write_json(const struct gm_dead_letter *letter, struct gm_buf *out);

#endif
