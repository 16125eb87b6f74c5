/* Indexes of property values: which twins have a certain number or text at a certain path.
 *
 *     // on the writer, once: a property that queries filter on
 *     GM_TRY(gm_value_index_add(db, GM_STR("$.\"temperature\""), now, err));
 *     // on the writer, again and again, each in a transaction of its own:
 *     GM_TRY(gm_value_index_step(db, &index, &done, err));
 *
 * The entries stand in tables of their own (twin_numbers, twin_texts), so that one statement with
 * bound parameters uses any index, on both engines, and an index is built and dropped in steps
 * between other writes. Triggers on `twins` keep the entries whoever writes; they exist while there
 * is an index, so that a store without one pays nothing. Texts are indexed by their first
 * GM_VALUE_TEXT_MAX characters. An entry says where to look: queries check the value itself again.
 *
 * Life: building → ready → dropping → gone. Only a ready index is used; while one is building,
 * writes keep it already, and steps add what was there before. Killed at any point, the next step
 * goes on. docs/decisions/0010-value-indexes.md tells why. Thread rule: that of the connection. */
#ifndef GM_TWIN_VALUES_H
#define GM_TWIN_VALUES_H

#include "base/arena.h"
#include "base/time.h"
#include "db/db.h"

enum {
    GM_VALUE_TEXT_MAX = 100, /* also in the statements values_*.sql */
    /* Twins a step looks at. Values come in any order, so a step touches most pages of the index:
     * many small steps would write it over and over. */
    GM_VALUE_STEP_TWINS = 32768,
};

enum gm_value_state { GM_VALUE_BUILDING, GM_VALUE_READY, GM_VALUE_DROPPING };

struct gm_value_index {
    int64_t num;
    struct gm_str path; /* as gm_dialect_path makes it */
    enum gm_value_state state;
    int64_t built_to; /* BUILDING: twins up to this number are in */
    gm_ns created, last_used;
    int64_t uses;
};

struct gm_value_indexes {
    struct gm_value_index *at; /* in the caller's arena */
    size_t count;
};
gm_rc gm_value_indexes_read(struct gm_db *db, struct gm_arena *arena,
                            struct gm_value_indexes *out_indexes, struct gm_err *err) GM_MUST_CHECK;

/* ---- in a write transaction ---- */

/* Begins an index; one that is there already stays as it is. */
gm_rc gm_value_index_add(struct gm_db *db, struct gm_str path, gm_ns now, struct gm_err *err)
    GM_MUST_CHECK;
/* Says that an index is not wanted any more. */
gm_rc gm_value_index_drop(struct gm_db *db, const struct gm_value_index *index, struct gm_err *err)
    GM_MUST_CHECK;
/* Builds, or takes away, a piece. *out_done: it is ready, or gone. */
gm_rc gm_value_index_step(struct gm_db *db, const struct gm_value_index *index, bool *out_done,
                          struct gm_err *err) GM_MUST_CHECK;
/* Remembers that queries used it. */
gm_rc gm_value_index_used(struct gm_db *db, int64_t num, int64_t uses, gm_ns now,
                          struct gm_err *err) GM_MUST_CHECK;

#endif
