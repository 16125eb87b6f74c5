/* The hash of a record's content.
 *
 * What is hashed, version 1. Stored hashes are compared with hashes of later runs: a change of this
 * encoding makes every object look changed once, and nothing worse.
 *
 *     record = kind (1 byte), form (1 byte: 0 none, 1 row, 2 body), content
 *     row    = per column: type (1 byte), value
 *              null, false, true: no value; int, double: 8 bytes little-endian;
 *              text, bytes, JSON (its canonical text): length (4 bytes little-endian), bytes
 *     body   = canonical text
 *
 * Bodies are seeded with the caller's seed, rows with a hash of the seed and the columns' names, so
 * that two columns that change places are a change. */
#include "base/hash.h"

#include "flow/flow.h"

enum form { FORM_NONE, FORM_ROW, FORM_BODY };
enum tag { TAG_NULL, TAG_FALSE, TAG_TRUE, TAG_INT, TAG_DOUBLE, TAG_TEXT, TAG_BYTES, TAG_JSON };
enum { HEAD_SIZE = 2, NUMBER_SIZE = 1 + 8, LENGTH_SIZE = 1 + 4 };

static char *put_u32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (char)(v >> (8 * i));
    }
    return p + 4;
}

static char *put_u64(char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++) {
        p[i] = (char)(v >> (8 * i));
    }
    return p + 8;
}

static char *put_bytes(char *p, enum tag tag, struct gm_str s)
{
    *p++ = (char)tag;
    p = put_u32(p, (uint32_t)s.n);
    if (s.n > 0) {
        memcpy(p, s.p, s.n);
    }
    return p + s.n;
}

static uint64_t bits_of(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static char *put_cell(char *p, const struct gm_cell *cell)
{
    switch (cell->type) {
    case GM_CELL_BOOL:
        *p++ = cell->as.b ? TAG_TRUE : TAG_FALSE;
        return p;
    case GM_CELL_INT:
        *p++ = TAG_INT;
        return put_u64(p, (uint64_t)cell->as.i);
    case GM_CELL_DOUBLE:
        *p++ = TAG_DOUBLE;
        return put_u64(p, bits_of(cell->as.d));
    case GM_CELL_TEXT:
        return put_bytes(p, TAG_TEXT, cell->as.s);
    case GM_CELL_BYTES:
        return put_bytes(p, TAG_BYTES, cell->as.s);
    case GM_CELL_NULL:
    case GM_CELL_JSON: /* written by put_json */
        break;
    }
    *p++ = TAG_NULL;
    return p;
}

/* The canonical text with its length in front, appended to `out`. */
static void put_json(struct gm_buf *out, yyjson_mut_doc *doc, yyjson_mut_val *value)
{
    char head[LENGTH_SIZE] = {TAG_JSON};
    size_t at = out->n;
    gm_buf_add(out, (struct gm_str){head, sizeof(head)});
    gm_json_canonical(doc, value, out);
    if (!gm_buf_failed(out)) {
        (void)put_u32(out->p + at + 1, (uint32_t)(out->n - at - sizeof(head)));
    }
}

static uint64_t row_seed(struct gm_batch *batch, uint64_t seed)
{
    struct gm_batch_own *own = gm_batch_own(batch);
    if (own->seed_shape != batch->shape || own->seed_of != seed) {
        uint64_t hash = seed;
        for (size_t i = 0; i < batch->shape->count; i++) {
            hash = gm_hash64(batch->shape->names[i], hash);
        }
        own->seed_shape = batch->shape;
        own->seed_of = seed;
        own->row_seed = hash;
    }
    return own->row_seed;
}

static void encode_row(struct gm_batch *batch, const struct gm_record *record, struct gm_buf *out)
{
    size_t count = batch->shape->count;
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct gm_cell *cell = &record->cells[i];
        bool sized = cell->type == GM_CELL_TEXT || cell->type == GM_CELL_BYTES;
        size += NUMBER_SIZE + (sized ? cell->as.s.n : 0);
    }
    char *start = gm_buf_reserve(out, size);
    char *p = start;
    for (size_t i = 0; p != NULL && i < count; i++) {
        if (record->cells[i].type != GM_CELL_JSON) {
            p = put_cell(p, &record->cells[i]);
            continue;
        }
        gm_buf_commit(out, (size_t)(p - start));
        put_json(out, batch->doc, record->cells[i].as.json);
        start = p = gm_buf_reserve(out, size);
    }
    if (p != NULL) {
        gm_buf_commit(out, (size_t)(p - start));
    }
}

void gm_record_hash(struct gm_batch *batch, struct gm_record *record, uint64_t seed)
{
    struct gm_buf *scratch = &gm_batch_own(batch)->scratch;
    gm_buf_reset(scratch);
    enum form form = record->body != NULL    ? FORM_BODY
                     : record->cells != NULL ? FORM_ROW
                                             : FORM_NONE;
    char head[HEAD_SIZE] = {(char)record->kind, (char)form};
    gm_buf_add(scratch, (struct gm_str){head, sizeof(head)});
    if (form == FORM_ROW) {
        encode_row(batch, record, scratch);
        seed = row_seed(batch, seed);
    } else if (form == FORM_BODY) {
        gm_json_canonical(batch->doc, record->body, scratch);
    }
    if (gm_buf_failed(scratch)) {
        gm_record_fail(batch, record, GM_E_LIMIT,
                       "its content is too large or too deep to be compared");
        return;
    }
    record->hash = gm_hash128(gm_buf_str(scratch), seed);
}
