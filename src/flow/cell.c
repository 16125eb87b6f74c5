/* Cells: their text, their JSON, and keys made of them. */
#include "base/coding.h"
#include "base/num.h"
#include "flow/flow.h"

/* p NULL at the limit. */
static struct gm_str base64(struct gm_arena *arena, struct gm_str bytes)
{
    size_t n = GM_BASE64_SIZE(bytes.n);
    char *out = gm_arena_alloc(arena, n);
    if (out == NULL) {
        return (struct gm_str){NULL, 0};
    }
    gm_base64(bytes, out);
    return (struct gm_str){out, n};
}

/* Numbers that JSON and text forms lack are spelled as PostgreSQL spells them. */
static struct gm_str not_finite(double d)
{
    return d != d ? GM_STR("NaN") : d > 0 ? GM_STR("Infinity") : GM_STR("-Infinity");
}

static bool is_finite(double d)
{
    return d - d == 0;
}

static struct gm_str json_text(struct gm_arena *arena, yyjson_mut_val *value)
{
    struct gm_buf buf;
    gm_buf_init(&buf, GM_BATCH_SIZE_LIMIT);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    struct gm_str text = {NULL, 0};
    if (doc != NULL) {
        gm_json_canonical(doc, value, &buf);
        if (!gm_buf_failed(&buf)) {
            text = gm_arena_dup(arena, gm_buf_str(&buf));
        }
    }
    gm_buf_deinit(&buf);
    return text;
}

struct gm_str gm_cell_text(struct gm_arena *arena, const struct gm_cell *cell)
{
    char number[GM_NUM_TEXT_SIZE];
    switch (cell->type) {
    case GM_CELL_NULL:
        break;
    case GM_CELL_BOOL:
        return cell->as.b ? GM_STR("true") : GM_STR("false");
    case GM_CELL_INT:
        return gm_arena_dup(arena, (struct gm_str){number, gm_format_i64(cell->as.i, number)});
    case GM_CELL_DOUBLE:
        if (!is_finite(cell->as.d)) {
            return not_finite(cell->as.d);
        }
        return gm_arena_dup(arena, (struct gm_str){number, gm_format_double(cell->as.d, number)});
    case GM_CELL_TEXT:
        return cell->as.s.p != NULL ? cell->as.s : GM_STR("");
    case GM_CELL_BYTES:
        return base64(arena, cell->as.s);
    case GM_CELL_JSON:
        return json_text(arena, cell->as.json);
    }
    return (struct gm_str){NULL, 0};
}

/* Each byte that is not part of a well-formed sequence becomes U+FFFD (three bytes of UTF-8). */
static struct gm_str well_formed(struct gm_arena *arena, struct gm_str s)
{
    size_t bad_at = 0;
    if (gm_utf8_valid(s, &bad_at)) {
        return s;
    }
    size_t bad_count = 0;
    for (struct gm_str rest = s; !gm_utf8_valid(rest, &bad_at);
         rest = (struct gm_str){rest.p + bad_at + 1, rest.n - bad_at - 1}) {
        bad_count++;
    }
    char *out = gm_arena_alloc(arena, s.n + 2 * bad_count);
    if (out == NULL) {
        return (struct gm_str){NULL, 0};
    }
    char *p = out;
    struct gm_str rest = s;
    while (!gm_utf8_valid(rest, &bad_at)) {
        memcpy(p, rest.p, bad_at);
        memcpy(p + bad_at, "\xEF\xBF\xBD", 3);
        p += bad_at + 3;
        rest = (struct gm_str){rest.p + bad_at + 1, rest.n - bad_at - 1};
    }
    memcpy(p, rest.p, rest.n);
    return (struct gm_str){out, (size_t)(p - out) + rest.n};
}

yyjson_mut_val *gm_cell_json(yyjson_mut_doc *doc, struct gm_arena *arena,
                             const struct gm_cell *cell)
{
    struct gm_str text;
    switch (cell->type) {
    case GM_CELL_NULL:
        return yyjson_mut_null(doc);
    case GM_CELL_BOOL:
        return yyjson_mut_bool(doc, cell->as.b);
    case GM_CELL_INT:
        /* As a parser would make it: what is not negative is unsigned. */
        return cell->as.i >= 0 ? yyjson_mut_uint(doc, (uint64_t)cell->as.i)
                               : yyjson_mut_sint(doc, cell->as.i);
    case GM_CELL_DOUBLE:
        return is_finite(cell->as.d) ? yyjson_mut_real(doc, cell->as.d)
                                     : gm_json_strref(doc, not_finite(cell->as.d));
    case GM_CELL_TEXT:
        text = well_formed(arena, cell->as.s.p != NULL ? cell->as.s : GM_STR(""));
        return text.p != NULL ? gm_json_strref(doc, text) : NULL;
    case GM_CELL_BYTES:
        text = base64(arena, cell->as.s);
        return text.p != NULL ? gm_json_strref(doc, text) : NULL;
    case GM_CELL_JSON:
        return gm_json_copy(doc, cell->as.json); /* a value stands in one container only */
    }
    return NULL;
}

struct gm_cell gm_cell_of_json(yyjson_mut_val *value)
{
    struct gm_cell cell = {.type = GM_CELL_NULL};
    switch (yyjson_mut_get_type(value)) {
    case YYJSON_TYPE_BOOL:
        cell.type = GM_CELL_BOOL;
        cell.as.b = yyjson_mut_get_bool(value);
        break;
    case YYJSON_TYPE_NUM:
        if (yyjson_mut_is_sint(value) ||
            (yyjson_mut_is_uint(value) && yyjson_mut_get_uint(value) <= INT64_MAX)) {
            cell.type = GM_CELL_INT;
            cell.as.i = yyjson_mut_get_sint(value);
        } else {
            cell.type = GM_CELL_DOUBLE;
            cell.as.d = yyjson_mut_get_num(value);
        }
        break;
    case YYJSON_TYPE_STR:
        cell.type = GM_CELL_TEXT;
        cell.as.s = gm_json_str(value);
        break;
    case YYJSON_TYPE_ARR:
    case YYJSON_TYPE_OBJ:
        cell.type = GM_CELL_JSON;
        cell.as.json = value;
        break;
    default:
        break;
    }
    return cell;
}

yyjson_mut_val *gm_record_json(struct gm_batch *batch, const struct gm_record *record)
{
    if (record->body != NULL || record->cells == NULL) {
        return record->body != NULL ? record->body : yyjson_mut_obj(batch->doc);
    }
    yyjson_mut_val *object = yyjson_mut_obj(batch->doc);
    for (size_t i = 0; object != NULL && i < batch->shape->count; i++) {
        yyjson_mut_val *name = gm_json_strref(batch->doc, batch->shape->names[i]);
        yyjson_mut_val *value = gm_cell_json(batch->doc, batch->arena, &record->cells[i]);
        if (name == NULL || value == NULL || !yyjson_mut_obj_add(object, name, value)) {
            return NULL;
        }
    }
    return object;
}

struct gm_str gm_key_join(struct gm_arena *arena, const struct gm_str *parts, size_t count)
{
    if (count == 1) {
        return parts[0];
    }
    size_t size = 1;
    for (size_t i = 0; i < count; i++) {
        size += 2 * parts[i].n + 1;
    }
    char *out = gm_arena_alloc(arena, size);
    if (out == NULL) {
        return (struct gm_str){NULL, 0};
    }
    char *p = out;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            *p++ = '|';
        }
        for (size_t j = 0; j < parts[i].n; j++) {
            char c = parts[i].p[j];
            if (c == '|' || c == '\\') {
                *p++ = '\\';
            }
            *p++ = c;
        }
    }
    return (struct gm_str){out, (size_t)(p - out)};
}
