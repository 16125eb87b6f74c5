/* Which way readings go; and the plainest of them, a file. See sample_out.h. */
#include "cli/sample_out.h"

#include "base/mem.h"
#include "os/file.h"

enum { WRITE_SIZE = 1 << 20 };

static const struct gm_load_way *way_of(const char *to_z)
{
    struct gm_str to = gm_str_z(to_z);
    if (gm_str_starts(to, GM_STR("http://")) || gm_str_starts(to, GM_STR("https://"))) {
        return &gm_load_way_http;
    }
    if (gm_str_starts(to, GM_STR("mqtt://")) || gm_str_starts(to, GM_STR("mqtts://"))) {
        return &gm_load_way_mqtt;
    }
    return &gm_load_way_file;
}

gm_rc gm_load_out_open(const struct gm_load_out_options *options, struct gm_load_out **out_out,
                       struct gm_err *err)
{
    if (options->connections < 1 || options->connections > GM_LOAD_CONNECTIONS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "--connections: 1 to %d", GM_LOAD_CONNECTIONS_MAX);
    }
    if (options->batch < 1 || options->batch > GM_LOAD_BATCH_MAX) {
        return gm_fail(err, GM_E_CONFIG, "--batch: 1 to %d", GM_LOAD_BATCH_MAX);
    }
    struct gm_load_out *out = gm_alloc(sizeof(*out));
    out->options = *options;
    out->way = way_of(options->to_z);
    gm_rc rc = out->way->open(out, err);
    if (rc != GM_OK) {
        gm_load_out_close(out);
        return rc;
    }
    *out_out = out;
    return GM_OK;
}

gm_rc gm_load_out_put(struct gm_load_out *out, const struct gm_load_event *event,
                      struct gm_err *err)
{
    out->figures.readings++;
    return out->way->put(out, event, err);
}

gm_rc gm_load_out_flush(struct gm_load_out *out, struct gm_err *err)
{
    return out->way->flush(out, err);
}

gm_rc gm_load_out_finish(struct gm_load_out *out, struct gm_err *err)
{
    return out->way->finish(out, err);
}

void gm_load_out_figures(const struct gm_load_out *out, struct gm_load_figures *out_figures)
{
    *out_figures = out->figures;
}

void gm_load_out_close(struct gm_load_out *out)
{
    if (out != NULL) {
        if (out->own != NULL) {
            out->way->close(out);
        }
        gm_free(out);
    }
}

/* ---- a file ---- */

struct file_way {
    struct gm_file *file;
    struct gm_buf text;
    bool standard; /* standard output: nobody closes it */
};

static gm_rc open_file(struct gm_load_out *out, struct gm_err *err)
{
    struct file_way *way = gm_alloc(sizeof(*way));
    out->own = way;
    gm_buf_init(&way->text, (size_t)2 * WRITE_SIZE);
    way->standard = gm_str_is(gm_str_z(out->options.to_z), "-");
    if (way->standard) {
        way->file = gm_file_stdout();
        return GM_OK;
    }
    return gm_file_create(out->options.to_z, &way->file, err);
}

static gm_rc flush_file(struct gm_load_out *out, struct gm_err *err)
{
    struct file_way *way = out->own;
    gm_rc rc = way->text.n > 0 ? gm_file_write(way->file, gm_buf_str(&way->text), err) : GM_OK;
    gm_buf_reset(&way->text);
    return rc;
}

static gm_rc put_file(struct gm_load_out *out, const struct gm_load_event *event,
                      struct gm_err *err)
{
    struct file_way *way = out->own;
    gm_load_write(out->options.load, event, &way->text);
    gm_buf_add_char(&way->text, '\n');
    return way->text.n >= WRITE_SIZE ? flush_file(out, err) : GM_OK;
}

static gm_rc finish_file(struct gm_load_out *out, struct gm_err *err)
{
    struct file_way *way = out->own;
    GM_TRY(flush_file(out, err));
    return way->standard ? GM_OK : gm_file_sync(way->file, err);
}

static void close_file(struct gm_load_out *out)
{
    struct file_way *way = out->own;
    gm_file_close(way->standard ? NULL : way->file);
    gm_buf_deinit(&way->text);
    gm_free(way);
}

const struct gm_load_way gm_load_way_file = {open_file, put_file, flush_file, finish_file,
                                             close_file};
