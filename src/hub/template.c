#include "hub/template.h"

gm_rc gm_hub_template_parse(struct gm_arena *arena, const char *name_z, const char *text_z,
                            struct gm_pattern *out_template, struct gm_err *err)
{
    if (text_z == NULL || gm_pattern_parse(arena, gm_str_z(text_z), out_template, err) == GM_OK) {
        return GM_OK;
    }
    return gm_fail_within(err, "`%s`", name_z);
}

struct gm_str gm_scalar_text(yyjson_val *value, char digits[GM_NUM_TEXT_SIZE])
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_STR:
        return (struct gm_str){yyjson_get_str(value), yyjson_get_len(value)};
    case YYJSON_TYPE_NUM:
        if (yyjson_is_real(value)) {
            return (struct gm_str){digits, gm_format_double(yyjson_get_real(value), digits)};
        }
        return (struct gm_str){digits, yyjson_is_sint(value)
                                           ? gm_format_i64(yyjson_get_sint(value), digits)
                                           : gm_format_u64(yyjson_get_uint(value), digits)};
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(value) ? GM_STR("true") : GM_STR("false");
    case YYJSON_TYPE_ARR:
    case YYJSON_TYPE_OBJ:
        return (struct gm_str){NULL, 1};
    default: /* null, or nothing */
        return (struct gm_str){NULL, 0};
    }
}
