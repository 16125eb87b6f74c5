/* JSON literals and canonical text. conf/ stands beside json/, not above it, and needs no more than
 * this of it. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/num.h"
#include "conf/inside.h"

static void add_escaped_byte(struct gm_buf *out, unsigned char c)
{
    switch (c) {
    case '"':
        gm_buf_add_z(out, "\\\"");
        break;
    case '\\':
        gm_buf_add_z(out, "\\\\");
        break;
    case '\n':
        gm_buf_add_z(out, "\\n");
        break;
    case '\r':
        gm_buf_add_z(out, "\\r");
        break;
    case '\t':
        gm_buf_add_z(out, "\\t");
        break;
    default:
        if (c < 0x20) {
            gm_buf_addf(out, "\\u%04x", c);
        } else {
            gm_buf_add_char(out, (char)c);
        }
        break;
    }
}

void gm_conf_add_json(struct gm_buf *out, struct gm_str s)
{
    gm_buf_add_char(out, '"');
    while (s.n > 0) {
        size_t bad_at = s.n;
        (void)gm_utf8_valid(s, &bad_at);
        bad_at = bad_at < s.n ? bad_at : s.n;
        for (size_t i = 0; i < bad_at; i++) {
            add_escaped_byte(out, (unsigned char)s.p[i]);
        }
        if (bad_at < s.n) { /* file names may hold anything */
            gm_buf_add_z(out, "\xEF\xBF\xBD");
            bad_at++;
        }
        s = (struct gm_str){s.p + bad_at, s.n - bad_at};
    }
    gm_buf_add_char(out, '"');
}

/* ---- canonical text ---- */

static int compare_keys(const void *a, const void *b)
{
    struct gm_node *const *x = a;
    struct gm_node *const *y = b;
    return gm_str_cmp((*x)->key, (*y)->key);
}

/* True for plain text that an owner may read as something else than text: `1` and `"1"` must
 * differ. */
static bool is_typed(const struct gm_node *node)
{
    double number;
    return !node->quoted && (gm_parse_double(node->text, &number) ||
                             gm_str_is(node->text, "true") || gm_str_is(node->text, "false"));
}

static void write_scalar(const struct gm_node *node, struct gm_buf *out)
{
    if (node->secret) {
        char hex[GM_HASH128_HEX_SIZE];
        gm_hash128_hex(gm_hash128(node->text, 0), hex);
        gm_buf_addf(out, "#%s", hex);
    } else if (is_typed(node)) {
        gm_buf_add(out, node->text);
    } else {
        gm_conf_add_json(out, node->text);
    }
}

static void write_map(const struct gm_node *node, struct gm_buf *out)
{
    struct gm_node **sorted = gm_alloc_array(node->item_count + 1, sizeof(struct gm_node *));
    if (node->item_count > 0) {
        memcpy(sorted, node->items, node->item_count * sizeof(struct gm_node *));
        qsort(sorted, node->item_count, sizeof(struct gm_node *), compare_keys);
    }
    bool first = true;
    gm_buf_add_char(out, '{');
    for (size_t i = 0; i < node->item_count; i++) {
        if (sorted[i]->type == GM_NODE_NULL) {
            continue; /* absent, for every decoder */
        }
        gm_buf_add_z(out, first ? "" : ",");
        gm_conf_add_json(out, sorted[i]->key);
        gm_buf_add_char(out, ':');
        gm_conf_write_canonical(sorted[i], out);
        first = false;
    }
    gm_buf_add_char(out, '}');
    gm_free(sorted);
}

void gm_conf_write_canonical(const struct gm_node *node, struct gm_buf *out)
{
    if (node == NULL || node->type == GM_NODE_NULL) {
        gm_buf_add_z(out, "null");
    } else if (node->type == GM_NODE_SCALAR) {
        write_scalar(node, out);
    } else if (node->type == GM_NODE_MAP) {
        write_map(node, out);
    } else {
        gm_buf_add_char(out, '[');
        for (size_t i = 0; i < node->item_count; i++) {
            gm_buf_add_z(out, i > 0 ? "," : "");
            gm_conf_write_canonical(node->items[i], out);
        }
        gm_buf_add_char(out, ']');
    }
}
