/* The table of operations of the twin API, and how requests are matched against it.
 *
 *     const struct gm_adt_operation *at;
 *     for (at = gm_adt_operations(); at->method_z != NULL; at++) { … }
 *
 * Thread rule: constant data. */
#ifndef GM_API_ADT_OPERATIONS_H
#define GM_API_ADT_OPERATIONS_H

#include "base/status.h"
#include "base/str.h"

/* What one must at least be to call an operation; each may do what those before it may. */
enum gm_adt_role { GM_ADT_READER, GM_ADT_WRITER, GM_ADT_ADMIN };
const char *gm_adt_role_name(enum gm_adt_role role); /* "reader" */

/* How large a body may be: that of a twin (api.limits.request_size), of models, or of events
 * (api.limits.events_size). */
enum gm_adt_size { GM_ADT_SMALL, GM_ADT_LARGE, GM_ADT_EVENTS };

enum { GM_ADT_PARTS_MAX = 2, GM_ADT_SEGMENTS_MAX = 6, GM_ADT_VERSION_COUNT = 6 };

struct gm_adt_call;
/* Takes the call over: it ends with exactly one of the functions of call.h that say so. */
typedef void gm_adt_handler(struct gm_adt_call *call);

struct gm_adt_operation {
    const char *method_z; /* NULL ends the table */
    /* "/digitaltwins/{id}": parts in braces stand for any one segment, the others are compared
     * without regard to case */
    const char *path_z;
    enum gm_adt_role role;
    enum gm_adt_size size;
    const char *answer_z; /* "200", "201", …: its success */
    const char *help_z;
    gm_adt_handler *handle;
};
const struct gm_adt_operation *gm_adt_operations(void);

/* In order of time; the newest is the last. */
extern const char *const gm_adt_versions[GM_ADT_VERSION_COUNT];

enum gm_adt_match { GM_ADT_FOUND, GM_ADT_NO_PATH, GM_ADT_NO_METHOD };
/* Parts are segments as they were sent; split first, decoded later, so that %2F is a character of
 * an id. Of NO_METHOD *out_operation is the first one with the path. */
enum gm_adt_match gm_adt_find(const char *method_z, const char *path_z,
                              const struct gm_adt_operation **out_operation,
                              struct gm_str out_parts[GM_ADT_PARTS_MAX]);
/* The same in another table. */
enum gm_adt_match gm_adt_find_in(const struct gm_adt_operation *operations, const char *method_z,
                                 const char *path_z, const struct gm_adt_operation **out_operation,
                                 struct gm_str out_parts[GM_ADT_PARTS_MAX]);

/* Handlers of the table, by file. */
extern gm_adt_handler gm_adt_models_post, gm_adt_models_list, gm_adt_model_get, gm_adt_model_patch,
    gm_adt_model_delete;
extern gm_adt_handler gm_adt_twin_get, gm_adt_twin_put, gm_adt_twin_patch, gm_adt_twin_delete;
extern gm_adt_handler gm_adt_component_get, gm_adt_component_patch;
extern gm_adt_handler gm_adt_relationship_get, gm_adt_relationship_put, gm_adt_relationship_patch,
    gm_adt_relationship_delete, gm_adt_relationships_list, gm_adt_incoming_list;
extern gm_adt_handler gm_adt_routes_list, gm_adt_route_get, gm_adt_route_put, gm_adt_route_delete;
extern gm_adt_handler gm_adt_telemetry, gm_adt_component_telemetry;
extern gm_adt_handler gm_adt_query;
extern gm_adt_handler gm_adt_imports_list, gm_adt_import_put, gm_adt_import_get,
    gm_adt_import_delete, gm_adt_import_cancel;
extern gm_adt_handler gm_adt_deletion_post, gm_adt_deletions_list, gm_adt_deletion_get;

#endif
