/* JSON over yyjson (https://github.com/ibireme/yyjson): values in arenas, one canonical text,
 * patches.
 *
 *     yyjson_mut_doc *doc = gm_json_doc_new(arena);
 *     yyjson_mut_val *value;
 *     GM_TRY(gm_json_parse(doc, text, &value, err));
 *     gm_json_canonical(doc, value, &buf);
 *
 * Values are yyjson's mutable values, so that one kind of value serves sources, steps and sinks.
 * They live in the arena of their document, never in malloc, and die with it: a document is not
 * freed. A value stands in one container only: put a copy (gm_json_copy) where it is needed a
 * second time. Functions that return a value return NULL when the arena's limit is reached. Thread
 * rule: a document and its values have one owner, that of the arena.
 *
 * Nesting: what comes from outside is refused above GM_JSON_DEPTH_MAX, and patches refuse to build
 * more. Whoever builds values from another form (a jq result, a column of type json) must refuse it
 * too. The writers set the buffer's failed flag for a value that is deeper, as they do at the
 * buffer's limit.
 *
 * Canonical text: members sorted by byte order of their names, no white space,
 * integers as they are, other numbers in the shortest form that reads back equal (integral doubles
 * keep ".0"), strings with only the escapes JSON requires, as RFC 8785 spells them; invalid UTF-8
 * is written as U+FFFD, numbers that JSON lacks (NaN, infinity) as null. Equal values have equal
 * canonical text; that is what hashes are made of. */
#ifndef GM_JSON_JSON_H
#define GM_JSON_JSON_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/str.h"

enum { GM_JSON_DEPTH_MAX = 128 }; /* nesting accepted from outside; keeps recursion bounded */

/* A document that allocates from `arena` (keeps). Never freed by itself: it dies with the arena.
 * NULL at the limit. */
yyjson_mut_doc *gm_json_doc_new(struct gm_arena *arena);
/* The same memory for calls of the library itself. */
yyjson_alc gm_json_memory(struct gm_arena *arena);
/* Where well-formed text is nested deeper than GM_JSON_DEPTH_MAX first; 0: nowhere. */
size_t gm_json_too_deep_at(struct gm_str text);

/* RFC 8259. Refuses invalid UTF-8, duplicate member names, depth over GM_JSON_DEPTH_MAX, and
 * anything behind the value. The error names line and column (in characters, from 1): GM_E_INVALID;
 * GM_E_LIMIT when the arena is full. The text is not needed afterwards: strings point into one copy
 * of it in the arena. Integers of 64 bits stay integers; larger ones become doubles. */
gm_rc gm_json_parse(yyjson_mut_doc *doc, struct gm_str text, yyjson_mut_val **out_value,
                    struct gm_err *err) GM_MUST_CHECK;

/* Reading. yyjson 0.10 has no accessors for const values; these stand in for yyjson_mut_get_type
 * and the like. */
static inline yyjson_type gm_json_type(const yyjson_mut_val *value)
{
    return value != NULL ? (yyjson_type)(value->tag & YYJSON_TYPE_MASK) : YYJSON_TYPE_NONE;
}
/* Items of an array, members of an object; 0 for anything else. */
static inline size_t gm_json_count(const yyjson_mut_val *value)
{
    yyjson_type type = gm_json_type(value);
    return type == YYJSON_TYPE_ARR || type == YYJSON_TYPE_OBJ
               ? (size_t)(value->tag >> YYJSON_TAG_BIT)
               : 0;
}
static inline struct gm_str gm_json_str(const yyjson_mut_val *value) /* {NULL,0}: no string */
{
    if (gm_json_type(value) != YYJSON_TYPE_STR) {
        return (struct gm_str){NULL, 0};
    }
    return (struct gm_str){value->uni.str, (size_t)(value->tag >> YYJSON_TAG_BIT)};
}
/* Walking: an array's first item, an object's first name; NULL when there is none. Of
 * gm_json_count() items the next one is item->next; a name's value is name->next, and the next name
 * stands behind that. */
static inline const yyjson_mut_val *gm_json_first(const yyjson_mut_val *container)
{
    if (gm_json_count(container) == 0) {
        return NULL;
    }
    const yyjson_mut_val *last = container->uni.ptr;
    return gm_json_type(container) == YYJSON_TYPE_ARR ? last->next : last->next->next;
}
/* {NULL,0}: absent or no string */
struct gm_str gm_json_member_str(const yyjson_mut_val *object, const char *name_z);
/* NULL: absent */
yyjson_mut_val *gm_json_member(const yyjson_mut_val *object, struct gm_str name);

/* Building. */
yyjson_mut_val *gm_json_strcpy(yyjson_mut_doc *doc, struct gm_str s);
/* borrows the bytes until the arena is reset */
yyjson_mut_val *gm_json_strref(yyjson_mut_doc *doc, struct gm_str s);
/* Sets (replaces or appends) a member; `name` is borrowed until the arena is reset. False, and
 * nothing changed, when `value` is NULL or the arena is full: so a chain of builders is checked
 * once, here. */
bool gm_json_set(yyjson_mut_doc *doc, yyjson_mut_val *object, struct gm_str name,
                 yyjson_mut_val *value);
/* deep, with its strings */
yyjson_mut_val *gm_json_copy(yyjson_mut_doc *doc, const yyjson_mut_val *value);
bool gm_json_remove(yyjson_mut_val *object, struct gm_str name); /* true: it was there */

/* Sorts the members of every object below `value`, in place. Cheap when they are sorted already. */
void gm_json_sort(yyjson_mut_doc *doc, yyjson_mut_val *value);
/* Appends the canonical text. Sorts in place first. */
void gm_json_canonical(yyjson_mut_doc *doc, yyjson_mut_val *value, struct gm_buf *out);
/* Appends compact text in the order the members stand. */
void gm_json_write(const yyjson_mut_val *value, struct gm_buf *out);
/* two spaces, no newline at the end */
void gm_json_write_pretty(const yyjson_mut_val *value, struct gm_buf *out);
/* Appends a JSON string literal with quotes and escapes; invalid UTF-8 becomes U+FFFD. */
void gm_json_quote(struct gm_buf *out, struct gm_str s);
/* member order does not matter; 1 and 1.0 differ */
bool gm_json_equal(const yyjson_mut_val *a, const yyjson_mut_val *b);

/* RFC 6901. Resolves "/a/b/0"; NULL when there is nothing. "" is the value itself. */
yyjson_mut_val *gm_json_pointer(yyjson_mut_val *value, struct gm_str pointer);

/* RFC 6902. The patch that makes `to` out of `from`: add, remove and replace on members; arrays are
 * replaced whole. Returns an array value of `doc` (empty when equal); operations stand in byte
 * order of their paths. Sorts both in place; the patch holds copies. */
yyjson_mut_val *gm_json_diff(yyjson_mut_doc *doc, yyjson_mut_val *from, yyjson_mut_val *to);
/* Applies add, remove, replace, move, copy and test to `*value` in place. On GM_E_INVALID the value
 * is half patched: patch a copy. The message has the field's usual wording ("The target location
 * specified by path segment 'x' was not found."). Values are copied out of `patch`. GM_E_LIMIT when
 * the arena is full. */
gm_rc gm_json_patch(yyjson_mut_doc *doc, yyjson_mut_val **value, yyjson_mut_val *patch,
                    struct gm_err *err) GM_MUST_CHECK;
/* RFC 7396, in place. Returns the result: `target`, or a new value where `target` is NULL or the
 * patch is no object. */
yyjson_mut_val *gm_json_merge_patch(yyjson_mut_doc *doc, yyjson_mut_val *target,
                                    yyjson_mut_val *patch);

#endif
