#include "route/filter.h"

#include "expr/match.h"
#include "flow/operand.h"

enum field {
    FIELD_BODY, /* $body.PATH */
    FIELD_TYPE,
    FIELD_SOURCE,
    FIELD_SUBJECT,
    FIELD_DATASCHEMA,
    FIELD_DATACONTENTTYPE,
    FIELD_SPECVERSION,
    FIELD_CLASS, /* $eventType */
};

/* What an operand is taken from. */
struct place {
    enum field field;
    const struct gm_expr *path; /* BODY: `$body` and the members behind it */
};

struct gm_event_filter {
    struct gm_match *match;
};

/* ---- compiling ---- */

static gm_rc find_place(const struct gm_expr *expr, struct place *out, struct gm_err *err)
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
        return GM_OK;
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(fields) && expr->segment_count == 1; i++) {
        if (gm_str_is(expr->segments[0], fields[i].name_z)) {
            out->field = fields[i].field;
            return GM_OK;
        }
    }
    return gm_expr_fail(err, expr,
                        "expected type, source, subject, dataschema, datacontenttype, "
                        "specversion or $body.PROPERTY, found `" GM_STR_FMT "`",
                        GM_STR_ARG(expr->segments[0]));
}

static gm_rc resolve(void *ctx, const struct gm_expr *expr, void **out_handle, struct gm_err *err)
{
    struct place *place = gm_arena_alloc(ctx, sizeof(*place));
    if (place == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a filter of this size");
    }
    place->path = expr;
    *out_handle = place;
    return find_place(expr, place, err);
}

gm_rc gm_event_filter_parse(struct gm_arena *arena, struct gm_str text,
                            struct gm_event_filter **out_filter, struct gm_err *err)
{
    static const struct gm_match_language language = {
        .functions = 1u << GM_FN_STARTSWITH | 1u << GM_FN_ENDSWITH | 1u << GM_FN_CONTAINS,
        .function_z = "a filter has STARTS_WITH, ENDS_WITH and CONTAINS only",
        .only_z = "expected true, false, a comparison or a function",
        .resolve = resolve,
    };
    const struct gm_match_user user = {&language, arena};
    struct gm_expr *expr;
    GM_TRY(gm_expr_parse(arena, text, &expr, err));
    struct gm_event_filter *filter = gm_arena_alloc(arena, sizeof(*filter));
    if (filter == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a filter of this size");
    }
    GM_TRY(gm_match_new(arena, expr, &user, &filter->match, err));
    *out_filter = filter;
    return GM_OK;
}

/* ---- matching ---- */

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

/* Members of objects alone: items of arrays cannot be reached. */
static yyjson_mut_val *find_in_body(const struct gm_event *event, const struct gm_expr *path)
{
    yyjson_mut_val *at = event->data;
    for (size_t i = 1; i < path->segment_count && at != NULL; i++) {
        at = yyjson_mut_is_obj(at) ? gm_json_member(at, path->segments[i]) : NULL;
    }
    return at;
}

static struct gm_str text_of(const struct gm_event *event, enum field field)
{
    switch (field) {
    case FIELD_TYPE:
        return gm_str_z(gm_event_type_name(event->type));
    case FIELD_SOURCE:
        return event->source;
    case FIELD_SUBJECT:
        return event->subject;
    case FIELD_DATASCHEMA:
        return event->dataschema;
    case FIELD_DATACONTENTTYPE:
        return GM_STR("application/json");
    case FIELD_SPECVERSION:
        return GM_STR("1.0");
    case FIELD_CLASS:
        return gm_str_z(class_of(event->type));
    case FIELD_BODY:
        break;
    }
    return (struct gm_str){NULL, 0};
}

struct asked {
    const struct gm_event *event;
};

static gm_rc get(void *ctx, void *handle, struct gm_operand *out_value, struct gm_err *err)
{
    (void)err;
    const struct asked *asked = ctx;
    const struct place *place = handle;
    if (place->field == FIELD_BODY) {
        gm_operand_of_mut(out_value, find_in_body(asked->event, place->path));
        return GM_OK;
    }
    out_value->as.text = text_of(asked->event, place->field);
    out_value->type = out_value->as.text.n > 0 ? GM_OPERAND_TEXT : GM_OPERAND_ABSENT;
    return GM_OK;
}

bool gm_event_filter_match(const struct gm_event_filter *filter, const struct gm_event *event)
{
    static const struct gm_match_values values = {.get = get};
    struct asked asked = {event};
    bool holds = false;
    gm_rc rc = gm_match_holds(filter->match, &values, &asked, &holds, NULL);
    GM_ASSERT(rc == GM_OK); /* an event's values are there, or absent */
    return holds;
}
