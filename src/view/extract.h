/* Values out of events' bodies, by path. Internal to this folder.
 *
 * A path is names joined by dots: "machine.temperature"; a name that has a dot itself cannot be
 * reached. Thread rule: one owner. */
#ifndef GM_VIEW_EXTRACT_H
#define GM_VIEW_EXTRACT_H

#include "view/cells.h"
#include "json/json.h"

enum { GM_BODY_PATH_DEPTH_MAX = 8 };

struct gm_body_path {
    struct gm_str names[GM_BODY_PATH_DEPTH_MAX];
    size_t depth;
};
struct gm_body_paths {
    struct gm_body_path at[GM_VIEW_VALUES_MAX + 1];
    size_t n;
};
/* False: too deep, or a name is empty. Names borrow from the text. */
bool gm_body_path_read(struct gm_str text, struct gm_body_path *out_path) GM_MUST_CHECK;

/* Bodies parsed one after the other, in memory that is used again. */
struct gm_body_reader;
struct gm_body_reader *gm_body_reader_new(void);
void gm_body_reader_free(struct gm_body_reader *reader); /* NULL is fine */
/* The root; NULL: it is no JSON. Lives until the next call. */
yyjson_val *gm_body_read(struct gm_body_reader *reader, struct gm_str body);

/* NULL: nothing there */
yyjson_val *gm_body_path_get(const struct gm_body_path *path, yyjson_val *root);
struct gm_reading gm_reading_of(yyjson_val *value, gm_ns time);

#endif
