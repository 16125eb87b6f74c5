/* Creations in doubt. One that got no answer, because we were killed or the service was, looks
 * afterwards as if somebody else had made the twin. It is known for ours by its content, so what
 * each try sent is remembered until one is answered: in gm_object.next, the newest try with the
 * former ones as a member, an array, oldest first. */
#include "base/mem.h"
#include "connect/adt/sink.h"

static const struct gm_str tried_name = {"$tried", 6};
enum { TRIED_MAX = 16 };

yyjson_mut_val *adt_parse_own(const struct adt_thing *thing, struct gm_str text)
{
    yyjson_mut_val *value = NULL;
    struct gm_err err = {0};
    if (text.p != NULL && gm_json_parse(thing->sink->doc, text, &value, &err) != GM_OK) {
        gm_exchange_fail(thing->sink->exchange, err.rc == GM_E_LIMIT ? GM_E_LIMIT : GM_E_CORRUPT,
                         err.text);
    }
    (void)gm_json_remove(value, tried_name);
    return value;
}

static bool is_there(const struct adt_thing *thing, const yyjson_mut_val *value)
{
    return value != NULL && gm_json_equal(value, thing->there);
}

bool adt_is_ours(const struct adt_thing *thing)
{
    const struct gm_object *known = thing->known;
    if (is_there(thing, adt_parse_own(thing, thing->wanted))) {
        return true;
    }
    yyjson_mut_val *newest;
    struct gm_err ignored;
    if (known == NULL || known->body.p != NULL || known->next.p == NULL ||
        gm_json_parse(thing->sink->doc, known->next, &newest, &ignored) != GM_OK) {
        return false;
    }
    bool ours = false;
    size_t index, max;
    yyjson_mut_val *one;
    yyjson_mut_arr_foreach(gm_json_member(newest, tried_name), index, max, one)
    {
        ours = ours || is_there(thing, one);
    }
    (void)gm_json_remove(newest, tried_name);
    return ours || is_there(thing, newest);
}

struct gm_str adt_newest_try(const struct adt_thing *thing)
{
    struct adt_sink *sink = thing->sink;
    gm_buf_reset(&sink->text);
    gm_json_canonical(sink->doc, adt_parse_own(thing, thing->known->next), &sink->text);
    return gm_buf_str(&sink->text);
}

gm_rc adt_remember_tried(const struct adt_thing *thing, struct gm_str *out_next, struct gm_err *err)
{
    struct adt_sink *sink = thing->sink;
    yyjson_mut_val *next, *before;
    GM_TRY(gm_json_parse(sink->doc, thing->wanted, &next, err));
    GM_TRY(gm_json_parse(sink->doc, thing->known->next, &before, err));
    yyjson_mut_val *tried = gm_json_copy(sink->doc, gm_json_member(before, tried_name));
    (void)gm_json_remove(before, tried_name);
    tried = tried != NULL ? tried : yyjson_mut_arr(sink->doc);
    if (yyjson_mut_arr_size(tried) == TRIED_MAX) {
        (void)yyjson_mut_arr_remove_first(tried);
    }
    if (!yyjson_mut_arr_append(tried, before) || !gm_json_set(sink->doc, next, tried_name, tried)) {
        return adt_too_much(err);
    }
    gm_buf_reset(&sink->text);
    gm_json_canonical(sink->doc, next, &sink->text);
    *out_next = gm_buf_str(&sink->text);
    return GM_OK;
}
