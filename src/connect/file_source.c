#include "connect/file_source.h"

#include "connect/source.h"

/* Lines between looks at the deadline. */
enum { LOOK_INTERVAL = 256 };

void gm_file_source_init(struct gm_file_source *source, const struct gm_file_format *format,
                         const struct gm_file_source_setup *setup)
{
    *source = (struct gm_file_source){
        .format = format,
        .path_z = setup->path_z,
        .archive_z = setup->archive_z,
        .env = *setup->env,
    };
}

static void close_file(struct gm_file_source *source)
{
    if (source->input != NULL) {
        source->bytes_closed += gm_input_bytes_read(source->input);
        gm_window_deinit(&source->window);
        gm_input_close(source->input);
        source->input = NULL;
    }
}

static void disconnect(struct gm_file_source *source)
{
    close_file(source);
    gm_files_deinit(&source->files);
    source->connected = false;
}

void gm_file_source_deinit(struct gm_file_source *source)
{
    disconnect(source);
}

/* ---- files ---- */

static gm_rc read_input(void *ctx, void *to, size_t size, size_t *out_n, struct gm_err *err)
{
    return gm_input_read(ctx, to, size, out_n, err);
}

static gm_rc skip_byte_order_mark(struct gm_file_source *source, struct gm_err *err)
{
    GM_TRY(gm_window_more(&source->window, err));
    struct gm_str bytes = gm_window_bytes(&source->window);
    if (gm_str_starts(bytes, GM_STR("\xEF\xBB\xBF"))) {
        gm_window_skip(&source->window, 3);
    } else if (gm_str_starts(bytes, GM_STR("\xFF\xFE")) ||
               gm_str_starts(bytes, GM_STR("\xFE\xFF"))) {
        return gm_fail(err, GM_E_CONFIG, "%s: is UTF-16; save it as UTF-8", source->file_z);
    }
    return GM_OK;
}

static gm_rc open_file(struct gm_file_source *source, struct gm_err *err)
{
    struct gm_files_entry *file = &source->files.list.at[source->file];
    source->file_z = file->path_z;
    GM_TRY(gm_input_open(file->path_z, &source->input, err));
    file->info = *gm_input_info(source->input);
    gm_window_init(&source->window, GM_RECORD_SIZE_MAX, read_input, source->input);
    source->shape = NULL;
    GM_TRY(skip_byte_order_mark(source, err));
    return source->format->begin(source, err);
}

static gm_rc finish_file(struct gm_file_source *source, struct gm_err *err)
{
    GM_TRY(gm_input_check_unchanged(source->input, err));
    close_file(source);
    source->file++;
    return GM_OK;
}

gm_rc gm_file_source_cut(const struct gm_file_source *source, uint64_t line, struct gm_err *err)
{
    return gm_fail(err, GM_E_RETRY,
                   "%s: the file ends in the middle of line %llu; it may still be written",
                   source->file_z, (unsigned long long)line);
}

/* ---- connect ---- */

/* An archive that cannot be is found out before the files are read, not after. */
static gm_rc check_archive(const struct gm_file_source *source, struct gm_err *err)
{
    GM_TRY(gm_folder_make(source->archive_z, err));
    struct gm_file_info archive;
    struct gm_file_info path;
    GM_TRY(gm_file_info(source->archive_z, &archive, err));
    GM_TRY(gm_file_info(source->path_z, &path, err));
    if (path.type == GM_FILE_FOLDER && path.inode == archive.inode) {
        return gm_fail(err, GM_E_CONFIG, "%s: `archive` is the folder that is read",
                       source->archive_z);
    }
    return GM_OK;
}

static gm_rc start(struct gm_file_source *source, struct gm_err *err)
{
    if (source->archive_z != NULL) {
        GM_TRY(check_archive(source, err));
    }
    GM_TRY(gm_files_list(source->path_z, source->archive_z != NULL, &source->files, err));
    if (source->files.list.n > 0) {
        GM_TRY(open_file(source, err)); /* a wrong header or key is an error of connect */
    }
    return GM_OK;
}

gm_rc gm_file_source_connect(struct gm_file_source *source, struct gm_pass *out_pass,
                             struct gm_err *err)
{
    disconnect(source);
    source->failure = (struct gm_err){0};
    source->ended = false;
    source->file = 0;
    source->bytes_closed = 0;
    source->bytes_reported = 0;
    if (start(source, err) != GM_OK) {
        disconnect(source);
        return gm_source_failed(err);
    }
    source->connected = true;
    *out_pass = (struct gm_pass){
        .full = source->archive_z == NULL,
        .bytes_estimate = source->files.size_bytes,
    };
    return GM_OK;
}

/* ---- read ---- */

/* Adds records of one file; GM_E_END when there is no file any more. */
static gm_rc fill(struct gm_file_source *source, struct gm_batch *batch,
                  const struct gm_deadline *deadline, struct gm_err *err)
{
    for (uint64_t i = 0; !gm_batch_full(batch); i++) {
        if (i % LOOK_INTERVAL == 0 && deadline != NULL && gm_deadline_passed(deadline)) {
            return batch->count > 0
                       ? GM_OK
                       : gm_fail(err, GM_E_CANCELLED, "reading %s was stopped", source->path_z);
        }
        if (source->input == NULL && source->file == source->files.list.n) {
            return GM_E_END;
        }
        if (source->input == NULL) {
            GM_TRY(open_file(source, err));
        }
        if (batch->count == 0) {
            struct gm_str name = gm_str_z(source->files.list.at[source->file].name_z);
            batch->shape = source->shape;
            batch->origin = gm_arena_dup(batch->arena, name);
        }
        gm_rc rc = source->format->next(source, batch, err);
        if (rc == GM_E_END) {
            GM_TRY(finish_file(source, err));
            if (batch->count > 0) {
                return GM_OK; /* a batch has one origin */
            }
        } else if (rc != GM_OK) {
            return rc;
        }
    }
    return GM_OK;
}

static void report_progress(struct gm_file_source *source, struct gm_batch *batch)
{
    uint64_t bytes = source->bytes_closed;
    if (source->input != NULL) {
        bytes += gm_input_bytes_read(source->input);
    }
    batch->bytes_read = bytes - source->bytes_reported;
    source->bytes_reported = bytes;
}

gm_rc gm_file_source_read(struct gm_file_source *source, struct gm_batch *batch,
                          const struct gm_deadline *deadline, struct gm_err *err)
{
    GM_ASSERT(batch->count == 0);
    if (source->failure.rc == GM_OK && !source->connected) {
        (void)gm_fail(&source->failure, GM_E_RETRY, "%s: not connected", source->path_z);
    }
    if (source->failure.rc != GM_OK) {
        return gm_fail(err, source->failure.rc, "%s", source->failure.text);
    }
    gm_rc rc = source->ended ? GM_E_END : fill(source, batch, deadline, err);
    if (rc != GM_OK && rc != GM_E_END) {
        rc = gm_source_failed(err);
        source->failure = *err;
        close_file(source);
        return rc;
    }
    source->ended = rc == GM_E_END;
    report_progress(source, batch);
    return batch->count > 0 ? GM_OK : GM_E_END;
}

/* ---- ack ---- */

gm_rc gm_file_source_ack(struct gm_file_source *source, bool pass_done, struct gm_err *err)
{
    if (!pass_done || source->archive_z == NULL || !source->ended) {
        return GM_OK;
    }
    gm_ns now = source->env.clock->wall(source->env.clock);
    if (gm_files_archive(&source->files, source->archive_z, now, err) != GM_OK) {
        return gm_source_failed(err);
    }
    return GM_OK;
}

/* ---- lint ---- */

void gm_file_source_lint(struct gm_conf_doc *doc, const struct gm_node *node, const char *path_z,
                         const char *archive_z)
{
    struct gm_str path = gm_str_z(path_z);
    size_t folder_size = path.n;
    while (folder_size > 0 && path.p[folder_size - 1] != '/') {
        folder_size--;
    }
    struct gm_str folder = {path.p, folder_size > 0 ? folder_size - 1 : 0};
    for (size_t i = 0; i < folder.n; i++) {
        if (folder.p[i] == '*' || folder.p[i] == '?') {
            gm_conf_error(doc, &node->place,
                          "`path`: `*` and `?` may stand in the last part only, the name of the "
                          "files");
            break;
        }
    }
    if (archive_z != NULL && path_z != NULL &&
        (gm_str_is(path, archive_z) ||
         (gm_files_is_pattern(path) && gm_str_is(folder, archive_z)))) {
        gm_conf_error(doc, &node->place, "`archive` is the folder that is read; choose another");
    }
}
