/* The grammar of CSV. The first byte chooses delimiter and quote, the second how small the pieces
 * are that the text arrives in; the rest is the text. However it arrives, the rows must be the
 * same, lie within the text, and count its lines; and a row that is too large must end where
 * it would have ended. */
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "connect/csv/rows.h"
#include "connect/csv/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT_SMALL = 64, LIMIT_LARGE = 1 << 20, ROWS_MAX = 4096 };

struct text {
    struct gm_str rest;
    size_t piece;
};

static gm_rc read_text(void *ctx, void *to, size_t size, size_t *out_n, struct gm_err *err)
{
    (void)err;
    struct text *text = ctx;
    size_t n = text->rest.n < text->piece ? text->rest.n : text->piece;
    n = n < size ? n : size;
    memcpy(to, text->rest.p, n);
    text->rest = (struct gm_str){text->rest.p + n, text->rest.n - n};
    *out_n = n;
    return GM_OK;
}

struct outcome {
    gm_rc rc;
    size_t rows;
    uint64_t lines[ROWS_MAX];   /* where rows begin */
    uint64_t digests[ROWS_MAX]; /* of their fields; 0: too large */
};

static uint64_t digest_of(const struct gm_csv_row *row, char quote, struct gm_arena *arena)
{
    struct gm_str copy = gm_arena_dup(arena, row->bytes);
    GM_ASSERT(copy.p != NULL);
    char *bytes = gm_arena_alloc(arena, row->bytes.n);
    GM_ASSERT(bytes != NULL);
    memcpy(bytes, row->bytes.p, row->bytes.n);
    uint64_t digest = row->field_count ^ (row->stray << 20) ^ (uint64_t)row->ended << 40;
    for (size_t i = 0; i < row->field_count && i < GM_COLUMNS_MAX; i++) {
        const struct gm_csv_field *field = &row->fields[i];
        GM_ASSERT((size_t)field->start + field->size <= row->bytes.n);
        struct gm_str text = gm_csv_field_text(field, quote, bytes);
        GM_ASSERT(text.n <= field->size);
        digest = gm_hash64(text, digest + field->quoted);
    }
    return digest | 1;
}

static void parse(struct gm_csv_dialect dialect, struct text text, size_t limit,
                  struct outcome *out_outcome)
{
    static struct gm_csv_reader reader;
    struct gm_window window;
    struct gm_err err = {0};
    struct gm_arena *arena = gm_arena_new(256 << 20);
    *out_outcome = (struct outcome){0};
    gm_csv_reader_init(&reader, dialect);
    gm_window_init(&window, limit, read_text, &text);
    struct gm_csv_row row;
    while ((out_outcome->rc = gm_csv_next(&reader, &window, &row, &err)) == GM_OK &&
           out_outcome->rows < ROWS_MAX) {
        GM_ASSERT(row.field_count > 0 || row.too_large);
        out_outcome->lines[out_outcome->rows] = row.line;
        out_outcome->digests[out_outcome->rows++] =
            row.too_large ? 0 : digest_of(&row, dialect.quote, arena);
        gm_arena_reset(arena);
    }
    gm_window_deinit(&window);
    gm_arena_free(arena);
}

static void compare(const struct outcome *whole, const struct outcome *other)
{
    GM_ASSERT(whole->rc == other->rc);
    GM_ASSERT(whole->rows == other->rows ||
              (other->rc == GM_E_RETRY && other->rows == whole->rows + 1));
    for (size_t i = 0; i < whole->rows; i++) {
        GM_ASSERT(whole->lines[i] == other->lines[i]);
        GM_ASSERT(other->digests[i] == 0 || whole->digests[i] == other->digests[i]);
    }
}

static void convert(struct gm_str text)
{
    struct gm_arena *arena = gm_arena_new(64 << 20);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    for (int type = GM_CSV_TEXT; type <= GM_CSV_JSON; type++) {
        struct gm_cell cell;
        (void)gm_csv_convert((enum gm_csv_type)type, text, doc, &cell);
    }
    gm_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole;
    static struct outcome pieces;
    static struct outcome small;
    if (size < 2) {
        return 0;
    }
    static const struct gm_csv_dialect dialects[] = {{',', '"'}, {';', '\''}, {'\t', '"'}};
    struct gm_csv_dialect dialect = dialects[data[0] % GM_ARRAY_COUNT(dialects)];
    struct gm_str text = {(const char *)data + 2, size - 2};
    parse(dialect, (struct text){text, SIZE_MAX}, LIMIT_LARGE, &whole);
    parse(dialect, (struct text){text, (size_t)data[1] + 1}, LIMIT_LARGE, &pieces);
    compare(&whole, &pieces);
    /* A small limit: a last row that is cut is too large first, then cut. */
    parse(dialect, (struct text){text, (size_t)data[1] + 1}, LIMIT_SMALL, &small);
    if (whole.rc == small.rc) {
        compare(&whole, &small);
    }
    convert(text);
    return 0;
}
