/* Models: DTDL v2 and v3 interfaces
 * (https://azure.github.io/opendigitaltwins-dtdl/DTDL/v3/DTDL.v3.html), resolved with what they
 * inherit, and the check of values against them.
 *
 *     struct gm_models *models;
 *     GM_TRY(gm_models_extend(NULL, interfaces, count, &models, &added, err));
 *     const struct gm_model *model = gm_models_find(models, GM_STR("dtmi:shop:Product;1"));
 *     const struct gm_content *price = gm_model_content(model, GM_STR("unitPrice"));
 *     rc = gm_schema_check(price->schema, value, err);
 *
 * A gm_models is immutable once made: threads share it, and a new one replaces it when models are
 * added. */
#ifndef GM_DTDL_MODEL_H
#define GM_DTDL_MODEL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "base/time.h"
#include "json/json.h"

enum gm_schema_type {
    GM_SCHEMA_BOOLEAN,
    GM_SCHEMA_INTEGER,
    GM_SCHEMA_LONG,
    GM_SCHEMA_FLOAT,
    GM_SCHEMA_DOUBLE,
    GM_SCHEMA_STRING,
    GM_SCHEMA_DATE,
    GM_SCHEMA_DATETIME,
    GM_SCHEMA_TIME,
    GM_SCHEMA_DURATION,
    GM_SCHEMA_GEO, /* point, multiPoint, lineString, …: a GeoJSON object of that type */
    GM_SCHEMA_ENUM,
    GM_SCHEMA_OBJECT,
    GM_SCHEMA_MAP,
    GM_SCHEMA_ARRAY,
};

struct gm_schema {
    enum gm_schema_type type;
    bool enum_of_strings;              /* ENUM: values are strings, else integers */
    struct gm_str name;                /* "double", "Enum", …: for messages */
    struct gm_str geo_type;            /* GEO: "Point", … */
    const struct gm_str *enum_strings; /* in byte order */
    const int64_t *enum_integers;      /* ascending */
    size_t enum_count;
    const struct gm_schema_field {
        struct gm_str name;
        const struct gm_schema *schema;
    } * fields; /* OBJECT: in byte order of their names */
    size_t field_count;
    const struct gm_schema *item; /* MAP values, ARRAY elements */
};

enum gm_content_type {
    GM_CONTENT_PROPERTY,
    GM_CONTENT_TELEMETRY,
    GM_CONTENT_COMMAND,
    GM_CONTENT_RELATIONSHIP,
    GM_CONTENT_COMPONENT,
};

struct gm_model;
struct gm_content {
    enum gm_content_type type;
    struct gm_str name;
    const struct gm_schema *schema;      /* PROPERTY, TELEMETRY */
    const struct gm_model *component;    /* COMPONENT */
    struct gm_str target;                /* RELATIONSHIP: a DTMI, empty for any */
    const struct gm_content *properties; /* RELATIONSHIP: its own, in byte order of their names */
    size_t property_count;
    const struct gm_model *declared_by;
};

enum { GM_MODEL_GONE = -1 }; /* as `uploaded` */

struct gm_model {
    int64_t num;                          /* the store's number, from 1; 0: not stored yet */
    struct gm_str id;                     /* the DTMI */
    struct gm_str id_base;                /* without the version */
    int64_t version_major, version_minor; /* -1: none */
    int dtdl_version;                     /* 2 or 3 */
    bool decommissioned;
    /* When; GM_MODEL_GONE: it was deleted, and twins are left of it. Then it is in the set for
     * their sake, to be had by its number, and gm_models_find does not find it. */
    gm_ns uploaded;
    struct gm_str text;                /* the definition as it was given, canonical JSON */
    const struct gm_content *contents; /* own and inherited, in byte order of their names */
    size_t content_count;
    const struct gm_model *const *bases; /* all it inherits from, directly or not, without itself */
    size_t base_count;
};

struct gm_models;

enum {
    GM_MODEL_SIZE_MAX = 1 << 20,   /* of one definition, as canonical text */
    GM_STRING_SIZE_MAX = 4 << 10,  /* of a string in a property */
    GM_MAP_KEY_SIZE_MAX = 1 << 10, /* as that of a property's name */
};

/* What is wrong with definitions: one entry for each error, in the order in which they were found.
 * Kinds are those of the DTDL parser ("badType", "objectCountBelowMin", …), which puts
 * GM_MODEL_ERROR_PREFIX in front of them. Absent strings have p NULL. The text says all of it, with
 * the place and the cure. */
#define GM_MODEL_ERROR_PREFIX "dtmi:dtdl:parsingError:"
struct gm_model_error {
    const char *kind_z;
    size_t document; /* the interface it is about, among all that were given, from 0 */
    struct gm_str primary_id, secondary_id; /* elements: the wrong one, the other one it is about */
    struct gm_str property, aux_property;   /* members */
    struct gm_str type, value, restriction, transformation;
    struct gm_str text;
};
enum { GM_MODEL_ERRORS_MAX = 100 }; /* are kept of one set; more are counted */
struct gm_model_errors;
struct gm_model_errors *gm_model_errors_new(void);
void gm_model_errors_free(struct gm_model_errors *errors);          /* NULL is fine */
size_t gm_model_errors_count(const struct gm_model_errors *errors); /* that are kept */
size_t gm_model_errors_total(const struct gm_model_errors *errors);
const struct gm_model_error *gm_model_errors_at(const struct gm_model_errors *errors, size_t index);

/* Contexts (extensions) that are not known here, and what they may have brought. */
enum gm_models_undefined {
    /* allowed in DTDL v2, refused in v3, as the languages have it */
    GM_MODELS_UNDEFINED_BY_VERSION,
    GM_MODELS_UNDEFINED_ALLOWED,
    GM_MODELS_UNDEFINED_REFUSED,
};

struct gm_models_request {
    const struct gm_models *old;       /* NULL: none */
    yyjson_mut_val *const *interfaces; /* JSON arrays or single objects, in any order */
    size_t count;
    bool trusted; /* they were checked when they were stored: no second time, which is faster */
    enum gm_models_undefined undefined;
    int dtdl_version_max;           /* 0: what is supported, 3 */
    struct gm_model_errors *errors; /* where to put what is wrong; NULL: only *err is wanted */
};
/* A new set: `old` plus the interfaces, all or nothing, as gm_models_extend makes it. When they are
 * wrong: GM_E_INVALID, all errors in `errors`, and in *err the first one with the number of the
 * others. */
gm_rc gm_models_make(const struct gm_models_request *request, struct gm_models **out_models,
                     size_t *out_added, struct gm_err *err) GM_MUST_CHECK;

/* A new set: `old` (may be NULL; borrowed) plus the interfaces in `interfaces` (JSON arrays or
 * single objects, any order, all or nothing). Nothing is written. Interfaces that are there already
 * with equal content are passed over; with other content it is GM_E_CONFLICT. Messages name the
 * interface, the element and the rule. *out_added: how many are new. */
/* tidy: params: called by many, each argument its own thing */
gm_rc gm_models_extend(const struct gm_models *old, yyjson_mut_val *const *interfaces, size_t count,
                       struct gm_models **out_models, size_t *out_added, struct gm_err *err)
    GM_MUST_CHECK;
/* Sets what only the store knows. Only before the set is shared. False: no such model. */
bool gm_models_set_stored(struct gm_models *models, struct gm_str id, int64_t num, gm_ns uploaded,
                          bool decommissioned);
/* Reads every *.json below a folder (or one file): an interface or an array of them each. Values
 * live in `doc`'s arena. */
gm_rc gm_models_read_folder(yyjson_mut_doc *doc, const char *path_z,
                            yyjson_mut_val ***out_interfaces, size_t *out_count, struct gm_err *err)
    GM_MUST_CHECK;
void gm_models_free(struct gm_models *models); /* NULL is fine */

size_t gm_models_count(const struct gm_models *models);
const struct gm_model *gm_models_at(const struct gm_models *models,
                                    size_t index); /* in order of their numbers */
const struct gm_model *gm_models_find(const struct gm_models *models, struct gm_str id);
const struct gm_model *gm_models_by_num(const struct gm_models *models, int64_t num);
/* The known id nearest to a wrong one, for messages; {NULL,0} when none is near. */
struct gm_str gm_models_nearest(const struct gm_models *models, struct gm_str id);

const struct gm_content *gm_model_content(const struct gm_model *model,
                                          struct gm_str name); /* NULL: none */
/* `model` is `base`, or inherits from it. */
bool gm_model_is(const struct gm_model *model, const struct gm_model *base);

/* GM_E_INVALID with `expected double, found "abc"`; the caller adds where. */
gm_rc gm_schema_check(const struct gm_schema *schema, const yyjson_mut_val *value,
                      struct gm_err *err) GM_MUST_CHECK;
/* Checks the members of a twin's body (properties and components; no members that start with $ but
 * a component's $metadata): names, types, nesting, sizes. Nulls are refused. */
gm_rc gm_model_check_body(const struct gm_model *model, const yyjson_mut_val *body,
                          struct gm_err *err) GM_MUST_CHECK;
/* Checks a relationship of that name: that it exists, that the target's model fits, that its
 * properties are right. `target` NULL: not known yet. `properties` NULL: none. */
/* tidy: params: called by many, each argument its own thing */
gm_rc gm_model_check_relationship(const struct gm_model *source, struct gm_str name,
                                  const struct gm_models *models, const struct gm_model *target,
                                  const yyjson_mut_val *properties, struct gm_err *err)
    GM_MUST_CHECK;
/* Twin ids as the service takes them: 1-128 characters of A-Z a-z 0-9 and -.+%_#*?!(),=@$'  */
gm_rc gm_twin_id_check(struct gm_str id, struct gm_err *err) GM_MUST_CHECK;
/* Ids as clients and files may choose them, beyond what the service takes: 1-128 bytes of UTF-8
 * without control characters, also a/b or `a b`. What pipelines make keeps to the service's. */
gm_rc gm_twin_id_check_any(struct gm_str id, struct gm_err *err) GM_MUST_CHECK;

#endif
