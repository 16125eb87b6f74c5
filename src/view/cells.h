/* What is known of one key in one window: per value a few words, laid out by what the view asks
 * for. Internal to this folder.
 *
 *     gm_layout_init(&layout, spec);
 *     uint64_t *cell = …layout.words of them, all zero…;
 *     gm_cell_add(&layout, cell, index, &reading);
 *
 * A cell of zeros knows nothing. Sketches and texts are owned by the cell. */
#ifndef GM_VIEW_CELLS_H
#define GM_VIEW_CELLS_H

#include "view/sketch.h"
#include "view/view.h"

enum gm_reading_kind {
    GM_READING_NONE, /* absent, an object or an array */
    GM_READING_NUMBER,
    GM_READING_INT,
    GM_READING_BOOL,
    GM_READING_NULL,
    GM_READING_TEXT,
};
struct gm_reading {
    enum gm_reading_kind kind;
    gm_ns time;
    double number; /* NUMBER, INT */
    int64_t integer;
    struct gm_str text; /* TEXT */
};

enum { GM_SLOT_NONE = 0xff };
/* Where a value's words are; GM_SLOT_NONE: it has none of these. */
struct gm_value_layout {
    uint16_t base; /* its first word: the count; of latest values the kind */
    /* behind base; first, last: time, then value */
    uint8_t sum, mean, min, max, first, last, sketch;
};
struct gm_layout {
    const struct gm_view_spec *spec;
    struct gm_value_layout values[GM_VIEW_VALUES_MAX];
    size_t words; /* of a cell; its last one counts corrections */
    bool owns;    /* cells have sketches or texts */
};
void gm_layout_init(struct gm_layout *layout, const struct gm_view_spec *spec);

void gm_cell_add(const struct gm_layout *layout, uint64_t *cell, size_t index,
                 const struct gm_reading *reading);
static inline uint64_t *gm_cell_corrections(const struct gm_layout *layout, uint64_t *cell)
{
    return &cell[layout->words - 1];
}
/* `from` is of a later partition. */
void gm_cell_merge(const struct gm_layout *layout, uint64_t *into, const uint64_t *from);
void gm_cell_deinit(const struct gm_layout *layout, uint64_t *cell); /* zeros then */

void gm_cell_encode(const struct gm_layout *layout, const uint64_t *cell, struct gm_buf *out);
/* Into a cell of zeros. False: the bytes are no cell of this layout. */
bool gm_cell_decode(const struct gm_layout *layout, struct gm_str bytes, uint64_t *cell)
    GM_MUST_CHECK;
/* Members `"temperature":{"mean":…}`, each with a comma in front. */
void gm_cell_write_json(const struct gm_layout *layout, const uint64_t *cell, struct gm_buf *out);

#endif
