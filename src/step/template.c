/* Templates: "product-{ProductID}", "{Name|slug}", with {{ and }} for the braces themselves. */
#include "step/convert.h"

/* ---- compiling ---- */

/* Bytes of a path inside braces: up to '}' or '|', which may stand inside [[ ]]. */
static size_t path_size(struct gm_str rest)
{
    size_t n = 0;
    bool raw = false;
    while (n < rest.n) {
        bool pair = n + 1 < rest.n && rest.p[n] == rest.p[n + 1];
        if (pair && rest.p[n] == (raw ? ']' : '[')) {
            raw = !raw;
            n += 2;
            continue;
        }
        if (!raw && (rest.p[n] == '}' || rest.p[n] == '|')) {
            break;
        }
        n++;
    }
    return n;
}

struct parse {
    struct gm_step_compile *c;
    const struct gm_node *node;
    struct gm_str name;
    struct gm_str rest;
    struct gm_template_part parts[GM_TEMPLATE_PARTS_MAX];
    size_t count;
};

static bool fail(const struct parse *parse, const char *what_z)
{
    gm_conf_error(parse->c->doc, &parse->node->place, "`" GM_STR_FMT "`: %s",
                  GM_STR_ARG(parse->name), what_z);
    return false;
}

static struct gm_template_part *part_add(struct parse *parse)
{
    if (parse->count == GM_TEMPLATE_PARTS_MAX) {
        return NULL;
    }
    struct gm_template_part *part = &parse->parts[parse->count++];
    *part = (struct gm_template_part){0};
    return part;
}

/* Text up to the next path, with doubled braces undone. */
static bool take_text(struct parse *parse)
{
    char *text = gm_step_alloc(parse->c, parse->rest.n, 1);
    size_t n = 0;
    size_t i = 0;
    while (i < parse->rest.n) {
        char ch = parse->rest.p[i];
        bool brace = ch == '{' || ch == '}';
        bool doubled = brace && i + 1 < parse->rest.n && parse->rest.p[i + 1] == ch;
        if (ch == '}' && !doubled) {
            return fail(parse, "`}` without `{`; a brace itself is written `}}`");
        }
        if (ch == '{' && !doubled) {
            break;
        }
        text[n++] = ch;
        i += doubled ? 2 : 1;
    }
    parse->rest = (struct gm_str){parse->rest.p + i, parse->rest.n - i};
    if (n == 0) {
        return true;
    }
    struct gm_template_part *part = part_add(parse);
    if (part == NULL) {
        return fail(parse, "too many parts");
    }
    part->text = (struct gm_str){text, n};
    return true;
}

/* {path} or {path|slug} */
static bool take_path(struct parse *parse)
{
    struct gm_str rest = {parse->rest.p + 1, parse->rest.n - 1};
    size_t n = path_size(rest);
    struct gm_str text = gm_str_trim((struct gm_str){rest.p, n});
    rest = (struct gm_str){rest.p + n, rest.n - n};
    bool slug = false;
    if (rest.n > 0 && rest.p[0] == '|') {
        struct gm_str form;
        struct gm_str behind;
        slug = gm_str_cut((struct gm_str){rest.p + 1, rest.n - 1}, '}', &form, &behind);
        if (slug && !gm_str_is(gm_str_trim(form), "slug")) {
            return fail(parse, "behind `|` stands `slug`");
        }
        rest = slug ? (struct gm_str){behind.p - 1, behind.n + 1} : (struct gm_str){NULL, 0};
    }
    if (rest.n == 0) {
        return fail(parse, "`{` is not closed; a brace itself is written `{{`");
    }
    if (text.n == 0) {
        return fail(parse, "there is no column between `{` and `}`; the braces themselves are "
                           "written `{{` and `}}`");
    }
    struct gm_template_part *part = part_add(parse);
    if (part == NULL) {
        return fail(parse, "too many parts");
    }
    part->path = gm_step_path(parse->c, text, &parse->node->place);
    part->slug = slug;
    parse->rest = (struct gm_str){rest.p + 1, rest.n - 1};
    return part->path != NULL;
}

bool gm_template_compile(struct gm_step_compile *c, const struct gm_node *node, struct gm_str name,
                         struct gm_template *out_template)
{
    struct parse parse = {.c = c, .node = node, .name = name, .rest = node->text};
    if (node->type != GM_NODE_SCALAR || node->text.n == 0) {
        return fail(&parse, "expected text, as in \"product-{ProductID}\"");
    }
    struct gm_err err = {0};
    if (gm_convert_check_text(node->text, &err) != GM_OK) {
        return fail(&parse, err.text);
    }
    while (parse.rest.n > 0) {
        if (!take_text(&parse) || (parse.rest.n > 0 && !take_path(&parse))) {
            return false;
        }
    }
    out_template->count = parse.count;
    out_template->parts = gm_step_alloc(c, parse.count, sizeof(parse.parts[0]));
    memcpy(out_template->parts, parse.parts, parse.count * sizeof(parse.parts[0]));
    return true;
}

/* ---- rendering ---- */

/* Lower-case ASCII letters and digits; each row of anything else becomes one '-', none at the
 * ends. */
static gm_rc make_slug(struct gm_arena *arena, struct gm_str text, struct gm_str *out_slug,
                       struct gm_err *err)
{
    char *slug = gm_arena_alloc(arena, text.n);
    if (slug == NULL) {
        return gm_convert_fail_full(err);
    }
    size_t n = 0;
    bool gap = false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] - 'A' + 'a') : text.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            gap = n > 0;
            continue;
        }
        if (gap) {
            slug[n++] = '-';
            gap = false;
        }
        slug[n++] = c;
    }
    if (n == 0) {
        struct gm_cell cell = {.type = GM_CELL_TEXT, .as.s = text};
        return gm_convert_fail("ASCII letters or digits for a slug", &cell, err);
    }
    *out_slug = (struct gm_str){slug, n};
    return GM_OK;
}

static gm_rc render_cell(const struct gm_template_part *part, struct gm_arena *arena,
                         const struct gm_cell *cell, struct gm_str *out_text, struct gm_err *err)
{
    if (cell->type == GM_CELL_JSON) {
        return gm_convert_fail("text or a number", cell, err);
    }
    struct gm_str text = gm_cell_text(arena, cell);
    if (text.p == NULL) {
        return gm_convert_fail_full(err);
    }
    if (cell->type == GM_CELL_TEXT) {
        GM_TRY(gm_convert_check_text(text, err));
    }
    if (part->slug) {
        GM_TRY(make_slug(arena, text, &text, err));
    }
    *out_text = text;
    return GM_OK;
}

/* Fills `pieces`; *out_null is the path of the first null. */
static gm_rc render_parts(const struct gm_template *template, const struct gm_step_run *run,
                          struct gm_str *pieces, const struct gm_path **out_null,
                          struct gm_err *err)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct gm_template_part *part = &template->parts[i];
        if (part->path == NULL) {
            pieces[i] = part->text;
            continue;
        }
        struct gm_cell cell;
        bool absent;
        GM_TRY(gm_step_get(run, part->path, &cell, &absent, err));
        if (cell.type == GM_CELL_NULL) {
            *out_null = part->path;
            return GM_OK;
        }
        gm_rc rc = render_cell(part, run->batch->arena, &cell, &pieces[i], err);
        if (rc != GM_OK) {
            return rc == GM_E_INVALID ? gm_step_fail_at(run, part->path, err) : rc;
        }
    }
    return GM_OK;
}

gm_rc gm_template_render(const struct gm_template *template, const struct gm_step_run *run,
                         struct gm_str *out_text, const struct gm_path **out_null,
                         struct gm_err *err)
{
    struct gm_str pieces[GM_TEMPLATE_PARTS_MAX];
    memset(pieces, 0, template->count * sizeof(pieces[0])); /* not all 32 */
    *out_null = NULL;
    GM_TRY(render_parts(template, run, pieces, out_null, err));
    if (*out_null != NULL || template->count == 1) {
        *out_text = *out_null != NULL ? (struct gm_str){NULL, 0} : pieces[0];
        return GM_OK;
    }
    size_t n = 0;
    for (size_t i = 0; i < template->count; i++) {
        n += pieces[i].n;
    }
    char *text = gm_arena_alloc(run->batch->arena, n);
    if (text == NULL) {
        return gm_convert_fail_full(err);
    }
    char *to = text;
    for (size_t i = 0; i < template->count; i++) {
        if (pieces[i].n > 0) {
            memcpy(to, pieces[i].p, pieces[i].n);
            to += pieces[i].n;
        }
    }
    *out_text = (struct gm_str){text, n};
    return GM_OK;
}
