/* Lines of a file, or of standard input, into a stream, as fast as both go.
 *
 *     struct gm_ingest ingest = {.stream = stream, .decoder = decoder, .read = read, .ctx = file};
 *     rc = gm_ingest_run(&ingest, err);           // ingest.lines, .appended, …
 *
 * Pieces of GM_INGEST_PIECE_SIZE go round: one is decoded while others are ordered, compressed and
 * committed, so no more than GM_INGEST_PIECES of them are in memory. When it returns everything is
 * committed, or nothing behind the error is.
 *
 * Or they are sent elsewhere, one after the other: `send` in place of stream and decoder.
 *
 * Thread rule: the caller's thread reads and decodes, or sends. */
#ifndef GM_HUB_INGEST_H
#define GM_HUB_INGEST_H

#include "hub/decode.h"
#include "os/clock.h"
#include "stream/stream.h"

enum { GM_INGEST_PIECES = 6, GM_INGEST_PIECE_SIZE = 2 << 20 };

/* Whole lines, the first of which is line `first` of the whole; the sender says what became of
 * them. */
struct gm_ingest_piece {
    struct gm_str text;
    size_t first;
    int64_t appended, duplicates, wrong_lines; /* out */
};
struct gm_ingest {
    struct gm_stream *stream;
    const struct gm_decoder *decoder;
    /* When not NULL: takes each piece, with GM_E_INVALID for one that has wrong lines and is not
     * taken. It tells `wrong` itself. */
    gm_rc (*send)(void *ctx, struct gm_ingest_piece *piece, struct gm_err *err);
    void *send_ctx;
    /* Up to `size` bytes; *out_n = 0 at the end. */
    gm_rc (*read)(void *ctx, void *to, size_t size, size_t *out_n, struct gm_err *err);
    void *ctx;
    /* Told of each wrong line; with `partial` the others are taken, else the first one ends it, and
     * nothing of its piece is taken. NULL: nobody is. */
    void (*wrong)(void *ctx, size_t line, struct gm_str reason);
    void *wrong_ctx;
    bool partial;
    void (*progress)(void *ctx, const struct gm_ingest *ingest); /* after each piece; NULL: none */
    void *progress_ctx;

    /* out */
    int64_t lines, appended, duplicates, wrong_lines;
    uint64_t bytes; /* read */
};
/* GM_E_INVALID: a line is wrong, or too long; what stands before its piece is in the stream. */
gm_rc gm_ingest_run(struct gm_ingest *ingest, struct gm_err *err) GM_MUST_CHECK;

#endif
