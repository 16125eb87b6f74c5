/* Models in files: *.json below a folder. */
#include "base/mem.h"
#include "base/vec.h"
#include "dtdl/model.h"
#include "os/file.h"

enum { FILE_SIZE_MAX = 64 << 20 };

struct reader {
    yyjson_mut_doc *doc;
    struct gm_str root;
    struct gm_buf text;
    GM_VEC(yyjson_mut_val *) values;
};

static gm_rc read_file(struct reader *reader, const char *path_z, struct gm_err *err)
{
    gm_buf_reset(&reader->text);
    GM_TRY(gm_file_read_all(path_z, &reader->text, err));
    struct gm_str text = gm_buf_str(&reader->text);
    if (gm_str_starts(text,
                      GM_STR("\xEF\xBB\xBF"))) { /* editors on Windows write a mark in front */
        text = (struct gm_str){text.p + 3, text.n - 3};
    }
    yyjson_mut_val *value;
    gm_rc rc = gm_json_parse(reader->doc, text, &value, err);
    if (rc != GM_OK) {
        return err != NULL ? gm_fail_within(err, "%s", path_z) : rc;
    }
    yyjson_type type = gm_json_type(value);
    if (type != YYJSON_TYPE_OBJ && type != YYJSON_TYPE_ARR) {
        return gm_fail(err, GM_E_INVALID,
                       "%s: expected an interface or an array of interfaces; move other files out "
                       "of the models' folder",
                       path_z);
    }
    *gm_vec_push(&reader->values) = value;
    return GM_OK;
}

static gm_rc visit(void *ctx, struct gm_str relative_path, const struct gm_file_info *info,
                   struct gm_err *err)
{
    struct reader *reader = ctx;
    if (info->type != GM_FILE_REGULAR || !gm_str_ends(relative_path, GM_STR(".json"))) {
        return GM_OK;
    }
    GM_AUTO_FREE char *path_z = gm_path_join_z(reader->root, relative_path);
    return read_file(reader, path_z, err);
}

static gm_rc read_path(struct reader *reader, const char *path_z, struct gm_err *err)
{
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    if (info.type == GM_FILE_MISSING) {
        return gm_fail(err, GM_E_CONFIG,
                       "%s: there is no such file or folder; name the folder of the models' files",
                       path_z);
    }
    if (info.type != GM_FILE_FOLDER) {
        return read_file(reader, path_z, err);
    }
    GM_TRY(gm_folder_walk(path_z, true, visit, reader, err));
    if (reader->values.n == 0) {
        return gm_fail(err, GM_E_CONFIG, "%s: no *.json below it; put the models' files there",
                       path_z);
    }
    return GM_OK;
}

gm_rc gm_models_read_folder(yyjson_mut_doc *doc, const char *path_z,
                            yyjson_mut_val ***out_interfaces, size_t *out_count, struct gm_err *err)
{
    struct reader reader = {.doc = doc, .root = gm_str_z(path_z)};
    gm_buf_init(&reader.text, FILE_SIZE_MAX);
    gm_rc rc = read_path(&reader, path_z, err);
    if (rc == GM_OK) {
        size_t size = reader.values.n * sizeof(reader.values.at[0]);
        yyjson_mut_val **values = doc->alc.malloc(doc->alc.ctx, size);
        if (values == NULL) {
            rc =
                gm_fail(err, GM_E_LIMIT, "%s: the models take more memory than is allowed", path_z);
        } else {
            memcpy(values, reader.values.at, size);
            *out_interfaces = values;
            *out_count = reader.values.n;
        }
    }
    gm_vec_deinit(&reader.values);
    gm_buf_deinit(&reader.text);
    return rc;
}
