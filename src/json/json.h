/* JSON over yyjson (https://github.com/ibireme/yyjson): values in arenas, one canonical text, patches.
 *
 *     struct gm_json_doc doc;
 *     GM_TRY(gm_json_parse(arena, text, &doc.root, err));
 *     gm_json_canonical(root, &buf);
 *
 * Values are yyjson's mutable values, so that one kind of value serves sources, steps and sinks. They live in an arena
 * through gm_json_doc, never in malloc. Canonical text: members sorted by byte order of their names, no white space,
 * integers as they are, other numbers in the shortest form that reads back equal (integral doubles keep ".0"),
 * strings with only the escapes JSON requires. Equal values have equal canonical text; that is what hashes are made of. */
#ifndef GM_JSON_JSON_H
#define GM_JSON_JSON_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/status.h"
#include "base/str.h"

enum { GM_JSON_DEPTH_MAX = 128 }; /* nesting accepted from outside; keeps recursion bounded */

/* A document that allocates from `arena` (keeps). Never freed by itself: it dies with the arena. NULL at the limit. */
yyjson_mut_doc *gm_json_doc_new(struct gm_arena *arena);

/* RFC 8259. Refuses invalid UTF-8, duplicate member names, depth over GM_JSON_DEPTH_MAX, and anything behind the value.
 * The error names line and column. The text is not needed afterwards. */
gm_rc gm_json_parse(yyjson_mut_doc *doc, struct gm_str text, yyjson_mut_val **out_value, struct gm_err *err) GM_MUST_CHECK;

/* Builders that copy bytes into the document's arena where `_copy` stands. */
static inline struct gm_str gm_json_str(const yyjson_mut_val *value)
{
    return (struct gm_str){yyjson_mut_get_str(value), yyjson_mut_get_len(value)};
}
struct gm_str gm_json_member_str(const yyjson_mut_val *object, const char *name_z); /* {NULL,0}: absent or no string */
yyjson_mut_val *gm_json_member(const yyjson_mut_val *object, struct gm_str name);  /* NULL: absent */
yyjson_mut_val *gm_json_strcpy(yyjson_mut_doc *doc, struct gm_str s);
yyjson_mut_val *gm_json_strref(yyjson_mut_doc *doc, struct gm_str s); /* borrows the bytes until the arena is reset */
/* Sets (replaces or appends) a member; `name` is borrowed until the arena is reset. */
void gm_json_set(yyjson_mut_doc *doc, yyjson_mut_val *object, struct gm_str name, yyjson_mut_val *value);
bool gm_json_remove(yyjson_mut_val *object, struct gm_str name);

/* Sorts the members of every object below `value`, in place. Cheap when they are sorted already. */
void gm_json_sort(yyjson_mut_doc *doc, yyjson_mut_val *value);
/* Appends the canonical text. Sorts in place first. */
void gm_json_canonical(yyjson_mut_doc *doc, yyjson_mut_val *value, struct gm_buf *out);
/* Appends compact text in the order the members stand. */
void gm_json_write(const yyjson_mut_val *value, struct gm_buf *out);
void gm_json_write_pretty(const yyjson_mut_val *value, struct gm_buf *out); /* two spaces, no newline at the end */
/* Appends a JSON string literal with quotes and escapes; invalid UTF-8 becomes U+FFFD. */
void gm_json_quote(struct gm_buf *out, struct gm_str s);
bool gm_json_equal(const yyjson_mut_val *a, const yyjson_mut_val *b); /* member order does not matter; 1 and 1.0 differ */

/* RFC 6901. Resolves "/a/b/0"; NULL when there is nothing. "" is the value itself. */
yyjson_mut_val *gm_json_pointer(yyjson_mut_val *value, struct gm_str pointer);

/* RFC 6902. The patch that makes `to` out of `from`: add, remove and replace on members; arrays are replaced whole.
 * Returns an array value of `doc` (empty when equal); operations stand in byte order of their paths. */
yyjson_mut_val *gm_json_diff(yyjson_mut_doc *doc, yyjson_mut_val *from, yyjson_mut_val *to);
/* Applies add, remove, replace, move, copy and test to `*value` in place. On GM_E_INVALID the value is half patched:
 * patch a copy. The message has the form of the field's standard wording (path segment not found, …). */
gm_rc gm_json_patch(yyjson_mut_doc *doc, yyjson_mut_val **value, yyjson_mut_val *patch, struct gm_err *err) GM_MUST_CHECK;
/* RFC 7396, in place. */
yyjson_mut_val *gm_json_merge_patch(yyjson_mut_doc *doc, yyjson_mut_val *target, yyjson_mut_val *patch);

#endif
