/* The column `times` of a twin: when its properties were written, and when their sources say that
 * they were true. Its form stands in graph.h. Not for other folders.
 *
 *     struct gm_times_entry entry = gm_times_get(times, GM_STR("drive/rpm"), row.updated);
 *     gm_times_write(&after, &buf);            // the column after a write
 *
 * Paths are "property", or "component/property". Thread rule: values, no shared state. */
#ifndef GM_TWIN_TIMES_H
#define GM_TWIN_TIMES_H

#include "dtdl/model.h"
#include "json/json.h"

struct gm_times_entry {
    gm_ns time;
    struct gm_str source; /* p NULL: none */
};
/* `times` is the parsed column, NULL: none. What it does not name was written at `updated`. */
struct gm_times_entry gm_times_get(const yyjson_mut_val *times, struct gm_str path, gm_ns updated);

/* What becomes of the column by one write. */
struct gm_times_after {
    const struct gm_model *model;
    yyjson_mut_val *body;   /* as it is after the write */
    yyjson_mut_val *before; /* the column, parsed; NULL: none */
    gm_ns updated;          /* of the row before */
    gm_ns now;
    /* Whether the property was written. NULL: all were. */
    bool (*touched)(const void *ctx, struct gm_str path);
    const void *ctx;
    /* path → a source time, or null for none any more; NULL: nothing was said. A property that was
     * written without one loses the one it had. */
    yyjson_mut_val *sources;
};
/* Appends the column's text; nothing: it is null. */
void gm_times_write(const struct gm_times_after *after, struct gm_buf *out);

/* Whether the column's text holds any source time. */
bool gm_times_have_source(struct gm_str times);

/* Appends to the JSON Patch `patch` what turns the $metadata of a change log's document from
 * source times of `before` to those of `after` (columns, parsed; NULL: none). `body` is the one
 * after. False: no room. */
struct gm_times_patch {
    yyjson_mut_doc *doc;
    yyjson_mut_val *patch;
    yyjson_mut_val *body;
    yyjson_mut_val *before, *after;
};
bool gm_times_add_patch(const struct gm_times_patch *work) GM_MUST_CHECK;
/* Puts the column's source times into the $metadata of `document`, which is there, and into those
 * of its components, which are made. False: no room. */
bool gm_times_add_metadata(yyjson_mut_doc *doc, yyjson_mut_val *document,
                           const yyjson_mut_val *times) GM_MUST_CHECK;

/* Takes the source times out of `metadata` ({"NAME":{"sourceTime":…}}) into `sources`, under paths
 * that begin with `component` (n 0: none). GM_E_INVALID: one is no date and time. */
struct gm_times_source {
    yyjson_mut_doc *doc;
    yyjson_mut_val *sources; /* made when there is a first one */
};
gm_rc gm_times_take_sources(struct gm_times_source *out, struct gm_str component,
                            yyjson_mut_val *metadata, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_times_check_source(struct gm_str name, const yyjson_mut_val *value, struct gm_err *err)
    GM_MUST_CHECK;

#endif
