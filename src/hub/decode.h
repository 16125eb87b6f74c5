/* JSON bytes become events, as the configuration of a stream says where their parts are.
 *
 *     struct gm_decoder *decoder;
 *     GM_TRY(gm_decoder_new(&conf, &decoder, err));
 *     struct gm_decoded *decoded = gm_decoded_new(64 << 20);
 *     gm_decode(decoder, GM_FORM_LINES, text, decoded);
 *     if (decoded->wrong_count == 0) { … decoded->events … }
 *     gm_decoded_reset(decoded);
 *
 * A body is passed on as it came: the whole line, or the whole item of an array; of a CloudEvent
 * its data. Texts point into the input where they stand there as they are, else into the arena of
 * what was decoded: events live as long as both.
 *
 * Each value that is no event is named with its number, from 1, and the reason; the others are
 * events. What to do then is the caller's decision. A text that is no list of values at all (an
 * array that does not end) is one wrong value more, and nothing behind it is read.
 *
 * Values are checked to be JSON (RFC 8259, UTF-8, no more than GM_JSON_DEPTH_MAX deep), so appends
 * of them are `checked`.
 *
 * Thread rule: a decoder is read-only and shared; a gm_decoded has one owner. */
#ifndef GM_HUB_DECODE_H
#define GM_HUB_DECODE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/vec.h"
#include "flow/event.h"
#include "hub/stream_conf.h"

enum gm_form {
    GM_FORM_JSON,        /* an array of values, one value, or lines: seen from the text */
    GM_FORM_LINES,       /* NDJSON; empty lines are passed over */
    GM_FORM_CLOUD,       /* one CloudEvent in structured mode */
    GM_FORM_CLOUD_BATCH, /* an array of such */
};

enum { GM_DECODE_WRONG_MAX = 100 }; /* kept; the others are counted */

struct gm_wrong {
    size_t number; /* of the line, or of the item */
    struct gm_str reason;
};
struct gm_decoded {
    struct gm_arena *arena;
    GM_VEC(struct gm_event) events;
    GM_VEC(size_t) numbers; /* beside events: of the line, or of the item */
    GM_VEC(struct gm_wrong) wrong;
    size_t wrong_count;
    /* What is known of all from elsewhere, see gm_decode_one; NULL: nothing. Set by the caller. */
    const struct gm_event *known;
    struct gm_buf scratch_; /* private: the JSON reader's */
};
struct gm_decoded *gm_decoded_new(size_t texts_size_max);
void gm_decoded_free(struct gm_decoded *decoded);  /* NULL is fine */
void gm_decoded_reset(struct gm_decoded *decoded); /* also `known` */

struct gm_decoder;
/* `conf` is kept. GM_E_CONFIG: a path or a template in it is wrong. */
gm_rc gm_decoder_new(const struct gm_stream_conf *conf, struct gm_decoder **out_decoder,
                     struct gm_err *err) GM_MUST_CHECK;
void gm_decoder_free(struct gm_decoder *decoder); /* NULL is fine */

/* Adds to what is decoded already. Numbers go on where `first_number` says. */
void gm_decode(const struct gm_decoder *decoder, enum gm_form form, struct gm_str text,
               struct gm_decoded *decoded);
void gm_decode_lines(const struct gm_decoder *decoder, struct gm_str text, size_t first_number,
                     struct gm_decoded *decoded);
/* One value, with what is known of it from elsewhere (a CloudEvent in binary mode, a topic): where
 * the configuration names no path, or there is nothing at it. time 0 and n 0: not known. */
void gm_decode_one(const struct gm_decoder *decoder, struct gm_str text,
                   const struct gm_event *known, struct gm_decoded *decoded);
/* Events that another Gemel decoded: GM_E_INVALID when one could not have come of the above, but
 * for types. Then they may be appended as `checked`. `decoded` lends its memory and is reset. */
gm_rc gm_decoded_check(struct gm_decoded *decoded, const struct gm_event *events, size_t count,
                       struct gm_err *err) GM_MUST_CHECK;
/* Events that say nothing of who they are (no id, no sequence) get an id: `prefix_z`, "#", and the
 * number of the line or item: the same ones when the same is decoded again. GM_E_LIMIT: too
 * many. */
gm_rc gm_decoded_derive_ids(struct gm_decoded *decoded, const char *prefix_z, struct gm_err *err)
    GM_MUST_CHECK;
/* Members `"wrongCount":…,"wrong":[{"number":…,"reason":…},…]`, with a comma in front. */
void gm_decoded_write_wrong(const struct gm_decoded *decoded, struct gm_buf *out);
/* An event that was made here: false, with the reason, when types are declared and it is of none of
 * them. Its body is JSON. */
bool gm_decoder_allows(const struct gm_decoder *decoder, const struct gm_event *event,
                       struct gm_err *why);
/* `number` is said to be wrong. */
void gm_decoded_refuse(struct gm_decoded *decoded, size_t number, const char *fmt, ...)
    GM_PRINTF(3, 4);

#endif
