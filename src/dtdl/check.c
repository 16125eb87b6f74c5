/* Values against schemas. Scalars of twins pass through here at the rate of the pipelines: the good
 * case allocates nothing and formats nothing. */
#include "dtdl/check.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/num.h"
#include "dtdl/temporal.h"

/* ---- messages ---- */

enum { SHOWN_SIZE = 96, SHOWN_STRING_MAX = 48 };

/* A value as a message shows it: short, on one line. */
static const char *shown_z(const yyjson_mut_val *value, char out[SHOWN_SIZE])
{
    char number[GM_NUM_TEXT_SIZE];
    size_t n;
    switch (gm_json_type(value)) {
    case YYJSON_TYPE_NULL:
        return "null";
    case YYJSON_TYPE_BOOL:
        return (value->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_TRUE ? "true" : "false";
    case YYJSON_TYPE_ARR:
        return "an array";
    case YYJSON_TYPE_OBJ:
        return "an object";
    case YYJSON_TYPE_NUM:
        if ((value->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_UINT) {
            (void)snprintf(out, SHOWN_SIZE, "%llu", (unsigned long long)value->uni.u64);
            return out;
        }
        if ((value->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_SINT) {
            (void)snprintf(out, SHOWN_SIZE, "%lld", (long long)value->uni.i64);
            return out;
        }
        if (!isfinite(value->uni.f64)) {
            return "a number that is not finite";
        }
        n = gm_format_double(value->uni.f64, number);
        (void)snprintf(out, SHOWN_SIZE, "%.*s", (int)n, number);
        return out;
    case YYJSON_TYPE_STR:
        break;
    default:
        return "nothing";
    }
    struct gm_str s = gm_json_str(value);
    bool cut = s.n > SHOWN_STRING_MAX;
    n = cut ? SHOWN_STRING_MAX : s.n;
    while (cut && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) {
        n--; /* not in the middle of a character */
    }
    char text[SHOWN_STRING_MAX + 1];
    for (size_t i = 0; i < n; i++) {
        text[i] = (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F ? ' ' : s.p[i];
    }
    (void)snprintf(out, SHOWN_SIZE, "\"%.*s%s\"", (int)n, text, cut ? "…" : "");
    return out;
}

static gm_rc fail_type(const struct gm_schema *schema, const yyjson_mut_val *value,
                       const char *more_z, struct gm_err *err)
{
    char shown[SHOWN_SIZE];
    struct gm_str name = schema->type == GM_SCHEMA_GEO ? schema->geo_type : schema->name;
    return gm_fail(err, GM_E_INVALID, "expected " GM_STR_FMT "%s, found %s", GM_STR_ARG(name),
                   more_z, shown_z(value, shown));
}

/* ---- numbers ---- */

static uint8_t tag_of(const yyjson_mut_val *value)
{
    return (uint8_t)(value->tag & YYJSON_TAG_MASK);
}

enum {
    TAG_UINT = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_UINT,
    TAG_SINT = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_SINT,
    TAG_REAL = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL,
};

/* An integer that `max` as its largest and -max-1 as its smallest value bound. */
static bool fits_integer(const yyjson_mut_val *value, int64_t max)
{
    switch (tag_of(value)) {
    case TAG_UINT:
        return value->uni.u64 <= (uint64_t)max;
    case TAG_SINT:
        return value->uni.i64 <= max && value->uni.i64 >= -max - 1;
    default:
        return false;
    }
}

/* Any number whose size a float (rounded) or a double can hold. Integers of 64 bits always fit. */
static bool fits_real(const yyjson_mut_val *value, bool single)
{
    switch (tag_of(value)) {
    case TAG_UINT:
    case TAG_SINT:
        return true;
    case TAG_REAL:
        return single ? isfinite((float)value->uni.f64) : isfinite(value->uni.f64);
    default:
        return false;
    }
}

/* ---- enums ---- */

static bool in_strings(const struct gm_schema *schema, struct gm_str s)
{
    size_t low = 0;
    size_t high = schema->enum_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(schema->enum_strings[middle], s);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static bool in_integers(const struct gm_schema *schema, int64_t v)
{
    size_t low = 0;
    size_t high = schema->enum_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (schema->enum_integers[middle] == v) {
            return true;
        }
        if (schema->enum_integers[middle] < v) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

/* Names the first few values an enum has. */
static gm_rc fail_enum(const struct gm_schema *schema, const yyjson_mut_val *value,
                       struct gm_err *err)
{
    enum { NAMED_MAX = 8 };
    char list[256];
    size_t n = 0;
    for (size_t i = 0; i < schema->enum_count && i < NAMED_MAX && n < sizeof(list); i++) {
        const char *comma_z = i > 0 ? ", " : "";
        int written = schema->enum_of_strings
                          ? snprintf(list + n, sizeof(list) - n, "%s\"" GM_STR_FMT "\"", comma_z,
                                     GM_STR_ARG(schema->enum_strings[i]))
                          : snprintf(list + n, sizeof(list) - n, "%s%lld", comma_z,
                                     (long long)schema->enum_integers[i]);
        n += written > 0 ? (size_t)written : 0;
    }
    bool all = schema->enum_count <= NAMED_MAX && n < sizeof(list);
    char shown[SHOWN_SIZE];
    if (schema->enum_count == 0) {
        return gm_fail(err, GM_E_INVALID, "expected a value of an Enum that has none, found %s",
                       shown_z(value, shown));
    }
    return gm_fail(err, GM_E_INVALID, "expected one of %s%s, found %s", list, all ? "" : ", …",
                   shown_z(value, shown));
}

static bool fits_enum(const struct gm_schema *schema, const yyjson_mut_val *value)
{
    if (schema->enum_of_strings) {
        struct gm_str s = gm_json_str(value);
        return s.p != NULL && in_strings(schema, s);
    }
    return fits_integer(value, INT32_MAX) && in_integers(schema, value->uni.i64);
}

/* ---- containers: their nesting is that of schemas, which is bounded ---- */

static const struct gm_schema_field *find_field(const struct gm_schema *schema, struct gm_str name)
{
    size_t low = 0;
    size_t high = schema->field_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(schema->fields[middle].name, name);
        if (order == 0) {
            return &schema->fields[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static gm_rc fail_field(const struct gm_schema *schema, struct gm_str name, struct gm_err *err)
{
    struct gm_str nearest = {NULL, 0};
    size_t best = name.n > 5 ? 4 : 3;
    for (size_t i = 0; i < schema->field_count && best > 1; i++) {
        size_t distance = gm_str_distance(name, schema->fields[i].name, best - 1);
        if (distance < best) {
            best = distance;
            nearest = schema->fields[i].name;
        }
    }
    if (nearest.p == NULL) {
        return gm_fail(err, GM_E_INVALID, "there is no field \"" GM_STR_FMT "\"", GM_STR_ARG(name));
    }
    return gm_fail(err, GM_E_INVALID,
                   "there is no field \"" GM_STR_FMT "\"; did you mean \"" GM_STR_FMT "\"?",
                   GM_STR_ARG(name), GM_STR_ARG(nearest));
}

static gm_rc check_object(const struct gm_schema *schema, const yyjson_mut_val *value,
                          struct gm_err *err)
{
    const yyjson_mut_val *name = gm_json_first(value);
    for (size_t i = gm_json_count(value); i > 0; i--, name = name->next->next) {
        struct gm_str key = gm_json_str(name);
        const struct gm_schema_field *field = find_field(schema, key);
        if (field == NULL) {
            return fail_field(schema, key, err);
        }
        gm_rc rc = gm_schema_check(field->schema, name->next, err);
        if (rc != GM_OK) {
            return gm_dtdl_within(err, rc, "field \"" GM_STR_FMT "\"", GM_STR_ARG(key));
        }
    }
    return GM_OK;
}

static gm_rc check_map(const struct gm_schema *schema, const yyjson_mut_val *value,
                       struct gm_err *err)
{
    const yyjson_mut_val *name = gm_json_first(value);
    for (size_t i = gm_json_count(value); i > 0; i--, name = name->next->next) {
        struct gm_str key = gm_json_str(name);
        if (key.n > GM_MAP_KEY_SIZE_MAX) {
            return gm_fail(err, GM_E_INVALID, "a key has %zu bytes; keys may have %d", key.n,
                           GM_MAP_KEY_SIZE_MAX);
        }
        gm_rc rc = gm_schema_check(schema->item, name->next, err);
        if (rc != GM_OK) {
            return gm_dtdl_within(err, rc, "key \"" GM_STR_FMT "\"", GM_STR_ARG(key));
        }
    }
    return GM_OK;
}

static gm_rc check_array(const struct gm_schema *schema, const yyjson_mut_val *value,
                         struct gm_err *err)
{
    const yyjson_mut_val *item = gm_json_first(value);
    size_t count = gm_json_count(value);
    for (size_t i = 0; i < count; i++, item = item->next) {
        gm_rc rc = gm_schema_check(schema->item, item, err);
        if (rc != GM_OK) {
            return gm_dtdl_within(err, rc, "element %zu", i);
        }
    }
    return GM_OK;
}

static gm_rc check_string(const struct gm_schema *schema, const yyjson_mut_val *value,
                          struct gm_err *err)
{
    struct gm_str s = gm_json_str(value);
    if (s.p == NULL) {
        return fail_type(schema, value, "", err);
    }
    if (s.n > GM_STRING_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "the string has %zu bytes; strings may have %d", s.n,
                       GM_STRING_SIZE_MAX);
    }
    return GM_OK;
}

/* ---- temporal strings ---- */

static gm_rc check_temporal(const struct gm_schema *schema, const yyjson_mut_val *value,
                            struct gm_err *err)
{
    struct gm_str s = gm_json_str(value);
    switch (schema->type) {
    case GM_SCHEMA_DATE:
        return gm_dtdl_date_valid(s) ? GM_OK
                                     : fail_type(schema, value, " such as \"2026-11-20\"", err);
    case GM_SCHEMA_DATETIME:
        return gm_dtdl_datetime_valid(s)
                   ? GM_OK
                   : fail_type(schema, value, " such as \"2026-11-20T17:09:55Z\"", err);
    case GM_SCHEMA_TIME:
        return gm_dtdl_time_valid(s) ? GM_OK
                                     : fail_type(schema, value, " such as \"17:09:55Z\"", err);
    default:
        return gm_dtdl_duration_valid(s) ? GM_OK
                                         : fail_type(schema, value, " such as \"PT1H30M\"", err);
    }
}

gm_rc gm_schema_check(const struct gm_schema *schema, const yyjson_mut_val *value,
                      struct gm_err *err)
{
    bool fits;
    switch (schema->type) {
    case GM_SCHEMA_BOOLEAN:
        fits = gm_json_type(value) == YYJSON_TYPE_BOOL;
        break;
    case GM_SCHEMA_INTEGER:
        fits = fits_integer(value, INT32_MAX);
        break;
    case GM_SCHEMA_LONG:
        fits = fits_integer(value, INT64_MAX);
        break;
    case GM_SCHEMA_FLOAT:
        fits = fits_real(value, true);
        break;
    case GM_SCHEMA_DOUBLE:
        fits = fits_real(value, false);
        break;
    case GM_SCHEMA_STRING:
        return check_string(schema, value, err);
    case GM_SCHEMA_DATE:
    case GM_SCHEMA_DATETIME:
    case GM_SCHEMA_TIME:
    case GM_SCHEMA_DURATION:
        return check_temporal(schema, value, err);
    case GM_SCHEMA_GEO:
        return gm_json_type(value) == YYJSON_TYPE_OBJ ? gm_dtdl_geo_check(schema, value, err)
                                                      : fail_type(schema, value, "", err);
    case GM_SCHEMA_ENUM:
        return fits_enum(schema, value) ? GM_OK : fail_enum(schema, value, err);
    case GM_SCHEMA_OBJECT:
        return gm_json_type(value) == YYJSON_TYPE_OBJ ? check_object(schema, value, err)
                                                      : fail_type(schema, value, "", err);
    case GM_SCHEMA_MAP:
        return gm_json_type(value) == YYJSON_TYPE_OBJ ? check_map(schema, value, err)
                                                      : fail_type(schema, value, "", err);
    default:
        return gm_json_type(value) == YYJSON_TYPE_ARR ? check_array(schema, value, err)
                                                      : fail_type(schema, value, "", err);
    }
    return fits ? GM_OK : fail_type(schema, value, "", err);
}
