/* Objects by their URL. */
#include "net/blob.h"

#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/blob_request.h"
#include "net/http.h"
#include "net/server.h"
#include "os/file.h"

enum { PATH_SIZE_MAX = 4096, DATE_SIZE = 40, NUMBER_SIZE = 24 };

#define IDLE_TIMEOUT (60 * GM_SECOND)
#define API_VERSION "2021-08-06"

/* ---- places ---- */

static gm_rc locate_file(const char *url_z, struct gm_blob_place *place, struct gm_err *err)
{
    struct gm_str rest = gm_str_z(url_z + strlen("file://"));
    if (gm_str_starts(rest, GM_STR("localhost/"))) {
        rest = (struct gm_str){rest.p + strlen("localhost"), rest.n - strlen("localhost")};
    }
    struct gm_buf path;
    gm_buf_init(&path, PATH_SIZE_MAX);
    bool fine = gm_str_starts(rest, GM_STR("/")) && gm_percent_take(&path, rest);
    if (fine) {
        place->path_z = gm_str_dup_z(gm_buf_str(&path));
        place->kind = GM_BLOB_FILE;
    }
    gm_buf_deinit(&path);
    return fine ? GM_OK
                : gm_fail(err, GM_E_INVALID,
                          "%s: expected file:///PATH with the path from the root", url_z);
}

/* Whether the URL is the account's, or lies below it. */
static bool lies_under(const char *url_z, const char *base_z)
{
    size_t n = strlen(base_z);
    while (n > 0 && base_z[n - 1] == '/') {
        n--;
    }
    return strncmp(url_z, base_z, n) == 0 && (url_z[n] == '/' || url_z[n] == '\0');
}

static bool is_signed(const char *url_z)
{
    return strstr(url_z, "?sig=") != NULL || strstr(url_z, "&sig=") != NULL;
}

static void locate_web(const struct gm_blob_client *client, struct gm_blob_place *place)
{
    struct gm_str address, query, scheme_and_host;
    (void)gm_str_cut(gm_str_z(place->url_z), '?', &address, &query);
    scheme_and_host = address;
    const char *host = strstr(place->url_z, "://") + 3;
    const char *slash = memchr(host, '/', (size_t)(address.p + address.n - host));
    if (slash != NULL) {
        scheme_and_host.n = (size_t)(slash - address.p);
    }
    bool azure =
        is_signed(place->url_z) || gm_str_ends(scheme_and_host, GM_STR(".blob.core.windows.net"));
    for (size_t i = 0; i < client->account_count && !is_signed(place->url_z); i++) {
        if (lies_under(place->url_z, client->accounts[i].url_z)) {
            place->account = &client->accounts[i];
            azure = true;
        }
    }
    place->kind = azure ? GM_BLOB_AZURE : GM_BLOB_HTTP;
}

gm_rc gm_blob_locate(const struct gm_blob_client *client, const char *url_z,
                     struct gm_blob_place *out_place, struct gm_err *err)
{
    struct gm_str url = gm_str_z(url_z), shown, query;
    struct gm_blob_place place = {0};
    (void)gm_str_cut(url, '?', &shown, &query);
    if (gm_str_starts(url, GM_STR("file://"))) {
        GM_TRY(locate_file(url_z, &place, err));
    } else if (!gm_str_starts(url, GM_STR("http://")) && !gm_str_starts(url, GM_STR("https://"))) {
        return gm_fail(err, GM_E_INVALID,
                       "`" GM_STR_FMT "` is no URL of an object; write file:///PATH, https://… or "
                       "the URL of a blob",
                       GM_STR_ARG(shown));
    }
    place.url_z = gm_strdup_z(url_z);
    place.shown_z = gm_str_dup_z(shown);
    if (place.path_z == NULL) {
        locate_web(client, &place);
    }
    *out_place = place;
    return GM_OK;
}

void gm_blob_place_deinit(struct gm_blob_place *place)
{
    gm_free(place->url_z);
    gm_free(place->shown_z);
    gm_free(place->path_z);
    *place = (struct gm_blob_place){0};
}

/* ---- requests ---- */

/* One request to the place, with what it needs to say. */
struct order {
    const char *method_z;
    const char *comp_z; /* of the query: "appendblock"; NULL: none */
    struct gm_http_header headers[GM_BLOB_HEADERS_MAX];
    size_t header_count;
    struct gm_str body;
    struct gm_file *to; /* the answer's body goes here; NULL: into the answer */
};

static gm_rc take_piece(void *ctx, struct gm_str bytes, struct gm_err *err)
{
    return gm_file_write(ctx, bytes, err);
}

/* "Fri, 20 Nov 2026 17:09:55 GMT" (RFC 9110, 5.6.7) */
static void write_date(gm_ns now, char out[DATE_SIZE])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct gm_date date;
    gm_time_split(now, &date);
    snprintf(out, DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[date.weekday],
             (int)date.day, months[date.month - 1], (int)date.year, (int)date.hour,
             (int)date.minute, (int)date.second);
}

static void add_header(struct gm_blob_request *request, const char *name_z, const char *value_z)
{
    GM_ASSERT(request->header_count < GM_BLOB_HEADERS_MAX);
    request->headers[request->header_count++] = (struct gm_http_header){name_z, value_z};
}

static gm_rc send_order(const struct gm_blob_client *client, const struct gm_blob_place *place,
                        const struct order *order, struct gm_http_answer *out_answer,
                        struct gm_err *err)
{
    char date[DATE_SIZE];
    GM_AUTO_FREE char *url_z =
        order->comp_z == NULL
            ? gm_strdup_z(place->url_z)
            : gm_format_z("%s%ccomp=%s", place->url_z,
                          strchr(place->url_z, '?') != NULL ? '&' : '?', order->comp_z);
    struct gm_blob_request signing = {.account = place->account,
                                      .method_z = order->method_z,
                                      .url_z = url_z,
                                      .body = order->body};
    for (size_t i = 0; i < order->header_count; i++) {
        add_header(&signing, order->headers[i].name_z, order->headers[i].value_z);
    }
    GM_AUTO_FREE char *authorization_z = NULL;
    if (place->kind == GM_BLOB_AZURE) {
        write_date(client->clock->wall(client->clock), date);
        add_header(&signing, "x-ms-date", date);
        add_header(&signing, "x-ms-version", API_VERSION);
    }
    if (place->account != NULL) {
        GM_TRY(gm_blob_sign(&signing, &authorization_z, err));
    }
    struct gm_http_request request = {.method_z = order->method_z,
                                      .url_z = url_z,
                                      .authorization_z = authorization_z,
                                      .content_type_z = GM_BLOB_BODY_TYPE,
                                      .headers = signing.headers,
                                      .header_count = signing.header_count,
                                      .body = order->body,
                                      .take = order->to != NULL ? take_piece : NULL,
                                      .take_ctx = order->to,
                                      .ca_file_z = client->ca_file_z,
                                      .idle_timeout = IDLE_TIMEOUT,
                                      .stop = client->stop};
    return gm_http_send(&request, out_answer, err);
}

/* What a status that is no success means. */
static gm_rc fail_status(const struct gm_blob_place *place, const struct gm_http_answer *answer,
                         struct gm_err *err)
{
    struct gm_str code = gm_http_answer_header(answer, "x-ms-error-code");
    const char *what_z = "the server refuses";
    gm_rc rc = GM_E_CONFIG;
    if (answer->status == 404) {
        what_z = "there is no such object";
    } else if (answer->status == 401 || answer->status == 403) {
        what_z = "access is refused; check the signature or the account's key";
    } else if (answer->status == 408 || answer->status == 429 || answer->status >= 500) {
        what_z = "the server cannot now";
        rc = GM_E_RETRY;
    }
    return gm_fail(err, rc, "%s: %s (status %ld%s" GM_STR_FMT ")", place->shown_z, what_z,
                   answer->status, code.n > 0 ? ", " : "", GM_STR_ARG(code));
}

static gm_rc send_simple(const struct gm_blob_client *client, const struct gm_blob_place *place,
                         const struct order *order, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_TRY(send_order(client, place, order, &answer, err));
    gm_rc rc = answer.status / 100 == 2 ? GM_OK : fail_status(place, &answer, err);
    gm_http_answer_free(&answer);
    return rc;
}

/* ---- reading ---- */

static gm_rc fetch_into(const struct gm_blob_client *client, const struct gm_blob_place *place,
                        const char *path_z, struct gm_err *err)
{
    struct gm_file *file;
    GM_TRY(gm_file_create(path_z, &file, err));
    const struct order order = {.method_z = "GET", .to = file};
    gm_rc rc = send_simple(client, place, &order, err);
    rc = rc == GM_OK ? gm_file_sync(file, err) : rc;
    gm_file_close(file);
    return rc;
}

gm_rc gm_blob_fetch(const struct gm_blob_client *client, const struct gm_blob_place *place,
                    const char *path_z, struct gm_err *err)
{
    GM_ASSERT(place->kind != GM_BLOB_FILE);
    GM_AUTO_FREE char *part_z = gm_format_z("%s.part", path_z);
    gm_rc rc = fetch_into(client, place, part_z, err);
    rc = rc == GM_OK ? gm_file_rename(part_z, path_z, err) : rc;
    if (rc != GM_OK) {
        struct gm_err ignored; /* the first failure is the one to tell */
        gm_rc removed = gm_file_remove(part_z, &ignored);
        (void)removed;
    }
    return rc;
}

/* ---- publishing ---- */

gm_rc gm_blob_begin(const struct gm_blob_client *client, const struct gm_blob_place *place,
                    struct gm_err *err)
{
    GM_ASSERT(place->kind != GM_BLOB_FILE);
    const struct order order = {.method_z = "PUT",
                                .headers = {{"x-ms-blob-type", "AppendBlob"}},
                                .header_count = 1,
                                .body = GM_STR("")};
    return place->kind == GM_BLOB_AZURE ? send_simple(client, place, &order, err) : GM_OK;
}

static gm_rc put_whole(const struct gm_blob_client *client, const struct gm_blob_place *place,
                       const char *path_z, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_BLOB_PUT_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    const struct order order = {.method_z = "PUT", .body = gm_buf_str(&text)};
    rc = rc == GM_OK ? send_simple(client, place, &order, err) : rc;
    gm_buf_deinit(&text);
    return rc;
}

static gm_rc read_length(const struct gm_blob_client *client, const struct gm_blob_place *place,
                         uint64_t *out_length, struct gm_err *err)
{
    const struct order order = {.method_z = "HEAD"};
    struct gm_http_answer answer;
    int64_t length = -1;
    GM_TRY(send_order(client, place, &order, &answer, err));
    gm_rc rc = answer.status / 100 == 2 ? GM_OK : fail_status(place, &answer, err);
    if (rc == GM_OK &&
        (!gm_parse_i64(gm_http_answer_header(&answer, "Content-Length"), &length) || length < 0)) {
        rc = gm_fail(err, GM_E_RETRY, "%s: the server does not tell the object's length",
                     place->shown_z);
    }
    gm_http_answer_free(&answer);
    *out_length = (uint64_t)length;
    return rc;
}

static gm_rc append_block(const struct gm_blob_client *client, const struct gm_blob_place *place,
                          uint64_t at, struct gm_str bytes, struct gm_err *err)
{
    char position[NUMBER_SIZE];
    snprintf(position, sizeof(position), "%llu", (unsigned long long)at);
    const struct order order = {.method_z = "PUT",
                                .comp_z = "appendblock",
                                .headers = {{"x-ms-blob-condition-appendpos", position}},
                                .header_count = 1,
                                .body = bytes};
    return send_simple(client, place, &order, err);
}

static gm_rc append_rest(const struct gm_blob_client *client, const struct gm_blob_place *place,
                         struct gm_file *file, uint64_t at, struct gm_err *err)
{
    GM_AUTO_FREE char *block = gm_alloc(GM_BLOB_APPEND_SIZE_MAX);
    GM_TRY(gm_file_seek(file, at, err));
    for (;;) {
        size_t n;
        GM_TRY(gm_file_read(file, block, GM_BLOB_APPEND_SIZE_MAX, &n, err));
        if (n == 0) {
            return GM_OK;
        }
        GM_TRY(append_block(client, place, at, (struct gm_str){block, n}, err));
        at += n;
    }
}

gm_rc gm_blob_publish(const struct gm_blob_client *client, const struct gm_blob_place *place,
                      const char *path_z, struct gm_err *err)
{
    GM_ASSERT(place->kind != GM_BLOB_FILE);
    if (place->kind == GM_BLOB_HTTP) {
        return put_whole(client, place, path_z, err);
    }
    uint64_t length;
    struct gm_file *file;
    GM_TRY(read_length(client, place, &length, err));
    GM_TRY(gm_file_open(path_z, &file, err));
    gm_rc rc = append_rest(client, place, file, length, err);
    gm_file_close(file);
    return rc;
}
