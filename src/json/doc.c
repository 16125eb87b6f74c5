/* Documents in arenas, and the members of objects. */
#include "json/nodes.h"

static void *arena_malloc(void *ctx, size_t size)
{
    return gm_arena_alloc(ctx, size);
}

static void *arena_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    return gm_arena_realloc(ctx, p, old_size, size);
}

static void arena_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p; /* the arena frees everything at once */
}

yyjson_alc gm_json_memory(struct gm_arena *arena)
{
    return (yyjson_alc){arena_malloc, arena_realloc, arena_free, arena};
}

yyjson_mut_doc *gm_json_doc_new(struct gm_arena *arena)
{
    yyjson_alc alc = gm_json_memory(arena);
    return yyjson_mut_doc_new(&alc);
}

/* The name's node, or NULL; *out_before is the node in front of it (the value of the member before,
 * in the ring). */
static yyjson_mut_val *find_name(const yyjson_mut_val *object, struct gm_str name,
                                 yyjson_mut_val **out_before)
{
    if (!gm_json_is_object(object)) {
        return NULL;
    }
    yyjson_mut_val *last = object->uni.ptr;
    yyjson_mut_val *before = NULL;
    for (size_t left = gm_json_len(object); left > 0; left--) {
        before = before == NULL ? last->next : before->next->next;
        if (gm_str_eq(gm_json_view(before->next), name)) {
            *out_before = before;
            return before->next;
        }
    }
    return NULL;
}

yyjson_mut_val *gm_json_member(const yyjson_mut_val *object, struct gm_str name)
{
    yyjson_mut_val *before;
    yyjson_mut_val *node = find_name(object, name, &before);
    return node != NULL ? node->next : NULL;
}

struct gm_str gm_json_member_str(const yyjson_mut_val *object, const char *name_z)
{
    return gm_json_str(gm_json_member(object, gm_str_z(name_z)));
}

yyjson_mut_val *gm_json_strcpy(yyjson_mut_doc *doc, struct gm_str s)
{
    return yyjson_mut_strncpy(doc, s.p != NULL ? s.p : "", s.n);
}

yyjson_mut_val *gm_json_strref(yyjson_mut_doc *doc, struct gm_str s)
{
    return yyjson_mut_strn(doc, s.p != NULL ? s.p : "", s.n);
}

yyjson_mut_val *gm_json_copy(yyjson_mut_doc *doc, const yyjson_mut_val *value)
{
    if (value == NULL) {
        return NULL;
    }
    yyjson_mut_val root = *value; /* yyjson's call takes no const; it only reads */
    return yyjson_mut_val_mut_copy(doc, &root);
}

/* Puts `value` in the place of the value that follows the name's node. */
static void replace_value(yyjson_mut_val *node, yyjson_mut_val *value)
{
    if (node->next != value) {
        value->next = node->next->next;
        node->next = value;
    }
}

void gm_json_put(yyjson_mut_val *object, yyjson_mut_val *name, yyjson_mut_val *value)
{
    yyjson_mut_val *before;
    yyjson_mut_val *node = find_name(object, gm_json_view(name), &before);
    if (node != NULL) {
        replace_value(node, value);
    } else {
        yyjson_mut_obj_add(object, name, value);
    }
}

bool gm_json_set(yyjson_mut_doc *doc, yyjson_mut_val *object, struct gm_str name,
                 yyjson_mut_val *value)
{
    GM_ASSERT(object == NULL || gm_json_is_object(object));
    if (object == NULL || value == NULL) {
        return false;
    }
    yyjson_mut_val *before;
    yyjson_mut_val *node = find_name(object, name, &before);
    if (node != NULL) {
        replace_value(node, value);
        return true;
    }
    yyjson_mut_val *new_name = gm_json_strref(doc, name);
    return new_name != NULL && yyjson_mut_obj_add(object, new_name, value);
}

bool gm_json_remove(yyjson_mut_val *object, struct gm_str name)
{
    yyjson_mut_val *before;
    yyjson_mut_val *node = find_name(object, name, &before);
    if (node == NULL) {
        return false;
    }
    size_t count = gm_json_len(object);
    if (count == 1) {
        object->uni.ptr = NULL;
    } else {
        before->next = node->next->next;
        if (object->uni.ptr == node) { /* the last member went: the one before is last now */
            yyjson_mut_val *last = before->next;
            for (size_t i = 2; i < count; i++) {
                last = last->next->next;
            }
            object->uni.ptr = last;
        }
    }
    unsafe_yyjson_set_len(object, count - 1);
    return true;
}

static size_t height_within(const yyjson_mut_val *value, size_t bound)
{
    if (!gm_json_is_object(value) && !gm_json_is_array(value)) {
        return 0;
    }
    size_t count = gm_json_len(value);
    bool is_object = gm_json_is_object(value);
    size_t tallest = 0;
    if (count > 0 && bound > 0) {
        const yyjson_mut_val *child =
            is_object ? gm_json_first_name(value)->next : gm_json_first_item(value);
        for (size_t i = 0; i < count; i++) {
            size_t height = height_within(child, bound - 1);
            tallest = height > tallest ? height : tallest;
            child = is_object ? child->next->next : child->next;
        }
    }
    return 1 + tallest;
}

size_t gm_json_height(const yyjson_mut_val *value)
{
    return height_within(value, GM_JSON_DEPTH_MAX);
}
