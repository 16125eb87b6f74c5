#include "api/adt/operations.h"

const char *const gm_adt_versions[GM_ADT_VERSION_COUNT] = {
    "2020-10-31",         "2021-06-30-preview", "2022-05-31",
    "2023-02-27-preview", "2023-06-30",         "2023-10-31",
};

/* Numbers of the operations are those of the service's description. */
static const struct gm_adt_operation operations[] = {
    /* models: 1-5 */
    {"POST", "/models", GM_ADT_ADMIN, GM_ADT_LARGE, "201",
     "Uploads an array of DTDL interfaces (versions 2 and 3), all or none of them.",
     gm_adt_models_post},
    {"GET", "/models", GM_ADT_READER, GM_ADT_SMALL, "200",
     "A page of the models. `dependenciesFor` (repeated, or with commas) chooses models and all "
     "that they extend or have as components; `includeModelDefinition=true` shows definitions.",
     gm_adt_models_list},
    {"GET", "/models/{id}", GM_ADT_READER, GM_ADT_SMALL, "200",
     "A model; `includeModelDefinition=true` shows its definition.", gm_adt_model_get},
    {"PATCH", "/models/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "204",
     "Decommissions a model, or takes that back: `[{\"op\":\"replace\",\"path\":"
     "\"/decommissioned\",\"value\":true}]`. Of a decommissioned model no twin can be made; those "
     "that need it are decommissioned before it.",
     gm_adt_model_patch},
    {"DELETE", "/models/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "204",
     "Deletes a model that no other one extends or has as a component. Twins of it stay; they can "
     "be read, queried, deleted and given another model.",
     gm_adt_model_delete},

    /* queries: 6 */
    {"POST", "/query", GM_ADT_READER, GM_ADT_SMALL, "200",
     "Runs `{\"query\":…}`, or goes on with `{\"continuationToken\":…}`. Rows in `value`; "
     "`continuationToken` is null behind the last page. The header `max-items-per-page` bounds a "
     "page, `query-charge` of the answer says what it cost.",
     gm_adt_query},

    /* twins: 7-10 */
    {"GET", "/digitaltwins/{id}", GM_ADT_READER, GM_ADT_SMALL, "200", "A twin, with its ETag.",
     gm_adt_twin_get},
    {"PUT", "/digitaltwins/{id}", GM_ADT_WRITER, GM_ADT_SMALL, "200",
     "Creates a twin or replaces it; with `If-None-Match: *` it only creates.", gm_adt_twin_put},
    {"PATCH", "/digitaltwins/{id}", GM_ADT_WRITER, GM_ADT_SMALL, "204",
     "Applies a JSON Patch of add, replace and remove. `/$metadata/$model` changes the model, "
     "`/$metadata/NAME/sourceTime` says when a value was measured. `If-Match` guards.",
     gm_adt_twin_patch},
    {"DELETE", "/digitaltwins/{id}", GM_ADT_WRITER, GM_ADT_SMALL, "204",
     "Deletes a twin that has no relationships. `If-Match` guards.", gm_adt_twin_delete},

    /* relationships: 11-16 */
    {"GET", "/digitaltwins/{id}/relationships/{relationshipId}", GM_ADT_READER, GM_ADT_SMALL, "200",
     "A relationship, with its ETag.", gm_adt_relationship_get},
    {"PUT", "/digitaltwins/{id}/relationships/{relationshipId}", GM_ADT_WRITER, GM_ADT_SMALL, "200",
     "Creates a relationship or replaces it; with `If-None-Match: *` it only creates.",
     gm_adt_relationship_put},
    {"PATCH", "/digitaltwins/{id}/relationships/{relationshipId}", GM_ADT_WRITER, GM_ADT_SMALL,
     "204", "Applies a JSON Patch to its properties. `If-Match` guards.",
     gm_adt_relationship_patch},
    {"DELETE", "/digitaltwins/{id}/relationships/{relationshipId}", GM_ADT_WRITER, GM_ADT_SMALL,
     "204", "Deletes a relationship. `If-Match` guards.", gm_adt_relationship_delete},
    {"GET", "/digitaltwins/{id}/relationships", GM_ADT_READER, GM_ADT_SMALL, "200",
     "A page of the relationships that go out from a twin; `relationshipName` chooses.",
     gm_adt_relationships_list},
    {"GET", "/digitaltwins/{id}/incomingrelationships", GM_ADT_READER, GM_ADT_SMALL, "200",
     "A page of the relationships that lead to a twin.", gm_adt_incoming_list},

    /* telemetry: 17, 18 */
    {"POST", "/digitaltwins/{id}/telemetry", GM_ADT_WRITER, GM_ADT_SMALL, "204",
     "Publishes a message of a twin to the event routes. `Message-Id` is required, "
     "`Telemetry-Source-Time` optional.",
     gm_adt_telemetry},
    {"POST", "/digitaltwins/{id}/components/{componentPath}/telemetry", GM_ADT_WRITER, GM_ADT_SMALL,
     "204", "The same of a component.", gm_adt_component_telemetry},

    /* components: 19, 20 */
    {"GET", "/digitaltwins/{id}/components/{componentPath}", GM_ADT_READER, GM_ADT_SMALL, "200",
     "A component of a twin, with the twin's ETag.", gm_adt_component_get},
    {"PATCH", "/digitaltwins/{id}/components/{componentPath}", GM_ADT_WRITER, GM_ADT_SMALL, "204",
     "Applies a JSON Patch to a component. `If-Match` guards the twin.", gm_adt_component_patch},

    /* event routes: 21-24 */
    {"GET", "/eventroutes", GM_ADT_READER, GM_ADT_SMALL, "200", "A page of the event routes.",
     gm_adt_routes_list},
    {"GET", "/eventroutes/{id}", GM_ADT_READER, GM_ADT_SMALL, "200", "An event route.",
     gm_adt_route_get},
    {"PUT", "/eventroutes/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "204",
     "Creates an event route, which begins with what comes, or replaces one, which goes on where "
     "it "
     "was: `{\"endpointName\":…,\"filter\":…}`. Endpoints are declared in the configuration.",
     gm_adt_route_put},
    {"DELETE", "/eventroutes/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "204",
     "Deletes an event route with its dead letters; notifications stop.", gm_adt_route_delete},

    /* import jobs: 25-29 */
    {"GET", "/jobs/imports", GM_ADT_ADMIN, GM_ADT_SMALL, "200", "A page of the import jobs.",
     gm_adt_imports_list},
    {"PUT", "/jobs/imports/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "201",
     "Begins to import the NDJSON of `inputBlobUri` (file:, http:, https:, or an Azure blob), and "
     "to "
     "tell how it goes in `outputBlobUri`. Jobs are done one at a time, in order.",
     gm_adt_import_put},
    {"GET", "/jobs/imports/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "200", "An import job.",
     gm_adt_import_get},
    {"DELETE", "/jobs/imports/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "204",
     "Forgets an import job that has ended, is being cancelled, or was not begun; what it imported "
     "stays.",
     gm_adt_import_delete},
    {"POST", "/jobs/imports/{id}/cancel", GM_ADT_ADMIN, GM_ADT_SMALL, "200",
     "Ends an import job; what it imported stays.", gm_adt_import_cancel},

    /* deletion jobs: 30-32 */
    {"POST", "/jobs/deletions", GM_ADT_ADMIN, GM_ADT_SMALL, "202",
     "Begins to delete all relationships, twins and models, for `timeoutInMinutes` at most (15 to "
     "1440; 720). The header `operation-id` names the job; `Operation-Location` of the answer is "
     "where to look. Pipelines bring what they deliver back by their next runs.",
     gm_adt_deletion_post},
    {"GET", "/jobs/deletions", GM_ADT_ADMIN, GM_ADT_SMALL, "200", "A page of the deletion jobs.",
     gm_adt_deletions_list},
    {"GET", "/jobs/deletions/{id}", GM_ADT_ADMIN, GM_ADT_SMALL, "200", "A deletion job.",
     gm_adt_deletion_get},
    {0},
};

const struct gm_adt_operation *gm_adt_operations(void)
{
    return operations;
}

const char *gm_adt_role_name(enum gm_adt_role role)
{
    static const char *const names[] = {"reader", "writer", "admin"};
    return names[role];
}

/* ---- matching ---- */

static bool path_fits(struct gm_str pattern, struct gm_str path,
                      struct gm_str out_parts[GM_ADT_PARTS_MAX])
{
    size_t count = 0;
    struct gm_str wanted, got;
    while (pattern.n > 0 && path.n > 0) {
        (void)gm_str_cut(pattern, '/', &wanted, &pattern);
        (void)gm_str_cut(path, '/', &got, &path);
        if (wanted.n > 0 && wanted.p[0] == '{' && got.n > 0) {
            out_parts[count++] = got;
        } else if (!gm_str_same(wanted, got)) {
            return false;
        }
    }
    return pattern.n == 0 && path.n == 0;
}

enum gm_adt_match gm_adt_find_in(const struct gm_adt_operation *table, const char *method_z,
                                 const char *path_z, const struct gm_adt_operation **out_operation,
                                 struct gm_str out_parts[GM_ADT_PARTS_MAX])
{
    enum gm_adt_match match = GM_ADT_NO_PATH;
    struct gm_str parts[GM_ADT_PARTS_MAX] = {{NULL, 0}};
    for (const struct gm_adt_operation *at = table; at->method_z != NULL; at++) {
        if (!path_fits(gm_str_z(at->path_z), gm_str_z(path_z), parts)) {
            continue;
        }
        if (strcmp(at->method_z, method_z) == 0) {
            *out_operation = at;
            memcpy(out_parts, parts, sizeof(parts));
            return GM_ADT_FOUND;
        }
        if (match == GM_ADT_NO_PATH) {
            *out_operation = at;
        }
        match = GM_ADT_NO_METHOD;
    }
    return match;
}

enum gm_adt_match gm_adt_find(const char *method_z, const char *path_z,
                              const struct gm_adt_operation **out_operation,
                              struct gm_str out_parts[GM_ADT_PARTS_MAX])
{
    return gm_adt_find_in(operations, method_z, path_z, out_operation, out_parts);
}
