/* Batches and their records. */
#include "flow/record.h"

#include <stdio.h>

#include "base/mem.h"
#include "flow/flow.h"

enum { SCRATCH_KEEP_BYTES = 1 << 20 };

static void new_doc(struct gm_batch *batch)
{
    batch->doc = gm_json_doc_new(batch->arena);
    GM_ASSERT(batch->doc != NULL); /* an empty arena has room for it */
}

struct gm_batch *gm_batch_new(void)
{
    struct gm_batch_own *own = gm_alloc(sizeof(*own));
    own->batch.arena = gm_arena_new(GM_BATCH_SIZE_LIMIT);
    own->batch.records = gm_alloc_array(GM_BATCH_RECORDS_MAX, sizeof(struct gm_record));
    gm_buf_init(&own->scratch, GM_BATCH_SIZE_LIMIT);
    new_doc(&own->batch);
    return &own->batch;
}

void gm_batch_free(struct gm_batch *batch)
{
    if (batch == NULL) {
        return;
    }
    gm_buf_deinit(&gm_batch_own(batch)->scratch);
    gm_arena_free(batch->arena);
    gm_free(batch->records);
    gm_free(gm_batch_own(batch));
}

void gm_batch_reset(struct gm_batch *batch)
{
    struct gm_batch_own *own = gm_batch_own(batch);
    gm_arena_reset(batch->arena);
    new_doc(batch);
    batch->shape = NULL;
    batch->count = 0;
    batch->origin = (struct gm_str){NULL, 0};
    batch->cursor = (struct gm_str){NULL, 0};
    batch->bytes_read = 0;
    batch->prepared = NULL;
    own->seed_shape = NULL;
    if (own->scratch.capacity > SCRATCH_KEEP_BYTES) {
        gm_buf_deinit(&own->scratch); /* one huge record must not raise the level for ever */
    }
}

bool gm_batch_full(const struct gm_batch *batch)
{
    return batch->count == GM_BATCH_RECORDS_MAX ||
           gm_arena_used(batch->arena) >= GM_BATCH_SIZE_TARGET;
}

struct gm_record *gm_batch_add(struct gm_batch *batch)
{
    if (gm_batch_full(batch)) {
        return NULL;
    }
    struct gm_record *record = &batch->records[batch->count++];
    *record = (struct gm_record){0};
    return record;
}

void gm_batch_drop_last(struct gm_batch *batch)
{
    GM_ASSERT(batch->count > 0);
    batch->count--;
}

struct gm_cell *gm_batch_cells(struct gm_batch *batch)
{
    GM_ASSERT(batch->shape != NULL);
    struct gm_cell *cells =
        gm_arena_alloc(batch->arena, batch->shape->count * sizeof(struct gm_cell));
    if (cells != NULL) {
        for (size_t i = 0; i < batch->shape->count; i++) {
            cells[i].type = GM_CELL_NULL;
            cells[i].as.i = 0;
        }
    }
    return cells;
}

void gm_record_fail(struct gm_batch *batch, struct gm_record *record, gm_rc rc, const char *fmt,
                    ...)
{
    GM_ASSERT(rc != GM_OK);
    if (record->rc != GM_OK) {
        return;
    }
    char text[GM_ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    GM_ASSERT(n >= 0);
    size_t size = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
    record->rc = rc;
    record->error = gm_arena_dup(batch->arena, (struct gm_str){text, size});
    if (record->error.p == NULL) {
        /* The arena is full: the verdict must stand all the same. */
        record->error = GM_STR("wrong, but its batch has no memory left for the reason");
    }
}
