/* Filters of event routes: any text is accepted or refused with a place, and what is accepted can
 * be matched against any event. */
#include <stdint.h>

#include "route/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match_events(struct gm_arena *arena, const struct gm_event_filter *filter)
{
    static const char body[] =
        "{\"temp\":20.5,\"count\":-3,\"big\":18446744073709551615,\"on\":true,"
        "\"label\":\"x\",\"none\":null,\"list\":[1],\"a\":{\"b\":{\"c\":1}},"
        "\"$metadata\":{\"$model\":\"dtmi:t:Room;1\"}}";
    struct gm_err err = {0};
    yyjson_mut_val *value;
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    if (doc == NULL || gm_json_parse(doc, gm_str_z(body), &value, &err) != GM_OK) {
        return; /* the filter has taken the memory */
    }
    for (int type = 0; type < GM_EVENT_TYPE_COUNT; type++) {
        struct gm_event event = {.type = (enum gm_event_type)type,
                                 .source = GM_STR("twins.example"),
                                 .subject = type % 2 == 0 ? GM_STR("a") : GM_STR(""),
                                 .data = type % 3 == 0 ? NULL : value};
        bool first = gm_event_filter_match(filter, &event);
        GM_ASSERT(first == gm_event_filter_match(filter, &event));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_arena *arena = gm_arena_new(64 << 20);
    struct gm_event_filter *filter = NULL;
    struct gm_err err = {0};
    gm_rc rc =
        gm_event_filter_parse(arena, (struct gm_str){(const char *)data, size}, &filter, &err);
    GM_ASSERT(rc == GM_OK ? filter != NULL : rc == GM_E_INVALID && err.text[0] != '\0');
    if (rc == GM_OK) {
        match_events(arena, filter);
    }
    gm_arena_free(arena);
    return 0;
}
