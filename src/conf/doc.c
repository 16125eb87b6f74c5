/* The document: its memory, its nodes' names, its errors. */
#include <stdio.h>
#include <stdlib.h>

#include "base/secrets.h"
#include "conf/inside.h"

/* A configuration of the largest size, decoded, stays far below; aliases cannot pass it. */
enum { ARENA_SIZE_MAX = 256 << 20 };

struct gm_conf_doc *gm_conf_doc_new(const struct gm_conf_resolver *resolver)
{
    struct gm_conf_doc *doc = gm_alloc(sizeof(*doc));
    doc->arena = gm_arena_new(ARENA_SIZE_MAX);
    if (resolver != NULL) {
        doc->resolver = *resolver;
    }
    return doc;
}

void gm_conf_doc_free(struct gm_conf_doc *doc)
{
    if (doc == NULL) {
        return;
    }
    gm_vec_deinit(&doc->problems);
    gm_arena_free(doc->arena);
    gm_free(doc);
}

struct gm_arena *gm_conf_arena(struct gm_conf_doc *doc)
{
    return doc->arena;
}

static void report_full(struct gm_conf_doc *doc)
{
    if (!doc->full) {
        doc->full = true;
        gm_conf_error(doc, NULL,
                      "the configuration needs more than %d MiB of memory; make it smaller",
                      ARENA_SIZE_MAX >> 20);
    }
}

void *gm_conf_alloc(struct gm_conf_doc *doc, size_t size)
{
    void *p = gm_arena_zalloc(doc->arena, size);
    if (p == NULL) {
        report_full(doc);
    }
    return p;
}

const char *gm_conf_dup_z(struct gm_conf_doc *doc, struct gm_str s)
{
    const char *p = gm_arena_dup(doc->arena, s).p;
    if (p == NULL) {
        report_full(doc);
    }
    return p;
}

/* ---- nodes ---- */

struct gm_node *gm_node_member(const struct gm_node *map, struct gm_str name)
{
    if (map == NULL || map->type != GM_NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->item_count; i++) {
        if (gm_str_eq(map->items[i]->key, name)) {
            return map->items[i];
        }
    }
    return NULL;
}

static void add_step(const struct gm_node *node, struct gm_buf *out)
{
    const struct gm_node *parent = node->parent;
    if (node->key.n > 0) {
        if (out->n > 0) {
            gm_buf_add_char(out, '.');
        }
        gm_buf_add(out, node->key);
        return;
    }
    size_t index = 0;
    while (index < parent->item_count && parent->items[index] != node) {
        index++;
    }
    gm_buf_addf(out, "[%zu]", index);
}

void gm_conf_path(const struct gm_node *node, struct gm_buf *out)
{
    const struct gm_node *steps[GM_CONF_DEPTH_MAX + 1];
    size_t count = 0;
    for (; node != NULL && node->parent != NULL && count <= GM_CONF_DEPTH_MAX;
         node = node->parent) {
        steps[count++] = node;
    }
    while (count > 0) {
        add_step(steps[--count], out);
    }
}

const char *gm_conf_setting_path(struct gm_conf_doc *doc, const struct gm_node *node,
                                 const char *name_z)
{
    enum { PATH_SIZE_MAX = 400 };
    struct gm_buf path;
    gm_buf_init(&path, PATH_SIZE_MAX);
    gm_conf_path(node, &path);
    if (name_z != NULL) {
        gm_buf_add_z(&path, path.n > 0 ? "." : "");
        gm_buf_add_z(&path, name_z);
    }
    const char *copy = path.n > 0 ? gm_conf_dup_z(doc, gm_buf_str(&path)) : NULL;
    gm_buf_deinit(&path);
    return copy != NULL ? copy : "configuration";
}

const struct gm_place *gm_conf_place_of(const struct gm_node *node)
{
    return node->key_place.line > 0 ? &node->key_place : &node->place;
}

const char *gm_conf_resolve_path(struct gm_conf_doc *doc, const char *file_z, struct gm_str path)
{
    const char *slash = file_z != NULL ? strrchr(file_z, '/') : NULL;
    if (slash == NULL || (path.n > 0 && path.p[0] == '/')) {
        return gm_conf_dup_z(doc, path);
    }
    struct gm_str joined = gm_arena_format(doc->arena, "%.*s/" GM_STR_FMT, (int)(slash - file_z),
                                           file_z, GM_STR_ARG(path));
    if (joined.p == NULL) {
        report_full(doc);
    }
    return joined.p;
}

/* ---- errors ---- */

bool gm_conf_wants_errors(const struct gm_conf_doc *doc)
{
    return doc->problems.n < GM_CONF_ERRORS_MAX;
}

/* One line, and never half a character at its end. */
static void tidy_message(char *text, size_t size, int n)
{
    static const char ellipsis[] = "…";
    if (n < 0) {
        text[0] = '\0';
    } else if ((size_t)n >= size) {
        size_t at = size - sizeof(ellipsis);
        while (at > 0 && ((unsigned char)text[at] & 0xC0U) == 0x80U) {
            at--;
        }
        memcpy(text + at, ellipsis, sizeof(ellipsis));
    }
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20U || *p == 0x7F) {
            *p = ' ';
        }
    }
}

void gm_conf_error(struct gm_conf_doc *doc, const struct gm_place *place, const char *fmt, ...)
{
    enum { MESSAGE_SIZE = 1024 };
    doc->problem_count++;
    if (!gm_conf_wants_errors(doc)) {
        return;
    }
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    tidy_message(text, sizeof(text), n);
    struct gm_str copy =
        gm_arena_dup(doc->arena, (struct gm_str){text, gm_secrets_scrub(text, strlen(text))});
    struct gm_conf_problem *problem = gm_vec_push(&doc->problems);
    problem->place = place != NULL ? *place : (struct gm_place){0};
    problem->text_z = copy.p != NULL ? copy.p : "an error, and no memory left to describe it";
    problem->order = doc->problem_count;
}

size_t gm_conf_error_count(const struct gm_conf_doc *doc)
{
    return doc->problem_count;
}

static int compare_numbers(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

static int compare_problems(const void *a, const void *b)
{
    const struct gm_conf_problem *const *px = a;
    const struct gm_conf_problem *const *py = b;
    const struct gm_conf_problem *x = *px;
    const struct gm_conf_problem *y = *py;
    int order = gm_str_cmp(gm_str_z(x->place.file_z), gm_str_z(y->place.file_z));
    if (order == 0) {
        order = compare_numbers((size_t)x->place.line, (size_t)y->place.line);
    }
    if (order == 0) {
        order = compare_numbers((size_t)x->place.column, (size_t)y->place.column);
    }
    return order != 0 ? order : compare_numbers(x->order, y->order);
}

static bool is_same_place(const struct gm_place *a, const struct gm_place *b)
{
    return a->line == b->line && a->column == b->column &&
           gm_str_eq(gm_str_z(a->file_z), gm_str_z(b->file_z));
}

/* One of the problems before it says the same of the same place: what is linted twice, without
 * models and with them, has its other mistakes told once. */
static bool is_told(const struct gm_conf_problem *const *told, size_t count,
                    const struct gm_conf_problem *problem)
{
    for (size_t i = count; i > 0 && is_same_place(&told[i - 1]->place, &problem->place); i--) {
        if (strcmp(told[i - 1]->text_z, problem->text_z) == 0) {
            return true;
        }
    }
    return false;
}

/* Pointers to the problems, sorted by place, each told once; the caller frees. */
static const struct gm_conf_problem **sorted_problems(const struct gm_conf_doc *doc,
                                                      size_t *out_count)
{
    const struct gm_conf_problem **sorted = gm_alloc_array(doc->problems.n + 1, sizeof(*sorted));
    for (size_t i = 0; i < doc->problems.n; i++) {
        sorted[i] = &doc->problems.at[i];
    }
    qsort(sorted, doc->problems.n, sizeof(*sorted), compare_problems);
    size_t count = 0;
    for (size_t i = 0; i < doc->problems.n; i++) {
        if (!is_told(sorted, count, sorted[i])) {
            sorted[count++] = sorted[i];
        }
    }
    *out_count = count;
    return sorted;
}

void gm_conf_print_errors(const struct gm_conf_doc *doc, struct gm_buf *out)
{
    size_t count;
    const struct gm_conf_problem **sorted = sorted_problems(doc, &count);
    for (size_t i = 0; i < count; i++) {
        const struct gm_place *place = &sorted[i]->place;
        if (place->file_z != NULL) {
            gm_buf_addf(out, "%s:", place->file_z);
        }
        if (place->line > 0) {
            gm_buf_addf(out, "%d:%d:", (int)place->line, (int)place->column);
        }
        gm_buf_addf(out, "%serror: %s\n", place->file_z != NULL || place->line > 0 ? " " : "",
                    sorted[i]->text_z);
    }
    gm_free(sorted);
    if (doc->problem_count > doc->problems.n) {
        gm_buf_addf(out, "error: %zu more errors are not shown\n",
                    doc->problem_count - doc->problems.n);
    }
}

void gm_conf_errors_json(const struct gm_conf_doc *doc, struct gm_buf *out)
{
    size_t count;
    const struct gm_conf_problem **sorted = sorted_problems(doc, &count);
    gm_buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct gm_place *place = &sorted[i]->place;
        gm_buf_add_z(out, i > 0 ? ",{\"file\":" : "{\"file\":");
        gm_conf_add_json(out, gm_str_z(place->file_z));
        gm_buf_addf(out, ",\"line\":%d,\"column\":%d,\"message\":", (int)place->line,
                    (int)place->column);
        gm_conf_add_json(out, gm_str_z(sorted[i]->text_z));
        gm_buf_add_char(out, '}');
    }
    gm_buf_add_char(out, ']');
    gm_free(sorted);
}

/* ---- names ---- */

/* "cvs" for "csv": two neighbours swapped, the slip that edit distance counts as two. */
static bool is_swap(struct gm_str a, struct gm_str b)
{
    size_t i = 0;
    while (i < a.n && i < b.n && a.p[i] == b.p[i]) {
        i++;
    }
    return a.n == b.n && i + 2 <= a.n && a.p[i] == b.p[i + 1] && a.p[i + 1] == b.p[i] &&
           memcmp(a.p + i + 2, b.p + i + 2, a.n - i - 2) == 0;
}

const char *gm_conf_nearest(struct gm_str wrong, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t distance_max = (wrong.n + 2) / 3;
    for (size_t i = 0; i < count; i++) {
        struct gm_str name = gm_str_z(names[i]);
        size_t distance = is_swap(wrong, name) ? 1 : gm_str_distance(wrong, name, distance_max);
        if (distance <= distance_max && (nearest == NULL || distance < distance_max)) {
            nearest = names[i];
            distance_max = distance;
        }
    }
    return wrong.n > 0 ? nearest : NULL;
}

void gm_conf_add_names(struct gm_buf *out, const char *const *names, size_t count, size_t count_max)
{
    for (size_t i = 0; i < count && i < count_max; i++) {
        gm_buf_add_z(out, i > 0 ? ", " : "");
        gm_buf_add_z(out, names[i]);
    }
    if (count > count_max) {
        gm_buf_add_z(out, ", …");
    }
}

size_t gm_conf_name_count(const char *const *names)
{
    size_t count = 0;
    while (names != NULL && names[count] != NULL) {
        count++;
    }
    return count;
}
