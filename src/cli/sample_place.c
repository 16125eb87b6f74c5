#include "cli/sample_place.h"

#include "auth/token.h"
#include "base/mem.h"
#include "cli/remote.h"
#include "os/file.h"
#include "json/json.h"

enum { COMPANY_SIZE_MAX = 64 << 10 };

/* "demo/gemel.yaml" → "demo", "gemel.yaml" → "." */
static struct gm_str folder_of(const char *path_z)
{
    struct gm_str path = gm_str_z(path_z);
    while (path.n > 1 && path.p[path.n - 1] == '/') {
        path.n--;
    }
    while (path.n > 0 && path.p[path.n - 1] != '/') {
        path.n--;
    }
    return path.n > 0 ? path : GM_STR(".");
}

static gm_rc read_company(const char *path_z, uint64_t *seed, double *scale, struct gm_err *err)
{
    struct gm_buf text;
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *root = NULL;
    gm_buf_init(&text, COMPANY_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    rc = rc == GM_OK ? gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&text), &root, err) : rc;
    yyjson_mut_val *told_seed = gm_json_member(root, GM_STR("seed")),
                   *told_scale = gm_json_member(root, GM_STR("scale"));
    if (rc == GM_OK && (!yyjson_mut_is_int(told_seed) || !yyjson_mut_is_num(told_scale))) {
        rc = gm_fail(err, GM_E_CONFIG, "%s: no `seed` and `scale` of a sample company", path_z);
    }
    if (rc == GM_OK) {
        *seed = yyjson_mut_get_uint(told_seed);
        *scale = yyjson_mut_get_num(told_scale);
    }
    gm_arena_free(arena);
    gm_buf_deinit(&text);
    return rc;
}

gm_rc gm_load_company_find(const struct gm_args *args, uint64_t *seed, double *scale,
                           struct gm_err *err)
{
    const char *data_z = gm_args_value(args, "data");
    struct gm_str folder = folder_of(data_z != NULL ? data_z : gm_args_config_path(args));
    GM_AUTO_FREE char *path_z = gm_path_join_z(folder, GM_STR("company.json"));
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    return info.type == GM_FILE_MISSING ? GM_OK : read_company(path_z, seed, scale, err);
}

gm_rc gm_load_place_keys(struct gm_args *args, struct gm_load_found_place *out_place,
                         struct gm_err *err)
{
    const char *data_z;
    char token[GM_TOKEN_TEXT_SIZE];
    struct gm_file_info info;
    GM_TRY(gm_args_data(args, &data_z, err));
    GM_AUTO_FREE char *ca_z = gm_format_z("%s/tls/ca.pem", data_z);
    GM_TRY(gm_file_info(ca_z, &info, err));
    if (info.type != GM_FILE_MISSING) {
        out_place->ca_file_z = gm_strdup_z(ca_z);
    }
    GM_TRY(gm_token_development(data_z, token, err));
    out_place->token_z = gm_strdup_z(token);
    gm_token_wipe(token, sizeof(token));
    return GM_OK;
}

gm_rc gm_load_place_find(struct gm_args *args, const char *stream_z,
                         struct gm_load_found_place *out_place, struct gm_err *err)
{
    GM_AUTO_FREE char *api_z = NULL;
    GM_TRY(gm_remote_api_url(args, &api_z, err));
    GM_TRY(gm_load_place_keys(args, out_place, err));
    out_place->to_z = gm_format_z("%s/streams/%s/events", api_z, stream_z);
    return GM_OK;
}

gm_rc gm_load_place_file(struct gm_args *args, const char *stream_z,
                         struct gm_load_found_place *out_place, struct gm_err *err)
{
    const char *data_z;
    GM_TRY(gm_args_data(args, &data_z, err));
    out_place->to_z = gm_format_z("%s/streams/%s.db", data_z, stream_z);
    return GM_OK;
}

void gm_load_place_free(struct gm_load_found_place *place)
{
    if (place->token_z != NULL) {
        gm_token_wipe(place->token_z, strlen(place->token_z));
    }
    gm_free(place->to_z);
    gm_free(place->token_z);
    gm_free(place->ca_file_z);
    *place = (struct gm_load_found_place){0};
}
