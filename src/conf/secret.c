/* Secrets: references to them, and keeping them out of what is shown. */
#include "base/coding.h"
#include "base/secrets.h"
#include "conf/inside.h"

enum { SECRET_SIZE_MAX = 64 << 10 };

/* ---- references ---- */

struct reference {
    struct gm_str kind; /* "env", "file", or a word that is neither */
    struct gm_str name;
};

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

enum reference_form { REFERENCE_NONE, REFERENCE_OPEN, REFERENCE_WHOLE };

/* Reads `${word:name}` at the start of *rest, and moves behind it. "${" without a word and a colon
 * is plain text. */
static enum reference_form read_reference(struct gm_str *rest, struct reference *out_reference)
{
    if (!gm_str_starts(*rest, GM_STR("${"))) {
        return REFERENCE_NONE;
    }
    size_t word = 2;
    while (word < rest->n && is_word_char(rest->p[word])) {
        word++;
    }
    if (word == 2 || word == rest->n || rest->p[word] != ':') {
        return REFERENCE_NONE;
    }
    const char *name = rest->p + word + 1;
    size_t left = rest->n - word - 1;
    const char *end = left > 0 ? memchr(name, '}', left) : NULL;
    if (end == NULL) {
        return REFERENCE_OPEN;
    }
    out_reference->kind = (struct gm_str){rest->p + 2, word - 2};
    out_reference->name = (struct gm_str){name, (size_t)(end - name)};
    rest->n -= (size_t)(end + 1 - rest->p);
    rest->p = end + 1;
    return REFERENCE_WHOLE;
}

static bool is_known_kind(struct gm_str kind)
{
    return gm_str_is(kind, "env") || gm_str_is(kind, "file");
}

bool gm_conf_has_reference(struct gm_str text)
{
    while (text.n > 0) {
        const char *dollar = memchr(text.p, '$', text.n);
        if (dollar == NULL) {
            return false;
        }
        text.n -= (size_t)(dollar - text.p);
        text.p = dollar;
        struct reference reference;
        if (read_reference(&text, &reference) == REFERENCE_WHOLE && is_known_kind(reference.kind)) {
            return true;
        }
        if (text.p == dollar) {
            text.p++;
            text.n--;
        }
    }
    return false;
}

/* ---- what is kept secret ---- */

/* As it is, as JSON spells it, and percent-encoded. */
static void add_secret(struct gm_str secret)
{
    struct gm_buf form;
    gm_buf_init(&form, 8 * (size_t)SECRET_SIZE_MAX);
    gm_secret_add(secret);
    gm_conf_add_json(&form, secret);
    if (form.p != NULL && !gm_buf_failed(&form)) {
        gm_secret_add((struct gm_str){form.p + 1, form.n - 2}); /* without its quotes */
    }
    gm_buf_reset(&form);
    gm_percent_add(&form, secret);
    if (!gm_buf_failed(&form)) {
        gm_secret_add(gm_buf_str(&form));
    }
    gm_buf_deinit(&form);
}

static bool has_scheme(struct gm_str text)
{
    size_t n = 0;
    while (n < text.n &&
           (is_word_char(text.p[n]) || text.p[n] == '+' || text.p[n] == '-' || text.p[n] == '.')) {
        n++;
    }
    return n > 1 && n < text.n && text.p[n] == ':';
}

/* In scheme://user:password@host the password; in scheme:rest nothing; else the whole text. libpq's
 * other spelling, "host=db password=x", is a whole text. */
static void add_literal(struct gm_str text)
{
    if (!has_scheme(text)) {
        add_secret(text);
        return;
    }
    struct gm_str head;
    struct gm_str rest;
    gm_str_cut(text, ':', &head, &rest);
    if (!gm_str_starts(rest, GM_STR("//"))) {
        return;
    }
    struct gm_str authority = {rest.p + 2, rest.n - 2};
    size_t end = 0;
    size_t at = SIZE_MAX;
    for (; end < authority.n && authority.p[end] != '/' && authority.p[end] != '?'; end++) {
        at = authority.p[end] == '@' ? end : at;
    }
    if (at != SIZE_MAX) {
        struct gm_str user;
        struct gm_str password;
        if (gm_str_cut((struct gm_str){authority.p, at}, ':', &user, &password)) {
            add_secret(password);
        }
    }
}

/* ---- resolving ---- */

static struct gm_str without_line_end(struct gm_str s)
{
    if (s.n > 0 && s.p[s.n - 1] == '\n') {
        s.n--;
        if (s.n > 0 && s.p[s.n - 1] == '\r') {
            s.n--;
        }
    }
    return s;
}

static bool resolve(struct gm_conf_doc *doc, const struct gm_node *node,
                    const struct reference *reference, struct gm_buf *text)
{
    struct gm_str name = reference->name;
    struct gm_err err = {0};
    struct gm_buf value;
    gm_buf_init(&value, SECRET_SIZE_MAX);
    bool is_file = gm_str_is(reference->kind, "file");
    if (is_file) {
        name = gm_str_z(gm_conf_resolve_path(doc, node->place.file_z, name));
    }
    gm_rc rc = doc->resolver.lookup != NULL
                   ? doc->resolver.lookup(doc->resolver.ctx, reference->kind, name, &value, &err)
                   : gm_fail(&err, GM_E_CONFIG, "references are not resolved here");
    struct gm_str found = is_file ? without_line_end(gm_buf_str(&value)) : gm_buf_str(&value);
    if (rc == GM_OK && gm_buf_failed(&value)) {
        rc = gm_fail(&err, GM_E_LIMIT, "longer than %d bytes", SECRET_SIZE_MAX);
    } else if (rc == GM_OK && found.n > 0 && memchr(found.p, '\0', found.n) != NULL) {
        rc = gm_fail(&err, GM_E_CONFIG, "contains a zero byte");
    }
    if (rc == GM_OK) {
        add_secret(found);
        gm_buf_add(text, found);
    } else {
        gm_conf_error(doc, &node->place, "`%s`: ${" GM_STR_FMT ":" GM_STR_FMT "}: %s",
                      gm_conf_setting_path(doc, node, NULL), GM_STR_ARG(reference->kind),
                      GM_STR_ARG(reference->name), err.text);
    }
    gm_buf_deinit(&value);
    return rc == GM_OK;
}

static bool expand_reference(struct gm_conf_doc *doc, const struct gm_node *node,
                             const struct reference *reference, struct gm_buf *text)
{
    if (!is_known_kind(reference->kind) || reference->name.n == 0) {
        gm_conf_error(doc, &node->place,
                      "`%s`: unknown reference ${" GM_STR_FMT ":" GM_STR_FMT
                      "}; write ${env:NAME} or ${file:PATH}, or $${ for ${ itself",
                      gm_conf_setting_path(doc, node, NULL), GM_STR_ARG(reference->kind),
                      GM_STR_ARG(reference->name));
        return false;
    }
    return resolve(doc, node, reference, text);
}

/* The text with its references replaced. *out_count: how many there were. */
static bool expand(struct gm_conf_doc *doc, const struct gm_node *node, struct gm_buf *text,
                   size_t *out_count)
{
    bool expanded = true;
    struct gm_str rest = node->text;
    while (rest.n > 0) {
        struct reference reference;
        if (gm_str_starts(rest, GM_STR("$${"))) {
            gm_buf_add(text, GM_STR("${"));
            rest = (struct gm_str){rest.p + 3, rest.n - 3};
            continue;
        }
        switch (read_reference(&rest, &reference)) {
        case REFERENCE_WHOLE:
            expanded &= expand_reference(doc, node, &reference, text);
            ++*out_count;
            break;
        case REFERENCE_OPEN:
            gm_conf_error(
                doc, &node->place,
                "`%s`: a reference has no closing }; write ${env:NAME}, or $${ for ${ itself",
                gm_conf_setting_path(doc, node, NULL));
            return false;
        default:
            gm_buf_add_char(text, *rest.p);
            rest = (struct gm_str){rest.p + 1, rest.n - 1};
            break;
        }
    }
    return expanded;
}

const char *gm_conf_decode_secret(struct gm_conf_doc *doc, struct gm_node *node)
{
    node->secret = true;
    struct gm_buf text;
    gm_buf_init(&text, GM_CONF_SIZE_MAX);
    size_t reference_count = 0;
    const char *copy = NULL;
    if (expand(doc, node, &text, &reference_count)) {
        if (gm_buf_failed(&text)) {
            gm_conf_error(doc, &node->place, "`%s`: longer than %d bytes",
                          gm_conf_setting_path(doc, node, NULL), GM_CONF_SIZE_MAX);
        } else {
            copy = gm_conf_dup_z(doc, gm_buf_str(&text));
        }
    }
    if (copy != NULL && text.p != NULL && reference_count == 0) {
        add_literal(gm_buf_str(&text));
    }
    gm_buf_deinit(&text);
    return copy;
}
