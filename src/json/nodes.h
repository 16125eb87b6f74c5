/* Inside of json/: how yyjson links mutable values, in one place.
 *
 * A container points to its last child (an object to its last name), and children form a ring:
 *     array:   last → first → … → last
 *     object:  last name → its value → first name → its value → … → last name
 * A container of no children has no ring. yyjson.h publishes this layout and its inline functions
 * depend on it. */
#ifndef GM_JSON_NODES_H
#define GM_JSON_NODES_H

#include "json/json.h"

/* Of a container: its children; of a string: its bytes. */
static inline size_t gm_json_len(const yyjson_mut_val *value)
{
    return (size_t)(value->tag >> YYJSON_TAG_BIT);
}

static inline yyjson_subtype gm_json_subtype(const yyjson_mut_val *value)
{
    return (yyjson_subtype)(value->tag & YYJSON_SUBTYPE_MASK);
}

static inline bool gm_json_is_object(const yyjson_mut_val *value)
{
    return gm_json_type(value) == YYJSON_TYPE_OBJ;
}

static inline bool gm_json_is_array(const yyjson_mut_val *value)
{
    return gm_json_type(value) == YYJSON_TYPE_ARR;
}

/* The first item of an array; the array is not empty. */
static inline yyjson_mut_val *gm_json_first_item(const yyjson_mut_val *array)
{
    return ((yyjson_mut_val *)array->uni.ptr)->next;
}

/* The first name of an object; the object is not empty. Its value is ->next, the next name
 * ->next->next. */
static inline yyjson_mut_val *gm_json_first_name(const yyjson_mut_val *object)
{
    return ((yyjson_mut_val *)object->uni.ptr)->next->next;
}

static inline struct gm_str gm_json_view(const yyjson_mut_val *string)
{
    return (struct gm_str){string->uni.str, gm_json_len(string)};
}

static inline void *gm_json_alloc(yyjson_mut_doc *doc, size_t size)
{
    return doc->alc.malloc(doc->alc.ctx, size);
}

/* Byte order of two names; inline because the writers call it for every member. */
static inline int gm_json_name_cmp(const yyjson_mut_val *a, const yyjson_mut_val *b)
{
    size_t a_len = gm_json_len(a);
    size_t b_len = gm_json_len(b);
    size_t common = a_len < b_len ? a_len : b_len;
    if (common > 0) {
        int first = (unsigned char)a->uni.str[0] - (unsigned char)b->uni.str[0];
        if (first != 0) {
            return first;
        }
        int rest = memcmp(a->uni.str, b->uni.str, common);
        if (rest != 0) {
            return rest;
        }
    }
    return (a_len > b_len) - (a_len < b_len);
}

/* sort.c: sorts the members of this object only. */
void gm_json_sort_members(yyjson_mut_val *object);

/* equal.c: as gm_json_equal, but numbers are compared by value (1 equals 1.0), as RFC 6902 wants it
 * for `test`. */
bool gm_json_equal_value(const yyjson_mut_val *a, const yyjson_mut_val *b);

/* doc.c: as gm_json_set, with the name's node already made. */
void gm_json_put(yyjson_mut_val *object, yyjson_mut_val *name, yyjson_mut_val *value);
/* Levels of containers in `value`: 0 for a scalar, 1 for []. Stops counting above
 * GM_JSON_DEPTH_MAX. */
size_t gm_json_height(const yyjson_mut_val *value);

/* pointer.c: RFC 6901 piece by piece. A token is one raw part between slashes, with its ~ escapes.
 */
bool gm_json_pointer_valid(struct gm_str pointer);
bool gm_json_token_next(struct gm_str *rest, struct gm_str *out_token); /* false: `rest` is empty */
bool gm_json_token_index(struct gm_str token, size_t *out_index); /* digits without leading zeros */
yyjson_mut_val *gm_json_step(const yyjson_mut_val *container,
                             struct gm_str token); /* NULL: nothing there */
size_t gm_json_token_unescape(struct gm_str token,
                              char *out); /* writes at most token.n bytes; returns how many */

#endif
