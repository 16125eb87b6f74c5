/* Text to values. yyjson reads the text into its compact immutable form (scratch memory); this file
 * turns that into mutable values in the arena: one block for all nodes, one copy of the text that
 * every string points into. */
#include <stdio.h>
#include <stdlib.h>

#include "json/nodes.h"

/* Texts up to about 1300 bytes are read in scratch memory on the stack: most records are that
 * small. */
enum { STACK_SCRATCH_SIZE = 16 << 10 };

/* Objects up to this size are checked for duplicates pair by pair. */
enum { PAIRWISE_MAX = 12 };

struct reading {
    struct gm_str text;     /* as given */
    char *copy;             /* its copy, in which yyjson has unescaped the strings in place */
    const yyjson_val *vals; /* yyjson's values … */
    yyjson_mut_val *nodes;  /* … and ours, at the same index */
    yyjson_mut_doc *doc;
    struct gm_err *err;
};

static gm_rc fail_at(const struct reading *reading, size_t at, const char *what)
{
    size_t line = 1;
    size_t column = 1;
    for (size_t i = 0; i < at && i < reading->text.n; i++) {
        unsigned char c = (unsigned char)reading->text.p[i];
        if (c == '\n') {
            line++;
            column = 1;
        } else if ((c & 0xC0) != 0x80) { /* continuation bytes belong to the character before */
            column++;
        }
    }
    return gm_fail(reading->err, GM_E_INVALID, "line %zu, column %zu: %s", line, column, what);
}

static gm_rc fail_memory(const struct reading *reading)
{
    return gm_fail(reading->err, GM_E_LIMIT,
                   "the memory limit was reached while reading %zu bytes of JSON", reading->text.n);
}

size_t gm_json_too_deep_at(struct gm_str text)
{
    size_t depth = 0;
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '"':
            for (i++; i < text.n && text.p[i] != '"'; i++) {
                i += text.p[i] == '\\';
            }
            break;
        case '[':
        case '{':
            if (++depth > GM_JSON_DEPTH_MAX) {
                return i;
            }
            break;
        case ']':
        case '}':
            depth--;
            break;
        default:
            break;
        }
    }
    return 0;
}

static gm_rc fail_duplicate(const struct reading *reading, const yyjson_mut_val *name)
{
    char what[160];
    struct gm_str s = gm_json_view(name);
    int shown = (int)(s.n < 80 ? s.n : 80);
    while (shown > 0 && (size_t)shown < s.n && ((unsigned char)s.p[shown] & 0xC0) == 0x80) {
        shown--; /* never cut a character in two */
    }
    snprintf(what, sizeof(what), "duplicate member name `%.*s`%s", shown, s.p,
             (size_t)shown < s.n ? "…" : "");
    /* The name stands behind its opening quote, at the same offset in the copy as in the text. */
    return fail_at(reading, (size_t)(s.p - reading->copy) - 1, what);
}

static int compare_names(const void *a, const void *b)
{
    const yyjson_mut_val *const *x = a;
    const yyjson_mut_val *const *y = b;
    int order = gm_json_name_cmp(*x, *y);
    return order != 0 ? order : (*x > *y) - (*x < *y); /* equal names in the order of the text */
}

/* Large objects: sorted ones pay one pass, others a sort of pointers. */
static gm_rc check_many(const struct reading *reading, const yyjson_mut_val *object)
{
    size_t count = gm_json_len(object);
    const yyjson_mut_val *name = gm_json_first_name(object);
    size_t sorted = 1;
    while (sorted < count && gm_json_name_cmp(name, name->next->next) < 0) {
        name = name->next->next;
        sorted++;
    }
    if (sorted == count) {
        return GM_OK;
    }
    const yyjson_mut_val **names = gm_json_alloc(reading->doc, count * sizeof(*names));
    if (names == NULL) {
        return fail_memory(reading);
    }
    name = gm_json_first_name(object);
    for (size_t i = 0; i < count; i++) {
        names[i] = name;
        name = name->next->next;
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count; i++) {
        if (gm_json_name_cmp(names[i - 1], names[i]) == 0) {
            return fail_duplicate(reading, names[i]);
        }
    }
    return GM_OK;
}

static gm_rc check_duplicates(const struct reading *reading, const yyjson_mut_val *object)
{
    size_t count = gm_json_len(object);
    if (count > PAIRWISE_MAX) {
        return check_many(reading, object);
    }
    const yyjson_mut_val *first = gm_json_first_name(object);
    const yyjson_mut_val *name = first->next->next;
    for (size_t i = 1; i < count; i++) {
        const yyjson_mut_val *earlier = first;
        for (size_t k = 0; k < i; k++) {
            if (gm_str_eq(gm_json_view(earlier), gm_json_view(name))) {
                return fail_duplicate(reading, name);
            }
            earlier = earlier->next->next;
        }
        name = name->next->next;
    }
    return GM_OK;
}

/* Links the nodes of one container, and of those below it. */
static gm_rc link_container(const struct reading *reading, yyjson_val *val, size_t depth)
{
    yyjson_mut_val *node = &reading->nodes[val - reading->vals];
    node->tag = val->tag;
    node->uni.ptr = NULL;
    size_t count = unsafe_yyjson_get_len(val);
    if (depth > GM_JSON_DEPTH_MAX) {
        return fail_at(reading, gm_json_too_deep_at(reading->text),
                       "nested more than 128 levels deep");
    }
    if (count == 0) {
        return GM_OK;
    }
    bool is_object = unsafe_yyjson_get_type(val) == YYJSON_TYPE_OBJ;
    size_t children = is_object ? 2 * count : count;
    yyjson_val *child = unsafe_yyjson_get_first(val);
    yyjson_mut_val *first = &reading->nodes[child - reading->vals];
    yyjson_mut_val *before = NULL;
    yyjson_mut_val *last = NULL;
    for (size_t i = 0; i < children; i++) {
        yyjson_mut_val *child_node = &reading->nodes[child - reading->vals];
        if (unsafe_yyjson_is_ctn(child)) {
            GM_TRY(link_container(reading, child, depth + 1));
        } else {
            child_node->tag = child->tag;
            child_node->uni = child->uni;
        }
        if (last != NULL) {
            last->next = child_node;
        }
        before = last;
        last = child_node;
        child = unsafe_yyjson_get_next(child);
    }
    last->next = first;
    node->uni.ptr = is_object ? before : last;
    return is_object ? check_duplicates(reading, node) : GM_OK;
}

static gm_rc build_nodes(struct reading *reading, yyjson_doc *doc, yyjson_mut_val **out_value)
{
    GM_ASSERT(GM_JSON_DEPTH_MAX == 128); /* the message in link_container says so */
    yyjson_val *root = yyjson_doc_get_root(doc);
    size_t count = yyjson_doc_get_val_count(doc);
    reading->vals = root;
    reading->nodes = gm_json_alloc(reading->doc, count * sizeof(*reading->nodes));
    if (reading->nodes == NULL) {
        return fail_memory(reading);
    }
    if (unsafe_yyjson_is_ctn(root)) {
        GM_TRY(link_container(reading, root, 1));
    } else {
        reading->nodes[0].tag = root->tag;
        reading->nodes[0].uni = root->uni;
    }
    reading->nodes[0].next = NULL;
    *out_value = reading->nodes;
    return GM_OK;
}

/* Reads with the given scratch memory. *out_no_scratch: there was too little of it, and nothing is
 * decided yet. */
static gm_rc read_with(struct reading *reading, const yyjson_alc *scratch,
                       yyjson_mut_val **out_value, bool *out_no_scratch)
{
    yyjson_read_err read_err;
    memcpy(reading->copy, reading->text.p, reading->text.n);
    memset(reading->copy + reading->text.n, 0, YYJSON_PADDING_SIZE);
    yyjson_doc *doc =
        yyjson_read_opts(reading->copy, reading->text.n, YYJSON_READ_INSITU, scratch, &read_err);
    *out_no_scratch = doc == NULL && read_err.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION;
    if (*out_no_scratch) {
        return fail_memory(reading);
    }
    if (doc == NULL) {
        return fail_at(reading, read_err.pos, read_err.msg);
    }
    gm_rc rc = build_nodes(reading, doc, out_value);
    yyjson_doc_free(doc);
    return rc;
}

/* Scratch memory in a gm_buf. yyjson's reader holds one block and makes it larger as it goes. */
static void *scratch_malloc(void *ctx, size_t size)
{
    struct gm_buf *memory = ctx;
    char *p = memory->n == 0 ? gm_buf_reserve(memory, size) : NULL;
    if (p != NULL) {
        gm_buf_commit(memory, size);
    }
    return p;
}

static void *scratch_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    struct gm_buf *memory = ctx;
    (void)p;
    if (size > old_size) {
        if (gm_buf_reserve(memory, size - old_size) == NULL) {
            return NULL;
        }
        gm_buf_commit(memory, size - old_size);
    }
    return memory->p;
}

static void scratch_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p; /* read_large frees the buffer */
}

static gm_rc read_large(struct reading *reading, yyjson_mut_val **out_value)
{
    /* A value for every byte ("[[[["), each of 16 bytes, in a block that grows by half. */
    const size_t scratch_per_byte = 24;
    const size_t scratch_fixed = 1024;
    if (reading->text.n > SIZE_MAX / 2 / scratch_per_byte - scratch_fixed) {
        return fail_memory(reading);
    }
    struct gm_buf memory;
    gm_buf_init(&memory, reading->text.n * scratch_per_byte + scratch_fixed);
    yyjson_alc scratch = {scratch_malloc, scratch_realloc, scratch_free, &memory};
    bool no_scratch;
    gm_rc rc = read_with(reading, &scratch, out_value, &no_scratch);
    gm_buf_deinit(&memory);
    return rc;
}

gm_rc gm_json_parse(yyjson_mut_doc *doc, struct gm_str text, yyjson_mut_val **out_value,
                    struct gm_err *err)
{
    struct reading reading = {.text = text, .doc = doc, .err = err};
    if (text.n == 0) {
        return fail_at(&reading, 0, "there is no value");
    }
    reading.copy = gm_json_alloc(doc, text.n + YYJSON_PADDING_SIZE);
    if (reading.copy == NULL) {
        return fail_memory(&reading);
    }
    if (yyjson_read_max_memory_usage(text.n, YYJSON_READ_INSITU) <= STACK_SCRATCH_SIZE) {
        _Alignas(16) char stack[STACK_SCRATCH_SIZE];
        yyjson_alc scratch;
        bool no_scratch = !yyjson_alc_pool_init(&scratch, stack, sizeof(stack));
        gm_rc rc = no_scratch ? GM_OK : read_with(&reading, &scratch, out_value, &no_scratch);
        if (!no_scratch) { /* malformed text may need more than any well-formed text of its size */
            return rc;
        }
    }
    return read_large(&reading, out_value);
}
