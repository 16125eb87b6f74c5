#include "connect/input.h"

#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "base/str.h"

enum {
    RAW_SIZE = 256 << 10,
    MAGIC_SIZE = 4,
    GZIP_WINDOW_BITS = 15 + 16, /* the largest window; gzip's header and nothing else */
};

enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD };

struct gm_input {
    char *path_z;
    struct gm_file *file;
    struct gm_file_info info; /* when it was opened */
    uint64_t bytes_read;
    enum packing packing;
    bool raw_ended;
    bool inside; /* of a gzip member or zstd frame: the data must not end here */
    size_t raw_at;
    size_t raw_end;
    z_stream gzip;
    bool gzip_ready;
    ZSTD_DStream *zstd;
    unsigned char raw[RAW_SIZE];
};

/* Reads until `raw` holds `want` bytes or the file ends. */
static gm_rc fill_raw(struct gm_input *input, size_t want, struct gm_err *err)
{
    while (input->raw_end - input->raw_at < want && !input->raw_ended) {
        if (input->raw_at == input->raw_end) {
            input->raw_at = input->raw_end = 0;
        }
        size_t n;
        GM_TRY(gm_file_read(input->file, input->raw + input->raw_end, RAW_SIZE - input->raw_end, &n,
                            err));
        input->raw_ended = n == 0;
        input->raw_end += n;
        input->bytes_read += n;
    }
    return GM_OK;
}

static gm_rc ends_early(const struct gm_input *input, struct gm_err *err)
{
    return gm_fail(err, GM_E_RETRY, "%s: the compressed data ends early; it may still be written",
                   input->path_z);
}

static gm_rc damaged(const struct gm_input *input, const char *why_z, struct gm_err *err)
{
    return gm_fail(err, GM_E_CONFIG, "%s: the compressed data is damaged (%s); replace the file",
                   input->path_z, why_z != NULL ? why_z : "unknown");
}

static bool has_magic(const struct gm_input *input, const char *magic, size_t size)
{
    return input->raw_end >= size && memcmp(input->raw, magic, size) == 0;
}

static gm_rc recognise(struct gm_input *input, struct gm_err *err)
{
    GM_TRY(fill_raw(input, MAGIC_SIZE, err));
    struct gm_str path = gm_str_z(input->path_z);
    if (has_magic(input, "\x1f\x8b", 2)) {
        input->packing = PACKING_GZIP;
        input->gzip_ready = inflateInit2(&input->gzip, GZIP_WINDOW_BITS) == Z_OK;
        GM_ASSERT(input->gzip_ready); /* fails only without memory */
    } else if (has_magic(input, "\x28\xb5\x2f\xfd", 4)) {
        input->packing = PACKING_ZSTD;
        input->zstd = ZSTD_createDStream();
        GM_ASSERT(input->zstd != NULL);
    } else if (input->raw_end < MAGIC_SIZE &&
               (gm_str_ends(path, GM_STR(".gz")) || gm_str_ends(path, GM_STR(".zst")))) {
        return ends_early(input, err); /* its first bytes are not there yet */
    }
    return GM_OK;
}

static gm_rc open_steps(struct gm_input *input, struct gm_err *err)
{
    GM_TRY(gm_file_info(input->path_z, &input->info, err));
    if (input->info.type == GM_FILE_MISSING) {
        return gm_fail(err, GM_E_RETRY, "%s: is gone since the run began", input->path_z);
    }
    GM_TRY(gm_file_open(input->path_z, &input->file, err));
    return recognise(input, err);
}

gm_rc gm_input_open(const char *path_z, struct gm_input **out_input, struct gm_err *err)
{
    struct gm_input *input = gm_alloc(sizeof(*input));
    input->path_z = gm_strdup_z(path_z);
    gm_rc rc = open_steps(input, err);
    if (rc != GM_OK) {
        gm_input_close(input);
        return rc;
    }
    *out_input = input;
    return GM_OK;
}

/* ---- reading ---- */

static gm_rc read_plain(struct gm_input *input, void *to, size_t size, size_t *out_n,
                        struct gm_err *err)
{
    GM_TRY(fill_raw(input, 1, err));
    size_t left = input->raw_end - input->raw_at;
    *out_n = left < size ? left : size;
    memcpy(to, input->raw + input->raw_at, *out_n);
    input->raw_at += *out_n;
    return GM_OK;
}

/* Behind a gzip member: another one, zeros that tape drives pad with, or the end. */
static gm_rc next_member(struct gm_input *input, struct gm_err *err)
{
    GM_TRY(fill_raw(input, 1, err));
    while (input->raw_at < input->raw_end && input->raw[input->raw_at] == 0) {
        input->raw_at++;
        GM_TRY(fill_raw(input, 1, err));
    }
    if (input->raw_at < input->raw_end && inflateReset(&input->gzip) != Z_OK) {
        return damaged(input, input->gzip.msg, err);
    }
    return GM_OK;
}

static gm_rc read_gzip(struct gm_input *input, void *to, size_t size, size_t *out_n,
                       struct gm_err *err)
{
    *out_n = 0;
    while (*out_n == 0) {
        GM_TRY(fill_raw(input, 1, err));
        bool dry = input->raw_at == input->raw_end;
        if (dry && !input->inside) {
            return GM_OK;
        }
        input->inside = true;
        input->gzip.next_in = input->raw + input->raw_at;
        input->gzip.avail_in = (uInt)(input->raw_end - input->raw_at);
        input->gzip.next_out = to;
        input->gzip.avail_out = (uInt)size;
        int rc = inflate(&input->gzip, Z_NO_FLUSH);
        input->raw_at = input->raw_end - input->gzip.avail_in;
        *out_n = size - input->gzip.avail_out;
        if (rc == Z_STREAM_END) {
            input->inside = false;
            GM_TRY(next_member(input, err));
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return damaged(input, input->gzip.msg, err);
        } else if (dry && *out_n == 0) {
            return ends_early(input, err);
        }
    }
    return GM_OK;
}

static gm_rc read_zstd(struct gm_input *input, void *to, size_t size, size_t *out_n,
                       struct gm_err *err)
{
    ZSTD_outBuffer out = {.dst = to, .size = size, .pos = 0};
    while (out.pos == 0) {
        GM_TRY(fill_raw(input, 1, err));
        bool dry = input->raw_at == input->raw_end;
        if (dry && !input->inside) {
            break;
        }
        ZSTD_inBuffer in = {.src = input->raw, .size = input->raw_end, .pos = input->raw_at};
        size_t left = ZSTD_decompressStream(input->zstd, &out, &in);
        if (ZSTD_isError(left)) {
            return damaged(input, ZSTD_getErrorName(left), err);
        }
        input->raw_at = in.pos;
        input->inside = left != 0;
        if (dry && input->inside && out.pos == 0) {
            return ends_early(input, err);
        }
    }
    *out_n = out.pos;
    return GM_OK;
}

gm_rc gm_input_read(struct gm_input *input, void *to, size_t size, size_t *out_n,
                    struct gm_err *err)
{
    GM_ASSERT(size > 0);
    switch (input->packing) {
    case PACKING_GZIP:
        return read_gzip(input, to, size, out_n, err);
    case PACKING_ZSTD:
        return read_zstd(input, to, size, out_n, err);
    case PACKING_NONE:
        break;
    }
    return read_plain(input, to, size, out_n, err);
}

const struct gm_file_info *gm_input_info(const struct gm_input *input)
{
    return &input->info;
}

uint64_t gm_input_bytes_read(const struct gm_input *input)
{
    return input->bytes_read;
}

gm_rc gm_input_check_unchanged(const struct gm_input *input, struct gm_err *err)
{
    struct gm_file_info now;
    GM_TRY(gm_file_info(input->path_z, &now, err));
    if (now.type != input->info.type || now.size_bytes != input->info.size_bytes ||
        now.modified != input->info.modified || now.inode != input->info.inode) {
        return gm_fail(err, GM_E_RETRY, "%s: changed while it was read", input->path_z);
    }
    return GM_OK;
}

void gm_input_close(struct gm_input *input)
{
    if (input == NULL) {
        return;
    }
    if (input->gzip_ready) {
        (void)inflateEnd(&input->gzip);
    }
    (void)ZSTD_freeDStream(input->zstd);
    gm_file_close(input->file);
    gm_free(input->path_z);
    gm_free(input);
}
