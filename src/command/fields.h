/* What the body of a command must and may have: types, bounds, patterns, and no member that nobody
 * knows. Every problem is told, not the first alone. Internal to this folder.
 *
 *     struct gm_fields *fields = gm_fields_new();
 *     GM_TRY(gm_fields_declare(fields, event_type, err));     // what the event's type says
 *     GM_TRY(gm_fields_bound(fields, &conf->fields, err));    // and what the command adds
 *     GM_TRY(gm_fields_allow(fields, &key, true, err));       // and what its key is made of
 *     GM_TRY(gm_fields_close(fields, true, err));
 *     gm_fields_check(fields, body, &problems);
 *
 * Thread rule: read-only once closed. */
#ifndef GM_COMMAND_FIELDS_H
#define GM_COMMAND_FIELDS_H

#include "command/conf.h"
#include "hub/stream_conf.h"
#include "hub/template.h"

enum {
    GM_PROBLEMS_MAX = 100,              /* kept; the others are counted */
    GM_FIELD_PATTERN_TEXT_MAX = 4 << 10 /* bytes that a pattern is tried on */
};

struct gm_problem {
    struct gm_str path;    /* n 0: the body as a whole */
    struct gm_str message; /* what is wrong, and the cure */
};
struct gm_problems {
    struct gm_arena *arena; /* of texts; when it is full the problem is counted alone */
    struct gm_problem at[GM_PROBLEMS_MAX];
    size_t n, count;
};
void gm_problem_add(struct gm_problems *problems, struct gm_str path, const char *fmt, ...)
    GM_PRINTF(3, 4);

struct gm_fields;
struct gm_fields *gm_fields_new(void);
void gm_fields_free(struct gm_fields *fields); /* NULL is fine */
/* `type` NULL: nothing. */
gm_rc gm_fields_declare(struct gm_fields *fields, const struct gm_event_type_conf *type,
                        struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_fields_bound(struct gm_fields *fields, const struct gm_conf_map *conf, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_fields_allow(struct gm_fields *fields, const struct gm_pattern *template, bool required,
                      struct gm_err *err) GM_MUST_CHECK;
/* `complete`: members that are not declared are refused. */
gm_rc gm_fields_close(struct gm_fields *fields, bool complete, struct gm_err *err) GM_MUST_CHECK;

void gm_fields_check(const struct gm_fields *fields, yyjson_val *body,
                     struct gm_problems *problems);
/* As JSON Schema (2020-12), an object. */
void gm_fields_write_schema(const struct gm_fields *fields, struct gm_buf *out);

#endif
