/* CloudEvents 1.0 in structured and batch mode (https://github.com/cloudevents/spec): attributes
 * become the event's parts where the stream's configuration names no path of its own, `data` its
 * body. */
#include "base/mem.h"
#include "base/time.h"
#include "hub/inside.h"

static struct gm_str attribute(struct gm_decoded *decoded, const struct gm_value *value,
                               const char *name_z)
{
    yyjson_val *at = yyjson_obj_get(value->root, name_z);
    return yyjson_is_str(at) ? gm_value_keep(decoded, value, at) : (struct gm_str){NULL, 0};
}

/* What every CloudEvent has; NULL: it is all there. */
static const char *missing_attribute(const struct gm_value *value)
{
    static const char *const required[] = {"specversion", "id", "source", "type"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(required); i++) {
        if (yyjson_get_len(yyjson_obj_get(value->root, required[i])) == 0 ||
            !yyjson_is_str(yyjson_obj_get(value->root, required[i]))) {
            return required[i];
        }
    }
    return NULL;
}

/* The text of `data`, in the arena; binary data stays the JSON text it came as. n 0: too large. */
static struct gm_str data_text(struct gm_decoded *decoded, const struct gm_value *value)
{
    yyjson_alc memory = gm_json_memory(decoded->arena);
    size_t n = 0;
    yyjson_val *data = yyjson_obj_get(value->root, "data");
    data = data != NULL ? data : yyjson_obj_get(value->root, "data_base64");
    if (data == NULL) {
        return GM_STR("null");
    }
    const char *p = yyjson_val_write_opts(data, YYJSON_WRITE_NOFLAG, &memory, &n, NULL);
    return (struct gm_str){p, p != NULL ? n : 0};
}

void gm_decode_cloud(const struct gm_decoder *decoder, struct gm_str text, size_t number,
                     struct gm_decoded *decoded)
{
    struct gm_value value;
    struct gm_event known = {0};
    if (!gm_value_read(decoded, text, number, &value)) {
        return;
    }
    const char *missing_z = missing_attribute(&value);
    struct gm_str time = attribute(decoded, &value, "time");
    if (missing_z != NULL) {
        gm_decoded_refuse(decoded, number, "no CloudEvent: it has no `%s`", missing_z);
        return;
    }
    if (time.n > 0 && !gm_time_parse(time, &known.time)) {
        gm_decoded_refuse(decoded, number, "`time`: a time (RFC 3339) is wanted");
        return;
    }
    known.origin = attribute(decoded, &value, "source");
    known.id = attribute(decoded, &value, "id");
    known.type = attribute(decoded, &value, "type");
    known.key = attribute(decoded, &value, "partitionkey");
    if (known.key.n == 0) {
        known.key = attribute(decoded, &value, "subject");
    }
    struct gm_one one = {data_text(decoded, &value), number, &known};
    gm_decode_value(decoder, &one, decoded);
}
