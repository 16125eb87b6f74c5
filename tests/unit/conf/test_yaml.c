#include "fixture.h"

#include <stdio.h>

/* The tree as one line: maps and lists in brackets, scalars as they are, quoted ones in quotes,
 * null as ~. */
static void show(const struct gm_node *node, struct gm_buf *out)
{
    if (node->key.n > 0) {
        gm_buf_addf(out, GM_STR_FMT ":", GM_STR_ARG(node->key));
    }
    if (node->type == GM_NODE_NULL) {
        gm_buf_add_char(out, '~');
    } else if (node->type == GM_NODE_SCALAR) {
        gm_buf_addf(out, node->quoted ? "'" GM_STR_FMT "'" : GM_STR_FMT, GM_STR_ARG(node->text));
    } else {
        gm_buf_add_char(out, node->type == GM_NODE_MAP ? '{' : '[');
        for (size_t i = 0; i < node->item_count; i++) {
            assert_ptr_equal(node->items[i]->parent, node);
            gm_buf_add_z(out, i > 0 ? " " : "");
            show(node->items[i], out);
        }
        gm_buf_add_char(out, node->type == GM_NODE_MAP ? '}' : ']');
    }
}

static void expect_tree(struct fixture *f, const char *text_z, const char *tree_z)
{
    const struct gm_node *root = gm_conf_load(f->doc, "a.yaml", gm_str_z(text_z));
    if (root == NULL) {
        fail_msg("%s: %s", text_z, take_errors(f));
    }
    gm_buf_reset(&f->out);
    show(root, &f->out);
    assert_string_equal(f->out.p, tree_z);
}

static void expect_error(struct fixture *f, struct gm_str text, const char *errors_z)
{
    assert_null(gm_conf_load(f->doc, "a.yaml", text));
    assert_true(gm_conf_error_count(f->doc) > 0);
    assert_string_equal(take_errors(f), errors_z);
}

static void yaml_becomes_a_tree(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "a: 1\nb:\n  - x\n  - 'y'\n  - {c: d, e: [1, 2]}\n",
                "{a:1 b:[x 'y' {c:d e:[1 2]}]}");
    expect_tree(f, "text: |\n  one\n  two\nfolded: >-\n  a\n  b\n",
                "{text:'one\ntwo\n' folded:'a b'}");
    expect_tree(f, "\"quoted key\": \"tab\\t\"\n", "{quoted key:'tab\t'}");
    expect_tree(f, "[]", "[]");
    expect_tree(f, "{}", "{}");
    expect_tree(f, "a: {}\nb: [{}, []]\n", "{a:{} b:[{} []]}");
    expect_tree(f, "just text", "just text");
    expect_tree(f, "---\na: 1\n...\n", "{a:1}");
    expect_tree(f,
                "\xEF\xBB\xBF"
                "a: 1\r\nb: \xC3\xBC\r\n",
                "{a:1 b:\xC3\xBC}");
    expect_tree(f, "{\"json\": [true, null, -1.5]}", "{json:[true ~ -1.5]}");
}

static void nothing_is_null_and_quotes_make_text(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "", "~");
    expect_tree(f, "# a comment only\n", "~");
    expect_tree(f, "a:\nb: ~\nc: null\nd: Null\ne: NULL\nf: ''\ng: 'null'\nh:\n  -\n",
                "{a:~ b:~ c:~ d:~ e:~ f:'' g:'null' h:[~]}");
}

static void places_count_from_one(void **state)
{
    struct fixture *f = *state;
    const struct gm_node *root =
        gm_conf_load(f->doc, "a.yaml", GM_STR("# c\na:\n  b: [x,\n    \xC3\xBC y, {z: 1}]\n"));
    assert_non_null(root);
    const struct gm_node *a = gm_node_member(root, GM_STR("a"));
    const struct gm_node *b = gm_node_member(a, GM_STR("b"));
    assert_int_equal(a->key_place.line, 2);
    assert_int_equal(a->key_place.column, 1);
    assert_int_equal(b->key_place.line, 3);
    assert_int_equal(b->key_place.column, 3);
    assert_int_equal(b->place.column, 6);
    assert_int_equal(b->items[1]->place.line, 4);
    assert_int_equal(b->items[1]->place.column, 5);
    const struct gm_node *z = gm_node_member(b->items[2], GM_STR("z"));
    assert_int_equal(z->place.column, 14); /* characters, not bytes */
    assert_string_equal(z->place.file_z, "a.yaml");
    gm_conf_path(z, &f->out);
    assert_string_equal(f->out.p, "a.b[2].z");
    assert_null(gm_node_member(root, GM_STR("b")));
    assert_null(gm_node_member(b, GM_STR("x")));
    assert_null(gm_node_member(NULL, GM_STR("x")));
}

static void aliases_and_merge_keys_leave_a_plain_tree(void **state)
{
    struct fixture *f = *state;
    expect_tree(f, "a: &x {k: [1, 2]}\nb: *x\nc: [*x, *x]\n",
                "{a:{k:[1 2]} b:{k:[1 2]} c:[{k:[1 2]} {k:[1 2]}]}");
    expect_tree(f, "a: &x one\nb: *x\na2: &x two\nb2: *x\n", "{a:one b:one a2:two b2:two}");
    expect_tree(f, "base: &b {p: 1, q: 2}\nuse:\n  <<: *b\n  q: 3\n",
                "{base:{p:1 q:2} use:{q:3 p:1}}");
    expect_tree(f, "a: &a {p: 1}\nb: &b {p: 2, q: 2}\nuse: {<<: [*a, *b], r: 3}\n",
                "{a:{p:1} b:{p:2 q:2} use:{r:3 p:1 q:2}}");
}

static void aliases_keep_their_own_path(void **state)
{
    struct fixture *f = *state;
    const struct gm_node *root =
        gm_conf_load(f->doc, "a.yaml", GM_STR("a: &x {k: [1, 2]}\nb: *x\n"));
    const struct gm_node *k = gm_node_member(gm_node_member(root, GM_STR("b")), GM_STR("k"));
    gm_conf_path(k->items[1], &f->out);
    assert_string_equal(f->out.p, "b.k[1]");
}

static void syntax_errors_have_a_place(void **state)
{
    struct fixture *f = *state;
    expect_error(f, GM_STR("a: [1, 2\n"),
                 "a.yaml:2:1: error: flow sequence without a closing bracket\n");
    expect_error(f, GM_STR("a: b: c\n"),
                 "a.yaml:1:5: error: invalid nested block mapping on the same line\n");
    expect_error(f, GM_STR("a:\n\t- x\n"),
                 "a.yaml:2:1: error: tab character may not be used as indentation\n");
    expect_error(f, GM_STR("a: \"x\n"),
                 "a.yaml:1:5: error: double-quoted scalar without closing quote\n");
    expect_error(f, GM_STR("%YAML 3.0\n---\na: 1\n"),
                 "a.yaml:1:1: error: the text from here on is not YAML 1.2\n");
}

static void what_the_library_would_swallow_is_refused(void **state)
{
    struct fixture *f = *state;
    expect_error(f, GM_STR("a: 1\nb: \xC3\xBC\xFF\n"),
                 "a.yaml:2:5: error: byte 0xFF is not UTF-8; save the file as UTF-8\n");
    expect_error(
        f, GM_STR("a: 1\n\0b: 2\n"),
        "a.yaml:2:1: error: control character 0x00; in quotes it is written as \"\\x00\"\n");
    expect_error(
        f, GM_STR("a: \x1b[0m\n"),
        "a.yaml:1:4: error: control character 0x1B; in quotes it is written as \"\\x1B\"\n");
}

static void every_duplicate_key_is_reported(void **state)
{
    struct fixture *f = *state;
    expect_error(f, GM_STR("a: 1\nb: {c: 1, c: 2}\na: 3\n"),
                 "a.yaml:2:11: error: `c` is set twice; the first time in line 2\n"
                 "a.yaml:3:1: error: `a` is set twice; the first time in line 1\n");
    gm_buf_reset(&f->out);
    for (int i = 0; i < 40; i++) {
        gm_buf_addf(&f->out, "k%d: 1\n", i % 39);
    }
    char *text = strdup(f->out.p);
    expect_error(f, gm_str_z(text),
                 "a.yaml:40:1: error: `k0` is set twice; the first time in line 1\n");
    free(text);
}

static void what_has_no_use_here_is_refused(void **state)
{
    struct fixture *f = *state;
    expect_error(
        f, GM_STR("a: 1\n---\nb: 2\n"),
        "a.yaml:2:1: error: a second document begins here; a configuration is one document\n");
    expect_error(f, GM_STR("a: !!int 3\n"),
                 "a.yaml:1:4: error: tags such as !!str have no use here; remove it\n");
    expect_error(f, GM_STR("a: !x {b: 1}\n"),
                 "a.yaml:1:4: error: tags such as !!str have no use here; remove it\n");
    expect_error(f, GM_STR("a: [*nope]\n"),
                 "a.yaml:1:5: error: unknown alias *nope; mark a value above it with &nope\n");
    expect_error(f, GM_STR("a: &x [*x]\n"),
                 "a.yaml:1:8: error: unknown alias *x; mark a value above it with &x\n");
    expect_error(f, GM_STR("? [1]\n: 2\n"),
                 "a.yaml:1:3: error: the name of a setting must be a text\n");
    expect_error(f, GM_STR("a:\n  : 2\n"),
                 "a.yaml:2:3: error: the name of a setting must be a text\n");
    expect_error(f, GM_STR("a: {<<: 1}\n"),
                 "a.yaml:1:9: error: `<<` takes a map or a list of maps, such as `<<: *common`\n");
}

static void depth_is_bounded(void **state)
{
    struct fixture *f = *state;
    char text[200];
    char tree[200];
    memset(text, '[', 32);
    memset(text + 32, ']', 32);
    text[64] = '\0';
    memcpy(tree, text, sizeof(tree));
    expect_tree(f, text, tree);
    memset(text, '[', 33);
    memset(text + 33, ']', 33);
    text[66] = '\0';
    expect_error(f, gm_str_z(text), "a.yaml:1:33: error: nested more than 32 levels deep\n");
    memset(text, '[', 20);
    memset(text + 20, ']', 20);
    text[40] = '\0';
    gm_buf_reset(&f->out);
    gm_buf_addf(&f->out, "a: &x %s\nb: %.20s*x%.20s\n", text, text, text + 20);
    char *deep = strdup(f->out.p);
    expect_error(f, gm_str_z(deep), "a.yaml:2:24: error: nested more than 32 levels deep\n");
    free(deep);
}

static void laughs_are_limited(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                               "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                               "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                               "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                               "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                               "f: [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    expect_error(f, GM_STR(text),
                 "a.yaml:6:5: error: more than 200000 values, counting what aliases repeat\n");
}

/* The library needs time by the square of their number. */
static void blank_lines_in_a_row_are_bounded(void **state)
{
    struct fixture *f = *state;
    char text[1100] = "a: |\n  x\n";
    size_t n = strlen(text);
    memset(text + n, '\n', 1000);
    memcpy(text + n + 1000, "  y\n", 5);
    assert_non_null(gm_conf_load(f->doc, "a.yaml", gm_str_z(text)));
    memset(text + n, '\n', 1001);
    memcpy(text + n + 1001, "  y\n", 5);
    expect_error(f, gm_str_z(text), "a.yaml:1003:1: error: more than 1000 blank lines in a row\n");
}

static void size_is_bounded(void **state)
{
    struct fixture *f = *state;
    char *text = malloc(GM_CONF_SIZE_MAX + 1);
    memset(text, '#', GM_CONF_SIZE_MAX + 1);
    assert_non_null(gm_conf_load(f->doc, "a.yaml", (struct gm_str){text, GM_CONF_SIZE_MAX}));
    expect_error(f, (struct gm_str){text, GM_CONF_SIZE_MAX + 1},
                 "a.yaml: error: larger than 4 MiB\n");
    free(text);
}

static void errors_are_json_too(void **state)
{
    struct fixture *f = *state;
    assert_null(gm_conf_load(f->doc, "a \"b\".yaml", GM_STR("a: 1\na: 2\n")));
    gm_conf_errors_json(f->doc, &f->out);
    assert_string_equal(f->out.p, "[{\"file\":\"a \\\"b\\\".yaml\",\"line\":2,\"column\":1,"
                                  "\"message\":\"`a` is set twice; the first time in line 1\"}]");
}

static void errors_beyond_the_limit_are_counted(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < GM_CONF_ERRORS_MAX + 57; i++) {
        gm_conf_error(f->doc, &(struct gm_place){"a.yaml", 1, 1}, "number %d", i);
    }
    assert_int_equal(gm_conf_error_count(f->doc), GM_CONF_ERRORS_MAX + 57);
    const char *text = take_errors(f);
    assert_non_null(strstr(text, "number 199\n"));
    assert_null(strstr(text, "number 200"));
    assert_non_null(strstr(text, "error: 57 more errors are not shown\n"));
}

static void long_messages_are_cut_between_characters(void **state)
{
    struct fixture *f = *state;
    char text[2000];
    for (size_t i = 0; i < sizeof(text) - 2; i += 2) {
        memcpy(text + i, "\xC3\xA9", 3);
    }
    gm_conf_error(f->doc, NULL, "x\n%s", text);
    const char *message = take_errors(f);
    assert_true(gm_utf8_valid(gm_str_z(message), NULL));
    assert_non_null(strstr(message, "error: x \xC3\xA9"));
    assert_non_null(strstr(message, "\xE2\x80\xA6\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(yaml_becomes_a_tree),
        TEST(nothing_is_null_and_quotes_make_text),
        TEST(places_count_from_one),
        TEST(aliases_and_merge_keys_leave_a_plain_tree),
        TEST(aliases_keep_their_own_path),
        TEST(syntax_errors_have_a_place),
        TEST(what_the_library_would_swallow_is_refused),
        TEST(every_duplicate_key_is_reported),
        TEST(what_has_no_use_here_is_refused),
        TEST(depth_is_bounded),
        TEST(laughs_are_limited),
        TEST(blank_lines_in_a_row_are_bounded),
        TEST(size_is_bounded),
        TEST(errors_are_json_too),
        TEST(errors_beyond_the_limit_are_counted),
        TEST(long_messages_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
