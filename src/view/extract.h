/* Values out of events' bodies. Internal to this folder. Thread rule: one owner. */
#ifndef GM_VIEW_EXTRACT_H
#define GM_VIEW_EXTRACT_H

#include "view/cells.h"
#include "json/json.h"

/* Bodies parsed one after the other, in memory that is used again. */
struct gm_body_reader;
struct gm_body_reader *gm_body_reader_new(void);
void gm_body_reader_free(struct gm_body_reader *reader); /* NULL is fine */
/* The root; NULL: it is no JSON. Lives until the next call. */
yyjson_val *gm_body_read(struct gm_body_reader *reader, struct gm_str body);

/* `value` NULL: nothing there */
struct gm_reading gm_reading_of(yyjson_val *value, gm_ns time);

#endif
