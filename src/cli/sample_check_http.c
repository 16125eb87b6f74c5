/* What a stream holds, page by page over HTTP. See sample_check.h. */
#include "base/coding.h"
#include "base/mem.h"
#include "cli/sample_check.h"
#include "net/http.h"
#include "json/scan.h"

enum { PAGE_COUNT = 10000, URL_SIZE_MAX = 64 << 10 };

static gm_rc get_page(const struct gm_load_place *place, struct gm_str cursor,
                      struct gm_http_answer *out_answer, struct gm_err *err)
{
    struct gm_buf url;
    gm_buf_init(&url, URL_SIZE_MAX);
    gm_buf_addf(&url, "%s?limit=%d&from=", place->url_z, PAGE_COUNT);
    gm_percent_add(&url, cursor);
    GM_AUTO_FREE char *authorization_z =
        place->token_z != NULL ? gm_format_z("Bearer %s", place->token_z) : NULL;
    const struct gm_http_request request = {.method_z = "GET",
                                            .url_z = url.p,
                                            .authorization_z = authorization_z,
                                            .ca_file_z = place->ca_file_z,
                                            .timeout = GM_MINUTE};
    gm_rc rc = gm_buf_failed(&url)
                   ? gm_fail(err, GM_E_LIMIT, "%s: the cursor is too long", place->url_z)
                   : gm_http_send(&request, out_answer, err);
    gm_buf_deinit(&url);
    if (rc == GM_OK && out_answer->status != 200) {
        struct gm_str said = gm_buf_str(&out_answer->body);
        said.n = said.n < 300 ? said.n : 300;
        rc = gm_fail(err, GM_E_CONFIG, "%s: answer %ld: " GM_STR_FMT, place->url_z,
                     out_answer->status, GM_STR_ARG(said));
        gm_http_answer_free(out_answer);
    }
    return rc;
}

struct gm_str gm_load_body_of(struct gm_str event)
{
    struct gm_json_span body;
    gm_json_scan(event, GM_STR("$.\"body\""), &body);
    return body.rank == GM_JSON_RANK_OBJECT ? body.raw : event;
}

/* How many events a page has; each is added to the check. */
static size_t take_page(struct gm_load_check *check, struct gm_str page)
{
    struct gm_json_span values, event;
    size_t at = 0, count = 0;
    gm_json_scan(page, GM_STR("$.\"value\""), &values);
    while (values.rank == GM_JSON_RANK_ARRAY && gm_json_scan_item(values.raw, &at, &event)) {
        gm_load_check_add(check, gm_load_body_of(event.raw));
        count++;
    }
    return count;
}

gm_rc gm_load_check_url(struct gm_load_check *check, const struct gm_load_place *place,
                        struct gm_err *err)
{
    struct gm_buf cursor;
    size_t count = 1;
    gm_rc rc = GM_OK;
    gm_buf_init(&cursor, URL_SIZE_MAX);
    gm_buf_add_z(&cursor, "oldest");
    while (rc == GM_OK && count > 0) {
        struct gm_http_answer answer;
        struct gm_json_span next;
        rc = get_page(place, gm_buf_str(&cursor), &answer, err);
        if (rc != GM_OK) {
            break;
        }
        count = take_page(check, gm_buf_str(&answer.body));
        gm_json_scan(gm_buf_str(&answer.body), GM_STR("$.\"cursor\""), &next);
        gm_buf_reset(&cursor);
        gm_json_scan_text(&next, &cursor);
        if (count > 0 && cursor.n == 0) {
            rc = gm_fail(err, GM_E_INVALID, "%s: a page without a cursor: is this a stream?",
                         place->url_z);
        }
        gm_http_answer_free(&answer);
    }
    gm_buf_deinit(&cursor);
    return rc;
}
