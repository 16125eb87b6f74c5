/* What the files of the import share. Not for others. */
#ifndef GM_TWIN_IMPORT_INTERNAL_H
#define GM_TWIN_IMPORT_INTERNAL_H

#include "base/vec.h"
#include "twin/transfer.h"

/* ---- import_lines.c: a file as lines ---- */

struct gm_line_reader {
    struct gm_file *file;
    struct gm_buf buf;
    size_t at; /* first byte of `buf` that was not handed out */
    bool ended;
    uint64_t line;  /* number of the line handed out last, from 1 */
    uint64_t bytes; /* read from the file */
};
gm_rc gm_line_reader_open(struct gm_line_reader *reader, const char *path_z, struct gm_err *err)
    GM_MUST_CHECK;
/* Goes on behind `line` lines, at `offset`. */
gm_rc gm_line_reader_seek(struct gm_line_reader *reader, uint64_t offset, uint64_t line,
                          struct gm_err *err) GM_MUST_CHECK;
uint64_t gm_line_reader_offset(const struct gm_line_reader *reader); /* of the next line */
void gm_line_reader_close(struct gm_line_reader *reader);
/* The next line that is not blank, without its end and white space around it; valid until the next
 * call. GM_E_INVALID: the line is too long and was passed over. GM_E_END: no more. */
gm_rc gm_line_next(struct gm_line_reader *reader, struct gm_str *out_line, struct gm_err *err)
    GM_MUST_CHECK;

/* ---- import_seen.c: ids that came before ---- */

/* A set of 64-bit hashes: with GM_IMPORT_SEEN_MAX of them the chance that two ids of a file share
 * one is below one in a million, and then a line is reported that was none, which can be seen and
 * mended. */
struct gm_import_seen {
    uint64_t *slots; /* 0: empty */
    size_t capacity; /* power of two */
    size_t count;
};
/* True: `hash` was there already. */
bool gm_import_seen_add(struct gm_import_seen *seen, uint64_t hash);
void gm_import_seen_deinit(struct gm_import_seen *seen);

/* ---- the import ---- */

struct gm_import_twin {
    struct gm_twin_put put;
    struct gm_err err;
    uint64_t line;
};
struct gm_import_link {
    struct gm_link_put put;
    struct gm_err err;
    uint64_t line;
};
struct gm_import_model {
    yyjson_mut_val *value;
    uint64_t line;
};

struct gm_import {
    const struct gm_import_store *store;
    const struct gm_import_options *options;
    const struct gm_models *models;
    struct gm_import_counts *counts;
    char *actor_z;
    enum gm_import_section section;
    struct gm_line_reader reader;
    struct gm_import_seen seen; /* of this section */
    struct gm_arena *arena;     /* of the batch */
    yyjson_mut_doc *doc;
    size_t batch_size; /* bytes of its lines */
    GM_VEC(struct gm_import_twin) twins;
    GM_VEC(struct gm_import_link) links;
    struct gm_arena *model_arena;
    yyjson_mut_doc *model_doc;
    GM_VEC(struct gm_import_model) interfaces;
    bool header_seen;
    struct gm_import_position reached; /* when the batch under way is committed */
};

/* gm_json_parse of one line: messages tell the column alone. */
gm_rc gm_import_parse(yyjson_mut_doc *doc, struct gm_str line, yyjson_mut_val **out_value,
                      struct gm_err *err) GM_MUST_CHECK;
/* Reports a line; counts it, too. */
void gm_import_report(const struct gm_import *import, uint64_t line, const char *text_z);
void gm_import_problem(struct gm_import *import, uint64_t line, const char *text_z);

/* import_models.c: a line of Models; and all that were read, into the store. */
void gm_import_read_model(struct gm_import *import, struct gm_str line);
gm_rc gm_import_apply_models(struct gm_import *import, struct gm_err *err) GM_MUST_CHECK;

/* import_twins.c: a line of Twins or Relationships into the batch; the batch into the store. */
void gm_import_read_twin(struct gm_import *import, struct gm_str line);
void gm_import_read_link(struct gm_import *import, struct gm_str line);
gm_rc gm_import_apply_batch(struct gm_import *import, struct gm_err *err) GM_MUST_CHECK;

#endif
