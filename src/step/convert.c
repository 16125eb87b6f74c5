/* Cells to values of primitive schemas: strict, and independent of locale. */
#include "step/convert.h"

#include <float.h>
#include <stdio.h>

#include "base/num.h"

/* How much of a value a message shows. */
enum { SHOWN_SIZE = 60, EXPECTED_SIZE = 200 };

/* Doubles hold every integer up to here. */
#define EXACT_MAX INT64_C(9007199254740992)

/* ---- messages ---- */

/* `text`, shortened at a character's boundary, unprintable bytes as '?'. */
static void show_text(struct gm_str text, char out[SHOWN_SIZE + 8])
{
    size_t n = text.n < SHOWN_SIZE ? text.n : SHOWN_SIZE;
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xC0) == 0x80) {
        n--;
    }
    bool valid = gm_utf8_valid((struct gm_str){text.p, n}, NULL);
    out[0] = '`';
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        out[1 + i] = c < ' ' || c == 0x7F || (c >= 0x80 && !valid) ? '?' : (char)c;
    }
    const char *end_z = n < text.n ? "…`" : "`";
    memcpy(out + 1 + n, end_z, strlen(end_z) + 1);
}

gm_rc gm_convert_fail(const char *expected_z, const struct gm_cell *cell, struct gm_err *err)
{
    char shown[SHOWN_SIZE + 8] = "null";
    char number[GM_NUM_TEXT_SIZE];
    switch (cell->type) {
    case GM_CELL_NULL:
        break;
    case GM_CELL_BOOL:
        show_text(cell->as.b ? GM_STR("true") : GM_STR("false"), shown);
        break;
    case GM_CELL_INT:
        show_text((struct gm_str){number, gm_format_i64(cell->as.i, number)}, shown);
        break;
    case GM_CELL_DOUBLE:
        if (cell->as.d - cell->as.d == 0) {
            show_text((struct gm_str){number, gm_format_double(cell->as.d, number)}, shown);
        } else {
            show_text(GM_STR("a number that is not finite"), shown);
        }
        break;
    case GM_CELL_TEXT:
        show_text(cell->as.s, shown);
        break;
    case GM_CELL_BYTES:
        (void)snprintf(shown, sizeof(shown), "%zu bytes", cell->as.s.n);
        break;
    case GM_CELL_JSON:
        (void)snprintf(shown, sizeof(shown), "an %s",
                       yyjson_mut_is_arr(cell->as.json) ? "array" : "object");
        break;
    }
    return gm_fail(err, GM_E_INVALID, "expected %s, found %s", expected_z, shown);
}

static gm_rc fail(const struct gm_schema *schema, const struct gm_cell *cell, struct gm_err *err)
{
    char expected[EXPECTED_SIZE];
    (void)snprintf(expected, sizeof(expected), GM_STR_FMT, GM_STR_ARG(schema->name));
    return gm_convert_fail(expected, cell, err);
}

gm_rc gm_convert_fail_full(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "the batch holds more than %d MB", GM_BATCH_SIZE_LIMIT >> 20);
}

/* Every builder ends here: NULL is the arena's limit. */
static gm_rc give(yyjson_mut_val *value, yyjson_mut_val **out_value, struct gm_err *err)
{
    if (value == NULL) {
        return gm_convert_fail_full(err);
    }
    *out_value = value;
    return GM_OK;
}

/* ---- text ---- */

gm_rc gm_convert_check_text(struct gm_str text, struct gm_err *err)
{
    size_t bad_at;
    if (text.n == 0) {
        return GM_OK;
    }
    if (!gm_utf8_valid(text, &bad_at)) {
        return gm_fail(err, GM_E_INVALID, "byte %zu (0x%02x) is not UTF-8", bad_at + 1,
                       (unsigned)(unsigned char)text.p[bad_at]);
    }
    const char *nul = memchr(text.p, '\0', text.n);
    if (nul != NULL) {
        return gm_fail(err, GM_E_INVALID, "byte %zu is NUL, which text must not hold",
                       (size_t)(nul - text.p) + 1);
    }
    return GM_OK;
}

static gm_rc to_string(const struct gm_convert *to, const struct gm_cell *cell,
                       yyjson_mut_val **out_value, struct gm_err *err)
{
    if (cell->type == GM_CELL_JSON) {
        return gm_convert_fail("string", cell, err);
    }
    struct gm_str text = gm_cell_text(to->arena, cell);
    if (text.p == NULL) {
        return gm_convert_fail_full(err);
    }
    if (cell->type == GM_CELL_TEXT) {
        GM_TRY(gm_convert_check_text(text, err));
    }
    return give(gm_json_strref(to->doc, text), out_value, err);
}

/* ---- numbers and truth values ---- */

static gm_rc to_bool(const struct gm_convert *to, const struct gm_cell *cell,
                     yyjson_mut_val **out_value, struct gm_err *err)
{
    bool b = false;
    bool fits = false;
    if (cell->type == GM_CELL_BOOL) {
        b = cell->as.b;
        fits = true;
    } else if (cell->type == GM_CELL_INT) {
        b = cell->as.i == 1;
        fits = b || cell->as.i == 0;
    } else if (cell->type == GM_CELL_TEXT) {
        fits = gm_parse_bool(cell->as.s, &b);
    }
    return fits ? give(yyjson_mut_bool(to->doc, b), out_value, err)
                : gm_convert_fail("boolean", cell, err);
}

static bool whole_of(double d, int64_t *out_i)
{
    if (!(d >= (double)-EXACT_MAX && d <= (double)EXACT_MAX) || (double)(int64_t)d != d) {
        return false;
    }
    *out_i = (int64_t)d;
    return true;
}

bool gm_convert_integer_of(const struct gm_cell *cell, int64_t *out_i)
{
    double d;
    switch (cell->type) {
    case GM_CELL_INT:
        *out_i = cell->as.i;
        return true;
    case GM_CELL_DOUBLE:
        return whole_of(cell->as.d, out_i);
    case GM_CELL_TEXT:
        return gm_parse_i64(cell->as.s, out_i) ||
               (gm_parse_double(cell->as.s, &d) && whole_of(d, out_i));
    default:
        return false;
    }
}

/* What is not negative is unsigned, as a parser would make it: equal values have equal
 * representations. */
yyjson_mut_val *gm_convert_integer(const struct gm_convert *to, int64_t i)
{
    return i >= 0 ? yyjson_mut_uint(to->doc, (uint64_t)i) : yyjson_mut_sint(to->doc, i);
}

static gm_rc to_integer(const struct gm_convert *to, const struct gm_schema *schema,
                        const struct gm_cell *cell, yyjson_mut_val **out_value, struct gm_err *err)
{
    int64_t i;
    if (!gm_convert_integer_of(cell, &i)) {
        return fail(schema, cell, err);
    }
    if (schema->type == GM_SCHEMA_INTEGER && (i < INT32_MIN || i > INT32_MAX)) {
        return gm_convert_fail("integer of 32 bits (the model's type; long has 64)", cell, err);
    }
    return give(gm_convert_integer(to, i), out_value, err);
}

static gm_rc to_double(const struct gm_convert *to, const struct gm_schema *schema,
                       const struct gm_cell *cell, yyjson_mut_val **out_value, struct gm_err *err)
{
    double d = 0;
    bool fits = false;
    if (cell->type == GM_CELL_DOUBLE) {
        d = cell->as.d;
        fits = d - d == 0;
    } else if (cell->type == GM_CELL_INT) {
        d = (double)cell->as.i;
        if (cell->as.i > EXACT_MAX || cell->as.i < -EXACT_MAX) {
            return gm_convert_fail("a number that a double holds exactly", cell, err);
        }
        fits = true;
    } else if (cell->type == GM_CELL_TEXT) {
        fits = gm_parse_double(cell->as.s, &d);
    }
    if (!fits ||
        (schema->type == GM_SCHEMA_FLOAT && (d > (double)FLT_MAX || d < -(double)FLT_MAX))) {
        return fail(schema, cell, err);
    }
    return give(yyjson_mut_real(to->doc, d), out_value, err);
}

/* ---- dates and times ---- */

/* The forms of databases in the form of RFC 3339: a 'T' between date and time, and an offset with a
 * colon; UTC when there is none. `text` is valid. p NULL at the arena's limit. */
static struct gm_str rfc3339(struct gm_arena *arena, struct gm_str text)
{
    enum { DATE_SIZE = 10, SECONDS_SIZE = 19, LONGEST_ADDED = 10 };
    if (text.n == DATE_SIZE) {
        return gm_arena_format(arena, GM_STR_FMT "T00:00:00Z", GM_STR_ARG(text));
    }
    size_t offset_at = SECONDS_SIZE;
    while (offset_at < text.n &&
           (text.p[offset_at] == '.' || (text.p[offset_at] >= '0' && text.p[offset_at] <= '9'))) {
        offset_at++;
    }
    struct gm_str offset = {text.p + offset_at, text.n - offset_at};
    bool zulu = offset.n == 1;
    if (text.p[DATE_SIZE] == 'T' && (zulu || offset.n == 6)) {
        return text;
    }
    char *out = gm_arena_alloc(arena, text.n + LONGEST_ADDED);
    if (out == NULL) {
        return (struct gm_str){NULL, 0};
    }
    memcpy(out, text.p, offset_at);
    out[DATE_SIZE] = 'T';
    if (offset.n == 0 || zulu) {
        out[offset_at] = 'Z';
        return (struct gm_str){out, offset_at + 1};
    }
    /* +hh, +hhmm or +hh:mm */
    memcpy(out + offset_at, offset.p, 3);
    memcpy(out + offset_at + 3, ":00", 3);
    if (offset.n > 3) {
        memcpy(out + offset_at + 4, offset.p + offset.n - 2, 2);
    }
    return (struct gm_str){out, offset_at + 6};
}

/* A time of day without an offset is UTC, like a timestamp. `text` is valid. p NULL at the arena's
 * limit. */
static struct gm_str with_offset(struct gm_arena *arena, struct gm_str text)
{
    enum { SECONDS_SIZE = 8, OFFSET_SIZE = 6 };
    bool zulu = text.p[text.n - 1] == 'Z';
    if (zulu || (text.n >= SECONDS_SIZE + OFFSET_SIZE && text.p[text.n - 3] == ':' &&
                 (text.p[text.n - OFFSET_SIZE] == '+' || text.p[text.n - OFFSET_SIZE] == '-'))) {
        return text;
    }
    return gm_arena_format(arena, GM_STR_FMT "Z", GM_STR_ARG(text));
}

/* A database's timestamp is a date when its time is midnight and it has no offset. */
static struct gm_str date_of(struct gm_str text)
{
    enum { DATE_SIZE = 10 };
    if (text.n <= DATE_SIZE || !gm_datetime_valid(text)) {
        return text;
    }
    struct gm_str rest = {text.p + DATE_SIZE + 1, text.n - DATE_SIZE - 1};
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] != '0' && rest.p[i] != ':' && rest.p[i] != '.') {
            return text;
        }
    }
    return (struct gm_str){text.p, DATE_SIZE};
}

/* The text in the form of the schema, where its form is another; what is no time stays as it is. */
static struct gm_str time_form(struct gm_arena *arena, const struct gm_schema *schema,
                               struct gm_str text)
{
    switch (schema->type) {
    case GM_SCHEMA_DATE:
        return date_of(text);
    case GM_SCHEMA_DATETIME:
        return gm_datetime_valid(text) ? rfc3339(arena, text) : text;
    case GM_SCHEMA_TIME:
        return gm_clock_time_valid(text) ? with_offset(arena, text) : text;
    default:
        return text;
    }
}

static gm_rc to_time(const struct gm_convert *to, const struct gm_schema *schema,
                     const struct gm_cell *cell, yyjson_mut_val **out_value, struct gm_err *err)
{
    if (cell->type != GM_CELL_TEXT || cell->as.s.n == 0) {
        return fail(schema, cell, err);
    }
    struct gm_str text = time_form(to->arena, schema, cell->as.s);
    yyjson_mut_val *value = text.p != NULL ? gm_json_strref(to->doc, text) : NULL;
    if (value != NULL && gm_schema_check(schema, value, NULL) != GM_OK) {
        return fail(schema, cell, err);
    }
    return give(value, out_value, err);
}

/* ---- enums ---- */

static gm_rc fail_enum(const struct gm_schema *schema, const struct gm_cell *cell,
                       struct gm_err *err)
{
    char expected[EXPECTED_SIZE] = "one of";
    size_t n = strlen(expected);
    for (size_t i = 0; i < schema->enum_count; i++) {
        char value[SHOWN_SIZE + 8];
        char number[GM_NUM_TEXT_SIZE];
        show_text(schema->enum_of_strings
                      ? schema->enum_strings[i]
                      : (struct gm_str){number, gm_format_i64(schema->enum_integers[i], number)},
                  value);
        if (n + strlen(value) + 8 > sizeof(expected)) {
            (void)snprintf(expected + n, sizeof(expected) - n, ", …");
            break;
        }
        n += (size_t)snprintf(expected + n, sizeof(expected) - n, "%s %s", i > 0 ? "," : "", value);
    }
    return gm_convert_fail(expected, cell, err);
}

static gm_rc to_enum(const struct gm_convert *to, const struct gm_schema *schema,
                     const struct gm_cell *cell, yyjson_mut_val **out_value, struct gm_err *err)
{
    int64_t number;
    if (!schema->enum_of_strings) {
        bool whole = gm_convert_integer_of(cell, &number);
        for (size_t i = 0; whole && i < schema->enum_count; i++) {
            if (schema->enum_integers[i] == number) {
                return give(gm_convert_integer(to, number), out_value, err);
            }
        }
        return fail_enum(schema, cell, err);
    }
    if (cell->type == GM_CELL_JSON || cell->type == GM_CELL_BYTES) {
        return fail_enum(schema, cell, err);
    }
    struct gm_str text = gm_cell_text(to->arena, cell);
    for (size_t i = 0; text.p != NULL && i < schema->enum_count; i++) {
        if (gm_str_eq(schema->enum_strings[i], text)) {
            return give(gm_json_strref(to->doc, text), out_value, err);
        }
    }
    return text.p != NULL ? fail_enum(schema, cell, err) : gm_convert_fail_full(err);
}

/* ---- all ---- */

static gm_rc as_it_is(const struct gm_convert *to, const struct gm_cell *cell,
                      yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *value = NULL;
    switch (cell->type) {
    case GM_CELL_DOUBLE:
        if (cell->as.d - cell->as.d != 0) {
            return gm_convert_fail("a finite number", cell, err);
        }
        value = yyjson_mut_real(to->doc, cell->as.d);
        break;
    case GM_CELL_JSON:
        value = gm_json_copy(to->doc, cell->as.json); /* a value stands in one container only */
        if (value != NULL) {
            gm_json_sort(to->doc, value);
        }
        break;
    case GM_CELL_TEXT:
    case GM_CELL_BYTES:
        return to_string(to, cell, out_value, err);
    default:
        value = gm_cell_json(to->doc, to->arena, cell);
        break;
    }
    return give(value, out_value, err);
}

gm_rc gm_convert_cell(const struct gm_convert *to, const struct gm_schema *schema,
                      const struct gm_cell *cell, yyjson_mut_val **out_value, struct gm_err *err)
{
    if (schema == NULL) {
        return as_it_is(to, cell, out_value, err);
    }
    switch (schema->type) {
    case GM_SCHEMA_BOOLEAN:
        return to_bool(to, cell, out_value, err);
    case GM_SCHEMA_INTEGER:
    case GM_SCHEMA_LONG:
        return to_integer(to, schema, cell, out_value, err);
    case GM_SCHEMA_FLOAT:
    case GM_SCHEMA_DOUBLE:
        return to_double(to, schema, cell, out_value, err);
    case GM_SCHEMA_STRING:
        return to_string(to, cell, out_value, err);
    case GM_SCHEMA_DATE:
    case GM_SCHEMA_DATETIME:
    case GM_SCHEMA_TIME:
    case GM_SCHEMA_DURATION:
        return to_time(to, schema, cell, out_value, err);
    case GM_SCHEMA_ENUM:
        return to_enum(to, schema, cell, out_value, err);
    case GM_SCHEMA_GEO:
    case GM_SCHEMA_OBJECT:
    case GM_SCHEMA_MAP:
    case GM_SCHEMA_ARRAY:
        return gm_convert_structure(to, schema, cell, out_value, err);
    }
    return gm_fail(err, GM_E_INVALID, "type `" GM_STR_FMT "` is not known here",
                   GM_STR_ARG(schema->name));
}

#define PRIMITIVE(kind, text)                                                                      \
    {                                                                                              \
        .type = (kind), .name = { text, sizeof(text) - 1 }                                         \
    }

static const struct gm_schema primitives[] = {
    PRIMITIVE(GM_SCHEMA_BOOLEAN, "boolean"), PRIMITIVE(GM_SCHEMA_INTEGER, "integer"),
    PRIMITIVE(GM_SCHEMA_LONG, "long"),       PRIMITIVE(GM_SCHEMA_FLOAT, "float"),
    PRIMITIVE(GM_SCHEMA_DOUBLE, "double"),   PRIMITIVE(GM_SCHEMA_STRING, "string"),
    PRIMITIVE(GM_SCHEMA_DATE, "date"),       PRIMITIVE(GM_SCHEMA_DATETIME, "dateTime"),
    PRIMITIVE(GM_SCHEMA_TIME, "time"),       PRIMITIVE(GM_SCHEMA_DURATION, "duration"),
};

const struct gm_schema *gm_convert_primitive(struct gm_str name)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(primitives); i++) {
        if (gm_str_eq(primitives[i].name, name)) {
            return &primitives[i];
        }
    }
    return NULL;
}

void gm_convert_nearest_primitive(struct gm_nearest *nearest)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(primitives); i++) {
        gm_nearest_try(nearest, primitives[i].name);
    }
}
