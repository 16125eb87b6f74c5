#include "view/extract.h"

#include "base/mem.h"

enum { POOL_SIZE = 256 << 10 };

struct gm_body_reader {
    yyjson_doc *doc;
    size_t pool_size;
    char *pool;
};

struct gm_body_reader *gm_body_reader_new(void)
{
    struct gm_body_reader *reader = gm_alloc(sizeof(*reader));
    reader->pool_size = POOL_SIZE;
    reader->pool = gm_alloc(reader->pool_size);
    return reader;
}

void gm_body_reader_free(struct gm_body_reader *reader)
{
    if (reader != NULL) {
        gm_free(reader->pool);
        gm_free(reader);
    }
}

yyjson_val *gm_body_read(struct gm_body_reader *reader, struct gm_str body)
{
    size_t needed = yyjson_read_max_memory_usage(body.n, YYJSON_READ_NOFLAG) + 1024;
    if (needed > reader->pool_size) {
        gm_free(reader->pool);
        reader->pool_size = 2 * needed;
        reader->pool = gm_alloc(reader->pool_size);
    }
    yyjson_alc alc;
    if (!yyjson_alc_pool_init(&alc, reader->pool, reader->pool_size)) {
        return NULL;
    }
    /* The flag that would let it write to the text is not given. */
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)body.p, body.n, YYJSON_READ_NOFLAG, &alc, NULL);
    return yyjson_doc_get_root(doc);
}

struct gm_reading gm_reading_of(yyjson_val *value, gm_ns time)
{
    struct gm_reading reading = {.time = time};
    switch (yyjson_get_tag(value)) {
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL:
        reading.kind = GM_READING_NUMBER;
        reading.number = yyjson_get_real(value);
        break;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_SINT:
        reading.kind = GM_READING_INT;
        reading.integer = yyjson_get_sint(value);
        reading.number = (double)reading.integer;
        break;
    case YYJSON_TYPE_NUM | YYJSON_SUBTYPE_UINT:
        reading.kind = yyjson_get_uint(value) <= INT64_MAX ? GM_READING_INT : GM_READING_NUMBER;
        reading.integer = (int64_t)yyjson_get_uint(value);
        reading.number = (double)yyjson_get_uint(value);
        break;
    case YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_TRUE:
    case YYJSON_TYPE_BOOL | YYJSON_SUBTYPE_FALSE:
        reading.kind = GM_READING_BOOL;
        reading.integer = yyjson_is_true(value);
        break;
    case YYJSON_TYPE_NULL | YYJSON_SUBTYPE_NONE:
        reading.kind = value != NULL ? GM_READING_NULL : GM_READING_NONE;
        break;
    default:
        if (yyjson_is_str(value)) {
            reading.kind = GM_READING_TEXT;
            reading.text = (struct gm_str){yyjson_get_str(value), yyjson_get_len(value)};
        }
        break;
    }
    return reading;
}
