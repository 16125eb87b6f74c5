/* A file as lines, of bounded length. */
#include "os/file.h"
#include "twin/import_internal.h"

enum { READ_SIZE = 256 << 10 };

gm_rc gm_line_reader_open(struct gm_line_reader *reader, const char *path_z, struct gm_err *err)
{
    *reader = (struct gm_line_reader){0};
    if (strcmp(path_z, "-") == 0) {
        reader->file = gm_file_stdin();
    } else {
        GM_TRY(gm_file_open(path_z, &reader->file, err));
    }
    gm_buf_init(&reader->buf, GM_IMPORT_LINE_SIZE_MAX + 2 * READ_SIZE);
    return GM_OK;
}

gm_rc gm_line_reader_seek(struct gm_line_reader *reader, uint64_t offset, uint64_t line,
                          struct gm_err *err)
{
    GM_TRY(gm_file_seek(reader->file, offset, err));
    reader->bytes = offset;
    reader->line = line;
    return GM_OK;
}

uint64_t gm_line_reader_offset(const struct gm_line_reader *reader)
{
    return reader->bytes - (reader->buf.n - reader->at);
}

void gm_line_reader_close(struct gm_line_reader *reader)
{
    gm_file_close(reader->file);
    gm_buf_deinit(&reader->buf);
}

/* Reads more behind what is there, having moved that to the front. */
static gm_rc fill(struct gm_line_reader *reader, struct gm_err *err)
{
    struct gm_buf *buf = &reader->buf;
    if (reader->at > 0) {
        memmove(buf->p, buf->p + reader->at, buf->n - reader->at);
        buf->n -= reader->at;
        reader->at = 0;
    }
    char *to = gm_buf_reserve(buf, READ_SIZE);
    GM_ASSERT(to != NULL);
    size_t n;
    GM_TRY(gm_file_read(reader->file, to, READ_SIZE, &n, err));
    gm_buf_commit(buf, n);
    reader->bytes += n;
    reader->ended = n == 0;
    return GM_OK;
}

/* Throws away what is left of a line that is too long. */
static gm_rc pass_over(struct gm_line_reader *reader, struct gm_err *err)
{
    for (;;) {
        const char *from = reader->buf.p + reader->at;
        const char *end = memchr(from, '\n', reader->buf.n - reader->at);
        if (end != NULL) {
            reader->at += (size_t)(end - from) + 1;
            return GM_OK;
        }
        reader->at = reader->buf.n;
        if (reader->ended) {
            return GM_OK;
        }
        GM_TRY(fill(reader, err));
    }
}

static gm_rc next_raw(struct gm_line_reader *reader, struct gm_str *out_line, struct gm_err *err)
{
    size_t searched = 0;
    for (;;) {
        size_t have = reader->buf.n - reader->at;
        const char *from = have > 0 ? reader->buf.p + reader->at : "";
        const char *end = memchr(from + searched, '\n', have - searched);
        if (end != NULL || (reader->ended && have > 0)) {
            size_t n = end != NULL ? (size_t)(end - from) : have;
            reader->at += end != NULL ? n + 1 : n;
            reader->line++;
            *out_line = (struct gm_str){from, n};
            return GM_OK;
        }
        if (reader->ended) {
            return GM_E_END;
        }
        if (have > GM_IMPORT_LINE_SIZE_MAX) {
            reader->line++;
            GM_TRY(pass_over(reader, err));
            return gm_fail(err, GM_E_INVALID, "the line is longer than %d bytes",
                           GM_IMPORT_LINE_SIZE_MAX);
        }
        searched = have;
        GM_TRY(fill(reader, err));
    }
}

gm_rc gm_line_next(struct gm_line_reader *reader, struct gm_str *out_line, struct gm_err *err)
{
    do {
        GM_TRY(next_raw(reader, out_line, err));
        if (reader->line == 1 && gm_str_starts(*out_line, GM_STR("\xEF\xBB\xBF"))) {
            *out_line = (struct gm_str){out_line->p + 3, out_line->n - 3};
        }
        *out_line = gm_str_trim(*out_line);
    } while (out_line->n == 0);
    return GM_OK;
}
