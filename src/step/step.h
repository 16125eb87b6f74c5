/* Steps: what a pipeline does with a record between source and sink. `filter` and `jq` stand in the
 * list `steps`, `map` is the last one. Each is compiled once at start and then applied to batches
 * by one thread.
 *
 *     steps:
 *       - filter: "Discontinued = 0 AND UnitPrice > 0"   # the conditions of src/expr
 *       - jq: ".Name |= ascii_downcase"      # one output: the new body; none: filtered
 *     map:                                   # typed projection into a twin …
 *       $dtId: "product-{ProductID}"         # templates: {path}, {path|slug}; {{ }} are braces
 *       $model: "dtmi:shop:Product;1"        # or a template
 *       $sourceTime: "{changedAt}"           # when it was so: sourceTime of the properties
 *       name: ProductName                    # a path; the type comes from the model
 *       unitPrice: { from: UnitPrice, type: double, default: 0 }
 *       label: { template: "{ProductName} ({ProductID})" }
 *       origin: { value: "erp" }
 *       status: { from: Status, values: { A: active, D: discontinued } }
 *       address: { object: { city: City, zip: { from: Zip, type: string } } }
 *       tags: { from: Tags, split: "," }     # arrays: from JSON, or split text
 *       relationships:
 *         - { name: suppliedBy, target: "supplier-{SupplierID}", properties: { since: Since } }
 *     map:                                   # … or into a relationship
 *       relationship:
 *         { name: worksIn, source: "employee-{EmployeeID}", target: "territory-{TerritoryID}" }
 *
 * What map makes (record->body), which is also what JSON sources without a map deliver:
 *     {"$dtId":…, "$metadata":{"$model":…}, "$relationships":[{"$relationshipId":…,
 *      "$relationshipName":…, "$targetId":…, name: value, …}, …], name: value, …}
 *     {"$relationshipId":…, "$relationshipName":…, "$sourceId":…, "$targetId":…, name: value, …}
 * Members stand in byte order, so that canonical text costs no sort. "$relationships" is there when
 * the map has `relationships`: these are all that the pipeline delivers for the twin.
 * "$relationshipId" is there when `id` is configured; else the sink makes it. A relationship whose
 * target meets a null is not there; a link (the second form) is filtered then. Components are
 * objects with "$metadata":{}.
 *
 * A member that is null says: remove it, also within a component. Within objects and the properties
 * of relationships, which are replaced as a whole, null members are left out instead, and an
 * `object` of nothing but nulls is null; a component never is. In a GM_RECORD_PATCH, what is absent
 * from the source stays absent; a relationship whose target is made of what is absent is left as it
 * is: "$relationshipsKept" has the names of those, beside "$relationships" with the others; when
 * there are no others, neither is there.
 *
 * Types are those of the model when it is known ($model without placeholders), or `type`. Texts
 * become numbers, booleans (true/false, 1/0, yes/no), dates and times strictly and independent of
 * locale; integers become doubles; doubles become integers only when they are whole and within
 * ±2^53; text must be valid UTF-8 without NUL; text that holds JSON serves where an object, map or
 * array is wanted; timestamps of databases get the form of RFC 3339. A failure marks the record:
 * "column `UnitPrice`: expected double, found `12,50`". What each type takes stands in
 * gm_map_reference.
 *
 * A path whose first segment is no column of the rows is a mistake of the configuration and not of
 * a record: gm_steps_apply fails with GM_E_CONFIG and the nearest names. Members of JSON records
 * may be there or not.
 *
 * Lifetime: bodies borrow names and constants from the steps, and texts from the cells; steps
 * outlive the batches they were applied to. Records of the kind GM_RECORD_DELETE and records that
 * are marked already pass untouched. */
#ifndef GM_STEP_STEP_H
#define GM_STEP_STEP_H

#include "conf/conf.h"
#include "dtdl/model.h"
#include "flow/record.h"

/* Compiled steps of one pipeline; belongs to one thread. */
struct gm_steps;

/* The fields of an entry of `steps:` (one of filter, jq). */
extern const struct gm_field gm_step_fields[];
/* Reference of `map` as Markdown, for the documentation: its sections, NULL-terminated. */
extern const char *const gm_map_reference[];

struct gm_steps_conf {
    const struct gm_node *steps; /* NULL: none. A list of one-member maps. */
    const struct gm_node *map;   /* NULL: none */
    const char *folder_z;        /* jq modules and files are looked up relative to it */
    /* Bodies need not be twins: a map without `$dtId`, `$model` and `relationship` makes objects
     * of nothing but its members. */
    bool any_body;
};

/* Checks without models (offline): every error goes into `doc` with its place. With models, names
 * and types of the properties are checked against them as well; NULL: not known. jq programs are
 * compiled, with the modules they import. */
void gm_steps_lint(struct gm_conf_doc *doc, const struct gm_steps_conf *conf,
                   const struct gm_models *models);
/* Errors like lint's, in one text. `models` is kept: it must outlive the steps. */
gm_rc gm_steps_compile(const struct gm_steps_conf *conf, const struct gm_models *models,
                       struct gm_steps **out_steps, struct gm_err *err) GM_MUST_CHECK;
void gm_steps_free(struct gm_steps *steps); /* NULL is fine */

/* Applies all steps to one record: record->body is replaced (without a map or jq, rows become
 * objects), or the record gets GM_VERDICT_FILTERED, or it is marked with gm_record_fail (in both
 * cases the body stays what it was). Fails itself only at the arena's limit (GM_E_LIMIT) and for
 * columns that are not there (GM_E_CONFIG). */
gm_rc gm_steps_apply(struct gm_steps *steps, struct gm_batch *batch, struct gm_record *record,
                     struct gm_err *err) GM_MUST_CHECK;

/* What the map writes, for provenance, verification and removal: the names of the twin's properties
 * and of its relationships, in byte order. Of a component that is described by its members these
 * are named, as "component/member"; one that comes whole is named itself. Count 0 and *out_open =
 * true: not known beforehand (no map: any member of the body). */
void gm_steps_targets(const struct gm_steps *steps, const struct gm_str **out_names,
                      size_t *out_count, bool *out_open);

#endif
