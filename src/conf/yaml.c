/* YAML text to nodes: the only file that includes libfyaml (https://github.com/pantoniou/libfyaml).
 *
 * The library delivers events; the tree is built here, so that its limits are ours: depth, number
 * of nodes (aliases are copied, and what they multiply counts), no tags, one document. Two things
 * it does silently are caught before it sees the text: it ends the document at a zero byte, and the
 * line at a byte that is not UTF-8. */
#include <libfyaml.h>

#include "conf/inside.h"

/* Maps up to this size are checked for duplicates pair by pair. */
enum { PAIRWISE_MAX = 16 };

/* The library's time grows by the square of blank lines in a row within a text: a file of them
 * would take hours. */
enum { BLANK_LINES_MAX = 1000 };

struct frame {
    struct gm_node *node;
    size_t first; /* of its items in loading.open */
    bool has_key; /* map: the name was read, its value comes next */
    struct gm_str key;
    struct gm_place key_place;
    struct gm_str anchor; /* empty: none */
};

struct loading {
    struct gm_conf_doc *doc;
    const char *file_z;
    struct gm_node *root;
    struct frame frames[GM_CONF_DEPTH_MAX];
    size_t depth;
    GM_VEC(struct gm_node *) open; /* items of the open maps and lists, innermost last */
    struct gm_map *anchors;        /* name → node that is complete */
    size_t node_count;
    size_t document_count;
    struct gm_place last; /* of what was read last */
};

static struct gm_place place_of(struct loading *loading, struct fy_token *token)
{
    const struct fy_mark *mark = token != NULL ? fy_token_start_mark(token) : NULL;
    if (mark != NULL) {
        loading->last.line = mark->line + 1;
        loading->last.column = mark->column + 1;
    }
    return loading->last;
}

/* The library's mark of an alias and of a text in quotes is behind their first character. */
static struct gm_place place_before(struct loading *loading, struct fy_token *token)
{
    struct gm_place place = place_of(loading, token);
    if (token != NULL && place.column > 1) {
        place.column--;
    }
    return place;
}

static struct gm_str text_of(struct loading *loading, struct fy_token *token)
{
    size_t n = 0;
    const char *p = token != NULL ? fy_token_get_text(token, &n) : NULL;
    return gm_arena_dup(loading->doc->arena, (struct gm_str){p, p != NULL ? n : 0});
}

static struct gm_node *new_node(struct loading *loading, enum gm_node_type type)
{
    if (++loading->node_count > GM_CONF_NODES_MAX) {
        gm_conf_error(loading->doc, &loading->last,
                      "more than %d values, counting what aliases repeat", GM_CONF_NODES_MAX);
        return NULL;
    }
    struct gm_node *node = gm_conf_alloc(loading->doc, sizeof(*node));
    if (node != NULL) {
        node->type = type;
    }
    return node;
}

static bool take_key(struct loading *loading, struct frame *top, const struct gm_node *node)
{
    if (node->type != GM_NODE_SCALAR || node->text.n == 0) {
        gm_conf_error(loading->doc, &node->place, "the name of a setting must be a text");
        return false;
    }
    top->has_key = true;
    top->key = node->text;
    top->key_place = node->place;
    return true;
}

/* Puts the node where it stands: the root, an item of the list, a name or a value of the map. */
static bool attach(struct loading *loading, struct gm_node *node)
{
    if (loading->depth == 0) {
        loading->root = node;
        return true;
    }
    struct frame *top = &loading->frames[loading->depth - 1];
    if (top->node->type == GM_NODE_MAP) {
        if (!top->has_key) {
            return take_key(loading, top, node);
        }
        node->key = top->key;
        node->key_place = top->key_place;
        if (node->type == GM_NODE_NULL && node->text.n == 0) {
            node->place = top->key_place; /* what is not there: the library's versions disagree */
        }
        top->has_key = false;
    }
    node->parent = top->node;
    *gm_vec_push(&loading->open) = node;
    return true;
}

static void remember_anchor(struct loading *loading, struct gm_str anchor, struct gm_node *node)
{
    if (anchor.n > 0) {
        gm_map_set_ptr(loading->anchors, anchor, node);
    }
}

static bool refuse_tag(struct loading *loading, struct fy_token *tag)
{
    if (tag != NULL) {
        struct gm_place place = place_of(loading, tag);
        gm_conf_error(loading->doc, &place, "tags such as !!str have no use here; remove it");
    }
    return tag == NULL;
}

static bool is_null_text(struct gm_str text)
{
    return text.n == 0 || gm_str_is(text, "~") || gm_str_is(text, "null") ||
           gm_str_is(text, "Null") || gm_str_is(text, "NULL");
}

static bool read_scalar(struct loading *loading, const struct fy_event_scalar_data *scalar)
{
    if (!refuse_tag(loading, scalar->tag)) {
        return false;
    }
    struct gm_node *node = new_node(loading, GM_NODE_SCALAR);
    if (node == NULL) {
        return false;
    }
    enum fy_scalar_style style =
        scalar->value != NULL ? fy_token_scalar_style(scalar->value) : FYSS_PLAIN;
    bool in_quotes = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
    node->place =
        in_quotes ? place_before(loading, scalar->value) : place_of(loading, scalar->value);
    node->text = text_of(loading, scalar->value);
    node->quoted = style != FYSS_PLAIN;
    if (!node->quoted && is_null_text(node->text)) {
        node->type = GM_NODE_NULL;
    }
    remember_anchor(loading, text_of(loading, scalar->anchor), node);
    return attach(loading, node);
}

static bool open_container(struct loading *loading, enum gm_node_type type, struct fy_token *start,
                           struct fy_token *anchor)
{
    struct gm_place place = place_of(loading, start);
    if (loading->depth == GM_CONF_DEPTH_MAX) {
        gm_conf_error(loading->doc, &place, "nested more than %d levels deep", GM_CONF_DEPTH_MAX);
        return false;
    }
    struct gm_node *node = new_node(loading, type);
    if (node == NULL) {
        return false;
    }
    node->place = place;
    if (!attach(loading, node)) {
        return false;
    }
    loading->frames[loading->depth++] =
        (struct frame){.node = node, .first = loading->open.n, .anchor = text_of(loading, anchor)};
    return true;
}

/* ---- aliases and merge keys ---- */

static struct gm_node *copy_tree(struct loading *loading, const struct gm_node *from, size_t depth)
{
    if (from->item_count > 0 && depth >= GM_CONF_DEPTH_MAX) {
        gm_conf_error(loading->doc, &loading->last, "nested more than %d levels deep",
                      GM_CONF_DEPTH_MAX);
        return NULL;
    }
    struct gm_node *node = new_node(loading, from->type);
    if (node == NULL) {
        return NULL;
    }
    *node = *from;
    if (from->item_count > 0) {
        node->items = gm_conf_alloc(loading->doc, from->item_count * sizeof(struct gm_node *));
        if (node->items == NULL) {
            return NULL;
        }
    }
    for (size_t i = 0; i < from->item_count; i++) {
        node->items[i] = copy_tree(loading, from->items[i], depth + 1);
        if (node->items[i] == NULL) {
            return NULL;
        }
        node->items[i]->parent = node;
    }
    return node;
}

static bool read_alias(struct loading *loading, struct fy_token *token)
{
    struct gm_place place = place_before(loading, token);
    struct gm_str name = text_of(loading, token);
    const struct gm_node *target = gm_map_get_ptr(loading->anchors, name);
    if (target == NULL) {
        gm_conf_error(loading->doc, &place,
                      "unknown alias *" GM_STR_FMT "; mark a value above it with &" GM_STR_FMT,
                      GM_STR_ARG(name), GM_STR_ARG(name));
        return false;
    }
    loading->last = place;
    struct gm_node *node = copy_tree(loading, target, loading->depth);
    if (node == NULL) {
        return false;
    }
    node->place = place;
    node->key = (struct gm_str){NULL, 0};
    node->key_place = (struct gm_place){0};
    return attach(loading, node);
}

static bool is_merge_key(const struct gm_node *node)
{
    return gm_str_is(node->key, "<<");
}

/* Appends to loading.open those members of `source` whose names the map does not have. */
static bool merge_members(struct loading *loading, const struct gm_node *source,
                          struct gm_node *map, struct gm_map *names)
{
    if (source->type != GM_NODE_MAP) {
        gm_conf_error(loading->doc, &source->place,
                      "`<<` takes a map or a list of maps, such as `<<: *common`");
        return false;
    }
    for (size_t i = 0; i < source->item_count; i++) {
        if (!gm_map_set(names, source->items[i]->key, 0)) {
            continue;
        }
        struct gm_node *copy = copy_tree(loading, source->items[i], loading->depth);
        if (copy == NULL) {
            return false;
        }
        copy->parent = map;
        *gm_vec_push(&loading->open) = copy;
    }
    return true;
}

/* Replaces the member `<<`, at `at` in loading.open, by the members it stands for. */
static bool apply_merge(struct loading *loading, struct gm_node *map, size_t first, size_t at)
{
    const struct gm_node *merge = loading->open.at[at];
    struct gm_map *names = gm_map_new();
    for (size_t i = first; i < loading->open.n; i++) {
        gm_map_set(names, loading->open.at[i]->key, 0);
    }
    memmove(&loading->open.at[at], &loading->open.at[at + 1],
            (loading->open.n - at - 1) * sizeof(loading->open.at[0]));
    loading->open.n--;
    bool merged = true;
    if (merge->type == GM_NODE_LIST) {
        for (size_t i = 0; i < merge->item_count && merged; i++) {
            merged = merge_members(loading, merge->items[i], map, names);
        }
    } else {
        merged = merge_members(loading, merge, map, names);
    }
    gm_map_free(names);
    return merged;
}

/* ---- the end of a map or list ---- */

static void report_duplicate(struct loading *loading, const struct gm_node *first,
                             const struct gm_node *again)
{
    gm_conf_error(loading->doc, &again->key_place,
                  "`" GM_STR_FMT "` is set twice; the first time in line %d",
                  GM_STR_ARG(again->key), (int)first->key_place.line);
}

static void check_duplicates(struct loading *loading, struct gm_node *const *items, size_t count)
{
    if (count <= PAIRWISE_MAX) {
        for (size_t i = 1; i < count; i++) {
            for (size_t k = 0; k < i; k++) {
                if (gm_str_eq(items[i]->key, items[k]->key)) {
                    report_duplicate(loading, items[k], items[i]);
                    break;
                }
            }
        }
        return;
    }
    struct gm_map *names = gm_map_new();
    for (size_t i = 0; i < count; i++) {
        uint64_t first;
        if (gm_map_get(names, items[i]->key, &first)) {
            report_duplicate(loading, items[first], items[i]);
        } else {
            gm_map_set(names, items[i]->key, i);
        }
    }
    gm_map_free(names);
}

/* What only maps need: names that are set once, and merge keys replaced by what they stand for. */
static bool finish_map(struct loading *loading, struct gm_node *map, size_t first)
{
    struct gm_node *const *items = loading->open.at + first;
    size_t count = loading->open.n - first;
    check_duplicates(loading, items, count);
    for (size_t i = 0; i < count; i++) {
        if (is_merge_key(items[i])) {
            return apply_merge(loading, map, first, first + i);
        }
    }
    return true;
}

/* The items from `first` on, in the memory of the doc; NULL at its limit. */
static struct gm_node **copy_items(struct loading *loading, size_t first)
{
    size_t size = (loading->open.n - first) * sizeof(struct gm_node *);
    struct gm_node **items = gm_conf_alloc(loading->doc, size);
    if (items != NULL && size > 0) {
        memcpy(items, loading->open.at + first, size);
    }
    return items;
}

static bool close_container(struct loading *loading)
{
    GM_ASSERT(loading->depth > 0);
    struct frame *top = &loading->frames[loading->depth - 1];
    struct gm_node *node = top->node;
    if (loading->open.n > top->first) {
        if (node->type == GM_NODE_MAP && !finish_map(loading, node, top->first)) {
            return false;
        }
        node->item_count = loading->open.n - top->first;
        node->items = copy_items(loading, top->first);
        if (node->items == NULL) {
            return false;
        }
        loading->open.n = top->first;
    }
    loading->depth--;
    remember_anchor(loading, top->anchor, node);
    return true;
}

/* ---- events ---- */

static bool start_document(struct loading *loading, struct fy_token *token)
{
    struct gm_place place = place_of(loading, token);
    if (++loading->document_count > 1) {
        gm_conf_error(loading->doc, &place,
                      "a second document begins here; a configuration is one document");
        return false;
    }
    return true;
}

static bool read_event(struct loading *loading, const struct fy_event *event)
{
    switch (event->type) {
    case FYET_DOCUMENT_START:
        return start_document(loading, event->document_start.document_start);
    case FYET_SCALAR:
        return read_scalar(loading, &event->scalar);
    case FYET_ALIAS:
        return read_alias(loading, event->alias.anchor);
    case FYET_MAPPING_START:
        return refuse_tag(loading, event->mapping_start.tag) &&
               open_container(loading, GM_NODE_MAP, event->mapping_start.mapping_start,
                              event->mapping_start.anchor);
    case FYET_SEQUENCE_START:
        return refuse_tag(loading, event->sequence_start.tag) &&
               open_container(loading, GM_NODE_LIST, event->sequence_start.sequence_start,
                              event->sequence_start.anchor);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return close_container(loading);
    default:
        return true;
    }
}

static void report_syntax_error(struct loading *loading, struct fy_diag *diag)
{
    void *iterator = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &iterator);
    if (error == NULL) { /* the library does not collect all of them, such as one about %YAML 3.0 */
        gm_conf_error(loading->doc, &loading->last, "the text from here on is not YAML 1.2");
        return;
    }
    struct gm_place place = {loading->file_z, error->line, error->column};
    gm_conf_error(loading->doc, &place, "%s", error->msg);
}

static void read_events(struct loading *loading, struct fy_parser *parser, struct fy_diag *diag)
{
    bool going_on = true;
    while (going_on) {
        struct fy_event *event = fy_parser_parse(parser);
        if (event == NULL) {
            break;
        }
        going_on = read_event(loading, event);
        fy_parser_event_free(parser, event);
    }
    if (going_on && fy_parser_get_stream_error(parser)) {
        report_syntax_error(loading, diag);
    }
}

/* Swallows what the library would print besides the errors it collects. */
static void print_nothing(struct fy_diag *diag, void *user, const char *text, size_t n)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)n;
}

static void parse_text(struct loading *loading, struct gm_str text)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = print_nothing;
    diag_cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    struct fy_parse_cfg parse_cfg = {
        .flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
        .diag = diag,
    };
    struct fy_parser *parser = diag != NULL ? fy_parser_create(&parse_cfg) : NULL;
    GM_ASSERT(parser != NULL);
    fy_diag_set_collect_errors(diag, true);
    if (fy_parser_set_string(parser, text.p, text.n) == 0) {
        read_events(loading, parser, diag);
    } else {
        report_syntax_error(loading, diag);
    }
    fy_parser_destroy(parser);
    fy_diag_destroy(diag);
}

/* ---- before the library sees the text ---- */

static struct gm_place place_at(const char *file_z, struct gm_str text, size_t at)
{
    struct gm_place place = {file_z, 1, 1};
    for (size_t i = 0; i < at; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '\n') {
            place.line++;
            place.column = 1;
        } else if ((c & 0xC0U) != 0x80U) {
            place.column++;
        }
    }
    return place;
}

static bool check_characters(struct gm_conf_doc *doc, const char *file_z, struct gm_str text)
{
    size_t bad_at;
    if (!gm_utf8_valid(text, &bad_at)) {
        struct gm_place place = place_at(file_z, text, bad_at);
        gm_conf_error(doc, &place, "byte 0x%02X is not UTF-8; save the file as UTF-8",
                      (unsigned char)text.p[bad_at]);
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7F) {
            struct gm_place place = place_at(file_z, text, i);
            gm_conf_error(doc, &place,
                          "control character 0x%02X; in quotes it is written as \"\\x%02X\"", c, c);
            return false;
        }
    }
    return true;
}

static bool check_blank_lines(struct gm_conf_doc *doc, const char *file_z, struct gm_str text)
{
    size_t blank_count = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\n') {
            blank_count++; /* one too many: the end of the line with text */
        } else if (c != ' ' && c != '\t' && c != '\r') {
            blank_count = 0;
        }
        if (blank_count > BLANK_LINES_MAX + 1) {
            struct gm_place place = place_at(file_z, text, i);
            gm_conf_error(doc, &place, "more than %d blank lines in a row", BLANK_LINES_MAX);
            return false;
        }
    }
    return true;
}

static bool check_text(struct gm_conf_doc *doc, const char *file_z, struct gm_str text)
{
    if (text.n > GM_CONF_SIZE_MAX) {
        gm_conf_error(doc, &(struct gm_place){.file_z = file_z}, "larger than %d MiB",
                      GM_CONF_SIZE_MAX >> 20);
        return false;
    }
    return check_characters(doc, file_z, text) && check_blank_lines(doc, file_z, text);
}

struct gm_node *gm_conf_parse_yaml(struct gm_conf_doc *doc, const char *file_z, struct gm_str text)
{
    size_t errors_before = doc->problem_count;
    if (!check_text(doc, file_z, text)) {
        return NULL;
    }
    struct loading loading = {.doc = doc, .file_z = file_z, .last = {file_z, 1, 1}};
    loading.anchors = gm_map_new();
    if (text.n > 0) {
        parse_text(&loading, text);
    }
    if (loading.root == NULL && doc->problem_count == errors_before) {
        loading.root = new_node(&loading, GM_NODE_NULL); /* nothing, or comments only */
        if (loading.root != NULL) {
            loading.root->place = loading.last;
        }
    }
    gm_map_free(loading.anchors);
    gm_vec_deinit(&loading.open);
    return doc->problem_count == errors_before ? loading.root : NULL;
}
