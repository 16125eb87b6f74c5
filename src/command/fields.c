#include "command/fields.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/vec.h"
#include "flow/event.h"
#include "hub/event_type.h"

enum { FIELDS_MAX = 1000, NOWHERE = -1 };

/* What one path leads to. */
struct field {
    struct gm_path path;
    const struct gm_simple_type *type; /* NULL: a text, a number or a truth value */
    bool required;
    const struct gm_command_field_conf *conf; /* NULL: no more than that */
    bool has_min, has_max, has_regex;
    double min, max;
    regex_t regex;
};
/* Names of members as a tree, so that it can be told which are not known. */
struct node {
    struct gm_str name;
    int field;       /* NOWHERE: something below it is declared */
    int first, next; /* child, sibling */
};
struct gm_fields {
    GM_VEC(struct field) fields;
    GM_VEC(struct node) nodes; /* [0]: the body */
    bool complete;
};

/* ---- problems ---- */

void gm_problem_add(struct gm_problems *problems, struct gm_str path, const char *fmt, ...)
{
    va_list args;
    problems->count++;
    if (problems->n == GM_PROBLEMS_MAX) {
        return;
    }
    va_start(args, fmt);
    struct gm_problem *problem = &problems->at[problems->n];
    problem->message = gm_arena_vformat(problems->arena, fmt, args);
    va_end(args);
    problem->path = gm_arena_dup(problems->arena, path);
    problems->n += problem->message.p != NULL && problem->path.p != NULL ? 1 : 0;
}

/* ---- making ---- */

struct gm_fields *gm_fields_new(void)
{
    struct gm_fields *fields = gm_alloc(sizeof(*fields));
    *gm_vec_push(&fields->nodes) =
        (struct node){.field = NOWHERE, .first = NOWHERE, .next = NOWHERE};
    return fields;
}

void gm_fields_free(struct gm_fields *fields)
{
    if (fields == NULL) {
        return;
    }
    for (size_t i = 0; i < fields->fields.n; i++) {
        if (fields->fields.at[i].has_regex) {
            regfree(&fields->fields.at[i].regex);
        }
    }
    gm_vec_deinit(&fields->fields);
    gm_vec_deinit(&fields->nodes);
    gm_free(fields);
}

static int find_child(const struct gm_fields *fields, int node, struct gm_str name)
{
    int at = fields->nodes.at[node].first;
    while (at != NOWHERE && !gm_str_eq(fields->nodes.at[at].name, name)) {
        at = fields->nodes.at[at].next;
    }
    return at;
}

/* Children stand in the order in which they were declared. */
static int add_child(struct gm_fields *fields, int node, struct gm_str name)
{
    int added = (int)fields->nodes.n;
    *gm_vec_push(&fields->nodes) =
        (struct node){.name = name, .field = NOWHERE, .first = NOWHERE, .next = NOWHERE};
    int *link = &fields->nodes.at[node].first;
    while (*link != NOWHERE) {
        link = &fields->nodes.at[*link].next;
    }
    *link = added;
    return added;
}

/* *out_new: nothing was said of the path before. */
static gm_rc field_at(struct gm_fields *fields, const struct gm_path *path,
                      struct field **out_field, bool *out_new, struct gm_err *err)
{
    int node = 0;
    for (size_t i = 0; i < path->count; i++) {
        int child = find_child(fields, node, path->segments[i]);
        node = child != NOWHERE ? child : add_child(fields, node, path->segments[i]);
    }
    *out_new = fields->nodes.at[node].field == NOWHERE;
    if (*out_new) {
        if (fields->fields.n == FIELDS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "it has more than %d fields", FIELDS_MAX);
        }
        fields->nodes.at[node].field = (int)fields->fields.n;
        gm_vec_push(&fields->fields)->path = *path;
    }
    *out_field = &fields->fields.at[fields->nodes.at[node].field];
    return GM_OK;
}

static gm_rc declare_all(struct gm_fields *fields, const struct gm_node *map, bool required,
                         struct gm_err *err)
{
    for (size_t i = 0; map != NULL && map->type == GM_NODE_MAP && i < map->item_count; i++) {
        struct gm_path path;
        struct field *field;
        bool new;
        GM_TRY(gm_path_parse(map->items[i]->key, &path, err));
        GM_TRY(field_at(fields, &path, &field, &new, err));
        field->type = gm_simple_type_find(map->items[i]->text);
        field->required = field->required || required;
        if (field->type == NULL) {
            return gm_fail(err, GM_E_CONFIG, "`" GM_STR_FMT "` of its event has no type",
                           GM_STR_ARG(path.text));
        }
    }
    return GM_OK;
}

gm_rc gm_fields_declare(struct gm_fields *fields, const struct gm_event_type_conf *type,
                        struct gm_err *err)
{
    if (type == NULL) {
        return GM_OK;
    }
    GM_TRY(declare_all(fields, type->required, true, err));
    return declare_all(fields, type->optional, false, err);
}

gm_rc gm_fields_allow(struct gm_fields *fields, const struct gm_pattern *template, bool required,
                      struct gm_err *err)
{
    for (size_t i = 0; i < template->count; i++) {
        struct field *field;
        bool new;
        GM_TRY(field_at(fields, &template->paths[i], &field, &new, err));
        field->required = field->required || required;
    }
    return GM_OK;
}

/* ---- bounds ---- */

static bool type_is(const struct field *field, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (field->type != NULL && strcmp(field->type->name_z, *names) == 0) {
            return true;
        }
    }
    return false;
}
static bool is_number_type(const struct field *field)
{
    static const char *const names[] = {"integer", "long", "float", "double", NULL};
    return type_is(field, names);
}
static bool is_text_type(const struct field *field)
{
    static const char *const names[] = {"string", "date", "time", "dateTime", "duration", NULL};
    return type_is(field, names);
}
static bool is_array_type(const struct field *field)
{
    static const char *const names[] = {"array", NULL};
    return type_is(field, names);
}
static bool is_truth_type(const struct field *field)
{
    static const char *const names[] = {"boolean", NULL};
    return type_is(field, names);
}

static gm_rc take_bound(const struct field *field, const char *text_z, bool *out_has, double *out,
                        struct gm_err *err)
{
    if (text_z == NULL) {
        return GM_OK;
    }
    *out_has = true;
    if (!is_number_type(field) && !is_text_type(field) && !is_array_type(field)) {
        return gm_fail(err, GM_E_CONFIG, "`min` and `max` are for numbers, texts and arrays");
    }
    return gm_parse_double(gm_str_z(text_z), out)
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG, "`%s` is no number", text_z);
}

static gm_rc take_pattern(struct field *field, const char *pattern_z, struct gm_err *err)
{
    if (pattern_z == NULL) {
        return GM_OK;
    }
    if (!is_text_type(field)) {
        return gm_fail(err, GM_E_CONFIG, "`pattern` is for texts");
    }
    int wrong = regcomp(&field->regex, pattern_z, REG_EXTENDED | REG_NOSUB);
    if (wrong != 0) {
        char why[128];
        (void)regerror(wrong, &field->regex, why, sizeof(why));
        return gm_fail(err, GM_E_CONFIG, "`pattern`: %s", why);
    }
    field->has_regex = true;
    return GM_OK;
}

static gm_rc check_values(const struct field *field, const struct gm_conf_strs *values,
                          struct gm_err *err)
{
    for (size_t i = 0; i < values->n; i++) {
        struct gm_str text = gm_str_z(values->at[i]);
        double number;
        bool fits = is_number_type(field)  ? gm_parse_double(text, &number)
                    : is_truth_type(field) ? gm_str_is(text, "true") || gm_str_is(text, "false")
                                           : is_text_type(field);
        if (!fits) {
            return gm_fail(err, GM_E_CONFIG, "`values`: `%s` is no value of its type",
                           values->at[i]);
        }
    }
    return GM_OK;
}

static gm_rc bound_one(struct gm_fields *fields, const struct gm_conf_map_entry *entry,
                       struct gm_err *err)
{
    const struct gm_command_field_conf *conf = entry->value;
    struct gm_path path;
    struct field *field;
    bool new;
    GM_TRY(gm_path_parse(gm_str_z(entry->name_z), &path, err));
    GM_TRY(field_at(fields, &path, &field, &new, err));
    const struct gm_simple_type *type =
        conf->type != NULL ? gm_simple_type_find(gm_str_z(conf->type)) : field->type;
    if (type == NULL) {
        return gm_fail(err, GM_E_CONFIG, "write its `type`: " GM_SIMPLE_TYPES);
    }
    if (field->type != NULL && field->type != type) {
        return gm_fail(err, GM_E_CONFIG, "its event's type declares it as %s, not as %s",
                       field->type->name_z, type->name_z);
    }
    field->type = type;
    field->required = field->required || conf->required;
    field->conf = conf;
    GM_TRY(take_bound(field, conf->min, &field->has_min, &field->min, err));
    GM_TRY(take_bound(field, conf->max, &field->has_max, &field->max, err));
    GM_TRY(take_pattern(field, conf->pattern, err));
    return check_values(field, &conf->values, err);
}

gm_rc gm_fields_bound(struct gm_fields *fields, const struct gm_conf_map *conf, struct gm_err *err)
{
    for (size_t i = 0; i < conf->n; i++) {
        if (bound_one(fields, &conf->at[i], err) != GM_OK) {
            return gm_fail_within(err, "fields.%s", conf->at[i].name_z);
        }
    }
    return GM_OK;
}

gm_rc gm_fields_close(struct gm_fields *fields, bool complete, struct gm_err *err)
{
    fields->complete = complete;
    for (size_t i = 1; i < fields->nodes.n; i++) {
        const struct node *node = &fields->nodes.at[i];
        const struct field *field = node->field != NOWHERE ? &fields->fields.at[node->field] : NULL;
        if (field != NULL && node->first != NOWHERE &&
            (field->type == NULL || strcmp(field->type->name_z, "object") != 0)) {
            return gm_fail(err, GM_E_CONFIG,
                           "`" GM_STR_FMT "` has members of its own, so it is an object",
                           GM_STR_ARG(field->path.text));
        }
    }
    return GM_OK;
}

/* ---- checking ---- */

enum { SHOWN_SIZE = 80, SHOWN_MAX = 60 };

/* A value for a message, cut when it is long. */
static const char *shown(yyjson_val *value, char out[SHOWN_SIZE])
{
    char digits[GM_NUM_TEXT_SIZE];
    struct gm_str text = gm_scalar_text(value, digits);
    if (yyjson_is_obj(value) || yyjson_is_arr(value)) {
        return yyjson_is_obj(value) ? "an object" : "an array";
    }
    size_t n = text.n < SHOWN_MAX ? text.n : SHOWN_MAX;
    while (n < text.n && n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80) {
        n--;
    }
    const char *quote = yyjson_is_str(value) ? "\"" : "";
    (void)snprintf(out, SHOWN_SIZE, "%s%.*s%s%s", quote, (int)n, n > 0 ? text.p : "",
                   n < text.n ? "…" : "", quote);
    return out;
}

static size_t count_characters(struct gm_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++) {
        count += ((unsigned char)text.p[i] & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

static struct gm_str text_of(yyjson_val *value)
{
    return (struct gm_str){yyjson_get_str(value), yyjson_get_len(value)};
}

static void check_bounds(const struct field *field, yyjson_val *value, struct gm_problems *problems)
{
    const char *what_z = yyjson_is_str(value)   ? " characters"
                         : yyjson_is_arr(value) ? " items"
                                                : "";
    double size = yyjson_is_str(value)   ? (double)count_characters(text_of(value))
                  : yyjson_is_arr(value) ? (double)yyjson_arr_size(value)
                                         : yyjson_get_num(value);
    char found[SHOWN_SIZE];
    if (field->has_min && size < field->min) {
        gm_problem_add(problems, field->path.text, "at least %s%s are wanted, found %s",
                       field->conf->min, what_z, shown(value, found));
    }
    if (field->has_max && size > field->max) {
        gm_problem_add(problems, field->path.text, "at most %s%s are wanted, found %s",
                       field->conf->max, what_z, shown(value, found));
    }
}

static void check_pattern(const struct field *field, yyjson_val *value,
                          struct gm_problems *problems)
{
    struct gm_str text = text_of(value);
    char found[SHOWN_SIZE];
    if (!field->has_regex) {
        return;
    }
    bool fits = text.n <= GM_FIELD_PATTERN_TEXT_MAX && strlen(text.p) == text.n &&
                regexec(&field->regex, text.p, 0, NULL, 0) == 0;
    if (!fits) {
        gm_problem_add(problems, field->path.text, "a text that fits %s is wanted, found %s",
                       field->conf->pattern, shown(value, found));
    }
}

static bool equals(const struct field *field, yyjson_val *value, const char *text_z)
{
    double wanted;
    if (is_number_type(field)) {
        return gm_parse_double(gm_str_z(text_z), &wanted) && yyjson_get_num(value) == wanted;
    }
    char digits[GM_NUM_TEXT_SIZE];
    return gm_str_is(gm_scalar_text(value, digits), text_z);
}

static void check_value_list(const struct field *field, yyjson_val *value,
                             struct gm_problems *problems)
{
    const struct gm_conf_strs *values = &field->conf->values;
    struct gm_buf list;
    char found[SHOWN_SIZE];
    for (size_t i = 0; i < values->n; i++) {
        if (equals(field, value, values->at[i])) {
            return;
        }
    }
    if (values->n > 0) {
        gm_buf_init(&list, 1 << 10);
        for (size_t i = 0; i < values->n; i++) {
            gm_buf_addf(&list, "%s%s", i > 0 ? ", " : "", values->at[i]);
        }
        gm_problem_add(problems, field->path.text, "one of %s is wanted, found %s",
                       list.p != NULL ? list.p : "its values", shown(value, found));
        gm_buf_deinit(&list);
    }
}

static void check_field(const struct field *field, yyjson_val *body, struct gm_problems *problems)
{
    yyjson_val *value = gm_path_in(&field->path, body);
    const char *type_z = field->type != NULL ? field->type->name_z : "text or number";
    char found[SHOWN_SIZE];
    if (value == NULL || yyjson_is_null(value)) {
        if (field->required) {
            gm_problem_add(problems, field->path.text, "a value (%s) is wanted; there is none",
                           type_z);
        }
        return;
    }
    bool fits = field->type != NULL ? field->type->fits(value)
                                    : !yyjson_is_obj(value) && !yyjson_is_arr(value);
    if (!fits) {
        gm_problem_add(problems, field->path.text,
                       "a value of another type (%s) is wanted, found %s", type_z,
                       shown(value, found));
        return;
    }
    if (field->conf != NULL) {
        check_bounds(field, value, problems);
        check_pattern(field, value, problems);
        check_value_list(field, value, problems);
    }
}

/* ---- members that nobody knows ---- */

struct looking {
    const struct gm_fields *fields;
    struct gm_problems *problems;
    struct gm_buf path; /* of the object or member at hand */
};

/* `path` of it stands in looking->path. */
static void refuse_member(struct looking *looking, int node, struct gm_str name)
{
    const struct gm_fields *fields = looking->fields;
    GM_VEC(const char *) names = {0};
    struct gm_buf list;
    gm_buf_init(&list, 1 << 10);
    for (int at = fields->nodes.at[node].first; at != NOWHERE; at = fields->nodes.at[at].next) {
        struct gm_str known = gm_arena_dup(looking->problems->arena, fields->nodes.at[at].name);
        if (known.p != NULL) {
            *gm_vec_push(&names) = known.p;
            gm_buf_addf(&list, "%s%s", names.n > 1 ? ", " : "", known.p);
        }
    }
    const char *near_z = gm_conf_nearest(name, names.at, names.n);
    if (near_z != NULL) {
        gm_problem_add(looking->problems, gm_buf_str(&looking->path),
                       "it is not known here; did you mean `%s`?", near_z);
    } else {
        gm_problem_add(looking->problems, gm_buf_str(&looking->path),
                       "it is not known here; known are: %s", list.p != NULL ? list.p : "none");
    }
    gm_buf_deinit(&list);
    gm_vec_deinit(&names);
}

static void check_members(struct looking *looking, int node, yyjson_val *object);

/* One member of the object that `node` stands for. */
static void check_member(struct looking *looking, int node, struct gm_str name, yyjson_val *value)
{
    const struct gm_fields *fields = looking->fields;
    int child = find_child(fields, node, name);
    const struct node *at = child != NOWHERE ? &fields->nodes.at[child] : NULL;
    size_t n = looking->path.n;
    gm_buf_add_z(&looking->path, n > 0 ? "." : "");
    gm_buf_add(&looking->path, name);
    if (at == NULL) {
        refuse_member(looking, node, name);
    } else if (at->first != NOWHERE && yyjson_is_obj(value)) {
        check_members(looking, child, value);
    } else if (at->first != NOWHERE && at->field == NOWHERE && !yyjson_is_null(value)) {
        gm_problem_add(looking->problems, gm_buf_str(&looking->path), "an object is wanted");
    }
    looking->path.n = n;
}

/* As deep as paths have segments. */
static void check_members(struct looking *looking, int node, yyjson_val *object)
{
    size_t index, max;
    yyjson_val *name, *value;
    yyjson_obj_foreach(object, index, max, name, value)
    {
        if (looking->problems->n == GM_PROBLEMS_MAX) {
            return; /* so that a body of nothing but unknown names costs little */
        }
        check_member(looking, node, text_of(name), value);
    }
}

void gm_fields_check(const struct gm_fields *fields, yyjson_val *body, struct gm_problems *problems)
{
    struct looking looking = {.fields = fields, .problems = problems};
    if (!yyjson_is_obj(body)) {
        gm_problem_add(problems, (struct gm_str){"", 0}, "an object is wanted");
        return;
    }
    if (fields->complete) {
        gm_buf_init(&looking.path, GM_EVENT_BODY_SIZE_MAX);
        check_members(&looking, 0, body);
        gm_buf_deinit(&looking.path);
    }
    for (size_t i = 0; i < fields->fields.n; i++) {
        check_field(&fields->fields.at[i], body, problems);
    }
}

/* ---- as a schema ---- */

static void write_number(const char *name_z, double value, struct gm_buf *out)
{
    enum { EXACT_MAX = 1 << 30 };
    char number[GM_NUM_TEXT_SIZE];
    bool whole = value >= -EXACT_MAX && value <= EXACT_MAX && value == (double)(int64_t)value;
    size_t n = whole ? gm_format_i64((int64_t)value, number) : gm_format_double(value, number);
    gm_buf_addf(out, ",\"%s\":%.*s", name_z, (int)n, number);
}

static void write_bounds(const struct field *field, struct gm_buf *out)
{
    const char *min_z = is_number_type(field)  ? "minimum"
                        : is_array_type(field) ? "minItems"
                                               : "minLength";
    const char *max_z = is_number_type(field)  ? "maximum"
                        : is_array_type(field) ? "maxItems"
                                               : "maxLength";
    if (field->has_min) {
        write_number(min_z, field->min, out);
    }
    if (field->has_max) {
        write_number(max_z, field->max, out);
    }
}

static void write_field(const struct field *field, struct gm_buf *out)
{
    static const char scalar[] = "\"type\":[\"string\",\"number\",\"boolean\"]";
    gm_buf_add_z(out, field->type != NULL ? field->type->schema_z : scalar);
    if (field->conf == NULL) {
        return;
    }
    write_bounds(field, out);
    if (field->conf->pattern != NULL) {
        gm_buf_add_z(out, ",\"pattern\":");
        gm_json_quote(out, gm_str_z(field->conf->pattern));
    }
    for (size_t i = 0; i < field->conf->values.n; i++) {
        gm_buf_add_z(out, i == 0 ? ",\"enum\":[" : ",");
        if (is_text_type(field)) {
            gm_json_quote(out, gm_str_z(field->conf->values.at[i]));
        } else {
            gm_buf_add_z(out, field->conf->values.at[i]);
        }
        gm_buf_add_z(out, i + 1 == field->conf->values.n ? "]" : "");
    }
    if (field->conf->help != NULL) {
        gm_buf_add_z(out, ",\"description\":");
        gm_json_quote(out, gm_str_z(field->conf->help));
    }
}

/* It, or something below it, is required. */
static bool is_needed(const struct gm_fields *fields, int node)
{
    const struct node *at = &fields->nodes.at[node];
    bool needed = at->field != NOWHERE && fields->fields.at[at->field].required;
    for (int child = at->first; child != NOWHERE && !needed; child = fields->nodes.at[child].next) {
        needed = is_needed(fields, child);
    }
    return needed;
}

static void write_node(const struct gm_fields *fields, int node, struct gm_buf *out)
{
    const struct node *at = &fields->nodes.at[node];
    size_t required = 0;
    gm_buf_add_char(out, '{');
    if (at->first == NOWHERE && at->field != NOWHERE) {
        write_field(&fields->fields.at[at->field], out);
        gm_buf_add_char(out, '}');
        return;
    }
    gm_buf_add_z(out, "\"type\":\"object\",\"properties\":{");
    for (int child = at->first; child != NOWHERE; child = fields->nodes.at[child].next) {
        gm_buf_add_z(out, child != at->first ? "," : "");
        gm_json_quote(out, fields->nodes.at[child].name);
        gm_buf_add_char(out, ':');
        write_node(fields, child, out);
    }
    gm_buf_add_z(out, "},\"required\":[");
    for (int child = at->first; child != NOWHERE; child = fields->nodes.at[child].next) {
        if (is_needed(fields, child)) {
            gm_buf_add_z(out, required++ > 0 ? "," : "");
            gm_json_quote(out, fields->nodes.at[child].name);
        }
    }
    gm_buf_addf(out, "],\"additionalProperties\":%s}", fields->complete ? "false" : "true");
}

void gm_fields_write_schema(const struct gm_fields *fields, struct gm_buf *out)
{
    write_node(fields, 0, out);
}
