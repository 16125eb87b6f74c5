/* A pass over a set of files, line by line: what the sources of files share. A format (csv, jsonl)
 * says how a file begins and how one record is read; here are the order of files, decompression,
 * byte order marks, progress, changes while reading, and the archive.
 *
 *     struct csv_source { struct gm_file_source files; … };         // first member
 *     gm_file_source_init(&source->files, &csv_format, &setup);
 *     … connect, read, ack: gm_file_source_connect, _read, _ack …
 *     gm_file_source_deinit(&source->files);
 *
 * Without an archive the set of files is the complete state of the source. With one the files are
 * increments: what earlier ones held is no less true when they are gone, so that a pass is never
 * full. There are no cursors: a pass that is begun again reads its files again, which changes
 * nothing. Thread rule: as the source that owns it. */
#ifndef GM_CONNECT_FILE_SOURCE_H
#define GM_CONNECT_FILE_SOURCE_H

#include "connect/connector.h"
#include "connect/files.h"
#include "connect/input.h"
#include "connect/window.h"

struct gm_file_source;

struct gm_file_format {
    /* At the start of each file. Sets source->shape. */
    gm_rc (*begin)(struct gm_file_source *source, struct gm_err *err);
    /* Adds one record, or passes over a blank line. GM_E_END: the file is done. */
    gm_rc (*next)(struct gm_file_source *source, struct gm_batch *batch, struct gm_err *err);
};

struct gm_file_source_setup {
    const char *path_z;
    const char *archive_z; /* NULL: none */
    const struct gm_connect_env *env;
};

struct gm_file_source {
    const struct gm_file_format *format;
    const char *path_z;
    const char *archive_z;
    struct gm_connect_env env;

    /* One pass. */
    struct gm_files files;
    size_t file; /* the one that is open, or is next */
    struct gm_input *input;
    struct gm_window window;      /* of the open file, behind a byte order mark */
    const struct gm_shape *shape; /* of the open file; NULL: records are bodies */
    const char *file_z;           /* path of the open file, for messages */
    uint64_t bytes_closed;        /* of the files before it */
    uint64_t bytes_reported;
    bool connected;
    bool ended;
    struct gm_err failure; /* rc not GM_OK: the pass is broken and stays so */
};

void gm_file_source_init(struct gm_file_source *source, const struct gm_file_format *format,
                         const struct gm_file_source_setup *setup);
void gm_file_source_deinit(struct gm_file_source *source);

gm_rc gm_file_source_connect(struct gm_file_source *source, struct gm_pass *out_pass,
                             struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_file_source_read(struct gm_file_source *source, struct gm_batch *batch,
                          const struct gm_deadline *deadline, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_file_source_ack(struct gm_file_source *source, bool pass_done, struct gm_err *err)
    GM_MUST_CHECK;

/* GM_E_RETRY: the open file ends in the middle of this line. */
gm_rc gm_file_source_cut(const struct gm_file_source *source, uint64_t line, struct gm_err *err);

/* Offline checks of `path` and `archive`. */
void gm_file_source_lint(struct gm_conf_doc *doc, const struct gm_node *node, const char *path_z,
                         const char *archive_z);

#endif
