/* Values to text: canonical, compact and pretty. The canonical form is what content hashes are made
 * of, so it is written for every record of every run: one walk that sorts where it must and writes
 * at the same time. */
#include "json/nodes.h"
#include "json/text.h"

struct writer {
    struct gm_json_text text;
    bool sorting;
    bool pretty;
};

static void write_value(struct writer *writer, yyjson_mut_val *value, size_t depth);

static void write_number(struct gm_json_text *text, const yyjson_mut_val *value)
{
    switch (gm_json_subtype(value)) {
    case YYJSON_SUBTYPE_UINT:
        gm_json_text_u64(text, value->uni.u64);
        break;
    case YYJSON_SUBTYPE_SINT:
        gm_json_text_i64(text, value->uni.i64);
        break;
    default:
        gm_json_text_double(text, value->uni.f64);
        break;
    }
}

static void new_line(struct writer *writer, size_t depth)
{
    if (writer->pretty) {
        gm_json_text_char(&writer->text, '\n');
        for (size_t i = 0; i < depth; i++) {
            gm_json_text_bytes(&writer->text, "  ", 2);
        }
    }
}

static void write_array(struct writer *writer, const yyjson_mut_val *array, size_t depth)
{
    gm_json_text_char(&writer->text, '[');
    size_t count = gm_json_len(array);
    if (count > 0) {
        yyjson_mut_val *item = gm_json_first_item(array);
        for (size_t i = 0; i < count && !gm_buf_failed(writer->text.buf); i++) {
            if (i > 0) {
                gm_json_text_char(&writer->text, ',');
            }
            new_line(writer, depth);
            write_value(writer, item, depth + 1);
            item = item->next;
        }
        new_line(writer, depth - 1);
    }
    gm_json_text_char(&writer->text, ']');
}

static void write_object(struct writer *writer, yyjson_mut_val *object, size_t depth)
{
    gm_json_text_char(&writer->text, '{');
    size_t count = gm_json_len(object);
    if (count > 0) {
        if (writer->sorting) {
            gm_json_sort_members(object);
        }
        yyjson_mut_val *name = gm_json_first_name(object);
        for (size_t i = 0; i < count && !gm_buf_failed(writer->text.buf); i++) {
            if (i > 0) {
                gm_json_text_char(&writer->text, ',');
            }
            new_line(writer, depth);
            gm_json_text_string(&writer->text, gm_json_view(name));
            gm_json_text_bytes(&writer->text, ": ", writer->pretty ? 2 : 1);
            write_value(writer, name->next, depth + 1);
            name = name->next->next;
        }
        new_line(writer, depth - 1);
    }
    gm_json_text_char(&writer->text, '}');
}

/* `depth` is the level that a container here would have, from 1. */
static void write_value(struct writer *writer, yyjson_mut_val *value, size_t depth)
{
    struct gm_json_text *text = &writer->text;
    switch (gm_json_type(value)) {
    case YYJSON_TYPE_STR:
        gm_json_text_string(text, gm_json_view(value));
        break;
    case YYJSON_TYPE_NUM:
        write_number(text, value);
        break;
    case YYJSON_TYPE_BOOL:
        if (gm_json_subtype(value) == YYJSON_SUBTYPE_TRUE) {
            gm_json_text_bytes(text, "true", 4);
        } else {
            gm_json_text_bytes(text, "false", 5);
        }
        break;
    case YYJSON_TYPE_RAW:
        gm_json_text_bytes(text, value->uni.str, gm_json_len(value));
        break;
    case YYJSON_TYPE_ARR:
    case YYJSON_TYPE_OBJ:
        if (depth > GM_JSON_DEPTH_MAX) {
            text->buf->failed = true;
        } else if (gm_json_type(value) == YYJSON_TYPE_ARR) {
            write_array(writer, value, depth);
        } else {
            write_object(writer, value, depth);
        }
        break;
    default:
        gm_json_text_bytes(text, "null", 4);
        break;
    }
}

static void write_all(struct writer *writer, yyjson_mut_val *value, struct gm_buf *out)
{
    gm_json_text_begin(&writer->text, out);
    write_value(writer, value, 1);
    gm_json_text_end(&writer->text);
}

void gm_json_canonical(yyjson_mut_doc *doc, yyjson_mut_val *value, struct gm_buf *out)
{
    (void)doc; /* the sort works in place */
    struct writer writer = {.sorting = true};
    write_all(&writer, value, out);
}

void gm_json_write(const yyjson_mut_val *value, struct gm_buf *out)
{
    struct writer writer = {0};
    yyjson_mut_val root =
        *value; /* the walk is written for values that sorting may change; without it nothing is */
    write_all(&writer, &root, out);
}

void gm_json_write_pretty(const yyjson_mut_val *value, struct gm_buf *out)
{
    struct writer writer = {.pretty = true};
    yyjson_mut_val root = *value;
    write_all(&writer, &root, out);
}
