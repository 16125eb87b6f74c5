#include "cli/remote.h"

#include "base/mem.h"
#include "os/file.h"

enum { ADMIN_FILE_SIZE_MAX = 64 << 10 };

#define PAUSE_FIRST (100 * GM_MS)
#define PAUSE_MAX (2 * GM_SECOND)

gm_rc gm_remote_or_store(struct gm_args *args, struct gm_store **out_store, struct gm_err *err)
{
    struct gm_err store_err = {0};
    const char *folder_z;
    *out_store = NULL;
    gm_rc rc = gm_args_store(args, out_store, &store_err);
    if (rc != GM_E_RETRY) {
        *err = store_err;
        return rc;
    }
    GM_TRY(gm_args_data(args, &folder_z, err));
    GM_AUTO_FREE char *path_z = gm_format_z("%s/admin.json", folder_z);
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    /* somebody works there, but not a server that could be asked */
    if (info.type == GM_FILE_MISSING) {
        *err = store_err;
        return rc;
    }
    return GM_OK;
}

/* {"url":"http://127.0.0.1:8070","token":"…","api":"https://127.0.0.1:8443"}: one of its members,
 * which the caller frees; NULL when it has none of that name. */
static gm_rc read_admin_file(struct gm_args *args, const char *member_z, char **out_value_z,
                             struct gm_err *err)
{
    const char *folder_z;
    GM_TRY(gm_args_data(args, &folder_z, err));
    GM_AUTO_FREE char *path_z = gm_format_z("%s/admin.json", folder_z);
    struct gm_buf text;
    gm_buf_init(&text, ADMIN_FILE_SIZE_MAX);
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *root = NULL;
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    rc = rc == GM_OK ? gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&text), &root, err) : rc;
    if (rc == GM_OK) {
        struct gm_str value = gm_json_member_str(root, member_z);
        *out_value_z = value.p != NULL ? gm_str_dup_z(value) : NULL;
    }
    gm_arena_free(arena);
    gm_buf_deinit(&text);
    return rc;
}

gm_rc gm_remote_api_url(struct gm_args *args, char **out_url_z, struct gm_err *err)
{
    *out_url_z = NULL;
    gm_rc rc = read_admin_file(args, "api", out_url_z, err);
    if (rc == GM_E_CONFIG) {
        return gm_fail(err, rc, "no `gemel run` is at work here that could be asked");
    }
    GM_TRY(rc);
    return *out_url_z != NULL
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG,
                         "the `gemel run` at work here serves no streams; see `api` in its "
                         "configuration");
}

/* The outcome that the answer's code names, so that a command ends as it would have where it does
 * the work itself. */
static gm_rc outcome_of(struct gm_str code)
{
    for (gm_rc rc = GM_E_INVALID; rc < GM_OK; rc++) {
        if (rc != GM_E_END && gm_str_is(code, gm_rc_name(rc))) {
            return rc;
        }
    }
    return GM_E_INVALID; /* of HTTP's own: not-found, unauthorized, … */
}

/* {"error":{"code":"config","message":"…"}} */
static gm_rc answered_error(const struct gm_http_answer *answer, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(16 << 20);
    yyjson_mut_val *root = NULL;
    struct gm_err ignored;
    gm_rc rc = answer->status >= 500 ? GM_E_IO : GM_E_INVALID;
    if (gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&answer->body), &root, &ignored) ==
        GM_OK) {
        yyjson_mut_val *error = gm_json_member(root, GM_STR("error"));
        rc = gm_fail(err, outcome_of(gm_json_member_str(error, "code")), GM_STR_FMT,
                     GM_STR_ARG(gm_json_member_str(error, "message")));
    } else {
        rc = gm_fail(err, rc, "the running gemel answered %ld", answer->status);
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc send_request(struct gm_args *args, const char *path_z, struct gm_http_request *request,
                          struct gm_http_answer *out_answer, struct gm_err *err)
{
    GM_AUTO_FREE char *base_z = NULL;
    GM_AUTO_FREE char *token_z = NULL;
    GM_TRY(read_admin_file(args, "url", &base_z, err));
    GM_TRY(read_admin_file(args, "token", &token_z, err));
    GM_AUTO_FREE char *url_z = gm_format_z("%s%s", base_z != NULL ? base_z : "", path_z);
    GM_AUTO_FREE char *authorization_z = gm_format_z("Bearer %s", token_z != NULL ? token_z : "");
    request->url_z = url_z;
    request->authorization_z = authorization_z;
    return gm_http_send(request, out_answer, err);
}

gm_rc gm_remote_send(struct gm_args *args, const char *path_z, struct gm_http_request *request,
                     struct gm_http_answer *out_answer, struct gm_err *err)
{
    GM_TRY(send_request(args, path_z, request, out_answer, err));
    if (out_answer->status >= 200 && out_answer->status < 300) {
        return GM_OK;
    }
    gm_rc rc = answered_error(out_answer, err);
    rc = out_answer->status == 401 ? GM_E_RETRY : rc; /* the token is of a process that has ended */
    gm_http_answer_free(out_answer);
    return rc;
}

static bool is_missing(struct gm_args *args)
{
    const char *folder_z;
    struct gm_file_info info;
    struct gm_err ignored;
    if (gm_args_data(args, &folder_z, &ignored) != GM_OK) {
        return false;
    }
    GM_AUTO_FREE char *path_z = gm_format_z("%s/admin.json", folder_z);
    return gm_file_info(path_z, &info, &ignored) == GM_OK && info.type == GM_FILE_MISSING;
}

gm_rc gm_remote_insist(struct gm_args *args, const char *path_z, struct gm_http_request *request,
                       struct gm_http_answer *out_answer, struct gm_err *err)
{
    const struct gm_clock *clock = gm_clock_system();
    gm_ns until = clock->mono(clock) + GM_REMOTE_PATIENCE, pause = PAUSE_FIRST;
    struct gm_stop *stop = gm_stop_new(); /* never requested */
    gm_rc rc = gm_remote_send(args, path_z, request, out_answer, err);
    while (rc == GM_E_RETRY || rc == GM_E_CANCELLED || (rc == GM_E_CONFIG && is_missing(args))) {
        if (clock->mono(clock) > until) {
            rc = gm_fail_within(err, "given up after %d s", (int)(GM_REMOTE_PATIENCE / GM_SECOND));
            break;
        }
        (void)gm_stop_wait(stop, pause);
        pause = 2 * pause < PAUSE_MAX ? 2 * pause : PAUSE_MAX;
        rc = gm_remote_send(args, path_z, request, out_answer, err);
    }
    gm_stop_free(stop);
    return rc;
}

gm_rc gm_remote_post(struct gm_args *args, const char *path_z, struct gm_str body,
                     struct gm_http_answer *out_answer, struct gm_err *err)
{
    return gm_remote_send(
        args, path_z,
        &(struct gm_http_request){.method_z = "POST", .body = body.p != NULL ? body : GM_STR("{}")},
        out_answer, err);
}

gm_rc gm_remote_answer(struct gm_args *args, const char *path_z, struct gm_str body,
                       struct gm_http_answer *out_answer, struct gm_err *err)
{
    return send_request(args, path_z, &(struct gm_http_request){.method_z = "POST", .body = body},
                        out_answer, err);
}

gm_rc gm_remote_get(struct gm_args *args, const char *path_z, struct gm_http_answer *out_answer,
                    struct gm_err *err)
{
    gm_rc rc =
        gm_remote_send(args, path_z, &(struct gm_http_request){.method_z = "GET"}, out_answer, err);
    return rc == GM_E_CONFIG
               ? gm_fail(err, rc, "no `gemel run` is at work here that could be asked")
               : rc;
}

int64_t gm_remote_number(const struct gm_http_answer *answer, const char *name_z)
{
    struct gm_arena *arena = gm_arena_new(16 << 20);
    yyjson_mut_val *root = NULL;
    struct gm_err ignored;
    int64_t number = 0;
    if (gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&answer->body), &root, &ignored) ==
        GM_OK) {
        number = yyjson_mut_get_sint(gm_json_member(root, gm_str_z(name_z)));
    }
    gm_arena_free(arena);
    return number;
}
