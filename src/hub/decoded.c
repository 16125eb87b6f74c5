/* What is done with events that were decoded. */
#include "hub/decode.h"
#include "json/json.h"

gm_rc gm_decoded_derive_ids(struct gm_decoded *decoded, const char *prefix_z, struct gm_err *err)
{
    for (size_t i = 0; i < decoded->events.n; i++) {
        struct gm_event *event = &decoded->events.at[i];
        if (event->id.n == 0 && event->sequence == 0) {
            event->id = gm_arena_format(decoded->arena, "%s#%zu", prefix_z, decoded->numbers.at[i]);
            if (event->id.p == NULL) {
                return gm_fail(err, GM_E_LIMIT, "there are too many events at once");
            }
        }
    }
    return GM_OK;
}

void gm_decoded_write_wrong(const struct gm_decoded *decoded, struct gm_buf *out)
{
    gm_buf_addf(out, ",\"wrongCount\":%zu,\"wrong\":[", decoded->wrong_count);
    for (size_t i = 0; i < decoded->wrong.n; i++) {
        gm_buf_addf(out, "%s{\"number\":%zu,\"reason\":", i > 0 ? "," : "",
                    decoded->wrong.at[i].number);
        gm_json_quote(out, decoded->wrong.at[i].reason);
        gm_buf_add_char(out, '}');
    }
    gm_buf_add_char(out, ']');
}
