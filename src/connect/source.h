/* What sources share: the columns of rows, keys made of them, and what a failure means to a pass.
 *
 *     GM_TRY(gm_shapes_get(&source->shapes, names, count, &shape, err));
 *     GM_TRY(gm_key_find(&conf->key, shape, &source->key, err));
 *     …
 *     gm_record_take_key(batch, record, &source->key, "row");
 *
 * Thread rule: as the source that owns them. */
#ifndef GM_CONNECT_SOURCE_H
#define GM_CONNECT_SOURCE_H

#include "base/arena.h"
#include "conf/conf.h"
#include "connect/connector.h"

/* A failure as the runtime should take it: a source that went away or could not be read is worth
 * another try (GM_E_RETRY); a source that is damaged, or whose own data stops the query, waits for
 * people (GM_E_CONFIG). GM_E_IO and GM_E_CORRUPT are left to Gemel's own storage, and nothing that
 * fails is ever GM_E_END. Returns err->rc, changed. */
gm_rc gm_source_failed(struct gm_err *err);

/* ---- columns ---- */

enum { GM_COLUMNS_MAX = 2000, GM_SHAPES_MAX = 256 };

/* All shapes of one instance: batches point to them until it is closed. Zero-initialise. */
struct gm_shapes {
    struct gm_arena *arena;
    const struct gm_shape *at[GM_SHAPES_MAX];
    size_t n;
};
void gm_shapes_deinit(struct gm_shapes *shapes);
/* The shape with these names; names are copied. GM_E_CONFIG when there are none or too many, one
 * is empty or not UTF-8, two are equal, or one instance has met more than GM_SHAPES_MAX. */
gm_rc gm_shapes_get(struct gm_shapes *shapes, const struct gm_str *names, size_t count,
                    const struct gm_shape **out_shape, struct gm_err *err) GM_MUST_CHECK;

/* GM_E_CONFIG: "`setting`: there is no column `nmae`; did you mean `name`?" */
gm_rc gm_column_find(const struct gm_shape *shape, const char *setting_z, const char *name_z,
                     size_t *out_column, struct gm_err *err) GM_MUST_CHECK;

/* ---- keys ---- */

enum { GM_KEY_PARTS_MAX = 16 };

struct gm_key_columns {
    size_t count;
    size_t columns[GM_KEY_PARTS_MAX];
};
gm_rc gm_key_find(const struct gm_conf_strs *names, const struct gm_shape *shape,
                  struct gm_key_columns *out_key, struct gm_err *err) GM_MUST_CHECK;

/* Sets record->key from its cells. When that fails (a part is null, not UTF-8, or too much), marks
 * the record and gives it the key "`unit_z` POSITION", as in "row 17". */
void gm_record_take_key(struct gm_batch *batch, struct gm_record *record,
                        const struct gm_key_columns *key, const char *unit_z);
/* The key of a record that has none of its own. */
void gm_record_number_key(struct gm_batch *batch, struct gm_record *record, const char *unit_z);
/* Why a text cannot be a key; NULL: it can. */
const char *gm_key_problem(struct gm_str key);

#endif
