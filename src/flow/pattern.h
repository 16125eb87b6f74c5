/* Texts with paths in them, as settings have them: "machine.machineId" is a path, and
 * "machine-{machine.machineId}" a text around one; {{ and }} are the braces themselves.
 *
 *     struct gm_pattern pattern;
 *     GM_TRY(gm_pattern_parse(arena, GM_STR("machine-{id}"), &pattern, err));
 *     for (size_t i = 0; i <= pattern.count; i++) { … literals[i], then paths[i] … }
 *
 * What a path leads to is the user's affair: records, or JSON as it comes.
 *
 * Thread rule: values; a path belongs to one thread (flow/record.h). */
#ifndef GM_FLOW_PATTERN_H
#define GM_FLOW_PATTERN_H

#include "flow/record.h"

enum { GM_PATTERN_PATHS_MAX = 8 };

/* Text and paths, in turn: `literals[i]` stands before `paths[i]`, the last one at the end. */
struct gm_pattern {
    size_t count; /* of paths; 0: there is no pattern */
    struct gm_str literals[GM_PATTERN_PATHS_MAX + 1];
    struct gm_path paths[GM_PATTERN_PATHS_MAX];
};

/* Literals are in `arena`, paths borrow from `text`. GM_E_CONFIG: what is wrong with it. */
gm_rc gm_pattern_parse(struct gm_arena *arena, struct gm_str text, struct gm_pattern *out_pattern,
                       struct gm_err *err) GM_MUST_CHECK;
/* It is one path and nothing else. */
static inline bool gm_pattern_is_path(const struct gm_pattern *pattern)
{
    return pattern->count == 1 && pattern->literals[0].n + pattern->literals[1].n == 0;
}

#endif
