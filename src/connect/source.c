#include "connect/source.h"

gm_rc gm_source_failed(struct gm_err *err)
{
    switch (err->rc) {
    case GM_E_IO:
    case GM_E_CONFLICT:
    case GM_E_END:
        err->rc = GM_E_RETRY;
        break;
    case GM_E_CORRUPT:
    case GM_E_INVALID:
    case GM_E_LIMIT:
        err->rc = GM_E_CONFIG;
        break;
    case GM_OK:
    case GM_E_RETRY:
    case GM_E_CONFIG:
    case GM_E_CANCELLED:
        break;
    }
    GM_ASSERT(err->rc != GM_OK);
    return err->rc;
}

/* ---- columns ---- */

enum { SHAPES_SIZE_MAX = 64 << 20 };

void gm_shapes_deinit(struct gm_shapes *shapes)
{
    gm_arena_free(shapes->arena);
    *shapes = (struct gm_shapes){0};
}

static bool is_shape_of(const struct gm_shape *shape, const struct gm_str *names, size_t count)
{
    if (shape->count != count) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!gm_str_eq(shape->names[i], names[i])) {
            return false;
        }
    }
    return true;
}

static gm_rc check_names(const struct gm_str *names, size_t count, struct gm_err *err)
{
    if (count == 0 || count > GM_COLUMNS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "%zu columns; there must be 1 to %d", count,
                       GM_COLUMNS_MAX);
    }
    struct gm_map *seen = gm_map_new();
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < count && rc == GM_OK; i++) {
        if (names[i].n == 0) {
            rc = gm_fail(err, GM_E_CONFIG, "column %zu has no name", i + 1);
        } else if (!gm_utf8_valid(names[i], NULL)) {
            rc = gm_fail(err, GM_E_CONFIG, "the name of column %zu is not UTF-8", i + 1);
        } else if (!gm_map_set(seen, names[i], i)) {
            rc = gm_fail(err, GM_E_CONFIG,
                         "two columns are named `" GM_STR_FMT "`; give one of them another name",
                         GM_STR_ARG(names[i]));
        }
    }
    gm_map_free(seen);
    return rc;
}

gm_rc gm_shapes_get(struct gm_shapes *shapes, const struct gm_str *names, size_t count,
                    const struct gm_shape **out_shape, struct gm_err *err)
{
    for (size_t i = 0; i < shapes->n; i++) {
        if (is_shape_of(shapes->at[i], names, count)) {
            *out_shape = shapes->at[i];
            return GM_OK;
        }
    }
    GM_TRY(check_names(names, count, err));
    if (shapes->arena == NULL) {
        shapes->arena = gm_arena_new(SHAPES_SIZE_MAX);
    }
    struct gm_shape *shape = gm_arena_alloc(shapes->arena, sizeof(*shape));
    struct gm_str *copies = gm_arena_alloc(shapes->arena, count * sizeof(*copies));
    bool room = shapes->n < GM_SHAPES_MAX && shape != NULL && copies != NULL;
    for (size_t i = 0; room && i < count; i++) {
        copies[i] = gm_arena_dup(shapes->arena, names[i]);
        room = copies[i].p != NULL;
    }
    if (!room) {
        return gm_fail(err, GM_E_CONFIG, "the columns changed more than %d times", GM_SHAPES_MAX);
    }
    *shape = (struct gm_shape){.count = count, .names = copies};
    shapes->at[shapes->n++] = shape;
    *out_shape = shape;
    return GM_OK;
}

/* The column whose name is nearest to `wrong`; NULL: none is near. */
static const char *nearest_column(const struct gm_shape *shape, const char *wrong_z)
{
    /* Names of a shape are copies with a NUL behind them. */
    const char *names[GM_COLUMNS_MAX];
    for (size_t i = 0; i < shape->count; i++) {
        names[i] = shape->names[i].p;
    }
    return gm_conf_nearest(gm_str_z(wrong_z), names, shape->count);
}

static void list_columns(const struct gm_shape *shape, char *out, size_t size)
{
    struct gm_buf buf;
    gm_buf_init(&buf, size - 1);
    for (size_t i = 0; i < shape->count && !gm_buf_failed(&buf); i++) {
        gm_buf_addf(&buf, "%s%s", i > 0 ? ", " : "", shape->names[i].p);
    }
    size_t n = buf.n < size ? buf.n : size - 1;
    memcpy(out, buf.p != NULL ? buf.p : "", n);
    out[n] = '\0';
    gm_buf_deinit(&buf);
}

gm_rc gm_column_find(const struct gm_shape *shape, const char *setting_z, const char *name_z,
                     size_t *out_column, struct gm_err *err)
{
    for (size_t i = 0; i < shape->count; i++) {
        if (gm_str_is(shape->names[i], name_z)) {
            *out_column = i;
            return GM_OK;
        }
    }
    const char *nearest_z = nearest_column(shape, name_z);
    if (nearest_z != NULL) {
        return gm_fail(err, GM_E_CONFIG, "`%s`: there is no column `%s`; did you mean `%s`?",
                       setting_z, name_z, nearest_z);
    }
    char names[256];
    list_columns(shape, names, sizeof(names));
    return gm_fail(err, GM_E_CONFIG, "`%s`: there is no column `%s`; there are: %s", setting_z,
                   name_z, names);
}

/* ---- keys ---- */

gm_rc gm_key_find(const struct gm_conf_strs *names, const struct gm_shape *shape,
                  struct gm_key_columns *out_key, struct gm_err *err)
{
    struct gm_key_columns key = {.count = names->n};
    if (names->n == 0 || names->n > GM_KEY_PARTS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "`key`: name 1 to %d columns", GM_KEY_PARTS_MAX);
    }
    for (size_t i = 0; i < names->n; i++) {
        GM_TRY(gm_column_find(shape, "key", names->at[i], &key.columns[i], err));
    }
    *out_key = key;
    return GM_OK;
}

_Static_assert(GM_KEY_SIZE_MAX == 1024, "a message says so");

const char *gm_key_problem(struct gm_str key)
{
    if (key.n > GM_KEY_SIZE_MAX) {
        return "is too long for a key (1024 bytes at most)";
    }
    if (!gm_utf8_valid(key, NULL)) {
        return "is not UTF-8";
    }
    if (key.n > 0 && memchr(key.p, '\0', key.n) != NULL) {
        return "contains a NUL byte";
    }
    return NULL;
}

void gm_record_number_key(struct gm_batch *batch, struct gm_record *record, const char *unit_z)
{
    record->unkeyed = true;
    record->key =
        gm_arena_format(batch->arena, "%s %llu", unit_z, (unsigned long long)record->position);
    if (record->key.p == NULL) {
        record->key = GM_STR("?"); /* the batch is full to the brim; the record is marked anyway */
    }
}

void gm_record_take_key(struct gm_batch *batch, struct gm_record *record,
                        const struct gm_key_columns *key, const char *unit_z)
{
    struct gm_str parts[GM_KEY_PARTS_MAX];
    for (size_t i = 0; i < key->count; i++) {
        size_t column = key->columns[i];
        parts[i] = gm_cell_text(batch->arena, &record->cells[column]);
        const char *problem_z = parts[i].p == NULL ? "is null" : gm_key_problem(parts[i]);
        if (problem_z != NULL) {
            gm_record_number_key(batch, record, unit_z);
            gm_record_fail(batch, record, GM_E_INVALID, "key column `" GM_STR_FMT "` %s",
                           GM_STR_ARG(batch->shape->names[column]), problem_z);
            return;
        }
    }
    record->key = gm_key_join(batch->arena, parts, key->count);
    if (record->key.p == NULL || record->key.n > GM_KEY_SIZE_MAX) {
        gm_record_number_key(batch, record, unit_z);
        gm_record_fail(batch, record, GM_E_INVALID, "the key is longer than %d bytes",
                       GM_KEY_SIZE_MAX);
    }
}
