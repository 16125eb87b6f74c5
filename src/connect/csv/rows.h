/* Rows of CSV: RFC 4180, with any one-byte delimiter and quote, lines ended by CRLF or LF.
 *
 *     gm_csv_reader_init(&reader, (struct gm_csv_dialect){.delimiter = ',', .quote = '"'});
 *     while ((rc = gm_csv_next(&reader, &window, &row, err)) == GM_OK) {
 *         for (i < row.field_count) { use(row.fields[i]); }
 *     }                                                    // GM_E_END: no more rows
 *
 * A quote opens a quoted field only where the field begins; elsewhere it is text. Inside, a doubled
 * quote stands for one, and line ends are text. Text behind the closing quote makes the row wrong
 * (`stray`), and it ends where it would have ended without. A row that does not fit into the
 * window is delivered as `too_large` with the fields that did, and its rest is passed over.
 * What is incomplete at the end of the stream is told, never guessed: `ended` is false when there
 * was no line end, and a quote that is open there is GM_E_RETRY.
 *
 * A row is searched for borders first, without a change to its bytes, so that it can be searched
 * again when the window held only a part of it. Thread rule: one owner. */
#ifndef GM_CONNECT_CSV_ROWS_H
#define GM_CONNECT_CSV_ROWS_H

#include "connect/source.h"
#include "connect/window.h"

struct gm_csv_dialect {
    char delimiter;
    char quote;
};

struct gm_csv_field {
    uint32_t start; /* within the row's bytes, without quotes */
    uint32_t size;
    bool quoted;
    bool escaped; /* doubled quotes inside */
};

struct gm_csv_row {
    struct gm_str bytes; /* of the window: valid until the next call */
    uint64_t line;       /* where it begins, from 1 */
    const struct gm_csv_field *fields;
    size_t field_count; /* may be more than GM_COLUMNS_MAX: only so many are in `fields` */
    size_t stray;       /* field with text behind its closing quote; SIZE_MAX: none */
    bool ended;
    bool too_large;
};

struct gm_csv_reader {
    struct gm_csv_dialect dialect;
    uint64_t line; /* of the next row */
    bool skip_rest;
    bool stop[256]; /* bytes that end a field without quotes */
    size_t field_count;
    size_t stray;
    uint64_t line_ends;
    struct gm_csv_field fields[GM_COLUMNS_MAX];
};

void gm_csv_reader_init(struct gm_csv_reader *reader, struct gm_csv_dialect dialect);
/* GM_E_RETRY: the stream ends inside a quote or a row that was too large; reader->line is where
 * that row begins. */
gm_rc gm_csv_next(struct gm_csv_reader *reader, struct gm_window *window,
                  struct gm_csv_row *out_row, struct gm_err *err) GM_MUST_CHECK;

/* A blank line. */
bool gm_csv_row_is_blank(const struct gm_csv_row *row);
/* The field's text; `bytes` is the row's bytes or a copy, which is changed where quotes are
 * doubled. */
struct gm_str gm_csv_field_text(const struct gm_csv_field *field, char quote, char *bytes);

#endif
