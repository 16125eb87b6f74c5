/* Continuation tokens: {"query":"…","leg":0,"left":20,"after":[17,"r1"]}. `left` is there with TOP
 * only. A token is input like any other: it is checked, and what it holds is bound, never
 * spliced. What rows are ordered by may be a number with a fraction. */
#include "base/num.h"
#include "twin/query_plan.h"

enum { TOKEN_SIZE_MAX = 1 << 20 };

gm_rc gm_query_token_write(const struct gm_query_position *position, struct gm_buf *out,
                           struct gm_err *err)
{
    gm_buf_add(out, GM_STR("{\"query\":"));
    gm_json_quote(out, position->text);
    gm_buf_addf(out, ",\"leg\":%zu", position->leg);
    if (position->left >= 0) {
        gm_buf_addf(out, ",\"left\":%lld", (long long)position->left);
    }
    gm_buf_add(out, GM_STR(",\"after\":["));
    for (int i = 0; i < position->key_count; i++) {
        const struct gm_sql_param *key = &position->keys[i];
        gm_buf_add_z(out, i > 0 ? "," : "");
        if (key->type == GM_SQL_PARAM_TEXT) {
            gm_json_quote(out, key->s);
        } else if (key->type == GM_SQL_PARAM_DOUBLE) {
            char number[GM_NUM_TEXT_SIZE];
            gm_buf_add(out, (struct gm_str){number, gm_format_double(key->d, number)});
        } else {
            gm_buf_addf(out, "%lld", (long long)key->i);
        }
    }
    gm_buf_add(out, GM_STR("]}"));
    return gm_buf_failed(out) ? gm_fail(err, GM_E_LIMIT, "no room for the continuation token")
                              : GM_OK;
}

gm_rc gm_query_token_refuse(struct gm_err *err)
{
    return gm_fail(err, GM_E_INVALID,
                   "the continuation token does not belong to this query; start it again without");
}

static bool read_keys(yyjson_mut_val *after, struct gm_query_position *position)
{
    size_t count = yyjson_mut_is_arr(after) ? gm_json_count(after) : 0;
    if (count == 0 || count > GM_PLAN_KEYS_MAX) {
        return false;
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(after);
    for (yyjson_mut_val *key; (key = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        struct gm_sql_param *param = &position->keys[position->key_count++];
        if (!yyjson_mut_is_str(key) && !yyjson_mut_is_num(key)) {
            return false;
        }
        param->type = yyjson_mut_is_str(key)    ? GM_SQL_PARAM_TEXT
                      : yyjson_mut_is_real(key) ? GM_SQL_PARAM_DOUBLE
                                                : GM_SQL_PARAM_I64;
        param->i = yyjson_mut_get_sint(key);
        param->d = yyjson_mut_get_real(key);
        param->s = gm_json_str(key);
    }
    return true;
}

gm_rc gm_query_token_read(yyjson_mut_doc *doc, struct gm_str token,
                          struct gm_query_position *position, struct gm_err *err)
{
    yyjson_mut_val *root;
    struct gm_err ignored;
    if (token.n > TOKEN_SIZE_MAX || gm_json_parse(doc, token, &root, &ignored) != GM_OK) {
        return gm_query_token_refuse(err);
    }
    struct gm_str text = gm_json_member_str(root, "query");
    yyjson_mut_val *leg = gm_json_member(root, GM_STR("leg"));
    yyjson_mut_val *left = gm_json_member(root, GM_STR("left"));
    bool same = position->text.n == 0 || gm_str_eq(position->text, text);
    bool leg_is_sound = yyjson_mut_is_uint(leg) && yyjson_mut_get_uint(leg) < GM_QUERY_LEGS_MAX;
    bool left_is_sound =
        left == NULL || (yyjson_mut_is_int(left) && yyjson_mut_get_sint(left) >= 0);
    if (text.p == NULL || !same || !leg_is_sound || !left_is_sound ||
        !read_keys(gm_json_member(root, GM_STR("after")), position)) {
        return gm_query_token_refuse(err);
    }
    position->text = text;
    position->leg = (size_t)yyjson_mut_get_uint(leg);
    position->left = left != NULL ? yyjson_mut_get_sint(left) : -1;
    return GM_OK;
}
