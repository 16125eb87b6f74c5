/* The column `times`. */
#include "twin/times.h"

#include <stdio.h>

#include "base/mem.h"

enum {
    PATH_SIZE_MAX = 2048, /* DTDL v3 names have 512 characters each */
    SOURCE_SIZE_MAX = 64,
};

/* One member of the column. */
static struct gm_times_entry entry_of(const yyjson_mut_val *value)
{
    if (gm_json_type(value) == YYJSON_TYPE_ARR && gm_json_count(value) == 2) {
        const yyjson_mut_val *time = gm_json_first(value);
        return (struct gm_times_entry){time->uni.i64, gm_json_str(time->next)};
    }
    return (struct gm_times_entry){value->uni.i64, {NULL, 0}};
}

/* A component that has no times of its own for its properties, but one for itself, was written as a
 * whole. */
struct gm_times_entry gm_times_get(const yyjson_mut_val *times, struct gm_str path, gm_ns updated)
{
    struct gm_str component, rest;
    const yyjson_mut_val *value = times != NULL ? gm_json_member(times, path) : NULL;
    if (value == NULL && times != NULL && gm_str_cut(path, '/', &component, &rest)) {
        value = gm_json_member(times, component);
    }
    return value != NULL ? entry_of(value) : (struct gm_times_entry){updated, {NULL, 0}};
}

bool gm_times_have_source(struct gm_str times)
{
    return times.p != NULL && memchr(times.p, '[', times.n) != NULL;
}

/* ---- after a write ---- */

static void add_entry(const struct gm_times_after *after, struct gm_str path, struct gm_buf *out)
{
    struct gm_times_entry entry = {after->now, {NULL, 0}};
    if (after->touched != NULL && !after->touched(after->ctx, path)) {
        entry = gm_times_get(after->before, path, after->updated);
    }
    const yyjson_mut_val *said =
        after->sources != NULL ? gm_json_member(after->sources, path) : NULL;
    if (said != NULL) {
        entry.source = gm_json_str(said);
    }
    if (entry.time == after->now && entry.source.p == NULL) {
        return;
    }
    gm_buf_add_char(out, out->n == 0 ? '{' : ',');
    gm_json_quote(out, path);
    if (entry.source.p == NULL) {
        gm_buf_addf(out, ":%lld", (long long)entry.time);
        return;
    }
    gm_buf_addf(out, ":[%lld,", (long long)entry.time);
    gm_json_quote(out, entry.source);
    gm_buf_add_char(out, ']');
}

static struct gm_str join(struct gm_str component, struct gm_str name, char text[PATH_SIZE_MAX])
{
    int n = snprintf(text, PATH_SIZE_MAX, GM_STR_FMT "/" GM_STR_FMT, GM_STR_ARG(component),
                     GM_STR_ARG(name));
    GM_ASSERT(n > 0 && n < PATH_SIZE_MAX);
    return (struct gm_str){text, (size_t)n};
}

static bool is_component(const struct gm_model *model, struct gm_str name, yyjson_mut_val *value)
{
    const struct gm_content *content = gm_model_content(model, name);
    return content != NULL && content->type == GM_CONTENT_COMPONENT && yyjson_mut_is_obj(value);
}

void gm_times_write(const struct gm_times_after *after, struct gm_buf *out)
{
    size_t start = out->n, i, n, j, m;
    GM_ASSERT(start == 0);
    yyjson_mut_val *key, *value, *inner_key, *inner;
    yyjson_mut_obj_foreach(after->body, i, n, key, value)
    {
        struct gm_str name = gm_json_str(key);
        if (!is_component(after->model, name, value)) {
            add_entry(after, name, out);
            continue;
        }
        yyjson_mut_obj_foreach(value, j, m, inner_key, inner)
        {
            char text[PATH_SIZE_MAX];
            add_entry(after, join(name, gm_json_str(inner_key), text), out);
        }
    }
    if (out->n > start) {
        gm_buf_add_char(out, '}');
    }
}

/* ---- in the change log ---- */

/* {"sourceTime":…} */
static yyjson_mut_val *source_object(yyjson_mut_doc *doc, struct gm_str source)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    return object != NULL &&
                   gm_json_set(doc, object, GM_STR("sourceTime"), gm_json_strcpy(doc, source))
               ? object
               : NULL;
}

static struct gm_str source_of(const yyjson_mut_val *times, struct gm_str path)
{
    const yyjson_mut_val *value = times != NULL ? gm_json_member(times, path) : NULL;
    return value != NULL ? entry_of(value).source : (struct gm_str){NULL, 0};
}

/* {"NAME":{"sourceTime":…},…} of a component. */
static yyjson_mut_val *component_sources(yyjson_mut_doc *doc, const yyjson_mut_val *times,
                                         struct gm_str component)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    const yyjson_mut_val *key = gm_json_first(times);
    for (size_t i = gm_json_count(times); i > 0 && object != NULL; i--, key = key->next->next) {
        struct gm_str head, name, source = entry_of(key->next).source;
        if (source.p == NULL || !gm_str_cut(gm_json_str(key), '/', &head, &name) ||
            !gm_str_eq(head, component)) {
            continue;
        }
        yyjson_mut_val *copy = gm_json_strcpy(doc, name);
        if (copy == NULL ||
            !gm_json_set(doc, object, gm_json_str(copy), source_object(doc, source))) {
            return NULL;
        }
    }
    return object;
}

static bool add_operation(const struct gm_times_patch *work, const char *path_z,
                          yyjson_mut_val *value)
{
    yyjson_mut_doc *doc = work->doc;
    yyjson_mut_val *operation = yyjson_mut_obj(doc);
    const char *op_z = value != NULL ? "add" : "remove";
    return operation != NULL && yyjson_mut_obj_add_str(doc, operation, "op", op_z) &&
           gm_json_set(doc, operation, GM_STR("path"), gm_json_strcpy(doc, gm_str_z(path_z))) &&
           (value == NULL || gm_json_set(doc, operation, GM_STR("value"), value)) &&
           yyjson_mut_arr_append(work->patch, operation);
}

/* One path whose source time is another now. Of a component all are said again: its $metadata may
 * be there or not. `seen` holds the components that were. */
static bool patch_one(const struct gm_times_patch *work, struct gm_str path, yyjson_mut_val *seen)
{
    struct gm_str component, name, source = source_of(work->after, path);
    bool of_component = gm_str_cut(path, '/', &component, &name);
    GM_AUTO_FREE char *path_z =
        of_component ? gm_format_z("/" GM_STR_FMT "/$metadata", GM_STR_ARG(component))
                     : gm_format_z("/$metadata/" GM_STR_FMT, GM_STR_ARG(path));
    if (!of_component) {
        yyjson_mut_val *value = source.p != NULL ? source_object(work->doc, source) : NULL;
        return (source.p == NULL || value != NULL) && add_operation(work, path_z, value);
    }
    if (gm_json_member(work->body, component) == NULL || gm_json_member(seen, component) != NULL) {
        return true;
    }
    yyjson_mut_val *all = component_sources(work->doc, work->after, component);
    return all != NULL && add_operation(work, path_z, all) &&
           gm_json_set(work->doc, seen, component, yyjson_mut_true(work->doc));
}

/* Those that `of` names and that are others in the other column; `also_new`: those as well that the
 * other one does not have. */
static bool patch_all(const struct gm_times_patch *work, const yyjson_mut_val *of,
                      yyjson_mut_val *seen)
{
    bool ok = true;
    const yyjson_mut_val *key = gm_json_first(of);
    for (size_t i = gm_json_count(of); i > 0 && ok; i--, key = key->next->next) {
        struct gm_str path = gm_json_str(key), before = source_of(work->before, path),
                      after = source_of(work->after, path);
        bool first_time = of == work->before || before.p == NULL;
        bool differs = (before.p != NULL) != (after.p != NULL) || !gm_str_eq(before, after);
        ok = !differs || !first_time || patch_one(work, path, seen);
    }
    return ok;
}

bool gm_times_add_patch(const struct gm_times_patch *work)
{
    yyjson_mut_val *seen = yyjson_mut_obj(work->doc);
    return seen != NULL && patch_all(work, work->before, seen) &&
           patch_all(work, work->after, seen);
}

bool gm_times_add_metadata(yyjson_mut_doc *doc, yyjson_mut_val *document,
                           const yyjson_mut_val *times)
{
    bool ok = true;
    yyjson_mut_val *metadata = gm_json_member(document, GM_STR("$metadata"));
    const yyjson_mut_val *key = gm_json_first(times);
    for (size_t i = gm_json_count(times); i > 0 && ok; i--, key = key->next->next) {
        struct gm_str path = gm_json_str(key), source = entry_of(key->next).source, head, name;
        if (source.p == NULL) {
            continue;
        }
        yyjson_mut_val *into = metadata;
        if (gm_str_cut(path, '/', &head, &name)) {
            yyjson_mut_val *component = gm_json_member(document, head);
            into = gm_json_member(component, GM_STR("$metadata"));
            if (into == NULL && component != NULL) {
                into = yyjson_mut_obj(doc);
                ok = gm_json_set(doc, component, GM_STR("$metadata"), into);
            }
            path = name;
        }
        yyjson_mut_val *copy = gm_json_strcpy(doc, path);
        ok =
            ok && copy != NULL &&
            (into == NULL || gm_json_set(doc, into, gm_json_str(copy), source_object(doc, source)));
    }
    return ok;
}

/* ---- from outside ---- */

gm_rc gm_times_check_source(struct gm_str name, const yyjson_mut_val *value, struct gm_err *err)
{
    struct gm_str text = gm_json_str(value);
    if (text.p == NULL || text.n > SOURCE_SIZE_MAX || !gm_datetime_valid(text)) {
        return gm_fail(err, GM_E_INVALID,
                       "$metadata." GM_STR_FMT ".sourceTime: expected a date and time such as "
                       "\"2026-11-20T17:09:55Z\"",
                       GM_STR_ARG(name));
    }
    return GM_OK;
}

gm_rc gm_times_take_sources(struct gm_times_source *out, struct gm_str component,
                            yyjson_mut_val *metadata, struct gm_err *err)
{
    size_t index, max;
    yyjson_mut_val *key, *value;
    yyjson_mut_obj_foreach(metadata, index, max, key, value)
    {
        struct gm_str name = gm_json_str(key);
        yyjson_mut_val *source = gm_json_member(value, GM_STR("sourceTime"));
        /* null: clients send back what they read, with what they did not find */
        if (gm_json_type(source) == YYJSON_TYPE_NONE || gm_json_type(source) == YYJSON_TYPE_NULL ||
            name.n + component.n + 2 > PATH_SIZE_MAX) {
            continue;
        }
        GM_TRY(gm_times_check_source(name, source, err));
        char text[PATH_SIZE_MAX];
        struct gm_str path = component.n > 0 ? join(component, name, text) : name;
        out->sources = out->sources != NULL ? out->sources : yyjson_mut_obj(out->doc);
        yyjson_mut_val *copy = gm_json_strcpy(out->doc, path);
        if (out->sources == NULL || copy == NULL ||
            !gm_json_set(out->doc, out->sources, gm_json_str(copy),
                         gm_json_strcpy(out->doc, gm_json_str(source)))) {
            return gm_fail(err, GM_E_LIMIT, "no room for source times");
        }
    }
    return GM_OK;
}
