#include "route/filter.h"

#include "expr/expr.h"

enum field {
    FIELD_VALUE, /* written in the filter */
    FIELD_BODY,  /* $body.PATH */
    FIELD_TYPE,
    FIELD_SOURCE,
    FIELD_SUBJECT,
    FIELD_DATASCHEMA,
    FIELD_DATACONTENTTYPE,
    FIELD_SPECVERSION,
    FIELD_CLASS, /* $eventType */
};

enum value_type { VALUE_MISSING, VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_OTHER };

struct value {
    enum value_type type;
    bool b;
    /* holds every integer of 64 bits and every double exactly */
    long double number;
    struct gm_str text;
};

struct operand {
    enum field field;
    struct value value;  /* FIELD_VALUE */
    struct gm_str *path; /* FIELD_BODY */
    size_t path_count;
};

struct gm_event_filter {
    enum gm_expr_type type; /* OR, AND, NOT, COMPARE, CALL, BOOL */
    enum gm_expr_op op;
    enum gm_expr_function function;
    bool constant; /* BOOL */
    struct gm_event_filter *parts;
    size_t part_count;
    struct operand operands[2]; /* COMPARE, CALL */
};

/* ---- compiling ---- */

static gm_rc fail_at(const struct gm_expr *expr, const char *what_z, struct gm_err *err)
{
    return gm_fail(err, GM_E_INVALID, "line %d, column %d: %s", (int)expr->line, (int)expr->column,
                   what_z);
}

static gm_rc compile_path(const struct gm_expr *expr, struct operand *out, struct gm_err *err)
{
    static const struct {
        const char *name_z;
        enum field field;
    } fields[] = {
        {"type", FIELD_TYPE},
        {"source", FIELD_SOURCE},
        {"subject", FIELD_SUBJECT},
        {"dataschema", FIELD_DATASCHEMA},
        {"datacontenttype", FIELD_DATACONTENTTYPE},
        {"specversion", FIELD_SPECVERSION},
        {"$eventType", FIELD_CLASS},
    };
    if (gm_str_is(expr->segments[0], "$body") && expr->segment_count > 1) {
        out->field = FIELD_BODY;
        out->path = expr->segments + 1;
        out->path_count = expr->segment_count - 1;
        return GM_OK;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(fields) && expr->segment_count == 1; i++) {
        if (gm_str_is(expr->segments[0], fields[i].name_z)) {
            out->field = fields[i].field;
            return GM_OK;
        }
    }
    return gm_fail(err, GM_E_INVALID,
                   "line %d, column %d: expected type, source, subject, dataschema, "
                   "datacontenttype, specversion or $body.PROPERTY, found `" GM_STR_FMT "`",
                   (int)expr->line, (int)expr->column, GM_STR_ARG(expr->segments[0]));
}

static gm_rc compile_operand(const struct gm_expr *expr, struct operand *out, struct gm_err *err)
{
    struct value *value = &out->value;
    out->field = FIELD_VALUE;
    switch (expr->type) {
    case GM_EXPR_PATH:
        return compile_path(expr, out, err);
    case GM_EXPR_STRING:
        *value = (struct value){.type = VALUE_TEXT, .text = expr->string};
        return GM_OK;
    case GM_EXPR_INT:
        *value = (struct value){.type = VALUE_NUMBER, .number = (long double)expr->i};
        return GM_OK;
    case GM_EXPR_DOUBLE:
        *value = (struct value){.type = VALUE_NUMBER, .number = (long double)expr->d};
        return GM_OK;
    case GM_EXPR_BOOL:
        *value = (struct value){.type = VALUE_BOOL, .b = expr->b};
        return GM_OK;
    case GM_EXPR_NULL:
        *value = (struct value){.type = VALUE_NULL};
        return GM_OK;
    default:
        return fail_at(expr, "expected a field of the event or a value", err);
    }
}

static bool is_text_function(enum gm_expr_function function)
{
    return function == GM_FN_STARTSWITH || function == GM_FN_ENDSWITH || function == GM_FN_CONTAINS;
}

static gm_rc compile_operands(const struct gm_expr *expr, struct gm_event_filter *out,
                              struct gm_err *err)
{
    GM_TRY(compile_operand(expr->args[0], &out->operands[0], err));
    return compile_operand(expr->args[1], &out->operands[1], err);
}

static gm_rc compile(struct gm_arena *arena, const struct gm_expr *expr,
                     struct gm_event_filter *out, struct gm_err *err)
{
    *out = (struct gm_event_filter){
        .type = expr->type, .op = expr->op, .function = expr->function, .constant = expr->b};
    switch (expr->type) {
    case GM_EXPR_BOOL:
        return GM_OK;
    case GM_EXPR_CALL:
        return is_text_function(expr->function)
                   ? compile_operands(expr, out, err)
                   : fail_at(expr, "a filter has STARTS_WITH, ENDS_WITH and CONTAINS only", err);
    case GM_EXPR_COMPARE:
        return compile_operands(expr, out, err);
    case GM_EXPR_OR:
    case GM_EXPR_AND:
    case GM_EXPR_NOT:
        break;
    default:
        return fail_at(expr, "expected true, false, a comparison or a function", err);
    }
    out->part_count = expr->arg_count;
    out->parts = gm_arena_alloc(arena, expr->arg_count * sizeof(*out->parts));
    if (out->parts == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a filter of this size");
    }
    for (size_t i = 0; i < expr->arg_count; i++) {
        GM_TRY(compile(arena, expr->args[i], &out->parts[i], err));
    }
    return GM_OK;
}

gm_rc gm_event_filter_parse(struct gm_arena *arena, struct gm_str text,
                            struct gm_event_filter **out_filter, struct gm_err *err)
{
    struct gm_expr *expr;
    GM_TRY(gm_expr_parse(arena, text, &expr, err));
    struct gm_event_filter *filter = gm_arena_alloc(arena, sizeof(*filter));
    if (filter == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a filter of this size");
    }
    GM_TRY(compile(arena, expr, filter, err));
    *out_filter = filter;
    return GM_OK;
}

/* ---- values ---- */

static struct value text_value(struct gm_str text)
{
    return (struct value){.type = text.n > 0 ? VALUE_TEXT : VALUE_MISSING, .text = text};
}

static const char *class_of(enum gm_event_type type)
{
    switch (type) {
    case GM_EVENT_TWIN_CREATE:
    case GM_EVENT_TWIN_DELETE:
        return "DigitalTwinLifecycleNotification";
    case GM_EVENT_TWIN_UPDATE:
        return "DigitalTwinChangeNotification";
    case GM_EVENT_TELEMETRY:
        return "DigitalTwinTelemetryMessages";
    default:
        return "DigitalTwinRelationshipChangeNotification";
    }
}

static struct value body_value(const struct gm_event *event, const struct operand *operand)
{
    yyjson_mut_val *at = event->data;
    for (size_t i = 0; i < operand->path_count && at != NULL; i++) {
        at = yyjson_mut_is_obj(at) ? gm_json_member(at, operand->path[i]) : NULL;
    }
    switch (gm_json_type(at)) {
    case YYJSON_TYPE_NONE:
        return (struct value){.type = VALUE_MISSING};
    case YYJSON_TYPE_NULL:
        return (struct value){.type = VALUE_NULL};
    case YYJSON_TYPE_BOOL:
        return (struct value){.type = VALUE_BOOL, .b = yyjson_mut_get_bool(at)};
    case YYJSON_TYPE_STR:
        return (struct value){.type = VALUE_TEXT, .text = gm_json_str(at)};
    case YYJSON_TYPE_NUM:
        return (struct value){.type = VALUE_NUMBER,
                              .number =
                                  yyjson_mut_is_uint(at)   ? (long double)yyjson_mut_get_uint(at)
                                  : yyjson_mut_is_sint(at) ? (long double)yyjson_mut_get_sint(at)
                                                           : (long double)yyjson_mut_get_real(at)};
    default:
        return (struct value){.type = VALUE_OTHER};
    }
}

static struct value value_of(const struct gm_event *event, const struct operand *operand)
{
    switch (operand->field) {
    case FIELD_VALUE:
        return operand->value;
    case FIELD_BODY:
        return body_value(event, operand);
    case FIELD_TYPE:
        return text_value(gm_str_z(gm_event_type_name(event->type)));
    case FIELD_SOURCE:
        return text_value(event->source);
    case FIELD_SUBJECT:
        return text_value(event->subject);
    case FIELD_DATASCHEMA:
        return text_value(event->dataschema);
    case FIELD_DATACONTENTTYPE:
        return text_value(GM_STR("application/json"));
    case FIELD_SPECVERSION:
        return text_value(GM_STR("1.0"));
    case FIELD_CLASS:
        return text_value(gm_str_z(class_of(event->type)));
    }
    return (struct value){.type = VALUE_MISSING};
}

/* ---- matching ---- */

static bool is_nothing(const struct value *value)
{
    return value->type == VALUE_MISSING || value->type == VALUE_NULL;
}

static bool is_null_written(const struct operand *operand)
{
    return operand->field == FIELD_VALUE && operand->value.type == VALUE_NULL;
}

/* -1, 0, 1; false: they cannot be compared. */
static bool compare(const struct value *a, const struct value *b, int *out_order)
{
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case VALUE_BOOL:
        *out_order = (int)a->b - (int)b->b;
        return true;
    case VALUE_NUMBER:
        *out_order = (a->number > b->number) - (a->number < b->number);
        return a->number == a->number && b->number == b->number;
    case VALUE_TEXT:
        *out_order = gm_str_cmp(a->text, b->text);
        return true;
    default:
        return false;
    }
}

static bool match_comparison(const struct gm_event_filter *filter, const struct gm_event *event)
{
    struct value a = value_of(event, &filter->operands[0]);
    struct value b = value_of(event, &filter->operands[1]);
    if (is_null_written(&filter->operands[0]) || is_null_written(&filter->operands[1])) {
        bool both = is_nothing(&a) && is_nothing(&b);
        return (filter->op == GM_OP_EQ && both) || (filter->op == GM_OP_NE && !both);
    }
    int order;
    if (!compare(&a, &b, &order)) {
        return false;
    }
    switch (filter->op) {
    case GM_OP_EQ:
        return order == 0;
    case GM_OP_NE:
        return order != 0;
    case GM_OP_LT:
        return order < 0;
    case GM_OP_LE:
        return order <= 0;
    case GM_OP_GT:
        return order > 0;
    case GM_OP_GE:
        return order >= 0;
    }
    return false;
}

static bool match_call(const struct gm_event_filter *filter, const struct gm_event *event)
{
    struct value text = value_of(event, &filter->operands[0]);
    struct value part = value_of(event, &filter->operands[1]);
    if (text.type != VALUE_TEXT || part.type != VALUE_TEXT) {
        return false;
    }
    switch (filter->function) {
    case GM_FN_STARTSWITH:
        return gm_str_starts(text.text, part.text);
    case GM_FN_ENDSWITH:
        return gm_str_ends(text.text, part.text);
    default:
        return gm_str_contains(text.text, part.text);
    }
}

bool gm_event_filter_match(const struct gm_event_filter *filter, const struct gm_event *event)
{
    switch (filter->type) {
    case GM_EXPR_BOOL:
        return filter->constant;
    case GM_EXPR_COMPARE:
        return match_comparison(filter, event);
    case GM_EXPR_CALL:
        return match_call(filter, event);
    case GM_EXPR_NOT:
        return !gm_event_filter_match(&filter->parts[0], event);
    default:
        break;
    }
    bool decides = filter->type == GM_EXPR_OR;
    for (size_t i = 0; i < filter->part_count; i++) {
        if (gm_event_filter_match(&filter->parts[i], event) == decides) {
            return decides;
        }
    }
    return !decides;
}
