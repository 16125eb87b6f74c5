/* The patch that makes one value out of another.
 *
 * Objects are compared member by member, everything else as a whole. So no path contains an array
 * index, no path is a prefix of another, and the operations may be put into any order: they stand
 * in byte order of their paths, so that the same change always has the same patch. */
#include <stdlib.h>

#include "json/nodes.h"

struct diffing {
    yyjson_mut_doc *doc;
    yyjson_mut_val *patch;
    struct gm_buf path; /* where the walk is */
    bool unsorted;      /* tree order and path order differ: "/a-b" stands before "/a/b" */
    bool failed;
};

enum { PATH_SIZE_MAX = 16 << 20 };

static void push_token(struct gm_buf *path, struct gm_str name)
{
    gm_buf_add_char(path, '/');
    while (name.n > 0) {
        size_t n = 0;
        while (n < name.n && name.p[n] != '~' && name.p[n] != '/') {
            n++;
        }
        gm_buf_add(path, (struct gm_str){name.p, n});
        if (n < name.n) {
            gm_buf_add_z(path, name.p[n] == '~' ? "~0" : "~1");
            n++;
        }
        name.p += n;
        name.n -= n;
    }
}

static struct gm_str path_of(const yyjson_mut_val *operation)
{
    return gm_json_member_str(operation, "path");
}

/* `value` is copied; NULL: a removal. */
static void add_operation(struct diffing *diffing, const char *op_z, const yyjson_mut_val *value)
{
    yyjson_mut_doc *doc = diffing->doc;
    yyjson_mut_val *operation = yyjson_mut_obj(doc);
    if (operation == NULL || gm_buf_failed(&diffing->path) ||
        !gm_json_set(doc, operation, GM_STR("op"), gm_json_strref(doc, gm_str_z(op_z))) ||
        !gm_json_set(doc, operation, GM_STR("path"),
                     gm_json_strcpy(doc, gm_buf_str(&diffing->path))) ||
        (value != NULL &&
         !gm_json_set(doc, operation, GM_STR("value"), gm_json_copy(doc, value)))) {
        diffing->failed = true;
        return;
    }
    const yyjson_mut_val *before = yyjson_mut_arr_get_last(diffing->patch);
    if (before != NULL && gm_str_cmp(path_of(before), path_of(operation)) > 0) {
        diffing->unsorted = true;
    }
    yyjson_mut_arr_append(diffing->patch, operation);
}

static void diff_objects(struct diffing *diffing, const yyjson_mut_val *from,
                         const yyjson_mut_val *to, size_t depth);

static void diff_values(struct diffing *diffing, const yyjson_mut_val *from,
                        const yyjson_mut_val *to, size_t depth)
{
    if (depth <= GM_JSON_DEPTH_MAX && gm_json_is_object(from) && gm_json_is_object(to)) {
        diff_objects(diffing, from, to, depth);
    } else if (!gm_json_equal(from, to)) {
        add_operation(diffing, "replace", to);
    }
}

/* One member that is on one side only (the other is NULL) or on both. */
static void diff_member(struct diffing *diffing, const yyjson_mut_val *from_name,
                        const yyjson_mut_val *to_name, size_t depth)
{
    size_t path_n = diffing->path.n;
    push_token(&diffing->path, gm_json_view(from_name != NULL ? from_name : to_name));
    if (from_name == NULL) {
        add_operation(diffing, "add", to_name->next);
    } else if (to_name == NULL) {
        add_operation(diffing, "remove", NULL);
    } else {
        diff_values(diffing, from_name->next, to_name->next, depth + 1);
    }
    if (!gm_buf_failed(&diffing->path)) {
        diffing->path.n = path_n;
    }
}

/* A merge of two sorted lists of members. */
static void diff_objects(struct diffing *diffing, const yyjson_mut_val *from,
                         const yyjson_mut_val *to, size_t depth)
{
    size_t from_left = gm_json_len(from);
    size_t to_left = gm_json_len(to);
    const yyjson_mut_val *a = from_left > 0 ? gm_json_first_name(from) : NULL;
    const yyjson_mut_val *b = to_left > 0 ? gm_json_first_name(to) : NULL;
    while ((from_left > 0 || to_left > 0) && !diffing->failed) {
        int order = from_left == 0 ? 1 : to_left == 0 ? -1 : gm_json_name_cmp(a, b);
        diff_member(diffing, order <= 0 ? a : NULL, order >= 0 ? b : NULL, depth);
        if (order <= 0) {
            a = a->next->next;
            from_left--;
        }
        if (order >= 0) {
            b = b->next->next;
            to_left--;
        }
    }
}

static int compare_paths(const void *a, const void *b)
{
    const yyjson_mut_val *const *x = a;
    const yyjson_mut_val *const *y = b;
    return gm_str_cmp(path_of(*x), path_of(*y));
}

static void sort_operations(struct diffing *diffing)
{
    size_t count = gm_json_len(diffing->patch);
    yyjson_mut_val **operations = gm_json_alloc(diffing->doc, count * sizeof(yyjson_mut_val *));
    if (operations == NULL) {
        diffing->failed = true;
        return;
    }
    yyjson_mut_val *item = gm_json_first_item(diffing->patch);
    for (size_t i = 0; i < count; i++) {
        operations[i] = item;
        item = item->next;
    }
    qsort(operations, count, sizeof(yyjson_mut_val *), compare_paths);
    for (size_t i = 0; i < count; i++) {
        operations[i]->next = operations[i + 1 < count ? i + 1 : 0];
    }
    diffing->patch->uni.ptr = operations[count - 1];
}

yyjson_mut_val *gm_json_diff(yyjson_mut_doc *doc, yyjson_mut_val *from, yyjson_mut_val *to)
{
    struct diffing diffing = {.doc = doc, .patch = yyjson_mut_arr(doc)};
    if (diffing.patch == NULL) {
        return NULL;
    }
    gm_json_sort(doc, from);
    gm_json_sort(doc, to);
    gm_buf_init(&diffing.path, PATH_SIZE_MAX);
    diff_values(&diffing, from, to, 1);
    gm_buf_deinit(&diffing.path);
    if (diffing.unsorted && !diffing.failed) {
        sort_operations(&diffing);
    }
    return diffing.failed ? NULL : diffing.patch;
}
