#include "hub/ingest.h"

#include "base/mem.h"
#include "os/thread.h"

enum { LINE_SIZE_MAX = GM_EVENT_BODY_SIZE_MAX + (64 << 10) /* with space around */ };

/* A piece of text on its way, with the events that point into it. */
struct piece {
    struct desk *desk;
    struct piece *next; /* guarded by the desk's mu */
    struct gm_append append;
    struct gm_decoded *decoded;
    char *text;
    size_t n;     /* bytes in it */
    size_t whole; /* of these, up to the last line end */
};

/* Where pieces come back to. */
struct desk {
    struct gm_ingest *ingest;
    struct piece pieces[GM_INGEST_PIECES];
    struct gm_mutex *mu;
    struct gm_cond *back;
    struct piece *free_pieces;    /* guarded by mu */
    int out_count;                /* guarded by mu */
    int64_t appended, duplicates; /* guarded by mu */
    gm_rc rc;                     /* guarded by mu; the first failure */
    struct gm_err err;            /* guarded by mu */
    size_t line;                  /* of the next piece's beginning, from 1 */
    bool ended;
};

static void committed(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct piece *piece = ctx;
    struct desk *desk = piece->desk;
    gm_mutex_lock(desk->mu);
    if (rc != GM_OK && desk->rc == GM_OK) {
        desk->rc = rc;
        desk->err = *err;
    }
    desk->appended += (int64_t)piece->append.appended;
    desk->duplicates += (int64_t)piece->append.duplicates;
    piece->next = desk->free_pieces;
    desk->free_pieces = piece;
    desk->out_count--;
    gm_cond_signal(desk->back);
    gm_mutex_unlock(desk->mu);
}

/* NULL: a commit failed. */
static struct piece *take_piece(struct desk *desk)
{
    struct piece *piece = NULL;
    gm_mutex_lock(desk->mu);
    while (desk->free_pieces == NULL) {
        gm_cond_wait(desk->back, desk->mu);
    }
    if (desk->rc == GM_OK) {
        piece = desk->free_pieces;
        desk->free_pieces = piece->next;
    }
    desk->ingest->appended = desk->appended;
    desk->ingest->duplicates = desk->duplicates;
    gm_mutex_unlock(desk->mu);
    return piece;
}

/* Fills the piece behind what the one before left over; its last line is whole, or the file's
 * last. */
static gm_rc fill_piece(struct desk *desk, struct piece *piece, struct gm_err *err)
{
    struct gm_ingest *ingest = desk->ingest;
    size_t got = 1;
    while (got > 0 && piece->n < GM_INGEST_PIECE_SIZE) {
        GM_TRY(ingest->read(ingest->ctx, piece->text + piece->n, GM_INGEST_PIECE_SIZE - piece->n,
                            &got, err));
        piece->n += got;
        ingest->bytes += got;
    }
    desk->ended = got == 0;
    piece->whole = piece->n;
    while (!desk->ended && piece->whole > 0 && piece->text[piece->whole - 1] != '\n') {
        piece->whole--;
    }
    if (piece->n - piece->whole > LINE_SIZE_MAX || (piece->whole == 0 && !desk->ended)) {
        return gm_fail(err, GM_E_INVALID, "a line behind line %zu has more than %d bytes",
                       desk->line, LINE_SIZE_MAX);
    }
    return GM_OK;
}

static size_t count_lines(struct gm_str text)
{
    size_t count = 0;
    const char *at = text.p, *end = text.p + text.n;
    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        count++;
    }
    return count + (text.n > 0 && text.p[text.n - 1] != '\n');
}

static void count(struct desk *desk, struct gm_str text)
{
    size_t lines = count_lines(text);
    desk->line += lines;
    desk->ingest->lines += (int64_t)lines;
}

static gm_rc decode_piece(struct desk *desk, struct piece *piece, struct gm_err *err)
{
    struct gm_ingest *ingest = desk->ingest;
    struct gm_decoded *decoded = piece->decoded;
    const struct gm_str text = {piece->text, piece->whole};
    gm_decoded_reset(decoded);
    gm_decode_lines(ingest->decoder, text, desk->line, decoded);
    count(desk, text);
    ingest->wrong_lines += (int64_t)decoded->wrong_count;
    for (size_t i = 0; i < decoded->wrong.n && ingest->wrong != NULL; i++) {
        ingest->wrong(ingest->wrong_ctx, decoded->wrong.at[i].number, decoded->wrong.at[i].reason);
    }
    if (decoded->wrong_count > 0 && !ingest->partial) {
        return gm_fail(err, GM_E_INVALID, "line %zu: " GM_STR_FMT, decoded->wrong.at[0].number,
                       GM_STR_ARG(decoded->wrong.at[0].reason));
    }
    return GM_OK;
}

static gm_rc submit_piece(struct desk *desk, struct piece *piece, struct gm_err *err)
{
    piece->append = (struct gm_append){.events = piece->decoded->events.at,
                                       .count = piece->decoded->events.n,
                                       .checked = true,
                                       .done = committed,
                                       .ctx = piece};
    gm_mutex_lock(desk->mu);
    desk->out_count++;
    gm_mutex_unlock(desk->mu);
    gm_rc rc = gm_stream_submit(desk->ingest->stream, &piece->append, err);
    if (rc == GM_E_RETRY) { /* others fill the stream: its turn comes with the next commit */
        rc = gm_stream_append(desk->ingest->stream, &piece->append, NULL, err);
        if (rc == GM_OK) {
            committed(piece, GM_OK, NULL);
        }
    }
    if (rc != GM_OK) {
        gm_mutex_lock(desk->mu);
        desk->out_count--;
        gm_mutex_unlock(desk->mu);
    }
    return rc;
}

static gm_rc send_piece(struct desk *desk, struct piece *piece, struct gm_err *err)
{
    struct gm_ingest_piece sent = {.text = {piece->text, piece->whole}, .first = desk->line};
    gm_rc rc = sent.text.n > 0 ? desk->ingest->send(desk->ingest->send_ctx, &sent, err) : GM_OK;
    count(desk, sent.text);
    desk->ingest->wrong_lines += sent.wrong_lines;
    piece->append = (struct gm_append){.appended = (size_t)sent.appended,
                                       .duplicates = (size_t)sent.duplicates};
    gm_mutex_lock(desk->mu);
    desk->out_count++;
    gm_mutex_unlock(desk->mu);
    committed(piece, rc, err);
    return rc;
}

static gm_rc take_in_piece(struct desk *desk, struct piece *piece, struct gm_err *err)
{
    if (desk->ingest->send != NULL) {
        return send_piece(desk, piece, err);
    }
    GM_TRY(decode_piece(desk, piece, err));
    return submit_piece(desk, piece, err);
}

static gm_rc run(struct desk *desk, struct gm_err *err)
{
    struct piece *piece = take_piece(desk);
    while (piece != NULL && !desk->ended) {
        GM_TRY(fill_piece(desk, piece, err));
        struct piece *next = desk->ended ? NULL : take_piece(desk);
        if (next != NULL) {
            next->n = piece->n - piece->whole;
            memcpy(next->text, piece->text + piece->whole, next->n);
        }
        GM_TRY(take_in_piece(desk, piece, err));
        if (desk->ingest->progress != NULL) {
            desk->ingest->progress(desk->ingest->progress_ctx, desk->ingest);
        }
        piece = next;
    }
    return GM_OK;
}

static gm_rc finish(struct desk *desk, gm_rc rc, struct gm_err *err)
{
    gm_mutex_lock(desk->mu);
    while (desk->out_count > 0) {
        gm_cond_wait(desk->back, desk->mu);
    }
    if (rc == GM_OK && desk->rc != GM_OK) {
        rc = desk->rc;
        *err = desk->err;
    }
    desk->ingest->appended = desk->appended;
    desk->ingest->duplicates = desk->duplicates;
    gm_mutex_unlock(desk->mu);
    return rc;
}

gm_rc gm_ingest_run(struct gm_ingest *ingest, struct gm_err *err)
{
    struct desk *desk = gm_alloc(sizeof(*desk));
    desk->ingest = ingest;
    desk->line = 1;
    desk->mu = gm_mutex_new();
    desk->back = gm_cond_new();
    for (size_t i = 0; i < GM_INGEST_PIECES; i++) {
        struct piece *piece = &desk->pieces[i];
        piece->desk = desk;
        piece->text = gm_alloc(GM_INGEST_PIECE_SIZE);
        piece->decoded = gm_decoded_new((size_t)8 * GM_INGEST_PIECE_SIZE);
        piece->next = desk->free_pieces;
        desk->free_pieces = piece;
    }
    gm_rc rc = finish(desk, run(desk, err), err);
    for (size_t i = 0; i < GM_INGEST_PIECES; i++) {
        gm_decoded_free(desk->pieces[i].decoded);
        gm_free(desk->pieces[i].text);
    }
    gm_cond_free(desk->back);
    gm_mutex_free(desk->mu);
    gm_free(desk);
    return rc;
}
