/* What the files of this part share. Internal to this folder. */
#ifndef GM_HUB_INSIDE_H
#define GM_HUB_INSIDE_H

#include "flow/record.h"
#include "hub/decode.h"
#include "hub/event_type.h"
#include "json/json.h"

/* ---- decode.c ---- */

/* A value read into the scratch memory, until the next one is. */
struct gm_value {
    struct gm_str text; /* of the input */
    yyjson_doc *doc;
    yyjson_val *root;
};
/* False: it was refused. */
bool gm_value_read(struct gm_decoded *decoded, struct gm_str text, size_t number,
                   struct gm_value *out_value);
/* A string of the value that outlives the scratch memory: in the input, or in the arena. */
struct gm_str gm_value_keep(struct gm_decoded *decoded, const struct gm_value *value,
                            yyjson_val *string);
/* Adds the event of one value. */
struct gm_one {
    struct gm_str text;
    size_t number;
    const struct gm_event *known; /* NULL: nothing */
};
void gm_decode_value(const struct gm_decoder *decoder, const struct gm_one *one,
                     struct gm_decoded *decoded);

/* ---- split.c: items of a JSON array ---- */

/* Calls `fn` with the text of each item, with its number. False: the text is no array, or does not
 * end as one; *out_why says so. Items are not looked into beyond strings and brackets. */
bool gm_split_array(struct gm_str text, void (*fn)(void *ctx, struct gm_str item, size_t number),
                    void *ctx, const char **out_why_z);

/* ---- cloud.c ---- */
void gm_decode_cloud(const struct gm_decoder *decoder, struct gm_str text, size_t number,
                     struct gm_decoded *decoded);

#endif
