/* JSON into events, in every form: what comes out is within its bounds, and its bodies are JSON. */
#include "hub/decode.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct gm_decoded *decoded)
{
    struct gm_arena *arena = gm_arena_new((size_t)64 << 20);
    for (size_t i = 0; i < decoded->events.n; i++) {
        const struct gm_event *event = &decoded->events.at[i];
        struct gm_err err = {0};
        yyjson_mut_val *value;
        GM_ASSERT(event->key.n > 0 && event->key.n <= GM_EVENT_TEXT_SIZE_MAX);
        GM_ASSERT(event->type.n <= GM_EVENT_TEXT_SIZE_MAX && event->id.n <= GM_EVENT_TEXT_SIZE_MAX);
        GM_ASSERT(gm_utf8_valid(event->key, NULL));
        gm_rc rc = gm_json_parse(gm_json_doc_new(arena), event->body, &value, &err);
        /* names that come twice are JSON all the same */
        GM_ASSERT(rc == GM_OK || strstr(err.text, "duplicate") != NULL);
        gm_arena_reset(arena);
    }
    gm_arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gm_stream_conf confs[] = {
        {.time_unit = GM_TIME_MILLIS},
        {.key = "m-{a.b}-{c}",
         .time = "t",
         .id = "id",
         .sequence = "n",
         .origin = "o",
         .type = "a.t"},
    };
    const enum gm_form forms[] = {GM_FORM_JSON, GM_FORM_LINES, GM_FORM_CLOUD, GM_FORM_CLOUD_BATCH};
    const struct gm_str text = {(const char *)data, size};
    for (size_t i = 0; i < 2 * GM_ARRAY_COUNT(forms); i++) {
        struct gm_decoder *decoder;
        struct gm_err err = {0};
        struct gm_decoded *decoded = gm_decoded_new((size_t)16 << 20);
        gm_rc rc = gm_decoder_new(&confs[i % 2], &decoder, &err);
        GM_ASSERT(rc == GM_OK);
        gm_decode(decoder, forms[i / 2], text, decoded);
        check(decoded);
        gm_decoded_free(decoded);
        gm_decoder_free(decoder);
    }
    return 0;
}
