/* GeoJSON geometries (RFC 7946): coordinates are positions in arrays, nested as the type says. */
#include <math.h>

#include "dtdl/check.h"

struct geometry {
    const char *type_z;
    size_t count_min; /* of positions in the innermost array */
    int depth;        /* of arrays around positions */
    bool closed;      /* the last position of the innermost array equals the first */
};

static const struct geometry geometries[] = {
    {"Point", 0, 0, false},           {"MultiPoint", 0, 1, false}, {"LineString", 2, 1, false},
    {"MultiLineString", 2, 2, false}, {"Polygon", 4, 2, true},     {"MultiPolygon", 4, 3, true},
};

static bool is_position(const yyjson_mut_val *value)
{
    size_t count = gm_json_count(value);
    if (gm_json_type(value) != YYJSON_TYPE_ARR || count < 2 || count > 3) {
        return false;
    }
    const yyjson_mut_val *number = gm_json_first(value);
    for (size_t i = 0; i < count; i++, number = number->next) {
        bool real = (number->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_REAL;
        if (gm_json_type(number) != YYJSON_TYPE_NUM || (real && !isfinite(number->uni.f64))) {
            return false;
        }
    }
    return true;
}

/* `depth` is at most 3. */
static gm_rc check_coordinates(const struct geometry *geometry, const yyjson_mut_val *value,
                               int depth, struct gm_err *err)
{
    if (depth == 0) {
        return is_position(value) ? GM_OK
                                  : gm_fail(err, GM_E_INVALID,
                                            "coordinates of a %s: expected a position such as "
                                            "[4.9, 52.4]",
                                            geometry->type_z);
    }
    if (gm_json_type(value) != YYJSON_TYPE_ARR) {
        return gm_fail(err, GM_E_INVALID, "coordinates of a %s: expected an array of %s",
                       geometry->type_z, depth == 1 ? "positions" : "arrays");
    }
    size_t count = gm_json_count(value);
    if (depth == 1 && count < geometry->count_min) {
        return gm_fail(err, GM_E_INVALID, "coordinates of a %s: %zu positions; it needs %zu",
                       geometry->type_z, count, geometry->count_min);
    }
    const yyjson_mut_val *item = gm_json_first(value);
    const yyjson_mut_val *last = NULL;
    for (size_t i = 0; i < count; i++, item = item->next) {
        GM_TRY(check_coordinates(geometry, item, depth - 1, err));
        last = item;
    }
    if (depth == 1 && geometry->closed && !gm_json_equal(gm_json_first(value), last)) {
        return gm_fail(err, GM_E_INVALID,
                       "coordinates of a %s: the last position of a ring must equal the first",
                       geometry->type_z);
    }
    return GM_OK;
}

static const struct geometry *find_geometry(struct gm_str type)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(geometries); i++) {
        if (gm_str_is(type, geometries[i].type_z)) {
            return &geometries[i];
        }
    }
    return NULL;
}

gm_rc gm_dtdl_geo_check(const struct gm_schema *schema, const yyjson_mut_val *object,
                        struct gm_err *err)
{
    const yyjson_mut_val *type = gm_json_member(object, GM_STR("type"));
    const yyjson_mut_val *coordinates = gm_json_member(object, GM_STR("coordinates"));
    if (type == NULL || coordinates == NULL || gm_json_count(object) != 2) {
        return gm_fail(err, GM_E_INVALID,
                       "expected " GM_STR_FMT " as {\"type\": …, \"coordinates\": …}",
                       GM_STR_ARG(schema->geo_type));
    }
    if (!gm_str_eq(gm_json_str(type), schema->geo_type)) {
        return gm_fail(err, GM_E_INVALID, "type: expected \"" GM_STR_FMT "\"",
                       GM_STR_ARG(schema->geo_type));
    }
    const struct geometry *geometry = find_geometry(schema->geo_type);
    GM_ASSERT(geometry != NULL);
    return check_coordinates(geometry, coordinates, geometry->depth, err);
}
