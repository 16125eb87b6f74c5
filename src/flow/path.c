/* Paths into records and values: "UnitPrice", "address.city", "lines.0.sku",
 * "[[Order Details]].Qty". */
#include "base/num.h"
#include "flow/flow.h"

/* Takes the first segment off *rest. False: malformed. */
static bool take_segment(struct gm_str *rest, struct gm_str *out_segment)
{
    if (gm_str_starts(*rest, GM_STR("[["))) {
        for (size_t i = 2; i + 1 < rest->n; i++) {
            if (rest->p[i] == ']' && rest->p[i + 1] == ']') {
                *out_segment = (struct gm_str){rest->p + 2, i - 2};
                *rest = (struct gm_str){rest->p + i + 2, rest->n - i - 2};
                return out_segment->n > 0 && (rest->n == 0 || rest->p[0] == '.');
            }
        }
        return false;
    }
    size_t n = 0;
    while (n < rest->n && rest->p[n] != '.') {
        n++;
    }
    *out_segment = (struct gm_str){rest->p, n};
    *rest = (struct gm_str){rest->p + n, rest->n - n};
    return n > 0;
}

gm_rc gm_path_parse(struct gm_str text, struct gm_path *out_path, struct gm_err *err)
{
    struct gm_path path = {.text = text};
    struct gm_str rest = text;
    do {
        if (path.count == GM_PATH_SEGMENTS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "path `" GM_STR_FMT "`: more than %d segments",
                           GM_STR_ARG(text), GM_PATH_SEGMENTS_MAX);
        }
        if (!take_segment(&rest, &path.segments[path.count])) {
            return gm_fail(err, GM_E_CONFIG,
                           "path `" GM_STR_FMT "`: write names with '.' between them; a name that "
                           "contains dots goes into [[ ]]",
                           GM_STR_ARG(text));
        }
        path.count++;
        bool more = rest.n > 0;
        if (!more) {
            break;
        }
        rest = (struct gm_str){rest.p + 1, rest.n - 1};
    } while (true);
    *out_path = path;
    return GM_OK;
}

gm_rc gm_path_of(struct gm_arena *arena, const struct gm_str *segments, size_t count,
                 struct gm_path *out_path, struct gm_err *err)
{
    struct gm_path path = {.count = count};
    struct gm_buf text;
    if (count > GM_PATH_SEGMENTS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "a path of more than %d segments", GM_PATH_SEGMENTS_MAX);
    }
    gm_buf_init(&text, GM_RECORD_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        path.segments[i] = segments[i];
        gm_buf_add_z(&text, i > 0 ? "." : "");
        gm_buf_add(&text, segments[i]);
    }
    path.text = gm_arena_dup(arena, gm_buf_str(&text));
    bool fits = !gm_buf_failed(&text) && path.text.p != NULL;
    gm_buf_deinit(&text);
    if (!fits) {
        return gm_fail(err, GM_E_LIMIT, "no room for a path of this size");
    }
    *out_path = path;
    return GM_OK;
}

static size_t find_column(const struct gm_shape *shape, struct gm_str name)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (gm_str_eq(shape->names[i], name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* The name is compared again on every use: a shape may have come to lie where an older one died. */
static bool is_column_known(const struct gm_path *path, const struct gm_shape *shape)
{
    return path->shape == shape && path->column < shape->count &&
           gm_str_eq(shape->names[path->column], path->whole ? path->text : path->segments[0]);
}

static void look_up_column(struct gm_path *path, const struct gm_shape *shape)
{
    path->shape = shape;
    path->column = find_column(shape, path->text);
    path->whole = path->column != SIZE_MAX;
    if (!path->whole) {
        path->column = find_column(shape, path->segments[0]);
    }
}

/* The number of an item; false: it is none. */
static bool is_index(struct gm_str segment, size_t *out_index)
{
    int64_t index;
    for (size_t i = 0; i < segment.n; i++) {
        if (segment.p[i] < '0' || segment.p[i] > '9') {
            return false;
        }
    }
    if (!gm_parse_i64(segment, &index)) {
        return false;
    }
    *out_index = (size_t)index;
    return true;
}

yyjson_val *gm_path_item(yyjson_val *array, struct gm_str segment)
{
    size_t index;
    return is_index(segment, &index) ? yyjson_arr_get(array, index) : NULL;
}

/* A member by name, an item of an array by its number from 0. NULL: absent. */
static yyjson_mut_val *step_into(yyjson_mut_val *value, struct gm_str segment)
{
    size_t index;
    if (yyjson_mut_is_arr(value)) {
        return is_index(segment, &index) ? yyjson_mut_arr_get(value, index) : NULL;
    }
    return yyjson_mut_is_obj(value) ? gm_json_member(value, segment) : NULL;
}

static yyjson_mut_val *walk(const struct gm_path *path, size_t from, yyjson_mut_val *value)
{
    for (size_t i = from; value != NULL && i < path->count; i++) {
        value = step_into(value, path->segments[i]);
    }
    return value;
}

yyjson_mut_val *gm_path_in_mut(const struct gm_path *path, yyjson_mut_val *root)
{
    return path->count > 0 ? walk(path, 0, root) : NULL;
}

static struct gm_cell get_from_body(const struct gm_path *path, yyjson_mut_val *body,
                                    bool *out_absent)
{
    yyjson_mut_val *value = NULL;
    if (path->count > 1) {
        value = step_into(body, path->text);
    }
    value = value != NULL ? value : walk(path, 0, body);
    *out_absent = value == NULL;
    return gm_cell_of_json(value);
}

static struct gm_cell get_from_row(struct gm_path *path, const struct gm_shape *shape,
                                   const struct gm_cell *cells, bool *out_absent)
{
    static const struct gm_cell null_cell = {.type = GM_CELL_NULL};
    if (!is_column_known(path, shape)) {
        look_up_column(path, shape);
    }
    *out_absent = path->column == SIZE_MAX;
    if (*out_absent) {
        return null_cell;
    }
    const struct gm_cell *cell = &cells[path->column];
    if (path->whole || path->count == 1) {
        return *cell;
    }
    yyjson_mut_val *value = cell->type == GM_CELL_JSON ? walk(path, 1, cell->as.json) : NULL;
    *out_absent = value == NULL;
    return gm_cell_of_json(value);
}

struct gm_cell gm_path_get(struct gm_path *path, const struct gm_batch *batch,
                           const struct gm_record *record, bool *out_absent)
{
    bool absent = true;
    struct gm_cell cell = {.type = GM_CELL_NULL};
    if (record->body != NULL) {
        cell = get_from_body(path, record->body, &absent);
    } else if (record->cells != NULL) {
        cell = get_from_row(path, batch->shape, record->cells, &absent);
    }
    if (out_absent != NULL) {
        *out_absent = absent;
    }
    return cell;
}
