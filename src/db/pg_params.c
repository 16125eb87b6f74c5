#include "db/pg_params.h"

#include <math.h>

#include "base/mem.h"
#include "db/pg_text.h"

enum { VALUE_BYTES_MAX = 1 << 30 }; /* the server's limit for one value */

void gm_pg_params_init(struct gm_pg_params *params, int count)
{
    size_t n = (size_t)count;
    *params = (struct gm_pg_params){
        .count = count,
        .values = gm_alloc_array(n, sizeof(*params->values)),
        .lengths = gm_alloc_array(n, sizeof(*params->lengths)),
        .formats = gm_alloc_array(n, sizeof(*params->formats)),
        .types = gm_alloc_array(n, sizeof(*params->types)),
        .scratch = gm_alloc_array(n, sizeof(*params->scratch)),
    };
    for (size_t i = 0; i < n; i++) {
        gm_buf_init(&params->scratch[i].copy, (size_t)VALUE_BYTES_MAX + 1);
    }
}

void gm_pg_params_deinit(struct gm_pg_params *params)
{
    for (int i = 0; i < params->count; i++) {
        gm_buf_deinit(&params->scratch[i].copy);
    }
    gm_free(params->values);
    gm_free(params->lengths);
    gm_free(params->formats);
    gm_free(params->types);
    gm_free(params->scratch);
}

static void refuse(struct gm_pg_params *params, int index, const char *reason_z)
{
    if (params->bad_index == 0) {
        params->bad_index = index;
        params->bad_reason_z = reason_z;
    }
}

static bool exists(struct gm_pg_params *params, int index)
{
    if (index >= 1 && index <= params->count) {
        return true;
    }
    refuse(params, index, NULL);
    return false;
}

static void set(struct gm_pg_params *params, int index, struct gm_str v, bool binary)
{
    params->values[index - 1] = v.p;
    params->lengths[index - 1] = (int)v.n;
    params->formats[index - 1] = binary;
}

static void set_big_endian(struct gm_pg_params *params, int index, uint64_t bits)
{
    char *out = params->scratch[index - 1].number;
    for (int i = 0; i < 8; i++) {
        out[i] = (char)(bits >> (56 - 8 * i));
    }
    set(params, index, (struct gm_str){out, 8}, true);
}

void gm_pg_set_null(struct gm_pg_params *params, int index)
{
    if (exists(params, index)) {
        set(params, index, (struct gm_str){NULL, 0}, false);
    }
}

void gm_pg_set_i64(struct gm_pg_params *params, int index, int64_t v)
{
    if (!exists(params, index)) {
        return;
    }
    if (params->types[index - 1] == GM_PG_INT8) {
        set_big_endian(params, index, (uint64_t)v);
        return;
    }
    char *out = params->scratch[index - 1].number;
    size_t n = gm_format_i64(v, out);
    set(params, index, (struct gm_str){out, n}, false);
}

void gm_pg_set_double(struct gm_pg_params *params, int index, double v)
{
    if (!exists(params, index)) {
        return;
    }
    unsigned type = params->types[index - 1];
    if (type == GM_PG_FLOAT8) {
        uint64_t bits;
        memcpy(&bits, &v, sizeof(bits));
        set_big_endian(params, index, bits);
    } else if (!isfinite(v)) {
        set(params, index, gm_str_z(isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity"), false);
    } else if (gm_pg_column_type(type) == GM_COLUMN_INT && v == floor(v) && fabs(v) < 0x1p63) {
        gm_pg_set_i64(params, index, (int64_t)v); /* as SQLite's integer columns take it */
    } else {
        char *out = params->scratch[index - 1].number;
        size_t n = gm_format_double(v, out);
        set(params, index, (struct gm_str){out, n}, false);
    }
}

void gm_pg_set_text(struct gm_pg_params *params, int index, struct gm_str v)
{
    if (!exists(params, index)) {
        return;
    }
    unsigned type = params->types[index - 1];
    if (v.p == NULL) {
        set(params, index, v, false);
    } else if (v.n > VALUE_BYTES_MAX) {
        refuse(params, index, "the value is larger than 1 GiB");
    } else if (type != GM_PG_BYTEA && memchr(v.p, '\0', v.n) != NULL) {
        refuse(params, index, "the text holds a NUL byte, which PostgreSQL cannot store");
    } else if (gm_pg_is_text(type)) {
        set(params, index, v, true);
    } else {
        struct gm_buf *copy = &params->scratch[index - 1].copy;
        gm_buf_reset(copy);
        gm_buf_add(copy, v);
        set(params, index, v.n != 0 ? gm_buf_str(copy) : GM_STR(""), false);
    }
}

void gm_pg_set_blob(struct gm_pg_params *params, int index, struct gm_str v)
{
    if (!exists(params, index)) {
        return;
    }
    if (v.n > VALUE_BYTES_MAX) {
        refuse(params, index, "the value is larger than 1 GiB");
    } else {
        set(params, index, v, true);
    }
}
