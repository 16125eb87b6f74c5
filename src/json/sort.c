/* Members in byte order of their names. Most objects that Gemel writes are sorted already, because
 * they were sorted when they were written last: so the check comes first, and it is one comparison
 * a member. */
#include "json/nodes.h"

/* Objects up to this size are sorted in an array on the stack, larger ones as a linked list. */
enum { SMALL_MAX = 48 };

struct entry {
    uint64_t prefix; /* the name's first eight bytes, big-endian, so that most comparisons are one
                        of integers */
    yyjson_mut_val *name;
};

static uint64_t name_prefix(const yyjson_mut_val *name)
{
    unsigned char bytes[8] = {0};
    size_t n = gm_json_len(name);
    memcpy(bytes, name->uni.str, n < 8 ? n : 8);
    uint64_t prefix = 0;
    for (size_t i = 0; i < 8; i++) {
        prefix = prefix << 8 | bytes[i];
    }
    return prefix;
}

static bool is_before(const struct entry *a, const struct entry *b)
{
    /* Equal prefixes say nothing: the names may be longer, or end in zero bytes. */
    return a->prefix != b->prefix ? a->prefix < b->prefix : gm_json_name_cmp(a->name, b->name) < 0;
}

static void sort_small(yyjson_mut_val *object, size_t count)
{
    struct entry entries[SMALL_MAX];
    yyjson_mut_val *name = gm_json_first_name(object);
    for (size_t i = 0; i < count; i++) {
        struct entry entry = {name_prefix(name), name};
        size_t at = i;
        while (at > 0 && is_before(&entry, &entries[at - 1])) {
            entries[at] = entries[at - 1];
            at--;
        }
        entries[at] = entry;
        name = name->next->next;
    }
    for (size_t i = 0; i < count; i++) {
        entries[i].name->next->next = entries[i + 1 < count ? i + 1 : 0].name;
    }
    object->uni.ptr = entries[count - 1].name;
}

/* Merges two lists of names that end in NULL; equal names keep their order. */
static yyjson_mut_val *merge_lists(yyjson_mut_val *a, yyjson_mut_val *b)
{
    yyjson_mut_val *head = NULL;
    yyjson_mut_val **link = &head;
    while (a != NULL && b != NULL) {
        yyjson_mut_val **from = gm_json_name_cmp(b, a) < 0 ? &b : &a;
        *link = *from;
        link = &(*from)->next->next;
        *from = *link;
    }
    *link = a != NULL ? a : b;
    return head;
}

/* Recursion halves `count`, so it is at most 64 deep. */
static yyjson_mut_val *sort_list(yyjson_mut_val *head, size_t count)
{
    if (count == 1) {
        head->next->next = NULL;
        return head;
    }
    yyjson_mut_val *middle = head;
    for (size_t i = 0; i < count / 2; i++) {
        middle = middle->next->next;
    }
    yyjson_mut_val *second = sort_list(middle, count - count / 2);
    return merge_lists(sort_list(head, count / 2), second);
}

static void sort_large(yyjson_mut_val *object, size_t count)
{
    yyjson_mut_val *head = sort_list(gm_json_first_name(object), count);
    yyjson_mut_val *last = head;
    while (last->next->next != NULL) {
        last = last->next->next;
    }
    last->next->next = head;
    object->uni.ptr = last;
}

void gm_json_sort_members(yyjson_mut_val *object)
{
    size_t count = gm_json_len(object);
    if (count < 2) {
        return;
    }
    const yyjson_mut_val *name = gm_json_first_name(object);
    size_t sorted = 1;
    while (sorted < count && gm_json_name_cmp(name, name->next->next) <= 0) {
        name = name->next->next;
        sorted++;
    }
    if (sorted == count) {
        return;
    }
    if (count <= SMALL_MAX) {
        sort_small(object, count);
    } else {
        sort_large(object, count);
    }
}

static void sort_below(yyjson_mut_val *value, size_t depth)
{
    if (gm_json_count(value) == 0 || depth > GM_JSON_DEPTH_MAX) {
        return;
    }
    size_t count = gm_json_len(value);
    if (gm_json_is_object(value)) {
        gm_json_sort_members(value);
        yyjson_mut_val *name = gm_json_first_name(value);
        for (size_t i = 0; i < count; i++) {
            sort_below(name->next, depth + 1);
            name = name->next->next;
        }
    } else {
        yyjson_mut_val *item = gm_json_first_item(value);
        for (size_t i = 0; i < count; i++) {
            sort_below(item, depth + 1);
            item = item->next;
        }
    }
}

void gm_json_sort(yyjson_mut_doc *doc, yyjson_mut_val *value)
{
    (void)doc; /* the sort works in place */
    if (value != NULL) {
        sort_below(value, 1);
    }
}
