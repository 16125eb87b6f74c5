/* JSON Pointer (RFC 6901). */
#include "json/nodes.h"

bool gm_json_pointer_valid(struct gm_str pointer)
{
    if (pointer.n > 0 && pointer.p[0] != '/') {
        return false;
    }
    for (size_t i = 0; i < pointer.n; i++) {
        if (pointer.p[i] == '~' &&
            (i + 1 == pointer.n || (pointer.p[i + 1] != '0' && pointer.p[i + 1] != '1'))) {
            return false;
        }
    }
    return true;
}

bool gm_json_token_next(struct gm_str *rest, struct gm_str *out_token)
{
    if (rest->n == 0) {
        return false;
    }
    const char *start = rest->p + 1; /* behind the slash */
    size_t left = rest->n - 1;
    const char *slash = left > 0 ? memchr(start, '/', left) : NULL;
    *out_token = (struct gm_str){start, slash != NULL ? (size_t)(slash - start) : left};
    rest->p = start + out_token->n;
    rest->n = left - out_token->n;
    return true;
}

size_t gm_json_token_unescape(struct gm_str token, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] == '~' && i + 1 < token.n) {
            out[n++] = token.p[++i] == '0' ? '~' : '/';
        } else {
            out[n++] = token.p[i];
        }
    }
    return n;
}

bool gm_json_token_index(struct gm_str token, size_t *out_index)
{
    enum { DIGITS_MAX = 18 }; /* more items than fit into any memory */
    if (token.n == 0 || token.n > DIGITS_MAX || (token.n > 1 && token.p[0] == '0')) {
        return false;
    }
    size_t index = 0;
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] < '0' || token.p[i] > '9') {
            return false;
        }
        index = index * 10 + (size_t)(token.p[i] - '0');
    }
    *out_index = index;
    return true;
}

/* Compares without a copy of the token. */
static bool token_is(struct gm_str token, struct gm_str name)
{
    size_t k = 0;
    for (size_t i = 0; i < token.n; i++, k++) {
        char c = token.p[i];
        if (c == '~' && i + 1 < token.n) {
            c = token.p[++i] == '0' ? '~' : '/';
        }
        if (k >= name.n || name.p[k] != c) {
            return false;
        }
    }
    return k == name.n;
}

static yyjson_mut_val *escaped_member(const yyjson_mut_val *object, struct gm_str token)
{
    size_t count = gm_json_len(object);
    yyjson_mut_val *name = count > 0 ? gm_json_first_name(object) : NULL;
    for (; count > 0; count--) {
        if (token_is(token, gm_json_view(name))) {
            return name->next;
        }
        name = name->next->next;
    }
    return NULL;
}

static yyjson_mut_val *item_at(const yyjson_mut_val *array, size_t index)
{
    if (index >= gm_json_len(array)) {
        return NULL;
    }
    yyjson_mut_val *item = gm_json_first_item(array);
    for (; index > 0; index--) {
        item = item->next;
    }
    return item;
}

yyjson_mut_val *gm_json_step(const yyjson_mut_val *container, struct gm_str token)
{
    if (gm_json_is_object(container)) {
        bool escaped = token.n > 0 && memchr(token.p, '~', token.n) != NULL;
        return escaped ? escaped_member(container, token) : gm_json_member(container, token);
    }
    size_t index;
    if (gm_json_is_array(container) && gm_json_token_index(token, &index)) {
        return item_at(container, index);
    }
    return NULL;
}

yyjson_mut_val *gm_json_pointer(yyjson_mut_val *value, struct gm_str pointer)
{
    if (!gm_json_pointer_valid(pointer)) {
        return NULL;
    }
    struct gm_str token;
    while (value != NULL && gm_json_token_next(&pointer, &token)) {
        value = gm_json_step(value, token);
    }
    return value;
}
