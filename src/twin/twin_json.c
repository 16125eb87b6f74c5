/* Twins and relationships as the JSON that the Azure Digital Twins API shows. */
#include "twin/twin_json.h"

#include <stdio.h>

#include "base/hash.h"
#include "twin/times.h"

enum {
    TIME_KEY_SIZE_MAX = 2048
}; /* "component/property"; DTDL v3 names have 512 characters each */

/* When the properties of one twin were written. */
struct times {
    yyjson_mut_doc *doc;
    yyjson_mut_val *own; /* the column; NULL: none */
    gm_ns updated;
    struct gm_str updated_text; /* formatted once: most properties have it */
};

static struct gm_str time_text(yyjson_mut_doc *doc, gm_ns t)
{
    char text[GM_TIME_TEXT_SIZE];
    size_t n = gm_time_format(t, text);
    yyjson_mut_val *copy = gm_json_strcpy(doc, (struct gm_str){text, n});
    return copy != NULL ? gm_json_str(copy) : (struct gm_str){NULL, 0};
}

static bool add_str(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name_z,
                    struct gm_str value)
{
    return value.p != NULL && yyjson_mut_obj_add_strn(doc, object, name_z, value.p, value.n);
}

static struct gm_times_entry entry_of(const struct times *times, struct gm_str component,
                                      struct gm_str name)
{
    char key[TIME_KEY_SIZE_MAX];
    struct gm_str path = name;
    if (component.n > 0) {
        int n = snprintf(key, sizeof(key), GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(component),
                         GM_STR_ARG(name));
        path = (struct gm_str){key, n > 0 && (size_t)n < sizeof(key) ? (size_t)n : 0};
    }
    return gm_times_get(times->own, path, times->updated);
}

/* Adds name: {"lastUpdateTime": …, "sourceTime": …} to `metadata`; *newest rises to that time. */
static bool add_time(const struct times *times, struct gm_str component, struct gm_str name,
                     yyjson_mut_val *metadata, gm_ns *newest)
{
    struct gm_times_entry own = entry_of(times, component, name);
    *newest = own.time > *newest ? own.time : *newest;
    struct gm_str text =
        own.time == times->updated ? times->updated_text : time_text(times->doc, own.time);
    yyjson_mut_val *key = gm_json_strref(times->doc, name);
    yyjson_mut_val *entry = yyjson_mut_obj(times->doc);
    return entry != NULL && add_str(times->doc, entry, "lastUpdateTime", text) &&
           (own.source.p == NULL || add_str(times->doc, entry, "sourceTime", own.source)) &&
           key != NULL && yyjson_mut_obj_add(metadata, key, entry);
}

/* Puts a member in front of those that are there. */
static bool insert_str(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name_z,
                       struct gm_str value, size_t at)
{
    yyjson_mut_val *key = yyjson_mut_str(doc, name_z);
    yyjson_mut_val *copy = gm_json_strcpy(doc, value);
    return key != NULL && copy != NULL && yyjson_mut_obj_insert(object, key, copy, at);
}

/* Gives a component its $metadata. */
static bool finish_component(const struct times *times, struct gm_str name,
                             yyjson_mut_val *component, gm_ns created)
{
    (void)gm_json_remove(component, GM_STR("$metadata"));
    yyjson_mut_val *metadata = yyjson_mut_obj(times->doc);
    bool ok = metadata != NULL;
    gm_ns newest = created;
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(component, index, max, key, value)
    {
        ok = ok && add_time(times, name, gm_json_str(key), metadata, &newest);
    }
    struct gm_str text =
        newest == times->updated ? times->updated_text : time_text(times->doc, newest);
    return ok && text.p != NULL && insert_str(times->doc, metadata, "$lastUpdateTime", text, 0) &&
           yyjson_mut_obj_add_val(times->doc, component, "$metadata", metadata);
}

static bool is_component(const struct gm_model *model, struct gm_str name, yyjson_mut_val *value)
{
    const struct gm_content *content = gm_model_content(model, name);
    return content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(value);
}

/* Gives the components theirs and fills the twin's own $metadata. */
static bool finish_members(const struct times *times, const struct gm_model *model,
                           yyjson_mut_val *body, gm_ns created, yyjson_mut_val *metadata)
{
    bool ok = true;
    gm_ns newest = created;
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(body, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        ok = ok && (is_component(model, name, value)
                        ? finish_component(times, name, value, created)
                        : add_time(times, (struct gm_str){NULL, 0}, name, metadata, &newest));
    }
    return ok;
}

static gm_rc parse_stored(yyjson_mut_doc *doc, struct gm_str text, yyjson_mut_val **out_object,
                          struct gm_err *err)
{
    gm_rc rc = gm_json_parse(doc, text, out_object, err);
    if (rc == GM_E_INVALID || (rc == GM_OK && !yyjson_mut_is_obj(*out_object))) {
        return gm_fail(err, GM_E_CORRUPT,
                       "the stored text is not a JSON object; restore the store from a backup");
    }
    return rc;
}

static gm_rc no_room(struct gm_err *err, struct gm_str id)
{
    return gm_fail(err, GM_E_LIMIT, "\"" GM_STR_FMT "\": no room for its JSON", GM_STR_ARG(id));
}

gm_rc gm_twin_model(const struct gm_models *models, const struct gm_twin *twin,
                    const struct gm_model **out_model, struct gm_err *err)
{
    const struct gm_model *model = gm_models_by_num(models, gm_twin_model_num(twin->num));
    if (model == NULL) {
        return gm_fail(err, GM_E_CONFLICT,
                       "twin \"" GM_STR_FMT
                       "\": its model is newer than the models at hand; load them again",
                       GM_STR_ARG(twin->id));
    }
    *out_model = model;
    return GM_OK;
}

gm_rc gm_twin_json(yyjson_mut_doc *doc, const struct gm_models *models, const struct gm_twin *twin,
                   yyjson_mut_val **out_value, struct gm_err *err)
{
    const struct gm_model *model;
    GM_TRY(gm_twin_model(models, twin, &model, err));
    yyjson_mut_val *body;
    struct times times = {
        .doc = doc, .updated = twin->updated, .updated_text = time_text(doc, twin->updated)};
    gm_rc rc = parse_stored(doc, twin->body, &body, err);
    if (rc == GM_OK && twin->times.p != NULL) {
        rc = parse_stored(doc, twin->times, &times.own, err);
    }
    if (rc != GM_OK) {
        return gm_fail_within(err, "twin \"" GM_STR_FMT "\"", GM_STR_ARG(twin->id));
    }
    char etag[GM_ETAG_SIZE];
    struct gm_str etag_text = {etag, gm_twin_etag(twin->num, twin->version, etag)};
    yyjson_mut_val *metadata = yyjson_mut_obj(doc);
    yyjson_mut_val *model_id = gm_json_strcpy(doc, model->id);
    bool ok = metadata != NULL && model_id != NULL &&
              yyjson_mut_obj_add_val(doc, metadata, "$model", model_id) &&
              add_str(doc, metadata, "$lastUpdateTime", times.updated_text) &&
              finish_members(&times, model, body, twin->created, metadata) &&
              insert_str(doc, body, "$dtId", twin->id, 0) &&
              insert_str(doc, body, "$etag", etag_text, 1) &&
              yyjson_mut_obj_add_val(doc, body, "$metadata", metadata);
    if (!ok) {
        return no_room(err, twin->id);
    }
    *out_value = body;
    return GM_OK;
}

size_t gm_relationship_etag(const struct gm_relationship *relationship, char out[GM_ETAG_SIZE])
{
    uint64_t identity = gm_hash64(relationship->id, (uint64_t)relationship->source);
    uint64_t version = (uint64_t)relationship->version;
    int n =
        snprintf(out, GM_ETAG_SIZE, "W/\"%08x-%04x-%04x-%04x-%012llx\"", (unsigned)(identity >> 32),
                 (unsigned)(identity >> 16 & 0xffff), (unsigned)(identity & 0xffff),
                 (unsigned)(version >> 48), (unsigned long long)(version & 0xffffffffffff));
    GM_ASSERT(n > 0 && n < GM_ETAG_SIZE);
    return (size_t)n;
}

gm_rc gm_relationship_json(yyjson_mut_doc *doc, const struct gm_relationship *relationship,
                           yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *body = NULL;
    if (relationship->body.p != NULL) {
        gm_rc rc = parse_stored(doc, relationship->body, &body, err);
        if (rc != GM_OK) {
            return gm_fail_within(err, "relationship \"" GM_STR_FMT "\" of \"" GM_STR_FMT "\"",
                                  GM_STR_ARG(relationship->id),
                                  GM_STR_ARG(relationship->source_id));
        }
    } else {
        body = yyjson_mut_obj(doc);
    }
    char etag[GM_ETAG_SIZE];
    struct gm_str etag_text = {etag, gm_relationship_etag(relationship, etag)};
    bool ok = body != NULL && insert_str(doc, body, "$relationshipId", relationship->id, 0) &&
              insert_str(doc, body, "$etag", etag_text, 1) &&
              insert_str(doc, body, "$sourceId", relationship->source_id, 2) &&
              insert_str(doc, body, "$targetId", relationship->target_id, 3) &&
              insert_str(doc, body, "$relationshipName", relationship->name, 4);
    if (!ok) {
        return no_room(err, relationship->id);
    }
    *out_value = body;
    return GM_OK;
}
