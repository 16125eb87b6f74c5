#include "net/content.h"

#include <zlib.h>
#include <zstd.h>

enum { PIECE_SIZE = 64 << 10 };

enum gm_coding gm_coding_find(const char *name_z)
{
    struct gm_str name = gm_str_trim(gm_str_z(name_z));
    if (name.n == 0 || gm_str_is(name, "identity")) {
        return GM_CODING_NONE;
    }
    if (gm_str_is(name, "gzip") || gm_str_is(name, "x-gzip")) {
        return GM_CODING_GZIP;
    }
    return gm_str_is(name, "zstd") ? GM_CODING_ZSTD : GM_CODING_UNKNOWN;
}

static gm_rc too_large(const struct gm_buf *out, struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "unpacked it has more than %zu bytes", out->limit);
}

static gm_rc unpack_gzip(z_stream *zip, struct gm_buf *out, struct gm_err *err)
{
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        char *to = gm_buf_reserve(out, PIECE_SIZE);
        if (to == NULL) {
            return too_large(out, err);
        }
        zip->next_out = (Bytef *)to;
        zip->avail_out = PIECE_SIZE;
        state = inflate(zip, Z_NO_FLUSH);
        gm_buf_commit(out, PIECE_SIZE - zip->avail_out);
        bool stuck = state == Z_BUF_ERROR || (zip->avail_in == 0 && zip->avail_out > 0);
        if (state == Z_STREAM_END && zip->avail_in > 0) { /* one more member */
            state = inflateReset(zip);
        } else if ((state != Z_OK && state != Z_STREAM_END) || (state == Z_OK && stuck)) {
            return gm_fail(err, GM_E_INVALID, "the gzip data is %s",
                           state == Z_DATA_ERROR ? "damaged" : "cut off");
        }
    }
    return GM_OK;
}

static gm_rc decode_gzip(struct gm_str body, struct gm_buf *out, struct gm_err *err)
{
    enum { GZIP_ONLY = 16 + MAX_WBITS };
    z_stream zip = {0};
    if (inflateInit2(&zip, GZIP_ONLY) != Z_OK) {
        return gm_fail(err, GM_E_RETRY, "no memory to unpack gzip");
    }
    union {
        const char *in;
        Bytef *p;
    } bytes = {.in = body.p}; /* zlib does not write there */
    zip.next_in = bytes.p;
    zip.avail_in = (uInt)body.n;
    gm_rc rc = unpack_gzip(&zip, out, err);
    (void)inflateEnd(&zip);
    return rc;
}

static gm_rc decode_zstd(struct gm_str body, struct gm_buf *out, struct gm_err *err)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {body.p, body.n, 0};
    size_t left = 1; /* of the frame; 0: it is at its end */
    gm_rc rc = context != NULL ? GM_OK : gm_fail(err, GM_E_RETRY, "no memory to unpack zstd");
    while (rc == GM_OK && (in.pos < in.size || left != 0)) {
        char *to = gm_buf_reserve(out, PIECE_SIZE);
        if (to == NULL) {
            rc = too_large(out, err);
            break;
        }
        ZSTD_outBuffer piece = {to, PIECE_SIZE, 0};
        bool starved = in.pos == in.size;
        left = ZSTD_decompressStream(context, &piece, &in);
        gm_buf_commit(out, piece.pos);
        if (ZSTD_isError(left)) {
            rc =
                gm_fail(err, GM_E_INVALID, "the zstd data is damaged: %s", ZSTD_getErrorName(left));
        } else if (starved && piece.pos == 0 && left != 0) {
            rc = gm_fail(err, GM_E_INVALID, "the zstd data is cut off");
        }
    }
    (void)ZSTD_freeDCtx(context);
    return rc;
}

gm_rc gm_content_decode(enum gm_coding coding, struct gm_str body, struct gm_buf *out,
                        struct gm_err *err)
{
    switch (coding) {
    case GM_CODING_NONE:
        gm_buf_add(out, body);
        return gm_buf_failed(out) ? too_large(out, err) : GM_OK;
    case GM_CODING_GZIP:
        return decode_gzip(body, out, err);
    case GM_CODING_ZSTD:
        return decode_zstd(body, out, err);
    case GM_CODING_UNKNOWN:
        break;
    }
    return gm_fail(err, GM_E_INVALID, "only gzip and zstd are understood");
}
